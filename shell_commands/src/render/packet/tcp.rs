//! TCP segments, with sequence numbers that count from the first one of their connection.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::net::IpAddr;

use etherparse::{TcpOptionElement, TcpSlice};

use super::{Style, application};
use crate::limits;

type End = (IpAddr, u16);

/// The first sequence number of each direction of the connections that were seen.
#[derive(Debug, Default)]
pub(super) struct Streams {
    first: HashMap<(End, End), u32>,
    order: VecDeque<(End, End)>,
}

impl Streams {
    fn learn(&mut self, ends: (End, End), sequence: u32) {
        if self.first.insert(ends, sequence).is_none() {
            self.order.push_back(ends);
            if self.order.len() > limits::SHOWN_STREAMS
                && let Some(oldest) = self.order.pop_front()
            {
                self.first.remove(&oldest);
            }
        }
    }
}

/// A segment; `length` is that of the whole segment, which may be cut.
pub(super) fn show(
    text: &mut String,
    segment: &TcpSlice<'_>,
    (from, to): (End, End),
    length: usize,
    style: Style,
    streams: &mut Streams,
) {
    let length = length.saturating_sub(segment.header_slice().len());
    if style.quiet {
        let _ = write!(text, "tcp {length}");
        return;
    }
    let sequence = segment.sequence_number();
    let (own, other) = ((from, to), (to, from));
    // The first segment of a direction sets its base, and is shown as it is.
    let base = streams.first.get(&own).copied().filter(|_| !style.absolute && !segment.syn());
    if base.is_none() {
        streams.learn(own, sequence);
    }
    let _ = write!(text, "Flags [{}]", flags(segment));
    if length > 0 || segment.syn() || segment.fin() || segment.rst() {
        let first = sequence.wrapping_sub(base.unwrap_or(0));
        let _ = write!(text, ", seq {first}");
        if length > 0 {
            let _ = write!(text, ":{}", first.wrapping_add(length as u32));
        }
    }
    if segment.ack() {
        let number = segment.acknowledgment_number();
        // The acknowledgment of a SYN is shown as it is.
        let known = streams.first.get(&other).filter(|_| !style.absolute && !segment.syn());
        let known = known.copied();
        if known.is_none() && !segment.syn() {
            streams.learn(other, number.wrapping_sub(1));
        }
        let _ = write!(text, ", ack {}", number.wrapping_sub(known.unwrap_or(0)));
    }
    let _ = write!(text, ", win {}", segment.window_size());
    if segment.urg() {
        let _ = write!(text, ", urg {}", segment.urgent_pointer());
    }
    let options: Vec<String> = segment
        .options_iterator()
        .map(|element| match element {
            Ok(element) => option(&element),
            Err(_) => "[bad opt]".into(),
        })
        .collect();
    if !options.is_empty() {
        let _ = write!(text, ", options [{}]", options.join(","));
    }
    let _ = write!(text, ", length {length}");
    let ports = (segment.source_port(), segment.destination_port());
    application::tcp(text, ports, segment.payload());
}

fn flags(segment: &TcpSlice<'_>) -> String {
    let flags = [
        (segment.fin(), 'F'),
        (segment.syn(), 'S'),
        (segment.rst(), 'R'),
        (segment.psh(), 'P'),
        (segment.ack(), '.'),
        (segment.urg(), 'U'),
        (segment.ece(), 'E'),
        (segment.cwr(), 'W'),
        (segment.ns(), 'e'),
    ];
    let set: String =
        flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).collect();
    if set.is_empty() { "none".into() } else { set }
}

fn option(element: &TcpOptionElement) -> String {
    match element {
        TcpOptionElement::Noop => "nop".into(),
        TcpOptionElement::MaximumSegmentSize(bytes) => format!("mss {bytes}"),
        TcpOptionElement::WindowScale(shift) => format!("wscale {shift}"),
        TcpOptionElement::SelectiveAcknowledgementPermitted => "sackOK".into(),
        TcpOptionElement::SelectiveAcknowledgement(first, rest) => {
            let blocks: Vec<_> = [Some(*first)].iter().chain(rest).flatten().copied().collect();
            let shown: String =
                blocks.iter().map(|(left, right)| format!("{{{left}:{right}}}")).collect();
            format!("sack {} {shown}", blocks.len())
        }
        TcpOptionElement::Timestamp(value, echo) => format!("TS val {value} ecr {echo}"),
    }
}
