//! `telnet`: a line to a remote terminal, or to any server that takes lines (RFC 854).
//!
//! Lines of the input go out with the ends that the protocol wants. Every option that the peer
//! asks for or offers is refused (RFC 855): a terminal without options is what every server must
//! accept. What the peer says is shown with its control characters made visible. `Ctrl-]` ends the
//! command; so does the end of the input, once the peer has answered.

use std::net::SocketAddr;
use std::time::Duration;

use async_lock::OnceCell;
use devnet_network::command::Shutdown;
use devnet_network::command::socket::Direction;
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Error, File, Lock};
use futures_lite::future;
use lexopt::prelude::*;

use super::{target, words};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::sockets::{Connection, Family};
use crate::status::Status;
use crate::telnet_protocol::{DO, DONT, IAC, SB, SE, WILL, WONT};

/// The port of the protocol.
const PORT: u16 = 23;
/// `Ctrl-]`.
const ESCAPE: u8 = 0x1d;
/// How long the peer may be silent once the input has ended.
const AFTER_END: Duration = Duration::from_secs(1);

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut family, mut operands) = (Family::Any, Vec::new());
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('4') => family = Family::V4,
            Short('6') => family = Family::V6,
            Value(word) => operands.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let (host, port) = match operands.as_slice() {
        [host] => (host, PORT),
        [host, port] => (host, words::parse(port, "port")?),
        _ => return Err(Failure::usage("a host is needed, and at most one port")),
    };
    let connection = connect(context, host, port, family).await?;
    let text = format!("Connected to {host}.\nEscape character is '^]'.\n");
    context.print(&text).await?;
    let session = Session {
        context,
        file: &connection.file,
        heard: Lock::new(context.platform.clock.now()),
        input_ended: OnceCell::new(),
    };
    let ends = future::or(session.receive(), future::or(session.send(), session.silence()));
    match ends.await? {
        End::Ours => Ok(Status::SUCCESS),
        End::Theirs => {
            context.streams.error.remark("Connection closed by foreign host.\n").await;
            Ok(Status::FAILURE)
        }
    }
}

async fn connect(
    context: &Context,
    host: &str,
    port: u16,
    family: Family,
) -> Result<Connection, Failure> {
    let (sockets, addresses) = target::addresses(context, host, family).await?;
    let (mut address, mut failure) = (None, Error::NotFound);
    for one in addresses {
        context.print(&format!("Trying {one}...\n")).await?;
        match sockets.connect(SocketAddr::new(one, port), None).await {
            Ok(connection) => return Ok(connection),
            // The error of a family with a route is more useful than that of one without.
            Err(Error::NetworkUnreachable) if address.is_some() => {}
            Err(why) => (address, failure) = (Some(one), why),
        }
    }
    let address = address.map_or_else(|| host.to_owned(), |address| address.to_string());
    Err(Failure::new(format!("can't connect to remote host ({address}): {failure}")))
}

/// Who ended the session.
enum End {
    Ours,
    Theirs,
}

struct Session<'a> {
    context: &'a Context,
    file: &'a File,
    /// When the peer last said something, or the input ended.
    heard: Lock<Instant>,
    input_ended: OnceCell<()>,
}

impl Session<'_> {
    fn note(&self) {
        self.heard.with(|heard| *heard = self.context.platform.clock.now());
    }

    async fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).await.map_err(|why| Failure::new(why.to_string()))
    }

    /// Input → connection, until `Ctrl-]`.
    async fn send(&self) -> Result<End, Failure> {
        let input = &self.context.streams.input;
        let mut buffer = vec![0; limits::TELNET_BYTES];
        loop {
            let read = input.file.read(&mut buffer).await;
            let count = read.map_err(|why| Failure::of(&input.name, why))?;
            if count == 0 {
                break;
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            let place = bytes.iter().position(|byte| *byte == ESCAPE);
            let kept = bytes.get(..place.unwrap_or(count)).unwrap_or_default();
            self.write(&outgoing(kept)).await?;
            if place.is_some() {
                return Ok(End::Ours);
            }
        }
        // A peer that is gone needs no shutdown.
        let _ = self.file.control::<Shutdown>(&Direction::Write).await;
        self.note();
        // Only this sets the cell.
        let _ = self.input_ended.set(()).await;
        future::pending().await
    }

    /// Connection → output, until the peer ends.
    async fn receive(&self) -> Result<End, Failure> {
        let mut decoder = Decoder::default();
        let mut buffer = vec![0; limits::TELNET_BYTES];
        loop {
            let read = self.file.read(&mut buffer).await;
            let count = read.map_err(|why| Failure::new(why.to_string()))?;
            self.note();
            let mut said = Said::default();
            for byte in buffer.iter().take(count) {
                decoder.take(*byte, &mut said);
            }
            if count == 0 {
                decoder.end(&mut said);
            }
            self.context.print(&said.text()).await?;
            if count == 0 {
                let is_ours = self.input_ended.is_initialized();
                return Ok(if is_ours { End::Ours } else { End::Theirs });
            }
            if !said.answers.is_empty() {
                self.write(&said.answers).await?;
            }
        }
    }

    /// Ends when the input has ended and the peer is silent.
    async fn silence(&self) -> Result<End, Failure> {
        self.input_ended.wait().await;
        let clock = &self.context.platform.clock;
        loop {
            let deadline = self.heard.with(|heard| *heard).after(AFTER_END);
            if clock.now() >= deadline {
                return Ok(End::Ours);
            }
            clock.sleep_until(deadline).await;
        }
    }
}

/// Bytes of the input as they go out: lines end with CR LF, and a byte 255 is doubled.
fn outgoing(bytes: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match *byte {
            b'\n' => sent.extend_from_slice(b"\r\n"),
            // The end of the line that comes with it; alone it would need a zero behind it.
            b'\r' => {}
            IAC => sent.extend_from_slice(&[IAC, IAC]),
            byte => sent.push(byte),
        }
    }
    sent
}

/// What the peer has said in some bytes.
#[derive(Default)]
struct Said {
    bytes: Vec<u8>,
    /// What is to be answered.
    answers: Vec<u8>,
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// What the last bytes were.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Data,
    /// After CR.
    Return,
    /// After IAC.
    Command,
    /// After WILL, WONT, DO or DONT.
    Option(u8),
    /// Within a subnegotiation, which nobody asked for.
    Parameters,
    /// After IAC within one.
    ParametersCommand,
}

/// Separates what is shown from what is negotiated.
#[derive(Default)]
struct Decoder {
    state: State,
    /// The beginning of a character whose rest has not come.
    held: Vec<u8>,
}

impl Decoder {
    fn take(&mut self, byte: u8, said: &mut Said) {
        let is_after_return = self.state == State::Return;
        self.state = match (self.state, byte) {
            (State::Data | State::Return, IAC) => State::Command,
            (State::Data, b'\r') => State::Return,
            // CR LF is the end of a line, CR NUL a CR.
            (State::Return, b'\n') => self.data(b'\n', said),
            (State::Return, 0) => self.data(b'\r', said),
            (State::Return, byte) if byte != b'\r' => {
                self.data(b'\r', said);
                self.data(byte, said)
            }
            (State::Return, _) => {
                self.data(b'\r', said);
                State::Return
            }
            (State::Data, byte) => self.data(byte, said),
            (State::Command, IAC) => self.data(IAC, said),
            (State::Command, WILL | WONT | DO | DONT) => State::Option(byte),
            (State::Command, SB) => State::Parameters,
            // Nothing else changes anything here.
            (State::Command, _) => State::Data,
            (State::Option(verb), option) => {
                // Everything is off already, so only what would switch it on is refused.
                match verb {
                    WILL => said.answers.extend_from_slice(&[IAC, DONT, option]),
                    DO => said.answers.extend_from_slice(&[IAC, WONT, option]),
                    _ => {}
                }
                State::Data
            }
            (State::Parameters, IAC) => State::ParametersCommand,
            (State::ParametersCommand, SE) => State::Data,
            (State::Parameters | State::ParametersCommand, _) => State::Parameters,
        };
        if is_after_return && self.state == State::Command {
            self.data(b'\r', said);
        }
    }

    /// Adds a byte; bytes of one character are held until they are all there.
    fn data(&mut self, byte: u8, said: &mut Said) -> State {
        self.held.push(byte);
        let is_begun = match std::str::from_utf8(&self.held) {
            Ok(_) => false,
            // No length: more bytes may make it valid, of which there are four at most.
            Err(why) => why.error_len().is_none() && why.valid_up_to() == 0,
        };
        if !is_begun {
            said.bytes.append(&mut self.held);
        }
        State::Data
    }

    /// What is left when nothing more comes.
    fn end(&mut self, said: &mut Said) {
        if self.state == State::Return {
            self.data(b'\r', said);
        }
        said.bytes.append(&mut self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, Vec<u8>) {
        let (mut decoder, mut said) = (Decoder::default(), Said::default());
        bytes.iter().for_each(|byte| decoder.take(*byte, &mut said));
        decoder.end(&mut said);
        (said.text(), said.answers)
    }

    #[test]
    fn options_are_refused_and_nothing_of_them_is_shown() {
        let bytes = [b'a', IAC, DO, 24, IAC, WILL, 1, IAC, WONT, 3, IAC, DONT, 5, b'b'];
        let answers = vec![IAC, WONT, 24, IAC, DONT, 1];
        assert_eq!(decoded(&bytes), ("ab".into(), answers));
        let bytes = [b'a', IAC, SB, 24, 1, IAC, IAC, b'x', IAC, SE, b'b', IAC, 241, b'c'];
        assert_eq!(decoded(&bytes), ("abc".into(), Vec::new()));
        // A subnegotiation without end shows nothing.
        assert_eq!(decoded(&[b'a', IAC, SB, 24, b'x', b'y']), ("a".into(), Vec::new()));
    }

    #[test]
    fn lines_end_as_the_protocol_wants() {
        assert_eq!(decoded(b"a\r\nb\r\0c\rd\r\r\n").0, "a\nb\rc\rd\r\n");
        assert_eq!(decoded(b"a\r").0, "a\r");
        assert_eq!(decoded(&[b'\r', IAC, DO, 1]).0, "\r");
        assert_eq!(outgoing(b"a\nb\r\n\xff"), b"a\r\nb\r\n\xff\xff");
    }

    #[test]
    fn characters_are_shown_whole_and_wrong_bytes_at_once() {
        let (mut decoder, mut said) = (Decoder::default(), Said::default());
        decoder.take(0xc3, &mut said);
        assert_eq!(said.text(), "");
        decoder.take(0xa4, &mut said);
        assert_eq!(said.text(), "\u{e4}");
        assert_eq!(decoded(&[0xc3, b'a', 0x80, IAC, IAC]).0, "\u{fffd}a\u{fffd}\u{fffd}");
    }
}
