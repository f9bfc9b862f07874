//! Lists of options with one of each kind, beside those that a new interface has.

use alloc::vec::Vec;
use core::mem::discriminant;

/// The option of the same kind as this one.
pub(crate) fn of_kind<'a, T>(options: &'a [T], kind: &T) -> Option<&'a T> {
    options.iter().find(|option| discriminant(*option) == discriminant(kind))
}

/// Those that are not among the defaults, in the order of those.
pub(crate) fn other_than<T: Clone + PartialEq>(defaults: &[T], options: &[T]) -> Vec<T> {
    let other = |default: &T| of_kind(options, default).filter(|option| *option != default);
    defaults.iter().filter_map(other).cloned().collect()
}
