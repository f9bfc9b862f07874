//! Files that tell which services of the link come, change and go (RFC 6763, RFC 6762 §5.2, §10).

use std::time::Duration;

use devnet_network::command::event::{Change, Event, EventRecord, Report};
use devnet_network::command::mdns::{ClaimState, ServiceBrowse, ServiceWatch};
use devnet_network::command::{
    BrowseServices, ExportConfiguration, ListGroups, ListMulticastDns, WatchServices,
};
use devnet_network::limits;
use devnet_virtual_file_system::{Error, File, OpenFlags};
use world::{Host, World};

use crate::events::told;
use crate::pair::hosts;

fn lines(host: &Host, text: &str) {
    host.write(&host.open("eth0"), text).unwrap();
}

fn pass(world: &World, seconds: u64) {
    world.run(world.sleep(Duration::from_secs(seconds)));
}

fn watch(host: &Host, device: &str, service_type: &str) -> Result<File, Error> {
    let file = host.open_as(device, OpenFlags::READ).unwrap();
    let service_type = service_type.into();
    let watch = ServiceWatch { service_type, numbered: false, records: false };
    file.try_control::<WatchServices>(&watch).map(|()| file)
}

/// The line of a page of the right host of the pair.
fn page(what: &str, text: &str) -> String {
    let words = "interface eth0 type _http._tcp host devnet.local port 80 address 10.0.0.2 address \
                 fd00::2 address fe80::ff:fe00:2";
    format!("service {what} My\\032page {words} text {text}")
}

#[test]
fn services_that_come_change_and_go_are_told() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    lines(&left, "dns multicast resolve");
    let text = left.open("eth0");
    left.write(&text, "dns watch _http._tcp").unwrap();
    let everywhere = watch(&left, "sockets", "_HTTP._tcp").unwrap();
    let others = watch(&left, "eth0", "_ntp._udp").unwrap();
    for file in [&text, &everywhere, &others] {
        assert_eq!(told(file), ["idle"]);
    }
    lines(&right, "dns multicast on\ndns publish My\\032page _http._tcp 80 path=/a\\032b");
    pass(&world, 4);
    for file in [&text, &everywhere] {
        assert_eq!(told(file), [page("added", "path=/a\\032b")]);
    }
    // Whoever comes later finds it at once.
    let late = watch(&left, "eth0", "_http._tcp").unwrap();
    assert_eq!(told(&late), [page("present", "path=/a\\032b"), "idle".into()]);
    lines(&right, "dns publish My\\032page _http._tcp 80 path=/");
    pass(&world, 4);
    assert_eq!(told(&late), [page("changed", "path=/")]);
    lines(&right, "dns withdraw My\\032page _http._tcp");
    world.run(world.sleep(Duration::from_millis(900)));
    assert_eq!(told(&late).len(), 0);
    world.run(world.sleep(Duration::from_millis(400)));
    assert_eq!(told(&late), [page("removed", "path=/")]);
    assert_eq!(told(&text).len(), 2);
    assert_eq!(told(&others), [""; 0]);
}

#[test]
fn types_of_services_and_those_of_this_host_are_told() {
    let world = World::new(2);
    let (left, _right) = hosts(&world);
    lines(&left, "dns multicast on");
    let types = watch(&left, "eth0", "_services._dns-sd._udp").unwrap();
    lines(&left, "dns publish a _ntp._udp 123\ndns publish b _ntp._udp 124");
    pass(&world, 4);
    let ntp = "service added _ntp\\._udp interface eth0 type _services._dns-sd._udp";
    assert_eq!(told(&types), ["idle", ntp]);
    // The same file watches something else.
    left.write(&left.open("eth0"), "dns withdraw a _ntp._udp").unwrap();
    let watch = ServiceWatch::records("_ntp._udp".into());
    types.try_control::<WatchServices>(&watch).unwrap();
    let mut buffer = [0; 4096];
    let count = types.try_read(&mut buffer).unwrap();
    let (first, rest) = EventRecord::parse(&buffer[..count]).unwrap().unwrap();
    let Report::Event { event: Event::Service(Change::Present, service), .. } = first.report else {
        panic!("{first:?}")
    };
    assert_eq!((&*service.instance, service.port), ("b", 124));
    let (idle, rest) = EventRecord::parse(rest).unwrap().unwrap();
    assert_eq!((idle.report, rest), (Report::Idle, &[][..]));
}

#[test]
fn what_is_watched_is_asked_for_again_before_it_ends() {
    let world = World::new(3);
    let (left, right) = hosts(&world);
    lines(&left, "dns multicast resolve");
    lines(&right, "dns multicast on\ndns publish My\\032page _http._tcp 80 path=/");
    pass(&world, 4);
    let file = watch(&left, "eth0", "_http._tcp").unwrap();
    assert_eq!(told(&file), ["idle"]);
    pass(&world, 1);
    assert_eq!(told(&file), [page("added", "path=/")]);
    // Of the host 120 seconds, of the service 4,500.
    pass(&world, 20_000);
    assert_eq!(told(&file), [""; 0]);
    // Without a link it is gone, and it comes again with it.
    lines(&left, "link down");
    pass(&world, 1);
    assert_eq!(told(&file), [page("removed", "path=/")]);
    lines(&left, "link up");
    pass(&world, 5);
    assert_eq!(told(&file), [page("added", "path=/")]);
    // So it is when the link is asked no longer.
    lines(&left, "dns multicast off");
    assert_eq!(told(&file), [page("removed", "path=/")]);
    lines(&left, "dns multicast resolve");
    pass(&world, 5);
    assert_eq!(told(&file), [page("added", "path=/")]);
    drop(file);
    let groups = left.control::<ListGroups>("eth0", &()).unwrap();
    assert!(groups.iter().any(|entry| entry.group.to_string() == "224.0.0.251"));
}

#[test]
fn a_slow_reader_of_services_is_told_how_much_it_missed_and_what_there_is() {
    let world = World::new(4);
    let (left, right) = hosts(&world);
    lines(&left, "dns multicast resolve");
    lines(&right, "dns multicast on");
    let file = watch(&left, "eth0", "_http._tcp").unwrap();
    pass(&world, 4);
    for round in 0..600 {
        lines(&right, &format!("dns publish My\\032page _http._tcp 80 path=/{round}"));
        pass(&world, 4);
    }
    let all = told(&file);
    let place = all.iter().position(|line| line.starts_with("lost ")).unwrap();
    assert!(place > 100, "{place}");
    assert_eq!(all[place], format!("lost {}", 601 - place));
    assert_eq!(all[place + 1..], [page("present", "path=/599"), "idle".into()]);
    lines(&right, "dns withdraw My\\032page _http._tcp");
    pass(&world, 2);
    assert_eq!(told(&file), [page("removed", "path=/599")]);
}

#[test]
fn what_nobody_can_watch_is_refused() {
    let world = World::new(5);
    let (left, _right) = hosts(&world);
    let refused = |device, kind| watch(&left, device, kind).map(drop);
    assert_eq!(refused("eth0", "_http._tcp"), Err(Error::NetworkUnreachable));
    assert_eq!(refused("sockets", "_http._tcp"), Err(Error::NetworkUnreachable));
    lines(&left, "dns multicast resolve");
    for wrong in ["", "_http", "http._tcp", "_http._tcp.local", "_a.b._tcp"] {
        assert_eq!(refused("eth0", wrong), Err(Error::InvalidInput), "{wrong}");
    }
    // Services are of a type.
    for line in ["watch service", "watch records service link", "dns watch _http._tcp link"] {
        assert_eq!(left.write(&left.open("eth0"), line), Err(Error::InvalidInput), "{line}");
    }
    let socket = left.open("eth0");
    left.write(&socket, "socket udp").unwrap();
    assert!(left.write(&socket, "dns watch _http._tcp").is_err());
    let number = limits::MDNS_WATCHED_TYPES;
    let files: Vec<_> =
        (0..number).map(|one| watch(&left, "eth0", &format!("_a{one}._tcp")).unwrap()).collect();
    assert_eq!(refused("eth0", "_more._tcp"), Err(Error::NoBufferSpace));
    // One that is watched already costs nothing.
    assert_eq!(refused("sockets", "_a3._tcp"), Ok(()));
    drop(files);
    assert_eq!(refused("eth0", "_more._tcp"), Ok(()));
}

#[test]
fn services_are_found_by_their_subtypes() {
    let world = World::new(6);
    let (left, right) = hosts(&world);
    lines(&left, "dns multicast resolve");
    let watched = watch(&left, "eth0", "_color._sub._http._tcp").unwrap();
    let publish = "dns publish My\\032page _http._tcp,_printer,_color 80 path=/";
    lines(&right, &format!("dns multicast on\n{publish}"));
    pass(&world, 4);
    let named = |line: String| line.replace("_http._tcp", "_color._sub._http._tcp");
    assert_eq!(told(&watched), ["idle".into(), named(page("added", "path=/"))]);
    let find = |kind: &str| {
        let browse = ServiceBrowse { service_type: kind.into(), milliseconds: 1500 };
        let found = world.run(left.open("eth0").control::<BrowseServices>(&browse)).unwrap();
        found.into_iter().map(|one| (one.instance, one.port)).collect::<Vec<_>>()
    };
    for kind in ["_http._tcp", "_printer._sub._http._tcp", "_COLOR._sub._http._tcp"] {
        assert_eq!(find(kind), [("My page".into(), 80)], "{kind}");
    }
    assert_eq!(find("_other._sub._http._tcp"), []);
    // They are none of the types that there are.
    assert_eq!(find("_services._dns-sd._udp"), [("_http._tcp".into(), 0)]);
    let text = right.control::<ExportConfiguration>("eth0", &false).unwrap();
    assert!(text.contains(publish), "{text}");
    // Another subtype makes it no other service: it is announced, and the former is taken leave of.
    lines(&right, "dns publish My\\032page _http._tcp,_printer 80 path=/");
    let status = || right.control::<ListMulticastDns>("eth0", &()).unwrap().remove(0).services;
    assert_eq!((status().len(), status()[0].state), (1, ClaimState::Announced));
    pass(&world, 3);
    assert_eq!(told(&watched), [named(page("removed", "path=/"))]);
    lines(&right, "dns withdraw My\\032page _http._tcp");
    assert_eq!(status(), []);
    let many = (0..=limits::MDNS_SUBTYPES).map(|one| format!(",_a{one}")).collect::<String>();
    for wrong in [",", ",_", ",printer", ",_a,_A", ",_a.b", &format!(",_{}", "a".repeat(63)), &many]
    {
        let line = format!("dns publish a _http._tcp{wrong} 80");
        let refused = right.write(&right.open("eth0"), &line);
        assert_eq!(refused, Err(Error::InvalidInput), "{wrong}");
    }
    lines(&right, &format!("dns publish a _http._tcp{} 80", many.rsplit_once(',').unwrap().0));
    for wrong in ["_sub._http._tcp", "a._sub._http._tcp", "_a._sub._http", "_a._b._http._tcp"] {
        assert_eq!(watch(&left, "eth0", wrong).map(drop), Err(Error::InvalidInput), "{wrong}");
    }
}
