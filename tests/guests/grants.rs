//! One test for each grant: without it the call is refused with the right error and nothing has
//! changed; with it the call works.

use std::time::Duration;

use devnet_network::command::capture::CaptureOptions;
use devnet_network::command::configuration::ConfigurationText;
use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::command::multicast::Membership;
use devnet_network::command::route::{NewRoute, RouteSelector};
use devnet_network::command::socket::{OutgoingDatagram, SocketKind, SocketOption};
use devnet_network::command::watch::{Kinds, WatchOptions};
use devnet_network::command::{
    Accept, AddGroup, AddRoute, ApplyConfiguration, Bind, Capture, CheckConfiguration, Connect,
    CreateSocket, ExportConfiguration, FindRoute, FlushNeighbors, GetInterface, GetLastError,
    GetStatistics, JoinGroup, ListAddresses, ListGroupDetails, ListInterfaces, ListNeighbors,
    ListRoutes, ListSockets, Listen, NextConnection, Peek, ReceiveFrom, RemoveRoute, Resolve,
    SendTo, SetEnabled, SetOption, Watch, WatchEvents,
};
use devnet_network::limits::EVENT_BYTES;
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::{ControlCommand, Credentials, Error, Mode, OpenFlags, Path};
use world::puppet::{FREE, Puppet};
use world::{Host, World};

use super::error;
use super::network::bound;
use world::pair::hosts;

const READ: u32 = 1;
const READ_WRITE: u32 = 3;

/// Everything that a guest could have changed: what every device tells, every socket, every file.
fn state(host: &Host) -> String {
    let mut text = String::new();
    for name in ["lo", "eth0"] {
        let device = host.open(name);
        let mut buffer = [0; 8192];
        let count = device.try_read(&mut buffer).unwrap();
        let status = String::from_utf8_lossy(&buffer[..count]).into_owned();
        // Traffic of the system itself counts on.
        text.extend(
            status
                .lines()
                .filter(|line| !line.starts_with("received ") && !line.starts_with("sent ")),
        );
        text.push_str(&format!("{:?}", host.control::<ListNeighbors>(name, &()).unwrap().len()));
    }
    text.push_str(&format!("{:?}", host.control::<ListSockets>("sockets", &()).unwrap()));
    text.push_str(&format!("{:?} {:?}", host.files.stored(), names(host, "/")));
    text
}

fn names(host: &Host, path: &str) -> Vec<String> {
    let directory = Path::parse(path).unwrap();
    let mut all = Vec::new();
    for entry in host.files.list(&Credentials::root(), &directory).unwrap() {
        let path = directory.join(&entry.name).unwrap();
        all.push(path.as_str().to_owned());
        if entry.kind == devnet_virtual_file_system::NodeKind::Directory {
            all.extend(names(host, path.as_str()));
        }
    }
    all
}

fn file(host: &Host, path: &str, content: &[u8]) {
    let path = Path::parse(path).unwrap();
    let root = Credentials::root();
    if let Some(directory) = path.parent() {
        let _ = host.files.create_directory(&root, &directory, Mode::from_octal(0o755));
    }
    let flags = OpenFlags::WRITE | OpenFlags::CREATE;
    host.files
        .open(&root, &path, flags, Mode::from_octal(0o644))
        .unwrap()
        .try_write(content)
        .unwrap();
}

/// Runs a guest with these grants, and sees that it left the host as it was.
fn unchanged(lines: &str, script: impl AsyncFnOnce(&Puppet, &Host)) {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    file(&left, "/temporary/file", b"content");
    let guest = Puppet::start(&world, &left, lines);
    let before = state(&left);
    world.run(async {
        script(&guest, &right).await;
        assert_eq!(guest.end(0).await.status(), 0);
    });
    world.run(world.sleep(Duration::from_secs(1)));
    assert_eq!(state(&left), before);
}

/// Runs a guest with these grants.
fn granted(lines: &str, script: impl AsyncFnOnce(&Puppet, &Host)) {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    file(&left, "/temporary/file", b"content");
    let guest = Puppet::start(&world, &left, lines);
    world.run(async {
        script(&guest, &right).await;
        assert_eq!(guest.end(0).await.status(), 0);
    });
}

async fn socket(guest: &Puppet, kind: SocketKind) -> i64 {
    let socket = guest.open("/devices/sockets", READ_WRITE).await;
    guest.control::<CreateSocket>(socket, &kind).await.unwrap();
    socket
}

async fn refused<C: ControlCommand>(
    guest: &Puppet,
    descriptor: i64,
    request: &C::Request,
    why: Error,
) where
    C::Response: std::fmt::Debug,
{
    assert_eq!(
        guest.control::<C>(descriptor, request).await.unwrap_err(),
        error(why),
        "{}",
        C::NAME
    );
}

#[test]
fn nothing_but_the_streams_without_a_grant() {
    unchanged("", async |guest, _| {
        for path in [
            "/devices/sockets",
            "/devices/network/eth0",
            "/devices/network/none",
            "/temporary/file",
            "/temporary",
        ] {
            for flags in [READ, READ_WRITE, READ_WRITE | 8] {
                assert_eq!(guest.open(path, flags).await, error(Error::NotFound), "{path}");
            }
            guest.poke(FREE, path.as_bytes()).await;
            let name = [u64::from(FREE), path.len() as u64];
            assert_eq!(
                guest.call("stat", &[name[0], name[1], u64::from(FREE) + 500]).await,
                error(Error::NotFound)
            );
            assert_eq!(guest.call("list", &[name[0], name[1], 0, 0]).await, error(Error::NotFound));
            assert_eq!(guest.call("remove", &name).await, error(Error::NotFound));
            assert_eq!(guest.call("create_directory", &name).await, error(Error::NotFound));
        }
        guest.poke(FREE, b"/").await;
        assert_eq!(guest.call("list", &[u64::from(FREE), 1, 0, 0]).await, 0, "the root is empty");
        let tcp = guest.call("sock_open", &[1, 2, u64::from(FREE)]).await;
        assert_eq!(tcp, 44, "ENOENT");
    });
}

#[test]
fn allow_interface_shows_it_and_no_other() {
    unchanged("allow-interface eth0", async |guest, _| {
        let device = guest.open("/devices/network/eth0", READ).await;
        assert_eq!(guest.control::<GetInterface>(device, &()).await.unwrap().name, "eth0");
        assert_eq!(
            guest.open("/devices/network/eth0", READ_WRITE).await,
            error(Error::AccessDenied)
        );
        assert_eq!(guest.open("/devices/network/lo", READ).await, error(Error::NotFound));
        refused::<SetEnabled>(guest, device, &false, Error::PermissionDenied).await;
        refused::<FlushNeighbors>(guest, device, &(), Error::PermissionDenied).await;
        assert_eq!(guest.write(device, b"link down").await, error(Error::BadFileDescriptor));
        guest.poke(FREE, b"/devices/network").await;
        let length = guest.call("list", &[u64::from(FREE), 16, u64::from(FREE) + 100, 100]).await;
        assert_eq!(guest.peek(FREE + 100, length as usize).await, b"\x02\x04eth0");
        // Over all interfaces is over those that it sees.
        let all = guest.open("/devices/sockets", READ_WRITE).await;
        let interfaces = guest.control::<ListInterfaces>(all, &()).await.unwrap();
        assert_eq!(interfaces.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["eth0"]);
        let addresses = guest.control::<ListAddresses>(all, &()).await.unwrap();
        assert!(
            !addresses.is_empty()
                && addresses.iter().all(|entry| !entry.prefix.address().is_loopback())
        );
        assert!(
            guest
                .control::<ListRoutes>(all, &())
                .await
                .unwrap()
                .iter()
                .all(|route| route.interface == "eth0")
        );
        assert_eq!(
            guest.control::<FindRoute>(all, &"10.0.0.9".parse().unwrap()).await.unwrap().interface,
            "eth0"
        );
        refused::<FindRoute>(guest, all, &"127.0.0.1".parse().unwrap(), Error::NetworkUnreachable)
            .await;
        assert_eq!(guest.read(all, 100).await, Err(error(Error::PermissionDenied)));
        // No socket comes with it, and no way to the interface that it does not see.
        refused::<CreateSocket>(guest, all, &SocketKind::Tcp, Error::PermissionDenied).await;
        let route = NewRoute {
            destination: "203.0.113.0/24".parse().unwrap(),
            gateway: Some("10.0.0.2".parse().unwrap()),
            metric: 0,
            interface: Some("eth0".into()),
            append: false,
        };
        refused::<AddRoute>(guest, all, &route, Error::PermissionDenied).await;
        refused::<AddRoute>(
            guest,
            all,
            &NewRoute { interface: Some("lo".into()), ..route.clone() },
            Error::NoDevice,
        )
        .await;
        refused::<AddRoute>(
            guest,
            all,
            &NewRoute { interface: None, ..route },
            Error::PermissionDenied,
        )
        .await;
        let selector = RouteSelector {
            destination: "10.0.0.0/24".parse().unwrap(),
            gateway: None,
            metric: None,
            interface: None,
        };
        refused::<RemoveRoute>(guest, all, &selector, Error::PermissionDenied).await;
        refused::<SetEnabled>(guest, all, &false, Error::PermissionDenied).await;
        assert_eq!(
            guest.write(all, b"route remove 10.0.0.0/24").await,
            error(Error::PermissionDenied)
        );
    });
}

#[test]
fn allow_interface_to_write_changes_it() {
    granted("allow-interface eth0:write", async |guest, _| {
        let device = guest.open("/devices/network/eth0", READ_WRITE).await;
        assert!(guest.control::<SetEnabled>(device, &false).await.unwrap());
        assert!(guest.control::<SetEnabled>(device, &true).await.unwrap());
        let all = guest.open("/devices/sockets", READ_WRITE).await;
        let route = NewRoute {
            destination: "203.0.113.0/24".parse().unwrap(),
            gateway: None,
            metric: 0,
            interface: Some("eth0".into()),
            append: false,
        };
        guest.control::<AddRoute>(all, &route).await.unwrap();
        refused::<SetEnabled>(guest, all, &false, Error::PermissionDenied).await;
        guest.control::<AddGroup>(device, &"239.1.2.3".parse().unwrap()).await.unwrap();
        let groups = guest.control::<ListGroupDetails>(all, &()).await.unwrap();
        assert!(groups.iter().any(|group| group.from_command));
    });
}

#[test]
fn allow_command_is_a_list_of_what_may_be_said() {
    unchanged(
        "allow-interface eth0:write\nallow-command GetInterface\nallow-command address",
        async |guest, _| {
            let device = guest.open("/devices/network/eth0", READ_WRITE).await;
            guest.control::<GetInterface>(device, &()).await.unwrap();
            guest.control::<ListAddresses>(device, &()).await.unwrap();
            refused::<GetStatistics>(guest, device, &(), Error::PermissionDenied).await;
            refused::<SetEnabled>(guest, device, &false, Error::PermissionDenied).await;
            assert_eq!(guest.write(device, b"link down").await, error(Error::PermissionDenied));
            // What the controller understands is a noun of its own.
            let unknown = [device as u64, 0x1234_5678, 0, 0, 0, 0];
            assert_eq!(guest.call("control", &unknown).await, error(Error::PermissionDenied));
        },
    );
}

#[test]
fn allow_connect_is_needed_to_reach_anybody() {
    unchanged("allow-connect 10.0.0.2:7", async |guest, right| {
        let _listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:8".parse().unwrap(), 4).unwrap();
        let tcp = socket(guest, SocketKind::Tcp).await;
        for remote in [
            "10.0.0.2:8",
            "10.0.0.3:7",
            "127.0.0.1:7",
            "0.0.0.0:7",
            "[fd00::2]:7",
            "[::ffff:10.0.0.2]:8",
        ] {
            refused::<Connect>(guest, tcp, &remote.parse().unwrap(), Error::AccessDenied).await;
        }
        assert_eq!(guest.write(tcp, b"connect 10.0.0.2:8").await, error(Error::AccessDenied));
        assert_eq!(guest.call("close", &[tcp as u64]).await, 0);
        let udp = socket(guest, SocketKind::Udp).await;
        let datagram =
            |remote: &str| OutgoingDatagram { remote: remote.parse().unwrap(), data: vec![1] };
        refused::<SendTo>(guest, udp, &datagram("10.0.0.2:8"), Error::AccessDenied).await;
        refused::<Connect>(guest, udp, &"10.0.0.2:8".parse().unwrap(), Error::AccessDenied).await;
        let group = Membership { group: "224.0.0.251".parse().unwrap(), interface: String::new() };
        refused::<JoinGroup>(guest, udp, &group, Error::AccessDenied).await;
        // Ports were named, so protocols without ports are not meant.
        assert_eq!(guest.call("close", &[udp as u64]).await, 0);
        let icmp = guest.open("/devices/sockets", READ_WRITE).await;
        refused::<CreateSocket>(guest, icmp, &SocketKind::Icmp, Error::PermissionDenied).await;
        // Names and servers are refused likewise.
        let mut question =
            Question { name: "host.test".into(), kind: RecordKind::Address, server: None };
        refused::<Resolve>(guest, icmp, &question, Error::AccessDenied).await;
        (question.name, question.kind) = ("10.0.0.9".into(), RecordKind::Ptr);
        refused::<Resolve>(guest, icmp, &question, Error::AccessDenied).await;
        (question.kind, question.server) = (RecordKind::A, Some("10.0.0.2:53".parse().unwrap()));
        refused::<Resolve>(guest, icmp, &question, Error::AccessDenied).await;
    });
    granted("allow-connect 10.0.0.2", async |guest, right| {
        let _listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:8".parse().unwrap(), 4).unwrap();
        let tcp = socket(guest, SocketKind::Tcp).await;
        guest.control::<Connect>(tcp, &"10.0.0.2:8".parse().unwrap()).await.unwrap();
        let icmp = socket(guest, SocketKind::Icmp).await;
        let echo = vec![8, 0, 0, 0, 0, 0, 0, 1];
        let remote = "10.0.0.2:0".parse().unwrap();
        guest.control::<SendTo>(icmp, &OutgoingDatagram { remote, data: echo }).await.unwrap();
        assert_eq!(
            guest.control::<ReceiveFrom>(icmp, &()).await.unwrap().data[0],
            0,
            "an echo reply"
        );
        let stranger = OutgoingDatagram { remote: "10.0.0.3:0".parse().unwrap(), data: vec![8; 8] };
        refused::<SendTo>(guest, icmp, &stranger, Error::AccessDenied).await;
    });
}

#[test]
fn a_datagram_socket_hears_only_whom_it_may_reach() {
    granted("allow-connect 10.0.0.2:9", async |guest, right| {
        let udp = socket(guest, SocketKind::Udp).await;
        let (friend, stranger) = (bound(right, 9), bound(right, 10));
        let remote = "10.0.0.2:9".parse().unwrap();
        guest.control::<SendTo>(udp, &OutgoingDatagram { remote, data: vec![1] }).await.unwrap();
        let mut buffer = [0; 8];
        let (_, ours) = friend.receive_from(&mut buffer).await.unwrap();
        for _ in 0..200 {
            stranger.send_to(b"stranger", ours).await.unwrap();
        }
        friend.send_to(b"friend", ours).await.unwrap();
        assert_eq!(guest.control::<ReceiveFrom>(udp, &()).await.unwrap().data, b"friend");
        stranger.send_to(b"stranger", ours).await.unwrap();
        friend.send_to(b"again", ours).await.unwrap();
        assert_eq!(guest.read(udp, 100).await.unwrap(), b"again");
        // Nor is a stranger's datagram shown.
        stranger.send_to(b"stranger", ours).await.unwrap();
        friend.send_to(b"and again", ours).await.unwrap();
        for _ in 0..2 {
            let peeked = guest.control::<Peek>(udp, &3).await.unwrap();
            assert_eq!(
                (peeked.data.as_slice(), peeked.length, peeked.remote),
                (&b"and"[..], 9, remote)
            );
        }
        assert_eq!(guest.read(udp, 100).await.unwrap(), b"and again");
    });
}

#[test]
fn allow_listen_is_needed_to_be_reached() {
    unchanged("allow-listen udp:53\nallow-connect 10.0.0.2:7", async |guest, _| {
        let tcp = socket(guest, SocketKind::Tcp).await;
        refused::<Bind>(guest, tcp, &"0.0.0.0:53".parse().unwrap(), Error::AccessDenied).await;
        refused::<Bind>(guest, tcp, &"[::]:80".parse().unwrap(), Error::AccessDenied).await;
        refused::<Listen>(guest, tcp, &4, Error::AccessDenied).await;
        // An ephemeral port is for connecting from, not for listening.
        guest.control::<Bind>(tcp, &"0.0.0.0:0".parse().unwrap()).await.unwrap();
        refused::<Listen>(guest, tcp, &4, Error::AccessDenied).await;
        let udp = socket(guest, SocketKind::Udp).await;
        refused::<Bind>(guest, udp, &"0.0.0.0:54".parse().unwrap(), Error::AccessDenied).await;
        let words = guest.open("/devices/sockets", READ_WRITE).await;
        assert_eq!(guest.write(words, b"socket udp\nbind *:54").await, error(Error::AccessDenied));
    });
    granted("allow-listen udp:53", async |guest, right| {
        let udp = socket(guest, SocketKind::Udp).await;
        guest.control::<Bind>(udp, &"0.0.0.0:53".parse().unwrap()).await.unwrap();
        // Whoever asks may be answered, and nobody else.
        let client = bound(right, 1234);
        client.send_to(b"question", "10.0.0.1:53".parse().unwrap()).await.unwrap();
        let question = guest.control::<ReceiveFrom>(udp, &()).await.unwrap();
        let answer = OutgoingDatagram { remote: question.remote, data: b"answer".to_vec() };
        guest.control::<SendTo>(udp, &answer).await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(client.receive_from(&mut buffer).await.unwrap().0, 6);
        let other = OutgoingDatagram { remote: "10.0.0.2:1235".parse().unwrap(), data: vec![] };
        refused::<SendTo>(guest, udp, &other, Error::AccessDenied).await;
    });
}

#[test]
fn allow_from_keeps_strangers_away() {
    granted("allow-listen 80\nallow-from 10.0.0.2/32", async |guest, right| {
        let tcp = socket(guest, SocketKind::Tcp).await;
        guest.control::<Bind>(tcp, &"[::]:80".parse().unwrap()).await.unwrap();
        guest.control::<Listen>(tcp, &4).await.unwrap();
        // By IPv6 it is somebody else.
        let stranger = TcpStream::connect(&right.sockets(), "[fd00::1]:80").await.unwrap();
        let friend = TcpStream::connect(&right.sockets(), "10.0.0.1:80").await.unwrap();
        let offer = guest.control::<NextConnection>(tcp, &()).await.unwrap();
        assert_eq!(offer.remote.port(), friend.local_addr().port());
        assert_eq!(stranger.read(&mut [0; 1]).await, Err(Error::ConnectionReset));
        let udp = socket(guest, SocketKind::Udp).await;
        guest.control::<Bind>(udp, &"[::]:80".parse().unwrap()).await.unwrap();
        let client = UdpSocket::new(&right.sockets());
        client.send_to(b"stranger", "[fd00::1]:80".parse().unwrap()).await.unwrap();
        let client = UdpSocket::new(&right.sockets());
        client.send_to(b"friend", "10.0.0.1:80".parse().unwrap()).await.unwrap();
        assert_eq!(guest.control::<ReceiveFrom>(udp, &()).await.unwrap().data, b"friend");
    });
}

#[test]
fn allow_raw_is_needed_for_raw_sockets_and_never_shows_what_is_absent() {
    for lines in [
        "allow-connect *\nallow-interface *:write",
        "allow-connect *\nallow-raw\nallow-interface eth0:write",
    ] {
        unchanged(lines, async |guest, _| {
            let raw = guest.open("/devices/sockets", READ_WRITE).await;
            refused::<CreateSocket>(guest, raw, &SocketKind::Raw(1), Error::PermissionDenied).await;
            assert_eq!(guest.write(raw, b"socket raw6 58").await, error(Error::PermissionDenied));
        });
    }
    granted("allow-raw\nallow-interface eth0:write", async |guest, right| {
        let raw = guest.open("/devices/network/eth0", READ_WRITE).await;
        guest.control::<CreateSocket>(raw, &SocketKind::Raw(17)).await.unwrap();
        bound(right, 9).send_to(b"seen", "10.0.0.1:99".parse().unwrap()).await.unwrap();
        assert!(guest.control::<ReceiveFrom>(raw, &()).await.unwrap().data.ends_with(b"seen"));
    });
    // A capture sees what no socket of the guest does, and is paid as a socket.
    granted("allow-interface eth0:write", async |guest, _| {
        let file = guest.open("/devices/network/eth0", READ_WRITE).await;
        refused::<Capture>(guest, file, &CaptureOptions::default(), Error::PermissionDenied).await;
        assert_eq!(guest.write(file, b"capture").await, error(Error::PermissionDenied));
    });
    granted("allow-raw\nallow-interface eth0\nlimit-sockets 1", async |guest, right| {
        let file = guest.open("/devices/network/eth0", READ).await;
        guest.control::<Capture>(file, &CaptureOptions::default()).await.unwrap();
        bound(right, 9).send_to(b"seen", "10.0.0.1:99".parse().unwrap()).await.unwrap();
        let head = guest.read(file, 4096).await.unwrap();
        assert!(head.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]));
        // Neighbors are resolved first.
        let mut stream = Vec::new();
        for _ in 0..9 {
            if stream.windows(4).any(|bytes| bytes == b"seen") {
                break;
            }
            stream.extend(guest.read(file, 4096).await.unwrap());
        }
        assert!(stream.windows(4).any(|bytes| bytes == b"seen"));
        let second = guest.open("/devices/network/eth0", READ).await;
        refused::<Capture>(guest, second, &CaptureOptions::default(), Error::NoBufferSpace).await;
        // One of all interfaces is for who may see them all.
        let all = guest.open("/devices/sockets", READ).await;
        refused::<Capture>(guest, all, &CaptureOptions::default(), Error::PermissionDenied).await;
    });
    granted("allow-raw\nallow-interface *", async |guest, _| {
        let all = guest.open("/devices/sockets", READ).await;
        guest.control::<Capture>(all, &CaptureOptions::default()).await.unwrap();
    });
    // A watching file is paid as a socket with one buffer, and once, however often it restarts.
    let limits = format!("limit-sockets 2\nlimit-buffers {}", EVENT_BYTES);
    granted(&format!("allow-interface eth0\n{limits}"), async |guest, _| {
        let file = guest.open("/devices/network/eth0", READ).await;
        for _ in 0..3 {
            guest.control::<Watch>(file, &Kinds::LINK).await.unwrap();
        }
        guest.control::<WatchEvents>(file, &WatchOptions::records(Kinds::DNS)).await.unwrap();
        let second = guest.open("/devices/network/eth0", READ).await;
        refused::<Watch>(guest, second, &Kinds::LINK, Error::NoBufferSpace).await;
        assert_eq!(guest.call("close", &[file as u64]).await, 0);
        guest.control::<Watch>(second, &Kinds::LINK).await.unwrap();
        // Everybody's events are for who may see every interface.
        let all = guest.open("/devices/sockets", READ).await;
        refused::<Watch>(guest, all, &Kinds::SOCKET, Error::PermissionDenied).await;
    });
    granted("allow-raw\nallow-interface *", async |guest, _| {
        socket(guest, SocketKind::Raw(1)).await;
    });
}

#[test]
fn names_of_absent_interfaces_are_unknown() {
    unchanged("allow-connect *", async |guest, _| {
        let udp = socket(guest, SocketKind::Udp).await;
        for option in [
            SocketOption::BindToDevice("lo".into()),
            SocketOption::MulticastInterface("eth0".into()),
        ] {
            refused::<SetOption>(guest, udp, &option, Error::NoDevice).await;
        }
        let group = Membership { group: "224.0.0.251".parse().unwrap(), interface: "eth0".into() };
        refused::<JoinGroup>(guest, udp, &group, Error::NoDevice).await;
    });
}

#[test]
fn allow_file_opens_a_path_and_what_is_below() {
    unchanged("allow-file /temporary", async |guest, _| {
        let file = guest.open("/temporary/file", READ).await;
        assert_eq!(guest.read(file, 100).await.unwrap(), b"content");
        assert_eq!(guest.write(file, b"x").await, error(Error::BadFileDescriptor));
        for flags in [2, READ_WRITE, 4, READ_WRITE | 32, 2 | 8] {
            assert_eq!(
                guest.open("/temporary/file", flags).await,
                error(Error::AccessDenied),
                "{flags}"
            );
        }
        assert_eq!(guest.open("/temporary/new", 2 | 8).await, error(Error::AccessDenied));
        assert_eq!(guest.open("/temporary/none", READ).await, error(Error::NotFound));
        guest.poke(FREE, b"/temporary/file/temporary/x").await;
        let (old, new) = ([u64::from(FREE), 15], [u64::from(FREE) + 15, 12]);
        assert_eq!(guest.call("remove", &old).await, error(Error::AccessDenied));
        assert_eq!(guest.call("create_directory", &new).await, error(Error::AccessDenied));
        assert_eq!(
            guest.call("rename", &[old[0], old[1], new[0], new[1]]).await,
            error(Error::AccessDenied)
        );
        // It is no way to the devices.
        assert_eq!(guest.open("/devices/network/eth0", READ).await, error(Error::NotFound));
    });
    unchanged("allow-file /:write", async |guest, _| {
        for path in ["/devices/network/eth0", "/devices/network", "/devices/sockets"] {
            assert_eq!(guest.open(path, READ).await, error(Error::NotFound), "{path}");
        }
        guest.poke(FREE, b"/devices/devices/sockets").await;
        assert_eq!(guest.call("remove", &[u64::from(FREE) + 8, 16]).await, error(Error::NotFound));
        assert_eq!(
            guest.call("remove", &[u64::from(FREE), 8]).await,
            error(Error::DirectoryNotEmpty)
        );
    });
}

#[test]
fn limits_on_files_and_sockets_hold() {
    unchanged("allow-connect *\nlimit-files 7\nlimit-sockets 2", async |guest, _| {
        // Three streams and the root are open, so three more besides the root fit.
        let first = socket(guest, SocketKind::Tcp).await;
        let second = socket(guest, SocketKind::Udp).await;
        let third = guest.open("/devices/sockets", READ_WRITE).await;
        refused::<CreateSocket>(guest, third, &SocketKind::Tcp, Error::NoBufferSpace).await;
        // An offer has its place already, and this is none.
        refused::<Accept>(guest, third, &7, Error::NotFound).await;
        assert!(guest.open("/devices/sockets", READ_WRITE).await > 0);
        assert_eq!(
            guest.open("/devices/sockets", READ_WRITE).await,
            error(Error::TooManyOpenFiles)
        );
        assert_eq!(guest.call("duplicate", &[first as u64]).await, error(Error::TooManyOpenFiles));
        // A place that is given back may be taken again.
        assert_eq!(guest.call("close", &[second as u64]).await, 0);
        guest.control::<CreateSocket>(third, &SocketKind::Tcp).await.unwrap();
    });
}

#[test]
fn a_connection_waits_until_there_is_a_socket_for_it() {
    granted("allow-listen 80\nlimit-sockets 2", async |guest, right| {
        let listener = socket(guest, SocketKind::Tcp).await;
        guest.control::<Bind>(listener, &"0.0.0.0:80".parse().unwrap()).await.unwrap();
        guest.control::<Listen>(listener, &4).await.unwrap();
        let to = "10.0.0.1:80";
        let _first = TcpStream::connect(&right.sockets(), to).await.unwrap();
        let second = TcpStream::connect(&right.sockets(), to).await.unwrap();
        let offer = guest.control::<NextConnection>(listener, &()).await.unwrap();
        let stream = guest.open("/devices/sockets", READ_WRITE).await;
        guest.control::<Accept>(stream, &offer.token).await.unwrap();
        refused::<NextConnection>(guest, listener, &(), Error::NoBufferSpace).await;
        // A reset leaves nothing behind that could keep its place.
        guest.control::<SetOption>(stream, &SocketOption::Linger(Some(0))).await.unwrap();
        assert_eq!(guest.call("close", &[stream as u64]).await, 0);
        let offer = guest.control::<NextConnection>(listener, &()).await.unwrap();
        assert_eq!(offer.remote, second.local_addr());
    });
}

#[test]
fn limits_on_buffers_hold() {
    unchanged("allow-connect *\nlimit-buffers 400K", async |guest, _| {
        let tcp = socket(guest, SocketKind::Tcp).await;
        refused::<SetOption>(
            guest,
            tcp,
            &SocketOption::ReceiveBuffer(1 << 20),
            Error::NoBufferSpace,
        )
        .await;
        guest.control::<SetOption>(tcp, &SocketOption::ReceiveBuffer(300 << 10)).await.unwrap();
        let other = guest.open("/devices/sockets", READ_WRITE).await;
        refused::<CreateSocket>(guest, other, &SocketKind::Tcp, Error::NoBufferSpace).await;
        guest.control::<SetOption>(tcp, &SocketOption::ReceiveBuffer(100 << 10)).await.unwrap();
        guest.control::<CreateSocket>(other, &SocketKind::Tcp).await.unwrap();
    });
}

/// The charge is for the buffers that a socket has, not for those that it asked for in vain.
#[test]
fn a_size_that_the_device_refuses_is_not_charged() {
    unchanged("allow-connect *\nlimit-buffers 260K", async |guest, _| {
        let first = socket(guest, SocketKind::Tcp).await;
        refused::<SetOption>(guest, first, &SocketOption::ReceiveBuffer(1), Error::InvalidInput)
            .await;
        refused::<SetOption>(guest, first, &SocketOption::SendBuffer(1), Error::InvalidInput).await;
        let _second = socket(guest, SocketKind::Tcp).await;
        let third = guest.open("/devices/sockets", READ_WRITE).await;
        refused::<CreateSocket>(guest, third, &SocketKind::Tcp, Error::NoBufferSpace).await;
    });
}

#[test]
fn limits_on_memory_hold() {
    unchanged("limit-memory 256K", async |guest, _| {
        assert_eq!(guest.grow(2).await, 2);
        assert_eq!(guest.grow(1).await, -1);
        assert_eq!(guest.grow(0).await, 4);
    });
}

#[test]
fn configurations_need_the_grant_of_what_they_are_about() {
    const TEXT: &str = "mtu 1400\nlink up\naddress add 10.0.0.1/24\naddress add fd00::1/64\n";
    let text = |text: &str, has_more| ConfigurationText { text: text.into(), has_more };
    // Reading an interface is enough to export and to check, and not to apply.
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    world.run(async {
        let guest = Puppet::start(&world, &left, "allow-interface eth0:read");
        let device = guest.open("/devices/network/eth0", READ).await;
        let exported = guest.control::<ExportConfiguration>(device, &false).await.unwrap();
        assert_eq!(exported, TEXT.replace("mtu 1400\n", ""));
        let outcome = guest.control::<CheckConfiguration>(device, &text(TEXT, false)).await;
        assert_eq!(outcome.unwrap().changes[0].added, ["mtu 1400"]);
        let before = state(&left);
        let refused = guest.control::<ApplyConfiguration>(device, &text(TEXT, false)).await;
        assert_eq!(refused.unwrap_err(), error(Error::PermissionDenied));
        // Nobody keeps pieces for a guest.
        let refused = guest.control::<CheckConfiguration>(device, &text("mtu", true)).await;
        assert_eq!(refused.unwrap_err(), error(Error::MessageTooLong));
        // The system is that of other interfaces, too.
        let all = guest.open("/devices/sockets", READ).await;
        let refused = guest.control::<ExportConfiguration>(all, &false).await;
        assert_eq!(refused.unwrap_err(), error(Error::PermissionDenied));
        let whole = text("system\ndns add 9.9.9.9\n", false);
        let refused = guest.control::<CheckConfiguration>(all, &whole).await;
        assert_eq!(refused.unwrap_err(), error(Error::PermissionDenied));
        assert_eq!(state(&left), before);
        guest.end(0).await;
    });
    // Writing one is enough to apply to that one, and says which line is wrong.
    let guest = Puppet::start(&world, &left, "allow-interface eth0:write");
    world.run(async {
        let device = guest.open("/devices/network/eth0", READ_WRITE).await;
        let refused = guest.control::<ApplyConfiguration>(device, &text("mtu 9", false)).await;
        assert_eq!(refused.unwrap_err(), error(Error::InvalidInput));
        let last = guest.control::<GetLastError>(device, &()).await.unwrap().unwrap();
        assert_eq!(last.message, "line 1: mtu 9: Invalid argument");
        let outcome = guest.control::<ApplyConfiguration>(device, &text(TEXT, false)).await;
        assert_eq!(outcome.unwrap().changes.len(), 1);
        let exported = guest.control::<ExportConfiguration>(device, &false).await.unwrap();
        assert_eq!(exported, TEXT);
        // The line and what it leaves to read.
        assert_eq!(guest.write(device, b"export").await, 6);
        assert_eq!(guest.read(device, 200).await.unwrap(), TEXT.as_bytes());
        let all = guest.open("/devices/sockets", READ_WRITE).await;
        let whole = text("interface eth0\nlink down\n", false);
        let refused = guest.control::<ApplyConfiguration>(all, &whole).await;
        assert_eq!(refused.unwrap_err(), error(Error::PermissionDenied));
        guest.end(0).await;
    });
}
