use super::{failed, world};

#[test]
fn an_address_brings_its_interface_up() {
    let (world, network) = world();
    assert_eq!(world.output("ifconfig eth0 10.1.2.3"), "");
    assert_eq!(network.prefixes(), ["10.1.2.3/8"], "the class decides");
    assert!(network.is_up());
    assert_eq!(world.output("ifconfig eth0 192.0.2.5 netmask 255.255.255.128"), "");
    assert_eq!(network.prefixes(), ["192.0.2.5/25"], "the first address is replaced");
    assert_eq!(world.output("ifconfig eth0 192.0.2.5; ifconfig eth0 192.0.2.6/24 down"), "");
    assert_eq!(network.prefixes(), ["192.0.2.6/24"]);
    assert!(!network.is_up());
    assert_eq!(world.output("ifconfig eth0 0.0.0.0"), "");
    assert!(network.prefixes().is_empty() && network.is_up());
}

#[test]
fn the_same_address_changes_nothing() {
    let (world, network) = world();
    world.output("ifconfig eth0 10.0.0.1/24");
    network.changes();
    world.output("ifconfig eth0 10.0.0.1");
    assert_eq!(network.changes(), ["SetEnabled(true)"]);
    assert_eq!(network.prefixes(), ["10.0.0.1/24"]);
}

#[test]
fn keywords_apply_from_left_to_right_and_stop_at_the_first_error() {
    let (world, network) = world();
    assert_eq!(
        failed(&world, "ifconfig eth0 mtu 1400 hw ether ff:ff:ff:ff:ff:ff mtu 1300"),
        (1, "ifconfig: hw: Cannot assign requested address\n".into())
    );
    assert_eq!(network.changes(), ["SetMtu(1400)", "SetHardwareAddress(ff:ff:ff:ff:ff:ff)"]);
    assert_eq!(failed(&world, "ifconfig eth0 mtu 1300 netmask 255.0.255.0").0, 1);
    assert!(network.changes().is_empty(), "a line with a wrong word changes nothing");
    assert_eq!(
        failed(&world, "ifconfig eth0 netmask 255.0.0.0"),
        (1, "ifconfig: netmask: Cannot assign requested address\n".into())
    );
    assert_eq!(
        failed(&world, "ifconfig eth0 mtu 9001"),
        (1, "ifconfig: mtu: Invalid argument\n".into())
    );
}

#[test]
fn ifconfig_words_do_what_they_say() {
    let (world, network) = world();
    world.output(
        "ifconfig eth0 10.0.0.1/24 broadcast 10.0.0.127 add fd00::1/64 metric 3 dns 1.1.1.1 \
         8.8.8.8 gw 10.0.0.254",
    );
    assert_eq!(network.prefixes(), ["10.0.0.1/24", "fd00::1/64"]);
    network.eth0.with(|state| {
        assert_eq!(state.addresses[0].broadcast, Some("10.0.0.127".parse().unwrap()));
        assert_eq!((state.status.metric, state.dns.len(), state.routes.len()), (3, 2, 1));
    });
    world.output("ifconfig eth0 gw 10.0.0.253 gw 10.0.0.253 del fd00::1");
    network.eth0.with(|state| {
        assert_eq!(state.routes.len(), 1);
        assert_eq!(state.routes[0].gateway, Some("10.0.0.253".parse().unwrap()));
    });
    assert_eq!(network.prefixes(), ["10.0.0.1/24"]);
    assert_eq!(
        failed(&world, "ifconfig eth0 gw 10.9.9.9"),
        (1, "ifconfig: gw 10.9.9.9: Network is unreachable\n".into())
    );
    assert_eq!(
        failed(&world, "ifconfig eth0 del 10.0.0.9"),
        (1, "ifconfig: 10.0.0.9: Cannot assign requested address\n".into())
    );
}

#[test]
fn wrong_interfaces_and_addresses_are_one_line() {
    let (world, _) = world();
    let missing = (
        1,
        "ifconfig: nosuch: error fetching interface information: Device not found\n".to_owned(),
    );
    assert_eq!(failed(&world, "ifconfig nosuch"), missing);
    assert_eq!(failed(&world, "ifconfig nosuch up"), missing);
    assert_eq!(
        failed(&world, "ifconfig eth0 300.1.1.1"),
        (1, "ifconfig: 300.1.1.1: bad address\n".into())
    );
    assert_eq!(
        failed(&world, "ifconfig eth0 224.0.0.5"),
        (1, "ifconfig: 224.0.0.5: Invalid argument\n".into())
    );
    assert_eq!(failed(&world, "ifconfig ../sockets").0, 1, "a name is not a path");
}

#[test]
fn routes_come_and_go() {
    let (world, network) = world();
    world.output(
        "ifconfig eth0 10.0.2.15/24; route add default gw 10.0.2.2; route add -net \
        198.51.100.0 netmask 255.255.255.0 dev eth0",
    );
    assert_eq!(
        failed(&world, "route add default gw 10.0.2.2"),
        (1, "route: default gw 10.0.2.2: File exists\n".into())
    );
    assert_eq!(
        failed(&world, "route add default gw 10.9.9.9"),
        (1, "route: default gw 10.9.9.9: Network is unreachable\n".into())
    );
    assert_eq!(
        failed(&world, "route add -net 10.1.2.3/8 eth0"),
        (1, "route: 10.1.2.3/8: netmask doesn't match route address\n".into())
    );
    assert_eq!(failed(&world, "route add -net 198.51.100.0 eth0").0, 1);
    assert_eq!(
        failed(&world, "route add 10.1.2.3"),
        (1, "route: 10.1.2.3: No such device\n".into())
    );
    world.output(
        "route add 10.7.7.7 gw 10.0.2.3 metric 5; route del -net 198.51.100.0/24; route \
        del default",
    );
    assert_eq!(
        failed(&world, "route del default"),
        (1, "route: default: No such process\n".into())
    );
    network.eth0.with(|state| assert_eq!(state.routes[0].destination.to_string(), "10.7.7.7/32"));
}

#[test]
fn ip_changes_addresses_and_links() {
    let (world, network) = world();
    world.output(
        "ip addr add 10.0.0.1/24 dev eth0; ip a a 10.0.0.2/24 brd + dev eth0; ip link \
        set eth0 mtu 1400 up",
    );
    assert_eq!(network.prefixes(), ["10.0.0.1/24", "10.0.0.2/24"]);
    assert!(network.is_up());
    assert_eq!(
        failed(&world, "ip addr add 10.0.0.1/24 dev eth0"),
        (1, "ip: 10.0.0.1/24: File exists\n".into())
    );
    world.output("ip addr replace 10.0.0.1/24 dev eth0; ip addr del 10.0.0.2 dev eth0");
    assert_eq!(
        failed(&world, "ip addr del 10.0.0.1/8 dev eth0"),
        (1, "ip: 10.0.0.1/8: Cannot assign requested address\n".into())
    );
    assert_eq!(network.prefixes(), ["10.0.0.1/24"]);
    world.output("ip addr add fd00::1/64 dev eth0; ip -6 addr flush dev eth0");
    assert_eq!(network.prefixes(), ["10.0.0.1/24"]);
    world.output("ip addr flush dev eth0; ip addr flush dev eth0");
    assert!(network.prefixes().is_empty());
    assert_eq!(
        failed(&world, "ip addr add 300.1.1.1/24 dev eth0"),
        (1, "ip: 300.1.1.1/24: bad address\n".into())
    );
    assert_eq!(
        failed(&world, "ip link set nosuch up"),
        (1, "ip: Cannot find device \"nosuch\"\n".into())
    );
    assert_eq!(
        failed(&world, "ip addr show dev nosuch"),
        (1, "ip: Device \"nosuch\" does not exist.\n".into())
    );
}

/// As iproute2 6.1 and net-tools 2.10 show them.
#[test]
fn settings_of_interfaces_are_set_and_shown() {
    let (world, network) = world();
    world.output(
        "ip link set eth0 promisc on allmulticast on arp off alias 'to the cellar' txqueuelen 77 \
         up",
    );
    assert_eq!(
        world.output("ip link show eth0"),
        "2: eth0: <BROADCAST,MULTICAST,NOARP,ALLMULTI,PROMISC,UP,LOWER_UP> mtu 1500 qdisc noqueue \
         state UP mode DEFAULT group default qlen 77\n\
         \x20   link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff\n\
         \x20   alias to the cellar\n"
    );
    assert!(world.output("ip -j link show eth0").contains("\"ifalias\":\"to the cellar\""));
    let shown = world.output("ifconfig eth0");
    assert!(
        shown.contains("UP BROADCAST RUNNING NOARP PROMISC ALLMULTI MULTICAST  MTU"),
        "{shown}"
    );
    assert!(shown.contains("txqueuelen:77 "), "{shown}");
    assert!(world.output("netstat -i").contains(" ABMPORU\n"));
    world.output("ip link set eth0 addrgenmode random");
    let changes = network.changes();
    assert!(changes.iter().any(|change| change.contains("Identifiers(Stable)")), "{changes:?}");
    world.output("ifconfig eth0 -promisc -allmulti arp txqueuelen 5; ip link set eth0 alias ''");
    let shown = world.output("ip link show eth0");
    assert!(shown.contains("<BROADCAST,MULTICAST,UP,LOWER_UP>"), "{shown}");
    assert!(shown.contains("qlen 5\n") && !shown.contains("alias"), "{shown}");
    for (line, message) in [
        (
            "ip link set eth0 promisc maybe",
            "ip: argument of \"promisc\" must be \"on\" or \"off\", not \"maybe\"\n",
        ),
        (
            "ip link set eth0 addrgenmode odd",
            "ip: argument \"odd\" is wrong: Invalid address generation mode\n",
        ),
        ("ip link set eth0 qlen -1", "ip: -1: bad txqueuelen\n"),
        ("ip link set eth0 multicast off", "ip: multicast: groups are always received\n"),
        ("ifconfig eth0 -multicast", "ifconfig: -multicast: groups are always received\n"),
    ] {
        assert_eq!(failed(&world, line).1, message, "{line}");
    }
}

#[test]
fn ip_changes_routes() {
    let (world, network) = world();
    world.output(
        "ip addr add 10.0.0.1/24 dev eth0; ip route add default via 10.0.0.2; ip route replace \
         default via 10.0.0.3",
    );
    network.eth0.with(|state| {
        assert_eq!(state.routes.len(), 1);
        assert_eq!(state.routes[0].gateway, Some("10.0.0.3".parse().unwrap()));
    });
    assert_eq!(
        failed(&world, "ip route add default via 10.0.0.4").1,
        "ip: 0.0.0.0/0 via 10.0.0.4: File exists\n"
    );
    world.output(
        "ip route append default via 10.0.0.4; ip route replace default via 10.0.0.4; ip \
        r del default; ip r flush dev eth0",
    );
    assert_eq!(
        failed(&world, "ip route del default"),
        (1, "ip: 0.0.0.0/0: No such process\n".into())
    );
    assert_eq!(
        failed(&world, "ip route change default via 10.0.0.4").1,
        "ip: 0.0.0.0/0 via 10.0.0.4: No such file or directory\n"
    );
    assert_eq!(
        failed(&world, "ip route add default via 10.9.9.9").1,
        "ip: 0.0.0.0/0 via 10.9.9.9: Network is unreachable\n"
    );
    assert_eq!(
        failed(&world, "ip route add 10.x.0.0/8 dev eth0").1,
        "ip: 10.x.0.0/8: bad prefix\n"
    );
}

#[test]
fn ip_sets_several_next_hops() {
    let (world, network) = world();
    let asked = |line: &str| {
        network.eth0.with(|state| state.changes.clear());
        world.output(line);
        network.eth0.with(|state| state.changes.last().cloned().unwrap_or_default())
    };
    let request = asked(
        "ip route add default metric 5 nexthop via 10.0.0.2 dev eth0 nexthop via inet 10.0.0.3 \
         weight 256",
    );
    for part in [
        "SetMultipathRoute",
        "mode: Insert",
        "0.0.0.0",
        "gateway: None",
        "Some(\"eth0\")",
        "metric: 5",
        "NextHop { gateway: 10.0.0.2, weight: 1 }, NextHop { gateway: 10.0.0.3, weight: 256 }",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
    let request =
        asked("ip route replace default nexthop via fd00::2 onlink nexthop via fd00::3 onlink");
    assert!(request.contains("onlink: true") && request.contains("::"), "{request}");
    let _ = failed(&world, "ip route get 192.0.2.9 ipproto tcp sport 40000 dport 80");
    let request = network.eth0.with(|state| state.changes.last().cloned().unwrap());
    assert!(request.contains("FindFlowRoute") && request.contains("source_port: 40000"));
    for (line, status, message) in [
        ("nexthop", 2, "unexpected end of line after \"nexthop\""),
        ("nexthop via 10.0.0.2 weight 0", 2, "argument \"0\" is wrong: \"weight\" is invalid"),
        ("nexthop via 10.0.0.2 weight 257", 2, "argument \"257\" is wrong: \"weight\" is invalid"),
        (
            "nexthop via 10.0.0.2 foo",
            2,
            "\"nexthop\" or end of line is expected instead of \"foo\"",
        ),
        ("via 10.0.0.1 nexthop via 10.0.0.2", 2, "\"via\" stands after \"nexthop\", not beside it"),
        ("nexthop dev eth0", 1, "nexthop dev: Operation not supported"),
        (
            "nexthop via 10.0.0.2 dev eth0 nexthop via 10.0.1.2 dev lo",
            1,
            "next hops on several interfaces: Operation not supported",
        ),
        (
            "nexthop via 10.0.0.2 onlink nexthop via 10.0.0.3",
            1,
            "onlink of some next hops only: Operation not supported",
        ),
    ] {
        let failure = failed(&world, &format!("ip route add 203.0.113.0/24 {line}"));
        assert_eq!(failure.0, status, "{line}");
        assert!(failure.1.starts_with(&format!("ip: {message}\n")), "{line}: {failure:?}");
    }
    // What is removed is named by all its next hops, in their order.
    world.output(
        "ip addr add 10.0.0.1/24 dev eth0; ip route add 203.0.113.0/24 via 10.0.0.2; ip route \
         append 203.0.113.0/24 via 10.0.0.3",
    );
    let line = "ip route del 203.0.113.0/24 nexthop via 10.0.0.3 nexthop via 10.0.0.2";
    assert_eq!(failed(&world, line).1, "ip: 203.0.113.0/24 via 10.0.0.3: No such process\n");
    world.output("ip route del 203.0.113.0/24 nexthop via 10.0.0.2 nexthop via 10.0.0.3");
    assert!(failed(&world, "ip route get 192.0.2.9 sport 5").1.contains("ipproto tcp"));
}

/// As measured of iproute2 6.1.
#[test]
fn proxies_come_and_go() {
    let (world, _network) = world();
    world.output("ip neigh add proxy 10.0.0.50 dev eth0; ip neigh add proxy fd00::50 dev eth0");
    for (line, expected) in [
        ("ip neigh show proxy", "10.0.0.50 dev eth0 proxy \nfd00::50 dev eth0 proxy \n"),
        ("ip -4 neigh show proxy", "10.0.0.50 dev eth0 proxy \n"),
        ("ip neigh show proxy dev eth0", "10.0.0.50 proxy \nfd00::50 proxy \n"),
        ("ip neigh show proxy dev lo", ""),
        (
            "ip -j neigh show proxy",
            "[{\"dst\":\"10.0.0.50\",\"dev\":\"eth0\",\"proxy\":null},\
             {\"dst\":\"fd00::50\",\"dev\":\"eth0\",\"proxy\":null}]\n",
        ),
    ] {
        assert_eq!(world.output(line), expected, "{line}");
    }
    world.output("ip neigh del proxy 10.0.0.50 dev eth0");
    for (line, status, message) in [
        ("ip neigh del proxy 10.0.0.50 dev eth0", 1, "10.0.0.50: No such file or directory"),
        ("ip neigh flush proxy dev eth0", 1, "flush proxy: Operation not supported"),
        (
            "ip neigh add proxy 10.0.0.1 lladdr 02:00:00:00:00:01 dev eth0",
            2,
            "a proxy has neither lladdr nor nud",
        ),
    ] {
        let failure = failed(&world, line);
        assert_eq!(failure.0, status, "{line}");
        assert!(failure.1.contains(message), "{line}: {failure:?}");
    }
    assert_eq!(failed(&world, "ip neigh add proxy 10.0.0.50").0, 2);
}

/// As measured of iproute2 6.1, beside the IP addresses, which it refuses.
#[test]
fn groups_are_joined_and_left() {
    let (world, _network) = world();
    world.output("ip maddr add ff02::99 dev eth0; ip maddr add 239.1.2.3 dev eth0");
    for (line, expected) in [
        (
            "ip maddr show dev eth0",
            "2:\teth0\n\tinet  224.0.0.1\n\tinet  239.1.2.3 static\n\tinet6 ff02::99 static\n",
        ),
        ("ip -4 m show lo", "1:\tlo\n\tinet  224.0.0.1\n"),
        ("ip -6 maddr", "2:\teth0\n\tinet6 ff02::99 static\n"),
        (
            "ip -o -4 maddr show eth0",
            "2:\teth0\\\tinet  224.0.0.1\n2:\teth0\\\tinet  239.1.2.3 static\n",
        ),
        (
            "ip -j -6 maddr",
            "[{\"ifindex\":2,\"ifname\":\"eth0\",\"maddr\":[{\"family\":\"inet6\",\
             \"address\":\"ff02::99\",\"features\":\"static\"}]}]\n",
        ),
    ] {
        assert_eq!(world.output(line), expected, "{line}");
    }
    world.output("ip maddr del 239.1.2.3 dev eth0");
    for (line, status, message) in [
        ("ip maddr del 239.1.2.3 dev eth0", 1, "239.1.2.3: No such file or directory"),
        ("ip maddr add ff02::99 dev eth0", 1, "ff02::99: File exists"),
        ("ip maddr add 10.0.0.1 dev eth0", 1, "10.0.0.1: Invalid argument"),
        ("ip maddr add 01:00:5e:01:02:03 dev eth0", 1, "no filter of link-layer addresses"),
        ("ip maddr add nowhere dev eth0", 1, "nowhere: bad address"),
        ("ip maddr add 239.1.2.3 dev eth7", 1, "Cannot find device \"eth7\""),
        ("ip maddr add 239.1.2.3", 2, "\"dev\" argument is required"),
        ("ip maddr add dev eth0", 2, "\"address\" argument is required"),
        ("ip maddr show dev eth7", 1, "Device \"eth7\" does not exist."),
        ("ip maddr join 239.1.2.3", 2, "Command \"join\" is unknown"),
    ] {
        let failure = failed(&world, line);
        assert_eq!(failure.0, status, "{line}");
        assert!(failure.1.contains(message), "{line}: {failure:?}");
    }
}

#[test]
fn neighbors_come_and_go() {
    let (world, network) = world();
    world.output(
        "ip addr add 10.0.0.1/24 dev eth0; arp -s 10.0.0.9 02:00:00:00:00:09; arp -i \
        eth0 -s 10.0.0.9 02:00:00:00:00:0a",
    );
    network.eth0.with(|state| assert_eq!(state.neighbors.len(), 1));
    assert_eq!(
        failed(&world, "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:01 dev eth0"),
        (1, "ip: 10.0.0.9: File exists\n".into())
    );
    world.output(
        "ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:01 nud permanent dev eth0; arp \
        -d 10.0.0.9",
    );
    assert_eq!(failed(&world, "arp -d 10.0.0.9"), (1, "arp: No ARP entry for 10.0.0.9\n".into()));
    assert_eq!(
        failed(&world, "ip neigh del 10.0.0.9 dev eth0"),
        (1, "ip: 10.0.0.9: No such file or directory\n".into())
    );
    assert_eq!(
        failed(&world, "arp -s 10.0.0.9 02:00:00:00:00").1,
        "arp: 02:00:00:00:00: bad hardware address\n"
    );
    assert_eq!(
        failed(&world, "arp -s 10.9.9.9 02:00:00:00:00:01").1,
        "arp: 10.9.9.9: Network is unreachable\n"
    );
    assert_eq!(
        failed(&world, "arp -s 10.0.0.1 02:00:00:00:00:01").1,
        "arp: 10.0.0.1: Invalid argument\n"
    );
}

#[test]
fn dhcp_gets_a_lease_or_says_why_not() {
    let (world, network) = world();
    let bound = "eth0: bound 10.0.2.15/24 from 10.0.2.2, router 10.0.2.2, dns 10.0.2.3 10.0.2.4, \
        lease 3600s\n";
    assert_eq!(world.output("dhcp -t 5 -H box eth0"), bound);
    assert_eq!(
        network.changes(),
        [
            "SetEnabled(true)",
            "StartDhcp(DhcpOptions { hostname: Some(\"box\"), requested: None })",
            "AwaitDhcp(5000)"
        ]
    );
    assert_eq!(world.output("dhcp -q eth0"), "");
    assert!(
        world.output("dhcp status eth0").starts_with("eth0: bound 10.0.2.15/24 from 10.0.2.2, ")
    );
    assert_eq!(
        world.output("dhcp renew eth0; dhcp release eth0; dhcp status eth0"),
        "eth0: stopped\n"
    );
    network.changes();
    assert_eq!(
        world.output("dhcp -q -r 10.0.2.9 -V box -O 42 -x 77:64 -x hostname:me -i eth0"),
        ""
    );
    assert_eq!(
        network.changes()[1],
        "StartDhcpClient(DhcpClientOptions { hostname: Some(\"me\"), requested: \
         Some(10.0.2.9), identifier: None, vendor_class: Some(\"box\"), request: [42], send: \
         [RawOption { code: 77, value: [100] }], ipv6_only: false })"
    );
    network.eth0.with(|state| state.no_server = true);
    network.changes();
    assert_eq!(failed(&world, "dhcp -n -t 1 eth0").0, 1);
    assert_eq!(network.changes().last().unwrap(), "StopDhcp(())");
    assert_eq!(failed(&world, "dhcp eth0"), (1, "dhcp: eth0: no lease after 30 seconds\n".into()));
    assert_eq!(failed(&world, "dhcp nosuch"), (1, "dhcp: nosuch: No such device\n".into()));
}

#[test]
fn dhcp_of_ipv6_gets_what_is_asked_or_says_why_not() {
    let (world, network) = world();
    let bound = "eth0: bound 2001:db8::5 prefix 2001:db8:0:100::/56, dns fd00:2::3, search lan\n";
    assert_eq!(world.output("dhcp -6 -t 5 --hint ::/56 eth0"), bound);
    assert_eq!(
        network.changes(),
        [
            "SetEnabled(true)",
            "SetDhcp6Client(Dhcp6ClientOptions { mode: Stateful, prefixes: true, hint: \
             Some(::/56), duid: None, iaid: None, rapid_commit: false })",
            "AwaitDhcp6(5000)"
        ]
    );
    let status = world.output("dhcp -6 status eth0");
    assert!(status.starts_with("eth0: bound, stateful with prefixes, server 0003"), "{status}");
    assert_eq!(world.output("dhcp -6 -q -S --duid 00020001 --iaid 7 --rapid-commit -i eth0"), "");
    let changes = network.changes();
    let asked = changes.iter().find(|line| line.starts_with("SetDhcp6Client")).unwrap();
    assert!(asked.contains("mode: Stateless") && asked.contains("iaid: Some(7)"), "{asked}");
    assert_eq!(world.output("dhcp -6 renew eth0; dhcp -6 downstream eth0 eth1 3"), "");
    assert_eq!(
        network.changes(),
        [
            "RenewDhcp6(())",
            "SetDownstream(Some(Downstream { uplink: \"eth1\", subnet: 3, advertise: true }))"
        ]
    );
    assert_eq!(world.output("dhcp -6 release eth0; dhcp -6 status eth0"), "eth0: stopped, off\n");
    network.eth0.with(|state| state.no_server = true);
    let none = "dhcp: eth0: no answer after 1 seconds\n";
    assert_eq!(failed(&world, "dhcp -6 -n -t 1 eth0"), (1, none.into()));
    assert_eq!(world.output("dhcp -6 status eth0"), "eth0: stopped, off\n");
    assert_eq!(failed(&world, "dhcp -6").0, 2);
    assert_eq!(failed(&world, "dhcp -6 -H box eth0").0, 2);
    assert_eq!(failed(&world, "dhcp -6 downstream eth0").0, 2);
    assert_eq!(failed(&world, "dhcp -6 --hint nonsense eth0").0, 1);
}

#[test]
fn dns_servers_come_and_go() {
    let (world, _) = world();
    assert_eq!(
        world.output("dns add 10.0.2.3 eth0; dns; dns remove 10.0.2.3 eth0; dns show eth0"),
        "10.0.2.3 dev eth0 static\n"
    );
    assert_eq!(
        failed(&world, "dns remove 10.0.2.3"),
        (1, "dns: 10.0.2.3: No such file or directory\n".into())
    );
    assert_eq!(failed(&world, "dns add x"), (1, "dns: x: bad address\n".into()));
    // Without an interface it is the one with the default route, and for removing the one that has
    // it.
    assert_eq!(
        failed(&world, "dns add 10.0.2.3"),
        (2, "dns: no default route: which interface?\n".into())
    );
    assert_eq!(
        world.output(
            "ifconfig eth0 10.0.0.1/24 up gw 10.0.0.254; dns add 10.0.2.3; dns; dns \
            remove 10.0.2.3; dns"
        ),
        "10.0.2.3 dev eth0 static\n"
    );
}
