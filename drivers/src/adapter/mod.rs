//! Adapters for drivers of other ecosystems.
//!
//! [`SmoltcpDevice`] takes any `smoltcp::phy::Device`, which has no wakers: its owner calls an
//! [`AdapterWaker`], or a file descriptor becomes ready. [`EmbassyDriver`] takes any
//! `embassy_net_driver::Driver`, which wakes tasks itself. Both copy each frame once, because those
//! traits lend buffers and do not transfer them.

#[cfg(feature = "embassy")]
mod embassy;
mod smoltcp;

#[cfg(feature = "embassy")]
pub use self::embassy::EmbassyDriver;
pub use self::smoltcp::{AdapterWaker, SmoltcpDevice};
