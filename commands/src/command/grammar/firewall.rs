//! The lines of the firewall.

use crate::command::form::{Form, forms};

/// Lines that add a rule.
pub(super) const ADD: &[Form] = forms! {
    "firewall add (in | out) (accept | drop | reject | prohibit | continue) [state STATES] \
     [rate RATE [burst NUMBER]] [log (on | off)] [filter WORD ...]",
        "Behind the other rules of the chain. The first rule that a packet meets decides, but for \
         `continue`, which counts. `reject` answers with a RST or an ICMP error, `prohibit` with \
         the ICMP error. Beyond the rate, with a burst of 5 unless given, a rule is not met. \
         `log on` tells watchers. The filter is that of pcap-filter(7), without what is about \
         frames.",
        "firewall add in accept state new rate 10/second filter tcp dst port 22";
    "firewall insert (in | out) (accept | drop | reject | prohibit | continue) \
     [(before | after) NUMBER] [state STATES] [rate RATE [burst NUMBER]] [log (on | off)] \
     [filter WORD ...]",
        "Before the others, or beside the rule with this handle.",
        "firewall insert in drop log on filter src net 192.0.2.0/24";
};

/// The line that replaces a rule.
pub(super) const REPLACE: &[Form] = forms! {
    "firewall replace NUMBER (accept | drop | reject | prohibit | continue) [state STATES] \
     [rate RATE [burst NUMBER]] [log (on | off)] [filter WORD ...]",
        "The rule with this handle is what is said then.",
        "firewall replace 1 reject filter udp dst port 9";
};

/// The line that removes a rule.
pub(super) const REMOVE: &[Form] = forms! {
    "firewall remove NUMBER", "The rule with this handle.", "firewall remove 1";
};

/// The line that removes rules.
pub(super) const FLUSH: &[Form] = forms! {
    "firewall flush [(in | out)]", "Policies stay.", "firewall flush in";
};

/// The line that sets a policy.
pub(super) const POLICY: &[Form] = forms! {
    "firewall policy (in | out) (accept | drop | reject | prohibit)",
        "What happens to packets that no rule decides about; `accept` unless set.",
        "firewall policy in drop";
};

/// The line that makes the rules those of a profile.
pub(super) const PROFILE: &[Form] = forms! {
    "firewall profile (off | default-deny)",
        "`off` has no rules. `default-deny` drops what comes in and nobody here asked for, but for \
         what DHCP, neighbor discovery and groups need; what the chain `in` had before is gone.",
        "firewall profile default-deny";
};

/// The line that resets counters.
pub(super) const RESET: &[Form] = forms! {
    "firewall reset", "Counters of rules and policies.", "firewall reset";
};

/// The line that forgets flows.
pub(super) const FORGET: &[Form] = forms! {
    "firewall forget", "Flows that rules with states know, without connections.", "firewall forget";
};
