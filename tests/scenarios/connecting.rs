//! Connecting by name (RFC 8305), and in steps.

use std::net::IpAddr;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::dns_message::QueryKind;
use devnet_network::{TcpListener, TcpSettings, TcpStream};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::names::{a, aaaa, serve};
use crate::pair::hosts;

/// Two hosts, the second of which tells these addresses of `web.lan`; those of a family that has
/// none stay without an answer if `silent`.
fn network(world: &World, addresses: &[&str], silent: bool) -> (Host, Host) {
    let (left, right) = hosts(world);
    left.manager.configure("eth0", "dns add 10.0.0.2").unwrap();
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    serve(world, &right, "10.0.0.2", move |asked| {
        let records: Vec<_> = addresses
            .iter()
            .filter_map(|address| match (address, asked.kind) {
                (IpAddr::V4(address), QueryKind::A) => Some(a(&asked.name, address.octets()[3])),
                (IpAddr::V6(address), QueryKind::Aaaa) => Some(aaaa(&asked.name, *address)),
                _ => None,
            })
            .collect();
        let is_left_out = silent && records.is_empty();
        if is_left_out { Vec::new() } else { vec![asked.respond(0, &records)] }
    });
    (left, right)
}

fn listen(host: &Host, at: &str) -> TcpListener {
    TcpListener::bind(&host.sockets(), at.parse().unwrap(), 8).unwrap()
}

/// Connects to `web.lan`; tells the peer's address and how many milliseconds that took.
fn connect(world: &World, host: &Host) -> Result<(IpAddr, u128), Error> {
    world.run(async {
        let (began, sockets) = (world.now(), host.sockets());
        let stream = TcpStream::connect(&sockets, "web.lan:80").await?;
        let took = world.now().since(began).as_millis();
        Ok((stream.peer_addr().ip(), took))
    })
}

#[test]
fn ipv6_is_preferred() {
    let world = World::new(1);
    let (left, right) = network(&world, &["10.0.0.2", "fd00::2"], false);
    let _listener = listen(&right, "[::]:80");
    let (peer, took) = connect(&world, &left).unwrap();
    assert_eq!(peer, "fd00::2".parse::<IpAddr>().unwrap());
    assert!(took < 10, "{took} ms");
}

#[test]
fn an_address_that_is_silent_makes_way_after_a_quarter_of_a_second() {
    let world = World::new(2);
    let (left, right) = network(&world, &["10.0.0.2", "fd00::9"], false);
    let _listener = listen(&right, "10.0.0.2:80");
    let before = left.open_sockets();
    let (peer, took) = connect(&world, &left).unwrap();
    assert_eq!(peer, "10.0.0.2".parse::<IpAddr>().unwrap());
    assert!((250..260).contains(&took), "{took} ms");
    // The other attempt is gone.
    world.run(world.sleep(Duration::from_secs(100)));
    assert_eq!(left.open_sockets(), before);
}

#[test]
fn an_address_that_refuses_makes_way_at_once() {
    let world = World::new(3);
    let (left, right) = network(&world, &["10.0.0.2", "fd00::2"], false);
    let _listener = listen(&right, "10.0.0.2:80");
    let (peer, took) = connect(&world, &left).unwrap();
    assert_eq!(peer, "10.0.0.2".parse::<IpAddr>().unwrap());
    assert!(took < 10, "{took} ms");
}

#[test]
fn ipv4_waits_fifty_milliseconds_for_the_answer_about_ipv6() {
    let world = World::new(4);
    let (left, right) = network(&world, &["10.0.0.2"], true);
    let _listener = listen(&right, "10.0.0.2:80");
    let (_, took) = connect(&world, &left).unwrap();
    assert!((50..60).contains(&took), "{took} ms");
}

#[test]
fn the_error_tells_what_a_host_answered() {
    let world = World::new(5);
    let (left, _right) = network(&world, &["10.0.0.2", "fd01::2"], false);
    // There is no route to the other address.
    assert_eq!(connect(&world, &left).unwrap_err(), Error::ConnectionRefused);
    let (left, _right) = network(&world, &[], false);
    assert_eq!(connect(&world, &left).unwrap_err(), Error::NotFound);
    let sockets = left.sockets();
    let outcome = world.run(TcpStream::connect(&sockets, "web.lan"));
    assert_eq!(outcome.unwrap_err(), Error::InvalidInput);
}

#[test]
fn only_the_local_addresss_family_is_tried() {
    let world = World::new(6);
    let (left, right) = network(&world, &["10.0.0.2", "fd00::2"], false);
    let _listener = listen(&right, "[::]:80");
    let sockets = left.sockets();
    let local = Some("10.0.0.1:4000".parse().unwrap());
    let settings = TcpSettings::default();
    let stream =
        world.run(TcpStream::connect_with(&sockets, local, "web.lan:80", &settings)).unwrap();
    assert_eq!(Some(stream.local_addr()), local);
}

#[test]
fn so_many_addresses_are_tried_and_no_more() {
    let world = World::new(7);
    let many: Vec<String> = (11..20).map(|last| format!("10.0.0.{last}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (left, right) = network(&world, &many, false);
    for address in &many {
        right.manager.configure("eth0", &format!("address add {address}/24")).unwrap();
    }
    assert_eq!(devnet_network::limits::CONNECT_ADDRESSES, many.len() - 1);
    let last = listen(&right, "10.0.0.19:80");
    assert_eq!(connect(&world, &left).unwrap_err(), Error::ConnectionRefused);
    drop(last);
    let _listener = listen(&right, "10.0.0.18:80");
    assert_eq!(connect(&world, &left).unwrap().0, "10.0.0.18".parse::<IpAddr>().unwrap());
}

#[test]
fn a_name_has_addresses_of_both_families() {
    let world = World::new(8);
    let (left, _right) = network(&world, &["10.0.0.2", "fd00::2"], false);
    let resolver = left.sockets().resolver();
    let found = world.run(resolver.lookup("web.lan")).unwrap();
    assert_eq!(found, ["fd00::2", "10.0.0.2"].map(|text| text.parse::<IpAddr>().unwrap()));
}

#[test]
fn a_lookup_is_polled_by_hand() {
    let world = World::new(9);
    let (left, _right) = network(&world, &["10.0.0.2"], false);
    let question = Question { name: "web.lan".into(), kind: RecordKind::A, server: None };
    let mut lookup = left.sockets().resolver().start(question.clone());
    assert_eq!(lookup.try_resolve(), Err(Error::WouldBlock));
    world.run(world.sleep(Duration::from_millis(5)));
    assert_eq!(lookup.try_resolve().unwrap().records.len(), 1);
    let mut lookup = left.sockets().resolver().start(question);
    let answer = world.run(std::future::poll_fn(|context| lookup.poll_resolve(context)));
    assert_eq!(answer.unwrap().records.len(), 1);
}

#[test]
fn a_connect_is_begun_and_completed_by_hand() {
    let world = World::new(10);
    let (left, right) = hosts(&world);
    let _listener = listen(&right, "10.0.0.2:80");
    let begin = |to: &str| {
        let settings = TcpSettings::default();
        TcpStream::try_connect(&left.sockets(), None, to.parse().unwrap(), &settings)
    };
    let (good, bad) = (begin("10.0.0.2:80").unwrap(), begin("10.0.0.2:81").unwrap());
    assert!(good.poll_connect(&mut Context::from_waker(Waker::noop())).is_pending());
    world.run(world.sleep(Duration::from_millis(5)));
    assert_eq!(good.poll_connect(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())));
    let outcome = world.run(std::future::poll_fn(|context| bad.poll_connect(context)));
    assert_eq!(outcome, Err(Error::ConnectionRefused));
    assert_eq!(begin("192.0.2.1:80").unwrap_err(), Error::NetworkUnreachable);
}
