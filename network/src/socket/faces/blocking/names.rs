//! Addresses and names as arguments.

use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::pin::pin;
use std::io;

use devnet_virtual_file_system::Error;

use super::wait::Blocker;
use crate::socket::{Remote, Sockets, ToRemote};

/// One or more socket addresses, as `std::net::ToSocketAddrs`: every [`ToRemote`], of which the
/// sockets' own resolver looks names up, and slices of addresses.
pub trait ToSocketAddrs {
    /// The addresses. Blocks while a name is looked up.
    ///
    /// # Errors
    /// `InvalidInput` for text that is not an address or name with a port; those of
    /// [`Resolver::resolve`](crate::Resolver::resolve).
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>>;
}

impl ToSocketAddrs for [SocketAddr] {
    fn to_socket_addrs(&self, _: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        Ok(Vec::from(self).into_iter())
    }
}

impl ToSocketAddrs for &[SocketAddr] {
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        (**self).to_socket_addrs(sockets)
    }
}

impl<T: ToRemote + ?Sized> ToSocketAddrs for T {
    fn to_socket_addrs(&self, sockets: &Sockets) -> io::Result<vec::IntoIter<SocketAddr>> {
        let (name, port) = match self.to_remote()? {
            Remote::Address(address) => return Ok(vec![address].into_iter()),
            Remote::Name(name, port) => (name, port),
        };
        let resolver = sockets.resolver();
        let mut lookup = pin!(resolver.lookup(name));
        // The resolver has its own timeout.
        let addresses = Blocker::new(sockets)
            .block(None, |context| lookup.as_mut().poll(context))
            .unwrap_or(Err(Error::TimedOut))?;
        let with_port = addresses.into_iter().map(|address| SocketAddr::new(address, port));
        Ok(with_port.collect::<Vec<_>>().into_iter())
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
