//! `netstat`: the list of sockets.

use std::net::SocketAddr;

use devnet_network::command::socket::{SocketKind, SocketState, SocketStatus};

use crate::render::append;

/// Which sockets the list contains; its title shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selection {
    /// Connections.
    Established,
    /// Listeners.
    Servers,
    /// Both.
    All,
}

/// The list.
#[must_use]
pub fn table(sockets: &[SocketStatus], selection: Selection) -> String {
    let mut text = String::from(match selection {
        Selection::Established => "Active Internet connections (w/o servers)\n",
        Selection::Servers => "Active Internet connections (only servers)\n",
        Selection::All => "Active Internet connections (servers and established)\n",
    });
    text.push_str(
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State       \n",
    );
    for socket in sockets {
        append(
            &mut text,
            format_args!(
                "{:<5} {:>6} {:>6} {:<23} {:<23} {:<12}\n",
                protocol(socket),
                socket.receive_queue,
                // net-tools leaves a listener's backlog to `ss`.
                if socket.state == SocketState::Listen { 0 } else { socket.send_queue },
                end(socket.local),
                match socket.remote {
                    Some(remote) => end(remote),
                    None if socket.local.is_ipv4() => String::from("0.0.0.0:*"),
                    None => String::from(":::*"),
                },
                state(socket)
            ),
        );
    }
    text
}

fn protocol(socket: &SocketStatus) -> &'static str {
    match (socket.kind, socket.local.is_ipv4()) {
        (SocketKind::Tcp, true) => "tcp",
        (SocketKind::Tcp, false) => "tcp6",
        (SocketKind::Udp, true) => "udp",
        (SocketKind::Udp, false) => "udp6",
        (SocketKind::Icmp, true) => "icmp",
        (SocketKind::Icmp, false) => "icmp6",
        (SocketKind::Raw(_), _) => "raw",
        (SocketKind::Raw6(_), _) => "raw6",
    }
}

/// An address without the brackets that IPv6 has elsewhere; port 0 is `*`.
fn end(address: SocketAddr) -> String {
    match address.port() {
        0 => format!("{}:*", address.ip()),
        port => format!("{}:{port}", address.ip()),
    }
}

fn state(socket: &SocketStatus) -> &'static str {
    match (socket.kind, socket.state) {
        (
            SocketKind::Udp | SocketKind::Icmp | SocketKind::Raw(_) | SocketKind::Raw6(_),
            SocketState::Closed,
        ) => "",
        (_, SocketState::Closed) => "CLOSE",
        (_, SocketState::Listen) => "LISTEN",
        (_, SocketState::SynSent) => "SYN_SENT",
        (_, SocketState::SynReceived) => "SYN_RECV",
        (_, SocketState::Established) => "ESTABLISHED",
        (_, SocketState::FinWait1) => "FIN_WAIT1",
        (_, SocketState::FinWait2) => "FIN_WAIT2",
        (_, SocketState::CloseWait) => "CLOSE_WAIT",
        (_, SocketState::Closing) => "CLOSING",
        (_, SocketState::LastAck) => "LAST_ACK",
        (_, SocketState::TimeWait) => "TIME_WAIT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn the_list_looks_as_in_netstat() {
        assert_eq!(
            table(&samples::sockets(), Selection::All),
            "Active Internet connections (servers and established)\n\
             Proto Recv-Q Send-Q Local Address           Foreign Address         State       \n\
             tcp        0      0 127.0.0.1:8080          0.0.0.0:*               LISTEN      \n\
             tcp        1      2 192.0.2.20:40000        192.0.2.1:80            ESTABLISHED \n\
             tcp6       0      0 :::22                   :::*                    LISTEN      \n\
             udp        0      0 0.0.0.0:53              0.0.0.0:*                           \n"
        );
    }

    #[test]
    fn the_title_tells_the_selection() {
        assert!(
            table(&[], Selection::Servers)
                .starts_with("Active Internet connections (only servers)\nProto")
        );
        assert!(
            table(&[], Selection::Established)
                .starts_with("Active Internet connections (w/o servers)\nProto")
        );
    }
}
