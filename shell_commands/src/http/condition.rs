//! Evaluates preconditions and ranges (RFC 9110 §13, §14). Pure.
//!
//! Files have no modification time, so only entity tags count; a condition on a time is ignored, as
//! §13.1.3 and §13.1.4 require.

use headers::{ETag, HeaderMapExt, IfMatch, IfNoneMatch, IfRange};
use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, StatusCode};
use http_range_header::parse_range_header;

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

/// Evaluates the preconditions in the order of §13.2.2. A generated response has no tag.
#[must_use]
pub fn precondition(fields: &HeaderMap, tag: Option<&ETag>) -> Option<StatusCode> {
    if let Some(condition) = fields.typed_get::<IfMatch>() {
        let passes = match tag {
            Some(tag) => condition.precondition_passes(tag),
            None => condition.is_any(),
        };
        if !passes {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
    }
    let condition = fields.typed_get::<IfNoneMatch>()?;
    let passes = match tag {
        Some(tag) => condition.precondition_passes(tag),
        None => condition != IfNoneMatch::any(),
    };
    if passes { None } else { Some(StatusCode::NOT_MODIFIED) }
}

/// Selects the part of a file of `length` bytes to send.
#[must_use]
pub fn wanted(fields: &HeaderMap, tag: &ETag, length: u64, head_only: bool) -> Wanted {
    if let Some(status) = precondition(fields, Some(tag)) {
        return Wanted::Nothing(status);
    }
    // Only a strong match proves that the client's part belongs to this version.
    let is_other = fields.contains_key(IF_RANGE)
        && fields
            .typed_get::<IfRange>()
            .is_none_or(|condition| condition.is_modified(Some(tag), None));
    // A range of HEAD means nothing (§14.2).
    if head_only || is_other { Wanted::Whole } else { range(fields, length) }
}

/// Several parts, and other units than bytes, are ignored.
fn range(fields: &HeaderMap, length: u64) -> Wanted {
    let mut values = fields.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Wanted::Whole };
    let Some(ranges) = value.to_str().ok().and_then(|text| parse_range_header(text).ok()) else {
        return Wanted::Whole;
    };
    if ranges.len() > 1 {
        return Wanted::Whole;
    }
    let valid = ranges.validate(length).ok();
    match valid.as_deref().and_then(<[_]>::first) {
        Some(part) => {
            let count = part.end().saturating_sub(*part.start()).saturating_add(1);
            Wanted::Part(*part.start(), count)
        }
        None => Wanted::Nothing(StatusCode::RANGE_NOT_SATISFIABLE),
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
        wanted(&fields, &"\"now\"".parse().unwrap(), 10, false)
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
        let tag = "\"now\"".parse().unwrap();
        let nothing = Wanted::Nothing(StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(wanted(&fields, &tag, 0, false), nothing);
        assert_eq!(wanted(&fields, &tag, 10, true), Wanted::Whole);
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
            ("", Wanted::Whole),
        ] {
            let asked = ask(&[("range", "bytes=3-"), ("if-range", condition)]);
            assert_eq!(asked, expected, "{condition}");
        }
        assert_eq!(ask(&[("range", "bytes=3-")]), part);
        assert_eq!(ask(&[("if-range", "\"now\"")]), Wanted::Whole);
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
