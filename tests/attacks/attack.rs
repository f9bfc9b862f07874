//! What an attack is, and how long it goes on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_executor::Task;

use crate::kinds::Kind;
use crate::scene::Scene;

/// One row of the table.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What the attacker does, as the table says it.
    pub(crate) amount: &'static str,
    /// A round trip of the honest peer.
    pub(crate) round_trip: Duration,
    /// Bits per second of its cable.
    pub(crate) rate: u64,
    /// How long the honest peer fetches pages.
    pub(crate) time: Duration,
    /// The server's address for the honest peer.
    pub(crate) server: &'static str,
    /// Bytes by which the host may grow.
    pub(crate) bound: usize,
    pub(crate) start: Start,
}

type Starting<'a> = Pin<Box<dyn Future<Output = Running> + 'a>>;

/// Who attacks, and how it begins until it is in full swing.
pub(crate) enum Start {
    Link(fn(&Scene) -> Starting<'_>),
    Guest(Kind),
}

/// An attack that goes on.
#[derive(Default)]
pub(crate) struct Running {
    pub(crate) ended: Arc<AtomicBool>,
    pub(crate) tasks: Vec<Task<()>>,
}

impl Running {
    /// Ends it: attackers hang up, guests are killed.
    pub(crate) async fn end(self, scene: &Scene) {
        self.ended.store(true, Ordering::Relaxed);
        scene.world.sleep(Duration::from_millis(500)).await;
        for task in self.tasks {
            task.cancel().await;
        }
    }
}

/// A peer on the same link.
pub(crate) const NEAR: Attack = Attack {
    name: "",
    amount: "",
    round_trip: Duration::from_millis(1),
    rate: 1_000_000_000,
    time: Duration::from_secs(1),
    server: "10.0.0.1:80",
    bound: 0,
    start: Start::Link(|_| Box::pin(async { Running::default() })),
};
