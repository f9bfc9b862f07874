//! Finds hardware addresses: packets that wait for a neighbor, solicitations, and their deadlines.

use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use super::neighbor::{Decision, Expiry, Known, Solicitation};
use super::{Hop, Link, ethertype_of};
use crate::address::HardwareAddress;
use crate::command::neighbor::NewNeighbor;
use crate::driver::Frame;
use crate::platform::Instant;
use crate::stack::addresses::Addresses;
use crate::stack::context::Context;
use crate::stack::timers::Timer;
use crate::stack::wire::header;
use crate::stack::wire::quote::Quote;
use crate::trace::{dropped, event, is_on};

impl Link {
    pub(super) fn resolve(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        frame: Frame,
        next_hop: IpAddr,
    ) -> Result<(), Error> {
        if !cx.configuration.options.arp {
            dropped!(cx, NeighborUnreachable, "devnet::neighbor", "{}, and ARP is off", next_hop);
            cx.pool.put(frame);
            return Err(Error::HostUnreachable);
        }
        let before = self.known_neighbor(next_hop);
        let (decision, solicitation) = self.neighbors.resolve(next_hop, frame, cx.now);
        self.tell_neighbor(cx, next_hop, before);
        let outcome = match decision {
            Decision::Send(frame, hardware) => {
                self.send_frame(cx, frame, hardware, ethertype_of(next_hop));
                Ok(())
            }
            Decision::Queued { dropped: None } => Ok(()),
            Decision::Queued { dropped: Some(frame) } => {
                dropped!(
                    cx,
                    NeighborUnreachable,
                    "devnet::neighbor",
                    "too many packets wait for {}",
                    next_hop
                );
                cx.pool.put(frame);
                Ok(())
            }
            Decision::Refused(frame) => {
                dropped!(
                    cx,
                    OutputFull,
                    "devnet::neighbor",
                    "no room for the neighbor {}",
                    next_hop
                );
                cx.pool.put(frame);
                Err(Error::NoBufferSpace)
            }
        };
        self.arm_neighbors(cx);
        if let Some(solicitation) = solicitation {
            self.solicit(cx, addresses, next_hop, solicitation);
        }
        outcome
    }

    fn solicit(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        address: IpAddr,
        solicitation: Solicitation,
    ) {
        let hardware = match solicitation {
            Solicitation::Multicast => None,
            Solicitation::Unicast(hardware) => Some(hardware),
        };
        match address {
            IpAddr::V4(address) => self.request(cx, addresses, address, hardware),
            IpAddr::V6(_) if !cfg!(feature = "ipv6") => {}
            IpAddr::V6(target) => {
                // The solicitation carries the source address of the queued packet (NBR-13, RFC
                // 4861 §7.2.2).
                let queued = self
                    .neighbors
                    .oldest_queued(address)
                    .and_then(|frame| header::source_of(frame.bytes()));
                let source = queued
                    .filter(|source| source.is_ipv6() && addresses.owns(*source))
                    .or_else(|| addresses.source_for(address, address));
                self.solicit_neighbor(cx, addresses, target, hardware, source);
            }
        }
    }

    pub(super) fn arm_neighbors(&mut self, cx: &mut Context) {
        let neighbors = &mut self.neighbors;
        for frame in neighbors.evicted.drain(..) {
            dropped!(
                cx,
                NeighborUnreachable,
                "devnet::neighbor",
                "its neighbor gave way, {} bytes",
                frame.len()
            );
            cx.pool.put(frame);
        }
        while let Some((deadline, address)) = neighbors.armed.pop_front() {
            cx.timers.arm(deadline, Timer::Neighbor(address));
            cx.timers.sweep(neighbors.len(), |deadline, timer| match timer {
                Timer::Neighbor(address) => neighbors.is_armed(address, deadline),
                _ => true,
            });
        }
    }

    /// Handles a neighbor's deadline. Returns undeliverable packets, one per sender (ICE-10); all
    /// are counted.
    pub(crate) fn expire(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        address: IpAddr,
        deadline: Instant,
    ) -> Vec<Frame> {
        let mut undeliverable: Vec<Frame> = Vec::new();
        let before = self.known_neighbor(address);
        let expiry = self.neighbors.expire(address, deadline, cx.now);
        self.tell_neighbor(cx, address, before);
        match expiry {
            Expiry::Nothing => {}
            Expiry::Solicit(solicitation) => self.solicit(cx, addresses, address, solicitation),
            Expiry::Failed(queued) => {
                let mut reported = Vec::new();
                for frame in queued {
                    dropped!(
                        cx,
                        NeighborUnreachable,
                        "devnet::neighbor",
                        "{} does not answer, {} bytes",
                        address,
                        frame.len()
                    );
                    match Quote::parse(frame.bytes()).map(|quoted| quoted.sender()) {
                        Some(sender) if !reported.contains(&sender) => {
                            reported.push(sender);
                            undeliverable.push(frame);
                        }
                        _ => cx.pool.put(frame),
                    }
                }
            }
        }
        self.arm_neighbors(cx);
        undeliverable
    }

    /// Sends the packets that were queued for a neighbor, in order.
    pub(super) fn send_queued(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        address: IpAddr,
        queued: impl IntoIterator<Item = Frame>,
    ) {
        for frame in queued {
            // The neighbor is resolved, so this does not queue again.
            let _ = self.send(cx, addresses, frame, Hop::Neighbor(address));
        }
    }

    /// An address of ours was removed: drops packets from it that wait for a neighbor (NBR-15).
    pub(crate) fn drop_queued_from(&mut self, cx: &mut Context, source: IpAddr) {
        for frame in self.neighbors.drop_from(source) {
            dropped!(cx, NeighborUnreachable, "devnet::neighbor", "its source {} is gone", source);
            cx.pool.put(frame);
        }
    }

    /// Adds or replaces a static neighbor.
    ///
    /// # Errors
    /// `InvalidInput` for an address of ours, an address that no host can have, a group hardware
    /// address, or on media without neighbors; `NoBufferSpace`.
    pub(crate) fn add_neighbor(
        &mut self,
        cx: &mut Context,
        addresses: &Addresses,
        new: &NewNeighbor,
    ) -> Result<(), Error> {
        let is_unicast_host = !(new.address.is_unspecified() || new.address.is_multicast())
            && new.hardware_address.is_unicast();
        if !is_unicast_host || !cx.has_neighbors() || addresses.owns(new.address) {
            return Err(Error::InvalidInput);
        }
        let before = self.known_neighbor(new.address);
        let queued = self
            .neighbors
            .set_permanent(new.address, new.hardware_address, cx.now)
            .ok_or(Error::NoBufferSpace)?;
        self.tell_neighbor(cx, new.address, before);
        self.send_queued(cx, addresses, new.address, queued);
        Ok(())
    }

    /// Removes a neighbor.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove_neighbor(
        &mut self,
        cx: &mut Context,
        address: IpAddr,
    ) -> Result<(), Error> {
        let queued = self.neighbors.remove(address).ok_or(Error::NotFound)?;
        for frame in queued {
            dropped!(cx, NeighborUnreachable, "devnet::neighbor", "{} was removed", address);
            cx.pool.put(frame);
        }
        Ok(())
    }

    /// The hardware address of a known neighbor.
    pub(crate) fn hardware_address(&self, address: IpAddr) -> Option<HardwareAddress> {
        self.neighbors.known(address).and_then(|(_, hardware)| hardware)
    }

    /// A neighbor before a step, if somebody reads what comes of it.
    pub(super) fn known_neighbor(&self, address: IpAddr) -> Option<Option<Known>> {
        is_on("devnet::neighbor").then(|| self.neighbors.known(address))
    }

    /// Tells whether the step changed the neighbor.
    pub(super) fn tell_neighbor(
        &self,
        cx: &Context,
        address: IpAddr,
        before: Option<Option<Known>>,
    ) {
        let Some(before) = before else { return };
        let after = self.neighbors.known(address);
        if after == before {
            return;
        }
        match after {
            Some((state, Some(hardware))) => event!(
                cx,
                debug,
                "devnet::neighbor",
                "neighbor {} is {} at {}",
                address,
                state,
                hardware
            ),
            Some((state, None)) => {
                event!(cx, debug, "devnet::neighbor", "neighbor {} is {}", address, state);
            }
            None => event!(cx, debug, "devnet::neighbor", "neighbor {} is gone", address),
        }
    }
}
