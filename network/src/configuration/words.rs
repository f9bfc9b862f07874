//! Words of lines.

use alloc::string::String;
use core::fmt::Write;

pub(super) const fn switch(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

/// A key with its values, if there are any.
pub(super) fn list<T: core::fmt::Display>(line: &mut String, key: &str, values: &[T]) {
    // Writing to a string does not fail.
    for (place, value) in values.iter().enumerate() {
        if place == 0 {
            let _ = write!(line, " {key} {value}");
        } else {
            let _ = write!(line, ",{value}");
        }
    }
}
