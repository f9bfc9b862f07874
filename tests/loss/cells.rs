//! The cells of the table: which paths are measured, and what Linux made of the same ones.
//!
//! Linux' figures are those of kernel 6.18 to kernel through a bridge with the same link model in
//! real time, iperf3 for 5 s, single runs: differences of 10 % are noise, in the columns of bursts
//! more. Bursts at 25 ms are the mean of 84 runs of `--kernel` (1.2 to 30.7), since single ones say
//! nothing there.

use std::time::Duration;

use devnet_drivers::Chance;
use world::{ETHERNET_OVERHEAD, Quality};

/// Bits per second of the bottleneck.
const RATE: u64 = 1_000_000_000;

/// A one-way delay with the queue that belongs to it.
#[derive(Clone, Copy)]
pub(crate) struct Delay {
    /// In milliseconds, as `--delay` and the table say it.
    pub(crate) name: &'static str,
    pub(crate) one_way: Duration,
    /// Bytes of the drop-tail queue.
    pub(crate) queue: u64,
}

/// What happens to packets, in both directions.
#[derive(Clone, Copy)]
pub(crate) struct Loss {
    /// Percent, as `--loss` and the table say it; `b5` are bursts of 5 on average, `reo` is 3 % of
    /// packets held back.
    pub(crate) name: &'static str,
    /// Lost packets in a million.
    lost: u32,
    burst: u32,
    is_reordered: bool,
}

pub(crate) const DELAYS: [Delay; 3] = [
    Delay { name: "0.1", one_way: Duration::from_micros(100), queue: 1_500_000 },
    Delay { name: "5", one_way: Duration::from_millis(5), queue: 2_300_000 },
    Delay { name: "25", one_way: Duration::from_millis(25), queue: 7_300_000 },
];

pub(crate) const LOSSES: [Loss; 8] = [
    Loss { name: "0", lost: 0, burst: 1, is_reordered: false },
    Loss { name: "0.1", lost: 1_000, burst: 1, is_reordered: false },
    Loss { name: "1", lost: 10_000, burst: 1, is_reordered: false },
    Loss { name: "3", lost: 30_000, burst: 1, is_reordered: false },
    Loss { name: "0.1b5", lost: 1_000, burst: 5, is_reordered: false },
    Loss { name: "1b5", lost: 10_000, burst: 5, is_reordered: false },
    Loss { name: "reo", lost: 0, burst: 1, is_reordered: true },
    Loss { name: "1+reo", lost: 10_000, burst: 1, is_reordered: true },
];

/// Mbit/s of Linux with Cubic, by delay and loss as above.
const LINUX_CUBIC: [[f64; 8]; 3] = [
    [934.0, 652.0, 339.0, 94.0, 816.0, 48.0, 905.0, 333.0],
    [907.0, 42.0, 10.0, 5.3, 92.0, 17.0, 323.0, 10.0],
    [592.0, 18.0, 2.6, 1.5, 35.0, 13.2, 143.0, 2.5],
];

/// The same with BBR.
const LINUX_BBR: [[f64; 8]; 3] = [
    [912.0, 874.0, 855.0, 844.0, 895.0, 860.0, 858.0, 790.0],
    [795.0, 655.0, 749.0, 690.0, 783.0, 866.0, 829.0, 866.0],
    [835.0, 777.0, 230.0, 525.0, 817.0, 765.0, 581.0, 362.0],
];

/// What the sender does about congestion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Algorithm {
    Cubic,
    Reno,
    Bbr,
}

impl Algorithm {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "cubic" => Some(Self::Cubic),
            "reno" => Some(Self::Reno),
            "bbr" => Some(Self::Bbr),
            _ => None,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cubic => "cubic",
            Self::Reno => "reno",
            Self::Bbr => "bbr",
        }
    }
}

/// One cell.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) delay: Delay,
    pub(crate) loss: Loss,
    cubic: f64,
    bbr: f64,
}

impl Cell {
    /// Every cell, row by row.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let grid = DELAYS.into_iter().zip(LINUX_CUBIC.into_iter().zip(LINUX_BBR));
        grid.flat_map(|(delay, (cubic, bbr))| {
            let figures = cubic.into_iter().zip(bbr);
            LOSSES.into_iter().zip(figures).map(move |(loss, (cubic, bbr))| Self {
                delay,
                loss,
                cubic,
                bbr,
            })
        })
    }

    /// What Linux made of it, in Mbit/s. Reno is measured against Cubic, which nobody measured it
    /// against here.
    pub(crate) const fn linux(&self, algorithm: Algorithm) -> f64 {
        match algorithm {
            Algorithm::Cubic | Algorithm::Reno => self.cubic,
            Algorithm::Bbr => self.bbr,
        }
    }

    /// Each direction of the path.
    pub(crate) fn quality(&self) -> Quality {
        Quality {
            rate: Some(RATE),
            overhead: ETHERNET_OVERHEAD,
            queue: self.delay.queue,
            delay: self.delay.one_way,
            loss: Chance::per_million(self.loss.lost),
            burst: self.loss.burst,
            reorder: if self.loss.is_reordered { Chance::percent(3.0) } else { Chance::NEVER },
            ..Quality::PERFECT
        }
    }
}
