//! The edited line on the screen: what is written so that it stands there.
//!
//! Everything is written with five controls that every terminal since the VT100 has: carriage
//! return, line feed, cursor up, cursor forward, erase below. The line may be longer than a row and
//! have several lines; if it is taller than the window, the part around the cursor is shown.
//! Control characters in it are shown as `^X`. Called by the terminal's loop.

use unicode_width::UnicodeWidthChar;

use crate::window::Size;

/// Begins and ends a hint: dim.
const DIM: (&str, &str) = ("\u{1b}[2m", "\u{1b}[0m");

/// What is to be seen.
pub(super) struct View<'a> {
    pub(super) prompt: &'a str,
    pub(super) before: &'a str,
    pub(super) after: &'a str,
    /// Behind the line, dim.
    pub(super) hint: &'a str,
}

/// Where the cursor is on the screen.
#[derive(Default)]
pub(super) struct Screen {
    /// Its row below the first one of the line.
    row: usize,
    /// The rows below it.
    below: usize,
}

/// Rows that are being filled.
struct Rows {
    columns: usize,
    rows: Vec<String>,
    column: usize,
}

impl Rows {
    fn put(&mut self, text: &str, width: usize) {
        if self.column.saturating_add(width) > self.columns {
            self.end();
        }
        if let Some(row) = self.rows.last_mut() {
            row.push_str(text);
        }
        self.column = self.column.saturating_add(width);
    }

    fn end(&mut self) {
        self.rows.push(String::new());
        self.column = 0;
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\n' => self.end(),
                '\t' => {
                    let width = 8_usize.saturating_sub(self.column % 8);
                    self.put(&" ".repeat(width), width);
                }
                character => match character.width() {
                    Some(width) if !is_hidden(character) => {
                        self.put(character.encode_utf8(&mut [0; 4]), width);
                    }
                    _ => {
                        let shown =
                            crate::shown::line(character.encode_utf8(&mut [0; 4])).into_owned();
                        self.put(&shown, shown.len());
                    }
                },
            }
        }
    }

    /// The cursor's row and column; behind a full row it is at the begin of the next.
    fn cursor(&mut self) -> (usize, usize) {
        if self.column >= self.columns {
            self.end();
        }
        (self.rows.len().saturating_sub(1), self.column)
    }
}

fn is_hidden(character: char) -> bool {
    let mut bytes = [0; 4];
    let text = &*character.encode_utf8(&mut bytes);
    crate::shown::line(text) != text
}

impl Screen {
    /// The line is drawn anew where it was.
    pub(super) fn draw(&mut self, view: &View<'_>, size: Size) -> String {
        let columns = usize::from(size.columns.max(2));
        let mut rows = Rows { columns, rows: vec![String::new()], column: 0 };
        rows.text(view.prompt);
        rows.text(view.before);
        let (cursor_row, cursor_column) = rows.cursor();
        rows.text(view.after);
        if !view.hint.is_empty() {
            // A hint is cut at the end of the row: it must not move what is above.
            let room = columns.saturating_sub(rows.column).saturating_sub(1);
            let mut hint = String::new();
            let mut width: usize = 0;
            for character in view.hint.chars() {
                width = width.saturating_add(character.width().unwrap_or(columns));
                if width > room || is_hidden(character) {
                    break;
                }
                hint.push(character);
            }
            rows.put(&format!("{}{hint}{}", DIM.0, DIM.1), 0);
        }
        let height = usize::from(size.rows.max(1));
        let first = cursor_row.saturating_add(1).saturating_sub(height);
        let last = rows.rows.len().min(first.saturating_add(height));
        let shown = rows.rows.get(first..last).unwrap_or_default();
        let mut text = self.begin();
        text.push_str(&shown.join("\r\n"));
        let below = last.saturating_sub(1).saturating_sub(cursor_row);
        if below > 0 {
            text.push_str(&format!("\u{1b}[{below}A"));
        }
        text.push('\r');
        if cursor_column > 0 {
            text.push_str(&format!("\u{1b}[{cursor_column}C"));
        }
        (self.row, self.below) = (cursor_row.saturating_sub(first), below);
        text
    }

    /// To the first row of the line, which is erased with all below.
    fn begin(&self) -> String {
        let up = if self.row > 0 { format!("\u{1b}[{}A", self.row) } else { String::new() };
        format!("\r{up}\u{1b}[J")
    }

    /// Below the line, where output begins.
    pub(super) fn leave(&mut self) -> String {
        let down = "\n".repeat(self.below);
        *self = Self::default();
        format!("{down}\r\n")
    }

    /// The line is forgotten: it is drawn where the cursor is, or on an empty screen.
    pub(super) fn clear(&mut self) -> &'static str {
        *self = Self::default();
        "\u{1b}[H\u{1b}[2J"
    }
}

/// Words in columns, as `ls` and shells list them.
pub(super) fn columns(words: &[String], size: Size) -> String {
    let width_of = |word: &str| word.chars().filter_map(UnicodeWidthChar::width).sum::<usize>();
    let widest = words.iter().map(|word| width_of(word)).max().unwrap_or(0).saturating_add(2);
    let count = (usize::from(size.columns) / widest).max(1);
    let rows = words.len().div_ceil(count);
    let mut text = String::new();
    for row in 0..rows {
        let mut line = String::new();
        for word in words.iter().skip(row).step_by(rows.max(1)) {
            line.push_str(word);
            let pad = widest.saturating_sub(width_of(word));
            line.push_str(&" ".repeat(pad));
        }
        text.push_str(line.trim_end());
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { columns: 10, rows: 3 };

    fn view<'a>(before: &'a str, after: &'a str, hint: &'a str) -> View<'a> {
        View { prompt: "# ", before, after, hint }
    }

    #[test]
    fn a_line_longer_than_a_row_goes_on_in_the_next() {
        let mut screen = Screen::default();
        assert_eq!(screen.draw(&view("abc", "", ""), SIZE), "\r\u{1b}[J# abc\r\u{1b}[5C");
        let drawn = screen.draw(&view("abcdefgh", "", ""), SIZE);
        assert_eq!(drawn, "\r\u{1b}[J# abcdefgh\r\n\r");
        let drawn = screen.draw(&view("abc", "defghij", ""), SIZE);
        assert_eq!(drawn, "\r\u{1b}[1A\u{1b}[J# abcdefgh\r\nij\u{1b}[1A\r\u{1b}[5C");
        assert_eq!(screen.leave(), "\n\r\n");
    }

    #[test]
    fn wide_hidden_and_many_characters_have_their_room() {
        let mut screen = Screen::default();
        let drawn = screen.draw(&view("漢漢漢漢漢", "", ""), SIZE);
        assert_eq!(drawn, "\r\u{1b}[J# 漢漢漢漢\r\n漢\r\u{1b}[2C");
        let drawn = screen.draw(&view("\u{1b}", "", ""), SIZE);
        assert!(drawn.contains("# \\u001b"), "{drawn:?}");
        // Taller than the window: the rows around the cursor.
        let drawn = screen.draw(&view("1\n2\n3\n4", "\n5", ""), SIZE);
        assert_eq!(drawn, "\r\u{1b}[J2\r\n3\r\n4\r\u{1b}[1C");
    }

    #[test]
    fn a_hint_is_cut_at_the_end_of_the_row() {
        let drawn = Screen::default().draw(&view("pi", "", "ng gateway.lan"), SIZE);
        assert_eq!(drawn, "\r\u{1b}[J# pi\u{1b}[2mng ga\u{1b}[0m\r\u{1b}[4C");
    }

    #[test]
    fn words_stand_in_columns() {
        let words = ["a", "bb", "c"].map(str::to_owned);
        assert_eq!(columns(&words, SIZE), "a   c\r\nbb\r\n");
        assert_eq!(columns(&["x".repeat(20)], SIZE), format!("{}\r\n", "x".repeat(20)));
    }
}
