//! Lines about radios: those of a controller, which begin with `wifi`, and the switch of the stack.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::{ControlCommand, Error, Identifier};

use super::dhcp_server::DhcpServerOptions;
use super::ssid::unescaped;
use super::table::Request;
use super::value::{list, pairs, switch, value};
use super::wireless::{
    self, AccessPoint, AccessPointSwitch, Join, JoinNetwork, LeaveNetwork, RadioSwitch,
    RemoveStation, ScanNetworks, ScanOptions, Secret, Security, SetCountry, SetPower, SetPowerSave,
    SetTransmitPower, StartAccessPoint, StationSwitch, StopAccessPoint,
};
use crate::limits;

/// The first word of the lines of controllers of radios.
pub(super) const FIRST_WORD: &str = "wifi";
/// The longest wait for a lease when a line does not say it, in milliseconds.
const LEASE_MILLISECONDS: u32 = 30_000;

/// Reads a line about a radio; `None` if it does not begin with `wifi`.
///
/// [`ROWS`] has the words of each line. `\xHH` in a name or a key is the byte with this hexadecimal
/// number: `\x20` is a blank.
///
/// # Errors
/// The inner error is `InvalidInput` for another line, `MessageTooLong` for one that is too long.
#[must_use]
pub fn parse(line: &str) -> Option<Result<wireless::Request, Error>> {
    if !is_line(line) {
        return None;
    }
    if line.len() > limits::LINE_BYTES {
        return Some(Err(Error::MessageTooLong));
    }
    Some(wifi(&line.split_ascii_whitespace().skip(1).collect::<Vec<_>>()))
}

/// True for a line that begins with `wifi`.
#[must_use]
pub fn is_line(line: &str) -> bool {
    line.split_ascii_whitespace().next() == Some(FIRST_WORD)
}

fn wifi(words: &[&str]) -> Result<wireless::Request, Error> {
    use wireless::Request;
    Ok(match words {
        ["scan", rest @ ..] => Request::ScanNetworks(scan(rest)?),
        ["connect", ssid, rest @ ..] => Request::JoinNetwork(join(ssid, pairs(rest)?, |_| false)?),
        ["disconnect"] => Request::LeaveNetwork(()),
        ["ap", "start", ssid, rest @ ..] => {
            Request::StartAccessPoint(access_point(ssid, pairs(rest)?, |_| false)?)
        }
        ["ap", "stop"] => Request::StopAccessPoint(()),
        ["ap", "remove", station] => Request::RemoveStation(value(station)?),
        ["power", word] => Request::SetPower(switch(word)?),
        ["power-save", word] => Request::SetPowerSave(switch(word)?),
        ["transmit-power", "auto"] => Request::SetTransmitPower(None),
        ["transmit-power", dbm] => Request::SetTransmitPower(Some(value(dbm)?)),
        ["country", country] => Request::SetCountry((*country).into()),
        _ => return Err(Error::InvalidInput),
    })
}

/// The words of the line of each command that has one, as in the grammar of the stack.
pub const ROWS: &[(Identifier, &str)] = &[
    (ScanNetworks::IDENTIFIER, "wifi scan [ssid SSID] [channels NUMBERS]"),
    (
        JoinNetwork::IDENTIFIER,
        "wifi connect SSID [key KEY] [security (open | wpa2 | wpa3)] [bssid MAC] \
         [timeout MILLISECONDS]",
    ),
    (LeaveNetwork::IDENTIFIER, "wifi disconnect"),
    (
        StartAccessPoint::IDENTIFIER,
        "wifi ap start SSID [key KEY] [security (open | wpa2 | wpa3)] [channel COUNT] \
         [hidden (on | off)] [stations COUNT]",
    ),
    (StopAccessPoint::IDENTIFIER, "wifi ap stop"),
    (RemoveStation::IDENTIFIER, "wifi ap remove MAC"),
    (SetPower::IDENTIFIER, "wifi power (on | off)"),
    (SetPowerSave::IDENTIFIER, "wifi power-save (on | off)"),
    (SetTransmitPower::IDENTIFIER, "wifi transmit-power (auto | DBM)"),
    (SetCountry::IDENTIFIER, "wifi country COUNTRY"),
];

/// The words after `switch`.
pub(super) fn switch_radio(words: &[&str]) -> Result<Request, Error> {
    let switch = match words {
        ["station", ssid, rest @ ..] => {
            RadioSwitch::Station(Box::new(station(ssid, pairs(rest)?)?))
        }
        ["access-point", ssid, address, rest @ ..] => {
            RadioSwitch::AccessPoint(Box::new(serving(ssid, address, pairs(rest)?)?))
        }
        _ => return Err(Error::InvalidInput),
    };
    Ok(Request::SwitchRadio(switch))
}

fn scan(words: &[&str]) -> Result<ScanOptions, Error> {
    let mut options = ScanOptions::default();
    for [key, word] in pairs(words)? {
        match *key {
            "ssid" => options.ssid = Some(value(word)?),
            "channels" => options.channels = list(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(options)
}

/// `is_other` says which keys are read elsewhere.
fn join(ssid: &str, pairs: &[[&str; 2]], is_other: impl Fn(&str) -> bool) -> Result<Join, Error> {
    let mut join = Join { ssid: value(ssid)?, ..Join::default() };
    for [name, word] in pairs {
        match *name {
            "key" => join.key = Some(key(word)?),
            "security" => join.security = Some(value(word)?),
            "bssid" => join.bssid = Some(value(word)?),
            "timeout" => join.milliseconds = value(word)?,
            other if is_other(other) => {}
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(join)
}

/// As [`join`].
fn access_point(
    ssid: &str,
    pairs: &[[&str; 2]],
    is_other: impl Fn(&str) -> bool,
) -> Result<AccessPoint, Error> {
    let (mut secret, mut security) = (None, None);
    let (mut channel, mut hidden, mut stations) = (0, false, 0);
    for [name, word] in pairs {
        match *name {
            "key" => secret = Some(key(word)?),
            "security" => security = Some(value(word)?),
            "channel" => channel = value(word)?,
            "hidden" => hidden = switch(word)?,
            "stations" => stations = value(word)?,
            other if is_other(other) => {}
            _ => return Err(Error::InvalidInput),
        }
    }
    let usual = if secret.is_some() { Security::Wpa2 } else { Security::Open };
    let security = security.unwrap_or(usual);
    Ok(AccessPoint { ssid: value(ssid)?, security, key: secret, channel, hidden, stations })
}

fn station(ssid: &str, pairs: &[[&str; 2]]) -> Result<StationSwitch, Error> {
    let network = join(ssid, pairs, |key| matches!(key, "hostname" | "wait"))?;
    let mut station =
        StationSwitch { network, milliseconds: LEASE_MILLISECONDS, ..StationSwitch::default() };
    for [key, word] in pairs {
        match *key {
            "hostname" => station.dhcp.hostname = Some((*word).into()),
            "wait" => station.milliseconds = value(word)?,
            _ => {}
        }
    }
    Ok(station)
}

fn serving(ssid: &str, address: &str, pairs: &[[&str; 2]]) -> Result<AccessPointSwitch, Error> {
    let is_of_server =
        |key: &str| matches!(key, "clients" | "lease" | "router" | "dns" | "single-client");
    let network = access_point(ssid, pairs, is_of_server)?;
    let address = value::<crate::address::Prefix>(address)?;
    let mut options = DhcpServerOptions {
        lease_seconds: DhcpServerOptions::LEASE_SECONDS,
        ..DhcpServerOptions::default()
    };
    // Stations use the access point as their router unless they are told another one.
    if let IpAddr::V4(own) = address.address() {
        options.routers.push(own);
    }
    for [key, word] in pairs {
        match *key {
            "clients" => options.ranges = list(word)?,
            "lease" => options.lease_seconds = value(word)?,
            "router" => options.routers = list(word)?,
            "dns" => options.dns_servers = list(word)?,
            "single-client" => options.single_client = switch(word)?,
            _ => {}
        }
    }
    let serves = !options.ranges.is_empty();
    if !serves && pairs.iter().any(|[key, _]| is_of_server(key)) {
        // Words of a server that nobody asks for.
        return Err(Error::InvalidInput);
    }
    Ok(AccessPointSwitch { network, address, dhcp: serves.then_some(options) })
}

/// A key, with bytes as `\xHH`.
fn key(word: &str) -> Result<Secret, Error> {
    let bytes = unescaped(word)?;
    String::from_utf8(bytes).map(Secret::new).map_err(|_| Error::InvalidInput)
}

/// The first word of a line that may be a key; none for lines that have none.
pub fn keys_from(words: &[&str]) -> Option<usize> {
    match words {
        ["wifi", "ap", "start", ..] => Some(4),
        ["wifi" | "switch", ..] => Some(3),
        ["autoconf", "secret", ..] => Some(2),
        _ => None,
    }
}

/// A line without what may be a key: a line about a radio up to the name of the network, and none
/// of a secret. `None` for other lines, which have none.
pub fn redacted(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let kept = keys_from(&words)?;
    let mut text = words.iter().take(kept).copied().collect::<Vec<_>>().join(" ");
    if words.len() > kept {
        text.push_str(" …");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> wireless::Request {
        parse(line).unwrap().unwrap()
    }

    #[test]
    fn lines_are_the_typed_commands() {
        use wireless::Request;
        let join = Join {
            ssid: "my home".into(),
            bssid: Some("02:00:00:00:00:09".parse().unwrap()),
            security: Some(Security::Wpa3),
            key: Some(Secret::new("correct horse")),
            milliseconds: 500,
        };
        assert_eq!(
            parsed(
                "wifi connect my\\x20home key correct\\x20horse security wpa3 bssid \
                 02:00:00:00:00:09 timeout 500"
            ),
            Request::JoinNetwork(join)
        );
        // A name has bytes of any value.
        let any = ScanOptions { ssid: Some([0, b' ', 0xff][..].into()), channels: [].into() };
        assert_eq!(parsed("wifi scan ssid \\x00\\x20\\xFF"), Request::ScanNetworks(any));
        assert_eq!(
            parsed("wifi scan channels 1,6 ssid x"),
            Request::ScanNetworks(ScanOptions { ssid: Some("x".into()), channels: [1, 6].into() })
        );
        let point = |security, key: Option<&str>| AccessPoint {
            ssid: "x".into(),
            security,
            key: key.map(Secret::new),
            channel: 0,
            hidden: false,
            stations: 0,
        };
        assert_eq!(
            parsed("wifi ap start x key 12345678"),
            Request::StartAccessPoint(point(Security::Wpa2, Some("12345678")))
        );
        assert_eq!(
            parsed("wifi ap start x"),
            Request::StartAccessPoint(point(Security::Open, None))
        );
        for (line, request) in [
            ("wifi disconnect", Request::LeaveNetwork(())),
            ("wifi ap stop", Request::StopAccessPoint(())),
            (
                "wifi ap remove 02:00:00:00:00:01",
                Request::RemoveStation(crate::address::HardwareAddress([2, 0, 0, 0, 0, 1])),
            ),
            ("wifi power off", Request::SetPower(false)),
            ("wifi power-save on", Request::SetPowerSave(true)),
            ("wifi transmit-power auto", Request::SetTransmitPower(None)),
            ("wifi transmit-power -3", Request::SetTransmitPower(Some(-3))),
            ("wifi country DE", Request::SetCountry("DE".into())),
        ] {
            assert_eq!(parsed(line), request, "{line}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        assert_eq!(parse("wifix scan"), None);
        assert_eq!(parse(""), None);
        let long = alloc::format!("wifi scan {}", "x".repeat(limits::LINE_BYTES));
        assert_eq!(parse(&long), Some(Err(Error::MessageTooLong)));
        for line in [
            "wifi",
            "wifi connect",
            "wifi connect x secret",
            "wifi connect x key",
            "wifi connect x key a key b",
            "wifi connect x key 1234567\\xff",
            "wifi connect x\\xf",
            "wifi connect x\\xg0",
            "wifi connect x channel 1",
            "wifi ap start",
            "wifi ap start x bssid 02:00:00:00:00:01",
            "wifi ap start x channel 256",
            "wifi scan channels x",
            "wifi power maybe",
            "wifi transmit-power 200",
            "wifi disconnect now",
        ] {
            assert_eq!(parse(line), Some(Err(Error::InvalidInput)), "{line}");
        }
    }

    #[test]
    fn a_switch_has_the_words_of_both_layers() {
        let words = |line: &'static str| line.split(' ').collect::<Vec<_>>();
        let Ok(Request::SwitchRadio(RadioSwitch::AccessPoint(switch))) = switch_radio(&words(
            "access-point x 10.9.0.1/24 key 12345678 channel 6 clients 10.9.0.10 single-client on",
        )) else {
            panic!("a switch to an access point");
        };
        let dhcp = switch.dhcp.unwrap();
        assert_eq!((switch.network.channel, dhcp.single_client), (6, true));
        assert_eq!(dhcp.routers, ["10.9.0.1".parse::<core::net::Ipv4Addr>().unwrap()]);
        let Ok(Request::SwitchRadio(RadioSwitch::Station(switch))) =
            switch_radio(&words("station x hostname printer"))
        else {
            panic!("a switch to a station");
        };
        assert_eq!(switch.dhcp.hostname.as_deref(), Some("printer"));
        assert_eq!(switch.milliseconds, LEASE_MILLISECONDS);
        for line in [
            "station",
            "station x clients 10.9.0.10",
            "access-point x",
            "access-point x 10.9.0.1/24 lease 60",
            "access-point x 10.9.0.1/24 hostname y",
        ] {
            assert_eq!(switch_radio(&words(line)), Err(Error::InvalidInput), "{line}");
        }
    }

    #[test]
    fn keys_stay_out_of_what_is_shown() {
        for (line, shown) in [
            ("wifi connect home key 12345678", "wifi connect home …"),
            ("wifi connect home 12345678", "wifi connect home …"),
            ("wifi ap start home key 12345678", "wifi ap start home …"),
            ("switch station home key 12345678", "switch station home …"),
            ("wifi scan", "wifi scan"),
        ] {
            assert_eq!(redacted(line).as_deref(), Some(shown), "{line}");
        }
        assert_eq!(redacted("link up"), None);
        let join = Join { key: Some(Secret::new("12345678")), ..Join::default() };
        assert!(!alloc::format!("{join:?}").contains("1234"), "{join:?}");
    }
}
