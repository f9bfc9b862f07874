//! The attacks table: what an honest peer keeps of its service beside each attack.
//!
//! `cargo run --release -p devnet-tests --bin attacks [-- --check] [--only NAME]` prints one table
//! in Markdown. With `--check` it fails when a goal is missed. `--only` chooses attacks whose names
//! contain one of the words, which commas divide.
//!
//! **The measure.** A host with its servers, an honest peer and an attacker stand at one switch, in
//! a world in which one processor does everything and work takes time: whenever a task gave way,
//! the clock moves by the processor time that it took, and when all wait it jumps to the next
//! deadline. So all latencies, rates and timeouts are those of a machine with one core and nothing
//! else to do, and what else runs on the real machine does not count (other than by the caches that
//! it shares). Attackers on the link have machines of their own: their work takes no time. Guests
//! run on the host: theirs does.
//!
//! The honest peer has a cable of 1 Gbit/s with a round trip of 1 ms (beside the SYN flood of
//! 5 Mbit/s with 300 ms).
//! Four clients fetch pages of 10 KB from `httpd`, each over a new connection: their latency. Then
//! one connection transfers for half of that time: the throughput. Both are set against the same
//! peer alone.
//!
//! | file | owns |
//! |---|---|
//! | `attack` | what an attack is |
//! | `floods`, `crowds` | attackers on the link |
//! | `kinds`, `guests` | hostile guests |
//! | `honest` | the honest peer |
//! | `scene` | the host, the switch, the host's accounts |
//! | `segment`, `meter` | TCP segments; processor time and memory |
//! | here | arguments, one measurement, the table |

mod attack;
mod crowds;
mod floods;
mod guests;
mod honest;
mod kinds;
mod meter;
mod scene;
mod segment;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use devnet_network::platform::Clock;

use self::attack::{Attack, Running, Start};
use self::honest::Service;
use self::scene::{Accounts, Scene};

/// The least share of its throughput that an honest peer keeps.
const THROUGHPUT: f64 = 0.9;
/// By how much the 99th percentile of its latency may grow.
const LATENCY: f64 = 2.0;
/// When everything has to be as before.
const RECOVERY: Duration = Duration::from_secs(60);

/// What was measured in one world.
struct Measured {
    service: Service,
    /// Bytes by which the host grew at most.
    growth: usize,
    longest_turn: Duration,
    before: Accounts,
    after: Accounts,
}

/// The honest peer, beside an attack or alone.
fn measure(attack: &Attack, is_attacked: bool) -> Measured {
    let scene = Scene::new(attack.round_trip, attack.rate);
    let peak = Arc::<AtomicUsize>::default();
    let measured = scene.run(async {
        // What is made once for all, such as tables that grow.
        honest::enjoy(&scene, attack.server, attack.round_trip * 10).await;
        scene.world.sleep(Duration::from_secs(70)).await;
        let (before, memory) = (scene.accounts(), meter::memory());
        let watch = {
            let (peak, clock) = (Arc::clone(&peak), scene.world.clock.clone());
            scene.world.spawn(async move {
                loop {
                    peak.fetch_max(meter::memory(), Ordering::Relaxed);
                    clock.sleep_until(clock.now().after(Duration::from_millis(1))).await;
                }
            })
        };
        let running = match &attack.start {
            _ if !is_attacked => Running::default(),
            Start::Link(start) => start(&scene).await,
            Start::Guest(kind) => guests::start(&scene, kind).await,
        };
        scene.meter.take_longest();
        let service = honest::enjoy(&scene, attack.server, attack.time).await;
        let longest_turn = scene.meter.take_longest();
        watch.cancel().await;
        running.end(&scene).await;
        if is_attacked && matches!(attack.start, Start::Guest(_)) {
            scene.meter.uncounted(|| guests::clean(&scene));
        }
        scene.world.sleep(RECOVERY).await;
        let growth = peak.load(Ordering::Relaxed).saturating_sub(memory);
        Measured { service, growth, longest_turn, after: scene.accounts(), before }
    });
    // Interfaces live in tasks of their world; they end before it.
    for host in [&scene.host, &scene.honest] {
        let _ = host.manager.unregister("eth0");
    }
    scene.world.run(scene.world.sleep(Duration::from_millis(1)));
    measured
}

/// A row of the table.
struct Row {
    text: String,
    is_good: bool,
}

impl Row {
    fn new(attack: &Attack, alone: &Measured, beside: &Measured) -> Self {
        let throughput = beside.service.transfer / alone.service.transfer;
        let (p99, usual) = (beside.service.percentile(99), alone.service.percentile(99));
        let latency = p99.as_secs_f64() / usual.as_secs_f64();
        let growth = beside.growth.saturating_sub(alone.growth);
        let (is_back, mebibyte) = (beside.after == beside.before, f64::from(1 << 20));
        let is_good =
            throughput >= THROUGHPUT && latency <= LATENCY && growth <= attack.bound && is_back;
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        if !is_back {
            eprintln!("{}: {:?}, a minute later {:?}", attack.name, beside.before, beside.after);
        }
        let text = format!(
            "| {} | {} | {throughput:.2} | {latency:.2} | {:.1} → {:.1} | {:.1} | {:.1} of {:.0} \
            | {} |",
            attack.name,
            attack.amount,
            milliseconds(usual),
            milliseconds(p99),
            milliseconds(beside.longest_turn),
            growth as f64 / mebibyte,
            attack.bound as f64 / mebibyte,
            if is_back { "yes" } else { "no" },
        );
        Self { text, is_good }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    let words: Vec<&str> =
        value("--only").map(|text| text.split(',').collect()).unwrap_or_default();
    let is_check = arguments.iter().any(|argument| argument == "--check");
    let guests = kinds::LOCAL.into_iter().chain(kinds::NETWORK).map(guests::attack);
    let attacks = floods::FLOODS.into_iter().chain(crowds::CROWDS).chain(guests);
    let wanted = |attack: &Attack| {
        words.is_empty()
            || words.iter().any(|word| attack.name.contains(word) || attack.amount == *word)
    };
    println!(
        "| attack | amount | throughput | p99 latency | ms alone → beside | longest turn ms | \
        MiB of bound | back in a minute |\n|---|---|--:|--:|--:|--:|--:|---|"
    );
    let mut alone: Vec<(Duration, &str, Measured)> = Vec::new();
    let (mut count, mut bad) = (0, 0);
    for attack in attacks.filter(wanted) {
        let key = (attack.round_trip, attack.server);
        if !alone.iter().any(|(time, server, _)| (*time, *server) == key) {
            alone.push((key.0, key.1, measure(&attack, false)));
        }
        let Some((.., usual)) = alone.iter().find(|(time, server, _)| (*time, *server) == key)
        else {
            continue;
        };
        let row = Row::new(&attack, usual, &measure(&attack, true));
        println!("{}", row.text);
        count += 1;
        bad += usize::from(!row.is_good);
    }
    println!("\n{} of {count} attacks do no more harm than they may.", count - bad);
    if is_check && (bad > 0 || count == 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
