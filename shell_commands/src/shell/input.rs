//! `read` and `getopts`: input and options, taken apart into variables.
//!
//! Called by [`builtins`](super::builtins).

use super::syntax::is_name;
use super::{Shell, expand};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// Reads a line into variables; 1 at the end of the input.
pub(super) async fn read(shell: &mut Shell, context: &Context) -> Outcome {
    let (mut raw, mut names) = (false, Vec::new());
    let mut words = context.arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-r" if names.is_empty() => raw = true,
            "-p" if names.is_empty() => {
                let prompt = words.next().ok_or_else(|| Failure::usage("-p: a text is missing"))?;
                context.streams.error.remark(prompt).await;
            }
            name if is_name(name) => names.push(name),
            name => return Err(Failure::usage(format!("{name}: bad name"))),
        }
    }
    if names.is_empty() {
        return Err(Failure::usage("a name is missing"));
    }
    let (line, ended) = line(context, raw).await?;
    let separators = expand::separators(shell);
    let mut rest = line.as_slice();
    for (index, name) in names.iter().enumerate() {
        let is_last = index.saturating_add(1) == names.len();
        let value = take(&mut rest, &separators, is_last);
        shell.assign(name, value).map_err(Failure::usage)?;
    }
    Ok(Status::from_success(!ended))
}

/// The next line, with what was escaped; and true if the input ended before an end of line. It
/// reads single bytes: the rest belongs to other commands.
async fn line(context: &Context, raw: bool) -> Result<(Vec<(char, bool)>, bool), Failure> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    let stream = &context.streams.input;
    let ended = loop {
        let count = stream.file.read(&mut byte).await;
        if count.map_err(|why| Failure::of(&stream.name, why))? == 0 {
            break true;
        }
        let continues =
            !raw && bytes.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
        if byte == *b"\n" && !continues {
            break false;
        }
        if bytes.len() >= limits::WORD_BYTES {
            return Err(Failure::new("the line is too long"));
        }
        bytes.extend_from_slice(&byte);
    };
    let text = String::from_utf8_lossy(&bytes).replace('\0', "");
    let mut characters = text.chars();
    let mut line = Vec::new();
    while let Some(character) = characters.next() {
        match character {
            '\\' if !raw => match characters.next() {
                Some('\n') | None => {}
                Some(escaped) => line.push((escaped, true)),
            },
            character => line.push((character, false)),
        }
    }
    Ok((line, ended))
}

/// Takes the next field; the last takes all without blanks around.
fn take(rest: &mut &[(char, bool)], separators: &str, is_last: bool) -> String {
    let is_separator =
        |(character, escaped): &(char, bool)| !escaped && separators.contains(*character);
    let is_space =
        |found: &(char, bool)| is_separator(found) && matches!(found.0, ' ' | '\t' | '\n');
    while let Some((_, more)) = rest.split_first().filter(|(first, _)| is_space(first)) {
        *rest = more;
    }
    let mut end = rest.iter().position(is_separator).unwrap_or(rest.len());
    if is_last {
        // All the rest, but one separator at the end of a single field does not count.
        let after = rest.get(end..).unwrap_or_default();
        let spaces = after.iter().take_while(|found| is_space(found)).count();
        let more = after.get(spaces..).unwrap_or_default();
        let more = match more.split_first() {
            Some((first, more)) if is_separator(first) => more,
            _ => more,
        };
        if more.iter().any(|found| !is_space(found)) {
            end = rest.len() - rest.iter().rev().take_while(|found| is_space(found)).count();
        }
    }
    let (field, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    let mut after = after;
    let mut others = 0;
    // White space, and one other separator.
    while let Some((first, more)) = after.split_first() {
        let space = is_space(first);
        if !is_separator(first) || (!space && others > 0) {
            break;
        }
        others += usize::from(!space);
        after = more;
    }
    *rest = after;
    field.iter().map(|(character, _)| character).collect()
}

/// `getopts LETTERS NAME [ARGUMENT…]`; 1 after the last option.
pub(super) fn options(shell: &mut Shell, context: &Context) -> Outcome {
    let [letters, name, arguments @ ..] = context.arguments.as_slice() else {
        return Err(Failure::usage("letters and a name are needed"));
    };
    if !is_name(name) {
        return Err(Failure::usage(format!("{name}: bad name")));
    }
    let own = shell.parameters.get(1..).unwrap_or_default().to_vec();
    let arguments = if arguments.is_empty() { own.as_slice() } else { arguments };
    let mut index = shell.variables.get("OPTIND").and_then(|text| text.parse().ok()).unwrap_or(1);
    if index < 1_usize {
        index = 1;
    }
    let mut place = shell.state.option_place;
    let word: Vec<char> = arguments.get(index - 1).map_or("", String::as_str).chars().collect();
    if place == 0 || place >= word.len() {
        place = 1;
    }
    let text: String = word.iter().collect();
    if text.len() < 2 || !text.starts_with('-') || text == "--" {
        index += usize::from(text == "--");
        shell.state.option_place = 0;
        set(shell, "OPTIND", index.to_string())?;
        set(shell, name, String::from("?"))?;
        return Ok(Status::FAILURE);
    }
    let letter = word.get(place).copied().unwrap_or('?');
    place += 1;
    let quiet = letters.starts_with(':');
    let takes = letters
        .split_once(letter)
        .filter(|_| letter != ':')
        .map(|(_, after)| after.starts_with(':'));
    let mut found = letter.to_string();
    let mut argument = None;
    let mut complaint = None;
    if takes == Some(true) {
        let rest: String = word.get(place..).unwrap_or_default().iter().collect();
        if rest.is_empty() {
            index += 1;
            argument = arguments.get(index - 1).cloned();
        } else {
            argument = Some(rest);
        }
        place = word.len();
        if argument.is_none() {
            argument = quiet.then(|| letter.to_string());
            found = String::from(if quiet { ":" } else { "?" });
            complaint = (!quiet).then(|| format!("-{letter}: an argument is missing"));
        }
    } else if takes.is_none() {
        argument = quiet.then(|| letter.to_string());
        found = String::from("?");
        complaint = (!quiet).then(|| format!("-{letter}: unknown option"));
    }
    if place >= word.len() {
        index += 1;
        place = 0;
    }
    shell.state.option_place = place;
    set(shell, "OPTIND", index.to_string())?;
    set(shell, name, found)?;
    match argument {
        Some(argument) => set(shell, "OPTARG", argument)?,
        None => drop(shell.variables.remove("OPTARG")),
    }
    match complaint {
        Some(message) => Err(Failure { status: Status::SUCCESS, message }),
        None => Ok(Status::SUCCESS),
    }
}

fn set(shell: &mut Shell, name: &str, value: String) -> Result<(), Failure> {
    shell.assign(name, value).map_err(Failure::usage)
}
