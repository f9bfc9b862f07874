//! Futures that are dropped half-way, the systems they are tried on, and what must be as before
//! afterwards.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use async_executor::Task;
use devnet_network::command::dns::{Record, RecordData};
use devnet_network::dns_message::{DnsMessage, QueryKind};
use devnet_network::{TcpListener, TcpStream, UdpSocket};
use devnet_virtual_file_system::Error;
use world::{Host, World};

use crate::pair::{hosts, read_to_end};

/// A future of one case.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Polls that no case comes near.
const MANY: usize = 400;

/// When a future is dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    polls: usize,
    /// Not at once after the last of the polls, but when it has been woken for the next one:
    /// whatever it waited for is there.
    when_woken: bool,
}

impl Cut {
    /// Drives the future, and drops it when its time has come; `None` then.
    pub(super) async fn drive<T>(self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut left = self.polls;
        let mut outcome = None;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            match future.as_mut().poll(context) {
                Poll::Ready(value) => {
                    outcome = Some(value);
                    Poll::Ready(())
                }
                Poll::Pending if left == 0 && !self.when_woken => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        outcome
    }
}

/// Two systems, the second with an echo service and a name server.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) left: Host,
    pub(super) right: Host,
    services: Vec<Task<()>>,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let (left, right) = hosts(&world);
        left.write(&left.open("eth0"), "dns add 10.0.0.2").unwrap();
        let services = vec![
            world.spawn(echo_streams(right.clone())),
            world.spawn(echo_datagrams(right.clone())),
            names(&world, &right),
            names_by_stream(&world, &right),
        ];
        Self { world, left, right, services }
    }

    pub(super) async fn sleep(&self, milliseconds: u64) {
        self.world.sleep(Duration::from_millis(milliseconds)).await;
    }

    /// Everything that a dropped future could leave behind: sockets on both sides, and sleeps under
    /// way. First comes a time in which all that lives on for a while, as the protocols want it,
    /// ends.
    async fn census(&self) -> (usize, usize, usize) {
        self.sleep(3_600_000).await;
        (self.left.open_sockets(), self.right.open_sockets(), self.world.clock.sleepers())
    }

    /// Both protocols still work, both ways.
    async fn works(&self) {
        let stream = TcpStream::connect(&self.left.sockets(), "10.0.0.2:7").await.unwrap();
        stream.write_all(b"alive").await.unwrap();
        stream.shutdown(devnet_network::command::socket::Direction::Write).unwrap();
        assert_eq!(read_to_end(&stream).await.unwrap(), b"alive");
        let socket = UdpSocket::new(&self.left.sockets());
        socket.send_to(b"alive", "10.0.0.2:7".parse().unwrap()).await.unwrap();
        assert_eq!(socket.receive().await.unwrap().data, b"alive");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.services.clear();
    }
}

/// Tries a case with its future dropped after no poll, after one, after two …, until it ends by
/// itself. The case drives the future that it is about by [`Cut::drive`], looks that nothing is
/// lost, and tells whether the future ended.
pub(super) fn at_every_await(case: impl for<'a> Fn(&'a Scene, Cut) -> Boxed<'a, bool>) {
    for when_woken in [false, true] {
        let ends = (0..MANY).find(|polls| {
            let cut = Cut { polls: *polls, when_woken };
            let scene = Scene::new(1 + *polls as u64);
            scene.world.run(async {
                scene.works().await;
                let before = scene.census().await;
                let ended = case(&scene, cut).await;
                scene.works().await;
                assert_eq!(scene.census().await, before, "{cut:?}: sockets left and right, sleeps");
                ended
            })
        });
        assert!(ends.is_some(), "it never ends by itself");
    }
}

/// Gives back what comes by streams to port 7.
async fn echo_streams(host: Host) {
    let listener = TcpListener::bind(&host.sockets(), "0.0.0.0:7".parse().unwrap(), 8).unwrap();
    loop {
        let stream = listener.accept().await.unwrap();
        let data = read_to_end(&stream).await.unwrap();
        stream.write_all(&data).await.unwrap();
    }
}

/// Gives back what comes by datagrams to port 7.
async fn echo_datagrams(host: Host) {
    let socket = UdpSocket::new(&host.sockets());
    socket.bind("0.0.0.0:7".parse().unwrap()).unwrap();
    loop {
        let message = socket.receive().await.unwrap();
        socket.send_to(&message.data, message.remote).await.unwrap();
    }
}

/// What the name server says. `large.lan` does not fit into a datagram, `silent.lan` gets no
/// answer.
fn answer(query: &DnsMessage, by_stream: bool) -> Option<DnsMessage> {
    let record = |data| vec![Record { name: query.name.clone(), data, time_to_live: 60 }];
    let address = record(RecordData::Address("10.0.0.2".parse().unwrap()));
    let answers = match (query.kind, query.name.as_str()) {
        (_, "silent.lan") => return None,
        (QueryKind::A, "web.lan") => address,
        (QueryKind::A, "large.lan") if by_stream => address,
        (QueryKind::A | QueryKind::Aaaa, "alias.lan") => {
            record(RecordData::Cname("web.lan".into()))
        }
        (QueryKind::Ptr, "2.0.0.10.in-addr.arpa") => record(RecordData::Ptr("web.lan".into())),
        _ => Vec::new(),
    };
    let is_truncated = query.name == "large.lan" && !by_stream;
    Some(DnsMessage { is_response: true, is_truncated, answers, ..query.clone() })
}

fn names(world: &World, host: &Host) -> Task<()> {
    let (clock, sockets) = (world.clock.clone(), host.sockets());
    world.spawn(async move {
        let socket = UdpSocket::new(&sockets);
        socket.bind("0.0.0.0:53".parse().unwrap()).unwrap();
        loop {
            let message = socket.receive().await.unwrap();
            pause(&clock).await;
            let query = DnsMessage::parse(&message.data).unwrap();
            if let Some(answer) = answer(&query, false) {
                // Whoever asked may be gone, which comes back as an error.
                let _ = socket.send_to(&answer.to_bytes().unwrap(), message.remote).await;
            }
        }
    })
}

fn names_by_stream(world: &World, host: &Host) -> Task<()> {
    let (clock, sockets) = (world.clock.clone(), host.sockets());
    world.spawn(async move {
        let listener = TcpListener::bind(&sockets, "0.0.0.0:53".parse().unwrap(), 8).unwrap();
        loop {
            let stream = listener.accept().await.unwrap();
            // Whoever asked may be gone, which ends the exchange.
            let _ = exchange(&stream, &clock).await;
        }
    })
}

/// One question and its answer, in pieces.
async fn exchange(stream: &TcpStream, clock: &world::VirtualClock) -> Result<(), Error> {
    let mut query = [0; 512];
    let length = stream.read(&mut query).await?;
    let Some(query) = query.get(2..length).and_then(|query| DnsMessage::parse(query).ok()) else {
        return Ok(());
    };
    let answer = answer(&query, true).map(|answer| answer.to_bytes().unwrap()).unwrap_or_default();
    let mut framed = u16::try_from(answer.len()).unwrap().to_be_bytes().to_vec();
    framed.extend_from_slice(&answer);
    for piece in [&framed[..1], &framed[1..10], &framed[10..]] {
        pause(clock).await;
        stream.write_all(piece).await?;
    }
    Ok(())
}

async fn pause(clock: &world::VirtualClock) {
    use devnet_network::platform::Clock;
    clock.sleep_until(clock.now().after(Duration::from_millis(3))).await;
}
