//! A mounted device: opens it, and revokes it from all open files when it is unmounted.
//!
//! The tree's nodes hold a [`Mount`]; each open file description holds a [`MountedOpen`], which
//! unregisters from the mount when it is dropped. A mount must keep neither a description nor an
//! unmounted device alive.

use alloc::sync::{Arc, Weak};
use core::mem;

use slab::Slab;

use super::{CharacterDevice, OpenRequest, Revocable};
use crate::error::{Error, Result};
use crate::lock::Lock;

/// A mounted device and its open file descriptions.
pub(crate) struct Mount(Lock<OpenTable>);

struct OpenTable {
    /// `None` once the device is unmounted.
    device: Option<Arc<dyn CharacterDevice>>,
    open: Slab<Weak<Revocable>>,
}

impl Mount {
    pub(crate) fn new(device: Arc<dyn CharacterDevice>) -> Self {
        Self(Lock::new(OpenTable { device: Some(device), open: Slab::new() }))
    }

    /// Opens the device. `NoDevice` if it was unmounted meanwhile; otherwise any error of the
    /// device.
    pub(crate) fn open(self: &Arc<Self>, request: &OpenRequest<'_>) -> Result<MountedOpen> {
        let device = self.0.with(|register| register.device.clone()).ok_or(Error::NoDevice)?;
        let opened = Arc::new(Revocable::new(device.open(request)?));
        let number = self.0.with(|register| {
            register.device.as_ref()?;
            Some(register.open.insert(Arc::downgrade(&opened)))
        });
        match number {
            Some(number) => Ok(MountedOpen { mount: Arc::clone(self), number, opened }),
            None => {
                // The device was unmounted during the open: the description must not stay open
                // behind a removed node.
                opened.revoke();
                Err(Error::NoDevice)
            }
        }
    }

    /// Revokes the device from every open file and releases it.
    pub(crate) fn revoke(&self) {
        let (device, open) =
            self.0.with(|register| (register.device.take(), mem::take(&mut register.open)));
        for opened in open.iter().filter_map(|(_, opened)| opened.upgrade()) {
            opened.revoke();
        }
        drop(device);
    }
}

/// One open file description of a mounted device; dropping it closes it.
pub(crate) struct MountedOpen {
    mount: Arc<Mount>,
    number: usize,
    opened: Arc<Revocable>,
}

impl MountedOpen {
    pub(crate) fn opened(&self) -> &Revocable {
        &self.opened
    }
}

impl Drop for MountedOpen {
    fn drop(&mut self) {
        self.mount.0.with(|register| register.open.try_remove(self.number));
    }
}
