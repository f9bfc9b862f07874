//! The core of devnet: network interfaces as character devices, each with its own stack.
//!
//! A [`Manager`] registers interfaces. Each gets a stack, a runner and a control device that is
//! mounted under `/devices/network`. Programs use it by opened files and the commands of
//! [`command`]; Rust programs may also use the sockets of [`socket`] directly.
//!
//! A request passes through these modules from top to bottom:
//!
//! | module | owns |
//! |---|---|
//! | [`command`] | the vocabulary: one table of typed commands, and their text form; the crate
//! `devnet-commands` |
//! | `features` | which commands this build executes |
//! | `control` | the character device: an open file's modes, authority, what each command does |
//! | [`socket`] | asynchronous sockets, and the resolver as a program over them |
//! | [`manager`] | registers interfaces and wires the parts above and below |
//! | [`io_free`] | the same system without an executor |
//! | `interfaces` | all interfaces, and the choice among them by route |
//! | `watcher` | events from interfaces to files that watch |
//! | `interface`, `runner` | the one lock around a stack and its driver, and the only loop |
//! | `seat` | what a socket holds of an account, until its connection is gone |
//! | `signal` | blocks a thread, for those who have threads |
//! | [`filter`] | which packets an expression of pcap-filter(7) means |
//! | `stack` | one interface's synchronous state: link, IP, TCP, datagrams, DHCP, timers |
//! | [`driver`] | the driver interface |
//! | [`platform`] | time, randomness and tasks, supplied by the embedder |
//! | `trace` | what happened to a packet, for `log` and `defmt` |
//! | [`limits`] | every bound |
//!
//! # Four faces of one connection
//!
//! Two systems on a cable, as `devnet-drivers` makes them; `far` listens.
//!
//! **Asynchronous**, on any executor ([`platform`] says what it must supply):
//!
//! ```
//! # use devnet_drivers::{CableOptions, Host, cable};
//! # use devnet_network::Manager;
//! # use devnet_virtual_file_system::VirtualFileSystem;
//! use devnet_network::{TcpListener, TcpStream};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let host = Host::new();
//! # let (left, right) = cable(CableOptions::default());
//! # let near = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! # near.register("eth0", Box::new(left), None)?;
//! # let far = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! # far.register("eth0", Box::new(right), None)?;
//! near.configure("eth0", "link up\naddress add 10.0.0.1/24")?;
//! far.configure("eth0", "link up\naddress add 10.0.0.2/24")?;
//! let listener = TcpListener::bind(&far.sockets(), "10.0.0.2:7".parse()?, 16)?;
//! host.block_on(async {
//!     let client = TcpStream::connect(&near.sockets(), "10.0.0.2:7").await?;
//!     client.write_all(b"hello").await?;
//!     let mut buffer = [0; 5];
//!     listener.accept().await?.read(&mut buffer).await?;
//!     assert_eq!(&buffer, b"hello");
//!     Ok(())
//! })
//! # }
//! ```
//!
//! **As a file**, as a shell or a guest has it; `network/TEXT.md` has every line:
//!
//! ```
//! # use devnet_drivers::{CableOptions, Host, cable};
//! # use devnet_network::{Manager, TcpListener};
//! # use devnet_virtual_file_system::VirtualFileSystem;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let host = Host::new();
//! # let (left, right) = cable(CableOptions::default());
//! # let near = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! # near.register("eth0", Box::new(left), None)?;
//! # let far = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! # far.register("eth0", Box::new(right), None)?;
//! # near.configure("eth0", "link up\naddress add 10.0.0.1/24")?;
//! # far.configure("eth0", "link up\naddress add 10.0.0.2/24")?;
//! # let listener = TcpListener::bind(&far.sockets(), "10.0.0.2:7".parse()?, 16)?;
//! # host.block_on(async {
//! let file = near.open("eth0")?;
//! file.write(b"socket tcp\nconnect 10.0.0.2:7").await?;
//! file.write(b"hello").await?;
//! # let mut buffer = [0; 5];
//! # listener.accept().await?.read(&mut buffer).await?;
//! # assert_eq!(&buffer, b"hello");
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! **Blocking**, for threads (feature `blocking`); the stacks run on another one:
//!
//! ```
//! # #[cfg(not(feature = "blocking"))]
//! # fn main() {}
//! # #[cfg(feature = "blocking")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use devnet_drivers::{CableOptions, Host, cable};
//! # use devnet_network::Manager;
//! # use devnet_virtual_file_system::VirtualFileSystem;
//! use std::io::{Read, Write};
//!
//! use devnet_network::blocking::{TcpListener, TcpStream};
//!
//! # let host = Host::new();
//! # let (left, right) = cable(CableOptions::default());
//! # let near = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! # near.register("eth0", Box::new(left), None)?;
//! # let far = Manager::new(VirtualFileSystem::new(), host.platform())?;
//! # far.register("eth0", Box::new(right), None)?;
//! # near.configure("eth0", "link up\naddress add 10.0.0.1/24")?;
//! # far.configure("eth0", "link up\naddress add 10.0.0.2/24")?;
//! host.run_in_background()?;
//! let listener = TcpListener::bind(&far.sockets(), "10.0.0.2:7")?;
//! let mut client = TcpStream::connect(&near.sockets(), "10.0.0.2:7")?;
//! client.write_all(b"hello")?;
//! let (mut server, _) = listener.accept()?;
//! let mut buffer = [0; 5];
//! server.read_exact(&mut buffer)?;
//! assert_eq!(&buffer, b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! **I/O-free**: nothing runs by itself, and time is an argument:
//!
//! ```
//! use devnet_network::io_free::Core;
//! use devnet_network::platform::Instant;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let host = devnet_drivers::Host::new();
//! # let (mut driver, _far) = devnet_drivers::cable(devnet_drivers::CableOptions::default());
//! # let mut now = Instant::ZERO;
//! let mut core = Core::new(host.entropy(), now)?;
//! let mut port = core.attach("eth0", &mut driver)?;
//! core.manager().configure("eth0", "link up\ndhcp start")?;
//! for _ in 0..10 {
//!     while core.poll(now, &mut port, &mut driver) {}
//!     // Sockets: `try_read`, `poll_accept` … Then a program sleeps; this one lets time pass.
//!     now = now.after(core.poll_delay(now).ok_or("nothing is due")?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | feature | gives |
//! |---|---|
//! | `tcp`, `udp`, `icmp`, `raw` | the sockets of this kind, and the protocol |
//! | `dns` | the resolver; connecting to a name |
//! | `dhcp`, `dhcp-server` | the DHCPv4 client, the DHCPv4 server |
//! | `ipv6` | IPv6, its autoconfiguration, and router advertisements |
//! | `multicast` | groups of sockets, IGMP |
//! | `commands-as-text` | commands, status and metrics as lines of text |
//! | `events` | files that tell changes, as values, and with `commands-as-text` as lines |
//! | `capture` | captures on device files, and filters for them |
//! | `sockets-as-files` | device files that become sockets, for guests and shells |
//! | `lists` | commands that list what there is, and counters |
//! | `details` | commands beyond what a device needs that runs by itself |
//! | `firewall` | rules for the packets of an interface |
//! | `wireless` | switching a radio together with its addresses |
//! | `dns-over-tls` | DNS servers over TLS; needs `std` |
//! | `std` | the operating system's mutex instead of a spinning one |
//! | `blocking` | the sockets of `std::net`, for threads |
//! | `futures-io` | `AsyncRead` and `AsyncWrite` of futures-io |
//! | `tokio` | `AsyncRead` and `AsyncWrite` of tokio |
//! | `edge-nal` | its traits for TCP, UDP, multicast and DNS |
//! | `embedded-nal-async` | its traits for TCP, UDP and DNS |
//!
//! Those up to `details` are on by default, the others are not. A command that is left out fails
//! with `Unsupported`, and so does one about an IPv6 address without `ipv6`; the numbers of
//! commands are the same in every build. Without `sockets-as-files`, `lists` and `details` these
//! are left: state, MTU and metric of an interface, its addresses, adding and removing routes, the
//! DHCP client, name servers and looking names up. The traits of `embedded-io-async` are always
//! there.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
// What only some features use is no dead code, and what only some publish is there for all; a build
// with all of them finds what is dead.
#![cfg_attr(
    not(all(
        feature = "tcp",
        feature = "udp",
        feature = "icmp",
        feature = "raw",
        feature = "dns",
        feature = "dhcp",
        feature = "dhcp-server",
        feature = "ipv6",
        feature = "multicast",
        feature = "commands-as-text",
        feature = "events",
        feature = "capture",
        feature = "sockets-as-files",
        feature = "lists",
        feature = "details",
        feature = "wireless",
        feature = "firewall",
    )),
    allow(dead_code, unreachable_pub)
)]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod capture;
mod configuration;
mod control;
pub mod dhcp6_message;
pub mod dhcp_message;
pub mod dns_message;
pub mod driver;
mod features;
pub mod filter;
mod interface;
mod interfaces;
pub mod io_free;
pub mod limits;
pub mod manager;
mod mount;
pub mod platform;
mod runner;
mod seat;
#[cfg(feature = "std")]
mod signal;
pub mod socket;
mod stack;
mod trace;
mod watcher;

pub use devnet_commands::{address, command};
#[cfg(feature = "dns-over-tls")]
pub use futures_rustls::rustls;

pub use self::control::OpenFile;
pub use self::manager::{Manager, ManagerError, Platform};
pub use self::seat::Seat;
#[cfg(feature = "icmp")]
pub use self::socket::IcmpSocket;
#[cfg(feature = "raw")]
pub use self::socket::RawSocket;
#[cfg(feature = "udp")]
pub use self::socket::UdpSocket;
#[cfg(feature = "blocking")]
pub use self::socket::blocking;
pub use self::socket::{DatagramSocket, Message, MessageInfo, Sockets};
#[cfg(feature = "dns")]
pub use self::socket::{Lookup, Resolver};
#[cfg(feature = "tcp")]
pub use self::socket::{
    Remote, TcpListener, TcpReadHalf, TcpSettings, TcpStream, TcpWriteHalf, ToRemote,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
