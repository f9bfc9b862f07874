//! Adapts any `smoltcp::phy::Device`.
//!
//! Such a device signals neither frames nor room. Its owner calls [`AdapterWaker::wake`] instead:
//! the task of an interrupt, a thread, or the other end of a simulation.

use std::fmt;
#[cfg(all(unix, feature = "host"))]
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::task::Waker;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_network::platform::Clock;
use devnet_virtual_file_system::{CharacterDevice, Lock};
use smoltcp::phy::{self, Checksum, Device, RxToken, TxToken};
use smoltcp::time::Instant;

use crate::controller::{Controlled, Controller, DriverInformation};
use crate::counters::{Counters, DriverCounters};
#[cfg(all(unix, feature = "host"))]
use crate::descriptor::Descriptor;
use crate::limits::ETHERNET_HEADER;

/// Wakes the runner of its device. Clones wake the same runner.
#[derive(Clone, Debug, Default)]
pub struct AdapterWaker(Arc<Lock<Option<Waker>>>);

impl AdapterWaker {
    /// Signals that frames arrived or that there is room. It is cheap if nobody waits.
    pub fn wake(&self) {
        if let Some(waker) = self.0.with(Option::take) {
            waker.wake();
        }
    }

    fn register(&self, waker: &Waker) {
        let replaced = self.0.with(|known| match known {
            Some(known) if known.will_wake(waker) => None,
            known => known.replace(waker.clone()),
        });
        drop(replaced);
    }
}

/// A smoltcp device as a driver.
pub struct SmoltcpDevice<D> {
    device: D,
    hardware: Option<HardwareAddress>,
    clock: Arc<dyn Clock>,
    waker: AdapterWaker,
    #[cfg(all(unix, feature = "host"))]
    descriptor: Option<Descriptor>,
    counters: Arc<Counters>,
}

impl<D: Device + Send> SmoltcpDevice<D> {
    /// Wraps a device. `hardware` is the station's address, which smoltcp's devices do not know; a
    /// device of IP packets ignores it. The clock supplies the device's timestamps.
    #[must_use]
    pub fn new(device: D, hardware: Option<HardwareAddress>, clock: Arc<dyn Clock>) -> Self {
        Self {
            device,
            hardware,
            clock,
            waker: AdapterWaker::default(),
            #[cfg(all(unix, feature = "host"))]
            descriptor: None,
            counters: Arc::default(),
        }
    }

    /// Also wakes the runner when a descriptor is ready, for devices that have one, such as
    /// smoltcp's `RawSocket` and `TunTapInterface`. The descriptor is duplicated and must be
    /// non-blocking.
    ///
    /// # Errors
    /// Errors of duplicating and of watching the descriptor.
    #[cfg(all(unix, feature = "host"))]
    pub fn with_descriptor(mut self, descriptor: BorrowedFd<'_>) -> std::io::Result<Self> {
        self.descriptor = Some(Descriptor::new(descriptor.try_clone_to_owned()?)?);
        Ok(self)
    }

    /// Returns the waker for the device's owner.
    #[must_use]
    pub fn waker(&self) -> AdapterWaker {
        self.waker.clone()
    }

    /// Returns the device that answers [`controller_commands`](crate::controller_commands) about
    /// this driver.
    #[must_use]
    pub fn controller(&self) -> Arc<dyn CharacterDevice> {
        let mtu = self.capabilities().mtu;
        Arc::new(Controller::new(Arc::new(DriverControl {
            kind: "smoltcp",
            mtu,
            counters: Arc::clone(&self.counters),
        })))
    }

    fn now(&self) -> Instant {
        Instant::from_micros(i64::try_from(self.clock.now().as_micros()).unwrap_or(i64::MAX))
    }
}

impl<D> fmt::Debug for SmoltcpDevice<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SmoltcpDevice")
            .field("hardware", &self.hardware)
            .finish_non_exhaustive()
    }
}

impl<D: Device + Send> Driver for SmoltcpDevice<D> {
    fn capabilities(&self) -> Capabilities {
        let theirs = self.device.capabilities();
        let whole = theirs.max_transmission_unit;
        let (kind, medium, mtu) = match theirs.medium {
            phy::Medium::Ethernet => {
                (Kind::Ethernet, Medium::Ethernet, whole.saturating_sub(ETHERNET_HEADER))
            }
            phy::Medium::Ip => (Kind::Tunnel, Medium::Ip, whole),
        };
        let sums = &theirs.checksum;
        let reliable = [&sums.ipv4, &sums.udp, &sums.tcp, &sums.icmpv4, &sums.icmpv6]
            .into_iter()
            .all(|checksum| matches!(checksum, Checksum::None));
        Capabilities::new(kind, medium, mtu).burst(theirs.max_burst_size).reliable(reliable)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        self.hardware.filter(|_| self.capabilities().medium == Medium::Ethernet)
    }

    /// Only the frames that the stack builds contain the address; the device has no address filter.
    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        if self.capabilities().medium != Medium::Ethernet || !address.is_unicast() {
            return Err(DriverError::Unsupported);
        }
        self.hardware = Some(address);
        Ok(())
    }

    fn link_state(&mut self) -> LinkState {
        LinkState::Up
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        let (token, _) = self.device.receive(self.now())?;
        let frame = token.consume(|bytes| pool.copy_of(bytes));
        self.counters.received(frame.len());
        Some(frame)
    }

    fn can_transmit(&mut self) -> bool {
        self.device.transmit(self.now()).is_some()
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        let length = frame.len();
        if length > self.device.capabilities().max_transmission_unit {
            self.counters.dropped(length);
        } else {
            let now = self.now();
            let Some(token) = self.device.transmit(now) else { return Err(frame) };
            token.consume(length, |buffer| copy(frame.bytes(), buffer));
            self.counters.sent(length);
        }
        pool.put(frame);
        Ok(())
    }

    fn register(&mut self, waker: &Waker, room: bool) {
        self.waker.register(waker);
        #[cfg(all(unix, feature = "host"))]
        if let Some(descriptor) = &self.descriptor {
            descriptor.wake_when_readable(waker);
            if room {
                descriptor.wake_when_writable(waker);
            }
        }
        #[cfg(not(all(unix, feature = "host")))]
        let _ = room;
    }
}

/// Copies as much as fits: a device may lend a buffer of another length than requested.
pub(super) fn copy(from: &[u8], to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

pub(super) struct DriverControl {
    pub(super) kind: &'static str,
    pub(super) mtu: usize,
    pub(super) counters: Arc<Counters>,
}

impl Controlled for DriverControl {
    fn information(&self) -> DriverInformation {
        DriverInformation::new(self.kind, "", self.mtu)
    }

    fn counters(&self) -> DriverCounters {
        self.counters.read()
    }
}
