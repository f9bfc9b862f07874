//! Sending packets of our own: headers, the size of the path, copies for ourselves.
//!
//! [`Ip::send`] writes the header and cuts what exceeds the path into fragments; [`Ip::transmit`]
//! takes a packet that is complete, as TCP's are. Both decide once which way the packet goes and
//! hand it to the link once.

use core::net::IpAddr;

use virtual_file_system::Error;

use super::Ip;
use crate::driver::{Frame, Medium};
use crate::limits;
use crate::stack::addresses::is_node_local;
use crate::stack::context::Context;
use crate::stack::link::Hop;
use crate::stack::wire::header::{self, Extra, Outgoing};

/// How a packet is sent, beside what its header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SendOptions {
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
    /// Refuses a packet that exceeds the path's MTU instead of cutting it; routers may not cut it
    /// either (PMT-02).
    pub(crate) dont_fragment: bool,
    /// Members on this system hear what is sent to their group.
    pub(crate) multicast_loop: bool,
}

impl SendOptions {
    /// What the stack itself sends: cut if need be, and with no copy for ourselves.
    pub(crate) const INTERNAL: Self = Self {
        hop_limit: limits::HOP_LIMIT,
        traffic_class: 0,
        dont_fragment: false,
        multicast_loop: false,
    };
}

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// To a single station that is not us, by way of the next hop.
    Station,
    /// To this system, without a wire.
    Inside,
    /// To a group.
    Group,
    /// To everybody on the network.
    Broadcast,
    /// Nowhere: loopback addresses are not on this link.
    Unreachable,
    /// Nowhere: the interface is down.
    Disabled,
}

impl Ip {
    /// Writes the header and sends the packet, in fragments if it exceeds the path's MTU and
    /// `options` allow that; members of a group, or everybody, on this system get a copy (MC-12).
    ///
    /// # Errors
    /// `MessageTooLong` for what may not be cut, or what no IP packet can carry; else as
    /// [`transmit`](Self::transmit).
    pub(crate) fn send(
        &mut self,
        cx: &mut Context,
        mut frame: Frame,
        outgoing: &Outgoing,
        options: &SendOptions,
    ) -> Result<(), Error> {
        let destination = outgoing.destination;
        let way = self.way(cx, destination);
        // Nearly every packet: a single station elsewhere, and no longer than the path takes.
        if way == Way::Station
            && outgoing.hop_limit != 0
            && frame.len() <= self.path_mtu(cx, destination)
        {
            self.write_header(outgoing, options, &mut frame);
            return self.send_to_station(cx, frame, destination);
        }
        self.send_otherwise(cx, frame, outgoing, options, way)
    }

    /// As [`send`](Self::send), for what is copied, kept inside, cut or refused.
    fn send_otherwise(
        &mut self,
        cx: &mut Context,
        mut frame: Frame,
        outgoing: &Outgoing,
        options: &SendOptions,
        way: Way,
    ) -> Result<(), Error> {
        let destination = outgoing.destination;
        if self.hears_itself(cx, way, destination, options) {
            let mut copy = cx.pool.copy_of(frame.bytes());
            header::emit(outgoing, copy.bytes_mut());
            // A full queue loses the copy, and counts it.
            let _ = self.loop_back(cx, copy);
        }
        if outgoing.hop_limit == 0 {
            cx.pool.put(frame);
            return Ok(());
        }
        // What stays inside meets no MTU.
        let mtu = match way {
            Way::Inside => usize::from(u16::MAX),
            _ if cx.is_loopback() => usize::from(u16::MAX),
            _ => self.path_mtu(cx, destination),
        };
        if frame.len() <= mtu {
            self.write_header(outgoing, options, &mut frame);
            return self.hand_over(cx, frame, destination, way);
        }
        if options.dont_fragment || frame.len() > usize::from(u16::MAX) {
            cx.statistics.sent_drops.too_large += 1;
            cx.pool.put(frame);
            return Err(Error::MessageTooLong);
        }
        let identification = self.identifications.next(outgoing);
        let pieces = self.fragments(cx, &frame, outgoing, mtu, identification);
        cx.pool.put(frame);
        pieces?.into_iter().try_for_each(|piece| self.hand_over(cx, piece, destination, way))
    }

    #[inline]
    fn write_header(&self, outgoing: &Outgoing, options: &SendOptions, frame: &mut Frame) {
        let upper = frame.len().saturating_sub(header::length_for(outgoing.destination));
        // The label of a flow depends on the ports, which stand in the packet already.
        let flow_label = match outgoing.destination {
            IpAddr::V4(_) => 0,
            IpAddr::V6(_) => self.identifications.flow_label(outgoing, frame.bytes()),
        };
        let dont_fragment = options.dont_fragment;
        let extra = Extra { flow_label, dont_fragment, skip_checksum: false };
        header::write(outgoing, &extra, upper, frame.bytes_mut());
    }

    /// Sends a packet that is complete and fits the MTU towards its destination.
    ///
    /// # Errors
    /// `NetworkDown`, `NetworkUnreachable` (no route) or `NoBufferSpace`; the packet is gone and
    /// counted.
    pub(crate) fn transmit(
        &mut self,
        cx: &mut Context,
        frame: Frame,
        destination: IpAddr,
    ) -> Result<(), Error> {
        let way = self.way(cx, destination);
        self.hand_over(cx, frame, destination, way)
    }

    /// Packets go in trains, so that the last destination was a single station elsewhere is
    /// remembered while addresses stand still.
    #[inline]
    fn way(&mut self, cx: &Context, destination: IpAddr) -> Way {
        if !cx.configuration.enabled {
            return Way::Disabled;
        }
        let generation = self.host.generation();
        if self.station.get(generation, &destination).is_some() {
            return Way::Station;
        }
        let way = self.classify(cx, destination);
        if way == Way::Station {
            self.station.set(generation, destination, ());
        }
        way
    }

    fn classify(&self, cx: &Context, destination: IpAddr) -> Way {
        if cx.is_loopback() {
            // Its driver brings everything back.
            return Way::Station;
        }
        // What is meant for this system or by its loopback addresses meets no wire (IP4-01,
        // IP6-02).
        if self.is_own(destination) || is_node_local(destination) {
            return Way::Inside;
        }
        match destination {
            _ if destination.is_loopback() => Way::Unreachable,
            _ if destination.is_multicast() => Way::Group,
            IpAddr::V4(address) if self.addresses.is_broadcast(address) => Way::Broadcast,
            _ => Way::Station,
        }
    }

    #[inline]
    fn hand_over(
        &mut self,
        cx: &mut Context,
        frame: Frame,
        destination: IpAddr,
        way: Way,
    ) -> Result<(), Error> {
        let hop = match way {
            Way::Station => return self.send_to_station(cx, frame, destination),
            Way::Inside => return self.loop_back(cx, frame),
            Way::Group => Hop::Group(destination),
            Way::Broadcast => Hop::Broadcast,
            Way::Unreachable => return unreachable(cx, frame),
            Way::Disabled => {
                cx.statistics.sent_drops.disabled += 1;
                cx.pool.put(frame);
                return Err(Error::NetworkDown);
            }
        };
        self.link.send(cx, &self.addresses, frame, hop)
    }

    /// Sends a packet by way of the next hop. A medium without hardware addresses has one other
    /// end, whatever the routes say.
    #[inline]
    fn send_to_station(
        &mut self,
        cx: &mut Context,
        frame: Frame,
        destination: IpAddr,
    ) -> Result<(), Error> {
        if cx.configuration.capabilities.medium == Medium::Ip {
            self.link.queue(cx, frame);
            return Ok(());
        }
        match self.next_hop(cx, destination) {
            Some(next_hop) => self.link.send(cx, &self.addresses, frame, Hop::Neighbor(next_hop)),
            None => unreachable(cx, frame),
        }
    }

    fn hears_itself(
        &self,
        cx: &Context,
        way: Way,
        destination: IpAddr,
        options: &SendOptions,
    ) -> bool {
        match way {
            // What the loopback interface sends comes back anyway.
            Way::Group | Way::Broadcast if cx.is_loopback() => false,
            Way::Group => options.multicast_loop && self.multicast.receives(destination),
            Way::Broadcast => true,
            Way::Station | Way::Inside | Way::Unreachable | Way::Disabled => false,
        }
    }

    /// Delivers a packet to ourselves with the next turn.
    fn loop_back(&mut self, cx: &mut Context, frame: Frame) -> Result<(), Error> {
        if self.local.len() >= limits::EGRESS_QUEUE {
            cx.statistics.sent_drops.full += 1;
            cx.pool.put(frame);
            return Err(Error::NoBufferSpace);
        }
        self.local.push_back(frame);
        Ok(())
    }
}

fn unreachable(cx: &mut Context, frame: Frame) -> Result<(), Error> {
    cx.statistics.sent_drops.no_route += 1;
    cx.pool.put(frame);
    Err(Error::NetworkUnreachable)
}
