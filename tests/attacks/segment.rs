//! TCP segments of hosts that need no state.

use std::net::Ipv4Addr;

use world::cable::checksum;
use world::packet::ipv4;

use crate::floods::HOST4;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// A segment to the host, or from it.
#[derive(Clone)]
pub(crate) struct Segment {
    /// The other end.
    pub(crate) peer: (Ipv4Addr, u16),
    /// The host's port.
    pub(crate) host: u16,
    pub(crate) flags: u8,
    pub(crate) sequence: u32,
    pub(crate) acknowledgment: u32,
    pub(crate) window: u16,
    pub(crate) data: Vec<u8>,
}

impl Segment {
    pub(crate) fn new(
        peer: (Ipv4Addr, u16),
        host: u16,
        flags: u8,
        sequence: u32,
        acknowledgment: u32,
    ) -> Self {
        let (window, data) = (8192, Vec::new());
        Self { peer, host, flags, sequence, acknowledgment, window, data }
    }

    /// Numbers that it takes.
    pub(crate) fn length(&self) -> u32 {
        let extra = u32::from(self.flags & SYN != 0) + u32::from(self.flags & FIN != 0);
        self.data.len() as u32 + extra
    }

    /// The packet to the host.
    pub(crate) fn packet(&self) -> Vec<u8> {
        let (from, port) = self.peer;
        let mut bytes = [
            &port.to_be_bytes()[..],
            &self.host.to_be_bytes(),
            &self.sequence.to_be_bytes(),
            &self.acknowledgment.to_be_bytes(),
            &[0x50, self.flags],
            &self.window.to_be_bytes(),
            &[0; 4],
            &self.data,
        ]
        .concat();
        let length = (bytes.len() as u32).to_be_bytes();
        let sum = checksum(&[&from.octets(), &HOST4.octets(), &length, &[0, 6], &bytes]);
        bytes[16..18].copy_from_slice(&sum.to_be_bytes());
        ipv4(from, HOST4, 6, &bytes)
    }

    /// The segment of a frame of the host, if it has one.
    pub(crate) fn read(frame: &[u8]) -> Option<Self> {
        if frame.len() < 54 || frame[12..14] != [8, 0] || frame[23] != 6 {
            return None;
        }
        let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
        let tcp = frame.get(34..14 + total)?;
        let number =
            |at: usize| u32::from_be_bytes([tcp[at], tcp[at + 1], tcp[at + 2], tcp[at + 3]]);
        let short = |at: usize| u16::from_be_bytes([tcp[at], tcp[at + 1]]);
        let peer = Ipv4Addr::new(frame[30], frame[31], frame[32], frame[33]);
        Some(Self {
            peer: (peer, short(2)),
            host: short(0),
            flags: tcp[13],
            sequence: number(4),
            acknowledgment: number(8),
            window: short(14),
            data: tcp.get(usize::from(tcp[12] >> 4) * 4..)?.to_vec(),
        })
    }
}
