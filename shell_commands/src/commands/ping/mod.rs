//! `ping` and `ping6`: ICMP echo requests and replies.
//!
//! The identifier is that of the socket; sequence numbers distinguish replies. Ctrl-C drops the
//! command, and dropping it prints the statistics.

mod options;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use devnet_network::command::SetOption;
use devnet_network::command::socket::{Datagram, SocketKind, SocketOption};
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Error, File};

use self::options::{Options, parse};
use super::target::Target;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::render::ping as render;
use crate::render::ping::Statistics;
use crate::sockets::{receive_from, send_to, within};
use crate::status::Status;

/// Bytes of the ICMP header, and of the largest message in an IPv4 packet.
const HEADER: usize = 8;
const LARGEST: usize = 65_507;
/// Requests whose send time is remembered; later replies still count.
const REMEMBERED: usize = 1024;
/// The shortest interval between two requests of `-f`.
const FLOOD: Duration = Duration::from_millis(10);
/// The default of `-W`, and the minimum wait for the last replies.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);
const LAST: Duration = Duration::from_secs(1);

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let (file, address) = open(context, &options).await?;
    if let Some(hop_limit) = options.hop_limit {
        file.control::<SetOption>(&SocketOption::HopLimit(hop_limit))
            .await
            .map_err(|why| Failure::of(hop_limit, why))?;
    }
    // Send the first request before printing: without a route only the error is printed.
    for option in [
        options.path.map(SocketOption::PathMtuDiscovery),
        options.class.map(SocketOption::TrafficClass),
    ]
    .into_iter()
    .flatten()
    {
        let set = file.control::<SetOption>(&option).await;
        set.map_err(|why| Failure::of(&options.host, why))?;
    }
    let mut session = Session::new(context, &options, file, address);
    session.send().await?;
    context.print(&render::header(&options.host, address, options.size)).await?;
    session.run().await?;
    session.is_over = true;
    context.print(&session.statistics.summary(&options.host)).await?;
    Ok(Status::from_success(session.statistics.received > 0))
}

/// A socket with its target.
async fn open(context: &Context, options: &Options) -> Result<(File, IpAddr), Failure> {
    let source: Option<IpAddr> = options.from.as_ref().and_then(|from| from.parse().ok());
    let interface = options.from.as_deref().filter(|_| source.is_none());
    let target = Target { host: &options.host, family: options.family, interface, source };
    target.open(context, SocketKind::Icmp).await
}

/// Requests in flight.
struct Session<'a> {
    context: &'a Context,
    options: &'a Options,
    file: File,
    address: IpAddr,
    started: Instant,
    next_send: Instant,
    /// The send times of the last requests, and whether they were answered; at `sequence %
    /// REMEMBERED`.
    requests: Vec<Option<(u16, Instant, bool)>>,
    statistics: Statistics,
    is_over: bool,
}

impl<'a> Session<'a> {
    fn new(context: &'a Context, options: &'a Options, file: File, address: IpAddr) -> Self {
        let started = context.platform.clock.now();
        Self {
            context,
            options,
            file,
            address,
            started,
            next_send: started,
            requests: vec![None; REMEMBERED],
            statistics: Statistics::default(),
            is_over: false,
        }
    }

    fn now(&self) -> Instant {
        self.context.platform.clock.now()
    }

    async fn send(&mut self) -> Result<(), Failure> {
        // Sequence numbers wrap around.
        let sequence = self.statistics.sent as u16;
        let kind = if self.address.is_ipv4() { 8 } else { 128 };
        let [high, low] = sequence.to_be_bytes();
        let mut message = vec![kind, 0, 0, 0, 0, 0, high, low];
        message.extend((0..self.options.size).map(|place| self.options.byte(place)));
        self.outstanding(sequence).await?;
        let now = self.now();
        match send_to(&self.file, message, SocketAddr::new(self.address, 0)).await {
            Ok(()) => {}
            // An error for an earlier request; this one was not sent, the next one will be.
            Err(why @ (Error::HostUnreachable | Error::TimedOut | Error::HostDown))
                if self.statistics.sent > 0 =>
            {
                self.undelivered(why).await?;
            }
            Err(why) => return Err(Failure::of(self.address, why)),
        }
        if let Some(request) = self.requests.get_mut(usize::from(sequence) % REMEMBERED) {
            *request = Some((sequence, now, false));
        }
        self.statistics.sent += 1;
        self.next_send = now.after(if self.options.flood { FLOOD } else { self.options.interval });
        if self.options.flood && !self.options.quiet {
            self.context.print(".").await?;
        }
        Ok(())
    }

    async fn run(&mut self) -> Result<(), Failure> {
        let end = self.options.limit.map(|limit| self.started.after(limit));
        loop {
            let is_sent = self.options.count.is_some_and(|count| self.statistics.sent >= count);
            if is_sent && self.statistics.received >= self.statistics.sent {
                return Ok(());
            }
            let mut until = if is_sent { self.last_answer() } else { self.next_send };
            until = end.map_or(until, |end| until.min(end));
            let now = self.now();
            if now < until {
                self.receive(until.since(now)).await?;
                continue;
            }
            if is_sent || end.is_some_and(|end| now >= end) {
                return Ok(());
            }
            self.send().await?;
        }
    }

    /// How long to wait for replies after the last request.
    fn last_answer(&self) -> Instant {
        let sent = usize::try_from(self.statistics.sent).unwrap_or(0);
        let last = self.requests.get(sent.wrapping_sub(1) % REMEMBERED).copied().flatten();
        let since = last.map_or(self.started, |(_, time, _)| time);
        let reply_timeout = match self.statistics.received {
            0 => self.options.reply_timeout,
            _ => self.statistics.maximum().saturating_mul(2).max(LAST),
        };
        since.after(reply_timeout)
    }

    async fn receive(&mut self, time: Duration) -> Result<(), Failure> {
        let received = async { Ok(receive_from(&self.file).await) };
        match within(self.context.platform.clock.as_ref(), Some(time), received).await {
            Err(_) => Ok(()),
            Ok(Ok(datagram)) => self.answered(&datagram).await,
            Ok(Err(why @ (Error::NetworkDown | Error::NoDevice))) => {
                Err(Failure::of(self.address, why))
            }
            Ok(Err(why)) => self.undelivered(why).await,
        }
    }

    /// The time before a line, if that is asked for.
    fn stamp(&self) -> String {
        let now = self.context.platform.now();
        match self.options.stamped {
            true => format!("[{}.{:06}] ", now.as_secs(), now.subsec_micros()),
            false => String::new(),
        }
    }

    /// Tells that the request before this one has no reply yet.
    async fn outstanding(&self, sequence: u16) -> Result<(), Failure> {
        let before = sequence.wrapping_sub(1);
        let known = self.requests.get(usize::from(before) % REMEMBERED).copied().flatten();
        let is_silent =
            known.is_some_and(|(known, _, is_answered)| known == before && !is_answered);
        if !self.options.outstanding || self.options.quiet || !is_silent {
            return Ok(());
        }
        self.context.print(&format!("{}no answer yet for seq={before}\n", self.stamp())).await
    }

    /// An error for a request. ICMP does not identify it here, so the newest is reported.
    async fn undelivered(&self, why: Error) -> Result<(), Failure> {
        if self.options.quiet {
            return Ok(());
        }
        let why = match why {
            Error::HostUnreachable => String::from("Destination Host Unreachable"),
            Error::NetworkUnreachable => String::from("Destination Net Unreachable"),
            Error::ConnectionRefused => String::from("Destination Port Unreachable"),
            Error::MessageTooLong => String::from("Message too long"),
            why => why.to_string(),
        };
        let sequence = self.statistics.sent.saturating_sub(1) as u16;
        self.context.print(&render::unreachable(self.address, sequence, &why)).await
    }

    async fn answered(&mut self, datagram: &Datagram) -> Result<(), Failure> {
        let (Some([high, low]), Some(data)) =
            (datagram.data.get(6..HEADER), datagram.data.get(HEADER..))
        else {
            return Ok(());
        };
        let is_reply = matches!(datagram.data.first(), Some(0 | 129));
        let sequence = u16::from_be_bytes([*high, *low]);
        let Some(Some((known, sent, is_answered))) =
            self.requests.get_mut(usize::from(sequence) % REMEMBERED)
        else {
            return Ok(());
        };
        if !is_reply || *known != sequence {
            return Ok(());
        }
        let time = self.context.platform.clock.now().since(*sent);
        let mut remark = String::new();
        if std::mem::replace(is_answered, true) {
            self.statistics.duplicates += 1;
            remark.push_str(" (DUP!)");
        } else {
            self.statistics.answered(time);
        }
        if data.len() != self.options.size {
            remark.push_str(" (truncated)");
        } else if let Some(place) =
            data.iter().enumerate().position(|(place, byte)| *byte != self.options.byte(place))
        {
            remark.push_str(&format!(" wrong data byte #{place}"));
        }
        if self.options.flood || self.options.adaptive {
            // Send the next one at once.
            self.next_send = self.context.platform.clock.now();
        }
        if self.options.quiet {
            return Ok(());
        }
        if self.options.flood {
            return self.context.print_bytes(b"\x08 \x08").await;
        }
        let size = datagram.data.len();
        let from = datagram.remote.ip();
        let line = render::reply(from, size, sequence, datagram.hop_limit, Some(time), &remark);
        self.context.print(&format!("{}{line}", self.stamp())).await
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if !self.is_over && self.statistics.sent > 0 {
            let Stream { file, .. } = &self.context.streams.output;
            // Ctrl-C: print the statistics so far.
            let _ = file.try_write(self.statistics.summary(&self.options.host).as_bytes());
        }
    }
}
