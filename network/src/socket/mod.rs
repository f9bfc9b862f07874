//! Sockets for Rust programs: the asynchronous ends of the stack's verbs.
//!
//! A [`Sockets`] says where sockets are made: on one interface, or routed over all. The types here
//! hold a name into a stack and its interface; dropping one releases everything synchronously. The
//! control device's modes are made of the same types.

mod datagram;
mod faces;
mod halves;
mod icmp;
mod listener;
mod raw;

mod tcp;
mod udp;

use alloc::sync::Arc;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use virtual_file_system::Error;

pub use self::datagram::{DatagramSocket, Message, MessageInfo};
#[cfg(feature = "blocking")]
pub use self::faces::blocking;
#[cfg(feature = "embedded-nal-async")]
pub use self::faces::embedded_nal;
#[cfg(feature = "futures-io")]
pub use self::faces::futures_io;
pub use self::halves::{TcpReadHalf, TcpWriteHalf};
pub use self::icmp::IcmpSocket;
pub use self::listener::TcpListener;
pub use self::raw::RawSocket;
pub use self::tcp::TcpStream;
pub use self::udp::UdpSocket;
use crate::interface::Interface;
use crate::manager::Shared;
pub use crate::resolver::Resolver;
pub use crate::stack::tcp::TcpSettings;
pub(crate) use crate::stack::tcp::settings::KEEP_ALIVE;

/// Where sockets are made.
#[derive(Clone)]
pub struct Sockets {
    pub(crate) shared: Arc<Shared>,
    /// The one interface; none for routed sockets.
    pub(crate) interface: Option<Arc<Interface>>,
}

impl Sockets {
    pub(crate) fn routed(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), interface: None }
    }

    pub(crate) fn on(shared: &Arc<Shared>, interface: &Arc<Interface>) -> Self {
        Self { shared: Arc::clone(shared), interface: Some(Arc::clone(interface)) }
    }

    /// The resolver that asks the DNS servers of all interfaces, or of this one.
    #[must_use]
    pub fn resolver(&self) -> Resolver {
        Resolver::new(self.clone())
    }

    /// The interface's name; empty for routed sockets.
    pub(crate) fn name(&self) -> &str {
        self.interface.as_ref().map_or("", |interface| interface.name.as_str())
    }

    /// The interface for a destination.
    pub(crate) fn choose(&self, destination: IpAddr) -> Result<Arc<Interface>, Error> {
        match &self.interface {
            None => self.shared.choose(destination),
            Some(interface) => Ok(Arc::clone(interface)),
        }
    }

    /// The interface and source address for a destination.
    pub(crate) fn route(&self, destination: IpAddr) -> Result<(Arc<Interface>, IpAddr), Error> {
        let interface = self.choose(destination)?;
        let source = interface.look(|stack| stack.ip.source_for(&stack.context, destination))?;
        Ok((interface, source))
    }

    /// True when the address can be bound to: unspecified, or ours.
    pub(crate) fn has_address(&self, address: IpAddr) -> bool {
        if address.is_unspecified() {
            return true;
        }
        match &self.interface {
            Some(interface) => interface.look(|stack| stack.ip.addresses.owns(address)),
            None => self
                .shared
                .routing
                .interfaces()
                .iter()
                .any(|interface| interface.look(|stack| stack.ip.addresses.owns(address))),
        }
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Sockets").field(&self.name()).finish()
    }
}

/// The unspecified address of the same family.
pub(crate) const fn unspecified(like: SocketAddr) -> SocketAddr {
    match like {
        SocketAddr::V4(_) => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        SocketAddr::V6(_) => SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
    }
}
