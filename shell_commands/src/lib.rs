//! What people type: the shell's language, its commands, and how their answers look.
//!
//! A line enters at the top of this list and leaves at the bottom:
//!
//! | module | holds |
//! |---|---|
//! | [`arguments`] | the `devnet` program's own command line, as typed values |
//! | [`program`], [`terminal`], [`completion`] | its running modes; a person at the terminal |
//! | [`shell`] | a line → words → pipelines → running commands; jobs, redirection, variables |
//! | [`commands`] | the table of commands, and one file per noun |
//! | [`context`] | all that a command may touch: files, streams, clock, entropy, spawner |
//! | [`devices`] | how a command reaches the network: by opening device files only |
//! | [`sockets`] | sockets as opened files, for commands and services |
//! | [`http`], [`iperf`] | protocols that commands and services share |
//! | [`embedded`] | the embedded network: three hosts of our own and what they serve |
//! | [`render`] | typed answers → text; the only place with layout |
//! | [`failure`], [`status`], [`limits`] | how a command ends; every bound of this crate |
//!
//! Nothing here is beyond a guest program: every command works on opened files of the virtual file
//! system.
#![forbid(unsafe_code)]

pub mod arguments;
pub mod commands;
pub mod completion;
pub mod context;
pub mod devices;
pub mod embedded;
pub mod failure;
pub mod http;
pub mod iperf;
pub mod limits;
pub mod program;
pub mod render;
pub mod shell;
pub mod sockets;
pub mod status;
pub mod terminal;

#[cfg(test)]
mod testing;
