//! Builtins of the language: jumps, `eval`, `exec`, variables, options and traps.
//!
//! Called by [`builtins`](super::builtins).

use super::Shell;
use super::declare::{listing, quoted};
use super::parser;
use super::state::{Jump, Trap};
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

pub(super) async fn set(shell: &mut Shell, context: &Context) -> Outcome {
    let mut words = context.arguments.iter();
    if words.len() == 0 {
        return context.answer(&listing(&shell.variables)).await;
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
                ('a', _) | (_, Some("allexport")) => &mut options.exports_all,
                ('f', _) | (_, Some("noglob")) => &mut options.keeps_patterns,
                ('C', _) | (_, Some("noclobber")) => &mut options.keeps_files,
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

/// `umask`: files are created with mode 644 and directories with 755, so it is always 022.
pub(super) async fn mask(context: &Context) -> Outcome {
    match context.arguments.as_slice() {
        [] => context.answer("0022\n").await,
        [symbolic] if symbolic == "-S" => context.answer("u=rwx,g=rx,o=rx\n").await,
        [mask] if u16::from_str_radix(mask, 8) == Ok(0o22) => Ok(Status::SUCCESS),
        [mask] => Err(Failure::of(mask, "the mask is 022; use chmod")),
        _ => Err(Failure::usage("too many arguments")),
    }
}

fn option_lines(shell: &Shell) -> String {
    let options = &shell.state.options;
    let lines = [
        ("allexport", options.exports_all),
        ("errexit", shell.stop_on_failure),
        ("noclobber", options.keeps_files),
        ("noglob", options.keeps_patterns),
        ("nounset", options.unset_is_error),
        ("pipefail", options.pipe_fails),
        ("xtrace", options.trace),
    ];
    let line =
        |(name, on): &(&str, bool)| format!("{name:<16}{}\n", if *on { "on" } else { "off" });
    lines.iter().map(line).collect()
}

pub(super) async fn trap(shell: &mut Shell, context: &Context) -> Outcome {
    let (action, conditions) = match context.arguments.as_slice() {
        [] => {
            let line = |(trap, action): (&Trap, &String)| {
                format!("trap -- {} {}\n", quoted(action), trap.name())
            };
            let lines: String = shell.state.traps.iter().map(line).collect();
            return context.answer(&lines).await;
        }
        [word, action, conditions @ ..] if word == "--" => (Some(action), conditions),
        // `trap EXIT` is `trap - EXIT`.
        [condition] => (None, std::slice::from_ref(condition)),
        [action, conditions @ ..] => (Some(action), conditions),
    };
    for name in conditions {
        let trap = Trap::parse(name).ok_or_else(|| Failure::of(name, "bad trap"))?;
        let action = action.filter(|action| *action != "-");
        if let (Trap::Signal(signal), true) = (trap, shell.state.is_top) {
            shell.state.signals.set_trapped(signal, action.is_some());
        }
        match action {
            Some(action) => drop(shell.state.traps.insert(trap, action.clone())),
            None => drop(shell.state.traps.remove(&trap)),
        }
    }
    Ok(Status::SUCCESS)
}
