//! SYN cookies (RFC 4987 §3.6): a listener whose half-open connections have no room left answers
//! further SYNs without remembering them.
//!
//! The ISS of such a SYN|ACK is a keyed hash of the flow, the peer's ISN, the minute and everything
//! that was agreed; its low bits name the MSS. With timestamps the low bits of TSval, which the
//! peer echoes, hold what else its SYN offered: the window scale and SACK. ECN is not agreed. The
//! segment that completes the handshake proves all that by its acknowledgment number, for a minute
//! at least and two at most, and costs two hashes if it does not.

use core::hash::{Hash, Hasher};
use core::time::Duration;

use siphasher::sip::SipHasher13;

use super::assemble::{HeaderFields, HeaderTemplate, flag, own_mss, without_data};
use super::handshake::Handshake;
use super::receive::Receiver;
use super::segment::{
    MAX_WND_SHIFT, Segment, SegmentOptions, SynOptions, TCP_HEADER, read_syn_options, syn_options,
};
use super::settings::TcpSettings;
use super::timestamps::Timestamps;
use super::{Flow, Opening, Owner, Tcp};
use crate::command::interface::SynCookies;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::Packet;
use crate::trace::dropped;

/// How long a cookie may be the present or the previous one.
const SLOT: Duration = Duration::from_secs(60);
/// The MSS values that a cookie distinguishes: the smallest that we respect, the defaults, tunnels,
/// PPPoE, Ethernet, jumbo frames. The peer's is rounded down.
const SEGMENTS: [u16; 8] = [48, 536, 1220, 1300, 1380, 1440, 1460, 8940];
/// The low bits of a cookie: an index of [`SEGMENTS`].
const SEGMENT_BITS: u32 = 3;
/// The low bits of TSval: the window scale, and SACK-permitted above it.
const OPTION_BITS: u32 = 5;
const SACK_BIT: u32 = 1 << 4;
/// The window scale of a peer that offers none; 14 is the largest.
const NO_SCALE: u32 = 15;

/// The keys of the cookies of one interface.
#[derive(Debug)]
pub(crate) struct Cookies {
    keys: (u64, u64),
    /// When one was sent last: without that no segment is taken for an answer.
    sent_at: Option<Instant>,
    pub(crate) counters: SynCookies,
}

/// What a cookie proves, beside its flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Agreement {
    /// The peer's ISN.
    irs: u32,
    /// The index of its MSS.
    segment: u32,
    /// The low bits of TSval; `None` without timestamps.
    options: Option<u32>,
    /// The window scale that we offer: other settings since then make the cookie invalid.
    own_shift: u8,
}

impl Cookies {
    pub(super) const fn new(keys: (u64, u64)) -> Self {
        let counters = SynCookies { sent: 0, received: 0, failed: 0 };
        Self { keys, sent_at: None, counters }
    }

    /// The cookie of a minute.
    fn of(&self, flow: &Flow, agreement: &Agreement, slot: u64) -> u32 {
        let Agreement { irs, segment, options, own_shift } = *agreement;
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        (flow, irs, segment, options, own_shift, slot).hash(&mut hasher);
        (hasher.finish() as u32) << SEGMENT_BITS | segment
    }

    fn issue(&mut self, flow: &Flow, agreement: &Agreement, now: Instant) -> u32 {
        self.sent_at = Some(now);
        self.counters.sent += 1;
        self.of(flow, agreement, slot_of(now))
    }

    /// True if a cookie may be on its way back.
    fn is_expected(&self, now: Instant) -> bool {
        self.sent_at.is_some_and(|sent| now.since(sent) < SLOT * 2)
    }

    fn is_valid(&self, cookie: u32, flow: &Flow, agreement: &Agreement, now: Instant) -> bool {
        let slot = slot_of(now);
        [slot, slot.wrapping_sub(1)].iter().any(|slot| self.of(flow, agreement, *slot) == cookie)
    }
}

fn slot_of(now: Instant) -> u64 {
    now.as_micros() / SLOT.as_micros() as u64
}

/// The index of the largest MSS that is not above the peer's.
fn segment_index(mss: u16) -> u32 {
    SEGMENTS.iter().rposition(|known| *known <= mss).unwrap_or_default() as u32
}

/// What a SYN offers, as the low bits of TSval.
fn option_bits(offer: &SynOptions) -> u32 {
    let sack = if offer.sack { SACK_BIT } else { 0 };
    offer.shift.map_or(NO_SCALE, u32::from) | sack
}

/// TSval with these low bits, the last one that is not after `value`: timestamps never run back.
const fn marked(value: u32, bits: u32) -> u32 {
    let mask = (1 << OPTION_BITS) - 1;
    let marked = value & !mask | bits;
    if value & mask < bits { marked.wrapping_sub(mask + 1) } else { marked }
}

/// The window of our SYN|ACK and the scale that it offers.
fn window_of(settings: &TcpSettings) -> (u16, u8) {
    let (size, most) = settings.receive_sizes();
    let receiver = Receiver::new(size, most);
    (receiver.syn_window(), receiver.offered_wnd_shift())
}

impl Tcp {
    /// Answers a SYN that is not remembered.
    pub(super) fn send_cookie(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        packet: &Packet,
        (flow, segment): (&Flow, &Segment),
        settings: &TcpSettings,
    ) {
        let options = packet.payload().get(TCP_HEADER..usize::from(segment.header));
        let peer = read_syn_options(options.unwrap_or_default());
        let remote = flow.remote.ip();
        let mut template = HeaderTemplate::of(settings, ip.hop_limit(remote));
        template.set_peer_mss(&peer, remote.is_ipv6());
        template.flow_label = ip.flow_label(flow);
        let (window, shift) = window_of(settings);
        let (_, offset) = self.initial_numbers(flow, cx.now, None);
        let mut clock = Timestamps::new(settings.timestamps, offset);
        if let Some((seg_tsval, _)) = peer.timestamps {
            clock.negotiate(seg_tsval, cx.now);
        }
        let bits = option_bits(&peer);
        let timestamps = clock.option(cx.now).map(|(value, echo)| (marked(value, bits), echo));
        let agreement = Agreement {
            irs: segment.sequence,
            segment: segment_index(template.peer_mss),
            options: timestamps.map(|_| bits),
            own_shift: shift,
        };
        let offer = SynOptions {
            segment: Some(own_mss(cx, ip, remote).min(settings.segment_bound())),
            // Without timestamps there is no room to remember them.
            sack: timestamps.is_some() && peer.sack,
            shift: peer.shift.filter(|_| timestamps.is_some()).map(|_| shift),
            timestamps,
        };
        let sequence = self.cookies.issue(flow, &agreement, cx.now);
        let acknowledgment = segment.sequence.wrapping_add(1);
        let fields = HeaderFields::control(flag::SYN | flag::ACK, sequence, acknowledgment);
        let fields = HeaderFields { window, ..fields };
        let (options, length) = syn_options(&offer);
        let options = options.get(..length).unwrap_or_default();
        let frame = without_data(cx, (flow, &template), &fields, options);
        cx.counters.count(remote.is_ipv6(), Counter::TcpOutSegs);
        // The peer repeats its SYN.
        let _ = ip.transmit(cx, frame, remote);
    }

    /// Processes a segment that may answer a cookie: the connection opens as if it had been
    /// half-open. Gives back a packet that proves nothing.
    pub(super) fn receive_cookie(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        packet: Packet,
        flow: Flow,
        segment: &Segment,
    ) -> Result<(), Packet> {
        let Some(acknowledgment) = segment.acknowledgment else { return Err(packet) };
        if segment.syn || segment.rst || !self.cookies.is_expected(cx.now) {
            return Err(packet);
        }
        let Some(binding) = self.listener_for(&flow) else { return Err(packet) };
        let listener = alloc::sync::Arc::clone(&binding.listener);
        let settings = listener.settings();
        let options = packet.payload().get(TCP_HEADER..usize::from(segment.header));
        let timestamps = SegmentOptions::read(options.unwrap_or_default())
            .timestamps
            .filter(|_| settings.timestamps);
        let (iss, irs) = (acknowledgment.wrapping_sub(1), segment.sequence.wrapping_sub(1));
        let agreement = Agreement {
            irs,
            segment: iss & ((1 << SEGMENT_BITS) - 1),
            options: timestamps.map(|(_, echo)| echo & ((1 << OPTION_BITS) - 1)),
            own_shift: window_of(&settings).1,
        };
        if !self.cookies.is_valid(iss, &flow, &agreement, cx.now) {
            self.cookies.counters.failed += 1;
            return Err(packet);
        }
        self.cookies.counters.received += 1;
        if !listener.has_room() || self.admit(cx, ip).is_err() {
            // The peer retransmits its data, which proves the same.
            dropped!(cx, QueueFull, "devnet::tcp", "a SYN cookie, {}", flow);
            cx.pool.put(packet.frame);
            return Ok(());
        }
        let peer = agreement.peer_options(timestamps);
        let opening = Opening { iss, ..self.opening(cx, ip, &flow, None) };
        let handshake = Handshake::of_cookie(iss, irs, peer, segment.window);
        let owner = Owner::HalfOpen(listener);
        cx.counters.count(flow.remote.ip().is_ipv6(), Counter::TcpPassiveOpens);
        let id = self.insert(flow, owner, handshake, &settings, &opening);
        self.update_mss(cx, ip, id.index);
        if let Some(connection) = self.get_mut(id) {
            connection.template.set_peer_mss(&peer, flow.remote.ip().is_ipv6());
            if let Some((seg_tsval, _)) = timestamps {
                connection.timestamps.negotiate(seg_tsval, cx.now);
            }
        }
        let start = packet.header.length;
        self.deliver(cx, ip, id.index, packet.frame, start, segment);
        Ok(())
    }
}

impl Agreement {
    /// The options of the peer's SYN, as far as they were remembered.
    fn peer_options(&self, timestamps: Option<(u32, u32)>) -> SynOptions {
        let scale = |bits: u32| u8::try_from(bits & NO_SCALE).ok();
        SynOptions {
            shift: self.options.and_then(scale).filter(|shift| *shift <= MAX_WND_SHIFT),
            segment: SEGMENTS.get(self.segment as usize).copied(),
            sack: self.options.is_some_and(|bits| bits & SACK_BIT != 0),
            timestamps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{IpAddr, SocketAddr};

    fn flow(port: u16) -> Flow {
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        Flow::new(SocketAddr::new(address(1), 80), SocketAddr::new(address(9), port))
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO.after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_cookie_is_valid_for_its_flow_and_agreement_and_a_minute_or_two() {
        let mut cookies = Cookies::new((1, 2));
        let agreement = Agreement { irs: 7, segment: 6, options: Some(23), own_shift: 8 };
        assert!(!cookies.is_expected(at(59)));
        let cookie = cookies.issue(&flow(5000), &agreement, at(59));
        assert_eq!(cookie & 7, 6);
        let is_valid = |flow: &Flow, agreement: &Agreement, seconds: u64| {
            cookies.is_valid(cookie, flow, agreement, at(seconds))
        };
        assert!(is_valid(&flow(5000), &agreement, 59) && is_valid(&flow(5000), &agreement, 119));
        assert!(!is_valid(&flow(5000), &agreement, 120), "too old");
        assert!(!is_valid(&flow(5001), &agreement, 59), "another flow");
        for other in [
            Agreement { irs: 8, ..agreement },
            Agreement { segment: 5, ..agreement },
            Agreement { options: None, ..agreement },
            Agreement { options: Some(22), ..agreement },
            Agreement { own_shift: 7, ..agreement },
        ] {
            assert!(!is_valid(&flow(5000), &other, 59), "{other:?}");
        }
        assert!(cookies.is_expected(at(178)) && !cookies.is_expected(at(179)));
    }

    #[test]
    fn what_a_syn_offers_survives_in_the_bits() {
        for (mss, kept) in [(0, 48), (500, 48), (536, 536), (1459, 1440), (1460, 1460)] {
            assert_eq!(SEGMENTS[segment_index(mss) as usize], kept);
        }
        for shift in [None, Some(0), Some(14)] {
            for sack in [false, true] {
                let offer = SynOptions { shift, sack, ..SynOptions::default() };
                let options = Some(option_bits(&offer));
                let agreement = Agreement { irs: 0, segment: 1, options, own_shift: 0 };
                let read = agreement.peer_options(None);
                assert_eq!((read.shift, read.sack, read.segment), (shift, sack, Some(536)));
                for value in [0, 31, 32, 1000, u32::MAX] {
                    let marked = marked(value, option_bits(&offer));
                    assert_eq!(marked & 31, option_bits(&offer));
                    assert!(value.wrapping_sub(marked) < 32, "not after it, and hardly before");
                }
            }
        }
    }
}
