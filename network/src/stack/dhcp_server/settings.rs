//! Which options of the server fit each other and the interface.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use devnet_virtual_file_system::Error;

use super::reply;
use crate::address::Prefix;
use crate::command::dhcp_server::{ClientName, DhcpServerOptions, Reservation};
use crate::limits;
use crate::stack::addresses::Addresses;

/// The network that options are for: that of an address of ours which contains the ranges.
pub(super) fn check(addresses: &Addresses, options: &DhcpServerOptions) -> Result<Prefix, Error> {
    if options.ranges.len() > limits::DHCP_RANGES {
        return Err(Error::NoBufferSpace);
    }
    let first = options.ranges.first().ok_or(Error::InvalidInput)?;
    let is_reversed = options.ranges.iter().any(|range| range.first > range.last);
    let is_bad_domain = options.domain.as_ref().is_some_and(|name| !is_printable(name, 255));
    if is_reversed || is_bad_domain || options.lease_seconds == 0 {
        return Err(Error::InvalidInput);
    }
    let contains = |prefix: &Prefix| {
        options.ranges.iter().all(|range| {
            prefix.contains(IpAddr::V4(range.first)) && prefix.contains(IpAddr::V4(range.last))
        })
    };
    let prefixes = addresses.iter().map(|own| own.prefix);
    let ipv4 = prefixes.filter(|prefix| prefix.address().is_ipv4());
    // Of several addresses in the network that with the longest prefix.
    let server = ipv4.filter(contains).max_by_key(|prefix| prefix.length());
    let server = server.ok_or(Error::AddressNotAvailable)?;
    if !is_host(server, first.first) && first.first == first.last && options.ranges.len() == 1 {
        return Err(Error::InvalidInput);
    }
    let all = reply::settings(server, options);
    let is_bad = |place: usize, code: u8, length: usize| {
        is_reserved(code) || length == 0 || all.iter().take(place).any(|(known, _)| *known == code)
    };
    if all.iter().enumerate().any(|(place, (code, value))| is_bad(place, *code, value.len())) {
        return Err(Error::InvalidInput);
    }
    let bytes = |(_, value): &(u8, Vec<u8>)| value.len() + 2 * value.len().div_ceil(255);
    if all.iter().map(bytes).sum::<usize>() > limits::DHCP_OPTION_BYTES {
        return Err(Error::MessageTooLong);
    }
    Ok(server)
}

/// Whether an address of this network can be reserved for a client.
pub(super) fn check_reservation(server: Prefix, reservation: &Reservation) -> Result<(), Error> {
    let Reservation { address, client } = reservation;
    if is_host(server, *address) && is_client(client) { Ok(()) } else { Err(Error::InvalidInput) }
}

/// True for an option that is no setting: padding, ends, and what each message has of its own.
const fn is_reserved(code: u8) -> bool {
    matches!(code, 0 | 50..=61 | 82 | 255)
}

/// True for an address that a client of this network can have.
pub(super) fn is_host(server: Prefix, address: Ipv4Addr) -> bool {
    let network = server.network();
    let is_special = network.length() < 31
        && (network.address() == IpAddr::V4(address) || network.broadcast() == Some(address));
    network.contains(IpAddr::V4(address)) && !is_special
}

/// True for a name that a message of a client can have (RFC 2132 §9.14).
pub(super) fn is_client(name: &ClientName) -> bool {
    match name {
        ClientName::Hardware(address) => address.is_unicast(),
        ClientName::Identifier(bytes) => (2..=255).contains(&bytes.len()),
    }
}

pub(super) fn is_printable(name: &str, most: usize) -> bool {
    (1..=most).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}
