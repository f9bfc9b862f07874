//! Sending packets of our own: headers, fragmentation, checksums already in place.
//!
//! Callers fill a payload into a frame from [`Stack::packet_for`] and give it to [`Stack::send_packet`]. What exceeds the MTU is cut
//! into fragments (RFC 791 §3.2, RFC 8200 §4.5) unless the caller forbids it.

use core::net::IpAddr;

use smoltcp::wire::{Ipv4Packet, Ipv6FragmentHeader, Ipv6Packet};
use virtual_file_system::Error;

use super::header::{self, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use crate::driver::Frame;
use crate::stack::Stack;

/// Bytes of the IPv6 fragment header.
const FRAGMENT_HEADER: usize = 8;

impl Stack {
    /// A frame with room for a header and `payload` bytes; the payload starts at [`header::length_for`] the destination.
    pub(crate) fn packet_for(&mut self, destination: IpAddr, payload: usize) -> Frame {
        self.pool.take(header::length_for(destination) + payload)
    }

    /// Writes the header and sends the packet, in fragments if it exceeds the MTU.
    ///
    /// # Errors
    /// As [`Stack::packet_output`]; `MessageTooLong` when no IP packet can be that large.
    pub(crate) fn send_packet(&mut self, mut frame: Frame, outgoing: &Outgoing) -> Result<(), Error> {
        if frame.len() > usize::from(u16::MAX) {
            self.statistics.sent_drops.too_large += 1;
            self.pool.put(frame);
            return Err(Error::MessageTooLong);
        }
        header::emit(outgoing, frame.bytes_mut());
        let mtu = self.mtu_for(outgoing.destination);
        // What stays inside meets no MTU.
        let is_local = self.is_loopback() || self.addresses.owns(outgoing.destination);
        if frame.len() <= mtu || is_local {
            return self.packet_output(frame, outgoing.destination);
        }
        let identification = self.random.u32();
        let outcome = match outgoing.destination {
            IpAddr::V4(_) => self.fragment_ipv4(&frame, outgoing, mtu, identification as u16),
            IpAddr::V6(_) => self.fragment_ipv6(&frame, outgoing, mtu, identification),
        };
        self.pool.put(frame);
        outcome
    }

    /// The largest packet towards this destination.
    pub(crate) fn mtu_for(&self, destination: IpAddr) -> usize {
        match (destination, self.link_mtu_ipv6) {
            (IpAddr::V6(_), Some(mtu)) => mtu.min(self.configuration.mtu),
            _ => self.configuration.mtu,
        }
    }

    fn fragment_ipv4(
        &mut self,
        whole: &Frame,
        outgoing: &Outgoing,
        mtu: usize,
        identification: u16,
    ) -> Result<(), Error> {
        let payload = whole.bytes().get(IPV4_HEADER..).unwrap_or_default();
        let step = mtu.saturating_sub(IPV4_HEADER) / 8 * 8;
        if step == 0 {
            return Err(Error::MessageTooLong);
        }
        let last = payload.len().saturating_sub(1) / step;
        for (number, piece) in payload.chunks(step).enumerate() {
            let mut frame = self.pool.take(IPV4_HEADER + piece.len());
            if let Some(place) = frame.bytes_mut().get_mut(IPV4_HEADER..) {
                place.copy_from_slice(piece);
            }
            header::emit(outgoing, frame.bytes_mut());
            let mut packet = Ipv4Packet::new_unchecked(frame.bytes_mut());
            packet.set_ident(identification);
            packet.set_more_frags(number < last);
            // The offset of a packet of at most 65,535 bytes fits.
            packet.set_frag_offset((number * step) as u16);
            header::fill_ipv4_checksum(frame.bytes_mut());
            self.packet_output(frame, outgoing.destination)?;
        }
        Ok(())
    }

    fn fragment_ipv6(
        &mut self,
        whole: &Frame,
        outgoing: &Outgoing,
        mtu: usize,
        identification: u32,
    ) -> Result<(), Error> {
        let payload = whole.bytes().get(IPV6_HEADER..).unwrap_or_default();
        let step = mtu.saturating_sub(IPV6_HEADER + FRAGMENT_HEADER) / 8 * 8;
        if step == 0 {
            return Err(Error::MessageTooLong);
        }
        let last = payload.len().saturating_sub(1) / step;
        for (number, piece) in payload.chunks(step).enumerate() {
            let mut frame = self.pool.take(IPV6_HEADER + FRAGMENT_HEADER + piece.len());
            header::emit(&Outgoing { protocol: protocol::FRAGMENT, ..*outgoing }, frame.bytes_mut());
            let mut packet = Ipv6Packet::new_unchecked(frame.bytes_mut());
            if let Some((extension, data)) = packet.payload_mut().split_at_mut_checked(FRAGMENT_HEADER) {
                if let [next_header, reserved, fields @ ..] = extension {
                    *next_header = outgoing.protocol;
                    *reserved = 0;
                    let mut fragment = Ipv6FragmentHeader::new_unchecked(fields);
                    fragment.clear_reserved();
                    fragment.set_frag_offset((number * step / 8) as u16);
                    fragment.set_more_frags(number < last);
                    fragment.set_ident(identification);
                }
                data.copy_from_slice(piece);
            }
            self.packet_output(frame, outgoing.destination)?;
        }
        Ok(())
    }
}

impl Stack {
    /// The source address for a destination: the route's own, else the best of the interface (RFC 6724). On the loopback interface an
    /// address of ours speaks for itself.
    ///
    /// # Errors
    /// `NetworkDown`; `NetworkUnreachable` without a route; `AddressNotAvailable` without an address of the family.
    pub(crate) fn source_for(&self, destination: IpAddr) -> Result<IpAddr, Error> {
        if !self.configuration.enabled {
            return Err(Error::NetworkDown);
        }
        if self.addresses.owns(destination) || (self.is_loopback() && self.host.owns(destination)) {
            return Ok(destination);
        }
        let to_everybody = destination.is_multicast()
            || matches!(destination, IpAddr::V4(address) if self.addresses.is_broadcast(address));
        let next_hop = match self.routes.find(destination) {
            Some(route) => {
                if let Some(source) = route.source.filter(|source| self.addresses.owns(*source)) {
                    return Ok(source);
                }
                route.gateway.unwrap_or(destination)
            }
            None if to_everybody || self.configuration.capabilities.medium == crate::driver::Medium::Ip => destination,
            None => return Err(Error::NetworkUnreachable),
        };
        self.addresses.source_for(destination, next_hop).ok_or(Error::AddressNotAvailable)
    }

    /// Which route a packet from here takes.
    ///
    /// # Errors
    /// `NetworkUnreachable`.
    pub(crate) fn explain(
        &self,
        destination: IpAddr,
        source: IpAddr,
    ) -> Result<crate::command::route::RouteChoice, Error> {
        let is_own = self.addresses.owns(destination) || (self.is_loopback() && self.host.owns(destination));
        let route = self.routes.find(destination).filter(|_| !is_own);
        if route.is_none()
            && !is_own
            && !destination.is_multicast()
            && self.configuration.capabilities.medium != crate::driver::Medium::Ip
        {
            return Err(Error::NetworkUnreachable);
        }
        Ok(crate::command::route::RouteChoice {
            destination,
            interface: self.configuration.name.clone(),
            gateway: route.and_then(|route| route.gateway),
            source,
            route: route.map(|route| self.route_entry(route)),
        })
    }
}
