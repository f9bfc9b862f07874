//! Random numbers for the stack: small draws from the platform's entropy, fetched in blocks.

use alloc::sync::Arc;
use core::fmt;

use crate::platform::Entropy;

const BLOCK: usize = 256;

/// A buffered reader of the platform's entropy.
pub(crate) struct Random {
    entropy: Arc<dyn Entropy>,
    block: [u8; BLOCK],
    used: usize,
}

impl Random {
    /// Fetches the first block.
    ///
    /// # Errors
    /// The entropy source's reason.
    pub(crate) fn new(entropy: Arc<dyn Entropy>) -> Result<Self, &'static str> {
        let mut block = [0; BLOCK];
        entropy.fill(&mut block)?;
        Ok(Self { entropy, block, used: 0 })
    }

    /// The next `N` bytes. If a source fails after it worked once, the previous block is reused:
    /// sequence numbers and ports become guessable, but the system continues.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        if self.used + N > BLOCK {
            let mut sendable_address = [0; BLOCK];
            if self.entropy.fill(&mut sendable_address).is_ok() {
                self.block = sendable_address;
            }
            self.used = 0;
        }
        let mut drawn = [0; N];
        for (slot, byte) in drawn.iter_mut().zip(self.block.iter().skip(self.used)) {
            *slot = *byte;
        }
        self.used += N;
        drawn
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.bytes())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.bytes())
    }

    /// A nearly uniform number below `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        ((u64::from(self.u32()) * u64::from(end)) >> 32) as u32
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Random")
    }
}
