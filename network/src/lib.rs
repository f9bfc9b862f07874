//! The core of devnet: network interfaces as character devices, each with its own stack.
//!
//! A [`Manager`] registers interfaces. Each gets a stack, a runner and a control device that is
//! mounted under `/devices/network`. Programs use it by opened files and the commands of
//! [`command`]; Rust programs may also use the sockets of [`socket`] directly.
//!
//! A request passes through these modules from top to bottom:
//!
//! | module | owns |
//! |---|---|
//! | [`command`] | the vocabulary: one table of typed commands, and their text form |
//! | `control` | the character device: an open file's modes, authority, what each command does |
//! | [`socket`] | asynchronous sockets, and the resolver as a program over them |
//! | [`manager`] | registers interfaces and wires the parts above and below |
//! | [`io_free`] | the same system without an executor |
//! | `interfaces` | all interfaces, and the choice among them by route |
//! | `watcher` | events from interfaces to files that watch |
//! | `interface`, `runner` | the one lock around a stack and its driver, and the only loop |
//! | `seat` | what a socket holds of an account, until its connection is gone |
//! | `signal` | blocks a thread, for those who have threads |
//! | `stack` | one interface's synchronous state: link, IP, TCP, datagrams, DHCP, timers |
//! | [`driver`] | the driver interface |
//! | [`platform`] | time, randomness and tasks, supplied by the embedder |
//! | `trace` | what happened to a packet, for `log` and `defmt` |
//! | [`limits`] | every bound |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod address;
pub mod command;
mod control;
pub mod dhcp_message;
pub mod dns_message;
pub mod driver;
mod interface;
mod interfaces;
pub mod io_free;
pub mod limits;
pub mod manager;
mod mount;
pub mod platform;
mod runner;
mod seat;
#[cfg(feature = "std")]
mod signal;
pub mod socket;
mod stack;
mod trace;
mod watcher;
mod words;
mod zone;

pub use self::control::OpenFile;
pub use self::manager::{Manager, ManagerError, Platform};
pub use self::seat::Seat;
#[cfg(feature = "blocking")]
pub use self::socket::blocking;
pub use self::socket::{
    DatagramSocket, IcmpSocket, Lookup, Message, MessageInfo, RawSocket, Remote, Resolver, Sockets,
    TcpListener, TcpReadHalf, TcpSettings, TcpStream, TcpWriteHalf, ToRemote, UdpSocket,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
