//! The mode of an open file: what it has become.
//!
//! The device and the guard of guests share this state machine: which commands each mode allows,
//! and the mode after a command has succeeded.
//!
//! ```text
//!           Watch                CreateSocket (tcp)
//! Events ◀──────── Status ─────────────────────────▶ Unconnected ── Bind ──▶ bound
//!                    │ │                              │    │   │
//!       CreateSocket │ │ Accept                Accept │    │   │ Listen
//!                    ▼ └───────────▶ Stream ◀─────────┘    │   ▼
//!                 Datagram             ▲             Connect  Listener
//!                                      └──── Connecting ◀──┘
//! ```

use devnet_virtual_file_system::{Error, Result};

use super::Request;
use super::socket::SocketKind;

/// The mode of an open file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Status text is read, commands are written.
    #[default]
    Status,
    /// Events are read, commands are written.
    Events,
    /// A pcapng stream is read, frames are written.
    Capture,
    /// A stream socket before it is connected or listens.
    Unconnected {
        /// It has a local address.
        is_bound: bool,
    },
    /// A stream socket with a connect in progress.
    Connecting,
    /// A stream: bytes are read and written.
    Stream,
    /// A listener: connections are read, a line each.
    Listener,
    /// A UDP, ICMP or raw socket: datagrams are read and written.
    Datagram(SocketKind),
}

impl Mode {
    /// True when writes are data, false when they are commands.
    #[must_use]
    pub const fn takes_data(self) -> bool {
        matches!(self, Self::Capture | Self::Stream | Self::Datagram(_))
    }

    /// The mode after a command has succeeded.
    ///
    /// # Errors
    /// Why this mode does not allow the command.
    #[expect(clippy::too_many_lines, reason = "a line for each command")]
    pub const fn after(self, request: &Request) -> Result<Self> {
        match request {
            Request::CreateSocket(kind) => self.after_create(*kind),
            Request::Bind(_) => self.after_bind(),
            Request::Connect(_) => self.after_connect(),
            Request::Listen(_) => self.after_listen(),
            Request::Accept(_) => self.after_accept(),
            Request::Watch(_) | Request::WatchEvents(_) | Request::WatchServices(_) => {
                self.after_watch()
            }
            Request::Capture(_) => self.after_capture(),
            Request::ExportConfiguration(true) => self.only_status(),
            Request::ExportConfiguration(false) => Ok(self),
            Request::GetCapture(()) | Request::ListCaptureInterfaces(()) => self.only_capture(),
            Request::NextConnection(()) => self.only_listener(),
            Request::Shutdown(_) => self.only_stream(Error::NotConnected),
            Request::GetStreamStatistics(()) => self.only_stream(Error::InvalidInput),
            Request::Peek(_) => self.only_data(),
            Request::GetSocket(())
            | Request::SetOption(_)
            | Request::GetOptions(())
            | Request::GetFurtherOptions(())
            | Request::TakeError(()) => self.only_socket(),
            Request::SendTo(_)
            | Request::ReceiveFrom(())
            | Request::ReceiveError(())
            | Request::JoinGroup(_)
            | Request::LeaveGroup(_) => self.only_datagram(),
            // Commands about interfaces, and about the file itself; every mode allows them.
            Request::GetLastError(())
            | Request::ApplyConfiguration(_)
            | Request::CheckConfiguration(_)
            | Request::SetSystemOption(_)
            | Request::ListSystemOptions(())
            | Request::EndConnection(_)
            | Request::GetConnection(_)
            | Request::GetInterface(())
            | Request::ListInterfaces(())
            | Request::SetEnabled(_)
            | Request::SetHardwareAddress(_)
            | Request::SetMtu(_)
            | Request::SetMetric(_)
            | Request::GetStatistics(())
            | Request::GetSynCookies(())
            | Request::ListUsage(())
            | Request::ListDrops(())
            | Request::SetInterfaceOption(_)
            | Request::ListInterfaceDetails(())
            | Request::ListCounters(())
            | Request::GetMetrics(())
            | Request::SetAdvertisement(_)
            | Request::ListAddresses(())
            | Request::SetAddress(_)
            | Request::ListAddressDetails(())
            | Request::SetAutoconfiguration(_)
            | Request::ListAutoconfiguration(())
            | Request::AddAddress(_)
            | Request::RemoveAddress(_)
            | Request::FlushAddresses(())
            | Request::ReplaceAddresses(_)
            | Request::ListRoutes(())
            | Request::ListRoutePreferences(())
            | Request::SetRoute(_)
            | Request::RemoveRoutes(_)
            | Request::ListRouteDetails(())
            | Request::SetMultipathRoute(_)
            | Request::ListMultipathRoutes(())
            | Request::FindFlowRoute(_)
            | Request::AddRoute(_)
            | Request::RemoveRoute(_)
            | Request::FindRoute(_)
            | Request::ListDnsServers(())
            | Request::AddDnsServer(_)
            | Request::RemoveDnsServer(_)
            | Request::Resolve(_)
            | Request::QueryRecords(_)
            | Request::ListDnsCache(())
            | Request::FlushDnsCache(())
            | Request::SetResolverOption(_)
            | Request::GetResolver(())
            | Request::SetSearchDomains(_)
            | Request::ListHosts(())
            | Request::ChangeHosts(_)
            | Request::ChangeDnsSecurity(_)
            | Request::GetDnsSecurity(())
            | Request::SetMulticastDns(_)
            | Request::ListMulticastDns(())
            | Request::ChangeServices(_)
            | Request::BrowseServices(_)
            | Request::StartDhcp(_)
            | Request::StopDhcp(())
            | Request::RenewDhcp(())
            | Request::GetDhcp(())
            | Request::AwaitDhcp(_)
            | Request::StartDhcpServer(_)
            | Request::StopDhcpServer(())
            | Request::GetDhcpServer(())
            | Request::ListDhcpLeases(())
            | Request::ChangeDhcpLeases(_)
            | Request::StartDhcpClient(_)
            | Request::ListDhcpOptions(())
            | Request::SetFallback(_)
            | Request::GetFallback(())
            | Request::SetDhcp6Client(_)
            | Request::RenewDhcp6(())
            | Request::GetDhcp6(())
            | Request::AwaitDhcp6(_)
            | Request::SetDhcp6Server(_)
            | Request::GetDhcp6Server(())
            | Request::SetDownstream(_)
            | Request::ListNeighbors(())
            | Request::AddNeighbor(_)
            | Request::AddProxy(_)
            | Request::RemoveProxy(_)
            | Request::ListProxies(())
            | Request::RemoveNeighbor(_)
            | Request::FlushNeighbors(())
            | Request::ListSockets(())
            | Request::SwitchRadio(_)
            | Request::ChangeRouter(_)
            | Request::GetRouter(())
            | Request::AddGroup(_)
            | Request::RemoveGroup(_)
            | Request::ListGroupDetails(())
            | Request::AddFirewallRule(_)
            | Request::ReplaceFirewallRule(_)
            | Request::RemoveFirewallRule(_)
            | Request::FlushFirewallRules(_)
            | Request::SetFirewallPolicy(_)
            | Request::SetFirewallProfile(_)
            | Request::ListFirewall(())
            | Request::ResetFirewall(())
            | Request::ListFlows(())
            | Request::FlushFlows(())
            | Request::ListGroups(()) => Ok(self),
        }
    }

    /// A file becomes at most one socket, like a descriptor.
    const fn after_create(self, kind: SocketKind) -> Result<Self> {
        match (self, kind) {
            (Self::Status, SocketKind::Tcp) => Ok(Self::Unconnected { is_bound: false }),
            (Self::Status, kind) => Ok(Self::Datagram(kind)),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn after_bind(self) -> Result<Self> {
        match self {
            Self::Unconnected { is_bound: false } => Ok(Self::Unconnected { is_bound: true }),
            Self::Datagram(_) => Ok(self),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn after_connect(self) -> Result<Self> {
        match self {
            Self::Unconnected { .. } => Ok(Self::Stream),
            Self::Datagram(_) => Ok(self),
            Self::Connecting => Err(Error::AlreadyInProgress),
            Self::Stream | Self::Listener => Err(Error::AlreadyConnected),
            Self::Status | Self::Events | Self::Capture => Err(Error::InvalidInput),
        }
    }

    const fn after_listen(self) -> Result<Self> {
        match self {
            Self::Unconnected { .. } | Self::Listener => Ok(Self::Listener),
            Self::Datagram(_) => Err(Error::Unsupported),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn after_accept(self) -> Result<Self> {
        match self {
            Self::Status | Self::Unconnected { is_bound: false } => Ok(Self::Stream),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn after_watch(self) -> Result<Self> {
        match self {
            Self::Status | Self::Events => Ok(Self::Events),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn after_capture(self) -> Result<Self> {
        match self {
            Self::Status => Ok(Self::Capture),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn only_status(self) -> Result<Self> {
        match self {
            Self::Status => Ok(self),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn only_capture(self) -> Result<Self> {
        match self {
            Self::Capture => Ok(self),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn only_socket(self) -> Result<Self> {
        match self {
            Self::Status | Self::Events | Self::Capture => Err(Error::InvalidInput),
            _ => Ok(self),
        }
    }

    const fn only_stream(self, refusal: Error) -> Result<Self> {
        match self {
            Self::Stream => Ok(self),
            Self::Unconnected { .. } | Self::Connecting => Err(Error::NotConnected),
            Self::Listener | Self::Datagram(_) => Err(refusal),
            Self::Status | Self::Events | Self::Capture => Err(Error::InvalidInput),
        }
    }

    const fn only_listener(self) -> Result<Self> {
        match self {
            Self::Listener => Ok(self),
            _ => Err(Error::InvalidInput),
        }
    }

    const fn only_data(self) -> Result<Self> {
        match self {
            Self::Stream | Self::Datagram(_) => Ok(self),
            Self::Unconnected { .. } | Self::Connecting | Self::Listener => {
                Err(Error::NotConnected)
            }
            Self::Status | Self::Events | Self::Capture => Err(Error::InvalidInput),
        }
    }

    const fn only_datagram(self) -> Result<Self> {
        match self {
            Self::Datagram(_) => Ok(self),
            Self::Status | Self::Events | Self::Capture => Err(Error::InvalidInput),
            _ => Err(Error::Unsupported),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_a_stream_step_by_step() {
        let local = "10.0.0.1:0".parse().unwrap();
        let fresh = Mode::Status.after(&Request::CreateSocket(SocketKind::Tcp)).unwrap();
        let bound = fresh.after(&Request::Bind(local)).unwrap();
        assert_eq!(bound, Mode::Unconnected { is_bound: true });
        assert_eq!(bound.after(&Request::Bind(local)), Err(Error::InvalidInput));
        assert_eq!(bound.after(&Request::Accept(1)), Err(Error::InvalidInput));
        assert_eq!(fresh.after(&Request::Accept(1)), Ok(Mode::Stream));
        assert_eq!(bound.after(&Request::Connect(local)), Ok(Mode::Stream));
        assert_eq!(bound.after(&Request::Listen(1)), Ok(Mode::Listener));
        assert!(Mode::Stream.takes_data() && !bound.takes_data());
    }

    #[test]
    fn a_command_without_a_meaning_says_why() {
        let remote = "10.0.0.1:7".parse().unwrap();
        let datagram = Mode::Datagram(SocketKind::Udp);
        for (mode, request, refusal) in [
            (Mode::Connecting, Request::Connect(remote), Error::AlreadyInProgress),
            (Mode::Listener, Request::Connect(remote), Error::AlreadyConnected),
            (Mode::Events, Request::Connect(remote), Error::InvalidInput),
            (datagram, Request::Listen(1), Error::Unsupported),
            (datagram, Request::CreateSocket(SocketKind::Tcp), Error::InvalidInput),
            (Mode::Stream, Request::ReceiveFrom(()), Error::Unsupported),
            (Mode::Listener, Request::Peek(1), Error::NotConnected),
            (Mode::Status, Request::GetOptions(()), Error::InvalidInput),
        ] {
            assert_eq!(mode.after(&request), Err(refusal), "{mode:?} {request:?}");
        }
    }
}
