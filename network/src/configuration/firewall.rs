//! The lines of the firewall.

use alloc::format;
use alloc::string::String;

use super::DesiredFirewall;
use crate::command::firewall::{FirewallAction, FirewallChain};

/// The lines, rules in their order.
pub(super) fn lines(firewall: &DesiredFirewall) -> impl Iterator<Item = String> {
    FirewallChain::ALL.into_iter().flat_map(|chain| {
        let (policy, rules) = firewall.chain(chain);
        let policy =
            (policy != FirewallAction::Accept).then(|| format!("firewall policy {chain} {policy}"));
        let rules = rules.iter().map(move |rule| format!("firewall add {chain} {rule}"));
        policy.into_iter().chain(rules)
    })
}
