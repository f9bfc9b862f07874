//! Lines about the link of an interface: its state and its settings.

use devnet_virtual_file_system::Error;

use super::interface::InterfaceOption;
use super::table::Request;
use super::value::{switch, value};

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
