//! The model keeps what it promises: rate, queue, delay, shares and lengths of losses.

use super::*;

/// Sends numbered packets of 1500 bytes at once.
fn send(end: &mut PathEnd, count: u32) {
    let mut pool = FramePool::new();
    for number in 0..count {
        let mut frame = pool.take(1500);
        frame.bytes_mut()[..4].copy_from_slice(&number.to_be_bytes());
        assert!(end.transmit(frame, &mut pool).is_ok());
    }
}

fn received(end: &mut PathEnd) -> Vec<u32> {
    let mut pool = FramePool::new();
    std::iter::from_fn(|| end.receive(&mut pool))
        .map(|frame| u32::from_be_bytes(frame.bytes()[..4].try_into().unwrap()))
        .collect()
}

fn pass(world: &World, micros: u64) {
    world.run(world.sleep(Duration::from_micros(micros)));
}

#[test]
fn rate_queue_and_delay_are_exact() {
    let world = World::new(1);
    let rate = Some(1_000_000_000);
    let quality =
        Quality { rate, queue: 30_000, delay: Duration::from_millis(1), ..Quality::PERFECT };
    let path = Path::new(&world, quality);
    let (mut left, mut right) = path.ends(1500);
    send(&mut left, 100);
    pass(&world, 1011);
    assert_eq!(received(&mut right), [0_u32; 0]);
    pass(&world, 1);
    assert_eq!(received(&mut right), [0]);
    pass(&world, 12);
    assert_eq!(received(&mut right), [1]);
    pass(&world, 12 * 18);
    assert_eq!(received(&mut right), (2..20).collect::<Vec<_>>());
    assert_eq!(path.counters(0), PathCounters { sent: 100, lost: 0, overflowed: 80 });
}

#[test]
fn losses_have_their_share_and_their_length() {
    for (burst, percent) in [(1, 1.0), (5, 1.0), (5, 0.1), (1, 15.0)] {
        let world = World::new(2);
        let quality = Quality { loss: Chance::percent(percent), burst, ..Quality::PERFECT };
        let path = Path::new(&world, quality);
        let (mut left, mut right) = path.ends(1500);
        let (mut lost, mut bursts, mut expected) = (0, 0, 0);
        for _ in 0..1000 {
            send(&mut left, 2000);
            for number in received(&mut right).into_iter().chain([2000]) {
                lost += number - expected;
                bursts += u32::from(number > expected);
                expected = number + 1;
            }
            expected = 0;
        }
        let (share, length) = (f64::from(lost) / 20_000.0, f64::from(lost) / f64::from(bursts));
        assert!((share / percent - 1.0).abs() < 0.15, "{percent} %: {share}");
        let mean = if burst > 1 { f64::from(burst) } else { 1.0 / (1.0 - percent / 100.0) };
        assert!((length / mean - 1.0).abs() < 0.15, "{percent} % in {burst}: {length}");
    }
}

#[test]
fn held_back_packets_are_late_by_up_to_the_delay() {
    let world = World::new(3);
    let quality = Quality {
        delay: Duration::from_millis(5),
        reorder: Chance::percent(50.0),
        ..Quality::PERFECT
    };
    let (mut left, mut right) = Path::new(&world, quality).ends(1500);
    send(&mut left, 1000);
    pass(&world, 4999);
    assert_eq!(received(&mut right), [0_u32; 0]);
    pass(&world, 1);
    let in_time = received(&mut right).len();
    assert!((430..570).contains(&in_time), "{in_time}");
    pass(&world, 4900);
    assert!(received(&mut right).len() > 400);
    pass(&world, 100);
    received(&mut right);
    pass(&world, 10_000_000);
    assert_eq!(received(&mut right), [0_u32; 0]);
}
