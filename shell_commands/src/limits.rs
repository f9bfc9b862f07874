//! Every bound of this crate, with its unit and its reason.

/// Bytes of one script or one line. What people write is far smaller; a device given as a script by
/// mistake ends here.
pub const SCRIPT_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of one word after expansion, so that `a=$a$a` in a loop of lines cannot take all memory.
pub const WORD_BYTES: usize = 1024 * 1024;
/// Bytes in flight between two commands of a pipeline (Linux' default pipe size).
pub const PIPE_BYTES: usize = 64 * 1024;
/// Jobs in the background of one shell.
pub const JOBS: usize = 256;
/// Bytes that commands such as `cat` move at once.
pub const COPY_BYTES: usize = 64 * 1024;
/// Directory levels that `rm -r` descends.
pub const DEPTH: usize = 256;
/// Bytes of a module that is translated at once; a larger one is translated on a thread of its own,
/// so that the network goes on.
pub const INLINE_MODULE_BYTES: usize = 16 * 1024;
/// Seconds that `dhcp` waits for a lease unless asked otherwise.
pub const DHCP_SECONDS: u32 = 30;
/// Commands of one pipeline; each has a pipe and a copy of the shell's state.
pub const STAGES: usize = 64;
/// Bytes of the head of an HTTP message (nginx takes 32 KiB).
pub const HTTP_HEAD_BYTES: usize = 32 * 1024;
/// Bytes that come before the end of the head of an HTTP response, interim responses included; room
/// for the longest head beside some hundred of `100 Continue`.
pub const HTTP_INTERIM_BYTES: usize = 2 * HTTP_HEAD_BYTES;
/// Bytes that HTTP reads at once, on the stack.
pub const HTTP_READ_BYTES: usize = 16 * 1024;
/// Bytes of the target of an HTTP request (RFC 9110 §4.1 asks for 8000 at least).
pub const HTTP_TARGET_BYTES: usize = 8192;
/// Fields of an HTTP message (Apache takes 100).
pub const HTTP_HEADERS: usize = 100;
/// Connections that `httpd` serves at once; more wait in the backlog.
pub const HTTP_CONNECTIONS: usize = 1024;
/// Connections that the embedded name server serves at once.
pub const DNS_CONNECTIONS: usize = 64;
/// Clients that the embedded DHCP server remembers; its pool is smaller.
pub const DHCP_CLIENTS: usize = 1024;
/// Bytes of parameters or results of `iperf3`: 128 streams of 200 bytes fit.
pub const IPERF_JSON_BYTES: usize = 64 * 1024;
/// Streams of one test (the original's limit).
pub const IPERF_STREAMS: u32 = 128;
/// Intervals that a report in JSON keeps: an hour.
pub const IPERF_INTERVALS: usize = 3600;
/// Bytes of one write of `iperf3` (the original's limit).
pub const IPERF_BLOCK_BYTES: usize = 1024 * 1024;
