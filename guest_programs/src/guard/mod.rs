//! The guest's side of a network device: an open file that passes only granted requests.
//!
//! A guest never holds the device itself, only a [`Guard`] around it, so no import can bypass a
//! grant. Typed commands and lines of text meet in [`requests`], which checks the
//! [`policy`](crate::policy) and forwards them. The guard forwards parsed commands only, never
//! text, so the guard and the device cannot parse a line differently. [`lists`] assembles lists
//! over all interfaces from the visible ones, [`datagrams`] checks who may send and get one. Data
//! passes through here and is charged to the bandwidth limit.
//!
//! The guard must know whether a write is data or commands. It can: only a command changes the mode
//! of a file, every command passes through here, and the guard computes the next [`Mode`] with the
//! same state machine as the device. A command is decoded here, once, and forwarded decoded.

mod datagrams;
pub(crate) mod lists;
mod names;
mod requests;
mod streams;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use devnet_network::command::line_error::{LastError, LineError};
use devnet_network::command::mode::Mode;
use devnet_network::command::socket::{Offer, SocketKind};
use devnet_network::command::{Request, text, wireless, wireless_text};
use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::{
    Error, File, Identifier, Lock, OpenDevice, OpenFlags, Operation, Readiness, Result, encode,
};

use crate::account::{Account, Direction, Reservation};
use crate::devices::Devices;
use crate::limits;
use crate::policy::Policy;

/// The guarded device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DeviceKind {
    /// The device of one interface.
    Interface,
    /// The device of all sockets.
    Sockets,
}

/// The guard's state of the open file.
#[derive(Default)]
struct State {
    mode: Mode,
    /// The local port that a stream socket requested.
    port: u16,
    /// A connected datagram socket receives only from its peer.
    is_connected: bool,
    /// A datagram socket with a granted local port receives from every permitted source.
    is_reachable: bool,
    reservation: Option<Arc<Reservation>>,
    /// Peers that sent a datagram to a reachable socket, latest last: the guest may reply to them.
    known_peers: VecDeque<SocketAddr>,
    /// Why the last text failed.
    last_error: Option<Box<LineError>>,
    /// The timer that wakes a task waiting for bandwidth.
    sleep: Option<BoxFuture<'static, ()>>,
}

/// A guest's open file of a network device.
pub(crate) struct Guard {
    inner: File,
    place: DeviceKind,
    flags: OpenFlags,
    devices: Arc<Devices>,
    state: Lock<State>,
}

impl Guard {
    pub(crate) fn new(
        inner: File,
        place: DeviceKind,
        flags: OpenFlags,
        devices: Arc<Devices>,
    ) -> Self {
        Self { inner, place, flags, devices, state: Lock::default() }
    }

    fn policy(&self) -> &Policy {
        &self.devices.policy
    }

    fn account(&self) -> &Arc<Account> {
        &self.devices.account
    }

    fn mode(&self) -> Mode {
        self.state.with(|state| state.mode)
    }

    /// True if a write is data, false if it is commands.
    pub(crate) fn is_socket_with_data(&self) -> bool {
        self.mode().takes_data()
    }

    /// True for a datagram socket.
    pub(crate) fn is_datagram(&self) -> bool {
        matches!(self.mode(), Mode::Datagram(_))
    }

    /// Why the last text failed: one of lines, which the device never saw, or else a configuration.
    async fn last_error(&self, request: Request) -> Result<Vec<u8>> {
        let last = self.state.with(|state| state.last_error.as_deref().map(LastError::from));
        match last {
            None => self.forward(request).await,
            last => encode(&last),
        }
    }

    /// Charges a configuration as so many lines.
    fn charge_lines(&self, request: &Request) {
        if let Request::ApplyConfiguration(new) | Request::CheckConfiguration(new) = request {
            let lines = u64::try_from(new.text.lines().count()).unwrap_or(u64::MAX);
            self.account().work(limits::LINE_FUEL.saturating_mul(lines));
        }
    }

    /// Runs a text and remembers its error.
    async fn write_text(&self, data: &[u8]) -> Result<usize> {
        let (outcome, error) = match self.write_lines(data).await {
            Ok(()) => (Ok(data.len()), None),
            Err(error) => (Err(error.error()), Some(Box::new(error))),
        };
        self.state.with(|state| state.last_error = error);
        outcome
    }

    /// Runs the lines of a text in order, each parsed into its typed command; stops at the first
    /// that fails.
    async fn write_lines(&self, data: &[u8]) -> core::result::Result<(), LineError> {
        let mut requests = Vec::new();
        for (index, (number, line)) in text::lines(data)?.enumerate() {
            self.account().work(limits::LINE_FUEL);
            pause(index).await;
            let request = match wireless_text::parse(line) {
                Some(Ok(request)) => Ok(Some(Line::Radio(request))),
                Some(Err(error)) => Err(LineError::refused(number, line, error)),
                None => text::parse_line(number, line).map(|line| line.map(Line::Stack)),
            };
            if request.is_err() {
                self.account().work(limits::LINE_ERROR_FUEL);
            }
            requests.extend(request?.map(|request| (number, line, request)));
        }
        for (index, (number, line, request)) in requests.into_iter().enumerate() {
            pause(index).await;
            let outcome = match request {
                Line::Stack(request) => match self.authorise(request.identifier()) {
                    Ok(()) => self.request(request).await,
                    Err(refusal) => Err(refusal),
                },
                Line::Radio(request) => self.request_of_radio(&request).await,
            };
            outcome.map_err(|error| LineError::refused(number, line, error))?;
        }
        Ok(())
    }

    /// Forwards a command that the controller handles, which checks the open flags itself.
    async fn request_of_radio(&self, request: &wireless::Request) -> Result<Vec<u8>> {
        self.policy().permit_command(request.identifier())?;
        self.inner.control_raw(request.identifier(), &request.encode()?).await
    }

    /// A command that changes state needs a file opened for writing. This check comes first.
    fn authorise(&self, identifier: Identifier) -> Result<()> {
        let is_held =
            Request::authority(identifier).is_none_or(|authority| authority.is_held_by(self.flags));
        if is_held { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    /// Reads data within the bandwidth limit.
    fn read_data<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        let allowed = self.account().allowance(Direction::Receive, buffer.len());
        if allowed > 0 || buffer.is_empty() {
            // A datagram is never split: it overdraws the bucket instead.
            let whole = if self.mode() == Mode::Stream { allowed } else { buffer.len() };
            match self.inner.try_read(buffer.get_mut(..whole).unwrap_or_default()) {
                Err(Error::WouldBlock) => {}
                outcome => return Operation::done(self.charged(Direction::Receive, outcome)),
            }
        }
        Operation::waiting(async move {
            self.account().refill(Direction::Receive).await;
            let allowed = self.account().allowance(Direction::Receive, buffer.len());
            let whole = if self.mode() == Mode::Stream { allowed } else { buffer.len() };
            let outcome = self.inner.read(buffer.get_mut(..whole).unwrap_or_default()).await;
            self.charged(Direction::Receive, outcome)
        })
    }

    /// Writes data within the bandwidth limit.
    fn write_data<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        let whole = |allowed: usize| if self.mode() == Mode::Stream { allowed } else { data.len() };
        let allowed = self.account().allowance(Direction::Send, data.len().max(1));
        if allowed > 0 {
            match self.inner.try_write(data.get(..whole(allowed)).unwrap_or(data)) {
                Err(Error::WouldBlock) => {}
                outcome => return Operation::done(self.charged(Direction::Send, outcome)),
            }
        }
        Operation::waiting(async move {
            self.account().refill(Direction::Send).await;
            let allowed = self.account().allowance(Direction::Send, data.len());
            let outcome = self.inner.write(data.get(..whole(allowed)).unwrap_or(data)).await;
            self.charged(Direction::Send, outcome)
        })
    }

    fn charged(&self, direction: Direction, outcome: Result<usize>) -> Result<usize> {
        if let Ok(bytes) = outcome {
            self.account().charge(direction, bytes);
        }
        outcome
    }

    /// Reads a datagram from a permitted source.
    fn read_datagram<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(async move {
            let datagram = self.receive().await?;
            let count = datagram.data.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(&datagram.data) {
                *to = *from;
            }
            Ok(count)
        })
    }

    /// Reads one line for the next connection, in the device's format.
    fn read_offer<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(async move {
            if buffer.len() < Offer::LINE_BYTES {
                return Err(Error::InvalidInput);
            }
            Ok(self.next_connection().await?.write_line(buffer))
        })
    }

    /// Withholds readiness while the bucket of that direction is empty.
    fn without_bandwidth(&self, context: &mut Context<'_>, ready: Readiness) -> Poll<Readiness> {
        let mut held = Readiness::empty();
        held.set(Readiness::READABLE, self.account().allowance(Direction::Receive, 1) == 0);
        held.set(Readiness::WRITABLE, self.account().allowance(Direction::Send, 1) == 0);
        let left = ready - held;
        if !left.is_empty() || (ready & held).is_empty() {
            return Poll::Ready(left);
        }
        let direction =
            if ready.contains(Readiness::READABLE) { Direction::Receive } else { Direction::Send };
        let mut sleep = self.account().clock().sleep_until(self.account().refilled(direction));
        if sleep.as_mut().poll(context).is_ready() {
            return Poll::Ready(ready);
        }
        let former = self.state.with(|state| state.sleep.replace(sleep));
        drop(former);
        Poll::Pending
    }
}

impl OpenDevice for Guard {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        match self.mode() {
            Mode::Status if self.place == DeviceKind::Sockets && !self.devices.sees_all() => {
                Operation::done(Err(Error::PermissionDenied))
            }
            Mode::Listener => self.read_offer(buffer),
            Mode::Datagram(SocketKind::Udp | SocketKind::Icmp)
                if !self.state.with(|state| state.is_connected) =>
            {
                self.read_datagram(buffer)
            }
            Mode::Status
            | Mode::Events
            | Mode::Capture
            | Mode::Unconnected { .. }
            | Mode::Connecting
            | Mode::Stream
            | Mode::Datagram(_) => self.read_data(buffer),
        }
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        if self.is_socket_with_data() {
            self.write_data(data)
        } else {
            Operation::waiting(self.write_text(data))
        }
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        if Request::authority(identifier).is_none() {
            if let Err(error) = self.policy().permit_command(identifier) {
                return Operation::done(Err(error));
            }
            // The controller checks the open flags itself.
            return Operation::waiting(self.inner.control_raw(identifier, request));
        }
        if let Err(error) = self.authorise(identifier) {
            return Operation::done(Err(error));
        }
        match Request::decode(identifier, request) {
            None => Operation::done(Err(Error::UnknownCommand)),
            Some(Err(error)) => Operation::done(Err(error)),
            Some(Ok(request)) => self.request(request),
        }
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        match self.inner.poll_ready(context, interest) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(_)) => Poll::Ready(Readiness::ERROR | Readiness::HANG_UP),
            Poll::Ready(Ok(ready)) if self.is_socket_with_data() => {
                self.without_bandwidth(context, ready)
            }
            Poll::Ready(Ok(ready)) => Poll::Ready(ready),
        }
    }
}

/// A line of text.
enum Line {
    /// A command of the stack.
    Stack(Request),
    /// A command of a radio.
    Radio(wireless::Request),
}

/// Lets other tasks run after some lines.
async fn pause(index: usize) {
    if index % limits::LINES == limits::LINES - 1 {
        futures_lite::future::yield_now().await;
    }
}

/// Compares two remote addresses, IPv4-mapped forms included.
pub(super) fn is_same_address(one: SocketAddr, other: SocketAddr) -> bool {
    let canonical = |address: IpAddr| address.to_canonical();
    canonical(one.ip()) == canonical(other.ip()) && one.port() == other.port()
}
