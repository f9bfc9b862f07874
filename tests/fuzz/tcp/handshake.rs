//! The first packets: the host listens or connects, the peer offers what it likes.

use std::time::Duration;

use super::offered::Offered;
use super::peer::{Peer, Temper};
use super::program::{Program, settings};
use super::rig::Rig;
use super::segment::{ACK, Ports, RST, SYN, Segment, ipv4};
use super::sent::Sent;
use super::{Play, SLACK, ends};
use crate::classifier::Dice;
use crate::memory;

/// Data in a segment when nothing was said (RFC 9293 §3.7.1), and what our link takes.
const SEGMENT: (u16, u16) = (536, 1460);

/// What a SYN says.
#[derive(Clone, Copy, Default, Debug)]
struct Terms {
    segment: Option<u16>,
    scale: Option<u8>,
    may_sack: bool,
}

impl Terms {
    fn draw(dice: &Dice<'_>) -> Self {
        // More than 14 counts as 14 (RFC 7323 §2.3).
        let largest = dice.one(&[Some(15), Some(255)]);
        // Less than every stack's least counts as that, or as nothing (RFC 9293 §3.7.1).
        let least = dice.one(&[Some(0), Some(1)]);
        Self {
            segment: dice.one(&[
                None,
                Some(1460),
                Some(1460),
                Some(536),
                Some(88),
                Some(1400),
                Some(9000),
                least,
            ]),
            scale: dice.one(&[None, Some(0), Some(2), Some(7), Some(7), Some(14), largest]),
            may_sack: dice.below(4) > 0,
        }
    }

    fn options(&self) -> Vec<u8> {
        let mut options = Vec::new();
        if let Some([high, low]) = self.segment.map(u16::to_be_bytes) {
            options.extend_from_slice(&[2, 4, high, low]);
        }
        if let Some(scale) = self.scale {
            options.extend_from_slice(&[1, 3, 3, scale]);
        }
        if self.may_sack {
            options.extend_from_slice(&[1, 1, 4, 2]);
        }
        options
    }

    fn read(segment: &Segment) -> Self {
        let mut terms = Self::default();
        for (kind, data) in segment.each_option() {
            match (kind, data) {
                (2, [high, low]) => terms.segment = Some(u16::from_be_bytes([*high, *low])),
                (3, [scale]) => terms.scale = Some(*scale),
                (4, []) => terms.may_sack = true,
                _ => {}
            }
        }
        terms
    }
}

/// The most that a buffer holds: what was asked for, or what it may grow to.
fn bytes(asked: Option<usize>) -> usize {
    asked.unwrap_or(devnet_network::limits::TCP_BUFFER_AUTOMATIC).max(2048)
}

/// Opens a connection; `None` when the peer refused it.
pub(super) fn open<'a>(dice: &'a Dice<'a>) -> Option<Play<'a>> {
    let temper = dice.one(&[Temper::Fair, Temper::Ambiguous, Temper::Wild, Temper::Wild]);
    let mut rig = Rig::new(dice.0.next());
    let settings = settings(dice, temper);
    let buffers = (bytes(settings.receive_buffer), bytes(settings.send_buffer));
    let (held, idle) = (memory::held(), rig.core.next_deadline());
    let theirs = Terms::draw(dice);
    let (local, remote) = ends();
    let begin = dice.one(&[0, 1, u32::MAX, u32::MAX - 700, 1 << 31, dice.0.next() as u32]);
    let is_passive = dice.below(2) == 0;
    let (program, ports, answer) = if is_passive {
        let ports = Ports { host: local.port(), peer: remote.port() };
        let program = Program::listening(&rig.core.sockets(), local, settings);
        (program, ports, ask(dice, &mut rig, ports, begin, theirs))
    } else {
        let (program, connect) = Program::connecting(rig.core.sockets(), remote, settings);
        rig.core.spawn(connect);
        let (ports, syn) = agree(dice, &mut rig, begin, theirs)?;
        (program, ports, syn)
    };
    let ours = Terms::read(&answer);
    let both = ours.scale.is_some() && theirs.scale.is_some();
    assert!(!is_passive || both == ours.scale.is_some(), "a window scale that nobody asked for");
    assert!(!is_passive || theirs.may_sack || !ours.may_sack, "SACK that nobody asked for");
    let segment = theirs.segment.filter(|segment| *segment > 0).unwrap_or(SEGMENT.0).min(SEGMENT.1);
    let mut peer = Peer::new(temper, dice.one(&[0, 1, 3000, 20_000, 200_000]) as usize);
    peer.scale = if both { theirs.scale.unwrap_or(0).min(14) } else { 0 };
    peer.may_sack = theirs.may_sack && ours.may_sack;
    let mut sent = Sent::new(answer.sequence.wrapping_add(1), usize::from(segment), buffers.1);
    sent.edge = usize::from(WINDOW);
    let mut offered = Offered::new(begin.wrapping_add(1), buffers.0);
    offered.edge = usize::from(answer.window);
    let mut play = Play {
        dice,
        rig,
        ports,
        program,
        peer,
        offered,
        sent,
        scale: if both { ours.scale.unwrap_or(0) } else { 0 },
        quotable: Vec::new(),
        is_over: false,
        is_traced: std::env::var_os("FUZZ_TRACE").is_some(),
        memory: (held, 4 * (buffers.0 + buffers.1) as isize + SLACK),
        idle,
    };
    play.trace(
        "peer:",
        &format!("{temper:?} {theirs:?} {settings:?} passive {is_passive} ours {ours:?}"),
    );
    // The last packet of the handshake; in a passive opening the connection lives by it.
    if temper != Temper::Wild || dice.below(8) > 0 {
        let (sequence, acknowledgment) = (begin.wrapping_add(1), play.sent.sequence(0));
        let last =
            Segment { sequence, acknowledgment, flags: ACK, window: WINDOW, ..Segment::default() };
        play.send(&super::Move { segment: last, version: 0, harm: super::Harm::None });
    }
    play.pass(Duration::from_millis(1));
    play.program.claim();
    Some(play)
}

/// The window of SYNs.
const WINDOW: u16 = 8192;

fn syn(begin: u32, flags: u8, acknowledgment: u32, terms: Terms) -> Segment {
    Segment {
        sequence: begin,
        acknowledgment,
        flags,
        window: WINDOW,
        options: terms.options(),
        data: Vec::new(),
    }
}

/// The host's SYN among what it sent.
fn syn_of(rig: &mut Rig) -> Option<(Ports, Segment)> {
    let sent = rig.sent();
    sent.iter()
        .rev()
        .filter_map(|packet| Segment::read(packet))
        .find(|(_, segment)| segment.has(SYN))
}

/// The peer connects; gives the host's answer.
fn ask(dice: &Dice<'_>, rig: &mut Rig, ports: Ports, begin: u32, terms: Terms) -> Segment {
    let packet = ipv4(6, &syn(begin, SYN, 0, terms).bytes(ports));
    rig.send(&packet);
    let (_, answer) = syn_of(rig).unwrap_or_else(|| panic!("no answer to a SYN with {terms:?}"));
    assert_eq!(
        (answer.flags & (SYN | ACK), answer.acknowledgment),
        (SYN | ACK, begin.wrapping_add(1))
    );
    if dice.below(4) == 0 {
        rig.pass(Duration::from_millis(dice.below(10_000)));
        rig.send(&packet);
        rig.sent();
    }
    answer
}

/// The host connects; gives its SYN, answered, or nothing when the peer refused.
fn agree(dice: &Dice<'_>, rig: &mut Rig, begin: u32, terms: Terms) -> Option<(Ports, Segment)> {
    rig.poll();
    let (ports, asked) = syn_of(rig).expect("a SYN");
    let right = asked.sequence.wrapping_add(1);
    // Nothing of this concerns the host: no acknowledgment is the right one.
    for _ in 0..dice.below(4) {
        let acknowledgment =
            dice.one(&[asked.sequence, right.wrapping_add(1), dice.0.next() as u32]);
        let flags = dice.one(&[SYN | ACK, ACK, RST | ACK, RST]);
        if acknowledgment != right {
            let others = Terms::draw(dice);
            rig.send(&ipv4(
                6,
                &syn(dice.0.next() as u32, flags, acknowledgment, others).bytes(ports),
            ));
        }
        rig.pass(Duration::from_millis(dice.below(100)));
    }
    if dice.below(20) == 0 {
        rig.send(&ipv4(6, &syn(begin, RST | ACK, right, Terms::default()).bytes(ports)));
        rig.pass(Duration::from_secs(60));
        assert!(rig.sockets().is_empty(), "a refused connection stays");
        return None;
    }
    rig.sent();
    // Both at once (RFC 9293 §3.5, figure 7), or an answer.
    if dice.below(6) == 0 {
        rig.send(&ipv4(6, &syn(begin, SYN, 0, terms).bytes(ports)));
    } else {
        rig.send(&ipv4(6, &syn(begin, SYN | ACK, right, terms).bytes(ports)));
    }
    Some((ports, asked))
}
