//! Other hosts that have our names, or are about to claim them (RFC 6762 §8.2, §9).

use alloc::vec::Vec;

use super::Running;
use super::owned::Owned;
use crate::command::record::{RecordType, ResourceData};
use crate::dns_message::multicast::{MulticastMessage, MulticastRecord, data_bytes};
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::trace::event;

/// What a probe claims: types and data in order, by which two claims are compared.
type Claimed = Vec<(u16, Vec<u8>)>;

fn claimed<'a>(records: impl Iterator<Item = &'a MulticastRecord>) -> Claimed {
    let one = |known: &MulticastRecord| {
        Some((known.record.record_type.0, data_bytes(&known.record.data).ok()?))
    };
    let mut all: Claimed = records.filter_map(one).collect();
    all.sort_unstable();
    all
}

impl Running {
    /// Claims that another host has, by its response.
    pub(super) fn check_claims(&mut self, cx: &mut Context, ip: &Ip, message: &MulticastMessage) {
        let mut is_renamed = false;
        for place in 0..self.claims.len() {
            let Some(claim) = self.claims.get(place) else { break };
            let is_probing = claim.is_probing();
            if !is_probing && !claim.is_ours() {
                continue;
            }
            let name = claim.name();
            let said = message.answers.iter().chain(&message.additional);
            let mut others = said.filter(|known| known.record.name.eq_ignore_ascii_case(&name));
            let is_conflict = others.any(|known| {
                self.contradicts(place, is_probing, known) && !is_elsewhere(ip, known)
            });
            if is_conflict && let Some(claim) = self.claims.get_mut(place) {
                event!(cx, warn, "devnet::dns", "another host has the name {}", name);
                is_renamed |= claim.conflict(cx.now, &mut cx.random);
                for owned in self.owned.iter_mut().filter(|owned| owned.claim == place) {
                    owned.due = None;
                }
            }
        }
        if is_renamed {
            self.rebuild(ip);
        }
    }

    /// True for a record of another host that ours cannot stand beside. While a name is probed
    /// that is any record that only one host may have.
    fn contradicts(&self, claim: usize, is_probing: bool, other: &MulticastRecord) -> bool {
        // Zero says goodbye.
        if other.record.time_to_live == 0 {
            return false;
        }
        let ours = self.owned.iter().filter(|owned| owned.claim == claim && owned.is_claimed());
        let mut same_type =
            ours.filter(|owned| owned.record_type() == other.record.record_type).peekable();
        match same_type.peek() {
            Some(_) => !same_type.any(|owned| owned.is_same(&other.record)),
            None => is_probing && is_address_or_service(other),
        }
    }

    /// Two hosts probe a name at once: the one whose records are greater goes on.
    pub(super) fn break_ties(&mut self, cx: &mut Context, query: &MulticastMessage) {
        if query.authority.is_empty() {
            return;
        }
        for (place, claim) in self.claims.iter_mut().enumerate() {
            let name = claim.name();
            let is_asked =
                query.questions.iter().any(|question| question.name.eq_ignore_ascii_case(&name));
            if !claim.is_probing() || !is_asked {
                continue;
            }
            let is_of = |known: &&MulticastRecord| known.record.name.eq_ignore_ascii_case(&name);
            let theirs = claimed(query.authority.iter().filter(is_of));
            let ours = self.owned.iter().filter(|owned| owned.claim == place);
            let ours = claimed(ours.filter(|owned| owned.is_claimed()).map(Owned::record));
            if theirs > ours {
                event!(cx, debug, "devnet::dns", "another host probes {}, too", name);
                claim.defer(cx.now);
            }
        }
    }
}

fn is_address_or_service(known: &MulticastRecord) -> bool {
    matches!(
        known.record.record_type,
        RecordType::A | RecordType::AAAA | RecordType::SRV | RecordType::TXT | RecordType::CNAME
    )
}

/// True for an address of this system, which another interface of it announces on the same link.
fn is_elsewhere(ip: &Ip, known: &MulticastRecord) -> bool {
    matches!(known.record.data, ResourceData::Address(address) if ip.is_own(address))
}
