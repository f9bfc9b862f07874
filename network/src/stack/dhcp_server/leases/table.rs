//! The table as commands list and change it.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use devnet_virtual_file_system::Error;

use super::{Client, Entry, Leases, OFFER, State};
use crate::command::dhcp_server::{ClientName, LeaseState, NewLease, Reservation, ServerLease};
use crate::command::event::Change;
use crate::limits;
use crate::platform::Instant;

impl Leases {
    pub(super) fn listed(&self, address: Ipv4Addr, entry: &Entry, now: Instant) -> ServerLease {
        let (state, until) = match entry.state {
            State::Offered(since) => (LeaseState::Offered, Some(since.after(OFFER))),
            State::Leased(until) => (LeaseState::Leased, until),
            State::Former(_) => (LeaseState::Former, None),
            State::InUse(until) => (LeaseState::InUse, Some(until)),
        };
        let left = |until: Instant| u32::try_from(until.since(now).as_secs()).unwrap_or(u32::MAX);
        let reservation = self.reservation_of(address);
        ServerLease {
            address,
            client: entry.client.name.clone(),
            hardware_address: entry.client.hardware,
            name: entry.client.host_name.clone(),
            state,
            reserved: reservation.is_some_and(|known| Self::is_reserved_for(known, &entry.client)),
            remaining_seconds: until.map(left),
        }
    }

    /// Everything that is known, by address.
    pub(in crate::stack::dhcp_server) fn list(&self, now: Instant) -> Vec<ServerLease> {
        let entries = self.entries.iter();
        let mut list: Vec<_> =
            entries.map(|(address, entry)| self.listed(*address, entry, now)).collect();
        let unknown = self.reservations.iter().filter(|reservation| {
            let entry = self.entries.get(&reservation.address);
            !entry.is_some_and(|entry| Self::is_reserved_for(reservation, &entry.client))
        });
        list.extend(unknown.map(|reservation| ServerLease {
            address: reservation.address,
            client: reservation.client.clone(),
            hardware_address: match reservation.client {
                ClientName::Hardware(hardware) => Some(hardware),
                ClientName::Identifier(_) => None,
            },
            name: None,
            state: LeaseState::Reserved,
            reserved: true,
            remaining_seconds: None,
        }));
        list.sort_by_key(|lease| lease.address);
        list
    }

    /// The number of leases.
    pub(in crate::stack::dhcp_server) fn count(&self) -> usize {
        self.entries.values().filter(|entry| entry.is_leased()).count()
    }

    /// The leases alone, as of the last message.
    pub(in crate::stack::dhcp_server) fn leased(
        &self,
        now: Instant,
    ) -> impl Iterator<Item = ServerLease> + '_ {
        let leased = self.entries.iter().filter(|(_, entry)| entry.is_leased());
        leased.map(move |(address, entry)| self.listed(*address, entry, now))
    }

    /// Adds a reservation, or replaces that of its address or of its client; `None` when there are
    /// too many, `Some(false)` when it is there.
    pub(in crate::stack::dhcp_server) fn reserve(
        &mut self,
        reservation: &Reservation,
    ) -> Option<bool> {
        if self.reservations.contains(reservation) {
            return Some(false);
        }
        let is_same = |known: &Reservation| {
            known.address == reservation.address || known.client == reservation.client
        };
        let replaced = self.reservations.iter().filter(|known| is_same(known)).count();
        if self.reservations.len() - replaced >= limits::DHCP_RESERVATIONS {
            return None;
        }
        self.reservations.retain(|known| !is_same(known));
        self.reservations.push(reservation.clone());
        Some(true)
    }

    /// Removes the reservation of an address; false when there is none.
    pub(in crate::stack::dhcp_server) fn unreserve(&mut self, address: Ipv4Addr) -> bool {
        let before = self.reservations.len();
        self.reservations.retain(|known| known.address != address);
        self.reservations.len() < before
    }

    /// Puts a lease back.
    ///
    /// # Errors
    /// `InvalidInput` for an address that the client cannot have, `NoBufferSpace` when the table is
    /// full.
    pub(in crate::stack::dhcp_server) fn put(
        &mut self,
        lease: &NewLease,
        now: Instant,
    ) -> Result<(), Error> {
        let client = Client {
            name: lease.client.clone(),
            hardware: lease.hardware_address.or(match lease.client {
                ClientName::Hardware(hardware) => Some(hardware),
                ClientName::Identifier(_) => None,
            }),
            host_name: lease.name.clone(),
        };
        if !self.may_have(lease.address, &client) {
            return Err(Error::InvalidInput);
        }
        let is_known = self.entries.contains_key(&lease.address);
        if self.entries.len() >= limits::DHCP_LEASES && !is_known {
            return Err(Error::NoBufferSpace);
        }
        self.give(&client, lease.address, lease.seconds, now);
        Ok(())
    }

    /// Forgets an address; false when nothing is known about it.
    pub(in crate::stack::dhcp_server) fn end(&mut self, address: Ipv4Addr, now: Instant) -> bool {
        if self.entries.get(&address).is_some_and(Entry::is_leased) {
            self.note(Change::Removed, address, now);
        }
        self.entries.remove(&address).is_some()
    }
}
