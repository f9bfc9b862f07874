//! The blocking face: `ureq` over it, and what programs that know `std::net` expect of it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV6};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use devnet_network::Sockets;
use devnet_network::blocking::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use futures_lite::future;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use crate::pair::{pair, pattern};
use crate::{http, names};

/// Connects `ureq` by our sockets.
#[derive(Debug)]
struct Ours(Sockets);

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl Connector for Ours {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        let stream = TcpStream::connect(&self.0, &*details.addrs)?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Connection { stream, buffers }))
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.set_write_timeout(timeout.not_zero().map(|timeout| *timeout))?;
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.set_read_timeout(timeout.not_zero().map(|timeout| *timeout))?;
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let is_open =
            self.stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).unwrap();
        is_open
    }
}

impl Resolver for Ours {
    fn resolve(
        &self,
        uri: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let name = (uri.host().unwrap(), uri.port_u16().unwrap_or(80));
        let mut addresses = self.empty();
        name.to_socket_addrs(&self.0)?.for_each(|address| addresses.push(address));
        Ok(addresses)
    }
}

#[test]
fn ureq_fetches_pages_and_keeps_its_connection() {
    let (client, server) = pair();
    let counts = http::serve(&server);
    names::serve(&server);
    client.write("dns add 10.0.0.2");
    let agent = ureq::Agent::with_parts(
        ureq::config::Config::default(),
        Ours(client.sockets()),
        Ours(client.sockets()),
    );
    let mut response = agent.get("http://web.lan/").call().unwrap();
    assert_eq!(response.body_mut().read_to_string().unwrap(), "hello from the other system");
    for number in 0..50 {
        let body = pattern(number * 613);
        let mut response = agent.post("http://web.lan/echo").send(&body[..]).unwrap();
        assert!(response.body_mut().read_to_vec().unwrap() == body);
    }
    let mut response = agent.get("http://web.lan/large").call().unwrap();
    assert!(response.body_mut().read_to_vec().unwrap() == pattern(300_000));
    assert!(matches!(
        agent.get("http://web.lan/nothing").call(),
        Err(ureq::Error::StatusCode(404))
    ));
    assert_eq!(
        (counts.connections.load(Ordering::Relaxed), counts.requests.load(Ordering::Relaxed)),
        (1, 53)
    );
}

#[test]
fn streams_mean_what_they_mean_in_std() {
    let (client, server) = pair();
    let sockets = client.sockets();
    let listener = TcpListener::bind(&server.sockets(), (Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let address = SocketAddr::from(([10, 0, 0, 2], listener.local_addr().unwrap().port()));
    let mut ours = TcpStream::connect_timeout(&sockets, &address, Duration::from_secs(5)).unwrap();
    let (mut theirs, remote) = listener.accept().unwrap();
    assert_eq!((ours.local_addr().unwrap(), ours.peer_addr().unwrap()), (remote, address));
    assert_eq!(theirs.peer_addr().unwrap(), remote);
    // Non-blocking is the clones' business too.
    let clone = ours.try_clone().unwrap();
    clone.set_nonblocking(true).unwrap();
    assert_eq!(ours.read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::WouldBlock);
    // Until nothing more fits here or there.
    let outcome = (0..).find_map(|_| ours.write(&[7; 65536]).err());
    assert_eq!(outcome.map(|error| error.kind()), Some(ErrorKind::WouldBlock));
    clone.set_nonblocking(false).unwrap();
    // Timeouts.
    assert_eq!(
        ours.set_read_timeout(Some(Duration::ZERO)).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    let (short, clock) = (Duration::from_millis(30), client.clock());
    let started = clock.now();
    ours.set_read_timeout(Some(short)).unwrap();
    assert_eq!(clone.read_timeout().unwrap(), Some(short));
    assert_eq!(ours.read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::WouldBlock);
    ours.set_write_timeout(Some(short)).unwrap();
    let outcome = ours.write_all(&vec![7; 16 << 20]);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(clock.now().since(started) >= 2 * short);
    ours.set_read_timeout(None).unwrap();
    // Looking takes nothing; a reader on another thread is woken by data, and by a shutdown.
    theirs.write_all(b"abc").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(ours.peek(&mut buffer).unwrap(), 3);
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        (&clone).read_to_end(&mut all).unwrap();
        all
    });
    theirs.write_all(b"def").unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    assert_eq!(reader.join().unwrap(), b"abcdef");
    assert_eq!(theirs.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    // Options.
    assert!(!ours.nodelay().unwrap());
    ours.set_nodelay(true).unwrap();
    ours.set_ttl(9).unwrap();
    assert!(ours.nodelay().unwrap() && ours.ttl().unwrap() == 9 && ours.set_ttl(256).is_err());
    assert!(ours.take_error().unwrap().is_none());
}

#[test]
fn a_blocked_thread_is_woken_by_a_shutdown_on_another() {
    let (client, server) = pair();
    let listener = TcpListener::bind(&server.sockets(), "10.0.0.2:80").unwrap();
    let mut ours = TcpStream::connect(&client.sockets(), "10.0.0.2:80").unwrap();
    let _theirs = listener.accept().unwrap();
    let clone = ours.try_clone().unwrap();
    let reader = thread::spawn(move || ours.read(&mut [0; 4]));
    clone.shutdown(Shutdown::Read).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), 0);
}

#[test]
fn errors_have_the_kinds_of_std() {
    let (client, server) = pair();
    let sockets = client.sockets();
    let kind = |outcome: std::io::Result<TcpStream>| outcome.unwrap_err().kind();
    assert_eq!(kind(TcpStream::connect(&sockets, "10.0.0.2:81")), ErrorKind::ConnectionRefused);
    assert_eq!(kind(TcpStream::connect(&sockets, "8.8.8.8:80")), ErrorKind::NetworkUnreachable);
    assert_eq!(kind(TcpStream::connect(&sockets, "no port")), ErrorKind::InvalidInput);
    assert_eq!(kind(TcpStream::connect(&sockets, &[][..])), ErrorKind::InvalidInput);
    let nobody = SocketAddr::from(([10, 0, 0, 9], 80));
    assert_eq!(
        kind(TcpStream::connect_timeout(&sockets, &nobody, Duration::from_millis(20))),
        ErrorKind::TimedOut
    );
    let bind = |address| TcpListener::bind(&sockets, address);
    assert_eq!(bind("10.0.0.77:80").unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    let listener = TcpListener::bind(&sockets, "0.0.0.0:80").unwrap();
    assert_eq!(bind("0.0.0.0:80").unwrap_err().kind(), ErrorKind::AddrInUse);
    listener.set_ttl(7).unwrap();
    assert_eq!((listener.ttl().unwrap(), listener.set_ttl(0).is_err()), (7, true));
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    // The first address that answers counts.
    listener.set_nonblocking(false).unwrap();
    let both = [SocketAddr::from(([10, 0, 0, 1], 81)), SocketAddr::from(([10, 0, 0, 1], 80))];
    let mut stream = TcpStream::connect(&server.sockets(), &both[..]).unwrap();
    let mut accepted = listener.incoming().next().unwrap().unwrap();
    accepted.write_all(b"hi").unwrap();
    assert_eq!(accepted.ttl().unwrap(), 7);
    drop(accepted);
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"hi");
    // A stream of the asynchronous face becomes one of this.
    let sockets = server.sockets();
    let inner = future::block_on(devnet_network::TcpStream::connect(&sockets, both[1])).unwrap();
    let mut again = TcpStream::from_stream(&sockets, inner);
    let (mut theirs, _) = listener.accept().unwrap();
    again.write_all(b"again").unwrap();
    again.shutdown(Shutdown::Write).unwrap();
    all.clear();
    theirs.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"again");
}

#[test]
fn datagrams_mean_what_they_mean_in_std() {
    let (client, server) = pair();
    let ours = UdpSocket::bind(&client.sockets(), "0.0.0.0:0").unwrap();
    let theirs = UdpSocket::bind(&server.sockets(), "10.0.0.2:9").unwrap();
    assert_eq!(ours.send(b"x").unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(ours.send_to(b"question", "10.0.0.2:9").unwrap(), 8);
    let mut buffer = [0; 4];
    assert_eq!(
        (theirs.peek(&mut buffer[..2]).unwrap(), theirs.peek_from(&mut buffer).unwrap().0),
        (2, 4)
    );
    let (length, from) = theirs.recv_from(&mut buffer).unwrap();
    assert_eq!((length, &buffer), (4, b"ques"));
    theirs.connect(from).unwrap();
    assert_eq!((theirs.send(b"answer").unwrap(), ours.recv(&mut buffer).unwrap()), (6, 4));
    ours.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert_eq!(ours.recv(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    ours.set_nonblocking(true).unwrap();
    assert_eq!(ours.recv(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    // Nobody is at that port: the error comes with the next call.
    ours.set_nonblocking(false).unwrap();
    ours.set_read_timeout(None).unwrap();
    ours.connect("10.0.0.2:10").unwrap();
    ours.send(b"x").unwrap();
    assert_eq!(ours.recv(&mut buffer).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    // Options and groups.
    assert!(!ours.broadcast().unwrap());
    ours.set_broadcast(true).unwrap();
    ours.set_ttl(3).unwrap();
    ours.set_multicast_ttl_v4(4).unwrap();
    assert_eq!(
        (ours.broadcast().unwrap(), ours.ttl().unwrap(), ours.multicast_ttl_v4().unwrap()),
        (true, 3, 4)
    );
    let group = Ipv4Addr::new(239, 1, 2, 3);
    let member = UdpSocket::bind(&server.sockets(), "0.0.0.0:99").unwrap();
    member.join_multicast_v4(&group, &Ipv4Addr::new(10, 0, 0, 2)).unwrap();
    let sender = UdpSocket::bind(&client.sockets(), "10.0.0.1:0").unwrap();
    sender.send_to(b"all", (group, 99)).unwrap();
    assert_eq!(member.recv(&mut buffer).unwrap(), 3);
    member.leave_multicast_v4(&group, &Ipv4Addr::new(10, 0, 0, 2)).unwrap();
    assert!(member.join_multicast_v4(&group, &Ipv4Addr::new(10, 0, 0, 7)).is_err());
    // The same for IPv6, where an interface has an index instead of an address.
    let group: Ipv6Addr = "ff02::1:99".parse().unwrap();
    let member = UdpSocket::bind(&server.sockets(), "[::]:98").unwrap();
    member.join_multicast_v6(&group, 2).unwrap();
    let sender = UdpSocket::bind(&client.sockets(), "[::]:0").unwrap();
    let target = SocketAddrV6::new(group, 98, 0, 2);
    // Duplicate address detection of the link-local address takes a second.
    future::block_on(client.until(|| sender.send_to(b"all", target).is_ok()));
    member.set_read_timeout(None).unwrap();
    assert_eq!(member.recv(&mut buffer).unwrap(), 3);
    member.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    member.leave_multicast_v6(&group, 2).unwrap();
    sender.send_to(b"all", target).unwrap();
    assert_eq!(member.recv(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(member.join_multicast_v6(&group, 9).is_err());
    // A sender hears itself unless it does not want to.
    sender.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    assert_eq!(sender.write_timeout().unwrap(), Some(Duration::from_secs(1)));
    let own = UdpSocket::bind(&client.sockets(), "[::]:98").unwrap();
    own.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    own.join_multicast_v6(&group, 2).unwrap();
    for hears in [true, false] {
        sender.set_multicast_loop_v6(hears).unwrap();
        assert_eq!(sender.multicast_loop_v6().unwrap(), hears);
        sender.send_to(b"me", target).unwrap();
        assert_eq!(own.recv(&mut buffer).is_ok(), hears);
    }
}
