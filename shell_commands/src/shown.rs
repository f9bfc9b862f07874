//! Text of others as it is shown: names of files, words of guests, what the network says.
//!
//! The one place that keeps such text from controlling the terminal. Every answer and every message
//! passes [`text`] on its way out ([`Context::print`](crate::context::Context::print),
//! [`Stream::remark`](crate::context::Stream::remark)); [`line()`] is for a part that must stay on
//! its line. What a program outputs (`cat`, `nc`, `echo`, `wget -O -`, a guest's own output) is
//! data and stays as it is, as in every shell.

use std::borrow::Cow;

/// Escapes all characters that control a terminal, except ends of lines and tabs.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |character| controls(character) && !matches!(character, '\n' | '\t'))
}

/// Escapes all characters that control a terminal.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, controls)
}

/// True for control characters (C0, DEL and C1), for separators of lines, and for characters that
/// change the direction in which others are shown.
const fn controls(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// Escapes as in JSON strings, where an answer may be one.
fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        if is_escaped(character) {
            result.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            result.push(character);
        }
    }
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hold_15_what_controls_a_terminal_is_escaped() {
        for (shown, expected) in [
            ("plain ä 漢 \u{1f600}", "plain ä 漢 \u{1f600}"),
            ("\u{1b}[2J", "\\u001b[2J"),
            ("a\u{9b}b\u{80}\u{7f}", "a\\u009bb\\u0080\\u007f"),
            ("\r\0\u{7}", "\\u000d\\u0000\\u0007"),
            ("\u{202e}gpj\u{202c}\u{2066}", "\\u202egpj\\u202c\\u2066"),
        ] {
            assert_eq!(line(shown), expected);
            assert_eq!(text(shown), expected);
        }
        assert_eq!(text("a\tb\n"), "a\tb\n");
        assert_eq!(line("a\tb\n"), "a\\u0009b\\u000a");
    }
}
