//! Which address a client is offered.

use core::net::Ipv4Addr;

use super::{Client, Entry, Leases, State};
use crate::command::dhcp_server::{AddressRange, Reservation};
use crate::limits;

impl Leases {
    /// The address for a client that sent DHCPDISCOVER; `wanted` is what it asks for.
    pub(super) fn choose(&self, client: &Client, wanted: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        let is_reserved = |known: &&Reservation| Self::is_reserved_for(known, client);
        if let Some(reservation) = self.reservations.iter().find(is_reserved) {
            let address = reservation.address;
            // One that another client got before the reservation, or that somebody uses.
            let is_taken = self.entries.get(&address).is_some_and(|entry| match entry.state {
                State::InUse(_) => true,
                State::Leased(_) => entry.client.name != client.name,
                _ => false,
            });
            return (!is_taken).then_some(address);
        }
        if self.is_single {
            let address = self.ranges.first()?.first;
            let is_usable = self.is_in_range(address) && self.is_free_of_others(address, client);
            let is_used = |entry: &Entry| matches!(entry.state, State::InUse(_));
            let is_blocked = self.entries.get(&address).is_some_and(is_used);
            return (is_usable && !is_blocked).then_some(address);
        }
        if let Some(former) = self.former(client) {
            return Some(former);
        }
        let is_own = |entry: &Entry| {
            entry.client.hardware.is_some() && entry.client.hardware == client.hardware
        };
        let has = |entry: &&Entry| is_own(entry) && (entry.is_leased() || entry.is_offered());
        if self.entries.values().filter(has).count() >= limits::DHCP_LEASES_PER_HARDWARE {
            return self.oldest(client, |entry| entry.is_offered() && is_own(entry));
        }
        let is_offered = Entry::is_offered;
        let many = self.has_many_offers().then(|| self.oldest(client, is_offered)).flatten();
        many.or_else(|| wanted.filter(|wanted| self.is_unused(*wanted, client)))
            .or_else(|| self.unused(client))
            .or_else(|| self.oldest(client, |entry| matches!(entry.state, State::Former(_))))
            .or_else(|| self.oldest(client, is_offered))
    }

    /// The address that is offered to the client or leased by it, or was.
    fn former(&self, client: &Client) -> Option<Ipv4Addr> {
        let is_former = |(address, entry): &(&Ipv4Addr, &Entry)| {
            entry.client.name == client.name
                && !matches!(entry.state, State::InUse(_))
                && self.may_have(**address, client)
        };
        self.entries.iter().find(is_former).map(|(address, _)| *address)
    }

    pub(super) fn is_unused(&self, address: Ipv4Addr, client: &Client) -> bool {
        self.may_have(address, client)
            && self.entries.len() < limits::DHCP_LEASES
            && !self.entries.contains_key(&address)
    }

    /// Returns the first address that was never assigned. Among one more than are assigned,
    /// reserved or excluded, one is free: that bounds the search.
    fn unused(&self, client: &Client) -> Option<Ipv4Addr> {
        if self.entries.len() >= limits::DHCP_LEASES {
            return None;
        }
        let taken = self.entries.len() + self.excluded.len() + self.reservations.len();
        self.ranges.iter().find_map(|range| {
            // Both ascend, so that no address is looked up.
            let mut known = self.entries.range(range.first..=range.last).peekable();
            (u32::from(range.first)..=u32::from(range.last))
                .take(taken.saturating_add(1))
                .map(Ipv4Addr::from)
                .find(|address| {
                    let is_known = known.next_if(|(known, _)| *known == address).is_some();
                    !is_known
                        && !self.excluded.contains(address)
                        && self.is_free_of_others(*address, client)
                })
        })
    }

    /// The address of the kind that waits longest, if the client may have it.
    fn oldest(&self, client: &Client, is_wanted: impl Fn(&Entry) -> bool) -> Option<Ipv4Addr> {
        let since = |entry: &Entry| match entry.state {
            State::Offered(since) | State::Former(since) | State::InUse(since) => Some(since),
            State::Leased(_) => None,
        };
        let candidates = self.entries.iter().filter(|(address, entry)| {
            is_wanted(entry) && self.is_in_range(**address) && self.may_have(**address, client)
        });
        candidates.min_by_key(|(_, entry)| since(entry)).map(|(address, _)| *address)
    }

    /// True when half of the ranges, or of what may be remembered, is offered.
    fn has_many_offers(&self) -> bool {
        let offers = self.entries.values().filter(|entry| entry.is_offered()).count();
        let length = |range: &AddressRange| {
            let (first, last) = (u32::from(range.first), u32::from(range.last));
            usize::try_from(last - first).unwrap_or(usize::MAX)
        };
        let size = self.ranges.iter().map(length).fold(self.ranges.len(), usize::saturating_add);
        offers > 1 && offers * 2 >= size.min(limits::DHCP_LEASES)
    }
}
