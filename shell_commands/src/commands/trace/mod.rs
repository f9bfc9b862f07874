//! The way to a host: `traceroute`, `tracepath` and `mtr`.
//!
//! Packets with hop limits from 1 on make each router say that theirs has run out (RFC 792, RFC
//! 4443).

mod mtr;
mod path;
mod prober;
mod probes;
mod route;

pub(super) use mtr::run as mtr;
pub(super) use path::run as path;
pub(super) use route::run as route;
