//! The routing tables of `route`, `route -e` and `netstat -r`.

use devnet_network::address::Prefix;
use devnet_network::command::route::{RouteDetail, RouteKind};

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
pub fn ipv4(routes: &[RouteDetail], style: Style) -> String {
    let mut text = String::from("Kernel IP routing table\n");
    text.push_str(if style.extended {
        "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n"
    } else {
        "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
    });
    for detail in routes {
        let route = &detail.route;
        let Some(mask) = route.destination.netmask() else { continue };
        let destination = match route.destination.length() {
            0 if !style.numeric => String::from("default"),
            _ => route.destination.address().to_string(),
        };
        let gateway = match route.gateway {
            _ if is_rejected(detail) => String::from("-"),
            Some(gateway) => gateway.to_string(),
            None if style.numeric => String::from("0.0.0.0"),
            None => String::from("*"),
        };
        let interface = match detail.kind {
            RouteKind::Unicast => route.interface.as_str(),
            _ if is_rejected(detail) => "-",
            _ => "*",
        };
        append(
            &mut text,
            format_args!(
                "{destination:<15} {gateway:<15} {:<16}{:<6}",
                mask.to_string(),
                flags(detail)
            ),
        );
        if style.extended {
            append(&mut text, format_args!("{:>5} {:<5} {:>6} {interface}\n", 0, 0, 0));
        } else {
            append(
                &mut text,
                format_args!(
                    "{:<6} {:<2} {:>7} {interface}\n",
                    route.metric,
                    if is_rejected(detail) { "-" } else { "0" },
                    0
                ),
            );
        }
    }
    text
}

/// The table of the IPv6 routes among `routes`.
#[must_use]
pub fn ipv6(routes: &[RouteDetail]) -> String {
    let mut text = String::from(
        "Kernel IPv6 routing table\n\
         Destination                    Next Hop                   Flag Met Ref  Use If\n",
    );
    for detail in routes {
        let route = &detail.route;
        if route.destination.address().is_ipv6() {
            let is_unicast = detail.kind == RouteKind::Unicast;
            let gateway =
                route.gateway.map_or_else(|| String::from("::"), |gateway| gateway.to_string());
            append(
                &mut text,
                format_args!(
                    "{:<30} {gateway:<26} {:<4} {:<3} {:<1} {:>6} {}\n",
                    route.destination.to_string(),
                    if is_unicast { flags(detail) } else { String::from("!n") },
                    route.metric,
                    0,
                    0,
                    if is_unicast { route.interface.as_str() } else { "lo" }
                ),
            );
        }
    }
    text
}

/// net-tools shows an unreachable or prohibited destination with `!`, a black hole like a network.
fn is_rejected(detail: &RouteDetail) -> bool {
    matches!(detail.kind, RouteKind::Unreachable | RouteKind::Prohibit)
}

/// `U` in the table, `!` rejected, `G` through a gateway, `H` to one host.
fn flags(detail: &RouteDetail) -> String {
    let route = &detail.route;
    let host = route.destination == Prefix::host(route.destination.address());
    let rejected = is_rejected(detail);
    let letters = [(rejected, '!'), (!rejected, 'U'), (route.gateway.is_some(), 'G'), (host, 'H')];
    letters.iter().filter(|(set, _)| *set).map(|(_, letter)| *letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn routes() -> Vec<RouteDetail> {
        samples::routes().into_iter().map(RouteDetail::from).collect()
    }

    #[test]
    fn routes_of_the_whole_system_look_as_in_net_tools() {
        let system = |kind, destination: &str| {
            let mut detail = routes().swap_remove(0);
            detail.kind = kind;
            detail.route.destination = destination.parse().unwrap();
            (detail.route.gateway, detail.route.interface) = (None, String::new());
            detail
        };
        let all = [
            system(RouteKind::Unreachable, "10.51.0.0/16"),
            system(RouteKind::Blackhole, "10.52.0.9/32"),
            system(RouteKind::Prohibit, "fd03::/64"),
        ];
        let text = ipv4(&all, Style { numeric: true, extended: false });
        assert_eq!(
            text.split_once("Iface\n").unwrap().1,
            "10.51.0.0       -               255.255.0.0     !     0      -        0 -\n\
             10.52.0.9       0.0.0.0         255.255.255.255 UH    0      0        0 *\n"
        );
        assert!(ipv6(&all).ends_with(
            "fd03::/64                      ::                         !n   0   0      0 lo\n"
        ));
    }

    #[test]
    fn the_ipv4_table_looks_as_in_busybox() {
        assert_eq!(
            ipv4(&routes(), Style { numeric: true, extended: false }),
            "Kernel IP routing table\n\
             Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n\
             0.0.0.0         192.0.2.1       0.0.0.0         UG    0      0        0 eth0\n\
             192.0.2.0       0.0.0.0         255.255.255.0   U     0      0        0 eth0\n\
             198.51.100.7    192.0.2.9       255.255.255.255 UGH   5      0        0 eth0\n"
        );
        let named = ipv4(&routes(), Style::default());
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
        assert!(ipv4(&routes(), Style { numeric: true, extended: true }).starts_with(
            "Kernel IP routing table\n\
             Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n\
             0.0.0.0         192.0.2.1       0.0.0.0         UG        0 0          0 eth0\n"
        ));
    }

    #[test]
    fn the_ipv6_table_looks_as_in_net_tools() {
        assert_eq!(
            ipv6(&routes()),
            "Kernel IPv6 routing table\n\
             Destination                    Next Hop                   Flag Met Ref  Use If\n\
             fd00::/64                      ::                         U    256 0      0 eth0\n\
             ::/0                           fe80::1                    UG   1024 0      0 eth0\n"
        );
    }
}
