//! One request over one connection, and its response. There are no timeouts here: the caller drops
//! the future to end the exchange.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use devnet_virtual_file_system::{Error, File};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, Connection};
use hyper::ext::ReasonPhrase;
use hyper::rt::{Read, ReadBufCursor, Write};

use super::framing::Heads;
use super::wire::{Wire, cause};
use crate::limits;

/// The error of an exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientError {
    /// The response is not HTTP, or contradicts itself.
    NotHttp,
    /// The head is longer than we read.
    TooLong,
    /// The body has a coding that we did not request and cannot decode.
    Coding,
    /// An error of the stream.
    Stream(Error),
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotHttp => formatter.write_str("the answer is not HTTP"),
            Self::TooLong => formatter.write_str("the head of the answer is too long"),
            Self::Coding => formatter.write_str("the answer has an unknown transfer coding"),
            Self::Stream(why) => why.fmt(formatter),
        }
    }
}

/// A stream whose heads are bounded, interim responses included, and mended for `hyper`.
struct Received {
    wire: Wire,
    heads: Heads,
    /// Bytes that `hyper` may read.
    ready: Vec<u8>,
    seen: Arc<Seen>,
}

/// What the stream has seen of the response.
#[derive(Default)]
struct Seen {
    /// Bytes up to the end of the last head.
    bytes: AtomicUsize,
    /// The last head claimed HTTP/1.0, although `hyper` sees 1.1.
    is_old: AtomicBool,
}

impl Received {
    /// Reads a part of the heads. Returns false at the end of the stream.
    fn poll_heads(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let bytes = self.seen.bytes.load(Ordering::Relaxed);
        let left = limits::HTTP_INTERIM_BYTES.saturating_sub(bytes);
        if left == 0 {
            return Poll::Ready(Err(io::Error::other(Error::MessageTooLong)));
        }
        let (heads, ready) = (&mut self.heads, &mut self.ready);
        let count =
            ready!(self.wire.poll_bytes(context, left, |bytes| ready.extend(heads.read(bytes))))?;
        if count == 0 {
            ready.extend(heads.end());
        }
        self.seen.bytes.store(bytes.saturating_add(count), Ordering::Relaxed);
        self.seen.is_old.store(heads.is_old(), Ordering::Relaxed);
        Poll::Ready(Ok(count > 0))
    }
}

impl Read for Received {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.ready.is_empty() && !this.heads.is_over() {
            if !ready!(this.poll_heads(context))? {
                break;
            }
        }
        let most = cursor.remaining();
        if this.ready.is_empty() {
            let taken = this.wire.poll_bytes(context, most, |bytes| cursor.put_slice(bytes));
            return taken.map_ok(drop);
        }
        let rest = this.ready.split_off(most.min(this.ready.len()));
        cursor.put_slice(&std::mem::replace(&mut this.ready, rest));
        Poll::Ready(Ok(()))
    }
}

impl Write for Received {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}

/// A connection that is polled while one of its futures is awaited; `None` once it has ended.
struct Driven(Option<Connection<Received, Full<Bytes>>>);

impl Driven {
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            // The response or the body reports the error too.
            if self.0.as_mut().is_some_and(|driven| Pin::new(driven).poll(context).is_ready()) {
                self.0 = None;
            }
            work.as_mut().poll(context)
        })
        .await
    }
}

/// A response whose body has not been read yet.
pub struct Response {
    /// The code.
    pub status: StatusCode,
    /// The fields.
    pub fields: HeaderMap,
    /// The status line, as received.
    pub line: String,
    connection: Driven,
    body: Incoming,
}

/// Sends a request and reads the head of the response. Interim responses are skipped (RFC 9110
/// §15.2).
///
/// # Errors
/// See [`ClientError`].
///
/// # Cancel safety
/// Dropping the future ends the exchange; the stream is unusable afterwards.
pub async fn send(file: File, request: Request<Full<Bytes>>) -> Result<Response, ClientError> {
    let seen = Arc::<Seen>::default();
    let received = Received {
        wire: Wire::new(file),
        heads: Heads::default(),
        ready: Vec::new(),
        seen: Arc::clone(&seen),
    };
    let failed = |error: &hyper::Error| {
        let is_silent = seen.bytes.load(Ordering::Relaxed) == 0;
        match cause(error) {
            Error::MessageTooLong => ClientError::TooLong,
            Error::ConnectionReset if error.is_incomplete_message() && is_silent => {
                ClientError::NotHttp
            }
            _ if error.is_parse_too_large() => ClientError::TooLong,
            _ if error.is_parse() => ClientError::NotHttp,
            why => ClientError::Stream(why),
        }
    };
    let (mut sender, connection) = Builder::new()
        .title_case_headers(true)
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .max_headers(limits::HTTP_HEADERS)
        .max_header_size(limits::HTTP_HEAD_BYTES)
        .handshake(received)
        .await
        .map_err(|error| failed(&error))?;
    let mut connection = Driven(Some(connection));
    let response =
        connection.during(sender.send_request(request)).await.map_err(|error| failed(&error))?;
    let (head, body) = response.into_parts();
    check_coding(&head.headers)?;
    let is_old = seen.is_old.load(Ordering::Relaxed);
    let version = if is_old { Version::HTTP_10 } else { head.version };
    let line = status_line(version, head.status, head.extensions.get::<ReasonPhrase>());
    Ok(Response { status: head.status, fields: head.headers, line, connection, body })
}

/// Refuses codings that cannot be undone: all but `chunked`, once.
fn check_coding(fields: &HeaderMap) -> Result<(), ClientError> {
    let mut values = fields.get_all(TRANSFER_ENCODING).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(()),
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(ClientError::Coding),
    }
}

/// Returns the length of the body as `Content-Length` says it, unless the body is chunked (RFC 9112
/// §6.3). A value may be repeated; `hyper` has compared the repetitions.
#[must_use]
pub fn content_length(fields: &HeaderMap) -> Option<u64> {
    let is_chunked = fields.contains_key(TRANSFER_ENCODING);
    let value = fields.get(CONTENT_LENGTH).filter(|_| !is_chunked)?;
    value.to_str().ok()?.split(',').next()?.trim().parse().ok()
}

fn status_line(version: Version, status: StatusCode, reason: Option<&ReasonPhrase>) -> String {
    let reason = match reason {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()),
        None => status.canonical_reason().unwrap_or_default().into(),
    };
    format!("{version:?} {} {reason}", status.as_u16()).trim_end().to_owned()
}

impl Response {
    /// Returns the next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// `ConnectionReset` if the stream ends before the body, `BadMessage` for broken chunks, and
    /// errors of the stream.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let Some(frame) = self.connection.during(self.body.frame()).await else {
                return Ok(None);
            };
            // Trailers are ignored.
            if let Ok(data) = frame.map_err(|error| cause(&error))?.into_data() {
                return Ok(Some(data));
            }
        }
    }
}
