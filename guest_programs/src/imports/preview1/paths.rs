//! Functions of a path relative to an open directory (`path_*`).

use devnet_virtual_file_system::{Error, NodeKind, OpenFlags, Path, Result};

use super::super::call::{DONE, Outcome};
use super::super::vfs;
use super::files::{APPEND, NON_BLOCKING, write_attributes};
use crate::guest::Guest;
use crate::memory;

/// Open flags.
const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;
/// The rights that select read or write access.
const MAY_READ: u64 = 1 << 1;
const MAY_WRITE: u64 = 1 << 6;

/// Resolves a path relative to a directory. It cannot leave the guest's namespace, but it may leave
/// the directory, as in POSIX.
fn resolve(guest: &Guest, bytes: &[u8], number: u32, path: u32, length: u32) -> Result<Path> {
    let directory =
        guest.descriptors.get(number)?.directory.as_ref().ok_or(Error::NotADirectory)?;
    guest.path_in(directory, bytes, path, length)
}

pub(super) fn open(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    _: u32,
    path: u32,
    length: u32,
    how: u32,
    rights: u64,
    _: u64,
    flags: u32,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, result, 4)?;
    let path = resolve(guest, bytes, number, path, length)?;
    let mut wanted = OpenFlags::empty();
    wanted.set(OpenFlags::WRITE, rights & MAY_WRITE != 0);
    // A descriptor with neither right, as for a directory, is opened for reading.
    wanted.set(OpenFlags::READ, rights & MAY_READ != 0 || !wanted.contains(OpenFlags::WRITE));
    for (bit, flag) in [
        (CREATE, OpenFlags::CREATE),
        (EXCLUSIVE, OpenFlags::EXCLUSIVE),
        (TRUNCATE, OpenFlags::TRUNCATE),
    ] {
        wanted.set(flag, how & bit != 0);
    }
    wanted.set(OpenFlags::APPEND, flags & APPEND != 0);
    wanted.set(OpenFlags::NON_BLOCKING, flags & NON_BLOCKING != 0);
    let is_directory =
        guest.namespace.stat(&path).is_ok_and(|attributes| attributes.kind == NodeKind::Directory);
    if how & DIRECTORY != 0 || (is_directory && how & CREATE == 0) {
        // libc requests all rights when it opens a directory.
        wanted = OpenFlags::READ | OpenFlags::DIRECTORY;
    }
    guest.descriptors.check_room()?;
    let opened = guest.namespace.open(&path, wanted)?;
    let descriptor = vfs::describe(opened, &path)?;
    let opened = guest.descriptors.insert(descriptor)?;
    memory::write_u32(bytes, result, opened)?;
    Ok(DONE)
}

pub(super) fn attributes(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    _: u32,
    path: u32,
    length: u32,
    result: u32,
) -> Result<Outcome> {
    let path = resolve(guest, bytes, number, path, length)?;
    let attributes = guest.namespace.stat(&path)?;
    write_attributes(bytes, result, &attributes)
}

pub(super) fn create_directory(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    path: u32,
    length: u32,
) -> Result<Outcome> {
    guest.namespace.create_directory(&resolve(guest, bytes, number, path, length)?)?;
    Ok(DONE)
}

/// Removes a path that must be a directory, or must not be one.
pub(super) fn remove(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    path: u32,
    length: u32,
    is_directory: bool,
) -> Result<Outcome> {
    let path = resolve(guest, bytes, number, path, length)?;
    match (guest.namespace.stat(&path)?.kind, is_directory) {
        (NodeKind::Directory, false) => Err(Error::IsADirectory),
        (NodeKind::Regular | NodeKind::CharacterDevice, true) => Err(Error::NotADirectory),
        _ => guest.namespace.remove(&path).map(|()| DONE),
    }
}

pub(super) fn rename(
    guest: &mut Guest,
    bytes: &mut [u8],
    from: u32,
    path: u32,
    length: u32,
    to: u32,
    new: u32,
    new_length: u32,
) -> Result<Outcome> {
    let old = resolve(guest, bytes, from, path, length)?;
    let new = resolve(guest, bytes, to, new, new_length)?;
    guest.namespace.rename(&old, &new)?;
    Ok(DONE)
}

/// Times are those of changes, and not set by guests.
pub(super) fn set_times(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    _: u32,
    path: u32,
    length: u32,
    _: u64,
    _: u64,
    _: u32,
) -> Result<Outcome> {
    let path = resolve(guest, bytes, number, path, length)?;
    guest.namespace.stat(&path)?;
    Err(Error::Unsupported)
}

/// The file system has no links.
pub(super) fn link(
    guest: &mut Guest,
    bytes: &mut [u8],
    from: u32,
    _: u32,
    path: u32,
    length: u32,
    to: u32,
    new: u32,
    new_length: u32,
) -> Result<Outcome> {
    let old = resolve(guest, bytes, from, path, length)?;
    resolve(guest, bytes, to, new, new_length)?;
    guest.namespace.stat(&old)?;
    Err(Error::Unsupported)
}

pub(super) fn symbolic_link(
    guest: &mut Guest,
    bytes: &mut [u8],
    path: u32,
    length: u32,
    number: u32,
    new: u32,
    new_length: u32,
) -> Result<Outcome> {
    memory::path(bytes, path, length)?;
    resolve(guest, bytes, number, new, new_length)?;
    Err(Error::Unsupported)
}

pub(super) fn read_link(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    path: u32,
    length: u32,
    buffer: u32,
    capacity: u32,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, buffer, capacity)?;
    memory::check(bytes, result, 4)?;
    let path = resolve(guest, bytes, number, path, length)?;
    guest.namespace.stat(&path)?;
    Err(Error::InvalidInput)
}
