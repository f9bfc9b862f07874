//! `embassy-net` on a single-threaded executor. It has no listener: an accept is a socket of its
//! own, so a backlog is several tasks that accept on one port. Buffers belong to the program; here
//! they are used again once their socket is gone.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use embassy_net::tcp::TcpSocket;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{Ipv4Address, Ipv4Cidr, Stack, StackResources, StaticConfigV4};
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};

use crate::pipe::{Outgoing, Pipe, pipe};
use crate::workloads::contender::{Contender, End, Outcome};
use crate::workloads::executor::{Alarm, Executor};
use crate::workloads::{BUFFER, DATAGRAMS, Setup, monotonic};

struct Time {
    start: LazyLock<Instant>,
    alarm: LazyLock<Alarm>,
}

impl embassy_time_driver::Driver for Time {
    fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        self.alarm.wake_at(*self.start + Duration::from_micros(at), waker);
    }
}

// embassy's time is one for the whole program.
embassy_time_driver::time_driver_impl!(static TIME: Time = Time {
    start: LazyLock::new(monotonic),
    alarm: LazyLock::new(Alarm::default),
});

struct Device(Pipe);

struct Receive<'a> {
    packet: Vec<u8>,
    pipe: &'a mut Pipe,
}

impl RxToken for Receive<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, f: F) -> R {
        let result = f(&mut self.packet);
        self.pipe.recycle(self.packet);
        result
    }
}

struct Send(Outgoing);

impl TxToken for Send {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = self.0.buffer(length);
        let result = f(&mut packet);
        self.0.send(packet);
        result
    }
}

impl Driver for Device {
    type RxToken<'a> = Receive<'a>;
    type TxToken<'a> = Send;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Receive<'_>, Send)> {
        if !self.0.poll_ready(context) {
            return None;
        }
        let packet = self.0.receive()?;
        let send = Send(self.0.outgoing());
        Some((Receive { packet, pipe: &mut self.0 }, send))
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<Send> {
        Some(Send(self.0.outgoing()))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = self.0.mtu;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ip
    }
}

type Buffer = &'static mut [u8];

/// Buffers that no socket uses, by size.
type Pool = Rc<RefCell<HashMap<usize, Vec<(Buffer, Buffer)>>>>;

/// A socket that gives its buffers back.
pub(crate) struct Socket {
    socket: Option<TcpSocket<'static>>,
    buffers: (*mut [u8], *mut [u8]),
    pool: Pool,
}

impl Socket {
    fn new(stack: Stack<'static>, size: usize, pool: &Pool) -> Self {
        let known = pool.borrow_mut().get_mut(&size).and_then(Vec::pop);
        let (receive, send) = known.unwrap_or_else(|| (vec![0; size].leak(), vec![0; size].leak()));
        let buffers: (*mut [u8], *mut [u8]) = (receive, send);
        // SAFETY: the pointers are those of two leaked slices that nobody else has: they were new,
        // or taken out of the pool. The socket is their only user until it is dropped.
        let socket = unsafe { TcpSocket::new(stack, &mut *buffers.0, &mut *buffers.1) };
        Self { socket: Some(socket), buffers, pool: Rc::clone(pool) }
    }
}

impl Deref for Socket {
    type Target = TcpSocket<'static>;

    fn deref(&self) -> &Self::Target {
        self.socket.as_ref().unwrap()
    }
}

impl DerefMut for Socket {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.socket.as_mut().unwrap()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Removes the socket from its stack, which then no longer uses the buffers.
        self.socket = None;
        // SAFETY: both were leaked slices, and their only user has gone.
        let buffers = unsafe { (&mut *self.buffers.0, &mut *self.buffers.1) };
        self.pool.borrow_mut().entry(buffers.0.len()).or_default().push(buffers);
    }
}

/// Connections that tasks have accepted.
#[derive(Default)]
pub(crate) struct Accepted {
    queue: RefCell<VecDeque<Socket>>,
    waker: RefCell<Option<Waker>>,
}

pub(crate) struct Listener {
    port: u16,
    buffer: usize,
    /// None where each accept is a socket of its own.
    accepted: Option<Rc<Accepted>>,
}

pub(crate) struct Embassy {
    executor: Executor,
    pool: Pool,
    left: Stack<'static>,
    right: Stack<'static>,
}

fn stack<const SOCKETS: usize>(executor: &Executor, pipe: Pipe, host: u8) -> Stack<'static> {
    let address = Ipv4Cidr::new(Ipv4Address::new(10, 0, 0, host), 24);
    let address = StaticConfigV4 { address, gateway: None, dns_servers: Default::default() };
    let config = embassy_net::Config::ipv4_static(address);
    let resources = Box::leak(Box::new(StackResources::<SOCKETS>::new()));
    let (stack, mut runner) = embassy_net::new(Device(pipe), config, resources, u64::from(host));
    executor.spawn(async move { runner.run().await });
    stack
}

const SERVER: Ipv4Address = Ipv4Address::new(10, 0, 0, 2);

impl Contender for Embassy {
    type Listener = Listener;
    type Stream = Socket;
    type Datagrams = UdpSocket<'static>;

    fn new(setup: &Setup) -> Self {
        let executor = Executor::default();
        let (left, right) = pipe(setup.mtu);
        // The number of sockets is part of a type, and every poll walks all of them.
        let make = match setup.idle {
            0 => stack::<16>,
            1..=100 => stack::<116>,
            101..=1_000 => stack::<1_016>,
            _ => stack::<10_016>,
        };
        let (left, right) = (make(&executor, left, 1), make(&executor, right, 2));
        Self { executor, pool: Pool::default(), left, right }
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.executor.run(&TIME.alarm, work)
    }

    async fn sleep(&self, time: Duration) {
        TIME.alarm.at(monotonic() + time).await;
    }

    async fn listen(&self, port: u16, buffer: usize, backlog: usize) -> Outcome<Listener> {
        if backlog == 1 {
            return Ok(Listener { port, buffer, accepted: None });
        }
        let accepted = Rc::new(Accepted::default());
        for _ in 0..backlog {
            let (stack, pool, accepted) = (self.right, Rc::clone(&self.pool), Rc::clone(&accepted));
            let accepting = async move {
                loop {
                    let mut socket = Socket::new(stack, buffer, &pool);
                    if socket.accept(port).await.is_ok() {
                        accepted.queue.borrow_mut().push_back(socket);
                        accepted.waker.take().into_iter().for_each(Waker::wake);
                    }
                }
            };
            self.executor.spawn(accepting);
        }
        // Now they begin to listen.
        futures_lite::future::yield_now().await;
        Ok(Listener { port, buffer, accepted: Some(accepted) })
    }

    async fn accept(&self, listener: &mut Listener) -> Outcome<Socket> {
        let Some(accepted) = &listener.accepted else {
            let mut socket = Socket::new(self.right, listener.buffer, &self.pool);
            socket.accept(listener.port).await.map_err(|error| format!("{error:?}"))?;
            return Ok(socket);
        };
        let next = |context: &mut Context<'_>| match accepted.queue.borrow_mut().pop_front() {
            Some(socket) => Poll::Ready(socket),
            None => {
                accepted.waker.replace(Some(context.waker().clone()));
                Poll::Pending
            }
        };
        Ok(poll_fn(next).await)
    }

    async fn connect(&self, port: u16, buffer: usize) -> Outcome<Socket> {
        let mut socket = Socket::new(self.left, buffer, &self.pool);
        socket.connect((SERVER, port)).await.map_err(|error| format!("{error:?}"))?;
        Ok(socket)
    }

    async fn read(stream: &mut Socket, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(stream.read(buffer).await?)
    }

    async fn write(stream: &mut Socket, data: &[u8]) -> Outcome<usize> {
        Ok(stream.write(data).await?)
    }

    /// Dropping a socket sends nothing: its end must have arrived before.
    async fn close(mut stream: Socket) -> Outcome<()> {
        TcpSocket::close(&mut stream);
        Ok(stream.flush().await?)
    }

    async fn bind(&self, end: End, port: u16) -> Outcome<UdpSocket<'static>> {
        let stack = if end == End::Left { self.left } else { self.right };
        let packets = || vec![PacketMetadata::EMPTY; DATAGRAMS].leak();
        let buffer = || vec![0; BUFFER].leak();
        let mut socket = UdpSocket::new(stack, packets(), buffer(), packets(), buffer());
        socket.bind(port).map_err(|error| format!("{error:?}"))?;
        Ok(socket)
    }

    async fn send(socket: &mut UdpSocket<'static>, data: &[u8], port: u16) -> Outcome<()> {
        Ok(socket.send_to(data, (SERVER, port)).await.map_err(|error| format!("{error:?}"))?)
    }

    async fn receive(socket: &mut UdpSocket<'static>, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(socket.recv_from(buffer).await.map_err(|error| format!("{error:?}"))?.0)
    }
}
