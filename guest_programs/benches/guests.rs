//! The cost of guests: `cargo bench -p devnet-guest-programs`; `-- --quick` for a short run.
//!
//! Two complete systems on an in-memory cable, all on one thread. A guest echoes the data of a
//! connection; a native task that does the same alternates with it. Both are measured per second of
//! CPU time. Then hostile guests run, and the benchmark times the round trips of the echoing guest.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails may end at once"
)]

#[path = "../../network/benches/workloads/allocator.rs"]
mod allocator;

use std::time::Duration;

use devnet_drivers::{CableOptions, Host};
use devnet_guest_programs::{Grants, Launch, Process, Program, Programs, Supplies, Translator};
use devnet_network::address::HardwareAddress;
use devnet_network::driver::Medium;
use devnet_network::{Manager, Platform, TcpListener, TcpStream};
use devnet_virtual_file_system::{Credentials, Mode, OpenFlags, Path, VirtualFileSystem, pipe};
use futures_lite::future;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting(std::alloc::System);

/// Bytes of one ping.
const MESSAGE: usize = 64;

/// Connects to 10.0.0.2:7 and echoes everything.
const ECHO: &str = r#"(module
  (import "vfs" "open" (func $open (param i32 i32 i32) (result i32)))
  (import "vfs" "read" (func $read (param i32 i32 i32) (result i32)))
  (import "vfs" "write" (func $write (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "/devices/sockets")
  (data (i32.const 100) "socket tcp\nconnect 10.0.0.2:7\noption no-delay on")
  (func (export "_start") (local $file i32) (local $count i32)
    (local.set $file (call $open (i32.const 0) (i32.const 16) (i32.const 3)))
    (if (i32.ne (call $write (local.get $file) (i32.const 100) (i32.const 48)) (i32.const 48))
      (then unreachable))
    (loop $next
      (local.set $count (call $read (local.get $file) (i32.const 1024) (i32.const 32768)))
      (if (i32.le_s (local.get $count) (i32.const 0)) (then return))
      (drop (call $write (local.get $file) (i32.const 1024) (local.get $count)))
      (br $next))))"#;

/// Blocks on its standard input.
const SLEEPER: &str = r#"(module
  (import "vfs" "read" (func $read (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1)))))"#;

/// Opens ten sockets, connects them, and blocks.
const TEN_SOCKETS: &str = r#"(module
  (import "vfs" "open" (func $open (param i32 i32 i32) (result i32)))
  (import "vfs" "read" (func $read (param i32 i32 i32) (result i32)))
  (import "vfs" "write" (func $write (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "/devices/sockets")
  (data (i32.const 100) "socket tcp\nconnect 10.0.0.2:7")
  (func (export "_start") (local $left i32)
    (local.set $left (i32.const 10))
    (loop $next
      (if (i32.ne
          (call $write (call $open (i32.const 0) (i32.const 16) (i32.const 3))
            (i32.const 100) (i32.const 29))
          (i32.const 29))
        (then unreachable))
      (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1)))))"#;

/// The hostile guests.
const HARM: [(&str, &str); 5] = [
    ("computes for ever", "(module (func (export \"_start\") (loop $l (br $l))))"),
    (
        "asks for random bytes for ever",
        r#"(module
          (import "wasi_snapshot_preview1" "random_get"
            (func $random (param i32 i32) (result i32)))
          (memory (export "memory") 2)
          (func (export "_start") (loop $l
            (drop (call $random (i32.const 0) (i32.const 65536))) (br $l))))"#,
    ),
    (
        "opens sockets and forgets them",
        r#"(module (import "vfs" "open" (func $open (param i32 i32 i32) (result i32)))
          (import "vfs" "write" (func $write (param i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "/devices/sockets") (data (i32.const 100) "socket udp")
          (func (export "_start") (loop $l
            (drop (call $write (call $open (i32.const 0) (i32.const 16) (i32.const 3))
              (i32.const 100) (i32.const 10)))
            (br $l))))"#,
    ),
    (
        "floods with datagrams",
        r#"(module (import "vfs" "open" (func $open (param i32 i32 i32) (result i32)))
          (import "vfs" "write" (func $write (param i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "/devices/sockets")
          (data (i32.const 100) "socket udp\nconnect 10.0.0.2:9")
          (func (export "_start") (local $file i32)
            (local.set $file (call $open (i32.const 0) (i32.const 16) (i32.const 3)))
            (drop (call $write (local.get $file) (i32.const 100) (i32.const 29)))
            (loop $l
              (drop (call $write (local.get $file) (i32.const 1000) (i32.const 1400)))
              (br $l))))"#,
    ),
    (
        "gives way for ever",
        r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
          (memory (export "memory") 1)
          (func (export "_start") (loop $l (drop (call $yield)) (br $l))))"#,
    ),
];

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

struct System {
    files: VirtualFileSystem,
    manager: Manager,
}

struct Bench {
    host: Host,
    left: System,
    right: System,
    translator: Translator,
}

impl Bench {
    fn new() -> Self {
        let host = Host::new();
        let hardware = (HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2]));
        let options = CableOptions::default().medium(Medium::Ip).hardware(hardware).capacity(1024);
        let (one, other) = devnet_drivers::cable(options);
        let system = |end: devnet_drivers::Cable, number: u8| {
            let files = VirtualFileSystem::new();
            let platform =
                Platform { clock: host.clock(), entropy: host.entropy(), spawner: host.spawner() };
            let manager = Manager::new(files.clone(), platform).unwrap();
            manager.register("eth0", Box::new(end), None).unwrap();
            let device = Path::parse("/devices/network/eth0").unwrap();
            let flags = OpenFlags::READ | OpenFlags::WRITE;
            let device = files.open(&Credentials::root(), &device, flags, Mode::empty()).unwrap();
            device
                .try_write(format!("link up\naddress add 10.0.0.{number}/24").as_bytes())
                .unwrap();
            System { files, manager }
        };
        let (left, right) = (system(one, 1), system(other, 2));
        Self { host, left, right, translator: Translator::new() }
    }

    fn program(&self, text: &str) -> Program {
        self.translator.translate(&wat::parse_str(text).unwrap()).unwrap()
    }

    /// Creates a guest on the left system, and returns the other end of its standard input.
    fn process(&self, program: &Program) -> (Process, devnet_virtual_file_system::File) {
        let (input, hold) = pipe(1);
        let (_, output) = pipe(1);
        let mut grants = Grants::default();
        grants.add("allow-connect", "*").unwrap();
        let supplies = Supplies::new(self.host.clock(), self.host.entropy())
            .started(self.host.started())
            .idle(self.host.idle());
        let (streams, files) = ([input, output.clone(), output], self.left.files.clone());
        let launch = Launch::new(program.clone(), streams, files, Credentials::root(), supplies)
            .arguments(vec!["guest".into()])
            .grants(grants);
        (self.host.block_on(Process::new(launch)).unwrap(), hold)
    }

    fn listener(&self) -> TcpListener {
        TcpListener::bind(&self.right.manager.sockets(), "10.0.0.2:7".parse().unwrap(), 4096)
            .unwrap()
    }

    /// Starts a guest on the left system and lists it under a name.
    fn start(&self, program: &Program, programs: &Programs, name: &str) {
        let (process, hold) = self.process(program);
        let entry = programs.enter(name).unwrap();
        let run = async move {
            process.run_listed(entry).await;
            drop(hold);
        };
        self.host.spawner().spawn(Box::pin(run)).unwrap();
    }

    /// Returns a connection that a guest echoes.
    async fn guest_echo(
        &self,
        listener: &TcpListener,
        program: &Program,
        programs: &Programs,
    ) -> TcpStream {
        self.start(program, programs, "echo");
        listener.accept().await.unwrap()
    }

    /// Returns a connection that a native task echoes.
    async fn native_echo(&self, listener: &TcpListener) -> TcpStream {
        let sockets = self.left.manager.sockets();
        let run = async move {
            let stream = TcpStream::connect(&sockets, "10.0.0.2:7").await.unwrap();
            let mut buffer = vec![0; 32_768];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(&buffer[..count]).await.unwrap();
            }
        };
        self.host.spawner().spawn(Box::pin(run)).unwrap();
        listener.accept().await.unwrap()
    }
}

/// Kills all guests of a table.
async fn end(programs: &Programs) {
    programs.list().iter().for_each(|one| programs.kill(one.number).unwrap());
    while !programs.list().is_empty() {
        future::yield_now().await;
    }
}

async fn ping(stream: &TcpStream, buffer: &mut [u8; MESSAGE]) {
    stream.write_all(&buffer[..]).await.unwrap();
    let mut filled = 0;
    while filled < MESSAGE {
        let count = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(count > 0, "the echo ended");
        filled += count;
    }
}

/// Measures round trips per second of CPU time.
async fn rate(stream: &TcpStream, span: Duration) -> f64 {
    let mut buffer = [7; MESSAGE];
    let (before, mut count) = (cpu_time(), 0_u32);
    while cpu_time() - before < span {
        for _ in 0..64 {
            ping(stream, &mut buffer).await;
        }
        count += 64;
    }
    f64::from(count) / (cpu_time() - before).as_secs_f64()
}

/// Measures bytes per second of CPU time, in both directions.
async fn bulk(stream: &TcpStream, span: Duration) -> f64 {
    let data = vec![7; 65_536];
    let mut buffer = vec![0; 65_536];
    let (before, mut count) = (cpu_time(), 0_usize);
    while cpu_time() - before < span {
        let send = async { stream.write_all(&data).await.unwrap() };
        let receive = async {
            let mut filled = 0;
            while filled < data.len() {
                filled += stream.read(&mut buffer).await.unwrap();
            }
        };
        future::zip(send, receive).await;
        count += data.len();
    }
    count as f64 / (cpu_time() - before).as_secs_f64()
}

/// Measures the median and the 99th percentile of round trips in microseconds.
async fn latency(stream: &TcpStream, rounds: usize) -> (f64, f64) {
    let mut buffer = [7; MESSAGE];
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = now();
        ping(stream, &mut buffer).await;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    (times[rounds / 2], times[rounds * 99 / 100])
}

fn throughput(bench: &Bench, rounds: usize, span: Duration) -> f64 {
    let program = bench.program(ECHO);
    let programs = Programs::new();
    let listener = bench.listener();
    bench.host.block_on(async {
        let guest = bench.guest_echo(&listener, &program, &programs).await;
        let native = bench.native_echo(&listener).await;
        let (mut pings, mut bytes) = ([0_f64; 2], [0_f64; 2]);
        for _ in 0..rounds {
            pings[0] = pings[0].max(rate(&native, span).await);
            pings[1] = pings[1].max(rate(&guest, span).await);
            bytes[0] = bytes[0].max(bulk(&native, span).await);
            bytes[1] = bytes[1].max(bulk(&guest, span).await);
        }
        println!("| an echo, per CPU second | native task | guest | ratio |");
        println!("|---|---:|---:|---:|");
        println!(
            "| round trips of 64 B | {:.0} | {:.0} | {:.2} |",
            pings[0],
            pings[1],
            pings[1] / pings[0]
        );
        let mebibytes = bytes.map(|bytes| bytes / 1_048_576.0);
        println!(
            "| MiB there and back | {:.0} | {:.0} | {:.2} |",
            mebibytes[0],
            mebibytes[1],
            mebibytes[1] / mebibytes[0]
        );
        pings[1] / pings[0]
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Measures the median and the 99th percentile of round trips, with a hostile guest if one is
/// given.
fn beside(bench: &Bench, program: &Program, hostile: Option<&Program>, pings: usize) -> (f64, f64) {
    let programs = Programs::new();
    let listener = bench.listener();
    bench.host.block_on(async {
        let stream = bench.guest_echo(&listener, program, &programs).await;
        if let Some(hostile) = hostile {
            bench.start(hostile, &programs, "hostile");
        }
        latency(&stream, pings / 10).await;
        let found = latency(&stream, pings).await;
        end(&programs).await;
        found
    })
}

/// Alternates between round trips with each hostile guest and without one, so that both are
/// measured under the same load of the machine.
fn harm(bench: &Bench, rounds: usize, pings: usize) -> f64 {
    let program = bench.program(ECHO);
    println!("\n| another guest | median | 99th percentile | relative to undisturbed |");
    println!("|---|---:|---:|---:|");
    let (mut worst, mut alone) = (0_f64, Vec::new());
    for (what, text) in HARM {
        let hostile = bench.program(text);
        let (mut disturbed, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let without = beside(bench, &program, None, pings);
            let with = beside(bench, &program, Some(&hostile), pings);
            ratios.push(with.1 / without.1);
            alone.push(without);
            disturbed.push(with);
        }
        let ratio = median(ratios);
        worst = worst.max(ratio);
        let [middle, high] = both(&disturbed);
        println!("| {what} | {middle:.1} µs | {high:.1} µs | {ratio:.2} |");
    }
    let [middle, high] = both(&alone);
    println!("| none | {middle:.1} µs | {high:.1} µs | |");
    worst
}

fn both(found: &[(f64, f64)]) -> [f64; 2] {
    [
        median(found.iter().map(|one| one.0).collect()),
        median(found.iter().map(|one| one.1).collect()),
    ]
}

fn crowd(bench: &Bench, guests: usize) -> f64 {
    let sleeper = bench.program(SLEEPER);
    let before = cpu_time();
    let held = allocator::in_use();
    let mut running = Vec::new();
    for _ in 0..guests {
        let (process, hold) = bench.process(&sleeper);
        let mut run = Box::pin(process.run());
        bench.host.block_on(async { assert!(future::poll_once(&mut run).await.is_none()) });
        running.push((run, hold));
    }
    let start = (cpu_time() - before).as_secs_f64() * 1e6 / guests as f64;
    let memory = (allocator::in_use() - held) as f64 / guests as f64;
    drop(running);
    let bytes = wat::parse_str(ECHO).unwrap();
    let before = cpu_time();
    for _ in 0..100 {
        bench.translator.translate(&bytes).unwrap();
    }
    let translation = (cpu_time() - before).as_secs_f64() * 1e6 / 100.0;

    let ten = bench.program(TEN_SOCKETS);
    let listener = bench.listener();
    let programs = Programs::new();
    let (before, wall) = (cpu_time(), now());
    let streams = bench.host.block_on(async {
        for _ in 0..guests {
            bench.start(&ten, &programs, "ten");
        }
        let mut streams = Vec::new();
        while streams.len() < 10 * guests {
            streams.push(listener.accept().await.unwrap());
        }
        streams
    });
    let (cpu, wall) = (cpu_time() - before, wall.elapsed());
    println!("\n| a guest | |\n|---|---:|");
    println!("| start, from a translated program to its first wait | {start:.1} µs |");
    println!("| translation of {} bytes with all imports | {translation:.0} µs |", bytes.len());
    println!("| memory beside its own 64 KiB page | {:.1} KiB |", memory / 1024.0 - 64.0);
    println!(
        "| {guests} guests with 10 connections each, on one thread | {:.2} s of CPU, {:.2} s |",
        cpu.as_secs_f64(),
        wall.as_secs_f64()
    );
    drop(streams);
    bench.host.block_on(end(&programs));
    memory
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let bench = Bench::new();
    let (rounds, span, pings, guests) = if is_quick {
        (1, Duration::from_millis(50), 500, 100)
    } else {
        (9, Duration::from_millis(300), 10_000, 1_000)
    };
    let ratio = throughput(&bench, rounds, span);
    crowd(&bench, guests);
    let worst = harm(&bench, rounds, pings);
    println!(
        "\nRound trips of a guest relative to a native task: {ratio:.2} (goal ≥ 0.3). \
         99th percentile beside the worst guest, relative to undisturbed: {worst:.2} (goal ≤ 2)."
    );
}
