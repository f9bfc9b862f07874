//! Every bound of this crate, with its unit and its reason.

/// Queue of a [`Loopback`](crate::Loopback), in frames. It holds a burst of every socket's quantum,
/// and stays far below a megabyte at the usual MTU.
pub const LOOPBACK_FRAMES: usize = 512;
/// Receive queue of one port of a [`Lan`](crate::Lan), in frames; more are dropped. It holds the
/// windows of 100 connections of 256 KiB in frames of 1,500 bytes.
pub const PORT_FRAMES: usize = 16_384;
/// Frames in flight on the impaired cables of one [`Lan`](crate::Lan); more are dropped. It covers
/// 10 Gbit/s with a delay of 50 ms in full frames.
pub const FRAMES_IN_FLIGHT: usize = 65_536;
/// Ports of one [`Lan`](crate::Lan).
pub const PORTS: usize = 4096;
/// Size of the address table of one [`Lan`](crate::Lan); frames to other addresses are flooded.
pub const LEARNED_ADDRESSES: usize = 8192;
/// Radios of one [`Air`](crate::Air); further ones hear nobody. Each change looks at every pair.
pub const RADIOS: usize = 64;
/// Stations of one access point.
pub const STATIONS: usize = 32;
/// Networks that a scan keeps, the strongest.
pub const SCAN_NETWORKS: usize = 64;
/// Frames on one [`Air`](crate::Air); more are dropped.
pub const AIR_FRAMES: usize = 4096;
/// How long a frame waits for its channel at most; later ones are dropped. It is the queue of a
/// usual access point.
pub const AIR_QUEUE: std::time::Duration = std::time::Duration::from_millis(100);
/// Default queue of a rate-limited cable, in bytes: that of a small router.
pub const RATE_QUEUE_BYTES: u32 = 256 * 1024;
/// Bytes of an Ethernet header, which the MTU does not include.
pub const ETHERNET_HEADER: usize = 14;
/// Bytes of a Linux interface name, without the terminator (IFNAMSIZ).
pub const KERNEL_NAME_BYTES: usize = 15;
/// Large things that wait to be dropped by a [`Host`](crate::Host)'s disposer; whoever ends more of
/// them drops them itself. The memory of a guest is one.
pub const DISPOSED: usize = 4;
/// Bytes from which on a block of the `MappingAllocator` is a mapping of its own. To copy a smaller
/// one takes a tenth of a millisecond; to make a mapping and its page tables takes some
/// microseconds, which many smaller blocks would feel.
pub const MAPPED_BYTES: usize = 1024 * 1024;
