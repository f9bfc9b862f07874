//! Why packets are dropped: one enumeration for all layers, and for everything that shows it.
//!
//! A reason has one counter per interface ([`Statistics`]) and one word. The status text of the
//! device, `ifconfig`, `ip -s link`, `netstat`, the metrics and the log have the same word and the
//! same number for it.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::interface::Statistics;
use crate::words::words;

/// Why a packet was dropped: a received frame, or a packet that was to be sent. New reasons are
/// appended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DropReason {
    /// It arrived while the interface was down.
    InterfaceDown,
    /// Too short, inconsistent lengths, bad options.
    Malformed,
    /// A checksum was wrong.
    Checksum,
    /// The frame or packet was addressed to another host. It is no loss: a network card would not
    /// have received it.
    NotForUs,
    /// Invalid source address: loopback, broadcast, our own.
    Martian,
    /// Unknown EtherType or protocol.
    UnknownProtocol,
    /// No matching socket.
    NoSocket,
    /// A receive queue, backlog or table was full.
    QueueFull,
    /// Reassembly timed out, overlapped or ran out of room.
    Fragment,
    /// A TCP segment was not acceptable.
    UnacceptableSegment,
    /// It was to be sent while the interface was down or had no carrier.
    LinkDown,
    /// No route.
    NoRoute,
    /// The neighbor did not answer.
    NeighborUnreachable,
    /// The output queue was full.
    OutputFull,
    /// Too large, and fragmentation is forbidden.
    TooLarge,
    /// The firewall lets a received packet not pass. It is no loss: a rule asks for it.
    Firewall,
    /// The firewall lets a packet to be sent not pass.
    FirewallOut,
}

words! { DropReason {
    InterfaceDown => "interface-down",
    Malformed => "malformed",
    Checksum => "checksum",
    NotForUs => "not-for-us",
    Martian => "martian",
    UnknownProtocol => "unknown-protocol",
    NoSocket => "no-socket",
    QueueFull => "queue-full",
    Fragment => "fragment",
    UnacceptableSegment => "unacceptable-segment",
    LinkDown => "link-down",
    NoRoute => "no-route",
    NeighborUnreachable => "neighbor-unreachable",
    OutputFull => "output-full",
    TooLarge => "too-large",
    Firewall => "firewall",
    FirewallOut => "firewall-out",
} }

impl DropReason {
    /// The reasons, in the order in which they are listed.
    pub const ALL: [Self; 17] = [
        Self::InterfaceDown,
        Self::Malformed,
        Self::Checksum,
        Self::NotForUs,
        Self::Martian,
        Self::UnknownProtocol,
        Self::NoSocket,
        Self::QueueFull,
        Self::Fragment,
        Self::UnacceptableSegment,
        Self::LinkDown,
        Self::NoRoute,
        Self::NeighborUnreachable,
        Self::OutputFull,
        Self::TooLarge,
        Self::Firewall,
        Self::FirewallOut,
    ];

    /// True for a reason of received packets, false for one of packets to be sent.
    #[must_use]
    pub const fn is_received(self) -> bool {
        !matches!(
            self,
            Self::LinkDown
                | Self::NoRoute
                | Self::NeighborUnreachable
                | Self::OutputFull
                | Self::TooLarge
                | Self::FirewallOut
        )
    }

    /// True for what rules of the firewall drop. `GetStatistics`, whose bytes are older, has no
    /// counters of it; `ListDrops` has.
    #[must_use]
    pub const fn is_of_firewall(self) -> bool {
        matches!(self, Self::Firewall | Self::FirewallOut)
    }

    /// True if somebody misses the packet: those that count as `dropped`.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        !matches!(self, Self::NotForUs) && !self.is_of_firewall()
    }
}

/// How many packets an interface dropped for a reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DropCount {
    /// The interface.
    pub interface: String,
    /// The reason.
    pub reason: DropReason,
    /// The packets since the interface was registered.
    pub packets: u64,
}

impl Statistics {
    /// The packets that were dropped for a reason; 0 for [those of rules](
    /// DropReason::is_of_firewall), which are not among these counters.
    #[must_use]
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        let mut copy = *self;
        match copy.counter(reason) {
            Some(counter) => *counter,
            None => 0,
        }
    }

    /// Counts dropped packets.
    #[inline]
    pub const fn count(&mut self, reason: DropReason, packets: u64) {
        if let Some(counter) = self.counter(reason) {
            *counter += packets;
        }
    }

    #[inline]
    const fn counter(&mut self, reason: DropReason) -> Option<&mut u64> {
        let (received, sent) = (&mut self.received_drops, &mut self.sent_drops);
        Some(match reason {
            DropReason::InterfaceDown => &mut received.disabled,
            DropReason::Malformed => &mut received.malformed,
            DropReason::Checksum => &mut received.checksum,
            DropReason::NotForUs => &mut received.not_for_us,
            DropReason::Martian => &mut received.martian,
            DropReason::UnknownProtocol => &mut received.protocol,
            DropReason::NoSocket => &mut received.no_socket,
            DropReason::QueueFull => &mut received.full,
            DropReason::Fragment => &mut received.fragment,
            DropReason::UnacceptableSegment => &mut received.segment,
            DropReason::LinkDown => &mut sent.disabled,
            DropReason::NoRoute => &mut sent.no_route,
            DropReason::NeighborUnreachable => &mut sent.neighbor,
            DropReason::OutputFull => &mut sent.full,
            DropReason::TooLarge => &mut sent.too_large,
            DropReason::Firewall | DropReason::FirewallOut => return None,
        })
    }

    /// The losses of one direction that happened, with their numbers. Their sum is what is shown
    /// as `dropped`.
    pub fn losses(&self, is_received: bool) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL
            .into_iter()
            .filter(move |reason| reason.is_received() == is_received && reason.is_loss())
            .map(|reason| (reason, self.dropped(reason)))
            .filter(|(_, packets)| *packets > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_losses_of_a_direction_are_what_was_dropped() {
        let mut statistics = Statistics::default();
        let (received, sent) = (&mut statistics.received_drops, &mut statistics.sent_drops);
        let counters = [
            &mut received.disabled,
            &mut received.malformed,
            &mut received.checksum,
            &mut received.not_for_us,
            &mut received.martian,
            &mut received.protocol,
            &mut received.no_socket,
            &mut received.full,
            &mut received.fragment,
            &mut received.segment,
            &mut sent.disabled,
            &mut sent.no_route,
            &mut sent.neighbor,
            &mut sent.full,
            &mut sent.too_large,
        ];
        for (power, counter) in counters.into_iter().enumerate() {
            *counter = 1 << power;
        }
        let sum = |is_received| -> u64 {
            statistics.losses(is_received).map(|(_, packets)| packets).sum()
        };
        assert_eq!(sum(true), statistics.received_drops.lost());
        assert_eq!(sum(false), statistics.sent_drops.total());
        for (power, reason) in DropReason::ALL.into_iter().enumerate() {
            let counted = if reason.is_of_firewall() { 0 } else { 1 << power };
            assert_eq!(statistics.dropped(reason), counted);
            assert_eq!(alloc::format!("{reason}").parse(), Ok(reason));
        }
    }
}
