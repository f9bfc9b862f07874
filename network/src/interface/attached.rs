//! Who is attached to an interface: watchers of its events, and captures of its frames.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;

use devnet_virtual_file_system::Error;

use super::{Engine, Interface};
use crate::capture::Stream;
use crate::driver::{Frame, Medium};
use crate::stack::context::Context;
use crate::stack::{Stack, Wakes};
use crate::trace::DropReason;
use crate::watcher::{Form, Watcher, Watchers};

/// Watchers.
impl Interface {
    /// Attaches a watcher; returns the snapshot as records.
    pub(crate) fn watch(&self, watcher: &Arc<Watcher>, form: &Form) -> Vec<u8> {
        self.watching(|stack, watchers| {
            watchers.attach(stack, watcher);
            Watchers::snapshot(stack, watcher, form)
        })
    }

    /// Like [`watch`](Self::watch), for an interface that was just added: its objects count as
    /// added.
    pub(crate) fn introduce(&self, watcher: &Arc<Watcher>) {
        self.watching(|stack, watchers| {
            if watchers.attach(stack, watcher) {
                watchers.report_new(stack, watcher);
            }
        });
    }

    /// Detaches a watcher.
    pub(crate) fn unwatch(&self, watcher: &Arc<Watcher>) {
        self.watching(|stack, watchers| watchers.detach(stack, watcher));
    }

    fn watching<R: Default>(&self, action: impl FnOnce(&mut Stack, &mut Watchers) -> R) -> R {
        if !cfg!(feature = "events") {
            return R::default();
        }
        let now = self.clock.now();
        let (result, deferred) = self.engine.with(|engine| {
            if engine.gone {
                return (R::default(), None);
            }
            engine.stack.context.now = now.max(engine.stack.context.now);
            let result = action(&mut engine.stack, &mut engine.watchers);
            // Who watches services asks for them.
            engine.transmit();
            (result, Some(engine.settle(true)))
        });
        if let Some(deferred) = deferred {
            deferred.wake();
        }
        result
    }
}

/// Captures.
impl Interface {
    /// Attaches a capture, once.
    ///
    /// # Errors
    /// `NoBufferSpace` when there are too many captures, `NetworkDown` when the interface is gone.
    pub(crate) fn capture(&self, stream: &Arc<Stream>) -> Result<(), Error> {
        let medium = if self.has_neighbors { Medium::Ethernet } else { Medium::Ip };
        let mut wakes = Wakes::default();
        let outcome = self.engine.with(|engine| {
            if engine.gone {
                return Err(Error::NetworkDown);
            }
            let name = &engine.stack.context.configuration.name;
            engine.taps.attach(stream, name, medium, &mut wakes)
        });
        wakes.wake();
        outcome
    }

    /// Detaches a capture.
    pub(crate) fn end_capture(&self, stream: &Arc<Stream>) {
        self.engine.with(|engine| engine.taps.detach(stream));
    }

    /// Sends a frame as it is; without room for it the task is woken when there is.
    ///
    /// # Errors
    /// `WouldBlock` without room, `NetworkDown` while the interface is down, `InvalidInput` for a
    /// frame that is too short, `MessageTooLong` for one that is too long.
    pub(crate) fn inject(&self, frame: &[u8], waker: &Waker) -> Result<(), Error> {
        self.change_and_transmit(|stack| {
            let Stack { context: cx, ip, senders, .. } = stack;
            if !ip.link.has_room() {
                senders.register(waker);
                return Err(Error::WouldBlock);
            }
            ip.link.inject(cx, frame)
        })
    }
}

impl Engine {
    /// Receives a frame and records it with what became of it.
    pub(super) fn receive_captured(&mut self, frame: Frame) {
        self.taps.keep(frame.bytes());
        let before = self.stack.context.statistics;
        self.stack.receive(frame);
        let Context { statistics: after, wakes, .. } = &mut self.stack.context;
        self.taps.received(&before, after, wakes);
    }

    /// Records the frame that was kept and that the driver took, or that is lost for a reason.
    /// What goes to the loopback interface is recorded as it comes back.
    pub(super) fn capture_sent(&mut self, reason: Option<DropReason>) {
        let context = &mut self.stack.context;
        if !self.taps.is_empty() && (reason.is_some() || !context.is_loopback()) {
            self.taps.sent(reason, &mut context.wakes);
        }
    }
}
