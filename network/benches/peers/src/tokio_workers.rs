//! Ours on tokio's runtime, and one connection on runtimes with one and with two workers.
//!
//! A connection may also be placed: its tasks run beside those of the stack on a thread of their
//! own, while the two workers are there for everything else.
//!
//! On more than one thread the two ends of the connection are tasks of their own, which the runtime
//! places as it likes, with the tasks of the stack. What counts then is the time on the clock; the
//! CPU time beside it shows what placing costs.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{future, thread};

use devnet_network::Platform;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::workloads::contender::{Contender, Outcome, establish};
use crate::workloads::{self, BUFFER, MESSAGE, PORT, Setup, cpu_time, monotonic};

/// Workers of the runtimes that this process makes; none is the current-thread runtime.
static WORKERS: AtomicUsize = AtomicUsize::new(0);

/// The thread of connections that are placed.
static BESIDE: OnceLock<Handle> = OnceLock::new();

/// Where the tasks of a connection run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Placement {
    One,
    Two,
    /// On a thread of their own with those of the stack, beside two workers.
    Beside,
}

impl Placement {
    pub(crate) const ALL: [Self; 3] = [Self::One, Self::Two, Self::Beside];

    /// For the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
            Self::Beside => "beside",
        }
    }

    /// For the table.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::One => "one worker",
            Self::Two => "two workers",
            Self::Beside => "two workers, placed beside the stack",
        }
    }
}

/// Starts a thread whose runtime has no other worker.
fn start_thread() -> Handle {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    thread::spawn(move || runtime.block_on(future::pending::<()>()));
    handle
}

/// The runtime of a contender.
pub(crate) fn runtime() -> Runtime {
    let builder = match WORKERS.load(Ordering::Relaxed) {
        0 => Builder::new_current_thread().enable_all().build(),
        workers => Builder::new_multi_thread().worker_threads(workers).enable_all().build(),
    };
    builder.unwrap()
}

/// tokio, for the systems of ours.
pub(crate) struct Tokio(Runtime);

impl workloads::ours::Runtime for Tokio {
    fn new() -> Self {
        Self(runtime())
    }

    fn platform(&self, _: u8) -> Platform {
        let runtime = BESIDE.get().unwrap_or_else(|| self.0.handle());
        // Its clock reads the runtime's.
        let _context = runtime.enter();
        devnet_drivers::tokio::platform(runtime.clone())
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.block_on(work)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// What the two tasks do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    PingPong,
    Bulk,
}

impl Work {
    pub(crate) const ALL: [Self; 2] = [Self::PingPong, Self::Bulk];

    /// For the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PingPong => "ping-pong",
            Self::Bulk => "bulk",
        }
    }
}

/// Round trips or MiB per second.
pub(crate) struct Rates {
    pub(crate) of_time: f64,
    pub(crate) of_cpu_time: f64,
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, count: usize) -> io::Result<S> {
    let mut buffer = [0; MESSAGE];
    for _ in 0..count {
        stream.write_all(&[7; MESSAGE]).await?;
        stream.read_exact(&mut buffer).await?;
    }
    Ok(stream)
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, count: usize) -> io::Result<S> {
    let mut buffer = [0; MESSAGE];
    for _ in 0..count {
        stream.read_exact(&mut buffer).await?;
        stream.write_all(&buffer).await?;
    }
    Ok(stream)
}

async fn send<S: AsyncWrite + Unpin>(mut stream: S, bytes: usize) -> io::Result<S> {
    let (chunk, mut left) = (vec![7; BUFFER], bytes);
    while left > 0 {
        left -= stream.write(&chunk[..chunk.len().min(left)]).await?;
    }
    Ok(stream)
}

async fn receive<S: AsyncRead + Unpin>(mut stream: S, bytes: usize) -> io::Result<S> {
    let (mut buffer, mut left) = (vec![0; BUFFER], bytes);
    while left > 0 {
        left -= match stream.read(&mut buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            got => got,
        };
    }
    Ok(stream)
}

/// Runs both ends as tasks of the runtime, or of the thread beside it.
async fn both<S: Send + 'static>(
    one: impl Future<Output = io::Result<S>> + Send + 'static,
    other: impl Future<Output = io::Result<S>> + Send + 'static,
) -> Outcome<(S, S)> {
    let runtime = BESIDE.get().cloned().unwrap_or_else(Handle::current);
    let (one, other) = (runtime.spawn(one), runtime.spawn(other));
    Ok((one.await??, other.await??))
}

/// Repeats the work, in growing numbers, until one go has taken long enough to be counted.
pub(crate) fn measure<C: Contender>(
    work: Work,
    placement: Placement,
    span: Duration,
) -> Outcome<Rates>
where
    C::Stream: AsyncRead + AsyncWrite + Send + Unpin,
{
    WORKERS.store(if placement == Placement::One { 1 } else { 2 }, Ordering::Relaxed);
    if placement == Placement::Beside {
        BESIDE.get_or_init(start_thread);
    }
    let contender = C::new(&Setup::usual(0));
    contender.run(async {
        let mut listener = contender.listen(PORT, BUFFER, 2).await?;
        let (mut client, mut server) = establish(&contender, &mut listener, PORT, BUFFER).await?;
        let mut count = 64;
        loop {
            let (start, before) = (monotonic(), cpu_time());
            let done = match work {
                Work::PingPong => {
                    (client, server) = both(ask(client, count), answer(server, count)).await?;
                    count as f64
                }
                Work::Bulk => {
                    let bytes = count << 16;
                    (client, server) = both(send(client, bytes), receive(server, bytes)).await?;
                    count as f64 / 16.0
                }
            };
            let (time, cpu_time) = (start.elapsed(), cpu_time() - before);
            if time > span {
                return Ok(Rates {
                    of_time: done / time.as_secs_f64(),
                    of_cpu_time: done / cpu_time.as_secs_f64(),
                });
            }
            let factor = 1.5 * span.as_secs_f64() / time.as_secs_f64().max(1e-6);
            count = (count as f64 * factor.clamp(1.5, 64.0)) as usize;
        }
    })
}
