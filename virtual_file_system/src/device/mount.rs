//! A device under a name: opens it, and takes it away from everybody when it is unmounted.
//!
//! The tree's nodes hold a [`Mount`]; each open file description holds a [`MountedOpen`], which
//! leaves the mount's register when it is dropped. A mount must not keep a description alive, nor
//! an unmounted device.

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use core::mem;

use super::{CharacterDevice, OpenRequest, Revocable};
use crate::error::{Error, Result};
use crate::lock::Lock;

/// A mounted device and what is open on it.
pub(crate) struct Mount(Lock<Register>);

struct Register {
    /// Gone once the device is unmounted.
    device: Option<Arc<dyn CharacterDevice>>,
    open: BTreeMap<u64, Weak<Revocable>>,
    next: u64,
}

impl Mount {
    pub(crate) fn new(device: Arc<dyn CharacterDevice>) -> Self {
        Self(Lock::new(Register { device: Some(device), open: BTreeMap::new(), next: 0 }))
    }

    /// Opens the device. `NoDevice` if it was unmounted meanwhile; else whatever the device refuses
    /// with.
    pub(crate) fn open(self: &Arc<Self>, request: &OpenRequest<'_>) -> Result<MountedOpen> {
        let device = self.0.with(|register| register.device.clone()).ok_or(Error::NoDevice)?;
        let opened = Arc::new(Revocable::new(device.open(request)?));
        let number = self.0.with(|register| {
            register.device.as_ref()?;
            register.next += 1;
            register.open.insert(register.next, Arc::downgrade(&opened));
            Some(register.next)
        });
        match number {
            Some(number) => Ok(MountedOpen { mount: Arc::clone(self), number, opened }),
            None => {
                // Unmounted while the device was opening: it must not stay open behind a node that
                // is gone.
                opened.revoke();
                Err(Error::NoDevice)
            }
        }
    }

    /// Takes the device away from every open file and releases it.
    pub(crate) fn revoke(&self) {
        let (device, open) =
            self.0.with(|register| (register.device.take(), mem::take(&mut register.open)));
        for opened in open.values().filter_map(Weak::upgrade) {
            opened.revoke();
        }
        drop(device);
    }
}

/// One open file description of a mounted device; dropping it closes it.
pub(crate) struct MountedOpen {
    mount: Arc<Mount>,
    number: u64,
    opened: Arc<Revocable>,
}

impl MountedOpen {
    pub(crate) fn opened(&self) -> &Revocable {
        &self.opened
    }
}

impl Drop for MountedOpen {
    fn drop(&mut self) {
        self.mount.0.with(|register| register.open.remove(&self.number));
    }
}
