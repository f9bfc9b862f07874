//! The output of `dns multicast` and `dns browse`, in our own layout.

use devnet_network::command::mdns::{FoundService, MulticastDnsMode, MulticastDnsStatus};

use super::append;
use crate::shown;

/// What interfaces do with multicast DNS, with their names and services.
#[must_use]
pub fn multicast(all: &[MulticastDnsStatus]) -> String {
    let mut text = String::new();
    for status in all {
        append(&mut text, format_args!("{}: {}", status.interface, status.mode));
        if status.mode == MulticastDnsMode::On {
            let name = shown::line(&status.name);
            append(&mut text, format_args!(" {name}.local {}", status.state));
        }
        text.push('\n');
        for published in &status.services {
            let service = &published.service;
            let (name, kind) = (shown::line(&published.name), shown::line(&service.service_type));
            let (port, state) = (service.port, published.state);
            append(&mut text, format_args!("  {kind} {port} {state} {name}\n"));
        }
    }
    text
}

/// Services of the link, one a line.
#[must_use]
pub fn services(found: &[FoundService]) -> String {
    let mut text = String::new();
    for service in found {
        let (kind, name) = (shown::line(&service.service_type), shown::line(&service.instance));
        append(&mut text, format_args!("{} {kind} {name}\n", service.interface));
        if !service.host.is_empty() {
            let host = shown::line(&service.host);
            append(&mut text, format_args!("  {host} port {}", service.port));
            for address in &service.addresses {
                append(&mut text, format_args!(" {address}"));
            }
            text.push('\n');
        }
        for string in &service.text {
            let string = String::from_utf8_lossy(string);
            append(&mut text, format_args!("  {}\n", shown::line(&string)));
        }
    }
    text
}
