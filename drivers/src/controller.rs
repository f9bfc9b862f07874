//! Controllers: the character devices that answer driver commands, which the stack itself does not
//! know.
//!
//! A driver implements [`Controlled`]; [`Controller`] decodes requests, checks the authority and
//! encodes responses. `Manager::register` takes it and forwards unknown identifiers and lines to
//! it; it can also be mounted alone. `cable on` and `cable off` are its lines of text. A command
//! that is unknown, or that the driver does not support, fails with [`Error::UnknownCommand`].

use std::sync::Arc;
use std::task::{Context, Poll};

use devnet_network::command::wireless_text;
use devnet_virtual_file_system::{
    Authority, CharacterDevice, CommandEntry, ControlCommand, Error, Identifier, OpenDevice,
    OpenFlags, OpenRequest, Operation, Readiness, Result, encode,
};
use serde::{Deserialize, Serialize};

use crate::counters::DriverCounters;
use crate::impairment::Impairment;
use crate::position::Position;

devnet_virtual_file_system::define_commands! {
    /// Commands of the drivers in this crate.
    pub mod controller_commands, kind b'c' {
        /// Tells what drives the interface.
        1 => GetDriver: Read (()) -> DriverInformation;
        /// Tells what the driver has counted.
        2 => GetCounters: Read (()) -> DriverCounters;
        /// Changes the quality of the cable between the station and the switch.
        3 => SetImpairment: Write (Impairment) -> ();
        /// Tells the quality of the cable between the station and the switch.
        4 => GetImpairment: Read (()) -> Impairment;
        /// Plugs the cable in or pulls it.
        5 => SetLink: Write (bool) -> (), text "cable";
        /// Moves a simulated radio.
        6 => SetPosition: Write (Position) -> (), text "position";
        /// Tells where a simulated radio is.
        7 => GetPosition: Read (()) -> Position;
        /// Puts walls around a simulated radio, which take so many dB of every signal.
        8 => SetAttenuation: Write (u8) -> (), text "attenuation";
    }
}

/// The driver of an interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DriverInformation {
    /// The driver: `loopback`, `cable`, `lan`, `tap`, `tun`, `wifi`, `smoltcp`, `embassy`.
    pub kind: String,
    /// The driver's name of the device, such as `tap0` or `port 3`; may be empty.
    pub name: String,
    /// The largest IP packet in bytes.
    pub mtu: u32,
}

impl DriverInformation {
    pub(crate) fn new(kind: &str, name: impl Into<String>, mtu: usize) -> Self {
        Self { kind: kind.into(), name: name.into(), mtu: u32::try_from(mtu).unwrap_or(u32::MAX) }
    }
}

/// The operations of a controller on its driver. The defaults refuse.
pub(crate) trait Controlled: Send + Sync {
    fn information(&self) -> DriverInformation;

    fn counters(&self) -> DriverCounters;

    fn impairment(&self) -> Result<Impairment> {
        Err(Error::UnknownCommand)
    }

    fn set_impairment(&self, impairment: Impairment) -> Result<()> {
        let _ = impairment;
        Err(Error::UnknownCommand)
    }

    fn set_link(&self, up: bool) -> Result<()> {
        let _ = up;
        Err(Error::UnknownCommand)
    }

    fn placed(&self) -> Result<&dyn Placed> {
        Err(Error::UnknownCommand)
    }
}

/// Where a radio is, for a driver that simulates one.
pub(crate) trait Placed: Send + Sync {
    fn position(&self) -> Result<Position>;

    fn set_position(&self, position: Position) -> Result<()>;

    fn set_attenuation(&self, decibels: u8) -> Result<()>;
}

/// The character device of a driver.
pub(crate) struct Controller(Arc<dyn Controlled>);

impl Controller {
    pub(crate) fn new(panel: Arc<dyn Controlled>) -> Self {
        Self(panel)
    }
}

impl CharacterDevice for Controller {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        Ok(Arc::new(OpenController { panel: Arc::clone(&self.0), flags: request.flags }))
    }
}

struct OpenController {
    panel: Arc<dyn Controlled>,
    flags: OpenFlags,
}

impl OpenController {
    fn answer(&self, identifier: Identifier, request: &[u8]) -> Result<Vec<u8>> {
        use controller_commands::Request;
        match Request::authority(identifier) {
            None => return Err(Error::UnknownCommand),
            Some(Authority::Write) if !self.flags.contains(OpenFlags::WRITE) => {
                return Err(Error::PermissionDenied);
            }
            Some(Authority::Write | Authority::Read) => {}
        }
        self.execute(Request::decode(identifier, request).ok_or(Error::UnknownCommand)??)
    }

    /// Executes a command for which the file has the authority.
    fn execute(&self, request: controller_commands::Request) -> Result<Vec<u8>> {
        use controller_commands::Request;
        match request {
            Request::GetDriver(()) => encode(&self.panel.information()),
            Request::GetCounters(()) => encode(&self.panel.counters()),
            Request::SetImpairment(impairment) => encode(&self.panel.set_impairment(impairment)?),
            Request::GetImpairment(()) => encode(&self.panel.impairment()?),
            Request::SetLink(up) => encode(&self.panel.set_link(up)?),
            Request::SetPosition(position) => encode(&self.panel.placed()?.set_position(position)?),
            Request::GetPosition(()) => encode(&self.panel.placed()?.position()?),
            Request::SetAttenuation(decibels) => {
                encode(&self.panel.placed()?.set_attenuation(decibels)?)
            }
        }
    }
}

impl OpenDevice for OpenController {
    /// Reads return no data: a controller only handles commands.
    fn read<'a>(&'a self, _: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::done(Ok(0))
    }

    /// Executes lines of text, until one fails. Only changing commands have a text form, and only a
    /// file with their authority is written.
    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        let execute = || {
            let text = str::from_utf8(data).map_err(|_| Error::InvalidInput)?;
            for line in text.lines().filter(|line| !line.trim_ascii().is_empty()) {
                if wireless_text::is_line(line) {
                    // Of a radio, which this interface does not have.
                    return Err(Error::UnknownCommand);
                }
                let request = controller_commands::Request::parse(line);
                self.execute(request.ok_or(Error::InvalidInput)??)?;
            }
            Ok(data.len())
        };
        Operation::done(execute())
    }

    fn commands(&self) -> Vec<CommandEntry> {
        use controller_commands::{GetPosition, SetAttenuation, SetPosition};
        let of_radios =
            [SetPosition::IDENTIFIER, GetPosition::IDENTIFIER, SetAttenuation::IDENTIFIER];
        let is_radio = self.panel.placed().is_ok();
        let all = controller_commands::TABLE.iter().copied();
        all.filter(|entry| is_radio || !of_radios.contains(&entry.identifier)).collect()
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        Operation::done(self.answer(identifier, request))
    }

    fn poll_ready(&self, _: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        Poll::Ready(interest & (Readiness::READABLE | Readiness::WRITABLE))
    }
}
