//! The line editor: keys → an edited line, and what is to happen.
//!
//! It has no input and no output, so it is the same on a terminal of the host, over telnet and on a
//! serial line, and is tested without any. The keys are readline's in Emacs mode. A key changes the
//! [`Text`], goes through the history, searches it, or has an [`Effect`] that the terminal's loop
//! carries out.

use super::keys::Key;
use super::screen::View;
use super::text::{Text, To};
use crate::shell::history::History;

/// What follows from a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    /// The line, the cursor or nothing changed.
    None,
    /// There is nothing to do: ring the bell.
    Bell,
    /// The line is to be run, or goes on if it is incomplete.
    Submit,
    /// Ctrl-C: the line is given up.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// The word before the cursor is to be completed.
    Complete,
    /// The screen is to be cleared.
    Clear,
}

/// An incremental search through the history.
struct Search {
    wanted: String,
    /// Where the line was found.
    place: usize,
    /// The line before the search.
    former: String,
}

/// A line that is edited.
pub(super) struct Editor {
    text: Text,
    history: History,
    /// Where the shown line stands in the history; its length is the new line.
    place: usize,
    /// The new line while others are shown.
    new: String,
    search: Option<Search>,
    pasting: bool,
    /// The rest of a line of the history that begins like this one.
    hint: String,
    /// What stands before the line while it is searched for.
    prompt: String,
}

impl Editor {
    pub(super) fn new(history: History) -> Self {
        let place = history.len();
        Self {
            text: Text::default(),
            history,
            place,
            new: String::new(),
            search: None,
            pasting: false,
            hint: String::new(),
            prompt: String::new(),
        }
    }

    pub(super) fn text(&self) -> &str {
        self.text.text()
    }

    pub(super) fn before(&self) -> &str {
        self.text.before()
    }

    /// A new line begins.
    pub(super) fn reset(&mut self) {
        self.text.set("");
        (self.place, self.search, self.pasting) = (self.history.len(), None, false);
        self.hint.clear();
        self.new.clear();
    }

    /// Replaces what stands from `start` to the cursor: a completion.
    pub(super) fn replace(&mut self, start: usize, text: &str) -> bool {
        let replaced = self.text.replace(start, text);
        self.suggest();
        replaced
    }

    /// Breaks the line, which is incomplete; false if it is too long already.
    pub(super) fn continue_line(&mut self) -> bool {
        self.text.go(To::End);
        self.hint.clear();
        self.text.insert("\n")
    }

    /// What is to be seen behind a prompt. Once the line is `done` there is no hint.
    pub(super) fn view<'a>(&'a mut self, prompt: &'a str, done: bool) -> View<'a> {
        if let Some(search) = &self.search {
            self.prompt = format!("(reverse-i-search)`{}': ", search.wanted);
        }
        let prompt = if self.search.is_some() { self.prompt.as_str() } else { prompt };
        let hint = if done { "" } else { self.hint.as_str() };
        View { prompt, before: self.text.before(), after: self.text.after(), hint }
    }

    /// Takes a key.
    pub(super) fn take(&mut self, key: Key) -> Effect {
        if self.pasting {
            return self.paste(key);
        }
        if self.search.is_some() {
            match self.searching(key) {
                Some(effect) => return effect,
                // The found line is taken, and the key edits it.
                None => self.search = None,
            }
        }
        let effect = self.edit(key);
        self.suggest();
        effect
    }

    fn edit(&mut self, key: Key) -> Effect {
        let done = match key {
            Key::Character(character) => self.text.insert(character.encode_utf8(&mut [0; 4])),
            Key::Enter => return Effect::Submit,
            Key::Tab => return Effect::Complete,
            Key::Control('c') => return Effect::Interrupt,
            Key::Control('d') if self.text.text().is_empty() => return Effect::End,
            Key::Control('d') | Key::Delete => self.text.delete(To::Right),
            Key::Control('l') => return Effect::Clear,
            Key::Backspace => self.text.delete(To::Left),
            Key::Control('k') => self.text.kill(To::End),
            Key::Control('u') => self.text.kill(To::Begin),
            Key::Control('w') => self.text.kill(To::BlankLeft),
            Key::AltBackspace => self.text.kill(To::WordLeft),
            Key::Alt('d') => self.text.kill(To::WordRight),
            Key::Control('y') => self.text.yank(),
            Key::Control('t') => self.text.transpose(),
            Key::Control('_') => self.text.undo(),
            Key::Right | Key::End | Key::Control('f' | 'e') if self.text.is_at_end() => {
                self.accept_hint()
            }
            Key::WordRight | Key::Alt('f') if self.text.is_at_end() => self.accept_word(),
            Key::Left | Key::Control('b') => self.text.go(To::Left),
            Key::Right | Key::Control('f') => self.text.go(To::Right),
            Key::WordLeft | Key::Alt('b') => self.text.go(To::WordLeft),
            Key::WordRight | Key::Alt('f') => self.text.go(To::WordRight),
            // At the begin already: that is no mistake.
            Key::Home | Key::Control('a') => {
                self.text.go(To::Begin);
                true
            }
            Key::End | Key::Control('e') => {
                self.text.go(To::End);
                true
            }
            Key::Up => self.text.go(To::Up) || self.older(),
            Key::Down => self.text.go(To::Down) || self.newer(),
            Key::Control('p') => self.older(),
            Key::Control('n') => self.newer(),
            Key::Control('r') => self.begin_search(),
            Key::PasteBegins => {
                self.pasting = true;
                true
            }
            Key::Alt(_) | Key::Control(_) | Key::PasteEnds | Key::Other => false,
        };
        if done { Effect::None } else { Effect::Bell }
    }

    /// A pasted text is inserted as it is, and run by nothing but a key that is typed.
    fn paste(&mut self, key: Key) -> Effect {
        let done = match key {
            Key::PasteEnds => {
                self.pasting = false;
                self.suggest();
                true
            }
            Key::Character(character) => self.text.insert(character.encode_utf8(&mut [0; 4])),
            Key::Enter => self.text.insert("\n"),
            Key::Tab => self.text.insert("\t"),
            // The mark of the end is lost: this ends it, too.
            Key::Control('c') => {
                self.pasting = false;
                return Effect::Interrupt;
            }
            _ => true,
        };
        if done { Effect::None } else { Effect::Bell }
    }

    fn show(&mut self, place: usize) -> bool {
        if self.place == self.history.len() {
            self.text.text().clone_into(&mut self.new);
        }
        let line = match self.history.line(place) {
            Some(line) => line,
            None if place == self.history.len() => self.new.clone(),
            None => return false,
        };
        self.place = place;
        self.text.set(&line);
        true
    }

    fn older(&mut self) -> bool {
        self.place.checked_sub(1).is_some_and(|place| self.show(place))
    }

    fn newer(&mut self) -> bool {
        self.place < self.history.len() && self.show(self.place.saturating_add(1))
    }

    fn begin_search(&mut self) -> bool {
        let former = self.text.text().to_owned();
        let place = self.history.len();
        self.hint.clear();
        self.search = Some(Search { wanted: String::new(), place, former });
        true
    }

    /// `None` ends the search with the found line.
    fn searching(&mut self, key: Key) -> Option<Effect> {
        let search = self.search.as_mut()?;
        let from = match key {
            Key::Character(character) => {
                search.wanted.push(character);
                search.place.saturating_add(1)
            }
            Key::Backspace => {
                search.wanted.pop();
                self.history.len()
            }
            Key::Control('r') => search.place,
            Key::Control('g') => {
                let former = std::mem::take(&mut search.former);
                self.text.set(&former);
                self.search = None;
                self.suggest();
                return Some(Effect::None);
            }
            _ => return None,
        };
        let wanted = search.wanted.clone();
        match self.history.find(from, |line| !wanted.is_empty() && line.contains(&wanted)) {
            Some((place, line)) => {
                search.place = place;
                self.place = place;
                self.text.set(&line);
                Some(Effect::None)
            }
            None => Some(if wanted.is_empty() { Effect::None } else { Effect::Bell }),
        }
    }

    fn suggest(&mut self) {
        self.hint.clear();
        let text = self.text.text();
        if text.is_empty() || text.contains('\n') || !self.text.is_at_end() {
            return;
        }
        let begins = |line: &str| line.len() > text.len() && line.starts_with(text);
        if let Some((_, line)) = self.history.find(self.history.len(), begins) {
            let rest = line.get(text.len()..).unwrap_or_default();
            self.hint = rest.lines().next().unwrap_or_default().to_owned();
        }
    }

    fn accept_hint(&mut self) -> bool {
        let hint = std::mem::take(&mut self.hint);
        hint.is_empty() || self.text.insert(&hint)
    }

    fn accept_word(&mut self) -> bool {
        let start = self.hint.trim_start().len();
        let start = self.hint.len().saturating_sub(start);
        let rest = self.hint.get(start..).unwrap_or_default();
        let end = rest.find(' ').map_or(self.hint.len(), |place| start.saturating_add(place));
        let word = self.hint.get(..end).unwrap_or_default().to_owned();
        word.is_empty() || self.text.insert(&word)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Decoder;
    use super::*;

    fn editor(lines: &[&str]) -> Editor {
        let history = History::default();
        for line in lines {
            history.add(line).unwrap();
        }
        Editor::new(history)
    }

    /// The last effect.
    fn typed(editor: &mut Editor, bytes: &str) -> Effect {
        let mut decoder = Decoder::default();
        let keys: Vec<_> = bytes.bytes().filter_map(|byte| decoder.take(byte)).collect();
        keys.into_iter().map(|key| editor.take(key)).last().unwrap()
    }

    #[test]
    fn keys_edit_as_in_readline() {
        for (bytes, text) in [
            ("ab\x1b[Dc", "acb"),
            ("ping lan\x01# \x05!", "# ping lan!"),
            ("one two\x17three", "one three"),
            ("one two\x1b\x7f", "one "),
            ("one two\x01\x0b\x19\x19", "one twoone two"),
            ("one two\x15x", "x"),
            ("ab\x14", "ba"),
            ("abc\x01\x04\x1b[3~", "c"),
            ("abc\x1f", ""),
            ("a b\x1b[1;5D\x1bd", "a "),
            ("\x1b[200~a\rb\tc\x1b[201~", "a\nb\tc"),
        ] {
            let mut editor = editor(&[]);
            typed(&mut editor, bytes);
            assert_eq!(editor.text(), text, "{bytes:?}");
        }
        assert_eq!(typed(&mut editor(&[]), "\x04"), Effect::End);
        assert_eq!(typed(&mut editor(&[]), "a\x03"), Effect::Interrupt);
        assert_eq!(typed(&mut editor(&[]), "a\t"), Effect::Complete);
        assert_eq!(typed(&mut editor(&[]), "a\r"), Effect::Submit);
        assert_eq!(typed(&mut editor(&[]), "\x7f"), Effect::Bell);
        assert_eq!(typed(&mut editor(&[]), "\x0c"), Effect::Clear);
    }

    #[test]
    fn arrows_go_through_the_history_and_back_to_the_new_line() {
        let mut editor = editor(&["one", "two"]);
        typed(&mut editor, "new\x1b[A");
        assert_eq!(editor.text(), "two");
        typed(&mut editor, "\x1b[A");
        assert_eq!((typed(&mut editor, "\x1b[A"), editor.text()), (Effect::Bell, "one"));
        typed(&mut editor, "\x1b[B\x1b[B");
        assert_eq!((typed(&mut editor, "\x1b[B"), editor.text()), (Effect::Bell, "new"));
    }

    #[test]
    fn the_history_is_searched() {
        let mut editor = editor(&["ping one", "echo", "ping two"]);
        typed(&mut editor, "\x12pi");
        assert_eq!(editor.text(), "ping two");
        assert_eq!(editor.view("# ", false).prompt, "(reverse-i-search)`pi': ");
        typed(&mut editor, "\x12");
        assert_eq!(editor.text(), "ping one");
        assert_eq!(typed(&mut editor, "\x12"), Effect::Bell);
        assert_eq!(typed(&mut editor, "\r"), Effect::Submit);
        editor.reset();
        typed(&mut editor, "x\x12pi\x07");
        assert_eq!(editor.view("# ", false).prompt, "# ");
        assert_eq!(editor.text(), "x");
    }

    #[test]
    fn a_line_of_the_history_is_hinted_at() {
        let mut editor = editor(&["ping -c 3 gateway.lan"]);
        typed(&mut editor, "pi");
        assert_eq!(editor.view("", false).hint, "ng -c 3 gateway.lan");
        assert_eq!(editor.view("", true).hint, "");
        typed(&mut editor, "\x1b[1;5C");
        assert_eq!(editor.text(), "ping");
        typed(&mut editor, "\x1b[C");
        assert_eq!(editor.view("", false).hint, "");
        assert_eq!(editor.text(), "ping -c 3 gateway.lan");
        editor.reset();
        typed(&mut editor, "xy\x1b[D");
        assert_eq!(editor.view("", false).hint, "");
    }
}
