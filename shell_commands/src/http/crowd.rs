//! Who is connected to a server: how many, from where, and who has been idle longest.
//!
//! When there is no room, the longest idle connection gives way to a new one; of a source that has
//! its share, the longest idle one of its own. An idle connection costs its entry here and its
//! waker, but no task and no timer.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Waker;

use devnet_network::platform::{BoxFuture, Instant};
use devnet_virtual_file_system::{File, Result};
use slab::Slab;

use super::ready::{Bell, Ready};

/// The most connections, in all and from one source: an IPv4 address, or a /64 of IPv6.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// In all.
    pub all: usize,
    /// Of one source.
    pub source: usize,
}

/// What becomes of a connection.
pub enum Outcome {
    /// The next request may come at any time.
    Idle,
    /// Our direction ends.
    Over,
    /// Nothing more can be sent, or is to be sent.
    Gone,
}

/// What is under way on a connection.
pub type Work<'a> = BoxFuture<'a, Result<Outcome>>;

/// The connections of a server.
pub struct Crowd<'a> {
    room: Room,
    /// Connections with a place.
    count: usize,
    sources: HashMap<IpAddr, Source>,
    /// By the order in which they became idle.
    idle: Queue,
    members: Slab<Member<'a>>,
    ready: Arc<Ready>,
}

/// A connection.
pub struct Member<'a> {
    /// Its stream.
    pub stream: File,
    /// The client's address.
    pub remote: SocketAddr,
    /// What is under way; nothing while the client is idle.
    pub work: Option<Work<'a>>,
    /// Wakes for this connection; of one kind for all of its life, since a stream keeps each.
    pub waker: Waker,
    /// When it became idle, if it is; [`Instant::NEVER`] else.
    idle_since: Instant,
    /// It gave its place away.
    has_left: bool,
    in_all: Links,
    in_source: Links,
}

#[derive(Default)]
struct Source {
    count: usize,
    idle: Queue,
}

/// The first and the last of a queue through the members.
#[derive(Default)]
struct Queue {
    first: Option<u32>,
    last: Option<u32>,
}

/// Who is before and behind a member; itself at the ends.
#[derive(Clone, Copy, Default)]
struct Links {
    before: u32,
    behind: u32,
}

type Which = for<'a, 'b> fn(&'a mut Member<'b>) -> &'a mut Links;

const IN_ALL: Which = |member| &mut member.in_all;
const IN_SOURCE: Which = |member| &mut member.in_source;

impl Queue {
    fn push(&mut self, members: &mut Slab<Member<'_>>, links: Which, index: u32) {
        let before = self.last.unwrap_or(index);
        if let Some(last) = members.get_mut(before as usize) {
            links(last).behind = index;
        }
        if let Some(member) = members.get_mut(index as usize) {
            *links(member) = Links { before, behind: index };
        }
        self.first = self.first.or(Some(index));
        self.last = Some(index);
    }

    fn remove(&mut self, members: &mut Slab<Member<'_>>, links: Which, index: u32) {
        let Some(Links { before, behind }) =
            members.get_mut(index as usize).map(|member| *links(member))
        else {
            return;
        };
        let (is_first, is_last) = (before == index, behind == index);
        match members.get_mut(before as usize) {
            Some(other) if !is_first => links(other).behind = if is_last { before } else { behind },
            _ => self.first = (!is_last).then_some(behind),
        }
        match members.get_mut(behind as usize) {
            Some(other) if !is_last => links(other).before = if is_first { behind } else { before },
            _ => self.last = (!is_first).then_some(before),
        }
    }
}

/// Hosts of one /64 of IPv6 count as one.
fn source_of(remote: IpAddr) -> IpAddr {
    match remote.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

impl<'a> Crowd<'a> {
    /// Nobody.
    #[must_use]
    pub fn new(room: Room) -> Self {
        let (sources, members) = (HashMap::new(), Slab::new());
        Self { room, count: 0, sources, idle: Queue::default(), members, ready: Arc::default() }
    }

    /// A new connection, which is ready. Returns who gave way to it; `None` if there is no room,
    /// and nobody is idle who could give way.
    pub fn enter(&mut self, stream: File, remote: SocketAddr) -> Option<Option<u32>> {
        let source = source_of(remote.ip());
        let known = self.sources.get(&source).filter(|known| known.count >= self.room.source);
        let leaving = match known {
            Some(known) => Some(known.idle.first?),
            None if self.count >= self.room.all => Some(self.idle.first?),
            None => None,
        };
        if let Some(index) = leaving {
            self.give_way(index);
        }
        self.count += 1;
        self.sources.entry(source).or_default().count += 1;
        let entry = self.members.vacant_entry();
        let bell = Bell::new(&self.ready, entry.key());
        let waker = Waker::from(bell);
        waker.wake_by_ref();
        entry.insert(Member {
            stream,
            remote,
            work: None,
            waker,
            idle_since: Instant::NEVER,
            has_left: false,
            in_all: Links::default(),
            in_source: Links::default(),
        });
        Some(leaving)
    }

    /// The next connection that is to go on; wakes the task when there is one.
    pub fn next_ready(&self, waker: &Waker) -> Option<u32> {
        self.ready.next(waker)
    }

    /// A connection.
    pub fn member(&mut self, index: u32) -> Option<&mut Member<'a>> {
        self.members.get_mut(index as usize)
    }

    /// Connections with a place.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// True without any connection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The longest idle connection, and since when it is idle.
    #[must_use]
    pub fn oldest(&self) -> Option<(u32, Instant)> {
        let first = self.idle.first?;
        Some((first, self.members.get(first as usize)?.idle_since))
    }

    /// The client is idle, unless it was already.
    pub fn become_idle(&mut self, index: u32, now: Instant) {
        let Some(member) = self.members.get_mut(index as usize) else { return };
        if member.idle_since != Instant::NEVER {
            return;
        }
        member.idle_since = now;
        let source = source_of(member.remote.ip());
        self.idle.push(&mut self.members, IN_ALL, index);
        if let Some(source) = self.sources.get_mut(&source) {
            source.idle.push(&mut self.members, IN_SOURCE, index);
        }
    }

    /// The client is no longer idle.
    pub fn end_idleness(&mut self, index: u32) {
        let Some(member) = self.members.get_mut(index as usize) else { return };
        if member.idle_since == Instant::NEVER {
            return;
        }
        member.idle_since = Instant::NEVER;
        let source = source_of(member.remote.ip());
        self.idle.remove(&mut self.members, IN_ALL, index);
        if let Some(source) = self.sources.get_mut(&source) {
            source.idle.remove(&mut self.members, IN_SOURCE, index);
        }
    }

    /// Takes the place of a connection, which is free at once.
    pub fn give_way(&mut self, index: u32) {
        self.end_idleness(index);
        let Some(member) = self.members.get_mut(index as usize) else { return };
        if std::mem::replace(&mut member.has_left, true) {
            return;
        }
        let source = source_of(member.remote.ip());
        self.count = self.count.saturating_sub(1);
        if let Some(known) = self.sources.get_mut(&source) {
            known.count = known.count.saturating_sub(1);
            if known.count == 0 {
                self.sources.remove(&source);
            }
        }
    }

    /// A connection is closed.
    pub fn leave(&mut self, index: u32) {
        self.give_way(index);
        self.members.try_remove(index as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::connection;

    #[test]
    fn the_longest_idle_gives_way_and_nobody_else() {
        let mut crowd = Crowd::new(Room { all: 3, source: 2 });
        let (_ours, theirs) = connection();
        let enter = |crowd: &mut Crowd<'_>, text: &str| {
            crowd.enter(theirs.clone(), (text.parse::<IpAddr>().unwrap(), 1024).into())
        };
        for text in ["10.0.0.1", "10.0.0.1", "10.0.0.2"] {
            assert_eq!(enter(&mut crowd, text), Some(None));
        }
        let (a, b, c) = (0, 1, 2);
        assert_eq!(enter(&mut crowd, "10.0.0.3"), None);
        assert_eq!(enter(&mut crowd, "10.0.0.1"), None);
        for (seconds, index) in [(1, c), (2, b), (3, a), (4, c)] {
            crowd.become_idle(index, Instant::from_micros(seconds * 1_000_000));
        }
        assert_eq!(crowd.oldest(), Some((c, Instant::from_micros(1_000_000))));
        // A source with its share makes room of its own.
        assert_eq!(enter(&mut crowd, "::ffff:10.0.0.1"), Some(Some(b)));
        // Anybody else takes from who has been idle longest.
        assert_eq!(enter(&mut crowd, "2001:db8::1"), Some(Some(c)));
        assert_eq!(crowd.oldest(), Some((a, Instant::from_micros(3_000_000))));
        assert_eq!(crowd.count(), 3);
        for index in 0..5 {
            crowd.leave(index);
        }
        assert!(crowd.count() == 0 && crowd.is_empty());
        assert!(crowd.sources.is_empty() && crowd.idle.first.or(crowd.idle.last).is_none());
        // Hosts of one network count as one.
        assert_eq!(enter(&mut crowd, "2001:db8::1"), Some(None));
        assert_eq!(enter(&mut crowd, "2001:db8::2"), Some(None));
        assert_eq!(enter(&mut crowd, "2001:db8::3"), None);
        assert_eq!(enter(&mut crowd, "2001:db8:0:1::3"), Some(None));
    }

    #[test]
    fn any_order_of_idleness_keeps_the_queues_whole() {
        let mut crowd = Crowd::new(Room { all: 8, source: 8 });
        let (_ours, theirs) = connection();
        for _ in 0..4 {
            crowd.enter(theirs.clone(), ([10, 0, 0, 1], 1).into()).unwrap();
        }
        for removed in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 0, 3], [2, 0, 3, 1]] {
            let mut left = vec![0, 1, 2, 3];
            left.iter().for_each(|index| crowd.become_idle(*index, Instant::ZERO));
            for index in removed {
                crowd.end_idleness(index);
                left.retain(|other| *other != index);
                assert_eq!(crowd.idle.first, left.first().copied());
                assert_eq!(crowd.idle.last, left.last().copied());
            }
        }
    }
}
