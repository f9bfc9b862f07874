//! The commands that make a file a reader of events.

use alloc::sync::Arc;

use devnet_virtual_file_system::{Error, Result};

use super::open::{HAS_TEXT, OpenFile};
use super::reader::Reader;
use super::state::State;
#[cfg(feature = "mdns")]
use crate::command::mdns::ServiceWatch;
use crate::command::watch::{Kinds, WatchOptions};
use crate::socket::Sockets;
use crate::watcher::Watched;

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
        // A program may send bits that no kind has, and services are of a type.
        let possible = Kinds::all().difference(Kinds::SERVICE);
        if options.kinds.is_empty() || !possible.contains(options.kinds) {
            return Err(Error::InvalidInput);
        }
        self.become_reader(options.into())
    }

    /// Makes the file a reader of the services of a type, or restarts it with another one.
    #[cfg(feature = "mdns")]
    pub(super) fn watch_services(&self, watch: ServiceWatch) -> Result<()> {
        let ServiceWatch { service_type, numbered, records } = watch;
        if !cfg!(feature = "events") || !(records || HAS_TEXT) {
            return Err(Error::Unsupported);
        }
        let service_type = service_type.to_ascii_lowercase();
        self.sockets.resolver().check_type(&service_type)?;
        let options = WatchOptions { kinds: Kinds::SERVICE, numbered, records };
        self.become_reader(Watched { options, service_type: Some(service_type) })
    }

    fn become_reader(&self, watched: Watched) -> Result<()> {
        if let Some(reader) = self.reader() {
            reader.restart(watched);
            return Ok(());
        }
        let Sockets { place, clock, .. } = &*self.sockets;
        let reader = Arc::new(Reader::new(place, clock, watched));
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
