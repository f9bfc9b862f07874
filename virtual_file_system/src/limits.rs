//! Every bound of this crate, with its unit and its reason. Each has a test that hits it.

/// Bytes of one component of a path. Linux' `NAME_MAX`.
pub const NAME_BYTES: usize = 255;
/// Bytes of a whole path, before and after it is normalised. Linux' `PATH_MAX`.
pub const PATH_BYTES: usize = 4096;

/// Bytes of an encoded control request: the most that the 14 size bits of an identifier can say.
pub const REQUEST_BYTES: usize = 16_383;
/// Bytes of an encoded control response. Lists come whole in one answer: 100,000 sockets of 160
/// bytes fit.
pub const RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of one regular file.
pub const FILE_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes that all regular files of one tree hold together, unless the tree was built with a smaller
/// budget.
pub const STORAGE_BYTES: usize = 1024 * 1024 * 1024;
/// Bytes of one piece of a regular file: large enough that bookkeeping vanishes, small enough that
/// appending never copies much.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// Nodes of one tree, so that a guest that may create empty files cannot take all memory.
pub const NODES: usize = 100_000;

/// Bytes that a pipe holds at most, whatever capacity was asked for. A writer beyond it waits.
pub const PIPE_BYTES: usize = 1024 * 1024;
