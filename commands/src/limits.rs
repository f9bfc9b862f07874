//! Every bound of requests and lines, with its unit and its reason. Each has a test that reaches
//! it.

/// Bytes of an interface name: Linux' IFNAMSIZ without the terminator, so that names fit all tools.
pub const NAME_BYTES: usize = 15;
/// Prefixes of NAT64 of one interface from router advertisements (RFC 8781).
pub const ADVERTISED_NAT64: usize = 4;
/// On-link prefixes of one interface from router advertisements.
pub const ADVERTISED_PREFIXES: usize = 16;
/// Routes of one interface from Route Information options (RFC 4191 §2.3).
pub const ADVERTISED_ROUTES: usize = 16;
/// Bytes of a configuration that is applied: every bound of this page reached on one interface.
pub const CONFIGURATION_BYTES: usize = 1024 * 1024;
/// DNS servers of one interface, of all origins.
pub const DNS_SERVERS: usize = 32;
/// Characters of a passphrase of a wireless network (IEEE 802.11-2020 §J.4.1).
pub const KEY_BYTES: core::ops::RangeInclusive<usize> = 8..=63;
/// Bytes of one line of text written to a device.
pub const LINE_BYTES: usize = 4096;
/// Domains of the search list of one interface, of all origins. Each costs a lookup.
pub const SEARCH_DOMAINS: usize = 16;
/// Characters of a refused line that an error of a text shows.
pub const SHOWN_LINE_CHARACTERS: usize = 120;
/// Characters of a wrong word that an error of a text shows.
pub const SHOWN_WORD_CHARACTERS: usize = 40;
/// Bytes of the name of a wireless network, beside the first (IEEE 802.11-2020 §9.4.2.2).
pub const SSID_BYTES: usize = 32;
/// Bytes of all lines in one write to a device.
pub const TEXT_BYTES: usize = 64 * 1024;
