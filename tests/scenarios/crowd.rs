//! Many connections at once over a network that loses and reorders: every byte right, every
//! connection ends, nothing stays behind.

use std::time::Duration;

use devnet_drivers::{Chance, Impairment, Lan};
use devnet_network::address::HardwareAddress;
use devnet_network::command::ListSockets;
use devnet_network::command::socket::Direction;
use devnet_network::platform::{Clock, Instant};
use devnet_network::{Sockets, TcpListener, TcpSettings, TcpStream};
use world::{Host, VirtualClock, World};

use crate::pair::read_to_end;

/// Bytes that each connection carries there and back.
const BYTES: usize = 1024;
/// When everybody has connected and the exchange begins.
const START: Instant = Instant::from_micros(30_000_000);

/// What one connection carries: its number decides.
fn content(number: usize) -> Vec<u8> {
    (0..BYTES)
        .map(|index| (index.wrapping_mul(131) ^ (number.wrapping_mul(2_654_435_761) >> 9)) as u8)
        .collect()
}

fn settings() -> TcpSettings {
    TcpSettings::default().receive_buffer(Some(4096)).send_buffer(Some(4096))
}

/// Two hosts at a switch; each cable has the impairment in both directions.
fn hosts(world: &World, impairment: Impairment) -> (Host, Host) {
    let lan = Lan::new(std::sync::Arc::new(world.clock.clone()), world.random());
    world.spawn(lan.runner()).detach();
    let host = |number: u8| {
        let port = lan.port(HardwareAddress([2, 0, 0, 0, 0, number]), 1500);
        assert!(lan.set_impairment(port.number(), impairment));
        Host::new(world).with("eth0", port, &[&format!("10.0.0.{number}/24")])
    };
    (host(1), host(2))
}

async fn client(sockets: Sockets, clock: VirtualClock, number: usize) {
    // Connecting takes a second in all; then all connections exist at once.
    clock.sleep_until(Instant::from_micros(3_000_000 + 100 * number as u64)).await;
    let stream = TcpStream::connect_with(&sockets, None, "10.0.0.2:80", &settings()).await;
    let stream = stream.expect("a connection");
    clock.sleep_until(START).await;
    stream.write_all(&content(number)).await.expect("room");
    stream.shutdown(Direction::Write).expect("an open stream");
    let back = read_to_end(&stream).await.expect("an answer");
    assert!(back == content(number), "connection {number}: {} bytes came back", back.len());
}

/// Sends back what comes, then ends.
async fn echo(stream: TcpStream) {
    let data = read_to_end(&stream).await.expect("data");
    assert_eq!(data.len(), BYTES);
    stream.write_all(&data).await.expect("room");
}

fn exchange(seed: u64, connections: usize, impairment: Impairment) {
    let world = World::new(seed);
    let (left, right) = hosts(&world, impairment);
    let listener =
        TcpListener::bind_with(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 4096, settings())
            .unwrap();
    let baseline = (left.open_sockets(), right.open_sockets());
    let clients: Vec<_> = (0..connections)
        .map(|number| world.spawn(client(left.sockets(), world.clock.clone(), number)))
        .collect();
    world.run(async {
        let mut echoes = Vec::new();
        for _ in 0..connections {
            echoes.push(world.spawn(echo(listener.accept().await.expect("a connection"))));
        }
        assert!(world.now() < START, "seed {seed}: not all connected in time");
        assert_eq!(
            right.open_sockets(),
            baseline.1 + connections,
            "seed {seed}: they exist together"
        );
        for task in clients.into_iter().chain(echoes) {
            task.await;
        }
        // The last acknowledgments and FINs may be lost and repeated; then tuples rest for a
        // minute.
        world.sleep(Duration::from_secs(200)).await;
    });
    assert_eq!((left.open_sockets(), right.open_sockets()), baseline, "seed {seed}");
    for host in [&left, &right] {
        let listed = host.control::<ListSockets>("sockets", &()).unwrap();
        assert!(listed.len() <= 1, "seed {seed}: {} entries are left", listed.len());
    }
}

#[test]
fn ten_thousand_connections_survive_loss_and_reordering() {
    let impairment = Impairment::NONE
        .delay(Duration::from_millis(1))
        .jitter(Duration::from_millis(3))
        .loss(Chance::percent(1.0))
        .reorder(Chance::percent(1.0));
    // All twenty seeds take a while; CI and whoever asks runs them, others one.
    let seeds = if std::env::var_os("DEVNET_REQUIRE_ALL").is_some() { 20 } else { 1 };
    for seed in 1..=seeds {
        exchange(seed, 10_000, impairment);
    }
}
