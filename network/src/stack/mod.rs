//! One interface's synchronous state. Time comes in as an argument, frames go in and out, nothing
//! waits.
//!
//! A [`Stack`] owns everything between the driver's frames and the sockets' bytes: addresses,
//! routes, neighbors, connections, timers. It is called under its interface's lock by the runner
//! (frames and deadlines), by sockets and by the control device; it never awaits, never wakes
//! anybody while it works (see [`Wakes`]), and each call does a bounded amount of work. What it
//! wants sent stands in its output queue, which [`Interface`](crate::interface::Interface) hands to
//! the driver.
//!
//! Frames come in through [`link`], go up through [`ip`] to [`tcp`], [`datagram`] or ICMP; packets
//! come down the same way.

pub(crate) mod advertise;
pub(crate) mod autoconfiguration;
pub(crate) mod bound;
pub(crate) mod checksum;
pub(crate) mod configure;
pub(crate) mod datagram;
pub(crate) mod dhcp;
pub(crate) mod host;
pub(crate) mod ip;
pub(crate) mod link;
pub(crate) mod multicast;
pub(crate) mod random;
pub(crate) mod raw;
pub(crate) mod tcp;
pub(crate) mod timers;
pub(crate) mod udp;
pub(crate) mod watch;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::task::Waker;

use virtual_file_system::WakerList;

use self::advertise::Advertiser;
use self::autoconfiguration::Advertised;
use self::datagram::Datagrams;
use self::dhcp::DhcpClient;
pub(crate) use self::host::HostAddresses;
use self::ip::addresses::Addresses;
use self::ip::budget::Budgets;
use self::ip::identification::Identifications;
use self::ip::ingress::Arrival;
use self::ip::path_mtu::PathMtu;
use self::ip::reassembly::Reassembly;
use self::ip::routes::Routes;
use self::link::neighbor::Neighbors;
use self::multicast::Multicast;
use self::random::Random;
use self::tcp::Tcp;
use self::timers::{Timer, Timers};
use self::watch::Watch;
use crate::address::HardwareAddress;
use crate::command::address::Origin;
use crate::command::interface::Statistics;
use crate::driver::{Capabilities, Frame, FramePool, Kind, LinkState};
use crate::platform::Instant;

/// Who is to be woken once the lock is released. Most calls wake nobody or one task, and those cost
/// no memory.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakes {
    /// Takes everybody out of a list.
    pub(crate) fn add(&mut self, waiters: &mut WakerList) {
        if !waiters.is_empty() {
            self.extend(waiters.drain());
        }
    }

    /// Adds tasks that were taken out of a list.
    pub(crate) fn extend(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        for waker in wakers {
            match &mut self.first {
                None => self.first = Some(waker),
                Some(_) => self.more.push(waker),
            }
        }
    }

    /// True when nobody is to be woken.
    pub(crate) const fn is_empty(&self) -> bool {
        // The first place is filled first.
        self.first.is_none()
    }

    /// Hands everybody over, to be woken.
    pub(crate) fn take(&mut self) -> Self {
        core::mem::take(self)
    }

    /// Wakes everybody.
    pub(crate) fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
            self.more.into_iter().for_each(Waker::wake);
        }
    }
}

/// What is set, as opposed to what happened.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) name: String,
    pub(crate) index: u32,
    pub(crate) capabilities: Capabilities,
    pub(crate) enabled: bool,
    pub(crate) link: LinkState,
    pub(crate) mtu: usize,
    pub(crate) metric: u32,
    pub(crate) hardware_address: Option<HardwareAddress>,
    pub(crate) since: Instant,
}

/// One interface's state.
pub(crate) struct Stack {
    pub(crate) now: Instant,
    pub(crate) configuration: Configuration,
    pub(crate) statistics: Statistics,
    pub(crate) addresses: Addresses,
    pub(crate) routes: Routes,
    pub(crate) neighbors: Neighbors,
    pub(crate) dns_servers: Vec<(IpAddr, Origin)>,
    pub(crate) datagrams: Datagrams,
    pub(crate) tcp: Tcp,
    pub(crate) dhcp: DhcpClient,
    pub(crate) advertiser: Advertiser,
    pub(crate) host: Arc<HostAddresses>,
    pub(crate) pool: FramePool,
    /// Frames for the driver.
    pub(crate) output: VecDeque<Frame>,
    pub(crate) wakes: Wakes,
    /// Events for who watches.
    pub(crate) watch: Watch,
    /// Datagram senders that wait for room.
    pub(crate) room: WakerList,
    /// Packets to ourselves.
    local: VecDeque<Frame>,
    /// Source and destination of the last packet that was let in, and the generation of addresses
    /// then.
    admitted: Option<(IpAddr, IpAddr, u32)>,
    /// The last destination that is a single station elsewhere, and the generation of addresses
    /// then.
    plain_to: Option<(IpAddr, u32)>,
    reassembly: Reassembly,
    timers: Timers,
    random: Random,
    budgets: Budgets,
    identifications: Identifications,
    path_mtus: PathMtu,
    pub(crate) multicast: Multicast,
    defend_after: Instant,
    solicitations: u8,
    solicitation_at: Option<Instant>,
    link_mtu_ipv6: Option<usize>,
    /// What routers told, and until when.
    advertised: Vec<(Advertised, Instant)>,
    advertised_armed: Option<Instant>,
}

impl Stack {
    /// A stack without addresses, down.
    pub(crate) fn new(
        configuration: Configuration,
        mut random: Random,
        host: Arc<HostAddresses>,
    ) -> Self {
        let now = configuration.since;
        Self {
            now,
            statistics: Statistics::default(),
            addresses: Addresses::default(),
            routes: Routes::default(),
            neighbors: Neighbors::new(random.u64()),
            dns_servers: Vec::new(),
            datagrams: Datagrams::new(random.u64()),
            tcp: Tcp::new(random.u64(), (random.u64(), random.u64())),
            dhcp: DhcpClient::default(),
            advertiser: Advertiser::default(),
            host,
            pool: FramePool::new(),
            output: VecDeque::new(),
            wakes: Wakes::default(),
            watch: Watch::default(),
            room: WakerList::new(),
            local: VecDeque::new(),
            admitted: None,
            plain_to: None,
            reassembly: Reassembly::default(),
            timers: Timers::default(),
            budgets: Budgets::new(random.u64(), now),
            identifications: Identifications::new(&mut random),
            path_mtus: PathMtu::new(random.u64()),
            multicast: Multicast::default(),
            random,
            defend_after: now,
            solicitations: 0,
            solicitation_at: None,
            link_mtu_ipv6: None,
            advertised: Vec::new(),
            advertised_armed: None,
            configuration,
        }
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.configuration.capabilities.kind == Kind::Loopback
    }

    /// Up, and with a carrier.
    pub(crate) fn is_running(&self) -> bool {
        self.configuration.enabled && self.configuration.link == LinkState::Up
    }

    /// Delivers what was sent to ourselves; at most what waits now, and what that causes waits for
    /// the next call.
    pub(crate) fn run_local(&mut self) -> bool {
        for _ in 0..self.local.len() {
            let Some(frame) = self.local.pop_front() else { break };
            self.ip_input(frame, Arrival::INSIDE);
        }
        !self.local.is_empty()
    }

    /// Handles every deadline that came.
    pub(crate) fn run_timers(&mut self) {
        while let Some((deadline, timer)) = self.timers.due(self.now) {
            match timer {
                Timer::Slot(index) => self.tcp_expired(index, deadline),
                Timer::Neighbor(address) => self.neighbor_expired(address, deadline),
                Timer::Address(address) => self.address_expired(address, deadline),
                Timer::Advertised => self.advertised_expired(deadline),
                Timer::Dhcp => self.dhcp_expired(deadline),
                Timer::Advertisement => self.advertisement_expired(deadline),
                Timer::RouterSolicitation => self.solicitation_expired(deadline),
                Timer::Multicast => self.multicast_expired(deadline),
                Timer::Reassembly => {
                    self.statistics.received_drops.fragment +=
                        self.reassembly.expire(self.now, &mut self.pool);
                    if let Some(next) = self.reassembly.deadline() {
                        self.timers.arm(next, Timer::Reassembly);
                    }
                }
                Timer::TimeWait => {
                    self.tcp.time_wait.expire(self.now);
                    if let Some(next) = self.tcp.time_wait.deadline() {
                        self.timers.arm(next, Timer::TimeWait);
                    }
                }
            }
        }
        self.follow_routes();
    }

    /// The earliest deadline of anything.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// True when something can be done without waiting.
    pub(crate) fn has_work(&self) -> bool {
        !self.local.is_empty() || (!self.tcp.dirty.is_empty() && self.has_room())
    }
}

impl core::fmt::Debug for Stack {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Stack")
            .field("configuration", &self.configuration)
            .finish_non_exhaustive()
    }
}
