//! The output of `dhcp -6`, in our own layout.

use devnet_network::command::dhcp6::{Dhcp6Status, INFINITE, status_words};

use super::append;
use crate::shown;

/// The one line of what there is, as `dhcp -6 IF` prints it.
#[must_use]
pub fn got(interface: &str, status: &Dhcp6Status) -> String {
    let mut text = format!("{interface}: {}", status.state);
    for one in &status.addresses {
        append(&mut text, format_args!(" {}", one.address));
    }
    for one in &status.prefixes {
        append(&mut text, format_args!(" prefix {}", one.prefix));
    }
    information(&mut text, status);
    text.push('\n');
    text
}

fn information(text: &mut String, status: &Dhcp6Status) {
    for (word, servers) in [("dns", &status.dns_servers), ("ntp", &status.ntp_servers)] {
        for (index, server) in servers.iter().enumerate() {
            let start = if index == 0 { format!(", {word}") } else { String::new() };
            append(text, format_args!("{start} {server}"));
        }
    }
    for (index, domain) in status.domains.iter().enumerate() {
        let start = if index == 0 { ", search" } else { "" };
        append(text, format_args!("{start} {}", shown::line(domain)));
    }
}

/// Why there is nothing after so many seconds.
#[must_use]
pub fn none(seconds: u32, refusal: Option<u16>) -> String {
    let mut text = format!("no answer after {seconds} seconds");
    if let Some(code) = refusal {
        text = format!("nothing after {seconds} seconds: {}", status_words(code));
    }
    text
}

fn seconds(seconds: u32) -> String {
    if seconds == INFINITE { "ever".to_owned() } else { format!("{seconds}s") }
}

/// How the client and the networks stand, as `dhcp -6 status IF` prints them.
#[must_use]
pub fn status(interface: &str, status: &Dhcp6Status) -> String {
    let options = &status.options;
    let mut text = format!("{interface}: {}, {}", status.state, options.mode);
    if options.prefixes {
        text.push_str(" with prefixes");
    }
    if let Some(server) = &status.server {
        append(&mut text, format_args!(", server {server}"));
    }
    information(&mut text, status);
    for (word, left) in [
        ("renew", status.renew_seconds),
        ("rebind", status.rebind_seconds),
        ("refresh", status.refresh_seconds),
    ] {
        if let Some(left) = left {
            append(&mut text, format_args!(", {word} in {left}s"));
        }
    }
    if status.attempts > 0 {
        append(&mut text, format_args!(", attempts {}", status.attempts));
    }
    if let Some(code) = status.refusal {
        append(&mut text, format_args!(", refused {}", status_words(code)));
    }
    text.push('\n');
    if let Some(duid) = &status.duid {
        append(&mut text, format_args!("  duid {duid} iaid {}\n", status.iaid));
    }
    for one in &status.addresses {
        let (preferred, valid) = (seconds(one.preferred_seconds), seconds(one.valid_seconds));
        append(
            &mut text,
            format_args!("  address {} preferred {preferred} valid {valid}\n", one.address),
        );
    }
    let networks = status.networks.iter().map(|one| ("network", one));
    for (word, one) in status.prefixes.iter().map(|one| ("prefix", one)).chain(networks) {
        let (preferred, valid) = (seconds(one.preferred_seconds), seconds(one.valid_seconds));
        append(
            &mut text,
            format_args!("  {word} {} preferred {preferred} valid {valid}\n", one.prefix),
        );
    }
    if let Some(downstream) = &status.downstream {
        append(
            &mut text,
            format_args!("  downstream of {} subnet {}", downstream.uplink, downstream.subnet),
        );
        text.push_str(if downstream.advertise { ", advertised\n" } else { "\n" });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn what_there_is_stands_in_one_line_and_all_of_it_in_more() {
        let sample = samples::dhcp6();
        assert_eq!(
            got("eth0", &sample),
            "eth0: bound 2001:db8::5 prefix 2001:db8:0:100::/56, dns fd00:2::3, search lan\n"
        );
        assert_eq!(
            status("eth0", &sample),
            "eth0: bound, stateful with prefixes, server 00030001020000000002, dns fd00:2::3, \
             search lan, renew in 890s, rebind in 1430s\n  duid 00030001020000000001 iaid 1\n  \
             address 2001:db8::5 preferred 1790s valid ever\n  prefix 2001:db8:0:100::/56 \
             preferred 1790s valid 3590s\n"
        );
        assert_eq!(status("lo", &Dhcp6Status::default()), "lo: stopped, off\n");
        assert_eq!(none(5, Some(2)), "nothing after 5 seconds: NoAddrsAvail");
    }
}
