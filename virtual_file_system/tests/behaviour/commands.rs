//! Command tables. The documentation of `define_commands!` shows that conflicts do not compile.

use devnet_virtual_file_system::limits::{IDENTIFIER_SIZE, REQUEST_BYTES};
use devnet_virtual_file_system::{
    Authority, ControlCommand, DataDirection, Error, Identifier, encode,
};

use crate::support::line::{Count, Drain, Feed, Immediate, Request, TABLE, Timing, Waiting};

devnet_virtual_file_system::define_commands! {
    /// Shares the kind of the line, but no number.
    mod neighbour, kind b'l', clashes_with [crate::support::line::TABLE] {
        /// Another command.
        4 => Other: Read (()) -> ();
    }
}

devnet_virtual_file_system::define_commands! {
    /// Shares numbers, but no kind; and names two others.
    mod unrelated, kind b'm', clashes_with [crate::support::line::TABLE, neighbour::TABLE,] {
        /// Another command.
        1 => Other: Write (u8) -> ();
    }
}

#[test]
fn identifiers_are_golden() {
    assert_eq!(Feed::IDENTIFIER.raw(), 0xffff_6c01);
    assert_eq!(Count::IDENTIFIER.raw(), 0xbfff_6c02);
    assert_eq!(neighbour::Other::IDENTIFIER.raw(), 0xbfff_6c04);
    assert_eq!(unrelated::Other::IDENTIFIER.raw(), 0xffff_6d01);
    assert_eq!(Feed::IDENTIFIER.size(), IDENTIFIER_SIZE);
}

#[test]
fn the_table_has_every_row_in_order() {
    let rows: Vec<_> = TABLE
        .iter()
        .map(|row| (row.name, row.identifier, row.authority, row.waits, row.documentation))
        .collect();
    assert_eq!(
        rows,
        [
            ("Feed", Feed::IDENTIFIER, Authority::Write, false, "Puts bytes into the line."),
            (
                "Count",
                Count::IDENTIFIER,
                Authority::Read,
                false,
                "Tells how many bytes are in the line."
            ),
            ("Drain", Drain::IDENTIFIER, Authority::Read, true, "Waits until the line is empty."),
        ]
    );
    assert_eq!((Feed::NAME, Feed::AUTHORITY), ("Feed", Authority::Write));
    assert_eq!(Count::IDENTIFIER.direction(), DataDirection::Read);
    assert_eq!(Feed::IDENTIFIER.direction(), DataDirection::ReadWrite);
}

#[test]
fn requests_decode_by_identifier() {
    let bytes = encode(&vec![1_u8, 2]).unwrap();
    let request = Request::decode(Feed::IDENTIFIER, &bytes).unwrap().unwrap();
    assert_eq!(request, Request::Feed(vec![1, 2]));
    assert_eq!(request.identifier(), Feed::IDENTIFIER);
    assert_eq!(request.timing(), Timing::Immediate(Immediate::Feed(vec![1, 2])));
    assert_eq!(Request::Drain(()).timing(), Timing::Waiting(Waiting::Drain(())));
    assert_eq!(Request::decode(Count::IDENTIFIER, &[]), Some(Ok(Request::Count(()))));
    assert_eq!(Request::decode(Count::IDENTIFIER, &bytes), Some(Err(Error::BadMessage)));
    let long = vec![0; REQUEST_BYTES + 1];
    assert_eq!(Request::decode(Count::IDENTIFIER, &long), Some(Err(Error::MessageTooLong)));
}

#[test]
fn what_is_not_of_the_table_is_left_to_others() {
    let same_number = Identifier::new(DataDirection::None, 0, b'l', 1);
    for identifier in [neighbour::Other::IDENTIFIER, unrelated::Other::IDENTIFIER, same_number] {
        assert_eq!(Request::decode(identifier, &[]), None);
        assert_eq!(Request::authority(identifier), None);
    }
    assert_eq!(Request::authority(Feed::IDENTIFIER), Some(Authority::Write));
    assert_eq!(Request::authority(Count::IDENTIFIER), Some(Authority::Read));
}
