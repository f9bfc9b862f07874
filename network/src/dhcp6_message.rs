//! The DHCPv6 message format (RFC 8415 §8, §21), for client and server.
//!
//! Parsing is strict: an option whose length goes beyond the message makes the whole message
//! malformed, and so does an option that has no value of its form. Messages of relay agents are
//! none of ours.

use alloc::vec::Vec;

use devnet_virtual_file_system::Error;

/// The port of clients.
pub const CLIENT_PORT: u16 = 546;
/// The port of servers and relay agents.
pub const SERVER_PORT: u16 = 547;

/// Option codes that devnet reads or writes (RFC 8415 §21, RFC 3646, RFC 5908).
pub mod option {
    /// The client's DUID.
    pub const CLIENT_IDENTIFIER: u16 = 1;
    /// The server's DUID.
    pub const SERVER_IDENTIFIER: u16 = 2;
    /// Addresses of one identity association.
    pub const IA_NA: u16 = 3;
    /// Temporary addresses of one identity association.
    pub const IA_TA: u16 = 4;
    /// An address in an identity association.
    pub const IA_ADDRESS: u16 = 5;
    /// The codes of options that the client asks for.
    pub const REQUEST: u16 = 6;
    /// How much a server wants to be chosen.
    pub const PREFERENCE: u16 = 7;
    /// Hundredths of a second since the exchange began.
    pub const ELAPSED_TIME: u16 = 8;
    /// A code and a text.
    pub const STATUS_CODE: u16 = 13;
    /// Two messages instead of four.
    pub const RAPID_COMMIT: u16 = 14;
    /// Name servers, best first.
    pub const DNS_SERVERS: u16 = 23;
    /// Domains in which short names are looked up.
    pub const DOMAINS: u16 = 24;
    /// Prefixes of one identity association.
    pub const IA_PD: u16 = 25;
    /// A prefix in an identity association.
    pub const IA_PREFIX: u16 = 26;
    /// Seconds until information is asked for again.
    pub const INFORMATION_REFRESH_TIME: u16 = 32;
    /// Servers of the Network Time Protocol.
    pub const NTP_SERVER: u16 = 56;
    /// The longest time between two Solicits in seconds.
    pub const SOL_MAX_RT: u16 = 82;
    /// The longest time between two Information-requests in seconds.
    pub const INF_MAX_RT: u16 = 83;
}

/// Status codes (RFC 8415 §21.13).
pub mod status {
    /// All went well.
    pub const SUCCESS: u16 = 0;
    /// It failed, for a reason that has no code.
    pub const UNSPECIFIED: u16 = 1;
    /// The server has no addresses for the client.
    pub const NO_ADDRESSES: u16 = 2;
    /// The server knows nothing of the identity association.
    pub const NO_BINDING: u16 = 3;
    /// The addresses are not of the link.
    pub const NOT_ON_LINK: u16 = 4;
    /// The message must be sent to the group.
    pub const USE_MULTICAST: u16 = 5;
    /// The server has no prefixes for the client.
    pub const NO_PREFIXES: u16 = 6;
}

/// Types of messages between clients and servers (RFC 8415 §7.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// Looks for servers.
    Solicit,
    /// A server offers.
    Advertise,
    /// Asks the chosen server.
    Request,
    /// Asks whether addresses are of the link.
    Confirm,
    /// Extends lifetimes at the server that gave them.
    Renew,
    /// Extends lifetimes at any server.
    Rebind,
    /// A server answers.
    Reply,
    /// Gives leases back.
    Release,
    /// Tells that addresses are in use by others.
    Decline,
    /// A server wants to be asked.
    Reconfigure,
    /// Asks for everything but addresses and prefixes.
    InformationRequest,
}

impl MessageKind {
    const ALL: [Self; 11] = [
        Self::Solicit,
        Self::Advertise,
        Self::Request,
        Self::Confirm,
        Self::Renew,
        Self::Rebind,
        Self::Reply,
        Self::Release,
        Self::Decline,
        Self::Reconfigure,
        Self::InformationRequest,
    ];

    fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|kind| *kind == self);
        place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(0)
    }

    fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// Options one after the other, each with its code: of a message, or within an option.
///
/// # Errors
/// `BadMessage` when one is cut off.
pub fn options(mut bytes: &[u8]) -> Result<Vec<(u16, &[u8])>, Error> {
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
        let [a, b, c, d] = *head;
        let length = usize::from(u16::from_be_bytes([c, d]));
        let (value, rest) = rest.split_at_checked(length).ok_or(Error::BadMessage)?;
        found.push((u16::from_be_bytes([a, b]), value));
        bytes = rest;
    }
    if bytes.is_empty() { Ok(found) } else { Err(Error::BadMessage) }
}

/// Appends an option. A value that is too long for one is left out.
pub fn push(bytes: &mut Vec<u8>, code: u16, value: &[u8]) {
    if let Ok(length) = u16::try_from(value.len()) {
        bytes.extend_from_slice(&code.to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(value);
    }
}

/// A number of four bytes at a place.
pub(crate) fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dhcp6Message {
    /// The type of the message.
    pub kind: MessageKind,
    /// The transaction identifier, of 24 bits: relates replies to requests.
    pub transaction: u32,
    /// The options, in order.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl Dhcp6Message {
    /// A message without options.
    #[must_use]
    pub const fn new(kind: MessageKind, transaction: u32) -> Self {
        Self { kind, transaction: transaction & 0x00ff_ffff, options: Vec::new() }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// `BadMessage` for bytes that are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let ([number, a, b, c], rest) = bytes.split_first_chunk::<4>().ok_or(Error::BadMessage)?;
        let kind = MessageKind::of(*number).ok_or(Error::BadMessage)?;
        let options = options(rest)?;
        Ok(Self {
            kind,
            transaction: u32::from_be_bytes([0, *a, *b, *c]),
            options: options.into_iter().map(|(code, value)| (code, value.to_vec())).collect(),
        })
    }

    /// Appends an option.
    pub fn push(&mut self, code: u16, value: &[u8]) {
        self.options.push((code, value.to_vec()));
    }

    /// The value of an option that may stand only once; none when it stands twice.
    #[must_use]
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        let mut all = self.all(code);
        let first = all.next();
        if all.next().is_some() { None } else { first }
    }

    /// The values of all options with this code.
    pub fn all(&self, code: u16) -> impl Iterator<Item = &[u8]> {
        let is_it = move |(known, _): &&(u16, Vec<u8>)| *known == code;
        self.options.iter().filter(is_it).map(|(_, value)| value.as_slice())
    }

    /// True when there is such an option.
    #[must_use]
    pub fn has(&self, code: u16) -> bool {
        self.all(code).next().is_some()
    }

    /// The bytes of the message.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.transaction.to_be_bytes().to_vec();
        if let Some(first) = bytes.first_mut() {
            *first = self.kind.number();
        }
        self.options.iter().for_each(|(code, value)| push(&mut bytes, *code, value));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Dhcp6Message {
        let mut message = Dhcp6Message::new(MessageKind::Reply, 0xff01_0203);
        message.push(option::CLIENT_IDENTIFIER, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]);
        message.push(option::RAPID_COMMIT, &[]);
        message.push(option::DNS_SERVERS, &[1; 16]);
        message
    }

    #[test]
    fn bytes_are_the_message_and_back() {
        let bytes = message().to_bytes();
        assert_eq!(bytes[..8], [7, 1, 2, 3, 0, 1, 0, 10]);
        assert_eq!(Dhcp6Message::parse(&bytes), Ok(message()));
        for kind in MessageKind::ALL {
            let bytes = Dhcp6Message::new(kind, 5).to_bytes();
            assert_eq!(Dhcp6Message::parse(&bytes).unwrap().kind, kind);
        }
    }

    #[test]
    fn what_is_cut_off_is_no_message() {
        let bytes = message().to_bytes();
        let whole = [4, 18, 22, bytes.len()];
        for length in 0..=bytes.len() {
            let outcome = Dhcp6Message::parse(&bytes[..length]);
            assert_eq!(outcome.is_ok(), whole.contains(&length), "{length}");
        }
        for kind in [0, 12, 13, 255] {
            assert_eq!(Dhcp6Message::parse(&[kind, 0, 0, 0]), Err(Error::BadMessage), "{kind}");
        }
    }

    #[test]
    fn an_option_that_stands_twice_is_none() {
        let mut twice = message();
        twice.push(option::CLIENT_IDENTIFIER, &[0, 3, 0, 1]);
        assert_eq!(twice.option(option::CLIENT_IDENTIFIER), None);
        assert!(twice.has(option::CLIENT_IDENTIFIER));
        assert_eq!(message().option(option::RAPID_COMMIT), Some(&[][..]));
        assert_eq!(message().option(option::PREFERENCE), None);
    }
}
