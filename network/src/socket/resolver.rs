//! The stub resolver: looks names up with the DNS servers of the interfaces (RFC 1034 §5.3.1, RFC
//! 5452).
//!
//! A query goes to one server after the other, each time from a new random port with a new random
//! identifier; a response is accepted only from the queried address and port, and
//! [`DnsMessage::response`] judges it. The resolver is an ordinary program: it uses sockets and the
//! clock, and a dropped lookup leaves nothing behind.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use devnet_virtual_file_system::Error;

#[cfg(feature = "tcp")]
use super::TcpStream;
use super::question::{resolve_locally, wire_question};
use super::{Sockets, UdpSocket};
use crate::command::dns::{Answer, Question, Record, RecordData, RecordKind};
use crate::dns_message::{self, DnsMessage, PORT, QueryKind, Response, ResponseCode};
use crate::limits;
use crate::platform::before;
use crate::trace::message;
use crate::zone;

/// Rounds through all servers; the timeout starts at [`FIRST_TIMEOUT`] and doubles.
const ROUNDS: u32 = 3;
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
/// The timeout of a response over TCP.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
/// The most aliases to follow.
const MAX_ALIASES: usize = 8;

/// Looks names up.
#[derive(Clone, Debug)]
pub struct Resolver {
    sockets: Sockets,
}

/// The response of one server to one question.
enum Reply {
    Records(Vec<Record>),
    NoSuchName,
    Failed(Error),
}

impl Resolver {
    pub(super) fn new(sockets: Sockets) -> Self {
        Self { sockets }
    }

    /// Resolves a question. Literal addresses and `localhost` need no server.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid name, `NotFound` for one that does not exist, `TimedOut` when
    /// no server answered, `NetworkUnreachable` when there is no server.
    ///
    /// A lookup that is not polled for [`limits::LOOKUP_SECONDS`] while others wait for their turn
    /// times out.
    ///
    /// # Cancel safety
    /// Dropping the future ends the lookup.
    pub async fn resolve(&self, question: &Question) -> Result<Answer, Error> {
        if let Some(answer) = resolve_locally(question) {
            return Ok(answer);
        }
        let (name, kinds) = wire_question(question)?;
        let servers = self.servers(question);
        if servers.is_empty() {
            return Err(Error::NetworkUnreachable);
        }
        let clock = &*self.sockets.clock;
        let turn = self.sockets.lookups.begin(clock).await;
        let mut search = pin!(self.search(question, &servers, name, &kinds));
        poll_fn(|context| {
            if !turn.renew(clock.now()) {
                return Poll::Ready(Err(Error::TimedOut));
            }
            search.as_mut().poll(context)
        })
        .await
    }

    /// Looks each candidate up, until there is an answer.
    async fn search(
        &self,
        question: &Question,
        servers: &[SocketAddr],
        name: String,
        kinds: &[QueryKind],
    ) -> Result<Answer, Error> {
        let mut outcome = Err(Error::NotFound);
        for candidate in self.candidates(question, name) {
            match self.follow(servers, question.kind, candidate, kinds).await {
                // There is the name without such records: another domain may have them.
                Ok(answer) if answer.records.is_empty() => {
                    outcome = outcome.or(Ok(answer));
                }
                Err(Error::NotFound) => {}
                // Servers that know only their own domain refuse others.
                Err(error @ Error::ConnectionRefused) => outcome = outcome.or(Err(error)),
                found_or_failed => return found_or_failed,
            }
        }
        outcome
    }

    /// The names to ask for, in order (resolv.conf(5) with `ndots:1`): a name with a final dot is
    /// absolute; one with a dot inside is tried as it is, then in each domain of the search list; a
    /// single label in each domain first.
    fn candidates(&self, question: &Question, name: String) -> Vec<String> {
        if question.kind == RecordKind::Ptr || question.name.ends_with('.') {
            return vec![name];
        }
        let mut candidates: Vec<String> = Vec::new();
        for interface in self.sockets.place.interfaces() {
            interface.read(|stack| {
                for (domain, _) in
                    stack.name_servers.domains().filter(|_| stack.context.is_running())
                {
                    let whole = alloc::format!("{name}.{domain}");
                    let is_new = !candidates.contains(&whole);
                    if is_new && dns_message::check_name(&whole).is_ok() {
                        candidates.push(whole);
                    }
                }
            });
        }
        candidates.truncate(limits::SEARCH_DOMAINS);
        let place = if name.contains('.') { 0 } else { candidates.len() };
        candidates.insert(place, name);
        candidates
    }

    /// Looks one name up, and its aliases until there are addresses.
    async fn follow(
        &self,
        servers: &[SocketAddr],
        kind: RecordKind,
        name: String,
        kinds: &[QueryKind],
    ) -> Result<Answer, Error> {
        let mut records = Vec::new();
        let (mut target, mut asked) = (name, None);
        for _ in 0..MAX_ALIASES {
            let (server, found) = self.query_all(servers, &target, kinds).await?;
            asked = Some(server);
            records.extend(found);
            let wants_address = kind != RecordKind::Cname && kind != RecordKind::Ptr;
            let is_complete =
                records.iter().any(|record| !matches!(record.data, RecordData::Cname(_)));
            match last_alias(&records, &target) {
                Some(alias) if wants_address && !is_complete => target = alias,
                _ => break,
            }
        }
        Ok(Answer { server: asked, records })
    }

    /// The servers to query: the given one, else those of the interface or of all interfaces that
    /// are up.
    fn servers(&self, question: &Question) -> Vec<SocketAddr> {
        if let Some(server) = question.server {
            return vec![server];
        }
        let mut servers: Vec<SocketAddr> = Vec::new();
        for interface in self.sockets.place.interfaces() {
            interface.read(|stack| {
                for (address, _) in stack.name_servers.iter().filter(|_| stack.context.is_running())
                {
                    // A link-local server is one of its link (RFC 8106 §5.1).
                    let server = zone::with(SocketAddr::new(*address, PORT), interface.index);
                    if !servers.contains(&server) {
                        servers.push(server);
                    }
                }
            });
        }
        servers
    }

    async fn query_all(
        &self,
        servers: &[SocketAddr],
        name: &str,
        kinds: &[QueryKind],
    ) -> Result<(SocketAddr, Vec<Record>), Error> {
        let mut failure = Error::TimedOut;
        for round in 0..ROUNDS {
            let mut is_lost = false;
            for server in servers {
                message!(debug, "devnet::dns", "{}: {} is asked", name, server);
                match self.query_server(*server, name, kinds, FIRST_TIMEOUT * (1 << round)).await {
                    Reply::Records(records) => {
                        let count = records.len();
                        message!(debug, "devnet::dns", "{}: {} records of {}", name, count, server);
                        return Ok((*server, records));
                    }
                    Reply::NoSuchName => {
                        message!(debug, "devnet::dns", "{}: no such name, says {}", name, server);
                        return Err(Error::NotFound);
                    }
                    Reply::Failed(error) => {
                        message!(debug, "devnet::dns", "{}: {} fails, {}", name, server, error);
                        is_lost |= error == Error::TimedOut;
                        failure = error;
                    }
                }
            }
            // Waiting helps against loss, not against a refusal.
            if !is_lost {
                break;
            }
        }
        Err(failure)
    }

    /// Queries one server for all types at once.
    async fn query_server(
        &self,
        server: SocketAddr,
        name: &str,
        kinds: &[QueryKind],
        wait: Duration,
    ) -> Reply {
        let socket = UdpSocket::new(&self.sockets);
        if let Err(error) = socket.connect(server) {
            return Reply::Failed(error);
        }
        let mut queries = Vec::new();
        let first = self.random_identifier();
        // A bare header names no type, so each query has its own identifier.
        for (number, kind) in (0..).zip(kinds) {
            let query = DnsMessage::query(first ^ number, name.to_string(), *kind);
            let sent = match query.to_bytes() {
                Ok(bytes) => socket.send(&bytes).await,
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                return Reply::Failed(error);
            }
            queries.push((query, None));
        }
        let clock = &self.sockets.clock;
        let deadline = clock.now().after(wait);
        let collected =
            before(&**clock, deadline, self.collect(&socket, server, &mut queries)).await;
        let failure = collected.unwrap_or(Some(Error::TimedOut));
        combine(queries.into_iter().map(|(_, answer)| answer).collect(), failure)
    }

    /// Receives until every query has its response; returns early with an error of the socket.
    async fn collect(
        &self,
        socket: &UdpSocket,
        server: SocketAddr,
        queries: &mut [(DnsMessage, Option<Response>)],
    ) -> Option<Error> {
        while queries.iter().any(|(_, answer)| answer.is_none()) {
            // Many servers answer with more than 512 bytes although nobody offered to take them.
            let message = match socket.receive().await {
                Ok(message) => message,
                Err(error) => return Some(error),
            };
            let found = queries
                .iter_mut()
                .filter(|(_, known)| known.is_none() && is_from(message.remote, server))
                .find_map(|(query, known)| Some((query.response(&message.data)?, query, known)));
            let Some((response, query, known)) = found else {
                let from = message.remote;
                message!(debug, "devnet::dns", "a message of {} answers no question", from);
                continue;
            };
            if !is_answer(response.code) {
                message!(debug, "devnet::dns", "{} answers {}", server, response.code);
            }
            let is_incomplete = response.is_truncated && is_answer(response.code);
            // It counts if the deadline comes before a response over TCP.
            *known = Some(response);
            if is_incomplete && cfg!(feature = "tcp") {
                message!(debug, "devnet::dns", "a truncated answer, {} is asked over TCP", server);
            }
            if is_incomplete && let Some(whole) = self.query_over_tcp(server, query).await {
                *known = Some(whole);
            }
        }
        None
    }

    /// Repeats the query over TCP, where every response fits (RFC 7766).
    #[cfg(feature = "tcp")]
    async fn query_over_tcp(&self, server: SocketAddr, query: &DnsMessage) -> Option<Response> {
        let clock = &self.sockets.clock;
        let deadline = clock.now().after(TCP_TIMEOUT);
        let exchange = async {
            let stream = TcpStream::connect(&self.sockets, server).await.ok()?;
            let bytes = query.to_bytes().ok()?;
            let mut framed = u16::try_from(bytes.len()).ok()?.to_be_bytes().to_vec();
            framed.extend_from_slice(&bytes);
            stream.write_all(&framed).await.ok()?;
            let mut length = [0; 2];
            read_exactly(&stream, &mut length).await?;
            let mut body = vec![0; usize::from(u16::from_be_bytes(length))];
            read_exactly(&stream, &mut body).await?;
            query.response(&body)
        };
        before(&**clock, deadline, exchange).await.flatten()
    }

    /// Without TCP a truncated answer counts as far as it goes.
    #[cfg(not(feature = "tcp"))]
    async fn query_over_tcp(&self, _server: SocketAddr, _query: &DnsMessage) -> Option<Response> {
        None
    }

    fn random_identifier(&self) -> u16 {
        let mut bytes = [0; 2];
        // If the source fails, the random port still protects.
        let _ = self.sockets.entropy.fill(&mut bytes);
        u16::from_ne_bytes(bytes)
    }
}

#[cfg(feature = "tcp")]
async fn read_exactly(stream: &TcpStream, mut buffer: &mut [u8]) -> Option<()> {
    while !buffer.is_empty() {
        let taken = stream.read(buffer).await.ok().filter(|taken| *taken > 0)?;
        buffer = buffer.get_mut(taken..)?;
    }
    Some(())
}

/// True when a response came from a server, whose zone may not be given.
fn is_from(remote: SocketAddr, server: SocketAddr) -> bool {
    (remote.ip(), remote.port()) == (server.ip(), server.port())
}

/// True for a code that says something about the name; the others say something about the server.
const fn is_answer(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::NoError | ResponseCode::NameError)
}

/// Combines the responses to all types: any records count; a name error for one type holds for all.
fn combine(answers: Vec<Option<Response>>, failure: Option<Error>) -> Reply {
    let (mut records, mut refused, mut no_such_name) = (Vec::new(), false, false);
    for answer in answers.into_iter().flatten() {
        match answer.code {
            // What a truncated response lacks is not known.
            ResponseCode::NoError if answer.is_truncated && answer.records.is_empty() => {
                refused = true;
            }
            ResponseCode::NoError => records.extend(
                answer
                    .records
                    .into_iter()
                    .filter(|record| !records.contains(record))
                    .collect::<Vec<_>>(),
            ),
            ResponseCode::NameError => no_such_name = true,
            _ => refused = true,
        }
    }
    match failure {
        _ if !records.is_empty() => Reply::Records(records),
        _ if no_such_name => Reply::NoSuchName,
        Some(error) => Reply::Failed(error),
        _ if refused => Reply::Failed(Error::ConnectionRefused),
        _ => Reply::Records(records),
    }
}

fn last_alias(records: &[Record], start: &str) -> Option<String> {
    let mut name = start;
    // Each step uses another record, so the loop ends.
    for _ in records {
        let next = records.iter().find_map(|record| match &record.data {
            RecordData::Cname(target) if record.name.eq_ignore_ascii_case(name) => {
                Some(target.as_str())
            }
            _ => None,
        });
        match next {
            Some(next) => name = next,
            None => break,
        }
    }
    (name != start).then(|| name.to_string())
}
