//! Fields: expanded text, cut at the separators of `IFS` and matched with names of files.
//!
//! [`expand`](super::expand) adds text piece by piece; each field keeps beside its text the
//! pattern that its unquoted characters make.

use super::pattern;
use crate::context::Files;
use crate::limits;

/// One field.
#[derive(Default)]
pub(super) struct Field {
    pub(super) text: String,
    /// The text as a pattern: quoted characters that are special in patterns have a `\`.
    pub(super) pattern: String,
    has_pattern: bool,
}

/// The fields of words; the next piece may extend the `open` one.
pub(super) struct Fields {
    pub(super) done: Vec<Field>,
    pub(super) open: Option<Field>,
    /// Unquoted values are cut here; `None` for values of assignments and the like.
    separators: Option<String>,
    bytes: usize,
}

impl Fields {
    pub(super) const fn new(separators: Option<String>) -> Self {
        Self { done: Vec::new(), open: None, separators, bytes: 0 }
    }

    /// True if words become several fields.
    pub(super) const fn splits(&self) -> bool {
        self.separators.is_some()
    }

    pub(super) fn close(&mut self) {
        self.done.extend(self.open.take());
    }

    /// Adds text that stays whole.
    pub(super) fn add(&mut self, more: &str, quoted: bool) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(more.len());
        let field = self.open.get_or_insert_default();
        if field.text.len().saturating_add(more.len()) > limits::WORD_BYTES {
            return Err(String::from("a word is too long"));
        }
        if self.bytes > limits::ARGUMENT_BYTES || self.done.len() >= limits::ARGUMENTS {
            return Err(String::from("the arguments are too long"));
        }
        field.text.push_str(more);
        for character in more.chars() {
            let special = matches!(character, '*' | '?' | '[' | ']' | '\\' | '-' | '!' | '^');
            if quoted && special {
                field.pattern.push('\\');
            }
            field.has_pattern |= !quoted && matches!(character, '*' | '?' | '[');
            field.pattern.push(character);
        }
        Ok(())
    }

    /// Adds an unquoted value, cut at separators (POSIX 2.6.5): white space counts once, and with
    /// another separator as a part of that.
    pub(super) fn cut(&mut self, text: &str) -> Result<(), String> {
        let Some(separators) = self.separators.clone() else { return self.add(text, false) };
        let mut after_space = false;
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest.find(|character| separators.contains(character)).unwrap_or(rest.len());
            let (part, more) = rest.split_at_checked(plain).unwrap_or((rest, ""));
            if !part.is_empty() {
                self.add(part, false)?;
                after_space = false;
            }
            let mut characters = more.chars();
            if let Some(separator) = characters.next() {
                let is_space = matches!(separator, ' ' | '\t' | '\n');
                match self.open.take() {
                    Some(field) => {
                        self.done.push(field);
                        after_space = is_space;
                    }
                    None if is_space => {}
                    None if after_space => after_space = false,
                    None => {
                        self.add("", true)?;
                        self.close();
                    }
                }
            }
            rest = characters.as_str();
        }
        Ok(())
    }

    /// The texts of all fields; patterns that match names of `files` become those.
    pub(super) fn finish(mut self, files: Option<&Files>) -> Result<Vec<String>, String> {
        self.close();
        let mut texts = Vec::with_capacity(self.done.len());
        for field in self.done {
            let names = match files {
                Some(files) if field.has_pattern => pattern::paths(files, &field.pattern)?,
                _ => Vec::new(),
            };
            if names.is_empty() {
                texts.push(field.text);
            } else {
                texts.extend(names);
            }
        }
        Ok(texts)
    }
}
