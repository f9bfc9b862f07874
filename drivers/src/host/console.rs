//! Terminals of the host: their modes, their windows, and one that is opened by its path.
//!
//! The program's own terminal edits lines for commands and is switched to single keys while the
//! shell's editor reads; whoever had it before gets it back as it was. A serial line is opened in
//! raw mode: every byte passes unchanged (termios(3)).

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use devnet_virtual_file_system::{File, OpenDevice, OpenFlags, Operation, Readiness, Result};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr,
    tcgetwinsize, tcsetattr,
};

use super::terminal::from_errno;
use crate::descriptor::Descriptor;

/// A terminal's modes. Dropping this restores those that it had.
#[derive(Debug)]
pub struct Console {
    descriptor: OwnedFd,
    former: Termios,
}

impl Console {
    /// The terminal that is standard input; `None` if that is no terminal.
    #[must_use]
    pub fn standard_input() -> Option<Self> {
        let descriptor = io::stdin().as_fd().try_clone_to_owned().ok()?;
        Self::new(descriptor).ok()
    }

    fn new(descriptor: OwnedFd) -> io::Result<Self> {
        if !isatty(&descriptor) {
            return Err(Errno::NOTTY.into());
        }
        let former = tcgetattr(&descriptor)?;
        Ok(Self { descriptor, former })
    }

    /// Makes each key come at once, without an echo and without a meaning to the kernel; or
    /// restores the modes that the terminal had. What was typed before stays readable, and Enter is
    /// a line feed in both.
    ///
    /// # Errors
    /// Those of tcsetattr(3).
    pub fn take_keys(&self, takes_keys: bool) -> io::Result<()> {
        let mut modes = self.former.clone();
        if takes_keys {
            modes.local_modes -=
                LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
            modes.input_modes -= InputModes::IXON | InputModes::INLCR | InputModes::IGNCR;
            modes.input_modes |= InputModes::ICRNL;
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        }
        Ok(tcsetattr(&self.descriptor, OptionalActions::Now, &modes)?)
    }

    /// Columns and rows of the window; 0 for what is not known.
    #[must_use]
    pub fn window(&self) -> (u16, u16) {
        tcgetwinsize(&self.descriptor).map_or((0, 0), |size| (size.ws_col, size.ws_row))
    }

    /// Opens a terminal by its path in raw mode, for reading and writing.
    ///
    /// # Errors
    /// Those of open(2); `NotATypewriter` if it is no terminal.
    pub fn open(path: &Path) -> io::Result<(Self, File)> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open(path, flags, Mode::empty())?;
        let console = Self::new(descriptor.try_clone()?)?;
        let mut modes = console.former.clone();
        modes.make_raw();
        tcsetattr(&console.descriptor, OptionalActions::Now, &modes)?;
        let device = Line(Descriptor::new(descriptor)?);
        let file = File::from_device(Arc::new(device), OpenFlags::READ | OpenFlags::WRITE);
        Ok((console, file))
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // A terminal that is gone needs no modes.
        let _ = tcsetattr(&self.descriptor, OptionalActions::Now, &self.former);
    }
}

/// A terminal as a file. Its descriptor is ours alone and does not block.
struct Line(Descriptor);

impl Line {
    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize>> {
        loop {
            match rustix::io::read(&self.0, &mut *buffer) {
                // The other end of a pseudo-terminal is closed: the end, as of any file.
                Err(Errno::IO) => return Poll::Ready(Ok(0)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.0.wake_when_readable(context.waker());
                    if !self.0.is_readable() {
                        return Poll::Pending;
                    }
                }
                result => return Poll::Ready(result.map_err(from_errno)),
            }
        }
    }

    fn poll_write(&self, context: &mut Context<'_>, data: &[u8]) -> Poll<Result<usize>> {
        loop {
            match rustix::io::write(&self.0, data) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.0.wake_when_writable(context.waker());
                    return Poll::Pending;
                }
                result => return Poll::Ready(result.map_err(from_errno)),
            }
        }
    }
}

impl OpenDevice for Line {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(poll_fn(move |context| self.poll_read(context, buffer)))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        Operation::waiting(poll_fn(move |context| self.poll_write(context, data)))
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        if interest.contains(Readiness::READABLE) && !self.0.is_readable() {
            self.0.wake_when_readable(context.waker());
            return Poll::Pending;
        }
        Poll::Ready(interest & (Readiness::READABLE | Readiness::WRITABLE))
    }
}
