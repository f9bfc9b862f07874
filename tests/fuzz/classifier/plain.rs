//! A plain smoltcp interface with one socket set, as its examples do it: eight sockets take turns
//! at listening.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use super::packets::{V4, V6};
use super::{Effect, System};

#[derive(Default)]
struct Wire {
    incoming: VecDeque<Vec<u8>>,
    outgoing: Vec<Vec<u8>>,
}

struct Receive(Vec<u8>);
struct Send<'a>(&'a mut Vec<Vec<u8>>);

impl RxToken for Receive {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Send<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = vec![0; length];
        let result = f(&mut packet);
        self.0.push(packet);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Receive;
    type TxToken<'a> = Send<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Receive, Send<'_>)> {
        let packet = self.incoming.pop_front()?;
        Some((Receive(packet), Send(&mut self.outgoing)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Send<'_>> {
        Some(Send(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}

/// The system.
pub(crate) struct Plain {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    streams: Vec<SocketHandle>,
    datagrams: SocketHandle,
    initial: BTreeMap<(bool, u16), u32>,
    now: Instant,
}

impl Plain {
    pub(crate) fn new() -> Self {
        let mut wire = Wire::default();
        let mut interface =
            Interface::new(Config::new(HardwareAddress::Ip), &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            let [a, b, c, d] = V4[1];
            addresses.push(IpCidr::new(IpAddress::v4(a, b, c, d), 24)).unwrap();
            addresses.push(IpCidr::new(IpAddress::Ipv6(V6[1].into()), 64)).unwrap();
        });
        interface.routes_mut().add_default_ipv4_route([10, 0, 0, 9].into()).unwrap();
        interface.routes_mut().add_default_ipv6_route(V6[0].into()).unwrap();
        let mut sockets = SocketSet::new(Vec::new());
        let streams = (0..8)
            .map(|_| {
                let buffer = || tcp::SocketBuffer::new(vec![0; 4096]);
                sockets.add(tcp::Socket::new(buffer(), buffer()))
            })
            .collect();
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 16], vec![0; 4096]);
        let mut datagrams = udp::Socket::new(buffer(), buffer());
        datagrams.bind(53).unwrap();
        let datagrams = sockets.add(datagrams);
        let mut plain = Self {
            wire,
            interface,
            sockets,
            streams,
            datagrams,
            initial: BTreeMap::new(),
            now: Instant::from_secs(10),
        };
        plain.listen();
        plain
    }

    fn listen(&mut self) {
        for handle in &self.streams {
            let socket = self.sockets.get_mut::<tcp::Socket<'_>>(*handle);
            if !socket.is_open() {
                socket.listen(80).unwrap();
            }
        }
    }

    fn poll(&mut self) {
        self.interface.poll(self.now, &mut self.wire, &mut self.sockets);
    }
}

impl System for Plain {
    fn feed(&mut self, packet: &[u8], milliseconds: u64) -> BTreeSet<Effect> {
        self.wire.incoming.push_back(packet.to_vec());
        self.poll();
        let mut effects = BTreeSet::new();
        for handle in self.streams.clone() {
            let socket = self.sockets.get_mut::<tcp::Socket<'_>>(handle);
            let named = |remote: smoltcp::wire::IpEndpoint| {
                super::ours::name(matches!(remote.addr, IpAddress::Ipv6(_)), remote.port)
            };
            let port = socket.remote_endpoint().map_or(0, named);
            let mut buffer = [0; 4096];
            if let Ok(length) = socket.recv_slice(&mut buffer)
                && length > 0
            {
                effects.insert(Effect::Stream(port, length));
            }
            if matches!(socket.state(), tcp::State::Established | tcp::State::CloseWait) {
                effects.insert(Effect::Open(port));
            }
        }
        while let Ok((data, _)) = self.sockets.get_mut::<udp::Socket<'_>>(self.datagrams).recv() {
            effects.insert(Effect::Datagram(data.len()));
        }
        self.now += smoltcp::time::Duration::from_millis(milliseconds);
        self.poll();
        self.listen();
        let sent = std::mem::take(&mut self.wire.outgoing);
        effects.extend(
            sent.iter().filter_map(|packet| super::ours::effect(packet, &mut self.initial)),
        );
        effects
    }

    fn initial(&self, is_v6: bool, port: u16) -> u32 {
        self.initial.get(&(is_v6, port)).copied().unwrap_or(1)
    }
}
