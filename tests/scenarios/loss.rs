//! TCP where packets are lost, late and in any order: all connections complete with the right
//! bytes, nothing stays behind, flows share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devnet_drivers::Chance;
use devnet_network::command::ListSockets;
use devnet_network::command::option::CongestionControl;
use devnet_network::command::socket::Direction;
use devnet_network::platform::{Clock, Instant};
use devnet_network::{Sockets, TcpListener, TcpSettings, TcpStream};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::{ETHERNET_OVERHEAD, Host, Path, Quality, VirtualClock, World};

use crate::pair::pattern;
use crate::plain::{Debts, Plain};

const SERVER: &str = "10.0.0.2:80";
/// Bytes that each connection carries there and back.
const BYTES: usize = 20 * 1024;
/// When a program gives its connection up: by then the slowest has had every chance.
const PATIENCE: Duration = Duration::from_secs(900);
/// After so long nothing may be left of connections that ended.
const AFTERWARDS: Duration = Duration::from_secs(1200);

/// Which seeds: one, unless `DEVNET_SEEDS` says how many; `DEVNET_SEED=n` runs that one.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    match (number("DEVNET_SEED"), number("DEVNET_SEEDS")) {
        (Some(seed), _) => seed..=seed,
        (None, count) => 1..=count.unwrap_or(1),
    }
}

/// Which controllers: the default one on a user's machine, all of them in CI and where many seeds
/// are asked for.
fn controllers() -> &'static [CongestionControl] {
    let is_thorough =
        ["DEVNET_REQUIRE_ALL", "DEVNET_SEEDS"].iter().any(|name| std::env::var_os(name).is_some());
    let all = &[CongestionControl::Cubic, CongestionControl::NewReno, CongestionControl::Bbr];
    if is_thorough { all } else { &all[..1] }
}

fn settings(congestion: CongestionControl) -> TcpSettings {
    TcpSettings::default().receive_buffer(Some(4096)).send_buffer(Some(4096)).congestion(congestion)
}

/// 1 ms, and up to 10 ms more: packets overtake each other all the time.
fn quality(percent: f64, burst: u32) -> Quality {
    Quality {
        delay: Duration::from_millis(1),
        jitter: Duration::from_millis(10),
        loss: Chance::percent(percent),
        burst,
        ..Quality::PERFECT
    }
}

/// What one connection carries: its number decides.
fn content(number: usize) -> Vec<u8> {
    (0..BYTES)
        .map(|index| (index.wrapping_mul(131) ^ (number.wrapping_mul(2_654_435_761) >> 9)) as u8)
        .collect()
}

async fn write(stream: &TcpStream, data: &[u8]) -> Result<(), Error> {
    stream.write_all(data).await?;
    stream.shutdown(Direction::Write)
}

/// Sends and takes at once what comes back; the bytes must be right as far as they come.
async fn exchange(
    stream: &TcpStream,
    clock: &VirtualClock,
    number: usize,
) -> Result<Instant, Error> {
    let (data, mut back, mut buffer) = (content(number), 0, [0; 4096]);
    let read = async {
        loop {
            let length = stream.read(&mut buffer).await?;
            assert!(
                data[back..].starts_with(&buffer[..length]),
                "connection {number}: wrong bytes after {back}"
            );
            back += length;
            if length == 0 {
                return Ok(());
            }
        }
    };
    let (written, read) = future::zip(write(stream, &data), read).await;
    written?;
    read?;
    assert_eq!(back, BYTES, "connection {number} ended early");
    Ok(clock.now())
}

/// Connects and exchanges until patience ends. Then the peer, if it is one that tells, must owe
/// something: else the fault is ours.
async fn client(
    sockets: Sockets,
    clock: VirtualClock,
    number: usize,
    settings: TcpSettings,
    debts: Option<Debts>,
) -> Result<Instant, Error> {
    clock.sleep_until(Instant::from_micros(3_000_000 + 1000 * number as u64)).await;
    let connect = || TcpStream::connect_with(&sockets, None, SERVER, &settings);
    let stream = match connect().await {
        // A burst goes on while nobody else sends: seven SYNs in two minutes may all meet it, the
        // kernel's too.
        Err(Error::TimedOut) => connect().await?,
        outcome => outcome?,
    };
    let late = async {
        clock.sleep_until(clock.now().after(PATIENCE)).await;
        let port = stream.local_addr().port();
        let is_owed = debts.is_none_or(|debts| debts.lock().unwrap().contains(&port));
        assert!(
            is_owed,
            "connection {number} hangs and the peer has done its part: {:?}",
            stream.status()
        );
        Err(Error::TimedOut)
    };
    future::or(exchange(&stream, &clock, number), late).await
}

/// Sends back what comes while it comes, then closes right after the last write.
async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length]).await?,
        }
    }
}

/// Accepts for ever; dropping it ends what is left.
async fn serve(world: &World, listener: Option<TcpListener>) -> Vec<Result<Instant, Error>> {
    let mut echoes = Vec::new();
    if let Some(listener) = listener {
        while let Ok(stream) = listener.accept().await {
            echoes.push(world.spawn(echo(stream)));
        }
    }
    future::pending().await
}

/// What became of the clients.
struct Outcome {
    complete: usize,
    /// Virtual seconds until the last complete one.
    last: f64,
    /// How the others ended.
    errors: Vec<Error>,
}

/// Runs the clients against whoever `begin` puts at the other end; nothing may be left on the
/// hosts.
fn crowd(
    seed: u64,
    connections: usize,
    quality: Quality,
    settings: TcpSettings,
    debts: Option<Debts>,
    begin: impl FnOnce(&World, world::PathEnd) -> Option<(Host, TcpListener)>,
) -> Outcome {
    let world = World::new(seed);
    let path = Path::new(&world, quality);
    let (left, right) = path.ends(1500);
    let left = Host::new(&world).with("eth0", left, &["10.0.0.1/24"]);
    let (right, listener) = begin(&world, right).unzip();
    let baseline = left.open_sockets();
    let start = |number| {
        world.spawn(client(left.sockets(), world.clock.clone(), number, settings, debts.clone()))
    };
    let clients: Vec<_> = (0..connections).map(start).collect();
    let all = async {
        let mut results = Vec::new();
        for task in clients {
            results.push(task.await);
        }
        results
    };
    let results = world.run(future::or(all, serve(&world, listener)));
    world.run(world.sleep(AFTERWARDS));
    assert_eq!(left.open_sockets(), baseline, "seed {seed}: connections are left");
    for host in [Some(&left), right.as_ref()].into_iter().flatten() {
        let listed = host.control::<ListSockets>("sockets", &()).unwrap();
        assert!(
            listed.is_empty(),
            "seed {seed}: {} entries are left, such as {:?}",
            listed.len(),
            listed[0]
        );
    }
    let last = results.iter().flatten().max().map_or(0.0, |last| last.as_micros() as f64 / 1e6);
    let errors: Vec<_> = results.iter().filter_map(|result| result.err()).collect();
    Outcome { complete: connections - errors.len(), last, errors }
}

fn ours_with_ours(percent: f64, burst: u32) {
    const CONNECTIONS: usize = 1000;
    let mut failures = Vec::new();
    for (seed, congestion) in
        seeds().flat_map(|seed| controllers().iter().map(move |choice| (seed, *choice)))
    {
        let settings = settings(congestion);
        let Outcome { complete, last, errors } =
            crowd(seed, CONNECTIONS, quality(percent, burst), settings, None, |world, end| {
                let host = Host::new(world).with("eth0", end, &["10.0.0.2/24"]);
                let listener = TcpListener::bind_with(
                    &host.sockets(),
                    SERVER.parse().unwrap(),
                    1024,
                    settings,
                )
                .unwrap();
                Some((host, listener))
            });
        println!(
            "{congestion:?}, {percent} % in bursts of {burst}, seed {seed}: {complete} of \
            {CONNECTIONS}, the last after {last:.1} s"
        );
        if complete < CONNECTIONS {
            failures.push((seed, complete, errors[0]));
        }
    }
    let first = failures.first().map_or(0, |(seed, ..)| *seed);
    assert!(
        failures.is_empty(),
        "seed, complete, and an error: {failures:?}; repeat with: DEVNET_SEED={first} cargo test \
        --release -p devnet-tests \
         --test scenarios loss:: -- --nocapture"
    );
}

#[test]
fn a_thousand_connections_complete_at_2_percent_loss() {
    ours_with_ours(2.0, 1);
}

#[test]
fn a_thousand_connections_complete_at_5_percent_loss() {
    ours_with_ours(5.0, 1);
}

#[test]
fn a_thousand_connections_complete_at_15_percent_loss() {
    ours_with_ours(15.0, 1);
}

#[test]
fn a_thousand_connections_complete_at_5_percent_loss_in_bursts() {
    ours_with_ours(5.0, 5);
}

/// With a plain smoltcp at the other end its faults are not ours: what it leaves unfinished ends by
/// our patience, with nothing left.
#[test]
fn connections_with_a_plain_smoltcp_complete_or_end_and_leave_nothing() {
    const CONNECTIONS: usize = 200;
    for (percent, burst) in [(2.0, 1), (5.0, 1), (15.0, 1), (5.0, 5)] {
        for seed in seeds() {
            let (debts, quality) = (Debts::default(), quality(percent, burst));
            let known = Some(Arc::clone(&debts));
            let settings = settings(CongestionControl::Cubic);
            let Outcome { complete, last, errors } =
                crowd(seed, CONNECTIONS, quality, settings, known, |world, end| {
                    world
                        .spawn(Plain::new(world.clock.clone(), end, CONNECTIONS, debts).run())
                        .detach();
                    None
                });
            println!(
                "plain, {percent} % in bursts of {burst}, seed {seed}: {complete} of \
                {CONNECTIONS}, the last after {last:.1} s; the peer's \
                 fault: {}",
                errors.len()
            );
        }
    }
}

/// Counts what arrives.
async fn count(listener: Arc<TcpListener>, bytes: Arc<AtomicU64>) {
    let stream = listener.accept().await.expect("a connection");
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        bytes.fetch_add(length as u64, Ordering::Relaxed);
    }
}

async fn send(sockets: Sockets, port: u16) {
    let settings = TcpSettings::default();
    let remote = std::net::SocketAddr::new("10.0.0.2".parse().unwrap(), port);
    let stream =
        TcpStream::connect_with(&sockets, None, remote, &settings).await.expect("a connection");
    let data = pattern(65_536);
    while stream.write(&data).await.is_ok() {}
}

/// Bytes of both flows in a minute over one bottleneck of 100 Mbit/s and 10 ms with a queue of its
/// own product.
fn two_flows(seed: u64, start: Duration) -> [u64; 2] {
    let world = World::new(seed);
    let quality = Quality {
        rate: Some(100_000_000),
        overhead: ETHERNET_OVERHEAD,
        queue: 125_000,
        delay: Duration::from_millis(5),
        ..Quality::PERFECT
    };
    let (left, right) = Path::new(&world, quality).ends(1500);
    let left = Host::new(&world).with("eth0", left, &["10.0.0.1/24"]);
    let right = Host::new(&world).with("eth0", right, &["10.0.0.2/24"]);
    let settings = TcpSettings::default();
    let counters = [80u16, 81].map(|port| {
        let address = std::net::SocketAddr::new("10.0.0.2".parse().unwrap(), port);
        let listener =
            Arc::new(TcpListener::bind_with(&right.sockets(), address, 4, settings).unwrap());
        let bytes = Arc::new(AtomicU64::new(0));
        world.spawn(count(listener, Arc::clone(&bytes))).detach();
        bytes
    });
    world.spawn(send(left.sockets(), 80)).detach();
    let second = (left.sockets(), world.clock.clone());
    let begin = async move {
        second.1.sleep_until(second.1.now().after(start)).await;
        send(second.0, 81).await;
    };
    world.spawn(begin).detach();
    let read = || counters.each_ref().map(|bytes| bytes.load(Ordering::Relaxed));
    world.run(world.sleep(start));
    let before = read();
    world.run(world.sleep(Duration::from_secs(60)));
    let after = read();
    [after[0] - before[0], after[1] - before[1]]
}

#[test]
fn two_flows_share_a_bottleneck() {
    // Both at once, and one that finds the other in full flow.
    for start in [Duration::from_millis(1), Duration::from_secs(5)] {
        for seed in 1..=3 {
            let [first, second] = two_flows(seed, start);
            let (total, share) = (first + second, first as f64 / (first + second) as f64);
            let rate = total as f64 * 8e-6 / 60.0;
            println!(
                "second after {start:?}, seed {seed}: {:.0} : {:.0}, {rate:.1} Mbit/s",
                share * 100.0,
                (1.0 - share) * 100.0
            );
            assert!(
                (0.4..=0.6).contains(&share),
                "seed {seed}: the first has {share:.2} of {rate:.1} Mbit/s"
            );
            assert!(rate > 80.0, "seed {seed}: {rate:.1} Mbit/s of 100");
        }
    }
}
