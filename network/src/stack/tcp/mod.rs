//! TCP: one smoltcp socket in a set of its own for each connection, found by hash.
//!
//! A [`Slot`] is a connection: its socket set, its supervision, its waiters. Cost per packet does not depend on how many slots exist:
//! segments find theirs through `flows`, timers stand in the stack's heap, and changed slots in the `dirty` queue.
//!
//! | file | owns |
//! |---|---|
//! | [`ingress`] | from a TCP packet to the slot, listener, resting tuple or reset it belongs to |
//! | [`service`] | serving a socket, and what follows from a change of state |
//! | [`egress`] | what a socket emitted, cut to segments |
//! | [`deadline`] | when a connection is looked at again, and when it ends whatever the peer does |
//! | [`verbs`] | connect, send, receive, shut down, release: what sockets call |
//! | [`listen`] | backlogs |
//! | [`flow`] | the name of a connection |
//! | [`spares`] | sockets that may be used again |
//! | [`segment`] | what no segment may do to the socket |
//! | [`time_wait`] | closed tuples |

pub(crate) mod deadline;
pub(crate) mod egress;
pub(crate) mod flow;
pub(crate) mod ingress;
pub(crate) mod listen;
pub(crate) mod segment;
pub(crate) mod service;
pub(crate) mod spares;
pub(crate) mod time_wait;
pub(crate) mod verbs;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use siphasher::sip::SipHasher13;
use slab::Slab;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use virtual_file_system::{Error, WakerList};

use self::deadline::{Contact, Patience};
use self::egress::Shape;
pub(crate) use self::flow::{End, Flow};
use self::listen::{ListenBinding, Listener};
use self::segment::Supervision;
use self::spares::{Socket, Spares};
use self::time_wait::TimeWait;
use crate::platform::Instant;
use crate::socket::TcpSettings;
use crate::stack::bound::Bound;

/// Names a slot; a reused index has another generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SlotId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// How a connection begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// Bytes of data in a segment that our end takes.
    pub(crate) own_segment: u16,
    /// Our first sequence number.
    pub(crate) sequence: u32,
    pub(crate) now: Instant,
}

/// Who a connection belongs to.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// A program waits for the handshake.
    Connecting,
    /// A listener waits for the handshake.
    HalfOpen(Arc<Listener>),
    /// A program has it, or a listener's queue.
    Owned,
    /// Nobody has it: what was written is delivered, then it ends.
    Orphan,
}

/// One connection.
pub(crate) struct Slot {
    generation: u32,
    set: SocketSet<'static>,
    handle: SocketHandle,
    pub(crate) flow: Flow,
    pub(crate) phase: Phase,
    supervision: Supervision,
    /// What its packets look like.
    shape: Shape,
    /// Bytes of data in a segment that we take, as our SYN says.
    own_segment: u16,
    patience: Patience,
    contact: Contact,
    /// Milliseconds that dropping the stream gives unsent data (SO_LINGER).
    linger: Option<u32>,
    /// The deadline that stands in the heap for this slot; [`Instant::NEVER`] when none does.
    armed: Instant,
    /// When the connection ends whatever the peer does; [`Instant::NEVER`] for not.
    pub(crate) give_up_at: Instant,
    dirty: bool,
    /// The program ended its direction; the FIN leaves once smoltcp can be trusted with it.
    closing: bool,
    /// Reading was shut down.
    deaf: bool,
    error: Option<Error>,
    /// What ICMP said about the path; reported if the connection ends because of it.
    soft_error: Option<Error>,
    /// Challenge ACKs since a moment.
    challenges: u8,
    challenged: Instant,
    /// Keep-alive probes since the peer was heard.
    probes: u8,
    /// When progress was last taken as a sign that the next hop is reachable.
    confirmed: Instant,
    /// Bytes that the program took since the peer may have been told of the room.
    drained: u32,
    readers: WakerList,
    writers: WakerList,
}

impl Slot {
    pub(crate) fn socket(&self) -> &tcp::Socket<'static> {
        self.set.get(self.handle)
    }

    pub(crate) fn socket_mut(&mut self) -> &mut tcp::Socket<'static> {
        self.set.get_mut(self.handle)
    }

    /// Takes over every setting that a living connection can change.
    pub(crate) fn adopt(&mut self, settings: &TcpSettings) {
        self.socket_mut().set_nagle_enabled(!settings.no_delay);
        self.shape = self.shape.with(settings.hop_limit, settings.traffic_class);
        self.patience = settings.patience();
        self.linger = settings.linger;
    }

    /// Leaves an error for the owner.
    pub(crate) fn fail(&mut self, error: Error) {
        self.error = Some(error);
    }

    /// Takes the error that waits for the owner's next call (SO_ERROR).
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Slot")
            .field("flow", &self.flow)
            .field("state", &self.socket().state())
            .finish_non_exhaustive()
    }
}

/// The connections and listeners of one interface.
#[derive(Debug)]
pub(crate) struct Tcp {
    /// Each by itself, so that the table that grows is a table of pointers.
    pub(crate) slots: Slab<Box<Slot>>,
    pub(crate) flows: HashMap<Flow, u32, FixedState>,
    pub(crate) listeners: BTreeMap<u16, Vec<ListenBinding>>,
    pub(crate) time_wait: TimeWait,
    pub(crate) dirty: VecDeque<u32>,
    /// The flow that was found last: segments come in trains.
    recent: Option<(Flow, u32)>,
    pub(crate) spares: Spares,
    /// Keys of the function that begins sequence numbers.
    sequence_key: (u64, u64),
    generation: u32,
}

impl Tcp {
    pub(crate) fn new(seed: u64, sequence_key: (u64, u64)) -> Self {
        Self {
            slots: Slab::new(),
            flows: HashMap::with_hasher(FixedState::with_seed(seed)),
            listeners: BTreeMap::new(),
            time_wait: TimeWait::new(seed.rotate_left(32)),
            dirty: VecDeque::new(),
            recent: None,
            spares: Spares::default(),
            sequence_key,
            generation: 0,
        }
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot> {
        self.slots.get(id.index as usize).map(Box::as_ref).filter(|slot| slot.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut Slot> {
        self.slots.get_mut(id.index as usize).map(Box::as_mut).filter(|slot| slot.generation == id.generation)
    }

    /// The slot of a flow.
    pub(crate) fn find(&mut self, flow: &Flow) -> Option<u32> {
        if let Some((known, index)) = &self.recent
            && known == flow
        {
            return Some(*index);
        }
        let index = self.flows.get(flow).copied()?;
        self.recent = Some((*flow, index));
        Some(index)
    }

    /// Where the sequence numbers of a new connection begin: a clock of 4 µs plus a keyed hash of the flow (RFC 6528). Never at or below
    /// `floor`, the last number of the same flow's former connection.
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

    /// A number that depends on the flow alone and that nobody outside can choose.
    pub(crate) fn hash(&self, flow: &Flow) -> u64 {
        self.flows.hasher().hash_one(flow)
    }

    /// Makes a slot's flow free again.
    pub(crate) fn unlink(&mut self, flow: &Flow, index: u32) {
        if self.flows.get(flow) == Some(&index) {
            self.flows.remove(flow);
            self.recent = None;
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

    /// Adds a connection. Its sequence numbers begin at `opening.sequence`, whatever its socket believes.
    pub(crate) fn insert(
        &mut self,
        flow: Flow,
        phase: Phase,
        (set, handle): Socket,
        settings: &TcpSettings,
        opening: &Opening,
    ) -> SlotId {
        let Opening { own_segment, sequence, now } = *opening;
        self.generation = self.generation.wrapping_add(1);
        let slot = Slot {
            generation: self.generation,
            set,
            handle,
            flow,
            phase,
            supervision: Supervision::new(sequence),
            shape: Shape::new(settings.hop_limit, settings.traffic_class),
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
            drained: 0,
            readers: WakerList::new(),
            writers: WakerList::new(),
        };
        // A slab of four thousand million connections does not fit into memory.
        let index = self.slots.insert(Box::new(slot)) as u32;
        self.flows.insert(flow, index);
        SlotId { index, generation: self.generation }
    }

    /// True when a listener takes connections to a port at some of these addresses.
    pub(crate) fn listens_at(&self, port: u16, bound: Bound) -> bool {
        self.listeners.get(&port).is_some_and(|bindings| bindings.iter().any(|binding| binding.bound.overlaps(bound)))
    }

    /// Removes a connection.
    pub(crate) fn remove(&mut self, index: u32) {
        let Some(slot) = self.slots.try_remove(index as usize) else { return };
        self.unlink(&slot.flow, index);
        if slot.supervision.is_plain() {
            self.spares.put(slot.set, slot.handle);
        }
    }
}
