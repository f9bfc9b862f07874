//! The interfaces of a system, and the choice among them.
//!
//! A destination is reached by the longest prefix over all interfaces that are up and have a
//! carrier, then smallest metric, then lowest index. Local destinations go to the loopback
//! interface.
//!
//! | file | owns |
//! |---|---|
//! | this one | the list of interfaces, and which of them reaches a destination |
//! | [`configured`] | the sections of the configuration that was applied last |
//! | [`place`] | one interface or all of them: the scope of a socket or a device file |
//! | [`registration`] | what ends with an interface: its device in the file tree, its name |
//! | [`routed`] | sockets and watchers on every present and future interface |

mod configured;
mod place;
mod registration;
mod routed;

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;
use core::net::IpAddr;

use devnet_virtual_file_system::{Error, Lock};

pub(crate) use self::place::{Place, WeakPlace};
pub(crate) use self::registration::{Name, Names, Registration};
use self::routed::Routed;
use crate::command::interface::is_name;
use crate::command::route::RouteChoice;
use crate::command::system::HostModel;
use crate::configuration::Section;
use crate::interface::Interface;
use crate::mount::Mount;
use crate::stack::addresses::is_link_local_ipv4;
use crate::stack::flow_cache::FlowCache;
use crate::stack::tcp::SystemMemory;
use crate::stack::{HostAddresses, Stack};
use crate::trace::message;

/// The interfaces of a system. Clones share them; when the last one is dropped, the interfaces are
/// unregistered.
#[derive(Clone, Default)]
pub(crate) struct Interfaces(Arc<Shared>);

#[derive(Default)]
struct Shared {
    tables: Lock<Tables>,
    host: Arc<HostAddresses>,
    memory: Arc<SystemMemory>,
}

#[derive(Default)]
struct Tables {
    /// The device that covers all interfaces. It is unmounted before they are unregistered.
    system: Option<Mount>,
    registrations: Vec<Registration>,
    routed: Routed,
    /// The sections of the configuration that was applied last.
    sections: Vec<Section>,
    /// The index of the interface that was chosen last, while addresses and routes stand still.
    last_choice: FlowCache<IpAddr, u32>,
}

impl Tables {
    fn iter(&self) -> impl Iterator<Item = &Arc<Interface>> {
        self.registrations.iter().map(Registration::interface)
    }

    fn interfaces(&self) -> Vec<Arc<Interface>> {
        self.iter().cloned().collect()
    }
}

/// Registration.
impl Interfaces {
    /// What the stacks of the system share.
    pub(crate) fn shared(&self) -> (Arc<HostAddresses>, Arc<SystemMemory>) {
        (Arc::clone(&self.0.host), Arc::clone(&self.0.memory))
    }

    /// The addresses of the system, and its host model.
    pub(crate) fn host(&self) -> &HostAddresses {
        &self.0.host
    }

    /// The memory of all connections.
    pub(crate) fn memory(&self) -> &SystemMemory {
        &self.0.memory
    }

    /// Keeps the device that covers all interfaces mounted as long as they are registered.
    pub(crate) fn keep(&self, system: Mount) {
        self.0.tables.with(|tables| tables.system = Some(system));
    }

    /// Adds an interface, and the sockets and watchers that use all interfaces to it.
    pub(crate) fn add(&self, registration: Registration) {
        let interface = Arc::clone(registration.interface());
        message!(info, "devnet::interface", "{}: registered", interface.name());
        self.0.tables.with(|tables| tables.registrations.push(registration));
        self.serve_routed(&interface);
        self.configure(&interface);
        self.0.host.increment_generation();
    }

    /// Removes an interface; dropping the result undoes its registration.
    pub(crate) fn take(&self, name: &str) -> Option<Registration> {
        let taken = self.0.tables.with(|tables| {
            let place = tables.iter().position(|interface| interface.is_named(name))?;
            Some(tables.registrations.remove(place))
        })?;
        self.0.host.increment_generation();
        Some(taken)
    }

    /// Gives an interface another name, and its device: true if it had another one. Open files,
    /// sockets, addresses and routes stay.
    ///
    /// # Errors
    /// `InvalidInput` for a name that none can have, `AlreadyExists` for that of another one,
    /// `NotFound` once the interface is unregistered; nothing was changed then.
    pub(crate) fn rename(&self, interface: &Arc<Interface>, new: &str) -> Result<bool, Error> {
        if !is_name(new) {
            return Err(Error::InvalidInput);
        }
        if interface.is_named(new) {
            return Ok(false);
        }
        // In one step, so that device and interface have the name of the same command.
        let deferred = self.0.tables.with(|tables| {
            let is_it = |known: &&mut Registration| Arc::ptr_eq(known.interface(), interface);
            tables.registrations.iter_mut().find(is_it).ok_or(Error::NotFound)?.rename(new)?;
            Ok::<_, Error>(interface.rename(new))
        })?;
        deferred.wake();
        self.0.host.increment_generation();
        Ok(true)
    }

    pub(crate) fn downgrade(&self) -> WeakInterfaces {
        WeakInterfaces(Arc::downgrade(&self.0))
    }
}

/// Lookup.
impl Interfaces {
    /// All interfaces, in the order of their registration.
    pub(crate) fn list(&self) -> Vec<Arc<Interface>> {
        self.0.tables.with(|tables| tables.interfaces())
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Interface>> {
        self.0
            .tables
            .with(|tables| tables.iter().find(|interface| interface.is_named(name)).cloned())
    }

    pub(crate) fn at(&self, index: u32) -> Option<Arc<Interface>> {
        self.0
            .tables
            .with(|tables| tables.iter().find(|interface| interface.index == index).cloned())
    }

    /// A number that changes whenever addresses, routes, links or interfaces change.
    pub(crate) fn generation(&self) -> u32 {
        self.0.host.generation()
    }
}

/// Selection.
impl Interfaces {
    /// The interface with the smallest rank, the oldest of equals; those without a rank are
    /// skipped. Datagrams without a bound interface call it each time, so it copies nothing.
    fn best<K: Ord>(&self, rank: impl Fn(&Interface) -> Option<K>) -> Option<Arc<Interface>> {
        self.0.tables.with(|tables| {
            let ranked = tables.iter().filter_map(|interface| Some((rank(interface)?, interface)));
            ranked
                .min_by(|(one, first), (other, second)| {
                    one.cmp(other).then(first.index.cmp(&second.index))
                })
                .map(|(_, interface)| Arc::clone(interface))
        })
    }

    /// The last choice, if the destination and the generation are the same.
    fn cached(&self, destination: IpAddr, generation: u32) -> Option<Arc<Interface>> {
        self.0.tables.with(|tables| {
            let index = tables.last_choice.get(generation, &destination)?;
            tables.iter().find(|interface| interface.index == *index).cloned()
        })
    }

    /// The interface and source address for a destination.
    ///
    /// # Errors
    /// `NotFound` without any interface; `NetworkUnreachable` without a route;
    /// `AddressNotAvailable` when the route's interface has no address of the family.
    pub(crate) fn route(&self, destination: IpAddr) -> Result<(Arc<Interface>, IpAddr), Error> {
        let choice = self.choose(destination)?;
        let source = choice.read(|stack| stack.ip.source_for(&stack.context, destination))?;
        Ok((choice, source))
    }

    /// The interface for a destination.
    ///
    /// # Errors
    /// `NotFound` without any interface; `NetworkUnreachable` without a route.
    pub(crate) fn choose(&self, destination: IpAddr) -> Result<Arc<Interface>, Error> {
        // Read before the search: a concurrent change makes the cached choice stale.
        let generation = self.generation();
        if let Some(known) = self.cached(destination, generation) {
            return Ok(known);
        }
        let choice = self.search(destination, |_| true).ok_or_else(|| self.no_route())?;
        let refusal = choice.read(|stack| stack.ip.refusal(&stack.context, destination));
        if let Some(refusal) = refusal.filter(|_| !self.0.host.owns(destination)) {
            return Err(refusal);
        }
        self.0.tables.with(|tables| tables.last_choice.set(generation, destination, choice.index));
        Ok(choice)
    }

    /// Like [`choose`](Self::choose), for packets from a local address, if it is one: in the strong
    /// host model they leave by an interface that has it, or not at all (RFC 1122 §3.3.4.2).
    /// Addresses of the loopback interface are those of the whole system.
    ///
    /// # Errors
    /// As [`choose`](Self::choose), also while every interface with the address is down.
    pub(crate) fn choose_from(
        &self,
        destination: IpAddr,
        source: Option<IpAddr>,
    ) -> Result<Arc<Interface>, Error> {
        let is_one = |source: &IpAddr| !source.is_unspecified() && !source.is_multicast();
        let is_strong = self.0.host.model() == HostModel::Strong;
        let Some(source) = source.filter(|source| is_strong && is_one(source)) else {
            return self.choose(destination);
        };
        let has_source = |stack: &Stack| stack.ip.addresses.owns(source);
        let mut owners = self.list();
        owners.retain(|interface| interface.read(has_source));
        if owners.is_empty() || owners.iter().any(|owner| owner.is_loopback) {
            return self.choose(destination);
        }
        self.search(destination, has_source).ok_or_else(|| self.no_route())
    }

    /// The best interface of those that may be taken.
    fn search(
        &self,
        destination: IpAddr,
        may_take: impl Fn(&Stack) -> bool,
    ) -> Option<Arc<Interface>> {
        // The loopback interface delivers local packets.
        if destination.is_loopback() || self.0.host.owns(destination) {
            return self.best(|interface| interface.is_loopback.then_some(()));
        }
        let rank = |interface: &Interface| {
            interface.read(|stack| {
                if !stack.context.is_running() || !may_take(stack) {
                    return None;
                }
                let route = stack.ip.route_for(&stack.context, destination);
                // Multicast, broadcast and link-local destinations are reached over any interface
                // of the family, one with a default route first.
                let is_multicast_or_local = destination.is_multicast()
                    || is_link_local_ipv4(destination)
                    || matches!(destination, IpAddr::V4(address) if address.is_broadcast());
                match route {
                    Some(route) => Some((
                        Reverse(route.destination.length()),
                        route.metric,
                        // Every interface has the routes of the whole system.
                        !route.is_unicast(),
                    )),
                    None if is_multicast_or_local
                        && !stack.context.is_loopback()
                        && stack.ip.source_for(&stack.context, destination).is_ok() =>
                    {
                        Some((Reverse(0), u32::MAX, false))
                    }
                    None => None,
                }
            })
        };
        self.best(rank)
    }

    /// Why there is no route.
    fn no_route(&self) -> Error {
        let is_empty = self.0.tables.with(|tables| tables.registrations.is_empty());
        if is_empty { Error::NotFound } else { Error::NetworkUnreachable }
    }

    /// The route to a destination, with its details.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    pub(crate) fn explain(&self, destination: IpAddr) -> Result<RouteChoice, Error> {
        let (interface, source) = self.route(destination)?;
        // The reachability of gateways depends on the time.
        interface.read_now(|stack| stack.ip.explain(&stack.context, destination, source, (0, None)))
    }
}

impl fmt::Debug for Interfaces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.list()).finish()
    }
}

/// [`Interfaces`] that are not kept registered.
#[derive(Clone)]
pub(crate) struct WeakInterfaces(Weak<Shared>);

impl WeakInterfaces {
    /// The interfaces, unless they were unregistered.
    pub(crate) fn upgrade(&self) -> Option<Interfaces> {
        self.0.upgrade().map(Interfaces)
    }
}
