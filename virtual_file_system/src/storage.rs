//! The bytes of regular files, in memory.
//!
//! A file is a map of chunks, so that appending to a large file copies no existing data and a hole
//! uses no memory. A chunk is charged, with its overhead, to the account that last made it grow.
//! Open file descriptions pass their offset; this module handles neither permissions nor offsets.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::error::{Error, Result};
use crate::limits::{CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, FILE_BYTES, FREED_CHUNKS};
use crate::lock::Lock;
use crate::quota::{Charge, Quota, Stored};

/// The bytes of one regular file.
pub(crate) struct Storage(Lock<Content>);

struct Content {
    length: u64,
    /// The number of changes.
    version: u64,
    /// Chunks by number. Missing bytes, also those beyond the end of a chunk, are zero.
    chunks: BTreeMap<u64, Box<Chunk>>,
}

/// The bytes of one chunk, and who pays for them.
struct Chunk {
    bytes: Vec<u8>,
    charge: Charge,
}

impl Storage {
    pub(crate) const fn new() -> Self {
        Self(Lock::new(Content { length: 0, version: 0, chunks: BTreeMap::new() }))
    }

    pub(crate) fn length(&self) -> u64 {
        self.0.with(|content| content.length)
    }

    /// Returns a number that grows with every change of the bytes.
    pub(crate) fn version(&self) -> u64 {
        self.0.with(|content| content.version)
    }

    /// Reads at the offset and advances it; 0 at and beyond the end.
    pub(crate) fn read(&self, position: &mut u64, buffer: &mut [u8]) -> usize {
        self.0.with(|content| {
            let present =
                usize::try_from(content.length.saturating_sub(*position)).unwrap_or(usize::MAX);
            let count = present.min(buffer.len());
            let mut rest = buffer.get_mut(..count).unwrap_or_default();
            while !rest.is_empty() {
                let (number, offset) = locate(*position);
                let (piece, behind) = rest.split_at_mut(rest.len().min(CHUNK_BYTES - offset));
                copy_out(content.chunks.get(&number).map(|chunk| &**chunk), offset, piece);
                *position += piece.len() as u64;
                rest = behind;
            }
            count
        })
    }

    /// Writes at the offset or at the end, and advances the offset. Returns the number of bytes
    /// written. New memory is charged to `payer`.
    ///
    /// All of `data` is written under one lock, so writes never interleave. It fails only if no
    /// byte fits.
    pub(crate) fn write(
        &self,
        payer: &Arc<Quota>,
        position: &mut u64,
        append: bool,
        data: &[u8],
    ) -> Result<usize> {
        self.0.with(|content| {
            if append {
                *position = content.length;
            }
            let mut rest = data;
            while !rest.is_empty() {
                let (number, offset) = locate(*position);
                let room =
                    usize::try_from(FILE_BYTES.saturating_sub(*position)).unwrap_or(usize::MAX);
                let (piece, behind) = rest.split_at(rest.len().min(CHUNK_BYTES - offset).min(room));
                let outcome = if room == 0 {
                    Err(Error::FileTooLarge)
                } else {
                    content.write_chunk(payer, number, offset, piece)
                };
                if let Err(error) = outcome {
                    return if rest.len() == data.len() {
                        Err(error)
                    } else {
                        Ok(data.len() - rest.len())
                    };
                }
                *position += piece.len() as u64;
                content.length = content.length.max(*position);
                content.version += 1;
                rest = behind;
            }
            Ok(data.len())
        })
    }

    /// Truncates the file, or extends it with zeros that use no memory.
    pub(crate) fn set_length(&self, length: u64) -> Result<()> {
        if length > FILE_BYTES {
            return Err(Error::FileTooLarge);
        }
        let cut = self.0.with(|content| {
            let (number, offset) = locate(length);
            let mut cut = content.chunks.split_off(&number);
            if let Some(mut last) = cut.remove(&number).filter(|_| offset > 0) {
                last.truncate(offset);
                content.chunks.insert(number, last);
            }
            content.length = length;
            content.version += 1;
            cut
        });
        free(cut);
        Ok(())
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        free(core::mem::take(&mut self.chunks));
    }
}

/// Gives chunks back to who paid for them, and frees them: many of them elsewhere.
fn free(mut chunks: BTreeMap<u64, Box<Chunk>>) {
    if chunks.len() <= FREED_CHUNKS {
        return;
    }
    let Some(first) = chunks.first_entry() else { return };
    let disposer = Arc::clone(first.get().charge.payer().disposer());
    let bytes: Vec<Vec<u8>> = chunks.into_values().map(|chunk| chunk.bytes).collect();
    disposer(Box::new(bytes));
}

impl Content {
    fn write_chunk(
        &mut self,
        payer: &Arc<Quota>,
        number: u64,
        offset: usize,
        piece: &[u8],
    ) -> Result<()> {
        if let Some(chunk) = self.chunks.get_mut(&number) {
            return chunk.write(payer, offset, piece);
        }
        // A refused write must not leave an empty chunk behind.
        let charge = payer.charge(Stored::bytes(CHUNK_OVERHEAD_BYTES))?;
        let mut chunk = Box::new(Chunk { bytes: Vec::new(), charge });
        chunk.write(payer, offset, piece)?;
        self.chunks.insert(number, chunk);
        Ok(())
    }
}

impl Chunk {
    fn write(&mut self, payer: &Arc<Quota>, offset: usize, piece: &[u8]) -> Result<()> {
        let end = offset + piece.len();
        if end > self.bytes.capacity() {
            // Doubling makes small appends linear; a chunk never allocates more than its size.
            let doubled = end.max(self.bytes.capacity().saturating_mul(2)).min(CHUNK_BYTES);
            self.reserve(payer, doubled).or_else(|_| self.reserve(payer, end))?;
        }
        if end > self.bytes.len() {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(offset..end) {
            place.copy_from_slice(piece);
        }
        Ok(())
    }

    fn reserve(&mut self, payer: &Arc<Quota>, capacity: usize) -> Result<()> {
        self.charge.become_bytes(payer, capacity + CHUNK_OVERHEAD_BYTES)?;
        let more = capacity.saturating_sub(self.bytes.len());
        self.bytes.try_reserve_exact(more).map_err(|_| {
            self.charge.shrink(self.bytes.capacity() + CHUNK_OVERHEAD_BYTES);
            Error::OutOfMemory
        })
    }

    fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
        self.bytes.shrink_to_fit();
        self.charge.shrink(self.bytes.capacity() + CHUNK_OVERHEAD_BYTES);
    }
}

/// Returns the chunk of an offset, and the offset within it.
const fn locate(position: u64) -> (u64, usize) {
    (position / CHUNK_BYTES as u64, (position % CHUNK_BYTES as u64) as usize)
}

fn copy_out(chunk: Option<&Chunk>, offset: usize, piece: &mut [u8]) {
    let present = chunk.and_then(|chunk| chunk.bytes.get(offset..)).unwrap_or_default();
    let (copied, zeros) = piece.split_at_mut(present.len().min(piece.len()));
    copied.copy_from_slice(present.get(..copied.len()).unwrap_or_default());
    zeros.fill(0);
}
