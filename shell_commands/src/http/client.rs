//! One request over one connection, and its response. There are no timeouts here: the caller drops
//! the future to end the exchange.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, Connection};
use hyper::ext::ReasonPhrase;
use hyper::rt::{Read, ReadBufCursor, Write};
use virtual_file_system::{Error, File};

use super::wire::{Wire, cause};
use crate::limits;

/// The error of an exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientError {
    /// The response is not HTTP, or contradicts itself.
    NotHttp,
    /// The body has a coding that we did not request and cannot decode.
    Coding,
    /// An error of the stream.
    Stream(Error),
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotHttp => formatter.write_str("the answer is not HTTP"),
            Self::Coding => formatter.write_str("the answer has an unknown transfer coding"),
            Self::Stream(why) => why.fmt(formatter),
        }
    }
}

/// A stream with a byte budget, which bounds a head including interim responses.
struct Metered {
    wire: Wire,
    budget: Arc<AtomicUsize>,
}

/// The budget once the head is read.
const UNLIMITED: usize = usize::MAX;

impl Read for Metered {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.budget.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(io::Error::other(Error::MessageTooLong)));
        }
        let most = left.min(cursor.remaining());
        let count = ready!(self.wire.poll_bytes(context, most, |bytes| cursor.put_slice(bytes)))?;
        if left != UNLIMITED {
            self.budget.store(left.saturating_sub(count), Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Metered {
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
struct Driven(Option<Connection<Metered, Full<Bytes>>>);

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
    /// The bytes that an old server promises beside `Transfer-Encoding: identity`.
    promised: Option<u64>,
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
    let budget = Arc::new(AtomicUsize::new(limits::HTTP_INTERIM_BYTES));
    let metered = Metered { wire: Wire::new(file), budget: Arc::clone(&budget) };
    let failed = |error: &hyper::Error| {
        let is_silent = budget.load(Ordering::Relaxed) == limits::HTTP_INTERIM_BYTES;
        match cause(error) {
            Error::MessageTooLong => ClientError::NotHttp,
            Error::ConnectionReset if error.is_incomplete_message() && is_silent => {
                ClientError::NotHttp
            }
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
        .handshake(metered)
        .await
        .map_err(|error| failed(&error))?;
    let mut connection = Driven(Some(connection));
    let response =
        connection.during(sender.send_request(request)).await.map_err(|error| failed(&error))?;
    budget.store(UNLIMITED, Ordering::Relaxed);
    let (head, body) = response.into_parts();
    let promised = transfer_coding(&head.headers)?;
    let line = status_line(head.version, head.status, head.extensions.get::<ReasonPhrase>());
    Ok(Response { status: head.status, fields: head.headers, line, connection, body, promised })
}

/// Refuses codings that cannot be undone. `identity` is none (RFC 2616 §3.6); beside it an old
/// server means its `Content-Length`, which is the result.
fn transfer_coding(fields: &HeaderMap) -> Result<Option<u64>, ClientError> {
    let mut is_chunked = false;
    for value in fields.get_all(TRANSFER_ENCODING) {
        for coding in value.to_str().map_err(|_| ClientError::Coding)?.split(',') {
            match coding.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "chunked" if !is_chunked => is_chunked = true,
                _ => return Err(ClientError::Coding),
            }
        }
    }
    let is_coded = fields.contains_key(TRANSFER_ENCODING) && !is_chunked;
    Ok(content_length(fields).filter(|_| is_coded))
}

/// `Content-Length`, if there is a valid one.
#[must_use]
pub fn content_length(fields: &HeaderMap) -> Option<u64> {
    fields.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
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
            if self.promised == Some(0) {
                return Ok(None);
            }
            let Some(frame) = self.connection.during(self.body.frame()).await else {
                let is_short = self.promised.is_some();
                return if is_short { Err(Error::ConnectionReset) } else { Ok(None) };
            };
            // Trailers are ignored.
            let Ok(mut data) = frame.map_err(|error| cause(&error))?.into_data() else { continue };
            if let Some(promised) = &mut self.promised {
                data.truncate(usize::try_from(*promised).unwrap_or(usize::MAX));
                *promised = promised.saturating_sub(data.len() as u64);
            }
            return Ok(Some(data));
        }
    }
}
