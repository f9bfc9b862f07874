//! Every command of a guest, judged before it is handed on, and noted when it had an effect.
//!
//! Most commands either go through or do not, at once. Those that name a remote end, take a place
//! in the account or change what the file is are carried out in [`Guard::handle`].

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

use super::{Guard, Place, State, same_end};
use crate::account::Direction;
use crate::grants::{Access, Transport};
use crate::limits;

impl Guard {
    /// Judges a command and carries it out.
    pub(super) fn request(&self, request: Request) -> Operation<'_, Vec<u8>> {
        match self.judge(&request) {
            Err(error) => Operation::done(Err(error)),
            Ok(Verdict::HandOn) => Operation::done(self.hand_on_now(request)),
            Ok(Verdict::Handle) => Operation::waiting(self.handle(request)),
        }
    }

    /// Gives a command to the device; the mode follows when it succeeds.
    async fn hand_on(&self, request: Request) -> Result<Vec<u8>> {
        let before = self.mode();
        let next = before.after(&request);
        let answer = self.inner.call(|device: &OpenFile| device.request(request)).await?;
        self.follow(before, next);
        Ok(answer)
    }

    /// As [`hand_on`](Self::hand_on), if that does not have to wait.
    fn hand_on_now(&self, request: Request) -> Result<Vec<u8>> {
        let before = self.mode();
        let next = before.after(&request);
        let answer = self.inner.try_call(|device: &OpenFile| device.request(request))?;
        self.follow(before, next);
        Ok(answer)
    }

    /// Gives a command to the device and reads the answer.
    async fn ask<C: ControlCommand>(&self, request: Request) -> Result<C::Response> {
        decode_response(&self.hand_on(request).await?)
    }

    /// What becomes of a command, without doing anything yet.
    fn judge(&self, request: &Request) -> Result<Verdict> {
        let policy = self.policy();
        policy.permit_command(request.identifier())?;
        match request {
            // What waits, has a remote end, or changes what the file is.
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
            | Request::AwaitDhcp(_) => Ok(Verdict::Handle),
            Request::SetOption(option) => match option {
                SocketOption::ReceiveBuffer(_) | SocketOption::SendBuffer(_) => Ok(Verdict::Handle),
                SocketOption::BindToDevice(name) | SocketOption::MulticastInterface(name) => {
                    policy.permit_interface(name).map(|()| Verdict::HandOn)
                }
                _ => Ok(Verdict::HandOn),
            },
            Request::JoinGroup(membership) => {
                policy.permit_interface(&membership.interface)?;
                policy.permit_group(membership.group).map(|()| Verdict::HandOn)
            }
            Request::GetSocket(())
            | Request::Shutdown(_)
            | Request::GetOptions(())
            | Request::TakeError(())
            | Request::LeaveGroup(_)
            | Request::ReceiveError(())
            | Request::GetStreamStatistics(()) => Ok(Verdict::HandOn),
            // Everything else is about interfaces. On an interface's own device opening it was the
            // question.
            _ if self.place == Place::Interface => Ok(Verdict::HandOn),
            Request::AddRoute(new) => {
                policy.permit_change(new.interface.as_deref()).map(|()| Verdict::HandOn)
            }
            Request::RemoveRoute(selector) => {
                policy.permit_change(selector.interface.as_deref()).map(|()| Verdict::HandOn)
            }
            Request::ListInterfaces(())
            | Request::ListAddresses(())
            | Request::ListRoutes(())
            | Request::ListDnsServers(())
            | Request::ListNeighbors(())
            | Request::ListSockets(())
            | Request::ListGroups(())
            | Request::FindRoute(_)
                if !self.devices.sees_all() =>
            {
                Ok(Verdict::Handle)
            }
            // Also commands that are yet to come: over all interfaces, only for who was granted all
            // of them.
            other => match (
                self.policy().grants.all_interfaces(),
                Request::authority(other.identifier()),
            ) {
                (Some(Access::Write), _)
                | (Some(_), Some(virtual_file_system::Authority::Read)) => Ok(Verdict::HandOn),
                _ => Err(Error::PermissionDenied),
            },
        }
    }

    /// Carries a command out that needs time or notes.
    async fn handle(&self, request: Request) -> Result<Vec<u8>> {
        match request {
            Request::CreateSocket(kind) => self.create_socket(kind).await,
            Request::Bind(local) => self.bind(local).await,
            Request::Connect(remote) => self.connect(remote).await,
            Request::Listen(backlog) => self.listen(backlog).await,
            Request::NextConnection(()) => reply(self.next_connection().await),
            Request::Accept(_) => {
                let seat = self.account().seat_of_accepted()?;
                let status = self.hand_on(request).await?;
                self.note(|state| state.seat = Some(seat));
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
            // It waits, and otherwise goes through.
            Request::AwaitDhcp(_) => self.hand_on(request).await,
            list => self.list(&list).await,
        }
    }

    fn note(&self, change: impl FnOnce(&mut State)) {
        self.state.with(change);
    }

    /// Takes over the mode that a command led to. What left the mode as it was says nothing: the
    /// file may have become something else while the command waited.
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
        let address = self.hand_on(Request::Bind(local)).await?;
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
        // Whoever was granted raw sockets may send anything anyway.
        if !matches!(kind, SocketKind::Raw(_) | SocketKind::Raw6(_)) {
            self.policy().permit_remote(remote, kind == SocketKind::Icmp, &self.inner).await?;
        }
        let local = self.hand_on(Request::Connect(remote)).await?;
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
        // What waits in a backlog takes places that the guest does not have yet.
        let most = u32::try_from(self.account().limits().sockets).unwrap_or(u32::MAX);
        let answer = self.hand_on(Request::Listen(backlog.min(most))).await?;
        self.note(|state| state.seat.iter().for_each(|seat| seat.listens()));
        Ok(answer)
    }

    async fn create_socket(&self, kind: SocketKind) -> Result<Vec<u8>> {
        let sees_all = self.place == Place::Interface || self.devices.sees_all();
        self.policy().permit_socket(kind, sees_all)?;
        let mut seat = self.account().seat()?;
        if kind != SocketKind::Tcp {
            // Datagrams leave at once; nothing is kept for them.
            seat.resize(Direction::Send, 0)?;
        }
        let answer = self.hand_on(Request::CreateSocket(kind)).await?;
        self.note(|state| state.seat = Some(seat));
        let bytes = limits::SOCKET_BUFFER_BYTES as u32;
        self.hand_on(Request::SetOption(SocketOption::ReceiveBuffer(bytes))).await?;
        if kind == SocketKind::Tcp {
            self.hand_on(Request::SetOption(SocketOption::SendBuffer(bytes))).await?;
        }
        Ok(answer)
    }

    /// Sets a buffer's size, if the account has so much left.
    async fn set_buffer(&self, option: SocketOption) -> Result<Vec<u8>> {
        let (direction, bytes) = match option {
            SocketOption::ReceiveBuffer(bytes) => (Direction::Receive, bytes),
            SocketOption::SendBuffer(bytes) => (Direction::Send, bytes),
            _ => return Err(Error::InvalidInput),
        };
        let charge = |bytes| {
            self.state.with(|state| {
                state.seat.as_mut().ok_or(Error::InvalidInput)?.resize(direction, bytes)
            })
        };
        let former = charge(bytes as usize)?;
        let answer = match self.hand_on(Request::SetOption(option)).await {
            Ok(answer) => answer,
            Err(refused) => {
                let _ = charge(former);
                return Err(refused);
            }
        };
        self.note(|state| {
            if state.mode == Mode::Listener {
                state.seat.iter().for_each(|seat| seat.listens());
            }
        });
        Ok(answer)
    }

    /// The next connection from somebody who may reach the guest; others are ended.
    pub(super) async fn next_connection(&self) -> Result<Offer> {
        // A connection that could not be taken stays in the backlog, as with accept(2).
        drop(self.account().seat_of_accepted()?);
        loop {
            let offer = self.ask::<NextConnection>(Request::NextConnection(())).await?;
            if self.policy().grants.reachable_from(offer.remote.ip()) {
                return Ok(offer);
            }
            // Taken and dropped at once: the stranger sees its connection reset.
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
            state.correspondents.iter().any(|known| same_end(*known, datagram.remote))
        });
        if !is_answer && !is_raw {
            self.policy().permit_remote(datagram.remote, is_icmp, &self.inner).await?;
        }
        self.account().refill(Direction::Send).await;
        let bytes = datagram.data.len();
        let answer = self.hand_on(Request::SendTo(datagram)).await?;
        self.account().charge(Direction::Send, bytes);
        Ok(answer)
    }

    /// The next datagram from somebody who may send one; others' are passed over.
    pub(super) async fn receive(&self) -> Result<Datagram> {
        self.account().refill(Direction::Receive).await;
        let mut strangers = 0;
        loop {
            let datagram = self.ask::<ReceiveFrom>(Request::ReceiveFrom(())).await?;
            if self.may_hear(datagram.remote) {
                self.account().charge(Direction::Receive, datagram.data.len());
                return Ok(datagram);
            }
            pass_over(&mut strangers).await;
        }
    }

    /// What the next read gives. Datagrams of strangers are taken away first; what is shown is
    /// charged when it is read.
    async fn peek(&self, most: u32) -> Result<Peeked> {
        self.account().refill(Direction::Receive).await;
        let mut strangers = 0;
        loop {
            let peeked = self.ask::<Peek>(Request::Peek(most)).await?;
            if !self.is_datagram() || self.may_hear(peeked.remote) {
                return Ok(peeked);
            }
            match self.hand_on_now(Request::ReceiveFrom(())) {
                // Its descriptor may have been read elsewhere meanwhile.
                Ok(_) | Err(Error::WouldBlock) => {}
                Err(why) => return Err(why),
            }
            pass_over(&mut strangers).await;
        }
    }

    fn may_hear(&self, remote: SocketAddr) -> bool {
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
            if state.correspondents.back().is_some_and(|last| same_end(*last, remote)) {
                return;
            }
            state.correspondents.retain(|known| !same_end(*known, remote));
            if state.correspondents.len() >= limits::CORRESPONDENTS {
                state.correspondents.pop_front();
            }
            state.correspondents.push_back(remote);
        });
    }
}

/// What to do with a command that is not refused.
enum Verdict {
    /// The device answers it at once.
    HandOn,
    /// It needs time or notes.
    Handle,
}

/// Another datagram that the guest must not see; now and then others get their turn.
async fn pass_over(strangers: &mut usize) {
    *strangers += 1;
    if strangers.is_multiple_of(limits::STRANGERS) {
        futures_lite::future::yield_now().await;
    }
}

fn reply<T: serde::Serialize>(outcome: Result<T>) -> Result<Vec<u8>> {
    outcome.and_then(|answer| encode(&answer))
}
