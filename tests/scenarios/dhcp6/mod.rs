//! DHCPv6 against servers that the test is: it reads what the client sends and answers by frames.

mod client;
mod delegation;
mod routers;
mod server;
mod timing;

use std::net::Ipv6Addr;
use std::time::Duration;

use devnet_network::command::GetDhcp6;
use devnet_network::command::dhcp6::{Dhcp6State, Dhcp6Status};
use devnet_network::dhcp6_message::{
    CLIENT_PORT, Dhcp6Message, MessageKind, SERVER_PORT, option, push, status,
};
use world::World;

use crate::station::{HOST_LINK, PEER_LINK, Wire, at, packets, udp, upper};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// All_DHCP_Relay_Agents_and_Servers.
const SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// The client's DUID, by its hardware address, and its IAID.
const OWN: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1];
const IAID: u32 = 1;
/// The servers.
const ONE: &[u8] = &[0, 2, 1];
const TWO: &[u8] = &[0, 2, 2];
/// How often the test looks at the cable.
const STEP: Duration = Duration::from_millis(10);

/// A message of the client: milliseconds since the test began to look, and itself.
type Heard = (u64, Dhcp6Message);

/// A network with a client and the test.
struct Network<'a> {
    wire: Wire<'a>,
}

/// An address of the servers' network.
fn address(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}

/// An address with its lifetimes, for an association.
fn leased(last: u16, preferred: u32, valid: u32) -> Vec<u8> {
    let mut value = address(last).octets().to_vec();
    value.extend_from_slice(&preferred.to_be_bytes());
    value.extend_from_slice(&valid.to_be_bytes());
    let mut bytes = Vec::new();
    push(&mut bytes, option::IA_ADDRESS, &value);
    bytes
}

/// A prefix with its lifetimes, for an association.
fn delegated(prefix: &str, preferred: u32, valid: u32) -> Vec<u8> {
    let (base, length) = prefix.split_once('/').unwrap();
    let mut value = [preferred, valid].iter().flat_map(|one| one.to_be_bytes()).collect::<Vec<_>>();
    value.push(length.parse().unwrap());
    value.extend_from_slice(&base.parse::<Ipv6Addr>().unwrap().octets());
    let mut bytes = Vec::new();
    push(&mut bytes, option::IA_PREFIX, &value);
    bytes
}

/// An option that says how it went.
fn code(status: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    push(&mut bytes, option::STATUS_CODE, &status.to_be_bytes());
    bytes
}

/// The body of our association: T1, T2, what is in it.
fn association(renew: u32, rebind: u32, members: &[Vec<u8>]) -> Vec<u8> {
    let head = [IAID, renew, rebind].iter().flat_map(|one| one.to_be_bytes()).collect::<Vec<_>>();
    [head, members.concat()].concat()
}

/// An answer of a server to a message.
fn answer(kind: MessageKind, server: &[u8], to: &Dhcp6Message) -> Dhcp6Message {
    let mut reply = Dhcp6Message::new(kind, to.transaction);
    reply.push(option::CLIENT_IDENTIFIER, to.option(option::CLIENT_IDENTIFIER).unwrap());
    reply.push(option::SERVER_IDENTIFIER, server);
    reply
}

/// What a plain server answers: an address for 100 s, preferred for 80 s, T1 20 s and T2 50 s; a
/// name server and a domain; what it is asked to confirm it confirms.
fn plain(message: &Dhcp6Message) -> Option<Dhcp6Message> {
    let kind = match message.kind {
        MessageKind::Solicit => MessageKind::Advertise,
        _ => MessageKind::Reply,
    };
    let mut reply = answer(kind, ONE, message);
    match message.kind {
        MessageKind::Confirm | MessageKind::Release | MessageKind::Decline => {
            reply.push(option::STATUS_CODE, &status::SUCCESS.to_be_bytes());
        }
        MessageKind::InformationRequest => {}
        _ if message.has(option::IA_NA) => {
            reply.push(option::IA_NA, &association(20, 50, &[leased(5, 80, 100)]));
        }
        _ => {}
    }
    if message.has(option::REQUEST) {
        reply.push(option::DNS_SERVERS, &address(0x53).octets());
        reply.push(option::DOMAINS, b"\x04corp\x07example\x00");
    }
    Some(reply)
}

impl<'a> Network<'a> {
    fn new(world: &'a World) -> Self {
        Self { wire: Wire::with(world, &[]) }
    }

    /// Writes lines to the device.
    fn write(&self, lines: &str) {
        let device = self.wire.host.open("eth0");
        self.wire.host.write(&device, lines).unwrap();
    }

    fn status(&self) -> Dhcp6Status {
        self.wire.host.control::<GetDhcp6>("eth0", &()).unwrap()
    }

    fn state(&self) -> Dhcp6State {
        self.status().state
    }

    /// Sends a message to the client from a server.
    fn send(&mut self, message: &Dhcp6Message) {
        self.send_bytes(&message.to_bytes());
    }

    fn send_bytes(&mut self, bytes: &[u8]) {
        let ends = (at(PEER_LINK, SERVER_PORT), at(HOST_LINK, CLIENT_PORT));
        self.wire.send(&udp(ends.0, ends.1, bytes));
    }

    /// Lets time pass; answers each message with what the servers say.
    fn serve(
        &mut self,
        time: Duration,
        mut says: impl FnMut(&Dhcp6Message) -> Vec<Dhcp6Message>,
    ) -> Vec<Heard> {
        let start = self.wire.world.now();
        let mut all = Vec::new();
        while self.wire.world.now().since(start) < time {
            self.wire.world.run(self.wire.world.sleep(STEP));
            for packet in packets(self.wire.frames()) {
                let Some(message) = client_message(&packet) else { continue };
                let at = self.wire.world.now().since(start).as_millis() as u64;
                says(&message).iter().for_each(|reply| self.send(reply));
                all.push((at, message));
            }
        }
        all
    }

    /// The same with one server.
    fn with(
        &mut self,
        time: Duration,
        says: impl Fn(&Dhcp6Message) -> Option<Dhcp6Message>,
    ) -> Vec<Heard> {
        self.serve(time, |message| says(message).into_iter().collect())
    }

    /// The same without a server.
    fn silent(&mut self, time: Duration) -> Vec<Heard> {
        self.serve(time, |_| Vec::new())
    }

    /// A client that has the lease of the plain server.
    fn bound(world: &'a World) -> Self {
        let mut network = Self::new(world);
        network.write("dhcp6 client stateful");
        network.with(5 * SECOND, plain);
        assert_eq!(network.state(), Dhcp6State::Bound);
        network
    }
}

/// The message in a packet of the client, which is as RFC 8415 §16 asks.
fn client_message(packet: &[u8]) -> Option<Dhcp6Message> {
    let (protocol, datagram) = upper(packet);
    if packet[0] >> 4 != 6 || protocol != 17 || datagram[2..4] != SERVER_PORT.to_be_bytes() {
        return None;
    }
    assert_eq!(datagram[..2], CLIENT_PORT.to_be_bytes());
    assert_eq!(packet[8..24], HOST_LINK.octets());
    assert_eq!(packet[24..40], SERVERS.octets());
    let message = Dhcp6Message::parse(&datagram[8..]).unwrap();
    assert_eq!(message.option(option::ELAPSED_TIME).map(<[u8]>::len), Some(2));
    Some(message)
}

fn kinds(heard: &[Heard]) -> Vec<MessageKind> {
    heard.iter().map(|(_, message)| message.kind).collect()
}

/// The addresses of DHCP on the interface, with the lifetimes that are left.
fn held(network: &Network<'_>) -> Vec<String> {
    use devnet_network::command::ListAddresses;
    use devnet_network::command::address::Origin;
    let all = network.wire.host.control::<ListAddresses>("eth0", &()).unwrap();
    let held = all.iter().filter(|entry| entry.origin == Origin::Dhcp);
    held.map(|entry| {
        let seconds = |one: Option<u32>| one.map_or("-".into(), |one| one.to_string());
        let (preferred, valid) = (seconds(entry.preferred_seconds), seconds(entry.valid_seconds));
        format!("{} {preferred}/{valid} {}", entry.prefix, entry.state)
    })
    .collect()
}

/// The name servers and domains of DHCP.
fn names(network: &Network<'_>) -> Vec<String> {
    use devnet_network::command::address::Origin;
    use devnet_network::command::{GetResolver, ListDnsServers};
    let servers = network.wire.host.control::<ListDnsServers>("eth0", &()).unwrap();
    let servers = servers.iter().filter(|server| server.origin == Origin::Dhcp);
    let mut all: Vec<String> = servers.map(|server| server.address.to_string()).collect();
    let resolver = network.wire.host.control::<GetResolver>("eth0", &()).unwrap();
    let domains = resolver.domains.iter().filter(|domain| domain.origin == Origin::Dhcp);
    all.extend(domains.map(|domain| domain.domain.clone()));
    all
}
