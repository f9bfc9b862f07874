//! Commands about names, which the resolver has or an interface.

use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Result};

use super::open::OpenFile;
use crate::command::Immediate;

impl OpenFile {
    #[cfg(feature = "dns")]
    pub(super) fn execute_names(&self, request: Immediate) -> Result<Vec<u8>> {
        use super::execute::reply;
        use crate::command::address::Origin;

        let resolver = self.sockets.resolver();
        // What the whole system has only `/devices/sockets` changes.
        let system = || self.system().map(|_| ());
        match request {
            Immediate::ListDnsServers(()) => reply(Ok(resolver.list_servers())),
            Immediate::AddDnsServer(server) if self.system().is_ok() => {
                reply(resolver.change_system(|names| names.add(server, Origin::Static).map(|_| ())))
            }
            Immediate::AddDnsServer(server) => {
                reply(self.change(|stack| stack.add_name_server(server, Origin::Static)))
            }
            Immediate::RemoveDnsServer(server) if self.system().is_ok() => {
                reply(resolver.change_system(|names| names.remove(server)))
            }
            Immediate::RemoveDnsServer(server) => {
                reply(self.change(|stack| stack.name_servers.remove(server)))
            }
            Immediate::ListDnsCache(()) => reply(Ok(resolver.list_cache())),
            Immediate::FlushDnsCache(()) => reply(Ok(resolver.flush_cache())),
            Immediate::SetResolverOption(option) => {
                reply(system().and_then(|()| resolver.set_option(option)))
            }
            Immediate::GetResolver(()) => reply(Ok(resolver.status())),
            Immediate::SetSearchDomains(domains) if self.system().is_ok() => {
                reply(resolver.change_system(|names| names.set_domains(&domains)))
            }
            Immediate::SetSearchDomains(domains) => {
                reply(self.change(|stack| stack.name_servers.set_domains(&domains)))
            }
            Immediate::ListHosts(()) => reply(Ok(resolver.list_hosts())),
            Immediate::ChangeHosts(change) => {
                reply(system().and_then(|()| resolver.change_hosts(change)))
            }
            _ => Err(Error::Unsupported),
        }
    }

    #[cfg(not(feature = "dns"))]
    pub(super) fn execute_names(&self, _: Immediate) -> Result<Vec<u8>> {
        Err(Error::Unsupported)
    }
}
