//! Connecting by name: a race of connection attempts (RFC 8305, "Happy Eyeballs").
//!
//! Both families are looked up at once. Attempts start one after the other, IPv6 first and the
//! families in turn: the next one when the last has failed, or has taken [`ATTEMPT_DELAY`]. The
//! first that succeeds is the connection, and the others are aborted. [`TcpStream::connect`] is the
//! only caller; it drives the race and drops it, which leaves nothing behind.

use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::net::{IpAddr, SocketAddr};
use core::task::{Context, Poll};
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::{Lookup, Sockets, TcpSettings, TcpStream};
use crate::command::dns::{Question, RecordKind};
use crate::limits;
use crate::platform::BoxFuture;

/// "Resolution Delay" (RFC 8305 §3): IPv4 addresses wait so long for IPv6 ones.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);
/// "Connection Attempt Delay" (RFC 8305 §5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The addresses of one family.
struct Family {
    lookup: Option<Lookup>,
    /// Those that were not tried yet.
    addresses: VecDeque<IpAddr>,
}

struct Race<'a> {
    sockets: &'a Sockets,
    local: Option<SocketAddr>,
    port: u16,
    settings: &'a TcpSettings,
    /// The family whose turn it is comes first; at the start that is IPv6.
    families: [Family; 2],
    attempts: Vec<TcpStream>,
    has_started: bool,
    /// Until it is over, no attempt starts.
    pause: Option<BoxFuture<'static, ()>>,
    failure: Option<Error>,
}

/// Connects to the first address of `name` that answers.
pub(super) async fn connect(
    sockets: &Sockets,
    local: Option<SocketAddr>,
    (name, port): (&str, u16),
    settings: &TcpSettings,
) -> Result<TcpStream, Error> {
    let resolver = sockets.resolver();
    let families = [RecordKind::Aaaa, RecordKind::A].map(|kind| Family {
        lookup: (cfg!(feature = "ipv6") || kind == RecordKind::A)
            .then(|| resolver.start(Question { name: name.to_string(), kind, server: None })),
        addresses: VecDeque::new(),
    });
    let mut race = Race {
        sockets,
        local,
        port,
        settings,
        families,
        attempts: Vec::new(),
        has_started: false,
        pause: None,
        failure: None,
    };
    poll_fn(|context| race.poll(context)).await
}

impl Race<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<TcpStream, Error>> {
        self.poll_lookups(context);
        if let Some(stream) = self.poll_attempts(context) {
            return Poll::Ready(Ok(stream));
        }
        loop {
            if let Some(pause) = &mut self.pause
                && pause.as_mut().poll(context).is_pending()
            {
                return Poll::Pending;
            }
            self.pause = None;
            let Some(address) = self.next_address() else { break };
            if let Some(stream) = self.start(address, context) {
                return Poll::Ready(Ok(stream));
            }
        }
        let is_looking = self.families.iter().any(|family| family.lookup.is_some());
        if is_looking || !self.attempts.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(Err(self.failure.unwrap_or(Error::NotFound)))
    }

    fn poll_lookups(&mut self, context: &mut Context<'_>) {
        let mut failures = [None; 2];
        for (family, failure) in self.families.iter_mut().zip(&mut failures) {
            let Some(lookup) = &mut family.lookup else { continue };
            let Poll::Ready(found) = lookup.poll_resolve(context) else { continue };
            family.lookup = None;
            match found {
                Ok(answer) => family.addresses.extend(
                    answer
                        .addresses()
                        .filter(|to| self.local.is_none_or(|ours| ours.is_ipv4() == to.is_ipv4()))
                        .take(limits::CONNECT_ADDRESSES),
                ),
                Err(error) => *failure = Some(error),
            }
        }
        failures.into_iter().flatten().for_each(|error| self.fail(error));
        if self.has_started {
            return;
        }
        // Before the first attempt the families are in their first order.
        let [ipv6, ipv4] = &self.families;
        if ipv6.lookup.is_none() {
            self.pause = None;
        } else if !ipv4.addresses.is_empty() && self.pause.is_none() {
            self.pause = Some(self.sleep(RESOLUTION_DELAY));
        }
    }

    /// Returns the attempt that succeeded. After a failure the next one starts at once.
    fn poll_attempts(&mut self, context: &mut Context<'_>) -> Option<TcpStream> {
        let mut place = 0;
        while let Some(attempt) = self.attempts.get(place) {
            match attempt.poll_connect(context) {
                Poll::Pending => place += 1,
                Poll::Ready(Ok(())) => return Some(self.attempts.swap_remove(place)),
                Poll::Ready(Err(error)) => {
                    self.attempts.swap_remove(place);
                    self.pause = None;
                    self.fail(error);
                }
            }
        }
        None
    }

    /// The next address, from the families in turn.
    fn next_address(&mut self) -> Option<IpAddr> {
        let [first, second] = &mut self.families;
        if let Some(address) = first.addresses.pop_front() {
            self.families.swap(0, 1);
            return Some(address);
        }
        second.addresses.pop_front()
    }

    /// Starts an attempt; returns its stream if it is connected already.
    fn start(&mut self, address: IpAddr, context: &mut Context<'_>) -> Option<TcpStream> {
        self.has_started = true;
        let remote = SocketAddr::new(address, self.port);
        let begun = TcpStream::start(&self.sockets.place, self.local, remote, self.settings);
        let polled = begun.map(|stream| (stream.poll_connect(context), stream));
        match polled {
            Ok((Poll::Ready(Ok(())), stream)) => return Some(stream),
            Ok((Poll::Pending, stream)) => {
                self.attempts.push(stream);
                self.pause = Some(self.sleep(ATTEMPT_DELAY));
            }
            Ok((Poll::Ready(Err(error)), _)) | Err(error) => self.fail(error),
        }
        None
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = &self.sockets.clock;
        clock.sleep_until(clock.now().after(duration))
    }

    /// Keeps the failure that says most: what a host answered counts more than that there is no way
    /// to its other addresses.
    fn fail(&mut self, error: Error) {
        let is_vague = |error: &Error| {
            matches!(
                error,
                Error::NotFound | Error::NetworkUnreachable | Error::AddressNotAvailable
            )
        };
        if self.failure.as_ref().is_none_or(is_vague) || !is_vague(&error) {
            self.failure = Some(error);
        }
    }
}
