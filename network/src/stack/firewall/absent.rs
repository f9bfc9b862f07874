//! The firewall of a build without one: every packet passes.

pub(crate) mod answer;

use devnet_virtual_file_system::Error;

use super::context::Context;
use crate::command::firewall::{FirewallAction, FirewallRule};
use crate::configuration::DesiredFirewall;

/// The firewall of one interface, which has no rules.
#[derive(Debug, Default)]
pub(crate) struct Firewall {}

impl Firewall {
    pub(crate) const fn is_on(&self) -> bool {
        false
    }

    pub(crate) fn output(&mut self, _: &mut Context, _: &[u8]) -> FirewallAction {
        FirewallAction::Accept
    }

    pub(crate) fn admits(&mut self, _: &mut Context, _: &[u8]) -> bool {
        true
    }

    pub(crate) fn asked(&self) -> DesiredFirewall {
        DesiredFirewall::default()
    }

    pub(crate) fn carry_out(
        &mut self,
        _: &mut Context,
        _: &DesiredFirewall,
        _: &DesiredFirewall,
    ) -> Result<bool, Error> {
        Ok(false)
    }
}

/// No rule can be.
#[derive(Default)]
pub(crate) struct Load {}

impl Load {
    pub(crate) const fn take(&mut self, _: &FirewallRule) -> Result<(FirewallRule, ()), Error> {
        Err(Error::Unsupported)
    }
}
