//! Listeners: a backlog that smoltcp does not have.
//!
//! A SYN for a listener makes a socket of its own; the listener never becomes the connection.
//! Handshakes under way are bounded per interface, the oldest giving way; finished connections wait
//! in the order in which they were established. A full backlog ignores new SYNs, as Linux does, so
//! that clients try again.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::hash::BuildHasher;
use core::net::SocketAddr;
use core::task::Waker;

use virtual_file_system::{Error, Lock, WakerList};

use super::segment::Segment;
use super::settings::TcpSettings;
use super::{ConnectionId, Flow, Owner, Tcp};
use crate::command::socket::{SocketKind, SocketState, SocketStatus};
use crate::limits;
use crate::platform::Instant;
use crate::stack::bound::Bound;
use crate::stack::context::Context;
use crate::stack::context::Wakes;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::Packet;

/// A connection that waits for `accept`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Waiting {
    pub(crate) interface: u32,
    pub(crate) connection: ConnectionId,
    pub(crate) flow: Flow,
    /// What its listener gave it.
    pub(crate) settings: TcpSettings,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// What connections get.
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
        let (waiting, acceptors) = (VecDeque::new(), WakerList::new());
        let backlog = backlog.clamp(1, limits::BACKLOG_MAXIMUM);
        let queue = Queue { waiting, settings, backlog, closed: false, acceptors };
        let bound = settings.bound(local.ip());
        Self { local, bound, reuse_port: settings.reuse_port, queue: Lock::new(queue) }
    }

    /// What connections get that are made from now on.
    pub(crate) fn settings(&self) -> TcpSettings {
        self.queue.with(|queue| queue.settings)
    }

    /// Changes what connections get that are made from now on.
    pub(crate) fn set_settings(&self, settings: TcpSettings) {
        self.queue.with(|queue| queue.settings = settings);
    }

    /// How many connections may wait.
    pub(crate) fn backlog(&self) -> usize {
        self.queue.with(|queue| queue.backlog)
    }

    /// Changes how many may; those that wait already stay.
    pub(crate) fn set_backlog(&self, backlog: usize) {
        self.queue.with(|queue| queue.backlog = backlog.clamp(1, limits::BACKLOG_MAXIMUM));
    }

    /// The connection that has waited longest. While there is none, `waker` is woken when there is.
    ///
    /// # Errors
    /// `WouldBlock`; `NetworkDown` once the listener's interface is gone.
    pub(crate) fn take(&self, waker: Option<&Waker>) -> Result<Waiting, Error> {
        let (outcome, crowd) = self.queue.with(|queue| match queue.waiting.pop_front() {
            Some(waiting) => (Ok(waiting), None),
            None if queue.closed => (Err(Error::NetworkDown), None),
            None => {
                (Err(Error::WouldBlock), waker.map(|waker| queue.acceptors.register_bounded(waker)))
            }
        });
        crowd.into_iter().flatten().for_each(Waker::wake);
        outcome
    }

    /// Wakes `waker` when a connection waits.
    pub(crate) fn register(&self, waker: &Waker) {
        let crowd = self.queue.with(|queue| queue.acceptors.register_bounded(waker));
        crowd.into_iter().for_each(Waker::wake);
    }

    /// How many connections wait.
    pub(crate) fn len(&self) -> usize {
        self.queue.with(|queue| queue.waiting.len())
    }

    /// True when the listener takes no more connections because its interface is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.with(|queue| queue.closed)
    }

    /// Ends the listener and hands out what still waits.
    pub(crate) fn close(&self, wakes: &mut Wakes) -> VecDeque<Waiting> {
        self.queue.with(|queue| {
            queue.closed = true;
            wakes.add(&mut queue.acceptors);
            core::mem::take(&mut queue.waiting)
        })
    }

    /// What one more connection gets, and how many may wait; `None` while none more may.
    fn admit(&self) -> Option<(TcpSettings, usize)> {
        self.queue.with(|queue| {
            let has_room = !queue.closed && queue.waiting.len() < queue.backlog;
            has_room.then_some((queue.settings, queue.backlog))
        })
    }

    /// Lets an established connection wait; `None` when nobody will take it. Tells what it gets: as
    /// Linux, which makes the socket only now, but the `buffers` are those of the handshake.
    fn push(
        &self,
        (interface, connection, flow): (u32, ConnectionId, Flow),
        (receive_buffer, send_buffer): (Option<usize>, Option<usize>),
        wakes: &mut Wakes,
    ) -> Option<TcpSettings> {
        self.queue.with(|queue| {
            let settings = TcpSettings { receive_buffer, send_buffer, ..queue.settings };
            (!queue.closed).then(|| {
                queue.waiting.push_back(Waiting { interface, connection, flow, settings });
                wakes.add(&mut queue.acceptors);
                settings
            })
        })
    }
}

impl Listener {
    /// The listener as others see it.
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

/// A listener's place on one interface.
#[derive(Debug)]
pub(crate) struct ListenBinding {
    pub(crate) bound: Bound,
    /// Set for a listener of this interface alone.
    pub(crate) device: bool,
    pub(crate) listener: Arc<Listener>,
    /// Handshakes under way, oldest first.
    pub(crate) half_open: VecDeque<ConnectionId>,
}

impl Tcp {
    /// Takes connections for the listener from now on.
    ///
    /// # Errors
    /// `AddressInUse` when another listener has the port with an overlapping address.
    pub(crate) fn listen(&mut self, listener: &Arc<Listener>, device: bool) -> Result<(), Error> {
        let bound = listener.bound;
        let bindings = self.listeners.entry(listener.local.port()).or_default();
        if bindings.iter().any(|binding| Arc::ptr_eq(&binding.listener, listener)) {
            return Ok(());
        }
        // Listeners that all want it share an address (SO_REUSEPORT).
        let shares = |other: &Listener| other.reuse_port && listener.reuse_port;
        if bindings
            .iter()
            .any(|binding| binding.bound.overlaps(bound) && !shares(&binding.listener))
        {
            return Err(Error::AddressInUse);
        }
        bindings.push(ListenBinding {
            bound,
            device,
            listener: Arc::clone(listener),
            half_open: VecDeque::new(),
        });
        Ok(())
    }

    /// The interface goes: its own listeners end.
    pub(crate) fn close_listeners(&mut self, wakes: &mut Wakes) {
        let bindings = core::mem::take(&mut self.listeners).into_values().flatten();
        for binding in bindings.filter(|binding| binding.device) {
            binding.listener.close(wakes);
        }
    }

    /// Takes no more connections for the listener; handshakes under way end with a reset.
    pub(crate) fn unlisten(&mut self, cx: &mut Context, ip: &mut Ip, listener: &Arc<Listener>) {
        let port = listener.local.port();
        let Some(bindings) = self.listeners.get_mut(&port) else { return };
        let Some(place) =
            bindings.iter().position(|binding| Arc::ptr_eq(&binding.listener, listener))
        else {
            return;
        };
        let binding = bindings.swap_remove(place);
        if bindings.is_empty() {
            self.listeners.remove(&port);
        }
        for connection in binding.half_open {
            self.abort(cx, ip, connection);
        }
    }

    /// Takes a SYN that belongs to no connection; gives the packet back when nobody listens there.
    pub(super) fn receive_syn(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        packet: Packet,
        flow: Flow,
        segment: &Segment,
        floor: Option<u32>,
    ) -> Result<(), Packet> {
        let Some(binding) = self.listener_for(&flow) else { return Err(packet) };
        let Some((settings, backlog)) = binding.listener.admit() else {
            cx.statistics.received_drops.full += 1;
            cx.pool.put(packet.frame);
            return Ok(());
        };
        let listener = Arc::clone(&binding.listener);
        let most = limits::HALF_OPEN.max(backlog);
        let oldest =
            if binding.half_open.len() >= most { binding.half_open.pop_front() } else { None };
        if let Some(oldest) = oldest {
            // The handshake that has taken longest gives way without a word: its source may be
            // forged.
            self.forget(cx, oldest);
        }
        let connection = self.open_passive(cx, ip, flow, listener, &settings, floor);
        if let Some(binding) = self.listener_for(&flow) {
            binding.half_open.push_back(connection);
        }
        let start = packet.header.length;
        self.feed(cx, ip, connection.index, packet.frame, start, segment);
        Ok(())
    }

    /// Who gets a connection: the listener of the address before those of all addresses; of several
    /// that share it, the flow's hash decides, so that a repeated SYN meets the same one.
    fn listener_for(&mut self, flow: &Flow) -> Option<&mut ListenBinding> {
        let Tcp { listeners, state, .. } = self;
        let bindings = listeners.get_mut(&flow.local.port())?;
        let fits = |binding: &ListenBinding| binding.bound.matches(flow.local.ip());
        let is_specific =
            bindings.iter().any(|binding| fits(binding) && binding.bound.is_specific());
        let is_best =
            |binding: &ListenBinding| fits(binding) && binding.bound.is_specific() == is_specific;
        let place = match bindings.iter().filter(|binding| is_best(binding)).count() as u64 {
            0 | 1 => 0,
            // The remainder is smaller than a count of things in memory.
            count => (state.hash_one(flow) % count) as usize,
        };
        bindings.iter_mut().filter(|binding| is_best(binding)).nth(place)
    }

    fn binding_of(&mut self, listener: &Arc<Listener>) -> Option<&mut ListenBinding> {
        let bindings = self.listeners.get_mut(&listener.local.port())?;
        bindings.iter_mut().find(|binding| Arc::ptr_eq(&binding.listener, listener))
    }

    /// A handshake is over, well or not.
    pub(crate) fn handshake_over(&mut self, connection: ConnectionId, listener: &Arc<Listener>) {
        if let Some(binding) = self.binding_of(listener) {
            binding.half_open.retain(|known| *known != connection);
        }
    }

    /// A passive connection is established: it waits for `accept`.
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
        let name = (cx.configuration.index, connection, flow);
        match listener.push(name, known.buffers, &mut cx.wakes) {
            Some(settings) => known.adopt(&settings),
            None => self.abort(cx, ip, connection),
        }
    }
}
