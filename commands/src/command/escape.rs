//! Bytes as text of one word (RFC 1035 §5.1): `\DDD` is the byte with this decimal number, `\`
//! before any other character is that character.

use alloc::string::String;
use alloc::vec::Vec;

/// Appends the text of a label: a dot in it is `\.`, what is not printable `\DDD`.
pub fn push(text: &mut String, label: &[u8]) {
    for byte in label {
        match byte {
            b'.' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b'!'..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&alloc::format!("\\{byte:03}")),
        }
    }
}

/// The text of a label.
pub fn escape(label: &[u8]) -> String {
    let mut text = String::new();
    push(&mut text, label);
    text
}

/// The bytes of a text; `None` for an escape that is none.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut labels = read(text, false)?;
    labels.pop().filter(|_| labels.is_empty())
}

/// The labels of a name; `None` for an escape that is none.
pub fn labels(name: &str) -> Option<Vec<Vec<u8>>> {
    read(name, true)
}

fn read(text: &str, has_dots: bool) -> Option<Vec<Vec<u8>>> {
    let (mut labels, mut label) = (Vec::new(), Vec::new());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' if has_dots => labels.push(core::mem::take(&mut label)),
            b'\\' => {
                let digit = |byte: u8| char::from(byte).to_digit(10);
                let next = bytes.next()?;
                match digit(next) {
                    None => label.push(next),
                    Some(first) => {
                        let (second, third) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
                        label.push(u8::try_from(first * 100 + second * 10 + third).ok()?);
                    }
                }
            }
            byte => label.push(byte),
        }
    }
    labels.push(label);
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_words_and_back() {
        let bytes = "My.Pr\\inter ä".as_bytes();
        assert_eq!(escape(bytes), "My\\.Pr\\\\inter\\032\\195\\164");
        assert_eq!(unescape(&escape(bytes)).as_deref(), Some(bytes));
        assert_eq!(labels("a\\.b.c").as_deref(), Some(&[b"a.b".to_vec(), b"c".to_vec()][..]));
        for text in ["\\", "\\1", "\\12", "\\256", "\\1x2"] {
            assert_eq!(unescape(text), None, "{text}");
        }
    }
}
