//! Settings of IPv6 autoconfiguration that a command changes one at a time.

use alloc::vec::Vec;
use core::mem::replace;
use core::ops::RangeInclusive;

use devnet_virtual_file_system::Error;

use super::autoconfiguration::Autoconfiguration;
use super::context::{AutoconfigurationSettings, Context};
use super::{Stack, hardware_address, option_list};
use crate::command::autoconfiguration::{
    AutoconfigurationOption, AutoconfigurationState, Identifiers, StableSecret,
};

/// Seconds for which a temporary address may be valid and preferred.
const VALID: RangeInclusive<u32> = 600..=31_536_000;
const PREFERRED: RangeInclusive<u32> = 60..=31_536_000;
/// Probes of an address.
const PROBES: RangeInclusive<u8> = 0..=16;

/// Whether an option can be set here.
///
/// # Errors
/// `InvalidInput` for a value that it cannot have; `Unsupported` on media without hardware
/// addresses, which have no autoconfiguration.
pub(crate) fn check(cx: &Context, option: &AutoconfigurationOption) -> Result<(), Error> {
    if cx.configuration.hardware_address.is_none() {
        return Err(Error::Unsupported);
    }
    let is_possible = match option {
        AutoconfigurationOption::Probes(count) => PROBES.contains(count),
        AutoconfigurationOption::TemporaryValid(seconds) => VALID.contains(seconds),
        AutoconfigurationOption::TemporaryPreferred(seconds) => PREFERRED.contains(seconds),
        AutoconfigurationOption::Identifiers(_)
        | AutoconfigurationOption::Secret(_)
        | AutoconfigurationOption::Privacy(_)
        | AutoconfigurationOption::Advertisements(_)
        | AutoconfigurationOption::Addresses(_) => true,
    };
    if is_possible { Ok(()) } else { Err(Error::InvalidInput) }
}

/// Sets an option; true if that changed something.
///
/// # Errors
/// As [`check`].
pub(crate) fn set(stack: &mut Stack, option: &AutoconfigurationOption) -> Result<bool, Error> {
    check(&stack.context, option)?;
    Ok(apply(stack, option))
}

fn apply(stack: &mut Stack, option: &AutoconfigurationOption) -> bool {
    let Stack { context: cx, ip, autoconfiguration, name_servers: names, .. } = &mut *stack;
    let settings = &mut cx.configuration.options.autoconfiguration;
    match *option {
        AutoconfigurationOption::Identifiers(kind) => {
            if replace(&mut settings.identifiers, kind) == kind {
                return false;
            }
            if kind == Identifiers::Stable && settings.secret.is_none() {
                settings.secret = Some(StableSecret(cx.random.bytes()));
            }
            hardware_address::renew_addresses(stack);
        }
        AutoconfigurationOption::Secret(secret) => {
            if settings.secret.replace(secret) == Some(secret) {
                return false;
            }
            hardware_address::renew_addresses(stack);
        }
        AutoconfigurationOption::Privacy(privacy) => {
            if replace(&mut settings.privacy, privacy) == privacy {
                return false;
            }
            Autoconfiguration::set_privacy(cx, ip, privacy);
        }
        AutoconfigurationOption::Advertisements(is_on) => {
            if replace(&mut settings.advertisements, is_on) == is_on {
                return false;
            }
            if !is_on {
                autoconfiguration.forget_all(cx, ip, names);
            }
            autoconfiguration.solicit(cx);
        }
        AutoconfigurationOption::Addresses(is_on) => {
            if replace(&mut settings.addresses, is_on) == is_on {
                return false;
            }
            if is_on {
                autoconfiguration.solicit(cx);
            } else {
                autoconfiguration.forget_addresses(cx, ip);
            }
        }
        AutoconfigurationOption::Probes(count) => {
            return replace(&mut settings.probes, count) != count;
        }
        AutoconfigurationOption::TemporaryValid(seconds) => {
            return replace(&mut settings.temporary_valid, seconds) != seconds;
        }
        AutoconfigurationOption::TemporaryPreferred(seconds) => {
            return replace(&mut settings.temporary_preferred, seconds) != seconds;
        }
    }
    true
}

/// How it stands.
pub(crate) fn status(stack: &Stack) -> AutoconfigurationState {
    const MANAGED: u8 = 0x80;
    const OTHER: u8 = 0x40;
    let settings = &stack.context.configuration.options.autoconfiguration;
    let flags = stack.autoconfiguration.flags();
    AutoconfigurationState {
        interface: stack.context.configuration.name.clone(),
        identifiers: settings.identifiers,
        privacy: settings.privacy,
        advertisements: settings.advertisements,
        addresses: settings.addresses,
        probes: settings.probes,
        temporary_valid: settings.temporary_valid,
        temporary_preferred: settings.temporary_preferred,
        managed: flags & MANAGED != 0,
        other: flags & OTHER != 0,
        temporary: Autoconfiguration::temporaries(&stack.ip),
        nat64: stack.autoconfiguration.nat64().collect(),
    }
}

/// What settings say, one option each; the secret is not told.
fn options(settings: &AutoconfigurationSettings) -> [AutoconfigurationOption; 7] {
    [
        AutoconfigurationOption::Identifiers(settings.identifiers),
        AutoconfigurationOption::Privacy(settings.privacy),
        AutoconfigurationOption::Advertisements(settings.advertisements),
        AutoconfigurationOption::Addresses(settings.addresses),
        AutoconfigurationOption::Probes(settings.probes),
        AutoconfigurationOption::TemporaryValid(settings.temporary_valid),
        AutoconfigurationOption::TemporaryPreferred(settings.temporary_preferred),
    ]
}

/// The options that commands set to something else than a new interface has.
pub(crate) fn asked(stack: &Stack) -> Vec<AutoconfigurationOption> {
    let settings = &stack.context.configuration.options.autoconfiguration;
    option_list::other_than(&options(&AutoconfigurationSettings::default()), &options(settings))
}

/// Those of some options that would change a new interface, in the order of their kinds; a secret,
/// first, only if it is another one.
pub(crate) fn in_order(
    cx: &Context,
    wanted: &[AutoconfigurationOption],
) -> Vec<AutoconfigurationOption> {
    let known = cx.configuration.options.autoconfiguration.secret;
    let is_new = |option: &&AutoconfigurationOption| match option {
        AutoconfigurationOption::Secret(secret) => Some(*secret) != known,
        _ => false,
    };
    let defaults = options(&AutoconfigurationSettings::default());
    let others = option_list::other_than(&defaults, wanted);
    wanted.iter().find(is_new).copied().into_iter().chain(others).collect()
}

/// Makes these the options that differ from those of a new interface.
pub(crate) fn replace_all(stack: &mut Stack, wanted: &[AutoconfigurationOption]) {
    let is_secret =
        |option: &&AutoconfigurationOption| matches!(option, AutoconfigurationOption::Secret(_));
    if let Some(secret) = wanted.iter().find(is_secret) {
        apply(stack, secret);
    }
    for default in options(&AutoconfigurationSettings::default()) {
        apply(stack, option_list::of_kind(wanted, &default).unwrap_or(&default));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::autoconfiguration::Privacy;

    #[test]
    fn a_new_interface_has_the_defaults_of_the_standards() {
        let settings = AutoconfigurationSettings::default();
        assert_eq!(settings.identifiers(), Identifiers::HardwareAddress);
        assert_eq!(settings.privacy, Privacy::Off);
        assert_eq!((settings.probes, settings.temporary_valid), (1, 172_800));
    }
}
