//! Every bound of this crate, with its unit and its reason. The default limits of a guest are here
//! too.

/// Size of a module in bytes. A Rust program with its standard library needs less than a tenth.
pub const MODULE_BYTES: usize = 32 * 1024 * 1024;
/// Call depth of one guest (wasmi's default); beyond it the stack overflows.
pub const RECURSION: usize = 1000;
/// Bytes of one guest's value stack (wasmi's default).
pub const STACK_BYTES: usize = 1024 * 1024;
/// Tables of a guest.
pub const TABLES: usize = 16;
/// Elements of each table (function pointers) of a guest: copying all of them takes less than
/// 100 µs.
pub const TABLE_ELEMENTS: usize = 100_000;
/// Bytes of an element of a table; a table that grew may have twice what it needs.
pub const ELEMENT_BYTES: usize = 8;
/// Elements by which a table grows at once; more is refused. Such a step costs no fuel by the byte,
/// for which wasmi 2.0.0 could not resume `table.grow`.
pub const TABLE_STEP: usize = 15;
/// Bytes that a module may take beside its memory and tables (code, globals, functions, segments)
/// before they count for the memory limit.
pub const FREE_INSTANCE_BYTES: usize = 256 * 1024;
/// Bytes of translated code for one byte of the module's code.
pub const CODE_FACTOR: usize = 8;
/// Bytes that an instance holds for each of its functions, globals, segments, exports and elements
/// of a segment.
pub const ITEM_BYTES: usize = 64;

/// Bytes that one `memory.fill`, `memory.copy` or `memory.init` moves; a larger one is cut. It
/// takes about 10 µs, as a turn does.
pub const BULK_BYTES: u32 = 64 * 1024;
/// Bytes by which a memory grows at once; a larger `memory.grow` is cut. The new pages are written,
/// for which the operating system has to supply them: about 200 µs.
pub const GROW_BYTES: usize = 256 * 1024;
/// Bytes of memory and tables that a guest which ends frees at once: about 100 µs. More go to the
/// disposer of its tree.
pub const FREED_BYTES: usize = 1024 * 1024;

/// Fuel of one turn, after which a computing guest yields. It bounds the latency that one guest
/// adds for all others: about 10 µs.
pub const TURN_FUEL: u64 = 8_000;
/// Fuel for a module's start section. It cannot be suspended, so it delays everybody: about 100 µs.
pub const START_FUEL: u64 = 100_000;
/// Fuel of an instruction that grows a memory or a table. wasmi's tail-call dispatch leaves a frame
/// of about 180 bytes on the host's stack for each of them until the turn ends. This bounds the
/// host stack that a guest uses: 6 KiB in a turn, 70 KiB in a start section.
pub const GROW_FUEL: u8 = u8::MAX;
/// Bytes of new memory for one unit of fuel, beside wasmi's price of `memory.grow`: 16 KiB take
/// about as long as a turn.
pub const NEW_BYTES_PER_FUEL: usize = 2;
/// Fuel of any call of an import: the cost of entering and leaving it, about half a microsecond.
pub const CALL_FUEL: u64 = 400;
/// Bytes that an import transfers for one unit of fuel.
pub const BYTES_PER_FUEL: usize = 16;
/// Fuel of one byte of a path: the longest has 2048 components, each of which is looked up.
pub const PATH_BYTE_FUEL: u64 = 16;
/// Fuel of one directory entry that an import looks at, whether the guest sees it or not.
pub const ENTRY_FUEL: u64 = 200;
/// Fuel of one file or clock of a poll.
pub const POLL_FUEL: u64 = 200;
/// Fuel of one buffer of a scattered read or gathered write.
pub const VECTOR_FUEL: u64 = 8;
/// Fuel of one line of text commands: it is parsed and run.
pub const LINE_FUEL: u64 = 1600;
/// Fuel of a line that is no command: it is compared with every line of the grammar.
pub const LINE_ERROR_FUEL: u64 = 32_000;
/// Fuel of one random byte.
pub const RANDOM_BYTE_FUEL: u64 = 1;

/// Directory entries that an import looks at before it yields: about 20 µs.
pub const LIST_ENTRIES: usize = 64;
/// Lines of text that an import parses or runs before it yields: about 50 µs.
pub const LINES: usize = 16;
/// Random bytes that an import makes before it yields: about 50 µs.
pub const RANDOM_STEP_BYTES: usize = 16 * 1024;

/// Bytes that one read or write transfers; a longer one is partial, as POSIX allows.
pub const TRANSFER_BYTES: usize = 256 * 1024;
/// Buffers of one scattered read or gathered write (Linux' IOV_MAX).
pub const VECTORS: usize = 1024;
/// Entries of one poll that every guest may have; more only as many as files may be open (twice as
/// many for `poll_oneoff`).
pub const POLL_ENTRIES: usize = 1024;
/// Bytes of one path.
pub const PATH_BYTES: usize = 4096;
/// Bytes of a host name to look up, including its terminating zero.
pub const HOST_NAME_BYTES: usize = 256;
/// Bytes of arguments and environment together (Linux' ARG_MAX is larger, but a guest pays for it
/// from its memory).
pub const ARGUMENT_BYTES: usize = 1024 * 1024;
/// Random bytes that one call returns.
pub const RANDOM_BYTES: usize = 1024 * 1024;

/// Default limit of a guest's open files.
pub const FILES: usize = 64;
/// Largest limit of open files that can be granted.
pub const FILES_MAXIMUM: usize = 4096;
/// Default limit of a guest's sockets.
pub const SOCKETS: usize = 32;
/// Default limit of all socket buffers of a guest, in bytes.
pub const BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// Default size of a socket's receive and send buffers, in bytes: a quarter of the window of a
/// megabit path is enough to start with.
pub const SOCKET_BUFFER_BYTES: usize = 64 * 1024;
/// Default limit of the bytes that a guest stores in files, with their overhead: a file of 100 MiB
/// fits.
pub const STORAGE_BYTES: usize = 128 * 1024 * 1024;
/// Default limit of the files and directories that a guest creates.
pub const NODES: usize = 4096;
/// Default limit of a guest's memory, in bytes.
pub const MEMORY_BYTES: usize = 64 * 1024 * 1024;
/// Lines of grants in a manifest or on a command line.
pub const GRANTS: usize = 1024;
/// Bytes of a manifest.
pub const MANIFEST_BYTES: usize = 64 * 1024;

/// Addresses to which a guest's granted names recently resolved.
pub const LEARNED_ADDRESSES: usize = 256;
/// Minimum seconds for which the addresses of a name are cached, whatever their time to live, so
/// that a guest cannot flood name servers by connecting.
pub const RESOLVE_SECONDS: u64 = 5;
/// Queries for a name that a guest may begin, and give up, in that time.
pub const QUERY_ATTEMPTS: u32 = 4;
/// Concurrent lookups of one guest, its own and those of names in its grants; further ones wait. It
/// is an eighth of what a system has.
pub const LOOKUPS: usize = 8;
/// Maximum seconds for which an address stays granted under a name before it is looked up again.
pub const LEARNED_SECONDS: u64 = 3600;
/// Peers that a datagram server remembers so that it may reply to them; the oldest is evicted.
pub const KNOWN_PEERS: usize = 1024;
/// Datagrams from unknown peers that one receive discards before it yields.
pub const UNKNOWN_PEER_DATAGRAMS: usize = 64;
/// Bytes that joining a group, leaving it, or configuring an interface is charged for: reports are
/// sent twice (RFC 9776, RFC 9777), probes and advertisements likewise.
pub const REPORT_BYTES: usize = 200;
/// Bytes that connecting a stream is charged for: SYN, ACK, and what ends the connection.
pub const CONNECT_BYTES: usize = 240;
/// Bytes that looking up a name is charged for: a question for each family.
pub const QUESTION_BYTES: usize = 200;
/// Milliseconds of traffic in one burst when bandwidth is limited.
pub const BURST_MILLISECONDS: u64 = 100;
/// Programs that run at once in one table.
pub const PROGRAMS: usize = 10_000;
