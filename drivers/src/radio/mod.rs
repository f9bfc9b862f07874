//! Simulated radios: stations and access points that share channels.
//!
//! | file | owns |
//! |---|---|
//! | `signal` | what distance and walls do to a signal, and what a link of it can do |
//! | `country` | channels and power that countries allow |
//! | `node` | one radio: what it was asked to be, what it is |
//! | `medium` | frames on the air |
//! | `association` | who is associated with whom |
//! | `report` | what a radio tells |
//! | `controller` | the device that answers the commands of radios |
//! | here | the handle, and a radio's driver |
//!
//! A new radio is on, at the origin, and asked for nothing: its link is down until its
//! [controller](Radio::controller) makes it a station or an access point. [`Air::runner`] must be
//! spawned; the same seed and the same traffic then give the same result. There is no real
//! cryptography: keys are compared, and kept where nothing reads them.
//!
//! ```
//! # #[cfg(not(feature = "host"))]
//! # fn main() {}
//! # #[cfg(feature = "host")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use devnet_drivers::{Air, Host};
//! use devnet_network::Manager;
//! use devnet_network::address::HardwareAddress;
//! use devnet_network::command::GetInterface;
//! use devnet_network::driver::LinkState;
//! use devnet_virtual_file_system::VirtualFileSystem;
//!
//! let host = Host::new();
//! let air = Air::new(host.clock(), 1);
//! let radio = air.radio(HardwareAddress([2, 0, 0, 0, 0, 1]), 1500);
//! let controller = radio.controller();
//! let manager = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! manager.register("wlan0", Box::new(radio), Some(controller))?;
//! manager.configure("wlan0", "wifi ap start mine key devnet-mine")?;
//! # let link = manager.execute::<GetInterface>("wlan0", &()).now()?.link;
//! # let _ = (link, LinkState::Up);
//! # Ok(())
//! # }
//! ```

mod association;
mod controller;
mod country;
mod medium;
mod node;
mod report;
mod signal;

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium as FrameMedium,
};
use devnet_network::platform::Clock;
use devnet_virtual_file_system::CharacterDevice;

use self::controller::RadioController;
use self::medium::Medium;
pub use self::node::RadioNumber;
pub use crate::position::Position;
use crate::relay::Relay;

/// The air that radios share; clones are the same.
#[derive(Clone)]
pub struct Air(Arc<Relay<Medium>>);

impl fmt::Debug for Air {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Air").finish_non_exhaustive()
    }
}

impl Air {
    /// Air without radios; `seed` determines which frames a weak signal loses.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self(Relay::new(clock, Medium::new(seed)))
    }

    /// Adds a radio with this hardware address, for IP packets of up to `mtu` bytes. Dropping it
    /// removes it.
    #[must_use]
    pub fn radio(&self, hardware: HardwareAddress, mtu: usize) -> Radio {
        let number = self.0.network.with(|medium| medium.add(hardware, mtu));
        Radio { air: self.clone(), number, hardware, mtu, runner_is_late: false }
    }

    /// Moves a radio. False if it does not exist.
    pub fn set_position(&self, radio: RadioNumber, position: Position) -> bool {
        self.0
            .change(|medium, now| medium.place(radio, |node| node.position = position, now))
            .is_ok()
    }

    /// Puts walls around a radio, which take so many dB of every signal. False if it does not
    /// exist.
    pub fn set_attenuation(&self, radio: RadioNumber, decibels: u8) -> bool {
        let outcome = self
            .0
            .change(|medium, now| medium.place(radio, |node| node.attenuation = decibels, now));
        outcome.is_ok()
    }

    /// Wires an access point to all of the same number, as one network has several access points
    /// (IEEE 802.11-2020 §4.3.5). False if the radio does not exist.
    pub fn set_distribution(&self, radio: RadioNumber, number: Option<u32>) -> bool {
        let outcome = self
            .0
            .change(|medium, now| medium.place(radio, |node| node.distribution = number, now));
        outcome.is_ok()
    }

    /// Returns the task that delivers frames. It sleeps until the next one is due, and ends when
    /// the air and all its radios are dropped. One is enough; of several, only the latest works.
    pub fn runner(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.runner()
    }
}

/// The driver of a radio. Its link is up while it is associated, or while it is an access point.
#[derive(Debug)]
pub struct Radio {
    air: Air,
    number: RadioNumber,
    hardware: HardwareAddress,
    mtu: usize,
    /// A frame since the last flush is due before all others.
    runner_is_late: bool,
}

impl Radio {
    /// Returns the number by which the [`Air`] identifies this radio.
    #[must_use]
    pub const fn number(&self) -> RadioNumber {
        self.number
    }

    /// Returns the device that answers the commands of radios
    /// ([`wireless`](devnet_network::command::wireless)) and
    /// [`controller_commands`](crate::controller_commands).
    #[must_use]
    pub fn controller(&self) -> Arc<dyn CharacterDevice> {
        Arc::new(RadioController::new(Arc::downgrade(&self.air.0), self.number, self.mtu))
    }
}

impl Driver for Radio {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Kind::Wireless, FrameMedium::Ethernet, self.mtu)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        Some(self.hardware)
    }

    /// An access point with another address is another one for its stations.
    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        if !address.is_unicast() {
            return Err(DriverError::Unsupported);
        }
        self.hardware = address;
        let number = self.number;
        let change =
            |medium: &mut Medium, now| medium.place(number, |node| node.hardware = address, now);
        let now = self.air.0.clock.now();
        // Whom that concerns is woken by the next flush: the interface's lock is held.
        let _ = self.air.0.network.with(|medium| change(medium, now));
        Ok(())
    }

    fn link_state(&mut self) -> LinkState {
        let has_link =
            |medium: &mut Medium| medium.node(self.number).is_ok_and(|node| node.has_link());
        if self.air.0.network.with(has_link) { LinkState::Up } else { LinkState::Down }
    }

    fn receive(&mut self, _: &mut FramePool) -> Option<Frame> {
        self.air.0.network.with(|medium| medium.receive(self.number))
    }

    /// The air causes no back-pressure: it drops frames for which it has no room.
    fn can_transmit(&mut self) -> bool {
        true
    }

    fn transmit(&mut self, frame: Frame, _: &mut FramePool) -> Result<(), Frame> {
        let shared = &*self.air.0;
        let now = shared.nanoseconds();
        self.runner_is_late |=
            shared.network.with(|medium| medium.transmit(self.number, frame, now));
        Ok(())
    }

    fn flush(&mut self) -> Option<Waker> {
        self.air.0.flush(std::mem::take(&mut self.runner_is_late))
    }

    fn register(&mut self, waker: &Waker, _: bool) {
        let replaced = self.air.0.network.with(|medium| medium.register(self.number, waker));
        drop(replaced);
    }
}

impl Drop for Radio {
    fn drop(&mut self) {
        let removed = self.air.0.change(|medium, now| medium.remove(self.number, now));
        drop(removed);
    }
}
