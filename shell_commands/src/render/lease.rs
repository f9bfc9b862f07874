//! The output of `dhcp`, `dhcpd` and `dns`, in our own layout.

use std::net::IpAddr;

use devnet_network::command::address::Origin;
use devnet_network::command::dhcp::{DhcpLease, DhcpStatus};
use devnet_network::command::dhcp_server::{DhcpServerStatus, RawOption, ServerLease};
use devnet_network::command::dns::{CacheEntry, DnsSecurity, DnsServer, SecureServer};
use devnet_network::dns_message::ResponseCode;

use super::append;
use crate::shown;

/// The one line of a lease, as `dhcp IF` prints it.
#[must_use]
pub fn bound(interface: &str, lease: &DhcpLease) -> String {
    let mut text = format!("{interface}: bound {} from {}", lease.address, lease.server);
    if let Some(router) = lease.router {
        append(&mut text, format_args!(", router {router}"));
    }
    for (index, server) in lease.dns_servers.iter().enumerate() {
        append(&mut text, format_args!("{}{server}", if index == 0 { ", dns " } else { " " }));
    }
    append(&mut text, format_args!(", lease {}s\n", lease.lease_seconds));
    text
}

/// The client's state and lease, as `dhcp status IF` prints them.
#[must_use]
pub fn status(interface: &str, status: &DhcpStatus) -> String {
    let mut text = format!("{interface}: {}", status.state);
    if let Some(lease) = &status.lease {
        append(&mut text, format_args!(" {} from {}", lease.address, lease.server));
        if let Some(router) = lease.router {
            append(&mut text, format_args!(", router {router}"));
        }
        for (index, server) in lease.dns_servers.iter().enumerate() {
            append(&mut text, format_args!("{}{server}", if index == 0 { ", dns " } else { " " }));
        }
        if let Some(domain) = &lease.domain {
            append(&mut text, format_args!(", domain {}", shown::line(domain)));
        }
        append(
            &mut text,
            format_args!(
                ", lease {}s, renew in {}s, rebind in {}s, ends in {}s",
                lease.lease_seconds,
                lease.renew_seconds,
                lease.rebind_seconds,
                lease.remaining_seconds
            ),
        );
    }
    if status.attempts > 0 {
        append(&mut text, format_args!(", attempts {}", status.attempts));
    }
    text.push('\n');
    text
}

/// The options of a lease by number, as `dhcp options IF` prints them.
#[must_use]
pub fn options(options: &[RawOption]) -> String {
    options.iter().map(|option| format!("{option}\n")).collect()
}

/// The server's settings and statistics, as `dhcpd status IF` prints them.
#[must_use]
pub fn server(interface: &str, status: &DhcpServerStatus) -> String {
    let Some(server) = status.server else { return format!("{interface}: stopped\n") };
    let (options, counted) = (&status.options, &status.statistics);
    let mut text = format!("{interface}: serves ");
    for (index, range) in options.ranges.iter().enumerate() {
        append(&mut text, format_args!("{}{range}", if index == 0 { "" } else { "," }));
    }
    append(&mut text, format_args!(" as {server}, lease {}s", options.lease_seconds));
    for (word, list) in [("router", &options.routers), ("dns", &options.dns_servers)] {
        for (index, address) in list.iter().enumerate() {
            let start = if index == 0 { format!(", {word}") } else { String::new() };
            append(&mut text, format_args!("{start} {address}"));
        }
    }
    if let Some(domain) = &options.domain {
        append(&mut text, format_args!(", domain {}", shown::line(domain)));
    }
    for option in &options.options {
        append(&mut text, format_args!(", option {option}"));
    }
    for (is_on, word) in [
        (options.authoritative, "authoritative"),
        (options.skip_check, "no check"),
        (options.single_client, "single client"),
    ] {
        if is_on {
            append(&mut text, format_args!(", {word}"));
        }
    }
    append(
        &mut text,
        format_args!(
            "\n  leases {} expired {} conflicts {} exhausted {} relayed {}\n  \
             received discover {} request {} decline {} release {} inform {}\n  \
             sent offer {} ack {} nak {}\n",
            status.leases,
            counted.expirations,
            counted.conflicts,
            counted.exhausted,
            counted.relayed,
            counted.discovers,
            counted.requests,
            counted.declines,
            counted.releases,
            counted.informs,
            counted.offers,
            counted.acknowledgements,
            counted.refusals
        ),
    );
    text
}

/// The leases of a server, one a line.
#[must_use]
pub fn leases(leases: &[ServerLease]) -> String {
    let mut text = String::new();
    for lease in leases {
        // Neither fills its place by itself.
        let (address, state) = (lease.address.to_string(), lease.state.to_string());
        append(&mut text, format_args!("{address:<15} {state:<8} {}", lease.client));
        if let Some(name) = &lease.name {
            append(&mut text, format_args!(" {}", shown::line(name)));
        }
        if lease.reserved {
            text.push_str(" static");
        }
        if let Some(seconds) = lease.remaining_seconds {
            append(&mut text, format_args!(" {seconds}s"));
        }
        text.push('\n');
    }
    text
}

/// The DNS servers in the order of queries.
#[must_use]
pub fn dns_servers(servers: &[DnsServer]) -> String {
    let mut text = String::new();
    for server in servers {
        append(&mut text, format_args!("{}", server.address));
        // The address alone is that of another host on each link (RFC 4007 §11).
        if matches!(server.address, IpAddr::V6(address) if address.is_unicast_link_local())
            && !server.interface.is_empty()
        {
            append(&mut text, format_args!("%{}", server.interface));
        }
        if !server.interface.is_empty() {
            append(&mut text, format_args!(" dev {}", server.interface));
        }
        append(&mut text, format_args!(" {}\n", origin(server.origin)));
    }
    text
}

/// The servers that are asked over TLS, a line each.
#[must_use]
pub fn dns_security(security: &DnsSecurity) -> String {
    let mut text = String::new();
    for SecureServer { address, name, port } in &security.servers {
        append(&mut text, format_args!("{address} {} port {port}\n", shown::line(name)));
    }
    if security.is_required {
        text.push_str("required\n");
    }
    text
}

/// The answers that are kept, a line for each record.
#[must_use]
pub fn dns_cache(kept: &[CacheEntry]) -> String {
    let mut text = String::new();
    for entry in kept {
        let CacheEntry { name, record_type, code, seconds, server, records, .. } = entry;
        let head = format!("{} {record_type} {seconds}s from {server}", shown::line(name));
        if records.is_empty() {
            let code = ResponseCode::from(*code);
            append(&mut text, format_args!("{head}: {code}\n"));
        }
        for record in records {
            let data = record.data.to_string();
            append(
                &mut text,
                format_args!("{head}: {} {}\n", record.record_type, shown::line(&data)),
            );
        }
    }
    text
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Static => "static",
        Origin::Dhcp => "dhcp",
        Origin::RouterAdvertisement => "ra",
        Origin::Kernel => "kernel",
    }
}

#[cfg(test)]
mod tests {
    use devnet_network::command::dhcp::DhcpState;

    use super::*;
    use crate::render::samples;

    #[test]
    fn a_lease_is_one_line() {
        let lease = samples::lease();
        assert_eq!(
            bound("eth0", &lease),
            "eth0: bound 10.0.2.15/24 from 10.0.2.2, router 10.0.2.2, dns 10.0.2.3 10.0.2.4, \
             lease 3600s\n"
        );
        let bare = DhcpLease { router: None, dns_servers: vec![], ..lease.clone() };
        assert_eq!(bound("eth0", &bare), "eth0: bound 10.0.2.15/24 from 10.0.2.2, lease 3600s\n");
        let known = DhcpStatus { state: DhcpState::Bound, lease: Some(lease), attempts: 0 };
        assert_eq!(
            status("eth0", &known),
            "eth0: bound 10.0.2.15/24 from 10.0.2.2, router 10.0.2.2, dns 10.0.2.3 10.0.2.4, \
             domain lan, lease 3600s, renew in \
             1740s, rebind in 3000s, ends in 3500s\n"
        );
        let waiting = DhcpStatus { state: DhcpState::Selecting, lease: None, attempts: 3 };
        assert_eq!(status("eth0", &waiting), "eth0: selecting, attempts 3\n");
    }

    #[test]
    fn servers_have_interface_and_origin() {
        let servers = [
            DnsServer {
                address: "10.0.2.3".parse().unwrap(),
                origin: Origin::Dhcp,
                interface: "eth0".into(),
            },
            DnsServer {
                address: "fd00::1".parse().unwrap(),
                origin: Origin::Static,
                interface: String::new(),
            },
        ];
        assert_eq!(dns_servers(&servers), "10.0.2.3 dev eth0 dhcp\nfd00::1 static\n");
    }
}
