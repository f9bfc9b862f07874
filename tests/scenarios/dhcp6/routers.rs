//! What routers advertise decides what is asked for (RFC 4861 §4.2), and information without leases
//! (RFC 8415 §18.2.6).

use super::*;
use crate::advertisements::advertised;

const MANAGED: u8 = 0x80;
const OTHER: u8 = 0x40;

fn advertise(network: &mut Network<'_>, flags: u8) {
    let mut advertisement = advertised(3);
    advertisement.flags = flags;
    advertisement.send(&mut network.wire);
}

#[test]
fn flags_of_routers_say_what_to_ask_for() {
    let world = World::new(1);
    for (flags, asked) in [
        (0, None),
        (OTHER, Some(MessageKind::InformationRequest)),
        (MANAGED, Some(MessageKind::Solicit)),
        (MANAGED | OTHER, Some(MessageKind::Solicit)),
    ] {
        let mut network = Network::new(&world);
        network.write("dhcp6 client auto");
        assert!(network.silent(20 * SECOND).is_empty());
        assert_eq!(network.state(), Dhcp6State::Waiting);
        advertise(&mut network, flags);
        let heard = network.silent(3 * SECOND);
        assert_eq!(heard.first().map(|(_, one)| one.kind), asked, "{flags:#x}");
    }
}

#[test]
fn more_flags_ask_for_more_and_fewer_take_nothing_back() {
    let world = World::new(2);
    let mut network = Network::new(&world);
    network.write("dhcp6 client auto");
    advertise(&mut network, OTHER);
    network.with(3 * SECOND, plain);
    assert_eq!(network.state(), Dhcp6State::Informed);
    assert_eq!(names(&network), ["2001:db8::53", "corp.example"]);
    advertise(&mut network, MANAGED);
    network.with(5 * SECOND, plain);
    assert_eq!(network.state(), Dhcp6State::Bound);
    advertise(&mut network, 0);
    assert!(network.silent(5 * SECOND).is_empty());
    assert_eq!((network.state(), held(&network).len()), (Dhcp6State::Bound, 1));
    // On another link the router of this one says nothing, and what it said does not count.
    network.write("link down\nlink up");
    let elsewhere = |message: &Dhcp6Message| {
        let mut reply = answer(MessageKind::Reply, TWO, message);
        reply.push(option::STATUS_CODE, &status::NOT_ON_LINK.to_be_bytes());
        Some(reply)
    };
    let heard = network.with(20 * SECOND, elsewhere);
    assert_eq!(kinds(&heard), [MessageKind::Confirm]);
    assert_eq!(network.state(), Dhcp6State::Waiting);
}

#[test]
fn information_is_asked_for_again_when_its_time_is_over() {
    let world = World::new(3);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateless");
    let tells = |seconds: Option<u32>, last: u16| {
        move |message: &Dhcp6Message| {
            let mut reply = answer(MessageKind::Reply, ONE, message);
            reply.push(option::DNS_SERVERS, &address(last).octets());
            if let Some(seconds) = seconds {
                reply.push(option::INFORMATION_REFRESH_TIME, &seconds.to_be_bytes());
            }
            Some(reply)
        }
    };
    // Less than ten minutes is ten minutes (IRT_MINIMUM).
    let heard = network.with(3 * SECOND, tells(Some(5), 0x53));
    assert_eq!(kinds(&heard), [MessageKind::InformationRequest]);
    let request = &heard[0].1;
    assert_eq!(request.option(option::REQUEST), Some(&[0, 23, 0, 24, 0, 56, 0, 32, 0, 83][..]));
    assert!(!request.has(option::IA_NA) && !request.has(option::SERVER_IDENTIFIER));
    assert_eq!(names(&network), ["2001:db8::53"]);
    assert!((595..=600).contains(&network.status().refresh_seconds.unwrap()));
    let heard = network.with(602 * SECOND, tells(None, 0x54));
    assert_eq!(kinds(&heard), [MessageKind::InformationRequest]);
    assert_eq!(names(&network), ["2001:db8::54"]);
    // Unless the server says a time it is a day (IRT_DEFAULT).
    assert!((86_390..=86_400).contains(&network.status().refresh_seconds.unwrap()));
    network.write("dhcp6 renew");
    network.with(2 * SECOND, tells(Some(u32::MAX), 55));
    assert_eq!((network.status().refresh_seconds, names(&network).len()), (None, 1));
    // Another link may have another server, or none.
    network.write("link down\nlink up");
    let heard = network.silent(20 * SECOND);
    assert!(names(&network).is_empty());
    assert!(heard.len() >= 4);
    let waits: Vec<u64> = heard.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!((890..=1110).contains(&waits[0]) && (1690..=2310).contains(&waits[1]), "{waits:?}");
    network.write("dhcp6 client off");
    assert!(network.silent(5 * SECOND).is_empty());
}
