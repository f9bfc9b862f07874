//! `vfs.usage`: what a guest uses of its limits.

use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Result};

use super::call::Outcome;
use crate::guest::Guest;
use crate::memory;

/// Writes what is used and the limit, as u64 each, of: memory, files, sockets, socket buffers,
/// storage, nodes.
pub(super) fn usage(
    guest: &mut Guest,
    bytes: &mut [u8],
    buffer: u32,
    capacity: u32,
) -> Result<Outcome> {
    memory::check(bytes, buffer, capacity)?;
    let limits = guest.account.limits();
    let (sockets, buffers) = guest.account.usage();
    let stored = guest.namespace.stored();
    let all = [
        (guest.allocation.used(), limits.memory_bytes),
        (guest.descriptors.count(), guest.descriptors.limit()),
        (sockets, limits.sockets),
        (buffers, limits.buffer_bytes),
        (stored.bytes, limits.storage_bytes),
        (stored.nodes, limits.nodes),
    ];
    let numbers = all.iter().flat_map(|(used, limit)| [*used as u64, *limit as u64]);
    let text: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
    let fitting = text.len().min(capacity as usize);
    memory::write(bytes, buffer, text.get(..fitting).unwrap_or_default())?;
    Ok(Outcome::Value(i32::try_from(text.len()).map_err(|_| Error::MessageTooLong)?))
}
