//! The options of `dhcpd`.

use std::str::FromStr;

use devnet_network::command::dhcp_server::{DhcpServerOptions, Reservation};
use lexopt::prelude::*;

use super::super::{sleep, words};
use crate::context::Context;
use crate::failure::Failure;

/// What the command was told.
pub(super) struct Options {
    pub(super) server: DhcpServerOptions,
    pub(super) reservations: Vec<Reservation>,
    /// The file of leases; `none` for none.
    pub(super) file: Option<String>,
    pub(super) verbose: bool,
    pub(super) words: Vec<String>,
}

impl Options {
    pub(super) fn parse(context: &Context) -> Result<Self, Failure> {
        let mut chosen = Self {
            server: DhcpServerOptions {
                lease_seconds: DhcpServerOptions::LEASE_SECONDS,
                ..DhcpServerOptions::default()
            },
            reservations: Vec::new(),
            file: None,
            verbose: false,
            words: Vec::new(),
        };
        let mut options = context.options();
        while let Some(argument) = options.next()? {
            let server = &mut chosen.server;
            match argument {
                Long("pool") => add(&mut server.ranges, &text(&mut options)?, "pool")?,
                Long("lease") => server.lease_seconds = seconds(&text(&mut options)?)?,
                Long("router") => add(&mut server.routers, &text(&mut options)?, "address")?,
                Long("dns") => add(&mut server.dns_servers, &text(&mut options)?, "address")?,
                Long("domain") => server.domain = Some(text(&mut options)?),
                Long("option") => add(&mut server.options, &text(&mut options)?, "option")?,
                Long("static") => chosen.reservations.push(reservation(&text(&mut options)?)?),
                Long("authoritative") => server.authoritative = true,
                Long("no-check") => server.skip_check = true,
                Long("single-client") => server.single_client = true,
                Long("lease-file") => chosen.file = Some(text(&mut options)?),
                // It stays in the foreground; use the shell's `&` for the background.
                Short('f') => {}
                Short('v') => chosen.verbose = true,
                Value(word) => chosen.words.push(word.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(chosen)
    }
}

fn text(options: &mut lexopt::Parser) -> Result<String, Failure> {
    Ok(options.value()?.string()?)
}

/// Adds values with commas between.
fn add<T: FromStr>(list: &mut Vec<T>, text: &str, what: &str) -> Result<(), Failure> {
    for word in text.split(',') {
        list.push(words::parse(word, what)?);
    }
    Ok(())
}

/// A time as `sleep` takes it, in whole seconds, or `infinite`.
fn seconds(text: &str) -> Result<u32, Failure> {
    if text == "infinite" {
        return Ok(u32::MAX);
    }
    let bad = || Failure::of(text, "bad time");
    let seconds = sleep::duration(text).ok_or_else(bad)?.as_secs();
    u32::try_from(seconds).ok().filter(|seconds| *seconds > 0).ok_or_else(bad)
}

/// `CLIENT=ADDRESS`, where the client is a hardware address or `id:` and its identifier.
pub(super) fn reservation(text: &str) -> Result<Reservation, Failure> {
    let (client, address) =
        text.split_once('=').ok_or_else(|| Failure::of(text, "bad CLIENT=ADDRESS"))?;
    Ok(Reservation {
        address: words::parse(address, "address")?,
        client: words::parse(client, "client")?,
    })
}
