//! Words about the DHCPv4 client.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::address::Prefix;
use crate::words::words;

/// What the client tells the server.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DhcpOptions {
    /// Host name option (12), at most 63 bytes.
    pub hostname: Option<String>,
    /// Address to ask for first.
    pub requested: Option<Ipv4Addr>,
}

/// The client's state (RFC 2131 figure 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DhcpState {
    /// Not running.
    Stopped,
    /// Waits for the link.
    Init,
    /// Asks who offers an address.
    Selecting,
    /// Asked for an offered address.
    Requesting,
    /// Asks for the former address again.
    Rebooting,
    /// Makes sure that nobody else uses the address.
    Checking,
    /// Has a lease.
    Bound,
    /// Asks its server for more time.
    Renewing,
    /// Asks any server for more time.
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
    /// Where the client stands.
    pub state: DhcpState,
    /// The lease, if there is one.
    pub lease: Option<DhcpLease>,
    /// Messages sent since the last progress.
    pub attempts: u32,
}

/// What a server granted.
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
    /// Seconds of the whole lease.
    pub lease_seconds: u32,
    /// Seconds until renewal; 0 when it is due.
    pub renew_seconds: u32,
    /// Seconds until rebinding; 0 when it is due.
    pub rebind_seconds: u32,
    /// Seconds until the end.
    pub remaining_seconds: u32,
}
