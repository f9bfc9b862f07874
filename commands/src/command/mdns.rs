//! Types of commands about multicast DNS (RFC 6762) and the discovery of services (RFC 6763).
//!
//! Names of instances are text in UTF-8 with blanks and dots. In lines they are one word: `\DDD` is
//! the byte with this decimal number, `\` before any other character is that character (RFC 1035
//! §5.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::words::words;

/// What an interface does with multicast DNS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum MulticastDnsMode {
    /// Nothing: what is asked for stays on the system, and nobody on the link learns of it.
    #[default]
    Off,
    /// Names in `.local` are looked up on the link.
    Resolve,
    /// As `Resolve`, and the host name, the addresses and the services are announced and answered.
    On,
}

words! {
    MulticastDnsMode {
        Off => "off",
        Resolve => "resolve",
        On => "on",
    }
}

/// A setting of multicast DNS on one interface. New ones are appended: their order is part of the
/// encoding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MulticastDnsOption {
    /// What the interface does; off unless set.
    Mode(MulticastDnsMode),
    /// The name of this host without `.local`: a label of letters, digits and `-`, at most 63
    /// bytes; empty for `devnet`, which it is unless set. If another host has it, a number is
    /// appended.
    HostName(String),
}

/// A service of this host. Its type has the name that IANA registered for it and the protocol, as
/// in `_http._tcp` (RFC 6763 §7).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LocalService {
    /// The name that people read: 1 to 63 bytes of UTF-8. If another host has it, a number is
    /// appended.
    pub instance: String,
    /// The type; after a comma each subtype by which it is found too (RFC 6763 §7.1), at most
    /// eight of up to 63 bytes: `_http._tcp,_printer`.
    pub service_type: String,
    /// The port.
    pub port: u16,
    /// What it says about itself: strings of 1 to 255 bytes, as `path=/index` (RFC 6763 §6), at
    /// most 896 bytes with their lengths.
    pub text: Vec<Vec<u8>>,
}

/// A change of the services of one interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ServiceChange {
    /// Adds one, or replaces that of the same instance and type.
    Publish(LocalService),
    /// Removes one.
    Withdraw {
        /// Its name, as it was published.
        instance: String,
        /// Its type; subtypes do not count.
        service_type: String,
    },
}

/// How far a name is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClaimState {
    /// Nobody is told of it: the mode is not `On`, or there is no link or no address.
    Waiting,
    /// The link is asked whether another host has it (RFC 6762 §8.1).
    Probing,
    /// It is ours.
    Announced,
}

words! {
    ClaimState {
        Waiting => "waiting",
        Probing => "probing",
        Announced => "announced",
    }
}

/// A service that is published, and how it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PublishedService {
    /// The service as it was published.
    pub service: LocalService,
    /// Its name on the link.
    pub name: String,
    /// How far the name is.
    pub state: ClaimState,
}

/// Multicast DNS of one interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MulticastDnsStatus {
    /// The interface.
    pub interface: String,
    /// What it does.
    pub mode: MulticastDnsMode,
    /// The host name as it was set.
    pub host_name: String,
    /// The host name on the link, without `.local`.
    pub name: String,
    /// How far the host name is.
    pub state: ClaimState,
    /// The services in the order in which they were published.
    pub services: Vec<PublishedService>,
}

/// What to look for on the link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceBrowse {
    /// The type, as `_http._tcp`, or a subtype, as `_printer._sub._http._tcp`;
    /// `_services._dns-sd._udp` for the types that there are.
    pub service_type: String,
    /// How long to listen, at most 60,000 milliseconds.
    pub milliseconds: u32,
}

/// Services of a type to follow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceWatch {
    /// The type, as `_http._tcp`, or a subtype, as `_printer._sub._http._tcp`;
    /// `_services._dns-sd._udp` for the types that there are.
    pub service_type: String,
    /// Lines begin with a number and a time.
    pub numbered: bool,
    /// Records are [values](super::event::EventRecord) instead of lines.
    pub records: bool,
}

impl ServiceWatch {
    /// Values about services of this type.
    #[must_use]
    pub const fn records(service_type: String) -> Self {
        Self { service_type, numbered: true, records: true }
    }
}

/// A service on the link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FoundService {
    /// The interface on whose link it is.
    pub interface: String,
    /// The name of the instance; of a type its name, as `_http._tcp`.
    pub instance: String,
    /// Its type.
    pub service_type: String,
    /// The host, as `printer.local`; empty if it was not told in time.
    pub host: String,
    /// The port; 0 if it was not told in time.
    pub port: u16,
    /// The addresses of the host, as far as they were told in time.
    pub addresses: Vec<IpAddr>,
    /// What it says about itself.
    pub text: Vec<Vec<u8>>,
}
