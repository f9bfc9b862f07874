//! UDP headers as bytes (RFC 768).

use core::net::SocketAddr;

use super::checksum;
use super::header::protocol;

/// Bytes of a UDP header.
pub(crate) const UDP_HEADER: usize = 8;

/// The destination port of a packet; 0 if it is too short.
pub(crate) fn destination_port(packet: &[u8]) -> u16 {
    match packet {
        [_, _, high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

/// Writes header and data into `packet`, which is exactly as long as both.
pub(crate) fn emit(
    source: &SocketAddr,
    destination: &SocketAddr,
    data: &[u8],
    is_summed: bool,
    packet: &mut [u8],
) {
    // The length fits: longer data was refused.
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX);
    let Some((head, body)) = packet.split_first_chunk_mut::<UDP_HEADER>() else { return };
    let ([a, b], [c, d], [e, f]) =
        (source.port().to_be_bytes(), destination.port().to_be_bytes(), length.to_be_bytes());
    *head = [a, b, c, d, e, f, 0, 0];
    body.copy_from_slice(data);
    if !is_summed {
        return;
    }
    // Sums values in registers, because loading what was just written is slow (see `checksum`).
    let header = [source.port(), destination.port(), length]
        .map(|word| u64::from(word.to_be()))
        .iter()
        .sum();
    let addresses = checksum::addresses(&source.ip(), &destination.ip());
    let sum = match checksum::of_parts(addresses, protocol::UDP, usize::from(length), header, data)
    {
        // Zero means "not computed" (RFC 768).
        0 => 0xffff,
        sum => sum,
    };
    if let Some(field) = packet.get_mut(6..8) {
        field.copy_from_slice(&u16::to_be_bytes(sum));
    }
}
