//! Tests of the sending direction alone, with scripted acknowledgments and a virtual clock.
//!
//! Sequence numbers are relative to the beginning of the stream, so that every case runs at several
//! initial sequence numbers.

mod path;
mod recovery;
mod timeouts;
mod windows;

use alloc::vec::Vec;

use super::timer::Expired;
use super::*;
use crate::stack::tcp::segment::{Blocks, Segment};

/// The round trip of most cases. The first RTTVAR is half of it, so the first RTO is 300 ms.
const ROUND_TRIP: Duration = milliseconds(100);
/// The window scale of the peer.
const SHIFT: u8 = 6;

const fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A segment that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct SentSegment {
    /// Milliseconds since the case began.
    at: u64,
    first: u32,
    length: u32,
    fin: bool,
    is_retransmission: bool,
    has_cwr: bool,
}

impl SentSegment {
    fn end(&self) -> u32 {
        self.first + self.length + u32::from(self.fin)
    }
}

/// A sender and a scripted peer.
struct Script {
    sender: Sender,
    start: Instant,
    now: Instant,
    /// The sequence number of the first byte.
    first: u32,
    /// The peer's sequence number, and its window and congestion marks.
    sequence: u32,
    window: u16,
    echo: bool,
    /// Uses the product's pacing; without it the path takes bursts.
    is_paced: bool,
    /// When window probes were sent, in milliseconds.
    probes: Vec<u64>,
}

impl Script {
    /// A peer with SACK and a large window; the handshake measured the round trip.
    fn new() -> Self {
        Self::with(1000, true, u16::MAX, Some(ROUND_TRIP))
    }

    fn with(first: u32, sack: bool, window: u16, round_trip: Option<Duration>) -> Self {
        let mut sender =
            Sender::new(1 << 20, 1 << 20, Gathering::default(), CongestionControl::NewReno);
        sender.begin(first, sack, SendWindow::new(first, window, 500, SHIFT));
        if let Some(sample) = round_trip {
            sender.rtt.sample(sample);
        }
        sender.set_mss(1000);
        let now = Instant::from_micros(7_000_000);
        let (sequence, probes) = (501, Vec::new());
        Self {
            sender,
            start: now,
            now,
            first,
            sequence,
            window: u16::MAX,
            echo: false,
            is_paced: false,
            probes,
        }
    }

    /// Writes so many bytes and sends what may leave.
    fn write(&mut self, count: usize) -> Vec<SentSegment> {
        assert_eq!(self.sender.write(&alloc::vec![7; count]), count);
        self.leave()
    }

    fn end(&mut self) -> Vec<SentSegment> {
        self.sender.end();
        self.leave()
    }

    fn elapsed(&self) -> u64 {
        self.now.since(self.start).as_millis() as u64
    }

    /// Everything that may leave now.
    fn leave(&mut self) -> Vec<SentSegment> {
        let mut all = Vec::new();
        while let Some(plan) = self.sender.plan(self.now) {
            let Plan { sequence, length, fin, is_retransmission, has_cwr, .. } = plan;
            assert!(length <= self.sender.mss && (length > 0 || fin), "{plan:?}");
            self.sender.sent(&plan, self.now);
            if !self.is_paced {
                self.sender.paced_until = Instant::ZERO;
            }
            let first = sequence.wrapping_sub(self.first);
            all.push(SentSegment {
                at: self.elapsed(),
                first,
                length,
                fin,
                is_retransmission,
                has_cwr,
            });
            assert!(all.len() < 100_000, "it never ends");
            self.check();
        }
        all
    }

    /// The peer acknowledges everything before `number` and SACKs ranges behind it.
    fn acknowledge_only(&mut self, number: u32, blocks: &[(u32, u32)]) -> Acknowledged {
        let mut sack_blocks = Blocks::default();
        for (first, end) in blocks {
            sack_blocks.push((self.first.wrapping_add(*first), self.first.wrapping_add(*end)));
        }
        let number = self.first.wrapping_add(number);
        let segment = Segment {
            sequence: self.sequence,
            acknowledgment: Some(number),
            echo: self.echo,
            window: self.window,
            ..Segment::default()
        };
        let acknowledged = self.sender.acknowledge(
            &Acknowledgment {
                segment: &segment,
                number,
                blocks: &sack_blocks,
                echo: None,
                is_overtaken: false,
                may_grow: true,
            },
            self.now,
        );
        self.check();
        acknowledged
    }

    /// The same, and returns what leaves in response.
    fn acknowledge(&mut self, number: u32, blocks: &[(u32, u32)]) -> Vec<SentSegment> {
        self.acknowledge_only(number, blocks);
        self.leave()
    }

    /// Advances the clock; returns what leaves meanwhile.
    fn wait(&mut self, time: Duration) -> Vec<SentSegment> {
        let (until, mut all) = (self.now.after(time), Vec::new());
        for turn in 0.. {
            assert!(turn < 100_000, "timers spin");
            let deadline = self.sender.deadline();
            if deadline > until {
                break;
            }
            self.now = self.now.max(deadline);
            let Expired { window_probe, .. } = self.sender.expire(self.now);
            if window_probe {
                self.probes.push(self.elapsed());
            }
            self.check();
            all.extend(self.leave());
        }
        self.now = until;
        all
    }

    /// Acknowledges one window of data per round trip, until so many bytes are acknowledged.
    fn warm(&mut self, count: u32) {
        let mut sent = self.write(count as usize);
        while let Some(last) = sent.last() {
            let end = last.end();
            self.now = self.now.after(ROUND_TRIP);
            sent = self.acknowledge(end, &[]);
        }
        assert_eq!(self.sender.snd_una.wrapping_sub(self.first), count);
    }

    fn check(&self) {
        let sender = &self.sender;
        match sender.scoreboard.check() {
            Some(ends) => assert_eq!(
                ends,
                (sender.snd_una, sender.snd_nxt),
                "the scoreboard is what is under way"
            ),
            None => assert_eq!(sender.snd_una, sender.snd_nxt),
        }
        assert!(
            !before(sender.data_end().wrapping_add(1), sender.snd_nxt),
            "nothing left that was not written"
        );
        let is_armed = sender.timers.rto_at != Instant::NEVER || sender.timers.is_tlp_due;
        assert!(sender.scoreboard.is_empty() || is_armed, "what is under way has a timer");
    }

    fn window(&self) -> u32 {
        self.sender.congestion.cwnd()
    }
}

/// Sequence numbers and lengths.
fn places(left: &[SentSegment]) -> Vec<(u32, u32)> {
    left.iter().map(|left| (left.first, left.length)).collect()
}

/// Sequence numbers of retransmissions, and of new data.
fn split(left: &[SentSegment]) -> (Vec<u32>, Vec<u32>) {
    let of = |again: bool| {
        left.iter().filter(|left| left.is_retransmission == again).map(|left| left.first).collect()
    };
    (of(true), of(false))
}

/// Initial sequence numbers: one in the middle, and two before 2^31 and 2^32, so that the stream
/// crosses them.
const BEGINNINGS: [u32; 3] = [1000, (1 << 31) - 4500, u32::MAX - 4500];
