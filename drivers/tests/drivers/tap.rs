//! Tap and tun against the Linux kernel, each test in its own network namespace.
//!
//! They need root and `/dev/net/tun`. Otherwise they print a message and pass, unless
//! `DEVNET_REQUIRE_ALL` is set.

use std::future::poll_fn;
use std::net::UdpSocket;
use std::process::Command;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use devnet_drivers::controller_commands::{GetCounters, GetDriver};
use devnet_drivers::{Host, Tap, TapKind, TapOptions};
use devnet_network::driver::{Driver, LinkState, Medium};
use devnet_virtual_file_system::{Credentials, Mode, OpenFlags, Path, VirtualFileSystem};
use futures_lite::future;
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::bench::{Count, receive_all, send, station};

/// Runs a test on a thread in a new network namespace, if that is possible.
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let run = move || {
        if !std::path::Path::new("/dev/net/tun").exists() {
            return false;
        }
        // SAFETY: only the network namespace of this thread changes; descriptors stay shared.
        if unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.is_err() {
            return false;
        }
        test();
        true
    };
    if !thread::spawn(run).join().unwrap() {
        assert!(
            std::env::var_os("DEVNET_REQUIRE_ALL").is_none(),
            "this test needs root and /dev/net/tun"
        );
        println!("skipped: needs root and /dev/net/tun");
    }
}

/// Runs a command of `iproute2` in this thread's namespace.
fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status().expect("iproute2");
    assert!(status.success(), "ip {words}");
}

fn open(name: &str) -> Tap {
    Tap::open(name, TapKind::Tap, TapOptions::default().hardware(Some(station(7)))).unwrap()
}

/// Awaits a matching frame by wakes alone. It repeats the action now and then, because the kernel
/// drops frames until it has noticed the carrier.
fn provoke(tap: &mut Tap, mut act: impl FnMut(&mut Tap), fits: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let host = Host::new();
    let clock = host.clock();
    loop {
        act(tap);
        let arrived = poll_fn(|context| {
            tap.register(context.waker(), false);
            match receive_all(tap).into_iter().find(|frame| fits(frame)) {
                Some(frame) => Poll::Ready(Some(frame)),
                None => Poll::Pending,
            }
        });
        let timeout = clock.sleep_until(clock.now().after(Duration::from_millis(100)));
        let given_up = async {
            timeout.await;
            None
        };
        if let Some(frame) = host.block_on(future::or(arrived, given_up)) {
            return frame;
        }
    }
}

/// Awaits a link state by wakes alone.
async fn link(tap: &mut Tap, wanted: LinkState) {
    poll_fn(|context| {
        tap.register(context.waker(), false);
        if tap.link_state() == wanted { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

const ARP: [u8; 2] = [0x08, 0x06];

fn arp_request(sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame =
        [&[0xff; 6][..], &station(7).0, &ARP, &[0, 1, 8, 0, 6, 4, 0, 1], &station(7).0, &sender]
            .concat();
    frame.extend([0; 6]);
    frame.extend(target);
    frame
}

/// True for an IPv4 datagram to port 9.
fn is_ours(frame: &[u8]) -> bool {
    frame[12..14] == [8, 0] && frame[23] == 17 && frame[36..38] == [0, 9]
}

#[test]
fn names_that_the_kernel_would_cut_are_refused() {
    for name in ["", "abcdefghijklmnop", "a/b", "tap%d", "a b", ".", ".."] {
        let error = Tap::open(name, TapKind::Tap, TapOptions::default()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{name}");
    }
}

#[test]
fn the_kernel_answers_and_wakes() {
    in_namespace(|| {
        let host = Host::new();
        let mut tap = open("abcdefghijklmno");
        assert_eq!(tap.link_state(), LinkState::Down);
        ip("address add 10.77.0.1/24 dev abcdefghijklmno");
        ip("link set abcdefghijklmno up");
        host.block_on(link(&mut tap, LinkState::Up));
        let ask = |tap: &mut Tap| assert!(send(tap, &arp_request([10, 77, 0, 2], [10, 77, 0, 1])));
        let answer = provoke(&mut tap, ask, |frame| frame[12..14] == ARP && frame[21] == 2);
        assert_eq!((&answer[..6], &answer[28..32]), (&station(7).0[..], &[10, 77, 0, 1][..]));
        assert_ne!(answer[6..12], station(7).0, "the kernel's address is its own");
    });
}

#[test]
fn the_kernel_side_going_down_is_a_link_state_and_a_counted_loss() {
    in_namespace(|| {
        let host = Host::new();
        let mut tap = open("tap0");
        let files = VirtualFileSystem::new();
        let (root, path) = (Credentials::root(), Path::parse("/controller").unwrap());
        files.mount(&root, &path, tap.controller(), Mode::from_octal(0o600)).unwrap();
        let controller = files.open(&root, &path, OpenFlags::READ, Mode::empty()).unwrap();
        assert_eq!(controller.try_control::<GetDriver>(&()).unwrap().name, "tap0");
        for _ in 0..3 {
            ip("link set tap0 up");
            host.block_on(link(&mut tap, LinkState::Up));
            assert!(send(&mut tap, &arp_request([10, 77, 0, 2], [10, 77, 0, 1])));
            ip("link set tap0 down");
            assert!(send(&mut tap, &arp_request([10, 77, 0, 2], [10, 77, 0, 1])));
            assert_eq!(tap.link_state(), LinkState::Down);
        }
        let counters = controller.try_control::<GetCounters>(&()).unwrap();
        assert_eq!((counters.sent_frames, counters.dropped_frames, counters.failures), (3, 3, 3));
    });
}

#[test]
fn a_deleted_interface_is_down_for_good_and_keeps_nobody_awake() {
    in_namespace(|| {
        let host = Host::new();
        let mut tap = open("tap0");
        ip("link set tap0 up");
        host.block_on(link(&mut tap, LinkState::Up));
        ip("link delete tap0");
        receive_all(&mut tap);
        assert_eq!(tap.link_state(), LinkState::Down);
        assert!(send(&mut tap, &[0; 60]), "taken and dropped");
        let (count, waker) = Count::waker();
        tap.register(&waker, true);
        let clock = host.clock();
        host.block_on(clock.sleep_until(clock.now().after(Duration::from_millis(20))));
        assert_eq!(count.take(), 0);
    });
}

#[test]
fn the_mtu_is_the_kernels_and_longer_frames_are_dropped() {
    in_namespace(|| {
        ip("tuntap add dev tap0 mode tap");
        ip("link set tap0 mtu 1400 up");
        let mut tap = open("tap0");
        assert_eq!((tap.capabilities().mtu, tap.capabilities().medium), (1400, Medium::Ethernet));
        assert!(send(&mut tap, &[0; 1415]) && send(&mut tap, &[0; 1414]));
        ip("address add 10.77.0.1/24 dev tap0");
        ip("neighbor add 10.77.0.2 lladdr 02:00:00:00:00:07 dev tap0");
        ip("link set tap0 mtu 9000");
        let socket = UdpSocket::bind("10.77.0.1:1000").unwrap();
        let send = |_: &mut Tap| {
            for length in [3000, 1372] {
                socket.send_to(&vec![7; length], "10.77.0.2:9").unwrap();
            }
        };
        assert_eq!(provoke(&mut tap, send, is_ours).len(), 1414);
    });
}

/// A persistent tap keeps the offload flags of its last user, after which TCP silently fails.
#[test]
fn a_persistent_tap_gives_finished_checksums_whoever_used_it_before() {
    in_namespace(|| {
        ip("tuntap add dev tap0 mode tap");
        ip("link set tap0 up");
        ip("address add 10.77.0.1/24 dev tap0");
        ip("neighbor add 10.77.0.2 lladdr 02:00:00:00:00:07 dev tap0");
        use_with_offload("tap0");
        let mut tap = open("tap0");
        let socket = UdpSocket::bind("10.77.0.1:1000").unwrap();
        let send = |_: &mut Tap| _ = socket.send_to(b"checksum", "10.77.0.2:9").unwrap();
        let frame = provoke(&mut tap, send, is_ours);
        let (addresses, datagram) = (&frame[26..34], &frame[34..]);
        let words = addresses.chunks(2).chain(datagram.chunks(2));
        let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
        let sum = sum + 17 + datagram.len() as u32;
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff, "an unfinished checksum");
    });
}

/// Attaches to the interface and leaves it with offloads enabled.
fn use_with_offload(name: &str) {
    use rustix::ioctl::{IntegerSetter, Updater, ioctl, opcode};
    #[repr(C, align(8))]
    struct Request([u8; 40]);
    let mut request = Request([0; 40]);
    request.0[..name.len()].copy_from_slice(name.as_bytes());
    // IFF_TAP, IFF_NO_PI and IFF_VNET_HDR.
    request.0[16..18].copy_from_slice(&0x5002_u16.to_ne_bytes());
    let device = std::fs::OpenOptions::new().read(true).write(true).open("/dev/net/tun").unwrap();
    // SAFETY: TUNSETIFF reads and writes one `struct ifreq`, which is 40 bytes at most.
    unsafe {
        ioctl(&device, Updater::<{ opcode::write::<i32>(b'T', 202) }, Request>::new(&mut request))
    }
    .unwrap();
    // SAFETY: TUNSETOFFLOAD takes a number: TUN_F_CSUM and both TUN_F_TSO.
    unsafe { ioctl(&device, IntegerSetter::<{ opcode::write::<i32>(b'T', 208) }>::new_usize(7)) }
        .unwrap();
}

#[test]
fn tun_carries_packets_without_a_header() {
    in_namespace(|| {
        let mut tun = Tap::open("tun0", TapKind::Tun, TapOptions::default()).unwrap();
        assert_eq!((tun.hardware_address(), tun.capabilities().medium), (None, Medium::Ip));
        assert!(tun.set_hardware_address(station(1)).is_err());
        ip("link set tun0 up");
        ip("address add 10.77.0.1/24 dev tun0");
        let socket = UdpSocket::bind("10.77.0.1:1000").unwrap();
        let send = |_: &mut Tap| _ = socket.send_to(b"packet", "10.77.0.2:9").unwrap();
        let packet = provoke(&mut tun, send, |packet| packet[0] == 0x45 && packet[9] == 17);
        assert_eq!(packet[28..], *b"packet");
    });
}
