//! `sntp`: asks servers for the time (RFC 4330, in the words of RFC 5905), and sets nothing.
//!
//! The clock is the host's. What is shown is how far it is from the server's, and how long the
//! question took; the answer may be wrong by half of that.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use devnet_network::command::Connect;
use devnet_network::command::socket::SocketKind;
use devnet_virtual_file_system::{Error, File};
use lexopt::prelude::*;

use super::{sleep, target, words};
use crate::context::{Context, Platform};
use crate::failure::{Failure, Outcome};
use crate::render::time::{self as render, Measurement};
use crate::sockets::{Family, Sockets, receive_from, within};
use crate::status::Status;

/// The port of the protocol.
const PORT: u16 = 123;
/// How long an answer is awaited, unless `-t` says something else; then it is asked once more.
const TIMEOUT: Duration = Duration::from_secs(2);
const TRIES: u32 = 2;
/// Bytes of a message without extensions.
const MESSAGE: usize = 48;
/// Seconds from 1900 to 1970 (RFC 5905 §6).
const EPOCH: u64 = 2_208_988_800;
/// A client, of version 4.
const REQUEST: u8 = 4 << 3 | 3;
const SERVER: u8 = 4;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut family, mut port, mut timeout, mut hosts) = (Family::Any, PORT, TIMEOUT, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('4') => family = Family::V4,
            Short('6') => family = Family::V6,
            Short('p') => port = words::parse(&options.value()?.string()?, "port")?,
            Short('t') => {
                timeout = sleep::parsed(&options.value()?.string()?)?;
            }
            Short('s' | 'S') => {
                return Err(Failure::new("the clock is the host's, and cannot be set here"));
            }
            Value(host) => hosts.push(host.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if hosts.is_empty() {
        return Err(Failure::usage("a server is needed"));
    }
    let mut status = Status::SUCCESS;
    for host in &hosts {
        match ask(context, host, port, family, timeout).await {
            Ok(line) => context.print(&line).await?,
            Err(why) => {
                context.complain(&why.message).await;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}

/// Asks one server; returns what is shown.
async fn ask(
    context: &Context,
    host: &str,
    port: u16,
    family: Family,
    timeout: Duration,
) -> Result<String, Failure> {
    let (sockets, addresses) = target::addresses(context, host, family).await?;
    let first = addresses.first().copied();
    let address = first.ok_or_else(|| Failure::of(host, "Name or service not known"))?;
    let asked = exchange(&context.platform, &sockets, address, port, timeout).await;
    let measurement = asked.map_err(|why| match why {
        Trouble::Network(Error::TimedOut) => Failure::of(address, "no answer"),
        Trouble::Network(why) => Failure::of(address, why),
        Trouble::Other(why) => Failure::of(address, why),
    })?;
    Ok(render::line(address, &measurement))
}

/// Why there is no time.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    Network(Error),
    /// In words.
    Other(String),
}

impl From<Error> for Trouble {
    fn from(why: Error) -> Self {
        Self::Network(why)
    }
}

async fn exchange(
    platform: &Platform,
    sockets: &Sockets,
    address: IpAddr,
    port: u16,
    timeout: Duration,
) -> Result<Measurement, Trouble> {
    let file = sockets.create(SocketKind::Udp).await?;
    // Nobody else's datagrams are received then.
    file.control::<Connect>(&SocketAddr::new(address, port)).await?;
    let mut tries = 0;
    loop {
        tries += 1;
        let outcome = within(platform.clock.as_ref(), Some(timeout), async {
            Ok(once(platform, &file).await)
        });
        match outcome.await {
            Ok(outcome) => return outcome,
            Err(Error::TimedOut) if tries < TRIES => {}
            Err(why) => return Err(why.into()),
        }
    }
}

async fn once(platform: &Platform, file: &File) -> Result<Measurement, Trouble> {
    // The server gives back what stands for our time, and need not know it: a random number there
    // keeps others from answering in its place.
    let mut nonce = [0; 8];
    platform.entropy.fill(&mut nonce).map_err(|why| Trouble::Other(why.to_owned()))?;
    let sent = timestamp(platform.now());
    let mut request = [0; MESSAGE];
    if let Some(first) = request.first_mut() {
        *first = REQUEST;
    }
    if let Some(place) = request.last_chunk_mut() {
        *place = nonce;
    }
    file.write_all(&request).await?;
    loop {
        let datagram = receive_from(file).await?;
        let received = timestamp(platform.now());
        // An answer to another question is none to this one.
        if let Some(answer) = Answer::of(&datagram.data).filter(|one| one.origin == nonce) {
            return answer.measure(sent, received).map_err(Trouble::Other);
        }
    }
}

/// A time since 1970 as seconds since 1900 and a fraction of 2^-32; seconds wrap around in 2036.
fn timestamp(since_1970: Duration) -> u64 {
    let seconds = since_1970.as_secs().wrapping_add(EPOCH);
    let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
    seconds.wrapping_shl(32) | fraction
}

/// What counts of a message (RFC 4330 §4).
struct Answer {
    leap: u8,
    version: u8,
    mode: u8,
    stratum: u8,
    /// Where it has its time from; of what it refuses, why.
    reference: [u8; 4],
    origin: [u8; 8],
    received: u64,
    transmitted: u64,
}

impl Answer {
    /// Reads a message; none if it is too short.
    fn of(message: &[u8]) -> Option<Self> {
        let (&[first, stratum, ..], _) = message.split_first_chunk::<12>()?;
        let (reference, rest) = message.get(12..)?.split_first_chunk::<4>()?;
        let (_, rest) = rest.split_first_chunk::<8>()?;
        let (origin, rest) = rest.split_first_chunk::<8>()?;
        let (received, rest) = rest.split_first_chunk::<8>()?;
        let (transmitted, _) = rest.split_first_chunk::<8>()?;
        Some(Self {
            leap: first >> 6,
            version: first >> 3 & 7,
            mode: first & 7,
            stratum,
            reference: *reference,
            origin: *origin,
            received: u64::from_be_bytes(*received),
            transmitted: u64::from_be_bytes(*transmitted),
        })
    }

    /// Offset and delay (RFC 5905 §8), if the answer may be trusted (RFC 4330 §5).
    fn measure(&self, sent: u64, received: u64) -> Result<Measurement, String> {
        if self.mode != SERVER || !(1..=4).contains(&self.version) {
            return Err("the answer is not that of a server".into());
        }
        if self.stratum == 0 {
            let code = String::from_utf8_lossy(&self.reference);
            return Err(format!("the server refuses: {}", code.trim_end_matches('\0')));
        }
        if self.leap == 3 || self.stratum > 15 || self.transmitted == 0 {
            return Err("the server does not know the time".into());
        }
        // Differences are right within 68 years, whatever the seconds have wrapped around.
        let difference = |later: u64, sooner: u64| {
            (i128::from(later.wrapping_sub(sooner).cast_signed()) * 1_000_000_000) >> 32
        };
        let there = difference(self.received, sent);
        let back = difference(self.transmitted, received);
        let delay = difference(received, sent) - difference(self.transmitted, self.received);
        Ok(Measurement {
            stratum: self.stratum,
            offset_nanos: (there + back) / 2,
            // Less than nothing is rounding, or a server that lies.
            delay_nanos: delay.max(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of a server that is `offset` seconds ahead, on ways of 1 and 3 ms; it takes 2 ms.
    fn message(offset: i64) -> (Vec<u8>, u64, u64) {
        let start = Duration::from_secs(2_085_978_490);
        let at = |millis: u64, offset: i64| {
            let time = start + Duration::from_millis(millis);
            timestamp(time).wrapping_add(offset.cast_unsigned() << 32)
        };
        let mut message = vec![4 << 3 | 4, 2, 6, 0xec];
        message.extend([0; 8]);
        message.extend(b"GPS\0");
        message.extend([1; 8]);
        message.extend([7; 8]);
        message.extend(at(1, offset).to_be_bytes());
        message.extend(at(3, offset).to_be_bytes());
        (message, at(0, 0), at(6, 0))
    }

    fn measured(message: &[u8], sent: u64, received: u64) -> Result<Measurement, String> {
        Answer::of(message).unwrap().measure(sent, received)
    }

    #[test]
    fn offset_and_delay_are_those_of_the_messages_also_when_seconds_wrap_around() {
        for offset in [0, 1, -1, 10, 1_000_000_000, -1_000_000_000] {
            let (message, sent, received) = message(offset);
            let found = measured(&message, sent, received).unwrap();
            let expected = i128::from(offset) * 1_000_000_000 - 1_000_000;
            assert!((found.offset_nanos - expected).abs() < 10, "{offset}: {found:?}");
            assert!((found.delay_nanos - 4_000_000).abs() < 10, "{offset}: {found:?}");
            assert_eq!(found.stratum, 2);
        }
        assert_eq!(Answer::of(&message(0).0).unwrap().origin, [7; 8]);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let (good, sent, received) = message(0);
        let changed = |place: usize, value: u8| {
            let mut message = good.clone();
            message[place] = value;
            measured(&message, sent, received).unwrap_err()
        };
        assert_eq!(changed(0, 4 << 3 | 3), "the answer is not that of a server");
        assert_eq!(changed(0, 4), "the answer is not that of a server");
        assert_eq!(changed(0, 3 << 6 | 4 << 3 | 4), "the server does not know the time");
        assert_eq!(changed(1, 16), "the server does not know the time");
        assert_eq!(changed(1, 0), "the server refuses: GPS");
        let mut silent = good.clone();
        silent[40..].fill(0);
        assert!(measured(&silent, sent, received).is_err());
        for length in 0..good.len() {
            assert!(Answer::of(&good[..length]).is_none());
        }
    }
}
