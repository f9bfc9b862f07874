//! smoltcp as it comes: one socket set at each end, polled whole, in a tight loop, over the same
//! link in memory as ours.

use std::cell::RefCell;

use devnet_drivers::Cable;
use devnet_network::driver::{Driver, Frame, FramePool};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

use super::contender::Outcome;
use super::{BUFFER, DATAGRAMS, IDLE_BUFFER, MESSAGE, PORT, Pair, Setup, WINDOW, monotonic};

/// An end of the cable that ours uses too, as smoltcp wants its devices.
struct Link {
    mtu: usize,
    cable: RefCell<Cable>,
    pool: RefCell<FramePool>,
}

struct Receive<'a> {
    frame: Frame,
    link: &'a Link,
}

impl RxToken for Receive<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        let result = f(self.frame.bytes());
        self.link.pool.borrow_mut().put(self.frame);
        result
    }
}

struct Send<'a> {
    link: &'a Link,
}

impl TxToken for Send<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut pool = self.link.pool.borrow_mut();
        let mut frame = pool.take(length);
        let result = f(frame.bytes_mut());
        assert!(
            self.link.cable.borrow_mut().transmit(frame, &mut pool).is_ok(),
            "the cable holds a window"
        );
        result
    }
}

impl Device for Link {
    type RxToken<'token> = Receive<'token>;
    type TxToken<'token> = Send<'token>;

    fn receive(&mut self, _timestamp: Instant) -> Option<(Receive<'_>, Send<'_>)> {
        let frame = self.cable.borrow_mut().receive(&mut self.pool.borrow_mut())?;
        Some((Receive { frame, link: self }, Send { link: self }))
    }

    fn transmit(&mut self, _timestamp: Instant) -> Option<Send<'_>> {
        Some(Send { link: self })
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
    fn new(mtu: usize, cable: Cable, host: u8) -> Self {
        let mut device = Link { mtu, cable: RefCell::new(cable), pool: RefCell::default() };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = u64::from(host);
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, host), 24)).unwrap()
        });
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
        // Nothing sleeps here, so nothing needs a wake.
        drop(self.device.cable.borrow_mut().flush());
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
            let buffer = || {
                udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; DATAGRAMS], vec![0; BUFFER])
            };
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
    /// The two sockets that all short connections use, and the last local port.
    short: Option<(SocketHandle, SocketHandle, u16)>,
}

fn socket(bytes: usize) -> tcp::Socket<'static> {
    tcp::Socket::new(tcp::SocketBuffer::new(vec![0; bytes]), tcp::SocketBuffer::new(vec![0; bytes]))
}

impl RawPair {
    /// Establishes the idle connections, then the active one.
    pub(crate) fn new(setup: &Setup) -> Self {
        let (left, right) = super::ours::link(setup.mtu);
        let (left, right) = (Node::new(setup.mtu, left, 1), Node::new(setup.mtu, right, 2));
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
        socket
            .connect(self.left.interface.context(), (IpAddress::v4(10, 0, 0, 2), to), from)
            .unwrap();
        while !(self.left.tcp(client).may_send() && self.right.tcp(server).may_send()) {
            self.poll();
        }
    }

    fn poll(&mut self) {
        let now = self.now();
        self.left.poll(now);
        self.right.poll(now);
    }

    /// One connection with one byte each way. The client's socket is forced out of TIME-WAIT,
    /// because the next connection uses it.
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
            while self
                .right
                .sockets
                .get_mut::<udp::Socket<'_>>(right)
                .recv_slice(&mut buffer)
                .is_ok()
            {
                arrived += 1;
            }
        }
        arrived
    }

    fn connections(&mut self, count: usize) -> Outcome<()> {
        let (client, server, mut port) = self.short.unwrap_or_else(|| {
            (
                self.left.sockets.add(socket(IDLE_BUFFER)),
                self.right.sockets.add(socket(IDLE_BUFFER)),
                32_768,
            )
        });
        for _ in 0..count {
            port = if port == u16::MAX { 32_768 } else { port + 1 };
            self.short_connection(client, server, port);
        }
        self.short = Some((client, server, port));
        Ok(())
    }
}
