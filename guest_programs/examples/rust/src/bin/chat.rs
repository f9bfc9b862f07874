//! chat: exchanges lines of text by UDP.
//!
//!     chat PORT                 waits for somebody, and talks to who spoke last
//!     chat HOST:PORT            talks to somebody who waits
//!
//! It ends at the end of its input. Grants: `--allow-listen udp:PORT`; `--allow-connect HOST:PORT`.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv6Addr, SocketAddr};

use devnet_guest::{
    Error, Readiness, Result, UdpSocket, Watch, complain, lookup, poll, process, say,
};

devnet_guest::main!(run);

fn run() -> core::result::Result<(), String> {
    let arguments = process::arguments();
    let [_, place] = arguments.as_slice() else {
        return Err("usage: chat PORT | chat HOST:PORT".into());
    };
    let (socket, partner) = open(place).map_err(|why| format!("{place}: {why}"))?;
    talk(&socket, partner).map_err(|why| format!("{why}"))
}

fn open(place: &str) -> Result<(UdpSocket, Option<SocketAddr>)> {
    let number = |text: &str| text.parse().map_err(|_| Error::InvalidInput);
    match place.rsplit_once(':') {
        None => {
            let socket =
                UdpSocket::bind(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), number(place)?))?;
            Ok((socket, None))
        }
        Some((host, port)) => {
            let address = *lookup(host)?.first().ok_or(Error::NotFound)?;
            let local = SocketAddr::new(
                if address.is_ipv4() { [0; 4].into() } else { Ipv6Addr::UNSPECIFIED.into() },
                0,
            );
            Ok((UdpSocket::bind(local)?, Some(SocketAddr::new(address, number(port)?))))
        }
    }
}

/// Copies lines in both directions until the input ends.
fn talk(socket: &UdpSocket, mut partner: Option<SocketAddr>) -> Result<()> {
    let input = process::input();
    let (mut typed, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        let mut watched =
            [Watch::new(&*input, Readiness::READABLE), Watch::new(socket, Readiness::READABLE)];
        poll(&mut watched, None)?;
        let [keyboard, network] = watched.map(|watch| !watch.found().is_empty());
        if network {
            match socket.receive_from() {
                Ok(heard) => {
                    partner = Some(heard.remote);
                    say!("{}: {}", heard.remote, String::from_utf8_lossy(&heard.data).trim_end());
                }
                // An ICMP error for an earlier line.
                Err(why) => complain!("{why}"),
            }
        }
        if keyboard {
            let count = input.read(&mut piece)?;
            typed.extend_from_slice(&piece[..count]);
            while let Some(end) = typed.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = typed.drain(..=end).collect();
                match partner {
                    Some(partner) => socket.send_to(&line, partner)?,
                    None => complain!("nobody is there yet"),
                }
            }
            if count == 0 || typed.len() > 8192 {
                return Ok(());
            }
        }
    }
}
