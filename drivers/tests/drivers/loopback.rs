//! The loopback: order, bound, wakes.

use devnet_drivers::Loopback;
use devnet_drivers::limits::LOOPBACK_FRAMES;
use devnet_network::driver::{Driver, DriverError, Kind, LinkState, Medium};

use crate::bench::{Count, receive, receive_all, send, station};

#[test]
fn what_goes_out_comes_back_in_order() {
    let mut loopback = Loopback::new(65_535);
    let capabilities = loopback.capabilities();
    assert_eq!((capabilities.kind, capabilities.medium), (Kind::Loopback, Medium::Ip));
    assert!(capabilities.reliable && capabilities.mtu == 65_535);
    assert_eq!((loopback.hardware_address(), loopback.link_state()), (None, LinkState::Up));
    assert_eq!(loopback.set_hardware_address(station(1)), Err(DriverError::Unsupported));
    for number in 0..10 {
        assert!(send(&mut loopback, &[number; 40]));
    }
    assert_eq!(
        receive_all(&mut loopback),
        (0..10).map(|number| vec![number; 40]).collect::<Vec<_>>()
    );
}

#[test]
fn a_frame_wakes_once_per_registration() {
    let (count, waker) = Count::waker();
    let mut loopback = Loopback::new(1500);
    assert!(send(&mut loopback, &[0; 40]));
    loopback.register(&waker, false);
    assert_eq!(count.take(), 0);
    assert!(send(&mut loopback, &[0; 40]) && send(&mut loopback, &[0; 40]));
    assert_eq!(count.take(), 1);
}

#[test]
fn a_full_loopback_refuses_and_wakes_when_there_is_room() {
    let (count, waker) = Count::waker();
    let mut loopback = Loopback::new(1500);
    for _ in 0..LOOPBACK_FRAMES {
        assert!(send(&mut loopback, &[1; 40]));
    }
    assert!(!send(&mut loopback, &[2; 40]));
    loopback.register(&waker, true);
    assert!(receive(&mut loopback).is_some());
    assert_eq!(count.take(), 1);
    assert!(send(&mut loopback, &[2; 40]) && !send(&mut loopback, &[3; 40]));
}

#[test]
fn a_frame_beyond_the_mtu_is_dropped() {
    let mut loopback = Loopback::new(1500);
    assert!(send(&mut loopback, &[0; 1501]));
    assert_eq!(receive(&mut loopback), None);
}
