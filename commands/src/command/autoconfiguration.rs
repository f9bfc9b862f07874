//! Types of the commands about IPv6 autoconfiguration: what an interface makes of router
//! advertisements.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;
use core::str::FromStr;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::address::Prefix;
use crate::words::words;

/// How the lower half of the addresses is made that an interface forms by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Identifiers {
    /// From the hardware address (modified EUI-64, RFC 4291 appendix A).
    #[default]
    HardwareAddress,
    /// By a secret: the same in the same network, and unlike in every other (RFC 7217).
    Stable,
}

words! {
    Identifiers { HardwareAddress => "eui64", Stable => "stable" }
}

/// Whether an interface forms temporary addresses too (RFC 8981).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Privacy {
    /// It forms none.
    #[default]
    Off,
    /// It forms them; sockets use them when they are bound to one.
    On,
    /// It forms them, and connections that begin here use them (RFC 6724 §5 rule 7).
    Preferred,
}

words! {
    Privacy { Off => "off", On => "on", Preferred => "preferred" }
}

/// The secret of stable identifiers (RFC 7217 §5), in notation 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StableSecret(pub [u8; 16]);

impl fmt::Debug for StableSecret {
    /// Does not show it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StableSecret(..)")
    }
}

impl FromStr for StableSecret {
    type Err = Error;

    /// Reads 32 hexadecimal digits; `InvalidInput` for anything else.
    fn from_str(text: &str) -> Result<Self, Error> {
        let is_hexadecimal = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| is_hexadecimal);
        bits.map(|bits| Self(bits.to_be_bytes())).ok_or(Error::InvalidInput)
    }
}

impl Serialize for StableSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for StableSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let no_secret = || de::Error::custom("a secret has 32 hexadecimal digits");
            text.parse().map_err(|_| no_secret())
        } else {
            <[u8; 16]>::deserialize(deserializer).map(Self)
        }
    }
}

/// A setting of IPv6 autoconfiguration. New ones are appended: their order is part of the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AutoconfigurationOption {
    /// How addresses are made. Those that there are made the other way are replaced: link-local
    /// ones, and formed ones for what remains of their lifetimes.
    Identifiers(Identifiers),
    /// The secret of stable identifiers. It is written and never read; without one the interface
    /// takes a random one when it first needs it, which is gone with the interface.
    Secret(StableSecret),
    /// Temporary addresses. Off, those that there are become deprecated, and go with their
    /// lifetimes.
    Privacy(Privacy),
    /// Router advertisements are obeyed and routers solicited; on unless set (`accept_ra`). Off,
    /// all that was learned goes at once.
    Advertisements(bool),
    /// Addresses are formed from advertised prefixes; on unless set (`autoconf`). Off, those that
    /// were formed go at once.
    Addresses(bool),
    /// Probes of an address before it is used, a RetransTimer apart: 0 to 16, 1 unless set
    /// (DupAddrDetectTransmits of RFC 4862 §5.1). With 0 addresses are used at once.
    Probes(u8),
    /// Seconds for which a temporary address is valid at most, 600 to 31,536,000; 172,800 unless
    /// set (TEMP_VALID_LIFETIME of RFC 8981 §3.8).
    TemporaryValid(u32),
    /// Seconds for which a temporary address is preferred at most, 60 to 31,536,000; 86,400 unless
    /// set (TEMP_PREFERRED_LIFETIME). A random part of it, up to four tenths, is left out for each.
    TemporaryPreferred(u32),
}

/// How IPv6 autoconfiguration of an interface stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AutoconfigurationState {
    /// The interface.
    pub interface: String,
    /// How addresses are made.
    pub identifiers: Identifiers,
    /// Temporary addresses.
    pub privacy: Privacy,
    /// Router advertisements are obeyed.
    pub advertisements: bool,
    /// Addresses are formed.
    pub addresses: bool,
    /// Probes of an address before it is used.
    pub probes: u8,
    /// Seconds for which a temporary address is valid at most.
    pub temporary_valid: u32,
    /// Seconds for which a temporary address is preferred at most.
    pub temporary_preferred: u32,
    /// The last advertisement said that addresses are to be had by DHCPv6 (M).
    pub managed: bool,
    /// The last advertisement said that other configuration is to be had by DHCPv6 (O).
    pub other: bool,
    /// The temporary addresses.
    pub temporary: Vec<Ipv6Addr>,
    /// Prefixes by which IPv4 is reached through NAT64, as advertised (RFC 8781).
    pub nat64: Vec<Prefix>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_not_shown() {
        let secret: StableSecret = "000102030405060708090a0b0c0d0E0f".parse().unwrap();
        assert_eq!(secret.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        assert_eq!(alloc::format!("{secret:?}"), "StableSecret(..)");
        for wrong in ["", "00", "+00102030405060708090a0b0c0d0e0f", "äääääääääääääääää"]
        {
            assert_eq!(wrong.parse::<StableSecret>(), Err(Error::InvalidInput), "{wrong}");
        }
    }
}
