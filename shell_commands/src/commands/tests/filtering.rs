//! A firewall that is always the same.

use devnet_network::command::firewall::{
    ChainStatus, FirewallAction, FirewallChain, FirewallRule, FirewallStatus, FlowStates,
    ListedRule, PacketRate, RatePeriod, TrackedFlow,
};

pub(super) fn chains() -> Vec<FirewallStatus> {
    let answers = FirewallRule {
        states: FlowStates::ESTABLISHED | FlowStates::RELATED,
        ..FirewallRule::default()
    };
    let refused = FirewallRule {
        action: FirewallAction::Reject,
        rate: Some(PacketRate { packets: 10, period: RatePeriod::Second }),
        burst: FirewallRule::BURST,
        log: true,
        filter: "tcp".into(),
        ..FirewallRule::default()
    };
    let chain = ChainStatus {
        chain: FirewallChain::In,
        policy: FirewallAction::Drop,
        packets: 5,
        bytes: 300,
        rules: vec![
            ListedRule { handle: 1, rule: answers, packets: 9, bytes: 900 },
            ListedRule { handle: 4, rule: refused, packets: 0, bytes: 0 },
        ],
    };
    vec![FirewallStatus { interface: "eth0".into(), chains: vec![chain] }]
}

pub(super) fn flows() -> Vec<TrackedFlow> {
    vec![TrackedFlow {
        interface: "eth0".into(),
        protocol: 17,
        local: "10.0.2.15:40000".parse().unwrap(),
        remote: "10.0.2.3:53".parse().unwrap(),
        is_ours: true,
        is_answered: true,
        seconds: 119,
    }]
}
