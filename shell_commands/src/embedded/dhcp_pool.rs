//! The address pool of the DHCP server. Pure functions of given times;
//! [`dhcp_server`](super::dhcp_server) handles messages.
//!
//! A client gets its former address if no other client has it. Otherwise it gets an unused one,
//! then the one that expired first, then the oldest one that was offered and not requested, so that
//! fake clients cannot exhaust the pool. Offers take at most half of it: then they are reassigned
//! first, and former addresses wait for their clients. Whoever requests an offered address first
//! has it, so that a flood of discoveries does not disappoint a client that goes on. A leased
//! address is never reassigned.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_network::platform::Instant;

use crate::limits;

/// How long an offer is reserved for its client.
const OFFER: Duration = Duration::from_secs(60);
/// How long a declined address stays out of use.
const DECLINED: Duration = Duration::from_secs(600);

/// A client's identity: its identifier, or its hardware address.
pub type Client = Vec<u8>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Offered(Instant),
    Leased {
        until: Instant,
    },
    /// Released, expired, or not requested; since this time.
    Former(Instant),
    Declined {
        until: Instant,
    },
}

#[derive(Clone, Debug)]
struct Entry {
    client: Client,
    state: State,
}

/// The addresses that a server assigns.
pub struct Pool {
    first: u32,
    last: u32,
    excluded: Vec<Ipv4Addr>,
    /// One entry per address that was ever assigned.
    entries: BTreeMap<Ipv4Addr, Entry>,
}

impl Pool {
    /// The addresses from `first` to `last` within the network, without its own and the network's
    /// and broadcast address.
    #[must_use]
    pub fn new(
        first: Ipv4Addr,
        last: Ipv4Addr,
        network: Ipv4Addr,
        length: u8,
        own: &[Ipv4Addr],
    ) -> Self {
        let length = u32::from(length.min(32));
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        let (low, high) = (u32::from(network) & mask, u32::from(network) | !mask);
        let mut excluded = own.to_vec();
        // A network of one or two addresses has no others (RFC 3021).
        if length < 31 {
            excluded.extend([Ipv4Addr::from(low), Ipv4Addr::from(high)]);
        }
        Self {
            first: u32::from(first).max(low),
            last: u32::from(last).min(high),
            excluded,
            entries: BTreeMap::new(),
        }
    }

    /// True for an address that the pool assigns.
    #[must_use]
    pub fn includes(&self, address: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&u32::from(address)) && !self.excluded.contains(&address)
    }

    /// Expires leases and offers.
    fn expire(&mut self, now: Instant) {
        for entry in self.entries.values_mut() {
            entry.state = match entry.state {
                State::Offered(since) if since.after(OFFER) <= now => {
                    State::Former(since.after(OFFER))
                }
                State::Leased { until } | State::Declined { until } if until <= now => {
                    State::Former(until)
                }
                state => state,
            };
        }
    }

    /// Chooses an address for a client's DHCPDISCOVER, and reserves it for a while.
    pub fn offer(
        &mut self,
        client: &[u8],
        wanted: Option<Ipv4Addr>,
        now: Instant,
    ) -> Option<Ipv4Addr> {
        self.expire(now);
        let address = self
            .former(client)
            .or_else(|| self.oldest_offer().filter(|_| self.has_many_offers()))
            .or_else(|| wanted.filter(|wanted| self.is_unused(*wanted)))
            .or_else(|| self.unused())
            .or_else(|| self.oldest(|state| matches!(state, State::Former(_))))
            .or_else(|| self.oldest_offer())?;
        // An offer to the client that leases the address does not end its lease.
        if !self.is_leased_to(client, address) {
            self.set(client, address, State::Offered(now));
        }
        Some(address)
    }

    /// Leases the address that the client selected: it was offered it, even if the offer was
    /// reassigned since.
    #[must_use]
    pub fn select(&mut self, client: &[u8], address: Ipv4Addr, seconds: u32, now: Instant) -> bool {
        self.expire(now);
        let entry = self.entries.get_mut(&address);
        if let Some(entry) = entry.filter(|entry| matches!(entry.state, State::Offered(_))) {
            entry.client = client.to_vec();
        }
        self.lease(client, address, seconds, now)
    }

    /// Leases the address to the client if it was offered to it, or was its own and is free.
    #[must_use]
    pub fn lease(&mut self, client: &[u8], address: Ipv4Addr, seconds: u32, now: Instant) -> bool {
        self.expire(now);
        let may_have = self.entries.get(&address).is_some_and(|entry| match entry.state {
            State::Declined { .. } => false,
            _ => entry.client == client,
        });
        if may_have {
            self.set(
                client,
                address,
                State::Leased { until: now.after(Duration::from_secs(seconds.into())) },
            );
        }
        may_have
    }

    /// The client accepted another server's offer.
    pub fn withdraw(&mut self, client: &[u8], now: Instant) {
        for entry in self.entries.values_mut().filter(|entry| entry.client == client) {
            if matches!(entry.state, State::Offered(_)) {
                entry.state = State::Former(now);
            }
        }
    }

    /// The client releases its address; the address of another client is unchanged.
    pub fn release(&mut self, client: &[u8], address: Ipv4Addr, now: Instant) {
        if self.is_leased_to(client, address) {
            self.set(client, address, State::Former(now));
        }
    }

    /// The client declines its address; that of another client is unchanged.
    pub fn decline(&mut self, client: &[u8], address: Ipv4Addr, now: Instant) {
        self.expire(now);
        let holds = |entry: &&mut Entry| {
            entry.client == client
                && matches!(entry.state, State::Offered(_) | State::Leased { .. })
        };
        if let Some(entry) = self.entries.get_mut(&address).filter(holds) {
            entry.state = State::Declined { until: now.after(DECLINED) };
        }
    }

    fn is_leased_to(&self, client: &[u8], address: Ipv4Addr) -> bool {
        self.entries.get(&address).is_some_and(|entry| {
            entry.client == client && matches!(entry.state, State::Leased { .. })
        })
    }

    fn former(&self, client: &[u8]) -> Option<Ipv4Addr> {
        let is_former = |entry: &Entry| {
            entry.client == client && !matches!(entry.state, State::Declined { .. })
        };
        self.entries.iter().find(|(_, entry)| is_former(entry)).map(|(address, _)| *address)
    }

    fn is_unused(&self, address: Ipv4Addr) -> bool {
        self.includes(address)
            && self.entries.len() < limits::DHCP_CLIENTS
            && !self.entries.contains_key(&address)
    }

    /// Returns the first address that was never assigned. Among one more than are assigned or
    /// excluded, one is free: that bounds the search.
    fn unused(&self) -> Option<Ipv4Addr> {
        let enough = self.entries.len().saturating_add(self.excluded.len()).saturating_add(1);
        (self.first..=self.last)
            .take(enough)
            .map(Ipv4Addr::from)
            .find(|address| self.is_unused(*address))
    }

    fn oldest(&self, wanted: impl Fn(&State) -> bool) -> Option<Ipv4Addr> {
        let candidates = self.entries.iter().filter(|(_, entry)| wanted(&entry.state));
        let since = |entry: &Entry| match entry.state {
            State::Offered(since) | State::Former(since) => since,
            State::Leased { until } | State::Declined { until } => until,
        };
        candidates.min_by_key(|(_, entry)| since(entry)).map(|(address, _)| *address)
    }

    fn oldest_offer(&self) -> Option<Ipv4Addr> {
        self.oldest(|state| matches!(state, State::Offered(_)))
    }

    /// True when half of the pool, or of what may be remembered, is offered.
    fn has_many_offers(&self) -> bool {
        let is_offer = |entry: &&Entry| matches!(entry.state, State::Offered(_));
        let offers = self.entries.values().filter(is_offer).count();
        let size = self.last.saturating_sub(self.first).saturating_add(1) as usize;
        offers > 1 && offers * 2 >= size.min(limits::DHCP_CLIENTS)
    }

    fn set(&mut self, client: &[u8], address: Ipv4Addr, state: State) {
        // One address per client: its other one becomes free.
        self.entries.retain(|known, entry| {
            *known == address
                || entry.client != client
                || matches!(entry.state, State::Declined { .. })
        });
        self.entries.insert(address, Entry { client: client.to_vec(), state });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: u32 = 100;

    fn address(last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 2, last)
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    fn pool(first: u8, last: u8) -> Pool {
        Pool::new(address(first), address(last), address(0), 24, &[address(2)])
    }

    #[test]
    fn ds_01_unconfirmed_offers_give_way_and_leases_do_not() {
        let mut pool = pool(10, 12);
        assert_eq!(pool.offer(b"real", None, at(0)), Some(address(10)));
        assert!(pool.lease(b"real", address(10), LEASE, at(0)));
        for invented in 0..8u8 {
            assert!(pool.offer(&[invented], None, at(1)).is_some());
        }
        let offered = pool.offer(b"new", None, at(2)).unwrap();
        assert_ne!(offered, address(10));
        assert!(pool.lease(b"new", offered, LEASE, at(2)));
        // A client whose offer was reassigned is refused.
        assert!(!pool.lease(&[0], offered, LEASE, at(2)));
    }

    #[test]
    fn ds_01_a_flood_of_discoveries_disappoints_nobody() {
        let mut pool = pool(10, 30);
        for client in [&b"old"[..], b"gone"] {
            let offered = pool.offer(client, None, at(0)).unwrap();
            assert!(pool.lease(client, offered, LEASE, at(0)));
        }
        // The lease of one ends, and its address waits for it.
        assert!(pool.lease(b"old", address(10), 100 * LEASE, at(50)));
        let mut flood = (0..20_000_u32).map(u32::to_be_bytes);
        for invented in flood.by_ref().take(5000) {
            assert!(pool.offer(&invented, Some(address(11)), at(500)).is_some());
        }
        let offered = pool.offer(b"new", None, at(500)).unwrap();
        for invented in flood {
            assert!(pool.offer(&invented, None, at(501)).is_some());
        }
        assert!(pool.select(b"new", offered, LEASE, at(501)), "it requests what it was offered");
        assert_eq!(pool.offer(b"gone", None, at(501)), Some(address(11)));
        assert!(pool.lease(b"old", address(10), LEASE, at(501)));
    }

    #[test]
    fn ds_01_a_decline_counts_only_for_what_the_client_holds() {
        let mut pool = pool(10, 10);
        assert_eq!(pool.offer(b"a", None, at(0)), Some(address(10)));
        assert!(pool.lease(b"a", address(10), LEASE, at(0)));
        pool.decline(b"b", address(10), at(1));
        assert_eq!(pool.offer(b"a", None, at(2)), Some(address(10)));
        pool.decline(b"a", address(10), at(3));
        assert_eq!(pool.offer(b"a", None, at(4)), None);
        assert!(!pool.lease(b"a", address(10), LEASE, at(4)));
        // After a while it is tried again.
        assert_eq!(pool.offer(b"a", None, at(700)), Some(address(10)));
    }

    #[test]
    fn ds_02_the_pool_leaves_out_what_is_taken() {
        let mut pool = Pool::new(address(0), address(255), address(0), 24, &[address(1)]);
        assert_eq!(pool.offer(b"a", None, at(0)), Some(address(2)));
        for wanted in [0, 1, 255] {
            let offered = pool.offer(&[wanted], Some(address(wanted)), at(0)).unwrap();
            assert!(offered > address(1) && offered < address(255), "{offered}");
        }
        assert_eq!(
            pool.offer(b"b", Some(Ipv4Addr::new(10, 0, 3, 9)), at(0)).unwrap().octets()[2],
            2
        );
        let mut small = Pool::new(address(4), address(5), address(4), 31, &[address(4)]);
        assert_eq!(small.offer(b"a", None, at(0)), Some(address(5)));
        let mut huge =
            Pool::new(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, Ipv4Addr::UNSPECIFIED, 0, &[]);
        assert_eq!(huge.offer(b"a", None, at(0)), Some(Ipv4Addr::new(0, 0, 0, 1)));
    }

    #[test]
    fn ds_03_former_addresses_come_back_and_the_oldest_is_reused() {
        let mut pool = pool(10, 11);
        for (client, time) in [(b"a", 0), (b"b", 5)] {
            let offered = pool.offer(client, None, at(time)).unwrap();
            assert!(pool.lease(client, offered, LEASE, at(time)));
        }
        assert_eq!(pool.offer(b"c", None, at(50)), None);
        assert_eq!(pool.offer(b"a", None, at(200)), Some(address(10)));
        assert!(pool.lease(b"a", address(10), LEASE, at(200)));
        assert_eq!(pool.offer(b"c", Some(address(10)), at(201)), Some(address(11)));
    }

    #[test]
    fn ds_07_what_was_released_and_given_away_is_refused() {
        let mut pool = pool(10, 10);
        assert_eq!(pool.offer(b"a", None, at(0)), Some(address(10)));
        assert!(pool.lease(b"a", address(10), LEASE, at(0)));
        pool.release(b"b", address(10), at(1));
        assert_eq!(pool.offer(b"b", None, at(1)), None);
        pool.release(b"a", address(10), at(2));
        assert_eq!(pool.offer(b"b", None, at(3)), Some(address(10)));
        assert!(!pool.lease(b"a", address(10), LEASE, at(4)));
    }
}
