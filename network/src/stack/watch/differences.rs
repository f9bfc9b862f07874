//! The differences between two lists: removed, added and changed objects.

use alloc::vec::Vec;

use crate::command::event::Change;

/// Compares a list with its previous state. `key` identifies objects, `same` tells whether two
/// versions of one are equal. Removed objects come first.
///
/// Equal prefixes and suffixes are skipped: a single change in a long table costs one comparison.
pub(crate) fn differences<'a, T, K: PartialEq>(
    former: &'a [T],
    present: &'a [T],
    key: impl Fn(&T) -> K,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(Change, &'a T)> {
    let is_equal = |(one, other): &(&T, &T)| key(one) == key(other) && same(one, other);
    let head = former.iter().zip(present).take_while(is_equal).count();
    let (former, present) =
        (former.get(head..).unwrap_or_default(), present.get(head..).unwrap_or_default());
    let tail = former.iter().rev().zip(present.iter().rev()).take_while(is_equal).count();
    let trimmed = |list: &'a [T]| list.get(..list.len() - tail).unwrap_or_default();
    let (former, present) = (trimmed(former), trimmed(present));
    let find = |list: &'a [T], wanted: &T| list.iter().find(|known| key(known) == key(wanted));
    let gone =
        former.iter().filter(|old| find(present, old).is_none()).map(|old| (Change::Removed, old));
    let others = present.iter().filter_map(|new| match find(former, new) {
        None => Some((Change::Added, new)),
        Some(old) if !same(old, new) => Some((Change::Changed, new)),
        Some(_) => None,
    });
    gone.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_objects_come_first_and_equal_ones_are_skipped() {
        let former = [(1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')];
        let present = [(1, 'a'), (3, 'x'), (5, 'e'), (4, 'd')];
        let changes = differences(&former, &present, |object| object.0, PartialEq::eq);
        assert_eq!(
            changes,
            [
                (Change::Removed, &(2, 'b')),
                (Change::Changed, &(3, 'x')),
                (Change::Added, &(5, 'e'))
            ]
        );
        assert!(differences(&former, &former, |object| object.0, PartialEq::eq).is_empty());
        assert_eq!(differences(&[], &former, |object| object.0, PartialEq::eq).len(), 4);
        assert_eq!(differences(&former, &[], |object| object.0, PartialEq::eq).len(), 4);
    }
}
