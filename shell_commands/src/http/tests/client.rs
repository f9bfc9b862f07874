//! The client, with responses of many servers.

use devnet_virtual_file_system::{Error, Result};
use futures_lite::future::{self, block_on};
use http::{Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;

use crate::http::client::{ClientError, Response, send};
use crate::limits;
use crate::testing::connection;

type Received = (Response, Result<Vec<u8>>);

/// Receives a response that comes in pieces, after which the server closes.
fn receive_by(method: Method, pieces: &[&[u8]]) -> core::result::Result<Received, ClientError> {
    let (ours, theirs) = connection();
    let request = Request::builder().method(method).uri("/").body(Full::<Bytes>::default());
    let serve = async move {
        let _ = theirs.read(&mut [0; 4096]).await;
        for piece in pieces {
            if theirs.write_all(piece).await.is_err() {
                break;
            }
            future::yield_now().await;
        }
    };
    let receive = async move {
        let mut response = send(ours, request.unwrap()).await?;
        let mut body = Vec::new();
        let outcome = loop {
            match response.next().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => break Ok(body),
                Err(why) => break Err(why),
            }
        };
        Ok((response, outcome))
    };
    block_on(future::zip(serve, receive)).1
}

fn receive(bytes: &[u8]) -> core::result::Result<Received, ClientError> {
    receive_by(Method::GET, &[bytes])
}

/// The body of a response with these fields.
fn body(fields: &str, body: &str) -> Result<Vec<u8>> {
    receive(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}").as_bytes()).unwrap().1
}

#[test]
fn chunks_are_joined_however_they_are_cut() {
    let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        5;x=y\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\nnext";
    let expected = b"hello0123456789abcdef".to_vec();
    for cut in 0..bytes.len() - 4 {
        let (first, second) = bytes.split_at(cut);
        let (_, body) = receive_by(Method::GET, &[first, second]).unwrap();
        assert_eq!(body, Ok(expected.clone()), "{cut}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(receive_by(Method::GET, &single).unwrap().1, Ok(expected));
}

#[test]
fn lengths_are_exact() {
    assert_eq!(body("Content-Length: 3\r\n", "abcd"), Ok(b"abc".to_vec()));
    assert_eq!(body("Content-Length: 0\r\n", ""), Ok(Vec::new()));
    assert_eq!(body("Content-Length: 5\r\n", "ab"), Err(Error::ConnectionReset));
    assert_eq!(body("", "abc"), Ok(b"abc".to_vec()));
}

#[test]
fn broken_chunks_are_errors() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    for bytes in ["x\r\n", "-1\r\n", "3\r\nabcd\r\n", "11111111111111111\r\n", "3\r\nabc\n\n"] {
        assert_eq!(body(chunked, bytes), Err(Error::BadMessage), "{bytes:?}");
    }
    for bytes in ["", "3", "3\r\n", "3\r\nab", "3\r\nabc\r\n", "0\r\n"] {
        assert_eq!(body(chunked, bytes), Err(Error::ConnectionReset), "{bytes:?}");
    }
    let extension = format!("1;{}", "a".repeat(2 * limits::HTTP_HEAD_BYTES));
    assert_eq!(body(chunked, &extension), Err(Error::BadMessage));
    let extensions = "1;aaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(limits::HTTP_HEAD_BYTES);
    assert_eq!(body(chunked, &extensions), Err(Error::BadMessage));
    let trailer = format!("0\r\na: {}", "a".repeat(2 * limits::HTTP_HEAD_BYTES));
    assert_eq!(body(chunked, &trailer), Err(Error::BadMessage));
    let endless = format!("0\r\n{}", "a: b\r\n".repeat(limits::HTTP_HEAD_BYTES));
    assert_eq!(body(chunked, &endless), Err(Error::BadMessage));
}

#[test]
fn answers_are_understood() {
    let (response, body) = receive(b"HTTP/1.1 404 Not Found\r\nLocation:  /x \r\n\r\n").unwrap();
    assert_eq!((response.line.as_str(), response.status.as_u16()), ("HTTP/1.1 404 Not Found", 404));
    assert_eq!(response.fields["location"], "/x");
    assert_eq!(response.fields.get("x"), None);
    assert_eq!(body, Ok(Vec::new()));
    for text in
        ["", "HTTP/1.1 abc\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\n\0: a\r\n\r\n"]
    {
        assert_eq!(receive(text.as_bytes()).err(), Some(ClientError::NotHttp), "{text:?}");
    }
    for text in ["HTTP/1.1", "HTTP/1.1 200 OK\r\na"] {
        let cut = ClientError::Stream(Error::ConnectionReset);
        assert_eq!(receive(text.as_bytes()).err(), Some(cut), "{text:?}");
    }
}

#[test]
fn transfer_encoding_identity() {
    let hi = Ok(b"hi".to_vec());
    for (fields, text) in [
        ("", "hi"),
        ("Content-Length: 2\r\n", "hi and more"),
        ("Content-Length: 2\r\nContent-Length: 2\r\n", "hi and more"),
        ("Content-Length: 2, 2\r\n", "hi and more"),
        ("Content-Length: 5\r\nTransfer-Encoding: Chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: identity, chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: identity\r\n", "hi"),
        ("Transfer-Encoding:\r\n", "hi"),
        ("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "hi and more"),
        ("Transfer-Encoding: Identity\r\nContent-Length: 2, 2\r\n", "hi and more"),
        ("Transfer-Encoding: chunked,\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: ,chunked , ,\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked, identity\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding:\r\n chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding : chunked\r\nContent-Length: x\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Connection: keep-alive\r\nTransfer-Encoding: identity\r\n", "hi"),
    ] {
        assert_eq!(body(fields, text), hi, "{fields}");
    }
    let short = body("Transfer-Encoding: identity\r\nContent-Length: 3\r\n", "hi");
    assert_eq!(short, Err(Error::ConnectionReset));
    for (fields, why) in [
        ("Content-Length: 5\r\nContent-Length: 6\r\n", ClientError::NotHttp),
        ("Content-Length: 5, 6\r\n", ClientError::NotHttp),
        ("Content-Length: -1\r\n", ClientError::NotHttp),
        ("Content-Length 2\r\n", ClientError::NotHttp),
        ("X Transfer-Encoding: chunked\r\n", ClientError::NotHttp),
        ("X: a\u{1}\r\n", ClientError::NotHttp),
        ("Content-Length:\r\n", ClientError::NotHttp),
        ("Content-Length: 99999999999999999999\r\n", ClientError::NotHttp),
        ("Transfer-Encoding: identity\r\nContent-Length: 5, 6\r\n", ClientError::NotHttp),
        ("Transfer-Encoding: identity\r\nContent-Length: x\r\n", ClientError::NotHttp),
        ("Transfer-Encoding: chunked;a=b\r\n", ClientError::Coding),
        ("Transfer-Encoding: chunked gzip\r\n", ClientError::Coding),
        ("Transfer-Encoding: chunked\r\n gzip\r\n", ClientError::Coding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", ClientError::Coding),
        ("Transfer-Encoding: chunked\u{e9}\r\n", ClientError::Coding),
        ("Content-Length: +2\r\n", ClientError::NotHttp),
        ("Transfer-Encoding: x\r\n", ClientError::Coding),
        ("Transfer-Encoding: gzip, chunked\r\n", ClientError::Coding),
        ("Transfer-Encoding: chunked, chunked\r\n", ClientError::Coding),
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n2\r\nhi\r\n0\r\n\r\n");
        assert_eq!(receive(bytes.as_bytes()).err(), Some(why), "{fields}");
    }
}

#[test]
fn old_servers_may_code_the_transfer() {
    for (fields, text) in [
        ("Transfer-Encoding: identity\r\n", "hi"),
        ("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "hi and more"),
        ("Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 9\r\n", "2\r\nhi\r\n0\r\n\r\n"),
    ] {
        let bytes = format!("HTTP/1.0 200 Fine\r\n{fields}\r\n{text}");
        let (response, body) = receive(bytes.as_bytes()).unwrap();
        assert_eq!((response.line.as_str(), body), ("HTTP/1.0 200 Fine", Ok(b"hi".to_vec())));
    }
    let gzip = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi";
    assert_eq!(receive(gzip).err(), Some(ClientError::Coding));
}

#[test]
fn what_has_no_body_ends_at_once() {
    for line in ["204 No Content", "304 Not Modified"] {
        let bytes = format!("HTTP/1.1 {line}\r\nContent-Length: 5\r\n\r\nhello");
        assert_eq!(receive(bytes.as_bytes()).unwrap().1, Ok(Vec::new()), "{line}");
    }
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(receive_by(Method::HEAD, &[head]).unwrap().1, Ok(Vec::new()));
}

#[test]
fn folded_field_line_in_a_response() {
    for head in [
        "HTTP/1.1 200 OK\r\nX-Long: a\r\n b\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX:\r\n b\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX:  \r\n\t b\r\n \r\n c\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\n",
        "HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 2\n\n",
        "\r\nHTTP/1.1 200 OK\r\nContent-Length\t: 2\r\n\r\n",
        "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nPowered By: x\r\nno field\r\n: y\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 caf\u{e9}\tx\r\nX:\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 \
         OK\r\n\r\n",
    ] {
        let (_, body) = receive(format!("{head}hi").as_bytes()).unwrap();
        assert_eq!(body, Ok(b"hi".to_vec()), "{head:?}");
    }
    let folded = b"HTTP/1.1 302 Found\r\nLocation:\r\n /a\r\n\r\n";
    assert_eq!(&receive(folded).unwrap().0.fields["location"], "/a");
    let folded = b"HTTP/1.1 302 Found\r\nLocation: /a\r\n\t  b\r\n \r\n\r\n";
    assert_eq!(&receive(folded).unwrap().0.fields["location"], "/a b");
    let reason = "x".repeat(1024);
    let (response, _) = receive(format!("HTTP/1.1 200 {reason}\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(response.line, format!("HTTP/1.1 200 {reason}"));
    assert_eq!(receive(b"HTTP/1.0 200\r\n\r\n").unwrap().0.line, "HTTP/1.0 200");
}

#[test]
fn a_head_without_end_is_given_up() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(limits::HTTP_INTERIM_BYTES);
    let field = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(2 * limits::HTTP_HEAD_BYTES));
    let fields = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(limits::HTTP_HEADERS + 1));
    for text in [interim, field, fields] {
        assert_eq!(receive(text.as_bytes()).err(), Some(ClientError::TooLong), "{text:.40}");
    }
}
