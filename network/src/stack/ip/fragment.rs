//! Cutting packets of ours that exceed the path (RFC 791 §3.2, RFC 8200 §4.5). Upper-layer
//! checksums are in place before the cut.

use virtual_file_system::Error;

use smoltcp::wire::{Ipv4Packet, Ipv6FragmentHeader, Ipv6Packet};

use super::header::{self, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};
use crate::driver::Frame;
use crate::stack::Stack;

/// Bytes of the IPv6 fragment header.
const FRAGMENT_HEADER: usize = 8;

impl Stack {
    pub(super) fn fragment_ipv4(
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

    pub(super) fn fragment_ipv6(
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
            header::emit(
                &Outgoing { protocol: protocol::FRAGMENT, ..*outgoing },
                frame.bytes_mut(),
            );
            let mut packet = Ipv6Packet::new_unchecked(frame.bytes_mut());
            if let Some((extension, data)) =
                packet.payload_mut().split_at_mut_checked(FRAGMENT_HEADER)
            {
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
