//! Layer 3: which packets are ours, what becomes of them, and how ours get their headers.

pub(crate) mod addresses;
pub(crate) mod budget;
pub(crate) mod egress;
pub(crate) mod fragment;
pub(crate) mod header;
pub(crate) mod icmp;
pub(crate) mod identification;
pub(crate) mod ingress;
pub(crate) mod notice;
pub(crate) mod path_mtu;
pub(crate) mod quote;
pub(crate) mod reassembly;
pub(crate) mod refusal;
pub(crate) mod routes;
pub(crate) mod source;
