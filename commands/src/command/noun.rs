//! The nouns of the commands: which numbers belong to which.

use core::ops::RangeInclusive;

use devnet_virtual_file_system::Identifier;

use super::Request;

/// The nouns with the numbers of their commands.
const NOUNS: &[(&str, RangeInclusive<u8>)] = &[
    ("interface", 1..=15),
    ("address", 16..=31),
    ("route", 32..=42),
    ("group", 43..=47),
    ("dns", 48..=63),
    ("dhcp", 64..=77),
    ("dns", 78..=79),
    ("neighbor", 80..=95),
    ("socket", 96..=127),
    ("watch", 128..=131),
    ("firewall", 132..=143),
    ("file", 144..=159),
    ("system", 160..=175),
    ("capture", 176..=191),
    ("configuration", 192..=207),
    ("wireless", 208..=223),
    ("router", 224..=239),
    ("dhcp6", 240..=246),
    ("capture", 247..=247),
    ("dns", 248..=248),
];

/// The nouns, in the order of their commands' numbers.
pub fn nouns() -> impl Iterator<Item = &'static str> {
    // One whose numbers were used up has further ones at the end.
    let is_first = |place: usize, noun| NOUNS.iter().take(place).all(|(known, _)| *known != noun);
    let nouns = NOUNS.iter().map(|(noun, _)| *noun).enumerate();
    nouns.filter(move |(place, noun)| is_first(*place, *noun)).map(|(_, noun)| noun)
}

/// The noun of a command; `None` if it is not in this table.
#[must_use]
pub fn noun(identifier: Identifier) -> Option<&'static str> {
    let number = Request::authority(identifier).map(|_| identifier.number())?;
    NOUNS.iter().find(|(_, numbers)| numbers.contains(&number)).map(|(noun, _)| *noun)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use devnet_virtual_file_system::ControlCommand;

    use super::*;
    use crate::command::{AddRoute, TABLE, Watch};

    #[test]
    fn every_command_belongs_to_a_noun() {
        let missing: Vec<_> =
            TABLE.iter().filter(|entry| noun(entry.identifier).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(
            (noun(AddRoute::IDENTIFIER), noun(Watch::IDENTIFIER)),
            (Some("route"), Some("watch"))
        );
        assert_eq!(noun(Identifier::from_raw(7)), None);
    }
}
