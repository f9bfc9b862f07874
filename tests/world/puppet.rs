//! A guest that does what a test says: it reads calls from its standard input, makes them, and
//! writes their results to its standard output.
//!
//! So a test, or a fuzzer, is a guest that is written in Rust: every import can be called with any
//! arguments, in any order, and the guest's memory can be read and written between. The module is
//! made here, from the list of imports.

use std::fmt::Write;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_executor::Task;
use devnet_guest_programs::{
    Entry, Exit, Grants, Launch, Process, Program, ProgramError, Programs, Supplies, Translator,
};
use devnet_virtual_file_system::{Credentials, File, Mode, Path, pipe};
use futures_lite::future;

use crate::{Host, World};

/// Every import: its module, its name, and its parameters (`i` 32 bits, `l` 64 bits).
pub const IMPORTS: &[(&str, &str, &str)] = &[
    ("vfs", "open", "iii"),
    ("vfs", "close", "i"),
    ("vfs", "read", "iii"),
    ("vfs", "write", "iii"),
    ("vfs", "poll", "iii"),
    ("vfs", "seek", "ilii"),
    ("vfs", "stat", "iii"),
    ("vfs", "stat_open", "ii"),
    ("vfs", "list", "iiii"),
    ("vfs", "set_non_blocking", "ii"),
    ("vfs", "duplicate", "i"),
    ("vfs", "create_directory", "ii"),
    ("vfs", "remove", "ii"),
    ("vfs", "rename", "iiii"),
    ("vfs", "usage", "ii"),
    ("vfs", "control", "iiiiii"),
    (PREVIEW1, "args_get", "ii"),
    (PREVIEW1, "args_sizes_get", "ii"),
    (PREVIEW1, "environ_get", "ii"),
    (PREVIEW1, "environ_sizes_get", "ii"),
    (PREVIEW1, "clock_res_get", "ii"),
    (PREVIEW1, "clock_time_get", "ili"),
    (PREVIEW1, "random_get", "ii"),
    (PREVIEW1, "sched_yield", ""),
    (PREVIEW1, "poll_oneoff", "iiii"),
    (PREVIEW1, "fd_advise", "illi"),
    (PREVIEW1, "fd_allocate", "ill"),
    (PREVIEW1, "fd_close", "i"),
    (PREVIEW1, "fd_datasync", "i"),
    (PREVIEW1, "fd_sync", "i"),
    (PREVIEW1, "fd_fdstat_get", "ii"),
    (PREVIEW1, "fd_fdstat_set_flags", "ii"),
    (PREVIEW1, "fd_fdstat_set_rights", "ill"),
    (PREVIEW1, "fd_filestat_get", "ii"),
    (PREVIEW1, "fd_filestat_set_size", "il"),
    (PREVIEW1, "fd_filestat_set_times", "illi"),
    (PREVIEW1, "fd_pread", "iiili"),
    (PREVIEW1, "fd_pwrite", "iiili"),
    (PREVIEW1, "fd_prestat_get", "ii"),
    (PREVIEW1, "fd_prestat_dir_name", "iii"),
    (PREVIEW1, "fd_read", "iiii"),
    (PREVIEW1, "fd_readdir", "iiili"),
    (PREVIEW1, "fd_renumber", "ii"),
    (PREVIEW1, "fd_seek", "ilii"),
    (PREVIEW1, "fd_tell", "ii"),
    (PREVIEW1, "fd_write", "iiii"),
    (PREVIEW1, "path_create_directory", "iii"),
    (PREVIEW1, "path_filestat_get", "iiiii"),
    (PREVIEW1, "path_filestat_set_times", "iiiilli"),
    (PREVIEW1, "path_link", "iiiiiii"),
    (PREVIEW1, "path_open", "iiiiillii"),
    (PREVIEW1, "path_readlink", "iiiiii"),
    (PREVIEW1, "path_remove_directory", "iii"),
    (PREVIEW1, "path_rename", "iiiiii"),
    (PREVIEW1, "path_symlink", "iiiii"),
    (PREVIEW1, "path_unlink_file", "iii"),
    (PREVIEW1, "sock_open", "iii"),
    (PREVIEW1, "sock_bind", "iii"),
    (PREVIEW1, "sock_listen", "ii"),
    (PREVIEW1, "sock_accept", "ii"),
    (PREVIEW1, "sock_connect", "iii"),
    (PREVIEW1, "sock_recv", "iiiiii"),
    (PREVIEW1, "sock_recv_from", "iiiiiiii"),
    (PREVIEW1, "sock_send", "iiiii"),
    (PREVIEW1, "sock_send_to", "iiiiiii"),
    (PREVIEW1, "sock_shutdown", "ii"),
    (PREVIEW1, "sock_getlocaladdr", "iiii"),
    (PREVIEW1, "sock_getpeeraddr", "iiii"),
    (PREVIEW1, "sock_getsockopt", "iiiii"),
    (PREVIEW1, "sock_setsockopt", "iiiii"),
    (PREVIEW1, "sock_getaddrinfo", "iiiiiiii"),
];

const PREVIEW1: &str = "wasi_snapshot_preview1";
/// What is not a call.
const POKE: usize = 10_000;
const PEEK: usize = 10_001;
const EXIT: usize = 10_002;
const SPIN: usize = 10_003;
const GROW: usize = 10_004;
/// Where a request stands in the guest's memory, and how long it is: what to do, and eleven
/// numbers.
const REQUEST: u32 = 16;
const REQUEST_BYTES: usize = 96;
/// Where its answer stands.
const ANSWER: u32 = 128;
/// Memory from here on is the test's.
pub const FREE: u32 = 4096;

/// The module's text; `pages` of 64 KiB of memory at first.
#[must_use]
pub fn module(pages: u32) -> String {
    let mut text = String::from("(module\n");
    for (index, (module, name, parameters)) in IMPORTS.iter().enumerate() {
        let parameters: String = parameters
            .chars()
            .map(|kind| if kind == 'l' { " (param i64)" } else { " (param i32)" })
            .collect();
        let _ = writeln!(
            text,
            "(import \"{module}\" \"{name}\" (func $f{index}{parameters} (result i32)))"
        );
    }
    let _ = writeln!(text, "(import \"{PREVIEW1}\" \"proc_exit\" (func $exit (param i32)))");
    let _ = writeln!(
        text,
        "(memory (export \"memory\") {pages})\n{TRANSFER}\n(func (export \"_start\") (loop $next"
    );
    let _ = writeln!(
        text,
        "(if (i32.eqz (call $take (i32.const {REQUEST}) (i32.const {REQUEST_BYTES}))) (then \
        return))"
    );
    let number = |place: usize| REQUEST as usize + 8 + 8 * place;
    for (index, (_, _, parameters)) in IMPORTS.iter().enumerate() {
        let mut arguments = String::new();
        for (place, kind) in parameters.chars().enumerate() {
            let load = if kind == 'l' { "i64.load" } else { "i32.load" };
            let _ = write!(arguments, " ({load} (i32.const {}))", number(place));
        }
        let _ = writeln!(
            text,
            "(if (i32.eq (i32.load (i32.const {REQUEST})) (i32.const {index})) (then
               (i64.store (i32.const {ANSWER}) (i64.extend_i32_s (call $f{index}{arguments})))
               (call $give (i32.const {ANSWER}) (i32.const 8)) (br $next)))"
        );
    }
    let (first, second) = (
        format!("(i32.load (i32.const {}))", number(0)),
        format!("(i32.load (i32.const {}))", number(1)),
    );
    for (code, body) in [
        (POKE, format!("(drop (call $take {first} {second})) (br $next)")),
        (PEEK, format!("(call $give {first} {second}) (br $next)")),
        (EXIT, format!("(call $exit {first})")),
        (SPIN, "(loop $for_ever (br $for_ever))".to_owned()),
        (
            GROW,
            format!(
                "(i64.store (i32.const {ANSWER}) (i64.extend_i32_s (memory.grow {first}))) (call \
                $give (i32.const {ANSWER}) (i32.const 8)) (br $next)"
            ),
        ),
    ] {
        let _ = writeln!(
            text,
            "(if (i32.eq (i32.load (i32.const {REQUEST})) (i32.const {code})) (then {body}))"
        );
    }
    text.push_str("unreachable)))\n");
    text
}

/// Reads and writes whole pieces on the standard streams; the first tells whether there was
/// something.
const TRANSFER: &str = "
(func $take (param $place i32) (param $length i32) (result i32) (local $count i32)
  (loop $more
    (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
    (local.set $count (call $f2 (i32.const 0) (local.get $place) (local.get $length)))
    (if (i32.le_s (local.get $count) (i32.const 0)) (then (return (i32.const 0))))
    (local.set $place (i32.add (local.get $place) (local.get $count)))
    (local.set $length (i32.sub (local.get $length) (local.get $count)))
    (br $more))
  unreachable)
(func $give (param $place i32) (param $length i32) (local $count i32)
  (loop $more
    (if (i32.eqz (local.get $length)) (then return))
    (local.set $count (call $f3 (i32.const 1) (local.get $place) (local.get $length)))
    (if (i32.le_s (local.get $count) (i32.const 0)) (then unreachable))
    (local.set $place (i32.add (local.get $place) (local.get $count)))
    (local.set $length (i32.sub (local.get $length) (local.get $count)))
    (br $more)))";

/// Grants, from lines of a manifest.
///
/// # Panics
/// If they are wrong.
#[must_use]
pub fn grants(lines: &str) -> Grants {
    let mut grants = Grants::default();
    grants.add_manifest(lines).expect("grants");
    grants
}

/// A program made of the text format.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn program(text: &str) -> Program {
    Translator::new()
        .translate(&wat::parse_str(text).expect("the text of a module"))
        .expect("a program")
}

/// A host with a directory `/temporary`, which a guest may be granted.
///
/// # Panics
/// Never: the tree is new.
#[must_use]
pub fn host(world: &World) -> Host {
    let host = Host::new(world);
    let path = Path::parse("/temporary").expect("a path");
    host.files
        .create_directory(&Credentials::root(), &path, Mode::from_octal(0o777))
        .expect("a directory");
    host
}

/// What makes a program a process of a host, with three streams and the grants of these lines.
#[must_use]
pub fn launch(
    world: &World,
    host: &Host,
    lines: &str,
    program: &Program,
    streams: [File; 3],
) -> Launch {
    let platform = world.platform();
    let supplies =
        Supplies::new(platform.clock, platform.entropy).started(Duration::from_secs(1_700_000_000));
    Launch::new(program.clone(), streams, host.files.clone(), Credentials::root(), supplies)
        .arguments(vec!["guest".into(), "first".into()])
        .environment(vec!["NAME=value".into()])
        .grants(grants(lines))
}

/// The process itself.
///
/// # Errors
/// Why it cannot start.
pub fn process(
    world: &World,
    host: &Host,
    lines: &str,
    program: &Program,
    streams: [File; 3],
) -> Result<Process, ProgramError> {
    future::block_on(Process::new(launch(world, host, lines, program, streams)))
}

/// A process without input, and what it will print on both of its other streams.
///
/// # Errors
/// Why it cannot start.
pub fn silent(
    world: &World,
    host: &Host,
    lines: &str,
    program: &Program,
) -> Result<(Process, File), ProgramError> {
    let (nothing, _) = pipe(1);
    let (output, theirs) = pipe(1 << 20);
    Ok((process(world, host, lines, program, [nothing, theirs.clone(), theirs])?, output))
}

/// Gives a process so many turns; tells how it ended, if it did.
pub fn turns(process: Process, most: u32) -> Option<Exit> {
    let mut running = Box::pin(process.run());
    let mut context = Context::from_waker(Waker::noop());
    (0..most).find_map(|_| match running.as_mut().poll(&mut context) {
        Poll::Ready(exit) => Some(exit),
        Poll::Pending => None,
    })
}

/// A running guest that does what it is told.
pub struct Puppet {
    input: File,
    output: File,
    /// What it says on its standard error.
    pub error: File,
    /// Its end.
    pub exit: Task<Exit>,
    /// Its number in `programs`.
    pub number: u32,
}

impl Puppet {
    /// Starts one on a host.
    ///
    /// # Panics
    /// If it cannot start.
    #[must_use]
    pub fn start(world: &World, host: &Host, lines: &str) -> Self {
        Self::start_listed(world, host, lines, &Programs::new())
    }

    /// Starts one that is listed in a table.
    ///
    /// # Panics
    /// If it cannot start.
    #[must_use]
    pub fn start_listed(world: &World, host: &Host, lines: &str, programs: &Programs) -> Self {
        Self::start_program(world, host, lines, programs, &program(&module(2)))
    }

    /// Starts one from a program that was made of [`module`] before.
    ///
    /// # Panics
    /// If it cannot start.
    #[must_use]
    pub fn start_program(
        world: &World,
        host: &Host,
        lines: &str,
        programs: &Programs,
        program: &Program,
    ) -> Self {
        let (theirs, input) = pipe(1 << 20);
        let (output, ours) = pipe(1 << 20);
        let (error, complaints) = pipe(1 << 16);
        let process =
            process(world, host, lines, program, [theirs, ours, complaints]).expect("a process");
        let entry: Entry = programs.enter("puppet").expect("a number");
        let number = entry.number();
        let exit = world.spawn(async move { process.run_listed(entry).await });
        Self { input, output, error, exit, number }
    }

    /// Waits for the result of what was begun; none if the guest ended instead.
    pub async fn finish_or_end(&self) -> Option<i64> {
        let mut data = [0; 8];
        let mut filled = 0;
        while filled < data.len() {
            match self.output.read(&mut data[filled..]).await {
                Ok(count @ 1..) => filled += count,
                _ => return None,
            }
        }
        Some(i64::from_le_bytes(data))
    }

    async fn request(&self, what: usize, numbers: &[u64]) {
        let mut request = (what as u64).to_le_bytes().to_vec();
        for number in numbers {
            request.extend_from_slice(&number.to_le_bytes());
        }
        request.resize(REQUEST_BYTES, 0);
        // One that has ended does not answer either.
        let _ = self.input.write_all(&request).await;
    }

    async fn take(&self, length: usize) -> Vec<u8> {
        let mut data = vec![0; length];
        let mut filled = 0;
        while filled < length {
            let count = self.output.read(&mut data[filled..]).await.expect("its output");
            assert!(count > 0, "the guest ended");
            filled += count;
        }
        data
    }

    async fn answer(&self) -> i64 {
        i64::from_le_bytes(self.take(8).await.try_into().expect("eight bytes"))
    }

    /// Calls an import by name.
    ///
    /// # Panics
    /// If there is none of that name.
    pub async fn call(&self, name: &str, numbers: &[u64]) -> i64 {
        self.begin(name, numbers).await;
        self.answer().await
    }

    /// Begins a call that is not expected to end.
    ///
    /// # Panics
    /// If there is none of that name.
    pub async fn begin(&self, name: &str, numbers: &[u64]) {
        let index = IMPORTS.iter().position(|(_, known, _)| *known == name).expect("an import");
        self.begin_numbered(index, numbers).await;
    }

    /// Begins the call of an import by its place in [`IMPORTS`].
    pub async fn begin_numbered(&self, index: usize, numbers: &[u64]) {
        self.request(index, numbers).await;
    }

    /// Waits for the result of what was begun.
    pub async fn finish(&self) -> i64 {
        self.answer().await
    }

    /// Writes into its memory.
    pub async fn poke(&self, place: u32, data: &[u8]) {
        if !data.is_empty() {
            self.request(POKE, &[u64::from(place), data.len() as u64]).await;
            let _ = self.input.write_all(data).await;
        }
    }

    /// Reads its memory.
    pub async fn peek(&self, place: u32, length: usize) -> Vec<u8> {
        self.request(PEEK, &[u64::from(place), length as u64]).await;
        self.take(length).await
    }

    /// A number of 32 bits in its memory.
    pub async fn number_at(&self, place: u32) -> u32 {
        u32::from_le_bytes(self.peek(place, 4).await.try_into().expect("four bytes"))
    }

    /// Grows its memory by pages; −1 if it may not.
    pub async fn grow(&self, pages: u64) -> i64 {
        self.request(GROW, &[pages]).await;
        self.answer().await
    }

    /// Computes for ever from now on.
    pub async fn spin(&self) {
        self.request(SPIN, &[]).await;
    }

    /// Ends it with a status, and tells how it ended.
    pub async fn end(self, status: u32) -> Exit {
        self.request(EXIT, &[u64::from(status)]).await;
        self.exit.await
    }

    /// Opens a path; a negative result is an error.
    pub async fn open(&self, path: &str, flags: u32) -> i64 {
        self.poke(FREE, path.as_bytes()).await;
        self.call("open", &[u64::from(FREE), path.len() as u64, u64::from(flags)]).await
    }

    /// Writes to a descriptor.
    pub async fn write(&self, descriptor: i64, data: &[u8]) -> i64 {
        self.poke(FREE, data).await;
        self.call("write", &[descriptor as u64, u64::from(FREE), data.len() as u64]).await
    }

    /// Reads from a descriptor.
    ///
    /// # Errors
    /// The call's negative result.
    pub async fn read(&self, descriptor: i64, length: usize) -> Result<Vec<u8>, i64> {
        match self.call("read", &[descriptor as u64, u64::from(FREE), length as u64]).await {
            error @ ..0 => Err(error),
            count => Ok(self.peek(FREE, count as usize).await),
        }
    }

    /// Gives a typed command.
    ///
    /// # Errors
    /// The call's negative result.
    pub async fn control<C: devnet_virtual_file_system::ControlCommand>(
        &self,
        descriptor: i64,
        request: &C::Request,
    ) -> Result<C::Response, i64> {
        let request = devnet_virtual_file_system::encode(request).expect("a request");
        self.poke(FREE, &request).await;
        let answer = FREE + 20_000;
        let numbers = [
            descriptor as u64,
            u64::from(C::IDENTIFIER.raw()),
            u64::from(FREE),
            request.len() as u64,
            u64::from(answer),
            60_000,
        ];
        match self.call("control", &numbers).await {
            error @ ..0 => Err(error),
            length => {
                let bytes = self.peek(answer, length as usize).await;
                Ok(devnet_virtual_file_system::decode_response(&bytes).expect("a response"))
            }
        }
    }
}
