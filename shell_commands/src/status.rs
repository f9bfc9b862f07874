//! The exit status of a command.

use std::fmt;

/// The exit status of a command: 0 is success, everything else is failure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Status(pub u8);

impl Status {
    /// The command succeeded.
    pub const SUCCESS: Self = Self(0);
    /// The command failed.
    pub const FAILURE: Self = Self(1);
    /// A usage error.
    pub const USAGE: Self = Self(2);
    /// A file that is no command (POSIX 2.8.2).
    pub const NOT_EXECUTABLE: Self = Self(126);
    /// Command not found (POSIX 2.8.2).
    pub const NOT_FOUND: Self = Self(127);
    /// Ended by Ctrl-C: 128 and SIGINT's number, as shells report it.
    pub const INTERRUPTED: Self = Self(130);
    /// The reader of the output has gone: 128 and SIGPIPE's number.
    pub const BROKEN_PIPE: Self = Self(141);
    /// Stopped by Ctrl-Z: 128 and SIGTSTP's number.
    pub const STOPPED: Self = Self(148);
    /// Ended by `kill`: 128 and SIGTERM's number.
    pub const KILLED: Self = Self(143);

    /// True for 0.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    /// Converts success or failure.
    #[must_use]
    pub const fn from_success(success: bool) -> Self {
        if success { Self::SUCCESS } else { Self::FAILURE }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}
