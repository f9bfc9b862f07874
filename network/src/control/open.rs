//! One open file of a network device: its mode, and the way of its bytes.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use devnet_commands::zone;
use devnet_virtual_file_system::{
    CommandEntry, Error, Identifier, Lock, OpenDevice, OpenFlags, OpenRequest, Operation,
    Readiness, Result,
};

use super::controller::Controller;
use super::offers::Offers;
use super::state::{Handle, State};
use super::written::{Current, Written};
use crate::command::line_error::LineError;
use crate::command::{Request, TABLE, text};
use crate::features::Built;
use crate::limits;
use crate::seat::Seat;
use crate::socket::Sockets;

/// Whether lines of text are read and written.
pub(super) const HAS_TEXT: bool = cfg!(feature = "commands-as-text");

/// An open file description of a network device.
///
/// Reads and writes reach it as bytes, through a [`File`](devnet_virtual_file_system::File). A
/// wrapper that has decoded a command already, such as a guard, passes it to
/// [`request`](Self::request) with [`File::call`](devnet_virtual_file_system::File::call).
pub struct OpenFile {
    /// Shared by all files of the device.
    pub(super) sockets: Arc<Sockets>,
    pub(super) offers: Arc<Offers>,
    pub(super) flags: OpenFlags,
    pub(super) state: Lock<State>,
    pub(super) seat: Lock<Option<Seat>>,
    /// Boxed, since it is of an interface's own device only: thousands of files are sockets.
    pub(super) controller: Option<Box<Controller>>,
    /// What the first text that is written makes.
    text: Lock<Option<Arc<Written>>>,
}

impl OpenFile {
    pub(super) fn new(
        sockets: Arc<Sockets>,
        offers: Arc<Offers>,
        request: &OpenRequest<'_>,
    ) -> Self {
        let interface = sockets.place.interface.as_ref();
        let device = interface.and_then(|interface| interface.controller.clone());
        let controller = device.map(|device| Box::new(Controller::new(device, request)));
        Self {
            sockets,
            offers,
            flags: request.flags,
            state: Lock::default(),
            seat: Lock::default(),
            controller,
            text: Lock::default(),
        }
    }

    /// A command that changes something needs a file opened for writing; this is checked first.
    fn authorise(&self, identifier: Identifier) -> Result<()> {
        let authority = Request::authority(identifier).ok_or(Error::UnknownCommand)?;
        if authority.is_held_by(self.flags) { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    /// Executes a command, if the file's access and mode allow it.
    pub fn request(&self, request: Request) -> Operation<'_, Vec<u8>> {
        match self.authorise(request.identifier()) {
            Ok(()) => self.execute(request),
            Err(refusal) => Operation::done(Err(refusal)),
        }
    }

    /// Why the last text that was written failed; `None` after one that succeeded.
    #[must_use]
    pub fn last_error(&self) -> Option<LineError> {
        self.text.with(|text| text.clone())?.last_error.with(|last| last.clone())
    }

    pub(super) fn text(&self) -> Arc<Written> {
        self.text.with(|text| Arc::clone(text.get_or_insert_default()))
    }

    /// Executes a text and remembers its error.
    async fn write_text(&self, data: &[u8]) -> Result<usize> {
        let text = self.text();
        let outcome = self.write_lines(data, &text).await;
        let (outcome, error) = match outcome {
            Ok(()) => (Ok(data.len()), None),
            Err(error) => (Err(error.error()), Some(error)),
        };
        text.last_error.with(|last| *last = error);
        outcome
    }

    /// Executes every line of a text, in order; stops at the first that fails. Earlier lines stay
    /// in effect. A text with a line that cannot be parsed is not executed at all.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "holding it over the wait is its purpose: lines of one write stay together"
    )]
    async fn write_lines(
        &self,
        data: &[u8],
        text: &Written,
    ) -> core::result::Result<(), LineError> {
        let lines = text::lines(data)?.filter_map(|(number, line)| {
            self.parse(number, line).map(|parsed| parsed.map(|parsed| (number, line, parsed)))
        });
        let lines: Vec<_> = lines.collect::<core::result::Result<_, _>>()?;
        let _together = text.lines.lock().await;
        for (number, line, parsed) in lines {
            let mut current = Current { text, number, line, is_done: false };
            let outcome = match parsed {
                Parsed::Request(request) => {
                    let answer = self.request(request).await;
                    answer.map(drop).map_err(|error| LineError::refused(number, line, error))
                }
                Parsed::Foreign => {
                    let answer = self.forward_line(line).await;
                    answer.map_err(|error| self.foreign_error(number, line, error))
                }
            };
            current.is_done = true;
            outcome?;
        }
        Ok(())
    }

    /// Parses a line; `None` for an empty one. One that begins with none of our words is the
    /// controller's, if there is one.
    fn parse(&self, number: u32, line: &str) -> Option<core::result::Result<Parsed, LineError>> {
        let numbered = match self.number_zones(line) {
            Ok(numbered) => numbered,
            Err(error) => return Some(Err(LineError::refused(number, line, error))),
        };
        match text::parse(numbered.as_deref().unwrap_or(line)) {
            Ok(request) => request.map(|request| Ok(Parsed::Request(request))),
            Err(Error::InvalidInput) if self.is_foreign(line) => Some(Ok(Parsed::Foreign)),
            Err(error) => Some(Err(LineError::of_syntax(number, line, error))),
        }
    }

    /// The line with numbers for the names of zones, if it may have any.
    fn number_zones(&self, line: &str) -> Result<Option<String>> {
        if line.len() > limits::LINE_BYTES || !line.contains('%') {
            return Ok(None);
        }
        let all = &self.sockets.place.all;
        zone::number(line, |name| all.find(name).map(|interface| interface.index)).map(Some)
    }

    /// The status text, generated at the first read, so that a reader sees a consistent state.
    fn read_status(&self, buffer: &mut [u8]) -> Result<usize> {
        let is_first_read =
            self.state.with(|state| matches!(state, State::Status { text: None, .. }));
        let fresh = if is_first_read { Some(self.status_text()) } else { None };
        self.state.with(|state| {
            let State::Status { text, position } = state else { return Err(Error::InvalidInput) };
            if text.is_none() {
                *text = Some(fresh.unwrap_or_default());
            }
            let rest = text
                .as_deref()
                .map(str::as_bytes)
                .and_then(|bytes| bytes.get(*position..))
                .unwrap_or_default();
            let copied = rest.len().min(buffer.len());
            for (slot, byte) in buffer.iter_mut().zip(rest) {
                *slot = *byte;
            }
            *position += copied;
            // The read after the end of file restarts, so that a file kept open can be read
            // repeatedly.
            if copied == 0 && !buffer.is_empty() {
                (*text, *position) = (None, 0);
            }
            Ok(copied)
        })
    }

    /// Closes the file's socket or watch; resets connections that its listener offered and nobody
    /// claimed.
    fn end(&self) {
        let ended = self.become_state(|_| State::default());
        if let State::Listener(listener) = &ended {
            self.offers.reset_offers_of(listener);
        }
    }

    fn status_text(&self) -> String {
        match &self.sockets.place.interface {
            Some(interface) => super::status::interface(interface),
            None => super::status::system(&self.sockets.place.all),
        }
    }
}

/// What a line that was written to the device is.
enum Parsed {
    /// A command of ours.
    Request(Request),
    /// One of the controller's.
    Foreign,
}

impl OpenDevice for OpenFile {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        if let Some(reader) = self.reader() {
            return reader.read(buffer);
        }
        if let Some(capturer) = self.capturer() {
            return capturer.read(buffer);
        }
        match self.state.with(|state| state.handle()) {
            Some(Handle::Connecting) => Operation::waiting(async move {
                poll_fn(|context| self.poll_connecting(context)).await;
                OpenDevice::read(self, buffer).await
            }),
            Some(socket) => socket.read(buffer, &self.offers),
            None if HAS_TEXT => Operation::done(self.read_status(buffer)),
            None => Operation::done(Err(Error::Unsupported)),
        }
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        if let Some(capturer) = self.capturer() {
            return capturer.write(data);
        }
        let data_to = self.state.with(|state| {
            let takes_data = state.mode().takes_data();
            state.handle().filter(|_| takes_data)
        });
        match data_to {
            Some(socket) => socket.write(data),
            None if HAS_TEXT => Operation::waiting(self.write_text(data)),
            None => Operation::done(Err(Error::Unsupported)),
        }
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        if Request::authority(identifier).is_none() {
            return self.forward(identifier, request);
        }
        if let Err(error) = self.authorise(identifier) {
            return Operation::done(Err(error));
        }
        match Request::decode_built::<Built>(identifier, request) {
            None => Operation::done(Err(Error::UnknownCommand)),
            Some(Err(error)) => Operation::done(Err(error)),
            Some(Ok(request)) => self.execute(request),
        }
    }

    /// Our table, if this build has the commands that list, then the controller's.
    fn commands(&self) -> Vec<CommandEntry> {
        let theirs = self.controller().map(|device| device.commands()).unwrap_or_default();
        let ours = if cfg!(feature = "lists") { TABLE } else { &[] };
        [ours, &theirs].concat()
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        if self.poll_connecting(context).is_pending() {
            return Poll::Pending;
        }
        if let Some(reader) = self.reader() {
            return reader.poll_ready(context, interest);
        }
        if let Some(capturer) = self.capturer() {
            return capturer.poll_ready(context, interest);
        }
        match self.state.with(|state| state.handle()) {
            Some(socket) => socket.poll_ready(context, interest),
            None => Poll::Ready(interest & (Readiness::READABLE | Readiness::WRITABLE)),
        }
    }

    fn revoke(&self) {
        // The interface is gone: the file's socket or watch ends, and every waiting task is woken.
        self.end();
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.end();
    }
}

impl OpenFile {
    /// Ready unless a connect is in progress; wakes when it ends, in whatever way.
    fn poll_connecting(&self, context: &Context<'_>) -> Poll<()> {
        self.state.with(|state| match state {
            State::Connecting(_, waiters) => {
                waiters.register(context.waker());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        })
    }

    /// Changes the state of the file; returns the previous one. Wakes tasks that wait for a connect
    /// to end.
    pub(super) fn become_state(&self, next: impl FnOnce(&mut State) -> State) -> State {
        let mut former = self.state.with(|state| {
            let next = next(state);
            core::mem::replace(state, next)
        });
        if let State::Connecting(_, waiters) = &mut former {
            waiters.wake_all();
        }
        former
    }
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.state.with(|state| state.mode());
        formatter.debug_struct("OpenFile").field("mode", &mode).finish_non_exhaustive()
    }
}
