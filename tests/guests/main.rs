//! Guest programs: every import, every grant, and what a hostile guest can do to others, in worlds
//! in virtual time.
//!
//! Most tests are a [`world::puppet`]: a guest that makes the calls that the test says. Programs
//! that compilers made stand in `compiled`.

mod compiled;
mod files;
mod grants;
mod harm;
mod hold;
mod network;
mod preview1;
mod radios;
mod running;
mod seats;
mod wasmedge;

use devnet_virtual_file_system::Error;

/// What module `vfs` answers for an error.
fn error(error: Error) -> i64 {
    -i64::from(error.errno())
}
