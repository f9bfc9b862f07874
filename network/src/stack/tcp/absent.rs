//! Stands in for TCP in a build without the feature `tcp`: there are no connections, so nothing is
//! theirs, and a segment is a packet of an unknown protocol.
//!
//! It has what the parts above and beside TCP call, under the same names.

pub(crate) mod settings;

use alloc::sync::Arc;
use core::net::IpAddr;
use core::ops::Range;

use devnet_virtual_file_system::Error;

pub use self::settings::TcpSettings;
use crate::command::interface::SynCookies;
use crate::command::socket::SocketStatus;
use crate::command::stream::StreamStatistics;
use crate::command::usage::Usage;
use crate::driver::Frame;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::flow::Flow;
use crate::stack::ip::Ip;
use crate::stack::link::Arrival;
use crate::stack::wire::quote::Quote;

/// There is no listener.
pub(crate) mod listen {
    use crate::command::socket::SocketStatus;

    #[derive(Debug)]
    pub(crate) enum Listener {}

    impl Listener {
        pub(crate) fn status(&self, _interface: &str) -> SocketStatus {
            match *self {}
        }
    }
}

/// The memory of no connection.
#[derive(Debug, Default)]
pub(crate) struct SystemMemory;

#[derive(Debug, Default)]
pub(crate) struct Cookies {
    pub(crate) counters: SynCookies,
}

#[derive(Debug, Default)]
pub(crate) struct Tcp {
    pub(crate) cookies: Cookies,
}

impl Tcp {
    pub(crate) fn new(_cx: &mut Context, _memory: Arc<SystemMemory>) -> Self {
        Self::default()
    }

    pub(crate) fn receive_fast(
        &mut self,
        _cx: &mut Context,
        _ip: &mut Ip,
        frame: Frame,
        _arrival: Arrival,
    ) -> Result<(), Frame> {
        Err(frame)
    }

    pub(crate) fn expire(&mut self, _: &mut Context, _: &mut Ip, _index: u32, _: Instant) {}

    pub(crate) fn expire_time_wait(&mut self, _: &mut Context) {}

    pub(crate) fn serve_ready(&mut self, _: &mut Context, _: &mut Ip) {}

    pub(crate) fn drop_stale_timers(&self, _: &mut Context) {}

    pub(crate) fn has_work(&self) -> bool {
        false
    }

    pub(crate) fn update_mss_to(&mut self, _: &mut Context, _: &mut Ip, _to: Option<IpAddr>) {}

    pub(crate) fn abort_local_address(&mut self, _: &mut Context, _: &mut Ip, _: IpAddr) {}

    pub(crate) fn end_flow(&mut self, _: &mut Context, _: &mut Ip, _: &Flow) -> bool {
        false
    }

    pub(crate) fn statistics_of(&self, _: &Flow) -> Option<StreamStatistics> {
        None
    }

    pub(crate) fn abort_all(&mut self, _: &mut Context, _: &mut Ip) {}

    pub(crate) fn close_listeners(&mut self, _cx: &mut Context) {}

    pub(crate) fn has_sent(&self, _quoted: &Quote) -> bool {
        false
    }

    pub(crate) fn knows(&self, _: &Flow) -> bool {
        false
    }

    pub(crate) fn receive_error(&mut self, _: &mut Context, _quoted: &Quote, _error: Error) {}

    pub(crate) fn places(&self) -> usize {
        0
    }

    pub(crate) fn time_wait_places(&self) -> usize {
        0
    }

    pub(crate) fn connection_statuses(
        &self,
        _interface: &str,
        _: Range<usize>,
    ) -> impl Iterator<Item = SocketStatus> {
        core::iter::empty()
    }

    pub(crate) fn time_wait_statuses(
        &self,
        _interface: &str,
        _: Range<usize>,
    ) -> impl Iterator<Item = SocketStatus> {
        core::iter::empty()
    }

    pub(crate) fn listener_statuses(&self, _interface: &str) -> impl Iterator<Item = SocketStatus> {
        core::iter::empty()
    }

    pub(crate) fn count(&self) -> usize {
        0
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage::default()
    }

    pub(crate) fn listen(
        &mut self,
        _cx: &mut Context,
        listener: &Arc<listen::Listener>,
        _device: bool,
    ) -> Result<(), Error> {
        match **listener {}
    }

    pub(crate) fn unlisten(
        &mut self,
        _: &mut Context,
        _: &mut Ip,
        listener: &Arc<listen::Listener>,
    ) {
        match **listener {}
    }
}
