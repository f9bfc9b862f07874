//! Sockets and watchers on every interface, including interfaces that are registered later.

use alloc::sync::Arc;
use alloc::vec::Vec;

use devnet_virtual_file_system::Error;

use super::Interfaces;
use crate::interface::Interface;
use crate::stack::datagram::{Binding, Endpoint, Family};
use crate::stack::tcp::listen::Listener;
use crate::watcher::Watcher;

/// The sockets and watchers that a new interface gets.
#[derive(Clone, Default)]
pub(super) struct Routed {
    listeners: Vec<Arc<Listener>>,
    bindings: Vec<(Family, Binding)>,
    watchers: Vec<Arc<Watcher>>,
}

impl Interfaces {
    /// Adds them to a new interface.
    pub(super) fn serve_routed(&self, interface: &Arc<Interface>) {
        let Routed { listeners, bindings, watchers } =
            self.0.tables.with(|tables| tables.routed.clone());
        // A new stack has no conflicting socket, and both calls tolerate repetition.
        interface.change_and_transmit(|stack| {
            for listener in &listeners {
                let _ = stack.transport.tcp.listen(listener, false);
            }
            for (family, binding) in bindings {
                let _ = stack.transport.datagrams.bind(family, binding);
            }
        });
        watchers.iter().for_each(|watcher| interface.introduce(watcher));
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
            interface.change_and_transmit(|stack| stack.transport.tcp.listen(listener, false))
        });
        if outcome.is_err() {
            self.unlisten(listener);
        }
        outcome
    }

    pub(crate) fn unlisten(&self, listener: &Arc<Listener>) {
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
                    stack.transport.datagrams.bind(family, binding.clone())
                })
            })
        };
        let outcome = bind(binding);
        if outcome.is_err() {
            self.unbind(family, binding.key, &binding.endpoint);
            // A socket that cannot be connected stays bound as it was.
            if let Some((family, former)) = former {
                self.0.tables.with(|tables| tables.routed.bindings.push((family, former.clone())));
                bind(&former)?;
            }
        }
        outcome
    }

    pub(crate) fn unbind(&self, family: Family, key: u16, endpoint: &Arc<Endpoint>) {
        let interfaces = self.0.tables.with(|tables| {
            tables.routed.bindings.retain(|(_, binding)| !Arc::ptr_eq(&binding.endpoint, endpoint));
            tables.interfaces()
        });
        interfaces.iter().for_each(|interface| {
            interface.change_and_transmit(|stack| {
                stack.transport.datagrams.unbind(family, key, endpoint)
            })
        });
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
