//! The traits of `edge-nal`: [`Sockets`] connects and listens, makes UDP sockets and looks names
//! up. The sockets are the usual ones.
//!
//! Pass a [`Sockets`], or a reference to one, where a program wants a `TcpConnect`, a `TcpBind`, a
//! `UdpBind`, a `UdpConnect` or a `Dns`. Halves are references: one socket may be read and written
//! at once.

use core::future::poll_fn;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use devnet_virtual_file_system::{Error, Readiness};
use edge_nal::{
    AddrType, Close, Dns, MulticastV4, MulticastV6, Readable, TcpAccept, TcpBind, TcpConnect,
    TcpShutdown, TcpSplit, UdpBind, UdpConnect, UdpReceive, UdpSend, UdpSplit, UdpSplitMulticast,
};
use embedded_io_async::ErrorType;

use crate::command::dns::RecordKind;
use crate::command::socket::Direction;
use crate::socket::{Sockets, TcpListener, TcpStream, UdpSocket};

/// The backlog: the traits give none.
const BACKLOG: u32 = 16;
/// Bytes that are discarded at once while the end of a stream is read.
const DISCARDED: usize = 64;

impl TcpConnect for Sockets {
    type Error = Error;
    type Socket<'a> = TcpStream;

    async fn connect(&self, remote: SocketAddr) -> Result<TcpStream, Error> {
        TcpStream::connect(self, remote).await
    }
}

impl TcpBind for Sockets {
    type Error = Error;
    type Accept<'a> = TcpListener;

    async fn bind(&self, local: SocketAddr) -> Result<TcpListener, Error> {
        TcpListener::bind(self, local, BACKLOG)
    }
}

impl TcpAccept for TcpListener {
    type Error = Error;
    type Socket<'a> = TcpStream;

    async fn accept(&self) -> Result<(SocketAddr, TcpStream), Error> {
        let stream = Self::accept(self).await?;
        Ok((stream.peer_addr(), stream))
    }
}

impl TcpSplit for TcpStream {
    type Read<'a> = &'a Self;
    type Write<'a> = &'a Self;

    fn split(&mut self) -> (&Self, &Self) {
        (self, self)
    }
}

impl TcpShutdown for TcpStream {
    /// Closing to write waits until the peer has acknowledged all data, closing to read until the
    /// end of what it sends.
    async fn close(&mut self, what: Close) -> Result<(), Error> {
        if what != Close::Read {
            self.shutdown(Direction::Write)?;
            Self::flush(self).await?;
        }
        if what != Close::Write {
            while Self::read(self, &mut [0; DISCARDED]).await? > 0 {}
        }
        Ok(())
    }

    async fn abort(&mut self) -> Result<(), Error> {
        Self::abort(self);
        Ok(())
    }
}

impl Dns for Sockets {
    type Error = Error;

    /// The first address with a route, or the first one of all. `NotFound` when the name has no
    /// record of this type.
    async fn get_host_by_name(&self, host: &str, addr_type: AddrType) -> Result<IpAddr, Error> {
        let kind = match addr_type {
            AddrType::IPv4 => RecordKind::A,
            AddrType::IPv6 => RecordKind::Aaaa,
            AddrType::Either => RecordKind::Address,
        };
        self.host_by_name(host, kind).await
    }

    /// `NotFound` when the address has no name, `NameTooLong` when it is longer than `result`.
    async fn get_host_by_address(&self, addr: IpAddr, result: &mut [u8]) -> Result<usize, Error> {
        self.host_by_address(addr, result).await
    }
}

impl UdpBind for Sockets {
    type Error = Error;
    type Socket<'a> = UdpSocket;

    async fn bind(&self, local: SocketAddr) -> Result<UdpSocket, Error> {
        let socket = UdpSocket::new(self);
        socket.bind(local)?;
        Ok(socket)
    }
}

impl UdpConnect for Sockets {
    type Error = Error;
    type Socket<'a> = UdpSocket;

    async fn connect(&self, local: SocketAddr, remote: SocketAddr) -> Result<UdpSocket, Error> {
        let socket = UdpSocket::new(self);
        if !local.ip().is_unspecified() || local.port() != 0 {
            socket.bind(local)?;
        }
        socket.connect(remote)?;
        Ok(socket)
    }
}

impl UdpSplit for UdpSocket {
    type Receive<'a> = &'a Self;
    type Send<'a> = &'a Self;

    fn split(&mut self) -> (&Self, &Self) {
        (self, self)
    }
}

impl UdpSplitMulticast for UdpSocket {
    type MulticastV4<'a> = &'a Self;
    type MulticastV6<'a> = &'a Self;

    fn split_multicast(&mut self) -> (&Self, &Self, &Self, &Self) {
        (self, self, self, self)
    }
}

macro_rules! readable {
    ($($socket:ty),+) => {
        $(impl Readable for $socket {
            async fn readable(&mut self) -> Result<(), Error> {
                poll_fn(|context| self.poll_ready(context, Readiness::READABLE)).await;
                Ok(())
            }
        })+
    };
}

macro_rules! datagrams {
    ($($socket:ty),+) => {
        $(impl ErrorType for $socket {
            type Error = Error;
        }

        impl UdpReceive for $socket {
            /// The length is that of the datagram, and shows whether it was truncated.
            async fn receive(&mut self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
                let info = self.receive_message(buffer).await?;
                Ok((info.length, info.remote))
            }
        }

        impl UdpSend for $socket {
            /// A connected socket sends to its peer, whatever `remote` is.
            async fn send(&mut self, remote: SocketAddr, data: &[u8]) -> Result<(), Error> {
                self.send_to(data, self.peer_addr().unwrap_or(remote)).await
            }
        }

        impl MulticastV4 for $socket {
            /// On the interface with this address; `0.0.0.0` chooses one by route.
            async fn join_v4(&mut self, group: Ipv4Addr, interface: Ipv4Addr) -> Result<(), Error> {
                let name = self.interface_with(interface)?;
                self.join_group(group.into(), name.as_deref())
            }

            async fn leave_v4(
                &mut self,
                group: Ipv4Addr,
                interface: Ipv4Addr,
            ) -> Result<(), Error> {
                let name = self.interface_with(interface)?;
                self.leave_group(group.into(), name.as_deref())
            }
        }

        impl MulticastV6 for $socket {
            /// On the interface with this index; 0 chooses one by route.
            async fn join_v6(&mut self, group: Ipv6Addr, interface: u32) -> Result<(), Error> {
                let name = self.interface_at(interface)?;
                self.join_group(group.into(), name.as_deref())
            }

            async fn leave_v6(&mut self, group: Ipv6Addr, interface: u32) -> Result<(), Error> {
                let name = self.interface_at(interface)?;
                self.leave_group(group.into(), name.as_deref())
            }
        })+
    };
}

readable!(TcpStream, &TcpStream, UdpSocket, &UdpSocket);
datagrams!(UdpSocket, &UdpSocket);
