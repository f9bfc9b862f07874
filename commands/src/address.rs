//! Address types that `core::net` lacks: a prefix and a hardware address.
//!
//! Everything else in this crate uses `core::net`. Both types parse and print the usual notation,
//! which stands for them in formats that people read (JSON), and contain no policy.

use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A 48-bit MAC address (IEEE 802).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HardwareAddress(pub [u8; 6]);

impl HardwareAddress {
    /// The broadcast address, `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// True for a unicast address: the group bit is clear and it is not all zeros.
    #[must_use]
    pub const fn is_unicast(self) -> bool {
        let [first, ..] = self.0;
        first & 1 == 0 && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }

    /// The multicast hardware address of `group` (RFC 1112 §6.4, RFC 2464 §7).
    #[must_use]
    pub const fn multicast(group: IpAddr) -> Self {
        match group {
            IpAddr::V4(group) => {
                let [_, b, c, d] = group.octets();
                Self([0x01, 0x00, 0x5e, b & 0x7f, c, d])
            }
            IpAddr::V6(group) => {
                let [.., a, b, c, d] = group.octets();
                Self([0x33, 0x33, a, b, c, d])
            }
        }
    }

    /// The IPv6 link-local address with the modified EUI-64 identifier (RFC 4291 appendix A).
    #[must_use]
    pub const fn link_local(self) -> Ipv6Addr {
        let [a, b, c, d, e, f] = self.0;
        Ipv6Addr::from_octets([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
    }
}

impl fmt::Display for HardwareAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl fmt::Debug for HardwareAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for HardwareAddress {
    type Err = Error;

    /// Six two-digit hexadecimal groups with `:` or `-` between them; anything else is
    /// `InvalidInput`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut octets = [0; 6];
        let mut groups = text.split([':', '-']);
        for octet in &mut octets {
            let group = groups.next().ok_or(Error::InvalidInput)?;
            if group.len() != 2 || !group.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(Error::InvalidInput);
            }
            *octet = u8::from_str_radix(group, 16).map_err(|_| Error::InvalidInput)?;
        }
        if groups.next().is_some() { Err(Error::InvalidInput) } else { Ok(Self(octets)) }
    }
}

/// An IP address with a prefix length: an address on a network, or (with the host bits clear) a
/// network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// Every IPv4 destination, `0.0.0.0/0`.
    pub const DEFAULT_IPV4: Self = Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), length: 0 };
    /// Every IPv6 destination, `::/0`.
    pub const DEFAULT_IPV6: Self = Self { address: IpAddr::V6(Ipv6Addr::UNSPECIFIED), length: 0 };

    /// Joins an address and a prefix length in bits.
    ///
    /// # Errors
    /// `InvalidInput` when the length exceeds 32 (IPv4) or 128 (IPv6).
    pub const fn new(address: IpAddr, length: u8) -> Result<Self, Error> {
        if length <= width(address) {
            Ok(Self { address, length })
        } else {
            Err(Error::InvalidInput)
        }
    }

    /// The host prefix of `address`: /32 or /128.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        Self { address, length: width(address) }
    }

    /// The address, host bits included.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// The prefix length in bits.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// True when the length is in range; decoded values must be checked before use.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.length <= width(self.address)
    }

    /// The same prefix with the host bits cleared.
    #[must_use]
    pub fn network(self) -> Self {
        Self { address: masked(self.address, self.length), length: self.length }
    }

    /// True when `address` is of the same family and in this prefix.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && masked(self.address, self.length) == masked(address, self.length)
    }

    /// The IPv4 directed broadcast address; none for IPv6 and for /31 and /32 (RFC 3021).
    #[must_use]
    pub fn broadcast(self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(address) if self.length < 31 => {
                Some(Ipv4Addr::from_bits(address.to_bits() | !mask_ipv4(self.length)))
            }
            _ => None,
        }
    }

    /// The IPv4 netmask of this length; for IPv6 `None`.
    #[must_use]
    pub const fn netmask(self) -> Option<Ipv4Addr> {
        match self.address {
            IpAddr::V4(_) => Some(Ipv4Addr::from_bits(mask_ipv4(self.length))),
            IpAddr::V6(_) => None,
        }
    }

    /// The prefix length of a contiguous netmask.
    ///
    /// # Errors
    /// `InvalidInput` when the ones are not contiguous.
    pub const fn length_of_netmask(mask: Ipv4Addr) -> Result<u8, Error> {
        let bits = mask.to_bits();
        let length = bits.leading_ones();
        if bits.count_ones() == length { Ok(length as u8) } else { Err(Error::InvalidInput) }
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask_bits(length: u8, width: u32) -> u128 {
    let ones = u128::MAX.checked_shl(width.saturating_sub(u32::from(length))).unwrap_or(0);
    ones & (u128::MAX >> (128 - width))
}

const fn mask_ipv4(length: u8) -> u32 {
    match u32::MAX.checked_shl(32u32.saturating_sub(length as u32)) {
        Some(mask) => mask,
        None => 0,
    }
}

fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask_ipv4(length)))
        }
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask_bits(length, 128)))
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.length)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Prefix {
    type Err = Error;

    /// `ADDRESS/LENGTH`, `ADDRESS/NETMASK` (IPv4) or a bare address, which is a host prefix.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| Error::InvalidInput)?;
        match length {
            None => Ok(Self::host(address)),
            Some(mask) if mask.contains('.') && address.is_ipv4() => {
                let mask: Ipv4Addr = mask.parse().map_err(|_| Error::InvalidInput)?;
                Self::new(address, Self::length_of_netmask(mask)?)
            }
            Some(length) if length.bytes().all(|digit| digit.is_ascii_digit()) => {
                Self::new(address, length.parse().map_err(|_| Error::InvalidInput)?)
            }
            Some(_) => Err(Error::InvalidInput),
        }
    }
}

/// In formats that people read as text, in others as its parts.
impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.address, self.length).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            from_notation(deserializer, "no prefix")
        } else {
            let (address, length) = Deserialize::deserialize(deserializer)?;
            Ok(Self { address, length })
        }
    }
}

/// In formats that people read as text, in others as its octets.
impl Serialize for HardwareAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for HardwareAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            from_notation(deserializer, "no hardware address")
        } else {
            Deserialize::deserialize(deserializer).map(Self)
        }
    }
}

fn from_notation<'de, T: FromStr, D: Deserializer<'de>>(
    deserializer: D,
    otherwise: &str,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| de::Error::custom(format_args!("{text:?} is {otherwise}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn prefixes_parse_print_and_refuse() {
        for (text, printed) in [
            ("10.0.0.2/24", "10.0.0.2/24"),
            ("10.0.0.2", "10.0.0.2/32"),
            ("10.0.0.0/255.255.0.0", "10.0.0.0/16"),
            ("fd00::1/64", "fd00::1/64"),
        ] {
            assert_eq!(text.parse::<Prefix>().unwrap().to_string(), printed);
        }
        for text in [
            "",
            "/",
            "10.0.0.2/",
            "10.0.0.2/33",
            "300.1.1.1/8",
            "10.0.0.2/+8",
            "10.0.0.2/255.0.255.0",
            "fd00::/129",
            "fd00::/255.0.0.0",
            "10.0.0.2/-1",
            "eth0",
        ] {
            assert_eq!(text.parse::<Prefix>(), Err(Error::InvalidInput), "{text}");
        }
    }

    #[test]
    fn prefix_arithmetic_covers_the_edges() {
        let all: Prefix = "1.2.3.4/0".parse().unwrap();
        assert_eq!(all.network(), Prefix::DEFAULT_IPV4);
        assert!(all.contains("255.255.255.255".parse().unwrap()));
        assert!(!all.contains("::".parse().unwrap()));
        let host: Prefix = "1.2.3.4/32".parse().unwrap();
        assert!(
            host.contains("1.2.3.4".parse().unwrap()) && !host.contains("1.2.3.5".parse().unwrap())
        );
        assert_eq!(host.broadcast(), None);
        assert_eq!(
            "10.1.2.3/8".parse::<Prefix>().unwrap().broadcast(),
            Some(Ipv4Addr::new(10, 255, 255, 255))
        );
        assert_eq!(
            "fd00::1:2/127".parse::<Prefix>().unwrap().network().to_string(),
            "fd00::1:2/127"
        );
        assert_eq!("fd00::1:3/64".parse::<Prefix>().unwrap().network().to_string(), "fd00::/64");
    }

    #[test]
    fn hardware_addresses_parse_print_and_refuse() {
        let address: HardwareAddress = "02:00:00:00:00:0A".parse().unwrap();
        assert_eq!(address.to_string(), "02:00:00:00:00:0a");
        assert!(address.is_unicast());
        assert!(!HardwareAddress::BROADCAST.is_unicast() && !HardwareAddress([0; 6]).is_unicast());
        for text in [
            "",
            "02:00:00:00:00",
            "02:00:00:00:00:01:02",
            "2:0:0:0:0:1",
            "0g:00:00:00:00:01",
            "+2:00:00:00:00:01",
        ] {
            assert_eq!(text.parse::<HardwareAddress>(), Err(Error::InvalidInput), "{text}");
        }
        assert_eq!(HardwareAddress([2, 0, 0, 0, 0, 1]).link_local().to_string(), "fe80::ff:fe00:1");
    }
}
