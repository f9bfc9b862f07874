//! The guarantees of the file system, tested from outside; one module each. It is one program, so
//! that it links once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that finds something wrong shall end, also in its helpers"
)]

mod access;
mod commands;
mod control;
mod devices;
mod errors;
mod faces;
mod files;
mod limits;
mod paths;
mod pipes;
mod quotas;
mod revocation;
mod storage;
mod support;
mod tree;
mod waiting;
