//! What the host may have received: written from RFC 9293 §3.10.7, not from our code.
//!
//! Each position of the peer's stream remembers which contents were offered for it by acceptable
//! segments while it lay in the receive window and was not acknowledged yet. Content has eight
//! versions, so that a set of contents is a byte. What only might be accepted counts as offered;
//! what must be dropped does not.

use std::collections::BTreeSet;

use super::segment::{ACK, FIN, RST, SYN, Segment};

/// The peer's byte at a position, in one of eight versions that differ everywhere.
pub(super) const fn content(position: i64, version: u8) -> u8 {
    ((position as u64).wrapping_mul(2_654_435_761) >> 11) as u8 ^ (version & 7).wrapping_mul(37)
}

/// The receiving side of the host. Positions count sequence numbers from the first behind the
/// peer's SYN.
#[derive(Debug)]
pub(super) struct Offered {
    /// The sequence number of position 0.
    start: u32,
    /// For each position, which versions were offered, one bit each.
    versions: Vec<u8>,
    /// Everything before was offered.
    contiguous: usize,
    /// Where FINs were offered.
    ends: BTreeSet<usize>,
    /// What the host acknowledged, its highest.
    pub(super) acknowledged: usize,
    /// The right edge of the window that the host offered.
    pub(super) edge: usize,
    /// Bytes of the host's buffer.
    buffer: usize,
    /// What the program took.
    pub(super) read: usize,
    /// The program saw the end.
    pub(super) is_ended: bool,
    /// A reset was offered that the host may obey (RFC 5961 §3.2: at RCV.NXT exactly).
    pub(super) may_reset: bool,
    /// The program reads no more: what arrives is thrown away, and the window need not follow.
    pub(super) is_shut: bool,
}

impl Offered {
    pub(super) fn new(start: u32, buffer: usize) -> Self {
        Self {
            start,
            versions: Vec::new(),
            contiguous: 0,
            ends: BTreeSet::new(),
            acknowledged: 0,
            edge: 0,
            buffer,
            read: 0,
            is_ended: false,
            may_reset: false,
            is_shut: false,
        }
    }

    /// The position of a sequence number, near what was acknowledged.
    pub(super) fn position(&self, sequence: u32) -> i64 {
        let from = self.start.wrapping_add(self.acknowledged as u32);
        self.acknowledged as i64 + i64::from(sequence.wrapping_sub(from) as i32)
    }

    pub(super) const fn sequence(&self, position: i64) -> u32 {
        self.start.wrapping_add(position as u32)
    }

    /// The furthest position that the host may take: what it said, and what it may not have said
    /// yet.
    fn limit(&self) -> usize {
        self.edge.max(self.read + self.buffer)
    }

    /// True when RFC 9293 lets the host look at the segment at all: its numbers touch the window.
    /// One before the window passes, as that is where keep-alive probes are.
    pub(super) fn is_acceptable(&self, segment: &Segment) -> bool {
        let start = self.position(segment.sequence);
        start + i64::from(segment.length()) + 1 >= self.acknowledged as i64
            && start <= self.limit() as i64
    }

    /// Notes a well-formed segment whose acknowledgment is one of what the host sent. Its data is
    /// of one version.
    pub(super) fn offer(&mut self, segment: &Segment, version: u8) {
        let start = self.position(segment.sequence);
        if segment.has(RST) {
            let exact = self.acknowledged as i64..=self.furthest() as i64;
            self.may_reset |= exact.contains(&start);
            return;
        }
        if segment.has(SYN) || !segment.has(ACK) || !self.is_acceptable(segment) {
            return;
        }
        let end = start + segment.data.len() as i64;
        let limit = self.limit();
        let (from, to) =
            (start.max(self.acknowledged as i64) as usize, end.clamp(0, limit as i64) as usize);
        if to > self.versions.len() {
            self.versions.resize(to, 0);
        }
        for offered in self.versions.get_mut(from..to).unwrap_or_default() {
            *offered |= 1 << (version & 7);
        }
        if segment.has(FIN) && (self.acknowledged as i64..=limit as i64).contains(&end) {
            self.ends.insert(end as usize);
        }
        while self.versions.get(self.contiguous).is_some_and(|offered| *offered != 0) {
            self.contiguous += 1;
        }
    }

    fn is_end(&self, position: usize) -> bool {
        position <= self.contiguous && self.ends.contains(&position)
    }

    /// The highest number that the host may acknowledge.
    fn furthest(&self) -> usize {
        let end = self.ends.range(..=self.contiguous).next_back().map_or(0, |end| end + 1);
        end.max(self.contiguous)
    }

    /// Checks what the program read; no bytes are the end.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        assert!(!self.is_ended || bytes.is_empty(), "data behind the end of the stream");
        if bytes.is_empty() {
            assert!(
                self.is_shut || self.is_end(self.read),
                "an end at {} that nobody sent",
                self.read
            );
            self.is_ended = true;
            return;
        }
        for (position, byte) in (self.read..).zip(bytes) {
            let offered = self.versions.get(position).copied().unwrap_or(0);
            let is_right = (0..8).any(|version| {
                offered >> version & 1 == 1 && content(position as i64, version) == *byte
            });
            assert!(
                is_right,
                "the program read {byte:#04x} at {position}, where {offered:#010b} was offered"
            );
        }
        self.read += bytes.len();
    }

    /// Checks what a segment of the host says about what it received.
    pub(super) fn check(&mut self, segment: &Segment, scale: u8, may_sack: bool) {
        let (acknowledgment, furthest) =
            (self.position(segment.acknowledgment), self.furthest() as i64);
        assert!(
            acknowledgment >= self.acknowledged as i64,
            "it takes an acknowledgment back: {acknowledgment} of {self}"
        );
        assert!(
            acknowledgment <= furthest,
            "it acknowledges {acknowledgment}, offered were {furthest}"
        );
        let blocks = segment.blocks();
        assert!(may_sack || blocks.is_empty(), "SACK without permission");
        for (place, (left, right)) in blocks.into_iter().enumerate() {
            self.check_block(place, acknowledgment, self.position(left), self.position(right));
        }
        self.acknowledged = acknowledgment as usize;
        let edge = self.acknowledged + (usize::from(segment.window) << scale);
        let unit = 1 << scale;
        assert!(
            edge + unit > self.edge || self.is_shut || self.is_ended,
            "the window shrinks from {} to {edge}",
            self.edge
        );
        let is_backed = edge < self.read + self.buffer + 2 * unit || self.is_shut;
        assert!(is_backed, "a window up to {edge} of {self}");
        if is_backed {
            self.edge = self.edge.max(edge);
        }
    }

    fn check_block(&self, place: usize, acknowledgment: i64, left: i64, right: i64) {
        assert!(left < right && left >= 0, "SACK block {left}..{right}");
        // Of old data only the first block may tell, as a duplicate (RFC 2883).
        assert!(
            place == 0 || left > acknowledgment,
            "SACK block {left}..{right} behind {acknowledgment}"
        );
        let is_received = |position: i64| {
            let position = position as usize;
            self.versions.get(position).is_some_and(|offered| *offered != 0)
                || self.ends.contains(&position)
                || position < self.acknowledged
        };
        assert!(
            (left..right).all(is_received),
            "SACK block {left}..{right} of what was never sent"
        );
    }

    /// True when the program has read exactly what was acknowledged.
    pub(super) fn is_read(&self) -> bool {
        self.read == self.acknowledged
            || self.read + 1 == self.acknowledged && self.ends.contains(&self.read)
    }
}

impl std::fmt::Display for Offered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { acknowledged, edge, read, contiguous, buffer, ends, .. } = self;
        write!(
            formatter,
            "acknowledged {acknowledged}, edge {edge}, read {read}, offered {contiguous}, ends \
            {ends:?}, buffer {buffer}"
        )
    }
}
