//! The loss table: what one bulk sender of ours makes of a gigabit path that delays, loses and
//! reorders, beside what Linux made of it.
//!
//! `cargo run --release -p devnet-tests --bin loss -- [--check] [--seeds N] [--from S] [--seconds
//! N] [--delay 0.1,5,25] [--loss 0,0.1,1,3,0.1b5,1b5,reo,1+reo] [--algorithm cubic|reno|bbr]
//! [--buffer BYTES] [--kernel]` prints one table in Markdown. Time is virtual: the same seeds give
//! the same figures everywhere. With `--check` it fails when a cell has less than 0.8 of Linux'
//! goodput. A wrong byte always fails.
//!
//! | file | owns |
//! |---|---|
//! | `cells` | the paths, and Linux' figures |
//! | `run` | one run |
//! | `kernel` | one run of the Linux kernel, in real time (`--kernel`) |
//! | here | arguments, the mean of several runs, the table |

mod cells;
mod kernel;
mod run;

use std::process::ExitCode;

use self::cells::{Algorithm, Cell};
use self::run::Outcome;

/// The least share of Linux' goodput that is good enough.
const ENOUGH: f64 = 0.8;

/// What was asked for.
struct Options {
    seeds: std::ops::Range<u64>,
    seconds: u64,
    /// Bytes of both ends' buffers, if they are not to grow by themselves.
    buffer: Option<u64>,
    /// Names of delays and losses; none for all.
    delays: Vec<String>,
    losses: Vec<String>,
    algorithm: Algorithm,
    is_check: bool,
    /// Measures the Linux kernel instead.
    is_kernel: bool,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let value = |name: &str| {
            let place = arguments.iter().position(|argument| argument == name)?;
            Some(arguments.get(place + 1).cloned().unwrap_or_default())
        };
        let number = |name: &str, default: u64| {
            value(name).map_or(Ok(default), |text| {
                text.parse().map_err(|_| format!("{name} {text}: not a number"))
            })
        };
        let list = |name: &str| {
            value(name).map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>())
        };
        let first = number("--from", 1)?;
        let algorithm = value("--algorithm").unwrap_or("cubic".to_owned());
        Ok(Self {
            seeds: first..first + number("--seeds", 3)?.max(1),
            seconds: number("--seconds", 5)?.max(1),
            buffer: value("--buffer").map(|_| number("--buffer", 0)).transpose()?,
            delays: list("--delay").unwrap_or_default(),
            losses: list("--loss").unwrap_or_default(),
            algorithm: Algorithm::parse(&algorithm)
                .ok_or(format!("--algorithm {algorithm}: not known"))?,
            is_check: arguments.iter().any(|argument| argument == "--check"),
            is_kernel: arguments.iter().any(|argument| argument == "--kernel"),
        })
    }

    fn wants(&self, cell: &Cell) -> bool {
        let has = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|wanted| wanted == name)
        };
        has(&self.delays, cell.delay.name) && has(&self.losses, cell.loss.name)
    }
}

/// The mean of a cell's runs.
struct Mean {
    /// Mbit/s.
    goodput: f64,
    /// Of Linux' goodput.
    share: f64,
    /// Expired retransmission timers of a run.
    timeouts: Option<f64>,
    corrupt: u64,
    /// Mbit/s of the worst and the best run.
    spread: (f64, f64),
    /// Percent of the sender's packets that the queue had no room for.
    overflowed: f64,
}

impl Mean {
    fn of(cell: &Cell, options: &Options, outcomes: &[Outcome]) -> Self {
        let count = outcomes.len() as f64;
        let goodputs =
            outcomes.iter().map(|outcome| outcome.bytes as f64 * 8e-6 / options.seconds as f64);
        let goodput = goodputs.clone().sum::<f64>() / count;
        let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>() as f64;
        Self {
            goodput,
            share: goodput / cell.linux(options.algorithm),
            timeouts: outcomes
                .iter()
                .map(|outcome| outcome.timeouts)
                .sum::<Option<u64>>()
                .map(|sum| sum as f64 / count),
            corrupt: outcomes.iter().map(|outcome| outcome.corrupt).sum(),
            spread: (goodputs.clone().fold(f64::MAX, f64::min), goodputs.fold(0.0, f64::max)),
            overflowed: 100.0 * sum(|outcome| outcome.packets.overflowed)
                / sum(|outcome| outcome.packets.sent).max(1.0),
        }
    }

    fn row(&self, cell: &Cell, algorithm: Algorithm) -> String {
        let timeouts = self.timeouts.map_or("–".to_owned(), |timeouts| format!("{timeouts:.1}"));
        let (delay, loss, linux) = (cell.delay.name, cell.loss.name, cell.linux(algorithm));
        let (goodput, share, corrupt, overflowed) =
            (self.goodput, self.share, self.corrupt, self.overflowed);
        let (least, most) = self.spread;
        format!(
            "| {delay} | {loss} | {goodput:.1} | {least:.1}–{most:.1} | {linux} | {share:.2} | \
            {timeouts} | {overflowed:.2} | {corrupt} |"
        )
    }
}

fn measure(cell: &Cell, options: &Options) -> Mean {
    let run = |seed| {
        if options.is_kernel {
            return kernel::run(cell, seed, options.seconds, options.algorithm).unwrap_or_else(
                |problem| {
                    eprintln!("{problem}");
                    std::process::exit(1);
                },
            );
        }
        let outcome = run::run(cell, seed, options.seconds, options.algorithm, options.buffer);
        if outcome.corrupt > 0 {
            eprintln!(
                "{} of {} bytes are wrong; repeat with: cargo run --release -p devnet-tests --bin \
                loss -- --from {seed} --seeds 1 \
                 --seconds {}{} --delay {} --loss {} --algorithm {}",
                outcome.corrupt,
                outcome.bytes,
                options.seconds,
                options.buffer.map(|bytes| format!(" --buffer {bytes}")).unwrap_or_default(),
                cell.delay.name,
                cell.loss.name,
                options.algorithm.name()
            );
        }
        outcome
    };
    Mean::of(cell, options, &options.seeds.clone().map(run).collect::<Vec<_>>())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::read(&arguments) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let name = options.algorithm.name();
    println!(
        "1 Gbit/s, {} s, seeds {:?}, {name}; Mbit/s of data read, Linux' beside.\n",
        options.seconds, options.seeds
    );
    println!(
        "| one way ms | loss % | Mbit/s | worst–best run | Linux | ratio | RTOs per run | queue \
        drops % | wrong bytes |"
    );
    println!("|--:|---|--:|--:|--:|--:|--:|--:|--:|");
    let mut means = Vec::new();
    for cell in Cell::all().filter(|cell| options.wants(cell)) {
        let mean = measure(&cell, &options);
        println!("{}", mean.row(&cell, options.algorithm));
        means.push(mean);
    }
    let enough = means.iter().filter(|mean| mean.share >= ENOUGH).count();
    let better = means.iter().filter(|mean| mean.share > 1.0).count();
    let corrupt = means.iter().map(|mean| mean.corrupt).sum::<u64>();
    println!(
        "\n{enough} of {} cells reach {ENOUGH} of Linux, {better} exceed it; {corrupt} wrong \
        bytes.",
        means.len()
    );
    let is_bad = corrupt > 0 || options.is_check && (means.is_empty() || enough < means.len());
    if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
