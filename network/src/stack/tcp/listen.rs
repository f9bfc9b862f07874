//! Listeners and their backlog.
//!
//! A SYN for a listener creates a half-open connection; the listener itself stays a listener.
//! Half-open connections are bounded per listener and for all of them; once they are too many, SYNs
//! get a cookie ([`super::cookies`]) and are not remembered. Established connections wait in the
//! accept queue. A listener with a full accept queue drops new SYNs, as Linux does, so that clients
//! retransmit them.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::hash::BuildHasher;
use core::net::SocketAddr;
use core::ops::Range;
use core::task::Waker;

use devnet_virtual_file_system::{Error, Lock, WakerList};

use super::segment::Segment;
use super::settings::{BufferSizes, TcpSettings};
use super::{ConnectionId, Flow, Owner, Tcp};
use crate::command::event::Change;
use crate::command::socket::{SocketKind, SocketState, SocketStatus};
use crate::limits;
use crate::platform::Instant;
use crate::stack::bound::Bound;
use crate::stack::context::Context;
use crate::stack::context::Wakes;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::Packet;
use crate::trace::dropped;

/// An established connection in the accept queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PendingConnection {
    pub(crate) interface: u32,
    pub(crate) connection: ConnectionId,
    pub(crate) flow: Flow,
    /// The settings that it inherited from its listener.
    pub(crate) settings: TcpSettings,
}

#[derive(Debug)]
struct Queue {
    accept_queue: VecDeque<PendingConnection>,
    /// The settings that new connections inherit.
    settings: TcpSettings,
    backlog: usize,
    closed: bool,
    acceptors: WakerList,
}

/// One listening socket, bound on one interface or on all of them.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) local: SocketAddr,
    bound: Bound,
    reuse_port: bool,
    queue: Lock<Queue>,
}

impl Listener {
    pub(crate) fn new(local: SocketAddr, backlog: usize, settings: TcpSettings) -> Self {
        let (pending, acceptors) = (VecDeque::new(), WakerList::new());
        let backlog = backlog.clamp(1, limits::BACKLOG_MAXIMUM);
        let queue = Queue { accept_queue: pending, settings, backlog, closed: false, acceptors };
        let bound = settings.bound(local.ip());
        Self { local, bound, reuse_port: settings.reuse_port, queue: Lock::new(queue) }
    }

    /// The settings that new connections inherit.
    pub(crate) fn settings(&self) -> TcpSettings {
        self.queue.with(|queue| queue.settings)
    }

    /// Changes the settings that new connections inherit.
    pub(crate) fn set_settings(&self, settings: TcpSettings) {
        self.queue.with(|queue| queue.settings = settings);
    }

    /// The backlog: the largest length of the accept queue.
    pub(crate) fn backlog(&self) -> usize {
        self.queue.with(|queue| queue.backlog)
    }

    /// Changes the backlog; connections that are queued already stay.
    pub(crate) fn set_backlog(&self, backlog: usize) {
        self.queue.with(|queue| queue.backlog = backlog.clamp(1, limits::BACKLOG_MAXIMUM));
    }

    /// Takes the oldest connection of the accept queue. If there is none, wakes `waker` once there
    /// is.
    ///
    /// # Errors
    /// `WouldBlock`; `NetworkDown` once the listener's interface is gone.
    pub(crate) fn take(&self, waker: Option<&Waker>) -> Result<PendingConnection, Error> {
        let (outcome, evicted) = self.queue.with(|queue| match queue.accept_queue.pop_front() {
            Some(pending) => (Ok(pending), None),
            None if queue.closed => (Err(Error::NetworkDown), None),
            None => {
                (Err(Error::WouldBlock), waker.map(|waker| queue.acceptors.register_bounded(waker)))
            }
        });
        evicted.into_iter().flatten().for_each(Waker::wake);
        outcome
    }

    /// Wakes `waker` when the accept queue gets a connection.
    pub(crate) fn register(&self, waker: &Waker) {
        let evicted = self.queue.with(|queue| queue.acceptors.register_bounded(waker));
        evicted.into_iter().for_each(Waker::wake);
    }

    /// The length of the accept queue.
    pub(crate) fn len(&self) -> usize {
        self.queue.with(|queue| queue.accept_queue.len())
    }

    /// True when the listener's interface is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.with(|queue| queue.closed)
    }

    /// Closes the listener and returns the rest of its accept queue.
    pub(crate) fn close(&self, wakes: &mut Wakes) -> VecDeque<PendingConnection> {
        self.queue.with(|queue| {
            queue.closed = true;
            wakes.add(&mut queue.acceptors);
            core::mem::take(&mut queue.accept_queue)
        })
    }

    /// The settings and the backlog for one more connection; `None` when the accept queue is full.
    fn admit(&self) -> Option<(TcpSettings, usize)> {
        self.queue.with(|queue| {
            let has_room = !queue.closed && queue.accept_queue.len() < queue.backlog;
            has_room.then_some((queue.settings, queue.backlog))
        })
    }

    /// True when the accept queue has room.
    pub(super) fn has_room(&self) -> bool {
        self.admit().is_some()
    }

    /// Appends an established connection to the accept queue; `None` when the listener is closed.
    /// Returns its settings: they are taken now, as on Linux, except for the buffer sizes, which
    /// the handshake has used already.
    fn push(
        &self,
        (interface, connection, flow): (u32, ConnectionId, Flow),
        buffer_sizes: BufferSizes,
        wakes: &mut Wakes,
    ) -> Option<TcpSettings> {
        self.queue.with(|queue| {
            let settings = queue.settings.with_buffer_sizes(buffer_sizes);
            (!queue.closed).then(|| {
                queue.accept_queue.push_back(PendingConnection {
                    interface,
                    connection,
                    flow,
                    settings,
                });
                wakes.add(&mut queue.acceptors);
                settings
            })
        })
    }
}

impl Listener {
    /// The listener's socket status.
    pub(crate) fn status(&self, interface: &str) -> SocketStatus {
        SocketStatus {
            kind: SocketKind::Tcp,
            state: SocketState::Listen,
            local: self.local,
            remote: None,
            interface: interface.into(),
            receive_queue: u32::try_from(self.len()).unwrap_or(u32::MAX),
            send_queue: u32::try_from(self.backlog()).unwrap_or(u32::MAX),
        }
    }
}

/// A listener's binding to one interface.
#[derive(Debug)]
pub(crate) struct ListenBinding {
    port: u16,
    pub(crate) bound: Bound,
    /// True for a listener that is bound to this interface only.
    pub(crate) device: bool,
    pub(crate) listener: Arc<Listener>,
    /// Half-open connections, oldest first.
    pub(crate) half_open: VecDeque<ConnectionId>,
}

impl ListenBinding {
    /// Reports a listener of this interface alone; those of all interfaces are reported elsewhere.
    fn report(&self, cx: &mut Context, change: Change) {
        if self.device {
            let Context { watch, configuration, .. } = cx;
            watch.note_socket(change, || self.listener.status(&configuration.name));
        }
    }
}

/// Where the bindings of a port are among all, which are in the order of ports.
pub(super) fn places(listeners: &[ListenBinding], port: u16) -> Range<usize> {
    let start = listeners.partition_point(|binding| binding.port < port);
    let others = listeners.get(start..).unwrap_or_default();
    start..start + others.partition_point(|binding| binding.port == port)
}

impl Tcp {
    /// Starts to accept connections for the listener.
    ///
    /// # Errors
    /// `AddressInUse` when another listener has the port with an overlapping address.
    pub(crate) fn listen(
        &mut self,
        cx: &mut Context,
        listener: &Arc<Listener>,
        device: bool,
    ) -> Result<(), Error> {
        let (port, bound) = (listener.local.port(), listener.bound);
        let places = places(&self.listeners, port);
        let end = places.end;
        let bindings = self.listeners.get(places).unwrap_or_default();
        if bindings.iter().any(|binding| Arc::ptr_eq(&binding.listener, listener)) {
            return Ok(());
        }
        // Listeners share an address when all of them set SO_REUSEPORT.
        let shares = |other: &Listener| other.reuse_port && listener.reuse_port;
        if bindings
            .iter()
            .any(|binding| binding.bound.overlaps(bound) && !shares(&binding.listener))
        {
            return Err(Error::AddressInUse);
        }
        let (listener, half_open) = (Arc::clone(listener), VecDeque::new());
        let binding = ListenBinding { port, bound, device, listener, half_open };
        binding.report(cx, Change::Added);
        self.listeners.insert(end, binding);
        Ok(())
    }

    /// The interface goes down: listeners bound to it close.
    pub(crate) fn close_listeners(&mut self, cx: &mut Context) {
        self.half_open = 0;
        let bindings = core::mem::take(&mut self.listeners);
        for binding in bindings.iter().filter(|binding| binding.device) {
            binding.report(cx, Change::Removed);
            binding.listener.close(&mut cx.wakes);
        }
    }

    /// Stops accepting connections for the listener; its half-open connections are reset.
    pub(crate) fn unlisten(&mut self, cx: &mut Context, ip: &mut Ip, listener: &Arc<Listener>) {
        let is_it = |place: &usize| {
            let known = self.listeners.get(*place).map(|binding| &binding.listener);
            known.is_some_and(|known| Arc::ptr_eq(known, listener))
        };
        let Some(place) = places(&self.listeners, listener.local.port()).find(is_it) else {
            return;
        };
        let binding = self.listeners.remove(place);
        binding.report(cx, Change::Removed);
        self.half_open -= binding.half_open.len();
        for connection in binding.half_open {
            self.abort(cx, ip, connection);
        }
    }

    /// Processes a SYN that belongs to no connection; gives the packet back when no listener
    /// matches.
    pub(super) fn receive_syn(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        packet: Packet,
        flow: Flow,
        segment: &Segment,
        iss_floor: Option<u32>,
    ) -> Result<(), Packet> {
        let has_memory = self.admit(cx, ip).is_ok();
        let has_room = self.half_open < limits::HALF_OPEN_ALL;
        let Some(binding) = self.listener_for(&flow) else { return Err(packet) };
        let Some((settings, backlog)) = binding.listener.admit().filter(|_| has_memory) else {
            let what = if has_memory { "the accept queue is full" } else { "no memory" };
            dropped!(cx, QueueFull, "devnet::tcp", "a SYN, {}, {}", flow, what);
            cx.pool.put(packet.frame);
            return Ok(());
        };
        let listener = Arc::clone(&binding.listener);
        let capacity = limits::HALF_OPEN.max(backlog);
        let is_full = binding.half_open.len() >= capacity || !has_room;
        if is_full && iss_floor.is_none() {
            self.send_cookie(cx, ip, &packet, (&flow, segment), &settings);
            cx.pool.put(packet.frame);
            return Ok(());
        }
        // The ISS after TIME-WAIT has a floor, so it is no cookie: the oldest half-open connection
        // is dropped without a RST, because its source may be forged.
        if is_full {
            let Some(oldest) = binding.half_open.pop_front() else {
                dropped!(cx, QueueFull, "devnet::tcp", "a SYN, {}", flow);
                cx.pool.put(packet.frame);
                return Ok(());
            };
            self.half_open -= 1;
            self.remove_and_wake(cx, oldest);
        }
        let connection = self.open_passive(cx, ip, flow, listener, &settings, iss_floor);
        if let Some(binding) = self.listener_for(&flow) {
            binding.half_open.push_back(connection);
            self.half_open += 1;
        }
        let start = packet.header.length;
        self.deliver(cx, ip, connection.index, packet.frame, start, segment);
        Ok(())
    }

    /// The listener for a flow: a specific address wins over the wildcard. Among listeners that
    /// share an address the flow's hash decides, so that a retransmitted SYN reaches the same one.
    pub(super) fn listener_for(&mut self, flow: &Flow) -> Option<&mut ListenBinding> {
        let Tcp { listeners, state, .. } = self;
        let places = places(listeners, flow.local.port());
        let bindings = listeners.get_mut(places)?;
        let matches = |binding: &ListenBinding| binding.bound.matches(flow.local.ip());
        let is_specific =
            bindings.iter().any(|binding| matches(binding) && binding.bound.is_specific());
        let is_best = |binding: &ListenBinding| {
            matches(binding) && binding.bound.is_specific() == is_specific
        };
        let place = match bindings.iter().filter(|binding| is_best(binding)).count() as u64 {
            0 | 1 => 0,
            // The remainder is smaller than a count of things in memory.
            count => (state.hash_one(flow) % count) as usize,
        };
        bindings.iter_mut().filter(|binding| is_best(binding)).nth(place)
    }

    fn binding_of(&mut self, listener: &Arc<Listener>) -> Option<&mut ListenBinding> {
        let places = places(&self.listeners, listener.local.port());
        let mut bindings = self.listeners.get_mut(places)?.iter_mut();
        bindings.find(|binding| Arc::ptr_eq(&binding.listener, listener))
    }

    /// Removes a connection from the half-open list of its listener.
    pub(crate) fn handshake_over(&mut self, connection: ConnectionId, listener: &Arc<Listener>) {
        if let Some(binding) = self.binding_of(listener) {
            // Each is in it once, and the oldest ends first.
            let place = binding.half_open.iter().position(|known| *known == connection);
            if place.and_then(|place| binding.half_open.remove(place)).is_some() {
                self.half_open -= 1;
            }
        }
    }

    /// A passive connection is established: it moves to the accept queue.
    pub(crate) fn established(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        connection: ConnectionId,
        flow: Flow,
        listener: &Arc<Listener>,
    ) {
        self.handshake_over(connection, listener);
        let Some(known) = self.get_mut(connection) else { return };
        known.owner = Owner::Owned;
        known.give_up_at = Instant::NEVER;
        self.report_socket(cx, connection.index, Change::Added);
        let Some(known) = self.get_mut(connection) else { return };
        let name = (cx.configuration.index, connection, flow);
        match listener.push(name, known.buffer_sizes, &mut cx.wakes) {
            Some(settings) => known.adopt(&settings, ip),
            None => self.abort(cx, ip, connection),
        }
    }
}
