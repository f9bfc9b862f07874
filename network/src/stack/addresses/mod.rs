//! The addresses of one interface: which packets are for us, and which source address our packets
//! get.
//!
//! The rules about what may be added are here too (`stack-pitfalls` IP4-07): a refused address
//! changes nothing. [`super::routes`] owns connected routes; the stack drives duplicate address
//! detection.

mod entry;

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use devnet_virtual_file_system::Error;

pub(crate) use self::entry::{Address, Details, Temporary};
use crate::address::Prefix;
use crate::command::address::{AddressChange, AddressState, Broadcast, NewAddress, Origin, Scope};
use crate::limits;

/// The addresses in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    list: Vec<Address>,
    /// Incremented whenever an address may have changed.
    revision: u32,
    /// Temporary addresses are the sources of connections that begin here.
    pub(crate) prefers_temporary: bool,
}

impl Addresses {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Address> {
        self.list.iter()
    }

    /// A number that changes whenever an address changes.
    pub(crate) const fn revision(&self) -> u32 {
        self.revision
    }

    pub(crate) fn find_mut(&mut self, address: IpAddr) -> Option<&mut Address> {
        self.revision = self.revision.wrapping_add(1);
        self.list.iter_mut().find(|entry| entry.prefix.address() == address)
    }

    /// The address with this prefix.
    pub(crate) fn find_prefix_mut(&mut self, prefix: Prefix) -> Option<&mut Address> {
        self.revision = self.revision.wrapping_add(1);
        self.list.iter_mut().find(|entry| entry.prefix == prefix)
    }

    /// True when an earlier IPv4 address has the same network.
    pub(crate) fn is_secondary(&self, address: &Address) -> bool {
        let network = address.prefix.network();
        let earlier = self.list.iter().take_while(|entry| entry.prefix != address.prefix);
        network.address().is_ipv4()
            && address.prefix.length() < 32
            && earlier.into_iter().any(|entry| entry.prefix.network() == network)
    }

    pub(crate) fn find(&self, address: IpAddr) -> Option<&Address> {
        self.list.iter().find(|entry| entry.prefix.address() == address)
    }

    /// The prefix of an address of this origin: the address may be there from another one, too,
    /// with a prefix of another length.
    pub(crate) fn prefix_of(&self, address: IpAddr, origin: Origin) -> Option<Prefix> {
        let is_it = |entry: &&Address| entry.prefix.address() == address && entry.origin == origin;
        self.list.iter().find(is_it).map(|entry| entry.prefix)
    }

    /// The prefixes of this origin.
    pub(crate) fn prefixes_of(&self, origin: Origin) -> Vec<Prefix> {
        self.list.iter().filter(|entry| entry.origin == origin).map(|entry| entry.prefix).collect()
    }

    /// True when there is an IPv6 address.
    pub(crate) fn has_ipv6(&self) -> bool {
        self.list.iter().any(|entry| entry.prefix.address().is_ipv6())
    }

    /// The link-local IPv6 address that packets are sent from; none before it is usable.
    pub(crate) fn link_local(&self) -> Option<IpAddr> {
        let is_it = |entry: &&Address| {
            let address = entry.prefix.address();
            matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
                && entry.is_usable()
        };
        self.list.iter().find(is_it).map(|entry| entry.prefix.address())
    }

    /// True when packets to `address` are for us. All of 127.0.0.0/8 belongs to the interface that
    /// holds 127.0.0.1.
    pub(crate) fn owns(&self, address: IpAddr) -> bool {
        self.list.iter().any(|entry| {
            entry.is_usable()
                && (entry.prefix.address() == address
                    || (is_loopback_v4(address) && entry.prefix.contains(address)))
        })
    }

    /// True for the limited broadcast address and the directed one of each prefix that has one.
    pub(crate) fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        address.is_broadcast() || self.list.iter().any(|entry| entry.broadcast == Some(address))
    }

    /// Adds an address.
    ///
    /// # Errors
    /// `InvalidInput` or `AddressNotAvailable` for an address that no host can have here,
    /// `AlreadyExists` when it is there, `NoBufferSpace` when the table is full. Linux returns
    /// `AddressNotAvailable` for IPv6 and `InvalidInput` for IPv4.
    pub(crate) fn add(
        &mut self,
        new: &NewAddress,
        origin: Origin,
        state: AddressState,
    ) -> Result<(), Error> {
        check(new.prefix, origin)?;
        let duplicate = self.list.iter().any(|entry| match new.prefix.address() {
            // The prefix length is part of the identity of an IPv4 address, but not of an IPv6 one,
            // as on Linux.
            IpAddr::V4(_) => entry.prefix == new.prefix,
            IpAddr::V6(address) => entry.prefix.address() == IpAddr::V6(address),
        });
        if duplicate {
            return Err(Error::AlreadyExists);
        }
        if self.list.len() >= limits::ADDRESSES {
            return Err(Error::NoBufferSpace);
        }
        let broadcast = match Scope::of(new.prefix.address()) {
            Scope::Host => None,
            Scope::Link | Scope::Global => new.broadcast.or(new.prefix.broadcast()),
        };
        self.revision = self.revision.wrapping_add(1);
        self.list.push(Address {
            prefix: new.prefix,
            broadcast,
            origin,
            state,
            valid_until: None,
            preferred_until: None,
            probe_at: None,
            armed: None,
            nonce: [0; 6],
            defended_at: None,
            probes: 0,
            details: None,
        });
        Ok(())
    }

    /// Adds an address with everything that a command says of it, without lifetimes.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn add_asked(
        &mut self,
        change: &AddressChange,
        state: AddressState,
    ) -> Result<(), Error> {
        let local = change.prefix.address();
        let prefix = change.peer.map_or(change.prefix, |_| Prefix::host(local));
        let broadcast = match change.broadcast {
            Broadcast::Address(address) => Some(address),
            Broadcast::Default | Broadcast::None => None,
        };
        self.add(&NewAddress { prefix, broadcast }, Origin::Static, state)?;
        let details = Details {
            peer: change.peer,
            label: change.label.clone(),
            hides_broadcast: change.broadcast == Broadcast::None,
            no_prefix_route: change.no_prefix_route,
            no_detection: change.no_detection,
            ..Details::default()
        };
        if let Some(entry) = self.list.last_mut() {
            entry.set_details(details);
        }
        Ok(())
    }

    /// Says whether an address was asked for with duplicate address detection.
    pub(crate) fn set_detection(&mut self, prefix: Prefix, has_detection: bool) {
        let Some(entry) = self.find_prefix_mut(prefix) else { return };
        let mut details = entry.details.take().map_or_else(Details::default, |known| *known);
        details.no_detection = !has_detection;
        entry.set_details(details);
    }

    /// Brings the addresses that commands added into this order; the others keep their places.
    pub(crate) fn arrange(&mut self, order: &[Prefix]) {
        let rank = |entry: &Address| order.iter().position(|prefix| *prefix == entry.prefix);
        let mut statics: Vec<Address> =
            self.list.iter().filter(|entry| entry.origin == Origin::Static).cloned().collect();
        if statics.is_sorted_by_key(rank) {
            return;
        }
        statics.sort_by_key(rank);
        self.revision = self.revision.wrapping_add(1);
        let places = self.list.iter_mut().filter(|entry| entry.origin == Origin::Static);
        for (place, entry) in places.zip(statics) {
            *place = entry;
        }
    }

    /// Removes addresses for which `stays` returns false.
    pub(crate) fn retain(&mut self, stays: impl FnMut(&Address) -> bool) {
        self.revision = self.revision.wrapping_add(1);
        self.list.retain(stays);
    }

    /// Removes the address `prefix`, which must match in length too.
    ///
    /// # Errors
    /// `AddressNotAvailable` when there is none.
    pub(crate) fn remove(&mut self, prefix: Prefix) -> Result<Address, Error> {
        let place = self
            .list
            .iter()
            .position(|entry| entry.prefix == prefix)
            .ok_or(Error::AddressNotAvailable)?;
        self.revision = self.revision.wrapping_add(1);
        Ok(self.list.remove(place))
    }

    /// The source address for `destination` by the rules of RFC 6724 §5 that apply on one
    /// interface: usable, the address itself, the smallest sufficient scope, not deprecated, the
    /// same label, temporary or not as asked, a network that contains `next_hop`, the longest
    /// matching prefix.
    pub(crate) fn source_for(&self, destination: IpAddr, next_hop: IpAddr) -> Option<IpAddr> {
        let destination_scope = scope_number(destination);
        self.list
            .iter()
            .filter(|entry| {
                entry.is_usable() && entry.prefix.address().is_ipv4() == destination.is_ipv4()
            })
            .min_by_key(|entry| {
                let address = entry.prefix.address();
                let scope_number = scope_number(address);
                let scope =
                    (scope_number < destination_scope, scope_number.abs_diff(destination_scope));
                let is_deprecated = entry.state == AddressState::Deprecated;
                let is_strange = label(address) != label(destination);
                let is_other = cfg!(feature = "details")
                    && entry.temporary().is_some() != self.prefers_temporary;
                let off_link = !entry.prefix.contains(next_hop);
                let unmatched = 128 - common_prefix(address, destination);
                let order = (is_strange, is_other, off_link, unmatched);
                (address != destination, scope, is_deprecated, order)
            })
            .map(|entry| entry.prefix.address())
    }
}

/// Multicast scopes that never leave a node, and the reserved ones below them (IP6-02, RFC 4291
/// §2.7).
pub(crate) fn is_node_local(address: IpAddr) -> bool {
    let IpAddr::V6(group) = address else { return false };
    group.is_multicast() && group.octets().get(1).is_some_and(|second| second & 0xf <= 1)
}

/// True for 169.254.0.0/16, which no router forwards (RFC 3927 §2.6.2).
pub(crate) fn is_link_local_ipv4(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_link_local())
}

/// The scope of an address, as a multicast scope number (RFC 6724 §3.1, RFC 4291 §2.7).
fn scope_number(address: IpAddr) -> u8 {
    const LINK: u8 = 2;
    const SITE: u8 = 5;
    const GLOBAL: u8 = 14;
    match address {
        IpAddr::V6(group) if group.is_multicast() => {
            group.octets().get(1).map_or(GLOBAL, |second| second & 0xf)
        }
        // Site-local addresses are deprecated (RFC 3879), but still have their scope.
        IpAddr::V6(address) if address.to_bits() >> 118 == 0xfec0 >> 6 => SITE,
        _ => match Scope::of(address) {
            Scope::Host | Scope::Link => LINK,
            Scope::Global => GLOBAL,
        },
    }
}

/// The policy table of RFC 6724 §2.1: source and destination should have the same label.
fn label(address: IpAddr) -> u8 {
    let IpAddr::V6(address) = address else { return 4 };
    let bits = address.to_bits();
    match (bits >> 112) as u16 {
        _ if bits == 1 => 0,
        0 if bits >> 32 == 0xffff => 4,
        0 if bits >> 32 == 0 => 3,
        0x2002 => 2,
        0x2001 if bits >> 96 == 0x2001_0000 => 5,
        0x3ffe => 12,
        first if first >> 9 == 0xfc00 >> 9 => 13,
        first if first >> 6 == 0xfec0 >> 6 => 11,
        _ => 1,
    }
}

fn is_loopback_v4(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_loopback())
}

fn common_prefix(first: IpAddr, second: IpAddr) -> u32 {
    match (first, second) {
        (IpAddr::V4(first), IpAddr::V4(second)) => {
            (first.to_bits() ^ second.to_bits()).leading_zeros()
        }
        (IpAddr::V6(first), IpAddr::V6(second)) => {
            (first.to_bits() ^ second.to_bits()).leading_zeros()
        }
        _ => 0,
    }
}

fn check(prefix: Prefix, origin: Origin) -> Result<(), Error> {
    if !prefix.is_valid() {
        return Err(Error::InvalidInput);
    }
    match prefix.address() {
        IpAddr::V4(address) => check_ipv4(prefix, address, origin),
        IpAddr::V6(address) => check_ipv6(address, origin),
    }
}

fn check_ipv4(prefix: Prefix, address: Ipv4Addr, origin: Origin) -> Result<(), Error> {
    let is_reserved = address.octets().first().is_some_and(|first| *first == 0 || *first >= 240);
    let is_network = prefix.length() < 31 && IpAddr::V4(address) == prefix.network().address();
    let is_edge = is_network || prefix.broadcast() == Some(address);
    let is_foreign_loopback = address.is_loopback() && origin != Origin::Kernel;
    if address.is_multicast() || is_reserved || is_edge || is_foreign_loopback {
        Err(Error::InvalidInput)
    } else {
        Ok(())
    }
}

fn check_ipv6(address: Ipv6Addr, origin: Origin) -> Result<(), Error> {
    let is_mapped = address.to_ipv4_mapped().is_some();
    let is_foreign_loopback = address.is_loopback() && origin != Origin::Kernel;
    if address.is_multicast() || address.is_unspecified() || is_mapped || is_foreign_loopback {
        Err(Error::AddressNotAvailable)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(text: &str) -> NewAddress {
        NewAddress { prefix: text.parse().unwrap(), broadcast: None }
    }

    #[test]
    fn ip4_07_addresses_that_no_host_can_have_are_refused() {
        let mut addresses = Addresses::default();
        for text in [
            "224.0.0.1/24",
            "0.0.0.0/8",
            "0.1.2.3/8",
            "255.255.255.255/32",
            "240.0.0.1/8",
            "127.0.0.9/8",
            "10.0.0.0/24",
            "10.0.0.255/24",
            "ff02::1/64",
            "::/64",
            "::1/128",
            "::ffff:1.2.3.4/96",
        ] {
            assert!(
                addresses.add(&new(text), Origin::Static, AddressState::Preferred).is_err(),
                "{text}"
            );
        }
        for text in ["10.0.0.0/31", "10.0.0.1/31", "10.0.0.255/32", "10.0.0.1/24", "10.0.0.1/16"] {
            addresses.add(&new(text), Origin::Static, AddressState::Preferred).unwrap();
        }
        assert_eq!(
            addresses.add(&new("10.0.0.1/24"), Origin::Static, AddressState::Preferred),
            Err(Error::AlreadyExists)
        );
        assert_eq!(
            addresses.remove("10.0.0.1/8".parse().unwrap()),
            Err(Error::AddressNotAvailable)
        );
    }

    #[test]
    fn ip4_06_point_to_point_prefixes_have_no_broadcast() {
        let mut addresses = Addresses::default();
        addresses.add(&new("10.0.0.1/31"), Origin::Static, AddressState::Preferred).unwrap();
        addresses.add(&new("10.1.0.1/30"), Origin::Static, AddressState::Preferred).unwrap();
        assert!(!addresses.is_broadcast(Ipv4Addr::new(10, 0, 0, 1)));
        assert!(addresses.is_broadcast(Ipv4Addr::new(10, 1, 0, 3)));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut addresses = Addresses::default();
        for host in 0..limits::ADDRESSES {
            addresses
                .add(
                    &new(&alloc::format!("10.0.{host}.1/24")),
                    Origin::Static,
                    AddressState::Preferred,
                )
                .unwrap();
        }
        assert_eq!(
            addresses.add(&new("10.9.0.1/24"), Origin::Static, AddressState::Preferred),
            Err(Error::NoBufferSpace)
        );
    }

    #[test]
    fn src_01_the_source_has_the_label_and_the_smallest_sufficient_scope_of_the_destination() {
        let mut addresses = Addresses::default();
        for text in ["fd00::1/64", "2001:db8::1/64", "2002:a00:1::1/64", "fe80::1/64"] {
            addresses.add(&new(text), Origin::Static, AddressState::Preferred).unwrap();
        }
        for (to, from) in [
            ("fd99::1", "fd00::1"),
            ("2600::1", "2001:db8::1"),
            ("2002:b00::1", "2002:a00:1::1"),
            ("fe90::1", "fe80::1"),
            ("ff02::1:3", "fe80::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            let hop = "fe80::99".parse().unwrap();
            assert_eq!(
                addresses.source_for(to.parse().unwrap(), hop),
                Some(from.parse().unwrap()),
                "{to}"
            );
        }
    }

    #[test]
    fn src_01_the_source_follows_scope_state_and_prefix() {
        let mut addresses = Addresses::default();
        for text in ["fe80::1/64", "fd00:1::1/64", "fd00:2::1/64"] {
            addresses.add(&new(text), Origin::Static, AddressState::Preferred).unwrap();
        }
        let source = |addresses: &Addresses, to: &str| {
            addresses.source_for(to.parse().unwrap(), to.parse().unwrap()).unwrap()
        };
        assert_eq!(source(&addresses, "fd00:2::9"), "fd00:2::1".parse::<IpAddr>().unwrap());
        assert_eq!(source(&addresses, "fe80::9"), "fe80::1".parse::<IpAddr>().unwrap());
        addresses.find_mut("fd00:2::1".parse().unwrap()).unwrap().state = AddressState::Deprecated;
        assert_eq!(source(&addresses, "fd00:2::9"), "fd00:1::1".parse::<IpAddr>().unwrap());
        addresses.find_mut("fd00:1::1".parse().unwrap()).unwrap().state = AddressState::Tentative;
        assert_eq!(source(&addresses, "fd00:2::9"), "fd00:2::1".parse::<IpAddr>().unwrap());
        assert_eq!(
            addresses.source_for("10.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap()),
            None
        );
    }
}
