//! Whether a rule can be.

use alloc::string::String;
use core::fmt::Write;

use devnet_virtual_file_system::Error;

use crate::command::firewall::FirewallRule;
use crate::filter::Filter;
use crate::limits;

/// A rule in its one form, with its filter.
///
/// # Errors
/// `InvalidInput` for a filter that is none or that asks for what only frames have, and for a rate
/// or a burst out of their ranges.
pub(super) fn checked(rule: &FirewallRule) -> Result<(FirewallRule, Filter), Error> {
    let filter: Filter = rule.filter.parse().map_err(|_| Error::InvalidInput)?;
    let burst = rule.rate.map_or(0, |_| rule.burst);
    let has_rate = rule.rate.is_none_or(|rate| {
        limits::FIREWALL_RATE.contains(&rate.packets) && limits::FIREWALL_RATE.contains(&burst)
    });
    if !has_rate || !filter.is_about_packets() {
        return Err(Error::InvalidInput);
    }
    let mut text = String::with_capacity(rule.filter.len());
    for word in rule.filter.split_ascii_whitespace() {
        let between = if text.is_empty() { "" } else { " " };
        // Writing to a text never fails.
        let _ = write!(text, "{between}{word}");
    }
    Ok((FirewallRule { burst, filter: text, ..rule.clone() }, filter))
}

/// Checks a rule that is asked for beside so many others with so many tests, and counts it.
///
/// # Errors
/// As [`checked`]; `NoBufferSpace` beyond the bounds.
pub(crate) fn check_rule(
    rule: &FirewallRule,
    (rules, tests): (&mut usize, &mut usize),
) -> Result<FirewallRule, Error> {
    let (rule, filter) = checked(rule)?;
    *rules += 1;
    *tests += filter.test_count();
    if *rules > limits::FIREWALL_RULES || *tests > limits::FIREWALL_TESTS {
        return Err(Error::NoBufferSpace);
    }
    Ok(rule)
}
