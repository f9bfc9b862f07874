//! Ours beside raw smoltcp, in one run on one thread, per CPU second: `cargo bench`.
//!
//! "Raw" is smoltcp in a tight loop: two interfaces, one plain socket set each, a link in memory. "Ours" are two whole systems (manager, runner,
//! asynchronous sockets) on one executor over a cable in memory. Both compute and verify checksums, use MTU 1500, IP medium and 64 KiB
//! buffers. Each row is the best of several rounds; rounds of both alternate, so that noise of the machine hits both.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that fails may end at once")]

mod ours;
mod raw;

use std::time::Duration;

/// CPU time of this thread.
pub(crate) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What both stacks take for time: monotonic, cheap to read.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn monotonic() -> std::time::Instant {
    std::time::Instant::now()
}

/// Bytes of one ping.
pub(crate) const MESSAGE: usize = 64;
/// Bytes of every TCP buffer of the active connection.
pub(crate) const BUFFER: usize = 64 * 1024;
/// Bytes of the buffers of idle connections.
pub(crate) const IDLE_BUFFER: usize = 4 * 1024;
/// Bytes of an IP packet.
pub(crate) const MTU: usize = 1500;

/// Two systems with one active and `idle` idle connections between them.
pub(crate) trait Pair {
    /// Sends `count` messages there and back, one at a time.
    fn ping_pong(&mut self, count: usize);
    /// Sends `bytes` bytes one way.
    fn bulk(&mut self, bytes: usize);
}

struct Figures {
    round_trips: f64,
    mebibytes: f64,
}

fn measure(pair: &mut dyn Pair, idle: usize, is_linear: bool) -> Figures {
    // Raw smoltcp slows down with every idle socket; the work is chosen so that each round takes a fair time.
    let scale = if is_linear { 1 + idle / 10 } else { 1 };
    let (pings, bytes) = ((200_000 / scale).max(100), ((256 << 20) / scale).max(256 << 10));
    let before = cpu_time();
    pair.ping_pong(pings);
    let between = cpu_time();
    pair.bulk(bytes);
    let after = cpu_time();
    Figures {
        round_trips: pings as f64 / (between - before).as_secs_f64(),
        mebibytes: bytes as f64 / f64::from(1 << 20) / (after - between).as_secs_f64(),
    }
}

fn best(into: &mut Option<Figures>, new: Figures) {
    *into = Some(match into.take() {
        None => new,
        Some(known) => Figures {
            round_trips: known.round_trips.max(new.round_trips),
            mebibytes: known.mebibytes.max(new.mebibytes),
        },
    });
}

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 1 } else { 3 };
    println!(
        "per second of CPU time, one thread, best of {rounds}; ratio to raw without idle connections in brackets\n"
    );
    println!("| idle connections | ping-pong raw | ping-pong ours | bulk raw, MiB | bulk ours, MiB |");
    println!("|---:|---:|---:|---:|---:|");
    let mut base = None;
    let mut own_base = None;
    for idle in [0, 100, 1_000, 10_000] {
        let (mut raw_best, mut our_best) = (None, None);
        let mut raw = raw::RawPair::new(idle);
        let mut ours = ours::OurPair::new(idle);
        for _ in 0..rounds {
            best(&mut raw_best, measure(&mut raw, idle, true));
            best(&mut our_best, measure(&mut ours, idle, false));
        }
        let (Some(raw), Some(ours)) = (raw_best, our_best) else { continue };
        let (raw_trips, raw_bulk) = *base.get_or_insert((raw.round_trips, raw.mebibytes));
        let (own_trips, own_bulk) = *own_base.get_or_insert((ours.round_trips, ours.mebibytes));
        println!(
            "| {idle} | {:.0} ({:.3}) | {:.0} ({:.3}) | {:.0} ({:.3}) | {:.0} ({:.3}) |",
            raw.round_trips,
            raw.round_trips / raw_trips,
            ours.round_trips,
            ours.round_trips / raw_trips,
            raw.mebibytes,
            raw.mebibytes / raw_bulk,
            ours.mebibytes,
            ours.mebibytes / raw_bulk,
        );
        if idle == 10_000 {
            println!(
                "\nours with 10,000 idle connections relative to ours with none: ping-pong {:.3}, bulk {:.3} (goal: at least 0.9)",
                ours.round_trips / own_trips,
                ours.mebibytes / own_bulk
            );
        }
    }
}
