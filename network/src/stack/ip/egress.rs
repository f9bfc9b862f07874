//! Sending packets: headers, path MTU, local copies.
//!
//! [`Ip::send`] writes the header and fragments packets that exceed the path MTU; [`Ip::transmit`]
//! takes complete packets, such as TCP's. Both choose the way of the packet once and pass it to the
//! link once.

use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::Ip;
use super::multipath::FlowKey;
use crate::command::option::PathMtuDiscovery;
use crate::driver::{Frame, Medium};
use crate::limits;
use crate::stack::addresses::is_node_local;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::link::Hop;
use crate::stack::wire::header::{self, Extra, Outgoing};
use crate::trace::dropped;

/// How a packet is sent, apart from the fields of its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SendOptions {
    /// None for the interface's default.
    pub(crate) hop_limit: Option<u8>,
    pub(crate) traffic_class: u8,
    /// Who may fragment the packet, and whether the path MTU counts (PMT-02).
    pub(crate) discovery: PathMtuDiscovery,
    /// Members on this system receive what is sent to their group.
    pub(crate) multicast_loop: bool,
}

impl SendOptions {
    /// For packets of the stack itself: fragmented if needed, without local copies.
    pub(crate) const INTERNAL: Self = Self {
        hop_limit: None,
        traffic_class: 0,
        discovery: PathMtuDiscovery::Never,
        multicast_loop: false,
    };
}

/// The way of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum DeliveryMode {
    /// Unicast to another host, by the next hop.
    Unicast,
    /// To this system.
    Local,
    /// Multicast.
    Multicast,
    /// Broadcast.
    Broadcast,
    /// None: loopback addresses are not on this link.
    Unreachable,
    /// None: the interface is down.
    Disabled,
}

impl DeliveryMode {
    /// True when the driver gets the packet.
    const fn is_on_link(self) -> bool {
        matches!(self, Self::Unicast | Self::Multicast | Self::Broadcast)
    }
}

impl Ip {
    /// Writes the header and sends the packet, in fragments if it exceeds the path MTU and
    /// `options` allow that. Local members of a multicast group, and local sockets for broadcasts,
    /// get a copy (MC-12).
    ///
    /// # Errors
    /// `MessageTooLong` for a packet that may not be fragmented, or that exceeds the IP length
    /// field; `PermissionDenied` for one that the firewall drops; else as
    /// [`transmit`](Self::transmit).
    pub(crate) fn send(
        &mut self,
        cx: &mut Context,
        mut frame: Frame,
        outgoing: &Outgoing,
        options: &SendOptions,
    ) -> Result<(), Error> {
        let destination = outgoing.destination;
        let mode = self.delivery_mode(cx, destination);
        if self.firewall.is_on() {
            return self.send_filtered(cx, frame, outgoing, options, mode);
        }
        // Nearly every packet: unicast to another host, within the path MTU.
        if mode == DeliveryMode::Unicast
            && outgoing.hop_limit != 0
            && frame.len() <= self.mtu_for(cx, destination, options.discovery)
        {
            self.write_header(outgoing, options, &mut frame);
            return self.send_unicast(cx, frame, destination);
        }
        self.send_slow(cx, frame, outgoing, options, mode)
    }

    /// Like [`send`](Self::send), for packets that are copied, local, fragmented or rejected.
    fn send_slow(
        &mut self,
        cx: &mut Context,
        mut frame: Frame,
        outgoing: &Outgoing,
        options: &SendOptions,
        mode: DeliveryMode,
    ) -> Result<(), Error> {
        let destination = outgoing.destination;
        if self.hears_itself(cx, mode, destination, options) {
            let mut copy = cx.pool.copy_of(frame.bytes());
            header::emit(outgoing, copy.bytes_mut());
            // A full queue drops the copy and counts it.
            let _ = self.loop_back(cx, copy);
        }
        if outgoing.hop_limit == 0 {
            cx.pool.put(frame);
            return Ok(());
        }
        // Local packets have no MTU.
        let mtu = match mode {
            DeliveryMode::Local => usize::from(u16::MAX),
            _ if cx.is_loopback() => usize::from(u16::MAX),
            _ => self.mtu_for(cx, destination, options.discovery),
        };
        if frame.len() <= mtu {
            self.write_header(outgoing, options, &mut frame);
            return self.hand_over(cx, frame, destination, mode);
        }
        if options.discovery.fails_beyond() || frame.len() > usize::from(u16::MAX) {
            cx.counters.count(destination.is_ipv6(), Counter::IpFragFails);
            dropped!(
                cx,
                TooLarge,
                "devnet::ip",
                "{} bytes to {}, {} fit",
                frame.len(),
                destination,
                mtu
            );
            cx.pool.put(frame);
            return Err(Error::MessageTooLong);
        }
        let identification = self.identifications.next(outgoing);
        let pieces = self.fragments(cx, &frame, outgoing, mtu, identification);
        cx.pool.put(frame);
        let pieces = pieces?;
        let (is_ipv6, count) = (destination.is_ipv6(), pieces.len() as u64);
        cx.counters.count(is_ipv6, Counter::IpFragOks);
        cx.counters.add(is_ipv6, Counter::IpFragCreates, count);
        pieces.into_iter().try_for_each(|piece| self.hand_over(cx, piece, destination, mode))
    }

    /// Bytes of the longest packet that leaves in one piece.
    pub(crate) fn mtu_for(
        &self,
        cx: &Context,
        destination: IpAddr,
        discovery: PathMtuDiscovery,
    ) -> usize {
        match discovery {
            PathMtuDiscovery::Probe => self.link_mtu(cx, destination),
            _ => self.path_mtu(cx, destination),
        }
    }

    #[inline]
    fn write_header(&self, outgoing: &Outgoing, options: &SendOptions, frame: &mut Frame) {
        let upper = frame.len().saturating_sub(header::length_for(outgoing.destination));
        // The flow label depends on the ports, which are already in the packet.
        let flow_label = match outgoing.destination {
            IpAddr::V4(_) => 0,
            IpAddr::V6(_) => self.identifications.flow_label(outgoing, frame.bytes()),
        };
        let dont_fragment = options.discovery != PathMtuDiscovery::Never;
        let extra = Extra { flow_label, dont_fragment, skip_checksum: false };
        header::write(outgoing, &extra, upper, frame.bytes_mut());
    }

    /// Sends a complete packet that fits the MTU.
    ///
    /// # Errors
    /// `NetworkDown`, `NetworkUnreachable` (no route), `NoBufferSpace` or, of the firewall,
    /// `PermissionDenied`; the packet is dropped and counted.
    pub(crate) fn transmit(
        &mut self,
        cx: &mut Context,
        frame: Frame,
        destination: IpAddr,
    ) -> Result<(), Error> {
        let mode = self.delivery_mode(cx, destination);
        if self.firewall.is_on() {
            return self.transmit_filtered(cx, frame, destination, mode);
        }
        self.hand_over(cx, frame, destination, mode)
    }

    /// As [`send`](Self::send), through the firewall, which sees the header.
    #[cold]
    #[inline(never)]
    fn send_filtered(
        &mut self,
        cx: &mut Context,
        mut frame: Frame,
        outgoing: &Outgoing,
        options: &SendOptions,
        mode: DeliveryMode,
    ) -> Result<(), Error> {
        if mode.is_on_link() && frame.len() <= usize::from(u16::MAX) {
            self.write_header(outgoing, options, &mut frame);
            frame = self.filter_output(cx, frame)?;
        }
        self.send_slow(cx, frame, outgoing, options, mode)
    }

    /// As [`transmit`](Self::transmit), through the firewall.
    #[cold]
    #[inline(never)]
    fn transmit_filtered(
        &mut self,
        cx: &mut Context,
        mut frame: Frame,
        destination: IpAddr,
        mode: DeliveryMode,
    ) -> Result<(), Error> {
        if mode.is_on_link() {
            frame = self.filter_output(cx, frame)?;
        }
        self.hand_over(cx, frame, destination, mode)
    }

    /// Packets come in bursts: caches that the last destination is unicast and remote, for as long
    /// as addresses do not change.
    #[inline]
    fn delivery_mode(&mut self, cx: &Context, destination: IpAddr) -> DeliveryMode {
        if !cx.configuration.enabled {
            return DeliveryMode::Disabled;
        }
        let generation = self.host.generation();
        if self.unicast_cache.get(generation, &destination).is_some() {
            return DeliveryMode::Unicast;
        }
        let mode = self.classify(cx, destination);
        if mode == DeliveryMode::Unicast {
            self.unicast_cache.set(generation, destination, ());
        }
        mode
    }

    fn classify(&self, cx: &Context, destination: IpAddr) -> DeliveryMode {
        if cx.is_loopback() {
            // The loopback driver returns every packet.
            return DeliveryMode::Unicast;
        }
        // Packets to this system or with loopback addresses never reach the driver (IP4-01,
        // IP6-02).
        if self.is_own(destination) || is_node_local(destination) {
            return DeliveryMode::Local;
        }
        match destination {
            _ if destination.is_loopback() => DeliveryMode::Unreachable,
            _ if destination.is_multicast() => DeliveryMode::Multicast,
            IpAddr::V4(address) if self.addresses.is_broadcast(address) => DeliveryMode::Broadcast,
            _ => DeliveryMode::Unicast,
        }
    }

    #[inline]
    fn hand_over(
        &mut self,
        cx: &mut Context,
        frame: Frame,
        destination: IpAddr,
        mode: DeliveryMode,
    ) -> Result<(), Error> {
        let hop = match mode {
            DeliveryMode::Unicast => return self.send_unicast(cx, frame, destination),
            DeliveryMode::Local => return self.loop_back(cx, frame),
            DeliveryMode::Multicast => Hop::Group(destination),
            DeliveryMode::Broadcast => Hop::Broadcast,
            DeliveryMode::Unreachable => {
                return unreachable(cx, frame, destination, Error::NetworkUnreachable);
            }
            DeliveryMode::Disabled => {
                cx.counters.count(destination.is_ipv6(), Counter::IpOutDiscards);
                dropped!(cx, LinkDown, "devnet::ip", "a packet to {}", destination);
                cx.pool.put(frame);
                return Err(Error::NetworkDown);
            }
        };
        self.link.send(cx, &self.addresses, frame, hop)
    }

    /// Sends a packet to the next hop. A medium without hardware addresses has one peer, whatever
    /// the routes say.
    #[inline]
    fn send_unicast(
        &mut self,
        cx: &mut Context,
        frame: Frame,
        destination: IpAddr,
    ) -> Result<(), Error> {
        if cx.configuration.capabilities.medium == Medium::Ip {
            self.link.queue(cx, frame);
            return Ok(());
        }
        match self.next_hop(cx, destination, FlowKey::Packet(frame.bytes())) {
            Ok(next_hop) => self.link.send(cx, &self.addresses, frame, Hop::Neighbor(next_hop)),
            Err(why) => unreachable(cx, frame, destination, why),
        }
    }

    fn hears_itself(
        &self,
        cx: &Context,
        mode: DeliveryMode,
        destination: IpAddr,
        options: &SendOptions,
    ) -> bool {
        match mode {
            // The loopback interface returns what it sends anyway.
            DeliveryMode::Multicast | DeliveryMode::Broadcast if cx.is_loopback() => false,
            DeliveryMode::Multicast => {
                options.multicast_loop && self.multicast.receives(destination)
            }
            DeliveryMode::Broadcast => true,
            DeliveryMode::Unicast
            | DeliveryMode::Local
            | DeliveryMode::Unreachable
            | DeliveryMode::Disabled => false,
        }
    }

    /// Delivers a packet to ourselves with the next poll.
    pub(super) fn loop_back(&mut self, cx: &mut Context, frame: Frame) -> Result<(), Error> {
        if self.local.len() >= limits::EGRESS_QUEUE {
            let is_ipv6 = header::is_ipv6(frame.bytes());
            cx.counters.count(is_ipv6, Counter::IpOutDiscards);
            dropped!(cx, OutputFull, "devnet::ip", "a packet to ourselves");
            cx.pool.put(frame);
            return Err(Error::NoBufferSpace);
        }
        self.local.push_back(frame);
        Ok(())
    }
}

fn unreachable(
    cx: &mut Context,
    frame: Frame,
    destination: IpAddr,
    why: Error,
) -> Result<(), Error> {
    cx.counters.count(destination.is_ipv6(), Counter::IpOutNoRoutes);
    dropped!(cx, NoRoute, "devnet::ip", "a packet to {}", destination);
    cx.pool.put(frame);
    Err(why)
}
