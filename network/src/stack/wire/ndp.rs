//! Neighbor discovery as bytes (RFC 4861 §4): types, groups, and options.

use core::net::Ipv6Addr;

/// ICMPv6 types of neighbor discovery.
pub(crate) mod kind {
    pub(crate) const ROUTER_SOLICITATION: u8 = 133;
    pub(crate) const ROUTER_ADVERTISEMENT: u8 = 134;
    pub(crate) const NEIGHBOR_SOLICITATION: u8 = 135;
    pub(crate) const NEIGHBOR_ADVERTISEMENT: u8 = 136;
    pub(crate) const REDIRECT: u8 = 137;
}

/// Types of options (RFC 4861 §4.6, RFC 3971 §5.3.2, RFC 4191 §2.3, RFC
/// 8106 §5).
pub(crate) mod option {
    pub(crate) const SOURCE_LINK_LAYER_ADDRESS: u8 = 1;
    pub(crate) const TARGET_LINK_LAYER_ADDRESS: u8 = 2;
    pub(crate) const PREFIX: u8 = 3;
    pub(crate) const MTU: u8 = 5;
    pub(crate) const NONCE: u8 = 14;
    pub(crate) const ROUTE: u8 = 24;
    pub(crate) const DNS_SERVERS: u8 = 25;
    pub(crate) const SEARCH_LIST: u8 = 31;
    pub(crate) const NAT64: u8 = 38;
}

/// Flags of a neighbor advertisement.
pub(crate) mod flag {
    pub(crate) const ROUTER: u8 = 0x80;
    pub(crate) const SOLICITED: u8 = 0x40;
    pub(crate) const OVERRIDE: u8 = 0x20;
}

/// The hop limit that proves that a message crossed no router.
pub(crate) const HOP_LIMIT: u8 = 255;

/// All nodes of the link.
pub(crate) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// All routers of the link.
pub(crate) const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// The solicited-node group of `address` (RFC 4291 §2.7.1).
pub(crate) const fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::from_octets([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// Parses the options of a message: kind and body (without the two header bytes). `None` when one
/// has length 0 or exceeds the message.
pub(crate) fn options(mut bytes: &[u8]) -> Option<alloc::vec::Vec<(u8, &[u8])>> {
    let mut found = alloc::vec::Vec::new();
    while let [kind, units, ..] = bytes {
        let length = usize::from(*units) * 8;
        if length == 0 {
            return None;
        }
        found.push((*kind, bytes.get(2..length)?));
        bytes = bytes.get(length..)?;
    }
    bytes.is_empty().then_some(found)
}
