//! One server and one name: queries by UDP, or by TCP where UDP does not do (RFC 5452, RFC 6891,
//! RFC 7766).
//!
//! What guards an answer: the server's address and port, a random port and identifier of ours, and
//! the spelling of the name, in which each letter is large or small by chance. A server that does
//! not repeat the spelling, or does not know EDNS, is asked again at once without.

use alloc::boxed::Box;
use alloc::string::String;
#[cfg(feature = "tcp")]
use alloc::vec;
use alloc::vec::Vec;
#[cfg(feature = "tcp")]
use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::pin;
use core::time::Duration;

use devnet_virtual_file_system::Error;

use super::Resolver;
use crate::UdpSocket;
use crate::dns_message::{DnsMessage, QueryKind, Response, ResponseCode};
use crate::platform::before;
use crate::trace::message;
#[cfg(feature = "tcp")]
use crate::{TcpSettings, TcpStream};

/// The timeout of a response over TCP.
#[cfg(feature = "tcp")]
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
/// The bytes of UDP messages that a query over TLS offers to take, where there are none.
const PAYLOAD_OVER_TLS: u16 = 1232;
/// Random bytes of a query: the identifier, and a bit for each letter of the longest name.
const RANDOM_BYTES: usize = 2 + 32;

/// How queries are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// The bytes of UDP messages to offer; `None` for a query without EDNS.
    pub(super) payload: Option<u16>,
    /// Letters are large and small by chance.
    pub(super) is_mixed: bool,
    /// The server is asked to ask others.
    pub(super) recursion: bool,
    /// By TCP at once.
    pub(super) by_stream: bool,
}

/// A response, and whose it is.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) server: SocketAddr,
    pub(super) identifier: u16,
    pub(super) kind: QueryKind,
    pub(super) bytes: usize,
    pub(super) response: Response,
}

/// What came of asking one server for all types.
pub(super) struct Outcome {
    pub(super) heard: Vec<Heard>,
    /// Why a response is missing.
    pub(super) failure: Option<Error>,
}

/// Why receiving ended.
pub(super) enum End {
    Complete,
    Failed(Error),
    /// The server does not repeat the spelling.
    OtherSpelling,
    /// The server does not know EDNS.
    NoOptions,
}

pub(super) struct Exchange {
    pub(super) query: DnsMessage,
    heard: Option<Heard>,
}

impl Exchange {
    /// True once the query has its response.
    #[cfg(feature = "dns-over-tls")]
    pub(super) const fn is_heard(&self) -> bool {
        self.heard.is_some()
    }

    /// The query has its response.
    pub(super) fn hear(&mut self, server: SocketAddr, response: Response, bytes: usize) {
        self.heard = Some(heard(server, &self.query, response, bytes));
    }
}

impl Resolver {
    /// Queries one server for all types at once.
    pub(super) async fn query_server(
        &self,
        server: SocketAddr,
        name: &str,
        kinds: &[QueryKind],
        mut manner: Manner,
        wait: Duration,
    ) -> Outcome {
        let secure = self.secure(server);
        if secure.is_some() {
            // Nobody else can answer; and padding needs EDNS.
            manner = Manner { is_mixed: false, payload: Some(PAYLOAD_OVER_TLS), ..manner };
        }
        loop {
            let mut exchanges = self.exchanges(name, kinds, manner);
            let end = if let Some(secure) = &secure {
                self.ask_by_tls(server, secure, &mut exchanges).await
            } else if manner.by_stream {
                self.ask_by_stream(server, &mut exchanges).await
            } else {
                let clock = &*self.sockets.clock;
                let deadline = clock.now().after(wait);
                let asked = pin!(self.ask(server, &mut exchanges, manner));
                before(clock, deadline, asked).await.unwrap_or(End::Failed(Error::TimedOut))
            };
            let failure = match end {
                End::OtherSpelling => {
                    message!(debug, "devnet::dns", "{} does not repeat the spelling", server);
                    manner.is_mixed = false;
                    continue;
                }
                End::NoOptions => {
                    message!(debug, "devnet::dns", "{} does not know EDNS", server);
                    manner.payload = None;
                    continue;
                }
                End::Complete => None,
                End::Failed(error) => Some(error),
            };
            let heard = exchanges.into_iter().filter_map(|exchange| exchange.heard).collect();
            return Outcome { heard, failure };
        }
    }

    fn exchanges(&self, name: &str, kinds: &[QueryKind], manner: Manner) -> Vec<Exchange> {
        let mut random = [0; RANDOM_BYTES];
        // If the source fails, the random port still protects.
        let _ = self.sockets.entropy.fill(&mut random);
        let ([first, second], bits) = random.split_first_chunk().unwrap_or((&[0; 2], &[]));
        let first = u16::from_ne_bytes([*first, *second]);
        let spelling = if manner.is_mixed { mix(name, bits) } else { String::from(name) };
        // A bare header names no type, so each query has its own identifier.
        let query = |(number, kind): (u16, &QueryKind)| DnsMessage {
            spelling: spelling.clone(),
            payload: manner.payload,
            recursion: manner.recursion,
            ..DnsMessage::query(first ^ number, String::from(name), *kind)
        };
        let queries = (0..).zip(kinds).map(query);
        queries.map(|query| Exchange { query, heard: None }).collect()
    }

    /// Asks by UDP, until every query has its response or there is a reason to ask again.
    async fn ask(&self, server: SocketAddr, exchanges: &mut [Exchange], manner: Manner) -> End {
        let socket = UdpSocket::new(&self.sockets);
        if let Err(error) = socket.connect(server) {
            return End::Failed(error);
        }
        for exchange in &*exchanges {
            let sent = match exchange.query.to_bytes() {
                Ok(bytes) => socket.send(&bytes).await,
                Err(error) => Err(error),
            };
            if let Err(error) = sent {
                return End::Failed(error);
            }
        }
        while exchanges.iter().any(|exchange| exchange.heard.is_none()) {
            // Many servers answer with more than 512 bytes although nobody offered to take them.
            let received = match socket.receive().await {
                Ok(message) => message,
                Err(error) => return End::Failed(error),
            };
            let found = exchanges
                .iter_mut()
                .filter(|exchange| exchange.heard.is_none() && is_from(received.remote, server))
                .find_map(|exchange| Some((exchange.query.response(&received.data)?, exchange)));
            let Some((response, exchange)) = found else {
                let from = received.remote;
                message!(debug, "devnet::dns", "a message of {} answers no question", from);
                continue;
            };
            if manner.is_mixed && !response.is_spelled_alike {
                return End::OtherSpelling;
            }
            if !is_answer(response.code) {
                message!(debug, "devnet::dns", "{} answers {}", server, response.code);
            }
            if manner.payload.is_some() && is_refusal_of_options(&response) {
                return End::NoOptions;
            }
            let is_incomplete = response.is_truncated && is_answer(response.code);
            // It counts if the deadline comes before a response over TCP.
            exchange.hear(server, response, received.data.len());
            if is_incomplete && cfg!(feature = "tcp") {
                message!(debug, "devnet::dns", "a truncated answer, {} is asked over TCP", server);
                // Boxed, as few lookups come here.
                if let Ok(whole) = Box::pin(self.query_over_tcp(server, &exchange.query)).await {
                    exchange.heard = Some(whole);
                }
            }
        }
        End::Complete
    }

    async fn ask_by_stream(&self, server: SocketAddr, exchanges: &mut [Exchange]) -> End {
        for exchange in exchanges {
            match Box::pin(self.query_over_tcp(server, &exchange.query)).await {
                Ok(whole) => exchange.heard = Some(whole),
                Err(error) => return End::Failed(error),
            }
        }
        End::Complete
    }

    /// Asks over TCP, where every response fits.
    #[cfg(feature = "tcp")]
    async fn query_over_tcp(&self, server: SocketAddr, query: &DnsMessage) -> Result<Heard, Error> {
        let clock = &*self.sockets.clock;
        let deadline = clock.now().after(TCP_TIMEOUT);
        let exchange = pin!(async {
            let settings = TcpSettings::default();
            let stream = TcpStream::try_connect(&self.sockets, None, server, &settings)?;
            poll_fn(|context| stream.poll_connect(context)).await?;
            stream.write_all(&framed(&query.to_bytes()?)?).await?;
            let mut length = [0; 2];
            read_exactly(&stream, &mut length).await?;
            let mut body = vec![0; usize::from(u16::from_be_bytes(length))];
            read_exactly(&stream, &mut body).await?;
            let response = query.response(&body).ok_or(Error::BadMessage)?;
            Ok(heard(server, query, response, body.len()))
        });
        before(clock, deadline, exchange).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Without TCP a truncated answer counts as far as it goes.
    #[cfg(not(feature = "tcp"))]
    async fn query_over_tcp(&self, _: SocketAddr, _: &DnsMessage) -> Result<Heard, Error> {
        Err(Error::Unsupported)
    }
}

/// A message as it goes over a stream, with its length before it (RFC 7766 §8).
#[cfg(feature = "tcp")]
pub(super) fn framed(message: &[u8]) -> Result<Vec<u8>, Error> {
    let length = u16::try_from(message.len()).map_err(|_| Error::MessageTooLong)?;
    Ok([&length.to_be_bytes(), message].concat())
}

fn heard(server: SocketAddr, query: &DnsMessage, response: Response, bytes: usize) -> Heard {
    Heard { server, identifier: query.identifier, kind: query.kind, bytes, response }
}

#[cfg(feature = "tcp")]
async fn read_exactly(stream: &TcpStream, mut buffer: &mut [u8]) -> Result<(), Error> {
    while !buffer.is_empty() {
        let taken = stream.read(buffer).await?;
        buffer = match buffer.get_mut(taken..) {
            Some(rest) if taken > 0 => rest,
            _ => return Err(Error::ConnectionReset),
        };
    }
    Ok(())
}

/// A name with large and small letters, one for each bit.
fn mix(name: &str, bits: &[u8]) -> String {
    let bits = bits.iter().flat_map(|byte| (0..8).map(move |place| byte >> place & 1 != 0));
    let letters = name.chars().zip(bits.chain(core::iter::repeat(false)));
    letters
        .map(|(letter, is_large)| if is_large { letter.to_ascii_uppercase() } else { letter })
        .collect()
}

/// True when a response came from a server, whose zone may not be given.
fn is_from(remote: SocketAddr, server: SocketAddr) -> bool {
    (remote.ip(), remote.port()) == (server.ip(), server.port())
}

/// True for a code that says something about the name; the others say something about the server.
const fn is_answer(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::NoError | ResponseCode::NameError)
}

/// True for the answer of a server that takes EDNS for an error (RFC 6891 §7), or has another
/// version of it.
pub(super) const fn is_refusal_of_options(response: &Response) -> bool {
    const BAD_VERSION: u16 = 16;
    match response.code {
        ResponseCode::FormatError | ResponseCode::NotImplemented => response.payload.is_none(),
        ResponseCode::Unknown(code) => code == BAD_VERSION,
        _ => false,
    }
}
