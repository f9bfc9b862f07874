//! The workloads for all stacks with asynchronous sockets: a client and a server that run
//! concurrently in one task.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use futures_lite::future;

use super::executor::{both, either};
use super::{BUFFER, IDLE_BUFFER, MESSAGE, PORT, Pair, Setup, WINDOW};

/// The error of a socket.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// How often a sender checks for datagrams in flight before it counts them as lost.
const PATIENCE: usize = 1_000;
/// How long a handful of short connections may take.
const LIMIT: Duration = Duration::from_secs(3);
/// The backlog of the workloads' listeners, where the user chooses it.
const BACKLOG: usize = 2;

/// An end of the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// Where clients and senders are.
    Left,
    /// Where servers and receivers are.
    Right,
}

/// Two systems, their link, and the sockets on them. Clients connect from the left to the right.
pub(crate) trait Contender: 'static {
    type Listener;
    type Stream;
    type Datagrams;

    /// Both systems, configured.
    fn new(setup: &Setup) -> Self;
    /// Runs `work` and the stacks until `work` is done.
    fn run<T>(&self, work: impl Future<Output = T>) -> T;
    async fn sleep(&self, time: Duration);
    async fn listen(&self, port: u16, buffer: usize, backlog: usize) -> Outcome<Self::Listener>;
    async fn accept(&self, listener: &mut Self::Listener) -> Outcome<Self::Stream>;
    async fn connect(&self, port: u16, buffer: usize) -> Outcome<Self::Stream>;
    async fn read(stream: &mut Self::Stream, buffer: &mut [u8]) -> Outcome<usize>;
    async fn write(stream: &mut Self::Stream, data: &[u8]) -> Outcome<usize>;
    /// Closes a connection in order, in the way that the stack requires; returns once the stream
    /// may be dropped.
    async fn close(stream: Self::Stream) -> Outcome<()>;
    async fn bind(&self, end: End, port: u16) -> Outcome<Self::Datagrams>;
    /// Sends one datagram to a port at the right end.
    async fn send(socket: &mut Self::Datagrams, data: &[u8], port: u16) -> Outcome<()>;
    async fn receive(socket: &mut Self::Datagrams, buffer: &mut [u8]) -> Outcome<usize>;
}

/// Without its sockets a measurement is over.
fn must<T>(outcome: Outcome<T>) -> T {
    outcome.unwrap_or_else(|error| panic!("{error}"))
}

/// Writes all of `data`.
pub(crate) async fn write_all<C: Contender>(
    stream: &mut C::Stream,
    mut data: &[u8],
) -> Outcome<()> {
    while !data.is_empty() {
        let taken = C::write(stream, data).await?;
        data = data.get(taken..).unwrap_or_default();
    }
    Ok(())
}

/// Reads exactly `length` bytes into the start of `buffer`.
pub(crate) async fn read_exact<C: Contender>(
    stream: &mut C::Stream,
    buffer: &mut [u8],
    length: usize,
) -> Outcome<()> {
    let mut filled = 0;
    while filled < length {
        match C::read(stream, &mut buffer[filled..length]).await? {
            0 => return Err("the stream ended early".into()),
            got => filled += got,
        }
    }
    Ok(())
}

/// Establishes one connection.
pub(crate) async fn establish<C: Contender>(
    contender: &C,
    listener: &mut C::Listener,
    port: u16,
    buffer: usize,
) -> Outcome<(C::Stream, C::Stream)> {
    // The server starts first: not every stack has a listener that queues connections without an
    // accept.
    let (server, client) =
        future::zip(contender.accept(listener), contender.connect(port, buffer)).await;
    Ok((client?, server?))
}

/// A contender with its connections.
pub(crate) struct AsyncPair<C: Contender> {
    client: C::Stream,
    server: C::Stream,
    _idle: Vec<(C::Stream, C::Stream)>,
    listener: Option<C::Listener>,
    datagrams: Option<(C::Datagrams, C::Datagrams)>,
    /// Last, so that the sockets go before their stacks.
    contender: C,
}

impl<C: Contender> AsyncPair<C> {
    /// Establishes the idle connections, then the active one.
    pub(crate) fn new(setup: &Setup) -> Self {
        let contender = C::new(setup);
        let work = async {
            let mut idle = Vec::with_capacity(setup.idle);
            if setup.idle > 0 {
                let mut listener = contender.listen(PORT - 1, IDLE_BUFFER, BACKLOG).await?;
                for _ in 0..setup.idle {
                    idle.push(establish(&contender, &mut listener, PORT - 1, IDLE_BUFFER).await?);
                }
            }
            let mut listener = contender.listen(PORT, setup.buffer, BACKLOG).await?;
            let (client, server) = establish(&contender, &mut listener, PORT, setup.buffer).await?;
            Ok::<_, Box<dyn Error>>((client, server, idle))
        };
        let (client, server, idle) = must(contender.run(work));
        Self { client, server, _idle: idle, listener: None, datagrams: None, contender }
    }

    #[allow(dead_code, reason = "for what only one contender has")]
    pub(crate) fn contender(&self) -> &C {
        &self.contender
    }
}

impl<C: Contender> Pair for AsyncPair<C> {
    fn ping_pong(&mut self, count: usize) {
        let Self { contender, client, server, .. } = self;
        let asking = async {
            let mut buffer = [0; MESSAGE];
            for _ in 0..count {
                write_all::<C>(client, &[7; MESSAGE]).await?;
                read_exact::<C>(client, &mut buffer, MESSAGE).await?;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        let answering = async {
            let mut buffer = [0; MESSAGE];
            for _ in 0..count {
                read_exact::<C>(server, &mut buffer, MESSAGE).await?;
                write_all::<C>(server, &buffer).await?;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        must(contender.run(both(asking, answering)));
    }

    fn bulk(&mut self, bytes: usize) {
        let Self { contender, client, server, .. } = self;
        let sending = async {
            let chunk = vec![7; BUFFER];
            let mut left = bytes;
            while left > 0 {
                left -= C::write(client, &chunk[..chunk.len().min(left)]).await?;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        let receiving = async {
            let mut buffer = vec![0; BUFFER];
            let mut left = bytes;
            while left > 0 {
                left -= C::read(server, &mut buffer).await?;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        must(contender.run(both(sending, receiving)));
    }

    fn datagrams(&mut self, size: usize, count: usize) -> usize {
        let Self { contender, datagrams, .. } = self;
        let (left, right) = datagrams.get_or_insert_with(|| {
            let ends = async {
                let right = contender.bind(End::Right, PORT).await?;
                Ok::<_, Box<dyn Error>>((contender.bind(End::Left, PORT).await?, right))
            };
            must(contender.run(ends))
        });
        let arrived = Cell::new(0);
        let sending = async {
            let data = vec![7; size];
            let (mut sent, mut lost) = (0, 0);
            while sent < count {
                for _ in 0..WINDOW.min(count - sent) {
                    C::send(left, &data, PORT).await?;
                    sent += 1;
                }
                let mut checks = 0;
                while arrived.get() + lost < sent {
                    if checks == PATIENCE {
                        lost = sent - arrived.get();
                    }
                    checks += 1;
                    future::yield_now().await;
                }
            }
            Ok(())
        };
        let receiving = async {
            let mut buffer = vec![0; 2048];
            loop {
                C::receive(right, &mut buffer).await?;
                arrived.set(arrived.get() + 1);
            }
        };
        must(contender.run(either(sending, receiving)));
        arrived.get()
    }

    fn connections(&mut self, count: usize) -> Outcome<()> {
        let Self { contender, listener, .. } = self;
        let listener = listener.get_or_insert_with(|| {
            must(contender.run(contender.listen(PORT + 1, IDLE_BUFFER, BACKLOG)))
        });
        let serving = async {
            let mut buffer = [0; 1];
            for _ in 0..count {
                let mut server = contender.accept(listener).await?;
                read_exact::<C>(&mut server, &mut buffer, 1).await?;
                write_all::<C>(&mut server, &buffer).await?;
                // The client closes it first.
                while C::read(&mut server, &mut buffer).await? > 0 {}
                C::close(server).await?;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        let asking = async {
            let mut buffer = [0; 1];
            for _ in 0..count {
                let mut client = contender.connect(PORT + 1, IDLE_BUFFER).await?;
                write_all::<C>(&mut client, &[7]).await?;
                read_exact::<C>(&mut client, &mut buffer, 1).await?;
                C::close(client).await?;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        let limit = async {
            contender.sleep(LIMIT).await;
            Err("a connection hangs".into())
        };
        contender.run(either(both(serving, asking), limit))
    }
}
