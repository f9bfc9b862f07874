//! Whether what a section asks of the firewall can be.

use super::Refusal;
use crate::command::firewall::FirewallChain;
use crate::configuration::{At, DesiredFirewall, Wanted};
use crate::stack::firewall::Load;

/// What is asked of the firewall, its rules in their one form.
pub(super) fn checked(wanted: &Wanted) -> Result<DesiredFirewall, Refusal> {
    let mut asked = DesiredFirewall::default();
    for (slot, policy) in asked.policies.iter_mut().zip(&wanted.policies) {
        *slot = policy.as_ref().map(|at| at.value).unwrap_or_default();
    }
    let mut load = Load::default();
    for At { line, value: (chain, rule) } in &wanted.rules {
        let (rule, _) = load.take(rule).map_err(|error| (*line, error))?;
        match chain {
            FirewallChain::In => asked.input.push(rule),
            FirewallChain::Out => asked.output.push(rule),
        }
    }
    Ok(asked)
}
