//! Types of DHCPv6 commands (RFC 8415).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::net::Ipv6Addr;
use core::str::FromStr;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

use super::dhcp_server::read_hexadecimal;
use crate::address::{HardwareAddress, Prefix};
use crate::words::words;

/// A lifetime that does not end.
pub const INFINITE: u32 = u32::MAX;

/// What the client asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Dhcp6Mode {
    /// Nothing.
    #[default]
    Off,
    /// What routers advertise: addresses with the flag M, else other configuration with the flag O
    /// (RFC 4861 §4.2).
    Auto,
    /// Addresses, and other configuration with them.
    Stateful,
    /// Other configuration only: name servers, domains, servers of the time.
    Stateless,
}

words! {
    Dhcp6Mode {
        Off => "off",
        Auto => "auto",
        Stateful => "stateful",
        Stateless => "stateless",
    }
}

/// A DHCP unique identifier (RFC 8415 §11): its type in two bytes, and 1 to 128 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Duid(pub Vec<u8>);

impl Duid {
    /// The identifier by a hardware address (DUID-LL, RFC 8415 §11.4).
    #[must_use]
    pub fn of_hardware(address: HardwareAddress) -> Self {
        // The type, and Ethernet.
        let mut bytes = Vec::from([0, 3, 0, 1]);
        bytes.extend_from_slice(&address.0);
        Self(bytes)
    }

    /// True for what has the length of one.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        (3..=130).contains(&self.0.len())
    }
}

impl fmt::Display for Duid {
    /// As hexadecimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for Duid {
    type Err = Error;

    /// Reads hexadecimal digits; `InvalidInput` for others, and for too few or too many.
    fn from_str(text: &str) -> Result<Self, Error> {
        let duid = Self(read_hexadecimal(text)?);
        if duid.is_valid() { Ok(duid) } else { Err(Error::InvalidInput) }
    }
}

/// Everything that the client can be told.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dhcp6ClientOptions {
    /// What it asks for.
    pub mode: Dhcp6Mode,
    /// Prefixes are asked for too (IA_PD), for networks behind this system. With
    /// [`Auto`](Dhcp6Mode::Auto) whatever the flags say (RFC 7084 §4.2).
    pub prefixes: bool,
    /// The prefix, or with `::` just the length, that would be best.
    pub hint: Option<Prefix>,
    /// The identifier of this system; none for the one by the interface's own hardware address.
    pub duid: Option<Duid>,
    /// The identifier of the interface within the system (IAID); none for the last four bytes of
    /// its own hardware address.
    pub iaid: Option<u32>,
    /// Two messages instead of four, where the server does that (RFC 8415 §18.2.1). All servers
    /// of the link should then know of each other.
    pub rapid_commit: bool,
}

/// The client's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Dhcp6State {
    /// It is off.
    #[default]
    Stopped,
    /// Waits for the link, for its link-local address, or for a router that says what to ask for.
    Waiting,
    /// Looks for servers (Solicit).
    Soliciting,
    /// Asks the chosen server (Request).
    Requesting,
    /// Asks whether the addresses are of the link that returned (Confirm, or Rebind with
    /// prefixes).
    Confirming,
    /// Has what it asked for.
    Bound,
    /// Extends lifetimes at their server (Renew).
    Renewing,
    /// Extends lifetimes at any server (Rebind).
    Rebinding,
    /// Asks for other configuration (Information-request).
    Informing,
    /// Has other configuration.
    Informed,
}

words! {
    Dhcp6State {
        Stopped => "stopped",
        Waiting => "waiting",
        Soliciting => "soliciting",
        Requesting => "requesting",
        Confirming => "confirming",
        Bound => "bound",
        Renewing => "renewing",
        Rebinding => "rebinding",
        Informing => "informing",
        Informed => "informed",
    }
}

/// An address that a server gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dhcp6Address {
    /// The address.
    pub address: Ipv6Addr,
    /// Seconds for which it is preferred; `u32::MAX` is without end.
    pub preferred_seconds: u32,
    /// Seconds for which it is valid; `u32::MAX` is without end.
    pub valid_seconds: u32,
}

/// A prefix that a server gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dhcp6Prefix {
    /// The prefix.
    pub prefix: Prefix,
    /// Seconds for which it is preferred; `u32::MAX` is without end.
    pub preferred_seconds: u32,
    /// Seconds for which it is valid; `u32::MAX` is without end.
    pub valid_seconds: u32,
}

/// The networks that an interface gets from the prefixes of another one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Downstream {
    /// The interface whose client asks for prefixes.
    pub uplink: String,
    /// Which of the networks of 64 bits of each prefix, from 0.
    pub subnet: u32,
    /// The networks are also advertised on the link: this system is a router there.
    pub advertise: bool,
}

impl Downstream {
    /// The first network of an uplink's prefixes, advertised.
    #[must_use]
    pub fn new(uplink: &str) -> Self {
        Self { uplink: uplink.into(), subnet: 0, advertise: true }
    }
}

/// How DHCPv6 stands on an interface.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dhcp6Status {
    /// What the client was told.
    pub options: Dhcp6ClientOptions,
    /// The client's state.
    pub state: Dhcp6State,
    /// The identifier of the system; none on a medium without hardware addresses.
    pub duid: Option<Duid>,
    /// The identifier of the interface (IAID).
    pub iaid: u32,
    /// The identifier of the server that gave what there is.
    pub server: Option<Duid>,
    /// The addresses.
    pub addresses: Vec<Dhcp6Address>,
    /// The prefixes.
    pub prefixes: Vec<Dhcp6Prefix>,
    /// Seconds until lifetimes are extended at the server (T1).
    pub renew_seconds: Option<u32>,
    /// Seconds until they are extended at any server (T2).
    pub rebind_seconds: Option<u32>,
    /// Seconds until other configuration is asked for again.
    pub refresh_seconds: Option<u32>,
    /// The name servers (option 23), best first.
    pub dns_servers: Vec<Ipv6Addr>,
    /// The domains in which short names are looked up (option 24).
    pub domains: Vec<String>,
    /// The servers of the time (option 56).
    pub ntp_servers: Vec<Ipv6Addr>,
    /// Messages sent since the last progress.
    pub attempts: u32,
    /// The last status code of a server that was not success (RFC 8415 §21.13).
    pub refusal: Option<u16>,
    /// Where the interface gets networks from.
    pub downstream: Option<Downstream>,
    /// The networks that it has from there.
    pub networks: Vec<Dhcp6Prefix>,
}

/// What the server tells. It has neither addresses nor prefixes (RFC 8415 §6.1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Dhcp6ServerOptions {
    /// The name servers, best first: 32 at most.
    pub dns_servers: Vec<Ipv6Addr>,
    /// The domains in which short names are looked up: 16 at most.
    pub domains: Vec<String>,
    /// Seconds after which clients ask again, at least 600.
    pub refresh_seconds: u32,
}

impl Dhcp6ServerOptions {
    /// Seconds after which clients ask again unless something else is said (IRT_DEFAULT).
    pub const REFRESH_SECONDS: u32 = 86_400;
}

impl Default for Dhcp6ServerOptions {
    fn default() -> Self {
        Self {
            dns_servers: Vec::new(),
            domains: Vec::new(),
            refresh_seconds: Self::REFRESH_SECONDS,
        }
    }
}

/// The messages that a server has seen and sent, since it started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dhcp6ServerStatistics {
    /// Information-requests that were answered.
    pub informed: u64,
    /// Messages that asked for addresses or prefixes, and were told that there are none.
    pub refused: u64,
    /// Messages that got no answer: malformed, to another server, or too many at once.
    pub ignored: u64,
}

/// The state of the server.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dhcp6ServerStatus {
    /// What it tells; none while it is off.
    pub options: Option<Dhcp6ServerOptions>,
    /// Its identifier.
    pub duid: Option<Duid>,
    /// Its statistics.
    pub statistics: Dhcp6ServerStatistics,
}

/// A status code of a server in words.
#[must_use]
pub const fn status_words(code: u16) -> &'static str {
    match code {
        0 => "Success",
        1 => "UnspecFail",
        2 => "NoAddrsAvail",
        3 => "NoBinding",
        4 => "NotOnLink",
        5 => "UseMulticast",
        6 => "NoPrefixAvail",
        _ => "unknown",
    }
}

/// The lifetimes and counters of a status as a line has them, after the state.
pub fn write_status(text: &mut String, status: &Dhcp6Status) -> fmt::Result {
    write!(text, "{}", status.state)?;
    if let Some(server) = &status.server {
        write!(text, " server {server}")?;
    }
    for one in &status.addresses {
        write!(text, " address {} valid {}", one.address, one.valid_seconds)?;
    }
    for one in &status.prefixes {
        write!(text, " prefix {} valid {}", one.prefix, one.valid_seconds)?;
    }
    for one in &status.networks {
        write!(text, " network {} valid {}", one.prefix, one.valid_seconds)?;
    }
    if let Some(code) = status.refusal {
        write!(text, " refusal {}", status_words(code))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_identifier_is_read_and_written_in_digits() {
        let own = Duid::of_hardware(HardwareAddress([2, 0, 0, 0, 0, 1]));
        assert_eq!(own.to_string(), "00030001020000000001");
        assert_eq!("00030001020000000001".parse(), Ok(own));
        for wrong in ["", "0003", "000", "00zz00", &"00".repeat(131)] {
            assert_eq!(wrong.parse::<Duid>(), Err(Error::InvalidInput), "{wrong}");
        }
    }
}
