//! Addresses and names as arguments.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::pin::pin;
use std::io;

use devnet_virtual_file_system::Error;

use super::wait::Blocker;
use crate::command::dns::{Question, RecordKind};
use crate::socket::Sockets;

/// One or more socket addresses, as `std::net::ToSocketAddrs`; the sockets' own resolver looks
/// names up.
pub trait ToSocketAddrs {
    /// The addresses. Blocks while a name is looked up.
    ///
    /// # Errors
    /// `InvalidInput` for text that is not an address or name with a port; those of
    /// [`Resolver::resolve`](crate::Resolver::resolve).
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>>;
}

macro_rules! addresses {
    ($($kind:ty),+) => {
        $(impl ToSocketAddrs for $kind {
            fn to_socket_addrs(&self, _: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
                Ok(vec![SocketAddr::from(*self)].into_iter())
            }
        })+
    };
}

addresses!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));

impl ToSocketAddrs for [SocketAddr] {
    fn to_socket_addrs(&self, _: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        Ok(Vec::from(self).into_iter())
    }
}

impl ToSocketAddrs for (&str, u16) {
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        let (name, port) = *self;
        let blocker = Blocker::new(sockets);
        let resolver = sockets.resolver();
        let question = Question { name: name.to_string(), kind: RecordKind::Address, server: None };
        let mut lookup = pin!(resolver.resolve(&question));
        // The resolver has its own timeout.
        let answer = blocker
            .block(None, |context| lookup.as_mut().poll(context))
            .unwrap_or(Err(Error::TimedOut))?;
        let addresses: Vec<_> =
            answer.addresses().map(|address| SocketAddr::new(address, port)).collect();
        if addresses.is_empty() { Err(Error::NotFound.into()) } else { Ok(addresses.into_iter()) }
    }
}

impl ToSocketAddrs for (String, u16) {
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        (self.0.as_str(), self.1).to_socket_addrs(sockets)
    }
}

impl ToSocketAddrs for str {
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Ok(vec![address].into_iter());
        }
        let (name, port) = self.rsplit_once(':').ok_or(Error::InvalidInput)?;
        let port = port.parse::<u16>().map_err(|_| Error::InvalidInput)?;
        (name, port).to_socket_addrs(sockets)
    }
}

impl ToSocketAddrs for String {
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        self.as_str().to_socket_addrs(sockets)
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        (**self).to_socket_addrs(sockets)
    }
}

/// Tries each address until one succeeds; returns the last error otherwise, as in `std::net`.
pub(super) fn first_of<T>(
    sockets: &Sockets,
    addresses: &impl ToSocketAddrs,
    mut action: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = Error::InvalidInput.into();
    for address in addresses.to_socket_addrs(sockets)? {
        match action(address) {
            Ok(done) => return Ok(done),
            Err(error) => last = error,
        }
    }
    Err(last)
}
