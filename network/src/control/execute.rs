//! What each command does: one match for immediate commands, one for waiting ones.
//!
//! Both are exhaustive, so a row of the table without an arm does not compile. They only translate:
//! the stack and the sockets have the operations. What a build leaves out is no code here.

use alloc::vec::Vec;
use core::future::Future;
use core::pin::pin;

use devnet_virtual_file_system::{ControlCommand, Error, Operation, Result, encode};

use super::interfaces::{flush_addresses, replace_addresses, set_fallback, usage};
use super::metrics::{self, Metrics};
use super::open::OpenFile;
use crate::command::address::Origin;
use crate::command::line_error::LastError;
use crate::command::table::*;
use crate::command::watch::WatchOptions;
use crate::features::{Built, has, is_supported};
use crate::stack::{Stack, autoconfiguration_option};

/// Executes a command and encodes its response. A command that is left out has no code.
pub(super) fn reply<C: ControlCommand>(
    execute: impl FnOnce() -> Result<C::Response>,
) -> Result<Vec<u8>> {
    if has::<C>() { execute().and_then(|value| encode(&value)) } else { Err(Error::Unsupported) }
}

/// As [`reply`], for a command that waits for nothing, but takes several turns.
fn turns<'a, C: ControlCommand, F: Future<Output = Result<Vec<u8>>> + Send + 'a>(
    execute: impl FnOnce() -> F,
) -> Operation<'a, Vec<u8>> {
    if has::<C>() { Operation::turns(execute()) } else { Operation::done(Err(Error::Unsupported)) }
}

/// As [`reply`], for a command that waits. Each has a future of its own size.
fn waits<'a, C: ControlCommand, F: Future<Output = Result<C::Response>> + Send + 'a>(
    execute: impl FnOnce() -> F + Send + 'a,
) -> Operation<'a, Vec<u8>> {
    if has::<C>() {
        Operation::waiting(async move { encode(&pin!(execute()).await?) })
    } else {
        Operation::done(Err(Error::Unsupported))
    }
}

impl OpenFile {
    /// Executes a command, if the file's mode allows it.
    pub(super) fn execute(&self, request: Request) -> Operation<'_, Vec<u8>> {
        if !is_supported(&request) {
            return Operation::done(Err(Error::Unsupported));
        }
        if let Err(refusal) = self.state.with(|state| state.mode()).after(&request) {
            return Operation::done(Err(refusal));
        }
        match request.timing_built::<Built>() {
            Some(Timing::Immediate(request)) => self.execute_now(request),
            Some(Timing::Waiting(request)) => self.execute_waiting(request),
            None => Operation::done(Err(Error::Unsupported)),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each row of the table")]
    fn execute_now(&self, request: Immediate) -> Operation<'_, Vec<u8>> {
        let outcome = match request {
            Immediate::GetInterface(()) => reply::<GetInterface>(|| {
                self.read_now(|stack| stack.context.configuration.status(stack.context.now))
            }),
            Immediate::ListInterfaces(()) => reply::<ListInterfaces>(|| {
                Ok(self.collect_now(|stack| {
                    alloc::vec![stack.context.configuration.status(stack.context.now)]
                }))
            }),
            Immediate::SetEnabled(enabled) => {
                reply::<SetEnabled>(|| self.on(|stack| stack.set_enabled(enabled)))
            }
            Immediate::SetHardwareAddress(address) => {
                reply::<SetHardwareAddress>(|| self.set_hardware_address(address))
            }
            Immediate::SetMtu(mtu) => reply::<SetMtu>(|| self.change(|stack| stack.set_mtu(mtu))),
            Immediate::SetMetric(metric) => reply::<SetMetric>(|| {
                self.on(|stack| stack.ip.set_metric(&mut stack.context, metric))
            }),
            Immediate::SetAdvertisement(what) => reply::<SetAdvertisement>(|| {
                self.change(|stack| stack.advertiser.set(&mut stack.context, &mut stack.ip, what))
            }),
            Immediate::ChangeRouter(what) => reply::<ChangeRouter>(|| {
                self.change(|Stack { context: cx, ip, advertiser, .. }| {
                    advertiser.change(cx, ip, what)
                })
            }),
            Immediate::GetRouter(()) => {
                reply::<GetRouter>(|| self.read_now(|stack| stack.advertiser.what().cloned()))
            }
            Immediate::GetStatistics(()) => {
                reply::<GetStatistics>(|| self.read_now(|stack| *stack.context.statistics))
            }
            Immediate::GetSynCookies(()) => reply::<GetSynCookies>(|| {
                self.read_now(|stack| stack.transport.tcp.cookies.counters)
            }),
            Immediate::ListUsage(()) => {
                reply::<ListUsage>(|| Ok(self.collect(|stack| alloc::vec![usage(stack)])))
            }
            Immediate::SetInterfaceOption(option) => {
                reply::<SetInterfaceOption>(|| self.set_interface_option(option))
            }
            Immediate::ListInterfaceDetails(()) => {
                reply::<ListInterfaceDetails>(|| Ok(self.interface_details()))
            }
            Immediate::ListDrops(()) => reply::<ListDrops>(|| {
                Ok(self.collect(|stack| {
                    stack.context.statistics.drop_counts(&stack.context.configuration.name)
                }))
            }),
            Immediate::ListCounters(()) => reply::<ListCounters>(|| {
                Ok(self.collect(|stack| {
                    alloc::vec![stack.context.counters.list(&stack.context.configuration.name)]
                }))
            }),
            Immediate::GetMetrics(()) => reply::<GetMetrics>(|| {
                Ok(metrics::text(&self.collect_now(|stack| alloc::vec![Metrics::of(stack)])))
            }),
            Immediate::ListAddresses(()) => {
                reply::<ListAddresses>(|| Ok(self.collect_now(|stack| stack.address_entries())))
            }
            Immediate::AddAddress(new) => reply::<AddAddress>(|| {
                self.change(|stack| stack.ip.add_address(&mut stack.context, &new, Origin::Static))
            }),
            Immediate::SetAddress(change) => reply::<SetAddress>(|| {
                self.change(|stack| stack.ip.set_address(&mut stack.context, &change))
            }),
            Immediate::ListAddressDetails(()) => reply::<ListAddressDetails>(|| {
                Ok(self.collect_now(|stack| stack.ip.address_details(stack.address_entries())))
            }),
            Immediate::SetAutoconfiguration(option) => reply::<SetAutoconfiguration>(|| {
                self.change(|stack| autoconfiguration_option::set(stack, &option))
            }),
            Immediate::ListAutoconfiguration(()) => reply::<ListAutoconfiguration>(|| {
                Ok(self.collect(|stack| alloc::vec![autoconfiguration_option::status(stack)]))
            }),
            Immediate::RemoveAddress(prefix) => {
                reply::<RemoveAddress>(|| self.change(|stack| stack.remove_address(prefix)))
            }
            Immediate::FlushAddresses(()) => reply::<FlushAddresses>(|| self.on(flush_addresses)),
            Immediate::ReplaceAddresses(new) => {
                reply::<ReplaceAddresses>(|| self.change(|stack| replace_addresses(stack, &new)))
            }
            // They wait for nothing, but long ones are made in several turns.
            Immediate::ListRoutes(()) => return turns::<ListRoutes, _>(|| self.list_routes()),
            Immediate::ListRouteDetails(()) => {
                return turns::<ListRouteDetails, _>(|| self.list_route_details());
            }
            Immediate::SetFallback(asked) => {
                reply::<SetFallback>(|| self.change(|stack| set_fallback(stack, asked)))
            }
            Immediate::GetFallback(()) => {
                reply::<GetFallback>(|| self.read_now(|stack| stack.dhcp.fallback()))
            }
            Immediate::ListNeighbors(()) => {
                return turns::<ListNeighbors, _>(|| self.list_neighbors());
            }
            Immediate::ListSockets(()) => return turns::<ListSockets, _>(|| self.list_sockets()),
            Immediate::ExportConfiguration(is_for_read) => {
                return turns::<ExportConfiguration, _>(|| self.export_configuration(is_for_read));
            }
            Immediate::ApplyConfiguration(piece) => {
                return turns::<ApplyConfiguration, _>(|| self.configure(piece, false));
            }
            Immediate::CheckConfiguration(piece) => {
                return turns::<CheckConfiguration, _>(|| self.configure(piece, true));
            }
            Immediate::ListRoutePreferences(()) => reply::<ListRoutePreferences>(|| {
                Ok(self.collect(|stack| stack.ip.route_preferences(&stack.context).collect()))
            }),
            Immediate::AddRoute(new) => reply::<AddRoute>(|| self.add_route(&new)),
            Immediate::RemoveRoute(selector) => {
                reply::<RemoveRoute>(|| self.remove_route(&selector))
            }
            Immediate::SetRoute(change) => reply::<SetRoute>(|| self.set_route(&change)),
            Immediate::SetMultipathRoute(change) => {
                reply::<SetMultipathRoute>(|| self.set_multipath_route(&change))
            }
            Immediate::ListMultipathRoutes(()) => reply::<ListMultipathRoutes>(|| {
                Ok(self.collect_now(|stack| stack.ip.multipath_routes(&stack.context)))
            }),
            Immediate::FindFlowRoute(flow) => {
                reply::<FindFlowRoute>(|| self.find_flow_route(&flow))
            }
            Immediate::RemoveRoutes(filter) => {
                reply::<RemoveRoutes>(|| self.remove_routes(&filter))
            }
            Immediate::FindRoute(destination) => {
                reply::<FindRoute>(|| self.find_route(destination))
            }
            names @ (Immediate::ListDnsServers(())
            | Immediate::AddDnsServer(_)
            | Immediate::RemoveDnsServer(_)
            | Immediate::ListDnsCache(())
            | Immediate::FlushDnsCache(())
            | Immediate::SetResolverOption(_)
            | Immediate::GetResolver(())
            | Immediate::SetSearchDomains(_)
            | Immediate::ListHosts(())
            | Immediate::ChangeHosts(_)
            | Immediate::ChangeDnsSecurity(_)
            | Immediate::GetDnsSecurity(())
            | Immediate::SetMulticastDns(_)
            | Immediate::ListMulticastDns(())
            | Immediate::ChangeServices(_)) => self.execute_names(names),
            Immediate::StartDhcp(options) => reply::<StartDhcp>(|| {
                self.change(|stack| {
                    stack.dhcp.start(&mut stack.context, &mut stack.ip, options.into())
                })
            }),
            Immediate::StartDhcpClient(options) => reply::<StartDhcpClient>(|| {
                self.change(|stack| stack.dhcp.start(&mut stack.context, &mut stack.ip, options))
            }),
            Immediate::ListDhcpOptions(()) => {
                reply::<ListDhcpOptions>(|| self.read_now(|stack| stack.dhcp.lease_options()))
            }
            Immediate::StopDhcp(()) => reply::<StopDhcp>(|| self.on(Stack::stop_dhcp)),
            Immediate::RenewDhcp(()) => reply::<RenewDhcp>(|| {
                self.change(|stack| stack.dhcp.renew(&mut stack.context, &mut stack.ip))
            }),
            Immediate::GetDhcp(()) => {
                reply::<GetDhcp>(|| self.read_now(|stack| stack.dhcp.status(&stack.context)))
            }
            Immediate::StartDhcpServer(options) => reply::<StartDhcpServer>(|| {
                self.change(|stack| stack.dhcp_server.start(&mut stack.context, &stack.ip, options))
            }),
            Immediate::StopDhcpServer(()) => reply::<StopDhcpServer>(|| {
                self.on(|stack| stack.dhcp_server.stop(&mut stack.context))
            }),
            Immediate::GetDhcpServer(()) => {
                reply::<GetDhcpServer>(|| self.read_now(|stack| stack.dhcp_server.status()))
            }
            Immediate::ListDhcpLeases(()) => reply::<ListDhcpLeases>(|| {
                self.read_now(|stack| stack.dhcp_server.list(&stack.context))
            }),
            Immediate::ChangeDhcpLeases(what) => reply::<ChangeDhcpLeases>(|| {
                self.change(|stack| stack.dhcp_server.change(&mut stack.context, &what))
            }),
            #[cfg(not(feature = "dhcp6"))]
            Immediate::SetDhcp6Client(_)
            | Immediate::RenewDhcp6(())
            | Immediate::GetDhcp6(())
            | Immediate::SetDhcp6Server(_)
            | Immediate::GetDhcp6Server(())
            | Immediate::SetDownstream(_) => Err(Error::Unsupported),
            #[cfg(feature = "dhcp6")]
            dhcp6 @ (Immediate::SetDhcp6Client(_)
            | Immediate::RenewDhcp6(())
            | Immediate::GetDhcp6(())
            | Immediate::SetDhcp6Server(_)
            | Immediate::GetDhcp6Server(())
            | Immediate::SetDownstream(_)) => self.execute_dhcp6(dhcp6),
            firewall @ (Immediate::AddFirewallRule(_)
            | Immediate::ReplaceFirewallRule(_)
            | Immediate::RemoveFirewallRule(_)
            | Immediate::FlushFirewallRules(_)
            | Immediate::SetFirewallPolicy(_)
            | Immediate::SetFirewallProfile(_)
            | Immediate::ListFirewall(())
            | Immediate::ResetFirewall(())
            | Immediate::ListFlows(())
            | Immediate::FlushFlows(())) => self.execute_firewall(firewall),
            Immediate::AddNeighbor(new) => reply::<AddNeighbor>(|| {
                self.change(|stack| stack.ip.add_neighbor(&mut stack.context, &new))
            }),
            Immediate::AddProxy(address) => reply::<AddProxy>(|| {
                self.change(|stack| stack.ip.add_proxy(&mut stack.context, address))
            }),
            Immediate::RemoveProxy(address) => reply::<RemoveProxy>(|| {
                self.change(|stack| stack.ip.remove_proxy(&mut stack.context, address))
            }),
            Immediate::ListProxies(()) => reply::<ListProxies>(|| {
                Ok(self.collect(|stack| stack.ip.proxy_entries(&stack.context)))
            }),
            Immediate::RemoveNeighbor(address) => reply::<RemoveNeighbor>(|| {
                self.change(|stack| stack.ip.link.remove_neighbor(&mut stack.context, address))
            }),
            Immediate::FlushNeighbors(()) => reply::<FlushNeighbors>(|| {
                self.on(|stack| stack.ip.link.neighbors.flush(|_, is_permanent| !is_permanent))
            }),
            Immediate::CreateSocket(kind) => reply::<CreateSocket>(|| self.create_socket(kind)),
            Immediate::Bind(local) => reply::<Bind>(|| self.bind(local)),
            Immediate::Listen(backlog) => reply::<Listen>(|| self.listen(backlog)),
            Immediate::Accept(token) => reply::<Accept>(|| self.accept(token)),
            Immediate::GetSocket(()) => reply::<GetSocket>(|| self.socket_status()),
            Immediate::Shutdown(direction) => reply::<Shutdown>(|| self.shutdown(direction)),
            Immediate::SetOption(option) => reply::<SetOption>(|| self.set_option(&option)),
            Immediate::GetOptions(()) => reply::<GetOptions>(|| self.options()),
            Immediate::GetFurtherOptions(()) => {
                reply::<GetFurtherOptions>(|| self.further_options())
            }
            Immediate::TakeError(()) => reply::<TakeError>(|| self.take_error()),
            Immediate::JoinGroup(membership) => reply::<JoinGroup>(|| self.join_group(&membership)),
            Immediate::LeaveGroup(membership) => {
                reply::<LeaveGroup>(|| self.leave_group(&membership))
            }
            Immediate::ReceiveError(()) => {
                reply::<ReceiveError>(|| self.datagram().and_then(|socket| socket.receive_error()))
            }
            Immediate::ListGroups(()) => reply::<ListGroups>(|| {
                Ok(self.collect(|stack| stack.ip.group_entries(&stack.context)))
            }),
            Immediate::ListGroupDetails(()) => reply::<ListGroupDetails>(|| {
                Ok(self.collect(|stack| stack.ip.group_details(&stack.context)))
            }),
            Immediate::AddGroup(group) => reply::<AddGroup>(|| {
                self.change(|stack| stack.ip.add_group(&mut stack.context, group))
            }),
            Immediate::RemoveGroup(group) => reply::<RemoveGroup>(|| {
                self.change(|stack| stack.ip.remove_group(&mut stack.context, group))
            }),
            Immediate::GetStreamStatistics(()) => {
                reply::<GetStreamStatistics>(|| self.stream_statistics())
            }
            Immediate::EndConnection(name) => reply::<EndConnection>(|| self.end_connection(&name)),
            Immediate::GetConnection(name) => reply::<GetConnection>(|| self.connection(&name)),
            Immediate::Watch(kinds) => reply::<Watch>(|| self.watch(WatchOptions::lines(kinds))),
            Immediate::WatchEvents(options) => reply::<WatchEvents>(|| self.watch(options)),
            #[cfg(feature = "mdns")]
            Immediate::WatchServices(watch) => {
                reply::<WatchServices>(|| self.watch_services(watch))
            }
            #[cfg(not(feature = "mdns"))]
            Immediate::WatchServices(_) => Err(Error::Unsupported),
            Immediate::Capture(options) => reply::<Capture>(|| self.capture(options)),
            Immediate::GetCapture(()) => reply::<GetCapture>(|| self.capture_statistics()),
            Immediate::ListCaptureInterfaces(()) => {
                reply::<ListCaptureInterfaces>(|| self.capture_interfaces())
            }
            Immediate::SetSystemOption(option) => {
                reply::<SetSystemOption>(|| self.set_system_option(option))
            }
            Immediate::ListSystemOptions(()) => {
                reply::<ListSystemOptions>(|| self.system_options())
            }
            Immediate::GetLastError(()) => {
                reply::<GetLastError>(|| Ok(self.last_error().as_ref().map(LastError::from)))
            }
        };
        Operation::done(outcome)
    }

    fn execute_waiting(&self, request: Waiting) -> Operation<'_, Vec<u8>> {
        match request {
            #[cfg(feature = "dns")]
            Waiting::Resolve(question) => waits::<Resolve, _>(move || async move {
                self.sockets.resolver().resolve(&question).await
            }),
            #[cfg(feature = "dns")]
            Waiting::QueryRecords(query) => waits::<QueryRecords, _>(move || async move {
                self.sockets.resolver().query(&query).await
            }),
            #[cfg(feature = "mdns")]
            Waiting::BrowseServices(browse) => waits::<BrowseServices, _>(move || async move {
                self.sockets.resolver().browse(&browse).await
            }),
            #[cfg(not(feature = "mdns"))]
            Waiting::BrowseServices(_) => Operation::done(Err(Error::Unsupported)),
            #[cfg(not(feature = "dns"))]
            Waiting::Resolve(_) | Waiting::QueryRecords(_) => {
                Operation::done(Err(Error::Unsupported))
            }
            #[cfg(feature = "wireless")]
            Waiting::SwitchRadio(switch) => {
                waits::<SwitchRadio, _>(move || self.switch_radio(switch))
            }
            #[cfg(not(feature = "wireless"))]
            Waiting::SwitchRadio(_) => Operation::done(Err(Error::Unsupported)),
            Waiting::AwaitDhcp(milliseconds) => {
                waits::<AwaitDhcp, _>(move || self.await_dhcp(milliseconds))
            }
            #[cfg(not(feature = "dhcp6"))]
            Waiting::AwaitDhcp6(_) => Operation::done(Err(Error::Unsupported)),
            #[cfg(feature = "dhcp6")]
            Waiting::AwaitDhcp6(milliseconds) => {
                waits::<AwaitDhcp6, _>(move || self.await_dhcp6(milliseconds))
            }
            Waiting::Connect(remote) => waits::<Connect, _>(move || self.connect(remote)),
            Waiting::NextConnection(()) => {
                waits::<NextConnection, _>(|| self.next_connection(|| Ok(None)))
            }
            Waiting::SendTo(datagram) => waits::<SendTo, _>(move || async move {
                self.datagram()?.send_to(&datagram.data, datagram.remote).await
            }),
            Waiting::ReceiveFrom(()) => waits::<ReceiveFrom, _>(|| self.receive_from()),
            Waiting::Peek(most) => {
                waits::<Peek, _>(move || async move { self.handle()?.peek(most).await })
            }
        }
    }
}
