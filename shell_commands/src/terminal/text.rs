//! The text that is edited: a line, its cursor, what was killed, what can be undone.
//!
//! The keys' names are those of readline's Emacs mode. Nothing here knows keys or the screen;
//! [`editor`](super::editor) calls it.

use crate::limits;

/// A text with a cursor.
#[derive(Default)]
pub(super) struct Text {
    text: String,
    /// A place between characters, in bytes.
    cursor: usize,
    killed: String,
    /// Former texts with their cursors.
    undo: Vec<(String, usize)>,
    /// The last change was a typed character: the next one is undone with it.
    types: bool,
}

impl Text {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub(super) fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    pub(super) fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    /// Replaces everything; the cursor is at the end. Undo begins anew.
    pub(super) fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.cursor = self.text.len();
        self.undo.clear();
        self.types = false;
    }

    fn remember(&mut self, types: bool) {
        if !(types && self.types) {
            if self.undo.len() >= limits::UNDO {
                self.undo.remove(0);
            }
            self.undo.push((self.text.clone(), self.cursor));
        }
        self.types = types;
    }

    pub(super) fn undo(&mut self) -> bool {
        self.types = false;
        let Some((text, cursor)) = self.undo.pop() else { return false };
        (self.text, self.cursor) = (text, cursor);
        true
    }

    /// Inserts at the cursor; false if the line would be too long.
    pub(super) fn insert(&mut self, text: &str) -> bool {
        if self.text.len().saturating_add(text.len()) > limits::EDITED_BYTES {
            return false;
        }
        self.remember(true);
        self.text.insert_str(self.cursor, text);
        self.cursor = self.cursor.saturating_add(text.len());
        true
    }

    /// Replaces what stands from `start` to the cursor.
    pub(super) fn replace(&mut self, start: usize, text: &str) -> bool {
        let former = self.before().get(start..).unwrap_or_default().len();
        if self.text.len().saturating_sub(former).saturating_add(text.len()) > limits::EDITED_BYTES
            || !self.text.is_char_boundary(start)
        {
            return false;
        }
        self.remember(false);
        self.text.replace_range(start.min(self.cursor)..self.cursor, text);
        self.cursor = start.saturating_add(text.len());
        true
    }

    fn left_of(&self, cursor: usize) -> usize {
        let before = self.text.get(..cursor).unwrap_or_default();
        before.chars().next_back().map_or(0, |last| cursor.saturating_sub(last.len_utf8()))
    }

    fn right_of(&self, cursor: usize) -> usize {
        let next = self.text.get(cursor..).unwrap_or_default().chars().next();
        cursor.saturating_add(next.map_or(0, char::len_utf8))
    }

    /// The begin of the word on the left; words are of letters and digits, or of all but blanks.
    fn word_left(&self, blanks_only: bool) -> usize {
        let is_word = |character: char| match blanks_only {
            true => !character.is_whitespace(),
            false => character.is_alphanumeric(),
        };
        let before = self.before();
        let trimmed = before.trim_end_matches(|character| !is_word(character));
        trimmed.trim_end_matches(is_word).len()
    }

    fn word_right(&self) -> usize {
        let after = self.after();
        let trimmed = after.trim_start_matches(|character: char| !character.is_alphanumeric());
        let rest = trimmed.trim_start_matches(char::is_alphanumeric);
        self.text.len().saturating_sub(rest.len())
    }

    fn line_begin(&self) -> usize {
        self.before().rfind('\n').map_or(0, |place| place.saturating_add(1))
    }

    fn line_end(&self) -> usize {
        let length = self.after().find('\n').unwrap_or(self.after().len());
        self.cursor.saturating_add(length)
    }

    pub(super) fn go(&mut self, to: To) -> bool {
        let former = self.cursor;
        self.cursor = self.place(to);
        self.types = false;
        self.cursor != former
    }

    fn place(&self, to: To) -> usize {
        match to {
            To::Left => self.left_of(self.cursor),
            To::Right => self.right_of(self.cursor),
            To::WordLeft => self.word_left(false),
            To::BlankLeft => self.word_left(true),
            To::WordRight => self.word_right(),
            To::Begin => self.line_begin(),
            To::End => self.line_end(),
            To::Up => {
                let begin = self.line_begin();
                let column = self.text.get(begin..self.cursor).unwrap_or_default().chars().count();
                let Some(end) = begin.checked_sub(1) else { return self.cursor };
                let above = self.text.get(..end).unwrap_or_default();
                let begin = above.rfind('\n').map_or(0, |place| place.saturating_add(1));
                begin.saturating_add(column_of(above.get(begin..).unwrap_or_default(), column))
            }
            To::Down => {
                let begin = self.line_begin();
                let column = self.text.get(begin..self.cursor).unwrap_or_default().chars().count();
                let end = self.line_end();
                let Some(below) = self.text.get(end.saturating_add(1)..) else {
                    return self.cursor;
                };
                let line = below.split('\n').next().unwrap_or_default();
                end.saturating_add(1).saturating_add(column_of(line, column))
            }
        }
    }

    /// Deletes up to a place, without keeping it.
    pub(super) fn delete(&mut self, to: To) -> bool {
        self.take(to).is_some()
    }

    /// Deletes up to a place, for [`Text::yank`].
    pub(super) fn kill(&mut self, to: To) -> bool {
        match self.take(to) {
            Some(killed) => {
                self.killed = killed;
                true
            }
            None => false,
        }
    }

    fn take(&mut self, to: To) -> Option<String> {
        let place = self.place(to);
        let range = self.cursor.min(place)..self.cursor.max(place);
        let taken = self.text.get(range.clone()).filter(|taken| !taken.is_empty())?.to_owned();
        self.remember(false);
        self.text.replace_range(range.clone(), "");
        self.cursor = range.start;
        Some(taken)
    }

    pub(super) fn yank(&mut self) -> bool {
        let killed = self.killed.clone();
        self.types = false;
        !killed.is_empty() && self.insert(&killed)
    }

    /// Swaps the characters around the cursor, at the end the last two.
    pub(super) fn transpose(&mut self) -> bool {
        let end = self.right_of(self.cursor);
        let middle = self.left_of(end);
        let start = self.left_of(middle);
        let (Some(first), Some(second)) =
            (self.text.get(start..middle), self.text.get(middle..end))
        else {
            return false;
        };
        if first.is_empty() || second.is_empty() {
            return false;
        }
        let swapped = format!("{second}{first}");
        self.remember(false);
        self.text.replace_range(start..end, &swapped);
        self.cursor = end;
        true
    }
}

/// The place of a column in a line.
fn column_of(line: &str, column: usize) -> usize {
    line.char_indices().nth(column).map_or(line.len(), |(place, _)| place)
}

/// Where the cursor goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum To {
    Left,
    Right,
    WordLeft,
    /// To the begin of what has no blanks.
    BlankLeft,
    WordRight,
    /// The begin of the line.
    Begin,
    /// Its end.
    End,
    /// The line above; nowhere if there is none.
    Up,
    /// The line below; nowhere if there is none.
    Down,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lines_and_characters_of_any_width() {
        let mut text = Text::default();
        assert!(text.insert("ping -c 3 gäte.lan"));
        assert!(text.go(To::WordLeft) && text.before() == "ping -c 3 gäte.");
        assert!(text.go(To::WordLeft) && text.before() == "ping -c 3 ");
        assert!(text.kill(To::End) && text.text() == "ping -c 3 ");
        assert!(text.yank() && text.text() == "ping -c 3 gäte.lan");
        assert!(text.kill(To::BlankLeft) && text.text() == "ping -c 3 ");
        assert!(text.undo() && text.text() == "ping -c 3 gäte.lan");
        text.set("aä");
        assert!(text.transpose() && text.text() == "äa");
        assert!(text.go(To::Begin) && !text.go(To::Left) && text.delete(To::Right));
        assert_eq!((text.text(), text.is_at_end()), ("a", false));
    }

    #[test]
    fn lines_are_above_one_another() {
        let mut text = Text::default();
        text.set("abcd\nx\nabc");
        assert!(text.go(To::Up) && text.before() == "abcd\nx");
        assert!(text.go(To::Up) && text.before() == "a");
        assert!(!text.go(To::Up) && text.go(To::End) && text.before() == "abcd");
        assert!(text.go(To::Down) && text.go(To::Down) && text.before() == "abcd\nx\na");
        assert!(!text.go(To::Down));
    }

    #[test]
    fn a_line_has_a_bound_and_undo_too() {
        let mut text = Text::default();
        assert!(!text.insert(&"x".repeat(limits::EDITED_BYTES + 1)));
        for _ in 0..limits::UNDO + 10 {
            assert!(text.insert("a") && text.go(To::Left));
        }
        assert_eq!(text.undo.len(), limits::UNDO);
    }
}
