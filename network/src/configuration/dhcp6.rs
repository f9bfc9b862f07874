//! The lines about DHCPv6.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use super::DesiredDhcp6;
use super::words::{list, switch};
use crate::command::dhcp6::{Dhcp6ClientOptions, Dhcp6ServerOptions, Downstream};

/// The lines of one interface.
pub(super) fn lines(desired: &DesiredDhcp6) -> impl Iterator<Item = String> {
    let client = (desired.client != Dhcp6ClientOptions::default()).then(|| client(&desired.client));
    let server = desired.server.as_ref().map(server);
    client.into_iter().chain(server).chain(desired.downstream.as_ref().map(downstream))
}

fn client(options: &Dhcp6ClientOptions) -> String {
    let mut line = format!("dhcp6 client {}", options.mode);
    // Writing to a string does not fail.
    if options.prefixes {
        line.push_str(" prefixes on");
    }
    if let Some(hint) = options.hint {
        let _ = write!(line, " hint {hint}");
    }
    if let Some(duid) = &options.duid {
        let _ = write!(line, " duid {duid}");
    }
    if let Some(iaid) = options.iaid {
        let _ = write!(line, " iaid {iaid}");
    }
    if options.rapid_commit {
        line.push_str(" rapid-commit on");
    }
    line
}

fn server(options: &Dhcp6ServerOptions) -> String {
    let mut line = String::from("dhcp6 server on");
    list(&mut line, "dns", &options.dns_servers);
    list(&mut line, "domains", &options.domains);
    let _ = write!(line, " refresh {}", options.refresh_seconds);
    line
}

fn downstream(asked: &Downstream) -> String {
    let Downstream { uplink, subnet, advertise } = asked;
    format!("dhcp6 downstream {uplink} subnet {subnet} advertise {}", switch(*advertise))
}
