use super::{failed, world};
use crate::render::classic::usage::summary;
use crate::render::samples;

#[test]
fn ifconfig_shows_what_is_up_unless_asked() {
    let (world, _) = world();
    assert!(world.output("ifconfig").starts_with("lo        Link encap:Local Loopback  \n"));
    assert!(!world.output("ifconfig").contains("eth0"));
    let all = world.output("ifconfig -a");
    assert!(
        all.contains(
            "\n\neth0      Link encap:Ethernet  HWaddr 02:00:00:00:00:0A  \n          BROADCAST \
             MULTICAST  MTU:1500"
        ),
        "{all}"
    );
    assert!(world.output("ifconfig eth0").starts_with("eth0      Link"));
    assert!(world.output("ifconfig -s lo").ends_with("LRU\n"));
}

#[test]
fn netconfig_shows_checks_applies_and_saves() {
    let (world, _) = world();
    let text = "link up\nmtu 1400\n";
    assert_eq!(world.output("netconfig export"), text);
    assert_eq!(world.output("netconfig export eth0"), text);
    let changes = " interface eth0\n-link down\n+mtu 1400\n+link up\n";
    world.output("mkdir /configuration; echo 'link up' > /wanted");
    assert!(world.output("netconfig apply /wanted").contains(changes));
    assert!(world.output("echo 'link up' | netconfig diff -; true").contains(changes));
    assert_eq!(world.output("netconfig diff /wanted >/shown; echo $?"), "1\n");
    assert_eq!(world.output("netconfig save; cat /configuration/network"), text);
    assert_eq!(world.output("netconfig save /kept; cat /kept"), text);
    for (line, status, message) in [
        ("netconfig", 2, "netconfig: export, apply, check, diff, save or wait?\n"),
        ("netconfig frob", 2, "netconfig: frob: unknown word\n"),
        ("netconfig apply", 2, "netconfig: apply: which file?\n"),
        ("netconfig wait", 2, "netconfig: wait: which interface?\n"),
        ("netconfig wait eth0 --timeout soon", 1, "netconfig: soon: bad time\n"),
        ("netconfig check /none", 1, "netconfig: /none: No such file or directory\n"),
        ("netconfig export eth9", 1, "netconfig: eth9: No such device\n"),
    ] {
        assert_eq!(failed(&world, line), (status, message.to_owned()), "{line}");
    }
}

#[test]
fn route_shows_the_table_in_order() {
    let (world, network) = world();
    network.eth0.with(|state| {
        state.routes = samples::routes();
        state.routes.reverse();
    });
    // Those of an interface that is down are not in force.
    assert_eq!(world.output("route -n").lines().count(), 2);
    network.eth0.with(|state| state.status.enabled = true);
    let table = world.output("route -n");
    let rows: Vec<&str> = table.lines().skip(2).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(rows, ["0.0.0.0", "192.0.2.0", "198.51.100.7"]);
    assert!(world.output("route -6").starts_with("Kernel IPv6 routing table\n"));
    assert_eq!(world.output("route -ne"), world.output("netstat -rn"));
    assert_eq!(world.output("route -A inet6"), world.output("netstat -r -6"));
    let ipv6 = world.output("ip -6 route");
    assert!(ipv6.starts_with("fd00::/64 ") && ipv6.contains("\ndefault via fe80::1 "), "{ipv6}");
    assert_eq!(world.output("ip r show default"), "default via 192.0.2.1 dev eth0 \n");
    assert_eq!(world.output("ip route list default dev eth0"), "default via 192.0.2.1 \n");
    assert!(world.output("ip -j r").starts_with(
        "[{\"dst\":\"default\",\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\",\"flags\":[]},"
    ));
}

#[test]
fn ip_shows_addresses_and_links() {
    let (world, network) = world();
    network.eth0.with(|state| state.addresses = samples::addresses());
    let brief = "lo               UNKNOWN        127.0.0.1/8 ::1/128 \neth0             \
        DOWN           192.0.2.20/24 fe80::ff:fe00:a/64 \n";
    assert_eq!(world.output("ip -br addr"), brief);
    assert_eq!(world.output("ip -br a show up"), brief.lines().next().unwrap().to_owned() + "\n");
    assert_eq!(
        world.output("ip -br -6 a show dev eth0 scope link"),
        "eth0             DOWN           fe80::ff:fe00:a/64 \n"
    );
    assert_eq!(
        world.output("ip -br a show to 192.0.2.0/24"),
        "eth0             DOWN           192.0.2.20/24 \n"
    );
    assert_eq!(world.output("ip -o -4 addr show eth0").lines().count(), 1);
    assert_eq!(world.output("ip address").lines().filter(|line| line.contains("mtu")).count(), 2);
    assert_eq!(world.output("ip l"), world.output("ip link list"));
    assert!(world.output("ip -s link show lo").contains("    RX:  bytes packets"));
    let json: serde_json::Value =
        serde_json::from_str(&world.output("ip -j addr show dev eth0")).unwrap();
    assert_eq!(json[0]["addr_info"][0]["local"], "192.0.2.20");
    assert_eq!(json[0]["operstate"], "DOWN");
}

#[test]
fn ip_route_get_explains_the_choice() {
    let (world, network) = world();
    network.eth0.with(|state| state.addresses = samples::addresses());
    assert_eq!(
        world.output("ip route get 192.0.2.9"),
        "192.0.2.9 dev eth0 src 192.0.2.20 uid 0 \n    cache \n"
    );
    assert_eq!(
        world.output("ip -o r get to 192.0.2.20"),
        "local 192.0.2.20 dev lo src 192.0.2.20 uid 0 \\    cache <local> \n"
    );
    assert_eq!(
        failed(&world, "ip route get 10.0.0.1"),
        (1, "ip: 10.0.0.1: Network is unreachable\n".into())
    );
}

#[test]
fn neighbors_are_shown_in_three_ways() {
    let (world, network) = world();
    assert_eq!(world.output("arp; arp -a; ip neigh"), "");
    network.eth0.with(|state| state.neighbors = samples::neighbors());
    assert!(world.output("arp -n").starts_with(
        "Address                  HWtype  HWaddress           Flags Mask            Iface\n\
             192.0.2.1 "
    ));
    assert_eq!(world.output("arp -a").lines().count(), 3);
    assert_eq!(
        world.output("arp -a 192.0.2.1"),
        "? (192.0.2.1) at 02:00:00:00:00:aa [ether]  on eth0\n"
    );
    assert_eq!(world.output("arp -i lo"), "");
    assert_eq!(
        world.output("ip -6 n show dev eth0"),
        "fe80::1 lladdr 02:00:00:00:00:01 router STALE \n"
    );
    assert_eq!(failed(&world, "arp 192.0.2.77"), (1, "arp: No ARP entry for 192.0.2.77\n".into()));
}

#[test]
fn netstat_selects_sockets() {
    let (world, _) = world();
    let rows = |script: &str| {
        world
            .output(script)
            .lines()
            .skip(2)
            .map(|row| row.split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(rows("netstat -tuan"), ["tcp", "tcp", "tcp6", "udp"]);
    assert_eq!(rows("netstat"), ["tcp"]);
    assert_eq!(rows("netstat -ltn"), ["tcp", "tcp6"]);
    assert_eq!(rows("netstat -lun"), ["udp"]);
    assert_eq!(rows("netstat -a6"), ["tcp6"]);
    assert_eq!(rows("netstat -aw"), Vec::<String>::new());
    assert_eq!(world.output("netstat -i").lines().count(), 3, "title, head and lo");
    assert_eq!(world.output("netstat -ia").lines().count(), 4);
    assert_eq!(world.output("netstat -iea"), world.output("ifconfig -a"));
}

#[test]
fn netstat_shows_what_is_used_of_what_is_bounded() {
    let (world, _) = world();
    assert_eq!(
        world.output("netstat -s"),
        summary(&samples::usage(), &samples::drops(), &samples::counters())
    );
    assert_eq!(world.output("netstat --metrics"), "# EOF\n");
    assert_eq!(
        world.output("netstat --statistics"),
        summary(&samples::usage(), &samples::drops(), &samples::counters())
    );
}

/// Statuses and texts of BIND 9.18 and glibc.
#[test]
fn dig_host_and_getent_ask_as_elsewhere() {
    let (world, network) = world();
    assert_eq!(world.output("dig +short web.lan"), "10.0.2.4\n");
    assert_eq!(world.output("dig +short mx web.lan -x 10.0.2.4"), "10 mail.lan.\nweb.lan.\n");
    let answer = world.output("dig @10.0.2.9 -p 5353 web.lan +tcp +norec +noall +answer");
    assert_eq!(answer, "web.lan.\t\t60\tIN\tA\t10.0.2.4\n");
    let asked = network.changes();
    assert!(asked.last().unwrap().contains("server: Some(10.0.2.9:5353), stream: true"));
    assert!(asked.last().unwrap().contains("recursion: false, timeout_milliseconds: 15000"));
    assert!(world.output("dig nosuch.lan").contains("status: NXDOMAIN, id: 4660\n"));
    let none = ";; communications error: timed out\n;; no servers could be reached\n";
    assert_eq!(world.output("dig slow.lan +nocmd; echo $?"), format!("{none}9\n"));
    assert_eq!(failed(&world, "dig -4 web.lan").0, 1);
    assert_eq!(failed(&world, "dig +foo"), (1, "dig: +foo: unknown option\n".into()));
    let host = |words: &str| world.output(&format!("host {words}; echo $?"));
    assert_eq!(
        host("web.lan"),
        "web.lan has address 10.0.2.4\nweb.lan mail is handled by 10 mail.lan.\n0\n"
    );
    assert_eq!(host("10.0.2.4"), "4.2.0.10.in-addr.arpa domain name pointer web.lan.\n0\n");
    assert_eq!(host("-t aaaa web.lan"), "web.lan has no AAAA record\n0\n");
    assert_eq!(host("nosuch.lan"), "Host nosuch.lan not found: 3(NXDOMAIN)\n1\n");
    assert_eq!(
        host("-t txt -p 99 web.lan 10.0.2.3"),
        "Using domain server:\nName: 10.0.2.3\nAddress: 10.0.2.3#99\nAliases: \n\n\
         web.lan descriptive text \"TXT of web.lan\"\n0\n"
    );
    let late = "host: connection timed out; no servers could be reached\n";
    assert_eq!(failed(&world, "host slow.lan"), (1, late.into()));
    let getent = |words: &str| world.output(&format!("getent {words}; echo $?"));
    assert_eq!(getent("hosts web.lan"), "10.0.2.4        web.lan\n0\n");
    assert_eq!(getent("hosts 10.0.2.4 nosuch.lan"), "10.0.2.4        web.lan\n2\n");
    assert_eq!(
        getent("ahostsv4 web.lan"),
        "10.0.2.4        STREAM web.lan\n10.0.2.4        DGRAM  \n10.0.2.4        RAW    \n0\n"
    );
    assert_eq!(failed(&world, "getent passwd"), (1, "getent: passwd: unknown database\n".into()));
    assert_eq!(failed(&world, "getent ahosts").0, 3);
}

#[test]
fn names_of_the_link_are_shown_and_changed() {
    let (world, network) = world();
    assert_eq!(
        world.output("dns multicast"),
        "lo: off\neth0: on devnet.local announced\n  _http._tcp 80 probing My page (2)\n"
    );
    assert_eq!(
        world.output("dns browse _http._tcp 1"),
        "eth0 _http._tcp My page\n  printer.local port 80 10.0.2.9 fd00::9\n  path=/\n\
         eth0 _http._tcp gone\\u001b\n"
    );
    let watched = world.run("dns watch _ntp._udp eth0");
    assert_eq!(watched.error, "dns: 3 changes came too fast and are not shown\n");
    assert_eq!(
        watched.output,
        "+ eth0 _ntp._udp My page\n  printer.local port 80 10.0.2.9 fd00::9\n  path=/\n\
         + eth0 _ntp._udp gone\\u001b\n\
         = eth0 _ntp._udp My page\n  printer.local port 80 10.0.2.9 fd00::9\n  path=/\n\
         - eth0 _ntp._udp My page\n"
    );
    network.changes();
    let lines = "dns multicast eth0 on; dns hostname eth0 printer; dns hostname eth0; dns publish \
                 eth0 'My page' _http._tcp 80 'note=a b'; dns withdraw eth0 'My page' _http._tcp; \
                 dns browse _ntp._udp eth0 3";
    world.output(lines);
    let asked = network.changes();
    for (place, part) in [
        "Mode(On)",
        "HostName(\"printer\")",
        "HostName(\"\")",
        "instance: \"My page\", service_type: \"_http._tcp\", port: 80",
        "Withdraw { instance: \"My page\"",
        "milliseconds: 3000",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(asked[place].contains(part), "{part}: {asked:?}");
    }
    for (line, why) in [
        ("dns multicast eth0 maybe", "dns: maybe: off, resolve or on\n"),
        ("dns publish eth0 page _http._tcp x", "dns: x: bad port\n"),
        ("dns browse _http._tcp eth0 x", "dns: x: bad time\n"),
    ] {
        assert_eq!(failed(&world, line), (1, why.into()));
    }
    assert_eq!(failed(&world, "dns publish eth0").0, 2);
}

#[test]
fn servers_over_tls_are_shown_and_changed() {
    let (world, network) = world();
    assert_eq!(
        world.output("dns tls"),
        "1.1.1.1 one.one.one.one port 853\nfd00::3 fd00::3 port 853\nrequired\n"
    );
    network.changes();
    world.output(
        "dns tls add 9.9.9.9 dns.quad9.net; dns tls add fd00::3 dns.lan 8853; \
         dns tls required on; dns tls required off",
    );
    let asked = network.changes();
    for (place, part) in [
        "address: 9.9.9.9, name: \"dns.quad9.net\", port: 853",
        "address: fd00::3, name: \"dns.lan\", port: 8853",
        "Require(true)",
        "Require(false)",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(asked[place].contains(part), "{part}: {asked:?}");
    }
    for (line, why) in [
        ("dns tls remove 9.9.9.9", "dns: 9.9.9.9: No such file or directory\n"),
        ("dns tls add 9.9.9.9 dns.quad9.net 70000", "dns: 70000: bad port\n"),
        ("dns tls required perhaps", "dns: perhaps: on or off\n"),
    ] {
        assert_eq!(failed(&world, line), (1, why.into()));
    }
    for line in ["dns tls add 9.9.9.9", "dns tls frob", "dns tls required"] {
        assert_eq!(failed(&world, line).0, 2, "{line}");
    }
}

#[test]
fn nslookup_asks_the_resolver() {
    let (world, network) = world();
    let head = "Server:\t\t10.0.2.3\nAddress:\t10.0.2.3:53\n\n";
    assert_eq!(
        world.output("nslookup web.lan"),
        format!("{head}Name:\tweb.lan\nAddress: 10.0.2.4\n")
    );
    assert_eq!(
        world.output("nslookup 10.0.2.4"),
        format!("{head}4.2.0.10.in-addr.arpa\tname = web.lan\n")
    );
    network.changes();
    world.output("nslookup -type=a web.lan web.lan");
    for (kind, line) in [
        ("mx", "mail exchanger = 10 mail.lan"),
        ("TYPE16", "text = \"TXT of web.lan\""),
        ("16", "text = \"TXT of web.lan\""),
    ] {
        let shown = world.output(&format!("nslookup -type={kind} web.lan"));
        assert!(shown.ends_with(&format!("\n\nweb.lan\t{line}\n")), "{shown}");
    }
    assert_eq!(
        world.output("dns cache"),
        "web.lan A 9s from 10.0.2.3:53: A 10.0.2.4\n\
         gone\\u001b.lan A 9s from 10.0.2.3:53: NXDOMAIN\n"
    );
    assert_eq!(world.output("dns flush eth0"), "");
    assert_eq!(
        failed(&world, "nslookup -type=mx nosuch.lan"),
        (1, "nslookup: can't resolve 'nosuch.lan': Non-existent domain\n".into())
    );
    let asked = network.changes();
    assert!(asked[1].contains("kind: A, server: Some(10.0.2.4:53)"), "{asked:?}");
    assert_eq!(
        failed(&world, "nslookup nosuch.lan"),
        (1, "nslookup: can't resolve 'nosuch.lan': Non-existent domain\n".into())
    );
    assert_eq!(
        failed(&world, "nslookup slow.lan"),
        (1, "nslookup: can't resolve 'slow.lan': Connection timed out\n".into())
    );
    assert_eq!(
        failed(&world, "nslookup -type=AAAA web.lan"),
        (1, "nslookup: can't resolve 'web.lan': No answer\n".into())
    );
}

#[test]
fn a_world_without_devices_fails_in_words() {
    let world = crate::testing::World::new();
    assert_eq!(
        failed(&world, "route -n"),
        (1, "route: /devices/sockets: No such file or directory\n".into())
    );
    assert_eq!(world.output("ifconfig -a"), "");
}

#[test]
fn rules_of_a_firewall_are_shown_and_changed() {
    let (world, network) = world();
    assert_eq!(
        world.output("firewall list eth0"),
        "eth0 {\n\tchain in {\n\t\tpolicy drop; # packets 5 bytes 300\n\t\taccept state \
         established,related # handle 1 packets 9 bytes 900\n\t\treject rate 10/second log on \
         filter tcp # handle 4 packets 0 bytes 0\n\t}\n}\n"
    );
    assert_eq!(world.output("firewall"), world.output("firewall list"));
    assert_eq!(
        world.output("conntrack -L -p udp; conntrack -C"),
        "udp      17 119 src=10.0.2.15 dst=10.0.2.3 sport=40000 dport=53 src=10.0.2.3 \
         dst=10.0.2.15 sport=53 dport=40000\n2\n"
    );
    network.changes();
    world.output(
        "firewall add eth0 in accept state new filter tcp dst port 22; firewall insert eth0 in \
         drop before 4; firewall replace eth0 4 accept; firewall delete eth0 4; firewall flush \
         eth0 in; firewall policy eth0 out reject; firewall profile eth0 default-deny; firewall \
         reset eth0; conntrack -F",
    );
    let asked = network.changes();
    for (place, part) in [
        "filter: \"tcp dst port 22\"",
        "place: Before(4)",
        "RuleReplacement { handle: 4",
        "RemoveFirewallRule(4)",
        "FlushFirewallRules(Some(In))",
        "action: Reject",
        "DefaultDeny",
        "ResetFirewall",
        "FlushFlows",
    ]
    .iter()
    .enumerate()
    {
        assert!(asked[place].contains(part), "{part}: {asked:?}");
    }
    for (line, status, why) in [
        ("firewall remove eth0 7", 1, "firewall: eth0: No such file or directory\n"),
        (
            "firewall add eth0 in accept filter tcp dst prt 22",
            1,
            "firewall: filter: \"prt\" at 9 is not something of this protocol\n",
        ),
        (
            "firewall masquerade eth0",
            1,
            "firewall: masquerade: packets are neither forwarded nor translated here\n",
        ),
        ("conntrack -E", 1, "conntrack: -E: flows have no events; ss -E tells those of sockets\n"),
    ] {
        assert_eq!(failed(&world, line), (status, why.into()), "{line}");
    }
    for line in [
        "firewall add eth0 in allow",
        "firewall add eth0 sideways drop",
        "firewall policy eth0 in continue",
        "firewall add",
        "firewall frob",
        "conntrack",
        "conntrack -Z",
    ] {
        assert_eq!(failed(&world, line).0, 2, "{line}");
    }
}
