//! One run: a bulk sender on one host, a reader on another that compares every byte, a path between
//! them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devnet_network::command::option::CongestionControl;
use devnet_network::{Sockets, TcpListener, TcpSettings, TcpStream};
use world::{Host, Path, PathCounters, World};

use crate::cells::{Algorithm, Cell};

const SERVER: &str = "10.0.0.2:80";
const MTU: usize = 1500;
/// After so many bytes the content repeats; a prime, so that no packet, buffer or window has the
/// same length.
const PERIOD: usize = 999_983;
/// Bytes that are written or read at once.
const PIECE: usize = 64 * 1024;

/// How both ends are set.
fn settings(algorithm: Algorithm, buffer: Option<u64>) -> TcpSettings {
    let congestion = match algorithm {
        Algorithm::Cubic => CongestionControl::Cubic,
        Algorithm::Reno => CongestionControl::NewReno,
        Algorithm::Bbr => CongestionControl::Bbr,
    };
    let buffer = buffer.and_then(|bytes| usize::try_from(bytes).ok());
    TcpSettings::default().receive_buffer(buffer).send_buffer(buffer).congestion(congestion)
}

/// How often the sender's retransmission timer expired.
fn timeouts(stream: &TcpStream) -> Option<u64> {
    if std::env::var_os("LOSS_STATISTICS").is_some() {
        eprintln!("{:?}", stream.statistics());
    }
    stream.statistics().map(|statistics| statistics.timeouts.into())
}

/// What a run measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Bytes that the receiving program read.
    pub(crate) bytes: u64,
    /// Of these, wrong ones.
    pub(crate) corrupt: u64,
    /// Expired retransmission timers.
    pub(crate) timeouts: Option<u64>,
    /// The sender's packets.
    pub(crate) packets: PathCounters,
}

/// The stream's content, twice a period long less a bit: every piece of it is a slice.
fn content() -> Arc<[u8]> {
    (0..PERIOD + PIECE)
        .map(|index| ((index % PERIOD).wrapping_mul(2_654_435_761) >> 11) as u8)
        .collect()
}

#[derive(Default)]
struct Counts {
    bytes: AtomicU64,
    corrupt: AtomicU64,
}

async fn read(stream: TcpStream, content: Arc<[u8]>, counts: Arc<Counts>) {
    let (mut at, mut buffer) = (0, vec![0; PIECE]);
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let expected = &content[at..at + length];
        if buffer[..length] != *expected {
            let wrong =
                buffer.iter().zip(expected).filter(|(read, expected)| read != expected).count();
            counts.corrupt.fetch_add(wrong as u64, Ordering::Relaxed);
        }
        counts.bytes.fetch_add(length as u64, Ordering::Relaxed);
        at = (at + length) % PERIOD;
    }
}

async fn write(stream: Arc<TcpStream>, content: Arc<[u8]>) {
    let mut at = 0;
    while let Ok(length) = stream.write(&content[at..at + PIECE]).await {
        at = (at + length) % PERIOD;
    }
}

/// A connection, however often its handshake is lost.
async fn connect(sockets: &Sockets, settings: &TcpSettings) -> TcpStream {
    let stream = TcpStream::connect_with(sockets, None, SERVER, settings).await;
    stream.expect("a handshake is repeated for two minutes")
}

/// Sends for so many seconds, with buffers of so many bytes or with those that grow by themselves.
pub(crate) fn run(
    cell: &Cell,
    seed: u64,
    seconds: u64,
    algorithm: Algorithm,
    buffer: Option<u64>,
) -> Outcome {
    let (world, settings) = (World::new(seed), settings(algorithm, buffer));
    let path = Path::new(&world, cell.quality());
    let (left, right) = path.ends(MTU);
    let left = Host::new(&world).with("eth0", left, &["10.0.0.1/24"]);
    let right = Host::new(&world).with("eth0", right, &["10.0.0.2/24"]);
    let (content, counts) = (content(), Arc::new(Counts::default()));
    let timeouts = world.run(async {
        world.sleep(Duration::from_secs(3)).await;
        let listener =
            TcpListener::bind_with(&right.sockets(), SERVER.parse().unwrap(), 4, settings);
        let listener = listener.expect("a free port");
        let reader = {
            let (content, counts) = (Arc::clone(&content), Arc::clone(&counts));
            world.spawn(async move {
                read(listener.accept().await.expect("a client"), content, counts).await
            })
        };
        let stream = Arc::new(connect(&left.sockets(), &settings).await);
        let writer = world.spawn(write(Arc::clone(&stream), Arc::clone(&content)));
        world.sleep(Duration::from_secs(seconds)).await;
        let timeouts = timeouts(&stream);
        writer.cancel().await;
        reader.cancel().await;
        stream.abort();
        timeouts
    });
    let (bytes, corrupt) =
        (counts.bytes.load(Ordering::Relaxed), counts.corrupt.load(Ordering::Relaxed));
    let packets = path.counters(0);
    // Interfaces live in tasks of their world; they end before it.
    for host in [left, right] {
        host.manager.unregister("eth0").expect("an interface");
    }
    world.run(world.sleep(Duration::from_millis(1)));
    Outcome { bytes, corrupt, timeouts, packets }
}
