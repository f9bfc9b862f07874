//! Multicast groups of one interface: who is in which, and telling the link's routers and switches.
//!
//! | file | owns |
//! |---|---|
//! | [`membership`] | the state machine of both families |
//! | [`igmp`], [`mld`] | the messages |
//!
//! Sockets join and leave by [`Stack::join_group`] and [`Stack::leave_group`]; the groups that our
//! addresses imply follow by themselves. The door asks [`Multicast::receives`].

mod igmp;
mod membership;
mod mld;

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use virtual_file_system::Error;

use self::igmp::Message;
use self::membership::{Groups, Report, is_all_nodes};
use super::Stack;
use super::ip::header::{self, Header, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use super::ip::icmp;
use super::link::ndp;
use super::timers::Timer;
use crate::command::multicast::GroupEntry;
use crate::driver::Frame;
use crate::platform::Instant;

/// Reports do not cross routers.
const HOP_LIMIT: u8 = 1;
/// The traffic class of network control (RFC 3376 §4).
const TRAFFIC_CLASS: u8 = 0xc0;
/// Router alert: look into this although it is not for you (RFC 2113, RFC 2711), as an IPv4 option
/// and as an IPv6 hop-by-hop header.
const ROUTER_ALERT_IPV4: [u8; 4] = [0x94, 4, 0, 0];
const ROUTER_ALERT_IPV6: [u8; 8] = [protocol::ICMPV6, 0, 5, 2, 0, 0, 1, 0];
/// Until a report that found no room is tried again (MC-01).
const RETRY: Duration = Duration::from_secs(1);

/// The groups of one interface.
#[derive(Debug, Default)]
pub(crate) struct Multicast {
    ipv4: Groups,
    ipv6: Groups,
    armed: Option<Instant>,
}

impl Multicast {
    /// True when packets to the group are for us.
    pub(crate) fn receives(&self, group: IpAddr) -> bool {
        is_all_nodes(group)
            || if group.is_ipv4() { self.ipv4.contains(group) } else { self.ipv6.contains(group) }
    }

    fn groups(&mut self, is_ipv4: bool) -> &mut Groups {
        if is_ipv4 { &mut self.ipv4 } else { &mut self.ipv6 }
    }
}

impl Stack {
    /// One more socket is in a group.
    ///
    /// # Errors
    /// `InvalidInput` for an address that is no group; `NoBufferSpace` when the interface is in too
    /// many.
    pub(crate) fn join_group(&mut self, group: IpAddr) -> Result<(), Error> {
        if !group.is_multicast() {
            return Err(Error::InvalidInput);
        }
        self.multicast.groups(group.is_ipv4()).join(group, self.now)?;
        self.report_groups();
        Ok(())
    }

    /// One socket less is in it.
    pub(crate) fn leave_group(&mut self, group: IpAddr) {
        self.multicast.groups(group.is_ipv4()).leave(group, self.now);
        self.report_groups();
    }

    /// Is in the groups that our addresses imply, and in those of routers if we are one.
    pub(crate) fn follow_addresses(&mut self) {
        let mut needed: Vec<IpAddr> = Vec::new();
        for entry in self.addresses.iter() {
            if let IpAddr::V6(address) = entry.prefix.address() {
                let group = IpAddr::V6(ndp::solicited_node(address));
                if !needed.contains(&group) {
                    needed.push(group);
                }
            }
        }
        if self.advertiser.is_on() {
            needed.push(IpAddr::V6(ndp::ALL_ROUTERS));
        }
        self.multicast.ipv6.need(&needed, self.now);
        self.report_groups();
    }

    /// The link is there again: everything is told anew.
    pub(crate) fn restart_groups(&mut self) {
        self.multicast.ipv4.restart(self.now);
        self.multicast.ipv6.restart(self.now);
        self.report_groups();
    }

    /// From now on there is a link-local address to speak from: what was told from nobody's counts
    /// for nothing (RFC 3590 §4).
    pub(crate) fn repeat_ipv6_groups(&mut self) {
        self.multicast.ipv6.repeat(self.now);
        self.report_groups();
    }

    /// Every group that is received, for people and programs.
    pub(crate) fn group_entries(&self) -> Vec<GroupEntry> {
        let interface = &self.configuration.name;
        let all = [(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)), 0), (IpAddr::V6(ndp::ALL_NODES), 0)];
        let joined = self.multicast.ipv4.iter().chain(self.multicast.ipv6.iter());
        let entry = |(group, sockets)| GroupEntry { group, interface: interface.clone(), sockets };
        let implied = all.into_iter().filter(|(group, _)| joined_not(&self.multicast, *group));
        implied.chain(joined).map(entry).collect()
    }

    /// Handles the deadline.
    pub(crate) fn multicast_expired(&mut self, deadline: Instant) {
        if self.multicast.armed == Some(deadline) {
            self.multicast.armed = None;
            self.report_groups();
        }
    }

    /// Says what is due, and sets the next time. On a link that is down nothing is said: it is all
    /// said when it comes up.
    fn report_groups(&mut self) {
        if !self.is_running() || self.is_loopback() {
            return;
        }
        if !self.has_room() {
            return self.arm_multicast(Some(self.now.after(RETRY)));
        }
        for is_ipv4 in [true, false] {
            let (random, now) = (&mut self.random, self.now);
            let groups = if is_ipv4 { &mut self.multicast.ipv4 } else { &mut self.multicast.ipv6 };
            let reports = groups.due(now, |longest| up_to(longest, |end| random.below(end)));
            for report in reports {
                if is_ipv4 { self.igmp_report(&report) } else { self.mld_report(&report) }
            }
        }
        let next = [self.multicast.ipv4.deadline(), self.multicast.ipv6.deadline()]
            .into_iter()
            .flatten()
            .min();
        self.arm_multicast(next);
    }

    fn arm_multicast(&mut self, next: Option<Instant>) {
        let Some(next) = next else { return };
        if self.multicast.armed.is_none_or(|armed| next < armed) {
            self.multicast.armed = Some(next);
            self.timers.arm(next, Timer::Multicast);
        }
    }

    /// Takes an IGMP packet.
    pub(crate) fn igmp_input(&mut self, frame: Frame, header: &Header) {
        let message = igmp::parse(frame.bytes().get(header.length..).unwrap_or_default());
        self.pool.put(frame);
        self.membership_input(message, true);
    }

    /// Takes an MLD packet; its checksum is right. Only what cannot have crossed a router counts
    /// (MC-07, RFC 3810 §6.2).
    pub(crate) fn mld_input(&mut self, header: &Header, frame: &Frame) {
        let is_near = matches!(header.source, IpAddr::V6(source) if source.is_unicast_link_local())
            && header.hop_limit == HOP_LIMIT
            && has_router_alert(frame.bytes());
        let message = is_near
            .then(|| mld::parse(frame.bytes().get(header.length..).unwrap_or_default()))
            .flatten();
        self.membership_input(message, false);
    }

    fn membership_input(&mut self, message: Option<Message>, is_ipv4: bool) {
        let (random, now) = (&mut self.random, self.now);
        let groups = self.multicast.groups(is_ipv4);
        match message {
            Some(Message::Query(query)) => {
                groups.query(query, now, |longest| up_to(longest, |end| random.below(end)));
            }
            Some(Message::Member(group)) => groups.heard(group, now),
            Some(Message::Other) => {}
            None => self.statistics.received_drops.malformed += 1,
        }
        self.report_groups();
    }

    fn igmp_report(&mut self, report: &Report) {
        match report {
            Report::Records(records) => {
                let fitting =
                    igmp::records_in(self.configuration.mtu, IPV4_HEADER + ROUTER_ALERT_IPV4.len())
                        .max(1);
                for piece in records.chunks(fitting) {
                    self.igmp_send(igmp::ALL_REPORTERS, &igmp::records(piece));
                }
            }
            Report::Member(version, IpAddr::V4(group)) => {
                self.igmp_send(*group, &igmp::member(*version, *group))
            }
            Report::Leave(IpAddr::V4(group)) => {
                self.igmp_send(igmp::ALL_ROUTERS, &igmp::leave(*group))
            }
            Report::Member(..) | Report::Leave(_) => {}
        }
    }

    fn igmp_send(&mut self, to: Ipv4Addr, message: &[u8]) {
        let destination = IpAddr::V4(to);
        // A station without an address says so (RFC 3376 §4.2.13).
        let source = self
            .addresses
            .source_for(destination, destination)
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let outgoing = Outgoing {
            source,
            destination,
            protocol: protocol::IGMP,
            hop_limit: HOP_LIMIT,
            traffic_class: TRAFFIC_CLASS,
        };
        let mut frame = self.pool.take(IPV4_HEADER + ROUTER_ALERT_IPV4.len() + message.len());
        header::emit(&outgoing, frame.bytes_mut());
        header::insert_ipv4_options(frame.bytes_mut(), &ROUTER_ALERT_IPV4);
        if let Some(place) = frame.bytes_mut().get_mut(IPV4_HEADER + ROUTER_ALERT_IPV4.len()..) {
            place.copy_from_slice(message);
        }
        // The link is up, and a full queue was excluded before.
        let _ = self.packet_output(frame, destination);
    }

    fn mld_report(&mut self, report: &Report) {
        match report {
            Report::Records(records) => {
                let fitting =
                    mld::records_in(self.configuration.mtu, IPV6_HEADER + ROUTER_ALERT_IPV6.len())
                        .max(1);
                for piece in records.chunks(fitting) {
                    self.mld_send(mld::ALL_REPORTERS, &mld::records(piece));
                }
            }
            Report::Member(_, IpAddr::V6(group)) => self.mld_send(*group, &mld::member(*group)),
            Report::Leave(IpAddr::V6(group)) => {
                self.mld_send(ndp::ALL_ROUTERS, &mld::leave(*group))
            }
            Report::Member(..) | Report::Leave(_) => {}
        }
    }

    fn mld_send(&mut self, to: Ipv6Addr, message: &[u8]) {
        let is_speaking =
            |address: &IpAddr| matches!(address, IpAddr::V6(own) if own.is_unicast_link_local());
        let usable = self
            .addresses
            .iter()
            .filter(|entry| entry.is_usable())
            .map(|entry| entry.prefix.address());
        // Before it has a link-local address a station speaks as nobody, for switches that listen
        // (RFC 3590 §4).
        let source =
            usable.into_iter().find(is_speaking).unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let destination = IpAddr::V6(to);
        let outgoing = Outgoing {
            source,
            destination,
            protocol: protocol::HOP_BY_HOP,
            hop_limit: HOP_LIMIT,
            traffic_class: 0,
        };
        let start = IPV6_HEADER + ROUTER_ALERT_IPV6.len();
        let mut frame = self.pool.take(start + message.len());
        header::emit(&outgoing, frame.bytes_mut());
        if let Some((alert, place)) =
            frame.bytes_mut().get_mut(IPV6_HEADER..).and_then(|rest| rest.split_first_chunk_mut())
        {
            *alert = ROUTER_ALERT_IPV6;
            place.copy_from_slice(message);
            icmp::fill_checksum(source, destination, place);
        }
        // As for IGMP.
        let _ = self.packet_output(frame, destination);
    }
}

/// True for a group of all nodes that no socket joined besides.
fn joined_not(multicast: &Multicast, group: IpAddr) -> bool {
    !multicast.ipv4.contains(group) && !multicast.ipv6.contains(group)
}

/// A time up to `longest`, never zero; `below` draws a number below another.
fn up_to(longest: Duration, below: impl FnOnce(u32) -> u32) -> Duration {
    let milliseconds = u32::try_from(longest.as_millis()).unwrap_or(u32::MAX);
    Duration::from_millis(u64::from(below(milliseconds)) + 1)
}

/// True when the packet's first header is a hop-by-hop one with a router alert.
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
