//! Two systems on a cable in one program: register, configure through the device file, connect.
//!
//! `cargo run -p devnet-network --example embed`

use std::error::Error;

use devnet_network::driver::Medium;
use devnet_network::{Manager, Platform, TcpListener, TcpStream};
use devnet_virtual_file_system::{Credentials, Mode, OpenFlags, Path, VirtualFileSystem};

fn system(
    host: &devnet_drivers::Host,
    end: devnet_drivers::Cable,
    configuration: &str,
) -> Result<Manager, Box<dyn Error>> {
    let files = VirtualFileSystem::new();
    let platform =
        Platform { clock: host.clock(), entropy: host.entropy(), spawner: host.spawner() };
    let manager = Manager::new(files.clone(), platform)?;
    manager.register("eth0", Box::new(end), None)?;
    let path = Path::parse("/devices/network/eth0")?;
    let device = files.open(
        &Credentials::root(),
        &path,
        OpenFlags::READ | OpenFlags::WRITE,
        Mode::empty(),
    )?;
    device.try_write(configuration.as_bytes())?;
    Ok(manager)
}

fn main() -> Result<(), Box<dyn Error>> {
    let host = devnet_drivers::Host::new();
    let hardware = ("02:00:00:00:00:01".parse()?, "02:00:00:00:00:02".parse()?);
    let options = devnet_drivers::CableOptions {
        mtu: 1500,
        medium: Medium::Ethernet,
        hardware,
        reliable: false,
        capacity: 256,
    };
    let (left, right) = devnet_drivers::cable(options);
    let left = system(&host, left, "link up\naddress add 10.0.0.1/24")?;
    let right = system(&host, right, "link up\naddress add 10.0.0.2/24")?;
    host.block_on(async {
        let listener = TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse()?, 16)?;
        let client = TcpStream::connect(&left.sockets(), "10.0.0.2:7".parse()?).await?;
        client.write_all(b"hello").await?;
        let server = listener.accept().await?;
        let mut buffer = [0; 16];
        let length = server.read(&mut buffer).await?;
        println!(
            "{} says {}",
            server.remote_address(),
            String::from_utf8_lossy(buffer.get(..length).unwrap_or_default())
        );
        Ok(())
    })
}
