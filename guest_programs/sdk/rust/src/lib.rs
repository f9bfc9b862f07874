//! Files, sockets and commands of devnet, for guest programs: `no_std`, over module `vfs`.
//!
//! | module | owns |
//! |---|---|
//! | [`file`](mod@file) | an open file or device: data, commands as text and typed, readiness |
//! | [`stream`], [`datagram`] | sockets, which are files too |
//! | [`name`] | names → addresses |
//! | [`process`] | arguments, time, random bytes, output, exit |
//! | [`call`] | the imports themselves; the only unsafe code |
//! | `runtime` | entry, panic handler and allocator, with the feature of that name |
//!
//! Commands are the system's own: [`command`] is its table, so the compiler checks
//! `device.control::<command::SetEnabled>(&true)`, and a new command of the system is available
//! here without a change. Errors are the system's [`Error`].
//!
//! A program without the standard library, for `wasm32-unknown-unknown`:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//! use devnet_guest::{Result, TcpStream, say};
//!
//! devnet_guest::main!(run);
//!
//! fn run() -> Result<()> {
//!     let stream = TcpStream::connect_name("web.lan", 80)?;
//!     say!("connected to {}", stream.remote_address()?);
//!     Ok(())
//! }
//! ```
//!
//! With the standard library (`wasm32-wasip1`) disable the default features: the standard library
//! then provides entry, panic handler and allocator. This crate has no global state: a value holds
//! a descriptor, and dropping the value closes it.

#![no_std]

extern crate alloc;

pub mod call;
pub mod datagram;
pub mod file;
#[cfg(feature = "embedded-io")]
mod io;
pub mod name;
pub mod process;
#[cfg(feature = "runtime")]
mod runtime;
pub mod stream;

pub use datagram::{IcmpSocket, UdpSocket};
pub use file::{File, Watch, poll};
pub use name::lookup;
pub use devnet_commands::address::{HardwareAddress, Prefix};
pub use devnet_commands::command;
pub use devnet_commands::command::socket::{Direction, SocketKind, SocketOption};
pub use process::Main;
pub use stream::{TcpListener, TcpStream};
pub use devnet_virtual_file_system::{
    ControlCommand, Error, Identifier, NodeKind, OpenFlags, Readiness, Result,
};

#[doc(hidden)]
pub use alloc::format as format_text;
