//! The operating system's random bytes.

use devnet_network::platform::Entropy;

pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        getrandom::fill(buffer).map_err(|_| "the operating system gives no random bytes")
    }
}
