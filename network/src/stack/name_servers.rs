//! The DNS servers of one interface, from commands, a DHCP lease and router advertisements, and the
//! domains in which short names are looked up.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use crate::command::address::Origin;
use crate::dns_message::check_name;
use crate::limits;

/// The servers and domains in the order in which they were added.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct NameServers {
    servers: Vec<(IpAddr, Origin)>,
    domains: Vec<(String, Origin)>,
    /// The domains that servers of DHCP gave, of IPv4 and of IPv6: each replaces only its own.
    #[cfg(feature = "dhcp6")]
    leased: [Vec<String>; 2],
}

impl NameServers {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(IpAddr, Origin)> {
        self.servers.iter()
    }

    pub(crate) fn as_slice(&self) -> &[(IpAddr, Origin)] {
        &self.servers
    }

    /// True when the list has the server from this origin.
    pub(crate) fn contains(&self, server: IpAddr, origin: Origin) -> bool {
        self.servers.contains(&(server, origin))
    }

    /// True for an address that a server can have and the list has not.
    pub(crate) fn is_new(&self, server: IpAddr) -> bool {
        is_host(server) && !self.servers.iter().any(|(known, _)| *known == server)
    }

    /// Adds a server. Advertised servers cannot block others: in a full list the last advertised
    /// one is replaced (RA-01) and returned.
    ///
    /// # Errors
    /// `AlreadyExists`; `InvalidInput` for an address that no host can have; `NoBufferSpace`;
    /// `Unsupported` without the feature `dns`.
    pub(crate) fn add(&mut self, server: IpAddr, origin: Origin) -> Result<Option<IpAddr>, Error> {
        if !cfg!(feature = "dns") {
            return Err(Error::Unsupported);
        }
        if !is_host(server) {
            return Err(Error::InvalidInput);
        }
        if self.servers.iter().any(|(known, _)| *known == server) {
            return Err(Error::AlreadyExists);
        }
        let mut evicted = None;
        if self.servers.len() >= limits::DNS_SERVERS {
            let advertised =
                self.servers.iter().rposition(|(_, origin)| *origin == Origin::RouterAdvertisement);
            let place = advertised
                .filter(|_| origin != Origin::RouterAdvertisement)
                .ok_or(Error::NoBufferSpace)?;
            evicted = Some(self.servers.remove(place).0);
        }
        self.servers.push((server, origin));
        Ok(evicted)
    }

    /// Adds a server that a configuration asks for. One that was learned becomes that: it stays
    /// when who told it has nothing more to say. Returns the learned one that went, if any.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn ask(&mut self, server: IpAddr) -> Result<Option<IpAddr>, Error> {
        let count = self.servers.len();
        self.retain(|known, origin| known != server || origin == Origin::Static);
        let learned = (self.servers.len() < count).then_some(server);
        Ok(self.add(server, Origin::Static)?.or(learned))
    }

    /// Removes a server of any origin.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove(&mut self, server: IpAddr) -> Result<(), Error> {
        let place =
            self.servers.iter().position(|(known, _)| *known == server).ok_or(Error::NotFound)?;
        self.servers.remove(place);
        Ok(())
    }

    /// Removes servers for which `stays` returns false.
    pub(crate) fn retain(&mut self, mut stays: impl FnMut(IpAddr, Origin) -> bool) {
        self.servers.retain(|(server, origin)| stays(*server, *origin));
    }

    /// The search list.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &(String, Origin)> {
        self.domains.iter()
    }

    /// Adds a domain to the search list; false when it is there from another origin or does not
    /// fit.
    pub(crate) fn add_domain(&mut self, domain: &str, origin: Origin) -> bool {
        match self.domains.iter().find(|(known, _)| known == domain) {
            Some((_, known)) => *known == origin,
            None if self.domains.len() >= limits::SEARCH_DOMAINS => false,
            None => {
                self.domains.push((String::from(domain), origin));
                true
            }
        }
    }

    /// Makes these the domains that commands set, which come first; true if they were others.
    ///
    /// # Errors
    /// `InvalidInput` for what is no domain; `NoBufferSpace` for too many. Nothing changes then.
    pub(crate) fn set_domains(&mut self, domains: &[String]) -> Result<bool, Error> {
        let mut new: Vec<(String, Origin)> = Vec::new();
        for domain in domains {
            let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
            check_name(&domain)?;
            if !new.iter().any(|(known, _)| *known == domain) {
                new.push((domain, Origin::Static));
            }
        }
        if new.len() > limits::SEARCH_DOMAINS {
            return Err(Error::NoBufferSpace);
        }
        let ours = self.domains.iter().filter(|(_, origin)| *origin == Origin::Static);
        let changes = !ours.eq(&new);
        for known in self.domains.drain(..).filter(|(_, origin)| *origin != Origin::Static) {
            // What a server offers gives way to what is set.
            let is_new = !new.iter().any(|(domain, _)| *domain == known.0);
            if is_new && new.len() < limits::SEARCH_DOMAINS {
                new.push(known);
            }
        }
        self.domains = new;
        Ok(changes)
    }

    /// The domains that commands set.
    pub(crate) fn asked_domains(&self) -> Vec<String> {
        let asked = self.domains.iter().filter(|(_, origin)| *origin == Origin::Static);
        asked.map(|(domain, _)| domain.clone()).collect()
    }

    /// Removes domains for which `stays` returns false.
    pub(crate) fn retain_domains(&mut self, mut stays: impl FnMut(&str, Origin) -> bool) {
        self.domains.retain(|(domain, origin)| stays(domain, *origin));
    }

    /// Makes these the domains that DHCP gave for one family. One that is there already, or does
    /// not fit, is skipped.
    #[cfg(feature = "dhcp6")]
    pub(crate) fn set_leased_domains(&mut self, is_ipv6: bool, domains: &[String]) {
        if let Some(leased) = self.leased.get_mut(usize::from(is_ipv6)) {
            *leased = domains.to_vec();
        }
        let leased: Vec<String> = self.leased.iter().flatten().cloned().collect();
        self.retain_domains(|domain, origin| {
            origin != Origin::Dhcp || leased.iter().any(|known| known == domain)
        });
        for domain in &leased {
            self.add_domain(domain, Origin::Dhcp);
        }
    }

    /// The same where only one family has DHCP.
    #[cfg(not(feature = "dhcp6"))]
    pub(crate) fn set_leased_domains(&mut self, _: bool, domains: &[String]) {
        self.retain_domains(|_, origin| origin != Origin::Dhcp);
        for domain in domains {
            self.add_domain(domain, Origin::Dhcp);
        }
    }

    /// Removes what a lease of DHCPv4 gave.
    pub(crate) fn remove_lease(&mut self) {
        self.retain(|server, origin| origin != Origin::Dhcp || server.is_ipv6());
        self.set_leased_domains(false, &[]);
    }
}

/// True for an address that a host can have.
fn is_host(server: IpAddr) -> bool {
    let is_broadcast = matches!(server, IpAddr::V4(address) if address.is_broadcast());
    !(server.is_unspecified() || server.is_multicast() || is_broadcast)
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

    #[test]
    fn the_search_list_is_bounded_and_each_origin_removes_its_own() {
        let mut servers = NameServers::default();
        for number in 0..2 * limits::SEARCH_DOMAINS {
            let fits = servers.add_domain(&alloc::format!("d{number}.lan"), Origin::Dhcp);
            assert_eq!(fits, number < limits::SEARCH_DOMAINS);
        }
        assert!(!servers.add_domain("d0.lan", Origin::RouterAdvertisement));
        assert!(servers.add_domain("d0.lan", Origin::Dhcp));
        servers.retain_domains(|_, origin| origin != Origin::RouterAdvertisement);
        assert_eq!(servers.domains().count(), limits::SEARCH_DOMAINS);
        servers.remove_lease();
        assert_eq!(servers.domains().count(), 0);
    }

    #[test]
    fn each_family_of_dhcp_replaces_only_what_it_gave() {
        let mut servers = NameServers::default();
        let list =
            |names: &[&str]| names.iter().map(|name| String::from(*name)).collect::<Vec<_>>();
        let domains = |servers: &NameServers| {
            servers.domains().map(|(domain, _)| domain.clone()).collect::<Vec<_>>()
        };
        servers.add("10.0.0.1".parse().unwrap(), Origin::Dhcp).unwrap();
        servers.add("fd00::1".parse().unwrap(), Origin::Dhcp).unwrap();
        servers.set_leased_domains(false, &list(&["lan", "both"]));
        servers.set_leased_domains(true, &list(&["both", "six"]));
        assert_eq!(domains(&servers), ["lan", "both", "six"]);
        servers.remove_lease();
        assert_eq!(domains(&servers), ["both", "six"]);
        assert_eq!(servers.iter().count(), 1);
        servers.set_leased_domains(true, &[]);
        assert_eq!(servers.domains().count(), 0);
    }
}
