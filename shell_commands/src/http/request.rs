//! Validates requests, and refuses invalid ones. Pure: heads in, values out.

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Version};

use super::target;
use crate::limits;

/// A valid request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Only the head of the response is requested (HEAD).
    pub head_only: bool,
    /// The path below the served directory.
    pub path: String,
    /// The path as received, percent-encoded.
    pub target: String,
    /// The query after `?`.
    pub query: Option<String>,
    /// All fields, preconditions among them.
    pub fields: HeaderMap,
}

impl Request {
    /// Validates a head.
    ///
    /// # Errors
    /// The status of the refusal, after which the connection ends.
    pub fn new(head: Parts) -> Result<Self, StatusCode> {
        let (path, query) = (head.uri.path(), head.uri.query());
        if path.len() + query.map_or(0, str::len) > limits::HTTP_TARGET_BYTES {
            return Err(StatusCode::URI_TOO_LONG);
        }
        let head_only = match head.method {
            Method::GET => false,
            Method::HEAD => true,
            _ => return Err(StatusCode::METHOD_NOT_ALLOWED),
        };
        if !has_host(&head) {
            return Err(StatusCode::BAD_REQUEST);
        }
        Ok(Self {
            head_only,
            path: target::path(path).ok_or(StatusCode::BAD_REQUEST)?,
            target: path.to_owned(),
            query: query.map(str::to_owned),
            fields: head.headers,
        })
    }
}

/// RFC 9112 §3.2: exactly one valid `Host` since version 1.1, and never two.
fn has_host(head: &Parts) -> bool {
    let mut values = head.headers.get_all(HOST).iter();
    match (values.next(), values.next()) {
        (None, _) => head.version < Version::HTTP_11,
        (Some(value), None) => {
            let authority = Authority::try_from(value.as_bytes());
            value.is_empty() || authority.is_ok_and(|host| !host.as_str().contains('@'))
        }
        (Some(_), Some(_)) => false,
    }
}

/// The status for bytes that are not a valid head.
#[must_use]
pub fn unreadable(head: &[u8], is_too_long: bool) -> StatusCode {
    if is_too_long {
        return too_long(head);
    }
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let version = line.trim_ascii_end().rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    match version.strip_prefix(b"HTTP/") {
        Some(b"1.0" | b"1.1") | None => StatusCode::BAD_REQUEST,
        Some(_) => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
    }
}

/// The refusal of a head that is longer than we read: the target or the fields are to blame.
#[must_use]
pub fn too_long(head: &[u8]) -> StatusCode {
    let line = head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len());
    if line > limits::HTTP_TARGET_BYTES {
        StatusCode::URI_TOO_LONG
    } else {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &str, fields: &[(&str, &str)]) -> Result<Request, StatusCode> {
        let mut request = http::Request::builder().uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        Request::new(request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn every_form_of_target_names_a_path() {
        for (target, expected) in [
            ("/a%20b?x=/../y", Some("a b")),
            ("http://web.lan/x", Some("x")),
            ("http://web.lan", Some("")),
            ("HTTP://web.lan?x", Some("")),
            ("web.lan:80", None),
            ("*", None),
        ] {
            let request = head(target, &[("host", "x")]);
            assert_eq!(
                request.as_ref().ok().map(|found| found.path.as_str()),
                expected,
                "{target}"
            );
        }
    }

    #[test]
    fn one_valid_host_is_needed() {
        for (values, accepted) in [
            (&["x"][..], true),
            (&["x:80"], true),
            (&["[::1]:80"], true),
            (&[""], true),
            (&[], false),
            (&["a", "b"], false),
            (&["a", "a"], false),
            (&["a b"], false),
            (&["a/b"], false),
            (&["user@a"], false),
        ] {
            let fields: Vec<_> = values.iter().map(|value| ("host", *value)).collect();
            assert_eq!(head("/", &fields).is_ok(), accepted, "{values:?}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused_by_what_is_wrong_with_it() {
        assert_eq!(too_long(&[b'a'; limits::HTTP_TARGET_BYTES + 1]), StatusCode::URI_TOO_LONG);
        let fields = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        assert_eq!(too_long(b"GET / HTTP/1.1\r\nx: y"), fields);
        for (text, status) in [
            ("GET / HTTP/2.0\r\n\r\n", StatusCode::HTTP_VERSION_NOT_SUPPORTED),
            ("\r\nGET / HTTP/0.9\r\n", StatusCode::HTTP_VERSION_NOT_SUPPORTED),
            ("GET / HTTP/1.1\r\na\0b: x\r\n", StatusCode::BAD_REQUEST),
            ("GET\r\n\r\n", StatusCode::BAD_REQUEST),
            ("", StatusCode::BAD_REQUEST),
        ] {
            assert_eq!(unreadable(text.as_bytes(), false), status, "{text:?}");
        }
    }
}
