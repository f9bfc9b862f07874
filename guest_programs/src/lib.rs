//! Guest programs: WebAssembly that reaches the network through files, as far as it was granted.
//!
//! A guest sees the virtual file system and nothing else. What it asks for goes down this list, and
//! comes back as a number:
//!
//! | module | owns |
//! |---|---|
//! | [`program`] | bytes → a module that is ready to run |
//! | [`process`] | one running guest: run, wait, go on; its end |
//! | [`table`] | the guests that run: list, kill |
//! | `imports` | what a guest can call: module `vfs`, WASI preview 1, WasmEdge's sockets |
//! | `descriptor` | its open files by number |
//! | `guest`, `memory` | what the host keeps for it, and its memory as bytes |
//! | `namespace` | the part of the tree that it sees |
//! | `guard` | network devices with only the granted commands |
//! | `devices` | those devices without a guard, for the guard's own questions |
//! | [`grants`], `policy` | what it may, as data; whether it may do this now |
//! | `account` | sockets, buffers and bandwidth that it uses |
//! | [`limits`] | every bound |
//!
//! A thousand guests share one thread: a call that waits suspends the guest, and a guest that
//! computes gives way after a short turn. Nothing here blocks, and nothing knows an executor:
//! [`Process::run`] is a future.
//!
//! # The host's stack
//!
//! A guest's calls and values live in memory of its own, bounded by [`limits::RECURSION`] and
//! [`limits::STACK_BYTES`]. Of the host's stack wasmi takes a frame for each memory or table that a
//! guest grows, until its turn ends; [`limits::GROW_FUEL`] keeps that below 70 KiB. This holds
//! where the compiler makes jumps of wasmi's other calls, as in a release build; without
//! optimisation wasmi has a loop instead. Whoever optimises with `debug-assertions`, or builds with
//! a compiler that this was not tried with, adds wasmi's feature `portable-dispatch` to the
//! dependencies of the final program: the loop again, which computes at a quarter to two fifths of
//! the speed.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod account;
mod descriptor;
mod devices;
pub mod grants;
mod guard;
mod guest;
mod imports;
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
