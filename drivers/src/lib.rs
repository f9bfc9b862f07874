//! Network drivers with their controllers, and the host's clock, entropy and executor.
//!
//! All access to the operating system is here. The drivers implement
//! [`devnet_network::driver::Driver`] and are passed to a `Manager`; [`Host`] is its platform.
//!
//! | module | owns |
//! |---|---|
//! | [`host`] | clock, entropy, executor; the program's standard streams as files |
//! | [`Loopback`] | traffic of a system to itself |
//! | [`cable`](fn@cable) | a point-to-point link in memory |
//! | [`lan`] | a switch in memory, with impaired cables |
//! | [`tap`] | Ethernet frames and IP packets to and from the Linux kernel |
//! | [`capture`] | a pcapng capture around any driver |
//! | [`adapter`] | drivers of smoltcp and embassy |
//! | [`controller_commands`] | the commands of the drivers' controllers |
//!
//! Bounds are in [`limits`].

pub mod adapter;
mod cable;
pub mod capture;
mod controller;
mod counters;
#[cfg(unix)]
mod descriptor;
pub mod host;
mod impairment;
pub mod lan;
pub mod limits;
mod loopback;
#[cfg(target_os = "linux")]
pub mod tap;

pub use cable::{Cable, CableControl, CableOptions, cable};
pub use capture::Capture;
pub use controller::{DriverInformation, controller_commands};
pub use counters::DriverCounters;
pub use host::Host;
pub use impairment::{Chance, Impairment};
pub use lan::{Lan, LanPort, PortNumber};
pub use loopback::Loopback;
#[cfg(target_os = "linux")]
pub use tap::{Tap, TapKind, TapOptions};
