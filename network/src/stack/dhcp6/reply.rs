//! What a server said: an Advertise or a Reply as values (RFC 8415 §16, §18.2.9, §18.2.10). Pure
//! functions.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use crate::address::Prefix;
use crate::command::dhcp6::INFINITE;
use crate::dhcp6_message::{Dhcp6Message, MessageKind, number_at, option, options, status};
use crate::dns_message::name;
use crate::limits;

/// The least and the most that servers may say of SOL_MAX_RT and INF_MAX_RT (RFC 8415 §21.24).
const LONGEST_SECONDS: core::ops::RangeInclusive<u32> = 60..=86_400;

/// An address, or a prefix, with its lifetimes in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Given {
    pub(super) prefix: Prefix,
    pub(super) preferred: u32,
    pub(super) valid: u32,
}

/// An identity association of ours.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Association {
    /// It is in the message.
    pub(super) is_there: bool,
    pub(super) status: u16,
    pub(super) renew: u32,
    pub(super) rebind: u32,
    pub(super) given: Vec<Given>,
}

impl Association {
    /// True when something of it can be used.
    pub(super) fn is_usable(&self) -> bool {
        self.given.iter().any(|one| one.valid > 0)
    }

    /// T1 and T2 in seconds, with those of our own where the server left them to us: 0.5 and 0.8 of
    /// the shortest preferred lifetime (RFC 8415 §21.4).
    fn times(&self) -> Option<(u32, u32)> {
        let usable = self.given.iter().filter(|one| one.valid > 0);
        let preferred = |one: &Given| if one.preferred > 0 { one.preferred } else { one.valid };
        let shortest = usable.map(preferred).min()?;
        let part = |tenths: u32| match shortest {
            INFINITE => INFINITE,
            shortest => u32::try_from(u64::from(shortest) * u64::from(tenths) / 10).unwrap_or(0),
        };
        let rebind = if self.rebind == 0 { part(8).max(self.renew) } else { self.rebind };
        let renew = if self.renew == 0 { part(5).min(rebind) } else { self.renew };
        Some((renew.max(1), rebind.max(1)))
    }
}

/// Configuration beside addresses and prefixes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Information {
    pub(super) dns_servers: Vec<Ipv6Addr>,
    pub(super) domains: Vec<String>,
    pub(super) ntp_servers: Vec<Ipv6Addr>,
}

/// A message of a server to us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) kind: MessageKind,
    pub(super) server: Vec<u8>,
    pub(super) preference: u8,
    pub(super) is_rapid: bool,
    pub(super) status: u16,
    pub(super) addresses: Association,
    pub(super) prefixes: Association,
    pub(super) information: Information,
    /// Seconds until information is asked for again.
    pub(super) refresh: Option<u32>,
    /// SOL_MAX_RT.
    pub(super) solicit_longest: Option<Duration>,
    /// INF_MAX_RT.
    pub(super) inform_longest: Option<Duration>,
}

impl Answer {
    /// Reads a message for the client with this DUID and IAID; `None` when it is malformed, or not
    /// to it.
    pub(super) fn read(message: &Dhcp6Message, own: &[u8], iaid: u32) -> Option<Self> {
        let is_answer = matches!(message.kind, MessageKind::Advertise | MessageKind::Reply);
        let server = message.option(option::SERVER_IDENTIFIER)?;
        let is_ours = message.option(option::CLIENT_IDENTIFIER)? == own;
        if !is_answer || !is_ours || !(3..=130).contains(&server.len()) {
            return None;
        }
        let seconds = |code: u16| match message.option(code) {
            Some(value) => number_at(value, 0).filter(|_| value.len() == 4),
            None => None,
        };
        let longest = |code: u16| {
            let seconds = seconds(code).filter(|seconds| LONGEST_SECONDS.contains(seconds))?;
            Some(Duration::from_secs(u64::from(seconds)))
        };
        let preference = match message.option(option::PREFERENCE) {
            Some([preference]) => *preference,
            _ => 0,
        };
        Some(Self {
            kind: message.kind,
            server: server.to_vec(),
            preference,
            is_rapid: message.option(option::RAPID_COMMIT).is_some_and(<[u8]>::is_empty),
            status: match message.has(option::STATUS_CODE) {
                true => status_of(message.option(option::STATUS_CODE)?)?,
                false => status::SUCCESS,
            },
            addresses: association(message, option::IA_NA, iaid),
            prefixes: association(message, option::IA_PD, iaid),
            information: Information {
                dns_servers: hosts(message.option(option::DNS_SERVERS).unwrap_or_default()),
                domains: message.option(option::DOMAINS).map(name::read_list).unwrap_or_default(),
                ntp_servers: ntp_servers(message.option(option::NTP_SERVER).unwrap_or_default()),
            },
            refresh: seconds(option::INFORMATION_REFRESH_TIME),
            solicit_longest: longest(option::SOL_MAX_RT),
            inform_longest: longest(option::INF_MAX_RT),
        })
    }

    /// The first status that is not success.
    pub(super) fn refusal(&self) -> Option<u16> {
        let all = [self.status, self.addresses.status, self.prefixes.status];
        all.into_iter().find(|code| *code != status::SUCCESS)
    }

    /// T1 and T2 in seconds: the earlier of both associations (RFC 8415 §18.2.4).
    pub(super) fn times(&self) -> Option<(u32, u32)> {
        match (self.addresses.times(), self.prefixes.times()) {
            (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.min(other.1))),
            (one, other) => one.or(other),
        }
    }
}

fn status_of(value: &[u8]) -> Option<u16> {
    value.first_chunk().map(|code| u16::from_be_bytes(*code))
}

/// Our association of this kind. One that is malformed, or there twice, counts as absent.
fn association(message: &Dhcp6Message, code: u16, iaid: u32) -> Association {
    let mut ours = message.all(code).filter(|value| number_at(value, 0) == Some(iaid));
    match (ours.next(), ours.next()) {
        (Some(value), None) => read_association(value, code).unwrap_or_default(),
        _ => Association::default(),
    }
}

fn read_association(value: &[u8], code: u16) -> Option<Association> {
    let (renew, rebind) = (number_at(value, 4)?, number_at(value, 8)?);
    if renew > rebind && rebind > 0 {
        return None;
    }
    let mut found =
        Association { is_there: true, status: status::SUCCESS, renew, rebind, given: Vec::new() };
    for (inner, value) in options(value.get(12..)?).ok()? {
        let given = match (inner, code) {
            (option::STATUS_CODE, _) => {
                found.status = status_of(value)?;
                None
            }
            (option::IA_ADDRESS, option::IA_NA) => read_address(value),
            (option::IA_PREFIX, option::IA_PD) => read_prefix(value),
            _ => None,
        };
        let is_new = |new: &Given| !found.given.iter().any(|known| known.prefix == new.prefix);
        if let Some(given) = given.filter(is_new)
            && found.given.len() < limits::DHCP6_LEASES
        {
            found.given.push(given);
        }
    }
    Some(found)
}

/// True unless the options of a lease say that it failed.
fn is_success(bytes: &[u8]) -> bool {
    let Ok(found) = options(bytes) else { return false };
    let codes = found.iter().filter(|(code, _)| *code == option::STATUS_CODE);
    codes.map(|(_, value)| status_of(value)).all(|code| code == Some(status::SUCCESS))
}

fn read_address(value: &[u8]) -> Option<Given> {
    let address = Ipv6Addr::from_octets(*value.first_chunk()?);
    let (preferred, valid) = (number_at(value, 16)?, number_at(value, 20)?);
    let is_host = is_usable(address) && !address.is_unspecified();
    let is_good = is_host && preferred <= valid && is_success(value.get(24..)?);
    is_good.then(|| Given { prefix: Prefix::host(IpAddr::V6(address)), preferred, valid })
}

/// A prefix of a network that can be behind us; bits beyond its length are cleared.
fn read_prefix(value: &[u8]) -> Option<Given> {
    let (preferred, valid) = (number_at(value, 0)?, number_at(value, 4)?);
    let length = *value.get(8)?;
    let address = Ipv6Addr::from_octets(*value.get(9..)?.first_chunk()?);
    let prefix = Prefix::new(IpAddr::V6(address), length).ok()?.network();
    let is_network = (1..=64).contains(&length) && is_usable(address);
    let is_good = is_network && preferred <= valid && is_success(value.get(25..)?);
    is_good.then_some(Given { prefix, preferred, valid })
}

/// True for addresses of hosts beyond this system and link.
fn is_usable(address: Ipv6Addr) -> bool {
    !(address.is_multicast()
        || address.is_loopback()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some())
}

/// The name servers of an option; an option of another length has none.
fn hosts(value: &[u8]) -> Vec<Ipv6Addr> {
    let (addresses, rest) = value.as_chunks::<16>();
    if !rest.is_empty() {
        return Vec::new();
    }
    let hosts = addresses.iter().map(|octets| Ipv6Addr::from_octets(*octets));
    let is_host =
        |host: &Ipv6Addr| !(host.is_unspecified() || host.is_multicast() || host.is_loopback());
    hosts.filter(is_host).take(limits::DNS_SERVERS).collect()
}

/// The unicast addresses of an option of NTP (RFC 5908 §4.1); names are left out.
fn ntp_servers(value: &[u8]) -> Vec<Ipv6Addr> {
    let found = options(value).unwrap_or_default();
    let addresses = found.into_iter().filter(|(code, value)| *code == 1 && value.len() == 16);
    addresses.flat_map(|(_, value)| hosts(value)).take(limits::DHCP6_LEASES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp6_message::push;

    const OWN: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1];

    fn address(last: u8, preferred: u32, valid: u32) -> Vec<u8> {
        let mut value = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()).octets().to_vec();
        value.extend_from_slice(&preferred.to_be_bytes());
        value.extend_from_slice(&valid.to_be_bytes());
        value
    }

    fn ia(iaid: u32, renew: u32, rebind: u32, leases: &[Vec<u8>]) -> Vec<u8> {
        let mut value: Vec<u8> =
            [iaid, renew, rebind].iter().flat_map(|number| number.to_be_bytes()).collect();
        leases.iter().for_each(|lease| push(&mut value, option::IA_ADDRESS, lease));
        value
    }

    fn reply(parts: &[(u16, &[u8])]) -> Option<Answer> {
        let mut message = Dhcp6Message::new(MessageKind::Reply, 7);
        message.push(option::CLIENT_IDENTIFIER, OWN);
        message.push(option::SERVER_IDENTIFIER, &[0, 1, 9]);
        parts.iter().for_each(|(code, value)| message.push(*code, value));
        Answer::read(&message, OWN, 5)
    }

    #[test]
    fn only_messages_with_both_identifiers_are_for_us() {
        assert!(reply(&[]).is_some());
        assert!(reply(&[(option::CLIENT_IDENTIFIER, OWN)]).is_none());
        assert!(reply(&[(option::SERVER_IDENTIFIER, &[0, 1, 9])]).is_none());
        let mut other = Dhcp6Message::new(MessageKind::Reply, 7);
        other.push(option::CLIENT_IDENTIFIER, &[0, 3, 0, 1, 9]);
        other.push(option::SERVER_IDENTIFIER, &[0, 1, 9]);
        assert!(Answer::read(&other, OWN, 5).is_none());
        other.kind = MessageKind::Reconfigure;
        assert!(Answer::read(&other, &[0, 3, 0, 1, 9], 5).is_none());
    }

    #[test]
    fn associations_and_leases_that_cannot_be_are_left_out() {
        let good = address(1, 100, 200);
        let found = |value: &[u8]| reply(&[(option::IA_NA, value)]).unwrap().addresses;
        assert_eq!(found(&ia(5, 0, 0, &[good.clone(), good.clone()])).given.len(), 1);
        assert!(!found(&ia(6, 0, 0, core::slice::from_ref(&good))).is_there);
        assert!(!found(&ia(5, 20, 10, core::slice::from_ref(&good))).is_there);
        assert!(found(&ia(5, 0, 0, &[address(1, 300, 200)])).given.is_empty());
        let mut refused = good.clone();
        push(&mut refused, option::STATUS_CODE, &[0, 2]);
        assert!(found(&ia(5, 0, 0, &[refused])).given.is_empty());
        let whole = ia(5, 0, 0, core::slice::from_ref(&good));
        for length in 0..whole.len() {
            assert!(!found(&whole[..length]).is_usable(), "{length}");
        }
        let twice: &[(u16, &[u8])] = &[(option::IA_NA, &whole), (option::IA_NA, &whole)];
        assert!(!reply(twice).unwrap().addresses.is_there);
        let many: Vec<_> = (0..100).map(|last| address(last + 1, 1, 2)).collect();
        assert_eq!(found(&ia(5, 0, 0, &many)).given.len(), limits::DHCP6_LEASES);
    }

    #[test]
    fn times_are_the_servers_or_parts_of_the_shortest_lifetime() {
        let times = |renew: u32, rebind: u32, leases: &[Vec<u8>]| {
            reply(&[(option::IA_NA, &ia(5, renew, rebind, leases))]).unwrap().times()
        };
        let leases = [address(1, 1000, 2000), address(2, 100, 2000)];
        assert_eq!(times(0, 0, &leases), Some((50, 80)));
        assert_eq!(times(7, 9, &leases), Some((7, 9)));
        assert_eq!(times(90, 0, &leases), Some((90, 90)));
        assert_eq!(times(0, 30, &leases), Some((30, 30)));
        assert_eq!(times(0, 0, &[address(1, INFINITE, INFINITE)]), Some((INFINITE, INFINITE)));
        assert_eq!(times(0, 0, &[address(1, 0, 0)]), None);
    }

    #[test]
    fn lists_of_another_length_are_empty() {
        let servers = reply(&[(option::DNS_SERVERS, &[0x20; 32])]).unwrap().information;
        assert_eq!(servers.dns_servers.len(), 2);
        let cut = reply(&[(option::DNS_SERVERS, &[0x20; 31])]).unwrap().information;
        assert!(cut.dns_servers.is_empty());
        let longest = reply(&[(option::SOL_MAX_RT, &[0, 0, 0, 60])]).unwrap().solicit_longest;
        assert_eq!(longest, Some(Duration::from_secs(60)));
        assert_eq!(reply(&[(option::SOL_MAX_RT, &[0, 0, 0, 59])]).unwrap().solicit_longest, None);
        let mut list = Vec::new();
        push(&mut list, 1, &[0x20; 16]);
        push(&mut list, 3, b"\x03ntp\x03lan\x00");
        let ntp = reply(&[(option::NTP_SERVER, &list)]).unwrap().information.ntp_servers;
        assert_eq!(ntp.len(), 1);
    }
}
