//! The environment of this crate's tests: in-memory files, a virtual clock, one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_executor::Executor;
use devnet_guest_programs::{Programs, Translator, give_way};
use devnet_network::platform::{BoxFuture, Clock, Entropy, Instant, Spawner};
use devnet_virtual_file_system::{
    CharacterDevice, Credentials, Error, File, Identifier, Lock, Mode, OpenDevice, OpenFlags,
    OpenRequest, Operation, Path, Readiness, VirtualFileSystem, pipe,
};
use futures_lite::future;

use crate::context::{Files, Platform, Stream, Streams};
use crate::shell::Shell;
use crate::status::Status;

/// A clock that advances only for sleepers, or not at all.
#[derive(Default)]
pub(crate) struct JumpingClock(AtomicU64, AtomicBool);

impl JumpingClock {
    /// From now on no sleep ends.
    pub(crate) fn stop(&self) {
        self.1.store(true, Ordering::SeqCst);
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        if self.1.load(Ordering::SeqCst) {
            return Box::pin(future::pending());
        }
        self.0.fetch_max(deadline.as_micros(), Ordering::SeqCst);
        Box::pin(future::yield_now())
    }
}

struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        buffer.fill(0);
        Ok(())
    }
}

struct OneThread(Arc<Executor<'static>>);

impl Spawner for OneThread {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        self.0.spawn(task).detach();
        Ok(())
    }
}

/// A device that never has data; it counts its open files.
#[derive(Default)]
pub(crate) struct Silent {
    pub(crate) open: Arc<AtomicU64>,
}

struct SilentFile(Arc<AtomicU64>);

impl Drop for SilentFile {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl CharacterDevice for Silent {
    fn open(&self, _: &OpenRequest<'_>) -> devnet_virtual_file_system::Result<Arc<dyn OpenDevice>> {
        self.open.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(SilentFile(Arc::clone(&self.open))))
    }
}

impl OpenDevice for SilentFile {
    fn read<'a>(&'a self, _: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(future::pending())
    }

    fn write<'a>(&'a self, _: &'a [u8]) -> Operation<'a, usize> {
        Operation::waiting(future::pending())
    }

    fn poll_ready(
        &self,
        _: &mut std::task::Context<'_>,
        _: Readiness,
    ) -> std::task::Poll<Readiness> {
        std::task::Poll::Pending
    }
}

/// The environment of one test.
pub(crate) struct World {
    pub(crate) tree: VirtualFileSystem,
    pub(crate) executor: Arc<Executor<'static>>,
    pub(crate) clock: Arc<JumpingClock>,
}

/// The outcome of a script.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Ran {
    pub(crate) status: Status,
    pub(crate) output: String,
    pub(crate) error: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self {
            tree: VirtualFileSystem::new(),
            executor: Arc::default(),
            clock: Arc::default(),
        };
        world.tree.set_time_source(world.platform().time_source());
        for directory in ["/temporary", "/devices", "/devices/network"] {
            let mode = Mode::from_bits_truncate(0o777);
            world
                .tree
                .create_directory(&Credentials::root(), &Path::parse(directory).unwrap(), mode)
                .unwrap();
        }
        world
    }

    pub(crate) fn mount(&self, path: &str, device: Arc<dyn CharacterDevice>) {
        let mode = Mode::from_bits_truncate(0o666);
        self.tree.mount(&Credentials::root(), &Path::parse(path).unwrap(), device, mode).unwrap();
    }

    pub(crate) fn open(&self, path: &str) -> File {
        let flags = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE;
        let mode = Mode::from_bits_truncate(0o666);
        self.tree.open(&Credentials::root(), &Path::parse(path).unwrap(), flags, mode).unwrap()
    }

    pub(crate) fn shell(&self) -> Shell {
        self.shell_on(self.platform())
    }

    pub(crate) fn shell_on(&self, platform: Platform) -> Shell {
        let stream = |name: &str| {
            let file = self.open(&format!("/.{name}"));
            file.set_length(0).unwrap();
            Stream::new(file, name)
        };
        let streams =
            Streams { input: stream("input"), output: stream("output"), error: stream("error") };
        let files = Files::new(self.tree.clone(), Credentials::root()).unwrap();
        Shell::new(files, streams, platform)
    }

    pub(crate) fn platform(&self) -> Platform {
        Platform {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: Arc::new(Zeros),
            spawner: Arc::new(OneThread(Arc::clone(&self.executor))),
            started: Duration::from_secs(1_000_000_000),
            idle: give_way(),
            translator: Translator::new(),
            programs: Programs::new(),
            tables: Vec::new(),
        }
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        future::block_on(self.executor.run(future))
    }

    /// Returns the whole text of a file.
    pub(crate) fn text(&self, path: &str) -> String {
        let bytes = self.block_on(self.open(path).read_to_end(1 << 24)).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Runs a script in a new shell.
    pub(crate) fn run(&self, script: &str) -> Ran {
        let mut shell = self.shell();
        self.run_in(&mut shell, script);
        let status = self.block_on(shell.finish());
        Ran { status, output: self.text("/.output"), error: self.text("/.error") }
    }

    pub(crate) fn run_in(&self, shell: &mut Shell, script: &str) -> Ran {
        let status = self.block_on(shell.run(script));
        Ran { status, output: self.text("/.output"), error: self.text("/.error") }
    }

    /// Runs a script that must succeed without a message; returns its output.
    pub(crate) fn output(&self, script: &str) -> String {
        let ran = self.run(script);
        assert_eq!((ran.status, ran.error.as_str()), (Status::SUCCESS, ""), "{script}");
        ran.output
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.now().since(Instant::ZERO)
    }
}

/// An in-memory stream: its two ends, like those of a connection.
pub(crate) fn connection() -> (File, File) {
    let (first, second) = (pipe(1 << 16), pipe(1 << 16));
    let end = |input, output| {
        let device = StreamEnd { input, output: Lock::new(Some(output)) };
        File::from_device(Arc::new(device), OpenFlags::READ | OpenFlags::WRITE)
    };
    (end(first.0, second.1), end(second.0, first.1))
}

struct StreamEnd {
    input: File,
    output: Lock<Option<File>>,
}

impl OpenDevice for StreamEnd {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(self.input.read(buffer))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        let output = self.output.with(|output| output.clone());
        Operation::waiting(async move { output.ok_or(Error::BrokenPipe)?.write(data).await })
    }

    /// Its only command shuts the direction down, whatever the identifier.
    fn control<'a>(&'a self, _: Identifier, _: &'a [u8]) -> Operation<'a, Vec<u8>> {
        self.output.with(|output| *output = None);
        Operation::done(Ok(Vec::new()))
    }

    fn poll_ready(
        &self,
        context: &mut std::task::Context<'_>,
        interest: Readiness,
    ) -> std::task::Poll<Readiness> {
        let output = self.output.with(|output| output.clone());
        let file = match output {
            Some(output) if interest.contains(Readiness::WRITABLE) => output,
            _ => self.input.clone(),
        };
        file.poll_ready(context, interest).map(|ready| ready.unwrap_or(Readiness::ERROR))
    }
}
