//! Sending packets of our own: headers, the size of the path, copies for ourselves.
//!
//! Callers fill a payload into a frame from [`Stack::packet_for`] and give it to
//! [`Stack::send_packet`], which cuts what exceeds the path into fragments, to
//! [`Stack::send_whole`], which refuses that, or with a socket's wishes to [`Stack::send_as`].

use core::net::IpAddr;

use virtual_file_system::Error;

use super::header::{self, Outgoing};
use super::ingress::is_node_local;
use crate::driver::Frame;
use crate::stack::Stack;

/// How a socket wants its datagrams to travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Manner {
    pub(crate) hop_limit: u8,
    pub(crate) traffic_class: u8,
    pub(crate) dont_fragment: bool,
    /// Members on this system hear what is sent to their group.
    pub(crate) multicast_loop: bool,
}

impl Stack {
    /// A frame with room for a header and `payload` bytes; the payload starts at
    /// [`header::length_for`] the destination.
    pub(crate) fn packet_for(&mut self, destination: IpAddr, payload: usize) -> Frame {
        self.pool.take(header::length_for(destination) + payload)
    }

    /// Writes the header and sends the packet, in fragments if it exceeds the path's MTU.
    ///
    /// # Errors
    /// As [`Stack::packet_output`]; `MessageTooLong` when no IP packet can be that large.
    pub(crate) fn send_packet(
        &mut self,
        mut frame: Frame,
        outgoing: &Outgoing,
    ) -> Result<(), Error> {
        if self.exceeds(&frame, usize::from(u16::MAX)) {
            self.pool.put(frame);
            return Err(Error::MessageTooLong);
        }
        header::emit(outgoing, frame.bytes_mut());
        self.label_flow(&mut frame, outgoing);
        let mtu = self.path_mtu(outgoing.destination);
        if frame.len() <= mtu || self.stays_inside(outgoing.destination) {
            return self.packet_output(frame, outgoing.destination);
        }
        let identification = self.identifications.next(outgoing);
        let outcome = match outgoing.destination {
            IpAddr::V4(_) => self.fragment_ipv4(&frame, outgoing, mtu, identification as u16),
            IpAddr::V6(_) => self.fragment_ipv6(&frame, outgoing, mtu, identification),
        };
        self.pool.put(frame);
        outcome
    }

    /// Writes the header and sends the packet as one: routers may not cut it either (PMT-02).
    ///
    /// # Errors
    /// As [`Stack::packet_output`]; `MessageTooLong` when it exceeds the path's MTU.
    pub(crate) fn send_whole(
        &mut self,
        mut frame: Frame,
        outgoing: &Outgoing,
    ) -> Result<(), Error> {
        let stays = self.stays_inside(outgoing.destination);
        let mtu = if stays { usize::from(u16::MAX) } else { self.path_mtu(outgoing.destination) };
        if self.exceeds(&frame, mtu) {
            self.pool.put(frame);
            return Err(Error::MessageTooLong);
        }
        header::emit(outgoing, frame.bytes_mut());
        header::forbid_fragments(frame.bytes_mut());
        self.label_flow(&mut frame, outgoing);
        self.packet_output(frame, outgoing.destination)
    }

    /// Sends a socket's packet in its manner, with a copy for the members of a group, or for
    /// everybody, on this system (MC-12).
    ///
    /// # Errors
    /// As [`send_packet`](Self::send_packet) or [`send_whole`](Self::send_whole).
    pub(crate) fn send_as(
        &mut self,
        frame: Frame,
        outgoing: &Outgoing,
        manner: &Manner,
    ) -> Result<(), Error> {
        if self.is_plain_to(outgoing.destination)
            && frame.len() <= self.path_mtu(outgoing.destination)
        {
            return self.send_plainly(frame, outgoing, manner);
        }
        if self.hears_itself(outgoing.destination, manner) {
            let mut copy = self.pool.copy_of(frame.bytes());
            header::emit(outgoing, copy.bytes_mut());
            // A full queue loses the copy, and counts it.
            let _ = self.loop_back(copy);
        }
        if outgoing.hop_limit == 0 {
            self.pool.put(frame);
            return Ok(());
        }
        if manner.dont_fragment {
            self.send_whole(frame, outgoing)
        } else {
            self.send_packet(frame, outgoing)
        }
    }

    /// True for a single station that is not us: nothing has to be copied, kept inside, or asked
    /// about what it is. Datagrams go in trains, so the answer for the last destination is kept
    /// while addresses stand still.
    pub(crate) fn is_plain_to(&mut self, destination: IpAddr) -> bool {
        let key = (destination, self.host.generation());
        if self.plain_to == Some(key) && self.configuration.enabled {
            return true;
        }
        let is_broadcast =
            matches!(destination, IpAddr::V4(address) if self.addresses.is_broadcast(address));
        let is_plain = self.configuration.enabled
            && !destination.is_multicast()
            && !destination.is_loopback()
            && !is_node_local(destination)
            && !is_broadcast
            && !self.stays_inside(destination);
        if is_plain {
            self.plain_to = Some(key);
        }
        is_plain
    }

    fn send_plainly(
        &mut self,
        mut frame: Frame,
        outgoing: &Outgoing,
        manner: &Manner,
    ) -> Result<(), Error> {
        if outgoing.hop_limit == 0 {
            self.pool.put(frame);
            return Ok(());
        }
        header::emit(outgoing, frame.bytes_mut());
        if manner.dont_fragment {
            header::forbid_fragments(frame.bytes_mut());
        }
        self.label_flow(&mut frame, outgoing);
        self.station_output(frame, outgoing.destination)
    }

    fn hears_itself(&self, destination: IpAddr, manner: &Manner) -> bool {
        // What the loopback interface sends comes back anyway, and so does what may not leave.
        if self.is_loopback() || is_node_local(destination) || !self.configuration.enabled {
            return false;
        }
        match destination {
            _ if destination.is_multicast() => {
                manner.multicast_loop && self.multicast.receives(destination)
            }
            IpAddr::V4(address) => self.addresses.is_broadcast(address),
            IpAddr::V6(_) => false,
        }
    }

    fn exceeds(&mut self, frame: &Frame, bytes: usize) -> bool {
        let exceeds = frame.len() > bytes;
        self.statistics.sent_drops.too_large += u64::from(exceeds);
        exceeds
    }

    /// What stays inside meets no MTU.
    fn stays_inside(&self, destination: IpAddr) -> bool {
        self.is_loopback() || self.is_own(destination)
    }

    /// Bytes of the largest packet that reaches this destination whole, as far as is known
    /// (IP_MTU).
    pub(crate) fn path_mtu(&self, destination: IpAddr) -> usize {
        let link = self.mtu_for(destination);
        self.path_mtus.get(destination, self.now).map_or(link, |path| path.min(link))
    }

    /// The largest packet that the link takes.
    pub(crate) fn mtu_for(&self, destination: IpAddr) -> usize {
        match (destination, self.link_mtu_ipv6) {
            (IpAddr::V6(_), Some(mtu)) => mtu.min(self.configuration.mtu),
            _ => self.configuration.mtu,
        }
    }

    /// Gives the packets of one IPv6 flow one label that nobody can predict (IP6-09, RFC 6437).
    fn label_flow(&self, frame: &mut Frame, outgoing: &Outgoing) {
        if outgoing.destination.is_ipv6() {
            let label = self.identifications.flow_label(outgoing, frame.bytes());
            header::set_flow_label(frame.bytes_mut(), label);
        }
    }
}
