//! Reads captures: pcapng streams, and the files of classic pcap, of either byte order.
//!
//! The bytes may come in pieces of any size. Blocks that have no frame are skipped.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::pcapng::{
    BYTE_ORDER, COMMENT, END_OF_OPTIONS, ENHANCED_PACKET, INTERFACE_DESCRIPTION, INTERFACE_NAME,
    LINK_ETHERNET, LINK_RAW, PACKET_DROP_COUNT, PACKET_FLAGS, SECTION_HEADER,
};
use crate::command::capture::CaptureDirection;
use crate::driver::Medium;
use crate::limits;

const SIMPLE_PACKET: u32 = 3;
/// Options of an interface: the resolution of its times, and what is added in seconds.
const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;
/// Other numbers of packets without Ethernet: LINKTYPE_IPV4, LINKTYPE_IPV6, and raw IP of the BSDs.
const LINKS_OF_IP: [u16; 5] = [LINK_RAW, 228, 229, 12, 14];
/// Classic pcap with times in microseconds, and in nanoseconds.
const PCAP_MICROS: u32 = 0xa1b2_c3d4;
const PCAP_NANOS: u32 = 0xa1b2_3c4d;
/// Type and length, before the content of a block.
const BLOCK_HEAD: usize = 8;
const PCAP_HEADER: usize = 24;
const PCAP_RECORD: usize = 16;
const NANOS: u64 = 1_000_000_000;

/// Why a file is no capture that can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// It begins with neither format, or a block contradicts itself.
    Malformed,
    /// A block is longer than [`limits::CAPTURE_BLOCK_BYTES`].
    TooLong,
    /// Frames of this link type cannot be read.
    LinkType(u16),
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => formatter.write_str("not a pcapng or pcap capture"),
            Self::TooLong => formatter.write_str("a block is too long"),
            Self::LinkType(number) => write!(formatter, "the link type {number} is not known"),
        }
    }
}

impl core::error::Error for ReadError {}

/// One frame of a capture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When it was seen, as a rule as Unix time.
    pub time: Duration,
    /// The name of the interface; empty if it is not said.
    pub interface: Arc<str>,
    /// What it begins with.
    pub medium: Medium,
    /// Which way it went, if that is said.
    pub direction: CaptureDirection,
    /// The bytes that were kept.
    pub bytes: Vec<u8>,
    /// The length that it had.
    pub length: usize,
    /// Frames of the interface that were lost before it.
    pub lost: u64,
    /// The comment; empty without one.
    pub comment: String,
}

/// An interface of a section.
#[derive(Clone, Debug)]
struct Described {
    name: Arc<str>,
    medium: Result<Medium, u16>,
    /// Units of a second, and what is added.
    resolution: u64,
    offset: u64,
}

#[derive(Clone, Debug)]
enum Format {
    Pcapng,
    Pcap(Described),
}

/// A reader that is fed with bytes.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    /// Bytes of these that were read.
    position: usize,
    format: Option<Format>,
    is_big_endian: bool,
    interfaces: Vec<Described>,
}

impl Reader {
    /// Takes further bytes of the capture.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.position);
        self.position = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// True if the capture may end here: nothing of a block is left.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.bytes.len() == self.position
    }

    /// The next frame; `None` until more bytes were fed.
    ///
    /// # Errors
    /// Why it is none; nothing further can be read.
    pub fn next_record(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            match self.format.clone() {
                None => {
                    if !self.begin()? {
                        return Ok(None);
                    }
                }
                Some(Format::Pcap(described)) => return self.pcap(&described),
                Some(Format::Pcapng) => {
                    let Some((kind, end)) = self.block()? else { return Ok(None) };
                    let record = self.content(kind, end)?;
                    if record.is_some() {
                        return Ok(record);
                    }
                }
            }
        }
    }

    /// The interfaces that were described in this section: the name of each, which is empty if it
    /// is not said, and what its frames begin with, if that is known.
    pub fn interfaces(&self) -> impl Iterator<Item = (&str, Option<Medium>)> {
        self.interfaces.iter().map(|known| (&*known.name, known.medium.ok()))
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(self.position + at..)?.first_chunk()?;
        Some(if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(self.position + at..)?.first_chunk()?;
        Some(if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u64_at(&self, at: usize) -> Option<u64> {
        let (first, second) = (u64::from(self.u32_at(at)?), u64::from(self.u32_at(at + 4)?));
        Some(if self.is_big_endian { first << 32 | second } else { second << 32 | first })
    }

    /// Recognises the format; false before there are enough bytes.
    fn begin(&mut self) -> Result<bool, ReadError> {
        self.is_big_endian = false;
        let Some(first) = self.u32_at(0) else { return Ok(false) };
        if first == SECTION_HEADER {
            self.format = Some(Format::Pcapng);
            return Ok(true);
        }
        self.is_big_endian = [PCAP_MICROS, PCAP_NANOS].contains(&first.swap_bytes());
        let resolution = match self.u32_at(0) {
            Some(PCAP_MICROS) => 1_000_000,
            Some(PCAP_NANOS) => NANOS,
            _ => return Err(ReadError::Malformed),
        };
        let Some(link) = self.u32_at(PCAP_HEADER - 4) else { return Ok(false) };
        // What stands above says how frames end.
        let medium = medium(link as u16);
        let described = Described { name: Arc::default(), medium, resolution, offset: 0 };
        self.format = Some(Format::Pcap(described));
        self.position += PCAP_HEADER;
        Ok(true)
    }

    /// A record of classic pcap.
    fn pcap(&mut self, described: &Described) -> Result<Option<Record>, ReadError> {
        let words = [0, 4, 8, 12].map(|at| self.u32_at(at));
        let [Some(seconds), Some(fraction), Some(kept), Some(length)] = words else {
            return Ok(None);
        };
        let kept = kept as usize;
        if kept > limits::CAPTURE_BLOCK_BYTES {
            return Err(ReadError::TooLong);
        }
        let start = self.position + PCAP_RECORD;
        let Some(bytes) = self.bytes.get(start..start + kept) else { return Ok(None) };
        let nanos = u64::from(fraction) * (NANOS / described.resolution);
        let record = Record {
            time: Duration::from_secs(seconds.into()) + Duration::from_nanos(nanos),
            interface: Arc::clone(&described.name),
            medium: described.medium.map_err(ReadError::LinkType)?,
            direction: CaptureDirection::Both,
            bytes: bytes.to_vec(),
            length: length as usize,
            lost: 0,
            comment: String::new(),
        };
        self.position = start + kept;
        Ok(Some(record))
    }

    /// A whole block: its kind, and where its content ends, counted from the present position.
    fn block(&mut self) -> Result<Option<(u32, usize)>, ReadError> {
        let (Some(kind), Some(order)) = (self.u32_at(0), self.u32_at(8)) else { return Ok(None) };
        if kind == SECTION_HEADER && order != BYTE_ORDER {
            if order != BYTE_ORDER.swap_bytes() {
                return Err(ReadError::Malformed);
            }
            self.is_big_endian = !self.is_big_endian;
        }
        let length = self.u32_at(4).unwrap_or_default() as usize;
        if length > limits::CAPTURE_BLOCK_BYTES {
            return Err(ReadError::TooLong);
        }
        if length < 12 || !length.is_multiple_of(4) {
            return Err(ReadError::Malformed);
        }
        if self.bytes.len() < self.position + length {
            return Ok(None);
        }
        if self.u32_at(length - 4) != Some(length as u32) {
            return Err(ReadError::Malformed);
        }
        Ok(Some((kind, length - 4)))
    }

    /// The frame of a block, if it has one; the block is read then.
    fn content(&mut self, kind: u32, end: usize) -> Result<Option<Record>, ReadError> {
        let record = match kind {
            SECTION_HEADER => {
                self.interfaces.clear();
                None
            }
            INTERFACE_DESCRIPTION => {
                if self.interfaces.len() >= limits::CAPTURE_INTERFACES {
                    return Err(ReadError::TooLong);
                }
                let described = self.described(BLOCK_HEAD, end).ok_or(ReadError::Malformed)?;
                self.interfaces.push(described);
                None
            }
            ENHANCED_PACKET => Some(self.enhanced(BLOCK_HEAD, end)?),
            SIMPLE_PACKET => Some(self.simple(BLOCK_HEAD, end)?),
            _ => None,
        };
        self.position += end + 4;
        Ok(record)
    }

    fn described(&self, start: usize, end: usize) -> Option<Described> {
        let link = self.u16_at(start)?;
        let mut described = Described {
            name: Arc::default(),
            medium: medium(link),
            resolution: 1_000_000,
            offset: 0,
        };
        for (code, at, length) in self.options(start + 8, end) {
            match (code, length) {
                (INTERFACE_NAME, length) => {
                    let name = self.data(at, length, end).ok()?;
                    described.name = String::from_utf8_lossy(&name).into();
                }
                (TIME_RESOLUTION, 1) => {
                    let value = u32::from(*self.bytes.get(self.position + at)?);
                    described.resolution = if value & 0x80 == 0 {
                        10_u64.checked_pow(value)?
                    } else {
                        1_u64.checked_shl(value & 0x7f)?
                    };
                }
                (TIME_OFFSET, 8) => described.offset = self.u64_at(at)?,
                _ => {}
            }
        }
        Some(described)
    }

    /// The options between two places: code, place and length of each.
    fn options(&self, mut at: usize, end: usize) -> impl Iterator<Item = (u16, usize, usize)> {
        core::iter::from_fn(move || {
            let (code, length) = (self.u16_at(at)?, usize::from(self.u16_at(at + 2)?));
            let option = (code, at + 4, length);
            at += 4 + length.next_multiple_of(4);
            (code != END_OF_OPTIONS && at <= end).then_some(option)
        })
    }

    fn enhanced(&self, start: usize, end: usize) -> Result<Record, ReadError> {
        let word = |at: usize| self.u32_at(start + at).ok_or(ReadError::Malformed);
        let described = self.interfaces.get(word(0)? as usize).ok_or(ReadError::Malformed)?;
        let ticks = u64::from(word(4)?) << 32 | u64::from(word(8)?);
        let (kept, length) = (word(12)? as usize, word(16)? as usize);
        let bytes = self.data(start + 20, kept, end)?;
        let mut record = Record {
            time: described.time(ticks),
            interface: Arc::clone(&described.name),
            medium: described.medium.map_err(ReadError::LinkType)?,
            direction: CaptureDirection::Both,
            bytes,
            length,
            lost: 0,
            comment: String::new(),
        };
        for (code, at, length) in self.options(start + 20 + kept.next_multiple_of(4), end) {
            match (code, length) {
                (PACKET_FLAGS, 4) => {
                    record.direction = match self.u32_at(at).map(|flags| flags & 3) {
                        Some(1) => CaptureDirection::In,
                        Some(2) => CaptureDirection::Out,
                        _ => CaptureDirection::Both,
                    };
                }
                (PACKET_DROP_COUNT, 8) => record.lost = self.u64_at(at).unwrap_or_default(),
                (COMMENT, length) => {
                    let text = self.data(at, length, end)?;
                    record.comment = String::from_utf8_lossy(&text).into_owned();
                }
                _ => {}
            }
        }
        Ok(record)
    }

    /// A packet of the first interface, without time.
    fn simple(&self, start: usize, end: usize) -> Result<Record, ReadError> {
        let length = self.u32_at(start).ok_or(ReadError::Malformed)? as usize;
        let described = self.interfaces.first().ok_or(ReadError::Malformed)?;
        Ok(Record {
            time: Duration::ZERO,
            interface: Arc::clone(&described.name),
            medium: described.medium.map_err(ReadError::LinkType)?,
            direction: CaptureDirection::Both,
            bytes: self.data(start + 4, length.min(end.saturating_sub(start + 4)), end)?,
            length,
            lost: 0,
            comment: String::new(),
        })
    }

    fn data(&self, at: usize, length: usize, end: usize) -> Result<Vec<u8>, ReadError> {
        if length > end.saturating_sub(at) {
            return Err(ReadError::Malformed);
        }
        let start = self.position + at;
        self.bytes.get(start..start + length).map(<[u8]>::to_vec).ok_or(ReadError::Malformed)
    }
}

impl Described {
    fn time(&self, ticks: u64) -> Duration {
        let (seconds, rest) = (ticks / self.resolution, ticks % self.resolution);
        // Both factors have 64 bits.
        let nanos = u128::from(rest) * u128::from(NANOS) / u128::from(self.resolution);
        let nanos = u64::try_from(nanos).unwrap_or_default();
        Duration::from_secs(seconds.saturating_add(self.offset))
            .saturating_add(Duration::from_nanos(nanos))
    }
}

fn medium(link: u16) -> Result<Medium, u16> {
    match link {
        LINK_ETHERNET => Ok(Medium::Ethernet),
        link if LINKS_OF_IP.contains(&link) => Ok(Medium::Ip),
        link => Err(link),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pcapng::{Interface, Packet, append, begin};
    use super::*;

    fn stream() -> Vec<u8> {
        let head =
            Interface { medium: Medium::Ethernet, name: "eth0", snap_length: 0, filter: "tcp" };
        let mut stream = begin(&head);
        for (index, lost) in [(1, 0), (2, 3)] {
            let packet = Packet {
                interface: 0,
                time: Duration::from_micros(1_796_000_000_000_000 + index),
                direction: CaptureDirection::Out,
                bytes: &[7; 33],
                length: 60,
                lost,
                comment: if lost > 0 { "dropped: checksum" } else { "" },
            };
            append(&mut stream, &packet);
        }
        stream
    }

    fn all(bytes: &[u8], piece: usize) -> Result<Vec<Record>, ReadError> {
        let (mut reader, mut records) = (Reader::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            reader.feed(piece);
            while let Some(record) = reader.next_record()? {
                records.push(record);
            }
        }
        assert!(reader.is_complete());
        Ok(records)
    }

    #[test]
    fn what_was_written_is_read_in_pieces_of_any_size() {
        let bytes = stream();
        let records = all(&bytes, bytes.len()).unwrap();
        for piece in [1, 3, 40] {
            assert_eq!(all(&bytes, piece).unwrap(), records);
        }
        let [first, second] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!(first.time, Duration::from_micros(1_796_000_000_000_001));
        assert_eq!((first.bytes.len(), first.length, first.lost), (33, 60, 0));
        assert_eq!(&*first.interface, "eth0");
        assert_eq!((second.lost, second.comment.as_str()), (3, "dropped: checksum"));
        assert_eq!(second.direction, CaptureDirection::Out);
    }

    #[test]
    fn classic_files_of_either_order_are_read() {
        for (is_big, magic, nanos) in
            [(false, PCAP_MICROS, 5000), (true, PCAP_MICROS, 5000), (true, PCAP_NANOS, 5)]
        {
            let mut bytes = Vec::new();
            let mut word = |value: u32| {
                bytes.extend(if is_big { value.to_be_bytes() } else { value.to_le_bytes() });
            };
            [magic, if is_big { 0x2_0004 } else { 0x4_0002 }, 0, 0, 65535, 101]
                .into_iter()
                .for_each(&mut word);
            [10, 5, 4, 60].into_iter().for_each(&mut word);
            bytes.extend([0x45, 0, 0, 60]);
            let [record] = all(&bytes, 7).unwrap().try_into().unwrap();
            assert_eq!(record.time, Duration::new(10, nanos));
            assert_eq!((record.medium, record.length), (Medium::Ip, 60));
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_grow() {
        assert_eq!(all(b"hello world!", 12), Err(ReadError::Malformed));
        let good = stream();
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % bytes.len();
                bytes[at] = (state >> 3) as u8;
            }
            let mut reader = Reader::default();
            reader.feed(&bytes);
            let mut count = 0;
            while let Ok(Some(record)) = reader.next_record() {
                count += 1;
                assert!(record.bytes.len() <= bytes.len());
            }
            assert!(count <= 2);
        }
    }
}
