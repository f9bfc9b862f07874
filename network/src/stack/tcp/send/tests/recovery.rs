//! Loss with SACK: what is retransmitted, when, and what is undone.

use super::*;

/// RFC 3042, RFC 5681 §3.2.
#[test]
fn tcp_s_07_two_duplicate_acks_send_new_data_and_retransmit_nothing() {
    let mut script = Script::new();
    assert_eq!(script.write(30_000).len(), 10);
    script.now = script.now.after(ROUND_TRIP);
    for duplicate in 1..=2 {
        let left = script.acknowledge(0, &[(1000, 1000 + duplicate * 1000)]);
        let (again, new) = split(&left);
        assert!(again.is_empty(), "{left:?}");
        assert!(
            (1..=2).contains(&new.len()),
            "one for each, or two while the window doubles: {left:?}"
        );
    }
}

#[test]
fn exactly_the_hole_is_retransmitted_once() {
    for first in BEGINNINGS {
        let mut script = Script::with(first, true, u16::MAX, Some(ROUND_TRIP));
        script.write(10_000);
        script.now = script.now.after(ROUND_TRIP);
        assert!(split(&script.acknowledge(0, &[(1000, 2000)])).0.is_empty());
        assert!(split(&script.acknowledge(0, &[(1000, 3000)])).0.is_empty());
        assert_eq!(split(&script.acknowledge(0, &[(1000, 4000)])).0, [0]);
        for end in 5..=10 {
            assert!(split(&script.acknowledge(0, &[(1000, end * 1000)])).0.is_empty());
        }
        assert_eq!(script.sender.counters().recoveries, 1);
        let half = script.sender.congestion.ssthresh();
        script.now = script.now.after(ROUND_TRIP);
        assert!(script.acknowledge(10_000, &[]).is_empty());
        assert_eq!((script.sender.recovery_state, script.window()), (RecoveryState::Open, half));
        let counters = script.sender.counters();
        assert_eq!((counters.retransmissions, counters.timeouts, counters.undone), (1, 0, 0));
        assert!(script.wait(Duration::from_secs(100)).is_empty());
    }
}

#[test]
fn several_holes_are_retransmitted_in_order_in_one_round_trip() {
    for first in BEGINNINGS {
        let mut script = Script::with(first, true, u16::MAX, Some(ROUND_TRIP));
        script.write(10_000);
        script.now = script.now.after(ROUND_TRIP);
        // 0, 2 and 5 are missing.
        let blocks = [(6000, 10_000), (3000, 5000), (1000, 2000)];
        assert_eq!(split(&script.acknowledge(0, &blocks)).0, [0, 2000, 5000]);
        script.now = script.now.after(ROUND_TRIP);
        script.acknowledge(10_000, &[]);
        assert_eq!(script.sender.counters().retransmissions, 3);
        assert_eq!(script.sender.recovery_state, RecoveryState::Open);
    }
}

/// RFC 8985 §6: the delivery of a segment sent after a retransmission shows that the retransmission
/// is lost.
#[test]
fn a_lost_retransmission_is_retransmitted_without_a_timeout() {
    let mut script = Script::new();
    script.write(60_000);
    script.now = script.now.after(ROUND_TRIP);
    let mut new = Vec::new();
    for end in 2..=10 {
        let left = script.acknowledge(0, &[(1000, end * 1000)]);
        new.extend(split(&left).1);
        script.now = script.now.after(milliseconds(1));
    }
    assert!(!new.is_empty());
    let last = new.last().unwrap() + 1000;
    // A round trip after the lost retransmission: what was sent after it arrives.
    script.now = script.now.after(ROUND_TRIP);
    let left = script.acknowledge(0, &[(1000, last)]);
    assert_eq!(split(&left).0, [0], "{left:?}");
    let counters = script.sender.counters();
    assert_eq!((counters.timeouts, counters.recoveries, counters.retransmissions), (0, 1, 2));
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(script.sender.snd_nxt.wrapping_sub(script.first), &[]);
    assert_eq!(script.sender.recovery_state, RecoveryState::Open);
}

/// RFC 8985 §6.2: after reordering was seen, RACK.reo_wnd is a quarter of the minimum round trip.
#[test]
fn reordering_widens_reo_wnd() {
    let mut script = Script::new();
    script.write(4000);
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(0, &[(1000, 2000)]);
    script.now = script.now.after(milliseconds(5));
    script.acknowledge(4000, &[]);
    for is_late in [false, true] {
        let base = if is_late { 14_000 } else { 4000 };
        script.write(10_000);
        script.now = script.now.after(ROUND_TRIP);
        for end in 2..=10 {
            let left = script.acknowledge(base, &[(base + 1000, base + end * 1000)]);
            assert!(split(&left).0.is_empty(), "{left:?}");
        }
        let left = script.wait(milliseconds(20));
        assert!(left.is_empty(), "within a quarter: {left:?}");
        let left = script.wait(if is_late { milliseconds(10) } else { Duration::ZERO });
        assert_eq!(split(&left).0.len(), usize::from(is_late));
        script.acknowledge(base + 10_000, &[]);
    }
    assert_eq!(script.sender.counters().recoveries, 1);
}

/// RFC 8985 §7.2: PTO is twice SRTT; a single segment adds the delayed ACK timer.
#[test]
fn tcp_s_08_a_lost_tail_is_probed_once_before_the_rto() {
    for (bytes, after) in [(3000, 202), (1000, 252)] {
        let mut script = Script::new();
        script.write(bytes);
        let left = script.wait(milliseconds(after - 1));
        assert!(left.is_empty(), "{left:?}");
        let left = script.wait(milliseconds(1));
        assert_eq!(places(&left), [(bytes as u32 - 1000, 1000)]);
        assert_eq!(script.sender.counters().timeouts, 0);
        // Then the RTO, which the probe rearmed.
        let left = script.wait(Duration::from_secs(1));
        assert_eq!((left[0].at, left[0].first, left[0].is_retransmission), (after + 300, 0, true));
        assert_eq!(script.sender.counters().tail_probes, 1);
    }
}

#[test]
fn a_tail_loss_probe_prefers_new_data() {
    let mut script = Script::with(1000, true, 3000, Some(ROUND_TRIP));
    assert_eq!(script.write(10_000).len(), 3);
    // A window update would have let it leave; cwnd does not.
    script.sender.send_window.snd_wnd_end =
        script.sender.send_window.snd_wnd_end.wrapping_add(20_000);
    script.sender.congestion.on_timeout(script.now, 3000);
    let left = script.wait(milliseconds(202));
    // A second segment, so that the peer does not delay its ACK.
    assert_eq!(
        (places(&left), left[0].is_retransmission),
        (Vec::from([(3000, 1000), (4000, 1000)]), false)
    );
}

/// RFC 8985 §7.4.2: the probe repaired a loss, or it was spurious.
#[test]
fn a_tail_that_only_the_probe_repaired_reduces_cwnd() {
    for is_spurious in [false, true] {
        let mut script = Script::new();
        script.write(10_000);
        script.wait(milliseconds(202));
        script.now = script.now.after(ROUND_TRIP);
        let duplicate = [(9000, 10_000)];
        script.acknowledge(10_000, if is_spurious { &duplicate } else { &[] });
        script.write(1000);
        script.now = script.now.after(ROUND_TRIP);
        script.acknowledge(11_000, &[]);
        assert_eq!(script.sender.congestion.ssthresh() < u32::MAX, !is_spurious);
    }
}

/// RFC 8985 §7.4.2: an acknowledgment of exactly TLP.end_seq may be of the original transmission;
/// the duplicate ACK shows it.
#[test]
fn a_late_acknowledgment_of_the_tail_does_not_reduce_cwnd() {
    let mut script = Script::new();
    script.write(10_000);
    assert_eq!(script.wait(milliseconds(202)).len(), 1);
    let before = script.window();
    script.now = script.now.after(milliseconds(20));
    script.acknowledge(10_000, &[]);
    assert!(script.window() >= before);
    script.now = script.now.after(milliseconds(80));
    script.acknowledge(10_000, &[(9000, 10_000)]);
    script.write(1000);
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(11_000, &[]);
    assert!(script.window() >= before);
}

#[test]
fn a_tail_that_the_rto_repaired_counts_once() {
    let mut script = Script::new();
    script.write(10_000);
    script.wait(milliseconds(510));
    let threshold = script.sender.congestion.ssthresh();
    assert!(threshold < u32::MAX);
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(1000, &[]);
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(10_000, &[]);
    script.write(1000);
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(11_000, &[]);
    assert_eq!(
        (script.sender.recovery_state, script.sender.congestion.ssthresh()),
        (RecoveryState::Open, threshold)
    );
}

#[test]
fn a_spurious_retransmission_undoes_the_reduction() {
    for is_during in [true, false] {
        let mut script = Script::new();
        script.write(10_000);
        let before = script.window();
        script.now = script.now.after(ROUND_TRIP);
        assert_eq!(split(&script.acknowledge(0, &[(1000, 4000)])).0, [0]);
        assert!(script.sender.congestion.ssthresh() < before);
        script.now = script.now.after(milliseconds(30));
        // The delayed segment arrives, and then the retransmission.
        if is_during {
            script.acknowledge(4000, &[]);
            assert_eq!(script.sender.recovery_state, RecoveryState::Recovery);
            script.acknowledge(4000, &[(0, 1000)]);
        } else {
            script.acknowledge(10_000, &[]);
            assert_eq!(script.sender.recovery_state, RecoveryState::Open);
            script.acknowledge(10_000, &[(0, 1000)]);
        }
        assert!(script.window() >= before, "during: {is_during}");
        assert_eq!(script.sender.congestion.ssthresh(), u32::MAX);
        assert_eq!(
            (script.sender.recovery_state, script.sender.counters().undone),
            (RecoveryState::Open, 1)
        );
        // Once.
        script.acknowledge(10_000, &[(0, 1000)]);
        assert_eq!(script.sender.counters().undone, 1);
    }
}

#[test]
fn a_dsack_without_a_retransmission_undoes_nothing() {
    let mut script = Script::new();
    script.write(10_000);
    script.now = script.now.after(ROUND_TRIP);
    // Two are missing, and one of the retransmissions is spurious.
    assert_eq!(split(&script.acknowledge(0, &[(2000, 9000)])).0, [0, 1000]);
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(10_000, &[(0, 1000)]);
    assert_eq!(script.sender.counters().undone, 0);
    assert!(script.sender.congestion.ssthresh() < u32::MAX);
}

/// F-RTO (RFC 5682), as Linux does with SACK.
#[test]
fn a_spurious_timeout_is_undone() {
    for first in BEGINNINGS {
        for with_blocks in [false, true] {
            let mut script = Script::with(first, true, u16::MAX, Some(ROUND_TRIP));
            script.write(10_000);
            let before = script.window();
            // The path stalls: a probe, then the RTO.
            let left = script.wait(milliseconds(510));
            assert_eq!(places(&left), [(9000, 1000), (0, 1000)]);
            assert_eq!(
                (script.sender.recovery_state, script.window()),
                (RecoveryState::Loss, 1000)
            );
            // Acknowledgments of the original transmissions.
            let left = if with_blocks {
                script.acknowledge(0, &[(1000, 2000)])
            } else {
                script.acknowledge(2000, &[])
            };
            assert!(left.is_empty(), "nothing is missing: {left:?}");
            assert_eq!(
                (script.sender.recovery_state, script.sender.counters().undone),
                (RecoveryState::Open, 1)
            );
            assert!(script.window() >= before);
            // The next RTO covers a delay as long as this one (RFC 4015 §3.2).
            assert!(script.sender.rtt.rto(0) > milliseconds(510));
            script.acknowledge(10_000, &[]);
            assert!(script.wait(Duration::from_secs(100)).is_empty());
        }
    }
}

#[test]
fn a_genuine_timeout_is_not_undone() {
    let mut script = Script::new();
    script.write(10_000);
    script.wait(milliseconds(510));
    // Only retransmissions are delivered; then everything else, in a window that doubles.
    let mut reached = 1000;
    let mut all = Vec::new();
    while reached < 10_000 {
        script.now = script.now.after(ROUND_TRIP);
        let left = script.acknowledge(reached, &[]);
        assert!(
            left.iter().all(|left| left.is_retransmission && left.first >= reached),
            "{left:?}"
        );
        reached = left.last().unwrap().end();
        all.extend(split(&left).0);
    }
    script.acknowledge(10_000, &[]);
    assert_eq!(all, (1..10).map(|number| number * 1000).collect::<Vec<_>>());
    assert_eq!(
        (script.sender.recovery_state, script.sender.counters().undone),
        (RecoveryState::Open, 0)
    );
}

/// RFC 2018 §8.
#[test]
fn a_reneging_peer_gets_everything_again() {
    let mut script = Script::new();
    script.write(10_000);
    script.now = script.now.after(ROUND_TRIP);
    assert_eq!(split(&script.acknowledge(0, &[(1000, 10_000)])).0, [0]);
    script.now = script.now.after(ROUND_TRIP);
    // It has the missing data and reneged on the rest.
    assert!(script.acknowledge(1000, &[]).is_empty());
    let mut next = 1000;
    for _ in 0..20 {
        for left in script.wait(Duration::from_secs(1)) {
            next = if left.first <= next { next.max(left.end()) } else { next };
        }
        if next > 1000 {
            script.acknowledge_only(next, &[]);
            for left in script.leave() {
                next = if left.first <= next { next.max(left.end()) } else { next };
            }
        }
    }
    assert_eq!(next, 10_000);
    assert!(script.sender.is_done());
}
