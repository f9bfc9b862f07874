//! Stands in for DHCPv6 in a build without the feature `dhcp6`: it is always off.
//!
//! It has what the stack calls, under the same names.

use core::task::Waker;

use devnet_virtual_file_system::Error;

use super::advertise::Advertiser;
use super::autoconfiguration::Autoconfiguration;
use super::context::Context;
use super::ip::Ip;
use super::ip::ingress::Packet;
use super::name_servers::NameServers;
use super::transport::Transport;
use crate::command::dhcp6::{
    Dhcp6ClientOptions, Dhcp6ServerOptions, Dhcp6ServerStatus, Dhcp6Status, Downstream,
};
use crate::configuration::DesiredDhcp6;
use crate::platform::Instant;

#[expect(dead_code, reason = "nothing is configured")]
pub(crate) struct Parts<'a> {
    pub(crate) cx: &'a mut Context,
    pub(crate) ip: &'a mut Ip,
    pub(crate) transport: &'a mut Transport,
    pub(crate) names: &'a mut NameServers,
    pub(crate) autoconfiguration: &'a mut Autoconfiguration,
    pub(crate) advertiser: &'a mut Advertiser,
}

#[derive(Debug, Default)]
pub(crate) struct Dhcp6 {}

impl Dhcp6 {
    pub(crate) fn set_client(
        &mut self,
        _: &mut Parts<'_>,
        _: Dhcp6ClientOptions,
    ) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn set_server(
        &mut self,
        _: &mut Parts<'_>,
        _: Option<Dhcp6ServerOptions>,
    ) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn set_downstream(
        &mut self,
        _: &mut Parts<'_>,
        _: Option<Downstream>,
    ) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn check(_: &Context, asked: &DesiredDhcp6) -> Result<(), Error> {
        if *asked == DesiredDhcp6::default() { Ok(()) } else { Err(Error::Unsupported) }
    }

    pub(crate) fn asked(&self) -> DesiredDhcp6 {
        DesiredDhcp6::default()
    }

    pub(crate) fn carry_out(&mut self, _: &mut Parts<'_>, _: DesiredDhcp6) -> Result<(), Error> {
        Ok(())
    }

    pub(crate) fn renew(&mut self, _: &mut Parts<'_>) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn status(&self, _: &Context) -> Dhcp6Status {
        Dhcp6Status::default()
    }

    pub(crate) fn summary(&self) -> Option<Dhcp6Status> {
        None
    }

    pub(crate) fn server_status(&self, _: &Context) -> Dhcp6ServerStatus {
        Dhcp6ServerStatus::default()
    }

    pub(crate) fn is_ready(&self) -> Option<bool> {
        None
    }

    pub(crate) fn is_used(_: &DesiredDhcp6) -> bool {
        false
    }

    pub(crate) fn register(&mut self, _: &Waker) {}

    pub(crate) fn wants(&self, _: u16) -> bool {
        false
    }

    pub(crate) fn receive(&mut self, _: &mut Parts<'_>, _: &Packet, _: u16) {}

    pub(crate) fn expire(&mut self, _: &mut Parts<'_>, _: Instant) {}

    pub(crate) fn link_changed(&mut self, _: &mut Parts<'_>) {}

    pub(crate) fn follow(&mut self, _: &mut Parts<'_>, _: &Waker) {}

    pub(crate) fn end(&mut self, _: &mut Parts<'_>) {}
}
