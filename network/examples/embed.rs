//! Two systems on a cable in one program: register, configure through the device file, connect.
//!
//! `cargo run -p devnet-network --example embed`

use std::error::Error;

use devnet_network::{Manager, TcpListener, TcpStream};
use devnet_virtual_file_system::VirtualFileSystem;

fn system(
    host: &devnet_drivers::Host,
    end: devnet_drivers::Cable,
    configuration: &str,
) -> Result<Manager, Box<dyn Error>> {
    let manager = Manager::new(VirtualFileSystem::new(), host.platform())?;
    manager.register("eth0", Box::new(end), None)?;
    manager.configure("eth0", configuration)?;
    Ok(manager)
}

fn main() -> Result<(), Box<dyn Error>> {
    let host = devnet_drivers::Host::new();
    let (left, right) = devnet_drivers::cable(devnet_drivers::CableOptions::default());
    let left = system(&host, left, "link up\naddress add 10.0.0.1/24")?;
    let right = system(&host, right, "link up\naddress add 10.0.0.2/24")?;
    host.block_on(async {
        let listener = TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse()?, 16)?;
        let client = TcpStream::connect(&left.sockets(), "10.0.0.2:7").await?;
        client.write_all(b"hello").await?;
        let server = listener.accept().await?;
        let mut buffer = [0; 16];
        let length = server.read(&mut buffer).await?;
        println!(
            "{} says {}",
            server.peer_addr(),
            String::from_utf8_lossy(buffer.get(..length).unwrap_or_default())
        );
        Ok(())
    })
}
