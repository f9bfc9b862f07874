//! The resolver against name servers that do not answer as the book says (RFC 1035, RFC 5452): each
//! record is judged by itself, and what can be acted on waits for no timer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use devnet_network::command::dns::{Answer, Question, RecordData, RecordKind};
use devnet_network::dns_message::{DnsMessage, QueryKind};
use devnet_network::{TcpListener, UdpSocket};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::{hosts, read_to_end};

/// The answers to one query, as bytes.
type Script = dyn Fn(&Asked) -> Vec<Vec<u8>> + Send + Sync;

/// A query that a server received.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    bytes: Vec<u8>,
    pub(crate) name: String,
    pub(crate) spelling: String,
    pub(crate) kind: QueryKind,
    /// The bytes that may be answered by EDNS.
    pub(crate) payload: Option<u16>,
}

impl Asked {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let query = DnsMessage::parse(bytes).unwrap();
        let DnsMessage { name, spelling, kind, payload, .. } = query;
        Self { bytes: bytes.to_vec(), name, spelling, kind, payload }
    }

    /// A response that spells the name in another way.
    pub(crate) fn spelled(&self, spelling: &str, records: &[Vec<u8>]) -> Vec<u8> {
        let mut response = self.respond(0, records);
        response[12..12 + labels(spelling).len()].copy_from_slice(&labels(spelling));
        response
    }

    /// A response with all three sections.
    pub(crate) fn sections(&self, code: u8, sections: [&[Vec<u8>]; 3]) -> Vec<u8> {
        let mut response = self.respond(code, &sections.concat());
        for (place, section) in sections.iter().enumerate() {
            response[7 + 2 * place] = section.len() as u8;
        }
        response
    }

    /// A header alone, without a question.
    pub(crate) fn bare(&self, code: u8) -> Vec<u8> {
        [&self.bytes[..2], &[0x81, 0x80 | code, 0, 0, 0, 0, 0, 0, 0, 0]].concat()
    }

    /// A response with the question and these records.
    pub(crate) fn respond(&self, code: u8, records: &[Vec<u8>]) -> Vec<u8> {
        // The question alone: what follows it are options of the query.
        let question = 12 + labels(&self.name).len() + 4;
        let mut response = self.bytes[..question].to_vec();
        response[10..12].fill(0);
        response[2..4].copy_from_slice(&[0x81, 0x80 | code]);
        response[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
        response.extend(records.concat());
        response
    }
}

/// A name as labels, without compression.
pub(crate) fn labels(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A record of a type and class.
pub(crate) fn record(name: &str, kind: u16, class: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = labels(name);
    bytes.extend([kind, class].map(u16::to_be_bytes).concat());
    bytes.extend_from_slice(&[0, 0, 0, 60]);
    bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

pub(crate) fn a(name: &str, last: u8) -> Vec<u8> {
    record(name, 1, 1, &[10, 0, 0, last])
}

pub(crate) fn aaaa(name: &str, address: std::net::Ipv6Addr) -> Vec<u8> {
    record(name, 28, 1, &address.octets())
}

pub(crate) fn cname(name: &str, target: &str) -> Vec<u8> {
    record(name, 5, 1, &labels(target))
}

/// Answers by UDP at port 53 of an address as the script says, and collects the queries.
pub(crate) fn serve(
    world: &World,
    host: &Host,
    at: &str,
    script: impl Fn(&Asked) -> Vec<Vec<u8>> + Send + Sync + 'static,
) -> Arc<Mutex<Vec<Asked>>> {
    let script: Arc<Script> = Arc::new(script);
    let socket = UdpSocket::new(&host.manager.sockets_on("eth0").unwrap());
    socket.bind(format!("{at}:53").parse().unwrap()).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    world
        .spawn(async move {
            while let Ok(message) = socket.receive().await {
                let asked = Asked::new(&message.data);
                heard.lock().unwrap().push(asked.clone());
                for bytes in script(&asked) {
                    socket.send_to(&bytes, message.remote).await.unwrap();
                }
            }
        })
        .detach();
    seen
}

/// Answers one query per connection at port 53 of an address.
pub(crate) fn serve_streams(world: &World, host: &Host, at: &str, script: fn(&Asked) -> Vec<u8>) {
    let address = format!("{at}:53").parse().unwrap();
    let listener = TcpListener::bind(&host.sockets(), address, 8).unwrap();
    world
        .spawn(async move {
            while let Ok(stream) = listener.accept().await {
                let mut query = vec![0; 512];
                let taken = stream.read(&mut query).await.unwrap();
                let response = script(&Asked::new(&query[2..taken]));
                let length = (response.len() as u16).to_be_bytes();
                let _ = stream.write_all(&[&length[..], &response].concat()).await;
                let _ = read_to_end(&stream).await;
            }
        })
        .detach();
}

#[test]
fn hold_14_lookups_that_nobody_polls_give_way() {
    use devnet_network::limits::{LOOKUP_SECONDS, LOOKUPS};
    let world = World::new(14);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| match asked.name.starts_with("silent") {
        true => Vec::new(),
        false => vec![asked.respond(0, &[a(&asked.name, 9)])],
    });
    let resolver = left.sockets().resolver();
    let question = |name: &str| Question { name: name.into(), kind: RecordKind::A, server: None };
    let begin = || {
        let mut lookup = resolver.start(question("silent.lan"));
        assert_eq!(lookup.try_resolve().unwrap_err(), Error::WouldBlock);
        lookup
    };
    // Some have their turn, and some wait for it.
    let mut unpolled: Vec<_> = (0..LOOKUPS + 8).map(|_| begin()).collect();
    world.run(async {
        let honest = world.spawn({
            let (resolver, question) = (resolver.clone(), question("web.lan"));
            async move { resolver.resolve(&question).await.map(|found| found.addresses().count()) }
        });
        world.sleep(Duration::from_secs(LOOKUP_SECONDS - 1)).await;
        assert!(!honest.is_finished());
        world.sleep(Duration::from_secs(3)).await;
        assert!(honest.is_finished(), "it still waits");
        assert_eq!(honest.await, Ok(1));
        assert_eq!(unpolled[0].try_resolve().unwrap_err(), Error::TimedOut);
    });
    // Whoever asks is never the one that gives way.
    drop(unpolled);
    assert!(world.run(resolver.resolve(&question("web.lan"))).is_ok());
}

/// A host that asks 10.0.0.2 and, if `two`, then 10.0.0.3, which the other host has.
pub(crate) fn network(world: &World, two: bool) -> (Host, Host) {
    let (left, right) = hosts(world);
    left.write(&left.open("eth0"), "dns add 10.0.0.2").unwrap();
    if two {
        right.write(&right.open("eth0"), "address add 10.0.0.3/24").unwrap();
        left.write(&left.open("eth0"), "dns add 10.0.0.3").unwrap();
    }
    (left, right)
}

/// Resolves, and says how long that took.
pub(crate) fn resolve(
    world: &World,
    host: &Host,
    name: &str,
    kind: RecordKind,
) -> (Result<Answer, Error>, Duration) {
    let start = world.now();
    let question = Question { name: name.to_owned(), kind, server: None };
    let answer = world.run(host.sockets().resolver().resolve(&question));
    (answer, world.now().since(start))
}

/// The IPv4 addresses' last bytes, in order.
pub(crate) fn addresses(answer: Result<Answer, Error>) -> Vec<u8> {
    let answer = answer.unwrap();
    answer
        .addresses()
        .map(|address| address.to_string().rsplit_once('.').unwrap().1.parse().unwrap())
        .collect()
}

pub(crate) const SOON: Duration = Duration::from_millis(500);

#[test]
fn a_dns_error_that_is_a_bare_header() {
    for code in [1, 2, 4, 5] {
        let world = World::new(1);
        let (left, right) = network(&world, true);
        serve(&world, &right, "10.0.0.2", move |asked| vec![asked.bare(code)]);
        serve(&world, &right, "10.0.0.3", |asked| vec![asked.respond(0, &[a("web.test", 9)])]);
        let (answer, time) = resolve(&world, &left, "web.test", RecordKind::A);
        assert_eq!(addresses(answer), [9], "code {code}");
        assert!(time < SOON, "code {code} took {time:?}");
    }
}

#[test]
fn a_dns_error_that_is_a_bare_header_from_the_only_server() {
    for code in [1, 2, 4, 5] {
        let world = World::new(2);
        let (left, right) = network(&world, false);
        let with_question = Arc::new(Mutex::new(false));
        let mode = Arc::clone(&with_question);
        serve(&world, &right, "10.0.0.2", move |asked| match *mode.lock().unwrap() {
            true => vec![asked.respond(code, &[])],
            false => vec![asked.bare(code)],
        });
        let (bare, time) = resolve(&world, &left, "web.test", RecordKind::Address);
        assert!(time < SOON, "code {code} took {time:?}");
        *with_question.lock().unwrap() = true;
        let (whole, _) = resolve(&world, &left, "web.test", RecordKind::Address);
        assert_eq!(bare.unwrap_err(), whole.unwrap_err(), "code {code}");
    }
}

#[test]
fn a_bare_name_error_is_one_and_a_bare_success_is_none() {
    let world = World::new(3);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| match asked.name.as_str() {
        "gone.test" => vec![asked.bare(3)],
        _ => vec![asked.bare(0)],
    });
    let (answer, time) = resolve(&world, &left, "gone.test", RecordKind::A);
    assert_eq!((answer.unwrap_err(), time < SOON), (Error::NotFound, true));
    // A server that says nothing about the name has not said that there is none.
    let (answer, time) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!((answer.unwrap_err(), time < SOON), (Error::ConnectionRefused, true));
}

#[test]
fn a_dns_response_to_another_query_is_not_believed() {
    let world = World::new(4);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| {
        let right = asked.respond(0, &[a("web.test", 9)]);
        let change = |at: usize| {
            let mut bytes = right.clone();
            bytes[at] ^= 1;
            bytes
        };
        let mut bare = asked.bare(5);
        bare[0] ^= 1;
        // Wrong: the identifier, the name, the type, the class, a query, and no header.
        let question = 12 + labels("web.test").len();
        let mut query = right.clone();
        query[2] &= 0x7f;
        vec![
            bare,
            change(0),
            change(14),
            change(question + 1),
            change(question + 3),
            query,
            right[..11].to_vec(),
            right.clone(),
        ]
    });
    let (answer, time) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!((addresses(answer), time < SOON), (vec![9], true));
}

#[test]
fn a_udp_dns_answer_of_more_than_512_bytes() {
    // About 700, 1400 and 60,000 bytes, and without compression.
    for count in [25_u8, 50, 250] {
        let world = World::new(5);
        let (left, right) = network(&world, false);
        serve(&world, &right, "10.0.0.2", move |asked| {
            let padding = record("big.test", 16, 1, &[b'x'; 200]);
            let pad = if count == 250 { 200 } else { 0 };
            let mut all: Vec<_> = (0..count).map(|last| a("big.test", last)).collect();
            all.extend(std::iter::repeat_n(padding, pad));
            vec![asked.respond(0, &all)]
        });
        let (answer, time) = resolve(&world, &left, "big.test", RecordKind::A);
        assert_eq!(addresses(answer), (0..count).collect::<Vec<_>>());
        assert!(time < SOON / 5, "{count} records took {time:?}");
    }
}

#[test]
fn a_truncated_dns_answer_is_asked_for_by_tcp() {
    let world = World::new(6);
    let (left, right) = network(&world, false);
    // Truncated by its flag, with and without the question; and cut inside a record without it.
    serve(&world, &right, "10.0.0.2", |asked| {
        let mut whole = asked.respond(0, &[a("cut.test", 1), a("cut.test", 2)]);
        match asked.name.as_str() {
            "cut.test" => whole.truncate(whole.len() - 3),
            "bare.test" => whole = asked.bare(0),
            _ => whole = asked.respond(0, &[]),
        }
        whole[2] |= if asked.name == "cut.test" { 0 } else { 2 };
        vec![whole]
    });
    serve_streams(&world, &right, "10.0.0.2", |asked| {
        asked.respond(0, &[a(&asked.name, 1), a(&asked.name, 2)])
    });
    for name in ["flag.test", "bare.test", "cut.test"] {
        let (answer, time) = resolve(&world, &left, name, RecordKind::A);
        assert_eq!((addresses(answer), time < SOON), (vec![1, 2], true), "{name}");
    }
}

#[test]
fn a_truncated_dns_answer_counts_when_there_is_no_tcp() {
    let world = World::new(7);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| {
        let records: &[_] = match asked.name.as_str() {
            "some.test" => &[a("some.test", 1)],
            _ => &[],
        };
        let mut response = asked.respond(0, records);
        response[2] |= 2;
        vec![response]
    });
    let (answer, time) = resolve(&world, &left, "some.test", RecordKind::A);
    assert_eq!((addresses(answer), time < SOON), (vec![1], true));
    // Nothing is known of this one; "no addresses" would be wrong.
    let (answer, time) = resolve(&world, &left, "none.test", RecordKind::A);
    assert_eq!((answer.unwrap_err(), time < SOON), (Error::ConnectionRefused, true));
}

#[test]
fn a_truncated_dns_answer_counts_when_tcp_stays_silent() {
    let world = World::new(18);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| {
        let mut response = asked.respond(0, &[a("some.test", 1)]);
        response[2] |= 2;
        vec![response]
    });
    // Connections are accepted, and nobody answers on them.
    let _listener = TcpListener::bind(&right.sockets(), "10.0.0.2:53".parse().unwrap(), 8).unwrap();
    let (answer, time) = resolve(&world, &left, "some.test", RecordKind::A);
    assert_eq!((addresses(answer), time < Duration::from_secs(2)), (vec![1], true));
}

#[test]
fn dns_records_are_judged_one_by_one() {
    let world = World::new(8);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| {
        let name = &asked.name;
        let records = [
            record(name, 1, 3, &[10, 0, 0, 66]),
            record(name, 1, 1, &[10, 0, 0]),
            record(name, 1, 1, &[10, 0, 0, 0, 66]),
            record(name, 5, 1, &[0xc0, 0xff]),
            record(name, 99, 1, b"whatever"),
            record("other.test", 1, 1, &[10, 0, 0, 66]),
            record("with space.test", 1, 1, &[10, 0, 0, 66]),
            record(name, 28, 1, &[0; 15]),
            a(name, 9),
        ];
        vec![asked.respond(0, &records)]
    });
    let (answer, time) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!((addresses(answer), time < SOON), (vec![9], true));
}

#[test]
fn a_dns_error_with_records_that_cannot_be_read() {
    let world = World::new(9);
    let (left, right) = network(&world, true);
    serve(&world, &right, "10.0.0.2", |asked| {
        let code = if asked.name == "gone.test" { 3 } else { 2 };
        let mut response = asked.respond(code, &[vec![0xff; 7]]);
        response[8..12].copy_from_slice(&[0, 9, 0, 9]);
        vec![response]
    });
    serve(&world, &right, "10.0.0.3", |asked| vec![asked.respond(0, &[a("web.test", 9)])]);
    let (answer, time) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!((addresses(answer), time < SOON), (vec![9], true));
    let (answer, time) = resolve(&world, &left, "gone.test", RecordKind::A);
    assert_eq!((answer.unwrap_err(), time < SOON), (Error::NotFound, true));
}

#[test]
fn dns_aliases_are_followed_in_any_order_and_in_any_case() {
    let world = World::new(10);
    let (left, right) = network(&world, false);
    let seen = serve(&world, &right, "10.0.0.2", |asked| {
        let records = match asked.name.as_str() {
            "www.test" => vec![
                a("End.Test", 9),
                a("stray.test", 66),
                cname("MID.test", "end.TEST"),
                cname("www.test", "mid.test"),
                a("www.test.test", 66),
            ],
            "loop.test" => vec![cname("loop.test", "pool.test"), cname("pool.test", "loop.test")],
            "half.test" => vec![cname("half.test", "rest.test")],
            "rest.test" => vec![a("rest.test", 8)],
            _ => vec![],
        };
        vec![asked.respond(0, &records)]
    });
    let (answer, time) = resolve(&world, &left, "WWW.test", RecordKind::A);
    let names: Vec<_> =
        answer.clone().unwrap().records.iter().map(|record| record.name.clone()).collect();
    assert_eq!(names, ["www.test", "mid.test", "end.test"]);
    assert_eq!((addresses(answer), time < SOON), (vec![9], true));
    let (answer, _) = resolve(&world, &left, "half.test", RecordKind::A);
    assert_eq!(addresses(answer), [8]);
    seen.lock().unwrap().clear();
    let (answer, time) = resolve(&world, &left, "loop.test", RecordKind::A);
    assert_eq!((addresses(answer), time < SOON), (vec![], true));
    assert!(seen.lock().unwrap().len() < 20, "a loop of aliases is bounded");
    // The alias itself is asked for.
    let (answer, _) = resolve(&world, &left, "half.test", RecordKind::Cname);
    let only = [RecordData::Cname("rest.test".to_owned())];
    assert!(answer.unwrap().records.iter().map(|record| &record.data).eq(&only));
}

#[test]
fn a_reverse_lookup_follows_aliases() {
    // RFC 2317: a part of a network is delegated by aliases.
    let world = World::new(11);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| {
        let pointer = record("9.0/25.0.0.10.in-addr.arpa", 12, 1, &labels("web.test"));
        vec![asked.respond(0, &[cname(&asked.name, "9.0/25.0.0.10.in-addr.arpa"), pointer])]
    });
    let (answer, _) = resolve(&world, &left, "10.0.0.9", RecordKind::Ptr);
    let last = answer.unwrap().records.pop().unwrap();
    assert_eq!(last.data, RecordData::Ptr("web.test".to_owned()));
}

#[test]
fn a_server_that_lost_a_query_is_asked_again_although_another_refuses() {
    let world = World::new(12);
    let (left, right) = network(&world, true);
    let count = Mutex::new(0);
    serve(&world, &right, "10.0.0.2", move |asked| {
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count > 1 { vec![asked.respond(0, &[a("web.test", 9)])] } else { vec![] }
    });
    serve(&world, &right, "10.0.0.3", |asked| vec![asked.bare(5)]);
    let (answer, _) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!(addresses(answer), [9]);
}
