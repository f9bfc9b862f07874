//! Names that a guest asks for: records of any type, and services of the link.

use alloc::format;
use alloc::vec::Vec;

use devnet_network::command::dns::Query;
use devnet_network::command::mdns::{ServiceBrowse, ServiceWatch};
use devnet_network::command::record::RecordType;
use devnet_network::command::{QueryRecords, Request};
use devnet_virtual_file_system::{Result, encode};

use super::Guard;

impl Guard {
    /// Records of a name that the guest may ask for.
    pub(super) async fn query_records(&self, query: Query) -> Result<Vec<u8>> {
        let is_own = |address| self.devices.is_own(address);
        self.policy().permit_query(&query, &self.inner, is_own).await?;
        let _lookup = self.policy().begin_lookup().await;
        let reply = self.ask::<QueryRecords>(Request::QueryRecords(query.clone())).await?;
        self.policy().learn_records(&query, &reply);
        encode(&reply)
    }

    /// Whoever may ask for names of the link may look for its services.
    pub(super) async fn browse(&self, browse: ServiceBrowse) -> Result<Vec<u8>> {
        self.permit_type(&browse.service_type).await?;
        let _lookup = self.policy().begin_lookup().await;
        self.forward(Request::BrowseServices(browse)).await
    }

    /// The same, for a file that watches them: it is charged as any that watches.
    pub(super) async fn watch_services(&self, watch: ServiceWatch) -> Result<Vec<u8>> {
        self.permit_type(&watch.service_type).await?;
        self.watch(Request::WatchServices(watch)).await
    }

    async fn permit_type(&self, service_type: &str) -> Result<()> {
        let query = Query::new(format!("{service_type}.local"), RecordType::PTR);
        let is_own = |address| self.devices.is_own(address);
        self.policy().permit_query(&query, &self.inner, is_own).await
    }
}
