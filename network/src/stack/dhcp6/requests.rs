//! What the messages of the client say (RFC 8415 §18.2).

use super::client::Client;
use super::leases::Leases;
use super::messages::{held, offered, push_association, push_request};
use crate::dhcp6_message::{Dhcp6Message, MessageKind, option};
use crate::stack::context::Context;

impl Client {
    /// The next message of the exchange.
    pub(super) fn message(&self, cx: &Context, kind: MessageKind) -> Option<Dhcp6Message> {
        let exchange = self.exchange.as_ref()?;
        let mut message = Dhcp6Message::new(kind, exchange.transaction);
        message.push(option::CLIENT_IDENTIFIER, &self.duid(cx)?.0);
        match kind {
            MessageKind::Request => {
                message.push(option::SERVER_IDENTIFIER, &self.chosen.as_ref()?.server);
            }
            MessageKind::Renew => message.push(option::SERVER_IDENTIFIER, &self.leases.server),
            MessageKind::Solicit if self.options.rapid_commit => {
                message.push(option::RAPID_COMMIT, &[]);
            }
            _ => {}
        }
        message.push(option::ELAPSED_TIME, &exchange.elapsed(cx.now).to_be_bytes());
        push_request(&mut message);
        let (iaid, ask) = (self.iaid(cx), self.ask.unwrap_or_default());
        let chosen = self.chosen.as_ref().filter(|_| kind == MessageKind::Request);
        if ask.addresses {
            let members = match chosen.map(|answer| &answer.addresses) {
                Some(found) if found.is_usable() => offered(&found.given),
                _ => held(&self.leases.addresses),
            };
            push_association(&mut message, option::IA_NA, iaid, &members);
        }
        if ask.prefixes && kind != MessageKind::Confirm {
            let mut members = match chosen.map(|answer| &answer.prefixes) {
                Some(found) if found.is_usable() => offered(&found.given),
                _ => held(&self.leases.prefixes),
            };
            if members.is_empty() {
                members.extend(self.options.hint);
            }
            push_association(&mut message, option::IA_PD, iaid, &members);
        }
        Some(message)
    }

    /// A Release or a Decline of these leases.
    pub(super) fn giving_back(
        &self,
        cx: &mut Context,
        kind: MessageKind,
        what: &Leases,
    ) -> Option<Dhcp6Message> {
        let mut message = Dhcp6Message::new(kind, cx.random.u32());
        message.push(option::CLIENT_IDENTIFIER, &self.duid(cx)?.0);
        message.push(option::SERVER_IDENTIFIER, &what.server);
        let iaid = self.iaid(cx);
        for (code, leases) in [(option::IA_NA, &what.addresses), (option::IA_PD, &what.prefixes)] {
            if !leases.is_empty() {
                push_association(&mut message, code, iaid, &held(leases));
            }
        }
        Some(message)
    }
}
