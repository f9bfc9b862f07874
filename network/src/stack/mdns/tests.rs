//! Tests of multicast DNS without a stack: messages in, packets out.

use alloc::sync::Arc;
use core::net::Ipv4Addr;
use core::time::Duration;

use super::*;
use crate::command::address::{NewAddress, Origin};
use crate::command::record::ResourceData;
use crate::dns_message::multicast::MulticastQuestion;
use crate::stack::context::tests::ethernet;
use crate::stack::host::HostAddresses;
use crate::stack::link::Arrival;
use crate::stack::timers::Timer;
use crate::stack::wire::header::{Header, protocol};

const OTHER: &str = "10.0.0.9:5353";
const INSTANCE: &str = "My\\032page._http._tcp.local";

/// A message that left, and where to.
#[derive(Debug)]
struct Sent {
    at: Duration,
    to: SocketAddr,
    message: MulticastMessage,
}

struct System {
    cx: Context,
    ip: Ip,
    mdns: MulticastDns,
    begin: Instant,
}

impl System {
    fn new() -> Self {
        let mut cx = ethernet();
        let mut ip = Ip::new(&mut cx, Arc::new(HostAddresses::default()));
        let new = NewAddress { prefix: "10.0.0.2/24".parse().unwrap(), broadcast: None };
        ip.add_address(&mut cx, &new, Origin::Static).unwrap();
        ip.link.output.clear();
        let begin = cx.now;
        let mut system = Self { cx, ip, mdns: MulticastDns::default(), begin };
        system.mdns.follow(&mut system.cx, &mut system.ip);
        system
    }

    /// One whose names are its own already.
    fn announced() -> Self {
        let mut system = Self::new();
        system.publish("My page", 80);
        system.set(MulticastDnsOption::Mode(MulticastDnsMode::On));
        system.pass(5000);
        system.sent();
        system
    }

    fn set(&mut self, option: MulticastDnsOption) {
        assert_eq!(self.mdns.set(&mut self.cx, &mut self.ip, &option), Ok(true));
        self.mdns.follow(&mut self.cx, &mut self.ip);
    }

    fn publish(&mut self, instance: &str, port: u16) {
        let service = LocalService {
            instance: instance.into(),
            service_type: "_http._tcp".into(),
            port,
            text: alloc::vec![b"path=/".to_vec()],
        };
        let change = ServiceChange::Publish(service);
        let changed = self.mdns.change_services(&mut self.cx, &mut self.ip, &change);
        assert_eq!(changed, Ok(true));
    }

    /// Lets milliseconds pass, with every deadline at its time.
    fn pass(&mut self, milliseconds: u64) -> Vec<Sent> {
        let end = self.cx.now.after(Duration::from_millis(milliseconds));
        let mut sent = self.sent();
        while let Some((deadline, timer)) = self.cx.timers.due(end) {
            self.cx.now = deadline.max(self.cx.now);
            if timer == Timer::MulticastDns {
                self.mdns.expire(&mut self.cx, &mut self.ip, deadline);
            }
            sent.extend(self.sent());
        }
        self.cx.now = end;
        sent
    }

    fn sent(&mut self) -> Vec<Sent> {
        let at = self.cx.now.since(self.begin);
        let frames = self.ip.link.output.drain(..);
        let sent = frames.filter_map(|frame| {
            let packet = frame.bytes().get(14..)?;
            let is_udp = packet.get(9) == Some(&protocol::UDP);
            let message = MulticastMessage::parse(packet.get(28..)?).filter(|_| is_udp)?;
            assert_eq!((packet[8], &packet[20..22]), (255, &MULTICAST_PORT.to_be_bytes()[..]));
            let to = Ipv4Addr::from_octets(packet[16..20].try_into().unwrap());
            let port = u16::from_be_bytes(packet[22..24].try_into().unwrap());
            Some(Sent { at, to: SocketAddr::new(to.into(), port), message })
        });
        sent.collect()
    }

    /// A message of another host; `to_us` for one that is not to the group.
    fn tell(&mut self, from: &str, to_us: bool, message: &MulticastMessage) {
        let source: SocketAddr = from.parse().unwrap();
        let [group, _] = send::GROUPS;
        let (bytes, _) = message.write(9000);
        let mut frame = self.cx.pool.take(8 + bytes.len());
        let port = source.port().to_be_bytes();
        frame.bytes_mut()[..2].copy_from_slice(&port);
        frame.bytes_mut()[8..].copy_from_slice(&bytes);
        let header = Header {
            source: source.ip(),
            destination: if to_us { "10.0.0.2".parse().unwrap() } else { group },
            protocol: protocol::UDP,
            length: 0,
            hop_limit: 255,
            traffic_class: 0,
            fragment: None,
        };
        let delivery = if to_us { Delivery::Unicast } else { Delivery::Multicast };
        let packet = Packet { frame, header, delivery, arrival: Arrival::from_wire(!to_us) };
        self.mdns.receive(&mut self.cx, &mut self.ip, &packet);
    }

    fn host(&self) -> (String, ClaimState) {
        let status = self.mdns.status("eth0");
        (status.name, status.state)
    }
}

fn query(name: &str, kind: RecordType) -> MulticastMessage {
    let question = MulticastQuestion { name: name.into(), kind, is_unicast: false };
    MulticastMessage { questions: alloc::vec![question], ..MulticastMessage::default() }
}

fn address(name: &str, octets: [u8; 4]) -> MulticastRecord {
    let record = ResourceRecord {
        name: name.into(),
        record_type: RecordType::A,
        time_to_live: 120,
        data: ResourceData::Address(octets.into()),
    };
    MulticastRecord { record, is_flush: true }
}

fn response(answers: Vec<MulticastRecord>) -> MulticastMessage {
    MulticastMessage { is_response: true, answers, ..MulticastMessage::default() }
}

/// Records as text: the name, the type, whether it is alone, the time to live and the data.
fn shown(records: &[MulticastRecord]) -> Vec<String> {
    let one = |MulticastRecord { record, is_flush }: &MulticastRecord| {
        let ResourceRecord { name, record_type, time_to_live, data } = record;
        let mark = if *is_flush { "!" } else { "" };
        let data = if *record_type == NSEC { String::new() } else { data.to_string() };
        alloc::format!("{name} {record_type}{mark} {time_to_live} {data}")
    };
    records.iter().map(one).collect()
}

#[test]
fn names_are_probed_announced_and_answered() {
    let mut system = System::new();
    system.publish("My page", 80);
    assert_eq!(system.host(), ("devnet".into(), ClaimState::Waiting));
    system.set(MulticastDnsOption::Mode(MulticastDnsMode::On));
    let sent = system.pass(740);
    let probes: Vec<_> = sent.iter().filter(|sent| !sent.message.is_response).collect();
    assert!(probes.len() >= 3 && system.host().1 == ClaimState::Probing, "{sent:?}");
    let names = |sent: &Sent| -> Vec<String> {
        sent.message.questions.iter().map(|one| one.name.clone()).collect()
    };
    let probed: Vec<String> = probes.iter().flat_map(|sent| names(sent)).collect();
    for name in ["devnet.local", INSTANCE] {
        assert_eq!(probed.iter().filter(|known| *known == name).count(), 3, "{name}");
    }
    let all: Vec<_> = probes.iter().flat_map(|sent| shown(&sent.message.authority)).collect();
    assert!(all.contains(&"devnet.local A 120 10.0.0.2".into()), "{all:?}");
    assert!(probes.iter().all(|sent| sent.message.questions[0].is_unicast));
    // A question about what is not ours yet is not answered.
    system.tell(OTHER, false, &query("devnet.local", RecordType::A));
    assert_eq!(system.sent().len(), 0);
    let announced = system.pass(3000);
    assert_eq!(system.host().1, ClaimState::Announced);
    let answers: Vec<_> = announced.iter().flat_map(|sent| shown(&sent.message.answers)).collect();
    for record in [
        "devnet.local A! 120 10.0.0.2",
        "2.0.0.10.in-addr.arpa PTR! 120 devnet.local.",
        "_http._tcp.local PTR 4500 My\\032page._http._tcp.local.",
        "My\\032page._http._tcp.local SRV! 120 0 0 80 devnet.local.",
        "My\\032page._http._tcp.local TXT! 4500 \"path=/\"",
    ] {
        let count = answers.iter().filter(|known| *known == record).count();
        assert!(count >= 2, "{record}: {count}");
    }
    assert_eq!(system.pass(60_000).len(), 0);
}

#[test]
fn answers_come_at_their_time_with_what_is_asked_next() {
    let mut system = System::announced();
    // What only one host can answer is answered at once.
    system.tell(OTHER, false, &query("DEVNET.local", RecordType::A));
    let sent = system.sent();
    assert_eq!(shown(&sent[0].message.answers), ["devnet.local A! 120 10.0.0.2"]);
    assert_eq!(shown(&sent[0].message.additional), ["devnet.local NSEC! 120 "]);
    assert_eq!(sent[0].to, "224.0.0.251:5353".parse().unwrap());
    // That there is no such record is an answer.
    system.pass(1500);
    system.tell(OTHER, false, &query("devnet.local", RecordType::AAAA));
    assert_eq!(shown(&system.sent()[0].message.answers), ["devnet.local NSEC! 120 "]);
    // Others may answer, too: not at once.
    system.pass(1500);
    let begin = system.cx.now.since(system.begin);
    system.tell(OTHER, false, &query("_http._tcp.local", RecordType::PTR));
    assert_eq!(system.sent().len(), 0);
    let sent = system.pass(200);
    let delay = sent[0].at - begin;
    assert!((20..=120).contains(&delay.as_millis()), "{delay:?}");
    assert_eq!(sent.len(), 1);
    let mut additional = shown(&sent[0].message.additional);
    additional.sort();
    assert_eq!(
        additional,
        [
            "My\\032page._http._tcp.local SRV! 120 0 0 80 devnet.local.",
            "My\\032page._http._tcp.local TXT! 4500 \"path=/\"",
            "devnet.local A! 120 10.0.0.2",
            "devnet.local NSEC! 120 ",
        ]
    );
    system.pass(1500);
    system.tell(OTHER, false, &query("_services._dns-sd._udp.local", RecordType::PTR));
    let sent = system.pass(200);
    let types = ["_services._dns-sd._udp.local PTR 4500 _http._tcp.local."];
    assert_eq!(shown(&sent[0].message.answers), types);
    system.tell(OTHER, false, &query("2.0.0.10.in-addr.arpa", RecordType::PTR));
    let sent = system.sent();
    let reverse = ["2.0.0.10.in-addr.arpa PTR! 120 devnet.local."];
    assert_eq!(shown(&sent[0].message.answers), reverse);
    // Nothing else is answered.
    system.tell(OTHER, false, &query("other.local", RecordType::A));
    assert_eq!(system.pass(2000).len(), 0);
}

#[test]
fn known_answers_are_not_repeated() {
    let mut system = System::announced();
    let mut known = query("devnet.local", RecordType::A);
    known.answers = alloc::vec![address("Devnet.local", [10, 0, 0, 2])];
    known.answers[0].record.time_to_live = 60;
    system.tell(OTHER, false, &known);
    assert_eq!(system.pass(2000).len(), 0);
    known.answers[0].record.time_to_live = 59;
    system.tell(OTHER, false, &known);
    assert_eq!(system.pass(2000).len(), 1);
    // More known answers follow: the answer waits for them.
    let mut first = query("_http._tcp.local", RecordType::PTR);
    first.is_truncated = true;
    let pointer = || {
        let owned = system.mdns.running.as_ref().unwrap().owned.iter();
        owned.map(|owned| owned.record.clone()).find(|known| !known.is_flush).unwrap()
    };
    let rest = MulticastMessage { answers: alloc::vec![pointer()], ..MulticastMessage::default() };
    system.tell(OTHER, false, &first);
    assert_eq!(system.pass(399).len(), 0);
    system.tell(OTHER, false, &rest);
    assert_eq!(system.pass(2000).len(), 0);
    // They come in any number of messages.
    let mut more = MulticastMessage { is_truncated: true, ..MulticastMessage::default() };
    more.answers = alloc::vec![address("devnet.local", [10, 0, 0, 2])];
    system.tell(OTHER, false, &first);
    for _ in 0..3 {
        assert_eq!(system.pass(399).len(), 0);
        system.tell(OTHER, false, &more);
    }
    assert_eq!(system.pass(399).len(), 0);
    system.tell(OTHER, false, &rest);
    assert_eq!(system.pass(2000).len(), 0);
    system.tell(OTHER, false, &first);
    // Those of another host do not count.
    system.tell("10.0.0.8:5353", false, &rest);
    let sent = system.pass(600);
    assert_eq!(sent.len(), 1);
    // Another host has said it meanwhile.
    system.pass(2000);
    system.tell(OTHER, false, &query("_http._tcp.local", RecordType::PTR));
    system.tell("10.0.0.8:5353", false, &response(rest.answers));
    assert_eq!(system.pass(2000).len(), 0);
}

#[test]
fn what_another_host_asks_is_not_asked_again() {
    let mut system = System::new();
    system.set(MulticastDnsOption::Mode(MulticastDnsMode::Resolve));
    let ask = |system: &mut System, name: &str| {
        system.mdns.ask(&mut system.cx, &mut system.ip, name, RecordType::A).unwrap();
    };
    let times = |sent: Vec<Sent>, begin: Duration| -> Vec<u128> {
        sent.iter().map(|sent| (sent.at - begin).as_millis()).collect()
    };
    ask(&mut system, "a.local");
    let begin = system.cx.now.since(system.begin);
    assert_eq!(times(system.pass(900), begin), [0]);
    // It stands for ours at 1,000 ms; the next is due twice as long after it.
    system.tell(OTHER, false, &query("A.local", RecordType::A));
    assert_eq!(times(system.pass(1900), begin), [0; 0]);
    // But not twice in succession.
    system.tell(OTHER, false, &query("a.local", RecordType::A));
    assert_eq!(times(system.pass(200), begin), [2900]);
    // The next is due at 6,900 ms. What stands for no question of ours:
    system.pass(3500);
    let mut other = query("a.local", RecordType::A);
    other.questions[0].is_unicast = true;
    system.tell(OTHER, false, &other);
    other = query("a.local", RecordType::A);
    other.answers = alloc::vec![address("a.local", [10, 0, 0, 9])];
    system.tell(OTHER, false, &other);
    other.is_truncated = true;
    system.tell(OTHER, false, &other);
    system.tell("10.0.0.9:40000", false, &query("a.local", RecordType::A));
    system.tell("192.0.2.9:5353", false, &query("a.local", RecordType::A));
    system.tell(OTHER, true, &query("a.local", RecordType::A));
    system.tell(OTHER, false, &query("a.local", RecordType::AAAA));
    assert_eq!(times(system.pass(500), begin), [6900]);
    // The answers that it knows are known to us.
    system.pass(7000);
    other.is_truncated = false;
    system.tell(OTHER, false, &response(other.answers.clone()));
    system.tell(OTHER, false, &other);
    assert_eq!(times(system.pass(5000), begin), [0; 0]);
}

#[test]
fn records_are_told_to_the_group_once_in_a_second() {
    let mut system = System::announced();
    let begin = system.cx.now.since(system.begin);
    for _ in 0..20 {
        system.tell(OTHER, false, &query("devnet.local", RecordType::A));
    }
    let sent: Vec<_> = system.pass(5000).iter().map(|sent| sent.at - begin).collect();
    assert_eq!(sent, [Duration::ZERO, Duration::from_secs(1)]);
    // A probe must hear in time that the name is taken.
    system.tell(OTHER, false, &query("devnet.local", RecordType::A));
    let mut probe = query("devnet.local", RecordType::ANY);
    probe.authority = alloc::vec![address("devnet.local", [10, 0, 0, 9])];
    let begin = system.cx.now.since(system.begin);
    system.tell(OTHER, false, &probe);
    let sent: Vec<_> = system.pass(900).iter().map(|sent| sent.at - begin).collect();
    assert_eq!(sent, [Duration::ZERO, Duration::from_millis(250)]);
}

#[test]
fn who_asks_for_it_is_answered_alone() {
    let mut system = System::announced();
    let mut direct = query("devnet.local", RecordType::A);
    direct.questions[0].is_unicast = true;
    system.tell(OTHER, false, &direct);
    let sent = system.pass(0);
    assert_eq!(sent.len(), 0, "its hardware address is not known yet");
    assert!(system.ip.link.neighbors.len() > 0);
    // The group was not told for a quarter of the time: all are.
    system.pass(31_000);
    system.tell(OTHER, false, &direct);
    assert_eq!(system.sent()[0].to, "224.0.0.251:5353".parse().unwrap());
    // So is a host that is not of the link.
    system.pass(2000);
    system.tell("192.0.2.9:5353", false, &direct);
    assert_eq!(system.sent()[0].to, "224.0.0.251:5353".parse().unwrap());
}

#[test]
fn dns_09_hosts_that_are_not_of_the_link_get_no_answer_and_are_not_believed() {
    let mut system = System::announced();
    system.tell("192.0.2.9:5353", true, &query("devnet.local", RecordType::A));
    system.tell("192.0.2.9:40000", false, &query("devnet.local", RecordType::A));
    system.tell("192.0.2.9:40000", true, &query("devnet.local", RecordType::A));
    assert_eq!(system.pass(2000).len(), 0);
    let number = system.mdns.ask(&mut system.cx, &mut system.ip, "a.local", RecordType::A).unwrap();
    let answer = response(alloc::vec![address("a.local", [10, 0, 0, 9])]);
    let known = |system: &System| system.mdns.find("a.local", RecordType::A, system.cx.now).len();
    system.tell("192.0.2.9:5353", true, &answer);
    system.tell("10.0.0.9:40000", false, &answer);
    assert_eq!(known(&system), 0);
    system.tell(OTHER, true, &answer);
    assert_eq!(known(&system), 1);
    assert!(system.mdns.forget(number).is_some());
    // Nor do we believe ourselves.
    system.tell("10.0.0.2:5353", false, &response(alloc::vec![address("devnet.local", [9; 4])]));
    assert_eq!(system.host().1, ClaimState::Announced);
}

#[test]
fn a_name_that_another_host_has_gets_a_number() {
    let mut system = System::new();
    system.set(MulticastDnsOption::HostName("printer".into()));
    system.set(MulticastDnsOption::Mode(MulticastDnsMode::On));
    system.pass(300);
    // Theirs goes away.
    let mut gone = response(alloc::vec![address("printer.local", [10, 0, 0, 9])]);
    gone.answers[0].record.time_to_live = 0;
    system.tell(OTHER, false, &gone);
    assert_eq!(system.host().0, "printer");
    system.tell(OTHER, false, &response(alloc::vec![address("Printer.local", [10, 0, 0, 9])]));
    assert_eq!(system.host(), ("printer-2".into(), ClaimState::Probing));
    system.pass(5000);
    assert_eq!(system.host(), ("printer-2".into(), ClaimState::Announced));
    // Somebody who says the same is no other host.
    let same = response(alloc::vec![address("printer-2.local", [10, 0, 0, 2])]);
    system.tell(OTHER, false, &same);
    assert_eq!(system.host().1, ClaimState::Announced);
    // What was ours is asked for again: if the other one insists, it is theirs.
    let other = response(alloc::vec![address("printer-2.local", [10, 0, 0, 9])]);
    system.tell(OTHER, false, &other);
    assert_eq!(system.host(), ("printer-2".into(), ClaimState::Probing));
    system.tell(OTHER, false, &other);
    assert_eq!(system.host(), ("printer-3".into(), ClaimState::Probing));
    let sent = system.pass(5000);
    let announced: Vec<_> = sent.iter().flat_map(|sent| shown(&sent.message.answers)).collect();
    assert!(announced.contains(&"printer-3.local A! 120 10.0.0.2".into()), "{announced:?}");
    assert!(announced.contains(&"2.0.0.10.in-addr.arpa PTR 0 printer-2.local.".into()));
}

#[test]
fn of_two_hosts_that_probe_at_once_one_goes_on() {
    for (octets, is_first) in [([10, 0, 0, 1], true), ([10, 0, 0, 3], false)] {
        let mut system = System::new();
        system.set(MulticastDnsOption::Mode(MulticastDnsMode::On));
        system.pass(300);
        let mut probe = query("devnet.local", RecordType::ANY);
        probe.authority = alloc::vec![address("devnet.local", octets)];
        system.tell(OTHER, false, &probe);
        let probes = system.pass(600);
        assert_eq!(!probes.is_empty(), is_first, "{octets:?}");
        // Who did not win asks again and hears that the name is taken, or not.
        system.pass(3000);
        assert_eq!(system.host(), ("devnet".into(), ClaimState::Announced));
    }
}

#[test]
fn what_goes_is_taken_leave_of() {
    let mut system = System::announced();
    let withdraw =
        ServiceChange::Withdraw { instance: "My page".into(), service_type: "_http._tcp".into() };
    let System { cx, ip, mdns, .. } = &mut system;
    assert_eq!(mdns.change_services(cx, ip, &withdraw), Ok(true));
    assert_eq!(mdns.change_services(cx, ip, &withdraw), Err(Error::NotFound));
    let sent = system.sent();
    let goodbyes = shown(&sent[0].message.answers);
    let pointer = "_http._tcp.local PTR 0 My\\032page._http._tcp.local.";
    assert!(goodbyes.contains(&pointer.into()), "{goodbyes:?}");
    assert!(!goodbyes.iter().any(|known| known.starts_with("devnet")), "{goodbyes:?}");
    // The link goes.
    system.mdns.depart(&mut system.cx, &mut system.ip);
    let sent = system.sent();
    assert!(shown(&sent[0].message.answers).contains(&"devnet.local A 0 10.0.0.2".into()));
    assert_eq!(system.host().1, ClaimState::Waiting);
    // It comes again: all from the start.
    system.mdns.follow(&mut system.cx, &mut system.ip);
    assert_eq!(system.host().1, ClaimState::Probing);
    system.pass(4000);
    system.set(MulticastDnsOption::Mode(MulticastDnsMode::Off));
    let sent = system.sent();
    assert!(shown(&sent[0].message.answers).contains(&"devnet.local A 0 10.0.0.2".into()));
    system.tell(OTHER, false, &query("devnet.local", RecordType::A));
    assert_eq!(system.pass(5000).len(), 0);
}

#[test]
fn a_new_address_is_announced_and_a_former_taken_leave_of() {
    let mut system = System::announced();
    let new = NewAddress { prefix: "10.0.0.7/24".parse().unwrap(), broadcast: None };
    system.ip.add_address(&mut system.cx, &new, Origin::Static).unwrap();
    system.ip.remove_address(&mut system.cx, "10.0.0.2/24".parse().unwrap()).unwrap();
    assert!(system.mdns.is_outdated(&system.cx, &system.ip));
    system.mdns.follow(&mut system.cx, &mut system.ip);
    assert!(!system.mdns.is_outdated(&system.cx, &system.ip));
    let sent: Vec<_> = system.sent().iter().flat_map(|sent| shown(&sent.message.answers)).collect();
    assert!(sent.contains(&"devnet.local A! 120 10.0.0.7".into()), "{sent:?}");
    assert!(sent.contains(&"devnet.local A 0 10.0.0.2".into()), "{sent:?}");
}

#[test]
fn services_and_answered_queries_are_bounded() {
    let mut system = System::announced();
    for number in 1..limits::MDNS_SERVICES {
        system.publish(&alloc::format!("page {number}"), 80);
    }
    let service = |instance: &str, text: usize| LocalService {
        instance: instance.into(),
        service_type: "_http._tcp".into(),
        port: 80,
        text: alloc::vec![alloc::vec![b'x'; 127]; text / 128],
    };
    let System { cx, ip, mdns, .. } = &mut system;
    let mut publish =
        |service: LocalService| mdns.change_services(cx, ip, &ServiceChange::Publish(service));
    assert_eq!(publish(service("more", 0)), Err(Error::NoBufferSpace));
    assert_eq!(publish(service("page 1", limits::MDNS_TEXT_BYTES)), Ok(true));
    let long = limits::MDNS_TEXT_BYTES + 128;
    assert_eq!(publish(service("page 1", long)), Err(Error::InvalidInput));
    for instance in ["", &"x".repeat(64), "a\u{7}"] {
        assert_eq!(publish(service(instance, 0)), Err(Error::InvalidInput), "{instance}");
    }
    for service_type in ["", "_http", "http._tcp", "_http._sctp", "_1._tcp", "_a--b._tcp"] {
        let wrong = LocalService { service_type: service_type.into(), ..service("page 1", 0) };
        assert_eq!(publish(wrong), Err(Error::InvalidInput), "{service_type}");
    }
    system.pass(5000);
    let before = system.cx.statistics.received_drops.full;
    for _ in 0..limits::MDNS_ANSWERED_QUERIES + 7 {
        system.tell(OTHER, false, &query("other.local", RecordType::A));
    }
    assert_eq!(system.cx.statistics.received_drops.full, before + 7);
}
