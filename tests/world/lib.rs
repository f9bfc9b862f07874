//! The worlds that tests run in: seeded, in virtual time, replayable.
//!
//! A [`World`] owns time and chance. Hosts in it are whole systems (file tree, manager, interfaces)
//! joined by simulated links; a test is an asynchronous function that ends when nothing more is
//! due. No test sleeps for real.

pub mod cable;
mod clock;
mod host;
pub mod packet;
pub mod pair;
mod path;
pub mod puppet;
pub mod shell;
pub mod tls;
mod world;

pub use self::clock::VirtualClock;
pub use self::host::Host;
pub use self::path::{ETHERNET_OVERHEAD, Path, PathCounters, PathEnd, Quality};
pub use self::world::{SeededEntropy, World};

/// Pages whose blocks of Rust are compiled and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../drivers/WRITE_A_DRIVER.md")]
    struct WriteADriver;
    #[doc = include_str!("../../network/EXECUTORS.md")]
    struct Executors;
    #[doc = include_str!("../../network/MIGRATION.md")]
    struct Migration;
}
