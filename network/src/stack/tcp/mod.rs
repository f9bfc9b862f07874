//! TCP: connections in a hash table, each with a state machine, a sender and a receiver.
//!
//! Two pure state machines open and close a connection ([`handshake`], [`machine`]). [`send`] and
//! [`receive`] own sequence numbers, loss and windows, and [`congestion`] decides how much may be
//! in flight. The cost per packet does not depend on the number of connections: `flows` maps a
//! segment to its connection, deadlines are in the stack's timer heap, and connections with
//! something to send are in the `ready` queue.
//!
//! Deliberately not implemented: urgent data stays in the stream (RFC 6093), and a SYN carries no
//! data (RFC 7413).
//!
//! | file | owns |
//! |---|---|
//! | [`ingress`], [`fast_path`] | demultiplexing: connection, listener, TIME-WAIT, or a RST |
//! | [`acceptability`] | the acceptability test of segments |
//! | [`handshake`] | the three-way handshake |
//! | [`machine`] | the state machine of an open connection |
//! | [`receive`] | received data, in order or not; acknowledgments and window updates |
//! | [`send`] | the send buffer, data in flight, retransmission |
//! | [`congestion`] | cwnd and ssthresh: CUBIC, NewReno, BBR |
//! | [`egress`] | what a connection sends |
//! | [`assemble`] | building packets |
//! | [`challenge`] | challenge ACKs and probes |
//! | [`service`] | serving a connection, and the effects of a state change |
//! | [`close`] | how we end connections |
//! | [`memory`], [`orphans`] | what connections cost, and who gives way when there is too little |
//! | [`deadline`] | user timeouts, keep-alive, orphans |
//! | [`verbs`] | connect, send, receive, shut down, release: what sockets call |
//! | [`listen`] | listeners, backlogs, half-open connections |
//! | [`cookies`] | SYN cookies, for half-open connections without room |
//! | [`connection`] | a connection (TCB) |
//! | [`time_wait`] | TIME-WAIT |
//! | [`timestamps`], [`paws`] | the timestamps option, and what it decides |
//! | [`icmp`] | ICMP errors about connections |
//! | [`statistics`], [`incident`] | statistics, socket lists and events |
//! | [`segment`] | a parsed segment and its options |
//! | [`ring`], [`out_of_order`] | ring buffers, and the out-of-order queue |

mod acceptability;
mod assemble;
mod challenge;
mod close;
pub(crate) mod congestion;
mod connection;
pub(crate) mod cookies;
pub(crate) mod deadline;
pub(crate) mod egress;
mod fast_path;
mod handshake;
mod icmp;
mod incident;
pub(crate) mod ingress;
pub(crate) mod listen;
mod machine;
mod memory;
mod orphans;
mod out_of_order;
mod paws;
mod receive;
mod ring;
pub(crate) mod segment;
mod send;
pub(crate) mod service;
pub(crate) mod settings;
mod statistics;
pub(crate) mod time_wait;
mod timestamps;
pub(crate) mod verbs;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash, Hasher};
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::WakerList;
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};
use siphasher::sip::SipHasher13;
use slab::Slab;

use self::assemble::HeaderTemplate;
use self::connection::EcnState;
pub(crate) use self::connection::{Connection, ConnectionId, Opening, Owner};
use self::cookies::Cookies;
use self::deadline::PeerActivity;
use self::handshake::Handshake;
use self::listen::ListenBinding;
use self::machine::StateMachine;
use self::memory::MemoryAccount;
pub(crate) use self::memory::SystemMemory;
use self::orphans::Orphans;
use self::receive::Receiver;
use self::send::LazySender;
pub use self::settings::TcpSettings;
use self::time_wait::TimeWait;
use self::timestamps::Timestamps;
use crate::command::event::Change;
use crate::limits;
use crate::platform::Instant;
use crate::seat::Seat;
use crate::stack::bound::Bound;
use crate::stack::context::Context;
pub(crate) use crate::stack::flow::{End, Flow};
use crate::stack::flow_cache::FlowCache;
use crate::stack::ports;

/// The connections and listeners of one interface.
#[derive(Debug)]
pub(crate) struct Tcp {
    /// Boxed, so that growing the slab moves pointers only.
    pub(crate) connections: Slab<Box<Connection>>,
    /// Slab indices by flow. The flows themselves are stored in the connections only.
    flows: HashTable<u32>,
    state: FixedState,
    /// By port.
    pub(crate) listeners: Vec<ListenBinding>,
    /// Half-open connections of all listeners.
    half_open: usize,
    pub(crate) time_wait: TimeWait,
    pub(crate) ready: VecDeque<u32>,
    /// So many of them, from the front, have their timers armed.
    ready_armed: usize,
    /// The connection of the last segment: segments come in bursts.
    flow_cache: FlowCache<Flow, u32>,
    /// Counters of ephemeral ports, by hash of the addresses (RFC 6056 §3.3.4).
    port_counters: [u32; limits::PORT_COUNTERS],
    memory: MemoryAccount,
    orphans: Orphans,
    /// What connections hold until they are gone, by their indices.
    seats: HashMap<u32, Seat, FixedState>,
    /// The secret keys of the ISS generator (RFC 6528).
    iss_keys: (u64, u64),
    pub(crate) cookies: Cookies,
    generation: u32,
}

impl Tcp {
    pub(crate) fn new(cx: &mut Context, memory: Arc<SystemMemory>) -> Self {
        let seed = cx.random.u64();
        let iss_keys = (cx.random.u64(), cx.random.u64());
        let cookies = Cookies::new((cx.random.u64(), cx.random.u64()));
        Self {
            connections: Slab::new(),
            flows: HashTable::new(),
            state: FixedState::with_seed(seed),
            listeners: Vec::new(),
            half_open: 0,
            time_wait: TimeWait::new(seed.rotate_left(32)),
            ready: VecDeque::new(),
            ready_armed: 0,
            flow_cache: FlowCache::default(),
            port_counters: [0; limits::PORT_COUNTERS],
            memory: MemoryAccount::new(memory),
            orphans: Orphans::default(),
            seats: HashMap::default(),
            iss_keys,
            cookies,
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

    /// The connection of a flow, without the flow cache.
    pub(crate) fn lookup(&self, flow: &Flow) -> Option<u32> {
        let matches = |index: &u32| {
            self.connections.get(*index as usize).is_some_and(|connection| connection.flow == *flow)
        };
        self.flows.find(self.state.hash_one(flow), matches).copied()
    }

    /// The connection of a flow.
    pub(crate) fn find(&mut self, flow: &Flow) -> Option<u32> {
        if let Some(index) = self.flow_cache.get(0, flow) {
            return Some(*index);
        }
        let index = self.lookup(flow)?;
        self.flow_cache.set(0, *flow, index);
        Some(index)
    }

    /// True for the flow of a connection, of one that opens, or of one in TIME-WAIT.
    pub(crate) fn knows(&self, flow: &Flow) -> bool {
        self.lookup(flow).is_some() || self.time_wait.contains(flow)
    }

    /// Generates ISS: a clock of 4 µs plus a keyed hash of the flow (RFC 6528), always above
    /// `iss_floor`, SND.NXT of the flow's previous connection. And Snd.TS.Offset, the other half of
    /// the hash: the flow's next connection has it too, so that its timestamps are newer (RFC 7323
    /// §7.1, RFC 6191).
    pub(crate) fn initial_numbers(
        &self,
        flow: &Flow,
        now: Instant,
        iss_floor: Option<u32>,
    ) -> (u32, u32) {
        let (first, second) = self.iss_keys;
        let mut hasher = SipHasher13::new_with_keys(first, second);
        flow.hash(&mut hasher);
        let hash = hasher.finish();
        let (offset, timestamp_offset) = (hash as u32, (hash >> 32) as u32);
        // Both wrap.
        let sequence = offset.wrapping_add((now.as_micros() / 4) as u32);
        let iss = match iss_floor {
            Some(iss_floor) if !segment::before(iss_floor, sequence) => iss_floor.wrapping_add(1),
            _ => sequence,
        };
        (iss, timestamp_offset)
    }

    /// The index of the next ephemeral port between two addresses.
    fn next_port(&mut self, local: IpAddr, remote: SocketAddr) -> u32 {
        let (first, second) = self.iss_keys;
        // The keys are swapped, so that ports reveal nothing about the ISS.
        let mut hasher = SipHasher13::new_with_keys(second, first);
        Flow::new(SocketAddr::new(local, 0), remote).hash(&mut hasher);
        let hash = hasher.finish();
        let (offset, place) = (hash as u32, (hash >> 32) as usize % limits::PORT_COUNTERS);
        let Some(counter) = self.port_counters.get_mut(place) else { return 0 };
        *counter = counter.wrapping_add(1);
        offset.wrapping_add(*counter) % ports::COUNT
    }

    /// Removes a connection's flow from the table, so that another connection may have it.
    pub(crate) fn unlink(&mut self, cx: &mut Context, index: u32) {
        if self.connections.get(index as usize).is_some_and(|connection| connection.is_linked) {
            self.report_socket(cx, index, Change::Removed);
        }
        if let Some(connection) = self.connections.get_mut(index as usize)
            && core::mem::take(&mut connection.is_linked)
        {
            let flow = connection.flow;
            self.remove_flow(&flow, index);
        }
    }

    fn remove_flow(&mut self, flow: &Flow, index: u32) {
        if let Ok(entry) = self.flows.find_entry(self.state.hash_one(flow), |known| *known == index)
        {
            entry.remove();
            self.flow_cache.clear();
        }
    }

    /// The id of the connection at an index.
    pub(crate) fn id_at(&self, index: u32) -> Option<ConnectionId> {
        self.connections
            .get(index as usize)
            .map(|connection| ConnectionId { index, generation: connection.generation })
    }

    /// Queues a connection for output.
    pub(crate) fn schedule(&mut self, index: u32) {
        if let Some(connection) = self.connections.get_mut(index as usize)
            && !connection.is_ready
        {
            connection.is_ready = true;
            self.ready.push_back(index);
        }
    }

    /// Adds a connection, whose first sequence number is `opening.iss`.
    pub(crate) fn insert(
        &mut self,
        flow: Flow,
        owner: Owner,
        handshake: Handshake,
        settings: &TcpSettings,
        opening: &Opening,
    ) -> ConnectionId {
        let Opening { own_mss, hop_limit, timestamp_offset, now, .. } = *opening;
        let own_mss = own_mss.min(settings.segment_bound());
        self.generation = self.generation.wrapping_add(1);
        let (receive, send) = (settings.receive_sizes(), settings.send_sizes());
        let connection = Connection {
            generation: self.generation,
            state_machine: StateMachine::Opening(handshake),
            sender: LazySender::new(send.0, send.1, settings.gathering(), settings.congestion),
            receiver: Receiver::new(receive.0, receive.1),
            flow,
            owner,
            template: HeaderTemplate::of(settings, hop_limit),
            ecn: EcnState { is_requested: settings.explicit_congestion, is_negotiated: false },
            timestamps: Timestamps::new(settings.timestamps, timestamp_offset),
            own_mss,
            path_mss: own_mss,
            maximum_segment: settings.segment_bound(),
            detects_black_holes: settings.black_hole_detection,
            timeouts: settings.timeouts(),
            activity: PeerActivity::new(now),
            linger: settings.linger,
            timer_deadline: Instant::NEVER,
            give_up_at: Instant::NEVER,
            is_linked: true,
            is_ready: false,
            close_pending: false,
            receive_shut_down: false,
            error: None,
            soft_error: None,
            challenge_acks: 0,
            challenge_acks_since: 0,
            keep_alive_probes: 0,
            path_confirmed_at: Instant::ZERO,
            buffer_sizes: settings.buffer_sizes(),
            has_discarded_data: false,
            memory_counted: 0,
            readers: WakerList::new(),
            writers: WakerList::new(),
        };
        // Fewer than 2^32 connections fit into memory.
        let index = self.connections.insert(Box::new(connection)) as u32;
        let Self { flows, connections, state, .. } = self;
        flows.insert_unique(state.hash_one(flow), index, |index| {
            connections.get(*index as usize).map_or(0, |connection| state.hash_one(connection.flow))
        });
        self.count_memory(index);
        ConnectionId { index, generation: self.generation }
    }

    /// True when a connection waits to be served.
    pub(crate) fn has_work(&self) -> bool {
        !self.ready.is_empty()
    }

    /// True when a listener accepts connections to a port at some of these addresses.
    pub(crate) fn listens_at(&self, port: u16, bound: Bound) -> bool {
        let bindings = self.listeners.get(listen::places(&self.listeners, port));
        bindings.is_some_and(|found| found.iter().any(|binding| binding.bound.overlaps(bound)))
    }

    /// True when a listener has the port, at whatever address.
    fn has_listener(&self, port: u16) -> bool {
        !listen::places(&self.listeners, port).is_empty()
    }

    /// Removes a connection.
    pub(crate) fn remove(&mut self, cx: &mut Context, index: u32) {
        self.unlink(cx, index);
        let Some(connection) = self.connections.try_remove(index as usize) else { return };
        self.forget_memory(&connection);
        self.orphans.removed(&connection);
        self.seats.remove(&index);
    }
}
