//! Every command of a guest: it is checked, forwarded, and recorded if it had an effect.
//!
//! Most commands are forwarded or refused at once. Commands that name a remote address, reserve
//! resources in the account or change the mode of the file run in [`Guard::handle`].

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use devnet_network::command::mode::Mode;
use devnet_network::command::route::{
    ChangeMode, MultipathChange, NewRoute, RouteChange, RouteFilter, RouteSelector,
};
use devnet_network::command::socket::{Offer, SocketKind, SocketOption};
use devnet_network::command::{Accept, FindRoute, Request, Resolve, SetOption};
use devnet_network::{OpenFile, Seat};
use devnet_virtual_file_system::{
    Authority, ControlCommand, Error, OpenFlags, Operation, Result, decode_response, encode,
};

use super::lists::{is_list, is_long};
use super::{DeviceKind, Guard, State};
use crate::account::{Direction, Reservation};
use crate::grants::{Access, Transport};
use crate::limits;

/// The interface whose routes a command changes. One that replaces may take the place of a route of
/// any.
fn changed_interface(change: &RouteChange) -> Option<&str> {
    let replaces = matches!(change.mode, ChangeMode::Replace | ChangeMode::Change);
    change.interface.as_deref().filter(|_| !replaces)
}

impl Guard {
    /// Checks a command and runs it.
    pub(super) fn request(&self, request: Request) -> Operation<'_, Vec<u8>> {
        let action = match self.check(&request) {
            Err(error) => return Operation::done(Err(error)),
            Ok(action) => action,
        };
        self.charge_lines(&request);
        let caused = self.caused_bytes(&request);
        if caused > 0 && self.account().limits().bandwidth.is_some() {
            return Operation::waiting(async move {
                self.account().refill(Direction::Send).await;
                self.account().charge(Direction::Send, caused);
                match action {
                    Action::Forward => self.forward_now(request),
                    Action::Handle => self.handle(request).await,
                }
            });
        }
        match action {
            Action::Forward if is_long(request.identifier()) => {
                Operation::turns(self.forward(request))
            }
            Action::Handle if is_long(request.identifier()) => {
                Operation::turns(self.handle(request))
            }
            Action::Forward => Operation::done(self.forward_now(request)),
            Action::Handle => Operation::waiting(self.handle(request)),
        }
    }

    /// Returns the bytes that leave the system because of a command, beside data.
    fn caused_bytes(&self, request: &Request) -> usize {
        match request {
            // Leaving is paid with joining, since closing a socket leaves, too.
            Request::JoinGroup(_) => 2 * limits::REPORT_BYTES,
            // A datagram socket sends nothing.
            Request::Connect(_) if self.is_datagram() => 0,
            Request::Connect(_) => limits::CONNECT_BYTES,
            Request::Resolve(_)
            | Request::QueryRecords(_)
            | Request::BrowseServices(_)
            | Request::WatchServices(_) => limits::QUESTION_BYTES,
            Request::LeaveGroup(_)
            | Request::CreateSocket(_)
            | Request::Bind(_)
            | Request::Listen(_)
            | Request::Accept(_)
            | Request::NextConnection(())
            | Request::SendTo(_)
            | Request::SetOption(_)
            | Request::Shutdown(_) => 0,
            // Configuration: advertisements, probes, reports, leases.
            other => match Request::authority(other.identifier()) {
                Some(Authority::Write) => limits::REPORT_BYTES,
                Some(Authority::Read) | None => 0,
            },
        }
    }

    /// Forwards a command to the device; the mode follows if it succeeds.
    pub(super) async fn forward(&self, request: Request) -> Result<Vec<u8>> {
        let before = self.mode();
        let next = before.after(&request);
        let answer = self.inner.call(|device: &OpenFile| device.request(request)).await?;
        self.follow(before, next);
        Ok(answer)
    }

    /// As [`forward`](Self::forward), for a command that does not block.
    pub(super) fn forward_now(&self, request: Request) -> Result<Vec<u8>> {
        let before = self.mode();
        let next = before.after(&request);
        let answer = self.inner.try_call(|device: &OpenFile| device.request(request))?;
        self.follow(before, next);
        Ok(answer)
    }

    /// Forwards a command to the device and decodes the response.
    pub(super) async fn ask<C: ControlCommand>(&self, request: Request) -> Result<C::Response> {
        decode_response(&self.forward(request).await?)
    }

    /// Decides what to do with a command, without side effects.
    fn check(&self, request: &Request) -> Result<Action> {
        let policy = self.policy();
        policy.permit_command(request.identifier())?;
        match request {
            // Commands that block, name a remote address, or change the mode.
            Request::CreateSocket(_)
            | Request::Capture(_)
            | Request::Bind(_)
            | Request::Connect(_)
            | Request::Listen(_)
            | Request::Accept(_)
            | Request::NextConnection(())
            | Request::SendTo(_)
            | Request::ReceiveFrom(())
            | Request::Peek(_)
            | Request::Resolve(_)
            | Request::QueryRecords(_)
            | Request::BrowseServices(_)
            | Request::AwaitDhcp(_)
            | Request::AwaitDhcp6(_)
            | Request::SwitchRadio(_)
            | Request::GetLastError(()) => Ok(Action::Handle),
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
            | Request::GetCapture(())
            | Request::Shutdown(_)
            | Request::GetOptions(())
            | Request::GetFurtherOptions(())
            | Request::TakeError(())
            | Request::LeaveGroup(_)
            | Request::ReceiveError(())
            | Request::GetStreamStatistics(()) => Ok(Action::Forward),
            // The device would keep the pieces, which nobody is charged for.
            Request::ApplyConfiguration(text) | Request::CheckConfiguration(text)
                if text.has_more =>
            {
                Err(Error::MessageTooLong)
            }
            // All other commands are about interfaces. For an interface's own device, opening it
            // was the check.
            other if self.place == DeviceKind::Interface => Ok(Action::of_interface(other)),
            Request::SetRoute(change)
            | Request::SetMultipathRoute(MultipathChange { route: change, .. }) => {
                policy.permit_change(changed_interface(change)).map(|()| Action::Forward)
            }
            Request::AddRoute(NewRoute { interface, .. })
            | Request::RemoveRoutes(RouteFilter { interface, .. })
            | Request::RemoveRoute(RouteSelector { interface, .. }) => {
                policy.permit_change(interface.as_deref()).map(|()| Action::Forward)
            }
            Request::FindRoute(_) | Request::FindFlowRoute(_) if !self.devices.sees_all() => {
                Ok(Action::Handle)
            }
            list if is_list(list) && !self.devices.sees_all() => Ok(Action::Handle),
            // Future commands too: one over all interfaces requires a grant of all of them.
            other => match (
                self.policy().grants.all_interfaces(),
                Request::authority(other.identifier()),
            ) {
                (Some(Access::Write), _)
                | (Some(_), Some(devnet_virtual_file_system::Authority::Read)) => {
                    Ok(Action::of_interface(other))
                }
                _ => Err(Error::PermissionDenied),
            },
        }
    }

    /// Runs a command that blocks or that the guard records.
    async fn handle(&self, request: Request) -> Result<Vec<u8>> {
        match request {
            Request::CreateSocket(kind) => self.create_socket(kind).await,
            Request::Capture(options) => self.capture(options).await,
            Request::Watch(_) | Request::WatchEvents(_) => self.watch(request).await,
            Request::Bind(local) => self.bind(local).await,
            Request::Connect(remote) => self.connect(remote).await,
            Request::Listen(backlog) => self.listen(backlog).await,
            Request::NextConnection(()) => reply(self.next_connection().await),
            Request::Accept(_) => self.accept(request).await,
            Request::SendTo(datagram) => self.send_to(datagram).await,
            Request::ReceiveFrom(()) => reply(self.receive().await),
            Request::Peek(most) => reply(self.peek(most).await),
            Request::Resolve(question) => {
                let is_own = |address| self.devices.is_own(address);
                self.policy().permit_question(&question, &self.inner, is_own).await?;
                let _lookup = self.policy().begin_lookup().await;
                let answer = self.ask::<Resolve>(Request::Resolve(question.clone())).await?;
                self.policy().learn(&question, &answer);
                reply(Ok(answer))
            }
            Request::QueryRecords(query) => self.query_records(query).await,
            Request::BrowseServices(browse) => self.browse(browse).await,
            Request::WatchServices(watch) => self.watch_services(watch).await,
            Request::SetOption(option) => self.set_buffer(option).await,
            Request::FindRoute(_) | Request::FindFlowRoute(_) => {
                // Both have the same response.
                let choice = self.ask::<FindRoute>(request).await?;
                let is_seen = self.policy().grants.interface(&choice.interface).is_some();
                reply(if is_seen { Ok(choice) } else { Err(Error::NetworkUnreachable) })
            }
            // They block, and are forwarded otherwise unchanged.
            Request::AwaitDhcp(_) | Request::AwaitDhcp6(_) | Request::SwitchRadio(_) => {
                self.forward(request).await
            }
            Request::GetLastError(()) => self.last_error(request).await,
            list => self.list(&list).await,
        }
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut State)) {
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
            self.permit_remote(remote, kind == SocketKind::Icmp).await?;
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
        let reservation = self.account().reserve()?;
        if kind != SocketKind::Tcp {
            // Datagrams are sent at once and not queued.
            reservation.resize(Direction::Send, 0)?;
        }
        let answer = self.forward(Request::CreateSocket(kind)).await?;
        self.hold(reservation)?;
        let bytes = limits::SOCKET_BUFFER_BYTES as u32;
        self.forward(Request::SetOption(SocketOption::ReceiveBuffer(bytes))).await?;
        if kind == SocketKind::Tcp {
            self.forward(Request::SetOption(SocketOption::SendBuffer(bytes))).await?;
        }
        Ok(answer)
    }

    /// Makes the file an offered connection, which brought its reservation with it.
    async fn accept(&self, request: Request) -> Result<Vec<u8>> {
        let status = self.forward(request).await?;
        let seat = self.inner.try_call(|device: &OpenFile| Operation::done(Ok(device.seat())))?;
        match seat.and_then(|seat| seat.share()) {
            Some(reservation) => self.note(|state| state.reservation = Some(reservation)),
            // Somebody else gave the guest a token.
            None => self.hold(self.account().reserve_accepted()?)?,
        }
        Ok(status)
    }

    /// Keeps a reservation until the socket of this file is gone.
    pub(super) fn hold(&self, reservation: Arc<Reservation>) -> Result<()> {
        self.inner.try_call(|device: &OpenFile| {
            device.hold(Seat::new(Arc::clone(&reservation)));
            Operation::done(Ok(()))
        })?;
        self.note(|state| state.reservation = Some(reservation));
        Ok(())
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
                state.reservation.as_ref().ok_or(Error::InvalidInput)?.resize(direction, bytes)
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

    /// Returns the next connection from a permitted source and resets others. It is charged from
    /// now on; without room it stays in the backlog, as with accept(2).
    pub(super) async fn next_connection(&self) -> Result<Offer> {
        let account = Arc::clone(self.account());
        let reserve = move || Ok(Some(Seat::new(account.reserve_accepted()?)));
        loop {
            let reserve = reserve.clone();
            let offer =
                self.inner.call(|device: &OpenFile| device.next_connection(reserve)).await?;
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
}

/// What to do with a permitted command.
pub(super) enum Action {
    /// The device answers it at once.
    Forward,
    /// It blocks, or the guard records its effect.
    Handle,
}

fn reply<T: serde::Serialize>(outcome: Result<T>) -> Result<Vec<u8>> {
    outcome.and_then(|answer| encode(&answer))
}
