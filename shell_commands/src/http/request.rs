//! A request as a server understands it, and the reasons to refuse it. Pure: bytes in, values out.

use httparse::{EMPTY_HEADER, Status};

use super::target;
use crate::limits;

/// What a client asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Only the head of the answer is wanted (HEAD).
    pub head_only: bool,
    /// The path below the served directory.
    pub path: String,
    /// The target as it came, for the log and for redirects.
    pub target: String,
    /// The part of the file that is wanted.
    pub range: Option<Range>,
    /// More requests may follow on this connection.
    pub keep_alive: bool,
}

/// A part of a file (RFC 9110 §14.1.2); more than one part at once counts as none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// From the first byte to the last one, which may lie beyond the end.
    From(u64, Option<u64>),
    /// So many bytes before the end.
    Last(u64),
}

/// Why a request gets another answer than a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// 400
    BadRequest,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 414
    TargetTooLong,
    /// 431
    HeadTooLong,
    /// 500
    Failed,
    /// 505
    VersionNotSupported,
}

impl Refusal {
    /// Code and reason.
    #[must_use]
    pub const fn line(self) -> &'static str {
        match self {
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::TargetTooLong => "414 URI Too Long",
            Self::HeadTooLong => "431 Request Header Fields Too Large",
            Self::Failed => "500 Internal Server Error",
            Self::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }
}

/// The refusal of a head that is longer than we read: the target or the fields are to blame.
#[must_use]
pub fn too_long(head: &[u8]) -> Refusal {
    let line = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
    if line > limits::HTTP_TARGET_BYTES { Refusal::TargetTooLong } else { Refusal::HeadTooLong }
}

/// Reads a whole head.
///
/// # Errors
/// What to answer instead; the connection ends after it.
pub fn parse(head: &[u8]) -> Result<Request, Refusal> {
    let mut headers = [EMPTY_HEADER; limits::HTTP_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(Status::Complete(_)) => {}
        Ok(Status::Partial) => return Err(Refusal::BadRequest),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLong),
        Err(httparse::Error::Version) => return Err(Refusal::VersionNotSupported),
        Err(_) => return Err(Refusal::BadRequest),
    }
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(Refusal::BadRequest);
    };
    if target.len() > limits::HTTP_TARGET_BYTES {
        return Err(Refusal::TargetTooLong);
    }
    let head_only = match method {
        "GET" => false,
        "HEAD" => true,
        _ => return Err(Refusal::MethodNotAllowed),
    };
    let field = |name: &str| {
        let mut found =
            parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let value = found.next().and_then(|header| std::str::from_utf8(header.value).ok());
        (value.map(str::trim), found.next().is_some())
    };
    // RFC 9112 §3.2: exactly one Host since version 1.1.
    let (host, is_repeated) = field("Host");
    if version == 1 && (host.is_none() || is_repeated) {
        return Err(Refusal::BadRequest);
    }
    let (length, _) = field("Content-Length");
    let has_body =
        field("Transfer-Encoding").0.is_some() || length.is_some_and(|length| length != "0");
    let connection = field("Connection").0.unwrap_or_default().to_ascii_lowercase();
    let says = |word: &str| connection.split(',').any(|part| part.trim() == word);
    Ok(Request {
        head_only,
        path: target::path(target).ok_or(Refusal::BadRequest)?,
        target: target.to_owned(),
        range: field("Range").0.and_then(range).filter(|_| !head_only),
        // A body that we do not read must not be taken for the next request.
        keep_alive: !has_body && if version == 1 { !says("close") } else { says("keep-alive") },
    })
}

fn range(text: &str) -> Option<Range> {
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse::<u64>().ok() } else { None }
    };
    match text.strip_prefix("bytes=")?.trim().split_once('-')? {
        ("", last) => number(last).map(Range::Last),
        (first, "") => Some(Range::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first { None } else { Some(Range::From(first, Some(last))) }
        }
    }
}

impl Range {
    /// First byte and number of bytes of the part in a file of `length` bytes; `None` when there is
    /// nothing.
    #[must_use]
    pub fn within(self, length: u64) -> Option<(u64, u64)> {
        let (first, count) = match self {
            Self::From(first, last) => {
                let end = last.map_or(length, |last| last.saturating_add(1).min(length));
                (first, end.saturating_sub(first))
            }
            Self::Last(count) => (length.saturating_sub(count), count.min(length)),
        };
        if count == 0 { None } else { Some((first, count)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(fields: &str) -> Result<Request, Refusal> {
        parse(format!("GET /a%20b HTTP/1.1\r\nHost: x\r\n{fields}\r\n").as_bytes())
    }

    #[test]
    fn requests_are_understood() {
        let request = get("").unwrap();
        assert_eq!(
            (request.path.as_str(), request.head_only, request.keep_alive),
            ("a b", false, true)
        );
        assert!(!get("Connection: foo, Close\r\n").unwrap().keep_alive);
        assert!(!get("Content-Length: 5\r\n").unwrap().keep_alive);
        assert!(!get("Transfer-Encoding: chunked\r\n").unwrap().keep_alive);
        let old = parse(b"HEAD / HTTP/1.0\r\n\r\n").unwrap();
        assert!(old.head_only && !old.keep_alive);
        assert!(parse(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").unwrap().keep_alive);
    }

    #[test]
    fn hostile_requests_are_refused() {
        let long =
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(limits::HTTP_TARGET_BYTES));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(limits::HTTP_HEADERS + 1));
        for (text, refusal) in [
            ("GET / HTTP/1.1\r\n\r\n", Refusal::BadRequest),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Refusal::BadRequest),
            ("GET / HTTP/2.0\r\n\r\n", Refusal::VersionNotSupported),
            ("POST / HTTP/1.1\r\nHost: x\r\n\r\n", Refusal::MethodNotAllowed),
            ("GET /../etc HTTP/1.1\r\nHost: x\r\n\r\n", Refusal::BadRequest),
            ("GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", Refusal::BadRequest),
            ("\0\0\0\0\r\n\r\n", Refusal::BadRequest),
            ("GET\r\n\r\n", Refusal::BadRequest),
            (&long, Refusal::TargetTooLong),
            (&many, Refusal::HeadTooLong),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(refusal), "{text:.40}");
        }
        assert_eq!(too_long(&[b'a'; limits::HTTP_TARGET_BYTES + 1]), Refusal::TargetTooLong);
        assert_eq!(too_long(b"GET / HTTP/1.1\r\nx: y"), Refusal::HeadTooLong);
    }

    #[test]
    fn every_damaged_request_gets_an_answer_and_no_panic() {
        let good = b"GET /a%20b?c HTTP/1.1\r\nHost: x\r\nRange: bytes=1-2\r\n\r\n";
        for place in 0..good.len() {
            for byte in [0, b'%', b'\n', b' ', 0xff] {
                let mut damaged = good.to_vec();
                damaged[place] = byte;
                let _ = parse(&damaged);
            }
            let _ = parse(&good[..place]);
        }
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
        ] {
            assert_eq!(range(text).unwrap().within(10), expected, "{text}");
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
            assert_eq!(range(text), None, "{text}");
        }
    }
}
