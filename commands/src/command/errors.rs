//! The errors that each command can return.
//!
//! The match below has one arm per command and no `_`: a new row of the table does not compile
//! before its errors are listed here. The page `CONTROL.md` is generated from it, and a test
//! executes every command in each mode that needs no peer and finds no other error.

use devnet_virtual_file_system::Error::{
    self, AccessDenied, AddressFamilyNotSupported, AddressInUse, AddressNotAvailable,
    AlreadyConnected, AlreadyExists, AlreadyInProgress, BrokenPipe, Cancelled, ConnectionAborted,
    ConnectionRefused, ConnectionReset, HostDown, HostUnreachable, InputOutput, InvalidInput,
    MessageTooLong, NetworkDown, NetworkUnreachable, NoBufferSpace, NoSuchProcess, NotConnected,
    NotFound, Protocol, ProtocolOptionNotAvailable, TimedOut, UnknownCommand, Unsupported,
};

use super::{Request, wireless};

/// Errors that every command can return, and when.
pub const COMMON: [(Error, &str); 6] = [
    (
        Error::PermissionDenied,
        "the command changes something and the file is not open for writing, which is checked \
         first; or a rule of the firewall drops what is to be sent, or a name server over TLS is \
         not who it should be",
    ),
    (
        Error::BadMessage,
        "the bytes are not exactly one request; or a name server over TLS does not speak it",
    ),
    (Error::MessageTooLong, "the request has more than 66,000 bytes"),
    (Error::NoDevice, "the interface, or one that the request names, does not exist (any more)"),
    (Error::Unsupported, "a feature leaves the protocol of the command out of this build"),
    (Error::WouldBlock, "the command has to wait and the caller asked it not to"),
];

const ADD_ROUTE: &[Error] =
    &[InvalidInput, AlreadyExists, NetworkUnreachable, HostUnreachable, NetworkDown, NoBufferSpace];

/// `NotFound` for a change of what is not there, `Unsupported` for a route of the whole system on
/// the device of an interface.
const SET_ROUTE: &[Error] = &[
    InvalidInput,
    AlreadyExists,
    NetworkUnreachable,
    HostUnreachable,
    NetworkDown,
    NoBufferSpace,
    NotFound,
    Unsupported,
];

/// Of `QueryRecords` `NotFound` is that of a search; that there is no such name is an answer. The
/// last four are those of TCP, by which servers over TLS are asked.
const RESOLVE: &[Error] = &[
    InvalidInput,
    NotFound,
    TimedOut,
    NetworkUnreachable,
    AddressNotAvailable,
    ConnectionRefused,
    HostUnreachable,
    AccessDenied,
    NetworkDown,
    AddressInUse,
    NoBufferSpace,
    ConnectionReset,
    ConnectionAborted,
    HostDown,
    Unsupported,
];

const BIND: &[Error] =
    &[InvalidInput, AddressInUse, AddressNotAvailable, AddressFamilyNotSupported, NetworkDown];

const CONNECT: &[Error] = &[
    InvalidInput,
    AlreadyConnected,
    AlreadyInProgress,
    ConnectionRefused,
    ConnectionReset,
    ConnectionAborted,
    TimedOut,
    NetworkUnreachable,
    NotFound,
    HostUnreachable,
    HostDown,
    NetworkDown,
    AddressNotAvailable,
    AddressInUse,
    AddressFamilyNotSupported,
    AccessDenied,
    ProtocolOptionNotAvailable,
    Protocol,
    Unsupported,
];

// What an ICMP error told an earlier packet of the socket is answered to a later call.
const SEND_TO: &[Error] = &[
    InvalidInput,
    MessageTooLong,
    AccessDenied,
    AddressFamilyNotSupported,
    AddressNotAvailable,
    AddressInUse,
    NetworkUnreachable,
    NotFound,
    HostUnreachable,
    HostDown,
    NetworkDown,
    NoBufferSpace,
    ConnectionRefused,
    ProtocolOptionNotAvailable,
    Protocol,
    Unsupported,
];

const RECEIVE_FROM: &[Error] = &[
    InvalidInput,
    NetworkUnreachable,
    HostUnreachable,
    HostDown,
    NetworkDown,
    ConnectionRefused,
    MessageTooLong,
    AccessDenied,
    ProtocolOptionNotAvailable,
    Protocol,
    Unsupported,
];

/// The last three are those of routes that are not unicast.
const FIND_ROUTE: &[Error] = &[
    NotFound,
    NetworkUnreachable,
    AddressNotAvailable,
    HostUnreachable,
    AccessDenied,
    InvalidInput,
];

const PEEK: &[Error] = &[
    InvalidInput,
    NotConnected,
    ConnectionReset,
    ConnectionAborted,
    BrokenPipe,
    TimedOut,
    ConnectionRefused,
    NetworkUnreachable,
    HostUnreachable,
    HostDown,
    NetworkDown,
    MessageTooLong,
    AccessDenied,
    ProtocolOptionNotAvailable,
    Protocol,
    Unsupported,
];

/// Those of the command of a line. `GetLastError` names the line.
const CONFIGURATION: &[Error] = &[
    InvalidInput,
    MessageTooLong,
    AddressNotAvailable,
    AlreadyExists,
    NoBufferSpace,
    NetworkUnreachable,
    HostUnreachable,
    NotFound,
    Unsupported,
    InputOutput,
];

/// `NetworkDown` while the radio is off; `NotFound` for a network that is not heard, `Protocol` for
/// one of another protection, `AccessDenied` for a wrong key, `NoBufferSpace` for an access point
/// that is full, `Cancelled` when another command changes the role meanwhile.
const JOIN_NETWORK: &[Error] = &[
    InvalidInput,
    NetworkDown,
    NotFound,
    AccessDenied,
    Protocol,
    NoBufferSpace,
    AlreadyConnected,
    TimedOut,
    Cancelled,
];

/// `UnknownCommand` for an interface without a radio. The errors of the radio come first, then
/// those of addresses and of DHCP.
const SWITCH_RADIO: &[Error] = &[
    UnknownCommand,
    InvalidInput,
    NetworkDown,
    NotFound,
    AccessDenied,
    Protocol,
    NoBufferSpace,
    AlreadyConnected,
    TimedOut,
    Cancelled,
    AddressNotAvailable,
    AlreadyExists,
    MessageTooLong,
    NotConnected,
    Unsupported,
];

impl Request {
    /// The errors that this command can answer beside the [common](COMMON) ones.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "an arm for each list of errors")]
    pub const fn errors(&self) -> &'static [Error] {
        match self {
            Self::SetInterfaceOption(_) => {
                &[InvalidInput, AlreadyExists, NotFound, InputOutput, Unsupported]
            }
            // `/devices/sockets` has no interface.
            Self::GetInterface(())
            | Self::SetEnabled(_)
            | Self::SetMetric(_)
            | Self::GetStatistics(())
            | Self::GetSynCookies(())
            | Self::FlushAddresses(())
            | Self::StopDhcp(())
            | Self::GetDhcp(())
            | Self::StopDhcpServer(())
            | Self::GetDhcpServer(())
            | Self::GetRouter(())
            | Self::GetFallback(())
            | Self::GetDhcp6(())
            | Self::GetDhcp6Server(())
            | Self::ListDhcpLeases(())
            | Self::ListDhcpOptions(())
            | Self::FlushFirewallRules(_)
            | Self::ResetFirewall(())
            | Self::FlushFlows(())
            | Self::FlushNeighbors(()) => &[Unsupported],
            // An interface's device has no system.
            Self::SetSystemOption(_) | Self::ListSystemOptions(()) => &[Unsupported],
            Self::ListInterfaces(())
            | Self::ListUsage(())
            | Self::ListDrops(())
            | Self::ListInterfaceDetails(())
            | Self::ListCounters(())
            | Self::GetMetrics(())
            | Self::ListAddresses(())
            | Self::ListAddressDetails(())
            | Self::ListAutoconfiguration(())
            | Self::ListRoutes(())
            | Self::ListRoutePreferences(())
            | Self::ListRouteDetails(())
            | Self::ListMultipathRoutes(())
            | Self::ListDnsServers(())
            | Self::ListNeighbors(())
            | Self::ListProxies(())
            | Self::ListSockets(())
            | Self::ListGroups(())
            | Self::ListGroupDetails(())
            | Self::ListDnsCache(())
            | Self::FlushDnsCache(())
            | Self::GetResolver(())
            | Self::ListHosts(())
            | Self::GetDnsSecurity(())
            | Self::ListFirewall(())
            | Self::ListFlows(())
            | Self::GetLastError(()) => &[],
            Self::SetResolverOption(_) => &[InvalidInput, Unsupported],
            Self::SetSearchDomains(_) => &[InvalidInput, NoBufferSpace],
            Self::ListMulticastDns(()) => &[],
            // `NotFound` for a place beside a rule that is not there.
            Self::AddFirewallRule(_) | Self::ReplaceFirewallRule(_) => {
                &[InvalidInput, NotFound, NoBufferSpace, Unsupported]
            }
            Self::RemoveFirewallRule(_) => &[NotFound, Unsupported],
            Self::SetFirewallPolicy(_) => &[InvalidInput, Unsupported],
            Self::SetFirewallProfile(_) => &[NoBufferSpace, Unsupported],
            Self::SetMulticastDns(_) => &[InvalidInput, NoBufferSpace, Unsupported],
            Self::ChangeServices(_) => &[InvalidInput, NotFound, NoBufferSpace, Unsupported],
            Self::BrowseServices(_) | Self::WatchServices(_) => {
                &[InvalidInput, NetworkUnreachable, NoBufferSpace]
            }
            Self::ChangeHosts(_) | Self::ChangeDnsSecurity(_) => {
                &[InvalidInput, NotFound, NoBufferSpace, Unsupported]
            }
            Self::SetHardwareAddress(_) => &[AddressNotAvailable, Unsupported, InputOutput],
            Self::SetMtu(_) | Self::SetAdvertisement(_) | Self::SetAutoconfiguration(_) => {
                &[InvalidInput, Unsupported]
            }
            Self::AddAddress(_) | Self::ReplaceAddresses(_) | Self::SetAddress(_) => {
                &[InvalidInput, AddressNotAvailable, AlreadyExists, NoBufferSpace, Unsupported]
            }
            Self::RemoveAddress(_) => &[AddressNotAvailable, Unsupported],
            Self::AddRoute(_) => ADD_ROUTE,
            Self::SetRoute(_) | Self::SetMultipathRoute(_) => SET_ROUTE,
            Self::RemoveRoute(_) => &[NoSuchProcess, InvalidInput],
            Self::RemoveRoutes(_) => &[NoSuchProcess],
            Self::FindRoute(_) | Self::FindFlowRoute(_) => FIND_ROUTE,
            Self::AddDnsServer(_) | Self::AddGroup(_) => {
                &[InvalidInput, AlreadyExists, NoBufferSpace, Unsupported]
            }
            Self::RemoveDnsServer(_)
            | Self::RemoveNeighbor(_)
            | Self::RemoveProxy(_)
            | Self::RemoveGroup(_) => &[NotFound, Unsupported],
            Self::Resolve(_) | Self::QueryRecords(_) => RESOLVE,
            Self::StartDhcp(_)
            | Self::SetFallback(_)
            | Self::SetDhcp6Client(_)
            | Self::SetDownstream(_) => &[InvalidInput, Unsupported],
            Self::StartDhcpClient(_) | Self::SetDhcp6Server(_) => {
                &[InvalidInput, NoBufferSpace, Unsupported]
            }
            Self::StartDhcpServer(_) => {
                &[InvalidInput, AddressNotAvailable, MessageTooLong, NoBufferSpace, Unsupported]
            }
            Self::ChangeDhcpLeases(_) => {
                &[InvalidInput, NotConnected, NotFound, NoBufferSpace, Unsupported]
            }
            Self::RenewDhcp(()) | Self::RenewDhcp6(()) => &[NotConnected, Unsupported],
            Self::AwaitDhcp(_) | Self::AwaitDhcp6(_) => &[TimedOut, NotConnected, Unsupported],
            Self::AddNeighbor(_) | Self::AddProxy(_) => &[InvalidInput, NoBufferSpace, Unsupported],
            Self::CreateSocket(_) => &[InvalidInput, AddressInUse],
            Self::Bind(_) => BIND,
            Self::Connect(_) => CONNECT,
            Self::Listen(_) => {
                &[InvalidInput, AddressInUse, AddressNotAvailable, NetworkDown, Unsupported]
            }
            Self::NextConnection(()) => &[InvalidInput, NetworkDown, InputOutput],
            Self::Accept(_) => &[InvalidInput, NotFound, ConnectionAborted],
            Self::EndConnection(_) | Self::GetConnection(_) => &[NotFound],
            Self::GetSocket(()) => &[InvalidInput, NotConnected],
            Self::Shutdown(_) | Self::GetStreamStatistics(()) => &[InvalidInput, NotConnected],
            Self::SetOption(_) => {
                &[InvalidInput, ProtocolOptionNotAvailable, AlreadyConnected, AddressInUse]
            }
            Self::GetOptions(()) | Self::GetFurtherOptions(()) | Self::TakeError(()) => {
                &[InvalidInput]
            }
            Self::SendTo(_) => SEND_TO,
            Self::ReceiveFrom(()) => RECEIVE_FROM,
            Self::JoinGroup(_) => {
                &[InvalidInput, AddressInUse, AddressFamilyNotSupported, NoBufferSpace, Unsupported]
            }
            Self::LeaveGroup(_) => {
                &[InvalidInput, AddressNotAvailable, AddressFamilyNotSupported, Unsupported]
            }
            Self::ReceiveError(()) => &[InvalidInput, Unsupported],
            Self::Peek(_) => PEEK,
            Self::Watch(_)
            | Self::WatchEvents(_)
            | Self::GetCapture(())
            | Self::ListCaptureInterfaces(())
            | Self::ExportConfiguration(_) => &[InvalidInput],
            Self::Capture(_) => &[InvalidInput, NoBufferSpace, NetworkDown],
            Self::ApplyConfiguration(_) | Self::CheckConfiguration(_) => CONFIGURATION,
            Self::SwitchRadio(_) => SWITCH_RADIO,
            Self::ChangeRouter(_) => &[InvalidInput, NotFound, NoBufferSpace, Unsupported],
        }
    }
}

impl wireless::Request {
    /// The errors that this command can answer beside the [common](COMMON) ones.
    #[must_use]
    pub const fn errors(&self) -> &'static [Error] {
        match self {
            Self::GetRadio(())
            | Self::ListNetworks(())
            | Self::LeaveNetwork(())
            | Self::StopAccessPoint(())
            | Self::ListStations(())
            | Self::SetPower(_)
            | Self::SetPowerSave(_)
            | Self::KeepRole(()) => &[],
            Self::ScanNetworks(_) => &[InvalidInput, NetworkDown],
            Self::JoinNetwork(_) | Self::SwitchRole(_) => JOIN_NETWORK,
            Self::StartAccessPoint(_) => &[InvalidInput, NetworkDown, AlreadyConnected],
            Self::RemoveStation(_) => &[NotFound],
            Self::SetTransmitPower(_) => &[InvalidInput],
            Self::SetCountry(_) => &[InvalidInput, Unsupported, AlreadyConnected],
        }
    }
}
