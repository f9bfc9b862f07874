//! The shared state of a cable's two ends: one queue each, behind one lock, and hints that are read
//! without it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use devnet_network::driver::Frame;

/// An end of the cable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Left,
    Right,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// The shared state of one end.
#[derive(Debug, Default)]
pub(super) struct End {
    /// Frames for this end.
    pub(super) queue: VecDeque<Frame>,
    /// Buffers that the other end has finished with.
    pub(super) returned: Vec<Frame>,
    pub(super) waker: Option<Waker>,
    pub(super) wants_room: bool,
}

/// State that is read without the lock. It is written under the lock, except for `listens`: if an
/// end sets `listens` and then sees no frame, the other end will wake it for the next one, because
/// the other end publishes the frame before it reads `listens` (both are sequentially consistent).
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// Frames are queued for the end.
    pub(super) frames: [AtomicBool; 2],
    /// The end has registered a waker and waits to be woken.
    pub(super) listens: [AtomicBool; 2],
    /// The link is up.
    pub(super) up: AtomicBool,
}

impl Hints {
    pub(super) fn frames(&self, side: Side) -> &AtomicBool {
        let [left, right] = &self.frames;
        if side == Side::Left { left } else { right }
    }

    pub(super) fn listens(&self, side: Side) -> &AtomicBool {
        let [left, right] = &self.listens;
        if side == Side::Left { left } else { right }
    }

    /// Takes the end's waker, if it waits to be woken.
    pub(super) fn take_waker(&self, side: Side, end: &End) -> Option<Waker> {
        // In a train of frames only the first finds the end waiting. If the end sets `listens`
        // again concurrently, it is woken once more and registers again.
        let listens = self.listens(side);
        if !listens.load(Ordering::SeqCst) {
            return None;
        }
        listens.store(false, Ordering::Release);
        end.waker.clone()
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) left: End,
    pub(super) right: End,
    pub(super) plugged: bool,
    /// Both ends exist.
    pub(super) whole: bool,
}

impl Shared {
    pub(super) const fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        }
    }

    pub(super) const fn is_up(&self) -> bool {
        self.plugged && self.whole
    }

    /// Applies a change. If the link changes, takes the queued frames and the wakers of both ends,
    /// which the caller drops and wakes outside the lock.
    pub(super) fn change(
        &mut self,
        hints: &Hints,
        change: impl FnOnce(&mut Self),
    ) -> (Vec<Frame>, [Option<Waker>; 2]) {
        let before = self.is_up();
        change(self);
        if self.is_up() == before {
            return (Vec::new(), [None, None]);
        }
        hints.up.store(self.is_up(), Ordering::SeqCst);
        let lost = self.left.queue.drain(..).chain(self.right.queue.drain(..)).collect();
        (
            lost,
            [hints.take_waker(Side::Left, &self.left), hints.take_waker(Side::Right, &self.right)],
        )
    }
}
