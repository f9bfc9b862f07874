//! The multicast groups of one interface: joining and leaving, the groups that addresses imply, and
//! reports to routers and switches. [`multicast`](crate::stack::multicast) has the state machine
//! and the messages.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::Ip;
use crate::command::multicast::{GroupDetail, GroupEntry};
use crate::driver::Frame;
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::multicast::{self, Member, Message};
use crate::stack::timers::Timer;
use crate::stack::wire::header::Header;
use crate::stack::wire::ndp;
use crate::trace::dropped;

/// The delay until a report that found the queue full is retried (MC-01).
const RETRY: Duration = Duration::from_secs(1);

impl Ip {
    /// Adds a socket to a group.
    ///
    /// # Errors
    /// `InvalidInput` for an address that is no group; `NoBufferSpace` when the interface is in too
    /// many groups.
    pub(crate) fn join_group(&mut self, cx: &mut Context, group: IpAddr) -> Result<(), Error> {
        if !group.is_multicast() {
            return Err(Error::InvalidInput);
        }
        self.multicast.groups(group.is_ipv4()).join(group, cx.now)?;
        self.report_groups(cx);
        Ok(())
    }

    /// Removes a socket from a group.
    pub(crate) fn leave_group(&mut self, cx: &mut Context, group: IpAddr) {
        self.multicast.groups(group.is_ipv4()).leave(group, cx.now);
        self.report_groups(cx);
    }

    /// Joins a group for a command.
    ///
    /// # Errors
    /// As [`Multicast::ask`](multicast::Multicast::ask).
    pub(crate) fn add_group(&mut self, cx: &mut Context, group: IpAddr) -> Result<(), Error> {
        self.multicast.ask(group, cx.now)?;
        self.report_groups(cx);
        Ok(())
    }

    /// Leaves a group that a command joined.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn remove_group(&mut self, cx: &mut Context, group: IpAddr) -> Result<(), Error> {
        self.multicast.forget(group, cx.now)?;
        self.report_groups(cx);
        Ok(())
    }

    /// Joins the groups that our addresses imply, and those of routers if we advertise.
    pub(crate) fn update_address_groups(&mut self, cx: &mut Context) {
        if !cfg!(feature = "ipv6") {
            return;
        }
        let mut implied: Vec<IpAddr> = Vec::new();
        let own = self.addresses.iter().map(|entry| entry.prefix.address());
        for address in own.chain(self.link.proxies.iter()) {
            if let IpAddr::V6(address) = address {
                let group = IpAddr::V6(ndp::solicited_node(address));
                if !implied.contains(&group) {
                    implied.push(group);
                }
            }
        }
        if self.multicast.is_router {
            implied.push(IpAddr::V6(ndp::ALL_ROUTERS));
        }
        self.multicast.ipv6.set_implied(&implied, cx.now);
        self.report_groups(cx);
    }

    /// The link came up: all memberships are reported from the start.
    pub(crate) fn restart_groups(&mut self, cx: &mut Context) {
        if multicast::FAMILIES.is_empty() {
            return;
        }
        self.multicast.ipv4.restart(cx.now);
        self.multicast.ipv6.restart(cx.now);
        self.report_groups(cx);
    }

    /// A link-local address became usable: repeats the reports, because those from the unspecified
    /// address do not count (RFC 3590 §4).
    pub(crate) fn repeat_ipv6_groups(&mut self, cx: &mut Context) {
        self.multicast.ipv6.repeat_reports(cx.now);
        self.report_groups(cx);
    }

    /// The list of groups.
    pub(crate) fn group_entries(&self, cx: &Context) -> Vec<GroupEntry> {
        self.group_details(cx).into_iter().map(|detail| detail.entry).collect()
    }

    /// The list of groups, and who wants each.
    pub(crate) fn group_details(&self, cx: &Context) -> Vec<GroupDetail> {
        let interface = &cx.configuration.name;
        let detail = |one: Member| GroupDetail {
            entry: GroupEntry {
                group: one.group,
                interface: interface.clone(),
                sockets: one.sockets,
            },
            from_command: one.is_asked,
            implied: one.is_implied,
        };
        self.multicast.iter().map(detail).collect()
    }

    /// Handles the deadline.
    pub(crate) fn expire_groups(&mut self, cx: &mut Context, deadline: Instant) {
        if self.multicast.armed == Some(deadline) {
            self.multicast.armed = None;
            self.report_groups(cx);
        }
    }

    /// Sends the reports that are due and arms the timer. Nothing is sent while the link is down;
    /// everything is when it comes up.
    fn report_groups(&mut self, cx: &mut Context) {
        if multicast::FAMILIES.is_empty() || !cx.is_running() || cx.is_loopback() {
            return;
        }
        if !self.link.has_room() {
            return self.arm_groups(cx, Some(cx.now.after(RETRY)));
        }
        for (frame, destination) in self.multicast.reports(cx, &self.addresses) {
            cx.counters.count(destination.is_ipv6(), Counter::IpOutRequests);
            // The link is up, and the queue has room.
            let _ = self.transmit(cx, frame, destination);
        }
        self.arm_groups(cx, self.multicast.deadline());
    }

    fn arm_groups(&mut self, cx: &mut Context, next: Option<Instant>) {
        let Some(next) = next else { return };
        cx.timers.arm_earlier(&mut self.multicast.armed, next, Timer::Multicast);
    }

    /// Processes an IGMP packet.
    pub(crate) fn receive_igmp(&mut self, cx: &mut Context, frame: &Frame, header: &Header) {
        let message = multicast::read_igmp(header, frame);
        self.membership(cx, message, true);
    }

    /// Processes an MLD packet with a correct checksum.
    pub(crate) fn receive_mld(&mut self, cx: &mut Context, frame: &Frame, header: &Header) {
        self.membership(cx, multicast::read_mld(header, frame), false);
    }

    fn membership(&mut self, cx: &mut Context, message: Option<Message>, is_ipv4: bool) {
        match message {
            Some(message) => self.multicast.receive(cx, message, is_ipv4),
            None => dropped!(cx, Malformed, "devnet::ip", "a message about multicast groups"),
        }
        self.report_groups(cx);
    }
}
