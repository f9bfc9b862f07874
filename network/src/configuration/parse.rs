//! Sections and lines of a text.
//!
//! Lines are those of [`text`](crate::command::text) that say what shall be. Those that change what
//! is there, as `address remove`, have no place in a configuration.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::mem::discriminant;

use devnet_virtual_file_system::Error;

use super::matcher::Matcher;
use super::{At, Section, Sections, Wanted, WantedSystem};
use crate::command::address::{AddressChange, Broadcast};
use crate::command::dhcp_server::LeaseChange;
use crate::command::dns::{DnsSecurityChange, HostsChange};
use crate::command::firewall::{ChainPolicy, FirewallChain, RulePlace};
use crate::command::interface::{Advertisement, InterfaceOption, is_name};
use crate::command::line_error::{Fault, LineError};
use crate::command::mdns::ServiceChange;
use crate::command::route::{ChangeMode, MultipathChange, RouteChange, RouteKind};
use crate::command::router::{RouterAdvertisement, RouterChange};
use crate::command::system::SystemOption;
use crate::command::{Request, text};
use crate::features::is_supported;
use crate::limits;

/// The forms of the lines that begin a section.
pub(crate) const SECTION_FORMS: [&str; 3] =
    ["system", "interface INTERFACE", "match [name PATTERN] [order NUMBER] [mac MAC] [kind KIND]"];

/// Reads a text line by line.
#[derive(Debug)]
pub(crate) struct Parser {
    sections: Sections,
    place: Place,
    /// The name of the device's interface; none for the whole system.
    own: Option<String>,
    has_lines: bool,
    last: u32,
}

/// The section that lines belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    None,
    System,
    Interface,
}

type Outcome = core::result::Result<(), LineError>;

/// A line that cannot stand in a configuration, and why.
fn wrong(line: u32, text: &str, reason: impl Into<String>) -> LineError {
    LineError::misplaced(line, text, reason.into())
}

/// Says a value that may be said once.
fn once<T>(slot: &mut Option<At<T>>, line: u32, text: &str, value: T) -> Outcome {
    match slot {
        Some(known) => Err(wrong(line, text, format!("line {} says it already", known.line))),
        None => {
            *slot = Some(At { line, value });
            Ok(())
        }
    }
}

/// Says a value of an enumeration, of each variant once.
fn once_of_kind<T>(said: &mut Vec<At<T>>, line: u32, text: &str, value: T) -> Outcome {
    let kind = discriminant(&value);
    match said.iter().find(|at| discriminant(&at.value) == kind) {
        Some(known) => Err(wrong(line, text, format!("line {} says it already", known.line))),
        None => {
            said.push(At { line, value });
            Ok(())
        }
    }
}

/// Domains of a further line come after those of the lines before: one line may be too short.
fn add_domains(slot: &mut Option<At<Vec<String>>>, line: u32, mut value: Vec<String>) {
    match slot {
        Some(known) => known.value.append(&mut value),
        None => *slot = Some(At { line, value }),
    }
}

/// What `advertise` says. A further line with the same prefix has more name servers: one line may
/// be too short.
fn advertise(
    said: &mut Vec<At<RouterChange>>,
    line: u32,
    text: &str,
    what: &Advertisement,
) -> Outcome {
    let router =
        RouterAdvertisement::of(what).map_err(|error| LineError::refused(line, text, error))?;
    for prefix in router.prefixes {
        let is_known = said.iter().any(|at| at.value == RouterChange::Prefix(prefix));
        if !is_known {
            if let Some(known) = said.first() {
                return Err(wrong(line, text, format!("line {} says it already", known.line)));
            }
            said.push(At { line, value: RouterChange::Prefix(prefix) });
        }
    }
    let servers = router.dns_servers.into_iter().map(RouterChange::DnsServer);
    said.extend(servers.map(|value| At { line, value }));
    Ok(())
}

/// A change of what is advertised. Each thing is said once, and nothing beside that it is off.
fn router_change(
    said: &mut Vec<At<RouterChange>>,
    line: u32,
    text: &str,
    value: RouterChange,
) -> Outcome {
    let is_same = |known: &RouterChange| match (known, &value) {
        (RouterChange::Stop, _) | (_, RouterChange::Stop) => true,
        (RouterChange::Set(_), RouterChange::Set(_)) => true,
        (RouterChange::Prefix(one), RouterChange::Prefix(other)) => {
            one.prefix.network() == other.prefix.network()
        }
        (RouterChange::Route(one), RouterChange::Route(other)) => {
            one.prefix.network() == other.prefix.network()
        }
        (RouterChange::Nat64(one), RouterChange::Nat64(other)) => {
            one.prefix.network() == other.prefix.network()
        }
        _ => false,
    };
    if matches!(value, RouterChange::Remove(_)) {
        return Err(wrong(line, text, "no line of the section of an interface"));
    }
    match said.iter().find(|at| is_same(&at.value)) {
        Some(known) => Err(wrong(line, text, format!("line {} says it already", known.line))),
        None => {
            said.push(At { line, value });
            Ok(())
        }
    }
}

impl Parser {
    /// A parser for the device of an interface, whose text is one section without a name, or for
    /// the whole system.
    pub(crate) fn new(own: Option<&str>) -> Self {
        let mut sections = Sections::default();
        if let Some(name) = own {
            let (matcher, wanted) = (Matcher::named(name), Wanted::default());
            sections.interfaces = vec![Section { line: 1, matcher, wanted }];
        }
        let place = if own.is_some() { Place::Interface } else { Place::None };
        Self { sections, place, own: own.map(String::from), has_lines: false, last: 1 }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Why it cannot stand there.
    pub(crate) fn line(&mut self, number: u32, line: &str) -> Outcome {
        self.last = number;
        if line.len() > limits::LINE_BYTES {
            return Err(LineError { line: number, fault: Fault::LineTooLong });
        }
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (None, _) => return Ok(()),
            (Some(first), _) if first.starts_with('#') => return Ok(()),
            (Some("interface" | "match"), _) | (Some("system"), None) => {
                self.has_lines = true;
                return self.section(number, line);
            }
            _ => {}
        }
        self.has_lines = true;
        let Some(request) = text::parse_line(number, line)? else { return Ok(()) };
        if !is_supported(&request) {
            return Err(LineError::refused(number, line, Error::Unsupported));
        }
        match self.place {
            Place::None => {
                let forms = SECTION_FORMS.join(", or ");
                Err(wrong(number, line, format!("no section begins before it: {forms}")))
            }
            Place::System => self.of_system(number, line, request),
            Place::Interface => self.of_interface(number, line, request),
        }
    }

    /// The text is read.
    ///
    /// # Errors
    /// `InvalidInput` for a text without a line: an empty file would undo everything.
    pub(crate) fn finish(self) -> Result<Sections, LineError> {
        if self.has_lines {
            Ok(self.sections)
        } else {
            Err(wrong(self.last, "", "the text has no lines; `link down` is the least"))
        }
    }

    fn section(&mut self, number: u32, line: &str) -> Outcome {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if let Some(own) = &self.own {
            return Err(wrong(number, line, format!("all lines are about {own} here")));
        }
        let matcher = match words.as_slice() {
            ["system"] => {
                if let Some(known) = &self.sections.system {
                    let reason = format!("line {} begins this section already", known.line);
                    return Err(wrong(number, line, reason));
                }
                let system = WantedSystem { line: number, ..WantedSystem::default() };
                self.sections.system = Some(system);
                self.place = Place::System;
                return Ok(());
            }
            ["interface", name] => Ok(Matcher::named(name)),
            ["match", rest @ ..] => Matcher::parse(rest),
            _ => Err(Error::InvalidInput),
        };
        let is_match = words.first() == Some(&"match");
        // Only patterns have asterisks, which stand for what a name may have.
        let may_be = |name: &str| match is_match {
            true => is_name(&name.replace('*', "x")),
            false => is_name(name),
        };
        let is_possible = |matcher: &Matcher| matcher.name.as_deref().is_none_or(may_be);
        let Some(matcher) = matcher.ok().filter(is_possible) else {
            let form = usize::from(is_match) + 1;
            let form = SECTION_FORMS.get(form).copied().unwrap_or_default();
            return Err(wrong(number, line, format!("no such section; {form}")));
        };
        if let Some(name) = matcher.exact_name().filter(|name| matches!(*name, "any" | "sockets")) {
            return Err(wrong(number, line, format!("{name} is no name of an interface")));
        }
        if let Some(known) = self.sections.interfaces.iter().find(|one| one.matcher == matcher) {
            return Err(wrong(
                number,
                line,
                format!("line {} begins this section already", known.line),
            ));
        }
        if self.sections.interfaces.len() >= limits::CONFIGURATION_SECTIONS {
            return Err(LineError::refused(number, line, Error::NoBufferSpace));
        }
        let wanted = Wanted::default();
        self.sections.interfaces.push(Section { line: number, matcher, wanted });
        self.place = Place::Interface;
        Ok(())
    }

    fn of_system(&mut self, line: u32, text: &str, request: Request) -> Outcome {
        let Some(system) = &mut self.sections.system else { return Ok(()) };
        match request {
            Request::SetSystemOption(SystemOption::HostModel(model)) => {
                return once(&mut system.host_model, line, text, model);
            }
            Request::SetResolverOption(value) => {
                return once_of_kind(&mut system.options, line, text, value);
            }
            Request::AddDnsServer(value) => system.servers.push(At { line, value }),
            Request::SetSearchDomains(value) => add_domains(&mut system.domains, line, value),
            Request::ChangeHosts(HostsChange::Add(value)) => system.hosts.push(At { line, value }),
            Request::ChangeDnsSecurity(DnsSecurityChange::Add(value)) => {
                system.secure_servers.push(At { line, value });
            }
            Request::ChangeDnsSecurity(DnsSecurityChange::Require(value)) => {
                return once(&mut system.requires_security, line, text, value);
            }
            Request::SetRoute(value) if value.kind != RouteKind::Unicast => {
                system.routes.push(At { line, value });
            }
            _ => return Err(wrong(line, text, "no line of the section of the system")),
        }
        Ok(())
    }

    fn of_interface(&mut self, line: u32, text: &str, request: Request) -> Outcome {
        let Some(Section { wanted, .. }) = self.sections.interfaces.last_mut() else {
            return Ok(());
        };
        match request {
            Request::SetEnabled(value) => return once(&mut wanted.enabled, line, text, value),
            Request::SetHardwareAddress(value) => {
                return once(&mut wanted.hardware_address, line, text, value);
            }
            Request::SetMtu(value) => return once(&mut wanted.mtu, line, text, value),
            Request::SetMetric(value) => return once(&mut wanted.metric, line, text, value),
            Request::SetInterfaceOption(InterfaceOption::Name(_)) => {
                return Err(wrong(line, text, "the section says the name"));
            }
            Request::SetInterfaceOption(value) => {
                return once_of_kind(&mut wanted.options, line, text, value);
            }
            Request::SetAutoconfiguration(value) => {
                return once_of_kind(&mut wanted.autoconfiguration, line, text, value);
            }
            Request::SetAdvertisement(None) => {
                return router_change(&mut wanted.router, line, text, RouterChange::Stop);
            }
            Request::SetAdvertisement(Some(what)) => {
                return advertise(&mut wanted.router, line, text, &what);
            }
            Request::ChangeRouter(change) => {
                return router_change(&mut wanted.router, line, text, change);
            }
            Request::SetSearchDomains(value) => add_domains(&mut wanted.domains, line, value),
            Request::SetMulticastDns(value) => {
                return once_of_kind(&mut wanted.mdns, line, text, value);
            }
            Request::ChangeServices(ServiceChange::Publish(value)) => {
                wanted.services.push(At { line, value });
            }
            Request::AddAddress(new) => {
                let broadcast = new.broadcast.map_or(Broadcast::Default, Broadcast::Address);
                let value = AddressChange { broadcast, ..AddressChange::new(new.prefix) };
                wanted.addresses.push(At { line, value });
            }
            Request::SetAddress(value) => wanted.addresses.push(At { line, value }),
            Request::AddNeighbor(value) => wanted.neighbors.push(At { line, value }),
            Request::AddProxy(value) => wanted.proxies.push(At { line, value }),
            Request::AddGroup(value) => wanted.groups.push(At { line, value }),
            Request::AddDnsServer(value) => wanted.servers.push(At { line, value }),
            Request::AddRoute(new) => {
                let value = RouteChange {
                    mode: if new.append { ChangeMode::Append } else { ChangeMode::Insert },
                    destination: new.destination,
                    gateway: new.gateway,
                    metric: new.metric,
                    interface: new.interface,
                    ..RouteChange::default()
                };
                return Self::route(wanted, line, text, value.into());
            }
            Request::SetRoute(value) => return Self::route(wanted, line, text, value.into()),
            Request::SetMultipathRoute(value) => return Self::route(wanted, line, text, value),
            request => return Self::dhcp(wanted, line, text, request),
        }
        Ok(())
    }

    fn dhcp(wanted: &mut Wanted, line: u32, text: &str, request: Request) -> Outcome {
        match request {
            Request::StartDhcp(options) => once(&mut wanted.dhcp, line, text, Some(options.into())),
            Request::StartDhcpClient(options) => once(&mut wanted.dhcp, line, text, Some(options)),
            Request::SetFallback(value) => once(&mut wanted.fallback, line, text, value),
            Request::StopDhcp(()) => once(&mut wanted.dhcp, line, text, None),
            Request::StartDhcpServer(options) => {
                once(&mut wanted.dhcp_server, line, text, Some(options))
            }
            Request::StopDhcpServer(()) => once(&mut wanted.dhcp_server, line, text, None),
            Request::ChangeDhcpLeases(LeaseChange::Reserve(value)) => {
                wanted.reservations.push(At { line, value });
                Ok(())
            }
            Request::SetDhcp6Client(value) => once(&mut wanted.dhcp6, line, text, value),
            Request::SetDhcp6Server(value) => once(&mut wanted.dhcp6_server, line, text, value),
            Request::SetDownstream(value) => once(&mut wanted.downstream, line, text, value),
            request => Self::firewall(wanted, line, text, request),
        }
    }

    fn firewall(wanted: &mut Wanted, line: u32, text: &str, request: Request) -> Outcome {
        match request {
            Request::AddFirewallRule(new) if new.place == RulePlace::Last => {
                wanted.rules.push(At { line, value: (new.chain, new.rule) });
                Ok(())
            }
            Request::AddFirewallRule(_) => Err(wrong(line, text, "rules stand in order: add")),
            Request::SetFirewallPolicy(ChainPolicy { chain, action }) => {
                let [input, output] = &mut wanted.policies;
                once(if chain == FirewallChain::In { input } else { output }, line, text, action)
            }
            _ => Err(wrong(line, text, "no line of the section of an interface")),
        }
    }

    fn route(wanted: &mut Wanted, line: u32, text: &str, value: MultipathChange) -> Outcome {
        let route = &value.route;
        let is_whole = matches!(route.mode, ChangeMode::Insert | ChangeMode::Append);
        if route.kind != RouteKind::Unicast {
            return Err(wrong(line, text, "a route of the section of the system"));
        }
        if !is_whole {
            return Err(wrong(line, text, "routes stand in order here: insert, then append"));
        }
        if route.interface.is_some() {
            return Err(wrong(line, text, "the section says the interface"));
        }
        wanted.routes.push(At { line, value });
        Ok(())
    }
}
