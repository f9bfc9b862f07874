//! Router advertisements (RFC 4861 §6.1.2): the bytes behind the checksum.

use devnet_network::command::{ListAddresses, ListDnsServers, ListRoutes};
use devnet_network::limits::{
    ADVERTISED_ADDRESSES, ADVERTISED_PREFIXES, ADVERTISED_ROUTERS, ADVERTISED_ROUTES, DNS_SERVERS,
};

use super::{Trace, size};
use crate::packets::{ethernet, repair};
use crate::rig::Rig;

pub(crate) const TOKENS: &[&[u8]] = &[
    // A prefix, a maximum transmission unit, a link-layer address, routes, servers, domains.
    b"\x03\x04\x40\xc0\0\0\x0e\x10\0\0\x07\x08\0\0\0\0\xfd\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\x05\x01\0\0\0\0\x05\xdc",
    b"\x01\x01\x02\0\0\0\0\x02",
    b"\x18\x02\x30\x08\0\0\x07\x08\x20\x01\x0d\xb8\0\0\0\0",
    b"\x18\x01\0\x18\xff\xff\xff\xff",
    b"\x19\x03\0\0\0\0\x07\x08\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x35",
    b"\x1f\x02\0\0\0\0\x07\x08\x03lan\0\0\0\0",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\0\0",
];

/// The frame of an advertisement of router fe80::2.
fn frame(bytes: &[u8], hop_limit: u8) -> Vec<u8> {
    let length = 4 + bytes.len() as u16;
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[58, hop_limit, 0xfe, 0x80, 0, 0, 0, 0, 0, 0]);
    packet.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 2]);
    packet.extend_from_slice(&[0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend_from_slice(&[134, 0, 0, 0]);
    packet.extend_from_slice(bytes);
    let mut frame = ethernet(0x86dd, &packet);
    frame[..6].copy_from_slice(&[0x33, 0x33, 0, 0, 0, 1]);
    repair(&mut frame);
    frame
}

/// One that was forwarded, one that counts, and the same again.
pub(crate) fn check(bytes: &[u8], trace: &mut Trace) {
    if bytes.len() > 1400 {
        return;
    }
    let mut rig = Rig::new(1);
    let before = state(&rig);
    let learned = |rig: &mut Rig, hop_limit| {
        rig.inject(&frame(bytes, hop_limit));
        rig.settle(3_000_000);
        rig.answers();
        state(rig)
    };
    assert_eq!(learned(&mut rig, 64), before, "a router forwarded it");
    let once = learned(&mut rig, 255);
    let added = [0, 1, 2].map(|which| once[which] - before[which]);
    assert!(added[0] <= ADVERTISED_ADDRESSES, "{added:?}");
    assert!(
        added[1]
            <= ADVERTISED_ROUTERS + ADVERTISED_PREFIXES + ADVERTISED_ROUTES + ADVERTISED_ADDRESSES,
        "{added:?}"
    );
    assert!(added[2] <= DNS_SERVERS, "{added:?}");
    trace.note(added.map(size));
    let routes = rig.host.control::<ListRoutes>("eth0", &()).unwrap();
    for route in routes {
        trace.note((route.destination.length(), route.gateway.is_some()));
    }
    for address in rig.host.control::<ListAddresses>("eth0", &()).unwrap() {
        trace.note((address.valid_seconds.is_some(), address.preferred_seconds == Some(0)));
    }
    // What lasts for seconds only may be gone by now.
    let twice = learned(&mut rig, 255);
    for which in 0..3 {
        assert!(twice[which] <= once[which], "{once:?} became {twice:?}");
    }
}

/// How many addresses, routes and name servers there are.
fn state(rig: &Rig) -> [usize; 3] {
    [
        rig.host.control::<ListAddresses>("eth0", &()).unwrap().len(),
        rig.host.control::<ListRoutes>("eth0", &()).unwrap().len(),
        rig.host.control::<ListDnsServers>("eth0", &()).unwrap().len(),
    ]
}
