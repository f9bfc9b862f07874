//! A test's own end of a device: packets go in and out as bytes.

use devnet_network::driver::{Driver, FramePool};

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

/// The Internet checksum of parts as one.
#[must_use]
pub fn checksum(parts: &[&[u8]]) -> u16 {
    crate::packet::sum(&parts.concat(), 0)
}
