//! One server over TLS (RFC 7858), by the strict profile of RFC 8310: without a certificate that is
//! trusted and has the server's name there is no answer, and never one in clear text.
//!
//! The queries of one lookup share a connection, and responses may come in any order (RFC 7766
//! §7). Another lookup makes a new one, and resumes the session where the server offers that, which
//! is a matter of the configuration. Queries are padded (RFC 8467): their length does not tell the
//! name.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::io;

use devnet_virtual_file_system::Error;
use futures_lite::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::rustls::pki_types::ServerName;
use futures_rustls::rustls::{self, ClientConfig};

use super::Resolver;
use super::exchange::{End, Exchange, framed, is_refusal_of_options};
use crate::command::dns::SecureServer;
use crate::platform::before;
use crate::trace::message;
use crate::{TcpSettings, TcpStream};

/// The timeout of all responses of one connection, with its handshakes.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Queries are as long as a multiple of this (RFC 8467 §4.1).
const PADDED_BYTES: usize = 128;

/// What is trusted.
#[derive(Clone)]
pub(in crate::socket) struct Tls(Arc<ClientConfig>);

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}

/// The name as certificates have it: a domain or an address.
pub(super) fn server_name(text: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(text.to_string()).ok()
}

impl Resolver {
    /// Says what is trusted.
    pub(crate) fn set_tls(&self, config: Arc<ClientConfig>) {
        self.sockets.names.tls.with(|tls| *tls = Some(Tls(config)));
    }

    /// Asks over TLS, until every query has its response or there is a reason to ask again.
    pub(super) async fn ask_by_tls(
        &self,
        server: SocketAddr,
        secure: &SecureServer,
        exchanges: &mut [Exchange],
    ) -> End {
        let clock = &*self.sockets.clock;
        let deadline = clock.now().after(TIMEOUT);
        // Boxed, as few lookups come here.
        let asked = pin!(Box::pin(self.over_tls(server, secure, exchanges)));
        match before(clock, deadline, asked).await {
            Some(Ok(end)) => end,
            Some(Err(error)) => {
                message!(debug, "devnet::dns", "{} over TLS: {}", server, error);
                End::Failed(meaning(&error))
            }
            None => End::Failed(Error::TimedOut),
        }
    }

    async fn over_tls(
        &self,
        server: SocketAddr,
        secure: &SecureServer,
        exchanges: &mut [Exchange],
    ) -> io::Result<End> {
        let tls = self.sockets.names.tls.with(|tls| tls.clone());
        let (Some(Tls(config)), Some(name)) = (tls, server_name(&secure.name)) else {
            return Ok(End::Failed(Error::Unsupported));
        };
        let stream = TcpStream::try_connect(&self.sockets, None, server, &TcpSettings::default());
        let stream = stream.map_err(io::Error::other)?;
        poll_fn(|context| stream.poll_connect(context)).await.map_err(io::Error::other)?;
        let mut stream = TlsConnector::from(config).connect(name, stream).await?;
        let mut queries: Vec<u8> = Vec::new();
        for exchange in &*exchanges {
            let query = exchange.query.to_padded_bytes(PADDED_BYTES);
            let query = query.and_then(|query| framed(&query)).map_err(io::Error::other)?;
            queries.extend_from_slice(&query);
        }
        stream.write_all(&queries).await?;
        stream.flush().await?;
        while exchanges.iter().any(|exchange| !exchange.is_heard()) {
            let message = read_message(&mut stream).await?;
            let open = exchanges.iter_mut().filter(|exchange| !exchange.is_heard());
            let found = open.map(|exchange| (exchange.query.response(&message), exchange));
            let found = found.filter_map(|(response, exchange)| Some((response?, exchange))).next();
            let Some((response, exchange)) = found else {
                message!(debug, "devnet::dns", "a message of {} answers no question", server);
                continue;
            };
            if exchange.query.payload.is_some() && is_refusal_of_options(&response) {
                return Ok(End::NoOptions);
            }
            exchange.hear(server, response, message.len());
        }
        // The server is told; whether it hears that matters to nobody.
        let _ = poll_fn(|context| Poll::Ready(pin!(&mut stream).poll_close(context))).await;
        Ok(End::Complete)
    }
}

async fn read_message(stream: &mut TlsStream<TcpStream>) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).await?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// What a failure means to whoever asked: `PermissionDenied` for a server that is not who it should
/// be, `BadMessage` for one that does not speak TLS as we do, and else that of the connection.
fn meaning(error: &io::Error) -> Error {
    let inner = error.get_ref();
    if let Some(ours) = inner.and_then(|inner| inner.downcast_ref::<Error>()) {
        return *ours;
    }
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Error::PermissionDenied,
        Some(_) => Error::BadMessage,
        None => match error.kind() {
            io::ErrorKind::TimedOut => Error::TimedOut,
            io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
            io::ErrorKind::HostUnreachable => Error::HostUnreachable,
            io::ErrorKind::NetworkUnreachable => Error::NetworkUnreachable,
            _ => Error::ConnectionReset,
        },
    }
}
