//! Which interface a destination is reached by, and which sockets belong to all interfaces.
//!
//! Longest prefix over all interfaces that are up and have a carrier, then smallest metric, then
//! lowest index. Destinations that are addresses of our own go to the loopback interface.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::IpAddr;

use virtual_file_system::{Error, Lock};

use crate::command::route::RouteChoice;
use crate::interface::Interface;
use crate::manager::Shared;
use crate::stack::addresses::is_link_local_ipv4;
use crate::stack::datagram::{Binding, Endpoint, Family};
use crate::stack::tcp::listen::Listener;
use crate::watcher::Watcher;

/// The interfaces, and the sockets that every present and future one serves.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    tables: Lock<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    interfaces: Vec<Arc<Interface>>,
    listeners: Vec<Arc<Listener>>,
    bindings: Vec<(Family, Binding)>,
    watchers: Vec<Arc<Watcher>>,
    /// What was chosen last: the destination, the interface's index, and the generation of
    /// addresses and routes then.
    recent: Option<(IpAddr, u32, u32)>,
}

impl Routing {
    pub(crate) fn interfaces(&self) -> Vec<Arc<Interface>> {
        self.tables.with(|tables| tables.interfaces.clone())
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Interface>> {
        self.tables.with(|tables| {
            tables.interfaces.iter().find(|interface| interface.name == name).cloned()
        })
    }

    pub(crate) fn at(&self, index: u32) -> Option<Arc<Interface>> {
        self.tables.with(|tables| {
            tables.interfaces.iter().find(|interface| interface.index == index).cloned()
        })
    }

    /// The interface of the smallest rank, the oldest of equals; those without a rank do not count.
    /// For each datagram of a routed socket this is asked, so nothing is copied for it.
    fn best<K: Ord>(&self, rank: impl Fn(&Interface) -> Option<K>) -> Option<Arc<Interface>> {
        self.tables.with(|tables| {
            let ranked = tables
                .interfaces
                .iter()
                .filter_map(|interface| Some((rank(interface)?, interface)));
            ranked
                .min_by(|(one, first), (other, second)| {
                    one.cmp(other).then(first.index.cmp(&second.index))
                })
                .map(|(_, interface)| Arc::clone(interface))
        })
    }

    /// The interface that was chosen last, if it was for this destination and everything stands as
    /// it did.
    fn known(&self, destination: IpAddr, generation: u32) -> Option<Arc<Interface>> {
        self.tables.with(|tables| {
            let (_, index, _) =
                tables.recent.filter(|recent| (recent.0, recent.2) == (destination, generation))?;
            tables.interfaces.iter().find(|interface| interface.index == index).cloned()
        })
    }

    /// A new interface serves the routed sockets too.
    pub(crate) fn add(&self, interface: Arc<Interface>) {
        let (listeners, bindings, watchers) = self.tables.with(|tables| {
            tables.interfaces.push(Arc::clone(&interface));
            (tables.listeners.clone(), tables.bindings.clone(), tables.watchers.clone())
        });
        // A fresh stack has no socket that could be in the way, and both calls tolerate what is
        // there already.
        interface.with(|stack| {
            for listener in &listeners {
                let _ = stack.transport.tcp.listen(listener, false);
            }
            for (family, binding) in bindings {
                let _ = stack.transport.datagrams.bind(family, binding);
            }
        });
        watchers.iter().for_each(|watcher| interface.introduce(watcher));
    }

    /// Tells a watcher of every present and future interface; gives those that are present.
    pub(crate) fn watch(&self, watcher: &Arc<Watcher>) -> Vec<Arc<Interface>> {
        self.tables.with(|tables| {
            if !tables.watchers.iter().any(|known| Arc::ptr_eq(known, watcher)) {
                tables.watchers.push(Arc::clone(watcher));
            }
            tables.interfaces.clone()
        })
    }

    pub(crate) fn unwatch(&self, watcher: &Arc<Watcher>) {
        let interfaces = self.tables.with(|tables| {
            tables.watchers.retain(|known| !Arc::ptr_eq(known, watcher));
            tables.interfaces.clone()
        });
        interfaces.iter().for_each(|interface| interface.unwatch(watcher));
    }

    pub(crate) fn take(&self, name: &str) -> Option<Arc<Interface>> {
        self.tables.with(|tables| {
            let place = tables.interfaces.iter().position(|interface| interface.name == name)?;
            Some(tables.interfaces.remove(place))
        })
    }

    /// Listens on every interface, or on none.
    ///
    /// # Errors
    /// `AddressInUse`.
    pub(crate) fn listen(&self, listener: &Arc<Listener>) -> Result<(), Error> {
        // Entered first, so that an interface that is added meanwhile is not missed.
        let interfaces = self.tables.with(|tables| {
            tables.listeners.push(Arc::clone(listener));
            tables.interfaces.clone()
        });
        let outcome = interfaces.iter().try_for_each(|interface| {
            interface.with(|stack| stack.transport.tcp.listen(listener, false))
        });
        if outcome.is_err() {
            self.unlisten(listener);
        }
        outcome
    }

    pub(crate) fn unlisten(&self, listener: &Arc<Listener>) {
        let interfaces = self.tables.with(|tables| {
            tables.listeners.retain(|known| !Arc::ptr_eq(known, listener));
            tables.interfaces.clone()
        });
        interfaces.iter().for_each(|interface| {
            interface.with(|stack| {
                stack.transport.tcp.unlisten(&mut stack.context, &mut stack.ip, listener)
            })
        });
    }

    /// Binds on every interface, or on none.
    ///
    /// # Errors
    /// `AddressInUse`.
    pub(crate) fn bind(&self, family: Family, binding: &Binding) -> Result<(), Error> {
        let (interfaces, former) = self.tables.with(|tables| {
            let place = tables
                .bindings
                .iter()
                .position(|(_, known)| Arc::ptr_eq(&known.endpoint, &binding.endpoint));
            let former = place.map(|place| tables.bindings.swap_remove(place));
            tables.bindings.push((family, binding.clone()));
            (tables.interfaces.clone(), former)
        });
        let bind = |binding: &Binding| {
            interfaces.iter().try_for_each(|interface| {
                interface.with(|stack| stack.transport.datagrams.bind(family, binding.clone()))
            })
        };
        let outcome = bind(binding);
        if outcome.is_err() {
            self.unbind(family, binding.key, &binding.endpoint);
            // A socket that cannot be connected stays bound as it was.
            if let Some((family, former)) = former {
                self.tables.with(|tables| tables.bindings.push((family, former.clone())));
                bind(&former)?;
            }
        }
        outcome
    }

    pub(crate) fn unbind(&self, family: Family, key: u16, endpoint: &Arc<Endpoint>) {
        let interfaces = self.tables.with(|tables| {
            tables.bindings.retain(|(_, binding)| !Arc::ptr_eq(&binding.endpoint, endpoint));
            tables.interfaces.clone()
        });
        interfaces.iter().for_each(|interface| {
            interface.with(|stack| stack.transport.datagrams.unbind(family, key, endpoint))
        });
    }

    /// How many listeners and bindings belong to all interfaces.
    pub(crate) fn routed_sockets(&self) -> usize {
        self.tables.with(|tables| tables.listeners.len() + tables.bindings.len())
    }

    pub(crate) fn listeners(&self) -> Vec<Arc<Listener>> {
        self.tables.with(|tables| tables.listeners.clone())
    }

    pub(crate) fn bindings(&self) -> Vec<(Family, Binding)> {
        self.tables.with(|tables| tables.bindings.clone())
    }
}

impl Shared {
    /// The interface and source address for a destination.
    ///
    /// # Errors
    /// `NetworkUnreachable` without a route; `AddressNotAvailable` when the route's interface has
    /// no address of the family.
    pub(crate) fn route(&self, destination: IpAddr) -> Result<(Arc<Interface>, IpAddr), Error> {
        let choice = self.choose(destination)?;
        let source = choice.look(|stack| stack.ip.source_for(&stack.context, destination))?;
        Ok((choice, source))
    }

    /// The interface for a destination.
    ///
    /// # Errors
    /// `NetworkUnreachable` without a route.
    pub(crate) fn choose(&self, destination: IpAddr) -> Result<Arc<Interface>, Error> {
        // Asked for before the search: what changes meanwhile makes the answer an old one.
        let generation = self.generation();
        if let Some(known) = self.routing.known(destination, generation) {
            return Ok(known);
        }
        let choice = self.search(destination)?;
        self.routing
            .tables
            .with(|tables| tables.recent = Some((destination, choice.index, generation)));
        Ok(choice)
    }

    fn search(&self, destination: IpAddr) -> Result<Arc<Interface>, Error> {
        if self.is_own_address(destination) {
            let loopback = self.routing.best(|interface| interface.is_loopback.then_some(()));
            return loopback.ok_or(Error::NetworkUnreachable);
        }
        let rank = |interface: &Interface| {
            interface.look(|stack| {
                if !stack.context.is_running() {
                    return None;
                }
                let route = stack.ip.route_for(&stack.context, destination);
                // Groups, everybody and link-local stations are reached over any interface that has
                // the family, the one with a default route first.
                let to_everybody = destination.is_multicast()
                    || is_link_local_ipv4(destination)
                    || matches!(destination, IpAddr::V4(address) if address.is_broadcast());
                match route {
                    Some(route) => Some((Reverse(route.destination.length()), route.metric)),
                    None if to_everybody
                        && !stack.context.is_loopback()
                        && stack.ip.source_for(&stack.context, destination).is_ok() =>
                    {
                        Some((Reverse(0), u32::MAX))
                    }
                    None => None,
                }
            })
        };
        self.routing.best(rank).ok_or(Error::NetworkUnreachable)
    }

    /// The route to a destination, with the reasons.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    pub(crate) fn explain(&self, destination: IpAddr) -> Result<RouteChoice, Error> {
        let (interface, source) = self.route(destination)?;
        // Which gateway answers depends on the present.
        interface.with(|stack| stack.ip.explain(&stack.context, destination, source))
    }
}
