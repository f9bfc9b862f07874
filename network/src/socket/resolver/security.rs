//! Which servers are asked over TLS, as commands say.

use alloc::vec::Vec;
use core::net::SocketAddr;

use devnet_virtual_file_system::Error;

use super::Resolver;
use crate::command::dns::{DnsSecurity, DnsSecurityChange, SecureServer};
use crate::dns_message::PORT;
use crate::limits;

impl Resolver {
    /// Changes which servers are asked over TLS; true if that changed something.
    ///
    /// # Errors
    /// `Unsupported` when the embedder gave no certificates to trust; `InvalidInput` for what is no
    /// server, `NotFound` for one that is not there, `NoBufferSpace` for too many.
    pub(crate) fn change_security(&self, change: DnsSecurityChange) -> Result<bool, Error> {
        self.check_tls()?;
        let changes = self.sockets.names.settings.with(|settings| {
            let security = &mut settings.security;
            match change {
                DnsSecurityChange::Add(server) => add_secure(security, server),
                DnsSecurityChange::Remove(address) => {
                    let servers = &mut security.servers;
                    let count = servers.len();
                    servers.retain(|known| known.address != address);
                    if servers.len() < count { Ok(true) } else { Err(Error::NotFound) }
                }
                DnsSecurityChange::Require(is_required) => {
                    Ok(core::mem::replace(&mut security.is_required, is_required) != is_required)
                }
            }
        })?;
        // What was heard in clear text is not what such a server says.
        if changes {
            self.forget_answers();
        }
        Ok(changes)
    }

    /// Which servers are asked over TLS.
    pub(crate) fn security(&self) -> DnsSecurity {
        self.sockets.names.settings.with(|settings| settings.security.clone())
    }

    /// Whether there is a way to ask over TLS.
    ///
    /// # Errors
    /// `Unsupported` when the embedder gave no certificates to trust.
    pub(super) fn check_tls(&self) -> Result<(), Error> {
        let is_there = self.sockets.names.tls.with(|tls| tls.is_some());
        if is_there { Ok(()) } else { Err(Error::Unsupported) }
    }

    /// Those that are asked over TLS get the port of that; if they alone are asked, others go.
    pub(super) fn secure_all(&self, servers: &mut Vec<SocketAddr>) {
        self.sockets.names.settings.with(|settings| {
            let DnsSecurity { is_required, servers: secure } = &settings.security;
            servers.retain_mut(|server| {
                let known = secure.iter().find(|known| is_it(known, *server));
                if let Some(known) = known {
                    server.set_port(known.port);
                }
                known.is_some() || !is_required
            });
        });
    }

    /// The server as it is asked over TLS; `None` for one that is asked in clear text.
    pub(super) fn secure(&self, server: SocketAddr) -> Option<SecureServer> {
        self.sockets.names.settings.with(|settings| {
            settings.security.servers.iter().find(|known| is_it(known, server)).cloned()
        })
    }
}

/// True for the server at its port of TLS, and at the one where it would be asked in clear text.
fn is_it(known: &SecureServer, server: SocketAddr) -> bool {
    known.address == server.ip() && [known.port, PORT].contains(&server.port())
}

/// Adds a server, in place of what was said of it before; true if that changed something.
///
/// # Errors
/// `InvalidInput`, `NoBufferSpace`.
pub(super) fn add_secure(security: &mut DnsSecurity, server: SecureServer) -> Result<bool, Error> {
    let is_host = !server.address.is_unspecified() && !server.address.is_multicast();
    if !is_host || server.port == 0 || super::tls::server_name(&server.name).is_none() {
        return Err(Error::InvalidInput);
    }
    let servers = &mut security.servers;
    let is_full = servers.len() >= limits::DNS_SERVERS;
    match servers.iter_mut().find(|known| known.address == server.address) {
        Some(known) if *known == server => return Ok(false),
        Some(known) => *known = server,
        None if is_full => return Err(Error::NoBufferSpace),
        None => servers.push(server),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use core::net::IpAddr;

    use super::*;

    fn server(address: &str, name: &str, port: u16) -> SecureServer {
        let address: IpAddr = address.parse().unwrap();
        SecureServer { address, name: name.to_string(), port }
    }

    #[test]
    fn a_server_has_one_name_and_what_is_none_is_refused() {
        let mut security = DnsSecurity::default();
        assert_eq!(add_secure(&mut security, server("10.0.0.1", "a.example", 853)), Ok(true));
        assert_eq!(add_secure(&mut security, server("10.0.0.1", "a.example", 853)), Ok(false));
        assert_eq!(add_secure(&mut security, server("10.0.0.1", "10.0.0.1", 8853)), Ok(true));
        assert_eq!(security.servers, [server("10.0.0.1", "10.0.0.1", 8853)]);
        for (address, name, port) in [
            ("0.0.0.0", "a.example", 853),
            ("ff02::1", "a.example", 853),
            ("10.0.0.1", "a.example", 0),
            ("10.0.0.1", "", 853),
            ("10.0.0.1", "two words", 853),
        ] {
            let refused = add_secure(&mut security, server(address, name, port));
            assert_eq!(refused, Err(Error::InvalidInput), "{address} {name} {port}");
        }
        for number in 2..=limits::DNS_SERVERS {
            let address = alloc::format!("10.0.1.{number}");
            assert_eq!(add_secure(&mut security, server(&address, "a.example", 853)), Ok(true));
        }
        let one_more = add_secure(&mut security, server("10.0.2.1", "a.example", 853));
        assert_eq!(one_more, Err(Error::NoBufferSpace));
    }
}
