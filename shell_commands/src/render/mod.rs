//! Typed responses → text. The only place with layout; nothing here opens a file or makes
//! decisions.
//!
//! Scripts parse these layouts, so each has a test with the exact text that the original tool
//! prints.
//!
//! | module | looks like |
//! |---|---|
//! | [`arping`] | `arping` of iputils |
//! | [`calendar`] | `date` |
//! | [`classic`] | `ifconfig`, `route`, `arp`, `netstat`, `nslookup` of BusyBox and net-tools |
//! | [`iproute`] | `ip` of iproute2: lines, `-o`, `-br`, and `-j` |
//! | [`lease`] | `dhcp`, `dhcpd` and `dns`; our own layout |
//! | [`mod@file`] | `ls -l` and `stat` |
//! | [`storage`] | `df` of coreutils |
//! | [`memory`] | `free` of procps |
//! | [`difference`] | `diff` of diffutils |
//! | [`dump`] | `od` of coreutils |
//! | [`control`] | the table of a device's commands |
//! | [`grammar`] | the lines of text that a device takes |
//! | [`packet`] | `tcpdump` |
//! | [`ping`] | BusyBox' `ping` |
//! | [`progress`] | the bar of BusyBox' `wget` |
//! | [`iperf`] | `iperf3` |
//! | [`program`] | `ps` |
//! | [`query`] | `dig` and `host` of BIND, `getent` of glibc |
//! | [`time`] | `ntpdate -q` |
//! | [`mtr`] | mtr 0.95 |
//! | [`top`] | our own |
//! | [`traceroute`] | traceroute 2.1 |
//! | [`units`] | numbers with units |
//! | [`wifi`] | our own, after `iw` and `nmcli` |

pub mod arping;
pub mod calendar;
pub mod classic;
pub mod color;
pub mod control;
pub mod dhcp6;
pub mod difference;
pub mod dump;
pub mod file;
pub mod firewall;
pub mod grammar;
pub mod iperf;
pub mod iproute;
pub mod lease;
pub mod memory;
pub mod meter;
pub mod mtr;
pub mod packet;
pub mod ping;
pub mod program;
pub mod progress;
pub mod query;
pub mod services;
pub mod storage;
pub mod time;
pub mod top;
pub mod traceroute;
pub mod units;
pub mod wifi;

#[cfg(test)]
pub(crate) mod samples;

/// Appends to a string, which cannot fail.
pub(crate) fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = std::fmt::Write::write_fmt(text, arguments);
}
