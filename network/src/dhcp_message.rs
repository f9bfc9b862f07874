//! The DHCP message format (RFC 2131 §2, RFC 2132), for client and server.
//!
//! Parsing is total: it joins option overload (sname and file) and split options (RFC 3396). An
//! option that is cut off costs only itself and what follows it. Messages are padded to 300 bytes,
//! which old relays require.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use devnet_virtual_file_system::Error;

use crate::address::HardwareAddress;

/// The server's UDP port.
pub const SERVER_PORT: u16 = 67;
/// The client's UDP port.
pub const CLIENT_PORT: u16 = 68;

/// Option codes that devnet reads or writes (RFC 2132).
pub mod option {
    /// Subnet mask.
    pub const SUBNET_MASK: u8 = 1;
    /// Routers, best first.
    pub const ROUTER: u8 = 3;
    /// Domain name servers, best first.
    pub const DNS_SERVERS: u8 = 6;
    /// The client's host name.
    pub const HOSTNAME: u8 = 12;
    /// The domain for names without dots.
    pub const DOMAIN: u8 = 15;
    /// The address that the client asks for.
    pub const REQUESTED_ADDRESS: u8 = 50;
    /// Seconds of the lease.
    pub const LEASE_TIME: u8 = 51;
    /// Options continue in file (1), sname (2) or both (3).
    pub const OVERLOAD: u8 = 52;
    /// The kind of message.
    pub const MESSAGE_TYPE: u8 = 53;
    /// The server identifier.
    pub const SERVER_IDENTIFIER: u8 = 54;
    /// The parameter request list.
    pub const PARAMETER_LIST: u8 = 55;
    /// An error message as text.
    pub const MESSAGE: u8 = 56;
    /// The maximum message size that the client accepts.
    pub const MAXIMUM_SIZE: u8 = 57;
    /// Seconds until renewal (T1).
    pub const RENEWAL_TIME: u8 = 58;
    /// Seconds until rebinding (T2).
    pub const REBINDING_TIME: u8 = 59;
    /// The vendor class identifier.
    pub const VENDOR_CLASS: u8 = 60;
    /// The client identifier.
    pub const CLIENT_IDENTIFIER: u8 = 61;
    /// Seconds for which the network needs no IPv4 (RFC 8925).
    pub const IPV6_ONLY: u8 = 108;
    /// The search list (RFC 3397), instead of [`DOMAIN`].
    pub const SEARCH_LIST: u8 = 119;
    /// Classless static routes (RFC 3442), before [`ROUTER`].
    pub const CLASSLESS_ROUTES: u8 = 121;
    /// The same by the number that Microsoft's servers use.
    pub const MICROSOFT_ROUTES: u8 = 249;
}

/// Message types (option 53).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// DHCPDISCOVER: requests offers.
    Discover,
    /// DHCPOFFER: offers an address.
    Offer,
    /// DHCPREQUEST: requests the offered address, or extends a lease.
    Request,
    /// DHCPDECLINE: the address is in use.
    Decline,
    /// DHCPACK: grants the lease.
    Acknowledge,
    /// DHCPNAK: refuses the request.
    Refuse,
    /// DHCPRELEASE: ends the lease.
    Release,
    /// DHCPINFORM: requests the other parameters.
    Inform,
}

impl MessageKind {
    const ALL: [(u8, Self); 8] = [
        (1, Self::Discover),
        (2, Self::Offer),
        (3, Self::Request),
        (4, Self::Decline),
        (5, Self::Acknowledge),
        (6, Self::Refuse),
        (7, Self::Release),
        (8, Self::Inform),
    ];

    fn number(self) -> u8 {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or(0, |(number, _)| *number)
    }
}

const FIXED: usize = 240;
const MINIMUM: usize = 300;
const MAGIC: [u8; 4] = [99, 130, 83, 99];
const BROADCAST_FLAG: u16 = 0x8000;

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DhcpMessage {
    /// The message type.
    pub kind: MessageKind,
    /// xid: relates replies to requests.
    pub transaction: u32,
    /// Seconds since the client began.
    pub seconds: u16,
    /// The client cannot receive unicast yet.
    pub broadcast: bool,
    /// The client's address, once it is configured (ciaddr).
    pub client_address: Ipv4Addr,
    /// The address that the client is assigned (yiaddr).
    pub your_address: Ipv4Addr,
    /// The relay agent (giaddr).
    pub relay_address: Ipv4Addr,
    /// The client's hardware address (chaddr).
    pub hardware_address: HardwareAddress,
    /// All other options, in order; split ones are joined.
    pub options: Vec<(u8, Vec<u8>)>,
}

impl DhcpMessage {
    /// A message without addresses and options.
    #[must_use]
    pub const fn new(
        kind: MessageKind,
        transaction: u32,
        hardware_address: HardwareAddress,
    ) -> Self {
        Self {
            kind,
            transaction,
            seconds: 0,
            broadcast: false,
            client_address: Ipv4Addr::UNSPECIFIED,
            your_address: Ipv4Addr::UNSPECIFIED,
            relay_address: Ipv4Addr::UNSPECIFIED,
            hardware_address,
            options: Vec::new(),
        }
    }

    /// Adds an option; values beyond 255 bytes are split when written.
    pub fn push(&mut self, code: u8, value: &[u8]) {
        self.options.push((code, value.to_vec()));
    }

    /// The value of an option.
    #[must_use]
    pub fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.iter().find(|(known, _)| *known == code).map(|(_, value)| value.as_slice())
    }

    /// The first address of an option.
    #[must_use]
    pub fn address_option(&self, code: u8) -> Option<Ipv4Addr> {
        self.address_options(code).next()
    }

    /// The addresses of an option.
    pub fn address_options(&self, code: u8) -> impl Iterator<Item = Ipv4Addr> + '_ {
        let (addresses, _) = self.option(code).unwrap_or_default().as_chunks::<4>();
        addresses.iter().map(|octets| Ipv4Addr::from_octets(*octets))
    }

    /// The value of an option in seconds.
    #[must_use]
    pub fn seconds_option(&self, code: u8) -> Option<u32> {
        Some(u32::from_be_bytes(*self.option(code)?.first_chunk()?))
    }

    /// Parses a message.
    ///
    /// # Errors
    /// `BadMessage` for anything that is not a DHCP message over Ethernet.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).ok_or(Error::BadMessage)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (fixed, rest) = bytes.split_first_chunk::<FIXED>()?;
        let word = |at: usize| fixed.get(at..)?.first_chunk::<4>().copied();
        let address = |at: usize| word(at).map(Ipv4Addr::from_octets);
        let flags = u16::from_be_bytes(*fixed.get(10..)?.first_chunk()?);
        if !matches!(fixed, [1 | 2, 1, 6, ..]) || word(236)? != MAGIC {
            return None;
        }
        let mut options = Vec::new();
        read_options(rest, &mut options);
        let overload = options
            .iter()
            .find(|(code, _)| *code == option::OVERLOAD)
            .and_then(|(_, value): &(u8, Vec<u8>)| value.first().copied());
        if matches!(overload, Some(1 | 3)) {
            read_options(fixed.get(108..236)?, &mut options);
        }
        if matches!(overload, Some(2 | 3)) {
            read_options(fixed.get(44..108)?, &mut options);
        }
        let place = options.iter().position(|(code, _)| *code == option::MESSAGE_TYPE)?;
        let (_, kind) = options.remove(place);
        let kind = *kind.first()?;
        let (_, kind) = *MessageKind::ALL.iter().find(|(number, _)| *number == kind)?;
        Some(Self {
            kind,
            transaction: u32::from_be_bytes(word(4)?),
            seconds: u16::from_be_bytes(*fixed.get(8..)?.first_chunk()?),
            broadcast: flags & BROADCAST_FLAG != 0,
            client_address: address(12)?,
            your_address: address(16)?,
            relay_address: address(24)?,
            hardware_address: HardwareAddress(*fixed.get(28..)?.first_chunk()?),
            options,
        })
    }

    /// Bytes of the message without padding.
    #[must_use]
    pub fn length(&self) -> usize {
        let option = |(_, value): &(u8, Vec<u8>)| value.len() + 2 * value.len().div_ceil(255);
        // The type is an option of three bytes, the end one of one byte.
        FIXED + 3 + self.options.iter().map(option).sum::<usize>() + 1
    }

    /// Writes the message.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let from_server = matches!(
            self.kind,
            MessageKind::Offer | MessageKind::Acknowledge | MessageKind::Refuse
        );
        let mut bytes = Vec::with_capacity(MINIMUM);
        bytes.extend_from_slice(&[if from_server { 2 } else { 1 }, 1, 6, 0]);
        bytes.extend_from_slice(&self.transaction.to_be_bytes());
        bytes.extend_from_slice(&self.seconds.to_be_bytes());
        bytes.extend_from_slice(&(if self.broadcast { BROADCAST_FLAG } else { 0 }).to_be_bytes());
        bytes.extend_from_slice(&self.client_address.octets());
        bytes.extend_from_slice(&self.your_address.octets());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.relay_address.octets());
        bytes.extend_from_slice(&self.hardware_address.0);
        bytes.resize(FIXED - MAGIC.len(), 0);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[option::MESSAGE_TYPE, 1, self.kind.number()]);
        for (code, value) in &self.options {
            for piece in value.chunks(255) {
                // A chunk has at most 255 bytes.
                bytes.extend_from_slice(&[*code, piece.len() as u8]);
                bytes.extend_from_slice(piece);
            }
        }
        bytes.push(255);
        if bytes.len() < MINIMUM {
            bytes.resize(MINIMUM, 0);
        }
        bytes
    }
}

/// Parses options up to the end option, or up to one that exceeds the buffer.
fn read_options(mut bytes: &[u8], options: &mut Vec<(u8, Vec<u8>)>) {
    loop {
        match bytes {
            [] | [255, ..] | [_] => return,
            [0, rest @ ..] => bytes = rest,
            [code, length, rest @ ..] => {
                let Some((value, after)) = rest.split_at_checked(usize::from(*length)) else {
                    return;
                };
                match options.iter_mut().find(|(known, _)| known == code) {
                    Some((_, known)) => known.extend_from_slice(value),
                    None => options.push((*code, value.to_vec())),
                }
                bytes = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> DhcpMessage {
        let mut message =
            DhcpMessage::new(MessageKind::Offer, 0x1234_5678, HardwareAddress([2, 0, 0, 0, 0, 1]));
        message.broadcast = true;
        message.your_address = Ipv4Addr::new(10, 0, 2, 15);
        message.push(option::ROUTER, &[10, 0, 2, 2, 10, 0, 2, 9]);
        message.push(option::LEASE_TIME, &3600u32.to_be_bytes());
        message.push(option::DOMAIN, &[b'x'; 300]);
        message
    }

    #[test]
    fn messages_survive_writing_and_reading() {
        let message = sample();
        let bytes = message.to_bytes();
        assert!(bytes.len() >= MINIMUM);
        assert_eq!(bytes.len(), message.length());
        let read = DhcpMessage::parse(&bytes).unwrap();
        assert_eq!(read, message);
        assert_eq!(read.address_option(option::ROUTER), Some(Ipv4Addr::new(10, 0, 2, 2)));
        assert_eq!(read.seconds_option(option::LEASE_TIME), Some(3600));
    }

    #[test]
    fn dc_06_overloaded_fields_are_read() {
        let mut bytes =
            DhcpMessage::new(MessageKind::Offer, 1, HardwareAddress([2, 0, 0, 0, 0, 1])).to_bytes();
        bytes[243..247].copy_from_slice(&[option::OVERLOAD, 1, 3, 255]);
        bytes[108..114].copy_from_slice(&[option::SUBNET_MASK, 4, 255, 255, 255, 0]);
        bytes[114] = 255;
        bytes[44..50].copy_from_slice(&[option::ROUTER, 4, 10, 0, 0, 1]);
        bytes[50] = 255;
        let read = DhcpMessage::parse(&bytes).unwrap();
        assert_eq!(read.address_option(option::SUBNET_MASK), Some(Ipv4Addr::new(255, 255, 255, 0)));
        assert_eq!(read.address_option(option::ROUTER), Some(Ipv4Addr::new(10, 0, 0, 1)));
    }

    #[test]
    fn no_truncation_or_flipped_byte_panics() {
        let bytes = sample().to_bytes();
        for length in 0..bytes.len() {
            let _ = DhcpMessage::parse(&bytes[..length]);
        }
        assert_eq!(DhcpMessage::parse(&bytes[..FIXED]), Err(Error::BadMessage));
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0xff;
            let _ = DhcpMessage::parse(&damaged);
        }
        let mut truncated = bytes;
        truncated.truncate(FIXED + 4);
        assert!(DhcpMessage::parse(&truncated).unwrap().options.is_empty());
        truncated.truncate(FIXED + 2);
        assert_eq!(DhcpMessage::parse(&truncated), Err(Error::BadMessage));
    }
}
