//! Replacing the addresses that commands added, whole or not at all.

use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::Ip;
use crate::address::Prefix;
use crate::command::address::{AddressState, NewAddress, Origin};
use crate::limits;
use crate::stack::context::Context;

/// What has to change.
pub(crate) struct Replacement {
    gone: Vec<Prefix>,
    coming: Vec<NewAddress>,
}

impl Ip {
    /// What has to change so that these are the static addresses, tried on a copy of the table.
    ///
    /// # Errors
    /// As [`add_address`](Self::add_address).
    pub(crate) fn plan_replacement(
        &self,
        cx: &Context,
        new: &[NewAddress],
    ) -> Result<Replacement, Error> {
        let is_kept = |new: &NewAddress| {
            let broadcast = new.broadcast.or(new.prefix.broadcast());
            self.addresses.iter().any(|entry| {
                entry.origin == Origin::Static
                    && entry.prefix == new.prefix
                    && (entry.broadcast.is_none() || entry.broadcast == broadcast)
            })
        };
        let kept: Vec<Prefix> =
            new.iter().filter(|new| is_kept(new)).map(|new| new.prefix).collect();
        let mut gone = self.addresses.prefixes_of(Origin::Static);
        gone.retain(|prefix| !kept.contains(prefix));
        let coming: Vec<NewAddress> = new.iter().filter(|new| !is_kept(new)).copied().collect();
        let mut trial = self.addresses.clone();
        for prefix in &gone {
            trial.remove(*prefix)?;
        }
        for new in &coming {
            if new.prefix.address().is_ipv6() && cx.configuration.mtu < limits::MTU_MINIMUM_IPV6 {
                return Err(Error::InvalidInput);
            }
            trial.add(new, Origin::Static, AddressState::Preferred)?;
        }
        Ok(Replacement { gone, coming })
    }

    /// Carries a replacement out.
    ///
    /// # Errors
    /// None that the plan did not find.
    pub(crate) fn replace_addresses(
        &mut self,
        cx: &mut Context,
        replacement: &Replacement,
    ) -> Result<(), Error> {
        for prefix in &replacement.gone {
            self.remove_address(cx, *prefix)?;
        }
        for new in &replacement.coming {
            self.add_address(cx, new, Origin::Static)?;
        }
        Ok(())
    }

    /// The addresses that the interface has no more afterwards.
    pub(crate) fn lost<'a>(
        &'a self,
        replacement: &'a Replacement,
    ) -> impl Iterator<Item = IpAddr> + 'a {
        let Replacement { gone, coming } = replacement;
        let remains = |address: IpAddr| {
            let mut rest = self.addresses.iter().filter(|entry| !gone.contains(&entry.prefix));
            rest.any(|entry| entry.prefix.address() == address)
                || coming.iter().any(|new| new.prefix.address() == address)
        };
        gone.iter().map(|prefix| prefix.address()).filter(move |address| !remains(*address))
    }
}

impl Replacement {
    /// True when nothing changes.
    pub(crate) const fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.coming.is_empty()
    }
}
