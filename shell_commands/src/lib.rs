//! The shell: its language, its commands, and the layout of their output.
//!
//! A line passes this list from top to bottom:
//!
//! | module | holds |
//! |---|---|
//! | [`arguments`] | the `devnet` program's own command line, as typed values |
//! | [`manual`] | its help, manual page and completions |
//! | [`program`], [`terminal`], [`completion`] | its modes; the interactive terminal |
//! | [`shell`] | a line → tokens → pipelines → running commands; jobs, redirection, expansion |
//! | [`commands`] | the table of commands, and one file per noun |
//! | [`context`] | everything that a command may access: files, streams, clock, entropy, spawner |
//! | [`devices`] | how a command reaches the network: by opening device files only |
//! | [`sockets`] | sockets as opened files, for commands and services |
//! | [`http`], [`iperf`] | protocols that commands and services share |
//! | [`embedded`] | the embedded network: three hosts and their services |
//! | [`render`] | typed responses → text; the only place with layout |
//! | [`shown`] | text of others, kept from controlling the terminal |
//! | [`failure`], [`status`], [`limits`] | how a command ends; every bound of this crate |
//!
//! A guest program could do the same: every command works on open files of the virtual file system.

#![cfg_attr(docsrs, feature(doc_cfg))]
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
pub mod manual;
pub mod program;
pub mod render;
pub mod shell;
pub mod shown;
pub mod sockets;
pub mod status;
pub mod terminal;

#[cfg(test)]
mod testing;
