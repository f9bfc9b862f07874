//! Radios from a guest: as far as it may change the interface.

use std::sync::Arc;

use devnet_drivers::Air;
use devnet_network::address::HardwareAddress;
use devnet_network::command::GetLastError;
use devnet_network::command::wireless::{
    GetRadio, Join, JoinNetwork, RadioState, ScanNetworks, ScanOptions, SetPower,
};
use devnet_virtual_file_system::Error;
use world::puppet::Puppet;
use world::{Host, World};

use super::error;

const READ: u32 = 1;
const READ_WRITE: u32 = 3;

/// A host with a radio, beside an open access point with DHCP.
fn hosts(world: &World) -> (Host, Host) {
    let air = Air::new(Arc::new(world.clock.clone()), 1);
    world.spawn(air.runner()).detach();
    let radio = |last| {
        let radio = air.radio(HardwareAddress([2, 0, 0, 0, 0, last]), 1500);
        let controller = radio.controller();
        let host = Host::new(world);
        host.manager.register("wlan0", Box::new(radio), Some(controller)).unwrap();
        host
    };
    let (near, far) = (radio(1), radio(2));
    let lines = "switch access-point home 10.0.0.1/24 clients 10.0.0.10-10.0.0.20";
    world.run(far.open("wlan0").write(lines.as_bytes())).unwrap();
    (near, far)
}

#[test]
fn a_guest_changes_a_radio_only_if_it_may_change_the_interface() {
    let world = World::new(1);
    let (host, _far) = hosts(&world);
    let join = Join { ssid: "home".into(), ..Join::default() };
    let reader = Puppet::start(&world, &host, "allow-interface wlan0");
    world.run(async {
        let device = reader.open("/devices/network/wlan0", READ).await;
        let status = reader.control::<GetRadio>(device, &()).await.unwrap();
        assert_eq!(status.state, RadioState::Idle);
        let refused = Err(error(Error::PermissionDenied));
        assert_eq!(reader.control::<SetPower>(device, &false).await, refused);
        let scan = reader.control::<ScanNetworks>(device, &ScanOptions::default()).await;
        assert_eq!(scan, Err(error(Error::PermissionDenied)));
        assert!(reader.open("/devices/network/wlan0", READ_WRITE).await < 0);
        assert_eq!(reader.end(0).await.status(), 0);
    });
    let writer = Puppet::start(&world, &host, "allow-interface wlan0:write");
    world.run(async {
        let device = writer.open("/devices/network/wlan0", READ_WRITE).await;
        assert_eq!(writer.control::<ScanNetworks>(device, &ScanOptions::default()).await, Ok(1));
        let status = writer.control::<JoinNetwork>(device, &join).await.unwrap();
        assert_eq!(status.state, RadioState::Associated);
        let lines = b"wifi disconnect\nwifi country DE\nswitch station home wait 9000";
        assert_eq!(writer.write(device, lines).await, lines.len() as i64);
        let wrong = b"wifi connect home key secretsecret";
        assert_eq!(writer.write(device, wrong).await, error(Error::Protocol));
        let last = writer.control::<GetLastError>(device, &()).await.unwrap().unwrap();
        assert_eq!(last.message, "line 1: wifi connect home …: Protocol error");
        assert_eq!(writer.write(device, b"wifi fly").await, error(Error::InvalidInput));
        assert_eq!(writer.end(0).await.status(), 0);
    });
    assert_eq!(host.control::<GetRadio>("wlan0", &()).unwrap().country, "DE");
}

#[test]
fn a_guest_has_only_the_commands_of_radios_that_are_granted() {
    let world = World::new(1);
    let (host, _far) = hosts(&world);
    for (grant, may_read, may_change) in [
        ("GetRadio", true, false),
        ("wireless", true, true),
        ("controller", false, false),
        ("address", false, false),
    ] {
        let lines = format!("allow-interface wlan0:write\nallow-command {grant}");
        let guest = Puppet::start(&world, &host, &lines);
        world.run(async {
            let device = guest.open("/devices/network/wlan0", READ_WRITE).await;
            let read = guest.control::<GetRadio>(device, &()).await;
            assert_eq!(read.is_ok(), may_read, "{grant}: {read:?}");
            let changed = guest.control::<SetPower>(device, &true).await;
            assert_eq!(changed.is_ok(), may_change, "{grant}: {changed:?}");
            let line = guest.write(device, b"wifi power on").await;
            assert_eq!(line > 0, may_change, "{grant}: {line}");
            let switched = guest.write(device, b"switch station home wait 9000").await;
            assert_eq!(switched > 0, may_change, "{grant}: {switched}");
            assert_eq!(guest.end(0).await.status(), 0);
        });
    }
}
