//! TCP: connections found by hash, each with a state machine, a sender and a receiver of its own.
//!
//! A [`Slot`] is a connection. How it opens and closes is two pure machines ([`handshake`],
//! [`machine`]); bytes, numbers, loss and windows are ours ([`send`], [`receive`]), so that no
//! segment can harm the socket and nothing is limited by what it does about loss. Cost per packet
//! does not depend on how many slots exist: segments find theirs through `flows`, timers stand in
//! the stack's heap, and changed slots in the `dirty` queue.
//!
//! Left out on purpose: timestamps (RFC 7323 §3). Round trips are measured without them, and
//! needless repetitions are known by DSACK and F-RTO; what is missing is protection against numbers
//! that come round while an old segment still travels, which takes more than 2 GiB in its lifetime.
//! Urgent data stays in the stream (RFC 6093), and nothing is sent with a SYN (RFC 7413).
//!
//! | file | owns |
//! |---|---|
//! | [`ingress`] | from a TCP packet to the connection, listener, resting tuple or reset it belongs to |
//! | [`gate`] | what a segment must pass before anything of it counts |
//! | [`handshake`] | how a connection opens |
//! | [`machine`] | the states of a connection |
//! | [`receive`] | what came, in order or not, and what the peer is told of it |
//! | [`send`] | what was written, what is under way, and when it is sent again |
//! | [`congestion`] | how much may be under way |
//! | [`egress`] | segments as packets |
//! | [`service`] | serving a connection, and what follows from a change of state |
//! | [`deadline`] | when a connection is looked at again, and when it ends whatever the peer does |
//! | [`verbs`] | connect, send, receive, shut down, release: what sockets call |
//! | [`listen`] | backlogs |
//! | [`slot`] | a connection |
//! | [`statistics`] | a connection in figures |
//! | [`incident`] | what watchers are told of connections |
//! | [`segment`] | a segment as numbers |
//! | [`ring`], [`islands`] | bytes in a buffer that goes round, and what of it came out of order |
//! | [`time_wait`] | closed tuples |

pub(crate) mod congestion;
pub(crate) mod deadline;
pub(crate) mod egress;
mod gate;
mod handshake;
mod icmp;
mod incident;
pub(crate) mod ingress;
mod islands;
pub(crate) mod listen;
mod machine;
mod receive;
mod ring;
pub(crate) mod segment;
mod send;
pub(crate) mod service;
pub(crate) mod settings;
mod slot;
mod statistics;
pub(crate) mod time_wait;
pub(crate) mod verbs;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash, Hasher};
use core::net::{IpAddr, SocketAddr};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use slab::Slab;
use virtual_file_system::WakerList;

use self::deadline::Contact;
use self::egress::Shape;
use self::handshake::Handshake;
use self::listen::ListenBinding;
use self::machine::Machine;
use self::receive::Receiver;
use self::send::Outlet;
pub use self::settings::TcpSettings;
use self::slot::Marks;
pub(crate) use self::slot::{Opening, Phase, Slot, SlotId};
use self::time_wait::TimeWait;
use crate::limits;
use crate::platform::Instant;
use crate::stack::bound::Bound;
use crate::stack::context::Context;
pub(crate) use crate::stack::flow::{End, Flow};
use crate::stack::flow_cache::FlowCache;
use crate::stack::ports;

/// The connections and listeners of one interface.
#[derive(Debug)]
pub(crate) struct Tcp {
    /// Each by itself, so that the table that grows is a table of pointers.
    pub(crate) slots: Slab<Box<Slot>>,
    /// Slots by the flow of each: only their places stand here, so that a connection's name is kept
    /// once.
    flows: HashTable<u32>,
    state: FixedState,
    pub(crate) listeners: BTreeMap<u16, Vec<ListenBinding>>,
    pub(crate) time_wait: TimeWait,
    pub(crate) dirty: VecDeque<u32>,
    /// The flow that was found last: segments come in trains.
    recent: FlowCache<Flow, u32>,
    /// Ephemeral ports given out, by hash of the addresses.
    ports: [u32; limits::PORT_COUNTERS],
    /// Bytes of data that connections hold.
    held: usize,
    /// Keys of the function that begins sequence numbers.
    sequence_key: (u64, u64),
    generation: u32,
}

impl Tcp {
    pub(crate) fn new(cx: &mut Context) -> Self {
        let seed = cx.random.u64();
        let sequence_key = (cx.random.u64(), cx.random.u64());
        Self {
            slots: Slab::new(),
            flows: HashTable::new(),
            state: FixedState::with_seed(seed),
            listeners: BTreeMap::new(),
            time_wait: TimeWait::new(seed.rotate_left(32)),
            dirty: VecDeque::new(),
            recent: FlowCache::default(),
            ports: [0; limits::PORT_COUNTERS],
            held: 0,
            sequence_key,
            generation: 0,
        }
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot> {
        self.slots
            .get(id.index as usize)
            .map(Box::as_ref)
            .filter(|slot| slot.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut Slot> {
        self.slots
            .get_mut(id.index as usize)
            .map(Box::as_mut)
            .filter(|slot| slot.generation == id.generation)
    }

    /// The slot of a flow, for those who ask once.
    pub(crate) fn lookup(&self, flow: &Flow) -> Option<u32> {
        let is_meant =
            |index: &u32| self.slots.get(*index as usize).is_some_and(|slot| slot.flow == *flow);
        self.flows.find(self.state.hash_one(flow), is_meant).copied()
    }

    /// The slot of a flow.
    pub(crate) fn find(&mut self, flow: &Flow) -> Option<u32> {
        if let Some(index) = self.recent.get(0, flow) {
            return Some(*index);
        }
        let index = self.lookup(flow)?;
        self.recent.set(0, *flow, index);
        Some(index)
    }

    /// Where the sequence numbers of a new connection begin: a clock of 4 µs plus a keyed hash of
    /// the flow (RFC 6528). Never at or below `floor`, the last number of the same flow's former
    /// connection.
    pub(crate) fn initial_sequence(&self, flow: &Flow, now: Instant, floor: Option<u32>) -> u32 {
        let (first, second) = self.sequence_key;
        let mut hasher = SipHasher13::new_with_keys(first, second);
        flow.hash(&mut hasher);
        // Both are meant to wrap.
        let sequence = (hasher.finish() as u32).wrapping_add((now.as_micros() / 4) as u32);
        match floor {
            Some(floor) if !segment::before(floor, sequence) => floor.wrapping_add(1),
            _ => sequence,
        }
    }

    /// The place of the next ephemeral port between two addresses.
    fn next_port(&mut self, local: IpAddr, remote: SocketAddr) -> u32 {
        let (first, second) = self.sequence_key;
        // Not the function that begins sequence numbers.
        let mut hasher = SipHasher13::new_with_keys(second, first);
        Flow::new(SocketAddr::new(local, 0), remote).hash(&mut hasher);
        let hash = hasher.finish();
        let (offset, place) = (hash as u32, (hash >> 32) as usize % limits::PORT_COUNTERS);
        let Some(counter) = self.ports.get_mut(place) else { return 0 };
        *counter = counter.wrapping_add(1);
        offset.wrapping_add(*counter) % ports::COUNT
    }

    /// Makes a slot's flow free again.
    pub(crate) fn unlink(&mut self, flow: &Flow, index: u32) {
        // It may have been made free before, and belong to another slot by now.
        if let Ok(entry) = self.flows.find_entry(self.state.hash_one(flow), |known| *known == index)
        {
            entry.remove();
            self.recent.clear();
        }
    }

    /// The name of the slot at an index.
    pub(crate) fn id_at(&self, index: u32) -> Option<SlotId> {
        self.slots.get(index as usize).map(|slot| SlotId { index, generation: slot.generation })
    }

    /// Puts a slot's egress on the agenda.
    pub(crate) fn mark(&mut self, index: u32) {
        if let Some(slot) = self.slots.get_mut(index as usize)
            && !slot.dirty
        {
            slot.dirty = true;
            self.dirty.push_back(index);
        }
    }

    /// Adds a connection. Its sequence numbers begin at `opening.sequence`, whatever its socket
    /// believes.
    pub(crate) fn insert(
        &mut self,
        flow: Flow,
        phase: Phase,
        handshake: Handshake,
        settings: &TcpSettings,
        opening: &Opening,
    ) -> SlotId {
        let Opening { own_segment, now, .. } = *opening;
        self.generation = self.generation.wrapping_add(1);
        let (receive, send) = (settings.receive_sizes(), settings.send_sizes());
        let slot = Slot {
            generation: self.generation,
            machine: Machine::Opening(handshake),
            sender: Outlet::new(send.0, send.1, settings.no_delay, settings.congestion),
            receiver: Receiver::new(receive.0, receive.1),
            flow,
            phase,
            shape: Shape::new(settings.hop_limit, settings.traffic_class),
            marks: Marks { is_wanted: settings.explicit_congestion, is_offered: false },
            own_segment,
            patience: settings.patience(),
            contact: Contact::new(now),
            linger: settings.linger,
            armed: Instant::NEVER,
            give_up_at: Instant::NEVER,
            dirty: false,
            closing: false,
            deaf: false,
            error: None,
            soft_error: None,
            challenges: 0,
            challenged: Instant::ZERO,
            probes: 0,
            confirmed: Instant::ZERO,
            buffers: (settings.receive_buffer, settings.send_buffer),
            is_cut_off: false,
            counted: 0,
            readers: WakerList::new(),
            writers: WakerList::new(),
        };
        // A slab of four thousand million connections does not fit into memory.
        let index = self.slots.insert(Box::new(slot)) as u32;
        let Self { flows, slots, state, .. } = self;
        flows.insert_unique(state.hash_one(flow), index, |index| {
            slots.get(*index as usize).map_or(0, |slot| state.hash_one(slot.flow))
        });
        SlotId { index, generation: self.generation }
    }

    /// True when a connection waits to be served.
    pub(crate) fn has_work(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// True when connections together hold as much as they may.
    fn is_short_of_memory(&self) -> bool {
        self.held > limits::TCP_MEMORY
    }

    /// Counts what a connection holds. Above the limit buffers grow no further.
    fn count_memory(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        let now = slot.sender.queued() + slot.receiver.held();
        self.held = self.held - slot.counted + now;
        slot.counted = now;
        if self.held > limits::TCP_MEMORY {
            slot.sender.stop_growing();
            slot.receiver.stop_growing();
        }
    }

    /// True when a listener takes connections to a port at some of these addresses.
    pub(crate) fn listens_at(&self, port: u16, bound: Bound) -> bool {
        self.listeners
            .get(&port)
            .is_some_and(|bindings| bindings.iter().any(|binding| binding.bound.overlaps(bound)))
    }

    /// Removes a connection.
    pub(crate) fn remove(&mut self, index: u32) {
        let Some(slot) = self.slots.try_remove(index as usize) else { return };
        self.held -= slot.counted;
        self.unlink(&slot.flow, index);
    }
}
