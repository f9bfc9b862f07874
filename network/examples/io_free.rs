//! A server and a client without executor, thread or clock: two cores on a cable, and one loop that
//! passes the time.
//!
//! `cargo run -p devnet-network --example io_free`

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use devnet_drivers::Cable;
use devnet_network::io_free::{Core, Port, ReadyList};
use devnet_network::platform::Instant;
use devnet_network::{TcpListener, TcpStream};
use devnet_virtual_file_system::Error as Errno;

/// A core with its driver, which it is lent for each poll.
struct Node {
    core: Core,
    port: Port,
    driver: Cable,
}

impl Node {
    fn new(
        entropy: &devnet_drivers::Host,
        mut driver: Cable,
        address: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let core = Core::new(entropy.entropy(), Instant::ZERO)?;
        let port = core.attach("eth0", &mut driver)?;
        core.manager().configure("eth0", "link up")?;
        core.manager().configure("eth0", &format!("address add {address}"))?;
        Ok(Self { core, port, driver })
    }

    fn poll(&mut self, now: Instant) -> bool {
        self.core.poll(now, &mut self.port, &mut self.driver)
    }
}

/// Echoes what its connections send. Polls only sockets that were woken.
struct Server {
    listener: TcpListener,
    streams: BTreeMap<u32, (TcpStream, Waker)>,
    ready: ReadyList<u32>,
    /// The listener's key, 0.
    waker: Waker,
    last: u32,
}

impl Server {
    fn new(core: &Core, address: &str) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind(&core.sockets(), address.parse()?, 128)?;
        let ready = ReadyList::new();
        let waker = ready.waker(0);
        waker.wake_by_ref();
        Ok(Self { listener, streams: BTreeMap::new(), ready, waker, last: 0 })
    }

    fn serve(&mut self) -> Result<(), Errno> {
        while let Some(number) = self.ready.next() {
            if number == 0 {
                self.accept()?;
            } else if let Some((stream, waker)) = self.streams.get(&number)
                && echo(stream, waker)?
            {
                self.streams.remove(&number);
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<(), Errno> {
        while let Poll::Ready(stream) =
            self.listener.poll_accept(&mut Context::from_waker(&self.waker))
        {
            self.last += 1;
            let waker = self.ready.waker(self.last);
            waker.wake_by_ref();
            self.streams.insert(self.last, (stream?, waker));
        }
        Ok(())
    }
}

/// Sends back the readable data; true at the end of the stream.
fn echo(stream: &TcpStream, waker: &Waker) -> Result<bool, Errno> {
    let (mut buffer, mut context) = ([0; 1024], Context::from_waker(waker));
    loop {
        match stream.poll_read(&mut context, &mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(0)) => return Ok(true),
            // A kilobyte always fits here; a real server would keep what does not.
            Poll::Ready(Ok(length)) => {
                stream.try_write(buffer.get(..length).unwrap_or_default())?;
            }
            Poll::Ready(Err(error)) => return Err(error),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let host = devnet_drivers::Host::new();
    let (left, right) = devnet_drivers::cable(devnet_drivers::CableOptions::default());
    let mut client = Node::new(&host, left, "10.0.0.1/24")?;
    let mut server = Node::new(&host, right, "10.0.0.2/24")?;
    let mut echo_server = Server::new(&server.core, "10.0.0.2:7")?;

    // Connecting is a future; the core drives it.
    let answer = Arc::new(std::sync::Mutex::new(None));
    let (place, sockets) = (Arc::clone(&answer), client.core.sockets());
    client.core.spawn(async move {
        let exchange = async {
            let stream = TcpStream::connect(&sockets, "10.0.0.2:7").await?;
            stream.write_all(b"hello without an executor").await?;
            let mut buffer = [0; 64];
            let length = stream.read(&mut buffer).await?;
            Ok::<_, Errno>(
                String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned(),
            )
        };
        let outcome = exchange.await;
        if let Ok(mut place) = place.lock() {
            *place = Some(outcome);
        }
    });

    let mut now = Instant::ZERO;
    loop {
        while client.poll(now) | server.poll(now) {}
        echo_server.serve()?;
        if let Some(outcome) = answer.lock().ok().and_then(|mut answer| answer.take()) {
            println!("at {now:?} the server said: {}", outcome?);
            return Ok(());
        }
        // A program with real devices sleeps here until the deadline or a frame; this one advances
        // the time.
        now = match [client.core.next_deadline(), server.core.next_deadline()]
            .into_iter()
            .flatten()
            .min()
        {
            Some(deadline) => deadline.max(now),
            None => return Err("nothing is due and nobody answered".into()),
        };
    }
}
