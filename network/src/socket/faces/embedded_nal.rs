//! The traits of `embedded-nal-async`: [`Sockets`] connects streams, makes UDP sockets and looks
//! names up.
//!
//! Pass a [`Sockets`], or a reference to one, where a client wants a `TcpConnect`, a `UdpStack` or
//! a `Dns`.

use alloc::vec::Vec;
use core::cmp::Reverse;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;
use embedded_nal_async::{AddrType, ConnectedUdp, Dns, TcpConnect, UdpStack, UnconnectedUdp};

use crate::command::dns::RecordKind;
use crate::socket::{Sockets, TcpStream, UdpSocket};

impl TcpConnect for Sockets {
    type Error = Error;
    type Connection<'a> = TcpStream;

    async fn connect(&self, remote: SocketAddr) -> Result<TcpStream, Error> {
        TcpStream::connect(self, remote).await
    }
}

/// Looks names up with the [`Resolver`](crate::Resolver) of these sockets.
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

/// A UDP socket with one peer.
#[derive(Debug)]
pub struct ConnectedSocket(UdpSocket);

/// An unconnected UDP socket, bound to one local address or to all.
#[derive(Debug)]
pub struct UnconnectedSocket(UdpSocket);

impl ConnectedSocket {
    /// The socket, for its options.
    #[must_use]
    pub const fn socket(&self) -> &UdpSocket {
        &self.0
    }
}

impl UnconnectedSocket {
    /// The socket, for its options and groups.
    #[must_use]
    pub const fn socket(&self) -> &UdpSocket {
        &self.0
    }
}

impl ConnectedUdp for ConnectedSocket {
    type Error = Error;

    async fn send(&mut self, data: &[u8]) -> Result<(), Error> {
        self.0.send(data).await
    }

    async fn receive_into(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        // The length of the datagram shows whether it was truncated.
        self.0.receive_message(buffer).await.map(|info| info.length)
    }
}

impl UnconnectedUdp for UnconnectedSocket {
    type Error = Error;

    /// `InvalidInput` when `local` has another port than the socket; `AddressNotAvailable` for an
    /// address that is not ours.
    async fn send(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        data: &[u8],
    ) -> Result<(), Error> {
        let port = self.0.local_addr().map(|bound| bound.port());
        if local.port() != 0 && port.is_some_and(|port| port != local.port()) {
            return Err(Error::InvalidInput);
        }
        self.0.send_from(data, local.ip(), remote).await
    }

    async fn receive_into(
        &mut self,
        buffer: &mut [u8],
    ) -> Result<(usize, SocketAddr, SocketAddr), Error> {
        self.0.receive_message(buffer).await.map(|info| (info.length, info.local, info.remote))
    }
}

macro_rules! udp_stack {
    ($($place:ty),+) => {
        $(impl UdpStack for $place {
            type Error = Error;
            type Connected = ConnectedSocket;
            type UniquelyBound = UnconnectedSocket;
            type MultiplyBound = UnconnectedSocket;

            async fn connect_from(
                &self,
                local: SocketAddr,
                remote: SocketAddr,
            ) -> Result<(SocketAddr, ConnectedSocket), Error> {
                let socket = UdpSocket::new(self);
                if !local.ip().is_unspecified() || local.port() != 0 {
                    socket.bind(local)?;
                }
                let local = socket.connect(remote)?;
                Ok((local, ConnectedSocket(socket)))
            }

            /// For an unspecified address, one of ours; `AddressNotAvailable` when there is none of
            /// this family.
            async fn bind_single(
                &self,
                local: SocketAddr,
            ) -> Result<(SocketAddr, UnconnectedSocket), Error> {
                let address = match local.ip() {
                    address if address.is_unspecified() => self.any_address(local)?,
                    address => address,
                };
                let socket = UdpSocket::new(self);
                let local = socket.bind(SocketAddr::new(address, local.port()))?;
                Ok((local, UnconnectedSocket(socket)))
            }

            async fn bind_multiple(&self, local: SocketAddr) -> Result<UnconnectedSocket, Error> {
                let socket = UdpSocket::new(self);
                socket.bind(local)?;
                Ok(UnconnectedSocket(socket))
            }
        })+
    };
}

udp_stack!(Sockets, &Sockets);

impl Sockets {
    /// A local address of the same family: the one with the widest scope, to which most peers can
    /// reply.
    fn any_address(&self, like: SocketAddr) -> Result<IpAddr, Error> {
        let addresses: Vec<(u8, IpAddr)> = self
            .place
            .interfaces()
            .iter()
            .flat_map(|interface| {
                interface.read(|stack| {
                    let ours = stack.ip.addresses.iter().filter(|entry| entry.is_usable());
                    ours.map(|entry| (entry.scope() as u8, entry.prefix.address()))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let fitting =
            addresses.into_iter().filter(|(_, address)| address.is_ipv4() == like.is_ipv4());
        let widest = fitting.min_by_key(|(scope, _)| Reverse(*scope));
        widest.map(|(_, address)| address).ok_or(Error::AddressNotAvailable)
    }
}
