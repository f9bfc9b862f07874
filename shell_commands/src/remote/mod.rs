//! The shell from afar: by telnet over our own stack, and on a serial line.
//!
//! A session has what a terminal has: keys, which the `discipline` takes, a window, and an output
//! whose lines are ended for the peer. It begins with a name and a password; without
//! [`Credentials`] nobody can listen. Telnet is not encrypted: it belongs on a network that is
//! trusted. What a session started ends with it. Called by [`program`](crate::program).

mod credentials;
mod discipline;
mod telnet;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use devnet_network::command::option::SocketOption;
use devnet_network::command::socket::Direction;
use devnet_network::command::{SetOption, Shutdown};
use devnet_network::platform::before;
use devnet_virtual_file_system::{Error, File, Lock, pipe};
use futures_lite::future;

pub use credentials::Credentials;
use discipline::Discipline;
use telnet::Protocol;

use crate::context::{Files, Platform, Stream, Streams};
use crate::limits;
use crate::shell::Shell;
use crate::shell::command::Command;
use crate::shell::keyboard::Keyboard;
use crate::shell::signals::Signal;
use crate::sockets::Sockets;
use crate::terminal::{self, Terminal};
use crate::window::Window;

/// From where the shell is reached.
#[derive(Default)]
pub struct Remote {
    /// Where telnet is served.
    pub listen: Option<SocketAddr>,
    /// Who may log in. A serial line without is open to whoever has it.
    pub credentials: Option<Credentials>,
    /// Opened terminals, by name.
    pub serial: Vec<(String, File)>,
}

/// What the shell of a session is made of.
#[derive(Clone)]
struct System {
    commands: &'static [Command],
    files: Files,
    platform: Platform,
    credentials: Option<Credentials>,
}

/// Begins to serve.
///
/// # Errors
/// What cannot be served, and why, in one line.
pub async fn start(remote: Remote, shell: &Shell) -> Result<(), String> {
    let Remote { listen, credentials, serial } = remote;
    let system = System {
        commands: shell.commands,
        files: shell.files.clone(),
        platform: shell.platform.clone(),
        credentials,
    };
    let spawner = Arc::clone(&system.platform.spawner);
    if let Some(address) = listen {
        if system.credentials.is_none() {
            return Err(format!("{address}: nobody may log in; --credentials FILE is needed"));
        }
        let listener = Sockets::routed(&system.files).listen(address).await;
        let listener = listener.map_err(|why| format!("{address}: {why}"))?;
        let system = system.clone();
        let serve = async move {
            let table = Sessions::default();
            loop {
                match listener.accept().await {
                    Ok(connection) => accept(&system, &table, connection.file, connection.remote),
                    Err(why @ (Error::NetworkDown | Error::NoDevice | Error::NotConnected)) => {
                        log::error!(target: "devnet::remote", "{address}: {why}");
                        return;
                    }
                    // A connection that is not to be had affects no others.
                    Err(why) => {
                        log::warn!(target: "devnet::remote", "{address}: {why}");
                        let clock = &system.platform.clock;
                        clock.sleep_until(clock.now().after(PAUSE)).await;
                    }
                }
            }
        };
        spawner.spawn(Box::pin(serve)).map_err(|why| format!("{address}: {why}"))?;
    }
    for (name, file) in serial {
        let system = system.clone();
        // As getty does it: when a session ends, the next one begins.
        let serve = async move {
            while session(&system, &file, false, &name).await {}
            log::warn!(target: "devnet::remote", "{name}: the line is gone");
        };
        spawner.spawn(Box::pin(serve)).map_err(String::from)?;
    }
    Ok(())
}

/// The delay after an error of the listener that does not end it.
const PAUSE: Duration = Duration::from_millis(100);

/// The sources of the sessions that live.
#[derive(Clone, Default)]
struct Sessions(Arc<Lock<Vec<IpAddr>>>);

/// One of them, while it lives.
struct Place(Sessions, IpAddr);

impl Sessions {
    fn enter(&self, source: IpAddr) -> Option<Place> {
        let is_in = self.0.with(|sessions| {
            let same = sessions.iter().filter(|other| **other == source).count();
            let is_in = sessions.len() < limits::REMOTE_SESSIONS
                && same < limits::REMOTE_SESSIONS_PER_SOURCE;
            if is_in {
                sessions.push(source);
            }
            is_in
        });
        is_in.then(|| Place(self.clone(), source))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.with(|sessions| {
            if let Some(place) = sessions.iter().position(|source| *source == self.1) {
                sessions.swap_remove(place);
            }
        });
    }
}

fn accept(system: &System, table: &Sessions, file: File, remote: SocketAddr) {
    let Some(place) = table.enter(remote.ip()) else {
        log::warn!(target: "devnet::remote", "{remote}: too many sessions");
        // The connection ends with the file; what does not fit is not said.
        let _ = file.try_write(b"Too many sessions.\r\n");
        return;
    };
    // A peer that has vanished gives its place back.
    let keep_alive = SocketOption::KeepAlive(limits::REMOTE_KEEP_ALIVE_MILLISECONDS);
    if let Err(why) = file.try_control::<SetOption>(&keep_alive) {
        log::warn!(target: "devnet::remote", "{remote}: {why}");
    }
    let own = system.clone();
    let serve = async move {
        let _place = place;
        session(&own, &file, true, &remote.to_string()).await;
    };
    if let Err(why) = system.platform.spawner.spawn(Box::pin(serve)) {
        log::error!(target: "devnet::remote", "{remote}: {why}");
    }
}

/// One end of a session, for the tasks that move its bytes.
struct Ends {
    keyboard: Keyboard,
    window: Window,
    discipline: Discipline,
}

/// Serves one session to its end; false if the peer is gone.
async fn session(system: &System, file: &File, is_telnet: bool, name: &str) -> bool {
    let keyboard = Keyboard::default();
    let discipline = Discipline::new(keyboard.clone());
    let ends = Ends { keyboard, window: Window::default(), discipline };
    let (output, writer) = pipe(limits::PIPE_BYTES);
    let (answers, answer) = pipe(limits::REMOTE_ANSWER_BYTES);
    let echo = writer.clone();
    let work = async {
        let receive = receive(&ends, file, is_telnet, echo, answer);
        let run = run(system, &ends, writer, name);
        future::or(receive, run).await
    };
    let sent = async {
        let sent = send(file, is_telnet, output, answers).await;
        if sent.is_err() {
            // Nobody hears anything any more.
            hang_up(&ends);
        }
    };
    // What is left to say once the shell has ended has its time.
    let clock = &system.platform.clock;
    let ended = async_lock::OnceCell::new();
    let work = async {
        let is_there = work.await;
        let _ = ended.set(clock.now().after(limits::REMOTE_END)).await;
        is_there
    };
    let late = async {
        clock.sleep_until(*ended.wait().await).await;
    };
    let (is_there, ()) = future::zip(work, future::or(sent, late)).await;
    if is_telnet {
        // A peer that is gone needs no shutdown.
        let _ = file.control::<Shutdown>(&Direction::Write).await;
        let mut rest = [0; 512];
        let drained = async { while file.read(&mut rest).await.is_ok_and(|count| count > 0) {} };
        let _ = before(clock.as_ref(), clock.now().after(limits::REMOTE_END), drained).await;
    }
    is_there
}

fn hang_up(ends: &Ends) {
    ends.discipline.close();
    ends.keyboard.end(Signal::HANG_UP);
}

/// Peer → keys. Does not end: the shell does, when the peer is gone.
async fn receive(ends: &Ends, file: &File, is_telnet: bool, echo: File, answer: File) -> bool {
    let mut protocol = Protocol::default();
    if is_telnet {
        let _ = answer.write_all(&telnet::OFFERS).await;
    }
    let mut buffer = vec![0; limits::TELNET_BYTES];
    loop {
        ends.discipline.room().await;
        let count = file.read(&mut buffer).await.unwrap_or(0);
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            hang_up(ends);
            return future::pending().await;
        }
        let mut keys = bytes.to_vec();
        if is_telnet {
            let heard = protocol.take(bytes);
            if let Some(size) = heard.size {
                ends.window.set(size);
            }
            if !heard.answer.is_empty() {
                let _ = answer.write_all(&heard.answer).await;
            }
            keys = heard.keys;
        }
        let shown = ends.discipline.take(&keys);
        // An echo that has no room is not missed; Ctrl-C behind it would be.
        let _ = echo.try_write(&shown);
    }
}

/// Output → peer, with the protocol's answers in between.
async fn send(
    file: &File,
    is_telnet: bool,
    output: File,
    answers: File,
) -> devnet_virtual_file_system::Result<()> {
    let mut after_return = false;
    let (mut text, mut raw) = (vec![0; limits::TELNET_BYTES], vec![0; limits::REMOTE_ANSWER_BYTES]);
    loop {
        let answer = async { (true, answers.read(&mut raw).await) };
        let said = async { (false, output.read(&mut text).await) };
        let (is_raw, count) = future::or(answer, said).await;
        match (is_raw, count?) {
            // The receiver has ended: what the shell said comes to its end.
            (true, 0) => break,
            (false, 0) => return Ok(()),
            (true, count) => file.write_all(raw.get(..count).unwrap_or_default()).await?,
            (false, count) => {
                let text = text.get(..count).unwrap_or_default();
                file.write_all(&telnet::outgoing(text, is_telnet, &mut after_return)).await?;
            }
        }
    }
    loop {
        let count = output.read(&mut text).await?;
        if count == 0 {
            return Ok(());
        }
        let text = text.get(..count).unwrap_or_default();
        file.write_all(&telnet::outgoing(text, is_telnet, &mut after_return)).await?;
    }
}

/// The login and the shell; false if the peer is gone.
async fn run(system: &System, ends: &Ends, writer: File, name: &str) -> bool {
    let input = Stream::new(ends.discipline.input(), "standard input").on(ends.window.clone());
    let output = Stream::new(writer, "standard output").on(ends.window.clone());
    if let Some(credentials) = &system.credentials {
        let clock = &system.platform.clock;
        let limit = clock.now().after(limits::REMOTE_LOGIN);
        let login = login(system, ends, &input.file, &output, credentials);
        let outcome = before(clock.as_ref(), limit, login).await;
        match outcome {
            Some(Login::Done(user)) => {
                let user = crate::shown::line(&user);
                log::info!(target: "devnet::remote", "{name}: {user} logged in");
            }
            Some(Login::Refused) => {
                log::warn!(target: "devnet::remote", "{name}: wrong passwords");
                return true;
            }
            Some(Login::Gone) => return false,
            None => {
                output.remark("\nLogin timed out.\n").await;
                return true;
            }
        }
    }
    let error = Stream { name: Arc::from("standard error"), ..output.clone() };
    let streams = Streams { input: input.clone(), output: output.clone(), error };
    let (files, platform) = (system.files.clone(), system.platform.clone());
    let mut shell = Shell::with_commands(system.commands, files, streams, platform);
    let terminal = Terminal {
        input: input.file,
        output: output.file,
        window: ends.window.clone(),
        keyboard: ends.keyboard.clone(),
        modes: Arc::new(ends.discipline.clone()),
    };
    let status = terminal::run(&mut shell, &terminal).await;
    shell.exit.get_or_insert(status);
    shell.finish().await;
    future::poll_once(ends.keyboard.ended()).await.is_none()
}

/// How a login ends.
enum Login {
    Done(String),
    Refused,
    Gone,
}

async fn login(
    system: &System,
    ends: &Ends,
    input: &File,
    output: &Stream,
    credentials: &Credentials,
) -> Login {
    for _ in 0..limits::REMOTE_PASSWORDS {
        output.remark("devnet login: ").await;
        let Some(user) = line(input).await else { return Login::Gone };
        if user.is_empty() {
            continue;
        }
        ends.discipline.set_echo(false);
        output.remark("Password: ").await;
        let password = line(input).await;
        ends.discipline.set_echo(true);
        let Some(password) = password else { return Login::Gone };
        if credentials.verify(&user, &password).await {
            return Login::Done(user);
        }
        let clock = &system.platform.clock;
        clock.sleep_until(clock.now().after(WRONG_PASSWORD)).await;
        output.remark("Login incorrect\n").await;
    }
    Login::Refused
}

/// How long a wrong password takes.
const WRONG_PASSWORD: Duration = Duration::from_secs(2);

/// A line of a login; `None` at the end. One that is too long is cut, and so is wrong.
async fn line(input: &File) -> Option<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        if input.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        if byte == *b"\n" {
            return Some(String::from_utf8_lossy(&line).into_owned());
        }
        if line.len() <= limits::LOGIN_BYTES {
            line.extend_from_slice(&byte);
        }
    }
}

#[cfg(test)]
mod tests;
