//! The controllers: their responses, their errors, and the required authority.

use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::controller_commands::{
    GetCounters, GetDriver, GetImpairment, SetImpairment, SetLink,
};
use devnet_drivers::{Chance, DriverCounters, Impairment, Lan, Loopback, cable};
use devnet_network::driver::{Driver, LinkState};
use devnet_virtual_file_system::{
    CharacterDevice, Credentials, Error, File, Identifier, Mode, OpenFlags, Path, Readiness,
    VirtualFileSystem,
};
use world::VirtualClock;

use crate::bench::{cable_options, receive, send, station};

fn open(device: Arc<dyn CharacterDevice>, flags: OpenFlags) -> File {
    let (files, root, path) =
        (VirtualFileSystem::new(), Credentials::root(), Path::parse("/controller").unwrap());
    files.mount(&root, &path, device, Mode::from_octal(0o600)).unwrap();
    files.open(&root, &path, flags, Mode::empty()).unwrap()
}

const BOTH: OpenFlags = OpenFlags::READ.union(OpenFlags::WRITE);

#[test]
fn every_driver_tells_what_it_is_and_what_it_counted() {
    let mut loopback = Loopback::new(1500);
    let file = open(loopback.controller(), BOTH);
    let driver = file.try_control::<GetDriver>(&()).unwrap();
    assert_eq!((driver.kind.as_str(), driver.mtu), ("loopback", 1500));
    assert!(send(&mut loopback, &[0; 40]) && send(&mut loopback, &[0; 2000]));
    assert!(receive(&mut loopback).is_some());
    let counted = DriverCounters {
        sent_frames: 1,
        sent_bytes: 40,
        received_frames: 1,
        received_bytes: 40,
        dropped_frames: 1,
        dropped_bytes: 2000,
        failures: 0,
    };
    assert_eq!(file.try_control::<GetCounters>(&()), Ok(counted));
    assert_eq!(file.try_control::<SetLink>(&true), Err(Error::UnknownCommand));
    assert_eq!(file.try_control::<GetImpairment>(&()), Err(Error::UnknownCommand));
    assert_eq!(file.try_control_raw(Identifier::from_raw(0x1234), &[]), Err(Error::UnknownCommand));
    assert_eq!(
        (file.try_read(&mut [0; 8]), file.try_write(b"x")),
        (Ok(0), Err(Error::InvalidInput))
    );
    assert_eq!(file.readiness_now(), Readiness::READABLE | Readiness::WRITABLE);
}

#[test]
fn the_cable_is_pulled_by_command_and_only_with_the_authority() {
    let (mut left, _right) = cable(cable_options(4));
    let (reader, writer) =
        (open(left.controller(), OpenFlags::READ), open(left.controller(), BOTH));
    assert_eq!(reader.try_control::<GetDriver>(&()).unwrap().kind, "cable");
    assert_eq!(reader.try_control::<SetLink>(&false), Err(Error::PermissionDenied));
    assert_eq!(left.link_state(), LinkState::Up);
    assert_eq!(writer.try_control::<SetLink>(&false), Ok(()));
    assert_eq!(left.link_state(), LinkState::Down);
    let identifier = <SetLink as devnet_virtual_file_system::ControlCommand>::IDENTIFIER;
    assert_eq!(writer.try_control_raw(identifier, &[1, 2]), Err(Error::BadMessage));
    assert_eq!(writer.try_control_raw(identifier, &[7]), Err(Error::BadMessage));
}

#[test]
fn the_quality_of_a_lan_cable_is_set_by_command() {
    let lan = Lan::new(Arc::new(VirtualClock::default()), 1);
    let mut port = lan.port(station(1), 1500);
    let file = open(port.controller(), BOTH);
    assert_eq!(file.try_control::<GetDriver>(&()).unwrap().name, "port 0");
    assert_eq!(file.try_control::<GetImpairment>(&()), Ok(Impairment::NONE));
    let bad = Impairment::NONE.delay(Duration::from_millis(20)).loss(Chance::percent(2.5));
    assert_eq!(file.try_control::<SetImpairment>(&bad), Ok(()));
    assert_eq!(
        (file.try_control::<GetImpairment>(&()), lan.impairment(port.number())),
        (Ok(bad), Some(bad))
    );
    let senseless = Impairment::NONE.rate(Some(0));
    assert_eq!(file.try_control::<SetImpairment>(&senseless), Err(Error::InvalidInput));
    assert_eq!(file.try_control::<SetLink>(&false), Ok(()));
    assert_eq!(port.link_state(), LinkState::Down);
    drop(port);
    assert_eq!(file.try_control::<SetImpairment>(&bad), Err(Error::NoDevice));
    drop(lan);
    assert_eq!(file.try_control::<SetLink>(&true), Err(Error::NoDevice));
}
