//! `ss`: the table of sockets.

use std::net::{IpAddr, SocketAddr};

use devnet_network::command::socket::{SocketKind, SocketState, SocketStatus};
use devnet_network::command::stream::StreamStatistics;

use crate::render::append;

/// What the table has.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// The kind of socket: of several kinds.
    pub kind: bool,
    /// The state: of several states.
    pub state: bool,
    /// The first line.
    pub head: bool,
}

/// A row, with what is said about it after its line.
#[derive(Clone, Debug)]
pub struct Row {
    /// The socket.
    pub socket: SocketStatus,
    /// Further words about it.
    pub details: Vec<String>,
}

/// The table; with `one_line` details stand in the line of their socket.
#[must_use]
pub fn table(rows: &[Row], columns: Columns, one_line: bool) -> String {
    let head =
        ["Netid", "State", "Recv-Q", "Send-Q", "Local Address", "Port", "Peer Address", "Port"];
    let cells: Vec<[String; 8]> = rows.iter().map(|row| cells(&row.socket)).collect();
    // The first four are as wide as their titles in any case.
    let width = |index: usize| {
        let title =
            head.get(index).filter(|_| columns.head || index < 4).map_or(0, |title| title.len());
        let of_row = |row: &[String; 8]| row.get(index).map_or(0, String::len);
        cells.iter().map(of_row).max().unwrap_or(0).max(title)
    };
    let widths: [usize; 8] = std::array::from_fn(width);
    let [kind, state, received, sent, local, local_port, peer, peer_port] = widths;
    let mut text = String::new();
    let line = |text: &mut String, row: &[String; 8], last: &str| {
        let [k, s, r, t, l, lp, p, pp] = row;
        if columns.kind {
            append(text, format_args!("{k:kind$} "));
        }
        if columns.state {
            append(text, format_args!("{s:state$} "));
        }
        append(
            text,
            format_args!(
                "{r:received$} {t:sent$} {l:>local$}:{lp:local_port$} \
                 {p:>peer$}:{pp:peer_port$}{last}"
            ),
        );
    };
    let process = if columns.head { "Process" } else { "" };
    if columns.head {
        line(&mut text, &head.map(str::to_owned), process);
        text.push('\n');
    }
    let blank = " ".repeat(process.len());
    for (row, cells) in rows.iter().zip(&cells) {
        line(&mut text, cells, &blank);
        if !row.details.is_empty() {
            text.push_str(if one_line { " " } else { "\n\t " });
            text.push_str(&row.details.join(" "));
        }
        text.push('\n');
    }
    text
}

fn cells(socket: &SocketStatus) -> [String; 8] {
    let (local, local_port) = end(socket.local, &socket.interface);
    let nobody = if socket.local.is_ipv4() {
        SocketAddr::from(([0, 0, 0, 0], 0))
    } else {
        SocketAddr::from(([0_u16; 8], 0))
    };
    let (peer, peer_port) = end(socket.remote.unwrap_or(nobody), "");
    [
        kind(socket.kind).to_owned(),
        state(socket.state).to_owned(),
        socket.receive_queue.to_string(),
        socket.send_queue.to_string(),
        local,
        local_port,
        peer,
        peer_port,
    ]
}

/// An address and a port. One of IPv6 that is unspecified is also of IPv4; a link-local one has its
/// zone.
fn end(address: SocketAddr, interface: &str) -> (String, String) {
    let port = match address.port() {
        0 => "*".into(),
        port => port.to_string(),
    };
    let shown = match address.ip() {
        IpAddr::V6(ip) if ip.is_unspecified() => "*".into(),
        IpAddr::V6(ip) if ip.is_unicast_link_local() && !interface.is_empty() => {
            format!("[{ip}]%{interface}")
        }
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    };
    (shown, port)
}

/// The kind as `ss` names it.
#[must_use]
pub const fn kind(kind: SocketKind) -> &'static str {
    match kind {
        SocketKind::Tcp => "tcp",
        SocketKind::Udp => "udp",
        SocketKind::Icmp => "icmp",
        SocketKind::Raw(_) | SocketKind::Raw6(_) => "raw",
    }
}

/// The state as `ss` names it.
#[must_use]
pub const fn state(state: SocketState) -> &'static str {
    match state {
        SocketState::Closed => "UNCONN",
        SocketState::Listen => "LISTEN",
        SocketState::SynSent => "SYN-SENT",
        SocketState::SynReceived => "SYN-RECV",
        SocketState::Established => "ESTAB",
        SocketState::FinWait1 => "FIN-WAIT-1",
        SocketState::FinWait2 => "FIN-WAIT-2",
        SocketState::CloseWait => "CLOSE-WAIT",
        SocketState::Closing => "CLOSING",
        SocketState::LastAck => "LAST-ACK",
        SocketState::TimeWait => "TIME-WAIT",
    }
}

/// `-i`: how a connection does, in the words of `ss`; windows in segments, times in milliseconds.
#[must_use]
pub fn information(statistics: &StreamStatistics) -> String {
    let milliseconds = |micros: u32| {
        let text = format!("{}.{:03}", micros / 1000, micros % 1000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let segment = statistics.segment.max(1);
    let mut words = vec![
        statistics.congestion.to_string(),
        format!("rto:{}", milliseconds(statistics.retransmission_timeout)),
    ];
    if statistics.round_trip > 0 {
        words.push(format!(
            "rtt:{}/{}",
            milliseconds(statistics.round_trip),
            milliseconds(statistics.round_trip_variation)
        ));
    }
    words.push(format!("mss:{}", statistics.segment));
    words.push(format!("cwnd:{}", statistics.congestion_window / segment));
    // The largest number says that there is none yet.
    if statistics.slow_start_threshold < i32::MAX as u32 {
        words.push(format!("ssthresh:{}", statistics.slow_start_threshold / segment));
    }
    for (word, bytes) in [
        ("bytes_sent", statistics.bytes_sent),
        ("bytes_retrans", statistics.bytes_retransmitted),
        ("bytes_acked", statistics.bytes_acknowledged),
        ("bytes_received", statistics.bytes_received),
    ] {
        if bytes > 0 {
            words.push(format!("{word}:{bytes}"));
        }
    }
    if statistics.in_flight > 0 {
        words.push(format!("unacked:{}", statistics.in_flight.div_ceil(segment)));
    }
    if statistics.retransmissions > 0 {
        words.push(format!("retrans:0/{}", statistics.retransmissions));
    }
    if statistics.duplicates > 0 {
        words.push(format!("dsack_dups:{}", statistics.duplicates));
    }
    if statistics.delivery_rate > 0 {
        words.push(format!("delivery_rate {}", rate(statistics.delivery_rate.saturating_mul(8))));
    }
    if statistics.least_round_trip > 0 && statistics.least_round_trip < u32::MAX {
        words.push(format!("minrtt:{}", milliseconds(statistics.least_round_trip)));
    }
    words.push(format!("snd_wnd:{}", statistics.peer_window));
    words.push(format!("rcv_wnd:{}", statistics.window));
    words.join(" ")
}

/// Bits per second with three digits.
fn rate(bits: u64) -> String {
    let scaled = |unit: u64, word: &str| {
        let tenths = bits / (unit / 10);
        if tenths < 1000 {
            format!("{}.{}{word}", tenths / 10, tenths % 10)
        } else {
            format!("{}{word}", tenths / 10)
        }
    };
    match bits {
        1_000_000_000.. => scaled(1_000_000_000, "Gbps"),
        1_000_000.. => scaled(1_000_000, "Mbps"),
        1_000.. => scaled(1_000, "kbps"),
        _ => format!("{bits}bps"),
    }
}

/// `-m`: what the buffers hold, and how large they may become.
#[must_use]
pub fn memory(socket: &SocketStatus, statistics: &StreamStatistics) -> String {
    let StreamStatistics { receive_buffer, send_buffer, .. } = statistics;
    let SocketStatus { receive_queue, send_queue, .. } = socket;
    format!(
        "skmem:(r{receive_queue},rb{receive_buffer},t0,tb{send_buffer},f0,w{send_queue},o0,bl0,d0)"
    )
}

/// A question about a socket.
type Is<'a> = &'a dyn Fn(&SocketStatus) -> bool;

/// `-s`: how many there are.
#[must_use]
pub fn summary(sockets: &[SocketStatus], orphans: u32) -> String {
    let count = |is_it: Is<'_>| sockets.iter().filter(|socket| is_it(socket)).count();
    let is_tcp = |socket: &SocketStatus| socket.kind == SocketKind::Tcp;
    let of_state = |state: SocketState| count(&|socket| is_tcp(socket) && socket.state == state);
    let waiting = of_state(SocketState::TimeWait);
    let mut text = format!(
        "Total: {}\nTCP:   {} (estab {}, closed {}, orphaned {orphans}, timewait {waiting})\n\n\
         Transport Total     IP        IPv6\n",
        sockets.len(),
        count(&is_tcp),
        of_state(SocketState::Established),
        of_state(SocketState::Closed) + waiting,
    );
    let is_raw = |socket: &SocketStatus| !is_tcp(socket) && socket.kind != SocketKind::Udp;
    let is_udp = |socket: &SocketStatus| socket.kind == SocketKind::Udp;
    let is_open = |socket: &SocketStatus| is_tcp(socket) && socket.state != SocketState::TimeWait;
    let mut all = [0; 2];
    for (word, is_it) in [("RAW", &is_raw as Is<'_>), ("UDP", &is_udp), ("TCP", &is_open)] {
        let ipv4 = count(&|socket| is_it(socket) && socket.local.is_ipv4());
        let ipv6 = count(&|socket| is_it(socket) && socket.local.is_ipv6());
        all = [all[0] + ipv4, all[1] + ipv6];
        append(&mut text, format_args!("{word}\t  {:<9} {ipv4:<9} {ipv6:<9}\n", ipv4 + ipv6));
    }
    let [ipv4, ipv6] = all;
    append(&mut text, format_args!("INET\t  {:<9} {ipv4:<9} {ipv6:<9}\n", ipv4 + ipv6));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn rows() -> Vec<Row> {
        samples::sockets().into_iter().map(|socket| Row { socket, details: Vec::new() }).collect()
    }

    #[test]
    fn the_table_looks_as_that_of_iproute2() {
        let columns = Columns { kind: true, state: true, head: true };
        let lines: Vec<String> =
            table(&rows(), columns, false).lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess",
                "tcp   LISTEN 0      5          127.0.0.1:8080       0.0.0.0:*          ",
                "tcp   ESTAB  1      2         192.0.2.20:40000    192.0.2.1:80         ",
                "tcp   LISTEN 0      0                  *:22               *:*          ",
                "udp   UNCONN 0      0            0.0.0.0:53         0.0.0.0:*          ",
            ]
        );
        let columns = Columns { kind: false, state: true, head: false };
        let text = table(&rows(), columns, false);
        assert_eq!(text.lines().nth(1), Some("ESTAB  1      2      192.0.2.20:40000 192.0.2.1:80"));
    }

    #[test]
    fn details_follow_their_line_and_rates_have_three_digits() {
        let mut rows = rows();
        rows.truncate(1);
        rows[0].details = vec!["cubic".into(), "mss:1460".into()];
        let columns = Columns { kind: false, state: false, head: false };
        let text = table(&rows, columns, false);
        assert!(text.ends_with("\n\t cubic mss:1460\n"), "{text}");
        assert!(table(&rows, columns, true).ends_with(" cubic mss:1460\n"));
        for (bits, expected) in [
            (999, "999bps"),
            (21_845_000_000, "21.8Gbps"),
            (214_000_000_000, "214Gbps"),
            (1_500_000, "1.5Mbps"),
        ] {
            assert_eq!(rate(bits), expected);
        }
    }
}
