//! Tables that everybody shares protect those who behave: floods of every kind beside honest
//! traffic that goes on.

use std::net::Ipv4Addr;
use std::time::Duration;

use network::TcpListener;
use network::command::GetSynCookies;
use network::command::interface::SynCookies;
use world::{Host, World};

use crate::station::{HOST, at};
use crate::wire::{self, ACK, RST, SYN, Segment};

const MILLISECOND: Duration = Duration::from_millis(1);
/// Frames of a flood in a millisecond: 20,000 in a second.
const FLOOD: u32 = 20;

/// SYNs from everywhere, each from another source.
struct SynFlood(u32);

impl SynFlood {
    fn millisecond(&mut self, wire: &mut wire::Wire) {
        for _ in 0..FLOOD {
            self.0 += 1;
            let from = Ipv4Addr::from(0x0b00_0000 + self.0);
            let syn = Segment::new(1024 + (self.0 % 60_000) as u16, 80, SYN, self.0 * 977, 0);
            wire.send_from(&syn, from);
        }
    }

    /// Lets time pass, and gives what goes to the peer.
    async fn pass(
        &mut self,
        world: &World,
        wire: &mut wire::Wire,
        milliseconds: u32,
    ) -> Vec<Segment> {
        let mut heard = Vec::new();
        for _ in 0..milliseconds {
            self.millisecond(wire);
            world.sleep(MILLISECOND).await;
            heard.extend(wire.segments_to(wire::PEER));
        }
        heard
    }
}

/// MSS 1460, SACK, timestamps, window scale 7.
fn offer(value: u32) -> Vec<u8> {
    let timestamps = [&[8, 10][..], &value.to_be_bytes(), &[0; 4]].concat();
    [&[2, 4, 5, 180, 4, 2][..], &timestamps, &[1, 3, 3, 7]].concat()
}

fn timestamps(value: u32, echo: u32) -> Vec<u8> {
    [&[1, 1, 8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat()
}

/// TSval of a segment whose options begin with it, or with an MSS and SACK-permitted.
fn value_of(options: &[u8]) -> u32 {
    let place = options.windows(2).position(|pair| pair == [8, 10]).expect("timestamps") + 2;
    u32::from_be_bytes(options[place..place + 4].try_into().unwrap())
}

#[test]
fn hold_07_a_client_far_away_is_served_beside_a_flood_of_syns() {
    let world = World::new(1);
    let (host, mut wire) = wire::Wire::new(&world);
    let listener = TcpListener::bind(&host.sockets(), at(HOST, 80), 128).unwrap();
    world.run(async {
        let mut flood = SynFlood(0);
        flood.pass(&world, &mut wire, 100).await;
        // Without and with timestamps; the round trip takes 300 ms.
        for (port, has_timestamps) in [(5000, false), (5001, true)] {
            let mut syn = Segment::new(port, 80, SYN, 1000, 0);
            syn.options = if has_timestamps { offer(77) } else { vec![2, 4, 5, 180] };
            wire.send(&syn);
            let answers = flood.pass(&world, &mut wire, 300).await;
            let [answer] = answers.as_slice() else { panic!("one SYN|ACK, not {answers:?}") };
            assert_eq!((answer.flags, answer.acknowledgment), (SYN | ACK, 1001));
            let theirs = answer.sequence.wrapping_add(1);
            // The data comes in the segment that completes the handshake.
            let mut request = Segment::new(port, 80, ACK, 1001, theirs).data(b"question");
            if has_timestamps {
                assert!(answer.options.windows(3).any(|option| option[..2] == [3, 3]), "scale");
                assert!(answer.options.windows(2).any(|option| option == [4, 2]), "SACK");
                request.options = timestamps(377, value_of(&answer.options));
                request.window = 1000;
            }
            wire.send(&request);
            let before = flood.pass(&world, &mut wire, 20).await;
            assert!(before.iter().all(|segment| segment.flags & RST == 0), "{before:?}");
            let stream = listener.accept().await.unwrap();
            let mut buffer = [0; 20];
            assert_eq!(stream.read(&mut buffer).await, Ok(8));
            assert_eq!(&buffer[..8], b"question");
            stream.try_write(&[7; 40_000]).unwrap();
            let sent = flood.pass(&world, &mut wire, 10).await;
            let sent: Vec<_> = sent.iter().filter(|segment| !segment.data.is_empty()).collect();
            // The initial window: ten segments, of the MSS less the option.
            assert_eq!(sent.first().unwrap().data.len(), if has_timestamps { 1448 } else { 1460 });
            if has_timestamps {
                // The window was scaled: 1000 << 7.
                assert_eq!(sent.len(), 10);
                let (first, syn) = (value_of(&sent[0].options), value_of(&answer.options));
                assert!(first.wrapping_sub(syn) < 1000, "timestamps go on");
            }
            drop(stream);
            flood.pass(&world, &mut wire, 10).await;
        }
    });
}

fn cookies(host: &Host) -> SynCookies {
    host.control::<GetSynCookies>("eth0", &()).unwrap()
}

#[test]
fn hold_07_cookies_come_without_room_only_and_forged_ones_get_their_rst() {
    let world = World::new(2);
    let (host, mut wire) = wire::Wire::new(&world);
    let _listener = TcpListener::bind(&host.sockets(), at(HOST, 80), 16).unwrap();
    world.run(async {
        let mut flood = SynFlood(0);
        for round in 0..2 {
            for sequence in 0..1000 {
                wire.send(&Segment::new(6000, 80, ACK, 1000, sequence * 7919));
                world.sleep(MILLISECOND).await;
                let answers = wire.segments_to(wire::PEER);
                let flags: Vec<u8> = answers.iter().map(|answer| answer.flags).collect();
                assert_eq!(flags, [RST], "round {round}");
            }
            let expected = SynCookies { sent: round * 2000, received: 0, failed: round * 1000 };
            // The first ones found room.
            let known = SynCookies { sent: expected.sent.saturating_sub(256), ..expected };
            assert_eq!(cookies(&host), known);
            flood.pass(&world, &mut wire, if round == 0 { 100 } else { 0 }).await;
        }
    });
}

#[test]
fn hold_07_a_cookie_waits_for_a_full_accept_queue_and_ends_after_two_minutes() {
    let world = World::new(13);
    let (host, mut wire) = wire::Wire::new(&world);
    let listener = TcpListener::bind(&host.sockets(), at(HOST, 80), 1).unwrap();
    world.run(async {
        let mut flood = SynFlood(0);
        flood.pass(&world, &mut wire, 100).await;
        let mut theirs = Vec::new();
        for port in 5000..5003 {
            wire.send(&Segment::new(port, 80, SYN, 1000, 0));
            let answers = flood.pass(&world, &mut wire, 1).await;
            theirs.push(answers[0].sequence.wrapping_add(1));
        }
        let data = |place: u16| {
            Segment::new(5000 + place, 80, ACK, 1001, theirs[usize::from(place)]).data(b"hello")
        };
        // The second is neither taken nor refused.
        for place in [0, 1] {
            wire.send(&data(place));
            let answers = flood.pass(&world, &mut wire, 300).await;
            assert!(answers.iter().all(|answer| answer.flags & RST == 0), "{answers:?}");
            assert_eq!(answers.is_empty(), place == 1);
        }
        listener.accept().await.unwrap();
        wire.send(&data(1));
        flood.pass(&world, &mut wire, 1).await;
        let stream = listener.accept().await.unwrap();
        assert_eq!(stream.remote_address().port(), 5001);
        assert_eq!(cookies(&host).received, 3);
        // The floods of the last minutes made others of the same age.
        for _ in 0..120 {
            flood.pass(&world, &mut wire, 1).await;
            world.sleep(Duration::from_secs(1)).await;
            wire.segments_to(wire::PEER);
        }
        flood.pass(&world, &mut wire, 20).await;
        wire.send(&data(2));
        let answers = flood.pass(&world, &mut wire, 1).await;
        assert_eq!(answers.iter().map(|answer| answer.flags).collect::<Vec<_>>(), [RST]);
    });
}
