//! The fuzzer is the peer of one connection of ours, from the handshake to long after its end.
//!
//! What the host may have received and what it sends are checked after every packet against models
//! that know nothing of our code.
//!
//! | file | owns |
//! |---|---|
//! | `segment` | segments as bytes |
//! | `offered` | model: what the host may have received; checks ACKs, windows, SACK, reads |
//! | `sent` | model: what the host may send; checks its data |
//! | `peer` | the next move of the peer |
//! | `program` | what our program does meanwhile |
//! | `rig` | the host, the wire, time |
//! | `handshake` | the first packets, of both kinds of opening |
//! | here | one connection's life |
//!
//! `FUZZ_TRACE=1` prints every packet.

mod handshake;
mod offered;
mod peer;
mod program;
mod rig;
mod segment;
mod sent;

use std::time::Duration;

use devnet_network::platform::Instant;
use world::SeededEntropy;

use self::offered::Offered;
use self::peer::{Harm, Move, Peer, Temper};
use self::program::Program;
use self::rig::Rig;
use self::segment::{HOST, PEER, Ports, RST, SYN, Segment, icmp, ipv4};
use self::sent::Sent;
use crate::classifier::Dice;
use crate::memory;

/// After so long nothing of a connection may be left: its data is given up after 15 minutes, other
/// things sooner.
const OVER: Duration = Duration::from_secs(20 * 60);
/// Rounds in which a fair peer gets everything delivered, each longer than the last.
const ROUNDS: u32 = 3000;
/// Bytes that the models may hold, and packets under way and past.
const MODELS: isize = 8 * 1024 * 1024;
/// Bytes that may stay with the host for later: four pools of frames, of the host, its port and
/// both ends of the cable.
const SLACK: isize = 3 * 1024 * 1024;

/// The fuzz target.
pub(crate) fn tcp(entropy: &SeededEntropy, inputs: u32) {
    let dice = Dice(entropy);
    let mut left = inputs;
    while left > 0 {
        let moves = (40 + dice.below(160) as u32).min(left);
        left -= moves;
        let before = memory::held();
        connection(&dice, moves);
        let leaked = memory::held() - before;
        assert!(leaked < 4096, "{leaked} bytes are left of a whole host");
    }
}

/// One connection, its models, and everybody around it.
struct Play<'a> {
    dice: &'a Dice<'a>,
    rig: Rig,
    ports: Ports,
    program: Program,
    peer: Peer,
    offered: Offered,
    sent: Sent,
    /// The host's window scale, as agreed.
    scale: u8,
    /// The host's packets, for ICMP to quote.
    quotable: Vec<Vec<u8>>,
    /// The host sent a reset, or began anew.
    is_over: bool,
    is_traced: bool,
    /// Bytes held before the connection, and how many more it may hold.
    memory: (isize, isize),
    /// What the idle host waited for.
    idle: Option<Instant>,
}

fn connection(dice: &Dice<'_>, moves: u32) {
    let Some(mut play) = handshake::open(dice) else { return };
    let temper = play.peer.temper;
    for _ in 0..moves {
        let next = play.peer.play(dice, &play.offered, &play.sent);
        play.send(&next);
        if temper == Temper::Wild && dice.below(12) == 0 {
            play.send_icmp();
        }
        play.program.act(dice, temper, &mut play.offered, &mut play.sent);
        play.rig.poll();
        play.collect();
        let milliseconds = dice.one(&[0, 0, 0, 0, 1, 10, 50, 250, 1000]);
        let silence =
            if temper == Temper::Wild && dice.below(50) == 0 { dice.below(100_000) } else { 0 };
        play.pass(Duration::from_millis(milliseconds + silence));
        if play.is_over {
            break;
        }
    }
    if temper != Temper::Wild {
        play.settle();
    }
    if temper == Temper::Fair {
        play.finish();
    }
    play.close();
}

impl Play<'_> {
    fn trace(&self, who: &str, what: &dyn std::fmt::Display) {
        if self.is_traced {
            println!("{:>12} {who} {what}", self.rig.now.as_micros());
        }
    }

    /// Shows a segment by positions.
    fn show(&self, segment: &Segment, is_host: bool) -> String {
        let (first, second) = if is_host {
            (self.sent.position(segment.sequence), self.offered.position(segment.acknowledgment))
        } else {
            (self.offered.position(segment.sequence), self.sent.position(segment.acknowledgment))
        };
        let letters =
            b"FSRPAUEC".iter().enumerate().filter(|(bit, _)| segment.flags >> bit & 1 == 1);
        let flags: String = letters.map(|(_, letter)| char::from(*letter)).collect();
        let (length, window, options) = (segment.data.len(), segment.window, &segment.options);
        format!(
            "{flags} {first}+{length} acknowledges {second} window {window} options {options:02x?}"
        )
    }

    /// Tells the models of a segment and puts it on the wire.
    fn send(&mut self, next: &Move) {
        let Move { segment, version, harm } = next;
        if self.is_traced {
            self.trace(
                "peer:",
                &format!("{} version {version} {harm:?}", self.show(segment, false)),
            );
        }
        // What the host acknowledges and sends in one go is looked at before the next segment, so
        // these are the present.
        if *harm == Harm::None && self.sent.is_possible(segment) {
            if segment.has(segment::ACK) && !segment.has(RST | SYN) && self.is_acceptable(segment) {
                self.sent.offer(segment, self.peer.scale);
            }
            self.offered.offer(segment, *version);
        } else if *harm == Harm::None && segment.has(RST) {
            // A reset's acknowledgment does not matter once the connection is open (RFC 9293
            // §3.10.7.4, second).
            self.offered.offer(segment, *version);
        }
        let mut bytes = segment.bytes(self.ports);
        match harm {
            Harm::None => {}
            Harm::Checksum => bytes[16] ^= 0x55,
            Harm::HeaderLength(words) => {
                bytes[12] = words << 4 | bytes[12] & 15;
                segment::repair(&mut bytes);
            }
            // The checksum covers what is missing; where it is right by accident, nobody could
            // tell.
            Harm::Cut(count) => {
                bytes.truncate(bytes.len() - (*count).min(bytes.len()));
                if segment::is_right(&bytes) {
                    bytes[16] ^= 0x55;
                }
            }
        }
        self.rig.send(&ipv4(6, &bytes));
        self.collect();
    }

    fn is_acceptable(&self, segment: &Segment) -> bool {
        self.offered.is_acceptable(segment)
    }

    /// Sends an ICMP error about something that the host sent, or claims to have.
    fn send_icmp(&mut self) {
        let Some(last) = self.quotable.len().checked_sub(1) else { return };
        let mut quoted =
            self.quotable[last - self.dice.below(last.min(8) as u64 + 1) as usize].clone();
        if self.dice.below(4) == 0 {
            quoted[24 + self.dice.below(4) as usize] ^= self.dice.0.next() as u8;
        }
        quoted.truncate(self.dice.one(&[20, 24, 28, 40, 576]));
        let kind = self.dice.one(&[3, 3, 3, 4, 5, 11, 12]);
        let code = self.dice.one(&[0, 1, 2, 3, 4, 4, 4, 5, 13]);
        let [high, low] =
            self.dice.one(&[0u16, 67, 68, 296, 576, 1280, 1499, 65_535]).to_be_bytes();
        if self.is_traced {
            self.trace(
                "peer:",
                &format!("ICMP {kind} {code} {high:02x}{low:02x} quoting {}", quoted.len()),
            );
        }
        self.rig.send(&icmp(kind, code, [0, 0, high, low], &quoted));
        self.collect();
    }

    /// Checks what the host sent; tells how many packets.
    fn collect(&mut self) -> usize {
        let packets = self.rig.sent();
        let count = packets.len();
        for packet in packets {
            let Some((ports, segment)) = Segment::read(&packet) else { continue };
            assert_eq!(ports, self.ports, "somebody else's ports");
            if self.is_traced {
                self.trace("host:", &self.show(&segment, true));
            }
            if segment.has(RST) {
                assert!(
                    self.peer.temper == Temper::Wild || !self.may_live(),
                    "a reset for a peer that did nothing wrong"
                );
                continue;
            }
            if segment.has(SYN) {
                // Another connection on the same ports: the first one is over.
                self.is_over |= self.sent.position(segment.sequence) != -1;
                continue;
            }
            if self.is_over {
                continue;
            }
            self.offered.check(&segment, self.scale, self.peer.may_sack);
            self.sent.check(&segment);
            self.quotable.push(packet);
        }
        let more = memory::held() - self.memory.0;
        let most = self.memory.1 + MODELS;
        assert!(more < most, "{more} bytes are held, {most} would be much");
        count
    }

    /// The program still wants the connection.
    fn may_live(&self) -> bool {
        self.program.stream.is_some() && self.program.error.is_none() && !self.offered.is_shut
    }

    /// Lets the peer be silent; what the host says meanwhile is bounded.
    fn pass(&mut self, time: Duration) {
        let most = (self.sent.segments() + 8) * (4 + time.as_secs() as usize);
        self.rig.pass(time);
        let count = self.collect();
        assert!(count <= most, "{count} packets in {time:?} of silence, {most} would be much");
    }

    /// When all is quiet the program can read exactly what was acknowledged.
    fn settle(&mut self) {
        self.pass(Duration::from_secs(1));
        while self.program.read(8192, &mut self.offered) {}
        if self.may_live() && !self.offered.may_reset {
            assert!(
                self.offered.is_read(),
                "not everything that was acknowledged can be read: {}",
                self.offered
            );
        }
    }

    /// From now on every packet arrives: everything must come to its end.
    fn finish(&mut self) {
        for round in 0..ROUNDS {
            self.program.claim();
            if round == 10 {
                self.program.shut_down(&mut self.sent);
            }
            let next = self.peer.finish(&self.offered, &self.sent);
            self.send(&next);
            while self.program.read(8192, &mut self.offered) {}
            assert!(
                self.program.error.is_none(),
                "a fair connection ended with {:?}",
                self.program.error
            );
            self.rig.poll();
            self.collect();
            if self.peer.is_over(&self.offered)
                && self.sent.is_shut
                && self.sent.is_over()
                && self.offered.is_ended
            {
                return;
            }
            // Most rounds take no time; a host that waits for a timer gets it.
            self.pass(Duration::from_millis(if round % 20 == 19 { 1000 } else { 1 }));
        }
        panic!("a fair peer waits forever: {}, {:?}", self.offered, self.sent);
    }

    /// Everybody leaves, the peer without a word. Nothing stays behind.
    fn close(&mut self) {
        self.trace("end:", &format!("{:?} {:?}", self.program.error, self.rig.sockets()));
        self.program.end(&mut self.offered, &mut self.sent);
        self.pass(OVER);
        let sockets = self.rig.sockets();
        assert!(sockets.is_empty(), "still there after {OVER:?}: {sockets:?}");
        assert_eq!(self.rig.core.next_deadline(), self.idle, "a timer is left");
        (self.peer, self.offered) = (Peer::new(self.peer.temper, 0), Offered::new(0, 0));
        self.quotable = Vec::new();
        let held = memory::held() - self.memory.0;
        assert!(held < SLACK, "{held} bytes are held for nothing");
    }
}

/// Both ends.
fn ends() -> (std::net::SocketAddr, std::net::SocketAddr) {
    ((HOST, 80).into(), (PEER, 8080).into())
}
