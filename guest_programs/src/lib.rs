//! Guest programs: WebAssembly modules that reach the network through files, within their grants.
//!
//! A guest sees the virtual file system and nothing else. A call passes through this list from top
//! to bottom and returns a number:
//!
//! | module | owns |
//! |---|---|
//! | [`program`] | bytes → a validated, translated module |
//! | `bulk` | instructions that move much memory, cut into pieces that fit a turn |
//! | [`process`] | one running guest: run, suspend, resume, exit |
//! | `instance` | its memory and tables, created in steps, and given to a disposer |
//! | [`table`] | the table of running guests: list, kill |
//! | `imports` | what a guest can call: module `vfs`, WASI preview 1, WasmEdge's sockets |
//! | `descriptor` | the guest's descriptor table |
//! | `guest`, `memory` | the host's state for one guest; access to the guest's memory |
//! | `namespace` | the part of the tree that the guest sees |
//! | `guard` | network devices restricted to the granted commands |
//! | `devices` | the same devices unguarded, for the guard's own queries |
//! | [`grants`], `policy` | grants as data; decisions about single requests |
//! | `account` | sockets, buffers and bandwidth in use, and work to pay |
//! | `allocation` | memory and tables in use |
//! | [`limits`] | every bound |
//!
//! A thousand guests share one thread: a blocking call suspends the guest, and a computing guest
//! yields after a short turn. Nothing here blocks the thread or depends on an executor:
//! [`Process::run`] is a future.
//!
//! ```
//! use devnet_guest_programs::{Exit, Grants, Launch, Process, Supplies, Translator, give_way};
//! use devnet_virtual_file_system::{Credentials, Path, VirtualFileSystem, pipe};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let host = devnet_drivers::Host::new();
//! // A module that a compiler made; this one returns at once.
//! let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\
//!     \x07\x13\x02\x06_start\0\0\x06memory\x02\0\x0a\x04\x01\x02\0\x0b";
//! let program = Translator::new().translate(module)?;
//! let (input, output) = pipe(4096);
//! // What it may do; nothing is granted unless it is named.
//! let mut grants = Grants::default();
//! grants.add("allow-connect", "web.lan:80")?;
//! let supplies = Supplies::new(host.clock(), host.entropy()).started(host.started());
//! let (streams, files) = ([input, output.clone(), output], VirtualFileSystem::new());
//! let launch = Launch::new(program, streams, files, Credentials::root(), supplies)
//!     .arguments(vec!["example".into()])
//!     .grants(grants);
//! host.block_on(async {
//!     let exit = Process::new(launch).await?.run().await;
//!     assert_eq!(exit, Exit::Status(0));
//!     Ok(())
//! })
//! # }
//! ```
//!
//! The feature `std`, off by default, survives a translator that panics on a module.
//!
//! # The host's stack
//!
//! A guest's calls and values live in their own memory, bounded by [`limits::RECURSION`] and
//! [`limits::STACK_BYTES`]. On the host's stack, wasmi takes one frame for each `memory.grow` or
//! `table.grow` until the turn ends; [`limits::GROW_FUEL`] keeps that below 70 KiB. This holds if
//! the compiler turns wasmi's other calls into tail calls, as a release build does; without
//! optimisation wasmi uses a loop instead. A build that optimises with `debug-assertions`, or that
//! uses an untested compiler, must enable wasmi's feature `portable-dispatch` in the final program.
//! It selects the loop, which runs at 25 to 40 % of the speed.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod account;
mod allocation;
mod bulk;
mod descriptor;
mod devices;
pub mod grants;
mod guard;
mod guest;
mod imports;
mod instance;
pub mod limits;
mod memory;
mod namespace;
mod policy;
pub mod process;
pub mod program;
pub mod table;

pub use grants::{GrantError, Grants};
pub use guest::{Idle, Supplies, give_way};
pub use process::{Exit, Launch, Process};
pub use program::{Program, ProgramError, Translator};
pub use table::{Entry, Programs, Usage};
