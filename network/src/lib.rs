//! The heart of devnet: interfaces as character devices over a stack of one-socket sets.
//!
//! A [`Manager`] registers interfaces. Each gets a stack ([`stack`]), a runner and a control device ([`control`]) that is
//! mounted under `/devices/network`. Programs reach it by opened files; Rust programs may also use [`socket`] directly.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod address;
pub mod command;
pub mod dhcp_message;
pub mod driver;
pub mod limits;
pub mod platform;
mod stack;
