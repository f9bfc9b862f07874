//! Files that tell events: what is there, then what changes.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use devnet_drivers::Chance;
use devnet_network::command::event::{Change, Event, EventRecord, Report};
use devnet_network::command::watch::{Kinds, Line, WatchOptions};
use devnet_network::command::{SetMtu, Watch, WatchEvents};
use devnet_network::platform::Clock;
use devnet_network::{TcpListener, TcpSettings, TcpStream, UdpSocket};
use devnet_virtual_file_system::{ControlCommand, Error, File, OpenFlags, Readiness, encode};
use world::{Host, Path, Quality, World};

use crate::pair::{connection, hosts, options, pattern};
use crate::pitfalls_segments::accepted;
use crate::wire::{ACK, RST, SELECTIVE, SYN, Segment, Wire, syn};

/// All lines that wait.
pub(crate) fn told(file: &File) -> Vec<String> {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        match file.try_read(&mut buffer) {
            Ok(count) => text += std::str::from_utf8(&buffer[..count]).unwrap(),
            Err(error) => {
                assert_eq!(error, Error::WouldBlock);
                break;
            }
        }
    }
    for line in text.lines() {
        assert!(Line::parse(line).is_ok(), "{line:?} is none of the grammar");
    }
    text.lines().map(str::to_owned).collect()
}

/// A watching file that has read its snapshot.
pub(crate) fn watching(host: &Host, device: &str, kinds: &str) -> File {
    let file = host.open(device);
    host.write(&file, &format!("watch {kinds}")).unwrap();
    assert_eq!(told(&file).last().unwrap(), "idle");
    file
}

#[test]
fn a_watching_file_tells_what_is_there_then_that_this_was_all_then_what_changes() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let file = left.open("eth0");
    left.write(&file, "dns add 10.0.0.53\nneighbor add 10.0.0.9 02:00:00:00:00:09\nwatch").unwrap();
    assert_eq!(
        told(&file),
        [
            "interface present eth0 index 2 kind ethernet",
            "link present eth0 state up carrier yes mtu 1500 metric 0 mac 02:00:00:00:00:01",
            "address present fe80::ff:fe00:1/64 interface eth0 origin kernel state preferred \
            scope link",
            "address present 10.0.0.1/24 interface eth0 origin static state preferred scope \
            global broadcast 10.0.0.255",
            "address present fd00::1/64 interface eth0 origin static state preferred scope global",
            "route present fd00::/64 interface eth0 metric 0 origin kernel source fd00::1",
            "route present fe80::/64 interface eth0 metric 0 origin kernel source fe80::ff:fe00:1",
            "route present 10.0.0.0/24 interface eth0 metric 0 origin kernel source 10.0.0.1",
            "neighbor present 10.0.0.9 interface eth0 state permanent mac 02:00:00:00:00:09",
            "dns present 10.0.0.53 interface eth0 origin static",
            "dhcp present eth0 state stopped",
            "group present 224.0.0.1 interface eth0 sockets 0",
            "group present ff02::1 interface eth0 sockets 0",
            "group present ff02::1:ff00:1 interface eth0 sockets 0",
            "idle",
        ]
    );
    // What a file does to its own interface it is told as well: writing is commands, as before.
    for (line, records) in [
        (
            "mtu 1400",
            &["link changed eth0 state up carrier yes mtu 1400 metric 0 mac 02:00:00:00:00:01"][..],
        ),
        ("mtu 1400", &[]),
        (
            "address add 192.0.2.7/24",
            &[
                "address added 192.0.2.7/24 interface eth0 origin static state preferred scope \
                global broadcast 192.0.2.255",
                "route added 192.0.2.0/24 interface eth0 metric 0 origin kernel source 192.0.2.7",
            ],
        ),
        (
            "route add default via 192.0.2.1 metric 3",
            &["route added 0.0.0.0/0 interface eth0 via 192.0.2.1 metric 3 origin static"],
        ),
        ("dns remove 10.0.0.53", &["dns removed 10.0.0.53 interface eth0 origin static"]),
        (
            "address remove 192.0.2.7/24",
            &[
                "address removed 192.0.2.7/24 interface eth0 origin static state preferred scope \
                global broadcast 192.0.2.255",
                "route removed 192.0.2.0/24 interface eth0 metric 0 origin kernel source 192.0.2.7",
                "route removed 0.0.0.0/0 interface eth0 via 192.0.2.1 metric 3 origin static",
            ],
        ),
        (
            "neighbor remove 10.0.0.9",
            &["neighbor removed 10.0.0.9 interface eth0 state permanent mac 02:00:00:00:00:09"],
        ),
        (
            "link down",
            &["link changed eth0 state down carrier yes mtu 1400 metric 0 mac 02:00:00:00:00:01"],
        ),
    ] {
        left.write(&file, line).unwrap();
        assert_eq!(told(&file), records, "{line}");
    }
}

/// RFC 4862 §5.4, and RA-10: what changes nothing is no event.
#[test]
fn addresses_tell_their_states_and_neighbors_those_that_last() {
    let world = World::new(2);
    let (left, right) = hosts(&world);
    let file = watching(&left, "eth0", "address neighbor");
    left.write(&file, "address add fd00::5/64").unwrap();
    let record = |what: &str, state: &str| {
        format!("address {what} fd00::5/64 interface eth0 origin static state {state} scope global")
    };
    assert_eq!(told(&file), [record("added", "tentative")]);
    world.run(world.sleep(Duration::from_secs(3)));
    assert_eq!(told(&file), [record("changed", "preferred")]);
    // The other host has this one.
    left.write(&file, "address add fd00::2/64").unwrap();
    world.run(world.sleep(Duration::from_secs(3)));
    let records = told(&file);
    assert!(
        records.iter().any(|line| line.starts_with("address changed fd00::2/64")
            && line.contains("state duplicated"))
    );
    world.run(async {
        let (_client, _server) = connection(&left, &right, "10.0.0.2:80").await;
    });
    let mine = |line: &String| line.contains(" 10.0.0.2 ");
    let reachable = "neighbor added 10.0.0.2 interface eth0 state reachable mac 02:00:00:00:00:02";
    assert_eq!(told(&file).into_iter().filter(mine).collect::<Vec<_>>(), [reachable]);
    // Asked again while it is used: it answers, and nothing is new.
    for _ in 0..20 {
        world.run(async {
            let (_client, _server) = connection(&left, &right, "10.0.0.2:80").await;
            world.sleep(Duration::from_secs(5)).await;
        });
    }
    assert_eq!(told(&file).into_iter().filter(mine).count(), 0);
    drop(right);
    let _ = world.run(TcpStream::connect(&left.sockets(), "10.0.0.77:80"));
    assert_eq!(told(&file).last().unwrap(), "neighbor added 10.0.0.77 interface eth0 state failed");
}

#[test]
fn reading_waits_and_readiness_says_when_it_would_not() {
    let world = World::new(3);
    let (left, _right) = hosts(&world);
    world.run(async {
        let file = watching(&left, "eth0", "link");
        let mut context = Context::from_waker(Waker::noop());
        assert!(file.poll_ready(&mut context, Readiness::READABLE).is_pending());
        let both = Readiness::READABLE | Readiness::WRITABLE;
        assert_eq!(file.poll_ready(&mut context, both), Poll::Ready(Ok(Readiness::WRITABLE)));
        // A read that is given up takes nothing.
        {
            let mut buffer = [0; 200];
            let mut read = std::pin::pin!(file.read(&mut buffer));
            assert!(read.as_mut().poll(&mut context).is_pending());
            left.control::<SetMtu>("eth0", &1450).unwrap();
        }
        assert_eq!(told(&file).len(), 1);
        let (waiter, clock) = (file.clone(), world.clock.clone());
        let reading = world.spawn(async move {
            let mut buffer = [0; 200];
            let count = waiter.read(&mut buffer).await.unwrap();
            (count, clock.now())
        });
        let ready = watching(&left, "eth0", "link");
        let polling = world.spawn(async move { ready.ready(Readiness::READABLE).await });
        world.sleep(Duration::from_secs(7)).await;
        left.control::<SetMtu>("eth0", &1400).unwrap();
        let changed = world.now();
        let ((count, at), ready) = (reading.await, polling.await);
        assert!(count > 0);
        assert_eq!(at, changed);
        assert_eq!(ready, Ok(Readiness::READABLE));
    });
}

#[test]
fn readers_are_independent_and_watching_again_begins_anew() {
    let world = World::new(4);
    let (left, _right) = hosts(&world);
    let (links, all) = (watching(&left, "eth0", "link"), watching(&left, "eth0", ""));
    left.control::<SetMtu>("eth0", &1400).unwrap();
    left.write(&all, "dns add 10.0.0.53").unwrap();
    assert_eq!(told(&links).len(), 1);
    // A second `watch` forgets what was not read.
    left.write(&all, "watch dns").unwrap();
    assert_eq!(told(&all), ["dns present 10.0.0.53 interface eth0 origin static", "idle"]);
    left.control::<SetMtu>("eth0", &1300).unwrap();
    assert_eq!((told(&links).len(), told(&all).len()), (1, 0));
    drop(links);
    left.write(&all, "dns remove 10.0.0.53").unwrap();
    assert_eq!(told(&all).len(), 1);
    // What a file is not, it does not become.
    assert_eq!(left.write(&all, "socket tcp"), Err(Error::InvalidInput));
    let socket = left.open("eth0");
    left.write(&socket, "socket udp").unwrap();
    assert_eq!(socket.try_control::<Watch>(&Kinds::all()), Err(Error::InvalidInput));
    // Watching is reading.
    let reader = left.open_as("eth0", OpenFlags::READ).unwrap();
    reader.try_control::<Watch>(&Kinds::DHCP).unwrap();
    assert_eq!(told(&reader), ["dhcp present eth0 state stopped", "idle"]);
    for wrong in [Kinds::empty(), Kinds::from_bits_retain(0x8001)] {
        assert_eq!(reader.try_control::<Watch>(&wrong), Err(Error::InvalidInput));
    }
}

#[test]
fn a_slow_reader_is_told_how_much_it_missed_and_how_things_stand() {
    let world = World::new(5);
    let (left, _right) = hosts(&world);
    let (slow, fast) = (watching(&left, "sockets", ""), watching(&left, "eth0", "link"));
    let mut heard = 0;
    for round in 0..1000 {
        left.control::<SetMtu>("eth0", &(1300 + round % 2)).unwrap();
        heard += told(&fast).len();
    }
    assert_eq!(heard, 1000);
    let lines = told(&slow);
    let kept = lines.iter().take_while(|line| line.starts_with("link changed eth0")).count();
    assert!((500..1000).contains(&kept), "{kept}");
    assert_eq!(lines[kept], format!("lost {}", 1000 - kept));
    let present = "link present eth0 state up carrier yes mtu 1301 metric 0 mac 02:00:00:00:00:01";
    assert!(lines[kept..].iter().any(|line| line == present), "{lines:#?}");
    // From here on nothing is missing.
    left.control::<SetMtu>("eth0", &1500).unwrap();
    assert_eq!(told(&slow).len(), 1);
}

#[test]
fn the_device_of_all_tells_of_interfaces_that_come_and_go() {
    let world = World::new(6);
    let (left, _right) = hosts(&world);
    let (all, one) = (watching(&left, "sockets", ""), watching(&left, "eth0", ""));
    let left = left.with("eth1", devnet_drivers::cable(options()).0, &["10.1.0.1/24"]);
    let records = told(&all);
    assert_eq!(records[0], "interface added eth1 index 3 kind ethernet");
    assert!(
        records.iter().any(|line| line.starts_with("address added 10.1.0.1/24 interface eth1")),
        "{records:#?}"
    );
    left.manager.unregister("eth1").unwrap();
    let gone = told(&all);
    assert_eq!(gone.last().unwrap(), "interface removed eth1 index 3 kind ethernet");
    assert_eq!(told(&one).len(), 0);
    world.run(async {
        let waiter = one.clone();
        let reading = world.spawn(async move { waiter.read(&mut [0; 100]).await });
        world.sleep(Duration::from_secs(1)).await;
        left.manager.unregister("eth0").unwrap();
        assert_eq!(reading.await, Err(Error::NoDevice));
    });
    assert!(told(&all).iter().any(|line| line == "interface removed eth0 index 2 kind ethernet"));
}

#[test]
fn loss_on_a_path_is_an_event_with_figures() {
    let world = World::new(7);
    let quality = Quality {
        rate: Some(100_000_000),
        delay: Duration::from_millis(5),
        loss: Chance::percent(1.0),
        ..Quality::PERFECT
    };
    let (left, right) = Path::new(&world, quality).ends(1500);
    let left = Host::new(&world).with("eth0", left, &["10.0.0.1/24"]);
    let right = Host::new(&world).with("eth0", right, &["10.0.0.2/24"]);
    let (file, other) =
        (watching(&left, "sockets", "streams"), watching(&right, "sockets", "streams"));
    let statistics = world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:80".parse().unwrap(), 1).unwrap();
        let client = TcpStream::connect(&left.sockets(), "10.0.0.2:80").await.unwrap();
        let server = listener.accept().await.unwrap();
        let data = pattern(2_000_000);
        let sending = async {
            client.write_all(&data).await.unwrap();
            client.shutdown(devnet_network::command::socket::Direction::Write).unwrap();
        };
        let (received, ()) =
            futures_lite::future::zip(crate::pair::read_to_end(&server), sending).await;
        assert!(received.unwrap() == data);
        client.statistics().unwrap()
    });
    let records = told(&file);
    let losses: Vec<_> =
        records.iter().filter(|line| line.starts_with("stream loss 10.0.0.1:")).collect();
    assert_eq!(losses.len(), statistics.recoveries as usize, "{records:#?}");
    assert!(losses.len() > 3);
    for line in &losses {
        let Ok(Line::Record(record)) = Line::parse(line) else { panic!("{line}") };
        let number = |key| record.get(key).unwrap().parse::<u32>().unwrap();
        assert_eq!(
            (record.get("remote"), record.get("interface")),
            (Some("10.0.0.2:80"), Some("eth0"))
        );
        assert!(number("segments") >= 1 && number("after") <= number("window"), "{line}");
        assert!((10_000..100_000).contains(&number("round-trip")), "{line}");
    }
    let timeouts = records.iter().filter(|line| line.starts_with("stream timeout ")).count();
    assert_eq!(timeouts, statistics.timeouts as usize);
    assert_eq!(told(&other).len(), 0, "the receiver lost nothing of its own");
}

#[test]
fn a_timeout_and_its_being_for_nothing_are_events() {
    let world = World::new(8);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let file = watching(&host, "eth0", "streams");
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        stream.write_all(&pattern(7300)).await.unwrap();
        // The peer is silent for as long as the first timeout may be.
        let mut records = Vec::new();
        for _ in 0..1000 {
            wire.exchange(&world, None).await;
            records = told(&file);
            if !records.is_empty() {
                break;
            }
        }
        let [timeout] = records.as_slice() else { panic!("{records:?}") };
        assert!(timeout.starts_with(
            "stream timeout 10.0.0.1:80 remote 10.0.0.9:5000 interface eth0 count 1 wait 2"
        ));
        // It was only late: what nobody repeated is acknowledged with what was.
        let mut late = Vec::new();
        for number in 2..=5u32 {
            let next = answer.end().wrapping_add(number * 1460);
            wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, 1001, next))).await;
            late.extend(told(&file));
        }
        let [undo] = late.as_slice() else { panic!("{late:?}") };
        assert!(
            undo.starts_with("stream undo 10.0.0.1:80 remote 10.0.0.9:5000 interface eth0 window "),
            "{undo}"
        );
        let statistics = stream.statistics().unwrap();
        assert_eq!((statistics.timeouts, statistics.undone), (1, 1));
    });
}

#[test]
fn ends_by_error_are_events_with_their_cause() {
    let world = World::new(9);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let file = watching(&host, "sockets", "streams");
        let ended = |cause: &str| {
            vec![format!(
                "stream ended 10.0.0.1:80 remote 10.0.0.9:5000 interface eth0 cause {cause}"
            )]
        };
        let settings = TcpSettings::default().user_timeout(5000);
        let (stream, answer) = accepted(&world, &host, &mut wire, settings, &syn(&SELECTIVE)).await;
        wire.exchange(&world, Some(&Segment::new(5000, 80, RST | ACK, 1001, answer.end()))).await;
        assert_eq!(told(&file), ended("reset"));
        drop(stream);
        let (stream, _) = accepted(&world, &host, &mut wire, settings, &syn(&SELECTIVE)).await;
        stream.write_all(b"nobody hears").await.unwrap();
        for _ in 0..100 {
            world.sleep(Duration::from_millis(100)).await;
            while wire.packet().is_some() {}
        }
        let records = told(&file);
        assert!(records[0].starts_with("stream timeout "), "{records:?}");
        assert_eq!(records[records.len() - 1..], ended("timed-out"));
        drop(stream);
        // Handshakes that nobody waits for are no event.
        let _listener =
            TcpListener::bind(&host.sockets(), "10.0.0.1:81".parse().unwrap(), 1).unwrap();
        let mut refused = Segment::new(5001, 81, SYN, 1000, 0);
        let sent = wire.exchange(&world, Some(&refused)).await;
        (refused.flags, refused.sequence) = (RST, 1001);
        wire.exchange(&world, Some(&Segment { acknowledgment: sent[0].end(), ..refused })).await;
        assert_eq!(told(&file).len(), 0);
        let refused = TcpStream::connect(&host.sockets(), "10.0.0.1:99").await.unwrap_err();
        assert_eq!(refused, Error::ConnectionRefused);
        assert!(told(&file)[0].ends_with("remote 10.0.0.1:99 interface lo cause refused"));
    });
}

#[test]
fn the_bytes_of_the_vocabulary_never_change() {
    assert_eq!(Watch::IDENTIFIER.raw() & 0xff, 128);
    for (kinds, bytes) in [
        (Kinds::INTERFACE, &[1][..]),
        (Kinds::LINK, &[2]),
        (Kinds::ADDRESS, &[4]),
        (Kinds::ROUTE, &[8]),
        (Kinds::NEIGHBOR, &[16]),
        (Kinds::DNS, &[32]),
        (Kinds::DHCP, &[64]),
        (Kinds::STREAM, &[0x80, 1]),
        (Kinds::LEASE, &[0x80, 2]),
        (Kinds::GROUP, &[0x80, 4]),
        (Kinds::SOCKET, &[0x80, 8]),
        (Kinds::USUAL, &[0xff, 7]),
        (Kinds::FIREWALL, &[0x80, 16]),
        (Kinds::SERVICE, &[0x80, 0x20]),
        (Kinds::all(), &[0xff, 0x3f]),
    ] {
        assert_eq!(encode(&kinds).unwrap(), bytes, "{kinds:?}");
    }
}

#[test]
fn sockets_that_begin_change_and_end_are_told_to_who_names_them() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let listener = TcpListener::bind(&left.sockets(), "10.0.0.1:80".parse().unwrap(), 16).unwrap();
    let everybody = watching(&left, "sockets", "");
    let all = left.open("sockets");
    left.write(&all, "watch sockets").unwrap();
    let one = left.open("eth0");
    left.write(&one, "watch sockets").unwrap();
    assert_eq!(told(&all), ["socket present 10.0.0.1:80 kind tcp state listen", "idle"]);
    assert_eq!(told(&one), ["idle"]);
    world.run(async {
        let peer = TcpStream::connect(&right.sockets(), "10.0.0.1:80").await.unwrap();
        let ours = listener.accept().await.unwrap();
        let remote = peer.local_addr();
        let with = |what: &str, state: &str| {
            let local = "10.0.0.1:80 kind tcp";
            format!("socket {what} {local} state {state} remote {remote} interface eth0")
        };
        assert_eq!(told(&one), [with("added", "established")]);
        assert_eq!(told(&all), [with("added", "established")]);
        // Both may tell what is there at any time.
        left.write(&one, "watch numbered sockets").unwrap();
        let mut buffer = [0; 4096];
        let count = one.try_read(&mut buffer).unwrap();
        let lines = std::str::from_utf8(&buffer[..count]).unwrap();
        let (stamp, _) = Line::parse_numbered(lines.lines().next().unwrap()).unwrap();
        assert_eq!((stamp.sequence, stamp.time), (1, world.now()));
        assert!(lines.contains(&with("present", "established")), "{lines}");
        drop(ours);
        world.sleep(Duration::from_secs(1)).await;
        let states = ["fin-wait-1", "fin-wait-2"];
        assert_eq!(told(&all), states.map(|state| with("changed", state)));
        drop(peer);
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!(told(&all), [with("removed", "time-wait")]);
        // From the other side: a connection that is refused begins and ends.
        let refused = TcpStream::connect(&left.sockets(), "10.0.0.2:99").await;
        assert_eq!(refused.unwrap_err(), Error::ConnectionRefused);
        let lines = told(&all);
        let [began, ended] = &lines[..] else { panic!("{lines:?}") };
        assert!(began.starts_with("socket added 10.0.0.1:") && began.contains("syn-sent"));
        assert!(ended.starts_with("socket removed 10.0.0.1:") && ended.contains("closed"));
    });
    drop(listener);
    assert_eq!(told(&all), ["socket removed 10.0.0.1:80 kind tcp state listen"]);
    // Datagram sockets: one of every interface, one of a single one.
    let everywhere = UdpSocket::new(&left.sockets());
    everywhere.bind("0.0.0.0:9".parse().unwrap()).unwrap();
    everywhere.connect("10.0.0.2:9".parse().unwrap()).unwrap();
    let here = left.open("eth0");
    left.write(&here, "socket udp\nbind 0.0.0.0:10").unwrap();
    drop(everywhere);
    drop(here);
    assert_eq!(
        told(&all),
        [
            "socket added 0.0.0.0:9 kind udp state closed",
            "socket removed 0.0.0.0:9 kind udp state closed",
            "socket added 10.0.0.1:9 kind udp state established remote 10.0.0.2:9",
            "socket added 0.0.0.0:10 kind udp state closed interface eth0",
            "socket removed 10.0.0.1:9 kind udp state established remote 10.0.0.2:9",
            "socket removed 0.0.0.0:10 kind udp state closed interface eth0",
        ]
    );
    assert!(told(&everybody).iter().all(|line| !line.starts_with("socket ")));
}

#[test]
fn groups_that_sockets_join_and_leave_are_told() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let file = watching(&left, "eth0", "group");
    let [one, other] = [0, 1].map(|_| left.open("eth0"));
    for (joining, what, count) in [(&one, "added", 1), (&other, "changed", 2)] {
        left.write(joining, "socket udp\nbind 0.0.0.0:0\njoin 239.0.0.1").unwrap();
        let expected = format!("group {what} 239.0.0.1 interface eth0 sockets {count}");
        assert_eq!(told(&file), [expected]);
    }
    drop(one);
    assert_eq!(told(&file), ["group changed 239.0.0.1 interface eth0 sockets 1"]);
    drop(other);
    assert_eq!(told(&file), ["group removed 239.0.0.1 interface eth0 sockets 1"]);
}

/// Values are what the lines say, and a long snapshot of sockets comes in pieces.
#[test]
fn values_tell_thousands_of_sockets_and_then_what_changes() {
    const SOCKETS: u16 = 3000;
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let bound = |port: u16| {
        let socket = UdpSocket::new(&left.sockets());
        socket.bind(([10, 0, 0, 1], port).into()).unwrap();
        socket
    };
    let sockets: Vec<_> = (0..SOCKETS).map(|number| bound(20_000 + number)).collect();
    let file = left.open("sockets");
    file.try_control::<WatchEvents>(&WatchOptions::records(Kinds::SOCKET)).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    let mut read_all = || {
        while let Ok(count) = file.try_read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..count]);
        }
        let (mut rest, mut records) = (&bytes[..], Vec::new());
        while let Some((record, after)) = EventRecord::parse(rest).unwrap() {
            records.push(record);
            rest = after;
        }
        assert!(rest.is_empty());
        bytes.clear();
        records
    };
    let records = read_all();
    let (last, snapshot) = records.split_last().unwrap();
    assert_eq!((&last.report, snapshot.len()), (&Report::Idle, usize::from(SOCKETS)));
    for (record, number) in snapshot.iter().zip(0..) {
        let Report::Event { interface, event: Event::Socket(Change::Present, status) } =
            &record.report
        else {
            panic!("{record:?}")
        };
        assert_eq!((interface.as_str(), status.local.port()), ("", 20_000 + number));
    }
    drop(sockets);
    let records = read_all();
    let removed = records.iter().take_while(|record| matches!(record.report, Report::Event { .. }));
    let removed = removed.count();
    // What had no room is counted, and no number is given twice.
    let Some(EventRecord { sequence, report: Report::Lost(lost), .. }) = records.get(removed)
    else {
        panic!("{records:?}")
    };
    assert_eq!((removed as u64 + lost, *sequence), (u64::from(SOCKETS), u64::from(SOCKETS)));
    assert!(records[..removed].iter().zip(1..).all(|(record, number)| record.sequence == number));
    assert_eq!(records.get(removed + 1).unwrap().report, Report::Idle);
}
