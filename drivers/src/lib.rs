//! Frames in and frames out, their controllers, and the host's clock, entropy and executor.
//!
//! Everything that touches an operating system stands here. The drivers implement
//! [`network::driver::Driver`] and are handed to a `Manager`; [`Host`] supplies the platform around
//! it.
//!
//! | module | owns |
//! |---|---|
//! | [`host`] | clock, entropy, executor; the program's standard streams as files |
//! | [`Loopback`] | a system's traffic with itself |
//! | [`cable`](fn@cable) | two ends in memory |
//! | [`lan`] | a switch in memory, with cables of any quality |
//! | [`tap`] | frames and packets to and from the Linux kernel |
//! | [`capture`] | a pcapng file around any driver |
//! | [`adapter`] | other people's drivers: smoltcp's and embassy's |
//! | [`controller_commands`] | the commands of the drivers' controllers |
//!
//! Bounds stand in [`limits`].

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
