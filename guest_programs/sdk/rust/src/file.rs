//! Open files and devices.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use devnet_commands::command::line_error::LastError;
use devnet_commands::command::{GetLastError, GetSocket, SetOption, TakeError};
use devnet_virtual_file_system::{decode_response, encode};

use crate::call::{self, PollEntry, Stat};
use crate::command::socket::{SocketOption, SocketStatus};
use crate::{ControlCommand, Error, Identifier, NodeKind, OpenFlags, Readiness, Result};

/// Initial room for a response, in bytes: every datagram with its addresses fits, and most lists.
const RESPONSE_BYTES: usize = 66_000;

/// An open file, device or socket; dropping it closes it.
#[derive(PartialEq, Eq, Debug)]
pub struct File {
    descriptor: i32,
}

impl Drop for File {
    fn drop(&mut self) {
        // A destructor cannot return an error.
        let _ = call::close(self.descriptor);
    }
}

impl File {
    /// Opens a path.
    ///
    /// # Errors
    /// `NotFound` for a path that does not exist or is not granted, `AccessDenied` for more access
    /// than granted, errors of the file system.
    pub fn open(path: &str, flags: OpenFlags) -> Result<Self> {
        call::open(path, flags.bits()).map(|descriptor| Self { descriptor })
    }

    /// Takes ownership of a descriptor, such as that of a standard stream.
    #[must_use]
    pub const fn from_descriptor(descriptor: i32) -> Self {
        Self { descriptor }
    }

    /// Returns the descriptor; the file keeps ownership.
    #[must_use]
    pub const fn descriptor(&self) -> i32 {
        self.descriptor
    }

    /// Returns another handle of the same open file.
    ///
    /// # Errors
    /// `TooManyOpenFiles`.
    pub fn duplicate(&self) -> Result<Self> {
        call::duplicate(self.descriptor).map(|descriptor| Self { descriptor })
    }

    /// Reads available data, and waits for some unless the file is non-blocking; 0 is the end of
    /// the file.
    ///
    /// # Errors
    /// `WouldBlock` on a non-blocking file; errors of the file.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        call::read(self.descriptor, buffer)
    }

    /// Reads to the end, at most `limit` bytes.
    ///
    /// # Errors
    /// `FileTooLarge` beyond the limit; errors of the file.
    pub fn read_to_end(&self, limit: usize) -> Result<Vec<u8>> {
        let (mut all, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
        loop {
            match self.read(&mut piece)? {
                0 => return Ok(all),
                count if all.len() + count > limit => return Err(Error::FileTooLarge),
                count => all.extend_from_slice(piece.get(..count).unwrap_or_default()),
            }
        }
    }

    /// Writes some of the data and returns how many bytes.
    ///
    /// # Errors
    /// `WouldBlock` on a non-blocking file; errors of the file.
    pub fn write(&self, data: &[u8]) -> Result<usize> {
        call::write(self.descriptor, data)
    }

    /// Writes all of the data, waiting for space even if the file is non-blocking.
    ///
    /// # Errors
    /// Errors of the file.
    pub fn write_all(&self, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            match self.write(data) {
                Ok(0) => return Err(Error::InputOutput),
                Ok(count) => data = data.get(count..).unwrap_or_default(),
                Err(Error::WouldBlock) => {
                    poll(&mut [Watch::new(self, Readiness::WRITABLE)], None)?;
                }
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// Sends commands as lines of text: `address add 10.0.0.2/24`.
    ///
    /// # Errors
    /// `InvalidInput` for a line that is not a command; the error of the first command that fails,
    /// after which no further one runs. [`last_error`](Self::last_error) says which, and why.
    pub fn command(&self, lines: &str) -> Result<()> {
        self.write(lines.as_bytes()).map(drop)
    }

    /// Returns why the last [`command`](Self::command) failed, in words; `None` after one that
    /// succeeded.
    ///
    /// # Errors
    /// `UnknownCommand` for a file that is not a network device.
    pub fn last_error(&self) -> Result<Option<LastError>> {
        self.control::<GetLastError>(&())
    }

    /// Sends a command as bytes and returns the length of the whole response; as much as fits is
    /// written.
    ///
    /// # Errors
    /// Errors of the command; `UnknownCommand`.
    pub fn control_raw(
        &self,
        identifier: Identifier,
        request: &[u8],
        response: &mut [u8],
    ) -> Result<usize> {
        call::control(self.descriptor, identifier.raw(), request, response)
    }

    /// Sends a typed command: `device.control::<command::SetEnabled>(&true)`. A list longer than
    /// 66,000 bytes is requested twice.
    ///
    /// # Errors
    /// Errors of the command; `BadMessage` for a malformed response.
    pub fn control<C: ControlCommand>(&self, request: &C::Request) -> Result<C::Response> {
        let request = encode(request)?;
        let mut response = vec![0; RESPONSE_BYTES];
        loop {
            let length = self.control_raw(C::IDENTIFIER, &request, &mut response)?;
            if let Some(whole) = response.get(..length) {
                return decode_response(whole);
            }
            response.resize(length, 0);
        }
    }

    /// Makes calls block, or return `WouldBlock` (`InProgress` for a connect).
    ///
    /// # Errors
    /// None for an open file.
    pub fn set_non_blocking(&self, is_on: bool) -> Result<()> {
        call::set_non_blocking(self.descriptor, is_on)
    }

    /// Moves the offset of a regular file to this many bytes from its start.
    ///
    /// # Errors
    /// `IllegalSeek` for devices and sockets.
    pub fn seek(&self, position: u64) -> Result<()> {
        let offset = i64::try_from(position).map_err(|_| Error::InvalidInput)?;
        call::seek(self.descriptor, offset, 0).map(drop)
    }

    /// Returns the attributes.
    ///
    /// # Errors
    /// None for an open file.
    pub fn stat(&self) -> Result<Stat> {
        call::stat_open(self.descriptor)
    }

    /// Returns the kind of node.
    ///
    /// # Errors
    /// None for an open file.
    pub fn kind(&self) -> Result<NodeKind> {
        self.stat().map(|stat| kind(stat.kind))
    }

    /// Returns the state and the addresses of a socket.
    ///
    /// # Errors
    /// `InvalidInput` for a file that is not a socket.
    pub fn socket(&self) -> Result<SocketStatus> {
        self.control::<GetSocket>(&())
    }

    /// Sets a socket option.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid value, `ProtocolOptionNotAvailable` for an option of another
    /// kind of socket.
    pub fn set_option(&self, option: &SocketOption) -> Result<()> {
        self.control::<SetOption>(option)
    }

    /// Returns and clears the pending error of a socket (SO_ERROR).
    ///
    /// # Errors
    /// `InvalidInput` for a file that is not a socket.
    pub fn take_error(&self) -> Result<Option<Error>> {
        self.control::<TakeError>(&())
    }
}

impl fmt::Write for File {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl AsRef<File> for File {
    fn as_ref(&self) -> &File {
        self
    }
}

const fn kind(number: u32) -> NodeKind {
    match number {
        0 => NodeKind::Directory,
        1 => NodeKind::Regular,
        _ => NodeKind::CharacterDevice,
    }
}

/// Lists the names in a directory with their kinds, sorted.
///
/// # Errors
/// `NotFound`, `NotADirectory`; `BadMessage` for a name that is not UTF-8.
pub fn list(path: &str) -> Result<Vec<(NodeKind, String)>> {
    let mut bytes = vec![0; 4096];
    let length = loop {
        match call::list(path, &mut bytes)? {
            length if length <= bytes.len() => break length,
            length => bytes.resize(length, 0),
        }
    };
    let (mut rest, mut names) = (bytes.get(..length).unwrap_or_default(), Vec::new());
    while let [number, length, after @ ..] = rest {
        let (name, after) =
            after.split_at_checked(usize::from(*length)).ok_or(Error::BadMessage)?;
        let name = core::str::from_utf8(name).map_err(|_| Error::BadMessage)?;
        names.push((kind(u32::from(*number)), name.into()));
        rest = after;
    }
    Ok(names)
}

/// The events of POSIX' poll and our readiness.
const EVENTS: [(u16, Readiness); 4] = [
    (1, Readiness::READABLE),
    (4, Readiness::WRITABLE),
    (8, Readiness::ERROR),
    (16, Readiness::HANG_UP),
];

/// One file for [`poll`].
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Watch<'a> {
    entry: PollEntry,
    file: core::marker::PhantomData<&'a File>,
}

impl<'a> Watch<'a> {
    /// Waits for a file to become readable or writable; errors and hang-ups are always reported.
    #[must_use]
    pub fn new(file: &'a impl AsRef<File>, interest: Readiness) -> Self {
        let asked = EVENTS
            .iter()
            .filter(|(_, one)| interest.contains(*one))
            .fold(0, |all, (bit, _)| all | bit);
        let entry = PollEntry { descriptor: file.as_ref().descriptor, asked, found: 0 };
        Self { entry, file: core::marker::PhantomData }
    }

    /// Returns the readiness that [`poll`] found.
    #[must_use]
    pub fn found(&self) -> Readiness {
        let bits = EVENTS.iter().filter(|(bit, _)| self.entry.found & bit != 0);
        bits.fold(Readiness::empty(), |all, (_, one)| all | *one)
    }
}

/// Waits until a file is ready or the timeout expires; returns how many are ready.
///
/// # Errors
/// `InvalidInput` for more than 4096 files.
pub fn poll(watched: &mut [Watch<'_>], time: Option<Duration>) -> Result<usize> {
    let milliseconds = time
        .map_or(-1, |time| i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
    let mut entries: Vec<PollEntry> = watched.iter().map(|watch| watch.entry).collect();
    let ready = call::poll(&mut entries, milliseconds)?;
    for (watch, entry) in watched.iter_mut().zip(entries) {
        watch.entry = entry;
    }
    Ok(ready)
}
