//! Every bound of this crate, with its unit and its reason. A test reaches each.

/// Bytes of one path component (Linux' `NAME_MAX`).
pub const NAME_BYTES: usize = 255;
/// Bytes of a whole path, before and after normalisation (Linux' `PATH_MAX`).
pub const PATH_BYTES: usize = 4096;

/// Bytes of an encoded control request: the longest datagram of UDP with its address fits, and no
/// list in one takes longer than half a millisecond to read.
pub const REQUEST_BYTES: usize = 66_000;
/// The size in the identifiers of a table, the most that its 14 bits can say. Requests have any
/// size up to [`REQUEST_BYTES`].
pub const IDENTIFIER_SIZE: u16 = 16_383;
/// Bytes of an encoded control response. A list is one response: 100,000 sockets of 160 bytes fit.
pub const RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of one regular file.
pub const FILE_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes that one tree stores, overhead included, unless it was created with a smaller budget.
pub const STORAGE_BYTES: usize = 1024 * 1024 * 1024;
/// Bytes of one chunk of a regular file: large enough to make the overhead negligible, small enough
/// that an append never copies much.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks of a file that are freed at once; more go to the tree's disposer. A megabyte takes about
/// 100 µs.
pub const FREED_CHUNKS: usize = 16;
/// Bytes charged for a chunk beside its capacity: its record, its place in the file's map, which
/// may be less than half full, and the allocator's headers.
pub const CHUNK_OVERHEAD_BYTES: usize = 192;
/// Nodes of one tree, so that empty files cannot exhaust memory.
pub const NODES: usize = 100_000;
/// Bytes charged for a node: the node, its entry with a name of any length, the first nodes of its
/// maps, and the allocator's headers. It does not depend on the name, so renaming is free.
pub const NODE_BYTES: usize = 1536;
/// The part of a tree's bytes and nodes that all accounts have together, as a fraction; the rest is
/// the system's alone.
pub const ACCOUNTS_SHARE: (usize, usize) = (3, 4);

/// Maximum bytes in a pipe, whatever the requested capacity. A full pipe blocks its writer.
pub const PIPE_BYTES: usize = 1024 * 1024;
