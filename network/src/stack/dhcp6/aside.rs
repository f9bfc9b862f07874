//! Releases and Declines: they are sent again until a server answers, beside what else the client
//! does (RFC 8415 §18.2.7, §18.2.8).

use alloc::vec::Vec;

use super::exchange::{self, Exchange};
use super::messages;
use crate::dhcp6_message::{Dhcp6Message, MessageKind, option};
use crate::limits;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;

#[derive(Debug)]
struct Aside {
    message: Dhcp6Message,
    exchange: Exchange,
}

/// Those of one client.
#[derive(Debug, Default)]
pub(super) struct Asides(Vec<Aside>);

impl Asides {
    /// Sends a message, and again until there is an answer.
    pub(super) fn send(&mut self, cx: &mut Context, ip: &mut Ip, message: Dhcp6Message) {
        let exchange = Exchange::at_once(&mut cx.random, cx.now, exchange::GIVE_BACK);
        if self.0.len() >= limits::DHCP6_LEASES {
            self.0.remove(0);
        }
        self.0.push(Aside { message, exchange });
        self.expire(cx, ip);
    }

    /// True for the answer to one of them, which ends it.
    pub(super) fn receive(&mut self, message: &Dhcp6Message) -> bool {
        let is_answered = |aside: &Aside| {
            let same = |code: u16| message.option(code) == aside.message.option(code);
            message.kind == MessageKind::Reply
                && message.transaction == aside.message.transaction
                && same(option::CLIENT_IDENTIFIER)
                && same(option::SERVER_IDENTIFIER)
        };
        let count = self.0.len();
        self.0.retain(|aside| !is_answered(aside));
        self.0.len() < count
    }

    /// When the next message is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|aside| aside.exchange.next_at).min()
    }

    /// True when nothing is sent again.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sends what is due.
    pub(super) fn expire(&mut self, cx: &mut Context, ip: &mut Ip) {
        let now = cx.now;
        self.0.retain(|aside| aside.exchange.next_at > now || !aside.exchange.is_over(now));
        for aside in self.0.iter_mut().filter(|aside| aside.exchange.next_at <= now) {
            let mut message = aside.message.clone();
            let elapsed = aside.exchange.elapsed(now);
            message.push(option::ELAPSED_TIME, &elapsed.to_be_bytes());
            aside.exchange.advance(&mut cx.random, now);
            messages::to_servers(cx, ip, &message);
        }
    }
}
