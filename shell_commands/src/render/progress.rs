//! The progress bar of a transfer, as in BusyBox' `wget`.

use std::time::Duration;

use devnet_network::platform::Instant;

use super::units;
use crate::shown;

/// Bytes of the name's column and of the bar.
const NAME: usize = 20;
const BAR: usize = 30;
/// The interval between redraws.
const EVERY: Duration = Duration::from_millis(500);

/// A transfer in progress.
pub struct Progress {
    name: String,
    length: Option<u64>,
    done: u64,
    started: Instant,
    drawn: Instant,
}

impl Progress {
    /// A transfer of `length` bytes, if that is known, that starts now.
    #[must_use]
    pub fn new(name: &str, length: Option<u64>, now: Instant) -> Self {
        let name = shown::line(name).chars().take(NAME).collect();
        Self { name, length, done: 0, started: now, drawn: now }
    }

    /// Counts bytes; returns a line when it is time to redraw.
    pub fn add(&mut self, bytes: u64, now: Instant) -> Option<String> {
        self.done = self.done.saturating_add(bytes);
        if now.since(self.drawn) < EVERY {
            return None;
        }
        self.drawn = now;
        Some(self.line(now))
    }

    /// The last line.
    #[must_use]
    pub fn finish(mut self, now: Instant) -> String {
        self.length = Some(self.done);
        format!("{}\n", self.line(now))
    }

    fn line(&self, now: Instant) -> String {
        let seconds = now.since(self.started).as_secs_f64().max(0.001);
        let rate = units::bytes(self.done as f64 / seconds);
        let (percent, bar) = match self.length {
            Some(0) => (100, BAR),
            Some(length) => {
                let share = self.done.min(length) as f64 / length as f64;
                ((share * 100.0) as u32, (share * BAR as f64) as usize)
            }
            None => {
                return format!(
                    "\r{:NAME$} {:>9} {rate}/s",
                    self.name,
                    units::bytes(self.done as f64)
                );
            }
        };
        let stars = "*".repeat(bar);
        format!(
            "\r{:NAME$} {percent:3}% |{stars:BAR$}| {:>9} {rate}/s",
            self.name,
            units::bytes(self.done as f64)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::from_micros(milliseconds * 1000)
    }

    #[test]
    fn lines_tell_how_far_it_is() {
        let mut progress = Progress::new("1M", Some(1 << 20), at(0));
        assert_eq!(progress.add(1 << 19, at(100)), None);
        let line = progress.add(0, at(1000)).unwrap();
        assert_eq!(
            line,
            "\r1M                    50% |***************               |   512 KiB 512 KiB/s"
        );
        assert!(progress.finish(at(1000)).ends_with("KiB/s\n"));
    }

    #[test]
    fn an_unknown_length_and_an_empty_document_are_fine() {
        let mut progress = Progress::new("x", None, at(0));
        assert!(!progress.add(5, at(600)).unwrap().contains('%'));
        assert!(Progress::new("x", Some(0), at(0)).finish(at(0)).contains("100%"));
    }
}
