use devnet_network::command::route::RouteEntry;

use super::*;
use crate::render::samples;

const JSON: Style =
    Style { oneline: false, brief: false, json: true, statistics: false, detailed: false };

const ONE: Shown = Shown { one_interface: true, details: false };

fn medium(routes: Vec<RouteEntry>) -> Vec<Preferred> {
    routes.into_iter().map(|route| (route.into(), Preference::Medium)).collect()
}

#[test]
fn a_preference_is_shown_as_in_iproute2() {
    let mut routes = medium(samples::routes());
    routes[4].1 = Preference::High;
    let text = show(&routes[4..], &[], Style::default(), Shown::default());
    assert_eq!(text, "default via fe80::1 dev eth0 proto ra metric 1024 pref high\n");
    assert!(show(&routes[4..], &[], JSON, Shown::default()).ends_with("\"pref\":\"high\"}]\n"));
}

#[test]
fn routes_look_as_in_iproute2() {
    assert_eq!(
        show(&medium(samples::routes()), &[], Style::default(), Shown::default()),
        "default via 192.0.2.1 dev eth0 \n\
         192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.20 \n\
         198.51.100.7 via 192.0.2.9 dev eth0 proto dhcp metric 5 linkdown \n\
         fd00::/64 dev eth0 proto kernel metric 256 pref medium\n\
         default via fe80::1 dev eth0 proto ra metric 1024 pref medium\n"
    );
    assert!(
        show(&medium(samples::routes()), &[], Style::default(), ONE)
            .starts_with("default via 192.0.2.1 \n192.0.2.0/24 proto kernel scope")
    );
}

#[test]
fn json_has_the_names_and_order_of_iproute2() {
    let routes = medium(samples::routes());
    assert_eq!(
        show(&routes[..2], &[], JSON, Shown::default()),
        "[{\"dst\":\"default\",\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\",\"flags\":[]},\
         {\"dst\":\"192.0.2.0/24\",\"dev\":\"eth0\",\"protocol\":\"kernel\",\"scope\":\"link\",\
             \"prefsrc\":\"192.0.2.20\",\"flags\":[]}]\n"
    );
    assert_eq!(
        show(&routes[3..4], &[], JSON, Shown::default()),
        "[{\"dst\":\"fd00::/64\",\"dev\":\"eth0\",\"protocol\":\"kernel\",\"metric\":256,\
         \"flags\":[],\"pref\":\"medium\"}]\n"
    );
}

fn several(last: &str) -> Vec<Preferred> {
    let hops: &[(&str, &str)] = match last {
        "9" => &[("203.0.113.0/24", "192.0.2.9"), ("203.0.113.0/24", "192.0.2.8")],
        _ => &[("fd01::/64", "fd00::2"), ("fd01::/64", "fd00::3")],
    };
    let base = samples::routes().remove(0);
    let hop = |(destination, gateway): &(&str, &str)| RouteEntry {
        destination: destination.parse().unwrap(),
        gateway: gateway.parse().ok(),
        metric: if destination.contains(':') { 1024 } else { 0 },
        ..base.clone()
    };
    medium(hops.iter().map(hop).collect())
}

/// As measured of iproute2 6.1.
#[test]
fn next_hops_look_as_in_iproute2() {
    let routes = several("9");
    let entries: Vec<_> = routes.iter().map(|(detail, _)| detail.route.clone()).collect();
    let whole = samples::multipath(&entries);
    let text = "203.0.113.0/24 \n\
                \tnexthop via 192.0.2.9 dev eth0 weight 1 \n\
                \tnexthop via 192.0.2.8 dev eth0 weight 2 \n";
    assert_eq!(show(&routes, &whole, Style::default(), Shown::default()), text);
    // One of them is enough, and stands for the route.
    assert_eq!(show(&routes[1..], &whole, Style::default(), ONE), text);
    let oneline = Style { oneline: true, ..Style::default() };
    assert_eq!(
        show(&routes, &whole, oneline, Shown::default()),
        "203.0.113.0/24 \\\tnexthop via 192.0.2.9 dev eth0 weight 1 \\\tnexthop via 192.0.2.8 dev \
         eth0 weight 2 \n"
    );
    let details = Shown { details: true, ..Shown::default() };
    assert!(
        show(&routes, &whole, Style::default(), details)
            .starts_with("unicast 203.0.113.0/24 proto boot scope global \n\tnexthop")
    );
    assert_eq!(
        show(&routes, &whole, JSON, Shown::default()),
        "[{\"dst\":\"203.0.113.0/24\",\"flags\":[],\"nexthops\":[\
         {\"gateway\":\"192.0.2.9\",\"dev\":\"eth0\",\"weight\":1,\"flags\":[]},\
         {\"gateway\":\"192.0.2.8\",\"dev\":\"eth0\",\"weight\":2,\"flags\":[]}]}]\n"
    );
    // IPv6 has its preference before them, and no space behind it.
    let mut routes = several("6");
    routes.iter_mut().for_each(|(detail, _)| detail.onlink = true);
    let detail = RouteDetail { onlink: true, ..routes[0].0.clone() };
    let hop = |gateway: &str, weight| NextHopStatus {
        gateway: gateway.parse().unwrap(),
        weight,
        answers: true,
    };
    let whole =
        [MultipathRoute { route: detail, hops: vec![hop("fd00::2", 1), hop("fd00::3", 3)] }];
    assert_eq!(
        show(&routes, &whole, Style::default(), Shown::default()),
        "fd01::/64 metric 1024 pref medium\n\
         \tnexthop via fd00::2 dev eth0 weight 1 onlink \n\
         \tnexthop via fd00::3 dev eth0 weight 3 onlink \n"
    );
}

fn chosen(
    destination: &str,
    gateway: Option<&str>,
    source: &str,
    route: Option<RouteEntry>,
) -> RouteChoice {
    RouteChoice {
        destination: destination.parse().unwrap(),
        interface: if route.is_some() { "eth0".into() } else { "lo".into() },
        gateway: gateway.map(|gateway| gateway.parse().unwrap()),
        source: source.parse().unwrap(),
        route,
    }
}

#[test]
fn a_choice_looks_as_in_iproute2() {
    let routes = samples::routes();
    let far = chosen("203.0.113.5", Some("192.0.2.1"), "192.0.2.20", Some(routes[0].clone()));
    assert_eq!(
        choice(&far, Style::default()),
        "203.0.113.5 via 192.0.2.1 dev eth0 src 192.0.2.20 uid 0 \n    cache \n"
    );
    let own = chosen("127.0.0.1", None, "127.0.0.1", None);
    assert_eq!(
        choice(&own, Style::default()),
        "local 127.0.0.1 dev lo src 127.0.0.1 uid 0 \n    cache <local> \n"
    );
    assert_eq!(
        choice(&own, Style { oneline: true, ..Style::default() }),
        "local 127.0.0.1 dev lo src 127.0.0.1 uid 0 \\    cache <local> \n"
    );
    let near = chosen("fd00::5", None, "fd00::2", Some(routes[3].clone()));
    assert_eq!(
        choice(&near, Style::default()),
        "fd00::5 from :: dev eth0 proto kernel src fd00::2 metric 256 pref medium\n"
    );
    assert_eq!(
        choice(&own, JSON),
        "[{\"type\":\"local\",\"dst\":\"127.0.0.1\",\"dev\":\"lo\",\"prefsrc\":\"127.0.0.1\",\
         \"flags\":[],\"uid\":0,\"cache\":[\"local\"]}]\n"
    );
}

/// As iproute2 6.1 prints them.
#[test]
fn what_few_routes_have_is_shown_as_in_iproute2() {
    let base = RouteDetail::from(samples::routes().swap_remove(0));
    let to = |detail: RouteDetail, destination: &str| {
        let mut detail = detail;
        detail.route.destination = destination.parse().unwrap();
        (detail, Preference::Medium)
    };
    let mut full = RouteDetail { mtu: Some(1400), protocol: 4, ..base.clone() };
    full.route.source = Some("10.0.0.2".parse().unwrap());
    full.route.metric = 7;
    let onlink = RouteDetail { onlink: true, ..base.clone() };
    let mut system = RouteDetail { kind: RouteKind::Unreachable, ..base };
    (system.route.gateway, system.route.interface) = (None, String::new());
    let mut ipv6 = system.clone();
    ipv6.route.metric = 1024;
    let mut short = RouteDetail { expires_seconds: Some(599), mtu: Some(1300), ..ipv6.clone() };
    (short.kind, short.route.interface) = (RouteKind::Unicast, "eth0".into());
    let routes = [
        to(full, "198.51.100.0/24"),
        to(onlink, "198.51.101.0/24"),
        to(system, "10.51.0.0/16"),
        to(ipv6, "fd01::/64"),
        to(short, "fd99::/64"),
    ];
    assert_eq!(
        show(&routes, &[], Style::default(), Shown::default()),
        "198.51.100.0/24 via 192.0.2.1 dev eth0 proto static src 10.0.0.2 metric 7 mtu 1400 \n\
         198.51.101.0/24 via 192.0.2.1 dev eth0 onlink \n\
         unreachable 10.51.0.0/16 \n\
         unreachable fd01::/64 dev lo metric 1024 pref medium\n\
         fd99::/64 dev eth0 metric 1024 expires 599sec mtu 1300 pref medium\n"
    );
    assert!(
        show(&routes[..1], &[], Style::default(), Shown { details: true, ..Shown::default() })
            .starts_with(
                "unicast 198.51.100.0/24 via 192.0.2.1 dev eth0 proto static scope global"
            )
    );
    let json = show(&routes, &[], JSON, Shown::default());
    for part in [
        "{\"dst\":\"198.51.100.0/24\",\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\",\
         \"protocol\":\"static\",\"prefsrc\":\"10.0.0.2\",\"metric\":7,\"flags\":[],\
         \"metrics\":[{\"mtu\":1400}]}",
        "\"flags\":[\"onlink\"]",
        "{\"type\":\"unreachable\",\"dst\":\"10.51.0.0/16\",\"flags\":[]}",
        "{\"type\":\"unreachable\",\"dst\":\"fd01::/64\",\"dev\":\"lo\",\"metric\":1024,\
         \"flags\":[],\"pref\":\"medium\"}",
        "\"flags\":[],\"expires\":599,\"metrics\":[{\"mtu\":1300}],\"pref\":\"medium\"}",
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
}
