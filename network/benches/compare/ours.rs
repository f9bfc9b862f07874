//! Two systems of ours on one executor.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_executor::Executor;
use futures_lite::future;
use network::address::HardwareAddress;
use network::driver::Medium;
use network::platform::{BoxFuture, Clock, Entropy, Instant, Spawner};
use network::{Manager, Platform, TcpListener, TcpSettings, TcpStream};
use virtual_file_system::{Credentials, Mode, OpenFlags, Path, VirtualFileSystem};

use super::{BUFFER, IDLE_BUFFER, MESSAGE, MTU, Pair};

/// Real time as a clock; the benchmark never waits for a timer.
struct RealClock(std::time::Instant);

impl Clock for RealClock {
    fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.0.elapsed().as_micros()).unwrap())
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'static, ()> {
        let start = self.0;
        // A deadline far away is looked at when something else wakes the runner; nothing here depends on one.
        Box::pin(future::poll_fn(move |_| {
            let is_over = start.elapsed().as_micros() >= u128::from(deadline.as_micros());
            if is_over { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        }))
    }
}

struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        for byte in buffer {
            *byte = (self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_mul(0xbf58_476d_1ce4_e5b9)
                >> 56) as u8;
        }
        Ok(())
    }
}

struct Tasks(Arc<Executor<'static>>);

impl Spawner for Tasks {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), &'static str> {
        self.0.spawn(task).detach();
        Ok(())
    }
}

/// Two systems joined by a cable.
pub(crate) struct OurPair {
    executor: Arc<Executor<'static>>,
    client: Rc<TcpStream>,
    server: Rc<TcpStream>,
    _idle: Vec<(TcpStream, TcpStream)>,
    _managers: (Manager, Manager),
}

fn system(executor: &Arc<Executor<'static>>, end: drivers::Cable, host: u8) -> Manager {
    let platform = Platform {
        clock: Arc::new(RealClock(super::monotonic())),
        entropy: Arc::new(Counter(AtomicU64::new(u64::from(host)))),
        spawner: Arc::new(Tasks(Arc::clone(executor))),
    };
    let files = VirtualFileSystem::new();
    let manager = Manager::new(files.clone(), platform).unwrap();
    manager.register("net0", Box::new(end), None).unwrap();
    let device = files
        .open(
            &Credentials::root(),
            &Path::parse("/devices/network/net0").unwrap(),
            OpenFlags::READ | OpenFlags::WRITE,
            Mode::empty(),
        )
        .unwrap();
    device.try_write(format!("link up\naddress add 10.0.0.{host}/24\n").as_bytes()).unwrap();
    manager
}

impl OurPair {
    /// Establishes the idle connections, then the active one.
    pub(crate) fn new(idle: usize) -> Self {
        let executor = Arc::new(Executor::new());
        let hardware = (HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2]));
        let options = drivers::CableOptions { mtu: MTU, medium: Medium::Ip, hardware, reliable: false, capacity: 1024 };
        let (left, right) = drivers::cable(options);
        let managers = (system(&executor, left, 1), system(&executor, right, 2));
        let sockets = (managers.0.sockets(), managers.1.sockets());
        let connect = |port: u16, size: usize| {
            let settings = TcpSettings { receive_buffer: size, send_buffer: size, ..TcpSettings::default() };
            let (left, right) = sockets.clone();
            async move {
                let address = format!("10.0.0.2:{port}").parse().unwrap();
                let listener = TcpListener::bind_with(&right, address, 1, settings).unwrap();
                let client = TcpStream::connect_with(&left, None, address, &settings).await.unwrap();
                (client, listener.accept().await.unwrap())
            }
        };
        let mut pairs: Vec<_> = (0..idle)
            .map(|number| future::block_on(executor.run(connect(10_000 + number as u16, IDLE_BUFFER))))
            .collect();
        let (client, server) = future::block_on(executor.run(connect(9_999, BUFFER)));
        pairs.shrink_to_fit();
        Self { executor, client: Rc::new(client), server: Rc::new(server), _idle: pairs, _managers: managers }
    }
}

impl Pair for OurPair {
    fn ping_pong(&mut self, count: usize) {
        let (client, server) = (Rc::clone(&self.client), Rc::clone(&self.server));
        let asking = async {
            let mut buffer = [0; MESSAGE];
            for _ in 0..count {
                client.write_all(&[7; MESSAGE]).await.unwrap();
                let mut back = 0;
                while back < MESSAGE {
                    back += client.read(&mut buffer).await.unwrap();
                }
            }
        };
        let answering = async {
            let mut buffer = [0; MESSAGE];
            let mut left = count * MESSAGE;
            while left > 0 {
                let got = server.read(&mut buffer).await.unwrap();
                server.write_all(&buffer[..got]).await.unwrap();
                left -= got;
            }
        };
        future::block_on(self.executor.run(future::zip(asking, answering)));
    }

    fn bulk(&mut self, bytes: usize) {
        let (client, server) = (Rc::clone(&self.client), Rc::clone(&self.server));
        let sending = async {
            let chunk = vec![7; BUFFER];
            let mut left = bytes;
            while left > 0 {
                left -= client.write(&chunk[..chunk.len().min(left)]).await.unwrap();
            }
        };
        let receiving = async {
            let mut buffer = vec![0; BUFFER];
            let mut left = bytes;
            while left > 0 {
                left -= server.read(&mut buffer).await.unwrap();
            }
        };
        future::block_on(self.executor.run(future::zip(sending, receiving)));
    }
}
