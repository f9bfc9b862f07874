//! What each command does: one match for immediate commands, one for waiting ones.
//!
//! Both are exhaustive, so a row of the table without an arm does not compile. They only translate:
//! the stack and the sockets have the operations.

use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Operation, Result, encode};
use serde::Serialize;

use super::interfaces::{replace_addresses, usage};
use super::metrics::{self, Metrics};
use super::open::{HAS_TEXT, OpenFile};
use crate::command::address::Origin;
use crate::command::line_error::LastError;
use crate::command::watch::WatchOptions;
use crate::command::{Immediate, Request, Timing, Waiting};
use crate::stack::Stack;

pub(super) fn reply<T: Serialize>(outcome: Result<T>) -> Result<Vec<u8>> {
    outcome.and_then(|value| encode(&value))
}

impl OpenFile {
    /// Executes a command, if the file's mode allows it.
    pub(super) fn execute(&self, request: Request) -> Operation<'_, Vec<u8>> {
        if !request.is_supported() {
            return Operation::done(Err(Error::Unsupported));
        }
        if let Err(refusal) = self.state.with(|state| state.mode()).after(&request) {
            return Operation::done(Err(refusal));
        }
        match request.timing() {
            Timing::Immediate(request) => self.execute_now(request),
            Timing::Waiting(request) => Operation::waiting(self.execute_waiting(request)),
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each row of the table")]
    fn execute_now(&self, request: Immediate) -> Operation<'_, Vec<u8>> {
        let outcome = match request {
            Immediate::GetInterface(()) => {
                reply(self.read_now(|stack| stack.context.configuration.status(stack.context.now)))
            }
            Immediate::ListInterfaces(()) => reply(Ok(self.collect_now(|stack| {
                alloc::vec![stack.context.configuration.status(stack.context.now)]
            }))),
            Immediate::SetEnabled(enabled) => reply(self.on(|stack| stack.set_enabled(enabled))),
            Immediate::SetHardwareAddress(address) => reply(self.set_hardware_address(address)),
            Immediate::SetMtu(mtu) => reply(self.change(|stack| stack.set_mtu(mtu))),
            Immediate::SetMetric(metric) => {
                reply(self.on(|stack| stack.ip.set_metric(&mut stack.context, metric)))
            }
            Immediate::SetAdvertisement(what) => reply(
                self.change(|stack| stack.advertiser.set(&mut stack.context, &mut stack.ip, what)),
            ),
            Immediate::GetStatistics(()) => reply(self.read_now(|stack| stack.context.statistics)),
            Immediate::GetSynCookies(()) => {
                reply(self.read_now(|stack| stack.transport.tcp.cookies.counters))
            }
            Immediate::ListUsage(()) => reply(Ok(self.collect(|stack| alloc::vec![usage(stack)]))),
            Immediate::SetInterfaceOption(option) => reply(self.set_interface_option(option)),
            Immediate::ListInterfaceDetails(()) => reply(Ok(self.interface_details())),
            Immediate::ListDrops(()) => reply(Ok(self.collect(|stack| {
                stack.context.statistics.drop_counts(&stack.context.configuration.name)
            }))),
            Immediate::ListCounters(()) => reply(Ok(self.collect(|stack| {
                alloc::vec![stack.context.counters.list(&stack.context.configuration.name)]
            }))),
            Immediate::GetMetrics(()) => {
                reply(Ok(metrics::text(&self.collect_now(|stack| alloc::vec![Metrics::of(stack)]))))
            }
            Immediate::ListAddresses(()) => {
                reply(Ok(self.collect_now(|stack| stack.address_entries())))
            }
            Immediate::AddAddress(new) => reply(
                self.change(|stack| stack.ip.add_address(&mut stack.context, &new, Origin::Static)),
            ),
            Immediate::SetAddress(change) => {
                reply(self.change(|stack| stack.ip.set_address(&mut stack.context, &change)))
            }
            Immediate::ListAddressDetails(()) => reply(Ok(
                self.collect_now(|stack| stack.ip.address_details(stack.address_entries()))
            )),
            Immediate::RemoveAddress(prefix) => {
                reply(self.change(|stack| stack.remove_address(prefix)))
            }
            Immediate::FlushAddresses(()) => reply(self.on(Stack::flush_addresses)),
            Immediate::ReplaceAddresses(new) => {
                reply(self.change(|stack| replace_addresses(stack, &new)))
            }
            // They wait for nothing, but long ones are made in several turns.
            Immediate::ListRoutes(()) => return Operation::turns(self.list_routes()),
            Immediate::ListRouteDetails(()) => return Operation::turns(self.list_route_details()),
            Immediate::ListNeighbors(()) => return Operation::turns(self.list_neighbors()),
            Immediate::ListSockets(()) => return Operation::turns(self.list_sockets()),
            // A build without text has no code for them.
            Immediate::ExportConfiguration(is_for_read) if HAS_TEXT => {
                return Operation::turns(self.export_configuration(is_for_read));
            }
            Immediate::ApplyConfiguration(piece) if HAS_TEXT => {
                return Operation::turns(self.configure(piece, false));
            }
            Immediate::CheckConfiguration(piece) if HAS_TEXT => {
                return Operation::turns(self.configure(piece, true));
            }
            Immediate::ExportConfiguration(_)
            | Immediate::ApplyConfiguration(_)
            | Immediate::CheckConfiguration(_) => Err(Error::Unsupported),
            Immediate::ListRoutePreferences(()) => reply(Ok(
                self.collect(|stack| stack.ip.route_preferences(&stack.context).collect())
            )),
            Immediate::AddRoute(new) => reply(self.add_route(&new)),
            Immediate::RemoveRoute(selector) => reply(self.remove_route(&selector)),
            Immediate::SetRoute(change) => reply(self.set_route(&change)),
            Immediate::RemoveRoutes(filter) => reply(self.remove_routes(&filter)),
            Immediate::FindRoute(destination) => reply(self.find_route(destination)),
            names @ (Immediate::ListDnsServers(())
            | Immediate::AddDnsServer(_)
            | Immediate::RemoveDnsServer(_)
            | Immediate::ListDnsCache(())
            | Immediate::FlushDnsCache(())
            | Immediate::SetResolverOption(_)
            | Immediate::GetResolver(())
            | Immediate::SetSearchDomains(_)
            | Immediate::ListHosts(())
            | Immediate::ChangeHosts(_)) => self.execute_names(names),
            Immediate::StartDhcp(options) => reply(self.change(|stack| {
                stack.dhcp.start(&mut stack.context, &mut stack.ip, options.into())
            })),
            Immediate::StartDhcpClient(options) => reply(
                self.change(|stack| stack.dhcp.start(&mut stack.context, &mut stack.ip, options)),
            ),
            Immediate::ListDhcpOptions(()) => {
                reply(self.read_now(|stack| stack.dhcp.lease_options()))
            }
            Immediate::StopDhcp(()) => reply(self.on(Stack::stop_dhcp)),
            Immediate::RenewDhcp(()) => {
                reply(self.change(|stack| stack.dhcp.renew(&mut stack.context, &mut stack.ip)))
            }
            Immediate::GetDhcp(()) => {
                reply(self.read_now(|stack| stack.dhcp.status(&stack.context)))
            }
            Immediate::StartDhcpServer(options) => {
                reply(self.change(|stack| {
                    stack.dhcp_server.start(&mut stack.context, &stack.ip, options)
                }))
            }
            Immediate::StopDhcpServer(()) => {
                reply(self.on(|stack| stack.dhcp_server.stop(&mut stack.context)))
            }
            Immediate::GetDhcpServer(()) => {
                reply(self.read_now(|stack| stack.dhcp_server.status()))
            }
            Immediate::ListDhcpLeases(()) => {
                reply(self.read_now(|stack| stack.dhcp_server.list(&stack.context)))
            }
            Immediate::ChangeDhcpLeases(what) => {
                reply(self.change(|stack| stack.dhcp_server.change(&mut stack.context, &what)))
            }
            Immediate::AddNeighbor(new) => {
                reply(self.change(|stack| stack.ip.add_neighbor(&mut stack.context, &new)))
            }
            Immediate::RemoveNeighbor(address) => reply(
                self.change(|stack| stack.ip.link.remove_neighbor(&mut stack.context, address)),
            ),
            Immediate::FlushNeighbors(()) => reply(
                self.on(|stack| stack.ip.link.neighbors.flush(|_, is_permanent| !is_permanent)),
            ),
            Immediate::CreateSocket(kind) => reply(self.create_socket(kind)),
            Immediate::Bind(local) => reply(self.bind(local)),
            Immediate::Listen(backlog) => reply(self.listen(backlog)),
            Immediate::Accept(token) => reply(self.accept(token)),
            Immediate::GetSocket(()) => reply(self.socket_status()),
            Immediate::Shutdown(direction) => reply(self.shutdown(direction)),
            Immediate::SetOption(option) => reply(self.set_option(&option)),
            Immediate::GetOptions(()) => reply(self.options()),
            Immediate::GetFurtherOptions(()) => reply(self.further_options()),
            Immediate::TakeError(()) => reply(self.take_error()),
            Immediate::JoinGroup(membership) => reply(self.join_group(&membership)),
            Immediate::LeaveGroup(membership) => reply(self.leave_group(&membership)),
            Immediate::ReceiveError(()) => {
                reply(self.datagram().and_then(|socket| socket.receive_error()))
            }
            Immediate::ListGroups(()) => {
                reply(Ok(self.collect(|stack| stack.ip.group_entries(&stack.context))))
            }
            Immediate::GetStreamStatistics(()) => reply(self.stream_statistics()),
            Immediate::EndConnection(name) => reply(self.end_connection(&name)),
            Immediate::GetConnection(name) => reply(self.connection(&name)),
            Immediate::Watch(kinds) => reply(self.watch(WatchOptions::lines(kinds))),
            Immediate::WatchEvents(options) => reply(self.watch(options)),
            Immediate::Capture(options) => reply(self.capture(options)),
            Immediate::GetCapture(()) => reply(self.capture_statistics()),
            Immediate::SetSystemOption(option) => reply(self.set_system_option(option)),
            Immediate::ListSystemOptions(()) => reply(self.system_options()),
            Immediate::GetLastError(()) => {
                let last = self.last_error().filter(|_| HAS_TEXT);
                reply(Ok(last.as_ref().map(LastError::from)))
            }
        };
        Operation::done(outcome)
    }

    async fn execute_waiting(&self, request: Waiting) -> Result<Vec<u8>> {
        match request {
            #[cfg(feature = "dns")]
            Waiting::Resolve(question) => reply(self.sockets.resolver().resolve(&question).await),
            #[cfg(feature = "dns")]
            Waiting::QueryRecords(query) => reply(self.sockets.resolver().query(&query).await),
            #[cfg(not(feature = "dns"))]
            Waiting::Resolve(_) | Waiting::QueryRecords(_) => Err(Error::Unsupported),
            Waiting::AwaitDhcp(milliseconds) => reply(self.await_dhcp(milliseconds).await),
            Waiting::Connect(remote) => reply(self.connect(remote).await),
            Waiting::NextConnection(()) => reply(self.next_connection(|| Ok(None)).await),
            Waiting::SendTo(datagram) => {
                reply(self.datagram()?.send_to(&datagram.data, datagram.remote).await)
            }
            Waiting::ReceiveFrom(()) => reply(self.receive_from().await),
            Waiting::Peek(most) => reply(self.handle()?.peek(most).await),
        }
    }
}
