//! An Ethernet switch in memory, with an impaired cable to each station.
//!
//! | file | owns |
//! |---|---|
//! | `switch` | ports, the address table, frames in flight |
//! | here | the handle, and a station's driver |
//!
//! Without impairment a frame is in its receivers' queues when `transmit` returns. With
//! impairments, [`Lan::runner`] must be spawned; the same seed and the same traffic then give the
//! same result.

mod switch;

use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Waker;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_network::platform::Clock;
use devnet_virtual_file_system::{CharacterDevice, Error, Result};

pub use self::switch::PortNumber;
use self::switch::Switch;
use crate::controller::{Controlled, Controller, DriverInformation};
use crate::counters::DriverCounters;
pub use crate::impairment::{Chance, Impairment};
use crate::relay::Relay;

/// A switch; clones share it.
#[derive(Clone)]
pub struct Lan(Arc<Relay<Switch>>);

impl fmt::Debug for Lan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lan").finish_non_exhaustive()
    }
}

impl Lan {
    /// Creates a switch without ports; `seed` determines its random numbers.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self(Relay::new(clock, Switch::new(seed)))
    }

    /// Adds a port for a station with this hardware address, for IP packets of up to `mtu` bytes.
    /// Dropping the port removes it.
    #[must_use]
    pub fn port(&self, hardware: HardwareAddress, mtu: usize) -> LanPort {
        let number = self.0.network.with(|switch| switch.add(mtu));
        LanPort { lan: self.clone(), number, hardware, mtu, runner_is_late: false }
    }

    /// Sets the impairment of a port's cable for new frames. False if the port does not exist or
    /// the settings are invalid.
    pub fn set_impairment(&self, port: PortNumber, impairment: Impairment) -> bool {
        impairment.is_valid()
            && self.0.network.with(|switch| match switch.port_mut(port) {
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
        self.0.network.with(|switch| switch.port(port).map(|port| port.impairment))
    }

    /// Plugs or unplugs a port's cable. False if the port does not exist.
    pub fn set_link(&self, port: PortNumber, is_up: bool) -> bool {
        self.0.change(|switch, _| switch.set_link(port, is_up))
    }

    /// Returns the counters of a port, if it exists. A lost frame counts at the port of the cable
    /// that lost it.
    #[must_use]
    pub fn counters(&self, port: PortNumber) -> Option<DriverCounters> {
        self.0.network.with(|switch| switch.port(port).map(|port| port.inbox.counters))
    }

    /// Returns the task that delivers delayed frames. It sleeps until the next frame is due, and
    /// ends when the switch and all its ports are dropped. One is enough; of several, only the
    /// latest works.
    pub fn runner(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.runner()
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
            .network
            .with(|switch| switch.port(self.number).is_some_and(|port| port.is_up));
        if is_up { LinkState::Up } else { LinkState::Down }
    }

    fn set_reception(&mut self, _: bool, _: bool) -> core::result::Result<(), DriverError> {
        // Everything that the switch sends to the port arrives.
        Ok(())
    }

    fn receive(&mut self, _: &mut FramePool) -> Option<Frame> {
        self.lan.0.network.with(|switch| switch.receive(self.number))
    }

    /// A switch never causes back-pressure: it drops frames for which it has no room.
    fn can_transmit(&mut self) -> bool {
        true
    }

    fn transmit(&mut self, frame: Frame, _: &mut FramePool) -> std::result::Result<(), Frame> {
        let relay = &*self.lan.0;
        let now = || relay.nanoseconds();
        self.runner_is_late |=
            relay.network.with(|switch| switch.transmit(self.number, frame, now));
        Ok(())
    }

    fn flush(&mut self) -> Option<Waker> {
        self.lan.0.flush(std::mem::take(&mut self.runner_is_late))
    }

    fn register(&mut self, waker: &Waker, _: bool) {
        let replaced = self.lan.0.network.with(|switch| switch.register(self.number, waker));
        drop(replaced);
    }
}

impl Drop for LanPort {
    fn drop(&mut self) {
        let removed = self.lan.0.network.with(|switch| switch.remove(self.number));
        drop(removed);
    }
}

/// Holds no strong reference: an open controller may outlive its port.
struct DriverControl {
    lan: Weak<Relay<Switch>>,
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
