//! Pitfalls of time, deadlines and wakers (TIM).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use devnet_drivers::Cable;
use devnet_network::command::socket::Direction;
use devnet_network::driver::{Driver, FramePool};
use devnet_network::io_free::{Core, Port};
use devnet_network::platform::Instant;
use devnet_network::{IcmpSocket, TcpListener, TcpSettings, TcpStream, UdpSocket};
use devnet_virtual_file_system::{Error, Readiness};
use futures_lite::future;
use world::{Host, SeededEntropy, World};

use crate::pair::{connection, hosts, options};
use crate::wire::{FIN, HOST, RST, Wire};

/// What programs ask for is kept within what clocks can count.
#[test]
fn tim_02_tcp_s_11_the_longest_and_shortest_times_neither_spin_nor_end_a_connection() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    for time in [u32::MAX, 0, 1] {
        let settings = TcpSettings::default()
            .keep_alive(time)
            .keep_alive_interval(time)
            .keep_alive_count(255)
            .user_timeout(if time == u32::MAX { time } else { 0 })
            .linger(Some(u32::MAX));
        world.run(async {
            let address = "10.0.0.2:80".parse().unwrap();
            let listener = TcpListener::bind_with(&right.sockets(), address, 4, settings).unwrap();
            let client =
                TcpStream::connect_with(&left.sockets(), None, address, &settings).await.unwrap();
            let server = listener.accept().await.unwrap();
            world.sleep(Duration::from_secs(10)).await;
            client.write_all(b"alive").await.unwrap();
            let mut buffer = [0; 8];
            assert_eq!(server.read(&mut buffer).await, Ok(5), "{time}");
        });
    }
}

/// Starts what waits, lets it wait, does what should wake it, and expects it to be over at once.
async fn wakes<T: Send + 'static>(
    world: &World,
    what: &str,
    waiting: impl Future<Output = T> + Send + 'static,
    cause: impl FnOnce(),
) -> T {
    let task = world.spawn(waiting);
    world.sleep(Duration::from_millis(30)).await;
    assert!(!task.is_finished(), "{what} did not wait");
    cause();
    world.sleep(Duration::from_millis(30)).await;
    assert!(task.is_finished(), "{what} sleeps on");
    task.await
}

/// One test for each pair of a cause and who waits for it.
#[test]
fn tim_03_each_change_wakes_whoever_waits_for_it() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    world.run(async {
        let pair = async || {
            let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
            (Arc::new(client), Arc::new(server))
        };
        let read = |stream: &Arc<TcpStream>| {
            let stream = Arc::clone(stream);
            async move { stream.read(&mut [0; 8]).await }
        };
        let ready = |stream: &Arc<TcpStream>| {
            let stream = Arc::clone(stream);
            async move {
                std::future::poll_fn(|context| stream.poll_ready(context, Readiness::READABLE))
                    .await
            }
        };
        let write = |stream: &Arc<TcpStream>| {
            let stream = Arc::clone(stream);
            async move {
                loop {
                    if let Err(error) = stream.write(&[0; 65_536]).await {
                        return error;
                    }
                }
            }
        };
        let (client, server) = pair().await;
        let data = || assert_eq!(client.try_write(b"x"), Ok(1));
        assert_eq!(wakes(&world, "read by data", read(&server), data).await, Ok(1));
        assert!(
            wakes(&world, "poll by data", ready(&server), data).await.contains(Readiness::READABLE)
        );
        assert_eq!(server.try_read(&mut [0; 8]), Ok(1));
        let end = || client.shutdown(Direction::Write).unwrap();
        assert_eq!(wakes(&world, "read by the end", read(&server), end).await, Ok(0));
        let reset = || server.abort();
        assert_eq!(
            wakes(&world, "read by a reset", read(&client), reset).await,
            Err(Error::ConnectionReset)
        );
        let (client, server) = pair().await;
        let reset = || server.abort();
        assert_eq!(
            wakes(&world, "write by a reset", write(&client), reset).await,
            Error::ConnectionReset
        );
        let (client, server) = pair().await;
        let own = || client.shutdown(Direction::Read).unwrap();
        assert_eq!(wakes(&world, "read by our own shutdown", read(&client), own).await, Ok(0));
        let local = || client.abort();
        assert_eq!(
            wakes(&world, "write by our own abort", write(&client), local).await,
            Error::ConnectionAborted
        );
        drop(server);
        let (client, server) = pair().await;
        while client.try_write(&[0; 65_536]).is_ok() {
            world.sleep(Duration::from_millis(20)).await;
        }
        let room = {
            let client = Arc::clone(&client);
            async move { client.write(b"x").await }
        };
        let drain = || while server.try_read(&mut [0; 65_536]).is_ok() {};
        assert_eq!(wakes(&world, "write by room", room, drain).await, Ok(1));
        let (client, _server) = pair().await;
        let device = left.open("eth0");
        let gone = || left.write(&device, "address remove 10.0.0.1/24").unwrap();
        assert_eq!(
            wakes(&world, "read by an address", read(&client), gone).await,
            Err(Error::ConnectionAborted)
        );
        left.write(&device, "address add 10.0.0.1/24").unwrap();
        world.sleep(Duration::from_secs(3)).await;
        wakes_of_others(&world, &left, &right).await;
    });
}

/// Listeners, datagrams, and interfaces that go.
async fn wakes_of_others(world: &World, left: &Host, right: &Host) {
    let address = "10.0.0.2:81".parse().unwrap();
    let listener = Arc::new(TcpListener::bind(&right.sockets(), address, 4).unwrap());
    let accept = {
        let listener = Arc::clone(&listener);
        async move { listener.accept().await.map(drop) }
    };
    let sockets = left.sockets();
    let connecting = std::cell::RefCell::new(None);
    let connect = || {
        *connecting.borrow_mut() =
            Some(world.spawn(async move { TcpStream::connect(&sockets, address).await }))
    };
    assert_eq!(wakes(world, "accept by a connection", accept, connect).await, Ok(()));
    let receiver = Arc::new(UdpSocket::new(&right.sockets()));
    receiver.bind("10.0.0.2:7".parse().unwrap()).unwrap();
    let receive = |socket: &Arc<UdpSocket>| {
        let socket = Arc::clone(socket);
        async move { socket.receive().await.map(drop) }
    };
    let sender = Arc::new(UdpSocket::new(&left.sockets()));
    sender.connect("10.0.0.2:9".parse().unwrap()).unwrap();
    let datagram = || sender.try_send(b"x", Some("10.0.0.2:7".parse().unwrap())).unwrap();
    assert_eq!(wakes(world, "receive by a datagram", receive(&receiver), datagram).await, Ok(()));
    let refused = || sender.try_send(b"x", None).unwrap();
    let outcome = wakes(world, "receive by an error", receive(&sender), refused).await;
    assert_eq!(outcome, Err(Error::ConnectionRefused));
    let (client, _server) = connection(left, right, "10.0.0.2:82").await;
    let read = async move { client.read(&mut [0; 8]).await };
    let gone = || left.manager.unregister("eth0").unwrap();
    assert_eq!(wakes(world, "read by an interface", read, gone).await, Err(Error::NetworkDown));
}

#[test]
fn tim_04_several_tasks_wait_for_the_same_thing() {
    let world = World::new(3);
    let (left, right) = hosts(&world);
    world.run(async {
        let address = "10.0.0.2:80".parse().unwrap();
        let listener = Arc::new(TcpListener::bind(&right.sockets(), address, 16).unwrap());
        let receiver = Arc::new(UdpSocket::new(&right.sockets()));
        receiver.bind("10.0.0.2:7".parse().unwrap()).unwrap();
        let mut tasks = Vec::new();
        for _ in 0..5 {
            let (listener, receiver) = (Arc::clone(&listener), Arc::clone(&receiver));
            tasks.push(world.spawn(async move { drop(listener.accept().await.unwrap()) }));
            tasks.push(world.spawn(async move { drop(receiver.receive().await.unwrap()) }));
        }
        world.sleep(Duration::from_millis(1)).await;
        let sender = UdpSocket::new(&left.sockets());
        for _ in 0..5 {
            drop(TcpStream::connect(&left.sockets(), address).await.unwrap());
            sender.send_to(b"x", "10.0.0.2:7".parse().unwrap()).await.unwrap();
        }
        for task in tasks {
            task.await;
        }
        let (client, server) = connection(&left, &right, "10.0.0.2:81").await;
        let client = Arc::new(client);
        while client.try_write(&[0; 65_536]).is_ok() {
            world.sleep(Duration::from_millis(20)).await;
        }
        let writers: Vec<_> = (0..5)
            .map(|_| {
                let client = Arc::clone(&client);
                world.spawn(async move { client.write_all(&[0; 1000]).await })
            })
            .collect();
        world.sleep(Duration::from_millis(1)).await;
        let drain = world.spawn(async move { crate::pair::read_to_end(&server).await });
        for writer in writers {
            assert_eq!(writer.await, Ok(()));
        }
        drop(client);
        assert!(drain.await.unwrap().len() >= 5000);
    });
}

struct Node {
    core: Core,
    port: Port,
    driver: Cable,
}

fn node(seed: u64, mut driver: Cable, host: u8) -> Node {
    let core = Core::new(Arc::new(SeededEntropy::new(seed)), Instant::ZERO).unwrap();
    let port = core.attach("eth0", &mut driver).unwrap();
    core.manager()
        .configure(
            "eth0",
            &format!("link up\naddress add 10.0.0.{host}/24\naddress add fd00::{host}/64"),
        )
        .unwrap();
    Node { core, port, driver }
}

/// What one random step does to two systems.
fn disturb(left: &Node, right: &Node, kept: &mut Vec<Box<dyn std::any::Any>>, choice: u64) {
    let sockets = left.core.sockets();
    let targets = ["10.0.0.2:80", "10.0.0.2:81", "10.0.0.9:80", "[fd00::2]:80", "[fd00::9]:80"];
    let target = targets[choice as usize / 16 % targets.len()].parse().unwrap();
    match choice % 16 {
        0..=4 => {
            let connect = async move {
                let Ok(stream) = TcpStream::connect(&sockets, target).await else { return };
                let _ = stream.write_all(&[0; 3000]).await;
                let _ = stream.flush().await;
            };
            left.core.spawn(connect);
        }
        5 | 6 => {
            let socket = UdpSocket::new(&sockets);
            let _ = socket.try_send(&[0; 2000], Some(target));
            kept.push(Box::new(socket));
        }
        7 => kept.clear(),
        8 => drop(left.core.manager().configure("eth0", "address remove 10.0.0.1/24")),
        9 => drop(left.core.manager().configure("eth0", "address add 10.0.0.1/24")),
        10 => drop(right.core.manager().configure("eth0", "link down")),
        11 => drop(right.core.manager().configure("eth0", "link up")),
        12 => drop(left.core.manager().configure("eth0", "dhcp start")),
        13 => drop(left.core.manager().configure("eth0", "dhcp stop")),
        14 => {
            let socket = UdpSocket::new(&sockets);
            let _ = socket.join_group("239.1.2.3".parse().unwrap(), Some("eth0"));
            kept.push(Box::new(socket));
        }
        _ => kept.push(Box::new(IcmpSocket::new(&sockets))),
    }
}

/// Over random states: once an instant's work is done, the next deadline lies behind it, and asking
/// again changes nothing.
#[test]
fn tim_05_no_deadline_lies_in_the_past_without_progress() {
    for seed in 1..9 {
        let entropy = SeededEntropy::new(seed);
        let (left, right) = devnet_drivers::cable(options());
        let (mut left, mut right) = (node(seed, left, 1), node(seed + 100, right, 2));
        let listener = Arc::new(
            TcpListener::bind(&right.core.sockets(), "[::]:80".parse().unwrap(), 8).unwrap(),
        );
        right.core.spawn(async move { while listener.accept().await.is_ok() {} });
        let (mut now, mut kept) = (Instant::ZERO, Vec::new());
        for step in 0..3000 {
            let random = entropy.next();
            if random.is_multiple_of(7) {
                disturb(&left, &right, &mut kept, random >> 8);
            }
            let mut turns = 0;
            while left.core.poll(now, &mut left.port, &mut left.driver)
                | right.core.poll(now, &mut right.port, &mut right.driver)
            {
                turns += 1;
                assert!(turns < 20_000, "seed {seed}, step {step}: work without end at {now:?}");
            }
            let next = |node: &Node| node.core.next_deadline();
            for (name, node) in [("left", &mut left), ("right", &mut right)] {
                node.core.poll(now, &mut node.port, &mut node.driver);
                let first = next(node);
                assert!(
                    first.is_none_or(|first| first > now),
                    "seed {seed}, step {step}: {name} at {now:?}: {first:?}"
                );
                node.core.poll(now, &mut node.port, &mut node.driver);
                assert_eq!(next(node), first, "seed {seed}, step {step}: {name}");
            }
            let deadline = [next(&left), next(&right)].into_iter().flatten().min();
            // On to the deadline, or to some moment before or after it.
            now = match (deadline, random >> 32 & 3) {
                (Some(deadline), 0..=2) => deadline,
                _ => now.after(Duration::from_micros(random >> 34 & 0xfffff)),
            };
        }
    }
}

/// What is done outside the runner leaves at once, though no packet comes.
#[test]
fn tim_06_sends_closes_and_aborts_wait_for_no_packet() {
    let world = World::new(5);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = TcpListener::bind(&host.sockets(), (HOST, 80).into(), 4).unwrap();
        wire.open(&world, 5000, 80).await;
        let stream = listener.accept().await.unwrap();
        world.sleep(Duration::from_secs(60)).await;
        let micro = || world.sleep(Duration::from_micros(1));
        stream.try_write(b"x").unwrap();
        micro().await;
        assert_eq!(wire.segment().unwrap().data, b"x");
        stream.shutdown(Direction::Write).unwrap();
        micro().await;
        assert_eq!(wire.segment().unwrap().flags & FIN, FIN);
        wire.open(&world, 5001, 80).await;
        let stream = listener.accept().await.unwrap();
        world.sleep(Duration::from_secs(60)).await;
        while wire.packet().is_some() {}
        stream.abort();
        micro().await;
        assert!(wire.segment().unwrap().flags & RST != 0);
    });
}

/// An acknowledgment that waits in the device when a late poll comes counts before the timer that
/// is due then too.
#[test]
fn tim_07_frames_come_before_timers() {
    let (left, right) = devnet_drivers::cable(options());
    let (mut left, mut right) = (node(1, left, 1), node(2, right, 2));
    let arrived = Arc::new(AtomicUsize::new(0));
    let listener =
        TcpListener::bind(&right.core.sockets(), "10.0.0.2:80".parse().unwrap(), 8).unwrap();
    let count = Arc::clone(&arrived);
    let echo = async move {
        let stream = listener.accept().await.unwrap();
        while let Ok(taken @ 1..) = stream.read(&mut [0; 100]).await {
            count.fetch_add(taken, Ordering::Relaxed);
        }
    };
    right.core.spawn(echo);
    let sockets = left.core.sockets();
    let send = async move {
        let stream = TcpStream::connect(&sockets, "10.0.0.2:80").await.unwrap();
        stream.write_all(b"once").await.unwrap();
        std::future::pending::<()>().await;
    };
    let mut now = Instant::ZERO.after(Duration::from_secs(5));
    let both = |left: &mut Node, right: &mut Node, now| {
        while left.core.poll(now, &mut left.port, &mut left.driver)
            | right.core.poll(now, &mut right.port, &mut right.driver)
        {}
    };
    both(&mut left, &mut right, now);
    left.core.spawn(send);
    // Until the data has arrived; then only the receiver goes on, and acknowledges.
    while arrived.load(Ordering::Relaxed) == 0 {
        left.core.poll(now, &mut left.port, &mut left.driver);
        right.core.poll(now, &mut right.port, &mut right.driver);
        now = now.after(Duration::from_micros(10));
    }
    now = now.after(Duration::from_millis(200));
    while right.core.poll(now, &mut right.port, &mut right.driver) {}
    // The sender sleeps too long: its timer is overdue, and so is the acknowledgment in its device.
    now = now.after(Duration::from_secs(30));
    while left.core.poll(now, &mut left.port, &mut left.driver) {}
    let again: Vec<_> =
        std::iter::from_fn(|| right.driver.receive(&mut FramePool::new())).collect();
    assert!(again.iter().all(|frame| !frame.bytes().ends_with(b"once")), "nothing is sent again");
}

/// Fifty days: past what 32 bits of milliseconds count, with everything that ages in between.
#[test]
fn tim_08_fifty_days_change_nothing() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    let entropy = SeededEntropy::new(7);
    world.run(async {
        let (client, server) = connection(&left, &right, "10.0.0.2:80").await;
        let (sender, receiver) =
            (UdpSocket::new(&left.sockets()), UdpSocket::new(&right.sockets()));
        receiver.bind("[fd00::2]:7".parse().unwrap()).unwrap();
        let end = world.now().after(Duration::from_secs(50 * 86_400));
        let mut delays = Vec::new();
        while world.now() < end {
            world.sleep(Duration::from_secs(1 + entropy.next() % 20_000)).await;
            let before = world.now();
            client.write_all(b"tick").await.unwrap();
            let mut buffer = [0; 8];
            assert_eq!(server.read(&mut buffer).await, Ok(4));
            client.flush().await.unwrap();
            sender.send_to(b"tock", "[fd00::2]:7".parse().unwrap()).await.unwrap();
            let datagram = future::or(async { receiver.receive().await.ok() }, async {
                world.sleep(Duration::from_secs(5)).await;
                None
            });
            assert!(datagram.await.is_some(), "at {:?}", world.now());
            let (one, other) = connection(&left, &right, "[fd00::2]:90").await;
            drop((one, other));
            delays.push(world.now().since(before));
        }
        assert!(delays.len() > 300);
        assert!(
            delays.iter().all(|delay| *delay < Duration::from_millis(200)),
            "{:?}",
            delays.iter().max()
        );
        world.sleep(Duration::from_secs(100)).await;
        assert_eq!((left.open_sockets(), right.open_sockets()), (2, 2));
    });
}
