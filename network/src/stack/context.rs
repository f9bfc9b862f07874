//! What every part of a stack borrows while it works: the time, the interface's configuration,
//! statistics, the buffer pool, timers, random numbers, and the deferred wakes and events.
//!
//! A part takes `cx: &mut Context` as an argument and keeps nothing of it, so each part can be
//! constructed and tested alone. A context knows no part.

use alloc::string::String;
use alloc::vec::Vec;
use core::task::Waker;

use devnet_virtual_file_system::{Error, WakerList};

use super::counters::{Counters, Totals};
use super::random::Random;
use super::timers::Timers;
use super::watch::Watch;
use crate::address::HardwareAddress;
use crate::command::autoconfiguration::{Identifiers, Privacy, StableSecret};
use crate::command::event::LinkStatus;
use crate::command::interface::{InterfaceFlags, InterfaceStatus};
use crate::driver::{Capabilities, Driver, DriverError, FramePool, Kind, LinkState, Medium};
use crate::limits;
use crate::platform::Instant;
use crate::trace::message;

/// Tasks to wake once the lock is released. Most calls wake at most one task, which needs no
/// allocation.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakes {
    /// Adds all waiters of a list.
    pub(crate) fn add(&mut self, waiters: &mut WakerList) {
        if !waiters.is_empty() {
            self.extend(waiters.drain());
        }
    }

    /// Adds wakers.
    pub(crate) fn extend(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        for waker in wakers {
            match &mut self.first {
                None => self.first = Some(waker),
                Some(_) => self.more.push(waker),
            }
        }
    }

    /// True when there is no task to wake.
    pub(crate) const fn is_empty(&self) -> bool {
        // The first slot is filled first.
        self.first.is_none()
    }

    /// Takes the list.
    pub(crate) fn take(&mut self) -> Self {
        core::mem::take(self)
    }

    /// Wakes all of them.
    pub(crate) fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
            self.more.into_iter().for_each(Waker::wake);
        }
    }
}

/// The settings of an interface.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) name: String,
    pub(crate) index: u32,
    pub(crate) capabilities: Capabilities,
    pub(crate) enabled: bool,
    pub(crate) link: LinkState,
    pub(crate) mtu: usize,
    pub(crate) metric: u32,
    pub(crate) hardware_address: Option<HardwareAddress>,
    /// The hardware address that the driver came with.
    pub(crate) own_hardware_address: Option<HardwareAddress>,
    pub(crate) since: Instant,
    pub(crate) options: InterfaceOptions,
    /// How often the link came or went, and when it last did.
    pub(crate) link_changes: (u32, Instant),
}

/// Settings of an interface that only a few parts look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct InterfaceOptions {
    pub(crate) description: String,
    pub(crate) promiscuous: bool,
    pub(crate) all_multicast: bool,
    pub(crate) arp: bool,
    pub(crate) autoconfiguration: AutoconfigurationSettings,
}

impl Default for InterfaceOptions {
    fn default() -> Self {
        Self {
            description: String::new(),
            promiscuous: false,
            all_multicast: false,
            arp: true,
            autoconfiguration: AutoconfigurationSettings::default(),
        }
    }
}

/// Settings of IPv6 autoconfiguration. A build without `details` has the defaults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AutoconfigurationSettings {
    pub(crate) identifiers: Identifiers,
    pub(crate) secret: Option<StableSecret>,
    pub(crate) privacy: Privacy,
    pub(crate) advertisements: bool,
    pub(crate) addresses: bool,
    pub(crate) probes: u8,
    /// Seconds.
    pub(crate) temporary_valid: u32,
    /// Seconds.
    pub(crate) temporary_preferred: u32,
}

impl Default for AutoconfigurationSettings {
    fn default() -> Self {
        Self {
            identifiers: Identifiers::HardwareAddress,
            secret: None,
            privacy: Privacy::Off,
            advertisements: true,
            addresses: true,
            probes: 1,
            temporary_valid: 172_800,
            temporary_preferred: 86_400,
        }
    }
}

impl AutoconfigurationSettings {
    /// How the lower half of formed addresses is made.
    pub(crate) const fn identifiers(&self) -> Identifiers {
        if cfg!(feature = "details") { self.identifiers } else { Identifiers::HardwareAddress }
    }

    /// Whether advertisements are obeyed.
    pub(crate) const fn has_advertisements(&self) -> bool {
        !cfg!(feature = "details") || self.advertisements
    }

    /// Whether addresses are formed.
    pub(crate) const fn has_addresses(&self) -> bool {
        !cfg!(feature = "details") || self.addresses
    }
}

/// Bytes of the ABI.
fn bytes(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Configuration {
    /// The link state for watchers.
    pub(crate) fn link_status(&self) -> LinkStatus {
        LinkStatus {
            enabled: self.enabled,
            carrier: self.link,
            mtu: bytes(self.mtu),
            metric: self.metric,
            hardware_address: self.hardware_address,
        }
    }

    /// The flags for display.
    fn flags(&self) -> InterfaceFlags {
        let InterfaceOptions { promiscuous, all_multicast, arp, .. } = self.options;
        let mut flags = InterfaceFlags::of(self.capabilities.kind, self.enabled, self.link);
        flags.set(InterfaceFlags::PROMISCUOUS, promiscuous);
        flags.set(InterfaceFlags::ALL_MULTICAST, all_multicast);
        if !arp {
            flags |= InterfaceFlags::NO_ARP;
        }
        flags
    }

    /// Brings the interface up or down; returns true if that changed something.
    pub(crate) fn set_enabled(&mut self, enabled: bool) -> bool {
        let is_changed = core::mem::replace(&mut self.enabled, enabled) != enabled;
        if is_changed {
            let state = if enabled { "up" } else { "down" };
            message!(info, "devnet::interface", "{}: {}", self.name, state);
        }
        is_changed
    }

    /// Sets the carrier state; returns true if that changed something.
    pub(crate) fn set_link(&mut self, link: LinkState, now: Instant) -> bool {
        let is_changed = core::mem::replace(&mut self.link, link) != link;
        if is_changed {
            self.link_changes = (self.link_changes.0.saturating_add(1), now);
            let state = if link == LinkState::Up { "up" } else { "down" };
            message!(info, "devnet::interface", "{}: link {}", self.name, state);
        }
        is_changed
    }

    /// Sets the hardware address, in the driver too. Returns the previous one if it differs.
    ///
    /// # Errors
    /// `AddressNotAvailable` for a group address or zero; `Unsupported` on media without hardware
    /// addresses or when the driver cannot; `InputOutput` when the driver failed.
    pub(crate) fn set_hardware_address(
        &mut self,
        address: HardwareAddress,
        driver: &mut dyn Driver,
    ) -> Result<bool, Error> {
        if !address.is_unicast() {
            return Err(Error::AddressNotAvailable);
        }
        let former = self.hardware_address.ok_or(Error::Unsupported)?;
        if former == address {
            return Ok(false);
        }
        driver.set_hardware_address(address).map_err(DriverError::answer)?;
        self.hardware_address = Some(address);
        message!(info, "devnet::interface", "{}: hardware address {}", self.name, address);
        Ok(true)
    }

    /// Sets the MTU in bytes; returns true if that changed something.
    ///
    /// # Errors
    /// `InvalidInput` below 68 (1280 with IPv6 addresses) or above the driver's maximum.
    pub(crate) fn set_mtu(&mut self, mtu: u32, has_ipv6: bool) -> Result<bool, Error> {
        let mtu = usize::try_from(mtu).unwrap_or(usize::MAX);
        let minimum = if has_ipv6 { limits::MTU_MINIMUM_IPV6 } else { limits::MTU_MINIMUM };
        if !(minimum..=self.capabilities.mtu).contains(&mtu) {
            return Err(Error::InvalidInput);
        }
        let is_changed = core::mem::replace(&mut self.mtu, mtu) != mtu;
        if is_changed {
            message!(info, "devnet::interface", "{}: MTU {}", self.name, mtu);
        }
        Ok(is_changed)
    }

    /// The interface's status.
    pub(crate) fn status(&self, now: Instant) -> InterfaceStatus {
        let Capabilities { kind, medium, mtu, burst, .. } = self.capabilities;
        InterfaceStatus {
            index: self.index,
            name: self.name.clone(),
            kind,
            medium,
            enabled: self.enabled,
            link: self.link,
            flags: self.flags(),
            hardware_address: self.hardware_address,
            mtu: bytes(self.mtu),
            mtu_maximum: bytes(mtu),
            burst: burst.map(bytes),
            metric: self.metric,
            age_micros: u64::try_from(now.since(self.since).as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// What the parts of one interface's stack borrow.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) now: Instant,
    pub(crate) configuration: Configuration,
    pub(crate) statistics: Totals,
    pub(crate) counters: Counters,
    pub(crate) pool: FramePool,
    pub(crate) timers: Timers,
    pub(crate) random: Random,
    pub(crate) wakes: Wakes,
    /// Events for watchers.
    pub(crate) watch: Watch,
}

impl Context {
    /// The context of a new interface.
    pub(crate) fn new(configuration: Configuration, random: Random) -> Self {
        Self {
            now: configuration.since,
            configuration,
            statistics: Totals::default(),
            counters: Counters::default(),
            pool: FramePool::new(),
            timers: Timers::default(),
            random,
            wakes: Wakes::default(),
            watch: Watch::default(),
        }
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.configuration.capabilities.kind == Kind::Loopback
    }

    /// Up, and with a carrier.
    pub(crate) fn is_running(&self) -> bool {
        self.configuration.enabled && self.configuration.link == LinkState::Up
    }

    /// True for a medium with hardware addresses, on which other hosts are neighbors.
    pub(crate) fn has_neighbors(&self) -> bool {
        self.configuration.capabilities.medium == Medium::Ethernet && !self.is_loopback()
    }

    /// True when the medium can damage packets: checksums are written and verified.
    pub(crate) const fn needs_checksums(&self) -> bool {
        !self.configuration.capabilities.reliable
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::platform::Entropy;
    use alloc::sync::Arc;

    struct Counter;

    impl Entropy for Counter {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), &'static str> {
            bytes.iter_mut().enumerate().for_each(|(place, byte)| *byte = place as u8);
            Ok(())
        }
    }

    /// A context for tests of one part: an Ethernet interface that is up, with an MTU of 1500.
    pub(crate) fn ethernet() -> Context {
        let capabilities = Capabilities {
            kind: Kind::Ethernet,
            medium: Medium::Ethernet,
            mtu: 1500,
            burst: None,
            reliable: false,
        };
        let configuration = Configuration {
            name: String::from("eth0"),
            index: 2,
            capabilities,
            enabled: true,
            link: LinkState::Up,
            mtu: 1500,
            metric: 0,
            hardware_address: Some(HardwareAddress([2, 0, 0, 0, 0, 1])),
            own_hardware_address: Some(HardwareAddress([2, 0, 0, 0, 0, 1])),
            since: Instant::from_micros(1_000_000),
            options: InterfaceOptions::default(),
            link_changes: (0, Instant::ZERO),
        };
        Context::new(configuration, Random::new(Arc::new(Counter)).unwrap())
    }

    #[test]
    fn an_interface_runs_while_it_is_up_and_has_a_carrier() {
        let mut cx = ethernet();
        assert!(cx.is_running() && cx.has_neighbors() && cx.needs_checksums());
        cx.configuration.link = LinkState::Down;
        assert!(!cx.is_running());
    }
}
