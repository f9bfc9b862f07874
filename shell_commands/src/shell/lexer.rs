//! Text → tokens.
//!
//! Handles quoting, comments and operators. It knows no grammar and no values: variables become
//! pieces of words, which [`expand`](super::expand) expands when the command runs. The
//! [`parser`](super::parser) calls it. Any input is safe: the work is linear in its length and
//! there is no recursion.

use std::fmt;
use std::iter::Peekable;
use std::mem;
use std::str::Chars;

/// A lexical error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    message: String,
    incomplete: bool,
}

impl SyntaxError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), incomplete: false }
    }

    pub(super) fn incomplete(message: impl Into<String>) -> Self {
        Self { message: message.into(), incomplete: true }
    }

    pub(super) fn unexpected(what: &str) -> Self {
        Self::new(format!("unexpected {what}"))
    }

    /// The text is incomplete: an open quote, or a line that ends in an operator.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        self.incomplete
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// A piece of a word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Literal characters.
    Literal(String),
    /// A variable; unless quoted, its value undergoes field splitting.
    Variable {
        /// Its name: a name, a number, or one of `? # @ *`.
        name: String,
        /// It is between double quotes.
        quoted: bool,
    },
}

/// A word before expansion.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Word {
    /// Its pieces, in order. A quoted empty string is one empty literal.
    pub pieces: Vec<Piece>,
    /// A piece of it is quoted, so it is neither the number of a redirection nor `!`.
    pub quoted: bool,
}

impl fmt::Display for Word {
    /// Returns the word without quotes, with variables by name.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Literal(text) => formatter.write_str(text),
            Piece::Variable { name, .. } => write!(formatter, "${name}"),
        })
    }
}

/// A standard stream of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Descriptor {
    /// 0
    Input,
    /// 1
    Output,
    /// 2
    Error,
}

/// The kind of a redirection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// `<`
    Read,
    /// `>`
    Truncate,
    /// `>>`
    Append,
    /// `>&`
    Duplicate,
}

/// A token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// A word.
    Word(Word),
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `&`
    Background,
    /// `;`
    Semicolon,
    /// The end of a line.
    Newline,
    /// A redirection; its target is the next word.
    Redirect(Descriptor, Direction),
}

impl Token {
    /// Returns the token's text, for errors.
    #[must_use]
    pub fn text(&self) -> &'static str {
        match self {
            Self::Word(_) => "word",
            Self::And => "&&",
            Self::Or => "||",
            Self::Pipe => "|",
            Self::Background => "&",
            Self::Semicolon => ";",
            Self::Newline => "end of line",
            Self::Redirect(_, Direction::Read) => "<",
            Self::Redirect(_, Direction::Truncate) => ">",
            Self::Redirect(_, Direction::Append) => ">>",
            Self::Redirect(_, Direction::Duplicate) => ">&",
        }
    }
}

/// Splits `text` into tokens.
///
/// # Errors
/// An unterminated quote or escape, a NUL, or unsupported syntax.
pub fn tokenize(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer {
        rest: text.chars().peekable(),
        word: Word::default(),
        in_word: false,
        tokens: Vec::new(),
    };
    while let Some(character) = lexer.rest.next() {
        lexer.take(character)?;
    }
    lexer.end_word();
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    word: Word,
    in_word: bool,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn take(&mut self, character: char) -> Result<(), SyntaxError> {
        match character {
            ' ' | '\t' | '\r' => self.end_word(),
            '\n' => self.operator(Token::Newline),
            ';' => self.operator(Token::Semicolon),
            '&' if self.follows('&') => self.operator(Token::And),
            '&' => self.operator(Token::Background),
            '|' if self.follows('|') => self.operator(Token::Or),
            '|' => self.operator(Token::Pipe),
            '<' | '>' => self.redirection(character)?,
            '#' if !self.in_word => self.comment(),
            '\'' => self.single_quotes()?,
            '"' => self.double_quotes()?,
            '\\' => self.escape()?,
            '$' => self.variable(false)?,
            '`' | '(' | ')' => return Err(SyntaxError::unexpected(&character.to_string())),
            '\0' => return Err(SyntaxError::new("a NUL character")),
            other => self.literal(other),
        }
        Ok(())
    }

    /// Consumes the next character if it is `wanted`.
    fn follows(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn operator(&mut self, token: Token) {
        self.end_word();
        self.tokens.push(token);
    }

    fn end_word(&mut self) {
        if mem::take(&mut self.in_word) {
            self.tokens.push(Token::Word(mem::take(&mut self.word)));
        }
    }

    fn comment(&mut self) {
        while self.rest.next_if(|&character| character != '\n').is_some() {}
    }

    fn literal(&mut self, character: char) {
        self.in_word = true;
        match self.word.pieces.last_mut() {
            Some(Piece::Literal(text)) => text.push(character),
            _ => self.word.pieces.push(Piece::Literal(character.to_string())),
        }
    }

    /// Marks the word as quoted; a quoted empty string must leave a piece behind.
    fn quote(&mut self) {
        self.in_word = true;
        self.word.quoted = true;
        if self.word.pieces.is_empty() {
            self.word.pieces.push(Piece::Literal(String::new()));
        }
    }

    fn single_quotes(&mut self) -> Result<(), SyntaxError> {
        self.quote();
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(()),
                Some('\0') => return Err(SyntaxError::new("a NUL character")),
                Some(character) => self.literal(character),
                None => return Err(SyntaxError::incomplete("unterminated '")),
            }
        }
    }

    fn double_quotes(&mut self) -> Result<(), SyntaxError> {
        self.quote();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(()),
                Some('$') => self.variable(true)?,
                Some('\\') => match self.rest.next() {
                    Some('\n') => {}
                    Some(character @ ('"' | '\\' | '$' | '`')) => self.literal(character),
                    Some(character) => {
                        self.literal('\\');
                        self.literal(character);
                    }
                    None => return Err(SyntaxError::incomplete("unterminated \"")),
                },
                Some('`') => return Err(SyntaxError::unexpected("`")),
                Some('\0') => return Err(SyntaxError::new("a NUL character")),
                Some(character) => self.literal(character),
                None => return Err(SyntaxError::incomplete("unterminated \"")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        match self.rest.next() {
            Some('\n') => Ok(()),
            Some('\0') => Err(SyntaxError::new("a NUL character")),
            Some(character) => {
                self.quote();
                self.literal(character);
                Ok(())
            }
            None => Err(SyntaxError::incomplete("nothing after \\")),
        }
    }

    fn variable(&mut self, quoted: bool) -> Result<(), SyntaxError> {
        let mut name = String::new();
        match self.rest.peek().copied() {
            Some('{') => {
                self.rest.next();
                while let Some(character) =
                    self.rest.next_if(|&character| is_special(character) || is_name(character))
                {
                    name.push(character);
                }
                if !self.follows('}') || name.is_empty() {
                    return Err(SyntaxError::new("bad substitution ${"));
                }
            }
            Some('(') => return Err(SyntaxError::new("there is no command substitution $(")),
            Some(character) if is_special(character) || character.is_ascii_digit() => {
                self.rest.next();
                name.push(character);
            }
            _ => {
                while let Some(character) = self.rest.next_if(|&character| is_name(character)) {
                    name.push(character);
                }
            }
        }
        if name.is_empty() {
            self.literal('$');
        } else {
            self.in_word = true;
            self.word.pieces.push(Piece::Variable { name, quoted });
        }
        Ok(())
    }

    fn redirection(&mut self, character: char) -> Result<(), SyntaxError> {
        let number = self.descriptor_number();
        if number.is_none() {
            self.end_word();
        }
        let direction = match character {
            '<' if self.follows('<') => return Err(SyntaxError::unexpected("<<")),
            '<' => Direction::Read,
            _ if self.follows('>') => Direction::Append,
            _ if self.follows('&') => Direction::Duplicate,
            _ => Direction::Truncate,
        };
        let descriptor = match (number, direction) {
            (None, Direction::Read) | (Some('0'), Direction::Read) => Descriptor::Input,
            (None | Some('1'), _) if direction != Direction::Read => Descriptor::Output,
            (Some('2'), _) if direction != Direction::Read => Descriptor::Error,
            (number, _) => {
                let number = number.map(String::from).unwrap_or_default();
                return Err(SyntaxError::unexpected(&format!("{number}{character}")));
            }
        };
        self.tokens.push(Token::Redirect(descriptor, direction));
        Ok(())
    }

    /// The digit in `2>`: a word of one digit that the operator follows directly.
    fn descriptor_number(&mut self) -> Option<char> {
        let [Piece::Literal(text)] = self.word.pieces.as_slice() else { return None };
        let digit = text
            .chars()
            .next()
            .filter(|digit| text.len() == 1 && digit.is_ascii_digit() && !self.word.quoted)?;
        self.in_word = false;
        self.word = Word::default();
        Some(digit)
    }
}

const fn is_special(character: char) -> bool {
    matches!(character, '?' | '#' | '@' | '*')
}

/// True for the characters of a name; a digit is none of its first.
pub(super) const fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
