//! The routing tables of `route`, `route -e` and `netstat -r`.

use devnet_network::command::route::RouteEntry;

use crate::render::append;

/// How to print the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// Addresses as numbers, never `default`.
    pub numeric: bool,
    /// The columns of `netstat -r` and `route -e`.
    pub extended: bool,
}

/// The table of the IPv4 routes among `routes`.
#[must_use]
pub fn ipv4(routes: &[RouteEntry], style: Style) -> String {
    let mut text = String::from("Kernel IP routing table\n");
    text.push_str(if style.extended {
        "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n"
    } else {
        "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
    });
    for route in routes {
        let Some(mask) = route.destination.netmask() else { continue };
        let destination = match route.destination.length() {
            0 if !style.numeric => String::from("default"),
            _ => route.destination.address().to_string(),
        };
        let gateway = match route.gateway {
            Some(gateway) => gateway.to_string(),
            None if style.numeric => String::from("0.0.0.0"),
            None => String::from("*"),
        };
        append(
            &mut text,
            format_args!(
                "{destination:<15} {gateway:<15} {:<16}{:<6}",
                mask.to_string(),
                flags(route)
            ),
        );
        if style.extended {
            append(&mut text, format_args!("{:>5} {:<5} {:>6} {}\n", 0, 0, 0, route.interface));
        } else {
            append(
                &mut text,
                format_args!("{:<6} {:<2} {:>7} {}\n", route.metric, 0, 0, route.interface),
            );
        }
    }
    text
}

/// The table of the IPv6 routes among `routes`.
#[must_use]
pub fn ipv6(routes: &[RouteEntry]) -> String {
    let mut text = String::from(
        "Kernel IPv6 routing table\n\
         Destination                    Next Hop                   Flag Met Ref  Use If\n",
    );
    for route in routes {
        if route.destination.address().is_ipv6() {
            let gateway =
                route.gateway.map_or_else(|| String::from("::"), |gateway| gateway.to_string());
            append(
                &mut text,
                format_args!(
                    "{:<30} {gateway:<26} {:<4} {:<3} {:<1} {:>6} {}\n",
                    route.destination.to_string(),
                    flags(route),
                    route.metric,
                    0,
                    0,
                    route.interface
                ),
            );
        }
    }
    text
}

/// `U` usable, `G` through a gateway, `H` to one host.
fn flags(route: &RouteEntry) -> String {
    let host =
        route.destination == devnet_network::address::Prefix::host(route.destination.address());
    let letters = [(route.usable, 'U'), (route.gateway.is_some(), 'G'), (host, 'H')];
    letters.iter().filter(|(set, _)| *set).map(|(_, letter)| *letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn the_ipv4_table_looks_as_in_busybox() {
        assert_eq!(
            ipv4(&samples::routes(), Style { numeric: true, extended: false }),
            "Kernel IP routing table\n\
             Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n\
             0.0.0.0         192.0.2.1       0.0.0.0         UG    0      0        0 eth0\n\
             192.0.2.0       0.0.0.0         255.255.255.0   U     0      0        0 eth0\n\
             198.51.100.7    192.0.2.9       255.255.255.255 GH    5      0        0 eth0\n"
        );
        let named = ipv4(&samples::routes(), Style::default());
        assert!(
            named.contains(
                "\ndefault         192.0.2.1       0.0.0.0         UG    0      0        0 eth0\n"
            ),
            "{named}"
        );
        assert!(
            named.contains("\n192.0.2.0       *               255.255.255.0   U     0 "),
            "{named}"
        );
    }

    #[test]
    fn the_extended_table_looks_as_in_net_tools() {
        assert!(ipv4(&samples::routes(), Style { numeric: true, extended: true }).starts_with(
            "Kernel IP routing table\n\
             Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n\
             0.0.0.0         192.0.2.1       0.0.0.0         UG        0 0          0 eth0\n"
        ));
    }

    #[test]
    fn the_ipv6_table_looks_as_in_net_tools() {
        assert_eq!(
            ipv6(&samples::routes()),
            "Kernel IPv6 routing table\n\
             Destination                    Next Hop                   Flag Met Ref  Use If\n\
             fd00::/64                      ::                         U    256 0      0 eth0\n\
             ::/0                           fe80::1                    UG   1024 0      0 eth0\n"
        );
    }
}
