//! What an interface has while no DHCP server answers.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use devnet_network::command::address::Origin;
use devnet_network::command::fallback::{Fallback, FallbackStatus};
use devnet_network::command::{
    ExportConfiguration, FindRoute, GetFallback, ListAddresses, SetFallback,
};
use devnet_network::{TcpListener, TcpStream};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::frames::arp;
use crate::pair::{HARDWARE, hosts};
use crate::station::Wire;

const SECOND: Duration = Duration::from_secs(1);

fn set(host: &Host, fallback: Fallback) -> Result<bool, Error> {
    host.control::<SetFallback>("eth0", &fallback)
}

fn status(host: &Host) -> FallbackStatus {
    host.control::<GetFallback>("eth0", &()).unwrap()
}

/// The addresses that the client added.
fn leased(host: &Host) -> Vec<String> {
    let all = host.control::<ListAddresses>("eth0", &()).unwrap();
    let own = all.iter().filter(|entry| entry.origin == Origin::Dhcp);
    own.map(|entry| entry.prefix.to_string()).collect()
}

fn own(host: &Host) -> Ipv4Addr {
    match status(host).address.expect("a fall-back").address() {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => panic!("IPv6"),
    }
}

#[test]
fn hosts_without_a_server_reach_each_other_by_link_local_addresses() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    for host in [&left, &right] {
        host.write(&host.open("eth0"), "address flush\ndhcp fallback link-local\ndhcp start")
            .unwrap();
    }
    world.run(world.sleep(5 * SECOND));
    assert!(leased(&left).is_empty(), "a server may still answer");
    world.run(world.sleep(25 * SECOND));
    let (one, other) = (own(&left), own(&right));
    assert!(one.is_link_local() && other.is_link_local() && one != other);
    assert!(one.octets()[2] != 0 && one.octets()[2] != 255);
    assert_eq!(leased(&left), [format!("{one}/16")]);
    world.run(async {
        let listener = TcpListener::bind(&right.sockets(), (other, 7).into(), 1).unwrap();
        let client = TcpStream::connect(&left.sockets(), (other, 7)).await.unwrap();
        let server = listener.accept().await.unwrap();
        assert_eq!(server.peer_addr().ip(), IpAddr::V4(one));
        // It stays over a link that goes and comes, with its connections.
        left.write(&left.open("eth0"), "link down\nlink up").unwrap();
        world.sleep(10 * SECOND).await;
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read(&mut [0; 4]).await, Ok(1));
        // A server comes: its lease replaces the fall-back, whose connections end.
        right.write(&right.open("eth0"), "address add 10.0.0.2/24").unwrap();
        right.write(&right.open("eth0"), "dhcp server start 10.0.0.100-10.0.0.110").unwrap();
        world.sleep(100 * SECOND).await;
        assert_eq!(leased(&left), ["10.0.0.100/24"]);
        assert_eq!(status(&left).address, None);
        assert!(client.write_all(b"x").await.is_err());
        // It goes, and so does the lease; then there is a fall-back again, the same as before.
        right.write(&right.open("eth0"), "dhcp server stop").unwrap();
        world.sleep(7300 * SECOND).await;
        assert_eq!(leased(&left), [format!("{one}/16")]);
    });
    left.write(&left.open("eth0"), "dhcp stop").unwrap();
    assert!(leased(&left).is_empty());
    assert_eq!(status(&left).address, None);
}

#[test]
fn a_given_address_is_used_with_its_router_until_it_is_not_asked_for() {
    let world = World::new(2);
    let (left, _right) = hosts(&world);
    let device = left.open("eth0");
    left.write(&device, "address flush\ndhcp start\ndhcp fallback 10.0.0.77/24 via 10.0.0.2")
        .unwrap();
    world.run(world.sleep(30 * SECOND));
    assert_eq!(leased(&left), ["10.0.0.77/24"]);
    let route = left.control::<FindRoute>("eth0", &"192.0.2.1".parse().unwrap()).unwrap();
    assert_eq!(route.gateway, Some("10.0.0.2".parse().unwrap()));
    let text = left.control::<ExportConfiguration>("eth0", &false).unwrap();
    assert!(text.contains("dhcp fallback 10.0.0.77/24 via 10.0.0.2\n"), "{text}");
    // Another one replaces it, after it was probed.
    left.write(&device, "dhcp fallback 10.0.0.78/24").unwrap();
    assert!(leased(&left).is_empty());
    world.run(world.sleep(30 * SECOND));
    assert_eq!(leased(&left), ["10.0.0.78/24"]);
    assert!(left.control::<FindRoute>("eth0", &"192.0.2.1".parse().unwrap()).is_err());
    assert_eq!(set(&left, Fallback::Off), Ok(true));
    assert_eq!(set(&left, Fallback::Off), Ok(false));
    assert!(leased(&left).is_empty());
    for line in [
        "dhcp fallback 10.0.0.0/24",
        "dhcp fallback 10.0.0.255/24",
        "dhcp fallback 127.0.0.1/8",
        "dhcp fallback 224.0.0.1/24",
        "dhcp fallback fd00::1/64",
        "dhcp fallback 10.0.0.5/24 via 10.0.1.1",
        "dhcp fallback 10.0.0.5/24 via 10.0.0.5",
        "dhcp fallback",
    ] {
        assert_eq!(left.write(&device, line), Err(Error::InvalidInput), "{line}");
    }
    assert_eq!(left.control::<SetFallback>("lo", &Fallback::LinkLocal), Err(Error::Unsupported));
}

/// Targets of ARP probes, and of announcements, that left.
fn sent(frames: &[Vec<u8>]) -> (Vec<Ipv4Addr>, Vec<Ipv4Addr>) {
    let address = |bytes: &[u8]| Ipv4Addr::from_octets(*bytes.first_chunk().unwrap());
    let arps = frames.iter().filter(|frame| frame[12..14] == [8, 6] && frame[21] == 1);
    let all: Vec<_> =
        arps.map(|frame| (address(&frame[28..32]), address(&frame[38..42]))).collect();
    let probes = all.iter().filter(|(sender, _)| sender.is_unspecified()).map(|all| all.1);
    let announced = all.iter().filter(|(sender, target)| sender == target).map(|all| all.1);
    (probes.collect(), announced.collect())
}

#[test]
fn a_link_local_address_is_probed_announced_and_given_up() {
    let world = World::new(3);
    let mut wire = Wire::with(&world, &[]);
    let device = wire.host.open("eth0");
    wire.host.write(&device, "dhcp fallback link-local\ndhcp start").unwrap();
    let frames = wire.after(40 * SECOND);
    let first = own(&wire.host);
    let (probes, announced) = sent(&frames);
    assert_eq!(probes, [first; 3]);
    assert!(announced.len() >= 2 && announced.iter().all(|one| *one == first), "{announced:?}");
    // Another host claims it: it is defended once, and given up when that host says so again.
    wire.send_frame(&arp(1, HARDWARE.1.0, first, first));
    let defended = sent(&wire.after(SECOND)).1;
    assert_eq!((own(&wire.host), defended), (first, vec![first]));
    wire.send_frame(&arp(1, HARDWARE.1.0, first, first));
    wire.after(20 * SECOND);
    let second = own(&wire.host);
    assert_ne!(second, first);
    assert_eq!(
        (status(&wire.host).conflicts, leased(&wire.host)),
        (1, vec![format!("{second}/16")])
    );
}

#[test]
fn somebody_who_has_everything_is_not_asked_at_full_speed() {
    let world = World::new(4);
    let mut wire = Wire::with(&world, &[]);
    let device = wire.host.open("eth0");
    wire.host.write(&device, "dhcp fallback link-local\ndhcp start").unwrap();
    let mut seen = Vec::new();
    for _ in 0..600 {
        let (probes, _) = sent(&wire.after(Duration::from_millis(500)));
        for target in probes {
            // One half says that it has the address, the other half that it wants it too.
            let (sender, target) = match seen.len() % 2 {
                0 => (target, Ipv4Addr::UNSPECIFIED),
                _ => (Ipv4Addr::UNSPECIFIED, target),
            };
            wire.send_frame(&arp(1, HARDWARE.1.0, sender, target));
            seen.push(target);
        }
    }
    // Ten at once, then one a minute (RFC 3927 §2.2.1).
    assert!((11..=18).contains(&seen.len()), "{}", seen.len());
    assert_eq!(status(&wire.host).address, None);
    assert!(leased(&wire.host).is_empty());
}
