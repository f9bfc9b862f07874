//! A reader of events: reads a snapshot of the interfaces, then their changes.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use devnet_virtual_file_system::{Operation, Readiness};

use crate::command::watch::Kinds;
use crate::interface::Interface;
use crate::interfaces::Place;
use crate::watcher::{Found, Watcher};

/// A watching file. Dropping it ends the watch.
pub(super) struct Reader {
    place: Place,
    watcher: Arc<Watcher>,
}

impl Reader {
    pub(super) fn new(place: &Place, kinds: Kinds) -> Self {
        let reader = Self { place: place.clone(), watcher: Arc::new(Watcher::new(kinds)) };
        reader.begin(0);
        reader
    }

    /// Restarts with other kinds.
    pub(super) fn restart(&self, kinds: Kinds) {
        self.watcher.restart(kinds);
        self.begin(0);
    }

    /// Makes the snapshot. Changes of an interface are recorded from its snapshot on.
    fn begin(&self, lost: u64) {
        let mut text = String::new();
        if lost > 0 {
            // Writing to a string does not fail.
            let _ = writeln!(text, "lost {lost}");
        }
        for interface in self.interfaces() {
            text += &interface.watch(&self.watcher);
        }
        text += "idle\n";
        self.watcher.start(text);
    }

    /// The interfaces to watch. On `/devices/sockets` interfaces that are added later attach by
    /// themselves.
    fn interfaces(&self) -> Vec<Arc<Interface>> {
        match &self.place.interface {
            Some(_) => self.place.interfaces(),
            None => self.place.all.watch(&self.watcher),
        }
    }

    fn take(&self, buffer: &mut [u8], waker: Option<&Waker>) -> Option<usize> {
        loop {
            match self.watcher.read(buffer, waker) {
                Found::Bytes(count) => return Some(count),
                Found::Nothing => return None,
                Found::Lost(lost) => self.begin(lost),
            }
        }
    }

    /// Reads records; waits for one.
    pub(super) fn read<'a>(self: Arc<Self>, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        match self.take(buffer, None) {
            Some(count) => Operation::done(Ok(count)),
            None => Operation::waiting(async move {
                poll_fn(|context| match self.take(buffer, Some(context.waker())) {
                    Some(count) => Poll::Ready(Ok(count)),
                    None => Poll::Pending,
                })
                .await
            }),
        }
    }

    /// Readable when there are records; always writable, because commands may be written.
    pub(super) fn poll_ready(&self, context: &Context<'_>, interest: Readiness) -> Poll<Readiness> {
        let mut ready = interest & Readiness::WRITABLE;
        if interest.contains(Readiness::READABLE) && self.watcher.is_readable(context.waker()) {
            ready |= Readiness::READABLE;
        }
        if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        match &self.place.interface {
            Some(interface) => interface.unwatch(&self.watcher),
            None => self.place.all.unwatch(&self.watcher),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{
        Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
    };
    use crate::io_free::Core;
    use crate::platform::{Entropy, Instant};

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, buffer: &mut [u8]) -> core::result::Result<(), &'static str> {
            buffer.fill(0);
            Ok(())
        }
    }

    struct Nothing;

    impl Driver for Nothing {
        fn capabilities(&self) -> Capabilities {
            Capabilities {
                kind: Kind::Tunnel,
                medium: Medium::Ip,
                mtu: 1500,
                burst: None,
                reliable: false,
            }
        }

        fn hardware_address(&self) -> Option<crate::address::HardwareAddress> {
            None
        }

        fn set_hardware_address(
            &mut self,
            _address: crate::address::HardwareAddress,
        ) -> core::result::Result<(), DriverError> {
            Err(DriverError::Unsupported)
        }

        fn link_state(&mut self) -> LinkState {
            LinkState::Up
        }

        fn receive(&mut self, _pool: &mut FramePool) -> Option<Frame> {
            None
        }

        fn can_transmit(&mut self) -> bool {
            false
        }

        fn transmit(
            &mut self,
            frame: Frame,
            _pool: &mut FramePool,
        ) -> core::result::Result<(), Frame> {
            Err(frame)
        }

        fn register(&mut self, _waker: &Waker, _room: bool) {}
    }

    #[test]
    fn a_closed_reader_is_detached_from_all_interfaces() {
        let core = Core::new(Arc::new(Zeros), Instant::ZERO).unwrap();
        core.manager().register("tun0", alloc::boxed::Box::new(Nothing), None).unwrap();
        let all = core.sockets();
        let one = core.manager().sockets_on("tun0").unwrap();
        for sockets in [all, one] {
            let reader = Reader::new(&sockets.place, Kinds::all());
            core.manager().register("tun1", alloc::boxed::Box::new(Nothing), None).unwrap();
            let watcher = Arc::clone(&reader.watcher);
            assert!(Arc::strong_count(&watcher) > 2);
            let interface = sockets.place.all.find("tun0").unwrap();
            assert!(interface.read(|stack| stack.context.watch.is_on()));
            drop(reader);
            assert_eq!(Arc::strong_count(&watcher), 1);
            assert!(!interface.read(|stack| stack.context.watch.is_on()));
            core.manager().unregister("tun1").unwrap();
        }
    }
}
