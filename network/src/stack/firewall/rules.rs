//! The rules of a firewall: adding, removing and listing them, and what is asked for.

use alloc::boxed::Box;
use alloc::vec::Vec;

use devnet_virtual_file_system::Error;

use super::check::Load;
use super::flows::Flows;
use super::{Active, Firewall, profile};
use crate::command::capture::CaptureDirection;
use crate::command::firewall::{
    ChainPolicy, ChainStatus, FirewallAction, FirewallChain, FirewallProfile, FirewallRule,
    FirewallStatus, FlowStates, ListedRule, NewFirewallRule, RulePlace, RuleReplacement,
    TrackedFlow,
};
use crate::configuration::DesiredFirewall;
use crate::filter::{Filter, View};
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::token_bucket::TokenBucket;

/// A rule in force.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) handle: u32,
    pub(super) asked: FirewallRule,
    filter: Filter,
    /// Of a rule with a rate.
    bucket: TokenBucket,
    pub(super) packets: u64,
    pub(super) bytes: u64,
}

impl Rule {
    /// A rule that was [checked](Load::take).
    fn new(handle: u32, (asked, filter): (FirewallRule, Filter), now: Instant) -> Self {
        let bucket = TokenBucket::new(asked.burst, now);
        Self { handle, asked, filter, bucket, packets: 0, bytes: 0 }
    }

    /// True for a packet that meets every condition. The rate is asked last, and pays for it.
    pub(super) fn matches(
        &mut self,
        view: &View<'_>,
        state: FlowStates,
        direction: CaptureDirection,
        now: Instant,
    ) -> bool {
        let FirewallRule { states, rate, burst, .. } = self.asked;
        (states.is_empty() || states.intersects(state))
            && self.filter.passes_view(view, direction)
            && rate.is_none_or(|rate| {
                let spacing = rate.period.micros() / u64::from(rate.packets.max(1));
                self.bucket.take_spaced(1, burst, spacing, now)
            })
    }
}

/// The rules of one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    pub(super) policy: FirewallAction,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) rules: Vec<Rule>,
}

impl Chain {
    /// True when every packet passes.
    pub(super) fn is_open(&self) -> bool {
        self.rules.is_empty() && self.policy == FirewallAction::Accept
    }

    fn position(&self, handle: u32) -> Option<usize> {
        self.rules.iter().position(|rule| rule.handle == handle)
    }
}

impl Active {
    const fn chain(&self, chain: FirewallChain) -> &Chain {
        match chain {
            FirewallChain::In => &self.input,
            FirewallChain::Out => &self.output,
        }
    }

    const fn chain_mut(&mut self, chain: FirewallChain) -> &mut Chain {
        match chain {
            FirewallChain::In => &mut self.input,
            FirewallChain::Out => &mut self.output,
        }
    }

    /// Where the rule with a handle is.
    ///
    /// # Errors
    /// `NotFound`.
    fn place_of(&self, handle: u32) -> Result<(FirewallChain, usize), Error> {
        let place = |chain| Some((chain, self.chain(chain).position(handle)?));
        FirewallChain::ALL.into_iter().find_map(place).ok_or(Error::NotFound)
    }

    /// Checks a rule beside those of both chains, but for one that it replaces.
    fn check(
        &self,
        rule: &FirewallRule,
        without: Option<u32>,
    ) -> Result<(FirewallRule, Filter), Error> {
        let mut load = Load::default();
        let rules = self.input.rules.iter().chain(&self.output.rules);
        let others = rules.filter(|rule| Some(rule.handle) != without);
        others.for_each(|rule| load.count(&rule.filter));
        load.take(rule)
    }
}

impl Firewall {
    fn active(&mut self, cx: &Context) -> &mut Active {
        self.active.get_or_insert_with(|| Active::new(cx))
    }

    /// Begins or ends what is only there while rules need it.
    fn settle(&mut self, cx: &mut Context) {
        let Some(active) = &mut self.active else { return };
        if active.input.is_open() && active.output.is_open() {
            self.active = None;
            return;
        }
        let mut rules = active.input.rules.iter().chain(&active.output.rules);
        if rules.all(|rule| rule.asked.states.is_empty()) {
            active.flows = None;
        } else if active.flows.is_none() {
            active.flows = Some(Flows::new(cx.random.u64()));
        }
    }

    fn next_handle(&mut self) -> Result<u32, Error> {
        self.last_handle = self.last_handle.checked_add(1).ok_or(Error::NoBufferSpace)?;
        Ok(self.last_handle)
    }

    /// Adds a rule; returns its handle.
    ///
    /// # Errors
    /// `InvalidInput` for a rule that cannot be, `NotFound` for a place beside a rule that is not
    /// in the chain, `NoBufferSpace` beyond the bounds.
    pub(crate) fn add(&mut self, cx: &mut Context, new: &NewFirewallRule) -> Result<u32, Error> {
        let outcome = self.try_add(cx, new);
        // A firewall that was begun for a rule that cannot be ends.
        self.settle(cx);
        outcome
    }

    fn try_add(&mut self, cx: &Context, new: &NewFirewallRule) -> Result<u32, Error> {
        let now = cx.now;
        let active = self.active(cx);
        let checked = active.check(&new.rule, None)?;
        let chain = active.chain(new.chain);
        let beside = |handle| chain.position(handle).ok_or(Error::NotFound);
        let place = match new.place {
            RulePlace::Last => chain.rules.len(),
            RulePlace::First => 0,
            RulePlace::Before(handle) => beside(handle)?,
            RulePlace::After(handle) => beside(handle)? + 1,
        };
        let handle = self.next_handle()?;
        let rule = Rule::new(handle, checked, now);
        self.active(cx).chain_mut(new.chain).rules.insert(place, rule);
        Ok(handle)
    }

    /// Puts a rule in the place of another one, whose handle it has; false if it says the same.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn replace(
        &mut self,
        cx: &mut Context,
        new: &RuleReplacement,
    ) -> Result<bool, Error> {
        let now = cx.now;
        let active = self.active.as_mut().ok_or(Error::NotFound)?;
        let handle = new.handle;
        let (chain, place) = active.place_of(handle)?;
        let checked = active.check(&new.rule, Some(handle))?;
        let known = active.chain_mut(chain).rules.get_mut(place).ok_or(Error::NotFound)?;
        if known.asked == checked.0 {
            return Ok(false);
        }
        *known = Rule::new(handle, checked, now);
        self.settle(cx);
        Ok(true)
    }

    /// Removes the rule with a handle.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove(&mut self, cx: &mut Context, handle: u32) -> Result<(), Error> {
        let active = self.active.as_mut().ok_or(Error::NotFound)?;
        let (chain, place) = active.place_of(handle)?;
        active.chain_mut(chain).rules.remove(place);
        self.settle(cx);
        Ok(())
    }

    /// Removes the rules of a chain, or of both; returns how many. Policies stay.
    pub(crate) fn flush(&mut self, cx: &mut Context, only: Option<FirewallChain>) -> u32 {
        let Some(active) = &mut self.active else { return 0 };
        let chains =
            FirewallChain::ALL.into_iter().filter(|chain| only.is_none_or(|only| only == *chain));
        let count = chains
            .map(|chain| core::mem::take(&mut active.chain_mut(chain).rules).len())
            .sum::<usize>();
        self.settle(cx);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Sets a policy; true if that changed something.
    ///
    /// # Errors
    /// `InvalidInput` for `Continue`.
    pub(crate) fn set_policy(&mut self, cx: &mut Context, new: ChainPolicy) -> Result<bool, Error> {
        if new.action == FirewallAction::Continue {
            return Err(Error::InvalidInput);
        }
        let policy = &mut self.active(cx).chain_mut(new.chain).policy;
        let is_changed = core::mem::replace(policy, new.action) != new.action;
        self.settle(cx);
        Ok(is_changed)
    }

    /// Sets every counter to zero.
    pub(crate) fn reset(&mut self) {
        let Some(active) = &mut self.active else { return };
        for chain in FirewallChain::ALL {
            let chain = active.chain_mut(chain);
            (chain.packets, chain.bytes) = (0, 0);
            for rule in &mut chain.rules {
                (rule.packets, rule.bytes) = (0, 0);
            }
        }
    }

    /// Makes the rules those of a profile; true if that changed something.
    ///
    /// # Errors
    /// `Unsupported` on an interface that reaches this system only, `NoBufferSpace` when the chain
    /// `out` leaves no room.
    pub(crate) fn set_profile(
        &mut self,
        cx: &mut Context,
        profile: FirewallProfile,
    ) -> Result<bool, Error> {
        if cx.is_loopback() {
            return Err(Error::Unsupported);
        }
        let present = self.asked();
        let target = match profile {
            FirewallProfile::Off => DesiredFirewall::default(),
            FirewallProfile::DefaultDeny => profile::default_deny(&present),
        };
        self.carry_out(cx, &present, &target)
    }

    /// The chains, for a list.
    pub(crate) fn status(&self, interface: &str) -> FirewallStatus {
        let status = |chain| {
            let open = Chain::default();
            let list = self.active.as_ref().map_or(&open, |active| active.chain(chain));
            let rules = list.rules.iter().map(|rule| ListedRule {
                handle: rule.handle,
                rule: rule.asked.clone(),
                packets: rule.packets,
                bytes: rule.bytes,
            });
            let Chain { policy, packets, bytes, .. } = *list;
            ChainStatus { chain, policy, packets, bytes, rules: rules.collect() }
        };
        FirewallStatus {
            interface: interface.into(),
            chains: FirewallChain::ALL.map(status).into(),
        }
    }

    /// The flows that are remembered.
    pub(crate) fn flows(&self, interface: &str, now: Instant) -> Vec<TrackedFlow> {
        let flows = self.active.as_ref().and_then(|active| active.flows.as_ref());
        flows.map(|flows| flows.list(interface, now)).unwrap_or_default()
    }

    /// Forgets the flows; returns how many.
    pub(crate) fn forget_flows(&mut self, now: Instant) -> u32 {
        let flows = self.active.as_mut().and_then(|active| active.flows.as_mut());
        flows.map_or(0, |flows| flows.flush(now))
    }

    /// What is asked for.
    pub(crate) fn asked(&self) -> DesiredFirewall {
        let Some(active) = &self.active else { return DesiredFirewall::default() };
        let rules = |chain: &Chain| chain.rules.iter().map(|rule| rule.asked.clone()).collect();
        DesiredFirewall {
            policies: [active.input.policy, active.output.policy],
            input: rules(&active.input),
            output: rules(&active.output),
        }
    }

    /// Makes the rules what is asked for; true if that changes something. A rule that stays keeps
    /// its handle and its counters.
    ///
    /// # Errors
    /// As [`add`](Self::add); nothing was changed then.
    pub(crate) fn carry_out(
        &mut self,
        cx: &mut Context,
        present: &DesiredFirewall,
        target: &DesiredFirewall,
    ) -> Result<bool, Error> {
        if present == target {
            return Ok(false);
        }
        let mut load = Load::default();
        let mut wanted = Vec::with_capacity(FirewallChain::ALL.len());
        for chain in FirewallChain::ALL {
            let (policy, rules) = target.chain(chain);
            let rules = rules.iter().map(|rule| load.take(rule)).collect::<Result<Vec<_>, _>>()?;
            wanted.push((chain, policy, rules));
        }
        let mut next = Active::new(cx);
        for (chain, policy, rules) in wanted {
            let active = self.active.as_mut();
            let mut former: Vec<Option<Rule>> = active
                .map(|active| core::mem::take(&mut active.chain_mut(chain).rules))
                .unwrap_or_default()
                .into_iter()
                .map(Some)
                .collect();
            let list = next.chain_mut(chain);
            list.policy = policy;
            for checked in rules {
                let is_it = |known: &&mut Option<Rule>| {
                    known.as_ref().is_some_and(|known| known.asked == checked.0)
                };
                let kept = former.iter_mut().find(is_it).and_then(Option::take);
                let rule = match kept {
                    Some(rule) => rule,
                    None => Rule::new(self.next_handle()?, checked, cx.now),
                };
                list.rules.push(rule);
            }
        }
        self.take_place_of(next);
        self.settle(cx);
        Ok(true)
    }

    /// Flows and the counters of policies stay.
    fn take_place_of(&mut self, mut next: Box<Active>) {
        if let Some(former) = self.active.take() {
            for chain in FirewallChain::ALL {
                let (list, known) = (next.chain_mut(chain), former.chain(chain));
                (list.packets, list.bytes) = (known.packets, known.bytes);
            }
            next.flows = former.flows;
        }
        self.active = Some(next);
    }
}
