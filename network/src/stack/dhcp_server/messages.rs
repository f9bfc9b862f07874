//! The messages of clients, and the check of an address before it is offered.

use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use core::time::Duration;

use smoltcp::wire::EthernetProtocol;

use super::leases::Client;
use super::reply::{self, Destination};
use super::settings::{is_client, is_printable};
use super::{Check, Running};
use crate::command::dhcp_server::ClientName;
use crate::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, SERVER_PORT, option};
use crate::limits;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::dhcp_frame;
use crate::stack::ip::Ip;
use crate::stack::wire::header::{Outgoing, protocol};
use crate::stack::wire::icmp::{self, kind4};
use crate::trace::{dropped, event};

/// How long a check of an address waits for whoever uses it.
const CHECK_WAIT: Duration = Duration::from_millis(500);

impl Running {
    pub(super) fn receive(&mut self, cx: &mut Context, ip: &mut Ip, message: DhcpMessage) {
        let client = client_of(&message);
        let wanted = message
            .address_option(option::REQUESTED_ADDRESS)
            .filter(|address| !address.is_unspecified());
        let statistics = &mut self.statistics;
        match message.kind {
            MessageKind::Discover => {
                statistics.discovers += 1;
                self.discover(cx, ip, client, message);
            }
            MessageKind::Request => {
                statistics.requests += 1;
                if let Some(reply) = self.request(cx, &client, wanted, &message) {
                    self.send(cx, ip, &message, &reply);
                }
            }
            MessageKind::Decline => {
                statistics.declines += 1;
                if let Some(address) = wanted
                    && self.leases.decline(&client, address, cx.now)
                {
                    self.statistics.conflicts += 1;
                    event!(cx, warn, "devnet::dhcp", "{} is declined: it is in use", address);
                }
            }
            MessageKind::Release => {
                statistics.releases += 1;
                self.leases.release(&client, message.client_address, cx.now);
            }
            MessageKind::Inform => {
                statistics.informs += 1;
                if !message.client_address.is_unspecified() {
                    let reply = reply::information(self.server, &self.options, &message);
                    self.send(cx, ip, &message, &reply);
                }
            }
            MessageKind::Offer | MessageKind::Acknowledge | MessageKind::Refuse => {}
        }
    }

    /// Chooses an address, and offers it once it is checked.
    fn discover(&mut self, cx: &mut Context, ip: &mut Ip, client: Client, message: DhcpMessage) {
        self.exclude(ip);
        if let Some(known) = self.checks.iter_mut().find(|check| check.client.name == client.name) {
            // It was retransmitted.
            known.request = message;
            return;
        }
        let wanted = message.address_option(option::REQUESTED_ADDRESS);
        let Some(address) = self.leases.offer(&client, wanted, cx.now) else {
            self.statistics.exhausted += 1;
            dropped!(cx, QueueFull, "devnet::dhcp", "no address for {}", client.name);
            return;
        };
        if self.options.skip_check || !self.leases.needs_check(&client, address, cx.now) {
            return self.offer(cx, ip, &client, &message, address);
        }
        if self.checks.len() >= limits::DHCP_CHECKS {
            self.statistics.exhausted += 1;
            dropped!(cx, QueueFull, "devnet::dhcp", "a check of {}", address);
            return;
        }
        ip.link.probe(cx, address);
        self.ping(cx, ip, address);
        let deadline = cx.now.after(CHECK_WAIT);
        self.checks.push(Check { address, client, request: message, deadline });
    }

    /// Sends an echo request; whoever answers it is found by [`DhcpServer::receive_echo`].
    fn ping(&self, cx: &mut Context, ip: &mut Ip, address: Ipv4Addr) {
        let outgoing = Outgoing {
            source: self.server.address(),
            destination: IpAddr::V4(address),
            protocol: protocol::ICMP,
            hop_limit: limits::HOP_LIMIT,
            traffic_class: 0,
        };
        let message = [kind4::ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 0];
        let frame = icmp::packet(&mut cx.pool, &outgoing, &message);
        cx.counters.count(false, Counter::IcmpOutMsgs);
        cx.counters.count(false, Counter::IcmpOutEchos);
        // Without an answer the address is free.
        let _ = ip.transmit(cx, frame, IpAddr::V4(address));
    }

    /// Somebody uses an address that is checked: the client gets another one.
    pub(super) fn conflict(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        is_used: impl Fn(&Check) -> bool,
    ) {
        let Some(place) = self.checks.iter().position(is_used) else { return };
        let check = self.checks.swap_remove(place);
        self.statistics.conflicts += 1;
        event!(cx, warn, "devnet::dhcp", "{} is in use, it is not offered", check.address);
        // The lease of the only client stays: it is there.
        if !self.options.single_client {
            self.leases.found_in_use(check.address, cx.now);
            self.discover(cx, ip, check.client, check.request);
        }
        self.tell(cx);
        self.arm(cx);
    }

    pub(super) fn offer(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        client: &Client,
        request: &DhcpMessage,
        address: Ipv4Addr,
    ) {
        // Others may have taken it during the check.
        let is_its = self.leases.is_offered_to(client, address)
            || !self.leases.needs_check(client, address, cx.now);
        if is_its {
            let (server, options) = (self.server, &self.options);
            let reply = reply::grant(server, options, request, MessageKind::Offer, address);
            self.send(cx, ip, request, &reply);
        }
    }

    /// The reply to a DHCPREQUEST (RFC 2131 §4.3.2).
    fn request(
        &mut self,
        cx: &Context,
        client: &Client,
        wanted: Option<Ipv4Addr>,
        message: &DhcpMessage,
    ) -> Option<DhcpMessage> {
        let chosen = message.address_option(option::SERVER_IDENTIFIER);
        if chosen.is_some_and(|chosen| IpAddr::V4(chosen) != self.server.address()) {
            self.leases.withdraw(client, cx.now);
            return None;
        }
        // A renewal has the address in ciaddr; before that it is in an option.
        let current = Some(message.client_address).filter(|address| !address.is_unspecified());
        let address = wanted.or(current)?;
        let (is_ours, is_authoritative) =
            (self.leases.includes(address), self.options.authoritative);
        // INIT-REBOOT and REBINDING of a client that another server knows: that one answers.
        if chosen.is_none() && !is_ours && !is_authoritative {
            return None;
        }
        let seconds = self.options.lease_seconds;
        let is_leased = match chosen {
            Some(_) => self.leases.select(client, address, seconds, cx.now),
            None if is_authoritative => self.leases.adopt(client, address, seconds, cx.now),
            None => self.leases.lease(client, address, seconds, cx.now),
        };
        Some(match is_leased {
            true => {
                let kind = MessageKind::Acknowledge;
                reply::grant(self.server, &self.options, message, kind, address)
            }
            false => reply::refusal(self.server, message),
        })
    }

    fn send(&mut self, cx: &mut Context, ip: &mut Ip, request: &DhcpMessage, reply: &DhcpMessage) {
        let statistics = &mut self.statistics;
        match reply.kind {
            MessageKind::Offer => statistics.offers += 1,
            MessageKind::Acknowledge => statistics.acknowledgements += 1,
            _ => statistics.refusals += 1,
        }
        event!(cx, info, "devnet::dhcp", "{} for {}", reply.your_address, reply.hardware_address);
        cx.counters.count(false, Counter::UdpOutDatagrams);
        let source = SocketAddrV4::new(reply::ipv4(self.server), SERVER_PORT);
        let bytes = reply.to_bytes();
        match reply::destination(request, reply) {
            Destination::Frame(to, hardware) => {
                let frame = dhcp_frame::datagram(cx, &bytes, (source, to));
                ip.link.send_frame(cx, frame, hardware, EthernetProtocol::Ipv4);
            }
            Destination::Routed(address) => {
                let to = SocketAddrV4::new(address, CLIENT_PORT);
                let frame = dhcp_frame::datagram(cx, &bytes, (source, to));
                // A client without a reply retransmits.
                let _ = ip.transmit(cx, frame, IpAddr::V4(address));
            }
        }
    }
}

/// The client of a message: its identifier, or its hardware address (RFC 2131 §4.2).
fn client_of(message: &DhcpMessage) -> Client {
    let identifier = message.option(option::CLIENT_IDENTIFIER).map(<[u8]>::to_vec);
    let name = identifier.map(ClientName::Identifier).filter(is_client);
    let host_name =
        message.option(option::HOSTNAME).and_then(|name| core::str::from_utf8(name).ok());
    let host_name = host_name.map(|name| name.trim_end_matches('\0'));
    Client {
        name: name.unwrap_or(ClientName::Hardware(message.hardware_address)),
        hardware: Some(message.hardware_address),
        host_name: host_name
            .filter(|name| is_printable(name, limits::HOSTNAME_BYTES))
            .map(String::from),
    }
}
