//! The device file: text and control are the same thing.

use devnet_network::command::address::{NewAddress, Origin};
use devnet_network::command::socket::{Direction, Peeked, SocketKind, SocketOption};
use devnet_network::command::{
    Accept, AddAddress, AddDnsServer, AddRoute, Bind, Connect, CreateSocket, FindRoute,
    GetInterface, GetSocket, ListAddresses, ListDnsServers, ListRoutes, Listen, NextConnection,
    Peek, ReceiveFrom, SendTo, SetEnabled, SetHardwareAddress, SetMtu, SetOption, Shutdown,
    route::NewRoute, socket::OutgoingDatagram,
};
use devnet_virtual_file_system::{
    CharacterDevice, ControlCommand, Error, File, Identifier, OpenDevice, OpenFlags, OpenRequest,
    Operation,
};
use futures_lite::future;
use world::{Host, World};

use crate::pair::{hosts, options};

async fn text(file: &File) -> String {
    String::from_utf8(file.read_to_end(65536).await.unwrap()).unwrap()
}

#[test]
fn text_and_control_see_each_other() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    world.run(async {
        let (writer, reader) = (left.open("eth0"), left.open("eth0"));
        writer
            .write_all(
                b"address add 192.0.2.7/24\nroute add default via 192.0.2.1 metric 3\ndns \
            add 192.0.2.53\n",
            )
            .await
            .unwrap();
        let addresses = left.control::<ListAddresses>("eth0", &()).unwrap();
        assert!(
            addresses.iter().any(|entry| entry.prefix.to_string() == "192.0.2.7/24"
                && entry.origin == Origin::Static)
        );
        left.control::<SetMtu>("eth0", &1400).unwrap();
        let shown = text(&reader).await;
        for line in [
            "address 192.0.2.7/24 broadcast 192.0.2.255 origin static state preferred",
            "route default via 192.0.2.1 metric 3 interface eth0 origin static",
            "dns 192.0.2.53 origin static",
            "mtu 1400",
            "link up",
            "mac 02:00:00:00:00:01",
        ] {
            assert!(shown.lines().any(|known| known == line), "{line} in\n{shown}");
        }
        assert!(text(&left.open("sockets")).await.contains("route default via 192.0.2.1"));
    });
}

#[test]
fn a_file_opened_read_only_changes_nothing_and_says_so_first() {
    let world = World::new(2);
    let (left, _right) = hosts(&world);
    let device = left.open_as("eth0", OpenFlags::READ).unwrap();
    let before = left.control::<ListAddresses>("eth0", &()).unwrap();
    // Even a request that makes no sense is refused for the missing permission.
    assert_eq!(
        device.try_control_raw(AddAddress::IDENTIFIER, b"\xff\xff\xff"),
        Err(Error::PermissionDenied)
    );
    assert_eq!(device.try_control::<SetEnabled>(&false), Err(Error::PermissionDenied));
    assert_eq!(device.try_control::<CreateSocket>(&SocketKind::Tcp), Err(Error::PermissionDenied));
    assert_eq!(device.try_write(b"link down"), Err(Error::BadFileDescriptor));
    assert!(device.try_control::<GetInterface>(&()).unwrap().enabled);
    assert_eq!(left.control::<ListAddresses>("eth0", &()).unwrap(), before);
}

#[test]
fn failed_commands_leave_the_state_as_it_was() {
    let world = World::new(3);
    let (left, _right) = hosts(&world);
    world.run(async {
        let device = left.open("eth0");
        let strip = |shown: String| {
            shown
                .lines()
                .filter(|line| !line.starts_with("received") && !line.starts_with("sent"))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let before = strip(text(&left.open("eth0")).await);
        for (line, error) in [
            ("address add 10.0.0.1/24", Error::AlreadyExists),
            ("address add 224.0.0.1/24", Error::InvalidInput),
            ("address add 300.1.1.1/24", Error::InvalidInput),
            ("address remove 10.0.0.99/24", Error::AddressNotAvailable),
            ("address remove 10.0.0.1/16", Error::AddressNotAvailable),
            ("route add default via 10.9.9.9", Error::NetworkUnreachable),
            ("route add ::/0 via fd09::1", Error::HostUnreachable),
            ("route remove 192.0.2.0/24", Error::NoSuchProcess),
            ("dns remove 192.0.2.1", Error::NotFound),
            ("dns add 0.0.0.0", Error::InvalidInput),
            ("mtu 67", Error::InvalidInput),
            ("mtu 1279", Error::InvalidInput),
            ("mtu 9001", Error::InvalidInput),
            ("mac ff:ff:ff:ff:ff:ff", Error::AddressNotAvailable),
            ("mac 01:00:00:00:00:00", Error::AddressNotAvailable),
            ("neighbor remove 10.0.0.200", Error::NotFound),
            ("dhcp renew", Error::NotConnected),
            ("connect 10.0.0.2:80", Error::InvalidInput),
            ("nonsense", Error::InvalidInput),
        ] {
            assert_eq!(left.write(&device, line), Err(error), "{line}");
        }
        assert_eq!(strip(text(&left.open("eth0")).await), before);
    });
}

#[test]
fn setters_say_whether_they_changed_something() {
    let world = World::new(4);
    let (left, _right) = hosts(&world);
    assert_eq!(left.control::<SetEnabled>("eth0", &true), Ok(false));
    assert_eq!(left.control::<SetEnabled>("eth0", &false), Ok(true));
    assert_eq!(left.control::<SetMtu>("eth0", &1500), Ok(false));
    assert_eq!(left.control::<SetMtu>("eth0", &1400), Ok(true));
    let hardware = "02:00:00:00:00:77".parse().unwrap();
    assert_eq!(left.control::<SetHardwareAddress>("eth0", &hardware), Ok(true));
    assert_eq!(left.control::<SetHardwareAddress>("eth0", &hardware), Ok(false));
    assert_eq!(left.control::<SetHardwareAddress>("lo", &hardware), Err(Error::Unsupported));
}

#[test]
fn sockets_are_files() {
    let world = World::new(5);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener = right.open("sockets");
        listener.write_all(b"socket tcp\nbind *:80\nlisten 5\n").await.unwrap();
        let client = left.open("sockets");
        assert_eq!(client.try_control::<GetSocket>(&()), Err(Error::InvalidInput));
        client.write_all(b"socket tcp\nconnect 10.0.0.2:80\n").await.unwrap();
        let mut line = [0; 128];
        let length = listener.read(&mut line).await.unwrap();
        let offer = String::from_utf8_lossy(&line[..length]).into_owned();
        let token = offer.split(' ').next().unwrap();
        let server = right.open("sockets");
        server.write_all(format!("accept {token}").as_bytes()).await.unwrap();
        assert_eq!(
            right.write(&right.open("sockets"), &format!("accept {token}")),
            Err(Error::NotFound)
        );
        client.write_all(b"hello").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 5);
        client.control::<Shutdown>(&Direction::Write).await.unwrap();
        assert_eq!(server.read(&mut buffer).await.unwrap(), 0);
        server.write_all(b"bye").await.unwrap();
        drop(server);
        assert_eq!(client.read_to_end(100).await.unwrap(), b"bye");
    });
}

#[test]
fn typed_sockets_do_the_same_and_release_everything_on_close() {
    let world = World::new(6);
    let (left, right) = hosts(&world);
    let baseline = (left.open_sockets(), right.open_sockets());
    world.run(async {
        let listener = right.open("eth0");
        listener.control::<CreateSocket>(&SocketKind::Tcp).await.unwrap();
        listener.control::<Bind>(&"10.0.0.2:80".parse().unwrap()).await.unwrap();
        listener.control::<Listen>(&4).await.unwrap();
        let client = left.open("eth0");
        client.control::<CreateSocket>(&SocketKind::Tcp).await.unwrap();
        client.control::<SetOption>(&SocketOption::NoDelay(true)).await.unwrap();
        assert_eq!(
            client.control::<SetOption>(&SocketOption::HopLimit(0)).await,
            Err(Error::InvalidInput)
        );
        let local = client.control::<Connect>(&"10.0.0.2:80".parse().unwrap()).await.unwrap();
        assert_eq!(
            client.control::<Connect>(&"10.0.0.2:80".parse().unwrap()).await,
            Err(Error::AlreadyConnected)
        );
        let offer = listener.control::<NextConnection>(&()).await.unwrap();
        assert_eq!(offer.remote, local);
        let server = right.open("eth0");
        assert_eq!(server.control::<Accept>(&offer.token).await.unwrap().remote, Some(local));
        assert_eq!(client.control::<GetSocket>(&()).await.unwrap().local, local);
        // An offered connection that nobody claims ends with its listener.
        let second = left.open("eth0");
        second.control::<CreateSocket>(&SocketKind::Tcp).await.unwrap();
        second.control::<Connect>(&"10.0.0.2:80".parse().unwrap()).await.unwrap();
        listener.control::<NextConnection>(&()).await.unwrap();
        drop(listener);
        let mut buffer = [0; 4];
        assert_eq!(second.read(&mut buffer).await, Err(Error::ConnectionReset));
        drop((client, server, second));
        world.sleep(std::time::Duration::from_secs(5)).await;
    });
    assert_eq!((left.open_sockets(), right.open_sockets()), baseline);
}

#[test]
fn a_wildcard_of_both_families_accepts_both_and_is_taken_once() {
    let world = World::new(10);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener = right.open("sockets");
        listener.write_all(b"socket tcp\nbind *:80\nlisten\n").await.unwrap();
        let second = right.open("sockets");
        second.write_all(b"socket tcp\n").await.unwrap();
        assert_eq!(second.write_all(b"bind 0.0.0.0:80\n").await, Err(Error::AddressInUse));
        for to in ["10.0.0.2:80", "[fd00::2]:80"] {
            let client = left.open("sockets");
            client.write_all(format!("socket tcp\nconnect {to}\n").as_bytes()).await.unwrap();
            listener.control::<NextConnection>(&()).await.unwrap();
        }
        let free = right.open("sockets");
        free.write_all(b"socket tcp\n").await.unwrap();
        assert_ne!(free.control::<Bind>(&"[::]:0".parse().unwrap()).await.unwrap().port(), 0);
    });
}

#[test]
fn datagram_files_carry_one_datagram_per_call() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    world.run(async {
        let server = right.open("sockets");
        server.write_all(b"socket udp\nbind 10.0.0.2:7\n").await.unwrap();
        let client = left.open("sockets");
        client.write_all(b"socket udp\nconnect 10.0.0.2:7\n").await.unwrap();
        client.write_all(b"one").await.unwrap();
        client.write_all(b"two").await.unwrap();
        let first = server.control::<ReceiveFrom>(&()).await.unwrap();
        assert_eq!((first.data.as_slice(), first.interface.as_str()), (&b"one"[..], "eth0"));
        let mut buffer = [0; 16];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 3);
        server
            .control::<SendTo>(&OutgoingDatagram { remote: first.remote, data: b"back".to_vec() })
            .await
            .unwrap();
        assert_eq!(client.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(&buffer[..4], b"back");
        // The longest datagram there is (RFC 768) fits a request, and one byte more does not.
        let remote = "10.0.0.2:7".parse().unwrap();
        let mut data = vec![7; 65_507];
        client.control::<SendTo>(&OutgoingDatagram { remote, data: data.clone() }).await.unwrap();
        let longest = server.control::<ReceiveFrom>(&()).await.unwrap();
        assert_eq!(longest.data, data);
        data.push(7);
        let longer = client.control::<SendTo>(&OutgoingDatagram { remote, data }).await;
        assert_eq!(longer, Err(Error::MessageTooLong));
    });
}

#[test]
fn a_look_at_what_waits_takes_nothing() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    world.run(async {
        let listener = right.open("sockets");
        assert_eq!(
            listener.control::<Peek>(&9).await,
            Err(Error::InvalidInput),
            "no socket at all"
        );
        listener.write_all(b"socket tcp\nbind *:80\nlisten\n").await.unwrap();
        assert_eq!(listener.control::<Peek>(&9).await, Err(Error::NotConnected), "a listener");
        let client = left.open("sockets");
        client.write_all(b"socket tcp\nconnect 10.0.0.2:80\n").await.unwrap();
        let server = right.open("sockets");
        let offer = listener.control::<NextConnection>(&()).await.unwrap();
        server.control::<Accept>(&offer.token).await.unwrap();
        assert_eq!(server.try_control::<Peek>(&9), Err(Error::WouldBlock));
        // Whoever waits is woken.
        let (seen, written) =
            future::zip(server.control::<Peek>(&3), client.write_all(b"hello")).await;
        written.unwrap();
        let shown = |data: &[u8]| Peeked {
            remote: offer.remote,
            length: data.len() as u32,
            data: data.to_vec(),
        };
        assert_eq!(seen, Ok(shown(b"hel")));
        assert_eq!(server.control::<Peek>(&u32::MAX).await, Ok(shown(b"hello")));
        let mut buffer = [0; 16];
        assert_eq!(server.read(&mut buffer).await, Ok(5));
        client.control::<Shutdown>(&Direction::Write).await.unwrap();
        assert_eq!(server.control::<Peek>(&9).await, Ok(shown(b"")), "the end");

        let datagrams = right.open("sockets");
        datagrams.write_all(b"socket udp\nbind 10.0.0.2:7\n").await.unwrap();
        assert_eq!(datagrams.try_control::<Peek>(&9), Err(Error::WouldBlock));
        let client = left.open("sockets");
        client.write_all(b"socket udp\nconnect 10.0.0.2:7\n").await.unwrap();
        client.write_all(b"one").await.unwrap();
        client.write_all(b"two!").await.unwrap();
        let seen = datagrams.control::<Peek>(&2).await.unwrap();
        assert_eq!(
            (seen.data.as_slice(), seen.length, seen.remote.ip()),
            (&b"on"[..], 3, "10.0.0.1".parse().unwrap())
        );
        assert_eq!(datagrams.read(&mut buffer).await, Ok(3));
        assert_eq!(datagrams.control::<Peek>(&100).await.unwrap().data, b"two!");
        assert_eq!(datagrams.read(&mut buffer).await, Ok(4));
    });
}

#[test]
fn routed_routes_name_their_interface() {
    let world = World::new(8);
    let (left, _right) = hosts(&world);
    let add = |destination: &str, gateway: Option<&str>, interface: Option<&str>| {
        let new = NewRoute {
            destination: destination.parse().unwrap(),
            gateway: gateway.map(|text| text.parse().unwrap()),
            metric: 0,
            interface: interface.map(Into::into),
            append: false,
        };
        left.control::<AddRoute>("sockets", &new)
    };
    assert_eq!(add("0.0.0.0/0", Some("10.0.0.2"), None), Ok(()));
    assert_eq!(add("0.0.0.0/0", Some("10.0.0.2"), None), Err(Error::AlreadyExists));
    assert_eq!(add("192.0.2.0/24", None, None), Err(Error::NoDevice));
    assert_eq!(add("192.0.2.0/24", None, Some("nosuch")), Err(Error::NoDevice));
    assert_eq!(add("192.0.2.0/24", None, Some("eth0")), Ok(()));
    assert_eq!(add("198.51.100.0/24", Some("10.9.9.9"), None), Err(Error::NetworkUnreachable));
    let choice = left.control::<FindRoute>("sockets", &"203.0.113.9".parse().unwrap()).unwrap();
    assert_eq!(
        (choice.interface.as_str(), choice.gateway, choice.source),
        ("eth0", Some("10.0.0.2".parse().unwrap()), "10.0.0.1".parse().unwrap())
    );
    let own = left.control::<FindRoute>("sockets", &"10.0.0.1".parse().unwrap()).unwrap();
    assert_eq!((own.interface.as_str(), own.route), ("lo", None));
    assert!(
        left.control::<ListRoutes>("sockets", &())
            .unwrap()
            .iter()
            .any(|route| route.interface == "lo")
    );
    left.control::<AddDnsServer>("eth0", &"10.0.0.2".parse().unwrap()).unwrap();
    assert_eq!(left.control::<ListDnsServers>("sockets", &()).unwrap().len(), 1);
    let full = NewAddress { prefix: "10.0.0.1/24".parse().unwrap(), broadcast: None };
    assert_eq!(left.control::<AddAddress>("sockets", &full), Err(Error::Unsupported));
}

devnet_virtual_file_system::define_commands! {
    /// Commands of a controller that a platform brought.
    pub mod radio, kind b'x', clashes_with [devnet_network::command::TABLE] {
        /// Doubles a number.
        1 => Double: Read (u32) -> u32;
        /// Refuses.
        2 => Refuse: Write (()) -> ();
    }
}

struct Radio;

impl CharacterDevice for Radio {
    fn open(&self, _request: &OpenRequest<'_>) -> Result<std::sync::Arc<dyn OpenDevice>, Error> {
        Ok(std::sync::Arc::new(Self))
    }
}

impl OpenDevice for Radio {
    fn read<'a>(&'a self, _buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::Unsupported))
    }

    fn write<'a>(&'a self, _data: &'a [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::Unsupported))
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        Operation::done(match radio::Request::decode(identifier, request) {
            Some(Ok(radio::Request::Double(number))) => {
                devnet_virtual_file_system::encode(&(number * 2))
            }
            Some(Ok(radio::Request::Refuse(()))) => Err(Error::Busy),
            Some(Err(error)) => Err(error),
            None => Err(Error::UnknownCommand),
        })
    }

    fn poll_ready(
        &self,
        _context: &mut std::task::Context<'_>,
        interest: devnet_virtual_file_system::Readiness,
    ) -> std::task::Poll<devnet_virtual_file_system::Readiness> {
        std::task::Poll::Ready(interest)
    }
}

#[test]
fn unknown_identifiers_reach_the_controller_unchanged_and_so_do_its_answers() {
    let world = World::new(9);
    let host = Host::new(&world);
    host.manager
        .register(
            "radio0",
            Box::new(devnet_drivers::cable(options()).0),
            Some(std::sync::Arc::new(Radio)),
        )
        .unwrap();
    assert_eq!(host.control::<radio::Double>("radio0", &21), Ok(42));
    assert_eq!(host.control::<radio::Refuse>("radio0", &()), Err(Error::Busy));
    let device = host.open("radio0");
    assert_eq!(
        device.try_control_raw(radio::Double::IDENTIFIER, b"\xff\xff\xff\xff\xff\xff"),
        Err(Error::BadMessage)
    );
    let unknown = Identifier::from_raw(0xdead_beef);
    assert_eq!(device.try_control_raw(unknown, b"anything"), Err(Error::UnknownCommand));
    assert_eq!(host.open("lo").try_control_raw(unknown, b""), Err(Error::UnknownCommand));
    assert_eq!(host.open("sockets").try_control_raw(unknown, b""), Err(Error::UnknownCommand));
}

/// A route without a metric of its own has the interface's, as the page of the text language says;
/// one that was added after `metric 10` kept 0, and was preferred to every other.
#[test]
fn a_route_without_a_metric_follows_the_interface() {
    let world = World::new(1);
    let (host, _) = hosts(&world);
    let device = host.open("eth0");
    let metric = |destination: &str| {
        let routes = host.control::<ListRoutes>("eth0", &()).unwrap();
        routes
            .into_iter()
            .find(|route| route.destination.to_string() == destination)
            .unwrap()
            .metric
    };
    host.write(&device, "metric 10\nroute add 192.0.2.0/24 via 10.0.0.2").unwrap();
    host.write(&device, "route add 198.51.100.0/24 via 10.0.0.2 metric 3").unwrap();
    let of = || ["10.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24"].map(metric);
    assert_eq!(of(), [10, 10, 3]);
    host.write(&device, "metric 20").unwrap();
    assert_eq!(of(), [20, 20, 3]);
    // The same route again exists, with this metric given or not.
    for line in
        ["route add 192.0.2.0/24 via 10.0.0.2", "route add 192.0.2.0/24 via 10.0.0.2 metric 20"]
    {
        assert_eq!(host.write(&device, line), Err(Error::AlreadyExists), "{line}");
    }
    host.write(&device, "route remove 192.0.2.0/24 metric 20").unwrap();
}
