//! What whole systems do together, in virtual time over simulated links.

mod autoconfiguration;
mod cancellation;
mod control;
mod crowd;
mod crowded_link;
mod datagrams;
mod dhcp;
mod errors;
mod hostile;
mod io_free;
mod lifecycle;
mod neighbors;
mod options;
mod pair;
mod pitfalls_datagrams;
mod pitfalls_fragments;
mod pitfalls_icmp;
mod pitfalls_ip;
mod pitfalls_multicast;
mod pitfalls_neighbors;
mod pitfalls_tcp;
mod probes;
mod station;
mod stream_options;
mod streams;
mod wire;
