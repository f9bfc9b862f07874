//! Module `vfs`: the file system calls, for guests in any language.
//!
//! | import | parameters | result |
//! |---|---|---|
//! | `open` | path, length, flags | descriptor |
//! | `close` | descriptor | 0 |
//! | `read` | descriptor, buffer, length | bytes, 0 at the end |
//! | `write` | descriptor, data, length | bytes |
//! | `control` | descriptor, identifier, request, length, response, capacity | as `list` |
//! | `poll` | entries, count, milliseconds (−1: no timeout) | entries that are ready |
//! | `seek` | descriptor, offset (64 bits), from (0 start, 1 here, 2 end), result (u64) | 0 |
//! | `stat` | path, length, result | 0 |
//! | `stat_open` | descriptor, result | 0 |
//! | `list` | path, length, buffer, capacity | bytes of the whole answer |
//! | `set_non_blocking` | descriptor, 1 or 0 | 0 |
//! | `duplicate` | descriptor | descriptor of the same open file |
//! | `create_directory`, `remove` | path, length | 0 |
//! | `rename` | from, length, to, length | 0 |
//! | `usage` | buffer, capacity | as `list` |
//!
//! `control` and `list` write as much of the response as fits. A negative result is an error with
//! Linux' number. Flags are those of [`OpenFlags`]: read 1, write 2, append 4, create 8, exclusive
//! 16, truncate 32, non-blocking 64, directory 128. An entry of `poll` is POSIX' `pollfd`:
//! descriptor (i32), requested and returned events (u16 each): in 1, out 4, error 8, hang-up 16,
//! invalid 32. `stat` writes 24 bytes: size and inode (u64 each), kind (u32: 0 directory, 1 file, 2
//! character device), mode (u32). `list` writes kind (u8), length of the name (u8) and the name for
//! each entry. `usage` writes what is used and the limit (u64 each) of: bytes of memory, open
//! files, sockets, bytes of their buffers, bytes of storage, nodes.
//!
//! On a non-blocking descriptor, a connect continues in the background, as do blocking commands
//! written as text: the call returns `InProgress` (−115), `poll` reports completion, and the
//! command `TakeError` (or the next call) returns the result.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use devnet_network::command::{Connect, TakeError};
use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::{
    Attributes, ControlCommand, Error, Identifier, NodeKind, OpenDevice, OpenFlags, Result, encode,
};
use embedded_io_async::SeekFrom;

use super::call::{Outcome, finish};
use crate::descriptor::{Descriptor, PendingConnect};
use crate::guard::lists::is_long;
use crate::guest::Guest;
use crate::limits;
use crate::memory;
use crate::namespace::Opened;

fn done(number: u32) -> Result<Outcome> {
    Ok(Outcome::Value(i32::try_from(number).unwrap_or(i32::MAX)))
}

pub(super) fn open(
    guest: &mut Guest,
    bytes: &mut [u8],
    path: u32,
    length: u32,
    flags: u32,
) -> Result<Outcome> {
    let path = guest.path(bytes, path, length)?;
    let flags = OpenFlags::from_bits(flags).ok_or(Error::InvalidInput)?;
    guest.descriptors.check_room()?;
    let opened = guest.namespace.open(&path, flags)?;
    let descriptor = describe(opened, &path)?;
    done(guest.descriptors.insert(descriptor)?)
}

/// Makes a descriptor of a newly opened file.
pub(super) fn describe(
    opened: Opened,
    path: &devnet_virtual_file_system::Path,
) -> Result<Descriptor> {
    let kind = opened.file.stat()?.kind;
    let directory = (kind == NodeKind::Directory).then(|| path.clone());
    Ok(Descriptor::new(opened, kind, directory))
}

pub(super) fn close(guest: &mut Guest, _: &mut [u8], number: u32) -> Result<Outcome> {
    drop(guest.descriptors.remove(number)?);
    done(0)
}

pub(super) fn duplicate(guest: &mut Guest, _: &mut [u8], number: u32) -> Result<Outcome> {
    let copy = guest.descriptors.get(number)?.clone();
    done(guest.descriptors.insert(copy)?)
}

pub(super) fn read(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    pointer: u32,
    length: u32,
) -> Result<Outcome> {
    let length = length.min(limits::TRANSFER_BYTES as u32);
    memory::check(bytes, pointer, length)?;
    receive(guest, bytes, number, &[(pointer, length)])
}

/// Reads into buffers of the guest, which the caller has checked. A single buffer, the usual case
/// with libc, is filled in place if the read does not block.
pub(super) fn receive(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: &[(u32, u32)],
) -> Result<Outcome> {
    let descriptor = guest.descriptors.get(number)?;
    descriptor.settle()?;
    if let [(pointer, length)] = *vectors {
        match descriptor.file.try_read(memory::slice_mut(bytes, pointer, length)?) {
            Err(Error::WouldBlock) if !descriptor.is_non_blocking() => {}
            outcome => {
                let count = outcome?;
                guest.moved(count);
                return done(count as u32);
            }
        }
    }
    let (file, timeout, vectors) =
        (descriptor.file.clone(), descriptor.receive_timeout, vectors.to_vec());
    let length = vectors.iter().map(|(_, length)| *length as usize).sum();
    let clock = Arc::clone(&guest.supplies.clock);
    Ok(Outcome::wait(async move {
        let mut data = vec![0; length];
        let outcome = super::waiting::with_timeout(&*clock, timeout, file.read(&mut data)).await;
        finish(move |guest, bytes| {
            let data = data.get(..outcome?).unwrap_or_default();
            guest.moved(data.len());
            memory::scatter(bytes, &vectors, data)?;
            Ok(data.len() as i32)
        })
    }))
}

pub(super) fn write(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    pointer: u32,
    length: u32,
) -> Result<Outcome> {
    let length = length.min(limits::TRANSFER_BYTES as u32);
    let data = memory::slice(bytes, pointer, length)?;
    send(guest, number, data)
}

/// Writes data of the guest; without copying it if the write does not block.
pub(super) fn send(guest: &mut Guest, number: u32, data: &[u8]) -> Result<Outcome> {
    let descriptor = guest.descriptors.get_mut(number)?;
    descriptor.settle()?;
    if descriptor.takes_data() {
        match descriptor.file.try_write(data) {
            Err(Error::WouldBlock) if !descriptor.is_non_blocking() => {}
            outcome => {
                let count = outcome?;
                guest.moved(count);
                return done(count as u32);
            }
        }
    } else if descriptor.is_non_blocking()
        && let Some(guard) = descriptor.guard.clone()
    {
        let data = data.to_vec();
        let count = data.len();
        let commands = async move { guard.write(&data).await.map(drop) };
        return begin(descriptor, PendingConnect::new(alloc::boxed::Box::pin(commands)), count);
    }
    let (file, data, timeout) = (descriptor.file.clone(), data.to_vec(), descriptor.send_timeout);
    let clock = Arc::clone(&guest.supplies.clock);
    Ok(Outcome::wait(async move {
        let outcome = super::waiting::with_timeout(&*clock, timeout, file.write(&data)).await;
        finish(move |guest, _| {
            let count = outcome?;
            guest.moved(count);
            Ok(count as i32)
        })
    }))
}

/// Starts an operation that may continue in the background; `count` is the call's value if it ends
/// at once.
fn begin(descriptor: &mut Descriptor, pending: PendingConnect, count: usize) -> Result<Outcome> {
    if descriptor.pending_connect.as_ref().is_some_and(|pending| pending.is_running()) {
        return Err(Error::AlreadyInProgress);
    }
    match pending.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(true) => done(count as u32),
        Poll::Ready(false) => Err(pending.take_error().unwrap_or(Error::InputOutput)),
        Poll::Pending => {
            descriptor.pending_connect = Some(Arc::new(pending));
            Err(Error::InProgress)
        }
    }
}

pub(super) fn control(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    identifier: u32,
    request: u32,
    length: u32,
    response: u32,
    capacity: u32,
) -> Result<Outcome> {
    memory::check(bytes, response, capacity)?;
    let request = memory::slice(bytes, request, length)?;
    if request.len() > devnet_virtual_file_system::limits::REQUEST_BYTES {
        return Err(Error::MessageTooLong);
    }
    let (identifier, request) = (Identifier::from_raw(identifier), request.to_vec());
    let respond = move |guest: &mut Guest, bytes: &mut [u8], answer: &[u8]| {
        let fitting = answer.len().min(capacity as usize);
        memory::write(bytes, response, answer.get(..fitting).unwrap_or_default())?;
        guest.moved(answer.len());
        i32::try_from(answer.len()).map_err(|_| Error::MessageTooLong)
    };
    match ask(guest, number, identifier, request)? {
        Reply::Answer(answer) => respond(guest, bytes, &answer).map(Outcome::Value),
        Reply::Wait(waiting) => Ok(Outcome::wait(async move {
            let outcome = waiting.await;
            finish(move |guest, bytes| respond(guest, bytes, &outcome?))
        })),
    }
}

/// The outcome of a command.
pub(super) enum Reply {
    Answer(Vec<u8>),
    Wait(BoxFuture<'static, Result<Vec<u8>>>),
}

/// Sends a command to an open file, blocking or not as the descriptor says. A non-blocking connect
/// continues in the background.
pub(super) fn ask(
    guest: &mut Guest,
    number: u32,
    identifier: Identifier,
    request: Vec<u8>,
) -> Result<Reply> {
    let descriptor = guest.descriptors.get_mut(number)?;
    if identifier == TakeError::IDENTIFIER
        && let Some(pending) = &descriptor.pending_connect
    {
        // A no-op waker is enough: tasks that wait have registered theirs by `poll`.
        let _ = pending.poll(&mut Context::from_waker(Waker::noop()));
        if let Some(error) = pending.take_error() {
            return encode(&Some(error)).map(Reply::Answer);
        }
    }
    // A long list waits for nothing, but takes several turns.
    if descriptor.is_non_blocking() && !is_long(identifier) {
        if identifier != Connect::IDENTIFIER {
            return descriptor.file.try_control_raw(identifier, &request).map(Reply::Answer);
        }
        if let Some(guard) = descriptor.guard.clone() {
            let connect = async move { guard.control(identifier, &request).await.map(drop) };
            begin(descriptor, PendingConnect::new(alloc::boxed::Box::pin(connect)), 0)?;
            // The connect ended at once, as for a datagram socket: the response is the local
            // address.
            let status = descriptor.file.try_control::<devnet_network::command::GetSocket>(&())?;
            return encode(&status.local).map(Reply::Answer);
        }
    }
    let file = descriptor.file.clone();
    Ok(Reply::Wait(alloc::boxed::Box::pin(
        async move { file.control_raw(identifier, &request).await },
    )))
}

/// Decodes `whence`; POSIX and WASI use the same numbers.
pub(super) fn seek_target(offset: u64, whence: u32) -> Result<SeekFrom> {
    match whence {
        0 => Ok(SeekFrom::Start(offset)),
        1 => Ok(SeekFrom::Current(offset as i64)),
        2 => Ok(SeekFrom::End(offset as i64)),
        _ => Err(Error::InvalidInput),
    }
}

pub(super) fn seek(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    offset: u64,
    whence: u32,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, result, 8)?;
    let position = guest.descriptors.get(number)?.file.seek(seek_target(offset, whence)?)?;
    memory::write_u64(bytes, result, position)?;
    done(0)
}

fn write_attributes(bytes: &mut [u8], result: u32, attributes: &Attributes) -> Result<Outcome> {
    memory::check(bytes, result, 24)?;
    memory::write_u64(bytes, result, attributes.size)?;
    memory::write_u64(bytes, memory::at(result, 8)?, attributes.inode)?;
    memory::write_u32(bytes, memory::at(result, 16)?, u32::from(kind_number(attributes.kind)))?;
    memory::write_u32(bytes, memory::at(result, 20)?, u32::from(attributes.mode.bits()))?;
    done(0)
}

pub(super) const fn kind_number(kind: NodeKind) -> u8 {
    match kind {
        NodeKind::Directory => 0,
        NodeKind::Regular => 1,
        NodeKind::CharacterDevice => 2,
    }
}

pub(super) fn stat(
    guest: &mut Guest,
    bytes: &mut [u8],
    path: u32,
    length: u32,
    result: u32,
) -> Result<Outcome> {
    let attributes = guest.namespace.stat(&guest.path(bytes, path, length)?)?;
    write_attributes(bytes, result, &attributes)
}

pub(super) fn stat_open(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    result: u32,
) -> Result<Outcome> {
    let attributes = guest.descriptors.get(number)?.file.stat()?;
    write_attributes(bytes, result, &attributes)
}

pub(super) fn set_non_blocking(
    guest: &mut Guest,
    _: &mut [u8],
    number: u32,
    is_on: u32,
) -> Result<Outcome> {
    if is_on > 1 {
        return Err(Error::InvalidInput);
    }
    guest.descriptors.get(number)?.file.set_non_blocking(is_on == 1);
    done(0)
}

pub(super) fn create_directory(
    guest: &mut Guest,
    bytes: &mut [u8],
    path: u32,
    length: u32,
) -> Result<Outcome> {
    guest.namespace.create_directory(&guest.path(bytes, path, length)?)?;
    done(0)
}

pub(super) fn remove(
    guest: &mut Guest,
    bytes: &mut [u8],
    path: u32,
    length: u32,
) -> Result<Outcome> {
    guest.namespace.remove(&guest.path(bytes, path, length)?)?;
    done(0)
}

pub(super) fn rename(
    guest: &mut Guest,
    bytes: &mut [u8],
    from: u32,
    from_length: u32,
    to: u32,
    to_length: u32,
) -> Result<Outcome> {
    let from = guest.path(bytes, from, from_length)?;
    let to = guest.path(bytes, to, to_length)?;
    guest.namespace.rename(&from, &to)?;
    done(0)
}
