//! Every bound of this crate, with its unit and its reason. Each has a test that reaches it. Those
//! of requests and lines are of [`devnet_commands`].

pub use devnet_commands::limits::{
    ADVERTISED_NAT64, ADVERTISED_PREFIXES, ADVERTISED_ROUTES, CONFIGURATION_BYTES, DNS_SERVERS,
    KEY_BYTES, LINE_BYTES, NAME_BYTES, SEARCH_DOMAINS, SHOWN_LINE_CHARACTERS,
    SHOWN_WORD_CHARACTERS, SSID_BYTES, TEXT_BYTES,
};

/// Bytes of headroom before a packet for a link header: 14 for Ethernet, rounded up so that the IP
/// header is aligned to 4.
pub const HEADROOM: usize = 16;
/// The size of a usual frame buffer in bytes: an Ethernet frame of the usual MTU with headroom.
pub const FRAME_BYTES: usize = 1536;
/// The size of the smallest frame buffer in bytes: ARP, a segment without data, most messages of
/// DNS and DHCP.
pub const SMALL_FRAME_BYTES: usize = 384;
/// Buffers kept for reuse by one interface. Two full TCP windows of 64 KiB at MTU 1500 are 90
/// frames.
pub const POOL_FRAMES: usize = 128;
/// Bytes of the largest buffer kept for reuse: one packet of 65,535 bytes with headroom.
pub const POOL_FRAME_BYTES: usize = 66 * 1024;

/// Bytes of the label of an address: as of a name, which it begins with.
pub const LABEL_BYTES: usize = 15;
/// Addresses of one interface. The destination of every packet is compared with them.
pub const ADDRESSES: usize = 64;
/// Addresses of one interface from router advertisements (Linux' max_addresses); the rest is for
/// configuration.
pub const ADVERTISED_ADDRESSES: usize = 16;
/// Temporary addresses of one interface (RFC 8981): of two networks, with those that expire.
pub const TEMPORARY_ADDRESSES: usize = 16;
/// Default routers of one interface from router advertisements.
pub const ADVERTISED_ROUTERS: usize = 4;
/// Routes of one interface; each next hop counts as one.
pub const ROUTES: usize = 1024;
/// Next hops of one route.
pub const NEXT_HOPS: usize = 16;
/// Options that a DHCP client asks for beside the usual ones.
pub const DHCP_REQUESTED_OPTIONS: usize = 64;
/// Options that a program lets a DHCP client send.
pub const DHCP_SENT_OPTIONS: usize = 16;
/// Bytes of their values: messages stay far below 1,500 bytes.
pub const DHCP_SENT_BYTES: usize = 512;
/// Routes of one DHCP lease: a message of 1500 bytes has no more than that.
pub const LEASED_ROUTES: usize = 256;
/// Addresses of which the DHCP server of one interface knows a lease, an offer or a conflict: a
/// network of 512. Offers take at most half, and the oldest offer gives way.
pub const DHCP_LEASES: usize = 512;
/// Leases and offers of one hardware address, whatever identifiers its messages have.
pub const DHCP_LEASES_PER_HARDWARE: usize = 16;
/// Reservations of a DHCP server.
pub const DHCP_RESERVATIONS: usize = 128;
/// Ranges of a DHCP server.
pub const DHCP_RANGES: usize = 16;
/// Bytes of all options that a DHCP server hands out: a packet of 1500 bytes without its headers
/// and what the server adds.
pub const DHCP_OPTION_BYTES: usize = 1100;
/// Addresses of one client of DHCPv6, and its prefixes, and what else a list of one message has: a
/// network gives an interface one of each, or a few while it is renumbered.
pub const DHCP6_LEASES: usize = 8;
/// The shortest time in seconds until information of DHCPv6 is asked for again (IRT_MINIMUM, RFC
/// 8415 §7.6).
pub const DHCP6_REFRESH_SECONDS: u32 = 600;
/// Messages that the DHCPv6 server of one interface answers: burst, and per second.
pub const DHCP6_ANSWERS: u32 = 100;
/// Addresses that a DHCP server checks at once; further DHCPDISCOVERs get no offer.
pub const DHCP_CHECKS: usize = 64;
/// Entries of the hosts table: a file with more is a list of what to block, which is a server's.
pub const HOSTS: usize = 256;
/// Names of one address in the hosts table.
pub const HOST_NAMES: usize = 8;
/// Names and types of which answers are kept unless an option says another number, and the most.
pub const DNS_CACHE_ENTRIES: u32 = 256;
/// Bytes of all kept answers, as far as they are counted. Servers of the system fill it.
pub const DNS_CACHE_BYTES: usize = 128 * 1024;
/// Names and types whose lookups failed a moment ago; the one that ends first gives way.
pub const DNS_FAILURES: usize = 64;
/// Servers of a system whose round-trip times are kept; the oldest gives way.
pub const DNS_MEASURED: usize = 64;
/// The longest time in seconds for which nobody asks again after a failure; RFC 9520 §3.2 allows
/// 300.
pub const DNS_FAILURE_SECONDS: u64 = 30;
/// The longest time in seconds for which an answer is kept.
pub const DNS_CACHE_SECONDS: u32 = 86_400;
/// The same for an answer that there is none (RFC 2308 §5).
pub const DNS_NEGATIVE_SECONDS: u32 = 10_800;
/// The most dots that an option asks of a name (resolv.conf(5)).
pub const DNS_DOTS: u8 = 15;
/// The longest wait of one lookup in milliseconds unless an option or the question says another.
pub const DNS_TIMEOUT_MILLISECONDS: u32 = 30_000;
/// Records of one DNS response that count: no name has as many addresses on purpose.
pub const DNS_RECORDS: usize = 256;
/// Questions of one message of multicast DNS that count.
pub const MDNS_QUESTIONS: usize = 64;
/// Records of one response of the link that count. Each costs a comparison with all that are kept.
pub const MDNS_RECORDS: usize = 128;
/// Questions to the link of one interface at once: those of lookups, and of browsing for services.
pub const MDNS_QUERIES: usize = 256;
/// Records of the link that one interface keeps; the one that expires first gives way. Only what
/// somebody asked for is kept, with what came in the same messages.
pub const MDNS_CACHE_RECORDS: usize = 512;
/// Bytes of them, as far as they are counted.
pub const MDNS_CACHE_BYTES: usize = 128 * 1024;
/// Queries of the link that one interface answers: burst, and per second. Each costs a comparison
/// with all records of this host.
pub const MDNS_ANSWERED_QUERIES: u32 = 200;
/// Services that are published on one interface.
pub const MDNS_SERVICES: usize = 32;
/// Subtypes of one of them.
pub const MDNS_SUBTYPES: usize = 8;
/// Bytes of what a service says about itself: it fits into a packet (RFC 6763 §6.2), and with
/// escapes into a line.
pub const MDNS_TEXT_BYTES: usize = 896;
/// Types of services that files watch on one interface.
pub const MDNS_WATCHED_TYPES: usize = 16;
/// The longest time to look for services, in milliseconds.
pub const MDNS_BROWSE_MILLISECONDS: u32 = 60_000;
/// Services that one search finds.
pub const MDNS_FOUND: usize = 128;

/// Bytes of the smallest MTU with IPv4 (RFC 791: every link carries 68).
pub const MTU_MINIMUM: usize = 68;
/// Bytes of the smallest MTU with which IPv6 runs on an interface (RFC 8200 §5).
pub const MTU_MINIMUM_IPV6: usize = 1280;

/// Addresses of others that one interface answers for; each of IPv6 joins a group.
pub const PROXIES: usize = 64;
/// Solicitations for such addresses whose answers wait; the oldest answers are sent, and what comes
/// beyond is asked again.
pub const PROXY_REPLIES: usize = 64;

/// Neighbors of one interface, static ones included; those that no program uses are evicted first,
/// then the least recently used.
pub const NEIGHBORS: usize = 8192;
/// Neighbors that told their addresses and that no program used; the oldest is evicted.
pub const NEIGHBORS_LEARNED: usize = 2048;
/// Unresolved neighbors for packets of programs; the oldest is evicted.
pub const NEIGHBORS_RESOLVING: usize = 512;
/// Unresolved neighbors for answers to strangers (echo replies, errors, resets, SYN|ACKs); the
/// oldest is evicted.
pub const NEIGHBORS_ANSWERING: usize = 128;
/// New neighbors for packets of programs: burst, and per second. Each costs a broadcast.
pub const RESOLUTIONS: u32 = 10_000;
/// Those of one local port.
pub const RESOLUTIONS_PER_PORT: u32 = 2000;
/// Token buckets of local ports.
pub const RESOLUTION_BUCKETS: usize = 64;
/// New neighbors for answers to strangers: burst, and per second. Whoever is on the link and asks
/// us has told its address before.
pub const RESOLUTIONS_ANSWERING: u32 = 200;
/// Packets that each neighbor may queue in any case (RFC 4861 §7.2.2 requires at least one).
pub const QUEUED_PER_NEIGHBOR: usize = 3;
/// Queued packets beyond those shares, over all neighbors: a program that opens many connections at
/// once does not lose their SYNs.
pub const QUEUED_BURST: usize = 128;
/// Packets queued for neighbors on one interface, beside that burst.
pub const QUEUED: usize = (NEIGHBORS_RESOLVING + NEIGHBORS_ANSWERING) * QUEUED_PER_NEIGHBOR;

/// Incomplete datagrams on one interface; the oldest is dropped.
pub const REASSEMBLIES: usize = 64;
/// Incomplete datagrams from one source; its own oldest is dropped.
pub const REASSEMBLIES_PER_SOURCE: usize = 16;
/// Bytes of buffers of incomplete datagrams on one interface.
pub const REASSEMBLY_BYTES: usize = 4 * 1024 * 1024;
/// Those of one source: fourteen of the longest datagrams.
pub const REASSEMBLY_BYTES_PER_SOURCE: usize = 1024 * 1024;
/// Fragments of one datagram: 65,535 bytes in fragments of 576 need 120.
pub const FRAGMENTS: usize = 256;

/// Frames received from a driver in one poll, before timers and other interfaces are served.
pub const INGRESS_BATCH: usize = 64;
/// Packets that one connection sends before the next one is served: each poll receives from the
/// driver once.
pub const EGRESS_QUANTUM: usize = 64;
/// Frames in the output queue, unless a command sets another number.
pub const EGRESS_QUEUE: usize = 256;
/// The most frames that a command may let wait in the output queue.
pub const TRANSMIT_QUEUE_MAXIMUM: usize = 1024;
/// Bytes of the description of an interface.
pub const DESCRIPTION_BYTES: usize = 255;
/// Solicitations before a neighbor fails, unless a command sets another number.
pub const NEIGHBOR_PROBES: u8 = 3;

/// The initial size of a TCP socket's buffers in bytes, each direction.
pub const TCP_BUFFER: usize = 64 * 1024;
/// The smallest TCP buffer in bytes: one segment of the smallest IPv6 link.
pub const TCP_BUFFER_MINIMUM: usize = 2048;
/// The largest TCP buffer in bytes. Beyond 1 GiB the window scale exceeds 14 (RFC 7323 §2.3).
pub const TCP_BUFFER_MAXIMUM: usize = 64 * 1024 * 1024;
/// The size in bytes up to which a buffer grows automatically, each direction, unless a size is
/// set: 1 Gbit/s for 50 ms, twice.
pub const TCP_BUFFER_AUTOMATIC: usize = 12 * 1024 * 1024;
/// Ranges in the out-of-order queue of one connection: a window of 12 MiB with three lost segments
/// in a hundred.
pub const TCP_OUT_OF_ORDER: usize = 256;
/// Segments of one connection in flight: 16 MiB in segments of 1,024 bytes.
pub const TCP_SCOREBOARD: usize = 16 * 1024;
/// Bytes of memory of all connections of a system, unless another limit is set. From half of it on
/// nothing grows and stalled connections give way; at the limit new data waits.
pub const TCP_MEMORY: usize = 512 * 1024 * 1024;
/// Bytes that a connection is charged with beside its buffers: a few fields, its place in tables.
pub const TCP_CONNECTION_BYTES: usize = 1024;
/// Bytes of an empty buffer that a connection keeps for the next data, and which every connection
/// may use when memory is exhausted.
pub const TCP_BUFFER_KEPT: usize = 4096;
/// Connections of one interface without a program, which deliver their last data (Linux'
/// tcp_max_orphans); the oldest ends.
pub const ORPHANS: usize = 16 * 1024;
/// Counters of ephemeral ports; pairs of addresses share them by hash (RFC 6056 §3.3.4 proposes ten
/// or more).
pub const PORT_COUNTERS: usize = 16;
/// The largest backlog: connections in the accept queue of one listener (Linux' somaxconn).
pub const BACKLOG_MAXIMUM: usize = 4096;
/// Half-open connections of one listener, or its backlog if that is larger; further SYNs get
/// cookies.
pub const HALF_OPEN: usize = 256;
/// Half-open connections of all listeners of one interface; further SYNs get cookies.
pub const HALF_OPEN_ALL: usize = 4096;
/// TIME-WAIT entries on one interface; the oldest is dropped.
pub const TIME_WAIT: usize = 32 * 1024;

/// Bytes of datagrams in one socket's receive queue.
pub const DATAGRAM_BYTES: usize = 256 * 1024;
/// Datagrams in one socket's receive queue.
pub const DATAGRAMS: usize = 512;
/// Bytes that a peek returns; every datagram is shorter.
pub const PEEK_BYTES: usize = 64 * 1024;

/// ICMP errors in one socket's error queue, with the packets that they quote; the oldest is
/// dropped.
pub const ERROR_REPORTS: usize = 64;
/// Bytes of a packet in an error report: as many as an ICMPv6 error may quote (RFC 4443 §2.4 (c)).
pub const ERROR_REPORT_BYTES: usize = 1280;
/// Multicast groups of one socket, over all interfaces (Linux' igmp_max_memberships is 20).
pub const MEMBERSHIPS: usize = 64;
/// Multicast groups of one family that sockets and commands joined on one interface; every report
/// contains each of them.
pub const GROUPS: usize = 1024;
/// Entries of the path MTU cache of one interface; the one that expires first is replaced.
pub const PATHS: usize = 1024;

/// The first ephemeral port (49152 in RFC 6335 §6; this is Linux' wider range).
pub const EPHEMERAL_FIRST: u16 = 32768;
/// The last ephemeral port.
pub const EPHEMERAL_LAST: u16 = 60999;

/// Entries of the timer heap that are never swept, so that a small system is not swept constantly.
pub const TIMERS: usize = 256;
/// Futures that one poll of an I/O-free core polls before it returns.
pub const CORE_POLLS: usize = 64;

/// Events recorded on one interface between two deliveries; further ones are counted as lost.
pub const EVENTS: usize = 1024;
/// Bytes of records for one watching file, beside its snapshot: about five hundred. Further ones
/// are lost, and a snapshot follows.
pub const EVENT_BYTES: usize = 64 * 1024;

/// Captures of one interface at once, those of all interfaces with them.
pub const CAPTURES: usize = 16;
/// Bytes of the stream that one capture holds for its reader; further frames are lost and counted.
pub const CAPTURE_BYTES: usize = 512 * 1024;
/// Bytes of a block of a capture that is read.
pub const CAPTURE_BLOCK_BYTES: usize = 1024 * 1024;
/// Interfaces of a capture that is read, or made; further ones are not captured.
pub const CAPTURE_INTERFACES: usize = 256;
/// Bytes of the text of a filter.
pub const FILTER_BYTES: usize = 1024;
/// Parentheses, `not`, `and` and `or` of a filter: it is read and evaluated by recursion.
pub const FILTER_OPERATORS: usize = 128;

/// Rules of the firewall of one interface, both chains together.
pub const FIREWALL_RULES: usize = 256;
/// Tests of all filters of these rules: a packet may meet each of them, some nanoseconds each.
pub const FIREWALL_TESTS: usize = 1024;
/// Packets in the rate of a rule, and in its burst.
pub const FIREWALL_RATE: core::ops::RangeInclusive<u32> = 1..=1_000_000;
/// Packets of rules with `log` that watchers of one interface are told of: burst, and per second.
pub const FIREWALL_EVENTS: u32 = 50;
/// Flows that we began and rules with states know, of one interface, without connections; and as
/// many that others began, which take no place from ours.
pub const FIREWALL_FLOWS: usize = 1024;
/// Places among which the hash of a flow chooses: one that was not answered gives way, the oldest
/// of them, else the oldest.
pub const FIREWALL_FLOW_PLACES: usize = 8;

/// Sections of a configuration about interfaces.
pub const CONFIGURATION_SECTIONS: usize = 256;
/// Lines of a configuration that are read, or written, in one turn; then other tasks run.
pub const CONFIGURATION_PIECE: usize = 256;
/// Bytes of a DHCP hostname (RFC 1035 §2.3.4: a label).
pub const HOSTNAME_BYTES: usize = 63;
/// The rate limit of ICMP errors of an interface: burst, and per second, on average (RFC 4443
/// §2.4(f)).
pub const ICMP_ERRORS: u32 = 100;
/// The rate limit of ICMP errors to one host: burst, and per second.
pub const ICMP_ERRORS_PER_HOST: u32 = 20;
/// Token buckets of hosts.
pub const ICMP_BUCKETS: usize = 256;
/// The rate limit of echo replies of an interface: burst, and per second.
pub const ECHO_REPLIES: u32 = 20_000;
/// The default time to live and hop limit (RFC 1700).
pub const HOP_LIMIT: u8 = 64;
/// Addresses of each family that a connect by name tries: no name has as many that are worth the
/// wait.
pub const CONNECT_ADDRESSES: usize = 8;
/// Concurrent lookups of one system; further ones wait. Each uses a socket and a port.
pub const LOOKUPS: usize = 64;
/// Seconds after which a lookup that nobody polls gives way to one that waits. One that is polled
/// sleeps at most 5 s, for a server's response over TCP.
pub const LOOKUP_SECONDS: u64 = 10;
/// Entries of a list that are made or encoded in one turn; then other tasks run. Each takes a tenth
/// to a fifth of a microsecond.
pub const LIST_PIECE: usize = 1024;
/// Offered connections that were not claimed yet; the oldest is reset.
pub const OFFERS: usize = 4096;
