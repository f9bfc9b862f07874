//! Stands in for multicast DNS in a build without the feature `mdns`: it is always off.
//!
//! It has what the stack calls, under the same names.

use alloc::collections::BTreeSet;
use alloc::string::String;

use devnet_virtual_file_system::Error;

use crate::command::mdns::{
    FoundService, LocalService, MulticastDnsOption, MulticastDnsStatus, ServiceChange,
};
use crate::configuration::DesiredMulticastDns;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::ip::ingress::Packet;

#[derive(Debug, Default)]
pub(crate) struct MulticastDns {}

impl MulticastDns {
    pub(crate) fn set(
        &mut self,
        _: &mut Context,
        _: &mut Ip,
        _: &MulticastDnsOption,
    ) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn change_services(
        &mut self,
        _: &mut Context,
        _: &mut Ip,
        _: &ServiceChange,
    ) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn check_service(
        _: &Context,
        _: &mut DesiredMulticastDns,
        _: &LocalService,
    ) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn check_option(
        _: &Context,
        _: &mut DesiredMulticastDns,
        _: &MulticastDnsOption,
    ) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn asked(&self) -> DesiredMulticastDns {
        DesiredMulticastDns::default()
    }

    pub(crate) fn carry_out(
        &mut self,
        _: &mut Context,
        _: &mut Ip,
        _: DesiredMulticastDns,
    ) -> Result<bool, Error> {
        Ok(false)
    }

    pub(crate) fn status(&self, _: &str) -> MulticastDnsStatus {
        let asked = DesiredMulticastDns::default();
        MulticastDnsStatus {
            interface: asked.host_name.clone(),
            mode: asked.mode,
            host_name: asked.host_name.clone(),
            name: asked.host_name,
            state: crate::command::mdns::ClaimState::Waiting,
            services: alloc::vec::Vec::new(),
        }
    }

    pub(crate) fn watch(&mut self, _: &mut Context, _: &mut Ip, _: BTreeSet<String>) {}

    pub(crate) const fn told(&self) -> &[FoundService] {
        &[]
    }

    pub(crate) const fn wants(&self, _destination: u16) -> bool {
        false
    }

    pub(crate) fn receive(&mut self, _: &mut Context, _: &mut Ip, _: &Packet) {}

    pub(crate) const fn is_outdated(&self, _: &Context, _: &Ip) -> bool {
        false
    }

    pub(crate) fn follow(&mut self, _: &mut Context, _: &mut Ip) {}

    pub(crate) fn expire(&mut self, _: &mut Context, _: &mut Ip, _: Instant) {}
}
