//! Networks of an uplink's prefixes in what is advertised. Pure functions.

use alloc::boxed::Box;

use crate::command::router::{AdvertisedPrefix, RouterAdvertisement, RouterSettings};
use crate::limits;
use crate::platform::Instant;
use crate::stack::delegations::TimedPrefix;

/// What commands ask for with these networks. Without commands this system is no default router: it
/// does not forward.
pub(super) fn with(
    asked: Option<&RouterAdvertisement>,
    networks: &[TimedPrefix],
) -> Option<Box<RouterAdvertisement>> {
    let settings = RouterSettings { lifetime_seconds: 0, ..RouterSettings::default() };
    let alone = || RouterAdvertisement { settings, ..RouterAdvertisement::default() };
    let mut what = match asked {
        Some(asked) => asked.clone(),
        None if networks.is_empty() => return None,
        None => alone(),
    };
    for network in networks {
        let known = |one: &AdvertisedPrefix| one.prefix == network.prefix;
        if !what.prefixes.iter().any(known) && what.prefixes.len() < limits::ADVERTISED_PREFIXES {
            what.prefixes.push(AdvertisedPrefix::new(network.prefix));
        }
    }
    what.prefixes.sort_by_key(|one| one.prefix);
    Some(Box::new(what))
}

/// The same with the lifetimes that are left: nothing is advertised for longer than it was
/// delegated for (RFC 8415 §6.3).
pub(super) fn now(
    what: &RouterAdvertisement,
    networks: &[TimedPrefix],
    now: Instant,
) -> RouterAdvertisement {
    let mut what = what.clone();
    for one in &mut what.prefixes {
        let network = networks.iter().find(|network| network.prefix == one.prefix);
        if let Some((preferred, valid)) = network.map(|network| network.seconds(now)) {
            one.preferred_seconds = one.preferred_seconds.min(preferred);
            one.valid_seconds = one.valid_seconds.min(valid);
        }
    }
    what
}
