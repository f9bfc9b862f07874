//! A firmware with the protocols that its features choose, to be measured: `./size` builds it.
//!
//! One Ethernet interface without a peer. Every protocol is used as a program would: an address or
//! DHCP, four ends of TCP connections that carried data, a UDP socket, a name that is looked up.
//! What is sent to our own address comes back, so the connections are between two sockets of ours.
//! On Linux it runs and prints the memory that it used; status 0 says that everything worked.
#![no_std]
#![no_main]

extern crate alloc;

#[path = "../runtime/mod.rs"]
mod runtime;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::Waker;
use core::time::Duration;

use devnet_network::Sockets;
use devnet_network::address::HardwareAddress;
use devnet_network::command::address::NewAddress;
use devnet_network::command::{AddAddress, SetEnabled};
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_network::io_free::{Core, Port};
use devnet_network::platform::{Entropy, Instant};

/// Stands for the registers of a network controller: the compiler knows nothing of what is there.
static RECEIVED: AtomicU32 = AtomicU32::new(0);
static SENT: AtomicU32 = AtomicU32::new(0);

struct Ethernet;

impl Driver for Ethernet {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            kind: Kind::Ethernet,
            medium: Medium::Ethernet,
            mtu: 1500,
            burst: None,
            reliable: false,
        }
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        Some(HardwareAddress([2, 0, 0, 0, 0, 1]))
    }

    fn set_hardware_address(&mut self, _address: HardwareAddress) -> Result<(), DriverError> {
        Err(DriverError::Unsupported)
    }

    fn link_state(&mut self) -> LinkState {
        LinkState::Up
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        let length = RECEIVED.load(Ordering::Relaxed) as usize;
        (length > 0).then(|| pool.take(length))
    }

    fn can_transmit(&mut self) -> bool {
        true
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        SENT.fetch_add(frame.bytes().len() as u32, Ordering::Relaxed);
        pool.put(frame);
        Ok(())
    }

    fn register(&mut self, _waker: &Waker, _room: bool) {}
}

struct Noise(AtomicU32);

impl Entropy for Noise {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), &'static str> {
        for byte in buffer {
            *byte = (self.0.fetch_add(0x9e37_79b9, Ordering::Relaxed) >> 24) as u8;
        }
        Ok(())
    }
}

/// The system and its only driver.
struct Board {
    core: Core,
    port: Port,
    now: Instant,
}

impl Board {
    /// Sockets on the interface: no loopback interface is needed for what is sent to ourselves.
    fn sockets(&self) -> Option<Sockets> {
        self.core.manager().sockets_on("eth0").ok()
    }

    /// Lets everything happen that is due within some milliseconds.
    fn run(&mut self) {
        for _ in 0..50 {
            while self.core.poll(self.now, &mut self.port, &mut Ethernet) {}
            self.now = self.now.after(Duration::from_millis(1));
        }
    }
}

fn firmware() -> Option<()> {
    let (now, entropy) = (Instant::ZERO, Arc::new(Noise(AtomicU32::new(1))));
    let core = Core::new(entropy, now).ok()?;
    let port = core.attach("eth0", &mut Ethernet).ok()?;
    let mut board = Board { core, port, now };
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
    runtime::print(&alloc::format!("{} {}\n", runtime::heap_bytes(), runtime::stack_bytes()));
    is_fine
}
