//! Who is connected to a server: how many, from where, and who has been idle longest.
//!
//! When there is no room, the longest idle connection gives way to a new one; of a source that has
//! its share, the longest idle one of its own. An idle connection costs its entry here, and no
//! timer.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use devnet_network::platform::{Clock, Instant};
use devnet_virtual_file_system::{File, Lock, Readiness};

/// The most connections, in all and from one source: an IPv4 address, or a /64 of IPv6.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// In all.
    pub all: usize,
    /// Of one source.
    pub source: usize,
}

/// The connections of a server.
pub struct Crowd {
    room: Room,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    count: usize,
    sources: HashMap<IpAddr, Source>,
    /// By the order in which they became idle.
    idle: BTreeMap<u64, Arc<Seat>>,
    next: u64,
    /// Who waits for the first idle one.
    expiry: Option<Waker>,
}

#[derive(Default)]
struct Source {
    count: usize,
    idle: BTreeMap<u64, Arc<Seat>>,
}

impl State {
    /// One connection less.
    fn leave(&mut self, source: IpAddr) {
        self.count = self.count.saturating_sub(1);
        if let Some(known) = self.sources.get_mut(&source) {
            known.count = known.count.saturating_sub(1);
            if known.count == 0 {
                self.sources.remove(&source);
            }
        }
    }

    fn forget_idle(&mut self, source: IpAddr, number: u64) -> Option<Arc<Seat>> {
        if let Some(known) = self.sources.get_mut(&source) {
            known.idle.remove(&number);
        }
        self.idle.remove(&number)
    }

    /// Ends an idle connection; its place is free at once.
    fn end(&mut self, number: u64, source: IpAddr) {
        let Some(seat) = self.forget_idle(source, number) else { return };
        self.leave(source);
        let waker = seat.state.with(|state| {
            state.is_ended = true;
            state.waker.take()
        });
        // A task of an executor: waking it only queues it.
        waker.into_iter().for_each(Waker::wake);
    }
}

/// A connection, as the crowd knows it.
struct Seat {
    remote: SocketAddr,
    state: Lock<SeatState>,
}

#[derive(Default)]
struct SeatState {
    is_ended: bool,
    idle_since: Instant,
    waker: Option<Waker>,
}

impl Seat {
    fn source(&self) -> IpAddr {
        source_of(self.remote.ip())
    }
}

/// A connection's place; dropping it leaves the crowd.
pub struct Place<'a> {
    crowd: &'a Crowd,
    seat: Arc<Seat>,
    /// Its number among the idle ones, while it is.
    idle: Option<u64>,
}

/// Hosts of one /64 of IPv6 count as one.
fn source_of(remote: IpAddr) -> IpAddr {
    match remote.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

impl Crowd {
    /// Nobody.
    #[must_use]
    pub fn new(room: Room) -> Self {
        Self { room, state: Lock::default() }
    }

    /// A new connection. `None` if there is no room, and nobody is idle who could give way.
    pub fn enter(&self, remote: SocketAddr) -> Option<Place<'_>> {
        let source = source_of(remote.ip());
        self.state.with(|state| {
            let first = |idle: &BTreeMap<u64, Arc<Seat>>| {
                idle.first_key_value().map(|(number, seat)| (*number, seat.source()))
            };
            let known = state.sources.get(&source);
            if known.is_some_and(|known| known.count >= self.room.source) {
                let (number, source) = known.and_then(|known| first(&known.idle))?;
                state.end(number, source);
            } else if state.count >= self.room.all {
                let (number, source) = first(&state.idle)?;
                state.end(number, source);
            }
            state.count += 1;
            state.sources.entry(source).or_default().count += 1;
            let seat = Arc::new(Seat { remote, state: Lock::default() });
            Some(Place { crowd: self, seat, idle: None })
        })
    }

    /// Connections.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state.with(|state| state.count)
    }

    /// Ends who is idle for so long, for ever.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn expire(&self, clock: &dyn Clock, limit: Duration) {
        loop {
            // Nothing wakes a server without clients.
            let since = poll_fn(|context| self.poll_oldest(context.waker())).await;
            let now = clock.now();
            if now < since.after(limit) {
                clock.sleep_until(since.after(limit)).await;
                continue;
            }
            self.state.with(|state| {
                if let Some((number, seat)) = state.idle.first_key_value() {
                    let (number, source) = (*number, seat.source());
                    state.end(number, source);
                }
            });
        }
    }

    /// Since when the longest idle connection is idle, once there is one.
    fn poll_oldest(&self, waker: &Waker) -> Poll<Instant> {
        self.state.with(|state| match state.idle.first_key_value() {
            Some((_, seat)) => Poll::Ready(seat.state.with(|state| state.idle_since)),
            None => {
                state.expiry = Some(waker.clone());
                Poll::Pending
            }
        })
    }
}

impl Place<'_> {
    /// The client's address.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.seat.remote
    }

    /// Waits until the client says something; gives false if this connection must end.
    pub fn poll_idle(
        &mut self,
        context: &mut Context<'_>,
        stream: &File,
        clock: &dyn Clock,
    ) -> Poll<bool> {
        if self.idle.is_none() {
            self.become_idle(clock.now());
        }
        let is_ended = self.seat.state.with(|state| {
            state.waker = Some(context.waker().clone());
            state.is_ended
        });
        let outcome = match is_ended {
            true => Poll::Ready(false),
            false => stream.poll_ready(context, Readiness::READABLE).map(|_| true),
        };
        if outcome.is_ready() {
            self.end_idleness();
        }
        outcome
    }

    fn become_idle(&mut self, now: Instant) {
        let seat = &self.seat;
        let (number, expiry) = self.crowd.state.with(|state| {
            seat.state.with(|seat| seat.idle_since = now);
            let number = state.next;
            state.next += 1;
            state.idle.insert(number, Arc::clone(seat));
            if let Some(source) = state.sources.get_mut(&seat.source()) {
                source.idle.insert(number, Arc::clone(seat));
            }
            (number, state.expiry.take())
        });
        self.idle = Some(number);
        expiry.into_iter().for_each(Waker::wake);
    }

    fn end_idleness(&mut self) {
        if let Some(number) = self.idle.take() {
            self.crowd.state.with(|state| state.forget_idle(self.seat.source(), number));
            drop(self.seat.state.with(|state| state.waker.take()));
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.end_idleness();
        self.crowd.state.with(|state| {
            // One that gave way has left already.
            if !self.seat.state.with(|state| state.is_ended) {
                state.leave(self.seat.source());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, connection};

    #[test]
    fn the_longest_idle_gives_way_and_nobody_else() {
        let crowd = Crowd::new(Room { all: 3, source: 2 });
        let (_ours, theirs) = connection();
        let clock = World::new().platform().clock;
        let enter = |text: &str| crowd.enter((text.parse::<IpAddr>().unwrap(), 1024).into());
        let idle = |place: &mut Place<'_>| {
            place.poll_idle(&mut Context::from_waker(Waker::noop()), &theirs, &*clock)
        };
        let (a, b, c) = (enter("10.0.0.1"), enter("10.0.0.1"), enter("10.0.0.2"));
        let (mut a, mut b, mut c) = (a.unwrap(), b.unwrap(), c.unwrap());
        assert!(enter("10.0.0.3").is_none() && enter("10.0.0.1").is_none());
        for place in [&mut c, &mut b, &mut a] {
            assert_eq!(idle(place), Poll::Pending);
        }
        // A source with its share makes room of its own.
        let d = enter("::ffff:10.0.0.1").unwrap();
        assert_eq!(idle(&mut c), Poll::Pending);
        assert_eq!(idle(&mut b), Poll::Ready(false));
        // Anybody else takes from who has been idle longest.
        let e = enter("2001:db8::1").unwrap();
        assert_eq!(idle(&mut c), Poll::Ready(false));
        assert_eq!(idle(&mut a), Poll::Pending);
        assert_eq!(crowd.count(), 3);
        drop((d, e));
        drop((a, b, c));
        assert_eq!(crowd.count(), 0);
        assert!(crowd.state.with(|state| state.sources.is_empty() && state.idle.is_empty()));
        // Hosts of one network count as one.
        let two = (enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap());
        assert!(enter("2001:db8::3").is_none() && enter("2001:db8:0:1::3").is_some());
        drop(two);
    }
}
