//! Socket options: every one by control and by text, bad values, and kinds of sockets that do not
//! have them. And their bytes, which never change.

use std::net::SocketAddr;

use devnet_network::command::multicast::{GroupEntry, Membership};
use devnet_network::command::socket::{
    DatagramOptions, ErrorOrigin, ErrorReport, SocketKind, SocketOption, SocketOptions,
    StreamOptions,
};
use devnet_network::command::{
    Accept, Bind, Connect, CreateSocket, GetOptions, JoinGroup, LeaveGroup, ListGroups,
    NextConnection, ReceiveError, SetMtu, SetOption, TakeError,
};
use devnet_virtual_file_system::{ControlCommand, Error, File, encode};
use world::{Host, World};

use crate::pair::hosts;

fn socket(host: &Host, kind: &str) -> File {
    let file = host.open("sockets");
    host.write(&file, &format!("socket {kind}")).unwrap();
    file
}

/// A socket and what it is told in the same write: a later one is data to a datagram socket.
fn told(host: &Host, kind: &str, lines: &str) -> Result<File, Error> {
    let file = host.open("sockets");
    host.write(&file, &format!("socket {kind}\n{lines}")).map(|()| file)
}

fn options(file: &File) -> SocketOptions {
    file.try_control::<GetOptions>(&()).unwrap()
}

fn stream(file: &File) -> StreamOptions {
    options(file).stream.unwrap()
}

fn datagram(file: &File) -> DatagramOptions {
    options(file).datagram.unwrap()
}

/// An option as text, the same by value, and how it is read back, in words.
type Row = (&'static str, SocketOption, fn(&File) -> String, &'static str);

fn check(host: &Host, kind: &str, rows: &[Row]) {
    for (line, option, read, expected) in rows {
        let by_control = socket(host, kind);
        assert_ne!(read(&by_control), *expected, "{kind}: {line} is the default");
        let by_text = told(host, kind, &format!("option {line}"));
        let by_text = by_text.unwrap_or_else(|error| panic!("{kind}: {line}: {error}"));
        by_control.try_control::<SetOption>(option).unwrap();
        assert_eq!(
            (read(&by_text).as_str(), read(&by_control).as_str()),
            (*expected, *expected),
            "{kind}: {line}"
        );
    }
}

#[test]
fn options_of_streams_are_set_by_text_and_by_control() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    check(
        &left,
        "tcp",
        &[
            (
                "no-delay on",
                SocketOption::NoDelay(true),
                |file| stream(file).no_delay.to_string(),
                "true",
            ),
            (
                "receive-buffer 4096",
                SocketOption::ReceiveBuffer(4096),
                |file| options(file).receive_buffer.to_string(),
                "4096",
            ),
            (
                "send-buffer 4096",
                SocketOption::SendBuffer(4096),
                |file| stream(file).send_buffer.to_string(),
                "4096",
            ),
            (
                "hop-limit 5",
                SocketOption::HopLimit(5),
                |file| options(file).hop_limit.to_string(),
                "5",
            ),
            (
                "keep-alive 5000",
                SocketOption::KeepAlive(5000),
                |file| stream(file).keep_alive.to_string(),
                "5000",
            ),
            (
                "keep-alive-interval 1000",
                SocketOption::KeepAliveInterval(1000),
                |file| stream(file).keep_alive_interval.to_string(),
                "1000",
            ),
            (
                "keep-alive-count 3",
                SocketOption::KeepAliveCount(3),
                |file| stream(file).keep_alive_count.to_string(),
                "3",
            ),
            (
                "user-timeout 20000",
                SocketOption::UserTimeout(20_000),
                |file| stream(file).user_timeout.to_string(),
                "20000",
            ),
            (
                "linger 0",
                SocketOption::Linger(Some(0)),
                |file| format!("{:?}", stream(file).linger),
                "Some(0)",
            ),
            (
                "reuse-address on",
                SocketOption::ReuseAddress(true),
                |file| options(file).reuse_address.to_string(),
                "true",
            ),
            (
                "reuse-port on",
                SocketOption::ReusePort(true),
                |file| options(file).reuse_port.to_string(),
                "true",
            ),
            (
                "traffic-class 0x10",
                SocketOption::TrafficClass(16),
                |file| options(file).traffic_class.to_string(),
                "16",
            ),
            (
                "bind-to-device eth0",
                SocketOption::BindToDevice("eth0".into()),
                |file| options(file).device,
                "eth0",
            ),
        ],
    );
    let file = socket(&left, "tcp");
    left.write(&file, "option linger 5\noption linger off").unwrap();
    assert_eq!(stream(&file).linger, None);
}

#[test]
fn options_of_datagram_sockets_are_set_by_text_and_by_control() {
    let world = World::new(2);
    let (left, _right) = hosts(&world);
    let rows: &[Row] = &[
        (
            "broadcast on",
            SocketOption::Broadcast(true),
            |file| datagram(file).broadcast.to_string(),
            "true",
        ),
        (
            "receive-buffer 4096",
            SocketOption::ReceiveBuffer(4096),
            |file| options(file).receive_buffer.to_string(),
            "4096",
        ),
        ("hop-limit 5", SocketOption::HopLimit(5), |file| options(file).hop_limit.to_string(), "5"),
        (
            "reuse-address on",
            SocketOption::ReuseAddress(true),
            |file| options(file).reuse_address.to_string(),
            "true",
        ),
        (
            "reuse-port on",
            SocketOption::ReusePort(true),
            |file| options(file).reuse_port.to_string(),
            "true",
        ),
        (
            "traffic-class 184",
            SocketOption::TrafficClass(184),
            |file| options(file).traffic_class.to_string(),
            "184",
        ),
        (
            "dont-fragment on",
            SocketOption::DontFragment(true),
            |file| datagram(file).dont_fragment.to_string(),
            "true",
        ),
        (
            "multicast-interface eth0",
            SocketOption::MulticastInterface("eth0".into()),
            |file| datagram(file).multicast_interface,
            "eth0",
        ),
        (
            "multicast-hop-limit 0",
            SocketOption::MulticastHopLimit(0),
            |file| datagram(file).multicast_hop_limit.to_string(),
            "0",
        ),
        (
            "multicast-loop off",
            SocketOption::MulticastLoop(false),
            |file| datagram(file).multicast_loop.to_string(),
            "false",
        ),
        (
            "receive-errors on",
            SocketOption::ReceiveErrors(true),
            |file| datagram(file).receive_errors.to_string(),
            "true",
        ),
        (
            "bind-to-device eth0",
            SocketOption::BindToDevice("eth0".into()),
            |file| options(file).device,
            "eth0",
        ),
    ];
    for kind in ["udp", "icmp", "raw 250", "raw6 250"] {
        check(&left, kind, rows);
    }
    let only: &[Row] = &[(
        "only-ipv6 on",
        SocketOption::OnlyIpv6(true),
        |file| datagram(file).only_ipv6.to_string(),
        "true",
    )];
    let included: &[Row] = &[(
        "header-included on",
        SocketOption::HeaderIncluded(true),
        |file| datagram(file).header_included.to_string(),
        "true",
    )];
    check(&left, "udp", only);
    check(&left, "icmp", only);
    check(&left, "raw 250", included);
    check(&left, "raw6 250", included);
    let lines = [
        "multicast-interface eth0",
        "multicast-interface any",
        "bind-to-device eth0",
        "bind-to-device any",
    ];
    let file = told(&left, "udp", &lines.map(|line| format!("option {line}")).join("\n")).unwrap();
    assert_eq!(
        (datagram(&file).multicast_interface, options(&file).device),
        (String::new(), String::new())
    );
}

#[test]
fn bad_values_are_invalid_and_change_nothing() {
    let world = World::new(3);
    let (left, _right) = hosts(&world);
    let refused = |kind: &str, options_of_kind: Vec<SocketOption>| {
        let file = socket(&left, kind);
        let before = options(&file);
        for option in options_of_kind {
            assert_eq!(
                file.try_control::<SetOption>(&option),
                Err(Error::InvalidInput),
                "{kind}: {option:?}"
            );
        }
        assert_eq!(options(&file), before);
    };
    let long = "a-name-that-is-too-long".to_owned();
    refused(
        "tcp",
        vec![
            SocketOption::ReceiveBuffer(0),
            SocketOption::ReceiveBuffer(u32::MAX),
            SocketOption::SendBuffer(2047),
            SocketOption::HopLimit(0),
            SocketOption::KeepAlive(999),
            SocketOption::KeepAlive(u32::MAX),
            SocketOption::KeepAliveInterval(0),
            SocketOption::KeepAliveInterval(32_767_001),
            SocketOption::KeepAliveCount(0),
            SocketOption::KeepAliveCount(128),
            SocketOption::UserTimeout(u32::MAX),
            SocketOption::Linger(Some(u32::MAX)),
            SocketOption::BindToDevice(long.clone()),
        ],
    );
    for kind in ["udp", "icmp", "raw 1"] {
        refused(
            kind,
            vec![
                SocketOption::HopLimit(0),
                SocketOption::ReceiveBuffer(1),
                SocketOption::MulticastInterface(long.clone()),
                SocketOption::BindToDevice(long.clone()),
            ],
        );
    }
    let file = socket(&left, "udp");
    for option in
        [SocketOption::MulticastInterface("eth9".into()), SocketOption::BindToDevice("eth9".into())]
    {
        assert_eq!(file.try_control::<SetOption>(&option), Err(Error::NoDevice), "{option:?}");
    }
    // What decides who shares an address comes before the address.
    for line in ["reuse-address on", "reuse-port on", "only-ipv6 on", "bind-to-device eth0"] {
        let lines = format!("bind 10.0.0.1:7\noption {line}");
        assert_eq!(told(&left, "udp", &lines).map(|_| ()), Err(Error::InvalidInput), "{line}");
    }
    let device = left.open("eth0");
    left.write(&device, "socket udp\noption bind-to-device eth0").unwrap();
    assert_eq!(
        device.try_control::<SetOption>(&SocketOption::BindToDevice("lo".into())),
        Err(Error::InvalidInput)
    );
}

#[test]
fn options_that_a_kind_does_not_have_are_not_available() {
    let world = World::new(4);
    let (left, _right) = hosts(&world);
    let refused = |kind: &str, lines: &[&str]| {
        for line in lines {
            let outcome = told(&left, kind, &format!("option {line}")).map(|_| ());
            assert_eq!(outcome, Err(Error::ProtocolOptionNotAvailable), "{kind}: {line}");
        }
    };
    let of_streams = [
        "no-delay on",
        "send-buffer 4096",
        "keep-alive 5000",
        "keep-alive-interval 5000",
        "keep-alive-count 3",
        "user-timeout 5",
        "linger 0",
    ];
    for kind in ["udp", "icmp", "raw 1", "raw6 58"] {
        refused(kind, &of_streams);
    }
    refused("udp", &["header-included on"]);
    refused("icmp", &["header-included on"]);
    refused("raw 1", &["only-ipv6 on"]);
    refused(
        "tcp",
        &[
            "broadcast on",
            "dont-fragment on",
            "multicast-interface eth0",
            "multicast-hop-limit 4",
            "multicast-loop off",
            "receive-errors on",
            "header-included on",
            "nonsense 5",
        ],
    );
    let status = left.open("sockets");
    assert_eq!(left.write(&status, "option broadcast on"), Err(Error::InvalidInput));
    assert_eq!(status.try_control::<GetOptions>(&()), Err(Error::InvalidInput));
    assert_eq!(status.try_control::<TakeError>(&()), Err(Error::InvalidInput));
}

#[test]
fn connected_sockets_tell_their_path_and_their_error() {
    let world = World::new(5);
    let (left, _right) = hosts(&world);
    world.run(async {
        let file = socket(&left, "udp");
        assert_eq!(options(&file).path_mtu, None);
        file.control::<Connect>(&"10.0.0.2:9".parse().unwrap()).await.unwrap();
        assert_eq!(options(&file).path_mtu, Some(1500));
        left.control::<SetMtu>("eth0", &1400).unwrap();
        assert_eq!(options(&file).path_mtu, Some(1400));
        assert_eq!(file.try_control::<ReceiveError>(&()), Err(Error::WouldBlock));
        file.write_all(b"nobody there").await.unwrap();
        world.sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(file.try_control::<TakeError>(&()), Ok(Some(Error::ConnectionRefused)));
        assert_eq!(file.try_control::<TakeError>(&()), Ok(None));
        // Nothing is left for the next call.
        file.write_all(b"again").await.unwrap();
    });
}

#[test]
fn streams_tell_their_path_and_error_and_inherit_what_their_listener_had() {
    let world = World::new(8);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener = right.open("sockets");
        listener
            .write_all(b"socket tcp\noption no-delay on\noption linger 0\nbind *:80\nlisten\n")
            .await
            .unwrap();
        assert!(stream(&listener).no_delay);
        let client = left.open("sockets");
        client.write_all(b"socket tcp\nconnect 10.0.0.2:80\n").await.unwrap();
        let offer = listener.control::<NextConnection>(&()).await.unwrap();
        let server = right.open("sockets");
        server.control::<Accept>(&offer.token).await.unwrap();
        assert_eq!((stream(&server).no_delay, stream(&server).linger), (true, Some(0)));
        assert_eq!(options(&server).path_mtu, Some(1500));
        assert_eq!(client.try_control::<TakeError>(&()), Ok(None));
        // Closing with unread data, or without lingering, resets.
        client.write_all(b"unread").await.unwrap();
        world.sleep(std::time::Duration::from_millis(100)).await;
        drop(server);
        world.sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(client.try_control::<TakeError>(&()), Ok(Some(Error::ConnectionReset)));
        assert_eq!(client.try_control::<TakeError>(&()), Ok(None));
    });
}

#[test]
fn a_stream_bound_to_a_device_uses_no_other() {
    let world = World::new(6);
    let (left, _right) = hosts(&world);
    let file = socket(&left, "tcp");
    left.write(&file, "option bind-to-device lo").unwrap();
    assert_eq!(
        file.try_control::<Bind>(&"10.0.0.1:80".parse().unwrap()),
        Err(Error::AddressNotAvailable)
    );
    file.try_control::<Bind>(&"127.0.0.1:80".parse().unwrap()).unwrap();
    assert_eq!(left.write(&file, "option bind-to-device any"), Err(Error::InvalidInput));
    left.write(&file, "listen").unwrap();
    assert_eq!(options(&file).kind, SocketKind::Tcp);
}

#[test]
fn the_bytes_of_the_vocabulary_never_change() {
    let numbers: Vec<u32> = [
        CreateSocket::IDENTIFIER,
        SetOption::IDENTIFIER,
        GetOptions::IDENTIFIER,
        TakeError::IDENTIFIER,
        JoinGroup::IDENTIFIER,
        LeaveGroup::IDENTIFIER,
        ReceiveError::IDENTIFIER,
        ListGroups::IDENTIFIER,
    ]
    .iter()
    .map(|identifier| identifier.raw() & 0xff)
    .collect();
    assert_eq!(numbers, [96, 104, 108, 109, 110, 111, 112, 113]);
    for (kind, bytes) in [
        (SocketKind::Tcp, &[0][..]),
        (SocketKind::Udp, &[1]),
        (SocketKind::Icmp, &[2]),
        (SocketKind::Raw(47), &[3, 47]),
        (SocketKind::Raw6(58), &[4, 58]),
    ] {
        assert_eq!(encode(&kind).unwrap(), bytes, "{kind:?}");
    }
    for (option, bytes) in [
        (SocketOption::NoDelay(true), &[0, 1][..]),
        (SocketOption::ReceiveBuffer(300), &[1, 0xac, 2]),
        (SocketOption::SendBuffer(1), &[2, 1]),
        (SocketOption::HopLimit(64), &[3, 64]),
        (SocketOption::Broadcast(false), &[4, 0]),
        (SocketOption::KeepAlive(1), &[5, 1]),
        (SocketOption::KeepAliveInterval(1), &[6, 1]),
        (SocketOption::KeepAliveCount(200), &[7, 200]),
        (SocketOption::UserTimeout(128), &[8, 0x80, 1]),
        (SocketOption::Linger(None), &[9, 0]),
        (SocketOption::Linger(Some(7)), &[9, 1, 7]),
        (SocketOption::ReuseAddress(true), &[10, 1]),
        (SocketOption::ReusePort(true), &[11, 1]),
        (SocketOption::TrafficClass(0x10), &[12, 0x10]),
        (SocketOption::DontFragment(true), &[13, 1]),
        (SocketOption::MulticastInterface("lo".into()), &[14, 2, b'l', b'o']),
        (SocketOption::MulticastHopLimit(1), &[15, 1]),
        (SocketOption::MulticastLoop(true), &[16, 1]),
        (SocketOption::ReceiveErrors(true), &[17, 1]),
        (SocketOption::HeaderIncluded(true), &[18, 1]),
        (SocketOption::OnlyIpv6(true), &[19, 1]),
        (SocketOption::BindToDevice(String::new()), &[20, 0]),
    ] {
        assert_eq!(encode(&option).unwrap(), bytes, "{option:?}");
    }
    let membership = Membership { group: "239.1.2.3".parse().unwrap(), interface: "lo".into() };
    assert_eq!(encode(&membership).unwrap(), [0, 239, 1, 2, 3, 2, b'l', b'o']);
    let entry =
        GroupEntry { group: "224.0.0.1".parse().unwrap(), interface: "lo".into(), sockets: 5 };
    assert_eq!(encode(&entry).unwrap(), [0, 224, 0, 0, 1, 2, b'l', b'o', 5]);
    let report = ErrorReport {
        error: Error::Protocol,
        origin: ErrorOrigin::Icmp,
        kind: 3,
        code: 4,
        information: 1400,
        reporter: Some("10.0.0.1".parse().unwrap()),
        remote: SocketAddr::from(([10, 0, 0, 2], 7)),
        packet: vec![0x45],
    };
    let expected = [
        encode(&Error::Protocol).unwrap(),
        vec![1, 3, 4, 0xf8, 10, 1, 0, 10, 0, 0, 1, 0, 10, 0, 0, 2, 7, 1, 0x45],
    ];
    assert_eq!(encode(&report).unwrap(), expected.concat());
    let world = World::new(7);
    let (left, _right) = hosts(&world);
    let bytes = encode(&options(&socket(&left, "udp"))).unwrap();
    assert_eq!(bytes, [1, 64, 0, 0x80, 0x80, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0]);
}
