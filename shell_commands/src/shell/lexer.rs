//! Text → tokens, one at a time, as the [`parser`](super::parser) asks.
//!
//! Quoting, comments, operators, here-documents. Words become pieces with their expansions parsed:
//! a `$( … )` calls the parser again, so a script with a syntax error anywhere runs nothing. The
//! depth is bounded by [`limits::NESTING`].

use std::sync::{Arc, OnceLock};

use super::parser;
use super::syntax::{Operation, Part, Piece, SyntaxError, Word, is_name_character};
use crate::limits;

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

/// Where a sequence of pieces ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
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
    const fn is_quoted(self) -> bool {
        match self {
            Self::Quoted | Self::Here | Self::Arithmetic => true,
            Self::Word => false,
            Self::Brace { quoted, pattern } => quoted && !pattern,
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
    text: &'t str,
    at: usize,
    depth: usize,
    pending: Vec<Pending>,
}

impl<'t> Lexer<'t> {
    pub(super) const fn new(text: &'t str, at: usize, depth: usize) -> Self {
        Self { text, at, depth, pending: Vec::new() }
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
        SyntaxError { message: message.into(), incomplete: false, place: (line, column) }
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

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at = self.at.saturating_add(character.len_utf8());
        Some(character)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at = self.at.saturating_add(text.len());
        }
        found
    }

    fn eat_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
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
                let mut lexer = Lexer::new(&body, 0, self.depth);
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

    /// Reads pieces up to the end that `mode` has; the end itself is consumed, except that of a
    /// word.
    fn pieces(&mut self, word: &mut Word, mode: Mode) -> Result<(), SyntaxError> {
        self.deeper()?;
        let (start, mut open) = (self.at, 0_usize);
        loop {
            let here = self.at;
            let Some(character) = self.peek() else {
                match mode {
                    Mode::Word | Mode::Here => break,
                    Mode::Quoted => return Err(self.incomplete(start, "unterminated \"")),
                    Mode::Brace { .. } => return Err(self.incomplete(start, "unterminated ${")),
                    Mode::Arithmetic => return Err(self.incomplete(start, "unterminated $((")),
                }
            };
            if mode == Mode::Word && is_end_of_word(character) {
                break;
            }
            self.next();
            match (character, mode) {
                ('\0', _) => return Err(self.error_at(here, "a NUL character")),
                ('"', Mode::Quoted) | ('}', Mode::Brace { .. }) => break,
                (')', Mode::Arithmetic) if open == 0 => {
                    if self.eat(")") {
                        break;
                    }
                    return Err(self.error_at(here, "unexpected ) in $(("));
                }
                ('(', Mode::Arithmetic) => {
                    open = open.saturating_add(1);
                    word.literal("(", true);
                }
                (')', Mode::Arithmetic) => {
                    open = open.saturating_sub(1);
                    word.literal(")", true);
                }
                ('$', _) => self.dollar(word, mode)?,
                ('`', _) => self.backticks(word, mode)?,
                ('\\', _) => self.escape(word, mode)?,
                ('"', Mode::Word | Mode::Brace { .. }) => {
                    let before = word.pieces.len();
                    self.pieces(word, Mode::Quoted)?;
                    if word.pieces.len() == before {
                        word.literal("", true);
                    }
                }
                ('"', Mode::Arithmetic) => {}
                ('\'', Mode::Word) => self.single_quotes(word)?,
                ('\'', Mode::Brace { .. }) if !mode.is_quoted() => self.single_quotes(word)?,
                _ => word.literal(character.encode_utf8(&mut [0; 4]), mode.is_quoted()),
            }
        }
        self.shallower();
        Ok(())
    }

    fn single_quotes(&mut self, word: &mut Word) -> Result<(), SyntaxError> {
        let start = self.at;
        let text = self.eat_while(|character| character != '\'');
        if !self.eat("'") {
            return Err(self.incomplete(start.saturating_sub(1), "unterminated '"));
        }
        if text.contains('\0') {
            return Err(self.error_at(start, "a NUL character"));
        }
        word.literal(text, true);
        Ok(())
    }

    fn escape(&mut self, word: &mut Word, mode: Mode) -> Result<(), SyntaxError> {
        let start = self.at.saturating_sub(1);
        let Some(character) = self.next() else {
            return Err(self.incomplete(start, "nothing after \\"));
        };
        let counts = match mode {
            _ if character == '\0' => return Err(self.error_at(start, "a NUL character")),
            Mode::Word => true,
            Mode::Here | Mode::Arithmetic => matches!(character, '\\' | '$' | '`' | '\n'),
            Mode::Quoted => matches!(character, '\\' | '$' | '`' | '\n' | '"'),
            Mode::Brace { .. } => {
                !mode.is_quoted() || matches!(character, '\\' | '$' | '`' | '\n' | '"' | '}')
            }
        };
        if !counts {
            word.literal("\\", true);
        }
        if !counts || character != '\n' {
            word.literal(character.encode_utf8(&mut [0; 4]), true);
        }
        Ok(())
    }

    /// What follows `$`.
    fn dollar(&mut self, word: &mut Word, mode: Mode) -> Result<(), SyntaxError> {
        let quoted = mode.is_quoted();
        let start = self.at.saturating_sub(1);
        let part = if self.eat("((") {
            let mut expression = Word::default();
            self.pieces(&mut expression, Mode::Arithmetic)?;
            Part::Arithmetic(expression)
        } else if self.eat("(") {
            let (script, end) = parser::parse_inside(self.text, self.at, self.depth)?;
            self.at = end;
            Part::Command(Arc::new(script))
        } else if self.eat("{") {
            self.braces(start, quoted)?
        } else {
            let name = match self.peek() {
                Some(character) if is_special(character) || character.is_ascii_digit() => {
                    self.next();
                    character.to_string()
                }
                _ => self.eat_while(is_name_character).to_owned(),
            };
            if name.is_empty() {
                word.literal("$", quoted);
                return Ok(());
            }
            Part::Parameter(name, Operation::Value)
        };
        word.pieces.push(Piece { quoted, part });
        Ok(())
    }

    /// What follows `${`.
    fn braces(&mut self, start: usize, quoted: bool) -> Result<Part, SyntaxError> {
        let length = self.rest().starts_with('#')
            && !["#}", "#:", "#-", "#=", "#+", "#?", "##", "#%"]
                .iter()
                .any(|text| self.rest().starts_with(text) && !self.rest().starts_with("#?}"));
        if length {
            self.next();
        }
        let name = match self.peek() {
            Some(character) if is_special(character) => {
                self.next();
                character.to_string()
            }
            Some(digit) if digit.is_ascii_digit() => {
                self.eat_while(|character| character.is_ascii_digit()).to_owned()
            }
            _ => self.eat_while(is_name_character).to_owned(),
        };
        let wrong = |lexer: &Self| match lexer.peek() {
            None => lexer.incomplete(start, "unterminated ${"),
            Some(_) => lexer.error_at(start, "bad substitution ${"),
        };
        if name.is_empty() {
            return Err(wrong(self));
        }
        if self.eat("}") {
            let operation = if length { Operation::Length } else { Operation::Value };
            return Ok(Part::Parameter(name, operation));
        }
        let operation = if length {
            return Err(wrong(self));
        } else if self.eat("#") || self.rest().starts_with('%') {
            let suffix = self.eat("%");
            let longest = self.eat(if suffix { "%" } else { "#" });
            let mut pattern = Word::default();
            self.pieces(&mut pattern, Mode::Brace { quoted, pattern: true })?;
            Operation::Remove { suffix, longest, pattern }
        } else {
            let colon = self.eat(":");
            let Some(operator) = self.peek().filter(|operator| "-=?+".contains(*operator)) else {
                return Err(wrong(self));
            };
            self.next();
            let mut word = Word::default();
            self.pieces(&mut word, Mode::Brace { quoted, pattern: false })?;
            Operation::Condition { operator, colon, word }
        };
        Ok(Part::Parameter(name, operation))
    }

    /// The text between backticks is a script after one level of escapes.
    fn backticks(&mut self, word: &mut Word, mode: Mode) -> Result<(), SyntaxError> {
        let start = self.at.saturating_sub(1);
        let mut text = String::new();
        loop {
            match self.next() {
                Some('`') => break,
                Some('\\') => match self.next() {
                    Some(character @ ('\\' | '`' | '$')) => text.push(character),
                    Some('"') if mode == Mode::Quoted => text.push('"'),
                    Some(character) => text.extend(['\\', character]),
                    None => return Err(self.incomplete(start, "unterminated `")),
                },
                Some(character) => text.push(character),
                None => return Err(self.incomplete(start, "unterminated `")),
            }
        }
        let script = parser::parse_nested(&text, self.depth)
            .map_err(|error| self.error_at(start, error.message))?;
        let part = Part::Command(Arc::new(script));
        word.pieces.push(Piece { quoted: mode.is_quoted(), part });
        Ok(())
    }
}

impl Word {
    fn literal(&mut self, more: &str, quote: bool) {
        match self.pieces.last_mut() {
            Some(Piece { quoted, part: Part::Literal(text) }) if *quoted == quote => {
                text.push_str(more);
            }
            _ => {
                let part = Part::Literal(more.to_owned());
                self.pieces.push(Piece { quoted: quote, part });
            }
        }
    }
}

const fn is_special(character: char) -> bool {
    matches!(character, '?' | '#' | '@' | '*' | '!' | '$' | '-')
}

const fn is_end_of_word(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}
