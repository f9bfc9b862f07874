//! Events: what a watching file tells, as values. [`watch`](super::watch) has them as lines.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::{Error, Result, control, encode};
use serde::{Deserialize, Serialize};

use super::address::{AddressEntry, Origin};
use super::dhcp::DhcpStatus;
use super::dhcp_server::ServerLease;
use super::dhcp6::Dhcp6Status;
use super::firewall::FirewallHit;
use super::mdns::FoundService;
use super::multicast::GroupEntry;
use super::neighbor::NeighborEntry;
use super::record::RecordType;
use super::route::{Preference, RouteEntry};
use super::socket::SocketStatus;
use super::watch::Kinds;
use crate::address::{HardwareAddress, Prefix};
use crate::link::{Kind, LinkState};
use crate::time::Instant;
use crate::words::words;

/// What happened to an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Change {
    /// It exists: an object of the snapshot.
    Present,
    /// It is new.
    Added,
    /// It has another state.
    Changed,
    /// It is gone; the event has its last state.
    Removed,
}

words! {
    Change {
        Present => "present",
        Added => "added",
        Changed => "changed",
        Removed => "removed",
    }
}

/// The state of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkStatus {
    /// Whether the interface is enabled.
    pub enabled: bool,
    /// Whether the link carries frames.
    pub carrier: LinkState,
    /// The MTU in bytes.
    pub mtu: u32,
    /// The metric of the interface's routes.
    pub metric: u32,
    /// The hardware address; none without hardware.
    pub hardware_address: Option<HardwareAddress>,
}

/// What happened to a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum StreamEvent {
    /// Loss recovery began.
    Loss {
        /// The segments that are marked lost.
        segments: u32,
        /// The congestion window before, in bytes.
        window: u32,
        /// The congestion window after, in bytes.
        after: u32,
        /// SRTT in microseconds.
        round_trip: u32,
    },
    /// The retransmission timer expired.
    Timeout {
        /// The timeouts of this stream so far.
        count: u32,
        /// The RTO in milliseconds.
        wait: u32,
        /// The congestion window in bytes.
        window: u32,
        /// SRTT in microseconds.
        round_trip: u32,
    },
    /// A reduction was spurious and is undone.
    Undo {
        /// The congestion window before, in bytes.
        window: u32,
        /// The congestion window after, in bytes.
        after: u32,
    },
    /// The stream ended by an error.
    Ended(Error),
}

/// An object of a snapshot, or a change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    /// An interface, by its index and kind.
    Interface(Change, u32, Kind),
    /// The state of its link.
    Link(Change, LinkStatus),
    /// One of its addresses.
    Address(Change, AddressEntry),
    /// Another host claims the address; its hardware address.
    Conflict(Prefix, HardwareAddress),
    /// A route, with its preference (RFC 4191 §2.1).
    Route(Change, RouteEntry, Preference),
    /// A neighbor. Only lasting states are told.
    Neighbor(Change, NeighborEntry),
    /// A name server.
    Dns(Change, IpAddr, Origin),
    /// The DHCP client.
    Dhcp(Change, DhcpStatus),
    /// A lease of the DHCP server.
    Lease(Change, ServerLease),
    /// The DHCP server stopped, and its leases with it.
    LeasesEnd,
    /// Something happened to the stream between two ends, the local one first.
    Stream(SocketAddr, SocketAddr, StreamEvent),
    /// A multicast group that the interface receives.
    Group(Change, GroupEntry),
    /// A socket. That data comes and goes is not told: its queues are those of the moment.
    Socket(Change, SocketStatus),
    /// A lookup failed: the name, the type of the records, none for addresses of both families, and
    /// why. `NotFound` for a name that does not exist, `TimedOut` when nobody answered,
    /// `ConnectionRefused` when the servers failed or refused, `NetworkUnreachable` without a
    /// server.
    Lookup(String, Option<RecordType>, Error),
    /// The DHCPv6 client, or the networks of an uplink's prefixes, without lifetimes.
    Dhcp6(Change, Box<Dhcp6Status>),
    /// A packet matched a rule of the firewall that has `log`. Of many only some are told.
    Firewall(FirewallHit),
    /// A service of the link, of the type that the file watches.
    Service(Change, Box<FoundService>),
}

impl Event {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kinds {
        match self {
            Self::Interface(..) => Kinds::INTERFACE,
            Self::Link(..) => Kinds::LINK,
            Self::Address(..) | Self::Conflict(..) => Kinds::ADDRESS,
            Self::Route(..) => Kinds::ROUTE,
            Self::Neighbor(..) => Kinds::NEIGHBOR,
            Self::Dns(..) | Self::Lookup(..) => Kinds::DNS,
            Self::Dhcp(..) | Self::Dhcp6(..) => Kinds::DHCP,
            Self::Lease(..) | Self::LeasesEnd => Kinds::LEASE,
            Self::Stream(..) => Kinds::STREAM,
            Self::Group(..) => Kinds::GROUP,
            Self::Socket(..) => Kinds::SOCKET,
            Self::Firewall(..) => Kinds::FIREWALL,
            Self::Service(..) => Kinds::SERVICE,
        }
    }
}

/// What one record tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Report {
    /// The snapshot is over.
    Idle,
    /// So many records were lost because the reader was slow; a snapshot and `Idle` follow.
    Lost(u64),
    /// An event of an interface.
    Event {
        /// The interface; empty for a socket or a lookup on every interface.
        interface: String,
        /// The event.
        event: Event,
    },
}

/// A record of a file that watches with [`WatchOptions::records`](super::watch::WatchOptions).
///
/// In the file each is its length (four bytes, the least significant first), then itself in
/// postcard.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventRecord {
    /// Grows by one with every event of the watched kinds, also with those that were lost. The
    /// records of a snapshot have the number of the last event before it.
    pub sequence: u64,
    /// When it happened, by the system's monotonic clock.
    pub time: Instant,
    /// What happened.
    pub report: Report,
}

/// The bytes of a record's length.
const LENGTH: usize = 4;

impl EventRecord {
    /// The bytes of the record in the file.
    ///
    /// # Errors
    /// `InvalidInput` if it cannot be encoded, which no record of the stack is.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let body = encode(self)?;
        let length = u32::try_from(body.len()).map_err(|_| Error::InvalidInput)?;
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(body);
        Ok(bytes)
    }

    /// The first record of what was read, and the bytes after it; none while it is incomplete.
    ///
    /// # Errors
    /// `BadMessage` if these are not the bytes of a record.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, &[u8])>> {
        let Some(rest) = bytes.get(LENGTH..) else { return Ok(None) };
        let Some(body) = rest.get(..length_of(bytes) - LENGTH) else { return Ok(None) };
        let record = control::decode_response(body).map_err(|_| Error::BadMessage)?;
        Ok(Some((record, rest.get(body.len()..).unwrap_or_default())))
    }
}

/// The bytes of the first record, with its length.
pub fn length_of(bytes: &[u8]) -> usize {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    usize::try_from(length).unwrap_or(usize::MAX).saturating_add(LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_one_after_the_other() {
        let event = Event::Interface(Change::Added, 2, Kind::Ethernet);
        let first = EventRecord {
            sequence: 300,
            time: Instant::from_micros(5),
            report: Report::Event { interface: String::from("eth0"), event },
        };
        let second = EventRecord { report: Report::Idle, ..first.clone() };
        let mut bytes = first.to_bytes().unwrap();
        // Readers elsewhere depend on these bytes.
        assert_eq!(
            bytes,
            [13, 0, 0, 0, 0xac, 2, 5, 2, 4, b'e', b't', b'h', b'0', 0, 1, 2]
                .into_iter()
                .chain([Kind::Ethernet as u8])
                .collect::<Vec<u8>>()
        );
        bytes.extend(second.to_bytes().unwrap());
        let (record, rest) = EventRecord::parse(&bytes).unwrap().unwrap();
        assert_eq!(record, first);
        let (record, rest) = EventRecord::parse(rest).unwrap().unwrap();
        assert_eq!((record, rest), (second, &[][..]));
        for length in 0..bytes.len() {
            let complete = EventRecord::parse(&bytes[..length]).unwrap();
            assert_eq!(complete.is_some(), length >= length_of(&bytes), "{length}");
        }
        assert_eq!(EventRecord::parse(&[1, 0, 0, 0, 9]), Err(Error::BadMessage));
        assert_eq!(EventRecord::parse(&[0xff, 0xff, 0xff, 0xff, 9]), Ok(None));
    }
}
