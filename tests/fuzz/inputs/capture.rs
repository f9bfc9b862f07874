//! Frames through a capture: the file holds them as they were, and breaks without harm.
//!
//! An input is frames, each behind a byte: its direction and its length.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use devnet_drivers::capture::Capture;
use devnet_drivers::{CableOptions, cable};
use devnet_network::address::HardwareAddress;
use devnet_network::driver::{Driver, FramePool};
use world::VirtualClock;

use super::{Trace, size};

/// A file in memory that breaks behind so many bytes.
#[derive(Clone)]
struct Memory(Arc<Mutex<Vec<u8>>>, usize);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().map_err(|_| io::Error::other("poisoned"))?;
        if all.len() + bytes.len() > self.1 {
            return Err(io::Error::other("full"));
        }
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A frame, and whether it leaves.
type Passed = (Vec<u8>, bool);

/// Sends the frames; returns the file.
fn record(frames: &[Passed], room: usize) -> Vec<u8> {
    let (left, mut right) = cable(
        CableOptions::default()
            .hardware((HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2])))
            .capacity(4),
    );
    let memory = Memory(Arc::default(), room);
    let clock = Arc::new(VirtualClock::default());
    let started = Duration::from_secs(1_700_000_000);
    let Ok(mut left) = Capture::new(Box::new(left), Box::new(memory.clone()), clock, started)
    else {
        return Vec::new();
    };
    let mut pool = FramePool::new();
    for (bytes, is_outbound) in frames {
        let frame = pool.copy_of(bytes);
        let ends: [&mut dyn Driver; 2] = [&mut left, &mut right];
        let [left, right] = ends;
        let (from, to) = if *is_outbound { (left, right) } else { (right, left) };
        let sent = from.transmit(frame, &mut pool);
        from.flush();
        let got = to.receive(&mut pool);
        assert!(sent.is_ok(), "a frame was refused");
        assert_eq!(got.as_ref().map(|frame| frame.bytes()), Some(&bytes[..]), "a frame changed");
    }
    left.flush();
    drop(left);
    memory.0.lock().unwrap().clone()
}

/// Splits a file into blocks of kind and content.
fn blocks(mut file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().unwrap());
    let mut blocks = Vec::new();
    while !file.is_empty() {
        let length = word(file, 4) as usize;
        assert!(length.is_multiple_of(4) && (12..=file.len()).contains(&length), "{length}");
        assert_eq!(word(file, length - 4) as usize, length, "the lengths differ");
        blocks.push((word(file, 0), file[8..length - 4].to_vec()));
        file = &file[length..];
    }
    blocks
}

/// Records the frames of the input.
pub(crate) fn check(bytes: &[u8], trace: &mut Trace) {
    let (mut rest, mut frames) = (bytes, Vec::new());
    while let Some((&head, more)) = rest.split_first() {
        let (frame, more) = more.split_at(usize::from(head >> 1).min(more.len()));
        let mut frame = frame.to_vec();
        // A cable has no shorter ones.
        frame.resize(frame.len().max(14), 0);
        frames.push((frame, head & 1 == 1));
        rest = more;
    }
    let file = record(&frames, usize::MAX);
    let all = blocks(&file);
    assert_eq!(all.iter().take(2).map(|(kind, _)| *kind).collect::<Vec<_>>(), [0x0a0d_0d0a, 1]);
    assert_eq!(all.len(), 2 + frames.len(), "a block a frame");
    for ((kind, block), (frame, is_outbound)) in all.iter().skip(2).zip(&frames) {
        assert_eq!(*kind, 6);
        assert_eq!(block[12..16], (frame.len() as u32).to_le_bytes());
        assert_eq!(block[16..20], block[12..16]);
        assert_eq!(&block[20..20 + frame.len()], &frame[..]);
        assert_eq!(block[block.len() - 8], if *is_outbound { 2 } else { 1 });
        trace.note((frame.len() % 4, *is_outbound, size(frame.len())));
    }
    trace.note(size(frames.len()));
    let room = usize::from(bytes.first().copied().unwrap_or(0)) * 4;
    assert!(file.starts_with(&record(&frames, room)), "not the same file as far as it goes");
}
