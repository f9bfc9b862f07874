//! Tests of the receiving direction alone. Sequence numbers are relative to the beginning of the
//! stream.

use crate::limits;
use alloc::vec;
use alloc::vec::Vec;

use super::*;

/// Bytes of data in a full segment of ours.
const SEGMENT: u16 = 1000;
const NOW: Instant = Instant::from_micros(5_000_000);
/// First sequence numbers of a stream: in the middle, just before 2^31, just before 2^32.
const BEGINNINGS: [u32; 3] = [1000, (1 << 31) - 4500, u32::MAX - 4500];

fn byte(place: usize) -> u8 {
    (place.wrapping_mul(2_654_435_761) >> 11) as u8
}

fn bytes(from: usize, to: usize) -> Vec<u8> {
    (from..to).map(byte).collect()
}

/// A receiver, and where its stream begins.
struct Stream {
    receiver: Receiver,
    first: u32,
}

impl Stream {
    fn new(limit: usize) -> Self {
        Self::with(1000, limit, 0)
    }

    fn with(first: u32, limit: usize, rcv_wnd_shift: u8) -> Self {
        let mut receiver = Receiver::new(limit, limit);
        receiver.begin(first, rcv_wnd_shift, NOW);
        Self { receiver, first }
    }

    fn number(&self, place: usize) -> u32 {
        self.first.wrapping_add(place as u32)
    }

    fn receive(&mut self, from: usize, to: usize) -> Received {
        self.receiver.receive(self.number(from), &bytes(from, to), false, NOW)
    }

    /// The same with a FIN.
    fn last(&mut self, from: usize, to: usize) -> Received {
        self.receiver.receive(self.number(from), &bytes(from, to), true, NOW)
    }

    fn next(&self) -> usize {
        self.receiver.rcv_nxt().wrapping_sub(self.first) as usize
    }

    fn rcv_wnd_end(&self) -> usize {
        self.receiver.rcv_wnd_end().wrapping_sub(self.first) as usize
    }

    fn sack_blocks(&self) -> Vec<(usize, usize)> {
        let place = |number: u32| number.wrapping_sub(self.first) as usize;
        self.receiver
            .sack_blocks()
            .as_slice()
            .iter()
            .map(|(first, end)| (place(*first), place(*end)))
            .collect()
    }

    fn read(&mut self, count: usize) -> Vec<u8> {
        let mut buffer = vec![0; count];
        let taken = self.receiver.read(&mut buffer, false);
        buffer.truncate(taken);
        buffer
    }

    fn advertise(&mut self) -> u16 {
        self.receiver.advertise(SEGMENT)
    }
}

#[test]
fn data_in_order_is_read_in_order() {
    for first in BEGINNINGS {
        let mut stream = Stream::with(first, 20_000, 0);
        for from in (0..10_000).step_by(1000) {
            assert_eq!(
                stream.receive(from, from + 1000),
                Received { has_data: true, has_fin: false }
            );
        }
        let mut peeked = [0; 10];
        assert_eq!(stream.receiver.read(&mut peeked, true), 10);
        assert_eq!(peeked[..], bytes(0, 10));
        assert_eq!(stream.read(20_000), bytes(0, 10_000));
        assert_eq!(stream.last(10_000, 10_010), Received { has_data: true, has_fin: true });
        assert_eq!((stream.read(20_000), stream.next()), (bytes(10_000, 10_010), 10_011));
        assert_eq!((stream.receiver.received(), stream.receiver.buffered()), (10_010, 0));
    }
}

#[test]
fn tcp_r_06_many_holes_are_filled() {
    for first in BEGINNINGS {
        let mut stream = Stream::with(first, 20_000, 0);
        for hole in 0..50 {
            stream.advertise();
            assert!(!stream.receive(hole * 200 + 100, hole * 200 + 200).has_data);
            assert_eq!(stream.receiver.ack_due(), AckDue::Now, "each tells the peer");
        }
        // Backwards, so that nothing becomes readable before the first.
        for hole in (1..50).rev() {
            assert!(!stream.receive(hole * 200, hole * 200 + 100).has_data);
            assert_eq!(stream.receiver.ack_due(), AckDue::Now);
        }
        assert_eq!(stream.sack_blocks()[0], (100, 10_000));
        assert!(stream.receive(0, 100).has_data);
        assert!(!stream.receiver.has_holes() && stream.sack_blocks().is_empty());
        assert_eq!(stream.read(20_000), bytes(0, 10_000));
    }
}

#[test]
fn tcp_r_07_at_most_four_sack_blocks_newest_first() {
    let mut stream = Stream::new(20_000);
    for place in [9, 1, 5, 3, 7] {
        stream.receive(place * 1000, place * 1000 + 500);
    }
    assert_eq!(stream.sack_blocks(), [(7000, 7500), (3000, 3500), (5000, 5500), (1000, 1500)]);
    // A range that grows is the first block again, and only once.
    stream.receive(5500, 5600);
    assert_eq!(stream.sack_blocks(), [(5000, 5600), (7000, 7500), (3000, 3500), (1000, 1500)]);
    // Sending the blocks does not remove the ranges.
    stream.advertise();
    assert_eq!(stream.sack_blocks()[0], (5000, 5600));
}

#[test]
fn tcp_r_07_a_duplicate_is_reported_by_one_dsack() {
    let mut stream = Stream::new(20_000);
    stream.receive(0, 2000);
    stream.advertise();
    // Completely old; partly old; completely inside a range of the out-of-order queue (RFC 2883
    // §4).
    stream.receive(500, 1000);
    assert_eq!((stream.sack_blocks(), stream.receiver.ack_due()), (vec![(500, 1000)], AckDue::Now));
    stream.advertise();
    assert!(stream.sack_blocks().is_empty() && !stream.receiver.has_sack_blocks());
    stream.receive(1500, 2500);
    assert_eq!(stream.sack_blocks(), [(1500, 2000)]);
    stream.advertise();
    stream.receive(4000, 6000);
    stream.advertise();
    stream.receive(4500, 5000);
    assert_eq!(
        (stream.sack_blocks(), stream.receiver.ack_due()),
        (vec![(4500, 5000), (4000, 6000)], AckDue::Now)
    );
    stream.advertise();
    assert_eq!(stream.sack_blocks(), [(4000, 6000)]);
    assert_eq!(stream.read(20_000), bytes(0, 2500));
}

#[test]
fn tcp_r_03_the_right_edge_never_moves_back_and_all_data_in_the_window_is_accepted() {
    for rcv_wnd_shift in [0, 3, 7] {
        let mut stream = Stream::with(u32::MAX - 3000, 10_000, rcv_wnd_shift);
        let mut rcv_wnd_end = stream.rcv_wnd_end();
        for step in 0..100 {
            let from = stream.next();
            stream.receive(from, from + 37 + step);
            if step % 3 == 0 {
                stream.read(91 + step);
            }
            let advertised_window = usize::from(stream.advertise()) << rcv_wnd_shift;
            assert!(stream.rcv_wnd_end() >= rcv_wnd_end, "step {step}");
            assert!(
                stream.next() + advertised_window <= stream.rcv_wnd_end(),
                "blocks as expected"
            );
            rcv_wnd_end = stream.rcv_wnd_end();
        }
        // Up to the last byte.
        let next = stream.next();
        stream.receive(next, rcv_wnd_end);
        assert_eq!(stream.next(), rcv_wnd_end);
        assert!(stream.receiver.buffered() <= 10_000);
    }
}

#[test]
fn tcp_r_01_tcp_r_02_data_beyond_the_window_is_dropped() {
    let mut stream = Stream::new(2000);
    assert!(!stream.receive(2000, 3000).has_data && !stream.receiver.has_holes());
    stream.last(1500, 2100);
    assert_eq!(stream.sack_blocks(), [(1500, 2000)]);
    stream.receive(0, 1500);
    assert_eq!((stream.next(), stream.receiver.has_fin()), (2000, false));
    assert_eq!(stream.advertise(), 0);
    stream.last(2000, 2100);
    assert_eq!((stream.next(), stream.receiver.has_fin()), (2000, false));
    assert_eq!(stream.read(5000), bytes(0, 2000));
    stream.advertise();
    assert!(stream.last(2000, 2100).has_fin);
    // A FIN at the right edge of the window needs no room.
    let mut stream = Stream::new(2000);
    assert!(stream.last(0, 2000).has_fin);
}

#[test]
fn tcp_r_04_data_beyond_the_fin_is_dropped() {
    let mut stream = Stream::new(20_000);
    stream.receive(2000, 3000);
    stream.receive(4000, 5000);
    assert_eq!(stream.last(1000, 2500), Received::default());
    assert_eq!(stream.sack_blocks(), [(2000, 2500), (1000, 2500)]);
    assert_eq!(stream.last(5000, 6000), Received::default(), "another end");
    stream.receive(2500, 4000);
    assert_eq!(stream.receive(0, 1000), Received { has_data: true, has_fin: true });
    assert_eq!((stream.next(), stream.receiver.buffered()), (2501, 2500));
    for (from, to) in [(2500, 3000), (2501, 2600), (0, 5000)] {
        assert_eq!(stream.receive(from, to), Received::default());
    }
    assert_eq!(stream.read(20_000), bytes(0, 2500));
    // A FIN below the readable data is invalid.
    let mut stream = Stream::new(20_000);
    stream.receive(0, 1000);
    assert_eq!(stream.last(100, 500), Received::default());
    assert!(stream.receive(1000, 1100).has_data);
}

#[test]
fn tcp_r_08_every_second_segment_is_acknowledged_at_once_and_others_delayed() {
    let mut stream = Stream::new(60_000);
    for from in (0..20_000).step_by(2000) {
        stream.receive(from, from + 1000);
        assert_eq!(stream.receiver.ack_due(), AckDue::At(NOW.after(DELAYED_ACK)));
        stream.receive(from + 1000, from + 2000);
        assert_eq!(stream.receiver.ack_due(), AckDue::Now);
        stream.advertise();
        assert_eq!(stream.receiver.ack_due(), AckDue::Never);
    }
    // A hole, its filling and old data are acknowledged at once.
    stream.receive(21_000, 22_000);
    assert_eq!(stream.receiver.ack_due(), AckDue::Now);
    stream.advertise();
    stream.receive(20_000, 21_000);
    assert_eq!(stream.receiver.ack_due(), AckDue::Now);
    stream.advertise();
    stream.receive(0, 100);
    assert_eq!(stream.receiver.ack_due(), AckDue::Now);
}

#[test]
fn a_later_segment_does_not_postpone_the_delayed_ack() {
    let mut stream = Stream::new(60_000);
    stream.receive(0, 1000);
    let later = NOW.after(Duration::from_millis(4));
    stream.receiver.receive(stream.number(1000), &[], false, later);
    assert_eq!(stream.receiver.ack_due(), AckDue::At(NOW.after(DELAYED_ACK)));
}

/// RFC 9293 §3.8.6.2.2.
#[test]
fn small_window_updates_are_not_sent() {
    let mut stream = Stream::new(10_000);
    stream.receive(0, 10_000);
    assert_eq!(stream.advertise(), 0);
    stream.read(999);
    assert!(!stream.receiver.is_window_update_due(SEGMENT));
    assert_eq!(stream.advertise(), 0);
    stream.read(1);
    assert!(stream.receiver.is_window_update_due(SEGMENT));
    assert_eq!(stream.advertise(), 1000);
    assert!(!stream.receiver.is_window_update_due(SEGMENT));
    stream.read(999);
    assert_eq!(stream.advertise(), 1000);
    stream.read(1);
    assert!(stream.receiver.is_window_update_due(SEGMENT), "twice of what the peer knows");
    // A buffer smaller than two segments opens in steps of half its size.
    let mut stream = Stream::new(1200);
    stream.receive(0, 1200);
    stream.advertise();
    stream.read(600);
    assert!(stream.receiver.is_window_update_due(SEGMENT));
}

#[test]
fn autotuning_follows_what_is_read_in_a_round_trip() {
    let round_trip = Duration::from_millis(10);
    let mut receiver = Receiver::new(65_536, 400_000);
    assert_eq!(receiver.offered_wnd_shift(), 3);
    receiver.begin(0, 3, NOW);
    let (mut now, mut buffer, mut limits) = (NOW, vec![0; 400_000], Vec::new());
    for _ in 0..6 {
        let room = receiver.rcv_wnd_end().wrapping_sub(receiver.rcv_nxt()) as usize;
        receiver.receive(receiver.rcv_nxt(), &vec![7; room], false, now);
        now = now.after(round_trip);
        assert_eq!(receiver.read(&mut buffer, false), room);
        receiver.autotune(now, round_trip);
        receiver.advertise(SEGMENT);
        limits.push(receiver.buffer_size());
    }
    assert!(limits.is_sorted() && limits[0] == 393_210 && limits[5] == 400_000, "{limits:?}");
    // A program that reads little leaves the buffer as it is.
    let mut receiver = Receiver::new(65_536, 400_000);
    receiver.begin(0, 3, NOW);
    receiver.receive(0, &[7; 60_000], false, NOW);
    for _ in 0..6 {
        now = now.after(round_trip);
        receiver.read(&mut buffer[..1000], false);
        receiver.autotune(now, round_trip);
    }
    assert_eq!(receiver.buffer_size(), 65_536);
}

/// Seen failing: the window stopped the peer in every other round trip.
#[test]
fn autotuning_leaves_room_for_slow_start() {
    let round_trip = Duration::from_millis(10);
    let mut receiver = Receiver::new(65_536, 12_000_000);
    receiver.begin(0, 8, NOW);
    let (mut now, mut buffer, mut cwnd) = (NOW, vec![0; 4_000_000], 14_480);
    while cwnd < 2_000_000 {
        let room = receiver.rcv_wnd_end().wrapping_sub(receiver.rcv_nxt()) as usize;
        // The window scale rounds it.
        assert!(room + 256 >= 2 * cwnd, "{room} for {cwnd}");
        receiver.receive(receiver.rcv_nxt(), &vec![7; cwnd], false, now);
        receiver.read(&mut buffer, false);
        now = now.after(round_trip);
        receiver.autotune(now, round_trip);
        receiver.advertise(SEGMENT);
        // The acknowledgments of this round trip let twice as much leave, before the next
        // measurement is known to the peer.
        cwnd *= 2;
    }
    // A peer that sends as much as before gets no more than twice that.
    let settled = receiver.buffer_size();
    for _ in 0..5 {
        receiver.receive(receiver.rcv_nxt(), &vec![7; 1_000_000], false, now);
        receiver.read(&mut buffer, false);
        now = now.after(round_trip);
        receiver.autotune(now, round_trip);
        receiver.advertise(SEGMENT);
    }
    assert_eq!(receiver.buffer_size(), settled);
}

#[test]
fn the_out_of_order_queue_is_bounded() {
    let mut stream = Stream::new(60_000);
    for island in 0..limits::TCP_OUT_OF_ORDER + 50 {
        stream.receive(island * 20 + 10, island * 20 + 11);
        assert_eq!(stream.receiver.ack_due(), AckDue::Now, "also for what is dropped");
        stream.advertise();
    }
    assert_eq!(stream.receiver.out_of_order.len(), limits::TCP_OUT_OF_ORDER);
    // Data that touches a range is kept, and data in order.
    stream.receive(11, 25);
    assert_eq!(stream.sack_blocks()[0], (10, 25));
    assert!(stream.receive(0, 10).has_data);
    assert_eq!(stream.next(), 25);
    assert_eq!(stream.read(100), bytes(0, 25));
}

#[test]
fn ece_is_sent_until_cwr_arrives() {
    let mut stream = Stream::new(10_000);
    stream.receive(0, 100);
    stream.receiver.on_ce();
    assert_eq!(stream.receiver.ack_due(), AckDue::Now);
    stream.advertise();
    stream.advertise();
    assert!(stream.receiver.must_echo_ce());
    stream.receiver.on_cwr();
    assert!(!stream.receiver.must_echo_ce());
}

/// A small generator (Knuth).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// Random segments, compared with an array that models the stream.
#[test]
fn random_segments_reassemble_the_stream() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let (limit, rcv_wnd_shift) = (2048 + random.below(60_000), random.below(5) as u8);
        let length = 1 + random.below(40_000);
        let mut stream = Stream::with(BEGINNINGS[random.below(3)], limit, rcv_wnd_shift);
        let mut came = vec![false; length];
        let (mut has_end, mut next, mut taken) = (false, 0usize, 0);
        let mut rounds = 0;
        while taken < length || !has_end {
            rounds += 1;
            assert!(rounds < 50_000, "seed {seed} does not end");
            let rcv_wnd_end = stream.rcv_wnd_end();
            // Mostly around the missing data; sometimes far away.
            let from = match random.below(10) {
                0..4 => next,
                4..9 => next.saturating_sub(1500) + random.below(6000),
                _ => random.below(2 * length),
            };
            let from = from.min(length);
            let to = (from + random.below(3000)).min(length);
            let fin = to == length && (from < to || next == length);
            let before = (stream.receiver.readable(), stream.receiver.has_fin());
            let outcome = stream.receiver.receive(stream.number(from), &bytes(from, to), fin, NOW);
            // Data in the window is kept, unless the out-of-order queue is full.
            assert!(stream.receiver.out_of_order.len() < limits::TCP_OUT_OF_ORDER);
            (from..to.min(rcv_wnd_end)).for_each(|place| came[place] = true);
            has_end |= fin && to <= rcv_wnd_end;
            next = came
                .iter()
                .skip(next)
                .position(|came| !came)
                .map_or(length, |missing| next + missing);
            let has_fin = has_end && next == length;
            assert_eq!(stream.next(), next + usize::from(has_fin), "seed {seed}");
            assert_eq!(stream.receiver.has_fin(), has_fin);
            let has_data = stream.receiver.readable() > before.0;
            assert_eq!(outcome, Received { has_data, has_fin: has_fin && !before.1 });
            assert_eq!(stream.receiver.readable(), next - taken);
            assert!(
                stream.receiver.buffered() <= limit,
                "seed {seed}: {} bytes",
                stream.receiver.buffered()
            );
            for (first, end) in stream.sack_blocks() {
                assert!(
                    first < end && came[first..end.min(length)].iter().all(|came| *came),
                    "seed {seed}"
                );
            }
            if random.below(2) == 0 {
                let piece = stream.read(random.below(5000));
                assert_eq!(piece, bytes(taken, taken + piece.len()), "seed {seed}");
                taken += piece.len();
            }
            if random.below(3) == 0 || stream.receiver.is_window_update_due(SEGMENT) {
                let advertised_window = usize::from(stream.advertise()) << rcv_wnd_shift;
                assert!(
                    stream.rcv_wnd_end() >= rcv_wnd_end
                        && stream.next() + advertised_window
                            <= stream.rcv_wnd_end().max(stream.next())
                );
            }
        }
    }
}
