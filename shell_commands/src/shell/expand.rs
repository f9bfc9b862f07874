//! Expansion: words → the arguments of a command (POSIX 2.6).
//!
//! Parameters, command substitutions and arithmetic give text; `Fields` cuts it and matches
//! names of files. [`execute`](super::execute) calls it right before a command starts, so that `$?`
//! is the status of the previous one. An error ends the script, as in POSIX 2.8.1.

use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::{Error, pipe};
use futures_lite::future;

use super::fields::Fields;
use super::syntax::{Operation, Part, Piece, Script, Word};
use super::{Shell, arithmetic, pattern};
use crate::context::Stream;
use crate::limits;

/// Separators without `IFS`.
const SEPARATORS: &str = " \t\n";

/// Expands `words` to fields; an unquoted value may give none or many.
///
/// # Errors
/// A message: an unset parameter, a bad expression, or a bound.
pub async fn fields(shell: &mut Shell, words: &[Word]) -> Result<Vec<String>, String> {
    let mut fields = Fields::new(Some(separators(shell)));
    for word in words {
        add(shell, word, &mut fields, false).await?;
        fields.close();
    }
    let files = (!shell.state.options.keeps_patterns).then_some(&shell.files);
    fields.finish(files)
}

/// Expands `word` without field splitting: values of assignments and targets of redirections.
///
/// # Errors
/// As [`fields`].
pub async fn single(shell: &mut Shell, word: &Word) -> Result<String, String> {
    Ok(one(shell, word).await?.0)
}

/// Expands `word` to a pattern, in which quoted characters are literal.
pub(super) async fn pattern(shell: &mut Shell, word: &Word) -> Result<String, String> {
    Ok(one(shell, word).await?.1)
}

async fn one(shell: &mut Shell, word: &Word) -> Result<(String, String), String> {
    let mut fields = Fields::new(None);
    add(shell, word, &mut fields, false).await?;
    let field = fields.open.unwrap_or_default();
    Ok((field.text, field.pattern))
}

pub(super) fn separators(shell: &Shell) -> String {
    shell.variables.get("IFS").map_or_else(|| SEPARATORS.to_owned(), Clone::clone)
}

/// Adds the pieces of a word; inside `${…}` unquoted literals are cut, too.
fn add<'a>(
    shell: &'a mut Shell,
    word: &'a Word,
    fields: &'a mut Fields,
    inside: bool,
) -> BoxFuture<'a, Result<(), String>> {
    Box::pin(async move {
        for (index, Piece { quoted, part }) in word.pieces.iter().enumerate() {
            let value = match part {
                Part::Literal(text) if !quoted && index == 0 && text.starts_with('~') => {
                    let is_whole = word.pieces.len() == 1;
                    match home(shell, text, is_whole) {
                        // What stands for the tilde is not cut, and no pattern.
                        Some((home, rest)) => {
                            fields.add(&home, true)?;
                            fields.add(rest, false)?;
                        }
                        None if inside => fields.cut(text)?,
                        None => fields.add(text, false)?,
                    }
                    continue;
                }
                Part::Literal(text) if inside && !quoted => {
                    fields.cut(text)?;
                    continue;
                }
                Part::Literal(text) => {
                    fields.add(text, *quoted)?;
                    continue;
                }
                Part::Parameter(name, operation) => {
                    match parameter(shell, name, operation, *quoted, fields).await? {
                        Some(value) => value,
                        None => continue,
                    }
                }
                Part::Command(script) => Box::pin(substitute(shell, script)).await?,
                Part::Arithmetic(word) => {
                    let text = single(shell, word).await?;
                    arithmetic::evaluate(&text, &mut shell.variables, &shell.state.readonly)?
                        .to_string()
                }
            };
            if *quoted { fields.add(&value, true)? } else { fields.cut(&value)? }
        }
        Ok(())
    })
}

/// The home directory for a `~` that starts `text`, and what follows. Others' are not known.
fn home<'t>(shell: &Shell, text: &'t str, is_whole: bool) -> Option<(String, &'t str)> {
    let rest = text.strip_prefix('~')?;
    let ends = rest.starts_with('/') || (rest.is_empty() && is_whole);
    if !ends {
        return None;
    }
    let home = value(shell, "HOME")?;
    // `~/x` is `/x` if that is the root.
    Some((if rest.is_empty() { home } else { home.trim_end_matches('/').to_owned() }, rest))
}

/// Expands the value of an assignment, in which a `~` may stand behind each `:`, too.
///
/// # Errors
/// As [`fields`].
pub(super) async fn assigned(shell: &mut Shell, word: &Word) -> Result<String, String> {
    let is_plain = |piece: &Piece| match &piece.part {
        Part::Literal(text) => piece.quoted || !text.contains(":~"),
        _ => true,
    };
    if word.pieces.iter().all(is_plain) {
        return single(shell, word).await;
    }
    let mut word = word.clone();
    let count = word.pieces.len();
    for (index, piece) in word.pieces.iter_mut().enumerate() {
        let Part::Literal(text) = &mut piece.part else { continue };
        if piece.quoted {
            continue;
        }
        let is_last = index.saturating_add(1) == count;
        let parts: Vec<&str> = text.split(':').collect();
        let ends = parts.len();
        let expand = |(place, part): (usize, &&str)| {
            let is_whole = place.saturating_add(1) < ends || is_last;
            match home(shell, part, is_whole).filter(|_| place > 0) {
                Some((home, rest)) => home + rest,
                None => (*part).to_owned(),
            }
        };
        let parts: Vec<String> = parts.iter().enumerate().map(expand).collect();
        *text = parts.join(":");
    }
    single(shell, &word).await
}

/// The value of a parameter; `None` if its fields are added already.
async fn parameter(
    shell: &mut Shell,
    name: &str,
    operation: &Operation,
    quoted: bool,
    fields: &mut Fields,
) -> Result<Option<String>, String> {
    let value = value(shell, name);
    if let Operation::Condition { operator, colon, word } = operation {
        let usable = value.as_ref().is_some_and(|value| !(*colon && value.is_empty()));
        if usable != (*operator == '+') {
            return Ok(Some(value.filter(|_| usable).unwrap_or_default()));
        }
        match operator {
            '=' => {
                if !super::syntax::is_name(name) {
                    return Err(format!("{name}: cannot be assigned"));
                }
                let value = single(shell, word).await?;
                shell.assign(name, value.clone())?;
                return Ok(Some(value));
            }
            '?' => {
                let message = single(shell, word).await?;
                let unset = if message.is_empty() { "parameter not set" } else { &message };
                return Err(format!("{name}: {unset}"));
            }
            _ => {}
        }
        if quoted {
            fields.add("", true)?;
        }
        add(shell, word, fields, !quoted).await?;
        return Ok(None);
    }
    if value.is_none() && shell.state.options.unset_is_error && !matches!(name, "@" | "*") {
        return Err(format!("{name}: parameter not set"));
    }
    let separate = name == "@" || (name == "*" && !quoted);
    if separate && *operation == Operation::Value && fields.splits() {
        return arguments(shell, quoted, fields);
    }
    let value = value.unwrap_or_default();
    Ok(Some(match operation {
        Operation::Remove { suffix, longest, pattern } => {
            let pattern = self::pattern(shell, pattern).await?;
            pattern::remove(&value, &pattern, *suffix, *longest)?
        }
        Operation::Length if matches!(name, "@" | "*") => {
            shell.parameters.len().saturating_sub(1).to_string()
        }
        Operation::Length => value.chars().count().to_string(),
        _ => value,
    }))
}

/// `$@`, and `$*` without quotes: each argument is a field of its own.
fn arguments(shell: &Shell, quoted: bool, fields: &mut Fields) -> Result<Option<String>, String> {
    for (index, argument) in shell.parameters.iter().skip(1).enumerate() {
        if index > 0 {
            fields.close();
        }
        if quoted { fields.add(argument, true)? } else { fields.cut(argument)? }
    }
    Ok(None)
}

/// Returns the value of `$name`, if it is set.
fn value(shell: &Shell, name: &str) -> Option<String> {
    let arguments = shell.parameters.get(1..).unwrap_or_default();
    Some(match name {
        "?" => shell.status.to_string(),
        "#" => arguments.len().to_string(),
        "$" => String::from("0"),
        "!" => format!("%{}", shell.state.last_job?),
        "-" => shell.options(),
        "@" | "*" if arguments.is_empty() => return None,
        "@" => arguments.join(" "),
        "*" => {
            let first = separators(shell).chars().next();
            arguments.join(first.map(String::from).unwrap_or_default().as_str())
        }
        number if number.bytes().all(|digit| digit.is_ascii_digit()) => {
            shell.parameters.get(number.parse::<usize>().ok()?)?.clone()
        }
        name => match (shell.variables.get(name), name) {
            (Some(value), _) => value.clone(),
            (None, "LINENO") => shell.state.line.to_string(),
            (None, "HOME") => String::from("/"),
            (None, "PWD") => shell.files.directory().as_str().to_owned(),
            _ => return None,
        },
    })
}

/// Runs a script in a subshell and returns its output without the last ends of line.
async fn substitute(shell: &mut Shell, script: &Script) -> Result<String, String> {
    let mut copy = shell.subshell();
    // It takes the stack of two levels.
    copy.state.depth = copy.state.depth.saturating_add(1);
    let (reader, writer) = pipe(limits::PIPE_BYTES);
    copy.streams.output = Stream::new(writer, "pipe");
    // Both ends move into their futures, so that each closes when its side is done.
    let run = async move {
        copy.script(script).await;
        copy.finish().await
    };
    let read = async move { reader.read_to_end(limits::WORD_BYTES).await };
    let (status, bytes) = future::zip(run, read).await;
    shell.status = status;
    shell.state.substituted = Some(status);
    let bytes = bytes.map_err(|why| match why {
        Error::FileTooLarge => String::from("a word is too long"),
        why => why.to_string(),
    })?;
    let text = String::from_utf8_lossy(&bytes).replace('\0', "");
    Ok(text.trim_end_matches('\n').to_owned())
}
