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

use devnet_network::platform::{BoxFuture, Clock, Instant};
use devnet_virtual_file_system::Error;
use hyper::rt::{Read, ReadBufCursor, Write};

use super::framing::Requests;
use super::wire::Wire;

/// The timeout for the head of a request, from its first byte on.
const HEAD: Duration = Duration::from_secs(30);
/// The timeout of a client that receives no bytes.
const STALLED: Duration = Duration::from_secs(60);
/// How long a response may take however slowly it is received, and the bytes per second that it
/// must go on with after that.
const RESPONSE: Duration = Duration::from_secs(120);
const LEAST_RATE: u64 = 512;

/// The phase of a connection. The server, the body and the stream share it.
#[derive(Default)]
pub struct Exchange {
    turn: AtomicU8,
    refused: AtomicBool,
    /// Bytes of the response are being sent.
    started: AtomicBool,
    /// A part of a head has come.
    partial: AtomicBool,
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

    /// True when nothing is under way in either direction.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.is_client_turn() && !self.partial.load(Ordering::Relaxed)
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
pub struct Limit(Option<BoxFuture<'static, ()>>);

impl Limit {
    /// Completes when the time is over since the first call.
    pub fn poll(
        &mut self,
        context: &mut Context<'_>,
        clock: &dyn Clock,
        time: Duration,
    ) -> Poll<()> {
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
    /// When the response began, and bytes of it that were taken.
    began: Option<Instant>,
    sent: u64,
}

impl Guarded {
    /// Guards a stream.
    #[must_use]
    pub fn new(wire: Wire, clock: Arc<dyn Clock>, exchange: Arc<Exchange>) -> Self {
        let requests = Requests::default();
        let (head, stalled) = (Limit::default(), Limit::default());
        Self { wire, clock, exchange, requests, head, stalled, began: None, sent: 0 }
    }

    /// True when the client takes the response too slowly.
    fn is_slow(&self) -> bool {
        let needed = Duration::from_secs(self.sent / LEAST_RATE);
        self.began.is_some_and(|began| began.after(RESPONSE + needed) <= self.clock.now())
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
        if !this.exchange.is_quiet()
            && this.exchange.is_client_turn()
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
            exchange.partial.store(!requests.is_between(), Ordering::Relaxed);
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
                let is_over = this.stalled.poll(context, this.clock.as_ref(), STALLED).is_ready();
                if is_over || this.is_slow() { timed_out() } else { Poll::Pending }
            }
            done => {
                if !this.exchange.started.swap(true, Ordering::Relaxed) {
                    (this.began, this.sent) = (Some(this.clock.now()), 0);
                }
                if let Poll::Ready(Ok(count)) = &done {
                    this.sent = this.sent.saturating_add(*count as u64);
                }
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
