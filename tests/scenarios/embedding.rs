//! What a Rust program reaches for: commands without opening a file, settings of streams that
//! exist, time-outs, and the non-blocking forms.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use devnet_network::command::address::{NewAddress, Origin};
use devnet_network::command::option::CongestionControl;
use devnet_network::command::{
    AwaitDhcp, FindRoute, GetInterface, ListAddresses, ListInterfaces, ReplaceAddresses, SetMtu,
};
use devnet_network::driver::Driver;
use devnet_network::manager::{ConfigureError, SOCKETS};
use devnet_network::{Manager, TcpListener, TcpSettings, TcpStream, UdpSocket, limits};
use devnet_virtual_file_system::{
    CharacterDevice, CommandEntry, Error, Identifier, Lock, OpenDevice, OpenRequest, Operation,
    Readiness, VirtualFileSystem, encode,
};
use futures_lite::future;
use world::World;

use crate::pair::{connection, hosts, options, pattern, read_to_end};

const SERVER: &str = "10.0.0.2:80";

#[test]
fn a_manager_executes_typed_commands() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let manager = &left.manager;
    assert_eq!(manager.execute::<SetMtu>("eth0", &1400).now(), Ok(true));
    let status = world.run(manager.execute::<GetInterface>("eth0", &())).unwrap();
    assert_eq!(status.mtu, 1400);
    let all = manager.execute::<ListInterfaces>(SOCKETS, &()).now().unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(manager.execute::<SetMtu>("eth0", &1).now(), Err(Error::InvalidInput));
    for name in ["eth9", "", "..", "../sockets", "/devices/network/eth0"] {
        let outcome = manager.execute::<GetInterface>(name, &()).now();
        assert_eq!(outcome.unwrap_err(), Error::NotFound, "{name}");
    }
    // One that waits is awaited.
    manager.configure("eth0", "dhcp start").unwrap();
    assert_eq!(manager.execute::<AwaitDhcp>("eth0", &100).now(), Err(Error::WouldBlock));
    let outcome = world.run(manager.execute::<AwaitDhcp>("eth0", &100));
    assert!(outcome.is_err(), "{outcome:?}");
}

#[test]
fn a_manager_configures_by_lines_and_opens_devices() {
    let world = World::new(2);
    let (left, _right) = hosts(&world);
    let manager = &left.manager;
    manager.configure("eth0", "mtu 1300\n# a comment\nmetric 7").unwrap();
    let file = manager.open("eth0").unwrap();
    let status = file.try_control::<GetInterface>(&()).unwrap();
    assert_eq!((status.mtu, status.metric), (1300, 7));
    // A text that is no command changes nothing; a line that fails leaves those before it.
    let failed = |lines: &str| manager.configure("eth0", lines).unwrap_err();
    assert_eq!(failed("mtu 1290\nnonsense").error(), Error::InvalidInput);
    assert_eq!(file.try_control::<GetInterface>(&()).unwrap().mtu, 1300);
    assert!(manager.configure("eth0", "mtu 1290\nmtu 1").is_err());
    assert_eq!(file.try_control::<GetInterface>(&()).unwrap().mtu, 1290);
    let waiting = failed("dhcp start\ndhcp wait 100");
    assert_eq!(waiting.error(), Error::WouldBlock);
    assert_eq!(waiting.to_string(), "line 2: dhcp wait 100: Resource temporarily unavailable");
    let unknown = manager.configure("eth9", "link up");
    assert_eq!(unknown, Err(ConfigureError::Device(Error::NotFound)));
}

#[test]
fn a_boxed_driver_is_a_driver() {
    let world = World::new(3);
    let (left, right) = devnet_drivers::cable(options());
    let boxed: Box<dyn Driver> = Box::new(left);
    let left = world::Host::new(&world).with("eth0", boxed, &["10.0.0.1/24"]);
    let right = world::Host::new(&world).with("eth0", right, &["10.0.0.2/24"]);
    world.run(async {
        let (client, server) = connection(&left, &right, SERVER).await;
        client.write_all(b"through a box").await.unwrap();
        drop(client);
        assert_eq!(read_to_end(&server).await.unwrap(), b"through a box");
    });
}

#[test]
fn settings_of_accepted_streams_are_read_and_changed() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    world.run(async {
        let inherited =
            TcpSettings::default().keep_alive(7000).receive_buffer(Some(8192)).traffic_class(8);
        let address = SERVER.parse().unwrap();
        let listener = TcpListener::bind_with(&right.sockets(), address, 4, inherited).unwrap();
        let client = TcpStream::connect(&left.sockets(), SERVER).await.unwrap();
        let server = listener.accept().await.unwrap();
        let settings = server.settings().unwrap();
        assert_eq!(settings, inherited.hop_limit(Some(64)));
        let changed = settings
            .no_delay(true)
            .cork(true)
            .not_sent_low_water(4096)
            .maximum_segment(600)
            .hop_limit(Some(9))
            .traffic_class(0x20)
            .keep_alive(0)
            .keep_alive_interval(5000)
            .keep_alive_count(3)
            .user_timeout(9000)
            .linger(Some(0))
            .send_buffer(Some(16384))
            .congestion(CongestionControl::Bbr)
            .black_hole_detection(false);
        server.set_settings(&changed);
        assert_eq!(server.settings(), Some(changed));
        server.abort();
        drop(client);
    });
}

#[test]
fn the_congestion_control_changes_while_data_is_in_flight() {
    for algorithm in [CongestionControl::NewReno, CongestionControl::Bbr] {
        let world = World::new(5);
        let (left, right) = hosts(&world);
        let data = pattern(300_000);
        let received = world.run(async {
            let (client, server) = connection(&left, &right, SERVER).await;
            let send = async {
                client.write_all(&data[..150_000]).await.unwrap();
                let settings = client.settings().unwrap();
                client.set_settings(&settings.congestion(algorithm));
                assert_eq!(client.settings().unwrap().congestion, algorithm);
                client.write_all(&data[150_000..]).await.unwrap();
                drop(client);
            };
            future::zip(send, read_to_end(&server)).await.1.unwrap()
        });
        assert!(received == data);
    }
}

#[test]
fn a_time_out_ends_whatever_waits() {
    let world = World::new(6);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, SERVER).await;
        let (sockets, began) = (left.sockets(), world.now());
        let mut buffer = [0; 4];
        let outcome = sockets.timeout(Duration::from_secs(3), client.read(&mut buffer)).await;
        assert_eq!(outcome, Err(Error::TimedOut));
        assert_eq!(world.now().since(began).as_secs(), 3);
        server.write_all(b"data").await.unwrap();
        let outcome = sockets.timeout(Duration::from_secs(3), client.read(&mut buffer)).await;
        assert_eq!(outcome, Ok(4));
    });
}

#[test]
fn a_datagram_tells_when_it_arrived() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    world.run(async {
        let receiver = UdpSocket::new(&right.sockets());
        receiver.bind(SERVER.parse().unwrap()).unwrap();
        let sender = UdpSocket::new(&left.sockets());
        // The neighbor is resolved by then.
        sender.send_to(b"first", SERVER.parse().unwrap()).await.unwrap();
        receiver.receive().await.unwrap();
        let began = world.now();
        sender.send_to(b"second", SERVER.parse().unwrap()).await.unwrap();
        world.sleep(Duration::from_secs(5)).await;
        let info = receiver.try_peek_message(&mut []).unwrap();
        assert!(info.received_at >= began && world.now().since(info.received_at).as_secs() >= 4);
        assert_eq!(receiver.receive().await.unwrap().received_at, info.received_at);
    });
}

#[test]
fn what_would_wait_is_tried() {
    let world = World::new(8);
    let (left, right) = hosts(&world);
    world.run(async {
        let (client, server) = connection(&left, &right, SERVER).await;
        let (reader, writer) = client.into_split();
        let mut buffer = [0; 8];
        assert_eq!(reader.try_read(&mut buffer), Err(Error::WouldBlock));
        assert_eq!(reader.stream().try_peek(&mut buffer), Err(Error::WouldBlock));
        assert_eq!(writer.try_write(b"abc"), Ok(3));
        assert_eq!(writer.try_flush(), Err(Error::WouldBlock));
        server.write_all(b"xy").await.unwrap();
        world.sleep(Duration::from_millis(500)).await;
        assert_eq!(writer.try_flush(), Ok(()));
        assert!(writer.poll_flush(&mut Context::from_waker(Waker::noop())).is_ready());
        assert_eq!(reader.stream().try_peek(&mut buffer), Ok(2));
        assert_eq!(reader.try_read(&mut buffer), Ok(2));

        let socket = Arc::new(UdpSocket::new(&right.sockets()));
        socket.bind("0.0.0.0:9".parse().unwrap()).unwrap();
        assert_eq!(socket.try_receive().unwrap_err(), Error::WouldBlock);
        assert_eq!(socket.try_receive_from(&mut buffer), Err(Error::WouldBlock));
        let sender = UdpSocket::new(&left.sockets());
        let (from, to) = ("10.0.0.1".parse().unwrap(), "10.0.0.2:9".parse().unwrap());
        for _ in 0..2 {
            sender.try_send_from(b"data", from, to).unwrap();
            world.sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(socket.try_receive().unwrap().data, b"data");
        let (length, peer) = socket.try_receive_from(&mut buffer).unwrap();
        assert_eq!((length, peer.ip()), (4, from));
    });
}

#[test]
fn all_addresses_are_replaced_at_once_or_none() {
    let world = World::new(9);
    let (left, right) = hosts(&world);
    let addresses = || -> Vec<String> {
        let all = left.manager.execute::<ListAddresses>("eth0", &()).now().unwrap();
        let ours = all.iter().filter(|entry| entry.origin == Origin::Static);
        ours.map(|entry| entry.prefix.to_string()).collect()
    };
    world.run(async {
        let (client, server) = connection(&left, &right, SERVER).await;
        let before = addresses();
        // None of these comes when one of them cannot.
        for lines in
            ["address replace 10.0.0.9/24 10.0.0.9/24", "address replace 10.0.0.9/24 224.0.0.1/24"]
        {
            assert!(left.manager.configure("eth0", lines).is_err());
            assert_eq!(addresses(), before);
        }
        // What stays is not touched, even with another prefix length: the connection lives.
        left.manager.configure("eth0", "address replace 10.0.0.1/16 fd00::5/64").unwrap();
        assert_eq!(addresses(), ["10.0.0.1/16", "fd00::5/64"]);
        client.write_all(b"still here").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(server.read(&mut buffer).await, Ok(10));
        let new = |text: &str| NewAddress { prefix: text.parse().unwrap(), broadcast: None };
        let same = vec![new("fd00::5/64"), new("10.0.0.1/16")];
        assert_eq!(left.manager.execute::<ReplaceAddresses>("eth0", &same).now(), Ok(false));
        // The connection of an address that goes ends.
        let other = vec![new("10.0.0.7/24")];
        assert_eq!(left.manager.execute::<ReplaceAddresses>("eth0", &other).now(), Ok(true));
        assert!(client.read(&mut buffer).await.is_err());
        assert_eq!(server.read(&mut buffer).await, Err(Error::ConnectionReset));
        assert_eq!(left.manager.execute::<ReplaceAddresses>("eth0", &vec![]).now(), Ok(true));
        assert!(addresses().is_empty());
    });
}

#[test]
fn a_full_table_of_addresses_is_replaced_too() {
    let world = World::new(10);
    let (left, _right) = hosts(&world);
    let list = |third: u8| -> Vec<NewAddress> {
        let all = (0..limits::ADDRESSES - 1).map(|last| format!("10.1.{third}.{last}/32"));
        all.map(|text| NewAddress { prefix: text.parse().unwrap(), broadcast: None }).collect()
    };
    for third in [1, 2] {
        let outcome = left.manager.execute::<ReplaceAddresses>("eth0", &list(third)).now();
        assert_eq!(outcome, Ok(true));
    }
    let more = [list(1), list(2)].concat();
    let outcome = left.manager.execute::<ReplaceAddresses>("eth0", &more).now();
    assert_eq!(outcome, Err(Error::NoBufferSpace));
}

#[test]
fn without_an_interface_nothing_is_found_and_without_a_route_nothing_reached() {
    let world = World::new(11);
    let manager = Manager::new(VirtualFileSystem::new(), world.platform()).unwrap();
    let refusals = || {
        let (sockets, to) = (manager.sockets(), SocketAddr::from(([192, 0, 2, 1], 80)));
        let socket = UdpSocket::new(&sockets);
        [
            world.run(TcpStream::connect(&sockets, to)).map(drop).unwrap_err(),
            socket.connect(to).unwrap_err(),
            socket.try_send(b"x", Some(to)).unwrap_err(),
            manager.execute::<FindRoute>(SOCKETS, &to.ip()).now().map(drop).unwrap_err(),
        ]
    };
    assert_eq!(refusals(), [Error::NotFound; 4]);
    let listener = TcpListener::bind(&manager.sockets(), "0.0.0.0:0".parse().unwrap(), 1);
    assert_eq!(listener.map(drop), Err(Error::NotFound));
    manager.register("lo", Box::new(devnet_drivers::Loopback::new(65535)), None).unwrap();
    assert_eq!(refusals(), [Error::NetworkUnreachable; 4]);
}

devnet_virtual_file_system::define_commands! {
    /// Commands of a radio that an embedder builds.
    mod radio, kind b'x' {
        /// Tunes the radio.
        1 => Tune: Write (u32) -> bool, text "tune to";
        /// Tells the frequency.
        2 => GetFrequency: Read (()) -> u32;
        /// Switches the radio.
        3 => SetPower: Write (bool) -> (), text "power";
    }
}

/// The frequency, and whether it is on.
#[derive(Default)]
struct Radio(Lock<(u32, bool)>);

struct OpenRadio(Arc<Radio>);

/// The controller of an interface.
struct RadioDevice(Arc<Radio>);

impl CharacterDevice for RadioDevice {
    fn open(&self, _: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>, Error> {
        Ok(Arc::new(OpenRadio(Arc::clone(&self.0))))
    }
}

impl OpenRadio {
    fn execute(&self, request: radio::Request) -> Result<Vec<u8>, Error> {
        self.0.0.with(|(frequency, power)| match request {
            radio::Request::Tune(0) => Err(Error::AddressNotAvailable),
            radio::Request::Tune(to) => encode(&(std::mem::replace(frequency, to) != to)),
            radio::Request::GetFrequency(()) => encode(frequency),
            radio::Request::SetPower(on) => {
                *power = on;
                encode(&())
            }
        })
    }
}

impl OpenDevice for OpenRadio {
    fn read<'a>(&'a self, _: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::done(Ok(0))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        let line = std::str::from_utf8(data).unwrap_or_default();
        let outcome = match radio::Request::parse(line) {
            None => Err(Error::InvalidInput),
            Some(request) => request.and_then(|request| self.execute(request)),
        };
        Operation::done(outcome.map(|_| data.len()))
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        let request = radio::Request::decode(identifier, request).ok_or(Error::UnknownCommand);
        Operation::done(request.flatten().and_then(|request| self.execute(request)))
    }

    fn commands(&self) -> Vec<CommandEntry> {
        radio::TABLE.to_vec()
    }

    fn poll_ready(&self, _: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        Poll::Ready(interest)
    }
}

#[test]
fn the_controllers_commands_have_lines_and_names_like_ours() {
    let world = World::new(12);
    let (driver, _other) = devnet_drivers::cable(options());
    let manager = Manager::new(VirtualFileSystem::new(), world.platform()).unwrap();
    let state = Arc::new(Radio::default());
    let controller: Arc<dyn CharacterDevice> = Arc::new(RadioDevice(Arc::clone(&state)));
    manager.register("eth0", Box::new(driver), Some(controller)).unwrap();
    // Lines of both, in order; `radio` is executed by name too.
    manager.configure("eth0", "link up\n tune  to 98 \nmtu 1400\npower on").unwrap();
    assert_eq!(state.0.with(|state| *state), (98, true));
    assert_eq!(manager.execute::<GetInterface>("eth0", &()).now().unwrap().mtu, 1400);
    assert_eq!(manager.execute::<radio::GetFrequency>("eth0", &()).now(), Ok(98));
    assert_eq!(manager.execute::<radio::Tune>("eth0", &99).now(), Ok(true));
    // The controller's refusal is the answer, and what is nobody's is refused.
    let refused = |line: &str| manager.configure("eth0", line).unwrap_err().error();
    assert_eq!(refused("tune to 0"), Error::AddressNotAvailable);
    let located = manager.configure("eth0", "link up\ntune to 0").unwrap_err().to_string();
    assert_eq!(located, "line 2: tune to 0: Cannot assign requested address");
    let unknown = manager.configure("eth0", "nonsense").unwrap_err().to_string();
    assert!(unknown.starts_with("line 1: \"nonsense\" is none of link, "), "{unknown}");
    assert!(unknown.ends_with(", watch, dhcp6, tune, power"), "{unknown}");
    for line in ["tune to", "tune to nowhere", "tune in 7", "power maybe", "nonsense"] {
        assert_eq!(refused(line), Error::InvalidInput, "{line}");
    }
    // Our words stay ours.
    assert_eq!(refused("mtu of 7"), Error::InvalidInput);
    let names: Vec<_> = manager.open("eth0").unwrap().commands().unwrap();
    let names: Vec<_> = names.iter().map(|entry| (entry.name, entry.text)).collect();
    assert_eq!(names[0], ("GetInterface", None));
    let theirs = [("Tune", Some("tune to")), ("GetFrequency", None), ("SetPower", Some("power"))];
    assert!(names.ends_with(&theirs));
    assert_eq!(manager.open(SOCKETS).unwrap().commands().unwrap().len(), names.len() - 3);
}
