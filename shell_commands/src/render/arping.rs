//! The output of `arping`, laid out as by iputils.

use std::net::Ipv4Addr;
use std::time::Duration;

use devnet_network::address::HardwareAddress;

use crate::shown::line;

/// What was sent and received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Requests that were sent.
    pub sent: u64,
    /// Of these, those to everybody.
    pub broadcasts: u64,
    /// Answers.
    pub received: u64,
    /// Of these, requests of somebody else.
    pub requests: u64,
    /// Of the answers, those to everybody.
    pub received_broadcasts: u64,
}

/// An answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// It went to everybody.
    pub is_broadcast: bool,
    /// It is a request of somebody else.
    pub is_request: bool,
    /// Whose address it is.
    pub address: Ipv4Addr,
    /// Who says so.
    pub hardware_address: HardwareAddress,
}

/// The first line.
#[must_use]
pub fn header(target: Ipv4Addr, source: Ipv4Addr, interface: &str) -> String {
    format!("ARPING {target} from {source} {}\n", line(interface))
}

/// The line of an answer after so much time.
#[must_use]
pub fn answer(answer: &Answer, time: Duration) -> String {
    let way = if answer.is_broadcast { "Broadcast" } else { "Unicast" };
    let kind = if answer.is_request { "request" } else { "reply" };
    let hardware = answer.hardware_address.to_string().to_ascii_uppercase();
    let micros = time.as_micros();
    let (whole, rest) = (micros / 1000, micros % 1000);
    format!("{way} {kind} from {} [{hardware}]  {whole}.{rest:03}ms\n", answer.address)
}

/// The last lines.
#[must_use]
pub fn summary(statistics: &Statistics) -> String {
    let Statistics { sent, broadcasts, received, requests, received_broadcasts } = *statistics;
    let mut details = Vec::new();
    if requests > 0 {
        details.push(format!("{requests} request(s)"));
    }
    if received_broadcasts > 0 {
        details.push(format!("{received_broadcasts} broadcast(s)"));
    }
    let details = match details.as_slice() {
        [] => String::new(),
        details => format!(" ({})", details.join(", ")),
    };
    format!(
        "Sent {sent} probes ({broadcasts} broadcast(s))\nReceived {received} response(s){details}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_summaries_are_those_of_iputils() {
        let one = Answer {
            is_broadcast: false,
            is_request: false,
            address: Ipv4Addr::new(10, 0, 0, 2),
            hardware_address: HardwareAddress([2, 0, 0, 0, 0xab, 2]),
        };
        assert_eq!(
            answer(&one, Duration::from_micros(1042)),
            "Unicast reply from 10.0.0.2 [02:00:00:00:AB:02]  1.042ms\n"
        );
        let other = Answer { is_broadcast: true, is_request: true, ..one };
        assert_eq!(
            answer(&other, Duration::from_micros(7)),
            "Broadcast request from 10.0.0.2 [02:00:00:00:AB:02]  0.007ms\n"
        );
        let mut statistics =
            Statistics { sent: 3, broadcasts: 1, received: 2, ..Statistics::default() };
        assert_eq!(
            summary(&statistics),
            "Sent 3 probes (1 broadcast(s))\nReceived 2 response(s)\n"
        );
        (statistics.requests, statistics.received_broadcasts) = (1, 2);
        assert!(summary(&statistics).ends_with("2 response(s) (1 request(s), 2 broadcast(s))\n"));
    }
}
