//! `arp`: the table of net-tools and the lines of `arp -a`. IPv4 only, as there.

use devnet_network::command::neighbor::{NeighborEntry, NeighborState};

use crate::render::append;

/// The table, one row per interface's neighbor.
#[must_use]
pub fn table(neighbors: &[(String, NeighborEntry)]) -> String {
    let mut text = String::from(
        "Address                  HWtype  HWaddress           Flags Mask            Iface\n",
    );
    for (interface, entry) in neighbors {
        let address = entry.address.to_string();
        match known(entry) {
            Some(hardware) => {
                let flags = if entry.state == NeighborState::Permanent { "CM" } else { "C" };
                append(
                    &mut text,
                    format_args!(
                        "{address:<25}{:<8}{hardware:<20}{flags:<6}{:<16}{interface}\n",
                        "ether", ""
                    ),
                );
            }
            None => append(
                &mut text,
                format_args!("{address:<25}{:<8}{:<42}{interface}\n", "", "(incomplete)"),
            ),
        }
    }
    text
}

/// The lines of `arp -a`.
#[must_use]
pub fn lines(neighbors: &[(String, NeighborEntry)]) -> String {
    let mut text = String::new();
    for (interface, entry) in neighbors {
        append(&mut text, format_args!("? ({}) at ", entry.address));
        match known(entry) {
            Some(hardware) => {
                // One blank before `on`, where net-tools has two without this word: so parsers
                // find the interface.
                let permanent = if entry.state == NeighborState::Permanent { "PERM" } else { "" };
                append(&mut text, format_args!("{hardware} [ether] {permanent}"));
            }
            None => text.push_str("<incomplete> "),
        }
        append(&mut text, format_args!(" on {interface}\n"));
    }
    text
}

/// The hardware address, if the neighbor has answered.
fn known(entry: &NeighborEntry) -> Option<String> {
    match entry.state {
        NeighborState::Incomplete | NeighborState::Failed => None,
        _ => entry.hardware_address.map(|address| address.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn neighbors() -> Vec<(String, NeighborEntry)> {
        let ipv4 = samples::neighbors().into_iter().filter(|entry| entry.address.is_ipv4());
        ipv4.map(|entry| ("eth0".to_owned(), entry)).collect()
    }

    #[test]
    fn the_table_looks_as_in_net_tools() {
        assert_eq!(
            table(&neighbors()),
            "Address                  HWtype  HWaddress           Flags Mask            Iface\n\
             192.0.2.1                ether   02:00:00:00:00:aa   C                     eth0\n\
             192.0.2.7                ether   02:00:00:00:00:07   CM                    eth0\n\
             192.0.2.9                        (incomplete)                              eth0\n"
        );
    }

    #[test]
    fn the_lines_look_as_in_busybox() {
        assert_eq!(
            lines(&neighbors()),
            "? (192.0.2.1) at 02:00:00:00:00:aa [ether]  on eth0\n\
             ? (192.0.2.7) at 02:00:00:00:00:07 [ether] PERM on eth0\n\
             ? (192.0.2.9) at <incomplete>  on eth0\n"
        );
    }
}
