//! `nc`: connects standard input and output to a connection.
//!
//! Both directions run concurrently. At the end of its input it shuts down its sending side and
//! receives until the peer ends too.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_lock::OnceCell;
use devnet_network::command::socket::{Direction, SocketKind};
use devnet_network::command::{Connect, Shutdown};
use devnet_network::platform::{Clock, Instant};
use devnet_virtual_file_system::{Error, File, Lock};
use futures_lite::future;
use lexopt::prelude::*;

use super::{sleep, target, words};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::sockets::{Connection, Family, Sockets, receive_from, within};
use crate::status::Status;

/// Maximum bytes of one datagram (OpenBSD's nc has 16 KiB).
const DATAGRAM: usize = 16 * 1024;
/// How long the input may be idle once the peer has ended: do not wait for a user at the keyboard.
const AFTER_END: Duration = Duration::from_secs(1);
/// How long a UDP probe waits for an ICMP error.
const PROBE: Duration = Duration::from_secs(1);

struct Options {
    listen: bool,
    udp: bool,
    keep: bool,
    verbose: bool,
    scan: bool,
    wait: Option<Duration>,
    local_port: Option<u16>,
    family: Family,
    words: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    if options.listen { listen(context, &options).await } else { connect(context, &options).await }
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        listen: false,
        udp: false,
        keep: false,
        verbose: false,
        scan: false,
        wait: None,
        local_port: None,
        family: Family::Any,
        words: Vec::new(),
    };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('l') => chosen.listen = true,
            Short('u') => chosen.udp = true,
            Short('k') => chosen.keep = true,
            Short('v') => chosen.verbose = true,
            Short('z') => chosen.scan = true,
            // Shutting down with the input is the default; addresses are never resolved to names.
            Short('N' | 'n') => {}
            Short('4') => chosen.family = Family::V4,
            Short('6') => chosen.family = Family::V6,
            Short('p') => {
                chosen.local_port = Some(words::parse(&options.value()?.string()?, "port")?)
            }
            Short('w') => {
                chosen.wait = Some(sleep::parsed(&options.value()?.string()?)?);
            }
            Value(word) => chosen.words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if chosen.keep && !chosen.listen {
        return Err(Failure::usage("-k needs -l"));
    }
    Ok(chosen)
}

/// `PORT` or `FIRST-LAST`.
fn ports(text: &str) -> Result<std::ops::RangeInclusive<u16>, Failure> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = words::parse::<u16>(first, "port")?..=words::parse::<u16>(last, "port")?;
    if range.is_empty() || range.contains(&0) {
        Err(Failure::of(text, "bad port"))
    } else {
        Ok(range)
    }
}

async fn connect(context: &Context, options: &Options) -> Outcome {
    let [host, port] = options.words.as_slice() else {
        return Err(Failure::usage("a host and a port are needed"));
    };
    let ports = ports(port)?;
    if ports.len() > 1 && !options.scan {
        return Err(Failure::usage("several ports need -z"));
    }
    let (sockets, addresses) = target::addresses(context, host, options.family).await?;
    let mut status = Status::FAILURE;
    for port in ports {
        match open(context, options, &sockets, &addresses, port).await {
            Ok(connection) => {
                status = Status::SUCCESS;
                if options.verbose {
                    let kind = if options.udp { "udp" } else { "tcp" };
                    let text = format!("Connection to {host} {port} port [{kind}/*] succeeded!\n");
                    context.streams.error.remark(&text).await;
                }
                if !options.scan {
                    relay(context, options, &connection.file).await?;
                }
            }
            // A scan reports open ports, and closed ones with `-v` only.
            Err(_) if options.scan && !options.verbose => {}
            Err(why) => {
                let kind = if options.udp { "udp" } else { "tcp" };
                context
                    .complain(&format!("connect to {host} port {port} ({kind}) failed: {why}"))
                    .await;
            }
        }
    }
    Ok(status)
}

async fn open(
    context: &Context,
    options: &Options,
    sockets: &Sockets,
    addresses: &[IpAddr],
    port: u16,
) -> Result<Connection, Error> {
    let mut failure = Error::NotFound;
    for address in addresses {
        let remote = SocketAddr::new(*address, port);
        let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
        let local = options.local_port.map(|port| SocketAddr::new(family.unspecified(), port));
        let clock = context.platform.clock.as_ref();
        let opened = if options.udp {
            datagrams(context, options, sockets, local, remote).await
        } else {
            within(clock, options.wait, sockets.connect(remote, local)).await
        };
        match opened {
            Ok(connection) => return Ok(connection),
            // The error of a family with a route is more useful than that of one without.
            Err(Error::NetworkUnreachable) if failure != Error::NotFound => {}
            Err(why) => failure = why,
        }
    }
    Err(failure)
}

async fn datagrams(
    context: &Context,
    options: &Options,
    sockets: &Sockets,
    local: Option<SocketAddr>,
    remote: SocketAddr,
) -> Result<Connection, Error> {
    let file = match local {
        Some(local) => sockets.bind(SocketKind::Udp, local).await?,
        None => sockets.create(SocketKind::Udp).await?,
    };
    let local = file.control::<Connect>(&remote).await?;
    if options.scan {
        file.write(b"X").await?;
        let refused = async { receive_from(&file).await.map(drop) };
        match within(context.platform.clock.as_ref(), Some(PROBE), refused).await {
            Ok(()) | Err(Error::TimedOut) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(Connection { file, local, remote })
}

async fn listen(context: &Context, options: &Options) -> Outcome {
    let (address, port) = match (options.words.as_slice(), options.local_port) {
        ([], Some(port)) => (options.family.unspecified(), port),
        ([port], None) => (options.family.unspecified(), words::parse(port, "port")?),
        ([address], Some(port)) => (words::address(address)?, port),
        ([address, port], None) => (words::address(address)?, words::parse(port, "port")?),
        _ => return Err(Failure::usage("one port is needed, and at most one address")),
    };
    let local = SocketAddr::new(address, port);
    let sockets = Sockets::routed(&context.files);
    if options.udp {
        return listen_datagrams(context, options, &sockets, local).await;
    }
    let listener = sockets.listen(local).await.map_err(|why| Failure::of(local, why))?;
    if options.verbose {
        context.streams.error.remark(&format!("Listening on {}\n", listener.local)).await;
    }
    loop {
        let connection = listener.accept().await.map_err(|why| Failure::of(local, why))?;
        announce(context, options, connection.remote).await;
        if !options.keep {
            // Only one connection is served: later ones are refused.
            drop(listener);
            relay(context, options, &connection.file).await?;
            return Ok(Status::SUCCESS);
        }
        if let Err(failure) = relay(context, options, &connection.file).await {
            context.complain(&failure.message).await;
        }
    }
}

/// Reports the peer of a connection, with `-v`.
async fn announce(context: &Context, options: &Options, remote: SocketAddr) {
    if options.verbose {
        context.streams.error.remark(&format!("Connection received on {remote}\n")).await;
    }
}

async fn listen_datagrams(
    context: &Context,
    options: &Options,
    sockets: &Sockets,
    local: SocketAddr,
) -> Outcome {
    let file = sockets.bind(SocketKind::Udp, local).await.map_err(|why| Failure::of(local, why))?;
    loop {
        let datagram = receive_from(&file).await.map_err(|why| Failure::of(local, why))?;
        announce(context, options, datagram.remote).await;
        context.print_bytes(&datagram.data).await?;
        if !options.keep {
            file.control::<Connect>(&datagram.remote)
                .await
                .map_err(|why| Failure::of(datagram.remote, why))?;
            relay(context, options, &file).await?;
            return Ok(Status::SUCCESS);
        }
    }
}

/// Copies bytes in both directions until both have ended, or are idle for `-w`.
async fn relay(context: &Context, options: &Options, socket: &File) -> Result<(), Failure> {
    let clock = context.platform.clock.as_ref();
    let relay = Relay {
        context,
        is_udp: options.udp,
        socket,
        moved: Lock::new(clock.now()),
        peer_ended: OnceCell::new(),
    };
    let both = future::try_zip(relay.upwards(), relay.downwards());
    match options.wait {
        None => both.await.map(drop),
        Some(wait) => {
            let silence = async {
                silence(clock, &relay.moved, wait).await;
                Ok(((), ()))
            };
            future::or(both, silence).await.map(drop)
        }
    }
}

/// The two directions of a connection.
struct Relay<'a> {
    context: &'a Context,
    is_udp: bool,
    socket: &'a File,
    /// The time of the last transfer.
    moved: Lock<Instant>,
    peer_ended: OnceCell<()>,
}

impl Relay<'_> {
    /// Input → socket.
    async fn upwards(&self) -> Result<(), Failure> {
        let input = &self.context.streams.input;
        let mut buffer = vec![0; if self.is_udp { DATAGRAM } else { limits::COPY_BYTES }];
        loop {
            let late = async {
                let clock = &self.context.platform.clock;
                self.peer_ended.wait().await;
                clock.sleep_until(clock.now().after(AFTER_END)).await;
                Ok(0)
            };
            let count = match future::or(input.file.read(&mut buffer), late).await {
                Ok(0) => break,
                Ok(count) => count,
                Err(why) => return Err(Failure::of(&input.name, why)),
            };
            self.note();
            let bytes = buffer.get(..count).unwrap_or_default();
            self.socket.write_all(bytes).await.map_err(|why| Failure::new(why.to_string()))?;
        }
        if !self.is_udp {
            // A peer that is gone needs no shutdown.
            let _ = self.socket.control::<Shutdown>(&Direction::Write).await;
        }
        Ok(())
    }

    /// Socket → output.
    async fn downwards(&self) -> Result<(), Failure> {
        let mut buffer = vec![0; limits::COPY_BYTES];
        loop {
            match self.socket.read(&mut buffer).await {
                Ok(0) if !self.is_udp => break,
                Ok(count) => {
                    self.context.print_bytes(buffer.get(..count).unwrap_or_default()).await?;
                }
                Err(why) => return Err(Failure::new(why.to_string())),
            }
            self.note();
        }
        // Only this sets the cell.
        let _ = self.peer_ended.set(()).await;
        Ok(())
    }

    /// Records a transfer.
    fn note(&self) {
        self.moved.with(|moved| *moved = self.context.platform.clock.now());
    }
}

/// Ends after this much idle time.
async fn silence(clock: &dyn Clock, moved: &Lock<Instant>, wait: Duration) {
    loop {
        let deadline = moved.with(|moved| *moved).after(wait);
        if clock.now() >= deadline {
            return;
        }
        clock.sleep_until(deadline).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_one_or_a_range() {
        assert_eq!(ports("80").unwrap(), 80..=80);
        assert_eq!(ports("20-30").unwrap(), 20..=30);
        for text in ["", "0", "a", "30-20", "1-", "-1", "65536", "0-5"] {
            assert!(ports(text).is_err(), "{text}");
        }
    }
}
