//! One peer doing one thing: what a child process of the program runs.

use std::time::Duration;

use crate::embassy::Embassy;
use crate::kernel::Kernel;
use crate::probes::Probe;
use crate::tokio_smoltcp::TokioSmoltcp;
use crate::tokio_workers::{self, Placement, Tokio, Work};
use crate::ts::Ts;
use crate::workloads::contender::{AsyncPair, Outcome};
use crate::workloads::measure::{self, Workload};
use crate::workloads::ours::{self, Ours};
use crate::workloads::raw::RawPair;
use crate::workloads::{Pair, Setup};

/// Connections beside which the memory of one is measured.
const MEMORY_CONNECTIONS: usize = 1_000;
/// Idle connections of the scaling rows.
pub(crate) const IDLE: [usize; 4] = [0, 100, 1_000, 10_000];

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    Raw,
    Ours,
    OursOnTokio,
    Embassy,
    TokioSmoltcp,
    Ts,
    Kernel,
}

impl Peer {
    pub(crate) const ALL: [Self; 7] = [
        Self::Raw,
        Self::Ours,
        Self::OursOnTokio,
        Self::Embassy,
        Self::TokioSmoltcp,
        Self::Ts,
        Self::Kernel,
    ];

    /// For the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Ours => "ours",
            Self::OursOnTokio => "ours-on-tokio",
            Self::Embassy => "embassy-net",
            Self::TokioSmoltcp => "tokio-smoltcp",
            Self::Ts => "ts_netstack_smoltcp",
            Self::Kernel => "kernel",
        }
    }

    /// For readers.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Raw => "raw smoltcp 0.14",
            Self::Ours => "ours",
            Self::OursOnTokio => "ours on tokio",
            Self::Embassy => "embassy-net 0.9.1",
            Self::TokioSmoltcp => "tokio-smoltcp 0.7.0",
            Self::Ts => "ts_netstack_smoltcp 0.6.1",
            Self::Kernel => "kernel loopback ¹",
        }
    }

    fn pair(self, setup: &Setup) -> Box<dyn Pair> {
        match self {
            Self::Raw => Box::new(RawPair::new(setup)),
            Self::Ours => Box::new(AsyncPair::<Ours>::new(setup)),
            Self::OursOnTokio => Box::new(AsyncPair::<Ours<Tokio>>::new(setup)),
            Self::Embassy => Box::new(AsyncPair::<Embassy>::new(setup)),
            Self::TokioSmoltcp => Box::new(AsyncPair::<TokioSmoltcp>::new(setup)),
            Self::Ts => Box::new(AsyncPair::<Ts>::new(setup)),
            Self::Kernel => Box::new(AsyncPair::<Kernel>::new(setup)),
        }
    }

    fn probe(self, probe: Probe) -> Outcome<()> {
        match self {
            Self::Raw => Err("no asynchronous sockets".into()),
            Self::Ours => probe.run::<Ours>(),
            Self::OursOnTokio => probe.run::<Ours<Tokio>>(),
            Self::Embassy => probe.run::<Embassy>(),
            Self::TokioSmoltcp => probe.run::<TokioSmoltcp>(),
            Self::Ts => probe.run::<Ts>(),
            Self::Kernel => probe.run::<Kernel>(),
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    Rate(Workload),
    Connections,
    Memory,
    Control,
    Probe(Probe),
    /// On a tokio runtime.
    Workers(Work, Placement),
}

impl Task {
    /// In the order of the table.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        all.extend(IDLE.map(|idle| Self::Rate(Workload::PingPong { idle })));
        all.extend(IDLE.map(|idle| Self::Rate(Workload::Bulk { idle })));
        all.push(Self::Rate(Workload::BulkLarge));
        all.extend([64, 1_400].map(|size| Self::Rate(Workload::Datagrams { size })));
        all.extend([Self::Connections, Self::Memory, Self::Control]);
        all.extend(Probe::ALL.map(Self::Probe));
        for work in Work::ALL {
            all.extend(Placement::ALL.map(|placement| Self::Workers(work, placement)));
        }
        all
    }

    /// For the command line.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Rate(Workload::PingPong { idle }) => format!("ping-pong-{idle}"),
            Self::Rate(Workload::Bulk { idle }) => format!("bulk-{idle}"),
            Self::Rate(Workload::BulkLarge) => String::from("bulk-large"),
            Self::Rate(Workload::Datagrams { size }) => format!("udp-{size}"),
            Self::Connections => String::from("connections"),
            Self::Memory => String::from("memory"),
            Self::Control => String::from("control"),
            Self::Probe(probe) => String::from(probe.name()),
            Self::Workers(work, placement) => {
                format!("workers-{}-{}", placement.name(), work.name())
            }
        }
    }

    /// Whether there is such a thing for this peer.
    pub(crate) fn concerns(self, peer: Peer) -> bool {
        match self {
            Self::Rate(_) | Self::Connections => true,
            // The kernel's memory is not the process's.
            Self::Memory => peer != Peer::Kernel,
            Self::Control => peer == Peer::Ours,
            Self::Probe(_) => peer != Peer::Raw,
            Self::Workers(_, Placement::Beside) => peer == Peer::OursOnTokio,
            Self::Workers(..) => {
                matches!(peer, Peer::OursOnTokio | Peer::TokioSmoltcp | Peer::Kernel)
            }
        }
    }

    /// Whether it is measured again and again.
    pub(crate) const fn is_noisy(self) -> bool {
        matches!(self, Self::Rate(_) | Self::Connections | Self::Control | Self::Workers(..))
    }

    /// Measures. The figures follow each other; a note has everything else.
    pub(crate) fn run(self, peer: Peer, is_quick: bool) -> Outcome<(Vec<f64>, Option<String>)> {
        let span = Duration::from_millis(if is_quick { 40 } else { 250 });
        match self {
            Self::Rate(workload) => {
                let rate = workload.measure(&mut *peer.pair(&workload.setup()), span);
                let note = (rate.busy < 0.2)
                    .then(|| format!("waits {:.0} % of the time", (1.0 - rate.busy) * 100.0));
                Ok((vec![rate.value], note))
            }
            Self::Connections => {
                let outcome = measure::connections(&mut *peer.pair(&Setup::usual(0)), span * 4);
                Ok((outcome.rates.to_vec(), outcome.failure))
            }
            Self::Memory => {
                let bytes = measure::memory(|setup| peer.pair(setup), MEMORY_CONNECTIONS);
                Ok((vec![bytes], None))
            }
            Self::Control => {
                let calls = ours::control_calls(if is_quick { 20_000 } else { 200_000 });
                Ok((calls.into_iter().map(|(_, nanoseconds)| nanoseconds).collect(), None))
            }
            Self::Workers(work, placement) => {
                let rates = match peer {
                    Peer::TokioSmoltcp => {
                        tokio_workers::measure::<TokioSmoltcp>(work, placement, span)
                    }
                    Peer::Kernel => tokio_workers::measure::<Kernel>(work, placement, span),
                    _ => tokio_workers::measure::<Ours<Tokio>>(work, placement, span),
                }?;
                Ok((vec![rates.of_time, rates.of_cpu_time], None))
            }
            Self::Probe(probe) => Ok(match peer.probe(probe) {
                Ok(()) => (vec![1.0], None),
                Err(why) => (vec![0.0], Some(why.to_string())),
            }),
        }
    }
}
