//! WasmEdge's socket functions, as its Rust crate and what builds on it call them.

use std::net::IpAddr;
use std::time::Duration;

use devnet_network::{TcpListener, TcpStream, UdpSocket};
use futures_lite::future;
use world::World;
use world::puppet::{FREE, Puppet};

use super::network::bound;
use world::pair::hosts;

const RESULT: u32 = FREE + 1000;
const ADDRESS: u32 = FREE + 2000;
const DATAGRAM: u64 = 1;
const STREAM: u64 = 2;
const PEEK: u64 = 1;
const WAIT_FOR_ALL: u64 = 2;
const AGAIN: i64 = 6;
const CONNREFUSED: i64 = 14;
const INPROGRESS: i64 = 26;
const NOTCONN: i64 = 53;
const NOTSUP: i64 = 58;

async fn open(guest: &Puppet, kind: u64) -> u64 {
    assert_eq!(guest.call("sock_open", &[1, kind, u64::from(RESULT)]).await, 0);
    u64::from(guest.number_at(RESULT).await)
}

/// Places an address: plain, or with its family in 128 bytes.
async fn address(guest: &Puppet, address: &str, with_family: bool) -> u64 {
    let (family, octets) = match address.parse().unwrap() {
        IpAddr::V4(address) => (1_u16, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    let (bytes, size) = if with_family {
        ([&family.to_le_bytes()[..], &octets].concat(), 128)
    } else {
        (octets.clone(), octets.len() as u32)
    };
    guest.poke(ADDRESS + 8, &bytes).await;
    guest.poke(ADDRESS, &[(ADDRESS + 8).to_le_bytes(), size.to_le_bytes()].concat()).await;
    u64::from(ADDRESS)
}

async fn buffers(guest: &Puppet, place: u32, length: u32) -> u64 {
    guest.poke(FREE + 500, &[place.to_le_bytes(), length.to_le_bytes()].concat()).await;
    u64::from(FREE) + 500
}

#[test]
fn a_stream_is_a_socket_of_its_kind() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect *");
    world.run(async {
        let listener = TcpListener::bind(&right.sockets(), "[::]:7".parse().unwrap(), 4).unwrap();
        for (to, with_family) in
            [("10.0.0.2", false), ("10.0.0.2", true), ("fd00::2", true), ("fd00::2", false)]
        {
            let socket = open(&guest, STREAM).await;
            assert_eq!(
                guest.call("sock_send", &[socket, 0, 0, 0, u64::from(RESULT)]).await,
                NOTCONN
            );
            let remote = address(&guest, to, with_family).await;
            assert_eq!(guest.call("sock_connect", &[socket, remote, 7]).await, 0, "{to}");
            let server = listener.accept().await.unwrap();
            guest.poke(FREE, b"hello").await;
            let list = buffers(&guest, FREE, 5).await;
            assert_eq!(guest.call("sock_send", &[socket, list, 1, 0, u64::from(RESULT)]).await, 0);
            assert_eq!(guest.number_at(RESULT).await, 5);
            let mut buffer = [0; 8];
            assert_eq!(server.read(&mut buffer).await.unwrap(), 5);
            server.write_all(b"hi").await.unwrap();
            let list = buffers(&guest, FREE, 100).await;
            let numbers = [socket, list, 1, 0, u64::from(RESULT), u64::from(RESULT) + 8];
            assert_eq!(guest.call("sock_recv", &numbers).await, 0);
            assert_eq!(
                (guest.number_at(RESULT).await, guest.peek(FREE, 2).await),
                (2, b"hi".to_vec())
            );
            let flagged = |flags| [socket, list, 1, flags, numbers[4], numbers[5]];
            assert_eq!(guest.call("sock_recv", &flagged(4)).await, NOTSUP, "no such flag");
            // Peeking takes nothing; waiting for all fills the buffer, from several segments.
            server.write_all(b"first").await.unwrap();
            for _ in 0..2 {
                guest.poke(FREE, &[0; 5]).await;
                assert_eq!(guest.call("sock_recv", &flagged(PEEK)).await, 0);
                assert_eq!(
                    (guest.number_at(RESULT).await, guest.peek(FREE, 5).await),
                    (5, b"first".to_vec())
                );
            }
            let list = buffers(&guest, FREE, 11).await;
            let numbers = [socket, list, 1, WAIT_FOR_ALL, u64::from(RESULT), u64::from(RESULT) + 8];
            let later = async {
                world.sleep(Duration::from_secs(1)).await;
                server.write_all(b"second").await.unwrap();
            };
            assert_eq!(future::zip(guest.call("sock_recv", &numbers), later).await.0, 0);
            assert_eq!(
                (guest.number_at(RESULT).await, guest.peek(FREE, 11).await),
                (11, b"firstsecond".to_vec())
            );
            // Both ends.
            guest
                .poke(ADDRESS, &[(ADDRESS + 8).to_le_bytes(), 16_u32.to_le_bytes()].concat())
                .await;
            let (kind, port) = (u64::from(RESULT), u64::from(RESULT) + 4);
            let ends = [socket, u64::from(ADDRESS), kind, port];
            assert_eq!(guest.call("sock_getpeeraddr", &ends).await, 0);
            let is_ipv4 = !to.contains(':');
            assert_eq!(guest.number_at(RESULT).await, if is_ipv4 { 4 } else { 6 });
            assert_eq!(guest.number_at(RESULT + 4).await, 7);
            assert_eq!(guest.peek(ADDRESS + 8, 2).await, if is_ipv4 { [10, 0] } else { [0xfd, 0] });
            assert_eq!(guest.call("sock_getlocaladdr", &ends).await, 0);
            assert_eq!(guest.number_at(RESULT + 4).await, u32::from(server.peer_addr().port()));
            assert_eq!(guest.call("sock_shutdown", &[socket, 2]).await, 0);
            assert_eq!(server.read(&mut buffer).await.unwrap(), 0);
            assert_eq!(guest.call("sock_shutdown", &[socket, 9]).await, 28);
            assert_eq!(guest.call("fd_close", &[socket]).await, 0);
        }
        assert_eq!(
            guest.call("sock_open", &[9, STREAM, u64::from(RESULT)]).await,
            5,
            "EAFNOSUPPORT"
        );
        assert_eq!(
            guest.call("sock_open", &[1, 9, u64::from(RESULT)]).await,
            66,
            "EPROTONOSUPPORT"
        );
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}

#[test]
fn a_server_accepts() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-listen 80");
    world.run(async {
        let socket = open(&guest, STREAM).await;
        let local = address(&guest, "0.0.0.0", false).await;
        assert_eq!(guest.call("sock_bind", &[socket, local, 80]).await, 0);
        assert_eq!(guest.call("sock_listen", &[socket, 8]).await, 0);
        guest.begin("sock_accept", &[socket, u64::from(RESULT)]).await;
        let client = TcpStream::connect(&right.sockets(), "10.0.0.1:80").await.unwrap();
        assert_eq!(guest.finish().await, 0);
        let accepted = u64::from(guest.number_at(RESULT).await);
        client.write_all(b"question").await.unwrap();
        let list = buffers(&guest, FREE, 100).await;
        assert_eq!(guest.call("fd_read", &[accepted, list, 1, u64::from(RESULT)]).await, 0);
        assert_eq!(guest.peek(FREE, 8).await, b"question");
        guest.poke(FREE, b"answer").await;
        let list = buffers(&guest, FREE, 6).await;
        assert_eq!(guest.call("fd_write", &[accepted, list, 1, u64::from(RESULT)]).await, 0);
        let mut buffer = [0; 8];
        assert_eq!(client.read(&mut buffer).await.unwrap(), 6);
        // Without waiting.
        assert_eq!(guest.call("fd_fdstat_set_flags", &[socket, 4]).await, 0);
        assert_eq!(guest.call("sock_accept", &[socket, u64::from(RESULT)]).await, AGAIN);
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}

#[test]
fn datagrams_tell_who_sent_them_and_what_was_cut() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect 10.0.0.2:9");
    world.run(async {
        let peer: UdpSocket = bound(&right, 9);
        let socket = open(&guest, DATAGRAM).await;
        guest.poke(FREE, b"one").await;
        let list = buffers(&guest, FREE, 3).await;
        let remote = address(&guest, "10.0.0.2", false).await;
        assert_eq!(
            guest.call("sock_send_to", &[socket, list, 1, remote, 9, 0, u64::from(RESULT)]).await,
            0
        );
        let mut buffer = [0; 16];
        let (_, from) = peer.receive_from(&mut buffer).await.unwrap();
        peer.send_to(b"a longer answer", from).await.unwrap();
        let list = buffers(&guest, FREE, 8).await;
        guest.poke(ADDRESS, &[(ADDRESS + 8).to_le_bytes(), 128_u32.to_le_bytes()].concat()).await;
        let (port, length, found) =
            (u64::from(RESULT), u64::from(RESULT) + 4, u64::from(RESULT) + 8);
        for flags in [PEEK, PEEK | WAIT_FOR_ALL, 0] {
            guest.poke(FREE, &[0; 8]).await;
            guest.poke(RESULT, &[0; 12]).await;
            guest.poke(ADDRESS + 8, &[0; 8]).await;
            let numbers = [socket, list, 1, u64::from(ADDRESS), flags, port, length, found];
            assert_eq!(guest.call("sock_recv_from", &numbers).await, 0);
            assert_eq!(guest.peek(FREE, 8).await, b"a longer");
            assert_eq!((guest.number_at(RESULT).await, guest.number_at(RESULT + 4).await), (9, 8));
            assert_eq!(guest.peek(RESULT + 8, 1).await, [1], "truncated");
            assert_eq!(
                guest.peek(ADDRESS + 8, 6).await,
                [1, 0, 10, 0, 0, 2],
                "the family and the address"
            );
        }
        peer.send_to(b"a longer answer", from).await.unwrap();
        guest.poke(RESULT, &[0; 12]).await;
        assert_eq!(guest.call("sock_recv", &[socket, list, 1, 0, length, found]).await, 0);
        assert_eq!(
            (guest.number_at(RESULT + 4).await, guest.peek(RESULT + 8, 1).await),
            (8, vec![1])
        );
        // Nothing waits any more.
        assert_eq!(guest.call("fd_fdstat_set_flags", &[socket, 4]).await, 0);
        for flags in [PEEK, 0] {
            let numbers = [socket, list, 1, u64::from(ADDRESS), flags, port, length, found];
            assert_eq!(guest.call("sock_recv_from", &numbers).await, AGAIN);
            assert_eq!(
                guest.call("sock_recv", &[socket, list, 1, flags, length, found]).await,
                AGAIN
            );
        }
        let stranger = address(&guest, "10.0.0.3", false).await;
        assert_eq!(
            guest.call("sock_send_to", &[socket, list, 1, stranger, 9, 0, length]).await,
            2,
            "EACCES"
        );
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}

#[test]
fn a_connect_that_does_not_wait_is_polled_and_its_error_taken() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect 10.0.0.2");
    world.run(async {
        let socket = open(&guest, STREAM).await;
        assert_eq!(guest.call("fd_fdstat_set_flags", &[socket, 4]).await, 0);
        let remote = address(&guest, "10.0.0.2", false).await;
        assert_eq!(guest.call("sock_connect", &[socket, remote, 8]).await, INPROGRESS);
        guest.poke(FREE, &[&(socket as u32).to_le_bytes()[..], &[4, 0, 0, 0]].concat()).await;
        assert_eq!(guest.call("poll", &[u64::from(FREE), 1, 10_000]).await, 1);
        guest.poke(RESULT, &4_u32.to_le_bytes()).await;
        let numbers = [socket, 0, 2, u64::from(RESULT) + 4, u64::from(RESULT)];
        assert_eq!(guest.call("sock_getsockopt", &numbers).await, 0);
        assert_eq!(i64::from(guest.number_at(RESULT + 4).await), CONNREFUSED);
        assert_eq!(guest.call("sock_getsockopt", &numbers).await, 0);
        assert_eq!(guest.number_at(RESULT + 4).await, 0, "once");
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}

#[test]
fn options_are_set_and_told() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect *\nallow-interface eth0");
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        let stream = open(&guest, STREAM).await;
        let datagram = open(&guest, DATAGRAM).await;
        let (value, size) = (u64::from(RESULT) + 8, u64::from(RESULT));
        let set = async |socket: u64, name: u64, bytes: &[u8]| {
            guest.poke(RESULT + 8, bytes).await;
            guest.call("sock_setsockopt", &[socket, 0, name, value, bytes.len() as u64]).await
        };
        let get = async |socket: u64, name: u64, room: u32| {
            guest.poke(RESULT, &room.to_le_bytes()).await;
            match guest.call("sock_getsockopt", &[socket, 0, name, value, size]).await {
                0 => {
                    let length = guest.number_at(RESULT).await as usize;
                    Ok(guest.peek(RESULT + 8, length).await)
                }
                error => Err(error),
            }
        };
        let word = |number: u32| number.to_le_bytes().to_vec();
        // Type, and whether it listens.
        assert_eq!(
            (get(stream, 1, 4).await, get(datagram, 1, 4).await),
            (Ok(word(2)), Ok(word(1)))
        );
        assert_eq!(get(stream, 13, 4).await, Ok(word(0)));
        for (socket, name, number) in [
            (stream, 0, 1),
            (datagram, 4, 1),
            (stream, 5, 100_000),
            (stream, 6, 90_000),
            (stream, 7, 1),
        ] {
            assert_eq!(set(socket, name, &word(number)).await, 0, "{name}");
            assert_eq!(get(socket, name, 4).await, Ok(word(number)), "{name}");
        }
        assert_eq!(set(stream, 9, &[word(1), word(3)].concat()).await, 0, "linger");
        assert_eq!(get(stream, 9, 8).await, Ok([word(1), word(3)].concat()));
        assert_eq!(set(stream, 14, b"eth0").await, 0, "bind to device");
        assert_eq!(get(stream, 14, 16).await, Ok(b"eth0\0".to_vec()));
        assert_eq!(set(stream, 14, b"lo").await, 43, "ENODEV");
        // A receive gives up after so long.
        let time = [2_u64.to_le_bytes(), 500_000_u64.to_le_bytes()].concat();
        assert_eq!(set(stream, 11, &time).await, 0);
        assert_eq!(get(stream, 11, 16).await, Ok(time.clone()));
        assert_eq!(set(stream, 12, &time).await, 0);
        let remote = address(&guest, "10.0.0.2", false).await;
        assert_eq!(guest.call("sock_connect", &[stream, remote, 7]).await, 0);
        let before = world.now();
        let list = buffers(&guest, FREE, 8).await;
        assert_eq!(guest.call("sock_recv", &[stream, list, 1, 0, value, value + 4]).await, AGAIN);
        assert_eq!(world.now().since(before), Duration::from_millis(2500));
        assert_eq!(
            guest.call("sock_recv", &[stream, list, 1, PEEK, value, value + 4]).await,
            AGAIN
        );
        assert_eq!(world.now().since(before), Duration::from_secs(5));
        // What came before the time was over is not lost.
        let server = listener.accept().await.unwrap();
        server.write_all(b"some").await.unwrap();
        assert_eq!(
            guest.call("sock_recv", &[stream, list, 1, WAIT_FOR_ALL, value, value + 4]).await,
            0
        );
        assert_eq!(guest.number_at(RESULT + 8).await, 4);
        // What there is not.
        for name in [3, 8, 10, 99] {
            assert_eq!(get(stream, name, 4).await, Err(50), "{name}");
            assert_eq!(set(stream, name, &word(1)).await, 50, "{name}");
        }
        assert_eq!(
            guest.call("sock_getsockopt", &[stream, 1, 1, value, size]).await,
            50,
            "another level"
        );
        assert_eq!(get(stream, 1, 2).await, Err(28));
        assert_eq!(set(stream, 0, &[1]).await, 28);
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}

#[test]
fn names_become_addresses() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect *");
    world.run(async {
        // Two records, each with an address and room behind it.
        let (records, ends, data) = (FREE + 100, FREE + 200, FREE + 300);
        let mut bytes = Vec::new();
        for index in 0..2_u32 {
            let next = if index == 0 { records + 28 } else { 0 };
            bytes.extend([0; 12]);
            bytes.extend((ends + 12 * index).to_le_bytes());
            bytes.extend([0; 8]);
            bytes.extend(next.to_le_bytes());
        }
        guest.poke(records, &bytes).await;
        let ends_bytes: Vec<u8> = (0..2_u32)
            .flat_map(|index| {
                [[0; 4], 14_u32.to_le_bytes(), (data + 26 * index).to_le_bytes()].concat()
            })
            .collect();
        guest.poke(ends, &ends_bytes).await;
        guest.poke(RESULT, &records.to_le_bytes()).await;
        guest.poke(FREE, b"fd00::5\0http\0").await;
        let name = u64::from(FREE);
        let numbers = [name, 8, name + 8, 5, 0, u64::from(RESULT), 2, u64::from(RESULT) + 8];
        assert_eq!(guest.call("sock_getaddrinfo", &numbers).await, 0);
        assert_eq!(guest.number_at(RESULT + 8).await, 1);
        let record = guest.peek(records, 28).await;
        assert_eq!((record[2], record[3], record[4], record[8]), (2, 2, 1, 18));
        assert_eq!(guest.peek(data, 4).await, [0, 80, 0xfd, 0]);
        assert_eq!(guest.peek(ends, 1).await, [2]);
        // A service that is none, a list that leads nowhere, and a name that nobody knows here.
        guest.poke(FREE, b"fd00::5\0nonsense\0").await;
        assert_eq!(
            guest
                .call("sock_getaddrinfo", &[name, 8, name + 8, 9, 0, numbers[5], 2, numbers[7]])
                .await,
            28
        );
        guest.poke(FREE, b"10.0.0.9\0").await;
        guest.poke(RESULT, &0xffff_fff0_u32.to_le_bytes()).await;
        assert_eq!(
            guest.call("sock_getaddrinfo", &[name, 9, 0, 0, 0, numbers[5], 2, numbers[7]]).await,
            21
        );
        assert_eq!(
            guest
                .call("sock_getaddrinfo", &[name, 9, 0, 0, 0xffff_fff0, numbers[5], 2, numbers[7]])
                .await,
            21
        );
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}
