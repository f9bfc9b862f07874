//! smoltcp as it comes: one socket set, polled whole.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use super::{BUFFER, IDLE_BUFFER, MESSAGE, MTU, Pair};

#[derive(Default)]
struct Wire {
    packets: VecDeque<Vec<u8>>,
    free: Vec<Vec<u8>>,
}

struct End {
    incoming: Rc<RefCell<Wire>>,
    outgoing: Rc<RefCell<Wire>>,
}

struct Receive {
    packet: Vec<u8>,
    wire: Rc<RefCell<Wire>>,
}

impl RxToken for Receive {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let result = f(&self.packet);
        self.wire.borrow_mut().free.push(self.packet);
        result
    }
}

struct Send {
    wire: Rc<RefCell<Wire>>,
}

impl TxToken for Send {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = self.wire.borrow_mut().free.pop().unwrap_or_default();
        packet.resize(length, 0);
        let result = f(&mut packet);
        self.wire.borrow_mut().packets.push_back(packet);
        result
    }
}

impl Device for End {
    type RxToken<'token> = Receive;
    type TxToken<'token> = Send;

    fn receive(&mut self, _timestamp: Instant) -> Option<(Receive, Send)> {
        let packet = self.incoming.borrow_mut().packets.pop_front()?;
        Some((Receive { packet, wire: Rc::clone(&self.incoming) }, Send { wire: Rc::clone(&self.outgoing) }))
    }

    fn transmit(&mut self, _timestamp: Instant) -> Option<Send> {
        Some(Send { wire: Rc::clone(&self.outgoing) })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        capabilities
    }
}

struct Node {
    device: End,
    interface: Interface,
    sockets: SocketSet<'static>,
    active: SocketHandle,
}

impl Node {
    fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.device, &mut self.sockets);
    }

    fn active(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.active)
    }
}

/// Two interfaces in a tight loop.
pub(crate) struct RawPair {
    left: Node,
    right: Node,
    clock: std::time::Instant,
}

fn socket(bytes: usize) -> tcp::Socket<'static> {
    tcp::Socket::new(tcp::SocketBuffer::new(vec![0; bytes]), tcp::SocketBuffer::new(vec![0; bytes]))
}

impl RawPair {
    /// Establishes the idle connections, then the active one.
    pub(crate) fn new(idle: usize) -> Self {
        let (there, back) = (Rc::new(RefCell::new(Wire::default())), Rc::new(RefCell::new(Wire::default())));
        let node = |incoming: &Rc<RefCell<Wire>>, outgoing: &Rc<RefCell<Wire>>, host: u8| {
            let mut device = End { incoming: Rc::clone(incoming), outgoing: Rc::clone(outgoing) };
            let mut config = Config::new(HardwareAddress::Ip);
            config.random_seed = u64::from(host);
            let mut interface = Interface::new(config, &mut device, Instant::ZERO);
            interface
                .update_ip_addrs(|addresses| addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, host), 24)).unwrap());
            let mut sockets = SocketSet::new(Vec::new());
            let active = sockets.add(socket(64));
            Node { device, interface, sockets, active }
        };
        let (left, right) = (node(&back, &there, 1), node(&there, &back, 2));
        let mut pair = Self { left, right, clock: super::monotonic() };
        for number in 0..=idle {
            let size = if number == idle { BUFFER } else { IDLE_BUFFER };
            pair.connect(10_000 + number as u16, size);
        }
        pair
    }

    fn now(&self) -> Instant {
        Instant::from_micros(i64::try_from(self.clock.elapsed().as_micros()).unwrap())
    }

    fn connect(&mut self, port: u16, size: usize) {
        let mut server = socket(size);
        server.listen(port).unwrap();
        self.right.active = self.right.sockets.add(server);
        self.left.active = self.left.sockets.add(socket(size));
        let client = self.left.sockets.get_mut::<tcp::Socket<'_>>(self.left.active);
        client.connect(self.left.interface.context(), (IpAddress::v4(10, 0, 0, 2), port), port).unwrap();
        while !(self.left.active().may_send() && self.right.active().may_send()) {
            self.poll();
        }
    }

    fn poll(&mut self) {
        let now = self.now();
        self.left.poll(now);
        self.right.poll(now);
    }
}

impl Pair for RawPair {
    fn ping_pong(&mut self, count: usize) {
        let mut buffer = [0; MESSAGE];
        for _ in 0..count {
            assert_eq!(self.left.active().send_slice(&[7; MESSAGE]).unwrap(), MESSAGE);
            let mut back = 0;
            while back < MESSAGE {
                self.poll();
                let got = self.right.active().recv_slice(&mut buffer).unwrap();
                if got > 0 {
                    assert_eq!(self.right.active().send_slice(&buffer[..got]).unwrap(), got);
                    let now = self.now();
                    self.right.poll(now);
                    self.left.poll(now);
                }
                back += self.left.active().recv_slice(&mut buffer).unwrap();
            }
        }
    }

    fn bulk(&mut self, bytes: usize) {
        let chunk = vec![7; BUFFER];
        let mut buffer = vec![0; BUFFER];
        let (mut sent, mut received) = (0, 0);
        while received < bytes {
            if sent < bytes {
                let size = chunk.len().min(bytes - sent);
                sent += self.left.active().send_slice(&chunk[..size]).unwrap();
            }
            self.poll();
            received += self.right.active().recv_slice(&mut buffer).unwrap();
        }
    }
}
