//! Router advertisements as bytes (RFC 4861 §4.2, §4.6, RFC 4191, RFC 8106, RFC 8781). Pure
//! functions.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

use crate::address::{HardwareAddress, Prefix};
use crate::command::route::Preference;
use crate::command::router::{AdvertisedNat64, AdvertisedPrefix, AdvertisedRoute, RouterSettings};
use crate::dns_message::name;
use crate::stack::wire::ndp::{kind, option};

/// Name servers of one option, so that each fits into the smallest packet with others.
const SERVERS: usize = 8;

/// The fixed part; a router that ends has the lifetime 0, and then no preference (RFC 4191 §2.2).
pub(super) fn head(settings: &RouterSettings, is_over: bool) -> [u8; 16] {
    let lifetime = if is_over { 0 } else { settings.lifetime_seconds };
    let preference = match settings.preference {
        _ if lifetime == 0 => 0,
        Preference::High => 0b01,
        Preference::Medium => 0,
        Preference::Low => 0b11,
    };
    let flags = u8::from(settings.managed) << 7 | u8::from(settings.other) << 6 | preference << 3;
    let [high, low] = lifetime.to_be_bytes();
    let [a, b, c, d] = settings.reachable_milliseconds.to_be_bytes();
    let [e, f, g, h] = settings.retransmit_milliseconds.to_be_bytes();
    let kind = kind::ROUTER_ADVERTISEMENT;
    [kind, 0, 0, 0, settings.hop_limit, flags, high, low, a, b, c, d, e, f, g, h]
}

/// Appends an option of whole units of eight bytes, with its head.
fn push(options: &mut Vec<Vec<u8>>, kind: u8, body: &[&[u8]]) {
    let mut bytes = alloc::vec![kind, 0];
    body.iter().for_each(|part| bytes.extend_from_slice(part));
    let units = bytes.len().div_ceil(8);
    bytes.resize(units * 8, 0);
    // An option has at most 255 units: everything that it holds is bounded far below.
    if let (Some(length), Ok(units)) = (bytes.get_mut(1), u8::try_from(units)) {
        *length = units;
        options.push(bytes);
    }
}

pub(super) fn link_layer(options: &mut Vec<Vec<u8>>, own: HardwareAddress) {
    push(options, option::SOURCE_LINK_LAYER_ADDRESS, &[&own.0]);
}

pub(super) fn mtu(options: &mut Vec<Vec<u8>>, mtu: u32) {
    push(options, option::MTU, &[&[0; 2], &mtu.to_be_bytes()]);
}

fn octets(prefix: Prefix) -> [u8; 16] {
    match prefix.network().address() {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(_) => [0; 16],
    }
}

/// A prefix; one that is over has the lifetimes 0.
pub(super) fn prefix(options: &mut Vec<Vec<u8>>, what: &AdvertisedPrefix) {
    let flags = u8::from(what.on_link) << 7 | u8::from(what.autonomous) << 6;
    let (valid, preferred) =
        (what.valid_seconds.to_be_bytes(), what.preferred_seconds.to_be_bytes());
    let first = [what.prefix.length(), flags];
    push(options, option::PREFIX, &[&first, &valid, &preferred, &[0; 4], &octets(what.prefix)]);
}

/// A route, in no more units than its prefix needs.
pub(super) fn route(options: &mut Vec<Vec<u8>>, what: &AdvertisedRoute) {
    let preference = match what.preference {
        Preference::High => 0b01,
        Preference::Medium => 0_u8,
        Preference::Low => 0b11,
    };
    let length = what.prefix.length();
    let whole = octets(what.prefix);
    let needed = usize::from(length.div_ceil(64)) * 8;
    let needed = whole.get(..needed).unwrap_or(&whole);
    let first = [length, preference << 3];
    push(options, option::ROUTE, &[&first, &what.lifetime_seconds.to_be_bytes(), needed]);
}

pub(super) fn dns_servers(options: &mut Vec<Vec<u8>>, servers: &[Ipv6Addr], lifetime: u32) {
    for some in servers.chunks(SERVERS) {
        let addresses: Vec<u8> = some.iter().flat_map(Ipv6Addr::octets).collect();
        push(options, option::DNS_SERVERS, &[&[0; 2], &lifetime.to_be_bytes(), &addresses]);
    }
}

/// Each domain has an option, so that it can be over by itself.
pub(super) fn domains(options: &mut Vec<Vec<u8>>, domains: &[String], lifetime: u32) {
    for domain in domains {
        let mut bytes = Vec::new();
        // It was checked when it was added.
        if name::write(&mut bytes, domain).is_ok() {
            push(options, option::SEARCH_LIST, &[&[0; 2], &lifetime.to_be_bytes(), &bytes]);
        }
    }
}

/// The code of a prefix of NAT64 by its length; none for a length that it cannot have.
pub(super) const fn nat64_code(length: u8) -> Option<u16> {
    match length {
        96 => Some(0),
        64 => Some(1),
        56 => Some(2),
        48 => Some(3),
        40 => Some(4),
        32 => Some(5),
        _ => None,
    }
}

pub(super) fn nat64(options: &mut Vec<Vec<u8>>, what: &AdvertisedNat64) {
    let Some(code) = nat64_code(what.prefix.length()) else { return };
    let scaled = what.lifetime_seconds & !7 | code;
    let whole = octets(what.prefix);
    let upper = whole.first_chunk::<12>().unwrap_or(&[0; 12]);
    push(options, option::NAT64, &[&scaled.to_be_bytes(), upper]);
}

/// The messages with all of these options: those that one packet has no room for are in another one
/// (RFC 4861 §6.2.3).
pub(super) fn messages(head: [u8; 16], options: &[Vec<u8>], most: usize) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut message = head.to_vec();
    for option in options {
        if message.len() + option.len() > most && message.len() > head.len() {
            messages.push(core::mem::replace(&mut message, head.to_vec()));
        }
        message.extend_from_slice(option);
    }
    messages.push(message);
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_fill_their_units_and_messages_fit() {
        let mut options = Vec::new();
        link_layer(&mut options, HardwareAddress([2, 0, 0, 0, 0, 1]));
        assert_eq!(options[0], [1, 1, 2, 0, 0, 0, 0, 1]);
        mtu(&mut options, 1400);
        assert_eq!(options[1], [5, 1, 0, 0, 0, 0, 5, 120]);
        for (text, length) in [("::/0", 8), ("2001:db8::/32", 16), ("2001:db8::1/128", 24)] {
            let prefix = text.parse().unwrap();
            let what =
                AdvertisedRoute { prefix, preference: Preference::High, lifetime_seconds: 600 };
            route(&mut options, &what);
            assert_eq!(options.last().unwrap().len(), length, "{text}");
        }
        let servers: Vec<Ipv6Addr> = (1..=20).map(Ipv6Addr::from_bits).collect();
        dns_servers(&mut options, &servers, 600);
        domains(&mut options, &["corp.example".into(), "lan".into()], 600);
        let what =
            AdvertisedNat64 { prefix: "64:ff9b::/96".parse().unwrap(), lifetime_seconds: 601 };
        nat64(&mut options, &what);
        assert_eq!(options.last().unwrap()[..6], [38, 2, 2, 88, 0, 0x64]);
        for option in &options {
            assert_eq!(option.len(), usize::from(option[1]) * 8);
        }
        let head = head(&RouterSettings::default(), false);
        for most in [64, 200, 1240] {
            let all = messages(head, &options, most);
            assert!(all.iter().all(|message| message.starts_with(&head)));
            let largest = options.iter().map(Vec::len).max().unwrap() + head.len();
            assert!(all.iter().all(|message| message.len() <= most.max(largest)));
            let joined: Vec<u8> = all.iter().flat_map(|message| message[16..].to_vec()).collect();
            assert_eq!(joined, options.concat());
        }
    }
}
