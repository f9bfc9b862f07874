//! Accepted connections between a listener's file and the file that claims them by token.

use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use core::future::poll_fn;

use devnet_virtual_file_system::{Error, Lock, Result};

use crate::command::socket::Offer;
use crate::limits;
use crate::platform::Entropy;
use crate::seat::Seat;
use crate::socket::{TcpListener, TcpSettings, TcpStream};

/// A connection with its token; the listener is kept only for comparison.
struct Unclaimed {
    token: u64,
    listener: Weak<TcpListener>,
    stream: TcpStream,
    settings: TcpSettings,
}

/// Offered connections that were not claimed yet. The backlogs of their listeners and
/// [`limits::OFFERS`] bound them; the oldest is reset when the list is full.
pub(super) struct Offers {
    /// The source of unpredictable tokens.
    entropy: Arc<dyn Entropy>,
    unclaimed: Lock<VecDeque<Unclaimed>>,
    /// The settings of the latest stream; most streams have the same.
    settings: Lock<Arc<TcpSettings>>,
}

impl Offers {
    pub(super) fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, unclaimed: Lock::default(), settings: Lock::default() }
    }

    /// These settings, shared with the stream before if that has the same.
    pub(super) fn shared(&self, settings: TcpSettings) -> Arc<TcpSettings> {
        self.settings.with(|latest| {
            if **latest != settings {
                *latest = Arc::new(settings);
            }
            Arc::clone(latest)
        })
    }

    /// Waits for a connection and offers it. It holds what `reserve` gives; while that fails, it
    /// stays in the backlog.
    pub(super) async fn next(
        &self,
        listener: &Arc<TcpListener>,
        reserve: impl Fn() -> Result<Option<Seat>>,
    ) -> Result<Offer> {
        let (seat, (stream, settings)) = loop {
            poll_fn(|context| listener.poll_ready(context)).await;
            let seat = reserve()?;
            match listener.try_take(None) {
                // Somebody else took it.
                Err(Error::WouldBlock) => {}
                taken => break (seat, taken?),
            }
        };
        if let Some(seat) = seat {
            stream.hold(seat);
        }
        let mut token = [0; 8];
        if self.entropy.fill(&mut token).is_err() {
            stream.abort();
            return Err(Error::InputOutput);
        }
        let offer = Offer {
            token: u64::from_ne_bytes(token),
            local: stream.local_addr(),
            remote: stream.peer_addr(),
        };
        self.put(offer.token, listener, stream, settings);
        Ok(offer)
    }

    fn put(
        &self,
        token: u64,
        listener: &Arc<TcpListener>,
        stream: TcpStream,
        settings: TcpSettings,
    ) {
        let dropped = self.unclaimed.with(|offers| {
            let oldest = if offers.len() >= limits::OFFERS { offers.pop_front() } else { None };
            offers.push_back(Unclaimed {
                token,
                listener: Arc::downgrade(listener),
                stream,
                settings,
            });
            oldest
        });
        drop(dropped);
    }

    /// Claims a connection by its token; returns it with its settings.
    pub(super) fn claim(&self, token: u64) -> Result<(TcpStream, TcpSettings)> {
        self.unclaimed
            .with(|offers| {
                let index = offers.iter().position(|unclaimed| unclaimed.token == token)?;
                offers.remove(index)
            })
            .map(|unclaimed| (unclaimed.stream, unclaimed.settings))
            .ok_or(Error::NotFound)
    }

    /// The listener was closed: resets its unclaimed connections.
    pub(super) fn reset_offers_of(&self, listener: &Arc<TcpListener>) {
        let ended: VecDeque<Unclaimed> = self.unclaimed.with(|offers| {
            let (kept, ended) = offers
                .drain(..)
                .partition(|unclaimed| unclaimed.listener.as_ptr() != Arc::as_ptr(listener));
            *offers = kept;
            ended
        });
        ended.iter().for_each(|unclaimed| unclaimed.stream.abort());
    }
}
