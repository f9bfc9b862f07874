//! Names and services of the link (RFC 6762, RFC 6763), between whole systems.

use std::net::IpAddr;
use std::time::Duration;

use devnet_drivers::Lan;
use devnet_network::address::HardwareAddress;
use devnet_network::command::dns::{Answer, Query, RecordData, RecordKind};
use devnet_network::command::mdns::{
    ClaimState, FoundService, MulticastDnsMode, MulticastDnsOption, ServiceBrowse,
};
use devnet_network::command::record::{RecordType, ResourceData};
use devnet_network::command::{
    ApplyConfiguration, BrowseServices, ExportConfiguration, ListGroups, ListMulticastDns,
    QueryRecords, SetMulticastDns, configuration::ConfigurationText,
};
use devnet_network::driver::Driver;
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::names::{network, resolve, serve};
use crate::pair::hosts;

fn lines(host: &Host, text: &str) {
    host.write(&host.open("eth0"), text).unwrap();
}

/// Lets names be probed and announced.
fn settle(world: &World) {
    world.run(world.sleep(Duration::from_secs(4)));
}

fn browse(world: &World, host: &Host, service_type: &str) -> Result<Vec<FoundService>, Error> {
    let browse = ServiceBrowse { service_type: service_type.into(), milliseconds: 1500 };
    let file = host.open("sockets");
    world.run(file.control::<BrowseServices>(&browse))
}

fn name(host: &Host) -> (String, ClaimState) {
    let status = host.control::<ListMulticastDns>("eth0", &()).unwrap().remove(0);
    (status.name, status.state)
}

fn all_of(answer: Result<Answer, Error>) -> Vec<IpAddr> {
    answer.unwrap().addresses().collect()
}

#[test]
fn a_name_of_the_link_is_found_with_its_addresses_and_back() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    lines(&left, "dns multicast resolve");
    lines(&right, "dns hostname printer\ndns multicast on");
    settle(&world);
    assert_eq!(name(&right), ("printer".into(), ClaimState::Announced));
    let (answer, time) = resolve(&world, &left, "Printer.local", RecordKind::Address);
    let found = all_of(answer);
    for address in ["10.0.0.2", "fd00::2"] {
        assert!(found.contains(&address.parse().unwrap()), "{found:?}");
    }
    assert!(time < Duration::from_millis(200), "{time:?}");
    // What was heard is kept: it costs no packet and no time.
    let (answer, time) = resolve(&world, &left, "printer.local", RecordKind::A);
    assert_eq!((all_of(answer), time), (vec!["10.0.0.2".parse().unwrap()], Duration::ZERO));
    let (answer, _) = resolve(&world, &left, "10.0.0.2", RecordKind::Ptr);
    let pointer = RecordData::Ptr("printer.local".into());
    assert!(answer.unwrap().records.iter().any(|record| record.data == pointer));
    // Its own name too.
    let (answer, _) = resolve(&world, &right, "printer.local", RecordKind::A);
    assert_eq!(all_of(answer), ["10.0.0.2".parse::<IpAddr>().unwrap()]);
    // A name that nobody has, and a record that the owner says there is none of.
    let (answer, time) = resolve(&world, &left, "other.local", RecordKind::Address);
    assert_eq!((answer, time), (Err(Error::NotFound), Duration::from_secs(4)));
    let query = Query::new("printer.local".into(), RecordType::TXT);
    let begin = world.now();
    let answer = world.run(left.open("eth0").control::<QueryRecords>(&query));
    assert_eq!(answer, Err(Error::NotFound));
    assert!(world.now().since(begin) < Duration::from_secs(1));
}

#[test]
fn names_of_the_link_go_to_nobody_unless_it_is_asked_for() {
    let world = World::new(2);
    let (left, right) = network(&world, false);
    lines(&right, "dns multicast on");
    settle(&world);
    let seen = serve(&world, &right, "10.0.0.2", |asked| vec![asked.respond(3, &[])]);
    let asked = || seen.lock().unwrap().len();
    // Off: a server may know, and nothing is told to the link.
    let (answer, _) = resolve(&world, &left, "devnet.local", RecordKind::A);
    assert_eq!((answer.map(drop), asked()), (Err(Error::NotFound), 1));
    assert_eq!(browse(&world, &left, "_http._tcp"), Err(Error::NetworkUnreachable));
    let groups = left.control::<ListGroups>("eth0", &()).unwrap();
    assert!(groups.iter().all(|entry| entry.group != "224.0.0.251".parse::<IpAddr>().unwrap()));
    lines(&left, "dns multicast resolve");
    let (answer, _) = resolve(&world, &left, "devnet.local", RecordKind::A);
    assert_eq!((all_of(answer).len(), asked()), (1, 1));
    // Who only resolves has no name there.
    assert_eq!(name(&left), ("devnet".into(), ClaimState::Waiting));
    // The loopback interface has no link.
    let mode = MulticastDnsOption::Mode(MulticastDnsMode::On);
    assert_eq!(left.control::<SetMulticastDns>("lo", &mode), Err(Error::Unsupported));
    assert_eq!(left.control::<SetMulticastDns>("sockets", &mode), Err(Error::Unsupported));
    assert_eq!(left.control::<SetMulticastDns>("eth0", &mode), Ok(true));
    assert_eq!(left.control::<SetMulticastDns>("eth0", &mode), Ok(false));
}

#[test]
fn services_are_published_found_and_withdrawn() {
    let world = World::new(3);
    let (left, right) = hosts(&world);
    lines(&left, "dns multicast resolve");
    lines(
        &right,
        "dns multicast on\ndns hostname printer\n\
         dns publish My\\032page _http._tcp 80 path=/ note=a\\032b\ndns publish time _ntp._udp 123",
    );
    settle(&world);
    let found = browse(&world, &left, "_http._tcp").unwrap();
    let [FoundService { interface, instance, service_type, host, port, addresses, text }] =
        found.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!((&**interface, &**instance, &**service_type), ("eth0", "My page", "_http._tcp"));
    assert_eq!((&**host, *port), ("printer.local", 80));
    assert!(addresses.contains(&"10.0.0.2".parse().unwrap()), "{addresses:?}");
    assert_eq!(text, &[b"path=/".to_vec(), b"note=a b".to_vec()]);
    let mut types: Vec<_> = browse(&world, &left, "_services._dns-sd._udp")
        .unwrap()
        .into_iter()
        .map(|found| found.instance)
        .collect();
    types.sort();
    assert_eq!(types, ["_http._tcp", "_ntp._udp"]);
    // As records.
    let query = Query::new("My\\032page._http._tcp.local".into(), RecordType::SRV);
    let reply = world.run(left.open("eth0").control::<QueryRecords>(&query)).unwrap();
    assert!(matches!(&reply.answers[0].data, ResourceData::Service(one) if one.port == 80));
    // It goes, and is gone.
    lines(&right, "dns withdraw My\\032page _http._tcp");
    world.run(world.sleep(Duration::from_millis(1100)));
    assert_eq!(browse(&world, &left, "_http._tcp"), Ok(vec![]));
    assert_eq!(browse(&world, &left, "_ntp._udp").unwrap().len(), 1);
    // So does the whole interface.
    right.write(&right.open("eth0"), "link down").unwrap();
    world.run(world.sleep(Duration::from_millis(1100)));
    assert_eq!(browse(&world, &left, "_ntp._udp"), Ok(vec![]));
    for wrong in ["", "_http", "http._tcp", "_http._tcp.local", "_a.b._tcp"] {
        assert_eq!(browse(&world, &left, wrong), Err(Error::InvalidInput), "{wrong}");
    }
    let long = ServiceBrowse { service_type: "_http._tcp".into(), milliseconds: 60_001 };
    let refused = world.run(left.open("eth0").control::<BrowseServices>(&long));
    assert_eq!(refused, Err(Error::InvalidInput));
}

#[test]
fn of_three_hosts_with_one_name_each_gets_its_own() {
    let world = World::new(4);
    let lan = Lan::new(std::sync::Arc::new(world.clock.clone()), world.random());
    world.spawn(lan.runner()).detach();
    let host = |number: u8| {
        let end: Box<dyn Driver> =
            Box::new(lan.port(HardwareAddress([2, 0, 0, 0, 0, number]), 1500));
        let host = Host::new(&world);
        host.manager.register("eth0", end, None).unwrap();
        lines(&host, &format!("link up\naddress add 10.0.0.{number}/24\ndns multicast on"));
        host
    };
    let hosts = [host(1), host(2), host(3)];
    world.run(world.sleep(Duration::from_secs(20)));
    let mut names: Vec<_> = hosts.iter().map(name).collect();
    assert!(names.iter().all(|(_, state)| *state == ClaimState::Announced), "{names:?}");
    names.sort_by(|one, other| one.0.cmp(&other.0));
    let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["devnet", "devnet-2", "devnet-3"]);
    // Each finds each.
    for host in &hosts {
        for name in &names {
            let (answer, _) = resolve(&world, host, &format!("{name}.local"), RecordKind::A);
            assert_eq!(all_of(answer).len(), 1, "{name}");
        }
    }
}

#[test]
fn a_link_that_comes_again_is_told_everything_anew() {
    let world = World::new(5);
    let (left, right) = hosts(&world);
    lines(&left, "dns multicast resolve");
    lines(&right, "dns multicast on");
    settle(&world);
    assert_eq!(name(&right).1, ClaimState::Announced);
    lines(&right, "link down");
    assert_eq!(name(&right).1, ClaimState::Waiting);
    world.run(world.sleep(Duration::from_secs(2)));
    let (answer, _) = resolve(&world, &left, "devnet.local", RecordKind::A);
    assert_eq!(answer.map(drop), Err(Error::NotFound));
    lines(&right, "link up");
    settle(&world);
    assert_eq!(name(&right).1, ClaimState::Announced);
    let (answer, _) = resolve(&world, &left, "devnet.local", RecordKind::A);
    assert_eq!(all_of(answer).len(), 1);
    // An address that comes and one that goes are told without being asked for.
    lines(&right, "address add 10.0.0.7/24\naddress remove 10.0.0.2/24");
    world.run(world.sleep(Duration::from_millis(2200)));
    let (answer, time) = resolve(&world, &left, "devnet.local", RecordKind::A);
    assert_eq!((all_of(answer), time), (vec!["10.0.0.7".parse().unwrap()], Duration::ZERO));
}

#[test]
fn what_is_asked_for_is_exported_and_applied() {
    let world = World::new(6);
    let (left, right) = hosts(&world);
    lines(
        &left,
        "dns multicast on\ndns hostname printer\n\
         dns publish My\\032\\195\\164\\.\\\\ _http._tcp 80 path=/ a\\032b",
    );
    let export = |host: &Host| host.control::<ExportConfiguration>("eth0", &false).unwrap();
    let text = export(&left);
    assert!(text.contains("dns publish My\\032\\195\\164\\.\\\\ _http._tcp 80 path=/ a\\032b"));
    let whole = ConfigurationText { text: text.clone(), has_more: false };
    let outcome = right.control::<ApplyConfiguration>("eth0", &whole).unwrap();
    let added = &outcome.changes[0].added;
    assert!(added.iter().any(|line| line == "dns multicast on"), "{added:?}");
    assert_eq!(export(&right), text);
    let again = right.control::<ApplyConfiguration>("eth0", &whole).unwrap();
    assert!(again.changes.is_empty(), "{again:?}");
    // What is wrong changes nothing.
    let wrong = text.replace("_http._tcp", "_http._sctp").replace("hostname printer", "hostname x");
    let wrong = ConfigurationText { text: wrong, has_more: false };
    let refused = right.control::<ApplyConfiguration>("eth0", &wrong);
    assert_eq!((refused.map(drop), export(&right)), (Err(Error::InvalidInput), text));
}
