//! Commands about the firewall.

use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Result};

use super::open::OpenFile;
use crate::command::table::*;

impl OpenFile {
    #[cfg(not(feature = "firewall"))]
    pub(super) fn execute_firewall(&self, _: Immediate) -> Result<Vec<u8>> {
        Err(Error::Unsupported)
    }

    #[cfg(feature = "firewall")]
    pub(super) fn execute_firewall(&self, request: Immediate) -> Result<Vec<u8>> {
        use alloc::vec;

        use super::execute::reply;
        use crate::stack::Stack;

        match request {
            Immediate::AddFirewallRule(new) => reply::<AddFirewallRule>(|| {
                self.change(|Stack { context: cx, ip, .. }| ip.firewall.add(cx, &new))
            }),
            Immediate::ReplaceFirewallRule(new) => reply::<ReplaceFirewallRule>(|| {
                self.change(|Stack { context: cx, ip, .. }| ip.firewall.replace(cx, &new))
            }),
            Immediate::RemoveFirewallRule(handle) => reply::<RemoveFirewallRule>(|| {
                self.change(|Stack { context: cx, ip, .. }| ip.firewall.remove(cx, handle))
            }),
            Immediate::FlushFirewallRules(chain) => reply::<FlushFirewallRules>(|| {
                self.on(|Stack { context: cx, ip, .. }| ip.firewall.flush(cx, chain))
            }),
            Immediate::SetFirewallPolicy(new) => reply::<SetFirewallPolicy>(|| {
                self.change(|Stack { context: cx, ip, .. }| ip.firewall.set_policy(cx, new))
            }),
            Immediate::SetFirewallProfile(profile) => reply::<SetFirewallProfile>(|| {
                self.change(|Stack { context: cx, ip, .. }| ip.firewall.set_profile(cx, profile))
            }),
            Immediate::ListFirewall(()) => reply::<ListFirewall>(|| {
                Ok(self.collect(|stack| {
                    vec![stack.ip.firewall.status(&stack.context.configuration.name)]
                }))
            }),
            Immediate::ResetFirewall(()) => {
                reply::<ResetFirewall>(|| self.on(|stack| stack.ip.firewall.reset()))
            }
            Immediate::ListFlows(()) => reply::<ListFlows>(|| {
                Ok(self.collect_now(|Stack { context: cx, ip, .. }| {
                    ip.firewall.flows(&cx.configuration.name, cx.now)
                }))
            }),
            Immediate::FlushFlows(()) => reply::<FlushFlows>(|| {
                self.on(|stack| stack.ip.firewall.forget_flows(stack.context.now))
            }),
            _ => Err(Error::Unsupported),
        }
    }
}
