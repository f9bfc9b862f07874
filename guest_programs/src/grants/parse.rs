//! Parses grants: the options of `devnet run --allow-connect web.lan:80 …`, and the lines of a
//! manifest, which are the same without `--`.
//!
//! A manifest lies beside the guest: `GUEST.grants` for `GUEST.wasm`. It counts only if whoever
//! runs the guest says so (`run --manifest`). Empty lines and lines that begin with `#` are
//! ignored.
//!
//! | word | value |
//! |---|---|
//! | `allow-interface` | `NAME[:read\|:write]`, `*` for all; the default is read |
//! | `allow-command` | `NAME` of a control command or a noun; all others are refused then |
//! | `allow-connect` | `HOST[:PORT[-PORT]]` |
//! | `allow-listen` | `[tcp:\|udp:]PORT[-PORT]`, `*` for all; 0 for an ephemeral port |
//! | `allow-from` | `PREFIX` of permitted sources; all by default |
//! | `allow-raw` | no value: raw sockets, and captures of granted interfaces |
//! | `allow-file` | `PATH[:read\|:write]`, with everything below it |
//! | `limit-files`, `limit-sockets`, `limit-nodes` | a number |
//! | `limit-buffers`, `limit-memory`, `limit-storage` | bytes, with `K`, `M` or `G` |
//! | `limit-bandwidth` | bytes per second, likewise |
//! | `limit-fuel` | units per second, likewise; about one per instruction |
//!
//! The nouns are those of the command table (`interface`, `address`, `route`, `dns`, `dhcp`,
//! `neighbor`, `socket`, `watch`, `capture`, …) and `controller`. A host is an address, a prefix, a
//! name, `*.SUFFIX` or `*`; an IPv6 address with a port is written in brackets.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use devnet_network::address::Prefix;
use devnet_network::command::wireless;
use devnet_virtual_file_system::Path;

use super::{Access, FileGrant, Grants, Host, InterfaceGrant, LocalPorts, Remote, Transport};
use crate::limits;

/// Why an option is not a valid grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantError(String);

impl fmt::Display for GrantError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl core::error::Error for GrantError {}

fn wrong(value: &str, why: &str) -> GrantError {
    GrantError(format!("{value}: {why}"))
}

/// The options that grant or limit, in the order of the table above.
pub const WORDS: [&str; 15] = [
    "allow-interface",
    "allow-command",
    "allow-connect",
    "allow-listen",
    "allow-from",
    "allow-raw",
    "allow-file",
    "limit-files",
    "limit-sockets",
    "limit-buffers",
    "limit-memory",
    "limit-storage",
    "limit-nodes",
    "limit-bandwidth",
    "limit-fuel",
];

/// The noun of every command outside the network's own table: the platform's controller handles
/// those.
pub const CONTROLLER: &str = "controller";
/// The noun of the commands of radios, which controllers handle too.
pub(crate) const WIRELESS: &str = "wireless";

/// Whether an option of [`WORDS`] takes a value.
#[must_use]
pub fn takes_value(word: &str) -> bool {
    word != "allow-raw"
}

impl Grants {
    /// Adds one option with its value; a limit replaces the previous one.
    ///
    /// # Errors
    /// Describes what is wrong; the grants are unchanged.
    pub fn add(&mut self, word: &str, value: &str) -> Result<(), GrantError> {
        let granted = self.interfaces.len()
            + self.connect.len()
            + self.listen.len()
            + self.from.len()
            + self.files.len();
        if granted + self.commands.as_ref().map_or(0, Vec::len) >= limits::GRANTS {
            return Err(wrong(value, "too many grants"));
        }
        match word {
            "allow-interface" => self.interfaces.push(interface(value)?),
            "allow-command" => self.commands.get_or_insert_default().push(command(value)?),
            "allow-connect" => self.connect.push(remote(value)?),
            "allow-listen" => self.listen.push(local(value)?),
            "allow-from" => self
                .from
                .push(prefix(value).ok_or_else(|| wrong(value, "not an address or a prefix"))?),
            "allow-raw" if value.is_empty() => self.raw = true,
            "allow-raw" => return Err(wrong(value, "allow-raw takes no value")),
            "allow-file" => self.files.push(file(value)?),
            "limit-files" => self.limits.files = count(value, limits::FILES_MAXIMUM)?,
            "limit-sockets" => self.limits.sockets = count(value, limits::FILES_MAXIMUM)?,
            "limit-buffers" => self.limits.buffer_bytes = size(value)?,
            "limit-memory" => self.limits.memory_bytes = size(value)?,
            "limit-storage" => self.limits.storage_bytes = size(value)?,
            "limit-nodes" => {
                self.limits.nodes = count(value, devnet_virtual_file_system::limits::NODES)?;
            }
            "limit-bandwidth" => self.limits.bandwidth = Some(amount(value)?),
            "limit-fuel" => self.limits.fuel_per_second = Some(amount(value)?),
            _ => return Err(wrong(word, "not a grant")),
        }
        Ok(())
    }

    /// Adds a whole manifest, or nothing if a line is wrong.
    ///
    /// # Errors
    /// The first line that is wrong, with its number.
    pub fn add_manifest(&mut self, text: &str) -> Result<(), GrantError> {
        if text.len() > limits::MANIFEST_BYTES {
            return Err(GrantError("the manifest is too long".to_owned()));
        }
        let mut all = self.clone();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (word, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            all.add(word, value.trim())
                .map_err(|why| GrantError(format!("line {}: {why}", index + 1)))?;
        }
        *self = all;
        Ok(())
    }
}

/// Splits off `:read` or `:write`.
fn access(value: &str) -> (&str, Access) {
    match value.rsplit_once(':') {
        Some((rest, "read")) => (rest, Access::Read),
        Some((rest, "write")) => (rest, Access::Write),
        _ => (value, Access::Read),
    }
}

fn interface(value: &str) -> Result<InterfaceGrant, GrantError> {
    let (name, access) = access(value);
    let is_name = !name.is_empty()
        && name.len() <= devnet_network::limits::NAME_BYTES
        && !name.contains(['/', ':']);
    if is_name {
        Ok(InterfaceGrant { name: name.to_owned(), access })
    } else {
        Err(wrong(value, "not an interface"))
    }
}

fn command(value: &str) -> Result<String, GrantError> {
    let is_noun = value == CONTROLLER || devnet_network::command::nouns().any(|noun| noun == value);
    let mut all = devnet_network::command::TABLE.iter().chain(wireless::TABLE);
    let is_known = is_noun || all.any(|entry| entry.name == value);
    if is_known { Ok(value.to_owned()) } else { Err(wrong(value, "not a command or a noun")) }
}

fn file(value: &str) -> Result<FileGrant, GrantError> {
    let (path, access) = access(value);
    let path = Path::parse(path).map_err(|why| wrong(value, &format!("{why}")))?;
    Ok(FileGrant { path, access })
}

fn prefix(text: &str) -> Option<Prefix> {
    text.parse().ok().filter(|prefix: &Prefix| prefix.network() == *prefix)
}

fn remote(value: &str) -> Result<Remote, GrantError> {
    let (host, ports) = if let Some(rest) = value.strip_prefix('[') {
        let (host, rest) =
            rest.split_once(']').ok_or_else(|| wrong(value, "a bracket is missing"))?;
        match rest.strip_prefix(':') {
            Some(ports) => (host, Some(ports)),
            None if rest.is_empty() => (host, None),
            None => return Err(wrong(value, "not a port after the bracket")),
        }
    } else if value.matches(':').count() > 1 {
        (value, None)
    } else {
        value.split_once(':').map_or((value, None), |(host, ports)| (host, Some(ports)))
    };
    let ports = ports
        .filter(|ports| *ports != "*")
        .map(|text| range(text).ok_or_else(|| wrong(value, "not a port")));
    Ok(Remote {
        host: self::host(host).ok_or_else(|| wrong(value, "not a host"))?,
        ports: ports.transpose()?,
    })
}

fn host(text: &str) -> Option<Host> {
    if text == "*" {
        return Some(Host::Any);
    }
    if text.contains('/') || text.parse::<core::net::IpAddr>().is_ok() {
        return prefix(text).map(Host::Prefix);
    }
    let (name, is_suffix) = text.strip_prefix('*').map_or((text, false), |suffix| (suffix, true));
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let labels = if is_suffix { name.strip_prefix('.')? } else { name };
    // A malformed address must not be taken for a name.
    let is_number = labels.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number || labels.len() >= limits::HOST_NAME_BYTES || !labels.split('.').all(is_label) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    Some(if is_suffix { Host::Suffix(name) } else { Host::Name(name) })
}

fn local(value: &str) -> Result<LocalPorts, GrantError> {
    let (transport, ports) = match value.split_once(':') {
        Some(("tcp", ports)) => (Some(Transport::Tcp), ports),
        Some(("udp", ports)) => (Some(Transport::Udp), ports),
        Some(_) => return Err(wrong(value, "neither tcp nor udp")),
        None => (None, value),
    };
    let ports = if ports == "*" { Some(0..=u16::MAX) } else { range(ports) };
    Ok(LocalPorts { transport, ports: ports.ok_or_else(|| wrong(value, "not a port"))? })
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..=last)
}

fn count(value: &str, maximum: usize) -> Result<usize, GrantError> {
    let number = value.parse().ok().filter(|number| *number <= maximum);
    number.ok_or_else(|| wrong(value, &format!("not a number up to {maximum}")))
}

/// Parses a number with `K`, `M` or `G` (powers of 1024).
fn amount(value: &str) -> Result<u64, GrantError> {
    let (digits, shift) = match value.as_bytes().last() {
        Some(b'K' | b'k') => (value.trim_end_matches(['K', 'k']), 10),
        Some(b'M' | b'm') => (value.trim_end_matches(['M', 'm']), 20),
        Some(b'G' | b'g') => (value.trim_end_matches(['G', 'g']), 30),
        _ => (value, 0),
    };
    let number: Option<u64> =
        digits.parse().ok().and_then(|number: u64| number.checked_mul(1 << shift));
    number.ok_or_else(|| wrong(value, "not a number, which may end in K, M or G"))
}

fn size(value: &str) -> Result<usize, GrantError> {
    usize::try_from(amount(value)?).map_err(|_| wrong(value, "too large"))
}
