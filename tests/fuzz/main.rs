//! Short fuzzing without a coverage tool: as many inputs as fit into a time, or as are asked for;
//! those are the same everywhere.
//!
//! [`inputs`] are targets that take bytes: they start from a corpus, which `cargo test` runs again,
//! and keep what reaches something new. [`targets`] are worlds that take a seed, and repeat by it.
//!
//! `cargo run --release -p devnet-tests --bin fuzz -- [--seconds N] [--inputs N] [--seed S |
//! --from S] [--keep FOLDER] [TARGET]`. A failure prints what repeats it; `--from` begins elsewhere
//! than at 1; `--keep tests/fuzz/corpus` renews the corpus.

mod classifier;
mod guests;
mod inputs;
mod memory;
mod packets;
mod rig;
mod search;
mod targets;
mod tcp;

use std::time::Duration;

use world::SeededEntropy;

/// What a round has of the stack: half of what a thread has that nobody asked for more.
const STACK_BYTES: usize = 1 << 20;

/// One thing to throw bytes at.
pub(crate) type Target = (&'static str, fn(&SeededEntropy, u32));

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        arguments
            .iter()
            .position(|known| known == name)
            .and_then(|place| arguments.get(place + 1)?.parse::<u64>().ok())
    };
    let seconds = Duration::from_secs(option("--seconds").unwrap_or(10));
    let most = option("--inputs").and_then(|most| usize::try_from(most).ok());
    let most = most.unwrap_or(usize::MAX);
    let fixed = option("--seed");
    let keep = arguments.iter().position(|known| known == "--keep");
    let keep = keep.and_then(|place| arguments.get(place + 1)).map(std::path::PathBuf::from);
    let mut names = inputs::TARGETS
        .iter()
        .map(|target| target.name)
        .chain(targets::TARGETS.iter().map(|(name, _)| *name));
    let is_any = !names.any(|name| arguments.iter().any(|argument| argument == name));
    let wanted = |name: &str| is_any || arguments.iter().any(|argument| argument == name);
    for target in inputs::TARGETS.iter().filter(|target| wanted(target.name)) {
        let seed = fixed.or(option("--from")).unwrap_or(1);
        search::run(*target, seed, (seconds, most), keep.as_deref());
    }
    for &(name, target) in targets::TARGETS.iter().filter(|(name, _)| wanted(name)) {
        #[expect(
            clippy::disallowed_methods,
            reason = "the length of a fuzzing session is real time"
        )]
        let start = std::time::Instant::now();
        let mut seed = fixed.or(option("--from")).unwrap_or(1);
        let first = seed;
        loop {
            // In a thread of its own, whose name tells the seed even when the stack overflows, and
            // with little of it.
            let round =
                std::thread::Builder::new().name(format!("{name} {seed}")).stack_size(STACK_BYTES);
            let outcome = round
                .spawn(move || target(&SeededEntropy::new(seed), 2_000))
                .expect("a thread starts")
                .join();
            assert!(
                outcome.is_ok(),
                "target {name} failed; repeat with: cargo run --release -p devnet-tests --bin \
                fuzz -- --seed {seed} --seconds 0 {name}"
            );
            if start.elapsed() >= seconds || fixed.is_some() {
                break;
            }
            seed += 1;
        }
        println!("{name}: {} rounds of 2000 inputs, no panic", seed - first + 1);
    }
}
