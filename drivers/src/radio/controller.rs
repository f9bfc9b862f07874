//! The character device of a radio: the commands of radios, and those of every driver.

use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use devnet_network::command::wireless::{
    self, AccessPoint, Immediate, Join, RadioRole, RadioStatus, ScanOptions, Timing, Waiting,
};
use devnet_network::command::wireless_text;
use devnet_virtual_file_system::{
    Authority, CharacterDevice, CommandEntry, Error, Identifier, Lock, OpenDevice, OpenFlags,
    OpenRequest, Operation, Readiness, Result, encode,
};

use super::medium::Medium;
use super::node::{RadioNumber, Role};
use crate::controller::{Controlled, Controller, DriverInformation, Placed};
use crate::counters::DriverCounters;
use crate::position::Position;
use crate::relay::Relay;

/// How long a scan listens to each channel.
const DWELL: Duration = Duration::from_millis(40);
/// How long a station looks for its network, authenticates, and gets its keys.
const JOIN_TIME: Duration = Duration::from_millis(150);
/// The longest wait for an association when none is given, in milliseconds.
const JOIN_MILLISECONDS: u32 = 10_000;

/// The radio on its air.
#[derive(Clone)]
struct Panel {
    air: Weak<Relay<Medium>>,
    number: RadioNumber,
    mtu: usize,
}

impl Panel {
    fn shared(&self) -> Result<Arc<Relay<Medium>>> {
        self.air.upgrade().ok_or(Error::NoDevice)
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Medium, devnet_network::platform::Instant) -> Result<T>,
    ) -> Result<T> {
        self.shared()?.change(change)
    }

    /// Waits; the air is not kept meanwhile.
    async fn sleep(&self, duration: Duration) -> Result<()> {
        let sleep = {
            let shared = self.shared()?;
            shared.clock.sleep_until(shared.clock.now().after(duration))
        };
        sleep.await;
        Ok(())
    }

    async fn scan(&self, options: ScanOptions) -> Result<u32> {
        let number = self.number;
        let channels = self.change(|medium, _| {
            let node = medium.node(number)?;
            if !node.is_on {
                return Err(Error::NetworkDown);
            }
            let allowed = node.rules.channels;
            if options.channels.iter().any(|channel| !allowed.contains(channel)) {
                return Err(Error::InvalidInput);
            }
            Ok(if options.channels.is_empty() { allowed.len() } else { options.channels.len() })
        })?;
        self.sleep(DWELL.saturating_mul(u32::try_from(channels).unwrap_or(u32::MAX))).await?;
        self.change(|medium, now| medium.scan(number, &options, now))
    }

    /// Becomes a station; returns what the radio was. Only a switch ends an access point.
    async fn join(&self, join: Join, is_switch: bool) -> Result<Role> {
        let number = self.number;
        let change = self.change(|medium, _| {
            join.check()?;
            let node = medium.node_mut(number)?;
            if !node.is_on {
                return Err(Error::NetworkDown);
            }
            if matches!(node.role, Role::AccessPoint(_)) && !is_switch {
                return Err(Error::AlreadyConnected);
            }
            // An earlier join that still waits gives way.
            node.changes += 1;
            Ok(node.changes)
        })?;
        let milliseconds =
            if join.milliseconds == 0 { JOIN_MILLISECONDS } else { join.milliseconds };
        let limit = Duration::from_millis(u64::from(milliseconds));
        self.sleep(limit.min(JOIN_TIME)).await?;
        if limit < JOIN_TIME {
            return Err(Error::TimedOut);
        }
        self.change(|medium, now| {
            if medium.node(number)?.changes != change {
                return Err(Error::Cancelled);
            }
            medium.candidate(number, &join)?;
            medium.set_role(number, Role::Station(join), now)
        })
    }

    /// Becomes an access point; returns what the radio was. Only a switch ends a station.
    fn serve(&self, asked: AccessPoint, is_switch: bool) -> Result<Role> {
        let number = self.number;
        self.change(|medium, now| {
            asked.check()?;
            let node = medium.node(number)?;
            if !node.is_on {
                return Err(Error::NetworkDown);
            }
            if matches!(node.role, Role::Station(_)) && !is_switch {
                return Err(Error::AlreadyConnected);
            }
            let point = medium.with_channel(number, asked)?;
            medium.set_role(number, Role::AccessPoint(point), now)
        })
    }

    fn status(&self) -> Result<RadioStatus> {
        self.change(|medium, _| medium.status(self.number))
    }

    /// Ends a role of this kind; true if there was one.
    fn end(&self, is_kind: impl FnOnce(&Role) -> bool) -> Result<bool> {
        self.change(|medium, now| {
            // Who only waits to join is cancelled.
            medium.node_mut(self.number)?.changes += 1;
            if !is_kind(&medium.node(self.number)?.role) {
                return Ok(false);
            }
            medium.set_role(self.number, Role::Idle, now).map(|_| true)
        })
    }

    fn set_transmit_power(&self, power: Option<i8>) -> Result<bool> {
        self.change(|medium, now| {
            let node = medium.node(self.number)?;
            if power.is_some_and(|power| !(0..=node.rules.power).contains(&power)) {
                return Err(Error::InvalidInput);
            }
            let changed = node.power != power;
            medium.place(self.number, |node| node.power = power, now)?;
            Ok(changed)
        })
    }

    fn execute(&self, request: Immediate, saved: &Lock<Option<Saved>>) -> Result<Vec<u8>> {
        let number = self.number;
        match request {
            Immediate::GetRadio(()) => encode(&self.status()?),
            Immediate::ListNetworks(()) => {
                encode(&self.change(|medium, now| medium.networks(number, now))?)
            }
            Immediate::LeaveNetwork(()) => {
                encode(&self.end(|role| matches!(role, Role::Station(_)))?)
            }
            Immediate::StartAccessPoint(asked) => {
                let former = self.serve(asked, false)?;
                encode(&self.change(|medium, _| Ok(medium.node(number)?.role != former))?)
            }
            Immediate::StopAccessPoint(()) => {
                encode(&self.end(|role| matches!(role, Role::AccessPoint(_)))?)
            }
            Immediate::ListStations(()) => {
                encode(&self.change(|medium, now| medium.station_entries(number, now))?)
            }
            Immediate::RemoveStation(address) => {
                encode(&self.change(|medium, _| medium.remove_station(number, address))?)
            }
            Immediate::SetPower(is_on) => {
                encode(&self.change(|medium, now| medium.set_on(number, is_on, now))?)
            }
            Immediate::SetPowerSave(saves) => encode(&self.change(|medium, _| {
                let node = medium.node_mut(number)?;
                Ok(std::mem::replace(&mut node.saves_power, saves) != saves)
            })?),
            Immediate::SetTransmitPower(power) => encode(&self.set_transmit_power(power)?),
            Immediate::SetCountry(country) => {
                encode(&self.change(|medium, now| medium.set_country(number, &country, now))?)
            }
            Immediate::KeepRole(()) => encode(&saved.with(|saved| saved.take().is_some())),
        }
    }

    async fn execute_waiting(
        &self,
        request: Waiting,
        saved: &Lock<Option<Saved>>,
    ) -> Result<Vec<u8>> {
        match request {
            Waiting::ScanNetworks(options) => encode(&self.scan(options).await?),
            Waiting::JoinNetwork(join) => {
                self.join(join, false).await?;
                encode(&self.status()?)
            }
            Waiting::SwitchRole(role) => {
                let former = match role {
                    RadioRole::Station(join) => self.join(join, true).await?,
                    RadioRole::AccessPoint(point) => self.serve(point, true)?,
                };
                let change = self.change(|medium, _| Ok(medium.node(self.number)?.changes))?;
                saved.with(|saved| {
                    // Of several switches the first knows what to come back to.
                    let role = saved.take().map_or(former, |saved| saved.role);
                    *saved = Some(Saved { role, change });
                });
                encode(&self.status()?)
            }
        }
    }
}

impl Controlled for Panel {
    fn information(&self) -> DriverInformation {
        DriverInformation::new("wifi", self.number.to_string(), self.mtu)
    }

    fn counters(&self) -> DriverCounters {
        self.change(|medium, _| Ok(medium.node(self.number)?.inbox.counters)).unwrap_or_default()
    }

    fn placed(&self) -> Result<&dyn Placed> {
        Ok(self)
    }
}

impl Placed for Panel {
    fn position(&self) -> Result<Position> {
        self.change(|medium, _| Ok(medium.node(self.number)?.position))
    }

    fn set_position(&self, position: Position) -> Result<()> {
        self.change(|medium, now| medium.place(self.number, |node| node.position = position, now))
    }

    fn set_attenuation(&self, decibels: u8) -> Result<()> {
        self.change(|medium, now| {
            medium.place(self.number, |node| node.attenuation = decibels, now)
        })
    }
}

/// The device of a radio.
pub(super) struct RadioController {
    panel: Panel,
    driver: Controller,
}

impl RadioController {
    pub(super) fn new(air: Weak<Relay<Medium>>, number: RadioNumber, mtu: usize) -> Self {
        let panel = Panel { air, number, mtu };
        Self { driver: Controller::new(Arc::new(panel.clone())), panel }
    }
}

impl CharacterDevice for RadioController {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        Ok(Arc::new(OpenRadio {
            panel: self.panel.clone(),
            flags: request.flags,
            driver: self.driver.open(request)?,
            saved: Lock::default(),
        }))
    }
}

/// What a radio was before a switch that is not kept yet.
struct Saved {
    role: Role,
    /// The count of changes after the switch: if somebody else changed the role since, that stays.
    change: u64,
}

struct OpenRadio {
    panel: Panel,
    flags: OpenFlags,
    /// The commands that every driver has.
    driver: Arc<dyn OpenDevice>,
    saved: Lock<Option<Saved>>,
}

impl OpenRadio {
    fn request(&self, request: wireless::Request) -> Operation<'_, Vec<u8>> {
        match request.timing() {
            Timing::Immediate(request) => Operation::done(self.panel.execute(request, &self.saved)),
            Timing::Waiting(request) => {
                Operation::waiting(self.panel.execute_waiting(request, &self.saved))
            }
        }
    }

    async fn write_lines(&self, data: &[u8]) -> Result<usize> {
        let text = str::from_utf8(data).map_err(|_| Error::InvalidInput)?;
        for line in text.lines() {
            match wireless_text::parse(line) {
                Some(request) => drop(self.request(request?).await?),
                None => drop(self.driver.write(line.as_bytes()).await?),
            }
        }
        Ok(data.len())
    }
}

impl Drop for OpenRadio {
    fn drop(&mut self) {
        let Some(Saved { role, change }) = self.saved.with(Option::take) else { return };
        let number = self.panel.number;
        // If the radio is gone there is nothing to bring back.
        let _ = self.panel.change(|medium, now| {
            if medium.node(number)?.changes == change {
                medium.set_role(number, role, now)?;
            }
            Ok(())
        });
    }
}

impl OpenDevice for OpenRadio {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        self.driver.read(buffer)
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        Operation::waiting(self.write_lines(data))
    }

    fn commands(&self) -> Vec<CommandEntry> {
        [wireless::TABLE, &self.driver.commands()].concat()
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        match wireless::Request::authority(identifier) {
            None => return self.driver.control(identifier, request),
            Some(Authority::Write) if !self.flags.contains(OpenFlags::WRITE) => {
                return Operation::done(Err(Error::PermissionDenied));
            }
            Some(Authority::Write | Authority::Read) => {}
        }
        match wireless::Request::decode(identifier, request) {
            None => Operation::done(Err(Error::UnknownCommand)),
            Some(Err(error)) => Operation::done(Err(error)),
            Some(Ok(request)) => self.request(request),
        }
    }

    fn poll_ready(&self, _: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        Poll::Ready(interest & (Readiness::READABLE | Readiness::WRITABLE))
    }
}
