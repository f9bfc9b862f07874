//! The scripts of `sed`: text → commands.

use super::super::expression::{Dialect, Expression, translate};
use crate::limits;

/// Where a command applies.
pub(super) enum Address {
    Line(u64),
    Last,
    Match(Expression),
    /// `ADDRESS,+N`
    More(u64),
}

/// What a command does.
pub(super) enum Action {
    Substitute {
        expression: Expression,
        replacement: Vec<Piece>,
        all: bool,
        number: usize,
        prints: bool,
    },
    Translate(Vec<(char, char)>),
    /// `a`, `i` and `c`
    Text(char, String),
    /// `b`, `t` and `T`, to a command or to the end.
    Branch(char, String),
    Label(String),
    Quit(char, u8),
    /// Where the matching `}` is.
    Block(usize),
    End,
    /// `= d D g G h H l n N p P x`
    Plain(char),
}

/// A piece of a replacement.
pub(super) enum Piece {
    Text(Vec<u8>),
    /// A group, and 0 for the whole match.
    Group(usize),
}

/// A command with its addresses.
pub(super) struct Command {
    pub(super) addresses: Vec<Address>,
    pub(super) negated: bool,
    pub(super) action: Action,
    /// The line in which its range ends, while it is in one; 0 for one that a match ends.
    pub(super) active: Option<u64>,
}

/// Parses a script.
pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Vec<Command>, String> {
    let mut parser = Parser { rest: text, dialect, last: None };
    let (mut commands, mut open) = (Vec::<Command>::new(), Vec::new());
    loop {
        parser.rest = parser.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        if parser.rest.starts_with('#') {
            parser.rest = parser.rest.split_once('\n').map_or("", |(_, rest)| rest);
            continue;
        }
        if parser.rest.is_empty() {
            break;
        }
        if commands.len() >= limits::ARGUMENTS {
            return Err(String::from("too many commands"));
        }
        let command = parser.command()?;
        match command.action {
            Action::Block(_) => open.push(commands.len()),
            Action::End => {
                let start: usize = open.pop().ok_or("unexpected }")?;
                let end = commands.len();
                if let Some(block) = commands.get_mut(start) {
                    block.action = Action::Block(end);
                }
            }
            _ => {}
        }
        commands.push(command);
    }
    if !open.is_empty() {
        return Err(String::from("unmatched {"));
    }
    for command in &commands {
        if let Action::Branch(_, name) = &command.action
            && !name.is_empty()
            && !commands
                .iter()
                .any(|other| matches!(&other.action, Action::Label(label) if label == name))
        {
            return Err(format!("no label {name}"));
        }
    }
    Ok(commands)
}

struct Parser<'t> {
    rest: &'t str,
    dialect: Dialect,
    /// The last expression, which an empty one means.
    last: Option<(String, bool)>,
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = self.rest.get(character.len_utf8()..)?;
        Some(character)
    }

    fn eat(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn number(&mut self) -> Option<u64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        let number = digits.parse().ok()?;
        self.rest = rest;
        Some(number)
    }

    /// Up to an end of command.
    fn word(&mut self) -> &'t str {
        self.blanks();
        let end = self.rest.find([';', '\n', '}']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word.trim_end()
    }

    fn expression(&mut self, text: String, ignores_case: bool) -> Result<Expression, String> {
        if !text.is_empty() {
            self.last = Some((translate(&text, self.dialect)?, ignores_case));
        }
        let (text, ignores_case) = self.last.clone().ok_or("no expression before")?;
        Expression::new(&text, ignores_case)
    }

    /// Text up to `end`; an escaped `end` is that character.
    fn until(&mut self, end: char, is_expression: bool) -> Result<String, String> {
        let mut text = String::new();
        let mut in_bracket = false;
        loop {
            let character = self.next().ok_or_else(|| format!("{end} is missing"))?;
            match character {
                '\\' if !in_bracket => match self.next().ok_or("trailing backslash")? {
                    found if found == end => text.push(end),
                    found => text.extend(['\\', found]),
                },
                '[' if is_expression && !in_bracket => {
                    in_bracket = true;
                    text.push('[');
                    for first in ['^', ']'] {
                        if self.eat(first) {
                            text.push(first);
                        }
                    }
                }
                ']' if in_bracket => {
                    in_bracket = false;
                    text.push(']');
                }
                found if found == end && !in_bracket => return Ok(text),
                found => text.push(found),
            }
        }
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        if let Some(number) = self.number() {
            return Ok(Some(Address::Line(number)));
        }
        if self.eat('$') {
            return Ok(Some(Address::Last));
        }
        let end = if self.eat('/') {
            '/'
        } else if self.eat('\\') {
            self.next().ok_or("a delimiter is missing")?
        } else {
            return Ok(None);
        };
        let text = self.until(end, true)?;
        let ignores_case = self.eat('I');
        self.expression(text, ignores_case).map(|found| Some(Address::Match(found)))
    }

    fn command(&mut self) -> Result<Command, String> {
        let mut addresses = Vec::new();
        if let Some(first) = self.address()? {
            addresses.push(first);
            self.blanks();
            if self.eat(',') {
                self.blanks();
                let second =
                    if self.eat('+') { self.number().map(Address::More) } else { self.address()? };
                addresses.push(second.ok_or("an address is missing behind ,")?);
            }
        }
        self.blanks();
        let negated = self.eat('!');
        self.blanks();
        let name = self.next().ok_or("a command is missing")?;
        let action = self.action(name)?;
        if matches!(action, Action::Label(_) | Action::End) && !addresses.is_empty() {
            return Err(format!("{name} takes no address"));
        }
        Ok(Command { addresses, negated, action, active: None })
    }

    fn action(&mut self, name: char) -> Result<Action, String> {
        let action = match name {
            '{' => return Ok(Action::Block(0)),
            '}' => Action::End,
            's' => self.substitute()?,
            'y' => self.translation()?,
            'a' | 'i' | 'c' => return Ok(Action::Text(name, self.text())),
            ':' => return Ok(Action::Label(self.word().to_owned())),
            'b' | 't' | 'T' => Action::Branch(name, self.word().to_owned()),
            'q' | 'Q' => {
                self.blanks();
                let status = self.number().unwrap_or(0);
                Action::Quit(name, u8::try_from(status).map_err(|_| "bad status")?)
            }
            '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'l' | 'n' | 'N' | 'p' | 'P' | 'x' => {
                Action::Plain(name)
            }
            'r' | 'w' | 'e' => return Err(format!("{name}: files are not supported in scripts")),
            name => return Err(format!("unknown command {name}")),
        };
        self.blanks();
        match self.rest.chars().next() {
            None | Some(';' | '\n' | '}' | '#') => Ok(action),
            Some(found) => Err(format!("unexpected {found} behind {name}")),
        }
    }

    /// The text of `a`, `i` and `c`: on the same line, or on the lines behind a `\`.
    fn text(&mut self) -> String {
        self.blanks();
        if self.eat('\\') {
            self.blanks();
            self.eat('\n');
        }
        let mut text = String::new();
        while let Some(character) = self.next() {
            match character {
                '\n' => break,
                '\\' => text.extend(self.next()),
                character => text.push(character),
            }
        }
        text.push('\n');
        text
    }

    fn substitute(&mut self) -> Result<Action, String> {
        let end = self.next().filter(|end| !matches!(end, '\n' | '\\')).ok_or("bad delimiter")?;
        let pattern = self.until(end, true)?;
        let replacement = pieces(&self.until(end, false)?);
        let (mut all, mut number, mut prints, mut ignores_case) = (false, 1, false, false);
        loop {
            if let Some(found) = self.number() {
                number = usize::try_from(found).unwrap_or(usize::MAX);
                if number == 0 {
                    return Err(String::from("0: not a number of a match"));
                }
            } else if self.eat('g') {
                all = true;
            } else if self.eat('p') {
                prints = true;
            } else if self.eat('i') || self.eat('I') {
                ignores_case = true;
            } else {
                break;
            }
        }
        let expression = self.expression(pattern, ignores_case)?;
        Ok(Action::Substitute { expression, replacement, all, number, prints })
    }

    fn translation(&mut self) -> Result<Action, String> {
        let end = self.next().ok_or("bad delimiter")?;
        let from = unescape(&self.until(end, false)?);
        let to = unescape(&self.until(end, false)?);
        if from.len() != to.len() {
            return Err(String::from("y: the texts have different lengths"));
        }
        Ok(Action::Translate(from.into_iter().zip(to).collect()))
    }
}

fn unescape(text: &str) -> Vec<char> {
    let mut characters = text.chars();
    let mut result = Vec::new();
    while let Some(character) = characters.next() {
        result.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                other => other.unwrap_or('\\'),
            },
            character => character,
        });
    }
    result
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let group = match character {
            '&' => Some(0),
            '\\' => match characters.next() {
                Some(digit @ '0'..='9') => digit.to_digit(10),
                Some('n') => {
                    open.push('\n');
                    None
                }
                Some('t') => {
                    open.push('\t');
                    None
                }
                other => {
                    open.push(other.unwrap_or('\\'));
                    None
                }
            },
            character => {
                open.push(character);
                None
            }
        };
        if let Some(group) = group {
            pieces.push(Piece::Text(std::mem::take(&mut open).into_bytes()));
            pieces.push(Piece::Group(usize::try_from(group).unwrap_or_default()));
        }
    }
    pieces.push(Piece::Text(open.into_bytes()));
    pieces
}
