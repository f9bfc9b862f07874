//! Every bound of this crate, with its unit and its reason.

/// Bytes of one script or one line. What people write is far smaller; a device given as a script by mistake ends here.
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
/// Seconds that `dhcp` waits for a lease unless asked otherwise.
pub const DHCP_SECONDS: u32 = 30;
/// Commands of one pipeline; each has a pipe and a copy of the shell's state.
pub const STAGES: usize = 64;
