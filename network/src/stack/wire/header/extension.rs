//! The extension headers of IPv6 (RFC 8200 §4): walking the chain, and what is wrong with it.
//!
//! The header parser calls it; pure functions over bytes.

use smoltcp::wire::{Ipv6ExtHeader, Ipv6FragmentHeader};

use super::{Fragment, Header, IPV6_HEADER, Malformed, PAYLOAD_MAXIMUM, protocol};

/// Follows the chain of extension headers (RFC 8200 §4) up to the upper layer or the first fragment
/// header.
pub(super) fn walk(bytes: &[u8], header: &mut Header) -> Result<(), Malformed> {
    // The offset of the current Next Header field, for the pointer of an error.
    let mut pointer = 6u32;
    loop {
        let rest = bytes.get(header.length..).ok_or(Malformed::Format)?;
        let here = header.length as u32;
        match header.protocol {
            protocol::HOP_BY_HOP if header.length != IPV6_HEADER => {
                return Err(Malformed::Parameter { code: 1, pointer, multicast_too: false });
            }
            protocol::HOP_BY_HOP | protocol::DESTINATION_OPTIONS => {
                let extension = Ipv6ExtHeader::new_checked(rest).map_err(|_| Malformed::Format)?;
                check_ipv6_options(extension.payload(), here + 2)?;
                header.protocol = extension.next_header().into();
                header.length += (usize::from(extension.header_len()) + 1) * 8;
            }
            protocol::ROUTING => {
                let extension = Ipv6ExtHeader::new_checked(rest).map_err(|_| Malformed::Format)?;
                // We are never an intermediate hop: segments left must be zero (RFC 8200 §4.4, RFC
                // 5095).
                match extension.payload() {
                    [_, 0, ..] => {}
                    [_, _, ..] => {
                        return Err(Malformed::Parameter {
                            code: 0,
                            pointer: here + 2,
                            multicast_too: false,
                        });
                    }
                    _ => return Err(Malformed::Format),
                }
                header.protocol = extension.next_header().into();
                header.length += (usize::from(extension.header_len()) + 1) * 8;
            }
            protocol::FRAGMENT => {
                let next_header = *rest.first().ok_or(Malformed::Format)?;
                let fields =
                    Ipv6FragmentHeader::new_checked(rest.get(2..8).ok_or(Malformed::Format)?)
                        .map_err(|_| Malformed::Format)?;
                header.protocol = next_header;
                header.length += 8;
                let fragment = Fragment {
                    identification: fields.ident(),
                    offset: usize::from(fields.frag_offset()) * 8,
                    more: fields.more_frags(),
                };
                // An atomic fragment is a whole packet (RFC 6946).
                if fragment.offset != 0 || fragment.more {
                    header.fragment = Some(fragment);
                    let data = bytes.get(header.length..).unwrap_or_default();
                    return check_fragment(header.protocol, fragment, data, here);
                }
            }
            _ => return Ok(()),
        }
        pointer = here;
    }
}

/// Refuses fragments that no sender may send (RFC 8200 §4.5): of a length that is no multiple of
/// eight, beyond the largest datagram, and a first one without all headers (RFC 7112 §5). `here` is
/// the offset of the fragment header.
fn check_fragment(next: u8, fragment: Fragment, data: &[u8], here: u32) -> Result<(), Malformed> {
    const LENGTH: u32 = 4;
    let refused = |code, pointer| Err(Malformed::Parameter { code, pointer, multicast_too: false });
    match fragment {
        Fragment { more: true, .. } if !data.len().is_multiple_of(8) => refused(0, LENGTH),
        Fragment { offset, .. } if offset + data.len() > PAYLOAD_MAXIMUM => refused(0, here + 2),
        Fragment { offset: 0, .. } if !has_upper_layer(next, data) => refused(3, 0),
        _ => Ok(()),
    }
}

/// True when the chain of headers ends inside the data, with the whole header of the upper layer.
fn has_upper_layer(mut next: u8, mut data: &[u8]) -> bool {
    loop {
        let least = match next {
            protocol::NO_NEXT_HEADER => 0,
            protocol::TCP => 20,
            protocol::UDP | protocol::ICMPV6 => 8,
            protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::DESTINATION_OPTIONS
            | protocol::FRAGMENT => {
                let [following, units, ..] = data else { return false };
                let units = if next == protocol::FRAGMENT { 0 } else { usize::from(*units) };
                let Some(rest) = data.get((units + 1) * 8..) else { return false };
                (next, data) = (*following, rest);
                continue;
            }
            _ => 1,
        };
        return data.len() >= least;
    }
}

/// Skips known options; the upper two bits of an unknown type decide what happens (RFC 8200 §4.2).
fn check_ipv6_options(mut options: &[u8], mut position: u32) -> Result<(), Malformed> {
    const PAD_1: u8 = 0;
    const PAD_N: u8 = 1;
    const ROUTER_ALERT: u8 = 5;
    loop {
        let taken = match options {
            [] => return Ok(()),
            [PAD_1, ..] => 1,
            [kind, length, ..] => {
                if !matches!(*kind, PAD_N | ROUTER_ALERT) {
                    match kind >> 6 {
                        0 => {}
                        1 => return Err(Malformed::Silent),
                        action => {
                            return Err(Malformed::Parameter {
                                code: 2,
                                pointer: position,
                                multicast_too: action == 2,
                            });
                        }
                    }
                }
                usize::from(*length) + 2
            }
            _ => return Err(Malformed::Format),
        };
        options = options.get(taken..).ok_or(Malformed::Format)?;
        position += taken as u32;
    }
}
