//! Types of commands about the firewall of an interface.
//!
//! An interface has two chains: `in` sees packets from the link that are for this system, `out`
//! those that this system sends to the link. A packet meets the rules of its chain in their order,
//! and the first one that decides ends that; otherwise the policy of the chain decides. Packets of
//! this system to itself pass no chain, except those of the loopback interface, which pass its own.
//!
//! The chains see IP packets: datagrams that came in fragments when they are whole, and datagrams
//! to be sent before they are cut. ARP passes none of them, and neither do our own solicitations of
//! neighbors and broadcasts of the DHCP client, as with Linux' packet sockets.
//!
//! The condition of a rule is a filter in the language of pcap-filter(7), without what is about
//! frames: `ether`, `vlan`, `arp`, `broadcast` and `multicast`, which no packet has.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;
use core::str::FromStr;

use bitflags::bitflags;
use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

use crate::words::words;

/// Which packets a list of rules is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FirewallChain {
    /// Those that were received.
    In,
    /// Those that are to be sent.
    Out,
}

impl FirewallChain {
    /// Both.
    pub const ALL: [Self; 2] = [Self::In, Self::Out];
}

words! {
    FirewallChain {
        In => "in",
        Out => "out",
    }
}

/// What happens to a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum FirewallAction {
    /// It passes.
    #[default]
    Accept,
    /// It is dropped, and nobody is told; a program that sends gets `PermissionDenied`.
    Drop,
    /// As `Drop`, and the sender gets a RST for TCP, and the ICMP error of `Prohibit` for
    /// everything else.
    Reject,
    /// As `Drop`, and the sender gets the ICMP error "administratively prohibited" (RFC 1812
    /// §5.2.7.1, RFC 4443 §3.1).
    Prohibit,
    /// It is counted, and the next rule decides. No policy is that.
    Continue,
}

words! {
    FirewallAction {
        Accept => "accept",
        Drop => "drop",
        Reject => "reject",
        Prohibit => "prohibit",
        Continue => "continue",
    }
}

bitflags! {
    /// What a packet is to the flows that are known.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
    pub struct FlowStates: u8 {
        /// It begins a flow, or belongs to none that is known.
        const NEW = 1 << 0;
        /// It is of a connection, or of a flow that was answered.
        const ESTABLISHED = 1 << 1;
        /// It is an ICMP error about such a flow, or about one that we began.
        const RELATED = 1 << 2;
    }
}

const STATE_WORDS: [(&str, FlowStates); 3] = [
    ("new", FlowStates::NEW),
    ("established", FlowStates::ESTABLISHED),
    ("related", FlowStates::RELATED),
];

impl fmt::Display for FlowStates {
    /// Words with commas between.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (word, _) in STATE_WORDS.iter().filter(|(_, state)| self.contains(*state)) {
            write!(formatter, "{between}{word}")?;
            between = ",";
        }
        Ok(())
    }
}

impl FromStr for FlowStates {
    type Err = Error;

    /// Reads words with commas between; `InvalidInput` for any other, or one twice.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut states = Self::empty();
        for part in text.split(',') {
            let named = STATE_WORDS.iter().find(|(word, _)| *word == part);
            let (_, state) = named.ok_or(Error::InvalidInput)?;
            if states.contains(*state) {
                return Err(Error::InvalidInput);
            }
            states |= *state;
        }
        Ok(states)
    }
}

/// The time that a rate counts packets in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RatePeriod {
    /// A second.
    Second,
    /// 60 seconds.
    Minute,
    /// 3600 seconds.
    Hour,
    /// 86,400 seconds.
    Day,
}

words! {
    RatePeriod {
        Second => "second",
        Minute => "minute",
        Hour => "hour",
        Day => "day",
    }
}

impl RatePeriod {
    /// Its length in microseconds.
    #[must_use]
    pub const fn micros(self) -> u64 {
        1_000_000
            * match self {
                Self::Second => 1,
                Self::Minute => 60,
                Self::Hour => 3600,
                Self::Day => 86_400,
            }
    }
}

/// How many packets a rule matches: a token bucket. Its text is `10/second`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PacketRate {
    /// Packets in a period, 1 to 1,000,000.
    pub packets: u32,
    /// The period.
    pub period: RatePeriod,
}

impl fmt::Display for PacketRate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.packets, self.period)
    }
}

impl FromStr for PacketRate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (packets, period) = text.split_once('/').ok_or(Error::InvalidInput)?;
        let packets = packets.parse().map_err(|_| Error::InvalidInput)?;
        Ok(Self { packets, period: period.parse()? })
    }
}

/// A rule: conditions, all of which a packet meets, and what happens to it then.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FirewallRule {
    /// What happens.
    pub action: FirewallAction,
    /// States, one of which the packet has; every one if empty.
    pub states: FlowStates,
    /// The rule matches no more packets than that.
    pub rate: Option<PacketRate>,
    /// Packets beyond the rate in quick succession, 1 to 1,000,000; of no meaning without a rate.
    pub burst: u32,
    /// Whether watchers are told of packets that match.
    pub log: bool,
    /// A filter in the language of pcap-filter(7); every packet passes an empty one.
    pub filter: String,
}

impl FirewallRule {
    /// The burst of a rule that says none, as that of nft(8).
    pub const BURST: u32 = 5;
}

impl fmt::Display for FirewallRule {
    /// The words of a line, from the action on.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.action)?;
        if !self.states.is_empty() {
            write!(formatter, " state {}", self.states)?;
        }
        if let Some(rate) = self.rate {
            write!(formatter, " rate {rate}")?;
            if self.burst != Self::BURST {
                write!(formatter, " burst {}", self.burst)?;
            }
        }
        if self.log {
            formatter.write_str(" log on")?;
        }
        if !self.filter.is_empty() {
            write!(formatter, " filter {}", self.filter)?;
        }
        Ok(())
    }
}

/// Where a new rule stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum RulePlace {
    /// Behind the others.
    #[default]
    Last,
    /// Before the others.
    First,
    /// Before the rule with this handle.
    Before(u32),
    /// Behind the rule with this handle.
    After(u32),
}

/// A rule to add.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewFirewallRule {
    /// The chain.
    pub chain: FirewallChain,
    /// Its place in it.
    pub place: RulePlace,
    /// The rule.
    pub rule: FirewallRule,
}

/// A rule in the place of another one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RuleReplacement {
    /// The handle of that rule, which the new one keeps.
    pub handle: u32,
    /// The rule. Its counters begin at zero.
    pub rule: FirewallRule,
}

/// What a chain does with packets that no rule decides about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChainPolicy {
    /// The chain.
    pub chain: FirewallChain,
    /// What happens; everything but `Continue`.
    pub action: FirewallAction,
}

/// A rule that is in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListedRule {
    /// Its number on the interface, which it keeps and no later rule gets.
    pub handle: u32,
    /// The rule.
    pub rule: FirewallRule,
    /// Packets that matched.
    pub packets: u64,
    /// Their bytes, with the IP header.
    pub bytes: u64,
}

/// A chain of an interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChainStatus {
    /// Which one.
    pub chain: FirewallChain,
    /// What happens to packets that no rule decides about.
    pub policy: FirewallAction,
    /// The packets that the policy decided about. Nothing is counted while the chain accepts
    /// everything and has no rules.
    pub packets: u64,
    /// Their bytes, with the IP header.
    pub bytes: u64,
    /// The rules in their order.
    pub rules: Vec<ListedRule>,
}

/// The firewall of an interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FirewallStatus {
    /// The interface.
    pub interface: String,
    /// Its chains: `in`, then `out`.
    pub chains: Vec<ChainStatus>,
}

/// A whole set of rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FirewallProfile {
    /// No rules, and both chains accept.
    Off,
    /// The chain `in` drops what nobody here asked for. Its rules accept answers and errors about
    /// them, answers of DHCP servers, neighbor discovery and group membership. The chain `out`
    /// stays.
    DefaultDeny,
}

words! {
    FirewallProfile {
        Off => "off",
        DefaultDeny => "default-deny",
    }
}

/// A flow that rules with states know, beside the connections and connected sockets, which are in
/// the list of sockets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TrackedFlow {
    /// The interface.
    pub interface: String,
    /// The number of the IP protocol.
    pub protocol: u8,
    /// Our end. Without ports it has port 0; of echo messages it has their identifier.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Whether we began it.
    pub is_ours: bool,
    /// Whether the other end than the one that began it has sent, too.
    pub is_answered: bool,
    /// Seconds until it is forgotten, if it has no further packet.
    pub seconds: u32,
}

/// A packet that matched a rule with `log`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FirewallHit {
    /// The chain.
    pub chain: FirewallChain,
    /// The handle of the rule.
    pub handle: u32,
    /// What happened to the packet.
    pub action: FirewallAction,
    /// The number of the IP protocol.
    pub protocol: u8,
    /// Where it came from. Without ports it has port 0.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// Its bytes, with the IP header.
    pub length: u32,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn states_and_rates_have_a_text() {
        for text in ["new", "established,related", "new,established,related"] {
            assert_eq!(text.parse::<FlowStates>().unwrap().to_string(), text);
        }
        for text in ["", "new,", "new,new", "invalid", "NEW"] {
            assert_eq!(text.parse::<FlowStates>(), Err(Error::InvalidInput), "{text}");
        }
        for text in ["10/second", "1/minute", "7/hour", "4294967295/day"] {
            assert_eq!(text.parse::<PacketRate>().unwrap().to_string(), text);
        }
        for text in ["", "10", "10/", "/second", "x/second", "-1/second", "10/week", "1/2/second"] {
            assert_eq!(text.parse::<PacketRate>(), Err(Error::InvalidInput), "{text}");
        }
    }
}
