//! Words of a line as values, for the parser and for the grammar.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

use devnet_virtual_file_system::Error;

pub(super) fn value<T: FromStr>(word: &str) -> Result<T, Error> {
    word.parse().map_err(|_| Error::InvalidInput)
}

/// `ADDRESS:PORT`, `[ADDRESS]:PORT`, `*:PORT` (both families), or an address alone (for ICMP).
pub(super) fn socket_address(word: &str) -> Result<SocketAddr, Error> {
    if let Some(port) = word.strip_prefix("*:") {
        return Ok(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), value(port)?));
    }
    if let Ok(address) = word.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, 0));
    }
    value(word)
}

/// An eight-bit number, decimal or hexadecimal with `0x`.
pub(super) fn octet(word: &str) -> Result<u8, Error> {
    match word.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u8::from_str_radix(digits, 16).map_err(|_| Error::InvalidInput)
        }
        Some(_) => Err(Error::InvalidInput),
        None => value(word),
    }
}

pub(super) fn switch(word: &str) -> Result<bool, Error> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Error::InvalidInput),
    }
}

/// Words as pairs of a key and its value, in any order. Each key stands once.
pub(super) fn pairs<'a, 'w>(words: &'w [&'a str]) -> Result<&'w [[&'a str; 2]], Error> {
    let (pairs, odd) = words.as_chunks::<2>();
    let is_again = |(place, [key, _]): (usize, &[&str; 2])| {
        pairs.iter().take(place).any(|[known, _]| known == key)
    };
    let is_wrong = !odd.is_empty() || pairs.iter().enumerate().any(is_again);
    if is_wrong { Err(Error::InvalidInput) } else { Ok(pairs) }
}

/// Values with commas between.
pub(super) fn list<T: FromStr>(word: &str) -> Result<Vec<T>, Error> {
    word.split(',').map(value).collect()
}
