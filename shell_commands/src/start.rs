//! What the files below `/configuration` ask of the network, when the program starts.
//!
//! `/configuration/network` is applied as `netconfig apply` does it, then `/configuration/hosts` is
//! added to the hosts table. A file that is not there asks for nothing. One that cannot be is
//! reported and left out: a system with a wrong configuration must still start to be mended.

use std::net::IpAddr;

use devnet_network::command::dns::{HostEntry, HostsChange};
use devnet_network::command::{ApplyConfiguration, ChangeHosts, ListHosts};
use devnet_network::limits::CONFIGURATION_BYTES;
use devnet_virtual_file_system::{Error, File, OpenFlags};

use crate::commands::netconfig;
use crate::devices::SOCKETS;
use crate::failure::Failure;
use crate::limits;
use crate::shell::Shell;

/// The hosts table, as hosts(5) describes it.
const HOSTS: &str = "/configuration/hosts";

/// Reads and carries out what the files ask for.
pub(crate) async fn configure(shell: &Shell) {
    for outcome in [apply(shell).await, hosts(shell).await] {
        if let Err(failure) = outcome {
            shell.complain(&failure.message).await;
        }
    }
}

/// The text of a file; none if there is no such file.
async fn read(shell: &Shell, path: &str, most: usize) -> Result<Option<String>, Failure> {
    let named = |why: Error| Failure::of(path, why);
    let file = match shell.files.open(path, OpenFlags::READ) {
        Ok(file) => file,
        Err(Error::NotFound) => return Ok(None),
        Err(why) => return Err(named(why)),
    };
    let bytes = file.read_to_end(most).await.map_err(named)?;
    String::from_utf8(bytes).map(Some).map_err(|_| Failure::of(path, "is not text"))
}

fn device(shell: &Shell, path: &str) -> Result<File, Failure> {
    let flags = OpenFlags::READ | OpenFlags::WRITE;
    shell.files.open(SOCKETS, flags).map_err(|why| Failure::of(path, why))
}

async fn apply(shell: &Shell) -> Result<(), Failure> {
    let path = netconfig::FILE;
    let Some(text) = read(shell, path, CONFIGURATION_BYTES).await? else { return Ok(()) };
    let device = device(shell, path)?;
    let sent = netconfig::send::<ApplyConfiguration>(&device, &text).await;
    let outcome = sent.map_err(|why| Failure::of_write_to(&device, path, why))?;
    for note in netconfig::notes(path, &outcome) {
        shell.complain(&note).await;
    }
    Ok(())
}

async fn hosts(shell: &Shell) -> Result<(), Failure> {
    let Some(text) = read(shell, HOSTS, limits::HOSTS_BYTES).await? else { return Ok(()) };
    let new = parse(&text).map_err(|why| Failure::of(HOSTS, why))?;
    let device = device(shell, HOSTS)?;
    let named = |why: Error| Failure::of(HOSTS, why);
    // What the configuration says of hosts stays.
    let mut entries = device.control::<ListHosts>(&()).await.map_err(named)?;
    for entry in new {
        add(&mut entries, entry);
    }
    // One request has no room for a full table of long names.
    let mut bytes: usize = 0;
    let exceeds = |entry: &HostEntry| {
        let names = entry.names.iter().map(|name| name.len().saturating_add(2));
        bytes = bytes.saturating_add(names.sum::<usize>()).saturating_add(20);
        bytes > limits::CONFIGURATION_PIECE_BYTES
    };
    let first = entries.iter().position(exceeds).unwrap_or(entries.len());
    let rest = entries.split_off(first);
    device.control::<ChangeHosts>(&HostsChange::Replace(entries)).await.map_err(named)?;
    for entry in rest {
        device.control::<ChangeHosts>(&HostsChange::Add(entry)).await.map_err(named)?;
    }
    Ok(())
}

/// The lines `ADDRESS NAME...`, up to `#`; the error names the line.
fn parse(text: &str) -> Result<Vec<HostEntry>, String> {
    let mut entries = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let number = place.saturating_add(1);
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(address) = words.next() else { continue };
        let address: IpAddr =
            address.parse().map_err(|_| format!("line {number}: {address}: bad address"))?;
        let names: Vec<String> = words.map(str::to_owned).collect();
        if names.is_empty() {
            return Err(format!("line {number}: {address}: which name?"));
        }
        add(&mut entries, HostEntry { address, names });
    }
    Ok(entries)
}

/// Adds the names of an address to those that are there.
fn add(entries: &mut Vec<HostEntry>, new: HostEntry) {
    match entries.iter_mut().find(|known| known.address == new.address) {
        None => entries.push(new),
        Some(known) => {
            for name in new.names {
                if !known.names.contains(&name) {
                    known.names.push(name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_is_read_as_on_other_systems() {
        let text = "127.0.0.1 localhost # this one\n\n# none\n10.0.0.9\tprinter.lan printer\n\
                    10.0.0.9 printer ink.lan\nfd00::9 printer.lan\n";
        let entries = parse(text).unwrap();
        let shown: Vec<_> = entries
            .iter()
            .map(|entry| format!("{} {}", entry.address, entry.names.join(" ")))
            .collect();
        assert_eq!(
            shown,
            ["127.0.0.1 localhost", "10.0.0.9 printer.lan printer ink.lan", "fd00::9 printer.lan"]
        );
        assert_eq!(parse("1.2.3 x").unwrap_err(), "line 1: 1.2.3: bad address");
        assert_eq!(parse("\n10.0.0.1 # x").unwrap_err(), "line 2: 10.0.0.1: which name?");
    }
}
