//! Typed access to a guest's memory: numbers, strings and buffers. The guest chooses the addresses,
//! so every access is checked.
//!
//! Every function takes the whole memory and returns `BadAddress` for a range outside it.

use alloc::vec::Vec;

use devnet_virtual_file_system::{Error, Result};

use crate::limits;

/// Returns a range of the memory.
pub(crate) fn slice(memory: &[u8], pointer: u32, length: u32) -> Result<&[u8]> {
    let (start, length) = (pointer as usize, length as usize);
    start.checked_add(length).and_then(|end| memory.get(start..end)).ok_or(Error::BadAddress)
}

/// Returns a mutable range of the memory.
pub(crate) fn slice_mut(memory: &mut [u8], pointer: u32, length: u32) -> Result<&mut [u8]> {
    let (start, length) = (pointer as usize, length as usize);
    start.checked_add(length).and_then(|end| memory.get_mut(start..end)).ok_or(Error::BadAddress)
}

/// Writes bytes.
pub(crate) fn write(memory: &mut [u8], pointer: u32, data: &[u8]) -> Result<()> {
    let length = u32::try_from(data.len()).map_err(|_| Error::BadAddress)?;
    slice_mut(memory, pointer, length)?.copy_from_slice(data);
    Ok(())
}

/// Checks that a result can be written before the call has side effects.
pub(crate) fn check(memory: &[u8], pointer: u32, length: u32) -> Result<()> {
    slice(memory, pointer, length).map(drop)
}

fn array<const LENGTH: usize>(memory: &[u8], pointer: u32) -> Result<[u8; LENGTH]> {
    let bytes = slice(memory, pointer, LENGTH as u32)?;
    bytes.try_into().map_err(|_| Error::BadAddress)
}

pub(crate) fn read_u8(memory: &[u8], pointer: u32) -> Result<u8> {
    array(memory, pointer).map(u8::from_le_bytes)
}

pub(crate) fn read_u16(memory: &[u8], pointer: u32) -> Result<u16> {
    array(memory, pointer).map(u16::from_le_bytes)
}

pub(crate) fn read_u32(memory: &[u8], pointer: u32) -> Result<u32> {
    array(memory, pointer).map(u32::from_le_bytes)
}

pub(crate) fn read_u64(memory: &[u8], pointer: u32) -> Result<u64> {
    array(memory, pointer).map(u64::from_le_bytes)
}

pub(crate) fn write_u16(memory: &mut [u8], pointer: u32, value: u16) -> Result<()> {
    write(memory, pointer, &value.to_le_bytes())
}

pub(crate) fn write_u32(memory: &mut [u8], pointer: u32, value: u32) -> Result<()> {
    write(memory, pointer, &value.to_le_bytes())
}

pub(crate) fn write_u64(memory: &mut [u8], pointer: u32, value: u64) -> Result<()> {
    write(memory, pointer, &value.to_le_bytes())
}

/// Returns the address `offset` bytes after `pointer`.
pub(crate) fn at(pointer: u32, offset: u32) -> Result<u32> {
    pointer.checked_add(offset).ok_or(Error::BadAddress)
}

/// Reads a UTF-8 string.
pub(crate) fn text(memory: &[u8], pointer: u32, length: u32, limit: usize) -> Result<&str> {
    let bytes = slice(memory, pointer, length)?;
    if bytes.len() > limit {
        return Err(Error::NameTooLong);
    }
    core::str::from_utf8(bytes).map_err(|_| Error::InvalidInput)
}

/// Reads a path.
pub(crate) fn path(memory: &[u8], pointer: u32, length: u32) -> Result<&str> {
    match text(memory, pointer, length, limits::PATH_BYTES)? {
        "" => Err(Error::NotFound),
        text => Ok(text),
    }
}

/// Reads the buffers of a scattered read or a gathered write: `count` pairs of a pointer and a
/// length, as in POSIX' iovec. It checks each buffer and cuts the list to what one call transfers.
pub(crate) fn vectors(memory: &[u8], pointer: u32, count: u32) -> Result<Vec<(u32, u32)>> {
    if count as usize > limits::VECTORS {
        return Err(Error::InvalidInput);
    }
    let mut left = limits::TRANSFER_BYTES as u32;
    let mut found = Vec::new();
    for index in 0..count {
        let entry = at(pointer, index * 8)?;
        let (buffer, length) = (read_u32(memory, entry)?, read_u32(memory, at(entry, 4)?)?);
        check(memory, buffer, length)?;
        let length = length.min(left);
        left -= length;
        if length > 0 {
            found.push((buffer, length));
        }
    }
    Ok(found)
}

/// Joins the buffers of a gathered write.
pub(crate) fn gather(memory: &[u8], vectors: &[(u32, u32)]) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    for (pointer, length) in vectors {
        data.extend_from_slice(slice(memory, *pointer, *length)?);
    }
    Ok(data)
}

/// Copies data into the buffers of a scattered read.
pub(crate) fn scatter(memory: &mut [u8], vectors: &[(u32, u32)], mut data: &[u8]) -> Result<()> {
    for (pointer, length) in vectors {
        let (first, rest) = data.split_at_checked(*length as usize).unwrap_or((data, &[]));
        write(memory, *pointer, first)?;
        data = rest;
    }
    Ok(())
}
