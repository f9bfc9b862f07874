//! When messages are sent again (RFC 8415 §15).

use super::*;

/// The waits between messages, in milliseconds.
fn waits(heard: &[Heard]) -> Vec<u64> {
    heard.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
}

#[test]
fn solicits_are_sent_ever_more_rarely_and_say_for_how_long() {
    let world = World::new(1);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful");
    let heard = network.silent(140 * SECOND);
    assert!(kinds(&heard).iter().all(|kind| *kind == MessageKind::Solicit));
    assert!(heard.iter().all(|(_, one)| one.transaction == heard[0].1.transaction));
    let waits = waits(&heard);
    assert!((1000..=1120).contains(&waits[0]), "{waits:?}");
    for pair in waits.windows(2) {
        let ratio = pair[1] as f64 / pair[0] as f64;
        assert!((1.88..=2.12).contains(&ratio), "{waits:?}");
    }
    for (at, message) in &heard {
        let elapsed = message.option(option::ELAPSED_TIME).unwrap();
        let elapsed = u64::from(u16::from_be_bytes([elapsed[0], elapsed[1]])) * 10;
        assert!(elapsed.abs_diff(at - heard[0].0) <= 20, "{elapsed} {at}");
    }
    assert_eq!(network.status().attempts, heard.len() as u32);
}

#[test]
fn a_server_without_addresses_says_how_rarely_it_may_be_asked() {
    let world = World::new(2);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful");
    let none = |message: &Dhcp6Message| {
        let mut reply = answer(MessageKind::Advertise, ONE, message);
        reply.push(option::IA_NA, &association(0, 0, &[code(status::NO_ADDRESSES)]));
        reply.push(option::SOL_MAX_RT, &60_u32.to_be_bytes());
        Some(reply)
    };
    let heard = network.with(400 * SECOND, none);
    let waits = waits(&heard);
    assert!(waits.len() >= 9, "{waits:?}");
    assert!(waits[7..].iter().all(|wait| (53_900..=66_100).contains(wait)), "{waits:?}");
    assert_eq!(network.status().refusal, Some(status::NO_ADDRESSES));
    assert_eq!(network.state(), Dhcp6State::Soliciting);
}

#[test]
fn a_request_is_sent_ten_times_and_then_servers_are_looked_for() {
    let world = World::new(3);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful");
    let offers =
        |message: &Dhcp6Message| plain(message).filter(|_| message.kind == MessageKind::Solicit);
    let heard = network.with(240 * SECOND, offers);
    let requests = heard.iter().filter(|(_, one)| one.kind == MessageKind::Request);
    let first = heard.iter().position(|(_, one)| one.kind == MessageKind::Request).unwrap();
    let again = kinds(&heard[first..]);
    assert_eq!(again[..10], [MessageKind::Request; 10]);
    assert_eq!(again[10], MessageKind::Solicit);
    assert!(requests.count() >= 10);
    let waits = waits(&heard[first..first + 10]);
    assert!(waits[6..].iter().all(|wait| (26_900..=33_100).contains(wait)), "{waits:?}");
}

#[test]
fn renews_begin_at_t1_and_rebinds_at_t2() {
    let world = World::new(4);
    let mut network = Network::bound(&world);
    let left = network.status().renew_seconds.unwrap();
    let heard = network.silent(70 * SECOND);
    let renews: Vec<_> =
        heard.iter().filter(|(_, one)| one.kind == MessageKind::Renew).cloned().collect();
    let rebinds: Vec<_> =
        heard.iter().filter(|(_, one)| one.kind == MessageKind::Rebind).cloned().collect();
    assert!(renews[0].0.abs_diff(u64::from(left) * 1000) <= 1_020, "{left} {renews:?}");
    // T2 is 30 s after T1.
    assert!((rebinds[0].0 - renews[0].0).abs_diff(30_000) <= 20, "{heard:?}");
    assert!((9_000..=11_020).contains(&waits(&renews)[0]));
    assert!((9_000..=11_020).contains(&waits(&rebinds)[0]));
    assert_ne!(renews[0].1.transaction, rebinds[0].1.transaction);
}

#[test]
fn an_infinite_lease_is_never_renewed() {
    let world = World::new(5);
    let mut network = Network::new(&world);
    network.write("dhcp6 client stateful");
    let for_ever = |message: &Dhcp6Message| {
        let mut reply = plain(message)?;
        reply.options.retain(|(known, _)| *known != option::IA_NA);
        reply.push(option::IA_NA, &association(0, 0, &[leased(5, u32::MAX, u32::MAX)]));
        Some(reply)
    };
    network.with(5 * SECOND, for_ever);
    let heard = network.silent(600 * SECOND);
    assert!(heard.is_empty(), "{heard:?}");
    let status = network.status();
    assert_eq!(status.state, Dhcp6State::Bound);
    assert_eq!(status.addresses[0].valid_seconds, u32::MAX);
    assert_eq!((status.renew_seconds, status.rebind_seconds), (None, None));
    assert_eq!(held(&network), ["2001:db8::5/128 -/- preferred"]);
}
