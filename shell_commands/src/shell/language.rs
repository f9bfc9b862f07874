//! Builtins of the language: jumps, `eval`, `exec`, variables, options and traps.
//!
//! Called by [`builtins`](super::builtins).

use super::Shell;
use super::parser;
use super::state::{Jump, Trap};
use super::syntax::is_name;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;
use devnet_virtual_file_system::OpenFlags;

fn number(text: &str) -> Result<usize, Failure> {
    text.parse().map_err(|_| Failure::usage(format!("{text}: not a number")))
}

/// `break` and `continue`; outside loops they do nothing, as in ash.
pub(super) fn leave_loops(
    shell: &mut Shell,
    context: &Context,
    jump: fn(usize) -> Jump,
) -> Outcome {
    let count = context.arguments.first().map_or(Ok(1), |text| number(text))?;
    if count == 0 {
        return Err(Failure::usage("0: not a number of loops"));
    }
    if shell.state.loops > 0 {
        shell.state.jump = Some(jump(count.min(shell.state.loops)));
    }
    Ok(Status::SUCCESS)
}

/// `return`; outside functions and sourced files it ends the script.
pub(super) fn leave_call(shell: &mut Shell, context: &Context) -> Outcome {
    let status = match context.arguments.first() {
        None => shell.status,
        Some(text) => match text.parse() {
            Ok(number) => Status(number),
            Err(_) => return Err(Failure::usage(format!("{text}: not a status from 0 to 255"))),
        },
    };
    shell.status = status;
    shell.state.jump = Some(Jump::Return);
    Ok(status)
}

/// Runs text in this shell; a syntax error ends the script that has it.
async fn run_text(shell: &mut Shell, text: &str, name: &str) -> Status {
    match parser::parse(text) {
        Ok(script) => {
            shell.status = Status::SUCCESS;
            shell.script(&script).await;
            shell.status
        }
        Err(error) => shell.abort(&format!("{name}: {error}")).await,
    }
}

pub(super) async fn evaluate(shell: &mut Shell, context: &Context) -> Outcome {
    Ok(run_text(shell, &context.arguments.join(" "), "eval").await)
}

/// `.` and `source`: runs a file of the tree in this shell.
pub(super) async fn source(shell: &mut Shell, context: &Context) -> Outcome {
    let Some((path, arguments)) = context.arguments.split_first() else {
        return Err(Failure::usage("a file is missing"));
    };
    let named = |why: &dyn std::fmt::Display| Failure::of(path, why);
    let file = context.files.open(path, OpenFlags::READ).map_err(|why| named(&why))?;
    let bytes = file.read_to_end(limits::SCRIPT_BYTES).await.map_err(|why| named(&why))?;
    let text = String::from_utf8(bytes).map_err(|_| named(&"is not text"))?;
    let mut parameters = None;
    if !arguments.is_empty() {
        parameters = Some(shell.parameters.clone());
        shell.parameters.truncate(1);
        shell.parameters.extend_from_slice(arguments);
    }
    shell.state.calls = shell.state.calls.saturating_add(1);
    let status = run_text(shell, &text, path).await;
    shell.state.calls = shell.state.calls.saturating_sub(1);
    if let Some(parameters) = parameters {
        shell.parameters = parameters;
    }
    if shell.state.jump == Some(Jump::Return) {
        shell.state.jump = None;
        return Ok(shell.status);
    }
    Ok(status)
}

/// `exec COMMAND`: the command is the last of this shell. `exec` alone keeps its redirections.
pub(super) async fn exec(shell: &mut Shell, context: &Context) -> Outcome {
    if let Some((name, arguments)) = context.arguments.split_first() {
        let status = shell.invoke(name, arguments).await;
        shell.exit.get_or_insert(status);
        return Ok(status);
    }
    Ok(Status::SUCCESS)
}

/// Splits `NAME=VALUE` or `NAME`.
fn declaration(word: &str) -> Result<(&str, Option<&str>), Failure> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    if is_name(name) { Ok((name, value)) } else { Err(Failure::usage(format!("{name}: bad name"))) }
}

pub(super) async fn export(shell: &mut Shell, context: &Context) -> Outcome {
    let names = context.arguments.iter().filter(|word| *word != "-p");
    if names.clone().next().is_none() {
        let value = |name: &String| match shell.variables.get(name) {
            Some(value) => format!("export {name}={}\n", quoted(value)),
            None => format!("export {name}\n"),
        };
        let lines: String = shell.state.exported.iter().map(value).collect();
        return context.answer(&lines).await;
    }
    for word in names {
        let (name, value) = declaration(word)?;
        if let Some(value) = value {
            shell.variables.insert(name.to_owned(), value.to_owned());
        }
        shell.state.exported.insert(name.to_owned());
    }
    Ok(Status::SUCCESS)
}

/// A value as a word of the language.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

pub(super) fn local(shell: &mut Shell, context: &Context) -> Outcome {
    if shell.state.calls == 0 {
        return Err(Failure::usage("not in a function"));
    }
    for word in &context.arguments {
        let (name, value) = declaration(word)?;
        let old = shell.variables.get(name).cloned();
        // The last frame is that of this command's own assignments.
        let function = shell.state.frames.iter_mut().rev().nth(1);
        let Some(frame) = function else { return Err(Failure::usage("not in a function")) };
        if frame.len() >= limits::ARGUMENTS {
            return Err(Failure::new("too many local variables"));
        }
        frame.push((name.to_owned(), old));
        if let Some(value) = value {
            shell.variables.insert(name.to_owned(), value.to_owned());
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
                shell.variables.remove(name);
                shell.state.exported.remove(name);
            }
        }
    }
    Ok(Status::SUCCESS)
}

pub(super) async fn set(shell: &mut Shell, context: &Context) -> Outcome {
    let mut words = context.arguments.iter();
    if words.len() == 0 {
        let line = |(name, value): (&String, &String)| format!("{name}={}\n", quoted(value));
        let lines: String = shell.variables.iter().map(line).collect();
        return context.answer(&lines).await;
    }
    while let Some(word) = words.as_slice().first() {
        let (on, letters) = match word.split_at_checked(1) {
            Some(("-", "-")) => {
                words.next();
                return Ok(arguments(shell, words.as_slice()));
            }
            Some(("-", letters)) if !letters.is_empty() => (true, letters),
            Some(("+", letters)) if !letters.is_empty() => (false, letters),
            _ => return Ok(arguments(shell, words.as_slice())),
        };
        words.next();
        for letter in letters.chars() {
            let name = if letter == 'o' { words.next().map(String::as_str) } else { None };
            let options = &mut shell.state.options;
            let option = match (letter, name) {
                ('e', _) | (_, Some("errexit")) => &mut shell.stop_on_failure,
                ('u', _) | (_, Some("nounset")) => &mut options.unset_is_error,
                ('x', _) | (_, Some("xtrace")) => &mut options.trace,
                (_, Some("pipefail")) => &mut options.pipe_fails,
                ('o', None) => {
                    let lines = option_lines(shell);
                    return context.answer(&lines).await;
                }
                (_, Some(name)) => {
                    return Err(Failure::usage(format!("{name}: unknown option")));
                }
                _ => return Err(Failure::usage(format!("{word}: unknown option"))),
            };
            *option = on;
        }
    }
    Ok(Status::SUCCESS)
}

fn arguments(shell: &mut Shell, arguments: &[String]) -> Status {
    shell.parameters.truncate(1);
    shell.parameters.extend_from_slice(arguments);
    shell.state.option_place = 0;
    Status::SUCCESS
}

fn option_lines(shell: &Shell) -> String {
    let options = &shell.state.options;
    [
        ("errexit", shell.stop_on_failure),
        ("nounset", options.unset_is_error),
        ("pipefail", options.pipe_fails),
        ("xtrace", options.trace),
    ]
    .iter()
    .map(|(name, on)| format!("{name:<10} {}\n", if *on { "on" } else { "off" }))
    .collect()
}

pub(super) async fn trap(shell: &mut Shell, context: &Context) -> Outcome {
    let (action, conditions) = match context.arguments.as_slice() {
        [] => {
            let traps = shell.state.traps.iter().map(|(trap, action)| {
                let name = Trap::ALL.iter().find(|(found, _)| found == trap);
                format!("trap -- {} {}\n", quoted(action), name.map_or("", |(_, name)| name))
            });
            let lines: String = traps.collect();
            return context.answer(&lines).await;
        }
        [word, action, conditions @ ..] if word == "--" => (Some(action), conditions),
        // `trap EXIT` is `trap - EXIT`.
        [condition] => (None, std::slice::from_ref(condition)),
        [action, conditions @ ..] => (Some(action), conditions),
    };
    for name in conditions {
        let trap = match name.strip_prefix("SIG").unwrap_or(name) {
            "EXIT" | "0" => Trap::Exit,
            "INT" | "2" => Trap::Interrupt,
            _ => return Err(Failure::of(name, "only EXIT and INT can be trapped")),
        };
        match action.filter(|action| *action != "-") {
            Some(action) => drop(shell.state.traps.insert(trap, action.clone())),
            None => drop(shell.state.traps.remove(&trap)),
        }
    }
    Ok(Status::SUCCESS)
}
