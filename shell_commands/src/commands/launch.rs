//! `xargs`, `timeout`, `watch` and `env`: commands that run others in their way.

use std::time::Duration;

use futures_lite::future;
use lexopt::prelude::*;

use super::lines::{Lines, Output};
use super::sleep::{self, duration};
use super::words;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::shell::launch::Launcher;
use crate::status::Status;
use devnet_virtual_file_system::pipe;

/// The shortest interval of `watch`.
const SHORTEST: Duration = Duration::from_millis(100);
/// The status of what took too long, as GNU's tool has it.
const TIMED_OUT: Status = Status(124);
/// The status of `xargs` after a command that failed.
const FAILED: Status = Status(123);

/// `xargs`: arguments from the input.
pub(super) async fn from_input(launcher: &mut Launcher, context: &Context) -> Outcome {
    let (mut most, mut replaced, mut zeros, mut skips, mut traces) =
        (None, None, false, false, false);
    let mut command = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('n') => most = Some(options.value()?.parse::<usize>()?.max(1)),
            Short('I') => replaced = Some(options.value()?.string()?),
            Short('0') => zeros = true,
            Short('r') => skips = true,
            Short('t') => traces = true,
            Value(word) => {
                command.push(word.string()?);
                command.extend(words::rest(&mut options)?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if command.is_empty() {
        command.push(String::from("echo"));
    }
    let mut output = Output::new(context);
    let mut lines = Lines::new(context.streams.input.clone(), if zeros { 0 } else { b'\n' });
    let mut words = Vec::new();
    while let Some(line) = lines.next(&mut output).await? {
        let text = String::from_utf8_lossy(&line.bytes).into_owned();
        match (zeros, &replaced) {
            (true, _) => words.push(text),
            (false, Some(_)) if text.trim().is_empty() => {}
            (false, Some(_)) => words.push(text.trim_start().to_owned()),
            (false, None) => split(&text, &mut words)?,
        }
        if words.len() > limits::ARGUMENTS {
            return Err(Failure::new("too many arguments"));
        }
    }
    // What runs must not read what this has read ahead.
    let (nothing, writer) = pipe(1);
    drop(writer);
    launcher.set_input(Stream::new(nothing, "standard input"));
    let calls: Vec<Vec<String>> = match &replaced {
        Some(mark) => {
            let with =
                |word: &String| command.iter().map(|part| part.replace(mark, word)).collect();
            words.iter().map(with).collect()
        }
        None if words.is_empty() && !skips => vec![command.clone()],
        None => {
            let chunk = |words: &[String]| [command.as_slice(), words].concat();
            words.chunks(most.unwrap_or(usize::MAX)).map(chunk).collect()
        }
    };
    let mut status = Status::SUCCESS;
    for call in calls {
        if traces {
            context.streams.error.remark(&format!("{}\n", call.join(" "))).await;
        }
        match launcher.run(&call).await {
            Status::SUCCESS => {}
            ended @ (Status::NOT_FOUND | Status::NOT_EXECUTABLE) => return Ok(ended),
            Status(255) => return Ok(Status(124)),
            _ => status = FAILED,
        }
        future::yield_now().await;
    }
    Ok(status)
}

/// Words of a line; quotes and `\` keep blanks.
fn split(line: &str, words: &mut Vec<String>) -> Result<(), Failure> {
    let mut open: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            (found, Some(end)) if found == end => quote = None,
            (found, Some(_)) => open.get_or_insert_default().push(found),
            ('\'' | '"', None) => {
                quote = Some(character);
                open.get_or_insert_default();
            }
            ('\\', None) => open.get_or_insert_default().extend(characters.next()),
            (' ' | '\t', None) => words.extend(open.take()),
            (found, None) => open.get_or_insert_default().push(found),
        }
    }
    words.extend(open);
    match quote {
        Some(quote) => Err(Failure::new(format!("unmatched {quote}"))),
        None => Ok(()),
    }
}

/// `timeout`: ends a command that takes too long.
pub(super) async fn timeout(launcher: &mut Launcher, context: &Context) -> Outcome {
    let (mut ended, mut keeps) = (None, false);
    let mut words = context.arguments.as_slice();
    while let Some((word, rest)) = words.split_first().filter(|(word, _)| word.starts_with('-')) {
        (words, ended) = match (word.as_str(), rest) {
            ("--preserve-status", rest) => {
                keeps = true;
                (rest, ended)
            }
            ("-s" | "-k", [name, rest @ ..]) => (rest, (word == "-s").then_some(name).or(ended)),
            _ => {
                return Err(Failure {
                    status: Status(125),
                    ..Failure::usage(format!("{word}: unknown option"))
                });
            }
        };
    }
    let bad = |message: &str| Failure { status: Status(125), message: message.to_owned() };
    let signal = match ended {
        Some(name) if matches!(name.as_str(), "9" | "KILL" | "SIGKILL") => Status(137),
        Some(name) => crate::shell::signals::Signal::parse(name)
            .ok_or_else(|| bad(&format!("{name}: unknown signal")))?
            .status(),
        None => Status::KILLED,
    };
    let [text, command @ ..] = words else { return Err(bad("a time and a command are needed")) };
    if command.is_empty() {
        return Err(bad("a time and a command are needed"));
    }
    let limit = duration(text).ok_or_else(|| bad(&format!("{text}: bad duration")))?;
    let clock = &context.platform.clock;
    let end = clock.now().after(limit);
    let late = async {
        if limit.is_zero() {
            future::pending::<()>().await;
        }
        clock.sleep_until(end).await;
        if keeps || signal == Status(137) { signal } else { TIMED_OUT }
    };
    // The command comes first: one that ends at once is not late.
    Ok(future::or(launcher.run(command), late).await)
}

/// `watch`: runs a command again and again.
pub(super) async fn again(launcher: &mut Launcher, context: &Context) -> Outcome {
    let (mut interval, mut has_title, mut command) = (Duration::from_secs(2), true, Vec::new());
    let (mut ends_on_failure, mut count) = (false, None);
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('n') => {
                interval = sleep::parsed(&options.value()?.string()?)?.max(SHORTEST);
            }
            Short('t') => has_title = false,
            Short('e') => ends_on_failure = true,
            Short('c') => count = Some(options.value()?.parse::<u64>()?),
            Value(word) => {
                command.push(word.string()?);
                command.extend(words::rest(&mut options)?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if command.is_empty() {
        return Err(Failure::usage("which command?"));
    }
    let clock = &context.platform.clock;
    let title = format!("Every {:.1}s: {}\n\n", interval.as_secs_f64(), command.join(" "));
    let mut runs = 0;
    loop {
        context.print_bytes(b"\x1b[H\x1b[2J").await?;
        if has_title {
            context.print(&title).await?;
        }
        let status = launcher.run(&command).await;
        runs += 1;
        let is_last = count.is_some_and(|count| runs >= count);
        if is_last || (ends_on_failure && !status.is_success()) {
            return Ok(status);
        }
        clock.sleep_until(clock.now().after(interval)).await;
    }
}

/// `env`: shows or changes the exported variables of a command.
pub(super) async fn environment(launcher: &mut Launcher, context: &Context) -> Outcome {
    let mut words = context.arguments.as_slice();
    while let Some((word, rest)) = words.split_first() {
        match (word.as_str(), rest) {
            ("-i" | "-", _) => launcher.hide(None),
            ("-u", [name, ..]) => launcher.hide(Some(name)),
            (word, _) if word.starts_with('-') => {
                return Err(Failure {
                    status: Status(125),
                    ..Failure::usage(format!("{word}: unknown option"))
                });
            }
            (word, _) => match word.split_once('=') {
                Some((name, value)) => launcher.export(name, value),
                None => return Ok(launcher.run(words).await),
            },
        }
        words = rest.get(usize::from(word == "-u")..).unwrap_or_default();
    }
    let lines: String = launcher.environment().iter().map(|line| format!("{line}\n")).collect();
    context.answer(&lines).await
}
