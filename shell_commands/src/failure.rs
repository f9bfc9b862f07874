//! How a command fails: an exit status and one line.
//!
//! Commands return [`Outcome`]; the shell prints the line with the command's name in front. Nothing
//! here prints.

use std::fmt;

use virtual_file_system::Error;

use crate::status::Status;

/// What a command ends with.
pub type Outcome = Result<Status, Failure>;

/// Why a command failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The exit status.
    pub status: Status,
    /// One line without the command's name; empty when there is nothing to say.
    pub message: String,
}

impl Failure {
    /// A failure in words of its own, status 1.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { status: Status::FAILURE, message: message.into() }
    }

    /// The failure of an operation on `what`, status 1.
    #[must_use]
    pub fn of(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::new(format!("{what}: {why}"))
    }

    /// The command was typed wrongly, status 2.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self { status: Status::USAGE, message: message.into() }
    }

    /// Ends with `status` and says nothing.
    #[must_use]
    pub const fn silent(status: Status) -> Self {
        Self { status, message: String::new() }
    }

    /// The failure of writing to the stream `name`. A reader that went away is no news to anybody,
    /// as with SIGPIPE.
    #[must_use]
    pub fn of_write(name: &str, why: Error) -> Self {
        match why {
            Error::BrokenPipe => Self::silent(Status::BROKEN_PIPE),
            why => Self::of(name, why),
        }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::usage(error.to_string())
    }
}
