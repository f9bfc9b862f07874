//! Reassembly of fragmented datagrams, IPv4 and IPv6.
//!
//! [`limits::REASSEMBLIES`] datagrams and [`limits::REASSEMBLY_BYTES`] bytes of buffers bound it,
//! and a source has a share of both, beyond which it loses its own oldest datagram. When all is
//! full, the oldest of all is dropped, so that stray fragments cannot block others. A
//! datagram times out 60 s after its first fragment (RFC 1122 §3.3.2, RFC 8200 §4.5). Overlapping
//! fragments discard the whole datagram; exact duplicates are ignored (RFC 5722, RFC 3128).

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::driver::{Frame, FramePool};
use crate::limits;
use crate::platform::Instant;
use crate::stack::wire::header::{
    self, Fragment, Header, IPV4_HEADER, IPV6_HEADER, PAYLOAD_MAXIMUM,
};

/// The reassembly timeout.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    protocol: u8,
}

#[derive(Debug)]
struct Datagram {
    key: Key,
    deadline: Instant,
    /// Disjoint pieces in order of offset.
    pieces: Vec<(usize, Frame)>,
    bytes: usize,
    /// Bytes of the buffers of its pieces.
    memory: usize,
    /// The length of the whole payload, once the last fragment arrived.
    total: Option<usize>,
    /// The header of the fragment at offset 0, which becomes the header of the datagram (RFC 791
    /// §3.2).
    first: Option<Header>,
    /// The IPv4 options of that fragment.
    options: Vec<u8>,
    /// Its sender may be told when the datagram times out.
    is_answerable: bool,
    /// The ECN fields of all fragments, a bit for each value.
    marks: u8,
}

/// The result of a fragment.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Stored; fragments are missing.
    Stored,
    /// The datagram is complete: one packet without fragment or extension headers.
    Whole(Frame, Header),
    /// The fragment, or the datagram with it, was discarded.
    Discarded,
}

/// The incomplete datagrams, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    datagrams: VecDeque<Datagram>,
    /// Bytes of the buffers of all pieces.
    memory: usize,
}

impl Reassembly {
    /// Adds a fragment whose header was parsed; `frame` starts with its IP header. `is_answerable`
    /// when an ICMP error about it may be sent.
    pub(crate) fn add(
        &mut self,
        (header, fragment): (&Header, Fragment),
        mut frame: Frame,
        is_answerable: bool,
        now: Instant,
        pool: &mut FramePool,
    ) -> Outcome {
        let options = options_of(&frame, header);
        frame.advance(header.length);
        let (start, end) = (fragment.offset, fragment.offset + frame.len());
        // All fragments but the last are a multiple of eight bytes, and none exceeds the maximum.
        let impossible = (fragment.more && (frame.is_empty() || !frame.len().is_multiple_of(8)))
            || end > PAYLOAD_MAXIMUM;
        if impossible {
            pool.put(frame);
            return Outcome::Discarded;
        }
        let key = Key {
            source: header.source,
            destination: header.destination,
            identification: fragment.identification,
            // IPv6 identifies a datagram without its protocol (RFC 8200 §4.5).
            protocol: if header.source.is_ipv4() { header.protocol } else { 0 },
        };
        self.make_room(memory_of(&frame), key, pool);
        let index = self.find_or_start(key, now);
        let Some(datagram) = self.datagrams.get_mut(index) else { return Outcome::Discarded };
        let added = memory_of(&frame);
        match datagram.insert(header, fragment, start, end, frame) {
            Insertion::Duplicate(frame) => {
                pool.put(frame);
                Outcome::Stored
            }
            Insertion::Conflict(frame) => {
                pool.put(frame);
                self.discard(index, pool);
                Outcome::Discarded
            }
            Insertion::Added => {
                self.memory += added;
                datagram.memory += added;
                datagram.marks |= 1 << (header.traffic_class & 3);
                if start == 0 {
                    datagram.options = options;
                    datagram.is_answerable = is_answerable;
                }
                if datagram.is_whole() { self.assemble(index, pool) } else { Outcome::Stored }
            }
        }
    }

    fn find_or_start(&mut self, key: Key, now: Instant) -> usize {
        if let Some(index) = self.datagrams.iter().position(|datagram| datagram.key == key) {
            return index;
        }
        let deadline = now.after(LIFETIME);
        self.datagrams.push_back(Datagram {
            key,
            deadline,
            pieces: Vec::new(),
            bytes: 0,
            memory: 0,
            total: None,
            first: None,
            options: Vec::new(),
            is_answerable: false,
            marks: 0,
        });
        self.datagrams.len() - 1
    }

    /// Drops the oldest datagrams until the new fragment fits.
    fn make_room(&mut self, memory: usize, key: Key, pool: &mut FramePool) {
        // A source with much loses its own oldest first (FRG-01).
        while self.exceeds_share(memory, key)
            && let Some(oldest) =
                self.datagrams.iter().position(|datagram| datagram.key.source == key.source)
        {
            self.discard(oldest, pool);
        }
        let is_new = !self.datagrams.iter().any(|datagram| datagram.key == key);
        while !self.datagrams.is_empty()
            && ((is_new && self.datagrams.len() >= limits::REASSEMBLIES)
                || self.memory + memory > limits::REASSEMBLY_BYTES)
        {
            self.discard(0, pool);
        }
    }

    /// True when a source would have more than its share with another fragment.
    fn exceeds_share(&self, memory: usize, key: Key) -> bool {
        let own = || self.datagrams.iter().filter(|datagram| datagram.key.source == key.source);
        let is_new = own().all(|datagram| datagram.key != key);
        let used: usize = own().map(|datagram| datagram.memory).sum();
        (is_new && own().count() >= limits::REASSEMBLIES_PER_SOURCE)
            || used + memory > limits::REASSEMBLY_BYTES_PER_SOURCE
    }

    fn discard(&mut self, index: usize, pool: &mut FramePool) {
        if let Some(datagram) = self.datagrams.remove(index) {
            self.memory -= datagram.memory;
            datagram.pieces.into_iter().for_each(|(_, frame)| pool.put(frame));
        }
    }

    fn assemble(&mut self, index: usize, pool: &mut FramePool) -> Outcome {
        let Some(datagram) = self.datagrams.remove(index) else { return Outcome::Discarded };
        self.memory -= datagram.memory;
        let (Some(mut first), Some(mark)) = (datagram.first, joined_marks(datagram.marks)) else {
            datagram.pieces.into_iter().for_each(|(_, piece)| pool.put(piece));
            return Outcome::Discarded;
        };
        first.traffic_class = first.traffic_class & !3 | mark;
        let length = header::length_for(first.destination) + datagram.options.len();
        let mut packet = pool.take(length + datagram.bytes);
        for (offset, piece) in datagram.pieces {
            if let Some(place) =
                packet.bytes_mut().get_mut(length + offset..length + offset + piece.len())
            {
                place.copy_from_slice(piece.bytes());
            }
            pool.put(piece);
        }
        let outgoing = header::Outgoing {
            source: first.source,
            destination: first.destination,
            protocol: first.protocol,
            hop_limit: first.hop_limit,
            traffic_class: first.traffic_class,
        };
        if length + datagram.bytes
            > PAYLOAD_MAXIMUM + if first.source.is_ipv6() { IPV6_HEADER } else { 0 }
        {
            pool.put(packet);
            return Outcome::Discarded;
        }
        header::emit(&outgoing, packet.bytes_mut());
        if first.source.is_ipv4() {
            header::insert_ipv4_options(packet.bytes_mut(), &datagram.options);
        }
        Outcome::Whole(packet, Header { length, fragment: None, ..first })
    }

    /// Drops datagrams that timed out. Returns their sources, and the first fragments whose senders
    /// may be told, as they arrived.
    pub(crate) fn expire(
        &mut self,
        now: Instant,
        pool: &mut FramePool,
    ) -> (Vec<IpAddr>, Vec<Frame>) {
        let (mut expired, mut first_fragments) = (Vec::new(), Vec::new());
        while let Some(datagram) = self.datagrams.front_mut().filter(|front| front.deadline <= now)
        {
            first_fragments.extend(datagram.take_first());
            expired.push(datagram.key.source);
            self.discard(0, pool);
        }
        (expired, first_fragments)
    }

    /// When [`expire`](Self::expire) is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.datagrams.front().map(|datagram| datagram.deadline)
    }

    /// Datagrams and bytes of buffers in use.
    #[cfg(test)]
    pub(crate) fn usage(&self) -> (usize, usize) {
        (self.datagrams.len(), self.memory)
    }
}

/// Bytes of the buffer that a fragment occupies, however short it is.
fn memory_of(frame: &Frame) -> usize {
    frame.len().max(limits::FRAME_BYTES)
}

/// The options of an IPv4 fragment; the datagram gets those of the first one (FRG-04).
fn options_of(frame: &Frame, header: &Header) -> Vec<u8> {
    match header.source {
        IpAddr::V4(_) => frame.bytes().get(IPV4_HEADER..header.length).unwrap_or_default().to_vec(),
        IpAddr::V6(_) => Vec::new(),
    }
}

/// The ECN field of a datagram from those of its fragments: congestion experienced by one was
/// experienced by all. `None` when some are capable of ECN and others not (RFC 3168 §5.3).
const fn joined_marks(marks: u8) -> Option<u8> {
    const NOT_CAPABLE: u8 = 1;
    const CAPABLE_1: u8 = 2;
    const EXPERIENCED: u8 = 8;
    match marks {
        NOT_CAPABLE => Some(0),
        _ if marks & NOT_CAPABLE != 0 => None,
        _ if marks & EXPERIENCED != 0 => Some(3),
        CAPABLE_1 => Some(1),
        _ => Some(2),
    }
}

enum Insertion {
    Added,
    Duplicate(Frame),
    Conflict(Frame),
}

impl Datagram {
    fn insert(
        &mut self,
        header: &Header,
        fragment: Fragment,
        start: usize,
        end: usize,
        frame: Frame,
    ) -> Insertion {
        let is_duplicate = self
            .pieces
            .iter()
            .any(|(offset, piece)| *offset == start && piece.bytes() == frame.bytes());
        if is_duplicate && !frame.is_empty() {
            return Insertion::Duplicate(frame);
        }
        let overlaps = self
            .pieces
            .iter()
            .any(|(offset, piece)| start < *offset + piece.len() && *offset < end);
        let past_the_end = self.total.is_some_and(|total| end > total);
        let ends_differ = !fragment.more
            && (self.total.is_some_and(|total| total != end)
                || self.pieces.iter().any(|(offset, piece)| offset + piece.len() > end));
        if overlaps || past_the_end || ends_differ || self.pieces.len() >= limits::FRAGMENTS {
            return Insertion::Conflict(frame);
        }
        if !fragment.more {
            self.total = Some(end);
        }
        if start == 0 {
            self.first = Some(*header);
        }
        self.bytes += frame.len();
        let place = self.pieces.partition_point(|(offset, _)| *offset < start);
        self.pieces.insert(place, (start, frame));
        Insertion::Added
    }

    /// Takes the fragment at offset 0 with its header in front, if its sender may be told.
    fn take_first(&mut self) -> Option<Frame> {
        let length = self.first.filter(|_| self.is_answerable)?.length;
        let place = self.pieces.iter().position(|(offset, _)| *offset == 0)?;
        let (_, mut frame) = self.pieces.remove(place);
        // The header is still in front: the frame was only advanced past it.
        frame.prepend(length).then_some(frame)
    }

    /// Pieces are disjoint and inside the total, so their byte count decides.
    fn is_whole(&self) -> bool {
        self.first.is_some() && self.total == Some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::wire::header::{Malformed, protocol};

    fn fragment_of(identification: u16, offset: usize, more: bool, data: &[u8]) -> Frame {
        let mut frame = FramePool::new().take(IPV4_HEADER + data.len());
        let outgoing = header::Outgoing {
            source: IpAddr::from([10, 0, 0, 1]),
            destination: IpAddr::from([10, 0, 0, 2]),
            protocol: protocol::UDP,
            hop_limit: 64,
            traffic_class: 0,
        };
        header::emit(&outgoing, frame.bytes_mut());
        let mut packet = smoltcp::wire::Ipv4Packet::new_unchecked(frame.bytes_mut());
        packet.set_ident(identification);
        packet.set_more_frags(more);
        packet.set_frag_offset(offset as u16);
        packet.fill_checksum();
        frame.bytes_mut()[IPV4_HEADER..].copy_from_slice(data);
        frame
    }

    fn add(reassembly: &mut Reassembly, mut frame: Frame, at: u64) -> Result<Outcome, Malformed> {
        let header = header::parse(&mut frame, true)?;
        Ok(reassembly.add(
            (&header, header.fragment.unwrap()),
            frame,
            true,
            Instant::from_micros(at),
            &mut FramePool::new(),
        ))
    }

    #[test]
    fn frg_05_three_fragments_come_together_in_every_order() {
        let data: Vec<u8> = (0..=255).collect();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut reassembly = Reassembly::default();
            let mut whole = None;
            for piece in order {
                let (start, end, more) = [(0, 88, true), (88, 176, true), (176, 256, false)][piece];
                if let Outcome::Whole(frame, header) =
                    add(&mut reassembly, fragment_of(7, start, more, &data[start..end]), 0).unwrap()
                {
                    whole = Some((frame, header));
                }
            }
            let (frame, header) = whole.expect("whole after the third");
            assert_eq!(&frame.bytes()[header.length..], &data[..], "{order:?}");
            assert_eq!(reassembly.usage(), (0, 0));
        }
    }

    #[test]
    fn frg_03_overlap_discards_the_datagram_and_a_duplicate_does_not() {
        let mut reassembly = Reassembly::default();
        assert!(matches!(
            add(&mut reassembly, fragment_of(1, 0, true, &[1; 16]), 0).unwrap(),
            Outcome::Stored
        ));
        assert!(matches!(
            add(&mut reassembly, fragment_of(1, 0, true, &[1; 16]), 0).unwrap(),
            Outcome::Stored
        ));
        assert!(matches!(
            add(&mut reassembly, fragment_of(1, 8, true, &[2; 16]), 0).unwrap(),
            Outcome::Discarded
        ));
        assert_eq!(reassembly.usage(), (0, 0));
    }

    #[test]
    fn frg_02_impossible_fragments_are_refused_at_once() {
        let mut reassembly = Reassembly::default();
        assert!(matches!(
            add(&mut reassembly, fragment_of(1, 65528, false, &[0; 16]), 0).unwrap(),
            Outcome::Discarded
        ));
        assert!(matches!(
            add(&mut reassembly, fragment_of(1, 0, true, &[0; 15]), 0).unwrap(),
            Outcome::Discarded
        ));
        assert!(matches!(
            add(&mut reassembly, fragment_of(1, 8, true, &[]), 0).unwrap(),
            Outcome::Discarded
        ));
        assert_eq!(reassembly.usage(), (0, 0));
        // Two different last fragments.
        assert!(matches!(
            add(&mut reassembly, fragment_of(2, 16, false, &[0; 16]), 0).unwrap(),
            Outcome::Stored
        ));
        assert!(matches!(
            add(&mut reassembly, fragment_of(2, 40, false, &[0; 16]), 0).unwrap(),
            Outcome::Discarded
        ));
    }

    #[test]
    fn frg_01_a_flood_pushes_out_the_oldest_and_stays_bounded() {
        let mut reassembly = Reassembly::default();
        for identification in 0..5000u16 {
            add(&mut reassembly, fragment_of(identification, 0, true, &[0; 1400]), 0).unwrap();
            let (count, bytes) = reassembly.usage();
            assert!(count <= limits::REASSEMBLIES && bytes <= limits::REASSEMBLY_BYTES);
        }
        // The newest datagram is still there and completes.
        assert!(matches!(
            add(&mut reassembly, fragment_of(4999, 1400, false, &[0; 8]), 0).unwrap(),
            Outcome::Whole(..)
        ));
    }

    #[test]
    fn frg_01_one_source_pushes_out_its_own() {
        let mut reassembly = Reassembly::default();
        add(&mut reassembly, from_other(fragment_of(9, 0, true, &[1; 8])), 0).unwrap();
        for identification in 0..500u16 {
            add(&mut reassembly, fragment_of(identification, 0, true, &[0; 8]), 0).unwrap();
        }
        assert_eq!(reassembly.usage().0, limits::REASSEMBLIES_PER_SOURCE + 1);
        let last = from_other(fragment_of(9, 8, false, &[2; 8]));
        assert!(matches!(add(&mut reassembly, last, 0).unwrap(), Outcome::Whole(..)));
    }

    #[test]
    fn frg_01_large_datagrams_of_one_source_push_out_its_own() {
        let mut reassembly = Reassembly::default();
        add(&mut reassembly, from_other(fragment_of(9, 0, true, &[1; 1480])), 0).unwrap();
        for identification in 0..100u16 {
            for piece in 0..45 {
                let length = if piece < 44 { 1480 } else { 408 };
                let fragment =
                    fragment_of(identification, piece * 1480, true, &[0; 1480][..length]);
                add(&mut reassembly, fragment, 0).unwrap();
                assert!(reassembly.usage().1 <= limits::REASSEMBLY_BYTES);
            }
        }
        let last = from_other(fragment_of(9, 1480, false, &[2; 8]));
        assert!(matches!(add(&mut reassembly, last, 0).unwrap(), Outcome::Whole(..)));
    }

    fn from_other(mut frame: Frame) -> Frame {
        let mut packet = smoltcp::wire::Ipv4Packet::new_unchecked(frame.bytes_mut());
        packet.set_src_addr(core::net::Ipv4Addr::new(10, 0, 0, 77));
        packet.fill_checksum();
        frame
    }

    #[test]
    fn frg_07_thousands_of_tiny_fragments_are_bounded() {
        let mut reassembly = Reassembly::default();
        let kept = (0..4000).filter(|piece| {
            matches!(
                add(&mut reassembly, fragment_of(1, piece * 16, true, &[0; 8]), 0).unwrap(),
                Outcome::Stored
            )
        });
        assert!(kept.count() < 4000);
        assert!(reassembly.usage().1 <= limits::FRAGMENTS * limits::FRAME_BYTES);
    }

    #[test]
    fn frg_05_an_incomplete_datagram_expires_sixty_seconds_after_its_first_fragment() {
        let mut reassembly = Reassembly::default();
        add(&mut reassembly, fragment_of(1, 0, true, &[0; 8]), 0).unwrap();
        add(&mut reassembly, fragment_of(1, 8, true, &[0; 8]), 50_000_000).unwrap();
        let mut expire =
            |at: u64| reassembly.expire(Instant::from_micros(at), &mut FramePool::new());
        assert_eq!(expire(59_999_999).0.len(), 0);
        let (sources, first_fragments) = expire(60_000_000);
        assert_eq!((sources.len(), first_fragments.len()), (1, 1));
        assert_eq!(first_fragments[0].bytes(), fragment_of(1, 0, true, &[0; 8]).bytes());
        assert_eq!((reassembly.usage(), reassembly.deadline()), ((0, 0), None));
    }

    #[test]
    fn congestion_that_one_fragment_experienced_counts_for_the_datagram() {
        const NOT: u8 = 1;
        let cases = [
            (NOT, Some(0)),
            (1 << 1, Some(1)),
            (1 << 2, Some(2)),
            (1 << 3, Some(3)),
            (1 << 2 | 1 << 3, Some(3)),
            (1 << 1 | 1 << 2, Some(2)),
            (NOT | 1 << 3, None),
            (NOT | 1 << 2, None),
        ];
        for (marks, expected) in cases {
            assert_eq!(joined_marks(marks), expected, "{marks:b}");
        }
    }
}
