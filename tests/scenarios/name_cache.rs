//! What the resolver keeps and what it is told: answers for as long as they hold (RFC 2308, RFC
//! 8767), options, search domains, hosts and servers of the system.

use std::time::Duration;

use devnet_network::command::dns::{
    HostEntry, HostsChange, Query, Question, RecordKind, ResolverOption,
};
use devnet_network::command::record::RecordType;
use devnet_network::command::{
    ChangeHosts, FlushDnsCache, GetResolver, ListDnsCache, ListDnsServers, ListHosts,
    SetSearchDomains,
};
use devnet_network::limits;
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::names::{a, addresses, labels, network, record, resolve, serve};
use crate::pair::hosts;

/// The SOA of `test`, whose negative answers hold for `minimum` seconds.
fn zone(minimum: u32) -> Vec<u8> {
    let numbers = [1, 2, 3, 4, minimum].map(u32::to_be_bytes).concat();
    record("test", 6, 1, &[labels("ns.test"), labels("admin.test"), numbers].concat())
}

fn write(host: &Host, line: &str) -> Result<(), Error> {
    host.write(&host.open("sockets"), line)
}

#[test]
fn a_failure_counts_for_a_moment_and_longer_each_time() {
    let world = World::new(1);
    let (left, right) = network(&world, false);
    let seen = serve(&world, &right, "10.0.0.2", |asked| match asked.name.as_str() {
        "web.test" => vec![asked.respond(0, &[a(&asked.name, 9)])],
        _ => vec![asked.respond(2, &[])],
    });
    let asks = |name: &str| {
        let before = seen.lock().unwrap().len();
        let (answer, _) = resolve(&world, &left, name, RecordKind::A);
        let count = seen.lock().unwrap().len() - before;
        (count, answer.map(|answer| answer.records.len()))
    };
    let refused = Err(Error::ConnectionRefused);
    assert_eq!((asks("bad.test"), asks("BAD.test")), ((1, refused), (0, refused)));
    // Another name, another type and a server that is named are asked.
    assert_eq!((asks("worse.test").0, asks("web.test")), (1, (1, Ok(1))));
    let query = Query::new("bad.test".into(), RecordType::MX);
    let file = left.open("sockets");
    let reply = |query: &Query| {
        world.run(file.control::<devnet_network::command::QueryRecords>(query)).map(|one| one.code)
    };
    assert_eq!((reply(&query), reply(&query)), (Ok(2), Ok(2)), "what the server said is kept");
    let before = seen.lock().unwrap().len();
    let named = Query { server: Some("10.0.0.2:53".parse().unwrap()), ..query };
    assert_eq!((reply(&named), reply(&named)), (Ok(2), Ok(2)));
    assert_eq!(seen.lock().unwrap().len(), before + 2);
    world.run(world.sleep(Duration::from_millis(1100)));
    assert_eq!((asks("bad.test"), asks("bad.test")), ((1, refused), (0, refused)));
    world.run(world.sleep(Duration::from_millis(1100)));
    assert_eq!(asks("bad.test"), (0, refused), "twice as long");
    world.run(world.sleep(Duration::from_millis(1100)));
    assert_eq!(asks("bad.test"), (1, refused));
    write(&left, "dns flush").unwrap();
    assert_eq!(asks("bad.test"), (1, refused));
}

#[test]
fn failed_lookups_are_told_to_who_watches_names() {
    let world = World::new(2);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| match asked.name.as_str() {
        "web.test" => vec![asked.respond(0, &[a(&asked.name, 9)])],
        "gone.test" => vec![asked.respond(3, &[])],
        "silent.test" => vec![],
        _ => vec![asked.respond(2, &[])],
    });
    let (all, own, other) = (left.open("sockets"), left.open("eth0"), left.open("sockets"));
    left.write(&all, "watch dns").unwrap();
    left.write(&own, "watch dns").unwrap();
    left.write(&other, "watch link").unwrap();
    let read = |file: &devnet_virtual_file_system::File| {
        let (mut text, mut buffer) = (String::new(), vec![0; 4096]);
        while let Ok(length) = file.try_read(&mut buffer) {
            text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
        let lines = text.lines().filter(|line| line.starts_with("dns failed"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for name in ["web.test", "gone.test", "silent.test", "bad.test"] {
        let _ = resolve(&world, &left, name, RecordKind::Address);
    }
    let query = Query::new("bad.test".into(), RecordType::MX);
    let file = left.open("eth0");
    let reply = world.run(file.control::<devnet_network::command::QueryRecords>(&query));
    assert_eq!(reply.map(|reply| reply.code), Ok(2));
    let of_device = "dns failed bad.test kind MX reason refused interface eth0";
    assert_eq!(
        read(&all),
        [
            "dns failed gone.test kind address reason not-found",
            "dns failed silent.test kind address reason timed-out",
            "dns failed bad.test kind address reason refused",
            of_device,
        ]
    );
    assert_eq!((read(&own), read(&other)), (vec![of_device.to_owned()], vec![]));
    left.write(&left.open("eth0"), "dns remove 10.0.0.2").unwrap();
    let _ = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!(read(&all), ["dns failed web.test kind A reason no-server"]);
}

#[test]
fn an_answer_is_kept_for_its_time() {
    let world = World::new(1);
    let (left, right) = network(&world, false);
    let seen = serve(&world, &right, "10.0.0.2", |asked| match asked.name.as_str() {
        "gone.test" => vec![asked.sections(3, [&[], &[zone(20)], &[]])],
        "none.test" => vec![asked.sections(0, [&[], &[zone(20)], &[]])],
        "vague.test" => vec![asked.respond(3, &[])],
        _ => vec![asked.respond(0, &[a(&asked.name, 9)])],
    });
    let asks = |name: &str| {
        let before = seen.lock().unwrap().len();
        let (answer, _) = resolve(&world, &left, name, RecordKind::A);
        let count = seen.lock().unwrap().len() - before;
        (count, answer.map(|answer| answer.records.first().map_or(0, |one| one.time_to_live)))
    };
    assert_eq!((asks("web.test"), asks("WEB.test.")), ((1, Ok(60)), (0, Ok(60))));
    assert_eq!(
        (asks("gone.test"), asks("gone.test")),
        ((1, Err(Error::NotFound)), (0, Err(Error::NotFound)))
    );
    assert_eq!((asks("none.test"), asks("none.test")), ((1, Ok(0)), (0, Ok(0))));
    // A zone that does not say how long its answer holds is asked again.
    assert_eq!(asks("vague.test").0 + asks("vague.test").0, 2);
    world.run(world.sleep(Duration::from_secs(25)));
    assert_eq!((asks("web.test"), asks("gone.test").0, asks("none.test").0), ((0, Ok(35)), 1, 1));
    world.run(world.sleep(Duration::from_secs(40)));
    assert_eq!(asks("web.test"), (1, Ok(60)));
    // A server that is named is always asked, and what it says is not kept.
    let file = left.open("sockets");
    let named = Query {
        server: Some("10.0.0.2:53".parse().unwrap()),
        ..Query::new("named.test".into(), RecordType::A)
    };
    for _ in 0..2 {
        world.run(file.control::<devnet_network::command::QueryRecords>(&named)).unwrap();
    }
    let listed = left.control::<ListDnsCache>("sockets", &()).unwrap();
    assert!(listed.iter().all(|entry| entry.name != "named.test"), "{listed:?}");
    let web = listed.iter().find(|entry| entry.name == "web.test").unwrap();
    assert_eq!((web.code, web.seconds, web.records.len(), &*web.interface), (0, 60, 1, ""));
    assert_eq!(left.control::<ListDnsCache>("eth0", &()), Ok(vec![]));
    assert_eq!(left.control::<FlushDnsCache>("sockets", &()), Ok(listed.len() as u32));
    assert_eq!((asks("web.test").0, asks("web.test").0), (1, 0));
    write(&left, "dns flush").unwrap();
    assert_eq!(asks("web.test").0, 1);
    // Another server may say something else.
    left.write(&left.open("eth0"), "dns remove 10.0.0.2\ndns add 10.0.0.77").unwrap();
    assert_eq!(asks("web.test"), (0, Err(Error::HostUnreachable)));
}

#[test]
fn what_is_kept_is_bounded() {
    let world = World::new(2);
    let (left, right) = network(&world, false);
    serve(&world, &right, "10.0.0.2", |asked| match asked.name.starts_with("big") {
        true => vec![asked.respond(0, &vec![record(&asked.name, 1, 1, &[10, 0, 0, 1]); 200])],
        false => vec![asked.respond(0, &[a(&asked.name, 9)])],
    });
    let count = || left.control::<ListDnsCache>("sockets", &()).unwrap().len();
    for number in 0..limits::DNS_CACHE_ENTRIES + 10 {
        let (answer, _) = resolve(&world, &left, &format!("n{number}.test"), RecordKind::A);
        answer.unwrap();
    }
    assert_eq!(count(), limits::DNS_CACHE_ENTRIES as usize);
    write(&left, "dns option cache 4").unwrap();
    assert_eq!(count(), 4);
    write(&left, "dns option cache 0\ndns option cache 256").unwrap();
    assert_eq!(count(), 0);
    for number in 0..30 {
        resolve(&world, &left, &format!("big{number}.test"), RecordKind::A).0.unwrap();
    }
    assert!((1..30).contains(&count()), "{}", count());
    assert_eq!(write(&left, "dns option cache 257"), Err(Error::InvalidInput));
    assert_eq!(write(&left, "dns option ndots 16"), Err(Error::InvalidInput));
    let eth0 = left.open("eth0");
    assert_eq!(left.write(&eth0, "dns option ndots 2"), Err(Error::Unsupported));
}

#[test]
fn what_is_stale_answers_when_no_server_does_and_it_is_told_to() {
    let world = World::new(3);
    let (left, right) = network(&world, false);
    let silent = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mode = silent.clone();
    let seen = serve(&world, &right, "10.0.0.2", move |asked| {
        match mode.load(std::sync::atomic::Ordering::Relaxed) {
            true => vec![],
            false => vec![asked.respond(0, &[a(&asked.name, 9)])],
        }
    });
    write(&left, "dns option stale 3600").unwrap();
    resolve(&world, &left, "web.test", RecordKind::A).0.unwrap();
    silent.store(true, std::sync::atomic::Ordering::Relaxed);
    world.run(world.sleep(Duration::from_secs(100)));
    let (answer, time) = resolve(&world, &left, "web.test", RecordKind::A);
    let answer = answer.unwrap();
    assert_eq!(answer.records[0].time_to_live, 30);
    assert!(time > Duration::from_secs(1) && time < Duration::from_secs(2), "{time:?}");
    // For half a minute nobody asks.
    let asked = seen.lock().unwrap().len();
    let (again, time) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!(
        (addresses(again), time, seen.lock().unwrap().len()),
        (vec![9], Duration::ZERO, asked)
    );
    world.run(world.sleep(Duration::from_secs(31)));
    silent.store(false, std::sync::atomic::Ordering::Relaxed);
    let (fresh, _) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!(fresh.unwrap().records[0].time_to_live, 60);
    silent.store(true, std::sync::atomic::Ordering::Relaxed);
    write(&left, "dns option stale 0").unwrap();
    world.run(world.sleep(Duration::from_secs(100)));
    assert_eq!(resolve(&world, &left, "web.test", RecordKind::A).0, Err(Error::TimedOut));
}

#[test]
fn a_lookup_has_a_longest_time() {
    let world = World::new(4);
    let (left, _right) = network(&world, false);
    left.write(&left.open("eth0"), "dns add 10.0.0.66\ndns add 10.0.0.67").unwrap();
    write(&left, "dns option timeout 1500").unwrap();
    let (answer, time) = resolve(&world, &left, "web.test", RecordKind::Address);
    assert_eq!((answer, time), (Err(Error::TimedOut), Duration::from_millis(1500)));
}

#[test]
fn search_domains_and_dots_say_which_names_are_asked_for() {
    let world = World::new(5);
    let (left, right) = network(&world, false);
    let seen = serve(&world, &right, "10.0.0.2", |asked| vec![asked.respond(3, &[])]);
    left.write(&left.open("eth0"), "dns search one.test Two.test.").unwrap();
    write(&left, "dns search two.test three.test").unwrap();
    let names = |name: &str| {
        seen.lock().unwrap().clear();
        let _ = resolve(&world, &left, name, RecordKind::A);
        seen.lock().unwrap().iter().map(|asked| asked.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("a"), ["a.one.test", "a.two.test", "a.three.test", "a"]);
    assert_eq!(names("a.b"), ["a.b", "a.b.one.test", "a.b.two.test", "a.b.three.test"]);
    write(&left, "dns option ndots 2").unwrap();
    assert_eq!(names("a.b"), ["a.b.one.test", "a.b.two.test", "a.b.three.test", "a.b"]);
    assert_eq!(names("a.b."), ["a.b"]);
    let status = left.control::<GetResolver>("sockets", &()).unwrap();
    let domains: Vec<_> =
        status.domains.iter().map(|one| format!("{}@{}", one.domain, one.interface)).collect();
    assert_eq!(domains, ["one.test@eth0", "two.test@eth0", "two.test@", "three.test@"]);
    assert!(status.options.contains(&ResolverOption::Dots(2)));
    let many: Vec<_> =
        (0..=limits::SEARCH_DOMAINS).map(|number| format!("d{number}.test")).collect();
    assert_eq!(left.control::<SetSearchDomains>("eth0", &many), Err(Error::NoBufferSpace));
    let wrong = vec!["a..b".to_owned()];
    assert_eq!(left.control::<SetSearchDomains>("sockets", &wrong), Err(Error::InvalidInput));
    assert_eq!(left.control::<SetSearchDomains>("eth0", &vec![]), Ok(true));
    assert_eq!(left.control::<SetSearchDomains>("eth0", &vec![]), Ok(false));
}

#[test]
fn hosts_are_found_without_a_server() {
    let world = World::new(6);
    let (left, _right) = hosts(&world);
    write(&left, "dns host add 10.0.0.9 Printer.lan printer\ndns host add fd00::9 printer.lan")
        .unwrap();
    write(&left, "dns host add 10.0.0.9 queue").unwrap();
    let (both, _) = resolve(&world, &left, "PRINTER.lan.", RecordKind::Address);
    assert_eq!(both.unwrap().records.len(), 2);
    let (one, _) = resolve(&world, &left, "queue", RecordKind::A);
    assert_eq!(addresses(one), [9]);
    for name in ["10.0.0.9", "9.0.0.10.in-addr.arpa"] {
        let (pointer, _) = resolve(&world, &left, name, RecordKind::Ptr);
        let names: Vec<_> = pointer.unwrap().records.into_iter().map(|one| one.data).collect();
        let expected = devnet_network::command::dns::RecordData::Ptr("printer.lan".into());
        assert_eq!(names, [expected], "{name}");
    }
    // Of a type that the table does not have, servers are asked.
    let (other, _) = resolve(&world, &left, "queue", RecordKind::Aaaa);
    assert_eq!(other, Err(Error::NetworkUnreachable));
    let server = Some("10.0.0.2:53".parse().unwrap());
    let named = Question { name: "queue".into(), kind: RecordKind::A, server };
    assert!(world.run(left.sockets().resolver().resolve(&named)).is_err());
    write(&left, "dns host remove 10.0.0.9").unwrap();
    assert_eq!(write(&left, "dns host remove 10.0.0.9"), Err(Error::NotFound));
    assert_eq!(left.control::<ListHosts>("eth0", &()).unwrap().len(), 1);
    let change = |entries: Vec<HostEntry>| {
        left.control::<ChangeHosts>("sockets", &HostsChange::Replace(entries))
    };
    let entry = |number: u32, names: usize| HostEntry {
        address: std::net::Ipv4Addr::from_bits(number).into(),
        names: (0..names).map(|name| format!("h{number}-{name}")).collect(),
    };
    let most = limits::HOSTS as u32;
    assert_eq!(change((0..most + 1).map(|one| entry(one, 1)).collect()), Err(Error::NoBufferSpace));
    assert_eq!(change(vec![entry(1, limits::HOST_NAMES + 1)]), Err(Error::NoBufferSpace));
    assert_eq!(change(vec![entry(1, 0)]), Err(Error::InvalidInput));
    assert_eq!(left.control::<ListHosts>("sockets", &()).unwrap().len(), 1);
    assert_eq!((change(vec![entry(1, 1)]), change(vec![entry(1, 1)])), (Ok(true), Ok(false)));
}

#[test]
fn servers_of_the_system_come_last_and_those_without_a_route_not_at_all() {
    let world = World::new(7);
    let (left, right) = hosts(&world);
    right.write(&right.open("eth0"), "address add 10.0.0.3/24").unwrap();
    let system =
        serve(&world, &right, "10.0.0.2", |asked| vec![asked.respond(0, &[a("web.test", 2)])]);
    let own = serve(&world, &right, "10.0.0.3", |asked| vec![asked.respond(5, &[])]);
    write(&left, "dns option cache 0").unwrap();
    assert_eq!(resolve(&world, &left, "web.test", RecordKind::A).0, Err(Error::NetworkUnreachable));
    write(&left, "dns add 192.0.2.53\ndns add 10.0.0.2").unwrap();
    assert_eq!(write(&left, "dns add 10.0.0.2"), Err(Error::AlreadyExists));
    let (answer, time) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!((addresses(answer), time < Duration::from_millis(500)), (vec![2], true));
    left.write(&left.open("eth0"), "dns add 198.51.100.1\ndns add 10.0.0.3").unwrap();
    let (answer, time) = resolve(&world, &left, "web.test", RecordKind::A);
    assert_eq!((addresses(answer), time < Duration::from_millis(500)), (vec![2], true));
    assert_eq!((own.lock().unwrap().len(), system.lock().unwrap().len()), (1, 2));
    let listed = left.control::<ListDnsServers>("sockets", &()).unwrap();
    let listed: Vec<_> =
        listed.iter().map(|one| format!("{}@{}", one.address, one.interface)).collect();
    assert_eq!(listed, ["198.51.100.1@eth0", "10.0.0.3@eth0", "192.0.2.53@", "10.0.0.2@"]);
    for number in 2..limits::DNS_SERVERS {
        write(&left, &format!("dns add 192.0.2.{number}")).unwrap();
    }
    assert_eq!(write(&left, "dns add 192.0.2.99"), Err(Error::NoBufferSpace));
    write(&left, "dns remove 10.0.0.2").unwrap();
    assert_eq!(write(&left, "dns remove 10.0.0.2"), Err(Error::NotFound));
}

#[test]
fn of_servers_by_paths_of_equal_metric_the_fastest_is_asked_first() {
    let world = World::new(1);
    let mut left = Host::new(&world);
    let mut seen = Vec::new();
    for number in [0, 1] {
        let (ours, theirs) = devnet_drivers::cable(crate::pair::options());
        left = left.with(&format!("eth{number}"), ours, &[&format!("10.0.{number}.1/24")]);
        let address = format!("10.0.{number}.2");
        let right = Host::new(&world).with("eth0", theirs, &[&format!("{address}/24")]);
        // The first one is silent.
        seen.push(serve(&world, &right, &address, move |asked| match number {
            0 => vec![],
            _ => vec![asked.respond(0, &[a(&asked.name, 9)])],
        }));
        let add = format!("dns add {address}");
        left.write(&left.open(&format!("eth{number}")), &add).unwrap();
    }
    let asks = |name: &str| {
        let count = || [0, 1].map(|place: usize| seen[place].lock().unwrap().len());
        let before = count();
        assert_eq!(addresses(resolve(&world, &left, name, RecordKind::A).0), [9]);
        let after = count();
        [after[0] - before[0], after[1] - before[1]]
    };
    assert_eq!((asks("a.test"), asks("b.test")), ([1, 1], [0, 1]));
    // It may be there again.
    world.run(world.sleep(Duration::from_secs(300)));
    assert_eq!((asks("c.test"), asks("d.test")), ([1, 1], [0, 1]));
    // The metric is a decision of whoever set it.
    left.write(&left.open("eth1"), "metric 10").unwrap();
    assert_eq!((asks("e.test"), asks("f.test")), ([1, 1], [1, 1]));
}
