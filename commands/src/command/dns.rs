//! Types of DNS commands.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::address::Origin;
use super::record::{RecordType, ResourceRecord};

/// One DNS server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DnsServer {
    /// Its address; the port is 53.
    pub address: IpAddr,
    /// Its origin.
    pub origin: Origin,
    /// Its interface; empty for the resolver's own.
    pub interface: String,
}

/// The record types to look up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RecordKind {
    /// IPv4 and IPv6 addresses, queried at once.
    Address,
    /// IPv4 addresses (A).
    A,
    /// IPv6 addresses (AAAA).
    Aaaa,
    /// The canonical name (CNAME).
    Cname,
    /// The name of an address (PTR).
    Ptr,
}

/// A question to the resolver.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Question {
    /// The name, or for `Ptr` an address as text. A literal address needs no server.
    pub name: String,
    /// The record types.
    pub kind: RecordKind,
    /// Query this server only, instead of the configured ones.
    pub server: Option<SocketAddr>,
}

/// The data of a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RecordData {
    /// An address (A or AAAA).
    Address(IpAddr),
    /// The canonical name (CNAME).
    Cname(String),
    /// The name of an address (PTR).
    Ptr(String),
}

/// One record of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The name of the record.
    pub name: String,
    /// The data.
    pub data: RecordData,
    /// The time to live in seconds.
    pub time_to_live: u32,
}

/// The result of a lookup. A name that does not exist is the error `NotFound`; a name without
/// records of the requested type is an answer with none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The server that answered; none when no server was queried.
    pub server: Option<SocketAddr>,
    /// The records, aliases first.
    pub records: Vec<Record>,
}

impl Answer {
    /// The addresses among the records, in order.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.records.iter().filter_map(|record| match record.data {
            RecordData::Address(address) => Some(address),
            RecordData::Cname(_) | RecordData::Ptr(_) => None,
        })
    }
}

/// A question for records of any type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Query {
    /// The name; empty for the root.
    pub name: String,
    /// The type of the records.
    pub record_type: RecordType,
    /// Query this server only, instead of the configured ones.
    pub server: Option<SocketAddr>,
    /// Use TCP at once, and not only when the answer is truncated.
    pub stream: bool,
    /// Look in the search domains, too.
    pub search: bool,
    /// Ask the server to ask others.
    pub recursion: bool,
    /// The longest time for an answer in milliseconds; 0 for the resolver's own.
    pub timeout_milliseconds: u32,
}

impl Query {
    /// A question for the configured servers.
    #[must_use]
    pub const fn new(name: String, record_type: RecordType) -> Self {
        Self {
            name,
            record_type,
            server: None,
            stream: false,
            search: false,
            recursion: true,
            timeout_milliseconds: 0,
        }
    }
}

/// What a server answered to a [`Query`]; also that there is no such name, or that it failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// The server that answered.
    pub server: SocketAddr,
    /// The identifier of the message.
    pub identifier: u16,
    /// The flags of its header (RFC 1035 §4.1.1).
    pub flags: u16,
    /// The response code: 0 for no error, 3 when there is no such name.
    pub code: u16,
    /// The name that was asked for, with the search domain if that found it.
    pub name: String,
    /// The bytes of UDP messages that the server takes, if it knows EDNS.
    pub payload: Option<u16>,
    /// The bytes of the message.
    pub bytes: u32,
    /// The answer: aliases first, then the records of the type.
    pub answers: Vec<ResourceRecord>,
    /// What is said of the zones of the name, as of a zone in which it does not exist.
    pub authority: Vec<ResourceRecord>,
    /// Addresses of hosts that the other records name.
    pub additional: Vec<ResourceRecord>,
}

/// An answer that is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CacheEntry {
    /// The name that was asked for.
    pub name: String,
    /// The type.
    pub record_type: RecordType,
    /// The response code: 0, or 3 when there is no such name.
    pub code: u16,
    /// Seconds for which it answers questions; 0 when it is stale.
    pub seconds: u32,
    /// The server that said so.
    pub server: SocketAddr,
    /// The interface whose device was asked; empty for `/devices/sockets`.
    pub interface: String,
    /// The records; none when there are none.
    pub records: Vec<ResourceRecord>,
}

/// An option of the resolver.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ResolverOption {
    /// Dots from which on a name is tried as it is before the search domains; 1 unless set.
    Dots(u8),
    /// The longest time of a lookup in milliseconds, 0 for none; 30,000 unless set.
    Timeout(u32),
    /// Seconds for which an answer is kept beyond its time, to answer when no server does (RFC
    /// 8767); 0 unless set.
    Stale(u32),
    /// Answers that are kept, 0 for none; 256 unless set.
    CacheEntries(u32),
    /// Names are asked for in large and small letters by chance, which the answer must repeat; on
    /// unless set.
    MixedCase(bool),
}

/// A server that is asked over TLS (RFC 7858), whoever named it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SecureServer {
    /// Its address.
    pub address: IpAddr,
    /// The name in its certificate (RFC 8310), or its address as text.
    pub name: String,
    /// Its port.
    pub port: u16,
}

impl SecureServer {
    /// The port of DNS over TLS.
    pub const PORT: u16 = 853;
}

/// What is changed about servers that are asked over TLS.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum DnsSecurityChange {
    /// A server is asked over TLS from now on, and never in clear text.
    Add(SecureServer),
    /// The server with this address is asked as any other.
    Remove(IpAddr),
    /// Servers that are not asked over TLS are not asked at all, or are.
    Require(bool),
}

/// Which servers are asked over TLS.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DnsSecurity {
    /// They alone are asked.
    pub is_required: bool,
    /// Those that have a name, also if no interface has them at the moment.
    pub servers: Vec<SecureServer>,
}

/// A domain in which short names are looked up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SearchDomain {
    /// The domain.
    pub domain: String,
    /// Its origin.
    pub origin: Origin,
    /// Its interface; empty for the system's own.
    pub interface: String,
}

/// How names are resolved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResolverStatus {
    /// The options, one each.
    pub options: Vec<ResolverOption>,
    /// The search domains in order.
    pub domains: Vec<SearchDomain>,
}

/// A host with an address, which no server is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HostEntry {
    /// The address.
    pub address: IpAddr,
    /// Its names; the first is that of the address.
    pub names: Vec<String>,
}

/// A change of the hosts table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum HostsChange {
    /// These are the hosts from now on.
    Replace(Vec<HostEntry>),
    /// One more; names of a known address are added to it.
    Add(HostEntry),
    /// Every name of an address goes.
    Remove(IpAddr),
}
