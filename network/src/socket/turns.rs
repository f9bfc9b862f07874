//! The turns of lookups: how many may be under way at once, and who gives way.
//!
//! A lookup has its turn from its first query until it ends. One that nobody polls would never end:
//! after [`limits::LOOKUP_SECONDS`] without a poll it gives way to those that wait. They see to it
//! themselves, so that a lookup costs no timer while there is room.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::pin;
use core::time::Duration;

use async_lock::{Semaphore, SemaphoreGuardArc};
use devnet_virtual_file_system::Lock;

use crate::limits;
use crate::platform::{Clock, Instant, before};

/// A lookup that is not polled for so long gives way.
const UNPOLLED: Duration = Duration::from_secs(limits::LOOKUP_SECONDS);
/// How often those that wait look for one.
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);

/// The lookups of one system that are under way; further ones wait in order.
#[derive(Debug)]
pub(super) struct Lookups {
    places: Arc<Semaphore>,
    begun: Lock<Begun>,
}

#[derive(Debug, Default)]
struct Begun {
    turns: Vec<Place>,
    last: u64,
}

#[derive(Debug)]
struct Place {
    number: u64,
    polled_at: Instant,
    /// Dropping it lets the next one begin.
    _permit: SemaphoreGuardArc,
}

/// The turn of one lookup.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    lookups: &'a Lookups,
    number: u64,
}

impl Default for Lookups {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(limits::LOOKUPS)), begun: Lock::default() }
    }
}

impl Lookups {
    /// Waits for a turn.
    pub(super) async fn begin(&self, clock: &dyn Clock) -> Turn<'_> {
        let permit = match self.places.try_acquire_arc() {
            Some(permit) => permit,
            None => self.wait(clock).await,
        };
        let polled_at = clock.now();
        let number = self.begun.with(|begun| {
            begun.last += 1;
            begun.turns.push(Place { number: begun.last, polled_at, _permit: permit });
            begun.last
        });
        Turn { lookups: self, number }
    }

    async fn wait(&self, clock: &dyn Clock) -> SemaphoreGuardArc {
        let mut permit = pin!(self.places.acquire_arc());
        loop {
            let now = clock.now();
            self.end_unpolled(now);
            let deadline = now.after(SEARCH_INTERVAL);
            if let Some(permit) = before(clock, deadline, permit.as_mut()).await {
                return permit;
            }
        }
    }

    /// Ends the turns of lookups that nobody polls.
    fn end_unpolled(&self, now: Instant) {
        let ended: Vec<Place> = self.begun.with(|begun| {
            begun.turns.extract_if(.., |place| place.polled_at.after(UNPOLLED) <= now).collect()
        });
        // It wakes others, which the lock must not see.
        drop(ended);
    }
}

impl Turn<'_> {
    /// The lookup is polled. Returns false if it gave way.
    pub(super) fn renew(&self, now: Instant) -> bool {
        self.lookups.begun.with(|begun| {
            let place = begun.turns.iter_mut().find(|place| place.number == self.number);
            place.map(|place| place.polled_at = now).is_some()
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let place = self.lookups.begun.with(|begun| {
            let place = begun.turns.iter().position(|place| place.number == self.number)?;
            Some(begun.turns.swap_remove(place))
        });
        drop(place);
    }
}
