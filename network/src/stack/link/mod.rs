//! Layer 2: Ethernet framing and neighbor resolution.
//!
//! [`super::ip`] passes complete packets down; frames go to the output queue, which the interface
//! hands to its driver. On media without hardware addresses this layer is only a queue. Incoming
//! frames are returned as an IP packet, an ARP message, or nothing. The network layer lends the
//! addresses of the interface.
//!
//! | file | owns |
//! |---|---|
//! | [`neighbor`] | the neighbor table, for ARP and NDP |
//! | [`resolution`] | packets that wait for a neighbor |
//! | [`arp`] | replying, learning and defending (RFC 826, RFC 5227) |
//! | [`ndp`] | the same for IPv6 (RFC 4861, RFC 4862 §5.4) |
//! | [`proxy`] | answering for addresses of others |
//! | [`tag`] | tags of VLANs (IEEE 802.1Q) |

mod arp;
mod ndp;
pub(crate) mod neighbor;
pub(crate) mod proxy;
mod resolution;
mod tag;

use alloc::collections::VecDeque;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol};

pub(crate) use self::arp::{Arp, ArpMessage};
pub(crate) use self::ndp::{Discovery, hardware_address_in};
use self::neighbor::Neighbors;
use self::proxy::Proxies;
use super::addresses::Addresses;
use super::context::Context;
use crate::address::HardwareAddress;
use crate::driver::{Frame, Medium};
use crate::limits;
use crate::trace::dropped;

/// Bytes of an Ethernet II header.
const ETHERNET_HEADER: usize = 14;
/// Bytes of a VLAN tag in it.
const VLAN_TAG: usize = 4;

/// How a packet arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Arrival {
    /// The frame was a link-layer broadcast or multicast.
    pub(crate) link_broadcast: bool,
    /// It came from the driver, not from ourselves.
    pub(crate) from_wire: bool,
    /// A raw socket took it: no ICMP error about it is sent (ICE-09).
    pub(crate) raw: bool,
}

impl Arrival {
    /// From the driver; `link_broadcast` for a link-layer broadcast or multicast.
    pub(crate) const fn from_wire(link_broadcast: bool) -> Self {
        Self { link_broadcast, from_wire: true, raw: false }
    }

    /// From ourselves.
    pub(crate) const INSIDE: Self = Self { link_broadcast: false, from_wire: false, raw: false };
}

/// The content of a frame.
#[derive(Debug)]
pub(crate) enum Received {
    /// None: dropped and counted.
    Nothing,
    /// An IP packet.
    Packet(Frame, Arrival),
    /// A parsed ARP message.
    Arp(ArpMessage),
}

/// The link-layer destination of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hop {
    /// The neighbor with this address.
    Neighbor(IpAddr),
    /// The members of a group.
    Group(IpAddr),
    /// Broadcast, on IPv4.
    Broadcast,
}

/// One interface's link layer.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) neighbors: Neighbors,
    /// Frames for the driver.
    pub(crate) output: VecDeque<Frame>,
    /// The frames that may wait there.
    pub(crate) queue_length: usize,
    /// The addresses of others that are answered for.
    pub(crate) proxies: Proxies,
}

impl Link {
    /// A link layer with an empty neighbor table.
    pub(crate) fn new(cx: &mut Context) -> Self {
        let neighbors = Neighbors::new(cx.random.u64());
        Self {
            neighbors,
            output: VecDeque::new(),
            queue_length: limits::EGRESS_QUEUE,
            proxies: Proxies::default(),
        }
    }

    /// Processes a frame from the driver.
    pub(crate) fn receive(&mut self, cx: &mut Context, mut frame: Frame) -> Received {
        cx.statistics.received_packets += 1;
        cx.statistics.received_bytes += frame.len() as u64;
        if !cx.configuration.enabled {
            dropped!(cx, InterfaceDown, "devnet::link", "a frame of {} bytes", frame.len());
            cx.pool.put(frame);
            return Received::Nothing;
        }
        if cx.configuration.capabilities.medium == Medium::Ip {
            return Received::Packet(frame, Arrival::from_wire(false));
        }
        let Ok(ethernet) = EthernetFrame::new_checked(frame.bytes()) else {
            dropped!(cx, Malformed, "devnet::link", "a frame of {} bytes", frame.len());
            cx.pool.put(frame);
            return Received::Nothing;
        };
        let (source, destination) =
            (HardwareAddress(ethernet.src_addr().0), HardwareAddress(ethernet.dst_addr().0));
        let ethertype = ethernet.ethertype();
        let to_group = !destination.is_unicast();
        if (!to_group && Some(destination) != cx.configuration.hardware_address)
            || !source.is_unicast()
        {
            dropped!(cx, NotForUs, "devnet::link", "a frame from {} to {}", source, destination);
            cx.pool.put(frame);
            return Received::Nothing;
        }
        frame.advance(ETHERNET_HEADER);
        let Some(ethertype) = tag::remove_priority_tags(&mut frame, ethertype) else {
            dropped!(cx, Malformed, "devnet::link", "a frame from {} with half a tag", source);
            cx.pool.put(frame);
            return Received::Nothing;
        };
        match ethertype {
            EthernetProtocol::Arp => self.read_arp(cx, frame),
            ethertype if is_ip(ethertype) => Received::Packet(frame, Arrival::from_wire(to_group)),
            _ => {
                dropped!(
                    cx,
                    UnknownProtocol,
                    "devnet::link",
                    "a frame from {} of the type {}",
                    source,
                    ethertype
                );
                cx.pool.put(frame);
                Received::Nothing
            }
        }
    }

    /// Sends a complete IP packet that fits the MTU. `addresses` are those of the interface:
    /// solicitations carry one of them.
    ///
    /// # Errors
    /// `NoBufferSpace` when too many packets wait for neighbors, `HostUnreachable` for an unknown
    /// neighbor while none is resolved; the packet is dropped and counted.
    #[inline]
    pub(crate) fn send(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        frame: Frame,
        hop: Hop,
    ) -> Result<(), Error> {
        if cx.configuration.capabilities.medium == Medium::Ip {
            self.queue(cx, frame);
            return Ok(());
        }
        let (hardware, ethertype) = match hop {
            Hop::Neighbor(next_hop) => match self.neighbors.sendable_address(next_hop, cx.now) {
                Some(hardware) => (hardware, ethertype_of(next_hop)),
                None => return self.resolve(cx, addresses, frame, next_hop),
            },
            Hop::Group(group) => (HardwareAddress::multicast(group), ethertype_of(group)),
            Hop::Broadcast => (HardwareAddress::BROADCAST, EthernetProtocol::Ipv4),
        };
        self.send_frame(cx, frame, hardware, ethertype);
        Ok(())
    }

    /// The interface went down: drops learned neighbors and queued frames.
    pub(crate) fn flush(&mut self) {
        self.neighbors.flush(|_, is_permanent| !is_permanent);
        self.output.clear();
        self.proxies.forget_replies();
    }

    /// Prepends an Ethernet header and queues the frame.
    pub(crate) fn send_frame(
        &mut self,
        cx: &mut Context,
        mut frame: Frame,
        destination: HardwareAddress,
        ethertype: EthernetProtocol,
    ) {
        let Some(source) = cx.configuration.hardware_address else { return cx.pool.put(frame) };
        if !frame.prepend(ETHERNET_HEADER) {
            let packet = frame;
            frame = cx.pool.copy_of(packet.bytes());
            cx.pool.put(packet);
            // A new frame has headroom.
            let _ = frame.prepend(ETHERNET_HEADER);
        }
        let mut ethernet = EthernetFrame::new_unchecked(frame.bytes_mut());
        ethernet.set_src_addr(EthernetAddress(source.0));
        ethernet.set_dst_addr(EthernetAddress(destination.0));
        ethernet.set_ethertype(ethertype);
        self.queue(cx, frame);
    }

    /// Hands a finished frame to the driver's queue. Beyond the bound it is dropped: nobody above
    /// may count on it, and those who can wait ask [`has_room`](Self::has_room) first.
    #[inline]
    pub(crate) fn queue(&mut self, cx: &mut Context, frame: Frame) {
        if self.output.len() >= self.queue_length + limits::EGRESS_QUEUE {
            dropped!(cx, OutputFull, "devnet::link", "a frame of {} bytes", frame.len());
            return cx.pool.put(frame);
        }
        self.output.push_back(frame);
    }

    /// Sends a frame that a program made, whatever is in it.
    ///
    /// # Errors
    /// `NetworkDown` while the interface is down, `InvalidInput` for a frame without the header of
    /// its medium, `MessageTooLong` for one that is longer than MTU, header and a VLAN tag.
    pub(crate) fn inject(&mut self, cx: &mut Context, bytes: &[u8]) -> Result<(), Error> {
        if !cx.configuration.enabled {
            return Err(Error::NetworkDown);
        }
        let (least, header) = match cx.configuration.capabilities.medium {
            Medium::Ethernet => (ETHERNET_HEADER, ETHERNET_HEADER + VLAN_TAG),
            Medium::Ip => (20, 0),
        };
        if bytes.len() < least {
            return Err(Error::InvalidInput);
        }
        if bytes.len() > cx.configuration.mtu + header {
            return Err(Error::MessageTooLong);
        }
        let frame = cx.pool.copy_of(bytes);
        self.queue(cx, frame);
        Ok(())
    }

    /// True when the output queue has room.
    pub(crate) fn has_room(&self) -> bool {
        self.output.len() < self.queue_length
    }
}

/// True for the protocols above this layer.
fn is_ip(ethertype: EthernetProtocol) -> bool {
    ethertype == EthernetProtocol::Ipv4
        || (cfg!(feature = "ipv6") && ethertype == EthernetProtocol::Ipv6)
}

const fn ethertype_of(address: IpAddr) -> EthernetProtocol {
    match address {
        IpAddr::V4(_) => EthernetProtocol::Ipv4,
        IpAddr::V6(_) => EthernetProtocol::Ipv6,
    }
}
