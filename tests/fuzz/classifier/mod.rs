//! Ours and a plain smoltcp interface get the same packets; what they do with each is compared.
//!
//! Both have the same addresses, a TCP listener, a UDP socket and connections that the fuzzer
//! opens. After each packet both say what became of it in the same words ([`Effect`]); a difference
//! that stands on no written list ([`intended`]) is a failure. States part after a difference, so a
//! world ends with it.

mod intended;
mod ours;
mod packets;
mod plain;

use std::collections::BTreeSet;

use world::SeededEntropy;

use self::ours::Ours;
use self::packets::Input;
use self::plain::Plain;

/// Packets in one world.
const PACKETS: u32 = 40;

/// What became of a packet. Connections are named by the peer's port, and 20,000 more for IPv6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Effect {
    /// A reset to this port of the peer.
    Reset(u16),
    /// A SYN|ACK to it.
    Agreed(u16),
    /// An echo reply.
    Echo,
    /// An ICMP error of this type and code.
    Refused(u8, u8),
    /// Bytes for the UDP socket.
    Datagram(usize),
    /// Bytes for the connection with this port.
    Stream(u16, usize),
    /// The connection with this port is open now.
    Open(u16),
}

/// A system under test.
pub(crate) trait System {
    /// Takes a packet, lets `milliseconds` pass, and tells what became of it.
    fn feed(&mut self, packet: &[u8], milliseconds: u64) -> BTreeSet<Effect>;
    /// Our last initial sequence number for a port of the peer.
    fn initial(&self, is_v6: bool, port: u16) -> u32;
}

/// Chance in small portions.
pub(crate) struct Dice<'a>(pub(crate) &'a SeededEntropy);

impl Dice<'_> {
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.0.next() % end
    }

    pub(crate) fn one<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// The fuzz target.
pub(crate) fn classifier(entropy: &SeededEntropy, inputs: u32) {
    for _ in 0..inputs / PACKETS {
        world(&Dice(entropy));
    }
}

fn world(dice: &Dice<'_>) {
    let (mut ours, mut plain) = (Ours::new(), Plain::new());
    let mut history = Vec::new();
    for _ in 0..PACKETS {
        let input = Input::draw(dice);
        let milliseconds = dice.one(&[1, 1, 2, 12, 300]);
        let (first, second) = (input.packet(&ours), input.packet(&plain));
        let (here, there) = (ours.feed(&first, milliseconds), plain.feed(&second, milliseconds));
        let is_parting = intended::parts_silently(&input, &history);
        history.push((input.clone(), here.clone()));
        if here == there && !is_parting {
            continue;
        }
        if here == there {
            return;
        }
        let reason = intended::reason(&input, &history, &here, &there);
        if std::env::var_os("FUZZ_DIFFERENCES").is_some() {
            println!(
                "{}: {input:?}: ours {here:?}, plain {there:?}",
                reason.unwrap_or("NOT INTENDED")
            );
        }
        assert!(
            reason.is_some() || std::env::var_os("FUZZ_DIFFERENCES").is_some(),
            "not on the list: ours {here:?}, plain {there:?} after\n{:#?}\npacket {first:02x?}",
            history
        );
        return;
    }
}
