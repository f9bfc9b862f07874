//! The shell: its language, its commands, and the layout of their output.
//!
//! A line passes this list from top to bottom:
//!
//! | module | holds |
//! |---|---|
//! | [`arguments`] | the `devnet` program's own command line, as typed values |
//! | [`manual`] | its help, manual page and completions |
//! | [`program`], [`terminal`], [`completion`] | its modes; the interactive terminal |
//! | [`remote`] | the shell by telnet and on a serial line |
//! | [`window`] | the size of a terminal |
//! | [`shell`] | a line → tokens → pipelines → running commands; jobs, redirection, expansion |
//! | [`commands`] | the table of commands, and one file per noun |
//! | [`context`] | everything that a command may access: files, streams, clock, entropy, spawner |
//! | [`devices`] | how a command reaches the network: by opening device files only |
//! | [`sockets`] | sockets as opened files, for commands and services |
//! | [`http`], [`iperf`] | protocols that commands and services share |
//! | [`dashboard`] | the page that shows the running stack |
//! | [`embedded`] | the embedded network: three hosts and their services |
//! | [`render`] | typed responses → text; the only place with layout |
//! | [`shown`] | text of others, kept from controlling the terminal |
//! | [`typed`] | commands of devices whose types are known, as JSON |
//! | [`failure`], [`status`], [`limits`] | how a command ends; every bound of this crate |
//!
//! A guest program could do the same: every command works on open files of the virtual file system.
//!
//! ```
//! use devnet_drivers::Host;
//! use devnet_shell_commands::context::{Files, Platform, Stream, Streams};
//! use devnet_shell_commands::shell::Shell;
//! use devnet_virtual_file_system::{Credentials, VirtualFileSystem, pipe};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::new();
//! let platform = Platform::of(&host);
//! let (reader, writer) = pipe(4096);
//! let streams = Streams {
//!     input: Stream::new(reader.clone(), "input"),
//!     output: Stream::new(writer.clone(), "output"),
//!     error: Stream::new(writer, "error"),
//! };
//! // The devices of a `Manager` appear in the same tree.
//! let files = Files::new(VirtualFileSystem::new(), Credentials::root())?;
//! let mut shell = Shell::new(files, streams, platform);
//! host.block_on(async {
//!     shell.run("echo hello > /greeting; wc -c /greeting").await;
//!     let mut buffer = [0; 64];
//!     let count = reader.read(&mut buffer).await?;
//!     assert_eq!(&buffer[..count], b"6 /greeting\n");
//!     Ok(())
//! })
//! # }
//! ```
//!
//! The crate has no features; the `devnet` program is its binary.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod arguments;
pub mod commands;
pub mod completion;
pub mod context;
pub mod dashboard;
pub mod devices;
pub mod embedded;
pub mod failure;
pub mod http;
pub mod iperf;
pub mod limits;
pub mod link;
pub mod manual;
mod null;
pub mod program;
pub mod remote;
pub mod render;
pub mod shell;
pub mod shown;
pub mod sockets;
mod start;
pub mod status;
mod telnet_protocol;
pub mod terminal;
pub mod typed;
pub mod window;

#[cfg(test)]
mod testing;
