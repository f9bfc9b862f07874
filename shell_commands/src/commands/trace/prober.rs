//! Packets of a hop limit, and who answers them.
//!
//! They are datagrams to ports that nobody has, or echo requests; the packet that an error quotes
//! tells which one it was.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use devnet_network::command::dns::{Question, RecordData, RecordKind};
use devnet_network::command::socket::{
    Datagram, ErrorOrigin, ErrorReport, SocketKind, SocketOption,
};
use devnet_network::command::{ReceiveError, Resolve, SetOption};
use devnet_network::platform::{Clock, Instant};
use devnet_virtual_file_system::{Error, File};

use super::super::target::Target;
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::Failure;
use crate::shown;
use crate::sockets::{receive_from, send_to, within};

/// The port of the first datagram.
pub(super) const PORT: u16 = 33_434;
/// Bytes of the largest packet, and of the header of a datagram or an echo request.
pub(super) const LARGEST: usize = 65_000;
const TRANSPORT_HEADER: usize = 8;
/// How long a name of a router is waited for.
const NAME: Duration = Duration::from_secs(2);

/// A socket that asks the routers on the way to a host.
pub(super) struct Prober {
    host: String,
    file: File,
    /// The host.
    pub(super) address: IpAddr,
    is_echo: bool,
    port: u16,
    /// What was answered and is not taken yet.
    pub(super) answers: Vec<Answered>,
    /// Errors of this host for packets that it could not send; the path MTU for those too large.
    pub(super) too_large: Option<u32>,
    clock: Arc<dyn Clock>,
}

/// An answer to a probe.
pub(super) struct Answered {
    pub(super) number: u16,
    pub(super) from: IpAddr,
    pub(super) meaning: Meaning,
    pub(super) time: Instant,
}

/// What an answer means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// The hop limit ended there.
    Passed,
    /// An echo reply.
    Reply,
    /// Another error of ICMP.
    Error { kind: u8, code: u8, information: u32 },
}

/// What became of a packet here.
pub(super) enum Sent {
    /// It is on its way.
    Yes,
    /// It cannot be sent.
    No(Error),
}

impl Prober {
    pub(super) async fn open(
        context: &Context,
        target: Target<'_>,
        is_echo: bool,
        port: u16,
    ) -> Result<Self, Failure> {
        let host = target.host.to_owned();
        let kind = if is_echo { SocketKind::Icmp } else { SocketKind::Udp };
        let (file, address) = target.open(context, kind).await?;
        let clock = Arc::clone(&context.platform.clock);
        let (answers, too_large) = (Vec::new(), None);
        let prober = Self { host, file, address, is_echo, port, answers, too_large, clock };
        prober.set(SocketOption::ReceiveErrors(true)).await?;
        Ok(prober)
    }

    /// Sets an option of the socket.
    pub(super) async fn set(&self, option: SocketOption) -> Result<(), Failure> {
        let set = self.file.control::<SetOption>(&option).await;
        set.map_err(|why| Failure::of(&self.host, why))
    }

    /// Sends the packet with this number, this hop limit and this many bytes in all.
    pub(super) async fn send(
        &mut self,
        number: u16,
        hop_limit: u8,
        bytes: usize,
    ) -> Result<Sent, Failure> {
        self.set(SocketOption::HopLimit(hop_limit)).await?;
        let header = if self.address.is_ipv4() { 20 } else { 40 } + TRANSPORT_HEADER;
        let data = vec![0x40; bytes.saturating_sub(header)];
        let (message, port) = if self.is_echo {
            let kind = if self.address.is_ipv4() { 8 } else { 128 };
            let [high, low] = number.to_be_bytes();
            ([&[kind, 0, 0, 0, 0, 0, high, low], &data[..]].concat(), 0)
        } else {
            (data, self.port.wrapping_add(number))
        };
        let remote = SocketAddr::new(self.address, port);
        loop {
            match send_to(&self.file, message.clone(), remote).await {
                Ok(()) => return Ok(Sent::Yes),
                // An error for an earlier one, which is taken here.
                Err(Error::HostUnreachable | Error::ConnectionRefused | Error::TimedOut)
                    if self.take_errors().await? > 0 => {}
                Err(why @ (Error::MessageTooLong | Error::HostUnreachable)) => {
                    self.take_errors().await?;
                    return Ok(Sent::No(why));
                }
                Err(why) => return Err(Failure::of(&self.host, why)),
            }
        }
    }

    /// Waits so long for answers, or until one has come.
    pub(super) async fn receive(&mut self, time: Duration) -> Result<(), Failure> {
        let received = async { Ok(receive_from(&self.file).await) };
        match within(self.clock.as_ref(), Some(time), received).await {
            Err(_) => Ok(()),
            Ok(Ok(datagram)) => {
                self.replied(&datagram);
                Ok(())
            }
            Ok(Err(why @ (Error::NetworkDown | Error::NoDevice))) => {
                Err(Failure::of(&self.host, why))
            }
            Ok(Err(_)) => self.take_errors().await.map(drop),
        }
    }

    /// Notes all errors that have come; returns how many.
    async fn take_errors(&mut self) -> Result<usize, Failure> {
        let mut count = 0;
        loop {
            match self.file.control::<ReceiveError>(&()).await {
                Ok(report) => {
                    self.reported(&report);
                    count += 1;
                }
                Err(Error::WouldBlock) => return Ok(count),
                Err(why) => return Err(Failure::of(&self.host, why)),
            }
        }
    }

    /// An echo reply.
    fn replied(&mut self, datagram: &Datagram) {
        let number = match *datagram.data {
            [0 | 129, _, _, _, _, _, high, low, ..] => u16::from_be_bytes([high, low]),
            _ => return,
        };
        if self.is_echo {
            let (from, time) = (datagram.remote.ip(), self.clock.now());
            self.answers.push(Answered { number, from, meaning: Meaning::Reply, time });
        }
    }

    fn reported(&mut self, report: &ErrorReport) {
        let ErrorReport { origin, kind, code, information, reporter, remote, packet, .. } = report;
        if *origin == ErrorOrigin::Local && *information > 0 {
            self.too_large = Some(*information);
        }
        let number = if self.is_echo {
            sequence_in(packet)
        } else {
            Some(remote.port().wrapping_sub(self.port))
        };
        let (Some(number), Some(from)) = (number, *reporter) else { return };
        let meaning = match (origin, kind) {
            (ErrorOrigin::Icmp, 11) | (ErrorOrigin::Icmpv6, 3) => Meaning::Passed,
            _ => Meaning::Error { kind: *kind, code: *code, information: *information },
        };
        self.answers.push(Answered { number, from, meaning, time: self.clock.now() });
    }
}

/// The name of an address, if it has one.
pub(super) async fn name(context: &Context, address: IpAddr) -> Option<String> {
    let question = Question { name: address.to_string(), kind: RecordKind::Ptr, server: None };
    let asked = async {
        let file = devices::sockets(context, Use::Show).map_err(|_| Error::NotFound)?;
        file.control::<Resolve>(&question).await
    };
    let found = within(context.platform.clock.as_ref(), Some(NAME), asked).await.ok()?;
    found.records.into_iter().find_map(|record| match record.data {
        RecordData::Ptr(name) => Some(shown::line(&name).to_string()),
        RecordData::Address(_) | RecordData::Cname(_) => None,
    })
}

/// The sequence number of the echo request in a packet.
fn sequence_in(packet: &[u8]) -> Option<u16> {
    let header = match packet.first()? >> 4 {
        4 => usize::from(packet.first()? & 0xf) * 4,
        _ => 40,
    };
    let number = packet.get(header + 6..header + 8)?;
    Some(u16::from_be_bytes(number.try_into().ok()?))
}
