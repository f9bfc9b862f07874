//! Which lines of two texts differ: the rest is the longest that both have.

use std::collections::{HashMap, HashSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::failure::Failure;
use crate::limits;
use crate::render::difference::Change;

/// The lines of a text, without their ends.
pub(super) fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() { Vec::new() } else { whole.split(|byte| *byte == b'\n').collect() }
}

/// What counts of a line.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) ignores_case: bool,
    pub(super) ignores_blanks: bool,
}

impl Key {
    fn of(self, line: &[u8]) -> Vec<u8> {
        let is_kept = |byte: &u8| !(self.ignores_blanks && byte.is_ascii_whitespace());
        let kept = line.iter().copied().filter(is_kept);
        if self.ignores_case {
            kept.map(|byte| byte.to_ascii_lowercase()).collect()
        } else {
            kept.collect()
        }
    }
}

/// The changes that make the second text of the first.
pub(super) fn changes(old: &[u8], new: &[u8], key: Key) -> Result<Vec<Change>, Failure> {
    let (mut known, mut numbers) = (HashMap::new(), [Vec::new(), Vec::new()]);
    for (bytes, numbers) in [old, new].into_iter().zip(&mut numbers) {
        let lines = lines(bytes);
        let is_open = bytes.last() != Some(&b'\n');
        for (place, line) in lines.iter().enumerate() {
            // A last line without its end is another one than that with it.
            let is_open = is_open && place.saturating_add(1) == lines.len() && !key.ignores_blanks;
            let next = known.len();
            numbers.push(*known.entry((key.of(line), is_open)).or_insert(next));
        }
    }
    let [old, new] = &numbers;
    // Lines that the other text does not have are no part of what both have in common, so the
    // search goes without them; it takes as long as both are long together, squared at worst.
    let kept = |ours: &[usize], theirs: &[usize]| {
        let theirs: HashSet<usize> = theirs.iter().copied().collect();
        let is_there = |(_, number): &(usize, &usize)| theirs.contains(number);
        ours.iter().enumerate().filter(is_there).map(|(place, _)| place).collect::<Vec<usize>>()
    };
    let (left, right) = (kept(old, new), kept(new, old));
    if left.len().saturating_mul(right.len()) > limits::DIFFERENCE_PAIRS {
        return Err(Failure::new("the files have too many lines to be compared; -q compares them"));
    }
    let pick = |from: &[usize], places: &[usize]| -> Vec<usize> {
        places.iter().filter_map(|place| from.get(*place).copied()).collect()
    };
    let (mut is_old, mut is_new) = (vec![true; old.len()], vec![true; new.len()]);
    let operations = capture_diff_slices(Algorithm::Myers, &pick(old, &left), &pick(new, &right));
    for operation in operations {
        let DiffOp::Equal { old_index, new_index, len } = operation else { continue };
        for (places, start, changed) in
            [(&left, old_index, &mut is_old), (&right, new_index, &mut is_new)]
        {
            for place in places.iter().skip(start).take(len) {
                if let Some(changed) = changed.get_mut(*place) {
                    *changed = false;
                }
            }
        }
    }
    Ok(gathered(old, new, &is_old, &is_new))
}

/// Changes of lines that stand together.
fn gathered(old: &[usize], new: &[usize], is_old: &[bool], is_new: &[bool]) -> Vec<Change> {
    let run = |changed: &[bool], from: usize| {
        changed.iter().skip(from).take_while(|changed| **changed).count()
    };
    let (mut changes, mut one, mut two) = (Vec::<Change>::new(), 0, 0);
    while one < old.len() || two < new.len() {
        let (removed, added) = (run(is_old, one), run(is_new, two));
        if removed == 0 && added == 0 {
            (one, two) = (one.saturating_add(1), two.saturating_add(1));
            continue;
        }
        let mut change = Change { old: one..one + removed, new: two..two + added };
        // Lines that are only removed or only added move down as far as they look the same.
        let (lines, range) = match (removed, added) {
            (_, 0) => (old, change.old.clone()),
            (0, _) => (new, change.new.clone()),
            _ => (old, 0..0),
        };
        let mut moved = 0;
        while !range.is_empty()
            && lines.get(range.start + moved).is_some()
            && lines.get(range.start + moved) == lines.get(range.end + moved)
            && is_old.get(change.old.end + moved) != Some(&true)
            && is_new.get(change.new.end + moved) != Some(&true)
        {
            moved += 1;
        }
        for side in [&mut change.old, &mut change.new] {
            *side = side.start + moved..side.end + moved;
        }
        (one, two) = (change.old.end, change.new.end);
        changes.push(change);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(old: &str, new: &str) -> Vec<Change> {
        let key = Key { ignores_case: false, ignores_blanks: false };
        changes(old.as_bytes(), new.as_bytes(), key).unwrap()
    }

    #[test]
    fn what_repeats_changes_at_its_end() {
        assert_eq!(found("a\nb\n", "a\na\nb\n"), [Change { old: 1..1, new: 1..2 }]);
        assert_eq!(found("{\n}\n{\n}\n", "{\n}\n"), [Change { old: 2..4, new: 2..2 }]);
        assert_eq!(found("", "a"), [Change { old: 0..0, new: 0..1 }]);
        assert_eq!(found("a\n", "a"), [Change { old: 0..1, new: 0..1 }]);
    }

    #[test]
    fn texts_with_too_many_lines_in_common_are_refused() {
        let key = Key { ignores_case: false, ignores_blanks: false };
        let (old, new) = ("a\n".repeat(30_000), "b\n".repeat(30_000));
        // Nothing in common takes no time.
        assert_eq!(found(&old, &new), [Change { old: 0..30_000, new: 0..30_000 }]);
        let mixed = format!("{old}{new}");
        assert!(changes(mixed.as_bytes(), format!("{new}{old}").as_bytes(), key).is_err());
    }
}
