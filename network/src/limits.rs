//! Every bound of this crate, with its unit and its reason. Each has a test that hits it.

/// Bytes in front of a packet for a link header: 14 for Ethernet, rounded up so that the IP header
/// is aligned to 4.
pub const HEADROOM: usize = 16;
/// Bytes of the smallest frame buffer: an Ethernet frame of the usual MTU with headroom, so that
/// recycled buffers fit.
pub const FRAME_BYTES: usize = 1536;
/// Buffers kept for reuse by one interface. Two full TCP windows of 64 KiB at MTU 1500 are 90
/// frames.
pub const POOL_FRAMES: usize = 128;
/// Bytes of the largest buffer kept for reuse: one packet of 65,535 bytes with headroom.
pub const POOL_FRAME_BYTES: usize = 66 * 1024;

/// Bytes of an interface name. Linux' IFNAMSIZ less the terminator, so that names fit everybody's
/// tools.
pub const NAME_BYTES: usize = 15;
/// Addresses of one interface. Every packet's destination is compared with them.
pub const ADDRESSES: usize = 64;
/// Addresses that routers may form on one interface (Linux' max_addresses): the rest is for who
/// configures it.
pub const ADVERTISED_ADDRESSES: usize = 16;
/// Routes of one interface.
pub const ROUTES: usize = 1024;
/// DNS servers of one interface, whoever named them.
pub const DNS_SERVERS: usize = 16;

/// Bytes of the smallest MTU with IPv4 (RFC 791: every link carries 68).
pub const MTU_MINIMUM: usize = 68;
/// Bytes of the smallest MTU with which IPv6 runs on an interface (RFC 8200 §5).
pub const MTU_MINIMUM_IPV6: usize = 1280;

/// Neighbors of one interface, static ones included; the least recently used of the others gives
/// way.
pub const NEIGHBORS: usize = 8192;
/// Packets that may wait for each neighbor whatever happens to others (RFC 4861 §7.2.2 asks for at
/// least one).
pub const PARKED_PER_NEIGHBOR: usize = 3;
/// Packets beyond those shares, over all neighbors: a program that opens many connections at once
/// does not lose their SYNs.
pub const PARKED_BURST: usize = 128;
/// Packets that wait for neighbors on one interface.
pub const PARKED: usize = 512;

/// Datagrams under reassembly on one interface; the oldest gives way.
pub const REASSEMBLIES: usize = 64;
/// Datagrams under reassembly from one source; its own oldest gives way.
pub const REASSEMBLIES_PER_SOURCE: usize = 16;
/// Bytes under reassembly on one interface.
pub const REASSEMBLY_BYTES: usize = 1024 * 1024;
/// Fragments of one datagram: 65,535 bytes in fragments of 576 need 120.
pub const FRAGMENTS: usize = 256;

/// Frames read from a driver in one poll, before timers and other interfaces get their turn.
pub const INGRESS_BATCH: usize = 64;
/// Packets that one connection sends before the next one gets its turn: each turn asks the driver
/// for frames once.
pub const EGRESS_QUANTUM: usize = 64;
/// Frames that wait for room in the driver.
pub const EGRESS_QUEUE: usize = 256;

/// Bytes of a TCP socket's buffer, each direction, unless asked otherwise.
pub const TCP_BUFFER: usize = 64 * 1024;
/// Bytes of the smallest TCP buffer: one segment of the smallest IPv6 link.
pub const TCP_BUFFER_MINIMUM: usize = 2048;
/// Bytes of the largest TCP buffer. Beyond 1 GiB the window scale exceeds 14 (RFC 7323 §2.3).
pub const TCP_BUFFER_MAXIMUM: usize = 64 * 1024 * 1024;
/// Bytes that a buffer grows to by itself, each direction, unless a size was asked for: 1 Gbit/s
/// for 50 ms, twice over.
pub const TCP_BUFFER_AUTOMATIC: usize = 12 * 1024 * 1024;
/// Ranges of data out of order that one connection remembers: a window of 12 MiB with three lost
/// segments in a hundred.
pub const TCP_OUT_OF_ORDER: usize = 256;
/// Segments of one connection under way: 16 MiB in segments of 1,024 bytes.
pub const TCP_SCOREBOARD: usize = 16 * 1024;
/// Bytes of data that the connections of one interface hold in both directions; beyond that buffers
/// grow no further.
pub const TCP_MEMORY: usize = 512 * 1024 * 1024;
/// Places from which ephemeral ports are counted on; pairs of addresses share them by hash (RFC
/// 6056 §3.3.4 proposes ten or more).
pub const PORT_COUNTERS: usize = 16;
/// Connections waiting for `accept` on one listener at most, whatever its backlog says (Linux'
/// somaxconn).
pub const BACKLOG_MAXIMUM: usize = 4096;
/// Connections under handshake of one listener, or its backlog if that is more; the oldest gives
/// way to a newer one.
pub const HALF_OPEN: usize = 256;
/// Tuples in TIME-WAIT on one interface; the oldest gives way.
pub const TIME_WAIT: usize = 32 * 1024;

/// Bytes of datagrams waiting in one socket's receive queue.
pub const DATAGRAM_BYTES: usize = 256 * 1024;
/// Datagrams waiting in one socket's receive queue.
pub const DATAGRAMS: usize = 512;
/// Bytes that one look at what waits to be read shows; any datagram is shorter.
pub const PEEK_BYTES: usize = 64 * 1024;

/// ICMP errors with the packets that they quote waiting at one socket; the oldest gives way.
pub const ERROR_REPORTS: usize = 64;
/// Bytes of a packet that an error report keeps: what an ICMPv6 error quotes at most (RFC 4443 §2.4
/// (c)).
pub const ERROR_REPORT_BYTES: usize = 1280;
/// Groups that one socket may be in, over all interfaces (Linux' igmp_max_memberships is 20).
pub const MEMBERSHIPS: usize = 64;
/// Groups that sockets may join on one interface; each is answered for in every report.
pub const GROUPS: usize = 1024;
/// Destinations whose path MTU is remembered on one interface; the one that ends first gives way.
pub const PATHS: usize = 1024;

/// The first ephemeral port (RFC 6335 §6 says 49152; Linux' wider range is what peers are used to).
pub const EPHEMERAL_FIRST: u16 = 32768;
/// The last ephemeral port.
pub const EPHEMERAL_LAST: u16 = 60999;

/// Entries of the timer heap that are never swept, so that a small system is not swept all the
/// time.
pub const TIMERS: usize = 256;
/// Futures that one poll of an I/O-free core polls, before its caller gets the say again.
pub const CORE_TURNS: usize = 64;

/// Events that wait on one interface until it hands over what a turn brought; more are counted as
/// lost.
pub const EVENTS: usize = 1024;
/// Bytes of records that wait for one watching file, beside its snapshot: about five hundred. More
/// are lost, and a snapshot follows.
pub const EVENT_BYTES: usize = 64 * 1024;

/// Bytes of one line of text written to a device.
pub const LINE_BYTES: usize = 1024;
/// Bytes of all lines in one write to a device.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Bytes of a DHCP hostname (RFC 1035 §2.3.4: a label).
pub const HOSTNAME_BYTES: usize = 63;
/// ICMP errors that an interface may send at once, and how many it gets back each second (RFC 4443
/// §2.4(f)).
pub const ICMP_ERRORS: u32 = 100;
/// ICMP errors that one station may cause at once, and how many more each second.
pub const ICMP_ERRORS_PER_STATION: u32 = 20;
/// Buckets in which stations are told apart for that.
pub const ICMP_STATIONS: usize = 256;
/// Echo requests that an interface answers at once, and each second.
pub const ECHO_REPLIES: u32 = 20_000;
/// The time to live and hop limit of packets that nobody gave another one (RFC 1700).
pub const HOP_LIMIT: u8 = 64;
/// Lookups under way on one system; more wait for their turn. Each holds a socket and a port.
pub const LOOKUPS: usize = 64;
/// Connections that listeners offered and nobody claimed yet; the oldest gives way.
pub const OFFERS: usize = 4096;
