//! The parts of a registered interface that end with it.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Lock, Result};

use crate::interface::Interface;
use crate::mount::Mount;

/// A registered interface. Dropping it undoes the registration, in the order of the fields: the
/// device is unmounted, the interface closes, the name is free again.
pub(crate) struct Registration {
    device: Mount,
    interface: Running,
    name: Name,
}

impl Registration {
    pub(crate) const fn new(device: Mount, interface: Arc<Interface>, name: Name) -> Self {
        Self { device, interface: Running(interface), name }
    }

    pub(super) const fn interface(&self) -> &Arc<Interface> {
        &self.interface.0
    }

    /// Moves the device and the name.
    ///
    /// # Errors
    /// `AlreadyExists` for a name in use; those of the file tree.
    pub(super) fn rename(&mut self, new: &str) -> Result<()> {
        let former = self.name.name.clone();
        self.name.change(new)?;
        let moved = self.device.rename(new);
        if moved.is_err() {
            // It was free just now, and no other interface had it meanwhile.
            let _ = self.name.change(&former);
        }
        moved
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
    /// In order.
    names: Vec<String>,
    last_index: u32,
}

impl Names {
    /// Reserves a name and the next index; `None` if the name is in use.
    pub(crate) fn reserve(&self, name: &str) -> Option<Name> {
        let index = self.0.with(|used| {
            let place = used.names.binary_search_by(|used| used.as_str().cmp(name)).err()?;
            used.names.insert(place, name.to_string());
            used.last_index += 1;
            Some(used.last_index)
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

impl Name {
    /// Exchanges the name.
    ///
    /// # Errors
    /// `AlreadyExists` when it is in use.
    fn change(&mut self, new: &str) -> Result<()> {
        let is_free = self.names.0.with(|used| {
            let is_free = !used.names.iter().any(|known| known == new);
            if is_free {
                used.names.retain(|known| *known != self.name);
                let place = used.names.partition_point(|known| known.as_str() < new);
                used.names.insert(place, new.to_string());
            }
            is_free
        });
        if !is_free {
            return Err(Error::AlreadyExists);
        }
        self.name = new.to_string();
        Ok(())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.names.0.with(|used| {
            if let Ok(place) = used.names.binary_search(&self.name) {
                used.names.remove(place);
            }
        });
    }
}
