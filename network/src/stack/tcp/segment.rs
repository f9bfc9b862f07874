//! One TCP segment as bytes, and what every segment of a flow must pass in both directions.
//!
//! smoltcp's socket is our state machine, but it must never see a segment that could panic it, truncate a stream or hijack it
//! (`stack-pitfalls`, TCP-R and TCP-X). [`Supervision`] remembers the few numbers that this takes and rewrites or refuses segments before
//! and after the socket. Checksums are not its business: incoming segments were verified, outgoing ones are summed when they leave.

use smoltcp::wire::{TcpPacket, TcpSeqNumber};

/// Bytes of a TCP header without options.
pub(crate) const TCP_HEADER: usize = 20;

/// True when `first` comes before `second` in the circle of sequence numbers.
pub(crate) fn before(first: u32, second: u32) -> bool {
    (first.wrapping_sub(second) as i32) < 0
}

pub(crate) fn number(sequence: TcpSeqNumber) -> u32 {
    sequence.0 as u32
}

/// The numbers of a segment that decisions are made on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) sequence: u32,
    pub(crate) acknowledgment: Option<u32>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
    pub(crate) window: u16,
    /// Bytes of data.
    pub(crate) length: u32,
}

impl Segment {
    /// Reads a TCP packet; `None` when its header does not fit.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let tcp = TcpPacket::new_checked(packet).ok()?;
        let header = usize::from(tcp.header_len());
        Some(Self {
            sequence: number(tcp.seq_number()),
            acknowledgment: tcp.ack().then(|| number(tcp.ack_number())),
            syn: tcp.syn(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            window: tcp.window_len(),
            length: u32::try_from(packet.len().checked_sub(header)?).ok()?,
        })
    }

    /// The sequence number after this segment; SYN and FIN count.
    pub(crate) fn end(&self) -> u32 {
        self.sequence.wrapping_add(self.length).wrapping_add(u32::from(self.syn)).wrapping_add(u32::from(self.fin))
    }
}

/// What a SYN says about the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Offer {
    /// The window scale, if it offers one.
    shift: Option<u8>,
    /// Bytes of data in the largest segment that the sender takes, if it says so.
    segment: Option<u16>,
}

/// Reads the options of a SYN, and lowers the largest segment that it names to `limit`.
fn read_offer(packet: &mut [u8], limit: u16) -> Offer {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    const MAXIMUM_SEGMENT: u8 = 2;
    const WINDOW_SCALE: u8 = 3;
    let mut offer = Offer::default();
    let Ok(header) = TcpPacket::new_checked(&*packet).map(|tcp| usize::from(tcp.header_len())) else { return offer };
    let mut options = packet.get_mut(TCP_HEADER..header).unwrap_or_default();
    loop {
        let taken = match options {
            [] | [END, ..] => return offer,
            [NO_OPERATION, ..] => 1,
            [MAXIMUM_SEGMENT, 4, high, low, ..] => {
                let named = u16::from_be_bytes([*high, *low]);
                let lowered = named.min(limit);
                [*high, *low] = lowered.to_be_bytes();
                offer.segment = Some(lowered);
                4
            }
            [WINDOW_SCALE, 3, shift, ..] => {
                offer.shift = Some((*shift).min(14));
                3
            }
            [_, length, ..] if *length >= 2 => usize::from(*length),
            _ => return offer,
        };
        options = options.get_mut(taken..).unwrap_or_default();
    }
}

/// What becomes of an incoming segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The socket may see it.
    Pass,
    /// The socket may see this many bytes of its data and no FIN.
    Trim(u32),
    /// Answer with an ACK; the socket must not see it.
    Answer,
    /// Forget it.
    Drop,
}

/// What is remembered of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supervision {
    /// Our SYN is on its way: before that, no segment may reach a connecting socket (TCP-O-01).
    syn_sent: bool,
    /// Something was sent twice, or the peer asked for it: the socket remembers such things.
    is_troubled: bool,
    /// What must be added to the socket's numbers to get ours on the wire (RFC 6528; smoltcp's own can be guessed). Before our SYN: where
    /// ours begin.
    offset: u32,
    /// The peer's FIN was seen, at this number: nothing comes behind it (TCP-R-04).
    is_ended: bool,
    end: u32,
    /// Oldest number that the peer has not acknowledged.
    send_unacknowledged: u32,
    /// After the highest number ever sent.
    pub(crate) send_maximum: u32,
    /// What we acknowledged last.
    pub(crate) receive_next: Option<u32>,
    /// The furthest number that we ever allowed.
    right_edge: u32,
    /// The window field of our last segment.
    pub(crate) window: u16,
    our_shift: Option<u8>,
    peer_shift: Option<u8>,
    /// Bytes of data in the largest segment that the peer takes.
    pub(crate) peer_segment: u16,
}

impl Supervision {
    /// The supervision of a flow whose own numbers begin at `sequence`.
    pub(crate) const fn new(sequence: u32) -> Self {
        Self {
            syn_sent: false,
            is_troubled: false,
            offset: sequence,
            is_ended: false,
            end: 0,
            send_unacknowledged: 0,
            send_maximum: 0,
            receive_next: None,
            right_edge: 0,
            window: 0,
            our_shift: None,
            peer_shift: None,
            peer_segment: super::egress::DEFAULT_SEGMENT,
        }
    }

    /// Looks at a segment for the socket and rewrites it where that is enough.
    pub(crate) fn incoming(
        &mut self,
        packet: &mut [u8],
        segment: &Segment,
        is_synchronized: bool,
        own_segment: u16,
    ) -> Verdict {
        if segment.syn && !is_synchronized {
            // TCP-R-08: or smoltcp acknowledges every second segment of the peer's size, not of ours.
            let offer = read_offer(packet, own_segment);
            self.peer_shift = offer.shift;
            if let Some(segment) = offer.segment {
                self.peer_segment = segment;
            }
        }
        if segment.acknowledgment.is_some() && !self.syn_sent {
            return Verdict::Drop;
        }
        let mut acknowledged = segment.acknowledgment;
        let verdict = if is_synchronized {
            self.synchronized(segment, &mut acknowledged)
        } else {
            // The acknowledgment of our SYN.
            if acknowledged == Some(self.send_maximum) {
                self.send_unacknowledged = self.send_maximum;
            }
            Verdict::Pass
        };
        if let Some(acknowledged) = acknowledged
            && matches!(verdict, Verdict::Pass | Verdict::Trim(_))
        {
            let number = acknowledged.wrapping_sub(self.offset);
            TcpPacket::new_unchecked(packet).set_ack_number(TcpSeqNumber(number as i32));
        }
        verdict
    }

    /// Judges a segment of an open connection; may raise its acknowledgment.
    fn synchronized(&mut self, segment: &Segment, acknowledged: &mut Option<u32>) -> Verdict {
        // TCP-X-02: a SYN in a synchronized state earns one challenge ACK (RFC 5961 §4).
        if segment.syn {
            return Verdict::Answer;
        }
        if segment.rst {
            return self.reset(segment);
        }
        match segment.acknowledgment {
            // Only a first SYN and a RST come without ACK (RFC 9293 §3.10.7.4).
            None => return Verdict::Drop,
            // TCP-S-01: nothing above SND.MAX was ever sent.
            Some(number) if before(self.send_maximum, number) => return Verdict::Answer,
            // TCP-R-05: an old ACK does not make its data worthless.
            Some(number) if before(number, self.send_unacknowledged) => *acknowledged = Some(self.send_unacknowledged),
            Some(number) => {
                let is_repeat = number == self.send_unacknowledged && segment.length == 0 && !segment.fin;
                self.is_troubled |= is_repeat && number != self.send_maximum;
                self.send_unacknowledged = number;
            }
        }
        let Some(receive_next) = self.receive_next else { return Verdict::Pass };
        let last = segment.sequence.wrapping_add(segment.length);
        if segment.fin && self.is_ended && last != self.end {
            // Two ends cannot both be right; the first one counts.
            return Verdict::Drop;
        }
        // TCP-R-01, TCP-R-02, TCP-R-04: nothing beyond the edge that we advertised or beyond the peer's FIN, and no FIN behind that.
        let edge = if self.is_ended && before(self.end, self.right_edge) { self.end } else { self.right_edge };
        let allowed = edge.wrapping_sub(segment.sequence) as i32;
        match u32::try_from(allowed) {
            Ok(allowed) if allowed < segment.length => Verdict::Trim(allowed),
            // It begins beyond the edge: not even its first octet may come (RFC 9293 §3.10.7.4).
            Err(_) if segment.length > 0 || segment.fin => Verdict::Answer,
            _ => {
                if segment.fin && !before(last, receive_next) {
                    (self.is_ended, self.end) = (true, last);
                }
                Verdict::Pass
            }
        }
    }

    /// A reset counts only at exactly the next number; inside the window it earns a challenge ACK, outside nothing
    /// (RFC 5961 §3.2, RFC 9293 §3.10.7.4).
    fn reset(&self, segment: &Segment) -> Verdict {
        let Some(next) = self.receive_next else { return Verdict::Pass };
        if segment.sequence == next {
            Verdict::Pass
        } else if before(next, segment.sequence) && before(segment.sequence, self.right_edge) {
            Verdict::Answer
        } else {
            Verdict::Drop
        }
    }

    /// Looks at a segment from the socket, corrects its sequence number where smoltcp rewound it, and remembers its numbers.
    pub(crate) fn outgoing(&mut self, packet: &mut [u8], own_segment: u16) {
        let Some(mut segment) = Segment::parse(packet) else { return };
        if segment.syn && !self.syn_sent {
            self.offset = self.offset.wrapping_sub(segment.sequence);
        }
        segment.sequence = segment.sequence.wrapping_add(self.offset);
        if segment.syn {
            // smoltcp believes in a device that carries everything.
            self.our_shift = read_offer(packet, own_segment).shift;
            if !self.syn_sent {
                self.send_unacknowledged = segment.sequence;
                self.send_maximum = segment.end();
            }
            self.syn_sent = true;
        } else if segment.length == 0 && !segment.fin && !is_answer_to_stranger(&segment) {
            // TCP-S-02: what carries no data carries SND.MAX, or the peer ignores it.
            if before(segment.sequence, self.send_maximum) {
                segment.sequence = self.send_maximum;
            }
        } else {
            self.is_troubled |= before(segment.sequence, self.send_maximum);
        }
        TcpPacket::new_unchecked(&mut *packet).set_seq_number(TcpSeqNumber(segment.sequence as i32));
        if is_answer_to_stranger(&segment) {
            return;
        }
        if before(self.send_maximum, segment.end()) {
            self.send_maximum = segment.end();
        }
        let Some(acknowledgment) = segment.acknowledgment else { return };
        let shift = if segment.syn || self.peer_shift.is_none() { 0 } else { self.our_shift.unwrap_or(0) };
        let edge = acknowledgment.wrapping_add(u32::from(segment.window) << shift);
        if self.receive_next.is_none() || before(self.right_edge, edge) {
            self.right_edge = edge;
        }
        self.receive_next = Some(acknowledgment);
        self.window = segment.window;
    }

    /// The oldest number that the peer has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> u32 {
        self.send_unacknowledged
    }

    /// True when the connection went so smoothly that its socket remembers nothing of it once it is reset.
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_troubled
    }

    /// How many of the `queued` bytes were never sent.
    pub(crate) fn unsent(&self, queued: usize) -> usize {
        queued.saturating_sub(self.send_maximum.wrapping_sub(self.send_unacknowledged) as usize)
    }

    /// True when the first octet of a quoted segment is one that is under way (TCP-X-05).
    pub(crate) fn is_in_flight(&self, sequence: u32) -> bool {
        self.syn_sent && !before(sequence, self.send_unacknowledged) && before(sequence, self.send_maximum)
    }
}

/// The answer to a segment for a closed socket is numbered by that segment (RFC 9293 §3.5.2).
fn is_answer_to_stranger(segment: &Segment) -> bool {
    segment.rst && segment.acknowledgment.is_none()
}
