//! Answers for addresses of others: proxy ARP (RFC 1027) and proxy NDP (RFC 4861 §7.2.8).
//!
//! ARP requests are answered at once: the last answer counts, so that of a proxy must not come
//! after the owner's. A probe is not (RFC 5227 §2.1.1), since its sender would take the answer for
//! a conflict; neither is an announcement. Advertisements have no override flag, so that the owner
//! has precedence, and those that answer a multicast wait for up to a second, as several proxies
//! may answer. A test for duplicates is answered at once: it takes no longer than that second.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::Link;
use crate::limits;
use crate::platform::Instant;
use crate::stack::addresses::Addresses;
use crate::stack::context::Context;
use crate::stack::timers::Timer;
use crate::stack::wire::ndp::ALL_NODES;

/// MAX_ANYCAST_DELAY_TIME in milliseconds (RFC 4861 §10).
const DELAY: u32 = 1000;

/// An answer that waits.
#[derive(Clone, Copy, Debug)]
struct Reply {
    at: Instant,
    target: Ipv6Addr,
    to: Ipv6Addr,
}

/// The addresses of one interface, and the answers that wait.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    /// In order.
    addresses: Vec<IpAddr>,
    replies: Vec<Reply>,
    /// The deadline of the entry in the timer heap.
    armed: Option<Instant>,
}

impl Proxies {
    pub(crate) fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().copied()
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        cfg!(feature = "details") && self.addresses.binary_search(&address).is_ok()
    }

    /// True for an address that a host of the link may ask for.
    pub(crate) fn may_have(cx: &Context, address: IpAddr) -> bool {
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        let is_host = !(address.is_unspecified()
            || address.is_multicast()
            || address.is_loopback()
            || is_broadcast);
        is_host && cx.has_neighbors()
    }

    /// Adds an address; false if it is there.
    ///
    /// # Errors
    /// `InvalidInput` for an address that no host can have, or on media without neighbors;
    /// `NoBufferSpace`.
    pub(crate) fn add(&mut self, cx: &Context, address: IpAddr) -> Result<bool, Error> {
        if !Self::may_have(cx, address) {
            return Err(Error::InvalidInput);
        }
        let Err(place) = self.addresses.binary_search(&address) else { return Ok(false) };
        if self.addresses.len() >= limits::PROXIES {
            return Err(Error::NoBufferSpace);
        }
        self.addresses.insert(place, address);
        Ok(true)
    }

    /// Removes an address.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove(&mut self, address: IpAddr) -> Result<(), Error> {
        let place = self.addresses.binary_search(&address).map_err(|_| Error::NotFound)?;
        self.addresses.remove(place);
        self.replies.retain(|reply| IpAddr::V6(reply.target) != address);
        Ok(())
    }

    /// The interface went down: nobody waits for an answer.
    pub(super) fn forget_replies(&mut self) {
        self.replies.clear();
    }
}

impl Link {
    /// Answers a solicitation for the address of somebody else, now or in a while. The sender is
    /// unspecified in a test for duplicates.
    pub(super) fn answer_for_other(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        (source, destination): (Ipv6Addr, Ipv6Addr),
        target: Ipv6Addr,
    ) {
        if source.is_unspecified() {
            return self.advertise_other(cx, addresses, target, ALL_NODES);
        }
        if !destination.is_multicast() {
            return self.advertise_other(cx, addresses, target, source);
        }
        let replies = &mut self.proxies.replies;
        let is_waiting = replies.iter().any(|known| (known.target, known.to) == (target, source));
        if is_waiting || replies.len() >= limits::PROXY_REPLIES {
            return;
        }
        let delay = Duration::from_millis(u64::from(cx.random.below(DELAY)));
        replies.push(Reply { at: cx.now.after(delay), target, to: source });
        self.arm_proxy(cx);
    }

    fn arm_proxy(&mut self, cx: &mut Context) {
        if let Some(next) = self.proxies.replies.iter().map(|reply| reply.at).min() {
            cx.timers.arm_earlier(&mut self.proxies.armed, next, Timer::Proxy);
        }
    }

    /// Sends the answers whose time has come.
    pub(crate) fn expire_proxy(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        deadline: Instant,
    ) {
        if !cfg!(feature = "details") || self.proxies.armed != Some(deadline) {
            return;
        }
        self.proxies.armed = None;
        let now = cx.now;
        let due: Vec<Reply> =
            self.proxies.replies.extract_if(.., |reply| reply.at <= now).collect();
        for reply in due {
            self.advertise_other(cx, addresses, reply.target, reply.to);
        }
        self.arm_proxy(cx);
    }
}
