//! The Internet checksum (RFC 1071), optimized.
//!
//! smoltcp neither computes nor verifies checksums here: each packet is verified once where it
//! enters and summed once where it leaves. Pure functions; no state.

use core::net::IpAddr;

/// The one's complement sum of `bytes` in native byte order, not folded. Odd lengths are padded
/// with a zero.
fn sum(bytes: &[u8]) -> u128 {
    let (words, rest) = bytes.as_chunks::<8>();
    let (pairs, single) = words.as_chunks::<2>();
    // Two accumulators hide the latency of the carry chain.
    let (mut even, mut odd) = (0u128, 0u128);
    for [first, second] in pairs {
        even += u128::from(u64::from_ne_bytes(*first));
        odd += u128::from(u64::from_ne_bytes(*second));
    }
    for word in single {
        even += u128::from(u64::from_ne_bytes(*word));
    }
    even + odd + u128::from(tail(rest))
}

/// The sum of fewer than eight bytes. Not gathered into a word, which would be loaded before its
/// bytes have reached the cache.
fn tail(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let long = words.first().map_or(0, |word| u64::from(u32::from_ne_bytes(*word)));
    long + narrow(rest)
}

/// The same sum in 64 bits.
fn wrap(sum: u128) -> u64 {
    let (low, is_over) = ((sum >> 64) as u64).overflowing_add(sum as u64);
    low + u64::from(is_over)
}

fn fold(sum: u128) -> u16 {
    let low = wrap(sum);
    // 33 bits, 18, 17, 16: a fixed number of folds, because a data-dependent one is unpredictable.
    let word = (low >> 32) + (low & 0xffff_ffff);
    let word = (word >> 16) + (word & 0xffff);
    let word = (word >> 16) + (word & 0xffff);
    u16::from_be(((word >> 16) + (word & 0xffff)) as u16)
}

/// The checksum of `bytes`, to be stored big-endian. 0 over bytes that include a correct checksum.
pub(crate) fn of(bytes: &[u8]) -> u16 {
    !fold(sum(bytes))
}

/// The checksum of an upper-layer packet with its pseudo header (RFC 9293 §3.1, RFC 8200 §8.1). 0
/// over a packet that includes a correct checksum.
pub(crate) fn of_transport(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    packet: &[u8],
) -> u16 {
    of_parts(addresses(&source, &destination), protocol, packet.len(), 0, packet)
}

/// The sum of a short header in words of 16 bits, as narrow as the stores that may just have
/// written it: wider loads would stall until those reach the cache. In native byte order, like all
/// arguments of [`of_parts`].
pub(crate) fn narrow(header: &[u8]) -> u64 {
    let (words, rest) = header.as_chunks::<2>();
    let odd = rest.first().map_or(0, |byte| u64::from(u16::from_ne_bytes([*byte, 0])));
    words.iter().map(|word| u64::from(u16::from_ne_bytes(*word))).sum::<u64>() + odd
}

/// The sum of the two addresses of a pseudo header, which are of one family. By reference: an
/// address that was just copied is slow to load.
#[inline]
pub(crate) fn addresses(source: &IpAddr, destination: &IpAddr) -> u64 {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            of_ipv4(source.octets()) + of_ipv4(destination.octets())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            wrap(sum(&source.octets()) + sum(&destination.octets()))
        }
        // Both come from one header, or one was chosen for the other.
        _ => 0,
    }
}

/// The same from the bytes of a header that contain both.
#[inline]
pub(crate) fn addresses_in<const BYTES: usize>(pair: &[u8; BYTES]) -> u64 {
    wrap(sum(pair))
}

fn of_ipv4(octets: [u8; 4]) -> u64 {
    u64::from(u32::from_ne_bytes(octets))
}

/// The checksum of an upper-layer packet of `length` bytes whose header (of even length) has the
/// sum `header` and which carries `data`, between addresses with the sum `addresses`.
pub(crate) fn of_parts(
    addresses: u64,
    protocol: u8,
    length: usize,
    header: u64,
    data: &[u8],
) -> u16 {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be();
    let protocol = u16::from(protocol).to_be();
    let rest =
        u128::from(addresses) + u128::from(header) + u128::from(length) + u128::from(protocol);
    !fold(sum(data) + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use smoltcp::wire::checksum;

    #[test]
    fn agrees_with_an_independent_implementation_for_every_length_and_content() {
        let bytes: Vec<u8> =
            (0..2000u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for length in (0..100).chain([1459, 1460, 1999, 2000]) {
            assert_eq!(of(&bytes[..length]), !checksum::data(&bytes[..length]), "{length}");
        }
        for fill in [0x00, 0xff] {
            let same = [fill; 1501];
            assert_eq!(of(&same), !checksum::data(&same));
        }
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 255, 0, 2));
        let expected = !checksum::combine(&[
            checksum::pseudo_header(&source.into(), &destination.into(), 6.into(), 777),
            checksum::data(&bytes[..777]),
        ]);
        assert_eq!(of_transport(source.into(), destination.into(), 6, &bytes[..777]), expected);
        let v4 = [source.octets(), destination.octets()].concat();
        let (source6, destination6) =
            ([0xfd77, 1, 2, 3, 4, 5, 6, 0xffff].into(), [0xfe80, 0, 0, 0, 9, 8, 7, 6].into());
        let v6 = [Ipv6Addr::octets(&source6), Ipv6Addr::octets(&destination6)].concat();
        for length in (0..80).chain([777, 1460, 1479, 2000]) {
            let packet = &bytes[..length];
            for (source, destination, side_by_side) in [
                (source.into(), destination.into(), addresses_in::<8>(v4.first_chunk().unwrap())),
                (
                    source6.into(),
                    destination6.into(),
                    addresses_in::<32>(v6.first_chunk().unwrap()),
                ),
            ] {
                let expected = of_transport(source, destination, 6, packet);
                let (header, data) = packet.split_at(length.min(20));
                let ends = addresses(&source, &destination);
                assert_eq!(of_parts(ends, 6, length, narrow(header), data), expected, "{length}");
                assert_eq!(of_parts(side_by_side, 6, length, 0, packet), expected, "{length}");
            }
        }
    }
}
