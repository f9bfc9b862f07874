//! Lines about the link of an interface: its state and its settings.

use devnet_virtual_file_system::Error;

use crate::command::autoconfiguration::AutoconfigurationOption;
use crate::command::interface::InterfaceOption;
use crate::command::table::Request;
use crate::command::value::{switch, value};

/// The words after `autoconf`.
pub(super) fn autoconfiguration(words: &[&str]) -> Result<Request, Error> {
    Ok(Request::SetAutoconfiguration(match words {
        ["identifiers", kind] => AutoconfigurationOption::Identifiers(value(kind)?),
        ["secret", secret] => AutoconfigurationOption::Secret(value(secret)?),
        ["privacy", word] => AutoconfigurationOption::Privacy(value(word)?),
        ["advertisements", word] => AutoconfigurationOption::Advertisements(switch(word)?),
        ["addresses", word] => AutoconfigurationOption::Addresses(switch(word)?),
        ["probes", count] => AutoconfigurationOption::Probes(value(count)?),
        ["valid", seconds] => AutoconfigurationOption::TemporaryValid(value(seconds)?),
        ["preferred", seconds] => AutoconfigurationOption::TemporaryPreferred(value(seconds)?),
        _ => return Err(Error::InvalidInput),
    }))
}

/// The words after `link`.
pub(super) fn link(words: &[&str]) -> Result<Request, Error> {
    Ok(Request::SetInterfaceOption(match words {
        ["up"] => return Ok(Request::SetEnabled(true)),
        ["down"] => return Ok(Request::SetEnabled(false)),
        ["name", name] => InterfaceOption::Name((*name).into()),
        ["description", text @ ..] => InterfaceOption::Description(text.join(" ")),
        ["promiscuous", word] => InterfaceOption::Promiscuous(switch(word)?),
        ["all-multicast", word] => InterfaceOption::AllMulticast(switch(word)?),
        ["arp", word] => InterfaceOption::Arp(switch(word)?),
        ["queue", frames] => InterfaceOption::TransmitQueue(value(frames)?),
        ["reachable", time] => InterfaceOption::ReachableTime(value(time)?),
        ["retransmit", time] => InterfaceOption::RetransmitTime(value(time)?),
        ["probes", count] => InterfaceOption::NeighborProbes(value(count)?),
        _ => return Err(Error::InvalidInput),
    }))
}
