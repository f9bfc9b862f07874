//! The output of `firewall`, in the outline of nft(8) and the words of our lines, and of
//! `conntrack`, in that of conntrack(8).

use std::net::SocketAddr;

use devnet_network::command::firewall::{FirewallStatus, TrackedFlow};
use devnet_network::command::socket::SocketState;

use super::append;
use crate::shown;

/// The chains of interfaces with their rules.
#[must_use]
pub fn chains(all: &[FirewallStatus]) -> String {
    let mut text = String::new();
    for status in all {
        append(&mut text, format_args!("{} {{\n", shown::line(&status.interface)));
        for chain in &status.chains {
            let (policy, packets, bytes) = (chain.policy, chain.packets, chain.bytes);
            append(&mut text, format_args!("\tchain {} {{\n", chain.chain));
            append(
                &mut text,
                format_args!("\t\tpolicy {policy}; # packets {packets} bytes {bytes}\n"),
            );
            for rule in &chain.rules {
                let words = rule.rule.to_string();
                let (handle, packets, bytes) = (rule.handle, rule.packets, rule.bytes);
                append(
                    &mut text,
                    format_args!(
                        "\t\t{} # handle {handle} packets {packets} bytes {bytes}\n",
                        shown::line(&words)
                    ),
                );
            }
            text.push_str("\t}\n");
        }
        text.push_str("}\n");
    }
    text
}

/// The name of a protocol, as conntrack(8) has it.
#[must_use]
pub const fn protocol(number: u8) -> &'static str {
    match number {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        58 => "icmpv6",
        132 => "sctp",
        47 => "gre",
        _ => "unknown",
    }
}

/// A connection.
#[must_use]
pub fn connection(local: SocketAddr, remote: SocketAddr, state: SocketState) -> String {
    format!(
        "{:<8} 6 {} {} {}\n",
        "tcp",
        state.to_string().to_uppercase().replace('-', "_"),
        ends(6, local, remote, true),
        ends(6, remote, local, false)
    )
}

/// A flow that is no connection.
#[must_use]
pub fn flow(flow: &TrackedFlow) -> String {
    let (first, second) =
        if flow.is_ours { (flow.local, flow.remote) } else { (flow.remote, flow.local) };
    let answered = if flow.is_answered { "" } else { "[UNREPLIED] " };
    format!(
        "{:<8} {} {} {} {answered}{}\n",
        protocol(flow.protocol),
        flow.protocol,
        flow.seconds,
        ends(flow.protocol, first, second, true),
        ends(flow.protocol, second, first, false)
    )
}

fn ends(protocol: u8, from: SocketAddr, to: SocketAddr, is_first: bool) -> String {
    let mut text = format!("src={} dst={}", from.ip(), to.ip());
    // The identifier is the port of our end.
    let identifier = from.port().max(to.port());
    let kind = match (protocol, is_first) {
        (1, true) => 8,
        (1, false) => 0,
        (58, true) => 128,
        (58, false) => 129,
        _ => {
            if from.port() != 0 || to.port() != 0 {
                append(&mut text, format_args!(" sport={} dport={}", from.port(), to.port()));
            }
            return text;
        }
    };
    append(&mut text, format_args!(" type={kind} code=0 id={identifier}"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_look_as_those_of_conntrack() {
        let mut one = TrackedFlow {
            interface: "eth0".into(),
            protocol: 17,
            local: "10.0.0.2:40000".parse().unwrap(),
            remote: "10.0.0.1:53".parse().unwrap(),
            is_ours: true,
            is_answered: false,
            seconds: 29,
        };
        assert_eq!(
            flow(&one),
            "udp      17 29 src=10.0.0.2 dst=10.0.0.1 sport=40000 dport=53 [UNREPLIED] \
             src=10.0.0.1 dst=10.0.0.2 sport=53 dport=40000\n"
        );
        (one.protocol, one.is_answered, one.is_ours) = (1, true, false);
        one.local.set_port(7);
        one.remote.set_port(0);
        assert_eq!(
            flow(&one),
            "icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 src=10.0.0.2 \
             dst=10.0.0.1 type=0 code=0 id=7\n"
        );
        assert_eq!(
            connection(one.local, one.remote, SocketState::TimeWait),
            "tcp      6 TIME_WAIT src=10.0.0.2 dst=10.0.0.1 sport=7 dport=0 src=10.0.0.1 \
             dst=10.0.0.2 sport=0 dport=7\n"
        );
    }
}
