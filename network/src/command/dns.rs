//! Types of DNS commands.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::address::Origin;

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
