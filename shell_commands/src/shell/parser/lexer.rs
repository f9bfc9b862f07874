//! Text → tokens, one at a time, as the [`parser`](super) asks.
//!
//! Comments, operators and here-documents; `words` reads what stands in words.

use std::sync::{Arc, OnceLock};

use super::super::syntax::{Part, SyntaxError, Word};
use crate::limits;
use crate::shown;

/// Where a sequence of pieces ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// At a blank or an operator.
    Word,
    /// At `"`.
    Quoted,
    /// At the end of the text.
    Here,
    /// At `}`; between double quotes or not; quotes of the word count.
    Brace { quoted: bool, pattern: bool },
    /// At `))`.
    Arithmetic,
}

impl Mode {
    pub(super) const fn is_quoted(self) -> bool {
        match self {
            Self::Quoted | Self::Here | Self::Arithmetic => true,
            Self::Word => false,
            Self::Brace { quoted, pattern } => quoted && !pattern,
        }
    }
}

/// A token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// A word.
    Word(Word),
    /// An operator: `&&`, `;`, `(` and so on.
    Operator(&'static str),
    /// A redirection: the number before it and the operator; its target is the next word.
    Redirect(Option<u8>, &'static str),
    /// The end of a line.
    Newline,
    /// The end of the text.
    End,
}

impl Token {
    /// The token for messages.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Word(word) => word.bare().unwrap_or("word"),
            Self::Operator(text) | Self::Redirect(_, text) => text,
            Self::Newline => "end of line",
            Self::End => "end of text",
        }
    }
}

/// A here-document whose lines have not come yet.
struct Pending {
    end: String,
    quoted: bool,
    strip: bool,
    body: Arc<OnceLock<Word>>,
}

/// Operators, the longest first.
const OPERATORS: [&str; 9] = [";;", "&&", "||", ";", "&", "|", "(", ")", "\n"];
const REDIRECTIONS: [&str; 9] = ["<<-", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"];

/// Reads tokens from a text.
pub(super) struct Lexer<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) depth: usize,
    /// A place and its line: lines are counted once.
    pub(super) counted: (usize, usize),
    pending: Vec<Pending>,
}

impl<'t> Lexer<'t> {
    /// Reads `text` from `at`; `counted` is a place at or before that, and its line.
    pub(super) const fn new(
        text: &'t str,
        at: usize,
        depth: usize,
        counted: (usize, usize),
    ) -> Self {
        Self { text, at, depth, counted, pending: Vec::new() }
    }

    /// The line of a place, from 1; places come in order.
    pub(super) fn line(&mut self, at: usize) -> usize {
        let (from, line) = self.counted;
        let ends = self.text.get(from..at).unwrap_or_default().matches('\n').count();
        self.counted = (at.max(from), line.saturating_add(ends));
        self.counted.1
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(super) fn error_at(&self, at: usize, message: impl Into<String>) -> SyntaxError {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count().saturating_add(1);
        let last = before.rsplit('\n').next().unwrap_or_default();
        let column = last.chars().count().saturating_add(1);
        // Words of the script may have ends of lines.
        let message = shown::line(&message.into()).into_owned();
        SyntaxError { message, incomplete: false, place: (line, column) }
    }

    pub(super) fn incomplete(&self, at: usize, message: impl Into<String>) -> SyntaxError {
        SyntaxError { incomplete: true, ..self.error_at(at, message) }
    }

    /// One level deeper, if there may be one.
    pub(super) fn deeper(&mut self) -> Result<(), SyntaxError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > limits::NESTING {
            return Err(self.error_at(self.at, "too deeply nested"));
        }
        Ok(())
    }

    pub(super) const fn shallower(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at = self.at.saturating_add(character.len_utf8());
        Some(character)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at = self.at.saturating_add(text.len());
        }
        found
    }

    pub(super) fn eat_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = rest.split(|character| !wanted(character)).next().unwrap_or_default();
        self.at = self.at.saturating_add(taken.len());
        taken
    }

    /// The start of the next token.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            self.eat_while(|character| matches!(character, ' ' | '\t' | '\r'));
            if self.peek() == Some('#') {
                self.eat_while(|character| character != '\n');
            }
            if !self.eat("\\\n") {
                return;
            }
        }
    }

    pub(super) fn token(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blanks();
        if self.peek().is_none() {
            if let Some(pending) = self.pending.first() {
                let message = format!("here-document without its end {}", pending.end);
                return Err(self.incomplete(self.at, message));
            }
            return Ok(Token::End);
        }
        if let Some(operator) = OPERATORS.into_iter().find(|operator| self.eat(operator)) {
            if operator != "\n" {
                return Ok(Token::Operator(operator));
            }
            self.here_documents()?;
            return Ok(Token::Newline);
        }
        let digits =
            self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = self.slice(self.at, self.at.saturating_add(digits));
        let after = self.rest().get(digits..).unwrap_or_default();
        if let Some(operator) = REDIRECTIONS.into_iter().find(|text| after.starts_with(text)) {
            let number = match number.parse::<u8>() {
                _ if number.is_empty() => None,
                Ok(number) if number <= 9 => Some(number),
                _ => return Err(self.error_at(self.at, "descriptors are 0 to 9")),
            };
            self.at = self.at.saturating_add(digits).saturating_add(operator.len());
            return Ok(Token::Redirect(number, operator));
        }
        let mut word = Word::default();
        self.pieces(&mut word, Mode::Word)?;
        Ok(Token::Word(word))
    }

    /// Notes a here-document, whose lines come after the next end of line.
    pub(super) fn expect_here(&mut self, word: &Word, strip: bool) -> Arc<OnceLock<Word>> {
        let mut end = String::new();
        let mut quoted = false;
        for piece in &word.pieces {
            quoted |= piece.quoted;
            if let Part::Literal(text) = &piece.part {
                end.push_str(text);
            }
        }
        let body = Arc::default();
        self.pending.push(Pending { end, quoted, strip, body: Arc::clone(&body) });
        body
    }

    fn here_documents(&mut self) -> Result<(), SyntaxError> {
        for pending in std::mem::take(&mut self.pending) {
            let start = self.at;
            let line = self.line(start);
            let mut body = String::new();
            loop {
                if self.rest().is_empty() {
                    let message = format!("here-document without its end {}", pending.end);
                    return Err(self.incomplete(start, message));
                }
                let whole = self.eat_while(|character| character != '\n');
                self.eat("\n");
                let line = if pending.strip { whole.trim_start_matches('\t') } else { whole };
                if line == pending.end {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            let mut word = Word::default();
            if pending.quoted {
                word.literal(&body, true);
            } else {
                let mut lexer = Lexer::new(&body, 0, self.depth, (0, line));
                lexer.pieces(&mut word, Mode::Here).map_err(|error| SyntaxError {
                    incomplete: false,
                    ..self.error_at(start, error.message)
                })?;
            }
            // Set once only.
            let _ = pending.body.set(word);
        }
        Ok(())
    }
}
