//! Short fuzzing without a coverage tool: mutations of valid inputs, as many as fit into a time,
//! each reproducible by its seed.
//!
//! `cargo run --release -p devnet-tests --bin fuzz -- [--seconds N] [--seed S | --from S]
//! [TARGET]`. A failure prints the seed that repeats it; `--from` begins elsewhere than at 1.

mod classifier;
mod guests;
mod memory;
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
    let fixed = option("--seed");
    let wanted = |name: &str| {
        targets::TARGETS
            .iter()
            .all(|(known, _)| !arguments.iter().any(|argument| argument == known))
            || arguments.iter().any(|argument| argument == name)
    };
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
