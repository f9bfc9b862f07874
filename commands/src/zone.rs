//! Zones of link-local addresses (RFC 4007 §6): an address of IPv6 that is unique on its link only
//! names the interface, by its index as the scope of the address, or by its name in text.

use alloc::string::String;
use core::net::{SocketAddr, SocketAddrV6};

use devnet_virtual_file_system::Error;

/// The index of the interface that an address names. The scope of any other address says nothing.
pub fn of(address: &SocketAddr) -> Option<u32> {
    match address {
        SocketAddr::V6(address) if is_link_local(address) => {
            Some(address.scope_id()).filter(|index| *index != 0)
        }
        _ => None,
    }
}

/// The address with its zone, if it is link-local.
pub fn with(mut address: SocketAddr, interface: u32) -> SocketAddr {
    if let SocketAddr::V6(address) = &mut address
        && is_link_local(address)
    {
        address.set_scope_id(interface);
    }
    address
}

fn is_link_local(address: &SocketAddrV6) -> bool {
    const LINK_SCOPE: u8 = 2;
    let [first, second, ..] = address.ip().octets();
    address.ip().is_unicast_link_local() || (first == 0xff && second & 0xf == LINK_SCOPE)
}

/// Replaces the names of zones in `[ADDRESS%NAME]:PORT` by numbers, which the parser of addresses
/// understands. `index` finds an interface by name.
///
/// # Errors
/// `NoDevice` for a name that no interface has.
pub fn number(text: &str, index: impl Fn(&str) -> Option<u32>) -> Result<String, Error> {
    let (mut numbered, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('%') {
        let is_inside = before
            .rsplit(char::is_whitespace)
            .next()
            .is_some_and(|word| word.starts_with('[') && !word.contains(']'));
        let name = after.split_once(']').map(|(name, _)| name).filter(|_| is_inside);
        numbered.push_str(before);
        numbered.push('%');
        rest = after;
        if let Some(name) = name.filter(|name| !name.is_empty() && name.parse::<u32>().is_err()) {
            let index = index(name).ok_or(Error::NoDevice)?;
            numbered.push_str(&alloc::format!("{index}"));
            rest = after.get(name.len()..).unwrap_or_default();
        }
    }
    numbered.push_str(rest);
    Ok(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_link_local_addresses_have_a_zone() {
        let zone = |text: &str| of(&text.parse().unwrap());
        assert_eq!(zone("[fe80::1%3]:7"), Some(3));
        assert_eq!(zone("[ff02::1%3]:7"), Some(3));
        for text in ["[fe80::1]:7", "[2001:db8::1%3]:7", "[ff05::1%3]:7", "10.0.0.1:7"] {
            assert_eq!(zone(text), None, "{text}");
            let other = with("10.0.0.1:7".parse().unwrap(), 3);
            assert_eq!(other, "10.0.0.1:7".parse().unwrap());
        }
        assert_eq!(with("[fe80::1]:7".parse().unwrap(), 3), "[fe80::1%3]:7".parse().unwrap());
    }

    #[test]
    fn names_of_zones_become_numbers() {
        let index = |name: &str| (name == "eth1").then_some(3);
        for (text, expected) in [
            ("connect [fe80::9%eth1]:7", "connect [fe80::9%3]:7"),
            (
                "bind [fe80::9%eth1]:7\nconnect [fe80::8%2]:7",
                "bind [fe80::9%3]:7\nconnect [fe80::8%2]:7",
            ),
            ("connect [fe80::9%]:7 100%", "connect [fe80::9%]:7 100%"),
            ("ä % [x] %eth1]", "ä % [x] %eth1]"),
        ] {
            assert_eq!(number(text, index).as_deref(), Ok(expected));
        }
        assert_eq!(number("connect [fe80::9%nope]:7", index), Err(Error::NoDevice));
    }
}
