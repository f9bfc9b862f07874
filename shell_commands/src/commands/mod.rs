//! The commands: one table, one noun per file.
//!
//! [`table`] lists them; the shell looks up a name there and starts the command with a
//! [`Context`](crate::context::Context). A command parses its arguments, opens files, sends
//! requests, and passes the typed responses to [`render`](crate::render); it does no layout and
//! keeps no state after its end.

pub mod examples;
pub mod table;
pub mod words;

mod arp;
mod arping;
mod basename;
mod bytes;
mod cat;
mod chmod;
mod control;
mod cp;
mod curl;
mod cut;
mod date;
mod df;
mod dhcp;
mod dhcp6;
mod dhcpd;
mod diff;
mod dns;
mod echo;
mod expr;
mod expression;
mod find;
mod firewall;
mod free;
mod grep;
mod head;
mod hostname;
mod httpd;
mod interface;
mod interface_words;
mod ip;
mod iperf3;
mod launch;
mod lines;
mod ls;
mod machine;
mod mkdir;
mod mktemp;
mod names;
mod nc;
pub(crate) mod netconfig;
mod netstat;
mod nl;
mod od;
mod ping;
mod printf;
mod ps;
mod pwd;
mod reports;
mod rm;
mod route;
pub(crate) mod run;
mod sed;
mod seq;
mod sha256sum;
mod sleep;
mod sntp;
mod socket_events;
mod socket_filter;
mod sort;
mod ss;
mod stat;
mod tail;
mod target;
mod tcpdump;
mod tee;
mod telnet;
mod test;
mod top;
mod touch;
mod tr;
mod trace;
mod tree;
mod wc;
mod wget;
mod wifi;

#[cfg(test)]
mod tests;
