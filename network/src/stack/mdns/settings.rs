//! What commands may ask of multicast DNS.

use devnet_virtual_file_system::Error;

use crate::command::mdns::{LocalService, MulticastDnsOption, ServiceChange};
use crate::configuration::DesiredMulticastDns;
use crate::limits;
use crate::stack::context::Context;

/// The name of a host that was given none.
const HOST_NAME: &str = "devnet";
/// Bytes of a label (RFC 1035 §2.3.4).
const LABEL_BYTES: usize = 63;
/// Bytes of a string of a TXT record.
const STRING_BYTES: usize = 255;
/// Bytes of the name of a service (RFC 6335 §5.1).
const SERVICE_BYTES: usize = 15;

/// The label of the host.
pub(super) fn host_label(asked: &str) -> &str {
    if asked.is_empty() { HOST_NAME } else { asked }
}

/// Sets an option.
///
/// # Errors
/// `InvalidInput` for a name that no host has, `Unsupported` on an interface that reaches this
/// system only.
pub(super) fn set(
    asked: &mut DesiredMulticastDns,
    cx: &Context,
    option: &MulticastDnsOption,
) -> Result<(), Error> {
    check_medium(cx)?;
    match option {
        MulticastDnsOption::Mode(mode) => asked.mode = *mode,
        MulticastDnsOption::HostName(name) if name.is_empty() || is_host_label(name) => {
            asked.host_name.clone_from(name);
        }
        MulticastDnsOption::HostName(_) => return Err(Error::InvalidInput),
    }
    Ok(())
}

/// Publishes or withdraws a service.
///
/// # Errors
/// As [`publish`]; `NotFound` for one to withdraw that is not there.
pub(super) fn change_services(
    asked: &mut DesiredMulticastDns,
    cx: &Context,
    change: &ServiceChange,
) -> Result<(), Error> {
    match change {
        ServiceChange::Publish(service) => publish(asked, cx, service),
        ServiceChange::Withdraw { instance, service_type } => {
            check_medium(cx)?;
            let place = place_of(asked, instance, service_type).ok_or(Error::NotFound)?;
            asked.services.remove(place);
            Ok(())
        }
    }
}

/// Publishes a service, in the place of the former of its name and type.
///
/// # Errors
/// `InvalidInput` for a name, type or text that no service has, `NoBufferSpace` for too many,
/// `Unsupported` on an interface that reaches this system only.
pub(super) fn publish(
    asked: &mut DesiredMulticastDns,
    cx: &Context,
    service: &LocalService,
) -> Result<(), Error> {
    check_medium(cx)?;
    let LocalService { instance, service_type, text, .. } = service;
    let is_text = text.iter().all(|one| (1..=STRING_BYTES).contains(&one.len()))
        && text.iter().map(|one| one.len() + 1).sum::<usize>() <= limits::MDNS_TEXT_BYTES;
    if !is_instance(instance) || !is_announced_type(service_type) || !is_text {
        return Err(Error::InvalidInput);
    }
    let place = place_of(asked, instance, service_type);
    let count = asked.services.len();
    match place.and_then(|place| asked.services.get_mut(place)) {
        Some(known) => known.clone_from(service),
        None if count >= limits::MDNS_SERVICES => return Err(Error::NoBufferSpace),
        None => asked.services.push(service.clone()),
    }
    Ok(())
}

fn check_medium(cx: &Context) -> Result<(), Error> {
    if cx.is_loopback() { Err(Error::Unsupported) } else { Ok(()) }
}

fn place_of(asked: &DesiredMulticastDns, instance: &str, service_type: &str) -> Option<usize> {
    asked.services.iter().position(|known| {
        known.instance.eq_ignore_ascii_case(instance)
            && base_type(&known.service_type).eq_ignore_ascii_case(base_type(service_type))
    })
}

fn is_host_label(label: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LABEL_BYTES).contains(&label.len())
        && label.bytes().all(is_plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Any text without control characters (RFC 6763 §4.1.1).
fn is_instance(name: &str) -> bool {
    (1..=LABEL_BYTES).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// The type without its subtypes, of `_http._tcp,_printer` the first.
pub(super) fn base_type(text: &str) -> &str {
    text.split(',').next().unwrap_or(text)
}

/// The subtypes of a type (RFC 6763 §7.1).
pub(super) fn subtypes(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').skip(1)
}

/// True for a type, alone or with different subtypes.
fn is_announced_type(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_subtype = |label: &str| {
        (2..=LABEL_BYTES).contains(&label.len())
            && label.starts_with('_')
            && label.bytes().all(is_plain)
    };
    let is_new = |(place, label): (usize, &str)| {
        let mut former = subtypes(text).take(place);
        is_subtype(label) && !former.any(|known| known.eq_ignore_ascii_case(label))
    };
    is_service_type(base_type(text))
        && subtypes(text).count() <= limits::MDNS_SUBTYPES
        && subtypes(text).enumerate().all(is_new)
}

/// True for `_NAME._tcp` and `_NAME._udp` (RFC 6763 §7, RFC 6335 §5.1).
fn is_service_type(text: &str) -> bool {
    let Some((name, protocol)) = text.strip_prefix('_').and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    let is_protocol =
        protocol.eq_ignore_ascii_case("_tcp") || protocol.eq_ignore_ascii_case("_udp");
    is_protocol
        && name.len() <= SERVICE_BYTES
        && is_host_label(name)
        && !name.contains("--")
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
}
