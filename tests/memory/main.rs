//! What an idle connection of a server costs, beside TCP's own.
//!
//! In a program of its own, because it counts the allocations of its thread.

use std::net::SocketAddr;
use std::time::Duration;

use devnet_guest_programs::Programs;
use devnet_network::{TcpListener, TcpStream};
use devnet_shell_commands::context::Files;
use devnet_shell_commands::http::server::Server;
use devnet_shell_commands::http::site::Site;
use devnet_shell_commands::sockets::Sockets;
use devnet_virtual_file_system::Credentials;
use world::pair::hosts;
use world::{Host, World};

#[path = "../../network/benches/workloads/allocator.rs"]
mod allocator;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting(std::alloc::System);

const CONNECTIONS: usize = 5000;
/// Bytes of its open file and its waker; tables that grow once are not counted.
const IDLE: isize = 420;
/// Those after a request.
const USED: isize = 560;

/// Bytes of a connection to this port, of both ends.
fn connect(world: &World, host: &Host, port: u16, request: &[u8]) -> isize {
    let server = SocketAddr::from(([10, 0, 0, 2], port));
    let before = allocator::in_use();
    let clients = world.run(async {
        let mut clients = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            let client = TcpStream::connect(&host.sockets(), server).await.unwrap();
            client.write_all(request).await.unwrap();
            if !request.is_empty() {
                assert!(client.read(&mut [0; 2048]).await.unwrap() > 100);
            }
            clients.push(client);
        }
        world.sleep(Duration::from_secs(5)).await;
        clients
    });
    let held = allocator::in_use() - before;
    drop(clients);
    world.run(world.sleep(Duration::from_secs(200)));
    held / CONNECTIONS as isize
}

#[test]
fn hold_14_an_idle_connection_of_httpd_costs_little() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let platform = world::shell::platform(&world, Programs::new());
    let files = Files::new(right.files.clone(), Credentials::root()).unwrap();
    let site = Site::default().with_directory(files.clone(), "/", &platform);
    let server = Server::new(site, platform, None);
    let _server = world.spawn(async move {
        let any = SocketAddr::from(([0, 0, 0, 0], 80));
        let listener = Sockets::routed(&files).listen(any).await.unwrap();
        let _ = server.serve(&listener).await;
    });
    let _plain = [81, 82].map(|port| {
        let any = SocketAddr::from(([0, 0, 0, 0], port));
        let listener = TcpListener::bind(&right.sockets(), any, 16).unwrap();
        world.spawn(async move {
            let mut streams = Vec::with_capacity(2 * CONNECTIONS);
            while let Ok(stream) = listener.accept().await {
                if port == 82 {
                    stream.read(&mut [0; 2048]).await.unwrap();
                    stream.write_all(&[b'x'; 300]).await.unwrap();
                }
                streams.push(stream);
            }
        })
    });
    const REQUEST: &[u8] = b"GET /no HTTP/1.1\r\nHost: x\r\n\r\n";
    // What grows once, such as tables.
    connect(&world, &left, 80, REQUEST);
    let idle = connect(&world, &left, 80, b"") - connect(&world, &left, 81, b"");
    let used = connect(&world, &left, 80, REQUEST) - connect(&world, &left, 82, REQUEST);
    println!("{idle} bytes idle, {used} after a request");
    assert!(idle <= IDLE, "{idle} bytes for a connection that asked for nothing yet");
    assert!(used <= USED, "{used} bytes for one that was used and is kept alive");
}
