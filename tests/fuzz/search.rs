//! Inputs that are remembered: the corpus, the search for more, and the smallest of what is found.
//!
//! `corpus/TARGET/` holds one input a file. Sixteen hexadecimal digits name what the search found;
//! any other name is somebody's: an example, or a regression by what it shows. Those stay for ever.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use world::SeededEntropy;

use crate::STACK_BYTES;
use crate::inputs::{Target, Trace};
use crate::packets::mutate;

/// The bytes of the longest input that the search makes.
const INPUT_BYTES: usize = 1024;
/// How often one input is tried shorter.
const SHORTENINGS: usize = 400;

/// An input and its file's name.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Input {
    /// One that the search found, named by its bytes (FNV-1a).
    fn found(bytes: Vec<u8>) -> Self {
        let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
        Self { name: format!("{sum:016x}"), bytes }
    }

    /// True if the search may drop it.
    fn is_found(&self) -> bool {
        self.name.len() == 16 && self.name.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

/// Where the corpus stands.
pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// Reads the inputs of a target, in the order of their names.
pub(crate) fn read(target: &Target) -> Vec<Input> {
    let folder = corpus().join(target.name);
    let mut inputs: Vec<Input> = fs::read_dir(&folder)
        .unwrap_or_else(|why| panic!("{}: {why}", folder.display()))
        .map(|entry| {
            let entry = entry.expect("an entry");
            let bytes = fs::read(entry.path()).expect("an input can be read");
            Input { name: entry.file_name().to_string_lossy().into_owned(), bytes }
        })
        .collect();
    inputs.sort_by(|one, other| one.name.cmp(&other.name));
    inputs
}

/// Checks one input.
pub(crate) fn trace(target: &Target, bytes: &[u8]) -> Trace {
    let mut trace = Trace::default();
    (target.check)(bytes, &mut trace);
    trace
}

/// Runs the corpus and then looks for more, for a time or until so many inputs were tried: these
/// depend on nothing but the seed and the corpus. A failure leaves its input in a file and ends the
/// program.
pub(crate) fn run(
    target: Target,
    seed: u64,
    (duration, most): (Duration, usize),
    keep: Option<&Path>,
) {
    let current = Arc::new(Mutex::new(Vec::new()));
    let search = Search {
        target,
        current: Arc::clone(&current),
        random: SeededEntropy::new(seed),
        inputs: Vec::new(),
        reached: Trace::default(),
        tried: 0,
    };
    let round = std::thread::Builder::new().name(target.name.to_owned()).stack_size(STACK_BYTES);
    let outcome = round.spawn(move || search.run(duration, most)).expect("a thread starts").join();
    let Ok(search) = outcome else {
        let bytes = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let file = std::env::temp_dir().join(format!("{}-failure", target.name));
        fs::write(&file, bytes).expect("the input can be written");
        panic!(
            "target {} failed; its input is in {}. Once it has a good name in {} it is a \
            regression of `cargo test -p devnet-tests --bin fuzz`",
            target.name,
            file.display(),
            corpus().join(target.name).display(),
        );
    };
    println!(
        "{}: {} inputs tried, {} in the corpus, no failure",
        target.name,
        search.tried,
        search.inputs.len()
    );
    if let Some(folder) = keep {
        search.keep(&folder.join(target.name));
    }
}

struct Search {
    target: Target,
    /// The input that is being checked, for whoever finds the thread dead.
    current: Arc<Mutex<Vec<u8>>>,
    random: SeededEntropy,
    inputs: Vec<Input>,
    reached: Trace,
    tried: usize,
}

impl Search {
    fn run(mut self, duration: Duration, most: usize) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the length of a fuzzing session is real time"
        )]
        let start = std::time::Instant::now();
        for input in read(&self.target) {
            let trace = self.trace(&input.bytes);
            self.reached.add(&trace);
            self.inputs.push(input);
        }
        while start.elapsed() < duration && self.tried < most {
            let bytes = self.variant();
            let trace = self.trace(&bytes);
            let news = trace.beyond(&self.reached);
            if news.is_empty() {
                continue;
            }
            let bytes = self.shorten(bytes, &news);
            let trace = self.trace(&bytes);
            self.reached.add(&trace);
            self.inputs.push(Input::found(bytes));
        }
        self
    }

    fn trace(&mut self, bytes: &[u8]) -> Trace {
        bytes.clone_into(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
        self.tried += 1;
        trace(&self.target, bytes)
    }

    fn below(&self, limit: usize) -> usize {
        self.random.next() as usize % limit.max(1)
    }

    fn one(&self) -> &[u8] {
        self.inputs.get(self.below(self.inputs.len())).map_or(&[], |input| &input.bytes)
    }

    /// A changed input of the corpus.
    fn variant(&self) -> Vec<u8> {
        let mut bytes = self.one().to_vec();
        for _ in 0..=self.below(3) {
            let (at, other) = (self.below(bytes.len() + 1), self.below(bytes.len() + 1));
            let (from, to) = (at.min(other), at.max(other));
            match self.below(6) {
                0 | 1 if !self.target.tokens.is_empty() => {
                    let token = self.target.tokens[self.below(self.target.tokens.len())];
                    // Instead of something, or between.
                    let to = if self.below(2) == 0 {
                        from
                    } else {
                        (from + token.len()).min(bytes.len())
                    };
                    bytes.splice(from..to, token.iter().copied());
                }
                2 => drop(bytes.drain(from..to.min(from + 16))),
                3 => {
                    let piece = bytes[from..to].to_vec();
                    bytes.splice(to..to, piece);
                }
                4 => {
                    let tail = self.one();
                    let tail = tail[self.below(tail.len() + 1)..].to_vec();
                    bytes.splice(from.., tail);
                }
                _ => mutate(&self.random, &mut bytes),
            }
        }
        bytes.truncate(INPUT_BYTES);
        bytes
    }

    /// Takes away what is not needed for the news.
    fn shorten(&mut self, mut bytes: Vec<u8>, news: &Trace) -> Vec<u8> {
        let (mut step, mut tries) = (bytes.len() / 2, 0);
        while step > 0 {
            let mut at = 0;
            while at < bytes.len() && tries < SHORTENINGS {
                let mut shorter = bytes.clone();
                shorter.drain(at..(at + step).min(bytes.len()));
                tries += 1;
                if self.trace(&shorter).includes(news) {
                    bytes = shorter;
                } else {
                    at += step;
                }
            }
            step /= 2;
        }
        bytes
    }

    /// Writes the named inputs, and of the others those that reach more, the shortest first.
    fn keep(mut self, folder: &Path) {
        let mut inputs = std::mem::take(&mut self.inputs);
        inputs.sort_by_key(|input| (input.is_found(), input.bytes.len()));
        let mut reached = Trace::default();
        let mut names = Vec::new();
        fs::create_dir_all(folder).expect("the folder can be made");
        for input in inputs {
            let trace = self.trace(&input.bytes);
            if !input.is_found() || !trace.beyond(&reached).is_empty() {
                reached.add(&trace);
                fs::write(folder.join(&input.name), &input.bytes).expect("it can be written");
                names.push(input.name);
            }
        }
        for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !names.contains(&name) {
                fs::remove_file(entry.path()).expect("it can be removed");
            }
        }
        println!("{}: {} kept", self.target.name, names.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::TARGETS;

    /// The bytes of the whole corpus: a clone must not feel it.
    const CORPUS_BYTES: usize = 256 * 1024;

    #[test]
    fn every_input_of_the_corpus_passes() {
        for target in TARGETS {
            for input in read(target) {
                let round = std::thread::Builder::new()
                    .name(format!("{} {}", target.name, input.name))
                    .stack_size(2 * STACK_BYTES);
                let target = *target;
                let check = round.spawn(move || trace(&target, &input.bytes)).unwrap();
                assert!(check.join().is_ok(), "an input of {} failed", target.name);
            }
        }
    }

    #[test]
    fn the_corpus_is_small_and_has_every_target() {
        let mut bytes = 0;
        for target in TARGETS {
            let inputs = read(target);
            assert!(!inputs.is_empty(), "{}", target.name);
            bytes += inputs.iter().map(|input| input.bytes.len()).sum::<usize>();
        }
        assert!(bytes <= CORPUS_BYTES, "{bytes} bytes");
        for entry in fs::read_dir(corpus()).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(TARGETS.iter().any(|target| target.name == name), "nobody reads {name}");
        }
    }

    #[test]
    fn inputs_end_as_they_ended_before() {
        for target in TARGETS {
            let input = read(target).swap_remove(0);
            assert_eq!(trace(target, &input.bytes), trace(target, &input.bytes), "{}", target.name);
        }
    }
}
