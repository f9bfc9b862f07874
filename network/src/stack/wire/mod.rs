//! Packets as bytes: reading and writing headers, checksums, quotes. Pure functions that know no
//! state of a stack; smoltcp reads and writes what it knows.

pub(crate) mod checksum;
pub(crate) mod header;
pub(crate) mod icmp;
pub(crate) mod ndp;
pub(crate) mod quote;
pub(crate) mod udp;
