//! The system without an executor: polls, deadlines, ready lists, and calls from other threads.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use devnet_drivers::Cable;
use devnet_network::command::GetInterface;
use devnet_network::driver::{Driver, LinkState};
use devnet_network::io_free::{Core, Port, ReadyList, channel};
use devnet_network::platform::Instant;
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::{Credentials, Error, Mode, OpenFlags, Path};
use futures_lite::future;
use world::SeededEntropy;

struct Node {
    core: Core,
    port: Port,
    driver: Cable,
}

impl Node {
    fn new(seed: u64, mut driver: Cable, host: u8) -> Self {
        let core = Core::new(Arc::new(SeededEntropy::new(seed)), Instant::ZERO).unwrap();
        let port = core.attach("eth0", &mut driver).unwrap();
        core.manager()
            .configure("eth0", &format!("link up\naddress add 10.0.0.{host}/24"))
            .unwrap();
        Self { core, port, driver }
    }

    fn poll(&mut self, now: Instant) -> bool {
        self.core.poll(now, &mut self.port, &mut self.driver)
    }
}

fn pair() -> (Node, Node) {
    let (left, right) = devnet_drivers::cable(crate::pair::options());
    (Node::new(1, left, 1), Node::new(2, right, 2))
}

/// Polls both until nothing is left at this instant, then moves on to the next deadline; `None`
/// when there is none.
fn step(left: &mut Node, right: &mut Node, now: Instant) -> Option<Instant> {
    for _ in 0..1_000_000 {
        let more = left.poll(now) | right.poll(now);
        let next =
            [left.core.next_deadline(), right.core.next_deadline()].into_iter().flatten().min();
        if !more && next.is_none_or(|next| next > now) {
            return next;
        }
    }
    panic!("work without end at {now:?}");
}

#[test]
fn a_thousand_connections_are_served_by_their_readiness_alone() {
    let (mut left, mut right) = pair();
    let listener =
        TcpListener::bind(&right.core.sockets(), "10.0.0.2:7".parse().unwrap(), 1024).unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    for number in 0..1000u32 {
        let (sockets, done) = (left.core.sockets(), Arc::clone(&done));
        left.core.spawn(async move {
            let stream = TcpStream::connect(&sockets, "10.0.0.2:7").await.unwrap();
            stream.write_all(&number.to_be_bytes()).await.unwrap();
            let mut back = [0; 4];
            assert_eq!(stream.read(&mut back).await.unwrap(), 4);
            assert_eq!(back, number.to_be_bytes());
            done.fetch_add(1, Ordering::Relaxed);
        });
    }
    let ready = ReadyList::new();
    let waker = ready.waker(0);
    waker.wake_by_ref();
    let mut streams: BTreeMap<u32, (TcpStream, Waker)> = BTreeMap::new();
    let (mut now, mut last, mut looked) = (Instant::ZERO, 0, 0);
    while done.load(Ordering::Relaxed) < 1000 || !streams.is_empty() {
        let next = step(&mut left, &mut right, now);
        while let Some(number) = ready.next() {
            looked += 1;
            let Some((stream, known)) = streams.get(&number) else {
                while let Poll::Ready(stream) =
                    listener.poll_accept(&mut Context::from_waker(&waker))
                {
                    last += 1;
                    let waker = ready.waker(last);
                    waker.wake_by_ref();
                    streams.insert(last, (stream.unwrap(), waker));
                }
                continue;
            };
            let mut buffer = [0; 64];
            match stream.poll_read(&mut Context::from_waker(known), &mut buffer) {
                Poll::Pending => {}
                Poll::Ready(Ok(0)) => drop(streams.remove(&number)),
                Poll::Ready(length) => {
                    assert_eq!(stream.try_write(&buffer[..length.unwrap()]).unwrap(), 4);
                    known.wake_by_ref();
                }
            }
        }
        now = [next, left.core.next_deadline(), right.core.next_deadline()]
            .into_iter()
            .flatten()
            .min()
            .unwrap()
            .max(now);
        assert!(now < Instant::from_micros(60_000_000), "{} of 1000", done.load(Ordering::Relaxed));
    }
    // Each connection is looked at a few times, not once for every event of any other.
    assert!(looked < 10_000, "{looked}");
}

#[test]
fn an_idle_system_has_no_deadline_and_a_blocked_driver_makes_none() {
    let (mut left, mut right) = pair();
    let mut now = Instant::ZERO;
    while let Some(next) = step(&mut left, &mut right, now) {
        now = next;
        assert!(now < Instant::from_micros(3600 * 1_000_000), "idle by then");
    }
    assert_eq!((left.core.next_deadline(), right.core.next_deadline()), (None, None));
    // A datagram written between polls is due at once; a driver that takes nothing is waited for.
    let socket = UdpSocket::new(&left.core.sockets());
    socket.set_broadcast(true);
    let everybody = "10.0.0.255:9".parse().unwrap();
    socket.try_send(b"x", Some(everybody)).unwrap();
    assert_eq!(left.core.next_deadline(), Some(now));
    while socket.try_send(b"x", Some(everybody)).is_ok() {
        left.poll(now);
    }
    while left.poll(now) {}
    assert_eq!(left.core.next_deadline(), None);
    // The other end empties the wire, and everything gets through.
    let mut received = 0;
    let peer = UdpSocket::new(&right.core.sockets());
    peer.bind("0.0.0.0:9".parse().unwrap()).unwrap();
    for _ in 0..1000 {
        right.poll(now);
        left.poll(now);
        let mut buffer = [0; 4];
        while peer.try_receive_message(&mut buffer).is_ok() {
            received += 1;
        }
    }
    assert!(received > 500, "{received}");
    assert_eq!(left.core.next_deadline(), None);
}

#[test]
fn a_port_that_is_dropped_is_a_pulled_cable_and_a_core_takes_everything_along() {
    let (mut left, mut right) = pair();
    step(&mut left, &mut right, Instant::ZERO);
    let Node { mut core, port, driver } = left;
    drop((port, driver));
    core.run(Instant::ZERO);
    let path = Path::parse("/devices/network/eth0").unwrap();
    let device =
        core.files().open(&Credentials::root(), &path, OpenFlags::READ, Mode::empty()).unwrap();
    assert_eq!(device.try_control::<GetInterface>(&()).unwrap().link, LinkState::Down);
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    core.spawn(async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    core.run(Instant::ZERO);
    drop((device, core));
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn the_doorbell_rings_for_work_that_comes_from_outside_and_not_for_our_own() {
    let (mut left, mut right) = pair();
    let bell = Arc::new(Bell::default());
    let rung = || bell.0.swap(0, Ordering::Relaxed);
    let mut now = Instant::ZERO;
    while let Some(next) = step(&mut left, &mut right, now) {
        now = next;
    }
    left.core.set_doorbell(Waker::from(Arc::clone(&bell)));
    step(&mut left, &mut right, now);
    assert_eq!(rung(), 0);
    let socket = UdpSocket::new(&left.core.sockets());
    std::thread::scope(|scope| {
        scope.spawn(|| socket.try_send(b"wake up", Some("10.0.0.2:9".parse().unwrap())).unwrap());
    });
    assert!(rung() > 0);
    step(&mut left, &mut right, now);
    assert_eq!(rung(), 0);
}

#[test]
fn calls_run_in_order_wait_for_room_and_fail_with_the_inbox() {
    let (remote, inbox) = channel::<Vec<u32>>(2, Waker::noop().clone());
    let mut log = Vec::new();
    let push = |number: u32| {
        remote.call(move |log: &mut Vec<u32>| {
            log.push(number);
            log.len()
        })
    };
    let (mut first, mut second, mut third, mut fourth) = (push(1), push(2), push(3), push(4));
    future::block_on(async {
        assert!(future::poll_once(&mut first).await.is_none());
        assert!(future::poll_once(&mut second).await.is_none());
        // No room: the third waits, and nothing is lost.
        assert!(future::poll_once(&mut third).await.is_none());
        drop(second);
        assert_eq!(inbox.run(&mut log), 2);
        assert_eq!(log, [1], "a dropped call does not run");
        assert_eq!(first.await, Ok(1));
        assert!(future::poll_once(&mut third).await.is_none());
        assert_eq!(inbox.run(&mut log), 1);
        assert_eq!(third.await, Ok(2));
        assert!(future::poll_once(&mut fourth).await.is_none());
        drop(inbox);
        assert_eq!(fourth.await, Err(Error::BrokenPipe));
        assert_eq!(push(5).await, Err(Error::BrokenPipe));
    });
    assert_eq!(log, [1, 3]);
}

#[test]
fn a_request_that_is_sent_is_carried_out_whatever_becomes_of_the_sender() {
    let (remote, inbox) = channel::<Vec<u32>>(1, Waker::noop().clone());
    let mut log = Vec::new();
    let send = |number: u32| remote.send(move |log: &mut Vec<u32>| log.push(number));
    future::block_on(async {
        assert_eq!(send(1).await, Ok(()));
        // No room: the next waits, and one that does not wait is refused.
        let mut second = send(2);
        assert!(future::poll_once(&mut second).await.is_none());
        assert_eq!(remote.try_send(|log| log.push(9)), Err(Error::WouldBlock));
        assert_eq!((inbox.run(&mut log), second.await), (1, Ok(())));
        drop(send(3));
        drop(remote.clone());
        assert_eq!(inbox.run(&mut log), 1);
        assert_eq!(remote.try_send(|log| log.push(4)), Ok(()));
        assert_eq!(inbox.run(&mut log), 1);
        drop(inbox);
        assert_eq!(
            (send(5).await, remote.try_send(|_| ())),
            (Err(Error::BrokenPipe), Err(Error::BrokenPipe))
        );
    });
    assert_eq!(log, [1, 2, 4]);
}

#[test]
fn an_inbox_is_waited_for_until_every_remote_is_gone() {
    let (remote, inbox) = channel::<u32>(4, Waker::noop().clone());
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let poll = || inbox.poll_ready(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    remote.try_send(|number| *number += 1).unwrap();
    assert_eq!((bell.0.load(Ordering::Relaxed), poll()), (1, Poll::Ready(Ok(()))));
    let mut number = 0;
    assert_eq!((inbox.run(&mut number), number), (1, 1));
    assert!(poll().is_pending() && !inbox.is_abandoned());
    // A call that is not sent yet can still come.
    let late = remote.call(|number: &mut u32| *number);
    drop(remote);
    assert!(poll().is_pending());
    drop(late);
    assert_eq!((bell.0.load(Ordering::Relaxed), poll()), (2, Poll::Ready(Err(Error::BrokenPipe))));
    assert!(inbox.is_abandoned());
    assert_eq!(future::block_on(inbox.ready()), Err(Error::BrokenPipe));
}

#[test]
fn threads_block_for_a_call_and_for_the_inbox_with_timeouts() {
    let host = devnet_drivers::Host::new();
    let (clock, short) = (host.clock(), Some(Duration::from_millis(20)));
    let (remote, inbox) = channel::<u32>(4, Waker::noop().clone());
    assert_eq!(inbox.block(&*clock, short), Err(Error::TimedOut));
    let abandoned = remote.call(|number: &mut u32| *number += 100);
    assert_eq!(abandoned.block(&*clock, short), Err(Error::TimedOut));
    let mut number = 1;
    // It was given up before it ran.
    assert_eq!((inbox.run(&mut number), number), (1, 1));
    let owner = std::thread::spawn(move || {
        let mut number = 1;
        while inbox.block(&*clock, None).is_ok() {
            inbox.run(&mut number);
        }
        number
    });
    let call = remote.call(|number: &mut u32| {
        *number += 1;
        *number
    });
    assert_eq!(call.block(&*host.clock(), Some(Duration::from_secs(60))), Ok(2));
    drop(remote);
    assert_eq!(owner.join().unwrap(), 2);
}

/// Polls both until no frame is on its way.
fn settle(left: &mut Node, right: &mut Node, now: Instant) {
    for _ in 0..100 {
        left.poll(now);
        right.poll(now);
    }
}

/// Polls a wait of the node once.
fn wait_once(node: &mut Node, clock: &world::VirtualClock, bell: &Arc<Bell>) -> bool {
    let waker = Waker::from(Arc::clone(bell));
    let ports = &mut [(&mut node.port, &mut node.driver as &mut dyn Driver)];
    let mut wait = node.core.wait(clock, ports);
    std::pin::Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_ready()
}

#[test]
fn one_wait_ends_by_the_driver_the_deadline_or_a_request_and_may_be_dropped() {
    let (mut left, mut right) = pair();
    let clock = world::VirtualClock::default();
    let mut now = Instant::ZERO;
    while let Some(next) = step(&mut left, &mut right, now) {
        now = next;
    }
    settle(&mut left, &mut right, now);
    clock.set(now);
    let (remote, inbox) = channel::<Core>(4, left.core.doorbell());
    let bell = Arc::new(Bell::default());
    let rung = || bell.0.swap(0, Ordering::Relaxed) > 0;
    assert!(!wait_once(&mut left, &clock, &bell) && !rung());
    // A request, and again after a wait that was dropped before it was polled.
    remote.try_send(|core| core.manager().configure("eth0", "metric 7").unwrap()).unwrap();
    assert!(rung());
    drop(left.core.wait(&clock, &mut []));
    assert!(wait_once(&mut left, &clock, &bell));
    assert_eq!(inbox.run(&mut left.core), 1);
    settle(&mut left, &mut right, now);
    assert!(!wait_once(&mut left, &clock, &bell));
    // Work from a socket.
    let socket = UdpSocket::new(&left.core.sockets());
    socket.try_send(b"x", Some("10.0.0.2:9".parse().unwrap())).unwrap();
    assert!(rung() && wait_once(&mut left, &clock, &bell));
    assert!(left.core.poll_delay(now).is_some_and(|delay| delay.is_zero()));
    while left.poll(now) {}
    // A frame: a wait that is dropped keeps it in the port.
    assert!(!wait_once(&mut left, &clock, &bell) && !rung());
    while right.poll(now) {}
    assert!(rung() && wait_once(&mut left, &clock, &bell));
    assert!(wait_once(&mut left, &clock, &bell));
    settle(&mut left, &mut right, now);
    // The deadline.
    let delay = left.core.poll_delay(now).unwrap();
    assert!(!delay.is_zero() && !wait_once(&mut left, &clock, &bell));
    clock.set(now.after(delay));
    assert!(wait_once(&mut left, &clock, &bell));
    // The last remote is gone.
    settle(&mut left, &mut right, now.after(delay));
    rung();
    wait_once(&mut left, &clock, &bell);
    drop(remote);
    assert!(rung() && inbox.is_abandoned());
}

#[test]
fn tim_01_time_that_runs_backwards_stands_still() {
    let (mut left, mut right) = pair();
    let later = Instant::ZERO.after(Duration::from_secs(100));
    step(&mut left, &mut right, later);
    left.core.run(Instant::ZERO);
    assert!(left.core.next_deadline().is_none_or(|next| next >= later));
}
