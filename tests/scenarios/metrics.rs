//! The counters of the protocols by their names of SNMP, and all counters as OpenMetrics, read by a
//! parser that others wrote.

use std::collections::BTreeSet;

use devnet_network::command::{GetMetrics, GetStatistics, ListCounters};
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use prometheus_parse::{Sample, Scrape, Value};
use world::shell::output;
use world::{Host, World, pair};

use crate::wire::{HOST, PEER, Wire, ipv4, milliseconds};

fn counter(host: &Host, name: &str) -> u64 {
    let all = host.control::<ListCounters>("eth0", &()).unwrap();
    let [of_interface] = all.as_slice() else { panic!("one interface, not {all:?}") };
    assert_eq!(of_interface.interface, "eth0");
    let found = of_interface.counters.iter().find(|counter| counter.name == name);
    found.unwrap_or_else(|| panic!("{name} is missing")).value
}

#[track_caller]
fn expect(host: &Host, counters: &[(&str, u64)]) {
    let found: Vec<_> = counters.iter().map(|(name, _)| (*name, counter(host, name))).collect();
    assert_eq!(found, counters);
}

#[test]
fn packets_count_under_their_names() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    let before = ["IpInReceives", "IpInDelivers", "IpOutRequests"].map(|name| counter(&host, name));
    let datagram = |sum: u8| ipv4(PEER, HOST, 17, &[0x30, 0x39, 0, 9, 0, 8, 0, sum]);
    // No socket, a wrong checksum, another host, an unknown protocol, half a header.
    wire.put(&datagram(0));
    wire.put(&datagram(7));
    wire.put(&ipv4(PEER, [10, 0, 0, 77].into(), 17, &[0; 8]));
    wire.put(&ipv4(PEER, HOST, 250, &[0; 8]));
    wire.put(&[0x45; 10]);
    // An echo request.
    wire.put(&ipv4(PEER, HOST, 1, &[8, 0, 0xf7, 0xff, 0, 0, 0, 0]));
    world.run(world.sleep(milliseconds(1)));
    expect(
        &host,
        &[
            ("IpInReceives", before[0] + 6),
            ("IpInDelivers", before[1] + 4),
            ("IpInHdrErrors", 1),
            ("IpInAddrErrors", 1),
            ("IpInUnknownProtos", 1),
            ("IpOutRequests", before[2] + 3),
            ("UdpNoPorts", 1),
            ("UdpInErrors", 1),
            ("UdpInCsumErrors", 1),
            ("UdpInDatagrams", 0),
            ("IcmpInMsgs", 1),
            ("IcmpInEchos", 1),
            ("IcmpOutMsgs", 3),
            ("IcmpOutDestUnreachs", 2),
            ("IcmpOutEchoReps", 1),
            ("Udp6NoPorts", 0),
        ],
    );
}

#[test]
fn connections_count_under_their_names() {
    let world = World::new(1);
    let (left, right) = pair::hosts(&world);
    let listener = TcpListener::bind(&right.sockets(), "[fd00::2]:80".parse().unwrap(), 4).unwrap();
    world.run(async {
        let stream = TcpStream::connect(&left.sockets(), "[fd00::2]:80").await.unwrap();
        let accepted = listener.accept().await.unwrap();
        stream.write(b"hello").await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(accepted.read(&mut buffer).await, Ok(5));
        let refused = TcpStream::connect(&left.sockets(), "10.0.0.2:81").await;
        assert!(refused.is_err());
        accepted.abort();
        world.sleep(milliseconds(100)).await;
    });
    expect(
        &left,
        &[("TcpActiveOpens", 2), ("TcpAttemptFails", 1), ("TcpEstabResets", 1), ("TcpOutRsts", 0)],
    );
    expect(
        &right,
        &[("TcpPassiveOpens", 1), ("TcpActiveOpens", 0), ("TcpEstabResets", 1), ("TcpOutRsts", 2)],
    );
    let segments = |host: &Host, name: &str| counter(host, name);
    assert_eq!(segments(&left, "TcpOutSegs"), segments(&right, "TcpInSegs"));
    assert_eq!(segments(&right, "TcpOutSegs"), segments(&left, "TcpInSegs"));
    assert!(segments(&left, "Ip6OutRequests") >= 4 && segments(&right, "Ip6InReceives") >= 4);
}

/// What a full queue drops was delivered by IP, but not by UDP.
#[test]
fn datagrams_that_find_no_room_are_no_datagrams_in() {
    let world = World::new(1);
    let (left, right) = pair::hosts(&world);
    let receiver = UdpSocket::new(&right.sockets());
    receiver.bind("10.0.0.2:7".parse().unwrap()).unwrap();
    receiver.set_receive_buffer(4096).unwrap();
    let sender = UdpSocket::new(&left.sockets());
    sender.connect("10.0.0.2:7".parse().unwrap()).unwrap();
    world.run(async {
        for _ in 0..40 {
            sender.send(&[0; 1000]).await.unwrap();
            world.sleep(milliseconds(1)).await;
        }
    });
    let (taken, lost) = (counter(&right, "UdpInDatagrams"), counter(&right, "UdpRcvbufErrors"));
    assert!(taken > 0 && lost > 0, "{taken} {lost}");
    assert_eq!((taken + lost, counter(&right, "UdpInErrors")), (40, lost));
    assert_eq!(counter(&right, "IpInDelivers"), 40);
}

fn parsed(text: &str) -> Vec<Sample> {
    Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).expect("metrics").samples
}

fn value(sample: &Sample) -> f64 {
    match sample.value {
        Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => value,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_parser_of_others_reads_the_metrics() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    wire.put(&ipv4(PEER, HOST, 17, &[0x30, 0x39, 0, 9, 0, 8, 0, 0]));
    world.run(world.sleep(milliseconds(1)));
    let text = host.control::<GetMetrics>("sockets", &()).unwrap();
    let samples = parsed(&text);
    let find = |name: &str, label: Option<(&str, &str)>| {
        let found = samples.iter().find(|sample| {
            sample.metric == name
                && sample.labels.get("interface") == Some("eth0")
                && label.is_none_or(|(label, word)| sample.labels.get(label) == Some(word))
        });
        value(found.unwrap_or_else(|| panic!("{name} {label:?} is missing in {text}")))
    };
    let statistics = host.control::<GetStatistics>("eth0", &()).unwrap();
    let received = statistics.received_packets as f64;
    assert_eq!(find("devnet_received_packets_total", None), received);
    assert_eq!(find("devnet_dropped_packets_total", Some(("reason", "no-socket"))), 1.0);
    assert_eq!(find("devnet_protocol_total", Some(("counter", "UdpNoPorts"))), 1.0);
    assert_eq!(find("devnet_interface_up", None), 1.0);
    // Every line that is no comment is a sample, and each is there once.
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.clone().count(), samples.len());
    let names = lines.map(|line| line.rsplit_once(' ').expect("a value").0);
    assert_eq!(names.collect::<BTreeSet<_>>().len(), samples.len());
    // OpenMetrics: samples of a family stand together behind its type, and the end is marked.
    assert!(text.ends_with("\n# EOF\n"));
    let (mut family, mut suffix) = ("", "");
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            let (name, kind) = head.split_once(' ').expect("a kind");
            (family, suffix) = (name, if kind == "counter" { "_total" } else { "" });
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&format!("{family}{suffix}{{")), "{line} in {family}");
        }
    }
    assert_eq!(output(&world, &host, "netstat --metrics"), text);
    let own = host.control::<GetMetrics>("eth0", &()).unwrap();
    assert!(!own.contains("\"lo\"") && text.contains("\"lo\""));
}
