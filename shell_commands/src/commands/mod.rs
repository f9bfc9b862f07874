//! The commands: one table, one noun per file.
//!
//! [`table`] names them all; the shell looks a name up there and starts it with a
//! [`Context`](crate::context::Context). A command reads its words, opens files, asks them, and
//! hands the typed answers to [`render`](crate::render); it does no layout and keeps nothing when
//! it ends.

pub mod table;
pub mod words;

mod arp;
mod cat;
mod control;
mod cp;
mod dhcp;
mod dns;
mod echo;
mod head;
mod httpd;
mod interface;
mod interface_words;
mod ip;
mod iperf3;
mod ls;
mod mkdir;
mod nc;
mod netstat;
mod nslookup;
mod ping;
mod ps;
mod pwd;
mod rm;
mod route;
pub(crate) mod run;
mod sha256sum;
mod sleep;
mod stat;
mod wc;
mod wget;

#[cfg(test)]
mod tests;
