//! TCP: connections found by hash, each with a state machine, a sender and a receiver of its own.
//!
//! How a connection opens and closes is two pure machines ([`handshake`], [`machine`]); sequence
//! numbers, loss and windows stand in [`send`] and [`receive`], and how much may be in flight in
//! [`congestion`]. Cost per packet does not depend on how many connections there are: a segment
//! finds its connection through `flows`, deadlines stand in the stack's heap, and connections that
//! have something to send in the `dirty` queue.
//!
//! Left out on purpose: timestamps (RFC 7323 §3). Round trips are measured without them, and
//! spurious retransmissions are known by DSACK and F-RTO; what is missing is protection against
//! wrapped sequence numbers (PAWS), which takes more than 2 GiB in a segment's lifetime. Urgent data
//! stays in the stream (RFC 6093), and nothing is sent with a SYN (RFC 7413).
//!
//! | file | owns |
//! |---|---|
//! | [`ingress`], [`fast_path`] | from a packet to its connection, listener, TIME-WAIT, or a reset |
//! | [`acceptability`] | what a segment must pass before anything of it counts |
//! | [`handshake`] | how a connection opens |
//! | [`machine`] | the states of an open connection |
//! | [`receive`] | what came, in order or not; acknowledgments and windows that are due |
//! | [`send`] | what was written, what is in flight, when it is retransmitted |
//! | [`congestion`] | cwnd and ssthresh: CUBIC, NewReno, BBR |
//! | [`egress`] | segments as packets |
//! | [`service`] | serving a connection, and what follows from a change of state |
//! | [`close`] | how connections end for a reason of ours |
//! | [`deadline`] | user timeouts, keep-alive, orphans |
//! | [`verbs`] | connect, send, receive, shut down, release: what sockets call |
//! | [`listen`] | listeners, backlogs, half-open connections |
//! | [`connection`] | a connection (TCB) |
//! | [`time_wait`] | TIME-WAIT |
//! | [`icmp`] | errors about connections |
//! | [`statistics`], [`incident`] | what people, programs and watchers are told |
//! | [`segment`] | a segment as numbers, and its options |
//! | [`ring`], [`out_of_order`] | ring buffers, and what came out of order |

mod acceptability;
mod close;
pub(crate) mod congestion;
mod connection;
pub(crate) mod deadline;
pub(crate) mod egress;
mod fast_path;
mod handshake;
mod icmp;
mod incident;
pub(crate) mod ingress;
pub(crate) mod listen;
mod machine;
mod out_of_order;
mod receive;
mod ring;
pub(crate) mod segment;
mod send;
pub(crate) mod service;
pub(crate) mod settings;
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

use self::connection::EcnState;
pub(crate) use self::connection::{Connection, ConnectionId, Opening, Owner};
use self::deadline::PeerActivity;
use self::egress::HeaderTemplate;
use self::handshake::Handshake;
use self::listen::ListenBinding;
use self::machine::StateMachine;
use self::receive::Receiver;
use self::send::LazySender;
pub use self::settings::TcpSettings;
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
    pub(crate) connections: Slab<Box<Connection>>,
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
            connections: Slab::new(),
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

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections
            .get(id.index as usize)
            .map(Box::as_ref)
            .filter(|connection| connection.generation == id.generation)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections
            .get_mut(id.index as usize)
            .map(Box::as_mut)
            .filter(|connection| connection.generation == id.generation)
    }

    /// The connection of a flow, for those who ask once.
    pub(crate) fn lookup(&self, flow: &Flow) -> Option<u32> {
        let is_meant = |index: &u32| {
            self.connections.get(*index as usize).is_some_and(|connection| connection.flow == *flow)
        };
        self.flows.find(self.state.hash_one(flow), is_meant).copied()
    }

    /// The connection of a flow.
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

    /// Makes a connection's flow free again.
    pub(crate) fn unlink(&mut self, flow: &Flow, index: u32) {
        // It may have been made free before, and belong to another connection by now.
        if let Ok(entry) = self.flows.find_entry(self.state.hash_one(flow), |known| *known == index)
        {
            entry.remove();
            self.recent.clear();
        }
    }

    /// The name of the connection at an index.
    pub(crate) fn id_at(&self, index: u32) -> Option<ConnectionId> {
        self.connections
            .get(index as usize)
            .map(|connection| ConnectionId { index, generation: connection.generation })
    }

    /// Puts a connection's egress on the agenda.
    pub(crate) fn mark(&mut self, index: u32) {
        if let Some(connection) = self.connections.get_mut(index as usize)
            && !connection.dirty
        {
            connection.dirty = true;
            self.dirty.push_back(index);
        }
    }

    /// Adds a connection. Its sequence numbers begin at `opening.iss`, whatever its socket
    /// believes.
    pub(crate) fn insert(
        &mut self,
        flow: Flow,
        owner: Owner,
        handshake: Handshake,
        settings: &TcpSettings,
        opening: &Opening,
    ) -> ConnectionId {
        let Opening { own_mss, now, .. } = *opening;
        self.generation = self.generation.wrapping_add(1);
        let (receive, send) = (settings.receive_sizes(), settings.send_sizes());
        let connection = Connection {
            generation: self.generation,
            state_machine: StateMachine::Opening(handshake),
            sender: LazySender::new(send.0, send.1, settings.no_delay, settings.congestion),
            receiver: Receiver::new(receive.0, receive.1),
            flow,
            owner,
            template: HeaderTemplate::new(settings.hop_limit, settings.traffic_class),
            ecn: EcnState { is_requested: settings.explicit_congestion, is_negotiated: false },
            own_mss,
            timeouts: settings.timeouts(),
            activity: PeerActivity::new(now),
            linger: settings.linger,
            armed: Instant::NEVER,
            give_up_at: Instant::NEVER,
            dirty: false,
            close_pending: false,
            receive_shut_down: false,
            error: None,
            soft_error: None,
            challenge_acks: 0,
            challenge_acks_since: Instant::ZERO,
            probes: 0,
            path_confirmed_at: Instant::ZERO,
            buffers: (settings.receive_buffer, settings.send_buffer),
            was_discarded: false,
            counted_bytes: 0,
            readers: WakerList::new(),
            writers: WakerList::new(),
        };
        // A slab of four thousand million connections does not fit into memory.
        let index = self.connections.insert(Box::new(connection)) as u32;
        let Self { flows, connections, state, .. } = self;
        flows.insert_unique(state.hash_one(flow), index, |index| {
            connections.get(*index as usize).map_or(0, |connection| state.hash_one(connection.flow))
        });
        ConnectionId { index, generation: self.generation }
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
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let now = connection.sender.queued() + connection.receiver.held();
        self.held = self.held - connection.counted_bytes + now;
        connection.counted_bytes = now;
        if self.held > limits::TCP_MEMORY {
            connection.sender.stop_growing();
            connection.receiver.stop_growing();
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
        let Some(connection) = self.connections.try_remove(index as usize) else { return };
        self.held -= connection.counted_bytes;
        self.unlink(&connection.flow, index);
    }
}
