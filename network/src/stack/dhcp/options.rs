//! Options whose values have a form of their own.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use devnet_virtual_file_system::Error;

use crate::address::Prefix;
use crate::command::dhcp::DhcpClientOptions;
use crate::command::dhcp_server::RawOption;
use crate::dhcp_message::{DhcpMessage, option};
use crate::dns_message::{check_name, name};
use crate::limits;

/// Options that the client always asks for, in the order of preference: routes before the router
/// (RFC 3442).
const WANTED: [u8; 9] = [
    option::SUBNET_MASK,
    option::CLASSLESS_ROUTES,
    option::MICROSOFT_ROUTES,
    option::ROUTER,
    option::DNS_SERVERS,
    option::DOMAIN,
    option::SEARCH_LIST,
    option::RENEWAL_TIME,
    option::REBINDING_TIME,
];

/// The parameter request list.
pub(super) fn wanted(options: &DhcpClientOptions) -> Vec<u8> {
    let mut list = WANTED.to_vec();
    let ipv6_only = options.ipv6_only.then_some(option::IPV6_ONLY);
    for code in options.request.iter().copied().chain(ipv6_only) {
        if !list.contains(&code) {
            list.push(code);
        }
    }
    list
}

/// Checks what the client is told to send.
///
/// # Errors
/// `InvalidInput` for names and options that do not fit, `NoBufferSpace` for too many.
pub(super) fn check(options: &DhcpClientOptions) -> Result<(), Error> {
    let is_bad = |name: &String| {
        name.is_empty()
            || name.len() > limits::HOSTNAME_BYTES
            || !name.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let is_bad_identifier = |bytes: &Vec<u8>| !(2..=255).contains(&bytes.len());
    // Padding, ends, and what the client makes itself.
    let is_own = |code: u8| matches!(code, 0 | 12 | 50..=55 | 57..=61 | 82 | 255);
    let is_bad_option = |(place, sent): (usize, &RawOption)| {
        is_own(sent.code)
            || sent.value.is_empty()
            || options.send.iter().take(place).any(|known| known.code == sent.code)
    };
    if options.hostname.as_ref().is_some_and(is_bad)
        || options.vendor_class.as_ref().is_some_and(is_bad)
        || options.identifier.as_ref().is_some_and(is_bad_identifier)
        || options.request.iter().any(|code| matches!(code, 0 | 255))
        || options.send.iter().enumerate().any(is_bad_option)
    {
        return Err(Error::InvalidInput);
    }
    let bytes: usize = options.send.iter().map(|sent| sent.value.len()).sum();
    if options.request.len() > limits::DHCP_REQUESTED_OPTIONS
        || options.send.len() > limits::DHCP_SENT_OPTIONS
        || bytes > limits::DHCP_SENT_BYTES
    {
        return Err(Error::NoBufferSpace);
    }
    Ok(())
}

/// A route of a lease: destination, and gateway unless it is on-link.
pub(super) type LeasedRoute = (Prefix, Option<Ipv4Addr>);

/// The routes of a lease for `address`: those of the classless static route option if it can be
/// read, and only then not those of the router option (RFC 3442). The number that Microsoft's
/// servers use for it comes second.
pub(super) fn routes(message: &DhcpMessage, address: Ipv4Addr) -> Vec<LeasedRoute> {
    let is_gateway = |gateway: Ipv4Addr| is_unicast_host(gateway) && gateway != address;
    let listed = [option::CLASSLESS_ROUTES, option::MICROSOFT_ROUTES]
        .iter()
        .find_map(|code| classless_routes(message.option(*code)?));
    match listed {
        Some(routes) => routes
            .into_iter()
            .filter(|(_, gateway)| gateway.is_none_or(is_gateway))
            .filter(|(destination, _)| !destination.address().is_loopback())
            .take(limits::LEASED_ROUTES)
            .collect(),
        None => message
            .address_options(option::ROUTER)
            .find(|router| is_gateway(*router))
            .map(|router| (Prefix::DEFAULT_IPV4, Some(router)))
            .into_iter()
            .collect(),
    }
}

/// The descriptors of a classless static route option: width of the mask, significant octets of the
/// destination, gateway; bits beyond the mask are cleared. `None` when one is malformed or there is
/// none.
fn classless_routes(mut bytes: &[u8]) -> Option<Vec<LeasedRoute>> {
    let mut routes = Vec::new();
    while let [width, rest @ ..] = bytes {
        let (significant, rest) = rest.split_at_checked(usize::from(width.div_ceil(8)))?;
        let (gateway, rest) = rest.split_first_chunk::<4>()?;
        let mut octets = [0; 4];
        octets.get_mut(..significant.len())?.copy_from_slice(significant);
        let destination = Prefix::new(IpAddr::from(octets), *width).ok()?.network();
        let gateway = Ipv4Addr::from_octets(*gateway);
        routes.push((destination, (!gateway.is_unspecified()).then_some(gateway)));
        bytes = rest;
    }
    (!routes.is_empty()).then_some(routes)
}

/// The domain of a lease, or several with spaces between, as some servers send; `None` unless each
/// may be the name of a host.
pub(super) fn domain(message: &DhcpMessage) -> Option<String> {
    let text = core::str::from_utf8(message.option(option::DOMAIN)?).ok()?.trim_end_matches('\0');
    let is_valid = !text.is_empty() && text.split(' ').all(|word| check_name(word).is_ok());
    is_valid.then(|| String::from(text))
}

/// The search list of a lease: the domain search option (RFC 3397), else the domain, of which some
/// servers send several with spaces between.
pub(super) fn search_list(message: &DhcpMessage) -> Vec<String> {
    let listed = message.option(option::SEARCH_LIST).map(name::read_list).unwrap_or_default();
    if !listed.is_empty() {
        return listed;
    }
    let text = message.option(option::DOMAIN).and_then(|bytes| core::str::from_utf8(bytes).ok());
    let words = text.into_iter().flat_map(|text| text.trim_end_matches('\0').split_whitespace());
    let domains = words.filter_map(|word| {
        check_name(word).ok()?;
        Some(name::without_dot(word).to_ascii_lowercase())
    });
    domains.take(limits::SEARCH_DOMAINS).collect()
}

/// True for a unicast address.
pub(super) fn is_unicast_host(address: Ipv4Addr) -> bool {
    !(address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_loopback())
}

/// True for an address that a host can have in this network.
pub(super) fn is_leasable(prefix: Prefix, address: Ipv4Addr) -> bool {
    let is_reserved = address.octets().first().is_some_and(|first| *first == 0 || *first >= 240);
    let is_network = prefix.length() < 31 && prefix.network().address() == IpAddr::V4(address);
    is_unicast_host(address) && !is_reserved && !is_network && prefix.broadcast() != Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::HardwareAddress;
    use crate::dhcp_message::MessageKind;

    fn message(code: u8, value: &[u8]) -> DhcpMessage {
        let hardware = HardwareAddress([2, 0, 0, 0, 0, 1]);
        let mut message = DhcpMessage::new(MessageKind::Acknowledge, 1, hardware);
        message.push(code, value);
        message.push(option::ROUTER, &[10, 0, 0, 1]);
        message
    }

    fn gateways(message: &DhcpMessage) -> Vec<Option<Ipv4Addr>> {
        let routes = routes(message, Ipv4Addr::new(10, 0, 0, 5));
        routes.into_iter().map(|(_, gateway)| gateway).collect()
    }

    #[test]
    fn no_truncation_panics_and_a_cut_list_counts_as_none() {
        let list = [24, 192, 168, 2, 10, 0, 0, 9, 0, 10, 0, 0, 7];
        for length in 0..list.len() {
            let expected = if length == 8 { [10, 0, 0, 9] } else { [10, 0, 0, 1] };
            let cut = message(option::CLASSLESS_ROUTES, &list[..length]);
            assert_eq!(gateways(&cut), [Some(Ipv4Addr::from(expected))], "{length}");
        }
    }

    #[test]
    fn the_option_of_microsoft_counts_without_the_standard_one() {
        let mut both = message(option::MICROSOFT_ROUTES, &[0, 10, 0, 0, 7]);
        assert_eq!(gateways(&both), [Some(Ipv4Addr::new(10, 0, 0, 7))]);
        both.push(option::CLASSLESS_ROUTES, &[0, 10, 0, 0, 8]);
        assert_eq!(gateways(&both), [Some(Ipv4Addr::new(10, 0, 0, 8))]);
    }

    #[test]
    fn the_routes_of_a_lease_are_bounded() {
        let list = [8, 11, 10, 0, 0, 9].repeat(2 * limits::LEASED_ROUTES);
        assert_eq!(
            gateways(&message(option::CLASSLESS_ROUTES, &list)).len(),
            limits::LEASED_ROUTES
        );
    }
}
