//! Tests of the table alone.

use devnet_virtual_file_system::Error;

use super::*;
use crate::command::dhcp_server::{LeaseState, NewLease};

const LEASE: u32 = 100;

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 2, last)
}

fn at(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

fn client(name: &[u8]) -> Client {
    Client { name: ClientName::Identifier(name.to_vec()), hardware: None, host_name: None }
}

fn table(first: Ipv4Addr, last: Ipv4Addr, excluded: &[Ipv4Addr]) -> Leases {
    let mut table = Leases::default();
    table.configure(&[AddressRange { first, last }], false);
    table.exclude(excluded.to_vec());
    table
}

fn pool(first: u8, last: u8) -> Leases {
    table(address(first), address(last), &[address(0), address(2), address(255)])
}

#[test]
fn ds_01_unconfirmed_offers_give_way_and_leases_do_not() {
    let mut pool = pool(10, 12);
    assert_eq!(pool.offer(&client(b"real"), None, at(0)), Some(address(10)));
    assert!(pool.lease(&client(b"real"), address(10), LEASE, at(0)));
    for invented in 0..8u8 {
        assert!(pool.offer(&client(&[invented]), None, at(1)).is_some());
    }
    let offered = pool.offer(&client(b"new"), None, at(2)).unwrap();
    assert_ne!(offered, address(10));
    assert!(pool.lease(&client(b"new"), offered, LEASE, at(2)));
    // A client whose offer was reassigned is refused.
    assert!(!pool.lease(&client(&[0]), offered, LEASE, at(2)));
}

#[test]
fn ds_01_a_flood_of_discoveries_disappoints_nobody() {
    let mut pool = pool(10, 30);
    for name in [&b"old"[..], b"gone"] {
        let offered = pool.offer(&client(name), None, at(0)).unwrap();
        assert!(pool.lease(&client(name), offered, LEASE, at(0)));
    }
    // The lease of one ends, and its address waits for it.
    assert!(pool.lease(&client(b"old"), address(10), 100 * LEASE, at(50)));
    let mut flood = (0..20_000_u32).map(u32::to_be_bytes);
    for invented in flood.by_ref().take(5000) {
        assert!(pool.offer(&client(&invented), Some(address(11)), at(500)).is_some());
    }
    let offered = pool.offer(&client(b"new"), None, at(500)).unwrap();
    for invented in flood {
        assert!(pool.offer(&client(&invented), None, at(501)).is_some());
    }
    assert!(
        pool.select(&client(b"new"), offered, LEASE, at(501)),
        "it requests what it was offered"
    );
    assert_eq!(pool.offer(&client(b"gone"), None, at(501)), Some(address(11)));
    assert!(pool.lease(&client(b"old"), address(10), LEASE, at(501)));
}

#[test]
fn ds_01_a_decline_counts_only_for_what_the_client_holds() {
    let mut pool = pool(10, 10);
    assert_eq!(pool.offer(&client(b"a"), None, at(0)), Some(address(10)));
    assert!(pool.lease(&client(b"a"), address(10), LEASE, at(0)));
    pool.decline(&client(b"b"), address(10), at(1));
    assert_eq!(pool.offer(&client(b"a"), None, at(2)), Some(address(10)));
    pool.decline(&client(b"a"), address(10), at(3));
    assert_eq!(pool.offer(&client(b"a"), None, at(4)), None);
    assert!(!pool.lease(&client(b"a"), address(10), LEASE, at(4)));
    // After a while it is tried again.
    assert_eq!(pool.offer(&client(b"a"), None, at(700)), Some(address(10)));
}

#[test]
fn ds_02_the_table_leaves_out_what_is_taken() {
    let mut pool = table(address(0), address(255), &[address(0), address(1), address(255)]);
    assert_eq!(pool.offer(&client(b"a"), None, at(0)), Some(address(2)));
    for wanted in [0, 1, 255] {
        let offered = pool.offer(&client(&[wanted]), Some(address(wanted)), at(0)).unwrap();
        assert!(offered > address(1) && offered < address(255), "{offered}");
    }
    assert_eq!(
        pool.offer(&client(b"b"), Some(Ipv4Addr::new(10, 0, 3, 9)), at(0)).unwrap().octets()[2],
        2
    );
    let mut small = table(address(4), address(5), &[address(4)]);
    assert_eq!(small.offer(&client(b"a"), None, at(0)), Some(address(5)));
    let mut huge = table(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, &[Ipv4Addr::UNSPECIFIED]);
    assert_eq!(huge.offer(&client(b"a"), None, at(0)), Some(Ipv4Addr::new(0, 0, 0, 1)));
}

#[test]
fn ds_03_former_addresses_come_back_and_the_oldest_is_reused() {
    let mut pool = pool(10, 11);
    for (name, time) in [(b"a", 0), (b"b", 5)] {
        let offered = pool.offer(&client(name), None, at(time)).unwrap();
        assert!(pool.lease(&client(name), offered, LEASE, at(time)));
    }
    assert_eq!(pool.offer(&client(b"c"), None, at(50)), None);
    assert_eq!(pool.offer(&client(b"a"), None, at(200)), Some(address(10)));
    assert!(pool.lease(&client(b"a"), address(10), LEASE, at(200)));
    assert_eq!(pool.offer(&client(b"c"), Some(address(10)), at(201)), Some(address(11)));
}

#[test]
fn ds_07_what_was_released_and_given_away_is_refused() {
    let mut pool = pool(10, 10);
    assert_eq!(pool.offer(&client(b"a"), None, at(0)), Some(address(10)));
    assert!(pool.lease(&client(b"a"), address(10), LEASE, at(0)));
    pool.release(&client(b"b"), address(10), at(1));
    assert_eq!(pool.offer(&client(b"b"), None, at(1)), None);
    pool.release(&client(b"a"), address(10), at(2));
    assert_eq!(pool.offer(&client(b"b"), None, at(3)), Some(address(10)));
    assert!(!pool.lease(&client(b"a"), address(10), LEASE, at(4)));
}

fn station(last: u8, identifier: u8) -> Client {
    let hardware = HardwareAddress([2, 0, 0, 0, 0, last]);
    let name = ClientName::Identifier(alloc::vec![0, last, identifier]);
    Client { name, hardware: Some(hardware), host_name: Some("host".into()) }
}

#[test]
fn one_hardware_address_has_its_share_and_no_more() {
    let mut pool = pool(10, 200);
    for identifier in 0..2 * limits::DHCP_LEASES_PER_HARDWARE as u8 {
        if let Some(offered) = pool.offer(&station(1, identifier), None, at(0)) {
            assert!(pool.lease(&station(1, identifier), offered, LEASE, at(0)));
        }
    }
    assert_eq!(pool.count(), limits::DHCP_LEASES_PER_HARDWARE);
    assert!(pool.offer(&station(2, 0), None, at(0)).is_some());
}

#[test]
fn the_table_is_bounded_and_leases_stay() {
    let mut pool = table(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 200, 0), &[]);
    for number in 0..2000u16 {
        let name = number.to_be_bytes();
        if let Some(offered) = pool.offer(&client(&name), None, at(0)) {
            let _ = pool.lease(&client(&name), offered, LEASE, at(0));
        }
    }
    assert_eq!((pool.entries.len(), pool.count()), (limits::DHCP_LEASES, limits::DHCP_LEASES));
    assert_eq!(pool.offer(&client(b"late"), None, at(1)), None);
    assert!(pool.offer(&client(b"late"), None, at(101)).is_some(), "leases have ended");
}

#[test]
fn a_reserved_address_waits_for_its_client() {
    let mut pool = pool(10, 11);
    let mac = ClientName::Hardware(HardwareAddress([2, 0, 0, 0, 0, 1]));
    let first = Reservation { address: address(10), client: mac };
    assert_eq!(pool.reserve(&first), Some(true));
    assert_eq!(pool.reserve(&first), Some(false));
    // Whatever its identifier is; another client does not get it.
    assert_eq!(pool.offer(&station(1, 7), Some(address(11)), at(0)), Some(address(10)));
    assert_eq!(pool.offer(&station(2, 0), Some(address(10)), at(0)), Some(address(11)));
    assert!(!pool.select(&station(2, 0), address(10), LEASE, at(0)));
    assert_eq!(pool.offer(&station(3, 0), None, at(0)), Some(address(11)), "the older offer");
    let other = ClientName::Identifier(alloc::vec![0, 9, 9]);
    assert_eq!(pool.reserve(&Reservation { address: address(200), client: other }), Some(true));
    assert_eq!(pool.offer(&station(9, 9), None, at(0)), Some(address(200)), "beside the ranges");
    assert!(pool.unreserve(address(10)) && !pool.unreserve(address(10)));
    for last in 20..=255u8 {
        let client = ClientName::Identifier(alloc::vec![1, last]);
        let _ = pool.reserve(&Reservation { address: address(last), client });
    }
    assert_eq!(pool.reservations.len(), limits::DHCP_RESERVATIONS);
}

#[test]
fn a_lease_that_was_listed_can_be_put_back() {
    let mut pool = pool(10, 20);
    let offered = pool.offer(&station(1, 0), None, at(0)).unwrap();
    assert!(pool.select(&station(1, 0), offered, LEASE, at(0)));
    let listed = pool.list(at(40));
    let [lease] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((lease.state, lease.remaining_seconds), (LeaseState::Leased, Some(60)));
    let back = NewLease {
        address: lease.address,
        client: lease.client.clone(),
        hardware_address: lease.hardware_address,
        name: lease.name.clone(),
        seconds: 60,
    };
    let mut fresh = self::pool(10, 20);
    assert_eq!(fresh.put(&back, at(40)), Ok(()));
    assert_eq!(fresh.list(at(40)), listed);
    let beside = NewLease { address: address(99), ..back };
    assert_eq!(fresh.put(&beside, at(40)), Err(Error::InvalidInput));
    assert!(fresh.end(offered, at(41)) && !fresh.end(offered, at(41)));
}

#[test]
fn changes_of_leases_are_recorded_once() {
    let mut pool = pool(10, 20);
    let told = |pool: &mut Leases| {
        let changes = pool.take_changes().into_iter();
        changes.map(|(change, lease)| (change, lease.address)).collect::<Vec<_>>()
    };
    let given = pool.offer(&client(b"a"), None, at(0)).unwrap();
    assert_eq!(told(&mut pool), []);
    assert!(pool.select(&client(b"a"), given, LEASE, at(0)));
    assert!(pool.lease(&client(b"a"), given, LEASE, at(50)));
    pool.expire(at(200));
    assert!(pool.lease(&client(b"a"), given, LEASE, at(200)));
    pool.release(&client(b"a"), given, at(210));
    let expected = [
        (Change::Added, given),
        (Change::Changed, given),
        (Change::Removed, given),
        (Change::Added, given),
        (Change::Removed, given),
    ];
    assert_eq!(told(&mut pool), expected);
    assert_eq!(pool.expirations(), 1);
}

#[test]
fn the_only_client_is_replaced_once_it_does_not_answer() {
    let mut pool = pool(10, 20);
    pool.configure(&[AddressRange { first: address(10), last: address(20) }], true);
    assert_eq!(pool.offer(&client(b"a"), None, at(0)), Some(address(10)));
    assert!(pool.select(&client(b"a"), address(10), LEASE, at(0)));
    assert_eq!(pool.offer(&client(b"b"), None, at(1)), Some(address(10)));
    assert!(pool.needs_check(&client(b"b"), address(10), at(1)));
    assert!(!pool.select(&client(b"b"), address(10), LEASE, at(1)), "it was not checked");
    pool.found_free(address(10), at(2));
    assert!(pool.select(&client(b"b"), address(10), LEASE, at(2)));
    assert!(!pool.lease(&client(b"a"), address(10), LEASE, at(3)), "the former one is refused");
    assert!(pool.lease(&client(b"b"), address(10), LEASE, at(3)));
}
