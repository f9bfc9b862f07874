//! Typed commands as bytes: the ioctl-like identifier, the command trait, and the encoding of
//! payloads.
//!
//! A device declares its commands once with [`define_commands!`](crate::define_commands). Callers
//! use [`File::control`](crate::File::control), which encodes the request, passes the bytes to the
//! device and decodes the response. Payloads are `postcard`: the same bytes on a 32-bit guest and a
//! 64-bit host, as long as payload types contain no `usize`. This module does not know what
//! commands mean.

use alloc::vec::Vec;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::access::OpenFlags;
use crate::error::{Error, Result};
use crate::limits::{REQUEST_BYTES, RESPONSE_BYTES};

const KIND_SHIFT: u32 = 8;
const SIZE_SHIFT: u32 = 16;
const SIZE_MASK: u32 = 0x3fff;
const DIRECTION_SHIFT: u32 = 30;

/// The direction of a command's data, seen from the caller as in Linux' `ioctl.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataDirection {
    /// No data.
    None = 0,
    /// The request carries data that changes something.
    Write = 1,
    /// The response carries data.
    Read = 2,
    /// Both.
    ReadWrite = 3,
}

/// The 32-bit identifier of a command: number (0–7), kind (8–15), size (16–29), direction (30–31).
///
/// The size is an upper bound in bytes of the encoded request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier(u32);

impl Identifier {
    /// Makes an identifier; only the low 14 bits of `size` are used.
    #[must_use]
    pub const fn new(direction: DataDirection, size: u16, kind: u8, number: u8) -> Self {
        let size = size as u32 & SIZE_MASK;
        Self(
            (direction as u32) << DIRECTION_SHIFT
                | size << SIZE_SHIFT
                | (kind as u32) << KIND_SHIFT
                | number as u32,
        )
    }

    /// Returns the bits.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// Makes an identifier of its bits; any value is valid, but may not belong to a command.
    #[must_use]
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// Returns the direction of the data.
    #[must_use]
    pub const fn direction(self) -> DataDirection {
        match self.0 >> DIRECTION_SHIFT {
            0 => DataDirection::None,
            1 => DataDirection::Write,
            2 => DataDirection::Read,
            _ => DataDirection::ReadWrite,
        }
    }

    /// Returns the upper bound in bytes of the encoded request.
    #[must_use]
    pub const fn size(self) -> u16 {
        (self.0 >> SIZE_SHIFT & SIZE_MASK) as u16
    }

    /// Returns the kind of device.
    #[must_use]
    pub const fn kind(self) -> u8 {
        (self.0 >> KIND_SHIFT & 0xff) as u8
    }

    /// Returns the number of the command within its kind.
    #[must_use]
    pub const fn number(self) -> u8 {
        (self.0 & 0xff) as u8
    }
}

/// The open mode that a command requires of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Authority {
    /// Open for reading: the command changes nothing.
    Read,
    /// Open for writing.
    Write,
}

impl Authority {
    /// Returns the direction bits: every command returns a response, and only a changing one counts
    /// as carrying data in.
    #[must_use]
    pub const fn direction(self) -> DataDirection {
        match self {
            Self::Read => DataDirection::Read,
            Self::Write => DataDirection::ReadWrite,
        }
    }

    /// True if a file with these flags has the authority. Write access includes read authority.
    #[must_use]
    pub const fn is_held_by(self, flags: OpenFlags) -> bool {
        match self {
            Self::Read => flags.intersects(OpenFlags::READ.union(OpenFlags::WRITE)),
            Self::Write => flags.contains(OpenFlags::WRITE),
        }
    }
}

/// One command as a type; [`define_commands!`](crate::define_commands) generates the
/// implementations.
pub trait ControlCommand {
    /// The identifier.
    const IDENTIFIER: Identifier;
    /// The required open mode.
    const AUTHORITY: Authority;
    /// Whether the command may block.
    const WAITS: bool;
    /// The name in the table.
    const NAME: &'static str;
    /// The description in the table.
    const DOCUMENTATION: &'static str;
    /// The request's payload.
    type Request: Serialize + DeserializeOwned;
    /// The response's payload.
    type Response: Serialize + DeserializeOwned;
}

/// What is done with the type of a command of which only the identifier is known; a table's
/// `visit` calls it.
pub trait CommandVisitor {
    /// What it makes of the command.
    type Output;

    /// Does it.
    fn visit<C: ControlCommand>(self) -> Self::Output;
}

/// A row of a command table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandEntry {
    /// The name of the command.
    pub name: &'static str,
    /// The identifier.
    pub identifier: Identifier,
    /// The required open mode.
    pub authority: Authority,
    /// Whether the command may block.
    pub waits: bool,
    /// What it does.
    pub documentation: &'static str,
    /// The words with which a line of text gives it, if the table declares them.
    pub text: Option<&'static str>,
}

/// The encoded payload of a request or a response.
pub type Payload = Vec<u8>;

/// Encodes a payload.
///
/// # Errors
///
/// [`Error::InvalidInput`] if the value cannot be encoded, such as a sequence of unknown length.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    postcard::to_allocvec(value).map_err(|_| Error::InvalidInput)
}

/// Encodes a list in pieces, or joins encoded lists: the bytes are those of [`encode`] for the
/// whole `Vec`.
#[derive(Debug, Default)]
pub struct ListEncoder {
    count: u64,
    items: Vec<u8>,
}

impl ListEncoder {
    /// Appends items.
    ///
    /// # Errors
    ///
    /// Those of [`encode`]; the list cannot be used then.
    pub fn extend<T: Serialize>(&mut self, items: &[T]) -> Result<()> {
        for item in items {
            let bytes = Append(core::mem::take(&mut self.items));
            let bytes = postcard::serialize_with_flavor(item, bytes);
            self.items = bytes.map_err(|_| Error::InvalidInput)?;
        }
        self.count += items.len() as u64;
        Ok(())
    }

    /// Appends the items of an encoded list.
    ///
    /// # Errors
    ///
    /// [`Error::BadMessage`] if it does not begin with its length.
    pub fn append(&mut self, list: &[u8]) -> Result<()> {
        let (count, items) =
            postcard::take_from_bytes::<u64>(list).map_err(|_| Error::BadMessage)?;
        self.items.extend_from_slice(items);
        self.count = self.count.saturating_add(count);
        Ok(())
    }

    /// Returns the encoded list.
    ///
    /// # Errors
    ///
    /// Those of [`encode`].
    pub fn finish(self) -> Result<Vec<u8>> {
        let mut list = encode(&self.count)?;
        list.extend_from_slice(&self.items);
        Ok(list)
    }
}

/// Encodes behind what is there.
struct Append(Vec<u8>);

impl postcard::ser_flavors::Flavor for Append {
    type Output = Vec<u8>;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Encodes a request.
///
/// # Errors
///
/// Those of [`encode`], and [`Error::MessageTooLong`] beyond [`REQUEST_BYTES`].
pub fn encode_request<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let bytes = encode(value)?;
    if bytes.len() > REQUEST_BYTES { Err(Error::MessageTooLong) } else { Ok(bytes) }
}

/// Decodes a request.
///
/// # Errors
///
/// [`Error::MessageTooLong`] beyond [`REQUEST_BYTES`]; [`Error::BadMessage`] if the bytes are not
/// exactly one value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    decode_bounded(bytes, REQUEST_BYTES)
}

/// Decodes a response, which may be much longer than a request.
///
/// # Errors
///
/// [`Error::MessageTooLong`] beyond [`RESPONSE_BYTES`]; [`Error::BadMessage`] if the bytes are not
/// exactly one value.
pub fn decode_response<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    decode_bounded(bytes, RESPONSE_BYTES)
}

fn decode_bounded<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T> {
    if bytes.len() > limit {
        return Err(Error::MessageTooLong);
    }
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(Error::BadMessage),
    }
}
