//! What whole systems do together, in virtual time over simulated links.

mod autoconfiguration;
mod control;
mod datagrams;
mod dhcp;
mod hostile;
mod lifecycle;
mod neighbors;
mod options;
mod pair;
mod streams;
