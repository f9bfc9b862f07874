//! A sender and a [`Receiver`] over a path that loses, duplicates and delays packets, driven by a
//! random seed.

use super::*;
use crate::stack::tcp::receive::{AckDue, Receiver};

/// A small generator (Knuth).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A packet in flight.
enum Packet {
    Data(u32, Vec<u8>, bool),
    Segment(Segment, Blocks),
}

struct Path {
    random: Random,
    /// Percent.
    loss: u64,
    /// The largest additional delay in milliseconds: segments are reordered.
    jitter: u64,
    packets: Vec<(Instant, Packet)>,
}

impl Path {
    fn put(&mut self, now: Instant, packet: impl Fn() -> Packet) {
        let copies = if self.random.below(100) < 2 { 2 } else { 1 };
        for _ in 0..copies {
            if self.random.below(100) >= self.loss {
                let delay =
                    Duration::from_micros(20_000 + self.random.below(1000 * self.jitter + 1));
                self.packets.push((now.after(delay), packet()));
            }
        }
    }

    fn next(&self) -> Instant {
        self.packets.iter().map(|(at, _)| *at).min().unwrap_or(Instant::NEVER)
    }

    fn take(&mut self, now: Instant) -> Option<Packet> {
        let place = self.packets.iter().position(|(at, _)| *at <= now)?;
        Some(self.packets.remove(place).1)
    }
}

/// The receiving end.
struct Peer {
    receiver: Receiver,
    sack: bool,
    received: Vec<u8>,
    is_over: bool,
}

impl Peer {
    /// Delivers packets to both ends.
    fn deliver(&mut self, path: &mut Path, script: &mut Script) {
        let now = script.now;
        while let Some(packet) = path.take(now) {
            match packet {
                Packet::Data(sequence, data, fin) => {
                    self.is_over |= self.receiver.receive(sequence, &data, fin, now).has_fin;
                    self.acknowledge_if_due(path, now);
                }
                Packet::Segment(segment, blocks) => {
                    let number = segment.acknowledgment.unwrap();
                    if !before(number, script.sender.snd_una) {
                        script.sender.acknowledge(
                            &Acknowledgment {
                                segment: &segment,
                                number,
                                blocks: &blocks,
                                echo: None,
                                is_overtaken: false,
                                may_grow: true,
                            },
                            now,
                        );
                        script.check();
                    }
                }
            }
        }
    }

    /// The program reads in pieces, at random.
    fn read(&mut self, path: &mut Path, now: Instant) {
        if path.random.below(3) == 0 {
            let mut piece = [0; 3000];
            let count = self.receiver.read(&mut piece, false);
            self.receiver.autotune(now, milliseconds(40));
            self.received.extend_from_slice(&piece[..count]);
            if self.receiver.is_window_update_due(1000) {
                self.receiver.ack_now();
            }
        }
        self.acknowledge_if_due(path, now);
    }

    fn due(&self, now: Instant) -> Instant {
        match self.receiver.ack_due() {
            AckDue::At(at) => at,
            AckDue::Now => now,
            AckDue::Never => Instant::NEVER,
        }
    }

    fn acknowledge_if_due(&mut self, path: &mut Path, now: Instant) {
        if self.due(now) > now {
            return;
        }
        let blocks = if self.sack { self.receiver.sack_blocks() } else { Blocks::default() };
        let window = self.receiver.advertise(1000);
        let acknowledgment = Some(self.receiver.rcv_nxt());
        let segment = Segment { sequence: 501, acknowledgment, window, ..Segment::default() };
        path.put(now, || Packet::Segment(segment, blocks));
    }
}

/// Puts everything on the path that may leave.
fn send(initial: u64, script: &mut Script, peer: &mut Peer, path: &mut Path, data: &[u8]) {
    let now = script.now;
    if script.sender.expire(now).window_probe {
        // The peer answers a segment before its window.
        peer.receiver.ack_now();
    }
    while let Some(plan) = script.sender.plan(now) {
        let mut bytes = alloc::vec![0; plan.length as usize];
        script.sender.copy(plan.sequence, &mut bytes);
        let place = plan.sequence.wrapping_sub(script.first) as usize;
        assert!(bytes == data[place..place + bytes.len()], "initial {initial}");
        let end = plan.sequence.wrapping_add(plan.length);
        assert!(!before(peer.receiver.rcv_wnd_end(), end), "initial {initial}: beyond the edge");
        script.sender.sent(&plan, now);
        script.check();
        path.put(now, || Packet::Data(plan.sequence, bytes.clone(), plan.fin));
    }
}

/// Sends data and a FIN over a path with this seed.
fn transfer(initial: u64, algorithm: CongestionControl) {
    let mut random = Random(initial);
    let (loss, jitter) = (random.below(16), random.below(4) * 8);
    let sack = random.below(4) > 0;
    let first = BEGINNINGS[random.below(3) as usize];
    let buffer = [2048, 20_000, 200_000][random.below(3) as usize];
    let length = 60_000 + random.below(60_000) as usize;
    let data: Vec<u8> =
        (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 11) as u8).collect();

    let mut script = Script::with(first, sack, buffer.min(65_535) as u16, Some(milliseconds(40)));
    script.sender.congestion = Congestion::new(algorithm);
    script.sender.mss = 0;
    script.sender.set_mss(1000);
    script.sender.send_window.snd_wnd_shift = 2;
    let mut receiver = Receiver::new(buffer, buffer);
    receiver.begin(first, 2, script.now);
    let mut peer = Peer { receiver, sack, received: Vec::new(), is_over: false };
    let mut path = Path { random, loss, jitter, packets: Vec::new() };
    let mut written = 0;
    while !(peer.is_over && script.sender.is_done() && peer.receiver.readable() == 0) {
        peer.deliver(&mut path, &mut script);
        peer.read(&mut path, script.now);
        written += script.sender.write(&data[written..]);
        if written == data.len() && !script.sender.is_closing() {
            script.sender.end();
        }
        send(initial, &mut script, &mut peer, &mut path, &data);
        let now = script.now;
        let reads =
            if peer.receiver.readable() > 0 { now.after(milliseconds(5)) } else { Instant::NEVER };
        let next = path.next().min(script.sender.deadline()).min(peer.due(now)).min(reads);
        let is_done = peer.is_over && script.sender.is_done();
        assert!(
            next != Instant::NEVER || is_done,
            "initial {initial}: everybody waits: {:#?}",
            script.sender
        );
        script.now = if next == Instant::NEVER { now } else { now.max(next) };
        let elapsed = script.now.since(script.start);
        assert!(
            elapsed < Duration::from_secs(1200),
            "initial {initial}: too slow, {} update",
            peer.received.len()
        );
    }
    assert!(peer.received == data, "initial {initial}");
    assert_eq!(script.sender.counters().acknowledged, data.len() as u64);
}

#[test]
fn everything_arrives_over_any_path() {
    let algorithms = [CongestionControl::Cubic, CongestionControl::NewReno, CongestionControl::Bbr];
    for (initial, algorithm) in (0..240).zip(algorithms.into_iter().cycle()) {
        transfer(initial, algorithm);
    }
}
