//! Other people's drivers behind our seam, so that their ecosystems' devices work.
//!
//! [`SmoltcpDevice`] takes any `smoltcp::phy::Device`, which knows nothing of tasks: its owner
//! rings an [`AdapterWaker`], or a file descriptor does. [`EmbassyDriver`] takes any
//! `embassy_net_driver::Driver`, which wakes by itself. Both copy each frame once, because those
//! traits lend buffers instead of giving them away.

mod embassy;
mod smoltcp;

pub use self::embassy::EmbassyDriver;
pub use self::smoltcp::{AdapterWaker, SmoltcpDevice};
