//! The server: it serves one client at a time and refuses others meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use async_executor::Executor;
use devnet_network::command::SetOption;
use devnet_network::command::socket::SocketOption;
use devnet_virtual_file_system::{Error, File};
use futures_lite::future;

use super::transfer::Transfer;
use crate::context::Context;
use crate::failure::Failure;
use crate::iperf::{COOKIE, Control, Parameters, Results, State, results};
use crate::limits;
use crate::render::iperf as render;
use crate::sockets::{Connection, Listener, Sockets, read_exact, within};

/// The client's timeout outside a measurement.
const PATIENCE: Duration = Duration::from_secs(10);
/// Extra seconds after a test's time before the server aborts a client that does not end it.
const GRACE: u64 = 30;
/// The original's error numbers: "unimplemented feature" and "number of parallel streams too
/// large".
const UNIMPLEMENTED: u32 = 13;
const TOO_MANY_STREAMS: u32 = 11;

/// Serves tests one after another, or just one.
///
/// # Errors
/// Errors of listening. A failed test is reported and does not end the server, unless it was the
/// only one.
pub(super) async fn run(
    context: &Context,
    address: SocketAddr,
    once: bool,
    json: bool,
) -> Result<(), Failure> {
    let listener = Sockets::routed(&context.files).listen(address).await;
    let listener =
        listener.map_err(|why| Failure::of("unable to start listener for connections", why))?;
    loop {
        if !json {
            context.print(&render::listening(address.port())).await?;
        }
        let connection = listener.accept().await.map_err(|why| Failure::of("accept", why))?;
        let served = serve(context, &listener, connection, json).await;
        match served {
            Err(failure) if once => return Err(failure),
            Err(failure) => context.complain(&failure.message).await,
            Ok(()) => {}
        }
        if once {
            return Ok(());
        }
    }
}

async fn serve(
    context: &Context,
    listener: &Listener,
    connection: Connection,
    json: bool,
) -> Result<(), Failure> {
    let clock = context.platform.clock.as_ref();
    let broken = |why| Failure::of(connection.remote, why);
    let control = Control { file: connection.file.clone() };
    control.file.control::<SetOption>(&SocketOption::NoDelay(true)).await.map_err(broken)?;
    let mut cookie = [0; COOKIE];
    let is_there = within(clock, Some(PATIENCE), read_exact(&control.file, &mut cookie))
        .await
        .map_err(broken)?;
    if !is_there {
        return Err(broken(Error::ConnectionReset));
    }
    if !json {
        let remote = connection.remote;
        context
            .print(&format!("Accepted connection from {}, port {}\n", remote.ip(), remote.port()))
            .await?;
    }
    control.tell(State::ParameterExchange).await.map_err(broken)?;
    let parameters: Parameters =
        within(clock, Some(PATIENCE), control.receive()).await.map_err(broken)?;
    if let Some(reason) = refusal(&parameters) {
        control.refuse(reason).await.map_err(broken)?;
        return Err(Failure::of(connection.remote, "asked for a test that is not implemented"));
    }
    control.tell(State::CreateStreams).await.map_err(broken)?;
    let gathered = gather(context, listener, &cookie, parameters.parallel.max(1));
    let connections = within(clock, Some(PATIENCE), gathered).await.map_err(broken)?;
    if !json {
        context.print(&render::start(&connections)).await?;
    }
    let executor = Executor::new();
    let session = Session { context, control, parameters, connections, json };
    // Other clients get the state "busy".
    let test = future::or(session.measure(&executor), turn_away(listener));
    executor.run(test).await.map_err(|failure| match failure.message.is_empty() {
        true => failure,
        false => Failure::of(connection.remote, failure.message),
    })?;
    // A client that leaves without its final state still has its results. The state may arrive
    // late. The next client must not get "busy" meanwhile: it waits in the backlog.
    let _ = within(clock, Some(PATIENCE), session.control.hear()).await;
    Ok(())
}

/// The reason of a refusal, as the original's error number.
fn refusal(parameters: &Parameters) -> Option<u32> {
    if parameters.udp || parameters.bidirectional {
        return Some(UNIMPLEMENTED);
    }
    (parameters.parallel > limits::IPERF_STREAMS).then_some(TOO_MANY_STREAMS)
}

/// Accepts the streams with the right cookie.
async fn gather(
    context: &Context,
    listener: &Listener,
    cookie: &[u8; COOKIE],
    count: u32,
) -> Result<Vec<Connection>, Error> {
    let mut connections = Vec::new();
    while u32::try_from(connections.len()).unwrap_or(u32::MAX) < count {
        let connection = listener.accept().await?;
        let mut shown = [0; COOKIE];
        let clock = context.platform.clock.as_ref();
        let read =
            within(clock, Some(Duration::from_secs(2)), read_exact(&connection.file, &mut shown))
                .await;
        if read == Ok(true) && shown == *cookie {
            connections.push(connection);
        } else {
            let _ = Control { file: connection.file }.tell(State::AccessDenied).await;
        }
    }
    Ok(connections)
}

async fn turn_away(listener: &Listener) -> Result<(), Failure> {
    loop {
        let connection = listener.accept().await.map_err(|why| Failure::of("accept", why))?;
        let _ = Control { file: connection.file }.tell(State::AccessDenied).await;
    }
}

struct Session<'a> {
    context: &'a Context,
    control: Control,
    parameters: Parameters,
    connections: Vec<Connection>,
    json: bool,
}

fn lost(why: Error) -> Failure {
    Failure::of("control connection", why)
}

impl Session<'_> {
    async fn measure(&self, executor: &Executor<'_>) -> Result<(), Failure> {
        let Self { context, control, parameters, connections, json } = self;
        let clock = context.platform.clock.as_ref();
        control.tell(State::TestStart).await.map_err(lost)?;
        let streams: Vec<File> =
            connections.iter().map(|connection| connection.file.clone()).collect();
        let mut transfer =
            Transfer::new(streams, parameters.reverse, parameters.len, parameters.num, clock.now());
        control.tell(State::TestRunning).await.map_err(lost)?;
        transfer.start(executor, clock.now());
        let timeout = Duration::from_secs(u64::from(parameters.time).saturating_add(GRACE));
        // A test by bytes has no time limit.
        let timeout = Some(timeout).filter(|_| parameters.time > 0);
        let heard = async { within(clock, timeout, control.hear()).await.map_err(lost) };
        let reporting =
            async { transfer.report_for_ever(context, *json).await.and(Ok(State::TestEnd)) };
        match future::or(heard, reporting).await? {
            State::TestEnd => {}
            State::ClientTerminate => return Err(Failure::new("the client has terminated")),
            _ => return Err(Failure::new("the client said something out of turn")),
        }
        let now = clock.now();
        transfer.report(context, *json, now).await?;
        transfer.finish().await;
        let ours = results(&transfer.bytes(), transfer.seconds(now), &transfer.retransmissions());
        let theirs = self.conclude(&ours).await?;
        let is_sender = transfer.is_sender();
        let text = if *json {
            let (sender, receiver) = if is_sender { (&ours, &theirs) } else { (&theirs, &ours) };
            render::json(connections, &transfer.intervals, sender, receiver, parameters)
        } else {
            render::summary(is_sender.then_some(&ours), (!is_sender).then_some(&ours))
        };
        context.print(&text).await
    }

    async fn conclude(&self, ours: &Results) -> Result<Results, Failure> {
        let clock = self.context.platform.clock.as_ref();
        self.control.tell(State::ExchangeResults).await.map_err(lost)?;
        let theirs = within(clock, Some(PATIENCE), self.control.receive()).await.map_err(lost)?;
        self.control.send(ours).await.map_err(lost)?;
        self.control.tell(State::DisplayResults).await.map_err(lost)?;
        Ok(theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_we_cannot_do_are_refused() {
        let plain = Parameters { tcp: true, parallel: 1, ..Parameters::default() };
        assert_eq!(refusal(&plain), None);
        assert_eq!(refusal(&Parameters { udp: true, ..plain.clone() }), Some(UNIMPLEMENTED));
        assert_eq!(
            refusal(&Parameters { bidirectional: true, ..plain.clone() }),
            Some(UNIMPLEMENTED)
        );
        assert_eq!(
            refusal(&Parameters { parallel: limits::IPERF_STREAMS + 1, ..plain }),
            Some(TOO_MANY_STREAMS)
        );
    }
}
