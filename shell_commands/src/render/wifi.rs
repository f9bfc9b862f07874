//! The output of `wifi`, in our own layout.

use devnet_network::command::wireless::{
    NetworkEntry, RadioState, RadioStatus, StationEntry, frequency,
};

use super::append;

/// The networks of a scan as a table, the strongest first.
#[must_use]
pub fn networks(networks: &[NetworkEntry]) -> String {
    let name = |entry: &NetworkEntry| match entry.ssid.is_empty() {
        true => "(hidden)".to_owned(),
        false => entry.ssid.to_string(),
    };
    let width = networks.iter().map(|entry| name(entry).chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!("BSSID              {:width$}  CHAN  MHZ   SIGNAL   SECURITY\n", "SSID");
    for entry in networks {
        // Neither fills its place by itself.
        let (bssid, mhz) = (entry.bssid.to_string(), frequency(entry.channel).unwrap_or(0));
        append(
            &mut text,
            format_args!(
                "{bssid:17}  {:width$}  {:<4}  {mhz}  {:>4} dBm {}\n",
                name(entry),
                entry.channel,
                entry.signal,
                entry.security
            ),
        );
    }
    text
}

/// What the radio is, and its settings.
#[must_use]
pub fn status(interface: &str, status: &RadioStatus) -> String {
    let mut text = format!("{interface}: {}", status.state);
    if let Some(ssid) = status.ssid.as_ref().filter(|_| status.state != RadioState::Off) {
        let before = match status.state {
            RadioState::Searching => "for ",
            _ => "",
        };
        append(&mut text, format_args!(" {before}{ssid}"));
    }
    if let Some(bssid) = status.bssid {
        append(&mut text, format_args!(", bssid {bssid}"));
    }
    if let Some(channel) = status.channel {
        let mhz = frequency(channel).unwrap_or(0);
        append(&mut text, format_args!(", channel {channel} ({mhz} MHz)"));
    }
    if let Some(security) = status.security {
        append(&mut text, format_args!(", {security}"));
    }
    if status.state == RadioState::AccessPoint {
        append(&mut text, format_args!(", stations {}", status.stations));
    }
    if let (Some(signal), Some(rate)) = (status.signal, status.rate) {
        append(&mut text, format_args!("\n  signal {signal} dBm, rate {} Mbit/s", megabits(rate)));
    }
    if let Some(reason) = status.reason {
        append(&mut text, format_args!("\n  last association ended: {reason}"));
    }
    append(
        &mut text,
        format_args!(
            "\n  country {}, transmit power {} dBm, power save {}\n",
            status.country,
            status.transmit_power,
            if status.power_save { "on" } else { "off" }
        ),
    );
    text
}

/// The stations of an access point, one a line.
#[must_use]
pub fn stations(stations: &[StationEntry]) -> String {
    let mut text = String::new();
    for station in stations {
        append(
            &mut text,
            format_args!(
                "{} signal {} dBm, rate {} Mbit/s, for {}s\n",
                station.address,
                station.signal,
                megabits(station.rate),
                station.seconds
            ),
        );
    }
    text
}

fn megabits(kilobits: u32) -> String {
    format!("{}.{}", kilobits / 1000, kilobits % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use devnet_network::address::HardwareAddress;
    use devnet_network::command::wireless::{LeaveReason, Security};

    use super::*;

    #[test]
    fn networks_are_a_table() {
        let entry = |ssid: &str, last, channel, signal, security| NetworkEntry {
            ssid: ssid.into(),
            bssid: HardwareAddress([2, 0, 0, 0, 0, last]),
            channel,
            signal,
            security,
            age_milliseconds: 0,
        };
        let all = [
            entry("home", 1, 1, -50, Security::Wpa2),
            entry("", 2, 11, -9, Security::Wpa3),
            entry("a\u{1b}b", 3, 36, -71, Security::Open),
        ];
        let text = networks(&all);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "BSSID              SSID      CHAN  MHZ   SIGNAL   SECURITY");
        assert_eq!(lines[1], "02:00:00:00:00:01  home      1     2412   -50 dBm wpa2");
        assert_eq!(lines[2], "02:00:00:00:00:02  (hidden)  11    2462    -9 dBm wpa3");
        assert!(lines[3].ends_with("36    5180   -71 dBm open"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_status_says_what_there_is() {
        let mut radio = RadioStatus {
            state: RadioState::Associated,
            ssid: Some("home".into()),
            bssid: Some(HardwareAddress([2, 0, 0, 0, 0, 1])),
            channel: Some(6),
            security: Some(Security::Wpa2),
            signal: Some(-66),
            rate: Some(52_000),
            stations: 0,
            reason: None,
            country: "DE".into(),
            power_save: false,
            transmit_power: 20,
        };
        assert_eq!(
            status("wlan0", &radio),
            "wlan0: associated home, bssid 02:00:00:00:00:01, channel 6 (2437 MHz), wpa2\n  \
             signal -66 dBm, rate 52.0 Mbit/s\n  \
             country DE, transmit power 20 dBm, power save off\n"
        );
        radio.state = RadioState::Searching;
        (radio.bssid, radio.channel, radio.security) = (None, None, None);
        (radio.signal, radio.rate) = (None, None);
        radio.reason = Some(LeaveReason::OutOfRange);
        assert_eq!(
            status("wlan0", &radio),
            "wlan0: searching for home\n  last association ended: out-of-range\n  country DE, \
             transmit power 20 dBm, power save off\n"
        );
    }
}
