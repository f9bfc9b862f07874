//! Request targets and paths: decoding that cannot escape, encoding for links.

use percent_encoding::{
    AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode,
};

/// All but the unreserved characters (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Decodes a target's path to a path below the served directory, without `.`, `..`, empty
/// components and a leading `/`. `None` for a path that is malformed or leads outside.
#[must_use]
pub fn path(encoded: &str) -> Option<String> {
    let decoded = decode(encoded).filter(|path| path.starts_with('/'))?;
    let mut parts = Vec::new();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Decodes `%XX`; `None` for a broken escape, a zero byte, or invalid UTF-8.
fn decode(text: &str) -> Option<String> {
    let is_whole = text.split('%').skip(1).all(|rest| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    if is_whole && !decoded.contains('\0') { Some(decoded.into_owned()) } else { None }
}

/// Encodes a name for a link.
#[must_use]
pub fn encode(name: &str) -> String {
    utf8_percent_encode(name, RESERVED).to_string()
}

/// Encodes only what a URL never holds raw: control characters and all beyond ASCII.
#[must_use]
pub fn ascii(text: &str) -> String {
    utf8_percent_encode(text, CONTROLS).to_string()
}

/// Escapes text for HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_become_paths() {
        for (target, expected) in [
            ("/", Some("")),
            ("/a/b", Some("a/b")),
            ("//a///b/", Some("a/b")),
            ("/a/./b/../c", Some("a/c")),
            ("/a%20b", Some("a b")),
            ("/%C3%A4", Some("ä")),
            ("/a%2fb", Some("a/b")),
            ("/..", None),
            ("/a/../../b", None),
            ("/%2e%2e/etc/passwd", None),
            ("/%2e%2e%2fetc", None),
            ("/%", None),
            ("/%2", None),
            ("/%zz", None),
            ("/%00", None),
            ("/%ff", None),
            ("a", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(path(target).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn names_survive_as_links() {
        for name in ["a b", "ä", "100%", "a/b?c#d", "<x>&\""] {
            assert_eq!(decode(&encode(name)).as_deref(), Some(name));
        }
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
