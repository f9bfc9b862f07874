//! A socket of another crate's: messages with a length before them, as a stream of `futures` with
//! an idle timeout, written over what `devnet_network::socket` documents as its seams.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use devnet_network::platform::BoxFuture;
use devnet_network::{Sockets, TcpListener, TcpStream};
use devnet_virtual_file_system::Error;
use futures_lite::{Stream, StreamExt as _, future};

use crate::pair::pair;

/// Messages of at most 255 bytes over a connection.
struct Messages {
    sockets: Sockets,
    stream: TcpStream,
    idle: Duration,
    timer: Option<BoxFuture<'static, ()>>,
    /// Bytes that are no whole message yet.
    received: Vec<u8>,
}

impl Messages {
    fn new(sockets: &Sockets, stream: TcpStream, idle: Duration) -> Self {
        Self { sockets: sockets.clone(), stream, idle, timer: None, received: Vec::new() }
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        let length = usize::from(*self.received.first()?);
        let message = self.received.get(1..=length)?.to_vec();
        self.received.drain(..=length);
        Some(message)
    }

    /// Writes a message whole.
    async fn send(&self, message: &[u8]) -> Result<(), Error> {
        let length = u8::try_from(message.len()).map_err(|_| Error::MessageTooLong)?;
        let framed = [&[length], message].concat();
        let mut rest = &framed[..];
        while !rest.is_empty() {
            let taken = poll_fn(|context| self.stream.poll_write(context, rest)).await?;
            rest = &rest[taken..];
        }
        Ok(())
    }
}

impl Stream for Messages {
    type Item = Result<Vec<u8>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(message) = this.take() {
                this.timer = None;
                return Poll::Ready(Some(Ok(message)));
            }
            let mut buffer = [0; 64];
            match this.stream.poll_read(context, &mut buffer) {
                Poll::Ready(Ok(0)) if this.received.is_empty() => return Poll::Ready(None),
                Poll::Ready(Ok(0)) => return Poll::Ready(Some(Err(Error::ConnectionReset))),
                Poll::Ready(Ok(length)) => this.received.extend_from_slice(&buffer[..length]),
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                Poll::Pending => {
                    let (clock, idle) = (this.sockets.clock(), this.idle);
                    let timer = this
                        .timer
                        .get_or_insert_with(|| clock.sleep_until(clock.now().after(idle)));
                    ready!(timer.as_mut().poll(context));
                    this.timer = None;
                    return Poll::Ready(Some(Err(Error::TimedOut)));
                }
            }
        }
    }
}

#[test]
fn a_socket_is_written_outside_the_crate() {
    let (client, server) = pair();
    let listener = TcpListener::bind(&server.sockets(), "10.0.0.2:80".parse().unwrap(), 4).unwrap();
    future::block_on(async {
        let stream = TcpStream::connect(&client.sockets(), "10.0.0.2:80").await.unwrap();
        let patience = Duration::from_secs(60);
        let sender = Messages::new(&client.sockets(), stream, patience);
        let mut receiver =
            Messages::new(&server.sockets(), listener.accept().await.unwrap(), patience);
        for message in [&b"first"[..], b"", &[7; 255]] {
            sender.send(message).await.unwrap();
            assert_eq!(receiver.next().await.unwrap().unwrap(), message);
        }
        assert_eq!(sender.send(&[0; 256]).await, Err(Error::MessageTooLong));
        receiver.idle = Duration::from_millis(20);
        assert_eq!(receiver.next().await, Some(Err(Error::TimedOut)));
        receiver.idle = patience;
        drop(sender);
        assert_eq!(receiver.next().await, None);
    });
}
