//! What a radio tells: its status, the networks that it hears, its stations.

use devnet_network::command::wireless::{
    NetworkEntry, RadioState, RadioStatus, ScanOptions, Ssid, StationEntry,
};
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Error, Result};

use super::medium::Medium;
use super::node::{Node, RadioNumber, Role};
use super::signal::rate;
use crate::limits::SCAN_NETWORKS;

impl Medium {
    pub(super) fn status(&self, number: RadioNumber) -> Result<RadioStatus> {
        let node = self.node(number)?;
        let mut status = RadioStatus {
            state: if node.is_on { RadioState::Idle } else { RadioState::Off },
            ssid: None,
            bssid: None,
            channel: None,
            security: None,
            signal: None,
            rate: None,
            stations: u32::try_from(self.stations(number).count()).unwrap_or(u32::MAX),
            reason: node.reason,
            country: node.rules.country.into(),
            power_save: node.saves_power,
            transmit_power: node.transmit_power(),
        };
        let point = match (&node.role, node.association) {
            (Role::Idle, _) => None,
            (Role::AccessPoint(point), _) => {
                if node.is_on {
                    status.state = RadioState::AccessPoint;
                }
                Some((node, point))
            }
            (Role::Station(asked), None) => {
                if node.is_on {
                    status.state = RadioState::Searching;
                }
                status.ssid = Some(asked.ssid.clone());
                None
            }
            (Role::Station(_), Some(association)) => {
                status.state = RadioState::Associated;
                let access_point = self.node(association.point)?;
                status.signal = Some(self.signal(access_point, node));
                status.rate = Some(rate(self.signal(node, access_point)));
                access_point.point().map(|point| (access_point, point))
            }
        };
        if let Some((node, point)) = point {
            status.ssid = Some(point.ssid.clone());
            status.bssid = Some(node.hardware);
            (status.channel, status.security) = (Some(point.channel), Some(point.security));
        }
        Ok(status)
    }

    /// Keeps what a scan hears; returns how many networks.
    pub(super) fn scan(
        &mut self,
        number: RadioNumber,
        options: &ScanOptions,
        now: Instant,
    ) -> Result<u32> {
        let station = self.node(number)?;
        if !station.is_on {
            return Err(Error::NetworkDown);
        }
        let is_asked = |channel| options.channels.is_empty() || options.channels.contains(&channel);
        let mut found = Vec::new();
        for node in self.nodes.values() {
            let (Some(point), Some(signal)) = (node.point(), self.hears(station, node)) else {
                continue;
            };
            let is_itself = node.hardware == station.hardware;
            let is_other = options.ssid.as_ref().is_some_and(|ssid| *ssid != point.ssid);
            if is_itself || is_other || !is_asked(point.channel) {
                continue;
            }
            let shows_name = !point.hidden || options.ssid.is_some();
            found.push(NetworkEntry {
                ssid: if shows_name { point.ssid.clone() } else { Ssid::default() },
                bssid: node.hardware,
                channel: point.channel,
                signal,
                security: point.security,
                age_milliseconds: 0,
            });
        }
        found.sort_by_key(|entry| (std::cmp::Reverse(entry.signal), entry.bssid.0));
        found.truncate(SCAN_NETWORKS);
        let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let node = self.node_mut(number)?;
        (node.found, node.scanned) = (found, now);
        Ok(count)
    }

    pub(super) fn networks(&self, number: RadioNumber, now: Instant) -> Result<Vec<NetworkEntry>> {
        let node = self.node(number)?;
        let age = now.since(node.scanned).as_millis();
        let age_milliseconds = u32::try_from(age).unwrap_or(u32::MAX);
        Ok(node
            .found
            .iter()
            .map(|entry| NetworkEntry { age_milliseconds, ..entry.clone() })
            .collect())
    }

    pub(super) fn station_entries(
        &self,
        number: RadioNumber,
        now: Instant,
    ) -> Result<Vec<StationEntry>> {
        let point = self.node(number)?;
        let entry = |(_, node): (RadioNumber, &Node)| {
            let signal = self.signal(node, point);
            let since = node.association.map_or(now, |association| association.since);
            let seconds = u32::try_from(now.since(since).as_secs()).unwrap_or(u32::MAX);
            StationEntry { address: node.hardware, signal, rate: rate(signal), seconds }
        };
        let mut stations: Vec<_> = self.stations(number).map(entry).collect();
        stations.sort_by_key(|entry| std::cmp::Reverse(entry.seconds));
        Ok(stations)
    }
}
