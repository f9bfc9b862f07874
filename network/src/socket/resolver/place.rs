//! What a question is asked of: which servers, and which names.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::Resolver;
use crate::dns_message::{self, PORT};
use crate::{limits, zone};

impl Resolver {
    /// The names to ask for, in order (resolv.conf(5) with `ndots:1`): one with a dot inside is
    /// tried as it is, then in each domain of the search list; a single label in each domain first.
    pub(super) fn candidates(&self, name: String, is_searched: bool) -> Vec<String> {
        if !is_searched || name.is_empty() {
            return vec![name];
        }
        let mut candidates: Vec<String> = Vec::new();
        for interface in self.sockets.place.interfaces() {
            interface.read(|stack| {
                for (domain, _) in
                    stack.name_servers.domains().filter(|_| stack.context.is_running())
                {
                    let whole = alloc::format!("{name}.{domain}");
                    let is_new = !candidates.contains(&whole);
                    if is_new && dns_message::check_name(&whole).is_ok() {
                        candidates.push(whole);
                    }
                }
            });
        }
        candidates.truncate(limits::SEARCH_DOMAINS);
        let place = if name.contains('.') { 0 } else { candidates.len() };
        candidates.insert(place, name);
        candidates
    }

    /// The servers of the interface, or of all interfaces that are up.
    pub(super) fn servers(&self) -> Vec<SocketAddr> {
        let mut servers: Vec<SocketAddr> = Vec::new();
        for interface in self.sockets.place.interfaces() {
            interface.read(|stack| {
                for (address, _) in stack.name_servers.iter().filter(|_| stack.context.is_running())
                {
                    // A link-local server is one of its link (RFC 8106 §5.1).
                    let server = zone::with(SocketAddr::new(*address, PORT), interface.index);
                    if !servers.contains(&server) {
                        servers.push(server);
                    }
                }
            });
        }
        servers
    }
}
