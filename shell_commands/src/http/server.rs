//! The connections of a server: accepting, serving, refusing, closing. Used by `httpd` and by the
//! embedded `web.lan`.
//!
//! All connections belong to the server's own future, so dropping that future closes them. While
//! its client is idle a connection is an entry of the [`Crowd`]; what a request needs takes memory
//! only while there is one.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use devnet_network::command::Shutdown;
use devnet_network::command::socket::Direction;
use devnet_virtual_file_system::{Error, File, Readiness, Result};
use futures_lite::future;
use http::header::DATE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;

use super::answer::Answer;
use super::content::Content;
use super::crowd::{Crowd, Outcome, Room};
use super::guard::{Exchange, Guarded, Limit};
use super::request::{self, Request as Asked};
use super::site::Site;
use super::wire::Wire;
use crate::context::{Platform, Stream};
use crate::limits;
use crate::sockets::{Connection, Listener, within};

/// The time and the bytes that a client may send before the connection is closed.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_READS: usize = 16;
/// The timeout for sending a refusal.
const REFUSAL: Duration = Duration::from_secs(10);
/// The delay after an error that affects every connection.
const PAUSE: Duration = Duration::from_millis(100);

/// The timeout of a client that asks for nothing.
const IDLE: Duration = Duration::from_secs(60);
/// After such a time without a request a connection keeps nothing but its place.
const QUIET: Duration = Duration::from_secs(1);

/// The time for a body that changes something.
const CHANGE: Duration = Duration::from_secs(30);

/// What is served, and its environment.
pub struct Server {
    site: Site,
    platform: Platform,
    log: Option<Stream>,
}

impl Server {
    /// Serves a site; a line for each request goes to `log`.
    #[must_use]
    pub const fn new(site: Site, platform: Platform, log: Option<Stream>) -> Self {
        Self { site, platform, log }
    }

    /// Serves connections until the listener fails.
    ///
    /// # Errors
    /// Errors of the listener.
    ///
    /// # Cancel safety
    /// Dropping the future ends every connection.
    pub async fn serve(&self, listener: &Listener) -> Result<()> {
        let mut connections = Connections::new(self);
        loop {
            match connections.beside(listener.accept()).await {
                // Without room it is closed.
                Ok(Connection { file, remote, .. }) => drop(connections.enter(file, remote)),
                Err(why @ (Error::NetworkDown | Error::NoDevice | Error::NotConnected)) => {
                    return Err(why);
                }
                // A broken connection affects no others.
                Err(_) => connections.beside(self.pause()).await,
            }
            // A crowd that connects keeps nobody else waiting.
            future::yield_now().await;
        }
    }

    async fn pause(&self) {
        let clock = &self.platform.clock;
        clock.sleep_until(clock.now().after(PAUSE)).await;
    }

    /// Serves the requests of one connection until either side ends it, or it is idle for too long.
    pub async fn converse(&self, stream: File, remote: SocketAddr) {
        let mut connections = Connections::new(self);
        // There is room for one.
        let _ = connections.enter(stream, remote);
        poll_fn(|context| {
            connections.poll(context);
            if connections.crowd.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Serves requests until the client is idle.
    async fn serve_requests(&self, stream: File, remote: SocketAddr) -> Result<Outcome> {
        let exchange = Arc::<Exchange>::default();
        let guarded = Guarded::new(
            Wire::new(stream.clone()),
            Arc::clone(&self.platform.clock),
            Arc::clone(&exchange),
        );
        let service = service_fn(|request: Request<Incoming>| {
            let has_body = !request.body().is_end_stream();
            let is_ambiguous = exchange.begin();
            let exchange = Arc::clone(&exchange);
            Box::pin(async move {
                let (head, body) = request.into_parts();
                let asked = match is_ambiguous {
                    true => Err(StatusCode::BAD_REQUEST),
                    false => Asked::new(head, |path| self.site.takes_changes(path)),
                };
                let asked = match asked {
                    Ok(asked) if asked.is_change => self.read(body).await.map(|body| (asked, body)),
                    asked => asked.map(|asked| (asked, Bytes::new())),
                };
                Ok::<_, Infallible>(self.respond(asked, has_body, remote, exchange).await)
            })
        });
        let mut connection = Builder::new()
            .half_close(true)
            .title_case_headers(true)
            .max_headers(limits::HTTP_HEADERS)
            .max_header_size(limits::HTTP_HEAD_BYTES)
            // A client that takes nothing pins no more than that.
            .max_buf_size(limits::HTTP_BUFFER_BYTES)
            // It would read the host's clock.
            .auto_date_header(false)
            .serve_connection(guarded, service);
        let (clock, mut quiet) = (self.platform.clock.as_ref(), Limit::default());
        let outcome = poll_fn(|context| match connection.poll_without_shutdown(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if exchange.is_quiet() => {
                quiet.poll(context, clock, QUIET).map(|()| None)
            }
            Poll::Pending => {
                quiet = Limit::default();
                Poll::Pending
            }
        });
        match outcome.await {
            None => Ok(Outcome::Idle),
            Some(Ok(())) => Ok(Outcome::Over),
            Some(Err(error)) if exchange.is_refused() => {
                let head = connection.into_parts().read_buf;
                let status = request::unreadable(&head, error.is_parse_too_large());
                self.refuse(&stream, remote, status).await?;
                Ok(Outcome::Over)
            }
            Some(Err(_)) => Ok(Outcome::Gone),
        }
    }

    /// The body of a request that changes something.
    async fn read(&self, body: Incoming) -> std::result::Result<Bytes, StatusCode> {
        let whole = async {
            let whole = Limited::new(body, limits::HTTP_CHANGE_BYTES).collect().await;
            whole.map(|whole| Ok(whole.to_bytes())).or_else(|why| {
                Ok(Err(match why.is::<LengthLimitError>() {
                    true => StatusCode::PAYLOAD_TOO_LARGE,
                    false => StatusCode::BAD_REQUEST,
                }))
            })
        };
        let read = within(self.platform.clock.as_ref(), Some(CHANGE), whole).await;
        read.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
    }

    async fn respond(
        &self,
        asked: std::result::Result<(Asked, Bytes), StatusCode>,
        has_body: bool,
        remote: SocketAddr,
        exchange: Arc<Exchange>,
    ) -> Response<Content> {
        let (answer, asked) = match asked {
            Ok((asked, body)) => (self.site.answer(&asked, body, remote).await, Ok(asked)),
            Err(status) => (Answer::refusal(status), Err(status)),
        };
        let head_only = asked.as_ref().is_ok_and(|asked| asked.head_only);
        self.log(remote, asked.as_ref().ok(), answer.status, answer.length()).await;
        // A body that we do not read must not be parsed as the next request.
        let keep_alive = asked.is_ok() && !has_body;
        let mut response = answer.into_response(head_only, keep_alive, exchange);
        if let Ok(date) = HeaderValue::from_str(&self.date()) {
            response.headers_mut().insert(DATE, date);
        }
        response
    }

    /// Responds to a head that `hyper` cannot parse.
    async fn refuse(&self, stream: &File, remote: SocketAddr, status: StatusCode) -> Result<()> {
        let answer = Answer::refusal(status);
        self.log(remote, None, status, answer.length()).await;
        let bytes = answer.into_bytes(&self.date());
        within(self.platform.clock.as_ref(), Some(REFUSAL), stream.write_all(&bytes)).await
    }

    async fn log(
        &self,
        remote: SocketAddr,
        asked: Option<&Asked>,
        status: StatusCode,
        length: Option<u64>,
    ) {
        if let Some(log) = &self.log {
            let target = match asked {
                Some(Asked { target, query: Some(query), .. }) => format!("{target}?{query}"),
                Some(Asked { target, query: None, .. }) => target.clone(),
                None => String::from("-"),
            };
            let length = length.map_or_else(|| "-".to_owned(), |length| length.to_string());
            log.remark(&format!("{remote} {} {status} {length}\n", target.escape_default())).await;
        }
    }

    fn date(&self) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + self.platform.now())
    }

    /// Shuts down our direction and drains what the client still sends: closing with unread data
    /// would reset the connection, and the response might be lost (RFC 9112 §9.6).
    async fn linger(&self, stream: File) -> Result<Outcome> {
        stream.control::<Shutdown>(&Direction::Write).await?;
        let drain = async {
            let mut buffer = vec![0; limits::HTTP_DRAIN_BYTES];
            for _ in 0..LINGER_READS {
                if stream.read(&mut buffer).await? == 0 {
                    break;
                }
            }
            Ok(Outcome::Gone)
        };
        within(self.platform.clock.as_ref(), Some(LINGER), drain).await
    }
}

/// The connections of a server, and what it does about them.
pub(super) struct Connections<'a> {
    server: &'a Server,
    crowd: Crowd<'a>,
    /// When the longest idle one must end, or earlier.
    expiry: Limit,
}

impl<'a> Connections<'a> {
    pub(super) fn new(server: &'a Server) -> Self {
        let room = Room { all: limits::HTTP_CONNECTIONS, source: limits::HTTP_PER_SOURCE };
        Self { server, crowd: Crowd::new(room), expiry: Limit::default() }
    }

    /// Serves them while something else is awaited.
    async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        poll_fn(|context| {
            self.poll(context);
            other.as_mut().poll(context)
        })
        .await
    }

    /// # Errors
    /// `NoBufferSpace` when there is no room.
    pub(super) fn enter(&mut self, stream: File, remote: SocketAddr) -> Result<()> {
        let leaving = self.crowd.enter(stream, remote).ok_or(Error::NoBufferSpace)?;
        leaving.into_iter().for_each(|index| self.linger(index));
        Ok(())
    }

    /// Lets those go on that can; not more than a turn's share of them.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) {
        let mut turns = 0;
        while let Some(index) = self.crowd.next_ready(context.waker()) {
            self.go_on(index);
            turns += 1;
            if turns == limits::HTTP_TURN {
                context.waker().wake_by_ref();
                break;
            }
        }
        // Those that became idle just now count.
        self.poll_expiry(context);
    }

    fn go_on(&mut self, index: u32) {
        let server = self.server;
        let Some(member) = self.crowd.member(index) else { return };
        let waker = member.waker.clone();
        let mut context = Context::from_waker(&waker);
        loop {
            let Some(member) = self.crowd.member(index) else { return };
            let Some(work) = &mut member.work else {
                if member.stream.poll_ready(&mut context, Readiness::READABLE).is_pending() {
                    return self.crowd.become_idle(index, server.platform.clock.now());
                }
                let requests = server.serve_requests(member.stream.clone(), member.remote);
                member.work = Some(Box::pin(requests));
                self.crowd.end_idleness(index);
                continue;
            };
            match work.as_mut().poll(&mut context) {
                Poll::Pending => return,
                Poll::Ready(Ok(Outcome::Idle)) => member.work = None,
                Poll::Ready(Ok(Outcome::Over)) => {
                    member.work = Some(Box::pin(server.linger(member.stream.clone())));
                }
                Poll::Ready(Ok(Outcome::Gone) | Err(_)) => return self.crowd.leave(index),
            }
        }
    }

    /// Ends a connection that has no place any more.
    fn linger(&mut self, index: u32) {
        if let Some(member) = self.crowd.member(index) {
            member.work = Some(Box::pin(self.server.linger(member.stream.clone())));
            member.waker.wake_by_ref();
        }
    }

    /// Ends those that are idle for too long, not more than a turn's share of them. Nothing wakes a
    /// server without clients.
    fn poll_expiry(&mut self, context: &mut Context<'_>) {
        let clock = self.server.platform.clock.as_ref();
        let mut turns = 0;
        while let Some((index, since)) = self.crowd.oldest() {
            let left = since.after(IDLE).since(clock.now());
            if left.is_zero() {
                if turns == limits::HTTP_TURN {
                    return context.waker().wake_by_ref();
                }
                turns += 1;
                self.crowd.give_way(index);
                self.linger(index);
            } else if self.expiry.poll(context, clock, left).is_ready() {
                self.expiry = Limit::default();
            } else {
                return;
            }
        }
    }
}
