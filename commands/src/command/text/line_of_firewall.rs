//! Lines about the firewall.

use devnet_virtual_file_system::Error;

use crate::command::firewall::{
    ChainPolicy, FirewallAction, FirewallRule, NewFirewallRule, RulePlace, RuleReplacement,
};
use crate::command::table::Request;
use crate::command::value::{pairs, switch, value};

/// The words after `firewall`.
pub(super) fn firewall(words: &[&str]) -> Result<Request, Error> {
    Ok(match words {
        ["add", chain, action, rest @ ..] => {
            let chain = value(chain)?;
            let rule = rule(action, rest, None)?;
            Request::AddFirewallRule(NewFirewallRule { chain, place: RulePlace::Last, rule })
        }
        ["insert", chain, action, rest @ ..] => {
            let (chain, mut place) = (value(chain)?, RulePlace::First);
            let rule = rule(action, rest, Some(&mut place))?;
            Request::AddFirewallRule(NewFirewallRule { chain, place, rule })
        }
        ["replace", handle, action, rest @ ..] => {
            let (handle, rule) = (value(handle)?, rule(action, rest, None)?);
            Request::ReplaceFirewallRule(RuleReplacement { handle, rule })
        }
        ["remove", handle] => Request::RemoveFirewallRule(value(handle)?),
        ["flush"] => Request::FlushFirewallRules(None),
        ["flush", chain] => Request::FlushFirewallRules(Some(value(chain)?)),
        ["policy", chain, action] => Request::SetFirewallPolicy(ChainPolicy {
            chain: value(chain)?,
            action: policy(action)?,
        }),
        ["reset"] => Request::ResetFirewall(()),
        ["forget"] => Request::FlushFlows(()),
        ["profile", profile] => Request::SetFirewallProfile(value(profile)?),
        _ => return Err(INVALID),
    })
}

const INVALID: Error = Error::InvalidInput;

fn policy(word: &str) -> Result<FirewallAction, Error> {
    let action = value(word)?;
    if action == FirewallAction::Continue { Err(INVALID) } else { Ok(action) }
}

/// The words from the action on: pairs up to the filter, which is the rest. Only a rule that is
/// inserted may say its place.
fn rule(
    action: &str,
    words: &[&str],
    mut place: Option<&mut RulePlace>,
) -> Result<FirewallRule, Error> {
    let mut rule = FirewallRule { action: value(action)?, ..FirewallRule::default() };
    let at = words.iter().position(|word| *word == "filter").unwrap_or(words.len());
    let (settings, filter) = words.split_at_checked(at).unwrap_or_default();
    let mut burst = None;
    for [key, word] in pairs(settings)? {
        match (*key, &mut place) {
            ("before", Some(place)) if **place == RulePlace::First => {
                **place = RulePlace::Before(value(word)?);
            }
            ("after", Some(place)) if **place == RulePlace::First => {
                **place = RulePlace::After(value(word)?);
            }
            ("state", _) => rule.states = value(word)?,
            ("rate", _) => rule.rate = Some(value(word)?),
            ("burst", _) => burst = Some(value(word)?),
            ("log", _) => rule.log = switch(word)?,
            _ => return Err(INVALID),
        }
    }
    rule.burst = match (rule.rate, burst) {
        (None, Some(_)) => return Err(INVALID),
        (None, None) => 0,
        (Some(_), burst) => burst.unwrap_or(FirewallRule::BURST),
    };
    if let [_, filter @ ..] = filter {
        if filter.is_empty() {
            return Err(INVALID);
        }
        rule.filter = filter.join(" ");
    }
    Ok(rule)
}
