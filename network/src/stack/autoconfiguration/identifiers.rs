//! The lower halves of addresses: from the hardware address (RFC 4291 appendix A), stable and
//! opaque (RFC 7217), or random (RFC 8981 §3.3.1). Pure functions.

use core::hash::Hasher;
use core::net::{IpAddr, Ipv6Addr};

use siphasher::sip::SipHasher24;

use crate::address::{HardwareAddress, Prefix};
use crate::command::autoconfiguration::{Identifiers, StableSecret};
use crate::stack::context::Context;

/// The identifier of the modified EUI-64.
pub(super) const fn of_hardware(address: HardwareAddress) -> u64 {
    (address.link_local().to_bits() & u64::MAX as u128) as u64
}

/// The stable identifier of a network, by its upper half; `collisions` counts the identifiers that
/// another host had before (RFC 7217 §5).
fn stable(secret: StableSecret, own: HardwareAddress, network: u64, collisions: u8) -> u64 {
    let drawn = |again: u8| {
        let mut hasher = SipHasher24::new_with_key(&secret.0);
        hasher.write(&network.to_be_bytes());
        hasher.write(&own.0);
        hasher.write(&[collisions, again]);
        hasher.finish()
    };
    // Each is reserved with a chance of one to 2^48.
    (0..=u8::MAX).map(drawn).find(|identifier| !is_reserved(*identifier)).unwrap_or(u64::MAX)
}

/// A random identifier.
pub(super) fn random(cx: &mut Context) -> u64 {
    loop {
        let identifier = cx.random.u64();
        if !is_reserved(identifier) {
            return identifier;
        }
    }
}

/// The address with this identifier in the network of another one.
pub(super) fn joined(network: Ipv6Addr, identifier: u64) -> Option<Prefix> {
    let bits = u128::from(upper(network)) << 64 | u128::from(identifier);
    Prefix::new(IpAddr::V6(Ipv6Addr::from_bits(bits)), 64).ok()
}

/// The upper half of an address.
const fn upper(address: Ipv6Addr) -> u64 {
    (address.to_bits() >> 64) as u64
}

/// The address that is formed in the network of another one; none without a hardware address.
pub(super) fn formed(cx: &Context, network: Ipv6Addr, collisions: u8) -> Option<Prefix> {
    let configuration = &cx.configuration;
    let hardware = configuration.hardware_address?;
    let settings = &configuration.options.autoconfiguration;
    let identifier = match (settings.identifiers(), settings.secret) {
        (Identifiers::Stable, Some(secret)) => {
            let own = configuration.own_hardware_address.unwrap_or(hardware);
            stable(secret, own, upper(network), collisions)
        }
        _ => of_hardware(hardware),
    };
    joined(network, identifier)
}

/// True for identifiers that no interface may have: the router of the subnet, those of Ethernet
/// blocks of IANA, and the anycast ones (RFC 5453).
const fn is_reserved(identifier: u64) -> bool {
    identifier == 0
        || identifier >> 32 == 0x0200_5eff && identifier as u32 >= 0xfe00_0000
        || identifier >= 0xfdff_ffff_ffff_ff80 && identifier <= 0xfdff_ffff_ffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: HardwareAddress = HardwareAddress([2, 0, 0, 0, 0, 1]);

    #[test]
    fn stable_identifiers_depend_on_everything_that_they_should() {
        let of = |secret: u8, own, network, collisions| {
            stable(StableSecret([secret; 16]), own, network, collisions)
        };
        let first = of(1, OWN, 7, 0);
        assert_eq!(of(1, OWN, 7, 0), first);
        let others = [
            of(2, OWN, 7, 0),
            of(1, HardwareAddress([2, 0, 0, 0, 0, 2]), 7, 0),
            of(1, OWN, 8, 0),
            of(1, OWN, 7, 1),
        ];
        for (place, other) in others.iter().enumerate() {
            assert_ne!(*other, first);
            assert!(!others[..place].contains(other));
        }
    }

    #[test]
    fn nobody_gets_a_reserved_identifier() {
        for reserved in [
            0,
            0x0200_5eff_fe00_0000,
            0x0200_5eff_fe00_5212,
            0xfdff_ffff_ffff_ff80,
            0xfdff_ffff_ffff_ffff,
        ] {
            assert!(is_reserved(reserved), "{reserved:x}");
        }
        assert!(!is_reserved(of_hardware(OWN)) && !is_reserved(1));
    }
}
