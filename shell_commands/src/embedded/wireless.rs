//! The wireless networks of the program: what `--interface wlan0=wifi` has around it.
//!
//! | network | protection | key | where | address |
//! |---|---|---|---|---|
//! | `home` | WPA2 | `devnet-home` | 10 m and 60 m to the east, wired together | 10.0.5.1 |
//! | `cafe` | none | | 30 m to the north | 10.0.6.1 |
//! | `lab` | WPA3 | `devnet-lab` | 20 m to the west | 10.0.7.1 |
//!
//! Their stations get addresses that end in 15 to 99. Each is a system of its own with an access
//! point, a DHCP server and a web server. A radio of the user starts at the origin and hears all of
//! them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::Driver;
use devnet_virtual_file_system::CharacterDevice;

use super::host::Host;
use super::web;
use crate::context::Platform;

/// The wire between the access points of `home`.
const WIRE: u32 = 1;

/// A radio that the caller makes on its air.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The hardware address.
    pub hardware: HardwareAddress,
    /// Meters to the east and to the north.
    pub position: (i32, i32),
    /// Access points of one number are wired together.
    pub wire: Option<u32>,
}

/// A radio's driver and its controller.
pub type Part = (Box<dyn Driver>, Arc<dyn CharacterDevice>);

/// One network.
struct Network {
    /// Its name, also that of its system.
    name: &'static str,
    /// The words of its access point.
    settings: &'static str,
    /// The third octet of its addresses.
    octet: u8,
    position: (i32, i32),
}

/// The network with two access points.
const HOME: &str = "home";

const NETWORKS: [Network; 3] = [
    Network { name: HOME, settings: "key devnet-home channel 1", octet: 5, position: (10, 0) },
    Network { name: "cafe", settings: "channel 6", octet: 6, position: (0, 30) },
    Network {
        name: "lab",
        settings: "key devnet-lab security wpa3 channel 11",
        octet: 7,
        position: (-20, 0),
    },
];

/// The second access point of `home`.
const SECOND: (i32, i32) = (60, 0);

/// Locally administered; the last bytes are those of the IPv4 address.
const fn hardware_address(octet: u8, last: u8) -> HardwareAddress {
    HardwareAddress([0x02, 0, 10, 0, octet, last])
}

/// Starts the networks on radios that `connect` makes. Every service listens when it returns.
///
/// # Errors
/// The network that failed and the reason, in one line.
pub async fn start(
    platform: &Platform,
    mut connect: impl FnMut(Place) -> Part,
) -> Result<(), String> {
    for network in &NETWORKS {
        let started = network.start(platform, &mut connect).await;
        started.map_err(|why| format!("{}: {why}", network.name))?;
    }
    Ok(())
}

impl Network {
    async fn start(
        &self,
        platform: &Platform,
        connect: &mut impl FnMut(Place) -> Part,
    ) -> Result<(), String> {
        let Self { name, settings, octet, position } = *self;
        let own = Ipv4Addr::new(10, 0, octet, 1);
        let wire = (name == HOME).then_some(WIRE);
        let mut point = |host: &str, last, position, addresses: &[IpAddr]| {
            let hardware = hardware_address(octet, last);
            let (driver, controller) = connect(Place { hardware, position, wire });
            let host = Host::start_controlled(platform, host, driver, Some(controller), addresses)?;
            let line = format!("wifi ap start {name} {settings}");
            host.write(&line).map_err(|why| format!("access point: {why}"))?;
            host.keep(platform)?;
            Ok::<_, String>(host)
        };
        let host = point(name, 1, position, &[IpAddr::V4(own)])?;
        if wire.is_some() {
            point("home2", 2, SECOND, &[])?;
        }
        // Nobody else is there who could use an address, so that none is checked.
        let server =
            format!("dhcp server start 10.0.{octet}.15-10.0.{octet}.99 router {own} check off");
        host.write(&server).map_err(|why| format!("DHCP server: {why}"))?;
        let named = |why| format!("web server: {why}");
        let listener = web::bind(&host.files).await.map_err(named)?;
        host.spawn(platform, web::serve(listener, host.files.clone(), platform.clone()))
    }
}
