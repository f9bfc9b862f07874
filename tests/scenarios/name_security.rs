//! DNS over TLS (RFC 7858): who is asked, how, and that nothing is ever asked in clear text.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use devnet_network::command::dns::{
    DnsSecurity, DnsSecurityChange, Query, RecordKind, SecureServer,
};
use devnet_network::command::record::RecordType;
use devnet_network::command::{ChangeDnsSecurity, GetDnsSecurity, QueryRecords};
use devnet_network::dns_message::QueryKind;
use devnet_network::{Manager, TcpListener, TcpStream, limits};
use devnet_virtual_file_system::{Error, VirtualFileSystem};
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use futures_rustls::TlsAcceptor;
use futures_rustls::server::TlsStream;
use world::{Host, World, tls};

use crate::names::{Asked, a, aaaa, network, resolve, serve};

const NAME: &str = "dns.lan";

/// Queries of one connection, as they came.
type Connections = Arc<Mutex<Vec<Vec<(usize, Asked)>>>>;

/// Reads a message with its length before it; `None` at the end.
async fn read(stream: &mut TlsStream<TcpStream>) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).await.ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}

/// A server over TLS at 10.0.0.2, to which the authority gave these names. It collects `batch`
/// queries, and answers the last one first.
fn serve_tls(
    world: &World,
    host: &Host,
    port: u16,
    names: &[&str],
    batch: usize,
    script: impl Fn(&Asked) -> Vec<Vec<u8>> + Send + Sync + 'static,
) -> Connections {
    let listener =
        TcpListener::bind(&host.sockets(), format!("10.0.0.2:{port}").parse().unwrap(), 8).unwrap();
    let acceptor = TlsAcceptor::from(tls::server(names));
    let connections = Connections::default();
    let (seen, script) = (Arc::clone(&connections), Arc::new(script));
    let work = world.spawn(async move {
        while let Ok(stream) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            seen.lock().unwrap().push(Vec::new());
            let mut waiting = Vec::new();
            while let Some(bytes) = read(&mut stream).await {
                let asked = Asked::new(&bytes);
                seen.lock().unwrap().last_mut().unwrap().push((bytes.len(), asked.clone()));
                waiting.push(asked);
                if waiting.len() < batch {
                    continue;
                }
                for asked in waiting.drain(..).rev() {
                    for response in script(&asked) {
                        let length = (response.len() as u16).to_be_bytes();
                        let _ = stream.write_all(&[&length[..], &response].concat()).await;
                    }
                }
            }
        }
    });
    work.detach();
    connections
}

fn write(host: &Host, text: &str) -> Result<(), Error> {
    host.write(&host.open("sockets"), text)
}

fn found(world: &World, host: &Host, name: &str, kind: RecordKind) -> Result<usize, Error> {
    resolve(world, host, name, kind).0.map(|answer| answer.records.len())
}

#[test]
fn a_server_with_a_name_is_asked_over_tls_alone() {
    let world = World::new(1);
    let (left, right) = network(&world, false);
    let clear = serve(&world, &right, "10.0.0.2", |asked| vec![asked.respond(0, &[])]);
    let seen = serve_tls(&world, &right, 853, &[NAME], 2, |asked| {
        let address = std::net::Ipv6Addr::LOCALHOST;
        let is_short = asked.kind == QueryKind::A;
        let answer = if is_short { a(&asked.name, 9) } else { aaaa(&asked.name, address) };
        vec![asked.respond(0, &[answer])]
    });
    write(&left, "dns tls add 10.0.0.2 dns.lan").unwrap();
    // Both types by one connection, in the other order, and padded.
    assert_eq!(found(&world, &left, "web.lan", RecordKind::Address), Ok(2));
    let connections = std::mem::take(&mut *seen.lock().unwrap());
    let [queries] = connections.as_slice() else { panic!("{connections:?}") };
    assert_eq!(queries.len(), 2);
    for (bytes, asked) in queries {
        assert_eq!((bytes % 128, asked.spelling.as_str()), (0, "web.lan"), "{asked:?}");
    }
    assert!(clear.lock().unwrap().is_empty(), "in clear text");
    // What is kept is asked of nobody.
    assert_eq!(found(&world, &left, "web.lan", RecordKind::Address), Ok(2));
    assert!(seen.lock().unwrap().is_empty());
    // Without it as before, and nothing of what was said over TLS.
    write(&left, "dns tls remove 10.0.0.2").unwrap();
    assert_eq!(found(&world, &left, "web.lan", RecordKind::A), Ok(0));
    assert_eq!(clear.lock().unwrap().len(), 1);
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn records_of_any_type_and_another_port_go_the_same_way() {
    let world = World::new(2);
    let (left, right) = network(&world, false);
    let seen = serve_tls(&world, &right, 8853, &["10.0.0.2"], 1, |asked| {
        // Some servers do not know EDNS.
        match asked.payload {
            Some(_) => vec![asked.respond(1, &[])],
            None => vec![asked.respond(0, &[a(&asked.name, 9)])],
        }
    });
    write(&left, "dns tls add 10.0.0.2 10.0.0.2 port 8853").unwrap();
    let file = left.open("sockets");
    let query = Query::new("web.lan".into(), RecordType::A);
    let reply = world.run(file.control::<QueryRecords>(&query)).unwrap();
    assert_eq!((reply.server, reply.answers.len()), ("10.0.0.2:8853".parse().unwrap(), 1));
    assert_eq!(seen.lock().unwrap().len(), 2);
    // Whoever names the server asks it over TLS too.
    let named = Query { server: Some("10.0.0.2:53".parse().unwrap()), ..query };
    let reply = world.run(file.control::<QueryRecords>(&named)).unwrap();
    assert_eq!(reply.server, "10.0.0.2:8853".parse().unwrap());
}

#[test]
fn a_server_that_is_somebody_else_is_not_believed_and_not_asked_in_clear() {
    let world = World::new(3);
    let (left, right) = network(&world, false);
    let clear =
        serve(&world, &right, "10.0.0.2", |asked| vec![asked.respond(0, &[a(&asked.name, 66)])]);
    serve_tls(&world, &right, 853, &["other.lan"], 1, |asked| {
        vec![asked.respond(0, &[a(&asked.name, 66)])]
    });
    write(&left, "dns tls add 10.0.0.2 dns.lan").unwrap();
    assert_eq!(found(&world, &left, "web.lan", RecordKind::A), Err(Error::PermissionDenied));
    // One that nobody vouches for.
    write(&left, "dns tls add 10.0.0.2 other.lan port 8853").unwrap();
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([String::from("other.lan")]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(&right.sockets(), "10.0.0.2:8853".parse().unwrap(), 8);
    let listener = listener.unwrap();
    let work = world.spawn(async move {
        while let Ok(stream) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    work.detach();
    assert_eq!(found(&world, &left, "web.lan", RecordKind::A), Err(Error::PermissionDenied));
    // No TLS, no answer, nobody, and an end before the answer.
    for (port, expected) in [
        (7001, Err(Error::BadMessage)),
        (7002, Err(Error::TimedOut)),
        (7003, Err(Error::ConnectionRefused)),
        (7004, Err(Error::ConnectionReset)),
    ] {
        let listener = (port != 7003).then(|| {
            let address = format!("10.0.0.2:{port}").parse().unwrap();
            TcpListener::bind(&right.sockets(), address, 8).unwrap()
        });
        let work = world.spawn(async move {
            let Some(listener) = listener else { return };
            let mut kept = Vec::new();
            while let Ok(stream) = listener.accept().await {
                match port {
                    7001 => drop(stream.write_all(b"220 mail.lan ESMTP\r\n").await),
                    7002 => kept.push(stream),
                    _ => {}
                }
            }
        });
        write(&left, &format!("dns tls add 10.0.0.2 dns.lan port {port}\ndns flush")).unwrap();
        let began = world.now();
        assert_eq!(found(&world, &left, "web.lan", RecordKind::A), expected, "{port}");
        let taken = world.now().since(began);
        assert!(taken < Duration::from_secs(16), "{port}: {taken:?}");
        drop(work);
    }
    assert!(clear.lock().unwrap().is_empty(), "in clear text");
}

#[test]
fn who_requires_tls_asks_nobody_else() {
    let world = World::new(4);
    let (left, right) = network(&world, true);
    let clear = ["10.0.0.2", "10.0.0.3"]
        .map(|at| serve(&world, &right, at, |asked| vec![asked.respond(0, &[a(&asked.name, 9)])]));
    let seen = serve_tls(&world, &right, 853, &[NAME], 1, |asked| {
        vec![asked.respond(0, &[a(&asked.name, 7), a(&asked.name, 8)])]
    });
    write(&left, "dns tls required on").unwrap();
    let ask = || found(&world, &left, "web.lan", RecordKind::A);
    assert_eq!(ask(), Err(Error::NetworkUnreachable));
    write(&left, "dns tls add 10.0.0.2 dns.lan").unwrap();
    assert_eq!(ask(), Ok(2));
    assert_eq!(seen.lock().unwrap().len(), 1);
    // The other one is not asked when it fails, and not when it is named.
    write(&left, "dns tls add 10.0.0.2 dns.lan port 9\ndns flush").unwrap();
    assert_eq!(ask(), Err(Error::ConnectionRefused));
    let mut query = Query::new("web.lan".into(), RecordType::A);
    query.server = Some("10.0.0.3:53".parse().unwrap());
    let file = left.open("sockets");
    let refused = world.run(file.control::<QueryRecords>(&query));
    assert_eq!(refused.unwrap_err(), Error::NetworkUnreachable);
    assert!(clear.iter().all(|seen| seen.lock().unwrap().is_empty()), "in clear text");
    write(&left, "dns tls required off\ndns flush").unwrap();
    assert_eq!(ask(), Ok(1), "the other one");
    assert_eq!(clear.each_ref().map(|seen| seen.lock().unwrap().len()), [0, 1]);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let world = World::new(5);
    let (left, _right) = network(&world, false);
    write(&left, "dns tls add 10.0.0.2 dns.lan\ndns tls required on").unwrap();
    let status = || left.control::<GetDnsSecurity>("sockets", &()).unwrap();
    let before = status();
    let server = SecureServer { address: [10, 0, 0, 2].into(), name: NAME.into(), port: 853 };
    assert_eq!(before, DnsSecurity { is_required: true, servers: vec![server.clone()] });
    for (line, expected) in [
        ("dns tls add 0.0.0.0 dns.lan", Error::InvalidInput),
        ("dns tls add 10.0.0.3 dns_lan..", Error::InvalidInput),
        ("dns tls add 10.0.0.3 dns.lan port 0", Error::InvalidInput),
        ("dns tls add 10.0.0.3 dns.lan port 65536", Error::InvalidInput),
        ("dns tls add 10.0.0.3", Error::InvalidInput),
        ("dns tls remove 10.0.0.3", Error::NotFound),
        ("dns tls required maybe", Error::InvalidInput),
    ] {
        assert_eq!(write(&left, line), Err(expected), "{line}");
    }
    let change = |device: &str, change| left.control::<ChangeDnsSecurity>(device, &change);
    let add = DnsSecurityChange::Add;
    assert_eq!(change("eth0", add(server.clone())), Err(Error::Unsupported), "of one interface");
    assert_eq!(change("sockets", add(server)), Ok(false));
    assert_eq!(change("sockets", DnsSecurityChange::Require(true)), Ok(false));
    assert_eq!(status(), before);
    for number in 1..limits::DNS_SERVERS {
        write(&left, &format!("dns tls add 10.0.1.{number} dns.lan")).unwrap();
    }
    let full = write(&left, "dns tls add 10.0.2.1 dns.lan");
    assert_eq!((full, status().servers.len()), (Err(Error::NoBufferSpace), limits::DNS_SERVERS));
}

#[test]
fn without_certificates_to_trust_there_is_no_tls() {
    let world = World::new(6);
    let manager = Manager::new(VirtualFileSystem::new(), world.platform()).unwrap();
    let device = devnet_network::manager::SOCKETS;
    let change = manager.execute::<ChangeDnsSecurity>(device, &DnsSecurityChange::Require(true));
    assert_eq!(change.now(), Err(Error::Unsupported));
    let text = "system\ndns tls add 10.0.0.2 dns.lan\n";
    let refused = manager.configure(device, text).unwrap_err();
    assert_eq!(refused.error(), Error::InvalidInput, "that is no line of a device");
    assert_eq!(manager.execute::<GetDnsSecurity>(device, &()).now(), Ok(DnsSecurity::default()));
}
