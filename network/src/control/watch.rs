//! The command that makes a file a reader of events.

use alloc::sync::Arc;

use devnet_virtual_file_system::{Error, Result};

use super::open::{HAS_TEXT, OpenFile};
use super::reader::Reader;
use super::state::State;
use crate::command::watch::{Kinds, WatchOptions};
use crate::socket::Sockets;

impl OpenFile {
    /// The file's reader of events.
    pub(super) fn reader(&self) -> Option<Arc<Reader>> {
        if !cfg!(feature = "events") {
            return None;
        }
        self.state.with(|state| match state {
            State::Events(reader) => Some(Arc::clone(reader)),
            _ => None,
        })
    }

    /// Makes the file a reader of events, or restarts it with other options.
    pub(super) fn watch(&self, options: WatchOptions) -> Result<()> {
        if !cfg!(feature = "events") || !(options.records || HAS_TEXT) {
            return Err(Error::Unsupported);
        }
        // A program may send bits that no kind has.
        if options.kinds.is_empty() || !Kinds::all().contains(options.kinds) {
            return Err(Error::InvalidInput);
        }
        if let Some(reader) = self.reader() {
            reader.restart(options);
            return Ok(());
        }
        let Sockets { place, clock, .. } = &*self.sockets;
        let reader = Arc::new(Reader::new(place, clock, options));
        // An unused reader is dropped outside of the lock.
        self.state.with(|state| match state {
            State::Status { .. } => {
                *state = State::Events(Arc::clone(&reader));
                Ok(())
            }
            // A concurrent command made it a socket.
            _ => Err(Error::InvalidInput),
        })
    }
}
