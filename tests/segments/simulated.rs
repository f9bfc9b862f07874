//! A host of ours in virtual time.

use std::future::poll_fn;
use std::net::IpAddr;
use std::task::Poll;
use std::time::Duration;

use devnet_drivers::Cable;
use devnet_network::command::table::Request;
use devnet_network::command::{
    Accept, GetSocket, GetStreamStatistics, NextConnection, SetOption, Shutdown, TakeError, text,
};
use devnet_network::driver::{Driver, FramePool, Medium};
use devnet_virtual_file_system::{Error, File};
use futures_lite::future;
use world::{Host, World, cable};

use crate::script::Settings;
use crate::subject::{PORT, Pattern, Subject};

/// The host, the peer's end of the wire, and the program's files.
pub(crate) struct Simulated {
    world: World,
    host: Host,
    end: Cable,
    pool: FramePool,
    options: Vec<String>,
    peer: String,
    listener: Option<File>,
    stream: Option<File>,
    connecting: Option<async_executor::Task<Result<(), Error>>>,
    pattern: Pattern,
}

impl Simulated {
    /// A host with one address on an empty wire.
    pub(crate) fn new(settings: &Settings, peer: IpAddr, port: u16) -> Self {
        let world = World::new(1);
        let (end, mine) =
            devnet_drivers::cable(world::pair::options().medium(Medium::Ip).mtu(settings.mtu));
        let host = Host::new(&world).with("eth0", end, &["10.0.0.1/24", "fd00::1/64"]);
        world.run(world.sleep(Duration::from_secs(3)));
        let peer = std::net::SocketAddr::new(peer, port).to_string();
        let mut simulated = Self {
            world,
            host,
            end: mine,
            pool: FramePool::new(),
            options: settings.options.clone(),
            peer,
            listener: None,
            stream: None,
            connecting: None,
            pattern: Pattern::new(),
        };
        while simulated.take().is_some() {}
        simulated
    }

    /// Whoever can run now runs: the clock moves only when nobody can.
    fn settle(&self) {
        self.world.run(self.world.sleep(Duration::from_micros(1)));
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        cable::take(&mut self.end, &mut self.pool)
    }

    /// A new socket with the script's options.
    fn socket(&self) -> Result<File, Error> {
        let file = self.host.open("sockets");
        self.host.write(&file, "socket tcp")?;
        for option in &self.options {
            self.host.write(&file, &format!("option {option}"))?;
        }
        Ok(file)
    }

    fn stream(&self) -> Result<&File, Error> {
        self.stream.as_ref().ok_or(Error::NotConnected)
    }

    fn make(&mut self, words: &[&str]) -> Result<Option<String>, Error> {
        let number = |text: &str| text.parse::<u32>().map_err(|_| Error::InvalidInput);
        let done = Some("ok".to_owned());
        Ok(match words {
            ["listen", backlog @ ..] => {
                let file = self.socket()?;
                let any = if self.peer.starts_with('[') { "[::]" } else { "0.0.0.0" };
                self.host.write(&file, &format!("bind {any}:{PORT}"))?;
                let backlog = backlog.first().unwrap_or(&"16");
                self.host.write(&file, &format!("listen {backlog}"))?;
                self.listener = Some(file);
                done
            }
            ["accept"] => {
                let listener = self.listener.as_ref().ok_or(Error::InvalidInput)?;
                let token = listener.try_control::<NextConnection>(&())?.token;
                let stream = self.host.open("sockets");
                stream.try_control::<Accept>(&token)?;
                (self.stream, self.pattern) = (Some(stream), Pattern::new());
                done
            }
            ["connect"] => {
                let file = self.socket()?;
                let (theirs, line) = (file.clone(), format!("connect {}", self.peer));
                let task = async move { theirs.write(line.as_bytes()).await.map(|_| ()) };
                self.connecting = Some(self.world.spawn(task));
                (self.stream, self.pattern) = (Some(file), Pattern::new());
                done
            }
            ["connected"] => match self.connecting.take() {
                Some(task) if task.is_finished() => {
                    self.world.run(task)?;
                    done
                }
                other => {
                    self.connecting = other;
                    Some("not yet".to_owned())
                }
            },
            ["give-up"] => {
                self.connecting = None;
                self.stream = None;
                done
            }
            ["write", count] => {
                let data = self.pattern.next(number(count)?);
                let taken = self.stream()?.try_write(&data)?;
                self.pattern.wrote(taken)
            }
            ["read", count] => {
                let mut buffer = vec![0; number(count)? as usize];
                let taken = self.stream()?.try_read(&mut buffer)?;
                self.pattern.heard(&buffer[..taken])
            }
            ["close"] => {
                self.stream = None;
                done
            }
            ["close-listener"] => {
                self.listener = None;
                done
            }
            ["option" | "shutdown", ..] => match text::parse(&words.join(" "))? {
                Some(Request::Shutdown(direction)) => {
                    self.stream()?.try_control::<Shutdown>(&direction)?;
                    done
                }
                Some(Request::SetOption(option)) => {
                    self.stream()?.try_control::<SetOption>(&option)?;
                    done
                }
                _ => None,
            },
            ["address", ..] => {
                let device = self.host.open("eth0");
                self.host.write(&device, &words.join(" "))?;
                done
            }
            ["error"] => Some(
                self.stream()?
                    .try_control::<TakeError>(&())?
                    .map_or_else(|| "none".to_owned(), |error| error.to_string()),
            ),
            ["state"] => {
                let status = self.stream()?.try_control::<GetSocket>(&())?;
                Some(format!("{:?}", status.state))
            }
            ["statistics", field] => {
                let all = self.stream()?.try_control::<GetStreamStatistics>(&())?;
                let value = serde_json::to_value(all).unwrap_or_default();
                value.get(*field).map(ToString::to_string)
            }
            _ => None,
        })
    }
}

impl Subject for Simulated {
    fn now(&self) -> Duration {
        Duration::from_micros(self.world.now().as_micros())
    }

    fn packet(&mut self, until: Duration) -> Option<Vec<u8>> {
        self.settle();
        loop {
            if let Some(packet) = self.take() {
                return Some(packet);
            }
            if self.now() >= until {
                return None;
            }
            let rest = self.world.sleep(until - self.now());
            let end = &mut self.end;
            let mut is_first = true;
            let arrival = poll_fn(|context| {
                end.register(context.waker(), false);
                if core::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
            });
            self.world.run(future::or(arrival, rest));
            self.settle();
        }
    }

    fn send(&mut self, packet: &[u8]) {
        assert!(cable::put(&mut self.end, &mut self.pool, packet), "the wire has room");
        self.settle();
    }

    fn call(&mut self, words: &[&str]) -> Result<String, String> {
        match self.make(words) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(format!("no such call: {}", words.join(" "))),
            Err(error) => Ok(error.to_string()),
        }
    }
}
