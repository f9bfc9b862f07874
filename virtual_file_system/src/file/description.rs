//! The open file description: the state that all clones of one [`File`](super::File) share.
//!
//! It holds the opened object, its offset and its flags. Dropping the last clone drops it, and with
//! it the device's side. It checks whether the flags allow a call; the file runs the call.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use async_lock::Mutex;

use crate::access::{GroupIdentifier, Mode, OpenFlags, UserIdentifier};
use crate::device::{MountedOpen, Revocable};
use crate::error::{Error, Result};
use crate::lock::Lock;
use crate::node::{Attributes, Node, NodeKind};
use crate::quota::Quota;
use crate::storage::Storage;

/// The opened object.
pub(crate) enum Object {
    Directory(Arc<Node>),
    Regular {
        node: Arc<Node>,
        storage: Arc<Storage>,
        position: Lock<u64>,
        /// Who pays for what is written, unless the file says otherwise.
        payer: Arc<Quota>,
    },
    Mounted {
        node: Arc<Node>,
        opened: MountedOpen,
    },
    /// A device without a name, such as an end of a pipe. Boxed, so that the files of sockets, of
    /// which there may be thousands, are small.
    Unnamed(Box<Revocable>),
}

/// The object on which a file's calls act.
pub(super) enum Target<'a> {
    Directory,
    Regular {
        /// Which knows when the bytes were last changed.
        node: &'a Node,
        storage: &'a Storage,
        position: &'a Lock<u64>,
        payer: &'a Arc<Quota>,
    },
    Device(&'a Revocable),
}

/// The state that all clones of one file share.
pub(crate) struct Description {
    object: Object,
    flags: OpenFlags,
    non_blocking: AtomicBool,
    /// Serialises writes of whole buffers to a device. The section spans awaits, because a device
    /// may take the buffer in pieces; with an asynchronous mutex the others wait without blocking a
    /// thread.
    pub(super) turn: Mutex<()>,
}

impl Description {
    pub(crate) fn new(object: Object, flags: OpenFlags) -> Self {
        // Flags that affect only the open itself end here.
        let passed = OpenFlags::CREATE
            | OpenFlags::EXCLUSIVE
            | OpenFlags::TRUNCATE
            | OpenFlags::NON_BLOCKING;
        Self {
            object,
            flags: flags - passed,
            non_blocking: AtomicBool::new(flags.contains(OpenFlags::NON_BLOCKING)),
            turn: Mutex::new(()),
        }
    }

    pub(super) fn target(&self) -> Target<'_> {
        match &self.object {
            Object::Directory(_) => Target::Directory,
            Object::Regular { node, storage, position, payer } => {
                Target::Regular { node, storage, position, payer }
            }
            Object::Mounted { opened, .. } => Target::Device(opened.opened()),
            Object::Unnamed(opened) => Target::Device(opened),
        }
    }

    /// Returns the target of a call that requires this open flag.
    pub(super) fn target_for(&self, flag: OpenFlags) -> Result<Target<'_>> {
        if self.flags.contains(flag) { Ok(self.target()) } else { Err(Error::BadFileDescriptor) }
    }

    pub(super) fn appends(&self) -> bool {
        self.flags.contains(OpenFlags::APPEND)
    }

    pub(super) fn flags(&self) -> OpenFlags {
        let mut flags = self.flags;
        flags.set(OpenFlags::NON_BLOCKING, self.is_non_blocking());
        flags
    }

    pub(super) fn is_non_blocking(&self) -> bool {
        self.non_blocking.load(Ordering::Relaxed)
    }

    pub(super) fn set_non_blocking(&self, non_blocking: bool) {
        self.non_blocking.store(non_blocking, Ordering::Relaxed);
    }

    pub(super) fn attributes(&self) -> Result<Attributes> {
        match &self.object {
            Object::Directory(node) | Object::Regular { node, .. } => Ok(node.attributes()),
            Object::Mounted { node, opened } => {
                opened.opened().device()?;
                Ok(node.attributes())
            }
            Object::Unnamed(opened) => {
                opened.device()?;
                Ok(Attributes {
                    kind: NodeKind::CharacterDevice,
                    mode: Mode::from_octal(0o600),
                    owner: UserIdentifier(0),
                    group: GroupIdentifier(0),
                    size: 0,
                    inode: 0,
                    links: 0,
                    modified: Duration::ZERO,
                })
            }
        }
    }
}
