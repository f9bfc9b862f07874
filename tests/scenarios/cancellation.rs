//! Dropping a future at every await: nothing is lost beyond what its `# Cancel safety` says,
//! nothing is left behind, all goes on working.
//!
//! Each public asynchronous function has an entry in [`CASES`]; one without is found by
//! [`every_asynchronous_function_has_a_case`].

mod scene;
mod waits;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use devnet_network::command::dns::{Query, Question, RecordData, RecordKind};
use devnet_network::command::mdns::ServiceBrowse;
use devnet_network::command::record::RecordType;
use devnet_network::command::socket::Direction;
use devnet_network::platform::{Instant, before};
use devnet_network::socket::embedded_nal::{ConnectedSocket, UnconnectedSocket};
use devnet_network::{
    Sockets, TcpListener, TcpReadHalf, TcpSettings, TcpStream, TcpWriteHalf, UdpSocket,
};
use devnet_virtual_file_system::Error;
use embedded_nal_async::{AddrType, ConnectedUdp, Dns, TcpConnect, UdpStack, UnconnectedUdp};
use futures_lite::future;

use self::scene::{Boxed, Cut, Scene, at_every_await};
use crate::pair::{connection, pattern, read_to_end};

const SERVER: &str = "10.0.0.2:80";

/// Something that takes bytes from a socket of any type.
type Taking<S> = for<'a> fn(&'a mut S, &'a mut [u8]) -> Boxed<'a, Result<usize, Error>>;
/// Something that gives bytes to one.
type Giving<S, T> = for<'a> fn(&'a mut S, &'a [u8]) -> Boxed<'a, Result<T, Error>>;

/// The tests, each with the functions that it cancels: a type's, or those of a trait on our types.
macro_rules! cases {
    ($($test:ident: [$($function:literal),+] = $case:expr;)+) => {
        const CASES: &[&str] = &[$($($function),+),+];

        $(#[test]
        fn $test() {
            at_every_await(|scene, cut| Box::pin($case(scene, cut)));
        })+
    };
}

/// Both owned halves of a stream.
type Halves = (TcpReadHalf, TcpWriteHalf);

cases! {
    accept: ["TcpListener::accept"] = accepting;
    connect: ["TcpStream::connect"] = |scene, cut| {
        connecting(scene, cut, |sockets| {
            Box::pin(async { TcpStream::connect(sockets, server()).await })
        })
    };
    connect_with: ["TcpStream::connect_with"] = |scene, cut| {
        connecting(scene, cut, |sockets| Box::pin(async {
            let local = Some("10.0.0.1:4000".parse().unwrap());
            TcpStream::connect_with(sockets, local, server(), &TcpSettings::default()).await
        }))
    };
    connect_by_name: ["TcpStream::connect"] = |scene, cut| {
        connecting(scene, cut, |sockets| {
            Box::pin(async { TcpStream::connect(sockets, "web.lan:80").await })
        })
    };
    connect_nal: ["TcpConnect::connect"] = |scene, cut| {
        connecting(scene, cut, |sockets| Box::pin(TcpConnect::connect(sockets, server())))
    };
    connect_to_nobody: ["TcpStream::connect"] = connecting_to_nobody;
    read: ["TcpStream::read", "Read::read"] = |scene, cut| {
        reading(scene, cut, |stream| stream, |stream: &mut TcpStream, buffer| {
            Box::pin(stream.read(buffer))
        })
    };
    read_half: ["TcpReadHalf::read"] = |scene, cut| {
        reading(scene, cut, TcpStream::into_split, |halves: &mut Halves, buffer| {
            Box::pin(halves.0.read(buffer))
        })
    };
    peek: ["TcpStream::peek"] = peeking;
    write: ["TcpStream::write", "Write::write"] = |scene, cut| {
        writing(scene, cut, |stream| stream, |stream: &mut TcpStream, data| {
            Box::pin(stream.write(data))
        })
    };
    write_half: ["TcpWriteHalf::write"] = |scene, cut| {
        writing(scene, cut, TcpStream::into_split, |halves: &mut Halves, data| {
            Box::pin(halves.1.write(data))
        })
    };
    write_all: ["TcpStream::write_all"] = |scene, cut| {
        writing_all(scene, cut, |stream| stream, |stream: &mut TcpStream, data| {
            Box::pin(stream.write_all(data))
        })
    };
    write_all_half: ["TcpWriteHalf::write_all"] = |scene, cut| {
        writing_all(scene, cut, TcpStream::into_split, |halves: &mut Halves, data| {
            Box::pin(halves.1.write_all(data))
        })
    };
    flush: ["TcpStream::flush", "Write::flush"] = |scene, cut| {
        flushing(scene, cut, |stream| stream, |stream: &mut TcpStream| Box::pin(stream.flush()))
    };
    flush_half: ["TcpWriteHalf::flush"] = |scene, cut| {
        flushing(scene, cut, TcpStream::into_split, |halves: &mut (TcpReadHalf, TcpWriteHalf)| {
            Box::pin(halves.1.flush())
        })
    };
    receive: ["DatagramSocket::receive"] = |scene, cut| {
        receiving(scene, cut, |socket: &mut UdpSocket, buffer| Box::pin(async {
            let message = socket.receive().await?;
            buffer[..message.data.len()].copy_from_slice(&message.data);
            Ok(message.data.len())
        }))
    };
    receive_from: ["DatagramSocket::receive_from"] = |scene, cut| {
        receiving(scene, cut, |socket: &mut UdpSocket, buffer| Box::pin(async {
            socket.receive_from(buffer).await.map(|(length, _)| length)
        }))
    };
    receive_message: ["DatagramSocket::receive_message"] = |scene, cut| {
        receiving(scene, cut, |socket: &mut UdpSocket, buffer| Box::pin(async {
            socket.receive_message(buffer).await.map(|info| info.copied)
        }))
    };
    peek_message: ["DatagramSocket::peek_message"] = |scene, cut| {
        receiving(scene, cut, |socket: &mut UdpSocket, buffer| Box::pin(async {
            let seen = socket.peek_message(buffer).await?;
            // Taking it waits no more.
            assert_eq!(socket.try_receive_message(buffer)?, seen);
            Ok(seen.copied)
        }))
    };
    receive_nal: [
        "UnconnectedUdp::receive_into", "UdpStack::bind_single", "UdpStack::bind_multiple"
    ] = |scene, cut| {
        receiving(scene, cut, |socket: &mut UnconnectedSocket, buffer| Box::pin(async {
            socket.receive_into(buffer).await.map(|(length, ..)| length)
        }))
    };
    send: ["DatagramSocket::send"] = |scene, cut| {
        sending(scene, cut, |socket: &mut UdpSocket, data| Box::pin(socket.send(data)))
    };
    send_to: ["DatagramSocket::send_to"] = |scene, cut| {
        sending(scene, cut, |socket: &mut UdpSocket, data| Box::pin(socket.send_to(data, server())))
    };
    send_from: ["DatagramSocket::send_from"] = |scene, cut| {
        sending(scene, cut, |socket: &mut UdpSocket, data| {
            Box::pin(socket.send_from(data, "10.0.0.1".parse().unwrap(), server()))
        })
    };
    send_nal: ["ConnectedUdp::send", "UdpStack::connect_from"] = |scene, cut| {
        sending(scene, cut, |socket: &mut ConnectedSocket, data| Box::pin(socket.send(data)))
    };
    send_unconnected_nal: ["UnconnectedUdp::send"] = |scene, cut| {
        sending(scene, cut, |socket: &mut UnconnectedSocket, data| {
            Box::pin(socket.send("0.0.0.0:0".parse().unwrap(), server(), data))
        })
    };
    receive_connected_nal: ["ConnectedUdp::receive_into"] = |scene, cut| {
        receiving(scene, cut, |socket: &mut ConnectedSocket, buffer| {
            Box::pin(socket.receive_into(buffer))
        })
    };
    until_a_deadline: ["before"] = until_a_deadline_comes;
    time_out: ["Sockets::timeout"] = timing_out;
    lookup: ["Resolver::lookup"] = |scene: &Scene, cut: Cut| {
        let resolver = scene.left.sockets().resolver();
        async move {
            let found = cut.drive(resolver.lookup("web.lan")).await;
            let again = resolver.lookup("web.lan").await;
            assert_eq!(again, Ok(vec![server().ip()]));
            assert!(found.as_ref().is_none_or(|found| *found == again));
            found.is_some()
        }
    };
    resolve: ["Resolver::resolve"] = |scene, cut| resolving(scene, cut, "web.lan", true);
    query_records: ["Resolver::query"] = |scene: &Scene, cut: Cut| {
        let resolver = scene.left.sockets().resolver();
        async move {
            let query = Query::new("web.lan".into(), RecordType::A);
            let found = cut.drive(resolver.query(&query)).await;
            let again = resolver.query(&query).await.unwrap();
            assert_eq!(again.answers.len(), 1);
            found.is_some_and(|found| found.is_ok())
        }
    };
    browse: ["Resolver::browse"] = |scene: &Scene, cut: Cut| {
        let page = "dns multicast on\ndns publish page _http._tcp 80";
        for (host, text) in [(&scene.left, "dns multicast resolve"), (&scene.right, page)] {
            host.write(&host.open("eth0"), text).unwrap();
        }
        let resolver = scene.left.sockets().resolver();
        async move {
            let browse = ServiceBrowse { service_type: "_http._tcp".into(), milliseconds: 4000 };
            let found = cut.drive(resolver.browse(&browse)).await;
            // More than there may be questions at once, all given up.
            for _ in 0..=devnet_network::limits::MDNS_QUERIES {
                cut.drive(resolver.browse(&browse)).await;
            }
            let again = resolver.browse(&browse).await.unwrap();
            assert_eq!(again.len(), 1);
            found.is_some()
        }
    };
    resolve_by_stream: ["Resolver::resolve"] = |scene, cut| {
        resolving(scene, cut, "large.lan", true)
    };
    resolve_an_alias: ["Resolver::resolve"] = |scene, cut| resolving(scene, cut, "alias.lan", true);
    resolve_in_vain: ["Resolver::resolve"] = |scene, cut| {
        resolving(scene, cut, "silent.lan", false)
    };
    resolve_nal: ["Dns::get_host_by_name"] = |scene: &Scene, cut: Cut| {
        let sockets = scene.left.sockets();
        async move {
            let found = cut.drive(sockets.get_host_by_name("web.lan", AddrType::IPv4)).await;
            let again = sockets.get_host_by_name("web.lan", AddrType::IPv4).await;
            assert!(again == Ok(server().ip()) && found.is_none_or(|found| found == again));
            found.is_some()
        }
    };
    resolve_an_address_nal: ["Dns::get_host_by_address"] = |scene: &Scene, cut: Cut| {
        let sockets = scene.left.sockets();
        async move {
            let mut name = [0; 255];
            let found = cut.drive(sockets.get_host_by_address(server().ip(), &mut name)).await;
            assert_eq!(sockets.get_host_by_address(server().ip(), &mut name).await, Ok(7));
            found.is_some()
        }
    };
}

fn server() -> std::net::SocketAddr {
    SERVER.parse().unwrap()
}

async fn until_a_deadline_comes(scene: &Scene, cut: Cut) -> bool {
    let platform = scene.world.platform();
    let deadline = platform.clock.now().after(Duration::from_millis(5));
    let late = cut.drive(before(&*platform.clock, deadline, scene.sleep(9))).await;
    assert!(late.is_none_or(|late| late.is_none()));
    let ended = cut.drive(before(&*platform.clock, Instant::NEVER, scene.sleep(9))).await;
    assert!(ended.is_none_or(|ended| ended.is_some()));
    late.is_some() && ended.is_some()
}

async fn timing_out(scene: &Scene, cut: Cut) -> bool {
    let sockets = scene.left.sockets();
    let work = async {
        scene.sleep(9).await;
        Ok(())
    };
    let outcome = cut.drive(sockets.timeout(Duration::from_millis(5), work)).await;
    assert!(outcome.is_none_or(|outcome| outcome == Err(Error::TimedOut)));
    outcome.is_some()
}

async fn accepting(scene: &Scene, cut: Cut) -> bool {
    let listener = TcpListener::bind(&scene.right.sockets(), server(), 8).unwrap();
    let sockets = scene.left.sockets();
    let coming = async {
        scene.sleep(5).await;
        TcpStream::connect(&sockets, server()).await.unwrap()
    };
    let (accepted, client) = future::zip(cut.drive(listener.accept()), coming).await;
    let ended = accepted.is_some();
    let stream = match accepted {
        Some(stream) => stream.unwrap(),
        None => listener.accept().await.unwrap(),
    };
    assert_eq!(stream.peer_addr(), client.local_addr());
    ended
}

/// A given-up attempt is seen by nobody, or as a connection that ended at once; the same attempt
/// succeeds later.
async fn connecting(
    scene: &Scene,
    cut: Cut,
    connect: for<'a> fn(&'a Sockets) -> Boxed<'a, Result<TcpStream, Error>>,
) -> bool {
    let listener = TcpListener::bind(&scene.right.sockets(), server(), 8).unwrap();
    let sockets = scene.left.sockets();
    let stream = cut.drive(connect(&sockets)).await;
    let ended = stream.is_some();
    drop(stream);
    // Longer than a tuple rests.
    scene.sleep(200_000).await;
    while let Ok(stream) = listener.try_accept() {
        assert!(matches!(
            read_to_end(&stream).await.as_deref(),
            Ok([]) | Err(Error::ConnectionReset)
        ));
    }
    let stream = connect(&sockets).await.unwrap();
    assert_eq!(listener.accept().await.unwrap().peer_addr(), stream.local_addr());
    ended
}

async fn connecting_to_nobody(scene: &Scene, cut: Cut) -> bool {
    let sockets = scene.left.sockets();
    let outcome = cut.drive(TcpStream::connect(&sockets, "10.0.0.9:80")).await;
    assert!(outcome.as_ref().is_none_or(Result::is_err));
    outcome.is_some()
}

/// What a given-up read did not take is there for the next one, though its buffer be smaller.
async fn reading<S>(scene: &Scene, cut: Cut, part: fn(TcpStream) -> S, read: Taking<S>) -> bool {
    let (client, stream) = connection(&scene.left, &scene.right, SERVER).await;
    let mut stream = part(stream);
    let coming = async {
        scene.sleep(5).await;
        client.write_all(b"0123456789").await.unwrap();
    };
    let (mut received, mut buffer) = (Vec::new(), [0; 64]);
    let (taken, ()) = future::zip(cut.drive(read(&mut stream, &mut buffer)), coming).await;
    if let Some(taken) = taken {
        received.extend_from_slice(&buffer[..taken.unwrap()]);
    }
    while received.len() < 10 {
        let taken = read(&mut stream, &mut buffer[..3]).await.unwrap();
        received.extend_from_slice(&buffer[..taken]);
    }
    assert_eq!(received, b"0123456789");
    taken.is_some()
}

async fn peeking(scene: &Scene, cut: Cut) -> bool {
    let (client, stream) = connection(&scene.left, &scene.right, SERVER).await;
    let coming = async {
        scene.sleep(5).await;
        client.write_all(b"0123456789").await.unwrap();
    };
    let mut buffer = [0; 64];
    let (seen, ()) = future::zip(cut.drive(stream.peek(&mut buffer)), coming).await;
    drop(client);
    assert_eq!(read_to_end(&stream).await.unwrap(), b"0123456789");
    seen.is_some()
}

/// Writes until nothing more fits anywhere; tells what was written.
async fn fill(scene: &Scene, stream: &TcpStream) -> Vec<u8> {
    let data = pattern(1 << 20);
    let mut written = 0;
    let mut before = usize::MAX;
    while before != written {
        before = written;
        while let Ok(taken) = stream.try_write(&data[written..]) {
            written += taken;
        }
        scene.sleep(100).await;
    }
    data[..written].to_vec()
}

/// What was given up was not written, what came before and after it was.
async fn writing<S>(
    scene: &Scene,
    cut: Cut,
    part: fn(TcpStream) -> S,
    write: Giving<S, usize>,
) -> bool {
    let (client, server) = connection(&scene.left, &scene.right, SERVER).await;
    let mut expected = fill(scene, &client).await;
    let mut client = part(client);
    let send = async {
        let taken = cut.drive(write(&mut client, b"tail")).await;
        expected.extend_from_slice(&b"tail"[..taken.map_or(0, Result::unwrap)]);
        let mut end = &b"the end"[..];
        while !end.is_empty() {
            end = &end[write(&mut client, end).await.unwrap()..];
        }
        expected.extend_from_slice(b"the end");
        drop(client);
        (taken.is_some(), expected)
    };
    let receive = async {
        scene.sleep(5).await;
        read_to_end(&server).await.unwrap()
    };
    let ((ended, expected), received) = future::zip(send, receive).await;
    assert!(received == expected, "{} of {} bytes", received.len(), expected.len());
    ended
}

/// Some of what was given up may have been written: a beginning of it, in its place.
async fn writing_all<S>(
    scene: &Scene,
    cut: Cut,
    part: fn(TcpStream) -> S,
    write_all: Giving<S, ()>,
) -> bool {
    let (client, server) = connection(&scene.left, &scene.right, SERVER).await;
    let filled = fill(scene, &client).await;
    let data: Vec<u8> = pattern(150_000).iter().map(|byte| byte | 1).collect();
    let mut client = part(client);
    let send = async {
        let written = cut.drive(write_all(&mut client, &data)).await;
        write_all(&mut client, &[0]).await.unwrap();
        drop(client);
        written.map(Result::unwrap).is_some()
    };
    let receive = async {
        scene.sleep(5).await;
        read_to_end(&server).await.unwrap()
    };
    let (ended, received) = future::zip(send, receive).await;
    let rest = received.strip_prefix(filled.as_slice()).unwrap();
    let (last, rest) = rest.split_last().unwrap();
    assert!(*last == 0 && data.starts_with(rest));
    assert!(!ended || rest.len() == data.len());
    ended
}

async fn flushing<S>(
    scene: &Scene,
    cut: Cut,
    part: fn(TcpStream) -> S,
    flush: for<'a> fn(&'a mut S) -> Boxed<'a, Result<(), Error>>,
) -> bool {
    let (client, server) = connection(&scene.left, &scene.right, SERVER).await;
    let expected = fill(scene, &client).await;
    let mut client = part(client);
    let send = async {
        let flushed = cut.drive(flush(&mut client)).await;
        flush(&mut client).await.unwrap();
        drop(client);
        flushed.map(Result::unwrap).is_some()
    };
    let receive = async {
        scene.sleep(5).await;
        read_to_end(&server).await.unwrap()
    };
    let (ended, received) = future::zip(send, receive).await;
    assert!(received == expected);
    ended
}

/// UDP sockets of all types.
trait Udp: Sized {
    /// One that exchanges datagrams with `remote`, from port 4000.
    fn open(sockets: &Sockets, remote: std::net::SocketAddr) -> Self;
}

impl Udp for UdpSocket {
    fn open(sockets: &Sockets, remote: std::net::SocketAddr) -> Self {
        let socket = Self::new(sockets);
        socket.bind("0.0.0.0:4000".parse().unwrap()).unwrap();
        socket.connect(remote).unwrap();
        socket
    }
}

impl Udp for ConnectedSocket {
    fn open(sockets: &Sockets, remote: std::net::SocketAddr) -> Self {
        // It never waits.
        future::block_on(sockets.connect_from("0.0.0.0:4000".parse().unwrap(), remote)).unwrap().1
    }
}

impl Udp for UnconnectedSocket {
    fn open(sockets: &Sockets, _: std::net::SocketAddr) -> Self {
        drop(future::block_on(sockets.bind_single("0.0.0.0:4000".parse().unwrap())).unwrap());
        future::block_on(sockets.bind_multiple("0.0.0.0:4000".parse().unwrap())).unwrap()
    }
}

async fn receiving<S: Udp>(scene: &Scene, cut: Cut, receive: Taking<S>) -> bool {
    let sender = UdpSocket::new(&scene.right.sockets());
    sender.bind(server()).unwrap();
    let mut socket = S::open(&scene.left.sockets(), server());
    let coming = async {
        scene.sleep(5).await;
        for datagram in ["first", "second"] {
            sender.send_to(datagram.as_bytes(), "10.0.0.1:4000".parse().unwrap()).await.unwrap();
        }
    };
    let (mut all, mut buffer) = (Vec::new(), [0; 64]);
    let (length, ()) = future::zip(cut.drive(receive(&mut socket, &mut buffer)), coming).await;
    if let Some(length) = length {
        all.push(buffer[..length.unwrap()].to_vec());
    }
    while all.len() < 2 {
        let length = receive(&mut socket, &mut buffer).await.unwrap();
        all.push(buffer[..length].to_vec());
    }
    assert_eq!(all, [&b"first"[..], b"second"]);
    length.is_some()
}

/// A given-up datagram was not sent, and a later one is.
async fn sending<S: Udp>(scene: &Scene, cut: Cut, send: Giving<S, ()>) -> bool {
    let receiver = UdpSocket::new(&scene.right.sockets());
    receiver.bind(server()).unwrap();
    let sink = UdpSocket::new(&scene.right.sockets());
    sink.bind("10.0.0.2:9".parse().unwrap()).unwrap();
    let mut socket = S::open(&scene.left.sockets(), server());
    // The other end of the cable has no turn before this task waits, so the driver's queue fills
    // up.
    let other = UdpSocket::new(&scene.left.sockets());
    while other.try_send(b"filler", Some("10.0.0.2:9".parse().unwrap())).is_ok() {}
    let sent = cut.drive(send(&mut socket, b"given up")).await;
    send(&mut socket, b"afterwards").await.unwrap();
    scene.sleep(10).await;
    let mut all = Vec::new();
    let mut buffer = [0; 64];
    while let Ok(info) = receiver.try_receive_message(&mut buffer) {
        all.push(buffer[..info.copied].to_vec());
    }
    let expected = [&b"given up"[..], b"afterwards"];
    assert_eq!(all, expected[usize::from(sent.is_none())..]);
    sent.map(Result::unwrap).is_some()
}

/// A given-up lookup gives its turn to others, and the next one finds what there is.
async fn resolving(scene: &Scene, cut: Cut, name: &str, exists: bool) -> bool {
    let resolver = scene.left.sockets().resolver();
    let question = Question { name: name.into(), kind: RecordKind::Address, server: None };
    let found = cut.drive(resolver.resolve(&question)).await;
    if let Some(found) = &found {
        let expected = if exists { Ok(Some(server().ip())) } else { Err(Error::TimedOut) };
        assert_eq!(
            found.as_ref().map(|found| found.addresses().next()).map_err(|error| *error),
            expected
        );
    }
    // More than may be under way at once, all given up.
    for _ in 0..=devnet_network::limits::LOOKUPS {
        cut.drive(resolver.resolve(&question)).await;
    }
    let web = Question { name: "web.lan".into(), kind: RecordKind::A, server: None };
    let records = resolver.resolve(&web).await.unwrap().records;
    assert_eq!(records[0].data, RecordData::Address(server().ip()));
    found.is_some()
}

/// Every file of the network crate.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Public asynchronous functions, and those by which our types have another crate's asynchronous
/// traits, as `Type::name`, `Trait::name` or `name`.
fn asynchronous_functions() -> Vec<String> {
    const TRAITS: &[&str] =
        &["Read", "Write", "TcpConnect", "Dns", "UdpStack", "ConnectedUdp", "UnconnectedUdp"];
    let word = |text: &str| {
        text.trim_start()
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
            .collect::<String>()
    };
    let mut paths = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../network/src"), &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let mut subject = String::new();
        for line in fs::read_to_string(path).unwrap().lines() {
            if let Some(name) = line.strip_prefix("pub async fn ") {
                // Of no type: it stands at the margin.
                found.push(word(name));
                continue;
            }
            let line = line.trim_start().trim_start_matches("$(");
            if let Some(header) = line.strip_prefix("impl") {
                // Parameters of the implementation say nothing.
                let header = if header.starts_with('<') {
                    header.split_once("> ").unwrap().1
                } else {
                    header
                };
                subject = word(header);
            } else if let Some(name) = line.strip_prefix("pub async fn ") {
                found.push(format!("{subject}::{}", word(name)));
            } else if let Some(name) =
                line.strip_prefix("async fn ").filter(|_| TRAITS.contains(&subject.as_str()))
            {
                found.push(format!("{subject}::{}", word(name)));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_asynchronous_function_has_a_case() {
    let found = asynchronous_functions();
    assert!(found.len() >= 25, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|name| !CASES.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "nobody cancels {missing:?}");
    let gone: Vec<_> =
        CASES.iter().filter(|name| !found.iter().any(|found| found == *name)).collect();
    assert!(gone.is_empty(), "these are no more: {gone:?}");
}

#[test]
fn halves_that_are_dropped_leave_the_stream_to_each_other() {
    at_every_await(|scene, cut| {
        Box::pin(async move {
            let (client, stream) = connection(&scene.left, &scene.right, SERVER).await;
            let (reader, writer) = stream.into_split();
            let mut buffer = [0; 8];
            let read = cut.drive(reader.read(&mut buffer));
            let coming = async {
                scene.sleep(5).await;
                client.write_all(b"abc").await.unwrap();
            };
            let (taken, ()) = future::zip(read, coming).await;
            drop(writer);
            assert_eq!(read_to_end(&client).await.unwrap(), b"");
            client.shutdown(Direction::Write).unwrap();
            assert_eq!(
                read_to_end(reader.stream()).await.unwrap(),
                if taken.is_some() { &b""[..] } else { b"abc" }
            );
            taken.is_some()
        })
    });
}
