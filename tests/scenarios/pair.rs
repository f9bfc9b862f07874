//! Two hosts on a cable, and what most scenarios do with them.

use devnet_network::{TcpListener, TcpStream};
use world::Host;
pub(crate) use world::pair::{HARDWARE, hosts, options};

/// A connection from the first host to a listener on the second.
pub(crate) async fn connection(left: &Host, right: &Host, to: &str) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(&right.sockets(), to.parse().unwrap(), 16).unwrap();
    let client = TcpStream::connect(&left.sockets(), to).await.unwrap();
    let server = listener.accept().await.unwrap();
    (client, server)
}

/// Bytes that differ everywhere.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length as u32).map(world::pair::byte_at).collect()
}

/// Reads to the end of the stream.
pub(crate) async fn read_to_end(
    stream: &TcpStream,
) -> Result<Vec<u8>, devnet_virtual_file_system::Error> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 65536]);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(all),
            taken => all.extend_from_slice(&buffer[..taken]),
        }
    }
}
