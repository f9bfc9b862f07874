//! `netstat -s`: what each interface uses of what is bounded, and what it dropped.

use devnet_network::command::counters::ProtocolCounters;
use devnet_network::command::drops::DropCount;
use devnet_network::command::usage::Usage;

use crate::render::append;
use crate::render::units::bytes;

/// The usage, the losses and the counters of each interface, those that are not 0, and the memory
/// that all of them share.
#[must_use]
pub fn summary(all: &[Usage], drops: &[DropCount], protocols: &[ProtocolCounters]) -> String {
    let mut text = String::new();
    for usage in all {
        append(
            &mut text,
            format_args!(
                "{}:\n    Connections: {}\n    Half-open: {}\n    Orphans: {}\n    TIME-WAIT: {}\n\
                \x20   Listeners: {}\n    Datagram sockets: {}\n    Neighbors: {}\n\
                \x20   TCP memory: {}\n",
                usage.interface,
                usage.connections,
                usage.half_open,
                usage.orphans,
                usage.time_wait,
                usage.listeners,
                usage.datagram_sockets,
                usage.neighbors,
                // No memory is so large that its size is not a number of this kind.
                bytes(usage.tcp_memory as f64),
            ),
        );
        text.push_str(&losses(&usage.interface, drops));
        let of_interface = protocols.iter().filter(|of| of.interface == usage.interface);
        for counter in of_interface.flat_map(|of| &of.counters).filter(|of| of.value > 0) {
            append(&mut text, format_args!("    {}: {}\n", counter.name, counter.value));
        }
    }
    if let Some(usage) = all.first() {
        append(
            &mut text,
            format_args!(
                "All interfaces:\n    TCP memory: {} of {}\n",
                bytes(usage.tcp_memory_of_system as f64),
                bytes(usage.tcp_memory_limit as f64)
            ),
        );
    }
    text
}

/// The losses of one interface by reason, without those that never happened.
fn losses(interface: &str, drops: &[DropCount]) -> String {
    let mut text = String::new();
    for (direction, is_received) in [("Received", true), ("Sent", false)] {
        let losses = || {
            drops.iter().filter(|count| {
                count.interface == interface
                    && count.reason.is_loss()
                    && count.reason.is_received() == is_received
            })
        };
        let dropped: u64 = losses().map(|count| count.packets).sum();
        append(&mut text, format_args!("    {direction} packets dropped: {dropped}\n"));
        for count in losses().filter(|count| count.packets > 0) {
            append(&mut text, format_args!("        {}: {}\n", count.reason, count.packets));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn the_summary_names_what_is_counted() {
        assert_eq!(
            summary(&samples::usage(), &samples::drops(), &samples::counters()),
            "lo:\n    Connections: 0\n    Half-open: 0\n    Orphans: 0\n    TIME-WAIT: 0\n    \
             Listeners: 1\n    Datagram sockets: 0\n    Neighbors: 0\n    TCP memory: 0 B\n\
             \x20   Received packets dropped: 0\n    Sent packets dropped: 0\n\
             eth0:\n    Connections: 12\n    Half-open: 3\n    Orphans: 4\n    TIME-WAIT: 5\n    \
             Listeners: 1\n    Datagram sockets: 2\n    Neighbors: 7\n    TCP memory: 96.0 KiB\n\
             \x20   Received packets dropped: 5\n        checksum: 2\n        no-socket: 3\n\
             \x20   Sent packets dropped: 4\n        no-route: 4\n\
             \x20   IpInReceives: 12\n\
             All interfaces:\n    TCP memory: 128 KiB of 512 MiB\n"
        );
        assert_eq!(summary(&[], &[], &[]), "");
    }
}
