//! The adapters, with smoltcp's own loopback device and an embassy driver made of queues.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Waker};

use devnet_drivers::adapter::{EmbassyDriver, SmoltcpDevice};
use devnet_network::driver::{Driver, Kind, LinkState, Medium};
use embassy_net_driver as embassy;
use smoltcp::phy;
use world::VirtualClock;

use crate::bench::{Count, ethernet, receive, send, station};

#[test]
fn a_smoltcp_device_sends_and_receives() {
    let loopback = phy::Loopback::new(phy::Medium::Ethernet);
    let mut driver =
        SmoltcpDevice::new(loopback, Some(station(1)), Arc::new(VirtualClock::default()));
    let capabilities = driver.capabilities();
    assert_eq!((capabilities.kind, capabilities.medium), (Kind::Ethernet, Medium::Ethernet));
    assert_eq!(capabilities.mtu, 65_535 - 14);
    assert_eq!((driver.hardware_address(), driver.link_state()), (Some(station(1)), LinkState::Up));
    assert_eq!(receive(&mut driver), None);
    for number in 0..3 {
        assert!(send(&mut driver, &ethernet(station(1), station(1), &[number])));
    }
    for number in 0..3 {
        assert_eq!(receive(&mut driver), Some(ethernet(station(1), station(1), &[number])));
    }
    assert!(driver.set_hardware_address(station(2)).is_ok());
    assert_eq!(driver.hardware_address(), Some(station(2)));
}

#[test]
fn whoever_owns_a_smoltcp_device_rings_for_it() {
    let (count, waker) = Count::waker();
    let loopback = phy::Loopback::new(phy::Medium::Ip);
    let mut driver =
        SmoltcpDevice::new(loopback, Some(station(1)), Arc::new(VirtualClock::default()));
    assert_eq!((driver.hardware_address(), driver.capabilities().mtu), (None, 65_535));
    let bell = driver.waker();
    bell.wake();
    driver.register(&waker, false);
    assert_eq!(count.take(), 0);
    bell.wake();
    bell.wake();
    assert_eq!(count.take(), 1);
}

/// The frames of a driver that holds at most one in each direction.
#[derive(Default)]
struct Queues {
    inward: VecDeque<Vec<u8>>,
    outward: VecDeque<Vec<u8>>,
    waker: Option<Waker>,
}

struct Token<'a>(&'a mut VecDeque<Vec<u8>>);

impl embassy::RxToken for Token<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, action: F) -> R {
        action(&mut self.0.pop_front().unwrap())
    }
}

impl embassy::TxToken for Token<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, action: F) -> R {
        let mut bytes = vec![0; length];
        let result = action(&mut bytes);
        self.0.push_back(bytes);
        result
    }
}

impl embassy::Driver for &mut Queues {
    type RxToken<'a>
        = Token<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Token<'a>
    where
        Self: 'a;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Token<'_>, Token<'_>)> {
        if self.inward.is_empty() {
            self.waker = Some(context.waker().clone());
            return None;
        }
        Some((Token(&mut self.inward), Token(&mut self.outward)))
    }

    fn transmit(&mut self, context: &mut Context<'_>) -> Option<Token<'_>> {
        if !self.outward.is_empty() {
            self.waker = Some(context.waker().clone());
            return None;
        }
        Some(Token(&mut self.outward))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> embassy::LinkState {
        embassy::LinkState::Up
    }

    fn capabilities(&self) -> embassy::Capabilities {
        let mut capabilities = embassy::Capabilities::default();
        capabilities.max_transmission_unit = 1514;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> embassy::HardwareAddress {
        embassy::HardwareAddress::Ethernet(station(1).0)
    }
}

#[test]
fn an_embassy_driver_sends_receives_and_wakes() {
    let (count, waker) = Count::waker();
    let mut queues = Queues::default();
    queues.inward.push_back(vec![5; 60]);
    let mut driver = EmbassyDriver::new(&mut queues).ok().unwrap();
    assert_eq!((driver.capabilities().mtu, driver.capabilities().burst), (1500, Some(1)));
    assert_eq!((driver.hardware_address(), driver.link_state()), (Some(station(1)), LinkState::Up));
    assert_eq!(receive(&mut driver), Some(vec![5; 60]));
    assert!(send(&mut driver, &[6; 60]) && !send(&mut driver, &[7; 60]));
    driver.register(&waker, true);
    assert_eq!(receive(&mut driver), None);
    queues.waker.take().unwrap().wake();
    assert_eq!((count.take(), queues.outward.pop_front()), (1, Some(vec![6; 60])));
}
