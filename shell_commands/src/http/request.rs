//! Validates requests, and refuses invalid ones. Pure: heads in, values out.

use fluent_uri::UriRef;
use http::header::{HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderMap, Method, StatusCode, Version};

use super::target;
use crate::limits;

/// A valid request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Only the head of the response is requested (HEAD).
    pub head_only: bool,
    /// Its body is to change something (POST).
    pub is_change: bool,
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
    /// Validates a head; `takes_changes` tells below which paths something can be changed.
    ///
    /// # Errors
    /// The status of the refusal, after which the connection ends.
    pub fn new(head: Parts, takes_changes: impl FnOnce(&str) -> bool) -> Result<Self, StatusCode> {
        check_coding(&head.headers)?;
        check_authority(&head)?;
        let (path, query) = (head.uri.path(), head.uri.query());
        if path.len() + query.map_or(0, str::len) > limits::HTTP_TARGET_BYTES {
            return Err(StatusCode::URI_TOO_LONG);
        }
        let found = target::path(path);
        let (head_only, is_change) = match head.method {
            Method::GET => (false, false),
            Method::HEAD => (true, false),
            Method::POST if found.as_deref().is_some_and(takes_changes) => (false, true),
            _ => return Err(StatusCode::METHOD_NOT_ALLOWED),
        };
        Ok(Self {
            head_only,
            is_change,
            path: found.ok_or(StatusCode::BAD_REQUEST)?,
            target: path.to_owned(),
            query: query.map(str::to_owned),
            fields: head.headers,
        })
    }
}

/// Refuses every transfer coding but `chunked`, once (RFC 9112 §6.1, §7.1). `hyper` looks at the
/// last one only.
fn check_coding(fields: &HeaderMap) -> Result<(), StatusCode> {
    let values = fields.get_all(TRANSFER_ENCODING).iter();
    let mut codings = values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty());
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), _) if !coding.eq_ignore_ascii_case(b"chunked") => {
            Err(StatusCode::NOT_IMPLEMENTED)
        }
        (Some(_), None) => Ok(()),
        (Some(_), Some(_)) => Err(StatusCode::BAD_REQUEST),
    }
}

/// Requires exactly one valid `Host` since version 1.1, and never two (RFC 9112 §3.2). A target
/// with a scheme must be ours to answer, and has no user (RFC 9110 §4.2.4, §7.4).
fn check_authority(head: &Parts) -> Result<(), StatusCode> {
    let mut values = head.headers.get_all(HOST).iter();
    let has_host = match (values.next(), values.next()) {
        (None, _) => head.version < Version::HTTP_11,
        (Some(value), None) => value.is_empty() || is_authority(value.as_bytes()),
        (Some(_), Some(_)) => false,
    };
    let is_valid = head.uri.authority().is_none_or(|host| is_authority(host.as_str().as_bytes()));
    if !has_host || !is_valid {
        return Err(StatusCode::BAD_REQUEST);
    }
    match head.uri.scheme() {
        Some(scheme) if *scheme != Scheme::HTTP => Err(StatusCode::MISDIRECTED_REQUEST),
        _ => Ok(()),
    }
}

/// True for a host and perhaps a port, without a user (RFC 9110 §7.2).
fn is_authority(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let text = format!("//{text}");
    let Ok(reference) = UriRef::parse(text.as_str()) else { return false };
    let has_more =
        !reference.path().is_empty() || reference.has_query() || reference.has_fragment();
    let authority = reference.authority().filter(|_| !has_more);
    authority.is_some_and(|authority| {
        let port = authority.port_to_u16();
        !authority.has_userinfo() && !authority.host().is_empty() && port.is_ok()
    })
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
        // The line may not have come whole.
        Some(b"" | b"1" | b"1." | b"1.0" | b"1.1") | None => StatusCode::BAD_REQUEST,
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
        Request::new(request.body(()).unwrap().into_parts().0, |_| false)
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
            (&["x:"], true),
            (&["%41.b"], true),
            (&["x:abc"], false),
            (&["x:99999"], false),
            (&["a:1:2"], false),
            (&[":80"], false),
            (&["[zz]"], false),
            (&["[::1"], false),
            (&["fe80::1"], false),
            (&["[fe80::1%25eth0]"], false),
            (&["x%zz"], false),
            (&["a, b"], false),
            (&["x?y"], false),
            (&["http://x"], false),
        ] {
            let fields: Vec<_> = values.iter().map(|value| ("host", *value)).collect();
            assert_eq!(head("/", &fields).is_ok(), accepted, "{values:?}");
        }
    }

    #[test]
    fn a_target_of_another_scheme_or_with_a_user_is_refused() {
        for (target, status) in [
            ("https://x/", StatusCode::MISDIRECTED_REQUEST),
            ("ftp://x/", StatusCode::MISDIRECTED_REQUEST),
            ("http://u@x/", StatusCode::BAD_REQUEST),
            ("http://x:abc/", StatusCode::BAD_REQUEST),
        ] {
            assert_eq!(head(target, &[("host", "x")]), Err(status), "{target}");
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
            // Found by the fuzzer: the line has not come whole, so its version is not known yet.
            (" HTTP/1", StatusCode::BAD_REQUEST),
            (" HTTP/1.", StatusCode::BAD_REQUEST),
            ("\r\n HTTP/", StatusCode::BAD_REQUEST),
            ("", StatusCode::BAD_REQUEST),
        ] {
            assert_eq!(unreadable(text.as_bytes(), false), status, "{text:?}");
        }
    }
}
