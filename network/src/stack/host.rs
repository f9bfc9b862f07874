//! The addresses of all interfaces of one system: which destinations are local, and which source
//! addresses are ours.
//!
//! The stacks of a system share it. Most packets query it, and nearly always the answer is no: a
//! small Bloom filter gives that answer without the lock.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::task::Waker;

use devnet_virtual_file_system::{Lock, WakerList};

use super::context::Wakes;
#[cfg(feature = "dhcp6")]
use super::delegations::Delegations;
use crate::address::Prefix;
use crate::command::system::HostModel;
use crate::limits;
use crate::stack::addresses::is_link_local_ipv4;

/// Words of the filter: 256 bits, several times the usual number of addresses.
const WORDS: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Entry {
    interface: u32,
    address: IpAddr,
    broadcast: Option<Ipv4Addr>,
}

/// The addresses.
#[derive(Debug, Default)]
pub(crate) struct HostAddresses {
    list: Lock<Vec<Entry>>,
    /// A bit for each address and broadcast address in the list; a clear bit means that no
    /// interface has the address.
    filter: [AtomicU32; WORDS],
    /// Incremented with every change of addresses, routes, links and interfaces; invalidates what
    /// was computed from them.
    generation: AtomicU32,
    /// The host model is weak.
    is_weak: AtomicBool,
    /// Senders that wait for room on one interface and would use another one if routes change
    /// meanwhile (SOK-05).
    senders: Lock<WakerList>,
    /// The prefixes that were delegated to interfaces.
    #[cfg(feature = "dhcp6")]
    pub(crate) delegations: Delegations,
}

/// True for an address that means another host on each link.
fn is_link_local(address: IpAddr) -> bool {
    is_link_local_ipv4(address)
        || matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// The filter's word and bit of an address.
const fn filter_bit(address: IpAddr) -> (usize, u32) {
    let bits = match address {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            (bits ^ (bits >> 32) ^ (bits >> 64) ^ (bits >> 96)) as u32
        }
    };
    let mixed = bits.wrapping_mul(0x9e37_79b1) >> 24;
    (mixed as usize / 32 % WORDS, 1 << (mixed % 32))
}

impl HostAddresses {
    fn may_know(&self, address: IpAddr) -> bool {
        let (word, bit) = filter_bit(address);
        self.filter.get(word).is_none_or(|word| word.load(Ordering::Acquire) & bit != 0)
    }

    /// True when an interface has the address.
    pub(crate) fn owns(&self, address: IpAddr) -> bool {
        self.may_know(address)
            && self.list.with(|list| list.iter().any(|entry| entry.address == address))
    }

    /// True when an interface's network has this broadcast address.
    pub(crate) fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        self.may_know(IpAddr::V4(address))
            && self.list.with(|list| list.iter().any(|entry| entry.broadcast == Some(address)))
    }

    /// True when a packet to this address may arrive by any interface: one of them has it, and the
    /// host model is weak.
    pub(crate) fn owns_everywhere(&self, address: IpAddr) -> bool {
        self.is_weak.load(Ordering::Acquire) && !is_link_local(address) && self.owns(address)
    }

    /// The host model.
    pub(crate) fn model(&self) -> HostModel {
        if self.is_weak.load(Ordering::Acquire) { HostModel::Weak } else { HostModel::Strong }
    }

    /// Changes the host model; true if it was another one.
    pub(crate) fn set_model(&self, model: HostModel) -> bool {
        let is_weak = model == HostModel::Weak;
        let changes = self.is_weak.swap(is_weak, Ordering::AcqRel) != is_weak;
        if changes {
            self.increment_generation();
        }
        changes
    }

    /// A number that changes whenever addresses, routes, links or interfaces change.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// Increments the generation.
    pub(crate) fn increment_generation(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Wakes a sender when routes change. If too many wait, all are woken and may register again.
    pub(crate) fn register_sender(&self, waker: &Waker, wakes: &mut Wakes) {
        self.senders.with(|senders| {
            if senders.len() >= limits::EGRESS_QUEUE {
                wakes.add(senders);
            }
            senders.register(waker);
        });
    }

    /// Routes changed: wakes the waiting senders.
    pub(crate) fn wake_senders(&self, wakes: &mut Wakes) {
        self.increment_generation();
        self.senders.with(|senders| wakes.add(senders));
    }

    /// Replaces the addresses of one interface, each with the broadcast address of its network.
    pub(crate) fn replace(
        &self,
        interface: u32,
        addresses: impl Iterator<Item = (Prefix, Option<Ipv4Addr>)>,
    ) {
        self.list.with(|list| {
            list.retain(|entry| entry.interface != interface);
            list.extend(addresses.map(|(prefix, broadcast)| Entry {
                interface,
                address: prefix.address(),
                broadcast,
            }));
            let mut bits = [0; WORDS];
            for entry in list.iter() {
                for address in
                    [Some(entry.address), entry.broadcast.map(IpAddr::V4)].into_iter().flatten()
                {
                    let (word, bit) = filter_bit(address);
                    if let Some(word) = bits.get_mut(word) {
                        *word |= bit;
                    }
                }
            }
            for (word, bits) in self.filter.iter().zip(bits) {
                word.store(bits, Ordering::Release);
            }
        });
        self.increment_generation();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_never_denies_what_is_there() {
        let host = HostAddresses::default();
        let prefix =
            |number: u32| Prefix::new(IpAddr::V4(Ipv4Addr::from_bits(number)), 24).unwrap();
        host.replace(
            1,
            (0..500).map(|number| {
                (prefix(number * 977), Some(Ipv4Addr::from_bits((number * 977) | 255)))
            }),
        );
        for number in 0..500 {
            assert!(host.owns(prefix(number * 977).address()));
            assert!(host.is_broadcast(Ipv4Addr::from_bits((number * 977) | 255)));
        }
        host.replace(2, core::iter::once(("fd00::1/64".parse().unwrap(), None)));
        host.replace(1, core::iter::empty());
        assert!(host.owns("fd00::1".parse().unwrap()) && !host.owns(prefix(977).address()));
    }
}
