//! Builtins about what a name means: `command`, `type`, `alias`, `unalias` and `hash`.
//!
//! An alias is a whole command, so it is replaced when the command runs, not when the script is
//! parsed: what stands after it in a script of one line knows it already. Called by
//! `builtins` and `execute`.

use super::declare::quoted;
use super::syntax::{Command, Kind, List, Script, Word};
use super::{Shell, command, parser, usage};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// Words with a meaning of their own where a command begins (POSIX 2.4).
const RESERVED: [&str; 16] = [
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then",
    "until", "while",
];

/// The special builtins of POSIX (2.14): functions do not replace them, assignments before them
/// stay.
pub(super) fn is_special(name: &str) -> bool {
    matches!(
        name,
        "." | ":"
            | "break"
            | "continue"
            | "eval"
            | "exec"
            | "exit"
            | "export"
            | "readonly"
            | "return"
            | "set"
            | "shift"
            | "trap"
            | "unset"
    )
}

/// What a name means.
enum Meaning {
    Reserved,
    Alias(String),
    Function,
    /// A special builtin of POSIX, or a builtin.
    Builtin(bool),
}

fn meaning(shell: &Shell, name: &str) -> Option<Meaning> {
    if RESERVED.contains(&name) {
        return Some(Meaning::Reserved);
    }
    if let Some(value) = shell.state.aliases.get(name) {
        return Some(Meaning::Alias(value.clone()));
    }
    let is_special = is_special(name);
    if shell.state.functions.contains_key(name) && !is_special {
        return Some(Meaning::Function);
    }
    command::find(shell.commands, name).map(|_| Meaning::Builtin(is_special))
}

/// A line of `type` and `command -V`.
fn description(name: &str, meaning: &Meaning) -> String {
    match meaning {
        Meaning::Reserved => format!("{name} is a shell keyword\n"),
        Meaning::Alias(value) => format!("{name} is an alias for {value}\n"),
        Meaning::Function => format!("{name} is a shell function\n"),
        Meaning::Builtin(true) => format!("{name} is a special shell builtin\n"),
        Meaning::Builtin(false) => format!("{name} is a shell builtin\n"),
    }
}

/// `type NAME…`
pub(super) async fn describe(shell: &Shell, context: &Context) -> Outcome {
    about(shell, context, &context.arguments, true).await
}

async fn about(shell: &Shell, context: &Context, names: &[String], verbose: bool) -> Outcome {
    let mut status = Status::SUCCESS;
    for name in names {
        let line = match meaning(shell, name) {
            Some(meaning) if verbose => description(name, &meaning),
            Some(Meaning::Alias(value)) => format!("alias {name}={}\n", quoted(&value)),
            Some(_) => format!("{name}\n"),
            None => {
                status = Status::NOT_FOUND;
                if verbose { format!("{name}: not found\n") } else { String::new() }
            }
        };
        context.print(&line).await?;
    }
    Ok(status)
}

/// `command`: what a name means, or a command without the functions of its name.
pub(super) async fn command(shell: &mut Shell, context: &Context) -> Outcome {
    let mut words = context.arguments.as_slice();
    let mut verbose = None;
    while let Some((word, rest)) = words.split_first() {
        match word.as_str() {
            "-v" => verbose = Some(false),
            "-V" => verbose = Some(true),
            // Every command is where the standard ones are.
            "-p" => {}
            "-pv" => verbose = Some(false),
            "-pV" => verbose = Some(true),
            "--" => {
                words = rest;
                break;
            }
            word if word.len() > 1 && word.starts_with('-') => {
                return Err(Failure::usage(format!("{word}: unknown option")));
            }
            _ => break,
        }
        words = rest;
    }
    if let Some(verbose) = verbose {
        return about(shell, context, words, verbose).await;
    }
    match words.split_first() {
        Some((name, arguments)) => Ok(shell.start(name, arguments).await),
        None => Ok(Status::SUCCESS),
    }
}

/// `alias`: shows aliases, or sets them.
pub(super) async fn alias(shell: &mut Shell, context: &Context) -> Outcome {
    let line = |(name, value): (&String, &String)| format!("{name}={}\n", quoted(value));
    if context.arguments.is_empty() {
        let lines: String = shell.state.aliases.iter().map(line).collect();
        return context.answer(&lines).await;
    }
    let mut status = Status::SUCCESS;
    for word in &context.arguments {
        if let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) {
            parser::parse(value).map_err(|why| {
                Failure::of(name, format!("an alias must be a whole command: {why}"))
            })?;
            if shell.state.aliases.len() >= limits::ALIASES {
                return Err(Failure::new("too many aliases"));
            }
            shell.state.aliases.insert(name.to_owned(), value.to_owned());
        } else if let Some(found) = shell.state.aliases.get_key_value(word) {
            context.print(&line(found)).await?;
        } else {
            context.complain(&format!("{word}: not found")).await;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

/// `unalias NAME…` or `unalias -a`
pub(super) async fn unalias(shell: &mut Shell, context: &Context) -> Outcome {
    let mut status = Status::SUCCESS;
    for word in &context.arguments {
        if word == "-a" {
            shell.state.aliases.clear();
        } else if shell.state.aliases.remove(word).is_none() {
            context.complain(&format!("{word}: not found")).await;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

/// `hash`: nothing is remembered, because nothing is searched; but a name must be there.
pub(super) async fn hash(shell: &Shell, context: &Context) -> Outcome {
    let mut status = Status::SUCCESS;
    for name in context.arguments.iter().filter(|word| *word != "-r") {
        if meaning(shell, name).is_none() {
            context.complain(&format!("{name}: not found")).await;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

impl Shell {
    /// A path is of a file, which is no command here: 126 if it is there, 127 if not.
    pub(super) async fn without_command(&self, name: &str) -> Status {
        let is_there = name.contains('/') && self.files.stat(name).is_ok();
        let (why, status) = match is_there {
            true => ("not executable; `. FILE` runs a script", Status::NOT_EXECUTABLE),
            false => ("command not found", Status::NOT_FOUND),
        };
        // A script that asks whether there is a command reads what it always read.
        let question = match is_there || !self.interactive {
            true => String::new(),
            false => {
                let own = self.state.functions.keys().chain(self.state.aliases.keys());
                let names = self.commands.iter().map(|command| command.name);
                usage::question(name, names.chain(own.map(String::as_str)))
            }
        };
        self.streams.error.remark(&format!("devnet: {name}: {why}{question}\n")).await;
        status
    }

    /// The commands that `command` stands for, and the name of the alias, if it begins with one.
    pub(super) fn alias(&self, command: &Command) -> Option<(Script, String)> {
        if self.state.aliases.is_empty() {
            return None;
        }
        let Kind::Simple { assignments, words } = &command.kind else { return None };
        let (first, rest) = words.split_first()?;
        let name =
            first.bare().filter(|name| !self.state.replacing.iter().any(|old| old == name))?;
        let value = self.state.aliases.get(name)?;
        let mut script = parser::parse(value).ok()?;
        let mut rest = rest.to_vec();
        // Behind a blank the next word may be an alias, too.
        if value.ends_with([' ', '\t'])
            && let Some(next) = rest.first()
        {
            let more = next.bare().and_then(|next| self.state.aliases.get(next));
            let more = more.and_then(|value| words_of(parser::parse(value).ok()?));
            if let Some(more) = more {
                rest.splice(..1, more);
            }
        }
        let Some(last) = script.lists.last_mut() else {
            // An alias for nothing.
            let kind = Kind::Simple { assignments: assignments.clone(), words: rest };
            return Some((of_one(Command { kind, ..command.clone() }), name.to_owned()));
        };
        let pipeline = last.rest.last_mut().map_or(&mut last.first, |(_, pipeline)| pipeline);
        let end = pipeline.commands.last_mut()?;
        if let Kind::Simple { words, .. } = &mut end.kind {
            words.extend(rest);
        } else if !rest.is_empty() {
            return None;
        }
        end.redirections.extend_from_slice(&command.redirections);
        let first = script.lists.first_mut()?.first.commands.first_mut()?;
        if let Kind::Simple { assignments: own, .. } = &mut first.kind {
            own.splice(..0, assignments.iter().cloned());
        }
        Some((script, name.to_owned()))
    }
}

/// The words of a script that is one simple command.
fn words_of(script: Script) -> Option<Vec<Word>> {
    let [list] = script.lists.as_slice() else { return None };
    match list.first.commands.as_slice() {
        [Command { kind: Kind::Simple { words, .. }, .. }] => Some(words.clone()),
        _ => None,
    }
}

fn of_one(command: Command) -> Script {
    let first = super::syntax::Pipeline { negated: false, commands: vec![command] };
    Script { lists: vec![List { first, rest: Vec::new(), background: None }] }
}
