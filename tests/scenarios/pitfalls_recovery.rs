//! What a stream does when segments are lost, late, marked or too long, told by packets.

use std::time::Duration;

use devnet_network::command::socket::Direction;
use devnet_network::{TcpListener, TcpSettings, TcpStream};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::World;

use crate::pair::pattern;
use crate::pitfalls_segments::accepted;
use crate::station::icmp;
use crate::wire::{
    ACK, FIN, HOST, PEER, RST, SELECTIVE, SYN, Segment, Wire, checksum, ipv4, milliseconds,
    packet_of, syn,
};

const ECE: u8 = 64;
const CWR: u8 = 128;

/// Ranges of the SACK option, counted from a number.
fn blocks(segment: &Segment, from: u32) -> Vec<(u32, u32)> {
    let [1, 1, 5, _, ranges @ ..] = segment.options.as_slice() else { return Vec::new() };
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap()).wrapping_sub(from);
    ranges.chunks(8).map(|range| (number(&range[..4]), number(&range[4..]))).collect()
}

/// A peer that reads what the host sends.
struct Reader {
    first: u32,
    came: Vec<Option<u8>>,
    window: u16,
}

impl Reader {
    fn new(first: u32, length: usize) -> Self {
        Self { first, came: vec![None; length], window: 60_000 }
    }

    fn take(&mut self, segment: &Segment) {
        let place = segment.sequence.wrapping_sub(self.first) as usize;
        for (byte, came) in segment.data.iter().zip(self.came.iter_mut().skip(place)) {
            *came = Some(*byte);
        }
    }

    /// Bytes in order.
    fn count(&self) -> usize {
        self.came.iter().take_while(|byte| byte.is_some()).count()
    }

    fn answer(&self) -> Segment {
        let next = self.first.wrapping_add(self.count() as u32);
        Segment { window: self.window, ..Segment::new(5000, 80, ACK, 1001, next) }
    }

    fn bytes(&self) -> Vec<u8> {
        self.came.iter().map_while(|byte| *byte).collect()
    }
}

/// RFC 5961 §5.2.
#[test]
fn tcp_r_05_data_with_an_old_acknowledgment_counts() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&[])).await;
        let theirs = answer.end();
        stream.write_all(&[7; 500]).await.unwrap();
        wire.exchange(&world, None).await;
        wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, 1001, theirs.wrapping_add(500))))
            .await;
        // Sent before that, overtaken on its way.
        let sent = wire
            .exchange(&world, Some(&Segment::new(5000, 80, ACK, 1001, theirs).data(b"late")))
            .await;
        let mut buffer = [0; 16];
        assert_eq!(stream.try_read(&mut buffer), Ok(4), "{sent:?}");
        assert_eq!(&buffer[..4], b"late");
        // From before the largest window: somebody else.
        let ancient = Segment::new(5000, 80, ACK, 1005, theirs.wrapping_sub(60_000)).data(b"evil");
        let sent = wire.exchange(&world, Some(&ancient)).await;
        assert_eq!(stream.try_read(&mut buffer), Err(Error::WouldBlock));
        assert!(
            sent.iter().all(|segment| segment.flags == ACK && segment.acknowledgment == 1005),
            "{sent:?}"
        );
        assert!(!sent.is_empty());
    });
}

#[test]
fn tcp_r_06_tcp_r_07_holes_are_told_at_once_and_survived() {
    let world = World::new(2);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        let data = pattern(20_000);
        let piece = |at: usize| {
            Segment::new(5000, 80, ACK, 1001 + at as u32, answer.end()).data(&data[at..at + 1000])
        };
        let range = |at: u32| (at, at + 1000);
        let mut told: Vec<(u32, u32)> = Vec::new();
        for at in (1000..20_000).step_by(2000) {
            let sent = wire.exchange(&world, Some(&piece(at))).await;
            let [duplicate] = sent.as_slice() else { panic!("one answer, not {sent:?}") };
            assert_eq!(duplicate.acknowledgment, 1001);
            told.insert(0, range(at as u32));
            told.truncate(4);
            assert_eq!(blocks(duplicate, 1001), told);
        }
        // The same again: told first, within what it belongs to (RFC 2883 §4).
        let sent = wire.exchange(&world, Some(&piece(3000))).await;
        assert_eq!(blocks(&sent[0], 1001)[..2], [range(3000), range(3000)]);
        for at in (0..20_000).step_by(2000) {
            let sent = wire.exchange(&world, Some(&piece(at))).await;
            assert_eq!(sent.last().unwrap().acknowledgment as usize, 1001 + at + 2000);
        }
        // What was acknowledged long ago.
        let sent = wire.exchange(&world, Some(&piece(0))).await;
        assert_eq!((sent[0].acknowledgment, blocks(&sent[0], 1001)), (21_001, vec![range(0)]));
        let mut received = vec![0; 20_000];
        assert_eq!(stream.try_read(&mut received), Ok(20_000));
        assert!(received == data);
    });
}

#[test]
fn tcp_r_10_a_repeated_syn_is_answered_at_once_with_the_same() {
    let world = World::new(3);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let _listener = TcpListener::bind(&host.sockets(), (HOST, 80).into(), 4).unwrap();
        let first = wire.exchange(&world, Some(&syn(&SELECTIVE))).await;
        for _ in 0..3 {
            world.sleep(milliseconds(50)).await;
            assert_eq!(wire.exchange(&world, Some(&syn(&SELECTIVE))).await, first);
        }
        assert_eq!((first.len(), first[0].flags), (1, SYN | ACK));
    });
}

#[test]
fn tcp_s_01_an_end_that_never_left_cannot_be_acknowledged() {
    let world = World::new(4);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let opening = Segment { window: 500, ..syn(&[2, 4, 5, 180]) };
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &opening).await;
        let (theirs, data) = (answer.end(), pattern(1000));
        stream.write_all(&data).await.unwrap();
        stream.shutdown(Direction::Write).unwrap();
        let sent = wire.exchange(&world, None).await;
        assert_eq!(sent.iter().map(|segment| segment.data.len()).sum::<usize>(), 500);
        let forged = Segment::new(5000, 80, ACK, 1001, theirs.wrapping_add(1001));
        let sent = wire.exchange(&world, Some(&forged)).await;
        assert!(
            sent.iter().all(|segment| (segment.flags, segment.acknowledgment) == (ACK, 1001))
                && sent.len() == 1
        );
        let half =
            Segment { window: 500, ..Segment::new(5000, 80, ACK, 1001, theirs.wrapping_add(500)) };
        let sent = wire.exchange(&world, Some(&half)).await;
        assert!(sent[0].data == data[500..] && sent[0].flags & FIN != 0, "{sent:?}");
    });
}

/// RFC 9293 §3.10.7.4: a peer that asks about our closed window with an octet says something about
/// its own all the same.
#[test]
fn tcp_s_03_two_closed_windows_do_not_lock_each_other() {
    let world = World::new(5);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let settings = TcpSettings::default().receive_buffer(Some(2048));
        let (stream, answer) =
            accepted(&world, &host, &mut wire, settings, &syn(&[2, 4, 5, 180])).await;
        let theirs = answer.end();
        let mut full = Segment::new(5000, 80, ACK, 1001, theirs).data(&[7; 1024]);
        full.window = 0;
        wire.exchange(&world, Some(&full)).await;
        full.sequence += 1024;
        wire.exchange(&world, Some(&full)).await;
        stream.write_all(&[8; 1000]).await.unwrap();
        let edge = 1001 + 2048;
        let sent = wire.watch(&world, Duration::from_secs(5)).await;
        assert!(sent.len() > 2, "it asks: {sent:?}");
        for (_, probe) in &sent[1..] {
            assert!(
                probe.data.is_empty() && probe.acknowledgment == edge && probe.window == 0,
                "{probe:?}"
            );
        }
        // Its octet counts as sent, and is refused; its window opened.
        let octet = Segment::new(5000, 80, ACK, edge, theirs).data(b"!");
        let sent = wire.exchange(&world, Some(&octet)).await;
        assert!(sent.iter().any(|segment| segment.data.len() == 1000), "{sent:?}");
        assert!(
            sent.iter().all(|segment| segment.acknowledgment == edge && segment.window == 0),
            "{sent:?}"
        );
        let more = Segment::new(5000, 80, ACK, edge, theirs.wrapping_add(1000)).data(b"!");
        wire.exchange(&world, Some(&more)).await;
        future::poll_once(stream.flush()).await.unwrap().unwrap();
    });
}

/// RFC 9293 §3.8.6.1.
#[test]
fn tcp_s_03_tcp_s_04_a_window_that_closes_with_data_under_way_is_asked_about() {
    let world = World::new(6);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        let (theirs, data) = (answer.end(), pattern(40_000));
        stream.write_all(&data).await.unwrap();
        let mut reader = Reader::new(theirs, data.len());
        // A part came, and there is no room for more: what is under way is asked about with itself.
        let sent = wire.exchange(&world, None).await;
        sent.iter().take(3).for_each(|segment| reader.take(segment));
        reader.window = 0;
        wire.exchange(&world, Some(&reader.answer())).await;
        let mut count = 0;
        for _ in 0..1000 {
            world.sleep(milliseconds(100)).await;
            while let Some(segment) = wire.segment() {
                let (end, length) = (segment.end().wrapping_sub(theirs), segment.data.len());
                assert!(length == 1460 && end <= 14_600, "{length} bytes up to {end}");
                wire.send(&reader.answer());
                count += 1;
            }
        }
        assert!((5..30).contains(&count), "{count}");
        sent.iter().for_each(|segment| reader.take(segment));
        wire.exchange(&world, Some(&reader.answer())).await;
        // All is acknowledged; it goes on asking, from before the window and without an octet, less
        // and less often.
        let sent = wire.watch(&world, Duration::from_secs(200)).await;
        let next = reader.answer().acknowledgment;
        assert!(sent.len() >= 3 && sent.len() < 20, "{}", sent.len());
        for (_, probe) in &sent {
            assert_eq!(
                (probe.flags, probe.sequence, probe.data.len()),
                (ACK, next.wrapping_sub(1), 0)
            );
        }
        assert_eq!(stream.statistics().unwrap().segment, 1460, "a closed window is no black hole");
        // The update was lost; the answer to the next question tells.
        reader.window = 60_000;
        while reader.count() < data.len() {
            for segment in wire.exchange(&world, Some(&reader.answer())).await {
                reader.take(&segment);
            }
        }
        assert!(reader.bytes() == data);
    });
}

/// RFC 8985 §7.
#[test]
fn tcp_s_08_a_lost_tail_does_not_wait_for_a_second() {
    for (options, limit) in [(&SELECTIVE[..], 100), (&[2, 4, 5, 180], 300)] {
        let world = World::new(7);
        let (host, mut wire) = Wire::new(&world);
        world.run(async {
            let (stream, answer) =
                accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(options)).await;
            let theirs = answer.end();
            stream.write_all(&pattern(4380)).await.unwrap();
            assert_eq!(wire.exchange(&world, None).await.len(), 3);
            // The last is lost.
            wire.exchange(
                &world,
                Some(&Segment::new(5000, 80, ACK, 1001, theirs.wrapping_add(2920))),
            )
            .await;
            let sent = wire.watch(&world, Duration::from_secs(1)).await;
            assert!(sent[0].0 <= milliseconds(limit), "{:?}", sent[0].0);
            assert_eq!(
                (sent[0].1.sequence, sent[0].1.data.len()),
                (theirs.wrapping_add(2920), 1460)
            );
        });
    }
}

/// 127 s as on Linux (RFC 9293 §3.8.3 asks for three minutes, or what the program says); a minute
/// lies between two SYNs at most.
#[test]
fn tcp_s_09_a_connect_that_nobody_answers_ends() {
    let world = World::new(8);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (start, sockets) = (world.now(), host.sockets());
        let connect = TcpStream::connect(&sockets, (PEER, 80));
        let (result, sent) =
            future::zip(connect, wire.watch(&world, Duration::from_secs(200))).await;
        assert_eq!(result.err(), Some(Error::TimedOut));
        let at: Vec<u64> =
            sent.iter().map(|(at, _)| (at.as_millis() as u64 + 500) / 1000).collect();
        assert!(
            sent.iter()
                .all(|(_, segment)| segment.flags == SYN && segment.sequence == sent[0].1.sequence)
        );
        assert_eq!(at, [0, 1, 3, 7, 15, 31, 63, 123]);
        let connect = TcpStream::connect(&sockets, (PEER, 80));
        assert_eq!(connect.await.err(), Some(Error::TimedOut));
        assert_eq!(world.now().since(start).as_secs(), 327);
    });
}

#[test]
fn tcp_s_09_data_that_nobody_acknowledges_ends_the_connection_after_a_quarter_of_an_hour() {
    let world = World::new(9);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        stream.write_all(b"anybody there?").await.unwrap();
        let sent = wire.watch(&world, Duration::from_secs(20 * 60)).await;
        assert_eq!(stream.try_read(&mut [0; 4]), Err(Error::TimedOut));
        let (last, repeated) = sent.split_last().unwrap();
        assert!(last.1.flags & RST != 0 && (890..=910).contains(&last.0.as_secs()), "{last:?}");
        assert!(repeated.iter().all(|(_, segment)| segment.sequence == answer.end()));
        let gaps: Vec<u64> =
            repeated.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_secs()).collect();
        assert!((10..30).contains(&gaps.len()) && gaps.iter().all(|gap| *gap <= 62), "{gaps:?}");
    });
}

#[test]
fn tcp_s_15_a_closed_window_and_nothing_to_send_is_silence() {
    let world = World::new(10);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&[])).await;
        stream.write_all(b"x").await.unwrap();
        wire.exchange(&world, None).await;
        let closed = Segment {
            window: 0,
            ..Segment::new(5000, 80, ACK, 1001, answer.end().wrapping_add(1))
        };
        wire.exchange(&world, Some(&closed)).await;
        assert_eq!(wire.watch(&world, Duration::from_secs(300)).await, []);
    });
}

#[test]
fn tcp_o_03_a_connect_that_was_given_up_refuses_the_late_answer() {
    let world = World::new(11);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let sockets = host.sockets();
        let mut connect = Box::pin(TcpStream::connect(&sockets, (PEER, 80)));
        assert!(future::poll_once(&mut connect).await.is_none());
        let sent = wire.exchange(&world, None).await.remove(0);
        drop(connect);
        assert_eq!(wire.exchange(&world, None).await, []);
        let late = Segment::new(sent.peer, sent.host, SYN | ACK, 7000, sent.end());
        let answer = wire.exchange(&world, Some(&late)).await;
        assert!(
            answer.len() == 1 && answer[0].flags == RST && answer[0].sequence == sent.end(),
            "{answer:?}"
        );
        assert_eq!(host.open_sockets(), 0);
    });
}

/// RFC 9293 §3.8.6.2.1.
#[test]
fn tcp_w_01_a_window_of_a_few_bytes_is_not_filled_at_once() {
    let world = World::new(12);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&[])).await;
        let theirs = answer.end();
        stream.write_all(&[7; 5000]).await.unwrap();
        let mut next = wire.exchange(&world, None).await.last().unwrap().end();
        for _ in 0..3 {
            stream.write_all(&[7; 536]).await.unwrap();
            let small = Segment { window: 5, ..Segment::new(5000, 80, ACK, 1001, next) };
            wire.exchange(&world, Some(&small)).await;
            let sent = wire.watch(&world, milliseconds(1000)).await;
            let data: Vec<_> =
                sent.iter().filter(|(_, segment)| !segment.data.is_empty()).collect();
            assert!((100..1000).contains(&(data[0].0.as_millis())), "{data:?}");
            assert_eq!((data[0].1.sequence, data[0].1.data.len()), (next, 5));
            next = data[0].1.end();
        }
        assert!(next.wrapping_sub(theirs) > 5000);
    });
}

/// RFC 6928.
#[test]
fn cc_02_the_first_flight_is_ten_segments() {
    for (number, segment, flight) in [(13, 1460u16, 10), (14, 400, 10), (15, 100, 10)] {
        let world = World::new(number);
        let (host, mut wire) = Wire::new(&world);
        world.run(async {
            let [high, low] = segment.to_be_bytes();
            let opening = syn(&[2, 4, high, low]);
            let (stream, _) =
                accepted(&world, &host, &mut wire, TcpSettings::default(), &opening).await;
            stream.write_all(&[7; 40_000]).await.unwrap();
            let sent = wire.exchange(&world, None).await;
            assert_eq!(sent.len(), flight, "{segment}");
            assert!(sent.iter().all(|sent| sent.data.len() == usize::from(segment)));
        });
    }
}

/// RFC 1191, RFC 5927 §7.
#[test]
fn pmt_01_what_is_too_long_is_sent_again_at_once_in_pieces() {
    let world = World::new(16);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        let (theirs, data) = (answer.end(), pattern(14_600));
        stream.write_all(&data).await.unwrap();
        world.sleep(milliseconds(1)).await;
        let large =
            std::iter::from_fn(|| wire.packet()).find(|packet| packet.len() == 1500).unwrap();
        while wire.packet().is_some() {}
        let told = |mtu: u16, quote: &[u8]| {
            let [high, low] = mtu.to_be_bytes();
            ipv4(PEER, HOST, 1, &icmp(3, 4, [0, 0, high, low], quote))
        };
        // What is not under way, what is no narrower, what no path is.
        let mut other = large[..28].to_vec();
        other[24..28].copy_from_slice(&theirs.wrapping_add(100_000).to_be_bytes());
        for packet in [told(1000, &other), told(1500, &large[..28]), told(2000, &large[..28])] {
            wire.put(&packet);
            // A probe for the tail may leave, as long as before.
            let sent = wire.exchange(&world, None).await;
            let tail = theirs.wrapping_add(13_140);
            assert!(
                sent.iter().all(|segment| (segment.sequence, segment.data.len()) == (tail, 1460)),
                "{}",
                sent.len()
            );
        }
        wire.put(&told(1000, &large[..28]));
        let mut reader = Reader::new(theirs, data.len());
        let mut sent = wire.exchange(&world, None).await;
        assert_eq!((sent[0].sequence, sent[0].data.len()), (theirs, 960), "at once");
        while reader.count() < data.len() {
            assert!(!sent.is_empty(), "it stopped at {}", reader.count());
            for segment in &sent {
                assert!(segment.data.len() <= 960, "{}", segment.data.len());
                reader.take(segment);
            }
            sent = wire.exchange(&world, Some(&reader.answer())).await;
        }
        assert!(reader.bytes() == data);
        let statistics = stream.statistics().unwrap();
        assert_eq!(statistics.timeouts, 0);
        assert!(statistics.congestion_window >= 14_600 / 2, "{statistics:?}");
    });
}

/// RFC 4821, RFC 8899: long packets vanish, and nobody says why.
#[test]
fn a_black_hole_is_left_with_smaller_segments() {
    let world = World::new(17);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        let data = pattern(50_000);
        stream.write_all(&data).await.unwrap();
        let mut reader = Reader::new(answer.end(), data.len());
        let start = world.now();
        while reader.count() < data.len() {
            world.sleep(milliseconds(1)).await;
            let sent: Vec<Segment> = std::iter::from_fn(|| wire.segment()).collect();
            let small: Vec<_> =
                sent.iter().filter(|segment| segment.data.len() + 40 <= 1280).collect();
            for segment in &small {
                reader.take(segment);
                wire.send(&reader.answer());
            }
            assert!(
                world.now().since(start) < Duration::from_secs(10),
                "{} arrived",
                reader.count()
            );
        }
        assert!(reader.bytes() == data);
        let statistics = stream.statistics().unwrap();
        assert_eq!((statistics.timeouts, statistics.segment), (3, 1240));
    });
}

/// The packet of a segment, marked by a router (CE).
fn marked(segment: &Segment) -> Vec<u8> {
    let mut packet = packet_of(segment);
    packet[1] = 3;
    packet[10..12].fill(0);
    let sum = checksum(&[&packet[..20]]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// RFC 3168 §6.1.
#[test]
fn marks_are_used_when_the_peer_asks_for_them() {
    let world = World::new(18);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let opening = Segment { flags: SYN | ECE | CWR, ..syn(&SELECTIVE) };
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &opening).await;
        assert_eq!((answer.flags, answer.traffic_class), (SYN | ACK | ECE, 0));
        let theirs = answer.end();
        stream.write_all(&pattern(60_000)).await.unwrap();
        let sent = wire.exchange(&world, None).await;
        assert!(
            sent.iter()
                .all(|segment| segment.traffic_class & 3 == 2 && segment.flags & (ECE | CWR) == 0)
        );
        // A mark is echoed until the peer says that it heard.
        let (mut ours, mut acknowledged) = (1001, theirs.wrapping_add(1460));
        let mut say = |flags: u8, acknowledged: u32| {
            ours += 10;
            Segment {
                window: 60_000,
                ..Segment::new(5000, 80, ACK | flags, ours - 10, acknowledged).data(&[9; 10])
            }
        };
        wire.put(&marked(&say(0, acknowledged)));
        let sent = wire.exchange(&world, None).await;
        assert!(
            !sent.is_empty() && sent.iter().all(|segment| segment.flags & ECE != 0),
            "{sent:?}"
        );
        acknowledged = acknowledged.wrapping_add(1460);
        let sent = wire.exchange(&world, Some(&say(0, acknowledged))).await;
        assert!(
            !sent.is_empty() && sent.iter().all(|segment| segment.flags & ECE != 0),
            "{sent:?}"
        );
        acknowledged = acknowledged.wrapping_add(1460);
        let sent = wire.exchange(&world, Some(&say(CWR, acknowledged))).await;
        assert!(
            !sent.is_empty() && sent.iter().all(|segment| segment.flags & ECE == 0),
            "{sent:?}"
        );
        // The peer's echo: less is sent, which is told once.
        let before = stream.statistics().unwrap().congestion_window;
        let mut sent = Vec::new();
        for _ in 0..3 {
            acknowledged = acknowledged.wrapping_add(1460);
            let echo =
                Segment { window: 60_000, ..Segment::new(5000, 80, ACK | ECE, 1031, acknowledged) };
            sent.extend(wire.exchange(&world, Some(&echo)).await);
        }
        let after = stream.statistics().unwrap();
        assert!(
            after.congestion_window < before && after.congestion_window >= before / 2,
            "{after:?}"
        );
        assert_eq!(after.retransmissions, 0);
        for _ in 0..6 {
            acknowledged = acknowledged.wrapping_add(1460);
            let quiet =
                Segment { window: 60_000, ..Segment::new(5000, 80, ACK, 1031, acknowledged) };
            sent.extend(wire.exchange(&world, Some(&quiet)).await);
        }
        let told: Vec<_> = sent.iter().filter(|segment| segment.flags & CWR != 0).collect();
        assert!(told.len() == 1 && !told[0].data.is_empty(), "{told:?}");
        // What carries no data is not marked, nor is what is sent again.
        let last = sent.last().unwrap().end();
        wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, 1031, last))).await;
        let again = wire.watch(&world, milliseconds(300)).await;
        let again =
            again.iter().map(|(_, segment)| segment).filter(|segment| segment.sequence != last);
        for segment in again.filter(|segment| segment.flags & CWR == 0 && segment.data.is_empty()) {
            assert_eq!(segment.traffic_class & 3, 0);
        }
    });
}

#[test]
fn marks_mean_nothing_when_nobody_asked() {
    let world = World::new(19);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        // ECE alone is no question (RFC 3168 §6.1.1).
        for (port, flags) in [(5000, SYN), (5001, SYN | ECE), (5002, SYN | CWR)] {
            let opening = Segment { peer: port, flags, ..syn(&SELECTIVE) };
            let (stream, answer) =
                accepted(&world, &host, &mut wire, TcpSettings::default(), &opening).await;
            assert_eq!(answer.flags, SYN | ACK);
            let theirs = answer.end();
            stream.write_all(&pattern(20_000)).await.unwrap();
            let sent = wire.exchange(&world, None).await;
            assert!(sent.iter().all(|segment| segment.traffic_class == 0), "{sent:?}");
            let before = stream.statistics().unwrap().congestion_window;
            let echo =
                Segment::new(port, 80, ACK | ECE, 1001, theirs.wrapping_add(1460)).data(b"x");
            wire.put(&marked(&echo));
            let sent = wire.watch(&world, milliseconds(20)).await;
            assert!(sent.iter().all(|(_, segment)| segment.flags & (ECE | CWR) == 0), "{sent:?}");
            assert!(stream.statistics().unwrap().congestion_window >= before);
            stream.abort();
            wire.exchange(&world, None).await;
        }
    });
}

/// RFC 3168 §6.1.1: who asks and is answered uses marks; the repetition of a SYN does not ask
/// again.
#[test]
fn a_connect_asks_for_marks_once() {
    let world = World::new(20);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let sockets = host.sockets();
        let settings = TcpSettings::default().explicit_congestion(true);
        for (answer, class) in [(SYN | ACK | ECE, 2), (SYN | ACK, 0), (SYN | ACK | ECE | CWR, 0)] {
            let play = async {
                let sent = wire.watch(&world, milliseconds(1500)).await;
                let flags: Vec<u8> = sent.iter().map(|(_, segment)| segment.flags).collect();
                assert_eq!(flags, [SYN | ECE | CWR, SYN]);
                let sent = &sent[0].1;
                let answer = Segment {
                    window: 60_000,
                    ..Segment::new(sent.peer, sent.host, answer, 7000, sent.end())
                };
                let last = wire.exchange(&world, Some(&answer)).await;
                assert!(
                    last.iter().all(|segment| (segment.flags, segment.traffic_class) == (ACK, 0)),
                    "{last:?}"
                );
            };
            let connect = TcpStream::connect_with(&sockets, None, (PEER, 80), &settings);
            let (stream, ()) = future::zip(connect, play).await;
            let stream = stream.unwrap();
            stream.write_all(&[7; 1000]).await.unwrap();
            let sent = wire.exchange(&world, None).await;
            assert!(
                sent.iter().all(|segment| segment.traffic_class == class),
                "{answer}: {sent:?}"
            );
            stream.abort();
            wire.exchange(&world, None).await;
        }
    });
}

/// RFC 7323 §2.2: only the window of a SYN is not scaled.
#[test]
fn tcp_r_01_the_last_word_of_a_handshake_has_a_scaled_window() {
    let world = World::new(21);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let sockets = host.sockets();
        for shift in [None, Some(0), Some(9)] {
            let play = async {
                let sent = wire.exchange(&world, None).await.remove(0);
                let ours = sent.options.windows(3).find(|option| option[..2] == [3, 3]).unwrap()[2];
                assert!(sent.window >= 32_768);
                let mut answer = Segment::new(sent.peer, sent.host, SYN | ACK, 7000, sent.end());
                answer.options = shift.map_or(Vec::new(), |shift| vec![1, 3, 3, shift]);
                let last = wire.exchange(&world, Some(&answer)).await.remove(0);
                let scale = if shift.is_some() { ours } else { 0 };
                let window = u32::from(last.window) << scale;
                assert!((32_768..=65_536).contains(&window), "{shift:?}: {window}");
            };
            let (stream, ()) = future::zip(TcpStream::connect(&sockets, (PEER, 80)), play).await;
            stream.unwrap().abort();
            wire.exchange(&world, None).await;
        }
        // The same for what answers a stranger before the handshake is over.
        let _listener = TcpListener::bind(&sockets, (HOST, 80).into(), 4).unwrap();
        let answer = wire.exchange(&world, Some(&syn(&[2, 4, 5, 180, 1, 3, 3, 2]))).await.remove(0);
        let ours = answer.options.windows(3).find(|option| option[..2] == [3, 3]).unwrap()[2];
        let stranger = Segment::new(5000, 80, ACK, 500_000, answer.end());
        let sent = wire.exchange(&world, Some(&stranger)).await;
        assert!(sent.len() == 1 && sent[0].flags == ACK, "{sent:?}");
        assert!((32_768..=65_536).contains(&(u32::from(sent[0].window) << ours)), "{sent:?}");
    });
}

#[test]
fn tcp_r_11_a_wrong_acknowledgment_of_a_syn_earns_a_reset_whatever_it_carries() {
    let world = World::new(61);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let sockets = host.sockets();
        let mut connect = Box::pin(TcpStream::connect(&sockets, (PEER, 80)));
        assert!(future::poll_once(&mut connect).await.is_none());
        let first =
            std::iter::from_fn(|| wire.segment()).find(|segment| segment.flags & SYN != 0).unwrap();
        for flags in [ACK, ACK | 8, ACK | FIN, SYN | ACK] {
            let wrong = first.sequence.wrapping_add(77);
            let sent = wire
                .exchange(&world, Some(&Segment::new(80, first.host, flags, 7, wrong).data(b"x")))
                .await;
            assert!(
                sent.iter().any(|segment| segment.flags == RST && segment.sequence == wrong),
                "{flags}: {sent:?}"
            );
        }
        // None of it is the end of the connect.
        let right = Segment::new(80, first.host, SYN | ACK, 7, first.end());
        wire.exchange(&world, Some(&right)).await;
        connect.await.unwrap();
    });
}

#[test]
fn tcp_r_13_urgent_data_stays_in_the_stream() {
    let world = World::new(62);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn(&SELECTIVE)).await;
        let urgent = Segment::new(5000, 80, ACK | 32, 1001, answer.end()).data(b"urgent");
        wire.exchange(&world, Some(&urgent)).await;
        let mut buffer = [0; 16];
        assert_eq!(stream.read(&mut buffer).await, Ok(6));
        assert_eq!(&buffer[..6], b"urgent");
    });
}

#[test]
fn tcp_s_13_a_lost_syn_leaves_the_connection_its_whole_window() {
    let world = World::new(63);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let sockets = host.sockets();
        let connect = world.spawn(async move { TcpStream::connect(&sockets, (PEER, 80)).await });
        world.sleep(milliseconds(1500)).await;
        let syns: Vec<_> = std::iter::from_fn(|| wire.segment())
            .filter(|segment| segment.flags & SYN != 0)
            .collect();
        assert_eq!(syns.len(), 2, "one was lost");
        let mut answer = Segment::new(80, syns[0].host, SYN | ACK, 7, syns[0].end());
        (answer.window, answer.options) = (60_000, SELECTIVE.to_vec());
        wire.exchange(&world, Some(&answer)).await;
        let stream = connect.await.unwrap();
        stream.write_all(&pattern(50_000)).await.unwrap();
        let sent = wire.exchange(&world, None).await;
        assert_eq!(sent.iter().filter(|segment| !segment.data.is_empty()).count(), 10);
    });
}

#[test]
fn tcp_w_05_a_drained_buffer_is_told_at_once_and_again_when_asked() {
    let world = World::new(64);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let settings = TcpSettings::default().receive_buffer(Some(4096));
        let (stream, answer) = accepted(&world, &host, &mut wire, settings, &syn(&SELECTIVE)).await;
        let data = pattern(4096);
        let segment = |from: usize, to: usize| {
            Segment::new(5000, 80, ACK, 1001 + from as u32, answer.end()).data(&data[from..to])
        };
        for from in [0, 1024, 2048, 3072] {
            wire.exchange(&world, Some(&segment(from, from + 1024))).await;
        }
        world.sleep(milliseconds(50)).await;
        wire.exchange(&world, None).await;
        let full = wire
            .exchange(
                &world,
                Some(&Segment::new(5000, 80, ACK, 1001 + 4096, answer.end()).data(b"?")),
            )
            .await;
        assert_eq!(
            (full[0].window, full[0].acknowledgment),
            (0, 1001 + 4096),
            "a full window is told when asked"
        );
        assert_eq!(stream.read(&mut [0; 8192]).await, Ok(4096));
        let update = wire.exchange(&world, None).await;
        assert_eq!((update.len(), update[0].window), (1, 4096));
        // That word was lost: the peer asks.
        let probe = Segment::new(5000, 80, ACK, 1001 + 4095, answer.end());
        let told = wire.exchange(&world, Some(&probe)).await;
        assert_eq!((told[0].window, told[0].acknowledgment), (4096, 1001 + 4096));
    });
}

#[test]
fn tcp_x_06_ephemeral_ports_of_one_peer_say_nothing_about_those_of_another() {
    let world = World::new(65);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let sockets = host.sockets();
        let port = async |wire: &mut Wire, to: u16| {
            let mut connect = Box::pin(TcpStream::connect(&sockets, (PEER, to)));
            assert!(future::poll_once(&mut connect).await.is_none());
            std::iter::from_fn(|| wire.segment())
                .find(|segment| segment.flags & SYN != 0)
                .unwrap()
                .host
        };
        let mut distances = std::collections::BTreeSet::new();
        for to in 1..40 {
            let (one, other) = (port(&mut wire, to).await, port(&mut wire, to + 1).await);
            assert!((32_768..=60_999).contains(&one) && one != 80);
            distances.insert(other.wrapping_sub(one));
        }
        // By chance two of 39 may be equal, not many.
        assert!(distances.len() > 30, "{distances:?}");
    });
}
