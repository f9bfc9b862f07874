//! Which commands this build executes: a protocol that is left out by its feature has no command.
//!
//! Numbers and bytes of the table are the same in every build. `control` asks here before it looks
//! at anything but the authority, and refuses the rest with `Unsupported`; a line of text is the
//! same [`Request`], and is refused in the same way.

use core::net::IpAddr;

use super::option::SocketOption;
use super::socket::SocketKind;
use super::table::Request;

/// True when addresses of this family can be used.
pub(crate) const fn has_family(address: IpAddr) -> bool {
    cfg!(feature = "ipv6") || address.is_ipv4()
}

impl Request {
    /// True when the features of this build include what the command needs; else executing it
    /// fails with `Unsupported`.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        self.has_protocol() && (cfg!(feature = "ipv6") || !self.needs_ipv6())
    }

    /// True unless the command belongs to a protocol that is left out.
    fn has_protocol(&self) -> bool {
        match self {
            Self::CreateSocket(kind) => match kind {
                SocketKind::Tcp => cfg!(feature = "tcp"),
                SocketKind::Udp => cfg!(feature = "udp"),
                SocketKind::Icmp => cfg!(feature = "icmp"),
                SocketKind::Raw(_) | SocketKind::Raw6(_) => cfg!(feature = "raw"),
            },
            Self::GetSynCookies(())
            | Self::Listen(_)
            | Self::NextConnection(())
            | Self::Accept(_)
            | Self::Shutdown(_)
            | Self::EndConnection(_)
            | Self::GetConnection(_)
            | Self::GetStreamStatistics(()) => cfg!(feature = "tcp"),
            Self::ListDnsServers(())
            | Self::AddDnsServer(_)
            | Self::RemoveDnsServer(_)
            | Self::Resolve(_)
            | Self::QueryRecords(_)
            | Self::ListDnsCache(())
            | Self::FlushDnsCache(())
            | Self::SetResolverOption(_)
            | Self::GetResolver(())
            | Self::SetSearchDomains(_)
            | Self::ListHosts(())
            | Self::ChangeHosts(_) => cfg!(feature = "dns"),
            Self::StartDhcp(_)
            | Self::StopDhcp(())
            | Self::RenewDhcp(())
            | Self::GetDhcp(())
            | Self::AwaitDhcp(_)
            | Self::StartDhcpClient(_)
            | Self::ListDhcpOptions(()) => cfg!(feature = "dhcp"),
            Self::StartDhcpServer(_)
            | Self::StopDhcpServer(())
            | Self::GetDhcpServer(())
            | Self::ListDhcpLeases(())
            | Self::ChangeDhcpLeases(_) => cfg!(feature = "dhcp-server"),
            Self::SetOption(
                SocketOption::MulticastInterface(_)
                | SocketOption::MulticastHopLimit(_)
                | SocketOption::MulticastLoop(_),
            )
            | Self::JoinGroup(_)
            | Self::LeaveGroup(_) => cfg!(feature = "multicast"),
            Self::WatchEvents(options) if options.records => cfg!(feature = "events"),
            Self::Watch(_) | Self::WatchEvents(_) => {
                cfg!(all(feature = "events", feature = "commands-as-text"))
            }
            Self::GetLastError(())
            | Self::GetMetrics(())
            | Self::ExportConfiguration(_)
            | Self::ApplyConfiguration(_)
            | Self::CheckConfiguration(_) => cfg!(feature = "commands-as-text"),
            Self::Capture(_) | Self::GetCapture(()) => cfg!(feature = "capture"),
            _ => true,
        }
    }

    /// True for a command about IPv6, or about an IPv6 address.
    fn needs_ipv6(&self) -> bool {
        match self {
            Self::SetAdvertisement(_)
            | Self::ListRoutePreferences(())
            | Self::CreateSocket(SocketKind::Raw6(_))
            | Self::SetOption(SocketOption::OnlyIpv6(_)) => true,
            Self::AddAddress(new) => new.prefix.address().is_ipv6(),
            Self::RemoveAddress(prefix) => prefix.address().is_ipv6(),
            Self::ReplaceAddresses(all) => all.iter().any(|new| new.prefix.address().is_ipv6()),
            Self::AddRoute(new) => new.destination.address().is_ipv6(),
            Self::SetAddress(change) => change.prefix.address().is_ipv6(),
            Self::SetRoute(change) => change.destination.address().is_ipv6(),
            Self::RemoveRoutes(filter) => {
                filter.ipv6 == Some(true)
                    || filter.destination.is_some_and(|prefix| prefix.address().is_ipv6())
            }
            Self::RemoveRoute(selector) => selector.destination.address().is_ipv6(),
            Self::AddNeighbor(new) => new.address.is_ipv6(),
            Self::FindRoute(address)
            | Self::AddDnsServer(address)
            | Self::RemoveDnsServer(address)
            | Self::RemoveNeighbor(address) => address.is_ipv6(),
            Self::Bind(address) | Self::Connect(address) => address.is_ipv6(),
            Self::SendTo(datagram) => datagram.remote.is_ipv6(),
            Self::JoinGroup(membership) | Self::LeaveGroup(membership) => {
                membership.group.is_ipv6()
            }
            _ => false,
        }
    }
}
