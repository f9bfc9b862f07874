//! The rules of profiles.

use alloc::string::String;
use alloc::vec;

use crate::command::firewall::{FirewallAction, FirewallRule, FlowStates};
use crate::configuration::DesiredFirewall;

/// What a host needs that nobody here asked for before: answers of DHCP servers, which come to an
/// address that is not ours yet; neighbor discovery and router advertisements, which come from the
/// link alone (RFC 4861 §6.1, §7.1); queries about groups, without which routers prune them.
const NEEDED: [&str; 5] = [
    "udp and src port 67 and dst port 68",
    "ip6 and udp and src port 547 and dst port 546",
    "icmp6[0] >= 133 and icmp6[0] <= 137 and ip6[7] = 255",
    "icmp6[0] >= 130 and icmp6[0] <= 132 or icmp6[0] = 143",
    "igmp",
];

/// Drops what nobody here asked for. The chain `out` stays.
pub(super) fn default_deny(present: &DesiredFirewall) -> DesiredFirewall {
    let answers = FirewallRule {
        states: FlowStates::ESTABLISHED | FlowStates::RELATED,
        ..FirewallRule::default()
    };
    let needed =
        NEEDED.map(|filter| FirewallRule { filter: String::from(filter), ..Default::default() });
    let mut input = vec![answers];
    input.extend(needed);
    let [_, output] = present.policies;
    DesiredFirewall {
        policies: [FirewallAction::Drop, output],
        input,
        output: present.output.clone(),
    }
}
