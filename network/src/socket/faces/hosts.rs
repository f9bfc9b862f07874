//! Looking hosts up, for the traits `Dns` of other crates.

use alloc::string::{String, ToString};
use core::net::IpAddr;

use devnet_virtual_file_system::Error;

use crate::command::dns::{Question, RecordData, RecordKind};
use crate::socket::Sockets;

impl Sockets {
    /// The first address with a route, or the first one of all. `NotFound` when the name has no
    /// record of this kind.
    pub(super) async fn host_by_name(&self, host: &str, kind: RecordKind) -> Result<IpAddr, Error> {
        let answer = self.resolver().resolve(&question(host.to_string(), kind)).await?;
        let reachable = answer.addresses().find(|address| self.place.route(*address).is_ok());
        reachable.or_else(|| answer.addresses().next()).ok_or(Error::NotFound)
    }

    /// `NotFound` when the address has no name, `NameTooLong` when it is longer than `result`.
    pub(super) async fn host_by_address(
        &self,
        address: IpAddr,
        result: &mut [u8],
    ) -> Result<usize, Error> {
        let question = question(address.to_string(), RecordKind::Ptr);
        let answer = self.resolver().resolve(&question).await?;
        let name = answer.records.into_iter().find_map(|record| match record.data {
            RecordData::Ptr(name) => Some(name),
            RecordData::Address(_) | RecordData::Cname(_) => None,
        });
        let name = name.ok_or(Error::NotFound)?;
        result.get_mut(..name.len()).ok_or(Error::NameTooLong)?.copy_from_slice(name.as_bytes());
        Ok(name.len())
    }
}

const fn question(name: String, kind: RecordKind) -> Question {
    Question { name, kind, server: None }
}
