//! Two hosts on a cable, and what most scenarios do with them.

use network::address::HardwareAddress;
use network::driver::Medium;
use network::{TcpListener, TcpStream};
use world::{Host, World};

/// Hardware addresses of the two ends.
pub(crate) const HARDWARE: (HardwareAddress, HardwareAddress) =
    (HardwareAddress([2, 0, 0, 0, 0, 1]), HardwareAddress([2, 0, 0, 0, 0, 2]));

/// A cable as most tests want it.
pub(crate) fn options() -> drivers::CableOptions {
    drivers::CableOptions { mtu: 1500, medium: Medium::Ethernet, hardware: HARDWARE, reliable: false, capacity: 1024 }
}

/// Two hosts, 10.0.0.1 and 10.0.0.2 (fd00::1 and fd00::2), joined by a cable; duplicate detection is over.
pub(crate) fn hosts(world: &World) -> (Host, Host) {
    let (left, right) = drivers::cable(options());
    let left = Host::new(world).with("eth0", left, &["10.0.0.1/24", "fd00::1/64"]);
    let right = Host::new(world).with("eth0", right, &["10.0.0.2/24", "fd00::2/64"]);
    world.run(world.sleep(std::time::Duration::from_secs(3)));
    (left, right)
}

/// A connection from the first host to a listener on the second.
pub(crate) async fn connection(left: &Host, right: &Host, to: &str) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(&right.sockets(), to.parse().unwrap(), 16).unwrap();
    let client = TcpStream::connect(&left.sockets(), to.parse().unwrap()).await.unwrap();
    let server = listener.accept().await.unwrap();
    (client, server)
}

/// Bytes that differ everywhere.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

/// Reads to the end of the stream.
pub(crate) async fn read_to_end(stream: &TcpStream) -> Result<Vec<u8>, virtual_file_system::Error> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 65536]);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(all),
            taken => all.extend_from_slice(&buffer[..taken]),
        }
    }
}
