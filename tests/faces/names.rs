//! A name server of one host, over the faces of `embedded-nal-async`: `web.lan` is 10.0.0.2.

use std::net::{Ipv4Addr, SocketAddr};

use devnet_network::dns_message::{DnsMessage, QueryKind};
use embedded_nal_async::{UdpStack, UnconnectedUdp};
use futures_lite::future;

use crate::pair::System;

/// A response with one record that answers the question, or none.
fn respond(query: &[u8], record: Option<(u16, &[u8])>) -> Vec<u8> {
    let mut response = query.to_vec();
    response[2..4].copy_from_slice(&[0x81, 0x80]);
    response[7] = u8::from(record.is_some());
    if let Some((kind, data)) = record {
        response.extend_from_slice(&[0xc0, 12]);
        response.extend_from_slice(&kind.to_be_bytes());
        response.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
        response.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        response.extend_from_slice(data);
    }
    response
}

/// Answers at port 53, from the address that was asked, for as long as the system lives.
pub(crate) fn serve(system: &System) {
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 53));
    // Bound when this returns, so that nobody asks too early.
    let mut socket = future::block_on(system.sockets().bind_multiple(any)).unwrap();
    system.spawn(async move {
        let mut buffer = [0; 512];
        loop {
            let (length, local, remote) = socket.receive_into(&mut buffer).await.unwrap();
            let query = &buffer[..length];
            let question = DnsMessage::parse(query).unwrap();
            let record: Option<(u16, &[u8])> = match (question.kind, question.name.as_str()) {
                (QueryKind::A, "web.lan") => Some((1, &[10, 0, 0, 2])),
                (QueryKind::Ptr, "2.0.0.10.in-addr.arpa") => Some((12, b"\x03web\x03lan\x00")),
                _ => None,
            };
            socket.send(local, remote, &respond(query, record)).await.unwrap();
        }
    });
}
