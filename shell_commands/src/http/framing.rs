//! The fields of raw heads that say where a message ends: what `hyper` hides from the
//! [`server`](super::server). Pure.

/// Bytes of a line that tell its field: the longest name is `transfer-encoding`, and a colon ends
/// it.
const NAME_BYTES: usize = 18;

/// The requests of a connection, as their bytes come.
///
/// `hyper` drops `Content-Length` beside `Transfer-Encoding`, and such a request may be two for
/// someone else (RFC 9112 §6.3). All that comes is taken for heads: the first request with a body
/// is the last one that is served.
#[derive(Default)]
pub struct Requests {
    /// Heads that have ended.
    ended: usize,
    /// The first bytes of the current line.
    line: Vec<u8>,
    /// A line of the current head has come.
    is_begun: bool,
    has_length: bool,
    has_coding: bool,
    found: Option<usize>,
}

impl Requests {
    /// Reads the next bytes; returns the number of the first request with both fields, from 1 on.
    pub fn first_ambiguous(&mut self, bytes: &[u8]) -> Option<usize> {
        for byte in bytes {
            if *byte == b'\n' {
                self.end_line();
            } else if self.line.len() < NAME_BYTES {
                self.line.push(byte.to_ascii_lowercase());
            }
        }
        self.found
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if matches!(line.as_slice(), b"" | b"\r") {
            // Empty lines before a head are no end of one (RFC 9112 §2.2).
            if self.is_begun {
                self.end_head();
            }
            return;
        }
        self.is_begun = true;
        self.has_length |= line.starts_with(b"content-length:");
        self.has_coding |= line.starts_with(b"transfer-encoding:");
    }

    fn end_head(&mut self) {
        self.ended = self.ended.saturating_add(1);
        if self.has_length && self.has_coding {
            self.found.get_or_insert(self.ended);
        }
        (self.is_begun, self.has_length, self.has_coding) = (false, false, false);
    }
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
}
