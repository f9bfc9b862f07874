//! A test's own end of a device: packets go in and out as bytes.

use network::driver::{Driver, FramePool};

/// The next frame that came, if there is one.
pub fn take(end: &mut impl Driver, pool: &mut FramePool) -> Option<Vec<u8>> {
    let frame = end.receive(pool)?;
    let bytes = frame.bytes().to_vec();
    pool.put(frame);
    if let Some(waker) = end.flush() {
        waker.wake();
    }
    Some(bytes)
}

/// Sends a frame; false if there is no room for it.
pub fn put(end: &mut impl Driver, pool: &mut FramePool, bytes: &[u8]) -> bool {
    let frame = pool.copy_of(bytes);
    let refused = end.transmit(frame, pool).err();
    let is_sent = refused.is_none();
    refused.into_iter().for_each(|frame| pool.put(frame));
    if let Some(waker) = end.flush() {
        waker.wake();
    }
    is_sent
}

/// The one's complement sum of 16-bit words, by the book (RFC 1071 §4.1).
#[must_use]
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let bytes: Vec<u8> = parts.concat();
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
