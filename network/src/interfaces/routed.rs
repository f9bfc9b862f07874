//! Sockets, watchers and routes on every interface, including interfaces that are registered later.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use devnet_virtual_file_system::Error;

use super::Interfaces;
use crate::capture::Stream;
use crate::command::event::{Change, Event};
use crate::command::route::{ChangeMode, RouteDetail, RouteFilter};
use crate::command::socket::SocketStatus;
use crate::command::watch::Kinds;
use crate::interface::Interface;
use crate::limits;
use crate::platform::Instant;
use crate::stack::datagram::{Binding, Endpoint, Family};
use crate::stack::routes::{Route, Routes};
use crate::stack::tcp::listen::Listener;
use crate::stack::{Stack, Wakes};
use crate::watcher::{Events, Watcher};

/// What a new interface gets.
#[derive(Clone, Default)]
pub(super) struct Routed {
    listeners: Vec<Arc<Listener>>,
    bindings: Vec<(Family, Binding)>,
    watchers: Vec<Arc<Watcher>>,
    captures: Vec<Arc<Stream>>,
    /// Routes of the whole system, of which every interface has a copy.
    routes: Routes,
}

impl Interfaces {
    /// Adds them to a new interface.
    pub(super) fn serve_routed(&self, interface: &Arc<Interface>) {
        let Routed { listeners, bindings, watchers, captures, routes } =
            self.0.tables.with(|tables| tables.routed.clone());
        // A new stack has no conflicting socket, and both calls tolerate repetition.
        interface.change_and_transmit(|stack| {
            for listener in &listeners {
                let _ = stack.transport.tcp.listen(&mut stack.context, listener, false);
            }
            for (family, binding) in bindings {
                let _ = stack.transport.datagrams.bind(&mut stack.context, family, binding);
            }
            for route in routes.iter() {
                let _ = stack.ip.put_route(&mut stack.context, *route, ChangeMode::Append);
            }
        });
        watchers.iter().for_each(|watcher| interface.introduce(watcher));
        // Without the feature there are none, which the compiler does not know.
        for stream in captures.iter().filter(|_| cfg!(feature = "capture")) {
            // Of a new interface there are no others, and repetition does nothing.
            let _ = interface.capture(stream);
            let is_over = self.0.tables.with(|tables| {
                !tables.routed.captures.iter().any(|known| Arc::ptr_eq(known, stream))
            });
            if is_over {
                interface.end_capture(stream);
            }
        }
    }

    /// Attaches a capture to every present and future interface, or to none.
    ///
    /// # Errors
    /// `NoBufferSpace` when there are [`CAPTURES`](limits::CAPTURES) of all interfaces, or of one.
    pub(crate) fn capture(&self, stream: &Arc<Stream>) -> Result<(), Error> {
        let interfaces = self.0.tables.with(|tables| {
            if tables.routed.captures.len() >= limits::CAPTURES {
                return Err(Error::NoBufferSpace);
            }
            tables.routed.captures.push(Arc::clone(stream));
            Ok(tables.interfaces())
        })?;
        for interface in &interfaces {
            match interface.capture(stream) {
                // One that goes meanwhile is none.
                Ok(()) | Err(Error::NetworkDown) => {}
                Err(error) => {
                    self.end_capture(stream);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn end_capture(&self, stream: &Arc<Stream>) {
        let interfaces = self.0.tables.with(|tables| {
            tables.routed.captures.retain(|known| !Arc::ptr_eq(known, stream));
            tables.interfaces()
        });
        interfaces.iter().for_each(|interface| interface.end_capture(stream));
    }

    /// Attaches a watcher to every present and future interface; returns the present ones.
    pub(crate) fn watch(&self, watcher: &Arc<Watcher>) -> Vec<Arc<Interface>> {
        self.0.tables.with(|tables| {
            if !tables.routed.watchers.iter().any(|known| Arc::ptr_eq(known, watcher)) {
                tables.routed.watchers.push(Arc::clone(watcher));
            }
            tables.interfaces()
        })
    }

    pub(crate) fn unwatch(&self, watcher: &Arc<Watcher>) {
        let interfaces = self.0.tables.with(|tables| {
            tables.routed.watchers.retain(|known| !Arc::ptr_eq(known, watcher));
            tables.interfaces()
        });
        interfaces.iter().for_each(|interface| interface.unwatch(watcher));
    }

    /// Reports a socket of every interface to those who watch every interface.
    fn report_socket(&self, change: Change, status: impl FnOnce() -> SocketStatus) {
        self.report(Kinds::SOCKET, || Event::Socket(change, status()));
    }

    /// Reports a failed lookup of the whole system to those who watch every interface.
    pub(crate) fn report_lookup(&self, event: impl FnOnce() -> Event) {
        self.report(Kinds::DNS, event);
    }

    fn report(&self, kind: Kinds, event: impl FnOnce() -> Event) {
        if !cfg!(feature = "events") {
            return;
        }
        let mut watchers = self.0.tables.with(|tables| tables.routed.watchers.clone());
        watchers.retain(|watcher| watcher.kinds().contains(kind));
        if watchers.is_empty() {
            return;
        }
        let (events, mut wakes) = ([event()], Wakes::default());
        let events = Events::new("", &events);
        watchers.iter().for_each(|watcher| watcher.add(&events, 0, &mut wakes));
        wakes.wake();
    }

    /// Listens on every interface, or on none.
    ///
    /// # Errors
    /// `AddressInUse`.
    pub(crate) fn listen(&self, listener: &Arc<Listener>) -> Result<(), Error> {
        // Recorded first, so that an interface that is added concurrently is not missed.
        let interfaces = self.0.tables.with(|tables| {
            tables.routed.listeners.push(Arc::clone(listener));
            tables.interfaces()
        });
        let outcome = interfaces.iter().try_for_each(|interface| {
            interface.change_and_transmit(|stack| {
                stack.transport.tcp.listen(&mut stack.context, listener, false)
            })
        });
        match outcome {
            Ok(()) => self.report_socket(Change::Added, || listener.status("")),
            Err(_) => self.forget_listener(listener),
        }
        outcome
    }

    pub(crate) fn unlisten(&self, listener: &Arc<Listener>) {
        self.forget_listener(listener);
        self.report_socket(Change::Removed, || listener.status(""));
    }

    fn forget_listener(&self, listener: &Arc<Listener>) {
        let interfaces = self.0.tables.with(|tables| {
            tables.routed.listeners.retain(|known| !Arc::ptr_eq(known, listener));
            tables.interfaces()
        });
        interfaces.iter().for_each(|interface| {
            interface.change_and_transmit(|stack| {
                stack.transport.tcp.unlisten(&mut stack.context, &mut stack.ip, listener)
            })
        });
    }

    /// Binds on every interface, or on none.
    ///
    /// # Errors
    /// `AddressInUse`.
    pub(crate) fn bind(&self, family: Family, binding: &Binding) -> Result<(), Error> {
        let (interfaces, former) = self.0.tables.with(|tables| {
            let place = tables
                .routed
                .bindings
                .iter()
                .position(|(_, known)| Arc::ptr_eq(&known.endpoint, &binding.endpoint));
            let former = place.map(|place| tables.routed.bindings.swap_remove(place));
            tables.routed.bindings.push((family, binding.clone()));
            (tables.interfaces(), former)
        });
        let bind = |binding: &Binding| {
            interfaces.iter().try_for_each(|interface| {
                interface.change_and_transmit(|stack| {
                    let Stack { context: cx, transport, .. } = stack;
                    transport.datagrams.bind(cx, family, binding.clone())
                })
            })
        };
        let outcome = bind(binding);
        if outcome.is_ok() {
            if let Some((family, former)) = former {
                self.report_socket(Change::Removed, || former.status(family, ""));
            }
            self.report_socket(Change::Added, || binding.status(family, ""));
        } else {
            self.forget_binding(family, binding.key, &binding.endpoint);
            // A socket that cannot be connected stays bound as it was.
            if let Some((family, former)) = former {
                self.0.tables.with(|tables| tables.routed.bindings.push((family, former.clone())));
                bind(&former)?;
            }
        }
        outcome
    }

    pub(crate) fn unbind(&self, family: Family, key: u16, endpoint: &Arc<Endpoint>) {
        if let Some(binding) = self.forget_binding(family, key, endpoint) {
            self.report_socket(Change::Removed, || binding.status(family, ""));
        }
    }

    fn forget_binding(
        &self,
        family: Family,
        key: u16,
        endpoint: &Arc<Endpoint>,
    ) -> Option<Binding> {
        let (interfaces, binding) = self.0.tables.with(|tables| {
            let bindings = &mut tables.routed.bindings;
            let is_it = |(_, known): &(Family, Binding)| Arc::ptr_eq(&known.endpoint, endpoint);
            let place = bindings.iter().position(is_it);
            let binding = place.map(|place| bindings.remove(place).1);
            (tables.interfaces(), binding)
        });
        interfaces.iter().for_each(|interface| {
            interface.change_and_transmit(|stack| {
                stack.transport.datagrams.unbind(&mut stack.context, family, key, endpoint)
            })
        });
        binding
    }

    /// Brings a route of the whole system into the tables of every interface, or of none.
    ///
    /// # Errors
    /// As [`Routes::set`].
    pub(crate) fn set_system_route(&self, route: Route, mode: ChangeMode) -> Result<bool, Error> {
        let is_equal = |known: &Route| {
            known.destination == route.destination.network() && known.metric == route.metric
        };
        let has_equal = |interface: &Arc<Interface>| {
            interface.read(|stack| stack.ip.routes.iter().any(is_equal))
        };
        let interfaces = self.list();
        // What is changed may be a route of one interface.
        let mode = match mode {
            ChangeMode::Change if interfaces.iter().any(has_equal) => ChangeMode::Replace,
            mode => mode,
        };
        // Tried on copies, so that a refusal leaves every table as it was.
        for interface in &interfaces {
            interface.read(|stack| stack.ip.routes.clone().set(route, mode)).map(drop)?;
        }
        let is_changed = self.0.tables.with(|tables| tables.routed.routes.set(route, mode))?;
        for interface in &interfaces {
            interface.change_and_transmit(|stack| {
                // It was tried just above.
                let _ = stack.ip.put_route(&mut stack.context, route, mode);
            });
        }
        Ok(is_changed)
    }

    /// Removes the first route of the whole system that matches, or all that do; returns how many.
    pub(crate) fn remove_system_routes(&self, filter: &RouteFilter) -> u32 {
        let (removed, left) = self.0.tables.with(|tables| {
            let routes = &mut tables.routed.routes;
            (routes.remove_filtered(filter, |_| true), routes.clone())
        });
        for interface in self.list() {
            interface.change_and_transmit(|stack| {
                let goes = |route: &Route| !left.iter().any(|known| known == route);
                stack.ip.remove_system_routes(&mut stack.context, goes);
            });
        }
        removed
    }

    /// The routes of the whole system.
    pub(crate) fn system_routes(&self) -> Vec<RouteDetail> {
        // None of them expires.
        let detail = |route: &Route| route.detail(route.entry(String::new(), true), Instant::ZERO);
        self.0.tables.with(|tables| tables.routed.routes.iter().map(detail).collect())
    }

    /// The number of listeners and bindings on all interfaces.
    pub(crate) fn routed_sockets(&self) -> usize {
        self.0.tables.with(|tables| tables.routed.listeners.len() + tables.routed.bindings.len())
    }

    pub(crate) fn listeners(&self) -> Vec<Arc<Listener>> {
        self.0.tables.with(|tables| tables.routed.listeners.clone())
    }

    pub(crate) fn bindings(&self) -> Vec<(Family, Binding)> {
        self.0.tables.with(|tables| tables.routed.bindings.clone())
    }
}
