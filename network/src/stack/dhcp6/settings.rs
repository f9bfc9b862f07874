//! What client and server can be told, and their identifiers.

use alloc::string::String;
use core::net::Ipv6Addr;

use devnet_virtual_file_system::Error;

use crate::address::Prefix;
use crate::command::dhcp6::{Dhcp6ClientOptions, Dhcp6ServerOptions, Downstream, Duid};
use crate::command::interface::is_name;
use crate::dns_message::check_name;
use crate::driver::Medium;
use crate::limits;
use crate::stack::context::Context;

/// The identifier of the system: one that was given, or that by the interface's own hardware
/// address, which stays when a command sets another one (RFC 8415 §11.4).
pub(super) fn duid(cx: &Context, options: &Dhcp6ClientOptions) -> Option<Duid> {
    let own = cx.configuration.own_hardware_address;
    options.duid.clone().or_else(|| own.map(Duid::of_hardware))
}

/// The identifier of the interface: one that was given, or the last bytes of its own hardware
/// address.
pub(super) fn iaid(cx: &Context, options: &Dhcp6ClientOptions) -> u32 {
    let last = cx.configuration.own_hardware_address.and_then(|own| own.0.last_chunk().copied());
    options.iaid.unwrap_or_else(|| last.map_or(0, u32::from_be_bytes))
}

fn check_medium(cx: &Context) -> Result<(), Error> {
    let is_ethernet = cx.configuration.capabilities.medium == Medium::Ethernet;
    if is_ethernet && cx.configuration.own_hardware_address.is_some() {
        Ok(())
    } else {
        Err(Error::Unsupported)
    }
}

/// Whether the client can be told this.
///
/// # Errors
/// `InvalidInput` for a hint that no network has and an identifier that is none; `Unsupported` on
/// media without hardware addresses.
pub(super) fn check_client(cx: &Context, options: &Dhcp6ClientOptions) -> Result<(), Error> {
    check_medium(cx)?;
    let is_hint = |hint: &Prefix| {
        let address = hint.address();
        hint.is_valid()
            && address.is_ipv6()
            && (1..=64).contains(&hint.length())
            && !address.is_multicast()
            && hint.network() == *hint
    };
    let is_possible = options.hint.as_ref().is_none_or(is_hint)
        && options.duid.as_ref().is_none_or(Duid::is_valid);
    if is_possible { Ok(()) } else { Err(Error::InvalidInput) }
}

/// Whether the server can tell this.
///
/// # Errors
/// `InvalidInput` for what is no host, domain or time; `NoBufferSpace` for too many; `Unsupported`
/// on media without hardware addresses.
pub(super) fn check_server(cx: &Context, options: &Dhcp6ServerOptions) -> Result<(), Error> {
    check_medium(cx)?;
    let is_host = |server: &Ipv6Addr| !server.is_unspecified() && !server.is_multicast();
    let is_domain = |name: &String| !name.is_empty() && check_name(name).is_ok();
    if options.dns_servers.len() > limits::DNS_SERVERS
        || options.domains.len() > limits::SEARCH_DOMAINS
    {
        return Err(Error::NoBufferSpace);
    }
    let is_possible = options.dns_servers.iter().all(is_host)
        && options.domains.iter().all(is_domain)
        && options.refresh_seconds >= limits::DHCP6_REFRESH_SECONDS;
    if is_possible { Ok(()) } else { Err(Error::InvalidInput) }
}

/// Whether an interface can get networks so.
///
/// # Errors
/// `InvalidInput` for what is no other interface; `Unsupported` on media without hardware
/// addresses.
pub(super) fn check_downstream(cx: &Context, downstream: &Downstream) -> Result<(), Error> {
    check_medium(cx)?;
    let is_other = is_name(&downstream.uplink) && downstream.uplink != cx.configuration.name;
    if is_other { Ok(()) } else { Err(Error::InvalidInput) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::context::tests::ethernet;

    #[test]
    fn a_hint_is_a_prefix_that_a_network_can_have() {
        let cx = ethernet();
        for (hint, is_good) in [
            ("::/56", true),
            ("2001:db8::/48", true),
            ("2001:db8::1/48", false),
            ("2001:db8::/65", false),
            ("ff02::/64", false),
            ("10.0.0.0/8", false),
            ("::/0", false),
        ] {
            let hint = Some(hint.parse().unwrap());
            let options = Dhcp6ClientOptions { hint, ..Dhcp6ClientOptions::default() };
            assert_eq!(check_client(&cx, &options).is_ok(), is_good, "{hint:?}");
        }
    }

    #[test]
    fn identifiers_are_of_the_hardware_that_the_driver_came_with() {
        let mut cx = ethernet();
        let options = Dhcp6ClientOptions::default();
        let (own, number) = (duid(&cx, &options), iaid(&cx, &options));
        assert_eq!(own.as_ref().map(|own| own.0.len()), Some(10));
        cx.configuration.hardware_address = None;
        assert_eq!((duid(&cx, &options), iaid(&cx, &options)), (own, number));
        assert_eq!(number, 1);
    }
}
