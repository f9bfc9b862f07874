//! Ours beside other network stacks, in one run, per second of CPU time.
//!
//!     cargo run --release --manifest-path network/benches/peers/Cargo.toml [-- OPTION…]
//!
//! Each cell (a peer and a task) is a child process with a time limit; repetitions go round over
//! the peers, so that the machine's noise hits all of them. The workloads are those of `cargo
//! bench`, in `../workloads`.
//!
//! | module | owns |
//! |---|---|
//! | [`cell`] | peers and tasks by name; what a child process does |
//! | [`run`] | child processes |
//! | [`results`], [`table`], [`chart`] | medians and ratios, and how they are shown |
//! | [`probes`] | behaviour |
//! | [`tokio_workers`] | ours on tokio; one connection on one and on two workers |
//! | [`embassy`], [`kernel`], [`tokio_smoltcp`], [`ts`] | the peers |
//! | [`pipe`] | a link in memory for those that bring none |

mod cell;
mod chart;
mod embassy;
mod kernel;
mod pipe;
mod probes;
mod results;
mod run;
mod table;
mod tokio_smoltcp;
mod tokio_workers;
mod ts;
#[path = "../../workloads/mod.rs"]
mod workloads;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::{fs, io, thread};

use cell::{Peer, Task};
use results::Results;

#[global_allocator]
static ALLOCATOR: workloads::allocator::Counting =
    workloads::allocator::Counting(std::alloc::System);

const USAGE: &str =
    "usage: devnet-peers [--quick] [--repetitions N] [--peers NAME,…] [--workloads NAME,…]
                    [--chart FILE]
A workload may be named by its start: ping-pong, bulk, udp, connections, memory, control, …;
--list names all.";

/// Bytes of a cell's stack: embassy's sockets are an array that passes over it.
const STACK: usize = 256 << 20;

struct Options {
    is_quick: bool,
    repetitions: usize,
    peers: Vec<Peer>,
    tasks: Vec<Task>,
    chart: Option<String>,
}

fn peer(name: &str) -> Result<Peer, String> {
    Peer::ALL
        .into_iter()
        .find(|peer| peer.name() == name)
        .ok_or_else(|| format!("no peer is called {name}"))
}

fn tasks(names: &str) -> Result<Vec<Task>, String> {
    let is_wanted = |task: &Task| names.split(',').any(|name| task.name().starts_with(name));
    let tasks: Vec<Task> = Task::all().into_iter().filter(is_wanted).collect();
    if tasks.is_empty() { Err(format!("no workload is called {names}")) } else { Ok(tasks) }
}

/// What a child process does.
fn run_cell(peer_name: &str, task_name: &str, is_quick: bool) -> Result<(), String> {
    let peer = peer(peer_name)?;
    let task =
        Task::all().into_iter().find(|task| task.name() == task_name).ok_or("no such workload")?;
    let work = move || task.run(peer, is_quick).map_err(|error| error.to_string());
    let thread =
        thread::Builder::new().stack_size(STACK).spawn(work).map_err(|error| error.to_string())?;
    let (values, note) = thread.join().map_err(|_| "panicked")??;
    run::print(&values, note.as_deref());
    Ok(())
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        is_quick: false,
        repetitions: 3,
        peers: Peer::ALL.to_vec(),
        tasks: Task::all(),
        chart: None,
    };
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().ok_or_else(|| format!("{argument}: a value is missing"));
        match argument.as_str() {
            "--quick" => (options.is_quick, options.repetitions) = (true, 1),
            "--repetitions" => {
                options.repetitions = value()?.parse().map_err(|_| "--repetitions: not a number")?
            }
            "--peers" => options.peers = value()?.split(',').map(peer).collect::<Result<_, _>>()?,
            "--workloads" => options.tasks = tasks(&value()?)?,
            "--chart" => options.chart = Some(value()?),
            "--list" => {
                let peers = Peer::ALL.map(|peer| String::from(peer.name()));
                let tasks: Vec<String> = Task::all().into_iter().map(Task::name).collect();
                return Err(format!("peers: {}\nworkloads: {}", peers.join(" "), tasks.join(" ")));
            }
            _ => return Err(String::from(USAGE)),
        }
    }
    Ok(options)
}

/// Shows the progress of the run.
fn progress(text: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    }
}

fn measure(options: &Options) -> Result<(), String> {
    let mut results = Results::default();
    for repetition in 0..options.repetitions {
        for &task in options.tasks.iter().filter(|task| repetition == 0 || task.is_noisy()) {
            for &peer in options.peers.iter().filter(|peer| task.concerns(**peer)) {
                progress(&format!(
                    "{} of {}: {} {}",
                    repetition + 1,
                    options.repetitions,
                    task.name(),
                    peer.name()
                ));
                results.add(repetition, peer, task, run::cell(peer, task, options.is_quick));
            }
        }
    }
    progress("");
    table::print(&results, &options.peers);
    let Some(path) = &options.chart else { return Ok(()) };
    let chart = chart::draw(&results, &options.peers).map_err(|error| error.to_string())?;
    fs::write(path, chart).map_err(|error| format!("{path}: {error}"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [cell, peer, task, rest @ ..] if cell == "--cell" => {
            run_cell(peer, task, rest.iter().any(|word| word == "--quick"))
        }
        _ => options(arguments.into_iter()).and_then(|options| measure(&options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
