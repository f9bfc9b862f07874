//! Types of commands about the DHCPv4 server of an interface.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

use crate::address::{HardwareAddress, Prefix};
use crate::words::words;

/// Addresses from the first to the last one, both included; `10.0.0.10-10.0.0.99` in text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressRange {
    /// The first address.
    pub first: Ipv4Addr,
    /// The last address, not below the first.
    pub last: Ipv4Addr,
}

impl fmt::Display for AddressRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(formatter, "{}", self.first),
            false => write!(formatter, "{}-{}", self.first, self.last),
        }
    }
}

impl FromStr for AddressRange {
    type Err = Error;

    /// Reads `FIRST-LAST`, or one address; `InvalidInput` for anything else.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let address = |text: &str| text.parse::<Ipv4Addr>().map_err(|_| Error::InvalidInput);
        let (first, last) = (address(first)?, address(last)?);
        if first > last { Err(Error::InvalidInput) } else { Ok(Self { first, last }) }
    }
}

/// An option of a DHCP message (RFC 2132) as bytes; `42:0a000001` in text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RawOption {
    /// Its number.
    pub code: u8,
    /// Its value, without the length.
    pub value: Vec<u8>,
}

impl fmt::Display for RawOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.code)?;
        write_hexadecimal(&self.value, formatter)
    }
}

impl FromStr for RawOption {
    type Err = Error;

    /// Reads `NUMBER:HEXADECIMAL`; `InvalidInput` for anything else.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (code, value) = text.split_once(':').ok_or(Error::InvalidInput)?;
        let code = code.parse().map_err(|_| Error::InvalidInput)?;
        Ok(Self { code, value: read_hexadecimal(value)? })
    }
}

/// How a client is told from the others (RFC 2131 §2): in text a hardware address, or
/// `id:HEXADECIMAL`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClientName {
    /// Its hardware address (chaddr).
    Hardware(HardwareAddress),
    /// Its client identifier (option 61, RFC 4361), from the type byte on.
    Identifier(Vec<u8>),
}

impl ClientName {
    /// The client identifier of this name: that of a hardware address has the type of Ethernet (RFC
    /// 2132 §9.14).
    #[must_use]
    pub fn identifier(self) -> Vec<u8> {
        match self {
            Self::Hardware(HardwareAddress([a, b, c, d, e, f])) => {
                alloc::vec![1, a, b, c, d, e, f]
            }
            Self::Identifier(bytes) => bytes,
        }
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hardware(address) => write!(formatter, "{address}"),
            Self::Identifier(bytes) => {
                formatter.write_str("id:")?;
                write_hexadecimal(bytes, formatter)
            }
        }
    }
}

impl FromStr for ClientName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("id:") {
            Some(digits) => read_hexadecimal(digits).map(Self::Identifier),
            None => text.parse().map(Self::Hardware).map_err(|_| Error::InvalidInput),
        }
    }
}

fn write_hexadecimal(bytes: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

/// Bytes of two hexadecimal digits each, at least one.
pub(super) fn read_hexadecimal(text: &str) -> Result<Vec<u8>, Error> {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() {
        return Err(Error::InvalidInput);
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    pairs.iter().map(byte).collect::<Option<_>>().ok_or(Error::InvalidInput)
}

/// What a server hands out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DhcpServerOptions {
    /// The addresses, at most 16 ranges, all in the network of one address of the interface.
    pub ranges: Vec<AddressRange>,
    /// Seconds of a lease; `u32::MAX` is without end (RFC 2131 §3.3), 0 is invalid.
    pub lease_seconds: u32,
    /// The routers (option 3), best first.
    pub routers: Vec<Ipv4Addr>,
    /// The name servers (option 6), best first.
    pub dns_servers: Vec<Ipv4Addr>,
    /// The domain of names without dots (option 15).
    pub domain: Option<String>,
    /// Further options. Those that the server makes itself, and those above, are invalid here.
    pub options: Vec<RawOption>,
    /// No other server is on the network: addresses that no lease is known for are refused, and a
    /// client that has a free address of a range keeps it.
    pub authoritative: bool,
    /// Offers are made without the check whether somebody uses the address.
    pub skip_check: bool,
    /// There is one client at a time: it gets the first address of the first range, and the next
    /// client takes it over, unless the former one still answers the check.
    pub single_client: bool,
}

impl DhcpServerOptions {
    /// Seconds of a lease unless something else is said.
    pub const LEASE_SECONDS: u32 = 3600;
}

/// An address that only one client gets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reservation {
    /// The address, in the server's network; in a range or beside them.
    pub address: Ipv4Addr,
    /// The client.
    pub client: ClientName,
}

/// What an address of the server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LeaseState {
    /// Offered to the client, which did not request it yet.
    Offered,
    /// The client's.
    Leased,
    /// It was the client's, who gets it again unless others need it.
    Former,
    /// Somebody else uses it: it rests for ten minutes.
    InUse,
    /// Reserved for the client, who does not have it.
    Reserved,
}

words! {
    LeaseState {
        Offered => "offered",
        Leased => "leased",
        Former => "former",
        InUse => "in-use",
        Reserved => "reserved",
    }
}

/// A lease, or what else is known about an address of the server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServerLease {
    /// The address.
    pub address: Ipv4Addr,
    /// The client.
    pub client: ClientName,
    /// Its hardware address, if it is known.
    pub hardware_address: Option<HardwareAddress>,
    /// The name that it gave (option 12).
    pub name: Option<String>,
    /// The state.
    pub state: LeaseState,
    /// True when the address is reserved for it.
    pub reserved: bool,
    /// Seconds until the lease, the offer or the rest ends; none without an end.
    pub remaining_seconds: Option<u32>,
}

/// A lease to put into the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewLease {
    /// The address, of a range or reserved for the client.
    pub address: Ipv4Addr,
    /// The client.
    pub client: ClientName,
    /// Its hardware address, if it is known.
    pub hardware_address: Option<HardwareAddress>,
    /// Its name.
    pub name: Option<String>,
    /// Seconds until it ends, `u32::MAX` for none.
    pub seconds: u32,
}

/// A change of the table of leases.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LeaseChange {
    /// Reserves an address, or replaces its reservation.
    Reserve(Reservation),
    /// Removes the reservation of an address; a lease of it stays.
    Unreserve(Ipv4Addr),
    /// Puts a lease back that was listed before, or replaces that of its address.
    Put(NewLease),
    /// Ends what is known about an address. The client is not told: DHCP has no message for it.
    End(Ipv4Addr),
}

/// The messages that a server has seen and sent, since it started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DhcpServerStatistics {
    /// DHCPDISCOVER received.
    pub discovers: u64,
    /// DHCPREQUEST received.
    pub requests: u64,
    /// DHCPDECLINE received.
    pub declines: u64,
    /// DHCPRELEASE received.
    pub releases: u64,
    /// DHCPINFORM received.
    pub informs: u64,
    /// DHCPOFFER sent.
    pub offers: u64,
    /// DHCPACK sent.
    pub acknowledgements: u64,
    /// DHCPNAK sent.
    pub refusals: u64,
    /// Addresses that somebody else was found to use.
    pub conflicts: u64,
    /// Leases that ended because nobody renewed them.
    pub expirations: u64,
    /// DHCPDISCOVERs without an offer: no address is free, or too many are being checked.
    pub exhausted: u64,
    /// Messages of relay agents, which this server does not serve.
    pub relayed: u64,
}

/// A server's state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DhcpServerStatus {
    /// Its own address and network, which identifies it; none while it is not running.
    pub server: Option<Prefix>,
    /// What it hands out.
    pub options: DhcpServerOptions,
    /// Leases at present.
    pub leases: u32,
    /// Its statistics.
    pub statistics: DhcpServerStatistics,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn texts_are_values_and_back() {
        for text in ["10.0.0.1", "10.0.0.1-10.0.0.9"] {
            assert_eq!(text.parse::<AddressRange>().unwrap().to_string(), text);
        }
        for text in ["02:00:00:00:00:01", "id:01ff"] {
            assert_eq!(text.parse::<ClientName>().unwrap().to_string(), text);
        }
        assert_eq!("42:0a000001".parse::<RawOption>().unwrap().to_string(), "42:0a000001");
        for text in ["", "10.0.0.9-10.0.0.1", "10.0.0.1-", "x"] {
            assert_eq!(text.parse::<AddressRange>(), Err(Error::InvalidInput), "{text}");
        }
        for text in ["", "id:", "id:0", "id:0g", "02:00"] {
            assert_eq!(text.parse::<ClientName>(), Err(Error::InvalidInput), "{text}");
        }
        for text in ["", "42", "42:", "256:00", "x:00", "42:+1"] {
            assert_eq!(text.parse::<RawOption>(), Err(Error::InvalidInput), "{text}");
        }
    }
}
