//! What the two ends of a cable share: a queue for each, behind one lock, and what may be asked
//! without it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use network::driver::Frame;

/// Which end.
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

/// What the other side knows of one end.
#[derive(Debug, Default)]
pub(super) struct End {
    /// Frames for this end.
    pub(super) queue: VecDeque<Frame>,
    /// Buffers that the other end is done with.
    pub(super) returned: Vec<Frame>,
    pub(super) waker: Option<Waker>,
    pub(super) wants_room: bool,
}

/// What may be asked without the lock. Written under it, except for `listens`: an end that sets
/// that and then finds no frame will be woken for the next one, since the other end adds the frame
/// before it looks (both sequentially consistent).
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// Frames wait for the end.
    pub(super) frames: [AtomicBool; 2],
    /// The end's waker stands in the shared part and is to be used.
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

    /// The end's waker, if it waits to be woken.
    pub(super) fn summon(&self, side: Side, end: &End) -> Option<Waker> {
        // Of a train of frames only the first finds somebody asleep. An end that says meanwhile
        // that it listens is woken all the same, and then says so again.
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

    /// Frames on a pulled cable are lost; everybody hears of it.
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
        (lost, [hints.summon(Side::Left, &self.left), hints.summon(Side::Right, &self.right)])
    }
}
