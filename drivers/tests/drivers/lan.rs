//! The switch: learning, flooding, links, and impairments.

use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::limits::{FRAMES_IN_FLIGHT, PORT_FRAMES};
use devnet_drivers::{Chance, Impairment, Lan, LanPort};
use devnet_network::address::HardwareAddress;
use devnet_network::driver::{Driver, LinkState};
use devnet_network::platform::Instant;
use world::World;

use crate::bench::{Count, ethernet, receive, receive_all, send, station};

fn ports<const COUNT: usize>(lan: &Lan) -> [LanPort; COUNT] {
    std::array::from_fn(|number| lan.port(station(number as u8 + 1), 1500))
}

fn lan(world: &World) -> Lan {
    let lan = Lan::new(Arc::new(world.clock.clone()), world.seed);
    world.spawn(lan.runner()).detach();
    lan
}

fn payloads(port: &mut LanPort) -> Vec<u16> {
    receive_all(port).iter().map(|frame| u16::from_be_bytes([frame[14], frame[15]])).collect()
}

/// Sends numbered frames from one port to the second station.
fn send_numbered(port: &mut LanPort, count: u16) {
    for number in 0..count {
        assert!(send(port, &ethernet(station(2), station(1), &number.to_be_bytes())));
    }
}

#[test]
fn unknown_and_group_addresses_are_flooded_and_known_ones_are_not() {
    let lan = lan(&World::new(1));
    let [mut one, mut two, mut three] = ports(&lan);
    assert!(send(&mut one, &ethernet(station(2), station(1), b"who")));
    assert_eq!(
        (receive_all(&mut two).len(), receive_all(&mut three).len(), receive_all(&mut one).len()),
        (1, 1, 0)
    );
    assert!(send(&mut two, &ethernet(station(1), station(2), b"me")));
    assert_eq!((receive_all(&mut one).len(), receive_all(&mut three).len()), (1, 0));
    assert!(send(&mut one, &ethernet(station(2), station(1), b"now")));
    assert_eq!((receive_all(&mut two).len(), receive_all(&mut three).len()), (1, 0));
    for group in
        [HardwareAddress::BROADCAST, HardwareAddress::multicast("ff02::1".parse().unwrap())]
    {
        assert!(send(&mut one, &ethernet(group, station(1), b"all")));
        assert_eq!((receive_all(&mut two).len(), receive_all(&mut three).len()), (1, 1));
        assert_eq!(receive(&mut one), None);
    }
}

#[test]
fn a_station_that_moves_or_leaves_is_learned_anew() {
    let lan = lan(&World::new(1));
    let [mut one, mut two, mut three] = ports(&lan);
    let to_two = ethernet(station(2), station(1), b"");
    assert!(send(&mut two, &ethernet(station(1), station(2), b"")));
    assert!(send(&mut three, &ethernet(station(1), station(2), b"moved")));
    for port in [&mut one, &mut two, &mut three] {
        receive_all(port);
    }
    assert!(send(&mut one, &to_two));
    assert_eq!((receive_all(&mut two).len(), receive_all(&mut three).len()), (0, 1));
    drop(three);
    assert!(send(&mut one, &to_two));
    assert_eq!(receive_all(&mut two).len(), 1, "flooded again");
}

#[test]
fn a_flood_wakes_everybody_and_a_frame_only_its_receiver() {
    let lan = lan(&World::new(1));
    let [mut one, mut two, mut three] = ports(&lan);
    let ((second, waker_two), (third, waker_three)) = (Count::waker(), Count::waker());
    two.register(&waker_two, false);
    three.register(&waker_three, false);
    assert!(send(&mut one, &ethernet(HardwareAddress::BROADCAST, station(1), b"")));
    assert_eq!((second.take(), third.take()), (1, 1));
    assert!(send(&mut two, &ethernet(station(1), station(2), b"")));
    two.register(&waker_two, false);
    three.register(&waker_three, false);
    assert!(send(&mut one, &ethernet(station(2), station(1), b"")));
    assert_eq!((second.take(), third.take()), (1, 0));
}

#[test]
fn a_port_without_link_gets_and_gives_nothing() {
    let (count, waker) = Count::waker();
    let lan = lan(&World::new(1));
    let [mut one, mut two] = ports(&lan);
    assert!(send(&mut one, &ethernet(station(2), station(1), b"before")));
    two.register(&waker, false);
    assert!(lan.set_link(two.number(), false));
    assert_eq!((count.take(), two.link_state(), receive(&mut two)), (1, LinkState::Down, None));
    assert!(send(&mut one, &ethernet(station(2), station(1), b"")));
    assert!(send(&mut two, &ethernet(station(1), station(2), b"")));
    assert!(lan.set_link(two.number(), true));
    assert_eq!(
        (receive(&mut one), receive(&mut two), two.link_state()),
        (None, None, LinkState::Up)
    );
    let number = two.number();
    drop(two);
    assert!(!lan.set_link(number, true) && !lan.set_impairment(number, Impairment::NONE));
    assert_eq!((lan.counters(number), lan.impairment(number)), (None, None));
}

#[test]
fn frames_too_short_or_too_long_and_a_full_port_are_counted_losses() {
    let lan = lan(&World::new(1));
    let [mut one, mut two] = ports(&lan);
    assert!(send(&mut one, &[0; 13]) && send(&mut one, &[0; 1515]));
    assert_eq!(lan.counters(one.number()).unwrap().dropped_frames, 2);
    for _ in 0..PORT_FRAMES + 3 {
        assert!(send(&mut one, &ethernet(station(2), station(1), b"")));
    }
    assert_eq!(receive_all(&mut two).len(), PORT_FRAMES);
    assert_eq!(lan.counters(two.number()).unwrap().dropped_frames, 3);
    let jumbo = lan.port(station(3), 9000);
    let mut jumbo = jumbo;
    assert!(send(&mut jumbo, &ethernet(station(1), station(3), &[0; 9000])));
    assert_eq!(receive(&mut one), None);
    assert_eq!(lan.counters(one.number()).unwrap().dropped_frames, 3);
}

#[test]
fn delayed_frames_arrive_on_time_and_in_order() {
    let world = World::new(3);
    let lan = lan(&world);
    let [mut one, mut two] = ports(&lan);
    let (delay, jitter) = (Duration::from_millis(10), Duration::from_millis(5));
    assert!(lan.set_impairment(one.number(), Impairment::NONE.delay(delay)));
    assert!(lan.set_impairment(two.number(), Impairment::NONE.delay(delay).jitter(jitter)));
    let (count, waker) = Count::waker();
    world.run(async {
        world.sleep(Duration::from_millis(1)).await;
        send_numbered(&mut one, 100);
        two.register(&waker, false);
        world.sleep(Duration::from_micros(19_999)).await;
        assert_eq!((receive(&mut two), count.take()), (None, 0));
        world.sleep(Duration::from_micros(5_001)).await;
        assert_eq!((payloads(&mut two), count.take()), ((0..100).collect(), 1));
        // Back through the same two cables.
        assert!(send(&mut two, &ethernet(station(1), station(2), b"")));
        world.sleep(Duration::from_millis(25)).await;
        assert_eq!(receive_all(&mut one).len(), 1);
    });
    assert_eq!(world.clock.sleepers(), 0, "nothing is under way, so nothing ticks");
}

#[test]
fn an_earlier_frame_wakes_the_runner_earlier() {
    let world = World::new(3);
    let lan = lan(&world);
    let [mut slow, mut two, mut fast] = ports(&lan);
    let delay = |millis| Impairment::NONE.delay(Duration::from_millis(millis));
    assert!(
        lan.set_impairment(slow.number(), delay(100))
            && lan.set_impairment(fast.number(), delay(10))
    );
    world.run(async {
        assert!(send(&mut slow, &ethernet(station(2), station(1), &[0, 1])));
        world.sleep(Duration::from_millis(1)).await;
        assert!(send(&mut fast, &ethernet(station(2), station(3), &[0, 2])));
        world.sleep(Duration::from_millis(11)).await;
        assert_eq!(payloads(&mut two), [2]);
        world.sleep(Duration::from_millis(89)).await;
        assert_eq!(payloads(&mut two), [1]);
    });
}

/// Returns which of 2,000 frames arrive through this cable, in their order.
fn arrivals(seed: u64, impairment: Impairment) -> Vec<u16> {
    let world = World::new(seed);
    let lan = lan(&world);
    let [mut one, mut two] = ports(&lan);
    assert!(lan.set_impairment(one.number(), impairment));
    let mut arrived = Vec::new();
    world.run(async {
        for number in 0..2_000_u16 {
            assert!(send(&mut one, &ethernet(station(2), station(1), &number.to_be_bytes())));
            world.sleep(Duration::from_micros(100)).await;
            arrived.extend(payloads(&mut two));
        }
        world.sleep(Duration::from_secs(1)).await;
        arrived.extend(payloads(&mut two));
    });
    arrived
}

#[test]
fn the_same_seed_has_the_same_fate_and_another_one_has_not() {
    let bad = Impairment::NONE
        .delay(Duration::from_millis(2))
        .jitter(Duration::from_millis(1))
        .loss(Chance::percent(5.0))
        .reorder(Chance::percent(5.0))
        .duplicate(Chance::percent(5.0));
    assert_eq!(arrivals(1, bad), arrivals(1, bad));
    assert_ne!(arrivals(1, bad), arrivals(2, bad));
}

#[test]
fn what_another_port_does_changes_no_fate() {
    let fates = |noise: bool| {
        let world = World::new(5);
        let lan = lan(&world);
        let [mut one, mut two, mut three] = ports(&lan);
        let lossy = Impairment::NONE.loss(Chance::percent(50.0));
        assert!(
            lan.set_impairment(one.number(), lossy) && lan.set_impairment(three.number(), lossy)
        );
        world.run(async {
            assert!(send(&mut two, &ethernet(station(1), station(2), b"")));
            for number in 0..100_u16 {
                assert!(send(&mut one, &ethernet(station(2), station(1), &number.to_be_bytes())));
                if noise {
                    assert!(send(&mut three, &ethernet(station(1), station(3), &[0xff; 2])));
                }
            }
            world.sleep(Duration::from_millis(1)).await;
        });
        let mut arrived = payloads(&mut two);
        arrived.retain(|number| *number < 100);
        arrived
    };
    assert_eq!(fates(false), fates(true));
}

#[test]
fn losses_have_the_share_and_the_bursts_that_were_asked_for() {
    for burst in [1, 10] {
        let arrived = arrivals(7, Impairment::NONE.loss(Chance::percent(20.0)).burst(burst));
        let lost = 2_000 - arrived.len();
        assert!((250..550).contains(&lost), "{lost} of 2000 with bursts of {burst}");
        let gaps = arrived.windows(2).filter(|pair| pair[1] - pair[0] > 1).count();
        let length = lost / gaps.max(1);
        assert!(
            if burst == 1 { length <= 2 } else { (5..20).contains(&length) },
            "{length} in a row, not {burst}"
        );
    }
    assert!(arrivals(7, Impairment::NONE.loss(Chance::ALWAYS).burst(3)).is_empty());
}

#[test]
fn reordered_frames_are_overtaken_and_none_is_missing() {
    let mut arrived = arrivals(8, Impairment::NONE.reorder(Chance::percent(10.0)));
    let late = arrived.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!((100..300).contains(&late), "{late}");
    arrived.sort_unstable();
    assert!(arrived.into_iter().eq(0..2_000));
}

#[test]
fn duplicated_frames_arrive_twice() {
    let mut arrived = arrivals(9, Impairment::NONE.duplicate(Chance::percent(10.0)));
    assert!((2_120..2_280).contains(&arrived.len()), "{}", arrived.len());
    arrived.dedup();
    assert_eq!(arrived.len(), 2_000);
}

#[test]
fn a_corrupt_frame_has_exactly_one_wrong_bit() {
    let world = World::new(10);
    let lan = lan(&world);
    let [mut one, mut two] = ports(&lan);
    assert!(lan.set_impairment(two.number(), Impairment::NONE.corrupt(Chance::ALWAYS)));
    let sent = ethernet(station(2), station(1), b"x");
    world.run(async {
        assert!(send(&mut one, &sent));
        world.sleep(Duration::from_micros(1)).await;
    });
    let arrived = receive(&mut two).unwrap();
    let wrong: u32 =
        arrived.iter().zip(&sent).map(|(left, right)| (left ^ right).count_ones()).sum();
    assert_eq!((wrong, arrived.len()), (1, sent.len()));
}

#[test]
fn a_rate_spreads_frames_and_its_queue_is_bounded() {
    let world = World::new(11);
    let lan = lan(&world);
    let [mut one, mut two] = ports(&lan);
    // 60 bytes at 4.8 Mbit/s take 100 microseconds; ten frames wait in addition to the one in
    // transmission.
    let slow = Impairment::NONE.rate(Some(4_800_000)).queue(660);
    assert!(lan.set_impairment(one.number(), slow));
    world.run(async {
        send_numbered(&mut one, 20);
        for number in 0..11 {
            world.sleep(Duration::from_micros(99)).await;
            assert_eq!(payloads(&mut two), [] as [u16; 0]);
            world.sleep(Duration::from_micros(1)).await;
            assert_eq!(payloads(&mut two), [number]);
        }
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!(receive(&mut two), None);
    });
    assert_eq!(lan.counters(one.number()).unwrap().dropped_frames, 9);
    assert_eq!(world.now(), Instant::from_micros(1_001_100));
}

#[test]
fn frames_under_way_are_bounded() {
    let world = World::new(12);
    let lan = lan(&world);
    let [mut one, two] = ports(&lan);
    let slow = Impairment::NONE.delay(Duration::from_secs(1));
    assert!(lan.set_impairment(one.number(), slow));
    for _ in 0..FRAMES_IN_FLIGHT + 5 {
        assert!(send(&mut one, &ethernet(station(2), station(1), b"")));
    }
    assert_eq!(lan.counters(one.number()).unwrap().dropped_frames, 5);
    assert_eq!(lan.counters(two.number()).unwrap().dropped_frames, 0);
}

#[test]
fn the_runner_ends_with_the_switch() {
    let world = World::new(13);
    let lan = Lan::new(Arc::new(world.clock.clone()), 1);
    let task = world.spawn(lan.runner());
    let port = lan.port(station(1), 1500);
    world.run(async {
        world.sleep(Duration::from_millis(1)).await;
        drop(lan);
        assert!(!task.is_finished());
        drop(port);
        task.await;
    });
}
