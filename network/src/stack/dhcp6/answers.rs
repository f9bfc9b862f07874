//! What the client does with messages of servers (RFC 8415 §18.2.9, §18.2.10).

use core::time::Duration;

use super::Parts;
use super::client::{Ask, Client};
use super::exchange;
use super::leases::Leases;
use super::reply::{Answer, Information};
use crate::command::dhcp6::{Dhcp6State, INFINITE};
use crate::dhcp6_message::{Dhcp6Message, MessageKind, status};
use crate::limits;
use crate::stack::delegations::TimedPrefix;
use crate::trace::{dropped, event};

/// The preference at which nobody else is waited for.
const AT_ONCE: u8 = 255;
/// Seconds until information is asked for again, unless the server says another time (IRT_DEFAULT).
const REFRESH_SECONDS: u32 = 86_400;
/// The wait before servers are looked for again after one took back what it offered, or the address
/// was in use: the same would come at once.
const PAUSE: Duration = Duration::from_secs(10);

impl Client {
    /// Processes a message to port 546 of this interface.
    pub(super) fn receive(&mut self, parts: &mut Parts<'_>, message: &Dhcp6Message) {
        if self.asides.receive(message) {
            return;
        }
        let is_awaited = |exchange: &exchange::Exchange| {
            exchange.sent > 0 && exchange.transaction == message.transaction
        };
        // Reconfigure has no transaction. It must be authenticated, and we accept none (RFC 8415
        // §16.11).
        if message.kind == MessageKind::Reconfigure
            || !self.exchange.as_ref().is_some_and(is_awaited)
        {
            let cx = &mut *parts.cx;
            dropped!(cx, NoSocket, "devnet::dhcp6", "a message that was not asked for");
            return;
        }
        let Some(duid) = self.duid(parts.cx) else { return };
        let Some(answer) = Answer::read(message, &duid.0, self.iaid(parts.cx)) else {
            let cx = &mut *parts.cx;
            dropped!(cx, Malformed, "devnet::dhcp6", "an answer that cannot be");
            return;
        };
        self.note(&answer);
        let is_of_leases = self.leases.server == answer.server;
        let is_chosen = self.chosen.as_ref().is_some_and(|chosen| chosen.server == answer.server);
        match (self.state, answer.kind) {
            (Dhcp6State::Soliciting, MessageKind::Advertise) => self.offered(parts, answer),
            (Dhcp6State::Soliciting, MessageKind::Reply)
                if answer.is_rapid
                    && self.options.rapid_commit
                    && answer.status == status::SUCCESS
                    && self.satisfied(&answer) > 0 =>
            {
                self.accept(parts, &answer);
            }
            (Dhcp6State::Requesting, MessageKind::Reply) if is_chosen => {
                self.requested(parts, &answer);
            }
            (Dhcp6State::Confirming, MessageKind::Reply) if self.leases.prefixes.is_empty() => {
                self.confirmed(parts, &answer);
            }
            (Dhcp6State::Renewing, MessageKind::Reply) if is_of_leases => {
                self.extended(parts, answer);
            }
            (Dhcp6State::Rebinding | Dhcp6State::Confirming, MessageKind::Reply) => {
                self.extended(parts, answer);
            }
            (Dhcp6State::Informing, MessageKind::Reply) => self.informed(parts, answer),
            (state, _) => event!(parts.cx, debug, "devnet::dhcp6", "ignored, {}", state),
        }
    }

    /// What counts even in a message that is of no other use (RFC 8415 §18.2.9).
    fn note(&mut self, answer: &Answer) {
        if let Some(longest) = answer.solicit_longest {
            self.solicit_longest = Some(longest);
            if let Some(exchange) = &mut self.exchange
                && self.state == Dhcp6State::Soliciting
            {
                exchange.set_longest(longest);
            }
        }
        if answer.inform_longest.is_some() {
            self.inform_longest = answer.inform_longest;
        }
        self.refusal = answer.refusal().or(self.refusal);
    }

    /// How much of what is asked for a message has.
    fn satisfied(&self, answer: &Answer) -> u8 {
        let Ask { addresses, prefixes } = self.ask.unwrap_or_default();
        u8::from(addresses && answer.addresses.is_usable())
            + u8::from(prefixes && answer.prefixes.is_usable())
    }

    /// A server offers. The first answers are compared; later the first one is taken.
    fn offered(&mut self, parts: &mut Parts<'_>, answer: Answer) {
        let rank = |answer: &Answer| (answer.preference, self.satisfied(answer));
        if self.satisfied(&answer) == 0 || answer.status != status::SUCCESS {
            return;
        }
        let is_late = self.exchange.as_ref().is_some_and(|exchange| exchange.sent > 1);
        let is_at_once = answer.preference == AT_ONCE || is_late;
        if self.chosen.as_ref().is_none_or(|known| rank(&answer) > rank(known)) {
            self.chosen = Some(answer);
        }
        if is_at_once {
            self.request(parts);
        }
    }

    /// The chosen server answers the Request.
    fn requested(&mut self, parts: &mut Parts<'_>, answer: &Answer) {
        match answer.status {
            // The message goes to the group anyway, and is sent again (RFC 8415 §18.2.10).
            status::UNSPECIFIED | status::USE_MULTICAST => {}
            status::SUCCESS if self.satisfied(answer) > 0 => self.accept(parts, answer),
            _ => self.pause(parts),
        }
    }

    /// Looks for servers again after a while.
    fn pause(&mut self, parts: &mut Parts<'_>) {
        self.chosen = None;
        self.look(parts.cx);
        if let Some(exchange) = &mut self.exchange {
            exchange.next_at = parts.cx.now.after(PAUSE);
        }
    }

    /// A server says whether the addresses are of the link.
    fn confirmed(&mut self, parts: &mut Parts<'_>, answer: &Answer) {
        match answer.status {
            status::SUCCESS => self.settle(parts),
            status::NOT_ON_LINK => self.start_over(parts),
            _ => {}
        }
    }

    /// Everything is void: the link is another one.
    fn start_over(&mut self, parts: &mut Parts<'_>) {
        self.withdraw(parts);
        self.begin_anew(parts);
        self.follow(parts);
    }

    /// A server answers Renew or Rebind.
    fn extended(&mut self, parts: &mut Parts<'_>, answer: Answer) {
        match answer.status {
            status::SUCCESS => {}
            status::NOT_ON_LINK => return self.start_over(parts),
            _ => return,
        }
        let is_unknown = |code: u16| code == status::NO_BINDING;
        if is_unknown(answer.addresses.status) || is_unknown(answer.prefixes.status) {
            // It makes the binding anew, or gives another one (RFC 8415 §18.2.10.1).
            let mut chosen = answer;
            chosen.addresses.given.clear();
            chosen.prefixes.given.clear();
            self.chosen = Some(chosen);
            return self.request(parts);
        }
        if answer.addresses.given.is_empty() && answer.prefixes.given.is_empty() {
            // Nothing is said of the leases: the message is sent again.
            return;
        }
        self.accept(parts, &answer);
    }

    /// Takes over leases, and the rest with them.
    fn accept(&mut self, parts: &mut Parts<'_>, answer: &Answer) {
        let former = self.leases.clone();
        self.leases.take(answer, parts.now());
        if self.leases.is_empty() {
            self.apply_leases(parts, &former);
            return self.start_over(parts);
        }
        self.apply_leases(parts, &former);
        self.set_information(parts, answer.information.clone());
        if self.satisfied(answer)
            == u8::from(self.asks_addresses()) + u8::from(self.asks_prefixes())
        {
            self.refusal = None;
        }
        event!(
            parts.cx,
            info,
            "devnet::dhcp6",
            "{} addresses and {} prefixes",
            self.leases.addresses.len(),
            self.leases.prefixes.len()
        );
        self.settle(parts);
    }

    fn asks_addresses(&self) -> bool {
        self.ask.is_some_and(|ask| ask.addresses)
    }

    fn asks_prefixes(&self) -> bool {
        self.ask.is_some_and(|ask| ask.prefixes)
    }

    /// A server answers an Information-request.
    fn informed(&mut self, parts: &mut Parts<'_>, answer: Answer) {
        if answer.status != status::SUCCESS {
            return;
        }
        let seconds = answer.refresh.unwrap_or(REFRESH_SECONDS).max(limits::DHCP6_REFRESH_SECONDS);
        let until = parts.now().after(Duration::from_secs(u64::from(seconds)));
        self.refresh_at = (seconds != INFINITE).then_some(until);
        self.set_information(parts, answer.information);
        self.state = Dhcp6State::Informed;
        (self.exchange, self.refusal) = (None, None);
        parts.cx.wakes.add(&mut self.waiters);
    }

    fn set_information(&mut self, parts: &mut Parts<'_>, information: Information) {
        if self.information != information {
            parts.set_names(&information);
            self.information = information;
        }
    }

    /// Forgets name servers and everything else that is no lease.
    pub(super) fn forget_information(&mut self, parts: &mut Parts<'_>) {
        self.refresh_at = None;
        self.set_information(parts, Information::default());
    }

    /// Makes the interface have what the leases are now.
    pub(super) fn apply_leases(&mut self, parts: &mut Parts<'_>, former: &Leases) {
        parts.set_addresses(&former.addresses, &self.leases.addresses);
        if former.prefixes != self.leases.prefixes {
            parts.set_prefixes(&self.leases.prefixes);
        }
    }

    /// Removes everything that leases gave.
    pub(super) fn withdraw(&mut self, parts: &mut Parts<'_>) {
        let former = core::mem::take(&mut self.leases);
        self.apply_leases(parts, &former);
    }

    /// Gives addresses back that other hosts have (RFC 8415 §18.2.8).
    pub(super) fn decline_duplicates(&mut self, parts: &mut Parts<'_>) {
        let is_duplicate = |lease: &TimedPrefix| parts.is_duplicate(lease.prefix);
        let (gone, stay) = self.leases.addresses.iter().partition(|lease| is_duplicate(lease));
        let former = self.leases.clone();
        let declined = Leases { addresses: gone, prefixes: [].into(), ..former.clone() };
        if declined.is_empty() {
            return;
        }
        self.leases.addresses = stay;
        let message = self.giving_back(parts.cx, MessageKind::Decline, &declined);
        self.apply_leases(parts, &former);
        if let Some(message) = message {
            self.asides.send(parts.cx, parts.ip, message);
        }
        if self.leases.is_empty() {
            self.pause(parts);
        }
    }
}
