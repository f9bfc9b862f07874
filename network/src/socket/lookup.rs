//! Lookups in other forms than [`Resolver::resolve`]: polled by hand, or for addresses alone.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::net::IpAddr;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use devnet_virtual_file_system::Error;

use super::Resolver;
use crate::command::dns::{Answer, Query, Question, RecordKind, Reply};
#[cfg(feature = "mdns")]
use crate::command::mdns::{FoundService, ServiceBrowse};
use crate::platform::BoxFuture;

/// A lookup that [`Resolver::start`] or [`Resolver::start_query`] began: a future, or polled by
/// hand.
///
/// # Cancel safety
/// Dropping it ends the lookup.
pub struct Lookup<T = Answer>(BoxFuture<'static, Result<T, Error>>);

impl<T> Lookup<T> {
    /// The answer, or registers the waker. It must not be polled once it has answered.
    pub fn poll_resolve(&mut self, context: &mut Context<'_>) -> Poll<Result<T, Error>> {
        self.0.as_mut().poll(context)
    }

    /// The answer, if there is one by now; each try drives the lookup on. Not after the answer. One
    /// that is not tried for [`LOOKUP_SECONDS`](crate::limits::LOOKUP_SECONDS) may time out.
    ///
    /// # Errors
    /// `WouldBlock` when there is none yet; else as [`Resolver::resolve`].
    pub fn try_resolve(&mut self) -> Result<T, Error> {
        match self.poll_resolve(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => Err(Error::WouldBlock),
        }
    }
}

impl<T> Future for Lookup<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_resolve(context)
    }
}

impl<T> fmt::Debug for Lookup<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lookup")
    }
}

impl Resolver {
    /// Begins to resolve a question, for callers that poll: [`Lookup::poll_resolve`] and
    /// [`Lookup::try_resolve`] tell the answer. Nothing is sent before the first of them.
    #[must_use]
    pub fn start(&self, question: Question) -> Lookup {
        let resolver = self.clone();
        Lookup(Box::pin(async move { resolver.resolve(&question).await }))
    }

    /// As [`start`](Self::start), for [`query`](Self::query).
    #[must_use]
    pub fn start_query(&self, query: Query) -> Lookup<Reply> {
        let resolver = self.clone();
        Lookup(Box::pin(async move { resolver.query(&query).await }))
    }

    /// As [`start`](Self::start), for [`browse`](Self::browse).
    #[cfg(feature = "mdns")]
    #[must_use]
    pub fn start_browse(&self, browse: ServiceBrowse) -> Lookup<Vec<FoundService>> {
        let resolver = self.clone();
        Lookup(Box::pin(async move { resolver.browse(&browse).await }))
    }

    /// The addresses of a name, as `getaddrinfo` finds them: at least one, IPv6 first.
    ///
    /// ```
    /// async fn addresses(sockets: &devnet_network::Sockets) {
    ///     if let Ok(found) = sockets.resolver().lookup("web.lan").await {
    ///         assert!(!found.is_empty());
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve); `NotFound` also for a name without addresses.
    ///
    /// # Cancel safety
    /// Dropping the future ends the lookup.
    pub async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, Error> {
        let question = Question { name: name.to_string(), kind: RecordKind::Address, server: None };
        let mut found: Vec<IpAddr> = self.resolve(&question).await?.addresses().collect();
        found.sort_by_key(IpAddr::is_ipv4);
        if found.is_empty() { Err(Error::NotFound) } else { Ok(found) }
    }
}
