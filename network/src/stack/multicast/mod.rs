//! Multicast groups of one interface, and their reports to routers and switches.
//!
//! | file | owns |
//! |---|---|
//! | [`membership`] | the state machine of both families |
//! | [`igmp`], [`mld`] | the messages |
//!
//! The network layer drives it: it joins and leaves for sockets and for the groups that our
//! addresses imply, checks [`Multicast::receives`] for incoming packets, and sends the reports.

mod igmp;
mod membership;
mod mld;

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use devnet_virtual_file_system::Error;

pub(crate) use self::igmp::Message;
pub(crate) use self::membership::Member;
use self::membership::{Groups, Report, is_all_nodes};
use super::addresses::Addresses;
use super::context::Context;
use super::wire::header::{self, Header, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use super::wire::{icmp, ndp};
use crate::driver::Frame;
use crate::platform::Instant;

/// Reports do not cross routers.
const HOP_LIMIT: u8 = 1;
/// The traffic class of network control (RFC 3376 §4).
const TRAFFIC_CLASS: u8 = 0xc0;
/// Router Alert, as an IPv4 option and as an IPv6 hop-by-hop header: routers on the path examine
/// the packet (RFC 2113, RFC 2711).
const ROUTER_ALERT_IPV4: [u8; 4] = [0x94, 4, 0, 0];
const ROUTER_ALERT_IPV6: [u8; 8] = [protocol::ICMPV6, 0, 5, 2, 0, 0, 1, 0];
/// The groups of one interface.
#[derive(Clone, Debug, Default)]
pub(crate) struct Multicast {
    pub(super) ipv4: Groups,
    pub(super) ipv6: Groups,
    pub(super) armed: Option<Instant>,
    /// The interface advertises as a router and receives the groups of routers.
    pub(crate) is_router: bool,
}

/// The families whose groups are reported, true for IPv4. IPv6 needs its groups for itself.
pub(crate) const FAMILIES: &[bool] = match (cfg!(feature = "multicast"), cfg!(feature = "ipv6")) {
    (true, true) => &[true, false],
    (true, false) => &[true],
    (false, true) => &[false],
    (false, false) => &[],
};

impl Multicast {
    /// True when packets to the group are for us.
    pub(crate) fn receives(&self, group: IpAddr) -> bool {
        is_all_nodes(group)
            || if group.is_ipv4() { self.ipv4.contains(group) } else { self.ipv6.contains(group) }
    }

    pub(super) fn groups(&mut self, is_ipv4: bool) -> &mut Groups {
        if is_ipv4 { &mut self.ipv4 } else { &mut self.ipv6 }
    }

    /// Every group that is received.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Member> + '_ {
        let all = [IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)), IpAddr::V6(ndp::ALL_NODES)];
        let is_implied =
            |group: &IpAddr| !self.ipv4.contains(*group) && !self.ipv6.contains(*group);
        let implied = all.into_iter().filter(is_implied).map(|group| Member {
            group,
            sockets: 0,
            is_asked: false,
            is_implied: true,
        });
        implied.chain(self.ipv4.iter()).chain(self.ipv6.iter())
    }

    /// Every group that is received, and the number of its sockets.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (IpAddr, u32)> + '_ {
        self.iter().map(|one| (one.group, one.sockets))
    }

    /// The groups that commands joined, in order.
    pub(crate) fn asked(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.ipv4.iter().chain(self.ipv6.iter()).filter(|one| one.is_asked).map(|one| one.group)
    }

    /// Joins a group for a command.
    ///
    /// # Errors
    /// `InvalidInput` for an address that is no group; `AlreadyExists`; `NoBufferSpace` beyond
    /// [`GROUPS`](crate::limits::GROUPS).
    pub(crate) fn ask(&mut self, group: IpAddr, now: Instant) -> Result<(), Error> {
        if !group.is_multicast() {
            return Err(Error::InvalidInput);
        }
        self.groups(group.is_ipv4()).ask(group, now)
    }

    /// Leaves a group that a command joined.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn forget(&mut self, group: IpAddr, now: Instant) -> Result<(), Error> {
        self.groups(group.is_ipv4()).forget(group, now)
    }

    /// The packets that are due, and their destinations.
    pub(super) fn reports(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
    ) -> Vec<(Frame, IpAddr)> {
        let mut packets = Vec::new();
        for is_ipv4 in FAMILIES.iter().copied() {
            let (random, now) = (&mut cx.random, cx.now);
            let reports =
                self.groups(is_ipv4).due(now, |longest| up_to(longest, |end| random.below(end)));
            for report in reports {
                match is_ipv4 {
                    true => igmp_report(cx, addresses, &report, &mut packets),
                    false => mld_report(cx, addresses, &report, &mut packets),
                }
            }
        }
        packets
    }

    /// When the next report is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.ipv4.deadline(), self.ipv6.deadline()].into_iter().flatten().min()
    }

    /// Processes a query or a report of another host.
    pub(super) fn receive(&mut self, cx: &mut Context, message: Message, is_ipv4: bool) {
        let (random, now) = (&mut cx.random, cx.now);
        let groups = self.groups(is_ipv4);
        match message {
            Message::Query(query) => {
                groups.query(query, now, |longest| up_to(longest, |end| random.below(end)));
            }
            Message::Member(group) => groups.suppress(group, now),
            Message::Other => {}
        }
    }
}

fn igmp_report(
    cx: &mut Context,
    addresses: &Addresses,
    report: &Report,
    packets: &mut Vec<(Frame, IpAddr)>,
) {
    match report {
        Report::Records(records) => {
            let fitting =
                igmp::records_in(cx.configuration.mtu, IPV4_HEADER + ROUTER_ALERT_IPV4.len())
                    .max(1);
            for piece in records.chunks(fitting) {
                packets.push(igmp_packet(
                    cx,
                    addresses,
                    igmp::ALL_REPORTERS,
                    &igmp::records(piece),
                ));
            }
        }
        Report::Member(version, IpAddr::V4(group)) => {
            packets.push(igmp_packet(cx, addresses, *group, &igmp::member(*version, *group)))
        }
        Report::Leave(IpAddr::V4(group)) => {
            packets.push(igmp_packet(cx, addresses, igmp::ALL_ROUTERS, &igmp::leave(*group)))
        }
        Report::Member(..) | Report::Leave(_) => {}
    }
}

fn mld_report(
    cx: &mut Context,
    addresses: &Addresses,
    report: &Report,
    packets: &mut Vec<(Frame, IpAddr)>,
) {
    match report {
        Report::Records(records) => {
            let fitting =
                mld::records_in(cx.configuration.mtu, IPV6_HEADER + ROUTER_ALERT_IPV6.len()).max(1);
            for piece in records.chunks(fitting) {
                packets.push(mld_packet(cx, addresses, mld::ALL_REPORTERS, &mld::records(piece)));
            }
        }
        Report::Member(_, IpAddr::V6(group)) => {
            packets.push(mld_packet(cx, addresses, *group, &mld::member(*group)))
        }
        Report::Leave(IpAddr::V6(group)) => {
            packets.push(mld_packet(cx, addresses, ndp::ALL_ROUTERS, &mld::leave(*group)))
        }
        Report::Member(..) | Report::Leave(_) => {}
    }
}

fn igmp_packet(
    cx: &mut Context,
    addresses: &Addresses,
    to: Ipv4Addr,
    message: &[u8],
) -> (Frame, IpAddr) {
    let destination = IpAddr::V4(to);
    // A host without an address sends from 0.0.0.0 (RFC 3376 §4.2.13).
    let source =
        addresses.source_for(destination, destination).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let outgoing = Outgoing {
        source,
        destination,
        protocol: protocol::IGMP,
        hop_limit: HOP_LIMIT,
        traffic_class: TRAFFIC_CLASS,
    };
    let mut frame = cx.pool.take(IPV4_HEADER + ROUTER_ALERT_IPV4.len() + message.len());
    header::emit(&outgoing, frame.bytes_mut());
    header::insert_ipv4_options(frame.bytes_mut(), &ROUTER_ALERT_IPV4);
    if let Some(place) = frame.bytes_mut().get_mut(IPV4_HEADER + ROUTER_ALERT_IPV4.len()..) {
        place.copy_from_slice(message);
    }
    (frame, destination)
}

fn mld_packet(
    cx: &mut Context,
    addresses: &Addresses,
    to: Ipv6Addr,
    message: &[u8],
) -> (Frame, IpAddr) {
    let is_usable_source =
        |address: &IpAddr| matches!(address, IpAddr::V6(own) if own.is_unicast_link_local());
    let usable =
        addresses.iter().filter(|entry| entry.is_usable()).map(|entry| entry.prefix.address());
    // Before it has a link-local address a host reports from the unspecified address, for snooping
    // switches (RFC 3590 §4).
    let source =
        usable.into_iter().find(is_usable_source).unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let destination = IpAddr::V6(to);
    let outgoing = Outgoing {
        source,
        destination,
        protocol: protocol::HOP_BY_HOP,
        hop_limit: HOP_LIMIT,
        traffic_class: 0,
    };
    let start = IPV6_HEADER + ROUTER_ALERT_IPV6.len();
    let mut frame = cx.pool.take(start + message.len());
    header::emit(&outgoing, frame.bytes_mut());
    if let Some((alert, place)) =
        frame.bytes_mut().get_mut(IPV6_HEADER..).and_then(|rest| rest.split_first_chunk_mut())
    {
        *alert = ROUTER_ALERT_IPV6;
        place.copy_from_slice(message);
        icmp::fill_checksum(source, destination, place);
    }
    (frame, destination)
}

/// Parses an IGMP packet.
pub(crate) fn read_igmp(header: &Header, frame: &Frame) -> Option<Message> {
    igmp::parse(frame.bytes().get(header.length..).unwrap_or_default())
}

/// Parses an MLD packet with a correct checksum. Accepts only what cannot have crossed a router
/// (MC-07, RFC 3810 §6.2).
pub(crate) fn read_mld(header: &Header, frame: &Frame) -> Option<Message> {
    let is_near = matches!(header.source, IpAddr::V6(source) if source.is_unicast_link_local())
        && header.hop_limit == HOP_LIMIT
        && has_router_alert(frame.bytes());
    is_near.then(|| mld::parse(frame.bytes().get(header.length..).unwrap_or_default())).flatten()
}

/// A random time up to `longest`, never zero; `below` draws a number below another.
fn up_to(longest: Duration, below: impl FnOnce(u32) -> u32) -> Duration {
    let milliseconds = u32::try_from(longest.as_millis()).unwrap_or(u32::MAX);
    Duration::from_millis(u64::from(below(milliseconds)) + 1)
}

/// True when the packet's first extension header is hop-by-hop with a Router Alert.
fn has_router_alert(packet: &[u8]) -> bool {
    const ROUTER_ALERT: u8 = 5;
    if packet.get(6) != Some(&protocol::HOP_BY_HOP) {
        return false;
    }
    let length = packet.get(IPV6_HEADER + 1).map_or(0, |units| (usize::from(*units) + 1) * 8);
    let mut options = packet.get(IPV6_HEADER + 2..IPV6_HEADER + length).unwrap_or_default();
    loop {
        options = match options {
            [ROUTER_ALERT, ..] => return true,
            [0, rest @ ..] => rest,
            [_, length, rest @ ..] => rest.get(usize::from(*length)..).unwrap_or_default(),
            _ => return false,
        };
    }
}
