//! Short answers and their end: what a client waits for that reads until the server closes.

use std::time::Duration;

use devnet_network::command::option::CongestionControl;
use devnet_network::{TcpListener, TcpSettings, TcpStream};
use world::{Host, Path, Quality, World};

use crate::pair::{pattern, read_to_end};

const SERVER: &str = "10.0.0.2:80";
/// How much later than a round trip the end may come.
const SLACK: Duration = Duration::from_millis(5);
const ALL: [CongestionControl; 3] =
    [CongestionControl::Cubic, CongestionControl::NewReno, CongestionControl::Bbr];

/// How long three requests in turn take to their end, connections included.
fn time_to_end(round_trip: Duration, congestion: CongestionControl, bytes: usize) -> Vec<Duration> {
    let world = World::new(1);
    let path = Path::new(&world, Quality { delay: round_trip / 2, ..Quality::PERFECT });
    let (left, right) = path.ends(1500);
    let left = Host::new(&world).with("eth0", left, &["10.0.0.1/24"]);
    let right = Host::new(&world).with("eth0", right, &["10.0.0.2/24"]);
    let settings = TcpSettings::default().congestion(congestion);
    let address = SERVER.parse().expect("an address");
    let listener = TcpListener::bind_with(&right.sockets(), address, 4, settings).expect("free");
    let server = world.spawn(async move {
        for _ in 0..3 {
            let stream = listener.accept().await.expect("a connection");
            let mut request = [0; 64];
            stream.read(&mut request).await.expect("a request");
            stream.write_all(&pattern(bytes)).await.expect("room");
        }
    });
    let times = world.run(async {
        let mut times = Vec::new();
        for _ in 0..3 {
            let stream = TcpStream::connect(&left.sockets(), address).await.expect("a server");
            let before = world.now();
            stream.write_all(b"GET").await.expect("room");
            assert!(read_to_end(&stream).await.expect("an answer") == pattern(bytes));
            times.push(world.now().since(before));
        }
        times
    });
    world.run(server);
    times
}

/// The FIN leaves with the data or right behind it, and the pacer holds no short answer: a request
/// takes a round trip, whatever that is and whoever controls congestion.
#[test]
fn a_short_answer_and_its_end_take_one_round_trip() {
    for congestion in ALL {
        for micros in [100, 1_000, 10_000, 30_000, 100_000, 300_000] {
            let round_trip = Duration::from_micros(micros);
            for bytes in [1, 500, 1460, 5_000, 14_000] {
                let times = time_to_end(round_trip, congestion, bytes);
                assert!(
                    times.iter().all(|time| *time >= round_trip && *time <= round_trip + SLACK),
                    "{bytes} bytes, {congestion:?}, {round_trip:?}: {times:?}"
                );
            }
        }
    }
}
