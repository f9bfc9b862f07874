//! Our stateless server, and our client at it.

use devnet_network::command::configuration::ConfigurationText;
use devnet_network::command::dhcp6::{Dhcp6ClientOptions, Dhcp6Mode, Dhcp6ServerOptions};
use devnet_network::command::{
    ApplyConfiguration, ExportConfiguration, GetDhcp6Server, SetDhcp6Client, SetDhcp6Server,
};
use devnet_virtual_file_system::Error;

use super::*;
use crate::pair::hosts;

#[test]
fn our_client_learns_from_our_server_what_a_router_points_to() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let server = left.open("eth0");
    left.write(
        &server,
        "router set other on lifetime 0\ndhcp6 server on dns fd00::53,fd00::54 domains lan,a.b \
         refresh 700",
    )
    .unwrap();
    let client = right.open("eth0");
    right.write(&client, "dhcp6 client auto").unwrap();
    world.run(world.sleep(30 * SECOND));
    let status = right.control::<GetDhcp6>("eth0", &()).unwrap();
    assert_eq!(status.state, Dhcp6State::Informed);
    assert_eq!(status.domains, ["lan", "a.b"]);
    assert_eq!(status.dns_servers.len(), 2);
    assert!((660..=700).contains(&status.refresh_seconds.unwrap()));
    let counted = left.control::<GetDhcp6Server>("eth0", &()).unwrap().statistics;
    assert_eq!((counted.informed, counted.refused, counted.ignored), (1, 0, 0));
    // It has no addresses, and says so.
    right.write(&client, "dhcp6 client stateful").unwrap();
    world.run(world.sleep(10 * SECOND));
    let status = right.control::<GetDhcp6>("eth0", &()).unwrap();
    assert_eq!(status.state, Dhcp6State::Soliciting);
    assert_eq!(status.refusal, Some(status::NO_ADDRESSES));
    assert!(left.control::<GetDhcp6Server>("eth0", &()).unwrap().statistics.refused >= 2);
    left.write(&server, "dhcp6 server off").unwrap();
    let groups = left.control::<devnet_network::command::ListGroups>("eth0", &()).unwrap();
    assert!(groups.iter().all(|entry| entry.group != SERVERS));
    assert_eq!(left.control::<SetDhcp6Server>("eth0", &None), Ok(false));
}

#[test]
fn what_cannot_be_told_or_asked_is_refused() {
    let world = World::new(2);
    let (left, _right) = hosts(&world);
    let tell = |options: Dhcp6ServerOptions| left.control::<SetDhcp6Server>("eth0", &Some(options));
    let plain = Dhcp6ServerOptions::default;
    let many = |count: usize| Dhcp6ServerOptions {
        dns_servers: vec!["fd00::1".parse().unwrap(); count],
        ..plain()
    };
    assert_eq!(tell(many(33)), Err(Error::NoBufferSpace));
    assert_eq!(tell(many(32)), Ok(true));
    let domains = |count: usize| Dhcp6ServerOptions { domains: vec!["a".into(); count], ..plain() };
    assert_eq!(tell(domains(17)), Err(Error::NoBufferSpace));
    let none = Dhcp6ServerOptions { domains: vec![String::new()], ..plain() };
    assert_eq!(tell(none), Err(Error::InvalidInput));
    let soon = Dhcp6ServerOptions { refresh_seconds: 599, ..plain() };
    assert_eq!(tell(soon), Err(Error::InvalidInput));
    let group = Dhcp6ServerOptions { dns_servers: vec!["ff02::1".parse().unwrap()], ..plain() };
    assert_eq!(tell(group), Err(Error::InvalidInput));
    let on_loopback = left.control::<SetDhcp6Server>("lo", &Some(plain()));
    assert_eq!(on_loopback, Err(Error::Unsupported));
    let ask = Dhcp6ClientOptions { mode: Dhcp6Mode::Auto, ..Dhcp6ClientOptions::default() };
    assert_eq!(left.control::<SetDhcp6Client>("lo", &ask), Err(Error::Unsupported));
    let hint = Some("2001:db8::1/48".parse().unwrap());
    let ask = Dhcp6ClientOptions { hint, ..ask };
    assert_eq!(left.control::<SetDhcp6Client>("eth0", &ask), Err(Error::InvalidInput));
}

#[test]
fn the_server_answers_so_many_messages_a_second() {
    let world = World::new(3);
    let mut network = Network::new(&world);
    network.write("dhcp6 server on dns fd00::53");
    let mut request = Dhcp6Message::new(MessageKind::InformationRequest, 1);
    request.push(option::REQUEST, &[0, 23]);
    let ends = (at(PEER_LINK, CLIENT_PORT), at(SERVERS, SERVER_PORT));
    let packet = udp(ends.0, ends.1, &request.to_bytes());
    let frame = [&[0x33, 0x33, 0, 1, 0, 2][..], &crate::pair::HARDWARE.1.0, &[0x86, 0xdd], &packet];
    let frame = frame.concat();
    for _ in 0..15 {
        for _ in 0..10 {
            network.wire.send_frame(&frame);
        }
        world.run(world.sleep(Duration::from_millis(1)));
        network.wire.frames();
    }
    let counted = network.wire.host.control::<GetDhcp6Server>("eth0", &()).unwrap().statistics;
    assert!((100..=102).contains(&counted.informed), "{counted:?}");
    assert_eq!(counted.informed + counted.ignored, 150);
    // A message from afar gets no answer at all.
    let far = udp(at(address(1), CLIENT_PORT), ends.1, &request.to_bytes());
    let frame = [&[0x33, 0x33, 0, 1, 0, 2][..], &crate::pair::HARDWARE.1.0, &[0x86, 0xdd], &far];
    network.wire.send_frame(&frame.concat());
    let left = network.wire.after(SECOND);
    assert!(packets(left).iter().all(|packet| upper(packet).0 != 17));
}

#[test]
fn a_configuration_keeps_a_lease_and_says_what_is_asked() {
    let world = World::new(4);
    let network = Network::bound(&world);
    network.write("dhcp6 server on dns fd00::53 domains lan");
    network.write("dhcp6 downstream eth9 subnet 5 advertise off");
    let host = &network.wire.host;
    let text = host.control::<ExportConfiguration>("eth0", &false).unwrap();
    for line in [
        "dhcp6 client stateful",
        "dhcp6 server on dns fd00::53 domains lan refresh 86400",
        "dhcp6 downstream eth9 subnet 5 advertise off",
    ] {
        assert!(text.lines().any(|known| known.trim() == line), "{line}: {text}");
    }
    assert!(!text.contains("2001:db8"), "{text}");
    let piece = |text: &str| ConfigurationText { text: text.into(), has_more: false };
    let apply = |text: &str| host.control::<ApplyConfiguration>("eth0", &piece(text));
    apply(&text).unwrap();
    assert_eq!((network.state(), held(&network).len()), (Dhcp6State::Bound, 1));
    // Without the lines there is nothing left.
    let bare: String = text
        .lines()
        .filter(|line| !line.contains("dhcp6"))
        .map(|line| format!("{line}\n"))
        .collect();
    apply(&bare).unwrap();
    assert_eq!((network.state(), held(&network).len()), (Dhcp6State::Stopped, 0));
    assert_eq!(host.control::<GetDhcp6Server>("eth0", &()).unwrap().options, None);
    assert!(apply("dhcp6 server on refresh 5").is_err());
    assert!(apply("dhcp6 client auto hint 2001:db8::1/48").is_err());
    assert!(apply("dhcp6 downstream eth0").is_err());
}
