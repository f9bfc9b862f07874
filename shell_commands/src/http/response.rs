//! A server's answer as a client understands it. Pure: bytes in, values out.

use httparse::{EMPTY_HEADER, Status};

use super::body::Framing;
use crate::limits;

/// The head of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The first line, as it came.
    pub line: String,
    /// The code.
    pub code: u16,
    /// The fields, in order.
    pub fields: Vec<(String, String)>,
}

impl Response {
    /// Reads a whole head; `None` for what is not HTTP.
    #[must_use]
    pub fn parse(head: &[u8]) -> Option<Self> {
        let mut headers = [EMPTY_HEADER; limits::HTTP_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let Ok(Status::Complete(_)) = parsed.parse(head) else { return None };
        let code = parsed.code?;
        let line =
            format!("HTTP/1.{} {code} {}", parsed.version?, parsed.reason.unwrap_or_default());
        let fields = parsed
            .headers
            .iter()
            .map(|header| {
                (header.name.to_owned(), String::from_utf8_lossy(header.value).trim().to_owned())
            })
            .collect();
        Some(Self { line: line.trim_end().to_owned(), code, fields })
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// How the body ends (RFC 9112 §6.3); `None` when the fields contradict each other.
    #[must_use]
    pub fn framing(&self) -> Option<Framing> {
        if matches!(self.code, 100..200 | 204 | 304) {
            return Some(Framing::Length(0));
        }
        if let Some(coding) = self.field("Transfer-Encoding") {
            return coding.eq_ignore_ascii_case("chunked").then_some(Framing::Chunked);
        }
        let mut lengths =
            self.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Content-Length"));
        let Some((_, first)) = lengths.next() else { return Some(Framing::UntilEnd) };
        let is_number = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
        let agrees = lengths.all(|(_, other)| other == first);
        if is_number && agrees { first.parse().ok().map(Framing::Length) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(fields: &str) -> Option<Framing> {
        Response::parse(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes()).unwrap().framing()
    }

    #[test]
    fn answers_are_understood() {
        let response =
            Response::parse(b"HTTP/1.1 404 Not Found\r\nLocation:  /x \r\n\r\n").unwrap();
        assert_eq!((response.line.as_str(), response.code), ("HTTP/1.1 404 Not Found", 404));
        assert_eq!((response.field("location"), response.field("x")), (Some("/x"), None));
        for text in
            ["", "HTTP/1.1", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\na"]
        {
            assert_eq!(Response::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn bodies_end_as_the_fields_say() {
        assert_eq!(framing(""), Some(Framing::UntilEnd));
        assert_eq!(framing("Content-Length: 5\r\n"), Some(Framing::Length(5)));
        assert_eq!(framing("Content-Length: 5\r\nContent-Length: 5\r\n"), Some(Framing::Length(5)));
        assert_eq!(
            framing("Content-Length: 5\r\nTransfer-Encoding: Chunked\r\n"),
            Some(Framing::Chunked)
        );
        for fields in [
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: -1\r\n",
            "Transfer-Encoding: x\r\n",
        ] {
            assert_eq!(framing(fields), None, "{fields}");
        }
    }
}
