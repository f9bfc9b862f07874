//! Lines about DHCP: the client and the server.

use alloc::string::String;

use devnet_virtual_file_system::Error;

use crate::command::dhcp::{DhcpClientOptions, DhcpOptions};
use crate::command::dhcp_server::{
    ClientName, DhcpServerOptions, LeaseChange, NewLease, Reservation,
};
use crate::command::dhcp6::{Dhcp6ClientOptions, Dhcp6ServerOptions, Downstream};
use crate::command::fallback::Fallback;
use crate::command::table::Request;
use crate::command::value::{list, pairs, switch, value};

/// The words after `dhcp`.
pub(super) fn dhcp(words: &[&str]) -> Result<Request, Error> {
    match words {
        ["start", rest @ ..] => {
            let mut options = DhcpOptions::default();
            for [key, word] in pairs(rest)? {
                match *key {
                    "hostname" => options.hostname = Some((*word).into()),
                    "requested" => options.requested = Some(value(word)?),
                    _ => return Err(Error::InvalidInput),
                }
            }
            Ok(Request::StartDhcp(options))
        }
        ["stop"] => Ok(Request::StopDhcp(())),
        ["renew"] => Ok(Request::RenewDhcp(())),
        ["wait", milliseconds] => Ok(Request::AwaitDhcp(value(milliseconds)?)),
        ["client", rest @ ..] => client(rest).map(Request::StartDhcpClient),
        ["server", rest @ ..] => server(rest),
        ["fallback", rest @ ..] => fallback(rest).map(Request::SetFallback),
        _ => Err(Error::InvalidInput),
    }
}

/// The words after `dhcp6`.
pub(super) fn dhcp6(words: &[&str]) -> Result<Request, Error> {
    match words {
        ["client", mode, rest @ ..] => client6(mode, rest).map(Request::SetDhcp6Client),
        ["renew"] => Ok(Request::RenewDhcp6(())),
        ["wait", milliseconds] => Ok(Request::AwaitDhcp6(value(milliseconds)?)),
        ["server", "off"] => Ok(Request::SetDhcp6Server(None)),
        ["server", "on", rest @ ..] => server6(rest).map(Some).map(Request::SetDhcp6Server),
        ["downstream", "off"] => Ok(Request::SetDownstream(None)),
        ["downstream", uplink, rest @ ..] => {
            let mut downstream = Downstream::new(uplink);
            for [key, word] in pairs(rest)? {
                match *key {
                    "subnet" => downstream.subnet = value(word)?,
                    "advertise" => downstream.advertise = switch(word)?,
                    _ => return Err(Error::InvalidInput),
                }
            }
            Ok(Request::SetDownstream(Some(downstream)))
        }
        _ => Err(Error::InvalidInput),
    }
}

fn client6(mode: &str, words: &[&str]) -> Result<Dhcp6ClientOptions, Error> {
    let mut options = Dhcp6ClientOptions { mode: value(mode)?, ..Dhcp6ClientOptions::default() };
    for [key, word] in pairs(words)? {
        match *key {
            "prefixes" => options.prefixes = switch(word)?,
            "hint" => options.hint = Some(value(word)?),
            "duid" => options.duid = Some(value(word)?),
            "iaid" => options.iaid = Some(value(word)?),
            "rapid-commit" => options.rapid_commit = switch(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(options)
}

fn server6(words: &[&str]) -> Result<Dhcp6ServerOptions, Error> {
    let mut options = Dhcp6ServerOptions::default();
    for [key, word] in pairs(words)? {
        match *key {
            "dns" => options.dns_servers = list(word)?,
            "domains" => options.domains = word.split(',').map(String::from).collect(),
            "refresh" => options.refresh_seconds = value(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(options)
}

fn fallback(words: &[&str]) -> Result<Fallback, Error> {
    match words {
        ["off"] => Ok(Fallback::Off),
        ["link-local"] => Ok(Fallback::LinkLocal),
        [prefix] => Ok(Fallback::Address { prefix: value(prefix)?, gateway: None }),
        [prefix, "via", gateway] => {
            Ok(Fallback::Address { prefix: value(prefix)?, gateway: Some(value(gateway)?) })
        }
        _ => Err(Error::InvalidInput),
    }
}

/// `dhcp client`, whose words are pairs.
fn client(words: &[&str]) -> Result<DhcpClientOptions, Error> {
    let mut options = DhcpClientOptions::default();
    for [key, word] in pairs(words)? {
        match *key {
            "hostname" => options.hostname = Some((*word).into()),
            "address" => options.requested = Some(value(word)?),
            "identifier" => options.identifier = Some(value::<ClientName>(word)?.identifier()),
            "vendor-class" => options.vendor_class = Some((*word).into()),
            "request" => options.request = list(word)?,
            "send" => options.send = list(word)?,
            "ipv6-only" => options.ipv6_only = switch(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(options)
}

fn server(words: &[&str]) -> Result<Request, Error> {
    let change = |change| Ok(Request::ChangeDhcpLeases(change));
    match words {
        ["start", ranges, rest @ ..] => start(ranges, rest).map(Request::StartDhcpServer),
        ["stop"] => Ok(Request::StopDhcpServer(())),
        ["reserve", address, client] => change(LeaseChange::Reserve(Reservation {
            address: value(address)?,
            client: value(client)?,
        })),
        ["unreserve", address] => change(LeaseChange::Unreserve(value(address)?)),
        ["lease", address, client, seconds, rest @ ..] => {
            let mut lease = NewLease {
                address: value(address)?,
                client: value(client)?,
                hardware_address: None,
                name: None,
                seconds: value(seconds)?,
            };
            for [key, word] in pairs(rest)? {
                match *key {
                    "mac" => lease.hardware_address = Some(value(word)?),
                    "name" => lease.name = Some((*word).into()),
                    _ => return Err(Error::InvalidInput),
                }
            }
            change(LeaseChange::Put(lease))
        }
        ["end", address] => change(LeaseChange::End(value(address)?)),
        _ => Err(Error::InvalidInput),
    }
}

/// `dhcp server start`, whose words after the ranges are pairs.
fn start(ranges: &str, rest: &[&str]) -> Result<DhcpServerOptions, Error> {
    let mut options = DhcpServerOptions {
        ranges: list(ranges)?,
        lease_seconds: DhcpServerOptions::LEASE_SECONDS,
        ..DhcpServerOptions::default()
    };
    for [key, word] in pairs(rest)? {
        match *key {
            "lease" => options.lease_seconds = value(word)?,
            "router" => options.routers = list(word)?,
            "dns" => options.dns_servers = list(word)?,
            "domain" => options.domain = Some((*word).into()),
            "options" => options.options = list(word)?,
            "authoritative" => options.authoritative = switch(word)?,
            "check" => options.skip_check = !switch(word)?,
            "single-client" => options.single_client = switch(word)?,
            _ => return Err(Error::InvalidInput),
        }
    }
    Ok(options)
}
