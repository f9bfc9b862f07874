//! The tags of what commands about names carry.

use devnet_network::command::dns::{
    DnsSecurityChange, HostEntry, HostsChange, ResolverOption, SecureServer,
};
use devnet_network::command::firewall::{
    FirewallAction, FirewallChain, FirewallProfile, RatePeriod, RulePlace,
};
use devnet_network::command::mdns::{
    ClaimState, LocalService, MulticastDnsMode, MulticastDnsOption, ServiceChange,
};
use devnet_network::command::record::{
    MailExchange, ResourceData, Service, ServiceBinding, StartOfAuthority,
};

use super::enumeration;

/// The kinds of data; what they carry does not matter.
pub(super) fn tags(text: &mut String) {
    let name = String::new;
    let mail = MailExchange { preference: 0, exchange: name() };
    let service = Service { priority: 0, weight: 0, port: 0, target: name() };
    let zone = StartOfAuthority {
        primary: name(),
        mailbox: name(),
        serial: 0,
        refresh: 0,
        retry: 0,
        expire: 0,
        minimum: 0,
    };
    let binding = ServiceBinding { priority: 0, target: name(), parameters: vec![] };
    enumeration(
        text,
        "resource",
        &[
            ("RAW", ResourceData::Raw(vec![])),
            ("ADDRESS", ResourceData::Address(std::net::Ipv4Addr::UNSPECIFIED.into())),
            ("NAME", ResourceData::Name(name())),
            ("MAIL_EXCHANGE", ResourceData::MailExchange(mail)),
            ("TEXT", ResourceData::Text(vec![])),
            ("SERVICE", ResourceData::Service(service)),
            ("AUTHORITY", ResourceData::Authority(zone)),
            ("BINDING", ResourceData::Binding(binding)),
        ],
    );
    enumeration(
        text,
        "resolver",
        &[
            ("DOTS", ResolverOption::Dots(0)),
            ("TIMEOUT", ResolverOption::Timeout(0)),
            ("STALE", ResolverOption::Stale(0)),
            ("CACHE_ENTRIES", ResolverOption::CacheEntries(0)),
            ("MIXED_CASE", ResolverOption::MixedCase(true)),
        ],
    );
    let address = std::net::Ipv4Addr::UNSPECIFIED.into();
    let host = HostEntry { address, names: vec![] };
    enumeration(
        text,
        "hosts",
        &[
            ("REPLACE", HostsChange::Replace(vec![])),
            ("ADD", HostsChange::Add(host)),
            ("REMOVE", HostsChange::Remove(address)),
        ],
    );
    let secure = SecureServer { address, name: name(), port: 853 };
    enumeration(
        text,
        "dns_security",
        &[
            ("ADD", DnsSecurityChange::Add(secure)),
            ("REMOVE", DnsSecurityChange::Remove(address)),
            ("REQUIRE", DnsSecurityChange::Require(true)),
        ],
    );
    link_names(text);
    firewall(text);
}

/// Those of the firewall.
fn firewall(text: &mut String) {
    enumeration(text, "firewall_chain", &[("IN", FirewallChain::In), ("OUT", FirewallChain::Out)]);
    enumeration(
        text,
        "firewall",
        &[
            ("ACCEPT", FirewallAction::Accept),
            ("DROP", FirewallAction::Drop),
            ("REJECT", FirewallAction::Reject),
            ("PROHIBIT", FirewallAction::Prohibit),
            ("CONTINUE", FirewallAction::Continue),
        ],
    );
    enumeration(
        text,
        "rate",
        &[
            ("SECOND", RatePeriod::Second),
            ("MINUTE", RatePeriod::Minute),
            ("HOUR", RatePeriod::Hour),
            ("DAY", RatePeriod::Day),
        ],
    );
    enumeration(
        text,
        "rule_place",
        &[
            ("LAST", RulePlace::Last),
            ("FIRST", RulePlace::First),
            ("BEFORE", RulePlace::Before(0)),
            ("AFTER", RulePlace::After(0)),
        ],
    );
    enumeration(
        text,
        "firewall_profile",
        &[("OFF", FirewallProfile::Off), ("DEFAULT_DENY", FirewallProfile::DefaultDeny)],
    );
}

/// Those of multicast DNS.
fn link_names(text: &mut String) {
    enumeration(
        text,
        "multicast_dns",
        &[
            ("OFF", MulticastDnsMode::Off),
            ("RESOLVE", MulticastDnsMode::Resolve),
            ("ON", MulticastDnsMode::On),
        ],
    );
    enumeration(
        text,
        "multicast_dns_option",
        &[
            ("MODE", MulticastDnsOption::Mode(MulticastDnsMode::Off)),
            ("HOST_NAME", MulticastDnsOption::HostName(String::new())),
        ],
    );
    let none = String::new;
    let service = LocalService { instance: none(), service_type: none(), port: 0, text: vec![] };
    enumeration(
        text,
        "service",
        &[
            ("PUBLISH", ServiceChange::Publish(service)),
            ("WITHDRAW", ServiceChange::Withdraw { instance: none(), service_type: none() }),
        ],
    );
    enumeration(
        text,
        "claim",
        &[
            ("WAITING", ClaimState::Waiting),
            ("PROBING", ClaimState::Probing),
            ("ANNOUNCED", ClaimState::Announced),
        ],
    );
}
