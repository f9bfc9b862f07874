//! The bytes of regular files: large files, holes, and random calls compared with a model.

use devnet_virtual_file_system::VirtualFileSystem;
use devnet_virtual_file_system::limits::{
    CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, FILE_BYTES, NODE_BYTES,
};
use embedded_io_async::SeekFrom;
use futures_lite::future::block_on;

use crate::support::create;

#[test]
fn a_file_of_100_mebibytes_keeps_every_byte() {
    const STEP: usize = 1 << 20;
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/large");
    // 251 is coprime to the chunk size, so a swapped or shifted chunk is detected.
    let pattern: Vec<u8> = (0..STEP + 251).map(|index| (index % 251) as u8).collect();
    let piece = |step: usize| {
        let shift = step * STEP % 251;
        &pattern[shift..shift + STEP]
    };
    for step in 0..100 {
        block_on(file.write_all(piece(step))).unwrap();
    }
    assert_eq!(file.stat().unwrap().size, 100 << 20);
    let chunks = (100 << 20) / CHUNK_BYTES;
    assert_eq!(tree.stored().bytes, NODE_BYTES + chunks * (CHUNK_BYTES + CHUNK_OVERHEAD_BYTES));
    file.seek(SeekFrom::Start(0)).unwrap();
    let mut buffer = vec![0; STEP];
    for step in 0..100 {
        assert_eq!(file.try_read(&mut buffer), Ok(STEP));
        assert!(buffer == piece(step), "step {step}");
    }
    assert_eq!(file.try_read(&mut buffer), Ok(0));
}

#[test]
fn a_hole_reads_as_zeros_and_takes_no_memory() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/sparse");
    file.set_length(FILE_BYTES).unwrap();
    assert_eq!((file.stat().unwrap().size, tree.stored().bytes), (FILE_BYTES, NODE_BYTES));
    file.seek(SeekFrom::Start(FILE_BYTES / 2)).unwrap();
    file.try_write(b"x").unwrap();
    assert!(tree.stored().bytes <= NODE_BYTES + CHUNK_OVERHEAD_BYTES + CHUNK_BYTES);
    file.seek(SeekFrom::Current(-2)).unwrap();
    let mut buffer = [9; 4];
    file.try_read(&mut buffer).unwrap();
    assert_eq!(&buffer, b"\0x\0\0");
}

#[test]
fn what_was_cut_off_does_not_come_back() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    block_on(file.write_all(&vec![7; 3 * CHUNK_BYTES])).unwrap();
    let kept = CHUNK_BYTES + 10;
    file.set_length(kept as u64).unwrap();
    assert_eq!(tree.stored().bytes, NODE_BYTES + 2 * CHUNK_OVERHEAD_BYTES + kept);
    file.set_length(3 * CHUNK_BYTES as u64).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let bytes = block_on(file.read_to_end(3 * CHUNK_BYTES)).unwrap();
    assert!(
        bytes[..kept].iter().all(|&byte| byte == 7) && bytes[kept..].iter().all(|&byte| byte == 0)
    );
}

/// A small generator (Knuth's MMIX constants), so that a failure can be replayed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn random_calls_agree_with_a_plain_vector() {
    let tree = VirtualFileSystem::new();
    let file = create(&tree, "/file");
    let mut model: Vec<u8> = Vec::new();
    let mut random = Random(1);
    let span = 4 * CHUNK_BYTES;
    for round in 0..2_000_u32 {
        let position = random.below(span);
        let count =
            if random.below(2) == 0 { random.below(300) } else { random.below(2 * CHUNK_BYTES) };
        file.seek(SeekFrom::Start(position as u64)).unwrap();
        match random.below(4) {
            0 | 1 => {
                let data = vec![(round % 255) as u8 + 1; count];
                assert_eq!(file.try_write(&data), Ok(count));
                if count > 0 {
                    model.resize(model.len().max(position + count), 0);
                    model[position..position + count].copy_from_slice(&data);
                }
            }
            2 => {
                let mut buffer = vec![255; count];
                let read = file.try_read(&mut buffer).unwrap();
                let expected =
                    model.get(position..model.len().min(position + count)).unwrap_or_default();
                assert!(buffer[..read] == *expected, "round {round}");
            }
            _ => {
                file.set_length(position as u64).unwrap();
                model.resize(position, 0);
            }
        }
        assert_eq!(file.stat().unwrap().size, model.len() as u64, "round {round}");
        // A chunk may have twice the memory that it needs, and a hole before the end has none.
        let overhead = NODE_BYTES + model.len().div_ceil(CHUNK_BYTES) * CHUNK_OVERHEAD_BYTES;
        assert!(tree.stored().bytes <= overhead + 2 * model.len(), "round {round}");
    }
    drop(file);
    tree.remove(&crate::support::root(), &crate::support::path("/file")).unwrap();
    assert_eq!(tree.stored().bytes, 0);
}
