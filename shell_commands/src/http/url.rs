//! URLs as users type them: `http://HOST[:PORT]/PATH`.
//!
//! `fluent-uri` parses and resolves them by RFC 3986. It is strict; invalid bytes are
//! percent-encoded before, as in browsers.

use std::borrow::Cow;
use std::fmt;

use fluent_uri::{Uri, UriRef};
use percent_encoding::{percent_decode_str, percent_encode_byte};

/// A URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// Absolute, with a host, without a fragment.
    uri: Uri<String>,
    port: u16,
    /// The zone of a link-local address, which is never sent (RFC 6874 §3).
    zone: Option<String>,
}

/// The error of a URL that we cannot fetch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UrlError {
    /// A scheme other than `http`.
    Scheme,
    /// No host, a bad port, or invalid characters.
    Malformed,
}

impl fmt::Display for UrlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Scheme => "not an http URL",
            Self::Malformed => "bad URL",
        })
    }
}

/// The ASCII that RFC 3986 allows nowhere.
fn is_forbidden(byte: u8) -> bool {
    byte.is_ascii_control() || b" \"<>\\^`{|}".contains(&byte)
}

impl Url {
    /// Parses a URL; the default scheme is `http`.
    ///
    /// # Errors
    /// See [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        // A typed control character is a mistake, or an attempt to end the request line.
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(UrlError::Malformed);
        }
        let (text, zone) = split_zone(text);
        let is_scheme = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let text = match text.split_once("://") {
            Some((scheme, _)) if is_scheme(scheme) => text,
            _ => format!("http://{text}"),
        };
        let uri = Uri::parse(encode(text.as_bytes())).map_err(|_| UrlError::Malformed)?;
        // Against any base, this removes `.` and `..` only (RFC 3986 §5.2.2).
        let plain =
            UriRef::from(uri.borrow()).resolve_against(&uri).map_err(|_| UrlError::Malformed)?;
        Self::check(plain, zone)
    }

    /// Resolves a `Location` against this URL (RFC 3986 §5.2).
    ///
    /// # Errors
    /// See [`UrlError`].
    pub fn join(&self, location: &[u8]) -> Result<Self, UrlError> {
        let text = encode(location.trim_ascii());
        let reference = UriRef::parse(text).map_err(|_| UrlError::Malformed)?;
        // The zone belongs to the typed address.
        let zone = self.zone.clone().filter(|_| !reference.has_authority());
        let joined = reference.resolve_against(&self.uri).map_err(|_| UrlError::Malformed)?;
        Self::check(joined, zone)
    }

    fn check(mut uri: Uri<String>, zone: Option<String>) -> Result<Self, UrlError> {
        if !uri.scheme().as_str().eq_ignore_ascii_case("http") {
            return Err(UrlError::Scheme);
        }
        uri.set_fragment(None);
        let authority = uri.authority().ok_or(UrlError::Malformed)?;
        let port = authority.port_to_u16().map_err(|_| UrlError::Malformed)?.unwrap_or(80);
        let has_user = authority.has_userinfo();
        let url = Self { uri, port, zone };
        if has_user || port == 0 || !url.is_host() {
            return Err(UrlError::Malformed);
        }
        Ok(url)
    }

    /// True if a name server or the terminal may see the host: what is escaped in a name must not
    /// be what ends one, nor a control character.
    fn is_host(&self) -> bool {
        let name = self.name();
        let is_forbidden = |letter: char| {
            letter.is_control() || letter == '\u{fffd}' || " /?#@:%[]".contains(letter)
        };
        !name.is_empty() && (name.starts_with('[') || !name.contains(is_forbidden))
    }

    /// The host without escapes, IPv6 in brackets and without its zone.
    fn name(&self) -> Cow<'_, str> {
        let host = self.uri.authority().map_or("", |authority| authority.host());
        percent_decode_str(host).decode_utf8_lossy()
    }

    /// Returns the host: a name or an address, IPv6 without brackets and with its zone.
    #[must_use]
    pub fn host(&self) -> String {
        let name = self.name();
        let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let name = inner.unwrap_or(&name);
        match &self.zone {
            Some(zone) => format!("{name}%{zone}"),
            None => name.to_owned(),
        }
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, from the first `/` on.
    #[must_use]
    pub fn target(&self) -> String {
        let path = self.uri.path().as_str();
        let slash = if path.starts_with('/') { "" } else { "/" };
        match self.uri.query() {
            Some(query) => format!("{slash}{path}?{query}"),
            None => format!("{slash}{path}"),
        }
    }

    /// Returns host and port for the `Host` field.
    #[must_use]
    pub fn authority(&self) -> String {
        let name = self.name();
        let escaped = self.uri.authority().map_or("", |authority| authority.host());
        let host = if name.is_ascii() { &name } else { escaped };
        if self.port == 80 { host.to_owned() } else { format!("{host}:{}", self.port) }
    }

    /// True if one server serves both, so that it may get the same credentials.
    #[must_use]
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.port == other.port && self.host().eq_ignore_ascii_case(&other.host())
    }

    /// The name under which the document is saved: the last part of the path, or `index.html`.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.uri
            .path()
            .as_str()
            .rsplit('/')
            .next()
            .filter(|name| !matches!(*name, "" | "." | ".."))
            .unwrap_or("index.html")
    }
}

/// Removes the zone from `[ADDRESS%ZONE]`.
fn split_zone(text: &str) -> (String, Option<String>) {
    let found = text.split_once('[').and_then(|(front, rest)| {
        let (inner, behind) = rest.split_once(']')?;
        let (address, zone) = inner.split_once('%')?;
        let is_host = front.is_empty() || front.ends_with("://");
        // In a URI the sign is encoded (RFC 6874 §2); people type it as it is.
        let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
        is_host.then(|| (format!("{front}[{address}]{behind}"), Some(zone.to_owned())))
    });
    found.unwrap_or_else(|| (text.to_owned(), None))
}

/// Percent-encodes invalid characters, and drops the fragment. Escapes stay; a `%` that begins none
/// is encoded.
fn encode(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == b'#').next().unwrap_or_default();
    let path = start_of_path(bytes);
    let mut text = String::with_capacity(bytes.len());
    for (place, byte) in bytes.iter().copied().enumerate() {
        let is_allowed = match byte {
            b'%' => bytes
                .get(place + 1..place + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
            // Only the host can be in brackets.
            b'[' | b']' => place < path,
            byte => byte.is_ascii() && !is_forbidden(byte),
        };
        if is_allowed {
            text.push(char::from(byte));
        } else {
            text.push_str(percent_encode_byte(byte));
        }
    }
    text
}

/// Returns the start of the path: after `SCHEME://HOST` or `//HOST`, or 0.
fn start_of_path(bytes: &[u8]) -> usize {
    let is_separator = |byte: &u8| matches!(byte, b'/' | b'?');
    let first = bytes.iter().position(is_separator).unwrap_or(0);
    let (front, rest) = bytes.split_at(first);
    match rest.strip_prefix(b"//") {
        Some(host) if front.is_empty() || front.ends_with(b":") => {
            first + 2 + host.iter().position(is_separator).unwrap_or(host.len())
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &Url) -> (String, u16, String) {
        (url.host(), url.port(), url.target())
    }

    #[test]
    fn urls_are_understood() {
        for (text, host, port, target, name) in [
            ("http://web.lan/", "web.lan", 80, "/", "index.html"),
            ("web.lan", "web.lan", 80, "/", "index.html"),
            ("http://web.lan:81/a/b.txt?x=1#y", "web.lan", 81, "/a/b.txt?x=1", "b.txt"),
            ("HTTP://10.0.2.4/1M", "10.0.2.4", 80, "/1M", "1M"),
            ("http://[fd00:2::4]:8080/x/..", "fd00:2::4", 8080, "/", "index.html"),
            ("h/a/./b/../../../c?/../d", "h", 80, "/c?/../d", "c"),
            ("http://h?q=a/b", "h", 80, "/?q=a/b", "index.html"),
            ("h:81/x", "h", 81, "/x", "x"),
            ("http://h:/x", "h", 80, "/x", "x"),
        ] {
            let url = Url::parse(text).unwrap();
            let found = (url.host(), url.port(), url.target(), url.file_name());
            assert_eq!(found, (host.to_owned(), port, target.to_owned(), name), "{text}");
        }
        assert_eq!(Url::parse("http://[::1]:81/").unwrap().authority(), "[::1]:81");
        assert_eq!(Url::parse("http://[::1]/").unwrap().authority(), "[::1]");
        assert_eq!(Url::parse("http://%77eb.lan:81/").unwrap().authority(), "web.lan:81");
        assert_eq!(Url::parse("http://büro/").unwrap().authority(), "b%C3%BCro");
    }

    #[test]
    fn a_zone_stays_off_the_wire() {
        let url = Url::parse("http://[fe80::9%eth1]:81/a%20b").unwrap();
        assert_eq!(parts(&url), ("fe80::9%eth1".to_owned(), 81, "/a%20b".to_owned()));
        assert_eq!(url.authority(), "[fe80::9]:81");
        assert_eq!(url.join(b"/x").unwrap().host(), "fe80::9%eth1");
        assert_eq!(url.join(b"//[fe80::9]/x").unwrap().host(), "fe80::9");
        // As a URI has it (RFC 6874 §2).
        let url = Url::parse("http://[fe80::9%25eth1]/").unwrap();
        assert_eq!((url.host().as_str(), url.authority()), ("fe80::9%eth1", "[fe80::9]".into()));
    }

    #[test]
    fn what_is_none_is_refused() {
        assert_eq!(Url::parse("https://x/"), Err(UrlError::Scheme));
        assert_eq!(Url::parse("ftp://x/"), Err(UrlError::Scheme));
        for text in [
            "",
            "http://",
            "http:///x",
            "http://a:0/",
            "http://a:99999/",
            "http://a:x/",
            "http://u:p@a/",
            "http://a/\r\nX: y",
            "http://a/\tb",
            "[::1",
            "http://[x]/",
            "http://a%0ab/",
            "http://a%1b[31m/",
            "http://a%2fb/",
            "http://a%40b/",
            "http://a%ff/",
            "http://a b/",
        ] {
            assert_eq!(Url::parse(text), Err(UrlError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn what_a_url_cannot_hold_is_encoded() {
        let url = Url::parse("http://h/a b/ä?c=\"|[d]%zz%41").unwrap();
        assert_eq!(url.target(), "/a%20b/%C3%A4?c=%22%7C%5Bd%5D%25zz%41");
        let base = Url::parse("http://a/d/f").unwrap();
        for (location, expected) in [
            (&b"/a b"[..], "/a%20b"),
            (b"/caf\xc3\xa9", "/caf%C3%A9"),
            (b"/caf\xe9", "/caf%E9"),
            (b"  /x ", "/x"),
            (b"/a%20b", "/a%20b"),
            (b"/a\tb", "/a%09b"),
            (b"/[1]", "/%5B1%5D"),
            (b"/100%", "/100%25"),
            (b"/%e9%C3\xa9", "/%e9%C3%A9"),
            (b"/a  b?c d#e f", "/a%20%20b?c%20d"),
            (b"\t/x\t", "/x"),
            (b"?q=caf\xc3\xa9 \"<>", "/d/f?q=caf%C3%A9%20%22%3C%3E"),
            (b"caf\xe9/..", "/d/"),
            (b"/a\r\nX: y", "/a%0D%0AX:%20y"),
            (b"/\x7f\x01", "/%7F%01"),
            (b"\\\\evil\\x", "/d/%5C%5Cevil%5Cx"),
        ] {
            assert_eq!(base.join(location).unwrap().target(), expected);
        }
    }

    #[test]
    fn redirects_are_relative_to_where_they_come_from() {
        let base = Url::parse("http://a:81/x/y?z").unwrap();
        for (location, expected) in [
            ("http://b/c", ("b", 80, "/c")),
            ("//b/c", ("b", 80, "/c")),
            ("/c", ("a", 81, "/c")),
            ("c", ("a", 81, "/x/c")),
            ("", ("a", 81, "/x/y?z")),
            ("#f", ("a", 81, "/x/y?z")),
            ("HTTP://a:81/q", ("a", 81, "/q")),
            ("/login?next=http://a/b", ("a", 81, "/login?next=http://a/b")),
            ("login?u=a://b", ("a", 81, "/x/login?u=a://b")),
            ("?page=2", ("a", 81, "/x/y?page=2")),
            ("/p#frag", ("a", 81, "/p")),
            ("http://a:81/x/../../q/./r", ("a", 81, "/q/r")),
            ("//b:82/x/..", ("b", 82, "/")),
            ("?a=/../b", ("a", 81, "/x/y?a=/../b")),
            ("?", ("a", 81, "/x/y?")),
            ("/x:y/z", ("a", 81, "/x:y/z")),
            ("./x:y", ("a", 81, "/x/x:y")),
            ("http://A", ("A", 80, "/")),
            ("http://a?b", ("a", 80, "/?b")),
        ] {
            let url = base.join(location.as_bytes()).unwrap();
            let (host, port, target) = parts(&url);
            assert_eq!((host.as_str(), port, target.as_str()), expected, "{location}");
        }
        for location in ["https://b/", "mailto:a@b", "ftp://x/", "g:h", "HTTPS:", "x:y/z"] {
            assert_eq!(base.join(location.as_bytes()), Err(UrlError::Scheme), "{location}");
        }
        for location in
            ["http:g", "http:/g", "http:", "///x", "http://", "//", "//u:p@a/", "//a:99999/"]
        {
            assert_eq!(base.join(location.as_bytes()), Err(UrlError::Malformed), "{location}");
        }
    }

    /// The table of RFC 3986 §5.4, with `http://a/b/c/d;p?q` as the base.
    #[test]
    fn references_resolve_as_the_table_of_the_standard_says() {
        let base = Url::parse("http://a/b/c/d;p?q").unwrap();
        for (reference, target) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            ("g?y#s", "/b/c/g?y"),
            (";x", "/b/c/;x"),
            ("g;x", "/b/c/g;x"),
            ("g;x?y#s", "/b/c/g;x?y"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../", "/"),
            ("../../g", "/g"),
            ("../../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            (".g", "/b/c/.g"),
            ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("./g/.", "/b/c/g/"),
            ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/./y", "/b/c/g;x=1/y"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/./x", "/b/c/g?y/./x"),
            ("g?y/../x", "/b/c/g?y/../x"),
            ("g#s/../x", "/b/c/g"),
        ] {
            let url = base.join(reference.as_bytes()).unwrap();
            assert_eq!((url.host().as_str(), url.target().as_str()), ("a", target), "{reference}");
        }
        assert_eq!(base.join(b"//g").unwrap().host(), "g");
    }
}
