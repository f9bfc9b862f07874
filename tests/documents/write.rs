//! Writes the generated documents: `cargo run -p devnet-tests --bin documents`.
//!
//! The golden file only grows: a line that stands in it is never replaced.

mod control;
mod materials;
mod shell;
mod text;
mod tree;

use std::fs;

fn main() {
    fs::write(control::page_path(), control::page()).expect("the page can be written");
    fs::write(text::page_path(), text::page()).expect("the page of lines can be written");
    fs::write(shell::page_path(), shell::page()).expect("the table can be written");
    fs::write(materials::path(), materials::page()).expect("the bill can be written");
    let former = fs::read_to_string(control::golden_path()).unwrap_or_default();
    let golden = control::golden();
    let lost: Vec<_> =
        former.lines().filter(|line| !golden.lines().any(|new| new == *line)).collect();
    assert!(lost.is_empty(), "{}: {lost:#?}", control::FOREVER);
    fs::write(control::golden_path(), golden).expect("the golden file can be written");
}
