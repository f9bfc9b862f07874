//! A stack on a thread of its own, and calls to it from other threads.
//!
//! `cargo run -p devnet-network --example command_channel`

use std::error::Error;
use std::thread;
use std::time::Duration;

use devnet_network::command::GetInterface;
use devnet_network::io_free::{Core, Remote, channel};
use devnet_network::{TcpListener, TcpStream};
use futures_lite::future;

/// The only loop of the stack's thread: runs requests, polls, and waits for the next of either. It
/// ends when nobody is left who could send a request.
fn stack_thread(
    host: &devnet_drivers::Host,
    mut driver: devnet_drivers::Cable,
    handover: &std::sync::mpsc::Sender<Remote<Core>>,
) -> Result<(), Box<dyn Error>> {
    let clock = host.clock();
    let mut core = Core::new(host.entropy(), clock.now())?;
    let mut port = core.attach("eth0", &mut driver)?;
    let (remote, inbox) = channel(64, core.doorbell());
    handover.send(remote)?;
    future::block_on(async {
        while !inbox.is_abandoned() {
            inbox.run(&mut core);
            while core.poll(clock.now(), &mut port, &mut driver) {}
            core.wait(&*clock, &mut [(&mut port, &mut driver)]).await;
        }
    });
    Ok(())
}

/// A kernel of its own at the other end of the cable.
fn other_end(
    host: &devnet_drivers::Host,
    end: devnet_drivers::Cable,
) -> Result<devnet_network::Manager, Box<dyn Error>> {
    let platform = devnet_network::Platform {
        clock: host.clock(),
        entropy: host.entropy(),
        spawner: host.spawner(),
    };
    let files = devnet_virtual_file_system::VirtualFileSystem::new();
    let manager = devnet_network::Manager::new(files, platform)?;
    manager.register("eth0", Box::new(end), None)?;
    manager.configure("eth0", "link up\naddress add 10.0.0.2/24")?;
    Ok(manager)
}

fn main() -> Result<(), Box<dyn Error>> {
    let host = devnet_drivers::Host::new();
    let (left, right) = devnet_drivers::cable(devnet_drivers::CableOptions::default());
    let peer = other_end(&host, right)?;
    let (handover, remotes) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let stack =
            scope.spawn(|| stack_thread(&host, left, &handover).map_err(|error| error.to_string()));
        let outcome = host.block_on(async {
            let remote = remotes.recv()?;
            // Configure it, read its state, take sockets from it: each runs on the other thread.
            // The first is forgotten, the second blocks this thread, the third is awaited.
            remote
                .send(|core: &mut Core| {
                    if let Err(error) =
                        core.manager().configure("eth0", "link up\naddress add 10.0.0.1/24")
                    {
                        eprintln!("eth0: {error}");
                    }
                })
                .await?;
            let status = remote
                .call(|core: &mut Core| core.manager().execute::<GetInterface>("eth0", &()).now())
                .block(&*host.clock(), Some(Duration::from_secs(5)))??;
            println!("{} has an MTU of {} bytes", status.name, status.mtu);
            let sockets = remote.call(|core: &mut Core| core.sockets()).await?;
            let listener = TcpListener::bind(&peer.sockets(), "10.0.0.2:7".parse()?, 16)?;
            let client = TcpStream::connect(&sockets, "10.0.0.2:7").await?;
            let server = listener.accept().await?;
            server.write_all(b"hello, other thread").await?;
            let mut buffer = [0; 64];
            let length = client.read(&mut buffer).await?;
            println!("{}", String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()));
            Ok::<_, Box<dyn Error>>(())
        });
        stack.join().map_err(|_| "the stack's thread panicked")??;
        outcome
    })
}
