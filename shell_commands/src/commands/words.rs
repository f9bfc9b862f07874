//! Parses a command's arguments one by one, in the style of `ifconfig` and `ip`.
//!
//! Defines the messages for invalid arguments. Commands in POSIX style (`-a -n 3`) use
//! [`Context::options`](crate::context::Context::options) instead.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use lexopt::ValueExt;

use crate::failure::Failure;

/// Everything behind the options that were read, as it is: the words of another command.
pub(super) fn rest(options: &mut lexopt::Parser) -> Result<Vec<String>, lexopt::Error> {
    options.raw_args()?.map(|word| word.string()).collect()
}

/// The remaining arguments.
#[derive(Clone)]
pub struct Words<'a> {
    rest: &'a [String],
}

impl<'a> Words<'a> {
    /// Starts at the first of `words`.
    #[must_use]
    pub const fn new(words: &'a [String]) -> Self {
        Self { rest: words }
    }

    /// Returns the next argument without consuming it.
    #[must_use]
    pub fn peek(&self) -> Option<&'a str> {
        self.rest.first().map(String::as_str)
    }

    /// Returns the value after `keyword`.
    ///
    /// # Errors
    /// A usage error if there is none.
    pub fn value(&mut self, keyword: &str) -> Result<&'a str, Failure> {
        self.next().ok_or_else(|| Failure::usage(format!("{keyword}: a value is missing")))
    }

    /// The value after `keyword`, parsed.
    ///
    /// # Errors
    /// A usage error if there is none; status 1 if it does not parse.
    pub fn parsed<T: FromStr>(&mut self, keyword: &str, what: &str) -> Result<T, Failure> {
        let text = self.value(keyword)?;
        parse(text, what)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }
}

/// Parses one argument; `what` names its type in the error.
///
/// # Errors
/// `TEXT: bad WHAT`, status 1.
pub fn parse<T: FromStr>(text: &str, what: impl Display) -> Result<T, Failure> {
    text.parse().map_err(|_| Failure::of(text, format!("bad {what}")))
}

/// Parses an IP address.
///
/// # Errors
/// `TEXT: bad address`, status 1.
pub fn address(text: &str) -> Result<IpAddr, Failure> {
    parse(text, "address")
}

/// True when `word` is `full` or an abbreviation of it, as iproute2 allows.
#[must_use]
pub fn abbreviates(word: &str, full: &str) -> bool {
    !word.is_empty() && full.starts_with(word)
}
