//! Which neighbor is evicted when there is no room for another: classes of entries, each with a
//! queue in the order of arrival.
//!
//! Whoever is on the link can make us resolve and learn addresses, so those entries have shares of
//! their own, which evict each other only. An entry that our programs use is evicted by another one
//! that they use, and its use since it was queued earns it a second chance. Eviction looks at a
//! fixed number of entries, however large the table is.

use core::hash::BuildHasher;
use core::net::IpAddr;

use foldhash::fast::FixedState;

use super::{Neighbor, Neighbors};
use crate::limits;
use crate::platform::Instant;
use crate::stack::lazy_queue::LazyQueue;
use crate::stack::token_bucket::{SharedBuckets, TokenBucket};
use crate::stack::wire::header;
use crate::stack::wire::header::protocol;

/// Entries that one eviction looks at.
const CHANCES: usize = 16;

/// Why a neighbor is in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// Unresolved, for an answer to a packet that anybody can send.
    Answering,
    /// It told its hardware address, and no program used it since.
    Learned,
    /// Unresolved, for a packet of a program.
    Resolving,
    /// Resolved and used by a program.
    Used,
    /// Static.
    Fixed,
}

impl Class {
    /// The class of an unresolved neighbor for this packet. Echo replies, ICMP errors, RSTs and
    /// SYN|ACKs answer strangers.
    pub(super) fn of_packet(packet: &[u8]) -> Self {
        const SYN_ACK: u8 = 0x12;
        const RST: u8 = 4;
        let is_answer = match header::upper_of(packet) {
            Some((protocol::ICMP, [kind, ..])) => !matches!(kind, 8 | 13),
            Some((protocol::ICMPV6, [kind, ..])) => *kind != 128,
            Some((protocol::TCP, tcp)) => {
                tcp.get(13).is_some_and(|flags| flags & RST != 0 || flags & SYN_ACK == SYN_ACK)
            }
            _ => false,
        };
        if is_answer { Self::Answering } else { Self::Resolving }
    }

    /// The class once the hardware address is known.
    pub(super) const fn resolved(self) -> Self {
        match self {
            Self::Answering | Self::Learned => Self::Learned,
            Self::Resolving | Self::Used => Self::Used,
            Self::Fixed => Self::Fixed,
        }
    }

    /// The class once it is not known any more.
    pub(super) const fn unresolved(self) -> Self {
        match self {
            Self::Answering | Self::Learned => Self::Answering,
            Self::Resolving | Self::Used => Self::Resolving,
            Self::Fixed => Self::Fixed,
        }
    }

    /// The most entries of the class.
    const fn share(self) -> usize {
        match self {
            Self::Answering => limits::NEIGHBORS_ANSWERING,
            Self::Learned => limits::NEIGHBORS_LEARNED,
            Self::Resolving => limits::NEIGHBORS_RESOLVING,
            Self::Used | Self::Fixed => limits::NEIGHBORS,
        }
    }
}

/// The rates of new neighbors.
#[derive(Debug)]
pub(super) struct Rates {
    answers: TokenBucket,
    programs: TokenBucket,
    /// Local ports share them by hash.
    ports: SharedBuckets,
}

impl Rates {
    pub(super) fn new() -> Self {
        let full = |tokens| TokenBucket::new(tokens, Instant::ZERO);
        Self {
            answers: full(limits::RESOLUTIONS_ANSWERING),
            programs: full(limits::RESOLUTIONS),
            ports: SharedBuckets::new(limits::RESOLUTION_BUCKETS, limits::RESOLUTIONS_PER_PORT),
        }
    }

    /// Takes a token for the new neighbor of a packet. A program that answers whoever asks it has
    /// no more of them than others.
    pub(super) fn take(
        &mut self,
        class: Class,
        packet: &[u8],
        hasher: &FixedState,
        now: Instant,
    ) -> bool {
        if class == Class::Answering {
            return self.answers.take(limits::RESOLUTIONS_ANSWERING, now);
        }
        let port = header::upper_of(packet).map(|(kind, upper)| (kind, upper.first_chunk::<2>()));
        let may = self.ports.take_many(hasher.hash_one(port), 1, now);
        may && self.programs.take(limits::RESOLUTIONS, now)
    }
}

/// An entry in the queue of its class. It is stale when the neighbor has another ticket or is gone.
#[derive(Clone, Copy, Debug)]
struct Place {
    address: IpAddr,
    ticket: u32,
    queued_at: Instant,
}

/// The queue of one class.
#[derive(Debug, Default)]
struct Queue {
    places: LazyQueue<Place>,
    /// Those that are not stale.
    count: usize,
}

/// The queues of all classes.
#[derive(Debug, Default)]
pub(super) struct Classes {
    queues: [Queue; 5],
    last_ticket: u32,
}

impl Classes {
    fn queue(&mut self, class: Class) -> &mut Queue {
        let Self { queues: [answering, learned, resolving, used, fixed], .. } = self;
        match class {
            Class::Answering => answering,
            Class::Learned => learned,
            Class::Resolving => resolving,
            Class::Used => used,
            Class::Fixed => fixed,
        }
    }

    /// An entry enters a class. Returns its ticket.
    fn enter(&mut self, class: Class) -> u32 {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.queue(class).count += 1;
        self.last_ticket
    }

    /// An entry leaves its class.
    pub(super) fn leave(&mut self, class: Class) {
        let queue = self.queue(class);
        queue.count = queue.count.saturating_sub(1);
        if queue.count == 0 {
            queue.places.clear();
        }
    }
}

impl Neighbors {
    /// Adds an entry of a class, or moves it there.
    pub(super) fn classify(&mut self, address: IpAddr, class: Class, now: Instant) {
        let Self { table, classes, .. } = self;
        let Some(neighbor) = table.get_mut(&address) else { return };
        if neighbor.ticket != 0 {
            if neighbor.class == class {
                return;
            }
            classes.leave(neighbor.class);
        }
        let ticket = classes.enter(class);
        (neighbor.class, neighbor.ticket) = (class, ticket);
        if class != Class::Fixed {
            let Queue { places, count } = classes.queue(class);
            places.push(Place { address, ticket, queued_at: now }, *count, |place| {
                table.get(&place.address).is_some_and(|known| known.ticket == place.ticket)
            });
        }
    }

    /// Makes room for one more entry of a class; false when there is none.
    pub(super) fn make_room(&mut self, class: Class) -> bool {
        if self.classes.queue(class).count >= class.share() {
            return self.evict(class);
        }
        if self.table.len() < limits::NEIGHBORS {
            return true;
        }
        // What is worth less goes first; nothing evicts what is worth more.
        let evicts = match class {
            Class::Answering | Class::Learned => &[Class::Answering, Class::Learned][..],
            // Those under resolution are few: forgetting that one does not answer would ask for it
            // again at once (NBR-02).
            _ => &[Class::Answering, Class::Learned, Class::Used],
        };
        evicts.iter().any(|class| self.evict(*class))
    }

    /// The hardware address is known.
    pub(super) fn resolved(&mut self, address: IpAddr, now: Instant) {
        let Some(neighbor) = self.table.get(&address) else { return };
        self.reclassify(address, neighbor.class.resolved(), now);
    }

    /// A program uses the neighbor.
    pub(super) fn used_by_program(&mut self, address: IpAddr, now: Instant) {
        let Some(neighbor) = self.table.get(&address) else { return };
        let class = match neighbor.class {
            Class::Answering => Class::Resolving,
            Class::Learned => Class::Used,
            class => class,
        };
        self.reclassify(address, class, now);
    }

    /// True for a resolved neighbor that a program uses, or a static one.
    pub(crate) fn is_used(&self, address: IpAddr) -> bool {
        self.table
            .get(&address)
            .is_some_and(|neighbor| matches!(neighbor.class, Class::Used | Class::Fixed))
    }

    /// Moves an entry to another class, which evicts the oldest of a full one.
    pub(super) fn reclassify(&mut self, address: IpAddr, class: Class, now: Instant) {
        let is_other = self.table.get(&address).is_some_and(|neighbor| neighbor.class != class);
        if !is_other {
            return;
        }
        if self.classes.queue(class).count >= class.share() {
            self.evict(class);
        }
        self.classify(address, class, now);
    }

    /// Evicts the entry of a class that waited longest, except for gateways; one that was used
    /// since it was queued goes back once, if there is another.
    fn evict(&mut self, class: Class) -> bool {
        let mut last = None;
        let mut chances = CHANCES;
        while let Some(place) = self.classes.queue(class).places.pop() {
            let Some(neighbor) = self.table.get(&place.address) else { continue };
            if neighbor.ticket != place.ticket {
                continue;
            }
            let is_gateway = self.gateways.binary_search(&place.address).is_ok();
            let is_used = class == Class::Used && neighbor.last_use() > place.queued_at;
            chances -= 1;
            if !is_gateway && (!is_used || chances == 0) {
                self.discard(place.address);
                return true;
            }
            if !is_gateway && last.is_none() {
                last = Some(place.address);
            }
            let queued_at = neighbor.last_use().max(place.queued_at);
            self.classes.queue(class).places.put_back(Place { queued_at, ..place });
            if chances == 0 {
                break;
            }
        }
        last.is_some_and(|address| {
            self.discard(address);
            true
        })
    }

    /// Removes an entry; its packets are lost.
    fn discard(&mut self, address: IpAddr) {
        let queued = self.remove(address).unwrap_or_default();
        self.evicted.extend(queued);
    }
}

impl Neighbor {
    /// When it was used or answered last.
    fn last_use(&self) -> Instant {
        self.used.max(self.confirmed)
    }
}
