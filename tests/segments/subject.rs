//! What scripts run against: [`Simulated`](crate::simulated::Simulated), a host of ours in virtual
//! time, or [`Kernel`](crate::kernel::Kernel), Linux in real time.

use std::time::Duration;

/// The port that scripts listen at.
pub(crate) const PORT: u16 = 80;

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
