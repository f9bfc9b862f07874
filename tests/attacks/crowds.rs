//! Crowds of peers: they open connections, and then take nothing.
//!
//! A peer keeps no state: it answers each segment of the host by what stands in it.

use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use devnet_drivers::LanPort;
use devnet_network::driver::FramePool;
use devnet_network::limits;
use devnet_network::platform::Clock;
use world::cable;

use crate::attack::{Attack, NEAR, Running, Start};
use crate::floods::frame;
use crate::scene::{ATTACKER, HASTY, Scene};
use crate::segment::{ACK, RST, SYN, Segment};

/// The first address of the peers.
const FIRST: u32 = 0xac10_0000;
/// Connections that are opened in a millisecond.
const PACE: u32 = 4;
/// Peers that hang up in a millisecond.
const LEAVING: usize = 100;
/// How long a crowd has to be there.
const ARRIVAL: Duration = Duration::from_secs(30);

pub(crate) const CROWDS: [Attack; 3] = [
    Attack {
        name: "idle connections to httpd",
        amount: "20,000",
        // What a connection counts for, the server's task and open file, its place in the crowd.
        bound: 20_000 * 3 * limits::TCP_CONNECTION_BYTES,
        start: Start::Link(|scene| Box::pin(crowd(scene, &IDLE))),
        ..NEAR
    },
    Attack {
        name: "zero-window peers of httpd",
        amount: "2,000",
        bound: limits::TCP_MEMORY,
        start: Start::Link(|scene| Box::pin(crowd(scene, &DEAF))),
        ..NEAR
    },
    Attack {
        name: "orphans",
        amount: "10,000",
        bound: limits::TCP_MEMORY,
        start: Start::Link(|scene| Box::pin(crowd(scene, &ABANDONED))),
        ..NEAR
    },
];

/// What the peers of a crowd do.
struct Manner {
    count: u32,
    /// The host's port.
    port: u16,
    request: &'static [u8],
    window: u16,
}

const IDLE: Manner = Manner { count: 20_000, port: 80, request: b"", window: 8192 };
const DEAF: Manner =
    Manner { count: 2000, port: 80, request: b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n", window: 0 };
const ABANDONED: Manner = Manner { count: 10_000, port: HASTY, request: b"", window: 0 };

impl Manner {
    fn peer(number: u32) -> (Ipv4Addr, u16) {
        (Ipv4Addr::from_bits(FIRST + number), 2000)
    }

    fn segment(&self, number: u32, flags: u8, sequence: u32, acknowledgment: u32) -> Segment {
        let segment = Segment::new(Self::peer(number), self.port, flags, sequence, acknowledgment);
        Segment { window: self.window, ..segment }
    }

    /// What a peer says to a segment of the host.
    fn answer(&self, segment: &Segment) -> Option<Segment> {
        let number = segment.peer.0.to_bits().checked_sub(FIRST)?;
        if segment.flags & RST != 0 || segment.host != self.port {
            return None;
        }
        let next = segment.sequence.wrapping_add(segment.length());
        if segment.flags & SYN != 0 {
            let mut answer = self.segment(number, ACK, segment.acknowledgment, next);
            answer.data = self.request.to_vec();
            return Some(answer);
        }
        let acknowledged = if self.window == 0 { segment.sequence } else { next };
        (segment.length() > 0)
            .then(|| self.segment(number, ACK, segment.acknowledgment, acknowledged))
    }
}

/// The peers, at their port of the switch.
struct Peers {
    manner: &'static Manner,
    port: LanPort,
    pool: FramePool,
    opened: u32,
    /// What each sends next.
    sequences: Vec<u32>,
}

impl Peers {
    fn send(&mut self, segment: &Segment) {
        cable::put(&mut self.port, &mut self.pool, &frame(ATTACKER, &segment.packet()));
    }

    /// Answers what came, and lets more of them come.
    fn go_on(&mut self) {
        while let Some(bytes) = cable::take(&mut self.port, &mut self.pool) {
            let Some(segment) = Segment::read(&bytes) else { continue };
            let Some(answer) = self.manner.answer(&segment) else { continue };
            let place = answer.peer.0.to_bits() - FIRST;
            if let Some(sequence) = self.sequences.get_mut(place as usize) {
                *sequence = answer.sequence.wrapping_add(answer.length());
            }
            self.send(&answer);
        }
        for _ in 0..PACE.min(self.manner.count - self.opened) {
            let syn = self.manner.segment(self.opened, SYN, self.opened.wrapping_mul(977), 0);
            self.send(&Segment { window: 8192, ..syn });
            self.opened += 1;
        }
    }

    /// Some of them hang up.
    fn leave(&mut self, from: u32, to: u32) {
        for number in from..to.min(self.opened) {
            let sequence = self.sequences[number as usize];
            let reset = self.manner.segment(number, RST, sequence, 0);
            self.send(&reset);
        }
        while cable::take(&mut self.port, &mut self.pool).is_some() {}
    }
}

/// Lets a crowd come, and waits until all are there.
async fn crowd(scene: &Scene, manner: &'static Manner) -> Running {
    let (meter, clock) = (scene.meter.clone(), scene.world.clock.clone());
    let running = Running::default();
    let ended = running.ended.clone();
    let sequences = vec![0; manner.count as usize];
    let mut peers =
        Peers { manner, port: scene.port(), pool: FramePool::new(), opened: 0, sequences };
    let task = scene.world.spawn(async move {
        while !ended.load(Ordering::Relaxed) {
            meter.uncounted(|| peers.go_on());
            clock.sleep_until(clock.now().after(Duration::from_millis(1))).await;
        }
        for first in (0..manner.count).step_by(LEAVING) {
            meter.uncounted(|| peers.leave(first, first + LEAVING as u32));
            clock.sleep_until(clock.now().after(Duration::from_millis(1))).await;
        }
    });
    let running = Running { tasks: vec![task], ..running };
    let (clock, before) = (&scene.world.clock, scene.accounts().sockets);
    let late = clock.now().after(ARRIVAL);
    while clock.now() < late && scene.accounts().sockets < before + manner.count as usize {
        scene.world.sleep(Duration::from_millis(100)).await;
    }
    running
}
