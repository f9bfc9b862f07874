//! Stands in for the DHCP server in a build without the feature `dhcp-server`: it never runs.
//!
//! It has what the stack and the watchers call, under the same names.

use alloc::vec::Vec;

use devnet_virtual_file_system::Error;

use crate::command::dhcp_server::{
    DhcpServerOptions, DhcpServerStatistics, DhcpServerStatus, LeaseChange, Reservation,
    ServerLease,
};
use crate::configuration::DesiredServer;
use crate::platform::Instant;
use crate::stack::addresses::Addresses;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::Packet;
use crate::stack::link::ArpMessage;

#[derive(Debug, Default)]
pub(crate) struct DhcpServer {}

impl DhcpServer {
    pub(crate) fn start(
        &mut self,
        _: &mut Context,
        _: &Ip,
        _: DhcpServerOptions,
    ) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn check(
        _: &Context,
        _: &Addresses,
        _: &DhcpServerOptions,
        _: &[Reservation],
    ) -> Result<(), (Option<usize>, Error)> {
        Err((None, Error::Unsupported))
    }

    pub(crate) fn asked(&self) -> Option<DesiredServer> {
        None
    }

    pub(crate) fn carry_out(
        &mut self,
        _: &mut Context,
        _: &Ip,
        _: Option<&DesiredServer>,
    ) -> Result<(), Error> {
        Ok(())
    }

    pub(crate) fn stop(&mut self, _: &mut Context) -> bool {
        false
    }

    #[cfg(feature = "wireless")]
    pub(crate) fn suspend(&mut self) -> Self {
        Self {}
    }

    #[cfg(feature = "wireless")]
    pub(crate) fn resume(&mut self, _: &mut Context, _: Self) {}

    pub(crate) fn status(&self) -> DhcpServerStatus {
        DhcpServerStatus {
            server: None,
            options: DhcpServerOptions::default(),
            leases: 0,
            statistics: DhcpServerStatistics::default(),
        }
    }

    pub(crate) fn list(&self, _: &Context) -> Vec<ServerLease> {
        Vec::new()
    }

    pub(crate) fn leased(&self, _: Instant) -> Vec<ServerLease> {
        Vec::new()
    }

    pub(crate) fn change(&mut self, _: &mut Context, _: &LeaseChange) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn wants(&self, _destination: u16) -> bool {
        false
    }

    pub(crate) fn receive(&mut self, _: &mut Context, _: &mut Ip, _: &[u8]) {}

    pub(crate) fn receive_arp(&mut self, _: &mut Context, _: &mut Ip, _: &ArpMessage) {}

    pub(crate) fn receive_echo(&mut self, _: &mut Context, _: &mut Ip, _: &Packet) {}

    pub(crate) fn expire(&mut self, _: &mut Context, _: &mut Ip, _: Instant) {}
}
