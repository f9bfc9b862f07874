//! What scripts run against: [`Simulated`](crate::simulated::Simulated), a host of ours in virtual
//! time, or [`Kernel`](crate::kernel::Kernel), Linux in real time.

use std::time::Duration;

use world::pair::byte_at;

/// The port that scripts listen at.
pub(crate) const PORT: u16 = 80;

/// What the program wrote and read of a connection: each byte depends on its place.
pub(crate) struct Pattern {
    written: u32,
    read: u32,
}

impl Pattern {
    /// A new connection's; the stream begins behind the SYN.
    pub(crate) const fn new() -> Self {
        Self { written: 1, read: 1 }
    }

    /// The next bytes to write.
    pub(crate) fn next(&self, count: u32) -> Vec<u8> {
        (0..count).map(|place| byte_at(self.written + place)).collect()
    }

    /// So many of them were written.
    pub(crate) fn wrote(&mut self, count: usize) -> Option<String> {
        self.written += count as u32;
        Some(count.to_string())
    }

    /// These bytes were read: how many, or that they are wrong.
    pub(crate) fn heard(&mut self, bytes: &[u8]) -> Option<String> {
        let is_right = (self.read..).zip(bytes).all(|(at, byte)| byte_at(at) == *byte);
        self.read += bytes.len() as u32;
        Some(if is_right { bytes.len().to_string() } else { "wrong bytes".to_owned() })
    }
}

/// A host that is tested.
pub(crate) trait Subject {
    /// The present.
    fn now(&self) -> Duration;

    /// The next packet that leaves before `until`, or none at that time.
    fn packet(&mut self, until: Duration) -> Option<Vec<u8>>;

    /// The peer's packet arrives.
    fn send(&mut self, packet: &[u8]);

    /// Makes a call, and gives its result in words.
    ///
    /// # Errors
    /// There is no such call.
    fn call(&mut self, words: &[&str]) -> Result<String, String>;
}
