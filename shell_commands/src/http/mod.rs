//! HTTP/1.1 (RFC 9110, RFC 9112), as far as `wget`, `httpd` and the embedded web server speak it.
//!
//! | file | owns |
//! |---|---|
//! | [`head`] | reading the first part of a message from a stream, within bounds |
//! | [`request`] | a client's request as a server understands it, and why it may refuse |
//! | [`target`] | request target → path that cannot escape; names → links |
//! | [`server`] | connections, answers, files |
//! | [`url`] | what people type |
//! | [`response`] | a server's answer as a client understands it |
//! | [`body`] | how a body ends: by length, in chunks, with the stream |
//!
//! Parsing is pure; only `head`, `server` and `body`'s reader touch streams.

pub mod body;
pub mod head;
pub mod request;
pub mod response;
pub mod server;
pub mod target;
pub mod url;
