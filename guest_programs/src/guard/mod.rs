//! The guest's side of a network device: an open file that lets through what was granted.
//!
//! A guest never holds the device itself, only a [`Guard`] around it, so there is no import, old or
//! new, that could go around a grant. Typed commands and lines of text meet in [`requests`], which
//! asks the [`policy`](crate::policy) and hands on; the guard never hands text on, so its reading
//! of a line and the device's cannot differ. Lists over all interfaces are put together in
//! [`lists`] from those that the guest sees. Data passes here, past the bandwidth limit.
//!
//! The guard must know when a write is data and when it is commands. It can: what the file became,
//! it became by a command that came by here, and the [`Mode`] that follows from a command is the
//! same machine's as the device's. A command is decoded here, once, and handed on decoded.

mod lists;
mod requests;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};

use network::command::mode::Mode;
use network::command::socket::{Offer, SocketKind};
use network::command::{Request, text};
use network::platform::BoxFuture;
use virtual_file_system::{
    Error, File, Identifier, Lock, OpenDevice, OpenFlags, Operation, Readiness, Result,
};

use crate::account::{Account, Direction, Seat};
use crate::devices::Devices;
use crate::policy::Policy;

/// Which device is guarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// One interface.
    Interface,
    /// What belongs to all of them.
    Sockets,
}

/// What the guard knows of the file beyond the device.
#[derive(Default)]
struct State {
    mode: Mode,
    /// The port that a stream socket asked for.
    port: u16,
    /// A datagram socket hears its peer only.
    is_connected: bool,
    /// A datagram socket may be asked by everybody who may reach its port.
    is_reachable: bool,
    seat: Option<Seat>,
    /// Who sent something to a reachable datagram socket, the latest last: they may be answered.
    correspondents: VecDeque<SocketAddr>,
    /// Wakes who waits for bandwidth.
    sleep: Option<BoxFuture<'static, ()>>,
}

/// One open file of a network device, as a guest has it.
pub(crate) struct Guard {
    inner: File,
    place: Place,
    flags: OpenFlags,
    devices: Arc<Devices>,
    state: Lock<State>,
}

impl Guard {
    pub(crate) fn new(inner: File, place: Place, flags: OpenFlags, devices: Arc<Devices>) -> Self {
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

    /// True when a write is data; commands otherwise.
    pub(crate) fn is_socket_with_data(&self) -> bool {
        self.mode().takes_data()
    }

    /// True for a datagram socket.
    pub(crate) fn is_datagram(&self) -> bool {
        matches!(self.mode(), Mode::Datagram(_))
    }

    /// Carries out the lines of a text, in order, each as the typed command that it means; stops at
    /// the first that fails.
    async fn write_lines(&self, data: &[u8]) -> Result<usize> {
        for request in text::parse_lines(data)? {
            self.authorise(request.identifier())?;
            self.request(request).await?;
        }
        Ok(data.len())
    }

    /// A changing command needs a file that was opened for writing, before anything else is looked
    /// at.
    fn authorise(&self, identifier: Identifier) -> Result<()> {
        let is_held =
            Request::authority(identifier).is_none_or(|authority| authority.is_held_by(self.flags));
        if is_held { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    /// Reads data as the bandwidth allows.
    fn read_data<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        let allowed = self.account().allowance(Direction::Receive, buffer.len());
        if allowed > 0 || buffer.is_empty() {
            // A datagram is not cut by the bandwidth: the bucket is overdrawn instead.
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

    /// Writes data as the bandwidth allows.
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

    /// Reads a datagram from somebody who may send one.
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

    /// One line for the next connection, as the device has it.
    fn read_offer<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(async move {
            if buffer.len() < Offer::LINE_BYTES {
                return Err(Error::InvalidInput);
            }
            Ok(self.next_connection().await?.write_line(buffer))
        })
    }

    /// Readiness is taken back while the bucket of that direction is empty.
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
            Mode::Status if self.place == Place::Sockets && !self.devices.sees_all() => {
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
            Operation::waiting(self.write_lines(data))
        }
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        if Request::authority(identifier).is_none() {
            if let Err(error) = self.policy().permit_command(identifier) {
                return Operation::done(Err(error));
            }
            // The controller sees what the file was opened for, and answers for itself.
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

/// The address of a remote end, for comparing.
pub(super) fn same_end(one: SocketAddr, other: SocketAddr) -> bool {
    let canonical = |address: IpAddr| address.to_canonical();
    canonical(one.ip()) == canonical(other.ip()) && one.port() == other.port()
}
