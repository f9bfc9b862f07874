//! The protocols over IP: ICMP, TCP and datagram sockets, and the demultiplexing of packets to
//! them, if the firewall lets them pass.

#[cfg(feature = "firewall")]
mod admission;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;

use super::context::Context;
use super::counters::Counter;
use super::datagram::{Datagrams, Family, udp};
use super::icmp::notice::Notice;
use super::icmp::{Icmp, Message};
use super::ip::Ip;
use super::ip::ingress::Packet;
use super::link::Arrival;
use super::tcp::{SystemMemory, Tcp};
use super::wire::header::protocol;
use super::wire::icmp::ICMP_HEADER;
use super::wire::quote::Quote;
use crate::address::Prefix;
use crate::command::socket::SocketStatus;
use crate::driver::Frame;
use crate::limits;
use crate::trace::dropped;

/// How much of a list of sockets was made: places of the tables, and what is left.
#[derive(Debug, Default)]
pub(crate) struct SocketCursor {
    connections: usize,
    time_wait: usize,
    /// Keys of datagram sockets, once listeners were listed.
    datagrams: Option<Vec<(Family, u16)>>,
}

/// A packet for a part of the stack that packets configure.
#[derive(Debug)]
pub(crate) enum ConfigurationPacket {
    /// None: it was processed.
    Nothing,
    /// A verified UDP packet for DHCP or multicast DNS.
    Datagram(Packet),
    /// A verified neighbor discovery message.
    Discovery(Packet),
}

/// The protocols of one interface.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) icmp: Icmp,
    pub(crate) tcp: Tcp,
    pub(crate) datagrams: Datagrams,
}

impl Transport {
    /// The protocols without sockets.
    pub(crate) fn new(cx: &mut Context, memory: Arc<SystemMemory>) -> Self {
        let datagrams = Datagrams::new(cx.random.u64());
        Self { icmp: Icmp::new(cx), tcp: Tcp::new(cx, memory), datagrams }
    }

    /// The fast path: a packet of a connection or of the last datagram flow with a plain IP header.
    /// Gives back every other packet.
    pub(super) fn receive_fast(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        frame: Frame,
        arrival: Arrival,
    ) -> Result<(), Frame> {
        // Raw sockets and the firewall see every packet, so all packets take the slow path.
        if (cfg!(feature = "raw") && self.datagrams.has_raw()) || ip.firewall.is_on() {
            return Err(frame);
        }
        let Err(frame) = self.tcp.receive_fast(cx, ip, frame, arrival) else { return Ok(()) };
        if !cfg!(feature = "udp") {
            return Err(frame);
        }
        self.datagrams.receive_fast(cx, ip, frame, arrival)
    }

    /// Hands a complete packet to its protocol. `is_for_stack` tells whether a part of the stack
    /// wants a datagram to a UDP port.
    pub(super) fn receive(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        mut packet: Packet,
        is_for_stack: impl Fn(u16) -> bool,
    ) -> ConfigurationPacket {
        let is_ipv6 = packet.header.source.is_ipv6();
        #[cfg(feature = "firewall")]
        if ip.firewall.is_on() && !self.admits(cx, ip, &packet) {
            cx.pool.put(packet.frame);
            return ConfigurationPacket::Nothing;
        }
        cx.counters.count(is_ipv6, Counter::IpInDelivers);
        packet.arrival.raw = cfg!(feature = "raw") && self.datagrams.receive_raw(cx, ip, &packet);
        match (packet.header.protocol, packet.header.source) {
            #[cfg(feature = "tcp")]
            (protocol::TCP, _) => {
                self.tcp.receive(cx, ip, packet);
                return ConfigurationPacket::Nothing;
            }
            (protocol::UDP, _) => return self.receive_udp(cx, ip, packet, is_for_stack),
            (protocol::ICMP, IpAddr::V4(_)) | (protocol::ICMPV6, IpAddr::V6(_)) => {
                return self.receive_icmp(cx, ip, packet);
            }
            #[cfg(feature = "multicast")]
            (protocol::IGMP, IpAddr::V4(_)) => ip.receive_igmp(cx, &packet.frame, &packet.header),
            (protocol::NO_NEXT_HEADER, IpAddr::V6(_)) => {}
            _ if packet.arrival.raw => {}
            _ => {
                cx.counters.count(is_ipv6, Counter::IpInUnknownProtos);
                dropped!(cx, UnknownProtocol, "devnet::ip", "{}", packet.header);
                self.icmp.protocol_unreachable(cx, ip, &packet);
            }
        }
        cx.pool.put(packet.frame);
        ConfigurationPacket::Nothing
    }

    fn receive_udp(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        mut packet: Packet,
        is_for_stack: impl Fn(u16) -> bool,
    ) -> ConfigurationPacket {
        if let Some(ports) = udp::check(cx, &mut packet) {
            if is_for_stack(ports.destination) {
                // Sockets of the port hear it too.
                let is_heard = cfg!(feature = "udp")
                    && !packet.is_foreign(cx, ip)
                    && self.datagrams.receive_udp(cx, ip, &packet, ports);
                if !is_heard {
                    let is_ipv6 = packet.header.source.is_ipv6();
                    cx.counters.count(is_ipv6, Counter::UdpInDatagrams);
                }
                return ConfigurationPacket::Datagram(packet);
            }
            let (from, to) = (packet.header.source, packet.header.destination);
            if packet.is_foreign(cx, ip) {
                dropped!(cx, NotForUs, "devnet::udp", "from {} to {}", from, to);
            } else if !cfg!(feature = "udp") || !self.datagrams.receive_udp(cx, ip, &packet, ports)
            {
                cx.counters.count(from.is_ipv6(), Counter::UdpNoPorts);
                dropped!(
                    cx,
                    NoSocket,
                    "devnet::udp",
                    "from {} to {}",
                    SocketAddr::new(from, ports.source),
                    SocketAddr::new(to, ports.destination)
                );
                self.icmp.port_unreachable(cx, ip, &packet);
            }
        }
        cx.pool.put(packet.frame);
        ConfigurationPacket::Nothing
    }

    fn receive_icmp(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        packet: Packet,
    ) -> ConfigurationPacket {
        match self.icmp.receive(cx, ip, &packet) {
            Message::Nothing => {}
            Message::EchoReply if !cfg!(feature = "icmp") => {}
            Message::EchoReply => self.datagrams.receive_echo_reply(cx, &packet),
            Message::Error(quoted, notice) => {
                let quote = packet.payload().get(ICMP_HEADER..).unwrap_or_default();
                self.receive_error(cx, ip, &quoted, quote, &notice);
            }
            Message::Listener => ip.receive_mld(cx, &packet.frame, &packet.header),
            Message::Discovery => return ConfigurationPacket::Discovery(packet),
        }
        cx.pool.put(packet.frame);
        ConfigurationPacket::Nothing
    }

    /// Processes an ICMP error. It is trusted only if the quoted packet belongs to a socket
    /// (ICE-04).
    fn receive_error(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        quoted: &Quote,
        quote: &[u8],
        notice: &Notice,
    ) {
        let is_ours = match quoted.protocol {
            protocol::TCP => self.tcp.has_sent(quoted),
            _ => self.datagrams.has_sent(quoted),
        };
        if !is_ours {
            dropped!(
                cx,
                NoSocket,
                "devnet::icmp",
                "an error about a packet to {} that nobody sent",
                quoted.destination
            );
            return;
        }
        if notice.error == Error::MessageTooLong {
            let reported = usize::try_from(notice.information).unwrap_or(usize::MAX);
            if ip.lower_path_mtu(cx, quoted.destination, reported, quoted.length) {
                self.tcp.update_mss_to(cx, ip, Some(quoted.destination));
            }
        }
        self.report(cx, quoted, quote, notice);
    }

    /// Reports an error to the socket whose packet is quoted.
    fn report(&mut self, cx: &mut Context, quoted: &Quote, quote: &[u8], notice: &Notice) {
        if quoted.protocol == protocol::TCP && notice.error != Error::MessageTooLong {
            self.tcp.receive_error(cx, quoted, notice.error);
        }
        self.datagrams.report(quoted, quote, notice, &mut cx.wakes);
    }

    /// Processes a packet of ours that the link could not deliver.
    pub(super) fn undeliverable(&mut self, cx: &mut Context, frame: Frame) {
        if let Some(quoted) = Quote::parse(frame.bytes()) {
            let notice = Notice::local(Error::HostUnreachable, 0);
            self.report(cx, &quoted, frame.bytes(), &notice);
        }
        cx.pool.put(frame);
    }

    /// Handles the deadline of incomplete datagrams.
    pub(super) fn expire_reassembly(&mut self, cx: &mut Context, ip: &mut Ip) {
        for frame in ip.expire_reassembly(cx) {
            self.icmp.reassembly_time_exceeded(cx, ip, &frame);
            cx.pool.put(frame);
        }
    }

    /// Removes an address, its connected route, and the connections that use it.
    ///
    /// # Errors
    /// `AddressNotAvailable`.
    pub(super) fn remove_address(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        prefix: Prefix,
    ) -> Result<(), Error> {
        if ip.is_last(prefix) {
            // While the address and its route exist, so that RSTs reach the peers.
            self.tcp.abort_local_address(cx, ip, prefix.address());
        }
        ip.remove_address(cx, prefix)
    }

    /// The interface goes down: every socket on it ends with an error.
    pub(super) fn end(&mut self, cx: &mut Context, ip: &mut Ip) {
        self.tcp.abort_all(cx, ip);
        self.datagrams.end_all(cx);
        self.tcp.close_listeners(cx);
    }

    /// The next piece of the list of this interface's sockets; those of all interfaces are listed
    /// elsewhere. Returns it, and whether there is more.
    pub(crate) fn list_sockets(
        &self,
        interface: &str,
        cursor: &mut SocketCursor,
    ) -> (Vec<SocketStatus>, bool) {
        let mut list = Vec::new();
        let mut rest = limits::LIST_PIECE;
        let mut next = |from: &mut usize, places: usize| {
            let start = *from;
            *from = places.min(start + rest).max(start);
            rest -= *from - start;
            start..*from
        };
        let places = next(&mut cursor.connections, self.tcp.places());
        list.extend(self.tcp.connection_statuses(interface, places));
        let places = next(&mut cursor.time_wait, self.tcp.time_wait_places());
        list.extend(self.tcp.time_wait_statuses(interface, places));
        if rest == 0 {
            return (list, true);
        }
        let keys = cursor.datagrams.get_or_insert_with(|| {
            list.extend(self.tcp.listener_statuses(interface));
            self.datagrams.keys()
        });
        for key in keys.drain(keys.len().saturating_sub(rest)..) {
            list.extend(self.datagrams.statuses(key, interface));
        }
        (list, !keys.is_empty())
    }

    /// The number of connections, bindings and listeners, without TIME-WAIT.
    pub(crate) fn socket_count(&self) -> usize {
        self.tcp.count() + self.datagrams.len()
    }
}
