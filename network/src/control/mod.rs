//! The character device: `/devices/network/NAME` and `/devices/sockets`.
//!
//! | file | owns |
//! |---|---|
//! | [`open`] | the open file: its mode, text in and out, authority, forwarding to the controller |
//! | [`execute`] | what each command does |
//! | [`sockets`] | the modes that are sockets |
//! | [`options`] | what sockets are told, and what they tell |
//! | [`status`] | the status text |
//!
//! A request goes one way: bytes or words → [`Request`](crate::command::Request) → authority → the verb of the stack → response bytes.
//! Unknown identifiers go to the platform's controller unchanged, with no lock held.

mod execute;
mod open;
mod options;
mod sockets;
mod status;

use alloc::sync::Arc;

use virtual_file_system::{CharacterDevice, OpenDevice, OpenRequest, Result};

use self::open::OpenFile;
pub(crate) use self::sockets::Offers;
use crate::interface::Interface;
use crate::manager::Shared;
use crate::socket::Sockets;

/// The device of one interface, or of what belongs to all.
pub(crate) struct NetworkDevice {
    sockets: Sockets,
}

impl NetworkDevice {
    pub(crate) fn system(shared: &Arc<Shared>) -> Self {
        Self { sockets: Sockets::routed(shared) }
    }

    pub(crate) fn interface(shared: &Arc<Shared>, interface: &Arc<Interface>) -> Self {
        Self { sockets: Sockets::on(shared, interface) }
    }
}

impl CharacterDevice for NetworkDevice {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        Ok(Arc::new(OpenFile::new(self.sockets.clone(), request)))
    }
}
