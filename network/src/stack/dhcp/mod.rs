//! The DHCPv4 client (RFC 2131): acquires, applies and renews a lease, and removes exactly what it
//! added.
//!
//! A state machine beside the stack's other parts. The stack calls it with messages to port 68 and
//! with its deadline. It sends by itself and returns changes of addresses, routes and DNS servers
//! as an [`Action`]. Tasks that wait for a lease register in `waiters`.

mod attachment;
pub(crate) mod fallback;
mod lease;
mod messages;
mod options;

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use devnet_virtual_file_system::{Error, WakerList};

use self::attachment::Attachment;
use self::fallback::Fallen;
pub(crate) use self::lease::{Action, Lease};
use self::options::is_unicast_host;
use super::context::Context;
use super::ip::Ip;
use super::timers::Timer;
use crate::address::Prefix;
use crate::command::dhcp::{DhcpClientOptions, DhcpLease, DhcpState, DhcpStatus};
use crate::command::dhcp_server::RawOption;
use crate::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, option};
use crate::driver::Medium;
use crate::platform::Instant;
use crate::trace::{dropped, event};

/// The retransmission delay doubles from 4 s to 64 s, randomized by a second (RFC 2131 §4.1).
const RETRANSMIT_FIRST: u32 = 4;
const RETRANSMIT_LAST: u32 = 64;
/// DHCPREQUESTs for an offer before the client starts over.
const REQUESTS: u32 = 4;
/// DHCPREQUESTs for the former address before the client looks for any server: a server of another
/// network does not answer them (RFC 2131 §4.3.2).
const REBOOTS: u32 = 2;
/// How long duplicate address detection runs (RFC 5227 §1.1 allows less than its defaults on fast
/// links).
const PROBE_WAIT: Duration = Duration::from_millis(250);

/// The client of one interface.
#[derive(Debug, Default)]
pub(crate) struct DhcpClient {
    state: Option<DhcpState>,
    options: DhcpClientOptions,
    transaction: u32,
    attempts: u32,
    /// DHCPNAKs since the last lease: the client waits after the second one in a row.
    refusals: u32,
    started: Instant,
    requested_at: Instant,
    deadline: Option<Instant>,
    candidate: Option<(Ipv4Addr, Ipv4Addr)>,
    lease: Option<Lease>,
    checked: Option<Lease>,
    waiters: WakerList,
    fallen: Fallen,
    attachment: Attachment,
}

impl DhcpClient {
    fn state(&self) -> DhcpState {
        self.state.unwrap_or(DhcpState::Stopped)
    }

    /// Starts the client; false when it is already running (its options are updated anyway).
    ///
    /// # Errors
    /// `Unsupported` on media without hardware addresses; else as [`options::check`].
    pub(crate) fn start(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        options: DhcpClientOptions,
    ) -> Result<bool, Error> {
        Self::check(cx, &options)?;
        self.options = options;
        if self.state.is_some() {
            return Ok(false);
        }
        self.state = Some(DhcpState::Init);
        self.link_changed(cx, ip);
        Ok(true)
    }

    /// Whether the client can be started with these options.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub(crate) fn check(cx: &Context, options: &DhcpClientOptions) -> Result<(), Error> {
        if cx.configuration.capabilities.medium != Medium::Ethernet
            || cx.configuration.hardware_address.is_none()
        {
            return Err(Error::Unsupported);
        }
        options::check(options)
    }

    /// What the configuration says of the client, while it runs.
    pub(crate) fn asked(&self) -> Option<DhcpClientOptions> {
        self.state.is_some().then(|| self.options.clone())
    }

    /// Renews the lease now.
    ///
    /// # Errors
    /// `NotConnected` without a lease.
    pub(crate) fn renew(&mut self, cx: &mut Context, ip: &mut Ip) -> Result<(), Error> {
        if self.lease.is_none() {
            return Err(Error::NotConnected);
        }
        self.attempts = 0;
        self.state = Some(DhcpState::Renewing);
        self.step(cx, ip);
        Ok(())
    }

    /// The link or the interface came up: reboots with the former lease (INIT-REBOOT), else starts
    /// over. While it is down, only the lease runs out.
    pub(crate) fn link_changed(&mut self, cx: &mut Context, ip: &mut Ip) {
        if self.state.is_none() {
            return;
        }
        self.attempts = 0;
        self.deadline = None;
        self.candidate = None;
        self.checked = None;
        self.attachment.is_kept = false;
        self.probe_fallback_again(cx);
        self.started = cx.now;
        self.transaction = cx.random.u32();
        self.state = Some(match (&self.lease, cx.is_running()) {
            (Some(_), _) => DhcpState::Rebooting,
            (None, true) => DhcpState::Selecting,
            (None, false) => DhcpState::Init,
        });
        match (&self.lease, cx.is_running()) {
            (_, true) => self.step(cx, ip),
            (Some(lease), false) => self.arm(cx, lease.end_at),
            (None, false) => {}
        }
    }

    /// True when packets to an address that is not ours yet, or in a broadcast frame, may be the
    /// server's reply.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(
            self.state(),
            DhcpState::Selecting
                | DhcpState::Requesting
                | DhcpState::Rebooting
                | DhcpState::Renewing
                | DhcpState::Rebinding
        ) || self.attachment.is_kept
    }

    /// True when a datagram to this port is for the client. Relays and servers behind address
    /// translation send from any port; RFC 2131 §4.1 fixes the destination.
    pub(crate) fn wants(&self, destination: u16) -> bool {
        self.state.is_some() && destination == CLIENT_PORT
    }

    /// The state and the lease.
    pub(crate) fn status(&self, cx: &Context) -> DhcpStatus {
        let remaining =
            |until: Instant| u32::try_from(until.since(cx.now).as_secs()).unwrap_or(u32::MAX);
        let lease = self.lease.as_ref().map(|lease| DhcpLease {
            address: lease.address,
            server: lease.server,
            router: lease.router(),
            dns_servers: lease.dns_servers.clone(),
            domain: lease.domain.clone(),
            lease_seconds: lease.seconds,
            renew_seconds: remaining(lease.renew_at),
            rebind_seconds: remaining(lease.rebind_at),
            remaining_seconds: remaining(lease.end_at),
        });
        DhcpStatus { state: self.state(), lease, attempts: self.attempts }
    }

    /// The options of the lease by number.
    pub(crate) fn lease_options(&self) -> Vec<RawOption> {
        let options = self.lease.iter().flat_map(|lease| &lease.options);
        options.map(|(code, value)| RawOption { code: *code, value: value.clone() }).collect()
    }

    /// The part of the state that watchers observe: the state, and the lease's address and server.
    pub(crate) fn summary(&self) -> (DhcpState, Option<(Prefix, Ipv4Addr)>) {
        (self.state(), self.lease.as_ref().map(|lease| (lease.address, lease.server)))
    }

    /// Wakes `waker` when the state changes.
    pub(crate) fn register(&mut self, waker: &core::task::Waker) {
        self.waiters.register(waker);
    }

    pub(super) fn restart(&mut self, cx: &mut Context, ip: &mut Ip) {
        self.attachment.is_kept = false;
        self.candidate = None;
        self.checked = None;
        self.attempts = 0;
        self.started = cx.now;
        self.transaction = cx.random.u32();
        self.state = Some(if cx.is_running() { DhcpState::Selecting } else { DhcpState::Init });
        cx.wakes.add(&mut self.waiters);
        if cx.is_running() {
            self.step(cx, ip);
        }
    }

    /// Sends the message of the present state and arms the retransmission timer.
    fn step(&mut self, cx: &mut Context, ip: &mut Ip) {
        if !cx.is_running() {
            return;
        }
        match self.state() {
            DhcpState::Selecting => self.discover(cx, ip),
            DhcpState::Requesting => self.request_offer(cx, ip),
            DhcpState::Rebooting => {
                self.request_former(cx, ip);
                self.probe_router(cx, ip);
            }
            DhcpState::Renewing | DhcpState::Rebinding => return self.extend(cx, ip),
            DhcpState::Stopped | DhcpState::Init | DhcpState::Checking | DhcpState::Bound => return,
        }
        self.consider_fallback(cx);
        let seconds = (RETRANSMIT_FIRST << self.attempts.min(4)).min(RETRANSMIT_LAST);
        self.attempts += 1;
        let jitter = cx.random.below(2000);
        let wait = Duration::from_millis(u64::from(seconds * 1000 - 1000 + jitter));
        let deadline = cx.now.after(wait);
        self.arm(cx, deadline);
    }

    /// Arms the timer; the end of the lease comes first.
    pub(super) fn arm(&mut self, cx: &mut Context, deadline: Instant) {
        let deadline = self.lease.as_ref().map_or(deadline, |lease| deadline.min(lease.end_at));
        self.deadline = Some(deadline);
        cx.timers.arm(deadline, Timer::Dhcp);
    }

    /// Stops the client and releases the lease (DHCPRELEASE). Returns whether it was running, and
    /// the lease to remove.
    pub(crate) fn stop(&mut self, cx: &mut Context, ip: &mut Ip) -> (bool, Action) {
        if self.state.is_none() {
            return (false, Action::Nothing);
        }
        if let Some(lease) = self.lease.clone()
            && let IpAddr::V4(address) = lease.address.address()
        {
            let mut message = self.message(cx, MessageKind::Release);
            message.client_address = address;
            message.push(option::SERVER_IDENTIFIER, &lease.server.octets());
            self.unicast(cx, ip, &message, address, lease.server);
        }
        self.state = None;
        self.deadline = None;
        self.candidate = None;
        self.checked = None;
        cx.wakes.add(&mut self.waiters);
        match self.lease.take() {
            Some(lease) => (true, Action::Withdraw(lease)),
            None => (true, self.rise()),
        }
    }

    /// Handles the client's deadline.
    pub(crate) fn expire(&mut self, cx: &mut Context, ip: &mut Ip, deadline: Instant) -> Action {
        if let Some(action) = self.expire_fallback(cx, ip, deadline) {
            return action;
        }
        if self.deadline != Some(deadline) {
            return Action::Nothing;
        }
        self.deadline = None;
        if let Some(lease) = self.lease.take_if(|lease| lease.end_at <= cx.now) {
            event!(cx, info, "devnet::dhcp", "the lease ran out");
            self.restart(cx, ip);
            return Action::Withdraw(lease);
        }
        match self.state() {
            DhcpState::Bound => {
                self.attachment.is_kept = false;
                self.state = Some(DhcpState::Renewing);
            }
            DhcpState::Renewing
                if self.lease.as_ref().is_some_and(|lease| lease.rebind_at <= cx.now) =>
            {
                self.state = Some(DhcpState::Rebinding);
            }
            DhcpState::Requesting if self.attempts >= REQUESTS => {
                self.restart(cx, ip);
                return Action::Nothing;
            }
            // The lease stays until it ends or another replaces it (RFC 2131 §3.2 (3)).
            DhcpState::Rebooting if self.attempts >= REBOOTS => {
                self.restart(cx, ip);
                return Action::Nothing;
            }
            DhcpState::Checking => return self.accept(),
            _ => {}
        }
        self.step(cx, ip);
        Action::Nothing
    }

    /// Processes a message for port 68.
    pub(crate) fn receive(&mut self, cx: &mut Context, ip: &mut Ip, bytes: &[u8]) -> Action {
        let Ok(message) = DhcpMessage::parse(bytes) else {
            dropped!(cx, Malformed, "devnet::dhcp", "a message of {} bytes", bytes.len());
            return Action::Nothing;
        };
        if message.transaction != self.transaction
            || Some(message.hardware_address) != cx.configuration.hardware_address
        {
            dropped!(cx, NoSocket, "devnet::dhcp", "a message to another client");
            return Action::Nothing;
        }
        let server = message.address_option(option::SERVER_IDENTIFIER);
        let Some(server) = server.filter(|server| is_unicast_host(*server)) else {
            return Action::Nothing;
        };
        let is_chosen = match self.state() {
            DhcpState::Requesting => self.candidate.is_some_and(|(_, chosen)| chosen == server),
            DhcpState::Renewing => self.lease.as_ref().is_some_and(|lease| lease.server == server),
            DhcpState::Rebooting | DhcpState::Rebinding => true,
            // What a server says counts more than the router (RFC 4436 §2.1).
            DhcpState::Bound => self.attachment.is_kept,
            _ => false,
        };
        match (message.kind, self.state()) {
            (MessageKind::Offer, DhcpState::Selecting) if self.needs_no_ipv4(&message) => {
                event!(cx, info, "devnet::dhcp", "{} needs no IPv4", server);
                self.wait_without_ipv4(cx, &message);
                Action::Nothing
            }
            (MessageKind::Offer, DhcpState::Selecting)
                if self.read_lease(&message, server).is_some() =>
            {
                event!(cx, info, "devnet::dhcp", "{} offers {}", server, message.your_address);
                self.candidate = Some((message.your_address, server));
                self.attempts = 0;
                self.state = Some(DhcpState::Requesting);
                self.step(cx, ip);
                Action::Nothing
            }
            (MessageKind::Acknowledge, _) if is_chosen => {
                self.acknowledged(cx, ip, &message, server)
            }
            (MessageKind::Refuse, _) if is_chosen => {
                event!(cx, info, "devnet::dhcp", "{} refuses", server);
                let lease = self.lease.take();
                self.refusals += 1;
                match self.refusals {
                    0 | 1 => self.restart(cx, ip),
                    _ => self.pause(cx),
                }
                Action::withdraw(lease)
            }
            (_, state) => {
                event!(cx, debug, "devnet::dhcp", "{} is ignored, {}", server, state);
                Action::Nothing
            }
        }
    }

    fn acknowledged(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        message: &DhcpMessage,
        server: Ipv4Addr,
    ) -> Action {
        let Some(lease) = self.read_lease(message, server) else {
            event!(cx, debug, "devnet::dhcp", "the lease of {} is unusable", server);
            return Action::Nothing;
        };
        let is_known = self.lease.as_ref().is_some_and(|known| known.address == lease.address);
        self.checked = Some(lease);
        if is_known {
            return self.accept();
        }
        // Probe whether another host uses the address (RFC 2131 §4.4.1, RFC 5227).
        self.state = Some(DhcpState::Checking);
        ip.link.probe(cx, message.your_address);
        let deadline = cx.now.after(PROBE_WAIT);
        self.arm(cx, deadline);
        Action::Nothing
    }
}
