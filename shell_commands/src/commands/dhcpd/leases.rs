//! The file of leases: a line for each, with the Unix time at which it ends, so that it holds when
//! the system was off for a while.
//!
//! ```text
//! ADDRESS CLIENT END [mac MAC] [name NAME]
//! ```
//!
//! `END` is `never` for a lease without end. Lines that begin with `#` are comments.

use std::fmt::Write as _;

use devnet_network::command::dhcp_server::{LeaseState, NewLease, ServerLease};
use devnet_virtual_file_system::{Error, OpenFlags};

use crate::context::Context;
use crate::failure::Failure;
use crate::limits;

/// The directory of the file that is used unless another one is named.
const DIRECTORY: &str = "/configuration";

/// Where leases are kept.
pub(super) struct LeaseFile {
    path: Option<String>,
}

impl LeaseFile {
    /// The named file, or that of the interface, if the tree has a place for it; `none` for none.
    pub(super) fn new(context: &Context, named: Option<&str>, interface: &str) -> Self {
        let path = match named {
            Some("none") => None,
            Some(path) => Some(path.to_owned()),
            None => context
                .files
                .stat(DIRECTORY)
                .is_ok()
                .then(|| format!("{DIRECTORY}/leases-{interface}")),
        };
        Self { path }
    }

    /// The leases that did not end meanwhile. A line that is none is reported and left out.
    pub(super) async fn read(&self, context: &Context) -> Result<Vec<NewLease>, Failure> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let named = |why| Failure::of(path, why);
        let file = match context.files.open(path, OpenFlags::READ) {
            Err(Error::NotFound) => return Ok(Vec::new()),
            opened => opened.map_err(named)?,
        };
        let bytes = file.read_to_end(limits::LEASE_FILE_BYTES).await.map_err(named)?;
        let text = String::from_utf8_lossy(&bytes);
        let (now, mut leases) = (context.platform.now().as_secs(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            match parse(line, now) {
                Ok(lease) => leases.extend(lease),
                Err(()) => {
                    let number = number.saturating_add(1);
                    context.complain(&format!("{path}: line {number} is no lease")).await;
                }
            }
        }
        Ok(leases)
    }

    /// Writes the leases: a new file takes the place of the old one, so that one of them is whole
    /// whenever the system ends.
    pub(super) async fn write(
        &self,
        context: &Context,
        leases: &[ServerLease],
    ) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        let now = context.platform.now().as_secs();
        let mut text = String::from("# ADDRESS CLIENT END [mac MAC] [name NAME]\n");
        for lease in leases.iter().filter(|lease| lease.state == LeaseState::Leased) {
            line(&mut text, lease, now);
        }
        let new = format!("{path}.new");
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let file = context.files.open(&new, flags).map_err(|why| Failure::of(&new, why))?;
        file.write_all(text.as_bytes()).await.map_err(|why| Failure::of(&new, why))?;
        context.files.rename(&new, path).map_err(|why| Failure::of(path, why))
    }
}

fn line(text: &mut String, lease: &ServerLease, now: u64) {
    // Writing to a string does not fail.
    let _ = write!(text, "{} {} ", lease.address, lease.client);
    let _ = match lease.remaining_seconds {
        Some(left) => write!(text, "{}", now.saturating_add(left.into())),
        None => write!(text, "never"),
    };
    if let Some(address) = lease.hardware_address {
        let _ = write!(text, " mac {address}");
    }
    if let Some(name) = &lease.name {
        let _ = write!(text, " name {name}");
    }
    text.push('\n');
}

/// A line; none for a comment and for a lease that ended.
fn parse(line: &str, now: u64) -> Result<Option<NewLease>, ()> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (address, client, end, mut rest) = match words.as_slice() {
        [] => return Ok(None),
        [first, ..] if first.starts_with('#') => return Ok(None),
        [address, client, end, rest @ ..] => (address, client, end, rest),
        _ => return Err(()),
    };
    let seconds = match *end {
        "never" => u32::MAX,
        end => {
            let left = end.parse::<u64>().map_err(drop)?.saturating_sub(now);
            u32::try_from(left).unwrap_or(u32::MAX)
        }
    };
    let mut lease = NewLease {
        address: address.parse().map_err(drop)?,
        client: client.parse().map_err(drop)?,
        hardware_address: None,
        name: None,
        seconds,
    };
    while let [key, value, after @ ..] = rest {
        match *key {
            "mac" => lease.hardware_address = Some(value.parse().map_err(drop)?),
            "name" => lease.name = Some((*value).to_owned()),
            _ => return Err(()),
        }
        rest = after;
    }
    if rest.is_empty() { Ok(Some(lease).filter(|lease| lease.seconds > 0)) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_leases_and_back() {
        let lease = ServerLease {
            address: [10, 0, 0, 10].into(),
            client: "id:0102".parse().unwrap(),
            hardware_address: Some("02:00:00:00:00:07".parse().unwrap()),
            name: Some("printer".into()),
            state: LeaseState::Leased,
            reserved: false,
            remaining_seconds: Some(60),
        };
        let mut text = String::new();
        line(&mut text, &lease, 1000);
        assert_eq!(text, "10.0.0.10 id:0102 1060 mac 02:00:00:00:00:07 name printer\n");
        let back = parse(&text, 1020).unwrap().unwrap();
        assert_eq!((back.address, back.seconds), (lease.address, 40));
        assert_eq!((back.client, back.name), (lease.client.clone(), lease.name.clone()));
        assert_eq!(parse(&text, 1060), Ok(None), "it ended");
        let mut text = String::new();
        line(&mut text, &ServerLease { remaining_seconds: None, ..lease }, 1000);
        assert_eq!(parse(&text, 9999).unwrap().unwrap().seconds, u32::MAX);
    }

    #[test]
    fn other_lines_are_none() {
        assert_eq!((parse("", 0), parse("# x", 0)), (Ok(None), Ok(None)));
        for line in [
            "10.0.0.10",
            "10.0.0.10 02:00:00:00:00:07",
            "10.0.0.10 02:00:00:00:00:07 soon",
            "10.0.0.10 nobody 5",
            "nowhere 02:00:00:00:00:07 5",
            "10.0.0.10 02:00:00:00:00:07 5 name",
            "10.0.0.10 02:00:00:00:00:07 5 color blue",
        ] {
            assert_eq!(parse(line, 0), Err(()), "{line}");
        }
    }
}
