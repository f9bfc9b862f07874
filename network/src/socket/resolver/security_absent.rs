//! Stands in for servers over TLS in a build without the feature `dns-over-tls`.

use core::convert::Infallible;
use core::net::SocketAddr;

use devnet_virtual_file_system::Error;

use super::Resolver;
use super::exchange::{End, Exchange};
use crate::command::dns::{DnsSecurity, DnsSecurityChange, SecureServer};

impl Resolver {
    pub(crate) fn change_security(&self, _: DnsSecurityChange) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn security(&self) -> DnsSecurity {
        DnsSecurity::default()
    }

    pub(super) const fn check_tls(&self) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    /// Nothing can be such a server, so that the compiler leaves out what would be done with one.
    pub(super) const fn secure(&self, _: SocketAddr) -> Option<Infallible> {
        None
    }

    pub(super) const fn secure_all(&self, _: &mut [SocketAddr]) {}

    pub(super) async fn ask_by_tls(
        &self,
        _: SocketAddr,
        secure: &Infallible,
        _: &mut [Exchange],
    ) -> End {
        match *secure {}
    }
}

pub(super) fn add_secure(_: &mut DnsSecurity, _: SecureServer) -> Result<bool, Error> {
    Err(Error::Unsupported)
}
