//! HTTP/1.1 (RFC 9110, RFC 9112) for `wget`, `httpd` and the embedded web server.
//!
//! `hyper` reads and writes the messages. This module connects it to open files, our clock and our
//! limits, and handles requests and redirects.
//!
//! | file | owns |
//! |---|---|
//! | [`wire`] | an open file as a stream for `hyper` |
//! | [`client`] | one request over one connection, and its response |
//! | [`redirect`] | the target of a redirect, and the redirected request |
//! | [`replace`] | a file whose bytes may be the document's already |
//! | [`resume`] | where a body belongs in a file that is there already |
//! | [`url`] | URLs as users type them |
//! | [`server`] | connections of a server: accepting, serving, refusing, closing |
//! | [`crowd`] | who is connected, and who gives way |
//! | [`ready`] | which connections are to go on |
//! | [`framing`] | the framing fields of raw heads |
//! | [`guard`] | the timeouts of a server's connection, and early refusals |
//! | [`answer`] | request → response: files, parts of files, listings |
//! | [`content`] | the body of a response: text, a part of a file, or what comes as time goes |
//! | [`pages`] | what a server answers that is no file |
//! | [`site`] | what a server has: a directory, counters, pages |
//! | [`request`] | the validation of requests |
//! | [`condition`] | preconditions and ranges (RFC 9110 §13, §14) |
//! | [`target`] | request target → path that cannot escape; names → links |

pub mod answer;
pub mod client;
pub mod condition;
pub mod content;
pub mod crowd;
pub mod framing;
pub mod guard;
pub mod pages;
pub mod ready;
pub mod redirect;
pub mod replace;
pub mod request;
pub mod resume;
pub mod server;
pub mod site;
pub mod target;
pub mod url;
pub mod wire;

#[cfg(test)]
mod tests;
