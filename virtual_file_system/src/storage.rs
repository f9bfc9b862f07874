//! The bytes of regular files, in memory.
//!
//! A file is a map of chunks, so that appending to a large file copies no existing data and a hole
//! uses no memory. All files of a tree share one [`Budget`]. Open file descriptions pass their
//! offset; this module handles neither permissions nor offsets.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};
use crate::limits::{CHUNK_BYTES, FILE_BYTES};
use crate::lock::Lock;

/// The bytes that the files of one tree may use together.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Result<()> {
        let more = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= self.limit);
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::NoSpace),
        }
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The bytes of one regular file.
pub(crate) struct Storage {
    budget: Arc<Budget>,
    content: Lock<Content>,
}

struct Content {
    length: u64,
    /// The number of changes.
    version: u64,
    /// Chunks by number. Missing bytes, also those beyond the end of a chunk, are zero.
    chunks: BTreeMap<u64, Vec<u8>>,
}

impl Storage {
    pub(crate) const fn new(budget: Arc<Budget>) -> Self {
        let content = Content { length: 0, version: 0, chunks: BTreeMap::new() };
        Self { budget, content: Lock::new(content) }
    }

    pub(crate) fn length(&self) -> u64 {
        self.content.with(|content| content.length)
    }

    /// Returns a number that grows with every change of the bytes.
    pub(crate) fn version(&self) -> u64 {
        self.content.with(|content| content.version)
    }

    /// Reads at the offset and advances it; 0 at and beyond the end.
    pub(crate) fn read(&self, position: &mut u64, buffer: &mut [u8]) -> usize {
        self.content.with(|content| {
            let present =
                usize::try_from(content.length.saturating_sub(*position)).unwrap_or(usize::MAX);
            let count = present.min(buffer.len());
            let mut rest = buffer.get_mut(..count).unwrap_or_default();
            while !rest.is_empty() {
                let (number, offset) = locate(*position);
                let (piece, behind) = rest.split_at_mut(rest.len().min(CHUNK_BYTES - offset));
                copy_out(content.chunks.get(&number), offset, piece);
                *position += piece.len() as u64;
                rest = behind;
            }
            count
        })
    }

    /// Writes at the offset or at the end, and advances the offset. Returns the number of bytes
    /// written.
    ///
    /// All of `data` is written under one lock, so writes never interleave. It fails only if no
    /// byte fits.
    pub(crate) fn write(&self, position: &mut u64, append: bool, data: &[u8]) -> Result<usize> {
        self.content.with(|content| {
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
                    copy_in(&self.budget, content.chunks.entry(number).or_default(), offset, piece)
                };
                if let Err(error) = outcome {
                    // A refused write must not leave an empty chunk behind.
                    if content.chunks.get(&number).is_some_and(Vec::is_empty) {
                        content.chunks.remove(&number);
                    }
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
        self.content.with(|content| {
            let (number, offset) = locate(length);
            let mut cut = content.chunks.split_off(&number);
            let freed: usize = cut.values().map(Vec::len).sum();
            let mut kept = 0;
            if let Some(mut last) = cut.remove(&number).filter(|_| offset > 0) {
                last.truncate(offset);
                // Otherwise a file of one byte could keep a chunk that the budget no longer counts.
                last.shrink_to_fit();
                kept = last.len();
                content.chunks.insert(number, last);
            }
            self.budget.give_back(freed - kept);
            content.length = length;
            content.version += 1;
        });
        Ok(())
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.budget
            .give_back(self.content.with(|content| content.chunks.values().map(Vec::len).sum()));
    }
}

/// Returns the chunk of an offset, and the offset within it.
const fn locate(position: u64) -> (u64, usize) {
    (position / CHUNK_BYTES as u64, (position % CHUNK_BYTES as u64) as usize)
}

fn copy_out(chunk: Option<&Vec<u8>>, offset: usize, piece: &mut [u8]) {
    let present = chunk.and_then(|chunk| chunk.get(offset..)).unwrap_or_default();
    let (copied, zeros) = piece.split_at_mut(present.len().min(piece.len()));
    copied.copy_from_slice(present.get(..copied.len()).unwrap_or_default());
    zeros.fill(0);
}

fn copy_in(budget: &Budget, chunk: &mut Vec<u8>, offset: usize, piece: &[u8]) -> Result<()> {
    let end = offset + piece.len();
    let growth = end.saturating_sub(chunk.len());
    if growth > 0 {
        budget.take(growth)?;
        // Doubling makes small appends linear; a chunk never allocates more than its size.
        let capacity = end.max(chunk.capacity().saturating_mul(2)).min(CHUNK_BYTES);
        if chunk.try_reserve_exact(capacity.saturating_sub(chunk.len())).is_err() {
            budget.give_back(growth);
            return Err(Error::OutOfMemory);
        }
        chunk.resize(end, 0);
    }
    if let Some(place) = chunk.get_mut(offset..end) {
        place.copy_from_slice(piece);
    }
    Ok(())
}
