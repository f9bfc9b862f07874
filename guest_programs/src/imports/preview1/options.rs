//! Socket options with WasmEdge's numbers (`sock_getsockopt`, `sock_setsockopt`; level 0 is
//! SOL_SOCKET).

use alloc::borrow::ToOwned;
use core::time::Duration;

use devnet_network::command::socket::{SocketKind, SocketOption, SocketOptions, SocketState};
use devnet_network::command::{GetOptions, SetOption, TakeError};
use devnet_virtual_file_system::{Error, Result};

use super::super::call::{DONE, Outcome};
use super::super::errno;
use super::sockets::{DATAGRAM, STREAM, command, status};
use crate::guest::Guest;
use crate::memory;

const REUSE_ADDRESS: u32 = 0;
const KIND: u32 = 1;
const ERROR: u32 = 2;
const BROADCAST: u32 = 4;
const SEND_BUFFER: u32 = 5;
const RECEIVE_BUFFER: u32 = 6;
const KEEP_ALIVE: u32 = 7;
const LINGER: u32 = 9;
const RECEIVE_TIMEOUT: u32 = 11;
const SEND_TIMEOUT: u32 = 12;
const LISTENS: u32 = 13;
const DEVICE: u32 = 14;
/// Idle milliseconds before the first keep-alive probe (Linux' tcp_keepalive_time).
const KEEP_ALIVE_MILLISECONDS: u32 = 7_200_000;
/// Bytes of a `timeval`: seconds and microseconds, 64 bits each, as wasi-libc has them.
const TIMEVAL_BYTES: u32 = 16;

/// Only the level SOL_SOCKET has options.
fn check_level(level: u32) -> Result<()> {
    if level == 0 { Ok(()) } else { Err(Error::ProtocolOptionNotAvailable) }
}

/// Writes a number and its size of four bytes.
fn write_number(bytes: &mut [u8], value: u32, size: u32, number: u32) -> Result<i32> {
    if memory::read_u32(bytes, size)? < 4 {
        return Err(Error::InvalidInput);
    }
    memory::write_u32(bytes, value, number)?;
    memory::write_u32(bytes, size, 4)?;
    Ok(0)
}

fn write_time(bytes: &mut [u8], value: u32, size: u32, time: Option<Duration>) -> Result<Outcome> {
    if memory::read_u32(bytes, size)? < TIMEVAL_BYTES {
        return Err(Error::InvalidInput);
    }
    let time = time.unwrap_or_default();
    memory::write_u64(bytes, value, time.as_secs())?;
    memory::write_u64(bytes, memory::at(value, 8)?, u64::from(time.subsec_micros()))?;
    memory::write_u32(bytes, size, TIMEVAL_BYTES)?;
    Ok(DONE)
}

pub(super) fn get(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    level: u32,
    name: u32,
    value: u32,
    size: u32,
) -> Result<Outcome> {
    check_level(level)?;
    memory::check(bytes, size, 4)?;
    let own = |bytes: &mut [u8], number: u32| {
        write_number(bytes, value, size, number).map(Outcome::Value)
    };
    match name {
        KIND => own(
            bytes,
            if status(guest, number)?.kind == SocketKind::Tcp { STREAM } else { DATAGRAM },
        ),
        LISTENS => own(bytes, u32::from(status(guest, number)?.state == SocketState::Listen)),
        RECEIVE_TIMEOUT => {
            write_time(bytes, value, size, guest.descriptors.get(number)?.receive_timeout)
        }
        SEND_TIMEOUT => write_time(bytes, value, size, guest.descriptors.get(number)?.send_timeout),
        ERROR => command::<TakeError>(guest, bytes, number, &(), move |_, bytes, error| {
            write_number(bytes, value, size, error.map_or(0, |error| u32::from(errno::wasi(error))))
        }),
        _ => command::<GetOptions>(guest, bytes, number, &(), move |_, bytes, options| {
            write_option(bytes, &options, name, value, size)
        }),
    }
}

fn write_option(
    bytes: &mut [u8],
    options: &SocketOptions,
    name: u32,
    value: u32,
    size: u32,
) -> Result<i32> {
    let stream = options.stream.as_ref();
    let setting = match name {
        REUSE_ADDRESS => u32::from(options.reuse_address),
        BROADCAST => options.datagram.as_ref().map_or(0, |datagram| u32::from(datagram.broadcast)),
        SEND_BUFFER => stream.map_or(options.receive_buffer, |stream| stream.send_buffer),
        RECEIVE_BUFFER => options.receive_buffer,
        KEEP_ALIVE => stream.map_or(0, |stream| u32::from(stream.keep_alive > 0)),
        LINGER => {
            let linger = stream.and_then(|stream| stream.linger);
            if memory::read_u32(bytes, size)? < 8 {
                return Err(Error::InvalidInput);
            }
            memory::write_u32(bytes, value, u32::from(linger.is_some()))?;
            memory::write_u32(bytes, memory::at(value, 4)?, linger.unwrap_or(0) / 1000)?;
            memory::write_u32(bytes, size, 8)?;
            return Ok(0);
        }
        DEVICE => {
            let name = options.device.as_bytes();
            // With a terminating zero, unless the name is empty.
            let length = if name.is_empty() { 0 } else { name.len() as u32 + 1 };
            if memory::read_u32(bytes, size)? < length {
                return Err(Error::InvalidInput);
            }
            memory::slice_mut(bytes, value, length)?.fill(0);
            memory::write(bytes, value, name)?;
            memory::write_u32(bytes, size, length)?;
            return Ok(0);
        }
        _ => return Err(Error::ProtocolOptionNotAvailable),
    };
    write_number(bytes, value, size, setting)
}

fn read_time(bytes: &[u8], value: u32, size: u32) -> Result<Option<Duration>> {
    if size < TIMEVAL_BYTES {
        return Err(Error::InvalidInput);
    }
    let (seconds, micros) =
        (memory::read_u64(bytes, value)?, memory::read_u64(bytes, memory::at(value, 8)?)?);
    if micros >= 1_000_000 || seconds > u64::from(u32::MAX) {
        return Err(Error::InvalidInput);
    }
    let time = Duration::from_secs(seconds) + Duration::from_micros(micros);
    Ok(Some(time).filter(|time| !time.is_zero()))
}

pub(super) fn set(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    level: u32,
    name: u32,
    value: u32,
    size: u32,
) -> Result<Outcome> {
    check_level(level)?;
    let word = || if size < 4 { Err(Error::InvalidInput) } else { memory::read_u32(bytes, value) };
    let option = match name {
        REUSE_ADDRESS => SocketOption::ReuseAddress(word()? != 0),
        BROADCAST => SocketOption::Broadcast(word()? != 0),
        SEND_BUFFER => SocketOption::SendBuffer(word()?),
        RECEIVE_BUFFER => SocketOption::ReceiveBuffer(word()?),
        KEEP_ALIVE => {
            SocketOption::KeepAlive(if word()? == 0 { 0 } else { KEEP_ALIVE_MILLISECONDS })
        }
        LINGER => {
            let seconds = if size < 8 {
                Err(Error::InvalidInput)
            } else {
                memory::read_u32(bytes, memory::at(value, 4)?)
            };
            let milliseconds = seconds?.saturating_mul(1000).min(i32::MAX as u32);
            SocketOption::Linger((word()? != 0).then_some(milliseconds))
        }
        RECEIVE_TIMEOUT => {
            guest.descriptors.get_mut(number)?.receive_timeout = read_time(bytes, value, size)?;
            return Ok(DONE);
        }
        SEND_TIMEOUT => {
            guest.descriptors.get_mut(number)?.send_timeout = read_time(bytes, value, size)?;
            return Ok(DONE);
        }
        DEVICE => {
            let name = memory::text(bytes, value, size, devnet_network::limits::NAME_BYTES + 1)?;
            SocketOption::BindToDevice(name.trim_end_matches('\0').to_owned())
        }
        _ => return Err(Error::ProtocolOptionNotAvailable),
    };
    command::<SetOption>(guest, bytes, number, &option, |_, _, ()| Ok(0))
}
