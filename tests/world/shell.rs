//! The shell's part of a world.

use std::time::Duration;

use devnet_guest_programs::{Programs, Translator, give_way};
use devnet_shell_commands::context::Platform;

use crate::World;

/// What the platform of a world supplies to a shell and its servers.
#[must_use]
pub fn platform(world: &World, programs: Programs) -> Platform {
    let supplies = world.platform();
    Platform {
        clock: supplies.clock,
        entropy: supplies.entropy,
        spawner: supplies.spawner,
        started: Duration::from_secs(1_700_000_000),
        translator: Translator::new(),
        idle: give_way(),
        programs,
    }
}
