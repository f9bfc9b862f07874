//! A host that is a plain smoltcp interface at the end of a path, as its examples do it: it sends
//! back what it gets, then ends.

use std::collections::{BTreeSet, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use devnet_network::driver::{Driver, FramePool};
use devnet_network::platform::{BoxFuture, Clock, Instant};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::socket::tcp;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};
use world::{PathEnd, VirtualClock};

/// The ports of peers to whom the host owes something: data, an end, or an acknowledgment that it
/// waits for.
pub(crate) type Debts = Arc<Mutex<BTreeSet<u16>>>;

/// Bytes of each socket's buffers.
const BUFFER: usize = 4096;

/// A driver of ours as a device of smoltcp.
struct Adapter {
    end: PathEnd,
    pool: FramePool,
}

struct Receive(Vec<u8>);
struct Transmit<'a>(&'a mut Adapter);

impl phy::RxToken for Receive {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl phy::TxToken for Transmit<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = self.0.pool.take(length);
        let result = f(frame.bytes_mut());
        assert!(self.0.end.transmit(frame, &mut self.0.pool).is_ok(), "a path takes everything");
        result
    }
}

impl Device for Adapter {
    type RxToken<'a> = Receive;
    type TxToken<'a> = Transmit<'a>;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(Receive, Transmit<'_>)> {
        let frame = self.end.receive(&mut self.pool)?;
        let packet = frame.bytes().to_vec();
        self.pool.put(frame);
        Some((Receive(packet), Transmit(self)))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<Transmit<'_>> {
        Some(Transmit(self))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities
    }
}

/// A socket and what it has to send back.
struct Echo {
    handle: SocketHandle,
    waiting: VecDeque<u8>,
}

/// The host; a task that is polled for ever.
pub(crate) struct Plain {
    clock: VirtualClock,
    device: Adapter,
    interface: Interface,
    sockets: SocketSet<'static>,
    echoes: Vec<Echo>,
    sleep: Option<BoxFuture<'static, ()>>,
    debts: Debts,
}

impl Plain {
    /// 10.0.0.2 with so many sockets listening at port 80.
    pub(crate) fn new(clock: VirtualClock, end: PathEnd, sockets: usize, debts: Debts) -> Self {
        let mut device = Adapter { end, pool: FramePool::new() };
        let config = Config::new(HardwareAddress::Ip);
        let mut interface = Interface::new(config, &mut device, smoltcp::time::Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, 2), 24)).unwrap()
        });
        let mut set = SocketSet::new(Vec::new());
        let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
        let echoes = (0..sockets)
            .map(|_| {
                let mut socket = tcp::Socket::new(buffer(), buffer());
                socket.listen(80).unwrap();
                Echo { handle: set.add(socket), waiting: VecDeque::new() }
            })
            .collect();
        Self { clock, device, interface, sockets: set, echoes, sleep: None, debts }
    }

    /// Runs it; never ends.
    pub(crate) async fn run(mut self) {
        poll_fn(move |context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            self.device.end.register(context.waker(), false);
            let micros = self.clock.now().as_micros() as i64;
            let now = smoltcp::time::Instant::from_micros(micros);
            self.interface.poll(now, &mut self.device, &mut self.sockets);
            let is_busy = self.echo();
            if let Some(waker) = self.device.end.flush() {
                waker.wake();
            }
            if is_busy {
                continue;
            }
            let Some(next) = self.interface.poll_at(now, &self.sockets) else {
                return Poll::Pending;
            };
            if next <= now {
                continue;
            }
            let deadline = Instant::from_micros(next.total_micros().unsigned_abs());
            let sleep = self.sleep.insert(self.clock.sleep_until(deadline));
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Moves bytes from where they came back there; true when any were moved.
    fn echo(&mut self) -> bool {
        let mut is_busy = false;
        let mut debts = self.debts.lock().unwrap();
        for Echo { handle, waiting } in &mut self.echoes {
            let socket = self.sockets.get_mut::<tcp::Socket<'_>>(*handle);
            let mut buffer = [0; BUFFER];
            if waiting.is_empty()
                && let Ok(length @ 1..) = socket.recv_slice(&mut buffer)
            {
                waiting.extend(&buffer[..length]);
                is_busy = true;
            }
            if let Ok(length @ 1..) = socket.send_slice(waiting.make_contiguous()) {
                waiting.drain(..length);
                is_busy = true;
            }
            // It closes right after the last write.
            if waiting.is_empty()
                && socket.state() == tcp::State::CloseWait
                && socket.recv_queue() == 0
            {
                socket.close();
                is_busy = true;
            }
            let Some(remote) = socket.remote_endpoint() else { continue };
            let is_closing =
                matches!(socket.state(), tcp::State::SynReceived | tcp::State::LastAck);
            if socket.send_queue() > 0 || !waiting.is_empty() || is_closing {
                debts.insert(remote.port);
            } else {
                debts.remove(&remote.port);
            }
        }
        is_busy
    }
}
