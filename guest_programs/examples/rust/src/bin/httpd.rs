//! httpd: a web server that serves many connections at once by poll.
//!
//!     httpd PORT [DIRECTORY]
//!
//! It serves its own page at /, and the files of the directory. Grants: `--allow-listen PORT`,
//! `--allow-file DIRECTORY`, and `--limit-sockets` for more than 31 connections.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use devnet_guest::{
    Error, File, NodeKind, OpenFlags, Readiness, Result, SocketOption, TcpListener, TcpStream,
    Watch,
};
use devnet_guest::{poll, process, say};

devnet_guest::main!(run);

/// Maximum bytes of a request.
const REQUEST_BYTES: usize = 2048;
/// Bytes of a file that are read into memory at once.
const PIECE_BYTES: usize = 16 * 1024;
const PAGE: &str = "<!DOCTYPE html>\n<title>A guest</title>\n<h1>It works</h1>\n\
    <p>This page was sent by a guest program: WebAssembly, made of Rust.\n";

fn run() -> core::result::Result<(), String> {
    let arguments = process::arguments();
    let (port, directory) = match arguments.as_slice() {
        [_, port] => (port, None),
        [_, port, directory] => (port, Some(directory.as_str())),
        _ => return Err("usage: httpd PORT [DIRECTORY]".into()),
    };
    let port = port.parse().map_err(|_| format!("{port}: not a port"))?;
    let listener =
        TcpListener::bind_port(port, 128).map_err(|why| format!("port {port}: {why}"))?;
    say!("serving at port {port}");
    serve(&listener, directory).map_err(|why| format!("{why}"))
}

fn serve(listener: &TcpListener, directory: Option<&str>) -> Result<()> {
    listener.as_ref().set_non_blocking(true)?;
    let mut connections: Vec<Connection> = Vec::new();
    let mut has_room = true;
    loop {
        let mut watched: Vec<Watch<'_>> =
            connections.iter().map(|one| Watch::new(&one.stream, one.interest())).collect();
        // Without free sockets, new connections wait in the backlog until one ends.
        if has_room || connections.is_empty() {
            watched.push(Watch::new(listener, Readiness::READABLE));
        }
        poll(&mut watched, None)?;
        let found: Vec<bool> = watched.iter().map(|watch| !watch.found().is_empty()).collect();
        let before = connections.len();
        let mut found = found.into_iter();
        connections
            .retain_mut(|one| !found.next().unwrap_or_default() || one.go_on(directory).is_ok());
        has_room |= connections.len() < before;
        if found.next().unwrap_or_default() {
            has_room = accept(listener, &mut connections)?;
        }
    }
}

/// Accepts all connections in the backlog; false if there are no free sockets for more.
fn accept(listener: &TcpListener, connections: &mut Vec<Connection>) -> Result<bool> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.as_ref().set_non_blocking(true)?;
                stream.as_ref().set_option(&SocketOption::NoDelay(true))?;
                connections.push(Connection {
                    stream,
                    request: Vec::new(),
                    answer: Vec::new(),
                    file: None,
                    is_last: false,
                });
            }
            Err(Error::WouldBlock) => return Ok(true),
            Err(why) if connections.is_empty() => return Err(why),
            Err(_) => return Ok(false),
        }
    }
}

/// A connection reads a request, sends a response, and reads again.
struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    /// The unsent rest of the current piece.
    answer: Vec<u8>,
    /// The file with the remaining pieces.
    file: Option<File>,
    is_last: bool,
}

impl Connection {
    fn interest(&self) -> Readiness {
        if self.is_sending() { Readiness::WRITABLE } else { Readiness::READABLE }
    }

    fn is_sending(&self) -> bool {
        !self.answer.is_empty() || self.file.is_some()
    }

    /// Makes progress without blocking; an error ends the connection.
    fn go_on(&mut self, directory: Option<&str>) -> Result<()> {
        let outcome = if self.is_sending() { self.send() } else { self.receive(directory) };
        match outcome {
            Err(Error::WouldBlock) => Ok(()),
            outcome => outcome,
        }
    }

    /// A request that arrives before the previous response is complete is dropped: common clients
    /// do not pipeline.
    fn receive(&mut self, directory: Option<&str>) -> Result<()> {
        let mut piece = [0; REQUEST_BYTES];
        let count = self.stream.read(&mut piece)?;
        if count == 0 {
            return Err(Error::ConnectionReset);
        }
        self.request.extend_from_slice(&piece[..count]);
        if self.request.windows(4).any(|four| four == b"\r\n\r\n") {
            let request = String::from_utf8_lossy(&core::mem::take(&mut self.request)).into_owned();
            self.answer(&request, directory);
            return self.send();
        }
        if self.request.len() >= REQUEST_BYTES { Err(Error::MessageTooLong) } else { Ok(()) }
    }

    fn answer(&mut self, request: &str, directory: Option<&str>) {
        let path = request.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
        self.is_last = path.is_none()
            || request.contains(" HTTP/1.0\r\n")
            || request.lines().any(|line| line.eq_ignore_ascii_case("connection: close"));
        let (status, length, body) = match path {
            None => ("501 Not Implemented", 0, ""),
            Some("/") => ("200 OK", PAGE.len() as u64, PAGE),
            Some(path) => match directory
                .filter(|_| !path.contains(".."))
                .and_then(|folder| open(folder, path))
            {
                Some((file, length)) => {
                    self.file = Some(file);
                    ("200 OK", length, "")
                }
                None => ("404 Not Found", 0, ""),
            },
        };
        let connection = if self.is_last { "close" } else { "keep-alive" };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\
             Connection: {connection}\r\n\r\n{body}"
        );
        self.answer = head.into_bytes();
    }

    fn send(&mut self) -> Result<()> {
        loop {
            while !self.answer.is_empty() {
                let count = self.stream.write(&self.answer)?;
                self.answer.drain(..count);
            }
            let Some(file) = &self.file else { break };
            self.answer.resize(PIECE_BYTES, 0);
            let count = file.read(&mut self.answer)?;
            self.answer.truncate(count);
            if count == 0 {
                self.file = None;
            }
        }
        if self.is_last { Err(Error::ConnectionReset) } else { Ok(()) }
    }
}

/// Opens a regular file and returns its length.
fn open(folder: &str, path: &str) -> Option<(File, u64)> {
    let file = File::open(&format!("{folder}{path}"), OpenFlags::READ).ok()?;
    let length = file.stat().ok()?.size;
    (file.kind() == Ok(NodeKind::Regular)).then_some((file, length))
}
