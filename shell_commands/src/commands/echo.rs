//! `echo`, `true` and `false`.
//!
//! The whole line is one write: a device takes it as one text, and its error is the command's
//! failure.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut newline, mut escapes) = (true, false);
    let mut words = context.arguments.as_slice();
    while let Some((option, rest)) = words.split_first() {
        match option.as_str() {
            "-n" => newline = false,
            "-e" => escapes = true,
            "-ne" | "-en" => (newline, escapes) = (false, true),
            _ => break,
        }
        words = rest;
    }
    let mut text = words.join(" ");
    if escapes {
        text = unescape(&text);
    }
    if newline {
        text.push('\n');
    }
    // What the user says is output as it is.
    context.print_bytes(text.as_bytes()).await?;
    Ok(Status::SUCCESS)
}

/// Does nothing and succeeds.
pub(super) async fn succeed(_: &Context) -> Outcome {
    Ok(Status::SUCCESS)
}

/// Does nothing and fails.
pub(super) async fn fail(_: &Context) -> Outcome {
    Err(Failure::silent(Status::FAILURE))
}

fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => result.push('\n'),
            Some('t') => result.push('\t'),
            Some('r') => result.push('\r'),
            Some('e') => result.push('\u{1b}'),
            Some('0') => result.push('\0'),
            Some('\\') | None => result.push('\\'),
            Some(other) => result.extend(['\\', other]),
        }
    }
    result
}
