//! fetch: downloads a document from a web server.
//!
//!     fetch http://HOST[:PORT]/PATH [FILE]
//!
//! The body goes to the file, or to standard output. Grants: `--allow-connect HOST:PORT`, and
//! `--allow-file FILE:write`.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::mem::ManuallyDrop;

use devnet_guest::{Error, File, OpenFlags, SocketOption, TcpStream, process};

devnet_guest::main!(run);

/// Maximum bytes of a response's head.
const HEAD_BYTES: usize = 16 * 1024;
/// Bytes of the receive buffer: the bandwidth-delay product of a long path.
const WINDOW_BYTES: u32 = 1 << 20;

fn run() -> Result<(), String> {
    let arguments = process::arguments();
    let (url, path) = match arguments.as_slice() {
        [_, url] => (url, None),
        [_, url, path] => (url, Some(path)),
        _ => return Err("usage: fetch http://HOST[:PORT]/PATH [FILE]".into()),
    };
    let (host, port, document) =
        parse(url).ok_or_else(|| format!("{url}: not a URL that begins with http://"))?;
    let of = |what: &str| {
        let what = what.to_string();
        move |why: Error| format!("{what}: {why}")
    };
    let window = [SocketOption::ReceiveBuffer(WINDOW_BYTES)];
    let stream = TcpStream::connect_name_with(host, port, &window).map_err(of(host))?;
    let request = format!("GET {document} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: fetch\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(of(host))?;
    let (head, early) = read_head(&stream).map_err(of(host))?;
    let (_, status) =
        head.lines().next().and_then(|line| line.split_once(' ')).ok_or("not an HTTP answer")?;
    if !status.starts_with("200") {
        return Err(format!("{document}: {status}"));
    }
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let output = match path {
        Some(path) => ManuallyDrop::new(File::open(path, flags).map_err(of(path))?),
        None => process::output(),
    };
    copy(&stream, &output, &early, length(&head))
}

/// Splits a URL into host, port and path.
fn parse(url: &str) -> Option<(&str, u16, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_port = |(_, port): &(&str, &str)| !port.contains(']');
    let (host, port) = match authority.rsplit_once(':').filter(is_port) {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, 80),
    };
    Some((host, port, if path.is_empty() { "/" } else { path }))
}

/// Reads the complete head; returns it with the part of the body that was already received.
fn read_head(stream: &TcpStream) -> Result<(String, Vec<u8>), Error> {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while all.len() < HEAD_BYTES {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Err(Error::ConnectionReset);
        }
        all.extend_from_slice(&piece[..count]);
        if let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = all.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&all).into_owned(), body));
        }
    }
    Err(Error::MessageTooLong)
}

/// Returns the Content-Length of a head.
fn length(head: &str) -> Option<u64> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1.trim().parse().ok()
}

fn copy(
    stream: &TcpStream,
    output: &File,
    early: &[u8],
    length: Option<u64>,
) -> Result<(), String> {
    let writing = |why: Error| format!("writing: {why}");
    output.write_all(early).map_err(writing)?;
    let (mut received, mut piece) = (early.len() as u64, vec![0; 64 * 1024]);
    while length.is_none_or(|length| received < length) {
        match stream.read(&mut piece).map_err(|why| format!("receiving: {why}"))? {
            0 if length.is_some() => return Err("the document ended early".into()),
            0 => break,
            count => {
                output.write_all(&piece[..count]).map_err(writing)?;
                received += count as u64;
            }
        }
    }
    Ok(())
}
