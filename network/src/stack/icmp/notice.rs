//! Translates ICMP errors and local delivery failures to the error and the error report of a
//! socket.
//!
//! Pure translation, as Linux' `icmp_err_convert` and `icmpv6_err_convert`.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::Error;

use crate::command::socket::{ErrorOrigin, ErrorReport};
use crate::limits;
use crate::stack::wire::icmp::{kind4, kind6};
use crate::stack::wire::quote::{u16_at, u32_at};

/// One error about a packet of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Notice {
    pub(crate) error: Error,
    origin: ErrorOrigin,
    kind: u8,
    code: u8,
    pub(crate) information: u32,
    reporter: Option<IpAddr>,
}

impl Notice {
    /// A local delivery failure; `information` is the path MTU if the packet was too large.
    pub(crate) const fn local(error: Error, information: u32) -> Self {
        Self { error, origin: ErrorOrigin::Local, kind: 0, code: 0, information, reporter: None }
    }

    /// Translates an ICMP error; `None` when it concerns no socket.
    pub(crate) fn of_icmp(message: &[u8], reporter: IpAddr) -> Option<Self> {
        let [kind, code, ..] = *message else { return None };
        let (origin, error, information) = if reporter.is_ipv4() {
            let (error, information) = meaning_of_ipv4(kind, code, message)?;
            (ErrorOrigin::Icmp, error, information)
        } else {
            let (error, information) = meaning_of_ipv6(kind, code, message)?;
            (ErrorOrigin::Icmpv6, error, information)
        };
        Some(Self { error, origin, kind, code, information, reporter: Some(reporter) })
    }

    /// The report for a socket.
    pub(crate) fn report(&self, remote: SocketAddr, packet: &[u8]) -> ErrorReport {
        let packet: Vec<u8> = packet.iter().take(limits::ERROR_REPORT_BYTES).copied().collect();
        let Self { error, origin, kind, code, information, reporter } = *self;
        ErrorReport { error, origin, kind, code, information, reporter, remote, packet }
    }
}

fn meaning_of_ipv4(kind: u8, code: u8, message: &[u8]) -> Option<(Error, u32)> {
    let error = match (kind, code) {
        (kind4::DESTINATION_UNREACHABLE, 0 | 6 | 9 | 11) => Error::NetworkUnreachable,
        (kind4::DESTINATION_UNREACHABLE, 2) => Error::ProtocolOptionNotAvailable,
        (kind4::DESTINATION_UNREACHABLE, 3) => Error::ConnectionRefused,
        // The next-hop MTU; routers older than RFC 1191 send 0.
        (kind4::DESTINATION_UNREACHABLE, 4) => {
            return Some((Error::MessageTooLong, u32::from(u16_at(message, 6)?)));
        }
        (kind4::DESTINATION_UNREACHABLE, 5) => Error::Unsupported,
        (kind4::DESTINATION_UNREACHABLE, 7) => Error::HostDown,
        (kind4::DESTINATION_UNREACHABLE | kind4::TIME_EXCEEDED, _) => Error::HostUnreachable,
        (kind4::PARAMETER_PROBLEM, _) => {
            return Some((Error::Protocol, u32::from(*message.get(4)?)));
        }
        // Source quench is obsolete (RFC 6633), redirects are ignored (SRC-06).
        _ => return None,
    };
    Some((error, 0))
}

fn meaning_of_ipv6(kind: u8, code: u8, message: &[u8]) -> Option<(Error, u32)> {
    let error = match (kind, code) {
        (kind6::DESTINATION_UNREACHABLE, 0) => Error::NetworkUnreachable,
        (kind6::DESTINATION_UNREACHABLE, 1 | 5 | 6) => Error::AccessDenied,
        (kind6::DESTINATION_UNREACHABLE, 4) => Error::ConnectionRefused,
        (kind6::DESTINATION_UNREACHABLE | kind6::TIME_EXCEEDED, _) => Error::HostUnreachable,
        (kind6::PACKET_TOO_BIG, _) => return Some((Error::MessageTooLong, u32_at(message, 4)?)),
        (kind6::PARAMETER_PROBLEM, _) => return Some((Error::Protocol, u32_at(message, 4)?)),
        // Unknown errors are passed on (RFC 4443 §2.4 (a)), unknown informational messages are not.
        (0..128, _) => Error::Protocol,
        _ => return None,
    };
    Some((error, 0))
}
