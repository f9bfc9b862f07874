//! One interface's synchronous state. The time is an argument, frames go in and out, nothing
//! blocks.
//!
//! A [`Stack`] is wiring: it owns the parts and passes on what they return. A part owns its state,
//! borrows a [`Context`] and the layers below it, and knows no part above it. The stack is called
//! under its interface's lock. It never awaits, defers wakes until the lock is released (see
//! [`Wakes`]), and each call does a bounded amount of work. Frames wait in the link's queue.
//!
//! | part | owns |
//! |---|---|
//! | [`link`] | framing, neighbors, ARP, neighbor discovery, the output queue |
//! | [`ip`] | addresses, routes, reassembly, path MTUs, groups; owns link and [`firewall`] |
//! | [`transport`] | the protocols over IP: [`icmp`], [`tcp`], [`datagram`] |
//! | [`dhcp`], [`dhcp6`], [`autoconfiguration`], [`advertise`], [`mdns`] | configuration, names |
//! | [`changes`], [`watched`], [`desired`] | state changes for watchers; what is asked for |

pub(crate) mod addresses;
pub(crate) mod advertise;
pub(crate) mod autoconfiguration;
pub(crate) mod autoconfiguration_option;
pub(crate) mod bound;
pub(crate) mod changes;
pub(crate) mod context;
pub(crate) mod counters;
pub(crate) mod datagram;
#[cfg(feature = "dhcp6")]
pub(crate) mod delegations;
pub(crate) mod desired;
#[cfg_attr(not(feature = "dhcp"), path = "dhcp/absent.rs")]
pub(crate) mod dhcp;
#[cfg_attr(not(feature = "dhcp6"), path = "dhcp6/absent.rs")]
pub(crate) mod dhcp6;
mod dhcp_frame;
#[cfg_attr(not(feature = "dhcp-server"), path = "dhcp_server/absent.rs")]
pub(crate) mod dhcp_server;
#[cfg_attr(not(feature = "firewall"), path = "firewall/absent.rs")]
pub(crate) mod firewall;
pub(crate) mod flow;
pub(crate) mod flow_cache;
pub(crate) mod hardware_address;
pub(crate) mod host;
pub(crate) mod icmp;
pub(crate) mod interface_option;
pub(crate) mod ip;
mod lazy_queue;
mod leased;
pub(crate) mod link;
#[cfg_attr(not(feature = "mdns"), path = "mdns/absent.rs")]
pub(crate) mod mdns;
pub(crate) mod multicast;
pub(crate) mod name_servers;
mod option_list;
#[cfg(any(feature = "dhcp6", feature = "mdns"))]
mod own_datagram;
pub(crate) mod ports;
pub(crate) mod random;
#[cfg(feature = "wireless")]
pub(crate) mod role;
pub(crate) mod routes;
#[cfg_attr(not(feature = "tcp"), path = "tcp/absent.rs")]
pub(crate) mod tcp;
pub(crate) mod timers;
mod token_bucket;
pub(crate) mod transport;
pub(crate) mod watch;
pub(crate) mod watched;
pub(crate) mod wire;

#[cfg(feature = "mdns")]
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::task::Waker;

use devnet_virtual_file_system::{Error, WakerList};

use self::advertise::Advertiser;
use self::autoconfiguration::Autoconfiguration;
use self::changes::Changes;
pub(crate) use self::context::{Configuration, Context, InterfaceOptions, Wakes};
use self::dhcp::{Action, DhcpClient};
use self::dhcp_server::DhcpServer;
use self::dhcp6::{Dhcp6, Parts};
pub(crate) use self::host::HostAddresses;
use self::ip::Ip;
use self::ip::ingress::{Packet, Received};
use self::ip::lifetime::Expired;
use self::leased::Leased;
use self::link::Arrival;
use self::mdns::MulticastDns;
use self::name_servers::NameServers;
use self::random::Random;
use self::tcp::SystemMemory;
use self::timers::Timer;
use self::transport::{ConfigurationPacket, Transport};
use self::wire::udp::{self, UDP_HEADER};
use crate::address::Prefix;
use crate::command::address::{AddressEntry, Origin};
use crate::driver::{Frame, LinkState};
use crate::platform::Instant;

/// One interface's state.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) context: Context,
    pub(crate) ip: Ip,
    pub(crate) transport: Transport,
    pub(crate) dhcp: DhcpClient,
    pub(crate) dhcp_server: DhcpServer,
    pub(crate) dhcp6: Dhcp6,
    pub(crate) autoconfiguration: Autoconfiguration,
    pub(crate) advertiser: Advertiser,
    pub(crate) name_servers: NameServers,
    pub(crate) mdns: MulticastDns,
    pub(crate) changes: Changes,
    /// Datagram senders that wait for room.
    pub(crate) senders: WakerList,
}

impl Stack {
    /// A stack without addresses, administratively down.
    pub(crate) fn new(
        configuration: Configuration,
        random: Random,
        (host, memory): (Arc<HostAddresses>, Arc<SystemMemory>),
    ) -> Self {
        let mut context = Context::new(configuration, random);
        Self {
            ip: Ip::new(&mut context, host),
            transport: Transport::new(&mut context, memory),
            dhcp: DhcpClient::default(),
            dhcp_server: DhcpServer::default(),
            dhcp6: Dhcp6::default(),
            autoconfiguration: Autoconfiguration::default(),
            advertiser: Advertiser::default(),
            name_servers: NameServers::default(),
            mdns: MulticastDns::default(),
            changes: Changes::default(),
            senders: WakerList::new(),
            context,
        }
    }

    /// Processes a frame from the driver.
    pub(crate) fn receive(&mut self, frame: Frame) {
        match self.ip.link.receive(&mut self.context, frame) {
            link::Received::Nothing => {}
            link::Received::Packet(frame, arrival) => self.receive_packet(frame, arrival),
            link::Received::Arp(message) => {
                self.dhcp_server.receive_arp(&mut self.context, &mut self.ip, &message);
                let action = self.dhcp.receive_arp(&mut self.context, &mut self.ip, &message);
                self.apply(action);
            }
        }
    }

    /// Processes an IP packet.
    fn receive_packet(&mut self, frame: Frame, arrival: Arrival) {
        let Self { context: cx, ip, transport, dhcp, dhcp_server, dhcp6, mdns, .. } = self;
        // Nearly every packet of a busy system belongs to a known flow.
        let Err(frame) = transport.receive_fast(cx, ip, frame, arrival) else { return };
        match ip.receive(cx, frame, arrival, dhcp.is_waiting()) {
            Received::Nothing => {}
            Received::Packet(packet) => {
                dhcp_server.receive_echo(cx, ip, &packet);
                let is_ipv6 = packet.header.source.is_ipv6();
                let is_for_stack = |port| {
                    let is_for_dhcp = dhcp.wants(port) || dhcp_server.wants(port);
                    is_for_dhcp || mdns.wants(port) || (is_ipv6 && dhcp6.wants(port))
                };
                match transport.receive(cx, ip, packet, is_for_stack) {
                    ConfigurationPacket::Nothing => {}
                    ConfigurationPacket::Datagram(packet) => self.receive_datagram(packet),
                    ConfigurationPacket::Discovery(packet) => self.receive_discovery(packet),
                }
            }
            Received::Refused { frame, arrival, code, pointer, multicast_too } => {
                let (problem, icmp) = ((code, pointer), &mut transport.icmp);
                icmp.parameter_problem(cx, ip, (&frame, arrival), problem, multicast_too);
                cx.pool.put(frame);
            }
        }
    }

    fn receive_datagram(&mut self, packet: Packet) {
        let port = udp::destination_port(packet.payload());
        if packet.header.source.is_ipv6() && self.dhcp6.wants(port) {
            let (dhcp6, mut parts) = self.dhcp6();
            dhcp6.receive(&mut parts, &packet, port);
            return self.context.pool.put(packet.frame);
        }
        let Self { context: cx, ip, dhcp, dhcp_server, mdns, .. } = self;
        let message = packet.payload().get(UDP_HEADER..).unwrap_or_default();
        let mut action = Action::Nothing;
        if dhcp_server.wants(port) {
            dhcp_server.receive(cx, ip, message);
        } else if mdns.wants(port) {
            mdns.receive(cx, ip, &packet);
        } else {
            action = dhcp.receive(cx, ip, message);
        }
        cx.pool.put(packet.frame);
        self.apply(action);
    }

    fn receive_discovery(&mut self, packet: Packet) {
        let Self { context: cx, ip, transport, autoconfiguration, advertiser, .. } = self;
        let solicitation = autoconfiguration.receive(cx, ip, &mut self.name_servers, &packet);
        if let Some(source) = solicitation.filter(|_| advertiser.is_on())
            && transport.icmp.may_answer(cx, IpAddr::V6(source))
        {
            advertiser.answer(cx, ip, source);
        }
        cx.pool.put(packet.frame);
    }

    /// Delivers the packets to ourselves that are queued now. Packets that these cause wait for the
    /// next call.
    pub(crate) fn run_local(&mut self) -> bool {
        for _ in 0..self.ip.local_count() {
            let Some(frame) = self.ip.take_local() else { break };
            self.receive_packet(frame, Arrival::INSIDE);
        }
        self.ip.has_local()
    }

    /// Handles every expired deadline. `waker` is woken when another interface changes what this
    /// one depends on.
    pub(crate) fn run_timers(&mut self, waker: &Waker) {
        while let Some((deadline, timer)) = self.context.timers.due(self.context.now) {
            self.expire(timer, deadline);
        }
        self.ip.routes_changed(&mut self.context);
        self.mdns.follow(&mut self.context, &mut self.ip);
        let (dhcp6, mut parts) = self.dhcp6();
        dhcp6.follow(&mut parts, waker);
    }

    fn expire(&mut self, timer: Timer, deadline: Instant) {
        let Self { context: cx, ip, transport, dhcp, autoconfiguration, name_servers, .. } = self;
        match timer {
            Timer::Connection(index) => transport.tcp.expire(cx, ip, index, deadline),
            Timer::TimeWait => transport.tcp.expire_time_wait(cx),
            Timer::Neighbor(address) => {
                for frame in ip.link.expire(cx, &ip.addresses, address, deadline) {
                    transport.undeliverable(cx, frame);
                }
            }
            Timer::Address(address) => match ip.expire_address(cx, address, deadline) {
                Expired::Nothing => {}
                // A router may advertise as soon as it has a usable address.
                Expired::Usable => self.advertiser.advertise(cx, ip),
                // The deadline belonged to this address.
                Expired::Over(prefix) => drop(self.remove_address(prefix)),
                Expired::Regenerate(address) => Autoconfiguration::regenerate(cx, ip, address),
            },
            Timer::Routes => ip.expire_routes(cx, deadline),
            Timer::Proxy => ip.expire_proxy(cx, deadline),
            Timer::Advertised => autoconfiguration.expire(cx, ip, name_servers, deadline),
            Timer::RouterSolicitation => autoconfiguration.expire_solicitation(cx, ip, deadline),
            Timer::Advertisement => self.advertiser.expire(cx, ip, deadline),
            Timer::Multicast => ip.expire_groups(cx, deadline),
            Timer::Reassembly => transport.expire_reassembly(cx, ip),
            Timer::DhcpServer => self.dhcp_server.expire(cx, ip, deadline),
            Timer::MulticastDns => self.mdns.expire(cx, ip, deadline),
            Timer::Dhcp6 => {
                let (dhcp6, mut parts) = self.dhcp6();
                dhcp6.expire(&mut parts, deadline);
            }
            Timer::Dhcp => {
                let action = dhcp.expire(cx, ip, deadline);
                self.apply(action);
            }
        }
    }

    /// The earliest deadline.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.context.timers.next()
    }

    /// True when there is work to do at once.
    pub(crate) fn has_work(&self) -> bool {
        self.ip.has_local()
            || (self.transport.tcp.has_work() && self.ip.link.has_room())
            || self.mdns.is_outdated(&self.context, &self.ip)
    }

    /// Brings the interface up or down; returns true if that changed something. Addresses and
    /// routes stay.
    pub(crate) fn set_enabled(&mut self, enabled: bool) -> bool {
        #[cfg(feature = "mdns")]
        let mut last = if enabled { VecDeque::new() } else { self.depart() };
        if !self.context.configuration.set_enabled(enabled) {
            return false;
        }
        if !enabled {
            self.ip.link.flush();
            #[cfg(feature = "mdns")]
            self.ip.link.output.append(&mut last);
        }
        self.running_changed();
        true
    }

    /// Says goodbye; returns the frames with it, which are sent although the interface goes down.
    #[cfg(feature = "mdns")]
    pub(crate) fn depart(&mut self) -> VecDeque<Frame> {
        let Self { context: cx, ip, mdns, .. } = self;
        let queued = ip.link.output.len();
        mdns.depart(cx, ip);
        ip.link.output.split_off(queued)
    }

    /// Sets the carrier state.
    pub(crate) fn set_link(&mut self, link: LinkState) {
        if self.context.configuration.set_link(link, self.context.now) {
            self.running_changed();
        }
    }

    fn running_changed(&mut self) {
        let Self { context: cx, ip, dhcp, autoconfiguration, name_servers, .. } = self;
        if cx.is_running() {
            ip.restart_groups(cx);
            autoconfiguration.start(cx, ip, name_servers);
        }
        // Path MTUs of the previous link may be wrong on the next one.
        ip.forget_paths();
        ip.host.wake_senders(&mut cx.wakes);
        dhcp.link_changed(cx, ip);
        let (dhcp6, mut parts) = self.dhcp6();
        dhcp6.link_changed(&mut parts);
    }

    /// As [`Configuration::set_mtu`], and updates the MSS of connections.
    pub(crate) fn set_mtu(&mut self, mtu: u32) -> Result<bool, Error> {
        let Self { context: cx, ip, transport, .. } = self;
        let is_changed = cx.configuration.set_mtu(mtu, ip.addresses.has_ipv6())?;
        if is_changed {
            transport.tcp.update_mss_to(cx, ip, None);
        }
        Ok(is_changed)
    }

    /// Removes an address, its connected route, and the connections that use it.
    ///
    /// # Errors
    /// `AddressNotAvailable`.
    pub(crate) fn remove_address(&mut self, prefix: Prefix) -> Result<(), Error> {
        self.transport.remove_address(&mut self.context, &mut self.ip, prefix)
    }

    /// As [`NameServers::add`].
    pub(crate) fn add_name_server(&mut self, server: IpAddr, origin: Origin) -> Result<(), Error> {
        if let Some(evicted) = self.name_servers.add(server, origin)? {
            self.autoconfiguration.forget_server(evicted);
        }
        Ok(())
    }

    /// Stops the DHCP client and removes what it added; false when it was not running.
    pub(crate) fn stop_dhcp(&mut self) -> bool {
        let (was_running, action) = self.dhcp.stop(&mut self.context, &mut self.ip);
        self.apply(action);
        self.ip.routes.forget_all_waiting();
        was_running
    }

    /// DHCPv6, and what it configures.
    pub(crate) fn dhcp6(&mut self) -> (&mut Dhcp6, Parts<'_>) {
        let Self { context: cx, ip, transport, dhcp6, autoconfiguration, advertiser, .. } = self;
        let names = &mut self.name_servers;
        (dhcp6, Parts { cx, ip, transport, names, autoconfiguration, advertiser })
    }

    /// Carries out an action of the DHCP client.
    pub(crate) fn apply(&mut self, action: Action) {
        let Self { context: cx, ip, transport, dhcp, name_servers: names, .. } = self;
        let autoconfiguration = &mut self.autoconfiguration;
        Leased { cx, ip, transport, dhcp, names, autoconfiguration }.apply(action);
    }

    /// The interface goes down: its sockets end with an error, waiting tasks are woken (IFS-02).
    pub(crate) fn end(&mut self) {
        self.transport.end(&mut self.context, &mut self.ip);
        self.stop_dhcp();
        let (dhcp6, mut parts) = self.dhcp6();
        dhcp6.end(&mut parts);
        self.context.configuration.enabled = false;
        self.context.wakes.add(&mut self.senders);
        self.ip.end(&self.context);
    }

    /// All addresses.
    pub(crate) fn address_entries(&self) -> Vec<AddressEntry> {
        self.ip.address_entries(self.context.now, self.dhcp.lease_end())
    }
}

#[cfg(test)]
mod tests;
