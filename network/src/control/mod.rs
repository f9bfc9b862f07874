//! The character device: `/devices/network/NAME` and `/devices/sockets`.
//!
//! | file | owns |
//! |---|---|
//! | [`open`] | the open file: its mode, text in and out, authority |
//! | [`controller`], [`forward`] | the controller of the interface, and what goes to it |
//! | [`written`] | the texts that were written to an open file |
//! | [`execute`] | each command and its operation |
//! | [`interfaces`] | commands about interfaces |
//! | [`configuration`], [`system`] | the whole configuration as text; that of the system |
//! | [`lists`] | lists that may be long |
//! | [`sockets`] | commands that make a file a socket, and commands of sockets |
//! | [`state`] | the state of a file in each mode |
//! | [`offers`] | connections between a listener's file and the file that claims them |
//! | [`options`] | socket options |
//! | [`status`] | the status text |
//! | [`watch`], [`reader`] | the event mode |
//! | `wireless` | switching a radio together with its addresses |
//!
//! A request takes one path: bytes or text → [`Request`](crate::command::Request) → authority → the
//! file's [`Mode`](crate::command::mode::Mode) → the operation of the stack → response bytes.
//! Unknown identifiers go to the platform's controller unchanged, with no lock held.

mod capture;
mod capturer;
mod configuration;
mod controller;
#[cfg(feature = "dhcp6")]
mod dhcp6;
mod execute;
mod firewall;
mod forward;
mod interfaces;
mod lists;
mod metrics;
mod names;
mod offers;
mod open;
mod options;
mod reader;
mod routes;
mod sockets;
mod state;
mod status;
mod system;
mod watch;
#[cfg(feature = "wireless")]
mod wireless;
mod written;

use alloc::sync::{Arc, Weak};

use devnet_virtual_file_system::{CharacterDevice, Error, Lock, OpenDevice, OpenRequest, Result};

use self::offers::Offers;
pub use self::open::OpenFile;
use crate::interface::Interface;
use crate::platform::Entropy;
use crate::socket::{Sockets, WeakSockets};

/// Makes the devices of one system. They share the connections that listeners offer.
///
/// Neither this nor a device keeps the interfaces registered, because they own the tree that owns
/// the device.
#[derive(Clone)]
pub(crate) struct Devices {
    sockets: WeakSockets,
    offers: Arc<Offers>,
}

impl Devices {
    pub(crate) fn new(sockets: &Sockets, entropy: Arc<dyn Entropy>) -> Self {
        Self { sockets: sockets.downgrade(), offers: Arc::new(Offers::new(entropy)) }
    }

    /// The device that covers all interfaces.
    pub(crate) fn system(&self) -> NetworkDevice {
        NetworkDevice::new(self.clone())
    }

    /// The device of one interface.
    pub(crate) fn interface(&self, interface: &Arc<Interface>) -> NetworkDevice {
        let sockets = self.sockets.on(Arc::clone(interface));
        NetworkDevice::new(Self { sockets, offers: Arc::clone(&self.offers) })
    }
}

/// The device of one interface, or of all.
pub(crate) struct NetworkDevice {
    devices: Devices,
    /// What all open files share, while there is one.
    shared: Lock<Weak<Sockets>>,
}

impl NetworkDevice {
    fn new(devices: Devices) -> Self {
        Self { devices, shared: Lock::default() }
    }

    fn sockets(&self) -> Result<Arc<Sockets>> {
        if let Some(sockets) = self.shared.with(|shared| shared.upgrade()) {
            return Ok(sockets);
        }
        let sockets = Arc::new(self.devices.sockets.upgrade().ok_or(Error::NoDevice)?);
        self.shared.with(|shared| *shared = Arc::downgrade(&sockets));
        Ok(sockets)
    }
}

impl CharacterDevice for NetworkDevice {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        let offers = Arc::clone(&self.devices.offers);
        Ok(Arc::new(OpenFile::new(self.sockets()?, offers, request)))
    }
}
