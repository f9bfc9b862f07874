//! Ours compared with raw smoltcp, in one run on one thread, per CPU second: `cargo bench`; `--
//! --quick` for a short run; `-- --fixed WORKLOAD` does a fixed amount of work with ours, for
//! callgrind to count its instructions. With the feature `log` it makes the messages of `debug` and
//! drops them.
//!
//! "Raw" is smoltcp in a tight loop: two interfaces, one plain socket set each, a link in memory.
//! "Ours" are two whole systems (manager, runner, asynchronous sockets) on one executor over a
//! cable in memory. Both compute and verify checksums and use the IP medium. Each figure is the
//! best of several rounds; rounds of both alternate, so that noise of the machine affects both. The
//! workloads are in `../workloads`, which the comparison with other stacks in `../peers` shares.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that fails may end at once"
)]

mod goals;
#[path = "../workloads/mod.rs"]
mod workloads;

use std::time::Duration;

use goals::Goals;
use workloads::contender::AsyncPair;
use workloads::measure::{self, Workload};
use workloads::ours::{self, Ours};
use workloads::raw::RawPair;
use workloads::{Pair, Setup};

#[global_allocator]
static ALLOCATOR: workloads::allocator::Counting =
    workloads::allocator::Counting(std::alloc::System);

/// Makes each message and drops it.
#[cfg(feature = "log")]
struct Sink;

#[cfg(feature = "log")]
impl log::Log for Sink {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        std::hint::black_box(record.args().to_string());
    }

    fn flush(&self) {}
}

/// How long and how often.
struct Effort {
    rounds: usize,
    span: Duration,
    second: Duration,
    idle: &'static [usize],
    calls: usize,
}

const WHOLE: Effort = Effort {
    rounds: 3,
    span: Duration::from_millis(250),
    second: Duration::from_secs(1),
    idle: &[0, 100, 1_000, 10_000],
    calls: 500_000,
};

const QUICK: Effort = Effort {
    rounds: 1,
    span: Duration::from_millis(40),
    second: Duration::from_millis(100),
    idle: &[0, 1_000],
    calls: 20_000,
};

/// A figure of both.
#[derive(Clone, Copy, Default)]
struct Both {
    raw: f64,
    ours: f64,
}

impl Both {
    /// The better of each.
    fn best(self, other: Self) -> Self {
        Self { raw: self.raw.max(other.raw), ours: self.ours.max(other.ours) }
    }

    fn ratio(self) -> f64 {
        self.ours / self.raw
    }
}

/// The best rates of some workloads on the same pairs.
fn best<const N: usize>(effort: &Effort, workloads: [Workload; N]) -> [Both; N] {
    let setup = workloads[0].setup();
    let (mut raw, mut ours) = (RawPair::new(&setup), AsyncPair::<Ours>::new(&setup));
    let mut rates = [Both::default(); N];
    for _ in 0..effort.rounds {
        for (known, workload) in rates.iter_mut().zip(workloads) {
            let rate = |pair: &mut dyn Pair| workload.measure(pair, effort.span).value;
            *known = known.best(Both { raw: rate(&mut raw), ours: rate(&mut ours) });
        }
    }
    rates
}

fn idle_connections(effort: &Effort, goals: &mut Goals) {
    println!(
        "| idle connections | ping-pong raw | ping-pong ours | bulk raw, MiB | bulk ours, MiB |"
    );
    println!("|---:|---:|---:|---:|---:|");
    let mut base = None;
    let mut last = None;
    for &idle in effort.idle {
        let rates = best(effort, [Workload::PingPong { idle }, Workload::Bulk { idle }]);
        let [ping, bulk] = rates;
        let [ping_base, bulk_base] = *base.get_or_insert(rates);
        println!(
            "| {idle} | {:.0} ({:.3}) | {:.0} ({:.3}) | {:.0} ({:.3}) | {:.0} ({:.3}) |",
            ping.raw,
            ping.raw / ping_base.raw,
            ping.ours,
            ping.ours / ping_base.raw,
            bulk.raw,
            bulk.raw / bulk_base.raw,
            bulk.ours,
            bulk.ours / bulk_base.raw,
        );
        last = Some((ping.ours / ping_base.ours, bulk.ours / bulk_base.ours));
    }
    let (Some([ping, bulk]), Some((idle_ping, idle_bulk))) = (base, last) else { return };
    goals.at_least(
        "ping-pong with the most idle connections, relative to ours with none",
        0.9,
        idle_ping,
    );
    goals.at_least(
        "bulk with the most idle connections, relative to ours with none",
        0.9,
        idle_bulk,
    );
    goals.at_least("ping-pong, relative to raw", 0.5, ping.ratio());
    goals.at_least("bulk at MTU 1500, relative to raw", 0.85, bulk.ratio());
}

fn other_rates(effort: &Effort, goals: &mut Goals) {
    println!("\n| workload | raw | ours | ours relative to raw |");
    println!("|---|---:|---:|---:|");
    let line = |name: &str, both: Both| {
        println!("| {name} | {:.0} | {:.0} | {:.3} |", both.raw, both.ours, both.ratio());
        both.ratio()
    };
    let [large] = best(effort, [Workload::BulkLarge]);
    line("bulk at MTU 65535, MiB", large);
    let [small, full] =
        best(effort, [Workload::Datagrams { size: 64 }, Workload::Datagrams { size: 1_400 }]);
    goals.at_least("UDP 64 B, relative to raw", 0.6, line("UDP 64 B, datagrams received", small));
    goals.at_least(
        "UDP 1400 B, relative to raw",
        0.75,
        line("UDP 1400 B, datagrams received", full),
    );
    let mut seconds = [Both::default(); 3];
    let mut failure = None;
    for _ in 0..effort.rounds {
        // New pairs: the remains of old connections must not help or hinder.
        let raw = measure::connections(&mut RawPair::new(&Setup::usual(0)), effort.second);
        let ours =
            measure::connections(&mut AsyncPair::<Ours>::new(&Setup::usual(0)), effort.second);
        for (known, (raw, ours)) in seconds.iter_mut().zip(raw.rates.into_iter().zip(ours.rates)) {
            *known = known.best(Both { raw, ours });
        }
        failure = failure.or(ours.failure);
    }
    line("connections, first second", seconds[0]);
    line("connections, third second", seconds[2]);
    if let Some(failure) = failure {
        println!("\nconnections of ours ended early: {failure}");
    }
    goals.at_least(
        "connections, third second relative to first",
        0.95,
        seconds[2].ours / seconds[0].ours,
    );
}

fn amounts(effort: &Effort, goals: &mut Goals) {
    let idle = effort.idle.last().copied().unwrap_or(0);
    let raw = measure::memory(RawPair::new, idle);
    let ours = measure::memory(AsyncPair::<Ours>::new, idle);
    println!("\n| amount | raw | ours |");
    println!("|---|---:|---:|");
    println!(
        "| bytes per end of an idle connection, two buffers of 4 KiB included \
         ({idle} connections) | {raw:.0} | {ours:.0} |"
    );
    goals.at_most("memory per idle connection, its empty buffers included", "B", 1024.0, ours);
    let mut slowest = 0.0_f64;
    for (command, nanoseconds) in ours::control_calls(effort.calls) {
        println!("| control call {command}, ns | – | {nanoseconds:.0} |");
        slowest = slowest.max(nanoseconds);
    }
    goals.at_most(
        "control call on an open device, the slowest of the above",
        "ns",
        1000.0,
        slowest,
    );
    let mut longest = 0.0_f64;
    for (command, nanoseconds) in ours::long_lists(effort.calls / 5_000) {
        println!("| control call {command}, µs | – | {:.0} |", nanoseconds / 1e3);
        longest = longest.max(nanoseconds / 1e3);
    }
    goals.at_most(
        "the longest of these lists, its encoding and decoding included",
        "µs",
        1000.0,
        longest,
    );
    let wake_ups =
        ours::idle_wake_ups(effort.second * 3) as f64 / (effort.second * 3).as_secs_f64();
    println!("| wake-ups per second, two idle interfaces | – | {wake_ups:.0} |");
    goals.at_most("idle interface, wake-ups per second", "/s", 0.0, wake_ups);
}

/// A workload of a fixed size. A machine that does other things beside changes its time, but not
/// the instructions it takes.
fn fixed(workload: &str) -> Result<(), String> {
    let mut pair = AsyncPair::<Ours>::new(&Setup::usual(0));
    match workload {
        "none" => {}
        "ping-pong" => pair.ping_pong(2_000),
        "bulk" => pair.bulk(4 << 20),
        "udp-64" => drop(pair.datagrams(64, 5_000)),
        "udp-1400" => drop(pair.datagrams(1_400, 5_000)),
        "connections" => {
            for _ in 0..20 {
                pair.connections(16).map_err(|error| error.to_string())?;
            }
        }
        _ => {
            return Err(format!(
                "{workload}: no such workload; none, ping-pong, bulk, udp-64, udp-1400, connections"
            ));
        }
    }
    Ok(())
}

fn main() -> Result<(), String> {
    #[cfg(feature = "log")]
    log::set_logger(&Sink)
        .map(|()| log::set_max_level(log::LevelFilter::Debug))
        .map_err(|error| error.to_string())?;
    let mut arguments = std::env::args().skip_while(|argument| argument != "--fixed").skip(1);
    if let Some(workload) = arguments.next() {
        return fixed(&workload);
    }
    let effort = if std::env::args().any(|argument| argument == "--quick") { QUICK } else { WHOLE };
    let rounds = effort.rounds;
    println!(
        "per second of CPU time, one thread, best of {rounds}; \
         ratio to raw without idle connections in brackets\n"
    );
    let mut goals = Goals::default();
    idle_connections(&effort, &mut goals);
    other_rates(&effort, &mut goals);
    amounts(&effort, &mut goals);
    goals.print();
    Ok(())
}
