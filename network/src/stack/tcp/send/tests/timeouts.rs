//! Timeouts, FINs, and peers without SACK.

use super::*;

/// RFC 6298 §2.1, §5.5, §2.5.
#[test]
fn the_rto_is_a_second_at_first_and_doubles_up_to_a_minute() {
    let mut script = Script::with(1000, true, u16::MAX, None);
    script.write(1000);
    let left = script.wait(Duration::from_secs(250));
    assert!(left.iter().all(|left| left.first == 0 && left.is_retransmission));
    let at: Vec<u64> = left.iter().map(|left| left.at / 1000).collect();
    assert_eq!(at, [1, 3, 7, 15, 31, 63, 123, 183, 243]);
}

#[test]
fn samples_set_the_rto_and_only_they_end_its_backoff() {
    let mut script = Script::with(1000, false, u16::MAX, Some(milliseconds(10)));
    for reached in 1..=50 {
        script.write(1000);
        script.now = script.now.after(milliseconds(10));
        script.acknowledge(reached * 1000, &[]);
    }
    script.write(1000);
    let start = script.elapsed();
    let left = script.wait(milliseconds(1500));
    let after: Vec<u64> = left.iter().map(|left| left.at - start).collect();
    assert_eq!(after, [210, 630, 1470]);
    script.acknowledge(51_000, &[]);
    script.write(1000);
    let start = script.elapsed();
    // Karn: a segment that was sent four times gives no sample, and the backoff stays.
    assert_eq!(script.wait(milliseconds(1700))[0].at - start, 1680);
}

#[test]
fn without_sack_three_duplicate_acks_retransmit_and_partial_ones_continue() {
    for first in BEGINNINGS {
        let mut script = Script::with(first, false, u16::MAX, Some(ROUND_TRIP));
        script.acknowledge_only(0, &[]);
        script.write(40_000);
        script.now = script.now.after(ROUND_TRIP);
        // Numbers 0, 3000 and 7000 are lost: seven duplicate ACKs.
        for duplicate in 1..=7 {
            let left = script.acknowledge(0, &[]);
            assert_eq!(
                split(&left).0,
                if duplicate == 3 { Vec::from([0]) } else { Vec::new() },
                "{duplicate}"
            );
            assert!(duplicate > 2 || left.len() == 1, "limited transmit (TCP-S-07): {left:?}");
        }
        script.now = script.now.after(ROUND_TRIP);
        assert_eq!(split(&script.acknowledge(3000, &[])).0, [3000]);
        script.now = script.now.after(ROUND_TRIP);
        assert_eq!(split(&script.acknowledge(7000, &[])).0, [7000]);
        script.now = script.now.after(ROUND_TRIP);
        let next = script.sender.snd_nxt.wrapping_sub(script.first);
        let left = script.acknowledge(next, &[]);
        assert!(split(&left).0.is_empty());
        let counters = script.sender.counters();
        assert_eq!((counters.timeouts, counters.recoveries, counters.retransmissions), (0, 1, 3));
        assert_eq!(script.sender.recovery_state, RecoveryState::Open);
    }
}

#[test]
fn tcp_s_05_segments_with_data_or_a_new_window_are_no_duplicate_acks() {
    let mut script = Script::with(1000, false, u16::MAX, Some(ROUND_TRIP));
    script.write(10_000);
    for step in 0..10 {
        // An ACK that changes the window is no duplicate (RFC 5681 §2).
        script.window = 60_000 + step;
        assert!(split(&script.acknowledge(0, &[])).0.is_empty());
    }
    // TCP-S-05: ACKs with data or a FIN are no duplicates either.
    for (length, fin) in [(10, false), (0, true)] {
        for _ in 0..5 {
            let segment = Segment {
                sequence: script.sequence,
                acknowledgment: Some(script.first),
                window: script.window,
                length,
                fin,
                ..Segment::default()
            };
            let (first, now) = (script.first, script.now);
            script.sender.acknowledge(
                &Acknowledgment {
                    segment: &segment,
                    number: first,
                    blocks: &Blocks::default(),
                    echo: None,
                    is_overtaken: false,
                    may_grow: true,
                },
                now,
            );
            assert!(split(&script.leave()).0.is_empty());
        }
    }
    assert_eq!(script.sender.counters().recoveries, 0);
}

#[test]
fn the_fin_leaves_with_the_last_data_and_both_are_retransmitted() {
    let mut script = Script::new();
    script.sender.write(&[7; 1500]);
    let left = script.end();
    assert_eq!(places(&left), [(0, 1000), (1000, 500)]);
    assert_eq!((left[0].fin, left[1].fin), (false, true));
    let left = script.wait(milliseconds(202));
    assert_eq!((left[0].first, left[0].length, left[0].fin), (1000, 500, true));
    assert!(!script.sender.is_done());
    assert!(!script.acknowledge_only(1500, &[]).fin_acknowledged, "the data alone");
    let left = script.wait(Duration::from_secs(1));
    assert_eq!((left[0].first, left[0].length, left[0].fin), (1500, 0, true), "{left:?}");
    assert!(script.acknowledge_only(1501, &[]).fin_acknowledged);
    assert!(script.sender.is_done());
    assert!(script.wait(Duration::from_secs(1000)).is_empty());
}

#[test]
fn a_fin_alone_is_retransmitted() {
    for sack in [false, true] {
        let mut script = Script::with(1000, sack, u16::MAX, Some(ROUND_TRIP));
        script.write(1000);
        script.now = script.now.after(ROUND_TRIP);
        assert!(script.acknowledge(1000, &[]).is_empty());
        let left = script.end();
        assert_eq!((left.len(), left[0].first, left[0].length, left[0].fin), (1, 1000, 0, true));
        let left = script.wait(Duration::from_secs(3));
        assert!(
            left.len() > 2
                && left.iter().all(|left| (left.first, left.length, left.fin) == (1000, 0, true))
        );
        assert!(script.acknowledge_only(1001, &[]).fin_acknowledged);
        assert!(script.sender.is_done() && script.sender.deadline() == Instant::NEVER);
    }
}

#[test]
fn a_sacked_fin_does_not_complete_the_stream() {
    let mut script = Script::new();
    script.sender.write(&[7; 3000]);
    assert_eq!(script.end().len(), 3);
    script.now = script.now.after(ROUND_TRIP);
    // The first is missing; the FIN came with the last.
    script.acknowledge(0, &[(1000, 3001)]);
    let left = script.wait(milliseconds(30));
    assert_eq!(places(&left), [(0, 1000)]);
    assert!(script.acknowledge_only(3001, &[]).fin_acknowledged);
}

#[test]
fn a_smaller_path_mtu_splits_segments_in_flight() {
    let mut script = Script::new();
    script.write(10_500);
    script.end();
    script.acknowledge(1000, &[]);
    let before = script.window();
    script.sender.shrink_mss(400);
    let mut left = script.leave();
    for _ in 0..20 {
        script.now = script.now.after(ROUND_TRIP);
        let Some(last) = left.iter().map(SentSegment::end).max() else { break };
        left.extend(script.acknowledge(last, &[]));
    }
    assert!(left.iter().all(|left| left.length <= 400), "{left:?}");
    assert_eq!(&places(&left)[..4], [(1000, 400), (1400, 400), (1800, 200), (2000, 400)]);
    assert!(script.window() >= before, "no sign of congestion");
    assert!(script.sender.is_done());
}

#[test]
fn three_timeouts_of_full_segments_are_a_black_hole() {
    let mut script = Script::with(1000, true, u16::MAX, None);
    script.write(1000);
    let mut sack_blocks = Vec::new();
    for _ in 0..4 {
        script.now = script.sender.deadline();
        sack_blocks.push(script.sender.expire(script.now).is_black_hole);
        assert_eq!(places(&script.leave()), [(0, 1000)]);
    }
    assert_eq!(sack_blocks, [false, false, true, true]);
    let mut small = Script::with(1000, true, u16::MAX, None);
    small.write(999);
    for _ in 0..6 {
        small.now = small.sender.deadline();
        assert!(!small.sender.expire(small.now).is_black_hole);
        small.leave();
    }
}
