//! What a socket is bound to: one address, every address of one family, or every address of both
//! families.
//!
//! As on Linux, `0.0.0.0` means IPv4 only, and `::` means both families unless the socket wants
//! IPv6 only.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The local side of a binding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bound {
    /// Every address (`::`).
    Any,
    /// Every IPv4 address (`0.0.0.0`).
    AnyIpv4,
    /// Every IPv6 address (`::` with IPV6_V6ONLY).
    AnyIpv6,
    /// One address.
    Address(IpAddr),
}

impl Bound {
    /// The binding for a local address.
    pub(crate) fn new(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) if address.is_unspecified() => Self::AnyIpv4,
            IpAddr::V6(address) if address.is_unspecified() => Self::Any,
            address => Self::Address(address),
        }
    }

    /// The same, but the IPv6 wildcard excludes IPv4 (IPV6_V6ONLY).
    pub(crate) fn only_ipv6(self) -> Self {
        if self == Self::Any { Self::AnyIpv6 } else { self }
    }

    /// The address to display.
    pub(crate) const fn address(self) -> IpAddr {
        match self {
            Self::Any if !cfg!(feature = "ipv6") => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::Any | Self::AnyIpv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            Self::AnyIpv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::Address(address) => address,
        }
    }

    /// True when it includes `address`.
    pub(crate) fn matches(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::AnyIpv4 => address.is_ipv4(),
            Self::AnyIpv6 => address.is_ipv6(),
            Self::Address(own) => own == address,
        }
    }

    /// True when both include some address.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::AnyIpv4, Self::AnyIpv6) | (Self::AnyIpv6, Self::AnyIpv4) => false,
            (Self::AnyIpv4, Self::AnyIpv4) | (Self::AnyIpv6, Self::AnyIpv6) => true,
            (Self::AnyIpv4, Self::Address(address)) | (Self::Address(address), Self::AnyIpv4) => {
                address.is_ipv4()
            }
            (Self::AnyIpv6, Self::Address(address)) | (Self::Address(address), Self::AnyIpv6) => {
                address.is_ipv6()
            }
            (Self::Address(first), Self::Address(second)) => first == second,
        }
    }

    /// True for a single address, which wins over wildcards.
    pub(crate) const fn is_specific(self) -> bool {
        matches!(self, Self::Address(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> Bound {
        Bound::new(text.parse().unwrap())
    }

    #[test]
    fn the_ipv6_wildcard_means_both_families_and_the_ipv4_one_does_not() {
        for (first, second, overlap) in [
            ("::", "0.0.0.0", true),
            ("::", "10.0.0.1", true),
            ("0.0.0.0", "10.0.0.1", true),
            ("0.0.0.0", "fd00::1", false),
            ("10.0.0.1", "10.0.0.2", false),
            ("fd00::1", "fd00::1", true),
        ] {
            assert_eq!(bound(first).overlaps(bound(second)), overlap, "{first} {second}");
            assert_eq!(bound(second).overlaps(bound(first)), overlap, "{second} {first}");
        }
        assert!(
            bound("::").matches("10.0.0.1".parse().unwrap())
                && !bound("0.0.0.0").matches("fd00::1".parse().unwrap())
        );
    }
    #[test]
    fn the_ipv6_wildcard_can_leave_ipv4_to_others() {
        let only = bound("::").only_ipv6();
        assert!(!only.overlaps(bound("0.0.0.0")) && !bound("10.0.0.1").overlaps(only));
        assert!(
            only.overlaps(bound("fd00::1")) && only.overlaps(bound("::")) && only.overlaps(only)
        );
        assert!(
            only.matches("fd00::1".parse().unwrap()) && !only.matches("10.0.0.1".parse().unwrap())
        );
        assert_eq!(bound("0.0.0.0").only_ipv6(), bound("0.0.0.0"));
    }
}
