//! Datagram sockets: UDP ports, ICMP echo identifiers and raw protocols, and which socket receives
//! a packet.
//!
//! An [`Endpoint`] is one socket's receive queue. It may be bound on one interface or on all of
//! them; each stack that can deliver to it holds a [`Binding`]. Sending does not use the tables: a
//! datagram is built and sent at once.

mod endpoint;
pub(crate) mod raw;
pub(crate) mod udp;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;
use foldhash::fast::FixedState;
use foldhash::quality;
use hashbrown::HashMap;

pub(crate) use self::endpoint::{Endpoint, Interest, Received};
use self::udp::{Ends, Path};
use super::bound::Bound;
use super::context::{Context, Wakes};
use super::flow_cache::FlowCache;
use super::icmp::notice::Notice;
use super::ip::ingress::Packet;
use super::ports;
use super::wire::header::protocol;
use super::wire::quote::{Quote, u16_at};
use crate::command::event::Change;
use crate::command::socket::{SocketKind, SocketState, SocketStatus};
use crate::trace::dropped;

/// Which table a binding belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    /// By port.
    Udp,
    /// By echo identifier.
    Icmp,
    /// IPv4 packets, by protocol; 0 for every one.
    Raw,
    /// IPv6 packets, by protocol; 0 for every one.
    Raw6,
}

impl Family {
    /// The kind of a socket of this family whose binding has this key.
    pub(crate) const fn kind(self, key: u16) -> SocketKind {
        match self {
            Self::Udp => SocketKind::Udp,
            Self::Icmp => SocketKind::Icmp,
            Self::Raw => SocketKind::Raw(key as u8),
            Self::Raw6 => SocketKind::Raw6(key as u8),
        }
    }

    /// True for the families whose key is a protocol, which any number of sockets may have.
    pub(crate) const fn is_raw(self) -> bool {
        matches!(self, Self::Raw | Self::Raw6)
    }

    const fn index(self) -> usize {
        self as usize
    }
}

/// Where an endpoint is reached on one interface.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) bound: Bound,
    /// The port, echo identifier or protocol.
    pub(crate) key: u16,
    pub(crate) remote: Option<SocketAddr>,
    /// True for a socket bound to this interface only, which wins over one of all interfaces
    /// (SOK-03).
    pub(crate) device: bool,
    pub(crate) reuse_address: bool,
    pub(crate) reuse_port: bool,
    pub(crate) endpoint: Arc<Endpoint>,
}

/// True when a socket that is connected to `peer` receives from `remote`.
pub(crate) fn is_peer(peer: SocketAddr, remote: SocketAddr) -> bool {
    peer.ip() == remote.ip() && (peer.port() == remote.port() || peer.port() == 0)
}

impl Binding {
    /// How specifically the binding matches a packet; `None` when it does not match.
    pub(crate) fn score(&self, local: IpAddr, remote: SocketAddr) -> Option<u8> {
        (self.bound.matches(local) && self.accepts_from(remote)).then_some(
            u8::from(self.remote.is_some()) * 4
                + u8::from(self.bound.is_specific()) * 2
                + u8::from(self.device),
        )
    }

    fn accepts_from(&self, remote: SocketAddr) -> bool {
        self.remote.is_none_or(|peer| is_peer(peer, remote))
    }

    /// The socket's status.
    pub(crate) fn status(&self, family: Family, interface: &str) -> SocketStatus {
        SocketStatus {
            kind: family.kind(self.key),
            state: if self.remote.is_some() {
                SocketState::Established
            } else {
                SocketState::Closed
            },
            local: SocketAddr::new(self.bound.address(), self.key),
            remote: self.remote,
            interface: interface.into(),
            receive_queue: u32::try_from(self.endpoint.waiting()).unwrap_or(u32::MAX),
            send_queue: 0,
        }
    }

    /// Reports a socket of this interface alone; those of all interfaces are reported elsewhere.
    fn report(&self, cx: &mut Context, family: Family, change: Change) {
        if self.device {
            let Context { watch, configuration, .. } = cx;
            watch.note_socket(change, || self.status(family, &configuration.name));
        }
    }

    /// True when both could receive the same datagram, neither is more specific by its peer, and
    /// they do not share the address.
    fn conflicts(&self, other: &Self) -> bool {
        let shares =
            (self.reuse_address && other.reuse_address) || (self.reuse_port && other.reuse_port);
        self.bound.overlaps(other.bound) && self.remote == other.remote && !shares
    }
}

/// In the order of their tables.
const FAMILIES: [Family; 4] = [Family::Udp, Family::Icmp, Family::Raw, Family::Raw6];

type Table = HashMap<u16, Vec<Binding>, FixedState>;

/// The bindings of one interface.
#[derive(Debug)]
pub(crate) struct Datagrams {
    tables: [Table; 4],
    /// The path of the last IPv4 datagram; cleared with every change of the bindings.
    flow_cache: FlowCache<Ends, Path>,
    /// Distributes senders over sockets that share a port.
    reuse_port_hasher: quality::FixedState,
}

impl Datagrams {
    pub(crate) fn new(seed: u64) -> Self {
        let table =
            |shift: u32| HashMap::with_hasher(FixedState::with_seed(seed.rotate_left(shift)));
        Self {
            tables: [table(0), table(16), table(32), table(48)],
            flow_cache: FlowCache::default(),
            reuse_port_hasher: quality::FixedState::with_seed(!seed),
        }
    }

    /// True when there are raw sockets.
    pub(crate) fn has_raw(&self) -> bool {
        let [_, _, raw, raw6] = &self.tables;
        !(raw.is_empty() && raw6.is_empty())
    }

    /// The bindings with a key.
    pub(crate) fn at(&self, family: Family, key: u16) -> &[Binding] {
        let table = self.tables.get(family.index());
        table.and_then(|table| table.get(&key)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds a binding.
    ///
    /// # Errors
    /// `AddressInUse`.
    pub(crate) fn bind(
        &mut self,
        cx: &mut Context,
        family: Family,
        binding: Binding,
    ) -> Result<(), Error> {
        self.flow_cache.clear();
        let Some(table) = self.tables.get_mut(family.index()) else { return Ok(()) };
        let bindings = table.entry(binding.key).or_default();
        let is_other = |known: &Binding| !Arc::ptr_eq(&known.endpoint, &binding.endpoint);
        if !family.is_raw()
            && bindings.iter().any(|known| is_other(known) && known.conflicts(&binding))
        {
            return Err(Error::AddressInUse);
        }
        // Binding the same endpoint again replaces its binding, as when it is connected.
        let former = bindings.iter().position(|known| !is_other(known));
        if let Some(former) = former.map(|place| bindings.remove(place)) {
            former.report(cx, family, Change::Removed);
        }
        binding.report(cx, family, Change::Added);
        bindings.push(binding);
        Ok(())
    }

    /// True when the key is unused.
    pub(crate) fn is_free(&self, family: Family, key: u16) -> bool {
        self.at(family, key).is_empty()
    }

    /// Removes an endpoint's bindings of one key.
    pub(crate) fn unbind(
        &mut self,
        cx: &mut Context,
        family: Family,
        key: u16,
        endpoint: &Arc<Endpoint>,
    ) {
        self.flow_cache.clear();
        if let Some(table) = self.tables.get_mut(family.index())
            && let Some(bindings) = table.get_mut(&key)
        {
            let is_it = |binding: &Binding| Arc::ptr_eq(&binding.endpoint, endpoint);
            if let Some(place) = bindings.iter().position(is_it) {
                bindings.remove(place).report(cx, family, Change::Removed);
            }
            if bindings.is_empty() {
                table.remove(&key);
            }
        }
    }

    /// The interface goes down: sockets bound to it alone end with an error.
    pub(crate) fn end_all(&mut self, cx: &mut Context) {
        self.flow_cache.clear();
        for (family, table) in FAMILIES.into_iter().zip(&mut self.tables) {
            let bindings = table.drain().flat_map(|(_, bindings)| bindings);
            for binding in bindings.filter(|one| one.device) {
                binding.report(cx, family, Change::Removed);
                binding.endpoint.fail(Error::NetworkDown, &mut cx.wakes);
            }
        }
    }

    /// The keys of all sockets.
    pub(crate) fn keys(&self) -> Vec<(Family, u16)> {
        let keys = FAMILIES.into_iter().zip(&self.tables);
        keys.flat_map(|(family, table)| table.keys().map(move |key| (family, *key))).collect()
    }

    /// The sockets with a key that are bound to this interface alone.
    pub(crate) fn statuses<'a>(
        &'a self,
        (family, key): (Family, u16),
        interface: &'a str,
    ) -> impl Iterator<Item = SocketStatus> + 'a {
        let bindings = self.at(family, key).iter().filter(|binding| binding.device);
        bindings.map(move |binding| binding.status(family, interface))
    }

    /// The number of bindings.
    pub(crate) fn len(&self) -> usize {
        self.tables.iter().flat_map(HashMap::values).map(Vec::len).sum()
    }

    /// The UDP socket for a unicast datagram: the most specific one (SOK-03), the latest of equals.
    /// Sockets that share a port with SO_REUSEPORT are chosen by a hash of the sender, so that a
    /// sender always reaches the same one.
    pub(crate) fn udp_for(&self, local: SocketAddr, remote: SocketAddr) -> Option<&Binding> {
        let bindings = self.at(Family::Udp, local.port());
        let score = |binding: &Binding| binding.score(local.ip(), remote);
        let best = bindings
            .iter()
            .filter(|binding| score(binding).is_some())
            .max_by_key(|binding| score(binding))?;
        if !best.reuse_port || bindings.len() == 1 {
            return Some(best);
        }
        let top = score(best);
        let equals =
            || bindings.iter().filter(|binding| binding.reuse_port && score(binding) == top);
        let count = equals().count() as u64;
        // `best` is one of them.
        let index = self.reuse_port_hasher.hash_one((remote.ip(), remote.port())) % count.max(1);
        equals().nth(index as usize).or(Some(best))
    }

    /// Delivers an echo reply to the sockets with its identifier.
    pub(crate) fn receive_echo_reply(&mut self, cx: &mut Context, packet: &Packet) {
        let (header, message) = (&packet.header, packet.payload());
        let identifier = u16_at(message, 4).unwrap_or_default();
        let received = Received {
            length: message.len(),
            remote: SocketAddr::new(header.source, 0),
            local: SocketAddr::new(header.destination, identifier),
            interface: cx.configuration.index,
            hop_limit: header.hop_limit,
            traffic_class: header.traffic_class,
            at: cx.now,
        };
        let mut is_delivered = false;
        for binding in self.at(Family::Icmp, identifier) {
            if binding.score(header.destination, received.remote).is_some() {
                binding.endpoint.push(received, message, &mut cx.wakes);
                is_delivered = true;
            }
        }
        if !is_delivered {
            dropped!(
                cx,
                NoSocket,
                "devnet::icmp",
                "an echo reply from {} to {}, identifier {}",
                header.source,
                header.destination,
                identifier
            );
        }
    }

    /// The sockets that may have sent the quoted packet.
    fn senders<'a>(
        &'a self,
        family: Family,
        key: u16,
        quoted: &'a Quote,
    ) -> impl Iterator<Item = &'a Binding> {
        let remote = remote_of(family, quoted);
        self.at(family, key).iter().filter(move |binding| {
            binding.bound.matches(quoted.source)
                && (binding.remote.is_none() || binding.accepts_from(remote))
        })
    }

    /// True when a socket may have sent the quoted packet (ICE-04).
    pub(crate) fn has_sent(&self, quoted: &Quote) -> bool {
        senders_of(quoted)
            .into_iter()
            .any(|(family, key)| self.senders(family, key, quoted).next().is_some())
    }

    /// Reports an error to the sockets whose packet is quoted: connected ones and those that asked
    /// for reports (ICE-05). Echo sockets always get it.
    pub(crate) fn report(&self, quoted: &Quote, packet: &[u8], notice: &Notice, wakes: &mut Wakes) {
        for (family, key) in senders_of(quoted) {
            for binding in self.senders(family, key, quoted) {
                let interest = binding.endpoint.interest();
                let is_concerned =
                    interest.reports || binding.remote.is_some() || family == Family::Icmp;
                // A smaller path MTU is an error only for a socket that cannot fragment.
                let is_fatal =
                    notice.error != Error::MessageTooLong || interest.path_mtu || interest.reports;
                if is_concerned && is_fatal {
                    binding.endpoint.fail(notice.error, wakes);
                }
                if interest.reports {
                    let report = notice.report(remote_of(family, quoted), packet);
                    binding.endpoint.report(report, wakes);
                }
            }
        }
    }

    /// A free port or echo identifier.
    ///
    /// # Errors
    /// `AddressInUse` when all are in use.
    pub(crate) fn free_port(&self, cx: &mut Context, family: Family) -> Result<u16, Error> {
        ports::ephemeral(&mut cx.random, |port| self.is_free(family, port))
            .ok_or(Error::AddressInUse)
    }
}

/// The tables and keys that may contain the sender of a quoted packet.
fn senders_of(quoted: &Quote) -> Vec<(Family, u16)> {
    let raw = if quoted.source.is_ipv4() { Family::Raw } else { Family::Raw6 };
    let mut found = alloc::vec![(raw, u16::from(quoted.protocol)), (raw, u16::from(raw::EVERY))];
    match quoted.protocol {
        protocol::UDP => found.push((Family::Udp, quoted.source_port)),
        protocol::ICMP | protocol::ICMPV6 => found.push((Family::Icmp, quoted.identifier())),
        _ => {}
    }
    found
}

fn remote_of(family: Family, quoted: &Quote) -> SocketAddr {
    let port = if family == Family::Udp { quoted.destination_port } else { 0 };
    SocketAddr::new(quoted.destination, port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::context::tests::ethernet;

    fn binding(reuse_port: bool) -> Binding {
        Binding {
            bound: Bound::Any,
            key: 7,
            remote: None,
            device: false,
            reuse_address: false,
            reuse_port,
            endpoint: Arc::new(Endpoint::default()),
        }
    }

    #[test]
    fn sockets_that_share_a_port_share_senders_evenly_and_for_good() {
        let (mut cx, mut datagrams) = (ethernet(), Datagrams::new(1));
        let shared: Vec<Binding> = (0..4).map(|_| binding(true)).collect();
        for one in &shared {
            datagrams.bind(&mut cx, Family::Udp, one.clone()).unwrap();
        }
        assert_eq!(datagrams.bind(&mut cx, Family::Udp, binding(false)), Err(Error::AddressInUse));
        let local: SocketAddr = "10.0.0.1:7".parse().unwrap();
        let mut counts = [0; 4];
        for port in 1000..3000 {
            let remote = SocketAddr::from(([10, 0, 0, 2], port));
            let chosen = |datagrams: &Datagrams| {
                let found = datagrams.udp_for(local, remote).unwrap();
                shared.iter().position(|one| Arc::ptr_eq(&one.endpoint, &found.endpoint)).unwrap()
            };
            let first = chosen(&datagrams);
            assert_eq!(chosen(&datagrams), first);
            counts[first] += 1;
        }
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
    }
}
