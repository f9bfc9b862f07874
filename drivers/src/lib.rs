//! Network drivers with their controllers, and the host's clock, entropy and executor.
//!
//! All access to the operating system is here. The drivers implement
//! [`devnet_network::driver::Driver`] and are passed to a `Manager`; [`Host`] is its platform.
//!
//! | module | owns |
//! |---|---|
//! | [`host`] | clock, entropy, executor; the program's standard streams as files |
//! | `tokio` | tokio's runtime as a platform (feature `tokio`) |
//! | [`Loopback`] | traffic of a system to itself |
//! | [`cable`](fn@cable) | a point-to-point link in memory |
//! | [`lan`] | a switch in memory, with impaired cables |
//! | [`radio`] | simulated radios: stations and access points that share channels |
//! | [`tap`] | Ethernet frames and IP packets to and from the Linux kernel |
//! | [`capture`] | a pcapng capture around any driver |
//! | `MappingAllocator` | an allocator for programs whose guests grow |
//! | [`adapter`] | drivers of smoltcp and embassy |
//! | [`controller_commands`] | the commands of the drivers' controllers |
//!
//! Bounds are in [`limits`]. Two systems on a cable:
//!
//! ```
//! # #[cfg(not(feature = "host"))]
//! # fn main() {}
//! # #[cfg(feature = "host")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use devnet_drivers::{CableOptions, Host, cable};
//! use devnet_network::Manager;
//! use devnet_network::command::GetInterface;
//! use devnet_network::driver::LinkState;
//! use devnet_virtual_file_system::VirtualFileSystem;
//!
//! let host = Host::new();
//! let (left, right) = cable(CableOptions::default());
//! let near = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! near.register("eth0", Box::new(left), None)?;
//! let far = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! far.register("eth0", Box::new(right), None)?;
//! assert_eq!(near.execute::<GetInterface>("eth0", &()).now()?.link, LinkState::Up);
//! # Ok(())
//! # }
//! ```
//!
//! `WRITE_A_DRIVER.md` beside this crate has a complete driver for hardware of one's own.
//!
//! | feature | on by default | gives |
//! |---|---|---|
//! | `host` | yes | `Host`: clock, entropy and executor of the host, and its streams |
//! | `tap` | yes | TAP and TUN devices; needs `host` |
//! | `embassy` | yes | the adapter for embassy's drivers |
//! | `tokio` | no | tokio's runtime as the platform |

#![cfg_attr(docsrs, feature(doc_cfg))]
pub mod adapter;
mod cable;
pub mod capture;
mod controller;
mod counters;
#[cfg(all(unix, feature = "host"))]
mod descriptor;
#[cfg(any(feature = "host", feature = "tokio"))]
mod entropy;
#[cfg(feature = "host")]
pub mod host;
mod impairment;
pub mod lan;
pub mod limits;
mod loopback;
#[cfg(all(target_os = "linux", feature = "host"))]
mod mapping;
mod position;
pub mod radio;
#[cfg(all(target_os = "linux", feature = "tap"))]
pub mod tap;

mod relay;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use cable::{Cable, CableControl, CableOptions, cable};
pub use capture::Capture;
pub use controller::{DriverInformation, controller_commands};
pub use counters::DriverCounters;
#[cfg(feature = "host")]
pub use host::Host;
pub use impairment::{Chance, Impairment};
pub use lan::{Lan, LanPort, PortNumber};
pub use loopback::Loopback;
#[cfg(all(target_os = "linux", feature = "host"))]
pub use mapping::MappingAllocator;
pub use radio::{Air, Position, Radio, RadioNumber};
#[cfg(all(target_os = "linux", feature = "tap"))]
pub use tap::{Tap, TapKind, TapOptions};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
