//! The address of an interface while no server answers: one that was given, or a link-local one
//! (RFC 3927). Either is probed before it is used, and announced (RFC 5227).

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::options::is_leasable;
use super::{Action, DhcpClient};
use crate::address::Prefix;
use crate::command::dhcp::DhcpState;
use crate::command::fallback::{Fallback, FallbackStatus};
use crate::platform::Instant;
use crate::stack::context::Context;
use crate::stack::ip::Ip;
use crate::stack::timers::Timer;
use crate::trace::event;

/// DHCPDISCOVERs without an answer before there is a fall-back.
const UNANSWERED: u32 = 2;
/// PROBE_NUM, and PROBE_MIN, which is also the range up to PROBE_MAX (RFC 3927 §9).
const PROBES: u8 = 3;
const PROBE_MILLISECONDS: u32 = 1000;
/// ANNOUNCE_NUM, ANNOUNCE_WAIT and ANNOUNCE_INTERVAL.
const ANNOUNCEMENTS: u8 = 2;
const ANNOUNCE: Duration = Duration::from_secs(2);
/// MAX_CONFLICTS and RATE_LIMIT_INTERVAL.
const CONFLICTS: u32 = 10;
const RATE_LIMIT: Duration = Duration::from_secs(60);

/// The fall-back of one interface.
#[derive(Debug, Default)]
pub(super) struct Fallen {
    asked: Fallback,
    /// The address that is probed or used.
    candidate: Option<Prefix>,
    /// Probes and announcements of it that were sent.
    sent: u8,
    is_used: bool,
    conflicts: u32,
    deadline: Option<Instant>,
}

/// A route and an address to add.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fall {
    pub(crate) prefix: Prefix,
    pub(crate) gateway: Option<Ipv4Addr>,
}

/// Whether a fall-back can be.
///
/// # Errors
/// `InvalidInput` for an address that no host can have, or a gateway outside its network.
pub(crate) fn check(fallback: &Fallback) -> Result<(), Error> {
    let Fallback::Address { prefix, gateway } = fallback else { return Ok(()) };
    let is_host = match prefix.address() {
        IpAddr::V4(address) => is_leasable(*prefix, address),
        IpAddr::V6(_) => false,
    };
    let is_router = gateway.is_none_or(|gateway| {
        let gateway = IpAddr::V4(gateway);
        prefix.contains(gateway) && gateway != prefix.address()
    });
    if is_host && is_router { Ok(()) } else { Err(Error::InvalidInput) }
}

impl DhcpClient {
    /// Sets the fall-back; whether that changed something, and what is to be done.
    pub(crate) fn set_fallback(&mut self, cx: &mut Context, asked: Fallback) -> (bool, Action) {
        if self.fallen.asked == asked {
            return (false, Action::Nothing);
        }
        let action = self.rise();
        self.fallen.asked = asked;
        self.consider_fallback(cx);
        (true, action)
    }

    /// What is asked for, and what is used.
    pub(crate) fn fallback(&self) -> FallbackStatus {
        let Fallen { asked, candidate, is_used, conflicts, .. } = self.fallen;
        FallbackStatus { asked, address: candidate.filter(|_| is_used), conflicts }
    }

    /// Begins with the fall-back if no server answers.
    pub(super) fn consider_fallback(&mut self, cx: &mut Context) {
        let is_alone = cfg!(feature = "details")
            && self.lease.is_none()
            && self.state() == DhcpState::Selecting
            && self.attempts >= UNANSWERED
            && cx.is_running();
        if is_alone && self.fallen.candidate.is_none() && self.fallen.asked != Fallback::Off {
            self.choose(cx);
        }
    }

    /// Chooses an address and probes it soon.
    fn choose(&mut self, cx: &mut Context) {
        self.fallen.candidate = match self.fallen.asked {
            Fallback::Off => None,
            Fallback::Address { prefix, .. } => Some(prefix),
            Fallback::LinkLocal => link_local(cx, self.fallen.conflicts),
        };
        (self.fallen.sent, self.fallen.is_used) = (0, false);
        let wait = match self.fallen.conflicts {
            0..CONFLICTS => Duration::from_millis(u64::from(cx.random.below(PROBE_MILLISECONDS))),
            _ => RATE_LIMIT,
        };
        self.arm_fallback(cx, wait);
    }

    fn arm_fallback(&mut self, cx: &mut Context, wait: Duration) {
        let deadline = cx.now.after(wait);
        self.fallen.deadline = Some(deadline);
        cx.timers.arm(deadline, Timer::Dhcp);
    }

    /// Handles the deadline of the fall-back, if it is that; what is to be done then.
    pub(super) fn expire_fallback(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        deadline: Instant,
    ) -> Option<Action> {
        if !cfg!(feature = "details") {
            return None;
        }
        self.fallen.deadline.take_if(|at| *at == deadline)?;
        let prefix = self.fallen.candidate?;
        let IpAddr::V4(address) = prefix.address() else { return None };
        if !cx.is_running() {
            return Some(Action::Nothing);
        }
        self.fallen.sent += 1;
        match self.fallen.sent {
            1..=PROBES => {
                ip.link.probe(cx, address);
                let wait = PROBE_MILLISECONDS + cx.random.below(PROBE_MILLISECONDS);
                let wait = Duration::from_millis(u64::from(wait));
                let is_last = self.fallen.sent == PROBES;
                self.arm_fallback(cx, if is_last { ANNOUNCE } else { wait });
                Some(Action::Nothing)
            }
            sent => {
                if sent < PROBES + ANNOUNCEMENTS {
                    self.arm_fallback(cx, ANNOUNCE);
                }
                if core::mem::replace(&mut self.fallen.is_used, true) {
                    ip.link.announce(cx, address);
                    return Some(Action::Nothing);
                }
                event!(cx, info, "devnet::dhcp", "no server answers: {} is used", prefix);
                let gateway = match self.fallen.asked {
                    Fallback::Address { gateway, .. } => gateway,
                    Fallback::Off | Fallback::LinkLocal => None,
                };
                Some(Action::Fall(Fall { prefix, gateway }))
            }
        }
    }

    /// The fall-back ends: what is to be removed.
    pub(crate) fn rise(&mut self) -> Action {
        let used = self.fallback().address;
        self.fallen = Fallen { asked: self.fallen.asked, ..Fallen::default() };
        used.map_or(Action::Nothing, Action::Rise)
    }

    /// The link came or went: an address that is used is probed again (RFC 3927 §2.2).
    pub(super) fn probe_fallback_again(&mut self, cx: &mut Context) {
        if self.fallen.candidate.is_some() {
            self.fallen.sent = 0;
            self.fallen.deadline = None;
            if cx.is_running() {
                self.arm_fallback(cx, Duration::ZERO);
            }
        }
    }

    /// Another host has or wants the address that is probed, or claims the one that was defended:
    /// another one is chosen (RFC 3927 §2.2.1, §2.5).
    pub(super) fn contest_fallback(
        &mut self,
        cx: &mut Context,
        (sender, target): (Ipv4Addr, Ipv4Addr),
        was_defended: bool,
    ) -> Option<Action> {
        let candidate = self.fallen.candidate.filter(|_| cfg!(feature = "details"))?;
        let is_probed = self.fallen.sent <= PROBES;
        let is_claimed = IpAddr::V4(sender) == candidate.address();
        let is_wanted = sender.is_unspecified() && IpAddr::V4(target) == candidate.address();
        let is_contested = if is_probed && !self.fallen.is_used {
            is_claimed || is_wanted
        } else {
            is_claimed && was_defended
        };
        if !is_contested {
            return None;
        }
        event!(cx, warn, "devnet::dhcp", "another host has {}", candidate);
        let action = match self.fallen.is_used {
            true => Action::Rise(candidate),
            false => Action::Nothing,
        };
        self.fallen.conflicts = self.fallen.conflicts.saturating_add(1);
        self.choose(cx);
        Some(action)
    }
}

/// A link-local address from 169.254.1.0 to 169.254.254.255 (RFC 3927 §2.1): the first one follows
/// from the hardware address, so that a host has the same one again, further ones are random.
fn link_local(cx: &mut Context, conflicts: u32) -> Option<Prefix> {
    const COUNT: u32 = 254 << 8;
    let own = cx.configuration.hardware_address?;
    let number = match conflicts {
        0 => {
            own.0
                .iter()
                .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)))
                % COUNT
        }
        _ => cx.random.below(COUNT),
    };
    let first = Ipv4Addr::new(169, 254, 1, 0).to_bits();
    Prefix::new(IpAddr::V4(Ipv4Addr::from_bits(first + number)), 16).ok()
}
