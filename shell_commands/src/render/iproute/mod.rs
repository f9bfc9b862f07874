//! The layouts of iproute2 6.1: lines, one-line (`-o`), brief (`-br`) and JSON (`-j`).

pub mod address;
pub mod link;
pub mod maddress;
pub mod monitor;
pub mod neighbor;
pub mod route;
pub mod socket;

use serde::Serialize;

/// The output format of `ip`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// `-o`: one line per object, with `\` for line breaks.
    pub oneline: bool,
    /// `-br`: a table.
    pub brief: bool,
    /// `-j`: an array of objects.
    pub json: bool,
    /// `-s`: counters.
    pub statistics: bool,
    /// `-s -s`: every reason of drops, also those that never happened.
    pub detailed: bool,
}

/// The lines of one object.
fn object(lines: &[String], style: Style) -> String {
    lines.join(if style.oneline { "\\" } else { "\n" }) + "\n"
}

/// An array in iproute2's compact form.
fn array<T: Serialize>(objects: &[T]) -> String {
    // Only strings, numbers and lists, all of which JSON can represent.
    serde_json::to_string(objects).unwrap_or_default() + "\n"
}
