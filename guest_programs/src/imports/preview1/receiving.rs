//! `sock_recv` and `sock_recv_from`: datagrams with truncation reported, and the flags PEEK and
//! WAITALL.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use devnet_network::command::socket::SocketKind;
use devnet_network::command::{Peek, ReceiveFrom};
use devnet_virtual_file_system::{Error, File, Result};

use super::super::call::{Outcome, finish};
use super::super::waiting::with_timeout;
use super::files;
use super::sockets::{status, write_address};
use crate::guest::Guest;
use crate::memory;

/// Leave the data in the queue (MSG_PEEK).
const PEEK: u32 = 1;
/// Fill the buffers (MSG_WAITALL); datagrams ignore it.
const WAIT_FOR_ALL: u32 = 2;
/// An output flag: the datagram was longer than the buffers (MSG_TRUNC).
const TRUNCATED: u16 = 1;

/// The addresses of a call's results.
#[derive(Clone, Copy)]
struct Places {
    /// The number of bytes (u32) and the output flags (u16).
    length: u32,
    found: u32,
    /// The sender's address and port.
    sender: Option<(u32, u32)>,
}

impl Places {
    /// Writes the received data: as much as fits of a message of `whole` bytes.
    fn fill(
        self,
        (guest, bytes): (&mut Guest, &mut [u8]),
        vectors: &[(u32, u32)],
        (data, whole): (&[u8], usize),
        remote: SocketAddr,
    ) -> Result<i32> {
        let room = vectors.iter().map(|(_, length)| *length as usize).sum();
        let data = data.get(..room).unwrap_or(data);
        guest.moved(data.len());
        memory::scatter(bytes, vectors, data)?;
        if let Some((address, port)) = self.sender {
            write_address(bytes, address, remote.ip())?;
            memory::write_u32(bytes, port, u32::from(remote.port()))?;
        }
        memory::write_u32(bytes, self.length, data.len() as u32)?;
        memory::write_u16(bytes, self.found, if data.len() < whole { TRUNCATED } else { 0 })?;
        Ok(0)
    }
}

pub(super) fn receive(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: u32,
    count: u32,
    flags: u32,
    length: u32,
    found: u32,
) -> Result<Outcome> {
    memory::check(bytes, length, 4)?;
    memory::check(bytes, found, 2)?;
    check_flags(flags)?;
    let places = Places { length, found, sender: None };
    let is_datagram =
        guest.descriptors.get(number)?.guard.as_ref().is_some_and(|guard| guard.is_datagram());
    if flags & PEEK != 0 || is_datagram {
        let vectors = guest.vectors(bytes, vectors, count)?;
        return take(guest, number, vectors, flags, places);
    }
    memory::write_u16(bytes, found, 0)?;
    if flags & WAIT_FOR_ALL != 0 {
        let vectors = guest.vectors(bytes, vectors, count)?;
        return take_all(guest, number, vectors, length);
    }
    files::read(guest, bytes, number, vectors, count, length)
}

pub(super) fn receive_from(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: u32,
    count: u32,
    address: u32,
    flags: u32,
    port: u32,
    length: u32,
    found: u32,
) -> Result<Outcome> {
    for (pointer, size) in [(port, 4), (length, 4), (found, 2), (address, 8)] {
        memory::check(bytes, pointer, size)?;
    }
    check_flags(flags)?;
    let status = status(guest, number)?;
    if let (SocketKind::Tcp, Some(remote)) = (status.kind, status.remote) {
        write_address(bytes, address, remote.ip())?;
        memory::write_u32(bytes, port, u32::from(remote.port()))?;
        return receive(guest, bytes, number, vectors, count, flags, length, found);
    }
    let vectors = guest.vectors(bytes, vectors, count)?;
    let places = Places { length, found, sender: Some((address, port)) };
    take(guest, number, vectors, flags, places)
}

fn check_flags(flags: u32) -> Result<()> {
    if flags & !(PEEK | WAIT_FOR_ALL) == 0 { Ok(()) } else { Err(Error::Unsupported) }
}

/// Receives one message; with PEEK it stays in the queue.
fn take(
    guest: &Guest,
    number: u32,
    vectors: Vec<(u32, u32)>,
    flags: u32,
    places: Places,
) -> Result<Outcome> {
    let most = vectors.iter().map(|(_, length)| *length).sum();
    let descriptor = guest.descriptors.get(number)?;
    descriptor.settle()?;
    let (file, timeout) = (descriptor.file.clone(), descriptor.receive_timeout);
    let clock = Arc::clone(&guest.supplies.clock);
    Ok(Outcome::wait(async move {
        let received = async {
            if flags & PEEK == 0 {
                let datagram = file.control::<ReceiveFrom>(&()).await?;
                return Ok((datagram.data.len(), datagram.data, datagram.remote));
            }
            let peeked = file.control::<Peek>(&most).await?;
            Ok((peeked.length as usize, peeked.data, peeked.remote))
        };
        let outcome = with_timeout(&*clock, timeout, received).await;
        finish(move |guest, bytes| {
            let (whole, data, remote) = outcome?;
            places.fill((guest, bytes), &vectors, (&data, whole), remote)
        })
    }))
}

/// Reads a stream until the buffers are full, the stream ends, or the timeout expires.
fn take_all(guest: &Guest, number: u32, vectors: Vec<(u32, u32)>, length: u32) -> Result<Outcome> {
    let room = vectors.iter().map(|(_, length)| *length as usize).sum();
    let descriptor = guest.descriptors.get(number)?;
    descriptor.settle()?;
    let (file, timeout) = (descriptor.file.clone(), descriptor.receive_timeout);
    let clock = Arc::clone(&guest.supplies.clock);
    Ok(Outcome::wait(async move {
        let (mut data, mut filled) = (vec![0; room], 0);
        let outcome = with_timeout(&*clock, timeout, read_all(&file, &mut data, &mut filled)).await;
        finish(move |guest, bytes| {
            // Bytes received before an error are not lost.
            if filled == 0 {
                outcome?;
            }
            let data = data.get(..filled).unwrap_or_default();
            guest.moved(data.len());
            memory::scatter(bytes, &vectors, data)?;
            memory::write_u32(bytes, length, data.len() as u32)?;
            Ok(0)
        })
    }))
}

async fn read_all(file: &File, data: &mut [u8], filled: &mut usize) -> Result<()> {
    while let Some(rest) = data.get_mut(*filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).await? {
            0 => break,
            count => *filled += count,
        }
    }
    Ok(())
}
