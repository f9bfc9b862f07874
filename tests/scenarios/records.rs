//! Records of every type, and what guards their answers: EDNS (RFC 6891), TCP, the spelling of the
//! question and the bailiwick of what comes beside it (RFC 5452).

use std::time::Duration;

use devnet_network::command::QueryRecords;
use devnet_network::command::dns::{Query, RecordKind, Reply};
use devnet_network::command::record::RecordType;
use devnet_network::dns_message::QueryKind;
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::names::{
    SOON, a, addresses, cname, labels, network, record, resolve, serve, serve_streams,
};

/// Looks up over the control device.
fn look_up(world: &World, host: &Host, query: &Query) -> Result<Reply, Error> {
    let file = host.open("sockets");
    world.run(file.control::<QueryRecords>(query))
}

fn query(name: &str, record_type: RecordType) -> Query {
    Query::new(name.to_owned(), record_type)
}

/// The answers as text.
fn texts(reply: &Reply) -> Vec<String> {
    reply.answers.iter().map(|record| format!("{} {}", record.record_type, record.data)).collect()
}

#[test]
fn records_of_every_type_are_looked_up() {
    let world = World::new(1);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| {
        let QueryKind::Other(kind) = asked.kind else { return vec![asked.respond(0, &[])] };
        let host = labels("host.test");
        let numbers = [7_u32, 1, 2, 3, 4].map(u32::to_be_bytes).concat();
        let data = match kind {
            2 => host,
            6 => [host, labels("admin.host.test"), numbers].concat(),
            15 => [vec![0, 10], host].concat(),
            16 => b"\x05v=spf\x04-all".to_vec(),
            33 => [vec![0, 1, 0, 2, 0, 80], host].concat(),
            65 => [vec![0, 1, 0], vec![0, 1, 0, 3, 2, b'h', b'2']].concat(),
            _ => b"bytes".to_vec(),
        };
        // One that cannot be read costs only itself.
        let bad = record(&asked.name, kind, 1, &[]);
        vec![asked.respond(0, &[bad, record(&asked.name, kind, 1, &data)])]
    });
    for (record_type, text) in [
        ("NS", "NS host.test."),
        ("SOA", "SOA host.test. admin.host.test. 7 1 2 3 4"),
        ("MX", "MX 10 host.test."),
        ("TXT", "TXT \"v=spf\" \"-all\""),
        ("SRV", "SRV 1 2 80 host.test."),
        ("HTTPS", "HTTPS 1 . alpn=\"h2\""),
    ] {
        let reply = look_up(&world, &left, &query("Web.test.", record_type.parse().unwrap()));
        let reply = reply.unwrap();
        assert_eq!((texts(&reply), reply.code), (vec![text.to_owned()], 0));
        assert_eq!(reply.answers[0].name, "web.test");
    }
    let unknown = look_up(&world, &left, &query("web.test", RecordType(4000))).unwrap();
    assert_eq!(texts(&unknown), ["TYPE4000 \\# 0", "TYPE4000 \\# 5 6279746573"]);
    for (name, number) in [("web.test", 0), ("web.test", 41), ("web.test", 252), ("a..b", 1)] {
        let refused = look_up(&world, &left, &query(name, RecordType(number)));
        assert_eq!(refused, Err(Error::InvalidInput), "{name} {number}");
    }
}

#[test]
fn what_a_server_says_of_itself_and_of_names_is_a_reply() {
    let world = World::new(2);
    let (left, right) = network(&world, true);
    let script = |asked: &crate::names::Asked| match asked.name.as_str() {
        "gone.test" => vec![asked.respond(3, &[])],
        "" => vec![asked.respond(0, &[record("", 2, 1, &labels("a.root"))])],
        _ => vec![asked.respond(2, &[])],
    };
    serve(&world, &right, "10.0.0.2", script);
    serve(&world, &right, "10.0.0.3", script);
    let code = |name| look_up(&world, &left, &query(name, RecordType::MX)).map(|reply| reply.code);
    assert_eq!((code("gone.test"), code("broken.test")), (Ok(3), Ok(2)));
    let root = look_up(&world, &left, &query(".", RecordType::NS)).unwrap();
    assert_eq!(texts(&root), ["NS a.root."]);
    let silent =
        Query { server: Some("10.0.0.77:53".parse().unwrap()), ..query("x", RecordType::A) };
    let start = world.now();
    let timed = look_up(&world, &left, &Query { timeout_milliseconds: 300, ..silent });
    assert_eq!(timed, Err(Error::TimedOut));
    assert_eq!(world.now().since(start), Duration::from_millis(300));
}

#[test]
fn an_answer_of_2000_bytes_comes_by_udp() {
    let world = World::new(3);
    let (left, right) = network(&world, false);
    let seen = serve(&world, &right, "10.0.0.2", |asked| {
        let all: Vec<_> = (0..75).map(|last| a("big.test", last)).collect();
        match asked.payload {
            Some(2000..) => vec![asked.respond(0, &all)],
            _ => vec![asked.respond(0, &[])],
        }
    });
    let (answer, time) = resolve(&world, &left, "big.test", RecordKind::A);
    assert_eq!((addresses(answer).len(), time < SOON), (75, true));
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_server_that_does_not_know_edns_is_asked_without_at_once() {
    // It answers an error, with and without the question, or nothing at all.
    for (seed, code) in [(4, Some(1)), (5, Some(4)), (6, None)] {
        let world = World::new(seed);
        let (left, right) = network(&world, false);
        serve(&world, &right, "10.0.0.2", move |asked| match (asked.payload, code) {
            (None, _) => vec![asked.respond(0, &[a("web.test", 9)])],
            (Some(_), Some(1)) => vec![asked.bare(1)],
            (Some(_), Some(code)) => vec![asked.respond(code, &[])],
            (Some(_), None) => vec![],
        });
        let (answer, time) = resolve(&world, &left, "web.test", RecordKind::Address);
        assert_eq!(addresses(answer), [9], "{code:?}");
        assert!(time < SOON || code.is_none(), "{code:?} took {time:?}");
    }
}

#[test]
fn the_spelling_of_a_question_is_random_and_guards_its_answer() {
    let world = World::new(7);
    let (left, right) = network(&world, false);
    let name = "a-rather-long-name-of-many-letters.test";
    let seen = serve(&world, &right, "10.0.0.2", move |asked| {
        // What somebody says who has guessed all but the spelling, and then the server.
        vec![asked.spelled(name, &[a(name, 66)]), asked.respond(0, &[a(name, 9)])]
    });
    let (answer, time) = resolve(&world, &left, name, RecordKind::A);
    // Asked again with another port and identifier, and without a spelling of its own.
    assert_eq!((addresses(answer), time < SOON), (vec![66], true));
    let spellings: Vec<_> =
        seen.lock().unwrap().iter().map(|asked| asked.spelling.clone()).collect();
    assert_eq!(spellings.len(), 2);
    assert!(spellings[0] != name && spellings[0].eq_ignore_ascii_case(name), "{spellings:?}");
    assert_eq!(spellings[1], name);
    let (again, _) = resolve(&world, &left, "other.test", RecordKind::A);
    assert!(again.is_ok());
}

#[test]
fn what_comes_beside_an_answer_belongs_to_it_or_is_left_out() {
    let world = World::new(8);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| {
        let mail = record("web.test", 15, 1, &[vec![0, 1], labels("mail.test")].concat());
        let zone = |name| record(name, 2, 1, &labels("ns.test"));
        let answers = [cname("www.test", "web.test"), mail, a("bank.example", 66)];
        let authority = [zone("test"), zone("example"), zone("eb.test"), zone("")];
        let additional = [a("mail.test", 1), a("bank.example", 66), a("ns.test", 2)];
        vec![asked.sections(0, [&answers, &authority, &additional])]
    });
    let reply = look_up(&world, &left, &query("www.test", RecordType::MX)).unwrap();
    let owners = |records: &[devnet_network::command::record::ResourceRecord]| {
        records.iter().map(|record| record.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&reply), ["CNAME web.test.", "MX 1 mail.test."]);
    assert_eq!(owners(&reply.authority), ["test", ""]);
    assert_eq!(owners(&reply.additional), ["mail.test", "ns.test"]);
}

#[test]
fn a_query_may_go_by_tcp_at_once() {
    let world = World::new(9);
    let (left, right) = network(&world, false);
    let seen = serve(&world, &right, "10.0.0.2", |asked| vec![asked.respond(0, &[])]);
    let by_stream = Query { stream: true, ..query("web.test", RecordType::A) };
    assert_eq!(look_up(&world, &left, &by_stream), Err(Error::ConnectionRefused));
    serve_streams(&world, &right, "10.0.0.2", |asked| asked.respond(0, &[a(&asked.name, 7)]));
    let reply = look_up(&world, &left, &by_stream).unwrap();
    assert_eq!(texts(&reply), ["A 10.0.0.7"]);
    assert!(seen.lock().unwrap().is_empty());
}
