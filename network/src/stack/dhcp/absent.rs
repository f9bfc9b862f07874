//! Stands in for the DHCP client in a build without the feature `dhcp`: it never runs.
//!
//! It has what the stack and the watchers call, under the same names.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::task::Waker;

use devnet_virtual_file_system::Error;

use crate::address::Prefix;
use crate::command::dhcp::{DhcpClientOptions, DhcpState, DhcpStatus};
use crate::command::dhcp_server::RawOption;
use crate::command::fallback::{Fallback, FallbackStatus};
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::link::ArpMessage;
use crate::stack::name_servers::NameServers;

/// No lease.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) address: Prefix,
    pub(crate) dns_servers: Vec<IpAddr>,
    never: Never,
}

#[derive(Clone, Debug)]
enum Never {}

impl Lease {
    pub(crate) fn apply(&self, _: &mut Context, _: &mut Ip, _is_change: bool) -> Result<(), Error> {
        match self.never {}
    }

    pub(crate) fn add_domains(&self, _names: &mut NameServers) {
        match self.never {}
    }
}

/// What the stack does for the client.
#[derive(Debug)]
pub(crate) enum Action {
    Nothing,
    Apply { lease: Lease, former: Option<Lease> },
    Withdraw(Lease),
    Fall(fallback::Fall),
    Rise(Prefix),
}

/// Without a client nothing falls back.
pub(crate) mod fallback {
    use core::net::Ipv4Addr;

    use devnet_virtual_file_system::Error;

    use crate::address::Prefix;
    use crate::command::fallback::Fallback;

    /// Never made.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Fall {
        pub(crate) prefix: Prefix,
        pub(crate) gateway: Option<Ipv4Addr>,
    }

    pub(crate) fn check(_: &Fallback) -> Result<(), Error> {
        Err(Error::Unsupported)
    }
}

#[derive(Debug, Default)]
pub(crate) struct DhcpClient {}

impl DhcpClient {
    pub(crate) fn check(_: &Context, _: &DhcpClientOptions) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn set_fallback(&mut self, _: &mut Context, _: Fallback) -> (bool, Action) {
        (false, Action::Nothing)
    }

    pub(crate) fn fallback(&self) -> FallbackStatus {
        FallbackStatus::default()
    }

    pub(crate) fn rise(&mut self) -> Action {
        Action::Nothing
    }

    pub(crate) fn asked(&self) -> Option<DhcpClientOptions> {
        None
    }

    pub(crate) fn start(
        &mut self,
        _: &mut Context,
        _: &mut Ip,
        _: DhcpClientOptions,
    ) -> Result<bool, Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn renew(&mut self, _: &mut Context, _: &mut Ip) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    pub(crate) fn stop(&mut self, _: &mut Context, _: &mut Ip) -> (bool, Action) {
        (false, Action::Nothing)
    }

    pub(crate) fn link_changed(&mut self, _: &mut Context, _: &mut Ip) {}

    pub(crate) fn lease_options(&self) -> Vec<RawOption> {
        Vec::new()
    }

    pub(crate) fn is_waiting(&self) -> bool {
        false
    }

    pub(crate) fn wants(&self, _destination: u16) -> bool {
        false
    }

    pub(crate) fn has_lease(&self) -> bool {
        false
    }

    pub(crate) fn lease_end(&self) -> Option<(Prefix, Instant)> {
        None
    }

    pub(crate) fn status(&self, _: &Context) -> DhcpStatus {
        DhcpStatus { state: DhcpState::Stopped, lease: None, attempts: 0 }
    }

    pub(crate) fn summary(&self) -> (DhcpState, Option<(Prefix, Ipv4Addr)>) {
        (DhcpState::Stopped, None)
    }

    pub(crate) fn register(&mut self, _waker: &Waker) {}

    pub(crate) fn receive(&mut self, _: &mut Context, _: &mut Ip, _: &[u8]) -> Action {
        Action::Nothing
    }

    pub(crate) fn receive_arp(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        arp: &ArpMessage,
    ) -> Action {
        ip.receive_arp(cx, arp);
        Action::Nothing
    }

    pub(crate) fn expire(&mut self, _: &mut Context, _: &mut Ip, _: Instant) -> Action {
        Action::Nothing
    }

    pub(crate) fn bind(&mut self, _: &mut Context, lease: Lease) {
        match lease.never {}
    }

    pub(crate) fn decline(&mut self, _: &mut Context, _: &mut Ip, lease: &Lease) {
        match lease.never {}
    }
}
