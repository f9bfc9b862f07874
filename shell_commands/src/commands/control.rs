//! `control`: a device's commands by number, with raw bytes.
//!
//! Commands that are not in the network's table are sent to the device all the same: they may be
//! for the platform's controller behind it.

use std::fmt::Write as _;

use devnet_network::command::table::TABLE;
use devnet_virtual_file_system::{Identifier, OpenFlags};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::control;

pub(super) async fn run(context: &Context) -> Outcome {
    match context.arguments.as_slice() {
        [path] => {
            context.files.stat(path).map_err(|why| Failure::of(path, why))?;
            context.answer(&control::table(TABLE)).await
        }
        [path, command, bytes @ ..] => {
            let identifier = identifier(command)
                .ok_or_else(|| Failure::usage(format!("{command}: bad identifier")))?;
            let bytes = bytes.concat();
            let request = from_hexadecimal(&bytes)
                .ok_or_else(|| Failure::usage(format!("{bytes}: bad hexadecimal bytes")))?;
            let writable = context.files.open(path, OpenFlags::READ | OpenFlags::WRITE);
            let opened = writable.or_else(|_| context.files.open(path, OpenFlags::READ));
            let file = opened.map_err(|why| Failure::of(path, why))?;
            let answer = file
                .control_raw(identifier, &request)
                .await
                .map_err(|why| Failure::of(path, why))?;
            context.answer(&(to_hexadecimal(&answer) + "\n")).await
        }
        [] => Err(Failure::usage("which device?")),
    }
}

/// A name of the network's table, or a number in decimal or with `0x`.
fn identifier(text: &str) -> Option<Identifier> {
    if let Some(entry) = TABLE.iter().find(|entry| entry.name == text) {
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
        let named = identifier("GetInterface").unwrap();
        assert_eq!(identifier(&format!("{:#x}", named.raw())), Some(named));
        assert_eq!(identifier(&named.raw().to_string()), Some(named));
        assert_eq!(identifier("0xfffffffff"), None);
        assert_eq!(identifier("NoSuch"), None);
    }
}
