//! Cuts a filter into words and signs.

use alloc::vec::Vec;

/// A word or a sign, and where it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token<'a> {
    pub(super) at: usize,
    pub(super) text: &'a str,
}

/// Two bytes that are one sign.
const PAIRS: [&str; 8] = ["&&", "||", "==", "!=", "<=", ">=", "<<", ">>"];

/// The tokens of a text; `Err` with the place of a byte that begins none. Addresses are one word;
/// between brackets a colon is a sign.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, usize> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut is_in_brackets) = (0, false);
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'(' | b')' | b'!' | b'&' | b'|' | b'=' | b'<' | b'>' | b'[' | b']' => {
                let is_pair = text.get(at..at + 2).is_some_and(|pair| PAIRS.contains(&pair));
                at + if is_pair { 2 } else { 1 }
            }
            b':' if is_in_brackets => at + 1,
            byte if is_of_word(*byte, is_in_brackets) => {
                let rest = bytes.get(at..).unwrap_or_default();
                let length = rest.iter().take_while(|byte| is_of_word(**byte, is_in_brackets));
                at + length.count()
            }
            _ => return Err(at),
        };
        match byte {
            b'[' => is_in_brackets = true,
            b']' => is_in_brackets = false,
            _ => {}
        }
        tokens.push(Token { at, text: text.get(at..end).ok_or(at)? });
        at = end;
    }
    Ok(tokens)
}

const fn is_of_word(byte: u8, is_in_brackets: bool) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'.' | b'-' | b'_')
        || (matches!(byte, b':' | b'/' | b'%' | b'*') && !is_in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_words_and_offsets_are_not() {
        let texts = |text| -> Vec<&str> {
            tokens(text).unwrap().into_iter().map(|token| token.text).collect()
        };
        assert_eq!(
            texts("host fe80::1&&!tcp[2:2]>=0x50"),
            ["host", "fe80::1", "&&", "!", "tcp", "[", "2", ":", "2", "]", ">=", "0x50"]
        );
        assert_eq!(
            texts("net 10.0.0.0/8 or(port 80)"),
            ["net", "10.0.0.0/8", "or", "(", "port", "80", ")"]
        );
        assert_eq!(tokens("host ä"), Err(5));
        assert_eq!(tokens("tcp; udp"), Err(3));
    }
}
