//! Our program on the host: it accepts or connects, reads, writes and leaves as the dice say.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use devnet_network::command::option::CongestionControl;
use devnet_network::command::socket::Direction;
use devnet_network::{Sockets, TcpListener, TcpSettings, TcpStream};
use devnet_virtual_file_system::Error;

use super::offered::Offered;
use super::peer::Temper;
use super::sent::{Sent, content};
use crate::classifier::Dice;

type Connected = Arc<Mutex<Option<Result<TcpStream, Error>>>>;

/// Where the stream comes from.
enum Source {
    Listener(TcpListener),
    Connect(Connected),
    Nothing,
}

pub(super) struct Program {
    source: Source,
    pub(super) stream: Option<TcpStream>,
    /// What ended the connection.
    pub(super) error: Option<Error>,
    buffer: Vec<u8>,
}

/// Settings of any kind; the connection of a peer that plays by the book has time.
pub(super) fn settings(dice: &Dice<'_>, temper: Temper) -> TcpSettings {
    let is_fair = temper != Temper::Wild;
    TcpSettings::default()
        .receive_buffer(dice.one(&[
            Some(2048),
            Some(4096),
            Some(10_000),
            Some(65_536),
            Some(300_000),
            None,
        ]))
        .send_buffer(dice.one(&[
            Some(2048),
            Some(4096),
            Some(10_000),
            Some(65_536),
            Some(300_000),
            None,
        ]))
        .congestion(dice.one(&[
            CongestionControl::Cubic,
            CongestionControl::NewReno,
            CongestionControl::Bbr,
        ]))
        .no_delay(dice.below(2) == 0)
        .keep_alive(if is_fair { 0 } else { dice.one(&[0, 0, 1000, 60_000]) })
        .keep_alive_interval(1000)
        .user_timeout(if is_fair { 0 } else { dice.one(&[0, 0, 500, 30_000]) })
        .linger(if is_fair { None } else { dice.one(&[None, None, Some(0), Some(3000)]) })
}

impl Program {
    pub(super) fn listening(sockets: &Sockets, local: SocketAddr, settings: TcpSettings) -> Self {
        Self::new(Source::Listener(TcpListener::bind_with(sockets, local, 4, settings).unwrap()))
    }

    /// The program, and what connects it.
    pub(super) fn connecting(
        sockets: Sockets,
        remote: SocketAddr,
        settings: TcpSettings,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let connected = Connected::default();
        let program = Self::new(Source::Connect(Arc::clone(&connected)));
        let connect = async move {
            let stream = TcpStream::connect_with(&sockets, None, remote, &settings).await;
            *connected.lock().unwrap() = Some(stream);
        };
        (program, connect)
    }

    fn new(source: Source) -> Self {
        Self { source, stream: None, error: None, buffer: vec![0; 8192] }
    }

    /// Takes the stream as soon as there is one; the listener is of no use then.
    pub(super) fn claim(&mut self) {
        let stream = match &self.source {
            Source::Listener(listener) => listener.try_accept().ok().map(Ok),
            Source::Connect(connected) => connected.lock().unwrap().take(),
            Source::Nothing => None,
        };
        match stream {
            Some(Ok(stream)) => self.stream = Some(stream),
            Some(Err(error)) => self.error = Some(error),
            None => return,
        }
        self.source = Source::Nothing;
    }

    /// Does something.
    pub(super) fn act(
        &mut self,
        dice: &Dice<'_>,
        temper: Temper,
        offered: &mut Offered,
        sent: &mut Sent,
    ) {
        self.claim();
        let Some(stream) = &self.stream else { return };
        match dice.below(if temper == Temper::Wild { 104 } else { 102 }) {
            0..=39 => drop(self.read(1 + dice.below(8192) as usize, offered)),
            40..=69 => self.write(1 + dice.below(8192) as usize, sent),
            70..=99 => {}
            100 if dice.below(3) == 0 => self.shut_down(sent),
            100 | 101 => {}
            102 => {
                let direction = dice.one(&[Direction::Read, Direction::Both]);
                if stream.shutdown(direction).is_ok() {
                    offered.is_shut = true;
                    sent.is_shut |= direction == Direction::Both;
                }
            }
            _ => self.leave(dice, offered, sent),
        }
    }

    /// Reads once; true when there may be more.
    pub(super) fn read(&mut self, most: usize, offered: &mut Offered) -> bool {
        let Some(stream) = &self.stream else { return false };
        // An error is told once; afterwards the stream is at its end.
        if self.error.is_some() {
            return false;
        }
        let most = most.min(self.buffer.len());
        match stream.try_read(&mut self.buffer[..most]) {
            Ok(length) => {
                offered.read(&self.buffer[..length]);
                length > 0
            }
            Err(Error::WouldBlock) => {
                assert!(!offered.is_ended, "the end of the stream was seen and is gone");
                false
            }
            Err(error) => {
                self.fail(error, offered);
                false
            }
        }
    }

    pub(super) fn write(&mut self, most: usize, sent: &mut Sent) {
        let Some(stream) = &self.stream else { return };
        let data: Vec<u8> = (sent.written..sent.written + most).map(content).collect();
        match stream.try_write(&data) {
            Ok(length) => {
                assert!(
                    length > 0 && length <= most && !sent.is_shut,
                    "a write of {most} took {length}"
                );
                sent.written += length;
            }
            Err(Error::WouldBlock | Error::BrokenPipe) => {}
            Err(error) => self.error = self.error.or(Some(error)),
        }
    }

    pub(super) fn shut_down(&self, sent: &mut Sent) {
        let Some(stream) = &self.stream else { return };
        sent.is_shut |= stream.shutdown(Direction::Write).is_ok();
    }

    fn fail(&mut self, error: Error, offered: &Offered) {
        let is_free = offered.may_reset || offered.is_shut || error != Error::ConnectionReset;
        assert!(is_free, "the connection was reset, and no reset was in place");
        self.error = self.error.or(Some(error));
    }

    /// Drops or aborts the stream.
    fn leave(&mut self, dice: &Dice<'_>, offered: &mut Offered, sent: &mut Sent) {
        let Some(stream) = self.stream.take() else { return };
        if dice.below(3) == 0 {
            stream.abort();
        }
        drop(stream);
        (offered.is_shut, sent.is_shut) = (true, true);
    }

    /// Leaves everything.
    pub(super) fn end(&mut self, offered: &mut Offered, sent: &mut Sent) {
        self.claim();
        (self.stream, self.source) = (None, Source::Nothing);
        (offered.is_shut, sent.is_shut) = (true, true);
    }
}
