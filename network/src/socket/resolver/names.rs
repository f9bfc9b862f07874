//! What the resolver of a system has beside its interfaces: servers and search domains of the whole
//! system, hosts, options and kept answers. Commands read and change it here.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use devnet_virtual_file_system::{Error, Lock};

use super::Resolver;
use super::cache::Cache;
use super::failures::Failures;
use super::round_trip::RoundTrips;
#[cfg(feature = "dns-over-tls")]
use super::tls::Tls;
use crate::command::ChangeHosts;
use crate::command::dns::{
    Answer, CacheEntry, DnsSecurity, DnsServer, HostEntry, HostsChange, Question, Record,
    RecordData, RecordKind, ResolverOption, ResolverStatus, SearchDomain,
};
use crate::command::record::RecordType;
use crate::dns_message::name::without_dot;
use crate::dns_message::{check_name, reverse_name};
use crate::features::has;
use crate::limits;
use crate::stack::name_servers::NameServers;

/// What the resolver of a system has.
#[derive(Debug, Default)]
pub(in crate::socket) struct Names {
    pub(super) settings: Lock<Settings>,
    pub(super) cache: Lock<Cache>,
    pub(super) failures: Lock<Failures>,
    pub(super) round_trips: Lock<RoundTrips>,
    /// How servers are asked over TLS, if the embedder said.
    #[cfg(feature = "dns-over-tls")]
    pub(super) tls: Lock<Option<Tls>>,
}

#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) system: NameServers,
    pub(super) hosts: Vec<HostEntry>,
    pub(super) options: Options,
    pub(super) security: DnsSecurity,
}

/// The options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) dots: u8,
    timeout: u32,
    stale: u32,
    pub(super) cache_entries: u32,
    pub(super) is_mixed: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dots: 1,
            timeout: limits::DNS_TIMEOUT_MILLISECONDS,
            stale: 0,
            cache_entries: limits::DNS_CACHE_ENTRIES,
            is_mixed: true,
        }
    }
}

impl Options {
    /// Those that differ from a new system's.
    pub(super) fn changed(self) -> Vec<ResolverOption> {
        let usual = Self::default().list();
        self.list().into_iter().filter(|option| !usual.contains(option)).collect()
    }

    pub(super) fn stale(self) -> Duration {
        Duration::from_secs(u64::from(self.stale))
    }

    /// The longest time of a lookup; none for no end.
    pub(super) fn timeout(self) -> Option<Duration> {
        (self.timeout > 0).then(|| Duration::from_millis(u64::from(self.timeout)))
    }

    /// Sets one; true if it was another.
    ///
    /// # Errors
    /// `InvalidInput` for a value out of range.
    pub(super) fn set(&mut self, option: ResolverOption) -> Result<bool, Error> {
        let before = self.list();
        match option {
            ResolverOption::Dots(dots) if dots <= limits::DNS_DOTS => self.dots = dots,
            ResolverOption::Timeout(milliseconds) => self.timeout = milliseconds,
            ResolverOption::Stale(seconds) => self.stale = seconds,
            ResolverOption::CacheEntries(most) if most <= limits::DNS_CACHE_ENTRIES => {
                self.cache_entries = most;
            }
            ResolverOption::MixedCase(is_mixed) => self.is_mixed = is_mixed,
            _ => return Err(Error::InvalidInput),
        }
        Ok(before != self.list())
    }

    pub(super) const fn list(self) -> [ResolverOption; 5] {
        [
            ResolverOption::Dots(self.dots),
            ResolverOption::Timeout(self.timeout),
            ResolverOption::Stale(self.stale),
            ResolverOption::CacheEntries(self.cache_entries),
            ResolverOption::MixedCase(self.is_mixed),
        ]
    }
}

impl Settings {
    fn change_hosts(&mut self, change: HostsChange) -> Result<bool, Error> {
        let mut hosts = match &change {
            HostsChange::Replace(_) => Vec::new(),
            _ => self.hosts.clone(),
        };
        let new = match change {
            HostsChange::Replace(new) => new,
            HostsChange::Add(entry) => Vec::from([entry]),
            HostsChange::Remove(address) => {
                hosts.retain(|entry| entry.address != address);
                if hosts.len() == self.hosts.len() {
                    return Err(Error::NotFound);
                }
                Vec::new()
            }
        };
        for entry in new {
            add_host(&mut hosts, entry)?;
        }
        let changes = self.hosts != hosts;
        self.hosts = hosts;
        Ok(changes)
    }
}

pub(super) fn add_host(hosts: &mut Vec<HostEntry>, entry: HostEntry) -> Result<(), Error> {
    if entry.names.is_empty() {
        return Err(Error::InvalidInput);
    }
    let place = hosts.iter().position(|known| known.address == entry.address);
    if place.is_none() && hosts.len() >= limits::HOSTS {
        return Err(Error::NoBufferSpace);
    }
    let mut names = place.map_or_else(Vec::new, |place| hosts.remove(place).names);
    for name in entry.names {
        let name = without_dot(&name).to_ascii_lowercase();
        check_name(&name)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > limits::HOST_NAMES {
        return Err(Error::NoBufferSpace);
    }
    let place = place.unwrap_or(hosts.len());
    hosts.insert(place, HostEntry { address: entry.address, names });
    Ok(())
}

/// Commands.
impl Resolver {
    pub(super) fn options(&self) -> Options {
        self.sockets.names.settings.with(|settings| settings.options)
    }

    /// Changes the servers and search domains of the whole system.
    pub(crate) fn change_system<T>(&self, change: impl FnOnce(&mut NameServers) -> T) -> T {
        self.sockets.names.settings.with(|settings| change(&mut settings.system))
    }

    /// The servers in the order in which they are queried.
    pub(crate) fn list_servers(&self) -> Vec<DnsServer> {
        let mut all = Vec::new();
        self.visit(|interface, names| {
            all.extend(names.iter().map(|(address, origin)| DnsServer {
                address: *address,
                origin: *origin,
                interface: interface.clone(),
            }));
        });
        all
    }

    pub(crate) fn status(&self) -> ResolverStatus {
        let mut domains = Vec::new();
        self.visit(|interface, names| {
            domains.extend(names.domains().map(|(domain, origin)| SearchDomain {
                domain: domain.clone(),
                origin: *origin,
                interface: interface.clone(),
            }));
        });
        ResolverStatus { options: self.options().list().to_vec(), domains }
    }

    /// The names of every interface in order, and then those of the system.
    fn visit(&self, mut view: impl FnMut(&String, &NameServers)) {
        for interface in self.ordered() {
            interface.read(|stack| view(&stack.context.configuration.name, &stack.name_servers));
        }
        if self.sockets.place.interface.is_none() {
            self.change_system(|names| view(&String::new(), names));
        }
    }

    /// Sets an option; true if it was another.
    ///
    /// # Errors
    /// `InvalidInput` for a value out of range.
    pub(crate) fn set_option(&self, option: ResolverOption) -> Result<bool, Error> {
        let new = self.sockets.names.settings.with(|settings| settings.options.set(option))?;
        if let ResolverOption::CacheEntries(most) = option {
            let mut left = most as usize;
            self.sockets.names.cache.with(|cache| {
                cache.retain(|_| {
                    let stays = left > 0;
                    left = left.saturating_sub(1);
                    stays
                })
            });
        }
        Ok(new)
    }

    /// The answers that are kept in this scope.
    pub(crate) fn list_cache(&self) -> Vec<CacheEntry> {
        let (scope, now) = (self.scope(), self.sockets.clock.now());
        let name = self.sockets.place.name();
        self.sockets.names.cache.with(|cache| {
            let entries = cache.iter().filter(|entry| entry.scope == scope);
            entries
                .map(|entry| CacheEntry {
                    name: entry.name.clone(),
                    record_type: RecordType(entry.heard.kind.code()),
                    code: entry.heard.response.code.bits(),
                    seconds: u32::try_from(entry.until.since(now).as_secs()).unwrap_or(u32::MAX),
                    server: entry.heard.server,
                    interface: name.clone(),
                    records: entry.heard.response.records.clone(),
                })
                .collect()
        })
    }

    /// Forgets the answers that are kept in this scope; returns how many.
    pub(crate) fn flush_cache(&self) -> u32 {
        let scope = self.scope();
        self.sockets.names.failures.with(|failures| failures.forget(scope));
        let gone = self.sockets.names.cache.with(|cache| cache.retain(|one| one.scope != scope));
        u32::try_from(gone).unwrap_or(u32::MAX)
    }

    /// Forgets what servers said to any scope.
    #[cfg(feature = "dns-over-tls")]
    pub(super) fn forget_answers(&self) {
        self.sockets.names.failures.with(|failures| *failures = Failures::default());
        self.sockets.names.cache.with(|cache| *cache = Cache::default());
    }

    pub(super) fn scope(&self) -> Option<u32> {
        self.sockets.place.interface.as_ref().map(|interface| interface.index)
    }

    pub(crate) fn list_hosts(&self) -> Vec<HostEntry> {
        self.sockets.names.settings.with(|settings| settings.hosts.clone())
    }

    /// Changes the hosts; true if they were others.
    ///
    /// # Errors
    /// `InvalidInput` for names that no host has, `NotFound` for an address that is not there,
    /// `NoBufferSpace` for too many.
    pub(crate) fn change_hosts(&self, change: HostsChange) -> Result<bool, Error> {
        self.sockets.names.settings.with(|settings| settings.change_hosts(change))
    }

    /// The answer of the hosts table, if it has one.
    pub(super) fn answer_of_hosts(&self, question: &Question) -> Option<Answer> {
        if !has::<ChangeHosts>() {
            return None;
        }
        let record = |name: String, data| Record { name, data, time_to_live: u32::MAX };
        let name = without_dot(&question.name).to_ascii_lowercase();
        let records: Vec<Record> = self.sockets.names.settings.with(|settings| {
            let hosts = settings.hosts.iter();
            if question.kind == RecordKind::Ptr {
                let asked = name.parse::<IpAddr>().ok();
                let is_it = |host: &&HostEntry| {
                    asked.map_or_else(
                        || reverse_name(host.address) == name,
                        |one| one == host.address,
                    )
                };
                let pointers = hosts.filter(is_it).filter_map(|host| {
                    let target = host.names.first()?.clone();
                    Some(record(reverse_name(host.address), RecordData::Ptr(target)))
                });
                return pointers.collect();
            }
            let fits = |address: &IpAddr| match question.kind {
                RecordKind::Address => true,
                RecordKind::A => address.is_ipv4(),
                RecordKind::Aaaa => address.is_ipv6(),
                RecordKind::Cname | RecordKind::Ptr => false,
            };
            hosts
                .filter(|host| fits(&host.address) && host.names.contains(&name))
                .map(|host| record(name.clone(), RecordData::Address(host.address)))
                .collect()
        });
        (!records.is_empty()).then_some(Answer { server: None, records })
    }
}
