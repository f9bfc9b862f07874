//! The grants of a guest: named capabilities and limits, nothing else.
//!
//! [`Grants`] is plain data, built in Rust, from command-line options or from a manifest
//! ([`parse`]). It makes no decision that needs time or a name server; `policy` checks a guest's
//! commands against it.

pub mod parse;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::RangeInclusive;

use devnet_network::address::Prefix;
use devnet_virtual_file_system::Path;

use crate::limits;
pub use parse::GrantError;

/// The access level of a grant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and change.
    Write,
}

/// Interfaces that a guest sees; it sees no others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceGrant {
    /// The interface's name; `*` for all, present and future.
    pub name: String,
    /// Whether the guest may change it too.
    pub access: Access,
}

/// A file, or a directory with everything below it. It never includes the network's devices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileGrant {
    /// The file or directory.
    pub path: Path,
    /// Whether the guest may change it too.
    pub access: Access,
}

/// A set of hosts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Host {
    /// All hosts.
    Any,
    /// The hosts with an address in this prefix.
    Prefix(Prefix),
    /// The host with this name, at whatever addresses it currently resolves to; lower case, without
    /// a final dot.
    Name(String),
    /// Hosts whose names end with this suffix, such as `.lan`. It applies to lookups of names only:
    /// an address alone has no name to compare.
    Suffix(String),
}

/// Remote addresses that a guest may reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remote {
    /// The hosts.
    pub host: Host,
    /// The ports; none for all ports and for ICMP.
    pub ports: Option<RangeInclusive<u16>>,
}

/// A transport protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

/// Local ports that a guest may bind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalPorts {
    /// The protocol; none for both.
    pub transport: Option<Transport>,
    /// The ports; 0 is an ephemeral port.
    pub ports: RangeInclusive<u16>,
}

/// The resource limits of a guest.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Open files, streams included.
    pub files: usize,
    /// Sockets.
    pub sockets: usize,
    /// Bytes of all socket buffers together.
    pub buffer_bytes: usize,
    /// Bytes per second in each direction over all sockets; none for unlimited.
    pub bandwidth: Option<u64>,
    /// Bytes of memory.
    pub memory_bytes: usize,
    /// Bytes that it stores in files, with their overhead.
    pub storage_bytes: usize,
    /// Files and directories that it creates.
    pub nodes: usize,
    /// Fuel per second, about one unit per instruction; none for unlimited.
    pub fuel_per_second: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: limits::FILES,
            sockets: limits::SOCKETS,
            buffer_bytes: limits::BUFFER_BYTES,
            bandwidth: None,
            memory_bytes: limits::MEMORY_BYTES,
            storage_bytes: limits::STORAGE_BYTES,
            nodes: limits::NODES,
            fuel_per_second: None,
        }
    }
}

/// All grants of a guest. By default it has only its standard streams.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Grants {
    /// Interfaces that it sees.
    pub interfaces: Vec<InterfaceGrant>,
    /// The commands that it may send, by name or by noun (`address`, `route`, …); none for all that
    /// the other grants allow.
    pub commands: Option<Vec<String>>,
    /// Remote addresses that it may reach. It may look up their names too.
    pub connect: Vec<Remote>,
    /// Local ports that it may bind and serve.
    pub listen: Vec<LocalPorts>,
    /// Permitted sources; empty for all.
    pub from: Vec<Prefix>,
    /// Raw sockets, if it also sees the interfaces whose traffic they show.
    pub raw: bool,
    /// Files and directories.
    pub files: Vec<FileGrant>,
    /// Resource limits.
    pub limits: Limits,
}

impl Grants {
    /// Returns the access to the interface of this name; `None` if it is not visible.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<Access> {
        let fits = |grant: &&InterfaceGrant| grant.name == "*" || grant.name == name;
        self.interfaces.iter().filter(fits).map(|grant| grant.access).max()
    }

    /// Returns the access to all interfaces, future ones included.
    #[must_use]
    pub fn all_interfaces(&self) -> Option<Access> {
        self.interfaces.iter().filter(|grant| grant.name == "*").map(|grant| grant.access).max()
    }

    /// Returns the access to a file; `None` if it is not visible.
    #[must_use]
    pub fn file(&self, path: &Path) -> Option<Access> {
        let fits = |grant: &&FileGrant| *path == grant.path || path.is_below(&grant.path);
        self.files.iter().filter(fits).map(|grant| grant.access).max()
    }

    /// True if any grant concerns sockets.
    #[must_use]
    pub fn has_sockets(&self) -> bool {
        self.raw || !self.connect.is_empty() || !self.listen.is_empty()
    }

    /// True if the guest sees a network device.
    pub(crate) fn has_devices(&self) -> bool {
        self.has_sockets() || !self.interfaces.is_empty()
    }

    /// Whether a command is granted; the noun is its group in the command table.
    #[must_use]
    pub fn command(&self, name: &str, noun: &str) -> bool {
        self.commands.as_ref().is_none_or(|commands| {
            commands.iter().any(|allowed| allowed == name || allowed == noun)
        })
    }

    /// Whether a remote address is granted directly. A port of `None` stands for all ports, or for
    /// a protocol without ports.
    #[must_use]
    pub fn remote(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.connect
            .iter()
            .any(|remote| remote.includes_port(port) && remote.host.includes(address))
    }

    /// Whether an address is granted at one port at least.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> bool {
        self.connect.iter().any(|remote| remote.host.includes(address))
    }

    /// Whether a name may be looked up.
    #[must_use]
    pub fn name(&self, name: &str) -> bool {
        self.connect.iter().any(|remote| remote.host == Host::Any || remote.host.is_called(name))
    }

    /// Whether it may bind a local port.
    #[must_use]
    pub fn local(&self, transport: Transport, port: u16) -> bool {
        let is_named =
            |granted: &LocalPorts| granted.transport.is_none_or(|only| only == transport);
        self.listen.iter().any(|granted| is_named(granted) && granted.ports.contains(&port))
    }

    /// Whether an address may reach it at the granted local ports.
    #[must_use]
    pub fn reachable_from(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        self.from.is_empty() || self.from.iter().any(|prefix| prefix.contains(address))
    }
}

impl Host {
    /// Whether an address belongs to these hosts, whatever its names.
    #[must_use]
    pub fn includes(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(prefix) => prefix.contains(canonical(address)),
            Self::Name(_) | Self::Suffix(_) => false,
        }
    }

    /// Whether a name belongs to these hosts. [`Any`](Self::Any) matches no name: it grants every
    /// address, so names do not matter.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        match self {
            Self::Any | Self::Prefix(_) => false,
            Self::Name(granted) => is_same_name(granted, name),
            Self::Suffix(suffix) => has_suffix(name, suffix),
        }
    }
}

impl Remote {
    /// A grant without ports includes every port; one with ports includes only those, never all
    /// ports.
    #[must_use]
    pub fn includes_port(&self, port: Option<u16>) -> bool {
        match (&self.ports, port) {
            (None, _) => true,
            (Some(ports), Some(port)) => ports.contains(&port),
            (Some(_), None) => false,
        }
    }
}

/// Returns the address to which packets are really sent: an IPv4-mapped address is its IPv4
/// address, and the unspecified address is this system, as on Linux.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    }
}

/// True for an address that is not one of the internet: unspecified, loopback, link-local, private
/// (RFC 1918, RFC 6598, RFC 4193), multicast or broadcast, also behind NAT64's prefix. A grant of a
/// name does not include it, because whoever owns the name decides where it leads.
#[must_use]
pub fn is_near(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_loopback()
                || address.is_link_local()
                || address.is_private()
                || first == 0
                || (first == 100 && second & 0xc0 == 64)
                || first >= 224
        }
        IpAddr::V6(address) => {
            let [first, second, .., high, low] = address.segments();
            let embedded = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
            address.is_loopback()
                || address.is_multicast()
                || first & 0xfe00 == 0xfc00
                || first & 0xff80 == 0xfe80
                || (first == 0x64 && second == 0xff9b && is_near(IpAddr::V4(embedded)))
        }
    }
}

pub(crate) fn without_final_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn is_same_name(granted: &str, name: &str) -> bool {
    granted.eq_ignore_ascii_case(without_final_dot(name))
}

/// `.lan` matches `web.lan` and not `lan`.
fn has_suffix(name: &str, suffix: &str) -> bool {
    let name = without_final_dot(name).as_bytes();
    let Some(start) = name.len().checked_sub(suffix.len()).filter(|start| *start > 0) else {
        return false;
    };
    name.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
}

#[cfg(test)]
mod tests;
