//! A virtual file system: paths, directories, mounted character devices, open files, control calls
//! and permissions.
//!
//! This crate knows no networking. A platform mounts [`CharacterDevice`]s into a
//! [`VirtualFileSystem`]; a shell command, a guest or a Rust program opens them by [`Path`] and
//! uses a [`File`]. A request passes the modules in this order:
//!
//! | module | owns |
//! |---|---|
//! | [`path`] | text → normalised absolute path that cannot escape |
//! | [`tree`] | path → node, and every change of names |
//! | [`access`] | permission checks: the only module that decides about access |
//! | [`quota`] | accounts: who pays for nodes and bytes |
//! | [`node`] | the object behind a name: directory, bytes, device |
//! | [`file`](mod@file) | the open file: offset, flags, blocking, closing |
//! | [`device`] | the traits that a device implements |
//! | [`control`], [`commands`] | typed commands as bytes, one table per device kind |
//! | [`built`] | builds that execute only some commands of a table |
//! | [`text`] | the same commands as lines of text |
//!
//! [`operation`], [`readiness`] and [`lock`] are the tools for blocking devices; [`pipe`](mod@pipe)
//! is one of them, [`limits`] holds every bound and [`error`] every error.
//!
//! ```
//! use devnet_virtual_file_system::{Credentials, Mode, OpenFlags, Path, VirtualFileSystem};
//!
//! # fn main() -> devnet_virtual_file_system::Result<()> {
//! let files = VirtualFileSystem::new();
//! let (root, path) = (Credentials::root(), Path::parse("/greeting")?);
//! let flags = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE;
//! let file = files.open(&root, &path, flags, Mode::from_octal(0o644))?;
//! file.try_write(b"hello")?;
//! assert_eq!(files.stat(&root, &path)?.size, 5);
//! # Ok(())
//! # }
//! ```
//!
//! The feature `std`, off by default, uses the operating system's mutex instead of a spinning one.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod access;
pub mod built;
pub mod commands;
pub mod control;
pub mod device;
pub mod error;
pub mod file;
pub mod limits;
pub mod lock;
pub mod node;
pub mod operation;
pub mod path;
pub mod pipe;
pub mod quota;
pub mod readiness;
mod setters;
mod storage;
pub mod text;
mod timing;
pub mod tree;

pub use access::{
    Access, Credentials, GroupIdentifier, Mode, OpenFlags, UserIdentifier, permitted,
};
pub use built::{Build, Everything};
pub use control::{
    Authority, CommandEntry, CommandVisitor, ControlCommand, DataDirection, Identifier,
    ListEncoder, decode, decode_response, encode,
};
pub use device::{CharacterDevice, OpenDevice, OpenRequest};
pub use error::{Error, Result};
pub use file::File;
pub use lock::Lock;
pub use node::{Attributes, DirectoryEntry, NodeKind, TimeSource};
pub use operation::Operation;
pub use path::Path;
pub use pipe::pipe;
pub use quota::{Disposer, Stored};
pub use readiness::{Readiness, WakerList};
pub use text::FromText;
pub use tree::VirtualFileSystem;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
