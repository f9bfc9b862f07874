use super::*;
use crate::render::samples;

const JSON: Style =
    Style { oneline: false, brief: false, json: true, statistics: false, detailed: false };

fn medium(routes: Vec<RouteEntry>) -> Vec<Preferred> {
    routes.into_iter().map(|route| (route, Preference::Medium)).collect()
}

#[test]
fn a_preference_is_shown_as_in_iproute2() {
    let mut routes = medium(samples::routes());
    routes[4].1 = Preference::High;
    let text = show(&routes[4..], Style::default(), false);
    assert_eq!(text, "default via fe80::1 dev eth0 proto ra metric 1024 pref high\n");
    assert!(show(&routes[4..], JSON, false).ends_with("\"pref\":\"high\"}]\n"));
}

#[test]
fn routes_look_as_in_iproute2() {
    assert_eq!(
        show(&medium(samples::routes()), Style::default(), false),
        "default via 192.0.2.1 dev eth0 \n\
         192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.20 \n\
         198.51.100.7 via 192.0.2.9 dev eth0 proto dhcp metric 5 linkdown \n\
         fd00::/64 dev eth0 proto kernel metric 256 pref medium\n\
         default via fe80::1 dev eth0 proto ra metric 1024 pref medium\n"
    );
    assert!(
        show(&medium(samples::routes()), Style::default(), true)
            .starts_with("default via 192.0.2.1 \n192.0.2.0/24 proto kernel scope")
    );
}

#[test]
fn json_has_the_names_and_order_of_iproute2() {
    let routes = medium(samples::routes());
    assert_eq!(
        show(&routes[..2], JSON, false),
        "[{\"dst\":\"default\",\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\",\"flags\":[]},\
         {\"dst\":\"192.0.2.0/24\",\"dev\":\"eth0\",\"protocol\":\"kernel\",\"scope\":\"link\",\
             \"prefsrc\":\"192.0.2.20\",\"flags\":[]}]\n"
    );
    assert_eq!(
        show(&routes[3..4], JSON, false),
        "[{\"dst\":\"fd00::/64\",\"dev\":\"eth0\",\"protocol\":\"kernel\",\"metric\":256,\
         \"flags\":[],\"pref\":\"medium\"}]\n"
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
