//! The guarantees of the drivers, one test each; time is virtual unless an operating system takes
//! part.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails, also in what tests share"
)]

mod adapter;
mod bench;
mod cable;
mod capture;
mod controller;
mod host;
mod lan;
mod loopback;
#[cfg(target_os = "linux")]
mod tap;
