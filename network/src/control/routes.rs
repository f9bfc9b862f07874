//! Commands about routes: on an interface's device its own, on `/devices/sockets` those of all
//! interfaces and of the whole system.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::{Error, Result};

use super::open::OpenFile;
use crate::command::route::{
    ChangeMode, Flow, MultipathChange, NewRoute, RouteChange, RouteChoice, RouteFilter, RouteKind,
    RouteSelector,
};
use crate::interface::Interface;
use crate::stack::Stack;
use crate::stack::ip::routing::described;
use crate::stack::routes::Route;

impl OpenFile {
    /// The route to a destination, with its details.
    pub(super) fn find_route(&self, destination: IpAddr) -> Result<RouteChoice> {
        match &self.sockets.place.interface {
            None => self.sockets.place.all.explain(destination),
            Some(interface) => interface.read_now(|stack| {
                let (cx, ip) = (&stack.context, &stack.ip);
                ip.source_for(cx, destination)
                    .and_then(|source| ip.explain(cx, destination, source, (0, None)))
            }),
        }
    }

    /// The route and the next hop of a flow, with their details.
    pub(super) fn find_flow_route(&self, flow: &Flow) -> Result<RouteChoice> {
        let &Flow { destination, source, protocol, source_port, destination_port } = flow;
        let interface = self.sockets.place.choose_from(destination, source)?;
        let ports = u32::from(source_port) << 16 | u32::from(destination_port);
        interface.read_now(|stack| {
            let (cx, ip) = (&stack.context, &stack.ip);
            let usual = ip.source_for(cx, destination)?;
            if source.is_some_and(|source| !ip.is_own(source)) {
                return Err(Error::AddressNotAvailable);
            }
            ip.explain(cx, destination, source.unwrap_or(usual), (protocol, Some(ports)))
        })
    }

    /// The interface of a route: the device's; on `/devices/sockets` the one that is given, or that
    /// reaches the gateway.
    fn interface_for(&self, name: Option<&str>, gateway: Option<IpAddr>) -> Result<Arc<Interface>> {
        if let Some(interface) = &self.sockets.place.interface {
            return Ok(Arc::clone(interface));
        }
        let all = &self.sockets.place.all;
        let gateway = match (name, gateway) {
            (Some(name), _) => return all.find(name).ok_or(Error::NoDevice),
            (None, None) => return Err(Error::NoDevice),
            (None, Some(gateway)) => gateway,
        };
        let is_near = |stack: &Stack| {
            stack.context.is_running()
                && stack.ip.routes.find(gateway).is_some_and(Route::is_on_link)
        };
        let is_rejected = |stack: &Stack| {
            let route = stack.ip.routes.find(gateway);
            route.is_some_and(|route| route.details.kind == RouteKind::Unreachable)
        };
        let interfaces = all.list();
        if let Some(near) = interfaces.iter().find(|interface| interface.read(is_near)) {
            return Ok(Arc::clone(near));
        }
        let is_rejected = interfaces.iter().any(|interface| interface.read(is_rejected));
        Err(if gateway.is_ipv4() && !is_rejected {
            Error::NetworkUnreachable
        } else {
            Error::HostUnreachable
        })
    }

    pub(super) fn add_route(&self, new: &NewRoute) -> Result<()> {
        let interface = self.interface_for(new.interface.as_deref(), new.gateway)?;
        interface.change_and_transmit(|stack| stack.ip.add_route(&mut stack.context, new))
    }

    pub(super) fn remove_route(&self, selector: &RouteSelector) -> Result<()> {
        let network = selector.destination.network();
        let is_ipv4 = network.address().is_ipv4();
        if is_ipv4 && network != selector.destination && network.length() != 0 {
            return Err(Error::InvalidInput);
        }
        let interfaces = self.named(selector.interface.as_deref())?;
        let removed = interfaces.iter().any(|interface| {
            interface
                .change_and_transmit(|stack| stack.ip.remove_route(&mut stack.context, selector))
                .is_ok()
        });
        if removed { Ok(()) } else { Err(Error::NoSuchProcess) }
    }

    /// The interfaces of the device with this name; all without one.
    fn named(&self, name: Option<&str>) -> Result<Vec<Arc<Interface>>> {
        let mut interfaces = self.interfaces();
        if let Some(name) = name {
            interfaces.retain(|interface| interface.is_named(name));
            if interfaces.is_empty() {
                return Err(Error::NoDevice);
            }
        }
        Ok(interfaces)
    }

    /// Replaces across interfaces, as Linux does: the new route comes, then the first one of equal
    /// destination and metric goes, wherever it was.
    pub(super) fn set_route(&self, change: &RouteChange) -> Result<bool> {
        self.set_hops(change, change.gateway, |stack, mode| {
            let change = RouteChange { mode, ..change.clone() };
            stack.ip.set_route(&mut stack.context, &change)
        })
    }

    /// As [`set_route`](Self::set_route), for a route that may have several next hops.
    pub(super) fn set_multipath_route(&self, change: &MultipathChange) -> Result<bool> {
        if change.hops.is_empty() {
            return self.set_route(&change.route);
        }
        if change.route.kind != RouteKind::Unicast {
            return Err(Error::InvalidInput);
        }
        let gateway = change.hops.first().map(|hop| hop.gateway);
        self.set_hops(&change.route, gateway, |stack, mode| {
            let route = RouteChange { mode, ..change.route.clone() };
            let change = MultipathChange { route, hops: change.hops.clone() };
            stack.ip.set_multipath_route(&mut stack.context, &change)
        })
    }

    /// Sets a route as a function sets one on an interface, which is the one that reaches the
    /// gateway unless another one is named.
    fn set_hops(
        &self,
        change: &RouteChange,
        gateway: Option<IpAddr>,
        set: impl Fn(&mut Stack, ChangeMode) -> Result<bool>,
    ) -> Result<bool> {
        if change.kind != RouteKind::Unicast {
            let bare = RouteChange {
                mode: change.mode,
                kind: change.kind,
                destination: change.destination,
                metric: change.metric,
                protocol: change.protocol,
                ..RouteChange::default()
            };
            if *change != bare {
                return Err(Error::InvalidInput);
            }
            let route = described(change, 0, self.sockets.clock.now())?;
            let route = Route { has_own_metric: true, ..route };
            return self.system()?.set_system_route(route, change.mode);
        }
        let interface = self.interface_for(change.interface.as_deref(), gateway)?;
        let set = |mode| interface.change_and_transmit(|stack| set(stack, mode));
        let is_replacement = matches!(change.mode, ChangeMode::Replace | ChangeMode::Change);
        if is_replacement && has_equal(&interface, change, Route::is_of_system) {
            // Every interface has a copy, and all of them go: an interface's device has no say.
            let system = self.system().map_err(|_| Error::AlreadyExists)?;
            set(change.mode)?;
            system.remove_system_routes(&equal_to(&interface, change));
            return Ok(true);
        }
        let former = if is_replacement { self.equal(&interface, change) } else { None };
        match former {
            None => set(change.mode),
            Some(former) if Arc::ptr_eq(&former, &interface) => set(change.mode),
            Some(former) => {
                set(ChangeMode::Replace)?;
                let selector = equal_to(&former, change);
                former.change_and_transmit(|stack| {
                    stack.ip.remove_routes(&mut stack.context, &selector)
                });
                Ok(true)
            }
        }
    }

    /// The interface that has a route of equal destination and metric: this one if it has, else the
    /// first.
    fn equal(&self, here: &Arc<Interface>, change: &RouteChange) -> Option<Arc<Interface>> {
        let interfaces = self.interfaces();
        core::iter::once(here)
            .chain(interfaces.iter())
            .find(|interface| has_equal(interface, change, Route::is_unicast))
            .cloned()
    }

    /// Removes routes of the interfaces, and of the whole system.
    pub(super) fn remove_routes(&self, filter: &RouteFilter) -> Result<u32> {
        let interfaces = self.named(filter.interface.as_deref())?;
        let mut removed = 0;
        for interface in &interfaces {
            if filter.all || removed == 0 {
                removed += interface.change_and_transmit(|stack| {
                    stack.ip.remove_routes(&mut stack.context, filter)
                });
            }
        }
        if let Ok(system) = self.system()
            && filter.interface.is_none()
            && (filter.all || removed == 0)
        {
            removed += system.remove_system_routes(filter);
        }
        if removed == 0 && !filter.all { Err(Error::NoSuchProcess) } else { Ok(removed) }
    }
}

/// True when an interface has a route of equal destination and metric that counts.
fn has_equal(interface: &Interface, change: &RouteChange, counts: impl Fn(&Route) -> bool) -> bool {
    let equal = equal_to(interface, change);
    interface
        .read(|stack| stack.ip.routes.iter().any(|route| counts(route) && route.matches(&equal)))
}

/// The routes of equal destination and metric on an interface.
fn equal_to(interface: &Interface, change: &RouteChange) -> RouteFilter {
    RouteFilter {
        destination: Some(change.destination),
        metric: Some(metric_on(interface, change)),
        ..RouteFilter::default()
    }
}

/// The metric that the route gets on an interface.
fn metric_on(interface: &Interface, change: &RouteChange) -> u32 {
    match change.metric {
        0 => interface.read(|stack| stack.context.configuration.metric),
        metric => metric,
    }
}
