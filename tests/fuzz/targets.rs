//! What is fuzzed, and with what.

use devnet_network::command::line_error::Fault;
use devnet_network::command::socket::{SocketKind, SocketState};
use devnet_network::command::{GetLastError, GetSocket, ListSockets, text};
use devnet_network::{RawSocket, TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::Path;
use world::SeededEntropy;

use crate::Target;
use crate::classifier::classifier;
use crate::guests;
use crate::packets::{ethernet, ipv4, ipv6, mutate, repair};
use crate::rig::Rig;
use crate::tcp::tcp;

/// Every target.
pub(crate) const TARGETS: &[Target] = &[
    ("frames", frames),
    ("segments", segments),
    ("control", control),
    ("lines", lines),
    ("paths", paths),
    ("classifier", classifier),
    ("tcp", tcp),
    ("imports", guests::imports),
    ("modules", guests::modules),
];

/// Valid frames that a mutation starts from.
fn seeds() -> Vec<Vec<u8>> {
    let syn =
        [0x30, 0x39, 0, 80, 0, 0, 0, 9, 0, 0, 0, 0, 0x60, 2, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4];
    let mut arp =
        vec![0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1];
    arp.resize(46, 0);
    let mut solicitation = vec![
        135, 0, 0, 0, 0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0,
        0, 0, 2,
    ];
    let advertisement = {
        let mut message = vec![
            134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0,
            7, 8, 0, 0, 0, 0,
        ];
        message.extend_from_slice(&[
            0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 0, 5, 0xdc,
        ]);
        message
    };
    solicitation.resize(32, 0);
    let fragment = {
        let mut frame = ipv4(17, &[0; 64]);
        frame[14 + 6] = 0x20;
        frame
    };
    let chain = ipv6(
        0,
        &[
            43, 0, 1, 4, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1,
            0, 0, 0, 7, 0, 7, 0, 7, 0, 8, 0, 0,
        ],
    );
    let quoted = ipv4(17, &[0, 7, 0, 9, 0, 8, 0, 0])[14..].to_vec();
    let mut seeds = memberships();
    seeds.extend([
        ipv4(1, &[[3, 4, 0, 0, 0, 0, 2, 40].as_slice(), &quoted].concat()),
        ipv4(1, &[[12, 0, 0, 0, 1, 0, 0, 0].as_slice(), &quoted].concat()),
        ipv6(
            58,
            &[[2, 0, 0, 0, 0, 0, 5, 0].as_slice(), &ipv6(17, &[0, 7, 0, 9, 0, 8, 0, 0])[14..]]
                .concat(),
        ),
        ipv4(250, &[1, 2, 3]),
        ethernet(0x0806, &arp),
        ipv4(6, &syn),
        ipv6(6, &syn),
        ipv4(17, &[0, 9, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4]),
        ipv6(17, &[0, 9, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4]),
        ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4]),
        ipv6(58, &[128, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4]),
        ipv6(58, &solicitation),
        ipv6(58, &advertisement),
        ipv4(
            1,
            &[[3, 3, 0, 0, 0, 0, 0, 0].as_slice(), &ipv4(17, &[0, 7, 0, 9, 0, 8, 0, 0])[14..]]
                .concat(),
        ),
        fragment,
        chain,
    ]);
    seeds
}

/// Queries and reports of every version of IGMP and MLD.
fn memberships() -> Vec<Vec<u8>> {
    let group = [239, 1, 2, 3];
    let mut frames: Vec<Vec<u8>> = [
        &[0x11, 0, 0, 0, 0, 0, 0, 0][..],
        &[0x11, 100, 0, 0, 0, 0, 0, 0],
        &[0x11, 0x90, 0, 0, 0, 0, 0, 0, 2, 20, 0, 1, 10, 0, 0, 9],
        &[0x16, 0, 0, 0, 239, 1, 2, 3],
        &[0x22, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 239, 1, 2, 3],
    ]
    .iter()
    .map(|message| {
        let mut frame = ipv4(2, message);
        frame[30..34].copy_from_slice(if message[0] == 0x11 { &[224, 0, 0, 1] } else { &group });
        frame[22] = 1;
        frame
    })
    .collect();
    for (kind, length) in [(130, 24), (130, 28), (131, 24), (143, 28)] {
        let mut message = vec![58, 0, 5, 2, 0, 0, 0, 0, kind, 0, 0, 0, 0, 100, 0, 0];
        message.resize(8 + length, 0);
        let mut frame = ipv6(0, &message);
        frame[21] = 1;
        frame[22..24].copy_from_slice(&[0xfe, 0x80]);
        frame[38..54].copy_from_slice(&[0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        frames.push(frame);
    }
    frames
}

/// Frames of every kind at a host with sockets of every kind.
fn frames(random: &SeededEntropy, inputs: u32) {
    let mut rig = Rig::new(random.next());
    let listener =
        TcpListener::bind(&rig.host.sockets(), "0.0.0.0:80".parse().unwrap(), 8).unwrap();
    let datagrams = UdpSocket::new(&rig.host.sockets());
    datagrams.bind("0.0.0.0:7".parse().unwrap()).unwrap();
    datagrams.set_receive_errors(true);
    for group in ["239.1.2.3", "ff05::1"] {
        datagrams.join_group(group.parse().unwrap(), Some("eth0")).unwrap();
    }
    let raw = RawSocket::ipv4(&rig.host.sockets(), 0).unwrap();
    let raw6 = RawSocket::ipv6(&rig.host.sockets(), 58).unwrap();
    rig.host.write(&rig.host.open("eth0"), "dhcp start").unwrap();
    let seeds = seeds();
    for _ in 0..inputs {
        let mut frame = seeds[random.next() as usize % seeds.len()].clone();
        mutate(random, &mut frame);
        if !random.next().is_multiple_of(8) {
            repair(&mut frame);
        }
        rig.inject(&frame);
        rig.settle(random.next() % 3000);
        rig.answers();
        // A program's own packets are as wild as the wire's.
        if random.next().is_multiple_of(4) {
            let mut buffer = [0; 200];
            let taken = raw.try_receive_message(&mut buffer).map_or(0, |info| info.copied);
            raw.set_header_included(random.next().is_multiple_of(2));
            let _ = raw.try_send(&buffer[..taken], Some("10.0.0.2:0".parse().unwrap()));
            drop((
                raw6.try_receive_message(&mut buffer),
                datagrams.receive_error(),
                datagrams.take_error(),
            ));
        }
    }
    rig.settle(300_000_000);
    drop(listener);
}

/// TCP segments that fit an established connection nearly.
fn segments(random: &SeededEntropy, inputs: u32) {
    let mut rig = Rig::new(random.next());
    let listener =
        TcpListener::bind(&rig.host.sockets(), "0.0.0.0:80".parse().unwrap(), 64).unwrap();
    rig.inject(&ethernet(
        0x0806,
        &[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1],
    ));
    let (mut streams, mut buffer): (Vec<TcpStream>, _) = (Vec::new(), [0; 4096]);
    // What the host said last: sequence and acknowledgment to build on.
    let (mut theirs, mut ours, mut port) = (0u32, 1000u32, 12345u16);
    for input in 0..inputs {
        if input % 50 == 0 {
            port = 20_000 + (random.next() % 1000) as u16;
            ours = random.next() as u32;
        }
        let near = |base: u32| match random.next() % 4 {
            0 | 1 => base,
            2 => base.wrapping_add((random.next() % 4000) as u32).wrapping_sub(2000),
            _ => random.next() as u32,
        };
        let flags = if input % 50 == 0 {
            2
        } else {
            [0x10, 0x18, 0x11, 0x14, 2, 0x12, 4, random.next() as u8][random.next() as usize % 8]
        };
        let mut segment = Vec::new();
        segment.extend_from_slice(&port.to_be_bytes());
        segment.extend_from_slice(&80u16.to_be_bytes());
        segment.extend_from_slice(&near(ours).to_be_bytes());
        segment.extend_from_slice(&near(theirs).to_be_bytes());
        segment.extend_from_slice(&[0x50, flags]);
        segment.extend_from_slice(&[0xff, random.next() as u8, 0, 0, 0, 0]);
        segment.extend((0..random.next() % 1400).map(|byte| byte as u8));
        let mut frame = ipv4(6, &segment);
        if random.next().is_multiple_of(16) {
            mutate(random, &mut frame);
        }
        repair(&mut frame);
        rig.inject(&frame);
        rig.settle(random.next() % 2_000_000 / (1 + random.next() % 2000));
        for answer in rig.answers() {
            if answer.len() >= 54 && answer[23] == 6 && answer[36..38] == port.to_be_bytes() {
                theirs = u32::from_be_bytes([answer[38], answer[39], answer[40], answer[41]])
                    .wrapping_add(1);
                ours = u32::from_be_bytes([answer[42], answer[43], answer[44], answer[45]]);
            }
        }
        while let Ok(stream) = listener.try_accept() {
            streams.push(stream);
        }
        if let Some(stream) = streams.last() {
            match random.next() % 4 {
                0 => drop(stream.try_read(&mut buffer)),
                1 => drop(stream.try_write(&buffer[..random.next() as usize % 4096])),
                _ => {}
            }
        }
        if streams.len() > 4 || random.next().is_multiple_of(200) {
            streams.clear();
        }
    }
    drop((streams, listener));
    rig.settle(2_000_000_000);
    let open: Vec<_> = rig
        .host
        .control::<ListSockets>("sockets", &())
        .unwrap()
        .into_iter()
        .filter(|socket| socket.state != SocketState::TimeWait)
        .collect();
    assert!(open.is_empty(), "connections that never end: {open:#?}");
}

/// Control payloads of every command.
fn control(random: &SeededEntropy, inputs: u32) {
    let rig = Rig::new(random.next());
    for _ in 0..inputs {
        let entry = &devnet_network::command::TABLE
            [random.next() as usize % devnet_network::command::TABLE.len()];
        let payload: Vec<u8> = (0..random.next() % 48)
            .map(|_| if random.next().is_multiple_of(3) { 0 } else { random.next() as u8 })
            .collect();
        // A command may have renamed one of them.
        let names = rig.host.manager.list().into_iter().map(|status| status.name);
        let names: Vec<String> = names.chain(["sockets".into()]).collect();
        let device = rig.host.open(&names[random.next() as usize % 3]);
        let _ = device.try_control_raw(entry.identifier, &payload);
        let other = &devnet_network::command::TABLE
            [random.next() as usize % devnet_network::command::TABLE.len()];
        let _ = device.try_control_raw(other.identifier, &payload);
        drop(device);
    }
    rig.settle(1_000_000);
}

/// Lines of text.
fn lines(random: &SeededEntropy, inputs: u32) {
    const WORDS: &[&str] = &[
        "address",
        "add",
        "remove",
        "route",
        "default",
        "via",
        "metric",
        "link",
        "name",
        "arp",
        "description",
        "queue",
        "interface",
        "hostname",
        "advertise",
        "off",
        "replace",
        "broadcast",
        "watch",
        "maximum-segment",
        "70000",
        "[fe80::1%eth0]:7",
        "#",
        "up",
        "down",
        "mtu",
        "mac",
        "dns",
        "dhcp",
        "start",
        "neighbor",
        "socket",
        "tcp",
        "udp",
        "raw",
        "option",
        "join",
        "leave",
        "linger",
        "bind-to-device",
        "traffic-class",
        "0x10",
        "239.1.2.3",
        "eth0",
        "bind",
        "connect",
        "listen",
        "accept",
        "10.0.0.1",
        "10.0.0.1/24",
        "fd00::1/64",
        "0",
        "-1",
        "4294967296",
        "02:00:00:00:00:01",
        "*:80",
        "[::]:1",
        "\u{e4}",
        "\0",
        "/",
        ":",
    ];
    let rig = Rig::new(random.next());
    for _ in 0..inputs {
        let mut line: Vec<u8> = Vec::new();
        for _ in 0..random.next() % 12 {
            line.extend_from_slice(WORDS[random.next() as usize % WORDS.len()].as_bytes());
            line.push(if random.next().is_multiple_of(8) { b'\n' } else { b' ' });
        }
        mutate(random, &mut line);
        parse_lines(&line);
        let name = &rig.host.manager.list()[1].name;
        let file = rig.host.open(name);
        let outcome = file.try_write(&line);
        if !file.try_control::<GetSocket>(&()).is_ok_and(|socket| socket.kind != SocketKind::Tcp) {
            let last = file.try_control::<GetLastError>(&()).unwrap();
            assert_eq!(last.as_ref().map(|last| last.error), outcome.err(), "{line:?}");
            assert!(last.is_none_or(|last| is_within(last.line, &line)), "{line:?}");
        }
    }
    rig.settle(1_000_000);
}

/// True for the number of a line of the text.
fn is_within(line: u32, text: &[u8]) -> bool {
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    (1..=lines).contains(&(line as usize))
}

/// Any text is lines, or an error at one of its lines; what cannot be parsed is explained.
fn parse_lines(data: &[u8]) {
    let lines = match text::lines(data) {
        Ok(lines) => lines,
        Err(error) => return assert!(is_within(error.line, data), "{error}"),
    };
    for (number, line) in lines {
        assert!(is_within(number, data));
        let Err(error) = text::parse_line(number, line) else { continue };
        let shown = error.to_string();
        assert!(!shown.contains(char::is_control) && shown.len() < 2000, "{shown}");
        assert_eq!(error.line, number);
        // The open file puts numbers in the place of zones' names before it parses.
        let is_explained = !matches!(error.fault, Fault::Refused { .. }) || line.contains('%');
        assert!(is_explained, "not explained: {line:?}");
    }
}

/// Paths.
fn paths(random: &SeededEntropy, inputs: u32) {
    const PARTS: &[&str] =
        &["/", "..", ".", "devices", "network", "eth0", "\0", "\u{202e}", " ", "x", "//", "etc"];
    for _ in 0..inputs {
        let text: String =
            (0..random.next() % 20).map(|_| PARTS[random.next() as usize % PARTS.len()]).collect();
        if let Ok(path) = Path::parse(&text) {
            let shown = path.as_str();
            assert!(
                shown.starts_with('/') && !shown.split('/').any(|part| part == ".." || part == "."),
                "{shown}"
            );
        }
    }
}
