//! The peer's next move: a segment as it should be, then what its temper makes of it.

use super::offered::{Offered, content};
use super::segment::{ACK, FIN, PSH, RST, SYN, Segment, sack};
use super::sent::Sent;
use crate::classifier::Dice;

/// How the peer behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Temper {
    /// By the book over a bad network: holes, overlaps, repetitions, any order. Everything must
    /// arrive in the end.
    Fair,
    /// The same, but overlapping data differs.
    Ambiguous,
    /// Anything.
    Wild,
}

/// What makes a packet one that must be dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Harm {
    None,
    Checksum,
    /// The header's length, in words: too short, or beyond the segment.
    HeaderLength(u8),
    /// Bytes that are missing at the end.
    Cut(usize),
}

/// A segment to send.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub(super) segment: Segment,
    pub(super) version: u8,
    pub(super) harm: Harm,
}

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) temper: Temper,
    /// Behind the furthest byte that was sent.
    next: usize,
    /// Bytes of the whole stream.
    total: usize,
    /// The peer's window scale, as agreed.
    pub(super) scale: u8,
    pub(super) may_sack: bool,
    /// Earlier moves, to be repeated.
    past: Vec<Move>,
    /// Moves that come late.
    late: Vec<Move>,
}

impl Peer {
    pub(super) fn new(temper: Temper, total: usize) -> Self {
        Self {
            temper,
            next: 0,
            total,
            scale: 0,
            may_sack: false,
            past: Vec::new(),
            late: Vec::new(),
        }
    }

    /// What to send next.
    pub(super) fn play(&mut self, dice: &Dice<'_>, offered: &Offered, sent: &Sent) -> Move {
        match dice.below(10) {
            0 if !self.past.is_empty() => {
                return self.past[dice.below(self.past.len() as u64) as usize].clone();
            }
            1 | 2 if !self.late.is_empty() => {
                return self.late.swap_remove(dice.below(self.late.len() as u64) as usize);
            }
            _ => {}
        }
        let mut next = self.draw(dice, offered, sent);
        if self.temper == Temper::Wild && dice.below(3) == 0 {
            for _ in 0..=dice.below(2) {
                self.spoil(dice, &mut next, offered, sent);
            }
        }
        if self.temper != Temper::Fair {
            next.version = dice.one(&[0, 0, 0, 1, 2, 7]);
        }
        fill(&mut next, offered);
        self.past.push(next.clone());
        if dice.below(8) == 0 {
            self.late.push(next.clone());
        }
        next
    }

    /// A segment as it should be.
    fn draw(&mut self, dice: &Dice<'_>, offered: &Offered, sent: &Sent) -> Move {
        let start = match dice.below(10) {
            0..=4 => self.next,
            5 | 6 => offered.acknowledged.saturating_sub(dice.below(3000) as usize),
            7 => {
                offered.acknowledged
                    + dice.below((self.next - offered.acknowledged.min(self.next)) as u64 + 1)
                        as usize
            }
            _ => self.next + dice.one(&[1, 100, 1460, 5000]),
        };
        let start = start.min(self.total);
        let length = match dice.below(6) {
            0 => 0,
            1 => 1 + dice.below(8) as usize,
            2 => dice.below(600) as usize,
            _ => dice.below(1441) as usize,
        };
        // In the window; some peers do not care.
        let room = match self.temper {
            Temper::Fair => offered.edge.saturating_sub(start),
            Temper::Ambiguous | Temper::Wild => usize::MAX,
        };
        let length = length.min(self.total - start).min(room);
        let mut segment = self.acknowledge(dice, sent);
        segment.sequence = offered.sequence(start as i64);
        segment.data = vec![0; length];
        if start + length == self.total && room > length && dice.below(3) == 0 {
            segment.flags |= FIN;
        }
        self.next = self.next.max(start + length);
        Move { segment, version: 0, harm: Harm::None }
    }

    /// A segment without data; the window never moves back when the peer is fair.
    fn acknowledge(&self, dice: &Dice<'_>, sent: &Sent) -> Segment {
        let news = (sent.next - sent.acknowledged.min(sent.next)) as u64;
        let taken = match dice.below(4) {
            0 => 0,
            1 => dice.below(news + 1),
            _ => news,
        };
        let acknowledged = sent.acknowledged + taken as usize;
        let window = dice.one(&[0, 1, 100, 1000, 8192, 65_535, 65_535, 65_535]) as usize;
        let fair = (sent.edge.saturating_sub(acknowledged)).div_ceil(1 << self.scale);
        let window = if self.temper == Temper::Wild { window } else { window.max(fair) };
        let mut segment = Segment {
            acknowledgment: sent.sequence(acknowledged as i64),
            flags: ACK | if dice.below(3) == 0 { PSH } else { 0 },
            window: window.min(65_535) as u16,
            ..Segment::default()
        };
        if self.may_sack && dice.below(3) == 0 && sent.next > acknowledged + 2 {
            segment.options = self.blocks(dice, sent, acknowledged);
        }
        segment
    }

    /// Blocks of what the host sent.
    fn blocks(&self, dice: &Dice<'_>, sent: &Sent, acknowledged: usize) -> Vec<u8> {
        let blocks: Vec<_> = (0..=dice.below(3))
            .map(|_| {
                let left =
                    acknowledged + 1 + dice.below((sent.next - acknowledged - 1) as u64) as usize;
                let right = left + 1 + dice.below((sent.next - left) as u64) as usize;
                (sent.sequence(left as i64), sent.sequence(right.min(sent.next) as i64))
            })
            .collect();
        sack(&blocks)
    }

    /// Makes one thing wrong.
    fn spoil(&self, dice: &Dice<'_>, next: &mut Move, offered: &Offered, sent: &Sent) {
        let segment = &mut next.segment;
        let near = |base: u32| base.wrapping_add(dice.below(8) as u32).wrapping_sub(4);
        match dice.below(12) {
            0 => {
                segment.sequence =
                    near(dice.one(&[segment.sequence, offered.sequence(offered.edge as i64)]))
            }
            1 => {
                segment.sequence = segment.sequence.wrapping_add(dice.one(&[
                    1 << 16,
                    1 << 20,
                    1 << 31,
                    u32::MAX << 16,
                ]))
            }
            2 => {
                segment.acknowledgment =
                    near(dice.one(&[segment.acknowledgment, sent.sequence(sent.next as i64)]))
            }
            3 => segment.acknowledgment = dice.0.next() as u32,
            4 => segment.window = dice.0.next() as u16,
            5 => segment.flags = dice.0.next() as u8,
            6 => {
                segment.flags =
                    dice.one(&[RST, RST | ACK, SYN, SYN | ACK, FIN, FIN | ACK, 0, ACK | FIN | PSH])
            }
            7 => segment.options = wrong_options(dice, sent),
            8 => segment.data.resize(dice.below(1441) as usize, 0),
            9 => next.harm = Harm::Checksum,
            10 => next.harm = Harm::HeaderLength(dice.below(5) as u8),
            _ => next.harm = Harm::Cut(1 + dice.below(30) as usize),
        }
    }

    /// What fills the first hole, acknowledges everything and opens the window: with it everything
    /// comes to its end.
    pub(super) fn finish(&mut self, offered: &Offered, sent: &Sent) -> Move {
        let start = offered.acknowledged.min(self.total);
        let room = offered.edge.saturating_sub(start);
        let length = (self.total - start).min(1440).min(room);
        let mut segment = Segment {
            sequence: offered.sequence(offered.acknowledged as i64),
            acknowledgment: sent.sequence(sent.next as i64),
            flags: ACK,
            window: 65_535,
            data: vec![0; length],
            ..Segment::default()
        };
        if start + length == self.total && offered.acknowledged <= self.total && room > length {
            segment.flags |= FIN;
        }
        let mut next = Move { segment, version: 0, harm: Harm::None };
        fill(&mut next, offered);
        next
    }

    /// True when the host acknowledged the whole stream and its end.
    pub(super) const fn is_over(&self, offered: &Offered) -> bool {
        offered.acknowledged > self.total
    }
}

/// Writes the stream's content at the place where the segment came to be.
fn fill(next: &mut Move, offered: &Offered) {
    let start = offered.position(next.segment.sequence);
    for (position, byte) in (start..).zip(&mut next.segment.data) {
        *byte = content(position, next.version);
    }
}

/// Options of any kind, and SACK blocks of any content and length.
fn wrong_options(dice: &Dice<'_>, sent: &Sent) -> Vec<u8> {
    let any = || {
        let near = sent
            .sequence(sent.acknowledged as i64)
            .wrapping_add(dice.below(20_000) as u32)
            .wrapping_sub(5000);
        dice.one(&[near, near, dice.0.next() as u32])
    };
    match dice.below(4) {
        0 => sack(&(0..=dice.below(3)).map(|_| (any(), any())).collect::<Vec<_>>()),
        1 => {
            let mut option = sack(&[(any(), any()), (any(), any())]);
            option[3] = dice.0.next() as u8;
            option
        }
        2 => (0..dice.below(40)).map(|_| dice.0.next() as u8).collect(),
        _ => {
            let kind = dice.one(&[0, 2, 3, 4, 5, 8, 19, 28, 29, 30, 34, 254]);
            vec![kind, dice.one(&[0, 1, 2, 3, 4, 10, 18, 40, 255]), 1, 1, 0, 0, 0, 0]
        }
    }
}
