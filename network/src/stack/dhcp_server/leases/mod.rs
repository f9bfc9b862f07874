//! The table of leases of the DHCP server: which client gets which address. It knows no messages,
//! and time is an argument.
//!
//! A client gets the address that is reserved for it, else its former one if no other client has
//! it. Otherwise it gets an unused one, then the one that expired first, then the oldest one that
//! was offered and not requested, so that fake clients cannot exhaust the table. Offers take at
//! most half of it: then they are reassigned first, and former addresses wait for their clients.
//! Whoever requests an offered address first has it, so that a flood of discoveries does not
//! disappoint a client that goes on. A leased address is never reassigned.

mod choice;
mod table;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use core::net::Ipv4Addr;
use core::time::Duration;

use crate::address::HardwareAddress;
use crate::command::dhcp_server::{AddressRange, ClientName, Reservation, ServerLease};
use crate::command::event::Change;
use crate::limits;
use crate::platform::Instant;

/// How long an offer is reserved for its client.
const OFFER: Duration = Duration::from_secs(60);
/// How long an address that somebody else uses stays out of use.
const IN_USE: Duration = Duration::from_secs(600);
/// How long the result of a check holds: the client that it was made for requests the address.
const CHECKED: Duration = Duration::from_secs(60);

/// A client, as its message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Client {
    pub(super) name: ClientName,
    pub(super) hardware: Option<HardwareAddress>,
    pub(super) host_name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Offered(Instant),
    /// Until then; none without an end.
    Leased(Option<Instant>),
    /// Released, expired, or not requested; since this time.
    Former(Instant),
    InUse(Instant),
}

#[derive(Clone, Debug)]
struct Entry {
    client: Client,
    state: State,
    /// When it was found that nobody uses the address.
    checked: Option<Instant>,
}

impl Entry {
    const fn is_leased(&self) -> bool {
        matches!(self.state, State::Leased(_))
    }

    fn is_checked(&self, now: Instant) -> bool {
        self.checked.is_some_and(|checked| now < checked.after(CHECKED))
    }

    const fn is_offered(&self) -> bool {
        matches!(self.state, State::Offered(_))
    }
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Leases {
    ranges: Vec<AddressRange>,
    /// Addresses of ours, of the network and of its broadcasts.
    excluded: Vec<Ipv4Addr>,
    reservations: Vec<Reservation>,
    is_single: bool,
    entries: BTreeMap<Ipv4Addr, Entry>,
    /// Leases that were given, renewed or ended since they were taken.
    changes: Vec<(Change, ServerLease)>,
    expirations: u64,
}

impl Leases {
    pub(super) fn reservations(&self) -> &[Reservation] {
        &self.reservations
    }

    /// Sets the addresses, and whether one client at a time gets the first of them.
    pub(super) fn configure(&mut self, ranges: &[AddressRange], is_single: bool) {
        self.is_single = is_single;
        self.ranges = match ranges.first() {
            Some(range) if is_single => {
                alloc::vec![AddressRange { first: range.first, last: range.first }]
            }
            _ => ranges.to_vec(),
        };
    }

    /// Sets the addresses that are not assigned.
    pub(super) fn exclude(&mut self, addresses: Vec<Ipv4Addr>) {
        self.excluded = addresses;
    }

    /// True for an address that this table assigns.
    pub(super) fn includes(&self, address: Ipv4Addr) -> bool {
        self.is_in_range(address) || self.reservation_of(address).is_some()
    }

    fn is_in_range(&self, address: Ipv4Addr) -> bool {
        let has = |range: &AddressRange| (range.first..=range.last).contains(&address);
        self.ranges.iter().any(has) && !self.excluded.contains(&address)
    }

    fn reservation_of(&self, address: Ipv4Addr) -> Option<&Reservation> {
        self.reservations.iter().find(|known| known.address == address)
    }

    fn is_reserved_for(reservation: &Reservation, client: &Client) -> bool {
        match &reservation.client {
            ClientName::Hardware(hardware) => client.hardware == Some(*hardware),
            name @ ClientName::Identifier(_) => *name == client.name,
        }
    }

    /// True when no other client has a reservation of the address.
    fn is_free_of_others(&self, address: Ipv4Addr, client: &Client) -> bool {
        self.reservation_of(address).is_none_or(|known| Self::is_reserved_for(known, client))
    }

    /// True when the address may be assigned to the client, whoever has it now.
    fn may_have(&self, address: Ipv4Addr, client: &Client) -> bool {
        self.includes(address) && self.is_free_of_others(address, client)
    }

    /// Ends leases and offers.
    pub(super) fn expire(&mut self, now: Instant) {
        let mut ended = Vec::new();
        for (address, entry) in &mut self.entries {
            entry.state = match entry.state {
                State::Offered(since) if since.after(OFFER) <= now => {
                    State::Former(since.after(OFFER))
                }
                State::Leased(Some(until)) if until <= now => {
                    ended.push(*address);
                    State::Former(until)
                }
                State::InUse(until) if until <= now => State::Former(until),
                state => state,
            };
        }
        self.expirations += ended.len() as u64;
        for address in ended {
            self.note(Change::Removed, address, now);
        }
    }

    /// When the next lease ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        let end = |entry: &Entry| match entry.state {
            State::Leased(until) => until,
            _ => None,
        };
        self.entries.values().filter_map(end).min()
    }

    /// Leases that ended because nobody renewed them.
    pub(super) const fn expirations(&self) -> u64 {
        self.expirations
    }

    /// Chooses an address for a client's DHCPDISCOVER, and reserves it for a while.
    pub(super) fn offer(
        &mut self,
        client: &Client,
        wanted: Option<Ipv4Addr>,
        now: Instant,
    ) -> Option<Ipv4Addr> {
        self.expire(now);
        let address = self.choose(client, wanted)?;
        // An offer to the client that leases the address does not end its lease.
        if !self.entries.get(&address).is_some_and(Entry::is_leased) {
            self.set(client, address, State::Offered(now), now);
        }
        Some(address)
    }

    /// Leases the address that the client selected: it was offered it, even if the offer was
    /// reassigned since.
    #[must_use]
    pub(super) fn select(
        &mut self,
        client: &Client,
        address: Ipv4Addr,
        seconds: u32,
        now: Instant,
    ) -> bool {
        self.expire(now);
        let is_open = self.entries.get(&address).is_some_and(|entry| match entry.state {
            State::Offered(_) => true,
            State::Leased(_) => self.is_single && entry.is_checked(now),
            State::Former(_) | State::InUse(_) => false,
        });
        if is_open && self.may_have(address, client) && !self.is_leased_to(client, address) {
            if self.entries.get(&address).is_some_and(Entry::is_leased) {
                self.note(Change::Removed, address, now);
            }
            self.give(client, address, seconds, now);
            return true;
        }
        self.lease(client, address, seconds, now)
    }

    /// Leases the address to the client if it was offered to it, or was its own and is free.
    #[must_use]
    pub(super) fn lease(
        &mut self,
        client: &Client,
        address: Ipv4Addr,
        seconds: u32,
        now: Instant,
    ) -> bool {
        self.expire(now);
        let is_its = self.entries.get(&address).is_some_and(|entry| match entry.state {
            State::InUse(_) => false,
            _ => entry.client.name == client.name,
        });
        if is_its && self.may_have(address, client) {
            self.give(client, address, seconds, now);
            return true;
        }
        false
    }

    /// As [`lease`](Self::lease), also when nothing is known about the address.
    #[must_use]
    pub(super) fn adopt(
        &mut self,
        client: &Client,
        address: Ipv4Addr,
        seconds: u32,
        now: Instant,
    ) -> bool {
        if self.is_unused(address, client) {
            self.give(client, address, seconds, now);
            return true;
        }
        self.lease(client, address, seconds, now)
    }

    fn give(&mut self, client: &Client, address: Ipv4Addr, seconds: u32, now: Instant) {
        let was_leased = self.is_leased_to(client, address);
        let until = (seconds != u32::MAX).then(|| now.after(Duration::from_secs(seconds.into())));
        self.set(client, address, State::Leased(until), now);
        self.note(if was_leased { Change::Changed } else { Change::Added }, address, now);
    }

    /// The client accepted another server's offer.
    pub(super) fn withdraw(&mut self, client: &Client, now: Instant) {
        for entry in self.entries.values_mut().filter(|entry| entry.client.name == client.name) {
            if entry.is_offered() {
                entry.state = State::Former(now);
            }
        }
    }

    /// The client releases its address; the address of another client is unchanged.
    pub(super) fn release(&mut self, client: &Client, address: Ipv4Addr, now: Instant) {
        if self.is_leased_to(client, address) {
            self.set(client, address, State::Former(now), now);
            self.note(Change::Removed, address, now);
        }
    }

    /// The client declines its address; that of another client is unchanged. True if it was its.
    pub(super) fn decline(&mut self, client: &Client, address: Ipv4Addr, now: Instant) -> bool {
        self.expire(now);
        let is_its = self.entries.get(&address).is_some_and(|entry| {
            entry.client.name == client.name && (entry.is_offered() || entry.is_leased())
        });
        if is_its {
            self.found_in_use(address, now);
        }
        is_its
    }

    /// Somebody else uses the address.
    pub(super) fn found_in_use(&mut self, address: Ipv4Addr, now: Instant) {
        let Some(entry) = self.entries.get_mut(&address) else { return };
        let was_leased = entry.is_leased();
        entry.state = State::InUse(now.after(IN_USE));
        entry.checked = None;
        if was_leased {
            self.note(Change::Removed, address, now);
        }
    }

    /// True when the address has to be checked before it is offered to the client.
    pub(super) fn needs_check(&self, client: &Client, address: Ipv4Addr, now: Instant) -> bool {
        self.entries.get(&address).is_some_and(|entry| match entry.state {
            State::Leased(_) => entry.client.name != client.name,
            _ => !entry.is_checked(now),
        })
    }

    /// Nobody uses the address, as a check found.
    pub(super) fn found_free(&mut self, address: Ipv4Addr, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&address) {
            entry.checked = Some(now);
        }
    }

    /// True while the address is offered to the client, or in the mode of one client leased.
    pub(super) fn is_offered_to(&self, client: &Client, address: Ipv4Addr) -> bool {
        self.entries.get(&address).is_some_and(|entry| match entry.state {
            State::Offered(_) => entry.client.name == client.name,
            State::Leased(_) => self.is_single,
            State::Former(_) | State::InUse(_) => false,
        })
    }

    fn is_leased_to(&self, client: &Client, address: Ipv4Addr) -> bool {
        let is_its = |entry: &Entry| entry.client.name == client.name && entry.is_leased();
        self.entries.get(&address).is_some_and(is_its)
    }

    fn set(&mut self, client: &Client, address: Ipv4Addr, state: State, now: Instant) {
        // One address per client: its other one becomes free.
        let is_other = |known: &Ipv4Addr, entry: &Entry| {
            *known != address
                && entry.client.name == client.name
                && !matches!(entry.state, State::InUse(_))
        };
        let others = self.entries.iter().filter(|(known, entry)| is_other(known, entry));
        let others: Vec<_> = others.map(|(known, entry)| (*known, entry.is_leased())).collect();
        for (other, was_leased) in others {
            if was_leased {
                self.note(Change::Removed, other, now);
            }
            self.entries.remove(&other);
        }
        let former = self.entries.get(&address);
        let checked = former.and_then(|entry| entry.checked);
        let mut client = client.clone();
        if client.host_name.is_none() {
            let is_its = |entry: &&Entry| entry.client.name == client.name;
            client.host_name =
                former.filter(is_its).and_then(|entry| entry.client.host_name.clone());
        }
        self.entries.insert(address, Entry { client, state, checked });
    }

    /// Records a change of a lease. Nobody may read them, so there are few.
    fn note(&mut self, change: Change, address: Ipv4Addr, now: Instant) {
        if self.changes.len() < limits::DHCP_LEASES * 2
            && let Some(entry) = self.entries.get(&address)
        {
            let lease = self.listed(address, entry, now);
            self.changes.push((change, lease));
        }
    }

    /// Takes the recorded changes.
    pub(super) fn take_changes(&mut self) -> Vec<(Change, ServerLease)> {
        mem::take(&mut self.changes)
    }
}

#[cfg(test)]
mod tests;
