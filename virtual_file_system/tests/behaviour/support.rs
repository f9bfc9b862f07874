//! Shared parts of the tests: callers, shorthand for the tree, counting wakers, and a device that
//! tests can feed.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use devnet_virtual_file_system::{
    Authority, CharacterDevice, Credentials, Error, File, GroupIdentifier, Identifier, Lock, Mode,
    OpenDevice, OpenFlags, OpenRequest, Operation, Path, Readiness, Result, UserIdentifier,
    VirtualFileSystem, WakerList, encode,
};

devnet_virtual_file_system::define_commands! {
    /// Commands of the line.
    pub mod line, kind b'l' {
        /// Puts bytes into the line.
        1 => Feed: Write (Vec<u8>) -> u32;
        /// Tells how many bytes are in the line.
        2 => Count: Read (()) -> u32;
        /// Waits until the line
        /// is empty.
        3 => Drain: Read, waits (()) -> ();
    }
}

pub(crate) const READ_WRITE: OpenFlags = OpenFlags::READ.union(OpenFlags::WRITE);

pub(crate) fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

pub(crate) fn root() -> Credentials {
    Credentials::root()
}

pub(crate) fn user(number: u32) -> Credentials {
    Credentials::new(UserIdentifier(number), GroupIdentifier(number))
}

pub(crate) fn octal(bits: u16) -> Mode {
    Mode::from_octal(bits)
}

/// Opens as user 0; a created file gets 644.
pub(crate) fn open(tree: &VirtualFileSystem, text: &str, flags: OpenFlags) -> Result<File> {
    tree.open(&root(), &path(text), flags, octal(0o644))
}

/// Creates or opens a regular file for reading and writing.
pub(crate) fn create(tree: &VirtualFileSystem, text: &str) -> File {
    open(tree, text, READ_WRITE | OpenFlags::CREATE).unwrap()
}

/// Counts its wakes.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let wakes = Arc::new(Self::default());
        (Arc::clone(&wakes), Waker::from(wakes))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// Polls once and drops the future.
pub(crate) fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    poll(pin!(future), Waker::noop())
}

/// The content of the line, and its waiters.
#[derive(Default)]
struct LineState {
    bytes: VecDeque<u8>,
    hung_up: bool,
    waiters: WakerList,
}

/// A device whose reader waits for data; writing feeds it.
#[derive(Default)]
pub(crate) struct Line {
    state: Lock<LineState>,
    pub(crate) opened: AtomicUsize,
    pub(crate) closed: AtomicUsize,
    pub(crate) revoked: AtomicUsize,
}

impl Line {
    pub(crate) fn feed(&self, data: &[u8]) {
        let waiters = self.state.with(|state| {
            state.bytes.extend(data);
            state.waiters.take()
        });
        waiters.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn hang_up(&self) {
        let waiters = self.state.with(|state| {
            state.hung_up = true;
            state.waiters.take()
        });
        waiters.into_iter().for_each(Waker::wake);
    }

    fn take(&self, buffer: &mut [u8], waker: &Waker) -> Poll<Result<usize>> {
        let (outcome, waiters) = self.state.with(|state| {
            if state.bytes.is_empty() {
                state.waiters.register(waker);
                return (Poll::Pending, Vec::new());
            }
            let count = buffer.len().min(state.bytes.len());
            for (to, from) in buffer.iter_mut().zip(state.bytes.drain(..count)) {
                *to = from;
            }
            (Poll::Ready(Ok(count)), state.waiters.take())
        });
        waiters.into_iter().for_each(Waker::wake);
        outcome
    }

    fn drained(&self, waker: &Waker) -> Poll<Result<Vec<u8>>> {
        self.state.with(|state| {
            if state.bytes.is_empty() {
                return Poll::Ready(encode(&()));
            }
            state.waiters.register(waker);
            Poll::Pending
        })
    }
}

/// Mounts a [`Line`]; a separate type, since an open line must refer to its line.
pub(crate) struct LineDevice(pub(crate) Arc<Line>);

impl CharacterDevice for LineDevice {
    fn open(&self, request: &OpenRequest<'_>) -> Result<Arc<dyn OpenDevice>> {
        self.0.opened.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(OpenLine { line: Arc::clone(&self.0), flags: request.flags }))
    }
}

pub(crate) struct OpenLine {
    line: Arc<Line>,
    flags: OpenFlags,
}

impl OpenDevice for OpenLine {
    fn read<'a>(&'a self, buffer: &'a mut [u8]) -> Operation<'a, usize> {
        Operation::waiting(poll_fn(move |context| self.line.take(buffer, context.waker())))
    }

    fn write<'a>(&'a self, data: &'a [u8]) -> Operation<'a, usize> {
        self.line.feed(data);
        Operation::done(Ok(data.len()))
    }

    fn control<'a>(&'a self, identifier: Identifier, request: &'a [u8]) -> Operation<'a, Vec<u8>> {
        if line::Request::authority(identifier) == Some(Authority::Write)
            && !self.flags.contains(OpenFlags::WRITE)
        {
            return Operation::done(Err(Error::PermissionDenied));
        }
        match line::Request::decode(identifier, request) {
            None => Operation::done(Err(Error::UnknownCommand)),
            Some(Err(error)) => Operation::done(Err(error)),
            Some(Ok(line::Request::Feed(bytes))) => {
                self.line.feed(&bytes);
                Operation::done(encode(&u32::try_from(bytes.len()).unwrap()))
            }
            Some(Ok(line::Request::Count(()))) => {
                let count = self.line.state.with(|state| state.bytes.len());
                Operation::done(encode(&u32::try_from(count).unwrap()))
            }
            Some(Ok(line::Request::Drain(()))) => {
                Operation::waiting(poll_fn(|context| self.line.drained(context.waker())))
            }
        }
    }

    fn poll_ready(&self, context: &mut Context<'_>, interest: Readiness) -> Poll<Readiness> {
        self.line.state.with(|state| {
            let mut now = Readiness::WRITABLE;
            now.set(Readiness::READABLE, !state.bytes.is_empty());
            now.set(Readiness::HANG_UP, state.hung_up);
            now &= interest;
            if now.is_empty() {
                state.waiters.register(context.waker());
                return Poll::Pending;
            }
            Poll::Ready(now)
        })
    }

    fn revoke(&self) {
        self.line.revoked.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        self.line.closed.fetch_add(1, Ordering::SeqCst);
    }
}

/// Creates a tree with a [`Line`] at `/line`, mode 666.
pub(crate) fn tree_with_line() -> (VirtualFileSystem, Arc<Line>) {
    let tree = VirtualFileSystem::new();
    let line = Arc::new(Line::default());
    let device = Arc::new(LineDevice(Arc::clone(&line)));
    tree.mount(&root(), &path("/line"), device, octal(0o666)).unwrap();
    (tree, line)
}
