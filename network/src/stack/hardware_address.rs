//! A change of the hardware address, and of the addresses that are made of it.

use devnet_virtual_file_system::Error;

use super::Stack;
use super::autoconfiguration::Autoconfiguration;
use crate::address::HardwareAddress;
use crate::driver::Driver;

/// Sets the hardware address; returns true if that changed something. Addresses derived from it are
/// replaced (RA-11).
///
/// # Errors
/// As [`Configuration::set_hardware_address`](super::Configuration::set_hardware_address).
pub(crate) fn set(
    stack: &mut Stack,
    address: HardwareAddress,
    driver: &mut dyn Driver,
) -> Result<bool, Error> {
    if !stack.context.configuration.set_hardware_address(address, driver)? {
        return Ok(false);
    }
    stack.ip.link.neighbors.flush(|_, is_permanent| !is_permanent);
    renew_addresses(stack);
    let Stack { context: cx, ip, autoconfiguration, name_servers, .. } = stack;
    if cx.is_running() {
        autoconfiguration.start(cx, ip, name_servers);
    }
    ip.announce_all(cx);
    Ok(true)
}

/// Replaces addresses whose identifiers are made another way now.
pub(crate) fn renew_addresses(stack: &mut Stack) {
    while let Some((former, now)) = Autoconfiguration::outdated(&stack.context, &stack.ip) {
        // It was found just above.
        let _ = stack.remove_address(former.prefix);
        let Stack { context: cx, ip, autoconfiguration, .. } = &mut *stack;
        autoconfiguration.add_again(cx, ip, former, (now, 0));
    }
}
