//! The parts of a registered interface that end with it.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use devnet_virtual_file_system::Lock;

use crate::interface::Interface;
use crate::mount::Mount;

/// A registered interface. Dropping it undoes the registration, in the order of the fields: the
/// device is unmounted, the interface closes, the name is free again.
pub(crate) struct Registration {
    _device: Mount,
    interface: Running,
    _name: Name,
}

impl Registration {
    pub(crate) const fn new(device: Mount, interface: Arc<Interface>, name: Name) -> Self {
        Self { _device: device, interface: Running(interface), _name: name }
    }

    pub(super) const fn interface(&self) -> &Arc<Interface> {
        &self.interface.0
    }
}

/// An interface that is closed when this is dropped.
struct Running(Arc<Interface>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The names in use, including those of registrations in progress.
#[derive(Clone, Default)]
pub(crate) struct Names(Arc<Lock<UsedNames>>);

#[derive(Default)]
struct UsedNames {
    names: BTreeSet<String>,
    last_index: u32,
}

impl Names {
    /// Reserves a name and the next index; `None` if the name is in use.
    pub(crate) fn reserve(&self, name: &str) -> Option<Name> {
        let index = self.0.with(|used| {
            used.names.insert(name.to_string()).then(|| {
                used.last_index += 1;
                used.last_index
            })
        })?;
        Some(Name { names: self.clone(), name: name.to_string(), index })
    }
}

/// The name and index of one interface; dropping it frees the name. An index is never reused.
pub(crate) struct Name {
    names: Names,
    pub(crate) name: String,
    pub(crate) index: u32,
}

impl Drop for Name {
    fn drop(&mut self) {
        self.names.0.with(|used| used.names.remove(&self.name));
    }
}
