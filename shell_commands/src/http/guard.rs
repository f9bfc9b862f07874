//! The stream of a server's connection, with its time limits.
//!
//! `hyper` responds to a malformed head with a bare status; those bytes are dropped here, since the
//! [`server`](super::server) responds with a more precise status and a message. What `hyper` hides
//! of a head is noticed here as well.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use network::platform::{BoxFuture, Clock};
use virtual_file_system::Error;

use super::framing::Requests;
use super::wire::Wire;

/// The timeout for the head of a request, including the time before its first byte.
const HEAD: Duration = Duration::from_secs(60);
/// The timeout of a client that receives no bytes.
const STALLED: Duration = Duration::from_secs(120);

/// The phase of a connection. The server, the body and the stream share it.
#[derive(Default)]
pub struct Exchange {
    turn: AtomicU8,
    refused: AtomicBool,
    /// Bytes of the response are being sent.
    started: AtomicBool,
    /// Requests that have come.
    requests: AtomicUsize,
    /// Which of them has an ambiguous framing; 0 for none.
    ambiguous: AtomicUsize,
}

/// The head of a request is awaited.
const CLIENT: u8 = 0;
/// A request is being answered.
const SERVER: u8 = 1;
/// The response is complete, but not yet sent.
const ENDING: u8 = 2;

impl Exchange {
    /// A request has come. Returns true if its framing is ambiguous.
    #[must_use]
    pub fn begin(&self) -> bool {
        self.started.store(false, Ordering::Relaxed);
        self.turn.store(SERVER, Ordering::Relaxed);
        let earlier = self.requests.fetch_add(1, Ordering::Relaxed);
        self.ambiguous.load(Ordering::Relaxed) == earlier.saturating_add(1)
    }

    /// The response has no more bytes to come.
    pub fn end(&self) {
        self.turn.store(ENDING, Ordering::Relaxed);
    }

    /// All that was written is sent.
    fn flushed(&self) {
        // Only the end of a response changes the phase.
        let order = Ordering::Relaxed;
        let _ = self.turn.compare_exchange(ENDING, CLIENT, order, order);
    }

    fn is_client_turn(&self) -> bool {
        self.turn.load(Ordering::Relaxed) == CLIENT
    }

    /// True if a head was refused and no response to it was sent.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// A timeout that runs while something is awaited.
#[derive(Default)]
struct Limit(Option<BoxFuture<'static, ()>>);

impl Limit {
    fn poll(&mut self, context: &mut Context<'_>, clock: &dyn Clock, time: Duration) -> Poll<()> {
        self.0
            .get_or_insert_with(|| clock.sleep_until(clock.now().after(time)))
            .as_mut()
            .poll(context)
    }
}

/// A server's end of a stream.
pub struct Guarded {
    wire: Wire,
    clock: Arc<dyn Clock>,
    exchange: Arc<Exchange>,
    requests: Requests,
    head: Limit,
    stalled: Limit,
}

impl Guarded {
    /// Guards a stream.
    #[must_use]
    pub fn new(wire: Wire, clock: Arc<dyn Clock>, exchange: Arc<Exchange>) -> Self {
        let requests = Requests::default();
        Self { wire, clock, exchange, requests, head: Limit::default(), stalled: Limit::default() }
    }
}

fn timed_out<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::Error::other(Error::TimedOut)))
}

impl Read for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // Single bytes do not extend the timeout.
        if this.exchange.is_client_turn()
            && this.head.poll(context, this.clock.as_ref(), HEAD).is_ready()
        {
            return timed_out();
        }
        let most = cursor.remaining();
        let (requests, exchange) = (&mut this.requests, &this.exchange);
        let take = |bytes: &[u8]| {
            if let Some(request) = requests.first_ambiguous(bytes) {
                exchange.ambiguous.store(request, Ordering::Relaxed);
            }
            cursor.put_slice(bytes);
        };
        this.wire.poll_bytes(context, most, take).map_ok(drop)
    }
}

impl Write for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.exchange.is_client_turn() {
            this.exchange.refused.store(true, Ordering::Relaxed);
            return Poll::Ready(Ok(data.len()));
        }
        // The next head has its own timeout.
        this.head = Limit::default();
        // A response carries our version, whatever the client's is (RFC 9110 §2.5); hyper repeats
        // the client's.
        let line = match data.strip_prefix(b"HTTP/1.0 ") {
            Some(rest) if !this.exchange.started.load(Ordering::Relaxed) => {
                Some([b"HTTP/1.1 ", rest].concat())
            }
            _ => None,
        };
        match Pin::new(&mut this.wire).poll_write(context, line.as_deref().unwrap_or(data)) {
            Poll::Pending => {
                if this.stalled.poll(context, this.clock.as_ref(), STALLED).is_ready() {
                    return timed_out();
                }
                Poll::Pending
            }
            done => {
                this.exchange.started.store(true, Ordering::Relaxed);
                this.stalled = Limit::default();
                done
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.wire).poll_flush(context);
        if flushed.is_ready() {
            self.exchange.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}
