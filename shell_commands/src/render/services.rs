//! The output of `dns multicast`, `dns browse` and `dns watch`, in our own layout.

use devnet_network::command::event::Change;
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

/// Services of the link, each with what it says.
#[must_use]
pub fn services(found: &[FoundService]) -> String {
    found.iter().fold(String::new(), |mut text, service| {
        append_service(&mut text, service);
        text
    })
}

/// What happened to a service: `+` before one that is there or comes, `=` before one that has
/// changed, `-` before one that is lost.
#[must_use]
pub fn change(change: Change, service: &FoundService) -> String {
    let mut text = String::from(match change {
        Change::Present | Change::Added => "+ ",
        Change::Changed => "= ",
        Change::Removed => "- ",
    });
    match change {
        Change::Removed => append_name(&mut text, service),
        _ => append_service(&mut text, service),
    }
    text
}

fn append_name(text: &mut String, service: &FoundService) {
    let (kind, name) = (shown::line(&service.service_type), shown::line(&service.instance));
    append(text, format_args!("{} {kind} {name}\n", service.interface));
}

fn append_service(text: &mut String, service: &FoundService) {
    append_name(text, service);
    if !service.host.is_empty() {
        let host = shown::line(&service.host);
        append(text, format_args!("  {host} port {}", service.port));
        for address in &service.addresses {
            append(text, format_args!(" {address}"));
        }
        text.push('\n');
    }
    for string in &service.text {
        let string = String::from_utf8_lossy(string);
        append(text, format_args!("  {}\n", shown::line(&string)));
    }
}
