//! Datagram sockets: UDP ports and ICMP echo identifiers, and the queues behind them.
//!
//! An [`Endpoint`] is one socket's receive queue. It may be bound on one interface or on all of them; each stack that can deliver to
//! it holds a [`Binding`]. Sending does not pass through here: a datagram is built and sent at once.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::task::Waker;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use virtual_file_system::{Error, Lock, Readiness, WakerList};

use super::Wakes;
use super::bound::Bound;
use super::ip::header::Header;
use super::ip::icmp::Quote;
use crate::command::socket::{SocketKind, SocketState, SocketStatus};
use crate::limits;

/// What came with a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Received {
    pub(crate) length: usize,
    pub(crate) remote: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) interface: u32,
    pub(crate) hop_limit: u8,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Received>,
    bytes: VecDeque<u8>,
    error: Option<Error>,
    dropped: u64,
    readers: WakerList,
}

/// One socket's receive queue, bounded by [`limits::DATAGRAMS`] and [`limits::DATAGRAM_BYTES`]; what does not fit is dropped and
/// counted before it is copied.
#[derive(Debug, Default)]
pub(crate) struct Endpoint {
    queue: Lock<Queue>,
}

impl Endpoint {
    pub(crate) fn push(&self, received: Received, data: &[u8], wakes: &mut Wakes) -> bool {
        self.queue.with(|queue| {
            if queue.entries.len() >= limits::DATAGRAMS || queue.bytes.len() + data.len() > limits::DATAGRAM_BYTES {
                queue.dropped += 1;
                return false;
            }
            queue.entries.push_back(received);
            queue.bytes.extend(data);
            wakes.add(&mut queue.readers);
            true
        })
    }

    /// Leaves an error for the next call, and wakes who waits (SO_ERROR).
    pub(crate) fn fail(&self, error: Error, wakes: &mut Wakes) {
        self.queue.with(|queue| {
            queue.error = Some(error);
            wakes.add(&mut queue.readers);
        });
    }

    /// Takes the oldest datagram: as much of it as fits into `buffer`, and what came with it. `None` when nothing waits.
    ///
    /// # Errors
    /// The error that was left, once.
    pub(crate) fn take(&self, buffer: &mut [u8]) -> Result<Option<(usize, Received)>, Error> {
        self.queue.with(|queue| {
            if let Some(error) = queue.error.take() {
                return Err(error);
            }
            let Some(received) = queue.entries.pop_front() else { return Ok(None) };
            let copied = received.length.min(buffer.len());
            for (slot, byte) in buffer.iter_mut().zip(queue.bytes.drain(..received.length)) {
                *slot = byte;
            }
            Ok(Some((copied, received)))
        })
    }

    /// Takes the oldest datagram whole.
    ///
    /// # Errors
    /// The error that was left, once.
    pub(crate) fn take_whole(&self) -> Result<Option<(Vec<u8>, Received)>, Error> {
        self.queue.with(|queue| {
            if let Some(error) = queue.error.take() {
                return Err(error);
            }
            let Some(received) = queue.entries.pop_front() else { return Ok(None) };
            Ok(Some((queue.bytes.drain(..received.length).collect(), received)))
        })
    }

    /// The error that was left, once.
    pub(crate) fn take_error(&self) -> Option<Error> {
        self.queue.with(|queue| queue.error.take())
    }

    /// Readable, and whether an error waits.
    pub(crate) fn readiness(&self) -> Readiness {
        self.queue.with(|queue| {
            let mut readiness = Readiness::empty();
            readiness.set(Readiness::READABLE, !queue.entries.is_empty() || queue.error.is_some());
            readiness.set(Readiness::ERROR, queue.error.is_some());
            readiness
        })
    }

    /// Wakes `waker` when something arrives.
    pub(crate) fn register(&self, waker: &Waker) {
        self.queue.with(|queue| queue.readers.register(waker));
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.with(|queue| queue.bytes.len())
    }
}

/// Where an endpoint is reached on one interface.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) bound: Bound,
    pub(crate) port: u16,
    pub(crate) remote: Option<SocketAddr>,
    /// Set for a socket of this interface alone, which is preferred to one of all interfaces (SOK-03).
    pub(crate) device: bool,
    pub(crate) endpoint: Arc<Endpoint>,
}

impl Binding {
    pub(crate) fn score(&self, local: IpAddr, remote: SocketAddr) -> Option<u8> {
        let local_matches = self.bound.matches(local);
        let remote_matches = self
            .remote
            .is_none_or(|peer| peer.ip() == remote.ip() && (peer.port() == remote.port() || peer.port() == 0));
        (local_matches && remote_matches).then_some(
            u8::from(self.remote.is_some()) * 4 + u8::from(self.bound.is_specific()) * 2 + u8::from(self.device),
        )
    }

    /// The socket as others see it.
    pub(crate) fn status(&self, family: Family, interface: &str) -> SocketStatus {
        SocketStatus {
            kind: if family == Family::Udp { SocketKind::Udp } else { SocketKind::Icmp },
            state: if self.remote.is_some() { SocketState::Established } else { SocketState::Closed },
            local: SocketAddr::new(self.bound.address(), self.port),
            remote: self.remote,
            interface: interface.into(),
            receive_queue: u32::try_from(self.endpoint.waiting()).unwrap_or(u32::MAX),
            send_queue: 0,
        }
    }

    /// True when both could receive the same datagram and neither is more specific by its peer.
    fn conflicts(&self, other: &Self) -> bool {
        self.bound.overlaps(other.bound) && self.remote == other.remote
    }
}

/// Which table a binding belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Udp,
    Icmp,
}

type Table = HashMap<u16, Vec<Binding>, FixedState>;

/// The bindings of one interface.
#[derive(Debug)]
pub(crate) struct Datagrams {
    udp: Table,
    icmp: Table,
}

impl Datagrams {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            udp: HashMap::with_hasher(FixedState::with_seed(seed)),
            icmp: HashMap::with_hasher(FixedState::with_seed(!seed)),
        }
    }

    /// The UDP sockets of a port.
    pub(crate) fn udp_at(&self, port: u16) -> &[Binding] {
        self.udp.get(&port).map(Vec::as_slice).unwrap_or_default()
    }

    fn table(&mut self, family: Family) -> &mut Table {
        match family {
            Family::Udp => &mut self.udp,
            Family::Icmp => &mut self.icmp,
        }
    }

    /// Adds a binding.
    ///
    /// # Errors
    /// `AddressInUse`.
    pub(crate) fn bind(&mut self, family: Family, binding: Binding) -> Result<(), Error> {
        let bindings = self.table(family).entry(binding.port).or_default();
        let is_other = |known: &Binding| !Arc::ptr_eq(&known.endpoint, &binding.endpoint);
        if bindings.iter().any(|known| is_other(known) && known.conflicts(&binding)) {
            return Err(Error::AddressInUse);
        }
        // Naming the same endpoint again replaces its binding, as when it is connected.
        bindings.retain(is_other);
        bindings.push(binding);
        Ok(())
    }

    /// True when the port is not used at all.
    pub(crate) fn is_free(&self, family: Family, port: u16) -> bool {
        let table = match family {
            Family::Udp => &self.udp,
            Family::Icmp => &self.icmp,
        };
        table.get(&port).is_none_or(Vec::is_empty)
    }

    /// Removes an endpoint's bindings of one port.
    pub(crate) fn unbind(&mut self, family: Family, port: u16, endpoint: &Arc<Endpoint>) {
        let table = self.table(family);
        if let Some(bindings) = table.get_mut(&port) {
            bindings.retain(|binding| !Arc::ptr_eq(&binding.endpoint, endpoint));
            if bindings.is_empty() {
                table.remove(&port);
            }
        }
    }

    /// Every endpoint, for the end of the interface.
    pub(crate) fn drain(&mut self) -> Vec<Binding> {
        self.udp.drain().chain(self.icmp.drain()).flat_map(|(_, bindings)| bindings).collect()
    }

    /// The bindings of this interface alone.
    pub(crate) fn of_device(&self) -> impl Iterator<Item = (Family, &Binding)> {
        let udp = self.udp.values().flatten().map(|binding| (Family::Udp, binding));
        let icmp = self.icmp.values().flatten().map(|binding| (Family::Icmp, binding));
        udp.chain(icmp).filter(|(_, binding)| binding.device)
    }

    /// How many bindings there are.
    pub(crate) fn len(&self) -> usize {
        self.udp.values().chain(self.icmp.values()).map(Vec::len).sum()
    }

    /// Gives an echo reply to the sockets with its identifier; false when there is none.
    pub(crate) fn deliver_icmp(
        &mut self,
        identifier: u16,
        header: &Header,
        message: &[u8],
        interface: u32,
        wakes: &mut Wakes,
    ) -> bool {
        let received = Received {
            length: message.len(),
            remote: SocketAddr::new(header.source, 0),
            local: SocketAddr::new(header.destination, identifier),
            interface,
            hop_limit: header.hop_limit,
        };
        let mut delivered = false;
        for binding in self.icmp.get(&identifier).map(Vec::as_slice).unwrap_or_default() {
            if binding.score(header.destination, received.remote).is_some() {
                binding.endpoint.push(received, message, wakes);
                delivered = true;
            }
        }
        delivered
    }

    /// Leaves an error at the connected socket whose datagram is quoted (ICE-05).
    pub(crate) fn udp_error(&mut self, quoted: &Quote, error: Error, wakes: &mut Wakes) {
        let remote = SocketAddr::new(quoted.destination, quoted.destination_port);
        for binding in self.udp.get(&quoted.source_port).map(Vec::as_slice).unwrap_or_default() {
            if binding.remote == Some(remote) {
                binding.endpoint.fail(error, wakes);
            }
        }
    }

    /// Leaves an error at the sockets whose echo request is quoted.
    pub(crate) fn icmp_error(&mut self, quoted: &Quote, error: Error, wakes: &mut Wakes) {
        let identifier = (quoted.third >> 16) as u16;
        for binding in self.icmp.get(&identifier).map(Vec::as_slice).unwrap_or_default() {
            binding.endpoint.fail(error, wakes);
        }
    }
}
