//! The DHCP client against a scripted server.

use std::sync::Arc;
use std::time::Duration;

use devnet_network::UdpSocket;
use devnet_network::command::address::Origin;
use devnet_network::command::configuration::{ConfigurationText, NoteKind};
use devnet_network::command::dhcp::DhcpState;
use devnet_network::command::{
    ApplyConfiguration, ExportConfiguration, GetDhcp, ListAddresses, ListDnsServers, ListRoutes,
};
use devnet_network::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, SERVER_PORT, option};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::events::{told, watching};
use crate::pair::options;

/// What the server does with requests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Grants,
    Refuses,
    Silent,
}

struct Server {
    socket: Arc<UdpSocket>,
    mood: Arc<std::sync::Mutex<Mood>>,
    heard: Arc<std::sync::Mutex<Vec<MessageKind>>>,
}

fn answer(kind: MessageKind, to: &DhcpMessage) -> Vec<u8> {
    let mut reply = DhcpMessage::new(kind, to.transaction, to.hardware_address);
    reply.your_address = [10, 0, 0, 50].into();
    reply.push(option::SERVER_IDENTIFIER, &[10, 0, 0, 2]);
    if kind != MessageKind::Refuse {
        reply.push(option::LEASE_TIME, &600u32.to_be_bytes());
        reply.push(option::SUBNET_MASK, &[255, 255, 255, 0]);
        reply.push(option::ROUTER, &[10, 0, 0, 2]);
        reply.push(option::DNS_SERVERS, &[10, 0, 0, 3, 10, 0, 0, 4]);
    }
    reply.to_bytes()
}

fn serve(world: &World, host: &Host) -> Server {
    let socket = Arc::new(UdpSocket::new(&host.manager.sockets_on("eth0").unwrap()));
    socket.bind(format!("0.0.0.0:{SERVER_PORT}").parse().unwrap()).unwrap();
    socket.set_broadcast(true);
    let server = Server {
        socket: Arc::clone(&socket),
        mood: Arc::new(std::sync::Mutex::new(Mood::Grants)),
        heard: Arc::default(),
    };
    let (mood, heard) = (Arc::clone(&server.mood), Arc::clone(&server.heard));
    world
        .spawn(async move {
            loop {
                let Ok(message) = socket.receive().await else { return };
                let Ok(message) = DhcpMessage::parse(&message.data) else { continue };
                heard.lock().unwrap().push(message.kind);
                let mood = *mood.lock().unwrap();
                let kind = match (message.kind, mood) {
                    (_, Mood::Silent) => continue,
                    (MessageKind::Discover, _) => MessageKind::Offer,
                    (MessageKind::Request, Mood::Grants) => MessageKind::Acknowledge,
                    (MessageKind::Request, Mood::Refuses) => MessageKind::Refuse,
                    _ => continue,
                };
                let to = if message.client_address.is_unspecified() {
                    [255, 255, 255, 255].into()
                } else {
                    message.client_address
                };
                socket.send_to(&answer(kind, &message), (to, CLIENT_PORT).into()).await.unwrap();
            }
        })
        .detach();
    server
}

fn network(world: &World) -> (Host, Host, Server) {
    let (left, right) = devnet_drivers::cable(options());
    let client = Host::new(world).with("eth0", left, &[]);
    let host = Host::new(world).with("eth0", right, &["10.0.0.2/24"]);
    let server = serve(world, &host);
    world.run(world.sleep(Duration::from_secs(2)));
    (client, host, server)
}

fn counts(host: &Host) -> (usize, usize, usize) {
    let addresses = host.control::<ListAddresses>("eth0", &()).unwrap();
    let routes = host.control::<ListRoutes>("eth0", &()).unwrap();
    let servers = host.control::<ListDnsServers>("eth0", &()).unwrap();
    (
        addresses.iter().filter(|entry| entry.origin == Origin::Dhcp).count(),
        routes.iter().filter(|route| route.origin == Origin::Dhcp).count(),
        servers.iter().filter(|server| server.origin == Origin::Dhcp).count(),
    )
}

fn state(host: &Host) -> DhcpState {
    host.control::<GetDhcp>("eth0", &()).unwrap().state
}

#[test]
fn a_lease_is_applied_renewed_and_taken_back() {
    let world = World::new(1);
    let (client, _host, server) = network(&world);
    world.run(async {
        let device = client.open("eth0");
        device.write_all(b"dhcp start\ndhcp wait 5000\n").await.unwrap();
        let status = client.control::<GetDhcp>("eth0", &()).unwrap();
        assert_eq!(status.state, DhcpState::Bound);
        assert_eq!(status.lease.unwrap().address.to_string(), "10.0.0.50/24");
        assert_eq!(counts(&client), (1, 1, 2));
        // The address lives as long as the lease.
        let lifetimes = || {
            let remaining =
                client.control::<GetDhcp>("eth0", &()).unwrap().lease.unwrap().remaining_seconds;
            let all = client.control::<ListAddresses>("eth0", &()).unwrap();
            let found =
                all.iter().find(|entry| entry.prefix.to_string() == "10.0.0.50/24").unwrap();
            assert_eq!(
                (found.valid_seconds, found.preferred_seconds),
                (Some(remaining), Some(remaining))
            );
            remaining
        };
        let first = lifetimes();
        world.sleep(Duration::from_secs(100)).await;
        assert_eq!(lifetimes(), first - 100);
        // Halfway through, the lease is renewed by unicast and nothing changes.
        server.heard.lock().unwrap().clear();
        world.sleep(Duration::from_secs(220)).await;
        assert_eq!(*server.heard.lock().unwrap(), [MessageKind::Request]);
        assert_eq!(state(&client), DhcpState::Bound);
        assert_eq!(counts(&client), (1, 1, 2));
        assert!(
            client.control::<GetDhcp>("eth0", &()).unwrap().lease.unwrap().remaining_seconds > 500
        );
        // Starting twice is one client; stopping releases and takes everything back.
        device.write_all(b"dhcp start\n").await.unwrap();
        device.write_all(b"dhcp stop\n").await.unwrap();
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!(server.heard.lock().unwrap().last(), Some(&MessageKind::Release));
        assert_eq!(counts(&client), (0, 0, 0));
        assert_eq!(state(&client), DhcpState::Stopped);
    });
    drop(server.socket);
}

#[test]
fn a_silent_server_costs_the_lease_and_a_refusal_does_at_once() {
    let world = World::new(2);
    let (client, _host, server) = network(&world);
    world.run(async {
        let device = client.open("eth0");
        device.write_all(b"dhcp start\ndhcp wait 5000\n").await.unwrap();
        *server.mood.lock().unwrap() = Mood::Silent;
        world.sleep(Duration::from_secs(590)).await;
        assert_eq!(state(&client), DhcpState::Rebinding);
        assert_eq!(counts(&client), (1, 1, 2));
        world.sleep(Duration::from_secs(20)).await;
        assert_eq!(state(&client), DhcpState::Selecting);
        assert_eq!(counts(&client), (0, 0, 0));
        *server.mood.lock().unwrap() = Mood::Grants;
        device.write_all(b"dhcp wait 70000\n").await.unwrap();
        assert_eq!(counts(&client), (1, 1, 2));
        *server.mood.lock().unwrap() = Mood::Refuses;
        device.write_all(b"dhcp renew\n").await.unwrap();
        world.sleep(Duration::from_millis(100)).await;
        assert_eq!(counts(&client), (0, 0, 0));
        assert_eq!(device.write_all(b"dhcp wait 100\n").await, Err(Error::TimedOut));
    });
}

#[test]
fn dc_05_an_address_that_somebody_uses_is_declined() {
    let world = World::new(3);
    let (client, host, server) = network(&world);
    let device = host.open("eth0");
    host.write(&device, "address add 10.0.0.50/24").unwrap();
    world.run(async {
        let device = client.open("eth0");
        device.write_all(b"dhcp start\n").await.unwrap();
        world.sleep(Duration::from_secs(3)).await;
        assert!(server.heard.lock().unwrap().contains(&MessageKind::Decline));
        assert_eq!(counts(&client), (0, 0, 0));
    });
}

#[test]
fn dc_08_manual_addresses_and_the_lease_leave_each_other_alone() {
    let world = World::new(4);
    let (client, _host, _server) = network(&world);
    world.run(async {
        let device = client.open("eth0");
        device
            .write_all(
                b"address add 192.0.2.1/24\ndns add 192.0.2.53\ndhcp start\ndhcp wait 5000\n",
            )
            .await
            .unwrap();
        device.write_all(b"address remove 192.0.2.1/24\n").await.unwrap();
        assert_eq!(counts(&client), (1, 1, 2));
        device.write_all(b"address add 192.0.2.1/24\ndhcp stop\n").await.unwrap();
        assert_eq!(counts(&client), (0, 0, 0));
        assert_eq!(client.control::<ListDnsServers>("eth0", &()).unwrap().len(), 1);
        let manual = client.control::<ListAddresses>("eth0", &()).unwrap();
        assert!(manual.iter().any(|entry| entry.prefix.to_string() == "192.0.2.1/24"));
    });
}

#[test]
fn a_watching_file_is_told_of_the_lease_and_what_it_brings() {
    let world = World::new(12);
    let (client, _host, server) = network(&world);
    let file = watching(&client, "eth0", "dhcp address route dns");
    world.run(async {
        let device = client.open("eth0");
        device.write_all(b"dhcp start\ndhcp wait 5000\n").await.unwrap();
    });
    let records = told(&file);
    let states = records.iter().filter(|line| line.starts_with("dhcp changed eth0 state "));
    let states: Vec<_> = states.map(|line| line.split(' ').nth(4).unwrap()).collect();
    assert_eq!(states, ["selecting", "requesting", "checking", "bound"]);
    assert_eq!(
        records[records.len() - 6..],
        [
            "address added 10.0.0.50/24 interface eth0 origin dhcp state preferred scope global \
            broadcast 10.0.0.255 valid 599 preferred 599",
            "route added 10.0.0.0/24 interface eth0 metric 0 origin kernel source 10.0.0.50",
            "route added 0.0.0.0/0 interface eth0 via 10.0.0.2 metric 0 origin dhcp",
            "dns added 10.0.0.3 interface eth0 origin dhcp",
            "dns added 10.0.0.4 interface eth0 origin dhcp",
            "dhcp changed eth0 state bound address 10.0.0.50/24 server 10.0.0.2 lease 600",
        ]
    );
    // A renewal changes nothing but the client's state.
    world.run(world.sleep(Duration::from_secs(320)));
    assert!(told(&file).iter().all(|line| line.starts_with("dhcp changed eth0 state ")));
    client.write(&client.open("eth0"), "dhcp stop").unwrap();
    assert!(told(&file).iter().any(|line| line.starts_with("address removed 10.0.0.50/24")));
    drop(server.socket);
}

#[test]
fn a_route_through_the_network_of_the_lease_waits_for_it_and_goes_with_the_client() {
    let world = World::new(1);
    let (client, _host, server) = network(&world);
    let text = "link up\ndhcp start\nroute add 192.0.2.0/24 via 10.0.0.9 metric 7\n";
    let device = client.open("eth0");
    let has_route = || {
        let routes = client.control::<ListRoutes>("eth0", &()).unwrap();
        routes.iter().any(|route| route.destination.to_string() == "192.0.2.0/24")
    };
    let exported = || client.control::<ExportConfiguration>("eth0", &false).unwrap();
    let request = ConfigurationText { text: text.into(), has_more: false };
    *server.mood.lock().unwrap() = Mood::Silent;
    let outcome = device.try_control::<ApplyConfiguration>(&request).unwrap();
    let notes: Vec<_> = outcome.notes.iter().map(|note| (note.line, note.kind)).collect();
    assert_eq!(notes, [(3, NoteKind::GatewayAwaited)]);
    assert_eq!((has_route(), exported()), (false, text.into()));
    world.run(async {
        *server.mood.lock().unwrap() = Mood::Grants;
        device.write_all(b"dhcp wait 100000").await.unwrap();
        assert_eq!((has_route(), exported()), (true, text.into()));
        // The server takes the lease back, and the route waits.
        *server.mood.lock().unwrap() = Mood::Refuses;
        device.write_all(b"dhcp renew").await.unwrap();
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!(counts(&client).0, 0);
        assert_eq!((has_route(), exported()), (false, text.into()));
        *server.mood.lock().unwrap() = Mood::Grants;
        device.write_all(b"dhcp wait 100000").await.unwrap();
        assert_eq!((has_route(), exported()), (true, text.into()));
        // A pulled cable changes nothing of it.
        device.write_all(b"link down\nlink up\ndhcp wait 100000").await.unwrap();
        assert_eq!((has_route(), exported()), (true, text.into()));
        // The router answered before the server heard of it (RFC 4436).
        world.sleep(Duration::from_secs(1)).await;
        // Applying what is so keeps the lease.
        server.heard.lock().unwrap().clear();
        let outcome = device.try_control::<ApplyConfiguration>(&request).unwrap();
        assert_eq!((outcome.changes.len(), counts(&client).0), (0, 1));
        world.sleep(Duration::from_secs(1)).await;
        assert!(server.heard.lock().unwrap().is_empty());
        // Without the client nothing brings its network back.
        device.write_all(b"dhcp stop").await.unwrap();
        assert_eq!((has_route(), exported()), (false, "link up\n".into()));
        // What waits can be removed, and said again.
        *server.mood.lock().unwrap() = Mood::Silent;
        device.try_control::<ApplyConfiguration>(&request).unwrap();
        device.write_all(b"route remove 192.0.2.0/24").await.unwrap();
        assert_eq!(exported(), "link up\ndhcp start\n");
        device.try_control::<ApplyConfiguration>(&request).unwrap();
        device.write_all(b"route flush to 192.0.2.0/24").await.unwrap();
        assert_eq!(exported(), "link up\ndhcp start\n");
    });
}
