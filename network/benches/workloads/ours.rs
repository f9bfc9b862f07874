//! Two systems of ours on one executor, joined by a cable: manager, runner, asynchronous sockets.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::command::{
    GetInterface, GetStatistics, ListInterfaces, ListNeighbors, ListRoutes, ListSockets,
};
use devnet_network::driver::Medium;
use devnet_network::platform::{BoxFuture, Clock, Entropy, Instant, Spawner};
use devnet_network::{Manager, Platform, Sockets, TcpListener, TcpSettings, TcpStream, UdpSocket};
use devnet_virtual_file_system::{Credentials, File, Mode, OpenFlags, Path, VirtualFileSystem};

use super::contender::{Contender, End, Outcome};
use super::executor::{Alarm, Executor, Tasks};
use super::{Setup, cpu_time, monotonic};

struct RealClock {
    start: std::time::Instant,
    alarm: Alarm,
}

impl Clock for RealClock {
    fn now(&self) -> Instant {
        Instant::ZERO.after(self.start.elapsed())
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        Box::pin(self.alarm.at(self.start + deadline.since(Instant::ZERO)))
    }
}

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        for chunk in buffer.chunks_mut(8) {
            let number = self
                .0
                .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
                .wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl Spawner for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        Self::spawn(self, task);
        Ok(())
    }
}

struct System {
    files: VirtualFileSystem,
    manager: Manager,
    sockets: Sockets,
}

impl System {
    fn new(platform: Platform, end: devnet_drivers::Cable, host: u8) -> Self {
        let files = VirtualFileSystem::new();
        let manager = Manager::new(files.clone(), platform).unwrap();
        manager.register("net0", Box::new(end), None).unwrap();
        let system = Self { files, sockets: manager.sockets(), manager };
        let text = format!("link up\naddress add 10.0.0.{host}/24\n");
        system.open("/devices/network/net0").try_write(text.as_bytes()).unwrap();
        system
    }

    fn open(&self, path: &str) -> File {
        let path = Path::parse(path).unwrap();
        self.files
            .open(&Credentials::root(), &path, OpenFlags::READ | OpenFlags::WRITE, Mode::empty())
            .unwrap()
    }
}

/// What runs the systems of a pair, in one thread.
pub(crate) trait Runtime: 'static {
    fn new() -> Self;
    /// The platform of a system; its random numbers begin at `seed`.
    fn platform(&self, seed: u8) -> Platform;
    /// Runs `work` and the systems until `work` is done.
    fn run<T>(&self, work: impl Future<Output = T>) -> T;
    async fn sleep(&self, time: Duration);
}

/// The small executor of these benchmarks.
#[derive(Default)]
pub(crate) struct Small {
    executor: Executor,
    alarm: Alarm,
}

impl Runtime for Small {
    fn new() -> Self {
        Self::default()
    }

    fn platform(&self, seed: u8) -> Platform {
        Platform {
            clock: Arc::new(RealClock { start: monotonic(), alarm: self.alarm.clone() }),
            entropy: Arc::new(Counter(AtomicU64::new(u64::from(seed)))),
            spawner: Arc::new(self.executor.tasks()),
        }
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.executor.run(&self.alarm, work)
    }

    async fn sleep(&self, time: Duration) {
        self.alarm.at(monotonic() + time).await;
    }
}

/// Two systems joined by a cable.
pub(crate) struct Ours<R = Small> {
    left: System,
    right: System,
    /// Last, so that the systems go before what runs them.
    runtime: R,
}

/// The link of every pair here: a cable in memory whose packets have checksums and no link header.
pub(crate) fn link(mtu: usize) -> (devnet_drivers::Cable, devnet_drivers::Cable) {
    let hardware = (HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2]));
    devnet_drivers::cable(
        devnet_drivers::CableOptions::default()
            .mtu(mtu)
            .medium(Medium::Ip)
            .hardware(hardware)
            .capacity(1024),
    )
}

fn settings(buffer: usize) -> TcpSettings {
    TcpSettings::default().receive_buffer(Some(buffer)).send_buffer(Some(buffer))
}

fn server(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 2], port))
}

impl<R: Runtime> Contender for Ours<R> {
    type Listener = TcpListener;
    type Stream = TcpStream;
    type Datagrams = UdpSocket;

    fn new(setup: &Setup) -> Self {
        let runtime = R::new();
        let (left, right) = link(setup.mtu);
        let left = System::new(runtime.platform(1), left, 1);
        let right = System::new(runtime.platform(2), right, 2);
        Self { left, right, runtime }
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.run(work)
    }

    async fn sleep(&self, time: Duration) {
        self.runtime.sleep(time).await;
    }

    async fn listen(&self, port: u16, buffer: usize, _: usize) -> Outcome<TcpListener> {
        Ok(TcpListener::bind_with(&self.right.sockets, server(port), 16, settings(buffer))?)
    }

    async fn accept(&self, listener: &mut TcpListener) -> Outcome<TcpStream> {
        Ok(listener.accept().await?)
    }

    async fn connect(&self, port: u16, buffer: usize) -> Outcome<TcpStream> {
        Ok(TcpStream::connect_with(&self.left.sockets, None, server(port), &settings(buffer))
            .await?)
    }

    async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(stream.read(buffer).await?)
    }

    async fn write(stream: &mut TcpStream, data: &[u8]) -> Outcome<usize> {
        Ok(stream.write(data).await?)
    }

    async fn close(stream: TcpStream) -> Outcome<()> {
        drop(stream);
        Ok(())
    }

    async fn bind(&self, end: End, port: u16) -> Outcome<UdpSocket> {
        let (system, host) = if end == End::Left { (&self.left, 1) } else { (&self.right, 2) };
        let socket = UdpSocket::new(&system.sockets);
        socket.bind(SocketAddr::from(([10, 0, 0, host], port)))?;
        Ok(socket)
    }

    async fn send(socket: &mut UdpSocket, data: &[u8], port: u16) -> Outcome<()> {
        Ok(socket.send_to(data, server(port)).await?)
    }

    async fn receive(socket: &mut UdpSocket, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(socket.receive_from(buffer).await?.0)
    }
}

/// What a control call on an open file costs, by command, in nanoseconds of CPU time.
pub(crate) fn control_calls(calls: usize) -> Vec<(&'static str, f64)> {
    let ours = Ours::<Small>::new(&Setup::usual(0));
    let device = ours.left.open("/devices/network/net0");
    let system = ours.left.open("/devices/sockets");
    macro_rules! cost {
        ($file:ident, $command:ty) => {{
            let before = cpu_time();
            ours.run(async {
                for _ in 0..calls {
                    std::hint::black_box($file.control::<$command>(&()).await?);
                }
                Ok::<_, Box<dyn Error>>(())
            })
            .unwrap();
            (cpu_time() - before).as_secs_f64() * 1e9 / calls as f64
        }};
    }
    vec![
        ("GetStatistics", cost!(device, GetStatistics)),
        ("GetInterface", cost!(device, GetInterface)),
        ("ListInterfaces", cost!(system, ListInterfaces)),
    ]
}

/// What the longest lists cost, their encoding and decoding included, in nanoseconds of CPU time
/// per call: neighbors, routes and sockets of one interface.
#[allow(dead_code, reason = "not of every comparison")]
pub(crate) fn long_lists(calls: usize) -> [(&'static str, f64); 3] {
    let runtime = Small::default();
    let (end, _other) = devnet_drivers::cable(devnet_drivers::CableOptions::default());
    let system = System::new(runtime.platform(1), end, 1);
    let device = system.open("/devices/network/net0");
    for number in 0..5_000_u32 {
        let [_, _, high, low] = number.to_be_bytes();
        let line = format!("neighbor add fd00::{number:x} 02:00:00:00:{high:02x}:{low:02x}\n");
        device.try_write(line.as_bytes()).unwrap();
    }
    for number in 0..1_000_u32 {
        let line = format!("route add 172.16.{}.{}/32 via 10.0.0.2\n", number >> 8, number & 255);
        device.try_write(line.as_bytes()).unwrap();
    }
    let bound = system.manager.sockets_on("net0").unwrap();
    let sockets: Vec<UdpSocket> = (0..1_000)
        .map(|number| {
            let socket = UdpSocket::new(&bound);
            socket.bind(SocketAddr::from(([10, 0, 0, 1], 10_000 + number))).unwrap();
            socket
        })
        .collect();
    macro_rules! cost {
        ($command:ty, $count:expr) => {{
            let before = cpu_time();
            for _ in 0..calls {
                let list = device.try_control::<$command>(&()).unwrap();
                assert!(list.len() >= $count, "{}", list.len());
            }
            (cpu_time() - before).as_secs_f64() * 1e9 / calls as f64
        }};
    }
    let lists = [
        ("ListNeighbors of 5,000", cost!(ListNeighbors, 5_000)),
        ("ListRoutes of 1,000", cost!(ListRoutes, 1_000)),
        ("ListSockets of 1,000", cost!(ListSockets, 1_000)),
    ];
    drop(sockets);
    lists
}

/// How often the runners of two idle interfaces woke up in this time.
#[allow(dead_code, reason = "not of every comparison")]
pub(crate) fn idle_wake_ups(time: Duration) -> u64 {
    let ours = Ours::<Small>::new(&Setup::usual(0));
    let polls = || -> u64 {
        let of = |system: &System| {
            system.open("/devices/network/net0").try_control::<GetStatistics>(&()).unwrap().polls
        };
        of(&ours.left) + of(&ours.right)
    };
    // What configuring set off is not counted.
    ours.run(ours.sleep(Duration::from_secs(1)));
    let before = polls();
    ours.run(ours.sleep(time));
    polls() - before
}
