//! What the host sends: each byte is the one that its program wrote there, in every repetition,
//! inside the window, in segments that the peer takes.

use super::segment::{ACK, FIN, Segment};

/// Bytes of data that every peer has to take: a stack need not send smaller segments (Linux' least,
/// with options, is 48).
const LEAST: usize = 88;

/// The program's byte at a position.
pub(super) const fn content(position: usize) -> u8 {
    (position.wrapping_mul(0x9e37_79b9) >> 13) as u8
}

/// The sending side of the host. Positions count sequence numbers from the first behind its SYN.
#[derive(Debug)]
pub(super) struct Sent {
    /// The sequence number of position 0.
    start: u32,
    /// Bytes that the program has written.
    pub(super) written: usize,
    /// The program writes no more.
    pub(super) is_shut: bool,
    /// Behind the furthest number that was sent.
    pub(super) next: usize,
    /// Where the FIN was.
    pub(super) end: Option<usize>,
    /// The furthest right edge that the peer offered.
    pub(super) edge: usize,
    /// The highest acknowledgment that the peer offered.
    pub(super) acknowledged: usize,
    /// Bytes of data that the peer takes in one segment, options included.
    segment: usize,
    /// Bytes of the host's buffer.
    buffer: usize,
}

impl Sent {
    pub(super) const fn new(start: u32, segment: usize, buffer: usize) -> Self {
        let (written, is_shut, next, end, edge, acknowledged) = (0, false, 0, None, 0, 0);
        Self { start, written, is_shut, next, end, edge, acknowledged, segment, buffer }
    }

    pub(super) fn position(&self, sequence: u32) -> i64 {
        self.next as i64
            + i64::from(sequence.wrapping_sub(self.start.wrapping_add(self.next as u32)) as i32)
    }

    pub(super) const fn sequence(&self, position: i64) -> u32 {
        self.start.wrapping_add(position as u32)
    }

    /// Behind what the host may have sent: not every packet that it made has to get as far as the
    /// wire.
    fn furthest(&self) -> i64 {
        (self.written + usize::from(self.is_shut)).max(self.next) as i64
    }

    /// True when a segment acknowledges nothing that was never sent (RFC 9293 §3.10.7.4, fifth).
    pub(super) fn is_possible(&self, segment: &Segment) -> bool {
        !segment.has(ACK) || self.position(segment.acknowledgment) <= self.furthest()
    }

    /// Notes what an acceptable segment offers.
    pub(super) fn offer(&mut self, segment: &Segment, scale: u8) {
        let acknowledgment = self.position(segment.acknowledgment).max(0) as usize;
        self.acknowledged = self.acknowledged.max(acknowledgment);
        let from = acknowledgment;
        self.edge = self.edge.max(from + (usize::from(segment.window) << scale));
    }

    /// Segments that the host may have under way. Not every acknowledgment that was offered has to
    /// be taken.
    pub(super) fn segments(&self) -> usize {
        self.written.min(self.edge).min(self.buffer) / self.segment.max(LEAST) + 1
    }

    /// Checks a segment that is no reset and no SYN.
    pub(super) fn check(&mut self, segment: &Segment) {
        let (start, length) = (self.position(segment.sequence), segment.data.len());
        assert!(
            start >= -1 && start <= self.furthest(),
            "a segment at {start}, {} were sent",
            self.next
        );
        assert!(segment.has(ACK), "a segment without ACK");
        if length == 0 && !segment.has(FIN) {
            self.next = self.next.max(start.max(0) as usize);
            return;
        }
        // A keep-alive probe may repeat a byte that was acknowledged, with any content (RFC 9293
        // §3.8.4).
        let is_probe = length == 1 && start < self.acknowledged as i64;
        if length > 0 && !is_probe {
            self.check_data(start, &segment.data, segment.options.len());
        }
        let end = (start + length as i64) as usize;
        if segment.has(FIN) {
            assert!(self.is_shut, "a FIN, and the program did not end");
            assert_eq!(end, self.written, "a FIN that is not behind the last byte");
            self.end = Some(end);
        }
        self.next = self.next.max(end + usize::from(segment.has(FIN)));
    }

    fn check_data(&self, start: i64, data: &[u8], options: usize) {
        let length = data.len();
        assert!(
            start >= 0 && start as usize + length <= self.written,
            "data at {start} of {length}, written {}",
            self.written
        );
        let start = start as usize;
        for (position, byte) in (start..).zip(data) {
            assert_eq!(
                *byte,
                content(position),
                "wrong content at {position}, in a segment of {length} at {start}"
            );
        }
        let is_inside = start + length <= self.edge || length == 1;
        assert!(is_inside, "data at {start} of {length}, and the window ends at {}", self.edge);
        assert!(
            length + options <= self.segment.max(LEAST),
            "{length} bytes in a segment, the peer takes {}",
            self.segment
        );
    }

    /// True when everything that the program gave has left and was acknowledged.
    pub(super) fn is_over(&self) -> bool {
        self.acknowledged >= self.written + usize::from(self.is_shut)
    }
}
