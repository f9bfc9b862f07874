//! The fields of raw heads that say where a message ends: what `hyper` hides from the
//! [`server`](super::server), and what it refuses to the [`client`](super::client). Pure.

use http::HeaderName;

/// Bytes of a line that tell its field: the longest name is `transfer-encoding`, and a colon ends
/// it.
const NAME_BYTES: usize = 18;

/// Finds the ends of heads. Empty lines before a head are no end of one (RFC 9112 §2.2).
#[derive(Default)]
struct Ends {
    /// A line of the head has come.
    is_begun: bool,
    /// The current line has a byte.
    has_byte: bool,
}

impl Ends {
    /// Returns true if a head ends with this byte.
    fn is_end(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => {
                let ends = self.is_begun && !self.has_byte;
                self.is_begun = (self.is_begun || self.has_byte) && !ends;
                self.has_byte = false;
                ends
            }
            // Only a line's end may hold one; hyper refuses others.
            b'\r' => false,
            _ => {
                self.has_byte = true;
                false
            }
        }
    }
}

/// The requests of a connection, as their bytes come.
///
/// `hyper` drops `Content-Length` beside `Transfer-Encoding`, and such a request may be two for
/// someone else (RFC 9112 §6.3). All that comes is taken for heads: the first request with a body
/// is the last one that is served.
#[derive(Default)]
pub struct Requests {
    ends: Ends,
    /// Heads that have ended.
    ended: usize,
    /// The first bytes of the current line.
    line: Vec<u8>,
    has_length: bool,
    has_coding: bool,
    found: Option<usize>,
}

impl Requests {
    /// Reads the next bytes; returns the number of the first request with both fields, from 1 on.
    pub fn first_ambiguous(&mut self, bytes: &[u8]) -> Option<usize> {
        for byte in bytes {
            if self.ends.is_end(*byte) {
                self.end_head();
            } else if *byte == b'\n' {
                self.end_line();
            } else if self.line.len() < NAME_BYTES {
                self.line.push(byte.to_ascii_lowercase());
            }
        }
        self.found
    }

    /// True between heads.
    #[must_use]
    pub const fn is_between(&self) -> bool {
        !self.ends.is_begun && !self.ends.has_byte
    }

    fn end_line(&mut self) {
        self.has_length |= self.line.starts_with(b"content-length:");
        self.has_coding |= self.line.starts_with(b"transfer-encoding:");
        self.line.clear();
    }

    fn end_head(&mut self) {
        self.ended = self.ended.saturating_add(1);
        if self.has_length && self.has_coding {
            self.found.get_or_insert(self.ended);
        }
        (self.has_length, self.has_coding) = (false, false);
        self.line.clear();
    }
}

/// The heads of a response, interim ones among them, with a framing that `hyper` takes.
///
/// Only what `hyper` would refuse is rewritten: `identity` is no coding (RFC 2616 §3.6), empty
/// elements count for nothing (RFC 9110 §5.6.1), a response of HTTP/1.0 may be chunked, since its
/// connection ends anyway (RFC 9112 §6.1), and lines that are no fields are dropped.
#[derive(Default)]
pub struct Heads {
    ends: Ends,
    /// The bytes of the current head.
    held: Vec<u8>,
    is_over: bool,
    is_old: bool,
}

impl Heads {
    /// Reads the next bytes; returns what can be parsed: whole heads, and all that follows them.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut ready = Vec::new();
        for byte in bytes {
            if self.is_over {
                ready.push(*byte);
                continue;
            }
            // Empty lines before a head count for nothing (RFC 9112 §2.2).
            if self.held.is_empty() && matches!(byte, b'\r' | b'\n') {
                continue;
            }
            self.held.push(*byte);
            if self.ends.is_end(*byte) {
                let head = std::mem::take(&mut self.held);
                self.is_over = !is_interim(&head);
                let (head, is_old) = mended(&head);
                self.is_old = is_old;
                ready.extend(head);
            } else if !may_be_http(&self.held) {
                ready.extend(self.end());
            }
        }
        ready
    }

    /// The stream has ended; returns the bytes that are no whole head.
    pub fn end(&mut self) -> Vec<u8> {
        self.is_over = true;
        std::mem::take(&mut self.held)
    }

    /// True after the last head.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// True if a head that claimed HTTP/1.0 was passed on as one of HTTP/1.1.
    #[must_use]
    pub const fn is_old(&self) -> bool {
        self.is_old
    }
}

/// The start of every head that `hyper` takes.
const START: &[u8] = b"HTTP/1.";

/// True if these bytes may begin a response.
fn may_be_http(bytes: &[u8]) -> bool {
    bytes.len() > START.len() || START.starts_with(bytes)
}

/// True if another head follows: for all of 1xx but 101 (RFC 9110 §15.2).
fn is_interim(head: &[u8]) -> bool {
    let code = head.get(START.len() + 2..).unwrap_or_default();
    code.starts_with(b"1") && !code.starts_with(b"101")
}

/// Returns a head whose `Transfer-Encoding` is `chunked` or absent, if it means that, and without
/// lines that are no fields; and whether 1.1 stands for 1.0 in it.
fn mended(head: &[u8]) -> (Vec<u8>, bool) {
    let lines = lines(head);
    let codings: Vec<&[u8]> = lines
        .iter()
        .filter_map(|line| transfer_encoding(line))
        .flat_map(|field| field.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
        .collect();
    let is_chunked =
        matches!(codings.as_slice(), [coding] if coding.eq_ignore_ascii_case(b"chunked"));
    // The client refuses others.
    let is_kept = !codings.is_empty() && !is_chunked;
    let mut bytes = Vec::with_capacity(head.len());
    for (place, line) in lines.iter().enumerate() {
        // Before the empty line.
        if is_chunked && place + 1 == lines.len() {
            bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        let is_status = place == 0;
        let is_wanted = is_kept || transfer_encoding(line).is_none();
        if is_status || (is_wanted && !is_no_field(line)) {
            bytes.extend_from_slice(line);
        }
    }
    let is_old = !codings.is_empty() && head.get(START.len()) == Some(&b'0');
    match bytes.get_mut(START.len()) {
        // A higher minor version is understood as the highest known one (RFC 9110 §6.2).
        Some(minor) if is_old || matches!(minor, b'2'..=b'9') => *minor = b'1',
        _ => {}
    }
    (bytes, is_old)
}

/// True for a printable line whose name is none, or which has none. Browsers and curl pass over
/// them; one that looks like framing stays, and the whole head is refused for it.
fn is_no_field(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
    let is_printable = |byte: &u8| !byte.is_ascii_control() || b"\t\r\n".contains(byte);
    let line = line.trim_ascii().to_ascii_lowercase();
    let has = |part: &[u8]| line.windows(part.len()).any(|window| window == part);
    let is_name = HeaderName::from_bytes(name).is_ok() && line.contains(&b':');
    !line.is_empty()
        && !is_name
        && line.iter().all(is_printable)
        && !has(b"content-length")
        && !has(b"transfer-encoding")
}

/// Splits a head into lines; a folded line stays with the one that it continues (RFC 9112 §5.2).
fn lines(head: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut start, mut end) = (Vec::new(), 0, 0);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if end > start && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            lines.extend(head.get(start..end));
            start = end;
        }
        end = end.saturating_add(line.len());
    }
    lines.extend(head.get(start..end));
    lines
}

/// The value of a line of `Transfer-Encoding`.
fn transfer_encoding(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    let is_name = name.trim_ascii_end().eq_ignore_ascii_case(b"transfer-encoding");
    value.strip_prefix(b":").filter(|_| is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_two_lengths_is_found() {
        let both = "GET / HTTP/1.1\r\nContent-Length: 3\r\nTRANSFER-encoding:chunked\r\n\r\n";
        let length = "\r\nGET / HTTP/1.1\nContent-Length: 3\n\n";
        let coding = "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: content-length:\r\n\r\n";
        let longer = "GET / HTTP/1.1\r\nTransfer-Encodings: a\r\nContent-Length: 3\r\n\r\n";
        for (text, expected) in [
            (both.to_owned(), Some(1)),
            ([length, coding, longer].concat(), None),
            ([length, coding, both, both].concat(), Some(3)),
            (["\r\n\r\n", both].concat(), Some(1)),
            (both.trim_end().to_owned(), None),
        ] {
            assert_eq!(Requests::default().first_ambiguous(text.as_bytes()), expected, "{text}");
            let mut requests = Requests::default();
            let found = text.bytes().filter_map(|byte| requests.first_ambiguous(&[byte])).last();
            assert_eq!(found, expected, "{text}");
        }
    }

    /// What is passed on of a response that comes in single bytes.
    fn passed(response: &str) -> (String, bool) {
        let mut heads = Heads::default();
        let mut bytes: Vec<u8> = response.bytes().flat_map(|byte| heads.read(&[byte])).collect();
        bytes.extend(heads.end());
        let whole = Heads::default().read(response.as_bytes());
        assert!(bytes.starts_with(&whole), "{response:?}");
        (String::from_utf8(bytes).unwrap(), heads.is_old())
    }

    #[test]
    fn only_what_hyper_misreads_is_rewritten() {
        for (fields, expected) in [
            ("", ""),
            ("Transfer-Encoding: identity\r\nA: b\r\n", "A: b\r\n"),
            ("A: b\nTransfer-encoding :\n\tIdentity ,\n , \nC: d\n e\n", "A: b\nC: d\n e\n"),
            ("Transfer-Encoding: identity, Chunked,\r\n", "Transfer-Encoding: chunked\r\n"),
            (
                "Transfer-Encoding:\r\n CHUNKED\r\nA: b\r\nTransfer-Encoding: identity\r\n",
                "A: b\r\nTransfer-Encoding: chunked\r\n",
            ),
            ("Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n"),
            ("Transfer-Encoding: chunked;a\r\n", "Transfer-Encoding: chunked;a\r\n"),
            ("X-Transfer-Encoding: identity\r\n", "X-Transfer-Encoding: identity\r\n"),
            ("X: Transfer-Encoding: identity\r\n", "X: Transfer-Encoding: identity\r\n"),
            ("X:\r\n Transfer-Encoding: x\r\n", "X:\r\n Transfer-Encoding: x\r\n"),
            ("no field\r\nX y: z\r\n\tw\r\n: a\r\nä: b\r\nC: d\r\n", "C: d\r\n"),
            ("Content-Length 5\r\n", "Content-Length 5\r\n"),
            ("X Transfer-Encoding: chunked\r\n", "X Transfer-Encoding: chunked\r\n"),
            ("\0: a\r\nA b: \u{1}\r\n", "\0: a\r\nA b: \u{1}\r\n"),
        ] {
            // What follows the last head is no head.
            let body = "\r\nTransfer-Encoding: identity\r\n\r\n";
            let interim = "HTTP/1.1 103 Early\r\nA: b\r\n\r\n";
            let (found, is_old) =
                passed(&format!("\r\n{interim}\r\nHTTP/1.1 200 OK\r\n{fields}{body}"));
            assert_eq!(found, format!("{interim}HTTP/1.1 200 OK\r\n{expected}{body}"));
            assert!(!is_old);
        }
    }

    #[test]
    fn an_old_server_may_send_chunks() {
        let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(passed(old), (old.replace("1.0", "1.1"), true));
        let new = "HTTP/1.2 200 OK\r\n\r\n";
        assert_eq!(passed(new), (new.replace("1.2", "1.1"), false));
        let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: identity\r\n\r\n";
        assert_eq!(passed(old), ("HTTP/1.0 200 OK\r\n\r\n".to_owned(), false));
    }

    #[test]
    fn what_is_no_head_is_not_held_back() {
        for text in ["SSH-2.0-x", "HTTP/2 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", "x"] {
            assert_eq!(Heads::default().read(text.as_bytes()), text.as_bytes(), "{text}");
        }
        let mut heads = Heads::default();
        let switched = "HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1";
        assert_eq!(heads.read(switched.as_bytes()), switched.as_bytes());
        let mut heads = Heads::default();
        assert_eq!(heads.read(b"\r\nHTTP/1.1 200 OK\r\nA: b\r\n"), b"");
        assert!(!heads.is_over());
        assert_eq!(heads.end(), b"HTTP/1.1 200 OK\r\nA: b\r\n");
    }
}
