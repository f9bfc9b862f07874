//! Command lines against [`fake`] devices with the network's commands.

mod fake;
mod filtering;

mod basic;
mod configure;
mod show;
mod system;
mod text;
mod wget;

use crate::status::Status;
use crate::testing::World;
use fake::Network;

/// A world with `lo` and `eth0`.
fn world() -> (World, Network) {
    let world = World::new();
    let network = Network::mount(&world);
    (world, network)
}

/// Runs a command that must fail; returns its status and its message.
fn failed(world: &World, script: &str) -> (u8, String) {
    let ran = world.run(script);
    assert_ne!(ran.status, Status::SUCCESS, "{script}: {ran:?}");
    assert_eq!(ran.error.lines().count(), 1, "one line: {}", ran.error);
    (ran.status.0, ran.error)
}
