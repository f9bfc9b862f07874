//! Adapts any `embassy_net_driver::Driver`.
//!
//! Every call of an embassy driver takes a waker, which the driver wakes when the result changes.
//! The adapter keeps the runner's waker and passes it to each call.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Waker};

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_virtual_file_system::CharacterDevice;
use embassy_net_driver::{
    Checksum, HardwareAddress as TheirAddress, LinkState as TheirLink, RxToken, TxToken,
};

use super::smoltcp::{DriverControl, copy};
use crate::controller::Controller;
use crate::counters::Counters;
use crate::limits::ETHERNET_HEADER;

/// An embassy driver as a driver.
pub struct EmbassyDriver<D> {
    device: D,
    waker: Waker,
    counters: Arc<Counters>,
}

impl<D: embassy_net_driver::Driver + Send> EmbassyDriver<D> {
    /// Wraps a driver of Ethernet frames or IP packets. Any other, such as IEEE 802.15.4, is
    /// returned.
    ///
    /// # Errors
    /// The driver itself.
    pub fn new(device: D) -> Result<Self, D> {
        match device.hardware_address() {
            TheirAddress::Ethernet(_) | TheirAddress::Ip => {
                Ok(Self { device, waker: Waker::noop().clone(), counters: Arc::default() })
            }
            _ => Err(device),
        }
    }

    /// Returns the device that answers [`controller_commands`](crate::controller_commands) about
    /// this driver.
    #[must_use]
    pub fn controller(&self) -> Arc<dyn CharacterDevice> {
        let mtu = self.capabilities().mtu;
        Arc::new(Controller::new(Arc::new(DriverControl {
            kind: "embassy",
            mtu,
            counters: Arc::clone(&self.counters),
        })))
    }
}

impl<D> fmt::Debug for EmbassyDriver<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EmbassyDriver").finish_non_exhaustive()
    }
}

impl<D: embassy_net_driver::Driver + Send> Driver for EmbassyDriver<D> {
    fn capabilities(&self) -> Capabilities {
        let theirs = self.device.capabilities();
        let whole = theirs.max_transmission_unit;
        let (kind, medium, mtu) = match self.device.hardware_address() {
            TheirAddress::Ethernet(_) => {
                (Kind::Ethernet, Medium::Ethernet, whole.saturating_sub(ETHERNET_HEADER))
            }
            _ => (Kind::Tunnel, Medium::Ip, whole),
        };
        let sums = &theirs.checksum;
        let reliable = [sums.ipv4, sums.udp, sums.tcp, sums.icmpv4, sums.icmpv6]
            .into_iter()
            .all(|checksum| matches!(checksum, Checksum::None));
        Capabilities::new(kind, medium, mtu).burst(theirs.max_burst_size).reliable(reliable)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        match self.device.hardware_address() {
            TheirAddress::Ethernet(octets) => Some(HardwareAddress(octets)),
            _ => None,
        }
    }

    /// Embassy's drivers cannot change it.
    fn set_hardware_address(&mut self, _: HardwareAddress) -> Result<(), DriverError> {
        Err(DriverError::Unsupported)
    }

    fn link_state(&mut self) -> LinkState {
        match self.device.link_state(&mut Context::from_waker(&self.waker)) {
            TheirLink::Up => LinkState::Up,
            TheirLink::Down => LinkState::Down,
        }
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        let (token, _) = self.device.receive(&mut Context::from_waker(&self.waker))?;
        let frame = token.consume(|bytes| pool.copy_of(bytes));
        self.counters.received(frame.len());
        Some(frame)
    }

    fn can_transmit(&mut self) -> bool {
        self.device.transmit(&mut Context::from_waker(&self.waker)).is_some()
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        let length = frame.len();
        if length > self.device.capabilities().max_transmission_unit {
            self.counters.dropped(length);
        } else {
            let Some(token) = self.device.transmit(&mut Context::from_waker(&self.waker)) else {
                return Err(frame);
            };
            token.consume(length, |buffer| copy(frame.bytes(), buffer));
            self.counters.sent(length);
        }
        pool.put(frame);
        Ok(())
    }

    /// Only a call passes the waker to the wrapped driver. For frames, that is the caller's next
    /// receive.
    fn register(&mut self, waker: &Waker, room: bool) {
        if !self.waker.will_wake(waker) {
            self.waker = waker.clone();
        }
        let context = &mut Context::from_waker(&self.waker);
        let _ = self.device.link_state(context);
        if room {
            let _ = self.device.transmit(context);
        }
    }
}
