//! Request targets and paths: decoding that cannot escape, encoding that every browser reads.

/// The path below the served directory that a target means: decoded, without `.`, `..` and empty
/// parts, no `/` in front. `None` for a target that is malformed or climbs out.
#[must_use]
pub fn path(target: &str) -> Option<String> {
    // A proxy's form of the target has the whole URL (RFC 9112 §3.2.2).
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |place| rest.get(place..).unwrap_or("/")),
        None => target,
    };
    let encoded = target.split(['?', '#']).next().filter(|path| path.starts_with('/'))?;
    let decoded = decode(encoded)?;
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

/// Replaces `%XX` by its byte; `None` for a broken escape, a zero byte, or what is no UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            byte => byte,
        };
        if byte == 0 {
            return None;
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

/// A name as a part of a link.
#[must_use]
pub fn encode(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(byte))
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Text within HTML.
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
            ("/a%20b?x=/../y#z", Some("a b")),
            ("http://web.lan/x", Some("x")),
            ("http://web.lan", Some("")),
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
            ("?", None),
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
