//! `sock_getaddrinfo`: resolves a name into a list that the caller allocates.
//!
//! The caller links as many records as it has room for, each with its own address and address
//! bytes. The function fills them in order and returns how many it filled. An address is the port,
//! most significant byte first, followed by 4 or 16 bytes.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;
use core::net::IpAddr;

use devnet_network::command::Resolve;
use devnet_network::command::dns::{Question, RecordKind};
use devnet_virtual_file_system::{Error, OpenFlags, Path, Result};

use super::super::call::{Outcome, finish};
use super::sockets::{DATAGRAM, INET4, INET6, SOCKETS, STREAM};
use crate::guest::Guest;
use crate::limits;
use crate::memory;

/// Offsets in a record (packed to 4 bytes): family and socket kind, length and pointer of the
/// address, the next record.
const FAMILY: u32 = 2;
const KIND: u32 = 3;
const PROTOCOL: u32 = 4;
const ADDRESS_LENGTH: u32 = 8;
const ADDRESS: u32 = 12;
const NAME_LENGTH: u32 = 20;
const NEXT: u32 = 24;
const RECORD_BYTES: u32 = 28;
/// WasmEdge's error number for a name without an address, which [`Error`] does not have.
const NO_DATA: i32 = 83;

/// Services that programs give by name instead of a port.
const SERVICES: [(&str, u16); 5] =
    [("http", 80), ("https", 443), ("domain", 53), ("echo", 7), ("ssh", 22)];

fn service_port(service: &str) -> Result<u16> {
    match service {
        "" => Ok(0),
        name => {
            let known = SERVICES.iter().find(|(known, _)| *known == name).map(|(_, port)| *port);
            known.or_else(|| name.parse().ok()).ok_or(Error::InvalidInput)
        }
    }
}

pub(super) fn look_up(
    guest: &mut Guest,
    bytes: &mut [u8],
    node: u32,
    node_length: u32,
    service: u32,
    service_length: u32,
    hints: u32,
    results: u32,
    capacity: u32,
    count: u32,
) -> Result<Outcome> {
    memory::check(bytes, count, 4)?;
    let text = |pointer, length| {
        let text = memory::text(bytes, pointer, length, limits::HOST_NAME_BYTES)?;
        Ok(text.trim_end_matches('\0').to_owned())
    };
    let name = text(node, node_length)?;
    let port = service_port(&text(service, service_length)?)?;
    let (family, kind) = if hints == 0 {
        (0, 0)
    } else {
        (
            memory::read_u8(bytes, memory::at(hints, FAMILY)?)?,
            memory::read_u8(bytes, memory::at(hints, KIND)?)?,
        )
    };
    let records = match u16::from(family) {
        INET4 => RecordKind::A,
        INET6 => RecordKind::Aaaa,
        _ => RecordKind::Address,
    };
    let kind = if u32::from(kind) == DATAGRAM { DATAGRAM } else { STREAM };
    let device = guest.namespace.open(&Path::parse(SOCKETS)?, OpenFlags::READ)?.file;
    Ok(Outcome::wait(async move {
        let question = Question { name, kind: records, server: None };
        let outcome = device.control::<Resolve>(&question).await;
        finish(move |_, bytes| {
            let addresses: Vec<IpAddr> = match outcome {
                Ok(answer) => answer.addresses().take(capacity as usize).collect(),
                Err(Error::NotFound) => Vec::new(),
                Err(error) => return Err(error),
            };
            memory::write_u32(bytes, count, addresses.len() as u32)?;
            if addresses.is_empty() {
                return Ok(NO_DATA);
            }
            let mut record = memory::read_u32(bytes, results)?;
            for address in addresses {
                write_record(bytes, record, address, port, kind)?;
                record = memory::read_u32(bytes, memory::at(record, NEXT)?)?;
            }
            Ok(0)
        })
    }))
}

fn write_record(
    bytes: &mut [u8],
    record: u32,
    address: IpAddr,
    port: u16,
    kind: u32,
) -> Result<()> {
    memory::check(bytes, record, RECORD_BYTES)?;
    let family = if address.is_ipv4() { INET4 } else { INET6 } as u8;
    memory::write(bytes, memory::at(record, FAMILY)?, &[family, kind as u8])?;
    // TCP is 1 and UDP is 2.
    memory::write(bytes, memory::at(record, PROTOCOL)?, &[if kind == STREAM { 1 } else { 2 }])?;
    memory::write_u32(bytes, memory::at(record, NAME_LENGTH)?, 0)?;
    let place = memory::read_u32(bytes, memory::at(record, ADDRESS)?)?;
    let data = memory::read_u32(bytes, memory::at(place, 8)?)?;
    memory::write(bytes, data, &port.to_be_bytes())?;
    let length = match address {
        IpAddr::V4(address) => {
            memory::write(bytes, memory::at(data, 2)?, &address.octets())?;
            6
        }
        IpAddr::V6(address) => {
            memory::write(bytes, memory::at(data, 2)?, &address.octets())?;
            18
        }
    };
    memory::write(bytes, place, &[family])?;
    memory::write_u32(bytes, memory::at(place, 4)?, length)?;
    memory::write_u32(bytes, memory::at(record, ADDRESS_LENGTH)?, length)
}
