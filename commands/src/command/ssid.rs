//! Names of wireless networks: bytes of any value, and their text.
//!
//! In text `\xHH` is the byte with this hexadecimal number. What is no printable character of UTF-8
//! is shown so, and so is a backslash, and a blank at either end: the text of a name, read again,
//! is that name.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use devnet_virtual_file_system::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The name of a wireless network: 1 to 32 bytes of any value (IEEE 802.11-2020 §9.4.2.2); empty
/// for one that is hidden.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Ssid(Vec<u8>);

impl Ssid {
    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// True for the name of a hidden network, which is not known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[u8]> for Ssid {
    /// The name of these bytes.
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Ssid {
    /// The name of these characters, as they are.
    fn from(name: &str) -> Self {
        name.as_bytes().into()
    }
}

impl FromStr for Ssid {
    type Err = Error;

    /// Reads a text, in which `\xHH` is a byte.
    ///
    /// # Errors
    /// `InvalidInput` for `\x` without two digits.
    fn from_str(text: &str) -> Result<Self, Error> {
        unescaped(text).map(Self)
    }
}

/// The bytes of a text with `\xHH`.
pub(super) fn unescaped(text: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [] => return Ok(bytes),
            [b'\\', b'x', after @ ..] => {
                let [high, low, after @ ..] = after else { return Err(Error::InvalidInput) };
                let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(Error::InvalidInput);
                bytes.push((digit(*high)? << 4 | digit(*low)?) as u8);
                rest = after;
            }
            [byte, after @ ..] => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
}

/// True for a character that is shown as it is.
fn is_plain(character: char) -> bool {
    character == ' ' || character.is_ascii_graphic() && character != '\\' || {
        !character.is_ascii() && character.is_alphanumeric()
    }
}

impl fmt::Display for Ssid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let escape = |text: &mut String, bytes: &[u8]| {
            for byte in bytes {
                text.push_str(&alloc::format!("\\x{byte:02x}"));
            }
        };
        let mut place = 0;
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                let end = place + character.len_utf8();
                let is_end_blank = character == ' ' && (place == 0 || end == self.0.len());
                if is_plain(character) && !is_end_blank {
                    text.push(character);
                } else {
                    escape(&mut text, character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                place = end;
            }
            escape(&mut text, chunk.invalid());
            place += chunk.invalid().len();
        }
        formatter.pad(&text)
    }
}

/// In formats that people read as text, in others as its bytes.
impl Serialize for Ssid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Ssid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let wrong = |_| de::Error::custom(format_args!("{text:?} is no name of a network"));
            text.parse().map_err(wrong)
        } else {
            Deserialize::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn names_of_any_bytes_are_shown_and_read_again() {
        for (bytes, shown) in [
            (&b"home"[..], "home"),
            (b"my home", "my home"),
            (b" x ", "\\x20x\\x20"),
            (b" ", "\\x20"),
            (b"a\\x41", "a\\x5cx41"),
            ("Grün".as_bytes(), "Grün"),
            (b"\xff\x00\n\x1b[2J", "\\xff\\x00\\x0a\\x1b[2J"),
            ("\u{202e}x\u{200b}".as_bytes(), "\\xe2\\x80\\xaex\\xe2\\x80\\x8b"),
            (b"", ""),
        ] {
            let ssid = Ssid::from(bytes);
            assert_eq!(ssid.to_string(), shown);
            assert_eq!(shown.parse(), Ok(ssid));
        }
        for byte in 0..=u8::MAX {
            for bytes in [&[byte][..], &[b'x', byte, b'y'], &[0xc3, byte, byte]] {
                let ssid = Ssid::from(bytes);
                assert_eq!(ssid.to_string().parse(), Ok(ssid));
            }
        }
        for wrong in ["\\x", "\\x4", "a\\xg0", "\\x 1"] {
            assert_eq!(wrong.parse::<Ssid>(), Err(Error::InvalidInput), "{wrong}");
        }
    }
}
