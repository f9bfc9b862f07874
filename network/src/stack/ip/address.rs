//! Addresses with everything that a command may say about them: labels, peers, lifetimes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::Ip;
use crate::address::Prefix;
use crate::command::address::{
    AddressChange, AddressDetail, AddressEntry, AddressState, Broadcast,
};
use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::Details;
use crate::stack::context::Context;

/// When a lifetime ends that begins now.
fn end(now: Instant, seconds: Option<u32>) -> Option<Instant> {
    seconds.map(|seconds| now.after(Duration::from_secs(u64::from(seconds))))
}

/// Checks what does not depend on the table.
///
/// # Errors
/// `InvalidInput` for what does not fit together.
pub(crate) fn check(cx: &Context, change: &AddressChange) -> Result<(), Error> {
    let is_ipv4 = change.prefix.address().is_ipv4();
    let is_foreign_peer =
        change.peer.is_some_and(|peer| peer.address().is_ipv4() != is_ipv4 || !peer.is_valid());
    let is_endless = |seconds: Option<u32>| seconds.is_none();
    let outlives = match (change.preferred_seconds, change.valid_seconds) {
        (Some(preferred), Some(valid)) => preferred > valid,
        (preferred, Some(_)) => is_endless(preferred),
        (_, None) => false,
    };
    let is_bad_label = change.label.as_ref().is_some_and(|label| {
        let rest = label.strip_prefix(cx.configuration.name.as_str());
        !is_ipv4
            || label.len() > limits::LABEL_BYTES
            || !label.bytes().all(|byte| byte.is_ascii_graphic())
            || !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    let has_broadcast = matches!(change.broadcast, Broadcast::Address(_));
    if is_foreign_peer
        || outlives
        || is_bad_label
        || change.valid_seconds == Some(0)
        || (has_broadcast && !is_ipv4)
    {
        return Err(Error::InvalidInput);
    }
    Ok(())
}

impl Ip {
    /// Adds an address, or changes the one that is there; false if it is there just so.
    ///
    /// # Errors
    /// As [`add_address`](Self::add_address); `InvalidInput` for what does not fit together.
    pub(crate) fn set_address(
        &mut self,
        cx: &mut Context,
        change: &AddressChange,
    ) -> Result<bool, Error> {
        check(cx, change)?;
        self.check_family(cx, change.prefix)?;
        let local = change.prefix.address();
        let prefix = change.peer.map_or(change.prefix, |_| Prefix::host(local));
        let is_there = self.addresses.iter().any(|entry| {
            entry.prefix == prefix || (local.is_ipv6() && entry.prefix.address() == local)
        });
        if is_there && change.replace {
            return Ok(self.change_lifetimes(cx, change));
        }
        let state =
            if change.no_detection { AddressState::Preferred } else { self.first_state(cx, local) };
        self.addresses.add_asked(change, state)?;
        let (valid, preferred) =
            (end(cx.now, change.valid_seconds), end(cx.now, change.preferred_seconds));
        if let Some(entry) = self.addresses.find_prefix_mut(prefix) {
            entry.valid_until = valid;
            entry.preferred_until = preferred;
            if preferred.is_some_and(|until| until <= cx.now)
                && entry.state == AddressState::Preferred
            {
                entry.state = AddressState::Deprecated;
            }
        }
        self.begin_address(cx, prefix);
        self.arm_address(cx, local);
        Ok(true)
    }

    /// As Linux, a replacement changes lifetimes and the prefix route, and nothing else.
    fn change_lifetimes(&mut self, cx: &mut Context, change: &AddressChange) -> bool {
        let local = change.prefix.address();
        let (valid, preferred) =
            (end(cx.now, change.valid_seconds), end(cx.now, change.preferred_seconds));
        let Some(entry) = self.addresses.find_mut(local) else { return false };
        let before = (entry.valid_until, entry.preferred_until, entry.connected());
        entry.valid_until = valid;
        entry.preferred_until = preferred;
        let is_over = preferred.is_some_and(|until| until <= cx.now);
        match entry.state {
            AddressState::Preferred if is_over => entry.state = AddressState::Deprecated,
            AddressState::Deprecated if !is_over => entry.state = AddressState::Preferred,
            _ => {}
        }
        if let Some(details) = &mut entry.details {
            details.no_prefix_route = change.no_prefix_route;
        } else if change.no_prefix_route {
            let details = Details { no_prefix_route: true, ..Details::default() };
            entry.details = Some(Box::new(details));
        }
        let after = (entry.valid_until, entry.preferred_until, entry.connected());
        match (before.2, after.2) {
            (Some(network), None) => self.disconnect(network, local, false),
            (None, Some(network)) => self.routes.connect(network, local, cx.configuration.metric),
            _ => {}
        }
        self.arm_address(cx, local);
        self.addresses_changed(cx);
        before != after
    }

    /// The list of addresses with everything about them.
    pub(crate) fn address_details(&self, entries: Vec<AddressEntry>) -> Vec<AddressDetail> {
        let detail = |(entry, address): (AddressEntry, &crate::stack::addresses::Address)| {
            let details = address.details.as_deref();
            AddressDetail {
                entry,
                peer: details.and_then(|details| details.peer),
                label: details.and_then(|details| details.label.clone()),
                secondary: self.addresses.is_secondary(address) || address.temporary().is_some(),
                no_prefix_route: details.is_some_and(|details| details.no_prefix_route),
            }
        };
        entries.into_iter().zip(self.addresses.iter()).map(detail).collect()
    }
}
