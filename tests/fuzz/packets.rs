//! Packets with valid checksums, and what changes them.

use world::SeededEntropy;
use world::packet::sum;

/// Changes a few bytes, lengths, or all of an input.
pub(crate) fn mutate(random: &SeededEntropy, bytes: &mut Vec<u8>) {
    for _ in 0..random.next() % 6 {
        let at = random.next() as usize % bytes.len().max(1);
        match random.next() % 8 {
            0..=3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
            4 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (random.next() % 8);
                }
            }
            5 => bytes.truncate(at),
            6 => bytes.extend((0..random.next() % 40).map(|_| random.next() as u8)),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = [0, 1, 0x7f, 0x80, 0xff][random.next() as usize % 5];
                }
            }
        }
    }
}

/// Puts right what checksums would otherwise hide.
pub(crate) fn repair(frame: &mut [u8]) {
    let Some(packet) = frame.get_mut(14..) else { return };
    if packet.len() < 20 || packet[0] >> 4 != 4 {
        return repair_ipv6(packet);
    }
    let header = usize::from(packet[0] & 0xf) * 4;
    let total = usize::from(u16::from_be_bytes([packet[2], packet[3]])).min(packet.len());
    if header < 20 || total < header {
        return;
    }
    packet[10..12].fill(0);
    let checksum = sum(&packet[..header], 0);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    let addresses: u32 = packet[12..20]
        .chunks(2)
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    let protocol = packet[9];
    repair_transport(protocol, addresses, &mut packet[header..total]);
}

fn repair_ipv6(packet: &mut [u8]) {
    if packet.len() < 40 || packet[0] >> 4 != 6 {
        return;
    }
    let total = (40 + usize::from(u16::from_be_bytes([packet[4], packet[5]]))).min(packet.len());
    let addresses: u32 =
        packet[8..40].chunks(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    // One hop-by-hop header of eight bytes, as multicast listener discovery has it.
    let (protocol, start) =
        if packet[6] == 0 && total >= 48 { (packet[40], 48) } else { (packet[6], 40) };
    repair_transport(protocol, addresses, &mut packet[start..total]);
}

fn repair_transport(protocol: u8, addresses: u32, upper: &mut [u8]) {
    let (at, pseudo) = match protocol {
        6 => (16, addresses + 6 + upper.len() as u32),
        17 => (6, addresses + 17 + upper.len() as u32),
        58 => (2, addresses + 58 + upper.len() as u32),
        1 | 2 => (2, 0),
        _ => return,
    };
    if upper.len() >= at + 2 {
        upper[at..at + 2].fill(0);
        let checksum = sum(upper, pseudo);
        upper[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
    }
}

pub(crate) fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend_from_slice(&ethertype.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

pub(crate) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let mut packet = vec![
        0x45,
        0,
        (total >> 8) as u8,
        total as u8,
        0,
        1,
        0,
        0,
        64,
        protocol,
        0,
        0,
        10,
        0,
        0,
        2,
        10,
        0,
        0,
        1,
    ];
    packet.extend_from_slice(payload);
    ethernet(0x0800, &packet)
}

pub(crate) fn ipv6(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet =
        vec![0x60, 0, 0, 0, (payload.len() >> 8) as u8, payload.len() as u8, protocol, 255];
    packet.extend_from_slice(&[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    packet.extend_from_slice(&[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend_from_slice(payload);
    ethernet(0x86dd, &packet)
}
