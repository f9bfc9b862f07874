//! The options of `ping`.

use std::time::Duration;

use devnet_network::command::option::PathMtuDiscovery;
use lexopt::prelude::*;

use super::super::{sleep, words};
use super::{LARGEST, REPLY_TIMEOUT};
use crate::context::Context;
use crate::failure::Failure;
use crate::sockets::Family;

/// What is asked for.
pub(super) struct Options {
    pub(super) count: Option<u64>,
    pub(super) interval: Duration,
    pub(super) reply_timeout: Duration,
    pub(super) limit: Option<Duration>,
    pub(super) size: usize,
    pub(super) hop_limit: Option<u8>,
    pub(super) from: Option<String>,
    pub(super) quiet: bool,
    pub(super) flood: bool,
    /// The next request follows the reply at once.
    pub(super) adaptive: bool,
    /// Lines begin with the time.
    pub(super) stamped: bool,
    /// Requests without a reply are told when the next one is sent.
    pub(super) outstanding: bool,
    /// What the data repeats; its place if there is none.
    pub(super) pattern: Vec<u8>,
    pub(super) path: Option<PathMtuDiscovery>,
    pub(super) class: Option<u8>,
    pub(super) family: Family,
    pub(super) host: String,
}

/// Bytes of data that fit in a packet after its headers.
fn size(word: &str) -> Result<usize, Failure> {
    let fits = |size: &usize| *size <= LARGEST;
    word.parse()
        .ok()
        .filter(fits)
        .ok_or_else(|| Failure::usage(format!("-s {word}: the size is 0 to {LARGEST} bytes")))
}

/// Up to sixteen bytes in hexadecimal digits.
fn pattern(word: &str) -> Result<Vec<u8>, Failure> {
    let bad = || Failure::usage(format!("-p {word}: 1 to 16 bytes in hexadecimal digits"));
    let digits: Option<Vec<u32>> = word.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| (1..=32).contains(&digits.len())).ok_or_else(bad)?;
    let byte = |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8);
    Ok(digits.chunks(2).map(byte).collect())
}

/// What is done about the path MTU, by iputils' names.
fn path(word: &str) -> Result<PathMtuDiscovery, Failure> {
    match word {
        "do" => Ok(PathMtuDiscovery::Always),
        "want" => Ok(PathMtuDiscovery::Want),
        "dont" => Ok(PathMtuDiscovery::Never),
        "probe" => Ok(PathMtuDiscovery::Probe),
        _ => Err(Failure::usage(format!("-M {word}: do, want, dont or probe"))),
    }
}

/// A traffic class, also with `0x`.
fn class(word: &str) -> Result<u8, Failure> {
    let number = match word.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16),
        None => word.parse(),
    };
    number.map_err(|_| Failure::usage(format!("-Q {word}: a traffic class is 0 to 255")))
}

/// The options of the command line.
///
/// # Errors
/// What is wrong with them, status 2.
pub(super) fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        count: None,
        interval: Duration::from_secs(1),
        reply_timeout: REPLY_TIMEOUT,
        limit: None,
        size: 56,
        hop_limit: None,
        from: None,
        quiet: false,
        flood: false,
        adaptive: false,
        stamped: false,
        outstanding: false,
        pattern: Vec::new(),
        path: None,
        class: None,
        family: if context.name == "ping6" { Family::V6 } else { Family::Any },
        host: String::new(),
    };
    let mut hosts = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('c') => {
                chosen.count = Some(words::parse::<u64>(&options.value()?.string()?, "count")?)
                    .filter(|count| *count > 0)
            }
            Short('i') => chosen.interval = sleep::parsed(&options.value()?.string()?)?,
            Short('W') => chosen.reply_timeout = sleep::parsed(&options.value()?.string()?)?,
            Short('w') => chosen.limit = Some(sleep::parsed(&options.value()?.string()?)?),
            Short('s') => chosen.size = size(&options.value()?.string()?)?,
            Short('t') => {
                chosen.hop_limit = Some(words::parse(&options.value()?.string()?, "time to live")?)
            }
            Short('I') => chosen.from = Some(options.value()?.string()?),
            Short('q') => chosen.quiet = true,
            Short('f') => chosen.flood = true,
            Short('A') => chosen.adaptive = true,
            Short('D') => chosen.stamped = true,
            Short('O') => chosen.outstanding = true,
            Short('p') => chosen.pattern = pattern(&options.value()?.string()?)?,
            Short('M') => chosen.path = Some(path(&options.value()?.string()?)?),
            Short('Q') => chosen.class = Some(class(&options.value()?.string()?)?),
            // Addresses are never resolved to names.
            Short('n') => {}
            Short('4') => chosen.family = Family::V4,
            Short('6') => chosen.family = Family::V6,
            Value(host) => hosts.push(host.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match <[String; 1]>::try_from(hosts) {
        Ok([host]) => Ok(Options { host, ..chosen }),
        Err(_) => Err(Failure::usage("one host is needed")),
    }
}

impl Options {
    /// The byte at a place of the data.
    pub(super) fn byte(&self, place: usize) -> u8 {
        let at = place.checked_rem(self.pattern.len());
        at.and_then(|at| self.pattern.get(at).copied()).unwrap_or(place as u8)
    }
}
