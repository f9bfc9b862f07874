//! Commands of radios: a standard set that the controller of a wireless interface implements.
//!
//! The stack does not know these commands: it forwards them to the controller of the interface, as
//! every command that is not in the [table of the stack](super::table). An interface without a
//! radio refuses them with `UnknownCommand` (ENOTTY). They are a table of their own, with kind `w`.
//! [`wireless_text`](super::wireless_text) reads their lines, which begin with `wifi`; a controller
//! calls it for the lines that it is written. [`SwitchRadio`](super::SwitchRadio), which changes
//! the radio and the addresses together, is a command of the stack.
//!
//! A key can be written and never be read: no response has a field for it, [`Secret`] does not show
//! it, and errors of lines leave it out.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

use super::dhcp::DhcpClientOptions;
use super::dhcp_server::DhcpServerOptions;
pub use super::ssid::Ssid;
use crate::address::{HardwareAddress, Prefix};
use crate::limits;
use crate::words::words;

devnet_virtual_file_system::define_commands! {
    /// Commands of the radio of a wireless interface.
    pub mod radio, kind b'w' {
        /// Returns role, network, signal and settings of the radio.
        1 => GetRadio: Read (()) -> RadioStatus;
        /// Looks for networks; waits until every channel was listened to. Returns how many networks
        /// are known afterwards. The radio keeps its network meanwhile.
        2 => ScanNetworks: Write, waits (ScanOptions) -> u32;
        /// Lists the networks that the last scan found, the strongest first.
        3 => ListNetworks: Read (()) -> Vec<NetworkEntry>;
        /// Joins a network as a station; waits until the radio is associated. On failure it keeps
        /// the network that it had. Afterwards it follows the network: to the better of its access
        /// points, and back when it was out of range.
        4 => JoinNetwork: Write, waits (Join) -> RadioStatus;
        /// Leaves the network, or stops looking for it; true if there was one.
        5 => LeaveNetwork: Write (()) -> bool;
        /// Starts an access point, or gives the running one these settings; true if that changed
        /// something. Stations of other settings lose their association.
        6 => StartAccessPoint: Write (AccessPoint) -> bool;
        /// Stops the access point; true if it was running.
        7 => StopAccessPoint: Write (()) -> bool;
        /// Lists the stations of the access point, the longest associated first; none while there
        /// is no access point.
        8 => ListStations: Read (()) -> Vec<StationEntry>;
        /// Ends the association of a station, which may join again.
        9 => RemoveStation: Write (HardwareAddress) -> ();
        /// Turns the radio on or off; true if that changed something. It keeps in mind what it was
        /// asked to be.
        10 => SetPower: Write (bool) -> bool;
        /// Turns power saving on or off; true if that changed something.
        11 => SetPowerSave: Write (bool) -> bool;
        /// Limits the transmit power in dBm, or sets it to the most that the country allows; true
        /// if that changed something.
        12 => SetTransmitPower: Write (Option<i8>) -> bool;
        /// Sets the country, whose rules give the channels and the transmit power: two capital
        /// letters (ISO 3166-1), or `00` for what is allowed everywhere; true if that changed
        /// something.
        13 => SetCountry: Write (String) -> bool;
        /// Becomes a station or an access point, whatever the radio was, as one step of a switch.
        /// Until `KeepRole` the former role is remembered, and closing the file brings it back.
        14 => SwitchRole: Write, waits (RadioRole) -> RadioStatus;
        /// Forgets the role before `SwitchRole` on this file; true if there was one.
        15 => KeepRole: Write (()) -> bool;
    }
}

pub use radio::*;

/// A key that is written and not shown. It overwrites its memory when it is dropped.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// The key of these characters.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself, for the hardware that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    /// Takes as long for keys of one length that differ early as for equal ones.
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.0.as_bytes(), other.0.as_bytes());
        let difference = one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
        core::hint::black_box(difference) == 0 && one.len() == other.len()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = core::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        core::hint::black_box(&bytes);
    }
}

/// How a network protects its frames.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Security {
    /// Not at all.
    Open,
    /// WPA2 with a key for everybody (PSK).
    Wpa2,
    /// WPA3 with a key for everybody (SAE).
    Wpa3,
}

words! {
    Security {
        Open => "open",
        Wpa2 => "wpa2",
        Wpa3 => "wpa3",
    }
}

/// What a scan looks for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ScanOptions {
    /// Asks for the network of this name, which may be hidden.
    pub ssid: Option<Ssid>,
    /// The channels to listen to; none for all that the country allows.
    pub channels: Vec<u8>,
}

/// A network that a scan found: one for each access point.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NetworkEntry {
    /// The name of the network; empty for a hidden one.
    pub ssid: Ssid,
    /// The access point.
    pub bssid: HardwareAddress,
    /// The channel.
    pub channel: u8,
    /// The received signal in dBm.
    pub signal: i8,
    /// The protection.
    pub security: Security,
    /// How long ago it was heard, in milliseconds.
    pub age_milliseconds: u32,
}

/// A network to join.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Join {
    /// The name, 1 to 32 bytes.
    pub ssid: Ssid,
    /// Only this access point.
    pub bssid: Option<HardwareAddress>,
    /// Only with this protection; none for the best one that the network has and the key allows.
    pub security: Option<Security>,
    /// The key, 8 to 63 characters; none for an open network.
    pub key: Option<Secret>,
    /// The longest wait in milliseconds; 0 for 10 seconds.
    pub milliseconds: u32,
}

impl Join {
    /// Whether the fields fit together.
    ///
    /// # Errors
    /// `InvalidInput` for a name or a key of another length, a key for an open network, and none
    /// for one that is protected.
    pub fn check(&self) -> Result<(), Error> {
        check_ssid(&self.ssid)?;
        let security = self.security.unwrap_or(match self.key {
            Some(_) => Security::Wpa2,
            None => Security::Open,
        });
        check_key(security, self.key.as_ref())
    }
}

/// An access point.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessPoint {
    /// The name of the network, 1 to 32 bytes.
    pub ssid: Ssid,
    /// The protection.
    pub security: Security,
    /// The key, 8 to 63 characters; none for an open network.
    pub key: Option<Secret>,
    /// The channel; 0 for the one that the fewest others use.
    pub channel: u8,
    /// Scans see it only if they ask for its name.
    pub hidden: bool,
    /// The most stations; 0 for as many as the radio can have.
    pub stations: u8,
}

impl AccessPoint {
    /// Whether the fields fit together.
    ///
    /// # Errors
    /// As [`Join::check`].
    pub fn check(&self) -> Result<(), Error> {
        check_ssid(&self.ssid)?;
        check_key(self.security, self.key.as_ref())
    }
}

fn check_ssid(ssid: &Ssid) -> Result<(), Error> {
    match ssid.as_bytes().len() {
        1..=limits::SSID_BYTES => Ok(()),
        _ => Err(Error::InvalidInput),
    }
}

/// A passphrase has printable characters of ASCII (IEEE 802.11-2020 §J.4.1).
fn check_key(security: Security, key: Option<&Secret>) -> Result<(), Error> {
    let is_printable = |byte: u8| (b' '..=b'~').contains(&byte);
    let is_good = match (security, key) {
        (Security::Open, None) => true,
        (Security::Open, Some(_)) | (_, None) => false,
        (_, Some(Secret(key))) => {
            limits::KEY_BYTES.contains(&key.len()) && key.bytes().all(is_printable)
        }
    };
    if is_good { Ok(()) } else { Err(Error::InvalidInput) }
}

/// What a radio is asked to become.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RadioRole {
    /// A station of this network.
    Station(Join),
    /// This access point.
    AccessPoint(AccessPoint),
}

/// What a radio is at present.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RadioState {
    /// It is turned off.
    Off,
    /// It was asked for nothing.
    Idle,
    /// It looks for the network that it is asked to be in.
    Searching,
    /// It is associated with an access point.
    Associated,
    /// It is an access point.
    AccessPoint,
}

words! {
    RadioState {
        Off => "off",
        Idle => "idle",
        Searching => "searching",
        Associated => "associated",
        AccessPoint => "access-point",
    }
}

/// Why an association ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LeaveReason {
    /// A command of this system ended it.
    Requested,
    /// The access point is not heard any more.
    OutOfRange,
    /// The access point stopped, or has other settings.
    AccessPointStopped,
    /// The access point ended it.
    Removed,
    /// The radio was turned off.
    PoweredOff,
}

words! {
    LeaveReason {
        Requested => "requested",
        OutOfRange => "out-of-range",
        AccessPointStopped => "access-point-stopped",
        Removed => "removed",
        PoweredOff => "powered-off",
    }
}

/// The state and the settings of a radio.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RadioStatus {
    /// What it is.
    pub state: RadioState,
    /// The network that it is in, looks for, or serves.
    pub ssid: Option<Ssid>,
    /// The access point, which may be itself.
    pub bssid: Option<HardwareAddress>,
    /// The channel.
    pub channel: Option<u8>,
    /// The protection.
    pub security: Option<Security>,
    /// The signal of the access point in dBm, for a station.
    pub signal: Option<i8>,
    /// The rate at which a station sends, in kbit/s.
    pub rate: Option<u32>,
    /// The stations of the access point.
    pub stations: u32,
    /// Why the last association ended, until there is another one.
    pub reason: Option<LeaveReason>,
    /// The country.
    pub country: String,
    /// True while the radio is asked to save power.
    pub power_save: bool,
    /// The transmit power in dBm.
    pub transmit_power: i8,
}

/// A station of an access point.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StationEntry {
    /// Its hardware address.
    pub address: HardwareAddress,
    /// Its signal at the access point in dBm.
    pub signal: i8,
    /// The rate at which it sends, in kbit/s.
    pub rate: u32,
    /// Seconds since it associated.
    pub seconds: u32,
}

/// What a wireless interface becomes, with its addresses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RadioSwitch {
    /// A station that gets its address by DHCP.
    Station(Box<StationSwitch>),
    /// An access point with an address that may serve others.
    AccessPoint(Box<AccessPointSwitch>),
}

/// A station with its addresses.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct StationSwitch {
    /// The network.
    pub network: Join,
    /// What the DHCPv4 client is told.
    pub dhcp: DhcpClientOptions,
    /// The longest wait for a lease in milliseconds; without one by then everything becomes again
    /// what it was. 0 does not wait.
    pub milliseconds: u32,
}

/// An access point with its addresses.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessPointSwitch {
    /// The network.
    pub network: AccessPoint,
    /// The IPv4 address and its network.
    pub address: Prefix,
    /// What the DHCPv4 server hands out; none for no server.
    pub dhcp: Option<DhcpServerOptions>,
}

/// The middle of a channel in MHz (IEEE 802.11-2020 §17.3.8.4, §21.3.14); none for a number that is
/// no channel of 2.4 or 5 GHz.
#[must_use]
pub const fn frequency(channel: u8) -> Option<u16> {
    match channel {
        1..=13 => Some(2407 + 5 * channel as u16),
        14 => Some(2484),
        36..=177 => Some(5000 + 5 * channel as u16),
        _ => None,
    }
}
