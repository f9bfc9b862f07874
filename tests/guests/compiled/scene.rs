//! A shell on the embedded network, in a world: commands run as people type them, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use async_executor::Task;
use devnet_drivers::Lan;
use devnet_guest_programs::Programs;
use devnet_shell_commands::context::{Files, Platform, Stream, Streams};
use devnet_shell_commands::embedded::{self, Network};
use devnet_shell_commands::shell::Shell;
use devnet_virtual_file_system::{Credentials, File, Mode, OpenFlags, Path, pipe};
use world::{Host, World};

use super::compiler::Modules;

/// What `$WEB` stands for in commands: a guest may look up `web.lan`, and reach its addresses,
/// which are private.
const WEB: &str = "--allow-connect web.lan:80 --allow-connect 10.0.2.4 --allow-connect fd00:2::4";
/// Bytes that a command may say.
const OUTPUT_BYTES: usize = 1 << 20;

pub(crate) struct Scene {
    pub(crate) world: World,
    /// The user's system; its `eth0` is down and has no address.
    pub(crate) host: Host,
    /// The others.
    pub(crate) network: Network,
    files: Files,
    platform: Platform,
}

/// What a command did.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Ran {
    pub(crate) status: u8,
    pub(crate) output: String,
    pub(crate) error: String,
}

impl Scene {
    /// A system with these programs in `/binaries`.
    pub(crate) fn new(programs: &Modules) -> Self {
        let world = World::new(1);
        let host = Host::new(&world);
        let platform = world::shell::platform(&world, Programs::new());
        let lan = Lan::new(Arc::clone(&platform.clock), 0);
        platform.spawner.spawn(Box::pin(lan.runner())).unwrap();
        host.manager.register("eth0", Box::new(lan.port(embedded::USER, 1500)), None).unwrap();
        let network = world
            .run(embedded::start(&platform, |address| Box::new(lan.port(address, 1500))))
            .unwrap();
        let files = Files::new(host.files.clone(), Credentials::root()).unwrap();
        for directory in ["/binaries", "/temporary"] {
            let path = Path::parse(directory).unwrap();
            host.files
                .create_directory(&Credentials::root(), &path, Mode::from_octal(0o777))
                .unwrap();
        }
        let scene = Self { world, host, network, files, platform };
        for (name, module) in programs {
            scene.write(&format!("/binaries/{name}.wasm"), module);
        }
        scene
    }

    /// The same, with `eth0` configured by DHCP and by the router.
    pub(crate) fn configured(programs: &Modules) -> Self {
        let scene = Self::new(programs);
        assert_eq!(scene.run("dhcp eth0").status, 0);
        scene.world.run(scene.world.sleep(Duration::from_secs(5)));
        scene
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let file = self.files.open(path, OpenFlags::WRITE | OpenFlags::CREATE).unwrap();
        assert_eq!(file.try_write(content).unwrap(), content.len());
    }

    /// The whole of a regular file.
    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        let file = self.files.open(path, OpenFlags::READ).unwrap();
        self.world.run(file.read_to_end(1 << 24)).unwrap()
    }

    /// Starts commands that need not end, with nothing to read.
    pub(crate) fn start(&self, text: &str) -> (Task<u8>, File, File) {
        let (task, _, output, error) = self.start_with_input(text);
        (task, output, error)
    }

    /// Starts commands that need not end; what is written to the first file they read, and say to
    /// the others.
    pub(crate) fn start_with_input(&self, text: &str) -> (Task<u8>, File, File, File) {
        let [(input, typed), (output, said), (error, complained)] = [OUTPUT_BYTES; 3].map(pipe);
        let stream = |file: File| Stream::new(file, "stream");
        let streams =
            Streams { input: stream(input), output: stream(said), error: stream(complained) };
        let mut shell = Shell::new(self.files.clone(), streams, self.platform.clone());
        let text = text.replace("$WEB", WEB);
        (self.world.spawn(async move { shell.run(&text).await.0 }), typed, output, error)
    }

    /// Waits until so many sockets of the user's system are open. A module is translated on a
    /// thread of its own, which takes no virtual time, so no sleep of the world is long enough for
    /// a guest to start.
    pub(crate) fn until_open(&self, sockets: usize) {
        while self.host.open_sockets() < sockets {
            self.world.run(self.world.sleep(Duration::from_millis(1)));
            std::thread::yield_now();
        }
    }

    /// Runs commands to their end.
    pub(crate) fn run(&self, text: &str) -> Ran {
        let (task, output, error) = self.start(text);
        let status = self.world.run(task);
        let said = |file: File| {
            let bytes = self.world.run(file.read_to_end(OUTPUT_BYTES)).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        Ran { status, output: said(output), error: said(error) }
    }

    /// Runs commands that succeed without complaint, and tells what they said.
    pub(crate) fn says(&self, text: &str) -> String {
        let ran = self.run(text);
        assert_eq!((ran.status, ran.error.as_str()), (0, ""), "{text}: {}", ran.output);
        ran.output
    }
}
