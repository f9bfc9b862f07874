//! The counters of the protocols, by the names of SNMP (RFC 4293 for IP and ICMP, RFC 4022 for TCP,
//! RFC 4113 for UDP), as in `/proc/net/snmp` and `/proc/net/snmp6`.
//!
//! A packet of the fast path would count in two or three layers. It is counted once, and the list
//! adds it to each.

mod totals;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(crate) use self::totals::Totals;
use crate::command::counters::{CounterValue, ProtocolCounters};

/// The protocol of a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Group {
    Ip,
    Icmp,
    Tcp,
    Udp,
    /// Not listed: a part of others.
    Part,
}

macro_rules! counters {
    ($($variant:ident: $group:ident $name:literal),+ $(,)?) => {
        /// A counter.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Counter { $($variant),+ }

        /// Every counter with its protocol and its name there.
        const ALL: &[(Counter, Group, &str)] = &[$((Counter::$variant, Group::$group, $name)),+];
    };
}

counters! {
    IpInReceives: Ip "InReceives",
    IpInHdrErrors: Ip "InHdrErrors",
    IpInAddrErrors: Ip "InAddrErrors",
    IpInUnknownProtos: Ip "InUnknownProtos",
    IpInDelivers: Ip "InDelivers",
    IpOutRequests: Ip "OutRequests",
    IpOutDiscards: Ip "OutDiscards",
    IpOutNoRoutes: Ip "OutNoRoutes",
    IpReasmReqds: Ip "ReasmReqds",
    IpReasmOks: Ip "ReasmOKs",
    IpReasmFails: Ip "ReasmFails",
    IpFragOks: Ip "FragOKs",
    IpFragFails: Ip "FragFails",
    IpFragCreates: Ip "FragCreates",
    IcmpInMsgs: Icmp "InMsgs",
    IcmpInErrors: Icmp "InErrors",
    IcmpInCsumErrors: Icmp "InCsumErrors",
    IcmpInDestUnreachs: Icmp "InDestUnreachs",
    IcmpInEchos: Icmp "InEchos",
    IcmpInEchoReps: Icmp "InEchoReps",
    IcmpOutMsgs: Icmp "OutMsgs",
    IcmpOutDestUnreachs: Icmp "OutDestUnreachs",
    IcmpOutEchos: Icmp "OutEchos",
    IcmpOutEchoReps: Icmp "OutEchoReps",
    TcpActiveOpens: Tcp "ActiveOpens",
    TcpPassiveOpens: Tcp "PassiveOpens",
    TcpAttemptFails: Tcp "AttemptFails",
    TcpEstabResets: Tcp "EstabResets",
    TcpInSegs: Tcp "InSegs",
    TcpOutSegs: Tcp "OutSegs",
    TcpRetransSegs: Tcp "RetransSegs",
    TcpInErrs: Tcp "InErrs",
    TcpInCsumErrors: Tcp "InCsumErrors",
    TcpOutRsts: Tcp "OutRsts",
    UdpInDatagrams: Udp "InDatagrams",
    UdpNoPorts: Udp "NoPorts",
    UdpInErrors: Udp "InErrors",
    UdpInCsumErrors: Udp "InCsumErrors",
    UdpRcvbufErrors: Udp "RcvbufErrors",
    UdpOutDatagrams: Udp "OutDatagrams",
    TcpFastSegs: Part "",
    UdpFastDatagrams: Part "",
}

const COUNT: usize = ALL.len();

/// The counters of one interface, for IPv4 and for IPv6.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters([[u64; COUNT]; 2]);

impl Default for Counters {
    fn default() -> Self {
        Self([[0; COUNT]; 2])
    }
}

impl Counters {
    /// Counts once.
    #[inline]
    pub(crate) fn count(&mut self, is_ipv6: bool, counter: Counter) {
        self.add(is_ipv6, counter, 1);
    }

    /// Counts several times.
    #[inline]
    pub(crate) fn add(&mut self, is_ipv6: bool, counter: Counter, times: u64) {
        let family = self.0.get_mut(usize::from(is_ipv6));
        if let Some(value) = family.and_then(|family| family.get_mut(counter as usize)) {
            *value += times;
        }
    }

    fn raw(&self, is_ipv6: bool, counter: Counter) -> u64 {
        let family = self.0.get(usize::from(is_ipv6));
        family.and_then(|family| family.get(counter as usize)).copied().unwrap_or_default()
    }

    /// The value with its parts.
    fn value(&self, is_ipv6: bool, counter: Counter) -> u64 {
        let parts: &[Counter] = match counter {
            Counter::IpInReceives | Counter::IpInDelivers => {
                &[Counter::TcpFastSegs, Counter::UdpFastDatagrams]
            }
            Counter::IpOutRequests => &[Counter::TcpOutSegs, Counter::UdpOutDatagrams],
            Counter::TcpInSegs => &[Counter::TcpFastSegs],
            Counter::UdpInDatagrams => &[Counter::UdpFastDatagrams],
            _ => &[],
        };
        let parts = parts.iter().map(|part| self.raw(is_ipv6, *part));
        self.raw(is_ipv6, counter) + parts.sum::<u64>()
    }

    /// Every counter by its name. TCP has one for both versions, as in Linux.
    pub(crate) fn list(&self, interface: &str) -> ProtocolCounters {
        let mut counters = Vec::with_capacity(2 * COUNT);
        let mut push = |prefix: &str, name: &str, value| {
            counters.push(CounterValue { name: prefix.to_string() + name, value });
        };
        for (group, ipv4, ipv6) in
            [(Group::Ip, "Ip", "Ip6"), (Group::Icmp, "Icmp", "Icmp6"), (Group::Udp, "Udp", "Udp6")]
        {
            for (prefix, is_ipv6) in [(ipv4, false), (ipv6, true)] {
                for (counter, _, name) in ALL.iter().filter(|(_, of, _)| *of == group) {
                    push(prefix, name, self.value(is_ipv6, *counter));
                }
            }
        }
        for (counter, _, name) in ALL.iter().filter(|(_, of, _)| *of == Group::Tcp) {
            push("Tcp", name, self.value(false, *counter) + self.value(true, *counter));
        }
        ProtocolCounters { interface: String::from(interface), counters }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_of_the_fast_path_counts_in_every_layer() {
        let mut counters = Counters::default();
        counters.count(true, Counter::TcpFastSegs);
        counters.count(false, Counter::UdpFastDatagrams);
        counters.add(false, Counter::TcpOutSegs, 2);
        counters.count(true, Counter::TcpOutSegs);
        let list = counters.list("eth0");
        let counted: Vec<_> = list
            .counters
            .iter()
            .filter(|counter| counter.value > 0)
            .map(|counter| (counter.name.as_str(), counter.value))
            .collect();
        assert_eq!(
            counted,
            [
                ("IpInReceives", 1),
                ("IpInDelivers", 1),
                ("IpOutRequests", 2),
                ("Ip6InReceives", 1),
                ("Ip6InDelivers", 1),
                ("Ip6OutRequests", 1),
                ("UdpInDatagrams", 1),
                ("TcpInSegs", 1),
                ("TcpOutSegs", 3),
            ]
        );
        let mut names: Vec<_> = list.counters.iter().map(|counter| &counter.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), list.counters.len());
    }
}
