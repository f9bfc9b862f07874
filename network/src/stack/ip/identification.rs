//! Unpredictable header fields: the identification of fragmented datagrams (RFC 7739) and flow
//! labels (RFC 6437).
//!
//! An identification is a counter plus an offset that is a keyed hash of both addresses.
//! Destinations share a fixed number of counters with random starts, so a value recurs for a
//! destination only after all others were used (RFC 6864). The counters are allocated when the
//! first datagram may be fragmented.

use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::net::IpAddr;

use foldhash::quality::FixedState;

use crate::stack::flow::Flow;
use crate::stack::random::Random;
use crate::stack::wire::header::{IPV6_HEADER, Outgoing, protocol};
use crate::stack::wire::quote::u32_at;

/// The number of counters.
const COUNTERS: usize = 256;

/// The counters and keys of one interface.
#[derive(Debug)]
pub(crate) struct Identifications {
    counters: Vec<u32>,
    starts: FixedState,
    counter_hasher: FixedState,
    offsets: FixedState,
    labels: FixedState,
}

impl Identifications {
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            counters: Vec::new(),
            starts: FixedState::with_seed(random.u64()),
            counter_hasher: FixedState::with_seed(random.u64()),
            offsets: FixedState::with_seed(random.u64()),
            labels: FixedState::with_seed(random.u64()),
        }
    }

    /// The identification of the next datagram that is fragmented.
    pub(crate) fn next(&mut self, outgoing: &Outgoing) -> u32 {
        let key = (outgoing.source, outgoing.destination, outgoing.protocol);
        let offset = self.offsets.hash_one(key) as u32;
        if self.counters.is_empty() {
            self.counters = (0..COUNTERS).map(|place| self.starts.hash_one(place) as u32).collect();
        }
        let index = self.counter_hasher.hash_one(key) as usize % COUNTERS;
        let Some(counter) = self.counters.get_mut(index) else { return offset };
        *counter = counter.wrapping_add(1);
        counter.wrapping_add(offset)
    }

    /// The flow label of an IPv6 packet: a hash of addresses, protocol and ports.
    pub(crate) fn flow_label(&self, outgoing: &Outgoing, packet: &[u8]) -> u32 {
        let ports = match outgoing.protocol {
            protocol::TCP | protocol::UDP => u32_at(packet, IPV6_HEADER),
            _ => None,
        };
        self.label((outgoing.source, outgoing.destination), outgoing.protocol, ports)
    }

    /// A hash of a flow that chooses among next hops; it tells nothing of flow labels.
    pub(crate) fn flow_hash(
        &self,
        ends: (Option<IpAddr>, IpAddr),
        protocol: u8,
        ports: Option<u32>,
    ) -> u64 {
        self.offsets.hash_one((ends, protocol, ports))
    }

    /// The flow label of a connection.
    pub(crate) fn stream_label(&self, flow: &Flow) -> u32 {
        let ports = u32::from(flow.local.port()) << 16 | u32::from(flow.remote.port());
        self.label((flow.local.ip(), flow.remote.ip()), protocol::TCP, Some(ports))
    }

    fn label(
        &self,
        (source, destination): (IpAddr, IpAddr),
        protocol: u8,
        ports: Option<u32>,
    ) -> u32 {
        let flow: (IpAddr, IpAddr, u8, Option<u32>) = (source, destination, protocol, ports);
        // 0 means no label.
        (self.labels.hash_one(flow) as u32 & 0x000f_ffff).max(1)
    }
}
