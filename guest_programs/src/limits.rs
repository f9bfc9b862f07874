//! Every bound of this crate, with its unit and its reason. Defaults of what may be granted stand
//! here too.

/// Bytes of a module. A Rust program with its standard library has less than a tenth of it.
pub const MODULE_BYTES: usize = 32 * 1024 * 1024;
/// Calls within calls of one guest (wasmi's default); more is a stack overflow.
pub const RECURSION: usize = 1000;
/// Bytes of the stack of values of one guest (wasmi's default).
pub const STACK_BYTES: usize = 1024 * 1024;
/// Elements of each table of a guest: function pointers.
pub const TABLE_ELEMENTS: usize = 100_000;

/// Fuel of one turn. A guest that computes gives way after it, so it bounds what one guest adds to
/// the latency of all others: about 10 µs.
pub const TURN_FUEL: u64 = 8_000;
/// Fuel that a module's start section may burn; it cannot be suspended, so it delays everybody:
/// about 100 µs.
pub const START_FUEL: u64 = 100_000;
/// Fuel of an instruction that grows a memory or a table. wasmi's dispatch by tail calls leaves a
/// frame of about 180 bytes on the host's stack for each of them until the turn ends, so this
/// bounds what a guest takes of it: 6 KiB in a turn, 70 KiB in a start section.
pub const GROW_FUEL: u8 = u8::MAX;
/// Fuel of a call of an import, whatever it does: what entering and leaving it costs, about half a
/// microsecond.
pub const CALL_FUEL: u64 = 400;
/// Bytes that an import moves for one unit of fuel.
pub const BYTES_PER_FUEL: usize = 16;

/// Bytes that one read or write moves at most; a longer one moves a part, as POSIX allows.
pub const TRANSFER_BYTES: usize = 256 * 1024;
/// Buffers of one scattered read or gathered write (Linux' IOV_MAX).
pub const VECTORS: usize = 1024;
/// Files of one poll (the most that a guest may have open).
pub const POLL_FILES: usize = 4096;
/// Bytes of one path that a guest names.
pub const PATH_BYTES: usize = 4096;
/// Bytes of a name that a guest looks up, its final zero included.
pub const HOST_NAME_BYTES: usize = 256;
/// Bytes of arguments and environment together (Linux' ARG_MAX is larger, but a guest pays for it
/// from its memory).
pub const ARGUMENT_BYTES: usize = 1024 * 1024;
/// Bytes of random data that one call gives.
pub const RANDOM_BYTES: usize = 1024 * 1024;

/// Open files of one guest, unless granted otherwise.
pub const FILES: usize = 64;
/// Open files that may be granted.
pub const FILES_MAXIMUM: usize = 4096;
/// Sockets of one guest, unless granted otherwise.
pub const SOCKETS: usize = 32;
/// Bytes of all socket buffers of one guest, unless granted otherwise.
pub const BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of each direction's buffer of a socket that did not ask for another: a quarter of a
/// megabit path's window is enough to begin with.
pub const SOCKET_BUFFER_BYTES: usize = 64 * 1024;
/// Bytes of memory of one guest, unless granted otherwise.
pub const MEMORY_BYTES: usize = 64 * 1024 * 1024;
/// Lines of grants in a manifest or on a command line.
pub const GRANTS: usize = 1024;
/// Bytes of a manifest.
pub const MANIFEST_BYTES: usize = 64 * 1024;

/// Addresses that a guest's granted names stood for lately.
pub const LEARNED_ADDRESSES: usize = 256;
/// Seconds for which a name's addresses are believed at least, so that a guest cannot flood name
/// servers by connecting.
pub const RESOLVE_SECONDS: u64 = 5;
/// Correspondents that a datagram server remembers, so that it may answer who asked; the oldest is
/// forgotten.
pub const CORRESPONDENTS: usize = 1024;
/// Datagrams from strangers that one receive passes over before it gives others a turn.
pub const STRANGERS: usize = 64;
/// Milliseconds of traffic that may go at once when bandwidth is limited.
pub const BURST_MILLISECONDS: u64 = 100;
/// Programs that run at once in one table.
pub const PROGRAMS: usize = 10_000;
