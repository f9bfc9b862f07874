//! What segments can do to a small stack once a connection is open, told by packets: receiving,
//! sending, security, windows.

use std::time::Duration;

use devnet_network::command::SetOption;
use devnet_network::command::socket::SocketOption;
use devnet_network::{TcpListener, TcpSettings, TcpStream};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::{Host, World};

use crate::pair::pattern;
use crate::station::icmp;
use crate::wire::{ACK, FIN, HOST, PEER, RST, SYN, Segment, Wire, ipv4};

/// A connection of the wire to a listener with these settings; gives the stream and the numbers
/// (ours, theirs).
pub(crate) async fn accepted(
    world: &World,
    host: &Host,
    wire: &mut Wire,
    settings: TcpSettings,
    syn: &Segment,
) -> (TcpStream, Segment) {
    let listener = TcpListener::bind_with(&host.sockets(), (HOST, 80).into(), 4, settings).unwrap();
    let answer = wire.exchange(world, Some(syn)).await.remove(0);
    let mut acknowledge = Segment::new(syn.peer, 80, ACK, syn.end(), answer.end());
    acknowledge.window = syn.window;
    wire.exchange(world, Some(&acknowledge)).await;
    (listener.accept().await.unwrap(), answer)
}

fn read_all(stream: &TcpStream) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 65_536]);
    while let Ok(taken @ 1..) = stream.try_read(&mut buffer) {
        all.extend_from_slice(&buffer[..taken]);
    }
    all
}

#[test]
fn tcp_r_01_nothing_beyond_the_advertised_edge_is_taken() {
    let world = World::new(1);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        // The window of a SYN|ACK counts unscaled, whatever the buffer holds.
        let settings = TcpSettings::default().receive_buffer(Some(100_000));
        let mut syn = Segment::new(5000, 80, SYN, 1000, 0);
        syn.options = vec![2, 4, 5, 180, 3, 3, 7, 0];
        let (stream, answer) = accepted(&world, &host, &mut wire, settings, &syn).await;
        assert_eq!(answer.window, 65_535);
        let data = pattern(150_000);
        let piece = |from: usize, to: usize| {
            Segment::new(5000, 80, ACK, 1001 + from as u32, answer.end()).data(&data[from..to])
        };
        // Beyond the edge, and beyond the buffer; across the edge; then what lies before.
        for (from, to) in [(65_000, 66_400), (99_900, 101_300), (120_000, 121_000)] {
            wire.exchange(&world, Some(&piece(from, to))).await;
        }
        let mut last = 0;
        for from in (0..65_000).step_by(1000) {
            for sent in wire.exchange(&world, Some(&piece(from, from + 1000))).await {
                last = sent.acknowledgment;
            }
        }
        world.sleep(Duration::from_millis(50)).await;
        for sent in wire.exchange(&world, None).await {
            last = sent.acknowledgment;
        }
        let received = read_all(&stream);
        assert!(data.starts_with(&received), "never bytes that were not received in order");
        assert_eq!((received.len(), last), (65_535, 1001 + 65_535));
    });
}

#[test]
fn tcp_r_02_a_fin_behind_the_edge_does_not_count() {
    let world = World::new(2);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let settings = TcpSettings::default().receive_buffer(Some(2048));
        let syn = Segment::new(5000, 80, SYN, 1000, 0);
        let (stream, answer) = accepted(&world, &host, &mut wire, settings, &syn).await;
        let data = pattern(2600);
        wire.exchange(
            &world,
            Some(&Segment::new(5000, 80, ACK, 1001, answer.end()).data(&data[..1300])),
        )
        .await;
        let segment = Segment::new(5000, 80, FIN | ACK, 2301, answer.end()).data(&data[1300..]);
        let sent = wire.exchange(&world, Some(&segment)).await;
        assert!(sent.iter().all(|segment| segment.acknowledgment == 1001 + 2048), "{sent:?}");
        assert!(read_all(&stream) == data[..2048]);
        assert_eq!(stream.try_read(&mut [0; 4]), Err(Error::WouldBlock), "not the end yet");
        wire.exchange(&world, None).await;
        let rest = Segment::new(5000, 80, FIN | ACK, 1001 + 2048, answer.end()).data(&data[2048..]);
        wire.exchange(&world, Some(&rest)).await;
        assert!(read_all(&stream) == data[2048..]);
        assert_eq!(stream.try_read(&mut [0; 4]), Ok(0));
    });
}

#[test]
fn tcp_s_01_what_was_never_sent_cannot_be_acknowledged() {
    let world = World::new(3);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let mut syn = Segment::new(5000, 80, SYN, 1000, 0);
        syn.window = 100;
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn).await;
        let (theirs, data) = (answer.end(), pattern(1000));
        stream.write_all(&data).await.unwrap();
        let sent = wire.exchange(&world, None).await;
        let mut received: Vec<u8> = sent.iter().flat_map(|segment| segment.data.clone()).collect();
        assert_eq!(received.len(), 100);
        for beyond in [101, 500, 1000, 1001, 100_000] {
            let forged = Segment::new(5000, 80, ACK, 1001, theirs.wrapping_add(beyond));
            let sent = wire.exchange(&world, Some(&forged)).await;
            assert!(
                sent.iter().all(
                    |answer| answer.flags == ACK && answer.sequence == theirs.wrapping_add(100)
                )
            );
        }
        while received.len() < data.len() {
            let next = theirs.wrapping_add(received.len() as u32);
            for segment in
                wire.exchange(&world, Some(&Segment::new(5000, 80, ACK, 1001, next))).await
            {
                assert_eq!(segment.sequence, theirs.wrapping_add(received.len() as u32));
                received.extend(segment.data);
            }
        }
        assert!(received == data, "no hole");
    });
}

#[test]
fn tcp_s_02_a_reset_after_a_timeout_carries_the_highest_number() {
    let world = World::new(4);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let syn = Segment::new(5000, 80, SYN, 1000, 0);
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn).await;
        stream.write_all(&pattern(3000)).await.unwrap();
        let sent = wire.exchange(&world, None).await;
        let highest = sent.iter().map(Segment::end).max().unwrap();
        assert_eq!(highest, answer.end().wrapping_add(3000));
        // The window closes before the timeout, so that nothing of the rewound data leaves again.
        let mut closed = Segment::new(5000, 80, ACK, 1001, answer.end());
        closed.window = 0;
        wire.exchange(&world, Some(&closed)).await;
        world.sleep(Duration::from_millis(2500)).await;
        wire.exchange(&world, None).await;
        stream.abort();
        let sent = wire.exchange(&world, None).await;
        let resets: Vec<_> = sent.iter().filter(|segment| segment.flags & RST != 0).collect();
        assert!(resets.len() == 1 && resets[0].sequence == highest, "{sent:?}");
    });
}

/// RFC 6528: a clock of 4 µs plus a keyed hash of the tuple.
#[test]
fn tcp_x_01_first_numbers_follow_the_clock_for_one_tuple_and_nothing_for_others() {
    let world = World::new(5);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let sockets = host.sockets();
        let first = async |wire: &mut Wire, port: u16| {
            let settings = TcpSettings::default();
            let local = Some((HOST, port).into());
            let mut connect =
                Box::pin(TcpStream::connect_with(&sockets, local, (PEER, 80), &settings));
            assert!(future::poll_once(&mut connect).await.is_none());
            drop(connect);
            std::iter::from_fn(|| wire.segment())
                .find(|segment| segment.flags == SYN)
                .unwrap()
                .sequence
        };
        let one = first(&mut wire, 4000).await;
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!(first(&mut wire, 4000).await.wrapping_sub(one), 250_000);
        let mut differences = Vec::new();
        let mut former = first(&mut wire, 4001).await;
        for port in 4002..4034 {
            let next = first(&mut wire, port).await;
            differences.push(next.wrapping_sub(former));
            former = next;
        }
        differences.sort_unstable();
        differences.dedup();
        assert_eq!(differences.len(), 32);
        assert!(
            differences
                .iter()
                .filter(|step| **step < 1 << 24 || **step > u32::MAX - (1 << 24))
                .count()
                < 8
        );
        // Whoever answers has such numbers too.
        let _listener = TcpListener::bind(&sockets, (HOST, 80).into(), 64).unwrap();
        let mut numbers = Vec::new();
        for _ in 0..2 {
            let sent = wire.exchange(&world, Some(&Segment::new(5000, 80, SYN, 1, 0))).await;
            let answer = sent.iter().find(|segment| segment.flags == SYN | ACK).unwrap();
            numbers.push((answer.sequence, world.now()));
            wire.exchange(&world, Some(&Segment::new(5000, 80, RST, 2, 0))).await;
            world.sleep(Duration::from_secs(3)).await;
        }
        let ticks = numbers[1].1.since(numbers[0].1).as_micros() as u32 / 4;
        assert_eq!(numbers[1].0.wrapping_sub(numbers[0].0), ticks);
    });
}

#[test]
fn tcp_x_02_a_syn_in_an_open_connection_earns_one_challenge() {
    let world = World::new(6);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let syn = Segment::new(5000, 80, SYN, 1000, 0);
        let (stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn).await;
        for (flags, sequence) in
            [(SYN, 1001), (SYN, 77), (SYN | ACK, 1001), (SYN | ACK, 500_000), (SYN, 1000)]
        {
            let sent = wire
                .exchange(&world, Some(&Segment::new(5000, 80, flags, sequence, answer.end())))
                .await;
            let [challenge] = sent.as_slice() else { panic!("one answer, not {sent:?}") };
            assert_eq!(
                (challenge.flags, challenge.sequence, challenge.acknowledgment),
                (ACK, answer.end(), 1001)
            );
            world.sleep(Duration::from_secs(1)).await;
        }
        // A peer that started anew answers the challenge with a reset that fits, and may come back.
        wire.exchange(&world, Some(&Segment::new(5000, 80, RST, 1001, 0))).await;
        assert_eq!(stream.try_read(&mut [0; 4]), Err(Error::ConnectionReset));
    });
}

#[test]
fn tcp_x_03_challenges_are_counted_by_each_connection() {
    let world = World::new(7);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let listener = TcpListener::bind(&host.sockets(), (HOST, 80).into(), 4).unwrap();
        wire.open(&world, 5000, 80).await;
        wire.open(&world, 5001, 80).await;
        world.sleep(Duration::from_secs(2)).await;
        let mut challenges = Vec::new();
        for port in [5000, 5001] {
            let mut count = 0;
            for _ in 0..100 {
                count +=
                    wire.exchange(&world, Some(&Segment::new(port, 80, SYN, 1, 0))).await.len();
            }
            challenges.push(count);
        }
        // What one connection used up is no news about another.
        assert_eq!(challenges, [2, 2]);
        drop(listener);
    });
}

#[test]
fn tcp_x_05_an_icmp_error_must_quote_what_is_under_way() {
    let world = World::new(8);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let settings = TcpSettings::default().user_timeout(2000);
        let cases =
            [(0, Error::HostUnreachable), (9, Error::HostUnreachable), (10, Error::TimedOut)];
        for (port, (offset, error)) in (5000..).zip(cases) {
            let syn = Segment::new(port, 80, SYN, 1000, 0);
            let (stream, answer) = accepted(&world, &host, &mut wire, settings, &syn).await;
            stream.write_all(&[7; 10]).await.unwrap();
            wire.exchange(&world, None).await;
            let mut quote = vec![0x45, 0, 0, 50, 0, 1, 0x40, 0, 64, 6, 0, 0];
            quote.extend(HOST.octets());
            quote.extend(PEER.octets());
            quote.extend(80u16.to_be_bytes());
            quote.extend(port.to_be_bytes());
            quote.extend(answer.end().wrapping_add(offset).to_be_bytes());
            wire.put(&ipv4(PEER, HOST, 1, &icmp(3, 1, [0; 4], &quote)));
            assert_eq!(stream.read(&mut [0; 4]).await, Err(error), "offset {offset}");
            wire.exchange(&world, None).await;
        }
    });
}

#[test]
fn tcp_w_02_tcp_w_03_buffers_are_kept_within_what_sequence_numbers_can_count() {
    let world = World::new(9);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let huge =
            TcpSettings::default().receive_buffer(Some(usize::MAX)).send_buffer(Some(usize::MAX));
        let mut syn = Segment::new(5000, 80, SYN, 1000, 0);
        syn.options = vec![2, 4, 5, 180, 3, 3, 255, 0];
        let (stream, answer) = accepted(&world, &host, &mut wire, huge, &syn).await;
        let place = answer.options.windows(2).position(|option| option == [3, 3]).unwrap();
        let shift = answer.options[place + 2];
        assert!(65_535 << shift >= devnet_network::limits::TCP_BUFFER_MAXIMUM / 2);
        assert!(shift <= 14);
        let mut taken = 0;
        while let Ok(count) = stream.try_write(&[0; 1 << 20]) {
            taken += count;
        }
        assert!(taken <= devnet_network::limits::TCP_BUFFER_MAXIMUM);
        let file = host.open("sockets");
        host.write(&file, "socket tcp").unwrap();
        for option in [SocketOption::ReceiveBuffer(1 << 30), SocketOption::SendBuffer(u32::MAX)] {
            assert_eq!(file.try_control::<SetOption>(&option), Err(Error::InvalidInput));
        }
    });
}

#[test]
fn tcp_w_04_acknowledgments_are_not_delayed_for_half_a_second() {
    let world = World::new(10);
    let (host, mut wire) = Wire::new(&world);
    world.run(async {
        let syn = Segment::new(5000, 80, SYN, 1000, 0);
        let (_stream, answer) =
            accepted(&world, &host, &mut wire, TcpSettings::default(), &syn).await;
        wire.send(&Segment::new(5000, 80, ACK, 1001, answer.end()).data(b"x"));
        world.sleep(Duration::from_millis(499)).await;
        assert_eq!(wire.segment().map(|segment| segment.acknowledgment), Some(1002));
    });
}
