//! Why a text was not executed: the line, the wrong word, and what should stand there.
//!
//! [`text`](super::text) has the faults that a text has by itself, the open file adds those with
//! which the stack refuses a line. A typed command carries one as [`LastError`].

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Serialize};

use super::placeholder;
use super::syntax::mismatch;
use super::wireless_text::{keys_from, redacted};
use crate::limits;

/// Why a text failed, and at which line. [`Display`](fmt::Display) says it in one line of printable
/// characters: `line 2: "1.2.3" is no prefix; address add PREFIX [broadcast IPV4]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineError {
    /// The number of the line; the first is 1.
    pub line: u32,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A word cannot stand where it stands.
    Word {
        /// The word.
        word: String,
        /// What may stand there: words, and placeholders in upper case; empty for the end of the
        /// line.
        expected: Vec<&'static str>,
        /// The form of the line, if only one is meant.
        form: Option<&'static str>,
        /// The error of the write.
        error: Error,
    },
    /// The line ends before it is a command.
    Missing {
        /// What may stand next.
        expected: Vec<&'static str>,
        /// The form of the line, if only one is meant.
        form: Option<&'static str>,
    },
    /// The line has more than [`LINE_BYTES`](limits::LINE_BYTES).
    LineTooLong,
    /// The text has more than [`TEXT_BYTES`](limits::TEXT_BYTES).
    TextTooLong,
    /// The line is not UTF-8.
    NotUtf8,
    /// The line is a command, and the stack or the controller refused it.
    Refused {
        /// The line.
        text: String,
        /// Why.
        error: Error,
    },
    /// The line is a command, and cannot stand there in a configuration.
    Configuration {
        /// The line.
        text: String,
        /// Why.
        reason: String,
    },
    /// The configuration has more than [`CONFIGURATION_BYTES`](limits::CONFIGURATION_BYTES).
    ConfigurationTooLong,
}

impl LineError {
    /// The fault of a line that the parser refused with this error.
    #[must_use]
    pub fn of_syntax(line: u32, text: &str, error: Error) -> Self {
        if text.len() > limits::LINE_BYTES {
            return Self { line, fault: Fault::LineTooLong };
        }
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let Some(found) = mismatch(&words) else { return Self::refused(line, text, error) };
        let (expected, form) = (found.expected, found.form);
        let fault = match words.get(found.position) {
            // Further words may be a key, also where none is expected.
            Some(_) if keys_from(&words).is_some_and(|from| found.position >= from.min(3)) => {
                Fault::Word { word: "***".into(), expected, form, error }
            }
            Some(word) => Fault::Word { word: (*word).into(), expected, form, error },
            None => Fault::Missing { expected, form },
        };
        Self { line, fault }
    }

    /// A line that was refused with this error.
    #[must_use]
    pub fn refused(line: u32, text: &str, error: Error) -> Self {
        Self { line, fault: Fault::Refused { text: without_keys(text), error } }
    }

    /// A line that is a command, but not there.
    pub fn misplaced(line: u32, text: &str, reason: String) -> Self {
        Self { line, fault: Fault::Configuration { text: without_keys(text), reason } }
    }

    /// The stable error, with which the write fails.
    #[must_use]
    pub const fn error(&self) -> Error {
        match &self.fault {
            Fault::Word { error, .. } | Fault::Refused { error, .. } => *error,
            Fault::Missing { .. } | Fault::NotUtf8 | Fault::Configuration { .. } => {
                Error::InvalidInput
            }
            Fault::LineTooLong | Fault::TextTooLong | Fault::ConfigurationTooLong => {
                Error::MessageTooLong
            }
        }
    }
}

/// A line as errors show it.
fn without_keys(text: &str) -> String {
    redacted(text).unwrap_or_else(|| text.trim().into())
}

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self {
            Self::Word { word, expected, form, .. } => {
                write!(formatter, "\"{}\" is ", Shown(word, limits::SHOWN_WORD_CHARACTERS))?;
                match expected.as_slice() {
                    [] => formatter.write_str("one word too many")?,
                    [only] => match placeholder::find(only) {
                        Some(placeholder) => write!(formatter, "no {}", placeholder.noun)?,
                        None => write!(formatter, "not {only}")?,
                    },
                    several => write!(formatter, "none of {}", several.join(", "))?,
                }
                form
            }
            Self::Missing { expected, form } => {
                match expected.as_slice() {
                    [only] => write!(formatter, "{only} is missing")?,
                    several => write!(formatter, "one of {} is missing", several.join(", "))?,
                }
                form
            }
            Self::LineTooLong => {
                write!(formatter, "longer than {} bytes", limits::LINE_BYTES)?;
                &None
            }
            Self::TextTooLong => {
                write!(formatter, "the text is longer than {} bytes", limits::TEXT_BYTES)?;
                &None
            }
            Self::NotUtf8 => {
                formatter.write_str("not UTF-8")?;
                &None
            }
            Self::Refused { text, error } => {
                let shown = Shown(text, limits::SHOWN_LINE_CHARACTERS);
                write!(formatter, "{shown}: {error}")?;
                &None
            }
            Self::Configuration { text, reason } => {
                let shown = Shown(text, limits::SHOWN_LINE_CHARACTERS);
                let between = if text.is_empty() { "" } else { ": " };
                write!(formatter, "{shown}{between}{}", Shown(reason, limits::LINE_BYTES))?;
                &None
            }
            Self::ConfigurationTooLong => {
                write!(formatter, "the text is longer than {} bytes", limits::CONFIGURATION_BYTES)?;
                &None
            }
        };
        form.map_or(Ok(()), |form| write!(formatter, "; {form}"))
    }
}

impl core::error::Error for LineError {}

/// Text of a user, its first characters with those escaped that are not printable.
struct Shown<'a>(&'a str, usize);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, most) = *self;
        for character in text.chars().take(most) {
            match character {
                '"' | '\'' | '\\' => fmt::Write::write_char(formatter, character)?,
                other => write!(formatter, "{}", other.escape_debug())?,
            }
        }
        if text.chars().nth(most).is_some() { formatter.write_str("…") } else { Ok(()) }
    }
}

/// The last error of an open file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LastError {
    /// The number of the line that failed; the first is 1.
    pub line: u32,
    /// The error with which the write failed.
    pub error: Error,
    /// The error in words, in one line that begins with the number of the line.
    pub message: String,
}

impl From<&LineError> for LastError {
    fn from(error: &LineError) -> Self {
        Self { line: error.line, error: error.error(), message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::command::text::parse_line;

    fn said(text: &str) -> String {
        parse_line(2, text).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_line_word_and_form() {
        let long = format!("mtu {}", "9".repeat(50));
        let many = format!("link {}", "up ".repeat(1400));
        for (text, expected) in [
            (
                "address add 1.2.3",
                "line 2: \"1.2.3\" is no prefix; address add PREFIX [broadcast IPV4]",
            ),
            (
                "address add 10.0.0.1/24 brodcast 10.0.0.255",
                "line 2: \"brodcast\" is not broadcast; address add PREFIX [broadcast IPV4]",
            ),
            ("address", "line 2: one of add, remove, flush, replace, set is missing"),
            ("mtu", "line 2: BYTES is missing; mtu BYTES"),
            (
                "link sideways",
                "line 2: \"sideways\" is none of up, down, name, description, promiscuous, \
                 all-multicast, arp, queue, reachable, retransmit, probes",
            ),
            ("link up now", "line 2: \"now\" is one word too many; link (up | down)"),
            (
                "option maximum-segment 70000",
                "line 2: \"70000\" is no number of bytes from 0 to 65,535; option maximum-segment \
                 SIZE",
            ),
            (
                "link \u{1b}[31m\u{202e}\"",
                "line 2: \"\\u{1b}[31m\\u{202e}\"\" is none of up, down, name, description, \
                 promiscuous, all-multicast, arp, queue, reachable, retransmit, probes",
            ),
            (
                &long,
                &format!(
                    "line 2: \"{}…\" is no number of bytes from 0 to 4,294,967,295; mtu BYTES",
                    "9".repeat(40)
                ),
            ),
            (&many, "line 2: longer than 4096 bytes"),
        ] {
            assert_eq!(said(text), expected);
        }
        assert!(!said("switch station home 12345678").contains("1234"));
        assert!(!said("autoconf secret 0123").contains("0123"));
        assert!(!said("autoconf secret 0123 4567").contains("4567"));
        assert!(!said("switch access-point x 10.0.0.1/24 key 12345678 lease x").contains("1234"));
        assert!(said("linkup").starts_with("line 2: \"linkup\" is none of link, mac, mtu, "));
    }

    #[test]
    fn errors_of_lines_have_the_errors_of_writes() {
        let error = |text: &str| parse_line(1, text).unwrap_err().error();
        assert_eq!(error("link"), Error::InvalidInput);
        assert_eq!(error("option nonsense on"), Error::ProtocolOptionNotAvailable);
        assert_eq!(error(&"#".repeat(5000)), Error::MessageTooLong);
        let refused = LineError::refused(3, " address add 10.0.0.1/24 ", Error::AlreadyExists);
        assert_eq!(refused.to_string(), "line 3: address add 10.0.0.1/24: File exists");
        assert_eq!(refused.error(), Error::AlreadyExists);
    }
}
