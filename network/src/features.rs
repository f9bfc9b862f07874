//! Which commands this build executes: a protocol that is left out by its feature has no command,
//! and neither has a part of the control plane that is.
//!
//! Numbers and bytes of the table are the same in every build. `control` asks here before it looks
//! at anything but the authority, and refuses the rest with `Unsupported`; a line of text is the
//! same [`Request`], and is refused in the same way. What is not built costs no code: requests are
//! not decoded, and `control` has nothing that executes them.

use core::net::IpAddr;

use devnet_virtual_file_system::{Build, ControlCommand, Identifier};

use crate::command::option::SocketOption;
use crate::command::socket::SocketKind;
use crate::command::table::{self, Request};

/// The commands of this build, which decodes no others.
pub(crate) enum Built {}

impl Build for Built {
    const COMMANDS: [bool; 256] = {
        let mut commands = [false; 256];
        let mut rest = table::TABLE;
        while let [first, others @ ..] = rest {
            #[expect(clippy::indexing_slicing, reason = "a number is below 256")]
            {
                commands[first.identifier.number() as usize] = is_built(first.identifier);
            }
            rest = others;
        }
        commands
    };
}

/// True when addresses of this family can be used.
pub(crate) const fn has_family(address: IpAddr) -> bool {
    cfg!(feature = "ipv6") || address.is_ipv4()
}

/// True unless the command belongs to what is left out.
pub(crate) const fn is_built(command: Identifier) -> bool {
    has_protocol(command)
        && has_form(command)
        && has_firewall(command)
        && has_part(command)
        && has_change(command)
}

/// True when commands of this type are built: a constant that leaves their code out.
pub(crate) const fn has<C: ControlCommand>() -> bool {
    is_built(C::IDENTIFIER)
}

/// True unless the command belongs to a protocol that is left out.
#[allow(clippy::match_like_matches_macro, reason = "features decide whether all arms are alike")]
const fn has_protocol(command: Identifier) -> bool {
    match command {
        table::GetSynCookies::IDENTIFIER
        | table::Listen::IDENTIFIER
        | table::NextConnection::IDENTIFIER
        | table::Accept::IDENTIFIER
        | table::Shutdown::IDENTIFIER
        | table::EndConnection::IDENTIFIER
        | table::GetConnection::IDENTIFIER
        | table::GetStreamStatistics::IDENTIFIER => cfg!(feature = "tcp"),
        table::ListDnsServers::IDENTIFIER
        | table::AddDnsServer::IDENTIFIER
        | table::RemoveDnsServer::IDENTIFIER
        | table::Resolve::IDENTIFIER
        | table::QueryRecords::IDENTIFIER
        | table::ListDnsCache::IDENTIFIER
        | table::FlushDnsCache::IDENTIFIER
        | table::SetResolverOption::IDENTIFIER
        | table::GetResolver::IDENTIFIER
        | table::SetSearchDomains::IDENTIFIER
        | table::ListHosts::IDENTIFIER
        | table::ChangeHosts::IDENTIFIER => cfg!(feature = "dns"),
        table::ChangeDnsSecurity::IDENTIFIER | table::GetDnsSecurity::IDENTIFIER => {
            cfg!(feature = "dns-over-tls")
        }
        table::SetMulticastDns::IDENTIFIER
        | table::ListMulticastDns::IDENTIFIER
        | table::ChangeServices::IDENTIFIER
        | table::BrowseServices::IDENTIFIER => cfg!(feature = "mdns"),
        table::StartDhcp::IDENTIFIER
        | table::StopDhcp::IDENTIFIER
        | table::RenewDhcp::IDENTIFIER
        | table::GetDhcp::IDENTIFIER
        | table::AwaitDhcp::IDENTIFIER
        | table::StartDhcpClient::IDENTIFIER
        | table::SetFallback::IDENTIFIER
        | table::GetFallback::IDENTIFIER
        | table::ListDhcpOptions::IDENTIFIER => cfg!(feature = "dhcp"),
        table::SetDhcp6Client::IDENTIFIER
        | table::RenewDhcp6::IDENTIFIER
        | table::GetDhcp6::IDENTIFIER
        | table::AwaitDhcp6::IDENTIFIER
        | table::SetDhcp6Server::IDENTIFIER
        | table::GetDhcp6Server::IDENTIFIER
        | table::SetDownstream::IDENTIFIER => cfg!(feature = "dhcp6"),
        table::StartDhcpServer::IDENTIFIER
        | table::StopDhcpServer::IDENTIFIER
        | table::GetDhcpServer::IDENTIFIER
        | table::ListDhcpLeases::IDENTIFIER
        | table::ChangeDhcpLeases::IDENTIFIER => cfg!(feature = "dhcp-server"),
        table::SetAdvertisement::IDENTIFIER
        | table::ChangeRouter::IDENTIFIER
        | table::GetRouter::IDENTIFIER
        | table::SetAutoconfiguration::IDENTIFIER
        | table::ListAutoconfiguration::IDENTIFIER
        | table::ListRoutePreferences::IDENTIFIER => cfg!(feature = "ipv6"),
        table::AddGroup::IDENTIFIER
        | table::RemoveGroup::IDENTIFIER
        | table::JoinGroup::IDENTIFIER
        | table::LeaveGroup::IDENTIFIER => cfg!(feature = "multicast"),
        table::SwitchRadio::IDENTIFIER => cfg!(feature = "wireless"),
        _ => true,
    }
}

/// True unless the command belongs to a form of telling and being told that is left out.
#[allow(clippy::match_like_matches_macro, reason = "features decide whether all arms are alike")]
const fn has_form(command: Identifier) -> bool {
    match command {
        table::WatchServices::IDENTIFIER => cfg!(all(feature = "events", feature = "mdns")),
        table::WatchEvents::IDENTIFIER => cfg!(feature = "events"),
        table::Watch::IDENTIFIER => cfg!(all(feature = "events", feature = "commands-as-text")),
        table::GetLastError::IDENTIFIER
        | table::GetMetrics::IDENTIFIER
        | table::ExportConfiguration::IDENTIFIER
        | table::ApplyConfiguration::IDENTIFIER
        | table::CheckConfiguration::IDENTIFIER => cfg!(feature = "commands-as-text"),
        table::Capture::IDENTIFIER
        | table::GetCapture::IDENTIFIER
        | table::ListCaptureInterfaces::IDENTIFIER => cfg!(feature = "capture"),
        _ => true,
    }
}

/// True unless the command is about the firewall, and that is left out.
#[allow(clippy::match_like_matches_macro, reason = "features decide whether all arms are alike")]
const fn has_firewall(command: Identifier) -> bool {
    match command {
        table::AddFirewallRule::IDENTIFIER
        | table::ReplaceFirewallRule::IDENTIFIER
        | table::RemoveFirewallRule::IDENTIFIER
        | table::FlushFirewallRules::IDENTIFIER
        | table::SetFirewallPolicy::IDENTIFIER
        | table::SetFirewallProfile::IDENTIFIER
        | table::ListFirewall::IDENTIFIER
        | table::ResetFirewall::IDENTIFIER
        | table::ListFlows::IDENTIFIER
        | table::FlushFlows::IDENTIFIER => cfg!(feature = "firewall"),
        _ => true,
    }
}

/// True unless the command belongs to a part of the control plane that is left out.
#[allow(clippy::match_like_matches_macro, reason = "features decide whether all arms are alike")]
const fn has_part(command: Identifier) -> bool {
    match command {
        table::CreateSocket::IDENTIFIER
        | table::Bind::IDENTIFIER
        | table::Connect::IDENTIFIER
        | table::Listen::IDENTIFIER
        | table::NextConnection::IDENTIFIER
        | table::Accept::IDENTIFIER
        | table::GetSocket::IDENTIFIER
        | table::Shutdown::IDENTIFIER
        | table::SetOption::IDENTIFIER
        | table::SendTo::IDENTIFIER
        | table::ReceiveFrom::IDENTIFIER
        | table::GetOptions::IDENTIFIER
        | table::TakeError::IDENTIFIER
        | table::JoinGroup::IDENTIFIER
        | table::LeaveGroup::IDENTIFIER
        | table::ReceiveError::IDENTIFIER
        | table::GetStreamStatistics::IDENTIFIER
        | table::Peek::IDENTIFIER
        | table::GetFurtherOptions::IDENTIFIER => cfg!(feature = "sockets-as-files"),
        table::ListInterfaces::IDENTIFIER
        | table::GetStatistics::IDENTIFIER
        | table::GetSynCookies::IDENTIFIER
        | table::ListUsage::IDENTIFIER
        | table::ListDrops::IDENTIFIER
        | table::ListCounters::IDENTIFIER
        | table::ListInterfaceDetails::IDENTIFIER
        | table::ListAddressDetails::IDENTIFIER
        | table::ListAutoconfiguration::IDENTIFIER
        | table::GetRouter::IDENTIFIER
        | table::GetFallback::IDENTIFIER
        | table::ListRoutes::IDENTIFIER
        | table::FindRoute::IDENTIFIER
        | table::ListRoutePreferences::IDENTIFIER
        | table::ListRouteDetails::IDENTIFIER
        | table::ListMultipathRoutes::IDENTIFIER
        | table::FindFlowRoute::IDENTIFIER
        | table::ListDnsCache::IDENTIFIER
        | table::GetResolver::IDENTIFIER
        | table::ListHosts::IDENTIFIER
        | table::ListMulticastDns::IDENTIFIER
        | table::ListDhcpOptions::IDENTIFIER
        | table::ListNeighbors::IDENTIFIER
        | table::ListProxies::IDENTIFIER
        | table::ListSockets::IDENTIFIER
        | table::ListGroups::IDENTIFIER
        | table::ListGroupDetails::IDENTIFIER
        | table::GetConnection::IDENTIFIER
        | table::ListFirewall::IDENTIFIER
        | table::ListFlows::IDENTIFIER
        | table::ListSystemOptions::IDENTIFIER => cfg!(feature = "lists"),
        _ => true,
    }
}

/// True unless the command changes something that is left out.
#[allow(clippy::match_like_matches_macro, reason = "features decide whether all arms are alike")]
const fn has_change(command: Identifier) -> bool {
    match command {
        table::SetInterfaceOption::IDENTIFIER
        | table::FlushAddresses::IDENTIFIER
        | table::ReplaceAddresses::IDENTIFIER
        | table::SetAddress::IDENTIFIER
        | table::SetAutoconfiguration::IDENTIFIER
        | table::ChangeRouter::IDENTIFIER
        | table::SetFallback::IDENTIFIER
        | table::SetRoute::IDENTIFIER
        | table::SetMultipathRoute::IDENTIFIER
        | table::RemoveRoutes::IDENTIFIER
        | table::QueryRecords::IDENTIFIER
        | table::FlushDnsCache::IDENTIFIER
        | table::SetResolverOption::IDENTIFIER
        | table::SetSearchDomains::IDENTIFIER
        | table::ChangeHosts::IDENTIFIER
        | table::AddNeighbor::IDENTIFIER
        | table::AddGroup::IDENTIFIER
        | table::RemoveGroup::IDENTIFIER
        | table::AddProxy::IDENTIFIER
        | table::RemoveProxy::IDENTIFIER
        | table::RemoveNeighbor::IDENTIFIER
        | table::FlushNeighbors::IDENTIFIER
        | table::StartDhcpClient::IDENTIFIER
        | table::EndConnection::IDENTIFIER
        | table::SetSystemOption::IDENTIFIER => cfg!(feature = "details"),
        _ => true,
    }
}

/// True when the features of this build include what the command needs; else executing it
/// fails with `Unsupported`.
pub(crate) fn is_supported(request: &Request) -> bool {
    is_built(request.identifier())
        && has_what_it_names(request)
        && (cfg!(feature = "ipv6") || !needs_ipv6(request))
}

/// True unless what the command is told belongs to a protocol that is left out.
fn has_what_it_names(request: &Request) -> bool {
    match request {
        Request::CreateSocket(kind) => match kind {
            SocketKind::Tcp => cfg!(feature = "tcp"),
            SocketKind::Udp => cfg!(feature = "udp"),
            SocketKind::Icmp => cfg!(feature = "icmp"),
            SocketKind::Raw(_) | SocketKind::Raw6(_) => cfg!(feature = "raw"),
        },
        Request::SetOption(
            SocketOption::MulticastInterface(_)
            | SocketOption::MulticastHopLimit(_)
            | SocketOption::MulticastLoop(_),
        ) => cfg!(feature = "multicast"),
        Request::WatchEvents(options) => options.records || cfg!(feature = "commands-as-text"),
        Request::WatchServices(watch) => watch.records || cfg!(feature = "commands-as-text"),
        _ => true,
    }
}

/// True for a command about IPv6, or about an IPv6 address.
fn needs_ipv6(request: &Request) -> bool {
    match request {
        Request::CreateSocket(SocketKind::Raw6(_))
        | Request::SetOption(SocketOption::OnlyIpv6(_)) => true,
        Request::AddAddress(new) => new.prefix.address().is_ipv6(),
        Request::RemoveAddress(prefix) => prefix.address().is_ipv6(),
        Request::ReplaceAddresses(all) => all.iter().any(|new| new.prefix.address().is_ipv6()),
        Request::AddRoute(new) => new.destination.address().is_ipv6(),
        Request::SetAddress(change) => change.prefix.address().is_ipv6(),
        Request::SetRoute(change) => change.destination.address().is_ipv6(),
        Request::SetMultipathRoute(change) => change.route.destination.address().is_ipv6(),
        Request::FindFlowRoute(flow) => flow.destination.is_ipv6(),
        Request::RemoveRoutes(filter) => {
            filter.ipv6 == Some(true)
                || filter.destination.is_some_and(|prefix| prefix.address().is_ipv6())
        }
        Request::RemoveRoute(selector) => selector.destination.address().is_ipv6(),
        Request::AddNeighbor(new) => new.address.is_ipv6(),
        Request::FindRoute(address)
        | Request::AddDnsServer(address)
        | Request::RemoveDnsServer(address)
        | Request::AddGroup(address)
        | Request::RemoveGroup(address)
        | Request::AddProxy(address)
        | Request::RemoveProxy(address)
        | Request::RemoveNeighbor(address) => address.is_ipv6(),
        Request::Bind(address) | Request::Connect(address) => address.is_ipv6(),
        Request::SendTo(datagram) => datagram.remote.is_ipv6(),
        Request::JoinGroup(membership) | Request::LeaveGroup(membership) => {
            membership.group.is_ipv6()
        }
        _ => false,
    }
}
