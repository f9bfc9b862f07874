//! Decides whether a guest may do what it requests, by its grants and by the addresses to which the
//! granted names resolve.
//!
//! The [`guard`](crate::guard) checks here before it forwards a command. A check of a remote
//! address may wait for a name server, because a grant may be a name; answers are cached for a
//! while. A refusal has no side effects. The errors: `PermissionDenied` (EPERM) for a command that
//! is not granted, `AccessDenied` (EACCES, as in Linux' Landlock) for an address or a port that is
//! not granted; an interface that the guest does not see is absent.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use async_lock::{Semaphore, SemaphoreGuard};
use devnet_network::command::dns::{Answer, Query, Question, RecordKind, Reply};
use devnet_network::command::record::ResourceData;
use devnet_network::command::socket::SocketKind;
use devnet_network::command::{Resolve, TABLE, noun, wireless};
use devnet_network::platform::{Clock, Instant};
use devnet_virtual_file_system::{Error, File, Identifier, Lock, Result};

use crate::grants::parse::{CONTROLLER, WIRELESS};
use crate::grants::{Access, Grants, Host, Transport, canonical, is_near, without_final_dot};
use crate::limits;

/// The grants of one guest and the addresses learned for them.
pub(crate) struct Policy {
    pub(crate) grants: Grants,
    clock: Arc<dyn Clock>,
    names: Lock<Names>,
    lookups: Semaphore,
}

#[derive(Default)]
struct Names {
    /// Addresses to which names resolved, oldest first.
    learned: VecDeque<Learned>,
    /// The granted names that were queried recently.
    queried: Vec<Queried>,
}

struct Queried {
    name: String,
    at: Instant,
    /// How often a query began. A call that may not wait gives up and begins again.
    attempts: u32,
    is_answered: bool,
}

struct Learned {
    address: IpAddr,
    /// The name, in lower case.
    name: String,
    /// When the name may have moved.
    until: Instant,
}

impl Policy {
    pub(crate) fn new(grants: Grants, clock: Arc<dyn Clock>) -> Self {
        let lookups = Semaphore::new(limits::LOOKUPS);
        Self { grants, clock, names: Lock::new(Names::default()), lookups }
    }

    /// Waits until the guest may begin a lookup, which lasts as long as the result is held.
    pub(crate) async fn begin_lookup(&self) -> SemaphoreGuard<'_> {
        self.lookups.acquire().await
    }

    /// Checks whether a command is granted.
    pub(crate) fn permit_command(&self, identifier: Identifier) -> Result<()> {
        let mut all = TABLE.iter().chain(wireless::TABLE);
        let name = all.find(|entry| entry.identifier == identifier).map_or("", |entry| entry.name);
        let is_of_radio = wireless::Request::authority(identifier).is_some();
        let others = if is_of_radio { WIRELESS } else { CONTROLLER };
        let noun = noun(identifier).unwrap_or(others);
        if self.grants.command(name, noun) { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    /// Checks whether the guest sees the interface that a command names.
    pub(crate) fn permit_interface(&self, name: &str) -> Result<()> {
        if name.is_empty() || self.grants.interface(name).is_some() {
            Ok(())
        } else {
            Err(Error::NoDevice)
        }
    }

    /// Checks whether the guest may change routes of this interface.
    pub(crate) fn permit_change(&self, name: Option<&str>) -> Result<()> {
        let access = match name {
            Some(name) => self.grants.interface(name).ok_or(Error::NoDevice)?,
            None => self.grants.all_interfaces().ok_or(Error::PermissionDenied)?,
        };
        if access == Access::Write { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    /// Checks whether the guest may create sockets of a kind. `sees_all`: the socket receives only
    /// from interfaces that the guest sees.
    pub(crate) fn permit_socket(&self, kind: SocketKind, sees_all: bool) -> Result<()> {
        let may = match kind {
            SocketKind::Tcp | SocketKind::Udp => {
                !self.grants.connect.is_empty() || !self.grants.listen.is_empty()
            }
            SocketKind::Icmp => self.grants.connect.iter().any(|remote| remote.ports.is_none()),
            SocketKind::Raw(_) | SocketKind::Raw6(_) => self.grants.raw && sees_all,
        };
        if may { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    /// Checks whether the guest may bind a local port. A guest that may connect may bind an
    /// ephemeral port.
    pub(crate) fn permit_bind(&self, transport: Transport, port: u16) -> Result<()> {
        let is_ephemeral = port == 0 && !self.grants.connect.is_empty();
        if is_ephemeral || self.grants.local(transport, port) {
            Ok(())
        } else {
            Err(Error::AccessDenied)
        }
    }

    /// Checks whether the guest may join a group: it must be granted like a remote host, at any
    /// port.
    pub(crate) fn permit_group(&self, group: IpAddr) -> Result<()> {
        if self.grants.address(group) { Ok(()) } else { Err(Error::AccessDenied) }
    }

    /// Checks whether the guest may look up a name at that server.
    pub(crate) async fn permit_question(
        &self,
        question: &Question,
        device: &File,
        is_own: impl Fn(IpAddr) -> Result<bool> + Sync,
    ) -> Result<()> {
        if let Some(server) = question.server {
            self.permit_remote(server, false, device, is_own).await?;
        }
        let is_literal = question.name.parse::<IpAddr>().is_ok();
        let may = match question.kind {
            RecordKind::Ptr => {
                let address: IpAddr = question.name.parse().map_err(|_| Error::InvalidInput)?;
                self.grants.address(address)
            }
            RecordKind::Address | RecordKind::A | RecordKind::Aaaa | RecordKind::Cname => {
                is_literal || self.grants.name(&question.name)
            }
        };
        if may { Ok(()) } else { Err(Error::AccessDenied) }
    }

    /// As [`permit_question`](Self::permit_question), for records of any type. A reverse name
    /// stands for itself here, and not for its address.
    pub(crate) async fn permit_query(
        &self,
        query: &Query,
        device: &File,
        is_own: impl Fn(IpAddr) -> Result<bool> + Sync,
    ) -> Result<()> {
        if let Some(server) = query.server {
            self.permit_remote(server, false, device, is_own).await?;
        }
        if self.grants.name(&query.name) { Ok(()) } else { Err(Error::AccessDenied) }
    }

    /// As [`learn`](Self::learn), from records of any type.
    pub(crate) fn learn_records(&self, query: &Query, reply: &Reply) {
        let seconds = reply.answers.iter().map(|record| record.time_to_live).min();
        let addresses = reply.answers.iter().filter_map(|record| match record.data {
            ResourceData::Address(address) => Some(address),
            _ => None,
        });
        if query.server.is_none() && !query.search {
            self.learn_addresses(&query.name, seconds, addresses);
        }
    }

    /// Caches the addresses of a name, if the answer is from the system's name servers and not from
    /// one that the guest chose.
    pub(crate) fn learn(&self, question: &Question, answer: &Answer) {
        if question.server.is_some() {
            return;
        }
        let seconds = answer.records.iter().map(|record| record.time_to_live).min();
        self.learn_addresses(&question.name, seconds, answer.addresses());
    }

    fn learn_addresses(
        &self,
        name: &str,
        seconds: Option<u32>,
        addresses: impl Iterator<Item = IpAddr>,
    ) {
        let name = without_final_dot(name).to_ascii_lowercase();
        let seconds =
            u64::from(seconds.unwrap_or(0)).clamp(limits::RESOLVE_SECONDS, limits::LEARNED_SECONDS);
        let now = self.clock.now();
        let until = now.after(Duration::from_secs(seconds));
        self.names.with(|names| {
            // Where the name was and is no more.
            names.learned.retain(|known| known.until > now || known.name != name);
            for address in addresses {
                let address = canonical(address);
                names.learned.retain(|known| known.address != address || known.name != name);
                if names.learned.len() >= limits::LEARNED_ADDRESSES {
                    names.learned.pop_front();
                }
                names.learned.push_back(Learned { address, name: name.clone(), until });
            }
        });
    }

    /// Checks whether the guest may reach a remote address. `has_no_port`: the protocol has no
    /// ports, so a grant of some ports is not enough. `is_own`: the address is one of this system.
    pub(crate) async fn permit_remote(
        &self,
        remote: SocketAddr,
        has_no_port: bool,
        device: &File,
        is_own: impl Fn(IpAddr) -> Result<bool> + Sync,
    ) -> Result<()> {
        let port = (!has_no_port).then_some(remote.port());
        if self.grants.remote(canonical(remote.ip()), port) {
            return Ok(());
        }
        // A name must not open what is near, wherever its owner lets it lead.
        if is_near(remote.ip()) || is_own(canonical(remote.ip()))? {
            return Err(Error::AccessDenied);
        }
        if self.is_granted(remote.ip(), port) {
            return Ok(());
        }
        for name in self.unqueried_names(port) {
            let question = Question { name, kind: RecordKind::Address, server: None };
            let lookup = self.begin_lookup().await;
            if let Ok(answer) = device.control::<Resolve>(&question).await {
                self.learn(&question, &answer);
            }
            drop(lookup);
            self.set_answered(&question.name);
            if self.is_granted(remote.ip(), port) {
                return Ok(());
            }
        }
        Err(Error::AccessDenied)
    }

    /// True if a remote address is granted directly or under a name that is known to resolve to it.
    pub(crate) fn is_granted(&self, address: IpAddr, port: Option<u16>) -> bool {
        let address = canonical(address);
        self.grants.remote(address, port) || self.is_named(address, port, self.clock.now())
    }

    /// True if granted names were resolved.
    pub(crate) fn knows_names(&self) -> bool {
        self.names.with(|names| !names.learned.is_empty())
    }

    /// True if an address was granted under a name that may have moved since.
    pub(crate) fn was_granted(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.is_named(canonical(address), port, Instant::ZERO)
    }

    /// True if a granted name resolved to an address until later than `now`.
    fn is_named(&self, address: IpAddr, port: Option<u16>, now: Instant) -> bool {
        let is_granted = |name: &str| {
            let mut grants = self.grants.connect.iter().filter(|one| one.includes_port(port));
            grants.any(|remote| remote.host.is_called(name))
        };
        let is_it = |known: &Learned| {
            known.address == address && known.until > now && is_granted(&known.name)
        };
        !is_near(address) && self.names.with(|names| names.learned.iter().any(is_it))
    }

    fn set_answered(&self, name: &str) {
        self.names.with(|names| {
            for known in names.queried.iter_mut().filter(|known| known.name == name) {
                known.is_answered = true;
            }
        });
    }

    /// Returns the granted names without a recent answer, and marks them as queried now.
    fn unqueried_names(&self, port: Option<u16>) -> Vec<String> {
        let now = self.clock.now();
        let age = Duration::from_secs(limits::RESOLVE_SECONDS);
        let granted = self.grants.connect.iter().filter(|remote| remote.includes_port(port));
        let named = granted.filter_map(|remote| match &remote.host {
            Host::Name(name) => Some(name),
            Host::Any | Host::Prefix(_) | Host::Suffix(_) => None,
        });
        self.names.with(|names| {
            names.queried.retain(|known| now.since(known.at) < age);
            let mut fresh: Vec<String> = Vec::new();
            for name in named {
                let name = name.to_string();
                match names.queried.iter_mut().find(|known| known.name == name) {
                    Some(known) if known.is_answered || fresh.contains(&name) => continue,
                    Some(known) if known.attempts >= limits::QUERY_ATTEMPTS => continue,
                    Some(known) => known.attempts += 1,
                    None => names.queried.push(Queried {
                        name: name.clone(),
                        at: now,
                        attempts: 1,
                        is_answered: false,
                    }),
                }
                fresh.push(name);
            }
            fresh
        })
    }
}
