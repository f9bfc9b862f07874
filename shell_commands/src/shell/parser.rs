//! The parser: tokens → syntax tree.
//!
//! Owns the grammar:
//!
//! ```text
//! script   = { list [ ";" | "&" | newline ] }
//! list     = pipeline { ( "&&" | "||" ) pipeline }
//! pipeline = [ "!" ] command { "|" command }
//! command  = { NAME=word } { word | redirection }
//! ```
//!
//! Control flow, groups, subshells and functions are not part of it: a script that has them is
//! refused.
//!
//! It runs nothing: a script with a syntax error has no effect. [`execute`](super::execute) runs
//! the result. The grammar does not nest, so hostile input cannot exhaust the stack.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::lexer::{Descriptor, Direction, Piece, SyntaxError, Token, Word, is_name, tokenize};

/// Lists, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Script {
    /// The lists to run.
    pub lists: Vec<List>,
}

/// Pipelines connected by `&&` and `||`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List {
    /// The first pipeline, which always runs.
    pub first: Pipeline,
    /// The others, each with its condition on the status so far.
    pub rest: Vec<(Connector, Pipeline)>,
    /// Run as a job.
    pub background: bool,
}

/// The condition of the next pipeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Connector {
    /// After success, `&&`.
    And,
    /// After a failure, `||`.
    Or,
}

/// Commands that run concurrently, each reading the output of the previous one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pipeline {
    /// `!`: the status is negated.
    pub negated: bool,
    /// At least one.
    pub commands: Vec<Command>,
}

/// One command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Command {
    /// Assignments before the words.
    pub assignments: Vec<(String, Word)>,
    /// The name and its arguments.
    pub words: Vec<Word>,
    /// Redirections, from left to right.
    pub redirections: Vec<Redirection>,
}

impl Command {
    fn is_empty(&self) -> bool {
        self.assignments.is_empty() && self.words.is_empty() && self.redirections.is_empty()
    }
}

/// One redirection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirection {
    /// The stream that changes.
    pub descriptor: Descriptor,
    /// The new target.
    pub target: Target,
}

/// The target of a redirection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A file, with its open mode.
    File(Direction, Word),
    /// The current target of another stream.
    Stream(Descriptor),
}

/// The reserved words of POSIX (§2.4) besides `!`, and what bash adds. As the name of a command
/// each begins, parts or ends something that this grammar does not have. What stands between would
/// be run whatever the condition says, so a script with one of them is refused as a whole.
const RESERVED: [&str; 20] = [
    "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then",
    "until", "while", "[[", "]]", "function", "select", "coproc",
];

/// Parses the whole `text`.
///
/// # Errors
/// The first syntax error.
pub fn parse(text: &str) -> Result<Script, SyntaxError> {
    if text.len() > crate::limits::SCRIPT_BYTES {
        return Err(SyntaxError::new("the script is too long"));
    }
    let mut parser = Parser { tokens: tokenize(text)?.into_iter().peekable() };
    let mut script = Script::default();
    loop {
        while parser.take(&Token::Newline) {}
        if parser.tokens.peek().is_none() {
            return Ok(script);
        }
        script.lists.push(parser.list()?);
    }
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
}

impl Parser {
    fn take(&mut self, wanted: &Token) -> bool {
        self.tokens.next_if_eq(wanted).is_some()
    }

    fn list(&mut self) -> Result<List, SyntaxError> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let connector = match self.tokens.peek() {
                Some(Token::And) => Connector::And,
                Some(Token::Or) => Connector::Or,
                _ => break,
            };
            self.tokens.next();
            self.continue_line(connector.text())?;
            rest.push((connector, self.pipeline()?));
        }
        let background = self.take(&Token::Background);
        if !background {
            // Nothing else can be left: a pipeline consumes all words, and the loop above all
            // connectors.
            self.tokens.next_if(|token| matches!(token, Token::Semicolon | Token::Newline));
        }
        Ok(List { first, rest, background })
    }

    /// A newline may follow an operator, but the end of the text may not.
    fn continue_line(&mut self, operator: &str) -> Result<(), SyntaxError> {
        while self.take(&Token::Newline) {}
        if self.tokens.peek().is_none() {
            return Err(SyntaxError::incomplete(format!("nothing after {operator}")));
        }
        Ok(())
    }

    fn pipeline(&mut self) -> Result<Pipeline, SyntaxError> {
        let mut negated = false;
        while self
            .tokens
            .next_if(|token| matches!(token, Token::Word(word) if is_exclamation(word)))
            .is_some()
        {
            negated = !negated;
        }
        let mut commands = vec![self.command()?];
        while self.take(&Token::Pipe) {
            self.continue_line("|")?;
            commands.push(self.command()?);
            if commands.len() > crate::limits::STAGES {
                return Err(SyntaxError::new("too many commands in a pipeline"));
            }
        }
        Ok(Pipeline { negated, commands })
    }

    fn command(&mut self) -> Result<Command, SyntaxError> {
        let mut command = Command::default();
        loop {
            match self.tokens.next_if(|token| matches!(token, Token::Word(_) | Token::Redirect(..)))
            {
                Some(Token::Word(word)) => {
                    if command.is_empty() {
                        refuse_compound(&word)?;
                    }
                    match command.words.is_empty().then(|| assignment(&word)).flatten() {
                        Some(assignment) => command.assignments.push(assignment),
                        None => command.words.push(word),
                    }
                }
                Some(Token::Redirect(descriptor, direction)) => {
                    let target = self.target(direction)?;
                    command.redirections.push(Redirection { descriptor, target });
                }
                _ => break,
            }
        }
        if command.is_empty() {
            return Err(match self.tokens.peek() {
                Some(token) => SyntaxError::unexpected(token.text()),
                None => SyntaxError::incomplete("a command is missing"),
            });
        }
        Ok(command)
    }

    fn target(&mut self, direction: Direction) -> Result<Target, SyntaxError> {
        let operator = Token::Redirect(Descriptor::Output, direction);
        let word = match self.tokens.next() {
            Some(Token::Word(word)) => word,
            Some(token) => {
                return Err(SyntaxError::unexpected(&format!(
                    "{} after {}",
                    token.text(),
                    operator.text()
                )));
            }
            None => return Err(SyntaxError::new(format!("no file after {}", operator.text()))),
        };
        if direction != Direction::Duplicate {
            return Ok(Target::File(direction, word));
        }
        match word.pieces.as_slice() {
            [Piece::Literal(number)] if number == "1" => Ok(Target::Stream(Descriptor::Output)),
            [Piece::Literal(number)] if number == "2" => Ok(Target::Stream(Descriptor::Error)),
            _ => Err(SyntaxError::new("after >& only 1 or 2 can stand")),
        }
    }
}

impl Connector {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
        }
    }
}

/// Compound commands and function definitions are refused.
fn refuse_compound(word: &Word) -> Result<(), SyntaxError> {
    match word.pieces.as_slice() {
        [Piece::Literal(text)] if !word.quoted && RESERVED.contains(&text.as_str()) => {
            let why = "compound commands are not supported, nothing was run";
            Err(SyntaxError::new(format!("{text}: {why}")))
        }
        _ => Ok(()),
    }
}

fn is_exclamation(word: &Word) -> bool {
    !word.quoted && matches!(word.pieces.as_slice(), [Piece::Literal(text)] if text == "!")
}

/// Splits `NAME=value`, if the word is an assignment.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let (Piece::Literal(first), rest) = word.pieces.split_first()? else { return None };
    let (name, value) = first.split_once('=')?;
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if !name.chars().all(is_name) {
        return None;
    }
    let mut pieces = vec![Piece::Literal(value.to_owned())];
    pieces.extend_from_slice(rest);
    Some((name.to_owned(), Word { pieces, quoted: word.quoted }))
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
