//! What stands in a word: quotes, parameters, substitutions, arithmetic.
//!
//! The part of the [`Lexer`] that reads words and texts like words. Their expansions are parsed
//! here: a `$( … )` calls the parser again, so a script with a syntax error anywhere runs nothing.
//! The depth is bounded by [`limits::NESTING`](crate::limits::NESTING).

use std::sync::Arc;

use super::super::syntax::{Operation, Part, Piece, SyntaxError, Word, is_name_character};
use super::lexer::{Lexer, Mode};
use super::{parse_inside, parse_nested};

impl Lexer<'_> {
    /// Reads pieces up to the end that `mode` has; the end itself is consumed, except that of a
    /// word.
    pub(super) fn pieces(&mut self, word: &mut Word, mode: Mode) -> Result<(), SyntaxError> {
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
            let (script, end) = parse_inside(self.text, self.at, self.depth, self.counted)?;
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
        let line = self.line(start);
        let script = parse_nested(&text, self.depth, line)
            .map_err(|error| self.error_at(start, error.message))?;
        let part = Part::Command(Arc::new(script));
        word.pieces.push(Piece { quoted: mode.is_quoted(), part });
        Ok(())
    }
}

impl Word {
    pub(super) fn literal(&mut self, more: &str, quote: bool) {
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
