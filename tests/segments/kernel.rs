//! The Linux kernel in real time, behind a TUN device of the namespace that
//! `tests/interop/segments.sh` makes.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use devnet_drivers::{Host, Tap, TapKind, TapOptions};
use devnet_network::driver::{Driver, FramePool};
use devnet_network::platform::{Clock, Instant};
use futures_lite::future;
use world::cable;

use crate::script::Settings;
use crate::subject::{PORT, Pattern, Subject};

const TCP: u8 = 6;
/// The device that the namespace has.
const DEVICE: &str = "segments";
/// How far a segment may be off its time, whatever else the machine does.
pub(crate) const TOLERANCE: Duration = Duration::from_millis(150);

/// How long the kernel may take to see that somebody attached to the device.
const ATTACHED: Duration = Duration::from_millis(50);

/// The kernel, the peer's end of its device, and the program's sockets.
pub(crate) struct Kernel {
    host: Host,
    clock: Arc<dyn Clock>,
    device: Tap,
    pool: FramePool,
    peer: SocketAddr,
    listener: Option<TcpListener>,
    stream: Option<TcpStream>,
    connecting: Option<JoinHandle<Result<TcpStream, Error>>>,
    pattern: Pattern,
}

impl Kernel {
    /// Attaches to the device.
    ///
    /// # Errors
    /// What the kernel does not do as we do: options of sockets, another MTU.
    pub(crate) fn new(settings: &Settings, peer: IpAddr, port: u16) -> Result<Self, String> {
        if !settings.options.is_empty() || settings.mtu != Settings::default().mtu {
            return Err("the kernel takes neither options nor an MTU".into());
        }
        let host = Host::new();
        let device = Tap::open(DEVICE, TapKind::Tun, TapOptions::default())
            .map_err(|error| format!("{DEVICE}: {error}"))?;
        let clock = host.clock();
        let mut kernel = Self {
            host,
            clock,
            device,
            pool: FramePool::new(),
            peer: SocketAddr::new(peer, port),
            listener: None,
            stream: None,
            connecting: None,
            pattern: Pattern::new(),
        };
        // The device carries nothing before the kernel has seen that somebody attached to it.
        let until = kernel.now() + ATTACHED;
        while kernel.packet(until).is_some() {}
        Ok(kernel)
    }

    /// The next segment for this script's peer; connections of earlier scripts are not over yet.
    fn take(&mut self) -> Option<Vec<u8>> {
        loop {
            let bytes = cable::take(&mut self.device, &mut self.pool)?;
            let (protocol, header) =
                if bytes[0] >> 4 == 4 { (bytes[9], 20) } else { (bytes[6], 40) };
            let port = bytes.get(header + 2..header + 4);
            if protocol == TCP && port == Some(&self.peer.port().to_be_bytes()) {
                return Some(bytes);
            }
        }
    }

    fn stream(&mut self) -> Result<&mut TcpStream, Error> {
        self.stream.as_mut().ok_or_else(|| ErrorKind::NotConnected.into())
    }

    fn open(&mut self, stream: TcpStream) -> Result<Option<String>, Error> {
        stream.set_nonblocking(true)?;
        (self.stream, self.pattern) = (Some(stream), Pattern::new());
        Ok(Some("ok".into()))
    }

    fn make(&mut self, words: &[&str]) -> Result<Option<String>, Error> {
        let number = |text: &str| text.parse::<u32>().map_err(|_| ErrorKind::InvalidInput);
        let done = Some("ok".to_owned());
        Ok(match words {
            ["listen"] => {
                let any = if self.peer.is_ipv6() { "[::]" } else { "0.0.0.0" };
                let listener = TcpListener::bind(format!("{any}:{PORT}"))?;
                listener.set_nonblocking(true)?;
                self.listener = Some(listener);
                done
            }
            ["accept"] => {
                let listener = self.listener.as_ref().ok_or(ErrorKind::InvalidInput)?;
                let (stream, _) = listener.accept()?;
                return self.open(stream);
            }
            ["connect"] => {
                let peer = self.peer;
                self.connecting = Some(std::thread::spawn(move || TcpStream::connect(peer)));
                done
            }
            ["connected"] => {
                // The thread has to see it first.
                let until = self.now() + TOLERANCE;
                while self.connecting.as_ref().is_some_and(|thread| !thread.is_finished()) {
                    if self.now() >= until {
                        return Ok(Some("not yet".to_owned()));
                    }
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                match self.connecting.take().map(JoinHandle::join) {
                    Some(Ok(stream)) => return self.open(stream?),
                    _ => None,
                }
            }
            ["write", count] => {
                let data = self.pattern.next(number(count)?);
                let taken = self.stream()?.write(&data)?;
                self.pattern.wrote(taken)
            }
            ["read", count] => {
                let mut buffer = vec![0; number(count)? as usize];
                let taken = self.stream()?.read(&mut buffer)?;
                self.pattern.heard(&buffer[..taken])
            }
            ["shutdown", direction] => {
                let direction = match *direction {
                    "read" => Shutdown::Read,
                    "write" => Shutdown::Write,
                    _ => Shutdown::Both,
                };
                self.stream()?.shutdown(direction)?;
                done
            }
            ["option", "no-delay", switch] => {
                self.stream()?.set_nodelay(*switch == "on")?;
                done
            }
            ["close"] => {
                self.stream = None;
                done
            }
            ["close-listener"] => {
                self.listener = None;
                done
            }
            _ => None,
        })
    }
}

impl Subject for Kernel {
    fn now(&self) -> Duration {
        self.clock.now().since(Instant::ZERO)
    }

    fn packet(&mut self, until: Duration) -> Option<Vec<u8>> {
        loop {
            if let Some(packet) = self.take() {
                return Some(packet);
            }
            if self.now() >= until {
                return None;
            }
            let rest = self.clock.sleep_until(Instant::ZERO.after(until));
            let device = &mut self.device;
            let mut is_first = true;
            let arrival = future::poll_fn(|context| {
                device.register(context.waker(), false);
                if core::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
            });
            self.host.block_on(future::or(arrival, rest));
        }
    }

    fn send(&mut self, packet: &[u8]) {
        assert!(cable::put(&mut self.device, &mut self.pool, packet), "the device has room");
    }

    fn call(&mut self, words: &[&str]) -> Result<String, String> {
        match self.make(words) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(format!("no such call: {}", words.join(" "))),
            Err(error) => {
                let text = error.to_string();
                Ok(text.split(" (os error").next().unwrap_or_default().to_owned())
            }
        }
    }
}
