//! Router advertisements that we send (RFC 4861 §6.2): prefix, router and name servers for other
//! hosts.
//!
//! Off unless a command enables it. A solicitation gets a unicast advertisement; multicast ones
//! leave at the start and then every ten minutes.

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::context::Context;
use super::counters::Counter;
use super::ip::Ip;
use super::timers::Timer;
use super::wire::header::{Outgoing, protocol};
use super::wire::{icmp, ndp};
use crate::command::interface::Advertisement;
use crate::limits;
use crate::platform::Instant;

/// MaxRtrAdvInterval: the time between two multicast advertisements (RFC 4861 §6.2.1).
const INTERVAL: Duration = Duration::from_secs(600);
/// AdvDefaultLifetime in seconds: three intervals.
const ROUTER_LIFETIME: u16 = 1800;
/// AdvValidLifetime and AdvPreferredLifetime in seconds (RFC 4861 §6.2.1).
const VALID: u32 = 2_592_000;
const PREFERRED: u32 = 604_800;
const HOP_LIMIT: u8 = 255;

/// What is advertised, and when next.
#[derive(Debug, Default)]
pub(crate) struct Advertiser {
    what: Option<Advertisement>,
    deadline: Option<Instant>,
}

impl Advertiser {
    /// True while we act as a router.
    pub(crate) const fn is_on(&self) -> bool {
        cfg!(feature = "ipv6") && self.what.is_some()
    }
}

impl Advertiser {
    /// Enables, disables or changes advertisements; returns true if that changed something.
    ///
    /// # Errors
    /// `InvalidInput` for a prefix that is not an IPv6 /64 or too many name servers; `Unsupported`
    /// on media without hardware addresses.
    pub(crate) fn set(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        what: Option<Advertisement>,
    ) -> Result<bool, Error> {
        if !cfg!(feature = "ipv6") {
            return Err(Error::Unsupported);
        }
        if let Some(what) = &what {
            Self::check(cx, what)?;
        }
        if self.what == what {
            return Ok(false);
        }
        self.what = what;
        ip.multicast.is_router = self.is_on();
        ip.update_address_groups(cx);
        self.advertise(cx, ip);
        Ok(true)
    }

    /// Whether something can be advertised.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub(crate) fn check(cx: &Context, what: &Advertisement) -> Result<(), Error> {
        let is_usable = what.prefix.address().is_ipv6()
            && what.prefix.length() == 64
            && !what.prefix.address().is_multicast();
        if !is_usable || what.dns_servers.len() > limits::DNS_SERVERS {
            return Err(Error::InvalidInput);
        }
        if cx.configuration.hardware_address.is_none() {
            return Err(Error::Unsupported);
        }
        Ok(())
    }

    /// What is advertised.
    pub(crate) const fn what(&self) -> Option<&Advertisement> {
        self.what.as_ref()
    }

    /// Multicasts an advertisement and arms the timer for the next one.
    pub(crate) fn advertise(&mut self, cx: &mut Context, ip: &mut Ip) {
        self.deadline = None;
        if !self.is_on() || !cx.is_running() {
            return;
        }
        self.send(cx, ip, ndp::ALL_NODES);
        let deadline = cx.now.after(INTERVAL);
        self.deadline = Some(deadline);
        cx.timers.arm(deadline, Timer::Advertisement);
    }

    /// Handles the deadline.
    pub(crate) fn expire(&mut self, cx: &mut Context, ip: &mut Ip, deadline: Instant) {
        if self.deadline == Some(deadline) {
            self.advertise(cx, ip);
        }
    }

    /// Answers a router solicitation.
    pub(crate) fn answer(&mut self, cx: &mut Context, ip: &mut Ip, source: Ipv6Addr) {
        self.send(cx, ip, if source.is_unspecified() { ndp::ALL_NODES } else { source });
    }

    fn send(&mut self, cx: &mut Context, ip: &mut Ip, to: Ipv6Addr) {
        let (Some(what), Some(ours)) = (self.what.clone(), cx.configuration.hardware_address)
        else {
            return;
        };
        // Routers send from their link-local address, which must be usable (RFC 4861 §6.1.2).
        let Some(source) = ip.addresses.link_local() else { return };
        let [high, low] = ROUTER_LIFETIME.to_be_bytes();
        let mut message = alloc::vec![
            ndp::kind::ROUTER_ADVERTISEMENT,
            0,
            0,
            0,
            64,
            0,
            high,
            low,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0
        ];
        message.extend_from_slice(&[1, 1]);
        message.extend_from_slice(&ours.0);
        if let IpAddr::V6(prefix) = what.prefix.network().address() {
            const ON_LINK_AND_AUTONOMOUS: u8 = 0xc0;
            message.extend_from_slice(&[3, 4, 64, ON_LINK_AND_AUTONOMOUS]);
            message.extend_from_slice(&VALID.to_be_bytes());
            message.extend_from_slice(&PREFERRED.to_be_bytes());
            message.extend_from_slice(&[0; 4]);
            message.extend_from_slice(&prefix.octets());
        }
        if !what.dns_servers.is_empty() {
            // The list was bounded when it was set.
            message.extend_from_slice(&[25, 1 + 2 * what.dns_servers.len() as u8, 0, 0]);
            message.extend_from_slice(&u32::from(ROUTER_LIFETIME).to_be_bytes());
            what.dns_servers.iter().for_each(|server| message.extend_from_slice(&server.octets()));
        }
        let outgoing = Outgoing {
            source,
            destination: IpAddr::V6(to),
            protocol: protocol::ICMPV6,
            hop_limit: HOP_LIMIT,
            traffic_class: 0,
        };
        let frame = icmp::packet(&mut cx.pool, &outgoing, &message);
        cx.counters.count(true, Counter::IpOutRequests);
        cx.counters.count(true, Counter::IcmpOutMsgs);
        // The next interval repairs a lost advertisement.
        let _ = ip.transmit(cx, frame, IpAddr::V6(to));
    }
}
