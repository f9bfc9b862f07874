//! Signals: what a shell is told from outside while it runs.
//!
//! Programs and `kill` send them, to a shell with its subshells or to a job. A shell notices them
//! between its commands, and a command that waits ends at once. What then happens, its traps say:
//! a signal without a trap ends the shell.

use std::sync::Arc;
use std::task::{Poll, Waker};

use devnet_virtual_file_system::Lock;
use futures_lite::future;

use crate::limits;
use crate::status::Status;

/// A signal, by its number on Linux.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Signal(u8);

/// The signals by name. What cannot be caught, KILL and STOP, is missing.
const NAMES: [(&str, Signal); 10] = [
    ("HUP", Signal(1)),
    ("INT", Signal(2)),
    ("QUIT", Signal(3)),
    ("ABRT", Signal(6)),
    ("USR1", Signal(10)),
    ("USR2", Signal(12)),
    ("PIPE", Signal(13)),
    ("ALRM", Signal(14)),
    ("TERM", Signal(15)),
    ("WINCH", Signal(28)),
];

impl Signal {
    /// The user pressed Ctrl-C.
    pub const INTERRUPT: Self = Self(2);
    /// The terminal is gone.
    pub const HANG_UP: Self = Self(1);
    /// Somebody wants an end.
    pub const TERMINATE: Self = Self(15);

    /// The signal of a name, with or without `SIG`, or of a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("SIG").unwrap_or(text);
        let number = text.parse::<u8>().ok();
        let found =
            NAMES.into_iter().find(|(found, signal)| *found == name || number == Some(signal.0));
        found.map(|(_, signal)| signal)
    }

    /// Its name without `SIG`.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.into_iter().find(|(_, signal)| *signal == self).map_or("", |(name, _)| name)
    }

    /// All names in the order of their numbers, for `kill -l`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().map(|(name, _)| name)
    }

    /// True if it ends nothing that has no trap for it.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        self.name() == "WINCH"
    }

    /// The status of what it ended.
    #[must_use]
    pub const fn status(self) -> Status {
        Status(self.0.saturating_add(128))
    }
}

/// Where signals arrive. Clones share it.
#[derive(Clone, Default)]
pub struct Signals(Arc<Lock<Sent>>);

#[derive(Default)]
struct Sent {
    /// What was sent, in order; the oldest are forgotten.
    signals: Vec<Signal>,
    /// How many were forgotten.
    forgotten: usize,
    /// Signals that the shell has traps for.
    trapped: Vec<Signal>,
    waiting: Vec<Waker>,
}

impl Sent {
    fn after(&self, seen: usize) -> Option<(Signal, usize)> {
        let index = seen.max(self.forgotten);
        let signal = self.signals.get(index.saturating_sub(self.forgotten))?;
        Some((*signal, index.saturating_add(1)))
    }
}

impl Signals {
    /// Sends a signal to every shell that listens here.
    pub fn send(&self, signal: Signal) {
        let waiting = self.0.with(|sent| {
            if sent.signals.len() >= limits::SIGNALS {
                sent.signals.remove(0);
                sent.forgotten = sent.forgotten.saturating_add(1);
            }
            sent.signals.push(signal);
            std::mem::take(&mut sent.waiting)
        });
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The first signal after `seen` others, and how many there are with it.
    pub(super) fn after(&self, seen: usize) -> Option<(Signal, usize)> {
        self.0.with(|sent| sent.after(seen))
    }

    /// Waits for a signal after `seen` others.
    pub(super) async fn wait(&self, seen: usize) -> (Signal, usize) {
        future::poll_fn(|context| {
            self.0.with(|sent| {
                if let Some(found) = sent.after(seen) {
                    return Poll::Ready(found);
                }
                if !sent.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    sent.waiting.push(context.waker().clone());
                }
                Poll::Pending
            })
        })
        .await
    }

    /// Says whether the shell has a trap for a signal.
    pub(super) fn set_trapped(&self, signal: Signal, trapped: bool) {
        self.0.with(|sent| {
            sent.trapped.retain(|found| *found != signal);
            if trapped {
                sent.trapped.push(signal);
            }
        });
    }

    /// True if the shell has a trap for a signal.
    pub(super) fn is_trapped(&self, signal: Signal) -> bool {
        self.0.with(|sent| sent.trapped.contains(&signal))
    }
}
