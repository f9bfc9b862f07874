//! The parser: tokens → syntax tree.
//!
//! Owns the grammar of POSIX (XCU 2.10):
//!
//! ```text
//! script   = { list [ ";" | "&" | newline ] }
//! list     = pipeline { ( "&&" | "||" ) pipeline }
//! pipeline = [ "!" ] command { "|" command }
//! command  = { NAME=word | redirection } { word | redirection }
//!          | ( group | subshell | if | while | until | for | case ) { redirection }
//!          | NAME "(" ")" command
//! ```
//!
//! It runs nothing: a script with a syntax error has no effect. [`execute`](super::execute) runs
//! the result.

mod compound;
pub mod lexer;
mod words;

use std::sync::Arc;

use self::lexer::{Lexer, Token};
use super::syntax::{
    Command, Connector, Direction, Kind, List, Part, Pipeline, Redirection, Script, SyntaxError,
    Target, Word, is_name,
};
use crate::limits;

/// Words that end a list where a command could begin.
pub(super) const CLOSERS: [&str; 8] = ["then", "do", "done", "elif", "else", "esac", "fi", "}"];

/// Parses the whole `text`.
///
/// # Errors
/// The first syntax error.
pub fn parse(text: &str) -> Result<Script, SyntaxError> {
    parse_nested(text, 0, 1)
}

/// Parses the whole `text`, which stands `depth` levels deep and starts in `line`.
pub(super) fn parse_nested(text: &str, depth: usize, line: usize) -> Result<Script, SyntaxError> {
    let lexer = Lexer::new(text, 0, depth, (0, line));
    if text.len() > limits::SCRIPT_BYTES {
        return Err(lexer.error_at(0, "the script is too long"));
    }
    let mut parser = Parser::new(lexer)?;
    let script = parser.script()?;
    if parser.token == Token::End { Ok(script) } else { Err(parser.unexpected()) }
}

/// Parses from `at` up to the `)` of a `$(`; returns the place behind that.
pub(super) fn parse_inside(
    text: &str,
    at: usize,
    depth: usize,
    counted: (usize, usize),
) -> Result<(Script, usize), SyntaxError> {
    let mut lexer = Lexer::new(text, at, depth, counted);
    lexer.deeper()?;
    let mut parser = Parser::new(lexer)?;
    let script = parser.script()?;
    match parser.token {
        Token::Operator(")") => Ok((script, parser.lexer.at())),
        Token::End => Err(parser.lexer.incomplete(at.saturating_sub(2), "unterminated $(")),
        _ => Err(parser.unexpected()),
    }
}

pub(super) struct Parser<'t> {
    lexer: Lexer<'t>,
    pub(super) token: Token,
    /// Where the token starts, and where the one before it ended.
    pub(super) start: usize,
    before: usize,
}

impl<'t> Parser<'t> {
    fn new(lexer: Lexer<'t>) -> Result<Self, SyntaxError> {
        let at = lexer.at();
        let mut parser = Self { lexer, token: Token::Newline, start: at, before: at };
        parser.advance()?;
        Ok(parser)
    }

    pub(super) fn advance(&mut self) -> Result<Token, SyntaxError> {
        self.before = self.lexer.at();
        self.lexer.skip_blanks();
        self.start = self.lexer.at();
        let next = self.lexer.token()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    /// The token is not what may stand here; at the end of the text something is missing.
    pub(super) fn unexpected(&self) -> SyntaxError {
        match self.token {
            Token::End => self.lexer.incomplete(self.start, "unexpected end of text"),
            _ => self.lexer.error_at(self.start, format!("unexpected {}", self.token.text())),
        }
    }

    pub(super) fn takes(&mut self, operator: &str) -> Result<bool, SyntaxError> {
        let found = matches!(self.token, Token::Operator(text) if text == operator);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn newlines(&mut self) -> Result<(), SyntaxError> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    pub(super) fn reserved(&self) -> Option<&str> {
        match &self.token {
            Token::Word(word) => word.bare(),
            _ => None,
        }
    }

    pub(super) fn takes_reserved(&mut self, text: &str) -> Result<bool, SyntaxError> {
        let found = self.reserved() == Some(text);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// The reserved word that must stand here.
    pub(super) fn expect(&mut self, text: &str) -> Result<(), SyntaxError> {
        if self.takes_reserved(text)? {
            return Ok(());
        }
        match self.token {
            Token::End => Err(self.lexer.incomplete(self.start, format!("{text} is missing"))),
            _ => {
                let message = format!("unexpected {}, not {text}", self.token.text());
                Err(self.lexer.error_at(self.start, message))
            }
        }
    }

    /// Lists up to what cannot begin one.
    pub(super) fn script(&mut self) -> Result<Script, SyntaxError> {
        let mut script = Script::default();
        loop {
            self.newlines()?;
            let ends = match &self.token {
                Token::End | Token::Operator(")" | ";;") => true,
                Token::Word(word) => word.bare().is_some_and(|word| CLOSERS.contains(&word)),
                _ => false,
            };
            if ends {
                return Ok(script);
            }
            script.lists.push(self.list()?);
        }
    }

    /// The lists between reserved words; there must be one.
    pub(super) fn body(&mut self) -> Result<Script, SyntaxError> {
        let script = self.script()?;
        if script.lists.is_empty() { Err(self.unexpected()) } else { Ok(script) }
    }

    fn list(&mut self) -> Result<List, SyntaxError> {
        let start = self.start;
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let connector = match self.token {
                Token::Operator("&&") => Connector::And,
                Token::Operator("||") => Connector::Or,
                _ => break,
            };
            self.advance()?;
            self.newlines()?;
            rest.push((connector, self.pipeline()?));
        }
        let end = self.before;
        let mut background = None;
        if self.takes("&")? {
            background = Some(self.lexer.slice(start, end).trim().replace('\n', " "));
        } else if !self.takes(";")? {
            match &self.token {
                Token::Newline | Token::End | Token::Operator(")" | ";;") => {}
                // Directly behind a compound command.
                Token::Word(word) if word.bare().is_some_and(|word| CLOSERS.contains(&word)) => {}
                _ => return Err(self.unexpected()),
            }
        }
        Ok(List { first, rest, background })
    }

    fn pipeline(&mut self) -> Result<Pipeline, SyntaxError> {
        let mut negated = false;
        while self.takes_reserved("!")? {
            negated = !negated;
        }
        let mut commands = vec![self.command()?];
        while self.takes("|")? {
            self.newlines()?;
            if commands.len() >= limits::STAGES {
                return Err(self.lexer.error_at(self.start, "too many commands in a pipeline"));
            }
            commands.push(self.command()?);
        }
        Ok(Pipeline { negated, commands })
    }

    fn command(&mut self) -> Result<Command, SyntaxError> {
        self.lexer.deeper()?;
        let line = self.lexer.line(self.start);
        let compound = self.compound()?;
        let command = match compound {
            Some(kind) => {
                let mut redirections = Vec::new();
                while let Some(redirection) = self.redirection()? {
                    redirections.push(redirection);
                }
                Command { kind, redirections, line }
            }
            None => self.simple(line)?,
        };
        self.lexer.shallower();
        Ok(command)
    }

    pub(super) fn word(&mut self) -> Result<Word, SyntaxError> {
        match self.token {
            Token::Word(_) => match self.advance()? {
                Token::Word(word) => Ok(word),
                _ => Err(self.unexpected()),
            },
            _ => Err(self.unexpected()),
        }
    }

    fn simple(&mut self, line: usize) -> Result<Command, SyntaxError> {
        let (mut assignments, mut words, mut redirections) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            if let Some(redirection) = self.redirection()? {
                redirections.push(redirection);
            } else if let Token::Word(_) = self.token {
                let word = self.word()?;
                match words.is_empty().then(|| assignment(&word)).flatten() {
                    Some(assignment) => assignments.push(assignment),
                    None => words.push(word),
                }
            } else if matches!(self.token, Token::Operator("(")) {
                let name = match words.as_slice() {
                    [word] if assignments.is_empty() && redirections.is_empty() => word.bare(),
                    _ => None,
                };
                let Some(name) = name.filter(|name| is_name(name)).map(ToOwned::to_owned) else {
                    return Err(self.unexpected());
                };
                return self.function(name, line);
            } else {
                break;
            }
        }
        if assignments.is_empty() && words.is_empty() && redirections.is_empty() {
            return Err(self.unexpected());
        }
        Ok(Command { kind: Kind::Simple { assignments, words }, redirections, line })
    }

    fn function(&mut self, name: String, line: usize) -> Result<Command, SyntaxError> {
        self.advance()?;
        if !self.takes(")")? {
            return Err(self.unexpected());
        }
        self.newlines()?;
        let start = self.start;
        let body = self.command()?;
        if matches!(body.kind, Kind::Simple { .. } | Kind::Function(..)) {
            return Err(self.lexer.error_at(start, "a function needs { after ()"));
        }
        Ok(Command { kind: Kind::Function(name, Arc::new(body)), redirections: Vec::new(), line })
    }

    fn redirection(&mut self) -> Result<Option<Redirection>, SyntaxError> {
        let Token::Redirect(number, operator) = self.token else { return Ok(None) };
        self.advance()?;
        let Token::Word(word) = &self.token else { return Err(self.unexpected()) };
        // The lines of a here-document come after the next end of line, which the token behind the
        // word may be: it must be expected before that is read.
        let here = operator.starts_with("<<");
        let body = here.then(|| self.lexer.expect_here(word, operator == "<<-"));
        let word = self.word()?;
        let target = match operator {
            "<" => Target::File(Direction::Read, word),
            "<>" => Target::File(Direction::Both, word),
            ">>" => Target::File(Direction::Append, word),
            ">" => Target::File(Direction::Create, word),
            "<&" | ">&" => Target::Duplicate(word),
            _ => match body {
                Some(body) => Target::Here(body),
                None => Target::File(Direction::Truncate, word),
            },
        };
        let standard = u8::from(operator.starts_with('>'));
        Ok(Some(Redirection { descriptor: number.unwrap_or(standard), target }))
    }
}

/// Splits `NAME=value`, if the word is an assignment.
pub(super) fn assignment(word: &Word) -> Option<(String, Word)> {
    let (first, rest) = word.pieces.split_first()?;
    let Part::Literal(text) = &first.part else { return None };
    let (name, value) = text.split_once('=').filter(|_| !first.quoted)?;
    if !is_name(name) {
        return None;
    }
    let mut first = first.clone();
    first.part = Part::Literal(value.to_owned());
    let mut pieces = if value.is_empty() { Vec::new() } else { vec![first] };
    pieces.extend_from_slice(rest);
    Some((name.to_owned(), Word { pieces }))
}

#[cfg(test)]
pub(super) mod tests;
