//! Lines of packets, as tcpdump 4.99 writes them; comments are ours.

use devnet_network::command::capture::CaptureDirection;
use etherparse::{PacketBuilder, TcpOptionElement as TcpOption};

use super::*;

fn record(medium: Medium, bytes: Vec<u8>) -> Record {
    Record {
        time: Duration::new(1_796_000_000, 5_000),
        interface: "eth0".into(),
        medium,
        direction: CaptureDirection::In,
        length: bytes.len(),
        bytes,
        lost: 0,
        comment: String::new(),
    }
}

fn plain() -> Style {
    Style { time: Time::No, ..Style::default() }
}

fn shown(style: Style, bytes: Vec<u8>) -> String {
    let text = Printer::new(style).show(&record(Medium::Ip, bytes), false);
    text.trim_end().to_owned()
}

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1];
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

fn built(builder: etherparse::PacketBuilderStep<etherparse::TcpHeader>, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    builder.write(&mut bytes, data).unwrap();
    bytes
}

fn udp(ports: (u16, u16), data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).udp(ports.0, ports.1);
    builder.write(&mut bytes, data).unwrap();
    bytes
}

#[test]
fn a_connection_has_numbers_that_count_from_its_first_segment() {
    let (to, from) = ([10, 0, 0, 2], [10, 0, 0, 1]);
    let syn = PacketBuilder::ipv4(from, to, 64)
        .tcp(40000, 80, 1000, 64240)
        .syn()
        .options(&[
            TcpOption::MaximumSegmentSize(1460),
            TcpOption::SelectiveAcknowledgementPermitted,
            TcpOption::Timestamp(7, 0),
            TcpOption::Noop,
            TcpOption::WindowScale(7),
        ])
        .unwrap();
    let answer = PacketBuilder::ipv4(to, from, 64).tcp(80, 40000, 5000, 100).syn().ack(1001);
    let request = PacketBuilder::ipv4(from, to, 64).tcp(40000, 80, 1001, 502).psh().ack(5001);
    let end = PacketBuilder::ipv4(to, from, 64).tcp(80, 40000, 5001, 502).fin().ack(1017);
    let mut printer = Printer::new(plain());
    let mut next = |bytes| printer.show(&record(Medium::Ip, bytes), false);
    assert_eq!(
        next(built(syn, &[])),
        "IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [S], seq 1000, win 64240, options [mss 1460,\
         sackOK,TS val 7 ecr 0,nop,wscale 7], length 0\n"
    );
    assert_eq!(
        next(built(answer, &[])),
        "IP 10.0.0.2.80 > 10.0.0.1.40000: Flags [S.], seq 5000, ack 1001, win 100, length 0\n"
    );
    assert_eq!(
        next(built(request, b"GET / HTTP/1.1\r\n")),
        "IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [P.], seq 1:17, ack 1, win 502, length 16: HTTP: \
         GET / HTTP/1.1\n"
    );
    assert_eq!(
        next(built(end, &[])),
        "IP 10.0.0.2.80 > 10.0.0.1.40000: Flags [F.], seq 1, ack 17, win 502, length 0\n"
    );
}

#[test]
fn what_is_above_udp_is_said_where_it_is_known() {
    let query = b"\x30\x39\x01\x00\0\x01\0\0\0\0\0\0\x03web\x03lan\0\0\x01\0\x01";
    let mut answer = query.to_vec();
    answer[2] = 0x81;
    answer[7] = 1;
    answer.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\x02\x04");
    for (ports, data, expected) in [
        ((5000, 9), b"hello".as_slice(), "UDP, length 5"),
        ((5000, 53), query, "12345+ A? web.lan. (25)"),
        ((53, 5000), &answer, "12345 1/0/0 A 10.0.2.4 (41)"),
        ((53, 5000), b"\x30\x39\x81\x83\0\0\0\0\0\x01\0\0", "12345 NXDomain 0/1/0 (12)"),
        ((53, 5000), b"\x30\x39", "UDP, length 2"),
        ((123, 123), &[0x23; 48], "NTPv4, Client, length 48"),
    ] {
        let line = shown(plain(), udp(ports, data));
        let expected = format!("IP 10.0.0.1.{} > 10.0.0.2.{}: {expected}", ports.0, ports.1);
        assert_eq!(line, expected);
    }
}

#[test]
fn icmp_arp_and_unknown_frames_have_lines() {
    let mut echo = Vec::new();
    PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .icmpv4_echo_request(1, 2)
        .write(&mut echo, &[0; 56])
        .unwrap();
    assert_eq!(
        shown(plain(), echo.clone()),
        "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 2, length 64"
    );
    let verbose = Style { verbose: true, ..plain() };
    assert_eq!(
        shown(verbose, echo),
        "IP (tos 0x0, ttl 64, id 0, offset 0, flags [DF], proto ICMP (1), length 84)\n    \
         10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 2, length 64"
    );
    let mut unreachable = Vec::new();
    PacketBuilder::ipv4([10, 0, 0, 2], [10, 0, 0, 1], 64)
        .icmpv4_raw(3, 3, [0; 4])
        .write(&mut unreachable, &udp((5000, 9), b"x"))
        .unwrap();
    assert_eq!(
        shown(plain(), unreachable),
        "IP 10.0.0.2 > 10.0.0.1: ICMP 10.0.0.2 udp port 9 unreachable, length 37"
    );
    let mut neighbor = Vec::new();
    let (from, to) = ("fe80::1".parse().unwrap(), "ff02::1:ff00:2".parse().unwrap());
    let octets = |address: std::net::Ipv6Addr| address.octets();
    let mut body = vec![0; 4];
    body.extend(octets("fe80::2".parse().unwrap()));
    PacketBuilder::ipv6(octets(from), octets(to), 255)
        .icmpv6_raw(135, 0, [0; 4])
        .write(&mut neighbor, &body[4..])
        .unwrap();
    assert_eq!(
        shown(plain(), neighbor),
        "IP6 fe80::1 > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has fe80::2, length 24"
    );
    let arp =
        [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2];
    let show = |style, bytes| {
        Printer::new(style).show(&record(Medium::Ethernet, bytes), false).trim_end().to_owned()
    };
    let who_has = "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28";
    assert_eq!(show(plain(), ethernet(0x0806, &arp)), who_has);
    assert_eq!(
        show(Style { link: true, ..plain() }, ethernet(0x0806, &arp)),
        format!(
            "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: {who_has}"
        )
    );
    assert_eq!(
        show(plain(), ethernet(0x88b5, &[1, 2])),
        "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype Unknown (0x88b5), length 16"
    );
    assert_eq!(show(plain(), vec![1, 2]), "[too short], length 2");
}

#[test]
fn times_comments_and_bytes_are_shown_as_asked() {
    let times = |time: Time| {
        let mut printer = Printer::new(Style { time, ..Style::default() });
        let mut record = record(Medium::Ip, udp((5000, 9), b"x"));
        let first = printer.show(&record, false);
        record.time += Duration::from_micros(1_500_000);
        let second = printer.show(&record, false);
        [first, second].map(|line| line.split_once("IP").unwrap().0.to_owned())
    };
    assert_eq!(times(Time::OfDay), ["00:53:20.000005 ", "00:53:21.500005 "]);
    assert_eq!(times(Time::No), ["", ""]);
    assert_eq!(times(Time::Unix), ["1796000000.000005 ", "1796000001.500005 "]);
    assert_eq!(times(Time::Since { first: false }), [" 00:00:00.000000 ", " 00:00:01.500000 "]);
    assert_eq!(times(Time::Date), ["2026-11-30 00:53:20.000005 ", "2026-11-30 00:53:21.500005 "]);
    for (days, expected) in [(0, "1970-01-01"), (11_016, "2000-02-29"), (47_540, "2100-02-28")] {
        assert_eq!(date(days), expected);
    }
    assert_eq!(date(47_541), "2100-03-01");

    let mut dropped = record(Medium::Ip, udp((5000, 9), b"x"));
    (dropped.lost, dropped.comment) = (3, "dropped: no-socket".into());
    let line = Printer::new(plain()).show(&dropped, false);
    assert!(line.ends_with("UDP, length 1 [3 lost before] [dropped: no-socket]\n"), "{line}");

    let bytes = Bytes { hexadecimal: true, text: true, with_link: false };
    let text = shown(Style { bytes, ..plain() }, udp((5000, 9), b"hello"));
    let rows: Vec<_> = text.lines().skip(1).collect();
    assert_eq!(
        rows,
        [
            "\t0x0000:  4500 0021 0000 4000 4011 26ca 0a00 0001  E..!..@.@.&.....",
            "\t0x0010:  0a00 0002 1388 0009 000d 946e 6865 6c6c  ...........nhell",
            "\t0x0020:  6f                                       o",
        ]
    );
}

#[test]
fn no_bytes_make_it_panic() {
    let good = [
        built(
            PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).tcp(53, 80, 1, 2).ack(3),
            b"GET",
        ),
        udp((53, 5000), b"\x30\x39\x81\x80\0\x01\0\x01\0\0\0\0\x03web\0\0\x01\0\x01\xc0\x0c\0\x01"),
        udp((67, 68), &[1; 300]),
    ];
    let mut state = 1_u32;
    let mut random = |bound: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % bound
    };
    let mut printer = Printer::new(Style { verbose: true, link: true, ..Style::default() });
    for round in 0..20_000 {
        let mut bytes = good[round % good.len()].clone();
        for _ in 0..random(5) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        bytes.truncate(random(bytes.len() + 1));
        let medium = if round % 7 == 0 { Medium::Ethernet } else { Medium::Ip };
        assert!(printer.show(&record(medium, bytes), false).ends_with('\n'));
    }
}

#[test]
fn captures_of_all_interfaces_show_the_interface_and_the_way() {
    let to = |first: u8| {
        let mut frame = ethernet(0x88b5, b"x");
        frame.get_mut(..6).unwrap().fill(first);
        record(Medium::Ethernet, frame)
    };
    let other = Record { comment: NOT_FOR_US.into(), ..to(2) };
    let out = Record { direction: CaptureDirection::Out, ..to(0xff) };
    let unknown = Record { direction: CaptureDirection::Both, ..to(2) };
    let ip = Record { interface: "loopback".into(), ..record(Medium::Ip, vec![0x45]) };
    for (record, expected) in [
        (to(2), "eth0  In  "),
        (to(0xff), "eth0  B   "),
        (to(1), "eth0  M   "),
        (other, "eth0  P   "),
        (out, "eth0  Out "),
        (unknown, "eth0  ?   "),
        (ip, "loopback In  "),
    ] {
        let text = Printer::new(plain()).show(&record, true);
        assert!(text.starts_with(expected), "{text}");
        let without = Printer::new(plain()).show(&record, false);
        assert_eq!(text.strip_prefix(expected), Some(without.as_str()));
    }
}
