//! From workloads to figures: each is repeated until it has taken enough CPU time, and counted per
//! second of it.

use std::time::Duration;

use super::{LARGE_MTU, Pair, Setup, allocator, cpu_time, monotonic};

/// Short connections between two reads of the clock.
const BATCH: usize = 16;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Workload {
    /// Messages there and back, beside idle connections.
    PingPong { idle: usize },
    /// MiB one way, beside idle connections.
    Bulk { idle: usize },
    /// MiB one way in the largest packets.
    BulkLarge,
    /// Datagrams of so many bytes one way.
    Datagrams { size: usize },
}

impl Workload {
    /// The pair that it needs.
    pub(crate) const fn setup(self) -> Setup {
        match self {
            Self::PingPong { idle } | Self::Bulk { idle } => Setup::usual(idle),
            Self::BulkLarge => Setup::large(),
            Self::Datagrams { .. } => Setup::usual(0),
        }
    }

    /// Its figure: round trips, MiB or datagrams per second of CPU time.
    pub(crate) fn measure(self, pair: &mut dyn Pair, span: Duration) -> Rate {
        match self {
            Self::PingPong { .. } => rate(span, 16, |count| {
                pair.ping_pong(count);
                count as f64
            }),
            Self::Bulk { .. } | Self::BulkLarge => {
                rate(span, if self.setup().mtu == LARGE_MTU { 64 } else { 4 }, |count| {
                    pair.bulk(count << 16);
                    count as f64 / 16.0
                })
            }
            Self::Datagrams { size } => rate(span, 64, |count| pair.datagrams(size, count) as f64),
        }
    }
}

/// Something per second of CPU time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    pub(crate) value: f64,
    /// The share of the time in which the process ran. Much less than 1 means that it waited for
    /// timers, or for other processes.
    #[allow(dead_code, reason = "for those who may wait")]
    pub(crate) busy: f64,
}

/// Repeats work, in growing numbers, until one go has taken long enough to be counted.
fn rate(span: Duration, first: usize, mut work: impl FnMut(usize) -> f64) -> Rate {
    let (mut count, start) = (first, monotonic());
    loop {
        let (wall, before) = (monotonic(), cpu_time());
        let done = work(count);
        let (took, wall) = (cpu_time() - before, wall.elapsed());
        let is_patient = start.elapsed() < span * 20;
        if took > span / 2 || !is_patient {
            return Rate {
                value: done / took.as_secs_f64(),
                busy: took.as_secs_f64() / wall.as_secs_f64(),
            };
        }
        let factor = span.as_secs_f64() / took.max(wall / 20).as_secs_f64().max(1e-9);
        count = (count as f64 * factor.clamp(1.5, 64.0)) as usize;
    }
}

/// The results of short connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections {
    /// Per second of CPU time, in each of three spans one after the other.
    pub(crate) rates: [f64; 3],
    /// Why they ended early, and after how many.
    pub(crate) failure: Option<String>,
}

/// Makes short connections, one after the other.
pub(crate) fn connections(pair: &mut dyn Pair, span: Duration) -> Connections {
    let mut outcome = Connections::default();
    let mut all = 0;
    for rate in &mut outcome.rates {
        let (start, before, former) = (monotonic(), cpu_time(), all);
        while start.elapsed() < span && outcome.failure.is_none() {
            match pair.connections(BATCH) {
                Ok(()) => all += BATCH,
                Err(error) => outcome.failure = Some(format!("{error}, after {all} connections")),
            }
        }
        *rate = (all - former) as f64 / (cpu_time() - before).as_secs_f64();
    }
    outcome
}

/// Bytes per end of an idle established connection, whatever its buffers take included.
pub(crate) fn memory<P>(make: impl Fn(&Setup) -> P, idle: usize) -> f64 {
    let taken = |idle| {
        let before = allocator::in_use();
        let pair = make(&Setup::usual(idle));
        let taken = allocator::in_use() - before;
        drop(pair);
        taken as f64
    };
    // The first pair also pays for what a process has once.
    taken(1);
    (taken(idle) - taken(0)) / (2 * idle) as f64
}
