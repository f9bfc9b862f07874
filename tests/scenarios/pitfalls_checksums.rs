//! Pitfalls of checksums and offload (CSM), driven by packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::command::GetStatistics;
use devnet_network::driver::{Capabilities, Driver, DriverError, Frame, FramePool, LinkState};
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::Error;
use futures_lite::future;
use world::{Host, World};

use crate::pair::{options, pattern, read_to_end};
use crate::station::{
    HOST, HOST6, PEER, PEER6, Wire, at, icmp, ipv4_with, packets, sum, udp, udp_datagram,
};

fn bound(host: &Host, local: impl Into<IpAddr>) -> UdpSocket {
    let socket = UdpSocket::new(&host.sockets());
    socket.bind(at(local, 7)).unwrap();
    socket
}

fn bad_sums(wire: &Wire<'_>) -> u64 {
    wire.statistics().received_drops.checksum
}

#[test]
fn csm_01_what_nobody_verified_is_verified_whole_or_in_fragments() {
    let world = World::new(1);
    let mut wire = Wire::new(&world);
    let (four, six) = (bound(&wire.host, HOST), bound(&wire.host, HOST6));
    let good = [udp(at(PEER, 9), at(HOST, 7), b"four"), udp(at(PEER6, 9), at(HOST6, 7), b"six")];
    let before = bad_sums(&wire);
    for packet in &good {
        for place in [packet.len() - 1, packet.len() - 4] {
            let mut bad = packet.clone();
            bad[place] ^= 1;
            wire.exchange(&bad);
        }
    }
    let mut header = good[0].clone();
    header[8] ^= 1;
    wire.exchange(&header);
    let mut echo = crate::station::ipv4(PEER, HOST, 1, &icmp(8, 0, [0, 1, 0, 1], b"echo"));
    *echo.last_mut().unwrap() ^= 1;
    assert!(wire.exchange(&echo).is_empty());
    assert_eq!(bad_sums(&wire) - before, 6);
    // In fragments nobody below could have verified the whole.
    for (damage, arrives) in [(0, true), (1, false)] {
        let mut datagram = udp_datagram(at(PEER, 9), at(HOST, 7), &pattern(24));
        datagram[20] ^= damage;
        for (offset, range, more) in [(0u16, 0..16, 0x20), (2, 16..32, 0)] {
            let piece = &datagram[range];
            let fragment = ipv4_with(PEER, HOST, 17, piece, |header| {
                header[4..6].copy_from_slice(&[9, damage]);
                header[6..8].copy_from_slice(&[more, offset as u8]);
            });
            wire.exchange(&fragment);
        }
        let received = world.run(future::poll_once(four.receive()));
        assert_eq!(received.is_some(), arrives, "damage {damage}");
    }
    assert_eq!(bad_sums(&wire) - before, 7);
    assert!(world.run(future::poll_once(six.receive())).is_none());
    for packet in &good {
        wire.exchange(packet);
    }
    assert!(world.run(future::poll_once(four.receive())).is_some());
    assert!(world.run(future::poll_once(six.receive())).is_some());
}

#[test]
fn csm_03_a_sum_of_zero_is_sent_as_all_ones() {
    let world = World::new(2);
    let mut wire = Wire::new(&world);
    for (socket, peer) in
        [(bound(&wire.host, HOST), at(PEER, 9)), (bound(&wire.host, HOST6), at(PEER6, 9))]
    {
        let mut sums = Vec::new();
        let mut data = [0, 0];
        for _ in 0..2 {
            wire.frames();
            socket.try_send(&data, Some(peer)).unwrap();
            let sent = packets(wire.after(Duration::from_millis(20)));
            let datagram = crate::station::upper(&sent[0]).1.to_vec();
            // The second time the data completes the sum.
            data = [datagram[6], datagram[7]];
            sums.push(u16::from_be_bytes(data));
        }
        assert_eq!(sums[1], 0xffff, "{peer}");
    }
}

/// A cable whose frames are all looked at by somebody who did not write them.
struct Judged(devnet_drivers::Cable, Arc<Mutex<Judge>>);

#[derive(Default)]
struct Judge {
    segments: usize,
    others: usize,
    fragments: usize,
    bad: Vec<Vec<u8>>,
}

impl Judge {
    /// Verifies what RFC 791, 793, 768, 792 and 4443 say of sums.
    fn look(&mut self, frame: &[u8]) {
        let (kind, packet) = (&frame[12..14], &frame[14..]);
        let (source, destination, protocol, upper) = match kind {
            [8, 0] => {
                let header = usize::from(packet[0] & 0xf) * 4;
                let total = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
                if sum(&packet[..header], 0) != 0 {
                    return self.bad.push(packet.to_vec());
                }
                if u16::from_be_bytes([packet[6], packet[7]]) & 0x3fff != 0 {
                    return self.fragments += 1;
                }
                (&packet[12..16], &packet[16..20], packet[9], &packet[header..total])
            }
            [0x86, 0xdd] if packet[6] == 44 => return self.fragments += 1,
            [0x86, 0xdd] => (&packet[8..24], &packet[24..40], packet[6], &packet[40..]),
            _ => return,
        };
        let pseudo =
            [source, destination, &(upper.len() as u32).to_be_bytes(), &[0, 0, 0, protocol]]
                .concat();
        let pseudo = u32::from(!sum(&pseudo, 0));
        let is_right = match protocol {
            6 | 58 => sum(upper, pseudo) == 0,
            17 => upper[6..8] != [0, 0] && sum(upper, pseudo) == 0,
            1 => sum(upper, 0) == 0,
            _ => return,
        };
        if protocol == 6 {
            self.segments += 1;
        } else {
            self.others += 1;
        }
        if !is_right {
            self.bad.push(packet.to_vec());
        }
    }
}

impl Driver for Judged {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn hardware_address(&self) -> Option<HardwareAddress> {
        self.0.hardware_address()
    }
    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        self.0.set_hardware_address(address)
    }
    fn link_state(&mut self) -> LinkState {
        self.0.link_state()
    }
    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        self.0.receive(pool)
    }
    fn can_transmit(&mut self) -> bool {
        self.0.can_transmit()
    }
    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        let bytes = frame.bytes().to_vec();
        self.0.transmit(frame, pool)?;
        self.1.lock().unwrap().look(&bytes);
        Ok(())
    }
    fn flush(&mut self) -> Option<Waker> {
        self.0.flush()
    }
    fn register(&mut self, waker: &Waker, room: bool) {
        self.0.register(waker, room);
    }
}

/// CSM-02, CSM-05: whatever leaves, scrubbed, cut, answered or in fragments, has sums that somebody
/// else finds right.
#[test]
fn csm_02_csm_05_a_judge_finds_every_sum_right() {
    let world = World::new(3);
    let judge = Arc::new(Mutex::new(Judge::default()));
    let (left, right) = devnet_drivers::cable(options());
    let left = Host::new(&world).with(
        "eth0",
        Judged(left, Arc::clone(&judge)),
        &["10.0.0.1/24", "fd00::1/64"],
    );
    let right = Host::new(&world).with(
        "eth0",
        Judged(right, Arc::clone(&judge)),
        &["10.0.0.2/24", "fd00::2/64"],
    );
    let peers: [SocketAddr; 2] =
        [at(Ipv4Addr::new(10, 0, 0, 2), 80), at(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2), 80)];
    world.run(async {
        world.sleep(Duration::from_secs(3)).await;
        for peer in peers {
            let listener = TcpListener::bind(&right.sockets(), peer, 4).unwrap();
            let client = TcpStream::connect(&left.sockets(), peer).await.unwrap();
            let server = listener.accept().await.unwrap();
            let data = pattern(300_001);
            let send = async {
                for piece in data.chunks(777) {
                    client.write_all(piece).await.unwrap();
                }
                drop(client);
            };
            let ((), received) = future::zip(send, read_to_end(&server)).await;
            assert!(received.unwrap() == data);
            // A refusal, a reset, an odd datagram, one in fragments, and an error that quotes.
            drop((listener, server));
            world.sleep(Duration::from_secs(1)).await;
            let refused = TcpStream::connect(&left.sockets(), peer).await;
            assert_eq!(refused.unwrap_err(), Error::ConnectionRefused);
            let socket = UdpSocket::new(&left.sockets());
            for size in [0, 1, 1471, 5001] {
                socket.send_to(&pattern(size), peer).await.unwrap();
                world.sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let judge = judge.lock().unwrap();
    assert!(judge.segments > 400 && judge.others > 20 && judge.fragments >= 8);
    assert!(judge.bad.is_empty(), "{:x?}", judge.bad.first());
    let drops = right.control::<GetStatistics>("eth0", &()).unwrap().received_drops;
    assert_eq!((drops.checksum, drops.malformed), (0, 0));
}
