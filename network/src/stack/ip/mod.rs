//! Layer 3: which packets are ours, what becomes of them, and how ours get their headers.

pub(crate) mod addresses;
pub(crate) mod egress;
pub(crate) mod header;
pub(crate) mod icmp;
pub(crate) mod ingress;
pub(crate) mod reassembly;
pub(crate) mod routes;
