//! What a question is asked of: which servers, and which names.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use devnet_commands::zone;

use super::Resolver;
use crate::dns_message::{self, PORT};
use crate::interface::Interface;
use crate::limits;
#[cfg(feature = "details")]
use crate::platform::Instant;

impl Resolver {
    /// The interfaces by metric, the oldest of equals first.
    pub(super) fn ordered(&self) -> Vec<Arc<Interface>> {
        let mut interfaces = self.sockets.place.interfaces();
        interfaces
            .sort_by_key(|interface| interface.read(|stack| stack.context.configuration.metric));
        interfaces
    }

    /// The names to ask for, in order (resolv.conf(5)): one with enough dots inside is tried as it
    /// is, then in each domain of the search list; another in each domain first.
    pub(super) fn candidates(&self, name: String, is_searched: bool) -> Vec<String> {
        if !is_searched || name.is_empty() {
            return vec![name];
        }
        let mut candidates: Vec<String> = Vec::new();
        let mut add = |domain: &str| {
            let whole = alloc::format!("{name}.{domain}");
            if !candidates.contains(&whole) && dns_message::check_name(&whole).is_ok() {
                candidates.push(whole);
            }
        };
        for interface in self.ordered() {
            interface.read(|stack| {
                if stack.context.is_running() {
                    stack.name_servers.domains().for_each(|(domain, _)| add(domain));
                }
            });
        }
        self.change_system(|names| names.domains().for_each(|(domain, _)| add(domain)));
        candidates.truncate(limits::SEARCH_DOMAINS);
        let dots = name.bytes().filter(|byte| *byte == b'.').count();
        let is_first = dots >= usize::from(self.options().dots);
        candidates.insert(if is_first { 0 } else { candidates.len() }, name);
        candidates
    }

    /// The servers of the interface, or of all interfaces that are up, and then those of the
    /// system. What no route leads to is left out. Interfaces of equal metric are equally good:
    /// among their servers the fastest comes first.
    pub(super) fn servers(&self) -> Vec<SocketAddr> {
        let place = &self.sockets.place;
        let mut servers: Vec<SocketAddr> = Vec::new();
        // The metric of each, and its interface.
        let mut paths: Vec<(u32, u32)> = Vec::new();
        for interface in self.ordered() {
            let names: Vec<IpAddr> = interface.read(|stack| {
                let names = stack.name_servers.iter().filter(|_| stack.context.is_running());
                let has_route = |address: &IpAddr| {
                    place.interface.is_none()
                        || stack.ip.route_for(&stack.context, *address).is_some()
                        || stack.ip.addresses.owns(*address)
                };
                names.map(|(address, _)| *address).filter(has_route).collect()
            });
            for address in names {
                // A link-local server is one of its link (RFC 8106 §5.1).
                let server = zone::with(SocketAddr::new(address, PORT), interface.index);
                let is_linked = zone::of(&server).is_some();
                let has_route =
                    is_linked || place.interface.is_some() || place.all.choose(address).is_ok();
                if has_route && !servers.contains(&server) {
                    servers.push(server);
                    if cfg!(feature = "details") {
                        let metric = interface.read(|stack| stack.context.configuration.metric);
                        paths.push((metric, interface.index));
                    }
                }
            }
        }
        self.order_by_speed(&mut servers, &paths);
        let fallback: Vec<IpAddr> =
            self.change_system(|names| names.iter().map(|(address, _)| *address).collect());
        for address in fallback {
            let has_route = match &place.interface {
                None => place.all.choose(address).is_ok(),
                Some(interface) => {
                    interface.read(|stack| stack.ip.route_for(&stack.context, address).is_some())
                }
            };
            let server = SocketAddr::new(address, PORT);
            if has_route && !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }

    /// A server answered a query that was sent then, or did not in time.
    #[cfg(feature = "details")]
    pub(super) fn measure(&self, server: SocketAddr, begin: Instant, is_answer: bool) {
        let now = self.sockets.clock.now();
        let times = &self.sockets.names.round_trips;
        times.with(|times| times.measure(server, now.since(begin), is_answer, now));
    }

    /// Orders servers of several paths by their round-trip times, those first that were not asked
    /// lately. The order of metrics stays, and that of one path.
    fn order_by_speed(&self, servers: &mut Vec<SocketAddr>, paths: &[(u32, u32)]) {
        if !cfg!(feature = "details") {
            return;
        }
        let now = self.sockets.clock.now();
        let has_several = |(metric, path): (u32, u32)| {
            paths.iter().any(|(other, another)| *other == metric && *another != path)
        };
        let mut all: Vec<_> = servers.drain(..).zip(paths.iter().copied()).collect();
        self.sockets.names.round_trips.with(|times| {
            all.sort_by_key(|(server, path)| {
                let time = times.of(*server, now).unwrap_or_default();
                (path.0, if has_several(*path) { time } else { Duration::ZERO })
            });
        });
        servers.extend(all.into_iter().map(|(server, _)| server));
    }
}
