//! The stateless server: it tells name servers, domains, and when to ask again (RFC 8415 §6.1,
//! §18.3). Whoever asks for addresses or prefixes is told that there are none.

use core::net::{IpAddr, Ipv6Addr};

use super::messages::{self, SERVERS};
use crate::command::dhcp6::{Dhcp6ServerOptions, Dhcp6ServerStatistics, Duid};
use crate::dhcp6_message::{Dhcp6Message, MessageKind, number_at, option, options, push, status};
use crate::dns_message::name;
use crate::limits;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::token_bucket::TokenBucket;
use crate::trace::dropped;

/// The server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) options: Dhcp6ServerOptions,
    pub(super) statistics: Dhcp6ServerStatistics,
    allowance: TokenBucket,
}

impl Server {
    pub(super) fn new(cx: &Context, options: Dhcp6ServerOptions) -> Self {
        Self {
            options,
            statistics: Dhcp6ServerStatistics::default(),
            allowance: TokenBucket::new(limits::DHCP6_ANSWERS, cx.now),
        }
    }

    /// Processes a message to port 547 of this interface, from a link-local address.
    pub(super) fn receive(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        message: &Dhcp6Message,
        (client, destination): (Ipv6Addr, IpAddr),
        own: &Duid,
    ) {
        let is_to_group = destination == IpAddr::V6(SERVERS);
        let Some(reply) = answer(&self.options, message, is_to_group, own) else {
            self.statistics.ignored += 1;
            dropped!(cx, Malformed, "devnet::dhcp6", "a message of {} without an answer", client);
            return;
        };
        if !self.allowance.take(limits::DHCP6_ANSWERS, cx.now) {
            self.statistics.ignored += 1;
            dropped!(cx, QueueFull, "devnet::dhcp6", "a message of {}", client);
            return;
        }
        match message.kind {
            MessageKind::InformationRequest => self.statistics.informed += 1,
            _ => self.statistics.refused += 1,
        }
        messages::to_client(cx, ip, client, &reply);
    }
}

/// The answer to a message, if it gets one (RFC 8415 §16, §18.3).
fn answer(
    tells: &Dhcp6ServerOptions,
    message: &Dhcp6Message,
    is_to_group: bool,
    own: &Duid,
) -> Option<Dhcp6Message> {
    let client = match message.has(option::CLIENT_IDENTIFIER) {
        true => Some(message.option(option::CLIENT_IDENTIFIER)?),
        false => None,
    };
    if client.is_some_and(|client| !(3..=130).contains(&client.len())) {
        return None;
    }
    let is_to_us = match message.has(option::SERVER_IDENTIFIER) {
        true => message.option(option::SERVER_IDENTIFIER)? == own.0,
        false => false,
    };
    let names_server = message.has(option::SERVER_IDENTIFIER);
    let has_association =
        [option::IA_NA, option::IA_TA, option::IA_PD].iter().any(|code| message.has(*code));
    let is_valid = match message.kind {
        MessageKind::InformationRequest => {
            is_to_group && (is_to_us || !names_server) && !has_association
        }
        MessageKind::Solicit => is_to_group && client.is_some() && !names_server,
        MessageKind::Request | MessageKind::Renew | MessageKind::Release | MessageKind::Decline => {
            client.is_some() && is_to_us
        }
        // What the link has is not for us to say (RFC 8415 §18.3.3, §18.3.5).
        _ => false,
    };
    if !is_valid {
        return None;
    }
    let kind = match message.kind {
        MessageKind::Solicit => MessageKind::Advertise,
        _ => MessageKind::Reply,
    };
    let mut reply = Dhcp6Message::new(kind, message.transaction);
    reply.push(option::SERVER_IDENTIFIER, &own.0);
    client.into_iter().for_each(|client| reply.push(option::CLIENT_IDENTIFIER, client));
    if message.kind != MessageKind::InformationRequest && !is_to_group {
        reply.push(option::STATUS_CODE, &status_value(status::USE_MULTICAST));
        return Some(reply);
    }
    if message.kind != MessageKind::InformationRequest {
        refuse(message, &mut reply)?;
    }
    inform(tells, message, &mut reply);
    Some(reply)
}

fn status_value(code: u16) -> [u8; 2] {
    code.to_be_bytes()
}

/// Says of each association of a message that there is nothing for it.
fn refuse(message: &Dhcp6Message, reply: &mut Dhcp6Message) -> Option<()> {
    let is_new = matches!(message.kind, MessageKind::Solicit | MessageKind::Request);
    let mut count = 0;
    for (code, value) in &message.options {
        // The head of a temporary association has no times.
        let (length, refusal) = match *code {
            option::IA_NA => (12, status::NO_ADDRESSES),
            option::IA_TA => (4, status::NO_ADDRESSES),
            option::IA_PD => (12, status::NO_PREFIXES),
            _ => continue,
        };
        let head = value.get(..length)?;
        options(value.get(length..)?).ok()?;
        count += 1;
        if count > limits::DHCP6_LEASES {
            break;
        }
        let mut body = number_at(head, 0)?.to_be_bytes().to_vec();
        body.resize(length, 0);
        let refusal = if is_new { refusal } else { status::NO_BINDING };
        push(&mut body, option::STATUS_CODE, &status_value(refusal));
        reply.push(*code, &body);
    }
    if matches!(message.kind, MessageKind::Release | MessageKind::Decline) {
        reply.push(option::STATUS_CODE, &status_value(status::SUCCESS));
    }
    Some(())
}

/// Tells what was asked for.
fn inform(tells: &Dhcp6ServerOptions, message: &Dhcp6Message, reply: &mut Dhcp6Message) {
    let asked = message.option(option::REQUEST).unwrap_or_default();
    let (codes, _) = asked.as_chunks::<2>();
    let is_asked = |code: u16| codes.contains(&code.to_be_bytes());
    if is_asked(option::DNS_SERVERS) && !tells.dns_servers.is_empty() {
        let octets: alloc::vec::Vec<u8> =
            tells.dns_servers.iter().flat_map(Ipv6Addr::octets).collect();
        reply.push(option::DNS_SERVERS, &octets);
    }
    if is_asked(option::DOMAINS) && !tells.domains.is_empty() {
        let mut bytes = alloc::vec::Vec::new();
        for domain in &tells.domains {
            // They were checked.
            let _ = name::write(&mut bytes, domain);
        }
        reply.push(option::DOMAINS, &bytes);
    }
    if message.kind == MessageKind::InformationRequest && is_asked(option::INFORMATION_REFRESH_TIME)
    {
        let seconds = tells.refresh_seconds.to_be_bytes();
        reply.push(option::INFORMATION_REFRESH_TIME, &seconds);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const CLIENT: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0, 9];

    fn own() -> Duid {
        Duid([0, 3, 0, 1, 2, 0, 0, 0, 0, 1].into())
    }

    fn tells() -> Dhcp6ServerOptions {
        Dhcp6ServerOptions {
            dns_servers: Vec::from(["fd00::53".parse().unwrap()]),
            domains: Vec::from(["lan".into()]),
            refresh_seconds: 700,
        }
    }

    fn ask(kind: MessageKind, parts: &[(u16, &[u8])]) -> Option<Dhcp6Message> {
        let mut message = Dhcp6Message::new(kind, 77);
        parts.iter().for_each(|(code, value)| message.push(*code, value));
        answer(&tells(), &message, true, &own())
    }

    fn ia(length: usize) -> Vec<u8> {
        let mut value = Vec::from([0, 0, 0, 5]);
        value.resize(length, 0);
        value
    }

    #[test]
    fn what_is_asked_for_is_told() {
        let asked: &[u8] = &[0, 23, 0, 24, 0, 32, 0, 99];
        let reply = ask(MessageKind::InformationRequest, &[(option::REQUEST, asked)]).unwrap();
        assert_eq!((reply.kind, reply.transaction), (MessageKind::Reply, 77));
        assert_eq!(reply.option(option::SERVER_IDENTIFIER), Some(&own().0[..]));
        assert_eq!(reply.option(option::DNS_SERVERS).unwrap().len(), 16);
        assert_eq!(reply.option(option::DOMAINS), Some(&b"\x03lan\x00"[..]));
        assert_eq!(reply.option(option::INFORMATION_REFRESH_TIME), Some(&[0, 0, 2, 188][..]));
        assert!(!reply.has(option::CLIENT_IDENTIFIER));
        let bare = ask(MessageKind::InformationRequest, &[]).unwrap();
        assert!(!bare.has(option::DNS_SERVERS));
        let named = [(option::CLIENT_IDENTIFIER, CLIENT)];
        let reply = ask(MessageKind::InformationRequest, &named).unwrap();
        assert_eq!(reply.option(option::CLIENT_IDENTIFIER), Some(CLIENT));
    }

    #[test]
    fn addresses_and_prefixes_are_refused_by_their_codes() {
        let (na, pd, ta) = (ia(12), ia(12), ia(4));
        let parts: &[(u16, &[u8])] = &[
            (option::CLIENT_IDENTIFIER, CLIENT),
            (option::IA_NA, &na),
            (option::IA_PD, &pd),
            (option::IA_TA, &ta),
        ];
        let advertise = ask(MessageKind::Solicit, parts).unwrap();
        assert_eq!(advertise.kind, MessageKind::Advertise);
        let code = |message: &Dhcp6Message, code: u16| {
            let value = message.option(code).unwrap();
            u16::from_be_bytes([value[value.len() - 2], value[value.len() - 1]])
        };
        assert_eq!(code(&advertise, option::IA_NA), status::NO_ADDRESSES);
        assert_eq!(code(&advertise, option::IA_TA), status::NO_ADDRESSES);
        assert_eq!(code(&advertise, option::IA_PD), status::NO_PREFIXES);
        let duid = own();
        let mut to_us = parts.to_vec();
        to_us.push((option::SERVER_IDENTIFIER, &duid.0));
        assert!(ask(MessageKind::Solicit, &to_us).is_none());
        let reply = ask(MessageKind::Request, &to_us).unwrap();
        assert_eq!(code(&reply, option::IA_NA), status::NO_ADDRESSES);
        for kind in [MessageKind::Renew, MessageKind::Release, MessageKind::Decline] {
            let reply = ask(kind, &to_us).unwrap();
            assert_eq!(code(&reply, option::IA_NA), status::NO_BINDING, "{kind:?}");
            assert!(ask(kind, parts).is_none());
        }
        let mut unicast = Dhcp6Message::new(MessageKind::Renew, 7);
        to_us.iter().for_each(|(code, value)| unicast.push(*code, value));
        let reply = answer(&tells(), &unicast, false, &own()).unwrap();
        assert_eq!(code(&reply, option::STATUS_CODE), status::USE_MULTICAST);
    }

    #[test]
    fn what_is_not_for_us_gets_no_answer() {
        let na = ia(12);
        let other: &[(u16, &[u8])] =
            &[(option::CLIENT_IDENTIFIER, CLIENT), (option::SERVER_IDENTIFIER, &[0, 1, 2])];
        for kind in [
            MessageKind::Request,
            MessageKind::Renew,
            MessageKind::InformationRequest,
            MessageKind::Solicit,
        ] {
            assert!(ask(kind, other).is_none(), "{kind:?}");
        }
        let own: &[(u16, &[u8])] = &[(option::CLIENT_IDENTIFIER, CLIENT), (option::IA_NA, &na)];
        for kind in [
            MessageKind::Confirm,
            MessageKind::Rebind,
            MessageKind::Reply,
            MessageKind::Advertise,
            MessageKind::Reconfigure,
            MessageKind::InformationRequest,
        ] {
            assert!(ask(kind, own).is_none(), "{kind:?}");
        }
        assert!(ask(MessageKind::Solicit, &[(option::IA_NA, &na)]).is_none());
        let cut: &[(u16, &[u8])] =
            &[(option::CLIENT_IDENTIFIER, CLIENT), (option::IA_NA, &na[..7])];
        assert!(ask(MessageKind::Solicit, cut).is_none());
    }
}
