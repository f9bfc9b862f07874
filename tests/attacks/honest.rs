//! The honest peer: pages by HTTP, each over a connection of its own, and then one long transfer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devnet_network::platform::{Clock, Instant};
use devnet_network::{Sockets, TcpStream};
use futures_lite::future;
use world::VirtualClock;

use crate::scene::{ENDLESS, PAGE, Scene};

/// Clients that fetch pages at the same time.
const CLIENTS: usize = 4;
/// How long a client waits for a page.
const PATIENCE: Duration = Duration::from_secs(10);
const REQUEST: &[u8] = b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// What it got.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    /// How long pages took, sorted; those that did not come took for ever.
    pages: Vec<Duration>,
    /// Bytes per second of the transfer.
    pub(crate) transfer: f64,
}

impl Service {
    /// So many pages of a hundred took at most that time.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let place = (self.pages.len() * percent).div_ceil(100).max(1) - 1;
        self.pages.get(place).copied().unwrap_or(Duration::MAX)
    }
}

async fn page(sockets: &Sockets, server: SocketAddr) -> Option<()> {
    let stream = TcpStream::connect(sockets, server).await.ok()?;
    stream.write_all(REQUEST).await.ok()?;
    let (mut count, mut buffer) = (0, [0; 16 * 1024]);
    loop {
        match stream.read(&mut buffer).await.ok()? {
            0 => return (count > PAGE).then_some(()),
            length => count += length,
        }
    }
}

/// Fetches pages until it is late.
async fn pages(
    clock: VirtualClock,
    sockets: Sockets,
    server: SocketAddr,
    end: Instant,
) -> Vec<Duration> {
    let mut took = Vec::new();
    while clock.now() < end {
        let began = clock.now();
        let limit = async {
            clock.sleep_until(began.after(PATIENCE)).await;
            None
        };
        let outcome = future::or(page(&sockets, server), limit).await;
        took.push(outcome.map_or(Duration::MAX, |()| clock.now().since(began)));
        if outcome.is_none() {
            clock.sleep_until(clock.now().after(Duration::from_millis(10))).await;
        }
    }
    took
}

/// Fetches pages for a time, and then transfers for half as long.
pub(crate) async fn enjoy(scene: &Scene, server: &str, time: Duration) -> Service {
    let server: SocketAddr = server.parse().expect("an address");
    let clock = &scene.world.clock;
    let end = clock.now().after(time);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let sockets = scene.honest.sockets();
            scene.world.spawn(pages(clock.clone(), sockets, server, end))
        })
        .collect();
    let mut service = Service::default();
    for client in clients {
        service.pages.extend(client.await);
    }
    service.pages.sort_unstable();
    let bytes = Arc::<AtomicU64>::default();
    let (counted, sockets) = (Arc::clone(&bytes), scene.honest.sockets());
    let began = clock.now();
    let transfer = scene.world.spawn(async move {
        let server = SocketAddr::new(server.ip(), ENDLESS);
        let Ok(stream) = TcpStream::connect(&sockets, server).await else { return };
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            counted.fetch_add(length as u64, Ordering::Relaxed);
        }
    });
    scene.world.sleep(time / 2).await;
    let took = clock.now().since(began);
    transfer.cancel().await;
    service.transfer = bytes.load(Ordering::Relaxed) as f64 / took.as_secs_f64();
    service
}
