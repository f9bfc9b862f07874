//! A web server that is written for tokio, on a stack of ours: two systems on a cable in one
//! runtime, axum on one, a client on the other.
//!
//! `cargo run -p devnet-drivers --features tokio --example axum`

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use devnet_drivers::{Cable, CableOptions, cable};
use devnet_network::{Manager, TcpListener, TcpStream};
use devnet_virtual_file_system::VirtualFileSystem;
use tokio::io::AsyncReadExt;
use tokio::runtime::Handle;

/// Our listener as axum wants it.
struct Listener(TcpListener);

impl axum::serve::Listener for Listener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        match self.0.accept().await {
            Ok(stream) => {
                let peer = stream.peer_addr();
                (stream, peer)
            }
            // The listener's interface is gone, so nobody comes any more.
            Err(_) => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.0.local_addr())
    }
}

fn system(end: Cable, configuration: &str) -> Result<Manager, Box<dyn Error>> {
    let platform = devnet_drivers::tokio::platform(Handle::current());
    let manager = Manager::new(VirtualFileSystem::new(), platform)?;
    manager.register("eth0", Box::new(end), None)?;
    manager.configure("eth0", configuration)?;
    Ok(manager)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (left, right) = cable(CableOptions::default());
    let client = system(left, "link up\naddress add 10.0.0.1/24")?;
    let server = system(right, "link up\naddress add 10.0.0.2/24")?;

    let listener = TcpListener::bind(&server.sockets(), "10.0.0.2:80".parse()?, 64)?;
    let page = Router::new().route("/", get(async || "served by axum on devnet\n"));
    tokio::spawn(async { axum::serve(Listener(listener), page).await });

    let mut stream = TcpStream::connect(&client.sockets(), "10.0.0.2:80").await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: devnet\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    print!("{answer}");
    assert!(answer.ends_with("served by axum on devnet\n"));
    Ok(())
}
