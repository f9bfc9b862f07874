//! The character device: `/devices/network/NAME` and `/devices/sockets`.
//!
//! | file | owns |
//! |---|---|
//! | [`open`] | the open file: its mode, text in and out, authority, forwarding to the controller |
//! | [`execute`] | what each command does |
//! | [`sockets`] | the modes that are sockets |
//! | [`options`] | what sockets are told, and what they tell |
//! | [`status`] | the status text |
//! | [`watch`] | the mode that tells events |
//!
//! A request goes one way: bytes or words → [`Request`](crate::command::Request) → authority → the
//! verb of the stack → response bytes. Unknown identifiers go to the platform's controller
//! unchanged, with no lock held.

mod execute;
mod open;
mod options;
mod sockets;
mod status;
mod watch;

use alloc::sync::{Arc, Weak};

use virtual_file_system::{CharacterDevice, Error, OpenDevice, OpenRequest, Result};

use self::open::OpenFile;
pub(crate) use self::sockets::Offers;
use crate::interface::Interface;
use crate::manager::Shared;
use crate::socket::Sockets;

/// The device of one interface, or of what belongs to all.
///
/// It does not keep its manager alive: the manager holds the tree that holds the device.
pub(crate) struct NetworkDevice {
    shared: Weak<Shared>,
    interface: Option<Arc<Interface>>,
}

impl NetworkDevice {
    pub(crate) fn system(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::downgrade(shared), interface: None }
    }

    pub(crate) fn interface(shared: &Arc<Shared>, interface: &Arc<Interface>) -> Self {
        Self { shared: Arc::downgrade(shared), interface: Some(Arc::clone(interface)) }
    }
}

impl CharacterDevice for NetworkDevice {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        let shared = self.shared.upgrade().ok_or(Error::NoDevice)?;
        Ok(Arc::new(OpenFile::new(Sockets { shared, interface: self.interface.clone() }, request)))
    }
}
