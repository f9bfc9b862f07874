//! Builtins that declare variables: `export`, `readonly`, `local` and `unset`.
//!
//! Called by [`builtins`](super::builtins).

use std::collections::BTreeMap;

use super::Shell;
use super::syntax::is_name;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// Splits `NAME=VALUE` or `NAME`.
fn declaration(word: &str) -> Result<(&str, Option<&str>), Failure> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    if is_name(name) { Ok((name, value)) } else { Err(Failure::usage(format!("{name}: bad name"))) }
}

/// A value as a word of the language.
pub(super) fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Names with their values, one a line.
pub(super) fn listing(values: &BTreeMap<String, String>) -> String {
    values.iter().map(|(name, value)| format!("{name}={}\n", quoted(value))).collect()
}

/// `export` and `readonly`: without names they list what is so.
pub(super) async fn mark(shell: &mut Shell, context: &Context) -> Outcome {
    let is_export = context.name == "export";
    let names = context.arguments.iter().filter(|word| *word != "-p");
    if names.clone().next().is_none() {
        let value = |name: &String| match shell.variables.get(name) {
            Some(value) => format!("{} {name}={}\n", context.name, quoted(value)),
            None => format!("{} {name}\n", context.name),
        };
        let state = &shell.state;
        let marked = if is_export { &state.exported } else { &state.readonly };
        let lines: String = marked.iter().map(value).collect();
        return context.answer(&lines).await;
    }
    for word in names {
        let (name, value) = declaration(word)?;
        if let Some(value) = value {
            set(shell, name, value)?;
        }
        let state = &mut shell.state;
        let marked = if is_export { &mut state.exported } else { &mut state.readonly };
        marked.insert(name.to_owned());
    }
    Ok(Status::SUCCESS)
}

fn set(shell: &mut Shell, name: &str, value: &str) -> Result<(), Failure> {
    shell.assign(name, value.to_owned()).map_err(Failure::usage)
}

pub(super) fn local(shell: &mut Shell, context: &Context) -> Outcome {
    if shell.state.calls == 0 {
        return Err(Failure::usage("not in a function"));
    }
    for word in &context.arguments {
        let (name, value) = declaration(word)?;
        shell.writable(name).map_err(Failure::usage)?;
        let former = shell.former(name);
        // The last frame is that of this command's own assignments.
        let function = shell.state.frames.iter_mut().rev().nth(1);
        let Some(frame) = function else { return Err(Failure::usage("not in a function")) };
        if frame.len() >= limits::ARGUMENTS {
            return Err(Failure::new("too many local variables"));
        }
        frame.push(former);
        if let Some(value) = value {
            set(shell, name, value)?;
        }
    }
    Ok(Status::SUCCESS)
}

pub(super) fn unset(shell: &mut Shell, context: &Context) -> Outcome {
    let mut functions = false;
    for name in &context.arguments {
        match name.as_str() {
            "-f" => functions = true,
            "-v" => functions = false,
            name if functions => drop(shell.state.functions.remove(name)),
            name => {
                let (name, _) = declaration(name)?;
                shell.writable(name).map_err(Failure::usage)?;
                shell.variables.remove(name);
                shell.state.exported.remove(name);
            }
        }
    }
    Ok(Status::SUCCESS)
}
