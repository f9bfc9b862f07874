//! `embedded-nal-async`: `reqwless` fetches pages from `hyper`, by address and by name; UDP and
//! names by the traits themselves.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;

use devnet_virtual_file_system::Error;
use embedded_nal_async::{AddrType, ConnectedUdp, Dns, UdpStack, UnconnectedUdp};
use futures_lite::future;
use reqwless::client::HttpClient;
use reqwless::request::{Method, RequestBuilder};

use crate::pair::{pair, pattern};
use crate::{http, names};

#[test]
fn reqwless_fetches_a_page_by_address_and_by_name() {
    let (client, server) = pair();
    let counts = http::serve(&server);
    names::serve(&server);
    client.write("dns add 10.0.0.2");
    let sockets = client.sockets();
    future::block_on(async {
        let mut browser = HttpClient::new(&sockets, &sockets);
        let mut buffer = vec![0; 400_000];
        for url in ["http://10.0.0.2/", "http://web.lan/"] {
            let mut request = browser.request(Method::GET, url).await.unwrap();
            let response = request.send(&mut buffer).await.unwrap();
            assert!(response.status.is_successful());
            assert_eq!(
                response.body().read_to_end().await.unwrap(),
                b"hello from the other system"
            );
        }
        let mut request = browser.request(Method::GET, "http://web.lan/large").await.unwrap();
        let response = request.send(&mut buffer).await.unwrap();
        assert!(response.body().read_to_end().await.unwrap() == pattern(300_000));
    });
    assert_eq!(counts.requests.load(Ordering::Relaxed), 3);
}

#[test]
fn reqwless_sends_many_requests_over_one_connection() {
    let (client, server) = pair();
    let counts = http::serve(&server);
    let sockets = client.sockets();
    future::block_on(async {
        let mut browser = HttpClient::new(&sockets, &sockets);
        let mut resource = browser.resource("http://10.0.0.2").await.unwrap();
        let mut buffer = vec![0; 8192];
        for number in 0..100 {
            let body = pattern(number * 31);
            let request = resource.post("/echo").body(body.as_slice());
            let response = request.send(&mut buffer).await.unwrap();
            assert!(response.body().read_to_end().await.unwrap() == body);
        }
    });
    assert_eq!(
        (counts.connections.load(Ordering::Relaxed), counts.requests.load(Ordering::Relaxed)),
        (1, 100)
    );
}

#[test]
fn names_and_addresses_are_looked_up() {
    let (client, server) = pair();
    names::serve(&server);
    client.write("dns add 10.0.0.2");
    let sockets = client.sockets();
    future::block_on(async {
        let web = IpAddr::from([10, 0, 0, 2]);
        assert_eq!(sockets.get_host_by_name("web.lan", AddrType::Either).await, Ok(web));
        assert_eq!(sockets.get_host_by_name("web.lan", AddrType::IPv4).await, Ok(web));
        assert_eq!(sockets.get_host_by_name("web.lan", AddrType::IPv6).await, Err(Error::NotFound));
        let mut name = [0; 255];
        let length = sockets.get_host_by_address(web, &mut name).await.unwrap();
        assert_eq!(&name[..length], b"web.lan");
        assert_eq!(sockets.get_host_by_address(web, &mut name[..3]).await, Err(Error::NameTooLong));
    });
}

#[test]
fn udp_sockets_of_all_three_kinds() {
    /// Whatever can make UDP sockets, as a program that knows the traits only.
    async fn exchange(left: impl UdpStack, right: impl UdpStack) {
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let (server, mut single) = right.bind_single(any).await.unwrap();
        assert_eq!(server.ip(), IpAddr::from([10, 0, 0, 2]));
        let (local, mut connected) = left.connect(server).await.unwrap();
        assert_eq!(local.ip(), IpAddr::from([10, 0, 0, 1]));
        connected.send(b"question").await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(single.receive_into(&mut buffer).await.unwrap(), (8, server, local));
        single.send(server, local, b"a long answer").await.unwrap();
        // The length is the datagram's, whatever fits.
        assert_eq!(connected.receive_into(&mut buffer[..6]).await.unwrap(), 13);
        assert_eq!(&buffer[..6], b"a long");
        let mut multiple =
            right.bind_multiple(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 9000))).await.unwrap();
        let (local, mut connected) =
            left.connect(SocketAddr::new(server.ip(), 9000)).await.unwrap();
        connected.send(b"?").await.unwrap();
        let (length, asked, asker) = multiple.receive_into(&mut buffer).await.unwrap();
        assert_eq!((length, asked, asker), (1, SocketAddr::new(server.ip(), 9000), local));
        multiple.send(asked, asker, b"!").await.unwrap();
        assert_eq!(connected.receive_into(&mut buffer).await.unwrap(), 1);
        let foreign = SocketAddr::from(([10, 0, 0, 77], 9000));
        assert!(multiple.send(foreign, asker, b"!").await.is_err());
        let other_port = SocketAddr::new(server.ip(), 9001);
        assert!(multiple.send(other_port, asker, b"!").await.is_err());
    }
    let (client, server) = pair();
    let (left, right) = (client.sockets(), server.sockets());
    future::block_on(async {
        exchange(&left, &right).await;
        exchange(left.clone(), right.clone()).await;
    });
}
