//! Sockets and interfaces from a guest, by module `vfs`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use devnet_guest_programs::limits;
use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::command::socket::{Offer, OutgoingDatagram, SocketKind, SocketOption};
use devnet_network::command::{
    Accept, AddAddress, Bind, Connect, CreateSocket, GetInterface, GetSocket, ListAddresses,
    ListInterfaces, Listen, NextConnection, ReceiveFrom, Resolve, SendTo, SetOption, TakeError,
    address::NewAddress,
};
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::Error;
use world::puppet::{FREE, Puppet};
use world::{Host, World};

use super::error;
use world::pair::hosts;

const READ_WRITE: u32 = 3;
const NON_BLOCKING: u32 = 64;

#[test]
fn a_stream_is_connected_by_words_or_by_commands() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect 10.0.0.2:7");
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        // In words, and the data in the same file.
        let socket = guest.open("/devices/sockets", READ_WRITE).await;
        let line = b"socket tcp\nconnect 10.0.0.2:7\noption no-delay on\n";
        assert_eq!(guest.write(socket, line).await, line.len() as i64);
        let server = listener.accept().await.unwrap();
        assert_eq!(guest.write(socket, b"hello").await, 5);
        let mut buffer = [0; 16];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 5);
        server.write_all(b"world!").await.unwrap();
        assert_eq!(guest.read(socket, 100).await.unwrap(), b"world!");
        drop(server);
        assert_eq!(guest.read(socket, 100).await.unwrap(), b"");
        assert_eq!(guest.call("close", &[socket as u64]).await, 0);
        // By commands.
        let socket = guest.open("/devices/sockets", READ_WRITE).await;
        guest.control::<CreateSocket>(socket, &SocketKind::Tcp).await.unwrap();
        let remote = "10.0.0.2:7".parse().unwrap();
        let local = guest.control::<Connect>(socket, &remote).await.unwrap();
        let server = listener.accept().await.unwrap();
        assert_eq!(server.peer_addr(), local);
        assert_eq!(guest.control::<GetSocket>(socket, &()).await.unwrap().remote, Some(remote));
        assert_eq!(guest.end(0).await.status(), 0);
        // Its end closed everything.
        assert_eq!(server.read(&mut buffer).await.unwrap(), 0);
    });
    world.run(world.sleep(Duration::from_secs(120)));
    assert_eq!((left.open_sockets(), right.open_sockets()), (0, 0));
}

#[test]
fn a_guest_serves_connections() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &right, "allow-listen 80");
    world.run(async {
        let listener = guest.open("/devices/sockets", READ_WRITE).await;
        guest.control::<CreateSocket>(listener, &SocketKind::Tcp).await.unwrap();
        guest.control::<Bind>(listener, &"[::]:80".parse().unwrap()).await.unwrap();
        guest.control::<Listen>(listener, &8).await.unwrap();
        guest.begin("read", &[listener as u64, u64::from(FREE), 200]).await;
        let client = TcpStream::connect(&left.sockets(), "10.0.0.2:80").await.unwrap();
        let length = guest.finish().await as usize;
        let line = String::from_utf8(guest.peek(FREE, length).await).unwrap();
        let token: u64 = line.split(' ').next().unwrap().parse().unwrap();
        let stream = guest.open("/devices/sockets", READ_WRITE).await;
        guest.control::<Accept>(stream, &token).await.unwrap();
        assert_eq!(
            guest.control::<Accept>(stream, &token).await.unwrap_err(),
            error(Error::InvalidInput)
        );
        client.write_all(b"ping").await.unwrap();
        assert_eq!(guest.read(stream, 10).await.unwrap(), b"ping");
        assert_eq!(guest.write(stream, b"pong").await, 4);
        let mut buffer = [0; 8];
        assert_eq!(client.read(&mut buffer).await.unwrap(), 4);
        // The next one as a typed command.
        let second = TcpStream::connect(&left.sockets(), "10.0.0.2:80").await.unwrap();
        let Offer { remote, .. } = guest.control::<NextConnection>(listener, &()).await.unwrap();
        assert_eq!(remote.port(), second.local_addr().port());
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn datagrams_go_both_ways() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect 10.0.0.2:9");
    world.run(async {
        let peer = bound(&right, 9);
        let socket = guest.open("/devices/sockets", READ_WRITE).await;
        assert_eq!(guest.write(socket, b"socket udp").await, 10);
        let remote = "10.0.0.2:9".parse().unwrap();
        guest
            .control::<SendTo>(socket, &OutgoingDatagram { remote, data: b"one".to_vec() })
            .await
            .unwrap();
        let mut buffer = [0; 16];
        let (count, from) = peer.receive_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..count], b"one");
        peer.send_to(b"two", from).await.unwrap();
        let datagram = guest.control::<ReceiveFrom>(socket, &()).await.unwrap();
        assert_eq!((datagram.data.as_slice(), datagram.remote), (&b"two"[..], remote));
        // Connected, a datagram is a read or a write.
        assert_eq!(guest.control::<Connect>(socket, &remote).await.unwrap().port(), from.port());
        assert_eq!(guest.write(socket, b"three").await, 5);
        assert_eq!(peer.receive_from(&mut buffer).await.unwrap().0, 5);
        peer.send_to(b"four", from).await.unwrap();
        assert_eq!(guest.read(socket, 100).await.unwrap(), b"four");
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn a_connect_goes_on_in_the_background() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect 10.0.0.2");
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        let poll = async |socket: i64, milliseconds: u64| {
            guest.poke(FREE, &[&(socket as u32).to_le_bytes()[..], &[5, 0, 0, 0]].concat()).await;
            let ready = guest.call("poll", &[u64::from(FREE), 1, milliseconds]).await;
            (ready, guest.peek(FREE + 6, 1).await[0])
        };
        for in_words in [false, true] {
            let begin = async |port: u16| {
                let socket = guest.open("/devices/sockets", READ_WRITE | NON_BLOCKING).await;
                guest.control::<CreateSocket>(socket, &SocketKind::Tcp).await.unwrap();
                let begun = if in_words {
                    guest.write(socket, format!("connect 10.0.0.2:{port}").as_bytes()).await
                } else {
                    let remote = format!("10.0.0.2:{port}").parse().unwrap();
                    guest.control::<Connect>(socket, &remote).await.unwrap_err()
                };
                assert_eq!(begun, error(Error::InProgress), "in words: {in_words}");
                socket
            };
            let socket = begin(7).await;
            assert_eq!(guest.write(socket, b"early").await, error(Error::WouldBlock));
            assert_eq!(poll(socket, 5000).await, (1, 4), "writable");
            assert_eq!(guest.control::<TakeError>(socket, &()).await.unwrap(), None);
            assert_eq!(guest.write(socket, b"hello").await, 5);
            assert_eq!(guest.read(socket, 5).await, Err(error(Error::WouldBlock)));
            let server = listener.accept().await.unwrap();
            server.write_all(b"x").await.unwrap();
            assert_eq!(poll(socket, 5000).await, (1, 5), "readable too");
            // Nobody listens there.
            let refused = begin(8).await;
            let (ready, events) = poll(refused, 5000).await;
            assert_eq!((ready, events & 8), (1, 8), "an error");
            assert_eq!(
                guest.control::<TakeError>(refused, &()).await.unwrap(),
                Some(Error::ConnectionRefused)
            );
            assert_eq!(guest.control::<TakeError>(refused, &()).await.unwrap(), None);
            // The next call tells it too.
            let refused = begin(8).await;
            poll(refused, 5000).await;
            assert_eq!(guest.read(refused, 1).await, Err(error(Error::ConnectionRefused)));
        }
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn an_interface_is_configured_as_far_as_granted() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-interface eth0:write");
    world.run(async {
        let device = guest.open("/devices/network/eth0", READ_WRITE).await;
        let new = NewAddress { prefix: "192.0.2.5/24".parse().unwrap(), broadcast: None };
        guest.control::<AddAddress>(device, &new).await.unwrap();
        assert_eq!(guest.write(device, b"address add 192.0.2.6/24\nmtu 1400").await, 33);
        assert_eq!(guest.control::<GetInterface>(device, &()).await.unwrap().mtu, 1400);
        let addresses = guest.control::<ListAddresses>(device, &()).await.unwrap();
        assert!(
            ["192.0.2.5/24", "192.0.2.6/24"].iter().all(|text| {
                addresses.iter().any(|entry| entry.prefix == text.parse().unwrap())
            })
        );
        // The text of a device, whole, and again after its end.
        let text = String::from_utf8(guest.read(device, 4000).await.unwrap()).unwrap();
        assert!(text.starts_with("interface eth0 ") && text.contains("mtu 1400\n"), "{text}");
        assert_eq!(guest.read(device, 4000).await.unwrap(), b"");
        // A wrong line says what is wrong, and the lines before it count.
        assert_eq!(guest.write(device, b"mtu 1300\nnonsense").await, error(Error::InvalidInput));
        assert_eq!(
            guest.control::<GetInterface>(device, &()).await.unwrap().mtu,
            1400,
            "nothing of it was done"
        );
        assert_eq!(
            guest.write(device, b"mtu 1300\naddress remove 203.0.113.1/24").await,
            error(Error::AddressNotAvailable)
        );
        assert_eq!(
            guest.control::<GetInterface>(device, &()).await.unwrap().mtu,
            1300,
            "what stood before it was"
        );
        // An unknown command goes to the controller, which this interface does not have.
        assert_eq!(
            guest
                .call(
                    "control",
                    &[device as u64, 0x1234_5678, u64::from(FREE), 0, u64::from(FREE), 0]
                )
                .await,
            error(Error::UnknownCommand)
        );
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn responses_that_do_not_fit_tell_their_length() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-interface *");
    world.run(async {
        let device = guest.open("/devices/sockets", 1).await;
        let all = guest.control::<ListInterfaces>(device, &()).await.unwrap();
        assert_eq!(all.len(), 2);
        use devnet_virtual_file_system::ControlCommand;
        let identifier = u64::from(ListInterfaces::IDENTIFIER.raw());
        guest.poke(FREE, &[7; 8]).await;
        let length =
            guest.call("control", &[device as u64, identifier, 0, 0, u64::from(FREE), 3]).await;
        assert_eq!(length as usize, devnet_virtual_file_system::encode(&all).unwrap().len());
        let longer = devnet_virtual_file_system::limits::REQUEST_BYTES as u64 + 1;
        let start = guest.peek(FREE, 4).await;
        assert_eq!((start[0], start[3]), (2, 7), "two interfaces, and nothing beyond the room");
        assert_eq!(
            guest.call("control", &[device as u64, identifier, 0, 0, 0xffff_ffff, 3]).await,
            error(Error::BadAddress)
        );
        assert_eq!(
            guest.call("control", &[device as u64, identifier, 0, longer, 0, 0]).await,
            error(Error::MessageTooLong)
        );
        assert_eq!(
            guest.call("control", &[device as u64, identifier, 0, 5, 0, 0]).await,
            error(Error::BadMessage)
        );
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn bandwidth_is_shared_by_all_sockets_of_a_guest() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let lines = "allow-connect 10.0.0.2:7\nlimit-bandwidth 100K\nlimit-buffers 64M";
    let guest = Puppet::start(&world, &left, lines);
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        let mut sockets = Vec::new();
        for _ in 0..2 {
            let socket = guest.open("/devices/sockets", READ_WRITE).await;
            guest.control::<CreateSocket>(socket, &SocketKind::Tcp).await.unwrap();
            guest.control::<SetOption>(socket, &SocketOption::SendBuffer(1 << 20)).await.unwrap();
            guest.control::<Connect>(socket, &"10.0.0.2:7".parse().unwrap()).await.unwrap();
            sockets.push((socket, listener.accept().await.unwrap()));
        }
        let before = world.now();
        let mut sent = 0;
        while sent < 400 * 1024 {
            for (socket, server) in &sockets {
                let count = guest.call("write", &[*socket as u64, u64::from(FREE), 50_000]).await;
                assert!(count > 0, "{count}");
                sent += count as u64;
                let mut buffer = vec![0; 100_000];
                server.read(&mut buffer).await.unwrap();
            }
        }
        let seconds = world.now().since(before).as_secs_f64();
        assert!((3.0..5.0).contains(&seconds), "{sent} bytes in {seconds} s at 100 KiB/s");
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

/// Two hosts that have addresses of the internet, too, and the first asks the other for names.
fn public_hosts(world: &World) -> (Host, Host) {
    let (left, right) = hosts(world);
    left.write(&left.open("eth0"), "address add 192.0.2.1/24\ndns add 10.0.0.2").unwrap();
    right.write(&right.open("eth0"), "address add 192.0.2.2/24").unwrap();
    right.write(&right.open("eth0"), "address add 192.0.2.3/24").unwrap();
    (left, right)
}

#[test]
fn names_are_looked_up_and_then_reached() {
    let world = World::new(1);
    let (left, right) = public_hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect web.test:80");
    world.run(async {
        let server = bound(&right, 53);
        let place = Arc::new(Mutex::new(([192, 0, 2, 2], 60)));
        let answers = world.spawn(async move { answer_names(&server, &place).await });
        let _web = TcpListener::bind(&right.sockets(), "192.0.2.2:80".parse().unwrap(), 4).unwrap();
        let device = guest.open("/devices/sockets", READ_WRITE).await;
        let question =
            |name: &str| Question { name: name.into(), kind: RecordKind::A, server: None };
        assert_eq!(
            guest.control::<Resolve>(device, &question("other.test")).await.unwrap_err(),
            error(Error::AccessDenied)
        );
        // The address alone is enough: the granted name is looked up for it.
        guest.control::<CreateSocket>(device, &SocketKind::Tcp).await.unwrap();
        assert_eq!(
            guest.control::<Connect>(device, &"192.0.2.2:81".parse().unwrap()).await.unwrap_err(),
            error(Error::AccessDenied)
        );
        guest.control::<Connect>(device, &"192.0.2.2:80".parse().unwrap()).await.unwrap();
        let other = guest.open("/devices/sockets", READ_WRITE).await;
        let found = guest.control::<Resolve>(other, &question("WEB.test")).await.unwrap();
        assert_eq!(
            found.addresses().collect::<Vec<_>>(),
            ["192.0.2.2".parse::<std::net::IpAddr>().unwrap()]
        );
        drop(answers);
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

#[test]
fn hold_14_one_guest_does_not_take_all_lookups() {
    let world = World::new(1);
    let (left, right) = public_hosts(&world);
    let grants: String =
        (0..60).map(|n| format!("allow-connect n{n}.test:{}\n", 1000 + n)).collect();
    let guest = Puppet::start(&world, &left, &format!("{grants}limit-sockets 60"));
    world.run(async {
        // Connects that wait for nothing: each looks another name up, at a server that is silent.
        let server = bound(&right, 53);
        let begin = async |number: u32| {
            let socket = guest.open("/devices/sockets", READ_WRITE).await;
            assert_eq!(guest.call("set_non_blocking", &[socket as u64, 1]).await, 0);
            guest.control::<CreateSocket>(socket, &SocketKind::Tcp).await.unwrap();
            let remote = format!("192.0.2.2:{}", 1000 + number).parse().unwrap();
            let outcome = guest.control::<Connect>(socket, &remote).await;
            assert_eq!(outcome.unwrap_err(), error(Error::InProgress));
            socket
        };
        let mut sockets = Vec::new();
        for number in 0..60 {
            sockets.push(begin(number).await);
        }
        world.sleep(Duration::from_millis(500)).await;
        let mut askers = HashSet::new();
        while let Ok(message) = server.try_receive_message(&mut [0; 512]) {
            askers.insert(message.remote.port());
        }
        assert_eq!(askers.len(), limits::LOOKUPS);
        // They end with their sockets, and others may begin.
        for socket in sockets {
            assert_eq!(guest.call("close", &[socket as u64]).await, 0);
        }
        begin(59).await;
        world.sleep(Duration::from_millis(500)).await;
        assert!(server.try_receive_message(&mut [0; 512]).is_ok());
    });
}

/// Connects a new stream of a guest; tells the error.
async fn connect(guest: &Puppet, to: &str) -> Result<(), i64> {
    let socket = guest.open("/devices/sockets", READ_WRITE).await;
    guest.control::<CreateSocket>(socket, &SocketKind::Tcp).await?;
    let outcome = guest.control::<Connect>(socket, &to.parse().unwrap()).await.map(drop);
    assert_eq!(guest.call("close", &[socket as u64]).await, 0);
    outcome
}

#[test]
fn hold_13_an_address_that_a_name_left_is_granted_no_more() {
    let world = World::new(1);
    let (left, right) = public_hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect web.test");
    world.run(async {
        let server = bound(&right, 53);
        let place = Arc::new(Mutex::new(([192, 0, 2, 2], 1)));
        let moving = Arc::clone(&place);
        let answers = world.spawn(async move { answer_names(&server, &place).await });
        let _web = TcpListener::bind(&right.sockets(), "0.0.0.0:80".parse().unwrap(), 4).unwrap();
        // A datagram socket, too, whose peer is only heard.
        let socket = guest.open("/devices/sockets", READ_WRITE).await;
        guest.control::<CreateSocket>(socket, &SocketKind::Udp).await.unwrap();
        let from = guest.control::<Bind>(socket, &"192.0.2.1:0".parse().unwrap()).await.unwrap();
        let peer = UdpSocket::new(&right.sockets());
        peer.bind("192.0.2.2:7".parse().unwrap()).unwrap();

        assert_eq!(connect(&guest, "192.0.2.2:80").await, Ok(()));
        assert_eq!(connect(&guest, "192.0.2.3:80").await, Err(error(Error::AccessDenied)));
        // The time to live is over, but the name stays.
        world.sleep(Duration::from_secs(30)).await;
        peer.send_to(b"here", from).await.unwrap();
        assert_eq!(guest.read(socket, 10).await.unwrap(), b"here");
        assert_eq!(connect(&guest, "192.0.2.2:80").await, Ok(()));
        moving.lock().unwrap().0 = [192, 0, 2, 3];
        world.sleep(Duration::from_secs(6)).await;
        assert_eq!(connect(&guest, "192.0.2.2:80").await, Err(error(Error::AccessDenied)));
        assert_eq!(connect(&guest, "192.0.2.3:80").await, Ok(()));
        peer.send_to(b"left", from).await.unwrap();
        let next = UdpSocket::new(&right.sockets());
        next.bind("192.0.2.3:7".parse().unwrap()).unwrap();
        next.send_to(b"moved", from).await.unwrap();
        assert_eq!(guest.read(socket, 10).await.unwrap(), b"moved");
        drop(answers);
    });
}

#[test]
fn hold_13_a_name_opens_no_address_that_is_near() {
    let world = World::new(1);
    let (left, right) = public_hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect web.test");
    let granted = Puppet::start(&world, &left, "allow-connect web.test\nallow-connect 10.0.0.2:80");
    world.run(async {
        let server = bound(&right, 53);
        let place = Arc::new(Mutex::new(([0; 4], 1)));
        let moving = Arc::clone(&place);
        let answers = world.spawn(async move { answer_names(&server, &place).await });
        let web = |host: &Host| {
            TcpListener::bind(&host.sockets(), "0.0.0.0:80".parse().unwrap(), 4).unwrap()
        };
        let _webs = (web(&left), web(&right));
        for address in [
            [127, 0, 0, 1],
            [0, 0, 0, 0],
            [192, 0, 2, 1],
            [10, 0, 0, 1],
            [10, 0, 0, 2],
            [172, 16, 0, 1],
            [192, 168, 0, 1],
            [169, 254, 1, 1],
            [224, 0, 0, 251],
            [255, 255, 255, 255],
        ] {
            moving.lock().unwrap().0 = address;
            world.sleep(Duration::from_secs(6)).await;
            let text = format!("{}:80", std::net::Ipv4Addr::from(address));
            assert_eq!(connect(&guest, &text).await, Err(error(Error::AccessDenied)), "{text}");
        }
        assert_eq!(connect(&granted, "10.0.0.2:80").await, Ok(()));
        drop(answers);
    });
}

/// A datagram socket at 10.0.0.2.
pub(super) fn bound(host: &Host, port: u16) -> UdpSocket {
    let socket = UdpSocket::new(&host.sockets());
    socket.bind(format!("10.0.0.2:{port}").parse().unwrap()).unwrap();
    socket
}

/// Says an address and a time to live to every question for an address of IPv4, and nothing to
/// others.
async fn answer_names(server: &UdpSocket, place: &Mutex<([u8; 4], u8)>) {
    let mut buffer = [0; 512];
    while let Ok((length, from)) = server.receive_from(&mut buffer).await {
        let mut reply = buffer[..length].to_vec();
        // Without the options that the question may have after its name.
        let end = 12 + reply[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
        reply.truncate(end);
        let is_ipv4 = reply[end - 3] == 1;
        reply[2] |= 0x80;
        reply[3] |= 0x80;
        reply[7] = u8::from(is_ipv4);
        (reply[10], reply[11]) = (0, 0);
        if is_ipv4 {
            let (address, seconds) = *place.lock().unwrap();
            reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, seconds, 0, 4]);
            reply.extend_from_slice(&address);
        }
        server.send_to(&reply, from).await.unwrap();
    }
}
