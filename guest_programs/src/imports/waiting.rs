//! Waiting for files and for time: `vfs.poll`, and the parts that it shares with `poll_oneoff` and
//! the socket timeouts.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use devnet_network::platform::{Clock, Instant, before};
use devnet_virtual_file_system::{Error, Readiness, Result};

use super::call::{Outcome, finish};
use crate::descriptor::Descriptor;
use crate::guest::Guest;
use crate::limits;
use crate::memory;

/// Runs an operation with a timeout. `WouldBlock` when it expires, as POSIX specifies for
/// SO_RCVTIMEO and SO_SNDTIMEO.
pub(super) async fn with_timeout<T>(
    clock: &dyn Clock,
    time: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let deadline = time.map_or(Instant::NEVER, |time| clock.now().after(time));
    before(clock, deadline, work).await.unwrap_or(Err(Error::WouldBlock))
}

/// The events of POSIX' poll and our readiness.
const EVENTS: [(u16, Readiness); 4] = [
    (1, Readiness::READABLE),
    (4, Readiness::WRITABLE),
    (8, Readiness::ERROR),
    (16, Readiness::HANG_UP),
];
/// The descriptor is not open (POLLNVAL).
const INVALID: u16 = 32;

fn readiness(events: u16) -> Readiness {
    EVENTS
        .iter()
        .filter(|(bit, _)| events & bit != 0)
        .fold(Readiness::empty(), |all, (_, one)| all | *one)
}

fn events(ready: Readiness) -> u16 {
    EVENTS.iter().filter(|(_, one)| ready.contains(*one)).fold(0, |all, (bit, _)| all | bit)
}

/// One entry of a poll.
#[derive(Clone)]
pub(super) enum Watched {
    /// An open file.
    Open(Descriptor, Readiness),
    /// Not open; reported at once.
    Closed,
    /// The caller ignores this entry.
    Ignored,
}

/// Polls every file, and registers the task with those that are not ready. An error counts as
/// readiness for everything, so that the next call returns it.
pub(super) fn poll_all(watched: &[Watched], context: &mut Context<'_>) -> Vec<Option<Readiness>> {
    let poll_one = |one: &Watched| match one {
        Watched::Closed => None,
        Watched::Ignored => Some(Readiness::empty()),
        Watched::Open(descriptor, interest) => {
            Some(match descriptor.poll_ready(context, *interest) {
                Poll::Pending => Readiness::empty(),
                Poll::Ready(Ok(ready)) => ready,
                Poll::Ready(Err(_)) => Readiness::ERROR | Readiness::HANG_UP,
            })
        }
    };
    watched.iter().map(poll_one).collect()
}

/// Waits until a file is ready or the deadline passes; the result has `None` for a file that is not
/// open.
pub(super) async fn wait(
    watched: Vec<Watched>,
    deadline: Instant,
    clock: Arc<dyn Clock>,
) -> Vec<Option<Readiness>> {
    let found = poll_fn(|context| {
        let found = poll_all(&watched, context);
        if found.iter().any(|ready| ready.is_none_or(|ready| !ready.is_empty())) {
            Poll::Ready(found)
        } else {
            Poll::Pending
        }
    });
    before(&*clock, deadline, found)
        .await
        .unwrap_or_else(|| poll_all(&watched, &mut Context::from_waker(Waker::noop())))
}

pub(super) fn poll(
    guest: &mut Guest,
    bytes: &mut [u8],
    entries: u32,
    count: u32,
    milliseconds: u32,
) -> Result<Outcome> {
    // As on Linux, no more entries than the caller may have open files, but some in any case.
    if count as usize > guest.descriptors.limit().max(limits::POLL_ENTRIES) {
        return Err(Error::InvalidInput);
    }
    memory::check(bytes, entries, count * 8)?;
    let mut watched = Vec::new();
    for index in 0..count {
        let entry = memory::at(entries, index * 8)?;
        let number = memory::read_u32(bytes, entry)?;
        let interest = readiness(memory::read_u16(bytes, memory::at(entry, 4)?)?);
        watched.push(match guest.descriptors.get(number) {
            Ok(descriptor) => Watched::Open(descriptor.clone(), interest),
            // POSIX ignores an entry with a negative descriptor.
            Err(_) if number >> 31 == 1 => Watched::Ignored,
            Err(_) => Watched::Closed,
        });
    }
    guest.account.work(u64::from(count) * limits::POLL_FUEL);
    let clock = Arc::clone(&guest.supplies.clock);
    let deadline = match milliseconds as i32 {
        ..0 => Instant::NEVER,
        milliseconds => {
            clock.now().after(Duration::from_millis(u64::from(milliseconds.unsigned_abs())))
        }
    };
    Ok(Outcome::wait(async move {
        let found = wait(watched, deadline, clock).await;
        finish(move |_, bytes| {
            let mut ready = 0;
            for (index, found) in (0..).zip(found) {
                let entry = memory::at(entries, index * 8)?;
                let events = found.map_or(INVALID, events);
                memory::write_u16(bytes, memory::at(entry, 6)?, events)?;
                ready += i32::from(events != 0);
            }
            Ok(ready)
        })
    }))
}
