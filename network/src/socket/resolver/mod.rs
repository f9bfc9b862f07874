//! The stub resolver: looks names up with the DNS servers of the interfaces (RFC 1034 §5.3.1, RFC
//! 5452).
//!
//! A query goes to one server after the other, each time from a new random port with a new random
//! identifier and spelling; a response is accepted only from the queried address and port, and
//! [`DnsMessage::response`](crate::dns_message::DnsMessage::response) judges it. The resolver is an
//! ordinary program: it uses sockets and the clock, and a dropped lookup leaves nothing behind.
//!
//! | file | owns |
//! |---|---|
//! | this one | questions, from candidates to answers |
//! | `exchange` | one server: UDP, TCP, EDNS, spelling |
//! | `cache` | answers that are kept |
//! | `configured` | what commands ask of the system's: read, checked and made so |
//! | `failures` | lookups that failed a moment ago |
//! | `kept` | whether a question needs a server, and what is stale |
//! | `multicast` | names of the link |
//! | `names` | what the system has: its own servers, hosts, options; commands |
//! | `place` | which servers and which candidates |
//! | `records` | records of any type |
//! | `report` | failed lookups, told to watchers |
//! | `round_trip` | how fast servers answer |
//! | `security` | which servers are asked over TLS |
//! | `services` | services of the link |
//! | `tls` | one server over TLS |

mod cache;
mod configured;
mod exchange;
mod failures;
mod kept;
#[cfg_attr(not(feature = "mdns"), path = "multicast_absent.rs")]
mod multicast;
mod names;
mod place;
mod records;
mod report;
mod round_trip;
#[cfg_attr(not(feature = "dns-over-tls"), path = "security_absent.rs")]
mod security;
#[cfg(feature = "mdns")]
mod services;
#[cfg(feature = "dns-over-tls")]
mod tls;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use self::exchange::{Heard, Manner};
pub(super) use self::names::Names;
use self::names::Options;
use super::Sockets;
use super::question::{resolve_locally, wire_question};
use crate::command::dns::{Answer, Question, RecordKind};
use crate::command::record::{RecordType, ResourceData, ResourceRecord};
use crate::dns_message::{QueryKind, ResponseCode, plain_record};
use crate::trace::message;

/// The timeout of the first round; it doubles.
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
/// Rounds through all servers, and the bytes of UDP messages that each offers to take: what is sent
/// in fragments may not arrive (RFC 6891 §6.2.5), and nor may a query with EDNS.
const ROUNDS: [Option<u16>; 3] = [Some(4096), Some(1232), None];
/// The most aliases to follow.
const MAX_ALIASES: usize = 8;

/// Looks names up.
#[derive(Clone, Debug)]
pub struct Resolver {
    sockets: Sockets,
}

/// Who is asked, and how.
struct Ask {
    servers: Vec<SocketAddr>,
    recursion: bool,
    by_stream: bool,
    /// The servers are the configured ones, and what they say is kept.
    is_kept: bool,
    /// Names of the link are asked of it.
    is_on_link: bool,
    options: Options,
}

/// No server has an answer.
#[derive(Clone, Debug)]
struct Failure {
    error: Error,
    /// What the last one said of itself.
    said: Option<Box<Heard>>,
}

impl Resolver {
    pub(super) fn new(sockets: Sockets) -> Self {
        Self { sockets }
    }

    /// Resolves a question. Literal addresses, `localhost` and the hosts table need no server.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid name, `NotFound` for one that does not exist, `TimedOut` when
    /// no server answered, `NetworkUnreachable` when there is no server.
    ///
    /// A lookup that is not polled for [`LOOKUP_SECONDS`](crate::limits::LOOKUP_SECONDS) while
    /// others wait for their turn times out.
    ///
    /// # Cancel safety
    /// Dropping the future ends the lookup.
    pub async fn resolve(&self, question: &Question) -> Result<Answer, Error> {
        if let Some(answer) = resolve_locally(question) {
            return Ok(answer);
        }
        let (name, kinds) = wire_question(question)?;
        if question.server.is_none()
            && let Some(answer) = self.answer_of_hosts(question)
        {
            return Ok(answer);
        }
        let failed = |error: &Error| self.report_question(question, *error);
        let ask = self.ask_of(question.server, &name).inspect_err(failed)?;
        let is_searched = question.kind != RecordKind::Ptr
            && !question.name.ends_with('.')
            && !self.is_of_link(&name);
        let candidates = self.candidates(name, is_searched);
        let search = pin!(self.search(&ask, question.kind, candidates, &kinds));
        let search = pin!(self.in_turn(search));
        self.within(ask.options.timeout(), search).await.inspect_err(failed)
    }

    async fn within<T>(
        &self,
        longest: Option<Duration>,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(longest) = longest else { return work.await };
        self.sockets.timeout(longest, work).await
    }

    fn ask_of(&self, server: Option<SocketAddr>, name: &str) -> Result<Ask, Error> {
        let is_kept = server.is_none();
        let mut servers = server.map_or_else(|| self.servers(), |server| vec![server]);
        self.secure_all(&mut servers);
        if servers.is_empty() && !self.needs_no_server(name) {
            return Err(Error::NetworkUnreachable);
        }
        let (options, is_on_link) = (self.options(), is_kept);
        Ok(Ask { servers, recursion: true, by_stream: false, is_kept, is_on_link, options })
    }

    /// Does it when there is room for one more.
    async fn in_turn<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let clock = &*self.sockets.clock;
        let turn = self.sockets.lookups.begin(clock).await;
        let mut work = pin!(work);
        poll_fn(|context| {
            if !turn.renew(clock.now()) {
                return Poll::Ready(Err(Error::TimedOut));
            }
            work.as_mut().poll(context)
        })
        .await
    }

    /// Looks each candidate up, until there is an answer.
    async fn search(
        &self,
        ask: &Ask,
        kind: RecordKind,
        candidates: Vec<String>,
        kinds: &[QueryKind],
    ) -> Result<Answer, Error> {
        let mut outcome = Err(Error::NotFound);
        for candidate in candidates {
            match self.follow(ask, kind, candidate, kinds).await {
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

    /// Looks one name up, and its aliases until there are addresses.
    async fn follow(
        &self,
        ask: &Ask,
        kind: RecordKind,
        name: String,
        kinds: &[QueryKind],
    ) -> Result<Answer, Error> {
        let mut records: Vec<ResourceRecord> = Vec::new();
        let (mut target, mut asked) = (name, None);
        for _ in 0..MAX_ALIASES {
            let heard = self.known(ask, &target, kinds).await.map_err(|failure| failure.error)?;
            asked = heard.first().map(|heard| heard.server).or(asked);
            let is_there = |heard: &&Heard| heard.response.code == ResponseCode::NoError;
            let mut found: Vec<ResourceRecord> = Vec::new();
            for record in heard.iter().filter(is_there).flat_map(|heard| &heard.response.records) {
                if !found.contains(record) {
                    found.push(record.clone());
                }
            }
            // A name error for one type holds for all.
            if found.is_empty() && !heard.iter().all(|heard| is_there(&heard)) {
                return Err(Error::NotFound);
            }
            records.extend(found);
            let wants_address = kind != RecordKind::Cname && kind != RecordKind::Ptr;
            let is_complete = records.iter().any(|record| record.record_type != RecordType::CNAME);
            match last_alias(&records, &target) {
                Some(alias) if wants_address && !is_complete => target = alias,
                _ => break,
            }
        }
        Ok(Answer { server: asked, records: records.iter().filter_map(plain_record).collect() })
    }

    /// Asks one server after the other for all types at once; at least one response on success.
    async fn query_all(
        &self,
        ask: &Ask,
        name: &str,
        kinds: &[QueryKind],
    ) -> Result<Vec<Heard>, Failure> {
        // Without servers only names of the link are known.
        let has_none = ask.servers.is_empty();
        let error = if has_none { Error::NetworkUnreachable } else { Error::TimedOut };
        let mut failure = Failure { error, said: None };
        for (round, payload) in (0..).zip(ROUNDS) {
            let mut is_lost = false;
            for server in &ask.servers {
                message!(debug, "devnet::dns", "{}: {} is asked", name, server);
                let Ask { recursion, by_stream, .. } = *ask;
                let manner =
                    Manner { payload, is_mixed: ask.options.is_mixed, recursion, by_stream };
                let wait = FIRST_TIMEOUT * (1 << round);
                #[cfg(feature = "details")]
                let begin = self.sockets.clock.now();
                let outcome = self.query_server(*server, name, kinds, manner, wait).await;
                let judged = judge(&outcome.heard, outcome.failure);
                #[cfg(feature = "details")]
                self.measure(*server, begin, judged != Err(Error::TimedOut));
                match judged {
                    Ok(()) => {
                        message!(debug, "devnet::dns", "{}: {} answers", name, server);
                        return Ok(outcome.heard);
                    }
                    Err(error) => {
                        message!(debug, "devnet::dns", "{}: {} fails, {}", name, server, error);
                        is_lost |= error == Error::TimedOut;
                        let last = outcome.heard.into_iter().next_back();
                        let said = last.map(Box::new).or(failure.said);
                        failure = Failure { error, said };
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
}

/// Whether the responses to all types answer the question: any records do, and a name error for one
/// type holds for all.
fn judge(heard: &[Heard], failure: Option<Error>) -> Result<(), Error> {
    let (mut has_records, mut refused, mut no_such_name) = (false, false, false);
    for Heard { response, .. } in heard {
        match response.code {
            // What a truncated response lacks is not known.
            ResponseCode::NoError if response.is_truncated && response.records.is_empty() => {
                refused = true;
            }
            ResponseCode::NoError => has_records |= !response.records.is_empty(),
            ResponseCode::NameError => no_such_name = true,
            _ => refused = true,
        }
    }
    match failure {
        _ if has_records || no_such_name => Ok(()),
        Some(error) => Err(error),
        None if refused => Err(Error::ConnectionRefused),
        None => Ok(()),
    }
}

fn last_alias(records: &[ResourceRecord], start: &str) -> Option<String> {
    let mut name = start;
    // Each step uses another record, so the loop ends.
    for _ in records {
        let next = records.iter().find_map(|record| match &record.data {
            ResourceData::Name(target)
                if record.record_type == RecordType::CNAME
                    && record.name.eq_ignore_ascii_case(name) =>
            {
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
