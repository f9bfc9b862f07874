//! `ifconfig` in the classic style, and the table of `netstat -i`.

use devnet_network::command::address::{AddressEntry, Scope};
use devnet_network::command::drops::DropReason;
use devnet_network::command::interface::{InterfaceFlags, Statistics};
use devnet_network::driver::Kind;

use crate::link::Link;
use crate::render::append;

/// The block of one interface, with the blank line after it.
#[must_use]
pub fn block(status: &Link, addresses: &[AddressEntry], statistics: &Statistics) -> String {
    let mut text = format!("{:<9} Link encap:{}  ", status.name, encapsulation(status.kind));
    if let (Some(hardware), false) = (status.hardware_address, status.kind == Kind::Loopback) {
        append(&mut text, format_args!("HWaddr {}  ", hardware.to_string().to_uppercase()));
    }
    text.push('\n');
    // All IPv4 addresses come before the IPv6 ones, each kind in its own order.
    for entry in addresses.iter().filter(|entry| entry.prefix.address().is_ipv4()) {
        text.push_str(&ipv4_line(entry));
    }
    for entry in addresses {
        if entry.prefix.address().is_ipv6() {
            append(
                &mut text,
                format_args!(
                    "          inet6 addr: {} Scope:{}\n",
                    entry.prefix,
                    scope(entry.scope)
                ),
            );
        }
    }
    let metric = status.metric.max(1);
    append(
        &mut text,
        format_args!("          {} MTU:{}  Metric:{metric}\n", flags(status), status.mtu),
    );
    text.push_str(&counters(status, statistics));
    text
}

fn ipv4_line(entry: &AddressEntry) -> String {
    let mut line = format!("          inet addr:{} ", entry.prefix.address());
    if let Some(broadcast) = entry.broadcast {
        append(&mut line, format_args!(" Bcast:{broadcast} "));
    }
    if let Some(mask) = entry.prefix.netmask() {
        append(&mut line, format_args!(" Mask:{mask}"));
    }
    line.push('\n');
    line
}

fn counters(status: &Link, statistics: &Statistics) -> String {
    let Statistics { received_packets, received_bytes, sent_packets, sent_bytes, .. } = *statistics;
    let (received, sent) = (Received::of(statistics), Sent::of(statistics));
    let mut text = String::new();
    append(
        &mut text,
        format_args!(
            "          RX packets:{received_packets} errors:{} dropped:{} overruns:{} frame:{}\n",
            received.errors, received.dropped, received.overruns, received.frame
        ),
    );
    append(
        &mut text,
        format_args!(
            "          TX packets:{sent_packets} errors:{} dropped:{} overruns:{} carrier:{}\n",
            sent.errors, sent.dropped, sent.overruns, sent.carrier
        ),
    );
    append(
        &mut text,
        format_args!("          collisions:0 txqueuelen:{} \n", status.queue_length()),
    );
    append(
        &mut text,
        format_args!(
            "          RX bytes:{received_bytes} ({})  TX bytes:{sent_bytes} ({})\n",
            size(received_bytes),
            size(sent_bytes)
        ),
    );
    for (word, is_received) in [("RX", true), ("TX", false)] {
        let reasons = reasons(statistics, is_received, false);
        if !reasons.is_empty() {
            append(&mut text, format_args!("          {word} drops:{reasons}\n"));
        }
    }
    text.push('\n');
    text
}

/// The reasons of one direction with their numbers, a space before each: the losses that happened,
/// or `all` reasons but what rules drop, which `firewall` counts.
pub(crate) fn reasons(statistics: &Statistics, is_received: bool, all: bool) -> String {
    DropReason::ALL
        .into_iter()
        .filter(|reason| reason.is_received() == is_received && !reason.is_of_firewall())
        .map(|reason| (reason, statistics.dropped(reason)))
        .filter(|(reason, packets)| all || (reason.is_loss() && *packets > 0))
        .map(|(reason, packets)| format!(" {reason}:{packets}"))
        .collect()
}

/// The table of `netstat -i` and `ifconfig -s`.
#[must_use]
pub fn table(rows: &[(Link, Statistics)]) -> String {
    let mut text = String::from(
        "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n",
    );
    for (status, statistics) in rows {
        let (received, sent) = (Received::of(statistics), Sent::of(statistics));
        append(
            &mut text,
            format_args!(
                "{:<16}{:>5} {:>8} {:>6} {:>6} {:<6} {:>8} {:>6} {:>6} {:>6} {}\n",
                status.name,
                status.mtu,
                statistics.received_packets,
                received.errors,
                received.dropped,
                received.overruns,
                statistics.sent_packets,
                sent.errors,
                sent.dropped,
                sent.overruns,
                letters(status)
            ),
        );
    }
    text
}

/// Maps our drop reasons to the columns of Linux (`rtnl_link_stats64`). `dropped` is the number of
/// all that were lost, for every reason and in every layer, as the status of the device has it; the
/// other columns are parts of it: a corrupt frame is an error, a full queue an overrun. Frames for
/// other stations are in none.
pub(crate) struct Received {
    pub(crate) errors: u64,
    pub(crate) dropped: u64,
    pub(crate) overruns: u64,
    pub(crate) frame: u64,
}

impl Received {
    pub(crate) const fn of(statistics: &Statistics) -> Self {
        let drops = statistics.received_drops;
        Self {
            errors: drops.malformed.saturating_add(drops.checksum),
            dropped: drops.lost(),
            overruns: drops.full,
            frame: drops.malformed,
        }
    }
}

pub(crate) struct Sent {
    pub(crate) errors: u64,
    pub(crate) dropped: u64,
    pub(crate) overruns: u64,
    pub(crate) carrier: u64,
}

impl Sent {
    pub(crate) const fn of(statistics: &Statistics) -> Self {
        let drops = statistics.sent_drops;
        Self {
            errors: drops.neighbor.saturating_add(drops.too_large),
            dropped: drops.total(),
            overruns: drops.full,
            carrier: drops.disabled,
        }
    }
}

fn encapsulation(kind: Kind) -> &'static str {
    match kind {
        Kind::Loopback => "Local Loopback",
        Kind::Ethernet | Kind::Wireless => "Ethernet",
        Kind::Tunnel => "UNSPEC",
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Host => "Host",
        Scope::Link => "Link",
        Scope::Global => "Global",
    }
}

/// The flags in BusyBox' order; a space after each.
fn flags(status: &Link) -> String {
    let names = [
        (InterfaceFlags::UP, "UP "),
        (InterfaceFlags::BROADCAST, "BROADCAST "),
        (InterfaceFlags::LOOPBACK, "LOOPBACK "),
        (InterfaceFlags::POINT_TO_POINT, "POINTOPOINT "),
        (InterfaceFlags::RUNNING, "RUNNING "),
        (InterfaceFlags::NO_ARP, "NOARP "),
        (InterfaceFlags::PROMISCUOUS, "PROMISC "),
        (InterfaceFlags::ALL_MULTICAST, "ALLMULTI "),
        (InterfaceFlags::MULTICAST, "MULTICAST "),
    ];
    let text: String = names
        .iter()
        .filter(|(flag, _)| status.flags.contains(*flag))
        .map(|(_, name)| *name)
        .collect();
    if text.is_empty() { String::from("[NO FLAGS] ") } else { text }
}

fn letters(status: &Link) -> String {
    let names = [
        (InterfaceFlags::ALL_MULTICAST, 'A'),
        (InterfaceFlags::BROADCAST, 'B'),
        (InterfaceFlags::LOOPBACK, 'L'),
        (InterfaceFlags::MULTICAST, 'M'),
        (InterfaceFlags::PROMISCUOUS, 'P'),
        (InterfaceFlags::NO_ARP, 'O'),
        (InterfaceFlags::POINT_TO_POINT, 'P'),
        (InterfaceFlags::RUNNING, 'R'),
        (InterfaceFlags::UP, 'U'),
    ];
    names
        .iter()
        .filter(|(flag, _)| status.flags.contains(*flag))
        .map(|(_, letter)| *letter)
        .collect()
}

/// Bytes as BusyBox shortens them: `90.0 B`, `1.4 KiB`, `2.0 GiB`.
fn size(bytes: u64) -> String {
    let (mut whole, mut tenths, mut unit) = (bytes, 0, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if whole < 1024 {
            break;
        }
        (whole, tenths, unit) = (whole / 1024, whole % 1024 * 10 / 1024, next);
    }
    format!("{whole}.{tenths} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn an_ethernet_interface_looks_as_in_busybox() {
        let text =
            block(&samples::ethernet().into(), &samples::addresses(), &samples::statistics());
        assert_eq!(
            text,
            "eth0      Link encap:Ethernet  HWaddr 02:00:00:00:00:0A  \n\
             \x20         inet addr:192.0.2.20  Bcast:192.0.2.255  Mask:255.255.255.0\n\
             \x20         inet6 addr: fe80::ff:fe00:a/64 Scope:Link\n\
             \x20         UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n\
             \x20         RX packets:12 errors:3 dropped:12 overruns:5 frame:1\n\
             \x20         TX packets:34 errors:6 dropped:21 overruns:8 carrier:0\n\
             \x20         collisions:0 txqueuelen:256 \n\
             \x20         RX bytes:90 (90.0 B)  TX bytes:1500 (1.4 KiB)\n\
             \x20         RX drops: malformed:1 checksum:2 martian:4 queue-full:5\n\
             \x20         TX drops: no-route:7 neighbor-unreachable:6 output-full:8\n\n"
        );
    }

    #[test]
    fn loopback_and_bare_interfaces_leave_lines_out() {
        let text = block(
            &samples::loopback().into(),
            &samples::loopback_addresses(),
            &Statistics::default(),
        );
        assert!(
            text.starts_with(
                "lo        Link encap:Local Loopback  \n\
             \x20         inet addr:127.0.0.1  Mask:255.0.0.0\n\
             \x20         inet6 addr: ::1/128 Scope:Host\n\
             \x20         UP LOOPBACK RUNNING  MTU:65536  Metric:1\n"
            ),
            "{text}"
        );
        let mut bare: Link = samples::ethernet().into();
        bare.status.flags = InterfaceFlags::empty();
        assert!(
            block(&bare, &[], &Statistics::default())
                .contains("          [NO FLAGS]  MTU:1500  Metric:1\n")
        );
    }

    #[test]
    fn the_interface_table_looks_as_in_net_tools() {
        let rows = [
            (samples::ethernet().into(), samples::statistics()),
            (samples::loopback().into(), Statistics::default()),
        ];
        assert_eq!(
            table(&rows),
            "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR \
             Flg\n\
             eth0             1500       12      3     12 5            34      6     21      8 \
             BMRU\n\
             lo              65536        0      0      0 0             0      0      0      0 \
             LRU\n"
        );
    }

    #[test]
    fn sizes_are_cut_not_rounded() {
        for (bytes, text) in [
            (0, "0.0 B"),
            (1023, "1023.0 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1 << 31, "2.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
