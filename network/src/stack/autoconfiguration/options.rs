//! The options of a router advertisement as values (RFC 4861 §4.6, RFC 4191 §2.3, RFC 8106 §5,
//! RFC 8781). Pure functions over bytes; an option that is too short or contradicts itself is
//! `None`.

use core::net::{IpAddr, Ipv6Addr};

use crate::address::Prefix;
use crate::command::route::Preference;
use crate::stack::wire::quote::u32_at;

/// A Prefix Information option (RFC 4861 §4.6.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PrefixInformation {
    pub(super) prefix: Prefix,
    /// L: what has the prefix is on-link.
    pub(super) on_link: bool,
    /// A: hosts form addresses from it.
    pub(super) autonomous: bool,
    /// Valid lifetime in seconds.
    pub(super) valid: u32,
    /// Preferred lifetime in seconds.
    pub(super) preferred: u32,
}

impl PrefixInformation {
    /// Reads the body of an option. The link-local prefix and groups are none (RFC 4861 §6.3.4).
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        const ON_LINK: u8 = 0x80;
        const AUTONOMOUS: u8 = 0x40;
        let [length, flags] = *body.first_chunk()?;
        let prefix = prefix_of(body.get(14..)?.first_chunk::<16>()?, length)?;
        Some(Self {
            prefix,
            on_link: flags & ON_LINK != 0,
            autonomous: flags & AUTONOMOUS != 0,
            valid: u32_at(body, 2)?,
            preferred: u32_at(body, 6)?,
        })
    }
}

/// A Route Information option (RFC 4191 §2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RouteInformation {
    pub(super) prefix: Prefix,
    pub(super) preference: Preference,
    /// Lifetime in seconds.
    pub(super) lifetime: u32,
}

impl RouteInformation {
    /// Reads the body of an option: 8, 16 or 24 bytes with its head, and enough for its prefix. One
    /// with the reserved preference is ignored.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let ([length, flags], rest) = body.split_first_chunk::<2>()?;
        let octets = rest.get(4..)?;
        let is_enough = match octets.len() {
            0 => *length == 0,
            8 => *length <= 64,
            16 => *length <= 128,
            _ => false,
        };
        let mut whole = [0; 16];
        whole.get_mut(..octets.len())?.copy_from_slice(octets);
        is_enough.then_some(Self {
            prefix: prefix_of(&whole, *length)?,
            preference: preference_of(*flags)?,
            lifetime: u32_at(rest, 0)?,
        })
    }
}

/// A prefix that routes and addresses may have: neither link-local nor of groups.
fn prefix_of(octets: &[u8; 16], length: u8) -> Option<Prefix> {
    let address = Ipv6Addr::from_octets(*octets);
    let prefix = Prefix::new(IpAddr::V6(address), length).ok()?.network();
    let is_usable = !address.is_unicast_link_local() && !address.is_multicast();
    is_usable.then_some(prefix)
}

/// The preference of a router or route; `None` for the reserved value (RFC 4191 §2.1).
pub(super) const fn preference_of(flags: u8) -> Option<Preference> {
    match flags >> 3 & 3 {
        0b00 => Some(Preference::Medium),
        0b01 => Some(Preference::High),
        0b11 => Some(Preference::Low),
        _ => None,
    }
}

/// Lifetime and addresses of a Recursive DNS Server option (RFC 8106 §5.1).
pub(super) fn dns_servers(body: &[u8]) -> Option<(u32, impl Iterator<Item = IpAddr> + '_)> {
    let (head, servers) = body.split_at_checked(6)?;
    // A length that is not of whole addresses makes it invalid (§5.3.1).
    let (addresses, []) = servers.as_chunks::<16>() else { return None };
    let addresses = addresses.iter();
    Some((u32_at(head, 2)?, addresses.map(|octets| IpAddr::V6(Ipv6Addr::from_octets(*octets)))))
}

/// Lifetime in seconds and prefix of a PREF64 option, by which IPv4 is reached (RFC 8781 §4).
pub(super) fn nat64_prefix(body: &[u8]) -> Option<(u32, Prefix)> {
    let ([high, low], rest) = body.split_first_chunk::<2>()?;
    let scaled = u16::from_be_bytes([*high, *low]);
    let length = match scaled & 7 {
        0 => 96,
        1 => 64,
        2 => 56,
        3 => 48,
        4 => 40,
        5 => 32,
        _ => return None,
    };
    let mut whole = [0; 16];
    whole.first_chunk_mut::<12>()?.copy_from_slice(rest.first_chunk::<12>()?);
    // In units of eight seconds, of which the length takes the place of the fraction.
    Some((u32::from(scaled & !7), prefix_of(&whole, length)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cut_option_panics() {
        let prefix = [&[64, 0xc0][..], &[0; 12], &[0x20; 16]].concat();
        assert!(PrefixInformation::read(&prefix).is_some());
        for length in 0..prefix.len() {
            assert_eq!(PrefixInformation::read(&prefix[..length]), None);
        }
        let route = [&[128, 0][..], &[0; 4], &[0x20; 16]].concat();
        assert!(RouteInformation::read(&route).is_some());
        for length in 0..route.len() {
            assert_eq!(RouteInformation::read(&route[..length]), None);
        }
    }
}
