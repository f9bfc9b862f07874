//! The syntax tree of a script, and the error of a text that is none.
//!
//! Plain data: the [`parser`](super::parser) makes it, [`execute`](super::execute) runs it. Its
//! depth is bounded by [`limits::NESTING`](crate::limits::NESTING), so that walking it and
//! dropping it cannot exhaust the stack.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// A text that is no script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    pub(super) message: String,
    pub(super) incomplete: bool,
    /// Where it is: the line and the column, from 1.
    pub(super) place: (usize, usize),
}

impl SyntaxError {
    /// The text is incomplete: an open quote, an `if` without `fi`, a line that ends in an
    /// operator.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        self.incomplete
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.place;
        write!(formatter, "line {line}, column {column}: syntax error: {}", self.message)
    }
}

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
    /// Run as a job: its text.
    pub background: Option<String>,
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

/// One command with its redirections, from left to right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// What runs.
    pub kind: Kind,
    /// Redirections, from left to right.
    pub redirections: Vec<Redirection>,
    /// The line of the text where it starts, from 1.
    pub line: usize,
}

/// The kinds of commands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A name with arguments, or assignments only.
    Simple {
        /// Assignments before the words.
        assignments: Vec<(String, Word)>,
        /// The name and its arguments.
        words: Vec<Word>,
    },
    /// `{ …; }`
    Group(Script),
    /// `( … )`
    Subshell(Script),
    /// `if`: conditions with what runs after them, and what runs after none.
    If(Vec<(Script, Script)>, Option<Script>),
    /// `while` and `until`.
    Loop {
        /// The loop ends when the condition has this success.
        until: bool,
        /// What decides.
        condition: Script,
        /// What is repeated.
        body: Script,
    },
    /// `for NAME in …`; without `in`, the arguments.
    For(String, Option<Vec<Word>>, Script),
    /// `case WORD in PATTERN|PATTERN) …;; esac`
    Case(Word, Vec<(Vec<Word>, Script)>),
    /// `NAME() COMMAND`
    Function(String, Arc<Command>),
}

/// One redirection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirection {
    /// The descriptor that changes.
    pub descriptor: u8,
    /// The new target.
    pub target: Target,
}

/// The target of a redirection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A file, with its open mode.
    File(Direction, Word),
    /// `>&N`, `<&N`, `>&-`: what another descriptor has.
    Duplicate(Word),
    /// A here-document; its lines come after the command's own line.
    Here(Arc<OnceLock<Word>>),
}

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// `<`
    Read,
    /// `>`, which `set -C` keeps from files that are there.
    Create,
    /// `>|`
    Truncate,
    /// `>>`
    Append,
    /// `<>`
    Both,
}

/// A word before expansion.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Word {
    /// Its pieces, in order. A quoted empty string is one empty literal.
    pub pieces: Vec<Piece>,
}

/// A piece of a word; what is not quoted undergoes field splitting and matches names of files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// It is quoted.
    pub quoted: bool,
    /// What stands there.
    pub part: Part,
}

/// What a piece of a word is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Literal characters.
    Literal(String),
    /// `$NAME` or `${NAME…}`: a name, a number, or one of `? # @ * ! $ -`.
    Parameter(String, Operation),
    /// `$( … )` or backticks.
    Command(Arc<Script>),
    /// `$(( … ))`
    Arithmetic(Word),
}

/// What `${NAME…}` does with the value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Nothing.
    Value,
    /// `${#NAME}`
    Length,
    /// `${NAME-WORD}` and its kin.
    Condition {
        /// `-`, `=`, `?` or `+`.
        operator: char,
        /// `:`: an empty value counts as none.
        colon: bool,
        /// What follows.
        word: Word,
    },
    /// `#`, `##`, `%` and `%%`.
    Remove {
        /// At the end, `%`.
        suffix: bool,
        /// As much as matches.
        longest: bool,
        /// What is removed.
        pattern: Word,
    },
}

impl Word {
    /// The text of a word of one literal without quotes: a reserved word, a name.
    #[must_use]
    pub fn bare(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece { quoted: false, part: Part::Literal(text) }] => Some(text),
            _ => None,
        }
    }
}

/// True for the characters of a name; a digit is none of its first.
pub(super) const fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// True for the name of a variable or of a function.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| is_name_character(first) && !first.is_ascii_digit())
        && text.chars().all(is_name_character)
}
