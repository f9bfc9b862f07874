//! A link in memory for stacks that bring none: a queue each way with recycled buffers. Both ends
//! take batches, so the lock costs little.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

#[derive(Default)]
struct Way {
    packets: VecDeque<Vec<u8>>,
    /// Buffers on their way back to the sender.
    spent: Vec<Vec<u8>>,
    waker: Option<Waker>,
}

/// One end of a link.
pub(crate) struct Pipe {
    pub(crate) mtu: usize,
    incoming: Arc<Mutex<Way>>,
    outgoing: Outgoing,
    inbox: VecDeque<Vec<u8>>,
    spent: Vec<Vec<u8>>,
}

/// The way out of one end.
#[derive(Clone)]
pub(crate) struct Outgoing(Arc<Mutex<Way>>);

/// Makes a link and gives its two ends.
pub(crate) fn pipe(mtu: usize) -> (Pipe, Pipe) {
    let (there, back) =
        (Arc::new(Mutex::new(Way::default())), Arc::new(Mutex::new(Way::default())));
    let end = |incoming: &Arc<Mutex<Way>>, outgoing: &Arc<Mutex<Way>>| Pipe {
        mtu,
        incoming: Arc::clone(incoming),
        outgoing: Outgoing(Arc::clone(outgoing)),
        inbox: VecDeque::new(),
        spent: Vec::new(),
    };
    (end(&back, &there), end(&there, &back))
}

impl Pipe {
    /// True when a packet is here; otherwise the task is woken when one comes.
    pub(crate) fn poll_ready(&mut self, context: &mut Context<'_>) -> bool {
        if self.inbox.is_empty() {
            let mut way = self.incoming.lock().unwrap();
            way.spent.append(&mut self.spent);
            if way.packets.is_empty() {
                match &mut way.waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    none => *none = Some(context.waker().clone()),
                }
            }
            mem::swap(&mut way.packets, &mut self.inbox);
        }
        !self.inbox.is_empty()
    }

    /// Takes a packet.
    pub(crate) fn receive(&mut self) -> Option<Vec<u8>> {
        if self.inbox.is_empty() {
            let mut way = self.incoming.lock().unwrap();
            way.spent.append(&mut self.spent);
            mem::swap(&mut way.packets, &mut self.inbox);
        }
        self.inbox.pop_front()
    }

    /// Gives a packet's buffer back once it was read.
    pub(crate) fn recycle(&mut self, packet: Vec<u8>) {
        self.spent.push(packet);
    }

    pub(crate) fn outgoing(&self) -> Outgoing {
        self.outgoing.clone()
    }
}

impl Outgoing {
    /// A buffer for a packet of this length.
    pub(crate) fn buffer(&self, length: usize) -> Vec<u8> {
        let mut packet = self.0.lock().unwrap().spent.pop().unwrap_or_default();
        packet.resize(length, 0);
        packet
    }

    pub(crate) fn send(&self, packet: Vec<u8>) {
        let waker = {
            let mut way = self.0.lock().unwrap();
            way.packets.push_back(packet);
            way.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
