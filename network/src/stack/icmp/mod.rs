//! ICMP for IPv4 and IPv6: answers echo requests, sends and parses errors.
//!
//! [`Icmp`] answers by itself and returns what concerns others: errors that quote a packet of ours,
//! echo replies, MLD and neighbor discovery. The layer above checks with the sockets whether a
//! quoted packet is ours (RFC 5927).
//!
//! | file | owns |
//! |---|---|
//! | [`errors`] | the errors that we send |
//! | [`rate_limit`] | rate limits of errors and echo replies |
//! | [`notice`] | what an error means to a socket |
//! | [`echo`] | the requests that sockets send |

pub(crate) mod echo;
mod errors;
pub(crate) mod notice;
mod rate_limit;

use core::net::IpAddr;

use self::notice::Notice;
use self::rate_limit::RateLimiters;
use super::context::Context;
use super::counters::Counter;
use super::ip::Ip;
use super::ip::egress::SendOptions;
use super::ip::ingress::{Delivery, Packet};
use super::wire::checksum;
use super::wire::header::{self, Outgoing, protocol};
use super::wire::icmp::{ICMP_HEADER, fill_checksum, kind4, kind6};
use super::wire::ndp;
use super::wire::quote::Quote;
use crate::trace::dropped;

/// An ICMP message for another part.
#[derive(Debug)]
pub(crate) enum Message {
    /// None: it was answered, or dropped and counted.
    Nothing,
    /// An echo reply, for the sockets with its identifier.
    EchoReply,
    /// An error that quotes a packet; the quote follows the ICMP header.
    Error(Quote, Notice),
    /// Multicast listener discovery.
    Listener,
    /// Neighbor discovery.
    Discovery,
}

/// One interface's ICMP.
#[derive(Debug)]
pub(crate) struct Icmp {
    limiters: RateLimiters,
}

impl Icmp {
    /// ICMP with full token buckets.
    pub(crate) fn new(cx: &mut Context) -> Self {
        Self { limiters: RateLimiters::new(cx.random.u64(), cx.now) }
    }

    /// True when the rate limit allows an error or another unsolicited answer to this host.
    pub(crate) fn may_answer(&mut self, cx: &mut Context, host: IpAddr) -> bool {
        self.limiters.error(host, cx.random.u32(), cx.now)
    }

    /// Processes an ICMP packet of either family.
    pub(crate) fn receive(&mut self, cx: &mut Context, ip: &mut Ip, packet: &Packet) -> Message {
        let header = &packet.header;
        let message = packet.payload();
        let is_ipv4 = !cfg!(feature = "ipv6") || header.source.is_ipv4();
        cx.counters.count(!is_ipv4, Counter::IcmpInMsgs);
        if message.len() < ICMP_HEADER {
            cx.counters.count(!is_ipv4, Counter::IcmpInErrors);
            dropped!(cx, Malformed, "devnet::icmp", "from {}", header.source);
            return Message::Nothing;
        }
        let sum = || match is_ipv4 {
            true => checksum::of(message),
            false => {
                checksum::of_transport(header.source, header.destination, protocol::ICMPV6, message)
            }
        };
        if packet.arrival.from_wire && cx.needs_checksums() && sum() != 0 {
            cx.counters.count(!is_ipv4, Counter::IcmpInErrors);
            cx.counters.count(!is_ipv4, Counter::IcmpInCsumErrors);
            dropped!(cx, Checksum, "devnet::icmp", "from {}", header.source);
            return Message::Nothing;
        }
        let (request, reply, unreachable) = match is_ipv4 {
            true => (kind4::ECHO_REQUEST, kind4::ECHO_REPLY, kind4::DESTINATION_UNREACHABLE),
            false => (kind6::ECHO_REQUEST, kind6::ECHO_REPLY, kind6::DESTINATION_UNREACHABLE),
        };
        let counter = match message.first() {
            Some(kind) if *kind == request => Some(Counter::IcmpInEchos),
            Some(kind) if *kind == reply => Some(Counter::IcmpInEchoReps),
            Some(kind) if *kind == unreachable => Some(Counter::IcmpInDestUnreachs),
            _ => None,
        };
        counter.into_iter().for_each(|counter| cx.counters.count(!is_ipv4, counter));
        match is_ipv4 {
            true => self.receive_ipv4(cx, ip, packet, message),
            false => self.receive_ipv6(cx, ip, packet, message),
        }
    }

    fn receive_ipv4(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        packet: &Packet,
        message: &[u8],
    ) -> Message {
        let is_unicast = packet.delivery == Delivery::Unicast;
        match message.first() {
            // Echo requests to broadcast and multicast addresses are ignored, as on Linux (RFC 1122
            // §3.2.2.6).
            Some(&kind4::ECHO_REQUEST) if is_unicast => {
                self.reply(cx, ip, packet, kind4::ECHO_REPLY);
                Message::Nothing
            }
            Some(&kind4::ECHO_REPLY) => Message::EchoReply,
            Some(
                &(kind4::DESTINATION_UNREACHABLE | kind4::TIME_EXCEEDED | kind4::PARAMETER_PROBLEM),
            ) if is_unicast => read_error(cx, ip, packet),
            _ => {
                let from = packet.header.source;
                dropped!(cx, UnknownProtocol, "devnet::icmp", "from {}", from);
                Message::Nothing
            }
        }
    }

    fn receive_ipv6(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        packet: &Packet,
        message: &[u8],
    ) -> Message {
        match message.first() {
            Some(&kind6::ECHO_REQUEST) => {
                self.reply(cx, ip, packet, kind6::ECHO_REPLY);
                Message::Nothing
            }
            Some(&kind6::ECHO_REPLY) => Message::EchoReply,
            // Errors are the types below 128 (RFC 4443 §2.1), unknown ones too (ICE-08).
            Some(&(1..kind6::ECHO_REQUEST)) if packet.delivery == Delivery::Unicast => {
                read_error(cx, ip, packet)
            }
            Some(
                &(kind6::LISTENER_QUERY
                | kind6::LISTENER_REPORT
                | kind6::LISTENER_DONE
                | kind6::LISTENER_REPORT_2),
            ) => Message::Listener,
            Some(&(ndp::kind::ROUTER_SOLICITATION..=ndp::kind::REDIRECT)) => Message::Discovery,
            _ => {
                let from = packet.header.source;
                dropped!(cx, UnknownProtocol, "devnet::icmp", "from {}", from);
                Message::Nothing
            }
        }
    }

    /// Sends an echo reply with the same data (RFC 792, RFC 4443 §4.2).
    fn reply(&mut self, cx: &mut Context, ip: &mut Ip, packet: &Packet, kind: u8) {
        let header = &packet.header;
        let message = packet.payload();
        let source = if header.destination.is_multicast() {
            ip.addresses.source_for(header.source, header.source)
        } else {
            Some(header.destination)
        };
        let Some(source) =
            source.filter(|_| !header.source.is_unspecified() && self.limiters.echo(cx.now))
        else {
            return;
        };
        let outgoing = Outgoing {
            source,
            destination: header.source,
            protocol: header.protocol,
            hop_limit: ip.hop_limit(header.source),
            traffic_class: header.traffic_class & !3,
        };
        let start = header::length_for(outgoing.destination);
        let mut reply = cx.pool.take(start + message.len());
        if let Some(place) = reply.bytes_mut().get_mut(start..) {
            place.copy_from_slice(message);
            if let Some(first) = place.first_mut() {
                *first = kind;
            }
            fill_checksum(outgoing.source, outgoing.destination, place);
        }
        let is_ipv6 = header.source.is_ipv6();
        cx.counters.count(is_ipv6, Counter::IpOutRequests);
        cx.counters.count(is_ipv6, Counter::IcmpOutMsgs);
        cx.counters.count(is_ipv6, Counter::IcmpOutEchoReps);
        // A dropped echo reply is counted where it was dropped.
        let _ = ip.send(cx, reply, &outgoing, &SendOptions::INTERNAL);
    }
}

/// Parses an error.
fn read_error(cx: &mut Context, ip: &Ip, packet: &Packet) -> Message {
    let message = packet.payload();
    let Some(quoted) = Quote::parse(message.get(ICMP_HEADER..).unwrap_or_default()) else {
        let from = packet.header.source;
        dropped!(cx, Malformed, "devnet::icmp", "an error from {}", from);
        return Message::Nothing;
    };
    let reporter = packet.header.source;
    if quoted.source.is_ipv4() != reporter.is_ipv4() || !ip.is_own(quoted.source) {
        dropped!(
            cx,
            Martian,
            "devnet::icmp",
            "an error from {} about a packet of {}",
            reporter,
            quoted.source
        );
        return Message::Nothing;
    }
    let Some(notice) = Notice::of_icmp(message, reporter) else {
        dropped!(cx, UnknownProtocol, "devnet::icmp", "an error from {}", reporter);
        return Message::Nothing;
    };
    Message::Error(quoted, notice)
}
