//! Samples of the commands about radios: the switch of the stack, and those of controllers.

use devnet_network::command::SwitchRadio;
use devnet_network::command::dhcp_server::{AddressRange, DhcpServerOptions};
use devnet_network::command::wireless::{
    AccessPoint, AccessPointSwitch, GetRadio, Join, JoinNetwork, KeepRole, LeaveNetwork,
    ListNetworks, ListStations, NetworkEntry, RadioRole, RadioState, RadioStatus, RadioSwitch,
    RemoveStation, ScanNetworks, ScanOptions, Secret, Security, SetCountry, SetPower, SetPowerSave,
    SetTransmitPower, StartAccessPoint, StationEntry, StopAccessPoint, SwitchRole,
};

use super::samples::{Sample, read, sample};

fn access_point() -> AccessPoint {
    AccessPoint {
        ssid: "mine".into(),
        security: Security::Wpa2,
        key: Some(Secret::new("devnet-mine")),
        channel: 6,
        hidden: false,
        stations: 8,
    }
}

fn join() -> Join {
    Join {
        ssid: "home".into(),
        bssid: None,
        security: Some(Security::Wpa3),
        key: Some(Secret::new("devnet-home")),
        milliseconds: 5000,
    }
}

fn status() -> RadioStatus {
    RadioStatus {
        state: RadioState::Associated,
        ssid: Some("home".into()),
        bssid: Some(read("02:00:00:00:00:01")),
        channel: Some(6),
        security: Some(Security::Wpa3),
        signal: Some(-50),
        rate: Some(65_000),
        stations: 0,
        reason: None,
        country: "DE".into(),
        power_save: false,
        transmit_power: 20,
    }
}

pub(crate) fn switch() -> Sample {
    let dhcp = DhcpServerOptions {
        ranges: vec![AddressRange { first: read("10.0.9.10"), last: read("10.0.9.10") }],
        lease_seconds: DhcpServerOptions::LEASE_SECONDS,
        routers: vec![read("10.0.9.1")],
        ..DhcpServerOptions::default()
    };
    let line = "switch access-point mine 10.0.9.1/24 key devnet-mine channel 6 clients 10.0.9.10";
    let network = AccessPoint { stations: 0, ..access_point() };
    let (address, dhcp) = (read("10.0.9.1/24"), Some(dhcp));
    let switch = AccessPointSwitch { network, address, dhcp };
    sample::<SwitchRadio>(line, RadioSwitch::AccessPoint(Box::new(switch)), ())
}

/// The sample of every command of radios, in the order of their table.
pub(crate) fn samples() -> Vec<Sample> {
    let network = NetworkEntry {
        ssid: "home".into(),
        bssid: read("02:00:00:00:00:01"),
        channel: 6,
        signal: -50,
        security: Security::Wpa3,
        age_milliseconds: 1200,
    };
    let station =
        StationEntry { address: read("02:00:00:00:00:09"), signal: -61, rate: 65_000, seconds: 42 };
    let scan = ScanOptions { ssid: Some("home".into()), channels: vec![1, 6, 11] };
    vec![
        sample::<GetRadio>("", (), status()),
        sample::<ScanNetworks>("wifi scan ssid home channels 1,6,11", scan, 1),
        sample::<ListNetworks>("", (), vec![network]),
        sample::<JoinNetwork>(
            "wifi connect home key devnet-home security wpa3 timeout 5000",
            join(),
            status(),
        ),
        sample::<LeaveNetwork>("wifi disconnect", (), true),
        sample::<StartAccessPoint>(
            "wifi ap start mine key devnet-mine channel 6 stations 8",
            access_point(),
            true,
        ),
        sample::<StopAccessPoint>("wifi ap stop", (), true),
        sample::<ListStations>("", (), vec![station]),
        sample::<RemoveStation>("wifi ap remove 02:00:00:00:00:09", read("02:00:00:00:00:09"), ()),
        sample::<SetPower>("wifi power on", true, true),
        sample::<SetPowerSave>("wifi power-save off", false, true),
        sample::<SetTransmitPower>("wifi transmit-power 15", Some(15), true),
        sample::<SetCountry>("wifi country DE", "DE".into(), true),
        sample::<SwitchRole>("", RadioRole::Station(join()), status()),
        sample::<KeepRole>("", (), true),
    ]
}
