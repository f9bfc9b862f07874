//! WasmEdge's socket extension of preview 1 (`sock_*`), and preview 1's own four functions, which
//! have the same layout where they share a name.
//!
//! A socket is a file: each function opens `/devices/sockets` or sends it a command. An address is
//! a pair of a pointer and a size in memory: 4 bytes of IPv4 or 16 of IPv6, or 128 bytes that begin
//! with the family as a 16-bit number (1 for IPv4, 2 for IPv6).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use devnet_network::command::socket::{Direction, OutgoingDatagram, SocketKind, SocketStatus};
use devnet_network::command::{
    Accept, Bind, Connect, CreateSocket, GetSocket, Listen, NextConnection, SendTo, Shutdown,
};
use devnet_virtual_file_system::{
    ControlCommand, Error, File, OpenFlags, Path, Result, control::encode_request, decode_response,
};

use super::super::call::{DONE, Outcome, finish};
use super::super::vfs::{self, Reply};
use super::files;
use crate::guest::Guest;
use crate::memory;

/// The device that makes sockets.
pub(super) const SOCKETS: &str = "/devices/sockets";
/// Sizes of an address in memory.
const SIZE_IPV4: u32 = 4;
const SIZE_IPV6: u32 = 16;
const SIZE_WITH_FAMILY: u32 = 128;
/// Families.
pub(super) const INET4: u16 = 1;
pub(super) const INET6: u16 = 2;
/// Kinds of sockets.
pub(super) const DATAGRAM: u32 = 1;
pub(super) const STREAM: u32 = 2;
/// Sends a typed command to a descriptor and processes its response.
pub(super) fn command<C: ControlCommand>(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    request: &C::Request,
    then: impl FnOnce(&mut Guest, &mut [u8], C::Response) -> Result<i32> + Send + 'static,
) -> Result<Outcome> {
    match vfs::ask(guest, number, C::IDENTIFIER, encode_request(request)?)? {
        Reply::Answer(answer) => then(guest, bytes, decode_response(&answer)?).map(Outcome::Value),
        Reply::Wait(waiting) => Ok(Outcome::wait(async move {
            let outcome = waiting.await;
            finish(move |guest, bytes| then(guest, bytes, decode_response(&outcome?)?))
        })),
    }
}

/// Reads the address at a pair of pointer and size.
fn read_address(bytes: &[u8], pair: u32, port: u32) -> Result<SocketAddr> {
    let (place, size) =
        (memory::read_u32(bytes, pair)?, memory::read_u32(bytes, memory::at(pair, 4)?)?);
    let (place, is_ipv4) = match size {
        SIZE_IPV4 => (place, true),
        SIZE_IPV6 => (place, false),
        SIZE_WITH_FAMILY.. => match memory::read_u16(bytes, place)? {
            INET4 => (memory::at(place, 2)?, true),
            INET6 => (memory::at(place, 2)?, false),
            _ => return Err(Error::AddressFamilyNotSupported),
        },
        _ => return Err(Error::InvalidInput),
    };
    let port = u16::try_from(port).map_err(|_| Error::InvalidInput)?;
    let address = if is_ipv4 {
        let octets: [u8; 4] =
            memory::slice(bytes, place, 4)?.try_into().map_err(|_| Error::BadAddress)?;
        IpAddr::V4(Ipv4Addr::from(octets))
    } else {
        let octets: [u8; 16] =
            memory::slice(bytes, place, 16)?.try_into().map_err(|_| Error::BadAddress)?;
        IpAddr::V6(Ipv6Addr::from(octets))
    };
    Ok(SocketAddr::new(address, port))
}

/// Writes an address at a pair of pointer and size; an IPv4-mapped IPv6 address becomes IPv4.
pub(super) fn write_address(bytes: &mut [u8], pair: u32, address: IpAddr) -> Result<()> {
    let (place, size) =
        (memory::read_u32(bytes, pair)?, memory::read_u32(bytes, memory::at(pair, 4)?)?);
    let address = address.to_canonical();
    let place = if size >= SIZE_WITH_FAMILY {
        memory::write_u16(bytes, place, if address.is_ipv4() { INET4 } else { INET6 })?;
        memory::at(place, 2)?
    } else {
        place
    };
    match address {
        IpAddr::V4(address) if size >= SIZE_IPV4 => memory::write(bytes, place, &address.octets()),
        IpAddr::V6(address) if size >= SIZE_IPV6 => memory::write(bytes, place, &address.octets()),
        _ => Err(Error::InvalidInput),
    }
}

fn open_sockets(guest: &mut Guest, flags: OpenFlags) -> Result<(u32, File)> {
    guest.descriptors.check_room()?;
    let path = Path::parse(SOCKETS)?;
    let opened = guest.namespace.open(&path, OpenFlags::READ | OpenFlags::WRITE | flags)?;
    let descriptor = vfs::describe(opened, &path)?;
    let file = descriptor.file.clone();
    Ok((guest.descriptors.insert(descriptor)?, file))
}

pub(super) fn open(
    guest: &mut Guest,
    bytes: &mut [u8],
    family: u32,
    kind: u32,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, result, 4)?;
    if family > u32::from(INET6) {
        return Err(Error::AddressFamilyNotSupported);
    }
    let kind = match kind {
        DATAGRAM => SocketKind::Udp,
        0 | STREAM => SocketKind::Tcp,
        _ => return Err(Error::ProtocolNotSupported),
    };
    let (number, file) = open_sockets(guest, OpenFlags::empty())?;
    // It never waits.
    if let Err(error) = file.try_control::<CreateSocket>(&kind) {
        drop(guest.descriptors.remove(number));
        return Err(error);
    }
    memory::write_u32(bytes, result, number)?;
    Ok(DONE)
}

pub(super) fn bind(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    address: u32,
    port: u32,
) -> Result<Outcome> {
    let local = read_address(bytes, address, port)?;
    command::<Bind>(guest, bytes, number, &local, |_, _, _| Ok(0))
}

pub(super) fn listen(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    backlog: u32,
) -> Result<Outcome> {
    command::<Listen>(guest, bytes, number, &backlog, |_, _, ()| Ok(0))
}

pub(super) fn connect(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    address: u32,
    port: u32,
) -> Result<Outcome> {
    let remote = read_address(bytes, address, port)?;
    command::<Connect>(guest, bytes, number, &remote, |_, _, _| Ok(0))
}

pub(super) fn accept(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    result: u32,
) -> Result<Outcome> {
    accept_with_flags(guest, bytes, number, 0, result)
}

pub(super) fn accept_with_flags(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    flags: u32,
    result: u32,
) -> Result<Outcome> {
    memory::check(bytes, result, 4)?;
    if flags & !files::NON_BLOCKING != 0 {
        return Err(Error::InvalidInput);
    }
    guest.descriptors.check_room()?;
    let flags = if flags == 0 { OpenFlags::empty() } else { OpenFlags::NON_BLOCKING };
    command::<NextConnection>(guest, bytes, number, &(), move |guest, bytes, offer| {
        let (accepted, file) = open_sockets(guest, flags)?;
        // It never waits.
        if let Err(error) = file.try_control::<Accept>(&offer.token) {
            drop(guest.descriptors.remove(accepted));
            return Err(if error == Error::NotFound { Error::ConnectionAborted } else { error });
        }
        memory::write_u32(bytes, result, accepted)?;
        Ok(0)
    })
}

/// Returns the status of a descriptor's socket.
pub(super) fn status(guest: &Guest, number: u32) -> Result<SocketStatus> {
    let descriptor = guest.descriptors.get(number)?;
    if descriptor.guard.is_none() {
        // WASI has ENOTSOCK; this is the nearest error that we have.
        return Err(Error::Unsupported);
    }
    descriptor.file.try_control::<GetSocket>(&())
}

pub(super) fn send(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: u32,
    count: u32,
    flags: u32,
    length: u32,
) -> Result<Outcome> {
    if flags != 0 {
        return Err(Error::Unsupported);
    }
    // On a file that is not a connected socket, a write would be a command.
    if !guest.descriptors.get(number)?.takes_data() {
        return Err(Error::NotConnected);
    }
    files::write(guest, bytes, number, vectors, count, length)
}

pub(super) fn send_to(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    vectors: u32,
    count: u32,
    address: u32,
    port: u32,
    flags: u32,
    length: u32,
) -> Result<Outcome> {
    memory::check(bytes, length, 4)?;
    if flags != 0 {
        return Err(Error::Unsupported);
    }
    let remote = read_address(bytes, address, port)?;
    if status(guest, number)?.kind == SocketKind::Tcp {
        return send(guest, bytes, number, vectors, count, flags, length);
    }
    let vectors = guest.vectors(bytes, vectors, count)?;
    let data = memory::gather(bytes, &vectors)?;
    let sent = data.len();
    command::<SendTo>(
        guest,
        bytes,
        number,
        &OutgoingDatagram { remote, data },
        move |guest, bytes, ()| {
            guest.moved(sent);
            memory::write_u32(bytes, length, sent as u32)?;
            Ok(0)
        },
    )
}

pub(super) fn shutdown(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    how: u32,
) -> Result<Outcome> {
    let direction = match how {
        1 => Direction::Read,
        2 => Direction::Write,
        3 => Direction::Both,
        _ => return Err(Error::InvalidInput),
    };
    command::<Shutdown>(guest, bytes, number, &direction, |_, _, ()| Ok(0))
}

fn write_socket_address(
    bytes: &mut [u8],
    end: SocketAddr,
    address: u32,
    kind: u32,
    port: u32,
) -> Result<Outcome> {
    let canonical = end.ip().to_canonical();
    write_address(bytes, address, canonical)?;
    memory::write_u32(bytes, kind, if canonical.is_ipv4() { 4 } else { 6 })?;
    memory::write_u32(bytes, port, u32::from(end.port()))?;
    Ok(DONE)
}

pub(super) fn local_address(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    address: u32,
    kind: u32,
    port: u32,
) -> Result<Outcome> {
    let status = status(guest, number)?;
    write_socket_address(bytes, status.local, address, kind, port)
}

pub(super) fn peer_address(
    guest: &mut Guest,
    bytes: &mut [u8],
    number: u32,
    address: u32,
    kind: u32,
    port: u32,
) -> Result<Outcome> {
    let remote = status(guest, number)?.remote.ok_or(Error::NotConnected)?;
    write_socket_address(bytes, remote, address, kind, port)
}
