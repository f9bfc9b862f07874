//! What commands ask of the resolver of the system: read, checked, and made so.

use alloc::vec::Vec;

use devnet_virtual_file_system::Error;

use super::Resolver;
use super::names::{Options, add_host};
use super::security::add_secure;
use crate::command::address::Origin;
use crate::command::dns::DnsSecurity;
use crate::configuration::{At, DesiredSystem, WantedSystem};
use crate::stack::name_servers::NameServers;

impl Resolver {
    /// Adds what commands ask of the resolver to what they ask of the system.
    pub(crate) fn describe(&self, system: &mut DesiredSystem) {
        self.sockets.names.settings.with(|settings| {
            system.options = settings.options.changed();
            system.servers = settings.system.iter().map(|(address, _)| *address).collect();
            system.domains = settings.system.asked_domains();
            system.hosts = settings.hosts.clone();
            system.security = settings.security.clone();
        });
    }

    /// What a section asks of the resolver, in its one form.
    ///
    /// # Errors
    /// The line that cannot be, with what its command would answer.
    pub(crate) fn check(
        &self,
        wanted: &WantedSystem,
        system: &mut DesiredSystem,
    ) -> Result<(), (u32, Error)> {
        let (mut options, mut names, mut hosts) =
            (Options::default(), NameServers::default(), Vec::new());
        for At { line, value } in &wanted.options {
            options.set(*value).map_err(|error| (*line, error))?;
        }
        for At { line, value } in &wanted.servers {
            names.add(*value, Origin::Static).map_err(|error| (*line, error))?;
        }
        if let Some(At { line, value }) = &wanted.domains {
            names.set_domains(value).map_err(|error| (*line, error))?;
        }
        for At { line, value } in &wanted.hosts {
            add_host(&mut hosts, value.clone()).map_err(|error| (*line, error))?;
        }
        let mut security = DnsSecurity::default();
        for At { line, value } in &wanted.secure_servers {
            let added = self.check_tls().and_then(|()| add_secure(&mut security, value.clone()));
            added.map_err(|error| (*line, error))?;
        }
        if let Some(At { line, value }) = &wanted.requires_security {
            self.check_tls().map_err(|error| (*line, error))?;
            security.is_required = *value;
        }
        system.security = security;
        system.options = options.changed();
        system.servers = names.iter().map(|(address, _)| *address).collect();
        system.domains = names.asked_domains();
        system.hosts = hosts;
        Ok(())
    }

    /// Makes what is asked of the resolver what was checked.
    ///
    /// # Errors
    /// None that the check did not find.
    pub(crate) fn replace(&self, system: &DesiredSystem) -> Result<(), Error> {
        for option in Options::default().list().iter().chain(&system.options) {
            self.set_option(*option)?;
        }
        self.sockets.names.settings.with(|settings| {
            let present: Vec<_> = settings.system.iter().map(|(address, _)| *address).collect();
            if present != system.servers {
                settings.system.retain(|_, _| false);
                for server in &system.servers {
                    settings.system.add(*server, Origin::Static)?;
                }
            }
            settings.system.set_domains(&system.domains)?;
            settings.hosts.clone_from(&system.hosts);
            settings.security.clone_from(&system.security);
            Ok(())
        })
    }
}
