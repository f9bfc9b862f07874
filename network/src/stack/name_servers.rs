//! The DNS servers of one interface: from commands, a DHCP lease, and router advertisements.

use alloc::vec::Vec;
use core::net::IpAddr;

use virtual_file_system::Error;

use crate::command::address::Origin;
use crate::limits;

/// The servers in the order in which they were added.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct NameServers(Vec<(IpAddr, Origin)>);

impl NameServers {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(IpAddr, Origin)> {
        self.0.iter()
    }

    pub(crate) fn as_slice(&self) -> &[(IpAddr, Origin)] {
        &self.0
    }

    /// True when the list has the server from this origin.
    pub(crate) fn contains(&self, server: IpAddr, origin: Origin) -> bool {
        self.0.contains(&(server, origin))
    }

    /// Adds a server. Advertised servers cannot block others: in a full list the last advertised
    /// one is replaced (RA-01) and returned.
    ///
    /// # Errors
    /// `AlreadyExists`; `InvalidInput` for an address that no host can have; `NoBufferSpace`.
    pub(crate) fn add(&mut self, server: IpAddr, origin: Origin) -> Result<Option<IpAddr>, Error> {
        if server.is_unspecified()
            || server.is_multicast()
            || matches!(server, IpAddr::V4(address) if address.is_broadcast())
        {
            return Err(Error::InvalidInput);
        }
        if self.0.iter().any(|(known, _)| *known == server) {
            return Err(Error::AlreadyExists);
        }
        let mut evicted = None;
        if self.0.len() >= limits::DNS_SERVERS {
            let advertised =
                self.0.iter().rposition(|(_, origin)| *origin == Origin::RouterAdvertisement);
            let place = advertised
                .filter(|_| origin != Origin::RouterAdvertisement)
                .ok_or(Error::NoBufferSpace)?;
            evicted = Some(self.0.remove(place).0);
        }
        self.0.push((server, origin));
        Ok(evicted)
    }

    /// Removes a server of any origin.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove(&mut self, server: IpAddr) -> Result<(), Error> {
        let place = self.0.iter().position(|(known, _)| *known == server).ok_or(Error::NotFound)?;
        self.0.remove(place);
        Ok(())
    }

    /// Removes servers for which `stays` returns false.
    pub(crate) fn retain(&mut self, mut stays: impl FnMut(IpAddr, Origin) -> bool) {
        self.0.retain(|(server, origin)| stays(*server, *origin));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ra_01_a_configured_server_replaces_the_last_advertised_one() {
        let mut servers = NameServers::default();
        let server = |number: u8| IpAddr::from([10, 0, 0, number]);
        for number in 1..=limits::DNS_SERVERS as u8 {
            servers.add(server(number), Origin::RouterAdvertisement).unwrap();
        }
        let last = limits::DNS_SERVERS as u8;
        assert_eq!(servers.add(server(99), Origin::RouterAdvertisement), Err(Error::NoBufferSpace));
        assert_eq!(servers.add(server(100), Origin::Static), Ok(Some(server(last))));
        assert_eq!(servers.add(server(100), Origin::Dhcp), Err(Error::AlreadyExists));
        assert_eq!(servers.remove(server(100)), Ok(()));
        assert_eq!(servers.remove(server(100)), Err(Error::NotFound));
    }
}
