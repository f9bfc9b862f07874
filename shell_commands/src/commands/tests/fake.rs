//! Fake devices of two interfaces and of the sockets, with plain state: they apply or refuse
//! requests as Linux does, and record every change.

use std::net::IpAddr;
use std::sync::Arc;

use devnet_network::address::Prefix;
use devnet_network::command::address::{AddressChange, AddressDetail, AddressEntry, Broadcast};
use devnet_network::command::configuration::{ConfigurationChange, ConfigurationOutcome};
use devnet_network::command::dhcp::{DhcpState, DhcpStatus};
use devnet_network::command::dhcp6::{Dhcp6Mode, Dhcp6Status};
use devnet_network::command::dns::{
    Answer, CacheEntry, DnsSecurity, DnsSecurityChange, DnsServer, Query, Record, RecordData,
    RecordKind, Reply, SecureServer,
};
use devnet_network::command::interface::{
    InterfaceDetails, InterfaceFlags, InterfaceOption, InterfaceStatus,
};
use devnet_network::command::mdns::{
    ClaimState, FoundService, LocalService, MulticastDnsMode, MulticastDnsStatus, PublishedService,
};
use devnet_network::command::multicast::{GroupDetail, GroupEntry};
use devnet_network::command::neighbor::{NeighborEntry, NeighborState, ProxyEntry};
use devnet_network::command::record::{MailExchange, RecordType, ResourceData, ResourceRecord};
use devnet_network::command::route::{
    ChangeMode, RouteChange, RouteChoice, RouteDetail, RouteEntry, RouteFilter, RoutePreference,
};
use devnet_network::command::table::{Request, TABLE};
use devnet_network::command::{address::Origin, address::Scope};
use devnet_virtual_file_system::{
    Authority, CharacterDevice, CommandEntry, Error, Identifier, Lock, OpenDevice, OpenFlags,
    OpenRequest, Operation, Readiness, Result, encode,
};
use serde::Serialize;

use crate::render::samples;
use crate::testing::World;

/// One interface's state.
pub(super) struct State {
    pub(super) status: InterfaceStatus,
    pub(super) details: InterfaceDetails,
    pub(super) addresses: Vec<AddressEntry>,
    pub(super) routes: Vec<RouteEntry>,
    pub(super) proxies: Vec<IpAddr>,
    pub(super) groups: Vec<IpAddr>,
    pub(super) neighbors: Vec<NeighborEntry>,
    pub(super) dns: Vec<DnsServer>,
    pub(super) dhcp: DhcpStatus,
    pub(super) dhcp6: Dhcp6Status,
    /// No server answers the DHCP client.
    pub(super) no_server: bool,
    /// The requested changes, in order.
    pub(super) changes: Vec<String>,
}

/// The state that tests check.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) eth0: Arc<Lock<State>>,
}

impl Network {
    pub(super) fn mount(world: &World) -> Self {
        let state = |status: InterfaceStatus, addresses, routes| State {
            details: samples::details(&status.name),
            status,
            addresses,
            routes,
            proxies: vec![],
            groups: vec![],
            neighbors: Vec::new(),
            dns: Vec::new(),
            dhcp: DhcpStatus { state: DhcpState::Stopped, lease: None, attempts: 0 },
            dhcp6: Dhcp6Status::default(),
            no_server: false,
            changes: Vec::new(),
        };
        let down = InterfaceFlags::BROADCAST | InterfaceFlags::MULTICAST;
        let ethernet = InterfaceStatus { enabled: false, flags: down, ..samples::ethernet() };
        let lo =
            Arc::new(Lock::new(state(samples::loopback(), samples::loopback_addresses(), vec![])));
        let eth0 = Arc::new(Lock::new(state(ethernet, vec![], vec![])));
        world.mount("/devices/network/lo", Arc::new(Device { state: lo, sockets: false }));
        world.mount(
            "/devices/network/eth0",
            Arc::new(Device { state: Arc::clone(&eth0), sockets: false }),
        );
        world.mount(
            "/devices/sockets",
            Arc::new(Device { state: Arc::clone(&eth0), sockets: true }),
        );
        Self { eth0 }
    }

    pub(super) fn prefixes(&self) -> Vec<String> {
        self.eth0
            .with(|state| state.addresses.iter().map(|entry| entry.prefix.to_string()).collect())
    }

    pub(super) fn changes(&self) -> Vec<String> {
        self.eth0.with(|state| std::mem::take(&mut state.changes))
    }

    pub(super) fn is_up(&self) -> bool {
        self.eth0.with(|state| state.status.enabled)
    }
}

struct Device {
    state: Arc<Lock<State>>,
    sockets: bool,
}

struct OpenFile {
    state: Arc<Lock<State>>,
    sockets: bool,
    writable: bool,
    read: Lock<bool>,
    /// What a file reads that watches services.
    records: Lock<Vec<u8>>,
}

impl CharacterDevice for Device {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        let writable = request.flags.contains(OpenFlags::WRITE);
        let (state, sockets) = (Arc::clone(&self.state), self.sockets);
        Ok(Arc::new(OpenFile {
            state,
            sockets,
            writable,
            read: Lock::new(false),
            records: Lock::default(),
        }))
    }
}

impl OpenDevice for OpenFile {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        if self.read.with(|read| std::mem::replace(read, true)) {
            return Operation::done(Ok(0));
        }
        let records = self.records.with(std::mem::take);
        if !records.is_empty() {
            buffer[..records.len()].copy_from_slice(&records);
            return Operation::done(Ok(records.len()));
        }
        let text = self.state.with(|state| format!("name {}\n", state.status.name));
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        Operation::done(Ok(text.len()))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        let text = std::str::from_utf8(data).unwrap().trim_end();
        let known = self.state.with(|state| {
            state.changes.push(format!("text {text}"));
            text == "link up"
        });
        Operation::done(if known { Ok(data.len()) } else { Err(Error::InvalidInput) })
    }

    fn commands(&self) -> Vec<CommandEntry> {
        TABLE.to_vec()
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        let Some(decoded) = Request::decode(identifier, request) else {
            return Operation::done(Err(Error::UnknownCommand));
        };
        if Request::authority(identifier) == Some(Authority::Write) && !self.writable {
            return Operation::done(Err(Error::PermissionDenied));
        }
        if let Ok(Request::WatchServices(watch)) = &decoded {
            self.records.with(|records| *records = names::changes(&watch.service_type));
        }
        let answer = decoded
            .and_then(|decoded| self.state.with(|state| answer(state, &decoded, self.sockets)));
        Operation::done(answer)
    }

    fn poll_ready(
        &self,
        _: &mut std::task::Context<'_>,
        interest: Readiness,
    ) -> std::task::Poll<Readiness> {
        std::task::Poll::Ready(interest)
    }
}

fn set_option(state: &mut State, option: &InterfaceOption) -> bool {
    match option {
        InterfaceOption::Name(name) => state.status.name.clone_from(name),
        InterfaceOption::Description(text) => state.details.description.clone_from(text),
        InterfaceOption::Promiscuous(is_on) => {
            state.status.flags.set(InterfaceFlags::PROMISCUOUS, *is_on);
        }
        InterfaceOption::AllMulticast(is_on) => {
            state.status.flags.set(InterfaceFlags::ALL_MULTICAST, *is_on);
        }
        InterfaceOption::Arp(is_on) => state.status.flags.set(InterfaceFlags::NO_ARP, !*is_on),
        InterfaceOption::TransmitQueue(frames) => state.details.transmit_queue = *frames,
        other => panic!("no command sets {other:?}"),
    }
    true
}

#[expect(clippy::too_many_lines, reason = "an arm for each command that it has")]
fn answer(state: &mut State, request: &Request, sockets: bool) -> Result<Vec<u8>> {
    if !matches!(
        request,
        Request::GetInterface(())
            | Request::GetStatistics(())
            | Request::ListInterfaceDetails(())
            | Request::ListAddresses(())
            | Request::ListRoutes(())
            | Request::ListRoutePreferences(())
            | Request::ListMultipathRoutes(())
            | Request::ListRouteDetails(())
            | Request::ListAddressDetails(())
    ) {
        state.changes.push(format!("{request:?}"));
    }
    match request {
        Request::GetInterface(()) => encode(&state.status),
        Request::GetStatistics(()) => encode(&samples::statistics()),
        Request::ListInterfaceDetails(()) => encode(&vec![&state.details]),
        Request::SetInterfaceOption(option) => encode(&set_option(state, option)),
        Request::ListAddresses(()) => encode(&state.addresses),
        Request::ListRoutes(()) => encode(&state.routes),
        Request::ListRouteDetails(()) => {
            encode(&state.routes.iter().cloned().map(RouteDetail::from).collect::<Vec<_>>())
        }
        Request::ListAddressDetails(()) => {
            encode(&state.addresses.iter().copied().map(AddressDetail::from).collect::<Vec<_>>())
        }
        Request::SetRoute(change) => set_route(state, change),
        Request::RemoveRoutes(filter) => remove_routes(state, filter),
        Request::SetAutoconfiguration(_) => encode(&true),
        Request::SetAddress(change) => set_address(state, change),
        Request::ReplaceAddresses(new) => {
            state.addresses.retain(|entry| new.iter().any(|new| new.prefix == entry.prefix));
            for new in new {
                if !state.addresses.iter().any(|entry| entry.prefix == new.prefix) {
                    let entry = samples::address(&new.prefix.to_string(), Scope::Global);
                    let broadcast = new.broadcast.or(entry.broadcast);
                    state.addresses.push(AddressEntry { broadcast, ..entry });
                }
            }
            encode(&true)
        }
        Request::SetMultipathRoute(_) => encode(&true),
        Request::ListMultipathRoutes(()) => encode(&samples::multipath(&state.routes)),
        Request::FindFlowRoute(flow) => find(state, flow.destination),
        Request::ListRoutePreferences(()) => encode(&Vec::<RoutePreference>::new()),
        Request::ListNeighbors(()) => encode(&state.neighbors),
        Request::ListSockets(()) => encode(&samples::sockets()),
        Request::ListUsage(()) => encode(&samples::usage()),
        Request::ListDrops(()) => encode(&samples::drops()),
        Request::ListCounters(()) => encode(&samples::counters()),
        Request::GetMetrics(()) => encode("# EOF\n"),
        Request::ExportConfiguration(_) => encode("link up\nmtu 1400\n"),
        Request::ApplyConfiguration(_) | Request::CheckConfiguration(_) => {
            encode(&ConfigurationOutcome {
                changes: vec![ConfigurationChange {
                    interface: "eth0".into(),
                    removed: vec!["link down".into()],
                    added: vec!["mtu 1400".into(), "link up".into()],
                }],
                notes: Vec::new(),
            })
        }
        Request::ListDnsServers(()) => encode(&state.dns),
        Request::GetDhcp(()) => encode(&state.dhcp),
        Request::SetEnabled(enabled) => {
            state.status.flags.set(InterfaceFlags::UP | InterfaceFlags::RUNNING, *enabled);
            changed(&mut state.status.enabled, *enabled)
        }
        Request::SetMtu(mtu) if (68..=state.status.mtu_maximum).contains(mtu) => {
            changed(&mut state.status.mtu, *mtu)
        }
        Request::SetHardwareAddress(address) if address.is_unicast() => {
            changed(&mut state.status.hardware_address, Some(*address))
        }
        Request::SetHardwareAddress(_) => Err(Error::AddressNotAvailable),
        Request::SetMetric(metric) => changed(&mut state.status.metric, *metric),
        Request::FindRoute(destination) => find(state, *destination),
        Request::Resolve(question) => resolve(&question.name, question.kind),
        Request::ListDnsCache(()) => encode(&names::kept()),
        Request::FlushDnsCache(()) => encode(&2_u32),
        Request::QueryRecords(query) => encode(&names::query(query)?),
        Request::ChangeDnsSecurity(DnsSecurityChange::Remove(_)) => Err(Error::NotFound),
        Request::ChangeDnsSecurity(_) => encode(&true),
        Request::GetDnsSecurity(()) => encode(&names::security()),
        Request::ListMulticastDns(()) => encode(&names::of_link()),
        Request::SetMulticastDns(_) | Request::ChangeServices(_) => encode(&true),
        Request::BrowseServices(_) => encode(&names::services()),
        Request::AddFirewallRule(_) | Request::FlushFirewallRules(_) => encode(&3_u32),
        Request::ReplaceFirewallRule(_)
        | Request::SetFirewallPolicy(_)
        | Request::SetFirewallProfile(_) => encode(&true),
        Request::RemoveFirewallRule(7) => Err(Error::NotFound),
        Request::RemoveFirewallRule(_) | Request::ResetFirewall(()) => encode(&()),
        Request::FlushFlows(()) => encode(&1_u32),
        Request::ListFirewall(()) => encode(&super::filtering::chains()),
        Request::ListFlows(()) => encode(&super::filtering::flows()),
        Request::WatchServices(_) => encode(&()),
        Request::AddRoute(_) | Request::RemoveRoute(_) => route(state, request, sockets),
        Request::AddAddress(_) | Request::RemoveAddress(_) | Request::FlushAddresses(()) => {
            address(state, request)
        }
        Request::AddGroup(group) if !group.is_multicast() => Err(Error::InvalidInput),
        Request::AddGroup(group) if state.groups.contains(group) => Err(Error::AlreadyExists),
        Request::AddGroup(group) => {
            state.groups.push(*group);
            encode(&())
        }
        Request::RemoveGroup(group) => {
            remove(&mut state.groups, |known| known == group, Error::NotFound)
        }
        Request::ListGroupDetails(()) => encode(&groups(&state.status.name, &state.groups)),
        Request::AddProxy(address) => {
            state.proxies.push(*address);
            encode(&true)
        }
        Request::RemoveProxy(address) => {
            remove(&mut state.proxies, |known| known == address, Error::NotFound)
        }
        Request::ListProxies(()) => {
            let entry =
                |address: &IpAddr| ProxyEntry { address: *address, interface: "eth0".into() };
            encode(&state.proxies.iter().map(entry).collect::<Vec<_>>())
        }
        Request::AddNeighbor(_) | Request::RemoveNeighbor(_) | Request::FlushNeighbors(()) => {
            neighbor(state, request)
        }
        Request::StartDhcp(_)
        | Request::StartDhcpClient(_)
        | Request::StopDhcp(())
        | Request::RenewDhcp(())
        | Request::AwaitDhcp(_) => dhcp(state, request),
        Request::SetDhcp6Client(options) => {
            let is_changed = state.dhcp6.options != *options;
            state.dhcp6 = if options.mode == Dhcp6Mode::Off {
                Dhcp6Status::default()
            } else {
                Dhcp6Status { options: options.clone(), ..samples::dhcp6() }
            };
            encode(&is_changed)
        }
        Request::AwaitDhcp6(_) if state.no_server => Err(Error::TimedOut),
        Request::AwaitDhcp6(_) | Request::GetDhcp6(()) => encode(&state.dhcp6),
        Request::RenewDhcp6(()) => encode(&()),
        Request::SetDownstream(_) => encode(&true),
        Request::AddDnsServer(address) => {
            state.dns.push(DnsServer {
                address: *address,
                origin: Origin::Static,
                interface: "eth0".into(),
            });
            encode(&())
        }
        Request::RemoveDnsServer(address) => {
            remove(&mut state.dns, |server| server.address == *address, Error::NotFound)
        }
        _ => Err(Error::InvalidInput),
    }
}

fn set_address(state: &mut State, change: &AddressChange) -> Result<Vec<u8>> {
    if state.addresses.iter().any(|entry| entry.prefix == change.prefix) {
        return if change.replace { encode(&false) } else { Err(Error::AlreadyExists) };
    }
    let broadcast = match change.broadcast {
        Broadcast::Address(address) => Some(address),
        Broadcast::Default => change.prefix.broadcast(),
        Broadcast::None => None,
    };
    let entry = samples::address(&change.prefix.to_string(), Scope::Global);
    state.addresses.push(AddressEntry { broadcast, ..entry });
    encode(&true)
}

/// Of the verbs those that the tests use: new ones come first, a replacement takes the first place
/// of its equals.
fn set_route(state: &mut State, change: &RouteChange) -> Result<Vec<u8>> {
    if change.gateway.is_some_and(|gateway| !is_on_link(state, gateway)) {
        return Err(Error::NetworkUnreachable);
    }
    let entry = RouteEntry {
        destination: change.destination,
        gateway: change.gateway,
        metric: change.metric,
        origin: Origin::Static,
        source: change.source,
        interface: "eth0".into(),
        usable: true,
    };
    let is_equal =
        |known: &RouteEntry| known.destination == entry.destination && known.metric == entry.metric;
    let is_same = |known: &RouteEntry| is_equal(known) && known.gateway == entry.gateway;
    let first = state.routes.iter().position(is_equal);
    let is_there = state.routes.iter().any(is_same);
    match (change.mode, first) {
        (ChangeMode::Insert, Some(_)) => return Err(Error::AlreadyExists),
        (ChangeMode::Append | ChangeMode::Prepend, Some(_)) if is_there => {
            return Err(Error::AlreadyExists);
        }
        (ChangeMode::Change, None) => return Err(Error::NotFound),
        (ChangeMode::Replace | ChangeMode::Change, Some(first)) => state.routes[first] = entry,
        (ChangeMode::Append, Some(_)) => state.routes.push(entry),
        _ => state.routes.insert(0, entry),
    }
    encode(&true)
}

fn remove_routes(state: &mut State, filter: &RouteFilter) -> Result<Vec<u8>> {
    let mut removed = 0_u32;
    state.routes.retain(|route| {
        let goes = (filter.all || removed == 0)
            && filter.destination.is_none_or(|prefix| prefix == route.destination)
            && (filter.gateway.is_none() || filter.gateway == route.gateway)
            && filter.metric.is_none_or(|metric| metric == route.metric)
            && filter.ipv6.is_none_or(|ipv6| route.destination.address().is_ipv6() == ipv6);
        removed += u32::from(goes);
        !goes
    });
    if removed == 0 && !filter.all { Err(Error::NoSuchProcess) } else { encode(&removed) }
}

fn changed<T: PartialEq + Clone>(place: &mut T, value: T) -> Result<Vec<u8>>
where
    bool: Serialize,
{
    let changed = *place != value;
    *place = value;
    encode(&changed)
}

fn remove<T>(list: &mut Vec<T>, is_it: impl FnMut(&T) -> bool, absent: Error) -> Result<Vec<u8>> {
    let index = list.iter().position(is_it).ok_or(absent)?;
    list.remove(index);
    encode(&())
}

fn address(state: &mut State, request: &Request) -> Result<Vec<u8>> {
    match request {
        Request::AddAddress(new) => {
            if state.addresses.iter().any(|entry| entry.prefix == new.prefix) {
                return Err(Error::AlreadyExists);
            }
            let entry = samples::address(&new.prefix.to_string(), Scope::Global);
            state
                .addresses
                .push(AddressEntry { broadcast: new.broadcast.or(entry.broadcast), ..entry });
            encode(&())
        }
        Request::RemoveAddress(prefix) => remove(
            &mut state.addresses,
            |entry| entry.prefix == *prefix,
            Error::AddressNotAvailable,
        ),
        _ => {
            let count = state.addresses.len() as u32;
            state.addresses.clear();
            encode(&count)
        }
    }
}

fn is_on_link(state: &State, address: IpAddr) -> bool {
    state.addresses.iter().any(|entry| entry.prefix.contains(address))
}

fn route(state: &mut State, request: &Request, sockets: bool) -> Result<Vec<u8>> {
    match request {
        Request::AddRoute(new) => {
            if new.gateway.is_some_and(|gateway| !is_on_link(state, gateway)) {
                return Err(Error::NetworkUnreachable);
            }
            assert!(sockets || new.interface.is_none() || new.interface.as_deref() == Some("eth0"));
            let same = |route: &RouteEntry| {
                route.destination == new.destination && route.metric == new.metric
            };
            let equal =
                |route: &RouteEntry| same(route) && (!new.append || route.gateway == new.gateway);
            if state.routes.iter().any(equal) {
                return Err(Error::AlreadyExists);
            }
            state.routes.insert(
                0,
                RouteEntry {
                    destination: new.destination,
                    gateway: new.gateway,
                    metric: new.metric,
                    origin: Origin::Static,
                    source: None,
                    interface: "eth0".into(),
                    usable: true,
                },
            );
            encode(&())
        }
        Request::RemoveRoute(selector) => remove(
            &mut state.routes,
            |route| {
                route.destination == selector.destination
                    && (selector.gateway.is_none() || selector.gateway == route.gateway)
                    && selector.metric.is_none_or(|metric| metric == route.metric)
            },
            Error::NoSuchProcess,
        ),
        _ => Err(Error::InvalidInput),
    }
}

fn find(state: &State, destination: IpAddr) -> Result<Vec<u8>> {
    let on_link = state.addresses.iter().find(|entry| entry.prefix.contains(destination));
    let entry = on_link.ok_or(Error::NetworkUnreachable)?;
    let source = entry.prefix.address();
    let route = RouteEntry {
        destination: Prefix::network(entry.prefix),
        gateway: None,
        metric: 0,
        origin: Origin::Kernel,
        source: Some(source),
        interface: "eth0".into(),
        usable: true,
    };
    let route = (source != destination).then_some(route);
    let interface = if route.is_some() { "eth0".into() } else { "lo".into() };
    encode(&RouteChoice { destination, interface, gateway: None, source, route })
}

mod names {
    use devnet_network::command::event::{Change, Event, EventRecord, Report};

    use super::*;

    fn page() -> LocalService {
        LocalService {
            instance: "My page".into(),
            service_type: "_http._tcp".into(),
            port: 80,
            text: vec![b"path=/".to_vec()],
        }
    }

    pub(super) fn of_link() -> Vec<MulticastDnsStatus> {
        let page = PublishedService {
            name: "My page (2)".into(),
            state: ClaimState::Probing,
            service: page(),
        };
        let status = |interface: &str, mode, services| MulticastDnsStatus {
            interface: interface.into(),
            mode,
            host_name: String::new(),
            name: "devnet".into(),
            state: ClaimState::Announced,
            services,
        };
        vec![
            status("lo", MulticastDnsMode::Off, vec![]),
            status("eth0", MulticastDnsMode::On, vec![page]),
        ]
    }

    pub(super) fn services() -> Vec<FoundService> {
        let found = FoundService {
            interface: "eth0".into(),
            instance: "gone\u{1b}".into(),
            service_type: "_http._tcp".into(),
            host: String::new(),
            port: 0,
            addresses: vec![],
            text: vec![],
        };
        let page = FoundService {
            instance: "My page".into(),
            host: "printer.local".into(),
            port: 80,
            addresses: vec!["10.0.2.9".parse().unwrap(), "fd00::9".parse().unwrap()],
            text: page().text,
            ..found.clone()
        };
        vec![page, found]
    }

    /// One that is there, one that comes, both of which change, and one that goes.
    pub(super) fn changes(service_type: &str) -> Vec<u8> {
        let event = |change, service: &FoundService| Report::Event {
            interface: "eth0".into(),
            event: Event::Service(change, Box::new(service.clone())),
        };
        let mut services = services();
        services.iter_mut().for_each(|service| service.service_type = service_type.into());
        let [page, gone] = services.try_into().unwrap();
        let reports = [
            event(Change::Present, &page),
            Report::Idle,
            event(Change::Added, &gone),
            event(Change::Changed, &page),
            event(Change::Removed, &page),
            Report::Lost(3),
        ];
        let record = |report| {
            let time = devnet_network::platform::Instant::ZERO;
            EventRecord { sequence: 1, time, report }.to_bytes().unwrap()
        };
        reports.into_iter().flat_map(record).collect()
    }

    pub(super) fn security() -> DnsSecurity {
        let secure = |address: &str, name: &str| SecureServer {
            address: address.parse().unwrap(),
            name: name.into(),
            port: SecureServer::PORT,
        };
        let servers = vec![secure("1.1.1.1", "one.one.one.one"), secure("fd00::3", "fd00::3")];
        DnsSecurity { is_required: true, servers }
    }

    pub(super) fn kept() -> Vec<CacheEntry> {
        let record = ResourceRecord {
            name: "web.lan".into(),
            record_type: RecordType::A,
            time_to_live: 60,
            data: ResourceData::Address("10.0.2.4".parse().unwrap()),
        };
        let entry = |name: &str, code, records| CacheEntry {
            name: name.into(),
            record_type: RecordType::A,
            code,
            seconds: 9,
            server: "10.0.2.3:53".parse().unwrap(),
            interface: String::new(),
            records,
        };
        vec![entry("web.lan", 0, vec![record]), entry("gone\u{1b}.lan", 3, vec![])]
    }

    /// `web.lan` has everything that is asked for, as a text.
    pub(super) fn query(query: &Query) -> Result<Reply> {
        let text = format!("{} of {}", query.record_type, query.name);
        let record = |record_type, data| ResourceRecord {
            name: query.name.clone(),
            record_type,
            time_to_live: 60,
            data,
        };
        let exists = query.name == "web.lan" || query.name.ends_with("in-addr.arpa");
        let answers = match query.record_type {
            _ if query.name == "slow.lan" => return Err(Error::TimedOut),
            _ if !exists => vec![],
            RecordType::A => {
                let address = "10.0.2.4".parse().unwrap();
                vec![record(RecordType::A, ResourceData::Address(address))]
            }
            RecordType::AAAA => vec![],
            RecordType::PTR => vec![record(RecordType::PTR, ResourceData::Name("web.lan".into()))],
            RecordType::MX => {
                let mail = MailExchange { preference: 10, exchange: "mail.lan".into() };
                vec![record(RecordType::MX, ResourceData::MailExchange(mail))]
            }
            _ => vec![record(RecordType::TXT, ResourceData::Text(vec![text.into_bytes()]))],
        };
        let server = query.server.unwrap_or_else(|| "10.0.2.3:53".parse().unwrap());
        Ok(Reply {
            server,
            identifier: 4660,
            flags: 0x8180,
            code: if exists { 0 } else { 3 },
            name: query.name.clone(),
            payload: Some(1232),
            bytes: 100,
            answers,
            authority: vec![],
            additional: vec![],
        })
    }
}

fn resolve(name: &str, kind: RecordKind) -> Result<Vec<u8>> {
    let data = match (name, kind) {
        ("web.lan", RecordKind::Address | RecordKind::A) => {
            RecordData::Address("10.0.2.4".parse().unwrap())
        }
        ("10.0.2.4", RecordKind::Ptr) => RecordData::Ptr("web.lan".into()),
        ("web.lan", _) => return encode(&Answer { server: None, records: vec![] }),
        ("slow.lan", _) => return Err(Error::TimedOut),
        _ => return Err(Error::NotFound),
    };
    let name = if kind == RecordKind::Ptr { "4.2.0.10.in-addr.arpa" } else { name };
    let record = Record { name: name.into(), data, time_to_live: 60 };
    encode(&Answer { server: Some("10.0.2.3:53".parse().unwrap()), records: vec![record] })
}

fn neighbor(state: &mut State, request: &Request) -> Result<Vec<u8>> {
    match request {
        Request::AddNeighbor(new) => {
            state.neighbors.retain(|entry| entry.address != new.address);
            state.neighbors.push(NeighborEntry {
                address: new.address,
                hardware_address: Some(new.hardware_address),
                state: NeighborState::Permanent,
                router: false,
                age_milliseconds: 0,
            });
            encode(&())
        }
        Request::RemoveNeighbor(address) => {
            remove(&mut state.neighbors, |entry| entry.address == *address, Error::NotFound)
        }
        _ => encode(&0_u32),
    }
}

fn dhcp(state: &mut State, request: &Request) -> Result<Vec<u8>> {
    match request {
        Request::StartDhcp(_) | Request::StartDhcpClient(_) => {
            state.dhcp.state = DhcpState::Bound;
            state.dhcp.lease = Some(samples::lease());
            encode(&true)
        }
        Request::AwaitDhcp(_) if state.no_server => Err(Error::TimedOut),
        Request::AwaitDhcp(_) => encode(&state.dhcp),
        Request::StopDhcp(()) => {
            state.dhcp = DhcpStatus { state: DhcpState::Stopped, lease: None, attempts: 0 };
            encode(&true)
        }
        _ => encode(&()),
    }
}

/// Those that commands joined on an interface, and that of every host.
fn groups(interface: &str, joined: &[IpAddr]) -> Vec<GroupDetail> {
    let group = |group: IpAddr, from_command: bool| GroupDetail {
        entry: GroupEntry { group, interface: interface.into(), sockets: 0 },
        from_command,
        implied: !from_command,
    };
    let every = group(IpAddr::from([224, 0, 0, 1]), false);
    std::iter::once(every).chain(joined.iter().map(|joined| group(*joined, true))).collect()
}
