//! How a command fails: an exit status and one line.
//!
//! Commands return [`Outcome`]; the shell prints the line with the command's name in front. Nothing
//! here prints.

use std::fmt;

use devnet_network::command::GetLastError;
use devnet_virtual_file_system::{Error, File};

use crate::status::Status;

/// The outcome of a command.
pub type Outcome = Result<Status, Failure>;

/// The failure of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The exit status.
    pub status: Status,
    /// One line without the command's name; empty for no message.
    pub message: String,
}

impl Failure {
    /// A failure with its own message, status 1.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { status: Status::FAILURE, message: message.into() }
    }

    /// The failure of an operation on `what`, status 1.
    #[must_use]
    pub fn of(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::new(format!("{what}: {why}"))
    }

    /// A usage error, status 2.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self { status: Status::USAGE, message: message.into() }
    }

    /// Ends with `status` and no message.
    #[must_use]
    pub const fn silent(status: Status) -> Self {
        Self { status, message: String::new() }
    }

    /// The failure of writing to the stream `name`. If the reader has gone there is no message, as
    /// with SIGPIPE.
    #[must_use]
    pub fn of_write(name: &str, why: Error) -> Self {
        match why {
            Error::BrokenPipe => Self::silent(Status::BROKEN_PIPE),
            why => Self::of(name, why),
        }
    }

    /// The failure of writing to an open file; in its own words if it is a network device that
    /// refused a text.
    #[must_use]
    pub fn of_write_to(file: &File, name: &str, why: Error) -> Self {
        let last = file.try_control::<GetLastError>(&()).ok().flatten();
        match last.filter(|last| last.error == why) {
            Some(last) => Self::of(name, last.message),
            None => Self::of_write(name, why),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::usage(error.to_string())
    }
}
