//! Identifiers and payloads: golden bytes, and refusal of everything that is not exactly one value.

use devnet_virtual_file_system::limits::{REQUEST_BYTES, RESPONSE_BYTES};
use devnet_virtual_file_system::{
    DataDirection, Error, Identifier, decode, decode_response, encode,
};
use serde::{Deserialize, Serialize};

#[test]
fn an_identifier_has_the_layout_of_an_ioctl() {
    // Linux: TUNSETIFF is _IOW('T', 202, int), FIONREAD-like reads have direction 2.
    let identifier = Identifier::new(DataDirection::Write, 4, b'T', 202);
    assert_eq!(identifier.raw(), 0x4004_54ca);
    let parts = (identifier.direction(), identifier.size(), identifier.kind(), identifier.number());
    assert_eq!(parts, (DataDirection::Write, 4, b'T', 202));
    for (direction, raw) in [
        (DataDirection::None, 0x3fff_ffff),
        (DataDirection::Write, 0x7fff_ffff),
        (DataDirection::Read, 0xbfff_ffff),
        (DataDirection::ReadWrite, 0xffff_ffff),
    ] {
        assert_eq!(Identifier::new(direction, 0x3fff, 0xff, 0xff).raw(), raw);
        assert_eq!(Identifier::from_raw(raw).direction(), direction);
        assert_eq!(Identifier::from_raw(raw).raw(), raw);
    }
    assert_eq!(
        Identifier::new(DataDirection::None, 0x4001, 0, 0).size(),
        1,
        "the size has 14 bits"
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Payload {
    name: String,
    port: u16,
    flag: Option<bool>,
}

fn payload() -> Payload {
    Payload { name: "lo".into(), port: 300, flag: Some(true) }
}

const GOLDEN: &[u8] = &[2, b'l', b'o', 0xac, 0x02, 1, 1];

#[test]
fn payloads_are_postcard() {
    assert_eq!(encode(&payload()).unwrap(), GOLDEN);
    assert_eq!(decode(GOLDEN), Ok(payload()));
    assert_eq!(encode(&()).unwrap(), b"");
}

#[test]
fn a_payload_that_is_cut_anywhere_is_refused() {
    for length in 0..GOLDEN.len() {
        assert_eq!(decode::<Payload>(&GOLDEN[..length]), Err(Error::BadMessage), "{length}");
    }
}

#[test]
fn a_payload_with_trailing_bytes_is_refused() {
    for extra in 0..=u8::MAX {
        let bytes = [GOLDEN, &[extra]].concat();
        assert_eq!(decode::<Payload>(&bytes), Err(Error::BadMessage), "{extra}");
        assert_eq!(decode_response::<Payload>(&bytes), Err(Error::BadMessage), "{extra}");
    }
    assert_eq!(decode::<()>(&[0]), Err(Error::BadMessage));
}

#[test]
fn a_malformed_payload_is_refused() {
    // An invalid boolean, invalid UTF-8, an unterminated varint, a length beyond all memory.
    assert_eq!(decode::<bool>(&[2]), Err(Error::BadMessage));
    assert_eq!(decode::<String>(&[1, 0xff]), Err(Error::BadMessage));
    assert_eq!(decode::<u32>(&[0xff; 6]), Err(Error::BadMessage));
    assert_eq!(decode::<Vec<u64>>(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Err(Error::BadMessage));
}

#[test]
fn an_oversized_payload_is_refused_unread() {
    let longest = vec![0; REQUEST_BYTES + 1];
    assert_eq!(decode::<()>(&longest), Err(Error::MessageTooLong));
    assert_eq!(decode::<()>(&longest[1..]), Err(Error::BadMessage), "the limit itself is allowed");
    assert_eq!(decode_response::<()>(&longest), Err(Error::BadMessage), "a response may be longer");
    assert_eq!(decode_response::<()>(&vec![0; RESPONSE_BYTES + 1]), Err(Error::MessageTooLong));
}
