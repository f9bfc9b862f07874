//! The no_std proof: a program without operating system that calls the public API of
//! `virtual_file_system` and `network`.
//!
//! It builds two systems joined by a link of its own, configures them through their device files,
//! and exchanges bytes over TCP and UDP by polling by hand. It is linked, not run, in the check:
//! what matters is that every symbol is there. It also runs: exit status 0 on Linux.
#![no_std]
#![no_main]

extern crate alloc;

mod runtime;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_network::platform::{BoxFuture, Clock, Entropy, Instant, Spawner};
use devnet_network::{Manager, Platform, TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::{Credentials, Lock, Mode, OpenFlags, Path, VirtualFileSystem};

type Queue = Arc<Lock<VecDeque<Frame>>>;

/// One end of a link in memory.
struct End {
    incoming: Queue,
    outgoing: Queue,
    hardware: HardwareAddress,
}

impl Driver for End {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Kind::Ethernet, Medium::Ethernet, 1500)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        Some(self.hardware)
    }

    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        self.hardware = address;
        Ok(())
    }

    fn link_state(&mut self) -> LinkState {
        LinkState::Up
    }

    fn receive(&mut self, _pool: &mut FramePool) -> Option<Frame> {
        self.incoming.with(VecDeque::pop_front)
    }

    fn can_transmit(&mut self) -> bool {
        true
    }

    fn transmit(&mut self, frame: Frame, _pool: &mut FramePool) -> Result<(), Frame> {
        self.outgoing.with(|queue| queue.push_back(frame));
        Ok(())
    }

    fn register(&mut self, _waker: &Waker, _room: bool) {
        // Everything is polled in turn below.
    }
}

/// Time that moves by a millisecond whenever somebody looks.
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.fetch_add(1000, Ordering::Relaxed))
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        // The loop below polls everything anyway; a sleep is over when it is polled often enough.
        let mut left = deadline.as_micros().saturating_sub(self.0.load(Ordering::Relaxed)) / 1000;
        Box::pin(core::future::poll_fn(move |_| {
            left = left.saturating_sub(1);
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }))
    }
}

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        for byte in buffer {
            *byte = (self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed) >> 32) as u8;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Tasks(Lock<Vec<BoxFuture<'static, ()>>>);

impl Spawner for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        self.0.with(|tasks| tasks.push(task));
        Ok(())
    }
}

fn system(end: End, tasks: &Arc<Tasks>, configuration: &str) -> Option<Manager> {
    let platform = Platform {
        clock: Arc::new(Ticks(AtomicU64::new(0))),
        entropy: Arc::new(Counter(AtomicU64::new(u64::from(end.hardware.0[5])))),
        spawner: tasks.clone(),
    };
    let files = VirtualFileSystem::new();
    let manager = Manager::new(files.clone(), platform).ok()?;
    manager.register("eth0", Box::new(end), None).ok()?;
    let path = Path::parse("/devices/network/eth0").ok()?;
    let device = files
        .open(&Credentials::root(), &path, OpenFlags::READ | OpenFlags::WRITE, Mode::empty())
        .ok()?;
    device.try_write(configuration.as_bytes()).ok()?;
    let mut text = [0; 512];
    device.try_read(&mut text).ok().filter(|length| *length > 0)?;
    Some(manager)
}

async fn exchange(left: &Manager, right: &Manager) -> Option<()> {
    let address = "10.0.0.2:7".parse().ok()?;
    let listener = TcpListener::bind(&right.sockets(), address, 4).ok()?;
    let client = TcpStream::connect(&left.sockets(), address).await.ok()?;
    let server = listener.accept().await.ok()?;
    client.write_all(b"no operating system").await.ok()?;
    let mut buffer = [0; 32];
    let length = server.read(&mut buffer).await.ok()?;
    let receiver = UdpSocket::new(&right.sockets());
    receiver.bind(address).ok()?;
    let sender = UdpSocket::new(&left.sockets());
    sender.send_to(b"datagram", address).await.ok()?;
    let message = receiver.receive().await.ok()?;
    (buffer.get(..length)? == b"no operating system" && message.data == b"datagram").then_some(())
}

/// Runs everything in turn until the exchange is over; true when it went well.
fn run() -> bool {
    let (one, other) = (Queue::default(), Queue::default());
    let tasks = Arc::new(Tasks::default());
    let ends = |incoming: &Queue, outgoing: &Queue, last| End {
        incoming: incoming.clone(),
        outgoing: outgoing.clone(),
        hardware: HardwareAddress([2, 0, 0, 0, 0, last]),
    };
    let left = system(ends(&one, &other, 1), &tasks, "link up\naddress add 10.0.0.1/24\n");
    let right = system(ends(&other, &one, 2), &tasks, "link up\naddress add 10.0.0.2/24\n");
    let (Some(left), Some(right)) = (left, right) else { return false };
    let mut context = Context::from_waker(Waker::noop());
    let mut exchange: Pin<Box<dyn Future<Output = Option<()>>>> = Box::pin(exchange(&left, &right));
    let turns = Cell::new(0u32);
    while turns.replace(turns.get() + 1) < 100_000 {
        if let Poll::Ready(outcome) = exchange.as_mut().poll(&mut context) {
            return outcome.is_some();
        }
        let mut running = tasks.0.with(core::mem::take);
        running.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
        tasks.0.with(|tasks| tasks.append(&mut running));
    }
    false
}
