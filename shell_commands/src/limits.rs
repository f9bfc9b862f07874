//! Every bound of this crate, with its unit and its reason.

use std::time::Duration;

/// Bytes of one script or one line. Real scripts are far smaller; this stops a device given as a
/// script by mistake.
pub const SCRIPT_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of one word after expansion, so that repeated `a=$a$a` cannot exhaust memory.
pub const WORD_BYTES: usize = 1024 * 1024;
/// Bytes of all arguments of one command together (Linux takes 2 MiB for a whole command).
pub const ARGUMENT_BYTES: usize = 8 * 1024 * 1024;
/// Arguments of one command, and names that one pattern matches.
pub const ARGUMENTS: usize = 64 * 1024;
/// Levels that a script or an expression nests: quotes, substitutions, groups. Parsing needs about
/// 10 KiB of stack for each without optimization, of a thread's 2 MiB.
pub const NESTING: usize = 96;
/// Levels of execution: compound commands, functions, substitutions, `eval`. Each needs some KiB of
/// memory for its stack, without optimization about 15.
pub const EXECUTION_DEPTH: usize = 768;
/// Scripts, bodies and conditions that a shell starts before other tasks have their turn: giving
/// way costs as much as the levels around it.
pub const EXECUTION_TURN: usize = 16;
/// Bytes of stack with which a level of execution does not ask for more: one level with a command
/// needs less than 64 KiB without optimization.
pub const STACK_LEFT_BYTES: usize = 256 * 1024;
/// Bytes of stack that levels of execution take at once.
pub const STACK_PIECE_BYTES: usize = 2 * 1024 * 1024;
/// Signals that a shell has not noticed yet; more replace the oldest.
pub const SIGNALS: usize = 64;
/// Bytes of a line that is edited: a pasted script fits.
pub const EDITED_BYTES: usize = 256 * 1024;
/// Changes of one line that can be undone; each keeps the line.
pub const UNDO: usize = 64;
/// Lines that the history keeps in memory, and half of those in its file (bash keeps 500).
pub const HISTORY_LINES: usize = 1000;
/// Bytes of one line that the history keeps.
pub const HISTORY_LINE_BYTES: usize = 4096;
/// Bytes that are read of the file of the history.
pub const HISTORY_BYTES: u64 = 16 * 1024 * 1024;
/// Keys that are taken at once before other tasks have their turn.
pub const KEYS: usize = 256;
/// Sessions by telnet at once, logins among them: one more is refused.
pub const REMOTE_SESSIONS: usize = 16;
/// Of these, sessions of one address.
pub const REMOTE_SESSIONS_PER_SOURCE: usize = 4;
/// Passwords that a session may try.
pub const REMOTE_PASSWORDS: usize = 3;
/// The time for a login.
pub const REMOTE_LOGIN: Duration = Duration::from_secs(60);
/// The time to take what a session said last.
pub const REMOTE_END: Duration = Duration::from_secs(5);
/// Milliseconds of silence of a session's connection before its peer is asked whether it is there.
pub const REMOTE_KEEP_ALIVE_MILLISECONDS: u32 = 300_000;
/// Bytes typed ahead in a session; then the peer has to wait.
pub const REMOTE_INPUT_BYTES: usize = 64 * 1024;
/// Bytes of answers of telnet's options; a peer that reads none has to wait.
pub const REMOTE_ANSWER_BYTES: usize = 1024;
/// Bytes of the parameters of an option of telnet; a window's size has four, each maybe doubled.
pub const TELNET_PARAMETERS: usize = 64;
/// Bytes of a name or a password.
pub const LOGIN_BYTES: usize = 64;
/// Completions of a word that are listed.
pub const COMPLETIONS: usize = 500;
/// Aliases of one shell.
pub const ALIASES: usize = 1024;
/// Subshells of one shell that live at once: stages of pipelines, substitutions, jobs.
pub const SUBSHELLS: usize = 1024;
/// Steps of matching one pattern, so that many stars cannot stop the program: some tens of
/// milliseconds.
pub const PATTERN_STEPS: usize = 1024 * 1024;
/// Capacity of a pipe between two commands in bytes (Linux' default pipe size).
pub const PIPE_BYTES: usize = 64 * 1024;
/// Bytes of one line that commands on text read.
pub const LINE_BYTES: usize = 1024 * 1024;
/// Bytes of text that one command keeps: all lines of `sort`, the end of `tail`, what `sed` holds.
pub const TEXT_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of a compiled regular expression, of which a command has three.
pub const EXPRESSION_BYTES: usize = 1024 * 1024;
/// Columns of a number before a line.
pub const NUMBER_WIDTH: usize = 4096;
/// Bytes that `od` shows before other tasks have their turn: some hundred microseconds.
pub const DUMP_PIECE_BYTES: usize = 2048;
/// Bytes of a row of `od`.
pub const DUMP_ROW_BYTES: usize = 4096;
/// Types in which `od` shows each row.
pub const DUMP_TYPES: usize = 16;
/// Bytes of a file that `diff` compares.
pub const DIFFERENCE_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of two files that `diff` compares without a thread of its own: some hundred microseconds.
pub const INLINE_DIFFERENCE_BYTES: usize = 512;
/// Pairs of lines of both files that may have to be compared: a second at worst.
pub const DIFFERENCE_PAIRS: usize = 1 << 28;
/// Background jobs of one shell.
pub const JOBS: usize = 256;
/// Bytes that commands such as `cat` read at once.
pub const COPY_BYTES: usize = 64 * 1024;
/// Directory levels that `rm -r` descends.
pub const DEPTH: usize = 256;
/// Bytes of a module that is translated on the current thread; a larger one is translated on its
/// own thread, so that the network keeps running.
pub const INLINE_MODULE_BYTES: usize = 16 * 1024;
/// Bytes of a configuration in one request: reading its lines takes some hundred microseconds.
pub const CONFIGURATION_PIECE_BYTES: usize = 16_000;
/// Bytes of the name of this system (Linux' `HOST_NAME_MAX`).
pub const HOSTNAME_BYTES: usize = 64;
/// Bytes of a file that says the name, with its comments.
pub const HOSTNAME_FILE_BYTES: usize = 4096;
/// Bytes of a hosts file.
pub const HOSTS_BYTES: usize = 1024 * 1024;
/// Bytes of a file with the key of a wireless network.
pub const KEY_FILE_BYTES: usize = 4096;
/// The shortest time between requests of `arping`, which everybody on the link has to read.
pub const ARPING_INTERVAL: Duration = Duration::from_millis(10);
/// Bytes that `arping` reads at once of what it captures.
pub const ARPING_READ_BYTES: usize = 4096;
/// Bytes that `telnet` takes at once, so that what it decodes takes little time.
pub const TELNET_BYTES: usize = 4096;
/// Default seconds that `dhcp` waits for a lease.
pub const DHCP_SECONDS: u32 = 30;
/// Commands of one pipeline; each has a pipe and a copy of the shell's state.
pub const STAGES: usize = 64;
/// Bytes of the head of an HTTP message (nginx takes 32 KiB).
pub const HTTP_HEAD_BYTES: usize = 32 * 1024;
/// Bytes before the end of the head of an HTTP response, including interim responses: the longest
/// head and some hundred of `100 Continue`.
pub const HTTP_INTERIM_BYTES: usize = 2 * HTTP_HEAD_BYTES;
/// Bytes that HTTP reads at once, of a stream (on the stack) or of a file.
pub const HTTP_READ_BYTES: usize = 16 * 1024;
/// Bytes that `httpd` reads of a request, or writes of a response, before it waits for the client:
/// the longest head, and some of a body.
pub const HTTP_BUFFER_BYTES: usize = HTTP_HEAD_BYTES + 8 * 1024;
/// Bytes of the target of an HTTP request (RFC 9110 §4.1 requires at least 8000).
pub const HTTP_TARGET_BYTES: usize = 8192;
/// Fields of an HTTP message (Apache takes 100).
pub const HTTP_HEADERS: usize = 100;
/// Bytes of a file that `curl` sends as a body.
pub const HTTP_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Connections that `httpd` serves at once; the longest idle gives way to more.
pub const HTTP_CONNECTIONS: usize = 32 * 1024;
/// Of these, connections of one source: an address of IPv4, a /64 of IPv6.
pub const HTTP_PER_SOURCE: usize = HTTP_CONNECTIONS / 2;
/// Connections of `httpd` that go on in one turn of its task; then other tasks have theirs.
pub const HTTP_TURN: usize = 64;
/// Bytes that `httpd` reads at once of what comes after the last request.
pub const HTTP_DRAIN_BYTES: usize = 4096;
/// Bytes of a body that changes something: some hundred lines for a device.
pub const HTTP_CHANGE_BYTES: usize = 16 * 1024;
/// Connections that `top` asks about for each state.
pub const TOP_CONNECTIONS: usize = 500;
/// Rows of each table of the dashboard: more do not help who looks.
pub const DASHBOARD_ROWS: usize = 200;
/// Readers of the dashboard's events, and its captures, at once.
pub const DASHBOARD_STREAMS: usize = 16;
/// Bytes that a reader of the dashboard gets at once.
pub const DASHBOARD_READ_BYTES: usize = 16 * 1024;
/// The longest time of a capture that is downloaded from the dashboard.
pub const DASHBOARD_CAPTURE_SECONDS: u64 = 300;
/// Bytes of such a capture.
pub const DASHBOARD_CAPTURE_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of a file of DHCP leases: all that a server knows, with long names.
pub const LEASE_FILE_BYTES: usize = 512 * 1024;
/// Connections that the embedded name server serves at once.
pub const DNS_CONNECTIONS: usize = 64;
/// Bytes of parameters or results of `iperf3`: 128 streams of 200 bytes fit.
pub const IPERF_JSON_BYTES: usize = 64 * 1024;
/// Streams of one test (the original's limit).
pub const IPERF_STREAMS: u32 = 128;
/// Intervals that a report in JSON keeps: an hour.
pub const IPERF_INTERVALS: usize = 3600;
/// Bytes of one write of `iperf3` (the original's limit).
pub const IPERF_BLOCK_BYTES: usize = 1024 * 1024;
/// Directions of connections whose sequence numbers are shown from the first one on.
pub const SHOWN_STREAMS: usize = 4096;
