//! smoltcp as it comes: one socket set at each end, polled whole, in a tight loop. The link is a queue in memory with recycled buffers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use super::contender::Outcome;
use super::{BUFFER, DATAGRAMS, IDLE_BUFFER, MESSAGE, PORT, Pair, Setup, WINDOW, monotonic};

#[derive(Default)]
struct Wire {
    packets: VecDeque<Vec<u8>>,
    free: Vec<Vec<u8>>,
}

type SharedWire = Rc<RefCell<Wire>>;

struct Link {
    mtu: usize,
    incoming: SharedWire,
    outgoing: SharedWire,
}

struct Receive {
    packet: Vec<u8>,
    wire: SharedWire,
}

impl RxToken for Receive {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let result = f(&self.packet);
        self.wire.borrow_mut().free.push(self.packet);
        result
    }
}

struct Send {
    wire: SharedWire,
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

impl Device for Link {
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
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

struct Node {
    device: Link,
    interface: Interface,
    sockets: SocketSet<'static>,
    active: SocketHandle,
    datagrams: Option<SocketHandle>,
}

impl Node {
    fn new(mtu: usize, incoming: &SharedWire, outgoing: &SharedWire, host: u8) -> Self {
        let mut device = Link { mtu, incoming: Rc::clone(incoming), outgoing: Rc::clone(outgoing) };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = u64::from(host);
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|addresses| addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, host), 24)).unwrap());
        Self {
            device,
            interface,
            sockets: SocketSet::new(Vec::new()),
            active: SocketHandle::default(),
            datagrams: None,
        }
    }

    fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.device, &mut self.sockets);
    }

    fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    fn active(&mut self) -> &mut tcp::Socket<'static> {
        self.tcp(self.active)
    }

    /// The UDP socket, made when first asked for.
    fn datagrams(&mut self) -> SocketHandle {
        *self.datagrams.get_or_insert_with(|| {
            let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; DATAGRAMS], vec![0; BUFFER]);
            let mut socket = udp::Socket::new(buffer(), buffer());
            socket.bind(PORT).unwrap();
            self.sockets.add(socket)
        })
    }
}

/// Two interfaces in a tight loop.
pub(crate) struct RawPair {
    left: Node,
    right: Node,
    start: std::time::Instant,
    /// The two sockets that short connections use again and again, and the last local port.
    short: Option<(SocketHandle, SocketHandle, u16)>,
}

fn socket(bytes: usize) -> tcp::Socket<'static> {
    tcp::Socket::new(tcp::SocketBuffer::new(vec![0; bytes]), tcp::SocketBuffer::new(vec![0; bytes]))
}

impl RawPair {
    /// Establishes the idle connections, then the active one.
    pub(crate) fn new(setup: &Setup) -> Self {
        let (there, back) = (SharedWire::default(), SharedWire::default());
        let (left, right) = (Node::new(setup.mtu, &back, &there, 1), Node::new(setup.mtu, &there, &back, 2));
        let mut pair = Self { left, right, start: monotonic(), short: None };
        for number in 0..=setup.idle {
            let size = if number == setup.idle { setup.buffer } else { IDLE_BUFFER };
            (pair.left.active, pair.right.active) =
                (pair.left.sockets.add(socket(size)), pair.right.sockets.add(socket(size)));
            pair.establish(pair.left.active, pair.right.active, 10_000 + number as u16, PORT);
        }
        pair
    }

    fn now(&self) -> Instant {
        Instant::from_micros(i64::try_from(self.start.elapsed().as_micros()).unwrap())
    }

    fn establish(&mut self, client: SocketHandle, server: SocketHandle, from: u16, to: u16) {
        self.right.tcp(server).listen(to).unwrap();
        let socket = self.left.sockets.get_mut::<tcp::Socket<'_>>(client);
        socket.connect(self.left.interface.context(), (IpAddress::v4(10, 0, 0, 2), to), from).unwrap();
        while !(self.left.tcp(client).may_send() && self.right.tcp(server).may_send()) {
            self.poll();
        }
    }

    fn poll(&mut self) {
        let now = self.now();
        self.left.poll(now);
        self.right.poll(now);
    }

    /// One connection with one byte each way. Out of TIME-WAIT the client's socket is taken back by force: it is to be used again.
    fn short_connection(&mut self, client: SocketHandle, server: SocketHandle, port: u16) {
        let mut byte = [7];
        self.establish(client, server, port, PORT + 1);
        self.left.tcp(client).send_slice(&byte).unwrap();
        self.poll();
        assert_eq!(self.right.tcp(server).recv_slice(&mut byte).unwrap(), 1);
        self.right.tcp(server).send_slice(&byte).unwrap();
        let now = self.now();
        self.right.poll(now);
        self.left.poll(now);
        assert_eq!(self.left.tcp(client).recv_slice(&mut byte).unwrap(), 1);
        self.left.tcp(client).close();
        self.poll();
        self.right.tcp(server).close();
        self.right.poll(now);
        self.left.poll(now);
        self.left.tcp(client).abort();
        while self.left.tcp(client).is_open() || self.right.tcp(server).is_open() {
            self.poll();
        }
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

    fn datagrams(&mut self, size: usize, count: usize) -> usize {
        let (left, right) = (self.left.datagrams(), self.right.datagrams());
        let data = vec![7; size];
        let mut buffer = vec![0; 2048];
        let (mut sent, mut arrived) = (0, 0);
        while sent < count {
            let socket = self.left.sockets.get_mut::<udp::Socket<'_>>(left);
            for _ in 0..WINDOW.min(count - sent) {
                socket.send_slice(&data, (IpAddress::v4(10, 0, 0, 2), PORT)).unwrap();
                sent += 1;
            }
            self.poll();
            while self.right.sockets.get_mut::<udp::Socket<'_>>(right).recv_slice(&mut buffer).is_ok() {
                arrived += 1;
            }
        }
        arrived
    }

    fn connections(&mut self, count: usize) -> Outcome<()> {
        let (client, server, mut port) = self.short.unwrap_or_else(|| {
            (self.left.sockets.add(socket(IDLE_BUFFER)), self.right.sockets.add(socket(IDLE_BUFFER)), 32_768)
        });
        for _ in 0..count {
            port = if port == u16::MAX { 32_768 } else { port + 1 };
            self.short_connection(client, server, port);
        }
        self.short = Some((client, server, port));
        Ok(())
    }
}
