//! A reader of events: reads a snapshot of the interfaces, then their changes.
//!
//! Sockets are presented in pieces as the file is read: there may be thousands.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use devnet_virtual_file_system::{Lock, Operation, Readiness};

use crate::command::event::{Change, Event};
use crate::command::socket::{SocketState, SocketStatus};
use crate::command::watch::Kinds;
use crate::interface::Interface;
use crate::interfaces::Place;
use crate::limits::LIST_PIECE;
use crate::platform::Clock;
use crate::stack::transport::SocketCursor;
use crate::watcher::{Form, Found, Watched, Watcher};

/// A watching file. Dropping it ends the watch.
pub(super) struct Reader {
    place: Place,
    watcher: Arc<Watcher>,
    /// What is left of the snapshot.
    rest: Lock<Option<Sockets>>,
}

/// Sockets that a snapshot has not presented yet.
struct Sockets {
    form: Form,
    /// The interfaces that are left, and how far the first was presented.
    interfaces: VecDeque<Arc<Interface>>,
    cursor: SocketCursor,
    /// Those on every interface.
    everywhere: Vec<SocketStatus>,
}

impl Sockets {
    /// The next piece, and whether there is more.
    fn piece(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        let Some(interface) = self.interfaces.front() else {
            let rest = self.everywhere.split_off(self.everywhere.len().min(LIST_PIECE));
            let piece = core::mem::replace(&mut self.everywhere, rest);
            self.put(&mut bytes, "", piece);
            return (bytes, !self.everywhere.is_empty());
        };
        let ((entries, has_more), name) = interface.read_now(|stack| {
            let name = &stack.context.configuration.name;
            (stack.transport.list_sockets(name, &mut self.cursor), name.clone())
        });
        self.put(&mut bytes, &name, entries);
        if !has_more {
            self.interfaces.pop_front();
            self.cursor = SocketCursor::default();
        }
        (bytes, true)
    }

    /// Appends sockets, without those that changes do not tell either.
    fn put(&self, bytes: &mut Vec<u8>, interface: &str, entries: Vec<SocketStatus>) {
        let is_told = |status: &SocketStatus| {
            !matches!(status.state, SocketState::TimeWait | SocketState::SynReceived)
        };
        for status in entries.into_iter().filter(is_told) {
            self.form.put_event(bytes, interface, &Event::Socket(Change::Present, status));
        }
    }
}

impl Reader {
    pub(super) fn new(place: &Place, clock: &Arc<dyn Clock>, watched: Watched) -> Self {
        let watcher = Arc::new(Watcher::new(Arc::clone(clock), watched));
        let reader = Self { place: place.clone(), watcher, rest: Lock::default() };
        reader.begin(0);
        reader
    }

    /// Restarts with other options.
    pub(super) fn restart(&self, watched: Watched) {
        self.watcher.restart(watched);
        self.begin(0);
    }

    /// Makes the snapshot. Changes of an interface are recorded from its snapshot on.
    fn begin(&self, lost: u64) {
        let form = self.watcher.form();
        let mut bytes = Vec::new();
        if lost > 0 {
            form.put_lost(&mut bytes, lost);
        }
        let interfaces = self.interfaces();
        for interface in &interfaces {
            bytes.extend(interface.watch(&self.watcher, &form));
        }
        let has_sockets = form.options.kinds.contains(Kinds::SOCKET);
        if !has_sockets {
            form.put_idle(&mut bytes);
        }
        self.rest.with(|rest| {
            *rest = has_sockets.then(|| {
                let everywhere = self.sockets_everywhere();
                let (interfaces, cursor) = (interfaces.into(), SocketCursor::default());
                Sockets { form, interfaces, cursor, everywhere }
            });
            self.watcher.present(bytes, rest.is_some());
        });
    }

    /// Makes the next piece of the snapshot.
    fn go_on(&self) {
        self.rest.with(|rest| {
            // Another reader of the file may have done it.
            let Some(sockets) = rest else { return };
            let (mut bytes, has_more) = sockets.piece();
            if !has_more {
                sockets.form.put_idle(&mut bytes);
                *rest = None;
            }
            self.watcher.present(bytes, has_more);
        });
    }

    /// The sockets that are bound to no interface; none on the device of one.
    fn sockets_everywhere(&self) -> Vec<SocketStatus> {
        if self.place.interface.is_some() {
            return Vec::new();
        }
        let listeners = self.place.all.listeners().into_iter().map(|listener| listener.status(""));
        let bindings = self.place.all.bindings().into_iter();
        listeners.chain(bindings.map(|(family, binding)| binding.status(family, ""))).collect()
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
                Found::More => self.go_on(),
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
    use crate::command::watch::WatchOptions;
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
            let options = WatchOptions::lines(Kinds::all());
            let reader = Reader::new(&sockets.place, &sockets.clock, options.into());
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
