//! Blocks of a pcapng stream (draft-ietf-opsawg-pcapng), little endian.
//!
//! A stream is a section header, the description of each interface before its first frame, and an
//! enhanced packet block for each frame. Times are microseconds, which is the default of the
//! format.

use alloc::vec::Vec;
use core::time::Duration;

use crate::command::capture::CaptureDirection;
use crate::driver::Medium;

pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
pub(super) const INTERFACE_DESCRIPTION: u32 = 1;
pub(super) const ENHANCED_PACKET: u32 = 6;
pub(super) const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Version 1.0.
const VERSION: [u8; 4] = [1, 0, 0, 0];
/// LINKTYPE_ETHERNET and LINKTYPE_RAW.
pub(super) const LINK_ETHERNET: u16 = 1;
pub(super) const LINK_RAW: u16 = 101;

/// The end of options, and a comment; of any block.
pub(super) const END_OF_OPTIONS: u16 = 0;
pub(super) const COMMENT: u16 = 1;
/// Options of an interface: its name, and the filter.
pub(super) const INTERFACE_NAME: u16 = 2;
const INTERFACE_FILTER: u16 = 11;
/// The filter is a text for libpcap.
const FILTER_IS_TEXT: u8 = 0;
/// Options of a packet: the direction, and how many were lost before it.
pub(super) const PACKET_FLAGS: u16 = 2;
pub(super) const PACKET_DROP_COUNT: u16 = 4;

/// The head of an enhanced packet block without options: type, length, interface, time and two
/// lengths, and the length once more.
const PACKET_OVERHEAD: usize = 32;

/// What a stream says about an interface that frames are from.
#[derive(Clone, Copy, Debug)]
pub struct Interface<'a> {
    /// What a frame starts with.
    pub medium: Medium,
    /// The name; an empty one is left out.
    pub name: &'a str,
    /// The bytes of a frame that are kept at most; 0 for all.
    pub snap_length: u32,
    /// The filter, in the language of pcap-filter(7); an empty one is left out.
    pub filter: &'a str,
}

/// One frame of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The interface: how many were described before it.
    pub interface: u32,
    /// The Unix time at which it was seen.
    pub time: Duration,
    /// Which way it went; [`CaptureDirection::Both`] if that is not known.
    pub direction: CaptureDirection,
    /// The bytes that are kept.
    pub bytes: &'a [u8],
    /// The length that it had.
    pub length: usize,
    /// Frames of the interface that were lost since the one before; none is not said.
    pub lost: u64,
    /// A comment; an empty one is left out.
    pub comment: &'a str,
}

/// Begins a stream of one interface: the section header, and its description.
#[must_use]
pub fn begin(interface: &Interface<'_>) -> Vec<u8> {
    let mut stream = section();
    describe(&mut stream, interface);
    stream
}

/// Begins a stream: the section header.
#[must_use]
pub fn section() -> Vec<u8> {
    let mut stream = Vec::new();
    block(&mut stream, SECTION_HEADER, |content| {
        content.extend(BYTE_ORDER.to_le_bytes());
        content.extend(VERSION);
        // The length of the section is not known.
        content.extend((-1_i64).to_le_bytes());
    });
    stream
}

/// Appends the description of a further interface.
pub fn describe(stream: &mut Vec<u8>, interface: &Interface<'_>) {
    block(stream, INTERFACE_DESCRIPTION, |content| {
        let link = match interface.medium {
            Medium::Ethernet => LINK_ETHERNET,
            Medium::Ip => LINK_RAW,
        };
        content.extend(u32::from(link).to_le_bytes());
        content.extend(interface.snap_length.to_le_bytes());
        if !interface.name.is_empty() {
            option(content, INTERFACE_NAME, &[interface.name.as_bytes()]);
        }
        if !interface.filter.is_empty() {
            option(content, INTERFACE_FILTER, &[&[FILTER_IS_TEXT], interface.filter.as_bytes()]);
        }
        if !interface.name.is_empty() || !interface.filter.is_empty() {
            option(content, END_OF_OPTIONS, &[]);
        }
    });
}

/// Appends the block of a frame.
pub fn append(stream: &mut Vec<u8>, packet: &Packet<'_>) {
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let micros = u64::try_from(packet.time.as_micros()).unwrap_or(u64::MAX);
    block(stream, ENHANCED_PACKET, |content| {
        content.extend(packet.interface.to_le_bytes());
        content.extend(((micros >> 32) as u32).to_le_bytes());
        content.extend((micros as u32).to_le_bytes());
        content.extend(number(packet.bytes.len()));
        content.extend(number(packet.length));
        content.extend(packet.bytes);
        pad(content, packet.bytes.len());
        let flags: u32 = match packet.direction {
            CaptureDirection::Both => 0,
            CaptureDirection::In => 1,
            CaptureDirection::Out => 2,
        };
        option(content, PACKET_FLAGS, &[&flags.to_le_bytes()]);
        if packet.lost > 0 {
            option(content, PACKET_DROP_COUNT, &[&packet.lost.to_le_bytes()]);
        }
        if !packet.comment.is_empty() {
            option(content, COMMENT, &[packet.comment.as_bytes()]);
        }
        option(content, END_OF_OPTIONS, &[]);
    });
}

/// At most so many bytes has the block of a frame.
pub(crate) const fn most(packet: &Packet<'_>) -> usize {
    // Flags, drop count, comment and end, each with its head, and what rounds up.
    PACKET_OVERHEAD + packet.bytes.len() + 3 + 8 + 12 + 4 + packet.comment.len() + 3 + 4
}

/// Appends a block with this content.
fn block(stream: &mut Vec<u8>, kind: u32, content: impl FnOnce(&mut Vec<u8>)) {
    let start = stream.len();
    stream.extend(kind.to_le_bytes());
    stream.extend([0; 4]);
    content(stream);
    // Type, and the length before and after the content.
    let length = u32::try_from(stream.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    if let Some(place) = stream.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&length);
    }
    stream.extend(length);
}

/// Appends an option, cut to what its length can say.
fn option(content: &mut Vec<u8>, code: u16, parts: &[&[u8]]) {
    let start = content.len() + 4;
    content.extend(code.to_le_bytes());
    content.extend([0; 2]);
    for part in parts {
        content.extend(*part);
    }
    content.truncate(start + usize::from(u16::MAX));
    let length = content.len() - start;
    if let Some(place) = content.get_mut(start - 2..start) {
        place.copy_from_slice(&(length as u16).to_le_bytes());
    }
    pad(content, length);
}

/// Fills up to four bytes.
fn pad(content: &mut Vec<u8>, length: usize) {
    content.extend(core::iter::repeat_n(0, length.wrapping_neg() % 4));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_the_layout_of_the_draft() {
        let interface =
            Interface { medium: Medium::Ip, name: "tun0", snap_length: 96, filter: "icmp" };
        let stream = begin(&interface);
        let words: Vec<u32> = stream
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect();
        assert_eq!(words.get(..7).unwrap(), [0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, !0, !0, 28]);
        assert_eq!(words.get(7..11).unwrap(), [1, 44, 101, 96]);
        // Name and filter, the latter with its kind before it, and the end.
        assert_eq!(words.get(11..).unwrap()[..2], [2 | 4 << 16, u32::from_le_bytes(*b"tun0")]);
        assert_eq!(words.get(13..).unwrap()[..3], [11 | 5 << 16, 0x6d63_6900, 0x70]);
        assert_eq!(words.get(16..).unwrap(), [0, 44]);
    }

    #[test]
    fn a_block_of_a_frame_is_never_longer_than_is_said() {
        for (length, lost, comment) in [(0, 0, ""), (61, 0, "x"), (1514, 7, "dropped: checksum")] {
            let bytes = alloc::vec![7; length];
            let packet = Packet {
                interface: 3,
                time: Duration::from_micros(0x1_0000_0002),
                direction: CaptureDirection::In,
                bytes: &bytes,
                length: 2000,
                lost,
                comment,
            };
            let mut stream = Vec::new();
            append(&mut stream, &packet);
            assert!(stream.len() <= most(&packet) && stream.len().is_multiple_of(4));
            let word = |index: usize| {
                u32::from_le_bytes(stream[index * 4..][..4].try_into().unwrap()) as usize
            };
            assert_eq!((word(0), word(1), word(2)), (6, stream.len(), 3));
            assert_eq!((word(3), word(4)), (1, 2));
            assert_eq!((word(5), word(6)), (length, 2000));
            assert_eq!(word(stream.len() / 4 - 1), stream.len());
        }
    }
}
