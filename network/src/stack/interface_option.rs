//! Settings of the interface that a command changes one at a time.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem::replace;
use core::ops::RangeInclusive;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::context::{Context, InterfaceOptions};
use super::link::neighbor::Timing;
use super::{Stack, option_list};
use crate::command::interface::{InterfaceDetails, InterfaceOption};
use crate::driver::{Driver, DriverError, Medium};
use crate::limits;

/// Milliseconds for which a neighbor may be reachable.
const REACHABLE: RangeInclusive<u32> = 1_000..=3_600_000;
/// Milliseconds between two solicitations.
const RETRANSMIT: RangeInclusive<u32> = 100..=60_000;

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn within(range: &RangeInclusive<u32>, value: u32) -> Result<(), Error> {
    if range.contains(&value) { Ok(()) } else { Err(Error::InvalidInput) }
}

/// Whether an option can be set here, except for what only the driver knows.
///
/// # Errors
/// `InvalidInput` for a value that it cannot have; `Unsupported` on media without neighbors for
/// what is about them.
pub(crate) fn check(cx: &Context, option: &InterfaceOption) -> Result<(), Error> {
    let is_about_neighbors = matches!(
        option,
        InterfaceOption::Arp(_)
            | InterfaceOption::ReachableTime(_)
            | InterfaceOption::RetransmitTime(_)
            | InterfaceOption::NeighborProbes(_)
    );
    if is_about_neighbors && cx.configuration.capabilities.medium != Medium::Ethernet {
        return Err(Error::Unsupported);
    }
    match option {
        InterfaceOption::Description(text) => {
            // One blank between words, as a line gives it.
            let is_text = text.len() <= limits::DESCRIPTION_BYTES
                && !text.chars().any(char::is_control)
                && !text.starts_with(' ')
                && !text.ends_with(' ')
                && !text.contains("  ");
            if is_text { Ok(()) } else { Err(Error::InvalidInput) }
        }
        InterfaceOption::TransmitQueue(frames) => {
            within(&(1..=limits::TRANSMIT_QUEUE_MAXIMUM as u32), *frames)
        }
        InterfaceOption::ReachableTime(time) => within(&REACHABLE, *time),
        InterfaceOption::RetransmitTime(time) => within(&RETRANSMIT, *time),
        InterfaceOption::NeighborProbes(0) => Err(Error::InvalidInput),
        // The name is the manager's.
        InterfaceOption::Name(_)
        | InterfaceOption::Promiscuous(_)
        | InterfaceOption::AllMulticast(_)
        | InterfaceOption::Arp(_)
        | InterfaceOption::NeighborProbes(_) => Ok(()),
    }
}

/// Sets an option; true if that changed something.
///
/// # Errors
/// As [`check`]; `Unsupported` or `InputOutput` when the driver does not do it.
pub(crate) fn set(
    stack: &mut Stack,
    driver: &mut dyn Driver,
    option: &InterfaceOption,
) -> Result<bool, Error> {
    check(&stack.context, option)?;
    let InterfaceOptions { promiscuous, all_multicast, .. } = stack.context.configuration.options;
    match *option {
        InterfaceOption::Promiscuous(is_on) => set_reception(stack, driver, (is_on, all_multicast)),
        InterfaceOption::AllMulticast(is_on) => set_reception(stack, driver, (promiscuous, is_on)),
        _ => Ok(apply(stack, option)),
    }
}

/// Sets an option that the driver need not know; true if that changed something.
fn apply(stack: &mut Stack, option: &InterfaceOption) -> bool {
    let link = &mut stack.ip.link;
    let options = &mut stack.context.configuration.options;
    let timing = link.neighbors.base_timing();
    match option {
        InterfaceOption::Name(_)
        | InterfaceOption::Promiscuous(_)
        | InterfaceOption::AllMulticast(_) => false,
        InterfaceOption::Description(text) => {
            replace(&mut options.description, text.clone()) != *text
        }
        InterfaceOption::Arp(is_on) => {
            let is_changed = replace(&mut options.arp, *is_on) != *is_on;
            if is_changed {
                link.neighbors.flush(|_, is_permanent| !is_permanent);
                stack.ip.test_addresses(&mut stack.context);
            }
            is_changed
        }
        InterfaceOption::TransmitQueue(frames) => {
            let frames = *frames as usize;
            replace(&mut link.queue_length, frames) != frames
        }
        InterfaceOption::ReachableTime(time) => {
            let reachable = Duration::from_millis(u64::from(*time));
            link.neighbors.set_base_timing(Timing { reachable, ..timing })
        }
        InterfaceOption::RetransmitTime(time) => {
            let retransmit = Duration::from_millis(u64::from(*time));
            link.neighbors.set_base_timing(Timing { retransmit, ..timing })
        }
        InterfaceOption::NeighborProbes(count) => {
            replace(&mut link.neighbors.probes, *count) != *count
        }
    }
}

/// How the interface stands.
pub(crate) fn details(stack: &Stack, driver: &mut dyn Driver) -> InterfaceDetails {
    let configuration = &stack.context.configuration;
    let link = &stack.ip.link;
    let timing = link.neighbors.base_timing();
    let (link_changes, link_changed) = configuration.link_changes;
    let link_age = stack.context.now.since(link_changed);
    InterfaceDetails {
        interface: configuration.name.clone(),
        description: configuration.options.description.clone(),
        promiscuous: configuration.options.promiscuous,
        all_multicast: configuration.options.all_multicast,
        arp: configuration.options.arp,
        transmit_queue: u32::try_from(link.queue_length).unwrap_or(u32::MAX),
        reachable_milliseconds: milliseconds(timing.reachable),
        retransmit_milliseconds: milliseconds(timing.retransmit),
        neighbor_probes: link.neighbors.probes,
        link_changes,
        link_age_micros: u64::try_from(link_age.as_micros()).unwrap_or(u64::MAX),
        speed: driver.speed(),
    }
}

/// The options that a new interface has, one of each, without the name.
fn defaults() -> [InterfaceOption; 8] {
    let timing = Timing::default();
    [
        InterfaceOption::Description(String::new()),
        InterfaceOption::Promiscuous(false),
        InterfaceOption::AllMulticast(false),
        InterfaceOption::Arp(true),
        InterfaceOption::TransmitQueue(limits::EGRESS_QUEUE as u32),
        InterfaceOption::ReachableTime(milliseconds(timing.reachable)),
        InterfaceOption::RetransmitTime(milliseconds(timing.retransmit)),
        InterfaceOption::NeighborProbes(limits::NEIGHBOR_PROBES),
    ]
}

/// Those of some options that a new interface does not have, in the order of their kinds.
pub(crate) fn in_order(options: &[InterfaceOption]) -> Vec<InterfaceOption> {
    option_list::other_than(&defaults(), options)
}

/// The options that commands set to something else than a new interface has.
pub(crate) fn asked(stack: &Stack) -> Vec<InterfaceOption> {
    let options = &stack.context.configuration.options;
    let link = &stack.ip.link;
    let timing = link.neighbors.base_timing();
    in_order(&[
        InterfaceOption::Description(options.description.clone()),
        InterfaceOption::Promiscuous(options.promiscuous),
        InterfaceOption::AllMulticast(options.all_multicast),
        InterfaceOption::Arp(options.arp),
        InterfaceOption::TransmitQueue(u32::try_from(link.queue_length).unwrap_or(u32::MAX)),
        InterfaceOption::ReachableTime(milliseconds(timing.reachable)),
        InterfaceOption::RetransmitTime(milliseconds(timing.retransmit)),
        InterfaceOption::NeighborProbes(link.neighbors.probes),
    ])
}

/// True for what only the driver can do.
pub(crate) const fn is_for_driver(option: &InterfaceOption) -> bool {
    matches!(option, InterfaceOption::Promiscuous(_) | InterfaceOption::AllMulticast(_))
}

/// Asks the driver for frames to every station and to every group, if that is another reception;
/// true if it is.
///
/// # Errors
/// `Unsupported` or `InputOutput` when the driver does not do it; nothing was changed then.
fn set_reception(
    stack: &mut Stack,
    driver: &mut dyn Driver,
    (all_stations, all_groups): (bool, bool),
) -> Result<bool, Error> {
    let options = &mut stack.context.configuration.options;
    if (options.promiscuous, options.all_multicast) == (all_stations, all_groups) {
        return Ok(false);
    }
    driver.set_reception(all_stations, all_groups).map_err(DriverError::answer)?;
    (options.promiscuous, options.all_multicast) = (all_stations, all_groups);
    Ok(true)
}

/// Gives the driver the reception that these options say.
///
/// # Errors
/// `Unsupported` or `InputOutput` when the driver does not do it; nothing was changed then.
pub(crate) fn receive_as_asked(
    stack: &mut Stack,
    driver: &mut dyn Driver,
    asked: &[InterfaceOption],
) -> Result<(), Error> {
    let all_stations = asked.contains(&InterfaceOption::Promiscuous(true));
    let all_groups = asked.contains(&InterfaceOption::AllMulticast(true));
    set_reception(stack, driver, (all_stations, all_groups)).map(drop)
}

/// Makes these the options that differ from those of a new interface.
///
/// # Errors
/// As [`receive_as_asked`].
pub(crate) fn replace_all(
    stack: &mut Stack,
    driver: &mut dyn Driver,
    wanted: &[InterfaceOption],
) -> Result<(), Error> {
    receive_as_asked(stack, driver, wanted)?;
    for default in defaults().into_iter().filter(|default| !is_for_driver(default)) {
        apply(stack, option_list::of_kind(wanted, &default).unwrap_or(&default));
    }
    Ok(())
}
