//! `hostname`: the name of this system, and its addresses.
//!
//! The name is what stands in `/configuration/hostname`, whose last change is what setting it is;
//! `localhost` without such a file. DHCP clients send the name that `dhcp -H` gives them.

use std::net::IpAddr;

use devnet_network::command::address::Scope;
use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::command::interface::InterfaceFlags;
use devnet_network::command::{ListAddresses, ListHosts, Resolve};
use devnet_virtual_file_system::{Error, OpenFlags};
use lexopt::prelude::*;

use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::sockets::unresolved;
use crate::status::Status;

const FILE: &str = "/configuration/hostname";
/// The name of a system that has none of its own.
const DEFAULT: &str = "localhost";

/// What is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Name,
    Short,
    Full,
    Domain,
    Addresses,
    AllAddresses,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut shown, mut names, mut file) = (None, Vec::new(), None);
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('s') | Long("short") => shown = Some(Shown::Short),
            Short('f') | Long("fqdn" | "long") => shown = Some(Shown::Full),
            Short('d') | Long("domain") => shown = Some(Shown::Domain),
            Short('i') | Long("ip-address") => shown = Some(Shown::Addresses),
            Short('I') | Long("all-ip-addresses") => shown = Some(Shown::AllAddresses),
            Short('F') | Long("file") => file = Some(options.value()?.string()?),
            Value(name) => names.push(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match (shown, names.as_slice(), file) {
        (shown, [], None) => show(context, shown.unwrap_or(Shown::Name)).await,
        (None, [name], None) => set(context, name).await,
        (None, [], Some(file)) => {
            let name = read(context, &file).await.map_err(|why| Failure::of(&file, why))?;
            set(context, &name).await
        }
        _ => Err(Failure::usage("one name is set, or one thing shown")),
    }
}

/// The first word of a file that is no comment.
async fn read(context: &Context, path: &str) -> Result<String, Error> {
    let file = context.files.open(path, OpenFlags::READ)?;
    let bytes = file.read_to_end(limits::HOSTNAME_FILE_BYTES).await?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(line.unwrap_or_default().to_owned())
}

/// The name of this system.
pub(super) async fn name(context: &Context) -> Result<String, Failure> {
    match read(context, FILE).await {
        Ok(name) if !name.is_empty() => Ok(name),
        Ok(_) | Err(Error::NotFound) => Ok(DEFAULT.to_owned()),
        Err(why) => Err(Failure::of(FILE, why)),
    }
}

async fn set(context: &Context, name: &str) -> Outcome {
    if !is_valid(name) {
        return Err(Failure::new("the specified hostname is invalid"));
    }
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = context.files.open(FILE, flags).map_err(|why| Failure::of(FILE, why))?;
    let written = file.write_all(format!("{name}\n").as_bytes()).await;
    written.map_err(|why| Failure::of(FILE, why))?;
    Ok(Status::SUCCESS)
}

/// True for labels of letters, digits and hyphens (RFC 1123 §2.1), which Linux limits to 64 bytes
/// together.
fn is_valid(name: &str) -> bool {
    let is_label = |label: &str| {
        label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && label.bytes().next().is_some_and(|byte| byte != b'-')
            && !label.ends_with('-')
    };
    name.len() <= limits::HOSTNAME_BYTES && name.split('.').all(is_label)
}

async fn show(context: &Context, shown: Shown) -> Outcome {
    if shown == Shown::AllAddresses {
        return all_addresses(context).await;
    }
    let name = name(context).await?;
    let text = match shown {
        Shown::Name | Shown::AllAddresses => name,
        Shown::Short => name.split('.').next().unwrap_or_default().to_owned(),
        Shown::Full => full(context, &name).await?,
        Shown::Domain => {
            let full = full(context, &name).await?;
            match full.split_once('.') {
                Some((_, domain)) => domain.to_owned(),
                None => return Ok(Status::SUCCESS),
            }
        }
        Shown::Addresses => {
            let addresses: Vec<_> =
                lookup(context, &name).await?.0.iter().map(ToString::to_string).collect();
            addresses.join(" ")
        }
    };
    context.answer(&format!("{text}\n")).await
}

/// The name with its domain, as the hosts table or the name server completes it.
async fn full(context: &Context, name: &str) -> Result<String, Failure> {
    let device = devices::sockets(context, Use::Show)?;
    let hosts = device.control::<ListHosts>(&()).await;
    let hosts = hosts.map_err(|why| Failure::of(devices::SOCKETS, why))?;
    let host =
        hosts.iter().find(|host| host.names.iter().any(|one| one.eq_ignore_ascii_case(name)));
    match host.and_then(|host| host.names.first()) {
        Some(first) => Ok(first.clone()),
        None => Ok(lookup(context, name).await?.1),
    }
}

/// The addresses of a name, and what it is called where they are.
async fn lookup(context: &Context, name: &str) -> Result<(Vec<IpAddr>, String), Failure> {
    let device = devices::sockets(context, Use::Show)?;
    let question = Question { name: name.to_owned(), kind: RecordKind::Address, server: None };
    let answer = device.control::<Resolve>(&question).await;
    let answer = answer.map_err(|why| Failure::new(unresolved(why)))?;
    let addresses: Vec<_> = answer.addresses().collect();
    let Some(last) = answer.records.last().filter(|_| !addresses.is_empty()) else {
        return Err(Failure::new(unresolved(Error::NotFound)));
    };
    Ok((addresses, last.name.trim_end_matches('.').to_owned()))
}

/// The addresses of all interfaces but loopbacks, without those of a single link.
async fn all_addresses(context: &Context) -> Outcome {
    let mut text = String::new();
    for (interface, status) in devices::all(context).await? {
        if status.flags.contains(InterfaceFlags::LOOPBACK) {
            continue;
        }
        for entry in interface.ask::<ListAddresses>(&()).await? {
            if entry.scope != Scope::Link {
                text.push_str(&format!("{} ", entry.prefix.address()));
            }
        }
    }
    context.answer(&format!("{text}\n")).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels() {
        for name in ["a", "box-1.example.org", "7up"] {
            assert!(is_valid(name), "{name}");
        }
        for name in ["", "a..b", "-a", "a-", "a b", "\u{e4}", "a.", &"a".repeat(65)] {
            assert!(!is_valid(name), "{name}");
        }
    }
}
