//! The differences that are meant, each with its reason. Whatever is not here is a failure.

use std::collections::BTreeSet;

use super::Effect;
use super::packets::{ACK, Extra, FIN, Fault, From, Input, Payload, RST, SYN, To};

/// Why ours differs, if the difference is meant.
pub(crate) fn reason(
    input: &Input,
    before: &[(Input, BTreeSet<Effect>)],
    ours: &BTreeSet<Effect>,
    plain: &BTreeSet<Effect>,
) -> Option<&'static str> {
    let more: Vec<Effect> = ours.difference(plain).copied().collect();
    let less: Vec<Effect> = plain.difference(ours).copied().collect();
    ip(input, &more, &less)
        .or_else(|| tcp(input, &more, &less))
        .or_else(|| outside(input, before, &more, &less))
        .or_else(|| ended(input, before, &more, &less))
}

/// True when one of the two refuses a packet without a word that the other takes: their states may
/// differ from then on.
pub(crate) fn parts_silently(input: &Input, before: &[(Input, BTreeSet<Effect>)]) -> bool {
    // IP4-02: ours refuses source routes.
    let is_routed = !input.is_v6 && input.extra == Extra::Unknown(131);
    // TCP-R-05: plain smoltcp refuses data and ends with an old acknowledgment, also those that
    // wait for others.
    let is_old = match input.payload {
        Payload::Tcp { flags, acknowledgment, length, .. } => {
            acknowledgment < 1 && (length > 0 || flags & FIN != 0)
        }
        _ => false,
    };
    // TCP-R-10: ours answers a repeated SYN with the same SYN|ACK; in one plain set another
    // listener takes it, with a number of its own.
    let is_repeat = match input.payload {
        Payload::Tcp { flags, .. } => {
            flags & (SYN | ACK | RST) == SYN && half_open(input, before).is_some()
        }
        _ => false,
    };
    // RFC 5961 3.2: ours ends a handshake for a reset at exactly the next number, plain smoltcp for
    // one that reaches into its window, and for none that is a SYN or the end as well (RFC 9293
    // 3.10.7.4 looks at the reset first).
    let is_stray = match input.payload {
        Payload::Tcp { flags, sequence, .. } if flags & RST != 0 => half_open(input, before)
            .is_some_and(|begin| {
                begin != Some(i64::from(sequence))
                    || changes_sequence(input)
                    || flags & (SYN | FIN) != 0
            }),
        _ => false,
    };
    // Of ends that contradict each other ours believes the one it heard first, plain smoltcp the
    // first in order.
    let is_contradiction = end(input).is_some_and(|here| {
        let is_other = |(earlier, _): &(Input, BTreeSet<Effect>)| {
            end(earlier).is_some_and(|there| there != here)
        };
        before.iter().filter(|(earlier, _)| is_of_one_stream(earlier, input)).any(is_other)
    });
    is_routed || is_old || is_repeat || is_stray || is_contradiction
}

/// The number at which a segment ends the peer's direction, if it does; nothing inside when a byte
/// of it was changed.
fn end(input: &Input) -> Option<Option<i64>> {
    match input.payload {
        Payload::Tcp { flags, sequence, length, .. } if flags & (FIN | ACK) == FIN | ACK => {
            Some((!changes_sequence(input)).then_some(i64::from(sequence) + length as i64))
        }
        _ => None,
    }
}

fn is_of_one_stream(one: &Input, other: &Input) -> bool {
    match (&one.payload, &other.payload) {
        (Payload::Tcp { from, .. }, Payload::Tcp { from: known, .. }) => {
            port(one, *from) == port(other, *known) && one.is_v6 == other.is_v6
        }
        _ => false,
    }
}

/// The peer's port, also where the fuzzer changed a byte of it.
fn port(input: &Input, from: u16) -> u16 {
    let [high, low] = from.to_be_bytes();
    match input.fault {
        Fault::Byte(0, changed) => u16::from_be_bytes([changed, low]),
        Fault::Byte(1, changed) => u16::from_be_bytes([high, changed]),
        _ => from,
    }
}

/// The peer's first number of the connection that last began from this port; nothing inside when a
/// byte of it was changed.
fn half_open(input: &Input, before: &[(Input, BTreeSet<Effect>)]) -> Option<Option<i64>> {
    before.iter().rev().find_map(|(earlier, effects)| match earlier.payload {
        Payload::Tcp { flags, sequence, .. } if is_of_one_stream(earlier, input) => {
            let is_answered = effects.iter().any(|effect| matches!(effect, Effect::Agreed(_)));
            let begin = (!changes_sequence(earlier)).then_some(i64::from(sequence) + 1);
            (flags & SYN != 0 && is_answered).then_some(begin)
        }
        _ => None,
    })
}

fn ip(input: &Input, more: &[Effect], less: &[Effect]) -> Option<&'static str> {
    if input.to != To::Host && more.is_empty() {
        return Some("TCP-X-04, ICE-01, IP4-05: what was sent to everybody is answered by nobody");
    }
    if input.from != From::Peer && more.is_empty() {
        return Some(
            "martians are refused at the door: our own address, loopback, groups (RFC 1122 \
            3.2.1.3)",
        );
    }
    let is_refused = less.iter().any(|effect| matches!(effect, Effect::Refused(4, _)));
    if input.is_v6
        && matches!(input.extra, Extra::Destination | Extra::Routing | Extra::Atomic)
        && is_refused
    {
        return Some("smoltcp knows no extension header but hop-by-hop options (RFC 8200 4)");
    }
    if !input.is_v6 && input.extra == Extra::Unknown(131) && more.is_empty() {
        return Some("IP4-02: source routes are refused (RFC 7126)");
    }
    let is_error = match (&input.payload, input.fault) {
        (Payload::Error(_), _) => true,
        // An echo request whose type was changed to one of the errors.
        (Payload::Echo { .. }, Fault::Byte(0, kind)) => kind < 128,
        _ => false,
    };
    if is_error && is_refused {
        return Some("IP6-05: an error is never answered with an error");
    }
    if matches!((&input.payload, input.fault), (Payload::Echo { .. }, Fault::Byte(1, _)))
        && less.is_empty()
    {
        return Some("the code of an echo request does not matter, as on Linux");
    }
    if input.is_v6 && input.fault == Fault::NoChecksum && more.is_empty() {
        return Some("IP6-08: UDP over IPv6 has a checksum (RFC 8200 8.1)");
    }
    None
}

fn tcp(input: &Input, more: &[Effect], less: &[Effect]) -> Option<&'static str> {
    let Payload::Tcp { flags, acknowledgment, .. } = input.payload else { return None };
    let is_silent = flags & (ACK | SYN | RST) == 0;
    if is_silent && matches!(more, [Effect::Reset(_)]) && less.is_empty() {
        return Some("a closed port answers every segment but a reset (RFC 9293 3.10.7.1)");
    }
    if flags & RST != 0 && matches!(more, [Effect::Open(_)]) && less.is_empty() {
        return Some("RFC 5961 3.2: a reset inside the window but not at its edge is challenged");
    }
    if matches!(more, [Effect::Stream(..)]) && less.is_empty() && acknowledgment < 1 {
        return Some("TCP-R-05: data with an old acknowledgment is delivered all the same");
    }
    if input.fault == Fault::Byte(3, 0) && matches!(more, [Effect::Reset(_)]) && less.is_empty() {
        return Some("port 0 is a closed port, as on Linux");
    }
    if flags & SYN != 0 && more.is_empty() && matches!(less, [Effect::Agreed(_)]) {
        return Some(
            "a SYN for a half-open connection is that connection's; in one plain set another \
            listener takes it",
        );
    }
    None
}

/// True when the fuzzer changed one of the bytes of the sequence number.
const fn changes_sequence(input: &Input) -> bool {
    matches!(input.fault, Fault::Byte(4..=7, _))
}

/// RFC 9293 looks at the sequence number first, smoltcp at the acknowledgment.
fn outside(
    input: &Input,
    before: &[(Input, BTreeSet<Effect>)],
    more: &[Effect],
    less: &[Effect],
) -> Option<&'static str> {
    let Payload::Tcp { sequence, length, flags, .. } = input.payload else { return None };
    let known = half_open(input, before)?.filter(|_| !changes_sequence(input));
    let begin = known.unwrap_or_default();
    let (start, end) = (i64::from(sequence), i64::from(sequence) + length as i64);
    let is_outside = known.is_none() || (start < begin && end <= begin) || start > begin + 65_535;
    if is_outside && flags & ACK != 0 && more.is_empty() && matches!(less, [Effect::Reset(_)]) {
        return Some(
            "what lies outside of the window earns an ACK, whatever it acknowledges (RFC 9293 \
            3.10.7.4)",
        );
    }
    // The listeners' buffers on both sides.
    let is_at_edge = known.is_none() || start == begin + 4096;
    if is_at_edge && flags & ACK != 0 && matches!(more, [Effect::Open(_)]) && less.is_empty() {
        return Some(
            "what a segment at the very edge of the window acknowledges counts, as on Linux",
        );
    }
    if (known.is_none() || (start < begin && end == begin))
        && flags & FIN != 0
        && matches!(more, [Effect::Open(_)])
        && less.is_empty()
    {
        return Some(
            "an end in the window makes a segment acceptable: it counts one (RFC 9293 3.4)",
        );
    }
    None
}

fn ended(
    input: &Input,
    before: &[(Input, BTreeSet<Effect>)],
    more: &[Effect],
    less: &[Effect],
) -> Option<&'static str> {
    let is_end = |(earlier, _): &(Input, BTreeSet<Effect>)| {
        matches!(earlier.payload, Payload::Tcp { flags, .. } if flags & FIN != 0)
            && is_of_one_stream(earlier, input)
    };
    // Nothing more than the other, at most a part of its data.
    let is_part = match (more, less) {
        ([], [Effect::Stream(..)]) => true,
        ([Effect::Stream(_, part)], [Effect::Stream(_, all)]) => part < all,
        _ => false,
    };
    if is_part && before.iter().any(is_end) {
        return Some("TCP-R-04: nothing comes behind the peer's end");
    }
    None
}
