//! `diff`: the differences of two texts, in the normal and the unified format of POSIX.

use std::ops::Range;

/// Lines that differ: these of the one text stand where those of the other do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Lines of the first text, from 0.
    pub old: Range<usize>,
    /// Lines of the second text, from 0.
    pub new: Range<usize>,
}

/// Two texts as lines without their ends.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// The lines of the first.
    pub old: &'a [&'a [u8]],
    /// The last line of the first has no end.
    pub old_is_open: bool,
    /// The lines of the second.
    pub new: &'a [&'a [u8]],
    /// The last line of the second has no end.
    pub new_is_open: bool,
}

impl Texts<'_> {
    fn add(&self, place: usize, is_old: bool, sign: &str, text: &mut Vec<u8>) {
        let (lines, is_open) =
            if is_old { (self.old, self.old_is_open) } else { (self.new, self.new_is_open) };
        text.extend_from_slice(sign.as_bytes());
        text.extend_from_slice(lines.get(place).copied().unwrap_or_default());
        text.push(b'\n');
        if is_open && place.saturating_add(1) == lines.len() {
            text.extend_from_slice(b"\\ No newline at end of file\n");
        }
    }
}

/// The normal format.
#[must_use]
pub fn normal(texts: &Texts<'_>, changes: &[Change]) -> Vec<u8> {
    let mut text = Vec::new();
    let range = |range: &Range<usize>| match range.len() {
        // What is not there stands behind a line.
        0 => range.start.to_string(),
        1 => (range.start + 1).to_string(),
        _ => format!("{},{}", range.start + 1, range.end),
    };
    for Change { old, new } in changes {
        let letter = match (old.is_empty(), new.is_empty()) {
            (true, _) => 'a',
            (false, true) => 'd',
            (false, false) => 'c',
        };
        text.extend_from_slice(format!("{}{letter}{}\n", range(old), range(new)).as_bytes());
        old.clone().for_each(|place| texts.add(place, true, "< ", &mut text));
        if letter == 'c' {
            text.extend_from_slice(b"---\n");
        }
        new.clone().for_each(|place| texts.add(place, false, "> ", &mut text));
    }
    text
}

/// The unified format with so many lines around each change, without the names.
#[must_use]
pub fn unified(texts: &Texts<'_>, changes: &[Change], around: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = changes;
    while let Some(first) = rest.first() {
        // Changes whose surroundings touch are one hunk.
        let is_far = |pair: &[Change]| match pair {
            [one, two] => two.old.start - one.old.end > around.saturating_mul(2),
            _ => false,
        };
        let count = rest.windows(2).position(is_far).map_or(rest.len(), |place| place + 1);
        let (hunk, behind) = rest.split_at(count);
        rest = behind;
        let last = hunk.last().unwrap_or(first);
        let before = first.old.start.min(around);
        let after = around.min(texts.old.len() - last.old.end);
        let old = first.old.start - before..last.old.end + after;
        let new = first.new.start - before..last.new.end + after;
        let range = |range: &Range<usize>| match range.len() {
            0 => format!("{},0", range.start),
            1 => (range.start + 1).to_string(),
            length => format!("{},{length}", range.start + 1),
        };
        text.extend_from_slice(format!("@@ -{} +{} @@\n", range(&old), range(&new)).as_bytes());
        let mut place = old.start;
        for change in hunk {
            (place..change.old.start).for_each(|place| texts.add(place, true, " ", &mut text));
            change.old.clone().for_each(|place| texts.add(place, true, "-", &mut text));
            change.new.clone().for_each(|place| texts.add(place, false, "+", &mut text));
            place = change.old.end;
        }
        (place..old.end).for_each(|place| texts.add(place, true, " ", &mut text));
    }
    text
}
