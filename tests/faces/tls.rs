//! `rustls` over the blocking face, and `futures-rustls` over that of `futures-io`: handshake,
//! data, and both kinds of end.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;

use devnet_network::{TcpListener, TcpStream, blocking};
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use futures_rustls::{TlsAcceptor, TlsConnector};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, Stream,
};

use crate::pair::{pair, pattern};

const LENGTH: usize = 1 << 20;
const SERVER: &str = "10.0.0.2:443";

/// Configurations of a server `web.lan` and of a client that trusts it.
fn configurations() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([String::from("web.lan")]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(client), Arc::new(server))
}

fn name() -> ServerName<'static> {
    ServerName::try_from("web.lan").unwrap()
}

#[test]
fn rustls_over_the_blocking_face() {
    let (client, server) = pair();
    let (client_config, server_config) = configurations();
    let listener = blocking::TcpListener::bind(&server.sockets(), SERVER).unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(server_config).unwrap();
        let mut tls = Stream::new(&mut connection, &mut stream);
        let mut received = vec![0; LENGTH];
        tls.read_exact(&mut received).unwrap();
        tls.write_all(&received).unwrap();
        // The peer's close_notify is the end of the data.
        assert_eq!(tls.read(&mut [0; 16]).unwrap(), 0);
        connection.send_close_notify();
        connection.complete_io(&mut stream).unwrap();
        received
    });
    let mut stream = blocking::TcpStream::connect(&client.sockets(), SERVER).unwrap();
    let mut connection = ClientConnection::new(client_config, name()).unwrap();
    let data = pattern(LENGTH);
    let mut tls = Stream::new(&mut connection, &mut stream);
    tls.write_all(&data).unwrap();
    let mut back = vec![0; LENGTH];
    tls.read_exact(&mut back).unwrap();
    connection.send_close_notify();
    connection.complete_io(&mut stream).unwrap();
    assert_eq!(Stream::new(&mut connection, &mut stream).read(&mut [0; 16]).unwrap(), 0);
    assert!(serving.join().unwrap() == data && back == data);
}

#[test]
fn rustls_detects_a_truncated_end_over_the_blocking_face() {
    let (client, server) = pair();
    let (client_config, server_config) = configurations();
    let listener = blocking::TcpListener::bind(&server.sockets(), SERVER).unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(server_config).unwrap();
        Stream::new(&mut connection, &mut stream).write_all(b"half of the tru").unwrap();
        // The end of the TCP stream without a word of TLS.
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(stream.read_to_end(&mut Vec::new()).is_ok());
    });
    let mut stream = blocking::TcpStream::connect(&client.sockets(), SERVER).unwrap();
    let mut connection = ClientConnection::new(client_config, name()).unwrap();
    let mut received = Vec::new();
    let outcome = Stream::new(&mut connection, &mut stream).read_to_end(&mut received);
    assert_eq!(
        (outcome.unwrap_err().kind(), received.as_slice()),
        (ErrorKind::UnexpectedEof, &b"half of the tru"[..])
    );
    drop(stream);
    serving.join().unwrap();
}

#[test]
fn futures_rustls_over_the_face_of_futures_io() {
    let (client, server) = pair();
    let (client_config, server_config) = configurations();
    let data = pattern(LENGTH);
    let listener = TcpListener::bind(&server.sockets(), SERVER.parse().unwrap(), 8).unwrap();
    let serve = async {
        let mut tls = TlsAcceptor::from(server_config)
            .accept(listener.accept().await.unwrap())
            .await
            .unwrap();
        let mut received = vec![0; LENGTH];
        tls.read_exact(&mut received).await.unwrap();
        tls.write_all(&received).await.unwrap();
        tls.flush().await.unwrap();
        assert_eq!(tls.read(&mut [0; 16]).await.unwrap(), 0);
        tls.close().await.unwrap();
        received
    };
    let ask = async {
        let stream = TcpStream::connect(&client.sockets(), SERVER).await.unwrap();
        let mut tls = TlsConnector::from(client_config).connect(name(), stream).await.unwrap();
        tls.write_all(&data).await.unwrap();
        tls.flush().await.unwrap();
        let mut back = vec![0; LENGTH];
        tls.read_exact(&mut back).await.unwrap();
        tls.close().await.unwrap();
        assert_eq!(tls.read(&mut [0; 16]).await.unwrap(), 0);
        back
    };
    let (there, back) = future::block_on(future::zip(serve, ask));
    assert!(there == data && back == data);
}

#[test]
fn futures_rustls_detects_a_truncated_end() {
    let (client, server) = pair();
    let (client_config, server_config) = configurations();
    let listener = TcpListener::bind(&server.sockets(), SERVER.parse().unwrap(), 8).unwrap();
    let serve = async {
        let mut tls = TlsAcceptor::from(server_config)
            .accept(listener.accept().await.unwrap())
            .await
            .unwrap();
        tls.write_all(b"half of the tru").await.unwrap();
        tls.flush().await.unwrap();
        // Closes what carries TLS, and not TLS.
        let (mut stream, _) = tls.into_inner();
        stream.close().await.unwrap();
    };
    let ask = async {
        let stream = TcpStream::connect(&client.sockets(), SERVER).await.unwrap();
        let mut tls = TlsConnector::from(client_config).connect(name(), stream).await.unwrap();
        let mut received = Vec::new();
        let outcome = tls.read_to_end(&mut received).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        received
    };
    let ((), received) = future::block_on(future::zip(serve, ask));
    assert_eq!(received, b"half of the tru");
}
