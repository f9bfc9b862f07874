//! The DHCPv4 server of one interface (RFC 2131 §4.3).
//!
//! The stack calls it with messages to port 67, with ARP messages and echo replies while it checks
//! addresses, and with its deadline. It sends by itself. [`leases`] decides who gets which address,
//! [`messages`] reads requests, [`reply`] says what a reply contains, [`settings`] which options
//! are possible.
//!
//! Before it offers an address it asks by ARP and by ping whether somebody uses it (RFC 2131 §2.2,
//! §4.3.1). It serves the clients of its own link: messages of relay agents are counted and
//! dropped.

mod leases;
mod messages;
mod reply;
mod settings;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use devnet_virtual_file_system::Error;

use self::leases::{Client, Leases};
use self::settings::{check, check_reservation, is_client, is_host, is_printable};
use super::addresses::Addresses;
use super::context::Context;
use super::ip::Ip;
use super::ip::ingress::Packet;
use super::link::ArpMessage;
use super::timers::Timer;
use super::wire::checksum;
use super::wire::header::protocol;
use super::wire::icmp::kind4;
use crate::address::Prefix;
use crate::command::dhcp_server::{
    DhcpServerOptions, DhcpServerStatistics, DhcpServerStatus, LeaseChange, Reservation,
    ServerLease,
};
use crate::command::event::{Change, Event};
use crate::configuration::DesiredServer;
use crate::dhcp_message::{DhcpMessage, SERVER_PORT};
use crate::driver::Medium;
use crate::limits;
use crate::platform::Instant;
use crate::trace::{dropped, event};

/// The server of one interface.
#[derive(Debug, Default)]
pub(crate) struct DhcpServer {
    running: Option<Box<Running>>,
}

#[derive(Debug)]
struct Running {
    /// Our address in the network that it serves.
    server: Prefix,
    options: DhcpServerOptions,
    leases: Leases,
    checks: Vec<Check>,
    statistics: DhcpServerStatistics,
    /// The deadline of the entry in the timer heap.
    armed: Option<Instant>,
}

/// An address that is checked before it is offered.
#[derive(Debug)]
struct Check {
    address: Ipv4Addr,
    client: Client,
    request: DhcpMessage,
    deadline: Instant,
}

impl DhcpServer {
    /// Starts the server; false when it was running and got new options.
    ///
    /// # Errors
    /// `Unsupported` on media without hardware addresses; `InvalidInput` for options that do not
    /// fit each other; `NoBufferSpace` for too many ranges; `MessageTooLong` for more options than
    /// a message has room for; `AddressNotAvailable` when the ranges are in no network of the
    /// interface.
    pub(crate) fn start(
        &mut self,
        cx: &mut Context,
        ip: &Ip,
        options: DhcpServerOptions,
    ) -> Result<bool, Error> {
        let server = Self::check_options(cx, &ip.addresses, &options)?;
        let kept = self.running.iter().flat_map(|running| running.leases.reservations());
        for reservation in kept {
            check_reservation(server, reservation)?;
        }
        event!(cx, info, "devnet::dhcp", "the server of {} starts", server);
        let is_new = self.running.is_none();
        let running = self.running.get_or_insert_with(|| {
            Box::new(Running {
                server,
                options: DhcpServerOptions::default(),
                leases: Leases::default(),
                checks: Vec::new(),
                statistics: DhcpServerStatistics::default(),
                armed: None,
            })
        });
        running.leases.configure(&options.ranges, options.single_client);
        running.checks.clear();
        (running.server, running.options) = (server, options);
        running.exclude(ip);
        Ok(is_new)
    }

    fn check_options(
        cx: &Context,
        addresses: &Addresses,
        options: &DhcpServerOptions,
    ) -> Result<Prefix, Error> {
        if cx.configuration.capabilities.medium != Medium::Ethernet
            || cx.configuration.hardware_address.is_none()
        {
            return Err(Error::Unsupported);
        }
        check(addresses, options)
    }

    /// Whether the server can be started so once there are these addresses; with which it cannot,
    /// its place among them.
    ///
    /// # Errors
    /// As [`start`](Self::start), and as [`change`](Self::change) for a reservation.
    pub(crate) fn check(
        cx: &Context,
        addresses: &Addresses,
        options: &DhcpServerOptions,
        reservations: &[Reservation],
    ) -> Result<(), (Option<usize>, Error)> {
        let refused = |error| (None, error);
        let server = Self::check_options(cx, addresses, options).map_err(refused)?;
        // One of them would replace the other.
        let is_same = |one: &Reservation, other: &Reservation| {
            one.address == other.address || one.client == other.client
        };
        for (place, reservation) in reservations.iter().enumerate() {
            let mut before = reservations.iter().take(place);
            let checked = if place >= limits::DHCP_RESERVATIONS {
                Err(Error::NoBufferSpace)
            } else if before.any(|one| is_same(one, reservation)) {
                Err(Error::AlreadyExists)
            } else {
                check_reservation(server, reservation)
            };
            checked.map_err(|error| (Some(place), error))?;
        }
        Ok(())
    }

    /// What commands ask of the server, while it runs.
    pub(crate) fn asked(&self) -> Option<DesiredServer> {
        self.running.as_ref().map(|running| DesiredServer {
            options: running.options.clone(),
            reservations: running.leases.reservations().to_vec(),
        })
    }

    /// Makes it what is asked for; leases stay.
    ///
    /// # Errors
    /// As [`start`](Self::start) and [`change`](Self::change).
    pub(crate) fn carry_out(
        &mut self,
        cx: &mut Context,
        ip: &Ip,
        target: Option<&DesiredServer>,
    ) -> Result<(), Error> {
        let present = self.asked();
        let Some(DesiredServer { options, reservations }) = target else {
            self.stop(cx);
            return Ok(());
        };
        let is_equal = present.as_ref().is_some_and(|present| present.options == *options);
        // First, because they may be of another network.
        for gone in present.into_iter().flat_map(|present| present.reservations) {
            if !reservations.contains(&gone) {
                self.change(cx, &LeaseChange::Unreserve(gone.address))?;
            }
        }
        if !is_equal {
            self.start(cx, ip, options.clone())?;
        }
        for reservation in reservations {
            self.change(cx, &LeaseChange::Reserve(reservation.clone()))?;
        }
        Ok(())
    }

    /// Stops the server and forgets its leases; false when it was not running.
    pub(crate) fn stop(&mut self, cx: &mut Context) -> bool {
        let Some(running) = self.running.take() else { return false };
        let ended = running.leases.leased(cx.now);
        let ended = ended.map(|lease| Event::Lease(Change::Removed, lease));
        cx.watch.note_watched(ended.chain([Event::LeasesEnd]), 0);
        event!(cx, info, "devnet::dhcp", "the server of {} stops", running.server);
        true
    }

    /// Takes the server away with its leases: nobody is served until it is [resumed](Self::resume).
    #[cfg(feature = "wireless")]
    pub(crate) fn suspend(&mut self) -> Self {
        core::mem::take(self)
    }

    /// Goes on with a server that was suspended.
    #[cfg(feature = "wireless")]
    pub(crate) fn resume(&mut self, cx: &mut Context, mut former: Self) {
        if let Some(running) = &mut former.running {
            running.armed = None;
            running.arm(cx);
        }
        *self = former;
    }

    /// The state.
    pub(crate) fn status(&self) -> DhcpServerStatus {
        let Some(running) = &self.running else {
            return DhcpServerStatus {
                server: None,
                options: DhcpServerOptions::default(),
                leases: 0,
                statistics: DhcpServerStatistics::default(),
            };
        };
        let expirations = running.leases.expirations();
        DhcpServerStatus {
            server: Some(running.server),
            options: running.options.clone(),
            leases: u32::try_from(running.leases.count()).unwrap_or(u32::MAX),
            statistics: DhcpServerStatistics { expirations, ..running.statistics },
        }
    }

    /// The leases and reservations.
    pub(crate) fn list(&self, cx: &Context) -> Vec<ServerLease> {
        self.running.iter().flat_map(|running| running.leases.list(cx.now)).collect()
    }

    /// The leases, for a snapshot.
    pub(crate) fn leased(&self, now: Instant) -> Vec<ServerLease> {
        self.running.iter().flat_map(|running| running.leases.leased(now)).collect()
    }

    /// Changes leases and reservations; true if that changed something.
    ///
    /// # Errors
    /// `NotConnected` while the server does not run; `InvalidInput` for an address or a client that
    /// cannot be; `NotFound` for what is not there; `NoBufferSpace` when there are too many.
    pub(crate) fn change(&mut self, cx: &mut Context, change: &LeaseChange) -> Result<bool, Error> {
        let running = self.running.as_mut().ok_or(Error::NotConnected)?;
        let outcome = running.change(change, cx.now);
        running.tell(cx);
        running.arm(cx);
        outcome
    }

    /// True when a datagram to this port is for the server.
    pub(crate) fn wants(&self, destination: u16) -> bool {
        self.running.is_some() && destination == SERVER_PORT
    }

    /// Processes a message for port 67.
    pub(crate) fn receive(&mut self, cx: &mut Context, ip: &mut Ip, bytes: &[u8]) {
        let Some(running) = &mut self.running else { return };
        let Ok(message) = DhcpMessage::parse(bytes) else {
            dropped!(cx, Malformed, "devnet::dhcp", "a message of {} bytes", bytes.len());
            return;
        };
        if !message.relay_address.is_unspecified() {
            running.statistics.relayed += 1;
            dropped!(cx, NotForUs, "devnet::dhcp", "a message by {}", message.relay_address);
            return;
        }
        // Its address may be gone, and with it the network that it serves.
        if ip.addresses.owns(running.server.address()) {
            running.receive(cx, ip, message);
        }
        running.tell(cx);
        running.arm(cx);
    }

    /// Reads an ARP message: who has an address that is checked uses it.
    pub(crate) fn receive_arp(&mut self, cx: &mut Context, ip: &mut Ip, message: &ArpMessage) {
        let Some(running) = &mut self.running else { return };
        let is_used = |check: &Check| {
            check.address == message.sender && check.client.hardware != Some(message.hardware)
        };
        running.conflict(cx, ip, is_used);
    }

    /// Reads a packet: an echo reply says that the address that is checked is used. The replies of
    /// the client itself, which has it already, come from its hardware address.
    pub(crate) fn receive_echo(&mut self, cx: &mut Context, ip: &mut Ip, packet: &Packet) {
        let Some(running) = &mut self.running else { return };
        let message = packet.payload();
        if running.checks.is_empty()
            || packet.header.protocol != protocol::ICMP
            || message.first() != Some(&kind4::ECHO_REPLY)
            || checksum::of(message) != 0
        {
            return;
        }
        let source = packet.header.source;
        let hardware = ip.link.hardware_address(source);
        let is_used = |check: &Check| {
            IpAddr::V4(check.address) == source && check.client.hardware != hardware
        };
        running.conflict(cx, ip, is_used);
    }

    /// Handles the deadline: offers what nobody uses, ends leases.
    pub(crate) fn expire(&mut self, cx: &mut Context, ip: &mut Ip, deadline: Instant) {
        let Some(running) = &mut self.running else { return };
        if running.armed != Some(deadline) {
            return;
        }
        running.armed = None;
        running.leases.expire(cx.now);
        let is_due = |check: &mut Check| check.deadline <= cx.now;
        let due: Vec<_> = running.checks.extract_if(.., is_due).collect();
        for check in due {
            running.leases.found_free(check.address, cx.now);
            running.offer(cx, ip, &check.client, &check.request, check.address);
        }
        running.tell(cx);
        running.arm(cx);
    }
}

impl Running {
    fn change(&mut self, change: &LeaseChange, now: Instant) -> Result<bool, Error> {
        let is_host = |address: Ipv4Addr| is_host(self.server, address);
        let found = |is_there| if is_there { Ok(true) } else { Err(Error::NotFound) };
        match change {
            LeaseChange::Reserve(reservation) => {
                check_reservation(self.server, reservation)?;
                self.leases.reserve(reservation).ok_or(Error::NoBufferSpace)
            }
            LeaseChange::Unreserve(address) => found(self.leases.unreserve(*address)),
            LeaseChange::Put(lease) => {
                let is_name = |name: &String| is_printable(name, limits::HOSTNAME_BYTES);
                let is_valid = is_host(lease.address)
                    && is_client(&lease.client)
                    && lease.name.as_ref().is_none_or(is_name)
                    && lease.seconds > 0;
                if !is_valid {
                    return Err(Error::InvalidInput);
                }
                self.leases.put(lease, now).map(|()| true)
            }
            LeaseChange::End(address) => found(self.leases.end(*address, now)),
        }
    }

    /// Leaves out the addresses that no client can have.
    fn exclude(&mut self, ip: &Ip) {
        let network = self.server.network();
        let mut excluded: Vec<_> = ip.addresses.iter().map(|own| own.prefix.address()).collect();
        if network.length() < 31 {
            excluded.push(network.address());
            excluded.extend(network.broadcast().map(IpAddr::V4));
        }
        let ipv4 = |address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
        self.leases.exclude(excluded.into_iter().filter_map(ipv4).collect());
    }

    /// Hands changes of leases to watchers.
    fn tell(&mut self, cx: &mut Context) {
        let changes = self.leases.take_changes().into_iter();
        cx.watch.note_watched(changes.map(|(change, lease)| Event::Lease(change, lease)), 0);
    }

    /// Arms the timer for the next check or the next end of a lease.
    fn arm(&mut self, cx: &mut Context) {
        let check = self.checks.iter().map(|check| check.deadline).min();
        let next = [check, self.leases.next_end()].into_iter().flatten().min();
        if let Some(deadline) = next {
            cx.timers.arm_earlier(&mut self.armed, deadline, Timer::DhcpServer);
        }
    }
}

#[cfg(test)]
mod tests;
