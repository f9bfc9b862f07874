//! Functions of an open file (`fd_*`).

use alloc::string::String;
use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, NodeKind, OpenFlags, Result};
use embedded_io_async::SeekFrom;

use super::super::call::{DONE, Outcome, finish};
use super::super::listing::Listing;
use super::super::vfs;
use crate::guest::Guest;
use crate::memory;

/// The descriptor of the root directory.
const ROOT: u32 = 3;
/// Descriptor flags.
pub(super) const APPEND: u32 = 1;
pub(super) const NON_BLOCKING: u32 = 4;
/// The rights to seek and tell. libc takes a character device without them for a terminal.
const SEEK_AND_TELL: u64 = 1 << 2 | 1 << 5;

/// Returns WASI's file type.
pub(super) const fn file_type(kind: NodeKind) -> u8 {
    match kind {
        NodeKind::CharacterDevice => 2,
        NodeKind::Directory => 3,
        NodeKind::Regular => 4,
    }
}

pub(super) fn advise(
    guest: &mut Guest,
    _: &mut [u8],
    number: u32,
    _: u64,
    _: u64,
    advice: u32,
) -> Result<Outcome> {
    guest.descriptors.get(number)?;
    if advice > 5 { Err(Error::InvalidInput) } else { Ok(DONE) }
}

pub(super) fn allocate(
    guest: &mut Guest,
    _: &mut [u8],
    number: u32,
    offset: u64,
    length: u64,
) -> Result<Outcome> {
    let file = &guest.descriptors.get(number)?.file;
    let end = offset.checked_add(length).ok_or(Error::FileTooLarge)?;
    if file.stat()?.size < end {
        file.set_length(end)?;
    }
    Ok(DONE)
}

/// Files are in memory, so there is nothing to flush.
pub(super) fn sync(guest: &mut Guest, _: &mut [u8], number: u32) -> Result<Outcome> {
    guest.descriptors.get(number)?;
    Ok(DONE)
}

pub(super) fn status(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    result: u32,
) -> Result<Outcome> {
    let descriptor = guest.descriptors.get(number)?;
    let flags = descriptor.file.flags();
    let mut reported = 0;
    if flags.contains(OpenFlags::APPEND) {
        reported |= APPEND;
    }
    if flags.contains(OpenFlags::NON_BLOCKING) {
        reported |= NON_BLOCKING;
    }
    let rights = if descriptor.kind == NodeKind::CharacterDevice {
        u64::MAX ^ SEEK_AND_TELL
    } else {
        u64::MAX
    };
    memory::check(bytes, result, 24)?;
    memory::write_u16(bytes, result, u16::from(file_type(descriptor.kind)))?;
    memory::write_u32(bytes, memory::at(result, 2)?, reported)?;
    memory::write_u64(bytes, memory::at(result, 8)?, rights)?;
    memory::write_u64(bytes, memory::at(result, 16)?, u64::MAX)?;
    Ok(DONE)
}

pub(super) fn set_flags(
    guest: &mut Guest,
    _: &mut [u8],
    number: u32,
    flags: u32,
) -> Result<Outcome> {
    let file = &guest.descriptors.get(number)?.file;
    // The append flag is fixed when a file is opened.
    if (flags & APPEND != 0) != file.flags().contains(OpenFlags::APPEND) || flags & !0x1f != 0 {
        return Err(Error::InvalidInput);
    }
    file.set_non_blocking(flags & NON_BLOCKING != 0);
    Ok(DONE)
}

/// Rights only shrink, and none exceed the grants.
pub(super) fn set_rights(
    guest: &mut Guest,
    _: &mut [u8],
    number: u32,
    _: u64,
    _: u64,
) -> Result<Outcome> {
    guest.descriptors.get(number)?;
    Err(Error::Unsupported)
}

pub(super) fn write_attributes(
    bytes: &mut [u8],
    result: u32,
    attributes: &devnet_virtual_file_system::Attributes,
) -> Result<Outcome> {
    let record = memory::slice_mut(bytes, result, 64)?;
    record.fill(0);
    memory::write_u64(bytes, memory::at(result, 8)?, attributes.inode)?;
    memory::write_u16(bytes, memory::at(result, 16)?, u16::from(file_type(attributes.kind)))?;
    memory::write_u64(bytes, memory::at(result, 24)?, u64::from(attributes.links))?;
    memory::write_u64(bytes, memory::at(result, 32)?, attributes.size)?;
    let modified = u64::try_from(attributes.modified.as_nanos()).unwrap_or(u64::MAX);
    memory::write_u64(bytes, memory::at(result, 48)?, modified)?;
    Ok(DONE)
}

pub(super) fn attributes(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    result: u32,
) -> Result<Outcome> {
    let attributes = guest.descriptors.get(number)?.file.stat()?;
    write_attributes(bytes, result, &attributes)
}

pub(super) fn set_size(guest: &mut Guest, _: &mut [u8], number: u32, size: u64) -> Result<Outcome> {
    guest.descriptors.get(number)?.file.set_length(size)?;
    Ok(DONE)
}

/// Times are those of changes, and not set by guests.
pub(super) fn set_times(
    guest: &mut Guest,
    _: &mut [u8],
    number: u32,
    _: u64,
    _: u64,
    _: u32,
) -> Result<Outcome> {
    guest.descriptors.get(number)?;
    Err(Error::Unsupported)
}

pub(super) fn read(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: u32,
    count: u32,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, result, 4)?;
    let vectors = guest.vectors(bytes, vectors, count)?;
    let outcome = vfs::receive(guest, bytes, number, &vectors)?;
    counted(bytes, result, outcome)
}

pub(super) fn write(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: u32,
    count: u32,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, result, 4)?;
    let vectors = guest.vectors(bytes, vectors, count)?;
    let outcome = match *vectors {
        [(pointer, length)] => vfs::send(guest, number, memory::slice(bytes, pointer, length)?)?,
        _ => vfs::send(guest, number, &memory::gather(bytes, &vectors)?)?,
    };
    counted(bytes, result, outcome)
}

/// Stores the return value of a `vfs` function in memory.
fn counted(bytes: &mut [u8], result: u32, outcome: Outcome) -> Result<Outcome> {
    match outcome {
        Outcome::Value(count) => {
            memory::write_u32(bytes, result, count as u32)?;
            Ok(DONE)
        }
        Outcome::Wait(waiting) => Ok(Outcome::wait(async move {
            let rest = waiting.await;
            finish(move |guest, bytes| {
                let count = rest(guest, bytes)?;
                memory::write_u32(bytes, result, count as u32)?;
                Ok(0)
            })
        })),
    }
}

/// Runs an operation at another offset of a regular file, and restores the offset.
fn at_offset(
    guest: &mut Guest,
    number: u32,
    offset: u64,
    action: impl FnOnce(&mut Guest) -> Result<usize>,
) -> Result<usize> {
    let file = guest.descriptors.get(number)?.file.clone();
    let here = file.seek(SeekFrom::Current(0))?;
    file.seek(SeekFrom::Start(offset))?;
    let outcome = action(guest);
    file.seek(SeekFrom::Start(here))?;
    outcome
}

pub(super) fn read_at(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: u32,
    count: u32,
    offset: u64,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, result, 4)?;
    let vectors = guest.vectors(bytes, vectors, count)?;
    let read = at_offset(guest, number, offset, |guest| {
        let file = &guest.descriptors.get(number)?.file;
        let mut all = 0;
        for (pointer, length) in &vectors {
            let count = file.try_read(memory::slice_mut(bytes, *pointer, *length)?)?;
            all += count;
            if count < *length as usize {
                break;
            }
        }
        Ok(all)
    })?;
    guest.moved(read);
    memory::write_u32(bytes, result, read as u32)?;
    Ok(DONE)
}

pub(super) fn write_at(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: u32,
    count: u32,
    offset: u64,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, result, 4)?;
    let data = memory::gather(bytes, &guest.vectors(bytes, vectors, count)?)?;
    let written = at_offset(guest, number, offset, |guest| {
        guest.descriptors.get(number)?.file.try_write(&data)
    })?;
    guest.moved(written);
    memory::write_u32(bytes, result, written as u32)?;
    Ok(DONE)
}

pub(super) fn preopened(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    result: u32,
) -> Result<Outcome> {
    let is_root =
        guest.descriptors.get(number)?.directory.as_ref().is_some_and(|path| path.is_root());
    if number != ROOT || !is_root {
        return Err(Error::BadFileDescriptor);
    }
    // Tag 0 is a directory; the length of its name follows.
    memory::write_u32(bytes, result, 0)?;
    memory::write_u32(bytes, memory::at(result, 4)?, 1)?;
    Ok(DONE)
}

pub(super) fn preopened_name(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    buffer: u32,
    length: u32,
) -> Result<Outcome> {
    if number != ROOT || guest.descriptors.get(number)?.directory.is_none() {
        return Err(Error::BadFileDescriptor);
    }
    if length == 0 {
        return Err(Error::NameTooLong);
    }
    memory::write(bytes, buffer, b"/")?;
    Ok(DONE)
}

/// Lists the entries of a directory. `.` and `..` come first, as libc expects. The cookie is the
/// number of preceding entries.
pub(super) fn list(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    buffer: u32,
    length: u32,
    cookie: u64,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, buffer, length)?;
    memory::check(bytes, result, 4)?;
    let descriptor = guest.descriptors.get(number)?;
    let path = descriptor.directory.clone().ok_or(Error::NotADirectory)?;
    // Usually the guest goes on where it was; otherwise entries are counted from the first.
    let known = descriptor.listed.clone().filter(|(count, _)| *count == cookie);
    let (passed, after) = known.map_or((DOTS, None), |(count, name)| (count, Some(name)));
    let listing = Listing::new(guest, path, after);
    Ok(Outcome::wait(async move {
        let outcome = fill(listing, passed, cookie, length as usize).await;
        finish(move |guest, bytes| {
            let (text, listed) = outcome?;
            guest.moved(text.len());
            memory::write(bytes, buffer, &text)?;
            memory::write_u32(bytes, result, text.len() as u32)?;
            if let (Some(_), Ok(descriptor)) = (&listed, guest.descriptors.get_mut(number)) {
                descriptor.listed = listed;
            }
            Ok(0)
        })
    }))
}

/// The entries `.` and `..`.
const DOTS: u64 = 2;

/// Fills a buffer with the entries after the first `cookie` ones; `passed` were passed before the
/// listing begins. Also returns the last entry that fits whole.
async fn fill(
    mut listing: Listing,
    mut passed: u64,
    cookie: u64,
    length: usize,
) -> Result<(Vec<u8>, Option<(u64, String)>)> {
    let (mut text, mut listed) = (Vec::new(), None);
    for (next, name) in [(1, "."), (DOTS, "..")] {
        if next > cookie {
            put_entry(&mut text, next, name, NodeKind::Directory);
        }
    }
    while text.len() < length
        && let Some(entry) = listing.next().await?
    {
        passed += 1;
        if passed > cookie {
            put_entry(&mut text, passed, &entry.name, entry.kind);
            if text.len() <= length {
                listed = Some((passed, entry.name));
            }
        }
    }
    // An entry that does not fit is truncated; a full buffer makes the caller read on.
    text.truncate(length);
    Ok((text, listed))
}

fn put_entry(text: &mut Vec<u8>, next: u64, name: &str, kind: NodeKind) {
    text.extend_from_slice(&next.to_le_bytes());
    text.extend_from_slice(&0_u64.to_le_bytes());
    text.extend_from_slice(&(name.len() as u32).to_le_bytes());
    text.extend_from_slice(&[file_type(kind), 0, 0, 0]);
    text.extend_from_slice(name.as_bytes());
}

pub(super) fn renumber(guest: &mut Guest, _: &mut [u8], from: u32, to: u32) -> Result<Outcome> {
    guest.descriptors.renumber(from, to)?;
    Ok(DONE)
}

pub(super) fn tell(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    result: u32,
) -> Result<Outcome> {
    vfs::seek(guest, bytes, number, 0, 1, result)
}
