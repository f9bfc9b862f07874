//! Lists that may be long, made in pieces: other tasks run between them.
//!
//! A connection that ends meanwhile may be listed as it was and in TIME-WAIT; everything that stays
//! is listed once. Who cannot wait gets the list in one turn, and keeps the thread himself.

use alloc::vec::Vec;
use core::future::poll_fn;
use core::mem;
use core::task::Poll;

use devnet_virtual_file_system::{ListEncoder, Result};
use serde::Serialize;

use super::open::OpenFile;
use crate::limits::LIST_PIECE;
use crate::stack::transport::SocketCursor;

impl OpenFile {
    /// Every neighbor, of one interface after the other.
    pub(super) async fn list_neighbors(&self) -> Result<Vec<u8>> {
        let mut list = Pieces::default();
        for interface in self.interfaces() {
            let entries =
                interface.read_now(|stack| stack.ip.link.neighbors.list(stack.context.now));
            list.add(&entries).await?;
        }
        list.encoder.finish()
    }

    /// Every route, of one interface after the other.
    pub(super) async fn list_routes(&self) -> Result<Vec<u8>> {
        let mut list = Pieces::default();
        for interface in self.interfaces() {
            let entries: Vec<_> =
                interface.read(|stack| stack.ip.route_entries(&stack.context).collect());
            list.add(&entries).await?;
        }
        list.encoder.finish()
    }

    /// Every route with everything about it, of one interface after the other, then those of the
    /// whole system.
    pub(super) async fn list_route_details(&self) -> Result<Vec<u8>> {
        let mut list = Pieces::default();
        for interface in self.interfaces() {
            let entries: Vec<_> =
                interface.read_now(|stack| stack.ip.route_details(&stack.context).collect());
            list.add(&entries).await?;
        }
        if let Ok(system) = self.system() {
            list.add(&system.system_routes()).await?;
        }
        list.encoder.finish()
    }

    /// Every socket: connections, listeners, datagram sockets; those bound on all interfaces once.
    pub(super) async fn list_sockets(&self) -> Result<Vec<u8>> {
        let mut list = Pieces::default();
        for interface in self.interfaces() {
            let (mut cursor, mut has_more) = (SocketCursor::default(), true);
            while has_more {
                let entries;
                (entries, has_more) = interface.read_now(|stack| {
                    let name = &stack.context.configuration.name;
                    stack.transport.list_sockets(name, &mut cursor)
                });
                list.add(&entries).await?;
            }
        }
        if self.sockets.place.interface.is_none() {
            let all = &self.sockets.place.all;
            let listeners = all.listeners();
            for piece in listeners.chunks(LIST_PIECE) {
                let piece: Vec<_> = piece.iter().map(|listener| listener.status("")).collect();
                list.add(&piece).await?;
            }
            for piece in all.bindings().chunks(LIST_PIECE) {
                let status = piece.iter().map(|(family, binding)| binding.status(*family, ""));
                list.add(&status.collect::<Vec<_>>()).await?;
            }
        }
        list.encoder.finish()
    }
}

/// A list and how many entries this turn encoded.
#[derive(Default)]
struct Pieces {
    encoder: ListEncoder,
    of_this_turn: usize,
}

impl Pieces {
    async fn add<T: Serialize>(&mut self, entries: &[T]) -> Result<()> {
        for piece in entries.chunks(LIST_PIECE) {
            if self.of_this_turn + piece.len() > LIST_PIECE {
                give_way().await;
                self.of_this_turn = 0;
            }
            self.encoder.extend(piece)?;
            self.of_this_turn += piece.len();
        }
        Ok(())
    }
}

/// Lets other tasks run.
pub(super) async fn give_way() {
    let mut has_given_way = false;
    poll_fn(|context| {
        if mem::replace(&mut has_given_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
