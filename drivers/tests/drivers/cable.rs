//! The cable: both directions, back-pressure, unplugged and dropped.

use devnet_drivers::cable;
use devnet_network::driver::{Driver, FramePool, Kind, LinkState, Medium};

use crate::bench::{Count, cable_options, ethernet, receive, receive_all, send, station};

#[test]
fn frames_travel_both_ways_in_order() {
    let (mut left, mut right) = cable(cable_options(64));
    assert_eq!(
        (left.hardware_address(), right.hardware_address()),
        (Some(station(1)), Some(station(2)))
    );
    assert_eq!(left.capabilities().kind, Kind::Ethernet);
    for number in 0..10 {
        assert!(send(&mut left, &ethernet(station(2), station(1), &[number])));
        assert!(send(&mut right, &ethernet(station(1), station(2), &[100 + number])));
    }
    let payloads = |frames: Vec<Vec<u8>>| frames.iter().map(|frame| frame[14]).collect::<Vec<_>>();
    assert_eq!(payloads(receive_all(&mut right)), (0..10).collect::<Vec<_>>());
    assert_eq!(payloads(receive_all(&mut left)), (100..110).collect::<Vec<_>>());
}

#[test]
fn a_frame_is_handed_over_and_not_copied() {
    let (mut left, mut right) = cable(cable_options(4));
    let pool = &mut FramePool::new();
    let frame = pool.copy_of(&[7; 60]);
    let place = frame.bytes().as_ptr();
    left.transmit(frame, pool).unwrap();
    assert!(left.flush().is_none());
    assert_eq!(right.receive(pool).unwrap().bytes().as_ptr(), place);
}

#[test]
fn a_batch_wakes_the_receiver_once() {
    let (count, waker) = Count::waker();
    let (mut left, mut right) = cable(cable_options(64));
    right.register(&waker, false);
    let pool = &mut FramePool::new();
    for _ in 0..32 {
        left.transmit(pool.copy_of(&[0; 60]), pool).unwrap();
    }
    assert_eq!((count.take(), right.receive(pool).is_none()), (0, true));
    left.flush().unwrap().wake();
    assert_eq!((count.take(), receive_all(&mut right).len()), (1, 32));
}

#[test]
fn a_full_cable_refuses_and_wakes_the_sender_when_there_is_room() {
    let (count, waker) = Count::waker();
    let (mut left, mut right) = cable(cable_options(4));
    for _ in 0..4 {
        assert!(send(&mut left, &[0; 60]));
    }
    assert!(!send(&mut left, &[0; 60]));
    left.register(&waker, true);
    assert!(receive(&mut right).is_some());
    assert_eq!(count.take(), 1);
    assert!(send(&mut left, &[0; 60]));
}

#[test]
fn a_full_batch_without_a_flush_is_refused_too() {
    let (mut left, _right) = cable(cable_options(4));
    let pool = &mut FramePool::new();
    for _ in 0..4 {
        left.transmit(pool.copy_of(&[0; 60]), pool).unwrap();
    }
    assert!(!left.can_transmit() && left.transmit(pool.copy_of(&[0; 60]), pool).is_err());
}

#[test]
fn a_pulled_cable_loses_what_is_on_it_and_both_ends_hear_of_it() {
    let ((left_count, left_waker), (right_count, right_waker)) = (Count::waker(), Count::waker());
    let (mut left, mut right) = cable(cable_options(4));
    let hand = left.control();
    assert!(send(&mut left, &[0; 60]));
    for plugged in [false, true] {
        left.register(&left_waker, false);
        right.register(&right_waker, false);
        hand.set_link(plugged);
        hand.set_link(plugged);
        assert_eq!((left_count.take(), right_count.take()), (1, 1));
        let link = if plugged { LinkState::Up } else { LinkState::Down };
        assert_eq!((left.link_state(), right.link_state(), hand.link()), (link, link, link));
        if !plugged {
            // Frames sent meanwhile are lost and do not fill the cable.
            assert!((0..10).all(|_| send(&mut right, &[0; 60])));
        }
    }
    assert_eq!((receive(&mut left), receive(&mut right)), (None, None));
    assert!(send(&mut left, &[9; 60]) && receive(&mut right) == Some(vec![9; 60]));
}

#[test]
fn a_dropped_end_leaves_the_other_without_a_link() {
    let (count, waker) = Count::waker();
    let (left, mut right) = cable(cable_options(4));
    let hand = right.control();
    right.register(&waker, false);
    drop(left);
    assert_eq!((count.take(), right.link_state()), (1, LinkState::Down));
    hand.plug();
    assert_eq!(right.link_state(), LinkState::Down);
}

#[test]
fn addresses_belong_to_ethernet_and_to_one_station() {
    let (mut left, _right) = cable(cable_options(4));
    assert_eq!(left.set_hardware_address(station(9)), Ok(()));
    assert_eq!(left.hardware_address(), Some(station(9)));
    assert!(
        left.set_hardware_address(devnet_network::address::HardwareAddress::BROADCAST).is_err()
    );
    let (mut point, _) = cable(cable_options(4).medium(Medium::Ip));
    assert_eq!((point.hardware_address(), point.capabilities().kind), (None, Kind::Tunnel));
    assert!(point.set_hardware_address(station(9)).is_err());
    assert!(send(&mut point, &[0; 1501]), "too long: taken and dropped");
}
