//! UDP sockets that block.

use alloc::string::String;
use alloc::sync::Arc;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::io;

use devnet_virtual_file_system::Error;

use super::names::{ToSocketAddrs, first_of};
use super::wait::{Blocker, waits};
use crate::command::socket::{DatagramOptions, SocketOptions};
use crate::socket::{self, Sockets};

#[derive(Debug)]
struct Shared {
    socket: socket::UdpSocket,
    sockets: Sockets,
    blocker: Blocker,
}

/// A UDP socket, as `std::net::UdpSocket`. It is closed when its last clone is dropped.
#[derive(Debug)]
pub struct UdpSocket(Arc<Shared>);

waits!(UdpSocket);

impl UdpSocket {
    /// Binds to the first of the addresses that is available; port 0 is an ephemeral port.
    ///
    /// # Errors
    /// Those of [`DatagramSocket::bind`](socket::DatagramSocket::bind) and of resolving the name.
    pub fn bind<A: ToSocketAddrs>(sockets: &Sockets, address: A) -> io::Result<Self> {
        first_of(sockets, &address, |address| {
            let socket = socket::UdpSocket::new(sockets);
            socket.bind(address)?;
            Ok(Self(Arc::new(Shared {
                socket,
                sockets: sockets.clone(),
                blocker: Blocker::new(sockets),
            })))
        })
    }

    /// The underlying socket, for what `std::net` lacks.
    #[must_use]
    pub fn socket(&self) -> &socket::UdpSocket {
        &self.0.socket
    }

    /// Connects to the first of the addresses that has a route; only that peer can send and receive
    /// then.
    ///
    /// # Errors
    /// Those of [`DatagramSocket::connect`](socket::DatagramSocket::connect) and of resolving the
    /// name.
    pub fn connect<A: ToSocketAddrs>(&self, address: A) -> io::Result<()> {
        first_of(&self.0.sockets, &address, |address| {
            Ok(self.0.socket.connect(address).map(drop)?)
        })
    }

    /// Receives one datagram: copies what fits, and returns the number of bytes and the sender.
    ///
    /// # Errors
    /// `WouldBlock` when the timeout expires; an error that ICMP reported, once.
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let message =
            self.0.blocker.read(|context| self.0.socket.poll_receive_message(context, buffer))?;
        Ok((message.copied, message.remote))
    }

    /// Receives one datagram from the peer: copies what fits, and returns the number of bytes.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buffer).map(|(length, _)| length)
    }

    /// Like [`recv_from`](Self::recv_from), but leaves the datagram in the queue.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let message =
            self.0.blocker.read(|context| self.0.socket.poll_peek_message(context, buffer))?;
        Ok((message.copied, message.remote))
    }

    /// Like [`recv`](Self::recv), but leaves the datagram in the queue.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.peek_from(buffer).map(|(length, _)| length)
    }

    /// Sends one datagram to the first of the addresses; a datagram is sent whole or not at all.
    ///
    /// # Errors
    /// `WouldBlock` when the timeout expires; those of
    /// [`DatagramSocket::send_to`](socket::DatagramSocket::send_to).
    pub fn send_to<A: ToSocketAddrs>(&self, data: &[u8], address: A) -> io::Result<usize> {
        let remote = address.to_socket_addrs(&self.0.sockets)?.next().ok_or(Error::InvalidInput)?;
        self.0.blocker.write(|context| self.0.socket.poll_send(context, data, Some(remote)))?;
        Ok(data.len())
    }

    /// Sends one datagram to the peer.
    ///
    /// # Errors
    /// `NotConnected`; else as [`send_to`](Self::send_to).
    pub fn send(&self, data: &[u8]) -> io::Result<usize> {
        self.0.blocker.write(|context| self.0.socket.poll_send(context, data, None))?;
        Ok(data.len())
    }

    /// The peer.
    ///
    /// # Errors
    /// `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.socket.peer_addr().ok_or(Error::NotConnected)?)
    }

    /// The local address.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.socket.local_addr().ok_or(Error::InvalidInput)?)
    }

    fn options(&self) -> SocketOptions {
        self.0.socket.options()
    }

    fn datagram_options(&self) -> io::Result<DatagramOptions> {
        Ok(self.options().datagram.ok_or(Error::ProtocolOptionNotAvailable)?)
    }

    /// Allows broadcast destinations.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.0.socket.set_broadcast(broadcast);
        Ok(())
    }

    /// Whether broadcast destinations are allowed.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn broadcast(&self) -> io::Result<bool> {
        Ok(self.datagram_options()?.broadcast)
    }

    /// Sets the time to live or hop limit of unicast packets, 1 to 255.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        Ok(self.0.socket.set_hop_limit(octet(ttl)?)?)
    }

    /// The time to live or hop limit of unicast packets.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn ttl(&self) -> io::Result<u32> {
        Ok(self.options().hop_limit.into())
    }

    /// Sets the time to live of multicast packets.
    ///
    /// # Errors
    /// `InvalidInput` above 255.
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.0.socket.set_multicast_hop_limit(octet(ttl)?);
        Ok(())
    }

    /// The time to live of multicast packets.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        Ok(self.datagram_options()?.multicast_hop_limit.into())
    }

    /// Sets whether local members of a group receive packets sent to it; one setting for both
    /// families.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn set_multicast_loop_v4(&self, multicast_loop: bool) -> io::Result<()> {
        self.0.socket.set_multicast_loop(multicast_loop);
        Ok(())
    }

    /// Whether local members of a group receive packets sent to it.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        Ok(self.datagram_options()?.multicast_loop)
    }

    /// Like [`set_multicast_loop_v4`](Self::set_multicast_loop_v4).
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn set_multicast_loop_v6(&self, multicast_loop: bool) -> io::Result<()> {
        self.set_multicast_loop_v4(multicast_loop)
    }

    /// Like [`multicast_loop_v4`](Self::multicast_loop_v4).
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.multicast_loop_v4()
    }

    /// Joins a group on the interface with an address, or the route's when that is unspecified.
    ///
    /// # Errors
    /// `NoDevice`; those of [`DatagramSocket::join_group`](socket::DatagramSocket::join_group).
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        Ok(self
            .0
            .socket
            .join_group((*group).into(), self.interface_with(*interface)?.as_deref())?)
    }

    /// Joins a group on the interface with an index, or the route's for 0.
    ///
    /// # Errors
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        Ok(self.0.socket.join_group((*group).into(), self.interface_at(interface)?.as_deref())?)
    }

    /// Leaves a group that was joined with the same arguments.
    ///
    /// # Errors
    /// `NoDevice`; those of [`DatagramSocket::leave_group`](socket::DatagramSocket::leave_group).
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        Ok(self
            .0
            .socket
            .leave_group((*group).into(), self.interface_with(*interface)?.as_deref())?)
    }

    /// Leaves a group that was joined with the same arguments.
    ///
    /// # Errors
    /// As [`leave_multicast_v4`](Self::leave_multicast_v4).
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        Ok(self.0.socket.leave_group((*group).into(), self.interface_at(interface)?.as_deref())?)
    }

    fn interface_with(&self, address: Ipv4Addr) -> Result<Option<String>, Error> {
        if address.is_unspecified() {
            return Ok(None);
        }
        let all = self.0.sockets.place.all.list();
        let owner = all
            .iter()
            .find(|interface| interface.read(|stack| stack.ip.addresses.owns(IpAddr::V4(address))));
        owner.map(|interface| Some(interface.name())).ok_or(Error::NoDevice)
    }

    fn interface_at(&self, index: u32) -> Result<Option<String>, Error> {
        if index == 0 {
            return Ok(None);
        }
        let interface = self.0.sockets.place.all.at(index).ok_or(Error::NoDevice)?;
        Ok(Some(interface.name()))
    }

    /// Takes the pending error.
    ///
    /// # Errors
    /// None; as in `std::net`.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.0.socket.take_error().map(io::Error::from))
    }
}

fn octet(number: u32) -> Result<u8, Error> {
    u8::try_from(number).map_err(|_| Error::InvalidInput)
}
