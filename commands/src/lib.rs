//! The commands of devnet's devices: their types, their bytes, and their lines of text.
//!
//! A program that speaks to a device needs this crate and not the stack: the device is an open
//! file, of a [`VirtualFileSystem`](devnet_virtual_file_system::VirtualFileSystem) in the same
//! program, of a guest in WebAssembly, or of another system that carries the bytes.
//!
//! | module | owns |
//! |---|---|
//! | [`command`] | one table of typed commands, their payloads, and their lines |
//! | [`address`] | prefixes and hardware addresses |
//! | [`link`] | what a driver says of its link |
//! | [`time`] | monotonic time |
//! | [`zone`] | the zones of link-local addresses |
//! | `words` | one word per value, in both directions |
//! | [`limits`] | the bounds of requests and lines |
//!
//! A command is three things: an identifier of 32 bits as that of `ioctl`, a request and a response
//! in postcard. With only a way to send bytes:
//!
//! ```
//! use devnet_commands::command::table::{Request, SetMtu};
//! use devnet_virtual_file_system::{ControlCommand, decode, encode};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // What goes to the device: an identifier and the request.
//! let (identifier, request) = (SetMtu::IDENTIFIER, encode(&1400_u32)?);
//! assert_eq!(identifier.number(), 5);
//! assert_eq!(request, [0xf8, 0x0a]);
//! // What comes back, by the type of the command.
//! let changed: <SetMtu as ControlCommand>::Response = decode(&[1])?;
//! assert!(changed);
//! // The other side reads the same request, from bytes or from a line.
//! let read = Request::decode(identifier, &request).ok_or("no command")??;
//! assert_eq!(devnet_commands::command::text::parse("mtu 1400")?, Some(read));
//! # Ok(())
//! # }
//! ```

// The macro of the table takes a step for each command.
#![recursion_limit = "256"]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod address;
pub mod command;
pub mod limits;
pub mod link;
pub mod time;
mod words;
pub mod zone;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
