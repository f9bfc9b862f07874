//! Name resolution.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::command::Resolve;
use crate::command::dns::{Question, RecordKind};
use crate::{Error, Result, stream};

/// Resolves a host to its addresses, IPv4 first; an address as text resolves to itself.
///
/// # Errors
/// `NotFound` if it has none, `AccessDenied` for a name that is not granted, `TimedOut` without a
/// reply.
pub fn lookup(host: &str) -> Result<Vec<IpAddr>> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return Ok(alloc::vec![address]);
    }
    let question = Question { name: host.to_string(), kind: RecordKind::Address, server: None };
    let answer = stream::resolver()?.control::<Resolve>(&question)?;
    let mut addresses: Vec<IpAddr> = answer.addresses().collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    if addresses.is_empty() { Err(Error::NotFound) } else { Ok(addresses) }
}
