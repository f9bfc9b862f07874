//! Packets as bytes: parsing and writing headers, checksums, quotes. Pure functions without stack
//! state; smoltcp parses and writes the formats that it supports.

pub(crate) mod checksum;
pub(crate) mod header;
pub(crate) mod icmp;
pub(crate) mod ndp;
pub(crate) mod quote;
pub(crate) mod udp;
