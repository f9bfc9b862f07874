use devnet_network::command::interface::InterfaceStatus;

use super::*;
use crate::render::samples;

fn links() -> Vec<(Link, Option<Statistics>)> {
    vec![
        (samples::loopback().into(), None),
        (samples::ethernet().into(), None),
        (samples::tunnel().into(), None),
    ]
}

#[test]
fn links_look_as_in_iproute2() {
    assert_eq!(
        show(&links(), Style::default()),
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group \
         default qlen 256\n\
         \x20   link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n\
         2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT \
         group default qlen 256\n\
         \x20   link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff\n\
         3: tun0: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue state UNKNOWN \
         mode DEFAULT group default qlen 256\n\
         \x20   link/none \n"
    );
}

#[test]
fn one_line_and_brief_links() {
    let oneline = show(&links()[1..2], Style { oneline: true, ..Style::default() });
    assert_eq!(
        oneline,
        "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT \
         group default qlen 256\\    \
         link/ether 02:00:00:00:00:0a brd ff:ff:ff:ff:ff:ff\n"
    );
    assert_eq!(
        show(&links()[..2], Style { brief: true, ..Style::default() }),
        "lo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP> \n\
         eth0             UP             02:00:00:00:00:0a <BROADCAST,MULTICAST,UP,LOWER_UP> \n"
    );
}

#[test]
fn links_without_carrier_or_power_say_so() {
    let unplugged = InterfaceStatus { link: LinkState::Down, ..samples::ethernet() }.into();
    assert!(
        show(&[(unplugged, None)], Style::default())
            .contains("<NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN ")
    );
    let flags = InterfaceFlags::BROADCAST | InterfaceFlags::MULTICAST;
    let down = InterfaceStatus { enabled: false, flags, ..samples::ethernet() }.into();
    assert!(
        show(&[(down, None)], Style::default())
            .contains("<BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN ")
    );
}

#[test]
fn counters_stand_under_their_names() {
    let text = show(&[(samples::ethernet().into(), Some(samples::statistics()))], Style::default());
    assert!(
        text.ends_with(
            "    RX:  bytes packets errors dropped  missed   mcast           \n\
             \x20           90      12      3      12       5       0 \n\
             \x20   TX:  bytes packets errors dropped carrier collsns           \n\
             \x20         1500      34      6      21       0       0 \n\
             \x20   RX drops: malformed:1 checksum:2 martian:4 queue-full:5\n\
             \x20   TX drops: no-route:7 neighbor-unreachable:6 output-full:8\n"
        ),
        "{text}"
    );
    let detailed = Style { detailed: true, ..Style::default() };
    let text = show(&[(samples::ethernet().into(), Some(samples::statistics()))], detailed);
    assert!(
        text.ends_with(
            "    RX drops: interface-down:0 malformed:1 checksum:2 not-for-us:99 martian:4 \
             unknown-protocol:0 no-socket:0 queue-full:5 fragment:0 unacceptable-segment:0\n\
             \x20   TX drops: link-down:0 no-route:7 neighbor-unreachable:6 output-full:8 \
             too-large:0\n"
        ),
        "{text}"
    );
}

#[test]
fn json_has_the_names_and_order_of_iproute2() {
    let json = Style { json: true, ..Style::default() };
    assert_eq!(
        show(&links()[1..2], json),
        "[{\"ifindex\":2,\"ifname\":\"eth0\",\"flags\":[\"BROADCAST\",\"MULTICAST\",\"UP\",\
         \"LOWER_UP\"],\"mtu\":1500,\"qdisc\":\"noqueue\",\
         \"operstate\":\"UP\",\"linkmode\":\"DEFAULT\",\"group\":\"default\",\"txqlen\":256,\
         \"link_type\":\"ether\",\
         \"address\":\"02:00:00:00:00:0a\",\"broadcast\":\"ff:ff:ff:ff:ff:ff\"}]\n"
    );
    assert_eq!(
        show(&links()[2..], Style { brief: true, ..json }),
        "[{\"ifname\":\"tun0\",\"operstate\":\"UNKNOWN\",\"flags\":[\"POINTOPOINT\",\"MULTICAST\",\
         \"NOARP\",\"UP\",\"LOWER_UP\"]}]\n"
    );
    let counted = show(&[(samples::ethernet().into(), Some(samples::statistics()))], json);
    assert!(
        counted.contains(
            "\"stats64\":{\"rx\":{\"bytes\":90,\"packets\":12,\"errors\":3,\"dropped\":12,\
             \"drops\":{\"checksum\":2,\"malformed\":1,\"martian\":4,\"queue-full\":5}},\"tx\""
        ),
        "{counted}"
    );
    assert_eq!(show(&[], json), "[]\n");
}
