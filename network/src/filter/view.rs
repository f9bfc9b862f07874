//! What a frame consists of, as far as filters ask.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use smoltcp::wire::{EthernetProtocol, IpProtocol};

use crate::driver::Medium;

/// Bytes of an Ethernet header, and of a VLAN tag in it.
const ETHERNET_HEADER: usize = 14;
const VLAN_TAG: usize = 4;
/// 802.1Q, and 802.1ad for an outer tag.
const VLAN_TYPES: [u16; 2] = [0x8100, 0x88a8];
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
const RARP: u16 = 0x8035;

/// A frame and its parts. What is missing, or cut off, is `None` or empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(super) frame: &'a [u8],
    pub(super) has_ethernet: bool,
    /// The outermost VLAN.
    pub(super) vlan: Option<u16>,
    /// The EtherType; on media without Ethernet that of the packet.
    pub(super) ethertype: u16,
    /// The packet above Ethernet.
    pub(crate) network: &'a [u8],
    pub(crate) source: Option<IpAddr>,
    pub(crate) destination: Option<IpAddr>,
    /// The protocol above IP, behind extension headers.
    pub(crate) protocol: Option<u8>,
    /// The packet above IP; `None` in a fragment that is not the first.
    pub(crate) transport: Option<&'a [u8]>,
}

/// Two bytes of a packet.
pub(super) fn number(bytes: &[u8], offset: usize) -> Option<u16> {
    let bytes = bytes.get(offset..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

impl<'a> View<'a> {
    pub(crate) fn of(frame: &'a [u8], medium: Medium) -> Self {
        let mut view = Self {
            frame,
            has_ethernet: medium == Medium::Ethernet,
            vlan: None,
            ethertype: 0,
            network: frame,
            source: None,
            destination: None,
            protocol: None,
            transport: None,
        };
        match medium {
            Medium::Ethernet => view.read_ethernet(),
            Medium::Ip => {
                view.ethertype = match frame.first().map(|first| first >> 4) {
                    Some(4) => IPV4,
                    Some(6) => IPV6,
                    _ => 0,
                };
            }
        }
        match view.ethertype {
            IPV4 => view.read_ipv4(),
            IPV6 => view.read_ipv6(),
            ARP | RARP => view.read_arp(),
            _ => {}
        }
        view
    }

    fn read_ethernet(&mut self) {
        let mut start = ETHERNET_HEADER;
        let mut ethertype = number(self.frame, 12).unwrap_or_default();
        while VLAN_TYPES.contains(&ethertype) {
            let tag = number(self.frame, start).map(|tag| tag & 0xfff);
            self.vlan = self.vlan.or(tag);
            let Some(next) = number(self.frame, start + 2) else { break };
            ethertype = next;
            start += VLAN_TAG;
        }
        self.ethertype = ethertype;
        self.network = self.frame.get(start..).unwrap_or_default();
    }

    fn read_ipv4(&mut self) {
        let Some(header) = self.network.first_chunk::<20>() else { return };
        let address = |at: usize| {
            let octets = self.network.get(at..)?.first_chunk::<4>()?;
            Some(IpAddr::V4(Ipv4Addr::from(*octets)))
        };
        (self.source, self.destination) = (address(12), address(16));
        let [first, ..] = header;
        self.protocol = self.network.get(9).copied();
        let is_first = number(header, 6).is_some_and(|word| word & 0x1fff == 0);
        self.transport = self.network.get(usize::from(first & 0xf) * 4..).filter(|_| is_first);
    }

    fn read_ipv6(&mut self) {
        let address = |at: usize| {
            let octets = self.network.get(at..)?.first_chunk::<16>()?;
            Some(IpAddr::V6(Ipv6Addr::from(*octets)))
        };
        (self.source, self.destination) = (address(8), address(24));
        let mut next = self.network.get(6).copied();
        let mut rest = self.network.get(40..);
        while let (Some(protocol), Some(header)) = (next, rest) {
            let length = |unit: usize, more: usize| {
                header.get(1).map(|length| usize::from(*length) * unit + more)
            };
            let skipped = match IpProtocol::from(protocol) {
                IpProtocol::HopByHop | IpProtocol::Ipv6Route | IpProtocol::Ipv6Opts => length(8, 8),
                IpProtocol::Ipv6Frag => Some(8),
                // Authentication has units of its own.
                IpProtocol::Unknown(51) => length(4, 8),
                _ => break,
            };
            let is_later_fragment = IpProtocol::from(protocol) == IpProtocol::Ipv6Frag
                && number(header, 2).is_none_or(|word| word >> 3 != 0);
            next = header.first().copied();
            rest = skipped.and_then(|skipped| header.get(skipped..)).filter(|_| !is_later_fragment);
        }
        (self.protocol, self.transport) = (next, rest);
    }

    /// Sender and target of ARP for IPv4.
    fn read_arp(&mut self) {
        let address = |at: usize| {
            let octets = self.network.get(at..)?.first_chunk::<4>()?;
            Some(IpAddr::V4(Ipv4Addr::from(*octets)))
        };
        if number(self.network, 2) == Some(IPV4) && self.network.get(4..6) == Some(&[6, 4]) {
            (self.source, self.destination) = (address(14), address(24));
        }
    }

    pub(super) const fn is_ip(&self) -> bool {
        is_ip(self.ethertype)
    }

    /// The ports of TCP, UDP or SCTP.
    pub(crate) fn ports(&self) -> Option<(u16, u16)> {
        let protocol = self.protocol.filter(|_| self.is_ip())?;
        let transport = self.transport.filter(|_| super::PORTS.contains(&protocol))?;
        Some((number(transport, 0)?, number(transport, 2)?))
    }

    /// Destination and source of the Ethernet header.
    pub(super) fn hardware(&self) -> Option<([u8; 6], [u8; 6])> {
        let (destination, rest) = self.frame.split_first_chunk::<6>()?;
        self.has_ethernet.then_some((*destination, *rest.first_chunk::<6>()?))
    }
}

/// True for the EtherTypes of IP.
pub(super) const fn is_ip(ethertype: u16) -> bool {
    matches!(ethertype, IPV4 | IPV6)
}

/// The EtherType of a protocol's word.
pub(super) fn ethertype(word: &str) -> Option<u16> {
    Some(match word {
        "ip" => EthernetProtocol::Ipv4.into(),
        "ip6" => EthernetProtocol::Ipv6.into(),
        "arp" => EthernetProtocol::Arp.into(),
        "rarp" => RARP,
        _ => return None,
    })
}
