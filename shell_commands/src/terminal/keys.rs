//! Bytes of a terminal → keys.
//!
//! The sequences are those of ECMA-48 §5.4 as xterm, VT100 and the Linux console send them. Bytes
//! come as they come: a key may be cut anywhere, and what is no key is dropped. A lone Escape waits
//! for the next byte, and makes that one `Alt`. Called by the terminal's loop.

/// One key, or one mark of a paste.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A character as it is typed.
    Character(char),
    /// Ctrl with the character: `Control('c')`.
    Control(char),
    /// Alt with the character.
    Alt(char),
    /// The end of the line.
    Enter,
    /// Tabulator.
    Tab,
    /// The character before the cursor goes.
    Backspace,
    /// Alt with Backspace: the word before the cursor goes.
    AltBackspace,
    /// The character at the cursor goes.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// To the word on the left.
    WordLeft,
    /// To the word on the right.
    WordRight,
    /// To the begin of the line.
    Home,
    /// To its end.
    End,
    /// A pasted text begins (xterm's bracketed paste).
    PasteBegins,
    /// It ends.
    PasteEnds,
    /// A key without a meaning here.
    Other,
}

/// Digits and separators of a sequence that are kept; the longest known one has five.
const PARAMETERS: usize = 16;

#[derive(Default)]
enum State {
    #[default]
    Ground,
    /// After Escape.
    Escape,
    /// After `Escape [`: its parameters.
    Sequence(String),
    /// After `Escape O`.
    Single,
    /// Within a character of UTF-8: its bytes, and how many it has.
    Text(Vec<u8>, usize),
}

/// Makes keys of bytes.
#[derive(Default)]
pub struct Decoder(State);

impl Decoder {
    /// Takes one byte, and returns the key that it completes.
    pub fn take(&mut self, byte: u8) -> Option<Key> {
        match std::mem::take(&mut self.0) {
            State::Ground => self.begin(byte),
            State::Escape => self.escaped(byte),
            State::Single => Some(final_byte(byte, "")),
            State::Sequence(mut parameters) => match byte {
                0x20..=0x3f => {
                    if parameters.len() < PARAMETERS {
                        parameters.push(char::from(byte));
                    }
                    self.0 = State::Sequence(parameters);
                    None
                }
                0x40..=0x7e => Some(final_byte(byte, &parameters)),
                // No sequence: what begins anew counts.
                byte => self.begin(byte),
            },
            State::Text(mut bytes, length) => {
                if !(0x80..0xc0).contains(&byte) {
                    return self.begin(byte);
                }
                bytes.push(byte);
                if bytes.len() < length {
                    self.0 = State::Text(bytes, length);
                    return None;
                }
                let text = String::from_utf8(bytes).ok()?;
                text.chars().next().map(character)
            }
        }
    }

    fn begin(&mut self, byte: u8) -> Option<Key> {
        let length = match byte {
            0x1b => {
                self.0 = State::Escape;
                return None;
            }
            // A terminal's end of file that came while a command ran.
            0 => return None,
            b'\r' | b'\n' => return Some(Key::Enter),
            b'\t' => return Some(Key::Tab),
            0x08 | 0x7f => return Some(Key::Backspace),
            1..=0x1f => return Some(Key::Control(char::from(byte | 0x40).to_ascii_lowercase())),
            0x20..=0x7e => return Some(Key::Character(char::from(byte))),
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return None,
        };
        self.0 = State::Text(vec![byte], length);
        None
    }

    fn escaped(&mut self, byte: u8) -> Option<Key> {
        match byte {
            b'[' => self.0 = State::Sequence(String::new()),
            b'O' => self.0 = State::Single,
            0x1b => self.0 = State::Escape,
            0x08 | 0x7f => return Some(Key::AltBackspace),
            0x20..=0x7e => return Some(Key::Alt(char::from(byte).to_ascii_lowercase())),
            byte => return self.begin(byte),
        }
        None
    }
}

/// C1 controls are no text.
fn character(character: char) -> Key {
    if character.is_control() { Key::Other } else { Key::Character(character) }
}

/// The key of a sequence's last byte and its parameters.
fn final_byte(byte: u8, parameters: &str) -> Key {
    // `1;5` and `5`: with Ctrl; `1;3`: with Alt.
    let modified = parameters.contains(";5") || parameters.contains(";3") || parameters == "5";
    match (byte, parameters) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if modified => Key::WordRight,
        (b'D', _) if modified => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', "1" | "7") => Key::Home,
        (b'F', _) | (b'~', "4" | "8") => Key::End,
        (b'M', "") => Key::Enter,
        (b'~', "3") => Key::Delete,
        (b'~', "200") => Key::PasteBegins,
        (b'~', "201") => Key::PasteEnds,
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|byte| decoder.take(*byte)).collect()
    }

    #[test]
    fn keys_are_those_of_common_terminals() {
        for (bytes, key) in [
            (&b"a"[..], Key::Character('a')),
            ("ä".as_bytes(), Key::Character('ä')),
            ("\u{1f600}".as_bytes(), Key::Character('\u{1f600}')),
            (b"\x03", Key::Control('c')),
            (b"\x1f", Key::Control('_')),
            (b"\r", Key::Enter),
            (b"\n", Key::Enter),
            (b"\t", Key::Tab),
            (b"\x7f", Key::Backspace),
            (b"\x08", Key::Backspace),
            (b"\x1bB", Key::Alt('b')),
            (b"\x1b\x7f", Key::AltBackspace),
            (b"\x1b[A", Key::Up),
            (b"\x1bOA", Key::Up),
            (b"\x1b[1;5C", Key::WordRight),
            (b"\x1b[1;3D", Key::WordLeft),
            (b"\x1b[H", Key::Home),
            (b"\x1b[4~", Key::End),
            (b"\x1b[3~", Key::Delete),
            (b"\x1b[200~", Key::PasteBegins),
            (b"\x1b[201~", Key::PasteEnds),
            (b"\x1b[15~", Key::Other),
        ] {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_key_ends_and_hides_nothing_behind_it() {
        assert_eq!(keys(b"\xff\xc3a\0b"), [Key::Character('a'), Key::Character('b')]);
        assert_eq!(keys(b"\x1b[12\x03x"), [Key::Control('c'), Key::Character('x')]);
        assert_eq!(keys("\u{9b}a".as_bytes()), [Key::Other, Key::Character('a')]);
        let long = [b"\x1b[".as_slice(), &[b'1'; 10_000], b"~a"].concat();
        assert_eq!(keys(&long), [Key::Other, Key::Character('a')]);
    }
}
