//! Samples of the commands about DHCPv6.

use devnet_network::command::dhcp6::{
    Dhcp6Address, Dhcp6ClientOptions, Dhcp6Mode, Dhcp6Prefix, Dhcp6ServerOptions,
    Dhcp6ServerStatistics, Dhcp6ServerStatus, Dhcp6State, Dhcp6Status, Downstream, Duid,
};
use devnet_network::command::{
    AwaitDhcp6, GetDhcp6, GetDhcp6Server, RenewDhcp6, SetDhcp6Client, SetDhcp6Server, SetDownstream,
};

use super::samples::{Sample, sample};

fn duid(last: u8) -> Duid {
    Duid(vec![0, 3, 0, 1, 2, 0, 0, 0, 0, last])
}

fn options() -> Dhcp6ClientOptions {
    Dhcp6ClientOptions {
        mode: Dhcp6Mode::Auto,
        prefixes: true,
        hint: Some("::/56".parse().expect("a prefix")),
        ..Dhcp6ClientOptions::default()
    }
}

fn tells() -> Dhcp6ServerOptions {
    Dhcp6ServerOptions {
        dns_servers: vec!["fd00:2::3".parse().expect("an address")],
        domains: vec!["lan".into()],
        refresh_seconds: 3600,
    }
}

fn status() -> Dhcp6Status {
    let prefix = |text: &str| Dhcp6Prefix {
        prefix: text.parse().expect("a prefix"),
        preferred_seconds: 1790,
        valid_seconds: 3590,
    };
    Dhcp6Status {
        options: options(),
        state: Dhcp6State::Bound,
        duid: Some(duid(1)),
        iaid: 1,
        server: Some(duid(2)),
        addresses: vec![Dhcp6Address {
            address: "2001:db8::5".parse().expect("an address"),
            preferred_seconds: 1790,
            valid_seconds: 3590,
        }],
        prefixes: vec![prefix("2001:db8:0:100::/56")],
        renew_seconds: Some(890),
        rebind_seconds: Some(1430),
        refresh_seconds: None,
        dns_servers: tells().dns_servers,
        domains: tells().domains,
        ntp_servers: vec!["fd00:2::4".parse().expect("an address")],
        attempts: 0,
        refusal: Some(6),
        downstream: Some(Downstream::new("eth1")),
        networks: vec![prefix("2001:db8:1::/64")],
    }
}

/// In the order of the table.
pub(super) fn samples() -> [Sample; 7] {
    let server = Dhcp6ServerStatus {
        options: Some(tells()),
        duid: Some(duid(1)),
        statistics: Dhcp6ServerStatistics { informed: 300, refused: 2, ignored: 1 },
    };
    [
        sample::<SetDhcp6Client>("dhcp6 client auto prefixes on hint ::/56", options(), true),
        sample::<RenewDhcp6>("dhcp6 renew", (), ()),
        sample::<GetDhcp6>("", (), status()),
        sample::<AwaitDhcp6>("dhcp6 wait 2000", 2000, status()),
        sample::<SetDhcp6Server>(
            "dhcp6 server on dns fd00:2::3 domains lan refresh 3600",
            Some(tells()),
            true,
        ),
        sample::<GetDhcp6Server>("", (), server),
        sample::<SetDownstream>(
            "dhcp6 downstream eth1 subnet 1",
            Some(Downstream { subnet: 1, ..Downstream::new("eth1") }),
            true,
        ),
    ]
}
