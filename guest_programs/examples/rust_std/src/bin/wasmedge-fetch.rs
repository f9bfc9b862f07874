//! wasmedge-fetch: a program on an unmodified library for another runtime.
//!
//!     wasmedge-fetch HOST PORT PATH          gets a document by HTTP and prints it
//!     wasmedge-fetch udp HOST PORT TEXT      sends a datagram and prints what comes back
//!
//! Grants: `--allow-connect HOST:PORT`.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use wasmedge_wasi_socket::{TcpStream, UdpSocket, nslookup};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["udp", host, port, text] => ask(host, port, text),
        [host, port, path] => fetch(host, port, path),
        _ => {
            eprintln!("usage: wasmedge-fetch HOST PORT PATH | wasmedge-fetch udp HOST PORT TEXT");
            std::process::exit(2);
        }
    };
    if let Err(why) = outcome {
        eprintln!("wasmedge-fetch: {why}");
        std::process::exit(1);
    }
}

/// Resolves a host to its first address. The library returns port 0 if it asked the name server
/// directly.
fn find(host: &str, port: &str) -> io::Result<SocketAddr> {
    let found = nslookup(host, port)?;
    let mut address = *found.first().ok_or(io::ErrorKind::NotFound)?;
    address.set_port(port.parse().map_err(|_| io::ErrorKind::InvalidInput)?);
    Ok(address)
}

fn fetch(host: &str, port: &str, path: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(find(host, port)?)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end =
        answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    if !answer.starts_with(b"HTTP/1.1 200 ") && !answer.starts_with(b"HTTP/1.0 200 ") {
        return Err(io::Error::other(String::from_utf8_lossy(&answer[..end])));
    }
    io::stdout().write_all(&answer[end + 4..])
}

fn ask(host: &str, port: &str, text: &str) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.send_to(text.as_bytes(), find(host, port)?)?;
    let mut buffer = [0; 2048];
    let (length, _) = socket.recv_from(&mut buffer)?;
    println!("{}", String::from_utf8_lossy(&buffer[..length]));
    Ok(())
}
