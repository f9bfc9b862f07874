//! `control`: a device's commands by name or number.
//!
//! The device tells its commands, those of the platform's controller behind it among them. Requests
//! and responses are JSON where their types are known here or to the embedder, and bytes in
//! hexadecimal digits elsewhere or with `--hex`. Numbers that the device does not tell are sent all
//! the same.

use std::fmt::Write as _;

use devnet_virtual_file_system::{CommandEntry, Error, File, Identifier, OpenFlags};
use lexopt::prelude::*;

use super::words;
use crate::context::Context;
use crate::devices::NETWORK;
use crate::failure::{Failure, Outcome};
use crate::render::control;
use crate::status::Status;
use crate::typed;

#[derive(Default)]
struct Options {
    read_only: bool,
    hexadecimal: bool,
    pretty: bool,
    words: Vec<String>,
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut parser = context.options();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('r') | Long("read-only") => options.read_only = true,
            Short('x') | Long("hex") => options.hexadecimal = true,
            Short('p') | Long("pretty") => options.pretty = true,
            Value(word) => {
                options.words.push(word.string()?);
                // A request may begin with a sign.
                if options.words.len() == 2 {
                    options.words.extend(words::rest(&mut parser)?);
                }
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let [path, rest @ ..] = options.words.as_slice() else {
        return Err(Failure::usage("which device?"));
    };
    let file = open(context, path, options.read_only).map_err(|why| Failure::of(path, why))?;
    let rows = file.commands().map_err(|why| Failure::of(path, why))?;
    let [command, request @ ..] = rest else {
        return context.answer(&control::table(&rows)).await;
    };
    let identifier = identifier(command, &rows)
        .ok_or_else(|| Failure::usage(format!("{command}: bad identifier")))?;
    let tables = &context.platform.tables;
    let typed = match request {
        _ if options.hexadecimal => None,
        [] => typed::request(tables, identifier, "null"),
        words => typed::request(tables, identifier, &words.join(" ")),
    };
    let is_typed = typed.is_some();
    let bytes = match typed {
        Some(bytes) => bytes.map_err(|why| Failure::usage(format!("{command}: {why}")))?,
        None => {
            let digits = request.concat();
            from_hexadecimal(&digits)
                .ok_or_else(|| Failure::usage(format!("{digits}: bad hexadecimal bytes")))?
        }
    };
    let answer =
        file.control_raw(identifier, &bytes).await.map_err(|why| Failure::of(path, why))?;
    let shown =
        is_typed.then(|| typed::response(tables, identifier, &answer, options.pretty)).flatten();
    match shown {
        None => context.answer(&(to_hexadecimal(&answer) + "\n")).await,
        Some(Ok(_)) if answer.is_empty() => Ok(Status::SUCCESS),
        Some(Ok(text)) => context.answer(&(text + "\n")).await,
        Some(Err(why)) => Err(Failure::of(command, why)),
    }
}

/// Opens a path, or the device of the interface that has this name.
fn open(
    context: &Context,
    name: &str,
    read_only: bool,
) -> devnet_virtual_file_system::Result<File> {
    let open = |path: &str| {
        if read_only {
            return context.files.open(path, OpenFlags::READ);
        }
        // For everything, or for reading where no more is allowed.
        let writable = context.files.open(path, OpenFlags::READ | OpenFlags::WRITE);
        writable.or_else(|_| context.files.open(path, OpenFlags::READ))
    };
    match open(name) {
        Err(Error::NotFound) if !name.contains('/') => open(&format!("{NETWORK}/{name}")),
        opened => opened,
    }
}

/// A name of the device's table, or a number in decimal or with `0x`.
fn identifier(text: &str, rows: &[CommandEntry]) -> Option<Identifier> {
    if let Some(entry) = rows.iter().find(|entry| entry.name == text) {
        return Some(entry.identifier);
    }
    let raw = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    raw.ok().map(Identifier::from_raw)
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    let digits = digits?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn to_hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use devnet_network::command::table::TABLE;

    use super::*;

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(from_hexadecimal("00fF10"), Some(vec![0, 255, 16]));
        assert_eq!(from_hexadecimal(""), Some(vec![]));
        for text in ["0", "0g", "+1", "é0", "0 1"] {
            assert_eq!(from_hexadecimal(text), None, "{text}");
        }
        assert_eq!(to_hexadecimal(&[0, 255, 16]), "00ff10");
    }

    #[test]
    fn identifiers_are_names_or_numbers() {
        let named = identifier("GetInterface", TABLE).unwrap();
        assert_eq!(identifier(&format!("{:#x}", named.raw()), TABLE), Some(named));
        assert_eq!(identifier(&named.raw().to_string(), &[]), Some(named));
        assert_eq!(identifier("0xfffffffff", TABLE), None);
        assert_eq!(identifier("NoSuch", TABLE), None);
    }
}
