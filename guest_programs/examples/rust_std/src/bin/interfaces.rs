//! interfaces: lists interfaces with their addresses and traffic, as a table or as JSON.
//!
//!     interfaces [-j] [NAME …]
//!
//! The standard library finds the devices and prints; typed commands of the crate `devnet-guest`
//! query them. Grant: `--allow-interface NAME`, `*` for all.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::ExitCode;

use devnet_guest::command::{GetInterface, GetStatistics, ListAddresses};
use devnet_guest::{Error, File, OpenFlags};

const DEVICES: &str = "/devices/network";

struct Interface {
    state: String,
    addresses: Vec<String>,
    received: u64,
    sent: u64,
}

fn ask(name: &str) -> Result<Interface, Error> {
    let device = File::open(&format!("{DEVICES}/{name}"), OpenFlags::READ)?;
    let status = device.control::<GetInterface>(&())?;
    let addresses = device.control::<ListAddresses>(&())?;
    let statistics = device.control::<GetStatistics>(&())?;
    Ok(Interface {
        state: if status.enabled { format!("{:?}", status.link) } else { "Disabled".to_owned() }
            .to_lowercase(),
        addresses: addresses.iter().map(|entry| entry.prefix.to_string()).collect(),
        received: statistics.received_bytes,
        sent: statistics.sent_bytes,
    })
}

fn names() -> std::io::Result<Vec<String>> {
    fs::read_dir(DEVICES)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn main() -> ExitCode {
    let (options, mut wanted): (Vec<String>, Vec<String>) =
        env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let is_json = match options.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["-j"] => true,
        _ => {
            eprintln!("usage: interfaces [-j] [NAME …]");
            return ExitCode::from(2);
        }
    };
    if wanted.is_empty() {
        match names() {
            Ok(all) => wanted = all,
            Err(why) => {
                eprintln!("interfaces: {DEVICES}: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    let mut found = BTreeMap::new();
    let mut exit = ExitCode::SUCCESS;
    for name in wanted {
        match ask(&name) {
            Ok(interface) => drop(found.insert(name, interface)),
            Err(why) => {
                eprintln!("interfaces: {name}: {why}");
                exit = ExitCode::FAILURE;
            }
        }
    }
    if is_json {
        let objects: Vec<String> =
            found.iter().map(|(name, interface)| interface.object(name)).collect();
        println!("[{}]", objects.join(","));
    } else {
        for (name, Interface { state, addresses, received, sent }) in &found {
            println!(
                "{name:8} {state:8} {:32} {received:>10} in {sent:>10} out",
                addresses.join(" ")
            );
        }
    }
    exit
}

impl Interface {
    /// Names and addresses contain no characters that JSON needs escaped.
    fn object(&self, name: &str) -> String {
        let Self { state, addresses, received, sent } = self;
        let addresses: Vec<String> =
            addresses.iter().map(|address| format!("\"{address}\"")).collect();
        let addresses = addresses.join(",");
        format!(
            "{{\"name\":\"{name}\",\"state\":\"{state}\",\"addresses\":[{addresses}],\
             \"received\":{received},\"sent\":{sent}}}"
        )
    }
}
