//! Numbers that nobody outside may guess (TCP-X-07): they come from the platform's entropy, each
//! time anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devnet_network::command::Resolve;
use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::driver::FramePool;
use devnet_network::platform::Entropy;
use devnet_network::{Manager, Platform, UdpSocket};
use devnet_virtual_file_system::VirtualFileSystem;
use world::{Host, SeededEntropy, World};

use crate::pair::options;
use crate::station::{PEER, at, drain};

/// Chance that is the same for everybody until it turns.
struct Turning {
    before: SeededEntropy,
    after: SeededEntropy,
    has_turned: AtomicBool,
}

impl Entropy for Turning {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        let source =
            if self.has_turned.load(Ordering::Relaxed) { &self.after } else { &self.before };
        source.fill(buffer)
    }
}

/// What an outsider sees of a host, in the order in which it appears.
#[derive(PartialEq, Eq, Debug, Default)]
struct Seen {
    /// Identifiers and source ports of questions to a name server.
    questions: Vec<(u16, u16)>,
    /// Transaction numbers of the DHCP client.
    transactions: Vec<u32>,
    /// Numbers by which fragments of datagrams belong together.
    identifications: Vec<u16>,
}

impl Seen {
    fn take(&mut self, frames: &[Vec<u8>]) {
        for frame in frames.iter().filter(|frame| frame[12..14] == [8, 0]) {
            let packet = &frame[14..];
            let short = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
            if short(6) & 0x3fff != 0 {
                self.identifications.push(short(4));
            } else if packet[9] == 17 && short(22) == 53 {
                self.questions.push((short(28), short(20)));
            } else if packet[9] == 17 && short(22) == 67 {
                self.transactions.push(u32::from_be_bytes(packet[32..36].try_into().unwrap()));
            }
        }
    }
}

/// Runs one host through the same play; its chance turns into `turn`'s after the first act. Gives
/// what was seen in each act.
fn play(first: u64, turn: u64) -> [Seen; 2] {
    let world = World::new(1);
    let entropy = Arc::new(Turning {
        before: SeededEntropy::new(first),
        after: SeededEntropy::new(turn),
        has_turned: AtomicBool::new(false),
    });
    let platform =
        Platform { entropy: Arc::clone(&entropy) as Arc<dyn Entropy>, ..world.platform() };
    let files = VirtualFileSystem::new();
    let manager = Manager::new(files.clone(), platform).unwrap();
    manager.register("lo", Box::new(devnet_drivers::Loopback::new(65535)), None).unwrap();
    let (end, mut hand) = devnet_drivers::cable(options());
    let host = Host { files, manager }.with("eth0", end, &["10.0.0.1/24"]);
    let device = host.open("eth0");
    host.write(&device, "neighbor add 10.0.0.9 02:00:00:00:00:02\ndns add 10.0.0.9").unwrap();
    let mut pool = FramePool::new();
    world.run(world.sleep(Duration::from_secs(5)));
    drain(&mut hand, &mut pool);
    let mut acts = [Seen::default(), Seen::default()];
    for (act, seen) in acts.iter_mut().enumerate() {
        entropy.has_turned.store(act > 0, Ordering::Relaxed);
        // Chance is fetched in blocks: by the end the last one of the first act is used up.
        for round in 0..200 {
            let name = format!("name{act}x{round}.example");
            let question = Question { name, kind: RecordKind::A, server: None };
            let asker = host.open("sockets");
            let lookup =
                world.spawn(async move { drop(asker.control::<Resolve>(&question).await) });
            host.write(&device, "dhcp start").unwrap();
            let socket = UdpSocket::new(&host.sockets());
            socket.try_send(&[7; 2000], Some(at(PEER, 9))).unwrap();
            world.run(world.sleep(Duration::from_millis(10)));
            seen.take(&drain(&mut hand, &mut pool));
            host.write(&device, "dhcp stop").unwrap();
            drop(lookup);
        }
    }
    acts
}

#[test]
fn tcp_x_07_what_must_not_be_guessed_comes_from_the_platforms_entropy_each_time() {
    let [first, second] = play(1, 2);
    for seen in [&first, &second] {
        assert!(
            seen.questions.len() >= 200
                && seen.transactions.len() >= 200
                && seen.identifications.len() >= 400
        );
        let distinct = |numbers: Vec<u32>| {
            numbers.into_iter().collect::<std::collections::BTreeSet<_>>().len()
        };
        // By chance a few of 200 may be equal.
        assert!(distinct(seen.questions.iter().map(|(id, _)| u32::from(*id)).collect()) > 190);
        assert!(distinct(seen.questions.iter().map(|(_, port)| u32::from(*port)).collect()) > 150);
        assert!(distinct(seen.transactions.clone()) > 190);
    }
    // The same chance gives the same numbers: there is no other source.
    assert_eq!(play(1, 2), [first, second]);
    let [first, second] = play(1, 2);
    let [same, other] = play(1, 3);
    assert_eq!(same, first);
    // Other chance from a moment on gives other numbers soon: no generator goes on from what it was
    // given at the beginning.
    let differs = |one: &[u32], another: &[u32]| {
        let pairs = one.iter().zip(another).skip(one.len() / 2);
        pairs.clone().filter(|(one, another)| one != another).count() * 10 >= pairs.count() * 9
    };
    let both = |seen: &Seen, part: fn(&(u16, u16)) -> u32| {
        seen.questions.iter().map(part).collect::<Vec<_>>()
    };
    assert!(
        differs(&both(&second, |known| known.0.into()), &both(&other, |known| known.0.into())),
        "DNS identifiers"
    );
    assert!(
        differs(&both(&second, |known| known.1.into()), &both(&other, |known| known.1.into())),
        "DNS ports"
    );
    assert!(differs(&second.transactions, &other.transactions), "DHCP transactions");
    // Those of fragments are counted from where chance let them begin (RFC 7739), another start on
    // another host.
    let [elsewhere, _] = play(4, 2);
    assert_ne!(elsewhere.identifications[0], first.identifications[0]);
}
