//! The heart of devnet: interfaces as character devices over a stack of one-socket sets.
//!
//! A [`Manager`] registers interfaces. Each gets a stack ([`stack`]), a runner and a control device ([`control`]) that is
//! mounted under `/devices/network`. Programs reach it by opened files; Rust programs may also use [`socket`] directly.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod address;
pub mod command;
pub mod control;
pub mod dhcp_message;
pub mod dns_message;
pub mod driver;
mod interface;
pub mod limits;
pub mod manager;
pub mod platform;
mod resolver;
mod routing;
mod runner;
pub mod socket;
mod stack;

pub use self::manager::{Manager, ManagerError, Platform};
pub use self::socket::{IcmpSocket, Message, Resolver, Sockets, TcpListener, TcpSettings, TcpStream, UdpSocket};
