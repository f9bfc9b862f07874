//! The options of `wifi`, and what they make of requests.

use std::net::IpAddr;

use devnet_network::address::{HardwareAddress, Prefix};
use devnet_network::command::dhcp::DhcpClientOptions;
use devnet_network::command::dhcp_server::{AddressRange, DhcpServerOptions};
use devnet_network::command::wireless::{
    AccessPointSwitch, ScanOptions, Secret, Security, Ssid, StationSwitch,
};
use devnet_network::limits::KEY_BYTES;
use devnet_virtual_file_system::OpenFlags;
use lexopt::prelude::*;

use super::super::words;
use crate::context::Context;
use crate::failure::Failure;
use crate::limits;

/// What stands before and between the words.
#[derive(Default)]
pub(super) struct Options {
    pub(super) interface: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) security: Option<Security>,
    pub(super) bssid: Option<HardwareAddress>,
    /// Seconds of the association; 0 for the usual ones.
    pub(super) seconds: u32,
    pub(super) channels: Vec<u8>,
    pub(super) hidden: bool,
    pub(super) stations: u8,
    ssid: Option<Ssid>,
    hostname: Option<String>,
    /// Seconds until there must be a lease.
    wait: Option<u32>,
    pool: Option<AddressRange>,
    single_client: bool,
    pub(super) words: Vec<String>,
    /// The options that were given.
    given: Vec<&'static str>,
}

/// The options that each verb has, beside `-i`.
fn allowed(words: &[&str]) -> &'static [&'static str] {
    const POINT: [&str; 6] = ["-p", "-f", "-S", "-c", "-n", "--hidden"];
    match words {
        ["scan"] => &["-c", "-s"],
        ["connect", _] => &["-p", "-f", "-S", "-b", "-t"],
        ["switch", "station", _] => &["-p", "-f", "-S", "-b", "-t", "-w", "-H"],
        ["ap", "start", _] => &POINT,
        ["switch", "access-point", _, _] => {
            &["-p", "-f", "-S", "-c", "-n", "--hidden", "--pool", "--single-client"]
        }
        _ => &[],
    }
}

impl Options {
    #[expect(clippy::too_many_lines, reason = "an arm for each option")]
    pub(super) async fn parse(context: &Context) -> Result<Self, Failure> {
        let mut chosen = Self::default();
        let mut key_file = None;
        let mut options = context.options();
        while let Some(argument) = options.next()? {
            let mut note = |name: &'static str| chosen.given.push(name);
            match argument {
                Short('i') => chosen.interface = Some(options.value()?.string()?),
                Short('p') => {
                    note("-p");
                    chosen.key = Some(Secret::new(options.value()?.string()?));
                }
                Short('f') => {
                    note("-f");
                    key_file = Some(options.value()?.string()?);
                }
                Short('S') => {
                    note("-S");
                    chosen.security =
                        Some(words::parse(&options.value()?.string()?, "protection")?);
                }
                Short('b') => {
                    note("-b");
                    let word = options.value()?.string()?;
                    chosen.bssid = Some(words::parse(&word, "hardware address")?);
                }
                Short('t') => {
                    note("-t");
                    chosen.seconds =
                        words::parse(&options.value()?.string()?, "number of seconds")?;
                }
                Short('w') => {
                    note("-w");
                    let word = options.value()?.string()?;
                    chosen.wait = Some(words::parse(&word, "number of seconds")?);
                }
                Short('c') => {
                    note("-c");
                    chosen.channels.push(words::parse(&options.value()?.string()?, "channel")?);
                }
                Short('s') => {
                    note("-s");
                    chosen.ssid = Some(network(&options.value()?.string()?)?);
                }
                Short('n') => {
                    note("-n");
                    chosen.stations =
                        words::parse(&options.value()?.string()?, "number of stations")?;
                }
                Short('H') => {
                    note("-H");
                    chosen.hostname = Some(options.value()?.string()?);
                }
                Long("hidden") => {
                    note("--hidden");
                    chosen.hidden = true;
                }
                Long("pool") => {
                    note("--pool");
                    chosen.pool = Some(words::parse(&options.value()?.string()?, "range")?);
                }
                Long("single-client") => {
                    note("--single-client");
                    chosen.single_client = true;
                }
                Value(word) => chosen.words.push(word.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        if let Some(path) = key_file {
            chosen.key = Some(read_key(context, &path).await?);
        }
        Ok(chosen)
    }

    /// Refuses options that would have no effect.
    pub(super) fn check(&self, words: &[&str]) -> Result<(), Failure> {
        let allowed = allowed(words);
        if let Some(other) = self.given.iter().find(|given| !allowed.contains(given)) {
            return Err(Failure::usage(format!("{other}: not with these words")));
        }
        let is_point = matches!(words, ["ap", ..] | ["switch", "access-point", ..]);
        if is_point && self.channels.len() > 1 {
            return Err(Failure::usage("-c: an access point has one channel"));
        }
        if let Some(key) = &self.key
            && !KEY_BYTES.contains(&key.expose().len())
        {
            let (least, most) = (KEY_BYTES.start(), KEY_BYTES.end());
            return Err(Failure::usage(format!("a key has {least} to {most} characters")));
        }
        if self.single_client && self.pool.is_none() {
            return Err(Failure::usage("--single-client: without --pool nobody is served"));
        }
        Ok(())
    }

    pub(super) fn scan(&self) -> ScanOptions {
        ScanOptions { ssid: self.ssid.clone(), channels: self.channels.clone() }
    }

    pub(super) fn station(&self, ssid: Ssid) -> StationSwitch {
        let seconds = self.wait.unwrap_or(limits::DHCP_SECONDS);
        StationSwitch {
            network: self.join(ssid),
            dhcp: DhcpClientOptions {
                hostname: self.hostname.clone(),
                ..DhcpClientOptions::default()
            },
            milliseconds: seconds.saturating_mul(1000),
        }
    }

    pub(super) fn serving(&self, ssid: Ssid, prefix: &str) -> Result<AccessPointSwitch, Failure> {
        let address: Prefix = words::parse(prefix, "address with a prefix length")?;
        let dhcp = self.pool.map(|range| DhcpServerOptions {
            ranges: vec![range],
            lease_seconds: DhcpServerOptions::LEASE_SECONDS,
            routers: match address.address() {
                IpAddr::V4(own) => vec![own],
                IpAddr::V6(_) => Vec::new(),
            },
            single_client: self.single_client,
            ..DhcpServerOptions::default()
        });
        Ok(AccessPointSwitch { network: self.access_point(ssid), address, dhcp })
    }
}

/// The name of a network, in which `\xHH` is a byte.
pub(super) fn network(word: &str) -> Result<Ssid, Failure> {
    words::parse(word, "name of a network")
}

/// The key that a file has as its first line, so that no list of jobs shows it.
async fn read_key(context: &Context, path: &str) -> Result<Secret, Failure> {
    let named = |why| Failure::of(path, why);
    let file = context.files.open(path, OpenFlags::READ).map_err(named)?;
    let bytes = file.read_to_end(limits::KEY_FILE_BYTES).await.map_err(named)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::of(path, "is not text"))?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}
