//! The imports as safe functions: slices instead of pointers, [`Error`] instead of negative
//! numbers.
//!
//! `guest_programs/src/imports/vfs.rs` of the system documents module `vfs`.

#![allow(unsafe_code)]

use crate::{Error, Result};

mod vfs {
    #[link(wasm_import_module = "vfs")]
    unsafe extern "C" {
        pub(super) fn open(path: *const u8, length: usize, flags: u32) -> i32;
        pub(super) fn close(descriptor: i32) -> i32;
        pub(super) fn read(descriptor: i32, buffer: *mut u8, length: usize) -> i32;
        pub(super) fn write(descriptor: i32, data: *const u8, length: usize) -> i32;
        pub(super) fn control(
            descriptor: i32,
            identifier: u32,
            request: *const u8,
            length: usize,
            response: *mut u8,
            capacity: usize,
        ) -> i32;
        pub(super) fn poll(entries: *mut super::PollEntry, count: usize, milliseconds: i32) -> i32;
        pub(super) fn seek(descriptor: i32, offset: i64, whence: u32, result: *mut u64) -> i32;
        pub(super) fn stat(path: *const u8, length: usize, result: *mut super::Stat) -> i32;
        pub(super) fn stat_open(descriptor: i32, result: *mut super::Stat) -> i32;
        pub(super) fn list(path: *const u8, length: usize, buffer: *mut u8, capacity: usize)
        -> i32;
        pub(super) fn set_non_blocking(descriptor: i32, is_on: u32) -> i32;
        pub(super) fn duplicate(descriptor: i32) -> i32;
        pub(super) fn create_directory(path: *const u8, length: usize) -> i32;
        pub(super) fn remove(path: *const u8, length: usize) -> i32;
        pub(super) fn rename(
            from: *const u8,
            from_length: usize,
            to: *const u8,
            to_length: usize,
        ) -> i32;
        pub(super) fn usage(result: *mut super::Usage, capacity: usize) -> i32;
    }
}

mod preview1 {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        pub(super) fn args_sizes_get(count: *mut usize, size: *mut usize) -> u16;
        pub(super) fn args_get(pointers: *mut *const u8, buffer: *mut u8) -> u16;
        pub(super) fn clock_time_get(clock: u32, precision: u64, result: *mut u64) -> u16;
        pub(super) fn random_get(buffer: *mut u8, length: usize) -> u16;
        pub(super) fn proc_exit(status: u32) -> !;
    }
}

/// An amount, and how much it may be.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Amount {
    /// What is used.
    pub used: u64,
    /// The limit.
    pub limit: u64,
}

/// What the program uses of its limits.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Bytes of memory.
    pub memory: Amount,
    /// Open files.
    pub files: Amount,
    /// Sockets.
    pub sockets: Amount,
    /// Bytes of the sockets' buffers.
    pub buffers: Amount,
    /// Bytes stored in files, with their overhead.
    pub storage: Amount,
    /// Files and directories created.
    pub nodes: Amount,
}

/// An entry of [`poll`] (POSIX' `pollfd`).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PollEntry {
    /// The descriptor; a negative one is ignored.
    pub descriptor: i32,
    /// The requested events: 1 readable, 4 writable.
    pub asked: u16,
    /// The returned events: the same, 8 error, 16 hang-up, 32 not open.
    pub found: u16,
}

/// The attributes of a file, as [`stat`] returns them.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// The inode number.
    pub inode: u64,
    /// 0 directory, 1 file, 2 character device.
    pub kind: u32,
    /// Permission bits.
    pub mode: u32,
}

fn checked(result: i32) -> Result<usize> {
    // A negative number is an error; an unknown one becomes `InputOutput`.
    usize::try_from(result).map_err(|_| {
        u16::try_from(result.unsigned_abs())
            .ok()
            .and_then(Error::from_errno)
            .unwrap_or(Error::InputOutput)
    })
}

fn done(result: i32) -> Result<()> {
    checked(result).map(drop)
}

/// Opens a path and returns the descriptor.
///
/// # Errors
/// Errors of the file system; `NotFound` for a path that is not granted.
pub fn open(path: &str, flags: u32) -> Result<i32> {
    // SAFETY: pointer and length are those of one string that lives as long as the call.
    let descriptor = checked(unsafe { vfs::open(path.as_ptr(), path.len(), flags) })?;
    Ok(descriptor as i32)
}

/// Closes a descriptor.
///
/// # Errors
/// `BadFileDescriptor`.
pub fn close(descriptor: i32) -> Result<()> {
    // SAFETY: no memory is passed.
    done(unsafe { vfs::close(descriptor) })
}

/// Reads; 0 is the end of the file.
///
/// # Errors
/// Errors of the file.
pub fn read(descriptor: i32, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: pointer and length are those of one slice that is ours alone as long as the call
    // lasts.
    checked(unsafe { vfs::read(descriptor, buffer.as_mut_ptr(), buffer.len()) })
}

/// Writes and returns the number of bytes written.
///
/// # Errors
/// Errors of the file.
pub fn write(descriptor: i32, data: &[u8]) -> Result<usize> {
    // SAFETY: pointer and length are those of one slice that lives as long as the call.
    checked(unsafe { vfs::write(descriptor, data.as_ptr(), data.len()) })
}

/// Sends a command and returns the length of the whole response; as much as fits is written.
///
/// # Errors
/// Errors of the command.
pub fn control(
    descriptor: i32,
    identifier: u32,
    request: &[u8],
    response: &mut [u8],
) -> Result<usize> {
    let (answer, capacity) = (response.as_mut_ptr(), response.len());
    // SAFETY: both slices live as long as the call, and the response is ours alone.
    checked(unsafe {
        vfs::control(descriptor, identifier, request.as_ptr(), request.len(), answer, capacity)
    })
}

/// Waits until a descriptor is ready or the timeout in milliseconds expires (−1: no timeout);
/// returns how many are ready.
///
/// # Errors
/// `InvalidInput` for too many entries.
pub fn poll(entries: &mut [PollEntry], milliseconds: i32) -> Result<usize> {
    // SAFETY: pointer and count are those of one slice of entries with the layout of the call.
    checked(unsafe { vfs::poll(entries.as_mut_ptr(), entries.len(), milliseconds) })
}

/// Moves the offset, relative to 0 the start, 1 the current offset, 2 the end; returns the new one.
///
/// # Errors
/// `IllegalSeek` for devices and sockets, `InvalidInput`.
pub fn seek(descriptor: i32, offset: i64, whence: u32) -> Result<u64> {
    let mut position = 0;
    // SAFETY: the result is a local variable.
    done(unsafe { vfs::seek(descriptor, offset, whence, &mut position) })?;
    Ok(position)
}

/// Returns the attributes of a path.
///
/// # Errors
/// `NotFound`.
pub fn stat(path: &str) -> Result<Stat> {
    let mut result = Stat::default();
    // SAFETY: the string lives as long as the call, and the result has the layout of the call.
    done(unsafe { vfs::stat(path.as_ptr(), path.len(), &mut result) })?;
    Ok(result)
}

/// Returns the attributes of an open file.
///
/// # Errors
/// `BadFileDescriptor`.
pub fn stat_open(descriptor: i32) -> Result<Stat> {
    let mut result = Stat::default();
    // SAFETY: the result has the layout of the call.
    done(unsafe { vfs::stat_open(descriptor, &mut result) })?;
    Ok(result)
}

/// Lists a directory: kind, length of the name, and name of each entry. Returns the length of the
/// whole list; as much as fits is written.
///
/// # Errors
/// `NotFound`, `NotADirectory`.
pub fn list(path: &str, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: both live as long as the call, and the buffer is ours alone.
    checked(unsafe { vfs::list(path.as_ptr(), path.len(), buffer.as_mut_ptr(), buffer.len()) })
}

/// Returns what the program uses of its limits.
///
/// # Errors
/// None is expected.
pub fn usage() -> Result<Usage> {
    let mut result = Usage::default();
    // SAFETY: the result is ours alone, and any bytes are a valid one.
    checked(unsafe { vfs::usage(&raw mut result, size_of::<Usage>()) })?;
    Ok(result)
}

/// Makes calls on a descriptor block, or return `WouldBlock`.
///
/// # Errors
/// `BadFileDescriptor`.
pub fn set_non_blocking(descriptor: i32, is_on: bool) -> Result<()> {
    // SAFETY: no memory is passed.
    done(unsafe { vfs::set_non_blocking(descriptor, u32::from(is_on)) })
}

/// Duplicates a descriptor; both share the open file.
///
/// # Errors
/// `TooManyOpenFiles`.
pub fn duplicate(descriptor: i32) -> Result<i32> {
    // SAFETY: no memory is passed.
    checked(unsafe { vfs::duplicate(descriptor) }).map(|descriptor| descriptor as i32)
}

/// Creates a directory.
///
/// # Errors
/// Errors of the file system.
pub fn create_directory(path: &str) -> Result<()> {
    // SAFETY: the string lives as long as the call.
    done(unsafe { vfs::create_directory(path.as_ptr(), path.len()) })
}

/// Removes a file or an empty directory.
///
/// # Errors
/// Errors of the file system.
pub fn remove(path: &str) -> Result<()> {
    // SAFETY: the string lives as long as the call.
    done(unsafe { vfs::remove(path.as_ptr(), path.len()) })
}

/// Renames a file.
///
/// # Errors
/// Errors of the file system.
pub fn rename(from: &str, to: &str) -> Result<()> {
    // SAFETY: both strings live as long as the call.
    done(unsafe { vfs::rename(from.as_ptr(), from.len(), to.as_ptr(), to.len()) })
}

/// Returns the number of arguments and their bytes, including the terminating zeros.
#[must_use]
pub fn argument_sizes() -> (usize, usize) {
    let (mut count, mut size) = (0, 0);
    // SAFETY: the results are local variables.
    let failed = unsafe { preview1::args_sizes_get(&mut count, &mut size) } != 0;
    if failed { (0, 0) } else { (count, size) }
}

/// Writes the arguments, each with a terminating zero, to a buffer of at least the size that
/// [`argument_sizes`] returned; false if it is too small.
#[must_use]
pub fn arguments(buffer: &mut [u8]) -> bool {
    let (count, size) = argument_sizes();
    if buffer.len() < size {
        return false;
    }
    let mut pointers = alloc::vec![core::ptr::null(); count];
    // SAFETY: there is room for the reported number of pointers and bytes, and arguments do not
    // change while a program runs.
    unsafe { preview1::args_get(pointers.as_mut_ptr(), buffer.as_mut_ptr()) == 0 }
}

/// Returns the time in nanoseconds: clock 0 since 1970, clock 1 monotonic.
#[must_use]
pub fn clock(clock: u32) -> u64 {
    let mut time = 0;
    // SAFETY: the result is a local variable. Both clocks exist, so the call does not fail.
    let _ = unsafe { preview1::clock_time_get(clock, 1, &mut time) };
    time
}

/// Fills a buffer with random bytes; false if none are available.
#[must_use]
pub fn random(buffer: &mut [u8]) -> bool {
    // SAFETY: pointer and length are those of one exclusively borrowed slice.
    unsafe { preview1::random_get(buffer.as_mut_ptr(), buffer.len()) == 0 }
}

/// Ends the program.
pub fn exit(status: u8) -> ! {
    // SAFETY: no memory is passed.
    unsafe { preview1::proc_exit(u32::from(status)) }
}
