//! Every error where Linux has it, from Rust and through files; reported once, and what is left
//! behind as Linux leaves it.
//!
//! Each test names the call and the number that Linux answers with, as its kernel was seen to do.

use std::time::Duration;

use devnet_network::command::socket::{Direction, OutgoingDatagram, SocketKind, SocketOption};
use devnet_network::command::{
    Accept, AddRoute, Bind, Connect, CreateSocket, FindRoute, JoinGroup, LeaveGroup, Listen,
    NextConnection, ReceiveFrom, SendTo, SetOption, Shutdown, TakeError, multicast::Membership,
    route::NewRoute,
};
use devnet_network::{TcpListener, TcpSettings, TcpStream, UdpSocket};
use devnet_virtual_file_system::{Error, File, Readiness};
use futures_lite::future;
use world::{Host, World};

use crate::pair::{connection, hosts};
use crate::station;
use crate::wire::{ACK, FIN, HOST, PEER, RST, SYN, Segment, Wire};

/// A file that became a socket, and did what the lines say. (What is written to a datagram socket
/// later is data.)
fn socket(host: &Host, lines: &str) -> File {
    let file = host.open("sockets");
    host.write(&file, &format!("socket {lines}")).unwrap();
    file
}

/// What becomes of a file that should become a socket and do what the lines say.
fn attempt(host: &Host, lines: &str) -> Result<(), Error> {
    host.write(&host.open("sockets"), &format!("socket {lines}"))
}

/// A connection of two files, from the first host to the second.
async fn files(left: &Host, right: &Host, port: u16) -> (File, File) {
    let (listener, client, server) =
        (socket(right, "tcp"), socket(left, "tcp"), right.open("sockets"));
    listener.control::<Bind>(&(std::net::Ipv4Addr::new(10, 0, 0, 2), port).into()).await.unwrap();
    listener.control::<Listen>(&4).await.unwrap();
    client.write_all(format!("connect 10.0.0.2:{port}").as_bytes()).await.unwrap();
    let offer = listener.control::<NextConnection>(&()).await.unwrap();
    server.control::<Accept>(&offer.token).await.unwrap();
    (client, server)
}

/// Everything that is ready now.
async fn readiness(file: &File) -> Readiness {
    let all = Readiness::READABLE | Readiness::WRITABLE | Readiness::ERROR | Readiness::HANG_UP;
    future::poll_once(file.ready(all)).await.map_or(Readiness::empty(), Result::unwrap)
}

/// What every stream that failed is like afterwards: `read` 0, `write` EPIPE, `shutdown` ENOTCONN.
async fn is_over(stream: &TcpStream) {
    let mut buffer = [0; 4];
    assert_eq!(stream.read(&mut buffer).await, Ok(0));
    assert_eq!(stream.write(b"x").await, Err(Error::BrokenPipe));
    assert_eq!(stream.shutdown(Direction::Write), Err(Error::NotConnected));
    assert_eq!(stream.take_error(), None);
}

/// The same of a file.
async fn file_is_over(file: &File) {
    let mut buffer = [0; 4];
    assert_eq!(file.read(&mut buffer).await, Ok(0));
    assert_eq!(file.write(b"x").await, Err(Error::BrokenPipe));
    assert_eq!(file.control::<Shutdown>(&Direction::Write).await, Err(Error::NotConnected));
    assert_eq!(file.control::<TakeError>(&()).await, Ok(None));
}

/// `connect` to a closed port: ECONNREFUSED; the socket can be connected again. `recv` and `send`
/// of a connected UDP socket whose peer said so: ECONNREFUSED once, then as if nothing had been.
#[test]
fn connection_refused() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    world.run(async {
        let to = "10.0.0.2:81".parse().unwrap();
        assert_eq!(
            TcpStream::connect(&left.sockets(), to).await.unwrap_err(),
            Error::ConnectionRefused
        );
        let file = socket(&left, "tcp");
        assert_eq!(file.write_all(b"connect 10.0.0.2:81").await, Err(Error::ConnectionRefused));
        assert_eq!(file.control::<Connect>(&to).await, Err(Error::ConnectionRefused));
        assert_eq!(file.control::<TakeError>(&()).await, Ok(None));
        assert_eq!(file.read(&mut [0; 4]).await, Err(Error::NotConnected));
        let _listener = TcpListener::bind(&right.sockets(), to, 4).unwrap();
        file.write_all(b"connect 10.0.0.2:81").await.unwrap();

        let datagrams = UdpSocket::new(&left.sockets());
        datagrams.connect("10.0.0.2:9".parse().unwrap()).unwrap();
        let file = socket(&left, "udp\nconnect 10.0.0.2:9");
        for sent in [true, false] {
            datagrams.send(b"x").await.unwrap();
            file.write_all(b"x").await.unwrap();
            world.sleep(Duration::from_millis(20)).await;
            let mut buffer = [0; 4];
            if sent {
                assert_eq!(datagrams.send(b"x").await, Err(Error::ConnectionRefused));
                assert_eq!(file.write(b"x").await, Err(Error::ConnectionRefused));
            } else {
                assert_eq!(datagrams.receive().await.unwrap_err(), Error::ConnectionRefused);
                assert_eq!(file.read(&mut buffer).await, Err(Error::ConnectionRefused));
            }
            assert_eq!(datagrams.try_receive_message(&mut buffer).unwrap_err(), Error::WouldBlock);
            assert_eq!(file.try_read(&mut buffer), Err(Error::WouldBlock));
        }
    });
}

/// `recv`, `send` or SO_ERROR after a reset: ECONNRESET once, whoever asks first; what was received
/// before is read before.
#[test]
fn connection_reset() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    world.run(async {
        let mut buffer = [0; 16];
        let moment = || world.sleep(Duration::from_millis(20));
        for first in ["read", "write", "error"] {
            let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
            let (file, other) = files(&left, &right, 81).await;
            server.write_all(b"last words").await.unwrap();
            other.write_all(b"last words").await.unwrap();
            moment().await;
            server.abort();
            other.control::<SetOption>(&SocketOption::Linger(Some(0))).await.unwrap();
            drop(other);
            moment().await;
            let everything =
                Readiness::READABLE | Readiness::WRITABLE | Readiness::ERROR | Readiness::HANG_UP;
            assert!(
                readiness(&file)
                    .await
                    .contains(Readiness::READABLE | Readiness::WRITABLE | Readiness::ERROR)
            );
            if first == "read" {
                assert_eq!(client.read(&mut buffer).await, Ok(10));
                assert_eq!(file.read(&mut buffer).await, Ok(10));
                assert_eq!(readiness(&file).await, everything);
                assert_eq!(client.read(&mut buffer).await, Err(Error::ConnectionReset));
                assert_eq!(file.read(&mut buffer).await, Err(Error::ConnectionReset));
            } else {
                if first == "write" {
                    assert_eq!(client.write(b"x").await, Err(Error::ConnectionReset));
                    assert_eq!(file.write(b"x").await, Err(Error::ConnectionReset));
                } else {
                    assert_eq!(client.take_error(), Some(Error::ConnectionReset));
                    assert_eq!(
                        file.control::<TakeError>(&()).await,
                        Ok(Some(Error::ConnectionReset))
                    );
                }
                assert_eq!(client.read(&mut buffer).await, Ok(10));
                assert_eq!(file.read(&mut buffer).await, Ok(10));
            }
            assert_eq!(readiness(&file).await, everything.difference(Readiness::ERROR));
            is_over(&client).await;
            file_is_over(&file).await;
        }
        // A connection that was reset while it waited is accepted all the same; its first `recv`
        // tells.
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:82".parse().unwrap(), 4).unwrap();
        TcpStream::connect(&left.sockets(), "10.0.0.2:82").await.unwrap().abort();
        moment().await;
        let accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.read(&mut buffer).await, Err(Error::ConnectionReset));
        is_over(&accepted).await;
    });
}

/// TCP-R-12. A reset behind the peer's FIN: `recv` goes on to say 0, `send` says EPIPE, SO_ERROR is
/// EPIPE.
#[test]
fn tcp_r_12_a_reset_after_the_end_is_told_to_writers_only() {
    let world = World::new(3);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = TcpListener::bind(&host.sockets(), (HOST, 80).into(), 4).unwrap();
        for port in [5000, 5001] {
            let (_, ours, theirs) = wire.open(&world, port, 80).await;
            let stream = listener.accept().await.unwrap();
            wire.exchange(&world, Some(&Segment::new(port, 80, FIN | ACK, ours, theirs))).await;
            wire.exchange(&world, Some(&Segment::new(port, 80, RST, ours.wrapping_add(1), theirs)))
                .await;
            if port == 5000 {
                assert_eq!(stream.read(&mut [0; 4]).await, Ok(0));
                assert_eq!(stream.take_error(), Some(Error::BrokenPipe));
            } else {
                assert_eq!(stream.write(b"x").await, Err(Error::BrokenPipe));
            }
            is_over(&stream).await;
        }
    });
}

/// A connection that the system ends itself (`ss -K`; here its address is removed): ECONNABORTED
/// once; the peer sees ECONNRESET.
#[test]
fn connection_aborted() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        let (file, other) = files(&left, &right, 81).await;
        left.write(&left.open("eth0"), "address remove 10.0.0.1/24").unwrap();
        world.sleep(Duration::from_millis(20)).await;
        let mut buffer = [0; 4];
        assert_eq!(client.read(&mut buffer).await, Err(Error::ConnectionAborted));
        assert_eq!(file.write(b"x").await, Err(Error::ConnectionAborted));
        is_over(&client).await;
        file_is_over(&file).await;
        assert_eq!(server.write(b"x").await, Err(Error::ConnectionReset));
        assert_eq!(other.read(&mut buffer).await, Err(Error::ConnectionReset));
    });
}

/// `connect` to a station that never answers: ETIMEDOUT after six SYNs, 127 s. Data that is never
/// acknowledged: ETIMEDOUT once.
#[test]
fn timed_out() {
    let world = World::new(5);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let before = world.now();
        let file = socket(&host, "tcp");
        let sockets = host.sockets();
        let (stream, written) = future::zip(
            TcpStream::connect(&sockets, (PEER, 80)),
            file.write_all(b"connect 10.0.0.9:80"),
        )
        .await;
        assert_eq!((stream.unwrap_err(), written), (Error::TimedOut, Err(Error::TimedOut)));
        assert_eq!(world.now().since(before).as_secs(), 127);
        while wire.packet().is_some() {}

        let listener = socket(&host, "tcp");
        for line in ["option user-timeout 5000", "bind 10.0.0.1:80", "listen"] {
            host.write(&listener, line).unwrap();
        }
        let settings = TcpSettings::default().user_timeout(5000);
        let other = TcpListener::bind_with(&sockets, (HOST, 81).into(), 4, settings).unwrap();
        wire.open(&world, 5000, 80).await;
        wire.open(&world, 5000, 81).await;
        let (stream, file) = (other.accept().await.unwrap(), host.open("sockets"));
        let offer = listener.control::<NextConnection>(&()).await.unwrap();
        file.control::<Accept>(&offer.token).await.unwrap();
        stream.write_all(b"lost").await.unwrap();
        file.write_all(b"lost").await.unwrap();
        assert_eq!(stream.read(&mut [0; 4]).await, Err(Error::TimedOut));
        assert_eq!(file.read(&mut [0; 4]).await, Err(Error::TimedOut));
        is_over(&stream).await;
        file_is_over(&file).await;
    });
}

/// `connect` and `recv` when the neighbor does not answer, or a router says so: EHOSTUNREACH.
#[test]
fn host_unreachable() {
    let world = World::new(6);
    let (left, _right) = hosts(&world);
    world.run(async {
        let file = socket(&left, "tcp");
        assert_eq!(
            TcpStream::connect(&left.sockets(), (PEER, 80)).await.unwrap_err(),
            Error::HostUnreachable
        );
        assert_eq!(file.write_all(b"connect 10.0.0.9:80").await, Err(Error::HostUnreachable));
        let datagrams = UdpSocket::new(&left.sockets());
        datagrams.connect((PEER, 9).into()).unwrap();
        let file = socket(&left, "udp\nconnect 10.0.0.9:9");
        datagrams.send(b"x").await.unwrap();
        file.write_all(b"x").await.unwrap();
        assert_eq!(datagrams.receive().await.unwrap_err(), Error::HostUnreachable);
        assert_eq!(file.read(&mut [0; 4]).await, Err(Error::HostUnreachable));
        assert_eq!(file.try_read(&mut [0; 4]), Err(Error::WouldBlock));
    });
}

/// ICE-06, RFC 1122 §4.2.3.9. ICMP ends a `connect` with its error at once (RFC 5461 calls that
/// wise); an open connection only remembers it. Source quench (RFC 6633) and errors that quote
/// nothing of ours change nothing.
#[test]
fn ice_06_errors_end_a_connect_and_no_connection() {
    let world = World::new(7);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let quoting = |kind: u8, code: u8, sent: &Segment, sequence: u32| {
            let mut quote = vec![0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0];
            quote.extend(HOST.octets());
            quote.extend(PEER.octets());
            quote.extend(sent.host.to_be_bytes());
            quote.extend(sent.peer.to_be_bytes());
            quote.extend(sequence.to_be_bytes());
            crate::wire::ipv4(PEER, HOST, 1, &station::icmp(kind, code, [0; 4], &quote))
        };
        for (kind, code, error) in [
            (3, 0, Some(Error::NetworkUnreachable)),
            (3, 1, Some(Error::HostUnreachable)),
            (3, 2, Some(Error::ProtocolOptionNotAvailable)),
            (3, 3, Some(Error::ConnectionRefused)),
            (3, 9, Some(Error::NetworkUnreachable)),
            (3, 13, Some(Error::HostUnreachable)),
            (11, 0, Some(Error::HostUnreachable)),
            (4, 0, None),
            (5, 1, None),
        ] {
            let file = socket(&host, "tcp");
            let mut connect = Box::pin(file.write_all(b"connect 10.0.0.9:80"));
            assert!(future::poll_once(&mut connect).await.is_none());
            let syn = wire.segment().unwrap();
            wire.put(&quoting(kind, code, &syn, syn.sequence.wrapping_add(1)));
            wire.put(&quoting(kind, code, &syn, syn.sequence.wrapping_sub(1)));
            world.sleep(Duration::from_millis(1)).await;
            assert!(future::poll_once(&mut connect).await.is_none(), "{kind} {code}");
            wire.put(&quoting(kind, code, &syn, syn.sequence));
            world.sleep(Duration::from_millis(1)).await;
            assert_eq!(future::poll_once(&mut connect).await, error.map(Err), "{kind} {code}");
        }
        let listener = TcpListener::bind(&host.sockets(), (HOST, 80).into(), 4).unwrap();
        let (_, ours, theirs) = wire.open(&world, 5000, 80).await;
        let stream = listener.accept().await.unwrap();
        stream.write_all(b"question").await.unwrap();
        let sent = wire.exchange(&world, None).await;
        for (kind, code) in [(3, 1), (3, 2), (3, 3), (3, 13), (11, 0), (4, 0)] {
            wire.put(&quoting(kind, code, &sent[0], sent[0].sequence));
        }
        let answer = Segment::new(5000, 80, ACK, ours, theirs.wrapping_add(8)).data(b"answer");
        wire.exchange(&world, Some(&answer)).await;
        let mut buffer = [0; 16];
        assert_eq!(stream.read(&mut buffer).await, Ok(6));
        assert_eq!(stream.take_error(), None);
    });
}

/// `connect`, `sendto`, and the route itself without a route: ENETUNREACH; also when the interface
/// is down, as its routes are none then.
#[test]
fn network_unreachable() {
    let world = World::new(8);
    let (left, _right) = hosts(&world);
    world.run(async {
        let far = "192.0.2.1:80".parse().unwrap();
        let unreachable = Err(Error::NetworkUnreachable);
        assert_eq!(TcpStream::connect(&left.sockets(), far).await.map(drop), unreachable);
        assert_eq!(UdpSocket::new(&left.sockets()).send_to(b"x", far).await, unreachable);
        assert_eq!(attempt(&left, "tcp\nconnect 192.0.2.1:80"), unreachable);
        assert_eq!(attempt(&left, "udp\nconnect 192.0.2.1:80"), unreachable);
        let datagram = OutgoingDatagram { remote: far, data: b"x".to_vec() };
        assert_eq!(socket(&left, "udp").control::<SendTo>(&datagram).await, unreachable);
        assert_eq!(left.control::<FindRoute>("sockets", &far.ip()).map(drop), unreachable);
        let default = "route add default via 192.0.2.1";
        assert_eq!(left.write(&left.open("eth0"), default), unreachable);
        // Sockets that were made before, on the interface and over all.
        let near = "10.0.0.2:9".parse().unwrap();
        let (routed, file) = (UdpSocket::new(&left.sockets()), left.open("eth0"));
        routed.connect(near).unwrap();
        file.write_all(b"socket udp\nconnect 10.0.0.2:9\n").await.unwrap();
        left.write(&left.open("eth0"), "link down").unwrap();
        assert_eq!(routed.send(b"x").await, unreachable);
        assert_eq!(file.write(b"x").await.map(drop), unreachable);
        let stream = left.open("eth0");
        assert_eq!(stream.write_all(b"socket tcp\nconnect 10.0.0.2:80\n").await, unreachable);
    });
}

/// `bind` and `listen` at what another socket has: EADDRINUSE; joining a group twice: EADDRINUSE.
#[test]
fn address_in_use() {
    let world = World::new(9);
    let (left, _right) = hosts(&world);
    world.run(async {
        let local = "10.0.0.1:80".parse().unwrap();
        let in_use = Error::AddressInUse;
        let listener = socket(&left, "tcp");
        for line in ["bind 10.0.0.1:80", "listen"] {
            left.write(&listener, line).unwrap();
        }
        assert_eq!(TcpListener::bind(&left.sockets(), local, 4).unwrap_err(), in_use);
        assert_eq!(attempt(&left, "tcp\nbind 0.0.0.0:80"), Err(in_use));
        let datagrams = UdpSocket::new(&left.sockets());
        datagrams.bind(local).unwrap();
        assert_eq!(UdpSocket::new(&left.sockets()).bind(local), Err(in_use));
        assert_eq!(attempt(&left, "udp\nbind *:80"), Err(in_use));
        assert_eq!(socket(&left, "udp").try_control::<Bind>(&local), Err(in_use));
        assert_eq!(attempt(&left, "udp\njoin 239.1.2.3 eth0\njoin 239.1.2.3 eth0"), Err(in_use));
    });
}

/// `bind` to an address that is not ours, `connect` by a pair that is in use, leaving a group that
/// was not joined, removing an address that is not there: EADDRNOTAVAIL.
#[test]
fn address_not_available() {
    let world = World::new(10);
    let (left, right) = hosts(&world);
    world.run(async {
        let (foreign, missing) = ("10.0.0.77:80".parse().unwrap(), Error::AddressNotAvailable);
        assert_eq!(TcpListener::bind(&left.sockets(), foreign, 4).unwrap_err(), missing);
        assert_eq!(UdpSocket::new(&left.sockets()).bind(foreign), Err(missing));
        assert_eq!(attempt(&left, "tcp\nbind 10.0.0.77:80"), Err(missing));
        assert_eq!(attempt(&left, "udp\nbind [fd00::77]:80"), Err(missing));
        assert_eq!(left.write(&left.open("eth0"), "address remove 10.0.0.77/24"), Err(missing));
        let membership =
            Membership { group: "239.1.2.3".parse().unwrap(), interface: "eth0".into() };
        assert_eq!(socket(&left, "udp").try_control::<LeaveGroup>(&membership), Err(missing));
        let _listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 4).unwrap();
        let (first, second) = (socket(&left, "tcp"), socket(&left, "tcp"));
        first.write_all(b"bind 10.0.0.1:4000\nconnect 10.0.0.2:80\n").await.unwrap();
        assert_eq!(
            second.write_all(b"bind 10.0.0.1:4000\nconnect 10.0.0.2:80\n").await,
            Err(missing)
        );
    });
}

/// `recv`, `shutdown` and the rest of a socket that is not connected: ENOTCONN. (A datagram without
/// destination is EDESTADDRREQ on Linux, ENOTCONN here.)
#[test]
fn not_connected() {
    let world = World::new(11);
    let (left, _right) = hosts(&world);
    world.run(async {
        let file = socket(&left, "tcp");
        let nothing = Err(Error::NotConnected);
        assert_eq!(file.read(&mut [0; 4]).await.map(drop), nothing);
        assert_eq!(file.control::<Shutdown>(&Direction::Both).await, nothing);
        assert_eq!(left.write(&file, "shutdown write"), nothing);
        assert_eq!(UdpSocket::new(&left.sockets()).send(b"x").await, nothing);
        let datagrams = socket(&left, "udp");
        assert_eq!(datagrams.write(b"x").await.map(drop), nothing);
        assert_eq!(datagrams.control::<Shutdown>(&Direction::Write).await, nothing);
        assert_eq!(left.write(&left.open("eth0"), "dhcp renew"), nothing);
    });
}

/// `connect` of a connected socket or a listener: EISCONN; `listen` and `bind` of a connected one:
/// EINVAL; `listen` of a listener changes its backlog.
#[test]
fn already_connected() {
    let world = World::new(12);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, _server) = files(&left, &right, 80).await;
        let to = "10.0.0.2:80".parse().unwrap();
        assert_eq!(client.control::<Connect>(&to).await, Err(Error::AlreadyConnected));
        assert_eq!(client.control::<Listen>(&4).await, Err(Error::InvalidInput));
        assert_eq!(
            client.control::<Bind>(&"10.0.0.1:0".parse().unwrap()).await,
            Err(Error::InvalidInput)
        );
        let listener = socket(&left, "tcp");
        left.write(&listener, "listen 1").unwrap();
        assert_eq!(listener.write_all(b"connect 10.0.0.2:80").await, Err(Error::AlreadyConnected));
        assert_eq!(left.write(&listener, "bind 10.0.0.1:0"), Err(Error::InvalidInput));
        left.write(&listener, "listen 7").unwrap();
        let status = listener.control::<devnet_network::command::GetSocket>(&()).await.unwrap();
        assert_eq!(status.send_queue, 7);
        assert_eq!(socket(&left, "udp").control::<Listen>(&4).await, Err(Error::Unsupported));
    });
}

/// `send` of more than a datagram holds, or than the path takes when nobody may cut it: EMSGSIZE.
#[test]
fn message_too_long() {
    let world = World::new(13);
    let (left, right) = hosts(&world);
    world.run(async {
        let long = Err(Error::MessageTooLong);
        let near = "10.0.0.2:9".parse().unwrap();
        let receiver = UdpSocket::new(&right.sockets());
        receiver.bind(near).unwrap();
        let sender = UdpSocket::new(&left.sockets());
        sender.connect(near).unwrap();
        let file = socket(&left, "udp\nconnect 10.0.0.2:9");
        assert_eq!(sender.send(&[0; 65_508]).await, long);
        assert_eq!(file.write(&[0; 65_508]).await.map(drop), long);
        sender.send(&[0; 65_507]).await.unwrap();
        sender.set_dont_fragment(true);
        file.control::<SetOption>(&SocketOption::DontFragment(true)).await.unwrap();
        assert_eq!(sender.send(&[0; 1473]).await, long);
        assert_eq!(file.write(&[0; 1473]).await.map(drop), long);
        sender.send(&[0; 1472]).await.unwrap();
        assert_eq!(file.write(&[0; 1472]).await, Ok(1472));
        let line = format!("address add {}", "1".repeat(5000));
        assert_eq!(left.write(&left.open("eth0"), &line), long);
    });
}

/// `send` after `shutdown(SHUT_WR)`: EPIPE, each time; reading goes on. A second shutdown is no
/// error.
#[test]
fn broken_pipe() {
    let world = World::new(14);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        let (file, other) = files(&left, &right, 81).await;
        for _ in 0..2 {
            client.shutdown(Direction::Write).unwrap();
            file.control::<Shutdown>(&Direction::Write).await.unwrap();
            assert_eq!(client.write(b"x").await, Err(Error::BrokenPipe));
            assert_eq!(file.write(b"x").await, Err(Error::BrokenPipe));
        }
        server.write_all(b"still").await.unwrap();
        other.write_all(b"still").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(client.read(&mut buffer).await, Ok(5));
        assert_eq!(file.read(&mut buffer).await, Ok(5));
        // Both ends over: `shutdown` is ENOTCONN.
        drop((server, other));
        world.sleep(Duration::from_millis(20)).await;
        is_over(&client).await;
        file_is_over(&file).await;
    });
}

/// `recv` of nothing, `send` into what is full, `accept` of nobody, all without waiting: EAGAIN.
/// One group too many, one address too many: ENOBUFS.
#[test]
fn would_block_and_no_buffer_space() {
    let world = World::new(15);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        let (file, other) = files(&left, &right, 81).await;
        let mut buffer = [0; 16];
        assert_eq!(server.try_read(&mut buffer), Err(Error::WouldBlock));
        assert_eq!(other.try_read(&mut buffer), Err(Error::WouldBlock));
        for _ in 0..100 {
            if client.try_write(&[0; 65_536]).is_err() && file.try_write(&[0; 65_536]).is_err() {
                break;
            }
            world.sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(client.try_write(b"x"), Err(Error::WouldBlock));
        assert_eq!(file.try_write(b"x"), Err(Error::WouldBlock));
        assert!(!readiness(&file).await.contains(Readiness::WRITABLE));
        let listener =
            TcpListener::bind(&left.sockets(), "10.0.0.1:80".parse().unwrap(), 4).unwrap();
        assert_eq!(listener.try_accept().unwrap_err(), Error::WouldBlock);
        let datagrams = socket(&left, "udp");
        assert_eq!(datagrams.try_control::<ReceiveFrom>(&()), Err(Error::WouldBlock));
        let group = |number: usize| Membership {
            group: std::net::Ipv4Addr::from_bits(0xef01_0000 + number as u32).into(),
            interface: "eth0".into(),
        };
        for number in 0..devnet_network::limits::MEMBERSHIPS {
            datagrams.control::<JoinGroup>(&group(number)).await.unwrap();
        }
        let one_more = group(devnet_network::limits::MEMBERSHIPS);
        assert_eq!(datagrams.control::<JoinGroup>(&one_more).await, Err(Error::NoBufferSpace));
        let device = left.open("eth0");
        let outcome = (0..devnet_network::limits::ADDRESSES).find_map(|number| {
            left.write(&device, &format!("address add 192.0.2.{number}/32")).err()
        });
        assert_eq!(outcome, Some(Error::NoBufferSpace));
    });
}

/// What stands on an interface that goes ends with ENETDOWN, once (packet(7)); a route over one
/// that is down: ENETDOWN.
#[test]
fn network_down() {
    let world = World::new(16);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, _server) = connection(&left, &right, "10.0.0.2:80").await;
        let (file, _other) = files(&left, &right, 81).await;
        let (listener, datagrams) = (left.open("eth0"), left.open("eth0"));
        listener.write_all(b"socket tcp\nbind *:80\nlisten\n").await.unwrap();
        datagrams.write_all(b"socket udp\nbind *:7\n").await.unwrap();
        let device = left.open("eth0");
        left.write(&device, "link down").unwrap();
        let new = NewRoute {
            destination: "192.0.2.0/24".parse().unwrap(),
            gateway: None,
            metric: 0,
            interface: None,
            append: false,
        };
        assert_eq!(device.try_control::<AddRoute>(&new), Err(Error::NetworkDown));
        left.write(&device, "link up").unwrap();
        left.manager.unregister("eth0").unwrap();
        let mut buffer = [0; 128];
        assert_eq!(client.read(&mut buffer).await, Err(Error::NetworkDown));
        assert_eq!(file.read(&mut buffer).await, Err(Error::NetworkDown));
        is_over(&client).await;
        file_is_over(&file).await;
        // The device itself is gone.
        assert_eq!(listener.read(&mut buffer).await, Err(Error::NoDevice));
        assert_eq!(datagrams.read(&mut buffer).await, Err(Error::NoDevice));
    });
}

/// `connect` while one is under way: EALREADY; `bind` and `listen` then: EINVAL; `recv` waits for
/// it, and `poll` wakes when it is over.
#[test]
fn connect_in_progress() {
    let world = World::new(17);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        for answered in [true, false] {
            let file = socket(&host, "tcp");
            let (connecting, reader, poller) = (file.clone(), file.clone(), file.clone());
            let connect = world.spawn(async move {
                connecting.control::<Connect>(&(PEER, 80).into()).await.map(drop)
            });
            world.sleep(Duration::from_millis(1)).await;
            assert_eq!(
                file.control::<Connect>(&(PEER, 80).into()).await,
                Err(Error::AlreadyInProgress)
            );
            assert_eq!(host.write(&file, "connect 10.0.0.9:80"), Err(Error::AlreadyInProgress));
            assert_eq!(host.write(&file, "bind 10.0.0.1:0"), Err(Error::InvalidInput));
            assert_eq!(host.write(&file, "listen"), Err(Error::InvalidInput));
            assert_eq!(
                file.control::<CreateSocket>(&SocketKind::Udp).await,
                Err(Error::InvalidInput)
            );
            assert_eq!(file.try_read(&mut [0; 4]), Err(Error::WouldBlock));
            // What is set meanwhile holds.
            host.write(&file, "option hop-limit 9").unwrap();
            let read = world.spawn(async move {
                let mut buffer = [0; 4];
                reader.read(&mut buffer).await
            });
            let ready = world.spawn(async move { poller.ready(Readiness::WRITABLE).await });
            world.sleep(Duration::from_millis(1)).await;
            assert!(!ready.is_finished() && !read.is_finished());
            let syn =
                std::iter::from_fn(|| wire.segment()).find(|segment| segment.flags == SYN).unwrap();
            let flags = if answered { SYN | ACK } else { RST | ACK };
            let answer = Segment::new(80, syn.host, flags, 7, syn.end());
            let sent = wire.exchange(&world, Some(&answer)).await;
            if answered {
                assert_eq!(connect.await, Ok(()));
                assert!(ready.await.unwrap().contains(Readiness::WRITABLE));
                let theirs = sent[0].sequence;
                wire.exchange(
                    &world,
                    Some(&Segment::new(80, syn.host, ACK, 8, theirs).data(b"ab")),
                )
                .await;
                assert_eq!(read.await, Ok(2));
                file.write_all(b"x").await.unwrap();
                assert!(
                    wire.exchange(&world, None).await.iter().all(|segment| segment.hop_limit == 9)
                );
            } else {
                assert_eq!(connect.await, Err(Error::ConnectionRefused));
                assert!(ready.await.unwrap().contains(Readiness::HANG_UP));
                assert_eq!(read.await, Err(Error::NotConnected));
                assert_eq!(host.write(&file, "option hop-limit 0"), Err(Error::InvalidInput));
                let options =
                    file.control::<devnet_network::command::GetOptions>(&()).await.unwrap();
                assert_eq!(options.hop_limit, 9);
            }
        }
    });
}
