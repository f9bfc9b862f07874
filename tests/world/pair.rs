//! Two hosts on a cable, where most scenarios begin.

use devnet_network::address::HardwareAddress;

use crate::{Host, World};

/// Hardware addresses of the two ends.
pub const HARDWARE: (HardwareAddress, HardwareAddress) =
    (HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2]));

/// A cable as most tests want it.
#[must_use]
pub fn options() -> devnet_drivers::CableOptions {
    devnet_drivers::CableOptions::default().hardware(HARDWARE).capacity(1024)
}

/// A byte of a stream by its place; they differ everywhere.
#[must_use]
pub const fn byte_at(place: u32) -> u8 {
    (place.wrapping_mul(2_654_435_761) >> 11) as u8
}

/// Two hosts, 10.0.0.1 and 10.0.0.2 (fd00::1 and fd00::2), joined by a cable; duplicate detection
/// is over.
#[must_use]
pub fn hosts(world: &World) -> (Host, Host) {
    let (left, right) = devnet_drivers::cable(options());
    let left = Host::new(world).with("eth0", left, &["10.0.0.1/24", "fd00::1/64"]);
    let right = Host::new(world).with("eth0", right, &["10.0.0.2/24", "fd00::2/64"]);
    world.run(world.sleep(std::time::Duration::from_secs(3)));
    (left, right)
}
