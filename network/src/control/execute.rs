//! What each command does.
//!
//! Commands that end at once run in [`OpenFile::execute_now`]; the few that wait are handed back
//! and run in [`OpenFile::execute_waiting`]. Both only translate: the verbs are the stack's and the
//! sockets'.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::Poll;
use core::time::Duration;

use serde::Serialize;
use virtual_file_system::{Error, Result, WakerList, encode};

use super::open::OpenFile;
use super::sockets::{self, Fresh, Handle, Mode};
use crate::command::Request;
use crate::command::address::Origin;
use crate::command::dhcp::{DhcpState, DhcpStatus};
use crate::command::dns::DnsServer;
use crate::command::multicast::Membership;
use crate::command::route::NewRoute;
use crate::command::socket::{SocketKind, SocketStatus};
use crate::interface::Interface;
use crate::platform::before;
use crate::socket::{TcpListener, TcpStream};
use crate::stack::Stack;
use crate::stack::bound::Bound;

fn reply<T: Serialize>(outcome: Result<T>) -> Result<Vec<u8>> {
    outcome.and_then(|value| encode(&value))
}

impl OpenFile {
    /// The interface that the device is of; `/devices/sockets` has none.
    fn interface(&self) -> Result<&Arc<Interface>> {
        self.sockets.place.interface.as_ref().ok_or(Error::Unsupported)
    }

    /// Runs a verb of the interface.
    fn on<T>(&self, verb: impl FnOnce(&mut Stack) -> T) -> Result<T> {
        self.interface().map(|interface| interface.with(verb))
    }

    /// Runs a verb that may fail.
    fn change<T>(&self, verb: impl FnOnce(&mut Stack) -> Result<T>) -> Result<T> {
        self.on(verb).and_then(|outcome| outcome)
    }

    /// Every interface that this device speaks of.
    fn interfaces(&self) -> Vec<Arc<Interface>> {
        self.sockets.place.interfaces()
    }

    /// Carries out a command that ends at once; one that waits comes back.
    pub(super) fn execute_now(
        &self,
        request: Request,
    ) -> core::result::Result<Result<Vec<u8>>, Request> {
        Ok(match request {
            Request::GetInterface(()) => reply(self.on(|stack| stack.status())),
            Request::ListInterfaces(()) => reply(Ok(self
                .interfaces()
                .iter()
                .map(|interface| interface.with(|stack| stack.status()))
                .collect::<Vec<_>>())),
            Request::SetEnabled(enabled) => reply(self.on(|stack| stack.set_enabled(enabled))),
            Request::SetHardwareAddress(address) => reply(self.interface().and_then(|interface| {
                interface.with_driver(|stack, driver| stack.set_hardware_address(address, driver))
            })),
            Request::SetMtu(mtu) => reply(self.change(|stack| stack.set_mtu(mtu))),
            Request::SetMetric(metric) => reply(self.on(|stack| stack.set_metric(metric))),
            Request::SetAdvertisement(what) => {
                reply(self.change(|stack| stack.set_advertisement(what)))
            }
            Request::GetStatistics(()) => reply(self.on(|stack| stack.statistics)),
            Request::ListAddresses(()) => reply(Ok(self.collect(|stack| stack.address_entries()))),
            Request::AddAddress(new) => {
                reply(self.change(|stack| stack.add_address(&new, Origin::Static)))
            }
            Request::RemoveAddress(prefix) => {
                reply(self.change(|stack| stack.remove_address(prefix)))
            }
            Request::FlushAddresses(()) => reply(self.on(Stack::flush_addresses)),
            Request::ListRoutes(()) => {
                reply(Ok(self.collect(|stack| stack.route_entries().collect())))
            }
            Request::AddRoute(new) => reply(self.add_route(&new)),
            Request::RemoveRoute(selector) => reply(self.remove_route(&selector)),
            Request::FindRoute(destination) => reply(match &self.sockets.place.interface {
                None => self.sockets.place.all.explain(destination),
                Some(interface) => interface.with(|stack| {
                    stack
                        .source_for(destination)
                        .and_then(|source| stack.explain(destination, source))
                }),
            }),
            Request::ListDnsServers(()) => reply(Ok(self.collect(dns_servers))),
            Request::AddDnsServer(server) => {
                reply(self.change(|stack| stack.add_dns_server(server, Origin::Static)))
            }
            Request::RemoveDnsServer(server) => {
                reply(self.change(|stack| stack.remove_dns_server(server)))
            }
            Request::StartDhcp(options) => reply(self.change(|stack| stack.dhcp_start(options))),
            Request::StopDhcp(()) => reply(self.on(Stack::dhcp_stop)),
            Request::RenewDhcp(()) => reply(self.change(Stack::dhcp_renew)),
            Request::GetDhcp(()) => reply(self.on(|stack| stack.dhcp_status())),
            Request::ListNeighbors(()) => {
                reply(Ok(self.collect(|stack| stack.neighbors.list(stack.now))))
            }
            Request::AddNeighbor(new) => reply(self.change(|stack| stack.add_neighbor(&new))),
            Request::RemoveNeighbor(address) => {
                reply(self.change(|stack| stack.remove_neighbor(address)))
            }
            Request::FlushNeighbors(()) => {
                reply(self.on(|stack| stack.neighbors.flush(|_, is_permanent| !is_permanent)))
            }
            other => return self.execute_socket_now(other),
        })
    }

    fn execute_socket_now(
        &self,
        request: Request,
    ) -> core::result::Result<Result<Vec<u8>>, Request> {
        Ok(match request {
            Request::CreateSocket(kind) => reply(self.create_socket(kind)),
            Request::Bind(local) => reply(self.bind(local)),
            Request::Connect(remote) if self.is_datagram() => {
                reply(self.datagram().and_then(|socket| socket.connect(remote)))
            }
            Request::Listen(backlog) => reply(self.listen(backlog)),
            Request::Accept(token) => reply(self.accept(token)),
            Request::GetSocket(()) => {
                reply(self.handle().and_then(|handle| handle.status(&self.sockets.place)))
            }
            Request::Shutdown(direction) => reply(match self.handle() {
                Ok(Handle::Stream(stream)) => stream.shutdown(direction),
                Ok(_) => Err(Error::NotConnected),
                Err(error) => Err(error),
            }),
            Request::SetOption(option) => reply(self.set_option(&option)),
            Request::GetOptions(()) => reply(self.options()),
            Request::TakeError(()) => reply(self.take_error()),
            Request::GetStreamStatistics(()) => reply(self.stream_statistics()),
            Request::ReceiveError(()) => {
                reply(self.datagram().and_then(|socket| socket.receive_error()))
            }
            Request::JoinGroup(membership) => reply(
                self.datagram()
                    .and_then(|socket| socket.join_group(membership.group, named(&membership))),
            ),
            Request::LeaveGroup(membership) => reply(
                self.datagram()
                    .and_then(|socket| socket.leave_group(membership.group, named(&membership))),
            ),
            Request::ListGroups(()) => reply(Ok(self.collect(|stack| stack.group_entries()))),
            Request::ListSockets(()) => reply(Ok(self.list_sockets())),
            Request::Watch(kinds) => reply(self.watch(kinds)),
            waiting => return Err(waiting),
        })
    }

    /// Carries out a command that waits.
    pub(super) async fn execute_waiting(&self, request: Request) -> Result<Vec<u8>> {
        match request {
            Request::Resolve(question) => reply(self.sockets.resolver().resolve(&question).await),
            Request::AwaitDhcp(milliseconds) => reply(self.await_dhcp(milliseconds).await),
            Request::Connect(remote) => reply(self.connect(remote).await),
            Request::NextConnection(()) => match self.handle()? {
                Handle::Listener(listener) => reply(self.offers.next(&listener).await),
                _ => Err(Error::InvalidInput),
            },
            Request::SendTo(datagram) => {
                reply(self.datagram()?.send_to(&datagram.data, datagram.remote).await)
            }
            Request::ReceiveFrom(()) => {
                let socket = self.datagram()?;
                reply(sockets::receive(&self.sockets.place.all, &socket).await)
            }
            Request::Peek(most) => reply(self.handle()?.peek(most).await),
            // Everything else ended in `execute_now`.
            _ => Err(Error::UnknownCommand),
        }
    }

    fn collect<T>(&self, list: impl Fn(&mut Stack) -> Vec<T>) -> Vec<T> {
        self.interfaces().iter().flat_map(|interface| interface.with(&list)).collect()
    }

    /// On `/devices/sockets` the interface is named, or found by the gateway's network.
    fn add_route(&self, new: &NewRoute) -> Result<()> {
        if self.sockets.place.interface.is_some() {
            return self.change(|stack| stack.add_route(new));
        }
        let all = &self.sockets.place.all;
        let interface = match (&new.interface, new.gateway) {
            (Some(name), _) => all.find(name).ok_or(Error::NoDevice)?,
            (None, None) => return Err(Error::NoDevice),
            (None, Some(gateway)) => {
                let is_near = |interface: &&Arc<Interface>| {
                    interface.with(|stack| {
                        stack.is_running()
                            && stack
                                .routes
                                .find(gateway)
                                .is_some_and(|route| route.gateway.is_none())
                    })
                };
                let interfaces = all.list();
                let unreachable = if gateway.is_ipv4() {
                    Error::NetworkUnreachable
                } else {
                    Error::HostUnreachable
                };
                interfaces.iter().find(is_near).cloned().ok_or(unreachable)?
            }
        };
        interface.with(|stack| stack.add_route(new))
    }

    fn remove_route(&self, selector: &crate::command::route::RouteSelector) -> Result<()> {
        let named = |interface: &&Arc<Interface>| {
            selector.interface.as_ref().is_none_or(|name| *name == interface.name)
        };
        let interfaces = self.interfaces();
        if selector.interface.is_some() && !interfaces.iter().any(|interface| named(&interface)) {
            return Err(Error::NoDevice);
        }
        let removed = interfaces
            .iter()
            .filter(named)
            .any(|interface| interface.with(|stack| stack.remove_route(selector)).is_ok());
        if removed { Ok(()) } else { Err(Error::NoSuchProcess) }
    }

    /// Waits until the DHCP client has a lease, stops, or the time is over.
    async fn await_dhcp(&self, milliseconds: u32) -> Result<DhcpStatus> {
        let interface = Arc::clone(self.interface()?);
        let clock = &self.sockets.clock;
        let deadline = clock.now().after(Duration::from_millis(u64::from(milliseconds)));
        let bound = poll_fn(|context| {
            interface.with(|stack| {
                stack.dhcp_register(context.waker());
                let status = stack.dhcp_status();
                match status.state {
                    DhcpState::Bound | DhcpState::Renewing | DhcpState::Rebinding => {
                        Poll::Ready(Ok(status))
                    }
                    DhcpState::Stopped => Poll::Ready(Err(Error::NotConnected)),
                    _ => Poll::Pending,
                }
            })
        });
        before(&**clock, deadline, bound).await.unwrap_or(Err(Error::TimedOut))
    }

    pub(super) fn handle(&self) -> Result<Handle> {
        self.mode.with(|mode| mode.handle()).ok_or(Error::InvalidInput)
    }

    fn is_datagram(&self) -> bool {
        matches!(self.handle(), Ok(Handle::Datagram(_)))
    }

    fn datagram(&self) -> Result<Arc<crate::socket::DatagramSocket>> {
        match self.handle()? {
            Handle::Datagram(socket) => Ok(socket),
            _ => Err(Error::Unsupported),
        }
    }

    fn create_socket(&self, kind: SocketKind) -> Result<()> {
        let created = sockets::create(&self.sockets, kind)?;
        self.mode.with(|mode| match mode {
            Mode::Status { .. } => {
                *mode = created;
                Ok(())
            }
            // A file becomes one socket in its life, as a descriptor does.
            _ => Err(Error::InvalidInput),
        })
    }

    fn bind(&self, local: SocketAddr) -> Result<SocketAddr> {
        match self.handle()? {
            Handle::Datagram(socket) => socket.bind(local),
            Handle::Unconnected => {
                let fresh = self.fresh()?;
                if fresh.local.is_some() {
                    return Err(Error::InvalidInput);
                }
                let local = TcpListener::reserve(
                    &fresh.place(&self.sockets.place),
                    local,
                    &fresh.settings,
                )?;
                self.mode.with(|mode| match mode {
                    Mode::Fresh(fresh) if fresh.local.is_none() => {
                        fresh.local = Some(local);
                        Ok(local)
                    }
                    _ => Err(Error::InvalidInput),
                })
            }
            _ => Err(Error::InvalidInput),
        }
    }

    /// The stream socket that is not connected yet.
    fn fresh(&self) -> Result<Fresh> {
        self.mode.with(|mode| match mode {
            Mode::Fresh(fresh) => Ok(fresh.clone()),
            Mode::Datagram(_) => Err(Error::Unsupported),
            _ => Err(Error::InvalidInput),
        })
    }

    /// Connects a stream. The mode says `Connecting` meanwhile; a cancelled or failed attempt
    /// leaves the socket as it was.
    async fn connect(&self, remote: SocketAddr) -> Result<SocketAddr> {
        let fresh = self.mode.with(|mode| match mode {
            Mode::Fresh(fresh) => {
                let fresh = fresh.clone();
                *mode = Mode::Connecting(fresh.clone(), WakerList::new());
                Ok(fresh)
            }
            Mode::Connecting(..) => Err(Error::AlreadyInProgress),
            Mode::Stream(..) | Mode::Listener(..) => Err(Error::AlreadyConnected),
            Mode::Status { .. } | Mode::Events(_) | Mode::Datagram(_) => Err(Error::InvalidInput),
        })?;
        let mut attempt = Attempt { file: self, is_over: false };
        let place = fresh.place(&self.sockets.place);
        let stream = TcpStream::start(&place, fresh.local, remote, &fresh.settings)?;
        poll_fn(|context| stream.poll_connected(context)).await?;
        attempt.is_over = true;
        let local = stream.local_address();
        self.become_mode(|mode| {
            let settings = mode.settings_mut().map_or(fresh.settings, |settings| *settings);
            // Options may have changed meanwhile.
            if settings != fresh.settings {
                stream.apply(&settings);
            }
            Mode::Stream(Arc::new(stream), settings)
        });
        Ok(local)
    }

    fn listen(&self, backlog: u32) -> Result<()> {
        if let Handle::Listener(listener) = self.handle()? {
            listener.set_backlog(backlog);
            return Ok(());
        }
        let fresh = self.fresh()?;
        let local = fresh.local.unwrap_or(SocketAddr::new(Bound::Any.address(), 0));
        let place = fresh.place(&self.sockets.place);
        let listener = Arc::new(TcpListener::bind_at(&place, local, backlog, fresh.settings)?);
        self.mode.with(|mode| *mode = Mode::Listener(listener));
        Ok(())
    }

    /// Makes this file the stream of an offered connection.
    fn accept(&self, token: u64) -> Result<SocketStatus> {
        let is_free = self.mode.with(|mode| {
            matches!(mode, Mode::Status { .. } | Mode::Fresh(Fresh { local: None, .. }))
        });
        if !is_free {
            return Err(Error::InvalidInput);
        }
        let (stream, settings) = self.offers.claim(token)?;
        let status = stream.status().ok_or(Error::ConnectionAborted)?;
        self.mode.with(|mode| *mode = Mode::Stream(Arc::new(stream), settings));
        Ok(status)
    }

    /// Every socket: connections, listeners, datagram sockets; routed ones once.
    fn list_sockets(&self) -> Vec<SocketStatus> {
        let mut list: Vec<SocketStatus> = self
            .interfaces()
            .iter()
            .flat_map(|interface| interface.with(|stack| stack.socket_list()))
            .collect();
        if self.sockets.place.interface.is_none() {
            let all = &self.sockets.place.all;
            list.extend(
                all.listeners().iter().map(|listener| crate::socket::listener_status(listener, "")),
            );
            list.extend(all.bindings().iter().map(|(family, binding)| binding.status(*family, "")));
        }
        list
    }
}

/// Puts the mode back when a connect fails or is dropped.
struct Attempt<'a> {
    file: &'a OpenFile,
    is_over: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let is_under_way = self.file.mode.with(|mode| matches!(mode, Mode::Connecting(..)));
        if !self.is_over && is_under_way {
            self.file.become_mode(|mode| match mode {
                Mode::Connecting(fresh, _) => Mode::Fresh(fresh.clone()),
                _ => Mode::Status { text: None, position: 0 },
            });
        }
    }
}

fn dns_servers(stack: &mut Stack) -> Vec<DnsServer> {
    let name = &stack.configuration.name;
    stack
        .dns_servers
        .iter()
        .map(|(address, origin)| DnsServer {
            address: *address,
            origin: *origin,
            interface: name.clone(),
        })
        .collect()
}

/// The interface that a membership names.
fn named(membership: &Membership) -> Option<&str> {
    Some(membership.interface.as_str()).filter(|name| !name.is_empty())
}
