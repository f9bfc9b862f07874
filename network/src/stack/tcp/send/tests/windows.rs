//! How much leaves: congestion window, the peer's window, Nagle, pacing, marks.

use super::*;

/// RFC 6928.
#[test]
fn cc_02_the_first_flight_is_ten_segments() {
    let mut script = Script::new();
    let left = script.write(20_000);
    assert_eq!(places(&left), (0..10).map(|number| (number * 1000, 1000)).collect::<Vec<_>>());
    script.now = script.now.after(ROUND_TRIP);
    assert_eq!(script.acknowledge(2000, &[]).len(), 4, "two for each that update");
}

/// RFC 2861, RFC 7661.
#[test]
fn cc_04_the_window_restarts_after_an_idle_time() {
    for (idle, expected) in [(milliseconds(200), 80), (Duration::from_secs(20), 10)] {
        let mut script = Script::with(1000, true, u16::MAX, Some(ROUND_TRIP));
        script.warm(150_000);
        assert_eq!(script.window(), 160_000);
        script.sender.congestion.on_congestion(script.now, 160_000);
        script.sender.congestion.on_recovered(script.now);
        assert!(script.wait(idle).is_empty());
        assert_eq!(script.write(200_000).len(), expected);
    }
}

#[test]
fn cc_04_a_window_that_is_not_used_does_not_grow() {
    let mut script = Script::new();
    for reached in 1..=50 {
        script.write(1000);
        script.now = script.now.after(ROUND_TRIP);
        script.acknowledge(reached * 1000, &[]);
    }
    assert_eq!(script.window(), 10_000);
}

/// RFC 9293 §3.8.6.1.
#[test]
fn a_closed_window_is_asked_about_later_and_later_and_used_when_it_opens() {
    let mut script = Script::new();
    script.write(1000);
    script.now = script.now.after(ROUND_TRIP);
    script.window = 0;
    assert!(script.acknowledge(1000, &[]).is_empty());
    assert!(script.write(5000).is_empty());
    assert!(script.wait(Duration::from_secs(200)).is_empty());
    let gaps: Vec<u64> = script.probes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(script.probes[0] <= 1000 && gaps.len() > 6, "{gaps:?}");
    assert!(
        gaps.windows(2).all(|pair| pair[1] == (2 * pair[0]).min(60_000) || pair[1] == 60_000),
        "{gaps:?}"
    );
    // It is asked for as long as it answers.
    assert!(script.acknowledge(1000, &[]).is_empty());
    let count = script.probes.len();
    assert!(script.wait(Duration::from_secs(130)).is_empty());
    assert!(script.probes.len() >= count + 2);
    script.window = 1000;
    assert_eq!(script.acknowledge(1000, &[]).len(), 5);
    let count = script.probes.len();
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(6000, &[]);
    assert!(script.wait(Duration::from_secs(200)).is_empty());
    assert_eq!(script.probes.len(), count);
}

/// TCP-S-04: the window closes while something is under way.
#[test]
fn a_window_that_closes_in_the_middle_leaves_a_timer() {
    let mut script = Script::new();
    script.write(20_000);
    script.now = script.now.after(ROUND_TRIP);
    script.window = 0;
    assert!(script.acknowledge(4000, &[]).is_empty());
    assert!(script.sender.deadline() < script.now.after(Duration::from_secs(1)));
    script.acknowledge(10_000, &[]);
    assert!(script.sender.deadline() < script.now.after(Duration::from_secs(1)));
    script.wait(Duration::from_secs(100));
    assert!(!script.probes.is_empty());
    script.window = 1000;
    assert_eq!(places(&script.acknowledge(10_000, &[]))[0], (10_000, 1000));
}

/// RFC 9293 §3.8.6.2.1.
#[test]
fn tcp_w_01_a_small_window_is_used_only_after_a_wait() {
    let mut script = Script::new();
    script.write(1000);
    script.now = script.now.after(ROUND_TRIP);
    script.window = 5;
    assert!(script.acknowledge(1000, &[]).is_empty());
    let start = script.elapsed();
    assert!(script.write(5000).is_empty());
    let left = script.wait(Duration::from_secs(1));
    assert_eq!(places(&left)[0], (1000, 5 << SHIFT));
    assert!((100..=1000).contains(&(left[0].at - start)), "{left:?}");
    // Everything that is queued may leave at once, and half of the largest window.
    let mut script = Script::with(1000, true, 700, Some(ROUND_TRIP));
    assert_eq!(places(&script.write(5000)), [(0, 700)]);
    script.now = script.now.after(ROUND_TRIP);
    script.window = 340 >> SHIFT;
    assert!(script.acknowledge(700, &[]).is_empty());
    script.window = 400 >> SHIFT;
    assert_eq!(script.acknowledge(700, &[]).len(), 1);
}

/// Nagle as Minshall put it.
#[test]
fn one_small_segment_is_under_way_at_a_time() {
    let mut script = Script::new();
    assert_eq!(places(&script.write(100)), [(0, 100)]);
    assert!(script.write(100).is_empty());
    assert!(script.write(100).is_empty());
    // Full ones do not wait.
    assert_eq!(places(&script.write(850)), [(100, 1000)]);
    script.now = script.now.after(ROUND_TRIP);
    assert_eq!(places(&script.acknowledge(100, &[])), [(1100, 50)]);
    // A full one under way does not hold a small one back.
    script.now = script.now.after(ROUND_TRIP);
    script.acknowledge(1150, &[]);
    assert_eq!(places(&script.write(1010)), [(1150, 1000), (2150, 10)]);
    assert!(script.write(10).is_empty());
    // The end does not wait.
    assert_eq!(places(&script.end()), [(2160, 10)]);
}

#[test]
fn without_delay_every_write_leaves() {
    let mut script = Script::new();
    script.sender.set_no_delay(true);
    for number in 0..5 {
        assert_eq!(places(&script.write(10)), [(number * 10, 10)]);
    }
}

/// RFC 9293 §3.10.7.4: only newer segments say something of windows. The edge is kept as a number,
/// so an acknowledgment alone does not move it.
#[test]
fn a_segment_from_before_does_not_move_the_edge() {
    let mut script = Script::new();
    script.write(4000);
    script.sequence = 600;
    script.window = (6400 >> SHIFT) as u16;
    script.acknowledge(1000, &[]);
    let edge = script.sender.send_window.snd_wnd_end.wrapping_sub(script.first);
    assert_eq!(edge, 1000 + 6400);
    // Overtaken on its way: its acknowledgment counters, its window does not.
    for (sequence, window) in [(550, 10_000), (550, 0), (599, 60_000)] {
        (script.sequence, script.window) = (sequence, window);
        script.acknowledge(2000, &[]);
        assert_eq!(
            script.sender.send_window.snd_wnd_end.wrapping_sub(script.first),
            edge,
            "{sequence}"
        );
    }
    assert_eq!(script.sender.snd_wnd(), 5400);
    // The same number and a later acknowledgment, or the same twice: newer.
    (script.sequence, script.window) = (600, 0);
    script.acknowledge(3000, &[]);
    assert_eq!(script.sender.send_window.snd_wnd_end.wrapping_sub(script.first), 3000);
    script.window = (6400 >> SHIFT) as u16;
    script.acknowledge(3000, &[]);
    assert_eq!(script.sender.send_window.snd_wnd_end.wrapping_sub(script.first), 9400);
}

/// RFC 3168 §6.1.2.
#[test]
fn an_echo_reduces_once_in_a_round_trip_and_is_answered_once() {
    let mut script = Script::new();
    script.sender.has_ecn = true;
    script.warm(30_000);
    let before = script.window();
    script.write(300_000);
    let scoreboard = script.sender.snd_nxt.wrapping_sub(script.first);
    script.now = script.now.after(ROUND_TRIP);
    script.echo = true;
    let mut left = Vec::new();
    let mut reached = 31_000;
    while reached < scoreboard {
        left.extend(script.acknowledge(reached, &[]));
        assert_eq!(script.sender.congestion.ssthresh(), before / 2, "once");
        reached += 1000;
    }
    assert_eq!(left.iter().filter(|left| left.has_cwr).count(), 1);
    assert!(left[0].has_cwr && !left[0].is_retransmission);
    assert_eq!(script.sender.counters().retransmissions, 0);
    // The next round trip.
    script.now = script.now.after(ROUND_TRIP);
    let left = script.acknowledge(reached, &[]);
    assert!(script.sender.congestion.ssthresh() < before / 2);
    assert!(left.iter().filter(|left| left.has_cwr).count() <= 1);
    // Without an agreement the bit means nothing.
    let mut script = Script::new();
    script.write(20_000);
    script.echo = true;
    script.now = script.now.after(ROUND_TRIP);
    assert!(script.acknowledge(1000, &[]).iter().all(|left| !left.has_cwr));
    assert_eq!(script.sender.congestion.ssthresh(), u32::MAX);
}

#[test]
fn a_window_leaves_in_half_a_round_trip_while_it_doubles() {
    let mut script = Script::new();
    script.is_paced = true;
    let mut left = script.write(10_000);
    assert!(left.len() <= 2, "{left:?}");
    left.extend(script.wait(milliseconds(60)));
    assert_eq!(left.len(), 10);
    let gaps: Vec<u64> = left.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(gaps.iter().all(|gap| (4..=6).contains(gap)), "{gaps:?}");
}
