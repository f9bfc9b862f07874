//! `ts_netstack_smoltcp` on tokio's current-thread runtime: sockets send commands to the task of
//! their stack. One buffer size counts for all sockets of a system, and the caller picks the local
//! port of every connection. `recv` and `send` are its own; tokio's traits cost a box more.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use ts_netstack_smoltcp::Netstack;
use ts_netstack_smoltcp::netcore::smoltcp::phy::{self, DeviceCapabilities, Medium};
use ts_netstack_smoltcp::netcore::smoltcp::time::Instant;
use ts_netstack_smoltcp::netcore::{AsyncWakeDevice, Channel, Config, HasChannel, NetstackControl};
use ts_netstack_smoltcp::netsock::{CreateSocket, TcpListener, TcpStream, UdpSocket};

use crate::pipe::{Outgoing, Pipe, pipe};
use crate::workloads::contender::{Contender, End, Outcome};
use crate::workloads::{BUFFER, DATAGRAMS, Setup};

/// The first local port of a connection.
const FIRST_PORT: u16 = 10_000;

struct Device(Pipe);

struct Receive<'a> {
    packet: Vec<u8>,
    pipe: &'a mut Pipe,
}

impl phy::RxToken for Receive<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let result = f(&self.packet);
        self.pipe.recycle(self.packet);
        result
    }
}

struct Send(Outgoing);

impl phy::TxToken for Send {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = self.0.buffer(length);
        let result = f(&mut packet);
        self.0.send(packet);
        result
    }
}

impl phy::Device for Device {
    type RxToken<'a> = Receive<'a>;
    type TxToken<'a> = Send;

    fn receive(&mut self, _: Instant) -> Option<(Receive<'_>, Send)> {
        let packet = self.0.receive()?;
        let send = Send(self.0.outgoing());
        Some((Receive { packet, pipe: &mut self.0 }, send))
    }

    fn transmit(&mut self, _: Instant) -> Option<Send> {
        Some(Send(self.0.outgoing()))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.0.mtu;
        capabilities
    }
}

impl AsyncWakeDevice for Device {
    fn poll_rx(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0.poll_ready(context) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn poll_tx(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

pub(crate) struct Ts {
    left: Channel,
    right: Channel,
    port: Cell<u16>,
    runtime: Runtime,
}

fn address(host: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, host), port).into()
}

impl Contender for Ts {
    type Listener = TcpListener;
    type Stream = TcpStream;
    type Datagrams = UdpSocket;

    fn new(setup: &Setup) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let config = Config {
            command_channel_capacity: Some(128),
            mtu: setup.mtu,
            udp_buffer_size: BUFFER,
            udp_message_count: DATAGRAMS,
            tcp_buffer_size: setup.buffer,
            ..Config::default()
        };
        let (left, right) = pipe(setup.mtu);
        let system = |pipe: Pipe, host: u8| {
            let stack = Netstack::new(Device(pipe), config.clone());
            let channel = stack.command_channel();
            runtime.block_on(async {
                stack.spawn_tokio();
                channel.set_ips([address(host, 0).ip()]).await.unwrap();
            });
            channel
        };
        let (left, right) = (system(left, 1), system(right, 2));
        Self { left, right, port: Cell::new(FIRST_PORT), runtime }
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn listen(&self, port: u16, _: usize, _: usize) -> Outcome<TcpListener> {
        Ok(self.right.tcp_listen(address(2, port)).await?)
    }

    async fn accept(&self, listener: &mut TcpListener) -> Outcome<TcpStream> {
        Ok(listener.accept().await?)
    }

    async fn connect(&self, port: u16, _: usize) -> Outcome<TcpStream> {
        let local = self.port.get();
        self.port.set(local.checked_add(1).unwrap_or(FIRST_PORT));
        Ok(self.left.tcp_connect(address(1, local), address(2, port)).await?)
    }

    async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(stream.recv(buffer).await?)
    }

    async fn write(stream: &mut TcpStream, data: &[u8]) -> Outcome<usize> {
        Ok(stream.send(data).await?)
    }

    async fn close(stream: TcpStream) -> Outcome<()> {
        drop(stream);
        Ok(())
    }

    async fn bind(&self, end: End, port: u16) -> Outcome<UdpSocket> {
        let (channel, host) = if end == End::Left { (&self.left, 1) } else { (&self.right, 2) };
        Ok(channel.udp_bind(address(host, port)).await?)
    }

    async fn send(socket: &mut UdpSocket, data: &[u8], port: u16) -> Outcome<()> {
        Ok(socket.send_to(address(2, port), data).await?)
    }

    async fn receive(socket: &mut UdpSocket, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(socket.recv_from(buffer).await?.1)
    }
}
