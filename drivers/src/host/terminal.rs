//! The program's standard streams as files.
//!
//! Reads never block the executor: a descriptor that the kernel can poll is read once it is ready,
//! and any other (a regular file) never blocks. Writes may block, as in every program. The flags of
//! the descriptors stay unchanged, because the parent process shares them.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use devnet_virtual_file_system::{
    CharacterDevice, Credentials, Error, File, Mode, OpenDevice, OpenFlags, OpenRequest, Operation,
    Path, Readiness, Result, VirtualFileSystem,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::descriptor::Descriptor;

/// The directory of the streams that [`mount`] creates.
pub const DIRECTORY: &str = "/devices/terminal";

/// One of the standard streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stream {
    Input,
    Output,
    Error,
}

impl Stream {
    const ALL: [(&'static str, Self); 3] =
        [("input", Self::Input), ("output", Self::Output), ("error", Self::Error)];

    /// Duplicates the stream's descriptor.
    fn duplicate(self) -> io::Result<OwnedFd> {
        match self {
            Self::Input => io::stdin().as_fd().try_clone_to_owned(),
            Self::Output => io::stdout().as_fd().try_clone_to_owned(),
            Self::Error => io::stderr().as_fd().try_clone_to_owned(),
        }
    }

    fn open(self) -> Result<Arc<dyn OpenDevice>> {
        let descriptor = self.duplicate().map_err(|error| from_io(&error))?;
        Ok(match self {
            Self::Input => Arc::new(Input::new(descriptor)?),
            Self::Output | Self::Error => Arc::new(Output(descriptor)),
        })
    }
}

impl CharacterDevice for Stream {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        let (wanted, other) = match self {
            Self::Input => (OpenFlags::READ, OpenFlags::WRITE),
            Self::Output | Self::Error => (OpenFlags::WRITE, OpenFlags::READ),
        };
        if request.flags.contains(other) || !request.flags.contains(wanted) {
            return Err(Error::InvalidInput);
        }
        (*self).open()
    }
}

/// Mounts the standard streams as `input`, `output` and `error` in [`DIRECTORY`], and creates the
/// directory if it is missing.
///
/// # Errors
/// Errors of creating directories and of mounting.
pub fn mount(files: &VirtualFileSystem) -> Result<()> {
    let root = Credentials::root();
    let directory = Path::parse(DIRECTORY)?;
    for path in directory.parent().iter().chain([&directory]) {
        match files.create_directory(&root, path, Mode::from_octal(0o755)) {
            Ok(()) | Err(Error::AlreadyExists) => {}
            Err(error) => return Err(error),
        }
    }
    for (name, stream) in Stream::ALL {
        let mode = if stream == Stream::Input { 0o444 } else { 0o222 };
        files.mount(&root, &directory.join(name)?, Arc::new(stream), Mode::from_octal(mode))?;
    }
    Ok(())
}

/// Opens standard input, output and error without mounting them.
///
/// # Errors
/// `BadFileDescriptor` for a stream that was closed when the program started.
pub fn standard_streams() -> Result<(File, File, File)> {
    let file = |stream: Stream, flags| Ok::<_, Error>(File::from_device(stream.open()?, flags));
    Ok((
        file(Stream::Input, OpenFlags::READ)?,
        file(Stream::Output, OpenFlags::WRITE)?,
        file(Stream::Error, OpenFlags::WRITE)?,
    ))
}

pub(super) fn from_errno(errno: Errno) -> Error {
    u16::try_from(errno.raw_os_error())
        .ok()
        .and_then(Error::from_errno)
        .unwrap_or(Error::InputOutput)
}

fn from_io(error: &io::Error) -> Error {
    Errno::from_io_error(error).map_or(Error::InputOutput, from_errno)
}

/// A readable stream.
#[derive(Debug)]
enum Input {
    /// A terminal, a pipe, a socket.
    Watched(Descriptor),
    /// A regular file, which is always ready.
    Ready(OwnedFd),
}

impl Input {
    fn new(descriptor: OwnedFd) -> Result<Self> {
        let second = descriptor.try_clone().map_err(|error| from_io(&error))?;
        Ok(match Descriptor::new(descriptor) {
            Ok(watched) => Self::Watched(watched),
            Err(_) => Self::Ready(second),
        })
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize>> {
        loop {
            let result = match self {
                Self::Watched(descriptor) if !descriptor.is_readable() => {
                    descriptor.wake_when_readable(context.waker());
                    return Poll::Pending;
                }
                Self::Watched(descriptor) => rustix::io::read(descriptor, &mut *buffer),
                Self::Ready(descriptor) => rustix::io::read(descriptor, &mut *buffer),
            };
            match result {
                Ok(count) => return Poll::Ready(Ok(count)),
                // Another reader took the data, or a signal arrived: try again.
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Poll::Ready(Err(from_errno(errno))),
            }
        }
    }
}

impl OpenDevice for Input {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(poll_fn(move |context| self.poll_read(context, buffer)))
    }

    fn write<'a>(&'a self, _: &'a [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::BadFileDescriptor))
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        match self {
            Self::Watched(descriptor)
                if interest.contains(Readiness::READABLE) && !descriptor.is_readable() =>
            {
                descriptor.wake_when_readable(context.waker());
                Poll::Pending
            }
            Self::Watched(_) | Self::Ready(_) => Poll::Ready(interest & Readiness::READABLE),
        }
    }
}

/// A writable stream.
#[derive(Debug)]
struct Output(OwnedFd);

impl Output {
    /// Writes some of the data; blocks until there is room.
    fn write_some(&self, data: &[u8]) -> Result<usize> {
        loop {
            match rustix::io::write(&self.0, data) {
                Ok(count) => return Ok(count),
                Err(Errno::INTR) => {}
                // Another process made the shared descriptor non-blocking.
                Err(Errno::AGAIN) => {
                    match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(errno) => return Err(from_errno(errno)),
                    };
                }
                Err(errno) => return Err(from_errno(errno)),
            }
        }
    }
}

impl OpenDevice for Output {
    fn read<'a>(&'a self, _: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::done(Err(Error::BadFileDescriptor))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        Operation::done(self.write_some(data))
    }

    fn poll_ready(&self, _: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        Poll::Ready(interest & Readiness::WRITABLE)
    }
}
