//! What a guest may: named grants and limits, nothing else.
//!
//! [`Grants`] is plain data, built in Rust, from words of a command line or from a manifest
//! ([`parse`]). It decides nothing that needs time or a name server; that is `policy`'s, which
//! judges a guest's commands by it.

pub mod parse;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::RangeInclusive;

use network::address::Prefix;
use virtual_file_system::Path;

use crate::limits;
pub use parse::GrantError;

/// How far a grant reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Access {
    /// Look, change nothing.
    Read,
    /// Look and change.
    Write,
}

/// Interfaces that a guest sees; all others are absent for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceGrant {
    /// The interface's name; `*` for every one, present and future.
    pub name: String,
    /// Whether it may be changed too.
    pub access: Access,
}

/// A file, or a directory and all below it. The network's devices are never reached by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileGrant {
    /// The file or directory.
    pub path: Path,
    /// Whether it may be changed too.
    pub access: Access,
}

/// Which hosts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Host {
    /// Every one.
    Any,
    /// Those with an address of this prefix.
    Prefix(Prefix),
    /// The one of this name, whatever addresses it has at the moment; lower case, without a final
    /// dot.
    Name(String),
    /// Those whose names end so, such as `.lan`; only names can be looked up by it, an address
    /// alone does not tell its name.
    Suffix(String),
}

/// Which remote ends a guest may reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remote {
    /// The hosts.
    pub host: Host,
    /// The ports; none for all of them, and for ICMP.
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

/// Which ports of ours a guest may be reached at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalPorts {
    /// The protocol; none for both.
    pub transport: Option<Transport>,
    /// The ports; 0 stands for one that the system chooses.
    pub ports: RangeInclusive<u16>,
}

/// How much of everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Open files, streams included.
    pub files: usize,
    /// Sockets.
    pub sockets: usize,
    /// Bytes of all socket buffers together.
    pub buffer_bytes: usize,
    /// Bytes per second, in each direction, over all sockets; none for no limit.
    pub bandwidth: Option<u64>,
    /// Bytes of memory.
    pub memory_bytes: usize,
    /// Fuel per second, about one unit an instruction; none for what the processor gives.
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
            fuel_per_second: None,
        }
    }
}

/// Everything that a guest was granted. The default is nothing but its standard streams.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants {
    /// Interfaces that it sees.
    pub interfaces: Vec<InterfaceGrant>,
    /// The commands that it may give, by name or by noun (`address`, `route`, …); none for all that
    /// the other grants lead to.
    pub commands: Option<Vec<String>>,
    /// Remote ends that it may reach. Those and their names may be looked up.
    pub connect: Vec<Remote>,
    /// Ports at which it may be reached.
    pub listen: Vec<LocalPorts>,
    /// Who may reach it there; empty for everybody.
    pub from: Vec<Prefix>,
    /// Raw sockets, if it also sees the interfaces they would show.
    pub raw: bool,
    /// Files and directories.
    pub files: Vec<FileGrant>,
    /// How much.
    pub limits: Limits,
}

impl Grants {
    /// What it may do with the interface of this name; `None` if it is absent.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<Access> {
        let fits = |grant: &&InterfaceGrant| grant.name == "*" || grant.name == name;
        self.interfaces.iter().filter(fits).map(|grant| grant.access).max()
    }

    /// What it may do with every interface, future ones too.
    #[must_use]
    pub fn all_interfaces(&self) -> Option<Access> {
        self.interfaces.iter().filter(|grant| grant.name == "*").map(|grant| grant.access).max()
    }

    /// What it may do with a file; `None` if it is absent.
    #[must_use]
    pub fn file(&self, path: &Path) -> Option<Access> {
        let fits = |grant: &&FileGrant| *path == grant.path || path.is_below(&grant.path);
        self.files.iter().filter(fits).map(|grant| grant.access).max()
    }

    /// True when it has to do with sockets at all.
    #[must_use]
    pub fn has_sockets(&self) -> bool {
        self.raw || !self.connect.is_empty() || !self.listen.is_empty()
    }

    /// Whether a command may be given at all; the noun is the table's group that it belongs to.
    #[must_use]
    pub fn command(&self, name: &str, noun: &str) -> bool {
        self.commands.as_ref().is_none_or(|commands| {
            commands.iter().any(|allowed| allowed == name || allowed == noun)
        })
    }

    /// Whether a remote end is granted by its address. A port of `None` asks for all of them, or
    /// for a protocol without.
    #[must_use]
    pub fn remote(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.connect
            .iter()
            .any(|remote| remote.includes_port(port) && remote.host.includes(address))
    }

    /// Whether an address is granted at some port at least.
    #[must_use]
    pub fn address(&self, address: IpAddr) -> bool {
        self.connect.iter().any(|remote| remote.host.includes(address))
    }

    /// Whether a name may be looked up.
    #[must_use]
    pub fn name(&self, name: &str) -> bool {
        self.connect.iter().any(|remote| remote.host == Host::Any || remote.host.is_called(name))
    }

    /// Whether it may be reached at a port.
    #[must_use]
    pub fn local(&self, transport: Transport, port: u16) -> bool {
        let is_named =
            |granted: &LocalPorts| granted.transport.is_none_or(|only| only == transport);
        self.listen.iter().any(|granted| is_named(granted) && granted.ports.contains(&port))
    }

    /// Whether somebody may reach it at the ports that were granted.
    #[must_use]
    pub fn reachable_from(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        self.from.is_empty() || self.from.iter().any(|prefix| prefix.contains(address))
    }
}

impl Host {
    /// Whether an address is of these hosts by itself, whatever names it has.
    #[must_use]
    pub fn includes(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(prefix) => prefix.contains(canonical(address)),
            Self::Name(_) | Self::Suffix(_) => false,
        }
    }

    /// Whether a host is among these by its name; every host has an address, so [`Any`](Self::Any)
    /// is not asked for its name.
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
    /// A grant without ports includes all; one with ports includes those, and not the question for
    /// all.
    #[must_use]
    pub fn includes_port(&self, port: Option<u16>) -> bool {
        match (&self.ports, port) {
            (None, _) => true,
            (Some(ports), Some(port)) => ports.contains(&port),
            (Some(_), None) => false,
        }
    }
}

/// The address that packets really go to: an IPv4 address in IPv6 form is that IPv4 address, and
/// nowhere is this system itself, as on Linux.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    }
}

fn without_final_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn is_same_name(granted: &str, name: &str) -> bool {
    granted.eq_ignore_ascii_case(without_final_dot(name))
}

/// `.lan` includes `web.lan` and not `lan`.
fn has_suffix(name: &str, suffix: &str) -> bool {
    let name = without_final_dot(name).as_bytes();
    let Some(start) = name.len().checked_sub(suffix.len()).filter(|start| *start > 0) else {
        return false;
    };
    name.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
}

#[cfg(test)]
mod tests;
