//! A flow: both ends of a connection, small enough to keep ten thousand of them.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, SocketAddr};

/// One end of a connection. A [`SocketAddr`] without flow label and scope of IPv6, a third shorter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    address: IpAddr,
    port: u16,
}

impl End {
    pub(crate) const fn new(address: IpAddr, port: u16) -> Self {
        Self { address, port }
    }

    pub(crate) const fn ip(self) -> IpAddr {
        self.address
    }

    pub(crate) const fn port(self) -> u16 {
        self.port
    }

    pub(crate) const fn address(self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

impl From<SocketAddr> for End {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.ip(), address.port())
    }
}

/// Both ends of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flow {
    pub(crate) local: End,
    pub(crate) remote: End,
}

impl Flow {
    pub(crate) fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { local: local.into(), remote: remote.into() }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} - {}", self.local.address(), self.remote.address())
    }
}

/// Hashes a few wide words: this runs for every segment.
impl Hash for Flow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ports = u32::from(self.local.port) << 16 | u32::from(self.remote.port);
        match (self.local.address, self.remote.address) {
            (IpAddr::V4(local), IpAddr::V4(remote)) => {
                let addresses = u64::from(u32::from(local)) << 32 | u64::from(u32::from(remote));
                state.write_u128(u128::from(addresses) << 32 | u128::from(ports));
            }
            ends => {
                for address in [ends.0, ends.1] {
                    state.write_u128(match address {
                        IpAddr::V4(address) => u128::from(u32::from(address)),
                        IpAddr::V6(address) => u128::from(address),
                    });
                }
                state.write_u32(ports);
            }
        }
    }
}
