//! An Ethernet switch in memory, with an impaired cable to each station.
//!
//! | file | owns |
//! |---|---|
//! | `switch` | ports, the address table, frames in flight |
//! | here | the handle, a station's driver, and the task that delivers delayed frames |
//!
//! Without impairment a frame is in its receivers' queues when `transmit` returns. With
//! impairments, [`Lan::runner`] must be spawned; the same seed and the same traffic then give the
//! same result.

mod switch;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_network::platform::{BoxFuture, Clock, Instant};
use devnet_virtual_file_system::{CharacterDevice, Error, Lock, Result};

pub use self::switch::PortNumber;
use self::switch::Switch;
use crate::controller::{Controlled, Controller, DriverInformation};
use crate::counters::DriverCounters;
pub use crate::impairment::{Chance, Impairment};
use crate::wakes::WakeAll;

/// Nanoseconds in a microsecond.
const MICROSECOND: u64 = 1_000;

struct Shared {
    clock: Arc<dyn Clock>,
    switch: Lock<Switch>,
}

impl Shared {
    fn now(&self) -> u64 {
        self.clock.now().as_micros().saturating_mul(MICROSECOND)
    }

    fn wake(&self) {
        let wakers = self.switch.with(Switch::take_wakers);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Shared {
    /// The last handle is gone: the runner ends.
    fn drop(&mut self) {
        if let Some(runner) = self.switch.with(|switch| switch.runner.take()) {
            runner.wake();
        }
    }
}

/// A switch; clones share it.
#[derive(Clone)]
pub struct Lan(Arc<Shared>);

impl fmt::Debug for Lan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lan").finish_non_exhaustive()
    }
}

impl Lan {
    /// Creates a switch without ports; `seed` determines its random numbers.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self(Arc::new(Shared { clock, switch: Lock::new(Switch::new(seed)) }))
    }

    /// Adds a port for a station with this hardware address, for IP packets of up to `mtu` bytes.
    /// Dropping the port removes it.
    #[must_use]
    pub fn port(&self, hardware: HardwareAddress, mtu: usize) -> LanPort {
        let number = self.0.switch.with(|switch| switch.add(mtu));
        LanPort { lan: self.clone(), number, hardware, mtu, runner_is_late: false }
    }

    /// Sets the impairment of a port's cable for new frames. False if the port does not exist or
    /// the settings are invalid.
    pub fn set_impairment(&self, port: PortNumber, impairment: Impairment) -> bool {
        impairment.is_valid()
            && self.0.switch.with(|switch| match switch.port_mut(port) {
                Some(port) => {
                    port.impairment = impairment;
                    true
                }
                None => false,
            })
    }

    /// Returns the impairment of a port's cable, if the port exists.
    #[must_use]
    pub fn impairment(&self, port: PortNumber) -> Option<Impairment> {
        self.0.switch.with(|switch| switch.port(port).map(|port| port.impairment))
    }

    /// Plugs or unplugs a port's cable. False if the port does not exist.
    pub fn set_link(&self, port: PortNumber, is_up: bool) -> bool {
        let is_known = self.0.switch.with(|switch| switch.set_link(port, is_up));
        self.0.wake();
        is_known
    }

    /// Returns the counters of a port, if it exists. A lost frame counts at the port of the cable
    /// that lost it.
    #[must_use]
    pub fn counters(&self, port: PortNumber) -> Option<DriverCounters> {
        self.0.switch.with(|switch| switch.port(port).map(|port| port.counters))
    }

    /// Returns the task that delivers delayed frames. It sleeps until the next frame is due, and
    /// ends when the switch and all its ports are dropped. One is enough; of several, only the
    /// latest works.
    pub fn runner(&self) -> impl Future<Output = ()> + Send + 'static {
        Runner { shared: Arc::downgrade(&self.0), sleep: None }
    }
}

struct Runner {
    shared: Weak<Shared>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl Future for Runner {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(shared) = self.shared.upgrade() else { return Poll::Ready(()) };
            let now = shared.now();
            let (due, replaced) = shared.switch.with(|switch| {
                let replaced = switch.runner.replace(context.waker().clone());
                (switch.advance(now), replaced)
            });
            drop(replaced);
            shared.wake();
            let Some(due) = due else {
                self.sleep = None;
                return Poll::Pending;
            };
            let deadline = Instant::from_micros(due.div_ceil(MICROSECOND));
            let (_, sleep) = match &mut self.sleep {
                Some(sleep) if sleep.0 == deadline => sleep,
                sleep => sleep.insert((deadline, shared.clock.sleep_until(deadline))),
            };
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.sleep = None;
        }
    }
}

/// A station's end of its cable to the switch.
#[derive(Debug)]
pub struct LanPort {
    lan: Lan,
    number: PortNumber,
    hardware: HardwareAddress,
    mtu: usize,
    /// A frame since the last flush is due before all others.
    runner_is_late: bool,
}

impl LanPort {
    /// Returns the number by which the [`Lan`] identifies this port.
    #[must_use]
    pub const fn number(&self) -> PortNumber {
        self.number
    }

    /// Returns the device that answers [`controller_commands`](crate::controller_commands) about
    /// this port.
    #[must_use]
    pub fn controller(&self) -> Arc<dyn CharacterDevice> {
        let lan = Arc::downgrade(&self.lan.0);
        Arc::new(Controller::new(Arc::new(DriverControl {
            lan,
            number: self.number,
            mtu: self.mtu,
        })))
    }
}

impl Driver for LanPort {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Kind::Ethernet, Medium::Ethernet, self.mtu)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        Some(self.hardware)
    }

    fn set_hardware_address(
        &mut self,
        address: HardwareAddress,
    ) -> std::result::Result<(), DriverError> {
        if !address.is_unicast() {
            return Err(DriverError::Unsupported);
        }
        self.hardware = address;
        Ok(())
    }

    fn link_state(&mut self) -> LinkState {
        let is_up = self
            .lan
            .0
            .switch
            .with(|switch| switch.port(self.number).is_some_and(|port| port.is_up));
        if is_up { LinkState::Up } else { LinkState::Down }
    }

    fn set_reception(&mut self, _: bool, _: bool) -> core::result::Result<(), DriverError> {
        // Everything that the switch sends to the port arrives.
        Ok(())
    }

    fn receive(&mut self, _: &mut FramePool) -> Option<Frame> {
        self.lan.0.switch.with(|switch| switch.receive(self.number))
    }

    /// A switch never causes back-pressure: it drops frames for which it has no room.
    fn can_transmit(&mut self) -> bool {
        true
    }

    fn transmit(&mut self, frame: Frame, _: &mut FramePool) -> std::result::Result<(), Frame> {
        let shared = &*self.lan.0;
        self.runner_is_late |=
            shared.switch.with(|switch| switch.transmit(self.number, frame, || shared.now()));
        Ok(())
    }

    fn flush(&mut self) -> Option<Waker> {
        let is_late = std::mem::take(&mut self.runner_is_late);
        let (mut wakers, runner) = self.lan.0.switch.with(|switch| {
            (switch.take_wakers(), if is_late { switch.runner.take() } else { None })
        });
        wakers.extend(runner);
        match wakers.len() {
            0 | 1 => wakers.pop(),
            _ => Some(Waker::from(Arc::new(WakeAll(wakers)))),
        }
    }

    fn register(&mut self, waker: &Waker, _: bool) {
        let replaced = self.lan.0.switch.with(|switch| switch.register(self.number, waker));
        drop(replaced);
    }
}

impl Drop for LanPort {
    fn drop(&mut self) {
        let removed = self.lan.0.switch.with(|switch| switch.remove(self.number));
        drop(removed);
    }
}

/// Holds no strong reference: an open controller may outlive its port.
struct DriverControl {
    lan: Weak<Shared>,
    number: PortNumber,
    mtu: usize,
}

impl DriverControl {
    fn lan(&self) -> Result<Lan> {
        self.lan.upgrade().map(Lan).ok_or(Error::NoDevice)
    }
}

impl Controlled for DriverControl {
    fn information(&self) -> DriverInformation {
        DriverInformation::new("lan", self.number.to_string(), self.mtu)
    }

    fn counters(&self) -> DriverCounters {
        self.lan().ok().and_then(|lan| lan.counters(self.number)).unwrap_or_default()
    }

    fn impairment(&self) -> Result<Impairment> {
        self.lan()?.impairment(self.number).ok_or(Error::NoDevice)
    }

    fn set_impairment(&self, impairment: Impairment) -> Result<()> {
        if !impairment.is_valid() {
            return Err(Error::InvalidInput);
        }
        if self.lan()?.set_impairment(self.number, impairment) {
            Ok(())
        } else {
            Err(Error::NoDevice)
        }
    }

    fn set_link(&self, up: bool) -> Result<()> {
        if self.lan()?.set_link(self.number, up) { Ok(()) } else { Err(Error::NoDevice) }
    }
}
