//! The capture: the content of the file, and a write error that affects nothing else.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use devnet_drivers::{Capture, cable};
use devnet_network::driver::Driver;
use world::VirtualClock;

use crate::bench::{cable_options, ethernet, receive, send, station};

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails after the headers.
struct Broken(usize);

impl Write for Broken {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Parses the blocks of a file: type and content.
fn blocks(mut file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
    let mut blocks = Vec::new();
    while !file.is_empty() {
        let length = number(&file[4..]) as usize;
        assert_eq!((length % 4, number(&file[length - 4..])), (0, length as u32));
        blocks.push((number(file), file[8..length - 4].to_vec()));
        file = &file[length..];
    }
    blocks
}

#[test]
fn both_directions_stand_in_the_file_once_they_are_flushed() {
    let (left, mut right) = cable(cable_options(1));
    let memory = Memory::default();
    let (clock, started) = (Arc::new(VirtualClock::default()), Duration::from_secs(0x1_0000));
    let left: Box<dyn Driver> = Box::new(left);
    let mut left = Capture::new(left, Box::new(memory.clone()), clock, started).unwrap();
    let (out, back) =
        (ethernet(station(2), station(1), &[1; 49]), ethernet(station(1), station(2), &[2; 50]));
    assert!(send(&mut left, &out));
    // A refused frame is not in the file; after a retry it is there once.
    assert!(!send(&mut left, &out));
    assert_eq!(receive(&mut right), Some(out.clone()));
    assert!(send(&mut right, &back));
    assert_eq!(receive(&mut left), Some(back.clone()));
    let blocks = blocks(&memory.0.lock().unwrap());
    let kinds: Vec<_> = blocks.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds[..3], [0x0a0d_0d0a, 1, 6]);
    assert_eq!(blocks[1].1[..2], [1, 0]);
    let time = 0x1_0000 * 1_000_000_u64;
    for (packet, (sent, direction)) in
        [(&blocks[2].1, (&out, 2)), (&blocks[blocks.len() - 1].1, (&back, 1))]
    {
        let high = (time >> 32) as u32;
        assert_eq!(packet[4..8], high.to_le_bytes());
        assert_eq!(packet[8..12], (time as u32).to_le_bytes());
        assert_eq!(packet[12..16], (sent.len() as u32).to_le_bytes());
        assert_eq!(&packet[20..20 + sent.len()], &sent[..]);
        assert_eq!(packet[packet.len() - 8], direction);
    }
}

#[test]
fn a_refused_frame_is_recorded_once() {
    let (left, mut right) = cable(cable_options(1));
    let memory = Memory::default();
    let clock = Arc::new(VirtualClock::default());
    let mut left =
        Capture::new(Box::new(left), Box::new(memory.clone()), clock, Duration::ZERO).unwrap();
    assert!(send(&mut left, &[1; 60]) && !send(&mut left, &[2; 60]) && !send(&mut left, &[2; 60]));
    assert_eq!(receive(&mut right), Some(vec![1; 60]));
    assert!(send(&mut left, &[2; 60]));
    assert_eq!(blocks(&memory.0.lock().unwrap()).iter().filter(|(kind, _)| *kind == 6).count(), 2);
}

#[test]
fn a_file_that_breaks_ends_the_capture_and_nothing_else() {
    let (left, mut right) = cable(cable_options(4));
    let clock = Arc::new(VirtualClock::default());
    let mut left =
        Capture::new(Box::new(left), Box::new(Broken(1)), clock, Duration::ZERO).unwrap();
    for number in 0..4 {
        assert!(send(&mut left, &[number; 60]));
        assert_eq!(receive(&mut right), Some(vec![number; 60]));
    }
}

#[test]
fn only_frames_that_the_driver_took_stand_in_the_file() {
    let (left, mut right) = cable(cable_options(1));
    let memory = Memory::default();
    let clock = Arc::new(VirtualClock::default());
    let mut left =
        Capture::new(Box::new(left), Box::new(memory.clone()), clock, Duration::ZERO).unwrap();
    let frames = [1, 2, 3].map(|byte| ethernet(station(2), station(1), &[byte; 50]));
    assert!(send(&mut left, &frames[0]));
    // This one is refused, and never offered again: the link went down meanwhile.
    assert!(!send(&mut left, &frames[1]));
    assert_eq!(receive(&mut right), Some(frames[0].clone()));
    assert!(send(&mut left, &frames[2]));
    let _ = left.flush();
    let blocks = blocks(&memory.0.lock().unwrap());
    let packets = blocks.iter().filter(|(kind, _)| *kind == 6);
    let written: Vec<_> =
        packets.map(|(_, content)| content[20..20 + frames[0].len()].to_vec()).collect();
    assert_eq!(written, [frames[0].clone(), frames[2].clone()]);
}
