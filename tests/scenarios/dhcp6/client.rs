//! Leases: how they come, stay and go (RFC 8415 §18.2).

use devnet_network::command::address::Origin;
use devnet_network::command::{ListAddresses, ListRoutes};
use devnet_virtual_file_system::Error;

use super::*;
use crate::events::{told, watching};
use crate::station::ndp;

#[test]
fn a_lease_is_asked_for_and_applied() {
    let world = World::new(1);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful");
    let heard = network.with(5 * SECOND, plain);
    assert_eq!(kinds(&heard), [MessageKind::Solicit, MessageKind::Request]);
    let (at, solicit) = &heard[0];
    assert!(*at <= 1010, "{at}");
    assert_eq!(solicit.option(option::CLIENT_IDENTIFIER), Some(OWN));
    assert_eq!(solicit.option(option::IA_NA), Some(&association(0, 0, &[])[..]));
    assert_eq!(solicit.option(option::ELAPSED_TIME), Some(&[0, 0][..]));
    assert_eq!(solicit.option(option::REQUEST), Some(&[0, 23, 0, 24, 0, 56, 0, 82][..]));
    assert!(!solicit.has(option::IA_PD) && !solicit.has(option::RAPID_COMMIT));
    let (later, request) = &heard[1];
    // The first wait is longer than a second, so that every server can answer.
    assert!((1000..=1130).contains(&(later - at)), "{at} {later}");
    assert_eq!(request.option(option::SERVER_IDENTIFIER), Some(ONE));
    let wanted = association(0, 0, &[leased(5, 0, 0)]);
    assert_eq!(request.option(option::IA_NA), Some(&wanted[..]));
    assert_ne!(request.transaction, solicit.transaction);

    let status = network.status();
    assert_eq!(status.state, Dhcp6State::Bound);
    assert_eq!(status.addresses[0].address, address(5));
    assert_eq!(status.server.unwrap().0, ONE);
    assert_eq!((status.attempts, status.refusal), (0, None));
    assert_eq!(names(&network), ["2001:db8::53", "corp.example"]);
    let addresses = network.wire.host.control::<ListAddresses>("eth0", &()).unwrap();
    let found = addresses.iter().find(|entry| entry.origin == Origin::Dhcp).unwrap();
    assert_eq!(found.prefix.to_string(), "2001:db8::5/128");
    assert_eq!(found.valid_seconds, Some(status.addresses[0].valid_seconds));
    assert_eq!(found.preferred_seconds, Some(status.addresses[0].preferred_seconds));
    // The address says nothing of its network.
    let routes = network.wire.host.control::<ListRoutes>("eth0", &()).unwrap();
    assert!(
        !routes.iter().any(|route| route.destination.length() < 128
            && route.destination.contains(address(6).into()))
    );
}

#[test]
fn a_lease_is_renewed_rebound_and_ends() {
    let world = World::new(2);
    let mut network = Network::bound(&world);
    let watching = watching(&network.wire.host, "eth0", "dhcp");
    // T1 is 20 s: the same server is asked, and the lifetimes begin anew.
    let heard = network.with(20 * SECOND, plain);
    assert_eq!(kinds(&heard), [MessageKind::Renew]);
    assert_eq!(heard[0].1.option(option::SERVER_IDENTIFIER), Some(ONE));
    assert!(network.status().addresses[0].valid_seconds > 90);
    assert_eq!(network.state(), Dhcp6State::Bound);
    assert!(told(&watching).iter().any(|line| line.contains("state renewing")));
    // Without an answer any server is asked from T2 on, and another one may answer.
    let heard = network.silent(52 * SECOND);
    let all = kinds(&heard);
    assert_eq!(all[0], MessageKind::Renew);
    assert_eq!(all.last(), Some(&MessageKind::Rebind));
    assert!(heard.iter().all(|(_, message)| {
        message.has(option::SERVER_IDENTIFIER) == (message.kind == MessageKind::Renew)
    }));
    assert_eq!(network.state(), Dhcp6State::Rebinding);
    let other = |message: &Dhcp6Message| {
        let mut reply = answer(MessageKind::Reply, TWO, message);
        reply.push(option::IA_NA, &association(20, 50, &[leased(5, 80, 100)]));
        Some(reply)
    };
    network.with(25 * SECOND, other);
    assert_eq!(network.state(), Dhcp6State::Bound);
    assert_eq!(network.status().server.unwrap().0, TWO);
    // The address is deprecated, ends, and servers are looked for again.
    network.silent(85 * SECOND);
    assert!(held(&network)[0].ends_with("deprecated"), "{:?}", held(&network));
    let heard = network.silent(20 * SECOND);
    assert_eq!(kinds(&heard).last(), Some(&MessageKind::Solicit));
    assert!(held(&network).is_empty() && names(&network).is_empty());
    assert_eq!(network.state(), Dhcp6State::Soliciting);
}

#[test]
fn a_lease_is_released_and_everything_goes_with_it() {
    let world = World::new(3);
    let mut network = Network::bound(&world);
    let watching = watching(&network.wire.host, "eth0", "dhcp");
    network.write("dhcp6 client off");
    assert!(held(&network).is_empty() && names(&network).is_empty());
    // Four times unless there is an answer (REL_MAX_RC).
    let heard = network.silent(30 * SECOND);
    assert_eq!(kinds(&heard), [MessageKind::Release; 4]);
    let release = &heard[0].1;
    assert_eq!(release.option(option::SERVER_IDENTIFIER), Some(ONE));
    assert_eq!(release.option(option::IA_NA), Some(&association(0, 0, &[leased(5, 0, 0)])[..]));
    assert!(heard.iter().all(|(_, message)| message.transaction == release.transaction));
    assert_eq!(network.state(), Dhcp6State::Stopped);
    assert!(told(&watching).iter().any(|line| line.starts_with("dhcp6 removed eth0")));
    // With an answer once.
    network.write("dhcp6 client stateful");
    network.with(5 * SECOND, plain);
    network.write("dhcp6 client off");
    assert_eq!(kinds(&network.with(30 * SECOND, plain)), [MessageKind::Release]);
}

#[test]
fn the_best_server_is_chosen_and_one_at_once() {
    let world = World::new(4);
    let offers = |preferences: [Option<u8>; 2]| {
        move |message: &Dhcp6Message| {
            if message.kind != MessageKind::Solicit {
                return Vec::new();
            }
            let offer = |(server, preference): (&[u8], Option<u8>)| {
                let mut reply = answer(MessageKind::Advertise, server, message);
                reply.push(option::IA_NA, &association(20, 50, &[leased(5, 80, 100)]));
                preference.iter().for_each(|one| reply.push(option::PREFERENCE, &[*one]));
                reply
            };
            [ONE, TWO].into_iter().zip(preferences).map(offer).collect()
        }
    };
    for (preferences, chosen, most) in [
        ([Some(1), Some(9)], TWO, 1200),
        ([Some(9), None], ONE, 1200),
        ([None, None], ONE, 1200),
        ([None, Some(255)], TWO, 60),
    ] {
        let mut network = Network::new(&world);
        network.write("dhcp6 client stateful");
        let heard = network.serve(3 * SECOND, offers(preferences));
        let (at, request) = &heard[1];
        assert_eq!(request.option(option::SERVER_IDENTIFIER), Some(chosen), "{preferences:?}");
        assert!(at - heard[0].0 <= most, "{preferences:?} {heard:?}");
    }
}

#[test]
fn two_messages_are_enough_where_both_agree() {
    let world = World::new(5);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful rapid-commit on");
    let rapid = |is_told: bool| {
        move |message: &Dhcp6Message| {
            assert_eq!(message.option(option::RAPID_COMMIT), Some(&[][..]));
            let mut reply = answer(MessageKind::Reply, ONE, message);
            reply.push(option::IA_NA, &association(20, 50, &[leased(5, 80, 100)]));
            if is_told {
                reply.push(option::RAPID_COMMIT, &[]);
            }
            Some(reply)
        }
    };
    // A Reply that does not say so is none.
    network.with(2 * SECOND, rapid(false));
    assert_eq!(network.state(), Dhcp6State::Soliciting);
    let heard = network.with(4 * SECOND, rapid(true));
    assert_eq!(kinds(&heard), [MessageKind::Solicit]);
    assert_eq!(network.state(), Dhcp6State::Bound);
}

#[test]
fn what_is_not_an_answer_changes_nothing() {
    let world = World::new(6);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful");
    let heard = network.silent(1200 * STEP / 10);
    let solicit = &heard[0].1;
    let good = {
        let mut reply = answer(MessageKind::Advertise, ONE, solicit);
        reply.push(option::PREFERENCE, &[255]);
        reply.push(option::IA_NA, &association(20, 50, &[leased(5, 80, 100)]));
        reply
    };
    let without = |code: u16| {
        let mut reply = good.clone();
        reply.options.retain(|(known, _)| *known != code);
        reply
    };
    let with = |code: u16, value: &[u8]| {
        let mut reply = without(code);
        reply.push(code, value);
        reply
    };
    let twice = |code: u16| {
        let mut reply = good.clone();
        reply.push(code, good.option(code).unwrap());
        reply
    };
    let other_kind = |kind: MessageKind| Dhcp6Message { kind, ..good.clone() };
    for wrong in [
        Dhcp6Message { transaction: solicit.transaction ^ 1, ..good.clone() },
        without(option::SERVER_IDENTIFIER),
        without(option::CLIENT_IDENTIFIER),
        with(option::CLIENT_IDENTIFIER, &[0, 3, 0, 1, 9]),
        with(option::SERVER_IDENTIFIER, &[]),
        with(option::SERVER_IDENTIFIER, &[7; 131]),
        twice(option::CLIENT_IDENTIFIER),
        twice(option::SERVER_IDENTIFIER),
        twice(option::IA_NA),
        with(option::IA_NA, &association(50, 20, &[leased(5, 80, 100)])),
        with(option::IA_NA, &association(20, 50, &[leased(5, 101, 100)])),
        with(option::IA_NA, &association(20, 50, &[code(status::NO_ADDRESSES)])),
        with(option::STATUS_CODE, &status::UNSPECIFIED.to_be_bytes()),
        other_kind(MessageKind::Reply),
        other_kind(MessageKind::Reconfigure),
        other_kind(MessageKind::Solicit),
    ] {
        network.send(&wrong);
    }
    let bytes = good.to_bytes();
    network.send_bytes(&bytes[..bytes.len() - 1]);
    network.send_bytes(&[2]);
    // Not from the link, and not to us alone.
    let global = at(address(1), SERVER_PORT);
    network.wire.send(&udp(global, at(HOST_LINK, CLIENT_PORT), &bytes));
    let group = at(crate::advertisements::ALL_NODES, CLIENT_PORT);
    network.wire.send(&udp(at(PEER_LINK, SERVER_PORT), group, &bytes));
    network.silent(10 * STEP);
    assert_eq!(network.state(), Dhcp6State::Soliciting);
    network.send(&good);
    network.silent(2 * STEP);
    assert_eq!(network.state(), Dhcp6State::Requesting);
}

#[test]
fn a_server_that_takes_back_its_offer_is_left_for_a_while() {
    let world = World::new(7);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful");
    let refuses = |message: &Dhcp6Message| {
        let mut reply = plain(message)?;
        if message.kind == MessageKind::Request {
            reply.options.retain(|(known, _)| *known != option::IA_NA);
            reply.push(option::IA_NA, &association(0, 0, &[code(status::NO_ADDRESSES)]));
        }
        Some(reply)
    };
    let heard = network.with(14 * SECOND, refuses);
    let all = kinds(&heard);
    assert_eq!(all[..3], [MessageKind::Solicit, MessageKind::Request, MessageKind::Solicit]);
    assert!((9_900..=10_100).contains(&(heard[2].0 - heard[1].0)), "{heard:?}");
    assert_eq!(network.status().refusal, Some(status::NO_ADDRESSES));
    // What fails without a reason, or wants unicast, is asked again.
    for code in [status::UNSPECIFIED, status::USE_MULTICAST] {
        let mut network = Network::new(&world);
        network.write("dhcp6 client stateful");
        let fails = |message: &Dhcp6Message| {
            let mut reply = plain(message)?;
            if message.kind == MessageKind::Request {
                reply.push(option::STATUS_CODE, &code.to_be_bytes());
            }
            Some(reply)
        };
        let all = kinds(&network.with(6 * SECOND, fails));
        assert_eq!(all[..3], [MessageKind::Solicit, MessageKind::Request, MessageKind::Request]);
        network.with(5 * SECOND, plain);
        assert_eq!(network.state(), Dhcp6State::Bound);
        assert_eq!(network.status().refusal, None);
    }
}

#[test]
fn a_server_that_forgot_the_binding_makes_it_anew() {
    let world = World::new(8);
    let mut network = Network::bound(&world);
    let forgot = |message: &Dhcp6Message| {
        let mut reply = plain(message)?;
        if message.kind == MessageKind::Renew {
            reply.options.retain(|(known, _)| *known != option::IA_NA);
            reply.push(option::IA_NA, &association(0, 0, &[code(status::NO_BINDING)]));
        }
        Some(reply)
    };
    let heard = network.with(20 * SECOND, forgot);
    assert_eq!(kinds(&heard), [MessageKind::Renew, MessageKind::Request]);
    let wanted = association(0, 0, &[leased(5, 0, 0)]);
    assert_eq!(heard[1].1.option(option::IA_NA), Some(&wanted[..]));
    assert_eq!(network.state(), Dhcp6State::Bound);
    // A server that ends the lease says so with a lifetime of 0; one that says nothing of it is
    // asked again.
    let silent_about = |message: &Dhcp6Message| Some(answer(MessageKind::Reply, ONE, message));
    let heard = network.with(25 * SECOND, silent_about);
    assert_eq!(kinds(&heard)[0], MessageKind::Renew);
    assert_eq!(network.state(), Dhcp6State::Renewing);
    let ends = |message: &Dhcp6Message| {
        let mut reply = answer(MessageKind::Reply, ONE, message);
        let members = [leased(5, 0, 0), leased(6, 80, 100)];
        reply.push(option::IA_NA, &association(20, 50, &members));
        Some(reply)
    };
    network.with(20 * SECOND, ends);
    assert_eq!(network.state(), Dhcp6State::Bound);
    let all = held(&network);
    assert!(all.len() == 1 && all[0].starts_with("2001:db8::6/128"), "{all:?}");
}

#[test]
fn leases_are_confirmed_when_the_link_is_back() {
    let world = World::new(9);
    let mut network = Network::bound(&world);
    network.write("link down");
    network.silent(2 * SECOND);
    assert_eq!(network.state(), Dhcp6State::Waiting);
    network.write("link up");
    let heard = network.with(3 * SECOND, plain);
    assert_eq!(kinds(&heard), [MessageKind::Confirm]);
    assert!(!heard[0].1.has(option::SERVER_IDENTIFIER) && !heard[0].1.has(option::REQUEST));
    assert_eq!(heard[0].1.option(option::IA_NA), Some(&association(0, 0, &[leased(5, 0, 0)])[..]));
    assert_eq!(network.state(), Dhcp6State::Bound);
    // Nobody says that they are wrong: they are kept (CNF_MAX_RD).
    network.write("link down\nlink up");
    let heard = network.silent(9 * SECOND);
    assert!(heard.len() >= 3 && kinds(&heard).iter().all(|one| *one == MessageKind::Confirm));
    network.silent(2 * SECOND);
    assert_eq!(network.state(), Dhcp6State::Bound);
    assert_eq!(held(&network).len(), 1);
    // They are wrong.
    network.write("link down\nlink up");
    let elsewhere = |message: &Dhcp6Message| {
        let mut reply = answer(MessageKind::Reply, TWO, message);
        reply.push(option::STATUS_CODE, &status::NOT_ON_LINK.to_be_bytes());
        Some(reply).filter(|_| message.kind == MessageKind::Confirm)
    };
    let heard = network.with(3 * SECOND, elsewhere);
    assert_eq!(kinds(&heard)[..2], [MessageKind::Confirm, MessageKind::Solicit]);
    assert!(held(&network).is_empty() && names(&network).is_empty());
    assert_eq!(network.state(), Dhcp6State::Soliciting);
}

#[test]
fn a_lease_runs_out_while_the_link_is_gone() {
    let world = World::new(10);
    let mut network = Network::bound(&world);
    network.write("link down");
    assert!(network.silent(110 * SECOND).is_empty());
    assert!(held(&network).is_empty());
    assert!(network.status().addresses.is_empty());
    network.write("link up");
    let heard = network.with(5 * SECOND, plain);
    assert_eq!(kinds(&heard), [MessageKind::Solicit, MessageKind::Request]);
    assert_eq!(network.state(), Dhcp6State::Bound);
}

#[test]
fn an_address_that_somebody_has_is_declined() {
    let world = World::new(11);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful");
    let mut heard = network.with(1500 * STEP / 10, plain);
    while network.state() != Dhcp6State::Bound {
        heard.extend(network.with(5 * STEP, plain));
    }
    // Another host says that it is its own.
    let target = [&address(5).octets()[..], &[2, 1, 2, 0, 0, 0, 0, 77]].concat();
    let defence = ndp(address(5), crate::advertisements::ALL_NODES, 136, [0x20, 0, 0, 0], &target);
    network.wire.send(&defence);
    let heard = network.silent(2 * STEP);
    assert_eq!(kinds(&heard), [MessageKind::Decline]);
    assert_eq!(heard[0].1.option(option::SERVER_IDENTIFIER), Some(ONE));
    assert_eq!(heard[0].1.option(option::IA_NA), Some(&association(0, 0, &[leased(5, 0, 0)])[..]));
    assert!(held(&network).is_empty());
    // The server gives another one, after a while.
    let another = |message: &Dhcp6Message| {
        let mut reply = plain(message)?;
        if message.has(option::IA_NA) && message.kind != MessageKind::Decline {
            reply.options.retain(|(known, _)| *known != option::IA_NA);
            reply.push(option::IA_NA, &association(20, 50, &[leased(6, 80, 100)]));
        }
        Some(reply)
    };
    let heard = network.with(15 * SECOND, another);
    let all = kinds(&heard);
    assert_eq!(all.first(), Some(&MessageKind::Decline));
    assert_eq!(all[all.len() - 2..], [MessageKind::Solicit, MessageKind::Request]);
    assert!(heard[heard.len() - 2].0 > 9_000, "{heard:?}");
    assert_eq!(held(&network)[0].split(' ').next(), Some("2001:db8::6/128"));
}

#[test]
fn commands_renew_and_wait() {
    let world = World::new(12);
    let mut network = Network::new(&world);
    let device = network.wire.host.open("eth0");
    let host = &network.wire.host;
    assert_eq!(host.write(&device, "dhcp6 renew"), Err(Error::NotConnected));
    assert_eq!(host.write(&device, "dhcp6 wait 10"), Err(Error::NotConnected));
    network.write("dhcp6 client stateful");
    assert_eq!(network.wire.host.write(&device, "dhcp6 renew"), Err(Error::NotConnected));
    network.with(5 * SECOND, plain);
    world.run(async { device.write_all(b"dhcp6 wait 1000").await.unwrap() });
    network.write("dhcp6 renew");
    assert_eq!(kinds(&network.with(SECOND, plain)), [MessageKind::Renew]);
    // Other identifiers are another client: the lease of the former one goes back.
    network.write("dhcp6 client stateful duid 00020000aabb iaid 1");
    let heard = network.with(5 * SECOND, plain);
    assert_eq!(kinds(&heard), [MessageKind::Release, MessageKind::Solicit, MessageKind::Request]);
    let duid: &[u8] = &[0, 2, 0, 0, 0xaa, 0xbb];
    assert_eq!(heard[1].1.option(option::CLIENT_IDENTIFIER), Some(duid));
    assert_eq!(network.state(), Dhcp6State::Bound);
    // A lease of DHCPv4 that ends takes nothing of this one.
    network.write("dhcp start\ndhcp stop");
    assert_eq!((held(&network).len(), names(&network).len()), (1, 2));
    let text = network.wire.host.open("eth0");
    let mut bytes = [0; 4096];
    let count = text.try_read(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
    assert!(text.contains("\ndhcp6 bound server 000201 address 2001:db8::5 valid "), "{text}");
}
