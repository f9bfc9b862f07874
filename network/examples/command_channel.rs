//! A stack on a thread of its own, and calls to it from other threads.
//!
//! `cargo run -p devnet-network --example command_channel`

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use devnet_network::command::GetInterface;
use devnet_network::io_free::{Core, channel};
use devnet_network::{TcpListener, TcpStream};

/// Interrupts the stack thread's sleep.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The only loop of the stack's thread: runs the calls, polls, and sleeps until the deadline.
fn stack_thread(
    host: &devnet_drivers::Host,
    mut driver: devnet_drivers::Cable,
    handover: &std::sync::mpsc::Sender<devnet_network::io_free::Remote<Core>>,
    stop: &AtomicBool,
) -> Result<(), Box<dyn Error>> {
    let clock = host.clock();
    let doorbell = Waker::from(Arc::new(Unpark(thread::current())));
    let (remote, inbox) = channel(64, doorbell.clone());
    let mut core = Core::new(host.entropy(), clock.now())?;
    let mut port = core.attach("eth0", &mut driver)?;
    // Any thread may use the sockets; what they write while this one sleeps must end the sleep.
    core.set_doorbell(doorbell.clone());
    handover.send(remote)?;
    while !stop.load(Ordering::Acquire) {
        inbox.run(&mut core);
        // Registered before the last check, so that a frame that arrives now ends the sleep.
        devnet_network::driver::Driver::register(&mut driver, &doorbell, true);
        while core.poll(clock.now(), &mut port, &mut driver) {}
        match core.next_deadline() {
            Some(deadline) => thread::park_timeout(deadline.since(clock.now())),
            None => thread::park_timeout(Duration::from_secs(60)),
        }
    }
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
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stack = scope.spawn(|| {
            stack_thread(&host, left, &handover, &stop).map_err(|error| error.to_string())
        });
        let outcome = host.block_on(async {
            let remote = remotes.recv()?;
            // Configure it, read its state, take sockets from it: each line runs on the other
            // thread.
            remote
                .call(|core: &mut Core| {
                    core.manager().configure("eth0", "link up\naddress add 10.0.0.1/24")
                })
                .await??;
            let status = remote
                .call(|core: &mut Core| core.manager().execute::<GetInterface>("eth0", &()).now())
                .await??;
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
        stop.store(true, Ordering::Release);
        stack.thread().unpark();
        stack.join().map_err(|_| "the stack's thread panicked")??;
        outcome
    })
}
