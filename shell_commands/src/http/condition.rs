//! Evaluates preconditions and ranges (RFC 9110 §13, §14). Pure.
//!
//! Files have no modification time, so only entity tags count; a condition on a time is ignored, as
//! §13.1.3 and §13.1.4 require.

use http::header::{IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderName, StatusCode};
use http_range_header::{RangeUnsatisfiableError, parse_range_header};

/// The part of a file to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// A part: its first byte, and the number of bytes.
    Part(u64, u64),
    /// Nothing, for this reason: 304, 412 or 416.
    Nothing(StatusCode),
}

/// Evaluates the preconditions in the order of §13.2.2. `tag` is the strong entity tag with its
/// quotes; a generated response has none.
#[must_use]
pub fn precondition(fields: &HeaderMap, tag: Option<&str>) -> Option<StatusCode> {
    if fields.contains_key(IF_MATCH) && !lists(fields, &IF_MATCH, tag, strong) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    lists(fields, &IF_NONE_MATCH, tag, weak).then_some(StatusCode::NOT_MODIFIED)
}

/// The strong comparison of §8.8.3.2 with a strong tag.
fn strong(listed: &[u8], tag: &[u8]) -> bool {
    listed == tag
}

/// The weak comparison of §8.8.3.2 with a strong tag.
fn weak(listed: &[u8], tag: &[u8]) -> bool {
    listed.strip_prefix(b"W/").unwrap_or(listed) == tag
}

/// True if the field is `*`, or lists a tag that compares equal to ours.
///
/// Commas within tags need no care: a tag holds no quote, so no piece of a valid one looks like
/// ours.
fn lists(
    fields: &HeaderMap,
    name: &HeaderName,
    tag: Option<&str>,
    equal: fn(&[u8], &[u8]) -> bool,
) -> bool {
    let mut values = fields.get_all(name).iter().map(|value| value.as_bytes());
    let is_any = values.next().is_some_and(|value| value.trim_ascii() == b"*");
    if is_any && values.next().is_none() {
        return true;
    }
    let Some(tag) = tag else { return false };
    fields
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(is_comma))
        .any(|listed| equal(listed.trim_ascii(), tag.as_bytes()))
}

fn is_comma(byte: &u8) -> bool {
    *byte == b','
}

/// Selects the part of a file of `length` bytes to send.
#[must_use]
pub fn wanted(fields: &HeaderMap, tag: &str, length: u64, head_only: bool) -> Wanted {
    if let Some(status) = precondition(fields, Some(tag)) {
        return Wanted::Nothing(status);
    }
    // A range of HEAD means nothing (§14.2).
    if head_only || is_other_version(fields, tag) { Wanted::Whole } else { range(fields, length) }
}

/// Evaluates `If-Range` (§13.1.5): only a strong match proves that the client's part belongs to
/// this version. Files have no dates to match, and several fields are no condition that holds.
fn is_other_version(fields: &HeaderMap, tag: &str) -> bool {
    let mut conditions = fields.get_all(IF_RANGE).iter();
    match (conditions.next(), conditions.next()) {
        (None, _) => false,
        (Some(condition), None) => condition.as_bytes() != tag.as_bytes(),
        (Some(_), Some(_)) => true,
    }
}

/// Other units than bytes are ignored, and so are several satisfiable parts: their response would
/// be multipart, and a server may ignore any range (§14.2).
fn range(fields: &HeaderMap, length: u64) -> Wanted {
    let mut values = fields.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Wanted::Whole };
    let Some(ranges) = value.to_str().ok().and_then(|text| parse_range_header(text).ok()) else {
        return Wanted::Whole;
    };
    match ranges.validate(length).as_deref() {
        Ok([part]) => {
            let count = part.end().saturating_sub(*part.start()).saturating_add(1);
            Wanted::Part(*part.start(), count)
        }
        Err(RangeUnsatisfiableError::Unsatisfiable) => {
            Wanted::Nothing(StatusCode::RANGE_NOT_SATISFIABLE)
        }
        // No `Content-Range` names the last bytes of an empty file.
        Ok(_) | Err(_) => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(pairs: &[(&'static str, &str)]) -> Wanted {
        let fields = pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        wanted(&fields, "\"now\"", 10, false)
    }

    #[test]
    fn ranges_are_cut_to_the_file() {
        for (text, expected) in [
            ("bytes=0-", Some((0, 10))),
            ("bytes=2-4", Some((2, 3))),
            ("bytes=2-400", Some((2, 8))),
            ("bytes=-3", Some((7, 3))),
            ("bytes=-30", Some((0, 10))),
            ("bytes=9-9", Some((9, 1))),
            ("bytes=10-", None),
            ("bytes=-0", None),
            ("bytes=18446744073709551615-", None),
            ("bytes=0-18446744073709551615", Some((0, 10))),
            ("BYTES=2-4", Some((2, 3))),
            ("bytes=-99999999999999999999", Some((0, 10))),
            ("bytes=99999999999999999999-", None),
            ("bytes=90-,2-4", Some((2, 3))),
            ("bytes=2-4, ", Some((2, 3))),
            ("bytes=90-,91-", None),
            ("bytes=-0,91-", None),
        ] {
            let expected = match expected {
                Some((first, count)) => Wanted::Part(first, count),
                None => Wanted::Nothing(StatusCode::RANGE_NOT_SATISFIABLE),
            };
            assert_eq!(ask(&[("range", text)]), expected, "{text}");
        }
        for text in [
            "",
            "bytes=",
            "bytes=a-",
            "bytes=4-2",
            "bytes=1-2,4-5",
            "bytes=0-,0-,0-,0-",
            "bytes=1-2,x",
            "items=0-1",
            "bytes=+1-2",
            "bytes=--1",
        ] {
            assert_eq!(ask(&[("range", text)]), Wanted::Whole, "{text}");
        }
        assert_eq!(ask(&[("range", "bytes=0-1"), ("range", "bytes=2-3")]), Wanted::Whole);
    }

    #[test]
    fn a_range_of_an_empty_file_or_of_a_head_is_none() {
        let fields = [(RANGE, "bytes=0-".parse().unwrap())].into_iter().collect();
        let tag = "\"now\"";
        let nothing = Wanted::Nothing(StatusCode::RANGE_NOT_SATISFIABLE);
        for (text, expected) in [("bytes=-5", Wanted::Whole), ("bytes=-0", nothing)] {
            let fields = [(RANGE, text.parse().unwrap())].into_iter().collect();
            assert_eq!(wanted(&fields, tag, 0, false), expected, "{text}");
        }
        assert_eq!(wanted(&fields, tag, 0, false), nothing);
        assert_eq!(wanted(&fields, tag, 10, true), Wanted::Whole);
    }

    #[test]
    fn a_part_is_sent_only_to_who_has_the_rest_of_the_same_file() {
        let part = Wanted::Part(3, 7);
        for (condition, expected) in [
            ("\"now\"", part),
            ("\"x\"", Wanted::Whole),
            ("W/\"now\"", Wanted::Whole),
            ("Mon, 01 Jan 1990 00:00:00 GMT", Wanted::Whole),
            ("rubbish", Wanted::Whole),
            ("now", Wanted::Whole),
            ("\"NOW\"", Wanted::Whole),
            ("*", Wanted::Whole),
            ("\"n w\"", Wanted::Whole),
            ("\"now\", \"now\"", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            let asked = ask(&[("range", "bytes=3-"), ("if-range", condition)]);
            assert_eq!(asked, expected, "{condition}");
        }
        assert_eq!(ask(&[("range", "bytes=3-")]), part);
        assert_eq!(ask(&[("if-range", "\"now\"")]), Wanted::Whole);
        let twice = [("if-range", "\"now\""), ("range", "bytes=3-"), ("if-range", "\"x\"")];
        assert_eq!(ask(&twice), Wanted::Whole);
    }

    #[test]
    fn preconditions_come_in_the_order_of_the_standard() {
        let (failed, same) = (StatusCode::PRECONDITION_FAILED, StatusCode::NOT_MODIFIED);
        for (pairs, expected) in [
            (&[("if-match", "\"now\"")][..], None),
            (&[("if-match", "\"a\", \"now\"")], None),
            (&[("if-match", "*")], None),
            (&[("if-match", "\"x\"")], Some(failed)),
            (&[("if-match", "W/\"now\"")], Some(failed)),
            (&[("if-none-match", "\"now\"")], Some(same)),
            (&[("if-none-match", "W/\"now\"")], Some(same)),
            (&[("if-none-match", "\"x\", \"now\"")], Some(same)),
            (&[("if-none-match", "*")], Some(same)),
            (&[("if-none-match", "\"x\"")], None),
            (&[("if-none-match", "now")], None),
            (&[("if-none-match", "w/\"now\"")], None),
            (&[("if-none-match", "\"a,b\" ,, W/\"now\"")], Some(same)),
            (&[("if-none-match", "\"é\", \"now\"")], Some(same)),
            (&[("if-none-match", "\"x\""), ("if-none-match", "\"now\"")], Some(same)),
            (&[("if-none-match", "\"n w\"")], None),
            (&[("if-none-match", "*, \"x\"")], None),
            (&[("if-none-match", "")], None),
            (&[("if-match", "\"x\""), ("if-match", ",\"now\",")], None),
            (&[("if-match", "\"é\", \"now\"")], None),
            (&[("if-match", "\"n\tw\"")], Some(failed)),
            (&[("if-match", "now")], Some(failed)),
            (&[("if-match", "")], Some(failed)),
            (&[("if-match", "*, \"x\"")], Some(failed)),
            (&[("if-match", "\"x\""), ("if-none-match", "\"now\"")], Some(failed)),
            (&[("if-match", "\"now\""), ("if-none-match", "\"now\"")], Some(same)),
            (&[("if-none-match", "\"now\""), ("range", "bytes=90-")], Some(same)),
            (&[("if-modified-since", "Mon, 01 Jan 2090 00:00:00 GMT")], None),
            (&[("if-unmodified-since", "Mon, 01 Jan 1990 00:00:00 GMT")], None),
        ] {
            let expected = expected.map_or(Wanted::Whole, Wanted::Nothing);
            assert_eq!(ask(pairs), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_listing_exists_but_has_no_tag() {
        let judge = |name: &'static str, value: &str| {
            let name = http::HeaderName::from_static(name);
            precondition(&[(name, value.parse().unwrap())].into_iter().collect(), None)
        };
        assert_eq!(judge("if-match", "*"), None);
        assert_eq!(judge("if-match", "\"x\""), Some(StatusCode::PRECONDITION_FAILED));
        assert_eq!(judge("if-none-match", "*"), Some(StatusCode::NOT_MODIFIED));
        assert_eq!(judge("if-none-match", "\"x\""), None);
    }
}
