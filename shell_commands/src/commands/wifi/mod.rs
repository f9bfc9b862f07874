//! `wifi`: looks for networks, joins and leaves them, and makes the radio an access point.
//!
//! `wifi switch` changes the radio and the addresses together, all of it or nothing.

mod options;

use devnet_network::command::wireless::{
    AccessPoint, GetRadio, Join, JoinNetwork, LeaveNetwork, ListNetworks, ListStations,
    RadioSwitch, RemoveStation, ScanNetworks, Security, SetCountry, SetPower, SetPowerSave,
    SetTransmitPower, Ssid, StartAccessPoint, StopAccessPoint,
};
use devnet_network::command::{SetEnabled, SwitchRadio};
use devnet_network::driver::Kind;
use devnet_virtual_file_system::{ControlCommand, Error};

use self::options::{Options, network};
use super::words;
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::render::wifi as render;
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let options = Options::parse(context).await?;
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let how = match words.as_slice() {
        [] | ["status" | "list"] | ["ap", "stations"] | ["country"] => Use::Show,
        _ => Use::Change,
    };
    // Wrong words are told before anything is opened.
    let verb = Verb::of(&words)?;
    options.check(&words)?;
    let interface = open(context, options.interface.as_deref(), how).await?;
    verb.carry_out(context, &options, &interface).await
}

/// What is asked for, with its operands.
enum Verb<'a> {
    Status,
    Scan,
    List,
    Connect(&'a str),
    Disconnect,
    StartPoint(&'a str),
    StopPoint,
    Stations,
    Remove(&'a str),
    SwitchToStation(&'a str),
    SwitchToPoint(&'a str, &'a str),
    Power(bool),
    PowerSave(bool),
    TransmitPower(Option<i8>),
    ShowCountry,
    Country(&'a str),
}

impl<'a> Verb<'a> {
    fn of(words: &[&'a str]) -> Result<Self, Failure> {
        Ok(match *words {
            [] | ["status"] => Self::Status,
            ["scan"] => Self::Scan,
            ["list"] => Self::List,
            ["connect", ssid] => Self::Connect(ssid),
            ["disconnect"] => Self::Disconnect,
            ["ap", "start", ssid] => Self::StartPoint(ssid),
            ["ap", "stop"] => Self::StopPoint,
            ["ap", "stations"] => Self::Stations,
            ["ap", "remove", station] => Self::Remove(station),
            ["switch", "station", ssid] => Self::SwitchToStation(ssid),
            ["switch", "access-point", ssid, prefix] => Self::SwitchToPoint(ssid, prefix),
            ["on"] => Self::Power(true),
            ["off"] => Self::Power(false),
            ["ps", "on"] => Self::PowerSave(true),
            ["ps", "off"] => Self::PowerSave(false),
            ["power", "auto"] => Self::TransmitPower(None),
            ["power", dbm] => Self::TransmitPower(Some(words::parse(dbm, "power in dBm")?)),
            ["country"] => Self::ShowCountry,
            ["country", country] => Self::Country(country),
            ["connect"] | ["ap", "start"] | ["switch", "station" | "access-point"] => {
                return Err(Failure::usage("which network?"));
            }
            ["switch", "access-point", _] => return Err(Failure::usage("which address?")),
            ["ap", "remove"] => return Err(Failure::usage("which station?")),
            ["ap"] => return Err(Failure::usage("ap: start, stop, stations or remove?")),
            ["switch"] => return Err(Failure::usage("switch: station or access-point?")),
            ["ps"] => return Err(Failure::usage("ps: on or off?")),
            ["power"] => return Err(Failure::usage("power: how many dBm, or auto?")),
            [.., last] => return Err(Failure::usage(format!("{last}: unknown word"))),
        })
    }

    async fn carry_out(
        self,
        context: &Context,
        options: &Options,
        interface: &Interface,
    ) -> Outcome {
        match self {
            Self::Status => {
                let status = ask::<GetRadio>(interface, &interface.name, &()).await?;
                return context.answer(&render::status(&interface.name, &status)).await;
            }
            Self::Scan => {
                ask::<ScanNetworks>(interface, &interface.name, &options.scan()).await?;
                return list(context, interface).await;
            }
            Self::List => return list(context, interface).await,
            Self::Stations => {
                let stations = ask::<ListStations>(interface, &interface.name, &()).await?;
                return context.answer(&render::stations(&stations)).await;
            }
            Self::ShowCountry => {
                let status = ask::<GetRadio>(interface, &interface.name, &()).await?;
                return context.answer(&(status.country + "\n")).await;
            }
            Self::Connect(ssid) => {
                interface.ask::<SetEnabled>(&true).await?;
                let status =
                    ask::<JoinNetwork>(interface, ssid, &options.join(network(ssid)?)).await?;
                return context.answer(&render::status(&interface.name, &status)).await;
            }
            Self::Disconnect => {
                ask::<LeaveNetwork>(interface, &interface.name, &()).await?;
            }
            Self::StartPoint(ssid) => {
                interface.ask::<SetEnabled>(&true).await?;
                ask::<StartAccessPoint>(interface, ssid, &options.access_point(network(ssid)?))
                    .await?;
            }
            Self::StopPoint => {
                ask::<StopAccessPoint>(interface, &interface.name, &()).await?;
            }
            Self::Remove(station) => {
                let address = words::parse(station, "hardware address")?;
                ask::<RemoveStation>(interface, station, &address).await?;
            }
            Self::SwitchToStation(ssid) => {
                let switch = RadioSwitch::Station(Box::new(options.station(network(ssid)?)));
                ask::<SwitchRadio>(interface, ssid, &switch).await?;
            }
            Self::SwitchToPoint(ssid, prefix) => {
                let switch =
                    RadioSwitch::AccessPoint(Box::new(options.serving(network(ssid)?, prefix)?));
                ask::<SwitchRadio>(interface, ssid, &switch).await?;
            }
            Self::Power(on) => {
                ask::<SetPower>(interface, &interface.name, &on).await?;
            }
            Self::PowerSave(on) => {
                ask::<SetPowerSave>(interface, &interface.name, &on).await?;
            }
            Self::TransmitPower(power) => {
                ask::<SetTransmitPower>(interface, &interface.name, &power).await?;
            }
            Self::Country(country) => {
                ask::<SetCountry>(interface, country, &country.to_owned()).await?;
            }
        }
        Ok(Status::SUCCESS)
    }
}

/// The named interface, or the only one that is wireless.
async fn open(context: &Context, name: Option<&str>, how: Use) -> Result<Interface, Failure> {
    if let Some(name) = name {
        return devices::interface(context, name, how);
    }
    let all = devices::all(context).await?;
    let mut wireless = all.iter().filter(|(_, status)| status.kind == Kind::Wireless);
    match (wireless.next(), wireless.next()) {
        (Some((interface, _)), None) => devices::interface(context, &interface.name, how),
        (None, _) => Err(Failure::new("no interface is wireless")),
        (Some(_), Some(_)) => Err(Failure::usage("several interfaces are wireless: -i IF?")),
    }
}

async fn list(context: &Context, interface: &Interface) -> Outcome {
    let networks = ask::<ListNetworks>(interface, &interface.name, &()).await?;
    context.answer(&render::networks(&networks)).await
}

/// Asks a command; a failure names what it is about and says in words of radios why.
async fn ask<C: ControlCommand>(
    interface: &Interface,
    about: &str,
    request: &C::Request,
) -> Result<C::Response, Failure> {
    interface.file.control::<C>(request).await.map_err(|why| match why {
        Error::UnknownCommand => Failure::of(&interface.name, "not a wireless interface"),
        Error::NetworkDown => Failure::of(&interface.name, "the radio is off"),
        Error::NotFound if C::NAME == RemoveStation::NAME => Failure::of(about, "no such station"),
        Error::NotFound => Failure::of(about, "not in range"),
        Error::AccessDenied => Failure::of(about, "wrong key"),
        Error::Protocol => Failure::of(about, "the network is protected in another way"),
        Error::NoBufferSpace => Failure::of(about, "no room for another station"),
        Error::AlreadyConnected => Failure::of(about, "the radio is in use; leave or stop first"),
        Error::Cancelled => Failure::of(about, "another command changed the radio"),
        why => Failure::of(about, why),
    })
}

/// The protection of an access point.
fn protection(asked: Option<Security>, has_key: bool) -> Security {
    asked.unwrap_or(if has_key { Security::Wpa2 } else { Security::Open })
}

impl Options {
    fn join(&self, ssid: Ssid) -> Join {
        Join {
            ssid,
            bssid: self.bssid,
            security: self.security,
            key: self.key.clone(),
            milliseconds: self.seconds.saturating_mul(1000),
        }
    }

    fn access_point(&self, ssid: Ssid) -> AccessPoint {
        AccessPoint {
            ssid,
            security: protection(self.security, self.key.is_some()),
            key: self.key.clone(),
            channel: self.channels.first().copied().unwrap_or(0),
            hidden: self.hidden,
            stations: self.stations,
        }
    }
}
