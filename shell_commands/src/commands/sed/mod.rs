//! `sed`: edits lines by a script.

mod replace;
mod script;

use lexopt::prelude::*;

use self::replace::replace;
use self::script::{Action, Address, Command};
use super::cat::inputs;
use super::expression::Dialect;
use super::lines::{Line, Lines, Output};
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;
use devnet_virtual_file_system::OpenFlags;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut quiet, mut in_place, mut dialect) = (false, false, Dialect::Basic);
    let (mut texts, mut words) = (Vec::<String>::new(), Vec::new());
    let mut parser = context.options();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('n') => quiet = true,
            Short('E' | 'r') => dialect = Dialect::Extended,
            Short('i') => in_place = true,
            Short('s') => {}
            Short('e') => texts.push(parser.value()?.string()?),
            Short('f') => {
                let path = parser.value()?.string()?;
                let lines = super::lines::all(context, &[path], b'\n').await?;
                texts.push(String::from_utf8_lossy(&lines.join(&b'\n')).into_owned());
            }
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if texts.is_empty() {
        if words.is_empty() {
            return Err(Failure::usage("a script is missing"));
        }
        texts.push(words.remove(0));
    }
    let script = texts.join("\n");
    let parse = || script::parse(&script, dialect).map_err(Failure::new);
    if !in_place {
        let inputs: Vec<_> = inputs(context, &words).collect();
        return Editor::new(context, parse()?, quiet).run(inputs).await;
    }
    for path in &words {
        parse()?;
        edit(context, path, parse()?, quiet).await?;
    }
    Ok(Status::SUCCESS)
}

/// `-i`: writes a new file, which then takes the name of the old one.
async fn edit(
    context: &Context,
    path: &str,
    commands: Vec<Command>,
    quiet: bool,
) -> Result<(), Failure> {
    let named = |why| Failure::of(path, why);
    let old = context.files.open(path, OpenFlags::READ).map_err(named)?;
    let beside = format!("{path}.sed-new");
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let new = context.files.open(&beside, flags).map_err(|why| Failure::of(&beside, why))?;
    let mut inside = context.clone();
    inside.streams.output = Stream::new(new, &beside);
    let done = Editor::new(&inside, commands, quiet).run(vec![Ok(Stream::new(old, path))]).await;
    match done {
        Ok(_) => context.files.rename(&beside, path).map_err(named),
        Err(why) => {
            let _ = context.files.remove(&beside);
            Err(why)
        }
    }
}

/// What follows a command.
enum Next {
    Command(usize),
    /// The line is done; printed, unless the command says otherwise.
    Line {
        prints: bool,
    },
    /// Start again with what is left of the pattern space.
    Again,
    Quit(u8, bool),
}

struct Editor<'a> {
    commands: Vec<Command>,
    quiet: bool,
    output: Output<'a>,
    inputs: std::collections::VecDeque<Result<Stream, Failure>>,
    lines: Option<Lines>,
    /// The line after the current one: `$` must know.
    ahead: Option<Line>,
    context: &'a Context,
    pattern: Vec<u8>,
    hold: Vec<u8>,
    has_end: bool,
    number: u64,
    substituted: bool,
    /// What `a` adds behind the line.
    appended: Vec<u8>,
    status: Status,
}

impl<'a> Editor<'a> {
    fn new(context: &'a Context, commands: Vec<Command>, quiet: bool) -> Self {
        Self {
            commands,
            quiet,
            output: Output::new(context),
            inputs: Default::default(),
            lines: None,
            ahead: None,
            context,
            pattern: Vec::new(),
            hold: Vec::new(),
            has_end: true,
            number: 0,
            substituted: false,
            appended: Vec::new(),
            status: Status::SUCCESS,
        }
    }

    /// Reads the line after the next.
    async fn read(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            if let Some(lines) = &mut self.lines {
                if let Some(line) = lines.next(&mut self.output).await? {
                    return Ok(Some(line));
                }
                self.lines = None;
            }
            match self.inputs.pop_front() {
                None => return Ok(None),
                Some(Ok(stream)) => self.lines = Some(Lines::new(stream, b'\n')),
                Some(Err(why)) => {
                    self.context.complain(&why.message).await;
                    self.status = Status::USAGE;
                }
            }
        }
    }

    async fn run(mut self, inputs: Vec<Result<Stream, Failure>>) -> Outcome {
        self.inputs = inputs.into();
        self.ahead = self.read().await?;
        let mut keeps = false;
        loop {
            if !keeps && !self.advance(false).await? {
                break;
            }
            keeps = false;
            self.substituted = false;
            match self.cycle().await? {
                Next::Quit(status, prints) => {
                    self.end_line(prints).await?;
                    self.output.flush().await?;
                    return Ok(Status(status));
                }
                Next::Again => {
                    self.end_line(false).await?;
                    keeps = true;
                }
                Next::Line { prints } => self.end_line(prints).await?,
                Next::Command(_) => self.end_line(true).await?,
            }
        }
        self.output.flush().await?;
        Ok(self.status)
    }

    /// Takes the next line, behind the pattern space or instead of it.
    async fn advance(&mut self, joins: bool) -> Result<bool, Failure> {
        let Some(line) = self.ahead.take() else { return Ok(false) };
        self.ahead = self.read().await?;
        if joins {
            self.pattern.push(b'\n');
            self.pattern.extend_from_slice(&line.bytes);
            self.bounded()?;
        } else {
            self.pattern = line.bytes;
        }
        self.has_end = line.has_end;
        self.number += 1;
        Ok(true)
    }

    fn bounded(&self) -> Result<(), Failure> {
        match self.pattern.len().max(self.hold.len()) > limits::TEXT_BYTES {
            true => Err(Failure::new("the text is too long to be held in memory")),
            false => Ok(()),
        }
    }

    async fn print(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.output.write(text).await?;
        // The last line of a file without its end gets none.
        if self.has_end || self.ahead.is_some() { self.output.write(b"\n").await } else { Ok(()) }
    }

    async fn end_line(&mut self, prints: bool) -> Result<(), Failure> {
        if prints && !self.quiet {
            let text = std::mem::take(&mut self.pattern);
            self.print(&text).await?;
            self.pattern = text;
        }
        let appended = std::mem::take(&mut self.appended);
        self.output.write(&appended).await
    }

    async fn cycle(&mut self) -> Result<Next, Failure> {
        let (mut at, mut steps) = (0, 0_usize);
        while at < self.commands.len() {
            steps += 1;
            if steps.is_multiple_of(1024) {
                futures_lite::future::yield_now().await;
            }
            let applies = self.applies(at);
            match self.step(at, applies).await? {
                Next::Command(next) => at = next,
                other => return Ok(other),
            }
        }
        Ok(Next::Line { prints: true })
    }

    fn applies(&mut self, at: usize) -> bool {
        let (number, is_last) = (self.number, self.ahead.is_none());
        let pattern = &self.pattern;
        let Some(command) = self.commands.get_mut(at) else { return false };
        let holds = |address: &Address| match address {
            Address::Line(line) => *line == number,
            Address::Last => is_last,
            Address::Match(expression) => expression.is_match(pattern),
            Address::More(_) => false,
        };
        let inside = match (command.addresses.as_slice(), command.active) {
            ([], _) => true,
            ([only], _) => holds(only),
            ([_, second, ..], Some(end)) => {
                let ends = if end > 0 { number >= end } else { holds(second) };
                if ends {
                    command.active = None;
                }
                // A line before the current one ended the range where it began.
                end == 0 || number <= end
            }
            ([first, second, ..], None) => {
                let starts = holds(first) || matches!(first, Address::Line(0));
                if starts {
                    command.active = match second {
                        Address::Line(end) => (*end > number).then_some(*end),
                        Address::More(count) => (*count > 0).then_some(number + count),
                        Address::Last => (!is_last).then_some(0),
                        Address::Match(_) => Some(0),
                    };
                }
                starts
            }
        };
        inside != command.negated
    }

    async fn step(&mut self, at: usize, applies: bool) -> Result<Next, Failure> {
        let next = Next::Command(at + 1);
        let is_last = self.ahead.is_none();
        let commands = std::mem::take(&mut self.commands);
        let Some(command) = commands.get(at) else { return Ok(next) };
        let done = match &command.action {
            Action::Block(end) if !applies => Ok(Next::Command(end + 1)),
            Action::Block(_) | Action::End | Action::Label(_) => Ok(next),
            _ if !applies => Ok(next),
            Action::Substitute { expression, replacement, all, number, prints } => {
                let done = replace(&self.pattern, expression, replacement, *all, *number);
                match done {
                    Some(text) => {
                        self.pattern = text;
                        self.substituted = true;
                        self.bounded()?;
                        if *prints {
                            let text = self.pattern.clone();
                            self.print(&text).await?;
                        }
                        Ok(next)
                    }
                    None => Ok(next),
                }
            }
            Action::Translate(pairs) => {
                let text = String::from_utf8_lossy(&self.pattern);
                let swap = |found: char| {
                    pairs.iter().find(|(from, _)| *from == found).map_or(found, |(_, to)| *to)
                };
                self.pattern = text.chars().map(swap).collect::<String>().into_bytes();
                Ok(next)
            }
            Action::Text('a', text) => {
                self.appended.extend_from_slice(text.as_bytes());
                Ok(next)
            }
            Action::Text('i', text) => self.output.write(text.as_bytes()).await.map(|()| next),
            Action::Text(_, text) => {
                // Of a range, only the last line is replaced.
                if command.active.is_none() {
                    self.output.write(text.as_bytes()).await?;
                }
                Ok(Next::Line { prints: false })
            }
            Action::Branch(kind, label) => {
                let goes = match kind {
                    'b' => true,
                    't' => std::mem::take(&mut self.substituted),
                    _ => !std::mem::take(&mut self.substituted),
                };
                let is_label =
                    |other: &Command| matches!(&other.action, Action::Label(name) if name == label);
                let target = commands.iter().position(is_label).unwrap_or(commands.len());
                Ok(if goes { Next::Command(target) } else { next })
            }
            Action::Quit(name, status) => Ok(Next::Quit(*status, *name == 'q')),
            Action::Plain(name) => self.plain(*name, at, is_last).await,
        };
        self.commands = commands;
        done
    }

    async fn plain(&mut self, name: char, at: usize, is_last: bool) -> Result<Next, Failure> {
        let first = self.pattern.iter().position(|byte| *byte == b'\n');
        match name {
            '=' => self.output.line(self.number.to_string().as_bytes()).await?,
            'd' => return Ok(Next::Line { prints: false }),
            'D' => match first {
                None => return Ok(Next::Line { prints: false }),
                Some(end) => {
                    self.pattern.drain(..=end);
                    return Ok(Next::Again);
                }
            },
            'p' => {
                let text = self.pattern.clone();
                self.print(&text).await?;
            }
            'P' => {
                let text = self.pattern.get(..first.unwrap_or(self.pattern.len()));
                self.output.line(text.unwrap_or_default()).await?;
            }
            'l' => {
                let text = String::from_utf8_lossy(&self.pattern).escape_default().to_string();
                self.output.line(format!("{text}$").as_bytes()).await?;
            }
            'g' => self.pattern = self.hold.clone(),
            'h' => self.hold = self.pattern.clone(),
            'x' => std::mem::swap(&mut self.pattern, &mut self.hold),
            'G' => {
                self.pattern.push(b'\n');
                self.pattern.extend_from_slice(&self.hold);
            }
            'H' => {
                self.hold.push(b'\n');
                self.hold.extend_from_slice(&self.pattern);
            }
            // Without a next line the script ends; the line is printed.
            _ if is_last => return Ok(Next::Line { prints: true }),
            name => {
                if name == 'n' {
                    self.end_line(true).await?;
                }
                self.advance(name == 'N').await?;
            }
        }
        self.bounded()?;
        Ok(Next::Command(at + 1))
    }
}
