//! The kernel's loopback through tokio's current-thread runtime. Its MTU is 65,536, whatever is
//! asked for; its buffers tune themselves.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::runtime::Runtime;

use crate::tokio_workers;
use crate::workloads::Setup;
use crate::workloads::contender::{Contender, End, Outcome};

/// Descriptors besides those of the connections.
const SPARE: u64 = 64;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Protocol {
    Tcp,
    Udp,
}

pub(crate) struct Kernel {
    runtime: Runtime,
    /// What the system gave for the ports that the workloads ask for: those may be taken on this
    /// machine.
    ports: RefCell<HashMap<(Protocol, u16), SocketAddr>>,
}

impl Kernel {
    fn address(&self, protocol: Protocol, port: u16) -> SocketAddr {
        self.ports.borrow()[&(protocol, port)]
    }
}

/// Two descriptors for each connection, if the system lets us.
fn raise_limit(idle: usize) {
    let wanted = Some(2 * idle as u64 + SPARE);
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: wanted, maximum: maximum.max(wanted) })
        .is_err()
    {
        // Then as many as there may be; too few will show.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

impl Contender for Kernel {
    type Listener = TcpListener;
    type Stream = TcpStream;
    /// With the receiver's address, for the sender.
    type Datagrams = (UdpSocket, SocketAddr);

    fn new(setup: &Setup) -> Self {
        raise_limit(setup.idle);
        let runtime = tokio_workers::runtime();
        Self { runtime, ports: RefCell::default() }
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn listen(&self, port: u16, _: usize, _: usize) -> Outcome<TcpListener> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        self.ports.borrow_mut().insert((Protocol::Tcp, port), listener.local_addr()?);
        Ok(listener)
    }

    async fn accept(&self, listener: &mut TcpListener) -> Outcome<TcpStream> {
        Ok(listener.accept().await?.0)
    }

    async fn connect(&self, port: u16, _: usize) -> Outcome<TcpStream> {
        Ok(TcpStream::connect(self.address(Protocol::Tcp, port)).await?)
    }

    async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(stream.read(buffer).await?)
    }

    async fn write(stream: &mut TcpStream, data: &[u8]) -> Outcome<usize> {
        Ok(stream.write(data).await?)
    }

    async fn close(stream: TcpStream) -> Outcome<()> {
        drop(stream);
        Ok(())
    }

    async fn bind(&self, end: End, port: u16) -> Outcome<(UdpSocket, SocketAddr)> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let own = socket.local_addr()?;
        let receiver = match end {
            End::Left => self.address(Protocol::Udp, port),
            End::Right => {
                *self.ports.borrow_mut().entry((Protocol::Udp, port)).insert_entry(own).get()
            }
        };
        Ok((socket, receiver))
    }

    async fn send(
        (socket, receiver): &mut (UdpSocket, SocketAddr),
        data: &[u8],
        _: u16,
    ) -> Outcome<()> {
        socket.send_to(data, *receiver).await?;
        Ok(())
    }

    async fn receive(
        (socket, _): &mut (UdpSocket, SocketAddr),
        buffer: &mut [u8],
    ) -> Outcome<usize> {
        Ok(socket.recv_from(buffer).await?.0)
    }
}
