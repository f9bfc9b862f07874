//! A firmware with the protocols that its features choose, to be measured: `./size` builds it.
//!
//! One Ethernet interface without a peer. Every protocol is used as a program would: an address or
//! DHCP, four ends of TCP connections that carried data, a UDP socket, a name that is looked up.
//! What is sent to our own address comes back, so the connections are between two sockets of ours.
//! On Linux it runs and prints the memory that it used; status 0 says that everything worked.
#![no_std]
#![no_main]

extern crate alloc;

#[path = "../board/mod.rs"]
mod board;
#[path = "../runtime/mod.rs"]
mod runtime;

use core::sync::atomic::Ordering;

use devnet_network::command::address::NewAddress;
use devnet_network::command::{AddAddress, SetEnabled};

use self::board::{Board, SENT};

fn firmware() -> Option<()> {
    let mut board = Board::new()?;
    let manager = board.core.manager().clone();
    manager.execute::<SetEnabled>("eth0", &true).now().ok()?;
    let new = NewAddress { prefix: "10.0.0.1/24".parse().ok()?, broadcast: None };
    manager.execute::<AddAddress>("eth0", &new).now().ok()?;
    #[cfg(feature = "dhcp")]
    manager
        .execute::<devnet_network::command::StartDhcp>("eth0", &Default::default())
        .now()
        .ok()?;
    board.run();
    #[cfg(feature = "tcp")]
    let _streams = streams(&mut board)?;
    #[cfg(feature = "udp")]
    let _datagrams = datagrams(&mut board)?;
    #[cfg(feature = "dns")]
    let _lookup = lookup(&mut board)?;
    #[cfg(feature = "icmp")]
    let _echo = echo(&mut board)?;
    #[cfg(feature = "raw")]
    let _raw = raw(&mut board)?;
    #[cfg(feature = "commands-as-text")]
    text(&board)?;
    board.run();
    (SENT.load(Ordering::Relaxed) > 0).then_some(())
}

/// Four ends of connections, each of which carried data in both directions.
#[cfg(feature = "tcp")]
fn streams(board: &mut Board) -> Option<impl Sized + use<>> {
    use devnet_network::{TcpListener, TcpSettings, TcpStream};

    let (sockets, address) = (board.sockets()?, "10.0.0.1:7".parse().ok()?);
    let listener = TcpListener::bind(&sockets, address, 4).ok()?;
    let mut ends = alloc::vec::Vec::with_capacity(4);
    for _ in 0..2 {
        let settings = TcpSettings::default();
        let client = TcpStream::try_connect(&sockets, None, address, &settings).ok()?;
        board.run();
        let server = listener.try_accept().ok()?;
        let mut buffer = [0; 1024];
        for (from, to) in [(&client, &server), (&server, &client)] {
            from.try_write(&buffer).ok().filter(|written| *written == 1024)?;
            board.run();
            to.try_read(&mut buffer).ok().filter(|read| *read == 1024)?;
        }
        ends.extend([client, server]);
    }
    Some((listener, ends))
}

#[cfg(feature = "udp")]
fn datagrams(board: &mut Board) -> Option<impl Sized + use<>> {
    let address = "10.0.0.1:9".parse().ok()?;
    let socket = devnet_network::UdpSocket::new(&board.sockets()?);
    socket.bind(address).ok()?;
    #[cfg(feature = "multicast")]
    socket.join_group("239.0.0.1".parse().ok()?, None).ok()?;
    socket.try_send(b"datagram", Some(address)).ok()?;
    board.run();
    socket.try_receive_from(&mut [0; 16]).ok().filter(|(length, _)| *length == 8)?;
    Some(socket)
}

/// A lookup that waits for a server that is not there.
#[cfg(feature = "dns")]
fn lookup(board: &mut Board) -> Option<impl Sized + use<>> {
    use devnet_network::command::AddDnsServer;
    use devnet_network::command::dns::{Question, RecordKind};

    let server = "10.0.0.9".parse().ok()?;
    board.core.manager().execute::<AddDnsServer>("eth0", &server).now().ok()?;
    let question = Question { name: "device.lan".into(), kind: RecordKind::Address, server: None };
    let mut lookup = board.sockets()?.resolver().start(question);
    lookup.try_resolve().is_err().then_some(lookup)
}

#[cfg(feature = "icmp")]
fn echo(board: &mut Board) -> Option<impl Sized + use<>> {
    let socket = devnet_network::IcmpSocket::new(&board.sockets()?);
    socket.try_send(&[8, 0, 0, 0, 0, 0, 0, 1], Some("10.0.0.1:0".parse().ok()?)).ok()?;
    board.run();
    socket.try_receive_from(&mut [0; 16]).ok()?;
    Some(socket)
}

#[cfg(feature = "raw")]
fn raw(board: &mut Board) -> Option<impl Sized + use<>> {
    let socket = devnet_network::RawSocket::ipv4(&board.sockets()?, 253).ok()?;
    socket.try_send(b"raw", Some("10.0.0.1:0".parse().ok()?)).ok()?;
    Some(socket)
}

#[cfg(feature = "commands-as-text")]
fn text(board: &Board) -> Option<()> {
    let device = board.core.manager().open("eth0").ok()?;
    device.try_write(b"mtu 1400").ok()?;
    device.try_read(&mut [0; 512]).ok().filter(|length| *length > 0).map(drop)
}

fn run() -> bool {
    let is_fine = firmware().is_some();
    #[cfg(target_os = "linux")]
    runtime::linux::print(&alloc::format!(
        "{} {}\n",
        runtime::heap_bytes(),
        runtime::linux::stack_bytes()
    ));
    is_fine
}
