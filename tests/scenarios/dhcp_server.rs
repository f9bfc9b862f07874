//! The DHCP server of an interface, with our own clients on one switch.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::Lan;
use devnet_network::UdpSocket;
use devnet_network::address::HardwareAddress;
use devnet_network::command::configuration::ConfigurationText;
use devnet_network::command::dhcp::{DhcpLease, DhcpState};
use devnet_network::command::dhcp_server::{LeaseChange, LeaseState};
use devnet_network::command::{
    ApplyConfiguration, ChangeDhcpLeases, ExportConfiguration, GetDhcp, GetDhcpServer,
    ListDhcpLeases, ListDhcpOptions, ListDnsServers, StartDhcpServer,
};
use devnet_virtual_file_system::{Error, OpenFlags};
use world::{Host, World};

use crate::events::{told, watching};

struct Network<'a> {
    world: &'a World,
    lan: Lan,
    server: Host,
}

impl<'a> Network<'a> {
    fn new(world: &'a World, start: &str) -> Self {
        let lan = Lan::new(Arc::new(world.clock.clone()), world.random());
        world.spawn(lan.runner()).detach();
        let server = Host::new(world).with("eth0", port(&lan, 1), &["10.0.0.1/24"]);
        server.write(&server.open("eth0"), &format!("dhcp server start {start}")).unwrap();
        world.run(world.sleep(Duration::from_secs(2)));
        Self { world, lan, server }
    }

    fn client(&self, last: u8, addresses: &[&str]) -> Host {
        Host::new(self.world).with("eth0", port(&self.lan, last), addresses)
    }

    /// Lets a client get its lease.
    fn lease(&self, client: &Host) -> Result<DhcpLease, Error> {
        let lines = b"dhcp start hostname printer\ndhcp wait 20000\n";
        self.world.run(client.open("eth0").write(lines))?;
        Ok(client.control::<GetDhcp>("eth0", &()).unwrap().lease.unwrap())
    }

    fn pass(&self, seconds: u64) {
        self.world.run(self.world.sleep(Duration::from_secs(seconds)));
    }

    fn write(&self, line: &str) -> Result<(), Error> {
        self.server.write(&self.server.open("eth0"), line)
    }

    /// What is known about addresses, in words.
    fn listed(&self) -> Vec<String> {
        let leases = self.server.control::<ListDhcpLeases>("eth0", &()).unwrap();
        leases.iter().map(|lease| format!("{} {}", lease.address, lease.state)).collect()
    }
}

fn port(lan: &Lan, last: u8) -> devnet_drivers::LanPort {
    lan.port(HardwareAddress([2, 0, 0, 0, 0, last]), 1500)
}

fn address(lease: &DhcpLease) -> String {
    lease.address.to_string()
}

#[test]
fn clients_get_addresses_and_what_comes_with_them() {
    let world = World::new(1);
    let network = Network::new(
        &world,
        "10.0.0.10-10.0.0.11 lease 600 router 10.0.0.1 dns 10.0.0.53,10.0.0.54 domain lan",
    );
    let file = watching(&network.server, "eth0", "lease");
    let (first, second, third) =
        (network.client(7, &[]), network.client(8, &[]), network.client(9, &[]));
    let lease = network.lease(&first).unwrap();
    assert_eq!((address(&lease).as_str(), lease.lease_seconds), ("10.0.0.10/24", 600));
    assert_eq!(lease.router, Some(Ipv4Addr::new(10, 0, 0, 1)));
    assert_eq!(lease.domain.as_deref(), Some("lan"));
    assert_eq!(first.control::<ListDnsServers>("eth0", &()).unwrap().len(), 2);
    assert_eq!(address(&network.lease(&second).unwrap()), "10.0.0.11/24");
    assert_eq!(network.lease(&third), Err(Error::TimedOut), "the range has two addresses");
    assert_eq!(network.listed(), ["10.0.0.10 leased", "10.0.0.11 leased"]);
    assert_eq!(
        told(&file),
        [
            "lease added 10.0.0.10 interface eth0 client id:01020000000007 mac 02:00:00:00:00:07 \
             name printer seconds 600",
            "lease added 10.0.0.11 interface eth0 client id:01020000000008 mac 02:00:00:00:00:08 \
             name printer seconds 600",
        ]
    );
    let status = network.server.control::<GetDhcpServer>("eth0", &()).unwrap();
    assert_eq!(status.server.unwrap().to_string(), "10.0.0.1/24");
    assert_eq!((status.leases, status.statistics.acknowledgements), (2, 2));
    assert!(status.statistics.exhausted > 0);
    // A released address goes to who waits for one.
    first.write(&first.open("eth0"), "dhcp stop").unwrap();
    network.pass(70);
    assert_eq!(third.control::<GetDhcp>("eth0", &()).unwrap().state, DhcpState::Bound);
    let records = told(&file);
    assert!(records[0].starts_with("lease removed 10.0.0.10 "), "{records:?}");
    assert!(records[1].starts_with("lease added 10.0.0.10 "), "{records:?}");
    assert_eq!(records.len(), 2);
}

#[test]
fn leases_are_renewed_and_end_with_their_clients() {
    let world = World::new(2);
    let network = Network::new(&world, "10.0.0.10-10.0.0.99 lease 60");
    let client = network.client(7, &[]);
    network.lease(&client).unwrap();
    let file = watching(&network.server, "eth0", "lease");
    network.pass(100);
    let records = told(&file);
    assert!(records.iter().all(|line| line.starts_with("lease changed 10.0.0.10 ")));
    assert!((2..=4).contains(&records.len()), "renewed every 30 s: {records:?}");
    client.write(&client.open("eth0"), "link down").unwrap();
    network.pass(61);
    assert!(told(&file)[0].starts_with("lease removed 10.0.0.10 "));
    assert_eq!(network.listed(), ["10.0.0.10 former"]);
    let status = network.server.control::<GetDhcpServer>("eth0", &()).unwrap();
    assert_eq!((status.leases, status.statistics.expirations), (0, 1));
    // It comes back to its address.
    client.write(&client.open("eth0"), "link up").unwrap();
    network.pass(10);
    assert_eq!(network.listed(), ["10.0.0.10 leased"]);
    told(&file);
    network.write("dhcp server stop").unwrap();
    let records = told(&file);
    assert!(records[0].starts_with("lease removed 10.0.0.10 "), "{records:?}");
    assert_eq!(records[1..], ["lease stopped eth0"]);
}

#[test]
fn an_address_that_somebody_uses_is_not_offered() {
    let world = World::new(3);
    let network = Network::new(&world, "10.0.0.10-10.0.0.99");
    let _squatter = network.client(5, &["10.0.0.10/24"]);
    let client = network.client(7, &[]);
    assert_eq!(address(&network.lease(&client).unwrap()), "10.0.0.11/24");
    assert_eq!(network.listed(), ["10.0.0.10 in-use", "10.0.0.11 leased"]);
    let status = network.server.control::<GetDhcpServer>("eth0", &()).unwrap();
    assert_eq!((status.statistics.conflicts, status.statistics.declines), (1, 0));
    // Without the check the client finds it out and declines.
    let network = Network::new(&world, "10.0.0.10-10.0.0.99 check off");
    let _squatter = network.client(5, &["10.0.0.10/24"]);
    let client = network.client(7, &[]);
    assert_eq!(address(&network.lease(&client).unwrap()), "10.0.0.11/24");
    let status = network.server.control::<GetDhcpServer>("eth0", &()).unwrap();
    assert_eq!((status.statistics.conflicts, status.statistics.declines), (1, 1));
}

#[test]
fn reserved_addresses_are_kept_and_leases_survive_a_restart_by_commands() {
    let world = World::new(4);
    let start = "10.0.0.10-10.0.0.99 lease 600";
    let network = Network::new(&world, start);
    network.write("dhcp server reserve 10.0.0.50 02:00:00:00:00:07").unwrap();
    let (client, other) = (network.client(7, &[]), network.client(8, &[]));
    assert_eq!(address(&network.lease(&client).unwrap()), "10.0.0.50/24");
    assert_eq!(address(&network.lease(&other).unwrap()), "10.0.0.10/24");
    let leases = network.server.control::<ListDhcpLeases>("eth0", &()).unwrap();
    assert!(leases[1].reserved && !leases[0].reserved);
    // Everything is forgotten and put back as lines.
    network.write("dhcp server stop").unwrap();
    assert!(network.listed().is_empty());
    network.write(&format!("dhcp server start {start}")).unwrap();
    for lease in leases.iter().filter(|lease| lease.state == LeaseState::Leased) {
        let (name, seconds) = (lease.name.as_ref().unwrap(), lease.remaining_seconds.unwrap());
        let line = format!("{} {} {seconds} name {name}", lease.address, lease.client);
        network.write(&format!("dhcp server lease {line}")).unwrap();
    }
    network.write("dhcp renew").unwrap_err();
    client.write(&client.open("eth0"), "dhcp renew").unwrap();
    network.pass(1);
    assert_eq!(client.control::<GetDhcp>("eth0", &()).unwrap().state, DhcpState::Bound);
    assert_eq!(network.listed(), ["10.0.0.10 leased", "10.0.0.50 leased"]);
    // An ended lease is refused when its client renews it.
    network.write("dhcp server end 10.0.0.10").unwrap();
    other.write(&other.open("eth0"), "dhcp renew").unwrap();
    network.pass(0);
    world.run(world.sleep(Duration::from_millis(100)));
    let status = network.server.control::<GetDhcpServer>("eth0", &()).unwrap();
    assert_eq!(status.statistics.refusals, 1);
}

#[test]
fn one_client_at_a_time_takes_the_address_over() {
    let world = World::new(5);
    let network = Network::new(&world, "10.0.0.10-10.0.0.99 single-client on");
    let (first, second) = (network.client(7, &[]), network.client(8, &[]));
    assert_eq!(address(&network.lease(&first).unwrap()), "10.0.0.10/24");
    assert_eq!(network.lease(&second), Err(Error::TimedOut), "the first one is there");
    first.write(&first.open("eth0"), "link down").unwrap();
    network.pass(70);
    assert_eq!(second.control::<GetDhcp>("eth0", &()).unwrap().state, DhcpState::Bound);
    assert_eq!(network.listed(), ["10.0.0.10 leased"]);
    let leases = network.server.control::<ListDhcpLeases>("eth0", &()).unwrap();
    assert_eq!(leases[0].client.to_string(), "id:01020000000008");
}

#[test]
fn changes_need_a_server_and_a_file_for_writing() {
    let world = World::new(6);
    let network = Network::new(&world, "10.0.0.10-10.0.0.99");
    network.write("dhcp server reserve 10.0.0.50 02:00:00:00:00:07").unwrap();
    let reader = network.server.open_as("eth0", OpenFlags::READ).unwrap();
    let before = network.server.control::<ListDhcpLeases>("eth0", &()).unwrap();
    let options = network.server.control::<GetDhcpServer>("eth0", &()).unwrap().options;
    let end = LeaseChange::End(Ipv4Addr::new(10, 0, 0, 50));
    assert_eq!(reader.try_control::<ChangeDhcpLeases>(&end), Err(Error::PermissionDenied));
    assert_eq!(reader.try_control::<StartDhcpServer>(&options), Err(Error::PermissionDenied));
    assert_eq!(reader.try_control::<ListDhcpLeases>(&()).unwrap(), before);
    for (line, error) in [
        ("dhcp server end 10.0.0.50", Error::NotFound),
        ("dhcp server unreserve 10.0.0.51", Error::NotFound),
        ("dhcp server reserve 10.0.0.255 02:00:00:00:00:07", Error::InvalidInput),
        ("dhcp server reserve 10.0.1.9 02:00:00:00:00:07", Error::InvalidInput),
        ("dhcp server reserve 10.0.0.9 ff:ff:ff:ff:ff:ff", Error::InvalidInput),
        ("dhcp server lease 10.0.0.200 02:00:00:00:00:07 60", Error::InvalidInput),
        ("dhcp server lease 10.0.0.50 02:00:00:00:00:08 60", Error::InvalidInput),
        ("dhcp server lease 10.0.0.11 02:00:00:00:00:08 0", Error::InvalidInput),
        ("dhcp server start 10.0.9.1", Error::AddressNotAvailable),
    ] {
        assert_eq!(network.write(line), Err(error), "{line}");
    }
    assert_eq!(network.server.control::<ListDhcpLeases>("eth0", &()).unwrap(), before);
    network.write("dhcp server stop").unwrap();
    assert_eq!(network.write("dhcp server end 10.0.0.50"), Err(Error::NotConnected));
    let lo = network.server.open("lo");
    assert_eq!(network.server.write(&lo, "dhcp server start 127.0.0.9"), Err(Error::Unsupported));
}

#[test]
fn a_client_says_who_it_is_and_reads_options_by_number() {
    let world = World::new(7);
    let network =
        Network::new(&world, "10.0.0.10-10.0.0.99 options 42:0a000035,66:74667470,77:00 check off");
    network.write("dhcp server reserve 10.0.0.60 id:ff0001").unwrap();
    let client = network.client(7, &[]);
    let file = client.open("eth0");
    for (line, error) in [
        ("dhcp client send 53:01", Error::InvalidInput),
        ("dhcp client send 77:01,77:02", Error::InvalidInput),
        ("dhcp client identifier id:01", Error::InvalidInput),
        ("dhcp client request 255", Error::InvalidInput),
        ("dhcp client hostname \u{7f}", Error::InvalidInput),
    ] {
        assert_eq!(client.write(&file, line), Err(error), "{line}");
    }
    let many = (1..=65).map(|code| code.to_string()).collect::<Vec<_>>().join(",");
    let line = format!("dhcp client request {many}");
    assert_eq!(client.write(&file, &line), Err(Error::NoBufferSpace));
    let seen = watching(&network.server, "eth0", "lease");
    let line = "dhcp client identifier id:ff0001 hostname lamp vendor-class x:y request 42,66,99";
    client.write(&file, line).unwrap();
    network.pass(5);
    let options = client.control::<ListDhcpOptions>("eth0", &()).unwrap();
    let words: Vec<_> = options.iter().map(ToString::to_string).collect();
    assert!(words.contains(&"42:0a000035".to_owned()), "{words:?}");
    assert!(words.contains(&"66:74667470".to_owned()), "{words:?}");
    assert!(options.iter().all(|option| option.code != 77), "nobody asked for it");
    assert!(told(&seen)[0].starts_with(
        "lease added 10.0.0.60 interface eth0 client id:ff0001 mac 02:00:00:00:00:07 name lamp"
    ));
    client.write(&file, "dhcp stop").unwrap();
    assert_eq!(client.control::<ListDhcpOptions>("eth0", &()), Ok(vec![]));
}

#[test]
fn a_network_that_needs_no_ipv4_gives_no_address_to_who_agrees() {
    let world = World::new(8);
    // Half an hour.
    let network = Network::new(&world, "10.0.0.10-10.0.0.99 options 108:00000708 check off");
    let (agrees, other) = (network.client(7, &[]), network.client(8, &[]));
    agrees.write(&agrees.open("eth0"), "dhcp client ipv6-only on").unwrap();
    other.write(&other.open("eth0"), "dhcp client").unwrap();
    network.pass(1700);
    let state = |host: &Host| host.control::<GetDhcp>("eth0", &()).unwrap().state;
    assert_eq!((state(&agrees), state(&other)), (DhcpState::Selecting, DhcpState::Bound));
    let requests = |network: &Network<'_>| {
        let status = network.server.control::<GetDhcpServer>("eth0", &()).unwrap();
        (status.statistics.discovers, status.statistics.requests)
    };
    assert_eq!(requests(&network), (2, 1));
    // Then it asks again, and gets an address from a network that changed its mind.
    network.write("dhcp server start 10.0.0.10-10.0.0.99 check off").unwrap();
    network.pass(200);
    assert_eq!(state(&agrees), DhcpState::Bound);
    assert_eq!(requests(&network).0, 3);
}

#[test]
fn a_running_server_does_not_leave_its_reservations_behind() {
    let world = World::new(1);
    let network = Network::new(&world, "10.0.0.10-10.0.0.99");
    let lines = "address add 10.1.0.1/24\ndhcp server reserve 10.0.0.7 02:00:00:00:00:09";
    network.write(lines).unwrap();
    let export = || {
        let text = network.server.control::<ExportConfiguration>("eth0", &false).unwrap();
        text.lines().filter(|line| line.starts_with("dhcp")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = export();
    assert_eq!(network.write("dhcp server start 10.1.0.10-10.1.0.99"), Err(Error::InvalidInput));
    assert_eq!(export(), before);
    // What is exported can be applied again, and another text moves the server as a whole.
    network.write("dhcp server unreserve 10.0.0.7\ndhcp server start 10.1.0.10-10.1.0.99").unwrap();
    let moved = export();
    network.write("dhcp server start 10.0.0.10-10.0.0.99").unwrap();
    network.write("dhcp server reserve 10.0.0.7 02:00:00:00:00:09").unwrap();
    let text = format!(
        "link up\naddress add 10.0.0.1/24\naddress add 10.1.0.1/24\n{}\n",
        moved.join("\n")
    );
    let text = ConfigurationText { text, has_more: false };
    network.server.control::<ApplyConfiguration>("eth0", &text).unwrap();
    assert_eq!(export(), moved);
}

/// As on Linux, where servers and clients use packet sockets: nothing that a socket is bound to is
/// kept from it.
#[test]
fn sockets_of_the_ports_of_dhcp_hear_what_server_and_client_hear() {
    let world = World::new(1);
    let network = Network::new(&world, "10.0.0.10-10.0.0.99");
    let beside = |host: &Host, local: &str| {
        let socket = UdpSocket::new(&host.sockets());
        socket.bind(local.parse().unwrap()).unwrap();
        socket
    };
    let client = network.client(9, &["10.0.0.200/24"]);
    let (server_side, client_side) =
        (beside(&network.server, "0.0.0.0:67"), beside(&client, "0.0.0.0:68"));
    let lease = network.lease(&client).unwrap();
    let mut buffer = [0; 1500];
    // DHCPDISCOVER and DHCPREQUEST; the replies go to the address that the client gets.
    for _ in 0..2 {
        let got = server_side.try_receive_message(&mut buffer).unwrap();
        assert!(got.length > 200 && buffer[0] == 1, "{got:?}");
    }
    // Also what is renewed by unicast, again and again, reaches both.
    for _ in 0..3 {
        client.write(&client.open("eth0"), "dhcp renew").unwrap();
        network.pass(5);
        assert!(server_side.try_receive_message(&mut buffer).is_ok());
        assert!(client_side.try_receive_message(&mut buffer).is_ok());
        let status = client.control::<GetDhcp>("eth0", &()).unwrap();
        assert_eq!((status.state, status.attempts), (DhcpState::Bound, 0));
        assert_eq!(status.lease.unwrap().address, lease.address);
    }
}
