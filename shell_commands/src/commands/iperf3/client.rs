//! The client: it decides what to measure and when the test ends.

use std::net::IpAddr;
use std::time::Duration;

use async_executor::Executor;
use devnet_network::command::SetOption;
use devnet_network::command::socket::SocketOption;
use devnet_virtual_file_system::{Error, File};
use futures_lite::future;

use super::transfer::Transfer;
use crate::context::Context;
use crate::failure::Failure;
use crate::iperf::{COOKIE, Control, Parameters, Results, State, cookie, results};
use crate::render::iperf as render;
use crate::sockets::{Connection, Sockets, within};

/// The server's timeout while it is not measuring.
const PATIENCE: Duration = Duration::from_secs(10);

/// The test and its output.
pub(super) struct Test {
    /// The server, as given on the command line.
    pub(super) host: String,
    /// The sockets that reach it.
    pub(super) sockets: Sockets,
    /// The server's addresses.
    pub(super) addresses: Vec<IpAddr>,
    /// The server's port.
    pub(super) port: u16,
    /// The parameters for the server.
    pub(super) parameters: Parameters,
    /// Only one report in JSON at the end.
    pub(super) json: bool,
}

/// A running test.
struct Session<'a> {
    context: &'a Context,
    test: &'a Test,
    sockets: Sockets,
    control: Control,
    cookie: [u8; COOKIE],
    address: IpAddr,
    connections: Vec<Connection>,
}

/// Runs one test.
///
/// # Errors
/// The reason of the failure.
pub(super) async fn run(context: &Context, test: &Test) -> Result<(), Failure> {
    let sockets = &test.sockets;
    if !test.json {
        context.print(&format!("Connecting to host {}, port {}\n", test.host, test.port)).await?;
    }
    let connection = sockets
        .connect_any(&test.addresses, test.port)
        .await
        .map_err(|(_, why)| Failure::of("unable to connect to server", why))?;
    let mut random = [0; COOKIE];
    context.platform.entropy.fill(&mut random).map_err(Failure::new)?;
    let mut session = Session {
        context,
        test,
        sockets: sockets.clone(),
        control: Control { file: connection.file },
        cookie: cookie(&random),
        address: connection.remote.ip(),
        connections: Vec::new(),
    };
    session
        .control
        .file
        .control::<SetOption>(&SocketOption::NoDelay(true))
        .await
        .map_err(broken)?;
    session.control.file.write_all(&session.cookie).await.map_err(broken)?;
    session.prepare().await?;
    let executor = Executor::new();
    executor.run(session.measure(&executor)).await
}

fn broken(why: Error) -> Failure {
    Failure::of("control connection", why)
}

impl Session<'_> {
    async fn hear(&self) -> Result<State, Failure> {
        let state =
            within(self.context.platform.clock.as_ref(), Some(PATIENCE), self.control.hear()).await;
        state.map_err(broken)
    }

    fn refused(state: State) -> Failure {
        Failure::new(match state {
            State::AccessDenied => "the server is busy running a test. try again later",
            State::ServerError => "the server refused the test",
            State::ServerTerminate => "the server has terminated",
            _ => "the server said something out of turn",
        })
    }

    /// Runs the protocol up to the start.
    async fn prepare(&mut self) -> Result<(), Failure> {
        loop {
            match self.hear().await? {
                State::ParameterExchange => {
                    self.control.send(&self.test.parameters).await.map_err(broken)?
                }
                State::CreateStreams => self.connect_streams().await?,
                State::TestStart => {}
                State::TestRunning => return Ok(()),
                state => return Err(Self::refused(state)),
            }
        }
    }

    async fn connect_streams(&mut self) -> Result<(), Failure> {
        for _ in 0..self.test.parameters.parallel {
            let remote = (self.address, self.test.port).into();
            let stream = self.sockets.connect(remote, None).await;
            let stream = stream.map_err(|why| Failure::of("unable to connect stream", why))?;
            stream.file.write_all(&self.cookie).await.map_err(broken)?;
            self.connections.push(stream);
        }
        Ok(())
    }

    async fn measure(&self, executor: &Executor<'_>) -> Result<(), Failure> {
        let Test { parameters, json, .. } = self.test;
        let clock = self.context.platform.clock.as_ref();
        let streams: Vec<File> =
            self.connections.iter().map(|connection| connection.file.clone()).collect();
        let is_sender = !parameters.reverse;
        let mut transfer =
            Transfer::new(streams, is_sender, parameters.len, parameters.num, clock.now());
        if !json {
            self.context.print(&render::start(&self.connections)).await?;
        }
        transfer.start(executor, clock.now());
        self.wait(&mut transfer).await?;
        let now = clock.now();
        transfer.report(self.context, *json, now).await?;
        let (bytes, seconds) = (transfer.bytes(), transfer.seconds(now));
        self.control.tell(State::TestEnd).await.map_err(broken)?;
        let ours = results(&bytes, seconds, &transfer.retransmissions());
        let theirs = self.conclude(&ours).await?;
        let (sender, receiver) = if is_sender { (&ours, &theirs) } else { (&theirs, &ours) };
        let text = if *json {
            render::json(&self.connections, &transfer.intervals, sender, receiver, parameters)
        } else {
            format!("{}\niperf Done.\n", render::summary(Some(sender), Some(receiver)))
        };
        self.context.print(&text).await
    }

    /// Waits until time or bytes end the test.
    async fn wait(&self, transfer: &mut Transfer) -> Result<(), Failure> {
        let clock = self.context.platform.clock.as_ref();
        let end = clock.now().after(Duration::from_secs(self.test.parameters.time.into()));
        let (by_bytes, quiet) = (self.test.parameters.num, self.test.json);
        loop {
            let now = clock.now();
            if transfer.is_complete(by_bytes) || by_bytes == 0 && now >= end {
                return Ok(());
            }
            if now >= transfer.next_report() {
                transfer.report(self.context, quiet, now).await?;
            }
            let mut until = transfer.next_report();
            if by_bytes == 0 {
                until = until.min(end);
            } else {
                // Nothing signals the last byte, so poll for it.
                until = until.min(now.after(Duration::from_millis(10)));
            }
            let timer = async {
                clock.sleep_until(until).await;
                Ok(None)
            };
            // During a test the server sends a state only to abort.
            let state = future::or(timer, async { self.control.hear().await.map(Some) }).await;
            if let Some(state) = state.map_err(broken)? {
                return Err(Self::refused(state));
            }
        }
    }

    /// Exchanges results.
    async fn conclude(&self, ours: &Results) -> Result<Results, Failure> {
        let mut theirs = Results::default();
        loop {
            match self.hear().await? {
                State::ExchangeResults => {
                    self.control.send(ours).await.map_err(broken)?;
                    theirs = self.control.receive().await.map_err(broken)?;
                }
                State::DisplayResults => {
                    self.control.tell(State::Done).await.map_err(broken)?;
                    return Ok(theirs);
                }
                state => return Err(Self::refused(state)),
            }
        }
    }
}
