//! Records of any type: questions, and what a server answered.

use alloc::string::String;
use alloc::vec::Vec;
use core::pin::pin;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::exchange::Heard;
use super::{Ask, Failure, MAX_ALIASES, Resolver, last_alias};
use crate::command::dns::{Query, Reply};
use crate::command::record::{RecordType, ResourceRecord};
use crate::dns_message::name::{check_question, without_dot};
use crate::dns_message::{QueryKind, ResponseCode};

impl Resolver {
    /// Looks up records of any type. Answers of servers that a name does not exist are replies like
    /// others.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid name, or a type that no question has; `TimedOut` when no
    /// server answered, `NetworkUnreachable` when there is no server. Others as
    /// [`resolve`](Self::resolve).
    ///
    /// # Cancel safety
    /// Dropping the future ends the lookup.
    pub async fn query(&self, query: &Query) -> Result<Reply, Error> {
        let name = without_dot(&query.name).to_ascii_lowercase();
        check_question(&name)?;
        if !query.record_type.is_question() {
            return Err(Error::InvalidInput);
        }
        let outcome = self.query_name(query, name.clone()).await;
        self.report_reply(&name, query.record_type, &outcome);
        outcome
    }

    async fn query_name(&self, query: &Query, name: String) -> Result<Reply, Error> {
        let ask = self.ask_of(query.server, &name)?;
        let ask = Ask {
            recursion: query.recursion,
            by_stream: query.stream,
            is_kept: ask.is_kept && query.recursion && !query.stream,
            is_on_link: ask.is_on_link && !query.stream,
            ..ask
        };
        let is_searched = query.search && !query.name.ends_with('.') && !self.is_of_link(&name);
        let candidates = self.candidates(name, is_searched);
        let search = pin!(self.search_records(&ask, query.record_type, candidates));
        let search = pin!(self.in_turn(search));
        let longest = match query.timeout_milliseconds {
            0 => ask.options.timeout(),
            milliseconds => Some(Duration::from_millis(u64::from(milliseconds))),
        };
        self.within(longest, search).await
    }

    /// As [`search`](Self::search), for records of any type.
    async fn search_records(
        &self,
        ask: &Ask,
        record_type: RecordType,
        candidates: Vec<String>,
    ) -> Result<Reply, Error> {
        let mut outcome: Option<Reply> = None;
        for candidate in candidates {
            let reply = self.follow_records(ask, record_type, candidate).await?;
            if !reply.answers.is_empty() {
                return Ok(reply);
            }
            // That there is the name without such records says more than that there is none.
            let is_better = |known: &Reply| known.code != 0 && reply.code == 0;
            if outcome.as_ref().is_none_or(is_better) {
                outcome = Some(reply);
            }
        }
        outcome.ok_or(Error::NotFound)
    }

    /// As [`follow`](Self::follow), for records of any type.
    async fn follow_records(
        &self,
        ask: &Ask,
        record_type: RecordType,
        name: String,
    ) -> Result<Reply, Error> {
        let kinds = [QueryKind::from_code(record_type.0)];
        let (mut answers, mut target) = (Vec::new(), name.clone());
        let mut rounds = 0;
        loop {
            let heard = match self.known(ask, &target, &kinds).await {
                Ok(mut heard) => heard.pop(),
                Err(Failure { said: None, error }) => return Err(error),
                Err(Failure { said, .. }) => said.map(|said| *said),
            };
            let Heard { server, identifier, bytes, response, .. } = heard.ok_or(Error::TimedOut)?;
            answers.extend(response.records);
            rounds += 1;
            let is_alias = |record: &ResourceRecord| record.record_type == RecordType::CNAME;
            let is_open = record_type != RecordType::CNAME
                && response.code == ResponseCode::NoError
                && rounds < MAX_ALIASES
                && answers.last().is_some_and(is_alias);
            match last_alias(&answers, &target).filter(|_| is_open) {
                Some(alias) => target = alias,
                None => {
                    return Ok(Reply {
                        server,
                        identifier,
                        flags: response.flags,
                        code: response.code.bits(),
                        name,
                        payload: response.payload,
                        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
                        answers,
                        authority: response.authority,
                        additional: response.additional,
                    });
                }
            }
        }
    }
}
