//! What is above UDP and TCP, as far as a line says it.

use std::fmt::Write;

use devnet_network::dhcp_message::DhcpMessage;

use super::hardware;

const DNS: u16 = 53;
const MDNS: u16 = 5353;
const NTP: u16 = 123;
const DHCP: [u16; 2] = [67, 68];
const HTTP: [u16; 2] = [80, 8080];
/// Bytes of the header of a DNS message.
const DNS_HEADER: usize = 12;
/// Bytes of the name in a question that are read.
const NAME_BYTES: usize = 255;
/// Records of a response that are shown.
const SHOWN_RECORDS: u16 = 8;

pub(super) fn udp(
    text: &mut String,
    (from, to): (u16, u16),
    payload: &[u8],
    length: usize,
    is_quiet: bool,
) {
    let is = |port: u16| from == port || to == port;
    let shown = if is_quiet {
        None
    } else if is(DNS) || is(MDNS) {
        dns(payload, length)
    } else if DHCP.contains(&from) && DHCP.contains(&to) {
        dhcp(payload, length)
    } else if is(NTP) {
        payload.first().map(|first| {
            let mode = [
                "Reserved",
                "symmetric active",
                "symmetric passive",
                "Client",
                "Server",
                "Broadcast",
                "Control Message",
                "Reserved",
            ];
            let mode = mode.get(usize::from(first & 7)).copied().unwrap_or_default();
            format!("NTPv{}, {mode}, length {length}", first >> 3 & 7)
        })
    } else {
        None
    };
    match shown {
        Some(shown) => text.push_str(&shown),
        None => {
            let _ = write!(text, "UDP, length {length}");
        }
    }
}

/// The first line of a message of HTTP.
pub(super) fn tcp(text: &mut String, (from, to): (u16, u16), payload: &[u8]) {
    if payload.is_empty() || !(HTTP.contains(&from) || HTTP.contains(&to)) {
        return;
    }
    let line = payload.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    let is_begin = [b"HTTP/".as_slice(), b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE "]
        .iter()
        .any(|start| line.starts_with(start));
    let shown: String = String::from_utf8_lossy(line).chars().take(200).collect();
    text.push_str(": HTTP");
    if is_begin {
        let _ = write!(text, ": {shown}");
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn dns(message: &[u8], length: usize) -> Option<String> {
    let [id, flags, questions, answers, authorities, additional] =
        [0, 2, 4, 6, 8, 10].map(|at| word(message, at));
    let (id, flags, questions) = (id?, flags?, questions?);
    let is_response = flags & 0x8000 != 0;
    let mut shown = format!("{id}");
    // The questions of a query follow its flags, the records of a response its counts.
    if !is_response {
        if flags & 0x0100 != 0 {
            shown.push('+');
        }
        if additional.is_some_and(|count| count > 0) {
            let _ = write!(shown, " [{}au]", additional.unwrap_or_default());
        }
        if questions > 0 {
            let (name, end) = name(message, DNS_HEADER)?;
            let _ = write!(shown, " {}? {name}", kind(word(message, end)?));
        }
        let _ = write!(shown, " ({length})");
        return Some(shown);
    }
    let code = ["", " FormErr", " ServFail", " NXDomain", " NotImp", " Refused"];
    shown.push_str(code.get(usize::from(flags & 0xf)).copied().unwrap_or(" Resp"));
    for (bit, sign) in [(0x0400, '*'), (0x0200, '|')] {
        if flags & bit != 0 {
            shown.push(sign);
        }
    }
    let _ = write!(shown, " {}/{}/{}", answers?, authorities?, additional?);
    let mut at = DNS_HEADER;
    for _ in 0..questions {
        at = name(message, at)?.1 + 4;
    }
    let mut records = Vec::new();
    for _ in 0..answers?.min(SHOWN_RECORDS) {
        let Some((record, end)) = answer(message, at) else { break };
        records.push(record);
        at = end;
    }
    if !records.is_empty() {
        let _ = write!(shown, " {}", records.join(", "));
    }
    let _ = write!(shown, " ({length})");
    Some(shown)
}

/// A record: its kind and value, and where it ends.
fn answer(message: &[u8], at: usize) -> Option<(String, usize)> {
    let (_, at) = name(message, at)?;
    let (number, length) = (word(message, at)?, usize::from(word(message, at + 8)?));
    let data = message.get(at + 10..at + 10 + length)?;
    let value = match number {
        1 => std::net::Ipv4Addr::from(*data.first_chunk::<4>()?).to_string(),
        28 => std::net::Ipv6Addr::from(*data.first_chunk::<16>()?).to_string(),
        2 | 5 | 12 => name(message, at + 10)?.0,
        _ => String::new(),
    };
    let shown = format!("{} {value}", kind(number));
    Some((shown.trim_end().to_owned(), at + 10 + length))
}

fn kind(number: u16) -> String {
    match number {
        1 => "A".into(),
        2 => "NS".into(),
        5 => "CNAME".into(),
        6 => "SOA".into(),
        12 => "PTR".into(),
        15 => "MX".into(),
        16 => "TXT".into(),
        28 => "AAAA".into(),
        33 => "SRV".into(),
        41 => "OPT".into(),
        65 => "HTTPS".into(),
        255 => "ANY".into(),
        other => format!("Type{other}"),
    }
}

/// A name and where it ends. Pointers lead backwards only.
fn name(message: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut at, mut end, mut limit) = (start, None, start);
    let mut shown = String::new();
    loop {
        let length = usize::from(*message.get(at)?);
        match length {
            0 => {
                let end = end.unwrap_or(at + 1);
                return Some((if shown.is_empty() { ".".into() } else { shown }, end));
            }
            0xc0.. => {
                let target = usize::from(word(message, at)? & 0x3fff);
                end = end.or(Some(at + 2));
                if target >= limit {
                    return None;
                }
                (at, limit) = (target, target);
            }
            64.. => return None,
            length => {
                let label = message.get(at + 1..at + 1 + length)?;
                shown.push_str(&String::from_utf8_lossy(label));
                shown.push('.');
                if shown.len() > NAME_BYTES * 4 {
                    return None;
                }
                at += 1 + length;
            }
        }
    }
}

fn dhcp(payload: &[u8], length: usize) -> Option<String> {
    let message = DhcpMessage::parse(payload).ok()?;
    // The hardware address stands behind the fixed fields.
    let client = hardware(payload.get(28..34)?);
    let kind = message.option(53).and_then(|value| value.first().copied());
    let names = ["Discover", "Offer", "Request", "Decline", "ACK", "NACK", "Release", "Inform"];
    let kind = kind.and_then(|kind| names.get(usize::from(kind).checked_sub(1)?).copied());
    let kind = kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
    Some(match payload.first() {
        Some(1) => format!("BOOTP/DHCP, Request{kind} from {client}, length {length}"),
        _ => format!("BOOTP/DHCP, Reply{kind}, length {length}"),
    })
}
