//! The prefixes that servers of DHCPv6 delegated to interfaces of the system, for the interfaces
//! that have networks of them.
//!
//! The stacks of a system share it, within the addresses of the [host](super::host). The client of
//! an uplink publishes; downstream interfaces see that the revision is another one, and register to
//! be woken for that.

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::Waker;

use devnet_virtual_file_system::{Lock, WakerList};

use super::context::Wakes;
use crate::address::Prefix;
use crate::platform::Instant;

/// A prefix or an address with its lifetimes; none of them for one that does not end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimedPrefix {
    pub(crate) prefix: Prefix,
    pub(crate) preferred_until: Option<Instant>,
    pub(crate) valid_until: Option<Instant>,
}

impl TimedPrefix {
    /// Seconds for which it is preferred and valid; `u32::MAX` is without end.
    pub(crate) fn seconds(&self, now: Instant) -> (u32, u32) {
        let seconds = |until: Option<Instant>| match until {
            Some(until) => u32::try_from(until.since(now).as_secs()).unwrap_or(u32::MAX - 1),
            None => u32::MAX,
        };
        (seconds(self.preferred_until), seconds(self.valid_until))
    }
}

/// The prefixes of one uplink.
#[derive(Debug)]
struct Uplink {
    index: u32,
    name: String,
    prefixes: Vec<TimedPrefix>,
}

/// The prefixes of all uplinks.
#[derive(Debug, Default)]
pub(crate) struct Delegations {
    uplinks: Lock<Vec<Uplink>>,
    revision: AtomicU32,
    waiters: Lock<WakerList>,
}

impl Delegations {
    /// These are the prefixes of an interface from now on.
    pub(crate) fn publish(
        &self,
        (index, name): (u32, &str),
        prefixes: &[TimedPrefix],
        wakes: &mut Wakes,
    ) {
        self.uplinks.with(|uplinks| {
            uplinks.retain(|uplink| uplink.index != index);
            if !prefixes.is_empty() {
                uplinks.push(Uplink { index, name: name.into(), prefixes: prefixes.to_vec() });
            }
        });
        self.revision.fetch_add(1, Ordering::AcqRel);
        self.waiters.with(|waiters| wakes.add(waiters));
    }

    /// A number that changes with the prefixes.
    pub(crate) fn revision(&self) -> u32 {
        self.revision.load(Ordering::Acquire)
    }

    /// Wakes a task when the prefixes change.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waiters.with(|waiters| waiters.register(waker));
    }

    /// The prefixes of an interface.
    pub(crate) fn of(&self, name: &str) -> Vec<TimedPrefix> {
        self.uplinks.with(|uplinks| {
            let uplink = uplinks.iter().find(|uplink| uplink.name == name);
            uplink.map(|uplink| uplink.prefixes.clone()).unwrap_or_default()
        })
    }
}
