//! Device files that capture: a pcapng stream of both directions, and frames that are sent.

use std::task::{Context, Waker};
use std::time::Duration;

use devnet_network::command::capture::{
    CaptureDirection, CaptureOptions, CaptureStatistics, InterfaceCapture,
};
use devnet_network::command::{Capture, GetCapture, GetInterface, ListCaptureInterfaces, Watch};
use devnet_network::driver::FramePool;
use devnet_network::limits;
use devnet_virtual_file_system::{Error, File, OpenFlags, Readiness};
use world::cable::take;
use world::{Host, World};

use crate::pair::{connection, hosts, options, pattern};
use crate::wire::{HOST, PEER, Wire, ipv4, milliseconds};

/// A frame of a stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Seen {
    micros: u64,
    bytes: Vec<u8>,
    length: usize,
    interface: usize,
    direction: u32,
    lost: u64,
    comment: String,
}

/// A reader of the stream that is no part of what is tested. Blocks that are not whole stay.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    is_begun: bool,
    /// The link type and the name of each interface.
    interfaces: Vec<(u32, String)>,
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

impl Stream {
    /// Reads all that waits and returns the frames in it.
    fn read(&mut self, file: &File) -> Vec<Seen> {
        let mut buffer = [0; 1000];
        while let Ok(count) = file.try_read(&mut buffer) {
            self.bytes.extend_from_slice(&buffer[..count]);
        }
        let mut frames = Vec::new();
        while self.bytes.len() >= 12 {
            let length = word(&self.bytes, 4) as usize;
            if self.bytes.len() < length {
                break;
            }
            let block: Vec<u8> = self.bytes.drain(..length).collect();
            assert_eq!(word(&block, length - 4) as usize, length);
            match word(&block, 0) {
                0x0a0d_0d0a => assert!(!std::mem::replace(&mut self.is_begun, true)),
                1 => {
                    assert!(self.is_begun && [1, 101].contains(&word(&block, 8)));
                    let length = (word(&block, 16) >> 16) as usize;
                    assert_eq!(word(&block, 16) & 0xffff, 2, "the name comes first");
                    let name = String::from_utf8(block[20..20 + length].to_vec()).unwrap();
                    self.interfaces.push((word(&block, 8), name));
                }
                6 => {
                    frames.push(frame(&block));
                    assert!(frames.last().unwrap().interface < self.interfaces.len());
                }
                kind => panic!("a block of the kind {kind}"),
            }
        }
        frames
    }
}

fn frame(block: &[u8]) -> Seen {
    let kept = word(block, 20) as usize;
    let mut seen = Seen {
        micros: u64::from(word(block, 12)) << 32 | u64::from(word(block, 16)),
        bytes: block[28..28 + kept].to_vec(),
        length: word(block, 24) as usize,
        interface: word(block, 8) as usize,
        ..Seen::default()
    };
    let mut at = 28 + kept.next_multiple_of(4);
    loop {
        let (code, length) = (word(block, at) & 0xffff, (word(block, at) >> 16) as usize);
        let value = &block[at + 4..at + 4 + length];
        match code {
            0 => return seen,
            1 => seen.comment = String::from_utf8(value.to_vec()).unwrap(),
            2 => seen.direction = word(value, 0),
            4 => seen.lost = u64::from_le_bytes(value.try_into().unwrap()),
            _ => panic!("an option {code}"),
        }
        at += 4 + length.next_multiple_of(4);
    }
}

/// Of a datagram for port 9, which nobody has.
fn datagram(sum: u16) -> Vec<u8> {
    let mut udp = vec![0x30, 0x39, 0, 9, 0, 8];
    udp.extend_from_slice(&sum.to_be_bytes());
    ipv4(PEER, HOST, 17, &udp)
}

#[test]
fn a_stream_has_both_directions_with_times_and_why_frames_were_dropped() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    let file = host.open("eth0");
    host.write(&file, "capture clock-offset 1796000000000000").unwrap();
    world.run(world.sleep(milliseconds(250)));
    wire.put(&datagram(7));
    wire.put(&datagram(0));
    world.run(world.sleep(milliseconds(1)));
    let seen = Stream::default().read(&file);
    let [wrong, nobody, answer] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((wrong.comment.as_str(), wrong.direction), ("dropped: checksum", 1));
    assert_eq!((nobody.comment.as_str(), nobody.direction), ("dropped: no-socket", 1));
    assert!(nobody.bytes.ends_with(&datagram(0)), "{nobody:?}");
    // The ICMP error for it.
    assert_eq!((answer.comment.as_str(), answer.direction), ("", 2));
    assert_eq!(answer.bytes[20..22], [3, 3]);
    for frame in &seen {
        let now = world.now().since(devnet_network::platform::Instant::ZERO).as_micros() as u64;
        let offset = frame.micros - 1_796_000_000_000_000;
        assert!(offset >= 250_000 && offset <= now, "{offset} of {now}");
        assert_eq!(frame.length, frame.bytes.len());
    }
    assert_eq!(
        file.try_control::<GetCapture>(&()).unwrap(),
        CaptureStatistics { passed: 3, lost: 0, sent: 0 }
    );
}

#[test]
fn a_capture_is_cut_filtered_and_of_one_direction_as_asked() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    let capture = |line: &str| {
        let file = host.open("eth0");
        host.write(&file, line).unwrap();
        file
    };
    let (short, icmp, out) = (
        capture("capture snap-length 20 direction in filter udp dst port 9"),
        capture("capture filter icmp[icmptype] = icmp-unreach"),
        capture("capture direction out"),
    );
    wire.put(&datagram(0));
    world.run(world.sleep(milliseconds(1)));
    let read = |file: &File| -> Vec<(usize, usize, u32)> {
        let seen = Stream::default().read(file);
        seen.iter().map(|frame| (frame.bytes.len(), frame.length, frame.direction)).collect()
    };
    assert_eq!(read(&short), [(20, 28, 1)]);
    let answer = [(56, 56, 2)];
    assert_eq!(read(&icmp), answer);
    assert_eq!(read(&out), answer);
}

#[test]
fn what_is_written_is_sent_as_a_frame_and_captured_too() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let (from, to) = (left.open("eth0"), right.open("eth0"));
    left.write(&from, "capture").unwrap();
    right.write(&to, "capture direction in filter ether proto 0x88b5").unwrap();
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 9, 0x88, 0xb5]);
    frame.extend(pattern(40));
    world.run(from.write(&frame)).unwrap();
    world.run(world.sleep(milliseconds(10)));
    for (file, direction, comment) in [(&from, 2, ""), (&to, 1, "dropped: unknown-protocol")] {
        let seen = Stream::default().read(file);
        let [one] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((&one.bytes, one.direction, one.comment.as_str()), (&frame, direction, comment));
    }
    assert_eq!(from.try_control::<GetCapture>(&()).unwrap().sent, 1);
    // Nothing is sent of what is too short, too long, or for a link that is down.
    assert_eq!(world.run(from.write(&frame[..13])), Err(Error::InvalidInput));
    assert_eq!(world.run(from.write(&[0; 1519])), Err(Error::MessageTooLong));
    left.write(&left.open("eth0"), "link down").unwrap();
    assert_eq!(world.run(from.write(&frame)), Err(Error::NetworkDown));
    let reader = left.open_as("eth0", OpenFlags::READ).unwrap();
    reader.try_control::<Capture>(&CaptureOptions::default()).unwrap();
    assert_eq!(world.run(reader.write(&frame)), Err(Error::BadFileDescriptor));
}

#[test]
fn a_frame_that_waited_for_the_driver_is_captured_when_it_goes() {
    let world = World::new(1);
    let (end, mut far) = devnet_drivers::cable(options().capacity(2));
    let host = Host::new(&world).with("eth0", end, &["10.0.0.1/24"]);
    let mut pool = FramePool::new();
    let mut drain = || {
        world.run(world.sleep(Duration::from_secs(1)));
        while take(&mut far, &mut pool).is_some() {
            world.run(world.sleep(milliseconds(1)));
        }
    };
    // What a new interface says.
    (0..5).for_each(|_| drain());
    let socket = host.open("sockets");
    host.write(&host.open("eth0"), "neighbor add 10.0.0.2 02:00:00:00:00:02").unwrap();
    host.write(&socket, "socket udp\nconnect 10.0.0.2:9").unwrap();
    // Two are on the cable, two wait.
    for data in [b"a", b"b", b"c", b"d"] {
        world.run(socket.write(data)).unwrap();
    }
    let file = host.open("eth0");
    host.write(&file, "capture direction out filter udp").unwrap();
    let mut stream = Stream::default();
    assert_eq!(stream.read(&file), []);
    drain();
    let seen = stream.read(&file);
    let data: Vec<_> = seen.iter().map(|frame| *frame.bytes.last().unwrap()).collect();
    assert_eq!(data, b"cd");
}

#[test]
fn a_reader_that_stops_costs_the_connection_nothing_and_hears_how_much_it_missed() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let time = |captured: bool| {
        let file = left.open("eth0");
        if captured {
            left.write(&file, "capture").unwrap();
        }
        let (client, server) = world.run(connection(&left, &right, "10.0.0.2:80"));
        let start = world.now();
        world.run(async {
            let data = pattern(1 << 20);
            let send = async { client.write_all(&data).await.unwrap() };
            let receive = async {
                let (mut buffer, mut rest) = (vec![0; 65536], data.len());
                while rest > 0 {
                    rest -= server.read(&mut buffer).await.unwrap();
                }
            };
            futures_lite::future::zip(send, receive).await;
        });
        (world.now().since(start), file)
    };
    let (alone, _file) = time(false);
    let (beside, file) = time(true);
    assert_eq!(beside, alone);
    let counted = file.try_control::<GetCapture>(&()).unwrap();
    assert!(counted.lost > 100 && counted.passed > counted.lost, "{counted:?}");
    let mut stream = Stream::default();
    let kept = stream.read(&file);
    assert_eq!(kept.len() as u64, counted.passed - counted.lost);
    let bytes: usize = kept.iter().map(|frame| frame.bytes.len()).sum();
    assert!(bytes < limits::CAPTURE_BYTES && bytes > limits::CAPTURE_BYTES / 2);
    // A small frame may fit where a large one did not, so there are several gaps.
    left.write(&left.open("eth0"), "neighbor add 10.0.0.99 02:00:00:00:00:99").unwrap();
    let socket = left.open("sockets");
    left.write(&socket, "socket udp\nconnect 10.0.0.99:9").unwrap();
    world.run(socket.write(b"x")).unwrap();
    let next = stream.read(&file);
    assert!(next.first().unwrap().lost > 0);
    assert!(next.iter().skip(1).all(|frame| frame.lost == 0));
    let told: u64 = kept.iter().chain(&next).map(|frame| frame.lost).sum();
    assert_eq!(told, counted.lost);
}

#[test]
fn a_capture_waits_is_ready_and_ends_with_its_interface() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let file = left.open("eth0");
    let interest = Readiness::READABLE | Readiness::WRITABLE;
    let mut context = Context::from_waker(Waker::noop());
    left.write(&file, "capture filter icmp").unwrap();
    let mut stream = Stream::default();
    assert_eq!(stream.read(&file), []);
    assert_eq!(file.poll_ready(&mut context, Readiness::READABLE), std::task::Poll::Pending);
    assert_eq!(
        file.poll_ready(&mut context, interest),
        std::task::Poll::Ready(Ok(Readiness::WRITABLE))
    );
    // A waiting reader has the frame at once.
    let waiting = world.spawn({
        let file = file.clone();
        async move {
            let mut buffer = vec![0; 4096];
            let count = file.read(&mut buffer).await.unwrap();
            buffer.truncate(count);
            buffer
        }
    });
    let ping = world::shell::output(&world, &left, "ping -c 1 10.0.0.2");
    assert!(ping.contains(" 0% packet loss"), "{ping}");
    assert!(!world.run(waiting).is_empty());
    // The other half of what it is: commands go on, events do not.
    assert_eq!(file.try_control::<GetInterface>(&()).unwrap().name, "eth0");
    assert_eq!(
        file.try_control::<Watch>(&devnet_network::command::watch::Kinds::all()),
        Err(Error::InvalidInput)
    );
    let waiting = world.spawn({
        let file = file.clone();
        async move {
            let mut buffer = vec![0; 1 << 20];
            loop {
                if let Err(error) = file.read(&mut buffer).await {
                    return error;
                }
            }
        }
    });
    left.manager.unregister("eth0").unwrap();
    let error = world.run(async {
        let ended = async { Some(waiting.await) };
        let late = async {
            world.sleep(Duration::from_secs(1)).await;
            None
        };
        futures_lite::future::or(ended, late).await
    });
    assert!(error.is_some_and(|error| error != Error::WouldBlock), "{error:?}");
    drop(right);
}

#[test]
fn wrong_captures_are_refused_and_leave_the_file_as_it_was() {
    let world = World::new(1);
    let (left, _right) = hosts(&world);
    let file = left.open("eth0");
    for line in [
        "capture filter",
        "capture filter host web.lan",
        "capture snap-length",
        "capture snap-length 5 snap-length 6",
        "capture direction up",
        "capture everything",
    ] {
        assert_eq!(left.write(&file, line), Err(Error::InvalidInput), "{line}");
    }
    assert_eq!(file.try_control::<GetCapture>(&()), Err(Error::InvalidInput));
    // There is a bound, and what ended gives its place back.
    let mut all: Vec<File> = Vec::new();
    let direction = CaptureDirection::In;
    let options = CaptureOptions { direction, ..CaptureOptions::default() };
    for _ in 0..limits::CAPTURES {
        all.push(left.open("eth0"));
        all.last().unwrap().try_control::<Capture>(&options).unwrap();
    }
    assert_eq!(file.try_control::<Capture>(&options), Err(Error::NoBufferSpace));
    // One of all interfaces needs a place on each, and takes none if it does not get them.
    let sockets = left.open("sockets");
    assert_eq!(sockets.try_control::<Capture>(&options), Err(Error::NoBufferSpace));
    for _ in 0..limits::CAPTURES {
        let lo = left.open("lo");
        lo.try_control::<Capture>(&options).unwrap();
    }
    assert_eq!(sockets.try_control::<GetCapture>(&()), Err(Error::InvalidInput));
    all.pop();
    file.try_control::<Capture>(&options).unwrap();
    assert_eq!(file.try_control::<Capture>(&options), Err(Error::InvalidInput));
}

/// The interface, and the last bytes, of each frame.
fn ends(stream: &Stream, seen: &[Seen], count: usize) -> Vec<(String, Vec<u8>)> {
    let end = |frame: &Seen| frame.bytes[frame.bytes.len() - count..].to_vec();
    seen.iter().map(|one| (stream.interfaces[one.interface].1.clone(), end(one))).collect()
}

#[test]
fn a_capture_of_all_interfaces_describes_each_also_later_ones() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let file = left.open("sockets");
    left.write(&file, "capture filter udp dst port 9").unwrap();
    let mut stream = Stream::default();
    assert_eq!(stream.read(&file), []);
    let names = |stream: &Stream| -> Vec<(u32, String)> { stream.interfaces.clone() };
    assert_eq!(names(&stream), [(101, "lo".into()), (1, "eth0".into())]);
    let send = |host: &Host, to: &str, data: &[u8]| {
        let socket = host.open("sockets");
        host.write(&socket, &format!("socket udp\nconnect {to}:9")).unwrap();
        world.run(socket.write(data)).unwrap();
        world.run(world.sleep(milliseconds(10)));
    };
    send(&left, "10.0.0.2", b"1");
    send(&left, "127.0.0.1", b"2");
    send(&right, "10.0.0.1", b"3");
    // One that comes later.
    let (end, _far) = devnet_drivers::cable(options());
    left.manager.register("eth1", Box::new(end), None).unwrap();
    left.write(&left.open("eth1"), "link up\naddress add 10.0.9.1/24").unwrap();
    left.write(&left.open("eth1"), "neighbor add 10.0.9.2 02:00:00:00:00:99").unwrap();
    left.write(&left.open("eth0"), "link name wan0").unwrap();
    send(&left, "10.0.9.2", b"4");
    send(&left, "10.0.0.2", b"5");
    let seen = stream.read(&file);
    assert_eq!(names(&stream).get(2), Some(&(1, "eth1".into())));
    let named = |name: &str, data: &[u8]| (String::from(name), data.to_vec());
    assert_eq!(
        ends(&stream, &seen, 1),
        [
            named("eth0", b"1"),
            named("lo", b"2"),
            named("eth0", b"3"),
            named("eth1", b"4"),
            named("eth0", b"5"),
        ]
    );
    let directions: Vec<_> = seen.iter().map(|frame| frame.direction).collect();
    assert_eq!(directions, [2, 1, 1, 2, 2]);
    // One that goes ends nothing, and comes back as another.
    left.manager.unregister("eth1").unwrap();
    send(&left, "10.0.0.2", b"6");
    let (end, _far) = devnet_drivers::cable(options());
    left.manager.register("eth1", Box::new(end), None).unwrap();
    let seen = stream.read(&file);
    assert_eq!(ends(&stream, &seen, 1), [named("eth0", b"6")]);
    assert_eq!(names(&stream).get(3), Some(&(1, "eth1".into())));
    let counted = file.try_control::<GetCapture>(&()).unwrap();
    assert_eq!(counted, CaptureStatistics { passed: 6, lost: 0, sent: 0 });
    let each = file.try_control::<ListCaptureInterfaces>(&()).unwrap();
    let passed: Vec<_> = each.iter().map(|one| (one.interface.as_str(), one.passed)).collect();
    assert_eq!(passed, [("lo", 1), ("eth0", 4), ("eth1", 1), ("eth1", 0)]);
    // Of all interfaces none is meant.
    assert_eq!(world.run(file.write(&[0; 60])), Err(Error::Unsupported));
    let other = left.open("wan0");
    assert_eq!(other.try_control::<ListCaptureInterfaces>(&()), Err(Error::InvalidInput));
    // Once the file is closed, every interface has its places.
    drop(file);
    for _ in 0..limits::CAPTURES {
        left.write(&left.open("sockets"), "capture").unwrap();
    }
}

#[test]
fn what_is_lost_is_counted_for_each_interface() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let file = left.open("sockets");
    left.write(&file, "capture filter udp dst port 9").unwrap();
    let socket = |to: &str| {
        let socket = left.open("sockets");
        left.write(&socket, &format!("socket udp\nconnect {to}:9")).unwrap();
        socket
    };
    let (inside, outside) = (socket("127.0.0.1"), socket("10.0.0.2"));
    let bound = [&left, &right].map(|host| host.open("sockets"));
    left.write(&bound[0], "socket udp\nbind *:9").unwrap();
    right.write(&bound[1], "socket udp\nbind *:9").unwrap();
    let send = |socket: &File, count: usize| {
        for _ in 0..count {
            world.run(socket.write(&[7; 1400])).unwrap();
            world.run(world.sleep(milliseconds(5)));
        }
    };
    send(&inside, 400);
    send(&outside, 10);
    let each = file.try_control::<ListCaptureInterfaces>(&()).unwrap();
    let [lo, eth0] = each.as_slice() else { panic!("{each:?}") };
    let InterfaceCapture { passed, lost, .. } = *lo;
    assert!(passed == 400 && lost > 20 && lost < 100, "{lo:?}");
    assert_eq!((eth0.passed, eth0.lost), (10, 10));
    // An interface that came meanwhile has its description before its first frame.
    let (end, _far) = devnet_drivers::cable(options());
    left.manager.register("eth1", Box::new(end), None).unwrap();
    left.write(&left.open("eth1"), "link up\naddress add 10.0.9.1/24").unwrap();
    left.write(&left.open("eth1"), "neighbor add 10.0.9.2 02:00:00:00:00:99").unwrap();
    let mut stream = Stream::default();
    let kept = stream.read(&file);
    assert_eq!((kept.len() as u64, kept.iter().map(|one| one.lost).sum()), (400 - lost, 0));
    send(&outside, 1);
    send(&inside, 1);
    send(&socket("10.0.9.2"), 1);
    let next = stream.read(&file);
    let losses: Vec<_> = next.iter().map(|one| one.lost).collect();
    assert_eq!(losses, [10, lost, 0]);
    let names: Vec<_> = stream.interfaces.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["lo", "eth0", "eth1"]);
    drop(right);
}
