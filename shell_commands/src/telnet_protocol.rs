//! The commands of telnet as bytes, each behind [`IAC`] (RFC 854), for both of its ends.

/// The parameters of an option end.
pub(crate) const SE: u8 = 240;
/// The parameters of an option begin.
pub(crate) const SB: u8 = 250;
/// The sender uses an option, or offers to.
pub(crate) const WILL: u8 = 251;
/// The sender does not use an option.
pub(crate) const WONT: u8 = 252;
/// The other end is to use an option.
pub(crate) const DO: u8 = 253;
/// The other end is not to use an option.
pub(crate) const DONT: u8 = 254;
/// A command follows, or the byte itself.
pub(crate) const IAC: u8 = 255;
