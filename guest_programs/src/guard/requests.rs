//! Every command of a guest: it is checked, forwarded, and recorded if it had an effect.
//!
//! Most commands are forwarded or refused at once. Commands that name a remote address, reserve
//! resources in the account or change the mode of the file run in [`Guard::handle`].

use alloc::vec::Vec;
use core::net::SocketAddr;

use network::OpenFile;
use network::command::mode::Mode;
use network::command::socket::{
    Datagram, Offer, OutgoingDatagram, Peeked, SocketKind, SocketOption,
};
use network::command::{
    Accept, FindRoute, NextConnection, Peek, ReceiveFrom, Request, Resolve, SetOption,
};
use virtual_file_system::{
    ControlCommand, Error, OpenFlags, Operation, Result, decode_response, encode,
};

use super::{DeviceKind, Guard, State, is_same_address};
use crate::account::Direction;
use crate::grants::{Access, Transport};
use crate::limits;

impl Guard {
    /// Checks a command and runs it.
    pub(super) fn request(&self, request: Request) -> Operation<'_, Vec<u8>> {
        match self.check(&request) {
            Err(error) => Operation::done(Err(error)),
            Ok(Action::Forward) => Operation::done(self.forward_now(request)),
            Ok(Action::Handle) => Operation::waiting(self.handle(request)),
        }
    }

    /// Forwards a command to the device; the mode follows if it succeeds.
    async fn forward(&self, request: Request) -> Result<Vec<u8>> {
        let before = self.mode();
        let next = before.after(&request);
        let answer = self.inner.call(|device: &OpenFile| device.request(request)).await?;
        self.follow(before, next);
        Ok(answer)
    }

    /// As [`forward`](Self::forward), for a command that does not block.
    fn forward_now(&self, request: Request) -> Result<Vec<u8>> {
        let before = self.mode();
        let next = before.after(&request);
        let answer = self.inner.try_call(|device: &OpenFile| device.request(request))?;
        self.follow(before, next);
        Ok(answer)
    }

    /// Forwards a command to the device and decodes the response.
    async fn ask<C: ControlCommand>(&self, request: Request) -> Result<C::Response> {
        decode_response(&self.forward(request).await?)
    }

    /// Decides what to do with a command, without side effects.
    fn check(&self, request: &Request) -> Result<Action> {
        let policy = self.policy();
        policy.permit_command(request.identifier())?;
        match request {
            // Commands that block, name a remote address, or change the mode.
            Request::CreateSocket(_)
            | Request::Bind(_)
            | Request::Connect(_)
            | Request::Listen(_)
            | Request::Accept(_)
            | Request::NextConnection(())
            | Request::SendTo(_)
            | Request::ReceiveFrom(())
            | Request::Peek(_)
            | Request::Resolve(_)
            | Request::AwaitDhcp(_) => Ok(Action::Handle),
            Request::SetOption(option) => match option {
                SocketOption::ReceiveBuffer(_) | SocketOption::SendBuffer(_) => Ok(Action::Handle),
                SocketOption::BindToDevice(name) | SocketOption::MulticastInterface(name) => {
                    policy.permit_interface(name).map(|()| Action::Forward)
                }
                _ => Ok(Action::Forward),
            },
            Request::JoinGroup(membership) => {
                policy.permit_interface(&membership.interface)?;
                policy.permit_group(membership.group).map(|()| Action::Forward)
            }
            Request::GetSocket(())
            | Request::Shutdown(_)
            | Request::GetOptions(())
            | Request::GetFurtherOptions(())
            | Request::TakeError(())
            | Request::LeaveGroup(_)
            | Request::ReceiveError(())
            | Request::GetStreamStatistics(()) => Ok(Action::Forward),
            // All other commands are about interfaces. For an interface's own device, opening it
            // was the check.
            _ if self.place == DeviceKind::Interface => Ok(Action::Forward),
            Request::AddRoute(new) => {
                policy.permit_change(new.interface.as_deref()).map(|()| Action::Forward)
            }
            Request::RemoveRoute(selector) => {
                policy.permit_change(selector.interface.as_deref()).map(|()| Action::Forward)
            }
            Request::ListInterfaces(())
            | Request::ListAddresses(())
            | Request::ListRoutes(())
            | Request::ListRoutePreferences(())
            | Request::ListDnsServers(())
            | Request::ListNeighbors(())
            | Request::ListSockets(())
            | Request::ListGroups(())
            | Request::FindRoute(_)
                if !self.devices.sees_all() =>
            {
                Ok(Action::Handle)
            }
            // This covers future commands too: a command over all interfaces requires a grant of
            // all of them.
            other => match (
                self.policy().grants.all_interfaces(),
                Request::authority(other.identifier()),
            ) {
                (Some(Access::Write), _)
                | (Some(_), Some(virtual_file_system::Authority::Read)) => Ok(Action::Forward),
                _ => Err(Error::PermissionDenied),
            },
        }
    }

    /// Runs a command that blocks or that the guard records.
    async fn handle(&self, request: Request) -> Result<Vec<u8>> {
        match request {
            Request::CreateSocket(kind) => self.create_socket(kind).await,
            Request::Bind(local) => self.bind(local).await,
            Request::Connect(remote) => self.connect(remote).await,
            Request::Listen(backlog) => self.listen(backlog).await,
            Request::NextConnection(()) => reply(self.next_connection().await),
            Request::Accept(_) => {
                let reservation = self.account().reserve_accepted()?;
                let status = self.forward(request).await?;
                self.note(|state| state.reservation = Some(reservation));
                Ok(status)
            }
            Request::SendTo(datagram) => self.send_to(datagram).await,
            Request::ReceiveFrom(()) => reply(self.receive().await),
            Request::Peek(most) => reply(self.peek(most).await),
            Request::Resolve(question) => {
                self.policy().permit_question(&question, &self.inner).await?;
                let answer = self.ask::<Resolve>(Request::Resolve(question.clone())).await?;
                self.policy().learn(&question, &answer);
                reply(Ok(answer))
            }
            Request::SetOption(option) => self.set_buffer(option).await,
            Request::FindRoute(_) => {
                let choice = self.ask::<FindRoute>(request).await?;
                let is_seen = self.policy().grants.interface(&choice.interface).is_some();
                reply(if is_seen { Ok(choice) } else { Err(Error::NetworkUnreachable) })
            }
            // It blocks, and is forwarded otherwise unchanged.
            Request::AwaitDhcp(_) => self.forward(request).await,
            list => self.list(&list).await,
        }
    }

    fn note(&self, change: impl FnOnce(&mut State)) {
        self.state.with(change);
    }

    /// Applies the mode that follows from a command. A command that left the mode unchanged is
    /// ignored: the mode may have changed while the command waited.
    fn follow(&self, before: Mode, next: Result<Mode>) {
        if let Ok(next) = next
            && next != before
        {
            self.note(|state| state.mode = next);
        }
    }

    async fn bind(&self, local: SocketAddr) -> Result<Vec<u8>> {
        let transport = match self.mode() {
            Mode::Unconnected { .. } => Some(Transport::Tcp),
            Mode::Datagram(SocketKind::Udp) => Some(Transport::Udp),
            _ => None,
        };
        if let Some(transport) = transport {
            self.policy().permit_bind(transport, local.port())?;
        }
        let address = self.forward(Request::Bind(local)).await?;
        let may_be_asked =
            transport.is_some_and(|transport| self.policy().grants.local(transport, local.port()));
        self.note(|state| match state.mode {
            Mode::Datagram(_) => state.is_reachable = may_be_asked,
            _ => state.port = local.port(),
        });
        Ok(address)
    }

    async fn connect(&self, remote: SocketAddr) -> Result<Vec<u8>> {
        let kind = match self.mode() {
            Mode::Datagram(kind) => kind,
            _ => SocketKind::Tcp,
        };
        // A guest with a grant for raw sockets may send anything anyway.
        if !matches!(kind, SocketKind::Raw(_) | SocketKind::Raw6(_)) {
            self.policy().permit_remote(remote, kind == SocketKind::Icmp, &self.inner).await?;
        }
        let local = self.forward(Request::Connect(remote)).await?;
        self.note(|state| state.is_connected = true);
        Ok(local)
    }

    async fn listen(&self, backlog: u32) -> Result<Vec<u8>> {
        let port = self.state.with(|state| state.port);
        if matches!(self.mode(), Mode::Unconnected { .. })
            && !self.policy().grants.local(Transport::Tcp, port)
        {
            return Err(Error::AccessDenied);
        }
        // Connections in a backlog use sockets that the guest has not reserved yet.
        let most = u32::try_from(self.account().limits().sockets).unwrap_or(u32::MAX);
        let answer = self.forward(Request::Listen(backlog.min(most))).await?;
        self.note(|state| {
            state.reservation.iter().for_each(|reservation| reservation.set_listener())
        });
        Ok(answer)
    }

    async fn create_socket(&self, kind: SocketKind) -> Result<Vec<u8>> {
        let sees_all = self.place == DeviceKind::Interface || self.devices.sees_all();
        self.policy().permit_socket(kind, sees_all)?;
        let mut reservation = self.account().reserve()?;
        if kind != SocketKind::Tcp {
            // Datagrams are sent at once and not queued.
            reservation.resize(Direction::Send, 0)?;
        }
        let answer = self.forward(Request::CreateSocket(kind)).await?;
        self.note(|state| state.reservation = Some(reservation));
        let bytes = limits::SOCKET_BUFFER_BYTES as u32;
        self.forward(Request::SetOption(SocketOption::ReceiveBuffer(bytes))).await?;
        if kind == SocketKind::Tcp {
            self.forward(Request::SetOption(SocketOption::SendBuffer(bytes))).await?;
        }
        Ok(answer)
    }

    /// Sets a buffer size, within the account's limit.
    async fn set_buffer(&self, option: SocketOption) -> Result<Vec<u8>> {
        let (direction, bytes) = match option {
            SocketOption::ReceiveBuffer(bytes) => (Direction::Receive, bytes),
            SocketOption::SendBuffer(bytes) => (Direction::Send, bytes),
            _ => return Err(Error::InvalidInput),
        };
        let charge = |bytes| {
            self.state.with(|state| {
                state.reservation.as_mut().ok_or(Error::InvalidInput)?.resize(direction, bytes)
            })
        };
        let former = charge(bytes as usize)?;
        let answer = match self.forward(Request::SetOption(option)).await {
            Ok(answer) => answer,
            Err(refused) => {
                let _ = charge(former);
                return Err(refused);
            }
        };
        self.note(|state| {
            if state.mode == Mode::Listener {
                state.reservation.iter().for_each(|reservation| reservation.set_listener());
            }
        });
        Ok(answer)
    }

    /// Returns the next connection from a permitted source and resets others.
    pub(super) async fn next_connection(&self) -> Result<Offer> {
        // Without room the connection stays in the backlog, as with accept(2).
        drop(self.account().reserve_accepted()?);
        loop {
            let offer = self.ask::<NextConnection>(Request::NextConnection(())).await?;
            if self.policy().grants.reachable_from(offer.remote.ip()) {
                return Ok(offer);
            }
            // Accepted and dropped at once: the unknown peer receives a reset.
            let file = self.devices.open_sockets(OpenFlags::READ | OpenFlags::WRITE)?;
            if file.control::<Accept>(&offer.token).await.is_ok() {
                file.control::<SetOption>(&SocketOption::Linger(Some(0))).await?;
            }
        }
    }

    async fn send_to(&self, datagram: OutgoingDatagram) -> Result<Vec<u8>> {
        let (is_icmp, is_raw) = match self.mode() {
            Mode::Datagram(kind) => {
                (kind == SocketKind::Icmp, matches!(kind, SocketKind::Raw(_) | SocketKind::Raw6(_)))
            }
            _ => (false, false),
        };
        let is_answer = self.state.with(|state| {
            state.known_peers.iter().any(|known| is_same_address(*known, datagram.remote))
        });
        if !is_answer && !is_raw {
            self.policy().permit_remote(datagram.remote, is_icmp, &self.inner).await?;
        }
        self.account().refill(Direction::Send).await;
        let bytes = datagram.data.len();
        let answer = self.forward(Request::SendTo(datagram)).await?;
        self.account().charge(Direction::Send, bytes);
        Ok(answer)
    }

    /// Returns the next datagram from a permitted source and discards others.
    pub(super) async fn receive(&self) -> Result<Datagram> {
        self.account().refill(Direction::Receive).await;
        let mut discarded = 0;
        loop {
            let datagram = self.ask::<ReceiveFrom>(Request::ReceiveFrom(())).await?;
            if self.permits_source(datagram.remote) {
                self.account().charge(Direction::Receive, datagram.data.len());
                return Ok(datagram);
            }
            count_discarded(&mut discarded).await;
        }
    }

    /// Peeks at what the next read returns. Datagrams from unknown peers are discarded first; the
    /// guest is charged when it reads the data.
    async fn peek(&self, most: u32) -> Result<Peeked> {
        self.account().refill(Direction::Receive).await;
        let mut discarded = 0;
        loop {
            let peeked = self.ask::<Peek>(Request::Peek(most)).await?;
            if !self.is_datagram() || self.permits_source(peeked.remote) {
                return Ok(peeked);
            }
            match self.forward_now(Request::ReceiveFrom(())) {
                // Another handle may have read it meanwhile.
                Ok(_) | Err(Error::WouldBlock) => {}
                Err(why) => return Err(why),
            }
            count_discarded(&mut discarded).await;
        }
    }

    fn permits_source(&self, remote: SocketAddr) -> bool {
        let (mode, is_reachable) = self.state.with(|state| (state.mode, state.is_reachable));
        let Mode::Datagram(kind) = mode else { return false };
        match kind {
            SocketKind::Raw(_) | SocketKind::Raw6(_) => true,
            SocketKind::Icmp => self.policy().is_granted(remote.ip(), None),
            SocketKind::Tcp | SocketKind::Udp => {
                if is_reachable && self.policy().grants.reachable_from(remote.ip()) {
                    self.remember(remote);
                    return true;
                }
                self.policy().is_granted(remote.ip(), Some(remote.port()))
            }
        }
    }

    fn remember(&self, remote: SocketAddr) {
        self.note(|state| {
            if state.known_peers.back().is_some_and(|last| is_same_address(*last, remote)) {
                return;
            }
            state.known_peers.retain(|known| !is_same_address(*known, remote));
            if state.known_peers.len() >= limits::KNOWN_PEERS {
                state.known_peers.pop_front();
            }
            state.known_peers.push_back(remote);
        });
    }
}

/// What to do with a permitted command.
enum Action {
    /// The device answers it at once.
    Forward,
    /// It blocks, or the guard records its effect.
    Handle,
}

/// Counts a discarded datagram and yields now and then.
async fn count_discarded(discarded: &mut usize) {
    *discarded += 1;
    if discarded.is_multiple_of(limits::UNKNOWN_PEER_DATAGRAMS) {
        futures_lite::future::yield_now().await;
    }
}

fn reply<T: serde::Serialize>(outcome: Result<T>) -> Result<Vec<u8>> {
    outcome.and_then(|answer| encode(&answer))
}
