//! The table, in Markdown: one line per figure, one column per peer, remarks below.

use crate::cell::{IDLE, Peer, Task};
use crate::probes::Probe;
use crate::results::Results;
use crate::tokio_workers::{Placement, Work};
use crate::workloads::measure::Workload;

/// Prints lines and gathers remarks.
struct Table<'a> {
    results: &'a Results,
    peers: &'a [Peer],
    remarks: Vec<String>,
}

/// Round numbers: 1604k, 3592, 0.7.
fn short(value: f64) -> String {
    match value {
        value if value >= 100_000.0 => format!("{:.0}k", value / 1000.0),
        value if value >= 10.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}

/// A ratio with as many places as it needs.
fn ratio(value: f64) -> String {
    if value >= 0.1 {
        format!("{value:.2}")
    } else if value >= 0.001 {
        format!("{value:.3}")
    } else {
        format!("{value:.5}")
    }
}

impl Table<'_> {
    /// One line, if anything of it was measured.
    fn line(&mut self, title: &str, task: Task, show: impl Fn(&Results, Peer) -> Option<String>) {
        if !self.results.has(task) {
            return;
        }
        let mut line = format!("| {title} |");
        for &peer in self.peers {
            let shown = show(self.results, peer);
            let note = self.results.note(peer, task);
            if let Some(note) = note {
                let remark =
                    format!("{}, {}: {note}", peer.title().trim_end_matches(" ¹"), task.name());
                if !self.remarks.contains(&remark) {
                    self.remarks.push(remark);
                }
            }
            let failed = note.map_or("–", |_| "failed");
            line.push_str(&format!(" {} |", shown.as_deref().unwrap_or(failed)));
        }
        println!("{line}");
    }

    /// A rate, with its ratio to raw at `base` in the same round.
    fn rate(&mut self, title: &str, task: Task, index: usize, base: Task) {
        self.line(title, task, |results, peer| {
            // No figure for this span: it ended early, and a remark has the reason.
            let value = short(results.median(peer, task, index).filter(|value| *value > 0.0)?);
            Some(match results.ratio((peer, task, index), (Peer::Raw, base, index)) {
                Some(to_raw) => format!("{value} ({})", ratio(to_raw)),
                None => value,
            })
        });
    }

    fn amount(&mut self, title: &str, task: Task, index: usize) {
        self.line(title, task, |results, peer| {
            Some(format!("{:.0}", results.median(peer, task, index)?))
        });
    }

    fn rates(&mut self) {
        let (ping, bulk) = (
            |idle| Task::Rate(Workload::PingPong { idle }),
            |idle| Task::Rate(Workload::Bulk { idle }),
        );
        self.rate("ping-pong 64 B, round trips", ping(0), 0, ping(0));
        self.rate("bulk, MTU 1500, MiB", bulk(0), 0, bulk(0));
        let large = Task::Rate(Workload::BulkLarge);
        self.rate("bulk, MTU 65535, MiB", large, 0, large);
        for size in [64, 1_400] {
            let task = Task::Rate(Workload::Datagrams { size });
            self.rate(&format!("UDP {size} B, datagrams received"), task, 0, task);
        }
        let connections = Task::Connections;
        self.rate("connections, first second", connections, 0, connections);
        self.rate("connections, third second", connections, 2, connections);
        self.line("connections, third second relative to first", connections, |results, peer| {
            results
                .ratio((peer, connections, 2), (peer, connections, 0))
                .filter(|value| *value > 0.0)
                .map(ratio)
        });
        self.line(
            "connections, first second relative to embassy-net",
            connections,
            |results, peer| {
                results.ratio((peer, connections, 0), (Peer::Embassy, connections, 0)).map(ratio)
            },
        );
        for idle in IDLE.into_iter().skip(1) {
            self.rate(&format!("ping-pong beside {idle} idle connections"), ping(idle), 0, ping(0));
        }
        for idle in IDLE.into_iter().skip(1) {
            self.rate(&format!("bulk beside {idle} idle connections, MiB"), bulk(idle), 0, bulk(0));
        }
        let own = |task, base| {
            move |results: &Results, peer| {
                results.ratio((peer, task, 0), (peer, base, 0)).map(ratio)
            }
        };
        let [none, .., most] = IDLE;
        self.line(
            "ping-pong beside the most, relative to its own with none",
            ping(most),
            own(ping(most), ping(none)),
        );
        self.line(
            "bulk beside the most, relative to its own with none",
            bulk(most),
            own(bulk(most), bulk(none)),
        );
    }
}

/// Prints the lines of one connection on runtimes with one and with two workers.
fn workers(table: &mut Table<'_>) {
    for work in Work::ALL {
        let title = match work {
            Work::PingPong => "ping-pong 64 B, round trips",
            Work::Bulk => "bulk, MTU 1500, MiB",
        };
        let one = Task::Workers(work, Placement::One);
        for placement in Placement::ALL {
            let task = Task::Workers(work, placement);
            table.line(
                &format!("{title} per second, {}", placement.title()),
                task,
                move |results, peer| Some(short(results.median(peer, task, 0)?)),
            );
        }
        for placement in [Placement::Two, Placement::Beside] {
            let task = Task::Workers(work, placement);
            for (index, what) in [(0, "per second"), (1, "per second of CPU time")] {
                table.line(
                    &format!("{title} {what}, {}, relative to one", placement.title()),
                    task,
                    move |results, peer| {
                        results.ratio((peer, task, index), (peer, one, index)).map(ratio)
                    },
                );
            }
        }
    }
}

/// Prints the table.
pub(crate) fn print(results: &Results, peers: &[Peer]) {
    let mut table = Table { results, peers, remarks: Vec::new() };
    println!(
        "| per second of CPU time (ratio to raw) | {} |",
        peers.iter().map(|peer| peer.title()).collect::<Vec<_>>().join(" | ")
    );
    println!("|---|{}", "---:|".repeat(peers.len()));
    table.rates();
    table.amount("bytes per end of an idle connection, buffers included", Task::Memory, 0);
    for (index, command) in
        ["GetStatistics", "GetInterface", "ListInterfaces"].into_iter().enumerate()
    {
        table.amount(&format!("control call {command}, ns"), Task::Control, index);
    }
    for probe in Probe::ALL {
        let task = Task::Probe(probe);
        table.line(probe.name(), task, |results, peer| {
            Some(String::from(if results.median(peer, task, 0)? > 0.0 { "yes" } else { "no" }))
        });
    }
    workers(&mut table);
    println!("\n¹ Its MTU is 65,536 in every line.");
    if !table.remarks.is_empty() {
        println!("\nRemarks:\n");
        for remark in &table.remarks {
            println!("* {remark}");
        }
    }
}
