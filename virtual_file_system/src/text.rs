//! Commands as lines of text: what [`define_commands!`](crate::define_commands) uses to parse them.

use alloc::string::String;

use crate::error::{Error, Result};

/// A request that a line of text can carry: what follows the words of its command.
///
/// Numbers are decimal, a `bool` is `on` or `off`, a `String` is the rest of the line, and `()` is
/// nothing. Implement it for a payload type whose command has a text form.
pub trait FromText: Sized {
    /// Reads the request from what follows the words of the command, without blanks around it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] for text that is no such request.
    fn from_text(text: &str) -> Result<Self>;
}

impl FromText for () {
    fn from_text(text: &str) -> Result<Self> {
        if text.is_empty() { Ok(()) } else { Err(Error::InvalidInput) }
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self> {
        match text {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(Error::InvalidInput),
        }
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self> {
        Ok(text.into())
    }
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(impl FromText for $number {
            fn from_text(text: &str) -> Result<Self> {
                text.parse().map_err(|_| Error::InvalidInput)
            }
        })+
    };
}

numbers!(u8, u16, u32, u64, i8, i16, i32, i64);

/// What follows these words in a line; `None` if the line does not begin with them. Blanks separate
/// words.
#[must_use]
pub fn strip_words<'a>(line: &'a str, words: &str) -> Option<&'a str> {
    words.split_ascii_whitespace().try_fold(line.trim_ascii(), |rest, word| {
        let rest = rest.strip_prefix(word)?;
        let is_whole = rest.is_empty() || rest.starts_with(|next: char| next.is_ascii_whitespace());
        is_whole.then(|| rest.trim_ascii_start())
    })
}
