//! What the faces of `futures-io` promise by themselves.

use std::io::ErrorKind;

use devnet_network::command::socket::SocketState;
use devnet_network::{TcpListener, TcpStream};
use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt, future, io};

use crate::pair::{pair, pattern};

const SERVER: &str = "10.0.0.2:80";

#[test]
fn halves_and_references_copy_both_ways_and_close_waits_for_the_peer() {
    let (client, server) = pair();
    let data = pattern(400_000);
    let listener = TcpListener::bind(&server.sockets(), SERVER.parse().unwrap(), 8).unwrap();
    let echo = async {
        let stream = listener.incoming().next().await.unwrap().unwrap();
        assert_eq!(io::copy(&stream, &stream).await.unwrap(), 400_000);
        (&stream).close().await.unwrap();
    };
    let ask = async {
        let stream = TcpStream::connect(&client.sockets(), SERVER).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let send = async {
            AsyncWriteExt::write_all(&mut writer, &data).await.unwrap();
            AsyncWriteExt::flush(&mut writer).await.unwrap();
            AsyncWriteExt::close(&mut writer).await.unwrap();
            assert_eq!(writer.stream().status().unwrap().send_queue, 0);
            // Once closed it stays closed, and writing fails.
            AsyncWriteExt::close(&mut writer).await.unwrap();
            let late = AsyncWriteExt::write(&mut writer, b"late").await;
            assert_eq!(late.unwrap_err().kind(), ErrorKind::BrokenPipe);
        };
        let mut back = Vec::new();
        let (read, ()) = future::zip(reader.read_to_end(&mut back), send).await;
        read.unwrap();
        back
    };
    let ((), back) = future::block_on(future::zip(echo, ask));
    assert!(back == data);
}

#[test]
fn a_reset_reaches_whoever_reads_writes_or_closes() {
    let (client, server) = pair();
    let listener = TcpListener::bind(&server.sockets(), SERVER.parse().unwrap(), 8).unwrap();
    future::block_on(async {
        for closes in [false, true] {
            let mut stream = TcpStream::connect(&client.sockets(), SERVER).await.unwrap();
            listener.accept().await.unwrap().abort();
            client
                .until(|| stream.status().is_none_or(|status| status.state == SocketState::Closed))
                .await;
            let outcome = if closes {
                stream.close().await
            } else {
                AsyncReadExt::read(&mut stream, &mut [0; 4]).await.map(drop)
            };
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
    });
}
