//! The shell's part of a world.

use std::time::Duration;

use devnet_guest_programs::{Programs, Translator, give_way};
use devnet_shell_commands::context::{Files, Platform, Stream, Streams};
use devnet_shell_commands::shell::Shell;
use devnet_virtual_file_system::{Credentials, Mode, OpenFlags, Path};

use crate::{Host, World};

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
        tables: Vec::new(),
    }
}

/// Runs a script in a shell on a host; returns what it writes, also about errors.
#[must_use]
pub fn output(world: &World, host: &Host, script: &str) -> String {
    let root = Credentials::root();
    let open = |name: &str| {
        let path = Path::parse(&format!("/{name}")).expect("a path");
        let flags = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        host.files.open(&root, &path, flags, Mode::from_octal(0o644)).expect("a file")
    };
    let stream = |name: &str| Stream::new(open(name), name);
    let streams =
        Streams { input: stream("input"), output: stream("output"), error: stream("output") };
    let files = Files::new(host.files.clone(), root.clone()).expect("files");
    let mut shell = Shell::new(files, streams, platform(world, Programs::new()));
    world.run(async {
        shell.run(script).await;
        let path = Path::parse("/output").expect("a path");
        let written = host.files.open(&root, &path, OpenFlags::READ, Mode::empty());
        let bytes = written.expect("the output").read_to_end(1 << 20).await.expect("its bytes");
        String::from_utf8(bytes).expect("text")
    })
}
