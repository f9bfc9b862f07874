//! Every bound of this crate, with its unit and its reason.

/// Frames that a [`Loopback`](crate::Loopback) holds. A burst of every socket's quantum fits, and
/// it is far below a megabyte at the usual MTU.
pub const LOOPBACK_FRAMES: usize = 512;
/// Frames that wait at one port of a [`Lan`](crate::Lan) for the station to take them; more are
/// dropped. The windows of 100 connections of 256 KiB in frames of 1,500 bytes.
pub const PORT_FRAMES: usize = 16_384;
/// Frames that are under way through the impaired cables of one [`Lan`](crate::Lan); more are
/// dropped. 10 Gbit/s with a delay of 50 ms in full frames.
pub const FRAMES_UNDER_WAY: usize = 65_536;
/// Ports of one [`Lan`](crate::Lan).
pub const PORTS: usize = 4096;
/// Station addresses that one [`Lan`](crate::Lan) has learned; frames to others are flooded.
pub const LEARNED_ADDRESSES: usize = 8192;
/// Bytes that wait for a rate-limited cable unless said otherwise: the queue of a modest router.
pub const RATE_QUEUE_BYTES: u32 = 256 * 1024;
/// Bytes of an Ethernet header, which no MTU counts.
pub const ETHERNET_HEADER: usize = 14;
/// Bytes of an interface name of the Linux kernel, without the terminator (IFNAMSIZ).
pub const KERNEL_NAME_BYTES: usize = 15;
