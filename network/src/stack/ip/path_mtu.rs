//! The path MTU cache (RFC 1191, RFC 8201).
//!
//! A pure table. It only ever lowers a path MTU, ignores values below what every path carries,
//! forgets entries after ten minutes, and is bounded by [`limits::PATHS`]. The caller decides
//! whether to trust an ICMP error that reports an MTU.

use core::net::IpAddr;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::limits;
use crate::platform::Instant;
use crate::stack::lazy_queue::LazyQueue;

/// How long an entry is valid (RFC 1191 §6.3, RFC 8201 §4).
const LIFETIME: Duration = Duration::from_secs(600);
/// The minimum path MTU of IPv4 (Linux' min_pmtu); smaller values are attacks more often than links
/// (RFC 5927 §7).
const MINIMUM_IPV4: usize = 552;
/// The plateau table, for routers that do not report their MTU (RFC 1191 §7.1).
const PLATEAUS: [usize; 7] = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006];

/// Path MTUs, and until when they count.
type Paths = HashMap<IpAddr, (usize, Instant), FixedState>;

/// The cache.
#[derive(Debug)]
pub(crate) struct PathMtu {
    paths: Paths,
    /// Entries by expiry, which is also the order in which they were set. An item is stale when its
    /// entry has another expiry.
    expiry_queue: LazyQueue<(Instant, IpAddr)>,
}

impl PathMtu {
    /// An empty cache with a keyed hash.
    pub(crate) fn new(seed: u64) -> Self {
        let paths = HashMap::with_hasher(FixedState::with_seed(seed));
        Self { paths, expiry_queue: LazyQueue::default() }
    }

    /// The path MTU of a destination, if known.
    pub(crate) fn get(&self, destination: IpAddr, now: Instant) -> Option<usize> {
        if self.paths.is_empty() {
            return None;
        }
        self.paths.get(&destination).filter(|(_, until)| now < *until).map(|(mtu, _)| *mtu)
    }

    /// A packet of `length` bytes exceeded a hop's MTU, `reported` (0: not reported); `present` is
    /// the current path MTU. Returns true if the path MTU decreased.
    pub(crate) fn lower(
        &mut self,
        destination: IpAddr,
        reported: usize,
        length: usize,
        present: usize,
        now: Instant,
    ) -> bool {
        let minimum = if destination.is_ipv4() { MINIMUM_IPV4 } else { limits::MTU_MINIMUM_IPV6 };
        let mtu = match reported {
            0 if destination.is_ipv4() => {
                PLATEAUS.into_iter().find(|plateau| *plateau < length).unwrap_or(MINIMUM_IPV4)
            }
            reported => reported,
        };
        if mtu < minimum || mtu >= length || mtu >= present {
            return false;
        }
        if !self.paths.contains_key(&destination) {
            self.make_room();
        }
        let until = now.after(LIFETIME);
        self.paths.insert(destination, (mtu, until));
        let Self { paths, expiry_queue } = self;
        expiry_queue.push((until, destination), paths.len(), |(until, address)| {
            is_current(paths, *until, *address)
        });
        true
    }

    /// Removes the entry that expires first, if there is no room.
    fn make_room(&mut self) {
        while self.paths.len() >= limits::PATHS
            && let Some((until, address)) = self.expiry_queue.pop()
        {
            if is_current(&self.paths, until, address) {
                self.paths.remove(&address);
            }
        }
    }

    /// Removes everything, as after a link change.
    pub(crate) fn clear(&mut self) {
        self.paths.clear();
        self.expiry_queue.clear();
    }
}

/// True for an item of the expiry queue that is not stale.
fn is_current(paths: &Paths, until: Instant, address: IpAddr) -> bool {
    paths.get(&address).is_some_and(|(_, current)| *current == until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn pmt_01_paths_only_get_narrower_within_reason_and_recover_after_ten_minutes() {
        let mut table = PathMtu::new(1);
        let (to, now) = (address("192.0.2.1"), Instant::from_micros(5));
        for (reported, length) in
            [(1500, 1500), (2000, 1500), (551, 1500), (68, 1500), (1400, 1400), (1400, 100)]
        {
            assert!(!table.lower(to, reported, length, 1500, now), "{reported} {length}");
        }
        assert!(!table.lower(address("2001:db8::1"), 1279, 1500, 1500, now));
        assert!(!table.lower(address("2001:db8::1"), 0, 1500, 1500, now));
        assert_eq!(table.get(to, now), None);
        assert!(table.lower(to, 1400, 1500, 1500, now));
        assert!(!table.lower(to, 1450, 1500, 1400, now));
        assert_eq!(table.get(to, now), Some(1400));
        assert_eq!(table.get(to, now.after(LIFETIME)), None);
        // A router that does not report its MTU.
        assert!(table.lower(to, 0, 1500, 1500, now));
        assert_eq!(table.get(to, now), Some(1492));
    }

    #[test]
    fn pmt_01_the_table_is_bounded() {
        let mut table = PathMtu::new(1);
        for host in 0..limits::PATHS as u32 * 2 {
            let to = IpAddr::V4(core::net::Ipv4Addr::from_bits(0x0a00_0000 + host));
            assert!(table.lower(to, 1400, 1500, 1500, Instant::from_micros(u64::from(host))));
            assert!(table.paths.len() <= limits::PATHS);
        }
        let newest =
            IpAddr::V4(core::net::Ipv4Addr::from_bits(0x0a00_0000 + limits::PATHS as u32 * 2 - 1));
        assert_eq!(table.get(newest, Instant::ZERO), Some(1400));
    }
}
