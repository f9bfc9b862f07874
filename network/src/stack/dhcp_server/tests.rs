//! Tests of the server without a stack: messages in, frames out.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::*;
use crate::address::HardwareAddress;
use crate::command::address::{NewAddress, Origin};
use crate::command::dhcp_server::{AddressRange, LeaseState, RawOption};
use crate::dhcp_message::{CLIENT_PORT, MessageKind, option};
use crate::stack::context::tests::ethernet;
use crate::stack::host::HostAddresses;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);
const NEXT: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 16);
const STATION: HardwareAddress = HardwareAddress([2, 0, 0, 0, 0, 9]);

/// A reply with the ends of its frame.
struct Sent {
    hardware: [u8; 6],
    to: Ipv4Addr,
    port: u16,
    message: DhcpMessage,
}

struct System {
    cx: Context,
    ip: Ip,
    server: DhcpServer,
}

fn options() -> DhcpServerOptions {
    DhcpServerOptions {
        ranges: alloc::vec![AddressRange { first: FIRST, last: Ipv4Addr::new(10, 0, 2, 99) }],
        lease_seconds: 3600,
        routers: alloc::vec![SERVER],
        dns_servers: alloc::vec![Ipv4Addr::new(10, 0, 2, 3)],
        domain: Some("lan".into()),
        skip_check: true,
        ..DhcpServerOptions::default()
    }
}

impl System {
    fn new(options: DhcpServerOptions) -> Self {
        let mut cx = ethernet();
        let mut ip = Ip::new(&mut cx, Arc::new(HostAddresses::default()));
        let new = NewAddress { prefix: "10.0.2.2/24".parse().unwrap(), broadcast: None };
        ip.add_address(&mut cx, &new, Origin::Static).unwrap();
        ip.link.output.clear();
        let mut server = DhcpServer::default();
        assert_eq!(server.start(&mut cx, &ip, options), Ok(true));
        Self { cx, ip, server }
    }

    fn sent(&mut self) -> Vec<Sent> {
        let frames = self.ip.link.output.drain(..);
        let sent = frames.filter_map(|frame| {
            let bytes = frame.bytes();
            let message = DhcpMessage::parse(bytes.get(42..)?).ok()?;
            Some(Sent {
                hardware: bytes[..6].try_into().unwrap(),
                to: Ipv4Addr::from_octets(bytes[30..34].try_into().unwrap()),
                port: u16::from_be_bytes(bytes[36..38].try_into().unwrap()),
                message,
            })
        });
        sent.collect()
    }

    fn tell(&mut self, message: &DhcpMessage) -> Option<Sent> {
        self.server.receive(&mut self.cx, &mut self.ip, &message.to_bytes());
        self.sent().pop()
    }

    fn kind(&mut self, message: &DhcpMessage) -> Option<MessageKind> {
        self.tell(message).map(|sent| sent.message.kind)
    }

    /// Lets the station have its first lease.
    fn leased(&mut self) {
        self.tell(&message(MessageKind::Discover, &[])).unwrap();
        let request = message(MessageKind::Request, &SELECTING);
        assert_eq!(self.kind(&request), Some(MessageKind::Acknowledge));
    }

    fn pass(&mut self, time: Duration) {
        self.cx.now = self.cx.now.after(time);
        while let Some((deadline, timer)) = self.cx.timers.due(self.cx.now) {
            if timer == Timer::DhcpServer {
                self.server.expire(&mut self.cx, &mut self.ip, deadline);
            }
        }
    }

    fn arp(&mut self, sender: Ipv4Addr, hardware: HardwareAddress) {
        let message = ArpMessage::reply(sender, hardware);
        self.server.receive_arp(&mut self.cx, &mut self.ip, &message);
    }
}

const SELECTING: [(u8, Ipv4Addr); 2] =
    [(option::REQUESTED_ADDRESS, FIRST), (option::SERVER_IDENTIFIER, SERVER)];

fn message(kind: MessageKind, options: &[(u8, Ipv4Addr)]) -> DhcpMessage {
    let mut message = DhcpMessage::new(kind, 9, STATION);
    for (code, address) in options {
        message.push(*code, &address.octets());
    }
    message
}

fn of(last: u8, message: &DhcpMessage) -> DhcpMessage {
    let hardware_address = HardwareAddress([2, 0, 0, 0, 0, last]);
    DhcpMessage { hardware_address, ..message.clone() }
}

#[test]
fn ds_04_offer_and_acknowledgement_agree() {
    let mut system = System::new(options());
    let offer = system.tell(&message(MessageKind::Discover, &[])).unwrap().message;
    assert_eq!((offer.kind, offer.your_address, offer.transaction), (MessageKind::Offer, FIRST, 9));
    assert_eq!(offer.seconds_option(option::LEASE_TIME), Some(3600));
    assert_eq!(offer.address_option(option::ROUTER), Some(SERVER));
    let request = message(MessageKind::Request, &SELECTING);
    let acknowledgement = system.tell(&request).unwrap().message;
    assert_eq!(acknowledgement.kind, MessageKind::Acknowledge);
    assert_eq!(acknowledgement.your_address, FIRST);
    assert_eq!(acknowledgement.options, offer.options);
}

#[test]
fn ds_05_requests_are_understood_in_every_state() {
    let mut system = System::new(options());
    system.leased();
    // Renewing, with and without our identifier; rebooting.
    for options in [&[][..], &[(option::SERVER_IDENTIFIER, SERVER)]] {
        let mut renewal = message(MessageKind::Request, options);
        renewal.client_address = FIRST;
        system.ip.link.neighbors.learn(IpAddr::V4(FIRST), STATION, true, system.cx.now);
        let reply = system.tell(&renewal).unwrap();
        let ends = (reply.to, reply.port, reply.message.client_address);
        assert_eq!(ends, (FIRST, CLIENT_PORT, FIRST));
        assert_eq!(reply.message.kind, MessageKind::Acknowledge);
    }
    let reboot = message(MessageKind::Request, &[(option::REQUESTED_ADDRESS, FIRST)]);
    assert_eq!(system.kind(&reboot), Some(MessageKind::Acknowledge));
    // A client that chose another server gets no reply, nor does a request without an address.
    let other = [(option::REQUESTED_ADDRESS, FIRST), (option::SERVER_IDENTIFIER, FIRST)];
    assert_eq!(system.kind(&message(MessageKind::Request, &other)), None);
    assert_eq!(system.kind(&message(MessageKind::Request, &[])), None);
}

#[test]
fn ds_06_answers_go_where_the_client_hears_them() {
    let mut system = System::new(options());
    let mut discover = message(MessageKind::Discover, &[]);
    let offer = system.tell(&discover).unwrap();
    assert_eq!((offer.hardware, offer.to, offer.port), (STATION.0, FIRST, CLIENT_PORT));
    discover.broadcast = true;
    let offer = system.tell(&discover).unwrap();
    assert!(offer.message.broadcast);
    assert_eq!((offer.hardware, offer.to), ([0xff; 6], Ipv4Addr::BROADCAST));
    // A relay agent is not served, and counted.
    discover.relay_address = Ipv4Addr::new(10, 0, 9, 1);
    assert_eq!(system.kind(&discover), None);
    assert_eq!(system.server.status().statistics.relayed, 1);
}

#[test]
fn ds_07_an_unknown_lease_is_refused_to_everybody() {
    let mut system = System::new(options());
    let mut renewal = message(MessageKind::Request, &[]);
    renewal.client_address = FIRST;
    let reply = system.tell(&renewal).unwrap();
    assert_eq!(
        (reply.message.kind, reply.message.your_address, reply.to),
        (MessageKind::Refuse, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST)
    );
}

#[test]
fn clients_of_other_servers_hear_nothing() {
    let mut system = System::new(options());
    system.leased();
    let other = of(2, &message(MessageKind::Request, &[]));
    // Beside the range on the same network, and on another network.
    for address in [Ipv4Addr::new(10, 0, 2, 200), Ipv4Addr::new(192, 168, 1, 5)] {
        let mut rebooting = other.clone();
        rebooting.push(option::REQUESTED_ADDRESS, &address.octets());
        assert_eq!(system.kind(&rebooting), None, "INIT-REBOOT with {address}");
        let rebinding = DhcpMessage { client_address: address, ..other.clone() };
        assert_eq!(system.kind(&rebinding), None, "REBINDING with {address}");
        // Who asks this server gets its answer.
        rebooting.push(option::SERVER_IDENTIFIER, &SERVER.octets());
        assert_eq!(system.kind(&rebooting), Some(MessageKind::Refuse));
    }
    // About an address of its range it knows better: another client has it.
    let rebinding = DhcpMessage { client_address: FIRST, ..other };
    assert_eq!(system.kind(&rebinding), Some(MessageKind::Refuse));
}

#[test]
fn an_authoritative_server_refuses_wrong_networks_and_adopts_its_clients() {
    let mut system = System::new(DhcpServerOptions { authoritative: true, ..options() });
    let reboot =
        |address: Ipv4Addr| message(MessageKind::Request, &[(option::REQUESTED_ADDRESS, address)]);
    let wrong = reboot(Ipv4Addr::new(192, 168, 1, 5));
    assert_eq!(system.kind(&wrong), Some(MessageKind::Refuse));
    // The leases of before its start are lost: their clients keep them, as far as they are free.
    assert_eq!(system.kind(&reboot(NEXT)), Some(MessageKind::Acknowledge));
    assert_eq!(system.kind(&of(3, &reboot(NEXT))), Some(MessageKind::Refuse));
    assert_eq!(system.kind(&of(3, &reboot(SERVER))), Some(MessageKind::Refuse));
}

#[test]
fn declines_releases_and_questions_are_heard() {
    let mut system = System::new(options());
    system.leased();
    let decline = message(MessageKind::Decline, &[(option::REQUESTED_ADDRESS, FIRST)]);
    assert_eq!(system.kind(&decline), None);
    let offer = system.tell(&message(MessageKind::Discover, &[])).unwrap();
    assert_eq!(offer.message.your_address, NEXT);
    let mut release = message(MessageKind::Release, &[]);
    release.client_address = FIRST;
    assert_eq!(system.kind(&release), None);
    let mut inform = message(MessageKind::Inform, &[]);
    inform.client_address = Ipv4Addr::new(10, 0, 2, 200);
    let own = HardwareAddress([2, 0, 0, 0, 0, 7]);
    system.ip.link.neighbors.learn(IpAddr::V4(inform.client_address), own, true, system.cx.now);
    let reply = system.tell(&inform).unwrap().message;
    assert_eq!(
        (reply.kind, reply.your_address, reply.seconds_option(option::LEASE_TIME)),
        (MessageKind::Acknowledge, Ipv4Addr::UNSPECIFIED, None)
    );
    assert_eq!(reply.address_option(option::ROUTER), Some(SERVER));
    assert_eq!(system.kind(&message(MessageKind::Offer, &[])), None);
    let statistics = system.server.status().statistics;
    assert_eq!((statistics.declines, statistics.releases, statistics.informs), (1, 1, 1));
    assert_eq!((statistics.discovers, statistics.offers, statistics.acknowledgements), (2, 2, 2));
}

#[test]
fn an_address_in_use_is_not_offered() {
    let mut system = System::new(DhcpServerOptions { skip_check: false, ..options() });
    let discover = message(MessageKind::Discover, &[]);
    assert_eq!(system.kind(&discover), None, "it is checked first");
    // The client itself may have the address; another host may not.
    system.arp(FIRST, STATION);
    system.pass(Duration::from_millis(499));
    assert!(system.sent().is_empty());
    system.arp(FIRST, HardwareAddress([2, 0, 0, 0, 0, 7]));
    system.pass(Duration::from_millis(499));
    assert!(system.sent().is_empty(), "the next one is checked as long");
    system.pass(Duration::from_millis(1));
    let [offer] = &system.sent()[..] else { panic!("one offer") };
    assert_eq!(offer.message.your_address, NEXT);
    let list = system.server.list(&system.cx);
    assert_eq!((list[0].address, list[0].state), (FIRST, LeaseState::InUse));
    assert_eq!(system.server.status().statistics.conflicts, 1);
    // What was checked is not checked again soon.
    assert_eq!(system.kind(&discover), Some(MessageKind::Offer));
}

#[test]
fn checks_are_bounded_and_a_retransmission_makes_none() {
    let mut system = System::new(DhcpServerOptions { skip_check: false, ..options() });
    for _ in 0..3 {
        system.tell(&message(MessageKind::Discover, &[]));
    }
    assert_eq!(system.server.running.as_ref().unwrap().checks.len(), 1);
    for last in 20..200 {
        system.tell(&of(last, &message(MessageKind::Discover, &[])));
    }
    let running = system.server.running.as_ref().unwrap();
    assert!(running.checks.len() <= limits::DHCP_CHECKS);
    assert!(running.statistics.exhausted > 0);
    system.pass(Duration::from_secs(1));
    assert!(system.server.running.as_ref().unwrap().checks.is_empty());
}

#[test]
fn a_client_gets_what_it_asks_for_in_its_order_as_far_as_it_fits() {
    let raw = |code, length| RawOption { code, value: alloc::vec![code; length] };
    let mut system = System::new(DhcpServerOptions {
        options: alloc::vec![raw(42, 4), raw(66, 255), raw(67, 100), raw(121, 200)],
        ..options()
    });
    let codes = |system: &mut System, list: &[u8], size: Option<u16>| {
        let mut discover = message(MessageKind::Discover, &[]);
        discover.push(option::CLIENT_IDENTIFIER, &[1, 2, 3]);
        discover.push(option::PARAMETER_LIST, list);
        size.iter().for_each(|size| discover.push(option::MAXIMUM_SIZE, &size.to_be_bytes()));
        let offer = system.tell(&discover).unwrap().message;
        assert!(offer.to_bytes().len() <= usize::from(size.unwrap_or(576).max(576)) - 28);
        assert_eq!(offer.option(option::CLIENT_IDENTIFIER), Some(&[1, 2, 3][..]));
        let fixed = [54, 61, 51, 58, 59];
        let codes = offer.options.iter().map(|(code, _)| *code);
        codes.filter(|code| !fixed.contains(code)).collect::<Vec<_>>()
    };
    assert_eq!(codes(&mut system, &[42, 3, 99], None), [1, 42, 3]);
    assert_eq!(codes(&mut system, &[66, 67, 42, 121], None), [1, 66, 42], "576 bytes");
    assert_eq!(codes(&mut system, &[66, 67, 42, 121], Some(1500)), [1, 66, 67, 42, 121]);
    assert_eq!(codes(&mut system, &[66, 67, 42], Some(1)), [1, 66, 42], "at least 576");
}

#[test]
fn impossible_settings_are_refused() {
    let mut system = System::new(options());
    let mut outcome = |options| system.server.start(&mut system.cx, &system.ip, options);
    let range = |first: &str, last: &str| {
        let (first, last) = (first.parse().unwrap(), last.parse().unwrap());
        DhcpServerOptions { ranges: alloc::vec![AddressRange { first, last }], ..options() }
    };
    let raw = |code, length| RawOption { code, value: alloc::vec![0; length] };
    let with = |list: Vec<RawOption>| DhcpServerOptions { options: list, ..options() };
    assert_eq!(outcome(options()), Ok(false));
    for (wrong, error) in [
        (DhcpServerOptions { ranges: Vec::new(), ..options() }, Error::InvalidInput),
        (DhcpServerOptions { lease_seconds: 0, ..options() }, Error::InvalidInput),
        (DhcpServerOptions { domain: Some("a b".into()), ..options() }, Error::InvalidInput),
        (range("10.0.2.9", "10.0.2.8"), Error::InvalidInput),
        (range("10.0.2.255", "10.0.2.255"), Error::InvalidInput),
        (range("10.0.1.9", "10.0.2.8"), Error::AddressNotAvailable),
        (range("10.0.3.1", "10.0.3.9"), Error::AddressNotAvailable),
        (with(alloc::vec![raw(51, 4)]), Error::InvalidInput),
        (with(alloc::vec![raw(3, 4)]), Error::InvalidInput),
        (with(alloc::vec![raw(42, 0)]), Error::InvalidInput),
        (with(alloc::vec![raw(42, 4), raw(42, 4)]), Error::InvalidInput),
        (with(alloc::vec![raw(66, limits::DHCP_OPTION_BYTES)]), Error::MessageTooLong),
        (
            DhcpServerOptions {
                ranges: options().ranges.repeat(limits::DHCP_RANGES + 1),
                ..options()
            },
            Error::NoBufferSpace,
        ),
    ] {
        assert_eq!(outcome(wrong.clone()), Err(error), "{wrong:?}");
    }
    assert_eq!(system.server.status().options, options(), "nothing changed");
}

#[test]
fn without_its_address_the_server_is_silent() {
    let mut system = System::new(options());
    system.ip.remove_address(&mut system.cx, "10.0.2.2/24".parse().unwrap()).unwrap();
    assert_eq!(system.kind(&message(MessageKind::Discover, &[])), None);
}

#[test]
fn no_truncation_panics() {
    let mut system = System::new(options());
    let bytes = message(MessageKind::Request, &SELECTING).to_bytes();
    for length in 0..bytes.len() {
        system.server.receive(&mut system.cx, &mut system.ip, &bytes[..length]);
    }
}
