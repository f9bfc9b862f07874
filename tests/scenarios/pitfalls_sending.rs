//! What a stream sends, when, and how much at once, told by packets: recovery, keep-alive,
//! congestion control.

use std::time::Duration;

use devnet_network::driver::Medium;
use devnet_network::{TcpSettings, TcpStream};
use world::{Host, World};

use crate::pair::pattern;
use crate::pitfalls_segments::accepted;
use crate::wire::{
    ACK, FIN, HOST, PEER, RST, SELECTIVE, SYN, Segment, Wire, milliseconds, packet_of, syn,
    transmit,
};

/// Options of a SYN: 1460 bytes.
const PLAIN: [u8; 4] = [2, 4, 5, 180];

/// An acknowledgment of the same peer.
fn acknowledge(number: u32) -> Segment {
    Segment { window: 60_000, ..Segment::new(5000, 80, ACK, 1001, number) }
}

/// An answer that must leave at once finds no room in the device: it leaves when there is some.
#[test]
fn tcp_r_09_an_immediate_acknowledgment_survives_a_device_without_room() {
    let world = World::new(1);
    let options = crate::pair::options().medium(Medium::Ip).capacity(600);
    let (end, mut hand) = devnet_drivers::cable(options);
    let host = Host::new(&world).with("eth0", end, &["10.0.0.1/24"]);
    let mut pool = devnet_network::driver::FramePool::new();
    let mut drain = |hand: &mut devnet_drivers::Cable| -> Vec<Vec<u8>> {
        crate::station::drain(hand, &mut pool)
    };
    world.run(async {
        let sockets = host.sockets();
        let listener = devnet_network::TcpListener::bind(&sockets, (HOST, 80).into(), 4).unwrap();
        transmit(&mut hand, &packet_of(&syn(&PLAIN)));
        world.sleep(milliseconds(1)).await;
        let answers = drain(&mut hand);
        let theirs =
            u32::from_be_bytes(answers.last().unwrap()[24..28].try_into().unwrap()).wrapping_add(1);
        transmit(&mut hand, &packet_of(&acknowledge(theirs)));
        let _stream = listener.accept().await.unwrap();
        drain(&mut hand);
        // Nobody reads what leaves: the device fills, then the queue before it.
        // Resets for what belongs to nobody ask for no room.
        for number in 0..2000u16 {
            transmit(&mut hand, &packet_of(&Segment::new(6000 + number, 99, ACK, 1, 1)));
            if number % 100 == 99 {
                world.sleep(milliseconds(1)).await;
            }
        }
        transmit(
            &mut hand,
            &packet_of(&Segment { sequence: 3001, ..acknowledge(theirs) }.data(b"behind a gap")),
        );
        world.sleep(milliseconds(5)).await;
        let mut left = Vec::new();
        for _ in 0..20 {
            left.extend(drain(&mut hand));
            world.sleep(milliseconds(1)).await;
        }
        assert!((601..2000).contains(&left.len()), "it was full: {}", left.len());
        let segments: Vec<_> = left.iter().filter(|packet| packet[20..22] == [0, 80]).collect();
        let [duplicate] = segments.as_slice() else { panic!("one answer, not {segments:?}") };
        assert_eq!(duplicate[28..32], 1001u32.to_be_bytes());
    });
}

/// RFC 5681 §2 (c).
#[test]
fn tcp_s_05_the_peers_end_is_no_duplicate() {
    let world = World::new(2);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&PLAIN)).await;
        let theirs = answer.end();
        stream.write_all(&pattern(14_600)).await.unwrap();
        assert_eq!(wire.exchange(&world, None).await.len(), 10);
        for _ in 0..2 {
            wire.exchange(&world, Some(&acknowledge(theirs))).await;
        }
        let end = Segment { flags: ACK | FIN, ..acknowledge(theirs) };
        let sent = wire.exchange(&world, Some(&end)).await;
        assert!(sent.iter().all(|segment| segment.data.is_empty()), "{sent:?}");
        let statistics = stream.statistics().unwrap();
        assert_eq!((statistics.recoveries, statistics.retransmissions), (0, 0));
        // The third real one is.
        let after = Segment { sequence: 1002, ..acknowledge(theirs) };
        let sent = wire.exchange(&world, Some(&after)).await;
        assert_eq!((sent[0].sequence, stream.statistics().unwrap().recoveries), (theirs, 1));
    });
}

#[test]
fn tcp_s_06_duplicates_that_come_together_count_each() {
    let world = World::new(3);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&PLAIN)).await;
        let theirs = answer.end();
        stream.write_all(&pattern(14_600)).await.unwrap();
        wire.exchange(&world, None).await;
        // All in one turn of the host.
        for _ in 0..3 {
            wire.send(&acknowledge(theirs));
        }
        let sent = wire.exchange(&world, None).await;
        let again: Vec<_> = sent.iter().filter(|segment| segment.sequence == theirs).collect();
        assert_eq!(again.len(), 1, "{sent:?}");
        assert_eq!(stream.statistics().unwrap().recoveries, 1);
    });
}

/// The user timeout is about data that waits for its acknowledgment, and about nothing else.
#[test]
fn tcp_s_10_a_user_timeout_ends_neither_an_idle_connection_nor_a_resting_one() {
    let world = World::new(4);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let settings = TcpSettings::default().user_timeout(1000);
        let (stream, answer) = accepted(&world, &host, &mut wire, settings, &syn(&PLAIN)).await;
        world.sleep(Duration::from_secs(600)).await;
        assert!(
            wire.exchange(&world, Some(&acknowledge(answer.end()).data(b"alive"))).await.len() <= 1
        );
        assert_eq!(stream.read(&mut [0; 8]).await, Ok(5));
        drop(stream);
        let ended = wire.exchange(&world, None).await;
        assert!(ended.last().unwrap().flags & FIN != 0, "{ended:?}");
        let end = Segment {
            sequence: 1006,
            flags: ACK | FIN,
            ..acknowledge(answer.end().wrapping_add(1))
        };
        let last = wire.exchange(&world, Some(&end)).await;
        assert_eq!((last.len(), last[0].flags, last[0].acknowledgment), (1, ACK, 1007));
        // TIME-WAIT ends without a word.
        assert!(wire.watch(&world, Duration::from_secs(100)).await.is_empty());
    });
}

/// TIM-02 has the other side of it: no time is too long.
#[test]
fn tcp_s_11_keep_alive_has_a_floor_and_does_not_begin_with_a_probe() {
    let world = World::new(5);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let settings =
            TcpSettings::default().keep_alive(1).keep_alive_interval(1).keep_alive_count(255);
        let (stream, answer) = accepted(&world, &host, &mut wire, settings, &syn(&PLAIN)).await;
        let mut probes = Vec::new();
        let start = world.now();
        while world.now().since(start) < Duration::from_secs(10) {
            for probe in wire.exchange(&world, None).await {
                probes.push(world.now().since(start).as_millis());
                assert_eq!((probe.flags, probe.data.len()), (ACK, 0));
                // The peer answers each.
                wire.send(&acknowledge(answer.end()));
            }
        }
        assert!(probes[0] >= 990, "{probes:?}");
        assert!((9..=10).contains(&probes.len()), "{probes:?}");
        drop(stream);
    });
}

/// RFC 1122 §4.2.3.6: some peers count or refuse the octet.
#[test]
fn tcp_s_12_a_probe_carries_no_octet_and_a_number_before_the_window() {
    let world = World::new(6);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let settings = TcpSettings::default().keep_alive(5000);
        let (stream, answer) = accepted(&world, &host, &mut wire, settings, &syn(&PLAIN)).await;
        stream.write_all(b"twelve bytes").await.unwrap();
        wire.exchange(&world, None).await;
        let next = answer.end().wrapping_add(12);
        wire.exchange(&world, Some(&acknowledge(next))).await;
        let sent = wire.watch(&world, Duration::from_secs(6)).await;
        let [(_, probe)] = sent.as_slice() else { panic!("one probe, not {sent:?}") };
        assert_eq!((probe.flags, probe.sequence, probe.data.len()), (ACK, next.wrapping_sub(1), 0));
    });
}

#[test]
fn tcp_s_14_after_a_timeout_the_window_does_not_leave_in_one_burst() {
    let world = World::new(7);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        stream.write_all(&pattern(50_000)).await.unwrap();
        assert_eq!(wire.exchange(&world, None).await.len(), 10);
        // Before the third timeout, which suspects the length of segments.
        let sent = wire.watch(&world, milliseconds(1200)).await;
        assert_eq!(stream.statistics().unwrap().timeouts, 2);
        let again: Vec<_> =
            sent.iter().filter(|(_, segment)| segment.sequence == answer.end()).collect();
        assert!(again.len() >= 2, "{sent:?}");
        for (at, _) in again {
            let together: Vec<_> = sent.iter().filter(|(other, _)| other == at).collect();
            assert_eq!(together.len(), 1, "at {at:?}");
        }
        assert_eq!(stream.statistics().unwrap().congestion_window, 1460);
        // What is acknowledged then lets two leave, not fifty thousand bytes.
        let more = wire.exchange(&world, Some(&acknowledge(answer.end().wrapping_add(1460)))).await;
        assert!((1..=2).contains(&more.len()), "{}", more.len());
    });
}

/// Initial window, growth, recovery: whatever the peer allows, no more is under way than our own
/// window.
#[test]
fn cc_01_our_own_window_bounds_what_is_under_way() {
    let world = World::new(8);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        let (theirs, data) = (answer.end(), pattern(400_000));
        // The bytes that came, and the first that did not.
        let (mut written, mut came, mut next) = (0, vec![false; 400_000], 0usize);
        let (mut has_lost, mut largest) = (false, 0);
        while next < 365_000 {
            while let Ok(count @ 1..) = stream.try_write(&data[written..]) {
                written += count;
            }
            let sent = wire.exchange(&world, None).await;
            let statistics = stream.statistics().unwrap();
            assert!(statistics.in_flight <= statistics.congestion_window, "{statistics:?}");
            assert!(
                statistics.congestion_window < 60_000 || next > 29_200,
                "it grows from ten segments"
            );
            largest = largest.max(statistics.in_flight);
            for segment in sent.iter().filter(|segment| !segment.data.is_empty()) {
                let first = segment.sequence.wrapping_sub(theirs) as usize;
                let end = first + segment.data.len();
                if (first..end).contains(&87_600) && !has_lost {
                    has_lost = true;
                    continue;
                }
                came[first..end].fill(true);
                next = came.iter().position(|came| !came).unwrap_or(came.len());
                let number = |place: usize| theirs.wrapping_add(place as u32);
                let mut word = acknowledge(number(next));
                if first > next {
                    let first = came[..first].iter().rposition(|came| !came).unwrap() + 1;
                    let length = came[end..].iter().take_while(|came| **came).count();
                    let block = [number(first), number(end + length)].map(u32::to_be_bytes);
                    word.options = [&[1, 1, 5, 10][..], &block.concat()].concat();
                }
                wire.send(&word);
            }
        }
        let statistics = stream.statistics().unwrap();
        assert_eq!((statistics.recoveries, statistics.timeouts), (1, 0));
        assert!(largest > 30_000, "{largest}");
    });
}

/// What the peer would take is no measure, nor is a constant.
#[test]
fn cc_03_windows_count_in_segments_as_they_are_sent() {
    for (offer, segment) in
        [([2, 4, 0x23, 0x28], 1460), ([2, 4, 2, 188], 700), ([2, 4, 5, 180], 1460)]
    {
        let world = World::new(9);
        let (host, mut wire) = Wire::new(&world);
        world.run(async {
            let (stream, answer) =
                accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&offer)).await;
            stream.write_all(&pattern(50_000)).await.unwrap();
            let sent = wire.exchange(&world, None).await;
            assert!(
                sent.len() == 10 && sent.iter().all(|sent| sent.data.len() == segment),
                "{segment}"
            );
            assert_eq!(stream.statistics().unwrap().congestion_window as usize, 10 * segment);
            let first = answer.end().wrapping_add(segment as u32);
            wire.exchange(&world, Some(&acknowledge(first))).await;
            assert_eq!(stream.statistics().unwrap().congestion_window as usize, 11 * segment);
        });
    }
}

/// Any segment at any time: flags, numbers near the edges, options and lengths by chance, for
/// connections in every state.
#[test]
fn tcp_x_08_no_segment_of_any_state_panics_or_forges_data() {
    let world = World::new(10);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        for round in 0..60u16 {
            let mut stream = None;
            let (ours, mut theirs, host_port) = if round % 2 == 0 {
                let opening = Segment { peer: 5000 + round, ..syn(&SELECTIVE) };
                let (accepted, answer) =
                    accepted(&world, &host, &mut wire, TcpSettings::default(), &opening).await;
                stream = Some(accepted);
                (1001, answer.end(), 80)
            } else {
                let sockets = host.sockets();
                let to = (PEER, 5000 + round);
                world.spawn(async move { drop(TcpStream::connect(&sockets, to).await) }).detach();
                let sent = wire.exchange(&world, None).await;
                let first = sent.iter().find(|segment| segment.flags & SYN != 0).unwrap().clone();
                (7000, first.end(), first.host)
            };
            for step in 0..200u32 {
                let random = world.random();
                let near = |number: u32, bits: u64| match bits & 7 {
                    0..=3 => number,
                    4 => number.wrapping_add((bits >> 8) as u32 & 0xffff),
                    5 => number.wrapping_sub((bits >> 8) as u32 & 0xffff),
                    6 => number.wrapping_add(1 << 31),
                    _ => (bits >> 8) as u32,
                };
                let mut segment = Segment::new(
                    5000 + round,
                    host_port,
                    random as u8,
                    near(ours, random >> 8),
                    near(theirs, random >> 24),
                );
                // Resets that count end the play: only now and then.
                if step % 20 != 19 {
                    segment.flags &= !RST;
                }
                segment.window = (random >> 40) as u16;
                let options = (random >> 56) as usize % 11 * 4;
                segment.options =
                    (0..options).map(|index| (random >> (index % 48)) as u8).collect();
                segment.data = vec![0xee; (random >> 48) as usize % 40 * 50];
                let sent = wire.exchange(&world, Some(&segment)).await;
                if let Some(stream) = &stream {
                    let mut buffer = [0; 8192];
                    while let Ok(count @ 1..) = stream.try_read(&mut buffer) {
                        assert!(
                            buffer[..count].iter().all(|byte| *byte == 0xee),
                            "somebody else's bytes"
                        );
                    }
                    let _ = stream.try_write(&[7; 1000]);
                    let statistics = stream.statistics().unwrap();
                    assert!(
                        statistics.bytes_acknowledged <= statistics.bytes_sent,
                        "nobody can have it: {statistics:?}"
                    );
                }
                theirs = sent.last().map_or(theirs, Segment::end);
            }
            drop(stream);
        }
        let mut wasted = 0;
        while wasted < 1000 {
            world.sleep(Duration::from_secs(1)).await;
            while wire.packet().is_some() {}
            wasted += 1;
        }
    });
    assert_eq!(host.open_sockets(), 0);
    // None was dropped for the test's own fault.
    let statistics = host.control::<devnet_network::command::GetStatistics>("eth0", &()).unwrap();
    assert_eq!(statistics.received_drops.checksum, 0);
}
