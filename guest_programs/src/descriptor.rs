//! The descriptor table of a guest. As in POSIX, a new file gets the lowest free descriptor, and 0
//! to 2 are the standard streams.
//!
//! All imports share this table. It also keeps state that belongs to a descriptor rather than to
//! the open file: the path of a directory, a connect in progress, the timeouts of a socket.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::{Error, File, Lock, NodeKind, OpenFlags, Path, Readiness, Result};

use crate::guard::Guard;
use crate::limits;
use crate::namespace::Opened;

/// An open file of a guest.
#[derive(Clone)]
pub(crate) struct Descriptor {
    pub(crate) file: File,
    /// The guard around a network device.
    pub(crate) guard: Option<Arc<Guard>>,
    /// The path of a directory; other files do not need theirs.
    pub(crate) directory: Option<Path>,
    /// Where `fd_readdir` has been: the number of entries up to one, and its name.
    pub(crate) listed: Option<(u64, String)>,
    /// The node kind at the time of opening.
    pub(crate) kind: NodeKind,
    /// A non-blocking connect in progress.
    pub(crate) pending_connect: Option<Arc<PendingConnect>>,
    /// The receive timeout (SO_RCVTIMEO).
    pub(crate) receive_timeout: Option<Duration>,
    /// The send timeout (SO_SNDTIMEO).
    pub(crate) send_timeout: Option<Duration>,
}

impl Descriptor {
    pub(crate) fn new(opened: Opened, kind: NodeKind, directory: Option<Path>) -> Self {
        let Opened { file, guard } = opened;
        Self {
            file,
            guard,
            directory,
            listed: None,
            kind,
            pending_connect: None,
            receive_timeout: None,
            send_timeout: None,
        }
    }

    /// True if a blocked write can be cancelled without loss: it carries data, not a sequence of
    /// commands of which some have already run.
    pub(crate) fn takes_data(&self) -> bool {
        match &self.guard {
            Some(guard) => guard.is_socket_with_data(),
            None => self.kind != NodeKind::CharacterDevice,
        }
    }

    pub(crate) fn is_non_blocking(&self) -> bool {
        self.file.flags().contains(OpenFlags::NON_BLOCKING)
    }

    /// Polls the readiness of the file, including a connect in progress.
    pub(crate) fn poll_ready(
        &self,
        context: &mut Context<'_>,
        interest: Readiness,
    ) -> Poll<Result<Readiness>> {
        if let Some(pending_connect) = &self.pending_connect {
            match pending_connect.poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(true) => {}
                Poll::Ready(false) => {
                    return Poll::Ready(Ok(Readiness::ERROR
                        | Readiness::HANG_UP
                        | (interest & Readiness::WRITABLE)));
                }
            }
        }
        self.file.poll_ready(context, interest)
    }

    /// Advances a connect in progress without waiting. The first call after a failure returns its
    /// error, once.
    pub(crate) fn settle(&self) -> Result<()> {
        let Some(pending_connect) = &self.pending_connect else { return Ok(()) };
        match pending_connect.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Err(Error::WouldBlock),
            Poll::Ready(_) => pending_connect.take_error().map_or(Ok(()), Err),
        }
    }
}

/// A non-blocking connect in progress; dropping it aborts the connect.
pub(crate) struct PendingConnect(Lock<ConnectState>);

enum ConnectState {
    Running(BoxFuture<'static, Result<()>>),
    /// Another call is polling the future.
    Polling,
    Connected,
    Failed(Option<Error>),
}

impl PendingConnect {
    pub(crate) const fn new(connect: BoxFuture<'static, Result<()>>) -> Self {
        Self(Lock::new(ConnectState::Running(connect)))
    }

    /// Ready when the connect has ended: true if it succeeded.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<bool> {
        // The future runs arbitrary code, so poll it outside the lock.
        let stage = self.0.with(|stage| core::mem::replace(stage, ConnectState::Polling));
        let (next, outcome) = match stage {
            ConnectState::Running(mut connect) => match connect.as_mut().poll(context) {
                Poll::Pending => (ConnectState::Running(connect), Poll::Pending),
                Poll::Ready(Ok(())) => (ConnectState::Connected, Poll::Ready(true)),
                Poll::Ready(Err(error)) => (ConnectState::Failed(Some(error)), Poll::Ready(false)),
            },
            ConnectState::Polling => (ConnectState::Polling, Poll::Pending),
            ConnectState::Connected => (ConnectState::Connected, Poll::Ready(true)),
            ConnectState::Failed(error) => (ConnectState::Failed(error), Poll::Ready(false)),
        };
        self.0.with(|stage| *stage = next);
        outcome
    }

    /// True while the connect is in progress.
    pub(crate) fn is_running(&self) -> bool {
        self.0.with(|stage| matches!(stage, ConnectState::Running(_) | ConnectState::Polling))
    }

    /// Returns the error of a failed connect, once.
    pub(crate) fn take_error(&self) -> Option<Error> {
        self.0.with(|stage| match stage {
            ConnectState::Failed(error) => error.take(),
            _ => None,
        })
    }
}

/// The descriptor table of one guest.
pub(crate) struct Descriptors {
    entries: Vec<Option<Descriptor>>,
    limit: usize,
}

impl Descriptors {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), limit: limit.min(limits::FILES_MAXIMUM) }
    }

    /// Assigns the lowest free descriptor to a file.
    ///
    /// # Errors
    /// `TooManyOpenFiles` beyond the guest's limit.
    pub(crate) fn insert(&mut self, descriptor: Descriptor) -> Result<u32> {
        let free = self.entries.iter().position(Option::is_none).unwrap_or(self.entries.len());
        if free >= self.limit {
            return Err(Error::TooManyOpenFiles);
        }
        match self.entries.get_mut(free) {
            Some(entry) => *entry = Some(descriptor),
            None => self.entries.push(Some(descriptor)),
        }
        Ok(free as u32)
    }

    /// Fails early if no descriptor is free, before the caller opens anything.
    pub(crate) fn check_room(&self) -> Result<()> {
        let used = self.entries.iter().flatten().count();
        if used < self.limit { Ok(()) } else { Err(Error::TooManyOpenFiles) }
    }

    pub(crate) fn get(&self, number: u32) -> Result<&Descriptor> {
        self.entries.get(number as usize).and_then(Option::as_ref).ok_or(Error::BadFileDescriptor)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Result<&mut Descriptor> {
        self.entries
            .get_mut(number as usize)
            .and_then(Option::as_mut)
            .ok_or(Error::BadFileDescriptor)
    }

    /// Closes a descriptor; the caller drops the file.
    pub(crate) fn remove(&mut self, number: u32) -> Result<Descriptor> {
        self.entries.get_mut(number as usize).and_then(Option::take).ok_or(Error::BadFileDescriptor)
    }

    /// Moves a file to another open descriptor, which is closed first (`fd_renumber`).
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.get(to)?;
        let descriptor = self.remove(from)?;
        if let Some(entry) = self.entries.get_mut(to as usize) {
            *entry = Some(descriptor);
        }
        Ok(())
    }

    /// Returns how many descriptors may be open.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the number of open descriptors.
    pub(crate) fn count(&self) -> usize {
        self.entries.iter().flatten().count()
    }
}
