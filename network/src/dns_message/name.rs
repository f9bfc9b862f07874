//! Domain names: reading them from a message, with compression, and writing them (RFC 1035 §3.1,
//! §4.1.4).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use devnet_virtual_file_system::Error;

use crate::command::escape;
use crate::limits;

/// Bytes of the longest name as text (RFC 1035 §2.3.4: 255 on the wire).
pub(super) const NAME_BYTES: usize = 253;
const LABEL_BYTES: usize = 63;
/// Compression pointers of one name: as many as it can have labels.
const POINTERS: usize = 128;

/// The position after the name at `at`; `None` when it exceeds the message.
pub(crate) fn skip(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=0x3f => at += 1 + usize::from(length),
            0xc0.. => return message.get(at + 1).map(|_| at + 2),
            0x40..=0xbf => return None,
        }
    }
}

/// The name at `at`, in lower case without the final dot, empty for the root; `None` for one that
/// no host name can be equal to. Compression pointers lead backwards only (DNS-06).
pub(crate) fn read(message: &[u8], at: usize) -> Option<String> {
    read_labels(message, at, push_label).map(|name| name.to_ascii_lowercase())
}

/// As [`read`], as it is spelled.
pub(super) fn read_spelled(message: &[u8], at: usize) -> Option<String> {
    read_labels(message, at, push_label)
}

/// As [`read_spelled`], of any bytes: a dot in a label is `\.`, what is not printable `\DDD` (RFC
/// 1035 §5.1).
pub(super) fn read_escaped(message: &[u8], at: usize) -> Option<String> {
    read_labels(message, at, |name, label| {
        escape::push(name, label);
        Some(())
    })
}

fn read_labels(
    message: &[u8],
    mut at: usize,
    push: impl Fn(&mut String, &[u8]) -> Option<()>,
) -> Option<String> {
    let (mut name, mut start, mut pointers, mut bytes) = (String::new(), at, 0, 0);
    loop {
        let first = *message.get(at)?;
        match first {
            0 => return Some(name),
            1..=0x3f => {
                let end = at + 1 + usize::from(first);
                let label = message.get(at + 1..end)?;
                bytes += label.len() + usize::from(bytes > 0);
                if bytes > NAME_BYTES {
                    return None;
                }
                if !name.is_empty() {
                    name.push('.');
                }
                push(&mut name, label)?;
                at = end;
            }
            0xc0.. => {
                let target = usize::from(first & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                pointers += 1;
                if target >= start || pointers > POINTERS {
                    return None;
                }
                (at, start) = (target, target);
            }
            0x40..=0xbf => return None,
        }
    }
}

/// The names of a search list, one after the other, which may be compressed within the list (RFC
/// 3397 §2, RFC 8106 §5.2). One that cannot be read is left out, and so is padding.
pub(crate) fn read_list(list: &[u8]) -> Vec<String> {
    let (mut names, mut at) = (Vec::new(), 0);
    while let Some(end) = skip(list, at).filter(|_| names.len() < limits::SEARCH_DOMAINS) {
        names.extend(read(list, at).filter(|name| check_name(name).is_ok()));
        at = end;
    }
    names
}

fn push_label(name: &mut String, label: &[u8]) -> Option<()> {
    let label = core::str::from_utf8(label).ok()?;
    // A dot or control character inside a label would be ambiguous as text.
    if label.bytes().any(|byte| byte == b'.' || !byte.is_ascii_graphic()) {
        return None;
    }
    name.push_str(label);
    Some(())
}

/// Appends a name without compression.
///
/// # Errors
/// `InvalidInput` as [`check_question`].
pub(crate) fn write(bytes: &mut Vec<u8>, name: &str) -> Result<(), Error> {
    check_question(name)?;
    for label in name.split('.').filter(|label| !label.is_empty()) {
        // A checked label has at most 63 bytes.
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    Ok(())
}

/// Appends an escaped name without compression.
///
/// # Errors
/// `InvalidInput` for labels and names that are empty or too long.
#[cfg(feature = "mdns")]
pub(crate) fn write_escaped(bytes: &mut Vec<u8>, name: &str) -> Result<(), Error> {
    let labels = escape::labels(name).ok_or(Error::InvalidInput)?;
    let length: usize = labels.iter().map(|label| label.len() + 1).sum();
    let is_label = |label: &Vec<u8>| (1..=LABEL_BYTES).contains(&label.len());
    if length > NAME_BYTES + 1 || !labels.iter().all(is_label) {
        return Err(Error::InvalidInput);
    }
    for label in labels {
        // A checked label has at most 63 bytes.
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(&label);
    }
    bytes.push(0);
    Ok(())
}

/// A name in text form without its final dot.
pub(crate) fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Validates a name in text form; a final dot is allowed.
///
/// # Errors
/// `InvalidInput` for empty or overlong names and labels and for characters that no host name has.
pub fn check_name(name: &str) -> Result<(), Error> {
    let of_hosts = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if without_dot(name).is_empty() || !name.bytes().all(of_hosts) {
        Err(Error::InvalidInput)
    } else {
        check_question(name)
    }
}

/// Validates a name that a server may be asked for: a label has any printable characters but dots,
/// as in reverse zones of a part of a network (RFC 2317), and the root is a name too.
///
/// # Errors
/// `InvalidInput` for overlong names and labels, empty labels, and other characters.
pub(crate) fn check_question(name: &str) -> Result<(), Error> {
    let body = without_dot(name);
    let is_label = |label: &str| {
        (1..=LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let is_name = body.len() <= NAME_BYTES && body.split('.').all(is_label);
    if body.is_empty() || is_name { Ok(()) } else { Err(Error::InvalidInput) }
}

/// The name for a reverse lookup of an address (RFC 1035 §3.5, RFC 3596 §2.5).
#[must_use]
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = Ipv4Addr::octets(&address);
            alloc::format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::new();
            for octet in Ipv6Addr::octets(&address).iter().rev() {
                name.push_str(&alloc::format!("{:x}.{:x}.", octet & 0xf, octet >> 4));
            }
            name.push_str("ip6.arpa");
            name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_06_bad_names_are_refused() {
        let long_label = "x".repeat(64);
        let long_name = "a.".repeat(127) + "com";
        for name in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            long_label.as_str(),
            long_name.as_str(),
            "a b",
            "a\0b",
            "ä.de",
            "a/b",
        ] {
            assert_eq!(check_name(name), Err(Error::InvalidInput), "{name:?}");
        }
        for name in ["web.lan", "web.lan.", "_http._tcp.local", "x1-2.example"] {
            check_name(name).unwrap();
        }
    }

    #[test]
    fn dns_06_pointers_lead_backwards_only() {
        let message = b"\x03lan\x00\x03web\xc0\x00\xc0\x05\xc0\x0b\xc0\x0f\xc0\x13\x40a\x00";
        assert_eq!(read(message, 5).as_deref(), Some("web.lan"));
        assert_eq!(read(message, 11).as_deref(), Some("web.lan"));
        assert_eq!(read(message, 13).as_deref(), Some("web.lan"));
        // To itself, forwards, and a label type that does not exist.
        for at in [15, 17, 19] {
            assert_eq!(read(message, at), None, "{at}");
        }
        assert_eq!(skip(message, 5), Some(11));
        assert_eq!(skip(message, 19), None);
        assert_eq!(skip(message, message.len()), None);
    }

    #[test]
    fn addresses_have_reverse_names() {
        assert_eq!(reverse_name("10.0.2.4".parse().unwrap()), "4.2.0.10.in-addr.arpa");
        assert_eq!(
            reverse_name("fd00::1".parse().unwrap()),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"
        );
    }
}
