//! Datagrams of a guest: to whom it sends them, and from whom it gets them.

use alloc::vec::Vec;
use core::net::SocketAddr;

use devnet_network::command::mode::Mode;
use devnet_network::command::socket::{Datagram, OutgoingDatagram, Peeked, SocketKind};
use devnet_network::command::{Peek, ReceiveFrom, Request};
use devnet_virtual_file_system::{Error, Result};

use super::{Guard, is_same_address};
use crate::account::Direction;
use crate::limits;

impl Guard {
    pub(super) async fn send_to(&self, datagram: OutgoingDatagram) -> Result<Vec<u8>> {
        let (is_icmp, is_raw) = match self.mode() {
            Mode::Datagram(kind) => {
                (kind == SocketKind::Icmp, matches!(kind, SocketKind::Raw(_) | SocketKind::Raw6(_)))
            }
            _ => (false, false),
        };
        let is_answer = self.state.with(|state| {
            state.known_peers.iter().any(|known| is_same_address(*known, datagram.remote))
        });
        if !is_answer && !is_raw {
            self.permit_remote(datagram.remote, is_icmp).await?;
        }
        self.account().refill(Direction::Send).await;
        let bytes = datagram.data.len();
        let answer = self.forward(Request::SendTo(datagram)).await?;
        self.account().charge(Direction::Send, bytes);
        Ok(answer)
    }

    /// Returns the next datagram from a permitted source and discards others.
    pub(super) async fn receive(&self) -> Result<Datagram> {
        self.account().refill(Direction::Receive).await;
        let mut discarded = 0;
        loop {
            if self.policy().knows_names() {
                // A name may have to be looked up again, before anything is consumed.
                let next = self.ask::<Peek>(Request::Peek(0)).await?.remote;
                if !self.permits_source(next) {
                    self.permits_again(next).await;
                }
            }
            let datagram = self.ask::<ReceiveFrom>(Request::ReceiveFrom(())).await?;
            if self.permits_source(datagram.remote) {
                self.account().charge(Direction::Receive, datagram.data.len());
                return Ok(datagram);
            }
            count_discarded(&mut discarded).await;
        }
    }

    /// Peeks at what the next read returns. Datagrams from unknown peers are discarded first; the
    /// guest is charged when it reads the data.
    pub(super) async fn peek(&self, most: u32) -> Result<Peeked> {
        self.account().refill(Direction::Receive).await;
        let mut discarded = 0;
        loop {
            let peeked = self.ask::<Peek>(Request::Peek(most)).await?;
            if !self.is_datagram()
                || self.permits_source(peeked.remote)
                || self.permits_again(peeked.remote).await
            {
                return Ok(peeked);
            }
            match self.forward_now(Request::ReceiveFrom(())) {
                // Another handle may have read it meanwhile.
                Ok(_) | Err(Error::WouldBlock) => {}
                Err(why) => return Err(why),
            }
            count_discarded(&mut discarded).await;
        }
    }

    pub(super) async fn permit_remote(&self, remote: SocketAddr, has_no_port: bool) -> Result<()> {
        let is_own = |address| self.devices.is_own(address);
        self.policy().permit_remote(remote, has_no_port, &self.inner, is_own).await
    }

    /// Looks up whether a peer is still where its granted name was.
    async fn permits_again(&self, remote: SocketAddr) -> bool {
        let is_icmp = self.mode() == Mode::Datagram(SocketKind::Icmp);
        let port = (!is_icmp).then_some(remote.port());
        self.policy().was_granted(remote.ip(), port)
            && self.permit_remote(remote, is_icmp).await.is_ok()
    }

    fn permits_source(&self, remote: SocketAddr) -> bool {
        let (mode, is_reachable) = self.state.with(|state| (state.mode, state.is_reachable));
        let Mode::Datagram(kind) = mode else { return false };
        match kind {
            SocketKind::Raw(_) | SocketKind::Raw6(_) => true,
            SocketKind::Icmp => self.policy().is_granted(remote.ip(), None),
            SocketKind::Tcp | SocketKind::Udp => {
                if is_reachable && self.policy().grants.reachable_from(remote.ip()) {
                    self.remember(remote);
                    return true;
                }
                self.policy().is_granted(remote.ip(), Some(remote.port()))
            }
        }
    }

    fn remember(&self, remote: SocketAddr) {
        self.note(|state| {
            if state.known_peers.back().is_some_and(|last| is_same_address(*last, remote)) {
                return;
            }
            state.known_peers.retain(|known| !is_same_address(*known, remote));
            if state.known_peers.len() >= limits::KNOWN_PEERS {
                state.known_peers.pop_front();
            }
            state.known_peers.push_back(remote);
        });
    }
}

/// Counts a discarded datagram and yields now and then.
async fn count_discarded(discarded: &mut usize) {
    *discarded += 1;
    if discarded.is_multiple_of(limits::UNKNOWN_PEER_DATAGRAMS) {
        futures_lite::future::yield_now().await;
    }
}
