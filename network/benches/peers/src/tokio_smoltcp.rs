//! `tokio-smoltcp` on tokio's current-thread runtime. It allocates every packet itself, so nothing
//! can be recycled for it; one buffer size counts for all sockets of a system.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_lite::future;
use futures_sink::Sink;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio_smoltcp::device::{AsyncDevice, DeviceCapabilities, Packet};
use tokio_smoltcp::smoltcp::iface::Config;
use tokio_smoltcp::smoltcp::phy::Medium;
use tokio_smoltcp::smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};
use tokio_smoltcp::{BufferSize, Net, NetConfig, TcpListener, TcpStream, UdpSocket};

use crate::pipe::{Pipe, pipe};
use crate::tokio_workers;
use crate::workloads::contender::{Contender, End, Outcome};
use crate::workloads::{BUFFER, DATAGRAMS, Setup};

struct Device {
    pipe: Pipe,
    capabilities: DeviceCapabilities,
}

impl Device {
    fn new(pipe: Pipe) -> Self {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = pipe.mtu;
        Self { pipe, capabilities }
    }
}

impl Stream for Device {
    type Item = io::Result<Packet>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.pipe.poll_ready(context) {
            Poll::Ready(self.pipe.receive().map(Ok))
        } else {
            Poll::Pending
        }
    }
}

impl Sink<Packet> for Device {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, packet: Packet) -> io::Result<()> {
        self.pipe.outgoing().send(packet);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncDevice for Device {
    fn capabilities(&self) -> &DeviceCapabilities {
        &self.capabilities
    }
}

pub(crate) struct TokioSmoltcp {
    left: Net,
    right: Net,
    runtime: Runtime,
}

fn system(pipe: Pipe, host: u8, buffer: usize) -> Net {
    let mut interface = Config::new(HardwareAddress::Ip);
    interface.random_seed = u64::from(host);
    let mut config =
        NetConfig::new(interface, IpCidr::new(IpAddress::v4(10, 0, 0, host), 24), Vec::new());
    config.buffer_size = BufferSize {
        tcp_rx_size: buffer,
        tcp_tx_size: buffer,
        udp_rx_size: BUFFER,
        udp_tx_size: BUFFER,
        udp_rx_meta_size: DATAGRAMS,
        udp_tx_meta_size: DATAGRAMS,
        ..BufferSize::default()
    };
    Net::new(Device::new(pipe), config)
}

fn address(host: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, host), port).into()
}

impl Contender for TokioSmoltcp {
    type Listener = TcpListener;
    type Stream = TcpStream;
    type Datagrams = UdpSocket;

    fn new(setup: &Setup) -> Self {
        let runtime = tokio_workers::runtime();
        let (left, right) = pipe(setup.mtu);
        let guard = runtime.enter();
        let (left, right) = (system(left, 1, setup.buffer), system(right, 2, setup.buffer));
        drop(guard);
        Self { left, right, runtime }
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn listen(&self, port: u16, _: usize, _: usize) -> Outcome<TcpListener> {
        Ok(self.right.tcp_bind(address(2, port)).await?)
    }

    async fn accept(&self, listener: &mut TcpListener) -> Outcome<TcpStream> {
        Ok(listener.accept().await?.0)
    }

    async fn connect(&self, port: u16, _: usize) -> Outcome<TcpStream> {
        Ok(self.left.tcp_connect(address(2, port)).await?)
    }

    async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(stream.read(buffer).await?)
    }

    async fn write(stream: &mut TcpStream, data: &[u8]) -> Outcome<usize> {
        Ok(stream.write(data).await?)
    }

    /// Dropping a stream sends nothing, and for the end that closes first `shutdown` lasts through
    /// TIME-WAIT: so that one leaves once it has seen the other's end.
    async fn close(mut stream: TcpStream) -> Outcome<()> {
        if future::poll_once(stream.shutdown()).await.is_some() {
            return Ok(());
        }
        let mut rest = [0; 64];
        let early = future::poll_once(stream.read(&mut rest)).await;
        if matches!(early, Some(Ok(0))) {
            return Ok(stream.shutdown().await?);
        }
        while stream.read(&mut rest).await? > 0 {}
        Ok(())
    }

    async fn bind(&self, end: End, port: u16) -> Outcome<UdpSocket> {
        let (net, host) = if end == End::Left { (&self.left, 1) } else { (&self.right, 2) };
        Ok(net.udp_bind(address(host, port)).await?)
    }

    async fn send(socket: &mut UdpSocket, data: &[u8], port: u16) -> Outcome<()> {
        socket.send_to(data, address(2, port)).await?;
        Ok(())
    }

    async fn receive(socket: &mut UdpSocket, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(socket.recv_from(buffer).await?.0)
    }
}
