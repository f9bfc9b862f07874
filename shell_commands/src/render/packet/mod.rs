//! Packets in words, in the layout of tcpdump.
//!
//! Headers are taken apart by `etherparse`; what stands here is how they are said.

mod application;
mod dump;
mod internet;
mod tcp;

use std::fmt::Write;
use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::capture::read::Record;
use devnet_network::command::capture::CaptureDirection;
use devnet_network::driver::Medium;
use etherparse::{EtherType, LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, LinkSlice};

use self::tcp::Streams;
use super::calendar;

/// The comment about what a network card would not have received.
const NOT_FOR_US: &str = "dropped: not-for-us";

/// How the time of a packet is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Time {
    /// Hours, minutes and seconds (UTC).
    #[default]
    OfDay,
    /// Not at all (`-t`).
    No,
    /// Seconds since 1970 (`-tt`).
    Unix,
    /// Since the packet before (`-ttt`), or the first one (`-ttttt`).
    Since {
        /// The first one.
        first: bool,
    },
    /// With the date (`-tttt`).
    Date,
}

/// How the bytes of a packet are shown after its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bytes {
    /// In hexadecimal (`-x`, `-X`).
    pub hexadecimal: bool,
    /// As text (`-A`, `-X`).
    pub text: bool,
    /// From the link header on (`-xx`, `-XX`).
    pub with_link: bool,
}

/// What is shown of packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// The time.
    pub time: Time,
    /// The bytes.
    pub bytes: Bytes,
    /// The link header (`-e`).
    pub link: bool,
    /// More of the IP header (`-v`).
    pub verbose: bool,
    /// Less of what is above IP (`-q`).
    pub quiet: bool,
    /// Sequence numbers as they are (`-S`).
    pub absolute: bool,
    /// A number before each line (`-#`).
    pub numbered: bool,
}

/// Shows packets one after another.
#[derive(Debug)]
pub struct Printer {
    style: Style,
    streams: Streams,
    number: u64,
    first: Option<Duration>,
    last: Option<Duration>,
}

/// Which way a packet went, and for whom it was, in a column of Linux' captures of any interface.
fn direction(record: &Record) -> &'static str {
    let to = record.bytes.first_chunk().filter(|_| record.medium == Medium::Ethernet);
    let to = to.map(|to: &[u8; 6]| HardwareAddress(*to));
    match (record.direction, to) {
        (CaptureDirection::Out, _) => "Out",
        (CaptureDirection::Both, _) => "?",
        (CaptureDirection::In, Some(to)) if to == HardwareAddress::BROADCAST => "B",
        (CaptureDirection::In, Some(to)) if !to.is_unicast() => "M",
        (CaptureDirection::In, Some(_)) if record.comment == NOT_FOR_US => "P",
        (CaptureDirection::In, _) => "In",
    }
}

impl Printer {
    /// A printer that has shown nothing.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self { style, streams: Streams::default(), number: 0, first: None, last: None }
    }

    /// The lines of a packet; `has_interface` puts the interface and the direction first, as in
    /// captures of all interfaces.
    pub fn show(&mut self, record: &Record, has_interface: bool) -> String {
        let mut text = String::new();
        self.number = self.number.saturating_add(1);
        if self.style.numbered {
            let _ = write!(text, "{:5}  ", self.number);
        }
        text += &self.time(record.time);
        if has_interface {
            let _ = write!(text, "{:<5} {:<3} ", record.interface, direction(record));
        }
        self.packet(&mut text, record);
        if record.lost > 0 {
            let _ = write!(text, " [{} lost before]", record.lost);
        }
        // Groups of others are no loss, and many.
        if !record.comment.is_empty() && (self.style.verbose || record.comment != NOT_FOR_US) {
            let _ = write!(text, " [{}]", record.comment);
        }
        text.push('\n');
        dump::append(&mut text, record, self.style.bytes);
        text
    }

    fn time(&mut self, time: Duration) -> String {
        let (seconds, micros) = (time.as_secs(), time.subsec_micros());
        let of_day = format!(
            "{:02}:{:02}:{:02}.{micros:06} ",
            seconds / 3600 % 24,
            seconds / 60 % 60,
            seconds % 60
        );
        let first = *self.first.get_or_insert(time);
        let last = self.last.replace(time).unwrap_or(time);
        match self.style.time {
            Time::No => String::new(),
            Time::OfDay => of_day,
            Time::Unix => format!("{seconds}.{micros:06} "),
            Time::Since { first: is_first } => {
                let since = time.saturating_sub(if is_first { first } else { last });
                let (seconds, micros) = (since.as_secs(), since.subsec_micros());
                format!(
                    " {:02}:{:02}:{:02}.{micros:06} ",
                    seconds / 3600,
                    seconds / 60 % 60,
                    seconds % 60
                )
            }
            Time::Date => format!("{} {of_day}", date(seconds / 86_400)),
        }
    }

    fn packet(&mut self, text: &mut String, record: &Record) {
        let sliced = match record.medium {
            Medium::Ethernet => LaxSlicedPacket::from_ethernet(&record.bytes).ok(),
            Medium::Ip => LaxSlicedPacket::from_ip(&record.bytes).ok(),
        };
        let Some(sliced) = sliced else {
            let _ = write!(text, "[too short], length {}", record.length);
            return;
        };
        let ethernet = match &sliced.link {
            Some(LinkSlice::Ethernet2(ethernet)) => Some(ethernet),
            _ => None,
        };
        let mut header = 0;
        let mut ethertype = EtherType(0);
        if let Some(ethernet) = ethernet {
            (header, ethertype) = (14, ethernet.ether_type());
            for extension in &sliced.link_exts {
                if let LaxLinkExtSlice::Vlan(vlan) = extension {
                    (header, ethertype) = (header + 4, vlan.ether_type());
                }
            }
        }
        // Without a protocol that is known the link header is all there is to say.
        if let Some(ethernet) = ethernet.filter(|_| self.style.link || sliced.net.is_none()) {
            let (from, to) = (ethernet.source(), ethernet.destination());
            let _ = write!(text, "{} > {}, ", hardware(&from), hardware(&to));
            for extension in &sliced.link_exts {
                if let LaxLinkExtSlice::Vlan(vlan) = extension {
                    let (number, priority) =
                        (vlan.vlan_identifier(), vlan.priority_code_point().value());
                    let _ = write!(text, "vlan {}, p {priority}, ", number.value());
                }
            }
            let _ = write!(
                text,
                "ethertype {} (0x{:04x}), length {}: ",
                ethertype_name(ethertype),
                ethertype.0,
                record.length
            );
        }
        let length = record.length.saturating_sub(header);
        match &sliced.net {
            Some(LaxNetSlice::Arp(arp)) => internet::arp(text, arp, length),
            Some(LaxNetSlice::Ipv4(packet)) => {
                internet::ipv4(text, packet, &sliced, self.style, &mut self.streams);
            }
            Some(LaxNetSlice::Ipv6(packet)) => {
                internet::ipv6(text, packet, &sliced, self.style, &mut self.streams);
            }
            // The packet is damaged, or nothing that is known.
            None => match &sliced.stop_err {
                Some((why, _)) => {
                    let _ = write!(text, "[{why}]");
                }
                None => text.truncate(text.trim_end_matches([':', ' ']).len()),
            },
        }
    }
}

fn ethertype_name(ethertype: EtherType) -> &'static str {
    match ethertype {
        EtherType::IPV4 => "IPv4",
        EtherType::IPV6 => "IPv6",
        EtherType::ARP => "ARP",
        _ => "Unknown",
    }
}

fn hardware(address: &[u8]) -> String {
    address.first_chunk().map(|octets| HardwareAddress(*octets).to_string()).unwrap_or_default()
}

/// The date of a day since 1970-01-01.
fn date(days: u64) -> String {
    calendar::format(Duration::from_secs(days.saturating_mul(86_400)), "%F")
}

#[cfg(test)]
mod tests;
