//! `edge-nal`: a client and a server that know only its traits, over TCP and UDP; groups and names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use devnet_virtual_file_system::Error;
use edge_nal::io::{Read, Write};
use edge_nal::{
    AddrType, Close, Dns, MulticastV4, MulticastV6, Readable, TcpAccept, TcpBind, TcpConnect,
    TcpShutdown, TcpSplit, UdpBind, UdpConnect, UdpReceive, UdpSend, UdpSplit, UdpSplitMulticast,
};
use futures_lite::future;

use crate::names;
use crate::pair::{pair, pattern};

fn any(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

#[test]
fn streams_echo_in_both_halves_and_close() {
    /// Sends back what comes until the end, then ends too.
    async fn serve(stack: impl TcpBind) {
        let acceptor = stack.bind(any(7)).await.unwrap();
        let (peer, mut stream) = acceptor.accept().await.unwrap();
        assert_eq!(peer.ip(), IpAddr::from([10, 0, 0, 1]));
        let (mut reader, mut writer) = stream.split();
        let mut buffer = [0; 1000];
        loop {
            reader.readable().await.unwrap();
            match reader.read(&mut buffer).await.unwrap() {
                0 => break,
                length => writer.write_all(&buffer[..length]).await.unwrap(),
            }
        }
        drop((reader, writer));
        stream.close(Close::Both).await.unwrap();
    }
    async fn ask(stack: impl TcpConnect) {
        let mut stream = stack.connect(SocketAddr::new(SERVER, 7)).await.unwrap();
        let question = pattern(100_000);
        let (mut reader, mut writer) = stream.split();
        let mut answer = vec![0; question.len()];
        future::zip(async { writer.write_all(&question).await.unwrap() }, async {
            reader.read_exact(&mut answer).await.unwrap()
        })
        .await;
        assert!(answer == question);
        drop((reader, writer));
        stream.close(Close::Both).await.unwrap();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    }
    let (client, server) = pair();
    let (left, right) = (client.sockets(), server.sockets());
    future::block_on(future::zip(serve(&right), ask(left)));
}

#[test]
fn an_aborted_stream_resets_its_peer() {
    let (client, server) = pair();
    let (left, right) = (client.sockets(), server.sockets());
    future::block_on(async {
        let acceptor = TcpBind::bind(&right, any(7)).await.unwrap();
        let mut stream = TcpConnect::connect(&left, SocketAddr::new(SERVER, 7)).await.unwrap();
        let (_, mut accepted) = TcpAccept::accept(&acceptor).await.unwrap();
        TcpShutdown::abort(&mut stream).await.unwrap();
        assert_eq!(Read::read(&mut accepted, &mut [0; 1]).await, Err(Error::ConnectionReset));
    });
}

#[test]
fn datagrams_echo_over_bound_and_connected_sockets() {
    async fn exchange(left: impl UdpConnect, right: impl UdpBind) {
        let mut server = right.bind(any(9)).await.unwrap();
        let mut client = left.connect(any(0), SocketAddr::new(SERVER, 9)).await.unwrap();
        // A connected socket sends to its peer.
        client.send(any(1), b"question").await.unwrap();
        server.readable().await.unwrap();
        let mut buffer = [0; 64];
        let (length, from) = server.receive(&mut buffer).await.unwrap();
        assert_eq!((length, from.ip()), (8, IpAddr::from([10, 0, 0, 1])));
        let (_, mut sender) = server.split();
        sender.send(from, b"a long answer").await.unwrap();
        // The length is the datagram's, whatever fits.
        let (mut receiver, _) = client.split();
        let answer = receiver.receive(&mut buffer[..6]).await.unwrap();
        assert_eq!(answer, (13, SocketAddr::new(SERVER, 9)));
    }
    let (client, server) = pair();
    let (left, right) = (client.sockets(), server.sockets());
    future::block_on(exchange(&left, right));
}

#[test]
fn groups_are_joined_and_left_by_address_and_by_index() {
    let (_client, server) = pair();
    let sockets = server.sockets();
    future::block_on(async {
        let mut socket = UdpBind::bind(&sockets, any(9)).await.unwrap();
        let group = Ipv4Addr::new(239, 0, 0, 9);
        let (_, _, mut groups, mut groups_ipv6) = socket.split_multicast();
        let own = Ipv4Addr::new(10, 0, 0, 2);
        groups.join_v4(group, own).await.unwrap();
        assert_eq!(groups.join_v4(group, own).await, Err(Error::AddressInUse));
        groups.leave_v4(group, own).await.unwrap();
        assert_eq!(groups.leave_v4(group, own).await, Err(Error::AddressNotAvailable));
        let foreign = Ipv4Addr::new(10, 0, 0, 77);
        assert_eq!(groups.join_v4(group, foreign).await, Err(Error::NoDevice));
        let group = "ff05::9".parse().unwrap();
        assert_eq!(groups_ipv6.join_v6(group, 77).await, Err(Error::NoDevice));
    });
}

#[test]
fn names_and_addresses_are_looked_up() {
    let (client, server) = pair();
    names::serve(&server);
    client.write("dns add 10.0.0.2");
    let sockets = client.sockets();
    future::block_on(async {
        assert_eq!(sockets.get_host_by_name("web.lan", AddrType::Either).await, Ok(SERVER));
        let mut name = [0; 255];
        let length = sockets.get_host_by_address(SERVER, &mut name).await.unwrap();
        assert_eq!(&name[..length], b"web.lan");
    });
}
