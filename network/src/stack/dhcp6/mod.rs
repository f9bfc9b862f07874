//! DHCPv6 of one interface (RFC 8415): the client with prefix delegation, the networks that other
//! interfaces have of the prefixes, and the stateless server.
//!
//! The stack calls it with datagrams to ports 546 and 547, with its deadline, and after every turn,
//! to [`follow`](Dhcp6::follow) what routers advertise. It is lent everything that it configures.
//!
//! | file | owns |
//! |---|---|
//! | [`client`] | what is asked for, and when |
//! | [`answers`] | what messages of servers change |
//! | [`reply`] | those messages as values |
//! | [`leases`] | what servers gave, and how long it lasts |
//! | [`apply`] | addresses, routes and name servers of the interface |
//! | [`requests`], [`messages`] | messages of ours, and their packets |
//! | [`exchange`], [`aside`] | when they are sent again |
//! | [`report`] | how all that stands |
//! | [`server`] | the stateless server |
//! | [`downstream`] | networks out of another interface's prefixes |
//! | [`settings`] | what may be asked of all that |

mod answers;
mod apply;
mod aside;
mod client;
mod downstream;
mod exchange;
mod leases;
mod messages;
mod reply;
mod report;
mod requests;
mod server;
mod settings;

use core::net::IpAddr;
use core::task::Waker;

use devnet_virtual_file_system::Error;

use self::client::Client;
use self::downstream::Networks;
use self::messages::SERVERS;
use self::server::Server;
use super::advertise::Advertiser;
use super::autoconfiguration::Autoconfiguration;
use super::context::Context;
use super::ip::Ip;
use super::ip::ingress::{Delivery, Packet};
use super::name_servers::NameServers;
use super::timers::Timer;
use super::transport::Transport;
use super::wire::udp::UDP_HEADER;
use crate::command::dhcp6::{
    Dhcp6ClientOptions, Dhcp6ServerOptions, Dhcp6ServerStatus, Dhcp6State, Dhcp6Status, Downstream,
};
use crate::configuration::DesiredDhcp6;
use crate::dhcp6_message::{CLIENT_PORT, Dhcp6Message, SERVER_PORT};
use crate::platform::Instant;
use crate::trace::dropped;

/// What DHCPv6 configures, and what it looks at.
pub(crate) struct Parts<'a> {
    pub(crate) cx: &'a mut Context,
    pub(crate) ip: &'a mut Ip,
    pub(crate) transport: &'a mut Transport,
    pub(crate) names: &'a mut NameServers,
    pub(crate) autoconfiguration: &'a mut Autoconfiguration,
    pub(crate) advertiser: &'a mut Advertiser,
}

/// DHCPv6 of one interface.
#[derive(Debug, Default)]
pub(crate) struct Dhcp6 {
    client: Client,
    server: Option<Server>,
    networks: Networks,
    /// The deadline of the entry in the timer heap.
    armed: Option<Instant>,
}

impl Dhcp6 {
    /// Tells the client what to ask for; true if that changed something.
    ///
    /// # Errors
    /// `InvalidInput` for what cannot be asked; `Unsupported` on media without hardware addresses.
    pub(crate) fn set_client(
        &mut self,
        parts: &mut Parts<'_>,
        options: Dhcp6ClientOptions,
    ) -> Result<bool, Error> {
        settings::check_client(parts.cx, &options)?;
        let is_changed = self.client.set(parts, options);
        self.client.follow(parts);
        self.arm(parts.cx);
        Ok(is_changed)
    }

    /// Starts the server, gives it other options, or stops it; true if that changed something.
    ///
    /// # Errors
    /// `InvalidInput` for what cannot be told; `NoBufferSpace` for too much of it, and when the
    /// interface is in too many groups; `Unsupported` on media without hardware addresses.
    pub(crate) fn set_server(
        &mut self,
        parts: &mut Parts<'_>,
        options: Option<Dhcp6ServerOptions>,
    ) -> Result<bool, Error> {
        let (cx, ip) = (&mut *parts.cx, &mut *parts.ip);
        let group = IpAddr::V6(SERVERS);
        let Some(options) = options else {
            let was_on = self.server.take().is_some();
            if was_on {
                ip.leave_group(cx, group);
            }
            return Ok(was_on);
        };
        settings::check_server(cx, &options)?;
        if let Some(server) = &mut self.server {
            let is_changed = server.options != options;
            server.options = options;
            return Ok(is_changed);
        }
        ip.join_group(cx, group)?;
        self.server = Some(Server::new(cx, options));
        Ok(true)
    }

    /// Says where networks of the interface come from; true if that changed something.
    ///
    /// # Errors
    /// `InvalidInput` for what is no other interface; `Unsupported` on media without hardware
    /// addresses.
    pub(crate) fn set_downstream(
        &mut self,
        parts: &mut Parts<'_>,
        asked: Option<Downstream>,
    ) -> Result<bool, Error> {
        if let Some(asked) = &asked {
            settings::check_downstream(parts.cx, asked)?;
        }
        Ok(self.networks.set(parts, asked))
    }

    /// Whether all of it can be asked.
    ///
    /// # Errors
    /// As the three above.
    pub(crate) fn check(cx: &Context, asked: &DesiredDhcp6) -> Result<(), Error> {
        if asked.client != Dhcp6ClientOptions::default() {
            settings::check_client(cx, &asked.client)?;
        }
        asked.server.as_ref().map_or(Ok(()), |server| settings::check_server(cx, server))?;
        let downstream = asked.downstream.as_ref();
        downstream.map_or(Ok(()), |downstream| settings::check_downstream(cx, downstream))
    }

    /// What is asked for.
    pub(crate) fn asked(&self) -> DesiredDhcp6 {
        DesiredDhcp6 {
            client: self.client.options.clone(),
            server: self.server.as_ref().map(|server| server.options.clone()),
            downstream: self.networks.asked.clone(),
        }
    }

    /// Makes this what is asked for. It was checked.
    ///
    /// # Errors
    /// `NoBufferSpace` when the interface is in too many groups.
    pub(crate) fn carry_out(
        &mut self,
        parts: &mut Parts<'_>,
        asked: DesiredDhcp6,
    ) -> Result<(), Error> {
        if asked == self.asked() {
            return Ok(());
        }
        self.set_server(parts, asked.server)?;
        self.set_downstream(parts, asked.downstream)?;
        if asked.client != self.client.options {
            self.set_client(parts, asked.client)?;
        }
        Ok(())
    }

    /// Renews leases or other configuration now.
    ///
    /// # Errors
    /// `NotConnected` without either.
    pub(crate) fn renew(&mut self, parts: &mut Parts<'_>) -> Result<(), Error> {
        let outcome = self.client.renew(parts);
        self.arm(parts.cx);
        outcome
    }

    /// How client and networks stand.
    pub(crate) fn status(&self, cx: &Context) -> Dhcp6Status {
        let mut status = Dhcp6Status::default();
        self.client.write_status(cx, &mut status);
        self.networks.write_status(cx, &mut status);
        status
    }

    /// The part of the status that watchers observe.
    pub(crate) fn summary(&self) -> Option<Dhcp6Status> {
        let is_used = self.client.is_on() || self.networks.asked.is_some();
        is_used.then(|| {
            let mut summary = Dhcp6Status::default();
            self.client.write_summary(&mut summary);
            self.networks.write_summary(&mut summary);
            summary
        })
    }

    /// How the server stands.
    pub(crate) fn server_status(&self, cx: &Context) -> Dhcp6ServerStatus {
        Dhcp6ServerStatus {
            options: self.server.as_ref().map(|server| server.options.clone()),
            duid: self.client.duid(cx),
            statistics: self.server.as_ref().map(|server| server.statistics).unwrap_or_default(),
        }
    }

    /// True once the client has what it asks for; `None` while it is off.
    pub(crate) fn is_ready(&self) -> Option<bool> {
        self.client.is_on().then(|| {
            let has_leases = !self.client.leases.is_empty();
            has_leases || self.client.state == Dhcp6State::Informed
        })
    }

    /// True while addresses of DHCPv6 may be on the interface.
    pub(crate) fn is_used(asked: &DesiredDhcp6) -> bool {
        asked.client != Dhcp6ClientOptions::default() || asked.downstream.is_some()
    }

    /// Wakes `waker` when the client has what it asks for, or stops.
    pub(crate) fn register(&mut self, waker: &Waker) {
        self.client.register(waker);
    }

    /// True when a datagram of IPv6 to this port is for client or server.
    pub(crate) fn wants(&self, port: u16) -> bool {
        match port {
            CLIENT_PORT => self.client.is_on() || !self.client.asides.is_empty(),
            SERVER_PORT => self.server.is_some(),
            _ => false,
        }
    }

    /// Processes a datagram that [`wants`](Self::wants) was true for.
    pub(crate) fn receive(&mut self, parts: &mut Parts<'_>, packet: &Packet, port: u16) {
        let IpAddr::V6(source) = packet.header.source else { return };
        let bytes = packet.payload().get(UDP_HEADER..).unwrap_or_default();
        let message = Dhcp6Message::parse(bytes);
        let Some(message) = message.ok().filter(|_| source.is_unicast_link_local()) else {
            let cx = &mut *parts.cx;
            dropped!(cx, Malformed, "devnet::dhcp6", "{} bytes of {}", bytes.len(), source);
            return;
        };
        if port == SERVER_PORT {
            let destination = packet.header.destination;
            let duid = self.client.duid(parts.cx);
            if let (Some(server), Some(duid)) = (&mut self.server, duid) {
                let (cx, ip) = (&mut *parts.cx, &mut *parts.ip);
                server.receive(cx, ip, &message, (source, destination), &duid);
            }
            return;
        }
        // Servers answer to the address that asked.
        if packet.delivery == Delivery::Unicast {
            self.client.receive(parts, &message);
            self.arm(parts.cx);
        } else {
            let cx = &mut *parts.cx;
            dropped!(cx, NoSocket, "devnet::dhcp6", "a message of {} to a group", source);
        }
    }

    /// Handles the deadline.
    pub(crate) fn expire(&mut self, parts: &mut Parts<'_>, deadline: Instant) {
        if self.armed == Some(deadline) {
            self.armed = None;
            self.client.expire(parts);
            self.arm(parts.cx);
        }
    }

    /// The link came or went.
    pub(crate) fn link_changed(&mut self, parts: &mut Parts<'_>) {
        self.client.link_changed(parts);
        self.client.follow(parts);
        self.arm(parts.cx);
    }

    /// Looks at what changed in this turn, and has `waker` woken when another interface gets
    /// prefixes that this one has networks of.
    pub(crate) fn follow(&mut self, parts: &mut Parts<'_>, waker: &Waker) {
        if self.client.follow(parts) {
            self.arm(parts.cx);
        }
        self.networks.follow(parts, waker);
    }

    /// The interface goes.
    pub(crate) fn end(&mut self, parts: &mut Parts<'_>) {
        self.client.stop(parts);
    }

    fn arm(&mut self, cx: &mut Context) {
        if let Some(next) = self.client.next(cx) {
            // One that is over already is handled with the next turn.
            let next = next.max(cx.now);
            cx.timers.arm_earlier(&mut self.armed, next, Timer::Dhcp6);
        }
    }
}
