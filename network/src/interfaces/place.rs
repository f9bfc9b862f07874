//! The scope of a socket or a device file: one interface, or all of them by route.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use devnet_commands::zone;
use devnet_virtual_file_system::Error;

use super::{Interfaces, WeakInterfaces};
use crate::interface::Interface;

/// One interface, or all of them by route. It keeps the interfaces registered.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) all: Interfaces,
    /// The interface; none for all.
    pub(crate) interface: Option<Arc<Interface>>,
}

impl Place {
    /// The same scope, or just this interface of it.
    pub(crate) fn on(&self, interface: Option<Arc<Interface>>) -> Self {
        Self { all: self.all.clone(), interface }
    }

    /// The interface's name; empty for all.
    pub(crate) fn name(&self) -> String {
        self.interface.as_ref().map(|interface| interface.name()).unwrap_or_default()
    }

    /// The interfaces in scope.
    pub(crate) fn interfaces(&self) -> Vec<Arc<Interface>> {
        match &self.interface {
            Some(interface) => vec![Arc::clone(interface)],
            None => self.all.list(),
        }
    }

    /// The interface for a destination, for packets from a local address if there is one.
    ///
    /// # Errors
    /// As [`Interfaces::choose_from`].
    pub(crate) fn choose_from(
        &self,
        destination: IpAddr,
        source: Option<IpAddr>,
    ) -> Result<Arc<Interface>, Error> {
        match &self.interface {
            None => self.all.choose_from(destination, source),
            Some(interface) => Ok(Arc::clone(interface)),
        }
    }

    /// The interface that the zone of an address names (RFC 4007 §6), else `device`.
    ///
    /// # Errors
    /// `NoDevice` when there is none; `InvalidInput` when `device` is another one.
    pub(crate) fn zone(
        &self,
        address: &SocketAddr,
        device: Option<Arc<Interface>>,
    ) -> Result<Option<Arc<Interface>>, Error> {
        let Some(index) = zone::of(address) else { return Ok(device) };
        match device {
            Some(device) if device.index == index => Ok(Some(device)),
            Some(_) => Err(Error::InvalidInput),
            None => self.all.at(index).map(Some).ok_or(Error::NoDevice),
        }
    }

    /// The interface and source address for a destination.
    ///
    /// # Errors
    /// As [`choose_from`](Self::choose_from); `AddressNotAvailable` when the interface has no
    /// address of the family.
    pub(crate) fn route(&self, destination: IpAddr) -> Result<(Arc<Interface>, IpAddr), Error> {
        let interface = self.choose_from(destination, None)?;
        let source = interface.read(|stack| stack.ip.source_for(&stack.context, destination))?;
        Ok((interface, source))
    }

    /// True when the address can be bound: unspecified, or local.
    pub(crate) fn has_address(&self, address: IpAddr) -> bool {
        address.is_unspecified()
            || self
                .interfaces()
                .iter()
                .any(|interface| interface.read(|stack| stack.ip.addresses.owns(address)))
    }

    /// The same scope, without keeping the interfaces registered.
    pub(crate) fn downgrade(&self) -> WeakPlace {
        WeakPlace { all: self.all.downgrade(), interface: self.interface.clone() }
    }
}

/// A [`Place`] that does not keep the interfaces registered.
#[derive(Clone)]
pub(crate) struct WeakPlace {
    all: WeakInterfaces,
    interface: Option<Arc<Interface>>,
}

impl WeakPlace {
    /// The same scope, or just this interface of it.
    pub(crate) fn on(&self, interface: Arc<Interface>) -> Self {
        Self { all: self.all.clone(), interface: Some(interface) }
    }

    /// The scope, unless the interfaces were unregistered.
    pub(crate) fn upgrade(&self) -> Option<Place> {
        Some(Place { all: self.all.upgrade()?, interface: self.interface.clone() })
    }
}
