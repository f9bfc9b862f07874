//! The DHCPv4 client (RFC 2131): asks, applies the lease, renews it, and takes back exactly what it
//! brought.
//!
//! A state machine inside the stack: it is called with messages to port 68 and with its own
//! deadline, and acts on the stack's addresses, routes and DNS servers under the origin `Dhcp`.
//! Whoever waits for a lease registers in `waiters`.

mod lease;
mod messages;

use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use virtual_file_system::{Error, WakerList};

use self::lease::{Lease, is_station};
use super::Stack;
use super::timers::Timer;
use crate::address::Prefix;
use crate::command::dhcp::{DhcpLease, DhcpOptions, DhcpState, DhcpStatus};
use crate::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, SERVER_PORT, option};
use crate::driver::Medium;
use crate::limits;
use crate::platform::Instant;

/// Retransmissions double from 4 s to 64 s, each a second more or less (RFC 2131 §4.1).
const RETRANSMIT_FIRST: u32 = 4;
const RETRANSMIT_LAST: u32 = 64;
/// Requests for an offer before another server is looked for.
const REQUESTS: u32 = 4;
/// How long a probe for a duplicate is given (RFC 5227 §1.1 allows less than its defaults on fast
/// links).
const PROBE_WAIT: Duration = Duration::from_millis(250);
/// The shortest wait between two renewal attempts (RFC 2131 §4.4.5).
const RENEW_MINIMUM: Duration = Duration::from_secs(60);

/// The client of one interface.
#[derive(Debug, Default)]
pub(crate) struct DhcpClient {
    state: Option<DhcpState>,
    options: DhcpOptions,
    transaction: u32,
    attempts: u32,
    /// Refusals since the last lease: the second one in a row is answered with patience.
    refusals: u32,
    started: Instant,
    requested_at: Instant,
    deadline: Option<Instant>,
    candidate: Option<(Ipv4Addr, Ipv4Addr)>,
    lease: Option<Lease>,
    checked: Option<Lease>,
    waiters: WakerList,
}

impl DhcpClient {
    fn state(&self) -> DhcpState {
        self.state.unwrap_or(DhcpState::Stopped)
    }
}

impl Stack {
    /// Starts the client; false when it runs already (its options are taken over all the same).
    ///
    /// # Errors
    /// `Unsupported` on media without hardware addresses; `InvalidInput` for a host name that does
    /// not fit.
    pub(crate) fn dhcp_start(&mut self, options: DhcpOptions) -> Result<bool, Error> {
        if self.configuration.capabilities.medium != Medium::Ethernet
            || self.configuration.hardware_address.is_none()
        {
            return Err(Error::Unsupported);
        }
        let is_bad = |name: &String| {
            name.is_empty()
                || name.len() > limits::HOSTNAME_BYTES
                || !name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if options.hostname.as_ref().is_some_and(is_bad) {
            return Err(Error::InvalidInput);
        }
        self.dhcp.options = options;
        if self.dhcp.state.is_some() {
            return Ok(false);
        }
        self.dhcp.state = Some(DhcpState::Init);
        self.dhcp_link_changed();
        Ok(true)
    }

    /// Stops the client: releases the lease and takes back what it brought. False when it was not
    /// running.
    pub(crate) fn dhcp_stop(&mut self) -> bool {
        if self.dhcp.state.is_none() {
            return false;
        }
        if let Some(lease) = self.dhcp.lease.clone()
            && let IpAddr::V4(address) = lease.address.address()
        {
            let mut message = self.dhcp_message(MessageKind::Release);
            message.client_address = address;
            message.push(option::SERVER_IDENTIFIER, &lease.server.octets());
            self.dhcp_unicast(&message, address, lease.server);
        }
        self.dhcp_withdraw();
        self.dhcp.state = None;
        self.dhcp.deadline = None;
        self.dhcp.candidate = None;
        self.dhcp.checked = None;
        self.wakes.add(&mut self.dhcp.waiters);
        true
    }

    /// Asks for a renewal now.
    ///
    /// # Errors
    /// `NotConnected` without a lease.
    pub(crate) fn dhcp_renew(&mut self) -> Result<(), Error> {
        if self.dhcp.lease.is_none() {
            return Err(Error::NotConnected);
        }
        self.dhcp.attempts = 0;
        self.dhcp.state = Some(DhcpState::Renewing);
        self.dhcp_step();
        Ok(())
    }

    /// The link came up, or the interface did: a former lease is asked for again, else everything
    /// begins.
    pub(crate) fn dhcp_link_changed(&mut self) {
        if self.dhcp.state.is_none() {
            return;
        }
        self.dhcp.attempts = 0;
        self.dhcp.deadline = None;
        self.dhcp.started = self.now;
        self.dhcp.transaction = self.random.u32();
        if !self.is_running() {
            self.dhcp.state = Some(if self.dhcp.lease.is_some() {
                DhcpState::Rebooting
            } else {
                DhcpState::Init
            });
            return;
        }
        self.dhcp.state = Some(if self.dhcp.lease.is_some() {
            DhcpState::Rebooting
        } else {
            DhcpState::Selecting
        });
        self.dhcp_step();
    }

    /// True when packets to an address that is not ours yet may be the server's answer.
    pub(crate) fn dhcp_is_waiting(&self) -> bool {
        matches!(
            self.dhcp.state,
            Some(DhcpState::Selecting | DhcpState::Requesting | DhcpState::Rebooting)
        )
    }

    /// True when a datagram between these ports is for the client.
    pub(crate) fn dhcp_wants(&self, source: u16, destination: u16) -> bool {
        self.dhcp.state.is_some() && source == SERVER_PORT && destination == CLIENT_PORT
    }

    /// The state and lease for people and programs.
    pub(crate) fn dhcp_status(&self) -> DhcpStatus {
        let remaining =
            |until: Instant| u32::try_from(until.since(self.now).as_secs()).unwrap_or(u32::MAX);
        let lease = self.dhcp.lease.as_ref().map(|lease| DhcpLease {
            address: lease.address,
            server: lease.server,
            router: lease.router,
            dns_servers: lease.dns_servers.clone(),
            domain: lease.domain.clone(),
            lease_seconds: lease.seconds,
            renew_seconds: remaining(lease.renew_at),
            rebind_seconds: remaining(lease.rebind_at),
            remaining_seconds: remaining(lease.end_at),
        });
        DhcpStatus { state: self.dhcp.state(), lease, attempts: self.dhcp.attempts }
    }

    /// What changes when there is something to tell: the state, and what was granted by whom.
    pub(crate) fn dhcp_summary(&self) -> (DhcpState, Option<(Prefix, Ipv4Addr)>) {
        (self.dhcp.state(), self.dhcp.lease.as_ref().map(|lease| (lease.address, lease.server)))
    }

    /// Wakes `waker` when the state changes.
    pub(crate) fn dhcp_register(&mut self, waker: &core::task::Waker) {
        self.dhcp.waiters.register(waker);
    }

    /// Handles the client's deadline.
    pub(crate) fn dhcp_expired(&mut self, deadline: Instant) {
        if self.dhcp.deadline != Some(deadline) {
            return;
        }
        self.dhcp.deadline = None;
        if self.dhcp.lease.as_ref().is_some_and(|lease| lease.end_at <= self.now) {
            self.dhcp_withdraw();
            self.dhcp_restart();
            return;
        }
        match self.dhcp.state() {
            DhcpState::Bound => self.dhcp.state = Some(DhcpState::Renewing),
            DhcpState::Renewing
                if self.dhcp.lease.as_ref().is_some_and(|lease| lease.rebind_at <= self.now) =>
            {
                self.dhcp.state = Some(DhcpState::Rebinding);
            }
            DhcpState::Requesting if self.dhcp.attempts >= REQUESTS => return self.dhcp_restart(),
            DhcpState::Checking => return self.dhcp_accept(),
            _ => {}
        }
        self.dhcp_step();
    }

    pub(super) fn dhcp_restart(&mut self) {
        self.dhcp.candidate = None;
        self.dhcp.checked = None;
        self.dhcp.attempts = 0;
        self.dhcp.started = self.now;
        self.dhcp.transaction = self.random.u32();
        self.dhcp.state =
            Some(if self.is_running() { DhcpState::Selecting } else { DhcpState::Init });
        self.wakes.add(&mut self.dhcp.waiters);
        if self.is_running() {
            self.dhcp_step();
        }
    }

    /// Sends the message of the present state and sets the next deadline.
    fn dhcp_step(&mut self) {
        if !self.is_running() {
            return;
        }
        match self.dhcp.state() {
            DhcpState::Selecting => self.dhcp_discover(),
            DhcpState::Requesting => self.dhcp_request_offer(),
            DhcpState::Rebooting => self.dhcp_request_former(),
            DhcpState::Renewing | DhcpState::Rebinding => return self.dhcp_extend(),
            DhcpState::Stopped | DhcpState::Init | DhcpState::Checking | DhcpState::Bound => return,
        }
        let seconds = (RETRANSMIT_FIRST << self.dhcp.attempts.min(4)).min(RETRANSMIT_LAST);
        self.dhcp.attempts += 1;
        let jitter = self.random.below(2000);
        let wait = Duration::from_millis(u64::from(seconds * 1000 - 1000 + jitter));
        self.dhcp_arm(self.now.after(wait));
    }

    pub(super) fn dhcp_arm(&mut self, deadline: Instant) {
        self.dhcp.deadline = Some(deadline);
        self.timers.arm(deadline, Timer::Dhcp);
    }

    fn dhcp_discover(&mut self) {
        let mut message = self.dhcp_message(MessageKind::Discover);
        if let Some(requested) = self.dhcp.options.requested {
            message.push(option::REQUESTED_ADDRESS, &requested.octets());
        }
        self.dhcp_broadcast(&message);
    }

    fn dhcp_request_offer(&mut self) {
        let Some((address, server)) = self.dhcp.candidate else { return };
        let mut message = self.dhcp_message(MessageKind::Request);
        message.push(option::REQUESTED_ADDRESS, &address.octets());
        message.push(option::SERVER_IDENTIFIER, &server.octets());
        self.dhcp.requested_at = self.now;
        self.dhcp_broadcast(&message);
    }

    fn dhcp_request_former(&mut self) {
        let Some(IpAddr::V4(address)) =
            self.dhcp.lease.as_ref().map(|lease| lease.address.address())
        else {
            return;
        };
        let mut message = self.dhcp_message(MessageKind::Request);
        message.push(option::REQUESTED_ADDRESS, &address.octets());
        self.dhcp.requested_at = self.now;
        self.dhcp_broadcast(&message);
    }

    /// Asks for more time: the server alone while renewing, everybody while rebinding. The next
    /// attempt comes after half of what remains of the phase (RFC 2131 §4.4.5).
    fn dhcp_extend(&mut self) {
        let Some(lease) = self.dhcp.lease.clone() else { return };
        let IpAddr::V4(address) = lease.address.address() else { return };
        if self.dhcp.attempts == 0 {
            self.dhcp.transaction = self.random.u32();
            self.dhcp.started = self.now;
        }
        self.dhcp.attempts += 1;
        self.dhcp.requested_at = self.now;
        let mut message = self.dhcp_message(MessageKind::Request);
        message.client_address = address;
        message.broadcast = false;
        let phase_end = if self.dhcp.state() == DhcpState::Renewing {
            self.dhcp_unicast(&message, address, lease.server);
            lease.rebind_at
        } else {
            self.dhcp_broadcast(&message);
            lease.end_at
        };
        let remaining = phase_end.since(self.now);
        let wait = (remaining / 2).max(RENEW_MINIMUM).min(remaining);
        self.dhcp_arm(self.now.after(wait));
    }

    /// Takes a message for port 68.
    pub(crate) fn dhcp_input(&mut self, bytes: &[u8]) {
        let Ok(message) = DhcpMessage::parse(bytes) else {
            self.statistics.received_drops.malformed += 1;
            return;
        };
        if message.transaction != self.dhcp.transaction
            || Some(message.hardware_address) != self.configuration.hardware_address
        {
            self.statistics.received_drops.no_socket += 1;
            return;
        }
        let Some(server) = message.address_option(option::SERVER_IDENTIFIER) else { return };
        let chosen = match self.dhcp.state() {
            DhcpState::Requesting => {
                self.dhcp.candidate.is_some_and(|(_, chosen)| chosen == server)
            }
            DhcpState::Renewing => {
                self.dhcp.lease.as_ref().is_some_and(|lease| lease.server == server)
            }
            DhcpState::Rebooting | DhcpState::Rebinding => true,
            _ => false,
        };
        match (message.kind, self.dhcp.state()) {
            (MessageKind::Offer, DhcpState::Selecting) if is_station(message.your_address) => {
                self.dhcp.candidate = Some((message.your_address, server));
                self.dhcp.attempts = 0;
                self.dhcp.state = Some(DhcpState::Requesting);
                self.dhcp_step();
            }
            (MessageKind::Acknowledge, _) if chosen => self.dhcp_acknowledged(&message, server),
            (MessageKind::Refuse, _) if chosen => {
                self.dhcp_withdraw();
                self.dhcp.refusals += 1;
                if self.dhcp.refusals > 1 {
                    return self.dhcp_pause();
                }
                self.dhcp_restart();
            }
            _ => {}
        }
    }

    fn dhcp_acknowledged(&mut self, message: &DhcpMessage, server: Ipv4Addr) {
        let Some(lease) = self.dhcp_lease(message, server) else { return };
        let is_known = self.dhcp.lease.as_ref().is_some_and(|known| known.address == lease.address);
        self.dhcp.checked = Some(lease);
        if is_known {
            return self.dhcp_accept();
        }
        // Make sure that nobody uses it (RFC 2131 §4.4.1, RFC 5227).
        self.dhcp.state = Some(DhcpState::Checking);
        self.arp_probe(message.your_address);
        self.dhcp_arm(self.now.after(PROBE_WAIT));
    }
}
