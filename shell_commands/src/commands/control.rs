//! `control`: a device's commands by name or number, with raw bytes.
//!
//! The device tells its commands, those of the platform's controller behind it among them. Numbers
//! that it does not tell are sent all the same.

use std::fmt::Write as _;

use devnet_virtual_file_system::{CommandEntry, Error, File, Identifier, OpenFlags};

use crate::context::Context;
use crate::devices::NETWORK;
use crate::failure::{Failure, Outcome};
use crate::render::control;

pub(super) async fn run(context: &Context) -> Outcome {
    let [path, rest @ ..] = context.arguments.as_slice() else {
        return Err(Failure::usage("which device?"));
    };
    let file = open(context, path).map_err(|why| Failure::of(path, why))?;
    let rows = file.commands().map_err(|why| Failure::of(path, why))?;
    let [command, bytes @ ..] = rest else { return context.answer(&control::table(&rows)).await };
    let identifier = identifier(command, &rows)
        .ok_or_else(|| Failure::usage(format!("{command}: bad identifier")))?;
    let bytes = bytes.concat();
    let request = from_hexadecimal(&bytes)
        .ok_or_else(|| Failure::usage(format!("{bytes}: bad hexadecimal bytes")))?;
    let answer =
        file.control_raw(identifier, &request).await.map_err(|why| Failure::of(path, why))?;
    context.answer(&(to_hexadecimal(&answer) + "\n")).await
}

/// Opens a path, or the device of the interface that has this name.
fn open(context: &Context, name: &str) -> devnet_virtual_file_system::Result<File> {
    // For everything, or for reading where no more is allowed.
    let open = |path: &str| {
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
