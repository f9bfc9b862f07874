//! Fragmentation (RFC 791 §3.2, RFC 8200 §4.5). Upper-layer checksums are computed before.

use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;
use smoltcp::wire::{Ipv4Packet, Ipv6FragmentHeader, Ipv6Packet};

use super::Ip;
use crate::driver::{Frame, FramePool};
use crate::stack::context::Context;
use crate::stack::wire::header::{self, IPV4_HEADER, IPV6_HEADER, Outgoing, protocol};

/// Bytes of the IPv6 fragment header.
const FRAGMENT_HEADER: usize = 8;

impl Ip {
    /// The fragments of a complete packet, each no longer than `mtu`.
    ///
    /// # Errors
    /// `MessageTooLong` when not even eight bytes fit into a fragment.
    pub(super) fn fragments(
        &mut self,
        cx: &mut Context,
        whole: &Frame,
        outgoing: &Outgoing,
        mtu: usize,
        identification: u32,
    ) -> Result<Vec<Frame>, Error> {
        let (start, header) = match outgoing.destination {
            IpAddr::V4(_) => (IPV4_HEADER, IPV4_HEADER),
            IpAddr::V6(_) => (IPV6_HEADER, IPV6_HEADER + FRAGMENT_HEADER),
        };
        let payload = whole.bytes().get(start..).unwrap_or_default();
        let step = mtu.saturating_sub(header) / 8 * 8;
        if step == 0 {
            return Err(Error::MessageTooLong);
        }
        let last = payload.len().saturating_sub(1) / step;
        let piece = |(number, data): (usize, &[u8])| {
            let place = Place { offset: number * step, more: number < last, identification };
            match outgoing.destination {
                IpAddr::V4(_) => ipv4(&mut cx.pool, outgoing, data, &place),
                IpAddr::V6(_) => ipv6(&mut cx.pool, outgoing, data, &place),
            }
        };
        Ok(payload.chunks(step).enumerate().map(piece).collect())
    }
}

/// The position of a fragment.
struct Place {
    /// The offset into the payload; a packet is shorter than 65,536 bytes.
    offset: usize,
    more: bool,
    identification: u32,
}

fn ipv4(pool: &mut FramePool, outgoing: &Outgoing, data: &[u8], place: &Place) -> Frame {
    let mut frame = pool.take(IPV4_HEADER + data.len());
    if let Some(payload) = frame.bytes_mut().get_mut(IPV4_HEADER..) {
        payload.copy_from_slice(data);
    }
    header::emit(outgoing, frame.bytes_mut());
    let mut packet = Ipv4Packet::new_unchecked(frame.bytes_mut());
    packet.set_ident(place.identification as u16);
    packet.set_more_frags(place.more);
    packet.set_frag_offset(place.offset as u16);
    header::fill_ipv4_checksum(frame.bytes_mut());
    frame
}

fn ipv6(pool: &mut FramePool, outgoing: &Outgoing, data: &[u8], place: &Place) -> Frame {
    let mut frame = pool.take(IPV6_HEADER + FRAGMENT_HEADER + data.len());
    header::emit(&Outgoing { protocol: protocol::FRAGMENT, ..*outgoing }, frame.bytes_mut());
    let mut packet = Ipv6Packet::new_unchecked(frame.bytes_mut());
    if let Some((extension, payload)) = packet.payload_mut().split_at_mut_checked(FRAGMENT_HEADER) {
        if let [next_header, reserved, fields @ ..] = extension {
            *next_header = outgoing.protocol;
            *reserved = 0;
            let mut fragment = Ipv6FragmentHeader::new_unchecked(fields);
            fragment.clear_reserved();
            fragment.set_frag_offset((place.offset / 8) as u16);
            fragment.set_more_frags(place.more);
            fragment.set_ident(place.identification);
        }
        payload.copy_from_slice(data);
    }
    frame
}
