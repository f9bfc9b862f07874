//! HTTP/1.1 (RFC 9110, RFC 9112) for `wget`, `httpd` and the embedded web server.
//!
//! `hyper` reads and writes the messages. What stands here joins it to opened files, our clock and
//! our limits, and decides what a request or a redirect means.
//!
//! | file | owns |
//! |---|---|
//! | [`wire`] | an opened stream as `hyper` reads and writes it |
//! | [`client`] | one request over one connection, and its response |
//! | [`redirect`] | where a redirect leads, and what of the request goes there |
//! | [`url`] | what people type |
//! | [`server`] | connections of a server: accepting, serving, refusing, closing |
//! | [`guard`] | the time limits of a server's connection, and what is refused before it is read |
//! | [`answer`] | request → response: files, parts of files, listings |
//! | [`content`] | the body of a response: text, or a part of a file |
//! | [`request`] | what a server accepts as a request |
//! | [`condition`] | preconditions and ranges (RFC 9110 §13, §14) |
//! | [`target`] | request target → path that cannot escape; names → links |

pub mod answer;
pub mod client;
pub mod condition;
pub mod content;
pub mod guard;
pub mod redirect;
pub mod request;
pub mod server;
pub mod target;
pub mod url;
pub mod wire;

#[cfg(test)]
mod tests;
