//! The same runs with the Linux kernel at both ends, in real time: two TUN devices, one of them in
//! a namespace of its own, and the path between them. For the figures that stand in
//! [`cells`](crate::cells); needs root and iperf3, and must run in a namespace (`unshare -n`).

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devnet_drivers::{Tap, TapKind, TapOptions};
use devnet_network::driver::{Driver, FramePool};
use devnet_network::platform::Instant;
use rustix::time::{ClockId, clock_gettime};
use world::{Path, PathEnd, World};

use crate::cells::{Algorithm, Cell};
use crate::run::Outcome;

/// How long the forwarder rests when nothing is due.
const REST: Duration = Duration::from_micros(20);

fn monotonic() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Runs a command to its end; returns what it printed.
fn sh(command: &str) -> Result<String, String> {
    let output =
        Command::new("sh").args(["-c", command]).output().map_err(|why| why.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &str) -> Result<Ended, String> {
    let mut shell = Command::new("sh");
    let child = shell.args(["-c", &format!("exec {command}")]).stdout(Stdio::null()).spawn();
    child.map(Ended).map_err(|why| why.to_string())
}

/// Takes what came in at one device across the path, and what is due out at the other.
fn forward(from: &mut Tap, into: &mut PathEnd, pool: &mut FramePool) -> bool {
    let mut has_moved = false;
    while let Some(frame) = from.receive(pool) {
        // A path takes everything, and loses by its own rules.
        let _ = into.transmit(frame, pool);
        has_moved = true;
    }
    while let Some(frame) = into.receive(pool) {
        if let Err(frame) = from.transmit(frame, pool) {
            pool.put(frame);
        }
        has_moved = true;
    }
    has_moved
}

/// Moves packets until it is told to stop. The world's clock follows the real one.
fn bridge(world: &World, path: &Path, taps: (Tap, Tap), is_over: &AtomicBool) {
    let ((mut left, mut right), (mut first, mut second)) = (taps, path.ends(1500));
    let (mut pool, began) = (FramePool::default(), monotonic());
    while !is_over.load(Ordering::Relaxed) {
        let now = monotonic() - began;
        world.clock.set(Instant::ZERO.after(now));
        let has_moved =
            forward(&mut left, &mut first, &mut pool) | forward(&mut right, &mut second, &mut pool);
        if !has_moved {
            let _ = rustix::thread::nanosleep(&rustix::time::Timespec {
                tv_sec: 0,
                tv_nsec: i64::from(REST.subsec_nanos()),
            });
        }
    }
}

/// Expired retransmission timers of this namespace.
fn timeouts() -> Result<u64, String> {
    let text = std::fs::read_to_string("/proc/thread-self/net/netstat");
    let text = text.map_err(|why| why.to_string())?;
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut pairs = names.split(' ').zip(values.split(' '));
    let found = pairs.find(|(name, _)| *name == "TCPTimeouts");
    found.and_then(|(_, value)| value.parse().ok()).ok_or("no TCPTimeouts".to_owned())
}

/// Sends for so many seconds.
///
/// # Errors
/// What is missing here.
pub(crate) fn run(
    cell: &Cell,
    seed: u64,
    seconds: u64,
    algorithm: Algorithm,
) -> Result<Outcome, String> {
    let world = World::new(seed);
    let path = Path::new(&world, cell.quality());
    let open = |name: &str| {
        sh(&format!("ip tuntap add dev {name} mode tun && ip link set {name} txqueuelen 10000"))?;
        Tap::open(name, TapKind::Tun, TapOptions::default()).map_err(|why| why.to_string())
    };
    let taps = (open("left")?, open("right")?);
    let other = start("unshare -n sleep 600")?;
    let inside = format!("nsenter -t {} -n", other.0.id());
    // Until the other namespace exists, the interface would come back.
    sh(&format!(
        "for i in $(seq 100); do
            [ \"$(readlink /proc/{0}/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ] && break
            sleep 0.05
        done
        ip link set right netns {0} && ip addr add 10.9.0.1/24 dev left && ip link set left up &&
        {inside} ip addr add 10.9.0.2/24 dev right && {inside} ip link set right up",
        other.0.id()
    ))?;
    let is_over = Arc::new(AtomicBool::new(false));
    let forwarder = {
        let (is_over, path) = (Arc::clone(&is_over), path.clone());
        std::thread::spawn(move || bridge(&world, &path, taps, &is_over))
    };
    let server = start(&format!("{inside} iperf3 -s -1"))?;
    let before = timeouts()?;
    let outcome = sh(&format!(
        "sleep 0.5; timeout {} iperf3 -c 10.9.0.2 -t {seconds} -C {} -J",
        seconds + 30,
        algorithm.name()
    ));
    let after = timeouts()?;
    is_over.store(true, Ordering::Relaxed);
    drop((server, other));
    let _ = forwarder.join();
    let _ = sh("ip link del left");
    // The receiver's bytes, at the end of the report.
    let text = outcome?;
    let sum = text.rsplit("\"sum_received\"").next().unwrap_or_default();
    let bytes = sum.split("\"bytes\":").nth(1).and_then(|rest| rest.split(',').next());
    let bytes = bytes.and_then(|number| number.trim().parse().ok()).ok_or("no report")?;
    let packets = path.counters(0);
    Ok(Outcome { bytes, corrupt: 0, timeouts: Some(after - before), packets })
}
