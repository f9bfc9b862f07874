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
fn checked(rule: &FirewallRule) -> Result<(FirewallRule, Filter), Error> {
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

/// Rules in force, and the tests of their filters.
#[derive(Debug, Default)]
pub(crate) struct Load {
    rules: usize,
    tests: usize,
}

impl Load {
    /// Counts a rule that was checked.
    pub(super) fn count(&mut self, filter: &Filter) {
        self.rules += 1;
        self.tests += filter.test_count();
    }

    /// Checks a rule that is asked for beside those that were counted, and counts it.
    ///
    /// # Errors
    /// As [`checked`]; `NoBufferSpace` beyond the bounds.
    pub(crate) fn take(&mut self, rule: &FirewallRule) -> Result<(FirewallRule, Filter), Error> {
        let (rule, filter) = checked(rule)?;
        self.count(&filter);
        if self.rules > limits::FIREWALL_RULES || self.tests > limits::FIREWALL_TESTS {
            return Err(Error::NoBufferSpace);
        }
        Ok((rule, filter))
    }
}
