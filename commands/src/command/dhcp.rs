//! Types of DHCPv4 commands.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::dhcp_server::RawOption;
use crate::address::Prefix;
use crate::words::words;

/// Options that the client sends.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DhcpOptions {
    /// Host name option (12), at most 63 bytes.
    pub hostname: Option<String>,
    /// The address to request first.
    pub requested: Option<Ipv4Addr>,
}

/// Everything that the client can be told.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DhcpClientOptions {
    /// Host name option (12), at most 63 bytes.
    pub hostname: Option<String>,
    /// The address to request first.
    pub requested: Option<Ipv4Addr>,
    /// The client identifier (option 61, RFC 4361) from the type byte on; none for the hardware
    /// address.
    pub identifier: Option<Vec<u8>>,
    /// The vendor class identifier (option 60), at most 63 bytes.
    pub vendor_class: Option<String>,
    /// Options to ask for beside the usual ones, at most 64.
    pub request: Vec<u8>,
    /// Options to send, at most 16 of 512 bytes together; not those that have a field here, nor
    /// those that the client makes itself.
    pub send: Vec<RawOption>,
    /// IPv6 alone is enough: a network that says so (option 108, RFC 8925) gives no IPv4 address,
    /// and is asked again once its time is over.
    pub ipv6_only: bool,
}

impl DhcpClientOptions {
    /// The options of the older command, if they say everything.
    #[must_use]
    pub fn plain(&self) -> Option<DhcpOptions> {
        let Self { hostname, requested, .. } = self;
        let plain = DhcpOptions { hostname: hostname.clone(), requested: *requested };
        (*self == plain.clone().into()).then_some(plain)
    }
}

impl From<DhcpOptions> for DhcpClientOptions {
    fn from(DhcpOptions { hostname, requested }: DhcpOptions) -> Self {
        Self { hostname, requested, ..Self::default() }
    }
}

/// The client's state (RFC 2131 figure 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DhcpState {
    /// Not running.
    Stopped,
    /// Waits for the link.
    Init,
    /// Broadcasts DHCPDISCOVER.
    Selecting,
    /// Requested an offered address.
    Requesting,
    /// Requests the former address again.
    Rebooting,
    /// Probes whether another host uses the address.
    Checking,
    /// Has a lease.
    Bound,
    /// Extends the lease at its server.
    Renewing,
    /// Extends the lease at any server.
    Rebinding,
}

words! {
    DhcpState {
        Stopped => "stopped",
        Init => "init",
        Selecting => "selecting",
        Requesting => "requesting",
        Rebooting => "rebooting",
        Checking => "checking",
        Bound => "bound",
        Renewing => "renewing",
        Rebinding => "rebinding",
    }
}

/// The client's state and lease.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DhcpStatus {
    /// The client's state.
    pub state: DhcpState,
    /// The lease, if there is one.
    pub lease: Option<DhcpLease>,
    /// Messages sent since the last progress.
    pub attempts: u32,
}

/// A lease.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DhcpLease {
    /// The address with its network's prefix length.
    pub address: Prefix,
    /// The server's identifier.
    pub server: Ipv4Addr,
    /// The first router.
    pub router: Option<Ipv4Addr>,
    /// The name servers.
    pub dns_servers: Vec<IpAddr>,
    /// The domain name (option 15).
    pub domain: Option<String>,
    /// The lease time in seconds.
    pub lease_seconds: u32,
    /// Seconds until renewal (T1); 0 when it is due.
    pub renew_seconds: u32,
    /// Seconds until rebinding (T2); 0 when it is due.
    pub rebind_seconds: u32,
    /// Seconds until the lease ends.
    pub remaining_seconds: u32,
}
