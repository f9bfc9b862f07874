//! Commands about names, which the resolver has or an interface.

use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Result};

use super::open::OpenFile;
use crate::command::table::*;

impl OpenFile {
    #[cfg(feature = "dns")]
    pub(super) fn execute_names(&self, request: Immediate) -> Result<Vec<u8>> {
        use super::execute::reply;
        use crate::command::address::Origin;
        use crate::stack::Stack;

        let resolver = self.sockets.resolver();
        // What the whole system has only `/devices/sockets` changes.
        let system = || self.system().map(|_| ());
        match request {
            Immediate::ListDnsServers(()) => {
                reply::<ListDnsServers>(|| Ok(resolver.list_servers()))
            }
            Immediate::AddDnsServer(server) if self.system().is_ok() => {
                reply::<AddDnsServer>(|| {
                    resolver.change_system(|names| names.add(server, Origin::Static).map(|_| ()))
                })
            }
            Immediate::AddDnsServer(server) => reply::<AddDnsServer>(|| {
                self.change(|stack| stack.add_name_server(server, Origin::Static))
            }),
            Immediate::RemoveDnsServer(server) if self.system().is_ok() => {
                reply::<RemoveDnsServer>(|| resolver.change_system(|names| names.remove(server)))
            }
            Immediate::RemoveDnsServer(server) => {
                reply::<RemoveDnsServer>(|| self.change(|stack| stack.name_servers.remove(server)))
            }
            Immediate::ListDnsCache(()) => reply::<ListDnsCache>(|| Ok(resolver.list_cache())),
            Immediate::FlushDnsCache(()) => reply::<FlushDnsCache>(|| Ok(resolver.flush_cache())),
            Immediate::SetResolverOption(option) => {
                reply::<SetResolverOption>(|| system().and_then(|()| resolver.set_option(option)))
            }
            Immediate::GetResolver(()) => reply::<GetResolver>(|| Ok(resolver.status())),
            Immediate::SetSearchDomains(domains) if self.system().is_ok() => {
                reply::<SetSearchDomains>(|| {
                    resolver.change_system(|names| names.set_domains(&domains))
                })
            }
            Immediate::SetSearchDomains(domains) => reply::<SetSearchDomains>(|| {
                self.change(|stack| stack.name_servers.set_domains(&domains))
            }),
            Immediate::ListHosts(()) => reply::<ListHosts>(|| Ok(resolver.list_hosts())),
            Immediate::ChangeHosts(change) => {
                reply::<ChangeHosts>(|| system().and_then(|()| resolver.change_hosts(change)))
            }
            Immediate::ChangeDnsSecurity(change) => reply::<ChangeDnsSecurity>(|| {
                system().and_then(|()| resolver.change_security(change))
            }),
            Immediate::GetDnsSecurity(()) => reply::<GetDnsSecurity>(|| Ok(resolver.security())),
            Immediate::SetMulticastDns(option) => reply::<SetMulticastDns>(|| {
                self.change(|stack| stack.mdns.set(&mut stack.context, &mut stack.ip, &option))
            }),
            Immediate::ListMulticastDns(()) => reply::<ListMulticastDns>(|| {
                Ok(self.collect(|stack| {
                    alloc::vec![stack.mdns.status(&stack.context.configuration.name)]
                }))
            }),
            Immediate::ChangeServices(change) => reply::<ChangeServices>(|| {
                self.change(|stack| {
                    let Stack { context: cx, ip, mdns, .. } = stack;
                    mdns.change_services(cx, ip, &change)
                })
            }),
            _ => Err(Error::Unsupported),
        }
    }

    #[cfg(not(feature = "dns"))]
    pub(super) fn execute_names(&self, _: Immediate) -> Result<Vec<u8>> {
        Err(Error::Unsupported)
    }
}
