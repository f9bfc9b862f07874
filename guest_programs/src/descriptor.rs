//! A guest's open files by number, as POSIX has them: the lowest free number is given out, 0 to 2
//! are the standard streams.
//!
//! Imports of every kind share this table. It also keeps what belongs to a number and not to the
//! file: the path of a directory, a connect that goes on in the background, the time-outs of a
//! socket.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use network::platform::BoxFuture;
use virtual_file_system::{Error, File, Lock, NodeKind, OpenFlags, Path, Readiness, Result};

use crate::guard::Guard;
use crate::limits;
use crate::namespace::Opened;

/// An open file of a guest.
#[derive(Clone)]
pub(crate) struct Descriptor {
    pub(crate) file: File,
    /// What stands around a network device.
    pub(crate) guard: Option<Arc<Guard>>,
    /// Where a directory is; files do not need theirs any more.
    pub(crate) directory: Option<Path>,
    /// What the file was when it was opened.
    pub(crate) kind: NodeKind,
    /// A connect that was begun without waiting.
    pub(crate) attempt: Option<Arc<Attempt>>,
    /// How long a socket's receive waits (SO_RCVTIMEO).
    pub(crate) receive_timeout: Option<Duration>,
    /// How long a socket's send waits (SO_SNDTIMEO).
    pub(crate) send_timeout: Option<Duration>,
}

impl Descriptor {
    pub(crate) fn new(opened: Opened, kind: NodeKind, directory: Option<Path>) -> Self {
        let Opened { file, guard } = opened;
        Self {
            file,
            guard,
            directory,
            kind,
            attempt: None,
            receive_timeout: None,
            send_timeout: None,
        }
    }

    /// True when nothing is lost if a write that has to wait is given up: it is data, not commands
    /// of which some were carried out.
    pub(crate) fn takes_data(&self) -> bool {
        match &self.guard {
            Some(guard) => guard.is_socket_with_data(),
            None => self.kind != NodeKind::CharacterDevice,
        }
    }

    pub(crate) fn is_non_blocking(&self) -> bool {
        self.file.flags().contains(OpenFlags::NON_BLOCKING)
    }

    /// What the file is ready for, a connect in the background included.
    pub(crate) fn poll_ready(
        &self,
        context: &mut Context<'_>,
        interest: Readiness,
    ) -> Poll<Result<Readiness>> {
        if let Some(attempt) = &self.attempt {
            match attempt.poll(context) {
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

    /// Moves a connect in the background on, without waiting for it. An error of it is told once,
    /// by whatever call comes first.
    pub(crate) fn settle(&self) -> Result<()> {
        let Some(attempt) = &self.attempt else { return Ok(()) };
        match attempt.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Err(Error::WouldBlock),
            Poll::Ready(_) => attempt.take_error().map_or(Ok(()), Err),
        }
    }
}

/// A connect that goes on while the guest does something else; dropping it gives it up.
pub(crate) struct Attempt(Lock<Stage>);

enum Stage {
    Running(BoxFuture<'static, Result<()>>),
    /// Somebody is just looking at it.
    Taken,
    Connected,
    Failed(Option<Error>),
}

impl Attempt {
    pub(crate) const fn new(connect: BoxFuture<'static, Result<()>>) -> Self {
        Self(Lock::new(Stage::Running(connect)))
    }

    /// Ready when it is over: true if it went well.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<bool> {
        // The future is foreign code, so it runs outside of the lock.
        let stage = self.0.with(|stage| core::mem::replace(stage, Stage::Taken));
        let (next, outcome) = match stage {
            Stage::Running(mut connect) => match connect.as_mut().poll(context) {
                Poll::Pending => (Stage::Running(connect), Poll::Pending),
                Poll::Ready(Ok(())) => (Stage::Connected, Poll::Ready(true)),
                Poll::Ready(Err(error)) => (Stage::Failed(Some(error)), Poll::Ready(false)),
            },
            Stage::Taken => (Stage::Taken, Poll::Pending),
            Stage::Connected => (Stage::Connected, Poll::Ready(true)),
            Stage::Failed(error) => (Stage::Failed(error), Poll::Ready(false)),
        };
        self.0.with(|stage| *stage = next);
        outcome
    }

    /// Whether it is still under way.
    pub(crate) fn is_running(&self) -> bool {
        self.0.with(|stage| matches!(stage, Stage::Running(_) | Stage::Taken))
    }

    /// Why it failed, once.
    pub(crate) fn take_error(&self) -> Option<Error> {
        self.0.with(|stage| match stage {
            Stage::Failed(error) => error.take(),
            _ => None,
        })
    }
}

/// The open files of one guest.
pub(crate) struct Descriptors {
    entries: Vec<Option<Descriptor>>,
    limit: usize,
}

impl Descriptors {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), limit: limit.min(limits::FILES_MAXIMUM) }
    }

    /// Gives a file the lowest free number.
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

    /// Fails early when there is no free number, before something is opened for it.
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

    /// Closes a number; the caller drops the file.
    pub(crate) fn remove(&mut self, number: u32) -> Result<Descriptor> {
        self.entries.get_mut(number as usize).and_then(Option::take).ok_or(Error::BadFileDescriptor)
    }

    /// Gives a file another number, closing what has it (POSIX `dup2` and `close`).
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.get(to)?;
        let descriptor = self.remove(from)?;
        if let Some(entry) = self.entries.get_mut(to as usize) {
            *entry = Some(descriptor);
        }
        Ok(())
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.entries.iter().flatten().count()
    }
}
