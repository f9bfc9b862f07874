//! The client of one interface: what it asks for, and when (RFC 8415 §18.2).
//!
//! [`answers`](super::answers) has what it does with messages of servers.

use core::task::Waker;
use core::time::Duration;

use devnet_virtual_file_system::{Error, WakerList};

use super::Parts;
use super::aside::Asides;
use super::exchange::{self, Exchange, Schedule};
use super::leases::Leases;
use super::messages;
use super::reply::{Answer, Information};
use super::settings;
use crate::command::dhcp6::{Dhcp6ClientOptions, Dhcp6Mode, Dhcp6State, Duid};
use crate::dhcp6_message::MessageKind;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::trace::event;

/// How long a client that follows advertisements waits for a router before it asks for prefixes
/// anyway: three solicitations of 4 seconds each, and a second before them.
const ROUTER_WAIT: Duration = Duration::from_secs(13);
/// The flags of an advertisement (RFC 4861 §4.2).
const MANAGED: u8 = 0x80;
const OTHER: u8 = 0x40;

/// What is asked for. Without leases it is other configuration alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ask {
    pub(super) addresses: bool,
    pub(super) prefixes: bool,
}

impl Ask {
    pub(super) const fn has_leases(self) -> bool {
        self.addresses || self.prefixes
    }

    /// True when another one asks for something that this one does not.
    const fn lacks(self, other: Self) -> bool {
        (other.addresses && !self.addresses) || (other.prefixes && !self.prefixes)
    }
}

/// The client.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(super) options: Dhcp6ClientOptions,
    pub(super) state: Dhcp6State,
    /// What is asked for on this link; none before that is known.
    pub(super) ask: Option<Ask>,
    pub(super) exchange: Option<Exchange>,
    /// The best Advertise, then the server that is asked.
    pub(super) chosen: Option<Answer>,
    pub(super) leases: Leases,
    pub(super) information: Information,
    /// When other configuration is asked for again.
    pub(super) refresh_at: Option<Instant>,
    /// SOL_MAX_RT and INF_MAX_RT, as a server said them.
    pub(super) solicit_longest: Option<Duration>,
    pub(super) inform_longest: Option<Duration>,
    pub(super) refusal: Option<u16>,
    pub(super) asides: Asides,
    /// When no router is waited for any more.
    alone_at: Option<Instant>,
    /// What was looked at last: flags, revision of the addresses, whether the link is there.
    seen: Option<(Option<u8>, u32, bool)>,
    pub(super) waiters: WakerList,
}

impl Client {
    pub(super) fn is_on(&self) -> bool {
        self.options.mode != Dhcp6Mode::Off
    }

    pub(super) fn duid(&self, cx: &Context) -> Option<Duid> {
        settings::duid(cx, &self.options)
    }

    pub(super) fn iaid(&self, cx: &Context) -> u32 {
        settings::iaid(cx, &self.options)
    }

    /// Takes over what a command says; true if that changed something. Leases of another identity,
    /// and those that are not asked for any more, are released.
    pub(super) fn set(&mut self, parts: &mut Parts<'_>, options: Dhcp6ClientOptions) -> bool {
        if self.options == options {
            return false;
        }
        let identity = |options: &Dhcp6ClientOptions| {
            (options.mode, options.prefixes, options.duid.clone(), options.iaid)
        };
        if identity(&self.options) == identity(&options) {
            // From the next message on.
            self.options = options;
            return true;
        }
        self.stop(parts);
        self.options = options;
        self.begin_on_link(parts);
        true
    }

    /// Ends everything and releases the leases.
    pub(super) fn stop(&mut self, parts: &mut Parts<'_>) {
        if !self.leases.is_empty() {
            let message = self.giving_back(parts.cx, MessageKind::Release, &self.leases);
            self.withdraw(parts);
            if let Some(message) = message.filter(|_| parts.cx.is_running()) {
                self.asides.send(parts.cx, parts.ip, message);
            }
        }
        self.forget_information(parts);
        *self = Self {
            asides: core::mem::take(&mut self.asides),
            waiters: core::mem::take(&mut self.waiters),
            ..Self::default()
        };
        parts.cx.wakes.add(&mut self.waiters);
    }

    /// The link came or went. Leases are confirmed when it is back, and end with their lifetimes
    /// while it is not.
    pub(super) fn link_changed(&mut self, parts: &mut Parts<'_>) {
        self.asides = Asides::default();
        self.begin_on_link(parts);
    }

    /// Begins on the link as it is now.
    fn begin_on_link(&mut self, parts: &mut Parts<'_>) {
        if !self.is_on() {
            return;
        }
        (self.exchange, self.chosen, self.seen) = (None, None, None);
        self.state = Dhcp6State::Waiting;
        if !parts.cx.is_running() {
            self.alone_at = None;
        } else if self.leases.is_empty() {
            // What was learned on the previous link may be wrong on this one.
            self.begin_anew(parts);
        } else {
            self.state = Dhcp6State::Confirming;
            let end = parts.now().after(exchange::CONFIRM_DURATION);
            self.begin(parts.cx, exchange::CONFIRM, Some(end));
        }
    }

    /// Finds out what to ask for.
    pub(super) fn begin_anew(&mut self, parts: &mut Parts<'_>) {
        self.forget_information(parts);
        (self.exchange, self.chosen, self.ask, self.seen) = (None, None, None, None);
        self.state = Dhcp6State::Waiting;
        let may_be_alone = self.options.mode == Dhcp6Mode::Auto && self.options.prefixes;
        self.alone_at = may_be_alone.then(|| parts.now().after(ROUTER_WAIT));
    }

    /// Looks whether routers say something else now, or another host has an address; false if
    /// there was nothing new to look at.
    pub(super) fn follow(&mut self, parts: &mut Parts<'_>) -> bool {
        if !self.is_on() {
            return false;
        }
        let flags = parts.autoconfiguration.advertised_flags();
        let seen = (flags, parts.ip.addresses.revision(), parts.cx.is_running());
        if self.seen == Some(seen) {
            return false;
        }
        self.seen = Some(seen);
        self.decline_duplicates(parts);
        if !parts.cx.is_running() || parts.ip.addresses.link_local().is_none() {
            return true;
        }
        let is_alone = self.alone_at.is_some_and(|at| at <= parts.now());
        let Some(wanted) = self.wanted(flags, is_alone) else { return true };
        let is_less = |known: Ask| known.lacks(wanted);
        if self.ask.is_none_or(is_less) {
            let known = self.ask.unwrap_or_default();
            self.ask = Some(Ask {
                addresses: known.addresses || wanted.addresses,
                prefixes: known.prefixes || wanted.prefixes,
            });
            self.chosen = None;
            self.look(parts.cx);
        }
        true
    }

    /// What there is to ask for, as far as that is known.
    fn wanted(&self, flags: Option<u8>, is_alone: bool) -> Option<Ask> {
        let prefixes = self.options.prefixes;
        let leases = |addresses: bool| Some(Ask { addresses, prefixes });
        match (self.options.mode, flags) {
            (Dhcp6Mode::Off, _) => None,
            (Dhcp6Mode::Stateful, _) => leases(true),
            (Dhcp6Mode::Stateless, _) => leases(false),
            (Dhcp6Mode::Auto, None) => leases(false).filter(|_| prefixes && is_alone),
            (Dhcp6Mode::Auto, Some(flags)) if flags & MANAGED != 0 => leases(true),
            (Dhcp6Mode::Auto, Some(flags)) => {
                leases(false).filter(|_| prefixes || flags & OTHER != 0)
            }
        }
    }

    /// Begins to look for servers.
    pub(super) fn look(&mut self, cx: &mut Context) {
        if self.ask.is_some_and(Ask::has_leases) {
            self.state = Dhcp6State::Soliciting;
            self.begin(cx, exchange::SOLICIT, None);
        } else {
            self.state = Dhcp6State::Informing;
            self.begin(cx, exchange::INFORM, None);
        }
    }

    /// Begins an exchange of the present state, that fails at `end`.
    pub(super) fn begin(&mut self, cx: &mut Context, schedule: Schedule, end: Option<Instant>) {
        let longest = match self.state {
            Dhcp6State::Soliciting => self.solicit_longest,
            Dhcp6State::Informing => self.inform_longest,
            _ => None,
        };
        let new = Exchange::new(&mut cx.random, cx.now, schedule).until(end);
        self.exchange = Some(new.with_longest(longest.unwrap_or(schedule.longest)));
    }

    /// Extends the lifetimes, or asks for other configuration, now.
    ///
    /// # Errors
    /// `NotConnected` without either.
    pub(super) fn renew(&mut self, parts: &mut Parts<'_>) -> Result<(), Error> {
        if !parts.cx.is_running() {
            return Err(Error::NotConnected);
        }
        if !self.leases.is_empty() {
            self.extend(parts);
        } else if self.state == Dhcp6State::Informed {
            self.state = Dhcp6State::Informing;
            self.begin(parts.cx, exchange::INFORM, None);
        } else {
            return Err(Error::NotConnected);
        }
        Ok(())
    }

    /// Renew, or Rebind once T2 is over.
    fn extend(&mut self, parts: &mut Parts<'_>) {
        let rebind_at = self.leases.rebind_at;
        let is_late = rebind_at.is_some_and(|at| at <= parts.now());
        let end = if is_late { self.leases.last_end() } else { rebind_at };
        self.state = if is_late { Dhcp6State::Rebinding } else { Dhcp6State::Renewing };
        self.begin(parts.cx, exchange::EXTEND, end);
        self.step(parts);
    }

    /// The next deadline.
    pub(super) fn next(&self, cx: &Context) -> Option<Instant> {
        let alone_at = self.alone_at.filter(|at| *at > cx.now && self.ask.is_none());
        let main = self.next_step().or(alone_at).filter(|_| cx.is_running());
        [main, self.leases.next_end(), self.asides.next()].into_iter().flatten().min()
    }

    /// Does everything that is due.
    pub(super) fn expire(&mut self, parts: &mut Parts<'_>) {
        let now = parts.now();
        self.asides.expire(parts.cx, parts.ip);
        let former = self.leases.clone();
        if self.leases.end_those_over(now) {
            event!(parts.cx, info, "devnet::dhcp6", "leases ran out");
            self.apply_leases(parts, &former);
            if self.leases.is_empty() && parts.cx.is_running() {
                self.begin_anew(parts);
                self.follow(parts);
                return;
            }
        }
        if self.state == Dhcp6State::Waiting {
            self.seen = None;
            self.follow(parts);
        } else if self.next_step().is_some_and(|at| at <= now) && parts.cx.is_running() {
            self.step(parts);
        }
    }

    /// When the present state ends or sends.
    fn next_step(&self) -> Option<Instant> {
        match (&self.exchange, self.state) {
            (Some(exchange), _) => Some(exchange.next_at),
            (None, Dhcp6State::Bound) => self.leases.renew_at,
            (None, Dhcp6State::Informed) => self.refresh_at,
            _ => None,
        }
    }

    /// Sends the next message of the present state, or goes on to the next one.
    pub(super) fn step(&mut self, parts: &mut Parts<'_>) {
        let now = parts.now();
        let is_over = self.exchange.as_ref().is_some_and(|exchange| exchange.is_over(now));
        match self.state {
            Dhcp6State::Soliciting if self.chosen.is_some() => return self.request(parts),
            Dhcp6State::Requesting if is_over => {
                self.chosen = None;
                return self.look(parts.cx);
            }
            // Nobody says that they are wrong (RFC 8415 §18.2.3).
            Dhcp6State::Confirming if is_over => return self.settle(parts),
            Dhcp6State::Bound => return self.extend(parts),
            Dhcp6State::Renewing if is_over => return self.extend(parts),
            Dhcp6State::Informed => {
                self.state = Dhcp6State::Informing;
                return self.begin(parts.cx, exchange::INFORM, None);
            }
            _ => {}
        }
        let kind = match self.state {
            Dhcp6State::Soliciting => MessageKind::Solicit,
            Dhcp6State::Requesting => MessageKind::Request,
            // Prefixes cannot be confirmed (RFC 8415 §18.2.12).
            Dhcp6State::Confirming if self.leases.prefixes.is_empty() => MessageKind::Confirm,
            Dhcp6State::Confirming | Dhcp6State::Rebinding => MessageKind::Rebind,
            Dhcp6State::Renewing => MessageKind::Renew,
            Dhcp6State::Informing => MessageKind::InformationRequest,
            _ => return,
        };
        let message = self.message(parts.cx, kind);
        let Some(exchange) = self.exchange.as_mut() else { return };
        exchange.advance(&mut parts.cx.random, now);
        if let Some(message) = message {
            messages::to_servers(parts.cx, parts.ip, &message);
        }
    }

    /// The leases hold.
    pub(super) fn settle(&mut self, parts: &mut Parts<'_>) {
        self.state = Dhcp6State::Bound;
        (self.exchange, self.chosen) = (None, None);
        parts.cx.wakes.add(&mut self.waiters);
    }

    /// Asks the server that was chosen.
    pub(super) fn request(&mut self, parts: &mut Parts<'_>) {
        self.state = Dhcp6State::Requesting;
        self.begin(parts.cx, exchange::REQUEST, None);
        self.step(parts);
    }

    /// Wakes `waker` when the state changes.
    pub(super) fn register(&mut self, waker: &Waker) {
        self.waiters.register(waker);
    }
}
