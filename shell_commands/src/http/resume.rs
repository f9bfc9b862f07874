//! Where the body of a response belongs in a file that is there already (RFC 9110 §14.4, §15.3.7).
//! Pure.
//!
//! A server's word about ranges is checked before a byte is written: a part at another place, of
//! another length or in another coding would corrupt the file.

use std::fmt;

use headers::{ContentRange, HeaderMapExt};
use http::header::{CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use super::client::content_length;

/// What was requested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Requested {
    /// Bytes that the file has.
    pub offset: u64,
    /// The user's own `Range` was sent.
    pub has_range: bool,
    /// The user's own `Accept-Encoding` was sent.
    pub has_coding: bool,
}

/// The destination of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placed {
    /// In the file.
    At(Place),
    /// None: the file is complete.
    Complete,
}

/// A place in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// The bytes of the body, if the server sent a part.
    pub count: Option<u64>,
    /// The bytes of the whole document, if the server said so with a part.
    pub total: Option<u64>,
}

/// Why a response is not written into the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResumeError {
    /// The status is no success.
    Refused,
    /// The server has a document of another length: that of the file and that of the document.
    OtherLength(u64, u64),
    /// A part that nobody asked for, or whose length contradicts itself.
    OtherPart,
    /// A part or a document in a coding that nobody asked for.
    Coded,
    /// A success without a document.
    Nothing,
}

impl fmt::Display for ResumeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => formatter.write_str("server returned error"),
            Self::OtherLength(file, document) => {
                write!(formatter, "the file has {file} bytes, the document {document}: not resumed")
            }
            Self::OtherPart => {
                formatter.write_str("the server sent another part than was asked for")
            }
            Self::Coded => formatter.write_str("the server encoded the document: not resumed"),
            Self::Nothing => formatter.write_str("the server sent no document: not resumed"),
        }
    }
}

/// Finds the destination of a response's body.
///
/// # Errors
/// See [`ResumeError`].
pub fn placed(
    status: StatusCode,
    fields: &HeaderMap,
    requested: &Requested,
) -> Result<Placed, ResumeError> {
    let resumes = requested.offset > 0;
    if resumes && status.is_success() && is_coded(fields) && !requested.has_coding {
        return Err(ResumeError::Coded);
    }
    match status {
        StatusCode::RANGE_NOT_SATISFIABLE if resumes && !requested.has_range => {
            complete(fields, requested.offset)
        }
        // A range that the user requested is saved as a document.
        StatusCode::PARTIAL_CONTENT if resumes || !requested.has_range => {
            part(fields, requested.offset).map(Placed::At).ok_or(ResumeError::OtherPart)
        }
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT if resumes => Err(ResumeError::Nothing),
        status if status.is_success() => {
            Ok(Placed::At(Place { offset: 0, count: None, total: None }))
        }
        _ => Err(ResumeError::Refused),
    }
}

fn is_coded(fields: &HeaderMap) -> bool {
    fields.get_all(CONTENT_ENCODING).iter().any(|value| {
        let mut codings = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
    })
}

/// Judges that no byte follows the file (§15.5.17). A server need not say the length.
fn complete(fields: &HeaderMap, offset: u64) -> Result<Placed, ResumeError> {
    let range = fields.typed_get::<ContentRange>();
    match range.as_ref().and_then(ContentRange::bytes_len) {
        Some(length) if length != offset => Err(ResumeError::OtherLength(offset, length)),
        _ => Ok(Placed::Complete),
    }
}

/// Returns the place of a part that continues the file, if the fields agree about it.
fn part(fields: &HeaderMap, offset: u64) -> Option<Place> {
    let mut ranges = fields.get_all(CONTENT_RANGE).iter();
    let (Some(_), None) = (ranges.next(), ranges.next()) else { return None };
    let range = fields.typed_get::<ContentRange>()?;
    let (first, last) = range.bytes_range()?;
    let total = range.bytes_len();
    let count = last.checked_sub(first)?.checked_add(1)?;
    let fits = first == offset
        && total.is_none_or(|total| last < total)
        && content_length(fields).is_none_or(|length| length == count)
        && !is_multipart(fields);
    fits.then_some(Place { offset, count: Some(count), total })
}

/// True for a body of several parts, each with fields of its own (§14.6).
fn is_multipart(fields: &HeaderMap) -> bool {
    let kind = fields.get(CONTENT_TYPE).map(|value| value.as_bytes().trim_ascii_start());
    let kind = kind.and_then(|kind| kind.get(..b"multipart/".len()));
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESUMING: Requested = Requested { offset: 3, has_range: false, has_coding: false };

    fn judge(
        status: u16,
        fields: &[(&'static str, &str)],
        requested: &Requested,
    ) -> Result<Placed, ResumeError> {
        let mut all = HeaderMap::new();
        for (name, value) in fields {
            all.append(*name, value.parse().unwrap());
        }
        placed(StatusCode::from_u16(status).unwrap(), &all, requested)
    }

    fn at(offset: u64, count: Option<u64>, total: Option<u64>) -> Result<Placed, ResumeError> {
        Ok(Placed::At(Place { offset, count, total }))
    }

    #[test]
    fn only_the_part_that_continues_the_file_is_written() {
        let other = Err(ResumeError::OtherPart);
        for (fields, expected) in [
            (&[("content-range", "bytes 3-5/6")][..], at(3, Some(3), Some(6))),
            (&[("content-range", "bytes 3-5/*")], at(3, Some(3), None)),
            (&[("content-range", "bytes 3-4/6")], at(3, Some(2), Some(6))),
            (&[("content-range", "bytes 3-5/6"), ("content-length", "3")], at(3, Some(3), Some(6))),
            (&[("content-range", "bytes 3-5/6"), ("content-length", "4")], other),
            (&[("content-range", "bytes 2-5/6")], other),
            (&[("content-range", "bytes 4-5/6")], other),
            (&[("content-range", "bytes 0-5/6")], other),
            (&[("content-range", "bytes 3-6/6")], other),
            (&[("content-range", "bytes 3-2/6")], other),
            (&[("content-range", "bytes 3-99999999999999999999/*")], other),
            (&[("content-range", "bytes */6")], other),
            (&[("content-range", "bytes 3-5")], other),
            (&[("content-range", "items 3-5/6")], other),
            (&[("content-range", "rubbish")], other),
            (&[("content-range", "bytes 3-5/6"), ("content-range", "bytes 0-5/6")], other),
            (&[("content-type", "multipart/byteranges; boundary=x")], other),
            (
                &[
                    ("content-range", "bytes 3-5/6"),
                    ("content-type", "Multipart/ByteRanges; boundary=x"),
                ],
                other,
            ),
            (&[], other),
            (
                &[("content-range", "bytes 3-5/6"), ("content-encoding", "gzip")],
                Err(ResumeError::Coded),
            ),
            (
                &[("content-range", "bytes 3-5/6"), ("content-encoding", "Identity")],
                at(3, Some(3), Some(6)),
            ),
        ] {
            assert_eq!(judge(206, fields, &RESUMING), expected, "{fields:?}");
        }
        let start = Requested { offset: 0, ..RESUMING };
        let endless = [("content-range", "bytes 0-18446744073709551615/*")];
        assert_eq!(judge(206, &endless, &start), other);
        let asked = Requested { has_coding: true, ..RESUMING };
        let coded = [("content-range", "bytes 3-5/6"), ("content-encoding", "gzip")];
        assert_eq!(judge(206, &coded, &asked), at(3, Some(3), Some(6)));
    }

    #[test]
    fn a_file_is_complete_only_at_its_length() {
        for (fields, expected) in [
            (&[("content-range", "bytes */3")][..], Ok(Placed::Complete)),
            (&[("content-range", "bytes */2")], Err(ResumeError::OtherLength(3, 2))),
            (&[("content-range", "bytes */4")], Err(ResumeError::OtherLength(3, 4))),
            (&[], Ok(Placed::Complete)),
        ] {
            assert_eq!(judge(416, fields, &RESUMING), expected, "{fields:?}");
        }
        let start = Requested { offset: 0, ..RESUMING };
        let ranged = Requested { has_range: true, ..RESUMING };
        for requested in [start, ranged] {
            let refused = judge(416, &[("content-range", "bytes */3")], &requested);
            assert_eq!(refused, Err(ResumeError::Refused), "{requested:?}");
        }
    }

    #[test]
    fn whole_documents_replace_the_file() {
        let start = Requested { offset: 0, ..RESUMING };
        for requested in [RESUMING, start] {
            for status in [200, 203] {
                assert_eq!(judge(status, &[], &requested), at(0, None, None));
            }
            for status in [304, 301, 404, 500] {
                assert_eq!(judge(status, &[], &requested), Err(ResumeError::Refused));
            }
        }
        for status in [204, 205] {
            assert_eq!(judge(status, &[], &RESUMING), Err(ResumeError::Nothing));
            assert_eq!(judge(status, &[], &start), at(0, None, None));
        }
        let coded = [("content-encoding", "gzip")];
        assert_eq!(judge(200, &coded, &RESUMING), Err(ResumeError::Coded));
        assert_eq!(judge(200, &coded, &start), at(0, None, None));
        let ranged = Requested { has_range: true, ..start };
        assert_eq!(judge(206, &[], &ranged), at(0, None, None));
        assert_eq!(judge(206, &[], &start), Err(ResumeError::OtherPart));
    }
}
