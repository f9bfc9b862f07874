//! A parsed TCP segment and its options (RFC 9293 §3.1, §3.2, RFC 7323, RFC 2018).
//!
//! Pure functions over bytes. Sequence numbers are compared modulo 2^32, and only here.

use smoltcp::wire::{TcpPacket, TcpSeqNumber};

/// Bytes of a TCP header without options.
pub(crate) const TCP_HEADER: usize = 20;
/// The most SACK blocks in one option: four fit without timestamps, three with them (RFC 2018 §3).
pub(crate) const BLOCKS: usize = 4;
/// Bytes of the timestamps option, aligned (RFC 7323 appendix A).
pub(crate) const TIMESTAMPS_BYTES: usize = 12;
/// Bytes of the longest options of a SYN.
pub(crate) const SYN_OPTIONS: usize = 20;
/// The largest window scale (RFC 7323 §2.3).
pub(crate) const MAX_WND_SHIFT: u8 = 14;

/// Kinds of options.
const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

/// True when `first` is before `second` modulo 2^32.
pub(crate) const fn before(first: u32, second: u32) -> bool {
    (first.wrapping_sub(second) as i32) < 0
}

/// The later of two sequence numbers.
pub(crate) const fn later(first: u32, second: u32) -> u32 {
    if before(first, second) { second } else { first }
}

pub(crate) const fn number(sequence: TcpSeqNumber) -> u32 {
    sequence.0 as u32
}

/// The fields of a segment that TCP processes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Segment {
    /// SEG.SEQ.
    pub(crate) sequence: u32,
    /// SEG.ACK, if the ACK flag is set.
    pub(crate) acknowledgment: Option<u32>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
    /// ECE: the peer received a congestion mark (RFC 3168 §6.1).
    pub(crate) echo: bool,
    /// CWR: the peer reduced its window.
    pub(crate) reduced: bool,
    /// SEG.WND, not scaled.
    pub(crate) window: u16,
    /// The data offset: bytes of the header with its options.
    pub(crate) header: u8,
    /// Bytes of data: SEG.LEN without SYN and FIN.
    pub(crate) length: u32,
    // Urgent data is received in its place in the stream, as with SO_OOBINLINE: there is no
    // SEG.UP, SND.UP or RCV.UP (RFC 6093 §6).
}

impl Segment {
    /// Parses a TCP packet; `None` when its header is invalid.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let tcp = TcpPacket::new_checked(packet).ok()?;
        let header = tcp.header_len();
        Some(Self {
            sequence: number(tcp.seq_number()),
            acknowledgment: tcp.ack().then(|| number(tcp.ack_number())),
            syn: tcp.syn(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            echo: tcp.ece(),
            reduced: tcp.cwr(),
            window: tcp.window_len(),
            header,
            length: u32::try_from(packet.len().checked_sub(usize::from(header))?).ok()?,
        })
    }

    /// SEG.SEQ + SEG.LEN: the sequence number after this segment; SYN and FIN occupy one each.
    pub(crate) const fn end(&self) -> u32 {
        self.sequence
            .wrapping_add(self.length)
            .wrapping_add(self.syn as u32)
            .wrapping_add(self.fin as u32)
    }
}

/// Iterates over options. Skips unknown kinds, and stops at a malformed option (TCP-R-14).
struct Options<'a>(&'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            match self.0 {
                [] | [END, ..] => return None,
                [NO_OPERATION, rest @ ..] => self.0 = rest,
                [kind, length, rest @ ..] => {
                    let (value, rest) =
                        rest.split_at_checked(usize::from(*length).checked_sub(2)?)?;
                    self.0 = rest;
                    return Some((*kind, value));
                }
                [_] => return None,
            }
        }
    }
}

/// The options of a SYN.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct SynOptions {
    /// The window scale, if offered.
    pub(crate) shift: Option<u8>,
    /// The advertised MSS, if present.
    pub(crate) segment: Option<u16>,
    /// SACK-permitted.
    pub(crate) sack: bool,
    /// TSval and TSecr, if present (RFC 7323 §3.2).
    pub(crate) timestamps: Option<(u32, u32)>,
}

/// Parses the options of a SYN.
pub(crate) fn read_syn_options(options: &[u8]) -> SynOptions {
    let mut offer = SynOptions::default();
    for option in Options(options) {
        match option {
            // An MSS of zero counts as absent, as on Linux.
            (MSS, [high, low]) => {
                offer.segment =
                    Some(u16::from_be_bytes([*high, *low])).filter(|segment| *segment > 0);
            }
            (WINDOW_SCALE, [shift]) => offer.shift = Some((*shift).min(MAX_WND_SHIFT)),
            (SACK_PERMITTED, []) => offer.sack = true,
            (TIMESTAMPS, value) => offer.timestamps = timestamps_of(value),
            _ => {}
        }
    }
    offer
}

fn timestamps_of(value: &[u8]) -> Option<(u32, u32)> {
    let [a, b, c, d, e, f, g, h] = *value else { return None };
    Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])))
}

/// The first bytes of the aligned timestamps option.
pub(crate) const TIMESTAMPS_HEAD: u32 =
    u32::from_be_bytes([NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10]);

/// The timestamps option, aligned.
pub(crate) const fn timestamps_option((value, echo): (u32, u32)) -> [u8; TIMESTAMPS_BYTES] {
    let ([a, b, c, d], [e, f, g, h]) = (value.to_be_bytes(), echo.to_be_bytes());
    [NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10, a, b, c, d, e, f, g, h]
}

/// The options of a SYN as bytes, and their length, a multiple of four.
pub(crate) fn syn_options(offer: &SynOptions) -> ([u8; SYN_OPTIONS], usize) {
    let [high, low] = offer.segment.unwrap_or_default().to_be_bytes();
    let [kind, bytes] = if offer.sack { [SACK_PERMITTED, 2] } else { [NO_OPERATION; 2] };
    let shift = offer.shift.unwrap_or_default();
    let without_scale = if offer.shift.is_none() { 4 } else { 0 };
    let nop = NO_OPERATION;
    match offer.timestamps {
        // SACK-permitted takes the place of the padding of the timestamps.
        Some(timestamps) => {
            let [_, _, t @ ..] = timestamps_option(timestamps);
            let [p, q, a, b, c, d, e, f, g, h] = t;
            let options = [
                MSS,
                4,
                high,
                low,
                kind,
                bytes,
                p,
                q,
                a,
                b,
                c,
                d,
                e,
                f,
                g,
                h,
                nop,
                WINDOW_SCALE,
                3,
                shift,
            ];
            (options, SYN_OPTIONS - without_scale)
        }
        None => {
            let options = [
                MSS,
                4,
                high,
                low,
                nop,
                nop,
                kind,
                bytes,
                nop,
                WINDOW_SCALE,
                3,
                shift,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
            ];
            (options, 12 - without_scale)
        }
    }
}

/// The options of a segment other than a SYN.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct SegmentOptions {
    /// TSval and TSecr.
    pub(crate) timestamps: Option<(u32, u32)>,
    pub(crate) blocks: Blocks,
}

impl SegmentOptions {
    /// The options of nearly every segment: none, or aligned timestamps alone. `None` for all
    /// others, which [`read`](Self::read) parses.
    #[inline]
    pub(crate) fn plain(options: &[u8]) -> Option<Option<(u32, u32)>> {
        match options {
            [] => Some(None),
            [NO_OPERATION, NO_OPERATION, TIMESTAMPS, 10, value @ ..] if value.len() == 8 => {
                Some(timestamps_of(value))
            }
            _ => None,
        }
    }

    /// TSval and TSecr, and the SACK blocks. `parsed` keeps what rare options need.
    #[inline]
    pub(crate) fn parse<'a>(
        options: &[u8],
        parsed: &'a mut Option<Self>,
    ) -> (Option<(u32, u32)>, &'a Blocks) {
        match Self::plain(options) {
            Some(timestamps) => (timestamps, Blocks::NONE),
            None => {
                let Self { timestamps, blocks } = parsed.insert(Self::read(options));
                (*timestamps, blocks)
            }
        }
    }

    /// Parses the options; skips invalid ones.
    pub(crate) fn read(options: &[u8]) -> Self {
        let mut read = Self::default();
        for (kind, value) in Options(options) {
            match kind {
                TIMESTAMPS => read.timestamps = timestamps_of(value),
                SACK => read.blocks.read(value),
                _ => {}
            }
        }
        read
    }
}

/// SACK blocks: ranges of sequence numbers (left edge, right edge), in the order of the option.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Blocks {
    ranges: [(u32, u32); BLOCKS],
    count: u8,
}

impl Blocks {
    /// No blocks.
    pub(crate) const NONE: &Self = &Self { ranges: [(0, 0); BLOCKS], count: 0 };

    /// Parses the value of a SACK option; skips empty and reversed ranges.
    fn read(&mut self, value: &[u8]) {
        for [a, b, c, d, e, f, g, h] in value.as_chunks::<8>().0 {
            let (first, end) =
                (u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h]));
            if before(first, end) {
                self.push((first, end));
            }
        }
    }

    /// Adds a range, if there is room.
    pub(crate) fn push(&mut self, range: (u32, u32)) {
        if let Some(place) = self.ranges.get_mut(usize::from(self.count)) {
            *place = range;
            self.count += 1;
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Drops what exceeds this count.
    pub(crate) fn truncate(&mut self, count: u8) {
        self.count = self.count.min(count);
    }

    /// The same blocks, sorted by their distance from `number`.
    pub(crate) fn sorted_from(mut self, number: u32) -> Self {
        if let Some(ranges) = self.ranges.get_mut(..usize::from(self.count)) {
            ranges.sort_unstable_by_key(|(first, _)| first.wrapping_sub(number));
        }
        self
    }

    pub(crate) fn as_slice(&self) -> &[(u32, u32)] {
        self.ranges.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// The length of the option, padded to a multiple of four.
    pub(crate) const fn bytes(&self) -> usize {
        if self.count == 0 { 0 } else { 4 + self.count as usize * 8 }
    }

    /// Writes the option into [`bytes`](Self::bytes) bytes.
    pub(crate) fn write(&self, options: &mut [u8]) {
        let [first, second, kind, length, rest @ ..] = options else { return };
        (*first, *second, *kind) = (NO_OPERATION, NO_OPERATION, SACK);
        // Four ranges are 34 bytes.
        *length = (self.bytes() - 2) as u8;
        for (place, (first, end)) in rest.as_chunks_mut::<8>().0.iter_mut().zip(self.as_slice()) {
            let ([a, b, c, d], [e, f, g, h]) = (first.to_be_bytes(), end.to_be_bytes());
            *place = [a, b, c, d, e, f, g, h];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_r_14_malformed_options_end_parsing_or_are_skipped() {
        // An unknown kind, then an MSS.
        assert_eq!(read_syn_options(&[254, 4, 1, 2, 2, 4, 5, 180]).segment, Some(1460));
        for broken in
            [&[2u8, 0][..], &[2, 1, 5, 180], &[2, 40, 5, 180], &[2], &[3, 3], &[254, 255, 2, 4]]
        {
            assert_eq!(read_syn_options(broken), SynOptions::default(), "{broken:?}");
        }
        // Options of a wrong length.
        assert_eq!(
            read_syn_options(&[3, 4, 7, 7, 2, 4, 5, 180]),
            SynOptions { segment: Some(1460), ..SynOptions::default() }
        );
        assert_eq!(
            read_syn_options(&[3, 3, 200, 1, 4, 2]),
            SynOptions { shift: Some(14), sack: true, ..SynOptions::default() }
        );
        for broken in
            [&[5u8, 9, 0, 0, 0, 1, 0, 0, 0][..], &[8, 9, 0, 0, 0, 1, 0, 0, 0], &[8, 10, 1]]
        {
            assert_eq!(SegmentOptions::read(broken), SegmentOptions::default(), "{broken:?}");
        }
    }

    #[test]
    fn sack_blocks_round_trip_and_invalid_ones_are_skipped() {
        let mut blocks = Blocks::default();
        for range in [(1, 5), (u32::MAX, 3), (7, 9), (20, 21), (30, 31)] {
            blocks.push(range);
        }
        let mut options = [0; 36];
        assert_eq!(blocks.bytes(), 36);
        blocks.write(&mut options);
        assert_eq!(SegmentOptions::read(&options).blocks, blocks);
        assert_eq!(blocks.as_slice(), [(1, 5), (u32::MAX, 3), (7, 9), (20, 21)]);
        let backwards = [5, 18, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 6];
        assert_eq!(SegmentOptions::read(&backwards).blocks.as_slice(), [(4, 6)]);
    }

    #[test]
    fn syn_options_round_trip() {
        for shift in [None, Some(0), Some(9)] {
            for sack in [false, true] {
                for timestamps in [None, Some((1, u32::MAX))] {
                    let offer = SynOptions { shift, segment: Some(1460), sack, timestamps };
                    let (options, length) = syn_options(&offer);
                    assert_eq!((read_syn_options(&options[..length]), length % 4), (offer, 0));
                }
            }
        }
    }

    #[test]
    fn timestamps_and_sack_blocks_stand_beside_each_other() {
        let mut blocks = Blocks::default();
        [(1, 5), (7, 9), (20, 21)].into_iter().for_each(|range| blocks.push(range));
        blocks.truncate(3);
        let mut options = timestamps_option((5, 9)).to_vec();
        assert_eq!(SegmentOptions::read(&options).timestamps, Some((5, 9)));
        options.resize(TIMESTAMPS_BYTES + blocks.bytes(), 0);
        blocks.write(&mut options[TIMESTAMPS_BYTES..]);
        assert_eq!(options.len(), 40);
        assert_eq!(
            SegmentOptions::read(&options),
            SegmentOptions { timestamps: Some((5, 9)), blocks }
        );
    }
}
