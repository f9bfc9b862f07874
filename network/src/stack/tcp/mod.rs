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
//! | [`segment`] | what no segment may do to the socket |
//! | [`time_wait`] | closed tuples |

pub(crate) mod deadline;
pub(crate) mod egress;
pub(crate) mod ingress;
pub(crate) mod listen;
pub(crate) mod segment;
pub(crate) mod service;
pub(crate) mod time_wait;
pub(crate) mod verbs;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{BuildHasher, Hash, Hasher};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use slab::Slab;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use virtual_file_system::{Error, WakerList};

use self::deadline::{Contact, Patience};
use self::egress::Shape;
use self::listen::{ListenBinding, Listener};
use self::segment::Supervision;
use self::time_wait::TimeWait;
use crate::platform::Instant;
use crate::socket::TcpSettings;
use crate::stack::bound::Bound;

/// Both ends of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flow {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// In a few wide words: it is done for every segment.
impl Hash for Flow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for end in [self.local, self.remote] {
            match end.ip() {
                IpAddr::V4(address) => state.write_u64(u64::from(u32::from(address)) << 16 | u64::from(end.port())),
                IpAddr::V6(address) => {
                    state.write_u128(u128::from(address));
                    state.write_u16(end.port());
                }
            }
        }
    }
}

/// Names a slot; a reused index has another generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SlotId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
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
    own_segment: usize,
    patience: Patience,
    contact: Contact,
    /// What dropping the stream does with unsent data (SO_LINGER).
    linger: Option<Duration>,
    /// The deadline that stands in the heap for this slot; [`Instant::NEVER`] when none does.
    armed: Instant,
    /// When the connection ends whatever the peer does.
    pub(crate) give_up_at: Option<Instant>,
    dirty: bool,
    /// The program ended its direction; the FIN leaves once smoltcp can be trusted with it.
    closing: bool,
    /// Reading was shut down.
    deaf: bool,
    error: Option<Error>,
    /// What ICMP said about the path; reported if the connection ends because of it.
    soft_error: Option<Error>,
    challenges: (u32, Instant),
    /// When progress was last taken as a sign that the next hop is reachable.
    confirmed: Instant,
    /// Bytes that the program took since the peer may have been told of the room.
    drained: usize,
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
    pub(crate) slots: Slab<Slot>,
    pub(crate) flows: HashMap<Flow, u32, FixedState>,
    pub(crate) listeners: BTreeMap<u16, Vec<ListenBinding>>,
    pub(crate) time_wait: TimeWait,
    pub(crate) dirty: VecDeque<u32>,
    /// The flow that was found last: segments come in trains.
    recent: Option<(Flow, u32)>,
    generation: u32,
}

impl Tcp {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            slots: Slab::new(),
            flows: HashMap::with_hasher(FixedState::with_seed(seed)),
            listeners: BTreeMap::new(),
            time_wait: TimeWait::new(seed.rotate_left(32)),
            dirty: VecDeque::new(),
            recent: None,
            generation: 0,
        }
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot> {
        self.slots.get(id.index as usize).filter(|slot| slot.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut Slot> {
        self.slots.get_mut(id.index as usize).filter(|slot| slot.generation == id.generation)
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

    /// Adds a connection with a fresh socket.
    pub(crate) fn insert(
        &mut self,
        flow: Flow,
        phase: Phase,
        socket: tcp::Socket<'static>,
        settings: &TcpSettings,
        (own_segment, now): (usize, Instant),
    ) -> SlotId {
        // A set that grows by itself starts with room for four sockets.
        let mut set = SocketSet::new(Vec::with_capacity(1));
        let handle = set.add(socket);
        self.generation = self.generation.wrapping_add(1);
        let slot = Slot {
            generation: self.generation,
            set,
            handle,
            flow,
            phase,
            supervision: Supervision::default(),
            shape: Shape::new(settings.hop_limit, settings.traffic_class),
            own_segment,
            patience: settings.patience(),
            contact: Contact::new(now),
            linger: settings.linger(),
            armed: Instant::NEVER,
            give_up_at: None,
            dirty: false,
            closing: false,
            deaf: false,
            error: None,
            soft_error: None,
            challenges: (0, Instant::ZERO),
            confirmed: Instant::ZERO,
            drained: 0,
            readers: WakerList::new(),
            writers: WakerList::new(),
        };
        // A slab of four thousand million connections does not fit into memory.
        let index = self.slots.insert(slot) as u32;
        self.flows.insert(flow, index);
        SlotId { index, generation: self.generation }
    }

    /// True when a listener takes connections to this address.
    pub(crate) fn listens_at(&self, local: SocketAddr) -> bool {
        let bound = Bound::new(local.ip());
        self.listeners
            .get(&local.port())
            .is_some_and(|bindings| bindings.iter().any(|binding| binding.bound.overlaps(bound)))
    }

    /// Removes a connection.
    pub(crate) fn remove(&mut self, index: u32) -> Option<Slot> {
        let slot = self.slots.try_remove(index as usize)?;
        self.unlink(&slot.flow, index);
        Some(slot)
    }
}
